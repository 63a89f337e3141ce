//! What several kinds have in common.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::text::{
    DurationText, NameText, PathTemplateText, PatternText, PercentText, PointerText, ScheduleText, TemplateText,
    ZoneText,
};

/// Whether a policy acts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Mode {
    /// Decide and say so in the plan, but propose nothing. The default: a policy that nobody has watched yet opens no pull request.
    #[default]
    Report,
    /// Decide and open pull requests.
    Propose,
}

/// What becomes one pull request.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum GroupBy {
    /// One for the ups and one for the downs of each workload cluster. The default: reviewers own clusters.
    #[default]
    Cluster,
    /// One for the ups and one for the downs of all workload clusters of a management cluster.
    ManagementCluster,
}

/// What becomes of a number that stands in a kustomize base which several overlays share.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum OnSharedBase {
    /// It is held, with the list of the overlays. The default: whoever shares a base wants one number.
    #[default]
    Hold,
    /// The overlay that is meant gets a patch of its own, from which on its number is another one.
    Patch,
}

/// Which targets a policy is about. Every list that is given must match; within a list, one match is enough.
///
/// An empty or absent selector selects nothing, so that a blank policy can't act on the whole fleet. To select everything, write
/// `regions: ["*"]`.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Selector {
    /// Regions by name, as in the fleet file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub regions: Option<Vec<PatternText>>,
    /// Management clusters by name, as in the fleet file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub management_clusters: Option<Vec<PatternText>>,
    /// Namespaces of workload clusters (only for node groups).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespaces: Option<Vec<PatternText>>,
    /// Workload clusters by name (only for node groups).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clusters: Option<Vec<PatternText>>,
    /// Node groups by name (only for node groups).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node_groups: Option<Vec<PatternText>>,
}

/// How far one change may go. Where both are given, the smaller one counts.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Step {
    /// Nodes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 5000))]
    pub nodes: Option<u32>,
    /// Share of the nodes that are there, rounded up to at least one node.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub percent: Option<PercentText>,
}

/// How long a value rests after its last change was seen live.
///
/// It counts from the moment at which the cluster had the new value, not from the merge: the two can lie days apart.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Cooldown {
    /// No up within this time. Default `1h`, the window of the urgent signal: until then its average still contains the time before the
    /// change and would ask for the same nodes again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub up: Option<DurationText>,
    /// No down within this time. Default `24h`, the window of the sustained signal, for the same reason. (Cluster Autoscaler waits 10m,
    /// `--scale-down-delay-after-add`: it looks at the present only, and nobody reviews what it does.)
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub down: Option<DurationText>,
}

/// A stretch of time that recurs.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Window {
    /// When it starts: five fields as in a CronJob.
    #[schemars(required)]
    pub schedule: Option<ScheduleText>,
    /// The IANA time zone of the schedule. Default `UTC`, as in a CronJob.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<ZoneText>,
    /// How long it stays open, in elapsed time.
    #[schemars(required)]
    pub duration: Option<DurationText>,
    /// Only in this week of the month: 1 is days 1 to 7, so `0 2 * * sat` with `week: 1` is the month's first Saturday. Default: every week.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 5))]
    pub week: Option<u8>,
}

/// When downs may happen.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DownWindows {
    /// Downs are proposed only while one of these is open. Default: at any time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub windows: Option<Vec<Window>>,
}

/// A Kubernetes object in a file.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct WriteToObject {
    /// Its kind: `MachineDeployment`, `Cluster`, `Deployment`.
    #[schemars(required)]
    pub kind: Option<String>,
    /// Its `metadata.name`. Default: any, as long as only one object of that kind is in the file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<TemplateText>,
    /// Its `metadata.namespace`. Default: any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<TemplateText>,
}

/// The Helm chart in whose values something is, and the key there.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ChartKey {
    /// The chart's name as the `HelmRelease` or `Application` gives it: `kamaji`, `kmetal`, or the name of a chart that has one of these as a
    /// dependency.
    #[schemars(required)]
    pub name: Option<NameText>,
    /// The key in its values: `/kamaji/replicas` for replicas, `/kamaji/extraArgs` for flags. Default: the one that the chart is known to read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<PointerText>,
}

/// Where the value is written in the repository, where it can't be found by the object's identity.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct WriteTo {
    /// The file: `clusters/{managementCluster}/kmetal-values.yaml`. Names that may stand in braces: `region`, `managementCluster`,
    /// `component`, and for node groups `namespace`, `cluster`, `nodeGroup`.
    #[schemars(required)]
    pub path: Option<PathTemplateText>,
    /// The object in that file. Default: the file is no Kubernetes object (Helm values) and has a single document.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub object: Option<WriteToObject>,
    /// The value in that object or document. Required without `object`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pointer: Option<PointerText>,
    /// The container whose `args` hold the flags (only for controllers). Default: `manager`, as in every manifest of Cluster API.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub container: Option<NameText>,
}
