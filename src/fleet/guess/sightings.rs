//! What in a repository speaks of management clusters: their workload clusters, their components, and what Flux and Argo CD apply.

use std::collections::{BTreeMap, BTreeSet};

use smol_str::SmolStr;

use crate::fleet::appliers::{ARGO, FLUX};
use crate::fleet::document::{Document, Manifest};
use crate::fleet::find::find;
use crate::fleet::kustomize;
use crate::fleet::resolve::{Context, Graph};
use crate::fleet::screen::is_manifest_name;
use crate::fleet::shapes::CAPI_GROUP;
use crate::fleet::sources::{self, Origin};
use crate::fleet::tree::FleetTree;
use crate::model::{Refusal, RepoPath};
use crate::policy::catalogue::managers;
use crate::policy::v1alpha1::{API_VERSION, Kind};
use crate::yaml;

use super::appliers::Appliers;
use super::values::is_kamaji;

const OPERATOR: &str = "operator.cluster.x-k8s.io";
const CONTROL_PLANE: &str = "controlplane.cluster.x-k8s.io";
const KAMAJI: &str = "kamaji.clastix.io";
const HELM: &str = "helm.toolkit.fluxcd.io";

/// What a file has to mention to be looked at.
pub(super) const WORDS: [&str; 8] = [
    CAPI_GROUP,
    FLUX,
    ARGO,
    sources::GROUP,
    HELM,
    "fleetscale.io",
    "kamaji",
    "-controller-manager",
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
    /// The files that declare controllers or platforms, or the outermost kustomizations that make something of them elsewhere.
    pub(super) components: BTreeSet<RepoPath>,
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
        let mut waiting = Vec::new();
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
            let mut names = BTreeSet::new();
            let (mut declares, mut homeless, mut component) = (false, true, false);
            for document in manifest.documents().objects {
                let template = document.standing.as_ref().map(|refused| &refused.refusal);
                if matches!(template, Some(Refusal::Template)) {
                    continue;
                }
                sightings.appliers.add(tree, path, &document, &is_another);
                if let (true, Some(folder)) = (is_policy(&document), path.parent()) {
                    *sightings.policies.entry(folder).or_default() += 1;
                }
                component |= is_component(&document);
                if let Some(cluster) = cluster_of(&document) {
                    declares = true;
                    homeless &= document.key.namespace.is_empty();
                    names.extend([document.key.namespace.to_string(), cluster]);
                }
            }
            if !declares && !component {
                continue;
            }
            let contexts = graph.contexts_of_file(path);
            // A base is nobody's; what is made of it is at home where that is done.
            let at = |context: &Context| {
                let outermost = context.chain.last().map(|index| &graph.kustomizations[*index].path);
                let elsewhere = outermost.filter(|outermost| {
                    let folder = outermost.parent();
                    folder.is_some_and(|folder| !path.is_under(&folder))
                });
                elsewhere.unwrap_or(path).clone()
            };
            if component {
                sightings.components.extend(contexts.iter().map(|context| at(context)));
            }
            if !declares {
                continue;
            }
            if homeless && contexts.iter().all(|context| context.chain.is_empty()) {
                waiting.push((path.clone(), names));
                continue;
            }
            for context in contexts {
                let mut names = names.clone();
                names.extend(context.namespace.as_ref().map(SmolStr::to_string));
                let at = at(&context);
                sightings.workloads.push(Workload { at, names });
            }
        }
        sightings.appliers.name();
        sightings.settle(waiting);
        sightings
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

/// The cluster that an object is or belongs to.
fn cluster_of(document: &Document<'_>) -> Option<String> {
    let text = |below: &[&str]| find(document.root, below).and_then(|node| node.text().map(str::to_owned));
    match (document.key.group.as_str(), document.key.kind.as_str()) {
        (CAPI_GROUP, "Cluster") | (KAMAJI, "TenantControlPlane") => Some(document.key.name.to_string()),
        (CONTROL_PLANE, kind) if kind.ends_with("ControlPlane") => Some(document.key.name.to_string()),
        (CAPI_GROUP, "MachineDeployment" | "MachinePool") => Some(text(&["spec", "clusterName"]).unwrap_or_default()),
        _ => None,
    }
}

fn is_policy(document: &Document<'_>) -> bool {
    let version = find(document.root, &["apiVersion"]).and_then(yaml::Node::text);
    version == Some(API_VERSION) && Kind::of(&document.key.kind).is_some_and(|kind| kind != Kind::Fleet)
}

fn is_component(document: &Document<'_>) -> bool {
    match (document.key.group.as_str(), document.key.kind.as_str()) {
        ("apps", "Deployment") => managers().any(|(_, manager)| manager.deployment == document.key.name),
        (HELM, "HelmRelease") | (OPERATOR, _) => true,
        (_, "") => is_kamaji(document),
        _ => false,
    }
}
