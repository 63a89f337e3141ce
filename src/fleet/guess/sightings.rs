//! What in a repository speaks of management clusters: their workload clusters, their components, and what Flux and Argo CD apply.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use smol_str::SmolStr;

use crate::fleet::appliers::{ARGO, FLUX};
use crate::fleet::document::{Document, Manifest};
use crate::fleet::find::find;
use crate::fleet::kustomize;
use crate::fleet::release;
use crate::fleet::resolve::{Context, Graph};
use crate::fleet::screen::is_manifest_name;
use crate::fleet::shapes::CAPI_GROUP;
use crate::fleet::sources::{self, Origin};
use crate::fleet::tree::FleetTree;
use crate::model::{Refusal, RepoPath};
use crate::policy::v1alpha1::{API_VERSION, Kind};
use crate::yaml;

use super::appliers::Appliers;
use super::names::slug;
use super::patches::Patches;
use super::seen::{Component, HELM, Seen};

/// What a file has to mention to be looked at.
pub(super) const WORDS: [&str; 8] = [
    CAPI_GROUP,
    FLUX,
    ARGO,
    sources::GROUP,
    HELM,
    "fleetscale.io",
    "kamaji",
    // A kustomization may put `capi-` before it.
    "controller-manager",
];

/// A file with workload clusters or their parts, and where it comes to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Workload {
    /// The file, or the outermost kustomization that makes something of it elsewhere.
    pub(super) at: RepoPath,
    /// The names of namespaces and clusters, which folders below that of a management cluster bear.
    pub(super) names: BTreeSet<String>,
}

/// All of it.
#[derive(Debug, Default)]
pub(super) struct Sightings {
    /// In the order of their paths.
    pub(super) workloads: Vec<Workload>,
    /// The files that declare controllers or platforms, or the outermost kustomizations that make something of them elsewhere, each with
    /// whether it surely does: any release of a chart may be that of a component.
    pub(super) components: BTreeMap<RepoPath, bool>,
    /// By name: the clusters in which Argo CD installs the chart of a component, each with the file that says so.
    pub(super) destinations: BTreeMap<String, RepoPath>,
    /// Who applies what.
    pub(super) appliers: Appliers,
    /// By folder: how many policies of this program it holds.
    pub(super) policies: BTreeMap<RepoPath, usize>,
    /// The folders of clusters that wait.
    pub(super) requests: BTreeSet<RepoPath>,
}

impl Sightings {
    /// Looks at every file of a tree once.
    pub(super) fn of(tree: &FleetTree) -> Self {
        let mut sightings = Self::default();
        let graph = Graph::of_folders(tree);
        // Whose files are whose is what is to be found out.
        let nobodys: sources::OwnerOf<'_> = &|_, _, _| None;
        let own = Some(tree.addresses().to_vec()).filter(|own| !own.is_empty());
        let known = own.map(|own| sources::graph(tree, own, nobodys));
        let is_another = |path: &RepoPath, origin: &Origin| {
            let known = known.as_ref();
            known.is_some_and(|(graph, known)| known.is_another(tree, graph, path, origin, nobodys))
        };
        let patches = Patches::of(&graph);
        let mut waiting = Vec::new();
        let mut in_patches: Vec<(usize, RepoPath, Seen)> = Vec::new();
        // The kustomizations that make something of what is in the repository.
        let mut makers: BTreeSet<usize> = BTreeSet::new();
        for (path, bytes) in tree.kept() {
            if !is_manifest_name(path.file_name()) || kustomize::is_name(path.file_name()) {
                continue;
            }
            // A fleet has far more node groups than anything else, and most files of a repository are none of this.
            if !yaml::mentions(bytes, &WORDS) {
                continue;
            }
            let Ok(manifest) = Manifest::open(tree, path) else {
                continue;
            };
            let contexts = graph.contexts_of_file(path);
            let mut seen = Seen::default();
            for document in manifest.documents().objects {
                let template = document.standing.as_ref().map(|refused| &refused.refusal);
                if matches!(template, Some(Refusal::Template)) {
                    continue;
                }
                sightings.appliers.add(tree, path, &document, &is_another);
                if let (true, Some(folder)) = (is_policy(&document), path.parent()) {
                    *sightings.policies.entry(folder).or_default() += 1;
                }
                if release::speaks_of_a_component(&document) {
                    let names = release::destinations(&document).into_iter();
                    let names = names.filter_map(|name| slug(&name));
                    sightings.destinations.extend(names.map(|name| (name, path.clone())));
                }
                seen.look(&document, &graph, &contexts);
            }
            if !seen.declares && seen.component == Component::No {
                continue;
            }
            if let Some(users) = patches.users_of(path) {
                // A patch says nothing of where it is at home: its kustomization does.
                in_patches.extend(users.iter().map(|user| (*user, path.clone(), seen.clone())));
                continue;
            }
            makers.extend(contexts.iter().flat_map(|context| &context.chain));
            let is_listed = contexts.iter().any(|context| !context.chain.is_empty());
            if seen.declares && !seen.has_a_home && !is_listed {
                sightings.add_component(path, seen.component);
                waiting.push((path.clone(), seen.names));
                continue;
            }
            sightings.add(&graph, path, &seen, &contexts);
        }
        in_patches.extend(patches.in_texts(tree, &graph));
        for (user, path, seen) in in_patches {
            // Whatever they patch has been seen, unless it lies in another repository.
            if !makers.contains(&user) {
                sightings.add(&graph, &path, &seen, graph.contexts(user));
            }
        }
        sightings.appliers.name();
        sightings.settle(waiting);
        sightings
    }

    /// Adds what is in a file, once for each of its uses.
    fn add(&mut self, graph: &Graph, path: &RepoPath, seen: &Seen, contexts: &[Rc<Context>]) {
        for context in contexts {
            // A base is nobody's; what is made of it is at home where that is done.
            let outermost = context.chain.last().map(|index| &graph.kustomizations[*index].path);
            let elsewhere = outermost.filter(|outermost| {
                let folder = outermost.parent();
                folder.is_some_and(|folder| !path.is_under(&folder))
            });
            let at = elsewhere.unwrap_or(path).clone();
            self.add_component(&at, seen.component);
            if seen.declares {
                let mut names = seen.names.clone();
                names.extend(context.namespace.as_ref().map(SmolStr::to_string));
                self.workloads.push(Workload { at, names });
            }
        }
    }

    fn add_component(&mut self, at: &RepoPath, component: Component) {
        if component != Component::No {
            *self.components.entry(at.clone()).or_default() |= component == Component::Yes;
        }
    }

    /// Tells manifests that wait for a place from those whose namespace the one who applies them gives.
    fn settle(&mut self, waiting: Vec<(RepoPath, BTreeSet<String>)>) {
        for (path, names) in waiting {
            let applied = !self.appliers.owners_of(&path).is_empty();
            let mut folders = path.as_str().split('/').rev().skip(1);
            let named = folders.any(|part| matches!(part, "request" | "requests"));
            match path.parent() {
                Some(folder) if named || !applied && !self.appliers.is_empty() => {
                    self.requests.insert(folder);
                }
                _ => self.workloads.push(Workload { at: path, names }),
            }
        }
        for Workload { names, .. } in &mut self.workloads {
            names.remove("");
        }
        self.workloads.sort_by(|a, b| a.at.cmp(&b.at));
    }
}

fn is_policy(document: &Document<'_>) -> bool {
    let version = find(document.root, &["apiVersion"]).and_then(yaml::Node::text);
    version == Some(API_VERSION) && Kind::of(&document.key.kind).is_some_and(|kind| kind != Kind::Fleet)
}
