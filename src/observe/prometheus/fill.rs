//! Walks over everything that is to be measured: what to ask for it, and where the answers go.
//!
//! Invariant: no two clusters share a number. Where the fleet file gives two of them the same label, neither is measured.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::model::{Gap, Grade, Inventory, LiveNodeGroup, Measurement, MetricKey, NodeGroupKey};
use crate::policy::{Candidate, PolicySet, PrometheusRef};

use super::ask::Answers;
use super::promql::Question;
use super::{ComponentPods, Subject, controllers, nodes, wanted};

/// Something that is measured.
pub(super) enum Measured<'a> {
    /// A node group.
    Group {
        /// Which.
        candidate: Candidate<'a>,
        /// The nodes of its Machines.
        nodes: &'a BTreeSet<String>,
        /// The nodes that should report.
        expected: u32,
    },
    /// A controller.
    Controller {
        /// Its namespace and its Deployment.
        pods: Option<&'a (String, String)>,
        /// The pods that it should have.
        replicas: u32,
    },
}

/// Measures everything of one management cluster that its policies look at.
pub(super) fn each(
    policies: &PolicySet,
    subject: &mut Subject<'_>,
    mut measure: impl FnMut(MetricKey, &Measured<'_>) -> Measurement,
) {
    let Subject {
        name,
        live,
        nodes,
        component_pods,
    } = subject;
    let region = live.region.clone();
    let none = BTreeSet::new();
    for (namespace, clusters) in &mut live.clusters {
        for (cluster, live) in clusters {
            for (group, live) in &mut live.node_groups {
                let key = NodeGroupKey {
                    management_cluster: (*name).clone(),
                    namespace: namespace.clone(),
                    cluster: cluster.clone(),
                    group: group.clone(),
                };
                let at = (namespace.clone(), cluster.clone(), group.clone());
                let nodes = nodes.get(&at).unwrap_or(&none);
                let expected = expected(live, nodes);
                let measured = Measured::Group {
                    candidate: Candidate::of_node_group(&region, &key),
                    nodes,
                    expected,
                };
                for key in wanted::of_node_group(policies, &region, &key) {
                    live.measurements.insert(key, measure(key, &measured));
                }
            }
        }
    }
    for (component, live) in &mut live.controllers {
        let measured = Measured::Controller {
            pods: component_pods.get(component),
            replicas: live.replicas,
        };
        for key in wanted::of_controller(policies, &region, name, component) {
            live.measurements.insert(key, measure(key, &measured));
        }
    }
}

/// The nodes of a group that should report.
///
/// One that is not Ready may well report. Both counts are too small at times, and the larger one makes more of what is not seen.
pub(super) fn expected(live: &LiveNodeGroup, nodes: &BTreeSet<String>) -> u32 {
    live.ready.max(u32::try_from(nodes.len()).unwrap_or(u32::MAX))
}

/// Everything that has to be asked.
pub(super) fn questions(policies: &PolicySet, subjects: &mut [Subject<'_>]) -> BTreeSet<Question> {
    let mut keys = BTreeSet::new();
    for subject in subjects {
        let region = &subject.live.region;
        for (namespace, clusters) in &subject.live.clusters {
            for (cluster, live) in clusters {
                for group in live.node_groups.keys() {
                    let key = NodeGroupKey {
                        management_cluster: subject.name.clone(),
                        namespace: namespace.clone(),
                        cluster: cluster.clone(),
                        group: group.clone(),
                    };
                    keys.extend(wanted::of_node_group(policies, region, &key));
                }
            }
        }
        for component in subject.live.controllers.keys() {
            keys.extend(wanted::of_controller(policies, region, subject.name, component));
        }
    }
    keys.into_iter()
        .flat_map(|key| {
            [
                Question::Newest(key.signal),
                Question::Copies(key.signal),
                Question::Value(key),
                Question::Samples(key),
            ]
        })
        .collect()
}

/// Says that nothing could be measured, and why, of each management cluster of which something should have been.
pub(super) fn gap(policies: &PolicySet, subjects: &mut [Subject<'_>], cause: &str) {
    for subject in subjects {
        if !questions(policies, std::slice::from_mut(subject)).is_empty() {
            subject.live.gaps.push(Gap {
                what: Inventory::Metrics,
                cause: cause.to_owned(),
            });
        }
    }
}

/// Puts the answers where they belong.
pub(super) fn fill(
    source: &PrometheusRef,
    policies: &PolicySet,
    subjects: &mut [Subject<'_>],
    answers: &Answers,
    now: Timestamp,
) {
    let (shared_by_clusters, shared_by_managers) = (clusters(source, subjects), managers(source, subjects));
    for subject in subjects {
        let own = own_value(source, subject);
        each(policies, subject, |key, measured| match measured {
            Measured::Group {
                candidate,
                nodes,
                expected,
            } => {
                let cluster = source.cluster_value.fill(candidate, None);
                if let Some(owners) = shared_by_clusters.get(&cluster).filter(|owners| owners.len() > 1) {
                    return shared(&cluster, owners, "clusterValue", "`{namespace}-{cluster}`");
                }
                let label = source.node_group.as_ref().map(|(_, value)| value.fill(candidate, None));
                let group = nodes::Group {
                    cluster: &cluster,
                    label: label.as_deref(),
                    nodes,
                    expected: *expected,
                };
                nodes::measure(key, &group, source, answers, now)
            }
            Measured::Controller { pods, replicas } => {
                if let Some(owners) = shared_by_managers.get(&own).filter(|owners| owners.len() > 1) {
                    return shared(&own, owners, "managementClusterValue", "`{managementCluster}`");
                }
                let Some((namespace, deployment)) = pods else {
                    return Measurement::missing("its Deployment is not known");
                };
                let controller = controllers::Controller {
                    cluster: &own,
                    namespace,
                    deployment,
                    replicas: *replicas,
                };
                controllers::measure(key, &controller, source, answers, now)
            }
        });
    }
}

/// The cluster label's value of a management cluster itself.
fn own_value(source: &PrometheusRef, subject: &Subject<'_>) -> String {
    let candidate = Candidate::of_management_cluster(&subject.live.region, subject.name);
    source.management_cluster_value.fill(&candidate, None)
}

/// The cluster label's values of all management clusters.
pub(super) fn management_clusters(source: &PrometheusRef, subjects: &[Subject<'_>]) -> Vec<String> {
    let values: BTreeSet<String> = subjects.iter().map(|subject| own_value(source, subject)).collect();
    values.into_iter().collect()
}

/// The Deployments of all controllers.
pub(super) fn deployments(subjects: &[Subject<'_>]) -> Vec<String> {
    let pods = subjects.iter().map(|subject| subject.component_pods);
    let names: BTreeSet<&String> = pods.flat_map(ComponentPods::values).map(|(_, name)| name).collect();
    names.into_iter().cloned().collect()
}

/// Who has a label value: one, or there is something wrong.
pub(super) type Owners = BTreeMap<String, BTreeSet<String>>;

fn managers(source: &PrometheusRef, subjects: &[Subject<'_>]) -> Owners {
    let mut owners = Owners::new();
    for subject in subjects {
        let names = owners.entry(own_value(source, subject)).or_default();
        names.insert(subject.name.to_string());
    }
    owners
}

pub(super) fn clusters(source: &PrometheusRef, subjects: &[Subject<'_>]) -> Owners {
    let mut owners = Owners::new();
    for subject in subjects {
        for (namespace, clusters) in &subject.live.clusters {
            for cluster in clusters.keys() {
                let candidate = Candidate {
                    region: &subject.live.region,
                    management_cluster: subject.name,
                    namespace: Some(namespace),
                    cluster: Some(cluster),
                    node_group: None,
                };
                let names = owners.entry(source.cluster_value.fill(&candidate, None)).or_default();
                names.insert(format!("{}/{namespace}/{cluster}", subject.name));
            }
        }
    }
    owners
}

/// A measurement of something that has its label in common with something else.
fn shared(value: &str, owners: &BTreeSet<String>, setting: &str, way_out: &str) -> Measurement {
    Measurement {
        grade: Grade::Suspect,
        ..Measurement::missing(why_shared(value, owners, setting, way_out))
    }
}

/// Why a label that several things have in common is of no use.
pub(super) fn why_shared(value: &str, owners: &BTreeSet<String>, setting: &str, way_out: &str) -> String {
    let owners: Vec<String> = owners.iter().cloned().collect();
    format!(
        "{setting} is {value:?} for each of {}; write for example {way_out}, and label the series so",
        nodes::list(&owners)
    )
}
