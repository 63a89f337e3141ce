//! Reads and binds whole repositories: the one that is shipped, and ones that nobody prepared.

#![allow(clippy::unwrap_used, clippy::use_debug, reason = "helpers of tests are tests")]

mod hostile;
mod quickstart;

use std::path::{Path, PathBuf};

use fleetscale::fleet::FleetTree;
use fleetscale::policy::{FleetFile, PolicySet};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/quickstart")
}

/// All files below a folder, with their paths relative to it.
fn files(folder: &Path, prefix: &str, found: &mut Vec<(String, Vec<u8>)>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = format!("{prefix}{}", path.file_name().unwrap().to_str().unwrap());
        if path.is_dir() {
            files(&path, &format!("{name}/"), found);
        } else {
            found.push((name, std::fs::read(&path).unwrap()));
        }
    }
}

fn quickstart() -> (FleetFile, PolicySet, Vec<(String, Vec<u8>)>) {
    let bytes = std::fs::read(root().join("fleet.yaml")).unwrap();
    let fleet = FleetFile::load("fleet.yaml", &bytes).unwrap();
    let mut found = Vec::new();
    files(&root().join("fleet"), "", &mut found);
    let policies = found.iter().filter(|(path, _)| path.starts_with("fleetscale/"));
    let policies = PolicySet::load(policies.map(|(path, bytes)| (path, bytes)), Some(&fleet)).unwrap();
    (fleet, policies, found)
}

fn tree(files: &[(String, Vec<u8>)]) -> FleetTree {
    let base = "0".repeat(40).parse().unwrap();
    FleetTree::from_files(base, files.iter().map(|(path, bytes)| (path.clone(), bytes.clone()))).unwrap()
}
