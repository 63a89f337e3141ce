//! What the API server of a management cluster says: its clusters and node groups, its controllers, Kamaji and its tenants.
//!
//! Nothing here fails: what could not be read is a gap of its inventory, with the cause in words for people. A list is read whole or not at
//! all, so that a failure or a lie can make an inventory incomplete and never smaller.
//!
//! It needs to `list`, in all namespaces, `clusters`, `machinedeployments` and `machines` of `cluster.x-k8s.io`, `tenantcontrolplanes` of
//! `kamaji.clastix.io` and `deployments` of `apps` (a rule for these may name the Deployments of the catalogue as `resourceNames`), and to
//! read `/version` and `/apis/*`, as every authenticated user may. Nothing else is asked for: no Secret, no `get`, no `watch`, no write.
//! Whether an account has these rights, and whether it has more, is told before anything depends on it ([`rights`]).
//!
//! Absent on purpose: control planes and MachineSets, of which no decision needs anything.

mod access;
mod capi;
mod client;
mod components;
mod discovery;
mod error;
mod kubeconfig;
mod list;
mod machine_deployment;
mod machines;
mod objects;
mod rights;
mod tenants;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;

use crate::model::{
    ClusterName, ComponentName, Gap, Inventory, LiveManagementCluster, LivePlatform, Measurement, Namespace,
    NodeGroupName, RegionName,
};
use crate::net::Deadline;

pub use access::{InClusterEnv, KubeAccess, SERVICE_ACCOUNT};
pub use client::{Api, ServerVersion, client};
pub use error::{CallError, KubeError};
pub use rights::{Right, Rights};

use capi::Clusters;
use components::{Component, Components};
pub(super) use error::in_words;
use list::Reader;

/// The names of the nodes of each node group.
pub type Nodes = BTreeMap<(Namespace, ClusterName, NodeGroupName), BTreeSet<String>>;

/// What was seen of a management cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// What it is, without measurements but that of the tenants.
    pub live: LiveManagementCluster,
    /// The nodes of the Machines of every node group that was seen: fewer than there are as long as some Machines have none yet.
    pub nodes: Nodes,
    /// The Deployment of each component that was seen, namespace and name: its pods are called after it.
    pub component_pods: BTreeMap<ComponentName, (String, String)>,
    /// What time it is by the server's clock, to the second; nothing if it did not answer.
    pub clock: Option<Timestamp>,
}

/// The most objects of a page: what kubectl asks for.
pub const PAGE: u32 = 500;

/// The one component whose replicas follow its tenants.
const KAMAJI: &str = "kamaji";

/// Observes a management cluster. One call takes at most `call`, and all is over by the deadline.
pub async fn observe(
    access: &KubeAccess<'_>,
    region: RegionName,
    call: Duration,
    deadline: Deadline,
    now: Timestamp,
) -> Seen {
    match client(access, call) {
        Ok(api) => observe_with(&api, region, PAGE, deadline, now).await,
        Err(error) => blind(region, &in_words(&error)),
    }
}

/// Observes a management cluster with a client that is there already, in pages of so many objects.
pub async fn observe_with(api: &Api, region: RegionName, page: u32, deadline: Deadline, now: Timestamp) -> Seen {
    match greet(api, deadline).await {
        Ok(version) => Seen {
            clock: version.and_then(|version| version.clock),
            ..list(api, region, page, deadline, now).await
        },
        Err(cause) => blind(region, &cause),
    }
}

/// Asks a server for its version, to see whether it answers; nothing if it does and won't tell. The error is in words.
pub(super) async fn greet(api: &Api, deadline: Deadline) -> Result<Option<ServerVersion>, String> {
    match api.version(deadline).await {
        Ok(version) => Ok(Some(version)),
        // Whoever may not ask for the version may be allowed what counts.
        Err(CallError::Status { code: 403, .. } | CallError::Malformed(_)) => Ok(None),
        Err(error) => Err(format!("asking {}: {}", api.server(), in_words(&error))),
    }
}

/// Lists everything on a server that answers. The clock is not known here.
pub(super) async fn list(api: &Api, region: RegionName, page: u32, deadline: Deadline, now: Timestamp) -> Seen {
    let reader = Reader { api, deadline, page };
    let (clusters, components, tenants) = tokio::join!(
        capi::observe(&reader),
        components::observe(&reader),
        tenants::count(&reader, now)
    );
    together(region, clusters, components, tenants)
}

/// A management cluster of which nothing is known.
fn blind(region: RegionName, cause: &str) -> Seen {
    let inventories = [Inventory::Clusters, Inventory::Platforms, Inventory::Controllers];
    let gap = |what| Gap {
        what,
        cause: cause.to_owned(),
    };
    Seen {
        live: LiveManagementCluster {
            region,
            gaps: inventories.map(gap).into(),
            clusters: BTreeMap::new(),
            platforms: BTreeMap::new(),
            controllers: BTreeMap::new(),
        },
        nodes: BTreeMap::new(),
        component_pods: BTreeMap::new(),
        clock: None,
    }
}

fn together(region: RegionName, clusters: Clusters, components: Components, tenants: Measurement) -> Seen {
    let Clusters { live, nodes, causes } = clusters;
    let Components { found, unknown } = components;
    let is_platform = |component: &ComponentName| component.as_str() == KAMAJI;
    let gap = |what, cause: &String| Gap {
        what,
        cause: cause.clone(),
    };
    let mut gaps: BTreeSet<Gap> = causes.iter().map(|cause| gap(Inventory::Clusters, cause)).collect();
    gaps.extend(unknown.values().map(|cause| gap(Inventory::Controllers, cause)));
    let platforms = unknown.iter().filter(|(component, _)| is_platform(component));
    gaps.extend(platforms.map(|(_, cause)| gap(Inventory::Platforms, cause)));
    let mut seen = Seen {
        live: LiveManagementCluster {
            region,
            gaps: gaps.into_iter().collect(),
            clusters: live,
            platforms: BTreeMap::new(),
            controllers: BTreeMap::new(),
        },
        nodes,
        component_pods: BTreeMap::new(),
        clock: None,
    };
    for (
        component,
        Component {
            namespace,
            deployment,
            controller,
            replicas_changed_at,
        },
    ) in found
    {
        if is_platform(&component) {
            let platform = LivePlatform {
                replicas: controller.replicas,
                ready: controller.ready,
                changed_at: replicas_changed_at,
                tenants: tenants.clone(),
            };
            seen.live.platforms.insert(component.clone(), platform);
        }
        seen.component_pods.insert(component.clone(), (namespace, deployment));
        seen.live.controllers.insert(component, controller);
    }
    seen
}

#[cfg(test)]
mod tests;
