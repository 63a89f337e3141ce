//! Which folders of the repository Flux and Argo CD apply, as far as the repository itself says so.

use std::collections::BTreeSet;

use crate::model::{InvalidName, RepoPath};
use crate::policy::FleetFile;
use crate::yaml::{self, Node};

use super::appliers::{ARGO, FLUX};
use super::document::{Document, Manifest};
use super::find::find;
use super::generated::{self, Element, Elements};
use super::index::Territories;
use super::resolve::{Context, Graph};
use super::sources::{self, Origin, Whence};
use super::tree::FleetTree;

/// What the files mention that say it, and from which repository.
pub(super) const WORDS: [&str; 3] = [FLUX, ARGO, sources::GROUP];

/// Lists the folders that are applied, each with whoever does it: `Flux Kustomization flux-system/fleet (clusters/apps.yaml:3)`.
///
/// Every folder that exists here counts, unless it is certainly applied from another repository. A path with a pattern or a template in it
/// counts as the folder above; no folder is the whole repository.
pub fn applied_paths(fleet: &FleetFile, tree: &FleetTree) -> Vec<(Option<RepoPath>, String)> {
    let territories = Territories::of(fleet);
    let owner_of = |graph: &Graph, path: &RepoPath, context: &Context| territories.of_use(graph, path, context);
    let own = Some(sources::own_addresses(fleet, tree)).filter(|own| !own.is_empty());
    let known = own.map(|own| sources::graph(tree, own, &owner_of));
    let mut applied = BTreeSet::new();
    for (path, _) in tree.kept().filter(|(_, bytes)| yaml::mentions(bytes, &WORDS)) {
        let Ok(manifest) = Manifest::open(tree, path) else {
            continue;
        };
        for document in manifest.documents().objects {
            let who = format!("{} ({path}:{})", document.key, document.line());
            for (text, whence) in applications(&document).into_iter().flat_map(|(_, sources)| sources) {
                let Ok(folder) = folder(&text) else { continue };
                let object = document.key.clone();
                let origin = Origin { object, whence };
                let is_another = || {
                    let known = known.as_ref();
                    known.is_some_and(|(graph, known)| known.is_another(tree, graph, path, &origin, &owner_of))
                };
                if folder.as_ref().is_none_or(|folder| tree.has_folder(folder)) && !is_another() {
                    applied.insert((folder, who.clone()));
                }
            }
        }
    }
    applied.into_iter().collect()
}

/// A path of a repository.
pub(super) type Source = (String, Whence);

/// What an object applies: one Application, or one of Flux, is it alone; a set makes one of each element. Each with the paths that it names.
pub(super) fn applications(document: &Document<'_>) -> Vec<(Element, Vec<Source>)> {
    let root = document.root;
    let alone = |sources| vec![(Element::default(), sources)];
    match (document.key.group.as_str(), document.key.kind.as_str()) {
        // Without a path Flux takes the root of the source.
        (FLUX, "Kustomization") => {
            let whence = find(root, &["spec"]).map_or(Whence::Unknown, Whence::of_flux);
            alone(vec![(text(root, &["spec", "path"]).unwrap_or_default(), whence)])
        }
        (ARGO, "Application") => alone(find(root, &["spec"]).into_iter().flat_map(of_application).collect()),
        (ARGO, "ApplicationSet") => {
            let Elements {
                elements,
                open,
                unknown,
                ..
            } = generated::elements(root);
            let template = find(root, &["spec", "template", "spec"]).into_iter();
            let template: Vec<Source> = template.flat_map(of_application).collect();
            let others = open.then(|| (unknown.clone(), of_generators(root)));
            let each = elements.into_iter().map(|element| (element, Vec::new()));
            let made = each.chain(others).map(|(element, found)| {
                let filled = template.iter().map(|source| filled(source, &element));
                // `{{path}}` alone is what the generators say, and those are read themselves.
                let filled = filled.filter(|(path, _)| !path.starts_with("{{"));
                let sources = filled.chain(found).collect();
                (element, sources)
            });
            made.collect()
        }
        _ => Vec::new(),
    }
}

/// A source of a template with the values of an element, as far as they are known.
fn filled((path, whence): &Source, element: &Element) -> Source {
    let fill = |text: &String| element.fill(text).unwrap_or_else(|| text.clone());
    let whence = match whence {
        Whence::Address(text) => Whence::Address(fill(text)),
        other => other.clone(),
    };
    (fill(path), whence)
}

fn text(node: Node<'_>, below: &[&str]) -> Option<String> {
    find(node, below)?.text().map(str::to_owned)
}

/// The paths of `source` and `sources`. A source without a path is a chart, or only lends its files to another one.
fn of_application(spec: Node<'_>) -> Vec<Source> {
    let several = find(spec, &["sources"]).into_iter().flat_map(Node::items);
    let sources = find(spec, &["source"]).into_iter().chain(several);
    let path = |source| Some((text(source, &["path"])?, Whence::of_argo(source)));
    sources.filter_map(path).collect()
}

/// The folders of all Git generators, wherever they nest in matrices and merges.
fn of_generators(root: Node<'_>) -> Vec<Source> {
    let mut paths = Vec::new();
    let mut open: Vec<Node<'_>> = find(root, &["spec", "generators"]).into_iter().collect();
    while let Some(node) = open.pop() {
        open.extend(node.items());
        open.extend(node.entries().map(|entry| entry.value));
        for item in find(node, &["directories"]).into_iter().flat_map(Node::items) {
            if text(item, &["exclude"]).as_deref() != Some("true") {
                paths.extend(text(item, &["path"]).map(|path| (path, Whence::of_argo(node))));
            }
        }
    }
    paths
}

/// The folder that a path means, nothing for the root; an error for what is no path of a repository.
pub(super) fn folder(text: &str) -> Result<Option<RepoPath>, InvalidName> {
    let marks = ["{{", "${", "*", "?", "["];
    let text = match marks.iter().filter_map(|mark| text.find(mark)).min() {
        Some(end) => text[..end].rsplit_once('/').map_or("", |(folder, _)| folder),
        None => text,
    };
    let mut parts: Vec<&str> = Vec::new();
    for part in text.split('/') {
        match part {
            "" | "." => {}
            // Above the root is the root (Flux joins paths so that none leaves the source).
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    let joined = parts.join("/");
    if joined.is_empty() {
        Ok(None)
    } else {
        joined.parse().map(Some)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fleet::testing::{fleet, tree};

    #[test]
    fn the_folders_that_flux_and_argo_apply_are_listed() {
        let flux = "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: a, namespace: flux-system}\n\
                    spec: {path: ./clusters/eu}\n---\napiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\n\
                    metadata: {name: b}\nspec: {path: gone}\n";
        let argo = "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: c}\nspec:\n  sources:\n  \
                    - {chart: x}\n  - {path: clusters/us/}\n---\napiVersion: argoproj.io/v1alpha1\nkind: ApplicationSet\n\
                    metadata: {name: d}\nspec:\n  generators:\n  - matrix:\n      generators:\n      - git:\n          directories:\n          \
                    - path: apps/*/prod\n          - {path: requests, exclude: true}\n  template: {spec: {source: {path: '{{path}}'}}}\n";
        let tree = tree(&[
            ("apps/flux.yaml", flux),
            ("apps/argo.yaml", argo),
            ("clusters/eu/a.yaml", ""),
            ("clusters/us/a.yaml", ""),
            ("requests/a.yaml", "kind: {{"),
        ]);
        let applied: Vec<String> = applied_paths(&fleet(&[]), &tree)
            .iter()
            .map(|(path, who)| format!("{}: {who}", path.as_ref().unwrap()))
            .collect();
        assert_eq!(
            applied,
            [
                "apps: ApplicationSet d (apps/argo.yaml:9)",
                "clusters/eu: Kustomization flux-system/a (apps/flux.yaml:1)",
                "clusters/us: Application c (apps/argo.yaml:1)",
            ]
        );
    }

    #[test]
    fn a_path_is_followed_upwards() {
        for (path, want) in [
            ("./a/../requests", Some("requests")),
            ("../requests/", Some("requests")),
            ("a/..", None),
        ] {
            let found = folder(path).unwrap();
            assert_eq!(found.as_ref().map(RepoPath::as_str), want, "{path}");
        }
    }

    #[test]
    fn the_root_is_no_folder() {
        for path in [
            "spec: {path: ./}",
            "spec: {}",
            "spec: {path: '${x}'}",
            "spec: {path: '*/a'}",
        ] {
            let text = format!(
                "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {{name: a}}\n{path}\n"
            );
            let tree = tree(&[("apps/flux.yaml", text.as_str()), ("requests/eu/a.yaml", "")]);
            assert_eq!(
                applied_paths(&fleet(&[]), &tree),
                [(None, "Kustomization a (apps/flux.yaml:1)".to_owned())],
                "{path}"
            );
        }
    }
}
