use crate::fleet::testing::machine_deployment;

use super::{declared, policy, shown};

const MD: &str = "node-group/eu-1/a/blue/md-0/replicas";

const CLUSTER: &str = "apiVersion: cluster.x-k8s.io/v1beta2
kind: Cluster
metadata:
  name: blue
  namespace: a
  annotations:
    fleetscale.io/hold: migration; until=2026-12-24
spec:
  paused: true
  topology:
    workers:
      machineDeployments:
        - {name: md-a, replicas: 2}
        - name: md-b
          metadata:
            annotations:
              cluster.x-k8s.io/cluster-api-autoscaler-node-group-max-size: '4'
              fleetscale.io/hold: hands off
";

#[test]
fn what_a_cluster_says_goes_for_all_its_node_groups() {
    let declared = declared(
        "",
        &[
            ("clusters/eu-1/c.yaml", CLUSTER),
            ("clusters/eu-1/md.yaml", &machine_deployment("a", "md-0")),
        ],
    );
    let at = "clusters/eu-1/c.yaml#0/spec/topology/workers/machineDeployments/0/replicas:13 Scalar";
    let until = "held: migration until 2026-12-25T00:00:00Z";
    assert_eq!(
        shown(&declared),
        [
            format!("{MD} = 3 at clusters/eu-1/md.yaml#0/spec/replicas:5 Scalar paused {until}"),
            format!("node-group/eu-1/a/blue/md-a/replicas = 2 at {at} paused {until}"),
            "node-group/eu-1/a/blue/md-b/replicas = - at line 14: /spec/topology/workers/machineDeployments/1/replicas absent \
             autoscaler 0..4 paused held: hands off until ever"
                .to_owned(),
        ]
    );
}

#[test]
fn annotations_of_a_cluster_that_can_not_be_read_block_its_groups() {
    let cluster = "x: &x {a: b}\napiVersion: cluster.x-k8s.io/v1beta2\nkind: Cluster\nmetadata: {name: blue, namespace: a, annotations: *x}\n";
    let declared = declared(
        "",
        &[
            ("clusters/eu-1/c.yaml", cluster),
            ("clusters/eu-1/md.yaml", &machine_deployment("a", "md-0")),
        ],
    );
    assert_eq!(shown(&declared), [format!("{MD} = 3 at line 4: alias")]);
}

#[test]
fn an_object_that_stands_twice_has_no_place() {
    let md = machine_deployment("a", "md-0");
    let twice = format!("{md}---\n{md}");
    assert_eq!(
        shown(&declared(
            "",
            &[
                ("clusters/eu-1/md.yaml", &twice),
                ("clusters/eu-1/x/md.yaml", &md),
                ("clusters/eu-2/md.yaml", &md)
            ]
        )),
        [
            format!(
                "{MD} = - at line 5: ambiguous clusters/eu-1/md.yaml:1, clusters/eu-1/md.yaml:8, clusters/eu-1/x/md.yaml:1"
            ),
            "node-group/eu-2/a/blue/md-0/replicas = 3 at clusters/eu-2/md.yaml#0/spec/replicas:5 Scalar".to_owned(),
        ]
    );
    let entry = "apiVersion: cluster.x-k8s.io/v1beta1\nkind: Cluster\nmetadata: {name: blue, namespace: a}\n\
                 spec: {topology: {workers: {machineDeployments: [{name: md-0, replicas: 4}]}}}\n";
    assert_eq!(
        shown(&declared(
            "",
            &[("clusters/eu-1/c.yaml", entry), ("clusters/eu-1/md.yaml", &md)]
        )),
        [format!(
            "{MD} = - at line 4: ambiguous clusters/eu-1/c.yaml:4, clusters/eu-1/md.yaml:5"
        )]
    );
    assert_eq!(
        shown(&declared(
            "",
            &[("clusters/eu-1/c.yaml", entry), ("clusters/eu-1/d.yaml", entry)]
        )),
        [format!(
            "{MD} = - at line 4: ambiguous clusters/eu-1/c.yaml:1, clusters/eu-1/d.yaml:1"
        )]
    );
}

#[test]
fn the_patch_that_says_the_number_is_its_place() {
    let base = ("base/md.yaml", machine_deployment("", "md-0"));
    let list = ("base/kustomization.yaml", "resources: [md.yaml]\n".to_owned());
    let overlay = |name: &str, more: &str| {
        (
            format!("clusters/{name}/kustomization.yaml"),
            format!("namespace: a\nresources: [../../base]\n{more}"),
        )
    };
    let patch = |spec: &str| {
        format!(
            "apiVersion: cluster.x-k8s.io/v1beta1\nkind: MachineDeployment\nmetadata: {{name: md-0}}\nspec: {spec}\n"
        )
    };
    let with = |more: &str, files: &[(&str, String)]| {
        let (one, two) = (overlay("eu-1", more), overlay("eu-2", ""));
        let fixed = [
            (base.0, base.1.clone()),
            (list.0, list.1.clone()),
            (&one.0, one.1.clone()),
            (&two.0, two.1.clone()),
        ];
        let all: Vec<(&str, String)> = fixed.into_iter().chain(files.iter().cloned()).collect();
        let all: Vec<(&str, &str)> = all.iter().map(|(path, text)| (*path, text.as_str())).collect();
        let lines = shown(&declared("", &all));
        lines.into_iter().find(|line| line.starts_with(MD)).unwrap()
    };
    let path = |number: &str| format!("clusters/eu-1/{number}.yaml");
    let (p, q) = (path("p"), path("q"));
    assert_eq!(with("", &[]), format!("{MD} = 3 at line 5: shared-base"));
    let patches = "patches: [{path: p.yaml}]\n";
    assert_eq!(
        with(patches, &[(&p, patch("{replicas: 5}"))]),
        format!("{MD} = 5 at clusters/eu-1/p.yaml#0/spec/replicas:4 Scalar")
    );
    assert_eq!(
        with(patches, &[(&p, patch("{paused: true}"))]),
        format!("{MD} = 3 at line 5: shared-base paused")
    );
    assert_eq!(
        with(patches, &[(&p, patch("{replicas: }"))]),
        format!("{MD} = - at line 4: null stands where a number is expected")
    );
    let both = "patchesStrategicMerge: [p.yaml, q.yaml]\n";
    assert_eq!(
        with(both, &[(&p, patch("{replicas: 5}")), (&q, patch("{replicas: 6}"))]),
        format!("{MD} = 6 at clusters/eu-1/q.yaml#0/spec/replicas:4 Scalar")
    );
    let inline = "patches:\n- path: p.yaml\n- {target: {kind: MachineDeployment}, patch: '[{op: replace, path: /spec/replicas, value: 9}]'}\n";
    assert_eq!(
        with(inline, &[(&p, patch("{replicas: 5}"))]),
        format!("{MD} = 9 at clusters/eu-1/kustomization.yaml#0/patches/1/patch|0/0/value:5 Scalar")
    );
}

#[test]
fn a_patch_of_a_topology_replaces_its_list() {
    let cluster = "apiVersion: cluster.x-k8s.io/v1beta2\nkind: Cluster\nmetadata: {name: blue}\n";
    let base = format!(
        "{cluster}spec: {{topology: {{workers: {{machineDeployments: [{{name: a, replicas: 1}}, {{name: b, replicas: 1}}]}}}}}}\n"
    );
    let patch =
        format!("{cluster}spec: {{topology: {{workers: {{machineDeployments: [{{name: a, replicas: 2}}]}}}}}}\n");
    assert_eq!(
        shown(&declared(
            "",
            &[
                ("clusters/eu-1/c.yaml", &base),
                (
                    "clusters/eu-1/kustomization.yaml",
                    "namespace: a\nresources: [c.yaml]\npatches: [{path: p.yaml}]\n"
                ),
                ("clusters/eu-1/p.yaml", &patch),
            ]
        )),
        [
            "node-group/eu-1/a/blue/a/replicas = 2 at clusters/eu-1/p.yaml#0/spec/topology/workers/machineDeployments/0/replicas:4 Scalar",
            "node-group/eu-1/a/blue/b/replicas = 1 at line 4: clusters/eu-1/p.yaml:1: a patch replaces the list that b is in",
        ]
    );
}

#[test]
fn what_has_no_name_is_unbound() {
    let md = |namespace: &str, name: &str, cluster: &str| {
        machine_deployment(namespace, name).replace("clusterName: blue", &format!("clusterName: {cluster}"))
    };
    assert_eq!(
        shown(&declared(
            "",
            &[
                ("clusters/eu-1/1.yaml", &md("", "md-0", "blue")),
                ("clusters/eu-1/2.yaml", &md("a", "MD_0", "blue")),
                ("clusters/eu-1/3.yaml", &md("a", "md-1", "'${cluster}'")),
                ("clusters/eu-1/4.yaml", &md("a", "md-2", "")),
                (
                    "clusters/eu-1/5.yaml",
                    "apiVersion: cluster.x-k8s.io/v1beta1\nkind: MachinePool\nmetadata: {name: a}\n"
                ),
            ]
        )),
        [
            "clusters/eu-1/1.yaml:1 MachineDeployment md-0: neither it nor a kustomization that lists it names a namespace",
            "clusters/eu-1/2.yaml:1 MachineDeployment a/MD_0: bad-name",
            "clusters/eu-1/3.yaml:1 MachineDeployment a/md-1: bad-name",
            "clusters/eu-1/4.yaml:1 MachineDeployment a/md-2: /spec/clusterName absent",
            "clusters/eu-1/5.yaml:1 MachinePool a: neither it nor a kustomization that lists it names a namespace",
        ]
    );
}

#[test]
fn a_policy_may_say_where_a_node_group_is_written() {
    let md = machine_deployment("a", "md-0");
    let with = |write_to: &str, values: &str| {
        let policy = policy(
            "NodeGroupPolicy",
            &format!("selector: {{regions: ['*']}}\nbounds: {{max: 9}}\nwriteTo: {write_to}"),
        );
        shown(&declared(
            &policy,
            &[("clusters/eu-1/md.yaml", &md), ("values/blue.yaml", values)],
        ))
    };
    assert_eq!(
        with(
            "{path: 'values/{cluster}.yaml', pointer: /workers/count}",
            "workers: {count: 4}\n"
        ),
        [format!("{MD} = 4 at values/blue.yaml#0/workers/count:1 Scalar")]
    );
    assert_eq!(
        with(
            "{path: 'values/{cluster}.yaml', pointer: /workers/count}",
            "{}\n---\nx: 1\n"
        ),
        [format!(
            "{MD} = - at line 3: the file has 2 documents, and the policy's writeTo names none of them"
        )]
    );
    assert_eq!(
        with("{path: 'values/{nodeGroup}.yaml', pointer: /a}", ""),
        [format!("{MD} = - at line 0: no-such-file")]
    );
    assert_eq!(
        with("{path: 'values/blue.yaml', pointer: /a}", "{{ x }}: ["),
        [format!("{MD} = - at line 1: template")]
    );
    let object = "{path: 'values/{cluster}.yaml', object: {kind: MachineDeployment, name: '{nodeGroup}'}}";
    assert_eq!(
        with(object, &md)[0],
        format!("{MD} = 3 at values/blue.yaml#0/spec/replicas:5 Scalar")
    );
    assert_eq!(with(object, "a: 1\n"), [format!("{MD} = - at line 0: no-such-object")]);
    assert_eq!(
        with(object, &format!("{md}---\n{md}"))[0],
        format!("{MD} = - at line 8: ambiguous values/blue.yaml:1, values/blue.yaml:8")
    );
    let cluster = "apiVersion: cluster.x-k8s.io/v1beta1\nkind: Cluster\nmetadata: {name: blue}\nspec:\n  topology:\n    workers:\n      \
                   machineDeployments:\n      - {name: md-1, replicas: 8}\n      - {name: md-0, replicas: 7}\n";
    assert_eq!(
        with("{path: 'values/{cluster}.yaml', object: {kind: Cluster}}", cluster)[0],
        format!("{MD} = 7 at values/blue.yaml#0/spec/topology/workers/machineDeployments/1/replicas:9 Scalar")
    );
    assert_eq!(
        with(
            "{path: 'values/{cluster}.yaml', object: {kind: Cluster}}",
            &cluster.replace("md-0", "md-2")
        )[0],
        format!("{MD} = - at line 1: no-such-object")
    );
}

#[test]
fn a_policy_names_the_variable_that_holds_the_number() {
    let cluster = "apiVersion: cluster.x-k8s.io/v1beta2\nkind: Cluster\nmetadata: {name: blue, namespace: a}\nspec:\n  topology:\n    \
                   variables:\n    - {name: image, value: x}\n    - name: workerCount\n      value: 3 # of md-0\n    workers:\n      \
                   machineDeployments: [{name: md-0}, {name: md-1}]\n";
    let at = "clusters/eu-1/c.yaml";
    let with = |groups: &str, variable: &str| {
        let spec = format!("selector: {{nodeGroups: [{groups}]}}\nbounds: {{max: 9}}\nvariable: {variable}");
        shown(&declared(&policy("NodeGroupPolicy", &spec), &[(at, cluster)]))
    };
    let md = |number: usize| format!("node-group/eu-1/a/blue/md-{number}/replicas");
    let absent = |number: usize| {
        format!(
            "{} = - at line 11: /spec/topology/workers/machineDeployments/{number}/replicas absent",
            md(number)
        )
    };
    assert_eq!(
        with("md-0", "workerCount"),
        [
            format!("{} = 3 at {at}#0/spec/topology/variables/1/value:9 Scalar", md(0)),
            absent(1)
        ]
    );
    let both = "it is the value of 2 targets at once";
    assert_eq!(
        with("'*'", "workerCount"),
        [0, 1].map(|number| format!("{} = 3 at line 9: {both}: {}, {}", md(number), md(0), md(1)))
    );
    assert_eq!(
        with("md-0", "image"),
        [format!("{} = - at line 7: not-an-integer", md(0)), absent(1)]
    );
    assert_eq!(
        with("md-0", "gone"),
        [
            format!("{} = - at line 1: /spec/topology/variables/gone/value absent", md(0)),
            absent(1)
        ]
    );
}

#[test]
fn a_pool_with_the_name_of_a_machine_deployment_has_no_place() {
    let cluster = "apiVersion: cluster.x-k8s.io/v1beta2\nkind: Cluster\nmetadata: {name: blue, namespace: a}\nspec:\n  topology:\n    workers:\n      \
                   machineDeployments: [{name: x, replicas: 1}]\n      machinePools: [{name: x, replicas: 2}, {name: y, replicas: 3}]\n";
    let at = "clusters/eu-1/c.yaml";
    assert_eq!(
        shown(&declared("", &[(at, cluster)])),
        [
            format!("node-group/eu-1/a/blue/x/replicas = - at line 7: ambiguous {at}:7, {at}:8"),
            format!(
                "node-group/eu-1/a/blue/y/replicas = 3 at {at}#0/spec/topology/workers/machinePools/1/replicas:8 Scalar"
            ),
        ]
    );
}

#[test]
fn an_owner_that_an_annotation_names_owns_the_number_wherever_that_stands() {
    let max = "cluster.x-k8s.io/cluster-api-autoscaler-node-group-max-size: '4'";
    let annotated = |text: &str| {
        machine_deployment("a", "md-0").replace("namespace: a", &format!("namespace: a, annotations: {{{text}}}"))
    };
    let file = "clusters/eu-1/md.yaml";
    let owner = format!("{MD} = 3 at line 5: the cluster autoscaler of its annotations ({file}:3) autoscaler 0..4");
    assert_eq!(shown(&declared("", &[(file, &annotated(max))])), [owner]);
    let managed = annotated("cluster.x-k8s.io/replicas-managed-by: keda");
    let by = "the external scaler that cluster.x-k8s.io/replicas-managed-by names";
    assert_eq!(
        shown(&declared("", &[(file, &managed)])),
        [format!("{MD} = 3 at line 5: {by} ({file}:3)")]
    );
    // A patch brings the number, another one the annotation.
    let list = "resources: [md.yaml]\npatches: [{path: n.yaml}, {path: x.yaml}]\n";
    let patch = |rest: &str| {
        format!("apiVersion: cluster.x-k8s.io/v1beta1\nkind: MachineDeployment\nmetadata: {{name: md-0{rest}\n")
    };
    let numbers = patch("}\nspec: {replicas: 5}");
    let plain = machine_deployment("a", "md-0");
    for (annotation, by) in [
        (
            "cluster.x-k8s.io/replicas-managed-by: keda",
            format!("{by} (clusters/eu-1/x.yaml:3)"),
        ),
        (
            max,
            "the cluster autoscaler of its annotations (clusters/eu-1/x.yaml:3) autoscaler 0..4".to_owned(),
        ),
    ] {
        let annotations = patch(&format!(", annotations: {{{annotation}}}}}"));
        let files = [
            (file, plain.as_str()),
            ("clusters/eu-1/kustomization.yaml", list),
            ("clusters/eu-1/n.yaml", &numbers),
            ("clusters/eu-1/x.yaml", &annotations),
        ];
        assert_eq!(shown(&declared("", &files)), [format!("{MD} = 5 at line 4: {by}")]);
    }
    // So does an operation.
    let path = max.split(':').next().unwrap().replace('/', "~1");
    let operation = format!("- {{op: add, path: /metadata/annotations/{path}, value: '4'}}\n");
    let list = "resources: [md.yaml]\npatches: [{path: x.yaml, target: {kind: MachineDeployment}}]\n";
    let files = [
        (file, plain.as_str()),
        ("clusters/eu-1/kustomization.yaml", list),
        ("clusters/eu-1/x.yaml", &operation),
    ];
    assert_eq!(
        shown(&declared("", &files)),
        [format!(
            "{MD} = 3 at line 5: the cluster autoscaler of its annotations (clusters/eu-1/x.yaml:1) autoscaler 0..4"
        )]
    );
}
