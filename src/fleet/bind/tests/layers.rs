//! Values that several documents write: the last one is the place, and what makes that uncertain is named.

use super::{declared, policy, shown};
use crate::fleet::testing::machine_deployment;

const MD: &str = "node-group/eu-1/a/blue/md-0/replicas";
const KUSTOMIZATION: &str = "clusters/eu-1/kustomization.yaml";

/// The binding of a MachineDeployment with three replicas under a kustomization with these lines from the third on.
fn replicas(patches: &str) -> String {
    let kustomization = format!("namespace: a\nresources: [md.yaml]\n{patches}");
    let files = [
        ("clusters/eu-1/md.yaml", machine_deployment("", "md-0")),
        (KUSTOMIZATION, kustomization),
    ];
    let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (*path, text.as_str())).collect();
    shown(&declared("", &files)).remove(0)
}

#[test]
fn a_merge_in_the_kustomization_is_a_place() {
    let merge = "patches:\n- patch: |-\n    apiVersion: cluster.x-k8s.io/v1beta1\n    kind: MachineDeployment\n    metadata: {name: md-0}\n    spec:\n      replicas: 7\n";
    let at = "at clusters/eu-1/kustomization.yaml#0/patches/0/patch|0/spec/replicas:9 Scalar";
    assert_eq!(replicas(merge), format!("{MD} = 7 {at}"));
    let old = merge.replace("patches:\n- patch: |-", "patchesStrategicMerge:\n- |-");
    let at = "at clusters/eu-1/kustomization.yaml#0/patchesStrategicMerge/0|0/spec/replicas:9 Scalar";
    assert_eq!(replicas(&old), format!("{MD} = 7 {at}"));
    let other = merge.replace("name: md-0", "name: md-1");
    assert!(replicas(&other).starts_with(&format!("{MD} = 3 at clusters/eu-1/md.yaml#0/spec/replicas:5")));
    let folded = merge.replace("|-", ">-");
    assert_eq!(
        replicas(&folded),
        format!("{MD} = 3 at line 5: the patch at {KUSTOMIZATION}:4 may set the value, too")
    );
}

#[test]
fn operations_are_places_and_the_last_one_counts() {
    let target = "  target: {kind: MachineDeployment, name: md-0}\n";
    let patch = |operations: &str| format!("patches:\n- patch: '{operations}'\n{target}");
    let at = |pointer: &str| format!("at {KUSTOMIZATION}#0/patches/0/patch|0{pointer}:4 Scalar");
    assert_eq!(
        replicas(&patch("[{op: replace, path: /spec/replicas, value: 7}]")),
        format!("{MD} = 7 {}", at("/0/value"))
    );
    assert_eq!(
        replicas(&patch(
            "[{op: add, path: /spec/replicas, value: 7}, {op: replace, path: /spec/replicas, value: 8}]"
        )),
        format!("{MD} = 8 {}", at("/1/value"))
    );
    assert_eq!(
        replicas(&patch("[{op: add, path: /metadata/labels/x, value: y}]")),
        format!("{MD} = 3 at clusters/eu-1/md.yaml#0/spec/replicas:5 Scalar")
    );
    assert_eq!(
        replicas(&patch(
            "[{op: replace, path: /spec, value: {clusterName: blue, replicas: 9}}]"
        )),
        format!("{MD} = 9 {}", at("/0/value/replicas"))
    );
    for (operations, why) in [
        ("[{op: remove, path: /spec/replicas}]", "an operation takes it away"),
        ("[{op: remove, path: /spec}]", "an operation takes it away"),
        (
            "[{op: test, path: /spec/replicas, value: 3}]",
            "a test operation expects the value that is there now",
        ),
        (
            "[{op: copy, from: /spec/minReadySeconds, path: /spec/replicas}]",
            "an operation copies another value to it",
        ),
        (
            "[{op: move, from: /spec/replicas, path: /spec/x}]",
            "an operation moves it away",
        ),
        ("[{op: add, path: /spec}]", "an operation has no value"),
        ("[{path: /spec}]", "an operation can\'t be read"),
    ] {
        assert_eq!(
            replicas(&patch(operations)),
            format!("{MD} = 3 at line 5: {KUSTOMIZATION}:4: {why}"),
            "{operations}"
        );
    }
    let variable = patch("[{op: replace, path: /spec/replicas, value: ${n}}]").replace("${n}", "\"${n}\"");
    assert_eq!(replicas(&variable), format!("{MD} = - at line 4: variable"));
    // What is uncertain in one patch is certain again after another that writes the value.
    let first = patch("[{op: test, path: /spec/replicas, value: 3}]");
    let second = "- {patch: '[{op: replace, path: /spec/replicas, value: 8}]', target: {kind: MachineDeployment}}\n";
    assert!(
        replicas(&format!("{first}{second}"))
            .starts_with(&format!("{MD} = 8 at {KUSTOMIZATION}#0/patches/1/patch|0/0/value"))
    );
}

#[test]
fn a_replacement_holds_what_it_sets_or_copies() {
    let source = "  source: {kind: ConfigMap, name: c, fieldPath: data.n}\n";
    let to = |select: &str, path: &str| {
        format!("replacements:\n- targets: [{{select: {select}, fieldPaths: [{path}]}}]\n{source}")
    };
    let writable = format!("{MD} = 3 at clusters/eu-1/md.yaml#0/spec/replicas:5 Scalar");
    let held = format!("{MD} = 3 at line 5: the replacement at {KUSTOMIZATION}:4 sets the value, too");
    let md = "{kind: MachineDeployment}";
    for (select, path, want) in [
        (md, "spec.replicas", &held),
        (md, "spec", &held),
        ("{name: md-.*}", "spec.replicas", &held),
        ("{kind: MachineDeployment, labelSelector: a=b}", "spec.replicas", &held),
        (md, "spec.template.spec.version", &writable),
        ("{kind: Deployment}", "spec.replicas", &writable),
        ("{name: md}", "spec.replicas", &writable),
    ] {
        assert_eq!(&replicas(&to(select, path)), want, "{select} {path}");
    }
    let reject = |reject: &str| {
        let select = format!("{md}, reject: [{reject}]");
        replicas(&to(&select, "spec.replicas"))
    };
    assert_eq!(reject("{name: md-0}"), writable);
    assert_eq!(reject("{name: md-1}"), held);
    assert_eq!(reject("{labelSelector: a=b}"), held);
    // What is not taken apart holds all that its words speak of.
    let odd = to("{kind: Deployment}", "spec.replicas, 'a\\.b'");
    assert_eq!(
        replicas(&odd),
        format!("{MD} = 3 at line 5: the patch at {KUSTOMIZATION}:4 may set the value, too")
    );
    let copied = "replacements:\n- source: {kind: MachineDeployment, name: md-0, fieldPath: spec.replicas}\n  \
                  targets: [{select: {kind: ConfigMap}, fieldPaths: [data.n]}]\n";
    assert_eq!(
        replicas(copied),
        format!(
            "{MD} = 3 at line 5: the replacement at {KUSTOMIZATION}:4 copies the value to another field, which would change with it"
        )
    );
    assert_eq!(
        replicas(&to(md, "metadata.name")),
        format!(
            "clusters/eu-1/md.yaml:1 MachineDeployment md-0: the patch at {KUSTOMIZATION}:4 may give it another name, namespace, kind or cluster"
        )
    );
}

const CLUSTER: &str = "apiVersion: cluster.x-k8s.io/v1beta2\nkind: Cluster\nmetadata: {name: blue}\nspec:\n  topology:\n    workers:\n      \
    machineDeployments:\n      - {name: a, replicas: 1}\n      - {name: b, replicas: 2}\n";

fn topology(operations: &str) -> Vec<String> {
    let target = "target: {kind: Cluster, name: blue}";
    let kustomization = format!("namespace: a\nresources: [c.yaml]\npatches:\n- {target}\n  patch: |-\n{operations}");
    shown(&declared(
        "",
        &[("clusters/eu-1/c.yaml", CLUSTER), (KUSTOMIZATION, &kustomization)],
    ))
}

#[test]
fn operations_count_the_items_of_the_list() {
    let list = "/spec/topology/workers/machineDeployments";
    let [a, b] = ["a", "b"].map(|name| format!("node-group/eu-1/a/blue/{name}/replicas"));
    let base = |index: usize, line: usize| format!("at clusters/eu-1/c.yaml#0{list}/{index}/replicas:{line} Scalar");
    let op = |index: usize, line: usize| format!("at {KUSTOMIZATION}#0/patches/0/patch|0/{index}/value:{line} Scalar");
    assert_eq!(
        topology(&format!("    - {{op: replace, path: {list}/1/replicas, value: 5}}\n")),
        [format!("{a} = 1 {}", base(0, 8)), format!("{b} = 5 {}", op(0, 6))]
    );
    // After an item is put in front, index 1 is the first of the two.
    assert_eq!(
        topology(&format!(
            "    - {{op: add, path: {list}/0, value: {{name: z}}}}\n    - {{op: replace, path: {list}/1/replicas, value: 5}}\n"
        )),
        [
            format!("{a} = 5 {}", op(1, 7)),
            format!("{b} = 2 {}", base(1, 9)),
            "node-group/eu-1/a/blue/z/replicas = - at line 6: /0/value/replicas absent".to_owned()
        ]
    );
    assert_eq!(
        topology(&format!("    - {{op: remove, path: {list}/0}}\n")),
        [
            format!("{a} = 1 at line 8: {KUSTOMIZATION}:6: an operation takes it away"),
            format!("{b} = 2 {}", base(1, 9))
        ]
    );
    assert!(
        topology(&format!("    - {{op: replace, path: {list}/0/name, value: c}}\n"))[0]
            .contains("order is not certain")
    );
    let test = format!("    - {{op: test, path: {list}/0/name, value: a}}\n");
    assert_eq!(topology(&test)[0], format!("{a} = 1 {}", base(0, 8)));
    assert_eq!(
        topology(&format!("    - {{op: replace, path: {list}/7/replicas, value: 5}}\n")),
        [("a", 8), ("b", 9)].map(|(name, line)| {
            let why = "an operation counts items of a list whose order is not certain";
            let number = line - 7;
            format!("node-group/eu-1/a/blue/{name}/replicas = {number} at line {line}: {KUSTOMIZATION}:6: {why}")
        })
    );
}

#[test]
fn operations_bring_node_groups() {
    let list = "/spec/topology/workers/machineDeployments";
    let [a, b, c] = ["a", "b", "c"].map(|name| format!("node-group/eu-1/a/blue/{name}/replicas"));
    let base = |index: usize, line: usize| format!("at clusters/eu-1/c.yaml#0{list}/{index}/replicas:{line} Scalar");
    let both = [format!("{a} = 1 {}", base(0, 8)), format!("{b} = 2 {}", base(1, 9))];
    let inner = |pointer: &str, line: usize| format!("at {KUSTOMIZATION}#0/patches/0/patch|0{pointer}:{line} Scalar");
    let with = |operation: &str| topology(&format!("    - {operation}\n"));
    for (path, index) in [("-", 2), ("1", 2)] {
        let found = with(&format!(
            "{{op: add, path: {list}/{path}, value: {{name: c, replicas: 4}}}}"
        ));
        assert_eq!(index, found.len() - 1);
        assert_eq!(found[..2], both);
        assert_eq!(found[2], format!("{c} = 4 {}", inner("/0/value/replicas", 6)));
    }
    let pool = with("{op: add, path: /spec/topology/workers/machinePools, value: [{name: p, replicas: 4}]}");
    assert_eq!(
        pool[2],
        format!("{} = 4 {}", c.replace("/c/", "/p/"), inner("/0/value/0/replicas", 6))
    );
    let gone = |name: &str, number: usize| {
        let why = "an operation replaces what it is in";
        format!("{name} = {number} at line {}: {KUSTOMIZATION}:6: {why}", number + 7)
    };
    // What stands in the place of another entry is not that entry.
    assert_eq!(
        with(&format!(
            "{{op: replace, path: {list}/0, value: {{name: c, replicas: 4}}}}"
        )),
        [
            gone(&a, 1),
            both[1].clone(),
            format!("{c} = 4 {}", inner("/0/value/replicas", 6))
        ]
    );
    assert_eq!(
        with("{op: replace, path: /spec/topology/workers, value: {machineDeployments: [{name: c, replicas: 4}]}}"),
        [
            gone(&a, 1),
            gone(&b, 2),
            format!("{c} = 4 {}", inner("/0/value/machineDeployments/0/replicas", 6))
        ]
    );
    let twice = "a stands in the list more than once";
    assert_eq!(
        with(&format!("{{op: add, path: {list}/-, value: {{name: a, replicas: 4}}}}"))[0],
        format!("{a} = 1 at line 8: {KUSTOMIZATION}:6: {twice}")
    );
    let unread = with(&format!("{{op: add, path: {list}/-, value: {{class: x}}}}"));
    assert_eq!(
        unread[2],
        format!("{KUSTOMIZATION}:6 an entry of machineDeployments of Cluster a/blue: the entry has no name")
    );
    let chosen = |target: &str| {
        let kustomization = format!(
            "namespace: a\nresources: [c.yaml]\npatches:\n- target: {target}\n  patch: |-\n    - {{op: add, path: {list}/-, value: {{name: c}}}}\n"
        );
        shown(&declared(
            "",
            &[("clusters/eu-1/c.yaml", CLUSTER), (KUSTOMIZATION, &kustomization)],
        ))
        .pop()
    };
    let why = "the patch may add node groups to the topology: whether it means this cluster, or what it says, is not certain here";
    assert_eq!(
        chosen("{kind: Cluster, labelSelector: a=b}"),
        Some(format!("{KUSTOMIZATION}:4 node groups of Cluster a/blue: {why}"))
    );
    assert_eq!(
        chosen("{kind: Cluster}"),
        Some(format!("{c} = - at line 6: /0/value/replicas absent"))
    );
    assert_eq!(chosen("{kind: Cluster, name: green}"), Some(both[1].clone()));
}

#[test]
fn a_list_that_replaces_another_one_takes_its_numbers_away() {
    let merge = "    apiVersion: cluster.x-k8s.io/v1beta2\n    kind: Cluster\n    metadata: {name: blue}\n    spec: {topology: {workers: \
                 {machineDeployments: [{name: a}, {name: c, replicas: 4}, {class: x}]}}}\n";
    let list = "/spec/topology/workers/machineDeployments";
    let [a, b, c] = ["a", "b", "c"].map(|name| format!("node-group/eu-1/a/blue/{name}/replicas"));
    assert_eq!(
        topology(merge),
        [
            format!("{a} = - at line 9: {list}/0/replicas absent"),
            format!("{b} = 2 at line 9: {KUSTOMIZATION}:6: a patch replaces the list that b is in"),
            format!("{c} = 4 at {KUSTOMIZATION}#0/patches/0/patch|0{list}/1/replicas:9 Scalar"),
            format!("{KUSTOMIZATION}:9 entry 2 of machineDeployments of Cluster blue: the entry has no name"),
        ]
    );
}

const CAPI: &str = "component: capi\nselector: {managementClusters: [eu-1]}\nflags: [{name: kube-api-qps, ladder: [{clusters: 1, value: 100}]}]\n";
const MANAGER: &str = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: capi-controller-manager, namespace: capi-system}\nspec:\n  template:\n    \
    spec:\n      containers:\n      - name: proxy\n      - name: manager\n        args: [--leader-elect, --kube-api-qps=20]\n";

fn qps(patch: &str) -> String {
    let kustomization =
        format!("resources: [manager.yaml]\npatches:\n- target: {{kind: Deployment}}\n  patch: |-\n{patch}");
    let files = [("clusters/eu-1/manager.yaml", MANAGER), (KUSTOMIZATION, &kustomization)];
    let shown = shown(&declared(&policy("ControllerPolicy", CAPI), &files)).remove(0);
    shown.replace("controller/eu-1/capi/kube-api-qps = ", "")
}

#[test]
fn arguments_are_followed_through_operations() {
    let args = "/spec/template/spec/containers/1/args";
    let prefixed = "Prefixed { prefix: \"--kube-api-qps=\" }";
    let op = |index: usize, line: usize| format!("at {KUSTOMIZATION}#0/patches/0/patch|0/{index}/value:{line}");
    let base = |index: usize| format!("at clusters/eu-1/manager.yaml#0{args}/{index}:10");
    assert_eq!(
        qps(&format!(
            "    - {{op: add, path: {args}/-, value: --kube-api-qps=50}}\n"
        )),
        format!("50 {} {prefixed}", op(0, 5))
    );
    assert_eq!(
        qps(&format!(
            "    - {{op: add, path: {args}/0, value: --kube-api-qps=50}}\n"
        )),
        format!("20 {} {prefixed}", base(1))
    );
    assert_eq!(
        qps(&format!(
            "    - {{op: replace, path: {args}/1, value: --kube-api-qps=60}}\n"
        )),
        format!("60 {} {prefixed}", op(0, 5))
    );
    assert_eq!(
        qps(&format!("    - {{op: remove, path: {args}/1}}\n")),
        format!("- at clusters/eu-1/manager.yaml#0{args}:10 Appended {{ prefix: \"--kube-api-qps=\" }}")
    );
    assert_eq!(
        qps(&format!("    - {{op: replace, path: {args}, value: [--v=2]}}\n")),
        format!("- {} Appended {{ prefix: \"--kube-api-qps=\" }}", op(0, 5))
    );
    assert_eq!(
        qps("    - {op: add, path: /spec/template/spec/containers/0/args, value: [--kube-api-qps=1]}\n"),
        format!("20 {} {prefixed}", base(1))
    );
    for (operation, why) in [
        (
            format!("{{op: test, path: {args}/1, value: --kube-api-qps=20}}"),
            "20 at line 10: a test operation expects the argument that is there now",
        ),
        (
            format!("{{op: remove, path: {args}}}"),
            "20 at line 10: clusters/eu-1/kustomization.yaml:5: an operation takes the arguments away",
        ),
        (
            format!("{{op: replace, path: {args}/9, value: x}}"),
            "20 at line 10: clusters/eu-1/kustomization.yaml:5: an operation on an argument that is not certain",
        ),
    ] {
        assert_eq!(qps(&format!("    - {operation}\n")), why, "{operation}");
    }
    let merge = "    apiVersion: apps/v1\n    kind: Deployment\n    metadata: {name: x}\n    spec: {template: {spec: {containers: [{name: manager, args: [--kube-api-qps=70]}]}}}\n";
    assert_eq!(
        qps(merge),
        format!("70 at {KUSTOMIZATION}#0/patches/0/patch|0/spec/template/spec/containers/0/args/0:8 {prefixed}")
    );
    let directive = merge.replace("name: manager,", "name: manager, $patch: delete,");
    assert!(
        qps(&directive).contains("the directive $patch of a strategic merge stands beside it"),
        "{}",
        qps(&directive)
    );
}
