//! `PlatformPolicy`: how many replicas a platform component has.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::common::{ChartKey, Cooldown, DownWindows, Mode, OnSharedBase, Selector, WriteTo};
use super::text::{DurationText, NameText};

/// How many replicas a platform component has, by the number of tenants.
///
/// Replicas of Kamaji are for availability, never for throughput: one of them leads and reconciles, the others wait (`--leader-elect`). More
/// tenants are served faster by a higher `--max-concurrent-tcp-reconciles` and by more management clusters, not by this ladder.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PlatformPolicySpec {
    /// The component. Only `kamaji` is known so far.
    #[schemars(required)]
    pub component: Option<NameText>,
    /// On which management clusters. `regions` and `managementClusters` only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub selector: Option<Selector>,
    /// The replicas by the number of tenants, in ascending order.
    #[schemars(required, length(min = 1))]
    pub ladder: Option<Vec<ReplicaRung>>,
    /// When the component loses replicas because its tenants became fewer. Default: never. Write `scaleDown: {}` to allow it at any time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scale_down: Option<DownWindows>,
    /// How long the component rests after a change. Default: `up: 1h`, `down: 24h`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cooldown: Option<Cooldown>,
    /// A count of tenants that is older than this is stale, and nothing shrinks on it. Default `10m`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_age: Option<DurationText>,
    /// The Helm chart in whose values the number is. Default: that of any release (`HelmRelease`, Argo CD `Application`) whose values say it;
    /// where two keys of one release do, the policy has to name one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chart: Option<ChartKey>,
    /// Where the number is written. Default: `/spec/replicas` of the component's `Deployment` or the values of its chart, wherever either is
    /// found.
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

/// From this many tenants on, this many replicas.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ReplicaRung {
    /// From how many tenants on.
    #[schemars(required, range(max = 1_000_000))]
    pub tenants: Option<u32>,
    /// How many replicas. At least 2: a single one is an outage whenever its node is drained.
    #[schemars(required, range(min = 2, max = 100))]
    pub replicas: Option<u32>,
}
