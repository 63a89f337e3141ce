//! The live half of a snapshot: all regions at once, in each all management clusters at once, then what its Prometheus says about them.
//!
//! Invariants: it never fails. Every management cluster of the fleet file is in the result, if only with its gaps. Each region has its own
//! deadline and its own connections, so that one that hangs, lies or refuses changes no byte of what is told about another. All of them are
//! over when the run is.
//!
//! Within a region the API servers have two thirds of the time, because without them nobody knows whom to ask Prometheus about; what they
//! don't use is Prometheus' as well.

use std::collections::BTreeMap;
use std::future::poll_fn;
use std::path::Path;
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use jiff::Timestamp;

use crate::model::{Gap, Inventory, Live, LiveManagementCluster, ManagementClusterName, RegionName};
use crate::net::{Deadline, Server};
use crate::policy::{Deadlines, FleetFile, ManagementCluster, PolicySet, PrometheusRef, Region, ServerRef};

use super::kube::{InClusterEnv, KubeAccess, Seen};
use super::prometheus::{self, Subject};

/// What it takes to reach the servers that the fleet file names, beside the fleet file.
#[derive(Debug, Clone, Copy)]
pub struct Access<'a> {
    /// The fleet file's folder, which its paths are relative to.
    pub folder: &'a Path,
    /// The kubeconfig that kubectl would use.
    pub default_kubeconfig: Option<&'a Path>,
    /// The cluster that this runs in, if this is a pod.
    pub in_cluster: Option<&'a InClusterEnv>,
    /// The Prometheus servers with their credentials, or why these can't be had; all that [`prometheus_servers`] names.
    pub prometheus: &'a BTreeMap<ServerRef, Result<Server, String>>,
}

/// The Prometheus servers whose credentials an observation needs.
pub fn prometheus_servers(fleet: &FleetFile) -> impl Iterator<Item = &ServerRef> {
    let regions = fleet.regions.iter().map(|region| &region.prometheus);
    let own = fleet.management_clusters().map(|(_, cluster)| &cluster.prometheus);
    regions.chain(own).flatten().map(|source| &source.server)
}

/// Observes a fleet: what its API servers say, and the measurements that the policies look at. `run` is when all of it has to be over.
pub async fn live(fleet: &FleetFile, policies: &PolicySet, access: &Access<'_>, run: Deadline, now: Timestamp) -> Live {
    let deadlines = fleet.deadlines;
    let regions = fleet
        .regions
        .iter()
        .map(|region| observe(region, policies, access, (deadlines, run), now));
    Live {
        management_clusters: together(regions).await.into_iter().flatten().collect(),
    }
}

/// Observes a region.
async fn observe(
    region: &Region,
    policies: &PolicySet,
    access: &Access<'_>,
    (deadlines, run): (Deadlines, Deadline),
    now: Timestamp,
) -> Vec<(ManagementClusterName, LiveManagementCluster)> {
    let call = deadlines.call.standard();
    let all = deadlines.region.standard().min(run.remaining());
    let deadline = Deadline::after(all);
    let for_servers = deadline.within(all / 3 * 2);
    let clusters = &region.management_clusters;
    let asked = clusters
        .iter()
        .map(|cluster| api_server(&region.name, cluster, access, call, for_servers, now));
    let mut seen = together(asked).await;
    let mut by_source: Vec<(Option<&PrometheusRef>, Vec<Subject<'_>>)> = Vec::new();
    for (cluster, seen) in clusters.iter().zip(&mut seen) {
        let source = region.prometheus_of(cluster);
        let subject = Subject {
            name: &cluster.name,
            live: &mut seen.live,
            nodes: &seen.nodes,
            component_pods: &seen.component_pods,
        };
        match by_source.iter_mut().find(|(known, _)| *known == source) {
            Some((_, subjects)) => subjects.push(subject),
            None => by_source.push((source, vec![subject])),
        }
    }
    let measured = by_source.into_iter().map(|(source, mut subjects)| async move {
        match source.map(|source| (source, access.prometheus.get(&source.server))) {
            Some((source, Some(Ok(server)))) => {
                prometheus::measure(source, server, policies, &mut subjects, call, deadline, now).await;
            }
            Some((source, Some(Err(cause)))) => {
                let cause = format!("the credentials for {}: {cause}", source.server.url);
                prometheus::missing(policies, &mut subjects, &cause);
            }
            Some((source, None)) => {
                let cause = format!("the credentials for {} were not read", source.server.url);
                prometheus::missing(policies, &mut subjects, &cause);
            }
            None => {
                let cause = format!("the fleet file names no `prometheus` for the region {}", region.name);
                prometheus::missing(policies, &mut subjects, &cause);
            }
        }
    });
    together(measured).await;
    let names = clusters.iter().map(|cluster| cluster.name.clone());
    names.zip(seen.into_iter().map(|seen| seen.live)).collect()
}

/// Asks one API server, if the fleet file names it.
async fn api_server(
    region: &RegionName,
    cluster: &ManagementCluster,
    access: &Access<'_>,
    call: Duration,
    deadline: Deadline,
    now: Timestamp,
) -> Seen {
    let Some(reference) = &cluster.kubernetes else {
        let gap = |what| Gap {
            what,
            cause: "the fleet file does not say how to reach its API server (`kubernetes`)".to_owned(),
        };
        let inventories = [Inventory::Clusters, Inventory::Platforms, Inventory::Controllers];
        return Seen {
            live: LiveManagementCluster {
                region: region.clone(),
                gaps: inventories.map(gap).into(),
                clusters: BTreeMap::new(),
                platforms: BTreeMap::new(),
                controllers: BTreeMap::new(),
            },
            nodes: BTreeMap::new(),
            component_pods: BTreeMap::new(),
            clock: None,
        };
    };
    let access = KubeAccess {
        reference,
        folder: access.folder,
        default_kubeconfig: access.default_kubeconfig,
        in_cluster: access.in_cluster,
    };
    super::kube::observe(&access, region.clone(), call, deadline, now).await
}

/// Runs futures side by side; their results in their order.
pub(super) async fn together<T>(futures: impl IntoIterator<Item = impl Future<Output = T>>) -> Vec<T> {
    let mut running: Vec<(Pin<Box<_>>, Option<T>)> =
        futures.into_iter().map(|future| (Box::pin(future), None)).collect();
    poll_fn(|context| {
        let mut all_done = true;
        for (future, result) in &mut running {
            if result.is_none() {
                match future.as_mut().poll(context) {
                    Poll::Ready(value) => *result = Some(value),
                    Poll::Pending => all_done = false,
                }
            }
        }
        if all_done { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
    running.into_iter().filter_map(|(_, result)| result).collect()
}
