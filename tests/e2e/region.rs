//! Two small regions on real servers: one management cluster and four clusters each, with something to do in three of them.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::agent::git;
use crate::env::kubernetes::{Kubernetes, cluster};
use crate::env::{Prometheus, Samples};
use crate::fleet::{self, Group, NAMESPACE, Use};

const REGIONS: [&str; 2] = ["eu", "us"];
const NODES: usize = 4;
const SCRAPE: i64 = 240;
/// A day and a bit: the longest window that the policy looks at is full.
const HISTORY: i64 = 25 * 3_600;
const MEMORY: f64 = 16e9;

/// The clusters with the use of their nodes over the last hour and before it: two want a P1 up, one a down, one nothing.
const CLUSTERS: [(&str, (f64, f64)); 4] = [
    ("calm", (0.60, 0.60)),
    ("hot", (0.97, 0.60)),
    ("idle", (0.20, 0.20)),
    ("open", (0.98, 0.60)),
];

const POLICY: &str = "\
apiVersion: fleetscale.io/v1alpha1
kind: NodeGroupPolicy
metadata: {name: workers}
spec:
  selector: {regions: ['*']}
  bounds: {min: 2, max: 12}
  scaleDown: {lookback: [1h, 24h]}
  mode: propose
";

/// What the regions' servers are: shared by all tests of this binary, since none of them writes there.
pub(crate) struct Servers {
    pub(crate) kubernetes: [&'static Kubernetes; 2],
    pub(crate) prometheus: Prometheus,
    /// The time of the decisions: what was created a moment ago has rested by then.
    pub(crate) now: Timestamp,
}

/// Which series of the one Prometheus a region's clusters have, as `clusterValue`.
pub(crate) const HEALTHY: &str = "{namespace}-{cluster}";
/// The exporters stopped twenty minutes ago.
pub(crate) const STOPPED: &str = "stopped-{cluster}";
/// Another exporter reports the same nodes under the same label.
pub(crate) const SHARED: &str = "shared-{cluster}";

impl Servers {
    pub(crate) fn shared() -> &'static Self {
        static SHARED: OnceLock<Servers> = OnceLock::new();
        SHARED.get_or_init(|| {
            let start = |name: &'static str, region: &'static str| {
                std::thread::spawn(move || cluster(name, |kubernetes| populate(kubernetes, region)))
            };
            let threads = [start("region-eu", "eu"), start("region-us", "us")];
            let now = Timestamp::from_second(Timestamp::now().as_second()).unwrap() + SignedDuration::from_hours(72);
            let prometheus = Prometheus::with(&samples(now));
            Self {
                kubernetes: threads.map(|thread| thread.join().unwrap()),
                prometheus,
                now,
            }
        })
    }
}

fn groups(region: &str) -> Vec<Group> {
    let group = |(name, load): &(&str, (f64, f64))| Group {
        management_cluster: if region == "eu" { "eu-1" } else { "us-1" },
        cluster: format!("{region}-1-{name}"),
        name: "md-0".to_owned(),
        load: Use {
            cpu: *load,
            memory: (0.3, 0.3),
        },
    };
    CLUSTERS.iter().map(group).collect()
}

/// What the agent may list.
const READS: [&str; 5] = [
    "clusters.cluster.x-k8s.io",
    "machinedeployments.cluster.x-k8s.io",
    "machines.cluster.x-k8s.io",
    "tenantcontrolplanes.kamaji.clastix.io",
    "deployments.apps",
];

fn populate(kubernetes: &Kubernetes, region: &str) {
    kubernetes.define_cluster_api(Some("v1beta2"));
    kubernetes.allow("reader", &READS);
    let most: Vec<&str> = READS
        .iter()
        .filter(|kind| !kind.starts_with("machinedep"))
        .copied()
        .collect();
    kubernetes.allow("blinded", &most);
    kubernetes.apply(&[json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}})]);
    for group in groups(region) {
        let machines: Vec<Value> = (0..NODES).map(|index| fleet::live_machine(&group, index)).collect();
        kubernetes.apply(&[fleet::cluster_object(&group.cluster)]);
        kubernetes.apply(&machines);
        kubernetes.apply(&[fleet::live_deployment(&group, NODES)]);
    }
}

fn samples(now: Timestamp) -> Samples {
    let mut samples = Samples::default();
    for region in REGIONS {
        for group in groups(region) {
            for (value, jobs, late) in [(NAMESPACE, 1, 0), ("stopped", 1, 20 * 60), ("shared", 2, 0)] {
                for (job, index) in (0..jobs).flat_map(|job| (0..NODES).map(move |index| (job, index))) {
                    let (cluster, node) = (&group.cluster, group.node(index));
                    let labels = format!("cluster=\"{value}-{cluster}\",node=\"{node}\",job=\"exporter-{job}\"");
                    write(&mut samples, &labels, group.load.cpu, now, late);
                }
            }
        }
    }
    samples
}

/// One node's samples up to some seconds before now.
fn write(samples: &mut Samples, labels: &str, (last_hour, before): (f64, f64), now: Timestamp, late: i64) {
    let (mut idle, mut user) = (1_000.0, 1_000.0);
    for ago in (0..=HISTORY / SCRAPE)
        .rev()
        .map(|step| step * SCRAPE)
        .filter(|ago| *ago >= late)
    {
        let at = now - SignedDuration::from_secs(ago);
        let busy = if ago < 3_600 { last_hour } else { before };
        idle += (1.0 - busy) * 240.0;
        user += busy * 240.0;
        for (mode, value) in [("idle", idle), ("user", user)] {
            let labels = format!("{labels},cpu=\"0\",mode=\"{mode}\"");
            samples.add("node_cpu_seconds_total", &labels, value, at);
        }
        samples.add("node_memory_MemTotal_bytes", labels, MEMORY, at);
        samples.add("node_memory_MemAvailable_bytes", labels, 0.7 * MEMORY, at);
    }
}

/// Writes the fleet's files into a folder and commits them.
pub(crate) fn commit_files(clone: &Path) {
    let put = |path: &str, text: &str| {
        let path = clone.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    put("fleetscale/workers.yaml", POLICY);
    for region in REGIONS {
        for group in groups(region) {
            let objects = [
                fleet::cluster_object(&group.cluster),
                fleet::deployment_object(&group, NODES),
            ];
            let texts = objects.map(|object| serde_yaml::to_string(&object).unwrap());
            let path = format!("clusters/{}/{}.yaml", group.management_cluster, group.cluster);
            put(&path, &texts.join("---\n"));
        }
    }
    git(clone, &["add", "-A"]);
    git(clone, &["commit", "-qm", "The fleet"]);
}

/// How a fleet file names one region.
pub(crate) struct Named {
    pub(crate) api: String,
    pub(crate) token_file: String,
    pub(crate) prometheus: String,
    pub(crate) cluster_value: String,
}

impl Named {
    /// A region's servers behind proxies, nothing wrong with them.
    pub(crate) fn new(api: &str, prometheus: &str, kubernetes: &Kubernetes) -> Self {
        Self {
            api: api.to_owned(),
            token_file: kubernetes.folder.join("reader-token").display().to_string(),
            prometheus: prometheus.to_owned(),
            cluster_value: HEALTHY.to_owned(),
        }
    }
}

/// Writes the fleet file into a folder; `head` is what comes before the regions.
pub(crate) fn fleet_file(folder: &Path, head: &str, regions: &[Named; 2]) -> PathBuf {
    let mut text = format!(
        "apiVersion: fleetscale.io/v1alpha1
kind: Fleet
metadata: {{name: regions}}
spec:
  author: {{name: fleet-bot, email: fleet-bot@example.org}}
{head}
  regions:
"
    );
    for (region, named) in REGIONS.iter().zip(regions) {
        let Named {
            api,
            token_file,
            prometheus,
            cluster_value,
        } = named;
        text.push_str(&format!(
            "    - name: {region}
      prometheus: {{url: \"{prometheus}\", clusterValue: \"{cluster_value}\", scrapeInterval: {SCRAPE}s}}
      managementClusters:
        - name: {region}-1
          paths: [clusters/{region}-1]
          kubernetes: {{server: \"{api}\", tokenFile: \"{token_file}\"}}
"
        ));
    }
    let path = folder.join("fleet.yaml");
    fs::write(&path, text).unwrap();
    path
}
