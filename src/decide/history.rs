//! What is known of a value's past: since when it has been what it is, and how large it was before.
//!
//! The API server is asked first. Where it does not tell, our own merged pull requests do: the effect of one can't be older than its merge.

use jiff::Timestamp;

use crate::model::{PullRequestState, RecordedChange, Scalar, Target};

use super::World;
use super::evidence::CLOCK_SKEW;

/// Since when a value has been what it is: as the API server says, else since the newest merge of ours.
///
/// A time from the future says nothing: to wait for it would be to wait for somebody's broken clock.
pub(super) fn last_change(world: &World<'_>, target: &Target, seen: Option<Timestamp>) -> Option<Timestamp> {
    known(world, seen).or_else(|| known(world, merges(world, target).filter_map(|(ended_at, _)| ended_at).max()))
}

/// A time of a change that can be true.
pub(super) fn known(world: &World<'_>, seen: Option<Timestamp>) -> Option<Timestamp> {
    seen.filter(|at| *at <= CLOCK_SKEW.after(world.now))
}

/// The largest number that the value is known to have had since some time, by our merged pull requests.
///
/// An average over a window in which a group was larger understates the demand: `use * nodes` has to be taken with the nodes of then.
pub(super) fn largest_since(world: &World<'_>, target: &Target, since: Timestamp) -> Option<u32> {
    merges(world, target)
        .filter(|(ended_at, _)| ended_at.is_none_or(|ended_at| since <= ended_at))
        .flat_map(|(_, change)| [&change.from, &change.to])
        .filter_map(|value| u32::try_from(value.integer()?).ok())
        .max()
}

/// The newest merged pull request that gave the target a value.
pub(super) fn merged_as(world: &World<'_>, target: &Target, value: &Scalar) -> Option<u64> {
    let ledger = &world.snapshot.ledger;
    let merged = ledger.pull_requests.iter().filter(|request| {
        let changes = request.record.iter().flat_map(|record| &record.changes);
        request.state == PullRequestState::Merged
            && changes
                .filter(|change| change.target == *target)
                .any(|change| change.to == *value)
    });
    merged.map(|request| request.number).max()
}

fn merges<'a>(
    world: &World<'a>,
    target: &'a Target,
) -> impl Iterator<Item = (Option<Timestamp>, &'a RecordedChange)> + use<'a> {
    let ledger = &world.snapshot.ledger;
    ledger
        .pull_requests
        .iter()
        .filter(|request| request.state == PullRequestState::Merged)
        .flat_map(|request| {
            let changes = request.record.iter().flat_map(|record| &record.changes);
            changes.map(|change| (request.ended_at, change))
        })
        .filter(move |(_, change)| change.target == *target)
}
