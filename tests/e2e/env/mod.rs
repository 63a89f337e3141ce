//! The servers: built by `tests/env/build.sh`, started here on free ports with data folders of their own.

mod api;

pub(crate) mod gitea;
pub(crate) mod github;
pub(crate) mod kubernetes;
mod process;
mod prometheus;
mod proxy;
pub(crate) mod rendering;
mod stub;

use std::path::PathBuf;

pub(crate) use api::{Api, wait};
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

/// An empty folder for a server's data. What earlier processes left is removed.
pub(crate) fn scratch(name: &str) -> PathBuf {
    let root = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::create_dir_all(&root).unwrap();
    for entry in std::fs::read_dir(&root).unwrap().flatten() {
        let living = PathBuf::from("/proc").join(entry.file_name()).exists();
        if !living {
            let _ = std::fs::remove_dir_all(entry.path());
        }
    }
    let folder = root.join(std::process::id().to_string());
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    folder
}
