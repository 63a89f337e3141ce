//! The oracles of the fuzzers, on every fixture and on every file that has ever failed. The fuzzers themselves need a nightly compiler and
//! live in `tests/fuzz`; `make fuzz` runs them.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "helpers of tests are tests")]

mod oracles;

use std::path::{Path, PathBuf};

use self::oracles::{Count, FILE_MARK};

/// An oracle, and the folders of its seeds; `true` where each folder in it is a repository.
type Fuzzer = (&'static str, fn(&[u8]) -> Count, &'static [(&'static str, bool)]);

const YAML: &[(&str, bool)] = &[("quickstart", false), ("hostile", false), ("tricky", false)];

const FUZZERS: [Fuzzer; 4] = [
    ("yaml_locate", oracles::yaml_locate, YAML),
    ("yaml_edit", oracles::yaml_edit, YAML),
    (
        "args_edit",
        oracles::args_edit,
        &[("hostile/args", false), ("quickstart/fleet/management", false)],
    ),
    (
        "kustomization",
        oracles::kustomization,
        &[("hostile/repositories", true), ("scenarios", true)],
    ),
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let Ok(entries) = std::fs::read_dir(folder) else {
        return found;
    };
    for path in entries.map(|entry| entry.unwrap().path()) {
        match path.is_dir() {
            true => found.extend(files(&path)),
            false => found.push(path),
        }
    }
    found.sort();
    found
}

/// All files of a folder as one input.
fn packed(folder: &Path) -> Vec<u8> {
    let mut packed = Vec::new();
    for file in files(folder) {
        packed.extend(format!("{FILE_MARK}{}\n", file.strip_prefix(folder).unwrap().display()).into_bytes());
        packed.extend(std::fs::read(&file).unwrap());
        packed.push(b'\n');
    }
    packed
}

fn inputs(name: &str, folders: &[(&str, bool)]) -> Vec<Vec<u8>> {
    let mut inputs = Vec::new();
    for (folder, repositories) in folders {
        let folder = root().join("fixtures").join(folder);
        if *repositories {
            let entries = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path());
            inputs.extend(entries.filter(|path| path.is_dir()).map(|path| {
                let inner = path.join("repo");
                packed(if inner.is_dir() { &inner } else { &path })
            }));
        } else {
            inputs.extend(files(&folder).iter().map(|file| std::fs::read(file).unwrap()));
        }
    }
    let failed = root().join("tests/fuzz/regressions").join(name);
    inputs.extend(files(&failed).iter().map(|file| std::fs::read(file).unwrap()));
    inputs
}

#[test]
fn what_the_fuzzers_ask_holds_for_every_fixture_and_every_file_that_ever_failed() {
    for (name, oracle, folders) in FUZZERS {
        let inputs = inputs(name, folders);
        let mut sum = Count::default();
        for input in &inputs {
            let Count { done, refused } = oracle(input);
            sum.done += done;
            sum.refused += refused;
        }
        let Count { done, refused } = sum;
        println!("{name}: {} inputs, {done} values done, {refused} refused", inputs.len());
        assert!(inputs.len() > 30 && done > 20, "{name}");
    }
}
