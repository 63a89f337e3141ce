//! The Deployments of the components that policies name.
//!
//! Their namespaces differ between installations (clusterctl, the operator's chart, a platform's own), so an object is found by its name
//! within a management cluster, in its files and in its API server alike.

use crate::model::ComponentName;

/// What a component's manifest is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Manager {
    /// The name of its Deployment.
    pub deployment: &'static str,
    /// The container that runs it.
    pub container: &'static str,
}

/// From the manifests of each project (`config/manager`, `config/default`; Kamaji: its chart with the release name `kamaji`). The container
/// of CACPPK is called `controller` since v0.18.
const MANAGERS: [(&str, Manager); 10] = [
    ("bmo", manager("baremetal-operator-controller-manager")),
    ("caaph", manager("caaph-controller-manager")),
    (
        "cacppk",
        Manager {
            deployment: "capi-kamaji-controller-manager",
            container: "controller",
        },
    ),
    ("capi", manager("capi-controller-manager")),
    (
        "capi-kubeadm-bootstrap",
        manager("capi-kubeadm-bootstrap-controller-manager"),
    ),
    (
        "capi-kubeadm-control-plane",
        manager("capi-kubeadm-control-plane-controller-manager"),
    ),
    ("capk", manager("capk-controller-manager")),
    ("capm3", manager("capm3-controller-manager")),
    ("capx", manager("capx-controller-manager")),
    ("kamaji", manager("kamaji")),
];

const fn manager(deployment: &'static str) -> Manager {
    let container = "manager";
    Manager { deployment, container }
}

/// Every component that has one, by name, with its manager.
pub fn managers() -> impl Iterator<Item = (&'static str, Manager)> {
    MANAGERS.into_iter()
}

/// The manager of a component; nothing for one that only a policy's `writeTo` can find.
pub fn manager_of(component: &ComponentName) -> Option<Manager> {
    let found = MANAGERS.iter().find(|(name, _)| *name == component.as_str());
    found.map(|(_, manager)| *manager)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::catalogue::components;

    #[test]
    fn every_component_of_the_catalogue_has_a_manager() {
        for component in components() {
            assert!(manager_of(&component.parse().unwrap()).is_some(), "{component}");
        }
    }
}
