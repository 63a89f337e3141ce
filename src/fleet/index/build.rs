//! Makes the index: reads the objects and the kustomizations, and finds every way in which an object comes to be.

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};

use crate::fleet::document::{At, Documents, Manifest, Opened};
use crate::fleet::gate::Refused;
use crate::fleet::kustomize::{self, Role};
use crate::fleet::owners;
use crate::fleet::patch_target::{Fits, PatchTarget};
use crate::fleet::release;
use crate::fleet::resolve::{Context, Graph};
use crate::fleet::screen::is_manifest_name;
use crate::fleet::shapes::{self, Unclaimed};
use crate::fleet::steps::Steps;
use crate::fleet::substitute::Substituter;
use crate::fleet::tree::FleetTree;
use crate::model::{ObjectKey, Refusal, RepoPath, Unbound};
use crate::policy::FleetFile;
use crate::yaml;

use super::kept::said;
use super::patches::{self, Patches, Use};
use super::territories::Territories;
use super::{Content, Identity, Index, Instance, Layer, Object, Share};

/// The most objects that are told apart, counting one for each overlay. A fleet of 15,000 clusters has a tenth of it; what is beyond is
/// refused, so that a hostile repository costs bounded memory.
pub(super) const MOST_INSTANCES: usize = 1_000_000;

/// What a file that does not parse must mention to be worth a word.
const WORTH_A_WORD: [&str; 3] = ["MachineDeployment", "machineDeployments", "MachinePool"];

/// How a variable of Flux begins.
pub(in crate::fleet) const VARIABLE: &str = "${";

pub(super) struct Builder<'t> {
    pub(super) tree: &'t FleetTree,
    pub(super) graph: Graph,
    pub(super) territories: Territories<'t>,
    pub(super) patches: Patches,
    pub(super) matched: BTreeSet<(usize, usize)>,
    /// By kustomization: its number among those that fill in variables.
    pub(super) substituters: BTreeMap<usize, usize>,
    /// By kustomization: the numbers of what it leaves alone.
    pub(super) ignored: BTreeMap<usize, Vec<usize>>,
    pub(super) instances: usize,
    pub(super) index: Index<'t>,
}

impl<'t> Index<'t> {
    /// Reads a tree. Files in `without` are not looked at: they are requests, not declarations.
    pub(in crate::fleet) fn build(fleet: &'t FleetFile, tree: &'t FleetTree, without: &[&RepoPath]) -> Self {
        let mut builder = Builder {
            tree,
            graph: Graph::read(tree),
            territories: Territories::of(fleet),
            patches: Patches::default(),
            matched: BTreeSet::new(),
            substituters: BTreeMap::new(),
            ignored: BTreeMap::new(),
            instances: 0,
            index: Self {
                opened: Opened::new(tree),
                objects: Vec::new(),
                instances: BTreeMap::new(),
                unbound: Vec::new(),
                substituters: Vec::new(),
                listed_requests: BTreeMap::new(),
                ignored: Vec::new(),
                scaled: BTreeMap::new(),
                graph: Graph::default(),
                by_name: OnceCell::new(),
                shares: Vec::new(),
                left: Vec::new(),
                nameless: BTreeSet::new(),
            },
        };
        builder.read_ignored();
        builder.read_objects(without);
        builder.patches = patches::read(
            &builder.index.opened,
            &builder.graph.kustomizations,
            &mut builder.index.objects,
        );
        builder.find_substituters();
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
        builder.index.scaled = owners::scaled(&builder.index);
        builder.index.graph = builder.graph;
        builder.index
    }
}

impl Builder<'_> {
    fn read_ignored(&mut self) {
        for (number, kustomization) in self.graph.kustomizations.iter().enumerate() {
            for ignored in &kustomization.ignored {
                self.ignored.entry(number).or_default().push(self.index.ignored.len());
                self.index.ignored.push(ignored.clone());
            }
        }
    }

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
            if self.territories.of_file(path).is_some() {
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
                at: document.at(),
                line: document.line(),
                key: document.key,
                content: Content::Says(Box::new(said)),
            });
        }
    }

    /// Finds what fills in variables, and the files in which it finds them.
    fn find_substituters(&mut self) {
        for (number, applier) in self.graph.kustomizations.iter().enumerate() {
            if let Role::Flux { substitutes: true, .. } = &applier.role {
                self.substituters.insert(number, self.index.substituters.len());
                self.index.substituters.push(Substituter {
                    path: applier.path.clone(),
                    at: At {
                        document: applier.document,
                        prefix: applier.prefix.clone(),
                        outer: None,
                    },
                    files: Vec::new(),
                });
            }
        }
        if self.substituters.is_empty() {
            return;
        }
        for (path, _) in self.tree.kept().filter(|(_, bytes)| yaml::mentions(bytes, &[VARIABLE])) {
            let contexts = match self.graph.number_of(path) {
                Some(kustomization) => self.graph.contexts(kustomization).to_vec(),
                None => self.graph.contexts_of_file(path),
            };
            let appliers: BTreeSet<usize> = contexts.into_iter().flat_map(|context| context.chain).collect();
            for number in appliers.iter().filter_map(|applier| self.substituters.get(applier)) {
                self.index.substituters[*number].files.push(path.clone());
            }
        }
    }

    fn instantiate(&mut self) {
        for number in 0..self.patches.first {
            let Object { path, line, key, .. } = &self.index.objects[number];
            if self.patches.files.contains(path) {
                continue;
            }
            let (path, line, key) = (path.clone(), *line, key.clone());
            let (mut somewhere, mut elsewhere) = (false, None);
            for context in self.graph.contexts_of_file(&path) {
                let overlay = self.graph.overlay(&path, &context.chain);
                let Some(owner) = self.territories.of_use(&self.graph, &path, &context) else {
                    // Whoever uses it there is nobody's that is known, but somebody's.
                    let outside = Box::new(Share::Outside(context.chain.clone()));
                    self.index.shares[number].insert(outside, overlay);
                    self.share_patches_of(&key, &context);
                    let left = self.leave_out(number, &context);
                    elsewhere = elsewhere.or(left);
                    continue;
                };
                somewhere = true;
                let steps = Steps::of(&self.graph, &context.chain);
                let identity = Identity {
                    management_cluster: owner.clone(),
                    group: key.group.clone(),
                    kind: key.kind.clone(),
                    name: steps.name([&key.group, &key.kind, &key.name]),
                    namespace: namespace(&context, &key),
                };
                if steps.uncertain {
                    let message = "a kustomization above it changes its name (namePrefix or nameSuffix) by a variable, or changes more than \
                                   names (configurations or crds)";
                    if !release::matters(&key.group, &key.kind) {
                        self.unbound(&path, &key.to_string(), Refused::shape(line, message));
                    }
                    self.index.shares[number].insert(Box::new(Share::Outside(context.chain.clone())), overlay);
                } else if let Some(instance) = self.instance(number, &identity, &context, &steps) {
                    let Some((patch, at)) = instance.renamed.as_deref() else {
                        self.add(identity, instance, overlay);
                        continue;
                    };
                    let message =
                        format!("the patch at {patch}:{at} may give it another name, namespace, kind or cluster");
                    if !release::matters(&key.group, &key.kind) {
                        self.unbound(&path, &key.to_string(), Refused::shape(line, message));
                    }
                    for number in instance.sources() {
                        let outside = Box::new(Share::Outside(context.chain.clone()));
                        self.index.shares[number].insert(outside, overlay.clone());
                    }
                }
            }
            if !somewhere && shapes::declares_groups(&key) {
                let by = elsewhere;
                self.unbound(&path, &key.to_string(), Refused::at(line, Refusal::Outside { by }));
            }
        }
    }

    /// Patches whose manifest is elsewhere (a remote base, a release): they are all that the repository says of the object.
    fn instantiate_orphans(&mut self) {
        for user in 0..self.patches.uses.len() {
            let mut orphans: Vec<(usize, Option<String>)> = Vec::new();
            for Use { target, objects, .. } in &self.patches.uses[user] {
                let named = target.as_ref().and_then(|target| target.name.text());
                let merges = objects
                    .iter()
                    .flatten()
                    .filter(|patch| self.index.objects[**patch].said().is_some());
                let unmatched = merges.filter(|patch| !self.matched.contains(&(user, **patch)));
                orphans.extend(unmatched.map(|patch| (*patch, named.clone())));
            }
            for (patch, named) in orphans {
                let key = self.index.objects[patch].key.clone();
                let path = self.graph.kustomizations[user].path.clone();
                for context in self.graph.contexts(user).to_vec() {
                    let steps = Steps::of(&self.graph, &context.chain);
                    let Some(owner) = self.territories.of_use(&self.graph, &path, &context) else {
                        self.leave_out(patch, &context);
                        continue;
                    };
                    // The name that the object has before it comes here is not known.
                    if steps.renames() {
                        self.index.nameless.insert(patch);
                        continue;
                    }
                    let identity = Identity {
                        management_cluster: owner.clone(),
                        group: key.group.clone(),
                        kind: key.kind.clone(),
                        name: named.clone().unwrap_or_else(|| key.name.clone()),
                        namespace: namespace(&context, &key),
                    };
                    if let Some(mut instance) = self.instance(patch, &identity, &context, &steps) {
                        instance.layers.retain(|layer| *layer != Layer::Object(patch));
                        self.add(identity, instance, Some(path.clone()));
                    }
                }
            }
        }
    }

    /// The patches that reach an object outside of all management clusters: a change of theirs would change that, too.
    fn share_patches_of(&mut self, key: &ObjectKey, context: &Context) {
        let steps = Steps::of(&self.graph, &context.chain);
        let name = steps.name([&key.group, &key.kind, &key.name]);
        let names = [key.name.clone(), name];
        for user in self.graph.patching(&context.chain) {
            for Use { target, objects, .. } in &self.patches.uses[user] {
                let what = [key.group.as_str(), &key.kind];
                let fits = |target: &PatchTarget| target.fits_any(what, &names, [None, None]);
                let fits = target.as_ref().map_or(Fits::Perhaps, fits);
                for patch in objects.iter().flatten().filter(|_| fits != Fits::No) {
                    let patch_key = &self.index.objects[*patch].key;
                    if target.is_some() || patch_key.kind == key.kind && names.contains(&patch_key.name) {
                        let outside = Box::new(Share::Outside(context.chain.clone()));
                        self.index.shares[*patch].insert(outside, Some(self.graph.kustomizations[user].path.clone()));
                    }
                }
            }
        }
    }

    /// Patches that also reach what has no identity here: a change of theirs would change that, too.
    fn share_patches(&mut self) {
        for user in 0..self.patches.uses.len() {
            if self.graph.kustomizations[user].role.applies() {
                continue;
            }
            let path = self.graph.kustomizations[user].path.clone();
            for context in self.graph.contexts(user).to_vec() {
                let steps = Steps::of(&self.graph, &context.chain);
                let is_owned = !steps.uncertain && self.territories.of_use(&self.graph, &path, &context).is_some();
                let patches = self.patches.uses[user]
                    .iter()
                    .flat_map(|used| used.objects.iter().flatten());
                // Where names change, what patches an object that is not in the repository is nobody's that is known.
                let is_orphan = |patch: &usize| {
                    let says = self.index.objects[*patch].said().is_some();
                    says && steps.renames() && !self.matched.contains(&(user, *patch))
                };
                for patch in patches.filter(|patch| !is_owned || is_orphan(patch)) {
                    let outside = Box::new(Share::Outside(context.chain.clone()));
                    self.index.shares[*patch].insert(outside, Some(path.clone()));
                }
            }
        }
    }

    fn add(&mut self, identity: Identity, instance: Instance, overlay: Option<RepoPath>) {
        for number in instance.sources() {
            self.index.shares[number].insert(Box::new(Share::Object(identity.clone())), overlay.clone());
        }
        let instances = self
            .index
            .instances
            .entry(identity)
            .or_insert_with(|| Vec::with_capacity(1));
        if !instances.contains(&instance) {
            instances.push(instance);
        }
    }

    pub(super) fn unbound(&mut self, path: &RepoPath, what: &str, refused: Refused) {
        let Refused { line, refusal } = refused;
        self.index.unbound.push(Unbound {
            path: path.clone(),
            line,
            what: what.to_owned(),
            refusal,
        });
    }
}

/// What a kustomization's namespace leaves of the one that is written: kustomize overwrites it.
fn namespace(context: &Context, key: &ObjectKey) -> Option<String> {
    let written = Some(&key.namespace).filter(|namespace| !namespace.is_empty());
    let namespace = context.namespace.as_ref().or(written);
    namespace.or(context.default_namespace.as_ref()).cloned()
}
