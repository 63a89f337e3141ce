//! Why there is nothing under a label, in words that lead to the setting that is wrong.

use std::collections::BTreeSet;

use crate::model::MetricKey;
use crate::policy::{PrometheusRef, did_you_mean};

use super::answer::{Vector, printable};
use super::nodes::{Group, list};
use super::promql::metric;

/// Why no node of a group has a value.
pub(super) fn why_nothing(key: MetricKey, group: &Group<'_>, source: &PrometheusRef, vectors: [&Vector; 2]) -> String {
    let (metric, window) = (metric(key.signal), key.window);
    let PrometheusRef {
        cluster_label,
        node_label,
        ..
    } = source;
    let keys = || vectors.into_iter().flat_map(|vector| vector.readings.keys());
    if keys().next().is_none() {
        let matchers = if source.matchers.is_some() {
            ", and do `matchers` fit"
        } else {
            ""
        };
        return format!("no series of {metric} at all: is node_exporter scraped{matchers}?");
    }
    let clusters: BTreeSet<&str> = keys().filter_map(|at| at.first()).map(String::as_str).collect();
    let Group {
        cluster, label, nodes, ..
    } = group;
    if !clusters.contains(cluster) {
        return format!(
            "no series of {metric} has {cluster_label}={cluster:?}; {}",
            instead(cluster, cluster_label, &clusters)
        );
    }
    if let Some(label) = label {
        let groups = keys().filter(|at| at.first().is_some_and(|first| first == cluster));
        let groups: BTreeSet<&str> = groups.filter_map(|at| at.get(1)).map(String::as_str).collect();
        let name = source.node_group.as_ref().map_or("", |(name, _)| name.as_str());
        if !groups.contains(label) {
            return format!(
                "no series of {metric} with {cluster_label}={cluster:?} has {name}={label:?}; {}",
                instead(label, name, &groups)
            );
        }
        return format!("no two samples of {metric} within {window}");
    }
    let there: BTreeSet<&str> = keys()
        .filter(|at| at.first().is_some_and(|first| first == cluster))
        .filter_map(|at| at.last())
        .map(String::as_str)
        .collect();
    if nodes.iter().any(|node| there.contains(node.as_str())) {
        return format!("no two samples of {metric} within {window}");
    }
    let wanted: Vec<String> = nodes.iter().cloned().collect();
    format!(
        "no series of {metric} with {cluster_label}={cluster:?} is about its nodes ({}); {}: is `nodeLabel: {node_label}` right?",
        list(&wanted),
        instead("", node_label, &there)
    )
}

/// What there is in the place of a value that there is not.
fn instead(wanted: &str, label: &str, there: &BTreeSet<&str>) -> String {
    let named: Vec<String> = there
        .iter()
        .filter(|value| !value.is_empty())
        .map(|value| printable(value))
        .collect();
    if named.is_empty() {
        return format!("none of its series has a label `{label}`");
    }
    did_you_mean(wanted, named.iter().map(String::as_str)).unwrap_or_else(|| format!("there is {}", list(&named)))
}
