//! Who applies which folder to which cluster, as far as Flux and Argo CD objects in the repository say so.
//!
//! What has no destination applies to the cluster that it lives in, and that is the one that it is applied to itself.

use std::collections::{BTreeMap, BTreeSet};

use crate::fleet::applied;
use crate::fleet::appliers::{ARGO, FLUX};
use crate::fleet::document::Document;
use crate::fleet::find::find;
use crate::fleet::generated::Element;
use crate::fleet::sources::Origin;
use crate::fleet::tree::FleetTree;
use crate::model::RepoPath;

use super::names::{is_among_management_clusters, is_generic, slug};

/// The longest chain of objects that apply each other that is followed; it also ends circles.
const LONGEST_CHAIN: usize = 8;

/// An object by which something is applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Applier {
    /// The file that it stands in.
    pub(super) file: RepoPath,
    /// What it is, for people: `Kustomization flux-system/capi (apps/eu-1/management.yaml:2)`.
    pub(super) who: String,
    /// The folder that it applies; nothing for the whole repository.
    pub(super) folder: Option<RepoPath>,
    /// The cluster that it applies to by its name; nothing for the one that it lives in.
    pub(super) destination: Option<String>,
    /// Whether it applies to another cluster, or to several, whose names are not told.
    is_nameless: bool,
    /// The namespace of what it applies.
    pub(super) namespace: Option<String>,
    /// What that cluster may be called: its destination, or else the folders that the object stands in.
    pub(super) names: Vec<String>,
    /// What the file that it stands in is called: after the cluster, or after what it applies.
    pub(super) stem: Option<String>,
    /// What bears the first of the names, if it is not the destination.
    pub(super) bearer: Option<RepoPath>,
    /// Whether the first of the names is surely the cluster's: everything that is applied from a cluster's own folder is applied to it.
    pub(super) is_certain: bool,
}

/// The names that the place of an object tells, each with what bears it.
struct Bearers {
    /// Of folders, the nearest first.
    folders: Vec<(String, RepoPath)>,
    /// Of the file.
    stem: Option<(String, RepoPath)>,
    /// Whether the nearest folder is surely a cluster's own.
    is_certain: bool,
}

impl Applier {
    /// What it applies, and where to.
    pub(super) fn words(&self) -> String {
        let what = self.folder.as_ref().map_or("the whole repository", RepoPath::as_str);
        match &self.destination {
            Some(destination) => format!("{} applies {what} to {destination}", self.who),
            None => format!("{} applies {what}", self.who),
        }
    }

    /// What its cluster is called as far as anybody knows.
    pub(super) fn name(&self) -> Option<&String> {
        self.names.first()
    }

    /// The names of folders that would be those of its cluster.
    pub(super) fn evidence(&self) -> impl Iterator<Item = &String> {
        let names = if self.is_certain { 1 } else { self.names.len() };
        let stem = self.stem.as_ref().filter(|_| !self.is_certain);
        self.names.iter().take(names).chain(stem)
    }
}

/// All of them.
#[derive(Debug, Default)]
pub(super) struct Appliers {
    all: Vec<Applier>,
    by_folder: BTreeMap<Option<RepoPath>, Vec<usize>>,
}

impl Appliers {
    /// Adds what an object applies of this repository.
    pub(super) fn add(
        &mut self,
        tree: &FleetTree,
        file: &RepoPath,
        document: &Document<'_>,
        is_another: &dyn Fn(&RepoPath, &Origin) -> bool,
    ) {
        for (element, sources) in applied::applications(document) {
            let ours = sources.into_iter().filter(|(_, whence)| {
                let (object, whence) = (document.key.clone(), whence.clone());
                !is_another(file, &Origin { object, whence })
            });
            let folders: BTreeSet<_> = ours.filter_map(|(text, _)| applied::folder(&text).ok()).collect();
            self.add_application(tree, (file, document, &element), folders);
        }
    }

    /// Adds what one Application applies, or an object of Flux.
    fn add_application(
        &mut self,
        tree: &FleetTree,
        (file, document, element): (&RepoPath, &Document<'_>, &Element),
        folders: BTreeSet<Option<RepoPath>>,
    ) {
        let text = |below: &[&str]| {
            let text = find(document.root, below)?.text()?;
            Some(element.fill(text).unwrap_or_else(|| text.to_owned()))
        };
        let (destination, namespace, is_elsewhere) = match document.key.group.as_str() {
            // The Secret of a Cluster API cluster is `<cluster>-kubeconfig`.
            FLUX => {
                let secret = text(&["spec", "kubeConfig", "secretRef", "name"]);
                let name = secret.map(|secret| secret.strip_suffix("-kubeconfig").unwrap_or(&secret).to_owned());
                let is_elsewhere = find(document.root, &["spec", "kubeConfig"]).is_some();
                (name, text(&["spec", "targetNamespace"]), is_elsewhere)
            }
            ARGO => {
                let spec: &[&str] = match document.key.kind.as_str() {
                    "ApplicationSet" => &["spec", "template", "spec", "destination"],
                    _ => &["spec", "destination"],
                };
                let text = |key| text(&[spec, &[key]].concat());
                let (name, server) = (text("name").filter(|name| name != "in-cluster"), text("server"));
                let is_elsewhere = name.is_some() || server.as_ref().is_some_and(|server| !is_own(server));
                let name = name.or_else(|| host(&server?));
                (name, text("namespace"), is_elsewhere)
            }
            _ => return,
        };
        // What an ApplicationSet fills in is known to Argo CD alone.
        let told = |text: &String| !text.contains("{{");
        let destination = destination.filter(told).as_deref().and_then(slug);
        for folder in folders {
            if folder.as_ref().is_none_or(|folder| tree.has_folder(folder)) {
                self.by_folder.entry(folder.clone()).or_default().push(self.all.len());
                self.all.push(Applier {
                    file: file.clone(),
                    who: format!("{} ({file}:{})", document.key, document.line()),
                    folder,
                    is_nameless: is_elsewhere && destination.is_none(),
                    destination: destination.clone(),
                    namespace: namespace.clone().filter(told),
                    names: Vec::new(),
                    stem: None,
                    bearer: None,
                    is_certain: false,
                });
            }
        }
    }

    /// Finds the names, which takes all of them.
    pub(super) fn name(&mut self) {
        let bearers: Vec<Bearers> = self.all.iter().map(|applier| self.bearers_of(applier)).collect();
        for index in 0..self.all.len() {
            let root = self.root_of(index, &bearers);
            let Bearers { folders, stem, .. } = &bearers[index];
            let applier = &mut self.all[index];
            if let Some(name) = &applier.destination {
                applier.names = vec![name.clone()];
                applier.is_certain = true;
                continue;
            }
            applier.is_certain = root.is_some();
            let (names, bearers): (Vec<String>, Vec<Option<RepoPath>>) = match root {
                Some(root) => vec![root],
                None => {
                    let own = folders.iter().chain(stem.iter().filter(|_| folders.is_empty()));
                    own.map(|(name, bearer)| (name.clone(), Some(bearer.clone()))).collect()
                }
            }
            .into_iter()
            .unzip();
            applier.names = names;
            applier.bearer = bearers.into_iter().next().flatten();
            applier.stem = stem.as_ref().map(|(name, _)| name.clone());
        }
    }

    /// The cluster that an object surely lives in, if its own folder or those of whatever applies it tell, and the folder that does.
    fn root_of(&self, index: usize, bearers: &[Bearers]) -> Option<(String, Option<RepoPath>)> {
        let mut at = index;
        for _ in 0..LONGEST_CHAIN {
            let applier = &self.all[at];
            if applier.is_nameless {
                return None;
            }
            if let Some(name) = &applier.destination {
                return Some((name.clone(), None));
            }
            if let (true, Some((name, bearer))) = (bearers[at].is_certain, bearers[at].folders.first()) {
                return Some((name.clone(), Some(bearer.clone())));
            }
            let (_, above) = self.nearest(&applier.file)?;
            let mut others = above.iter().filter(|other| self.all[**other].file != applier.file);
            at = match (others.next(), others.next()) {
                (Some(only), None) => *only,
                _ => return None,
            };
        }
        None
    }

    /// The folders and the file of an object that bear a name, with that name.
    fn bearers_of(&self, applier: &Applier) -> Bearers {
        let file = &applier.file;
        let telling = |bearer: RepoPath, text: &str| {
            let name = slug(text).filter(|name| !is_generic(name))?;
            Some((name, bearer))
        };
        // `eu-1/flux-system/gotk-sync.yaml` is in the folder of eu-1 as `eu-1/apps.yaml` is.
        let mut folders = std::iter::successors(file.parent(), RepoPath::parent);
        let nearest = folders.find_map(|folder| telling(folder.clone(), folder.file_name()));
        // Whatever is applied as one may be spread over folders.
        let entry = self.nearest(file).and_then(|(folder, _)| folder.clone());
        let entry = entry.and_then(|folder| telling(folder.clone(), folder.file_name()));
        let stem = file.file_name().rsplit_once('.').map_or("", |(stem, _)| stem);
        let is_certain = nearest.as_ref().is_some_and(|(_, folder)| self.is_of_a_cluster(folder));
        Bearers {
            folders: nearest.into_iter().chain(entry).collect(),
            stem: telling(file.clone(), stem),
            is_certain,
        }
    }

    /// Whether a folder is surely a cluster's own: by where it lies, or because something in it applies it (Flux's `gotk-sync.yaml`).
    fn is_of_a_cluster(&self, folder: &RepoPath) -> bool {
        let by_place = is_among_management_clusters(folder);
        let applied = self.by_folder.get(&Some(folder.clone())).into_iter().flatten();
        by_place || applied.into_iter().any(|index| self.all[*index].file.is_under(folder))
    }

    fn nearest(&self, path: &RepoPath) -> Option<(&Option<RepoPath>, &Vec<usize>)> {
        let mut at = Some(path.clone());
        loop {
            if let Some(found) = self.by_folder.get_key_value(&at) {
                return Some(found);
            }
            at = at?.parent();
        }
    }

    /// All of them.
    pub(super) fn all(&self) -> impl Iterator<Item = &Applier> {
        self.all.iter()
    }

    /// Whether there is nothing that applies anything.
    pub(super) fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// Those who apply the nearest folder that contains a path.
    pub(super) fn owners_of(&self, path: &RepoPath) -> Vec<&Applier> {
        let nearest = self.nearest(path).into_iter().flat_map(|(_, found)| found);
        nearest.map(|index| &self.all[*index]).collect()
    }

    /// The folders that are applied, each with those who do it.
    pub(super) fn folders(&self) -> impl Iterator<Item = (&RepoPath, Vec<&Applier>)> {
        let folders = self.by_folder.iter();
        folders.filter_map(|(folder, found)| {
            let appliers = found.iter().map(|index| &self.all[*index]);
            Some((folder.as_ref()?, appliers.collect()))
        })
    }
}

/// What tells an API server's address from those of other clusters: the first label of its name.
fn host(server: &str) -> Option<String> {
    let (_, rest) = server.split_once("://")?;
    let name = rest.split(['/', ':', '?', '#']).next()?;
    let first = name.split('.').next()?;
    let tells = !is_own(server) && name.parse::<std::net::Ipv4Addr>().is_err();
    (tells && !first.is_empty()).then(|| first.to_owned())
}

/// Whether an API server's address is that of the cluster that asks.
fn is_own(server: &str) -> bool {
    let name = server.split_once("://").map_or(server, |(_, rest)| rest);
    ["kubernetes", "localhost"].contains(&name.split(['.', '/', ':', '?', '#']).next().unwrap_or_default())
}
