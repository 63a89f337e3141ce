//! A MachineDeployment as a node group, in v1beta1 and v1beta2.
//!
//! What differs between the versions is where the counts and conditions stand: `upToDateReplicas` was `updatedReplicas`, and v1beta1 keeps
//! what v1beta2 counts below `status.v1beta2` (from Cluster API 1.9 on). A count that the status does not have is 0 there: `ready` and
//! `up_to_date` only ever tell that a group is not at rest, and nobody takes them for its size.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Deserialize;

use crate::model::{AutoscalerBounds, LiveNodeGroup};

use super::machines::OfGroup;
use super::objects::{Annotations, Condition, Labels, Metadata};

/// A MachineDeployment.
#[derive(Debug, Deserialize)]
pub(super) struct MachineDeployment {
    pub(super) metadata: Metadata,
    spec: Spec,
    status: Option<Status>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Spec {
    cluster_name: Option<String>,
    replicas: Option<i64>,
    paused: Option<bool>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Status {
    observed_generation: Option<i64>,
    ready_replicas: Option<i64>,
    up_to_date_replicas: Option<i64>,
    updated_replicas: Option<i64>,
    conditions: Option<Vec<Condition>>,
    v1beta2: Option<Later>,
}

/// What v1beta1 says in the terms of v1beta2.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Later {
    up_to_date_replicas: Option<i64>,
    conditions: Option<Vec<Condition>>,
}

/// A node group, and whose it is.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Group {
    /// The name of its Cluster.
    pub(super) cluster: String,
    /// Its name: that of the topology's entry, else the MachineDeployment's own. Declared node groups are called the same.
    pub(super) name: String,
    live: LiveNodeGroup,
}

/// The conditions whose last transition is the begin or end of a change of the number.
const OF_SCALING: [&str; 2] = ["ScalingDown", "ScalingUp"];

/// These and that of a change of the template.
const OF_CHANGE: [&str; 3] = ["RollingOut", "ScalingDown", "ScalingUp"];

impl Group {
    /// Reads a MachineDeployment, or says what is wrong with it.
    pub(super) fn of(object: MachineDeployment) -> Result<Self, &'static str> {
        let MachineDeployment { metadata, spec, status } = object;
        let status = status.unwrap_or_default();
        let replicas = spec.replicas.ok_or("has no spec.replicas")?;
        let replicas = u32::try_from(replicas).map_err(|_| "has spec.replicas that are no number of nodes")?;
        let changed_at = changed_at(&metadata, &status);
        let up_to_date = up_to_date(&metadata, &status);
        let annotations = metadata.annotations.unwrap_or_default();
        let live = LiveNodeGroup {
            replicas,
            ready: count(status.ready_replicas),
            up_to_date,
            paused: spec.paused == Some(true) || annotations.paused.is_some(),
            autoscaler: bounds(&annotations)?,
            changed_at,
            measurements: BTreeMap::new(),
        };
        Ok(Self {
            cluster: spec.cluster_name.ok_or("has no spec.clusterName")?,
            name: name(metadata.name, metadata.labels.unwrap_or_default())?,
            live,
        })
    }

    /// The node group with what its Machines say.
    pub(super) fn live(self, machines: Option<&OfGroup>) -> LiveNodeGroup {
        let newest = machines.and_then(|machines| machines.newest);
        LiveNodeGroup {
            changed_at: self
                .live
                .changed_at
                .max(newest.filter(|_| self.live.changed_at.is_some())),
            ..self.live
        }
    }
}

fn name(own: String, labels: Labels) -> Result<String, &'static str> {
    match (labels.topology_owned, labels.topology_entry) {
        (None, _) => Ok(own),
        (Some(_), Some(entry)) => Ok(entry),
        (Some(_), None) => {
            Err("is a topology's, but does not say of which entry (topology.cluster.x-k8s.io/deployment-name)")
        }
    }
}

/// A missing minimum is 0; without a maximum above 0 the autoscaler leaves the group alone (its Cluster API provider's README).
fn bounds(annotations: &Annotations) -> Result<Option<AutoscalerBounds>, &'static str> {
    let read = |text: &Option<String>| match text {
        None => Ok(0),
        Some(text) => text
            .parse::<u32>()
            .map_err(|_| "has an autoscaler's annotation that is no whole number, so it may have an owner"),
    };
    let (min, max) = (read(&annotations.min_size)?, read(&annotations.max_size)?);
    Ok((max > 0).then_some(AutoscalerBounds { min, max }))
}

/// Machines that are known to be of the newest template: none as long as the status is about an older spec.
fn up_to_date(metadata: &Metadata, status: &Status) -> u32 {
    if !is_current(metadata, status) {
        return 0;
    }
    let later = status.v1beta2.as_ref().and_then(|later| later.up_to_date_replicas);
    let counts = [status.up_to_date_replicas, status.updated_replicas, later];
    count(counts.into_iter().flatten().min())
}

/// Whether the status is about the spec as it is.
fn is_current(metadata: &Metadata, status: &Status) -> bool {
    let observed = status.observed_generation.zip(metadata.generation);
    observed.is_some_and(|(observed, generation)| generation <= observed)
}

fn count(number: Option<i64>) -> u32 {
    number.and_then(|number| u32::try_from(number).ok()).unwrap_or(0)
}

/// The latest moment at which the size can have changed: by who set `spec.replicas` and when, and by what happened to the group since.
///
/// Two things tell of a scale-down, which leaves no new Machine. Managers of fields have a time, but whoever goes through `/scale`, as
/// `kubectl scale` does, gets none (apimachinery's `ScaleHandler`). The conditions of v1beta2 say when the last scaling began or ended, once
/// the controller has seen the spec. With neither, nothing is said rather than a time that may be too old. All are bounds: the change itself
/// may be older, since a manager that changes something else of its own moves its time on.
fn changed_at(metadata: &Metadata, status: &Status) -> Option<Timestamp> {
    let later = status.v1beta2.as_ref().and_then(|later| later.conditions.as_ref());
    let conditions = status.conditions.iter().chain(later).flatten();
    let transitions: BTreeMap<&str, Timestamp> = conditions
        .filter_map(|condition| Some((condition.r#type.as_str(), condition.last_transition_time?)))
        .filter(|(kind, _)| OF_CHANGE.contains(kind))
        .collect();
    let told = is_current(metadata, status) && OF_SCALING.iter().all(|kind| transitions.contains_key(kind));
    let set_at = metadata.replicas_set_at();
    if set_at.is_none() && !told {
        return None;
    }
    transitions
        .into_values()
        .chain(metadata.creation_timestamp)
        .chain(set_at)
        .max()
}
