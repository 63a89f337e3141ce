//! What Flux and Argo CD do to the folders that they apply: patches, namespaces, variables.

use super::{declared, policy, shown};
use crate::fleet::testing::machine_deployment;

const MD: &str = "node-group/eu-1/a/blue/md-0/replicas";

fn flux(name: &str, spec: &str) -> String {
    format!(
        "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {{name: {name}, namespace: flux-system}}\nspec:\n{spec}"
    )
}

fn bound(files: &[(&str, &str)]) -> String {
    let shown = shown(&declared("", files));
    shown
        .into_iter()
        .find(|line| line.starts_with("node-group"))
        .unwrap_or_default()
}

#[test]
fn a_patch_of_flux_is_the_last_but_for_what_comes_late() {
    let md = machine_deployment("a", "md-0");
    let patches = "  path: ./clusters/eu-1\n  patches:\n  - target: {kind: MachineDeployment, name: md-0}\n    patch: |-\n      - {op: replace, path: /spec/replicas, value: 7}\n";
    let kustomization = "resources: [md.yaml]\npatches:\n- {target: {kind: MachineDeployment}, patch: '[{op: add, path: /spec/replicas, value: 5}]'}\n";
    let with = |kustomization: &str| {
        bound(&[
            ("clusters/eu-1/md.yaml", &md),
            ("clusters/eu-1/kustomization.yaml", kustomization),
            ("apps/flux.yaml", &flux("blue", patches)),
        ])
    };
    let at = "at apps/flux.yaml#0/spec/patches/0/patch|0/0/value:9 Scalar";
    assert_eq!(with(kustomization), format!("{MD} = 7 {at}"));
    // Flux adds to `patches` of the folder's own kustomization: RFC 6902 patches in the old field come after them.
    let late = "patchesJson6902:\n- {target: {kind: MachineDeployment, name: md-0}, patch: '[{op: add, path: /spec/replicas, value: 6}]'}\n";
    assert_eq!(
        with(&format!("resources: [md.yaml]\n{late}")),
        format!("{MD} = 6 at clusters/eu-1/kustomization.yaml#0/patchesJson6902/0/patch|0/0/value:3 Scalar")
    );
}

#[test]
fn flux_makes_a_kustomization_of_a_folder_without_one() {
    let patches = "  path: clusters/eu-1\n  targetNamespace: a\n  patches:\n  - patch: |-\n      apiVersion: cluster.x-k8s.io/v1beta1\n      kind: MachineDeployment\n      metadata: {name: md-0}\n      spec: {replicas: 8}\n";
    assert_eq!(
        bound(&[
            ("clusters/eu-1/deep/er/md.yaml", &machine_deployment("", "md-0")),
            ("apps/flux.yaml", &flux("blue", patches)),
        ]),
        format!("{MD} = 8 at apps/flux.yaml#0/spec/patches/0/patch|0/spec/replicas:12 Scalar")
    );
    // A folder below that has a kustomization stands for what is in it: what it does not list is not applied.
    assert_eq!(
        bound(&[
            ("clusters/eu-1/deep/er/md.yaml", &machine_deployment("a", "md-0")),
            ("clusters/eu-1/deep/kustomization.yaml", "resources: []\n"),
            ("apps/flux.yaml", &flux("blue", patches)),
        ]),
        format!("{MD} = 3 at clusters/eu-1/deep/er/md.yaml#0/spec/replicas:5 Scalar")
    );
}

#[test]
fn a_folder_that_two_clusters_apply_is_shared() {
    let md = machine_deployment("a", "md-0");
    let path = "  path: base/blue\n";
    let shown = shown(&declared(
        "",
        &[
            ("base/blue/md.yaml", &md),
            ("clusters/eu-1/flux.yaml", &flux("blue", path)),
            ("clusters/eu-2/flux.yaml", &flux("blue", path)),
        ],
    ));
    assert_eq!(
        shown,
        [
            format!("{MD} = 3 at line 5: shared-base"),
            format!("{} = 3 at line 5: shared-base", MD.replace("eu-1", "eu-2")),
        ]
    );
    // Applied to another cluster than its own, it belongs to none that is known.
    let elsewhere = "  path: base/blue\n  kubeConfig: {secretRef: {name: x}}\n";
    assert_eq!(
        bound(&[
            ("base/blue/md.yaml", &md),
            ("clusters/eu-1/flux.yaml", &flux("blue", elsewhere)),
        ]),
        ""
    );
}

#[test]
fn an_application_patches_a_folder_for_its_destination() {
    let application = "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: blue, namespace: argocd}\nspec:\n  destination: {name: eu-1, namespace: a}\n  source:\n    repoURL: https://git.example.org/fleet\n    path: base/blue\n    kustomize:\n      patches:\n      - target: {kind: MachineDeployment}\n        patch: |-\n          - op: replace\n            path: /spec/replicas\n            value: 4\n";
    assert_eq!(
        bound(&[
            ("base/blue/md.yaml", &machine_deployment("", "md-0")),
            ("base/blue/kustomization.yaml", "resources: [md.yaml]\n"),
            ("apps/blue.yaml", application),
        ]),
        format!("{MD} = 4 at apps/blue.yaml#0/spec/source/kustomize/patches/0/patch|0/0/value:15 Scalar")
    );
}

fn variables(post_build: &str, more: &[(&str, &str)]) -> String {
    let md = machine_deployment("a", "md-0").replace("replicas: 3", "replicas: ${workers:=2}");
    let spec = format!("  path: clusters/eu-1/blue\n  postBuild:\n{post_build}");
    let flux = flux("blue", &spec);
    let mut files = vec![
        ("clusters/eu-1/blue/md.yaml", md.as_str()),
        ("clusters/eu-1/flux.yaml", flux.as_str()),
    ];
    files.extend(more);
    bound(&files)
}

const MAP: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: sizes, namespace: flux-system}\ndata:\n  workers: '6'\n  # ${workers}\n  other: x\n";

#[test]
fn a_variable_is_followed_to_its_value() {
    let prefixed = "Prefixed { prefix: \"\" }";
    assert_eq!(
        variables("    substitute: {workers: \"4\"}\n", &[]),
        format!("{MD} = 4 at clusters/eu-1/flux.yaml#0/spec/postBuild/substitute/workers:7 {prefixed}")
    );
    let from = "    substituteFrom: [{kind: ConfigMap, name: sizes}]\n";
    let map = ("clusters/eu-1/sizes.yaml", MAP);
    assert_eq!(
        variables(from, &[map]),
        format!("{MD} = 6 at clusters/eu-1/sizes.yaml#0/data/workers:5 {prefixed}")
    );
    let both = format!("    substitute: {{workers: \"4\"}}\n{from}");
    assert!(variables(&both, &[map]).contains("substitute/workers"));
    let patched = "resources: [flux.yaml]\npatches:\n- {target: {kind: Kustomization, name: blue}, patch: '[{op: replace, path: /spec/postBuild/substitute/workers, value: \"5\"}]'}\n";
    assert_eq!(
        variables(
            "    substitute: {workers: \"4\"}\n",
            &[("clusters/eu-1/kustomization.yaml", patched)]
        ),
        format!("{MD} = 5 at clusters/eu-1/kustomization.yaml#0/patches/0/patch|0/0/value:3 {prefixed}")
    );
}

#[test]
fn a_variable_that_is_not_certain_or_used_twice_is_refused() {
    let absent = "clusters/eu-1/flux.yaml gives no value for the variable workers that can be read here";
    for (post_build, more, want) in [
        ("    substitute: {x: \"4\"}\n", vec![], format!("- at line 5: {absent}")),
        (
            "    substituteFrom: [{kind: ConfigMap, name: sizes}, {kind: Secret, name: x}]\n",
            vec![("clusters/eu-1/sizes.yaml", MAP)],
            format!("- at line 5: {absent}"),
        ),
        (
            "    substituteFrom: [{kind: ConfigMap, name: elsewhere}]\n",
            vec![],
            format!("- at line 5: {absent}"),
        ),
        ("    substitute: {workers: 4}\n", vec![], "- at line 7: not-an-integer".to_owned()),
        (
            "    substitute: {workers: \"4\"}\n",
            vec![("clusters/eu-1/blue/x.yaml", "a: ${workers}\nb: ${workers_max}\n")],
            "4 at line 7: the variable workers is used 2 times: clusters/eu-1/blue/md.yaml:5, clusters/eu-1/blue/x.yaml:1"
                .to_owned(),
        ),
    ] {
        assert_eq!(variables(post_build, &more), format!("{MD} = {want}"), "{post_build}");
    }
}

#[test]
fn what_is_suspended_holds_what_it_applies() {
    let md = machine_deployment("a", "md-0");
    let one = |name: &str, more: &str| flux(name, &format!("  path: clusters/eu-1\n{more}"));
    let with = |appliers: &[String]| {
        let files: Vec<(String, &String)> = appliers
            .iter()
            .enumerate()
            .map(|(number, text)| (format!("apps/{number}.yaml"), text))
            .collect();
        let all = files.iter().map(|(path, text)| (path.as_str(), text.as_str()));
        bound(&all.chain([("clusters/eu-1/md.yaml", md.as_str())]).collect::<Vec<_>>())
    };
    let writable = format!("{MD} = 3 at clusters/eu-1/md.yaml#0/spec/replicas:5 Scalar");
    let held =
        "Kustomization flux-system/blue is suspended (apps/0.yaml:6): a change has no effect until somebody resumes it";
    let held = format!("{MD} = 3 at line 5: {held}");
    assert_eq!(with(&[one("blue", "  suspend: true\n")]), held);
    assert_eq!(with(&[one("blue", "  suspend: ${suspend}\n")]), held);
    assert_eq!(with(&[one("blue", "  suspend: false\n")]), writable);
    assert_eq!(with(&[one("blue", "  suspend:\n")]), writable);
    // Somebody else applies it all the same.
    assert_eq!(with(&[one("blue", "  suspend: true\n"), one("green", "")]), writable);
    let manager = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: capi-controller-manager, namespace: capi-system}\nspec:\n  template:\n    \
                   spec:\n      containers: [{name: manager, args: [--kube-api-qps=20]}]\n";
    let policy = policy(
        "ControllerPolicy",
        "component: capi\nselector: {managementClusters: [eu-1]}\nflags: [{name: kube-api-qps, ladder: [{clusters: 1, value: 100}]}]",
    );
    let files = [
        ("clusters/eu-1/m.yaml", manager),
        ("apps/0.yaml", &one("blue", "  suspend: true\n")),
    ];
    let found = shown(&declared(&policy, &files));
    assert!(
        found[0].starts_with("controller/eu-1/capi/kube-api-qps = 20 at line 7: Kustomization flux-system/blue"),
        "{found:?}"
    );
}

#[test]
fn an_operation_pauses_as_a_manifest_does() {
    let md = machine_deployment("a", "md-0");
    let with = |target: &str, operation: &str| {
        let kustomization =
            format!("resources: [md.yaml, c.yaml]\npatches:\n- {{target: {{{target}}}, patch: '[{operation}]'}}\n");
        let cluster =
            "apiVersion: cluster.x-k8s.io/v1beta2\nkind: Cluster\nmetadata: {name: blue, namespace: a}\nspec: {}\n";
        let files = [
            ("clusters/eu-1/md.yaml", md.as_str()),
            ("clusters/eu-1/c.yaml", cluster),
            ("clusters/eu-1/kustomization.yaml", &kustomization),
        ];
        bound(&files).ends_with(" paused")
    };
    for (target, operation, paused) in [
        ("kind: Cluster", "{op: add, path: /spec/paused, value: true}", true),
        (
            "kind: MachineDeployment",
            "{op: add, path: /spec/paused, value: true}",
            true,
        ),
        (
            "kind: MachineDeployment",
            "{op: add, path: /spec/paused, value: false}",
            false,
        ),
        (
            "kind: Cluster, name: green",
            "{op: add, path: /spec/paused, value: true}",
            false,
        ),
        ("kind: Cluster", "{op: add, path: /spec, value: {paused: true}}", true),
        (
            "kind: Cluster",
            "{op: add, path: /metadata/annotations, value: {cluster.x-k8s.io/paused: \"\"}}",
            true,
        ),
        (
            "kind: Cluster",
            "{op: add, path: /metadata/annotations/cluster.x-k8s.io~1paused, value: x}",
            true,
        ),
        ("kind: Cluster", "{op: remove, path: /spec/paused}", false),
    ] {
        assert_eq!(with(target, operation), paused, "{target} {operation}");
    }
}
