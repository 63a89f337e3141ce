//! From an object's identity to the documents that make it: the manifest itself, and the patches that say the last word.

use std::collections::{BTreeMap, BTreeSet};

use json_patch::jsonptr::PointerBuf;

use crate::model::{ManagementClusterName, ObjectKey, Refusal, RepoPath, Unbound};
use crate::policy::{FleetFile, HOLD_ANNOTATION};
use crate::yaml;

use super::document::{Document, Documents, Manifest};
use super::gate::Refused;
use super::kustomize::{self, Patch, PatchContent, PatchTarget, Touched};
use super::patch::{merges, operations};
use super::resolve::{Context, Graph};
use super::screen::is_manifest_name;
use super::shapes::{self, Said, Unclaimed};
use super::tree::FleetTree;

/// The most objects that are told apart, counting one for each overlay. A fleet of 15,000 clusters has a tenth of it; what is beyond is
/// refused, so that a hostile repository costs bounded memory.
const MOST_INSTANCES: usize = 1_000_000;

/// What a file that does not parse must mention to be worth a word.
const WORTH_A_WORD: [&str; 3] = ["MachineDeployment", "machineDeployments", "MachinePool"];

/// One document that matters.
#[derive(Debug, Clone)]
pub(super) struct Object {
    /// The file.
    pub(super) path: RepoPath,
    /// Which document of the file's stream, counted from 0.
    pub(super) document: usize,
    /// The pointer from the document's root to the object, for an item of a list.
    pub(super) prefix: PointerBuf,
    /// The line on which it begins.
    pub(super) line: usize,
    /// What it says it is.
    pub(super) key: ObjectKey,
    /// What it says about node groups.
    pub(super) said: Said,
}

/// An object of a management cluster.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Identity {
    /// The management cluster.
    pub(super) management_cluster: ManagementClusterName,
    /// The API group.
    pub(super) group: String,
    /// The kind.
    pub(super) kind: String,
    /// The name.
    pub(super) name: String,
    /// The namespace in the cluster; nothing where Git does not tell.
    pub(super) namespace: Option<String>,
}

/// One way in which an object comes to be. Objects are numbers of [`Index::objects`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Instance {
    /// Its manifest; for a patch whose manifest is not in the repository, the patch.
    pub(super) object: usize,
    /// The patches in the order in which they apply.
    pub(super) patches: Vec<usize>,
    /// The first patch that is no document and may set the replicas.
    pub(super) replicas_touched: Option<(RepoPath, usize)>,
    /// The first patch that is no document and may set arguments.
    pub(super) arguments_touched: Option<(RepoPath, usize)>,
    /// The holds that kustomizations put on it.
    pub(super) holds: Vec<String>,
}

impl Instance {
    /// Its manifest and its patches.
    pub(super) fn sources(&self) -> impl Iterator<Item = usize> {
        std::iter::once(self.object).chain(self.patches.iter().copied())
    }
}

/// Every object of the management clusters that matters, by what it is.
#[derive(Debug, Default)]
pub(super) struct Index {
    /// The documents, in the order of paths and lines.
    pub(super) objects: Vec<Object>,
    /// By identity: usually one.
    pub(super) instances: BTreeMap<Identity, Vec<Instance>>,
    /// What can't be bound.
    pub(super) unbound: Vec<Unbound>,
    /// The requests that a kustomization lists, each with the first that does.
    pub(super) listed_requests: BTreeMap<RepoPath, RepoPath>,
    /// By object: what comes of it, inside and outside of the management clusters, and the overlay that makes it so.
    shares: Vec<BTreeMap<Share, Option<RepoPath>>>,
}

/// One of the things that come of a document.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Share {
    Object(Identity),
    /// Outside of all management clusters, or under another name, by the kustomizations that lead there.
    Outside(Vec<usize>),
}

/// What a patch of a kustomization reaches.
struct Use {
    line: usize,
    target: Option<PatchTarget>,
    reach: Reach,
}

enum Reach {
    Objects(Vec<usize>),
    Touched(Touched),
}

struct Builder<'t> {
    tree: &'t FleetTree,
    graph: Graph,
    /// By folder: the management cluster that it belongs to.
    territories: BTreeMap<&'t RepoPath, &'t ManagementClusterName>,
    /// By kustomization.
    uses: Vec<Vec<Use>>,
    patch_files: BTreeSet<RepoPath>,
    matched: BTreeSet<(usize, usize)>,
    instances: usize,
    index: Index,
}

impl Index {
    /// Reads a tree. Files in `without` are not looked at: they are requests, not declarations.
    pub(super) fn build<'t>(fleet: &'t FleetFile, tree: &'t FleetTree, without: &[&RepoPath]) -> Self {
        let mut builder = Builder {
            tree,
            graph: Graph::read(tree),
            territories: fleet
                .management_clusters()
                .flat_map(|(_, cluster)| cluster.paths.iter().map(move |path| (path, &cluster.name)))
                .collect(),
            uses: Vec::new(),
            patch_files: BTreeSet::new(),
            matched: BTreeSet::new(),
            instances: 0,
            index: Self::default(),
        };
        builder.read_objects(without);
        builder.read_patches();
        builder.index.shares = vec![BTreeMap::new(); builder.index.objects.len()];
        builder.instantiate();
        builder.instantiate_orphans();
        builder.share_patches();
        builder.index.listed_requests = builder
            .graph
            .listed()
            .filter(|(file, _)| without.iter().any(|folder| file.is_under(folder)))
            .map(|(file, user)| (file.clone(), user.clone()))
            .collect();
        builder.index.unbound.append(&mut builder.graph.unbound);
        builder.index
    }

    /// The overlays of a document that more than one object comes of; nothing if only one does. At most ten are named.
    pub(super) fn shared_by(&self, object: usize) -> Option<Vec<RepoPath>> {
        let shares = &self.shares[object];
        let overlays: BTreeSet<&RepoPath> = shares.values().flatten().collect();
        (shares.len() > 1).then(|| overlays.into_iter().take(10).cloned().collect())
    }

    /// The objects of a kind and name on a management cluster, whatever their namespaces.
    pub(super) fn named(
        &self,
        management_cluster: &ManagementClusterName,
        [group, kind, name]: [&str; 3],
    ) -> impl Iterator<Item = &Instance> {
        let first = Identity {
            management_cluster: management_cluster.clone(),
            group: group.to_owned(),
            kind: kind.to_owned(),
            name: name.to_owned(),
            namespace: None,
        };
        let from = self.instances.range(first.clone()..);
        let same = from.take_while(move |(identity, _)| {
            let namespace = identity.namespace.clone();
            **identity
                == Identity {
                    namespace,
                    ..first.clone()
                }
        });
        same.flat_map(|(_, instances)| instances)
    }

    /// Where a document begins, for people.
    pub(super) fn place_of(&self, object: usize) -> String {
        let Object { path, line, .. } = &self.objects[object];
        format!("{path}:{line}")
    }
}

impl Builder<'_> {
    fn read_objects(&mut self, without: &[&RepoPath]) {
        let tree = self.tree;
        for (path, bytes) in tree.kept() {
            let name = path.file_name();
            let asked_for = is_manifest_name(name) && !kustomize::is_name(name);
            if !asked_for || without.iter().any(|folder| path.is_under(folder)) {
                continue;
            }
            let worth_a_word = yaml::mentions(bytes, &WORTH_A_WORD);
            match Manifest::open(tree, path) {
                Ok(manifest) => self.add_objects(path, manifest.documents(), worth_a_word),
                Err(refused) if worth_a_word => self.unbound(path, "file", refused),
                Err(_) => {}
            }
        }
        for (path, bytes) in tree.too_large() {
            if self.owner(path).is_some() {
                self.unbound(path, "file", Refused::at(0, Refusal::TooLarge { bytes }));
            }
        }
    }

    fn add_objects(&mut self, path: &RepoPath, documents: Documents<'_>, worth_a_word: bool) {
        let Documents { objects, unidentified } = documents;
        for refused in unidentified.into_iter().filter(|_| worth_a_word) {
            self.unbound(path, "document", refused);
        }
        for document in objects {
            let Some(mut said) = said(&document) else { continue };
            for Unclaimed { line, what, refusal } in said.unbound.drain(..) {
                self.unbound(path, &what, Refused { line, refusal });
            }
            self.index.objects.push(Object {
                path: path.clone(),
                document: document.index,
                line: document.line(),
                prefix: document.prefix,
                key: document.key,
                said,
            });
        }
    }

    /// Finds out what the patches of each kustomization reach.
    fn read_patches(&mut self) {
        let mut by_file: BTreeMap<&RepoPath, Vec<usize>> = BTreeMap::new();
        for (number, object) in self.index.objects.iter().enumerate() {
            by_file.entry(&object.path).or_default().push(number);
        }
        for kustomization in &self.graph.kustomizations {
            let mut uses = Vec::new();
            for Patch { line, content, target } in &kustomization.patches {
                let reach = match content {
                    PatchContent::Inline(touched) => Reach::Touched(*touched),
                    PatchContent::File(text) => {
                        // What lies at an address is not known.
                        let path = kustomize::relative(&kustomization.path, text);
                        match path
                            .as_ref()
                            .map(|path| (path, operations(self.tree, path, target.as_ref())))
                        {
                            None => Reach::Touched(Touched::ANYTHING),
                            Some((path, touched)) => {
                                self.patch_files.insert(path.clone());
                                let objects = || by_file.get(path).cloned().unwrap_or_default();
                                touched.map_or_else(|| Reach::Objects(objects()), Reach::Touched)
                            }
                        }
                    }
                };
                uses.push(Use {
                    line: *line,
                    target: target.clone(),
                    reach,
                });
            }
            self.uses.push(uses);
        }
    }

    fn instantiate(&mut self) {
        for number in 0..self.index.objects.len() {
            let Object { path, line, key, .. } = &self.index.objects[number];
            if self.patch_files.contains(path) {
                continue;
            }
            let (path, line, key) = (path.clone(), *line, key.clone());
            let mut somewhere = false;
            for context in self.graph.contexts_of_file(&path) {
                let overlay = self.graph.overlay(&path, &context.chain);
                let Some(owner) = self.owner_of(&path, &context) else {
                    // Whoever uses it there is nobody's that is known, but somebody's.
                    let outside = Share::Outside(context.chain.clone());
                    self.index.shares[number].insert(outside, overlay);
                    continue;
                };
                somewhere = true;
                let identity = Identity {
                    management_cluster: owner.clone(),
                    group: key.group.clone(),
                    kind: key.kind.clone(),
                    name: key.name.clone(),
                    namespace: namespace(&context, &key),
                };
                if context.renames {
                    let message = "a kustomization above it changes its name (namePrefix or nameSuffix)";
                    self.unbound(&path, &key.to_string(), Refused::shape(line, message));
                    self.index.shares[number].insert(Share::Outside(context.chain.clone()), overlay);
                } else if let Some(instance) = self.instance(number, &identity, &context) {
                    self.add(identity, instance, overlay);
                }
            }
            if !somewhere && key.kind != "Deployment" {
                let message = "it lies outside the paths of every management cluster";
                self.unbound(&path, &key.to_string(), Refused::shape(line, message));
            }
        }
    }

    /// An object with the patches that reach it; nothing if there are too many objects.
    fn instance(&mut self, number: usize, identity: &Identity, context: &Context) -> Option<Instance> {
        self.instances += 1;
        if self.instances > MOST_INSTANCES {
            if self.instances == MOST_INSTANCES + 1 {
                let message = format!("the repository declares more than {MOST_INSTANCES} objects");
                let path = self.index.objects[number].path.clone();
                self.unbound(&path, "repository", Refused::at(0, Refusal::TooComplex { message }));
            }
            return None;
        }
        let unread = self.graph.unread_above(&self.index.objects[number].path).cloned();
        let mut instance = Instance {
            object: number,
            replicas_touched: unread.clone(),
            arguments_touched: unread,
            ..Instance::default()
        };
        for user in self.graph.patching(&context.chain) {
            instance.holds.extend(self.graph.kustomizations[user].hold.clone());
            for Use { line, target, reach } in &self.uses[user] {
                let meant = |target: &PatchTarget| target.may_mean(&identity.kind, &identity.name);
                match reach {
                    Reach::Objects(patches) => {
                        for patch in patches {
                            let key = &self.index.objects[*patch].key;
                            if target.as_ref().is_none_or(meant)
                                && merges(key, target.is_some(), identity, &self.index.objects[number].key)
                            {
                                self.matched.insert((user, *patch));
                                instance.patches.push(*patch);
                            }
                        }
                    }
                    Reach::Touched(touched) if target.as_ref().is_none_or(meant) => {
                        let place = || (self.graph.kustomizations[user].path.clone(), *line);
                        if touched.replicas {
                            instance.replicas_touched.get_or_insert_with(place);
                        }
                        if touched.arguments {
                            instance.arguments_touched.get_or_insert_with(place);
                        }
                        if touched.hold {
                            let (path, line) = place();
                            let hold = format!("the patch at {path}:{line} speaks of {HOLD_ANNOTATION}");
                            instance.holds.push(hold);
                        }
                    }
                    Reach::Touched(_) => {}
                }
            }
        }
        Some(instance)
    }

    /// Patches whose manifest is elsewhere (a remote base, a release): they are all that the repository says of the object.
    fn instantiate_orphans(&mut self) {
        for user in 0..self.uses.len() {
            let mut orphans: Vec<(usize, Option<String>)> = Vec::new();
            for Use { target, reach, .. } in &self.uses[user] {
                let Reach::Objects(patches) = reach else { continue };
                let named = target.as_ref().and_then(|target| target.name.clone());
                let unmatched = patches.iter().filter(|patch| !self.matched.contains(&(user, **patch)));
                orphans.extend(unmatched.map(|patch| (*patch, named.clone())));
            }
            for (patch, named) in orphans {
                let key = self.index.objects[patch].key.clone();
                let path = self.graph.kustomizations[user].path.clone();
                for context in self.graph.contexts(user).to_vec() {
                    let Some(owner) = self.owner_of(&path, &context).filter(|_| !context.renames) else {
                        continue;
                    };
                    let identity = Identity {
                        management_cluster: owner.clone(),
                        group: key.group.clone(),
                        kind: key.kind.clone(),
                        name: named.clone().unwrap_or_else(|| key.name.clone()),
                        namespace: namespace(&context, &key),
                    };
                    if let Some(mut instance) = self.instance(patch, &identity, &context) {
                        instance.patches.retain(|other| *other != patch);
                        self.add(identity, instance, Some(path.clone()));
                    }
                }
            }
        }
    }

    /// Patches that also reach what has no identity here: a change of theirs would change that, too.
    fn share_patches(&mut self) {
        for user in 0..self.uses.len() {
            let path = self.graph.kustomizations[user].path.clone();
            for context in self.graph.contexts(user).to_vec() {
                if !context.renames && self.owner_of(&path, &context).is_some() {
                    continue;
                }
                for Use { reach, .. } in &self.uses[user] {
                    let Reach::Objects(patches) = reach else { continue };
                    for patch in patches {
                        let outside = Share::Outside(context.chain.clone());
                        self.index.shares[*patch].insert(outside, Some(path.clone()));
                    }
                }
            }
        }
    }

    fn add(&mut self, identity: Identity, instance: Instance, overlay: Option<RepoPath>) {
        for number in std::iter::once(&instance.object).chain(&instance.patches) {
            self.index.shares[*number].insert(Share::Object(identity.clone()), overlay.clone());
        }
        let instances = self.index.instances.entry(identity).or_default();
        if !instances.contains(&instance) {
            instances.push(instance);
        }
    }

    /// The management cluster of a folder or file: the longest path that contains it.
    fn owner(&self, path: &RepoPath) -> Option<(RepoPath, &ManagementClusterName)> {
        let mut at = Some(path.clone());
        while let Some(folder) = at {
            if let Some(name) = self.territories.get(&folder) {
                return Some((folder, name));
            }
            at = folder.parent();
        }
        None
    }

    /// The management cluster of a use of a file: that of the outermost kustomization on the way that lies in one's paths, or of one
    /// further in whose path is more exact. So a base belongs to whoever uses it.
    fn owner_of(&self, path: &RepoPath, context: &Context) -> Option<ManagementClusterName> {
        let inwards = context
            .chain
            .iter()
            .rev()
            .map(|index| &self.graph.kustomizations[*index].path);
        let owners = inwards.chain([path]).filter_map(|path| self.owner(path));
        let owner = owners.reduce(|outer, inner| if inner.0.is_under(&outer.0) { inner } else { outer })?;
        Some(owner.1.clone())
    }

    fn unbound(&mut self, path: &RepoPath, what: &str, refused: Refused) {
        let Refused { line, refusal } = refused;
        self.index.unbound.push(Unbound {
            path: path.clone(),
            line,
            what: what.to_owned(),
            refusal,
        });
    }
}

/// What a document says, if it is of a kind that matters.
fn said(document: &Document<'_>) -> Option<Said> {
    if let Some(shape) = shapes::of(document) {
        return Some((shape.read)(document));
    }
    (document.key.group == "apps" && document.key.kind == "Deployment").then(|| shapes::marked(document))
}

/// What a kustomization's namespace leaves of the one that is written: kustomize overwrites it.
fn namespace(context: &Context, key: &ObjectKey) -> Option<String> {
    let written = Some(&key.namespace).filter(|namespace| !namespace.is_empty());
    context.namespace.as_ref().or(written).cloned()
}

#[cfg(test)]
mod tests;
