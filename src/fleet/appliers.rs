//! What applies folders of the repository: Flux Kustomizations and Argo CD Applications, read as kustomizations of their own.
//!
//! Both may patch what they apply, give it a namespace and rename it, just as a kustomization does, and after everything in the folder has
//! had its say. Absent on purpose: Helm (a release is no kustomization) and the question whether an address is that of this repository,
//! which can't be told: a folder that exists here counts.

use crate::yaml::{self, Node};

use super::affixes::Affixes;
use super::common_annotations::CommonAnnotations;
use super::document::{Document, Manifest};
use super::find::find;
use super::ignored::Ignored;
use super::kustomize::{Destination, Kustomization, Listed, Role, patches};
use super::tree::FleetTree;

/// The API group of Flux's Kustomization.
pub(super) const FLUX: &str = "kustomize.toolkit.fluxcd.io";

/// The API group of Argo CD.
pub(super) const ARGO: &str = "argoproj.io";

/// Reads all of them, in the order of their files.
pub(super) fn read(tree: &FleetTree) -> Vec<Kustomization> {
    let mut appliers = Vec::new();
    for (path, _) in tree.kept().filter(|(_, bytes)| yaml::mentions(bytes, &[FLUX, ARGO])) {
        let Ok(manifest) = Manifest::open(tree, path) else {
            continue;
        };
        for document in manifest.documents().objects {
            match (document.key.group.as_str(), document.key.kind.as_str()) {
                (FLUX, "Kustomization") => appliers.extend(flux(&document)),
                (ARGO, "Application") => appliers.extend(argo(&document)),
                _ => {}
            }
        }
    }
    appliers
}

fn text<'s>(node: Node<'s>, below: &[&str]) -> Option<&'s str> {
    find(node, below)?.text().filter(|text| !text.is_empty())
}

fn applier(document: &Document<'_>, role: Role) -> Kustomization {
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
        suspended: suspended(document, spec),
        ..applier(
            document,
            Role::Flux {
                elsewhere,
                substitutes: find(spec, &["postBuild"]).is_some(),
            },
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
            )
        });
    }
    appliers
}
