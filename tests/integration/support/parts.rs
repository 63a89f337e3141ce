//! The parts of the healthy fleet: names, measurements, policies, the fleet file.

use std::collections::BTreeMap;

use fleetscale::model::*;
use fleetscale::policy::{self, *};

/// A Tuesday morning.
pub(crate) const NOW: &str = "2026-10-06T09:00:00Z";
pub(crate) const SAMPLED: &str = "2026-10-06T08:59:30Z";
pub(crate) const LONG_AGO: &str = "2026-07-01T00:00:00Z";

pub(crate) const BLUE: &str = "node-group/eu-1/shard-a/blue/md-0/replicas";
pub(crate) const BLUE_1: &str = "node-group/eu-1/shard-a/blue/md-1/replicas";
pub(crate) const GREEN: &str = "node-group/eu-2/shard-b/green/md-0/replicas";
pub(crate) const RED: &str = "node-group/us-1/shard-c/red/md-0/replicas";
pub(crate) const KAMAJI: &str = "platform/eu-1/kamaji/replicas";
pub(crate) const QPS: &str = "controller/eu-1/capi/kube-api-qps";
pub(crate) const BURST: &str = "controller/eu-1/capi/kube-api-burst";
pub(crate) const ORANGE: &str = "placement/eu/orange";

/// Parses a name, a time or a target, whatever the place wants.
pub(crate) fn n<T: std::str::FromStr>(text: &str) -> T
where
    T::Err: std::fmt::Debug,
{
    text.parse().unwrap()
}

pub(crate) fn finite(value: f64) -> Finite {
    Finite::try_from(value).unwrap()
}

/// A fresh and complete measurement of all of a group's nodes.
pub(crate) fn measured(value: f64, nodes: u32) -> Measurement {
    Measurement {
        value: Finite::try_from(value).ok(),
        grade: Grade::Fresh,
        at: Some(n(SAMPLED)),
        coverage: Some(finite(1.0)),
        nodes: Some(NodesSeen {
            seen: nodes,
            expected: nodes,
        }),
        cause: None,
    }
}

/// A fresh value that is not about nodes.
pub(crate) fn counted(value: f64) -> Measurement {
    Measurement {
        nodes: None,
        ..measured(value, 0)
    }
}

pub(crate) fn digest(text: &str) -> Digest {
    Digest::of_bytes(text.as_bytes())
}

pub(crate) fn everything() -> Selector {
    Selector {
        regions: Some(vec![n("*")]),
        ..Selector::default()
    }
}

pub(crate) fn meta(kind: Kind, name: &str) -> Meta {
    Meta {
        name: n(name),
        kind,
        mode: Mode::Propose,
        suspend: false,
        file: format!("policies/{name}.yaml"),
        line: 1,
    }
}

pub(crate) fn window(schedule: &str, duration: &str) -> Window {
    Window::parse(schedule, None, n(duration), None, InGap::Skip).unwrap()
}

pub(crate) fn ladder(rungs: &[(u32, u32)]) -> Ladder {
    let rungs = rungs.iter().map(|&(from, value)| Rung { from, value }).collect();
    Ladder::new(rungs).unwrap()
}

/// A node group that has had its size for long and whose CPU and memory are at a share of its capacity.
pub(crate) fn group(replicas: u32, usage: f64) -> LiveNodeGroup {
    let mut group = LiveNodeGroup {
        replicas,
        ready: replicas,
        up_to_date: replicas,
        paused: false,
        autoscaler: None,
        changed_at: Some(n(LONG_AGO)),
        measurements: BTreeMap::new(),
    };
    for window in ["1h", "24h", "7d"] {
        for signal in ["cpu", "memory"] {
            let key = n(&format!("{signal}/{window}"));
            group.measurements.insert(key, measured(usage, replicas));
        }
    }
    group
}

pub(crate) fn place(path: &str, pointer: &str, form: Form) -> Place {
    Place {
        path: n(path),
        document: 0,
        object: ObjectKey {
            group: "cluster.x-k8s.io".into(),
            kind: "Cluster".into(),
            namespace: "".into(),
            name: "it".into(),
        },
        pointer: json_patch::jsonptr::PointerBuf::parse(pointer.to_owned()).unwrap(),
        embedded: None,
        line: 7,
        form,
    }
}

pub(crate) fn binding(value: i64, place: Place) -> Binding {
    Binding {
        value: Some(Scalar::Integer(value)),
        site: Site::Writable(place),
        autoscaler: None,
        unscaled: None,
        paused: false,
        hold: None,
    }
}

pub(crate) fn node_group_policy() -> NodeGroupPolicy {
    let trigger = |window: &str, cpu, memory| Trigger {
        window: n(window),
        cpu: Percent::of(cpu),
        memory: Percent::of(memory),
    };
    NodeGroupPolicy {
        variable: None,
        meta: meta(Kind::NodeGroupPolicy, "nodes"),
        selector: everything(),
        bounds: Bounds::new(3, 20).unwrap(),
        scale_up: ScaleUp {
            urgent: trigger("1h", 95, 85),
            sustained: trigger("24h", 75, 75),
            target: Percent::of(70),
            max_step: Step {
                nodes: None,
                percent: Some(Percent::of(100)),
            },
        },
        scale_down: Some(ScaleDown {
            lookback: vec![n("1h"), n("24h"), n("7d")],
            below: Percent::of(50),
            target: Percent::of(65),
            max_step: Step {
                nodes: Some(2),
                percent: None,
            },
            windows: Vec::new(),
        }),
        cooldown: cooldown(),
        max_age: n("10m"),
        min_coverage: Percent::of(95),
        group_by: GroupBy::Cluster,
        write_to: None,
        on_shared_base: OnSharedBase::Hold,
    }
}

pub(crate) fn cooldown() -> Cooldown {
    Cooldown {
        up: n("1h"),
        down: n("24h"),
    }
}

pub(crate) fn policies() -> PolicySet {
    let flag = |name: &str, rungs: &[(u32, u32)]| FlagLadder {
        name: n(name),
        ladder: ladder(rungs),
    };
    let shard = |name: &str, management_cluster: &str| Shard {
        name: n(name),
        management_cluster: n(management_cluster),
        namespace: n(name),
        path: n(&format!("clusters/{management_cluster}/{name}")),
        capacity: 5,
    };
    PolicySet {
        node_groups: vec![node_group_policy()],
        platforms: vec![PlatformPolicy {
            meta: meta(Kind::PlatformPolicy, "kamaji"),
            component: n("kamaji"),
            selector: everything(),
            ladder: ladder(&[(1, 2), (100, 3), (500, 5)]),
            scale_down: Some(Vec::new()),
            cooldown: cooldown(),
            max_age: n("10m"),
            chart: None,
            write_to: None,
            on_shared_base: OnSharedBase::Hold,
        }],
        controllers: vec![ControllerPolicy {
            meta: meta(Kind::ControllerPolicy, "capi"),
            component: n("capi"),
            selector: everything(),
            flags: vec![
                flag("kube-api-burst", &[(100, 100), (500, 300)]),
                flag("kube-api-qps", &[(100, 50), (500, 150)]),
            ],
            evidence: policy::Evidence {
                window: n("1h"),
                baseline: n("24h"),
                client_requests: Percent::of(80),
            },
            cooldown: cooldown(),
            max_age: n("10m"),
            chart: None,
            write_to: None,
        }],
        sharding: vec![ShardingPolicy {
            meta: meta(Kind::ShardingPolicy, "eu"),
            region: n("eu"),
            management_cluster_capacity: 8,
            requests: n("requests/eu"),
            requests_position: Default::default(),
            shards: vec![shard("shard-a", "eu-1"), shard("shard-b", "eu-2")],
        }],
        warnings: Vec::new(),
        digest: digest("policies"),
    }
}

pub(crate) fn fleet() -> FleetFile {
    let region = |name: &str, clusters: &[&str]| Region {
        name: n(name),
        management_clusters: clusters
            .iter()
            .map(|cluster| ManagementCluster {
                name: n(cluster),
                paths: vec![n(&format!("clusters/{cluster}"))],
                kubernetes: None,
                prometheus: None,
            })
            .collect(),
        prometheus: None,
    };
    FleetFile {
        name: "fleet".to_owned(),
        repository: Repository::Path("fleet.git".to_owned()),
        aliases: Vec::new(),
        branch: n("main"),
        policies: n("fleetscale"),
        forge: Forge::Local { path: None },
        snapshot: None,
        regions: vec![region("eu", &["eu-1", "eu-2"]), region("us", &["us-1"])],
        limits: Limits {
            new_pull_requests: 5,
            new_urgent_pull_requests: 20,
            open_pull_requests: 20,
            budgets: Vec::new(),
        },
        freezes: Vec::new(),
        deadlines: Deadlines::default(),
        author: Author {
            name: "fleetscale".to_owned(),
            email: "fleetscale@localhost".to_owned(),
        },
        warnings: Vec::new(),
    }
}
