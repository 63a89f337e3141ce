//! Node groups: up when an hour (P1) or a day (P2) of measured use says so, down only when everything agrees.

use std::collections::BTreeSet;

use crate::model::{
    Decision, HoldReason, Inventory, LiveCluster, LiveNodeGroup, NodeGroupKey, Scalar, Target, Verdict,
};
use crate::policy::{Candidate as Selected, NodeGroupPolicy};

use super::guards::{self, Candidate, PolicyTerms, State};
use super::inventory::unseen;
use super::usage::Group;
use super::{World, hold, only};

/// The node groups that are live or declared.
pub(super) fn targets(world: &World<'_>) -> BTreeSet<Target> {
    let declared = world
        .declared
        .bindings
        .keys()
        .filter(|target| matches!(target, Target::NodeGroup(_)))
        .cloned();
    world
        .live_node_groups()
        .map(Target::NodeGroup)
        .chain(declared)
        .collect()
}

/// One decision for each of them.
pub(super) fn decide(world: &World<'_>, targets: &BTreeSet<Target>) -> Vec<Decision> {
    targets
        .iter()
        .filter_map(|target| match target {
            Target::NodeGroup(key) => Some(decide_one(world, target, key)),
            _ => None,
        })
        .collect()
}

fn decide_one(world: &World<'_>, target: &Target, key: &NodeGroupKey) -> Decision {
    let Some(region) = world.region(&key.management_cluster) else {
        return hold(target, vec![HoldReason::NoPolicy]);
    };
    let candidate = Selected::of_node_group(region, key);
    let selected = world.policies.for_node_group(&candidate);
    let (policy, reference) = match only(target, selected, |policy| &policy.meta) {
        Ok(selected) => selected,
        Err(decision) => return decision,
    };
    let held = |wanted, reasons| Decision {
        target: target.clone(),
        policy: Some(reference.clone()),
        verdict: Verdict::Hold { wanted, reasons },
    };

    let management_cluster = world.snapshot.live.management_clusters.get(&key.management_cluster);
    let cluster = management_cluster.and_then(|live| live.clusters.get(&key.namespace)?.get(&key.cluster));
    let live = cluster.and_then(|cluster| cluster.node_groups.get(&key.group));
    let (Some(management_cluster), Some(cluster), Some(live)) = (management_cluster, cluster, live) else {
        let reason = unseen(world, &key.management_cluster, management_cluster, Inventory::Clusters);
        return held(None, vec![reason]);
    };
    let wish = Group {
        world,
        target,
        policy,
        live,
    }
    .wish();
    let Some(binding) = world.declared.bindings.get(target) else {
        return held(wish.change, vec![HoldReason::NotDeclared]);
    };
    let candidate = Candidate {
        world,
        target,
        binding,
        management_cluster,
        inventory: Inventory::Clusters,
        state: state(cluster, live),
        terms: terms(policy),
    };
    // An owner is asked first: where an autoscaler works, Git rightly has no number to compare.
    if let Some(reason) = guards::owner(binding, candidate.state) {
        return held(wish.change, vec![reason]);
    }
    let Some(declared) = binding.value.as_ref().and_then(Scalar::integer) else {
        return held(
            wish.change,
            vec![guards::site(&binding.site).unwrap_or(HoldReason::NotDeclared)],
        );
    };
    if let Some(reason) = guards::not_applied(world, target, &Scalar::Integer(declared), &live.replicas.into()) {
        return held(None, candidate.standing(vec![reason]));
    }
    let Some(change) = wish.change else {
        return held(None, candidate.standing(wish.reasons));
    };
    let reasons = candidate.objections(&change, wish.reasons);
    if reasons.is_empty() {
        Decision {
            target: target.clone(),
            policy: Some(reference),
            verdict: Verdict::Set(change),
        }
    } else {
        held(Some(change), reasons)
    }
}

fn terms(policy: &NodeGroupPolicy) -> PolicyTerms<'_> {
    PolicyTerms {
        mode: policy.meta.mode,
        suspend: policy.meta.suspend,
        cooldown: policy.cooldown,
        down_windows: policy.scale_down.as_ref().map_or(&[], |down| &down.windows),
    }
}

fn state(cluster: &LiveCluster, live: &LiveNodeGroup) -> State {
    State {
        paused: cluster.paused || live.paused,
        deleting: cluster.deleting,
        autoscaler: live.autoscaler,
        replicas: live.replicas,
        ready: live.ready,
        up_to_date: live.up_to_date,
        changed_at: live.changed_at,
    }
}
