//! `scan`: the numbers of a repository, with and without a fleet file.

use std::path::Path;

use tempfile::TempDir;

use super::{Quickstart, fleetscale, git, root};

fn write(folder: &Path, name: &str, text: &str) {
    let path = folder.join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

#[test]
fn a_fleet_file_and_a_guess_find_the_same_numbers() {
    let home = TempDir::new().unwrap();
    let fixture = root().join("fixtures/quickstart");
    let (fleet, repo) = (fixture.join("fleet.yaml"), fixture.join("fleet"));
    let with_file = fleetscale(&["scan", "--fleet", fleet.to_str().unwrap()], home.path()).with_code(0);
    let guessed = fleetscale(&["scan", "--repo", repo.to_str().unwrap()], home.path()).with_code(0);
    assert_eq!(with_file.stdout, guessed.stdout);
    assert!(with_file.stdout.starts_with("TARGET "), "{}", with_file.stdout);
    assert!(with_file.stderr.contains("writable"), "{}", with_file.stderr);
    // Nothing is imported or cached for it.
    assert_eq!(std::fs::read_dir(home.path()).unwrap().count(), 0);
}

#[test]
fn every_number_of_the_quickstart_is_listed() {
    let scan = |arguments: &[&str]| {
        let quickstart = Quickstart::new();
        quickstart.call(&[&["scan"], arguments].concat()).with_code(0).stdout
    };
    insta::assert_snapshot!("scan", scan(&["--select", "region=eu,kind=node-group"]));
    insta::assert_snapshot!("scan_wide", scan(&["-o", "wide", "--select", "cluster=us-1"]));
    insta::assert_snapshot!("scan_explained", scan(&["--explain", "--select", "cluster=o*"]));
    insta::assert_snapshot!("scan_yaml", scan(&["-o", "yaml", "--select", "cluster=plum"]));
    let json: serde_json::Value = serde_json::from_str(&scan(&["-o", "json"])).unwrap();
    let yaml: serde_json::Value = serde_yaml::from_str(&scan(&["-o", "yaml"])).unwrap();
    assert_eq!(json, yaml);
    assert_eq!(json["kind"], "Scan");
    let nothing = Quickstart::new()
        .call(&["scan", "--select", "cluster=nobody"])
        .with_code(0);
    assert_eq!(nothing.stdout, "");
    assert!(
        nothing.stderr.contains("--select matches no target"),
        "{}",
        nothing.stderr
    );
}

const MACHINES: &str = "apiVersion: cluster.x-k8s.io/v1beta2\nkind: MachineDeployment\nmetadata: {name: blue-md, namespace: shard-a}\nspec:\n  \
                        clusterName: blue\n  replicas: ";

#[test]
fn a_checkout_is_read_at_its_commit_and_a_folder_as_it_stands() {
    let (folder, home) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let repo = folder.path().to_str().unwrap();
    write(folder.path(), "clusters/eu-1/md.yaml", &format!("{MACHINES}3\n"));
    let scan = |more: &[&str]| {
        let arguments = [&["scan", "--repo", repo, "-o", "json"], more].concat();
        let ended = fleetscale(&arguments, home.path()).with_code(0);
        serde_json::from_str::<serde_json::Value>(&ended.stdout).unwrap()
    };
    let plain = scan(&[]);
    assert_eq!(plain["numbers"][0]["value"], 3);
    assert!(plain.get("commit").is_none());
    git(folder.path(), &["init", "-q"]);
    let unborn = fleetscale(&["scan", "--repo", repo], home.path()).with_code(4);
    assert!(unborn.stderr.contains("hint:"), "{}", unborn.stderr);
    git(folder.path(), &["add", "."]);
    git(folder.path(), &["commit", "-q", "-m", "one"]);
    let first = git(folder.path(), &["rev-parse", "HEAD"]);
    write(folder.path(), "clusters/eu-1/md.yaml", &format!("{MACHINES}4\n"));
    let uncommitted = scan(&[]);
    assert_eq!(uncommitted["numbers"][0]["value"], 3);
    assert_eq!(uncommitted["commit"], first.trim());
    git(folder.path(), &["commit", "-q", "-a", "-m", "two"]);
    assert_eq!(scan(&[])["numbers"][0]["value"], 4);
    assert_eq!(scan(&["--ref", first.trim()])["numbers"][0]["value"], 3);
    let bare = folder.path().join("bare.git");
    git(folder.path(), &["clone", "-q", "--bare", ".", bare.to_str().unwrap()]);
    let arguments = ["scan", "--repo", bare.to_str().unwrap()];
    let bare = fleetscale(&arguments, home.path()).with_code(0);
    assert!(
        bare.stdout.contains("node-group/eu-1/shard-a/blue/blue-md/replicas  4"),
        "{}",
        bare.stdout
    );
}

#[test]
fn what_is_hostile_is_listed_and_can_not_steer_the_terminal() {
    let (folder, home) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let place = |name: &str| format!("clusters/eu-1/{name}");
    write(folder.path(), &place("good.yaml"), &format!("{MACHINES}3\n"));
    write(
        folder.path(),
        &place("template.yaml"),
        &format!("{MACHINES}{{{{ .n }}}}\n"),
    );
    let bell = MACHINES.replace("blue-md", "\"blue\\u001b]0;x\\u0007\"");
    write(folder.path(), &place("bell.yaml"), &format!("{bell}3\n"));
    let held = MACHINES.replace("blue-md", "held").replace(
        "namespace: shard-a",
        "namespace: shard-a, annotations: {fleetscale.io/hold: \"no\\u001b[31m\\u202e\"}",
    );
    write(folder.path(), &place("held.yaml"), &format!("{held}3\n"));
    for output in [&["-o", "table"][..], &["-o", "wide"], &["--explain"]] {
        let arguments = [&["scan", "--repo", folder.path().to_str().unwrap()], output].concat();
        let ended = fleetscale(&arguments, home.path()).with_code(0);
        for text in [&ended.stdout, &ended.stderr] {
            let steers = |c: char| c.is_control() && c != '\n' || c == '\u{202e}';
            assert!(!text.contains(steers), "{text:?}");
        }
        for words in ["template", "bell.yaml", "\\u{1b}[31m", "blue-md/replicas"] {
            assert!(ended.stdout.contains(words), "{words}: {}", ended.stdout);
        }
    }
}

#[test]
fn what_can_not_be_scanned_says_why_and_the_way_out() {
    let (folder, home) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let repo = folder.path().to_str().unwrap();
    let failed = |arguments: &[&str], code: i32, words: &str| {
        let ended = fleetscale(&[&["scan"], arguments].concat(), home.path()).with_code(code);
        assert!(ended.stderr.contains(words), "{}", ended.stderr);
        assert_eq!(ended.stdout, "");
    };
    failed(&[], 1, "--repo");
    failed(&["--repo", "nowhere"], 1, "nowhere");
    failed(&["--repo", repo], 1, "hint:");
    failed(&["--repo", repo, "--ref", "main"], 1, "plain folder");
    failed(&["--fleet", "nowhere.yaml"], 1, "nowhere.yaml");
    failed(&["--repo", repo, "--explain", "-o", "json"], 1, "cannot be used with");
    // Policies that were only found are no reason to stop; those of a fleet file are.
    write(folder.path(), "clusters/eu-1/md.yaml", &format!("{MACHINES}3\n"));
    let broken = "apiVersion: fleetscale.io/v1alpha1\nkind: NodeGroupPolicy\nmetadata: {name: a}\nspec: {bound: 1}\n";
    write(folder.path(), "policies/a.yaml", broken);
    let ended = fleetscale(&["scan", "--repo", repo], home.path()).with_code(0);
    assert!(
        ended.stderr.contains("note: the policies can't be used"),
        "{}",
        ended.stderr
    );
    let fleet = "apiVersion: fleetscale.io/v1alpha1\nkind: Fleet\nmetadata: {name: a}\nspec:\n  repository: {import: .}\n  \
                 policies: {path: policies}\n  regions: [{name: eu, managementClusters: [{name: eu-1, paths: [clusters]}]}]\n";
    write(folder.path(), "fleet.yaml", fleet);
    let file = folder.path().join("fleet.yaml");
    failed(&["--fleet", file.to_str().unwrap()], 3, "policies/a.yaml:4");
    std::fs::remove_file(folder.path().join("policies/a.yaml")).unwrap();
    let ended = fleetscale(&["scan", "--fleet", file.to_str().unwrap()], home.path()).with_code(0);
    assert!(ended.stderr.contains("no policies"), "{}", ended.stderr);
    assert!(ended.stdout.contains("eu-1/shard-a/blue"), "{}", ended.stdout);
}
