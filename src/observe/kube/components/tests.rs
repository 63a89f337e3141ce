use serde_json::{Value, json};

use super::*;

const MANAGER: Manager = Manager {
    deployment: "capi-controller-manager",
    container: "manager",
};

fn deployment() -> Value {
    json!({
        "metadata": {
            "name": "capi-controller-manager", "namespace": "capi-system", "creationTimestamp": "2026-10-01T09:00:00Z",
            "managedFields": [
                {"manager": "flux", "time": "2026-10-02T09:00:00Z", "fieldsV1": {"f:spec": {"f:replicas": {}, "f:template": {}}}},
                {"manager": "hpa", "time": "2026-10-04T09:00:00Z", "subresource": "scale", "fieldsV1": {"f:spec": {"f:replicas": {}}}},
            ],
        },
        "spec": {"replicas": 2, "template": {"spec": {"containers": [
            {"name": "proxy", "image": "proxy:v0.1.0", "args": ["--kube-api-qps=1"]},
            {
                "name": "manager", "image": "registry.example.org:5000/capi/manager:v1.12.4@sha256:0123",
                "command": ["/manager", "--leader-elect"], "args": ["--kube-api-qps=30"],
            },
        ]}}},
        "status": {"readyReplicas": 2, "conditions": [
            {"type": "Progressing", "lastUpdateTime": "2026-10-03T09:00:00Z"},
            {"type": "Available", "lastUpdateTime": "2026-10-05T09:00:00Z"},
        ]},
    })
}

fn read(values: &[Value]) -> Result<Option<Component>, String> {
    only(
        values
            .iter()
            .map(|value| Deployment::deserialize(value).unwrap())
            .collect(),
        MANAGER,
    )
}

fn changed(change: impl FnOnce(&mut Value)) -> Result<Component, String> {
    let mut value = deployment();
    change(&mut value);
    read(&[value]).map(Option::unwrap)
}

#[test]
fn a_deployment_tells_of_its_manager() {
    let wanted = Component {
        namespace: "capi-system".to_owned(),
        deployment: "capi-controller-manager".to_owned(),
        controller: LiveController {
            version: Some("v1.12.4".to_owned()),
            args: vec!["--leader-elect".to_owned(), "--kube-api-qps=30".to_owned()],
            replicas: 2,
            ready: 2,
            changed_at: "2026-10-03T09:00:00Z".parse().ok(),
            measurements: BTreeMap::new(),
        },
        replicas_changed_at: "2026-10-04T09:00:00Z".parse().ok(),
    };
    assert_eq!(changed(|_| ()), Ok(wanted));
}

#[test]
fn a_version_is_the_images_tag() {
    for (image, version) in [
        ("registry.k8s.io/capi/manager:v1.12.4", Some("v1.12.4")),
        ("manager:v1", Some("v1")),
        ("registry.example.org:5000/capi/manager", None),
        ("registry.example.org:5000/capi/manager@sha256:0123", None),
        ("manager:", None),
        ("", None),
    ] {
        assert_eq!(tag(image), version, "{image}");
    }
}

#[test]
fn the_only_container_is_the_manager_whatever_its_name() {
    let containers = |names: &[&str]| {
        let list: Vec<Value> = names.iter().map(|name| json!({"name": name, "args": [name]})).collect();
        changed(|deployment| deployment["spec"]["template"]["spec"]["containers"] = json!(list))
            .map(|component| component.controller.args.concat())
    };
    assert_eq!(containers(&["controller"]).as_deref(), Ok("controller"));
    assert_eq!(containers(&["a", "manager"]).as_deref(), Ok("manager"));
    let error = containers(&["a", "b"]).unwrap_err();
    assert_eq!(
        error,
        "Deployment capi-system/capi-controller-manager has several containers, none of which is called manager"
    );
}

#[test]
fn what_is_not_known_is_not_guessed() {
    assert_eq!(read(&[]), Ok(None));
    let mut other = deployment();
    other["metadata"]["name"] = json!("something-else");
    assert_eq!(read(&[other]), Ok(None));
    let error = read(&[deployment(), deployment()]).unwrap_err();
    assert_eq!(
        error,
        "2 Deployments are called capi-controller-manager, and none is known to be the one"
    );
    assert!(
        changed(|deployment| deployment["spec"]["replicas"] = json!(null))
            .unwrap_err()
            .contains("no spec.replicas")
    );
    let unknown = changed(|deployment| {
        deployment["metadata"]["managedFields"] = json!(null);
        deployment["status"] = json!(null);
    });
    let Component {
        controller,
        replicas_changed_at,
        ..
    } = unknown.unwrap();
    assert_eq!(
        (controller.ready, controller.changed_at, replicas_changed_at),
        (0, None, None)
    );
}
