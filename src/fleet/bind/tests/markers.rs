use crate::fleet::testing::machine_deployment;

use super::{declared, policy, shown, unbound};

const MD: &str = "node-group/eu-1/a/blue/md-0/replicas";

fn marked(text: &str, name: &str) -> String {
    text.replace("replicas: 3", &format!("replicas: 3 # {{\"$fleetscale\": \"{name}\"}}"))
}

fn groups(selector: &str) -> String {
    policy("NodeGroupPolicy", &format!("selector: {selector}\nbounds: {{max: 9}}"))
}

#[test]
fn a_marker_at_the_place_that_counts_changes_nothing() {
    let plain = machine_deployment("a", "md-0");
    let policies = groups("{regions: [eu]}");
    let without = declared(&policies, &[("clusters/eu-1/md.yaml", &plain)]);
    for name in ["p", MD] {
        let text = marked(&plain, name);
        let with = declared(&policies, &[("clusters/eu-1/md.yaml", &text)]);
        assert_eq!(shown(&with), shown(&without), "{name}");
    }
}

#[test]
fn a_marker_below_a_patch_is_refused_with_what_takes_effect() {
    let base = marked(&machine_deployment("a", "md-0"), "p");
    let patch = machine_deployment("a", "md-0").replace("replicas: 3", "replicas: 4");
    let declared = declared(
        &groups("{regions: [eu]}"),
        &[
            (
                "clusters/eu-1/kustomization.yaml",
                "resources: [md.yaml]\npatches: [{path: patch.yaml}]\n",
            ),
            ("clusters/eu-1/md.yaml", &base),
            ("clusters/eu-1/patch.yaml", &patch),
        ],
    );
    assert_eq!(
        shown(&declared),
        [format!(
            "{MD} = 4 at line 5: the marker at clusters/eu-1/md.yaml:5 says that the number is there, but what takes effect is \
             clusters/eu-1/patch.yaml:5"
        )]
    );
}

#[test]
fn a_marker_speaks_of_its_own_object_alone() {
    // Another namespace has a group of the same name, and nothing is wrong with that one.
    let base = marked(&machine_deployment("a", "md-0"), "p");
    let (patch, other) = (
        machine_deployment("a", "md-0").replace("replicas: 3", "replicas: 4"),
        machine_deployment("b", "md-0"),
    );
    let declared = declared(
        &groups("{regions: [eu]}"),
        &[
            (
                "clusters/eu-1/kustomization.yaml",
                "resources: [md.yaml]\npatches: [{path: patch.yaml}]\n",
            ),
            ("clusters/eu-1/md.yaml", &base),
            ("clusters/eu-1/other.yaml", &other),
            ("clusters/eu-1/patch.yaml", &patch),
        ],
    );
    let shown = shown(&declared);
    assert!(
        shown[0].contains("what takes effect is clusters/eu-1/patch.yaml:5"),
        "{shown:?}"
    );
    assert_eq!(
        shown[1],
        "node-group/eu-1/b/blue/md-0/replicas = 3 at clusters/eu-1/other.yaml#0/spec/replicas:5 Scalar"
    );
}

#[test]
fn a_marker_gives_a_place_to_what_has_none() {
    let values = "nodeGroups:\n- machineCount: 3 # {\"$fleetscale\": \"node-group/eu-1/a/blue/md-0/replicas\"}\n\
                  kamaji:\n  replicas: 2 # {\"$fleetscale\": \"p\"}\n";
    let policies = policy(
        "PlatformPolicy",
        "component: kamaji\nselector: {regions: [eu]}\nladder: [{tenants: 0, replicas: 2}]",
    );
    let found = declared(&policies, &[("clusters/eu-1/values.yaml", values)]);
    assert_eq!(
        shown(&found),
        [
            format!("{MD} = 3 at clusters/eu-1/values.yaml#0/nodeGroups/0/machineCount:2 Scalar"),
            "platform/eu-1/kamaji/replicas = 2 at clusters/eu-1/values.yaml#0/kamaji/replicas:4 Scalar".to_owned(),
        ]
    );
    // A value that can't be edited is no place either way.
    let text = values.replace("machineCount: 3", "machineCount: '3'");
    let found = declared(&policies, &[("clusters/eu-1/values.yaml", text.as_str())]);
    assert_eq!(shown(&found)[0], format!("{MD} = - at line 2: not-an-integer"));
}

#[test]
fn an_item_of_a_list_is_marked_like_an_object_of_its_own() {
    let list = "apiVersion: v1\nkind: List\nitems:\n- apiVersion: cluster.x-k8s.io/v1beta1\n  kind: MachineDeployment\n  \
                metadata: {name: md-0, namespace: a}\n  spec:\n    clusterName: blue\n    replicas: 3 # {\"$fleetscale\": \"p\"}\n";
    let patch = machine_deployment("a", "md-0").replace("replicas: 3", "replicas: 4");
    let policies = groups("{regions: [eu]}");
    let alone = declared(&policies, &[("clusters/eu-1/list.yaml", list)]);
    assert_eq!(
        shown(&alone),
        [format!(
            "{MD} = 3 at clusters/eu-1/list.yaml#0/items/0/spec/replicas:9 Scalar"
        )]
    );
    let patched = declared(
        &policies,
        &[
            (
                "clusters/eu-1/kustomization.yaml",
                "resources: [list.yaml]\npatches: [{path: patch.yaml}]\n",
            ),
            ("clusters/eu-1/list.yaml", list),
            ("clusters/eu-1/patch.yaml", &patch),
        ],
    );
    assert!(
        shown(&patched)[0].contains("the marker at clusters/eu-1/list.yaml:9"),
        "{:?}",
        shown(&patched)
    );
}

#[test]
fn a_flag_is_marked_among_arguments_or_as_a_value() {
    let policies = policy(
        "ControllerPolicy",
        "component: capi\nselector: {regions: [eu]}\nflags:\n- {name: kube-api-qps, ladder: [{clusters: 1, value: 100}]}\n\
         - {name: kube-api-burst, ladder: [{clusters: 1, value: 200}]}",
    );
    let text = "extraArgs:\n- --kube-api-qps=20 # {\"$fleetscale\": \"p:kube-api-qps\"}\n\
                burst: 30 # {\"$fleetscale\": \"p:--kube-api-burst\"}\n";
    let found = declared(&policies, &[("clusters/eu-1/values.yaml", text)]);
    assert_eq!(
        shown(&found),
        [
            "controller/eu-1/capi/kube-api-burst = 30 at clusters/eu-1/values.yaml#0/burst:3 Scalar",
            "controller/eu-1/capi/kube-api-qps = 20 at clusters/eu-1/values.yaml#0/extraArgs/0:2 \
             Prefixed { prefix: \"--kube-api-qps=\" }",
        ]
    );
    let twice = text.replace("burst:", "- --kube-api-qps=30\nburst:");
    let found = declared(&policies, &[("clusters/eu-1/values.yaml", twice.as_str())]);
    assert!(
        shown(&found)[1].contains("it is not what the marker"),
        "{:?}",
        shown(&found)
    );
}

#[test]
fn a_marker_that_means_nothing_says_why() {
    let both = format!(
        "{}---\n{}---\n{}",
        groups("{regions: [eu], managementClusters: [eu-1]}").replace("name: p", "name: workers"),
        policy(
            "PlatformPolicy",
            "component: kamaji\nselector: {managementClusters: [eu-1]}\nladder: [{tenants: 0, replicas: 2}]"
        ),
        policy(
            "ControllerPolicy",
            "component: capi\nselector: {regions: [eu]}\nflags:\n- {name: kube-api-qps, ladder: [{clusters: 1, value: 100}]}"
        )
        .replace("name: p}", "name: capi}")
    );
    for (file, name, words) in [
        (
            "clusters/eu-1/v.yaml",
            "worker",
            "no policy is called so; did you mean `workers`?",
        ),
        ("clusters/eu-1/v.yaml", "workers", "it is the number of no node group"),
        ("clusters/eu-1/v.yaml", "capi", "say which flag: `capi:<flag>`"),
        ("clusters/eu-1/v.yaml", "capi:v", "has no flag v"),
        ("clusters/eu-1/v.yaml", "cap:v", "no ControllerPolicy is called cap"),
        ("clusters/eu-1/v.yaml", "node-group/eu-1/a", "is no target"),
        ("clusters/eu-1/v.yaml", "placement/eu/orange", "is no number"),
        (
            "clusters/eu-1/v.yaml",
            "platform/eu-2/kamaji/replicas",
            "belongs to eu-1, not to eu-2",
        ),
        ("clusters/eu-2/v.yaml", "p", "does not select eu-2"),
        ("base/v.yaml", "p", "outside the paths"),
    ] {
        let text = format!("a: 3 # {{\"$fleetscale\": \"{name}\"}}\n");
        let found = unbound(&declared(&both, &[(file, text.as_str())]));
        assert!(found.len() == 1 && found[0].contains(words), "{name}: {found:?}");
    }
    let md = marked(&machine_deployment("a", "md-0"), "workers");
    let found = unbound(&declared(&both, &[("clusters/eu-2/md.yaml", md.as_str())]));
    assert!(
        found[0].contains("does not select node-group/eu-2/a/blue/md-0"),
        "{found:?}"
    );
}

#[test]
fn two_markers_for_one_number_leave_it_alone() {
    let md = marked(&machine_deployment("a", "md-0"), "p");
    let other = format!("a: 3 # {{\"$fleetscale\": \"{MD}\"}}\n");
    let policies = groups("{regions: [eu]}");
    let found = declared(
        &policies,
        &[("clusters/eu-1/md.yaml", &md), ("clusters/eu-1/v.yaml", other.as_str())],
    );
    assert_eq!(
        shown(&found),
        [format!(
            "{MD} = 3 at line 5: ambiguous clusters/eu-1/md.yaml:5, clusters/eu-1/v.yaml:1"
        )]
    );
    let found = declared(
        &policies,
        &[
            ("clusters/eu-1/u.yaml", other.as_str()),
            ("clusters/eu-1/v.yaml", other.as_str()),
        ],
    );
    assert_eq!(shown(&found).len(), 2);
    assert!(
        shown(&found)[0].contains("is marked in several places"),
        "{:?}",
        shown(&found)
    );
}
