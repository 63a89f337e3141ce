//! Takes the steps, one branch after the other, and reads back after each.
//!
//! A pull request is opened in this order: push with a lease, read the branch again, look for an open pull request, create one, list again
//! and count one. Each part is safe to be the last: whoever runs next finds either nothing, or a branch of ours to adopt, or the pull
//! request. Nothing is ever repeated within a run, and nothing is destroyed on an answer that could mean two things.

mod steps;

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use crate::forge::{Forge, ForgePullRequest};
use crate::git::{Draft, DraftError, Drafted, FileChange, Identity, Remote, Store};
use crate::model::{BRANCH_PREFIX, BranchName, Ledger, Plan, Proposal, RepoPath};

use super::message::{Message, MessageError, message};
use super::reconcile::{Action, HandsOff, Step};

/// Everything that the steps need.
pub struct Publication<'a, F> {
    /// The plan.
    pub plan: &'a Plan,
    /// What the steps were reconciled with.
    pub ledger: &'a Ledger,
    /// The changed files of each proposal, by its branch.
    pub files: &'a BTreeMap<BranchName, BTreeMap<RepoPath, FileChange>>,
    /// Where the base commit is read and new ones are built.
    pub store: &'a Store,
    /// Where branches are pushed.
    pub remote: &'a Remote,
    /// Where pull requests are opened.
    pub forge: &'a F,
    /// Who writes the commits.
    pub agent: &'a Identity,
}

/// What became of one step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// The branch.
    pub branch: BranchName,
    /// The pull request's number, if there is one.
    pub number: Option<u64>,
    /// Where a person reads it, if that is known.
    pub location: Option<String>,
    /// What became of it.
    pub done: Done,
}

/// The ends that a step can come to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Done {
    /// A pull request was opened.
    Created,
    /// One was opened for a branch that an interrupted run had pushed.
    Adopted,
    /// The open one was brought up to date.
    Updated,
    /// The open one says what is wanted, or stays for the given reason.
    Unchanged {
        /// Why it stays though nothing is proposed; untrusted text.
        why: Option<String>,
    },
    /// It was closed.
    Closed {
        /// Why; untrusted text.
        why: String,
    },
    /// Its merge was noted.
    Merged,
    /// A person did something, which is respected.
    HandsOff(HandsOff),
    /// It did not work. The next run looks at what is there and goes on from that.
    Failed {
        /// What failed and why; untrusted text.
        why: String,
    },
    /// It was not begun, because the forge takes nothing more in this run.
    Deferred {
        /// Why, and until when where that is known; untrusted text.
        why: String,
    },
    /// It was not begun, or not ended, because the caller stopped the run.
    Stopped,
}

impl Done {
    /// The word for the report.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Adopted => "adopted",
            Self::Updated => "updated",
            Self::Unchanged { .. } => "unchanged",
            Self::Closed { .. } => "closed",
            Self::Merged => "merged",
            Self::HandsOff(_) => "hands off",
            Self::Failed { .. } => "failed",
            Self::Deferred { .. } => "deferred",
            Self::Stopped => "stopped",
        }
    }
}

/// A moment of a step at which a caller may show progress or stop: when its time is up, or to see what a kill would leave.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Moment {
    /// The step begins.
    Begin,
    /// The branch is about to be pushed.
    BeforePush,
    /// The branch stands on the remote.
    AfterPush,
    /// The pull request is about to be written.
    BeforePullRequest,
    /// The pull request is written.
    AfterPullRequest,
    /// The pull request is about to be closed; its record says so already.
    BeforeClose,
    /// The pull request is closed and its branch is about to be deleted.
    BeforeDelete,
}

/// Shows progress and decides whether to go on.
pub type Watch<'a> = dyn FnMut(&BranchName, Moment) -> ControlFlow<()> + 'a;

/// Why a proposal can't become a commit.
#[derive(Debug, thiserror::Error)]
pub enum Unready {
    /// Nobody rendered its files.
    #[error("drafting {branch}: its files were not rendered")]
    NoFiles {
        /// The branch.
        branch: BranchName,
    },
    /// It has no words.
    #[error(transparent)]
    Message(#[from] MessageError),
    /// It has no commit.
    #[error(transparent)]
    Draft(#[from] DraftError),
}

/// Builds a proposal's commit and words without writing anything: what a dry run shows is what a run pushes.
pub fn draft<F>(publication: &Publication<'_, F>, proposal: &Proposal) -> Result<(Drafted, Message), Unready> {
    let message = message(proposal, publication.plan)?;
    let branch = &proposal.branch;
    let files = publication
        .files
        .get(branch)
        .ok_or_else(|| Unready::NoFiles { branch: branch.clone() })?;
    let scope = branch.as_str();
    let drafted = publication.store.commit(&Draft {
        base: &publication.plan.base.commit,
        changes: files,
        message: &message.commit,
        scope: scope.strip_prefix(BRANCH_PREFIX).unwrap_or(scope),
        plan: &proposal.digest,
        observed_at: publication.plan.now,
        author: publication.agent,
    })?;
    Ok((drafted, message))
}

/// Takes all steps. Each has an outcome, in the same order; a failed one stops no other, unless the forge takes nothing more: what would
/// need it is left to the next run.
pub async fn perform<F: Forge>(
    publication: &Publication<'_, F>,
    actions: &[Action],
    watch: &mut Watch<'_>,
) -> Vec<Outcome> {
    let mut outcomes = Vec::new();
    let mut stopped = false;
    let mut over: Option<String> = None;
    for Action { branch, step } in actions {
        let taken = match &over {
            _ if stopped => Err(steps::Trouble::Stopped),
            Some(why) if writes(step) => Ok(Done::Deferred { why: why.clone() }.into()),
            _ => take(publication, branch, step, watch).await,
        };
        let mut number = number_of(step);
        let mut location = number.and_then(|number| known_location(publication.ledger, number));
        let done = match taken {
            Ok(Taken { done, opened: None }) => done,
            Ok(Taken {
                done,
                opened: Some(request),
            }) => {
                number = Some(request.number);
                location = Some(request.location);
                done
            }
            Err(steps::Trouble::Stopped) => Done::Stopped,
            Err(steps::Trouble::Failed { why }) => Done::Failed { why },
            Err(steps::Trouble::HandsOff(why)) => Done::HandsOff(why),
            Err(steps::Trouble::Over { why }) => {
                over = Some(why.clone());
                Done::Failed { why }
            }
        };
        stopped |= done == Done::Stopped;
        let branch = branch.clone();
        outcomes.push(Outcome {
            branch,
            number,
            location,
            done,
        });
    }
    outcomes
}

/// A step that was taken.
struct Taken {
    done: Done,
    /// The pull request that was not known before.
    opened: Option<ForgePullRequest>,
}

impl From<Done> for Taken {
    fn from(done: Done) -> Self {
        Self { done, opened: None }
    }
}

async fn take<F: Forge>(
    publication: &Publication<'_, F>,
    branch: &BranchName,
    step: &Step,
    watch: &mut Watch<'_>,
) -> Result<Taken, steps::Trouble> {
    let mut at = steps::At {
        publication,
        branch,
        watch,
    };
    at.reach(Moment::Begin)?;
    Ok(match step {
        Step::Open { push } => {
            let (request, ours) = at.open(push.as_ref()).await?;
            let done = if push.is_none() || !ours {
                Done::Adopted
            } else {
                Done::Created
            };
            let opened = Some(request);
            Taken { done, opened }
        }
        Step::Update { number, push } => {
            at.update(*number, push.as_ref()).await?;
            Done::Updated.into()
        }
        Step::Unchanged { number: _, why } => Done::Unchanged { why: why.clone() }.into(),
        Step::Close { number, why, delete } => {
            at.close(*number, why, delete.as_ref()).await?;
            Done::Closed { why: why.clone() }.into()
        }
        Step::RecordMerge { number } => {
            at.record_merge(*number).await?;
            Done::Merged.into()
        }
        Step::HandsOff { number: _, why } => Done::HandsOff(why.clone()).into(),
    })
}

fn writes(step: &Step) -> bool {
    match step {
        Step::Open { .. } | Step::Update { .. } | Step::Close { .. } | Step::RecordMerge { .. } => true,
        Step::Unchanged { .. } | Step::HandsOff { .. } => false,
    }
}

/// Where a person reads a pull request that was there before.
fn known_location(ledger: &Ledger, number: u64) -> Option<String> {
    let known = ledger.pull_requests.iter().find(|request| request.number == number)?;
    Some(known.location.clone())
}

fn number_of(step: &Step) -> Option<u64> {
    match step {
        Step::Open { .. } => None,
        Step::Update { number, .. }
        | Step::Unchanged { number, .. }
        | Step::Close { number, .. }
        | Step::RecordMerge { number } => Some(*number),
        Step::HandsOff { number, .. } => *number,
    }
}

#[cfg(test)]
mod tests;
