use crate::fleet::shapes::testing::{shown_refusal, shown_site};
use crate::fleet::testing::machine_deployment;
use crate::model::{DeclaredShard, NamespaceSite, RefusedRequest};

use super::{declared, policy, unbound};

const SHARDING: &str = "region: eu\nrequests: requests/eu\nshards:\n- {name: eu-a, managementCluster: eu-1, namespace: a, path: clusters/eu-1/a}\n";

#[test]
fn a_shard_is_its_folder_and_the_clusters_in_its_namespace() {
    let policy = policy("ShardingPolicy", SHARDING);
    let cluster =
        |name: &str| format!("apiVersion: cluster.x-k8s.io/v1beta1\nkind: Cluster\nmetadata: {{name: {name}}}\n");
    let declared = declared(
        &policy,
        &[
            (
                "clusters/eu-1/a/kustomization.yaml",
                "namespace: a\nresources:\n- blue\n- green.yaml\n",
            ),
            ("clusters/eu-1/a/blue/kustomization.yaml", "resources: [c.yaml]\n"),
            ("clusters/eu-1/a/blue/c.yaml", &cluster("blue")),
            ("clusters/eu-1/a/green.yaml", &cluster("green")),
            ("clusters/eu-1/b/red.yaml", &cluster("red")),
        ],
    );
    let DeclaredShard {
        management_cluster,
        namespace,
        clusters,
        kustomization,
        folder,
        files,
    } = &declared.shards[&"eu-a".parse().unwrap()];
    assert_eq!(
        (management_cluster.as_str(), namespace.as_str(), folder.as_str()),
        ("eu-1", "a", "clusters/eu-1/a")
    );
    assert_eq!(
        clusters.iter().map(ToString::to_string).collect::<Vec<_>>(),
        ["blue", "green"]
    );
    assert_eq!(
        shown_site(kustomization),
        "clusters/eu-1/a/kustomization.yaml#0/resources:2 Appended { prefix: \"\" }"
    );
    assert_eq!(files[..], ["green.yaml", "kustomization.yaml"]);
}

#[test]
fn a_shard_that_can_not_take_a_cluster_says_why() {
    let policy = policy("ShardingPolicy", SHARDING);
    let list =
        |files: &[(&str, &str)]| shown_site(&declared(&policy, files).shards[&"eu-a".parse().unwrap()].kustomization);
    let path = "clusters/eu-1/a/kustomization.yaml";
    assert_eq!(list(&[]), "line 0: no-such-file");
    assert_eq!(list(&[(path, "resources: [\n")]), "line 1: not-yaml");
    assert_eq!(
        list(&[(path, "")]),
        "line 0: a kustomization has one document, this file has 0"
    );
    assert_eq!(list(&[(path, "kind: A\nkind: B\n")]), "line 2: duplicate-key");
    assert_eq!(list(&[(path, "bases: []\n")]), "line 1: /resources absent");
}

#[test]
fn requests_wait_in_their_folder_and_are_declared_nowhere() {
    let policy = policy("ShardingPolicy", SHARDING);
    let request = format!(
        "apiVersion: cluster.x-k8s.io/v1beta1\nkind: Cluster\nmetadata: {{name: orange}}\n---\n{}",
        machine_deployment("x", "md-0")
    );
    let again = "apiVersion: cluster.x-k8s.io/v1beta1\nkind: Cluster\nmetadata: {name: lime}\n";
    let declared = declared(
        &policy,
        &[
            ("requests/eu/README.md", "put clusters here\n"),
            ("requests/eu/kustomization.yaml", "resources: []\n"),
            (
                "requests/eu/a/bad.yaml",
                "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\n",
            ),
            (
                "requests/eu/a/name.yaml",
                "apiVersion: cluster.x-k8s.io/v1beta1\nkind: Cluster\nmetadata: {name: Orange}\n",
            ),
            ("requests/eu/orange.yaml", &request),
            ("requests/eu/lime.yaml", again),
            ("requests/eu/lime2.yaml", again),
        ],
    );
    assert_eq!(declared.bindings.len(), 0);
    assert_eq!(
        unbound(&declared),
        [
            "requests/eu/a/bad.yaml:0 request: no-such-object",
            "requests/eu/a/name.yaml:0 request: bad-name"
        ]
    );
    let requests: Vec<String> = declared
        .requests
        .iter()
        .map(|(target, request)| {
            let documents = match &request.documents {
                Ok(documents) => documents
                    .iter()
                    .map(
                        |NamespaceSite {
                             document,
                             object,
                             namespace,
                         }| format!("{document} {object} {}", namespace.is_some()),
                    )
                    .collect::<Vec<_>>()
                    .join(", "),
                Err(RefusedRequest { line, refusal }) => format!("line {line}: {}", shown_refusal(refusal)),
            };
            format!("{target} {}: {documents}", request.path)
        })
        .collect();
    assert_eq!(
        requests,
        [
            "placement/eu/lime requests/eu/lime.yaml: line 0: ambiguous requests/eu/lime.yaml, requests/eu/lime2.yaml",
            "placement/eu/orange requests/eu/orange.yaml: 0 Cluster orange false, 1 MachineDeployment x/md-0 true",
        ]
    );
}
