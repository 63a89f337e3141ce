//! Workload clusters with their node groups: Cluster API's Clusters, MachineDeployments and Machines.
//!
//! MachineDeployments are listed before Clusters, and a Cluster is made before and deleted after its MachineDeployments: one whose Cluster
//! is not in the list has none. What can't be placed or contradicts itself is left out and named, and the whole inventory is incomplete for
//! it.
//!
//! Absent on purpose: MachineSets (a MachineDeployment's status counts their Machines in both versions), control planes (no decision asks
//! for their size), MachinePools (nobody can edit them here).

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use crate::model::{ClusterName, InvalidName, LiveCluster, Namespace, NodeGroupName};

use super::Nodes;
use super::discovery::{unknown_group, unlisted};
use super::list::{Reader, Resource};
use super::machine_deployment::{Group, MachineDeployment};
use super::machines::{Machine, Machines};
use super::objects::Metadata;

const GROUP: &str = "cluster.x-k8s.io";

/// The versions that are understood, the better one first: v1beta2 says how long a group has not been scaling.
const VERSIONS: [&str; 2] = ["v1beta2", "v1beta1"];

/// What Cluster API says of a management cluster.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Clusters {
    pub(super) live: BTreeMap<Namespace, BTreeMap<ClusterName, LiveCluster>>,
    pub(super) nodes: Nodes,
    /// Why something may be missing.
    pub(super) causes: BTreeSet<String>,
}

/// A Cluster, in v1beta1 and v1beta2.
#[derive(Debug, Deserialize)]
struct Cluster {
    metadata: Metadata,
    spec: Option<ClusterSpec>,
}

#[derive(Debug, Deserialize)]
struct ClusterSpec {
    paused: Option<bool>,
}

/// What the three lists say, object by object.
#[derive(Default)]
struct Lists {
    groups: Listed<Group>,
    machines: Machines,
    /// Nothing if the Clusters could not be listed.
    clusters: Option<Listed<LiveCluster>>,
}

/// Objects by namespace and name, and what was wrong with some.
struct Listed<T> {
    objects: BTreeMap<(String, String), T>,
    wrong: BTreeSet<String>,
}

impl<T> Default for Listed<T> {
    fn default() -> Self {
        Self {
            objects: BTreeMap::new(),
            wrong: BTreeSet::new(),
        }
    }
}

impl<T> Listed<T> {
    fn add(&mut self, kind: &str, namespace: String, name: String, object: T) {
        let twice = format!("{kind} {namespace}/{name} is in the list twice");
        if self.objects.insert((namespace, name), object).is_some() {
            self.wrong.insert(twice);
        }
    }
}

/// Lists the three kinds.
pub(super) async fn observe(reader: &Reader<'_>) -> Clusters {
    let blind = |cause: String| Clusters {
        causes: [cause].into(),
        ..Clusters::default()
    };
    let version = match reader.group(GROUP).await {
        Ok(Some(found)) => {
            let known = VERSIONS
                .into_iter()
                .find(|known| found.versions.iter().any(|version| version == known));
            match known {
                Some(version) => version,
                None => {
                    return blind(format!(
                        "the API group {GROUP} is there, but neither in v1beta2 nor in v1beta1"
                    ));
                }
            }
        }
        // A management cluster without Cluster API is most likely not the one that was meant: not known to have no clusters.
        Ok(None) => return blind(format!("Cluster API is not installed: there is no API group {GROUP}")),
        Err(error) => return blind(unknown_group(GROUP, &error)),
    };
    let resource = |plural, kind| Resource {
        group: GROUP,
        version: version.to_owned(),
        plural,
        kind,
    };
    let mut causes = BTreeSet::new();
    let deployments = resource("machinedeployments", "MachineDeployment");
    let groups = reader
        .fold(&deployments, None, Listed::default, add_machine_deployment)
        .await;
    let groups = groups.unwrap_or_else(|error| {
        causes.insert(unlisted(&deployments, &error));
        Listed::default()
    });
    let resource_of_machines = resource("machines", "Machine");
    let machines = reader
        .fold(
            &resource_of_machines,
            None,
            Machines::default,
            |machines: &mut Machines, machine: Machine| machines.add(machine),
        )
        .await;
    let machines = machines.unwrap_or_else(|error| {
        causes.insert(unlisted(&resource_of_machines, &error));
        Machines::default()
    });
    let resource_of_clusters = resource("clusters", "Cluster");
    let clusters = reader
        .fold(&resource_of_clusters, None, Listed::default, add_cluster)
        .await;
    let clusters = clusters
        .map_err(|error| causes.insert(unlisted(&resource_of_clusters, &error)))
        .ok();
    let mut found = together(Lists {
        groups,
        machines,
        clusters,
    });
    found.causes.append(&mut causes);
    found
}

fn add_machine_deployment(listed: &mut Listed<Group>, object: MachineDeployment) {
    let Metadata {
        namespace,
        name,
        deletion_timestamp,
        ..
    } = &object.metadata;
    // What is being deleted has no size any more that somebody could change.
    if deletion_timestamp.is_some() {
        return;
    }
    let (namespace, name) = (namespace.clone(), name.clone());
    match Group::of(object) {
        Ok(group) => listed.add("MachineDeployment", namespace, name, group),
        Err(why) => {
            listed
                .wrong
                .insert(format!("MachineDeployment {namespace}/{name} {why}"));
        }
    }
}

fn add_cluster(listed: &mut Listed<LiveCluster>, object: Cluster) {
    let Cluster { metadata, spec } = object;
    let annotated = metadata
        .annotations
        .is_some_and(|annotations| annotations.paused.is_some());
    let cluster = LiveCluster {
        paused: annotated || spec.and_then(|spec| spec.paused) == Some(true),
        deleting: metadata.deletion_timestamp.is_some(),
        node_groups: BTreeMap::new(),
    };
    listed.add("Cluster", metadata.namespace, metadata.name, cluster);
}

/// Puts node groups into their clusters, and Machines into their node groups.
fn together(lists: Lists) -> Clusters {
    let Lists {
        groups,
        machines,
        clusters,
    } = lists;
    let mut found = Clusters {
        causes: groups.wrong,
        ..Clusters::default()
    };
    // Without the Clusters nobody knows which are paused.
    let Some(mut clusters) = clusters else { return found };
    found.causes.append(&mut clusters.wrong);
    for ((namespace, name), cluster) in clusters.objects {
        match names(&namespace, &name) {
            Ok((namespace, name)) => {
                found.live.entry(namespace).or_default().insert(name, cluster);
            }
            Err(error) => {
                found.causes.insert(format!("Cluster {namespace}/{name}: {error}"));
            }
        }
    }
    let mut claims: BTreeMap<(Namespace, ClusterName, NodeGroupName), Vec<(String, Group)>> = BTreeMap::new();
    for ((namespace, deployment), group) in groups.objects {
        let key = names(&namespace, &group.cluster)
            .and_then(|(namespace, cluster)| Ok((namespace, cluster, group.name.parse()?)));
        match key {
            Ok(key) => claims.entry(key).or_default().push((deployment, group)),
            Err(error) => {
                found
                    .causes
                    .insert(format!("MachineDeployment {namespace}/{deployment}: {error}"));
            }
        }
    }
    for (key, claims) in claims {
        if let Err(why) = found.place(key, claims, &machines) {
            found.causes.insert(why);
        }
    }
    found
}

impl Clusters {
    /// Places the node group of a key, if one MachineDeployment alone claims it.
    fn place(
        &mut self,
        key: (Namespace, ClusterName, NodeGroupName),
        mut claims: Vec<(String, Group)>,
        machines: &Machines,
    ) -> Result<(), String> {
        let (namespace, cluster, name) = &key;
        if claims.len() > 1 {
            let all: Vec<&str> = claims.iter().map(|(deployment, _)| deployment.as_str()).collect();
            return Err(format!(
                "the node group {namespace}/{cluster}/{name} is claimed by {} MachineDeployments: {}",
                all.len(),
                all.join(", ")
            ));
        }
        let Some((deployment, group)) = claims.pop() else {
            return Ok(());
        };
        let clusters = self.live.get_mut(namespace);
        let home = clusters.and_then(|clusters| clusters.get_mut(cluster));
        let home = home.ok_or_else(|| {
            format!("MachineDeployment {namespace}/{deployment} is of the Cluster {cluster}, which does not exist")
        })?;
        let of_group = machines.of(namespace.as_str(), &deployment);
        home.node_groups.insert(name.clone(), group.live(of_group));
        let nodes = of_group.map(|machines| machines.nodes.clone()).unwrap_or_default();
        self.nodes.insert(key, nodes);
        Ok(())
    }
}

fn names(namespace: &str, cluster: &str) -> Result<(Namespace, ClusterName), InvalidName> {
    Ok((namespace.parse()?, cluster.parse()?))
}

#[cfg(test)]
mod tests;
