//! The sources of Argo CD's Applications that are folders of manifests or of a kustomization.
//!
//! An ApplicationSet stands for the Applications that it makes: one for each element of its lists. Of those that come from anything else only
//! what its template says without a parameter is known. Where that is a folder, but not how often or how it is applied, there is doubt; where
//! not even the folder and its repository are known, nothing is said.

use smol_str::SmolStr;

use crate::fleet::affixes::Affixes;
use crate::fleet::common_annotations::CommonAnnotations;
use crate::fleet::document::Document;
use crate::fleet::find::find;
use crate::fleet::generated::{self, Element, Elements};
use crate::fleet::ignored::Ignored;
use crate::fleet::kustomize::{Destination, Kustomization, Listed, Patch, PatchContent, Role, patches};
use crate::fleet::sources::Whence;
use crate::fleet::touched::Touched;
use crate::yaml::Node;

use super::{applier, text};

pub(super) const APPLICATION: &str = "Application";
pub(super) const SET: &str = "ApplicationSet";

/// Reads what an Application applies.
pub(super) fn application(document: &Document<'_>) -> Vec<Kustomization> {
    let application = Application {
        document,
        root: document.root,
        below: &[],
        element: &Element::default(),
        has_siblings: false,
        doubt: "",
    };
    application.read()
}

/// Reads what the Applications apply that an ApplicationSet makes.
pub(super) fn set(document: &Document<'_>) -> Vec<Kustomization> {
    let below = &["spec", "template"];
    let Some(root) = find(document.root, below) else {
        return Vec::new();
    };
    let Elements {
        elements,
        refused,
        open,
        unknown,
    } = generated::elements(document.root);
    let (line, reason) = refused.map_or_else(
        || {
            let reason = "its template has parameters that are not filled in here";
            (document.line(), reason.to_owned())
        },
        |refused| (refused.line, refused.refusal.to_string()),
    );
    let (key, path) = (&document.key, document.path);
    let doubt = format!("{key} may apply it several times, or with changes: {reason} ({path}:{line})");
    let may_change = find(document.root, &["spec", "templatePatch"]).is_some();
    let others = open.then_some(&unknown);
    let mut made: Vec<Kustomization> = Vec::new();
    for element in elements.iter().chain(others) {
        let application = Application {
            document,
            root,
            below,
            element,
            has_siblings: elements.len() + usize::from(open) > 1,
            doubt: &doubt,
        };
        for mut applier in application.read() {
            if may_change {
                applier.doubt = Some(doubt.clone());
            }
            // Applications that do the same are one, however many there are.
            if !made.contains(&applier) {
                made.push(applier);
            }
        }
    }
    made
}

/// An Application, or one that a template makes.
struct Application<'a> {
    document: &'a Document<'a>,
    root: Node<'a>,
    /// The keys that lead to it.
    below: &'a [&'a str],
    /// What its texts are filled with.
    element: &'a Element,
    /// Whether others are made of the same text.
    has_siblings: bool,
    /// What is said of it if it is not known as a whole.
    doubt: &'a str,
}

impl Application<'_> {
    fn read(&self) -> Vec<Kustomization> {
        let spec = find(self.root, &["spec"]);
        let several = spec
            .and_then(|spec| find(spec, &["sources"]))
            .filter(|sources| sources.is_sequence());
        match several {
            Some(sources) => {
                let sources = sources.items().enumerate();
                let read = sources.filter_map(|(index, source)| self.source(&["sources", &index.to_string()], source));
                read.collect()
            }
            None => {
                let source = spec.and_then(|spec| find(spec, &["source"]));
                let read = source.and_then(|source| self.source(&["source"], source));
                read.into_iter().collect()
            }
        }
    }

    /// What a source applies; nothing for one that is no folder of manifests, or not known to be one.
    fn source(&self, way: &[&str], source: Node<'_>) -> Option<Kustomization> {
        let rendered = ["chart", "helm", "plugin"];
        if rendered.iter().any(|key| find(source, &[*key]).is_some()) {
            return None;
        }
        let path = find(source, &["path"])?;
        let folder = self.element.fill(path.text()?).filter(|path| !path.contains("{{"))?;
        let whence = match Whence::of_argo(source) {
            Whence::Address(text) => Whence::Address(self.element.fill(&text)?),
            other => other,
        };
        let mut is_known = true;
        let mut filled = |from: Node<'_>, below: &[&str]| {
            let filled = text(from, below).map(|text| self.element.fill(text));
            is_known &= filled != Some(None);
            filled.flatten()
        };
        let name = filled(self.root, &["spec", "destination", "name"]);
        let server = filled(self.root, &["spec", "destination", "server"]);
        let role = Role::Argo {
            destination: match (name.as_deref(), server.as_deref()) {
                // The cluster that Argo CD itself runs in.
                (Some("in-cluster"), _) | (None, Some("https://kubernetes.default.svc")) => Destination::Own,
                (Some(name), _) => Destination::Named(name.to_owned()),
                (None, _) => Destination::Unknown,
            },
            namespace: filled(self.root, &["spec", "destination", "namespace"]).map(SmolStr::from),
            recurses: filled(source, &["directory", "recurse"]).as_deref() == Some("true"),
        };
        let namespace = filled(source, &["kustomize", "namespace"]).map(SmolStr::from);
        let kustomize = find(source, &["kustomize"]);
        let fill = |text: String| self.element.fill(&text).unwrap_or(text);
        let annotations = kustomize.and_then(|kustomize| find(kustomize, &["commonAnnotations"]));
        Some(Kustomization {
            namespace,
            affixes: kustomize.map(Affixes::read).unwrap_or_default().map(fill),
            annotations: CommonAnnotations::read(annotations),
            lists: vec![Listed {
                text: folder,
                line: path.position().line,
            }],
            patches: kustomize.map_or(Vec::new(), |kustomize| self.patches(way, kustomize)),
            ignored: Ignored::of_application(self.root, &self.document.key, self.document.path),
            doubt: self.leaves_out(source).or((!is_known).then(|| self.doubt.to_owned())),
            ..applier(self.document, role, whence)
        })
    }

    /// What is said of a source that takes some files of its folder alone; nothing for one that takes all.
    fn leaves_out(&self, source: Node<'_>) -> Option<String> {
        let mut keys = ["include", "exclude"].into_iter();
        let pattern = keys.find_map(|key| find(source, &["directory", key]))?;
        let (key, path, line) = (&self.document.key, self.document.path, pattern.position().line);
        Some(format!(
            "{key} applies some files of the folder alone, by patterns that are not followed here ({path}:{line})"
        ))
    }

    /// The patches of a source. Those that several Applications have in common, or that are templates, are not taken apart.
    fn patches(&self, way: &[&str], kustomize: Node<'_>) -> Vec<Patch> {
        let below = self.below.iter().chain(&["spec"]).chain(way).chain(&["kustomize"]);
        let below: Vec<&str> = below.copied().collect();
        let patches = patches(kustomize, &below);
        let is_template = !self.below.is_empty() && kustomize.source().contains("{{");
        if !is_template && !self.has_siblings {
            return patches;
        }
        let opaque = |patch: Patch| Patch {
            content: PatchContent::Opaque(Touched::of(kustomize.source())),
            target: patch.target.filter(|_| !is_template),
            ..patch
        };
        patches.into_iter().map(opaque).collect()
    }
}
