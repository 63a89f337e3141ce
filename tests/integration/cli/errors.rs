//! What goes wrong is said once, with the place and the way out, and nothing is half done.

use super::{Quickstart, fleetscale, git};

#[test]
fn a_broken_policy_stops_everything_and_says_where() {
    let quickstart = Quickstart::copied();
    let file = quickstart.fixture().join("fleet/fleetscale/workers.yaml");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text.replace("  bounds:", "  bound:")).unwrap();
    for verb in [&["run"][..], &["plan"], &["explain", "blue/md-0"], &["shards"]] {
        let ended = quickstart.call(verb).with_code(3);
        assert!(ended.stderr.contains("fleetscale/workers.yaml:"), "{}", ended.stderr);
        assert!(ended.stderr.contains("bounds"), "{}", ended.stderr);
        assert_eq!(ended.stdout, "");
    }
    assert_eq!(quickstart.branches().len(), 1);
    assert!(quickstart.forge().is_empty());
}

#[test]
fn a_local_policy_folder_never_publishes() {
    let quickstart = Quickstart::new();
    let folder = quickstart.fixture().join("fleet/fleetscale");
    let ended = quickstart
        .call(&["run", "--policies", folder.to_str().unwrap()])
        .with_code(1);
    assert!(ended.stderr.contains("--dry-run"), "{}", ended.stderr);
    assert!(quickstart.forge().is_empty());
    quickstart
        .call(&["run", "--dry-run", "--policies", folder.to_str().unwrap()])
        .with_code(0);
}

#[test]
fn a_policy_in_a_pull_request_changes_nothing() {
    let quickstart = Quickstart::new();
    let before = quickstart.call(&["plan", "-o", "json"]).with_code(0).stdout;
    let clone = quickstart.clone();
    git(&clone, &["checkout", "-q", "-b", "more-nodes"]);
    let file = clone.join("fleetscale/workers.yaml");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text.replace("mode: propose", "mode: report")).unwrap();
    git(&clone, &["commit", "-q", "-a", "-m", "another policy"]);
    git(&clone, &["push", "-q", "origin", "more-nodes"]);
    assert_eq!(quickstart.call(&["plan", "-o", "json"]).with_code(0).stdout, before);
}

#[test]
fn what_is_missing_is_named_with_the_way_out() {
    let quickstart = Quickstart::new();
    let home = tempfile::TempDir::new().unwrap();
    let no_file = fleetscale(&["plan", "--fleet", "nowhere.yaml"], home.path()).with_code(1);
    assert!(no_file.stderr.contains("nowhere.yaml"), "{}", no_file.stderr);
    let no_branch = quickstart.call(&["plan", "--ref", "nowhere"]).with_code(4);
    assert!(
        no_branch.stderr.contains("nowhere") && no_branch.stderr.contains("hint:"),
        "{}",
        no_branch.stderr
    );
    let no_repository = quickstart
        .call(&["plan", "--repo", home.path().to_str().unwrap()])
        .with_code(4);
    assert!(no_repository.stderr.contains("hint:"), "{}", no_repository.stderr);
    let no_snapshot = quickstart.call(&["plan", "--snapshot", "README.md"]).with_code(1);
    assert!(no_snapshot.stderr.contains("README.md"), "{}", no_snapshot.stderr);
    let difference = quickstart.call(&["diff", "--ref", "nowhere"]).with_code(2);
    assert!(difference.stderr.contains("nowhere"), "{}", difference.stderr);
}

#[test]
fn a_half_edited_pull_request_folder_is_an_error_that_names_the_file() {
    let quickstart = Quickstart::new();
    quickstart.run();
    let (number, branches) = (
        quickstart.number("fleetscale/eu-1/shard-a/blue/up"),
        quickstart.branches(),
    );
    std::fs::write(quickstart.pull_requests().join(&number).join("state"), "done\n").unwrap();
    let ended = quickstart.call(&["run"]).with_code(4);
    assert!(ended.stderr.contains(&format!("{number}/state")), "{}", ended.stderr);
    assert_eq!(quickstart.branches(), branches);
}

#[test]
fn logs_are_json_where_they_are_asked_for_and_never_on_stdout() {
    let quickstart = Quickstart::new();
    let ended = quickstart
        .call(&["run", "--log-format", "json", "-o", "json"])
        .with_code(0);
    serde_json::from_str::<serde_json::Value>(&ended.stdout).unwrap();
}

#[test]
fn a_folder_that_changed_after_its_import_is_mentioned() {
    let quickstart = Quickstart::copied();
    assert!(
        !quickstart
            .call(&["plan"])
            .with_code(0)
            .stderr
            .contains("has changed since")
    );
    std::fs::write(quickstart.fixture().join("fleet/note.md"), "later\n").unwrap();
    let ended = quickstart.call(&["plan"]).with_code(0);
    assert!(
        ended.stderr.contains("has changed since it was imported"),
        "{}",
        ended.stderr
    );
}

#[test]
fn a_mistyped_flag_looks_neither_like_changes_nor_like_a_partial_run() {
    let quickstart = Quickstart::new();
    quickstart.call(&["plan", "--detailed-exitcode", "--typo"]).with_code(1);
    quickstart.call(&["run", "--typo"]).with_code(1);
    quickstart.call(&["diff", "--typo"]).with_code(2);
    quickstart.call(&["plan", "--detailed-exitcode"]).with_code(2);
    quickstart
        .call(&["plan", "--detailed-exitcode", "--ref", "nowhere"])
        .with_code(1);
    quickstart.call(&["plan", "--help"]).with_code(0);
}

#[test]
#[cfg(target_os = "linux")]
fn output_that_is_lost_is_an_error() {
    use std::process::{Command, Stdio};
    let quickstart = Quickstart::new();
    quickstart.call(&["plan"]).with_code(0);
    let call = |verb: &str| {
        let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let output = Command::new(env!("CARGO_BIN_EXE_fleetscale"))
            .args([verb, "--fleet"])
            .arg(quickstart.fixture().join("fleet.yaml"))
            .arg("--work-dir")
            .arg(quickstart.work())
            .stdout(Stdio::from(full))
            .output()
            .unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    let (code, words) = call("plan");
    assert_eq!(code, Some(1));
    assert!(words.starts_with("error: writing to stdout:"), "{words}");
    assert_eq!(call("diff").0, Some(2));
}

#[test]
fn a_pull_requests_branch_is_no_base() {
    let quickstart = Quickstart::new();
    quickstart.run();
    let (branches, reference) = (quickstart.branches(), "fleetscale/eu-1/shard-a/blue/up");
    let ended = quickstart.call(&["run", "--ref", reference]).with_code(1);
    assert!(ended.stderr.contains("no base"), "{}", ended.stderr);
    assert_eq!(quickstart.branches(), branches);
    quickstart.call(&["plan", "--ref", reference]).with_code(0);
}
