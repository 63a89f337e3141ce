//! What is in a file that speaks of management clusters: parts of workload clusters, and components.

use std::collections::BTreeSet;
use std::rc::Rc;

use crate::fleet::appliers::ARGO;
use crate::fleet::document::Document;
use crate::fleet::find::find;
use crate::fleet::release;
use crate::fleet::resolve::{Context, Graph};
use crate::fleet::shapes::CAPI_GROUP;
use crate::fleet::steps::Steps;
use crate::policy::catalogue::managers;

use super::values::is_kamaji;

const OPERATOR: &str = "operator.cluster.x-k8s.io";
const CONTROL_PLANE: &str = "controlplane.cluster.x-k8s.io";
const KAMAJI: &str = "kamaji.clastix.io";
pub(super) const HELM: &str = "helm.toolkit.fluxcd.io";

/// What is in a file, or in the text of a kustomization.
#[derive(Debug, Clone, Default)]
pub(super) struct Seen {
    /// The names of namespaces and clusters.
    pub(super) names: BTreeSet<String>,
    /// Whether there is a workload cluster or a part of one.
    pub(super) declares: bool,
    /// Whether one of these has a namespace.
    pub(super) has_a_home: bool,
    /// What there is of components.
    pub(super) component: Component,
}

/// Whether something is a component.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Component {
    #[default]
    No,
    Perhaps,
    Yes,
}

impl Seen {
    /// Looks at one more object, which comes to be in these ways.
    pub(super) fn look(&mut self, document: &Document<'_>, graph: &Graph, contexts: &[Rc<Context>]) {
        self.component = self.component.max(component(document, graph, contexts));
        if let Some(cluster) = cluster_of(document) {
            self.declares = true;
            self.has_a_home |= !document.key.namespace.is_empty();
            self.names.extend([document.key.namespace.to_string(), cluster]);
        }
    }
}

/// The cluster that an object is or belongs to.
fn cluster_of(document: &Document<'_>) -> Option<String> {
    let text = |below: &[&str]| find(document.root, below).and_then(|node| node.text().map(str::to_owned));
    match (document.key.group.as_str(), document.key.kind.as_str()) {
        (CAPI_GROUP, "Cluster") | (KAMAJI, "TenantControlPlane") => Some(document.key.name.to_string()),
        (CONTROL_PLANE, kind) if kind.ends_with("ControlPlane") => Some(document.key.name.to_string()),
        (CAPI_GROUP, "MachineDeployment" | "MachinePool") => Some(text(&["spec", "clusterName"]).unwrap_or_default()),
        _ => None,
    }
}

fn component(document: &Document<'_>, graph: &Graph, contexts: &[Rc<Context>]) -> Component {
    let key = &document.key;
    let is_one = match (key.group.as_str(), key.kind.as_str()) {
        ("apps", "Deployment") => {
            let known = |name: &str| managers().any(|(_, manager)| manager.deployment == name);
            let name_in = |context: &Context| Steps::of(graph, &context.chain).name([&key.group, &key.kind, &key.name]);
            known(&key.name) || contexts.iter().any(|context| known(&name_in(context)))
        }
        (HELM | ARGO, _) => release::speaks_of_a_component(document),
        (OPERATOR, _) => true,
        _ => false,
    };
    let may_be_one = match (key.group.as_str(), key.kind.as_str()) {
        (HELM, "HelmRelease") => true,
        (_, "") => is_kamaji(document),
        _ => false,
    };
    match (is_one, may_be_one) {
        (true, _) => Component::Yes,
        (false, true) => Component::Perhaps,
        (false, false) => Component::No,
    }
}
