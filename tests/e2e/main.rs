//! What needs real servers and tools: kube-apiserver, Prometheus, Gitea, git over HTTP, GitHub's emulator, kustomize and Helm.
//!
//! `make servers` builds them, `make test` runs this, `make test-offline` runs what needs none.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a test that can not go on has failed, and unwrap says where; it waits for servers by the clock"
)]

mod agent;
mod canary;
mod deadlines;
mod deploy;
mod env;
mod faults;
mod fleet;
mod forges;
mod git;
mod kubernetes;
mod lifecycle;
mod line;
mod live;
mod prometheus;
mod readme;
mod region;
mod rendering;
#[path = "../scenario.rs"]
#[allow(dead_code, reason = "another binary edits")]
mod scenario;
mod scenarios;
