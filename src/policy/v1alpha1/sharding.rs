//! `ShardingPolicy`: where a region's new clusters go.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::common::Mode;
use super::text::{NameText, RepoPathText};

/// Where a region's new clusters go.
///
/// A manifest that waits in the requests folder is moved into the shard with the most room by one pull request. What is live already is
/// never placed or moved.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ShardingPolicySpec {
    /// The region, as in the fleet file. A region has at most one sharding policy.
    #[schemars(required)]
    pub region: Option<NameText>,
    /// How many clusters fit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capacity: Option<Capacity>,
    /// The folder in which new clusters' manifests wait. Nothing that Flux or Argo CD applies may contain it, or a cluster would be created before
    /// it has its place.
    #[schemars(required)]
    pub requests: Option<RepoPathText>,
    /// The shards.
    #[schemars(required, length(min = 1))]
    pub shards: Option<Vec<Shard>>,
    /// Whether the policy acts. Default `report`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<Mode>,
    /// Holds every placement, as long as it is true. Default false.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suspend: Option<bool>,
}

/// How many workload clusters fit.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Capacity {
    /// In one shard. Default 500. It is a planning figure without an upstream measurement behind it: one set of controllers first met its
    /// rate limit at 600 clusters in the Metal3 project's test.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 100_000))]
    pub shard: Option<u32>,
    /// In all shards of one management cluster together. Default 1000, the largest run that the Metal3 project has published.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 100_000))]
    pub management_cluster: Option<u32>,
}

/// A namespace of a management cluster with its own set of controllers.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Shard {
    /// Its name, unique in the fleet.
    #[schemars(required)]
    pub name: Option<NameText>,
    /// The management cluster, as in the fleet file.
    #[schemars(required)]
    pub management_cluster: Option<NameText>,
    /// The namespace that its clusters live in.
    #[schemars(required)]
    pub namespace: Option<NameText>,
    /// The folder that its clusters' manifests go into, with a `kustomization.yaml` that lists them.
    #[schemars(required)]
    pub path: Option<RepoPathText>,
    /// How many clusters fit, if not `capacity.shard`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 100_000))]
    pub capacity: Option<u32>,
}
