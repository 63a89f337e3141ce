//! Which of the folders that Flux and Argo CD apply are folders of this repository, and which are another's.
//!
//! The answer is yes unless the contrary is certain. To lose an applier of this repository would lose its patches and namespaces, and lead to
//! wrong edits; to keep one that is another's holds too much. So an address that is filled in, an object that is not here, that a
//! kustomization may change or that is no plain `GitRepository`, and a repository whose own address nobody names, leave everything as it is.

use std::collections::BTreeMap;

use json_patch::jsonptr::PointerBuf;
use smol_str::SmolStr;

use crate::model::{ManagementClusterName, ObjectKey, Refusal, RepoPath};
use crate::policy::{FleetFile, Forge, Repository};
use crate::yaml::{self, Node};

use super::address::{Address, Means};
use super::appliers;
use super::document::{Document, Manifest};
use super::find::find;
use super::kustomize::{self, Kustomization, Patch, PatchContent};
use super::patch_target::Fits;
use super::resolve::{Context, Graph};
use super::screen::is_manifest_name;
use super::steps::Steps;
use super::tree::FleetTree;

mod doubts;

/// The API group of the objects that Flux fetches from.
pub(super) const GROUP: &str = "source.toolkit.fluxcd.io";

/// The only kind of them whose address tells a repository: artifacts and buckets are often made of this one.
pub(super) const GIT_REPOSITORY: &str = "GitRepository";

/// From where something is applied, as its own object says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Whence {
    /// From the repository of this address.
    Address(String),
    /// From an object of Flux.
    Reference(Reference),
    /// It does not say.
    Unknown,
}

/// A reference to an object of Flux.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Reference {
    pub(super) kind: String,
    pub(super) name: String,
    /// Nothing means the namespace of whoever refers to it.
    pub(super) namespace: Option<String>,
}

/// The object by which something is applied, and from where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Origin {
    pub(super) object: ObjectKey,
    pub(super) whence: Whence,
}

impl Whence {
    /// The `repoURL` of a source of Argo CD, or of a generator.
    pub(super) fn of_argo(source: Node<'_>) -> Self {
        let address = find(source, &["repoURL"]).and_then(Node::text);
        address.map_or(Self::Unknown, |text| Self::Address(text.to_owned()))
    }

    /// The `sourceRef` of an object of Flux.
    pub(super) fn of_flux(spec: Node<'_>) -> Self {
        let text = |key| find(spec, &["sourceRef", key]).and_then(Node::text).map(str::to_owned);
        let (Some(kind), Some(name)) = (text("kind"), text("name")) else {
            return Self::Unknown;
        };
        let namespace = text("namespace").filter(|namespace| !namespace.is_empty());
        Self::Reference(Reference { kind, name, namespace })
    }
}

/// A `GitRepository` of Flux, as its manifest says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct GitRepository {
    pub(super) path: RepoPath,
    pub(super) object: ObjectKey,
    /// Nothing if what is fetched is not that address alone.
    pub(super) url: Option<String>,
}

impl GitRepository {
    /// Reads one.
    pub(super) fn read(document: &Document<'_>) -> Self {
        let url = find(document.root, &["spec", "url"]).and_then(Node::text);
        let includes = find(document.root, &["spec", "include"]).is_some();
        Self {
            path: document.path.clone(),
            object: document.key.clone(),
            url: url.filter(|_| !includes).map(str::to_owned),
        }
    }
}

/// To whose files a use of a file belongs; nothing where that can't be told.
pub(super) type OwnerOf<'a> = &'a dyn Fn(&Graph, &RepoPath, &Context) -> Option<ManagementClusterName>;

/// Who refers to an object: the management cluster in whose files it is, and its namespace.
pub(super) type Asker<'a> = (Option<&'a ManagementClusterName>, Option<&'a str>);

/// What the addresses in a repository mean.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Sources {
    /// The addresses of this repository; none if they are not known.
    own: Vec<Address>,
    /// By name: each use of a `GitRepository`.
    repositories: BTreeMap<SmolStr, Vec<Known>>,
}

/// A `GitRepository` in a management cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Known {
    owner: Option<ManagementClusterName>,
    namespace: Option<SmolStr>,
    means: Means,
}

/// The addresses of the repository that a fleet file names and a tree is of.
pub(super) fn own_addresses(fleet: &FleetFile, tree: &FleetTree) -> Vec<Address> {
    let url = match &fleet.repository {
        Repository::Server(server) => Some(server.url.as_str()),
        Repository::Import(_) | Repository::Path(_) => None,
    };
    let texts = url.into_iter().chain(fleet.aliases.iter().map(String::as_str));
    let mut own: Vec<Address> = texts.filter_map(Address::parse).collect();
    own.extend(tree.addresses().iter().cloned());
    if let (false, Forge::Gitea { server, repository } | Forge::GitHub { server, repository }) =
        (own.is_empty(), &fleet.forge)
    {
        let at_forge = format!("{}/{}/{}", server.url, repository.owner, repository.name);
        own.extend(Address::parse(&at_forge));
    }
    own
}

/// Reads the kustomizations of a tree and what Flux and Argo CD apply of it; what they certainly apply of another repository is left out.
pub(super) fn graph(tree: &FleetTree, own: Vec<Address>, owner_of: OwnerOf<'_>) -> (Graph, Sources) {
    let found = appliers::read(tree);
    let sources = Sources::of(own.clone(), &found.addresses);
    let unnamed = (sources.own.is_empty() && !own.is_empty()).then(|| (own, found.repositories.clone()));
    let (mut graph, sources) = told_apart(tree, found, sources, owner_of);
    doubts::add(tree, &mut graph, unnamed, owner_of);
    (graph, sources)
}

/// Leaves out what is certainly applied of another repository.
fn told_apart(
    tree: &FleetTree,
    found: appliers::Found,
    mut sources: Sources,
    owner_of: OwnerOf<'_>,
) -> (Graph, Sources) {
    let appliers::Found {
        appliers,
        repositories,
        addresses: _,
    } = found;
    let folders = Graph::unlinked(tree);
    let is_another = |text: &String| sources.of_address(text) == Means::Another;
    let urls = repositories.iter().filter_map(|repository| repository.url.as_ref());
    let of_argo = appliers.iter().filter_map(|applier| match &applier.origin {
        Some(Origin {
            whence: Whence::Address(text),
            ..
        }) => Some(text),
        _ => None,
    });
    if !urls.chain(of_argo).any(is_another) {
        return (folders.linked(tree, appliers), sources);
    }
    let all = folders.clone().linked(tree, appliers.clone());
    sources.add(tree, &all, repositories, owner_of);
    let is_ours = |applier: &Kustomization| {
        let origin = applier.origin.as_ref();
        !origin.is_some_and(|origin| sources.is_another(tree, &all, &applier.path, origin, owner_of))
    };
    let count = appliers.len();
    let ours: Vec<Kustomization> = appliers.into_iter().filter(is_ours).collect();
    if ours.len() == count {
        return (all, sources);
    }
    (folders.linked(tree, ours), sources)
}

impl Sources {
    /// Takes the addresses of this repository, if any object in it names one of them.
    ///
    /// Where none does, they are more likely those of a mirror whose path is its own than a repository's that applies only others.
    fn of(own: Vec<Address>, addresses: &[String]) -> Self {
        let named = addresses.iter().filter_map(|text| Address::parse(text));
        let mut resembling = named.filter(|named| own.iter().any(|own| own.compare(named) != Means::Another));
        let is_named = resembling.next().is_some();
        Self {
            own: if is_named { own } else { Vec::new() },
            repositories: BTreeMap::new(),
        }
    }

    fn add(&mut self, tree: &FleetTree, graph: &Graph, repositories: Vec<GitRepository>, owner_of: OwnerOf<'_>) {
        for GitRepository { path, object, url } in repositories {
            let as_written = url.map_or(Means::Uncertain, |url| self.of_address(&url));
            let means = match as_written {
                Means::Another if may_change(tree, graph, &path, &object) => Means::Uncertain,
                other => other,
            };
            for context in graph.contexts_of_file(&path) {
                let steps = Steps::of(graph, &context.chain);
                let known = Known {
                    owner: owner_of(graph, &path, &context),
                    namespace: context.namespace_of(&object),
                    means: if steps.uncertain { Means::Uncertain } else { means },
                };
                let name = steps.name([&object.group, &object.kind, &object.name]);
                self.repositories.entry(name).or_default().push(known);
            }
        }
    }

    /// Which repository an address means.
    pub(super) fn of_address(&self, text: &str) -> Means {
        let Some(address) = Address::parse(text) else {
            return Means::Uncertain;
        };
        let means = self.own.iter().map(|own| own.compare(&address));
        means.min().unwrap_or(Means::Uncertain)
    }

    /// Which repository an object of Flux fetches.
    ///
    /// It is another's if the object is there and every one that it may be says so. Objects of other management clusters are not meant; one
    /// that lies in nobody's files, or in a namespace that is not known, may be.
    pub(super) fn of_reference(&self, (owner, namespace): Asker<'_>, reference: &Reference) -> Means {
        let Reference {
            kind,
            name,
            namespace: named,
        } = reference;
        let namespace = named.as_deref().or(namespace);
        let may_be_meant = |known: &&Known| {
            let in_namespace =
                known.namespace.is_none() || namespace.is_none() || known.namespace.as_deref() == namespace;
            let of_owner = known.owner.is_none() || owner.is_none() || known.owner.as_ref() == owner;
            kind == GIT_REPOSITORY && in_namespace && of_owner
        };
        let is_meant = |known: &Known| {
            let of_owner = known.owner.is_none() || known.owner.as_ref() == owner;
            of_owner && namespace.is_some() && known.namespace.as_deref() == namespace
        };
        let found: Vec<&Known> = self
            .repositories
            .get(name.as_str())
            .into_iter()
            .flatten()
            .filter(may_be_meant)
            .collect();
        if !found.iter().any(|known| is_meant(known)) {
            return Means::Uncertain;
        }
        found.iter().map(|known| known.means).min().unwrap_or(Means::Uncertain)
    }

    /// Whether what an object applies is certainly no folder of this repository.
    pub(super) fn is_another(
        &self,
        tree: &FleetTree,
        graph: &Graph,
        path: &RepoPath,
        Origin { object, whence }: &Origin,
        owner_of: OwnerOf<'_>,
    ) -> bool {
        let means = match whence {
            Whence::Unknown => Means::Uncertain,
            Whence::Address(text) => self.of_address(text),
            Whence::Reference(reference) => {
                let contexts = graph.contexts_of_file(path);
                let each = contexts.iter().map(|context| {
                    let (owner, namespace) = (owner_of(graph, path, context), context.namespace_of(object));
                    self.of_reference((owner.as_ref(), namespace.as_deref()), reference)
                });
                each.min().unwrap_or(Means::Uncertain)
            }
        };
        means == Means::Another && !may_change(tree, graph, path, object)
    }
}

/// Whether a kustomization on the way of an object may change what its manifest says.
fn may_change(tree: &FleetTree, graph: &Graph, path: &RepoPath, object: &ObjectKey) -> bool {
    graph.unread_above(path).is_some() || patch_of(tree, graph, path, object, |_, _| true).is_some()
}

/// A patch on the way of an object that may be for it, with its kustomization, among those that are asked for.
fn patch_of<'g>(
    tree: &FleetTree,
    graph: &'g Graph,
    path: &RepoPath,
    object: &ObjectKey,
    asked_for: impl Fn(&Kustomization, &Patch) -> bool,
) -> Option<(&'g Kustomization, &'g Patch)> {
    let is_itself = |user: &Kustomization| {
        let origin = user.origin.as_ref();
        user.path == *path && origin.is_some_and(|origin| origin.object == *object)
    };
    let what = [object.group.as_str(), &object.kind];
    graph.contexts_of_file(path).iter().find_map(|context| {
        let name = Steps::of(graph, &context.chain).name([&object.group, &object.kind, &object.name]);
        let names = [object.name.clone(), name];
        let users = graph.patching(&context.chain).into_iter();
        let users = users.map(|user| &graph.kustomizations[user]);
        let patches = users
            .filter(|user| !is_itself(user))
            .flat_map(|user| user.patches.iter().map(move |patch| (user, patch)));
        let mut found = patches.filter(|(user, patch)| reaches(tree, user, patch, what, &names));
        found.find(|(user, patch)| asked_for(user, patch))
    })
}

/// Whether a patch may be for an object. One without a target names its object, and so the kind.
fn reaches(
    tree: &FleetTree,
    user: &Kustomization,
    Patch { content, target, .. }: &Patch,
    what: [&str; 2],
    names: &[SmolStr],
) -> bool {
    let speaks_of_it = |bytes: &[u8]| yaml::mentions(bytes, &[what[1]]);
    match (target, content) {
        // These count Deployments and the like.
        (_, PatchContent::Count(_)) => false,
        (Some(target), _) => target.fits_any(what, names, [None, None]) != Fits::No,
        (None, PatchContent::Opaque(_) | PatchContent::Fields(_)) => true,
        (None, PatchContent::File(text)) => match kustomize::relative(&user.path, text) {
            Some(path) if is_manifest_name(path.file_name()) => match tree.file(&path) {
                Ok(bytes) => speaks_of_it(bytes),
                // The screen leaves out what does not speak of these objects.
                Err(refusal) => !matches!(refusal, Refusal::WrongShape { .. }),
            },
            _ => true,
        },
        (None, PatchContent::Text(pointer)) => {
            text_in(tree, user, pointer).is_none_or(|text| speaks_of_it(text.as_bytes()))
        }
    }
}

/// The text of a patch that stands in its kustomization; nothing if it can't be read.
fn text_in(tree: &FleetTree, user: &Kustomization, pointer: &PointerBuf) -> Option<String> {
    let manifest = Manifest::open(tree, &user.path).ok()?;
    let documents = manifest.stream().documents();
    let root = documents.get(user.document)?.root.nearest(&user.prefix).node;
    root.nearest(pointer).node.text().map(str::to_owned)
}

#[cfg(test)]
mod tests;
