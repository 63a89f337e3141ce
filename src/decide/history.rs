//! What is known of a value's past: since when it has been what it is, and how large it was before.
//!
//! The API server is asked first. Where it does not tell, our own merged pull requests do: the effect of one can't be older than its merge.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::model::{Ledger, PullRequestState, RecordedChange, Scalar, Target};

use super::World;
use super::evidence::CLOCK_SKEW;

/// Our merged changes by target: each group asks for its own, and the ledger may be long.
pub(super) struct History<'a> {
    merged: BTreeMap<&'a Target, Vec<Merged<'a>>>,
}

/// A change of a merged pull request.
struct Merged<'a> {
    number: u64,
    ended_at: Option<Timestamp>,
    change: &'a RecordedChange,
}

impl<'a> History<'a> {
    /// Sorts what was merged by target.
    pub(super) fn of(ledger: &'a Ledger) -> Self {
        let mut merged: BTreeMap<_, Vec<_>> = BTreeMap::new();
        let requests = ledger.pull_requests.iter();
        for request in requests.filter(|request| request.state == PullRequestState::Merged) {
            for change in request.record.iter().flat_map(|record| &record.changes) {
                merged.entry(&change.target).or_default().push(Merged {
                    number: request.number,
                    ended_at: request.ended_at,
                    change,
                });
            }
        }
        Self { merged }
    }

    fn to(&self, target: &Target) -> impl Iterator<Item = &Merged<'a>> {
        self.merged.get(target).into_iter().flatten()
    }
}

/// Since when a value has been what it is: as the API server says, else since the newest merge of ours.
///
/// A time from the future says nothing: to wait for it would be to wait for somebody's broken clock.
pub(super) fn last_change(world: &World<'_>, target: &Target, seen: Option<Timestamp>) -> Option<Timestamp> {
    known(world, seen).or_else(|| {
        known(
            world,
            world.history.to(target).filter_map(|merged| merged.ended_at).max(),
        )
    })
}

/// A time of a change that can be true.
pub(super) fn known(world: &World<'_>, seen: Option<Timestamp>) -> Option<Timestamp> {
    seen.filter(|at| *at <= CLOCK_SKEW.after(world.now))
}

/// The largest number that the value is known to have had since some time, by our merged pull requests.
///
/// An average over a window in which a group was larger understates the demand: `use * nodes` has to be taken with the nodes of then.
pub(super) fn largest_since(world: &World<'_>, target: &Target, since: Timestamp) -> Option<u32> {
    let merged = world.history.to(target);
    merged
        .filter(|merged| merged.ended_at.is_none_or(|ended_at| since <= ended_at))
        .flat_map(|merged| [&merged.change.from, &merged.change.to])
        .filter_map(|value| u32::try_from(value.integer()?).ok())
        .max()
}

/// The newest merged pull request that gave the target a value.
pub(super) fn merged_as(world: &World<'_>, target: &Target, value: &Scalar) -> Option<u64> {
    let merged = world.history.to(target);
    merged
        .filter(|merged| merged.change.to == *value)
        .map(|merged| merged.number)
        .max()
}
