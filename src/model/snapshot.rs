//! What was observed: the live half of a run's inputs, and the envelope that holds both halves.
//!
//! A snapshot is one file. Whoever has it can replay the run that it fed, byte for byte. It says what was not seen as plainly as what was:
//! a missing value is a gap with its cause and never a zero.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::duration::Duration;
use super::ids::{ClusterName, ComponentName, Digest, ManagementClusterName, Namespace, NodeGroupName, RegionName};
use super::ledger::Ledger;
use super::measurement::Measurement;

/// `apiVersion` of the machine documents (`Snapshot`, `Plan`): their format version.
pub const MACHINE_API_VERSION: &str = "fleetscale.io/v1alpha1";

/// Both halves of what a run was told: what is live, and what was said before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Snapshot {
    /// Always [`MACHINE_API_VERSION`].
    pub api_version: String,
    /// Always `Snapshot`.
    pub kind: String,
    /// The time of the observation, and of every question in it. It is `now` for everything that is computed from this file.
    pub captured_at: Timestamp,
    /// What the clusters and their metrics said.
    pub live: Live,
    /// What the repository and the forge said about earlier proposals; empty in a snapshot that was taken without them.
    #[serde(default)]
    pub ledger: Ledger,
}

impl Snapshot {
    /// A snapshot of now, in the current format.
    pub fn new(captured_at: Timestamp, live: Live, ledger: Ledger) -> Self {
        Self {
            api_version: MACHINE_API_VERSION.to_owned(),
            kind: "Snapshot".to_owned(),
            captured_at,
            live,
            ledger,
        }
    }

    /// The digest of its canonical form: the same for YAML and JSON, whatever the order in the file.
    pub fn digest(&self) -> Digest {
        Digest::of(self)
    }
}

/// What is live, by management cluster.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Live {
    /// Every management cluster that was asked, the unreachable ones too.
    #[serde(default, deserialize_with = "super::unique::map")]
    pub management_clusters: BTreeMap<ManagementClusterName, LiveManagementCluster>,
}

/// One management cluster as its API server describes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct LiveManagementCluster {
    /// The region that it belongs to.
    pub region: RegionName,
    /// What could not be listed. A kind with a gap is incomplete: what is absent from it may well exist.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub gaps: Vec<Gap>,
    /// Workload clusters by namespace and name.
    #[serde(default, deserialize_with = "super::unique::map_of_maps")]
    pub clusters: BTreeMap<Namespace, BTreeMap<ClusterName, LiveCluster>>,
    /// Platform components by name.
    #[serde(
        default,
        skip_serializing_if = "BTreeMap::is_empty",
        deserialize_with = "super::unique::map"
    )]
    pub platforms: BTreeMap<ComponentName, LivePlatform>,
    /// Controllers by name.
    #[serde(
        default,
        skip_serializing_if = "BTreeMap::is_empty",
        deserialize_with = "super::unique::map"
    )]
    pub controllers: BTreeMap<ComponentName, LiveController>,
}

impl LiveManagementCluster {
    /// The number of workload clusters that were seen.
    pub fn cluster_count(&self) -> usize {
        self.clusters.values().map(BTreeMap::len).sum()
    }

    /// A gap in a listing, if it is not known to be complete: of several the first by cause, whatever their order.
    pub fn gap_in(&self, inventory: Inventory) -> Option<&Gap> {
        self.gaps.iter().filter(|gap| gap.what == inventory).min()
    }
}

/// The listings that can fail one by one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Inventory {
    /// CAPI Clusters and their node groups.
    Clusters,
    /// Platform components.
    Platforms,
    /// Controllers.
    Controllers,
    /// The metrics of nodes and controllers. Each measurement that is missing says so itself; this is the one cause of many.
    Metrics,
}

impl fmt::Display for Inventory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Clusters => "clusters",
            Self::Platforms => "platforms",
            Self::Controllers => "controllers",
            Self::Metrics => "metrics",
        })
    }
}

/// Something that could not be seen, and why.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Gap {
    /// Which listing is incomplete.
    pub what: Inventory,
    /// The cause, in the words of whoever refused. Hostile until escaped.
    pub cause: String,
}

/// A workload cluster.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct LiveCluster {
    /// `spec.paused`, or the annotation `cluster.x-k8s.io/paused`.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub paused: bool,
    /// Whether it is being deleted.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub deleting: bool,
    /// Its node groups by name.
    #[serde(default, deserialize_with = "super::unique::map")]
    pub node_groups: BTreeMap<NodeGroupName, LiveNodeGroup>,
}

/// A node group: a `MachineDeployment`, generated by a topology or not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct LiveNodeGroup {
    /// `spec.replicas`.
    pub replicas: u32,
    /// Nodes that are Ready. It is never taken for the size of the group.
    pub ready: u32,
    /// Machines of the newest template: fewer than `replicas` while a rollout is in progress.
    pub up_to_date: u32,
    /// `cluster.x-k8s.io/paused` on the object itself.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub paused: bool,
    /// The bounds of a cluster autoscaler that owns the size, from the annotations of the live object.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub autoscaler: Option<AutoscalerBounds>,
    /// Since when `spec.replicas` has had its value, as far as the API server tells (managed fields, newest Machine).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changed_at: Option<Timestamp>,
    /// What was measured on its nodes.
    #[serde(
        default,
        skip_serializing_if = "BTreeMap::is_empty",
        deserialize_with = "super::unique::map"
    )]
    pub measurements: BTreeMap<MetricKey, Measurement>,
}

/// The cluster autoscaler's bounds of a node group.
///
/// The autoscaler treats a missing minimum as 0 and owns a group as soon as a maximum above 0 is set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct AutoscalerBounds {
    /// `cluster.x-k8s.io/cluster-api-autoscaler-node-group-min-size`.
    pub min: u32,
    /// `cluster.x-k8s.io/cluster-api-autoscaler-node-group-max-size`.
    pub max: u32,
}

/// A platform component such as Kamaji.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct LivePlatform {
    /// `spec.replicas` of its Deployment.
    pub replicas: u32,
    /// Pods that are Ready.
    pub ready: u32,
    /// Since when `spec.replicas` has had its value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changed_at: Option<Timestamp>,
    /// How many tenant control planes it runs.
    pub tenants: Measurement,
}

/// A controller as its Deployment describes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct LiveController {
    /// Its version, from the image's tag: `v1.12.4`. Without it no default is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// The manager container's arguments, in order.
    pub args: Vec<String>,
    /// `spec.replicas` of its Deployment.
    pub replicas: u32,
    /// Pods that are Ready.
    pub ready: u32,
    /// Since when the pod template has had its value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changed_at: Option<Timestamp>,
    /// What was measured on it.
    #[serde(
        default,
        skip_serializing_if = "BTreeMap::is_empty",
        deserialize_with = "super::unique::map"
    )]
    pub measurements: BTreeMap<MetricKey, Measurement>,
}

/// What is measured, and over which time. Its text form is `cpu/1h`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct MetricKey {
    /// The signal.
    pub signal: Signal,
    /// The window that it was averaged over.
    pub window: Duration,
}

/// The signals that decisions stand on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Signal {
    /// CPU use of a node group's Ready nodes as a share of their capacity, 0 to 1.
    Cpu,
    /// Memory use of a node group's Ready nodes as a share of their capacity, 0 to 1.
    Memory,
    /// A controller's requests to its API server per second, summed over its pods (`rest_client_requests_total`).
    ClientRequests,
    /// Items that wait in a controller's work queues, without the resync's (`workqueue_depth`, priority -100 left out).
    QueueDepth,
}

const SIGNALS: [(&str, Signal); 4] = [
    ("cpu", Signal::Cpu),
    ("memory", Signal::Memory),
    ("client-requests", Signal::ClientRequests),
    ("queue-depth", Signal::QueueDepth),
];

impl Signal {
    /// Its name in texts and keys.
    pub fn as_str(self) -> &'static str {
        SIGNALS
            .iter()
            .find(|(_, signal)| *signal == self)
            .map_or("unknown", |(name, _)| name)
    }

    /// Whether it is a share of a whole. Such a value above 1 is a percentage by mistake or a broken query.
    pub fn is_share(self) -> bool {
        matches!(self, Self::Cpu | Self::Memory)
    }
}

impl fmt::Display for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A text that is no metric key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "metric {text:?}: expected a signal (cpu, memory, client-requests, queue-depth), `/` and a window, like `cpu/1h`"
)]
pub struct InvalidMetricKey {
    /// The text as it came in.
    pub text: String,
}

impl FromStr for MetricKey {
    type Err = InvalidMetricKey;
    fn from_str(text: &str) -> Result<Self, InvalidMetricKey> {
        let refuse = || InvalidMetricKey {
            text: text.chars().take(64).collect(),
        };
        let (name, window) = text.split_once('/').ok_or_else(refuse)?;
        let (_, signal) = SIGNALS.iter().find(|(known, _)| *known == name).ok_or_else(refuse)?;
        Ok(Self {
            signal: *signal,
            window: window.parse().map_err(|_| refuse())?,
        })
    }
}

impl TryFrom<String> for MetricKey {
    type Error = InvalidMetricKey;
    fn try_from(text: String) -> Result<Self, InvalidMetricKey> {
        text.parse()
    }
}

impl From<MetricKey> for String {
    fn from(key: MetricKey) -> Self {
        key.to_string()
    }
}

impl fmt::Display for MetricKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.signal, self.window)
    }
}
