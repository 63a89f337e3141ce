//! The fleet of the large test: 3 management clusters, 60 clusters, 240 node groups with three nodes each, and what its nodes measured.
//!
//! Four groups cross P1 and three cross P2; nothing else is to be done. It is written down three times, each for its reader: as files of a
//! Git repository, as objects of API servers, and as samples of a Prometheus.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::env::Samples;

/// The management clusters with their regions.
pub(crate) const MANAGEMENT_CLUSTERS: [(&str, &str); 3] = [("eu-1", "eu"), ("eu-2", "eu"), ("us-1", "us")];
pub(crate) const NAMESPACE: &str = "tenants";
const CLUSTERS_EACH: usize = 20;
const GROUPS_EACH: usize = 4;
pub(crate) const NODES_EACH: usize = 3;

/// How often the nodes are scraped, in seconds.
pub(crate) const SCRAPE: i64 = 240;
/// A day and a bit, so that the window of P2 is full.
const HISTORY: i64 = 25 * 3_600;

/// What crosses, as `cluster/group`, with the use over the last hour and before it: CPU, memory.
///
/// P1 is above 95 % CPU or 85 % memory over an hour, P2 above 75 % over a day. Each P1 is low before its last hour, so that it is no P2.
const P1: [(&str, Use); 4] = [
    (
        "eu-1-c03/md-0",
        Use {
            cpu: (0.97, 0.50),
            memory: (0.50, 0.50),
        },
    ),
    (
        "eu-1-c07/md-2",
        Use {
            cpu: (0.60, 0.50),
            memory: (0.90, 0.50),
        },
    ),
    (
        "eu-2-c00/md-1",
        Use {
            cpu: (0.99, 0.55),
            memory: (0.87, 0.55),
        },
    ),
    (
        "us-1-c19/md-3",
        Use {
            cpu: (0.96, 0.40),
            memory: (0.45, 0.40),
        },
    ),
];
const P2: [(&str, Use); 3] = [
    (
        "eu-1-c11/md-1",
        Use {
            cpu: (0.80, 0.80),
            memory: (0.50, 0.50),
        },
    ),
    (
        "eu-2-c05/md-3",
        Use {
            cpu: (0.50, 0.50),
            memory: (0.78, 0.78),
        },
    ),
    (
        "us-1-c02/md-0",
        Use {
            cpu: (0.78, 0.78),
            memory: (0.76, 0.76),
        },
    ),
];
/// What is to be proposed: the group, its new number of nodes, and whether it is urgent. The nodes bring the highest use to 70 % or below:
/// 3 × 0.97 / 0.70 = 4.2, so 5.
pub(crate) const EXPECTED: [(&str, usize, bool); 7] = [
    ("eu-1-c03/md-0", 5, true),
    ("eu-1-c07/md-2", 4, true),
    ("eu-1-c11/md-1", 4, false),
    ("eu-2-c00/md-1", 5, true),
    ("eu-2-c05/md-3", 4, false),
    ("us-1-c02/md-0", 4, false),
    ("us-1-c19/md-3", 5, true),
];

/// As close below the thresholds as a policy's percentages can say.
const JUST_BELOW: [(&str, Use); 2] = [
    (
        "eu-1-c12/md-0",
        Use {
            cpu: (0.9499, 0.50),
            memory: (0.8499, 0.50),
        },
    ),
    (
        "us-1-c04/md-2",
        Use {
            cpu: (0.7499, 0.7499),
            memory: (0.7499, 0.7499),
        },
    ),
];

/// A use as a share: over the last hour, and before it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Use {
    pub(crate) cpu: (f64, f64),
    pub(crate) memory: (f64, f64),
}

/// A node group.
#[derive(Debug, Clone)]
pub(crate) struct Group {
    pub(crate) management_cluster: &'static str,
    pub(crate) cluster: String,
    pub(crate) name: String,
    pub(crate) load: Use,
}

impl Group {
    pub(crate) fn nodes(&self) -> Vec<String> {
        (0..NODES_EACH).map(|index| self.node(index)).collect()
    }

    pub(crate) fn node(&self, index: usize) -> String {
        format!("{}-{}-n{index}", self.cluster, self.name)
    }

    /// `eu-1-c03/md-0`.
    pub(crate) fn key(&self) -> String {
        format!("{}/{}", self.cluster, self.name)
    }
}

/// All node groups.
pub(crate) fn groups() -> Vec<Group> {
    let special: BTreeMap<&str, Use> = P1.into_iter().chain(P2).chain(JUST_BELOW).collect();
    let mut groups = Vec::new();
    for (management_cluster, _) in MANAGEMENT_CLUSTERS {
        for cluster in 0..CLUSTERS_EACH {
            for group in 0..GROUPS_EACH {
                let cluster = format!("{management_cluster}-c{cluster:02}");
                let name = format!("md-{group}");
                // Between the threshold for downs and the target of ups.
                let usual = 0.52 + 0.01 * (group as f64);
                let load = special
                    .get(format!("{cluster}/{name}").as_str())
                    .copied()
                    .unwrap_or(Use {
                        cpu: (usual, usual),
                        memory: (usual, usual),
                    });
                groups.push(Group {
                    management_cluster,
                    cluster,
                    name,
                    load,
                });
            }
        }
    }
    groups
}

/// The clusters of a management cluster.
pub(crate) fn clusters(management_cluster: &str) -> Vec<String> {
    (0..CLUSTERS_EACH)
        .map(|index| format!("{management_cluster}-c{index:02}"))
        .collect()
}

/// The object of a cluster.
pub(crate) fn cluster_object(name: &str) -> Value {
    json!({
        "apiVersion": "cluster.x-k8s.io/v1beta2",
        "kind": "Cluster",
        "metadata": {"name": name, "namespace": NAMESPACE},
        "spec": {"infrastructureRef": {"apiGroup": "infrastructure.cluster.x-k8s.io", "kind": "DevCluster", "name": name}},
    })
}

/// The object of a node group.
pub(crate) fn deployment_object(group: &Group, replicas: usize) -> Value {
    json!({
        "apiVersion": "cluster.x-k8s.io/v1beta2",
        "kind": "MachineDeployment",
        "metadata": {
            "name": format!("{}-{}", group.cluster, group.name),
            "namespace": NAMESPACE,
            "labels": {"cluster.x-k8s.io/cluster-name": group.cluster},
        },
        "spec": {
            "clusterName": group.cluster,
            "replicas": replicas,
            "selector": {"matchLabels": {"pool": format!("{}-{}", group.cluster, group.name)}},
            "template": {
                "metadata": {"labels": {"pool": format!("{}-{}", group.cluster, group.name)}},
                "spec": machine_spec(group),
            },
        },
    })
}

/// The same with what the controllers write into its status once all its nodes are there.
pub(crate) fn live_deployment(group: &Group, replicas: usize) -> Value {
    let mut object = deployment_object(group, replicas);
    object["status"] = json!({
        "replicas": replicas, "readyReplicas": replicas, "availableReplicas": replicas, "upToDateReplicas": replicas,
        "observedGeneration": 1, "phase": "Running",
    });
    object
}

/// The object of a machine whose node is there.
pub(crate) fn live_machine(group: &Group, index: usize) -> Value {
    json!({
        "apiVersion": "cluster.x-k8s.io/v1beta2",
        "kind": "Machine",
        "metadata": {
            "name": group.node(index),
            "namespace": NAMESPACE,
            "labels": {
                "cluster.x-k8s.io/cluster-name": group.cluster,
                "cluster.x-k8s.io/deployment-name": format!("{}-{}", group.cluster, group.name),
                "pool": format!("{}-{}", group.cluster, group.name),
            },
        },
        "spec": machine_spec(group),
        "status": {"nodeRef": {"name": group.node(index)}, "phase": "Running"},
    })
}

fn machine_spec(group: &Group) -> Value {
    json!({
        "clusterName": group.cluster,
        "version": "v1.35.3",
        "bootstrap": {"dataSecretName": "bootstrap"},
        "infrastructureRef": {"apiGroup": "infrastructure.cluster.x-k8s.io", "kind": "DevMachine", "name": "machine"},
    })
}

const POLICY: &str = "\
apiVersion: fleetscale.io/v1alpha1
kind: NodeGroupPolicy
metadata:
  name: workers
spec:
  selector:
    regions: [\"*\"]
  bounds:
    min: 3
    max: 12
  mode: propose
";

/// The files of the fleet's repository: one for each cluster with its node groups, and the policy.
pub(crate) fn files() -> BTreeMap<String, String> {
    let mut files = BTreeMap::new();
    files.insert("fleetscale/workers.yaml".to_owned(), POLICY.to_owned());
    let groups = groups();
    for (management_cluster, _) in MANAGEMENT_CLUSTERS {
        for cluster in clusters(management_cluster) {
            let mut text = format!("# The cluster {cluster} and its node groups.\n");
            text.push_str(&yaml(&cluster_object(&cluster)));
            for group in groups.iter().filter(|group| group.cluster == cluster) {
                text.push_str("---\n");
                text.push_str(&yaml(&deployment_object(group, NODES_EACH)));
            }
            files.insert(format!("clusters/{management_cluster}/{cluster}.yaml"), text);
        }
    }
    files
}

fn yaml(value: &Value) -> String {
    serde_yaml::to_string(value).unwrap()
}

/// What the nodes' exporters said until `now`.
pub(crate) fn samples(now: Timestamp) -> Samples {
    let mut samples = Samples::default();
    let last_hour = |at: Timestamp| at > now - SignedDuration::from_hours(1);
    for group in groups() {
        for node in group.nodes() {
            let labels = format!(
                "cluster=\"{NAMESPACE}-{}\",node=\"{node}\",job=\"node-exporter\"",
                group.cluster
            );
            let of_cpu = |mode: &str| format!("{labels},cpu=\"0\",mode=\"{mode}\"");
            // How long the only CPU was idle, and how long it worked, in seconds.
            let (mut idle, mut user) = (1_000.0, 1_000.0);
            for at in times(now) {
                let Use { cpu, memory } = group.load;
                let (busy, used) = if last_hour(at) {
                    (cpu.0, memory.0)
                } else {
                    (cpu.1, memory.1)
                };
                idle += (1.0 - busy) * (SCRAPE as f64);
                user += busy * (SCRAPE as f64);
                samples.add("node_cpu_seconds_total", &of_cpu("idle"), idle, at);
                samples.add("node_cpu_seconds_total", &of_cpu("user"), user, at);
                samples.add("node_memory_MemAvailable_bytes", &labels, (1.0 - used) * MEMORY, at);
                samples.add("node_memory_MemTotal_bytes", &labels, MEMORY, at);
            }
        }
    }
    samples
}

/// The memory of a node, in bytes.
const MEMORY: f64 = 16e9;

fn times(now: Timestamp) -> impl Iterator<Item = Timestamp> {
    (0..=HISTORY / SCRAPE).map(move |step| now - SignedDuration::from_secs(HISTORY - step * SCRAPE))
}
