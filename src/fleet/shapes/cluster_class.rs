//! A `ClusterClass` whose workers have a cluster autoscaler's annotations, so that it owns the number of every node group of the class.
//!
//! v1beta1 has them at `template.metadata` of a class of machines, v1beta2 at its `metadata`. Absent on purpose: variables and patches, which
//! say nothing of owners.

use crate::fleet::document::Document;
use crate::fleet::find::find;
use crate::model::AutoscalerBounds;
use crate::yaml::Node;

use super::Said;
use super::metadata::Marks;
use super::topology::list_of;

/// The kind.
pub(in crate::fleet) const KIND: &str = "ClusterClass";

/// A class of machines that a cluster autoscaler scales.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::fleet) struct Scaled {
    /// Whether it is a class of machine pools.
    pub(in crate::fleet) pool: bool,
    /// Its name.
    pub(in crate::fleet) class: String,
    /// The line of the annotation that says so.
    pub(in crate::fleet) line: usize,
    /// The bounds.
    pub(in crate::fleet) bounds: AutoscalerBounds,
}

/// Reads one.
pub(in crate::fleet) fn read(document: &Document<'_>) -> Said {
    let mut scaled = Vec::new();
    for pool in [false, true] {
        let list = find(document.root, &["spec", "workers", list_of(pool)]);
        for class in list.into_iter().flat_map(Node::items) {
            let name = find(class, &["class"]).and_then(Node::text).unwrap_or_default();
            for holder in [Some(class), find(class, &["template"])].into_iter().flatten() {
                let marks = Marks::of(document.path, holder);
                scaled.extend(marks.autoscaler.map(|bounds| Scaled {
                    pool,
                    class: name.to_owned(),
                    line: marks.autoscaler_line,
                    bounds,
                }));
            }
        }
    }
    Said {
        scaled,
        ..Said::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fleet::shapes::testing::with_objects;

    #[test]
    fn both_versions_say_it_in_their_own_place() {
        let max = "annotations: {cluster.x-k8s.io/cluster-api-autoscaler-node-group-max-size: '6'}";
        let text = format!(
            "spec:\n  workers:\n    machineDeployments:\n    - class: old\n      template: {{metadata: {{{max}}}}}\n    - {{class: none}}\n    \
             machinePools:\n    - {{class: new, metadata: {{{max}}}}}\n"
        );
        let scaled = with_objects(&text, |objects| read(&objects[0])).scaled;
        let shown: Vec<_> = scaled
            .iter()
            .map(
                |Scaled {
                     pool,
                     class,
                     line,
                     bounds,
                 }| (*pool, class.as_str(), *line, bounds.max),
            )
            .collect();
        assert_eq!(shown, [(false, "old", 5, 6), (true, "new", 8, 6)]);
    }
}
