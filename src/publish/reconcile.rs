//! Compares what is wanted with what is there, and names one step for each branch; pure.
//!
//! The matrix has three sides: what the plan wants of a branch, what the branch holds, and its newest pull request. Whatever a person did
//! wins over what the plan wants; whatever can't be told counts as a person's doing. A branch of ours that has no pull request and is not
//! wanted is left where it is: it costs nothing, and the next proposal of its scope takes it over.

use jiff::Timestamp;

use crate::model::{
    BranchName, BranchOwner, Digest, FORGET_CLOSE, Ledger, LedgerBranch, ObjectId, PullRequest, PullRequestState,
};

use super::desired::{Desired, Want};
use super::message::{URGENT_LABEL, URGENT_TITLE};

/// One step for one branch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Action {
    /// The branch.
    pub branch: BranchName,
    /// What is to be done.
    pub step: Step,
}

/// Where a branch has to stand for a push to be made; nothing means that it must not exist.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease(pub Option<ObjectId>);

/// What can be done about a branch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Open a pull request. Without a push it adopts the branch as it is: a run ended between its push and its pull request.
    Open {
        /// Whether to push first, and against which lease.
        push: Option<Lease>,
    },
    /// Bring an open pull request up to date.
    Update {
        /// Its number.
        number: u64,
        /// Whether to push first, and against which lease.
        push: Option<Lease>,
    },
    /// Leave an open pull request as it is.
    Unchanged {
        /// Its number.
        number: u64,
        /// Why nothing is proposed though it stays; nothing where it says what is wanted.
        why: Option<String>,
    },
    /// Close an open pull request.
    Close {
        /// Its number.
        number: u64,
        /// Why; untrusted text.
        why: String,
        /// Where the branch has to stand for it to be deleted; nothing where it is gone already.
        delete: Option<ObjectId>,
    },
    /// Tell a forge that does not see merges itself that one happened.
    RecordMerge {
        /// The pull request's number.
        number: u64,
    },
    /// Do nothing: a person did.
    HandsOff {
        /// The pull request that it is about, if there is one.
        number: Option<u64>,
        /// What the person did.
        why: HandsOff,
    },
}

/// What keeps us from touching a branch and its pull request.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HandsOff {
    /// The branch holds something else than our one commit. The reason is untrusted text.
    #[error("the branch is not ours any more: {why}")]
    Foreign {
        /// What gave it away.
        why: String,
    },
    /// A person closed the pull request.
    #[error("a reviewer closed #{number}")]
    Closed {
        /// Its number.
        number: u64,
    },
    /// A person deleted or emptied the branch of the open pull request.
    #[error("somebody deleted the branch of #{number}")]
    BranchDeleted {
        /// Its number.
        number: u64,
    },
    /// Somebody else opened a pull request from our branch. It is not ours to write in, and a second one would be one too many.
    #[error("#{number} was opened from it by {who}")]
    NotOurs {
        /// Its number.
        number: u64,
        /// Who opened it; untrusted text.
        who: String,
    },
    /// A person aimed the pull request at another branch.
    #[error("somebody aimed #{number} at {base}")]
    BaseChanged {
        /// Its number.
        number: u64,
        /// Where it is aimed at.
        base: BranchName,
    },
    /// The hidden state of the open pull request is gone or not ours.
    #[error("#{number} does not carry our record any more")]
    NoRecord {
        /// Its number.
        number: u64,
    },
    /// Two are open from one branch, which none of us does.
    #[error("#{first} and #{second} are both open from it")]
    TwoOpen {
        /// One.
        first: u64,
        /// Another.
        second: u64,
    },
    /// The branch holds the work of a run that saw a later world.
    #[error("a run that observed at {observed_at} pushed it, later than this one")]
    Newer {
        /// When that run observed.
        observed_at: Timestamp,
    },
}

/// Names the steps, one for each desired branch, after the merges that a forge has to be told of.
///
/// Open pull requests that the plan does not mention get none: a run that was narrowed to some targets says nothing of the others.
pub fn reconcile(desired: &[Desired], ledger: &Ledger, base: &BranchName, now: Timestamp) -> Vec<Action> {
    let merges = ledger
        .pull_requests
        .iter()
        .filter(|request| is_unrecorded_merge(request, ledger));
    let recorded = merges.map(|request| Action {
        branch: request.branch.clone(),
        step: Step::RecordMerge { number: request.number },
    });
    let steps = desired.iter().filter_map(|desired| {
        let here = Here::of(&desired.branch, ledger);
        let step = match &desired.want {
            Want::Propose {
                plan,
                urgent,
                observed_at,
            } => Some(here.propose(plan, *urgent, *observed_at, base, now)),
            Want::Keep { why } => here.keep(why),
            Want::Withdraw { why } => here.withdraw(why, base),
        };
        let branch = desired.branch.clone();
        step.map(|step| Action { branch, step })
    });
    recorded.chain(steps).collect()
}

/// Git knows of the merge and the forge does not. A forge that sees merges itself says when they happened.
fn is_unrecorded_merge(request: &PullRequest, ledger: &Ledger) -> bool {
    let merged = ledger.branches.get(&request.branch).is_none_or(|branch| branch.merged);
    request.state == PullRequestState::Merged && request.ended_at.is_none() && merged
}

/// Everything that is known of one branch.
struct Here<'a> {
    branch: Option<&'a LedgerBranch>,
    open: Vec<&'a PullRequest>,
    newest: Option<&'a PullRequest>,
}

impl<'a> Here<'a> {
    fn of(name: &BranchName, ledger: &'a Ledger) -> Self {
        Self {
            branch: ledger.branches.get(name),
            open: ledger.open().filter(|request| request.branch == *name).collect(),
            newest: ledger.newest(name),
        }
    }

    /// Where the branch stands now.
    fn lease(&self) -> Lease {
        Lease(self.branch.map(|branch| branch.head.clone()))
    }

    /// A person's doing that stands in the way of whatever is wanted.
    fn person(&self, base: &BranchName) -> Option<Step> {
        let number = self.open.first().map(|request| request.number);
        let hands_off = |why| Some(Step::HandsOff { number, why });
        if let Some(LedgerBranch {
            owner: BranchOwner::Foreign { why },
            merged: false,
            ..
        }) = self.branch
        {
            return hands_off(HandsOff::Foreign { why: why.clone() });
        }
        if let Some((number, who)) = self
            .open
            .iter()
            .find_map(|request| Some((request.number, request.opened_by.clone()?)))
        {
            return hands_off(HandsOff::NotOurs { number, who });
        }
        match self.open[..] {
            [one, other, ..] => hands_off(HandsOff::TwoOpen {
                first: one.number,
                second: other.number,
            }),
            [one] if one.base != *base => hands_off(HandsOff::BaseChanged {
                number: one.number,
                base: one.base.clone(),
            }),
            [one] if one.record.is_none() => hands_off(HandsOff::NoRecord { number: one.number }),
            _ => None,
        }
    }

    fn propose(&self, plan: &Digest, urgent: bool, observed_at: Timestamp, base: &BranchName, now: Timestamp) -> Step {
        if let Some(step) = self.person(base) {
            return step;
        }
        let holds = match self.branch {
            Some(LedgerBranch {
                owner:
                    BranchOwner::Ours {
                        plan,
                        base: _,
                        observed_at,
                    },
                merged: false,
                conflicts,
                head: _,
            }) => Some((plan, *observed_at, *conflicts)),
            _ => None,
        };
        let same = holds.is_some_and(|(held, _, conflicts)| held == plan && !conflicts);
        if let Some((held, observed_at)) = holds
            .map(|(held, held_at, _)| (held, held_at))
            .filter(|(_, at)| *at > observed_at)
            && held != plan
        {
            let number = self.open.first().map(|request| request.number);
            let why = HandsOff::Newer { observed_at };
            return Step::HandsOff { number, why };
        }
        if let [open] = self.open[..] {
            let record = open.record.as_ref().filter(|record| record.plan == *plan);
            let number = open.number;
            if holds.is_none() && record.is_some() {
                let (number, why) = (Some(number), HandsOff::BranchDeleted { number });
                return Step::HandsOff { number, why };
            }
            let says_so = record.is_some_and(|record| record.withdrawn.is_none());
            // A label that the forge does not give must not be asked for at every run.
            let marked = open.title.starts_with(URGENT_TITLE) || open.labels.iter().any(|label| label == URGENT_LABEL);
            let raised = urgent && !marked;
            if same && says_so && !raised {
                return Step::Unchanged { number, why: None };
            }
            let push = (!same).then(|| self.lease());
            return Step::Update { number, push };
        }
        if let Some(number) = self.refused(plan, now) {
            let (number, why) = (Some(number), HandsOff::Closed { number });
            return Step::HandsOff { number, why };
        }
        // Only a branch that never had a pull request is what an interrupted run leaves; any other is made anew on today's base.
        let adopt = same && self.newest.is_none();
        let push = (!adopt).then(|| self.lease());
        Step::Open { push }
    }

    /// The pull request with the very same edits that a person closed not long ago.
    fn refused(&self, plan: &Digest, now: Timestamp) -> Option<u64> {
        let newest = self
            .newest
            .filter(|request| request.state == PullRequestState::Closed)?;
        let record = newest.record.as_ref()?;
        let since = newest.ended_at.unwrap_or(record.observed_at);
        let refused = record.withdrawn.is_none() && record.plan == *plan && now < FORGET_CLOSE.after(since);
        refused.then_some(newest.number)
    }

    fn keep(&self, why: &str) -> Option<Step> {
        let open = self.open.first()?;
        let (number, why) = (open.number, Some(why.to_owned()));
        Some(Step::Unchanged { number, why })
    }

    fn withdraw(&self, why: &str, base: &BranchName) -> Option<Step> {
        let open = self.open.first()?;
        let delete = self.branch.map(|branch| branch.head.clone());
        let (number, why) = (open.number, why.to_owned());
        Some(self.person(base).unwrap_or(Step::Close { number, why, delete }))
    }
}

#[cfg(test)]
mod tests;
