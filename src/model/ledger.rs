//! What was said before and what became of it: the agent's only memory, read anew from Git and the forge at every run.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::duration::Duration;
use super::ids::{BranchName, Digest, ObjectId};
use super::scalar::Scalar;
use super::target::Target;

/// Everything of ours on the remote lies below this prefix; the rest of a branch's name is its scope.
pub const BRANCH_PREFIX: &str = "fleetscale/";

/// The label of everything of ours; the others lie below it: `fleetscale/P1`.
pub const LABEL: &str = "fleetscale";

/// Whether a label is one that we give and take. All others are people's, and stay.
pub fn is_our_label(label: &str) -> bool {
    label
        .strip_prefix(LABEL)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// How long a reviewer's no to the very same change holds. For ever would be wrong: after a month nobody remembers that a P1 of today is
/// silent because of a pull request that was closed in another season.
pub const FORGET_CLOSE: Duration = Duration::from_hours(30 * 24);

/// The state of our branches and pull requests.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Ledger {
    /// Our branches on the remote (everything below `fleetscale/`).
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub branches: BTreeMap<BranchName, LedgerBranch>,
    /// Pull requests from those branches, by number, the ended ones too.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pull_requests: Vec<PullRequest>,
}

impl Ledger {
    /// The newest pull request of ours from a branch.
    pub fn newest(&self, branch: &BranchName) -> Option<&PullRequest> {
        self.pull_requests
            .iter()
            .filter(|request| request.branch == *branch && request.opened_by.is_none())
            .max_by_key(|request| request.number)
    }

    /// The open pull requests, those of other people from our branches too.
    pub fn open(&self) -> impl Iterator<Item = &PullRequest> {
        self.pull_requests
            .iter()
            .filter(|request| request.state == PullRequestState::Open)
    }

    /// How many branches have an open pull request of ours.
    pub fn open_of_ours(&self) -> usize {
        let ours = self.open().filter(|request| request.opened_by.is_none());
        ours.map(|request| &request.branch).collect::<BTreeSet<_>>().len()
    }

    /// The open pull requests whose branch is still there: a person who deletes the branch has said no.
    pub fn under_review(&self) -> impl Iterator<Item = &PullRequest> {
        self.open()
            .filter(|request| self.branches.contains_key(&request.branch))
    }
}

/// One of our branches.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct LedgerBranch {
    /// The commit that it points to.
    pub head: ObjectId,
    /// Whether that commit is still what we pushed.
    pub owner: BranchOwner,
    /// Whether its head is reachable from the base branch.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub merged: bool,
    /// Whether merging it into today's base would conflict.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub conflicts: bool,
}

/// Whose work a branch holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase", tag = "by")]
pub enum BranchOwner {
    /// Exactly one commit on top of a base commit, made by us and unchanged since.
    Ours {
        /// The digest of the proposal that it holds.
        plan: Digest,
        /// The base commit that it stands on.
        base: ObjectId,
        /// When its inputs were observed.
        observed_at: Timestamp,
    },
    /// Anything else. It is never overwritten.
    Foreign {
        /// What tells: `a commit by jo@example.org follows ours`. Hostile until escaped.
        why: String,
    },
}

/// What became of a pull request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PullRequestState {
    /// Under review.
    Open,
    /// Closed without a merge.
    Closed,
    /// Merged.
    Merged,
}

impl fmt::Display for PullRequestState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Open => "open",
            Self::Closed => "closed",
            Self::Merged => "merged",
        })
    }
}

/// A pull request as the forge describes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct PullRequest {
    /// Its number on the forge.
    pub number: u64,
    /// Its head branch.
    pub branch: BranchName,
    /// The branch that it is to be merged into.
    pub base: BranchName,
    /// Who opened it, if somebody else did; nothing means us. Such a pull request is never touched, counts against no limit, and keeps us
    /// from opening another one from its branch. Hostile until escaped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opened_by: Option<String>,
    /// What became of it.
    pub state: PullRequestState,
    /// Its title. Hostile until escaped.
    pub title: String,
    /// The digest of its body as the forge holds it, so that an unchanged body is not written again.
    pub body: Digest,
    /// Its labels, sorted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub labels: Vec<String>,
    /// Where a person reads it: a URL, or a folder of the local forge.
    pub location: String,
    /// When it was closed or merged, where the forge tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Timestamp>,
    /// What we wrote into its hidden state; nothing when that is gone or can't be read, and then it is nobody's business of ours.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub record: Option<ProposalRecord>,
}

/// What a pull request says about itself in a form for machines.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct ProposalRecord {
    /// The digest of the proposal: its edits alone.
    pub plan: Digest,
    /// When its inputs were observed.
    pub observed_at: Timestamp,
    /// What it changes.
    pub changes: Vec<RecordedChange>,
    /// Why we closed it; nothing while it is open or when a person closed it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub withdrawn: Option<String>,
}

/// One change of a pull request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct RecordedChange {
    /// What it is about.
    pub target: Target,
    /// The declared value before.
    pub from: Scalar,
    /// The declared value after.
    pub to: Scalar,
}
