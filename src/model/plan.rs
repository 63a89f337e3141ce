//! The plan: a complete, reviewable intent, valid for exactly one base commit. No meaningful choice is left for whoever carries it out.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::decision::{Change, Decision, Placement, PolicyRef, Priority, Verdict};
use super::edit::Edit;
use super::hold::HoldReason;
use super::ids::{
    BranchName, ClusterName, ComponentName, Digest, ManagementClusterName, Namespace, ObjectId, ShardName,
};
use super::ledger::RecordedChange;
use super::scalar::Scalar;
use super::snapshot::MACHINE_API_VERSION;
use super::target::{Direction, Target};

/// Everything that one run wants, and everything that it leaves alone with the reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Plan {
    /// Always [`MACHINE_API_VERSION`].
    pub api_version: String,
    /// Always `Plan`.
    pub kind: String,
    /// The commit that it is valid for.
    pub base: Base,
    /// The digest of the snapshot that it follows from.
    pub snapshot: Digest,
    /// The digest of the policies that it follows from.
    pub policies: Digest,
    /// The time that it was computed for.
    pub now: Timestamp,
    /// What to propose, by scope.
    pub proposals: Vec<Proposal>,
    /// Our open pull requests for which there is no proposal now, and what becomes of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub standing: Vec<Standing>,
    /// Every other decision, by target.
    pub held: Vec<Decision>,
    /// What the checker found. A plan with a note of severity error is never published.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<Note>,
}

impl Plan {
    /// `apiVersion` and `kind` of a plan in the current format.
    pub fn envelope() -> (String, String) {
        (MACHINE_API_VERSION.to_owned(), "Plan".to_owned())
    }

    /// The digest of its canonical form.
    pub fn digest(&self) -> Digest {
        Digest::of(self)
    }

    /// The counts of its last line.
    pub fn summary(&self) -> Summary {
        let to_change = self.proposals.iter().map(|proposal| proposal.changes.len()).sum();
        let held = self.held.iter().filter(|decision| is_held(decision)).count();
        Summary {
            to_change,
            held,
            unchanged: self.held.len() - held,
        }
    }
}

/// Whether a decision stands in the way of something, or of knowing whether something is needed.
pub fn is_held(decision: &Decision) -> bool {
    match &decision.verdict {
        Verdict::Set(_) | Verdict::Place(_) | Verdict::Open { .. } => false,
        Verdict::Hold { wanted, reasons } => {
            wanted.is_some()
                // A cluster that waits always wants its place.
                || matches!(decision.target, Target::Placement { .. })
                // What has no value that can be read can't be judged at all.
                || reasons
                    .iter()
                    .all(|reason| matches!(reason, HoldReason::NotWritable { .. }))
                || reasons.iter().any(|reason| {
                    matches!(
                        reason,
                        HoldReason::Gap { .. }
                            | HoldReason::PolicyConflict { .. }
                            | HoldReason::Blind { .. }
                            | HoldReason::NotApplied { .. }
                            | HoldReason::KeyNotEffective { .. }
                            | HoldReason::NotDeclared
                            | HoldReason::NotLive
                            | HoldReason::NoRoom { .. }
                            | HoldReason::AlreadyPlaced { .. }
                            | HoldReason::UnknownFlag { .. }
                    )
                })
        }
    }
}

/// The last line of every plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Summary {
    /// Targets that a proposal changes.
    pub to_change: usize,
    /// Targets where a change is wanted or can't be judged, and something holds it.
    pub held: usize,
    /// All others.
    pub unchanged: usize,
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            to_change,
            held,
            unchanged,
        } = self;
        write!(f, "{to_change} to change, {held} held, {unchanged} unchanged")
    }
}

/// The branch that proposals are to be merged into, and its commit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Base {
    /// The branch.
    pub branch: BranchName,
    /// Its commit.
    pub commit: ObjectId,
}

/// What one pull request is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Scope {
    /// The management cluster.
    pub management_cluster: ManagementClusterName,
    /// The subject on it.
    pub subject: Subject,
}

/// The subject of a scope. Up and down never share one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", rename_all_fields = "camelCase", tag = "of")]
pub enum Subject {
    /// The node groups of one workload cluster.
    Cluster {
        /// Its namespace.
        namespace: Namespace,
        /// Its name.
        cluster: ClusterName,
        /// One direction.
        direction: Direction,
    },
    /// The node groups of all workload clusters (`groupBy: managementCluster`).
    NodeGroups {
        /// One direction.
        direction: Direction,
    },
    /// The platform components.
    Platform {
        /// One direction.
        direction: Direction,
    },
    /// The flags of one controller.
    Controller {
        /// The controller.
        component: ComponentName,
    },
    /// The place of a new cluster.
    Place {
        /// The cluster.
        cluster: ClusterName,
    },
    /// A new shard.
    Shard {
        /// Its name.
        name: ShardName,
    },
    /// A new management cluster.
    ManagementCluster,
}

impl Scope {
    /// The direction that the scope has; nothing where it has none.
    pub fn direction(&self) -> Option<Direction> {
        match &self.subject {
            Subject::Cluster { direction, .. }
            | Subject::NodeGroups { direction }
            | Subject::Platform { direction } => Some(*direction),
            Subject::Controller { .. } | Subject::Place { .. } | Subject::Shard { .. } | Subject::ManagementCluster => {
                None
            }
        }
    }
}

/// The scope for people: `eu-1 shard-a/blue up`.
impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            management_cluster,
            subject,
        } = self;
        match subject {
            Subject::Cluster {
                namespace,
                cluster,
                direction,
            } => write!(f, "{management_cluster} {namespace}/{cluster} {direction}"),
            Subject::NodeGroups { direction } => write!(f, "{management_cluster} node groups {direction}"),
            Subject::Platform { direction } => write!(f, "{management_cluster} platform {direction}"),
            Subject::Controller { component } => write!(f, "{management_cluster} controller {component}"),
            Subject::Place { cluster } => write!(f, "{management_cluster} place {cluster}"),
            Subject::Shard { name } => write!(f, "{management_cluster} shard {name}"),
            Subject::ManagementCluster => write!(f, "management cluster {management_cluster}"),
        }
    }
}

/// What becomes one pull request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Proposal {
    /// What it is about.
    pub scope: Scope,
    /// Its branch: a pure function of the scope.
    pub branch: BranchName,
    /// The highest priority of its changes.
    pub priority: Priority,
    /// Its changes, by target.
    pub changes: Vec<ProposedChange>,
    /// Other decisions about the same cluster that hold, for the reviewer.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub related: Vec<Decision>,
    /// The digest of its edits alone: path, identity, pointer, from, to. Same digest, same proposal.
    pub digest: Digest,
}

impl Proposal {
    /// All its edits, in the order of its changes.
    pub fn edits(&self) -> impl Iterator<Item = &Edit> {
        self.changes.iter().flat_map(|change| &change.edits)
    }

    /// What it writes into its pull request's hidden state.
    pub fn recorded_changes(&self) -> Vec<RecordedChange> {
        self.changes
            .iter()
            .map(|change| {
                let (from, to) = change.action.values();
                RecordedChange {
                    target: change.target.clone(),
                    from,
                    to,
                }
            })
            .collect()
    }
}

/// One change of a proposal, with the edits that make it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct ProposedChange {
    /// What it is about.
    pub target: Target,
    /// The policy that decided.
    pub policy: PolicyRef,
    /// What is to be done.
    pub action: ProposedAction,
    /// How.
    pub edits: Vec<Edit>,
}

/// What a proposed change does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "do")]
pub enum ProposedAction {
    /// Another value.
    Set(Change),
    /// A place for a new cluster.
    Place(Placement),
}

impl ProposedAction {
    /// From what to what, as values.
    pub fn values(&self) -> (Scalar, Scalar) {
        match self {
            Self::Set(change) => (change.from.clone(), change.to.clone()),
            Self::Place(placement) => (
                Scalar::Text("requested".to_owned()),
                Scalar::Text(placement.shard.to_string()),
            ),
        }
    }

    /// How urgent it is.
    pub fn priority(&self) -> Priority {
        match self {
            Self::Set(change) => change.priority,
            Self::Place(_) => Priority::Routine,
        }
    }
}

/// What becomes of an open pull request of ours that has no proposal now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Standing {
    /// Its number.
    pub number: u64,
    /// Its branch.
    pub branch: BranchName,
    /// Whether it stays open.
    pub keep: bool,
    /// Why, by target.
    pub reasons: Vec<StandingReason>,
}

/// Why a target of an open pull request is not proposed now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct StandingReason {
    /// The target.
    pub target: Target,
    /// The reasons of its hold; empty where nothing is known of the target any more.
    pub reasons: Vec<HoldReason>,
}

/// What the checker of a finished plan found.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Note {
    /// How bad it is.
    pub severity: Severity,
    /// What it is about; nothing for the whole plan.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<Target>,
    /// What was found.
    pub message: String,
}

/// How bad a note is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// A broken invariant: the plan is never published.
    Error,
    /// Worth a look.
    Warning,
}
