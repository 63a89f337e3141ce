//! Our open pull requests against what is wanted now: which wait, which are withdrawn, and what a reviewer has said no to.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::model::{
    BranchName, Decision, Direction, Duration, HoldReason, Ledger, OpenPullRequest, PullRequest, PullRequestState,
    RecordedChange, Scalar, Standing, StandingReason, Target, Verdict,
};

/// How long a reviewer's no holds at least. A need that has grown may be proposed again after it: a day gives the reviewer's reason time
/// to pass, and a P1 that is real is seen by people before.
const REST_AFTER_CLOSE: Duration = Duration::from_hours(24);

/// How long a reviewer's no to the very same change holds. For ever would be wrong: after a month nobody remembers that a P1 of today is
/// silent because of a pull request that was closed in another season.
const FORGET_CLOSE: Duration = Duration::from_hours(30 * 24);

/// The open pull request of another branch that is about a target.
pub(super) fn other_pull_request(ledger: &Ledger, target: &Target, branch: &BranchName) -> Option<HoldReason> {
    let other = ledger.open().find(|request| {
        request.branch != *branch
            && !is_deleted(ledger, request)
            && request
                .record
                .as_ref()
                .is_some_and(|record| record.changes.iter().any(|change| change.target == *target))
    })?;
    Some(HoldReason::OtherPullRequest { number: other.number })
}

/// Whether a person deleted the branch of an open pull request. It counts as closed.
pub(super) fn is_deleted(ledger: &Ledger, request: &PullRequest) -> bool {
    request.state == PullRequestState::Open && !ledger.branches.contains_key(&request.branch)
}

/// What a reviewer has said no to, as long as the need has not grown and a day has not passed.
pub(super) fn closed_by_reviewer(
    ledger: &Ledger,
    branch: &BranchName,
    change: &RecordedChange,
    now: Timestamp,
) -> Option<HoldReason> {
    let newest = ledger.newest(branch)?;
    let record = newest.record.as_ref()?;
    let ended_by_a_person =
        is_deleted(ledger, newest) || newest.state == PullRequestState::Closed && record.withdrawn.is_none();
    let refused = record.changes.iter().find(|closed| closed.target == change.target)?;
    let since = newest.ended_at.unwrap_or(record.observed_at);
    let until = if grew(refused, change) {
        REST_AFTER_CLOSE
    } else {
        FORGET_CLOSE
    }
    .after(since);
    (ended_by_a_person && now < until).then_some(HoldReason::ClosedByReviewer {
        number: newest.number,
        until,
    })
}

/// Whether a change goes further than the refused one in the same direction, or the other way.
fn grew(refused: &RecordedChange, change: &RecordedChange) -> bool {
    let numbers = |change: &RecordedChange| change.from.integer().zip(change.to.integer());
    let (Some((old_from, old_to)), Some((from, to))) = (numbers(refused), numbers(change)) else {
        return refused.to != change.to;
    };
    match (Direction::of(old_from, old_to), Direction::of(from, to)) {
        (Some(Direction::Up), Some(Direction::Up)) => to > old_to,
        (Some(Direction::Down), Some(Direction::Down)) => to < old_to,
        (old, new) => old != new,
    }
}

/// What becomes of our open pull requests for which there is no proposal now.
///
/// One target that can't be judged keeps the whole request as it is: an approval that is there already is not taken back because a metric
/// is missing for an hour.
pub(super) fn standing(
    ledger: &Ledger,
    proposed: &BTreeSet<BranchName>,
    held: &BTreeMap<&Target, &Decision>,
) -> Vec<Standing> {
    let mut found = Vec::new();
    for request in ledger
        .open()
        .filter(|request| !proposed.contains(&request.branch) && !is_deleted(ledger, request))
    {
        let Some(record) = &request.record else { continue };
        let reasons: Vec<StandingReason> = record
            .changes
            .iter()
            .map(|change| StandingReason {
                target: change.target.clone(),
                reasons: reasons_for(change, held.get(&change.target)),
            })
            .collect();
        let keep = reasons.iter().any(|of_target| keeps(&of_target.reasons));
        found.push(Standing {
            number: request.number,
            branch: request.branch.clone(),
            keep,
            reasons,
        });
    }
    found.sort_by_key(|standing| standing.number);
    found
}

/// Whether a hold leaves an open pull request as it is: every reason does. A range summary beside a gap only tells what could be seen.
fn keeps(reasons: &[HoldReason]) -> bool {
    let mut telling = reasons
        .iter()
        .filter(|reason| !matches!(reason, HoldReason::InRange { .. }))
        .peekable();
    telling.peek().is_some() && telling.all(|reason| reason.open_pull_request() == OpenPullRequest::Keep)
}

fn reasons_for(change: &RecordedChange, decision: Option<&&Decision>) -> Vec<HoldReason> {
    match decision.map(|decision| &decision.verdict) {
        Some(Verdict::Hold { wanted: _, reasons }) => reasons.clone(),
        // It is proposed, but by another pull request: the other direction.
        Some(Verdict::Set(new)) => vec![HoldReason::InRange {
            summary: format!("{} is wanted now instead of {}", new.to, change.to),
        }],
        Some(Verdict::Place(_) | Verdict::Open { .. }) => {
            vec![HoldReason::InRange {
                summary: "another place is wanted now".to_owned(),
            }]
        }
        None => vec![HoldReason::InRange {
            summary: "nothing is known of it any more".to_owned(),
        }],
    }
}

/// The changes of an open up that can't be judged anew today: they stay in the proposal beside new ones.
///
/// Without this, a P1 of one node group would wait behind another group's missing metric, because both share a pull request.
pub(super) fn carried(
    ledger: &Ledger,
    branch: &BranchName,
    held: &BTreeMap<&Target, &Decision>,
    declared: impl Fn(&Target) -> Option<Scalar>,
) -> Vec<(u64, RecordedChange)> {
    let Some(request) = ledger
        .newest(branch)
        .filter(|r| r.state == PullRequestState::Open && !is_deleted(ledger, r))
    else {
        return Vec::new();
    };
    let changes = request.record.iter().flat_map(|record| &record.changes);
    changes
        .filter(|change| {
            let up = change
                .from
                .integer()
                .zip(change.to.integer())
                .and_then(|(from, to)| Direction::of(from, to))
                == Some(Direction::Up);
            let keeps = held
                .get(&change.target)
                .is_some_and(|decision| match &decision.verdict {
                    Verdict::Hold { wanted: _, reasons } => keeps(reasons),
                    Verdict::Set(_) | Verdict::Place(_) | Verdict::Open { .. } => false,
                });
            up && keeps && declared(&change.target).as_ref() == Some(&change.from)
        })
        .map(|change| (request.number, change.clone()))
        .collect()
}
