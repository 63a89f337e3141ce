//! From an object's identity to the documents that make it: the manifest itself, and everything that is merged over it.

mod build;
mod kept;
mod layering;
mod left;
mod overlays;
mod patches;
mod reading;
mod shares;
mod territories;
mod uses;

pub(super) use build::VARIABLE;
pub(super) use overlays::Overlay;
pub(super) use territories::Territories;
pub(super) use uses::Used;

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;
use std::rc::Rc;

use json_patch::jsonptr::PointerBuf;
use smol_str::SmolStr;

use crate::model::{ManagementClusterName, ObjectKey, Refusal, RepoPath, Unbound};

use super::document::{At, Opened};
use super::ignored::Ignored;
use super::operation::Operation;
use super::replacement::Fields;
use super::resolve::Graph;
use super::shapes::Said;
use super::sources::Sources;
use super::substitute::Substituter;
use super::touched::Touched;
use left::Left;
use shares::{Share, Shares};

/// One document that matters: a manifest, or something that is merged over one.
#[derive(Debug, Clone)]
pub(super) struct Object {
    /// The file.
    pub(super) path: RepoPath,
    /// Where it stands in the file.
    pub(super) at: At,
    /// The line on which it begins.
    pub(super) line: usize,
    /// What it says it is.
    pub(super) key: ObjectKey,
    /// What it says.
    pub(super) content: Content,
}

/// What a document says.
#[derive(Debug, Clone)]
pub(super) enum Content {
    /// It is an object, or a strategic merge of one.
    Says(Box<Said>),
    /// It is a list of RFC 6902 operations.
    Operations(Vec<Operation>),
    /// It is a kustomization with a count of replicas at this pointer.
    Count(PointerBuf),
}

impl Object {
    /// What it says about node groups and its owner; nothing but for objects and strategic merges.
    pub(super) fn said(&self) -> Option<&Said> {
        match &self.content {
            Content::Says(said) => Some(said),
            Content::Operations(_) | Content::Count(_) => None,
        }
    }

    /// The operations that it is a list of.
    pub(super) fn operations(&self) -> &[Operation] {
        match &self.content {
            Content::Operations(operations) => operations,
            Content::Says(_) | Content::Count(_) => &[],
        }
    }
}

/// An object of a management cluster.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Identity {
    /// The management cluster.
    pub(super) management_cluster: ManagementClusterName,
    /// The API group.
    pub(super) group: SmolStr,
    /// The kind.
    pub(super) kind: SmolStr,
    /// The name.
    pub(super) name: SmolStr,
    /// The namespace in the cluster; nothing where Git does not tell.
    pub(super) namespace: Option<SmolStr>,
}

impl Identity {
    /// Whether another one has the same names, but for the namespace.
    fn is_named_like(&self, other: &Self) -> bool {
        let Self {
            management_cluster,
            group,
            kind,
            name,
            namespace: _,
        } = self;
        (management_cluster, group, kind, name) == (&other.management_cluster, &other.group, &other.kind, &other.name)
    }
}

/// One way in which an object comes to be. Objects are numbers of [`Index::objects`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Instance {
    /// Its manifest; for a patch whose manifest is not in the repository, the patch.
    pub(super) object: usize,
    /// What is merged over it, in the order in which it applies.
    pub(super) layers: Vec<Layer>,
    /// The holds that kustomizations put on it.
    pub(super) holds: Vec<String>,
    /// What fills in its variables, as numbers of [`Index::substituters`].
    pub(super) variables: Vec<usize>,
    /// What whoever applies it leaves alone, as numbers of [`Index::ignored`].
    pub(super) ignored: Vec<usize>,
    /// Who owns its replicas, by what kustomizations and their patches say.
    pub(super) owned: Option<Box<Refusal>>,
    /// The patch that may give it another name, and its line.
    pub(super) renamed: Option<Box<(RepoPath, usize)>>,
    /// Why whoever applies it does not do so for now.
    pub(super) suspended: Option<Box<Refusal>>,
}

/// Something that is merged over a manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Layer {
    /// A number of [`Index::objects`].
    Object(usize),
    /// A patch that is not taken apart.
    Opaque {
        /// The kustomization.
        path: RepoPath,
        /// The patch's line in it.
        line: usize,
        /// What it may set.
        touched: Touched,
    },
    /// A replacement.
    Replacement {
        /// The kustomization.
        path: RepoPath,
        /// Its line in it.
        line: usize,
        /// What it is about.
        fields: Fields,
    },
}

impl Instance {
    /// Its manifest and what is merged over it.
    pub(super) fn writers(&self) -> impl Iterator<Item = Layer> {
        std::iter::once(Layer::Object(self.object)).chain(self.layers.iter().cloned())
    }

    /// Its manifest and the objects that are merged over it.
    pub(super) fn sources(&self) -> impl Iterator<Item = usize> {
        let layers = self.layers.iter().filter_map(|layer| match layer {
            Layer::Object(number) => Some(*number),
            Layer::Opaque { .. } | Layer::Replacement { .. } => None,
        });
        std::iter::once(self.object).chain(layers)
    }
}

/// Every object of the management clusters that matters, by what it is.
pub(super) struct Index<'t> {
    /// The files as they are asked for.
    pub(super) opened: Opened<'t>,
    /// The documents: those of files in the order of paths and lines, then those of texts in kustomizations.
    pub(super) objects: Vec<Object>,
    /// By identity: usually one.
    pub(super) instances: BTreeMap<Rc<Identity>, Vec<Instance>>,
    /// What can't be bound.
    pub(super) unbound: Vec<Unbound>,
    /// The Flux Kustomizations that fill in variables.
    pub(super) substituters: Vec<Substituter>,
    /// The requests that a kustomization lists, each with the first that does.
    pub(super) listed_requests: BTreeMap<RepoPath, RepoPath>,
    /// The fields that appliers leave alone.
    pub(super) ignored: Vec<Ignored>,
    /// The objects whose replicas a scaler owns, each with why they are no longer Git's.
    pub(super) scaled: BTreeMap<Identity, Refusal>,
    /// What the addresses in the repository mean.
    pub(super) sources: Sources,
    /// Who lists whom.
    graph: Graph,
    /// Which management cluster a file belongs to.
    territories: Territories<'t>,
    /// The objects by their names.
    by_name: OnceCell<BTreeMap<SmolStr, Vec<usize>>>,
    /// By object: what comes of it, inside and outside of the management clusters.
    shares: Vec<Shares>,
    /// The uses outside of all management clusters.
    left: Vec<Left>,
    /// The patches of what is not in the repository and gets another name here.
    pub(super) nameless: BTreeSet<usize>,
}

/// Who has a document in common.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Shared {
    /// Several overlays use it. At most ten are named.
    Overlays(Vec<RepoPath>),
    /// One overlay makes several objects of it. At most three are named.
    Objects(Vec<String>),
    /// How many objects come of it, and which, is not known. The words say why.
    Doubtful(String),
}

impl Index<'_> {
    /// Who has a document in common; nothing if one object comes of it.
    pub(super) fn shared_by(&self, object: usize) -> Option<Shared> {
        if let Some(doubt) = self.doubt_of(object) {
            return Some(Shared::Doubtful(doubt.to_owned()));
        }
        let shares = &self.shares[object];
        if shares.len() < 2 {
            return None;
        }
        let overlays: BTreeSet<&RepoPath> = shares.iter().filter_map(|(_, overlay)| overlay).collect();
        let named = shares.iter().filter_map(|(share, _)| match share {
            Share::Object(identity) => Some(&**identity),
            Share::Outside(_) | Share::Doubtful(_) => None,
        });
        let named: Vec<&Identity> = named.collect();
        let clusters: BTreeSet<&ManagementClusterName> = named.iter().map(|named| &named.management_cluster).collect();
        let shown = |identity: &&Identity| {
            let Identity {
                management_cluster,
                kind,
                name,
                namespace,
                ..
            } = identity;
            let object = match namespace {
                Some(namespace) => format!("{kind} {namespace}/{name}"),
                None => format!("{kind} {name}"),
            };
            match clusters.len() {
                0 | 1 => object,
                _ => format!("{object} on {management_cluster}"),
            }
        };
        let objects: Vec<String> = named.iter().map(shown).collect();
        Some(if overlays.len() == 1 && objects.len() == shares.len() {
            Shared::Objects(objects.into_iter().take(3).collect())
        } else {
            Shared::Overlays(overlays.into_iter().take(10).cloned().collect())
        })
    }

    /// Why it is not known how often a document is applied, or with which changes; nothing if it is.
    pub(super) fn doubt_of(&self, object: usize) -> Option<&str> {
        let doubts = self.shares[object].iter().filter_map(|(share, _)| match share {
            Share::Doubtful(applier) => self.graph.kustomizations[*applier].doubt.as_deref(),
            Share::Object(_) | Share::Outside(_) => None,
        });
        doubts.min()
    }

    /// The objects of a kind and name on a management cluster, whatever their namespaces, each with what it is.
    pub(super) fn all_named(
        &self,
        management_cluster: &ManagementClusterName,
        [group, kind, name]: [&str; 3],
    ) -> impl Iterator<Item = (&Identity, &Instance)> {
        let first = Identity {
            management_cluster: management_cluster.clone(),
            group: group.into(),
            kind: kind.into(),
            name: name.into(),
            namespace: None,
        };
        let from = self
            .instances
            .range::<Identity, _>((Bound::Included(&first), Bound::Unbounded));
        let same = from.take_while(move |(identity, _)| identity.is_named_like(&first));
        same.flat_map(|(identity, instances)| instances.iter().map(move |instance| (&**identity, instance)))
    }

    /// Where a document begins, for people.
    pub(super) fn place_of(&self, object: usize) -> String {
        let Object { path, line, .. } = &self.objects[object];
        format!("{path}:{line}")
    }
}

#[cfg(test)]
mod tests;
