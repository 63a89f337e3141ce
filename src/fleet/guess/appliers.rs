//! Who applies which folder to which cluster, as far as Flux and Argo CD objects in the repository say so.

use std::collections::{BTreeMap, BTreeSet};

use crate::fleet::applied;
use crate::fleet::appliers::{ARGO, FLUX};
use crate::fleet::document::Document;
use crate::fleet::find::find;
use crate::fleet::sources::Origin;
use crate::fleet::tree::FleetTree;
use crate::model::RepoPath;

use super::names::{is_generic, slug};

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
    /// What that cluster may be called: its destination, or else the folders and the file that the object stands in.
    pub(super) names: Vec<String>,
    /// What bears the first of the names, if it is not the destination.
    pub(super) bearer: Option<RepoPath>,
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
        let text = |below: &[&str]| find(document.root, below).and_then(|node| node.text().map(str::to_owned));
        let destination = match document.key.group.as_str() {
            // The Secret of a Cluster API cluster is `<cluster>-kubeconfig`.
            FLUX => text(&["spec", "kubeConfig", "secretRef", "name"])
                .map(|secret| secret.strip_suffix("-kubeconfig").unwrap_or(&secret).to_owned()),
            ARGO => text(&["spec", "destination", "name"])
                .filter(|name| name != "in-cluster")
                .or_else(|| host(&text(&["spec", "destination", "server"])?)),
            _ => return,
        };
        // What an ApplicationSet fills in is known to Argo CD alone.
        let destination = destination.filter(|name| !name.contains("{{"));
        let folders = applied::sources(document);
        let ours = folders.into_iter().filter(|(_, whence)| {
            let (object, whence) = (document.key.clone(), whence.clone());
            !is_another(file, &Origin { object, whence })
        });
        let folders: BTreeSet<_> = ours.filter_map(|(text, _)| applied::folder(&text).ok()).collect();
        for folder in folders {
            if folder.as_ref().is_none_or(|folder| tree.has_folder(folder)) {
                self.by_folder.entry(folder.clone()).or_default().push(self.all.len());
                self.all.push(Applier {
                    file: file.clone(),
                    who: format!("{} ({file}:{})", document.key, document.line()),
                    folder,
                    destination: destination.as_deref().and_then(slug),
                    names: Vec::new(),
                    bearer: None,
                });
            }
        }
    }

    /// Finds the names, which takes all of them.
    pub(super) fn name(&mut self) {
        for index in 0..self.all.len() {
            let bearers = self.bearers_of(&self.all[index]);
            let applier = &mut self.all[index];
            match &applier.destination {
                Some(name) => applier.names = vec![name.clone()],
                None => {
                    applier.bearer = bearers.first().map(|(_, bearer)| bearer.clone());
                    applier.names = bearers.into_iter().map(|(name, _)| name).collect();
                }
            }
        }
    }

    /// The folders and the file of an object that bear a name, with that name.
    fn bearers_of(&self, applier: &Applier) -> Vec<(String, RepoPath)> {
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
        let stem = telling(file.clone(), stem);
        [nearest, entry, stem].into_iter().flatten().collect()
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
    let own = matches!(first, "kubernetes" | "localhost") || name.parse::<std::net::Ipv4Addr>().is_ok();
    (!own && !first.is_empty()).then(|| first.to_owned())
}
