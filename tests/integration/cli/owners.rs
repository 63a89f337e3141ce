//! `scan` names everybody who owns a number instead of Git, in each of its outputs, and its help says what the names mean.

use std::collections::BTreeSet;
use std::path::Path;

use fleetscale::fleet::Shape;
use fleetscale::model::Owner;
use tempfile::TempDir;

use super::{fleetscale, root};

/// What the Cluster API Operator and another controller make, beside what they make it from.
const MADE: &str = "apiVersion: operator.cluster.x-k8s.io/v1alpha2
kind: CoreProvider
metadata: {name: cluster-api, namespace: capi-system}
spec: {version: v1.12.2, manager: {syncPeriod: 10m}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: capi-controller-manager, namespace: capi-system}
spec:
  replicas: 1
  template: {spec: {containers: [{name: manager, args: [--kube-api-qps=20]}]}}
---
apiVersion: kamaji.clastix.io/v1alpha1
kind: TenantControlPlane
metadata:
  name: blue
  namespace: a
  ownerReferences: [{apiVersion: example.org/v1, kind: Tenant, name: blue, uid: x}]
spec: {controlPlane: {deployment: {replicas: 2}}}
---
apiVersion: cluster.x-k8s.io/v1beta2
kind: MachineDeployment
metadata: {name: md, namespace: a}
spec: {clusterName: blue, replicas: 1}
";

#[test]
fn the_help_says_what_each_word_means() {
    let home = TempDir::new().unwrap();
    let help = fleetscale(&["scan", "--help"], home.path()).with_code(0).stdout;
    let words: BTreeSet<&str> = help.split([' ', ',', '\n']).collect();
    let shapes = Shape::ALL.into_iter().map(Shape::as_str);
    for word in shapes.chain(Owner::ALL.into_iter().map(Owner::as_str)) {
        assert!(words.contains(word), "{word}: {help}");
    }
}

/// Who is named in a repository, by a scan of it.
#[track_caller]
fn named(repo: &Path) -> BTreeSet<String> {
    let home = TempDir::new().unwrap();
    let scan = |more: &[&str]| {
        let arguments = [&["scan", "--repo", repo.to_str().unwrap()], more].concat();
        fleetscale(&arguments, home.path()).with_code(0).stdout
    };
    let json: serde_json::Value = serde_json::from_str(&scan(&["-o", "json"])).unwrap();
    let lists = |list: &str, key: &str| {
        let items = json[list].as_array().unwrap().iter();
        let words = items.filter_map(|item| item.pointer(key)?.as_str().map(str::to_owned));
        words.collect::<Vec<String>>()
    };
    let words = [lists("numbers", "/owner"), lists("unbound", "/refusal/owner")].concat();
    let (table, explained) = (scan(&[]), scan(&["--explain"]));
    for word in &words {
        assert!(table.split_whitespace().any(|cell| cell == word), "{word}: {table}");
        assert!(
            explained.contains(&format!("  owner     {word}: ")),
            "{word}: {explained}"
        );
    }
    words.into_iter().filter(|word| word != "git").collect()
}

#[test]
fn every_owner_has_a_name_in_every_output() {
    let scenarios = root().join("fixtures/scenarios");
    let mut seen: BTreeSet<String> = BTreeSet::new();
    for (scenario, owners) in [
        ("owned-by-hpa", &["horizontal-pod-autoscaler"][..]),
        ("owned-by-keda", &["keda"]),
        ("autoscaler-owns-replicas", &["cluster-autoscaler"]),
        ("autoscaler-in-class", &["cluster-autoscaler"]),
        ("autoscaler-in-topology", &["cluster-autoscaler"]),
        ("generated-machine-deployment", &["topology"]),
        ("control-plane-top-owner", &["control-plane", "topology"]),
        ("replicas-managed-by", &["external"]),
        ("machine-pool-managed-elsewhere", &["external"]),
        ("owned-by-ignore-differences", &["flux-ignore", "ignore-differences"]),
        ("hands-off", &["generator"]),
        ("deployment-args-in-the-way", &["renderer"]),
        ("topology-variable", &["unknown"]),
    ] {
        let found = named(&scenarios.join(scenario).join("repo"));
        assert_eq!(found.iter().collect::<Vec<_>>(), owners, "{scenario}");
        seen.extend(found);
    }
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("clusters/eu-1/made.yaml");
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    std::fs::write(file, MADE).unwrap();
    let found = named(folder.path());
    assert_eq!(found.iter().collect::<Vec<_>>(), ["operator", "owner-reference"]);
    seen.extend(found);
    let missing: Vec<&str> = Owner::ALL.into_iter().map(Owner::as_str).collect();
    let missing: Vec<&&str> = missing.iter().filter(|word| !seen.contains(**word)).collect();
    assert!(missing.is_empty(), "{missing:?}");
}
