//! The checker of a finished plan: a list of questions, asked of the result and not of the way to it. It returns notes and never panics.
//!
//! A note of severity error means that a room broke one of its promises. Such a plan is shown but never published.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{Change, Direction, Edit, NewPatch, Note, Plan, Proposal, ProposedAction, Scalar, Severity, Target};

use super::digest;
use super::scopes::branch_of;

/// The checks in their order. A new one is one function and one line.
const CHECKS: [fn(&Plan) -> Vec<Note>; 7] = [
    one_verdict_per_target,
    one_proposal_per_scope,
    no_mixed_directions,
    every_change_changes_something,
    every_edit_is_what_was_planned,
    no_place_is_written_twice,
    every_hold_says_why,
];

/// Everything that is wrong with a plan, sorted.
pub fn check(plan: &Plan) -> Vec<Note> {
    let mut notes: Vec<Note> = CHECKS.iter().flat_map(|check| check(plan)).collect();
    notes.sort();
    notes
}

fn error(target: Option<&Target>, message: impl Into<String>) -> Note {
    Note {
        severity: Severity::Error,
        target: target.cloned(),
        message: message.into(),
    }
}

fn one_verdict_per_target(plan: &Plan) -> Vec<Note> {
    let proposed = plan
        .proposals
        .iter()
        .flat_map(|proposal| &proposal.changes)
        .map(|change| &change.target);
    let mut seen = BTreeSet::new();
    let all = proposed.chain(plan.held.iter().map(|decision| &decision.target));
    all.filter(|target| !seen.insert(*target))
        .map(|target| error(Some(target), "has more than one verdict"))
        .collect()
}

fn one_proposal_per_scope(plan: &Plan) -> Vec<Note> {
    let mut seen = BTreeSet::new();
    let mut notes = Vec::new();
    for Proposal {
        scope, branch, changes, ..
    } in &plan.proposals
    {
        if !seen.insert(branch) {
            notes.push(error(None, format!("two proposals share the branch {branch}")));
        }
        if *branch != branch_of(scope) {
            notes.push(error(None, format!("the branch {branch} is not that of {scope}")));
        }
        if changes.is_empty() {
            notes.push(error(None, format!("the proposal {branch} changes nothing")));
        }
    }
    notes
}

fn no_mixed_directions(plan: &Plan) -> Vec<Note> {
    let mut notes = Vec::new();
    for proposal in &plan.proposals {
        let Some(direction) = proposal.scope.direction() else {
            continue;
        };
        for change in &proposal.changes {
            let found = match &change.action {
                ProposedAction::Set(change) => change.direction(),
                ProposedAction::Place(_) => None,
            };
            if found != Some(direction) {
                let found = found.map_or("sideways".to_owned(), |found: Direction| found.to_string());
                notes.push(error(
                    Some(&change.target),
                    format!("goes {found} in a proposal that goes {direction}"),
                ));
            }
        }
    }
    notes
}

fn every_change_changes_something(plan: &Plan) -> Vec<Note> {
    let changes = plan.proposals.iter().flat_map(|proposal| &proposal.changes);
    changes
        .filter_map(|change| {
            let same = match &change.action {
                ProposedAction::Set(change) => change.from == change.to,
                ProposedAction::Place(_) => false,
            };
            let what = if change.edits.is_empty() {
                "has no edit"
            } else if same {
                "changes a value into itself"
            } else {
                return None;
            };
            Some(error(Some(&change.target), what))
        })
        .collect()
}

/// What people read is the change, what is written are the edits, and what tells one proposal from another is the digest: a saved plan in
/// which one of them was altered would open a pull request that says something else than it does.
fn every_edit_is_what_was_planned(plan: &Plan) -> Vec<Note> {
    let mut notes = Vec::new();
    for Proposal {
        branch,
        changes,
        digest: said,
        ..
    } in &plan.proposals
    {
        if digest(changes) != *said {
            notes.push(error(None, format!("the digest of {branch} is not that of its edits")));
        }
        for change in changes {
            let ProposedAction::Set(set) = &change.action else {
                continue;
            };
            let same = change.edits.iter().all(|edit| match edit {
                Edit::Replace { from, to, .. } => writes(from, &set.from) && writes(to, &set.to),
                Edit::AppendItem { value, .. } | Edit::InsertKey { value, .. } => writes(value, &set.to),
                Edit::AppendPatch { patch, .. } => writes(&patch.value, &set.to),
                Edit::Move { .. } => true,
            });
            if !same {
                notes.push(error(Some(&change.target), "has an edit that writes something else"));
            }
            if changes_type(set) && !matches!(change.target, Target::Resources { .. }) {
                notes.push(error(Some(&change.target), "changes the type of its value"));
            }
        }
    }
    notes
}

/// Whether a text in a file stands for a value: the value itself, or a flag with it at its end.
fn writes(text: &Scalar, value: &Scalar) -> bool {
    let (text, value) = (text.to_string(), value.to_string());
    let before = text.strip_suffix(&value);
    before.is_some_and(|before| !before.ends_with(|last: char| last.is_ascii_digit() || "-.".contains(last)))
}

/// Whether a change turns a number into a text or the like, which only a quantity may: a count with decimals is none.
fn changes_type(change: &Change) -> bool {
    std::mem::discriminant(&change.from) != std::mem::discriminant(&change.to)
}

fn no_place_is_written_twice(plan: &Plan) -> Vec<Note> {
    fn places(edit: &Edit, found: &mut Vec<(String, bool)>) {
        match edit {
            Edit::Replace { at, .. } => found.push((at.address(), true)),
            Edit::InsertKey { at, key, .. } => found.push((format!("{}/{key}", at.address()), true)),
            Edit::AppendItem { at, .. } => found.push((format!("{}/-", at.address()), false)),
            Edit::AppendPatch { at, patch } => {
                let NewPatch {
                    object,
                    field,
                    value: _,
                } = patch;
                found.push((format!("{} {object}{field}", at.address()), true));
            }
            Edit::Move { from, to, edits } => {
                found.push((from.to_string(), true));
                found.push((to.to_string(), true));
                edits.iter().for_each(|edit| places(edit, found));
            }
        }
    }
    let mut writers: BTreeMap<String, &Target> = BTreeMap::new();
    let mut notes = Vec::new();
    for change in plan.proposals.iter().flat_map(|proposal| &proposal.changes) {
        let mut found = Vec::new();
        change.edits.iter().for_each(|edit| places(edit, &mut found));
        for (place, exclusive) in found {
            if let Some(other) = writers.insert(place.clone(), &change.target).filter(|_| exclusive) {
                notes.push(error(
                    Some(&change.target),
                    format!("writes {place}, and so does {other}"),
                ));
            }
        }
    }
    notes
}

fn every_hold_says_why(plan: &Plan) -> Vec<Note> {
    let silent = plan.held.iter().filter(|decision| match &decision.verdict {
        crate::model::Verdict::Hold { reasons, .. } => reasons.is_empty(),
        _ => true,
    });
    silent
        .map(|decision| error(Some(&decision.target), "is held without a reason"))
        .collect()
}
