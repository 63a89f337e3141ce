//! Kubernetes objects, as little of each as is needed.
//!
//! Everything else in an answer is skipped while it is parsed: labels and annotations but a few, and nearly all of `managedFields`, which is
//! half of a Machine's bytes.

use jiff::Timestamp;
use serde::Deserialize;
use serde::de::IgnoredAny;

/// What every object has.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Metadata {
    pub(super) name: String,
    #[serde(default)]
    pub(super) namespace: String,
    pub(super) creation_timestamp: Option<Timestamp>,
    pub(super) deletion_timestamp: Option<IgnoredAny>,
    pub(super) generation: Option<i64>,
    pub(super) labels: Option<Labels>,
    pub(super) annotations: Option<Annotations>,
    managed_fields: Option<Vec<ManagedFields>>,
}

/// The labels that say which node group an object belongs to.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Labels {
    /// On everything that the topology controller writes.
    #[serde(rename = "topology.cluster.x-k8s.io/owned")]
    pub(super) topology_owned: Option<IgnoredAny>,
    /// The name of the topology's entry that a MachineDeployment was made from.
    #[serde(rename = "topology.cluster.x-k8s.io/deployment-name")]
    pub(super) topology_entry: Option<String>,
    /// The MachineDeployment that a Machine belongs to.
    #[serde(rename = "cluster.x-k8s.io/deployment-name")]
    pub(super) machine_deployment: Option<String>,
}

/// The annotations that say who may change an object.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Annotations {
    /// Cluster API looks only at whether it is there: `"false"` pauses, too (`util/annotations.HasPaused`).
    #[serde(rename = "cluster.x-k8s.io/paused")]
    pub(super) paused: Option<IgnoredAny>,
    #[serde(rename = "cluster.x-k8s.io/cluster-api-autoscaler-node-group-min-size")]
    pub(super) min_size: Option<String>,
    #[serde(rename = "cluster.x-k8s.io/cluster-api-autoscaler-node-group-max-size")]
    pub(super) max_size: Option<String>,
}

/// Who set fields of an object last, and when.
#[derive(Debug, Deserialize)]
struct ManagedFields {
    time: Option<Timestamp>,
    #[serde(rename = "fieldsV1")]
    fields: Option<Fields>,
}

#[derive(Debug, Deserialize)]
struct Fields {
    #[serde(rename = "f:spec")]
    spec: Option<SpecFields>,
}

#[derive(Debug, Deserialize)]
struct SpecFields {
    #[serde(rename = "f:replicas")]
    replicas: Option<IgnoredAny>,
    #[serde(rename = "f:template")]
    template: Option<IgnoredAny>,
}

impl Metadata {
    /// The latest moment at which `spec.replicas` can have been changed.
    pub(super) fn replicas_set_at(&self) -> Option<Timestamp> {
        self.set_at(|spec| spec.replicas.is_some())
    }

    /// The latest moment at which `spec.template` can have been changed.
    pub(super) fn template_set_at(&self) -> Option<Timestamp> {
        self.set_at(|spec| spec.template.is_some())
    }

    /// The newest time of all who own a field. A manager has one time for all its fields, so the change may be older and is never younger;
    /// nothing if nobody owns the field, or somebody does who has no time: whoever scales through the `scale` subresource.
    fn set_at(&self, owns: impl Fn(&SpecFields) -> bool) -> Option<Timestamp> {
        let managers = self.managed_fields.iter().flatten();
        let owners = managers.filter(|manager| {
            let spec = manager.fields.as_ref().and_then(|fields| fields.spec.as_ref());
            spec.is_some_and(&owns)
        });
        let times: Option<Vec<Timestamp>> = owners.map(|owner| owner.time).collect();
        times?.into_iter().max()
    }
}

/// A condition of an object's status.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Condition {
    pub(super) r#type: String,
    pub(super) last_transition_time: Option<Timestamp>,
    pub(super) last_update_time: Option<Timestamp>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set_at(managers: &str) -> (Option<String>, Option<String>) {
        let metadata: Metadata =
            serde_json::from_str(&format!(r#"{{"name":"a","managedFields":{managers}}}"#)).unwrap();
        let text = |time: Option<Timestamp>| time.map(|time| time.to_string());
        (text(metadata.replicas_set_at()), text(metadata.template_set_at()))
    }

    #[test]
    fn a_field_was_set_at_the_latest_by_its_newest_owner() {
        let entry =
            |time: &str, fields: &str| format!(r#"{{"manager":"m","operation":"Update",{time}"fieldsV1":{fields}}}"#);
        let at = |day: u32| format!(r#""time":"2026-10-0{day}T09:00:00Z","#);
        let (replicas, template) = (
            r#"{"f:spec":{"f:replicas":{}}}"#,
            r#"{"f:spec":{".":{},"f:template":{"f:spec":{}}}}"#,
        );
        let day = |day: u32| Some(format!("2026-10-0{day}T09:00:00Z"));
        for (managers, want) in [
            ("null".to_owned(), (None, None)),
            ("[]".to_owned(), (None, None)),
            (
                format!("[{}]", entry(&at(1), r#"{"f:status":{"f:replicas":{}}}"#)),
                (None, None),
            ),
            (
                format!("[{},{}]", entry(&at(2), replicas), entry(&at(1), replicas)),
                (day(2), None),
            ),
            (
                format!("[{},{}]", entry(&at(2), replicas), entry(&at(3), template)),
                (day(2), day(3)),
            ),
            (
                format!("[{},{}]", entry("", replicas), entry(&at(3), replicas)),
                (None, None),
            ),
        ] {
            assert_eq!(set_at(&managers), want, "{managers}");
        }
    }
}
