//! Plans: groups decisions into proposals, one per scope, within budgets and beside what is under review already.
//!
//! A plan may turn a change into a hold (budget, conflict, a reviewer's no) but never the reverse, and never into another number. It is
//! complete: whoever carries it out makes no choice of their own.

mod budgets;
mod check;
mod edits;
mod related;
mod room;
mod scopes;
mod standing;
mod text;

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::model::{
    Base, BranchName, Change, Decision, Declared, Digest, Direction, Edit, HoldReason, Ledger, Placement, Plan,
    PolicyRef, Priority, Proposal, ProposedAction, ProposedChange, Reason, RecordedChange, Refusal, Scalar, Scope,
    Target, Verdict,
};
use crate::policy::{FleetFile, GroupBy, PolicySet};

use related::Related;
use room::Room;

pub use check::check;
pub use scopes::branch_of;
pub use text::{changes_table, holds, printable, text, unbound, visible};

/// What a plan stands on, beside the decisions.
#[derive(Debug, Clone)]
pub struct Inputs {
    /// The base branch and its commit.
    pub base: Base,
    /// The digest of the snapshot.
    pub snapshot: Digest,
    /// The digest of the policies.
    pub policies: Digest,
}

/// A change that is wanted, with its scope.
struct Wanted {
    decision: Decision,
    action: ProposedAction,
    policy: PolicyRef,
    scope: Scope,
    branch: BranchName,
    edits: Vec<Edit>,
}

impl Wanted {
    /// What the pull request will say about it.
    fn recorded(&self) -> RecordedChange {
        let (from, to) = self.action.values();
        RecordedChange {
            target: self.decision.target.clone(),
            from,
            to,
        }
    }
}

/// Makes the plan. The decisions are those of one `decide`, one per target.
pub fn plan(
    decisions: Vec<Decision>,
    declared: &Declared,
    ledger: &Ledger,
    fleet: &FleetFile,
    policies: &PolicySet,
    inputs: Inputs,
    now: Timestamp,
) -> Plan {
    let (mut wanted, mut held) = (Vec::new(), Vec::new());
    for decision in decisions {
        match want(decision, declared, policies) {
            Ok(change) => wanted.push(*change),
            Err(decision) => held.push(decision),
        }
    }
    wanted.sort_by(|a, b| {
        urgency(a)
            .cmp(&urgency(b))
            .then_with(|| a.decision.target.cmp(&b.decision.target))
    });

    let mut room = Room::new(declared, ledger, &fleet.limits, now);
    let mut admitted: BTreeMap<BranchName, Vec<Wanted>> = BTreeMap::new();
    for change in wanted {
        let recorded = change.recorded();
        let objection = standing::other_pull_request(ledger, &recorded.target, &change.branch)
            .or_else(|| standing::closed_by_reviewer(ledger, &recorded, now))
            .or_else(|| room.admit(&change.branch, change.action.priority(), &recorded).err());
        match objection {
            Some(reason) => held.push(into_hold(change, reason)),
            None => admitted.entry(change.branch.clone()).or_default().push(change),
        }
    }
    held.sort_by(|a, b| a.target.cmp(&b.target));
    let by_target: BTreeMap<&Target, &Decision> = held.iter().map(|decision| (&decision.target, decision)).collect();
    let proposed: BTreeSet<BranchName> = admitted.keys().cloned().collect();
    let standing = standing::standing(ledger, &proposed, &by_target);
    let related = Related::of(&held);
    let mut proposals: Vec<Proposal> = admitted
        .into_values()
        .filter_map(|changes| proposal(changes, declared, ledger, &by_target, &related))
        .collect();
    proposals.sort_by(|a, b| a.priority.cmp(&b.priority).then_with(|| a.scope.cmp(&b.scope)));
    let carried: BTreeSet<Target> = proposals
        .iter()
        .flat_map(|p| &p.changes)
        .map(|change| change.target.clone())
        .collect();
    drop((by_target, related));
    held.retain(|decision| !carried.contains(&decision.target));

    let Inputs {
        base,
        snapshot,
        policies: policies_digest,
    } = inputs;
    let (api_version, kind) = Plan::envelope();
    let mut plan = Plan {
        api_version,
        kind,
        base,
        snapshot,
        policies: policies_digest,
        now,
        proposals,
        standing,
        held,
        notes: Vec::new(),
    };
    plan.notes = check(&plan);
    plan
}

/// A decision as a change with scope and edits, or the decision as a hold.
fn want(decision: Decision, declared: &Declared, policies: &PolicySet) -> Result<Box<Wanted>, Decision> {
    let Some(policy) = decision.policy.clone() else {
        return Err(decision);
    };
    let target = &decision.target;
    let made = match &decision.verdict {
        Verdict::Set(change) => {
            let scope = scopes::scope_of_change(target, change.direction(), group_by(target, &policy, policies));
            scope
                .zip(edits::of_change(declared, target, change))
                .map(|made| (ProposedAction::Set(change.clone()), made))
        }
        Verdict::Place(placement) => scopes::scope_of_placement(target, placement)
            .zip(edits::of_placement(declared, target, placement))
            .map(|made| (ProposedAction::Place(placement.clone()), made)),
        Verdict::Open { .. } | Verdict::Hold { .. } => return Err(decision),
    };
    let Some((action, (scope, edits))) = made else {
        // A decider that wants what can't be written is a bug; it is shown as a hold rather than lost.
        let refusal = Refusal::WrongShape {
            message: "no place to write it was found".to_owned(),
        };
        return Err(Decision {
            verdict: Verdict::Hold {
                wanted: None,
                reasons: vec![HoldReason::NotWritable {
                    path: None,
                    line: 0,
                    refusal,
                }],
            },
            ..decision
        });
    };
    let branch = branch_of(&scope);
    Ok(Box::new(Wanted {
        decision,
        action,
        policy,
        scope,
        branch,
        edits,
    }))
}

/// The edits that a decision leads to; nothing for a hold, and for a change without a place.
pub fn edits_of(decision: &Decision, declared: &Declared) -> Option<Vec<Edit>> {
    match &decision.verdict {
        Verdict::Set(change) => edits::of_change(declared, &decision.target, change),
        Verdict::Place(placement) => edits::of_placement(declared, &decision.target, placement),
        Verdict::Open { .. } | Verdict::Hold { .. } => None,
    }
}

/// How the policy that decided groups its changes.
fn group_by(target: &Target, policy: &PolicyRef, policies: &PolicySet) -> GroupBy {
    let named = policies
        .node_groups
        .iter()
        .find(|known| matches!(target, Target::NodeGroup(_)) && known.meta.name == policy.name);
    named.map_or(GroupBy::Cluster, |policy| policy.group_by)
}

/// P1 ups first, then other ups, then what has no direction, then downs.
fn urgency(wanted: &Wanted) -> (Priority, u8) {
    let direction = match &wanted.action {
        ProposedAction::Set(change) => match change.direction() {
            Some(Direction::Up) => 0,
            None => 1,
            Some(Direction::Down) => 2,
        },
        ProposedAction::Place(_) => 1,
    };
    (wanted.action.priority(), direction)
}

fn into_hold(wanted: Wanted, reason: HoldReason) -> Decision {
    let change = match wanted.action {
        ProposedAction::Set(change) => Some(change),
        ProposedAction::Place(_) => None,
    };
    Decision {
        verdict: Verdict::Hold {
            wanted: change,
            reasons: vec![reason],
        },
        ..wanted.decision
    }
}

fn proposal(
    wanted: Vec<Wanted>,
    declared: &Declared,
    ledger: &Ledger,
    held: &BTreeMap<&Target, &Decision>,
    related: &Related<'_>,
) -> Option<Proposal> {
    let (scope, branch) = wanted
        .first()
        .map(|first| (first.scope.clone(), first.branch.clone()))?;
    let mut changes: Vec<ProposedChange> = wanted
        .into_iter()
        .map(
            |Wanted {
                 decision,
                 action,
                 policy,
                 edits,
                 ..
             }| ProposedChange {
                target: decision.target,
                policy,
                action,
                edits,
            },
        )
        .collect();
    if scope.direction() == Some(Direction::Up) {
        changes.extend(carry(declared, ledger, &branch, held));
    }
    changes.sort_by(|a, b| a.target.cmp(&b.target));
    let priority = changes
        .iter()
        .map(|change| change.action.priority())
        .min()
        .unwrap_or(Priority::Routine);
    let related = related.to(&scope);
    let digest = digest(&changes);
    Some(Proposal {
        scope,
        branch,
        priority,
        changes,
        related,
        digest,
    })
}

fn carry(
    declared: &Declared,
    ledger: &Ledger,
    branch: &BranchName,
    held: &BTreeMap<&Target, &Decision>,
) -> Vec<ProposedChange> {
    let value = |target: &Target| -> Option<Scalar> { declared.bindings.get(target)?.value.clone() };
    standing::carried(ledger, branch, held, value)
        .into_iter()
        .filter_map(|(number, RecordedChange { target, from, to })| {
            let policy = held.get(&target)?.policy.clone()?;
            let change = Change {
                from,
                to,
                priority: Priority::Routine,
                reasons: vec![Reason::Carried { number }],
            };
            let edits = edits::of_change(declared, &target, &change)?;
            Some(ProposedChange {
                target,
                policy,
                action: ProposedAction::Set(change),
                edits,
            })
        })
        .collect()
}

/// The digest of a proposal's edits alone: path, identity, pointer, from, to.
///
/// No evidence, time or base is in it, so that fresh figures for the same change don't cost the approvals that are there already.
fn digest(changes: &[ProposedChange]) -> Digest {
    let edits: Vec<&Edit> = changes.iter().flat_map(|change| &change.edits).collect();
    Digest::of(&edits)
}

/// The reasons of a placement or a change.
pub(crate) fn reasons(action: &ProposedAction) -> &[Reason] {
    match action {
        ProposedAction::Set(Change { reasons, .. }) | ProposedAction::Place(Placement { reasons, .. }) => reasons,
    }
}
