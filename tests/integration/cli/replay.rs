//! The same inputs give the same bytes, whoever runs them and wherever.

use serde_json::Value;

use super::{Quickstart, git};

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// Branch and tree of every scope of a run.
fn trees(run: &Value) -> Vec<(String, String)> {
    let scopes = run["scopes"].as_array().unwrap().iter();
    scopes
        .map(|scope| {
            (
                scope["branch"].as_str().unwrap().to_owned(),
                scope["tree"].as_str().unwrap().to_owned(),
            )
        })
        .collect()
}

#[test]
fn two_runs_on_the_same_inputs_are_equal_to_the_byte() {
    let (one, other) = (Quickstart::new(), Quickstart::new());
    let outputs = [&one, &other].map(|quickstart| quickstart.scrub(&quickstart.run()));
    assert_eq!(outputs[0], outputs[1]);
    assert_eq!(one.branches(), other.branches());
    assert_eq!(one.forge(), other.forge());
    let plans = [&one, &other].map(|quickstart| quickstart.call(&["plan", "-o", "json"]).with_code(0).stdout);
    assert_eq!(plans[0], plans[1]);
}

#[test]
fn a_dry_run_writes_nothing_and_has_the_trees_of_the_real_run() {
    let quickstart = Quickstart::new();
    let dry = json(&quickstart.call(&["run", "--dry-run", "-o", "json"]).with_code(0).stdout);
    assert_eq!(quickstart.branches().len(), 1, "only main");
    assert!(quickstart.forge().is_empty());
    let real = json(&quickstart.call(&["run", "-o", "json"]).with_code(0).stdout);
    assert_eq!(trees(&dry), trees(&real));
    for (branch, tree) in trees(&real) {
        assert_eq!(
            quickstart.git(&["rev-parse", &format!("{branch}^{{tree}}")]).trim(),
            tree,
            "{branch}"
        );
    }
}

#[test]
fn a_recorded_run_replays_to_the_same_plan() {
    let quickstart = Quickstart::new();
    quickstart.run();
    let recorded = quickstart.work().join("recorded.json");
    let recorded = recorded.to_str().unwrap();
    let run = json(
        &quickstart
            .call(&["run", "--snapshot-out", recorded, "-o", "json"])
            .with_code(0)
            .stdout,
    );
    let replayed = json(
        &quickstart
            .call(&["plan", "--snapshot", recorded, "-o", "json"])
            .with_code(0)
            .stdout,
    );
    assert_eq!(run["plan"], replayed);
    // The recording holds both halves: what is live, and our open pull requests.
    let snapshot = json(&std::fs::read_to_string(recorded).unwrap());
    assert_eq!(snapshot["ledger"]["pullRequests"].as_array().unwrap().len(), 8);
}

#[test]
fn the_order_of_the_snapshots_lines_changes_nothing() {
    let quickstart = Quickstart::copied();
    let before = quickstart.call(&["plan", "-o", "json"]).with_code(0).stdout;
    let file = quickstart.fixture().join("snapshot.yaml");
    let mut value: serde_yaml::Value = serde_yaml::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
    reverse(&mut value);
    std::fs::write(&file, serde_yaml::to_string(&value).unwrap()).unwrap();
    let after = quickstart.call(&["plan", "-o", "json"]).with_code(0).stdout;
    assert_eq!(before, after);
}

/// Turns every mapping around.
fn reverse(value: &mut serde_yaml::Value) {
    if let serde_yaml::Value::Mapping(mapping) = value {
        let mut entries: Vec<_> = std::mem::take(mapping).into_iter().collect();
        entries.reverse();
        for (key, mut value) in entries {
            reverse(&mut value);
            mapping.insert(key, value);
        }
    }
}

#[test]
fn a_saved_plan_is_shown_diffed_and_published_like_a_fresh_one() {
    let quickstart = Quickstart::new();
    let saved = quickstart.work().join("plan.json");
    std::fs::create_dir_all(quickstart.work()).unwrap();
    let saved = saved.to_str().unwrap();
    let plan = quickstart.call(&["plan", "--out", saved]).with_code(0).stdout;
    let show = super::fleetscale(&["show", saved], &quickstart.work())
        .with_code(0)
        .stdout;
    assert_eq!(show, plan);
    let fresh = quickstart.call(&["diff"]).with_code(1).stdout;
    assert_eq!(quickstart.call(&["diff", saved]).with_code(1).stdout, fresh);
    quickstart.call(&["publish", saved]).with_code(0);
    let real = Quickstart::new();
    real.run();
    assert_eq!(quickstart.branches(), real.branches());
}

#[test]
fn the_diff_is_one_that_git_applies() {
    let quickstart = Quickstart::new();
    let diff = quickstart.call(&["diff"]).with_code(1).stdout;
    let clone = quickstart.clone();
    std::fs::write(clone.join("../all.diff"), diff).unwrap();
    git(&clone, &["apply", "--check", "../all.diff"]);
}

#[test]
fn a_plan_for_a_base_that_moved_is_refused() {
    let quickstart = Quickstart::new();
    std::fs::create_dir_all(quickstart.work()).unwrap();
    let saved = quickstart.work().join("plan.json");
    let saved = saved.to_str().unwrap();
    quickstart.call(&["plan", "--out", saved]).with_code(0);
    let clone = quickstart.clone();
    std::fs::write(clone.join("note.md"), "moved\n").unwrap();
    git(&clone, &["add", "note.md"]);
    git(&clone, &["commit", "-q", "-m", "move the base"]);
    git(&clone, &["push", "-q"]);
    let refused = quickstart.call(&["publish", saved]).with_code(1);
    assert!(refused.stderr.contains("stale"), "{}", refused.stderr);
    assert_eq!(quickstart.branches().len(), 1);
}

#[test]
fn a_plan_that_was_edited_by_hand_is_refused() {
    let quickstart = Quickstart::new();
    std::fs::create_dir_all(quickstart.work()).unwrap();
    let saved = quickstart.work().join("plan.json");
    let saved = saved.to_str().unwrap();
    quickstart.call(&["plan", "--out", saved]).with_code(0);
    let plan = json(&std::fs::read_to_string(saved).unwrap());
    let change = "/proposals/0/changes/0";
    let alterations: [&[&str]; 3] = [
        // The words stay, and the commit would do something else.
        &["/edits/0/to"],
        // Beyond the policy's maximum.
        &["/edits/0/to", "/action/to"],
        &["/edits/0/from", "/action/from"],
    ];
    for places in alterations {
        let mut altered = plan.clone();
        for place in places {
            *altered.pointer_mut(&format!("{change}{place}")).unwrap() = 90.into();
        }
        std::fs::write(saved, altered.to_string()).unwrap();
        let refused = quickstart.call(&["publish", saved]).with_code(1);
        assert!(refused.stderr.contains("edited by hand"), "{}", refused.stderr);
    }
    assert_eq!(quickstart.branches().len(), 1);
    assert!(quickstart.forge().is_empty());
}

#[test]
fn a_recorded_run_replays_in_the_default_work_folder() {
    let home = tempfile::TempDir::new().unwrap();
    let fleet = super::root().join("fixtures/quickstart/fleet.yaml");
    let call = |words: &[&str]| {
        let words = [words, &["--fleet", fleet.to_str().unwrap(), "-o", "json"]].concat();
        json(&super::fleetscale(&words, home.path()).with_code(0).stdout)
    };
    call(&["run"]);
    let cache = home.path().join(".cache/fleetscale");
    let mut work = std::fs::read_dir(cache).unwrap();
    let remote = work.next().unwrap().unwrap().path().join("remote.git");
    let branch = "refs/heads/fleetscale/eu-1/shard-a/blue/up";
    git(&remote, &["update-ref", "refs/heads/main", branch]);
    let recorded = home.path().join("recorded.json");
    let recorded = recorded.to_str().unwrap();
    let run = call(&["run", "--snapshot-out", recorded]);
    assert_eq!(run["plan"], call(&["plan", "--snapshot", recorded]));
}
