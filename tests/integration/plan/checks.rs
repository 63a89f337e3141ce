//! The checker of finished plans, on plans that no room would make.

use fleetscale::model::*;
use fleetscale::plan::check;
use insta::assert_snapshot;

use crate::support::parts::*;
use crate::support::world::World;

/// A plan with an up, a down and a placement.
fn sound() -> Plan {
    let world = World::healthy().with(|w| {
        w.usage(BLUE, 0.97);
        w.usage(RED, 0.4);
        w.request("eu", "orange");
    });
    world.plan()
}

/// What the checker says about a plan that was broken by hand.
fn notes(breakage: impl FnOnce(&mut Plan)) -> String {
    let mut plan = sound();
    assert_eq!(check(&plan), []);
    breakage(&mut plan);
    let lines = check(&plan).into_iter().map(|note| {
        let target = note.target.map_or(String::new(), |target| format!("{target} "));
        format!("{target}{}\n", note.message)
    });
    lines.collect()
}

#[test]
fn a_target_with_two_verdicts_is_noted() {
    assert_snapshot!(notes(|plan| {
        let target = plan.proposals[0].changes[0].target.clone();
        plan.held[0].target = target;
    }), @"node-group/eu-1/shard-a/blue/md-0/replicas has more than one verdict");
}

#[test]
fn two_proposals_of_one_scope_are_noted() {
    assert_snapshot!(notes(|plan| {
        let mut again = plan.proposals[0].clone();
        again.changes.clear();
        plan.proposals.push(again);
    }), @r"
    the digest of fleetscale/eu-1/shard-a/blue/up is not that of its edits
    the proposal fleetscale/eu-1/shard-a/blue/up changes nothing
    two proposals share the branch fleetscale/eu-1/shard-a/blue/up
    ");
}

#[test]
fn a_branch_that_is_not_the_scopes_is_noted() {
    assert_snapshot!(notes(|plan| plan.proposals[0].branch = n("fleetscale/eu-1/other")), @"the branch fleetscale/eu-1/other is not that of eu-1 shard-a/blue up");
}

#[test]
fn a_down_among_ups_is_noted() {
    assert_snapshot!(notes(|plan| {
        let ProposedAction::Set(change) = &mut plan.proposals[0].changes[0].action else {
            panic!()
        };
        change.to = Scalar::Integer(2);
    }), @r"
    node-group/eu-1/shard-a/blue/md-0/replicas goes down in a proposal that goes up
    node-group/eu-1/shard-a/blue/md-0/replicas has an edit that writes something else
    ");
}

#[test]
fn a_change_that_changes_nothing_is_noted() {
    assert_snapshot!(notes(|plan| {
        plan.proposals[0].changes[0].edits.clear();
        let ProposedAction::Set(change) = &mut plan.proposals[2].changes[0].action else {
            panic!()
        };
        change.to = change.from.clone();
    }), @r"
    the digest of fleetscale/eu-1/shard-a/blue/up is not that of its edits
    node-group/eu-1/shard-a/blue/md-0/replicas has no edit
    node-group/us-1/shard-c/red/md-0/replicas changes a value into itself
    node-group/us-1/shard-c/red/md-0/replicas goes sideways in a proposal that goes down
    node-group/us-1/shard-c/red/md-0/replicas has an edit that writes something else
    ");
}

#[test]
fn one_place_written_twice_is_noted() {
    assert_snapshot!(notes(|plan| {
        let edits = plan.proposals[0].changes[0].edits.clone();
        plan.proposals[2].changes[0].edits = edits;
    }), @r"
    the digest of fleetscale/us-1/shard-c/red/down is not that of its edits
    node-group/us-1/shard-c/red/md-0/replicas has an edit that writes something else
    node-group/us-1/shard-c/red/md-0/replicas writes clusters/eu-1/shard-a/blue.yaml 0 /spec/topology/workers/md-0/replicas, and so does node-group/eu-1/shard-a/blue/md-0/replicas
    ");
}

#[test]
fn a_count_that_becomes_a_text_is_noted() {
    assert_snapshot!(notes(|plan| {
        let change = &mut plan.proposals[0].changes[0];
        let ProposedAction::Set(set) = &mut change.action else {
            panic!()
        };
        let Edit::Replace { to, .. } = &mut change.edits[0] else {
            panic!()
        };
        *to = Scalar::Text("750m".to_owned());
        set.to = to.clone();
    }), @r"
    the digest of fleetscale/eu-1/shard-a/blue/up is not that of its edits
    node-group/eu-1/shard-a/blue/md-0/replicas changes the type of its value
    node-group/eu-1/shard-a/blue/md-0/replicas goes sideways in a proposal that goes up
    ");
}

#[test]
fn an_edit_that_writes_the_decimals_of_a_value_is_noted() {
    assert_snapshot!(notes(|plan| {
        let change = &mut plan.proposals[0].changes[0];
        let ProposedAction::Set(set) = &change.action else {
            panic!()
        };
        let Edit::Replace { to, .. } = &mut change.edits[0] else {
            panic!()
        };
        *to = Scalar::Text(format!("0.{}", set.to));
    }), @r"
    the digest of fleetscale/eu-1/shard-a/blue/up is not that of its edits
    node-group/eu-1/shard-a/blue/md-0/replicas has an edit that writes something else
    ");
}

#[test]
fn an_edit_that_writes_something_else_is_noted() {
    assert_snapshot!(notes(|plan| {
        let Edit::Replace { to, .. } = &mut plan.proposals[0].changes[0].edits[0] else {
            panic!()
        };
        *to = Scalar::Integer(90);
    }), @r"
    the digest of fleetscale/eu-1/shard-a/blue/up is not that of its edits
    node-group/eu-1/shard-a/blue/md-0/replicas has an edit that writes something else
    ");
    // A value that was altered everywhere still betrays itself, and so does a digest.
    assert_snapshot!(notes(|plan| {
        let change = &mut plan.proposals[0].changes[0];
        let (ProposedAction::Set(set), Edit::Replace { to, .. }) = (&mut change.action, &mut change.edits[0]) else {
            panic!()
        };
        (set.to, *to) = (Scalar::Integer(90), Scalar::Integer(90));
    }), @"the digest of fleetscale/eu-1/shard-a/blue/up is not that of its edits");
    assert_snapshot!(notes(|plan| plan.proposals[0].digest = Digest::of_bytes(b"another")), @"the digest of fleetscale/eu-1/shard-a/blue/up is not that of its edits");
}

#[test]
fn a_silent_hold_is_noted() {
    assert_snapshot!(notes(|plan| {
        plan.held[0].verdict = Verdict::Hold { wanted: None, reasons: Vec::new() };
    }), @"node-group/eu-1/shard-a/blue/md-1/replicas is held without a reason");
}

#[test]
fn a_shard_may_have_any_name() {
    let world = World::healthy().with(|w| {
        w.request("eu", "orange");
        w.add_shard("requested", "eu-2", &[]);
        w.policies.sharding[0].shards.truncate(1);
        let shard = &mut w.policies.sharding[0].shards[0];
        (shard.name, shard.namespace, shard.management_cluster) = (n("requested"), n("requested"), n("eu-2"));
    });
    let plan = world.plan();
    assert_eq!((plan.proposals.len(), plan.notes), (1, Vec::new()));
}
