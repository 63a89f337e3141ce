//! Generated worlds: small fleets, mostly healthy, with a use that makes something happen.

use std::collections::{BTreeMap, BTreeSet};

use fleetscale::model::*;
use fleetscale::policy::{Bounds, Budget, BudgetPer, GroupBy, Limits, Percent, Step};
use jiff::Timestamp;
use proptest::prelude::*;
use proptest::test_runner::TestCaseError;

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
        world.kamaji().tenants.coverage = None;
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

impl Spec {
    /// The same with more use in each group, all of it within what a share can be.
    pub(super) fn bounded(&self, more: &[u32]) -> Self {
        let mut spec = self.clone();
        let mut more = more.iter();
        for usage in spec.groups.iter_mut().flat_map(|group| &mut group.usage) {
            *usage = (*usage).clamp(1, 1090) + more.next().unwrap_or(&0);
            *usage = (*usage).min(1090);
        }
        spec
    }

    pub(super) fn without_requests(mut self) -> Self {
        self.requests = 0;
        self
    }
}

/// Limits with at most one budget of each kind.
pub(super) fn limits() -> impl Strategy<Value = Limits> {
    let direction = prop::sample::select(vec![None, Some(Direction::Up), Some(Direction::Down)]);
    let per = prop::sample::select(vec![BudgetPer::Run, BudgetPer::ManagementCluster, BudgetPer::Cluster]);
    let budget = (
        direction,
        per,
        prop::option::of(0..4u32),
        prop::option::of(0..12u32),
        prop::option::of(0..60u16),
    );
    let budget = budget.prop_map(|(direction, per, max_changes, max_nodes, percent)| Budget {
        direction,
        max_changes,
        max_nodes,
        max_percent: percent.map(Percent::of),
        per,
        window: None,
    });
    (prop::collection::vec(budget, 0..3), 0..6u32, 0..4u32, 0..8u32).prop_map(|(budgets, new, urgent, open)| Limits {
        new_pull_requests: new,
        new_urgent_pull_requests: urgent,
        open_pull_requests: open,
        budgets,
    })
}

/// What a plan changes, summed up as the budgets count it.
pub(super) struct Sums {
    declared: BTreeMap<Target, u32>,
    changes: Vec<(Target, String, Option<Direction>, u32)>,
    proposals: BTreeSet<BranchName>,
    urgent: BTreeSet<BranchName>,
}

impl Sums {
    pub(super) fn new(world: &World) -> Self {
        let declared = world.declared.bindings.iter().filter_map(|(target, binding)| {
            let nodes = u32::try_from(binding.value.as_ref()?.integer()?).ok()?;
            (target.kind() == TargetKind::NodeGroup).then(|| (target.clone(), nodes))
        });
        Self {
            declared: declared.collect(),
            changes: Vec::new(),
            proposals: BTreeSet::new(),
            urgent: BTreeSet::new(),
        }
    }

    pub(super) fn add(&mut self, proposal: &Proposal, change: &ProposedChange) {
        let slot = if proposal.priority == Priority::P1 {
            &mut self.urgent
        } else {
            &mut self.proposals
        };
        slot.insert(proposal.branch.clone());
        let (from, to) = change.action.values();
        let numbers = from.integer().zip(to.integer());
        let direction = numbers.and_then(|(from, to)| Direction::of(from, to));
        let nodes = match change.target.kind() {
            TargetKind::NodeGroup => numbers.map_or(0, |(from, to)| u32::try_from(from.abs_diff(to)).unwrap()),
            _ => 0,
        };
        let at = proposal.scope.management_cluster.to_string();
        self.changes.push((change.target.clone(), at, direction, nodes));
    }

    /// Nothing is exceeded.
    pub(super) fn check(&self, world: &World) -> Result<(), TestCaseError> {
        let limits = &world.fleet.limits;
        prop_assert!(self.proposals.len() <= limits.new_pull_requests.min(limits.open_pull_requests) as usize);
        prop_assert!(self.urgent.len() <= limits.new_urgent_pull_requests as usize);
        for budget in &limits.budgets {
            let bucket = |target: &Target, at: &str| match (budget.per, target) {
                (BudgetPer::Run, _) => String::new(),
                (BudgetPer::Cluster, Target::NodeGroup(key)) => format!("{at} {} {}", key.namespace, key.cluster),
                _ => at.to_owned(),
            };
            let mut sums: BTreeMap<String, (u32, u32)> = BTreeMap::new();
            for (target, at, direction, nodes) in &self.changes {
                if budget.direction.is_none() || budget.direction == *direction {
                    let sum = sums.entry(bucket(target, at)).or_default();
                    *sum = (sum.0 + 1, sum.1 + nodes);
                }
            }
            for (name, (changes, nodes)) in sums {
                let at = |target: &Target| target.management_cluster().map(ToString::to_string).unwrap_or_default();
                let here = self
                    .declared
                    .iter()
                    .filter(|(target, _)| bucket(target, &at(target)) == name);
                let total: u32 = here.map(|(_, nodes)| nodes).sum();
                prop_assert!(budget.max_changes.is_none_or(|max| changes <= max), "{budget:?} {name}");
                prop_assert!(budget.max_nodes.is_none_or(|max| nodes <= max), "{budget:?} {name}");
                prop_assert!(
                    budget.max_percent.is_none_or(|max| nodes <= max.of_count(total)),
                    "{budget:?} {name}"
                );
            }
        }
        Ok(())
    }
}

/// Pull requests of ours in every state, for what is there.
#[derive(Debug, Clone)]
pub(super) struct LedgerSpec(Vec<PullRequestSpec>);

#[derive(Debug, Clone)]
struct PullRequestSpec {
    targets: Vec<usize>,
    from: i64,
    to: i64,
    /// 0 the group's own scope, 1 the management cluster's, 2 another one's.
    branch: u8,
    state: PullRequestState,
    deleted: bool,
    withdrawn: bool,
    recorded: bool,
    hours: u32,
}

pub(super) fn ledgers() -> impl Strategy<Value = LedgerSpec> {
    let state = prop::sample::select(vec![
        PullRequestState::Open,
        PullRequestState::Open,
        PullRequestState::Closed,
        PullRequestState::Merged,
    ]);
    let targets = prop::collection::vec(0..TARGETS.len(), 1..3);
    let flags = (prop::bool::weighted(0.1), any::<bool>(), prop::bool::weighted(0.9));
    let request = (targets, 0..14i64, 0..14i64, 0..3u8, state, flags, 0..900u32);
    let request = request.prop_map(
        |(targets, from, to, branch, state, (deleted, withdrawn, recorded), hours)| PullRequestSpec {
            targets,
            from,
            to,
            branch,
            state,
            deleted,
            withdrawn,
            recorded,
            hours,
        },
    );
    prop::collection::vec(request, 0..5).prop_map(LedgerSpec)
}

impl LedgerSpec {
    pub(super) fn apply(&self, world: &mut World) {
        let now = world.now;
        let mut open = BTreeSet::new();
        for (number, spec) in self.0.iter().enumerate() {
            let direction = if spec.from < spec.to { "up" } else { "down" };
            let Target::NodeGroup(key) = n(TARGETS[spec.targets[0]]) else {
                continue;
            };
            let branch = match spec.branch {
                0 => format!(
                    "fleetscale/{}/{}/{}/{direction}",
                    key.management_cluster, key.namespace, key.cluster
                ),
                1 => format!("fleetscale/{}/node-groups/{direction}", key.management_cluster),
                _ => "fleetscale/eu-1/shard-a/blue/up".to_owned(),
            };
            // A forge has one open pull request per branch.
            if spec.state == PullRequestState::Open && !open.insert(branch.clone()) {
                continue;
            }
            let targets: BTreeSet<&str> = spec.targets.iter().map(|target| TARGETS[*target]).collect();
            let changes: Vec<(&str, Scalar, Scalar)> = targets
                .into_iter()
                .map(|target| (target, Scalar::Integer(spec.from), Scalar::Integer(spec.to)))
                .collect();
            let request = world.pull_request(number as u64 + 1, &branch, &changes);
            request.state = spec.state;
            if spec.state != PullRequestState::Open {
                request.ended_at = Some(Duration::from_hours(spec.hours).before(now));
            }
            if spec.withdrawn && spec.state == PullRequestState::Closed {
                request.record.as_mut().unwrap().withdrawn = Some("the need is gone".to_owned());
            }
            if !spec.recorded {
                request.record = None;
            }
            if spec.deleted {
                world.snapshot.ledger.branches.remove(&n(&branch));
            }
        }
    }
}

/// Merges every proposal, and lets the clusters follow at once.
pub(super) fn apply(world: &mut World, plan: &Plan) -> Vec<(Target, Direction)> {
    let now = world.now;
    let mut changed = Vec::new();
    for change in plan.proposals.iter().flat_map(|proposal| &proposal.changes) {
        let ProposedAction::Set(set) = &change.action else {
            continue;
        };
        changed.push((change.target.clone(), set.direction().unwrap()));
        world.binding(&change.target.to_string()).value = Some(set.to.clone());
        let to = u32::try_from(set.to.integer().unwrap()).unwrap();
        match &change.target {
            Target::NodeGroup(_) => {
                let live = world.live(&change.target.to_string());
                (live.replicas, live.up_to_date, live.changed_at) = (to, to, Some(now));
                let before = std::mem::replace(&mut live.ready, to);
                for measurement in live.measurements.values_mut() {
                    // The load stays: what was spread over the nodes before is now spread over these.
                    let share = measurement.value.unwrap().get() * f64::from(before) / f64::from(to);
                    *measurement = measured(share, to);
                }
            }
            Target::Platform { .. } => {
                let live = world.kamaji();
                (live.replicas, live.ready, live.changed_at) = (to, to, Some(now));
            }
            Target::Controller { flag, .. } => {
                let live = world.capi();
                live.args.push(format!("--{flag}={to}"));
                live.changed_at = Some(now);
            }
            // No policy decides on the others.
            _ => {}
        }
    }
    changed
}

/// Lets time pass, with measurements as fresh as before.
pub(super) fn wait(world: &mut World, hours: u32) {
    let later = Duration::from_hours(hours);
    world.now = later.after(world.now);
    world.snapshot.captured_at = world.now;
    let fresh = |measurement: &mut Measurement| measurement.at = measurement.at.map(|at| later.after(at));
    for live in world.snapshot.live.management_clusters.values_mut() {
        let clusters = live.clusters.values_mut().flat_map(|clusters| clusters.values_mut());
        let groups = clusters.flat_map(|cluster| cluster.node_groups.values_mut());
        groups.flat_map(|group| group.measurements.values_mut()).for_each(fresh);
        live.platforms
            .values_mut()
            .for_each(|platform| fresh(&mut platform.tenants));
        live.controllers
            .values_mut()
            .flat_map(|c| c.measurements.values_mut())
            .for_each(fresh);
    }
}

/// Numbers from the edges of their types.
#[derive(Debug, Clone)]
pub(super) struct Extreme {
    counts: Vec<u32>,
    values: Vec<f64>,
    times: Vec<i8>,
    declared: i64,
    windows: bool,
}

pub(super) fn extremes() -> impl Strategy<Value = Extreme> {
    let counts = prop::sample::select(vec![0, 1, 2, 3, 10, 4_999, 5_000, 5_001, u32::MAX - 1, u32::MAX]);
    let values = prop::sample::select(vec![
        0.0,
        f64::MIN_POSITIVE,
        1e-9,
        0.3,
        0.5,
        0.97,
        1.0,
        1.1,
        1e300,
        f64::MAX,
    ]);
    let declared = prop::sample::select(vec![i64::MIN, -1, 0, 1, 10, i64::from(u32::MAX), i64::MAX]);
    (
        prop::collection::vec(counts, 12),
        prop::collection::vec(values, 12),
        prop::collection::vec(0..5i8, 6),
        declared,
        any::<bool>(),
    )
        .prop_map(|(counts, values, times, declared, windows)| Extreme {
            counts,
            values,
            times,
            declared,
            windows,
        })
}

impl Extreme {
    pub(super) fn world(&self) -> World {
        let Self {
            counts,
            values,
            times,
            declared,
            windows,
        } = self;
        let mut world = World::healthy();
        let time = |index: usize| match times[index] {
            0 => Some(Timestamp::MIN),
            1 => Some(Timestamp::MAX),
            2 => None,
            _ => Some(n(SAMPLED)),
        };
        let mut live = group(counts[0], 0.5);
        (live.ready, live.up_to_date, live.changed_at) = (counts[1], counts[2], time(0));
        for (index, measurement) in live.measurements.values_mut().enumerate() {
            measurement.value = Finite::try_from(values[index]).ok();
            measurement.coverage = Finite::try_from(values[index + 6].min(1.0)).ok();
            measurement.nodes = Some(NodesSeen {
                seen: counts[3],
                expected: counts[4],
            });
            measurement.at = time(1);
        }
        world.add_group(BLUE, live.clone());
        if *declared > 0 {
            world.binding(BLUE).value = Some(Scalar::Integer(*declared));
        }
        live.measurements
            .values_mut()
            .for_each(|m| *m = measured(values[0].min(1.1), counts[0]));
        (live.ready, live.up_to_date, live.changed_at) = (counts[0], counts[0], Some(n(LONG_AGO)));
        world.add_group(RED, live);
        world.kamaji().tenants = counted(values[3]);
        world.kamaji().replicas = counts[5];
        world.kamaji().ready = counts[6];
        world.kamaji().changed_at = time(2);
        world.binding(KAMAJI).value = Some(counts[5].into());
        world.capi().args.push(format!("--kube-api-qps={declared}"));
        world.binding(QPS).value = Some(Scalar::Integer(*declared));
        world.capi().replicas = counts[7];
        world.nodes_policy().bounds = Bounds::new(1, 5_000).unwrap();
        if *windows {
            let maintenance = window("0 2 29 2 *", "4h");
            world.nodes_policy().scale_down.as_mut().unwrap().windows = vec![maintenance];
        }
        world.pull_request(
            1,
            "fleetscale/us-1/shard-c/red/up",
            &[(RED, Scalar::Integer(i64::MIN), Scalar::Integer(i64::MAX))],
        );
        world.fleet.limits.budgets = vec![Budget {
            direction: None,
            max_changes: Some(counts[8]),
            max_nodes: Some(counts[9]),
            max_percent: Some(Percent::of(1000)),
            per: BudgetPer::Run,
            window: None,
        }];
        world.policies.sharding[0].management_cluster_capacity = counts[10];
        world.request("eu", "orange");
        world.now = match times[3] {
            0 => Timestamp::MIN,
            1 => Timestamp::MAX,
            _ => world.now,
        };
        world
    }
}
