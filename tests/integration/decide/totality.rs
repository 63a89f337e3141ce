//! Exactly one decision per target, whatever is live, declared, named or asked for.

use std::collections::BTreeSet;

use fleetscale::model::*;

use crate::support::parts::*;
use crate::support::world::World;

#[test]
fn every_target_gets_exactly_one_decision() {
    let world = World::healthy().with(|w| {
        // Live only, declared only, named by a policy only, asked for only.
        w.add_group("node-group/us-1/lost/stray/md-9/replicas", group(4, 0.6));
        w.declared
            .bindings
            .remove(&n("node-group/us-1/lost/stray/md-9/replicas"));
        w.live_cluster(GREEN).node_groups.clear();
        w.declared.bindings.remove(&n(QPS));
        w.request("eu", "orange");
        w.request("mars", "lemon");
        w.declared.bindings.insert(
            n("platform/nowhere/kamaji/replicas"),
            binding(2, place("x.yaml", "/x", Form::Scalar)),
        );
    });
    let decided: Vec<Target> = world.decide().into_iter().map(|decision| decision.target).collect();
    let expected: BTreeSet<Target> = [
        BLUE,
        BLUE_1,
        GREEN,
        RED,
        KAMAJI,
        QPS,
        BURST,
        ORANGE,
        "node-group/us-1/lost/stray/md-9/replicas",
        "placement/mars/lemon",
        "platform/nowhere/kamaji/replicas",
    ]
    .map(n)
    .into();
    assert_eq!(decided, expected.into_iter().collect::<Vec<_>>());
}

#[test]
fn no_hold_is_silent() {
    let worlds = [
        World::healthy(),
        World::healthy().with(|w| w.snapshot.live.management_clusters.clear()),
        World::healthy().with(|w| w.declared.bindings.clear()),
    ];
    for decision in worlds.iter().flat_map(World::decide) {
        if let Verdict::Hold { reasons, .. } = &decision.verdict {
            assert!(!reasons.is_empty(), "{}", decision.target);
        }
    }
}
