//! Why a target stays as it is. Each reason names the direction that it blocks, and what it means for a pull request that is open already.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::ids::RepoPath;
use super::measurement::Grade;
use super::refusal::Refusal;
use super::scalar::{Finite, Scalar};
use super::snapshot::{Inventory, MetricKey};
use super::target::Direction;

/// The directions that a reason stands in the way of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Blocks {
    /// Only downs: an up is still right.
    Down,
    /// Only ups.
    Up,
    /// Any change.
    Both,
    /// Nothing: it says why nothing is wanted.
    Nothing,
}

impl Blocks {
    /// Whether a change in a direction is blocked. Text that has no direction is blocked by whatever blocks anything.
    pub fn direction(self, direction: Option<Direction>) -> bool {
        match (self, direction) {
            (Self::Nothing, _) => false,
            (Self::Both, _) | (_, None) => true,
            (Self::Down, Some(direction)) => direction == Direction::Down,
            (Self::Up, Some(direction)) => direction == Direction::Up,
        }
    }
}

/// What a reason means for our pull request that is open for the same target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OpenPullRequest {
    /// It stays as it is: the reason says only that we can't judge or act now.
    Keep,
    /// It is closed with the reason: what it proposes is no longer right.
    Withdraw,
}

/// Why a target stays as it is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", rename_all_fields = "camelCase", tag = "why")]
pub enum HoldReason {
    /// What was measured lies within the range where nothing is to be done.
    InRange {
        /// In words: `cpu 62 % over 24h, up above 75 %, down below 50 %`.
        summary: String,
    },
    /// No policy selects it.
    NoPolicy,
    /// More than one policy selects it, and they may disagree.
    PolicyConflict {
        /// The policies.
        policies: Vec<String>,
    },
    /// An input that the decision needs is not there or can't be trusted.
    Gap {
        /// Which: `memory/24h`, `tenants`, `version`.
        input: String,
        /// Its grade.
        grade: Grade,
        /// The cause. Hostile until escaped.
        cause: String,
        /// What can't be decided without it.
        blocks: Option<Direction>,
    },
    /// A listing of its management cluster is incomplete.
    Blind {
        /// Which.
        inventory: Inventory,
        /// The cause. Hostile until escaped.
        cause: String,
    },
    /// Machines of an older template are still being replaced.
    RolloutInProgress {
        /// Machines of the newest template.
        up_to_date: u32,
        /// All of them.
        replicas: u32,
    },
    /// Nodes are not Ready.
    NotReady {
        /// Ready nodes.
        ready: u32,
        /// All of them.
        replicas: u32,
    },
    /// The cluster or the object is paused, live or in Git.
    Paused,
    /// The cluster is being deleted.
    Deleting,
    /// The last change's effect is too recent.
    CoolingDown {
        /// When the effect was seen live.
        changed_at: Timestamp,
        /// When it ends.
        until: Timestamp,
    },
    /// It is not known since when the live value has been what it is.
    UnknownAge,
    /// The policy acts in windows, and none is open.
    WindowClosed {
        /// When the next one opens.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        opens: Option<Timestamp>,
    },
    /// It is at the policy's minimum.
    AtMinimum {
        /// The minimum.
        min: u32,
    },
    /// It is at the policy's maximum.
    AtMaximum {
        /// The maximum.
        max: u32,
    },
    /// A cluster autoscaler owns the number.
    OwnedByAutoscaler {
        /// Its minimum.
        min: u32,
        /// Its maximum.
        max: u32,
    },
    /// Git and the cluster disagree: a merged change is not applied yet, or somebody changed the cluster by hand.
    NotApplied {
        /// What Git says.
        declared: Scalar,
        /// What is live.
        live: Scalar,
        /// Our merged pull request that it waits for.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        merged: Option<u64>,
    },
    /// The number in a chart's values is not the one that is live, and no change of ours that waits explains it: the chart may not read the key.
    KeyNotEffective {
        /// The key.
        key: String,
        /// What its value is.
        declared: Scalar,
        /// What is live.
        live: Scalar,
    },
    /// Another of our open pull requests is about the same target.
    OtherPullRequest {
        /// Its number.
        number: u64,
    },
    /// A person closed the pull request that proposed it, or deleted its branch.
    ClosedByReviewer {
        /// Its number.
        number: u64,
        /// Whether it is open still and its branch was deleted.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        branch_deleted: bool,
        /// Until when it is not proposed again.
        until: Timestamp,
    },
    /// It is live, but Git does not declare it.
    NotDeclared,
    /// Git declares it, but it is not live.
    NotLive,
    /// It can't be changed where it is written.
    NotWritable {
        /// The file.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        path: Option<RepoPath>,
        /// The line, counted from 1; 0 where there is none.
        line: usize,
        /// Why.
        refusal: Refusal,
    },
    /// A freeze window is open: only P1 ups pass.
    Frozen {
        /// The freeze's name.
        freeze: String,
        /// When it ends.
        until: Timestamp,
    },
    /// The policy is suspended.
    Suspended,
    /// The policy only reports.
    ReportOnly,
    /// An annotation in Git holds it.
    HeldByAnnotation {
        /// The author's words. Hostile until escaped.
        reason: String,
        /// When it ends; nothing means never.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        until: Option<Timestamp>,
    },
    /// A budget is used up.
    BudgetExhausted {
        /// Which: `downs per run: 10 % of 40 nodes = 4, 4 used`.
        budget: String,
    },
    /// With fewer nodes, a signal would come too close to the threshold that scales up again.
    WouldOvershoot {
        /// The signal.
        metric: MetricKey,
        /// Its projected value.
        projected: Finite,
        /// The bound that it would cross.
        bound: Finite,
    },
    /// A signal is above the use that ups aim at, but not above what triggers one: nothing new is wanted, and an up that is under review
    /// is still right.
    AboveTarget {
        /// The signal.
        metric: MetricKey,
        /// Its value.
        value: Finite,
        /// The use that is aimed at.
        target: Finite,
    },
    /// Nothing shows that the present value is what limits the controller.
    NoEvidence {
        /// What was looked for.
        looked_for: String,
    },
    /// The wanted value is not above the running version's own default.
    BelowDefault {
        /// The version.
        version: String,
        /// Its default.
        default: i64,
    },
    /// The running version does not know the flag: writing it would stop the controller.
    UnknownFlag {
        /// The version.
        version: String,
    },
    /// No shard of the region can take another cluster.
    NoRoom {
        /// Each shard with why not.
        shards: Vec<String>,
    },
    /// A cluster of that name is live or declared already.
    AlreadyPlaced {
        /// Where.
        at: String,
    },
}

impl HoldReason {
    /// The word that names the reason in JSON, metrics, scenarios and tests.
    pub fn id(&self) -> &'static str {
        self.traits().0
    }

    /// The direction that it blocks.
    pub fn blocks(&self) -> Blocks {
        self.traits().1
    }

    /// What it means for a pull request that is open already.
    pub fn open_pull_request(&self) -> OpenPullRequest {
        self.traits().2
    }

    /// One row per reason: its name, what it blocks, and what becomes of an open pull request.
    ///
    /// Rollout, remediation and unready nodes block downs only: an up that is needed is needed all the more while nodes are missing.
    fn traits(&self) -> (&'static str, Blocks, OpenPullRequest) {
        use Blocks::{Both, Down, Nothing, Up};
        use OpenPullRequest::{Keep, Withdraw};
        match self {
            Self::InRange { .. } => ("in-range", Nothing, Withdraw),
            Self::NoPolicy => ("no-policy", Both, Withdraw),
            Self::PolicyConflict { .. } => ("policy-conflict", Both, Keep),
            Self::Gap { blocks, .. } => (
                "gap",
                match blocks {
                    Some(Direction::Up) => Up,
                    Some(Direction::Down) => Down,
                    None => Both,
                },
                Keep,
            ),
            Self::Blind { .. } => ("blind", Both, Keep),
            Self::RolloutInProgress { .. } => ("rollout-in-progress", Down, Keep),
            Self::NotReady { .. } => ("not-ready", Down, Keep),
            Self::Paused => ("paused", Both, Withdraw),
            Self::Deleting => ("deleting", Both, Withdraw),
            Self::CoolingDown { .. } => ("cooling-down", Both, Keep),
            Self::UnknownAge => ("unknown-age", Down, Keep),
            Self::WindowClosed { .. } => ("window-closed", Both, Keep),
            Self::AtMinimum { .. } => ("at-minimum", Down, Withdraw),
            Self::AtMaximum { .. } => ("at-maximum", Up, Withdraw),
            Self::OwnedByAutoscaler { .. } => ("owned-by-autoscaler", Both, Withdraw),
            Self::NotApplied { .. } => ("not-applied", Both, Keep),
            Self::KeyNotEffective { .. } => ("key-not-effective", Both, Keep),
            Self::OtherPullRequest { .. } => ("other-pull-request", Both, Keep),
            Self::ClosedByReviewer { .. } => ("closed-by-reviewer", Both, Keep),
            Self::NotDeclared => ("not-declared", Both, Withdraw),
            Self::NotLive => ("not-live", Both, Keep),
            Self::NotWritable { .. } => ("not-writable", Both, Withdraw),
            Self::Frozen { .. } => ("frozen", Both, Keep),
            Self::Suspended => ("suspended", Both, Keep),
            Self::ReportOnly => ("report-only", Both, Withdraw),
            Self::HeldByAnnotation { .. } => ("held-by-annotation", Both, Withdraw),
            Self::BudgetExhausted { .. } => ("budget-exhausted", Both, Keep),
            Self::WouldOvershoot { .. } => ("would-overshoot", Down, Withdraw),
            Self::AboveTarget { .. } => ("above-target", Nothing, Keep),
            // Evidence comes and goes with the hour of the day. That there is none at night takes nothing back from the day before.
            Self::NoEvidence { .. } => ("no-evidence", Both, Keep),
            Self::BelowDefault { .. } => ("below-default", Both, Withdraw),
            Self::UnknownFlag { .. } => ("unknown-flag", Both, Withdraw),
            Self::NoRoom { .. } => ("no-room", Both, Withdraw),
            Self::AlreadyPlaced { .. } => ("already-placed", Both, Withdraw),
        }
    }
}
