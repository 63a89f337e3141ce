//! Decisions: exactly one per target, and each says why.
//!
//! Not acting is data. A hold carries the reasons with the values that were measured, so that "why didn't it scale?" has an answer without
//! a log.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::duration::Duration;
use super::hold::HoldReason;
use super::ids::{ManagementClusterName, Namespace, PolicyName, ShardName};
use super::measurement::Grade;
use super::scalar::{Finite, Scalar};
use super::snapshot::MetricKey;
use super::target::{Direction, Target};

/// What is to become of one target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Decision {
    /// What it is about.
    pub target: Target,
    /// The policy that decided; nothing where none selects the target.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<PolicyRef>,
    /// The verdict.
    pub verdict: Verdict,
}

/// A policy by kind and name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct PolicyRef {
    /// `NodeGroupPolicy`, `PlatformPolicy`, `ControllerPolicy` or `ShardingPolicy`.
    pub kind: String,
    /// `metadata.name`.
    pub name: PolicyName,
}

impl std::fmt::Display for PolicyRef {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { kind, name } = self;
        write!(f, "{kind} {name}")
    }
}

/// The verdict on a target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase", tag = "is")]
pub enum Verdict {
    /// Give it another value.
    Set(Change),
    /// Put a new cluster into a shard.
    Place(Placement),
    /// Create a shard or a management cluster from a template. No decider makes one yet.
    Open {
        /// The template's name.
        template: String,
        /// The new shard's or management cluster's name.
        name: ShardName,
        /// Why.
        reasons: Vec<Reason>,
    },
    /// Leave it as it is.
    Hold {
        /// What would have been done but for the reasons; nothing where nothing is wanted.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        wanted: Option<Change>,
        /// Why not. Never empty.
        reasons: Vec<HoldReason>,
    },
}

/// A change of one scalar value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Change {
    /// The declared value.
    pub from: Scalar,
    /// The value to declare.
    pub to: Scalar,
    /// How urgent it is.
    pub priority: Priority,
    /// Why.
    pub reasons: Vec<Reason>,
}

impl Change {
    /// Which way it goes; nothing for text and for equal numbers.
    pub fn direction(&self) -> Option<Direction> {
        Direction::of(self.from.integer()?, self.to.integer()?)
    }
}

/// Where a new cluster goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Placement {
    /// The shard.
    pub shard: ShardName,
    /// The shard's management cluster.
    pub management_cluster: ManagementClusterName,
    /// The shard's namespace.
    pub namespace: Namespace,
    /// Why there.
    pub reasons: Vec<Reason>,
}

/// How soon a change is needed: from the window and the threshold, never from an alert's label.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Priority {
    /// Now: one hour above the urgent threshold.
    P1,
    /// Within a business day: 24 hours above the sustained threshold.
    P2,
    /// When it suits: everything else.
    Routine,
}

impl std::fmt::Display for Priority {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            Self::P1 => "P1",
            Self::P2 => "P2",
            Self::Routine => "routine",
        })
    }
}

/// Why a change is wanted, with what was measured.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", rename_all_fields = "camelCase", tag = "why")]
pub enum Reason {
    /// A signal is above its threshold.
    AboveThreshold {
        /// What was measured.
        evidence: Evidence,
        /// The threshold, in the signal's unit.
        threshold: Finite,
        /// P1 or P2.
        priority: Priority,
    },
    /// Every signal in every window stays below the target with fewer nodes.
    BelowTarget {
        /// The signal that comes closest.
        evidence: Evidence,
        /// What its use is projected to be with the new number.
        projected: Finite,
        /// The target.
        target: Finite,
    },
    /// The new number follows from the demand: measured use times nodes, over the target, rounded up.
    Projected {
        /// The signal that needs the most nodes.
        evidence: Evidence,
        /// The nodes that it was measured on.
        nodes: u32,
        /// The use that is aimed at.
        target: Finite,
        /// What it is projected to be with the new number.
        projected: Finite,
    },
    /// The policy's maximum or step cuts the change short.
    Capped {
        /// The number that the demand asks for.
        needed: u32,
        /// What cuts it: `max 12`, `step 4 nodes`.
        by: String,
    },
    /// The ladder's rung for a count.
    Ladder {
        /// What is counted: `tenants`, `clusters`.
        counted: String,
        /// How many there are.
        count: u32,
        /// The count from which the rung holds.
        rung: u32,
    },
    /// The running version's own default of a flag.
    VersionDefault {
        /// The component's version.
        version: String,
        /// The default.
        value: i64,
        /// Where that is written.
        source: String,
    },
    /// Evidence that the present limit is what slows the controller down.
    AtLimit {
        /// What was measured.
        evidence: Evidence,
        /// The limit in the same unit.
        limit: Finite,
    },
    /// Evidence that work piles up: more waits than over a longer time.
    Growing {
        /// What was measured.
        evidence: Evidence,
        /// The same over a longer time.
        baseline: Evidence,
    },
    /// The shard has the most room of its region.
    MostRoom {
        /// Room in the shard before the placement, in clusters.
        room: u32,
        /// Its capacity.
        capacity: u32,
        /// How many other shards of the region could have taken it.
        others: u32,
    },
    /// An open pull request proposes it already, and nothing says that it is no longer right.
    Carried {
        /// The pull request.
        number: u64,
    },
}

/// One measured value as evidence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Evidence {
    /// What was measured over which window.
    pub metric: MetricKey,
    /// The value that counted: for a partial measurement its lower bound.
    pub value: Finite,
    /// How far it may be trusted.
    pub grade: Grade,
    /// The time of its newest sample.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
}

impl Evidence {
    /// How old it was at some time, where that is known.
    pub fn age(&self, now: Timestamp) -> Option<Duration> {
        let seconds = now.duration_since(self.at?).as_secs();
        u32::try_from(seconds).ok().map(Duration::from_seconds)
    }
}
