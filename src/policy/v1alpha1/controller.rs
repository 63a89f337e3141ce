//! `ControllerPolicy`: which flags a controller runs with.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::common::{ChartKey, Cooldown, Mode, Selector, WriteTo};
use super::text::{DurationText, NameText, PercentText};

/// Which rate limits and concurrency a Cluster API controller runs with, by the number of workload clusters that it has.
///
/// A flag is only ever raised, only above the default of the version that runs, and only on evidence that the present value is what slows
/// the controller down. That is Cluster API's own advice: tune on evidence, one step at a time (its book, "Tuning controllers").
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ControllerPolicySpec {
    /// The controller by its catalogue name: `capi`, `capi-kubeadm-bootstrap`, `capi-kubeadm-control-plane`, `capm3`, `bmo`, `capx`, `capk`,
    /// `kamaji`, `cacppk`, `caaph`.
    #[schemars(required)]
    pub component: Option<NameText>,
    /// On which management clusters. `regions` and `managementClusters` only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub selector: Option<Selector>,
    /// The flags with their ladders.
    #[schemars(required, length(min = 1))]
    pub flags: Option<Vec<FlagLadder>>,
    /// What must be seen before anything is raised.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence: Option<Evidence>,
    /// How long the controller rests after a change. Default: `up: 1h`. Every change of a flag restarts the controller, which then lists
    /// everything anew.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cooldown: Option<Cooldown>,
    /// A measurement whose newest sample is older than this is stale and no evidence. Default `10m`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_age: Option<DurationText>,
    /// The Helm chart in whose values the flags are, with the key of the list of arguments. Default: that of any release (`HelmRelease`, Argo CD
    /// `Application`) whose values have it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chart: Option<ChartKey>,
    /// Where the flags are written. Default: the `args` of the controller's `Deployment`, or of a patch of it, or the values of its chart,
    /// wherever either is found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub write_to: Option<WriteTo>,
    /// Whether the policy acts. Default `report`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<Mode>,
    /// Holds everything that the policy selects, as long as it is true. Default false.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suspend: Option<bool>,
}

/// A flag and its values.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FlagLadder {
    /// The flag without its dashes: `kube-api-qps`. It must be one that some version of the component knows and that takes a whole number.
    #[schemars(required)]
    pub name: Option<NameText>,
    /// The values by the number of workload clusters, in ascending order.
    #[schemars(required, length(min = 1))]
    pub ladder: Option<Vec<FlagRung>>,
}

/// From this many workload clusters on the management cluster on, this value.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FlagRung {
    /// From how many workload clusters on.
    #[schemars(required, range(max = 1_000_000))]
    pub clusters: Option<u32>,
    /// The flag's value.
    #[schemars(required, range(min = 1, max = 10_000))]
    pub value: Option<u32>,
}

/// What must be seen before a flag is raised: the controller sends requests at almost the rate that it is limited to, and work waits longer
/// and longer.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Evidence {
    /// The time that is averaged over. Default `1h`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window: Option<DurationText>,
    /// The longer time that the queues are compared with: they grow if more waits over `window` than over this. Default `24h`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub baseline: Option<DurationText>,
    /// The rate of requests, as a share of the limit in force (`--kube-api-qps`, written or default). Default `80%`: the limiter is a token
    /// bucket, so bursts already wait while the average is still below the limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_requests: Option<PercentText>,
}
