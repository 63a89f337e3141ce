//! Our open pull requests against what is wanted now: which wait, which are withdrawn, and what a reviewer has said no to.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::model::{
    Blocks, BranchName, Change, Decision, Direction, Duration, FORGET_CLOSE, HoldReason, Ledger, OpenPullRequest,
    PullRequest, PullRequestState, RecordedChange, Scalar, Standing, StandingReason, Target, Verdict,
};

/// How long a reviewer's no holds at least. A need that has grown may be proposed again after it: a day gives the reviewer's reason time
/// to pass, and a P1 that is real is seen by people before.
const REST_AFTER_CLOSE: Duration = Duration::from_hours(24);

/// The open pull request of another branch that is about a target.
pub(super) fn other_pull_request(ledger: &Ledger, target: &Target, branch: &BranchName) -> Option<HoldReason> {
    let other = ledger
        .under_review()
        .filter(|request| request.branch != *branch && recorded(request, target).is_some())
        .min_by_key(|request| request.number)?;
    Some(HoldReason::OtherPullRequest { number: other.number })
}

/// What a pull request says about a target.
pub(super) fn recorded<'a>(request: &'a PullRequest, target: &Target) -> Option<&'a RecordedChange> {
    let changes = &request.record.as_ref()?.changes;
    changes.iter().find(|change| change.target == *target)
}

/// What a reviewer has said no to, as long as the need has not grown and a day has not passed.
///
/// The last word counts: that of the newest pull request in which the target went the same way. What we withdrew ourselves is nobody's word.
/// Later pull requests about other targets of the same scope don't take a no back.
pub(super) fn closed_by_reviewer(ledger: &Ledger, change: &RecordedChange, now: Timestamp) -> Option<HoldReason> {
    let words = ledger.pull_requests.iter().filter_map(|request| {
        let word = recorded(request, &change.target)?;
        let withdrawn = request.record.as_ref()?.withdrawn.is_some();
        (!withdrawn && direction(word) == direction(change)).then_some((request, word))
    });
    let (last, refused) = words.max_by_key(|(request, _)| request.number)?;
    let deleted = last.state == PullRequestState::Open && !ledger.branches.contains_key(&last.branch);
    if !deleted && last.state != PullRequestState::Closed {
        return None;
    }
    let rest = if grew(refused, change) {
        REST_AFTER_CLOSE
    } else {
        FORGET_CLOSE
    };
    let observed_at = last.record.as_ref()?.observed_at;
    let mut until = rest.after(last.ended_at.unwrap_or(observed_at));
    // A request without its branch has no end yet: the no holds as long as it stays so.
    while deleted && until <= now && until < Timestamp::MAX {
        until = FORGET_CLOSE.after(until);
    }
    (now < until).then_some(HoldReason::ClosedByReviewer {
        number: last.number,
        branch_deleted: deleted,
        until,
    })
}

fn direction(change: &RecordedChange) -> Option<Direction> {
    Direction::of(change.from.integer()?, change.to.integer()?)
}

/// Whether a change goes further than the refused one in the same direction, or to another place.
fn grew(refused: &RecordedChange, change: &RecordedChange) -> bool {
    match (direction(change), refused.to.integer().zip(change.to.integer())) {
        (Some(Direction::Up), Some((old, new))) => new > old,
        (Some(Direction::Down), Some((old, new))) => new < old,
        _ => refused.to != change.to,
    }
}

/// What becomes of our open pull requests for which there is no proposal now.
///
/// One target that can't be judged keeps the whole request as it is: an approval that is there already is not taken back because a metric
/// is missing for an hour. But a request that goes the wrong way is always withdrawn, or it would block the right one for as long.
pub(super) fn standing(
    ledger: &Ledger,
    proposed: &BTreeSet<BranchName>,
    held: &BTreeMap<&Target, &Decision>,
) -> Vec<Standing> {
    let mut found = Vec::new();
    for request in ledger
        .under_review()
        .filter(|request| !proposed.contains(&request.branch))
    {
        let Some(record) = &request.record else { continue };
        let of = |change: &RecordedChange| held.get(&change.target).map(|decision| &decision.verdict);
        let reasons: Vec<StandingReason> = record
            .changes
            .iter()
            .map(|change| StandingReason {
                target: change.target.clone(),
                reasons: reasons_for(request, change, of(change)),
            })
            .collect();
        let keep = record.changes.iter().any(|change| keeps(request, change, of(change)))
            && !record.changes.iter().any(|change| contradicts(change, of(change)));
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

/// Whether the opposite of a proposed change is wanted now.
fn contradicts(change: &RecordedChange, verdict: Option<&Verdict>) -> bool {
    let wanted = match verdict {
        Some(Verdict::Set(wanted)) => wanted.direction(),
        Some(Verdict::Hold { wanted, .. }) => wanted.as_ref().and_then(Change::direction),
        _ => None,
    };
    wanted.zip(direction(change)).is_some_and(|(new, old)| new != old)
}

/// Whether a hold leaves a change of an open pull request as it is: something in it speaks about the change, and nothing says that it is no
/// longer right.
///
/// What blocks only the other direction says nothing: that a week's average is missing keeps no up open.
fn keeps(request: &PullRequest, change: &RecordedChange, verdict: Option<&Verdict>) -> bool {
    let Some(Verdict::Hold { reasons, .. }) = verdict else {
        return false;
    };
    let speaks = |reason: &&HoldReason| {
        reason.blocks().direction(direction(change))
            || reason.blocks() == Blocks::Nothing && reason.open_pull_request() == OpenPullRequest::Keep
    };
    let keep = |reason: &HoldReason| match reason {
        // What is wanted now belongs into another pull request, and this one is in its way.
        HoldReason::OtherPullRequest { number } if *number == request.number => false,
        reason => reason.open_pull_request() == OpenPullRequest::Keep,
    };
    let mut telling = reasons.iter().filter(speaks).peekable();
    telling.peek().is_some() && telling.all(keep)
}

fn reasons_for(request: &PullRequest, change: &RecordedChange, verdict: Option<&Verdict>) -> Vec<HoldReason> {
    let own =
        |reason: &HoldReason| matches!(reason, HoldReason::OtherPullRequest { number } if *number == request.number);
    let told = |summary: String| vec![HoldReason::InRange { summary }];
    match verdict {
        Some(Verdict::Hold { wanted: Some(new), .. }) if contradicts(change, verdict) => {
            told(format!("{} is wanted now instead of {}", new.to, change.to))
        }
        Some(Verdict::Hold { reasons, .. }) if reasons.iter().any(own) => {
            told("it belongs into another pull request now".to_owned())
        }
        Some(Verdict::Hold { wanted: _, reasons }) => reasons.clone(),
        Some(Verdict::Set(new)) => told(format!("{} is wanted now instead of {}", new.to, change.to)),
        Some(Verdict::Place(_) | Verdict::Open { .. }) => told("another place is wanted now".to_owned()),
        None => told("nothing is known of it any more".to_owned()),
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
        .under_review()
        .filter(|request| request.branch == *branch)
        .max_by_key(|request| request.number)
    else {
        return Vec::new();
    };
    let changes = request.record.iter().flat_map(|record| &record.changes);
    changes
        .filter(|change| {
            let verdict = held.get(&change.target).map(|decision| &decision.verdict);
            direction(change) == Some(Direction::Up)
                && keeps(request, change, verdict)
                && !contradicts(change, verdict)
                && declared(&change.target).as_ref() == Some(&change.from)
        })
        .map(|change| (request.number, change.clone()))
        .collect()
}
