//! What a kube-apiserver says of objects, without keeping them.

use std::path::PathBuf;

use http::Method;
use serde_yaml::Value;

use crate::env::built;
use crate::env::kubernetes::{Kubernetes, cluster};

use super::objects::{Objects, documents, identity, items};

/// Where definitions lie in the sources that `tests/env/build.sh` links.
const SOURCES: [(&str, &str); 4] = [
    ("cluster-api-source", "config/crd/bases"),
    ("cluster-api-source", "controlplane/kubeadm/config/crd/bases"),
    ("cluster-api-operator-source", "config/crd/bases"),
    ("cluster-api-kamaji-source", "config/crd/bases"),
];

/// The server of this process that knows every kind whose definition is to be had: Cluster API 1.13 in v1beta1 and v1beta2 with the kubeadm control
/// plane, Cluster API Operator 0.28, KamajiControlPlane v1alpha2, and the part of TenantControlPlane that is in `tests/env/kamaji`.
///
/// There are no webhooks: what an admission webhook refuses (`replicas` beside autoscaler annotations, an even number of members) is accepted here.
/// Kinds of Flux, Argo CD and Metal3 are unknown to it, and KamajiControlPlane's older v1alpha1.
pub(crate) fn server() -> &'static Kubernetes {
    cluster("rendering", |api| {
        for (source, folder) in SOURCES {
            let files = std::fs::read_dir(built(source).join(folder)).unwrap();
            let mut files: Vec<PathBuf> = files.map(|entry| entry.unwrap().path()).collect();
            files.retain(|file| file.extension().is_some_and(|extension| extension == "yaml"));
            files.sort();
            files.iter().for_each(|file| api.define(file, None));
        }
        api.define_kamaji();
    })
}

/// The objects of a stream as the server would keep them, with its defaults; or what it says against the first that it does not accept.
///
/// Each is created with `dryRun=All` and strict validation, in the bytes in which it is written, so that the server's own YAML is asked too; only
/// items of a `kind: List` are written anew. A namespace that is missing is made, and stays. What differs at every call (uid, time, managers)
/// is taken out of the answer.
pub(crate) fn server_accepts(api: &Kubernetes, stream: &str) -> Result<Objects, String> {
    let mut accepted = Objects::new();
    for text in documents(stream) {
        let document: Value = serde_yaml::from_str(&text).map_err(|error| format!("{error}\n{text}"))?;
        let is_list = document.get("kind") == Some(&"List".into());
        for object in items(document) {
            let identity = identity(&object)?;
            let body = match is_list {
                true => serde_yaml::to_string(&object).unwrap(),
                false => text.clone(),
            };
            let answer = create(api, &object, body).map_err(|error| format!("{identity}: {error}"))?;
            accepted.insert(identity, answer);
        }
    }
    Ok(accepted)
}

fn create(api: &Kubernetes, object: &Value, body: String) -> Result<Value, String> {
    let path = collection(api, object)?;
    let path = format!("{path}?dryRun=All&fieldValidation=Strict");
    let answer = match api.call_with(Method::POST, &path, "application/yaml", body.into_bytes()) {
        // Only an object that is valid gets so far.
        Err(error) if error.starts_with("409") => return Ok(object.clone()),
        answer => answer?,
    };
    let mut answer = serde_yaml::to_value(answer).unwrap();
    let metadata = answer.get_mut("metadata").and_then(Value::as_mapping_mut).unwrap();
    for key in [
        "uid",
        "creationTimestamp",
        "managedFields",
        "resourceVersion",
        "generation",
    ] {
        metadata.remove(key);
    }
    Ok(answer)
}

/// Where objects of this kind are created, as the server itself says it; the namespace is there afterwards.
fn collection(api: &Kubernetes, object: &Value) -> Result<String, String> {
    let version = object["apiVersion"].as_str().unwrap();
    let root = if version.contains('/') { "/apis" } else { "/api" };
    let unknown = "the server does not know this kind";
    let kinds = api.call(Method::GET, &format!("{root}/{version}"), None);
    let kinds = kinds.map_err(|error| {
        if error.starts_with("404") {
            unknown.to_owned()
        } else {
            error
        }
    })?;
    let mut kinds = kinds["resources"].as_array().unwrap().iter();
    let kind = object["kind"].as_str().unwrap();
    let kind = kinds.find(|known| known["kind"] == kind && !known["name"].as_str().unwrap().contains('/'));
    let kind = kind.ok_or(unknown)?;
    let plural = kind["name"].as_str().unwrap();
    if kind["namespaced"] == false {
        return Ok(format!("{root}/{version}/{plural}"));
    }
    let namespace = object.get("metadata").and_then(|metadata| metadata.get("namespace"));
    let namespace = namespace.and_then(Value::as_str).unwrap_or("default");
    let body = format!("{{apiVersion: v1, kind: Namespace, metadata: {{name: {namespace:?}}}}}");
    match api.call_with(
        Method::POST,
        "/api/v1/namespaces",
        "application/yaml",
        body.into_bytes(),
    ) {
        Err(error) if !error.starts_with("409") => Err(error),
        _ => Ok(format!("{root}/{version}/namespaces/{namespace}/{plural}")),
    }
}
