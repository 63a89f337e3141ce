//! Repositories in other shapes than the quickstart's: what is odd holds its own targets, with the reason, and nobody else's.

use super::Quickstart;

const MANAGER: &str = "management/eu-1/capi/manager-args.yaml";
const BLUE: &str = "clusters/eu/eu-1/shard-a/blue/cluster.yaml";

/// What becomes of the text of one file of the fleet.
type Rewrite<'a> = (&'a str, &'a dyn Fn(&str) -> String);

/// The quickstart with files of its repository rewritten.
fn with(changes: &[Rewrite<'_>]) -> Quickstart {
    let quickstart = Quickstart::copied();
    for (path, change) in changes {
        let path = quickstart.fixture().join("fleet").join(path);
        let before = std::fs::read_to_string(&path).unwrap_or_default();
        let after = change(&before);
        assert_ne!(after, before, "{}", path.display());
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, after).unwrap();
    }
    quickstart
}

/// The line of a target in the tables, and those below that belong to it.
#[track_caller]
fn line_of(stdout: &str, target: &str) -> String {
    let line = stdout.lines().find(|line| line.contains(target));
    line.unwrap_or_else(|| panic!("nothing about {target}:\n{stdout}"))
        .to_owned()
}

#[test]
fn two_flags_join_an_empty_list() {
    let empty = |text: &str| format!("{}args: []\n", text.split("args:\n").next().unwrap());
    let quickstart = with(&[(MANAGER, &empty)]);
    quickstart.run();
    let shown = quickstart.git(&["show", &format!("fleetscale/eu-1/controller/capi:{MANAGER}")]);
    assert!(
        shown.ends_with("args: [--kube-api-burst=200, --kube-api-qps=100]\n"),
        "{shown}"
    );
}

#[test]
fn edits_that_can_not_be_made_together_hold_their_targets_alone() {
    let write_to = "\n  writeTo: {path: \"counts/{cluster}.yaml\", pointer: /count}\n";
    let shared = |text: &str| text.replacen("\n  cooldown: {up: 1h, down: 24h}\n", write_to, 1);
    let one = |text: &str| text.replace("replicas: 4", "replicas: 6");
    let quickstart = with(&[
        ("fleetscale/workers.yaml", &shared),
        ("counts/blue.yaml", &|_: &str| "count: 6\n".to_owned()),
        (BLUE, &one),
    ]);
    let snapshot = quickstart.fixture().join("snapshot.yaml");
    let text = std::fs::read_to_string(&snapshot).unwrap();
    let (before, after) = text.split_once("              md-1:\n").unwrap();
    let (_, after) = after.split_once("          green:\n").unwrap();
    let md_0 = before.split_once("              md-0:\n").unwrap().1;
    let md_0 = md_0.split_once("              # in-range").unwrap().0;
    std::fs::write(
        &snapshot,
        format!("{before}              md-1:\n{md_0}          green:\n{after}"),
    )
    .unwrap();
    let stdout = quickstart.run();
    for group in ["md-0", "md-1"] {
        let line = line_of(&stdout, &format!("blue/{group}/"));
        assert!(line.contains("not-writable") && line.contains("6 -> 9"), "{line}");
    }
    assert!(line_of(&stdout, "lime/md-0/").contains("4 -> 6"), "{stdout}");
}

#[test]
fn a_refusal_of_the_writer_says_why() {
    let quickstart = with(&[(BLUE, &|text: &str| text.replace("replicas: 6 ", "replicas:\t6 "))]);
    let line = line_of(&quickstart.run(), "blue/md-0/");
    assert!(line.contains("the second parser refuses the old text"), "{line}");
}

#[test]
fn a_controllers_deployment_can_be_held() {
    let held = |text: &str| {
        let hold = "  annotations: {fleetscale.io/hold: \"a trial; until=2026-12-01\"}\n";
        text.replacen(
            "  namespace: capi-system\n",
            &format!("  namespace: capi-system\n{hold}"),
            1,
        )
    };
    let found = |text: &str| {
        let policies: Vec<&str> = text.split("  writeTo:\n").collect();
        format!("{}---\n{}", policies[0], policies[1].split("---\n").nth(1).unwrap())
    };
    for changes in [
        &[(MANAGER, &held as &dyn Fn(&str) -> String)][..],
        &[(MANAGER, &held), ("fleetscale/controllers.yaml", &found)],
    ] {
        let stdout = with(changes).run();
        let line = line_of(&stdout, "eu-1/capi/kube-api-qps");
        assert!(line.contains("fleetscale.io/hold: a trial (until 2026-12-02"), "{line}");
    }
}

#[test]
fn a_kustomization_can_hold_what_it_lists() {
    for hold in [
        "commonAnnotations: {fleetscale.io/hold: moving}\n",
        "patches:\n- patch: |-\n    apiVersion: cluster.x-k8s.io/v1beta2\n    kind: Cluster\n    metadata: {name: blue, annotations: {fleetscale.io/hold: moving}}\n",
        "patches:\n- target: {kind: Cluster}\n  patch: '[{op: add, path: /metadata/annotations/fleetscale.io~1hold, value: moving}]'\n",
    ] {
        let kustomization = "clusters/eu/eu-1/shard-a/blue/kustomization.yaml";
        let stdout = with(&[(kustomization, &|text: &str| format!("{text}{hold}"))]).run();
        let line = line_of(&stdout, "blue/md-0/");
        assert!(line.contains("held-by-annotation"), "{hold}{line}");
        assert!(line_of(&stdout, "green/md-0/").contains("5 -> 6"), "{hold}{stdout}");
    }
}

#[test]
fn what_a_kustomization_writes_last_is_not_written_below_it() {
    let patch =
        "apiVersion: cluster.x-k8s.io/v1beta1\nkind: MachineDeployment\nmetadata: {name: x}\nspec: {replicas: 7}\n";
    for last in [
        "transformers: [t.yaml]\n",
        "replacements:\n- source: {kind: ConfigMap, name: sizes, fieldPath: data.grey}\n  targets: [{select: {kind: MachineDeployment}, fieldPaths: [spec.replicas]}]\n",
        "replacements: [{path: r.yaml}]\n",
        "configurations: [c.yaml]\nreplicas: [{name: grey-md-0, count: 7}]\n",
        "patches: [{path: patch.yaml, target: {kind: MachineDeployment, labelSelector: tier=none}}]\n",
        "patches: [{path: patch.yaml, target: {kind: MachineDeployment, name: \"gr[ae]y\"}}]\n",
    ] {
        let folder = "clusters/eu/eu-1/shard-b/grey";
        let kustomization = format!("{folder}/kustomization.yaml");
        let stdout = with(&[
            (&kustomization, &|text: &str| format!("{text}{last}")),
            (&format!("{folder}/patch.yaml"), &|_: &str| patch.to_owned()),
        ])
        .run();
        let line = line_of(&stdout, "grey/grey-md-0/");
        assert!(
            line.contains("not-writable") && line.contains(&kustomization),
            "{last}{line}"
        );
    }
}

#[test]
fn a_value_of_several_targets_is_changed_for_none() {
    let write_to = "\n  cooldown: {up: 1h, down: 24h}\n  writeTo: {path: count.yaml, pointer: /count}\n";
    let shared = |text: &str| text.replacen("\n  cooldown: {up: 1h, down: 24h}\n", write_to, 1);
    let quickstart = with(&[
        ("fleetscale/workers.yaml", &shared),
        ("count.yaml", &|_: &str| "count: 6\n".to_owned()),
    ]);
    let line = line_of(&quickstart.run(), "blue/md-0/");
    assert!(
        line.contains("not-writable") && line.contains("targets at once"),
        "{line}"
    );
}

#[test]
fn a_target_without_a_readable_value_is_told() {
    let values = "platform/eu-2/kmetal-values.yaml";
    let stdout = with(&[
        (values, &|text: &str| text.replace("replicas: 2 ", "replicaz: 2 ")),
        (MANAGER, &|text: &str| text.replace("qps=20", "qps=20.0")),
    ])
    .run();
    assert!(line_of(&stdout, "eu-2/kamaji/").contains("not-writable"), "{stdout}");
    let line = line_of(&stdout, "eu-1/capi/kube-api-qps");
    assert!(line.contains("`20.0` is not a plain decimal integer"), "{line}");
}

#[test]
fn a_request_that_something_lists_is_not_moved() {
    let lists = |text: &str| format!("{text}  - ../../../../requests/eu/orange.yaml\n");
    let stdout = with(&[("clusters/eu/eu-1/shard-a/kustomization.yaml", &lists)]).run();
    let line = line_of(&stdout, "placement/eu/orange");
    assert!(
        line.contains("clusters/eu/eu-1/shard-a/kustomization.yaml lists it"),
        "{line}"
    );
}

#[test]
fn a_file_that_the_shard_lists_already_is_not_listed_twice() {
    let lists = |text: &str| format!("{text}  - orange.yaml\n");
    let stdout = with(&[("clusters/eu/eu-2/shard-c/kustomization.yaml", &lists)]).run();
    let line = line_of(&stdout, "placement/eu/orange");
    assert!(line.contains("stands in the list already"), "{line}");
}

#[test]
fn a_snapshot_says_nothing_twice() {
    for (once, twice) in [
        ("          green:\n", "          blue: {}\n          green:\n"),
        (
            "                  cpu/24h: {value: 0.3342",
            "                  cpu/60m: {value: 0.3342",
        ),
        ("    eu-2:\n", "    eu-1: {region: eu}\n    eu-2:\n"),
    ] {
        let quickstart = Quickstart::copied();
        let path = quickstart.fixture().join("snapshot.yaml");
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.contains(once), "{once}");
        std::fs::write(&path, text.replacen(once, twice, 1)).unwrap();
        let stderr = quickstart.call(&["plan"]).with_code(1).stderr;
        assert!(stderr.contains("stands there twice"), "{stderr}");
    }
}

#[test]
fn text_from_outside_does_not_steer_the_terminal() {
    let policy = |text: &str| text.replacen("spec:\n", "spec:\n  \"\\e[31mred\\nx\": 1\n", 1);
    let quickstart = with(&[("fleetscale/workers.yaml", &policy)]);
    let stderr = quickstart.call(&["plan"]).with_code(3).stderr;
    assert!(stderr.contains("spec.\\u{1b}[31mred\\nx: unknown field"), "{stderr}");
    let path = quickstart.fixture().join("snapshot.yaml");
    std::fs::write(&path, "\"\\e[31mred\": 1\n").unwrap();
    let stderr = quickstart.call(&["plan"]).with_code(1).stderr;
    assert!(stderr.contains("\\u{1b}[31mred"), "{stderr}");
}

#[test]
fn a_measurement_of_other_groups_nodes_adds_none() {
    let quickstart = Quickstart::copied();
    let path = quickstart.fixture().join("snapshot.yaml");
    let text = std::fs::read_to_string(&path).unwrap();
    let all = text.replace("nodes: {seen: 6, expected: 6}", "nodes: {seen: 100, expected: 100}");
    std::fs::write(&path, all).unwrap();
    let line = line_of(&quickstart.run(), "blue/md-0/");
    assert!(line.contains("gap") && line.contains("suspect"), "{line}");
}

#[test]
fn one_broken_value_does_not_blind_the_rest() {
    let quickstart = Quickstart::copied();
    let path = quickstart.fixture().join("snapshot.yaml");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.replacen("value: 0.9712", "value: [true]", 1)).unwrap();
    let stdout = quickstart.run();
    assert!(line_of(&stdout, "blue/md-0/").contains("cpu/1h is invalid"), "{stdout}");
    assert!(line_of(&stdout, "lime/md-0/").contains("4 -> 6"), "{stdout}");
}
