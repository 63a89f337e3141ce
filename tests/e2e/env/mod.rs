//! The servers: built by `tests/env/build.sh`, started here on free ports with data folders of their own.

pub(crate) mod kubernetes;
mod process;
mod prometheus;
mod proxy;

use std::path::PathBuf;

pub(crate) use process::{Process, free_port, wait_until};
pub(crate) use prometheus::{Prometheus, Samples};
pub(crate) use proxy::{Fault, Proxy, Seen, json_answer};

/// A folder of `target/servers`: the binaries of a server, or its module's source.
pub(crate) fn built(name: &str) -> PathBuf {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("target/servers")
        .join(name);
    assert!(
        path.exists(),
        "{} is not there: `make servers` builds it; `make test-offline` runs the tests that need no servers",
        path.display()
    );
    path
}
