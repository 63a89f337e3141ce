//! What Prometheus says about nodes and controllers.
//!
//! One question per signal and window for a whole Prometheus ([`promql`]), asked at the time of the observation ([`ask`]), read without
//! trust ([`answer`]), and brought together with what the API servers found: nodes with their groups ([`nodes`]), pods with their
//! controllers ([`controllers`]), for all that the policies look at ([`fill`]). Whether names and labels fit at all can be told beforehand
//! ([`probe`]).
//!
//! Invariants: a measurement is a finite number with its age, its coverage and the nodes behind it, or it says why it is not one; nothing
//! fails, and nothing that is missing is zero. Every measurement that a policy looks at is there, if only with its cause.
//!
//! Absent on purpose: series by series or point by point reading (the server adds up), recording rules (they would have to exist), and
//! alerts (a priority follows from window and threshold).

mod answer;
mod ask;
mod controllers;
mod fill;
mod hint;
mod nodes;
mod number;
mod probe;
mod promql;
#[cfg(test)]
mod testing;
mod wanted;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;

use crate::model::{
    ClusterName, ComponentName, LiveManagementCluster, ManagementClusterName, Measurement, Namespace, NodeGroupName,
};
use crate::net::{CONNECT, Client, Deadline, Limits, Server};
use crate::policy::{PolicySet, PrometheusRef};

pub use probe::{MOST_REASONS, Matches, PrometheusVersion, matches, version};

use promql::Scope;

/// The nodes of each node group, by the names that their Machines give.
pub type NodeNames = BTreeMap<(Namespace, ClusterName, NodeGroupName), BTreeSet<String>>;

/// The namespace and the Deployment of each component.
pub type ComponentPods = BTreeMap<ComponentName, (String, String)>;

/// A management cluster whose measurements are wanted.
#[derive(Debug)]
pub struct Subject<'a> {
    /// Its name.
    pub name: &'a ManagementClusterName,
    /// What its API server said; the measurements are put into it.
    pub live: &'a mut LiveManagementCluster,
    /// The nodes of its node groups.
    pub nodes: &'a NodeNames,
    /// The Deployments of its components.
    pub component_pods: &'a ComponentPods,
}

/// Measures what the policies look at, for all management clusters of one Prometheus.
///
/// It never fails. `call` is the longest that one question may take; all of it ends by the deadline, and what was not answered by then is
/// missing with that cause.
pub async fn measure(
    source: &PrometheusRef,
    server: &Server,
    policies: &PolicySet,
    subjects: &mut [Subject<'_>],
    call: Duration,
    deadline: Deadline,
    now: Timestamp,
) {
    let limits = Limits {
        connect: CONNECT,
        call,
        body: ask::LARGEST_ANSWER,
    };
    let client = match Client::new(server, limits) {
        Ok(client) => client,
        Err(error) => return missing(policies, subjects, &ask::words(&error.into())),
    };
    let scope = Scope {
        source,
        management_clusters: fill::management_clusters(source, subjects),
        deployments: fill::deployments(subjects),
    };
    let questions = fill::questions(policies, subjects);
    let (answers, silence) = ask::ask_all(&client, &scope, &questions, call, deadline, now).await;
    if let Some(cause) = silence {
        fill::gap(policies, subjects, &cause);
    }
    fill::fill(source, policies, subjects, &answers, now);
}

/// Says of everything that the policies look at that it could not be measured, and why. The cause is a gap of the metrics as well, where the
/// policies look at anything.
pub fn missing(policies: &PolicySet, subjects: &mut [Subject<'_>], cause: &str) {
    fill::gap(policies, subjects, cause);
    for subject in subjects {
        fill::each(policies, subject, |_, _| Measurement::missing(cause));
    }
}
