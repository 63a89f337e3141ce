//! Annotations that a kustomization, Flux or Argo CD gives to everything: some of them say who has a say in its numbers.

use crate::model::Owner;
use crate::policy::HOLD_ANNOTATION;
use crate::yaml::Node;

use super::shapes::{MAX_SIZE, MIN_SIZE, REPLICAS_MANAGED_BY};

/// What such annotations say of numbers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct CommonAnnotations {
    /// The hold annotation.
    pub(super) hold: Option<String>,
    /// Who owns the replicas, and the annotation that says so.
    pub(super) owner: Option<(Owner, &'static str)>,
    /// The line of a bound of a cluster autoscaler, which stands over what an object says.
    pub(super) size: Option<usize>,
}

impl CommonAnnotations {
    /// Reads a mapping of annotations.
    pub(super) fn read(annotations: Option<Node<'_>>) -> Self {
        let mut read = Self::default();
        for entry in annotations.into_iter().flat_map(Node::entries) {
            let line = entry.key.position().line;
            match entry.key_text() {
                Some(HOLD_ANNOTATION) => read.hold = Some(entry.value.text().unwrap_or_default().to_owned()),
                Some(REPLICAS_MANAGED_BY) => read.owner = Some((Owner::External, REPLICAS_MANAGED_BY)),
                Some(MAX_SIZE) => {
                    read.owner = read.owner.or(Some((Owner::ClusterAutoscaler, MAX_SIZE)));
                    read.size = Some(line);
                }
                // Alone it makes no owner.
                Some(MIN_SIZE) => read.size = Some(line),
                _ => {}
            }
        }
        read
    }
}
