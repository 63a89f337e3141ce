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

/// The object of the Cluster API Operator that makes a component's Deployment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Provider {
    /// Its kind.
    pub kind: &'static str,
    /// Its name, which is that of the provider.
    pub name: &'static str,
}

/// By component: clusterctl's names of the providers. Neither the Bare Metal Operator nor Kamaji is one.
const PROVIDERS: [(&str, &str, &str); 8] = [
    ("caaph", "AddonProvider", "helm"),
    ("cacppk", "ControlPlaneProvider", "kamaji"),
    ("capi", "CoreProvider", "cluster-api"),
    ("capi-kubeadm-bootstrap", "BootstrapProvider", "kubeadm"),
    ("capi-kubeadm-control-plane", "ControlPlaneProvider", "kubeadm"),
    ("capk", "InfrastructureProvider", "kubevirt"),
    ("capm3", "InfrastructureProvider", "metal3"),
    ("capx", "InfrastructureProvider", "nutanix"),
];

/// The provider of a component; nothing for one that the operator does not make.
pub fn provider_of(component: &ComponentName) -> Option<Provider> {
    let found = PROVIDERS.iter().find(|(known, _, _)| *known == component.as_str());
    found.map(|(_, kind, name)| Provider { kind, name })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::catalogue::components;

    #[test]
    fn every_provider_has_a_manager_that_it_makes() {
        for (component, kind, name) in PROVIDERS {
            let component = component.parse().unwrap();
            assert!(manager_of(&component).is_some(), "{component}");
            assert_eq!(provider_of(&component), Some(Provider { kind, name }));
        }
        assert_eq!(provider_of(&"kamaji".parse().unwrap()), None);
    }

    #[test]
    fn every_component_of_the_catalogue_has_a_manager() {
        for component in components() {
            assert!(manager_of(&component.parse().unwrap()).is_some(), "{component}");
        }
    }
}
