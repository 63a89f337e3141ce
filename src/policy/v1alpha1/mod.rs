//! The manifests as people write them: `apiVersion: fleetscale.io/v1alpha1`.
//!
//! The words on the fields are the reference: they go into the JSON Schema, which editors show. Every field that may be left out says what
//! it then is, and where that default comes from. Values with a form of their own (durations, percentages, schedules) stay text here, and
//! every field is optional to serde, so that a manifest with one mistake can still be read for the others: `validate` finds them all in one
//! go and makes the types that the rest of the program works with.

mod common;
mod controller;
mod fleet;
mod node_group;
mod platform;
mod sharding;
mod sources;
mod text;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use common::{
    ChartKey, Cooldown, DownWindows, GroupBy, Mode, OnSharedBase, Selector, Step, Window, WriteTo, WriteToObject,
};
pub use controller::{ControllerPolicySpec, Evidence, FlagLadder, FlagRung};
pub use fleet::{
    Author, Budget, BudgetDirection, BudgetPer, FleetSpec, Forge, Freeze, Limits, LocalForge, ManagementCluster,
    PoliciesSource, Region, Repository, Source,
};
pub use node_group::{Bounds, NodeGroupPolicySpec, ScaleDown, ScaleUp, Trigger};
pub use platform::{PlatformPolicySpec, ReplicaRung};
pub use sharding::{Capacity, Shard, ShardingPolicySpec};
pub use sources::{Credentials, Deadlines, GitHubForge, GiteaForge, Kubernetes, Prometheus};
pub use text::{
    BranchText, DurationText, FileText, NameText, PathTemplateText, PatternText, PercentText, PointerText,
    RepoPathText, ScheduleText, TemplateText, ZoneText,
};

/// The `apiVersion` of every manifest that people write for this program.
pub const API_VERSION: &str = "fleetscale.io/v1alpha1";

/// The kinds of manifest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// The fleet file.
    Fleet,
    /// How node groups scale.
    NodeGroupPolicy,
    /// How many replicas a platform component has.
    PlatformPolicy,
    /// Which flags a controller runs with.
    ControllerPolicy,
    /// Where new clusters go.
    ShardingPolicy,
}

impl Kind {
    /// Every kind, the fleet file first.
    pub const ALL: [Self; 5] = [
        Self::Fleet,
        Self::NodeGroupPolicy,
        Self::PlatformPolicy,
        Self::ControllerPolicy,
        Self::ShardingPolicy,
    ];

    /// The text of `kind`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Fleet => "Fleet",
            Self::NodeGroupPolicy => "NodeGroupPolicy",
            Self::PlatformPolicy => "PlatformPolicy",
            Self::ControllerPolicy => "ControllerPolicy",
            Self::ShardingPolicy => "ShardingPolicy",
        }
    }

    /// The kind of that name.
    pub fn of(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }
}

impl std::fmt::Display for Kind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.as_str())
    }
}

/// A manifest in the shape of a Kubernetes object. It is read from a file and never applied to a cluster.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Manifest<S> {
    /// The version of the format: `fleetscale.io/v1alpha1`.
    #[schemars(required)]
    pub api_version: Option<String>,
    /// What this manifest is.
    #[schemars(required)]
    pub kind: Option<String>,
    /// Its name.
    #[schemars(required)]
    pub metadata: Option<Metadata>,
    /// What is wanted, in the fields of the kind.
    #[schemars(required)]
    pub spec: Option<S>,
}

/// What identifies a manifest.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Metadata {
    /// The name, unique within its kind. Plans and pull requests name the policy that decided by it.
    #[schemars(required)]
    pub name: Option<NameText>,
    /// Labels, for people and other tools. They are not used here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub labels: Option<BTreeMap<String, String>>,
    /// Annotations, for people and other tools. They are not used here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub annotations: Option<BTreeMap<String, String>>,
}
