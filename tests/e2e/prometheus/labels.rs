//! Labels: what the fleet file says about them is what series are found by.

use fleetscale::model::{Finite, Grade};

use super::fleet::*;
use crate::env::{Prometheus, Samples};

#[test]
fn a_group_label_a_cluster_template_and_matchers_find_the_series_that_they_name() {
    let mut samples = Samples::default();
    let node = |cluster, name, labels| Node {
        labels,
        ..Node::new(cluster, name)
    };
    for (node, cpu) in [
        (
            node("shard-a.blue", "10.0.0.1:9100", r#",pool="blue-md-0",job="node""#),
            0.3,
        ),
        (
            node("shard-a.blue", "10.0.0.2:9100", r#",pool="blue-md-0",job="node""#),
            0.5,
        ),
        // Another pool, another namespace, and another job's idea of the same node.
        (
            node("shard-a.blue", "10.0.0.3:9100", r#",pool="blue-md-1",job="node""#),
            0.9,
        ),
        (
            node("shard-b.blue", "10.0.0.4:9100", r#",pool="blue-md-0",job="node""#),
            0.7,
        ),
        (
            node("shard-a.blue", "10.0.0.1:9100", r#",pool="blue-md-0",job="other""#),
            0.9,
        ),
    ] {
        node.write(&mut samples, always(cpu), always(0.5));
    }
    let settings = r#", clusterValue: '{namespace}.{cluster}', nodeGroupLabel: pool, nodeGroupValue: '{cluster}-{nodeGroup}', matchers: 'job="node"'"#;
    let mut region = Region::new(settings);
    region.add("shard-a", "blue", &["machine-a", "machine-b"]);
    region.add("shard-b", "blue", &["machine-c", "machine-d"]);
    let prometheus = Prometheus::with(&samples);
    region.measure(&prometheus.server);
    let blue = region.of("blue", "cpu/1h");
    assert_eq!((blue.grade, blue.value.map(Finite::get)), (Grade::Fresh, Some(0.4)));
    let other = &region.live.clusters[&n("shard-b")][&n("blue")].node_groups[&n("md-0")];
    let other = &other.measurements[&n("cpu/1h")];
    assert_eq!((other.grade, other.value.map(Finite::get)), (Grade::Partial, Some(0.7)));
    assert_eq!(other.cause.as_deref(), Some("1 of 2 nodes report"));
}

#[test]
fn two_clusters_with_one_label_are_not_measured_at_all() {
    let mut samples = Samples::default();
    for name in ["a", "b", "c", "d"] {
        Node::new("blue", name).write(&mut samples, always(0.2), always(0.2));
    }
    let mut region = Region::new("");
    region.add("shard-a", "blue", &["a", "b"]);
    region.add("shard-b", "blue", &["c", "d"]);
    let prometheus = Prometheus::with(&samples);
    region.measure(&prometheus.server);
    let blue = region.of("blue", "cpu/1h");
    assert_eq!((blue.grade, blue.value), (Grade::Suspect, None));
    assert_eq!(
        blue.cause.as_deref(),
        Some(
            "clusterValue is \"blue\" for each of eu-1/shard-a/blue, eu-1/shard-b/blue; write for example `{namespace}-{cluster}`, and label the series so"
        )
    );
}

#[test]
fn an_error_of_the_query_is_told_in_prometheus_words() {
    let mut region = Region::new(", matchers: 'job=node'");
    region.add("shard-a", "blue", &["a", "b"]);
    let prometheus = Prometheus::with(&Samples::default());
    region.measure(&prometheus.server);
    let blue = region.of("blue", "cpu/1h");
    let cause = blue.cause.as_deref().unwrap();
    assert_eq!((blue.grade, blue.value), (Grade::Missing, None));
    assert!(
        cause.contains("answers 400: Prometheus refuses the query: bad_data: "),
        "{cause}"
    );
}
