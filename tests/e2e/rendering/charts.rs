//! Helm's precedence, and the charts in `fixtures/charts`.

use super::*;
use crate::env::built;

/// The objects of one of our charts under layers of values.
fn rendered(chart: &str, values: &[Values<'_>]) -> Objects {
    let stream = helm_template(&charts().join(chart), "kamaji", "kamaji-system", values).unwrap();
    objects(&stream).unwrap()
}

fn replicas(chart: &str, values: &[Values<'_>]) -> i64 {
    rendered(chart, values)[NAME]["spec"]["replicas"].as_i64().unwrap()
}

/// What a text changes of a chart's defaults.
fn changed(chart: &str, text: &str) -> Vec<Difference> {
    difference(&rendered(chart, &[]), &rendered(chart, &[Values::Text(text)]))
}

fn replicas_become(from: i64, to: i64) -> [Difference; 1] {
    [Difference::change(NAME, "/spec/replicas", from, to)]
}

#[test]
fn later_files_win_over_earlier_ones_and_set_over_all_of_them() {
    let files = folder(&[("a.yaml", "replicaCount: 2\n"), ("b.yaml", "replicaCount: 3\n")]);
    let (a, b) = (files.path().join("a.yaml"), files.path().join("b.yaml"));
    let (a, b) = (Values::File(&a), Values::File(&b));
    let text = Values::Text("replicaCount: 4\n");
    let set = Values::Set("replicaCount=5");
    for (layers, expected) in [
        (&[][..], 1),
        (&[a, b], 3),
        (&[b, a], 2),
        (&[a, text], 4),
        (&[text, a], 2),
        (&[a, b, text, set], 5),
        (&[a, set, Values::Set("replicaCount=6")], 6),
    ] {
        assert_eq!(replicas("kamaji", layers), expected, "{layers:?}");
    }
    let error = helm_template(&charts().join("kamaji"), "kamaji", "x", &[set, a]).unwrap_err();
    assert!(error.contains("does not keep this order"), "{error}");
    let error = helm_template(&charts().join("kamaji"), "kamaji", "x", &[Values::Text("a: [\n")]).unwrap_err();
    assert!(error.contains("error converting YAML"), "{error}");
}

#[test]
fn a_number_that_is_set_is_a_number_and_a_string_that_is_set_a_string() {
    let args =
        |layer| rendered("kamaji", &[layer])[NAME]["spec"]["template"]["spec"]["containers"][0]["args"][3].clone();
    assert_eq!(args(Values::Set("extraArgs[0]=7")), serde_yaml::Value::from(7));
    assert_eq!(args(Values::SetString("extraArgs[0]=7")), serde_yaml::Value::from("7"));
}

#[test]
fn kamaji_reads_replica_count_and_never_replicas() {
    assert_eq!(changed("kamaji", "replicaCount: 3"), replicas_become(1, 3));
    assert_eq!(changed("kamaji", "replicas: 3"), []);
    let flag = changed("kamaji", "extraArgs: [--max-concurrent-tcp-reconciles=4]");
    assert_eq!(flag.len(), 1);
    assert_eq!(flag[0].pointer, "/spec/template/spec/containers/0/args/3");
    assert_eq!(
        changed("kamaji", "resources: {limits: {memory: 2Gi}}"),
        [Difference::change(
            NAME,
            "/spec/template/spec/containers/0/resources/limits/memory",
            "100Mi",
            "2Gi"
        )]
    );
}

#[test]
fn an_umbrella_passes_replica_count_on() {
    assert_eq!(changed("umbrella", "kamaji: {replicaCount: 3}"), replicas_become(2, 3));
    assert_eq!(changed("umbrella", "kamaji: {replicas: 3}"), []);
    assert_eq!(changed("umbrella", "replicaCount: 3"), []);
}

#[test]
fn kmetal_maps_replicas_and_writes_over_replica_count() {
    assert_eq!(changed("kmetal", "kamaji: {replicas: 3}"), replicas_become(2, 3));
    assert_eq!(changed("kmetal", "kamaji: {replicaCount: 3}"), []);
    assert_eq!(changed("kmetal", "replicaCount: 3"), []);
    let memory = changed("kmetal", "kamaji: {resources: {limits: {memory: 2Gi}}}");
    assert_eq!(memory.len(), 1);
    let off = changed("kmetal", "kamaji: {enabled: false}");
    assert_eq!((off.len(), off[0].pointer.as_str()), (1, ""));
}

#[test]
fn the_charts_render_what_a_server_accepts() {
    for chart in ["kamaji", "umbrella", "kmetal"] {
        let stream = helm_template(&charts().join(chart), "kamaji", "kamaji-system", &[]).unwrap();
        assert_eq!(server_accepts(server(), &stream).unwrap().len(), 1, "{chart}");
    }
    let stream = helm_template(
        &charts().join("cluster-api-operator"),
        "operator",
        "capi-operator-system",
        &[Values::Text(PROVIDERS)],
    );
    assert_eq!(server_accepts(server(), &stream.unwrap()).unwrap().len(), 4);
}

const PROVIDERS: &str = r#"
core:
  cluster-api:
    version: v1.14.0
    deployment:
      replicas: 2
      containers:
        - name: manager
          args: {"--kube-api-qps": "150"}
          resources: {requests: {memory: 1Gi}}
    manager:
      syncPeriod: 20m
      additionalArgs: {"--clustercache-client-qps": "40"}
      featureGates: {MachinePool: true}
      metrics: {insecureDiagnostics: true, diagnosticsAddress: "localhost:8080"}
bootstrap:
  kubeadm: {version: v1.14.0}
controlPlane:
  kubeadm: {namespace: kcp, deployment: {containers: [{name: manager, args: {"--kube-api-qps": "150"}}]}}
infrastructure:
  metal3: {}
"#;

#[test]
fn the_cut_of_the_operators_chart_renders_the_providers_of_the_real_one() {
    let real = built("cluster-api-operator-source").join("hack/charts/cluster-api-operator");
    let providers = |chart: &Path| {
        let stream = helm_template(chart, "operator", "capi-operator-system", &[Values::Text(PROVIDERS)]).unwrap();
        let mut found = objects(&stream).unwrap();
        found.retain(|name, _| name.starts_with("operator.cluster.x-k8s.io/"));
        for object in found.values_mut() {
            let metadata = object["metadata"].as_mapping_mut().unwrap();
            metadata.remove("annotations");
        }
        found
    };
    let (ours, real) = (providers(&charts().join("cluster-api-operator")), providers(&real));
    assert_eq!(difference(&real, &ours), []);
    assert_eq!(ours.len(), 4);
    let core = &ours["operator.cluster.x-k8s.io/v1alpha2 CoreProvider capi-system/cluster-api"]["spec"];
    assert_eq!(
        core["deployment"]["containers"][0]["args"]["--kube-api-qps"],
        serde_yaml::Value::from("150")
    );
    // Dropped without a word, by the real one as well.
    assert!(core["manager"].get("syncPeriod").is_none() && core["manager"].get("additionalArgs").is_none());
}
