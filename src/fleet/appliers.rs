//! What applies folders of the repository: Flux Kustomizations and Argo CD Applications, read as kustomizations of their own.
//!
//! Both may patch what they apply, give it a namespace and rename it, just as a kustomization does, and after everything in the folder has
//! had its say. Absent on purpose: Helm (a release is no kustomization), and whether what they apply is of this repository, which `sources`
//! tells.

use crate::yaml::{self, Node};

use super::affixes::Affixes;
use super::common_annotations::CommonAnnotations;
use super::document::{Document, Manifest};
use super::find::find;
use super::ignored::Ignored;
use super::kustomize::{Destination, Kustomization, Listed, Role, patches};
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
                (ARGO, "Application") => found.appliers.extend(argo(&document)),
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
        (ARGO, "Application") => &["spec"],
        (ARGO, "ApplicationSet") => &["spec", "template", "spec"],
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
    }
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
        namespace: text(spec, &["targetNamespace"]).map(str::to_owned),
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

/// An application's sources that are folders of manifests or of a kustomization.
fn argo(document: &Document<'_>) -> Vec<Kustomization> {
    let destination = find(document.root, &["spec", "destination"]);
    let destination = |key| destination.and_then(|destination| text(destination, &[key]));
    let several = find(document.root, &["spec", "sources"]).filter(|sources| sources.is_sequence());
    let sources: Vec<(Vec<String>, Node<'_>)> = match several {
        Some(sources) => sources
            .items()
            .enumerate()
            .map(|(index, source)| (["sources", &index.to_string()].map(str::to_owned).to_vec(), source))
            .collect(),
        None => find(document.root, &["spec", "source"])
            .map(|source| (vec!["source".to_owned()], source))
            .into_iter()
            .collect(),
    };
    let mut appliers = Vec::new();
    for (way, source) in sources {
        let rendered = ["chart", "helm", "plugin"]
            .iter()
            .any(|key| find(source, &[*key]).is_some());
        let Some(path) = find(source, &["path"]).filter(|_| !rendered) else {
            continue;
        };
        let Some(folder) = path.text().filter(|path| !path.contains("{{")) else {
            continue;
        };
        let kustomize = find(source, &["kustomize"]);
        let said = |key| kustomize.and_then(|kustomize| text(kustomize, &[key]));
        let mut below: Vec<&str> = vec!["spec"];
        below.extend(way.iter().map(String::as_str));
        below.push("kustomize");
        appliers.push(Kustomization {
            namespace: said("namespace").map(str::to_owned),
            affixes: kustomize.map(Affixes::read).unwrap_or_default(),
            annotations: CommonAnnotations::read(
                kustomize.and_then(|kustomize| find(kustomize, &["commonAnnotations"])),
            ),
            lists: vec![Listed {
                text: folder.to_owned(),
                line: path.position().line,
            }],
            patches: kustomize.map_or(Vec::new(), |kustomize| patches(kustomize, &below)),
            ignored: Ignored::of_argo(document),
            ..applier(
                document,
                Role::Argo {
                    destination: match (destination("name"), destination("server")) {
                        // The cluster that Argo CD itself runs in.
                        (Some("in-cluster"), _) | (None, Some("https://kubernetes.default.svc")) => Destination::Own,
                        (Some(name), _) => Destination::Named(name.to_owned()),
                        (None, _) => Destination::Unknown,
                    },
                    namespace: destination("namespace").map(str::to_owned),
                    recurses: text(source, &["directory", "recurse"]) == Some("true"),
                },
                Whence::of_argo(source),
            )
        });
    }
    appliers
}
