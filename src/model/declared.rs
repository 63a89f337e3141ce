//! What Git says: for each target its value, the place where that value lives, and who may change it.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::ids::{ClusterName, ManagementClusterName, Namespace, ObjectId, ObjectKey, RegionName, RepoPath, ShardName};
use super::place::Place;
use super::refusal::Refusal;
use super::scalar::Scalar;
use super::snapshot::AutoscalerBounds;
use super::target::Target;

/// Everything that the policies could want to know of the repository at one base commit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Declared {
    /// The commit that was read.
    pub base: ObjectId,
    /// One binding per declared target.
    pub bindings: BTreeMap<Target, Binding>,
    /// New clusters that wait for a place.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub requests: BTreeMap<Target, PlacementRequest>,
    /// The shards that the sharding policies name, with what Git holds in them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub shards: BTreeMap<ShardName, DeclaredShard>,
    /// Files and documents that looked as if they declared a target but can't be bound.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unbound: Vec<Unbound>,
}

/// A target's value in Git and what is known about changing it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Binding {
    /// The declared value; nothing where Git leaves it out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<Scalar>,
    /// Where it is written, or why it can't be changed there.
    pub site: Site,
    /// The bounds of a cluster autoscaler that owns the value, from annotations in Git.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub autoscaler: Option<AutoscalerBounds>,
    /// Why no cluster autoscaler owns the value, though there are annotations of one in Git.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unscaled: Option<String>,
    /// Whether Git pauses the cluster or the object.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub paused: bool,
    /// The annotation `fleetscale.io/hold` of the object or its cluster.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hold: Option<HoldAnnotation>,
}

/// Where a value is written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase", tag = "is")]
pub enum Site {
    /// It can be changed here.
    Writable(Place),
    /// It can't be changed, and this is why.
    Refused {
        /// The file, where one was found.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        path: Option<RepoPath>,
        /// The line, counted from 1; 0 where there is none.
        line: usize,
        /// Why not.
        refusal: Refusal,
    },
}

impl Site {
    /// Makes it refused, at its file and another line if one is given, unless it is already: the first reason is the one that is nearest to
    /// the value.
    ///
    /// Where the first reason is a shared base, a second one means that a patch in an overlay would not do either.
    pub fn refuse(&mut self, line: Option<usize>, refusal: impl FnOnce() -> Refusal) {
        match self {
            Self::Writable(place) => {
                *self = Self::Refused {
                    path: Some(place.path.clone()),
                    line: line.unwrap_or(place.line),
                    refusal: refusal(),
                }
            }
            Self::Refused { refusal, .. } => refusal.withdraw_patch(),
        }
    }
}

/// The annotation `fleetscale.io/hold: <reason>[; until=<time>]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct HoldAnnotation {
    /// What its author gave as the reason. Hostile until escaped.
    pub reason: String,
    /// When it ends; nothing means never. An end that can't be read means never, and the reason says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
}

/// A new cluster's manifest in a requests folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct PlacementRequest {
    /// The region whose requests folder it lies in.
    pub region: RegionName,
    /// The `Cluster` of the file.
    pub cluster: ClusterName,
    /// The file.
    pub path: RepoPath,
    /// What has to be said in each document, in order, so that it lives in a shard's namespace; or why the file can't be moved.
    pub documents: Result<Vec<NamespaceSite>, RefusedRequest>,
    /// The annotation `fleetscale.io/hold` of the cluster.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hold: Option<HoldAnnotation>,
}

/// Why a request can't be placed as it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct RefusedRequest {
    /// The line, counted from 1; 0 where there is none.
    pub line: usize,
    /// Why.
    pub refusal: Refusal,
}

/// How a document of a request says its namespace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct NamespaceSite {
    /// Which document of the file's stream, counted from 0.
    pub document: usize,
    /// What that document says it is.
    pub object: ObjectKey,
    /// The namespace that it says now; nothing where it says none and the key has to be inserted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
}

/// A shard as Git declares it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct DeclaredShard {
    /// Its management cluster.
    pub management_cluster: ManagementClusterName,
    /// Its namespace.
    pub namespace: Namespace,
    /// The clusters that Git declares in its namespace on its management cluster.
    pub clusters: Vec<ClusterName>,
    /// The list `resources:` of the kustomization in the shard's folder, or why it can't be extended.
    pub kustomization: Site,
    /// The folder that a new cluster's file moves into.
    pub folder: RepoPath,
    /// The names of the files that are there already.
    pub files: Vec<String>,
}

/// A file or document that looked relevant but can't be bound.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Unbound {
    /// The file.
    pub path: RepoPath,
    /// The line, counted from 1; 0 for the whole file.
    pub line: usize,
    /// What it looks like: `MachineDeployment shard-a/blue-md-0`. Hostile until escaped.
    pub what: String,
    /// Why it can't be bound.
    pub refusal: Refusal,
}
