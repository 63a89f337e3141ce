//! Who decides on a number, in a word for tables and JSON.
//!
//! Those who write over Git have their own names ([`Owner`]). Besides them there is Git itself, whoever fills in or generates a file, and, where
//! nothing is written, somebody of whom Git does not tell.

use crate::model::{Binding, Owner, Refusal, Site};

/// The owner of a number.
pub(super) fn of(binding: &Binding) -> &'static str {
    let Binding { site, autoscaler, .. } = binding;
    match (autoscaler, site) {
        (Some(_), _) => Owner::ClusterAutoscaler.as_str(),
        (None, Site::Refused { refusal, .. }) => of_refused(refusal),
        (None, Site::Writable(_)) => "git",
    }
}

/// The owner of what is refused, or not even bound.
pub(super) fn of_refused(refusal: &Refusal) -> &'static str {
    match refusal {
        Refusal::Owned { owner, by: _ } => owner.as_str(),
        Refusal::Template | Refusal::Variable { .. } => "renderer",
        Refusal::Generated => "generator",
        Refusal::Absent { .. } => "unknown",
        _ => "git",
    }
}

/// What the word means, in a sentence's words.
pub(super) fn meaning(word: &str) -> &'static str {
    match Owner::ALL.into_iter().find(|owner| owner.as_str() == word) {
        Some(Owner::HorizontalPodAutoscaler) => "a HorizontalPodAutoscaler scales the object",
        Some(Owner::Keda) => "KEDA scales the object",
        Some(Owner::ClusterAutoscaler) => "the cluster autoscaler moves it between its bounds",
        Some(Owner::Topology) => "the topology of its Cluster writes it",
        Some(Owner::ControlPlane) => "the control plane above it writes it",
        Some(Owner::Operator) => "the Cluster API Operator writes it",
        Some(Owner::External) => "a scaler outside of Git and Cluster API",
        Some(Owner::IgnoreDifferences) => "Argo CD leaves the field to somebody else",
        Some(Owner::FluxIgnore) => "Flux leaves the field to somebody else",
        Some(Owner::OwnerReference) => "the controller that made the object",
        None => match word {
            "renderer" => "whatever fills in the template or the variable",
            "generator" => "whoever generates the file",
            "unknown" => "Git does not say, and does not write it either",
            _ => "what is written is what counts",
        },
    }
}
