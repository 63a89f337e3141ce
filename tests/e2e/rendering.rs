//! The oracles of rendering find what they are there to find, and the charts of the tests behave as their README says.

mod charts;
mod flux;

use std::fs;
use std::path::{Path, PathBuf};

use crate::env::rendering::*;

const DEPLOYMENT: &str = "
apiVersion: apps/v1
kind: Deployment
metadata: {name: kamaji, namespace: kamaji-system}
spec:
  replicas: 2
  selector: {matchLabels: {app: kamaji}}
  template:
    metadata: {labels: {app: kamaji}}
    spec:
      containers: [{name: manager, image: kamaji, args: [manager, --leader-elect]}]
";

const NAME: &str = "apps/v1 Deployment kamaji-system/kamaji";

/// A folder with files.
fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    folder
}

fn built_objects(repository: &Path, folder: &str) -> Objects {
    objects(&kustomize_build(repository, folder).unwrap()).unwrap()
}

fn charts() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fixtures/charts")
}

#[test]
fn the_tools_are_the_versions_that_the_facts_were_read_from() {
    assert_eq!(version("kustomize"), "v5.8.1");
    assert_eq!(version("helm"), "v3.22.0");
}

#[test]
fn a_patch_of_replicas_is_one_difference() {
    let patch = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: kamaji, namespace: kamaji-system}\nspec: {replicas: 3}\n";
    let repository = folder(&[
        ("base/kustomization.yaml", "resources: [kamaji.yaml]\n"),
        ("base/kamaji.yaml", DEPLOYMENT),
        // From outside of the folder, which only Flux's load restrictions allow.
        (
            "overlays/eu/kustomization.yaml",
            "resources: [../../base]\npatches: [{path: ../../more.yaml}]\n",
        ),
        ("more.yaml", patch),
    ]);
    let (base, overlay) = (
        built_objects(repository.path(), "base"),
        built_objects(repository.path(), "overlays/eu"),
    );
    let expected = [Difference::change(NAME, "/spec/replicas", 2, 3)];
    assert_eq!(difference(&base, &overlay), expected);
    assert_eq!(difference(&base, &base), []);
}

#[test]
fn kustomize_says_why_it_does_not_build_and_fetches_nothing() {
    let repository = folder(&[
        ("patch/kustomization.yaml", "patches: [{path: none.yaml}]\n"),
        (
            "far/kustomization.yaml",
            "resources: ['https://github.com/example/fleet//base?ref=main']\n",
        ),
    ]);
    let error = kustomize_build(repository.path(), "patch").unwrap_err();
    assert!(error.contains("none.yaml"), "{error}");
    let error = kustomize_build(repository.path(), "far").unwrap_err();
    assert!(
        error.contains("no 'git' program on path") || error.contains("127.0.0.1:9"),
        "{error}"
    );
}

#[test]
fn objects_are_known_by_identity_and_what_has_none_or_one_twice_is_refused() {
    let stream = "# nothing here\n---\n{apiVersion: v1, kind: Namespace, metadata: {name: a}}\n---\napiVersion: v1\nkind: List\nitems:\n\
                  - {apiVersion: v1, kind: ConfigMap, metadata: {name: b, namespace: a}}\n...\n";
    let found: Vec<String> = objects(stream).unwrap().into_keys().collect();
    assert_eq!(found, ["v1 ConfigMap a/b", "v1 Namespace a"]);
    let twice = "{apiVersion: v1, kind: Namespace, metadata: {name: a}}\n";
    let error = objects(&format!("{twice}---\n{twice}")).unwrap_err();
    assert_eq!(error, "v1 Namespace a is there twice");
    assert!(objects("kamaji: {replicas: 2}\n").unwrap_err().starts_with("no object"));
    let error = objects("{apiVersion: v1, kind: Namespace, metadata: {name: a, name: b}}\n").unwrap_err();
    assert!(error.contains("duplicate"), "{error}");
}

#[test]
fn every_value_that_differs_is_found_and_nothing_else() {
    let config = |data: &str| {
        objects(&format!(
            "{{apiVersion: v1, kind: ConfigMap, metadata: {{name: a}}, data: {data}}}\n"
        ))
    };
    let before = config("{a/b~c: 1, gone: x, list: [1, {deep: true}], same: [1], text: '1', yes: 1.5}").unwrap();
    let after = config("{a/b~c: 2, list: [1, {deep: false}, 3], new: ~, same: [1], text: 1, yes: 1.5}").unwrap();
    let found = difference(&before, &after);
    let words: Vec<String> = found
        .iter()
        .map(|d| {
            format!(
                "{} {} {:?} {:?}",
                d.object,
                d.pointer,
                d.from.as_ref().map(json),
                d.to.as_ref().map(json)
            )
        })
        .collect();
    assert_eq!(
        words,
        [
            r#"v1 ConfigMap a /data/a~1b~0c Some("1") Some("2")"#,
            r#"v1 ConfigMap a /data/gone Some("\"x\"") None"#,
            r#"v1 ConfigMap a /data/list/1/deep Some("true") Some("false")"#,
            r#"v1 ConfigMap a /data/list/2 None Some("3")"#,
            r#"v1 ConfigMap a /data/new None Some("null")"#,
            r#"v1 ConfigMap a /data/text Some("\"1\"") Some("1")"#,
        ]
    );
    let whole = difference(&before, &Objects::new());
    assert_eq!(
        (whole.len(), whole[0].pointer.as_str(), whole[0].to.is_none()),
        (1, "", true)
    );
}

fn json(value: &serde_yaml::Value) -> String {
    serde_json::to_string(value).unwrap()
}

#[test]
fn the_server_takes_every_kind_that_has_a_number_of_ours() {
    let reference = "{apiGroup: infrastructure.cluster.x-k8s.io, kind: X, name: x}";
    let old = "{apiVersion: infrastructure.cluster.x-k8s.io/v1beta1, kind: X, name: x}";
    let machines = |version: &str, reference: &str, replicas: u32| {
        format!(
            "
apiVersion: cluster.x-k8s.io/{version}
kind: MachineDeployment
metadata: {{name: a, namespace: {version}}}
spec:
  clusterName: blue
  replicas: {replicas} # workers
  selector: {{matchLabels: {{a: b}}}}
  template:
    metadata: {{labels: {{a: b}}}}
    spec: {{clusterName: blue, bootstrap: {{dataSecretName: x}}, infrastructureRef: {reference}}}
"
        )
    };
    let more = format!(
        "
apiVersion: cluster.x-k8s.io/v1beta2
kind: MachinePool
metadata: {{name: a, namespace: v1beta2}}
spec:
  clusterName: blue
  replicas: 3
  template: {{spec: {{clusterName: blue, bootstrap: {{dataSecretName: x}}, infrastructureRef: {reference}}}}}
---
apiVersion: cluster.x-k8s.io/v1beta2
kind: Cluster
metadata: {{name: blue, namespace: v1beta2}}
spec:
  topology:
    classRef: {{name: class}}
    version: v1.34.1
    controlPlane: {{replicas: 3}}
    workers: {{machineDeployments: [{{class: default-worker, name: md-0, replicas: 3}}]}}
---
apiVersion: controlplane.cluster.x-k8s.io/v1beta2
kind: KubeadmControlPlane
metadata: {{name: blue, namespace: v1beta2}}
spec: {{replicas: 3, version: v1.34.1, machineTemplate: {{spec: {{infrastructureRef: {reference}}}}}}}
---
apiVersion: controlplane.cluster.x-k8s.io/v1alpha2
kind: KamajiControlPlane
metadata: {{name: blue, namespace: v1beta2}}
spec: {{replicas: 2, version: v1.34.1, dataStoreName: default}}
---
apiVersion: v1
kind: List
items:
- apiVersion: kamaji.clastix.io/v1alpha1
  kind: TenantControlPlane
  metadata: {{name: blue, namespace: tenants}}
  spec:
    controlPlane: {{deployment: {{replicas: 2}}, service: {{serviceType: LoadBalancer}}}}
    kubernetes: {{version: v1.34.1, kubelet: {{cgroupfs: systemd}}}}
"
    );
    let stream = |replicas| {
        let documents = [
            machines("v1beta1", old, 3),
            machines("v1beta2", reference, replicas),
            DEPLOYMENT.to_owned(),
            more.clone(),
        ];
        documents.join("---\n")
    };
    let before = server_accepts(server(), &stream(3)).unwrap();
    assert_eq!(before.len(), 8);
    let after = server_accepts(server(), &stream(5)).unwrap();
    let name = "cluster.x-k8s.io/v1beta2 MachineDeployment v1beta2/a";
    assert_eq!(
        difference(&before, &after),
        [Difference::change(name, "/spec/replicas", 3, 5)]
    );
}

#[test]
fn the_server_reads_the_bytes_as_yaml_1_1_does() {
    let text = DEPLOYMENT.replace("  replicas: 2", "  replicas: 010");
    let text = text.replace("      containers:", "      hostNetwork: yes\n      containers:");
    let kept = &server_accepts(server(), &text).unwrap()[NAME]["spec"];
    assert_eq!(kept["replicas"], serde_yaml::Value::from(8));
    assert_eq!(kept["template"]["spec"]["hostNetwork"], serde_yaml::Value::from(true));
    let read = &objects(&text).unwrap()[NAME]["spec"];
    assert_eq!(read["template"]["spec"]["hostNetwork"], serde_yaml::Value::from("yes"));
}

#[test]
fn the_server_refuses_a_wrong_field_a_wrong_type_a_key_twice_and_an_unknown_kind() {
    let refused = |from: &str, to: &str| {
        assert!(DEPLOYMENT.contains(from));
        server_accepts(server(), &DEPLOYMENT.replace(from, to)).unwrap_err()
    };
    for (from, to, said) in [
        ("  replicas: 2", "  replica: 2", r#"unknown field \"spec.replica\""#),
        ("  replicas: 2", "  replicas: two", "cannot unmarshal"),
        (
            "  replicas: 2",
            "  replicas: 2\n  \"replicas\": 2",
            "duplicate entry with key",
        ),
        ("  replicas: 2", "  replicas: -1", "must be greater than or equal to 0"),
        ("kind: Deployment", "kind: Deploymint", "does not know this kind"),
        ("apps/v1", "apps/v7", "does not know this kind"),
    ] {
        let error = refused(from, to);
        assert!(error.contains(said), "{to}: {error}");
    }
}
