//! `NodeGroupPolicy`: when node groups grow and shrink.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::common::{Cooldown, GroupBy, Mode, OnSharedBase, Selector, Step, Window, WriteTo};
use super::text::{DurationText, PercentText};

/// When node groups grow and shrink, and how far.
///
/// The numbers are those of Elastisys' Compliant Kubernetes for capacity management unless another source is named: up at once when it is
/// urgent, up within a business day when it is sustained, down rarely and with care.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NodeGroupPolicySpec {
    /// Which node groups.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub selector: Option<Selector>,
    /// How many nodes a group may have.
    #[schemars(required)]
    pub bounds: Option<Bounds>,
    /// When groups grow. Default: the urgent and the sustained signal with their defaults.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scale_up: Option<ScaleUp>,
    /// When groups shrink. Default: never. Write `scaleDown: {}` to shrink with the defaults.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scale_down: Option<ScaleDown>,
    /// How long a group rests after a change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cooldown: Option<Cooldown>,
    /// A measurement whose newest sample is older than this is stale, and nothing shrinks on it. Default `10m`: Prometheus itself gives a
    /// series up after 5m (`--query.lookback-delta`), and twice that forgives one missed round of a remote write or a federation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_age: Option<DurationText>,
    /// A measurement with fewer of its window's samples than this is partial, and nothing shrinks on it. Default `95%`: a reboot of a
    /// node in a 1h window passes, an outage of the monitoring does not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_coverage: Option<PercentText>,
    /// What becomes one pull request. Default `cluster`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group_by: Option<GroupBy>,
    /// The variable of a `Cluster` topology that holds the number, if a patch of the `ClusterClass` takes it from one: `workerCount`. One
    /// variable can't be the number of several groups. Default: none. It can't stand beside `writeTo`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub variable: Option<String>,
    /// Where the number is written. Default: wherever the object's identity is found (a `MachineDeployment`, or the entry of a `Cluster`
    /// topology), and then `/spec/replicas` or `replicas` of that entry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub write_to: Option<WriteTo>,
    /// What becomes of a number that stands in a kustomize base which several overlays share. Default `hold`; `patch` adds an RFC 6902 patch to
    /// `patches` of the overlay, where it is certain that nothing else is changed by it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_shared_base: Option<OnSharedBase>,
    /// Whether the policy acts. Default `report`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<Mode>,
    /// Holds everything that the policy selects, as long as it is true. Default false.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suspend: Option<bool>,
}

/// How many nodes a group may have. A group outside of them is not forced back in; it only never leaves them by a change of ours.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Bounds {
    /// Never shrink below this. Default 3: with fewer the loss of one takes half of the capacity or all of it, and Compliant Kubernetes asks
    /// for smaller nodes instead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 5000))]
    pub min: Option<u32>,
    /// Never grow beyond this. It has no default: only you know the hardware and the bill. At most 5000, the largest cluster that Kubernetes
    /// is tested with.
    #[schemars(required, range(min = 1, max = 5000))]
    pub max: Option<u32>,
}

/// When groups grow.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ScaleUp {
    /// P1: needs attention now. Default: over `1h`, CPU above `95%` or memory above `85%`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub urgent: Option<Trigger>,
    /// P2: needs attention within a business day. Default: over `24h`, CPU or memory above `75%`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sustained: Option<Trigger>,
    /// The use that the new number of nodes is to bring about: enough nodes that both CPU and memory are projected to be at or below it. Default
    /// `70%`, below the sustained thresholds by a margin, so that the group does not trigger again at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<PercentText>,
    /// How far one change may go. Default `percent: 100%`: before a doubling, Compliant Kubernetes wants somebody to ask whether the
    /// application misbehaves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_step: Option<Step>,
}

/// A window and the averages over it that trigger. One signal above its threshold is enough.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Trigger {
    /// The time that is averaged over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window: Option<DurationText>,
    /// CPU use of the group's nodes, as a share of their capacity.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu: Option<PercentText>,
    /// Memory use of the group's nodes, as a share of their capacity.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory: Option<PercentText>,
}

/// When groups shrink. Every condition must hold, for CPU and for memory.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ScaleDown {
    /// The times that are averaged over; the averages of all of them must agree. Default `[1h, 24h, 7d]`: now, a day, and a week with
    /// its weekend. Compliant Kubernetes looks at 3 to 6 months before it shrinks anything: make the last one as long as your metrics last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub lookback: Option<Vec<DurationText>>,
    /// Shrink only if the use is below this. Default `50%`, as Cluster Autoscaler (`--scale-down-utilization-threshold`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub below: Option<PercentText>,
    /// Shrink only as far as the use is projected to stay at or below this. Default `65%`. It must not be above the target of ups, and must
    /// stay 5 points below every threshold of ups, so that a down never brings about its own inverse.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<PercentText>,
    /// How far one change may go. Default `nodes: 1`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_step: Option<Step>,
    /// Downs are proposed only while one of these is open. Default: at any time. Compliant Kubernetes shrinks only after a regular review: the
    /// shipped policy has one window a month.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub windows: Option<Vec<Window>>,
}
