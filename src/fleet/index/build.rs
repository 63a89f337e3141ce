//! Makes the index: reads the objects and the kustomizations, and finds every way in which an object comes to be.

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use smol_str::SmolStr;

use crate::fleet::document::{At, Opened};
use crate::fleet::gate::Refused;
use crate::fleet::kustomize::{self, Role};
use crate::fleet::owners;
use crate::fleet::patch_target::{Fits, PatchTarget};
use crate::fleet::release;
use crate::fleet::resolve::{Context, Graph};
use crate::fleet::screen::is_manifest_name;
use crate::fleet::shapes;
use crate::fleet::sources;
use crate::fleet::steps::Steps;
use crate::fleet::substitute::Substituter;
use crate::fleet::tree::FleetTree;
use crate::model::{ObjectKey, Refusal, RepoPath, Unbound};
use crate::policy::FleetFile;
use crate::yaml;

use super::patches::{self, Patches, Use};
use super::reading::{self, Declarations};
use super::shares::{Share, Shares};
use super::territories::Territories;
use super::{Identity, Index, Instance, Layer, Object};

/// The most objects that are told apart, counting one for each overlay. A fleet of 15,000 clusters has a tenth of it; what is beyond is
/// refused, so that a hostile repository costs bounded memory.
pub(super) const MOST_INSTANCES: usize = 1_000_000;

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
        let territories = Territories::of(fleet);
        let owner_of = |graph: &Graph, path: &RepoPath, context: &Context| territories.of_use(graph, path, context);
        let (graph, sources) = sources::graph(tree, sources::own_addresses(fleet, tree), &owner_of);
        let mut builder = Builder {
            tree,
            graph,
            territories,
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
                sources,
                graph: Graph::default(),
                territories: Territories::default(),
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
        builder.index.shares = vec![Shares::default(); builder.index.objects.len()];
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
        builder.index.territories = builder.territories;
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
        let is_asked_for = |path: &RepoPath| {
            let name = path.file_name();
            let is_declaration = is_manifest_name(name) && !kustomize::is_name(name);
            is_declaration && !without.iter().any(|folder| path.is_under(folder))
        };
        let tree = self.tree;
        let files: Vec<_> = tree.kept().filter(|(path, _)| is_asked_for(path)).collect();
        let Declarations { objects, unbound } = reading::read_all(tree, &files);
        self.index.objects.extend(objects);
        self.index.unbound.extend(unbound);
        for (path, bytes) in tree.too_large() {
            if self.territories.of_file(path).is_some() {
                self.unbound(path, "file", Refused::at(0, Refusal::TooLarge { bytes }));
            }
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
            let appliers: BTreeSet<usize> = contexts
                .iter()
                .flat_map(|context| context.chain.iter().copied())
                .collect();
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
                    let outside = Share::Outside(context.chain.as_slice().into());
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
                    namespace: context.namespace_of(&key),
                };
                if steps.uncertain {
                    let message = "a kustomization above it changes its name (namePrefix or nameSuffix) by a variable, or changes more than \
                                   names (configurations or crds)";
                    if !release::matters(&key.group, &key.kind) {
                        self.unbound(&path, &key.to_string(), Refused::shape(line, message));
                    }
                    self.index.shares[number].insert(Share::Outside(context.chain.as_slice().into()), overlay);
                } else if let Some(instance) = self.instance(number, &identity, &context, &steps) {
                    let Some((patch, at)) = instance.renamed.as_deref() else {
                        self.add(identity, instance, overlay, &context.chain);
                        continue;
                    };
                    let message =
                        format!("the patch at {patch}:{at} may give it another name, namespace, kind or cluster");
                    if !release::matters(&key.group, &key.kind) {
                        self.unbound(&path, &key.to_string(), Refused::shape(line, message));
                    }
                    for number in instance.sources() {
                        let outside = Share::Outside(context.chain.as_slice().into());
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
                        name: named.as_ref().map_or_else(|| key.name.clone(), SmolStr::from),
                        namespace: context.namespace_of(&key),
                    };
                    if let Some(mut instance) = self.instance(patch, &identity, &context, &steps) {
                        instance.layers.retain(|layer| *layer != Layer::Object(patch));
                        self.add(identity, instance, Some(path.clone()), &context.chain);
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
                        let outside = Share::Outside(context.chain.as_slice().into());
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
                    let outside = Share::Outside(context.chain.as_slice().into());
                    self.index.shares[*patch].insert(outside, Some(path.clone()));
                }
            }
        }
    }

    fn add(&mut self, identity: Identity, instance: Instance, overlay: Option<RepoPath>, chain: &[usize]) {
        let doubtful = |user: &&usize| self.graph.kustomizations[**user].doubt.is_some();
        let identity = Rc::new(identity);
        for number in instance.sources() {
            let shares = &mut self.index.shares[number];
            shares.insert(Share::Object(Rc::clone(&identity)), overlay.clone());
            for user in chain.iter().filter(doubtful) {
                shares.insert(Share::Doubtful(*user), overlay.clone());
            }
        }
        let instances = self
            .index
            .instances
            .entry(identity)
            .or_insert_with(|| Vec::with_capacity(1));
        // Two that apply the same are one, and it is suspended only if both are.
        let suspended = instance.suspended.clone();
        let is_same = |other: &&mut Instance| {
            Instance {
                suspended: suspended.clone(),
                ..(**other).clone()
            } == instance
        };
        match instances.iter_mut().find(is_same) {
            Some(same) => same.suspended = same.suspended.take().and(suspended),
            None => instances.push(instance),
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
