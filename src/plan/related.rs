//! The holds that a reviewer of a proposal wants to know of: those of the same cluster, platform or controller.

use std::collections::BTreeMap;

use crate::model::{Decision, ManagementClusterName, Scope, Subject, Target, is_held};

/// The holds by management cluster, so that a proposal looks at its own and not at the fleet's.
pub(super) struct Related<'a> {
    held: BTreeMap<&'a ManagementClusterName, Vec<&'a Decision>>,
}

impl<'a> Related<'a> {
    /// Sorts what is held by management cluster. A cluster that waits for its place has none.
    pub(super) fn of(decisions: &'a [Decision]) -> Self {
        let mut held: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for decision in decisions.iter().filter(|decision| is_held(decision)) {
            if let Some(management_cluster) = decision.target.management_cluster() {
                held.entry(management_cluster).or_default().push(decision);
            }
        }
        Self { held }
    }

    /// The holds that belong to a scope, in the order of their targets.
    pub(super) fn to(&self, scope: &Scope) -> Vec<Decision> {
        let here = self.held.get(&scope.management_cluster).into_iter().flatten();
        here.filter(|decision| is_related(scope, &decision.target))
            .map(|decision| (*decision).clone())
            .collect()
    }
}

/// Whether a reviewer of a scope wants to know of a hold.
fn is_related(scope: &Scope, target: &Target) -> bool {
    match (&scope.subject, target) {
        (Subject::Cluster { namespace, cluster, .. }, Target::NodeGroup(key)) => {
            key.management_cluster == scope.management_cluster && key.namespace == *namespace && key.cluster == *cluster
        }
        (Subject::NodeGroups { .. }, Target::NodeGroup(key)) => key.management_cluster == scope.management_cluster,
        (
            Subject::Controller { component },
            Target::Controller {
                management_cluster,
                component: other,
                ..
            },
        ) => *management_cluster == scope.management_cluster && component == other,
        (Subject::Platform { .. }, Target::Platform { management_cluster, .. }) => {
            *management_cluster == scope.management_cluster
        }
        _ => false,
    }
}
