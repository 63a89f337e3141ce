//! Releases of Helm charts as the repository declares them: a `HelmRelease` of Flux, an `Application` of Argo CD, one of those that an
//! `ApplicationSet` makes, or a chart that a kustomization inflates.
//!
//! A release is its chart's name and the sources of its values in the order of their precedence. Nothing is rendered: a key is looked for in
//! one source after the other, and the first that says anything of it is the place that takes effect. A source that can't be read may say
//! anything, so that what lies below it is found and refused.

mod argo;
mod ask;
mod config_maps;
mod effective;
mod flux;
mod helm_charts;
mod installed;
mod renderers;
mod wanted;

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{ManagementClusterName, Refusal, RepoPath, Unbound};
use crate::policy::FleetFile;

use super::document::At;
use super::field::Field;
use super::gate::Refused;
use super::ignored::Ignored;
use super::index::{Identity, Index, Instance};
use super::tree::FleetTree;

pub(super) use argo::OVERRIDE;
pub(super) use ask::Asker;
pub(super) use installed::{destinations, speaks_of_a_component};
pub(super) use renderers::Rendered;
pub(super) use wanted::Wanted;

/// What the files of releases mention, and those of the ConfigMaps that they refer to.
pub(super) const WORDS: [&str; 5] = [flux::GROUP, argo::GROUP, "ConfigMap", "/data", helm_charts::GENERATOR];

/// Whether an object of this kind declares a release, or values of one.
pub(super) fn matters(group: &str, kind: &str) -> bool {
    matches!(
        (group, kind),
        (flux::GROUP, flux::KIND) | (argo::GROUP, argo::APPLICATION | argo::SET) | ("", "ConfigMap")
    )
}

/// A release of a chart in a management cluster.
#[derive(Debug, Clone)]
pub(super) struct Release {
    /// Where it is installed.
    pub(super) management_cluster: ManagementClusterName,
    /// The file that declares it.
    pub(super) path: RepoPath,
    /// The line on which its declaration begins.
    pub(super) line: usize,
    /// Its name.
    pub(super) name: String,
    /// The name of its chart, as far as it is known.
    pub(super) chart: Option<String>,
    /// Where its values are written, the source that wins over all others first.
    pub(super) sources: Vec<Source>,
    /// The hold annotations of what declares it.
    pub(super) holds: Vec<String>,
    /// What is changed in what its chart renders, in this order.
    patches: Vec<renderers::Patch>,
    /// The fields of what its chart renders that whoever applies it leaves to others.
    ignored: Vec<Ignored>,
    /// Why nothing of it may be changed.
    pub(super) refused: Option<Refused>,
}

impl Release {
    /// Who owns a field of an object that its chart renders, if whoever applies it leaves the field alone.
    ///
    /// Charts name objects after their release, so that the object has several names as far as is known here.
    fn owner(&self, [group, kind]: [&str; 2], names: &[&str], field: &Field<'_>) -> Option<Refusal> {
        let covers = |ignored: &&Ignored| {
            let means = names.iter().any(|name| ignored.means([group, kind, name], None));
            means && ignored.covers(field)
        };
        self.ignored.iter().find(covers).map(Ignored::refusal)
    }
}

/// Where a document is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Spot {
    /// The file.
    pub(super) path: RepoPath,
    /// Where it stands in the file.
    pub(super) at: At,
    /// Its number among [`Index::objects`], if it is one of them.
    pub(super) object: Option<usize>,
}

/// Something that values come from.
#[derive(Debug, Clone)]
pub(super) enum Source {
    /// A mapping in an object, after everything that is merged over that.
    Fields {
        /// The object.
        identity: Identity,
        /// How it comes to be.
        instance: Instance,
        /// The keys that lead to the mapping.
        below: &'static [&'static str],
    },
    /// A mapping in a document.
    Mapping {
        /// The document.
        spot: Spot,
        /// The way to the mapping.
        below: Vec<String>,
    },
    /// The text of a scalar, which is YAML itself.
    Text {
        /// The document.
        spot: Spot,
        /// The way to the scalar.
        below: Vec<String>,
    },
    /// A file of this repository.
    File(RepoPath),
    /// One value at a path of its own, as `helm --set` takes it.
    Set {
        /// The path.
        path: Vec<String>,
        /// The document.
        spot: Spot,
        /// The way to the scalar.
        below: Vec<String>,
        /// What stands before the value in its text.
        prefix: String,
    },
    /// Something that may say anything.
    Anything {
        /// The file that refers to it.
        path: RepoPath,
        /// The line.
        line: usize,
        /// What it is.
        what: String,
    },
}

/// All releases of a repository.
#[derive(Debug, Default)]
pub(super) struct Releases {
    /// In the order of the files.
    pub(super) all: Vec<Release>,
    /// What looks like a release and can't be bound.
    pub(super) unbound: Vec<Unbound>,
    /// By file and document: the releases that take values from there, each with its file and name.
    users: BTreeMap<(RepoPath, String), Vec<(RepoPath, String)>>,
}

impl Releases {
    /// Finds the releases of a tree.
    pub(super) fn of(fleet: &FleetFile, tree: &FleetTree, index: &Index<'_>) -> Self {
        let mut releases = Self::default();
        let generators = config_maps::Generators::read(fleet, tree);
        let declared = index
            .instances
            .iter()
            .filter(|(identity, _)| identity.kind == flux::KIND && identity.group == flux::GROUP);
        for (identity, instances) in declared {
            for instance in instances {
                let made = flux::release(tree, index, &generators, identity, instance);
                releases.add(made);
            }
        }
        for release in argo::releases(fleet, tree, index) {
            releases.add(Ok(release));
        }
        for made in helm_charts::releases(tree, index) {
            releases.add(made);
        }
        releases
            .all
            .sort_by(|one, other| (&one.path, one.line).cmp(&(&other.path, other.line)));
        releases
    }

    fn add(&mut self, made: Result<Release, Unbound>) {
        let release = match made {
            Ok(release) => release,
            Err(unbound) => return self.unbound.push(unbound),
        };
        let used: BTreeSet<(RepoPath, String)> = release.sources.iter().filter_map(Source::address).collect();
        for address in used {
            self.users
                .entry(address)
                .or_default()
                .push((release.path.clone(), release.name.clone()));
        }
        self.all.push(release);
    }

    /// The releases of a management cluster.
    pub(super) fn on<'a>(&'a self, management_cluster: &'a ManagementClusterName) -> impl Iterator<Item = &'a Release> {
        self.all
            .iter()
            .filter(move |release| release.management_cluster == *management_cluster)
    }

    /// The releases that take values from a source.
    fn users(&self, source: &Source) -> &[(RepoPath, String)] {
        let users = source.address().and_then(|address| self.users.get(&address));
        users.map_or(&[], Vec::as_slice)
    }
}

impl Source {
    /// What tells the document that values are in from every other; nothing for what is not shared by way of a reference.
    fn address(&self) -> Option<(RepoPath, String)> {
        match self {
            Self::Fields { .. } | Self::Anything { .. } => None,
            Self::File(path) => Some((path.clone(), String::new())),
            Self::Mapping { spot, below } | Self::Text { spot, below } | Self::Set { spot, below, .. } => {
                let At {
                    document,
                    prefix,
                    outer,
                } = &spot.at;
                let outer = outer.as_ref().map(|outer| (outer.index, outer.pointer.to_string()));
                Some((
                    spot.path.clone(),
                    format!("{document}{prefix} {outer:?} {}", below.join("/")),
                ))
            }
        }
    }
}

/// A key of an object that belongs to a management cluster.
fn owner(identity: &Identity) -> ManagementClusterName {
    identity.management_cluster.clone()
}
