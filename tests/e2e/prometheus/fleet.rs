//! A region whose clusters are measured, and nodes with a use that is known.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use fleetscale::model::*;
use fleetscale::net::{Deadline, Server};
use fleetscale::observe::prometheus::{ComponentPods, NodeNames, Subject, measure};
use fleetscale::policy::{FleetFile, PolicySet, PrometheusRef};
use jiff::{SignedDuration, Timestamp};

use crate::env::Samples;

/// The observation. It lies in the past: the questions carry their time.
pub(crate) const NOW: &str = "2026-10-06T09:00:00Z";

/// How far a value of Prometheus may be from ours: it sums up in another order. A share is rounded to 1e-9, and both may be at the edge.
pub(super) const TOLERANCE: f64 = 2e-9;

const FLEET: &str = "
apiVersion: fleetscale.io/v1alpha1
kind: Fleet
metadata: {name: example}
spec:
  repository: {path: fleet.git}
  regions:
    - name: eu
      prometheus: {url: 'http://127.0.0.1:9090'PROMETHEUS}
      managementClusters: [{name: eu-1, paths: [clusters/eu]}]
";

const NODES: &str = "
apiVersion: fleetscale.io/v1alpha1
kind: NodeGroupPolicy
metadata: {name: workers}
spec:
  selector: {regions: ['*']}
  bounds: {min: 1, max: 20}
  scaleDown: {lookback: [1h, 24h], windows: [{schedule: '* * * * *', duration: 1h}]}
  mode: propose
";

const CONTROLLERS: &str = "
apiVersion: fleetscale.io/v1alpha1
kind: ControllerPolicy
metadata: {name: capi}
spec:
  component: capi
  selector: {regions: ['*']}
  flags: [{name: kube-api-qps, ladder: [{clusters: 1, value: 150}]}]
";

pub(crate) fn n<T: std::str::FromStr>(text: &str) -> T
where
    T::Err: std::fmt::Debug,
{
    text.parse().unwrap()
}

/// The time some seconds before the observation.
pub(super) fn ago(seconds: i64) -> Timestamp {
    n::<Timestamp>(NOW) - SignedDuration::from_secs(seconds)
}

/// What a region's API server said, and what is to be measured for it.
pub(super) struct Region {
    pub(super) fleet: FleetFile,
    pub(super) policies: PolicySet,
    pub(super) live: LiveManagementCluster,
    pub(super) nodes: NodeNames,
    pub(super) pods: ComponentPods,
}

impl Region {
    /// A region without clusters; `prometheus` are more settings of its Prometheus.
    pub(super) fn new(prometheus: &str) -> Self {
        let text = FLEET.replace("PROMETHEUS", prometheus);
        let fleet = FleetFile::load("fleet.yaml", text.as_bytes()).unwrap();
        let files = [("nodes.yaml", NODES), ("controllers.yaml", CONTROLLERS)];
        Self {
            policies: PolicySet::load(files, Some(&fleet)).unwrap(),
            fleet,
            live: LiveManagementCluster {
                region: n("eu"),
                gaps: Vec::new(),
                clusters: BTreeMap::new(),
                platforms: BTreeMap::new(),
                controllers: BTreeMap::new(),
            },
            nodes: NodeNames::new(),
            pods: ComponentPods::new(),
        }
    }

    /// Adds a cluster with the node group `md-0` of these nodes.
    pub(super) fn add(&mut self, namespace: &str, cluster: &str, nodes: &[&str]) {
        let size = u32::try_from(nodes.len()).unwrap();
        let group = LiveNodeGroup {
            replicas: size,
            ready: size,
            up_to_date: size,
            paused: false,
            autoscaler: None,
            changed_at: Some(n("2026-01-01T00:00:00Z")),
            measurements: BTreeMap::new(),
        };
        let clusters = self.live.clusters.entry(n(namespace)).or_default();
        let groups = &mut clusters.entry(n(cluster)).or_default().node_groups;
        groups.insert(n("md-0"), group);
        let names: BTreeSet<String> = nodes.iter().map(|node| (*node).to_owned()).collect();
        self.nodes.insert((n(namespace), n(cluster), n("md-0")), names);
    }

    pub(super) fn source(&self) -> &PrometheusRef {
        self.fleet.regions[0].prometheus.as_ref().unwrap()
    }

    /// Asks a Prometheus.
    pub(super) fn measure(&mut self, server: &Server) {
        let minute = Duration::from_secs(60);
        self.measure_within(server, minute, minute);
    }

    /// Asks a Prometheus with so much time in all and for each question.
    pub(super) fn measure_within(&mut self, server: &Server, all: Duration, call: Duration) {
        let (name, source) = (n("eu-1"), self.source().clone());
        let mut subjects = [Subject {
            name: &name,
            live: &mut self.live,
            nodes: &self.nodes,
            component_pods: &self.pods,
        }];
        let deadline = Deadline::after(all);
        let measured = measure(&source, server, &self.policies, &mut subjects, call, deadline, n(NOW));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.unwrap().block_on(measured);
    }

    /// A measurement of a cluster's node group.
    pub(super) fn of(&self, cluster: &str, key: &str) -> &Measurement {
        let clusters = self
            .live
            .clusters
            .values()
            .find_map(|clusters| clusters.get(&n(cluster)));
        &clusters.unwrap().node_groups[&n::<NodeGroupName>("md-0")].measurements[&n::<MetricKey>(key)]
    }
}

/// A node whose use is known at every moment.
pub(crate) struct Node<'a> {
    pub(super) cluster: &'a str,
    pub(super) name: &'a str,
    /// More labels of its series, each with a comma before it.
    pub(super) labels: &'a str,
    /// The first and the last sample, in seconds before the observation, and the seconds between them.
    pub(super) samples: (i64, i64, i64),
}

/// The bytes of memory of each node.
const MEMORY: f64 = 16e9;

impl<'a> Node<'a> {
    /// A node that has been scraped every minute for 25 hours, the last time 15 seconds ago.
    pub(crate) fn new(cluster: &'a str, name: &'a str) -> Self {
        Self {
            cluster,
            name,
            labels: "",
            samples: (25 * 3_600 + 15, 15, 60),
        }
    }

    /// Writes its samples; the use is a share by the seconds before the observation.
    pub(crate) fn write(&self, samples: &mut Samples, cpu: impl Fn(i64) -> f64, memory: impl Fn(i64) -> f64) {
        let Self {
            cluster,
            name,
            labels,
            samples: (first, last, step),
        } = self;
        let labels = format!(r#"cluster="{cluster}",node="{name}"{labels}"#);
        // Two CPUs that differ, and counters that began long ago.
        let mut counters = [[91_234.56, 4_321.0], [87_654.32, 5_678.0]];
        let mut seconds = *first;
        while seconds >= *last {
            let at = ago(seconds);
            let length = f64::from(u16::try_from(*step).unwrap());
            for (number, [idle, user]) in counters.iter_mut().enumerate() {
                let busy = cpu(seconds) + if number == 0 { 0.01 } else { -0.01 };
                *idle += (1.0 - busy) * length;
                *user += busy * length;
                for (mode, value) in [("idle", *idle), ("user", *user)] {
                    let labels = format!(r#"{labels},cpu="{number}",mode="{mode}""#);
                    samples.add("node_cpu_seconds_total", &labels, value, at);
                }
            }
            samples.add("node_memory_MemTotal_bytes", &labels, MEMORY, at);
            let free = (1.0 - memory(seconds)) * MEMORY;
            samples.add("node_memory_MemAvailable_bytes", &labels, free, at);
            seconds -= step;
        }
    }
}

/// One value at all times.
pub(crate) fn always(value: f64) -> impl Fn(i64) -> f64 {
    move |_| value
}

/// One value in the last hour, another before.
pub(super) fn last_hour(value: f64, before: f64) -> impl Fn(i64) -> f64 {
    move |seconds| if seconds < 3_600 { value } else { before }
}
