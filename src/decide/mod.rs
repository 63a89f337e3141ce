//! Decides: one verdict per target, from what is live, what is declared and what the policies say.
//!
//! The answer is total: every target that is live, declared or named by a policy gets exactly one decision, and every decision says why.
//! It is given as if no pull request of ours were open for that target; `plan` compares the two. There is no I/O here, no clock and no way
//! to fail: what is not known is a hold with its cause.

mod controllers;
mod demand;
mod evidence;
mod guards;
mod history;
mod inventory;
mod node_group;
mod platform;
mod rooms;
mod shards;
mod usage;

use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::model::{
    Decision, Declared, HoldReason, ManagementClusterName, NodeGroupKey, PolicyRef, RegionName, Snapshot, Target,
    Verdict,
};
use crate::policy::{FleetFile, Meta, PolicySet};

use history::History;
use inventory::Shrunk;

pub use rooms::{ShardState, shards};

/// What every decider may know.
#[derive(Clone, Copy)]
struct World<'a> {
    fleet: &'a FleetFile,
    policies: &'a PolicySet,
    snapshot: &'a Snapshot,
    declared: &'a Declared,
    history: &'a History<'a>,
    shrunk: &'a Shrunk<'a>,
    now: Timestamp,
}

/// A kind of target: which ones there are, and what is to become of one.
struct Decider {
    targets: fn(&World<'_>) -> BTreeSet<Target>,
    decide: fn(&World<'_>, &BTreeSet<Target>) -> Vec<Decision>,
}

/// The kinds of target. A new one is one file and one line.
const DECIDERS: [Decider; 4] = [
    Decider {
        targets: node_group::targets,
        decide: node_group::decide,
    },
    Decider {
        targets: platform::targets,
        decide: platform::decide,
    },
    Decider {
        targets: controllers::targets,
        decide: controllers::decide,
    },
    Decider {
        targets: shards::targets,
        decide: shards::decide,
    },
];

/// Decides on every target of live and declared, sorted by target.
pub fn decide(
    fleet: &FleetFile,
    policies: &PolicySet,
    snapshot: &Snapshot,
    declared: &Declared,
    now: Timestamp,
) -> Vec<Decision> {
    let world = World {
        fleet,
        policies,
        snapshot,
        declared,
        history: &History::of(&snapshot.ledger),
        shrunk: &Shrunk::of(snapshot, declared),
        now,
    };
    let mut decisions: Vec<Decision> = DECIDERS
        .iter()
        .flat_map(|decider| {
            let targets = (decider.targets)(&world);
            (decider.decide)(&world, &targets)
        })
        .collect();
    decisions.sort_by(|a, b| a.target.cmp(&b.target));
    decisions
}

impl World<'_> {
    /// The node groups that are live, with their keys.
    fn live_node_groups(&self) -> impl Iterator<Item = NodeGroupKey> {
        self.snapshot
            .live
            .management_clusters
            .iter()
            .flat_map(|(management_cluster, live)| {
                live.clusters.iter().flat_map(move |(namespace, clusters)| {
                    clusters.iter().flat_map(move |(cluster, live)| {
                        live.node_groups.keys().map(move |group| NodeGroupKey {
                            management_cluster: management_cluster.clone(),
                            namespace: namespace.clone(),
                            cluster: cluster.clone(),
                            group: group.clone(),
                        })
                    })
                })
            })
    }
}

impl<'a> World<'a> {
    /// The region of a management cluster: the fleet file knows it, and for one that has left the fleet file the snapshot does.
    fn region(&self, management_cluster: &ManagementClusterName) -> Option<&'a RegionName> {
        let known = self
            .fleet
            .management_cluster(management_cluster)
            .map(|(region, _)| region);
        known.or_else(|| Some(&self.snapshot.live.management_clusters.get(management_cluster)?.region))
    }
}

/// The one policy that selects a target; without one, or with two, the decision is made already.
fn only<'a, P>(
    target: &Target,
    policies: impl Iterator<Item = &'a P>,
    meta: impl Fn(&P) -> &Meta,
) -> Result<(&'a P, PolicyRef), Decision> {
    let found: Vec<&P> = policies.collect();
    match found[..] {
        [policy] => Ok((policy, meta(policy).reference())),
        [] => Err(hold(target, vec![HoldReason::NoPolicy])),
        _ => {
            let policies = found
                .iter()
                .map(|policy| meta(policy).reference().to_string())
                .collect();
            Err(hold(target, vec![HoldReason::PolicyConflict { policies }]))
        }
    }
}

/// A hold on which nothing is wanted.
fn hold(target: &Target, reasons: Vec<HoldReason>) -> Decision {
    Decision {
        target: target.clone(),
        policy: None,
        verdict: Verdict::Hold { wanted: None, reasons },
    }
}
