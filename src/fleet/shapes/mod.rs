//! The shapes in which a number is written, one a file. A new shape is a file and a line in [`SHAPES`], or, if policies name its place, a
//! function that is called with that place.
//!
//! A shape looks at one object and says what is written there and what stands in the way of changing it. Where the object belongs (which
//! management cluster, which namespace, patched by whom) is nothing that it can know.

pub(super) mod arguments;
pub(super) mod cluster_class;
pub(super) mod kustomization;
mod machine_deployment;
mod metadata;
mod reading;
pub(super) mod request;
mod topology;
mod typed;
pub(super) mod values;

use smol_str::SmolStr;

use crate::model::{AutoscalerBounds, ObjectKey, Refusal};

use super::document::Document;
use super::gate::Refused;

pub(super) use arguments::text_at;
pub(super) use metadata::{MAX_SIZE, MIN_SIZE, REPLICAS_MANAGED_BY, annotation_of, is_generated, pauses};
pub(super) use reading::{Reading, decimal_text, integer, text_integer};
pub(super) use topology::{brought, list_of, renamed};
pub(super) use typed::{flag_value, quantity};

/// The API group of Cluster API's own kinds. Every version of it has the same paths.
pub(super) const CAPI_GROUP: &str = "cluster.x-k8s.io";

/// The API group of the control planes that Cluster API's providers bring.
pub(super) const CONTROL_PLANE_GROUP: &str = "controlplane.cluster.x-k8s.io";

/// The API group of the Cluster API Operator.
pub(super) const OPERATOR_GROUP: &str = "operator.cluster.x-k8s.io";

/// The API group of Kamaji.
pub(super) const KAMAJI_GROUP: &str = "kamaji.clastix.io";

/// Whether an object is of a kind that declares node groups.
pub(super) fn declares_groups(key: &ObjectKey) -> bool {
    SHAPES
        .iter()
        .any(|shape| shape.group == key.group && shape.kind == key.kind)
}

/// A kind of object that declares node groups.
pub(super) struct Shape {
    /// Its API group.
    pub(super) group: &'static str,
    /// Its kind.
    pub(super) kind: &'static str,
    /// Reads one of them.
    pub(super) read: fn(&Document<'_>) -> Said,
}

/// All kinds that declare node groups.
pub(super) const SHAPES: &[Shape] = &[
    machine_deployment::DEPLOYMENT,
    machine_deployment::POOL,
    topology::SHAPE,
];

/// What an object says about node groups.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Said {
    /// Whether the object is paused.
    pub(super) paused: bool,
    /// The text of its hold annotation.
    pub(super) hold: Option<String>,
    /// Why nothing that it governs may be changed.
    pub(super) refused: Option<Refused>,
    /// The node groups that it declares.
    pub(super) groups: Vec<GroupClaim>,
    /// The class that its topology is of, with the namespace of that if it says one.
    pub(super) class: Option<(String, Option<String>)>,
    /// The classes of machines that cluster autoscalers scale.
    pub(super) scaled: Vec<cluster_class::Scaled>,
    /// What looks like a node group but is none that can be bound.
    pub(super) unbound: Vec<Unclaimed>,
    /// Whether its file is a patch of a kustomization.
    pub(super) is_patch: bool,
}

/// A node group as one object declares it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct GroupClaim {
    /// The cluster's name; a patch need not say it.
    pub(super) cluster: Option<SmolStr>,
    /// The group's name.
    pub(super) group: SmolStr,
    /// Whether it is a machine pool.
    pub(super) pool: bool,
    /// The class of machines that an entry of a topology is of.
    pub(super) class: Option<SmolStr>,
    /// The line on which it begins.
    pub(super) line: usize,
    /// The number of nodes.
    pub(super) replicas: Reading,
    /// The bounds of a cluster autoscaler that owns the number.
    pub(super) autoscaler: Option<AutoscalerBounds>,
    /// The line of the annotation that makes it the owner.
    pub(super) autoscaler_line: usize,
    /// Whether a bound of a cluster autoscaler is written, be there an owner or not.
    pub(super) sized: bool,
    /// Why its annotations forbid a change.
    pub(super) refused: Option<Refused>,
    /// Whether the group is paused.
    pub(super) paused: bool,
    /// The text of its hold annotation.
    pub(super) hold: Option<String>,
}

/// Something that can't be bound.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Unclaimed {
    /// The line.
    pub(super) line: usize,
    /// What it looks like.
    pub(super) what: String,
    /// Why not.
    pub(super) refusal: Refusal,
}

/// What the annotations of an object say, if it is of a kind that declares no node groups: whether it is paused or held, and why it may not
/// be changed.
pub(super) fn marked(document: &Document<'_>) -> Said {
    let metadata::Marks {
        paused, hold, refused, ..
    } = metadata::Marks::of(document.path, document.root);
    Said {
        paused,
        hold,
        refused,
        ..Said::default()
    }
}

/// The shape of an object; nothing for kinds that declare no node groups.
pub(super) fn of(document: &Document<'_>) -> Option<&'static Shape> {
    SHAPES
        .iter()
        .find(|shape| shape.group == document.key.group && shape.kind == document.key.kind)
}

#[cfg(test)]
pub(super) mod testing {
    use super::*;
    use crate::fleet::document::Manifest;
    use crate::fleet::tree::FleetTree;
    use crate::model::{Place, Site};

    /// Lets a test look at the objects of a file `a.yaml` with this text.
    pub(in crate::fleet) fn with_objects<T>(text: &str, look: impl FnOnce(&[Document<'_>]) -> T) -> T {
        let tree = FleetTree::from_files("0".repeat(40).parse().unwrap(), [("a.yaml", text)]).unwrap();
        let path = "a.yaml".parse().unwrap();
        let manifest = Manifest::open(&tree, &path).unwrap();
        look(&manifest.documents().objects)
    }

    /// A reading in one line: value, pointer and line, or the reason.
    pub(in crate::fleet) fn shown(reading: &Reading) -> String {
        let value = reading
            .value
            .as_ref()
            .map_or("-".to_owned(), |value| format!("{value:?}"));
        format!("{value} {}", shown_site(&reading.site))
    }

    /// A reason in one line that does not depend on its wording for people.
    pub(in crate::fleet) fn shown_refusal(refusal: &Refusal) -> String {
        match refusal {
            Refusal::WrongShape { message } | Refusal::Suspended { message } => message.clone(),
            Refusal::Owned { owner: _, by } => by.clone(),
            Refusal::Ambiguous { places } => format!("ambiguous {}", places.join(", ")),
            Refusal::Absent { pointer } => format!("{pointer} absent"),
            refusal => refusal.id().to_owned(),
        }
    }

    /// A site in one line.
    pub(in crate::fleet) fn shown_site(site: &Site) -> String {
        match site {
            Site::Writable(place) => {
                let inner = place.embedded.as_ref();
                let inner = inner.map_or(String::new(), |inner| format!("|{}{}", inner.document, inner.pointer));
                let Place {
                    path,
                    document,
                    pointer,
                    line,
                    form,
                    ..
                } = place;
                format!("{path}#{document}{pointer}{inner}:{line} {form:?}")
            }
            Site::Refused { line, refusal, .. } => format!("line {line}: {}", shown_refusal(refusal)),
        }
    }
}
