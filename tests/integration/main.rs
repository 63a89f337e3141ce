//! One binary for all integration tests: it links once.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test that can not go on has failed, and unwrap says where; a property prints its cases and seed"
)]

mod architecture;
mod cli;
mod corpus;
mod decide;
mod dependencies;
mod fleet;
mod fuzzed;
mod plan;
mod policies;
mod policy_mutations;
mod properties;
mod render;
#[path = "../scenario.rs"]
#[allow(dead_code, reason = "another binary asks the tools")]
mod scenario;
mod scenarios;
mod shards;
mod support;

/// A file that nobody names would be a test that never runs.
#[test]
fn every_test_file_is_part_of_this_binary() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/integration");
    let main = std::fs::read_to_string(folder.join("main.rs")).unwrap();
    for entry in std::fs::read_dir(&folder).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        let stem = name.strip_suffix(".rs").unwrap_or(&name);
        let is_module = name.ends_with(".rs") && name != "main.rs" || entry.path().join("mod.rs").exists();
        if is_module {
            assert!(
                main.contains(&format!("mod {stem};")),
                "tests/integration/main.rs does not name {stem}"
            );
        }
    }
}
