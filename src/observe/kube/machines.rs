//! Machines: which nodes a node group has, and when it last got a new one.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::Deserialize;

use super::objects::Metadata;

/// A Machine, in v1beta1 and v1beta2.
#[derive(Debug, Deserialize)]
pub(super) struct Machine {
    metadata: Metadata,
    status: Option<Status>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Status {
    node_ref: Option<NodeRef>,
}

#[derive(Debug, Deserialize)]
struct NodeRef {
    #[serde(default)]
    name: String,
}

/// The Machines of all MachineDeployments, as far as they are needed.
#[derive(Debug, Default)]
pub(super) struct Machines {
    /// By namespace and name of the MachineDeployment.
    by_deployment: BTreeMap<(String, String), OfGroup>,
}

/// The Machines of a MachineDeployment.
#[derive(Debug, Default)]
pub(super) struct OfGroup {
    /// The names of their nodes. A Machine that is being deleted counts: its node works until it is gone.
    pub(super) nodes: BTreeSet<String>,
    /// When the newest of them was made.
    pub(super) newest: Option<Timestamp>,
}

impl Machines {
    /// Adds a Machine; one without the label of a MachineDeployment (a control plane's, a pool's) is none of a node group.
    pub(super) fn add(&mut self, machine: Machine) {
        let Machine { metadata, status } = machine;
        let Some(deployment) = metadata.labels.and_then(|labels| labels.machine_deployment) else {
            return;
        };
        let group = self.by_deployment.entry((metadata.namespace, deployment)).or_default();
        group.newest = group.newest.max(metadata.creation_timestamp);
        let node = status.and_then(|status| status.node_ref).map(|node| node.name);
        group.nodes.extend(node.filter(|name| !name.is_empty()));
    }

    /// Those of a MachineDeployment.
    pub(super) fn of(&self, namespace: &str, deployment: &str) -> Option<&OfGroup> {
        self.by_deployment.get(&(namespace.to_owned(), deployment.to_owned()))
    }
}
