//! Verbs that need nothing but files, on repositories that nobody prepared.

use std::path::Path;

use super::{Quickstart, fleetscale, git, root};

#[test]
fn explain_answers_why_it_did_not_scale() {
    let quickstart = Quickstart::new();
    let mut answers = String::new();
    for target in [
        "blue/md-0",
        "slate/md-0",
        "cyan/md-0",
        "olive/md-rack-1",
        "placement/eu/orange",
        "eu-1/capi/kube-api-qps",
    ] {
        answers.push_str(&quickstart.call(&["explain", target]).with_code(0).stdout);
        answers.push('\n');
    }
    insta::assert_snapshot!("explain", quickstart.scrub(&answers));
    let many = quickstart.call(&["explain", "md-0"]).with_code(1);
    assert!(many.stderr.contains("could be"), "{}", many.stderr);
    let none = quickstart.call(&["explain", "nobody"]).with_code(1);
    assert!(none.stderr.contains("hint:"), "{}", none.stderr);
}

#[test]
fn shards_shows_room_and_state() {
    let quickstart = Quickstart::new();
    insta::assert_snapshot!("shards", quickstart.call(&["shards"]).with_code(0).stdout);
}

#[test]
fn a_selection_narrows_what_is_shown_and_not_what_is_computed() {
    let quickstart = Quickstart::new();
    let us = quickstart.call(&["plan", "--select", "region=us"]).with_code(0).stdout;
    assert!(us.contains("us-1/shard-a/lime/md-0") && !us.contains("eu-1"), "{us}");
    let run = quickstart
        .call(&["run", "--select", "cluster=lime"])
        .with_code(0)
        .stdout;
    assert!(run.contains("lime"), "{run}");
    assert_eq!(quickstart.branches().len(), 2, "main and one");
    // The others were never proposed, and nothing of this run speaks against them.
    quickstart.run();
    assert_eq!(quickstart.branches().len(), 9);
}

#[test]
fn a_terminal_gets_no_colour_that_it_did_not_ask_for() {
    let quickstart = Quickstart::new();
    assert!(!quickstart.call(&["diff"]).stdout.contains('\u{1b}'));
    assert!(
        quickstart
            .call(&["diff", "--color", "always"])
            .stdout
            .contains("\u{1b}[32m+")
    );
}

#[test]
fn small_verbs_answer() {
    let home = tempfile::TempDir::new().unwrap();
    assert!(
        fleetscale(&["version"], home.path())
            .with_code(0)
            .stdout
            .starts_with("fleetscale ")
    );
    assert!(
        fleetscale(&["completion", "bash"], home.path())
            .with_code(0)
            .stdout
            .contains("_fleetscale")
    );
    assert!(
        fleetscale(&["schema"], home.path())
            .with_code(0)
            .stdout
            .contains("NodeGroupPolicy")
    );
    let schema = fleetscale(&["schema", "fleet"], home.path()).with_code(0).stdout;
    assert!(serde_json::from_str::<serde_json::Value>(&schema).unwrap()["properties"].is_object());
    assert!(
        fleetscale(&["--help"], home.path())
            .with_code(0)
            .stdout
            .contains("explain")
    );
}

/// A repository with everything that a scanner may stumble over.
fn hostile(folder: &Path) {
    git(folder, &["init", "-q"]);
    let write = |name: &str, bytes: &[u8]| {
        let path = folder.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    };
    let cluster = "apiVersion: cluster.x-k8s.io/v1beta1\nkind: MachineDeployment\nmetadata:\n  name: md\n  namespace: a\nspec:\n  clusterName: c\n  replicas: ";
    write(
        "clusters/eu/eu-1/template.yaml",
        format!("{cluster}{{{{ .Values.n }}}}\n").as_bytes(),
    );
    write(
        "clusters/eu/eu-1/latin1.yaml",
        b"apiVersion: cluster.x-k8s.io/v1beta1\nkind: MachineDeployment\n# \xe9\n",
    );
    write(
        "clusters/eu/eu-1/nul.yaml",
        b"apiVersion: cluster.x-k8s.io/v1beta1\nkind: MachineDeployment\x00\n",
    );
    write(
        "clusters/eu/eu-1/tabs.yaml",
        b"apiVersion: cluster.x-k8s.io/v1beta1\nkind: MachineDeployment\nspec:\n\treplicas: 3\n",
    );
    write(
        "clusters/eu/eu-1/twice.yaml",
        format!("{cluster}3\n  replicas: 4\n").as_bytes(),
    );
    write("clusters/eu/eu-1/empty.yaml", b"");
    write("clusters/eu/eu-1/bomb.yaml", bomb().as_bytes());
    write(
        "clusters/eu/eu-1/deep.yaml",
        format!("# cluster.x-k8s.io\n{}", "[".repeat(5_000)).as_bytes(),
    );
    write(
        "clusters/eu/eu-1/large.yaml",
        format!("# cluster.x-k8s.io\na: \"{}\"\n", "x".repeat(2 << 20)).as_bytes(),
    );
    write(
        "clusters/eu/eu-1/lfs.yaml",
        b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 12\n# cluster.x-k8s.io\n",
    );
    write(
        "clusters/eu/eu-1/name with blanks ü.yaml",
        format!("{cluster}3\n").as_bytes(),
    );
    write(
        "clusters/eu/eu-1/kustomization.yaml",
        b"resources: {not: a list}\nnamespace: [1]\n",
    );
    write("requests/eu/odd.yaml", b"- 1\n- 2\n");
    write("requests/eu/kustomization.yaml", b"resources: [../../..]\n");
    std::os::unix::fs::symlink("/etc/passwd", folder.join("clusters/eu/eu-1/link.yaml")).unwrap();
    git(folder, &["add", "-A"]);
    git(folder, &["commit", "-q", "-m", "everything"]);
}

fn bomb() -> String {
    let mut text = "apiVersion: cluster.x-k8s.io/v1beta1\nkind: MachineDeployment\na0: &a0 [x]\n".to_owned();
    for level in 1..=200 {
        let before = level - 1;
        text.push_str(&format!("a{level}: &a{level} [*a{before}, *a{before}, *a{before}]\n"));
    }
    text
}

#[test]
fn a_repository_that_nobody_prepared_is_listed_and_never_crashes_anything() {
    let quickstart = Quickstart::new();
    let repository = tempfile::TempDir::new().unwrap();
    hostile(repository.path());
    let policies = root().join("fixtures/quickstart/fleet/fleetscale");
    let offline = [
        "--repo",
        repository.path().to_str().unwrap(),
        "--policies",
        policies.to_str().unwrap(),
    ];
    let plan = quickstart.call(&[&["plan"][..], &offline].concat()).with_code(0);
    assert!(plan.stdout.contains("Nothing to change"), "{}", plan.stdout);
    insta::assert_snapshot!("hostile", quickstart.scrub(&plan.stderr));
    quickstart.call(&[&["diff"][..], &offline].concat()).with_code(0);
    quickstart.call(&[&["shards"][..], &offline].concat()).with_code(0);
    quickstart
        .call(&[&["explain", "blue/md-0"][..], &offline].concat())
        .with_code(0);
}

#[test]
fn explain_and_shards_know_what_reviewers_did() {
    let quickstart = Quickstart::new();
    quickstart.run();
    let number = quickstart.number("fleetscale/us-1/shard-a/lime/up");
    std::fs::write(quickstart.pull_requests().join(number).join("state"), "closed\n").unwrap();
    let answer = quickstart.call(&["explain", "lime/md-0"]).with_code(0).stdout;
    assert!(answer.contains("closed-by-reviewer"), "{answer}");
    let shards = quickstart.call(&["shards"]).with_code(0).stdout;
    let of_orange = shards.lines().find(|line| line.contains("eu-c")).unwrap();
    assert!(
        of_orange.contains("4 of 500"),
        "the placement under review takes room: {shards}"
    );
}

#[test]
fn a_plan_is_written_to_what_is_no_file_and_never_over_it() {
    use std::os::unix::fs::symlink;
    let quickstart = Quickstart::new();
    let plan = quickstart.call(&["plan", "-o", "json"]).with_code(0).stdout;
    // A pipe of the test's own: the machine's devices are nothing to try this on.
    let pipe = quickstart.work().join("pipe");
    assert!(
        std::process::Command::new("mkfifo")
            .arg(&pipe)
            .status()
            .unwrap()
            .success()
    );
    let mut reader = std::process::Command::new("cat")
        .arg(&pipe)
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    quickstart.call(&["plan", "--out", pipe.to_str().unwrap()]).with_code(0);
    let replaced = std::fs::metadata(&pipe).unwrap().is_file();
    if replaced {
        reader.kill().unwrap();
    }
    assert!(!replaced, "the pipe was replaced by a file");
    assert_eq!(
        String::from_utf8(reader.wait_with_output().unwrap().stdout).unwrap(),
        plan
    );
    let (file, link) = (quickstart.work().join("plan.json"), quickstart.work().join("link"));
    std::fs::write(&file, "old").unwrap();
    symlink(&file, &link).unwrap();
    quickstart.call(&["plan", "--out", link.to_str().unwrap()]).with_code(0);
    assert!(link.is_symlink());
    assert_eq!(std::fs::read_to_string(&file).unwrap(), plan);
}

#[test]
fn a_selection_of_nothing_is_said() {
    let quickstart = Quickstart::new();
    let none = quickstart
        .call(&["run", "--dry-run", "--select", "region=mars"])
        .with_code(0);
    assert!(none.stderr.contains("matches no target"), "{}", none.stderr);
    let one = quickstart
        .call(&["run", "--dry-run", "--select", "cluster=blue"])
        .with_code(0);
    assert_eq!(one.stderr, "");
}
