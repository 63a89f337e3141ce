//! What Git and `sed` do: they make the fleet's repository, and they are what a run is compared with.
//!
//! Remotes are reached by `file://`, so that nothing is linked instead of copied. Nothing here is in the way of a user's configuration or
//! of Git's own housekeeping.

use std::fs;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::{Stage, stage, timed};

use super::fleet;

/// Makes a bare repository of one commit in one pack, and returns how many files that has.
///
/// The files go to `git fast-import` kind by kind, because it deltas each against the one before, and are packed anew as a server would.
pub(super) fn make(bare: &Path, clusters: usize) -> usize {
    run(git(["init", "-q", "--bare", "-b", "main"]).arg(bare));
    let mut import = git(["-C"])
        .arg(bare)
        .args(["fast-import", "--quiet"])
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    let mut to = BufWriter::new(import.stdin.take().unwrap());
    let message = "The fleet";
    write!(
        to,
        "commit refs/heads/main\ncommitter bench <bench@example.org> 1790000000 +0000\ndata {}\n{message}\n",
        message.len()
    )
    .unwrap();
    let mut add = |path: &str, text: &str| {
        write!(to, "M 100644 inline {path}\ndata {}\n{text}\n", text.len()).unwrap();
    };
    add(fleet::POLICY_PATH, fleet::POLICY);
    let mut files = 1;
    for kind in 0..5 {
        for cluster in fleet::clusters(clusters) {
            let (path, text) = &cluster.files()[kind];
            add(path, text);
            files += 1;
        }
    }
    drop(to);
    assert!(import.wait().unwrap().success());
    run(git(["-C"]).arg(bare).args(["repack", "-adfq"]));
    files
}

/// A copy of a bare repository to push to.
pub(super) fn bare_copy(bare: &Path, to: &Path) -> PathBuf {
    run(git(["clone", "-q", "--bare", "--no-hardlinks"]).arg(bare).arg(to));
    to.to_owned()
}

/// Demands that the branches of a remote have this many changed lines in as many files, and nothing else.
pub(super) fn check_branches(remote: &Path, edits: usize) {
    let branches = told(
        git(["-C"])
            .arg(remote)
            .args(["for-each-ref", "--format=%(refname)", "refs/heads/fleetscale"]),
    );
    let mut lines = Vec::new();
    for branch in branches.lines() {
        let diff = told(git(["-C"]).arg(remote).args(["diff", "--numstat", "main", branch]));
        lines.extend(diff.lines().map(str::to_owned));
    }
    assert_eq!(lines.len(), edits);
    assert!(lines.iter().all(|line| line.starts_with("1\t1\tclusters/")));
}

/// How long `git clone --no-checkout` takes.
pub(super) fn clone_without_checkout(bare: &Path, folder: &Path) -> Duration {
    let to = folder.join("clone");
    timed(|| run(git(["clone", "-q", "--no-checkout"]).arg(address(bare)).arg(to))).1
}

/// What it takes to change the same files in a checkout that is there: the same new number for all, one commit, one push.
///
/// It knows nothing of YAML, and is no way to change a fleet: it is the least that any tool with a checkout has to do.
pub(super) fn sed_in_a_checkout(bare: &Path, folder: &Path, files: &[String]) -> Vec<Stage> {
    let remote = bare_copy(bare, &folder.join("sed-remote.git"));
    let checkout = folder.join("checkout");
    run(git(["clone", "-q"]).arg(address(&remote)).arg(&checkout));
    let list = folder.join("files");
    fs::write(&list, files.join("\n")).unwrap();
    let mut stages = Vec::new();
    stage("sed", &mut stages, || {
        let expression = r#"s/^(  "?replicas"?: *)[0-9]+/\177/"#;
        run(Command::new("xargs")
            .arg("-a")
            .arg(&list)
            .args(["sed", "-i", "-E", expression])
            .current_dir(&checkout));
    });
    let mut git_in = |name: &str, arguments: &[&str]| {
        stage(name, &mut stages, || run(git(["-C"]).arg(&checkout).args(arguments)));
    };
    git_in("add", &["add", "-u"]);
    git_in("commit", &["commit", "-qm", "scale"]);
    git_in("push", &["push", "-q", "origin", "HEAD:refs/heads/scale"]);
    let changed = told(git(["-C"]).arg(&remote).args(["diff", "--name-only", "main", "scale"]));
    assert_eq!(changed.lines().count(), files.len());
    stages
}

fn address(bare: &Path) -> String {
    format!("file://{}", bare.display())
}

fn git<const N: usize>(arguments: [&str; N]) -> Command {
    let mut command = Command::new("git");
    command
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_SYSTEM", "/dev/null")
        .args([
            "-c",
            "gc.auto=0",
            "-c",
            "user.name=bench",
            "-c",
            "user.email=bench@example.org",
        ])
        .args(arguments);
    command
}

fn run(command: &mut Command) {
    assert!(command.status().unwrap().success(), "{command:?}");
}

fn told(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}");
    String::from_utf8(output.stdout).unwrap()
}
