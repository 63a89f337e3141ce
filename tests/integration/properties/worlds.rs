//! Generated worlds: small fleets, mostly healthy, with a use that makes something happen.

use fleetscale::model::*;
use fleetscale::policy::{Bounds, GroupBy, Step};
use jiff::Timestamp;
use proptest::prelude::*;

use crate::support::parts::*;
use crate::support::world::World;

/// What a world is made from. Small numbers are healthy worlds, so that failures shrink towards them.
#[derive(Debug, Clone)]
pub(super) struct Spec {
    pub(super) groups: Vec<GroupSpec>,
    tenants: u32,
    kamaji: u32,
    busy: bool,
    clusters: usize,
    requests: usize,
    max_step: Option<u32>,
    grouped: bool,
}

/// One node group.
#[derive(Debug, Clone)]
pub(super) struct GroupSpec {
    replicas: u32,
    /// Thousandths of the capacity, by signal and window.
    usage: [u32; 6],
    /// Hours since its last change.
    age: u32,
    trouble: Trouble,
}

/// What is out of order in a group even with all inputs.
#[derive(Debug, Clone, Copy)]
enum Trouble {
    None,
    NotReady(u32),
    Rollout,
    Paused,
    Autoscaler,
    NotApplied(i64),
    Undeclared,
}

fn trouble() -> impl Strategy<Value = Trouble> {
    prop_oneof![
        12 => Just(Trouble::None),
        1 => (1..4u32).prop_map(Trouble::NotReady),
        1 => Just(Trouble::Rollout),
        1 => Just(Trouble::Paused),
        1 => Just(Trouble::Autoscaler),
        1 => (1..30i64).prop_map(Trouble::NotApplied),
        1 => Just(Trouble::Undeclared),
    ]
}

fn group_spec() -> impl Strategy<Value = GroupSpec> {
    let usage = prop_oneof![
        // Mostly one use with small differences: only then do all windows agree.
        4 => (30..1050u32, prop::array::uniform6(0..60u32))
            .prop_map(|(base, jitter)| jitter.map(|jitter| base + jitter)),
        3 => (30..450u32, prop::array::uniform6(0..50u32))
            .prop_map(|(base, jitter)| jitter.map(|jitter| base + jitter)),
        1 => prop::array::uniform6(0..1200u32),
    ];
    let age = prop_oneof![3 => 200..2000u32, 1 => 0..200u32];
    (0..25u32, usage, age, trouble()).prop_map(|(replicas, usage, age, trouble)| GroupSpec {
        replicas,
        usage,
        age,
        trouble,
    })
}

/// Worlds.
pub(super) fn specs() -> impl Strategy<Value = Spec> {
    let groups = prop::collection::vec(group_spec(), 1..6);
    (
        groups,
        0..700u32,
        0..7u32,
        any::<bool>(),
        prop_oneof![2 => 0..3usize, 1 => 90..140usize],
        0..6usize,
        prop::option::of(1..9u32),
        any::<bool>(),
    )
        .prop_map(
            |(groups, tenants, kamaji, busy, clusters, requests, max_step, grouped)| Spec {
                groups,
                tenants,
                kamaji,
                busy,
                clusters,
                requests,
                max_step,
                grouped,
            },
        )
}

/// The groups' names: two clusters on one management cluster, and one on each of the others.
pub(super) const TARGETS: [&str; 6] = [
    BLUE,
    BLUE_1,
    GREEN,
    RED,
    "node-group/eu-1/shard-a/cyan/md-0/replicas",
    "node-group/us-1/shard-c/red/md-1/replicas",
];

impl GroupSpec {
    fn live(&self, now: Timestamp) -> LiveNodeGroup {
        let GroupSpec {
            replicas,
            usage,
            age,
            trouble,
        } = self;
        let mut live = group(*replicas, 0.5);
        live.changed_at = Some(Duration::from_hours(*age).before(now));
        match trouble {
            Trouble::NotReady(missing) => live.ready = replicas.saturating_sub(*missing),
            Trouble::Rollout => live.up_to_date = replicas / 2,
            Trouble::Paused => live.paused = true,
            Trouble::Autoscaler => live.autoscaler = Some(AutoscalerBounds { min: 1, max: 9 }),
            Trouble::None | Trouble::NotApplied(_) | Trouble::Undeclared => {}
        }
        let ready = live.ready;
        for (measurement, share) in live.measurements.values_mut().zip(usage) {
            *measurement = measured(f64::from(*share) / 1000.0, ready);
        }
        live
    }
}

impl Spec {
    /// The world with all its inputs.
    pub(super) fn world(&self) -> World {
        let Spec {
            groups,
            tenants,
            kamaji,
            busy,
            clusters,
            requests,
            max_step,
            grouped,
        } = self;
        let mut world = World::healthy();
        let now = world.now;
        for (target, spec) in TARGETS.iter().zip(groups) {
            world.add_group(target, spec.live(now));
            match spec.trouble {
                Trouble::NotApplied(declared) => world.binding(target).value = Some(Scalar::Integer(declared)),
                Trouble::Undeclared => drop(world.declared.bindings.remove(&n(target))),
                _ => {}
            }
        }
        world.kamaji().tenants = counted(f64::from(*tenants));
        world.kamaji().replicas = *kamaji;
        world.kamaji().ready = *kamaji;
        world.binding(KAMAJI).value = Some((*kamaji).into());
        let shard = world
            .management_cluster("eu-1")
            .clusters
            .entry(n("tenants"))
            .or_default();
        for index in 0..*clusters {
            shard.insert(n(&format!("tenant-{index}")), LiveCluster::default());
        }
        if *busy {
            for (key, value) in [
                ("client-requests/1h", 19.0),
                ("queue-depth/1h", 40.0),
                ("queue-depth/24h", 5.0),
            ] {
                world.capi().measurements.insert(n(key), counted(value));
            }
        }
        for name in ["orange", "cyan", "lemon", "tenant-0", "mint", "plum"]
            .iter()
            .take(*requests)
        {
            world.request("eu", name);
        }
        world.policies.sharding[0].management_cluster_capacity = 100;
        let policy = world.nodes_policy();
        policy.bounds = Bounds::new(2, 18).unwrap();
        policy.scale_down.as_mut().unwrap().max_step = Step {
            nodes: *max_step,
            percent: None,
        };
        policy.group_by = if *grouped {
            GroupBy::ManagementCluster
        } else {
            GroupBy::Cluster
        };
        world
    }
}
