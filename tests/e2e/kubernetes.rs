//! Management clusters are observed as real API servers describe them.

use std::collections::BTreeSet;
use std::time::Duration;

use fleetscale::model::{AutoscalerBounds, Inventory, LiveManagementCluster};
use fleetscale::net::Deadline;
use fleetscale::observe::kube::{KubeAccess, Seen, client, observe, observe_with};
use fleetscale::policy::KubernetesRef;
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::env::free_port;
use crate::env::kubernetes::{Kubernetes, cluster, path_of};

const ALL: [&str; 5] = [
    "clusters.cluster.x-k8s.io",
    "machinedeployments.cluster.x-k8s.io",
    "machines.cluster.x-k8s.io",
    "tenantcontrolplanes.kamaji.clastix.io",
    "deployments.apps",
];

/// How many clusters there are; each has two node groups of two Machines.
const CLUSTERS: usize = 7;

fn namespace(name: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
}

/// An object of Cluster API in a version, with what the version wants of its references.
fn capi(version: &str, kind: &str, name: &str, spec: Value) -> Value {
    json!({
        "apiVersion": format!("cluster.x-k8s.io/{version}"), "kind": kind,
        "metadata": {"name": name, "namespace": "shard-a"}, "spec": spec,
    })
}

fn reference(version: &str, kind: &str) -> Value {
    match version {
        "v1beta1" => json!({"apiVersion": "infrastructure.cluster.x-k8s.io/v1beta1", "kind": kind, "name": "x"}),
        _ => json!({"apiGroup": "infrastructure.cluster.x-k8s.io", "kind": kind, "name": "x"}),
    }
}

fn machine_spec(version: &str, cluster: &str) -> Value {
    json!({
        "clusterName": cluster, "bootstrap": {"dataSecretName": "x"},
        "infrastructureRef": reference(version, "DevMachineTemplate"),
    })
}

/// A cluster with a group of its own, a group of its topology, and the Machines of both.
fn world(version: &str, number: usize) -> Vec<Value> {
    let cluster = format!("c{number}");
    let counts = if version == "v1beta1" {
        "updatedReplicas"
    } else {
        "upToDateReplicas"
    };
    let mut objects = vec![capi(version, "Cluster", &cluster, json!({"paused": number == 3}))];
    if version == "v1beta2" {
        objects[0]["spec"]["infrastructureRef"] = reference(version, "DevCluster");
    }
    for (deployment, entry) in [
        (format!("{cluster}-own"), None),
        (format!("{cluster}-x7k2p"), Some("md-0")),
    ] {
        let mut object = capi(
            version,
            "MachineDeployment",
            &deployment,
            json!({
                "clusterName": cluster, "replicas": 2, "selector": {"matchLabels": {"a": "b"}},
                "template": {"metadata": {"labels": {"a": "b"}}, "spec": machine_spec(version, &cluster)},
            }),
        );
        if let Some(entry) = entry {
            object["metadata"]["labels"] =
                json!({"topology.cluster.x-k8s.io/owned": "", "topology.cluster.x-k8s.io/deployment-name": entry});
            object["metadata"]["annotations"] =
                json!({"cluster.x-k8s.io/cluster-api-autoscaler-node-group-max-size": "6"});
        }
        object["status"] = json!({"observedGeneration": 1, "replicas": 2, "readyReplicas": 2, counts: 2});
        objects.push(object);
        for machine in ["a", "b"] {
            let name = format!("{deployment}-{machine}");
            let mut object = capi(version, "Machine", &name, machine_spec(version, &cluster));
            object["metadata"]["labels"] =
                json!({"cluster.x-k8s.io/cluster-name": cluster, "cluster.x-k8s.io/deployment-name": deployment});
            object["status"] = json!({"nodeRef": {"name": format!("node-{name}")}});
            if version == "v1beta1" {
                object["status"]["nodeRef"]["kind"] = json!("Node");
            }
            objects.push(object);
        }
    }
    objects
}

pub(crate) fn deployment(name: &str, namespace: &str, image: &str, args: &[&str]) -> Value {
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name, "namespace": namespace},
        "spec": {
            "replicas": 2, "selector": {"matchLabels": {"a": "b"}},
            "template": {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "manager", "image": image, "args": args}]}},
        },
        "status": {"observedGeneration": 1, "replicas": 2, "readyReplicas": 1, "availableReplicas": 1},
    })
}

fn tenant(name: &str) -> Value {
    json!({
        "apiVersion": "kamaji.clastix.io/v1alpha1", "kind": "TenantControlPlane",
        "metadata": {"name": name, "namespace": "tenants"},
        "spec": {
            "controlPlane": {"service": {"serviceType": "ClusterIP"}, "deployment": {"replicas": 2}},
            "kubernetes": {"version": "v1.34.1", "kubelet": {}},
        },
    })
}

fn set_up(api: &Kubernetes, version: &str) {
    api.define_cluster_api(Some(version));
    api.define_kamaji();
    for name in ["shard-a", "capi-system", "kamaji-system", "tenants"] {
        api.apply(&[namespace(name)]);
    }
    for number in 0..CLUSTERS {
        api.apply(&world(version, number));
    }
    api.apply(&[
        deployment(
            "capi-controller-manager",
            "capi-system",
            "example.org:5000/capi:v1.12.4",
            &["--kube-api-qps=30"],
        ),
        deployment("kamaji", "kamaji-system", "clastix/kamaji:v1.0.0", &["manager"]),
        deployment("something-else", "kamaji-system", "x:v1", &[]),
        tenant("t1"),
        tenant("t2"),
        tenant("t3"),
    ]);
    api.allow("reader", &ALL);
    let but_machines: Vec<&str> = ALL.into_iter().filter(|kind| !kind.starts_with("machines.")).collect();
    api.allow("blinded", &but_machines);
}

fn newer() -> &'static Kubernetes {
    cluster("v1beta2", |api| set_up(api, "v1beta2"))
}

fn older() -> &'static Kubernetes {
    cluster("v1beta1", |api| set_up(api, "v1beta1"))
}

fn wait<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.unwrap().block_on(future)
}

const CALL: Duration = Duration::from_secs(30);

fn look(api: &Kubernetes, reference: &KubernetesRef, page: Option<u32>) -> Seen {
    let access = KubeAccess {
        reference,
        folder: &api.folder,
        default_kubeconfig: None,
        in_cluster: None,
    };
    let (region, deadline, now) = (
        "eu".parse().unwrap(),
        Deadline::after(Duration::from_secs(120)),
        Timestamp::now(),
    );
    wait(async {
        match page {
            None => observe(&access, region, CALL, deadline, now).await,
            Some(page) => observe_with(&client(&access, CALL).unwrap(), region, page, deadline, now).await,
        }
    })
}

fn gaps(live: &LiveManagementCluster) -> Vec<(Inventory, &str)> {
    live.gaps.iter().map(|gap| (gap.what, gap.cause.as_str())).collect()
}

/// What is seen of a management cluster that `set_up` made.
fn check_whole(seen: &Seen) {
    let Seen {
        live,
        nodes,
        component_pods,
        clock,
    } = seen;
    assert_eq!((gaps(live), live.cluster_count()), (vec![], CLUSTERS));
    for (name, cluster) in &live.clusters[&"shard-a".parse().unwrap()] {
        assert_eq!(
            (cluster.paused, cluster.deleting),
            (name.as_str() == "c3", false),
            "{name}"
        );
        let groups: Vec<&str> = cluster.node_groups.keys().map(|name| name.as_str()).collect();
        assert_eq!(groups, [format!("{name}-own").as_str(), "md-0"]);
        for (group, live) in &cluster.node_groups {
            assert_eq!(
                (live.replicas, live.ready, live.up_to_date, live.paused),
                (2, 2, 2, false)
            );
            let owned = group.as_str() == "md-0";
            assert_eq!(live.autoscaler, owned.then_some(AutoscalerBounds { min: 0, max: 6 }));
            assert!(live.changed_at.is_some());
        }
    }
    let key = (
        "shard-a".parse().unwrap(),
        "c0".parse().unwrap(),
        "md-0".parse().unwrap(),
    );
    let of_group = ["node-c0-x7k2p-a", "node-c0-x7k2p-b"].map(str::to_owned);
    assert_eq!((nodes.len(), &nodes[&key]), (2 * CLUSTERS, &BTreeSet::from(of_group)));
    let (capi, kamaji) = ("capi".parse().unwrap(), "kamaji".parse().unwrap());
    let controllers: Vec<&str> = live.controllers.keys().map(|name| name.as_str()).collect();
    assert_eq!(controllers, ["capi", "kamaji"]);
    let controller = &live.controllers[&capi];
    assert_eq!(controller.version.as_deref(), Some("v1.12.4"));
    assert_eq!(
        (controller.args.join(" "), controller.replicas, controller.ready),
        ("--kube-api-qps=30".to_owned(), 2, 1)
    );
    assert!(controller.changed_at.is_some());
    let platform = &live.platforms[&kamaji];
    assert_eq!((platform.replicas, platform.ready), (2, 1));
    assert_eq!(platform.tenants.value.map(|count| count.get()), Some(3.0));
    assert_eq!(
        component_pods[&kamaji],
        ("kamaji-system".to_owned(), "kamaji".to_owned())
    );
    assert!(clock.is_some());
}

#[test]
fn a_management_cluster_is_seen_whole_in_either_version_and_in_pages_of_any_size() {
    for api in [newer(), older()] {
        let reference = api.reference("reader");
        check_whole(&look(api, &reference, None));
        let (by_one, by_three) = (look(api, &reference, Some(1)), look(api, &reference, Some(3)));
        check_whole(&by_one);
        assert_eq!(by_one.live.clusters, by_three.live.clusters);
        assert_eq!(by_one.nodes, by_three.nodes);
    }
}

/// The server's own certificate stands in for a client's: it is sent in the handshake, and the token says who we are.
#[test]
fn a_context_of_a_kubeconfig_is_followed_and_one_that_starts_a_process_is_not() {
    let api = newer();
    let marker = api.folder.join("was-run");
    let text = format!(
        "contexts:\n- {{name: good, context: {{cluster: c, user: good}}}}\n- {{name: bad, context: {{cluster: c, user: bad}}}}\nclusters:\n- \
         {{name: c, cluster: {{server: '{}', certificate-authority: ca.crt}}}}\nusers:\n- {{name: good, user: {{client-certificate: \
         apiserver.crt, client-key: apiserver.key, tokenFile: reader-token}}}}\n- {{name: bad, user: {{exec: {{apiVersion: \
         client.authentication.k8s.io/v1, command: touch, args: ['{}']}}}}}}\n",
        api.url,
        marker.display()
    );
    std::fs::write(api.folder.join("kubeconfig"), text).unwrap();
    let context = |context: &str| KubernetesRef::Context {
        kubeconfig: Some("kubeconfig".to_owned()),
        context: context.to_owned(),
    };
    check_whole(&look(api, &context("good"), None));
    let Seen { live, .. } = look(api, &context("bad"), None);
    assert_eq!((live.gaps.len(), marker.exists()), (3, false));
    assert!(
        live.gaps[0].cause.contains("it has `exec`; give `server`"),
        "{}",
        live.gaps[0].cause
    );
}

#[test]
fn one_kind_that_may_not_be_listed_leaves_the_others_seen() {
    let api = newer();
    let Seen { live, .. } = look(api, &api.reference("blinded"), None);
    let [(Inventory::Clusters, cause)] = gaps(&live)[..] else {
        panic!("{:?}", gaps(&live));
    };
    assert_eq!(
        cause,
        "listing machines: 403 forbidden: machines.cluster.x-k8s.io is forbidden: User \"blinded\" cannot list resource \"machines\" in API \
         group \"cluster.x-k8s.io\" at the cluster scope; we may not list machines.cluster.x-k8s.io: the ClusterRole of the service account \
         has to allow it"
    );
    assert_eq!(
        (live.cluster_count(), live.controllers.len(), live.platforms.len()),
        (CLUSTERS, 2, 1)
    );
}

#[test]
fn a_token_that_is_wrong_and_a_server_that_is_gone_are_gaps_of_everything() {
    let api = newer();
    std::fs::write(api.folder.join("wrong-token"), "hunter2").unwrap();
    let wrong = look(api, &api.reference("wrong"), None);
    let mut gone = api.reference("reader");
    let mut stranger = gone.clone();
    if let KubernetesRef::Server { url, .. } = &mut gone {
        *url = format!("https://127.0.0.1:{}", free_port());
    }
    if let KubernetesRef::Server { authorities, .. } = &mut stranger {
        *authorities = fleetscale::policy::AuthoritiesRef::System;
    }
    for (name, seen, words) in [
        ("wrong", wrong, "401 unauthorized"),
        ("gone", look(api, &gone, None), "onnection refused"),
        ("stranger", look(api, &stranger, None), "certificate"),
    ] {
        let Seen {
            live,
            nodes,
            component_pods,
            clock,
        } = seen;
        let what: Vec<Inventory> = live.gaps.iter().map(|gap| gap.what).collect();
        assert_eq!(
            what,
            [Inventory::Clusters, Inventory::Platforms, Inventory::Controllers],
            "{name}"
        );
        let cause = &live.gaps[0].cause;
        assert!(
            cause.starts_with("asking https://127.0.0.1:") && cause.contains(words),
            "{name}: {cause}"
        );
        assert!(!cause.contains("hunter2"));
        assert_eq!((nodes.len(), component_pods.len(), clock), (0, 0, None), "{name}");
    }
}

#[test]
fn a_size_that_somebody_sets_is_a_change_whoever_he_is() {
    let api = cluster("changes", |api| {
        api.define_cluster_api(None);
        api.apply(&[namespace("shard-a")]);
        api.apply(&world("v1beta2", 0));
        api.allow("reader", &ALL);
    });
    let group = |seen: &Seen| {
        let cluster = &seen.live.clusters[&"shard-a".parse().unwrap()][&"c0".parse().unwrap()];
        cluster.node_groups[&"c0-own".parse().unwrap()].clone()
    };
    let before = group(&look(api, &api.reference("reader"), None));
    // The times of the API server are whole seconds.
    std::thread::sleep(Duration::from_millis(1_100));
    let path = path_of(&capi("v1beta2", "MachineDeployment", "c0-own", json!({})));
    api.patch(&path, &json!({"spec": {"replicas": 1}}));
    let after = group(&look(api, &api.reference("reader"), None));
    assert_eq!((before.replicas, after.replicas), (2, 1));
    assert!(before.changed_at < after.changed_at, "{before:?} {after:?}");
    // The status is about the spec before.
    assert_eq!((before.up_to_date, after.up_to_date), (2, 0));
    // Whoever scales through the subresource leaves no time, and without the conditions of Cluster API's controller nobody knows.
    api.patch(&format!("{path}/scale"), &json!({"spec": {"replicas": 3}}));
    let scaled = group(&look(api, &api.reference("reader"), None));
    assert_eq!((scaled.replicas, scaled.changed_at), (3, None));
    let told = json!(["ScalingUp", "ScalingDown"].map(|kind| {
        json!({"type": kind, "status": "False", "reason": "NotScaling", "message": "", "lastTransitionTime": "2026-10-05T09:00:00Z"})
    }));
    api.patch(
        &format!("{path}/status"),
        &json!({"status": {"observedGeneration": 3, "conditions": told}}),
    );
    let told = group(&look(api, &api.reference("reader"), None));
    assert!(told.changed_at.is_some());
    // Both versions are served, and nothing converts: the newer one was asked for.
    let seen = look(api, &api.reference("reader"), None);
    assert_eq!(seen.live.platforms.len(), 0);
    assert_eq!(gaps(&seen.live), vec![]);
}
