use crate::fleet::testing::machine_deployment;

use super::{declared, policy, shown};

const MD: &str = "node-group/eu-1/a/blue/md-0/replicas";

const FILE: &str = "clusters/eu-1/md.yaml";

#[test]
fn a_scaler_owns_the_replicas_of_what_it_aims_at() {
    let scaler = |head: &str, namespace: &str, target: &str| {
        format!("{head}\nmetadata: {{name: s, namespace: {namespace}}}\nspec: {{scaleTargetRef: {{{target}}}}}\n")
    };
    let hpa = "apiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler";
    let keda = "apiVersion: keda.sh/v1alpha1\nkind: ScaledObject";
    let aims = "apiVersion: cluster.x-k8s.io/v1beta2, kind: MachineDeployment, name: md-0";
    let md = machine_deployment("a", "md-0");
    let writable = format!("{MD} = 3 at {FILE}#0/spec/replicas:5 Scalar");
    let owned = |kind: &str| format!("{MD} = 3 at line 5: {kind} a/s scales it (clusters/eu-1/s.yaml:1)");
    for (head, namespace, target, want) in [
        (hpa, "a", aims, owned("HorizontalPodAutoscaler")),
        (keda, "a", aims, owned("ScaledObject")),
        (hpa, "b", aims, writable.clone()),
        (keda, "a", "name: md-0", writable.clone()),
        (
            hpa,
            "a",
            "apiVersion: apps/v1, kind: Deployment, name: md-0",
            writable.clone(),
        ),
    ] {
        let text = scaler(head, namespace, target);
        assert_eq!(
            shown(&declared("", &[(FILE, &md), ("clusters/eu-1/s.yaml", &text)])),
            [want],
            "{text}"
        );
    }
    let kamaji = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: kamaji, namespace: a}\nspec: {replicas: 2}\n";
    let platform = policy("PlatformPolicy", super::components::KAMAJI);
    let text = scaler(keda, "a", "name: kamaji");
    assert_eq!(
        shown(&declared(&platform, &[(FILE, kamaji), ("clusters/eu-1/s.yaml", &text)])),
        ["platform/eu-1/kamaji/replicas = 2 at line 4: ScaledObject a/s scales it (clusters/eu-1/s.yaml:1)"]
    );
}

#[test]
fn what_an_applier_leaves_alone_has_another_owner() {
    let md = machine_deployment("a", "md-0");
    let flux = |ignore: &str| {
        format!(
            "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {{name: f, namespace: flux-system}}\nspec:\n  \
             path: clusters/eu-1/x\n  ignore: [{{{ignore}}}]\n"
        )
    };
    let argo = |ignore: &str| {
        format!(
            "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {{name: f, namespace: argocd}}\nspec:\n  \
             source: {{path: clusters/eu-1/x}}\n  ignoreDifferences: [{{{ignore}}}]\n"
        )
    };
    let file = "clusters/eu-1/x/md.yaml";
    let writable = format!("{MD} = 3 at {file}#0/spec/replicas:5 Scalar");
    let by_flux = "spec.ignore of Kustomization flux-system/f leaves it to somebody else (clusters/eu-1/a.yaml:6)";
    let by_argo = "ignoreDifferences of Application argocd/f leaves it to somebody else (clusters/eu-1/a.yaml:6)";
    for (applier, want) in [
        (
            flux("paths: [/spec/replicas]"),
            format!("{MD} = 3 at line 5: {by_flux}"),
        ),
        (flux("paths: [/spec/replicas], target: {name: md-1}"), writable.clone()),
        (
            argo("group: cluster.x-k8s.io, kind: '*', jqPathExpressions: [.spec.replicas]"),
            format!("{MD} = 3 at line 5: {by_argo}"),
        ),
        (argo("kind: Machine, jsonPointers: [/spec]"), writable.clone()),
    ] {
        let files = [(file, md.as_str()), ("clusters/eu-1/a.yaml", &applier)];
        assert_eq!(shown(&declared("", &files)), [want], "{applier}");
    }
}

#[test]
fn a_class_with_an_autoscaler_owns_the_numbers_of_its_groups() {
    let max = "annotations: {cluster.x-k8s.io/cluster-api-autoscaler-node-group-max-size: '6'}";
    let class = |holder: &str| {
        format!(
            "apiVersion: cluster.x-k8s.io/v1beta1\nkind: ClusterClass\nmetadata: {{name: c, namespace: classes}}\nspec:\n  workers:\n    \
             machineDeployments:\n    - class: auto\n      {holder}\n    - class: fixed\n"
        )
    };
    let cluster = |class: &str| {
        format!(
            "apiVersion: cluster.x-k8s.io/v1beta1\nkind: Cluster\nmetadata: {{name: blue, namespace: a}}\nspec:\n  topology: {class}\n    \
             workers: {{machineDeployments: [\n    {{class: auto, name: x, replicas: 2}},\n    {{class: fixed, name: y, replicas: 2}}]}}}}\n"
        )
    };
    let (one, two) = ("clusters/eu-1/cluster.yaml", "clusters/eu-1/class.yaml");
    let at = |index: usize, line: usize| {
        format!("{one}#0/spec/topology/workers/machineDeployments/{index}/replicas:{line} Scalar")
    };
    let free = [
        format!("node-group/eu-1/a/blue/x/replicas = 2 at {}", at(0, 7)),
        format!("node-group/eu-1/a/blue/y/replicas = 2 at {}", at(1, 8)),
    ];
    let owned = [
        format!(
            "node-group/eu-1/a/blue/x/replicas = 2 at line 7: the cluster autoscaler of the annotations of its class auto ({two}:8) \
             autoscaler 0..6"
        ),
        free[1].clone(),
    ];
    let old = class(&format!("template: {{metadata: {{{max}}}}}"));
    let new = class(&format!("metadata: {{{max}}}"));
    for (class, reference, want) in [
        (&old, "{class: c, classNamespace: classes, ", &owned),
        (&new, "{classRef: {name: c, namespace: classes}, ", &owned),
        (&new, "{classRef: {name: c}, ", &free),
        (&new, "{class: d, classNamespace: classes, ", &free),
    ] {
        let cluster = cluster(reference);
        let found = shown(&declared("", &[(one, &cluster), (two, class)]));
        assert_eq!(found, *want, "{cluster}");
    }
}

#[test]
fn a_bound_alone_makes_an_owner_only_if_it_is_a_maximum() {
    let [min, max] =
        ["min", "max"].map(|bound| format!("cluster.x-k8s.io/cluster-api-autoscaler-node-group-{bound}-size"));
    let md = machine_deployment("a", "md-0");
    let with = |annotations: &str, kustomization: &str| {
        let md = md.replace("name: md-0", &format!("name: md-0, annotations: {{{annotations}}}"));
        let files = [
            ("clusters/eu-1/md.yaml", md.as_str()),
            ("clusters/eu-1/kustomization.yaml", kustomization),
        ];
        let files = if kustomization.is_empty() {
            &files[..1]
        } else {
            &files[..]
        };
        shown(&declared("", files))[0].replace("node-group/eu-1/a/blue/md-0/replicas = ", "")
    };
    let writable = "3 at clusters/eu-1/md.yaml#0/spec/replicas:5 Scalar";
    let place = "clusters/eu-1/md.yaml:3";
    let owned = format!("the cluster autoscaler of its annotations ({place})");
    assert_eq!(
        with(&format!("{min}: '2'"), ""),
        format!("{writable} (no cluster autoscaler scales it: {min} stands without {max} ({place}))")
    );
    assert_eq!(with(&format!("{min}: '0', {max}: '0'"), ""), writable);
    assert_eq!(
        with(&format!("{max}: '6'"), ""),
        format!("3 at line 5: {owned} autoscaler 0..6")
    );
    let common = format!("resources: [md.yaml]\ncommonAnnotations: {{{min}: '2'}}\n");
    assert_eq!(with("", &common), writable);
    assert_eq!(
        with(&format!("{max}: '6'"), &common),
        format!("3 at line 5: {owned} autoscaler 0..6")
    );
}
