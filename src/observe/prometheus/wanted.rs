//! Which measurements the policies ask for: these are taken and no others.

use std::collections::BTreeSet;

use crate::model::{ComponentName, ManagementClusterName, MetricKey, NodeGroupKey, RegionName, Signal};
use crate::policy::{Candidate, PolicySet};

/// What decisions on a node group look at, of all policies that select it.
pub(super) fn of_node_group(policies: &PolicySet, region: &RegionName, key: &NodeGroupKey) -> BTreeSet<MetricKey> {
    policies
        .for_node_group(&Candidate::of_node_group(region, key))
        .flat_map(|policy| {
            let triggers = policy.scale_up.triggers().map(|(_, trigger)| trigger.window);
            let lookback = policy.scale_down.iter().flat_map(|down| down.lookback.iter().copied());
            triggers.into_iter().chain(lookback)
        })
        .flat_map(|window| [Signal::Cpu, Signal::Memory].map(|signal| MetricKey { signal, window }))
        .collect()
}

/// What decisions on a controller's flags look at, of all policies that select it.
pub(super) fn of_controller(
    policies: &PolicySet,
    region: &RegionName,
    management_cluster: &ManagementClusterName,
    component: &ComponentName,
) -> BTreeSet<MetricKey> {
    policies
        .for_controller(component, &Candidate::of_management_cluster(region, management_cluster))
        .flat_map(|policy| {
            let seen = &policy.evidence;
            [
                (Signal::ClientRequests, seen.window),
                (Signal::QueueDepth, seen.window),
                (Signal::QueueDepth, seen.baseline),
            ]
        })
        .map(|(signal, window)| MetricKey { signal, window })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observe::prometheus::testing::policies;

    fn texts(keys: BTreeSet<MetricKey>) -> Vec<String> {
        keys.into_iter().map(String::from).collect()
    }

    #[test]
    fn what_no_policy_looks_at_is_not_measured() {
        let policies = policies();
        let (region, mut key) = ("eu".parse().unwrap(), "eu-1/shard-a/blue/md-0");
        let group = |text: &str| {
            let parts: Vec<&str> = text.split('/').collect();
            NodeGroupKey {
                management_cluster: parts[0].parse().unwrap(),
                namespace: parts[1].parse().unwrap(),
                cluster: parts[2].parse().unwrap(),
                group: parts[3].parse().unwrap(),
            }
        };
        assert_eq!(
            texts(of_node_group(&policies, &region, &group(key))),
            ["cpu/1h", "cpu/24h", "cpu/7d", "memory/1h", "memory/24h", "memory/7d"]
        );
        key = "eu-1/elsewhere/blue/md-0";
        assert!(of_node_group(&policies, &region, &group(key)).is_empty());
        let controller = |component: &str| {
            of_controller(
                &policies,
                &region,
                &"eu-1".parse().unwrap(),
                &component.parse().unwrap(),
            )
        };
        assert_eq!(
            texts(controller("capi")),
            ["client-requests/1h", "queue-depth/1h", "queue-depth/24h"]
        );
        assert!(controller("capx").is_empty());
    }
}
