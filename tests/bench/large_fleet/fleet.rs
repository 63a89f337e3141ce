//! A made-up fleet of any size: the same size gives the same bytes.
//!
//! Each cluster has a folder of five files as teams keep them: the Cluster with its control plane, two MachineDeployments with their
//! templates, a release with its values, and the kustomization that lists the other four and gives the namespace. Of all node groups one
//! in six is short of CPU, the others are left alone.

use std::collections::BTreeMap;

use fleetscale::model::{
    Finite, Grade, Ledger, Live, LiveCluster, LiveManagementCluster, LiveNodeGroup, Measurement, NodesSeen, Snapshot,
};

use super::manifests;

const REGIONS: [&str; 3] = ["ap", "eu", "us"];
const MANAGEMENT_CLUSTERS: usize = 15;
const SHARDS: [&str; 4] = ["shard-a", "shard-b", "shard-c", "shard-d"];
pub(super) const GROUPS: [&str; 2] = ["general", "memory"];
/// One node group in this many is short of CPU.
const ONE_IN: usize = 6;
const CAPTURED_AT: &str = "2026-10-06T09:00:00Z";

pub(super) const POLICY_PATH: &str = "fleetscale/workers.yaml";

/// One pull request for the ups of each management cluster: nobody wants thousands.
pub(super) const POLICY: &str = "apiVersion: fleetscale.io/v1alpha1
kind: NodeGroupPolicy
metadata: {name: workers}
spec:
  mode: propose
  selector: {regions: [\"*\"]}
  bounds: {min: 1, max: 100}
  groupBy: managementCluster
";

/// A workload cluster by its number, of which everything else follows.
#[derive(Clone, Copy)]
pub(super) struct Cluster {
    number: usize,
    of: usize,
}

/// All clusters of a fleet.
pub(super) fn clusters(of: usize) -> impl Iterator<Item = Cluster> + Clone {
    (0..of).map(move |number| Cluster { number, of })
}

impl Cluster {
    pub(super) fn name(self) -> String {
        let words = ["amber", "birch", "cedar", "delta", "ember", "fjord", "grove", "heron"];
        format!("{}-{:05}", words[self.number % words.len()], self.number)
    }

    fn management_cluster(self) -> (&'static str, String) {
        let each = self.of.div_ceil(MANAGEMENT_CLUSTERS);
        name_of(self.number / each)
    }

    pub(super) fn shard(self) -> &'static str {
        SHARDS[self.number / REGIONS.len() % SHARDS.len()]
    }

    fn folder(self) -> String {
        let (region, management_cluster) = self.management_cluster();
        format!(
            "clusters/{region}/{management_cluster}/{}/{}",
            self.shard(),
            self.name()
        )
    }

    /// A number of its own for everything that differs between clusters (a step of SplitMix64).
    pub(super) fn dice(self, salt: usize, sides: usize) -> usize {
        let mut z = (self.number * 97 + salt + 1) as u64;
        z = z.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        usize::try_from((z ^ (z >> 31)) >> 33).unwrap() % sides
    }

    pub(super) fn replicas(self, group: usize) -> usize {
        3 + self.dice(10 + group, 9)
    }

    /// Whether a node group has too little CPU.
    fn is_short(self, group: usize) -> bool {
        (self.number * GROUPS.len() + group).is_multiple_of(ONE_IN)
    }

    /// The five files with their paths.
    pub(super) fn files(self) -> [(String, String); 5] {
        let folder = self.folder();
        [
            ("cluster.yaml", manifests::cluster(self)),
            ("general.yaml", manifests::workers(self, 0)),
            ("kustomization.yaml", manifests::kustomization(self)),
            ("memory.yaml", manifests::workers(self, 1)),
            ("release.yaml", manifests::release(self)),
        ]
        .map(|(name, text)| (format!("{folder}/{name}"), text))
    }

    /// The files of the node groups that are to grow.
    pub(super) fn short(self) -> impl Iterator<Item = String> {
        let groups = (0..GROUPS.len()).filter(move |group| self.is_short(*group));
        groups.map(move |group| format!("{}/{}.yaml", self.folder(), GROUPS[group]))
    }
}

fn name_of(management_cluster: usize) -> (&'static str, String) {
    let region = REGIONS[management_cluster % REGIONS.len()];
    (region, format!("{region}-{}", 1 + management_cluster / REGIONS.len()))
}

/// The fleet file that goes with it, with every limit as high as it goes.
pub(super) fn fleet_file(of: usize, repository: &str) -> String {
    let mut regions: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    let used = of.div_ceil(of.div_ceil(MANAGEMENT_CLUSTERS));
    for (region, name) in (0..used).map(name_of) {
        let cluster = format!("    - {{name: {name}, paths: [clusters/{region}/{name}]}}\n");
        regions.entry(region).or_default().push(cluster);
    }
    let regions: String = regions
        .into_iter()
        .map(|(name, clusters)| format!("  - name: {name}\n    managementClusters:\n{}", clusters.concat()))
        .collect();
    format!(
        "apiVersion: fleetscale.io/v1alpha1
kind: Fleet
metadata: {{name: large}}
spec:
  repository: {{path: {repository}}}
  forge: {{local: {{}}}}
  source: {{snapshot: snapshot.json}}
  limits: {{newPullRequests: 1000, newUrgentPullRequests: 1000, openPullRequests: 10000, budgets: []}}
  regions:
{regions}"
    )
}

/// What the clusters and Prometheus say: everything is well, but some node groups are short of CPU.
pub(super) fn snapshot(of: usize) -> Snapshot {
    let captured_at = CAPTURED_AT.parse().unwrap();
    let mut live = Live::default();
    for cluster in clusters(of) {
        let (region, management_cluster) = cluster.management_cluster();
        let empty = || LiveManagementCluster {
            region: region.parse().unwrap(),
            gaps: Vec::new(),
            clusters: BTreeMap::new(),
            platforms: BTreeMap::new(),
            controllers: BTreeMap::new(),
        };
        let there = live.management_clusters.entry(management_cluster.parse().unwrap());
        let shard = there
            .or_insert_with(empty)
            .clusters
            .entry(cluster.shard().parse().unwrap());
        let node_groups = (0..GROUPS.len()).map(|group| {
            let name = format!("{}-{}", cluster.name(), GROUPS[group]);
            (name.parse().unwrap(), node_group(cluster, group))
        });
        let live = LiveCluster {
            node_groups: node_groups.collect(),
            ..LiveCluster::default()
        };
        shard.or_default().insert(cluster.name().parse().unwrap(), live);
    }
    Snapshot::new(captured_at, live, Ledger::default())
}

fn node_group(cluster: Cluster, group: usize) -> LiveNodeGroup {
    let replicas = u32::try_from(cluster.replicas(group)).unwrap();
    let cpu = if cluster.is_short(group) { 0.81 } else { 0.58 };
    let measurement = |value: f64| Measurement {
        value: Some(Finite::try_from(value).unwrap()),
        grade: Grade::Fresh,
        at: Some(CAPTURED_AT.parse().unwrap()),
        coverage: Some(Finite::try_from(1.0).unwrap()),
        nodes: Some(NodesSeen {
            seen: replicas,
            expected: replicas,
        }),
        cause: None,
    };
    let measurements = ["1h", "24h"].into_iter().flat_map(|window| {
        [("cpu", cpu), ("memory", 0.61)].map(|(signal, value)| {
            let key = format!("{signal}/{window}").parse().unwrap();
            (key, measurement(value))
        })
    });
    LiveNodeGroup {
        replicas,
        ready: replicas,
        up_to_date: replicas,
        paused: false,
        autoscaler: None,
        changed_at: Some("2026-03-03T10:12:00Z".parse().unwrap()),
        measurements: measurements.collect(),
    }
}
