//! Shards: where a new cluster goes.
//!
//! Each waiting cluster is placed into the shard of its region that has the most room and is neither blind nor full, or held with a reason.
//! What is live is never placed or moved: to change a cluster's namespace in Git is to delete it and create another one.

use std::collections::BTreeSet;

use crate::model::{Decision, HoldReason, Inventory, Placement, PlacementRequest, Reason, Target, Verdict};
use crate::policy::{Mode, Shard};

use super::rooms::{Occupancy, blind, file_free, open_placements, state_of};
use super::{World, guards, hold};

/// The clusters that wait.
pub(super) fn targets(world: &World<'_>) -> BTreeSet<Target> {
    world.declared.requests.keys().cloned().collect()
}

/// One decision for each of them, in the order of their names, so that the order of arrival changes nothing.
pub(super) fn decide(world: &World<'_>, targets: &BTreeSet<Target>) -> Vec<Decision> {
    // Who lives where is counted for those who wait.
    if targets.is_empty() {
        return Vec::new();
    }
    let mut occupancy = Occupancy::of(world);
    targets
        .iter()
        .filter_map(|target| Some((target, world.declared.requests.get(target)?)))
        .map(|(target, request)| decide_one(world, target, request, &mut occupancy))
        .collect()
}

fn decide_one(world: &World<'_>, target: &Target, request: &PlacementRequest, occupancy: &mut Occupancy) -> Decision {
    let Some(policy) = world.policies.for_region(&request.region) else {
        return hold(target, vec![HoldReason::NoPolicy]);
    };
    let reference = policy.meta.reference();
    let decision = |verdict| Decision {
        target: target.clone(),
        policy: Some(reference.clone()),
        verdict,
    };
    let held = |reasons| decision(Verdict::Hold { wanted: None, reasons });

    let mut reasons = Vec::new();
    if let Some(at) = occupancy.find(&request.cluster) {
        reasons.push(HoldReason::AlreadyPlaced { at });
    }
    reasons.extend(policy.meta.suspend.then_some(HoldReason::Suspended));
    reasons.extend((policy.meta.mode == Mode::Report).then_some(HoldReason::ReportOnly));
    reasons.extend(guards::annotation(request.hold.as_ref(), world.now));
    reasons.extend(guards::freeze(world));
    if let Err(refused) = &request.documents {
        let (path, line) = (Some(request.path.clone()), refused.line);
        reasons.push(HoldReason::NotWritable {
            path,
            line,
            refusal: refused.refusal.clone(),
        });
    }
    if !reasons.is_empty() {
        return held(reasons);
    }

    // An open pull request's choice stays while it is possible: two placements of one cluster would be argued about twice.
    let chosen = open_placements(world)
        .filter(|(_, open, _)| *open == target)
        .max_by_key(|(number, ..)| *number);
    let is_chosen = |shard: &Shard| chosen.as_ref().is_some_and(|(.., chosen)| *chosen == shard.name);
    // Whoever waits for the first time counts every placement under review. Whoever is under review counts those that were decided before it,
    // so that it sees the room, and gives the reasons, of the run that placed it.
    let counted = |open: &Target| chosen.is_none() || open < target;
    if let Some(cause) = policy
        .shards
        .iter()
        .find(|s| is_chosen(s))
        .and_then(|s| blind(world, s))
    {
        // Nobody knows whether it is still possible.
        let inventory = Inventory::Clusters;
        return held(vec![HoldReason::Blind { inventory, cause }]);
    }
    let (mut rooms, mut refused) = (Vec::new(), Vec::new());
    for shard in &policy.shards {
        let room = state_of(world, policy, shard, occupancy, &counted).room;
        let free = |room| file_free(world, shard, occupancy, &counted, request).map(|()| room);
        match room.and_then(free) {
            Ok(room) => rooms.push((room, shard)),
            Err(why) => refused.push(format!("{} {why}", shard.name)),
        }
    }
    let others = u32::try_from(rooms.len().saturating_sub(1)).unwrap_or(u32::MAX);
    let best = rooms.iter().max_by(|a, b| {
        is_chosen(a.1)
            .cmp(&is_chosen(b.1))
            .then(a.0.cmp(&b.0))
            .then_with(|| b.1.name.cmp(&a.1.name))
    });
    let Some((room, shard)) = best else {
        return held(vec![HoldReason::NoRoom { shards: refused }]);
    };
    occupancy.take(world, shard, request);
    let most = rooms.iter().all(|(other, _)| other <= room);
    let reason = match chosen {
        Some((number, ..)) if !most => Reason::Carried { number },
        _ => Reason::MostRoom {
            room: *room,
            capacity: shard.capacity,
            others,
        },
    };
    decision(Verdict::Place(Placement {
        shard: shard.name.clone(),
        management_cluster: shard.management_cluster.clone(),
        namespace: shard.namespace.clone(),
        reasons: vec![reason],
    }))
}
