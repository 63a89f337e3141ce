//! The live half of a snapshot from real servers, and one region's faults beside another's truth.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use fleetscale::model::*;
use fleetscale::net::{Deadline, Server};
use fleetscale::observe::{Access, live, prometheus_servers};
use fleetscale::policy::{AuthoritiesRef, FleetFile, KubernetesRef, PolicySet};
use serde_json::{Value, json};

use crate::env::kubernetes::{Kubernetes, cluster};
use crate::env::{Fault, Prometheus, Proxy, Samples};
use crate::prometheus::fleet::{NOW, Node, always, n};

const FLEET: &str = "
apiVersion: fleetscale.io/v1alpha1
kind: Fleet
metadata: {name: example}
spec:
  repository: {path: fleet.git}
  deadlines: {region: 6s, call: 2s}
  regions:
    - name: eu
      prometheus: {url: EU, clusterValue: '{managementCluster}.{cluster}'}
      managementClusters: [{name: eu-1, paths: [clusters/eu/1]}, {name: eu-2, paths: [clusters/eu/2]}]
    - name: us
      prometheus: {url: US, clusterValue: '{managementCluster}.{cluster}'}
      managementClusters: [{name: us-1, paths: [clusters/us]}]
";

pub(crate) const POLICY: &str = "
apiVersion: fleetscale.io/v1alpha1
kind: NodeGroupPolicy
metadata: {name: workers}
spec:
  selector: {regions: ['*']}
  bounds: {min: 1, max: 20}
";

fn capi(kind: &str, name: &str, spec: &Value) -> Value {
    json!({
        "apiVersion": "cluster.x-k8s.io/v1beta2", "kind": kind,
        "metadata": {"name": name, "namespace": "shard-a"}, "spec": spec,
    })
}

/// One cluster with one node group of two Machines.
pub(crate) fn set_up(api: &Kubernetes) {
    api.define_cluster_api(Some("v1beta2"));
    api.apply(&[json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shard-a"}})]);
    let reference = |kind: &str| json!({"apiGroup": "infrastructure.cluster.x-k8s.io", "kind": kind, "name": "x"});
    let machine = json!({
        "clusterName": "blue", "bootstrap": {"dataSecretName": "x"}, "infrastructureRef": reference("DevMachineTemplate"),
    });
    let mut group = capi(
        "MachineDeployment",
        "md-0",
        &json!({
            "clusterName": "blue", "replicas": 2, "selector": {"matchLabels": {"a": "b"}},
            "template": {"metadata": {"labels": {"a": "b"}}, "spec": machine},
        }),
    );
    group["status"] = json!({"observedGeneration": 1, "replicas": 2, "readyReplicas": 2, "upToDateReplicas": 2});
    api.apply(&[
        capi(
            "Cluster",
            "blue",
            &json!({"infrastructureRef": reference("DevCluster")}),
        ),
        group,
    ]);
    for name in ["a", "b"] {
        let mut object = capi("Machine", name, &machine);
        object["metadata"]["labels"] =
            json!({"cluster.x-k8s.io/cluster-name": "blue", "cluster.x-k8s.io/deployment-name": "md-0"});
        object["status"] = json!({"nodeRef": {"name": name}});
        api.apply(&[object]);
    }
    let kinds = ["clusters", "machinedeployments", "machines"].map(|kind| format!("{kind}.cluster.x-k8s.io"));
    let mut kinds: Vec<&str> = kinds.iter().map(String::as_str).collect();
    kinds.extend(["deployments.apps", "tenantcontrolplanes.kamaji.clastix.io"]);
    api.allow("reader", &kinds);
}

/// Two regions, each with an API server and a Prometheus behind proxies of its own.
struct World {
    fleet: FleetFile,
    policies: PolicySet,
    /// When the run has to be over.
    run: Deadline,
    folder: &'static Path,
    servers: [Proxy; 2],
    metrics: [Proxy; 2],
    _prometheus: Prometheus,
}

impl World {
    fn new() -> Self {
        let api = cluster("live", set_up);
        let mut samples = Samples::default();
        for (cluster, cpu) in [("eu-1.blue", 0.3), ("us-1.blue", 0.7)] {
            for name in ["a", "b"] {
                Node::new(cluster, name).write(&mut samples, always(cpu), always(0.5));
            }
        }
        let prometheus = Prometheus::with(&samples);
        let authorities = std::fs::read(api.folder.join("ca.crt")).unwrap();
        let servers = [(); 2].map(|()| Proxy::before(&api.url, Some(&authorities)));
        let metrics = [(); 2].map(|()| Proxy::before(prometheus.server.url(), None));
        let text = FLEET.replace("EU", metrics[0].url()).replace("US", metrics[1].url());
        let mut fleet = FleetFile::load("fleet.yaml", text.as_bytes()).unwrap();
        for (region, proxy) in fleet.regions.iter_mut().zip(&servers) {
            region.management_clusters[0].kubernetes = Some(KubernetesRef::Server {
                url: proxy.url().to_owned(),
                authorities: AuthoritiesRef::System,
                token_file: "reader-token".to_owned(),
            });
        }
        Self {
            policies: PolicySet::load([("nodes.yaml", POLICY)], Some(&fleet)).unwrap(),
            fleet,
            run: Deadline::after(Duration::from_secs(3_600)),
            folder: &api.folder,
            servers,
            metrics,
            _prometheus: prometheus,
        }
    }

    fn observe(&self) -> BTreeMap<String, LiveManagementCluster> {
        let servers = prometheus_servers(&self.fleet)
            .map(|server| (server.clone(), Ok(Server::new(&server.url).unwrap())))
            .collect();
        let access = Access {
            folder: self.folder,
            default_kubeconfig: None,
            in_cluster: None,
            prometheus: &servers,
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let observed = live(&self.fleet, &self.policies, &access, self.run, n(NOW));
        let live = runtime.unwrap().block_on(observed);
        let clusters = live.management_clusters.into_iter();
        clusters.map(|(name, live)| (name.to_string(), live)).collect()
    }
}

fn measured(live: &LiveManagementCluster) -> Vec<(String, Grade, Option<f64>)> {
    let group = &live.clusters[&n("shard-a")][&n("blue")].node_groups[&n("md-0")];
    let all = group.measurements.iter();
    all.map(|(key, measured)| (key.to_string(), measured.grade, measured.value.map(Finite::get)))
        .collect()
}

#[test]
fn a_region_is_observed_whole_whatever_its_neighbour_does() {
    let world = World::new();
    let healthy = world.observe();
    let names: Vec<&String> = healthy.keys().collect();
    assert_eq!(names, ["eu-1", "eu-2", "us-1"]);
    for (name, cpu) in [("eu-1", 0.3), ("us-1", 0.7)] {
        assert_eq!(healthy[name].gaps, [], "{name}");
        let expected = [
            ("cpu/1h", cpu),
            ("cpu/24h", cpu),
            ("memory/1h", 0.5),
            ("memory/24h", 0.5),
        ];
        let expected = expected.map(|(key, value)| (key.to_owned(), Grade::Fresh, Some(value)));
        assert_eq!(measured(&healthy[name]), expected);
    }
    let unknown: Vec<Inventory> = healthy["eu-2"].gaps.iter().map(|gap| gap.what).collect();
    assert_eq!(
        unknown,
        [Inventory::Clusters, Inventory::Platforms, Inventory::Controllers]
    );
    assert!(healthy["eu-2"].gaps[0].cause.contains("`kubernetes`"));

    let lie = || Fault::Answer("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}".to_owned());
    let refuse =
        || Fault::Answer("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".to_owned());
    for (server, metrics) in [
        (Fault::Hang, Fault::None),
        (lie(), Fault::None),
        (refuse(), Fault::None),
        (Fault::None, Fault::Hang),
        (Fault::None, lie()),
        (Fault::None, refuse()),
        (Fault::Slow, Fault::Slow),
        (Fault::Hang, Fault::Hang),
    ] {
        let told = format!("{server:?} {metrics:?}");
        let is_blind = !matches!(server, Fault::None);
        for broken in [0, 1] {
            for region in [0, 1] {
                let (server, metrics) = (server.clone(), metrics.clone());
                let of = move |fault: Fault| move |_: &_| if region == broken { fault.clone() } else { Fault::None };
                world.servers[region].when(of(server));
                world.metrics[region].when(of(metrics));
            }
            let seen = world.observe();
            let (ill, well) = if broken == 0 {
                ("eu-1", "us-1")
            } else {
                ("us-1", "eu-1")
            };
            let bytes = |live: &LiveManagementCluster| serde_json::to_string(live).unwrap();
            assert_eq!(bytes(&seen[well]), bytes(&healthy[well]), "{told}: {well}");
            assert_eq!(bytes(&seen["eu-2"]), bytes(&healthy["eu-2"]), "{told}");
            let blind = seen[ill].gap_in(Inventory::Clusters).is_some();
            assert_eq!(blind, is_blind, "{told}: {:?}", seen[ill].gaps);
            if !blind {
                // What the API server said stays, and every measurement says why it is not there.
                assert_eq!(seen[ill].cluster_count(), 1);
                let grades: Vec<_> = measured(&seen[ill])
                    .into_iter()
                    .map(|(_, grade, value)| (grade, value))
                    .collect();
                assert_eq!(grades, [(Grade::Missing, None); 4], "{told}");
            }
        }
    }
}

#[test]
fn a_region_that_hangs_ends_by_its_deadline_or_that_of_the_run() {
    for (region, run) in [("2s", 3_600), ("1h", 2)] {
        let mut world = World::new();
        // Only these deadlines end it: a test of a call that hangs for ever would itself hang for ever.
        world.fleet.deadlines.call = n("1h");
        world.fleet.deadlines.region = n(region);
        world.run = Deadline::after(Duration::from_secs(run));
        for proxy in world.servers.iter().chain(&world.metrics) {
            proxy.when(|_| Fault::Hang);
        }
        let (tell, told) = std::sync::mpsc::channel();
        std::thread::scope(|scope| {
            scope.spawn(|| tell.send(world.observe()).unwrap());
            let seen = told.recv_timeout(Duration::from_secs(120)).expect("it ends");
            assert!(seen.values().all(|live| live.gap_in(Inventory::Clusters).is_some()));
        });
    }
}
