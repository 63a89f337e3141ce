//! What needs real servers: kube-apiserver, Prometheus, Gitea, git over HTTP, and GitHub's emulator.
//!
//! `make servers` builds them, `make test` runs this, `make test-offline` runs what needs none.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a test that can not go on has failed, and unwrap says where; it waits for servers by the clock"
)]

#[expect(dead_code, reason = "the kit comes before the tests that use it")]
mod env;
#[expect(dead_code, reason = "the kit comes before the tests that use it")]
mod fleet;
mod kubernetes;
mod live;
mod forges;
mod prometheus;
