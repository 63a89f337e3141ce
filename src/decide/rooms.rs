//! Rooms: how much each shard holds, how much it still takes, and which one is blind or full.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::model::{
    ClusterName, Declared, DeclaredShard, Duration, Inventory, ManagementClusterName, Namespace, PlacementRequest,
    Refusal, RegionName, RepoPath, Scalar, ShardName, Site, Snapshot, Target,
};
use crate::policy::{FleetFile, PolicySet, Shard, ShardingPolicy};

use super::World;
use super::history::History;
use super::inventory::Shrunk;

/// A shard as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShardState {
    /// Its region.
    pub region: RegionName,
    /// Its management cluster.
    pub management_cluster: ManagementClusterName,
    /// Its name.
    pub shard: ShardName,
    /// Its namespace.
    pub namespace: Namespace,
    /// The clusters in it: live, declared, and those that an open pull request places there.
    pub clusters: usize,
    /// How many fit.
    pub capacity: u32,
    /// How many more it takes, its management cluster's own capacity counted in; or why it takes none.
    pub room: Result<u32, String>,
}

/// All shards of all sharding policies, by region, management cluster and name.
pub fn shards(
    fleet: &FleetFile,
    policies: &PolicySet,
    snapshot: &Snapshot,
    declared: &Declared,
    now: Timestamp,
) -> Vec<ShardState> {
    let world = World {
        fleet,
        policies,
        snapshot,
        declared,
        history: &History::of(&snapshot.ledger),
        shrunk: &Shrunk::of(snapshot, declared),
        now,
    };
    let occupancy = Occupancy::of(&world);
    let mut states: Vec<ShardState> = policies
        .sharding
        .iter()
        .flat_map(|policy| policy.shards.iter().map(move |shard| (policy, shard)))
        .map(|(policy, shard)| state_of(&world, policy, shard, &occupancy, &|_| true))
        .collect();
    states.sort_by(|a, b| {
        (&a.region, &a.management_cluster, &a.shard).cmp(&(&b.region, &b.management_cluster, &b.shard))
    });
    states
}

/// Who lives where, with everything that is on its way counted in.
pub(super) struct Occupancy {
    /// By management cluster and namespace.
    namespaces: BTreeMap<(ManagementClusterName, String), BTreeSet<ClusterName>>,
    /// The files that this run puts into the shards' folders.
    files: BTreeSet<(RepoPath, String)>,
}

impl Occupancy {
    /// Counts live clusters and declared ones.
    pub(super) fn of(world: &World<'_>) -> Self {
        let mut occupancy = Self {
            namespaces: BTreeMap::new(),
            files: BTreeSet::new(),
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

    fn holds(&self, shard: &DeclaredShard, cluster: &ClusterName) -> bool {
        let clusters = self
            .namespaces
            .get(&(shard.management_cluster.clone(), shard.namespace.to_string()));
        clusters.is_some_and(|clusters| clusters.contains(cluster))
    }

    /// Takes the place of a cluster, and the name of its file.
    pub(super) fn take(&mut self, world: &World<'_>, shard: &Shard, request: &PlacementRequest) {
        self.add(&shard.management_cluster, shard.namespace.as_str(), &request.cluster);
        if let Some(declared) = world.declared.shards.get(&shard.name) {
            let name = request.path.file_name().to_owned();
            self.files.insert((declared.folder.clone(), name));
        }
    }

    /// Where a cluster of that name is already.
    pub(super) fn find(&self, cluster: &ClusterName) -> Option<String> {
        let ((management_cluster, namespace), _) = self
            .namespaces
            .iter()
            .find(|(_, clusters)| clusters.contains(cluster))?;
        Some(format!("{management_cluster} {namespace}/{cluster}"))
    }
}

/// The clusters that pull requests under review place, with the pull request's number and the shard.
pub(super) fn open_placements<'a>(world: &World<'a>) -> impl Iterator<Item = (u64, &'a Target, ShardName)> + use<'a> {
    let under_review = world.snapshot.ledger.under_review();
    let changes = under_review.flat_map(|request| {
        let changes = request.record.iter().flat_map(|record| &record.changes);
        changes.map(|change| (request.number, change))
    });
    changes.filter_map(|(number, change)| match (&change.target, &change.to) {
        (Target::Placement { .. }, Scalar::Text(shard)) => Some((number, &change.target, shard.parse().ok()?)),
        _ => None,
    })
}

/// Which placements under review are counted in.
pub(super) type Counted<'a> = &'a dyn Fn(&Target) -> bool;

/// A shard's state, with some of the placements under review.
pub(super) fn state_of(
    world: &World<'_>,
    policy: &ShardingPolicy,
    shard: &Shard,
    occupancy: &Occupancy,
    counted: Counted<'_>,
) -> ShardState {
    let Shard {
        name,
        management_cluster,
        namespace,
        path: _,
        capacity,
    } = shard;
    let clusters = occupancy.in_namespace(management_cluster, namespace.as_str())
        + under_review(world, occupancy, counted, &|other| {
            other.management_cluster == *management_cluster && other.namespace == *namespace
        });
    let on_cluster = occupancy.on_management_cluster(management_cluster)
        + under_review(world, occupancy, counted, &|other| {
            other.management_cluster == *management_cluster
        });
    let limit = policy.management_cluster_capacity;
    let free = |capacity: u32, used: usize| capacity.saturating_sub(u32::try_from(used).unwrap_or(u32::MAX));
    let room = match closed(world, shard) {
        Some(why) => Err(why),
        None if free(*capacity, clusters) == 0 => Err(format!("is full: {clusters} of {capacity} clusters")),
        None if free(limit, on_cluster) == 0 => Err(format!(
            "is full: {management_cluster} has {on_cluster} of {limit} clusters"
        )),
        None => Ok(free(*capacity, clusters).min(free(limit, on_cluster))),
    };
    ShardState {
        region: policy.region.clone(),
        management_cluster: management_cluster.clone(),
        shard: name.clone(),
        namespace: namespace.clone(),
        clusters,
        capacity: *capacity,
        room,
    }
}

/// Why nothing may be placed into a shard whatever its room is.
fn closed(world: &World<'_>, shard: &Shard) -> Option<String> {
    let Some(declared) = world.declared.shards.get(&shard.name) else {
        return Some("is not declared".to_owned());
    };
    if let Some(cause) = blind(world, shard) {
        return Some(format!("is blind: {cause}"));
    }
    match &declared.kustomization {
        Site::Writable(_) => None,
        Site::Refused { refusal, .. } => Some(format!("can't be written: {refusal}")),
    }
}

/// How old a list of clusters may be when a new one is placed by it: as old as a measurement may be by default.
const OLDEST_LIST: Duration = Duration::from_minutes(10);

/// Why nobody knows which clusters live in a shard.
pub(super) fn blind(world: &World<'_>, shard: &Shard) -> Option<String> {
    let Snapshot { captured_at, live, .. } = world.snapshot;
    let Some(live) = live.management_clusters.get(&shard.management_cluster) else {
        return Some("its management cluster is not in the snapshot".to_owned());
    };
    if OLDEST_LIST.after(*captured_at) < world.now || OLDEST_LIST.after(world.now) < *captured_at {
        return Some(format!(
            "its clusters were listed at {captured_at}, and it is {}",
            world.now
        ));
    }
    let doubt = || world.shrunk.cause(&shard.management_cluster);
    live.gap_in(Inventory::Clusters)
        .map(|gap| gap.cause.clone())
        .or_else(doubt)
}

/// Placements that are under review take room as if they were merged.
fn under_review(
    world: &World<'_>,
    occupancy: &Occupancy,
    counted: Counted<'_>,
    here: &dyn Fn(&DeclaredShard) -> bool,
) -> usize {
    open_placements(world)
        .filter(|(_, open, _)| counted(open))
        .filter(|(_, open, shard)| {
            let Target::Placement { cluster, .. } = open else {
                return false;
            };
            world
                .declared
                .shards
                .get(shard)
                .is_some_and(|shard| here(shard) && !occupancy.holds(shard, cluster))
        })
        .count()
}

/// Whether no file of the request's name is in the shard's folder, or on its way there: by this run or by a pull request under review.
pub(super) fn file_free(
    world: &World<'_>,
    shard: &Shard,
    occupancy: &Occupancy,
    counted: Counted<'_>,
    request: &PlacementRequest,
) -> Result<(), String> {
    let Some(DeclaredShard { folder, files, .. }) = world.declared.shards.get(&shard.name) else {
        return Ok(());
    };
    let name = request.path.file_name();
    let comes = || {
        open_placements(world).any(|(_, open, to)| {
            let other = world.declared.requests.get(open);
            let into = world.declared.shards.get(&to);
            counted(open)
                && into.is_some_and(|into| into.folder == *folder)
                && other.is_some_and(|other| other.path.file_name() == name)
        })
    };
    let taken = files.iter().any(|file| file == name) || occupancy.files.contains(&(folder.clone(), name.to_owned()));
    if !taken && !comes() {
        return Ok(());
    }
    let path = folder.join(name).map_err(|error| error.to_string())?;
    Err(format!("can't be written: {}", Refusal::Exists { path }))
}
