//! What applies folders of the repository: Flux Kustomizations and Argo CD Applications, read as kustomizations of their own.
//!
//! Both may patch what they apply, give it a namespace and rename it, just as a kustomization does, and after everything in the folder has
//! had its say. Absent on purpose: Helm (a release is no kustomization), and whether what they apply is of this repository, which `sources`
//! tells.

mod argo;

use smol_str::SmolStr;

use crate::yaml::{self, Node};

use super::affixes::Affixes;
use super::common_annotations::CommonAnnotations;
use super::document::{Document, Manifest};
use super::find::find;
use super::ignored::Ignored;
use super::kustomize::{Kustomization, Listed, Role, patches};
use super::sources::{self, GitRepository, Origin, Whence};
use super::tree::FleetTree;

/// The API group of Flux's Kustomization.
pub(super) const FLUX: &str = "kustomize.toolkit.fluxcd.io";

/// The API group of Argo CD.
pub(super) const ARGO: &str = "argoproj.io";

/// What speaks of repositories in a tree.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// What applies folders, in the order of the files.
    pub(super) appliers: Vec<Kustomization>,
    /// What Flux fetches with Git.
    pub(super) repositories: Vec<GitRepository>,
    /// Every address that is named.
    pub(super) addresses: Vec<String>,
}

/// Reads all of them.
pub(super) fn read(tree: &FleetTree) -> Found {
    let mut found = Found::default();
    let words = [FLUX, ARGO, sources::GROUP];
    for (path, _) in tree.kept().filter(|(_, bytes)| yaml::mentions(bytes, &words)) {
        let Ok(manifest) = Manifest::open(tree, path) else {
            continue;
        };
        for document in manifest.documents().objects {
            match (document.key.group.as_str(), document.key.kind.as_str()) {
                (FLUX, "Kustomization") => found.appliers.extend(flux(&document)),
                (ARGO, argo::APPLICATION) => found.appliers.extend(argo::application(&document)),
                (ARGO, argo::SET) => found.appliers.extend(argo::set(&document)),
                (sources::GROUP, sources::GIT_REPOSITORY) => found.repositories.push(GitRepository::read(&document)),
                _ => {}
            }
            found.addresses.extend(addresses(&document));
        }
    }
    found
}

/// The addresses that an object of Flux or Argo CD names.
fn addresses(document: &Document<'_>) -> Vec<String> {
    let below: &[&str] = match (document.key.group.as_str(), document.key.kind.as_str()) {
        (sources::GROUP, sources::GIT_REPOSITORY) => {
            return text(document.root, &["spec", "url"])
                .map(str::to_owned)
                .into_iter()
                .collect();
        }
        (ARGO, argo::APPLICATION) => &["spec"],
        (ARGO, argo::SET) => &["spec", "template", "spec"],
        _ => return Vec::new(),
    };
    let spec = find(document.root, below);
    let sources = spec.into_iter().flat_map(|spec| {
        let several = find(spec, &["sources"]).into_iter().flat_map(Node::items);
        find(spec, &["source"]).into_iter().chain(several)
    });
    sources
        .filter_map(|source| text(source, &["repoURL"]).map(str::to_owned))
        .collect()
}

fn text<'s>(node: Node<'s>, below: &[&str]) -> Option<&'s str> {
    find(node, below)?.text().filter(|text| !text.is_empty())
}

fn applier(document: &Document<'_>, role: Role, whence: Whence) -> Kustomization {
    Kustomization {
        path: document.path.clone(),
        document: document.index,
        prefix: document.prefix.clone(),
        role,
        namespace: None,
        affixes: Affixes::default(),
        configures: false,
        annotations: CommonAnnotations::default(),
        lists: Vec::new(),
        patches: Vec::new(),
        ignored: Vec::new(),
        origin: Some(Origin {
            object: document.key.clone(),
            whence,
        }),
        doubt: None,
        suspended: None,
    }
}

/// That a Flux Kustomization applies nothing until somebody resumes it. What can't be read as false counts.
fn suspended(document: &Document<'_>, spec: Node<'_>) -> Option<String> {
    let suspend = find(spec, &["suspend"]).filter(|suspend| !suspend.is_null())?;
    let (key, path, line) = (&document.key, document.path, suspend.position().line);
    let message = format!("{key} is suspended ({path}:{line}): a change has no effect until somebody resumes it");
    (suspend.text() != Some("false")).then_some(message)
}

fn flux(document: &Document<'_>) -> Option<Kustomization> {
    let spec = find(document.root, &["spec"])?;
    let elsewhere = find(spec, &["kubeConfig"]).is_some();
    let line = find(spec, &["path"]).unwrap_or(spec).position().line;
    // Without a path Flux takes the root of the source.
    let path = text(spec, &["path"]).unwrap_or(".").to_owned();
    let components = find(spec, &["components"]).into_iter().flat_map(Node::items);
    let components = components.filter_map(|item| {
        Some(Listed {
            text: format!("{path}/{}", item.text()?),
            line: item.position().line,
        })
    });
    Some(Kustomization {
        namespace: text(spec, &["targetNamespace"]).map(SmolStr::from),
        affixes: Affixes::read(spec),
        annotations: CommonAnnotations::read(find(spec, &["commonMetadata", "annotations"])),
        lists: components
            .chain([Listed {
                text: path.clone(),
                line,
            }])
            .collect(),
        patches: patches(spec, &["spec"]),
        ignored: Ignored::of_flux(document),
        suspended: suspended(document, spec),
        ..applier(
            document,
            Role::Flux {
                elsewhere,
                substitutes: find(spec, &["postBuild"]).is_some(),
            },
            Whence::of_flux(spec),
        )
    })
}
