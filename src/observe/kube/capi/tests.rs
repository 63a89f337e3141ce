use serde_json::{Value, json};

use super::*;
use crate::model::{AutoscalerBounds, LiveNodeGroup};

const MADE: &str = "2026-10-01T09:00:00Z";
const SET: &str = "2026-10-02T09:00:00Z";

/// A MachineDeployment at rest, in v1beta2.
fn deployment(name: &str) -> Value {
    json!({
        "metadata": {
            "name": name, "namespace": "shard-a", "generation": 2, "creationTimestamp": MADE,
            "managedFields": [{"manager": "flux", "time": SET, "fieldsV1": {"f:spec": {"f:replicas": {}}}}],
        },
        "spec": {"clusterName": "blue", "replicas": 3},
        "status": {"observedGeneration": 2, "replicas": 3, "readyReplicas": 3, "upToDateReplicas": 3},
    })
}

fn cluster(name: &str) -> Value {
    json!({"metadata": {"name": name, "namespace": "shard-a"}, "spec": {}})
}

fn machine(deployment: &str, node: Option<&str>, made: &str) -> Value {
    json!({
        "metadata": {"name": "m", "namespace": "shard-a", "creationTimestamp": made, "labels": {"cluster.x-k8s.io/deployment-name": deployment}},
        "status": {"nodeRef": node.map(|name| json!({"name": name}))},
    })
}

fn read(clusters: &[Value], deployments: &[Value], machines: &[Value]) -> Clusters {
    let mut lists = Lists {
        clusters: Some(Listed::default()),
        ..Lists::default()
    };
    for value in deployments {
        add_machine_deployment(&mut lists.groups, MachineDeployment::deserialize(value).unwrap());
    }
    for value in machines {
        lists.machines.add(Machine::deserialize(value).unwrap());
    }
    for value in clusters {
        add_cluster(lists.clusters.as_mut().unwrap(), Cluster::deserialize(value).unwrap());
    }
    together(lists)
}

/// The one node group of a MachineDeployment that a change was made to, or why it is left out.
fn group(change: impl FnOnce(&mut Value)) -> Result<(String, LiveNodeGroup), String> {
    let mut value = deployment("blue-md-0");
    change(&mut value);
    let mut found = read(&[cluster("blue")], &[value], &[]);
    if let Some(cause) = found.causes.pop_first() {
        assert_eq!(found.nodes.len(), 0);
        return Err(cause);
    }
    let cluster = found.live.values_mut().next().unwrap().values_mut().next().unwrap();
    let (name, group) = cluster.node_groups.pop_first().ok_or("left out without a word")?;
    Ok((name.to_string(), group))
}

fn at_rest() -> LiveNodeGroup {
    LiveNodeGroup {
        replicas: 3,
        ready: 3,
        up_to_date: 3,
        paused: false,
        autoscaler: None,
        changed_at: Some(SET.parse().unwrap()),
        measurements: BTreeMap::new(),
    }
}

#[test]
fn a_machine_deployment_is_a_node_group_in_both_versions() {
    let own = "blue-md-0".to_owned();
    assert_eq!(group(|_| ()), Ok((own.clone(), at_rest())));
    let v1beta1 = group(|md| {
        md["status"] = json!({"observedGeneration": 2, "replicas": 3, "readyReplicas": 3, "updatedReplicas": 3, "v1beta2": {
            "upToDateReplicas": 2, "conditions": [{"type": "ScalingDown", "status": "False", "lastTransitionTime": "2026-10-03T09:00:00Z"}],
        }});
    });
    let wanted = LiveNodeGroup {
        up_to_date: 2,
        changed_at: "2026-10-03T09:00:00Z".parse().ok(),
        ..at_rest()
    };
    assert_eq!(v1beta1, Ok((own, wanted)));
}

#[test]
fn a_topologys_group_is_called_after_its_entry() {
    let owned = |labels: Value| group(|md| md["metadata"]["labels"] = labels).map(|(name, _)| name);
    let (entry, mark) = (
        "topology.cluster.x-k8s.io/deployment-name",
        "topology.cluster.x-k8s.io/owned",
    );
    assert_eq!(owned(json!({entry: "md-0", mark: ""})).as_deref(), Ok("md-0"));
    assert_eq!(owned(json!({entry: "md-0"})).as_deref(), Ok("blue-md-0"));
    assert!(
        owned(json!({mark: ""}))
            .unwrap_err()
            .contains("does not say of which entry")
    );
    assert!(
        owned(json!({entry: "Md 0", mark: ""}))
            .unwrap_err()
            .contains("must consist of")
    );
}

#[test]
fn a_size_that_is_not_known_is_a_gap_and_never_a_number() {
    for replicas in [json!(null), json!(-1), json!(5_000_000_000_i64)] {
        let cause = group(|md| md["spec"]["replicas"] = replicas.clone()).unwrap_err();
        assert!(cause.starts_with("MachineDeployment shard-a/blue-md-0 has "), "{cause}");
    }
    // What is no integer is no list of MachineDeployments either.
    let mut text = deployment("a");
    text["spec"]["replicas"] = json!("3");
    assert!(MachineDeployment::deserialize(&text).is_err());
}

#[test]
fn a_status_that_is_missing_or_old_says_that_nothing_is_up_to_date() {
    let counts = |status: Value| {
        let (_, group) = group(|md| md["status"] = status).unwrap();
        (group.replicas, group.ready, group.up_to_date)
    };
    assert_eq!(counts(json!(null)), (3, 0, 0));
    assert_eq!(counts(json!({"readyReplicas": 3, "upToDateReplicas": 3})), (3, 3, 0));
    assert_eq!(
        counts(json!({"observedGeneration": 1, "readyReplicas": 3, "upToDateReplicas": 3})),
        (3, 3, 0)
    );
    assert_eq!(counts(json!({"observedGeneration": 2, "readyReplicas": 2})), (3, 2, 0));
}

#[test]
fn who_owns_the_size_is_read_from_annotations() {
    let marks = |annotations: Value| {
        let (_, group) = group(|md| md["metadata"]["annotations"] = annotations)?;
        Ok((
            group.paused,
            group.autoscaler.map(|AutoscalerBounds { min, max }| (min, max)),
        ))
    };
    let min = "cluster.x-k8s.io/cluster-api-autoscaler-node-group-min-size";
    let max = "cluster.x-k8s.io/cluster-api-autoscaler-node-group-max-size";
    assert_eq!(marks(json!({"cluster.x-k8s.io/paused": "false"})), Ok((true, None)));
    assert_eq!(marks(json!({min: "1", max: "6"})), Ok((false, Some((1, 6)))));
    assert_eq!(marks(json!({max: "6"})), Ok((false, Some((0, 6)))));
    assert_eq!(marks(json!({min: "1"})), Ok((false, None)));
    let error: String = marks(json!({max: "six"})).unwrap_err();
    assert!(error.contains("may have an owner"), "{error}");
    let (_, paused) = group(|md| md["spec"]["paused"] = json!(true)).unwrap();
    assert!(paused.paused);
}

#[test]
fn a_change_is_as_young_as_the_youngest_that_tells_of_it() {
    let changed = |change: &dyn Fn(&mut Value)| group(change).unwrap().1.changed_at.map(|at| at.to_string());
    assert_eq!(changed(&|_| ()).as_deref(), Some(SET));
    // A number without an owner may have been set at any time, whatever else is known to be old.
    assert_eq!(changed(&|md| md["metadata"]["managedFields"] = json!(null)), None);
    let condition =
        |kind: &str, day: u32| json!({"type": kind, "lastTransitionTime": format!("2026-10-0{day}T09:00:00Z")});
    for (kind, want) in [
        ("ScalingUp", "2026-10-05T09:00:00Z"),
        ("RollingOut", "2026-10-05T09:00:00Z"),
        ("Available", SET),
    ] {
        let changed = changed(&|md| md["status"]["conditions"] = json!([condition(kind, 5)]));
        assert_eq!(changed.as_deref(), Some(want), "{kind}");
    }
    // Who scales through the subresource has no time, and the conditions tell: both of them, about the spec as it is.
    let scaled = |md: &mut Value| {
        md["metadata"]["managedFields"][0]
            .as_object_mut()
            .unwrap()
            .remove("time");
        md["status"]["conditions"] = json!([condition("ScalingUp", 4), condition("ScalingDown", 5)]);
    };
    assert_eq!(changed(&scaled).as_deref(), Some("2026-10-05T09:00:00Z"));
    let unseen = |md: &mut Value| {
        scaled(md);
        md["metadata"]["generation"] = json!(3);
    };
    assert_eq!(changed(&unseen), None);
    let half = |md: &mut Value| {
        scaled(md);
        md["status"]["conditions"] = json!([condition("ScalingUp", 4)]);
    };
    assert_eq!(changed(&half), None);
    let young = "2026-10-04T09:00:00Z";
    let machines = [
        machine("d", Some("n1"), MADE),
        machine("d", Some("n2"), young),
        machine("d", None, MADE),
    ];
    let found = read(&[cluster("blue")], &[deployment("d")], &machines);
    let group = &found
        .live
        .values()
        .next()
        .unwrap()
        .values()
        .next()
        .unwrap()
        .node_groups
        .values()
        .next()
        .unwrap();
    assert_eq!(group.changed_at, young.parse().ok());
    let nodes: Vec<&String> = found.nodes.values().flatten().collect();
    assert_eq!(nodes, ["n1", "n2"]);
}

#[test]
fn a_cluster_says_whether_it_is_paused_or_being_deleted() {
    let mut one = cluster("a");
    one["spec"]["paused"] = json!(true);
    let mut other = cluster("b");
    other["metadata"]["annotations"] = json!({"cluster.x-k8s.io/paused": ""});
    let mut leaving = cluster("c");
    leaving["metadata"]["deletionTimestamp"] = json!(SET);
    let found = read(&[one, other, leaving], &[], &[]);
    let marks: Vec<(bool, bool)> = found
        .live
        .values()
        .flat_map(BTreeMap::values)
        .map(|c| (c.paused, c.deleting))
        .collect();
    assert_eq!(
        (marks, found.causes.len()),
        (vec![(true, false), (true, false), (false, true)], 0)
    );
}

#[test]
fn what_contradicts_itself_is_left_out_and_named() {
    let mut entry = deployment("blue-md-0-x7k");
    entry["metadata"]["labels"] =
        json!({"topology.cluster.x-k8s.io/owned": "", "topology.cluster.x-k8s.io/deployment-name": "md-0"});
    let mut orphan = deployment("orphan");
    orphan["spec"]["clusterName"] = json!("gone");
    let mut leaving = deployment("leaving");
    leaving["metadata"]["deletionTimestamp"] = json!(SET);
    let found = read(
        &[cluster("blue"), cluster("Blue")],
        &[
            entry,
            deployment("md-0"),
            deployment("d"),
            deployment("d"),
            orphan,
            leaving,
        ],
        &[],
    );
    let causes: Vec<&str> = found.causes.iter().map(String::as_str).collect();
    assert_eq!(
        causes,
        [
            "Cluster shard-a/Blue: cluster name \"Blue\": must consist of lower-case letters, digits, `-` and `.`, and start and end with a \
             letter or digit",
            "MachineDeployment shard-a/d is in the list twice",
            "MachineDeployment shard-a/orphan is of the Cluster gone, which does not exist",
            "the node group shard-a/blue/md-0 is claimed by 2 MachineDeployments: blue-md-0-x7k, md-0",
        ]
    );
    let groups: Vec<String> = found.nodes.keys().map(|(_, _, group)| group.to_string()).collect();
    assert_eq!(groups, ["d"]);
}

#[test]
fn without_its_clusters_no_node_group_is_known() {
    let mut lists = Lists::default();
    add_machine_deployment(
        &mut lists.groups,
        MachineDeployment::deserialize(&deployment("d")).unwrap(),
    );
    assert_eq!(together(lists), Clusters::default());
}
