//! Node groups: the values, the thresholds, and what is wrong with samples.

use fleetscale::decide::decide;
use fleetscale::model::*;
use fleetscale::policy::Percent;

use super::fleet::*;
use crate::env::{Prometheus, Samples};

fn close(measurement: &Measurement, expected: f64) {
    let value = measurement.value.unwrap().get();
    assert!(
        (value - expected).abs() <= TOLERANCE,
        "{value} is not {expected}: {measurement:?}"
    );
}

fn seen(measurement: &Measurement) -> (Grade, Option<(u32, u32)>, Option<f64>) {
    (
        measurement.grade,
        measurement.nodes.map(|nodes| (nodes.seen, nodes.expected)),
        measurement.coverage.map(Finite::get),
    )
}

/// Every target as Git would declare it, so that a decision depends on the measurements alone.
fn declared(live: &Live) -> Declared {
    let mut bindings = std::collections::BTreeMap::new();
    for (namespace, clusters) in &live.management_clusters[&n::<ManagementClusterName>("eu-1")].clusters {
        for (cluster, found) in clusters {
            for (group, found) in &found.node_groups {
                let place = Place {
                    path: n(&format!("clusters/eu/{cluster}.yaml")),
                    document: 0,
                    object: ObjectKey {
                        group: "cluster.x-k8s.io".into(),
                        kind: "MachineDeployment".into(),
                        namespace: namespace.as_str().into(),
                        name: group.as_str().into(),
                    },
                    pointer: "/spec/replicas".try_into().unwrap(),
                    embedded: None,
                    line: 8,
                    form: Form::Scalar,
                };
                let binding = Binding {
                    value: Some(found.replicas.into()),
                    site: Site::Writable(place),
                    autoscaler: None,
                    unscaled: None,
                    paused: false,
                    hold: None,
                };
                let target = format!("node-group/eu-1/{namespace}/{cluster}/{group}/replicas");
                bindings.insert(n(&target), binding);
            }
        }
    }
    Declared {
        base: n(&"a".repeat(40)),
        bindings,
        requests: Default::default(),
        shards: Default::default(),
        unbound: Vec::new(),
    }
}

/// The decisions on node groups: the cluster, and where its group goes; nothing for a hold.
fn verdicts(region: &Region) -> Vec<(String, Option<(Direction, Priority)>)> {
    let mut live = Live::default();
    live.management_clusters.insert(n("eu-1"), region.live.clone());
    let declared = declared(&live);
    let snapshot = Snapshot::new(n(NOW), live, Ledger::default());
    let decisions = decide(&region.fleet, &region.policies, &snapshot, &declared, n(NOW));
    decisions
        .into_iter()
        .filter_map(|decision| match decision.target {
            Target::NodeGroup(key) => Some((key.cluster.to_string(), decision.verdict)),
            _ => None,
        })
        .map(|(cluster, verdict)| match verdict {
            Verdict::Set(change) => (
                cluster,
                change.direction().map(|direction| (direction, change.priority)),
            ),
            _ => (cluster, None),
        })
        .collect()
}

#[test]
fn a_use_at_a_threshold_stays_and_one_above_it_goes_up() {
    let (mut samples, mut region) = (Samples::default(), Region::new(""));
    let policy = &region.policies.node_groups[0];
    let [(p1, urgent), (p2, sustained)] = policy.scale_up.triggers();
    let (quiet, grain) = (0.6, 0.000_001);
    let mut expected = Vec::new();
    for (name, threshold, priority) in [
        ("p1-cpu", urgent.cpu, p1),
        ("p1-memory", urgent.memory, p1),
        ("p2-cpu", sustained.cpu, p2),
        ("p2-memory", sustained.memory, p2),
    ] {
        for (suffix, by) in [("below", -grain), ("at", 0.0), ("above", grain)] {
            let cluster = format!("{name}-{suffix}");
            let share = threshold.share().get() + by;
            // Two nodes on both sides of it: only their mean is there.
            for (node, off) in [("a", 0.03), ("b", -0.03)] {
                let used = |is_hour: bool, about: &str| {
                    let high = if name.ends_with(about) { share + off } else { quiet };
                    last_hour(high, if is_hour { quiet } else { high })
                };
                let hour = priority == Priority::P1;
                Node::new(&cluster, node).write(&mut samples, used(hour, "cpu"), used(hour, "memory"));
            }
            expected.push((cluster, (by > 0.0).then_some((Direction::Up, priority))));
        }
    }
    for node in ["a", "b"] {
        Node::new("calm", node).write(&mut samples, always(0.2), always(0.25));
    }
    expected.push(("calm".to_owned(), Some((Direction::Down, Priority::Routine))));
    expected.sort();
    for (cluster, _) in &expected {
        region.add("shard-a", cluster, &["a", "b"]);
    }
    let prometheus = Prometheus::with(&samples);
    region.measure(&prometheus.server);
    for (key, cluster, share) in [
        ("cpu/1h", "p1-cpu-at", urgent.cpu),
        ("memory/1h", "p1-memory-at", urgent.memory),
        ("cpu/24h", "p2-cpu-at", sustained.cpu),
        ("memory/24h", "p2-memory-at", sustained.memory),
    ] {
        let measured = region.of(cluster, key);
        assert_eq!(measured.value, Some(Percent::share(share)), "{key} of {cluster}");
        assert_eq!(seen(measured), (Grade::Fresh, Some((2, 2)), Some(1.0)));
    }
    // The load of the calm group's two nodes fits on one.
    assert_eq!(verdicts(&region), expected);
}

#[test]
fn a_use_that_changes_is_the_mean_that_we_compute_from_the_same_samples() {
    let (mut samples, mut region) = (Samples::default(), Region::new(""));
    let wave = |seconds: i64, slow: i64| {
        let steps = [0.31, 0.47, 0.83, 0.12, 0.64, 0.55, 0.98];
        let at = usize::try_from(seconds / slow).unwrap() % steps.len();
        steps[at]
    };
    Node::new("blue", "a").write(&mut samples, |s| wave(s, 60), |s| wave(s, 600));
    Node::new("blue", "b").write(&mut samples, |s| wave(s, 420), |s| wave(s, 60));
    region.add("shard-a", "blue", &["a", "b"]);
    let prometheus = Prometheus::with(&samples);
    region.measure(&prometheus.server);
    for (key, window) in [("1h", 3_600), ("24h", 86_400)] {
        let scraped = || (15..window).step_by(60);
        let mean = |values: Vec<f64>| values.iter().sum::<f64>() / f64::from(u32::try_from(values.len()).unwrap());
        // A counter says nothing about the time before its first sample in the window.
        let first = scraped().max().unwrap();
        let increments = |slow| mean(scraped().filter(|s| *s != first).map(|s| wave(s, slow)).collect());
        let gauges = |slow| mean(scraped().map(|s| wave(s, slow)).collect());
        close(
            region.of("blue", &format!("cpu/{key}")),
            (increments(60) + increments(420)) / 2.0,
        );
        close(
            region.of("blue", &format!("memory/{key}")),
            (gauges(600) + gauges(60)) / 2.0,
        );
    }
    assert_eq!(
        region.of("blue", "cpu/1h").at,
        Some(ago(15)),
        "the age is that of the newest sample"
    );
}

#[test]
fn what_is_wrong_with_samples_is_graded_and_never_a_wrong_number() {
    let (mut samples, mut region) = (Samples::default(), Region::new(""));
    let mut add = |node: Node<'_>, cpu: f64, nan: i64| {
        node.write(
            &mut samples,
            always(cpu),
            |seconds| if seconds < nan { f64::NAN } else { 0.3 },
        );
    };
    let late = 25 * 3_600 + 15;
    for (cluster, node, samples) in [
        // The exporter of one node, and of all nodes, stopped 20 minutes ago.
        ("one-stopped", "a", (late, 15, 60)),
        ("one-stopped", "b", (late, 1_215, 60)),
        ("stopped", "a", (late, 1_215, 60)),
        ("stopped", "b", (late, 1_215, 60)),
        // One node joined half an hour ago.
        ("young", "a", (late, 15, 60)),
        ("young", "b", (1_755, 15, 60)),
        // Every other scrape failed.
        ("gaps", "a", (late, 15, 120)),
        ("gaps", "b", (late, 15, 120)),
        // Scraped twice as often as the fleet file says.
        ("often", "a", (late, 15, 30)),
        ("often", "b", (late, 15, 30)),
    ] {
        let node = Node {
            samples,
            ..Node::new(cluster, node)
        };
        add(node, 0.3, 0);
    }
    add(Node::new("nan", "a"), 0.3, 600);
    add(Node::new("nan", "b"), 0.3, 0);
    // Two exporters on one node.
    add(
        Node {
            labels: r#",instance="10.0.0.1:9100""#,
            ..Node::new("twice", "a")
        },
        0.3,
        0,
    );
    add(
        Node {
            labels: r#",instance="10.0.0.1:9200""#,
            ..Node::new("twice", "a")
        },
        0.3,
        0,
    );
    add(Node::new("twice", "b"), 0.3, 0);
    // Another fleet's nodes under our cluster's label.
    add(Node::new("stranger", "a"), 0.3, 0);
    add(Node::new("stranger", "b"), 0.3, 0);
    add(Node::new("stranger", "their-a"), 0.9, 0);
    // The exporter's pod was replaced 20 minutes ago: another label, another series.
    let old = (late, 1_215, 60);
    add(
        Node {
            labels: r#",pod="x""#,
            samples: old,
            ..Node::new("replaced", "a")
        },
        0.3,
        0,
    );
    add(
        Node {
            labels: r#",pod="y""#,
            samples: (1_155, 15, 60),
            ..Node::new("replaced", "a")
        },
        0.3,
        0,
    );
    add(Node::new("replaced", "b"), 0.3, 0);
    // Of the last one there is nothing at all.
    for cluster in [
        "one-stopped",
        "stopped",
        "young",
        "gaps",
        "often",
        "nan",
        "twice",
        "stranger",
        "replaced",
        "unknown",
    ] {
        region.add("shard-a", cluster, &["a", "b"]);
    }
    let prometheus = Prometheus::with(&samples);
    region.measure(&prometheus.server);

    let cause = |cluster: &str, key: &str| region.of(cluster, key).cause.clone().unwrap();
    let one = region.of("one-stopped", "cpu/1h");
    assert_eq!(seen(one), (Grade::Partial, Some((1, 2)), Some(1.0)));
    close(one, 0.3);
    assert_eq!(
        cause("one-stopped", "cpu/1h"),
        "1 of 2 nodes report; no sample of b for 5m"
    );
    assert_eq!(seen(region.of("stopped", "cpu/1h")), (Grade::Stale, Some((0, 2)), None));
    assert_eq!(
        cause("stopped", "memory/24h"),
        "none of its nodes has had a sample for 5m: a, b"
    );

    // What is there is not taken for busy because of what is not there.
    let young = region.of("young", "cpu/1h");
    assert_eq!(seen(young), (Grade::Fresh, Some((2, 2)), Some(0.75)));
    close(young, 0.3);
    let gaps = region.of("gaps", "cpu/1h");
    assert_eq!(seen(gaps), (Grade::Fresh, Some((2, 2)), Some(0.5)));
    close(gaps, 0.3);

    assert_eq!(seen(region.of("often", "cpu/1h")).0, Grade::Invalid);
    assert!(cause("often", "cpu/1h").starts_with("more samples than `scrapeInterval: 1m` allows, of a, b; set it"));
    assert_eq!(seen(region.of("nan", "memory/1h")).0, Grade::Partial);
    assert_eq!(cause("nan", "memory/1h"), "1 of 2 nodes report; NaN for a");
    assert_eq!(seen(region.of("nan", "cpu/1h")).0, Grade::Fresh);
    assert_eq!(seen(region.of("twice", "cpu/1h")).0, Grade::Suspect);
    assert!(cause("twice", "memory/1h").ends_with("for a; choose one exporter with `matchers`"));

    close(region.of("stranger", "cpu/24h"), 0.3);
    assert_eq!(
        seen(region.of("stranger", "cpu/24h")),
        (Grade::Fresh, Some((2, 2)), Some(1.0))
    );
    for key in ["cpu/1h", "memory/1h", "cpu/24h", "memory/24h"] {
        let replaced = region.of("replaced", key);
        close(replaced, 0.3);
        assert_eq!(seen(replaced), (Grade::Fresh, Some((2, 2)), Some(1.0)), "{key}");
    }
    assert_eq!(
        seen(region.of("unknown", "cpu/1h")),
        (Grade::Missing, Some((0, 2)), None)
    );
    assert!(cause("unknown", "cpu/1h").contains(r#"has cluster="unknown"; there is gaps, nan, often and 6 more"#));
    let goes: Vec<_> = verdicts(&region).into_iter().filter(|(_, to)| to.is_some()).collect();
    // The ones without a fault, and nothing else, may shrink.
    let expected = ["replaced", "stranger"].map(|name| (name.to_owned(), Some((Direction::Down, Priority::Routine))));
    assert_eq!(goes, expected);
}
