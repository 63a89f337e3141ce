//! Whether a Prometheus can be reached and knows the clusters and nodes that the API servers know, told before any decision needs it.
//!
//! It asks the light question of every measurement, the newest samples of CPU time, finds the nodes in the answer as a measurement would, and
//! gives the same reasons for what it does not find.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;
use serde::Deserialize;

use crate::model::{ManagementClusterName, MetricKey, Signal};
use crate::net::{Client, Deadline, Limits, Request, Server};
use crate::policy::{Candidate, PrometheusRef};

use super::answer::Vector;
use super::nodes::{Group, SEEN_WITHIN};
use super::promql::{Question, Scope};
use super::{CONNECT, Subject, ask, fill, hint};

/// The most of a server's word about itself that is read.
const LARGEST_VERSION: usize = 64 << 10;

/// What a server says of itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PrometheusVersion {
    /// Its version, where it tells: what only speaks Prometheus' language may not. Hostile until escaped.
    pub version: Option<String>,
    /// What time it is by its clock, to the second.
    pub clock: Option<Timestamp>,
}

/// What of a management cluster a Prometheus has.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Matches {
    /// The clusters with nodes that have series.
    pub clusters: u32,
    /// The clusters with nodes.
    pub of_clusters: u32,
    /// The nodes with series.
    pub nodes: u32,
    /// The nodes that should have some.
    pub of_nodes: u32,
    /// Why something was not found, for each different reason with what lacks it: sorted, at most [`MOST_REASONS`].
    pub reasons: Vec<String>,
}

/// The most reasons that are told.
pub const MOST_REASONS: usize = 5;

/// Asks a server for its version. One that can't tell is no failure as long as it answers.
pub async fn version(server: &Server, call: Duration, deadline: Deadline) -> Result<PrometheusVersion, String> {
    #[derive(Deserialize)]
    struct Body {
        data: Data,
    }
    #[derive(Deserialize)]
    struct Data {
        version: String,
    }
    let client = client(server, call, LARGEST_VERSION)?;
    let answer = client.send(Request::get("/api/v1/status/buildinfo"), deadline).await;
    let answer = answer.map_err(|error| ask::words(&error.into()))?;
    let body: Option<Body> = serde_json::from_slice(&answer.body).ok();
    Ok(PrometheusVersion {
        // A binary that was built by hand has an empty one.
        version: body
            .map(|Body { data }| data.version.chars().take(100).collect())
            .filter(|version: &String| !version.is_empty()),
        clock: answer.date(),
    })
}

/// Looks for the nodes of some management clusters; what it finds, by their names.
pub async fn matches(
    source: &PrometheusRef,
    server: &Server,
    subjects: &[Subject<'_>],
    call: Duration,
    deadline: Deadline,
    now: Timestamp,
) -> Result<BTreeMap<ManagementClusterName, Matches>, String> {
    let client = client(server, call, ask::LARGEST_ANSWER)?;
    let scope = Scope {
        source,
        management_clusters: fill::management_clusters(source, subjects),
        deployments: fill::deployments(subjects),
    };
    let question = Question::Newest(Signal::Cpu);
    let (mut answers, _) = ask::ask_all(&client, &scope, &BTreeSet::from([question]), call, deadline, now).await;
    let newest = answers
        .remove(&question)
        .unwrap_or_else(|| Err("it was not asked for".to_owned()))?;
    let shared = fill::clusters(source, subjects);
    let found = subjects
        .iter()
        .map(|subject| (subject.name.clone(), of_subject(source, subject, &newest, &shared)));
    Ok(found.collect())
}

fn client(server: &Server, call: Duration, body: usize) -> Result<Client, String> {
    let limits = Limits {
        connect: CONNECT,
        call,
        body,
    };
    Client::new(server, limits).map_err(|error| ask::words(&error.into()))
}

fn of_subject(source: &PrometheusRef, subject: &Subject<'_>, newest: &Vector, shared: &fill::Owners) -> Matches {
    let mut found = Matches::default();
    // By reason, what lacks it: a wrong setting has one reason and hundreds of groups.
    let mut reasons: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let none = BTreeSet::new();
    for (namespace, clusters) in &subject.live.clusters {
        for (cluster, live) in clusters {
            let (mut any, mut expected_here) = (false, 0);
            for (name, group) in &live.node_groups {
                let candidate = Candidate {
                    region: &subject.live.region,
                    management_cluster: subject.name,
                    namespace: Some(namespace),
                    cluster: Some(cluster),
                    node_group: Some(name),
                };
                let at = (namespace.clone(), cluster.clone(), name.clone());
                let nodes = subject.nodes.get(&at).unwrap_or(&none);
                let value = source.cluster_value.fill(&candidate, None);
                let label = source
                    .node_group
                    .as_ref()
                    .map(|(_, label)| label.fill(&candidate, None));
                let expected = fill::expected(group, nodes);
                let wanted = Group {
                    cluster: &value,
                    label: label.as_deref(),
                    nodes,
                    expected,
                };
                expected_here += expected;
                let seen = wanted.reporting(newest).min(expected);
                any |= seen > 0;
                found.nodes += seen;
                let reason = match shared.get(&value).filter(|owners| owners.len() > 1) {
                    Some(owners) => fill::why_shared(&value, owners, "clusterValue", "`{namespace}-{cluster}`"),
                    None if seen == expected => continue,
                    None if seen > 0 => "some of its nodes have no sample of the last minutes".to_owned(),
                    None => {
                        let key = MetricKey {
                            signal: Signal::Cpu,
                            window: SEEN_WITHIN,
                        };
                        hint::why_nothing(key, &wanted, source, [newest, newest])
                    }
                };
                let what = format!("{namespace}/{cluster}/{name} ({seen} of {expected} nodes)");
                reasons.entry(reason).or_default().push(what);
            }
            found.of_nodes += expected_here;
            found.of_clusters += u32::from(expected_here > 0);
            found.clusters += u32::from(any);
        }
    }
    let more = reasons.len().saturating_sub(MOST_REASONS);
    let told = reasons.into_iter().take(MOST_REASONS);
    found.reasons = told
        .map(|(reason, what)| format!("{}: {reason}", super::nodes::list(&what)))
        .collect();
    if more > 0 {
        found.reasons.push(format!("and {more} more reasons"));
    }
    found
}
