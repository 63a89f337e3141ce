//! From the first run to the merge, and everything that a reviewer may do in between.

use std::collections::BTreeMap;

use super::{Quickstart, git};

const UP: &str = "fleetscale/eu-1/shard-a/blue/up";

/// The line of a run that is about a branch.
#[track_caller]
fn line_of<'a>(run: &'a str, branch: &str) -> &'a str {
    run.lines()
        .find(|line| line.contains(branch))
        .unwrap_or_else(|| panic!("no line about {branch} in\n{run}"))
}

#[test]
fn the_first_run_opens_one_pull_request_per_scope() {
    let quickstart = Quickstart::new();
    let run = quickstart.run();
    insta::assert_snapshot!("first_run", quickstart.scrub(&run));
    let ours = quickstart
        .branches()
        .into_keys()
        .filter(|name| name.starts_with("fleetscale/"))
        .count();
    let requests = quickstart
        .forge()
        .keys()
        .filter(|name| name.ends_with("/state"))
        .count();
    assert_eq!((ours, requests), (8, 8));
}

#[test]
fn every_commit_stands_alone_on_the_base_and_changes_only_what_it_says() {
    let quickstart = Quickstart::new();
    quickstart.run();
    let base = quickstart.git(&["rev-parse", "main"]);
    let mut diffs = String::new();
    for branch in quickstart
        .branches()
        .into_keys()
        .filter(|name| name.starts_with("fleetscale/"))
    {
        assert_eq!(
            quickstart
                .git(&["rev-list", "--count", &format!("main..{branch}")])
                .trim(),
            "1",
            "{branch}"
        );
        assert_eq!(quickstart.git(&["rev-parse", &format!("{branch}^")]), base, "{branch}");
        diffs.push_str(&format!("== {branch}\n"));
        diffs.push_str(&quickstart.git(&["diff", "-M", "--no-color", "main", &branch]));
    }
    insta::assert_snapshot!("diffs", diffs);
}

#[test]
fn the_placement_is_a_rename_with_named_inserts() {
    let quickstart = Quickstart::new();
    quickstart.run();
    let branch = "fleetscale/eu-2/place/orange";
    let status = quickstart.git(&["diff", "-M", "--name-status", "main", branch]);
    let mut lines = status.lines();
    assert!(
        lines.any(|line| line.starts_with('R')
            && line.ends_with("requests/eu/orange.yaml\tclusters/eu/eu-2/shard-c/orange.yaml")),
        "{status}"
    );
    let diff = quickstart.git(&["diff", "-M", "main", branch]);
    let removed = diff
        .lines()
        .filter(|line| line.starts_with('-') && !line.starts_with("---"));
    assert_eq!(
        removed.collect::<Vec<_>>(),
        Vec::<&str>::new(),
        "a placement only adds lines"
    );
}

#[test]
fn the_words_of_a_pull_request_are_what_a_reviewer_needs() {
    let quickstart = Quickstart::new();
    quickstart.run();
    let forge = quickstart.forge();
    let mut text = String::new();
    for branch in [UP, "fleetscale/eu-2/place/orange", "fleetscale/eu-1/controller/capi"] {
        let number = quickstart.number(branch);
        for file in ["title", "labels", "body.md"] {
            text.push_str(&format!("== {branch} {file}\n{}\n", forge[&format!("{number}/{file}")]));
        }
    }
    insta::assert_snapshot!("words", text);
}

#[test]
fn ten_more_runs_push_nothing_and_close_nothing() {
    let quickstart = Quickstart::new();
    quickstart.run();
    let (branches, forge) = (quickstart.branches(), quickstart.forge());
    for _ in 0..10 {
        let run = quickstart.run();
        let about_ours: Vec<&str> = run.lines().filter(|line| line.contains(" #")).collect();
        assert!(
            !about_ours.is_empty() && about_ours.iter().all(|line| line.contains("unchanged")),
            "{run}"
        );
        assert_eq!(
            (quickstart.branches(), quickstart.forge()),
            (branches.clone(), forge.clone())
        );
    }
}

/// Adds a little to every measured share, the same in every place, so that no decision changes.
fn jitter(snapshot: &str, step: u32) -> String {
    let mut out = String::new();
    for line in snapshot.lines() {
        let jittered = line.split_once("value: 0.").and_then(|(before, rest)| {
            let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
            let after = &rest[digits.len()..];
            // Only a digit that the fixture does not have: 0.97 becomes 0.97001 to 0.97010.
            Some(format!("{before}value: 0.{digits:0<4}{step:02}{after}")).filter(|_| digits.len() <= 4)
        });
        out.push_str(jittered.as_deref().unwrap_or(line));
        out.push('\n');
    }
    out
}

#[test]
fn ten_runs_with_other_figures_and_the_same_decisions_push_nothing() {
    let quickstart = Quickstart::copied();
    quickstart.run();
    let (branches, forge) = (quickstart.branches(), quickstart.forge());
    let file = quickstart.fixture().join("snapshot.yaml");
    let original = std::fs::read_to_string(&file).unwrap();
    let mut seen = std::collections::BTreeSet::new();
    for step in 1..=10 {
        let changed = jitter(&original, step);
        assert!(seen.insert(changed.clone()) && changed != original);
        std::fs::write(&file, changed).unwrap();
        quickstart.run();
        assert_eq!(quickstart.branches(), branches);
        let states: BTreeMap<_, _> = quickstart
            .forge()
            .into_iter()
            .filter(|(name, _)| name.ends_with("/state"))
            .collect();
        assert!(states.values().all(|state| state.trim() == "open"), "{states:?}");
        assert_eq!(
            states.len(),
            forge.keys().filter(|name| name.ends_with("/state")).count()
        );
    }
}

#[test]
fn a_merged_change_waits_until_it_is_live() {
    let quickstart = Quickstart::new();
    quickstart.run();
    quickstart.merge(UP);
    let run = quickstart.run();
    let held = run
        .lines()
        .find(|line| line.contains("shard-a/blue/md-0/replicas"))
        .unwrap();
    assert!(
        held.contains("not-applied") && held.contains("Git declares 9, live is 6"),
        "{run}"
    );
    let number = quickstart.number(UP);
    assert_eq!(quickstart.forge()[&format!("{number}/state")].trim(), "merged");
    // The other pull requests stand on the old base and stay as they are: approvals are not taken back for a base that moved.
    let untouched = line_of(&run, "fleetscale/us-1/shard-a/lime/up");
    assert!(untouched.contains("unchanged"), "{untouched}");
}

#[test]
fn nothing_is_wanted_any_more_once_the_merged_change_is_live() {
    let quickstart = Quickstart::copied();
    quickstart.run();
    quickstart.merge("fleetscale/eu-1/shard-a/teal/down");
    let file = quickstart.fixture().join("snapshot.yaml");
    let snapshot = std::fs::read_to_string(&file).unwrap();
    let (before, teal) = snapshot.split_once("teal:\n").unwrap();
    assert!(teal.contains("replicas: 8"));
    let caught_up = teal
        .replacen("replicas: 8", "replicas: 7", 1)
        .replacen("ready: 8", "ready: 7", 1)
        .replacen("upToDate: 8", "upToDate: 7", 1);
    let caught_up = caught_up.replacen("changedAt: ", "changedAt: 2026-10-06T08:30:00Z # was ", 1);
    std::fs::write(&file, format!("{before}teal:\n{caught_up}")).unwrap();
    let run = quickstart.run();
    assert!(
        line_of(&run, "fleetscale/eu-1/shard-a/teal/down").contains("merged"),
        "{run}"
    );
    let held = run
        .lines()
        .find(|line| line.contains("shard-a/teal/md-0/replicas"))
        .unwrap();
    assert!(held.contains("cooling-down"), "{run}");
}

#[test]
fn a_persons_commit_on_a_branch_is_left_alone() {
    let quickstart = Quickstart::new();
    quickstart.run();
    let clone = quickstart.clone();
    git(&clone, &["checkout", "-q", "-b", "mine", &format!("origin/{UP}")]);
    std::fs::write(clone.join("note.md"), "ask the shop team first\n").unwrap();
    git(&clone, &["add", "note.md"]);
    git(&clone, &["commit", "-q", "-m", "ask first"]);
    git(&clone, &["push", "-q", "origin", &format!("HEAD:{UP}")]);
    let head = quickstart.branches()[UP].clone();
    let run = quickstart.run();
    let line = line_of(&run, UP);
    assert!(line.contains("left alone"), "{line}");
    assert_eq!(quickstart.branches()[UP], head);
}

#[test]
fn an_amended_commit_is_left_alone() {
    let quickstart = Quickstart::new();
    quickstart.run();
    let clone = quickstart.clone();
    git(&clone, &["checkout", "-q", "-b", "mine", &format!("origin/{UP}")]);
    git(&clone, &["commit", "-q", "--amend", "--no-edit", "--allow-empty"]);
    git(&clone, &["push", "-q", "--force", "origin", &format!("HEAD:{UP}")]);
    let head = quickstart.branches()[UP].clone();
    let run = quickstart.run();
    assert!(line_of(&run, UP).contains("left alone"), "{run}");
    assert_eq!(quickstart.branches()[UP], head);
}

#[test]
fn a_closed_pull_request_is_not_argued_with() {
    let quickstart = Quickstart::new();
    quickstart.run();
    let number = quickstart.number(UP);
    std::fs::write(quickstart.pull_requests().join(&number).join("state"), "closed\n").unwrap();
    let branches = quickstart.branches();
    for _ in 0..2 {
        let run = quickstart.run();
        let held = run
            .lines()
            .find(|line| line.contains("shard-a/blue/md-0/replicas"))
            .unwrap();
        assert!(held.contains("closed-by-reviewer"), "{run}");
        assert_eq!(quickstart.branches(), branches);
        assert_eq!(quickstart.number(UP), number);
    }
}

#[test]
fn a_deleted_branch_counts_as_a_no() {
    let quickstart = Quickstart::new();
    quickstart.run();
    let number = quickstart.number(UP);
    quickstart.git(&["branch", "-q", "-D", UP]);
    let run = quickstart.run();
    let held = run
        .lines()
        .find(|line| line.contains("shard-a/blue/md-0/replicas"))
        .unwrap();
    assert!(held.contains("closed-by-reviewer"), "{run}");
    assert!(
        held.contains(&format!(
            "deleted the branch of pull request #{}",
            number.trim_start_matches('0')
        )),
        "{run}"
    );
    assert!(!quickstart.branches().contains_key(UP));
    assert_eq!(quickstart.number(UP), number);
}

#[test]
fn a_run_that_ended_between_push_and_pull_request_is_taken_up() {
    let quickstart = Quickstart::new();
    quickstart.run();
    let branches = quickstart.branches();
    // What such a run leaves behind: the branch, and no pull request.
    let number = quickstart.number(UP);
    std::fs::remove_dir_all(quickstart.pull_requests().join(&number)).unwrap();
    let run = quickstart.run();
    assert!(line_of(&run, UP).contains("adopted"), "{run}");
    assert_eq!(quickstart.branches(), branches);
    quickstart.number(UP);
}

#[test]
fn two_runs_at_once_open_one_pull_request_per_branch() {
    for _ in 0..5 {
        let quickstart = Quickstart::new();
        std::thread::scope(|scope| {
            let runs: Vec<_> = (0..3).map(|_| scope.spawn(|| quickstart.call(&["run"]))).collect();
            for run in runs {
                let ended = run.join().unwrap();
                assert!([0, 2].contains(&ended.code), "{ended:?}");
            }
        });
        // One that lost a race for a branch's lock says so, and the next run goes on from there.
        quickstart.run();
        let forge = quickstart.forge();
        let branches: Vec<&String> = forge
            .iter()
            .filter(|(name, _)| name.ends_with("/branch"))
            .map(|(_, branch)| branch)
            .collect();
        assert_eq!(branches.len(), 8, "{branches:?}");
        assert_eq!(quickstart.branches().len(), 9);
    }
}

#[test]
fn a_lock_that_a_killed_run_left_behind_is_told_apart_from_one_that_is_held() {
    let quickstart = Quickstart::new();
    quickstart.call(&["plan"]).with_code(0);
    let lock = quickstart.remote().join(format!("refs/heads/{UP}.lock"));
    std::fs::create_dir_all(lock.parent().unwrap()).unwrap();
    let file = std::fs::File::create(&lock).unwrap();
    let run = quickstart.call(&["run"]).with_code(2).stdout;
    assert!(run.contains(lock.to_str().unwrap()), "{run}");
    assert!(lock.exists());
    let made = file.metadata().unwrap().modified().unwrap();
    file.set_modified(made - std::time::Duration::from_secs(3600)).unwrap();
    let run = quickstart.run();
    assert!(line_of(&run, UP).contains("created"), "{run}");
    assert!(!lock.exists());
}

#[test]
fn the_labels_that_people_give_stay() {
    let quickstart = Quickstart::copied();
    quickstart.run();
    let branch = "fleetscale/eu-1/shard-a/green/up";
    let labels = quickstart
        .pull_requests()
        .join(quickstart.number(branch))
        .join("labels");
    std::fs::write(&labels, "do-not-merge\nfleetscale\nfleetscale/P1\nfleetscale/up\n").unwrap();
    let file = quickstart.fixture().join("snapshot.yaml");
    let snapshot = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, snapshot.replace("0.7803", "0.9000")).unwrap();
    let run = quickstart.run();
    assert!(line_of(&run, branch).contains("updated"), "{run}");
    let labels = std::fs::read_to_string(labels).unwrap();
    assert_eq!(labels, "do-not-merge\nfleetscale\nfleetscale/up\n");
}

#[test]
fn a_branch_that_is_deleted_after_its_merge_is_no_no() {
    for squash in [false, true] {
        let quickstart = Quickstart::new();
        quickstart.run();
        let number = quickstart.number(UP);
        if squash {
            let clone = quickstart.clone();
            git(&clone, &["merge", "-q", "--squash", &format!("origin/{UP}")]);
            git(&clone, &["commit", "-q", "-m", "more nodes"]);
            git(&clone, &["push", "-q"]);
        } else {
            quickstart.merge(UP);
        }
        quickstart.git(&["branch", "-q", "-D", UP]);
        let run = quickstart.run();
        assert!(line_of(&run, UP).contains("merged"), "{run}");
        assert_eq!(quickstart.forge()[&format!("{number}/state")].trim(), "merged");
        // Reverted, the same change is wanted again, and nobody has said no to it.
        let clone = quickstart.clone();
        git(&clone, &["revert", "--no-edit", "HEAD"]);
        git(&clone, &["push", "-q"]);
        let run = quickstart.run();
        assert!(line_of(&run, UP).contains("created"), "{run}");
    }
}
