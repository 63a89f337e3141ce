//! Who owns a value that Git does not: the names of those who write over it.

use serde::{Deserialize, Serialize};

/// Somebody who writes over what Git says, or whom Git leaves a value to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Owner {
    /// A HorizontalPodAutoscaler that aims at the object.
    HorizontalPodAutoscaler,
    /// A ScaledObject of KEDA that aims at the object.
    Keda,
    /// The cluster autoscaler, by its annotations on the object, the topology's entry or its class.
    ClusterAutoscaler,
    /// The topology of a Cluster, which writes the objects that it generates on every reconcile.
    Topology,
    /// The control plane above the object: a KamajiControlPlane writes its TenantControlPlane.
    ControlPlane,
    /// The Cluster API Operator, which makes the object for a provider.
    Operator,
    /// Whoever an external scaler is, by `cluster.x-k8s.io/replicas-managed-by`.
    External,
    /// Whoever the field is left to by `ignoreDifferences` of an Argo CD Application.
    IgnoreDifferences,
    /// Whoever the field is left to by `spec.ignore` of a Flux Kustomization.
    FluxIgnore,
    /// The controller that the object's `ownerReferences` name.
    OwnerReference,
}

impl Owner {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::HorizontalPodAutoscaler,
        Self::Keda,
        Self::ClusterAutoscaler,
        Self::Topology,
        Self::ControlPlane,
        Self::Operator,
        Self::External,
        Self::IgnoreDifferences,
        Self::FluxIgnore,
        Self::OwnerReference,
    ];

    /// Its word in tables and JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::HorizontalPodAutoscaler => "horizontal-pod-autoscaler",
            Self::Keda => "keda",
            Self::ClusterAutoscaler => "cluster-autoscaler",
            Self::Topology => "topology",
            Self::ControlPlane => "control-plane",
            Self::Operator => "operator",
            Self::External => "external",
            Self::IgnoreDifferences => "ignore-differences",
            Self::FluxIgnore => "flux-ignore",
            Self::OwnerReference => "owner-reference",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_owner_has_one_word_everywhere() {
        for owner in Owner::ALL {
            assert_eq!(serde_json::to_value(owner).unwrap(), owner.as_str());
        }
    }
}
