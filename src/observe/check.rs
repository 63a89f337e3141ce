//! What each server says before anything depends on it: who it is, what time it is there, what we may do, and whether labels and names fit.
//!
//! Invariants: nothing is written. A server that fails changes nothing of what is told about another; each region has its own deadline. What
//! is asked here is what [`live`](super::live()) asks, by the same code.

use std::time::Duration;

use jiff::Timestamp;

use crate::model::{LiveManagementCluster, ManagementClusterName, RegionName};
use crate::net::{Deadline, Server};
use crate::policy::{FleetFile, KubernetesRef, PrometheusRef, Region};

use super::kube::{KubeAccess, Nodes, PAGE, Rights, Seen, client, greet, in_words, list};
use super::live::{Access, together};
use super::prometheus::{self, Matches, PrometheusVersion, Subject};

/// What was found of a region.
#[derive(Debug)]
pub struct CheckedRegion {
    /// Its name.
    pub region: RegionName,
    /// Its API servers: those that the fleet file says how to reach.
    pub api_servers: Vec<(ManagementClusterName, Result<CheckedApiServer, String>)>,
    /// Its Prometheus servers, each once.
    pub prometheus: Vec<CheckedPrometheus>,
}

/// What was found of an API server that answered.
#[derive(Debug)]
pub struct CheckedApiServer {
    /// Its version, if we may ask for it. Hostile until escaped.
    pub version: Option<String>,
    /// Its clock.
    pub clock: ClockReading,
    /// What the account may do, or why that can't be told.
    pub rights: Result<Rights, String>,
    /// What was seen, with its gaps.
    pub live: LiveManagementCluster,
}

/// What was found of a Prometheus.
#[derive(Debug)]
pub struct CheckedPrometheus {
    /// Its address.
    pub address: String,
    /// Its version and its clock, or why there is no answer.
    pub version: Result<(PrometheusVersion, ClockReading), String>,
    /// Whether credentials for it can be read on the way.
    pub is_readable: bool,
    /// What it has of each management cluster, or why nobody knows.
    pub matches: Result<Vec<(ManagementClusterName, Matches)>, String>,
}

/// What time it was by a server's clock, and by ours when it was asked and when it had answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClockReading {
    /// The server's, to the second; nothing if it does not tell.
    pub server: Option<Timestamp>,
    /// Ours, before.
    pub asked: Timestamp,
    /// Ours, after.
    pub answered: Timestamp,
}

/// Checks all servers that are observed. `clock` tells the time, and `now` is the time of the questions.
pub async fn check(
    fleet: &FleetFile,
    access: &Access<'_>,
    clock: impl Fn() -> Timestamp + Copy,
    now: Timestamp,
) -> Vec<CheckedRegion> {
    let (call, all) = (fleet.deadlines.call.standard(), fleet.deadlines.region.standard());
    let regions = fleet.regions.iter().map(|region| async move {
        let deadline = Deadline::after(all);
        of_region(region, access, (clock, now), call, deadline).await
    });
    together(regions).await
}

async fn of_region(
    region: &Region,
    access: &Access<'_>,
    (clock, now): (impl Fn() -> Timestamp + Copy, Timestamp),
    call: Duration,
    deadline: Deadline,
) -> CheckedRegion {
    let for_servers = deadline.within(deadline.remaining() / 3 * 2);
    let asked = region.management_clusters.iter().filter_map(|cluster| {
        let reference = cluster.kubernetes.as_ref()?;
        let found = api_server(region, reference, access, (clock, now), call, for_servers);
        Some(async move { (cluster, found.await) })
    });
    let found = together(asked).await;
    let mut api_servers = Vec::new();
    let mut seen = Vec::new();
    for (cluster, found) in found {
        let checked = found.map(|(checked, nodes, pods)| {
            seen.push((cluster, checked.live.clone(), nodes, pods));
            checked
        });
        api_servers.push((cluster.name.clone(), checked));
    }
    let mut sources: Vec<&PrometheusRef> = Vec::new();
    let own = region.management_clusters.iter().map(|cluster| &cluster.prometheus);
    for source in own.chain([&region.prometheus]).flatten() {
        if !sources.contains(&source) {
            sources.push(source);
        }
    }
    let mut prometheus = Vec::new();
    for source in sources {
        let mut here = seen.clone();
        here.retain(|(cluster, ..)| region.prometheus_of(cluster) == Some(source));
        let subjects: Vec<Subject<'_>> = here
            .iter_mut()
            .map(|(cluster, live, nodes, pods)| Subject {
                name: &cluster.name,
                live,
                nodes,
                component_pods: pods,
            })
            .collect();
        let server = match access.prometheus.get(&source.server) {
            Some(server) => server.clone(),
            None => Err("they were not read".to_owned()),
        };
        let checked = one_prometheus(source, server, &subjects, (clock, now), call, deadline);
        prometheus.push(checked.await);
    }
    CheckedRegion {
        region: region.name.clone(),
        api_servers,
        prometheus,
    }
}

type Found = (CheckedApiServer, Nodes, prometheus::ComponentPods);

async fn api_server(
    region: &Region,
    reference: &KubernetesRef,
    access: &Access<'_>,
    (clock, now): (impl Fn() -> Timestamp, Timestamp),
    call: Duration,
    deadline: Deadline,
) -> Result<Found, String> {
    let access = KubeAccess {
        reference,
        folder: access.folder,
        default_kubeconfig: access.default_kubeconfig,
        in_cluster: access.in_cluster,
    };
    let api = client(&access, call).map_err(|error| in_words(&error))?;
    let asked = clock();
    let version = greet(&api, deadline).await?;
    let answered = clock();
    let rights = api.rights(deadline).await.map_err(|error| in_words(&error));
    let Seen {
        live,
        nodes,
        component_pods,
        clock: _,
    } = list(&api, region.name.clone(), PAGE, deadline, now).await;
    let checked = CheckedApiServer {
        clock: ClockReading {
            server: version.as_ref().and_then(|version| version.clock),
            asked,
            answered,
        },
        version: version.map(|version| version.version),
        rights,
        live,
    };
    Ok((checked, nodes, component_pods))
}

async fn one_prometheus(
    source: &PrometheusRef,
    server: Result<Server, String>,
    subjects: &[Subject<'_>],
    (clock, now): (impl Fn() -> Timestamp, Timestamp),
    call: Duration,
    deadline: Deadline,
) -> CheckedPrometheus {
    let address = source.server.url.clone();
    let server = match server {
        Ok(server) => server,
        Err(cause) => {
            let cause = format!("the credentials for it: {cause}");
            return CheckedPrometheus {
                address,
                version: Err(cause.clone()),
                is_readable: false,
                matches: Err(cause),
            };
        }
    };
    let asked = clock();
    let version = prometheus::version(&server, call, deadline).await;
    let answered = clock();
    let version = version.map(|version| {
        let server = version.clock;
        let reading = ClockReading {
            server,
            asked,
            answered,
        };
        (version, reading)
    });
    let matches = match &version {
        Ok(_) => prometheus::matches(source, &server, subjects, call, deadline, now).await,
        Err(cause) => Err(cause.clone()),
    };
    CheckedPrometheus {
        address,
        version,
        is_readable: server.may_leak(),
        matches: matches.map(|found| found.into_iter().collect()),
    }
}
