//! `init`: what it writes is what `validate` accepts, and it decides on the same targets as what people wrote.

use std::collections::BTreeSet;
use std::path::Path;

use tempfile::TempDir;

use super::{Ended, Quickstart, copy, fleetscale, git, root};

/// A fleet repository in a folder of its own, and beside it the folder that `init` writes to.
struct Starter {
    folder: TempDir,
}

impl Starter {
    fn of_quickstart() -> Self {
        let folder = TempDir::new().unwrap();
        copy(&root().join("fixtures/quickstart/fleet"), &folder.path().join("fleet"));
        Self { folder }
    }

    fn call(&self, arguments: &[&str]) -> Ended {
        fleetscale(arguments, self.folder.path())
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().unwrap().to_owned()
    }

    fn init(&self) -> Ended {
        self.call(&["init", "--repo", &self.path("fleet"), "--to", &self.path("out")])
    }

    /// Without the paths of this machine.
    fn scrub(&self, text: &str) -> String {
        let folder = std::fs::canonicalize(self.folder.path()).unwrap();
        let text = text.replace(folder.to_str().unwrap(), "FOLDER");
        text.replace(self.folder.path().to_str().unwrap(), "FOLDER")
    }
}

/// Every target that a plan decides on, held or not.
fn targets(plan: &str) -> BTreeSet<String> {
    let plan: serde_json::Value = serde_json::from_str(plan).unwrap();
    let changes = plan["proposals"].as_array().unwrap().iter();
    let changes = changes.flat_map(|proposal| proposal["changes"].as_array().unwrap());
    let decided = changes.chain(plan["held"].as_array().unwrap());
    decided
        .map(|decision| decision["target"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn the_quickstarts_fleet_file_is_found_again() {
    let starter = Starter::of_quickstart();
    let ended = starter.init().with_code(0);
    let fleet = starter.path("out/fleet.yaml");
    assert_eq!(ended.stdout, format!("{fleet}\n"));
    assert!(ended.stderr.contains("no policies were written"), "{}", ended.stderr);
    insta::assert_snapshot!("fleet_file", starter.scrub(&std::fs::read_to_string(&fleet).unwrap()));
    starter.call(&["validate", "--fleet", &fleet]).with_code(0);

    let snapshot = root().join("fixtures/quickstart/snapshot.yaml");
    let snapshot = snapshot.to_str().unwrap();
    let plan = ["plan", "-o", "json", "--snapshot", snapshot];
    let found = starter.call(&[&plan[..], &["--fleet", &fleet]].concat()).with_code(0);
    let shipped = Quickstart::new().call(&plan).with_code(0);
    let (found, shipped) = (targets(&found.stdout), targets(&shipped.stdout));
    assert!(shipped.len() > 30, "{shipped:?}");
    assert_eq!(found, shipped);
}

#[test]
fn nothing_is_ever_overwritten() {
    let starter = Starter::of_quickstart();
    std::fs::create_dir(starter.path("out")).unwrap();
    std::fs::write(starter.path("out/fleet.yaml"), "mine\n").unwrap();
    let ended = starter.init().with_code(1);
    assert!(
        ended.stderr.contains("fleet.yaml: it is there already"),
        "{}",
        ended.stderr
    );
    assert!(ended.stderr.contains("--to DIR"), "{}", ended.stderr);
    assert_eq!(
        std::fs::read_to_string(starter.path("out/fleet.yaml")).unwrap(),
        "mine\n"
    );
    // A link that leads nowhere is something, too.
    std::fs::remove_file(starter.path("out/fleet.yaml")).unwrap();
    std::os::unix::fs::symlink("nowhere", starter.path("out/fleet.yaml")).unwrap();
    starter.init().with_code(1);
    assert!(!Path::new(&starter.path("out/nowhere")).exists());
}

#[test]
fn policies_are_made_of_the_numbers_that_are_there() {
    let starter = Starter::of_quickstart();
    std::fs::remove_dir_all(starter.path("fleet/fleetscale")).unwrap();
    let ended = starter.init().with_code(0);
    let mut written = String::new();
    for line in ended.stdout.lines() {
        let text = std::fs::read_to_string(line).unwrap();
        written.push_str(&format!("==> {line}\n{text}\n"));
    }
    insta::assert_snapshot!(
        "starter",
        starter.scrub(&format!("{written}==> talk\n{}", ended.stderr))
    );
    let (fleet, policies) = (starter.path("out/fleet.yaml"), starter.path("out/fleetscale"));
    starter.call(&["validate", &policies, "--fleet", &fleet]).with_code(0);
    // As `init` says: put into the repository, they are what a plan is made by, and nothing is proposed yet.
    copy(Path::new(&policies), Path::new(&starter.path("fleet/fleetscale")));
    starter.call(&["validate", "--fleet", &fleet]).with_code(0);
    let snapshot = root().join("fixtures/quickstart/snapshot.yaml");
    let plan = [
        "plan",
        "-o",
        "json",
        "--fleet",
        &fleet,
        "--snapshot",
        snapshot.to_str().unwrap(),
    ];
    let plan = starter.call(&plan).with_code(0);
    let read: serde_json::Value = serde_json::from_str(&plan.stdout).unwrap();
    assert_eq!(read["proposals"], serde_json::json!([]));
    let targets = targets(&plan.stdout);
    for target in [
        "node-group/eu-1/shard-a/blue/md-0/replicas",
        "platform/us-1/kamaji/replicas",
        "controller/eu-1/capi/kube-api-qps",
        "placement/eu/orange",
    ] {
        assert!(targets.contains(target), "{target}: {targets:?}");
    }
}

#[test]
fn a_repository_on_this_disk_is_named_and_only_read() {
    let starter = Starter::of_quickstart();
    let repo = starter.folder.path().join("fleet");
    git(&repo, &["init", "-q"]);
    git(&repo, &["checkout", "-q", "-b", "live"]);
    git(&repo, &["add", "."]);
    git(&repo, &["commit", "-q", "-m", "one"]);
    starter.init().with_code(0);
    let text = std::fs::read_to_string(starter.path("out/fleet.yaml")).unwrap();
    assert!(text.contains("    path: ") && text.contains("branch: live"), "{text}");
    starter
        .call(&["validate", "--fleet", &starter.path("out/fleet.yaml")])
        .with_code(0);
    assert_eq!(git(&repo, &["status", "--porcelain"]), "");
}

#[test]
fn a_repository_without_a_fleet_is_an_error_with_a_way_out() {
    let starter = Starter {
        folder: TempDir::new().unwrap(),
    };
    std::fs::create_dir(starter.path("fleet")).unwrap();
    std::fs::write(starter.path("fleet/a.yaml"), "a: 1\n").unwrap();
    let ended = starter.init().with_code(1);
    assert!(ended.stderr.contains("hint:"), "{}", ended.stderr);
    assert!(!Path::new(&starter.path("out")).exists());
}
