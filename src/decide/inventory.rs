//! What is known of a management cluster: whether it was seen, which of its listings have gaps, and whether it shows far fewer clusters than
//! Git declares.
//!
//! A list that comes back empty with a success is how a broken proxy, a fresh etcd or a wrong context looks. Argo CD has deleted applications
//! on it. So what is absent from a listing that lacks many declared clusters is not taken for gone, and nothing shrinks on its word.

use std::collections::BTreeMap;

use crate::model::{
    ClusterName, Declared, Gap, HoldReason, Inventory, LiveManagementCluster, ManagementClusterName, Namespace,
    Snapshot, Target,
};

use super::World;

/// The clusters that may be missing before a listing is doubted: this many are being created or deleted on any day.
const FEW: usize = 2;

/// The share of the declared clusters that may be missing, as one part of this many: 20 %, the share of unhealthy nodes at which Karpenter
/// stops its repairs.
const PART: usize = 5;

/// The management clusters that show far fewer clusters than Git declares, with the cause in words.
#[derive(Debug, Default)]
pub(super) struct Shrunk<'a>(BTreeMap<&'a ManagementClusterName, String>);

impl<'a> Shrunk<'a> {
    /// Compares the clusters of declared node groups with the live ones. A management cluster that was not seen at all is not in it.
    pub(super) fn of(snapshot: &Snapshot, declared: &'a Declared) -> Self {
        let mut clusters: BTreeMap<&ManagementClusterName, Vec<(&Namespace, &ClusterName)>> = BTreeMap::new();
        for target in declared.bindings.keys() {
            if let Target::NodeGroup(key) = target {
                let of = clusters.entry(&key.management_cluster).or_default();
                let cluster = (&key.namespace, &key.cluster);
                // The targets are sorted, so the groups of a cluster follow each other.
                if of.last() != Some(&cluster) {
                    of.push(cluster);
                }
            }
        }
        let far_fewer = clusters.into_iter().filter_map(|(name, declared)| {
            let live = snapshot.live.management_clusters.get(name)?;
            let is_live = |(namespace, cluster): &&(&Namespace, &ClusterName)| {
                live.clusters
                    .get(*namespace)
                    .is_some_and(|clusters| clusters.contains_key(*cluster))
            };
            let seen = declared.iter().filter(is_live).count();
            let missing = declared.len() - seen;
            (missing > FEW && missing * PART > declared.len()).then(|| {
                (
                    name,
                    format!("only {seen} of {} declared clusters are live", declared.len()),
                )
            })
        });
        Self(far_fewer.collect())
    }

    /// Why a management cluster's word is doubted.
    pub(super) fn cause(&self, management_cluster: &ManagementClusterName) -> Option<String> {
        self.0.get(management_cluster).cloned()
    }

    /// The same as a hold.
    pub(super) fn doubt(&self, management_cluster: &ManagementClusterName) -> Option<HoldReason> {
        let cause = self.cause(management_cluster)?;
        Some(HoldReason::Blind {
            inventory: Inventory::Clusters,
            cause,
        })
    }
}

/// The hold of a listing with a gap.
pub(super) fn blind(gap: &Gap) -> HoldReason {
    let Gap { what, cause } = gap.clone();
    HoldReason::Blind { inventory: what, cause }
}

/// The hold of something that is declared and was not seen: it is not live, or nobody knows whether it is.
pub(super) fn unseen(
    world: &World<'_>,
    name: &ManagementClusterName,
    live: Option<&LiveManagementCluster>,
    inventory: Inventory,
) -> HoldReason {
    let Some(live) = live else {
        let cause = "the management cluster is not in the snapshot".to_owned();
        return HoldReason::Blind { inventory, cause };
    };
    if let Some(gap) = live.gap_in(inventory) {
        return blind(gap);
    }
    world.shrunk.doubt(name).unwrap_or(HoldReason::NotLive)
}
