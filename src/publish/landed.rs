//! Sees what was merged when the branch that could tell is gone; pure.
//!
//! Most people delete a branch once it is merged. Where the forge does not see merges itself, what is left is an open pull request without a
//! branch, which would look like a person's no. What it proposed tells the two apart: if the base declares all of it, nobody said no.

use crate::model::{Declared, Ledger, PullRequest, PullRequestState, RecordedChange, Scalar, Target};

/// Takes open pull requests without a branch for merged if the base declares everything that they proposed.
///
/// This holds for squashed and rebased merges too. A branch that is still there tells by itself.
pub fn landed(mut ledger: Ledger, declared: &Declared) -> Ledger {
    let Ledger {
        branches,
        pull_requests,
    } = &mut ledger;
    for request in pull_requests {
        let gone = request.state == PullRequestState::Open && !branches.contains_key(&request.branch);
        if gone && all_declared(request, declared) {
            request.state = PullRequestState::Merged;
        }
    }
    ledger
}

fn all_declared(request: &PullRequest, declared: &Declared) -> bool {
    let changes = request.record.as_ref().map_or(&[][..], |record| &record.changes);
    !changes.is_empty() && changes.iter().all(|change| is_declared(change, declared))
}

fn is_declared(RecordedChange { target, from: _, to }: &RecordedChange, declared: &Declared) -> bool {
    match (target, to) {
        (Target::Placement { cluster, .. }, Scalar::Text(to)) => declared
            .shards
            .iter()
            .any(|(name, shard)| name.as_str() == to && shard.clusters.contains(cluster)),
        _ => declared
            .bindings
            .get(target)
            .is_some_and(|binding| binding.value.as_ref() == Some(to)),
    }
}
