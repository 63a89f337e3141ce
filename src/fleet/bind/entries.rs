//! The entries of a cluster's topology, wherever a manifest, a strategic merge or an RFC 6902 operation brings them.

use crate::fleet::field::Field;
use crate::fleet::index::{Identity, Index, Instance, Layer};
use crate::fleet::shapes::{GroupClaim, Unclaimed};
use crate::model::{Refusal, Unbound};

/// A group claim and the document that makes it.
#[derive(Clone, Copy)]
pub(super) struct Claimed<'i> {
    pub(super) object: usize,
    pub(super) claim: &'i GroupClaim,
}

/// The way to a node group in the object that declares it.
#[derive(Clone, Copy)]
pub(super) enum Way<'a> {
    /// It is the object.
    Object,
    /// It is an entry of a list of the topology.
    Entry { list: &'static str, name: &'a str },
}

impl<'a> Way<'a> {
    pub(super) fn replicas(self) -> Field<'a> {
        match self {
            Self::Object => Field::replicas(),
            Self::Entry { list, name } => Field::of_worker(list, name, &["replicas"]),
        }
    }

    pub(super) fn annotation(self, name: &'static str) -> Field<'a> {
        let keys = ["metadata", "annotations", name];
        match self {
            Self::Object => Field::keys(&keys),
            Self::Entry { list, name } => Field::of_worker(list, name, &keys),
        }
    }
}

/// The entries that each document and each operation brings, in the order in which they apply.
pub(super) fn all<'i>(index: &'i Index<'_>, instances: &[Instance]) -> Vec<Vec<Claimed<'i>>> {
    let mut numbers: Vec<usize> = Vec::new();
    let mut all = Vec::new();
    for number in instances.iter().flat_map(Instance::sources) {
        if numbers.contains(&number) {
            continue;
        }
        numbers.push(number);
        let object = &index.objects[number];
        let claimed = |claim| Claimed { object: number, claim };
        all.extend(object.said().map(|said| said.groups.iter().map(claimed).collect()));
        let operations = object.operations().iter();
        all.extend(operations.map(|operation| operation.groups.iter().map(claimed).collect()));
    }
    all
}

/// What patches bring to a cluster's topology, or may bring, and can't be bound.
pub(super) fn unbound(index: &Index<'_>, identity: &Identity, instances: &[Instance]) -> Vec<Unbound> {
    let mut unbound = Vec::new();
    let cluster = of(identity);
    for layer in instances.iter().flat_map(|instance| &instance.layers) {
        match layer {
            Layer::Object(number) => {
                let object = &index.objects[*number];
                let named = |Unclaimed { line, what, refusal }: &Unclaimed, of: &str| Unbound {
                    path: object.path.clone(),
                    line: *line,
                    what: format!("{what}{of}"),
                    refusal: refusal.clone(),
                };
                let said = object.said().into_iter().flat_map(|said| &said.unbound);
                unbound.extend(said.map(|unclaimed| named(unclaimed, "")));
                let brought = object.operations().iter().flat_map(|operation| &operation.unbound);
                let of_cluster = format!(" of {cluster}");
                unbound.extend(brought.map(|unclaimed| named(unclaimed, &of_cluster)));
            }
            Layer::Opaque { path, line, touched } if touched.entries => {
                let message = "the patch may add node groups to the topology: whether it means this cluster, or what it says, is not certain \
                               here"
                    .to_owned();
                unbound.push(Unbound {
                    path: path.clone(),
                    line: *line,
                    what: format!("node groups of {cluster}"),
                    refusal: Refusal::WrongShape { message },
                });
            }
            Layer::Opaque { .. } | Layer::Replacement { .. } => {}
        }
    }
    unbound
}

/// A cluster, for people.
pub(super) fn of(identity: &Identity) -> String {
    let Identity {
        kind, name, namespace, ..
    } = identity;
    match namespace {
        Some(namespace) => format!("{kind} {namespace}/{name}"),
        None => format!("{kind} {name}"),
    }
}
