//! Shards: where a new cluster goes.
//!
//! Each waiting cluster is placed into the shard of its region that has the most room and is neither blind nor full, or held with a reason.
//! What is live is never placed or moved: to change a cluster's namespace in Git is to delete it and create another one.

use std::collections::BTreeSet;

use crate::model::{
    Decision, DeclaredShard, HoldReason, Placement, PlacementRequest, Reason, Refusal, Target, Verdict,
};
use crate::policy::{Mode, Shard};

use super::rooms::{Occupancy, open_placements, state_of};
use super::{World, guards, hold};

/// The clusters that wait.
pub(super) fn targets(world: &World<'_>) -> BTreeSet<Target> {
    world.declared.requests.keys().cloned().collect()
}

/// One decision for each of them, in the order of their names, so that the order of arrival changes nothing.
pub(super) fn decide(world: &World<'_>, targets: &BTreeSet<Target>) -> Vec<Decision> {
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

    let mut rooms = Vec::new();
    let mut refused = Vec::new();
    for shard in &policy.shards {
        let state = state_of(world, policy, shard, occupancy, Some(target));
        match state
            .room
            .and_then(|room| file_free(world, shard, request).map(|()| room))
        {
            Ok(room) => rooms.push((room, shard)),
            Err(why) => refused.push(format!("{} {why}", shard.name)),
        }
    }
    // An open pull request's choice stays while it is possible: two placements of one cluster would be argued about twice.
    let chosen = open_placements(world)
        .find(|(open, _)| *open == target)
        .map(|(_, shard)| shard);
    let others = u32::try_from(rooms.len().saturating_sub(1)).unwrap_or(u32::MAX);
    let is_chosen = |shard: &Shard| Some(&shard.name) == chosen.as_ref();
    let best = rooms.iter().max_by(|a, b| {
        is_chosen(a.1)
            .cmp(&is_chosen(b.1))
            .then(a.0.cmp(&b.0))
            .then_with(|| b.1.name.cmp(&a.1.name))
    });
    let Some((room, shard)) = best else {
        return held(vec![HoldReason::NoRoom { shards: refused }]);
    };
    occupancy.add(&shard.management_cluster, shard.namespace.as_str(), &request.cluster);
    decision(Verdict::Place(Placement {
        shard: shard.name.clone(),
        management_cluster: shard.management_cluster.clone(),
        namespace: shard.namespace.clone(),
        reasons: vec![Reason::MostRoom {
            room: *room,
            capacity: shard.capacity,
            others,
        }],
    }))
}

/// Whether the shard's folder has no file of the request's name yet.
fn file_free(world: &World<'_>, shard: &Shard, request: &PlacementRequest) -> Result<(), String> {
    let Some(DeclaredShard { folder, files, .. }) = world.declared.shards.get(&shard.name) else {
        return Ok(());
    };
    let name = request.path.file_name();
    if !files.iter().any(|file| file == name) {
        return Ok(());
    }
    let path = folder.join(name).map_err(|error| error.to_string())?;
    Err(format!("can't be written: {}", Refusal::Exists { path }))
}
