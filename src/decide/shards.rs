//! Shards: where a new cluster goes.
//!
//! Each waiting cluster is placed into the shard of its region that has the most room and is neither blind nor full, or held with a reason.
//! What is live is never placed or moved: to change a cluster's namespace in Git is to delete it and create another one.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{
    ClusterName, Decision, DeclaredShard, HoldReason, Inventory, ManagementClusterName, Placement, PlacementRequest,
    Reason, Refusal, Scalar, ShardName, Site, Target, Verdict,
};
use crate::policy::{Mode, Shard, ShardingPolicy};

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

/// Who lives where, with everything that is on its way counted in.
struct Occupancy {
    /// By management cluster and namespace.
    namespaces: BTreeMap<(ManagementClusterName, String), BTreeSet<ClusterName>>,
}

impl Occupancy {
    /// Counts live clusters, declared ones, and those that an open pull request places.
    fn of(world: &World<'_>) -> Self {
        let mut occupancy = Self {
            namespaces: BTreeMap::new(),
        };
        for (management_cluster, live) in &world.snapshot.live.management_clusters {
            for (namespace, clusters) in &live.clusters {
                for cluster in clusters.keys() {
                    occupancy.add(management_cluster, namespace.as_str(), cluster);
                }
            }
        }
        for shard in world.declared.shards.values() {
            for cluster in &shard.clusters {
                occupancy.add(&shard.management_cluster, shard.namespace.as_str(), cluster);
            }
        }
        for target in world.declared.bindings.keys() {
            if let Target::NodeGroup(key) = target {
                occupancy.add(&key.management_cluster, key.namespace.as_str(), &key.cluster);
            }
        }
        occupancy
    }

    fn add(&mut self, management_cluster: &ManagementClusterName, namespace: &str, cluster: &ClusterName) {
        self.namespaces
            .entry((management_cluster.clone(), namespace.to_owned()))
            .or_default()
            .insert(cluster.clone());
    }

    fn in_namespace(&self, management_cluster: &ManagementClusterName, namespace: &str) -> usize {
        self.namespaces
            .get(&(management_cluster.clone(), namespace.to_owned()))
            .map_or(0, BTreeSet::len)
    }

    fn on_management_cluster(&self, management_cluster: &ManagementClusterName) -> usize {
        self.namespaces
            .iter()
            .filter(|((at, _), _)| at == management_cluster)
            .map(|(_, clusters)| clusters.len())
            .sum()
    }

    /// Where a cluster of that name is already.
    fn find(&self, cluster: &ClusterName) -> Option<String> {
        let ((management_cluster, namespace), _) = self
            .namespaces
            .iter()
            .find(|(_, clusters)| clusters.contains(cluster))?;
        Some(format!("{management_cluster} {namespace}/{cluster}"))
    }
}

/// The shard that an open pull request of ours puts a cluster into.
fn open_placements<'a>(world: &'a World<'_>) -> impl Iterator<Item = (&'a Target, ShardName)> {
    world
        .snapshot
        .ledger
        .open()
        .filter_map(|request| request.record.as_ref())
        .flat_map(|record| {
            record
                .changes
                .iter()
                .filter_map(|change| match (&change.target, &change.to) {
                    (Target::Placement { .. }, Scalar::Text(shard)) => Some((&change.target, shard.parse().ok()?)),
                    _ => None,
                })
        })
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
        match room_in(world, policy, shard, request, occupancy, target) {
            Ok(room) => rooms.push((room, &shard.name)),
            Err(why) => refused.push(format!("{} {why}", shard.name)),
        }
    }
    // An open pull request's choice stays while it is possible: two placements of one cluster would be argued about twice.
    let chosen = open_placements(world)
        .find(|(open, _)| *open == target)
        .map(|(_, shard)| shard);
    let others = u32::try_from(rooms.len().saturating_sub(1)).unwrap_or(u32::MAX);
    let best = rooms.iter().max_by(|a, b| {
        (Some(a.1) == chosen.as_ref())
            .cmp(&(Some(b.1) == chosen.as_ref()))
            .then(a.0.cmp(&b.0))
            .then(b.1.cmp(a.1))
    });
    let Some((Room { free, capacity }, name)) = best else {
        return held(vec![HoldReason::NoRoom { shards: refused }]);
    };
    let Some(shard) = world.declared.shards.get(*name) else {
        return held(vec![HoldReason::NoRoom { shards: refused }]);
    };
    occupancy.add(&shard.management_cluster, shard.namespace.as_str(), &request.cluster);
    decision(Verdict::Place(Placement {
        shard: (*name).clone(),
        management_cluster: shard.management_cluster.clone(),
        namespace: shard.namespace.clone(),
        reasons: vec![Reason::MostRoom {
            room: *free,
            capacity: *capacity,
            others,
        }],
    }))
}

/// Room for at least one more cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Room {
    free: u32,
    capacity: u32,
}

/// The room of a shard, or why it can't take the cluster.
fn room_in(
    world: &World<'_>,
    policy: &ShardingPolicy,
    shard: &Shard,
    request: &PlacementRequest,
    occupancy: &Occupancy,
    target: &Target,
) -> Result<Room, String> {
    let declared = world.declared.shards.get(&shard.name).ok_or("is not declared")?;
    let DeclaredShard {
        management_cluster,
        namespace,
        clusters: _,
        kustomization,
        folder,
        files,
    } = declared;
    let live = world
        .snapshot
        .live
        .management_clusters
        .get(management_cluster)
        .ok_or("is blind: its management cluster is not in the snapshot")?;
    if let Some(gap) = live.gap_in(Inventory::Clusters) {
        return Err(format!("is blind: {}", gap.cause));
    }
    if let Site::Refused { refusal, .. } = kustomization {
        return Err(format!("can't be written: {refusal}"));
    }
    if files.iter().any(|file| file == request.path.file_name()) {
        let path = folder
            .join(request.path.file_name())
            .map_err(|error| error.to_string())?;
        return Err(format!("can't be written: {}", Refusal::Exists { path }));
    }
    // Placements that are under review take room as if they were merged.
    let under_review = |here: &dyn Fn(&DeclaredShard) -> bool| {
        open_placements(world)
            .filter(|(open, _)| *open != target)
            .filter(|(open, shard)| {
                let Target::Placement { cluster, .. } = open else {
                    return false;
                };
                world.declared.shards.get(shard).is_some_and(|shard| {
                    here(shard)
                        && !occupancy
                            .namespaces
                            .get(&(shard.management_cluster.clone(), shard.namespace.to_string()))
                            .is_some_and(|clusters| clusters.contains(cluster))
                })
            })
            .count()
    };
    let in_shard = occupancy.in_namespace(management_cluster, namespace.as_str())
        + under_review(&|shard| shard.management_cluster == *management_cluster && shard.namespace == *namespace);
    let on_cluster = occupancy.on_management_cluster(management_cluster)
        + under_review(&|shard| shard.management_cluster == *management_cluster);
    let capacity = shard.capacity;
    let free = |capacity: u32, used: usize| capacity.saturating_sub(u32::try_from(used).unwrap_or(u32::MAX));
    let (shard_free, cluster_free) = (
        free(capacity, in_shard),
        free(policy.management_cluster_capacity, on_cluster),
    );
    if shard_free == 0 {
        return Err(format!("is full: {in_shard} of {capacity} clusters"));
    }
    if cluster_free == 0 {
        return Err(format!(
            "is full: {management_cluster} has {on_cluster} of {} clusters",
            policy.management_cluster_capacity
        ));
    }
    Ok(Room {
        free: shard_free.min(cluster_free),
        capacity,
    })
}
