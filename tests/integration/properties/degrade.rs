//! Everything that can happen to an input on its way: late, missing, broken, partial.

use fleetscale::model::*;
use proptest::prelude::*;
use proptest::sample::Index;

use crate::support::parts::*;
use crate::support::world::World;

/// One thing that goes wrong. What it hits is picked from what the world has.
#[derive(Debug, Clone)]
pub(super) struct Degradation {
    what: What,
    at: Index,
    key: Index,
}

#[derive(Debug, Clone)]
enum What {
    /// A measurement of a node group.
    Metric(How),
    /// Every measurement of a management cluster's node groups: its monitoring is gone.
    AllMetrics(How),
    /// The count of tenants.
    Tenants(How),
    /// A measurement of the controller.
    Controller(How),
    /// A listing fails.
    Gap(Inventory),
    /// A listing fails half-way: it has a gap, and something is missing.
    Half(Inventory),
    /// A management cluster does not answer.
    Lost,
    /// It is not known since when a group has its size.
    Age,
    /// The same for Kamaji.
    KamajiAge,
    /// The controller's version.
    Version,
}

#[derive(Debug, Clone)]
enum How {
    /// It is not there.
    Gone,
    /// The observer has graded it.
    Graded(Grade),
    /// A value that makes no sense, through the same door as every file.
    Raw(&'static str),
    /// Its newest sample is this many minutes old.
    Old(u32),
    /// Its newest sample is from the future.
    Ahead,
    /// Nobody knows how old it is.
    Undated,
    /// Percent of the samples that are there.
    Coverage(u32),
    /// Nobody knows how many samples are there.
    Uncovered,
    /// So many nodes do not report.
    Silent(u32),
    /// Whoever measured knew only of so many nodes, and all of those report.
    Few(u32),
    /// More report than there are.
    Many,
    /// Nobody knows which nodes report.
    Nodeless,
    /// The query matches nothing and says zero.
    Zero,
    /// Fewer are counted than there are, and the count says that it is partial.
    Undercounted,
}

fn how() -> impl Strategy<Value = How> {
    prop_oneof![
        Just(How::Gone),
        prop::sample::select(vec![
            Grade::Stale,
            Grade::Missing,
            Grade::Partial,
            Grade::Invalid,
            Grade::Suspect
        ])
        .prop_map(How::Graded),
        prop::sample::select(vec!["NaN", "+Inf", "-Inf", "-1", "-0.3", "ten", "42", "1e300", "1e999"])
            .prop_map(How::Raw),
        (11..100_000u32).prop_map(How::Old),
        Just(How::Ahead),
        Just(How::Undated),
        (0..95u32).prop_map(How::Coverage),
        Just(How::Uncovered),
        (1..30u32).prop_map(How::Silent),
        (0..30u32).prop_map(How::Few),
        Just(How::Many),
        Just(How::Nodeless),
        Just(How::Zero),
        Just(How::Undercounted),
    ]
}

fn inventory() -> impl Strategy<Value = Inventory> {
    prop::sample::select(vec![
        Inventory::Clusters,
        Inventory::Platforms,
        Inventory::Controllers,
        Inventory::Metrics,
    ])
}

/// Any number of them, often none but one.
pub(super) fn degradations() -> impl Strategy<Value = Vec<Degradation>> {
    let what = prop_oneof![
        8 => how().prop_map(What::Metric),
        1 => how().prop_map(What::AllMetrics),
        2 => how().prop_map(What::Tenants),
        1 => how().prop_map(What::Controller),
        1 => inventory().prop_map(What::Gap),
        1 => inventory().prop_map(What::Half),
        1 => Just(What::Lost),
        1 => Just(What::Age),
        1 => Just(What::KamajiAge),
        1 => Just(What::Version),
    ];
    let one = (what, any::<Index>(), any::<Index>()).prop_map(|(what, at, key)| Degradation { what, at, key });
    prop::collection::vec(one, 1..7)
}

impl How {
    fn apply(&self, measurement: &mut Measurement) {
        match self {
            Self::Gone => *measurement = Measurement::missing("no data"),
            Self::Graded(grade) => measurement.grade = *grade,
            Self::Raw(text) => {
                let mut json = serde_json::to_value(&*measurement).unwrap();
                json["value"] = serde_json::Value::from(*text);
                *measurement = serde_json::from_value(json).unwrap();
            }
            Self::Old(minutes) => measurement.at = Some(Duration::from_minutes(*minutes).before(n(NOW))),
            Self::Ahead => measurement.at = Some(n("2026-10-06T09:01:00Z")),
            Self::Undated => measurement.at = None,
            Self::Coverage(percent) => measurement.coverage = Some(finite(f64::from(*percent) / 100.0)),
            Self::Uncovered => measurement.coverage = None,
            Self::Silent(nodes) => {
                if let Some(seen) = &mut measurement.nodes {
                    seen.seen = seen.seen.saturating_sub(*nodes);
                }
            }
            Self::Few(nodes) => {
                if let Some(seen) = &mut measurement.nodes {
                    let few = seen.seen.min(*nodes);
                    *seen = NodesSeen {
                        seen: few,
                        expected: few,
                    };
                }
            }
            Self::Many => {
                if let Some(seen) = &mut measurement.nodes {
                    seen.seen += 1;
                }
            }
            Self::Nodeless => measurement.nodes = None,
            Self::Zero => measurement.value = measurement.value.map(|_| Finite::ZERO),
            Self::Undercounted => {
                measurement.grade = Grade::Partial;
                measurement.value = measurement.value.map(|value| finite((value.get() / 3.0).floor()));
            }
        }
    }
}

/// A picked one of some, if there are any.
fn pick<T>(mut all: Vec<T>, index: &Index) -> Option<T> {
    (!all.is_empty()).then(|| {
        let at = index.index(all.len());
        all.swap_remove(at)
    })
}

impl Degradation {
    pub(super) fn apply(&self, world: &mut World) {
        let Self { what, at, key } = self;
        let live = &mut world.snapshot.live.management_clusters;
        let names: Vec<ManagementClusterName> = live.keys().cloned().collect();
        if let What::Lost = what {
            pick(names, at).map(|name| live.remove(&name));
            return;
        }
        let Some((_, cluster)) = pick(live.iter_mut().collect(), at) else {
            return;
        };
        match what {
            What::Metric(how) => {
                let group = pick(groups_of(cluster), key);
                let metric = group.and_then(|group| pick(group.measurements.values_mut().collect(), at));
                metric.into_iter().for_each(|metric| how.apply(metric));
            }
            What::AllMetrics(how) => {
                let metrics = groups_of(cluster)
                    .into_iter()
                    .flat_map(|group| group.measurements.values_mut());
                metrics.for_each(|metric| how.apply(metric));
            }
            // So many tenants are as plausible as any other number.
            What::Tenants(How::Raw("42")) => {}
            What::Tenants(how) => {
                let platforms = cluster.platforms.values_mut();
                platforms.for_each(|platform| how.apply(&mut platform.tenants));
            }
            What::Controller(how) => {
                let metrics = cluster
                    .controllers
                    .values_mut()
                    .flat_map(|c| c.measurements.values_mut());
                pick(metrics.collect(), key)
                    .into_iter()
                    .for_each(|metric| how.apply(metric));
            }
            What::Gap(what) => cluster.gaps.push(gap(*what)),
            What::Half(what) => {
                cluster.gaps.push(gap(*what));
                match what {
                    Inventory::Platforms => cluster.platforms.clear(),
                    Inventory::Controllers => cluster.controllers.clear(),
                    Inventory::Clusters => {
                        let namespaces = cluster.clusters.values_mut();
                        if let Some(clusters) = pick(namespaces.collect(), key) {
                            clusters.pop_first();
                        }
                    }
                    Inventory::Metrics => {
                        for group in groups_of(cluster) {
                            group.measurements.clear();
                        }
                    }
                }
            }
            What::Age => pick(groups_of(cluster), key)
                .into_iter()
                .for_each(|group| group.changed_at = None),
            What::KamajiAge => cluster
                .platforms
                .values_mut()
                .for_each(|platform| platform.changed_at = None),
            What::Version => cluster
                .controllers
                .values_mut()
                .for_each(|controller| controller.version = None),
            What::Lost => {}
        }
    }
}

fn gap(what: Inventory) -> Gap {
    Gap {
        what,
        cause: "the second page timed out".to_owned(),
    }
}

fn groups_of(cluster: &mut LiveManagementCluster) -> Vec<&mut LiveNodeGroup> {
    let clusters = cluster.clusters.values_mut().flat_map(|clusters| clusters.values_mut());
    clusters.flat_map(|cluster| cluster.node_groups.values_mut()).collect()
}
