//! The program as people use it: the real binary on the quickstart fleet, with real git beside it.

mod errors;
mod guess;
mod init;
mod lifecycle;
mod offline;
mod owners;
mod replay;
mod scan;
mod shapes;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

/// The quickstart in a work folder of its own.
pub(crate) struct Quickstart {
    folder: TempDir,
    fixture: PathBuf,
}

/// What one call of the program ended with.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

pub(crate) fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Calls the program with nothing of the machine's environment but what it needs.
#[expect(
    clippy::disallowed_methods,
    reason = "the program itself runs git nowhere, but the tests' PATH is the machine's"
)]
pub(crate) fn fleetscale(arguments: &[&str], home: &Path) -> Ended {
    let output = Command::new(env!("CARGO_BIN_EXE_fleetscale"))
        .args(arguments)
        .current_dir(root())
        .env_clear()
        .env("HOME", home)
        .env("PATH", std::env::var_os("PATH").unwrap())
        .output()
        .unwrap();
    Ended::of(output)
}

impl Ended {
    fn of(output: Output) -> Self {
        Self {
            code: output.status.code().expect("it was not killed"),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// The exit code as expected, or everything that it said.
    #[track_caller]
    pub(crate) fn with_code(self, code: i32) -> Self {
        assert_eq!(self.code, code, "\nstdout:\n{}\nstderr:\n{}", self.stdout, self.stderr);
        self
    }
}

impl Quickstart {
    pub(crate) fn new() -> Self {
        Self {
            folder: TempDir::new().unwrap(),
            fixture: root().join("fixtures/quickstart"),
        }
    }

    /// A copy of the fixture that a test may change.
    pub(crate) fn copied() -> Self {
        let folder = TempDir::new().unwrap();
        let fixture = folder.path().join("quickstart");
        copy(&root().join("fixtures/quickstart"), &fixture);
        Self { folder, fixture }
    }

    pub(crate) fn fixture(&self) -> &Path {
        &self.fixture
    }

    pub(crate) fn work(&self) -> PathBuf {
        self.folder.path().join("work")
    }

    pub(crate) fn remote(&self) -> PathBuf {
        self.work().join("remote.git")
    }

    pub(crate) fn pull_requests(&self) -> PathBuf {
        self.work().join("pull-requests")
    }

    /// Calls a verb on this fleet.
    pub(crate) fn call(&self, verb: &[&str]) -> Ended {
        let (fleet, work) = (self.fixture.join("fleet.yaml"), self.work());
        let mut arguments = verb.to_vec();
        arguments.extend(["--fleet", fleet.to_str().unwrap(), "--work-dir", work.to_str().unwrap()]);
        fleetscale(&arguments, self.folder.path())
    }

    /// `run`, which must be clean.
    #[track_caller]
    pub(crate) fn run(&self) -> String {
        self.call(&["run"]).with_code(0).stdout
    }

    /// git on the remote.
    #[track_caller]
    pub(crate) fn git(&self, arguments: &[&str]) -> String {
        git(&self.remote(), arguments)
    }

    /// Our branches with their commits.
    pub(crate) fn branches(&self) -> BTreeMap<String, String> {
        let listed = self.git(&["for-each-ref", "--format=%(refname:short) %(objectname)", "refs/heads"]);
        listed
            .lines()
            .map(|line| line.split_once(' ').unwrap())
            .map(|(name, id)| (name.to_owned(), id.to_owned()))
            .collect()
    }

    /// The bytes of everything that the local forge holds.
    pub(crate) fn forge(&self) -> BTreeMap<String, String> {
        let mut found = BTreeMap::new();
        files(&self.pull_requests(), "", &mut found);
        found
    }

    /// The number of the pull request of a branch.
    pub(crate) fn number(&self, branch: &str) -> String {
        let forge = self.forge();
        let mut numbers = forge
            .iter()
            .filter(|(name, text)| name.ends_with("/branch") && text.trim() == branch);
        let (name, _) = numbers
            .next()
            .unwrap_or_else(|| panic!("no pull request of {branch} in {:?}", forge.keys()));
        assert!(numbers.next().is_none(), "two pull requests of {branch}");
        name.split('/').next().unwrap().to_owned()
    }

    /// A clone in which a person works.
    pub(crate) fn clone(&self) -> PathBuf {
        let clone = self.folder.path().join("clone");
        if clone.exists() {
            std::fs::remove_dir_all(&clone).unwrap();
        }
        let remote = self.remote();
        git(
            self.folder.path(),
            &["clone", "-q", remote.to_str().unwrap(), clone.to_str().unwrap()],
        );
        clone
    }

    /// Merges a branch as the README shows it.
    pub(crate) fn merge(&self, branch: &str) {
        let clone = self.clone();
        git(&clone, &["merge", "-q", "--no-edit", &format!("origin/{branch}")]);
        git(&clone, &["push", "-q"]);
    }

    /// Without the paths of this machine.
    pub(crate) fn scrub(&self, text: &str) -> String {
        text.replace(self.work().to_str().unwrap(), "WORK")
            .replace(self.fixture.to_str().unwrap(), "QUICKSTART")
    }
}

/// git with a person's name and none of the machine's configuration.
#[track_caller]
pub(crate) fn git(folder: &Path, arguments: &[&str]) -> String {
    let output = Command::new("git")
        .args([
            "-c",
            "user.name=Jo",
            "-c",
            "user.email=jo@example.org",
            "-c",
            "init.defaultBranch=main",
            "-c",
            "commit.gpgsign=false",
        ])
        .args(arguments)
        .current_dir(folder)
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "git {arguments:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap()
}

fn files(folder: &Path, prefix: &str, found: &mut BTreeMap<String, String>) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for entry in entries {
        let entry = entry.unwrap();
        let name = format!("{prefix}{}", entry.file_name().to_str().unwrap());
        if entry.path().is_dir() {
            files(&entry.path(), &format!("{name}/"), found);
        } else {
            found.insert(name, std::fs::read_to_string(entry.path()).unwrap());
        }
    }
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), &target).unwrap();
        }
    }
}
