//! What the patches of a kustomization are: documents, operations, counts, or something that is not taken apart.

use std::collections::{BTreeMap, BTreeSet};

use smol_str::SmolStr;

use crate::fleet::document::{At, Document, Documents, Opened};
use crate::fleet::index::{Content, Identity, Object};
use crate::fleet::kustomize::{self, Kustomization, Patch, PatchContent};
use crate::fleet::operation::Operation;
use crate::fleet::patch_target::PatchTarget;
use crate::fleet::replacement::Fields;
use crate::fleet::screen::is_manifest_name;
use crate::fleet::touched::Touched;
use crate::model::{ObjectKey, RepoPath};

use super::kept::said;

/// What a patch of a kustomization is.
pub(super) struct Use {
    /// Its line in the kustomization.
    pub(super) line: usize,
    /// What it is for.
    pub(super) target: Option<PatchTarget>,
    /// The documents that it consists of, as numbers of the index's objects; nothing if it is not taken apart.
    pub(super) objects: Option<Vec<usize>>,
    /// What it may set, as far as its words tell.
    pub(super) touched: Touched,
    /// Whether it applies after what Flux and Argo CD add.
    pub(super) late: bool,
    /// The fields that it is about, of a replacement.
    pub(super) fields: Option<Fields>,
}

/// The patches of all kustomizations.
#[derive(Default)]
pub(super) struct Patches {
    /// By kustomization.
    pub(super) uses: Vec<Vec<Use>>,
    /// The files that are patches.
    pub(super) files: BTreeSet<RepoPath>,
    /// From this object on the index holds what stands in texts of kustomizations, and lists of operations.
    pub(super) first: usize,
}

/// Finds out what the patches of each kustomization are. Documents that are not among the objects yet join them.
pub(super) fn read(opened: &Opened<'_>, kustomizations: &[Kustomization], objects: &mut Vec<Object>) -> Patches {
    let mut patches = Patches {
        first: objects.len(),
        ..Patches::default()
    };
    let mut by_file: BTreeMap<RepoPath, Vec<usize>> = BTreeMap::new();
    for (number, object) in objects.iter().enumerate() {
        by_file.entry(object.path.clone()).or_default().push(number);
    }
    for kustomization in kustomizations {
        let mut uses = Vec::new();
        for patch in &kustomization.patches {
            let target = patch.target.clone();
            let line = patch.line;
            let found = match &patch.content {
                PatchContent::Opaque(touched) => (None, *touched),
                PatchContent::Fields(fields) => (None, Touched::of(&fields.words())),
                PatchContent::File(text) => match kustomize::relative(&kustomization.path, text) {
                    // What lies at an address is not known.
                    None => (None, Touched::ANYTHING),
                    Some(path) => {
                        let found = of_file(opened, &path, &by_file, objects);
                        patches.files.insert(path);
                        found
                    }
                },
                PatchContent::Text(_) | PatchContent::Count(_) => within(opened, kustomization, patch, objects),
            };
            let (objects, touched) = found;
            uses.push(Use {
                line,
                target,
                objects,
                touched,
                late: patch.late,
                fields: match &patch.content {
                    PatchContent::Fields(fields) => Some(fields.clone()),
                    _ => None,
                },
            });
        }
        patches.uses.push(uses);
    }
    for object in objects.iter_mut().filter(|object| patches.files.contains(&object.path)) {
        if let Content::Says(said) = &mut object.content {
            said.is_patch = true;
        }
    }
    patches
}

type Found = (Option<Vec<usize>>, Touched);

/// A patch in a file of its own: the objects of the file, or its operations.
///
/// A file that was left out, can't be read or does not say what it is for may change anything.
fn of_file(
    opened: &Opened<'_>,
    path: &RepoPath,
    by_file: &BTreeMap<RepoPath, Vec<usize>>,
    objects: &mut Vec<Object>,
) -> Found {
    let Ok(manifest) = opened.manifest(path) else {
        return (None, Touched::ANYTHING);
    };
    let touched = Touched::of(manifest.stream().text());
    let documents = manifest.documents();
    if !is_manifest_name(path.file_name()) || !all_named(&documents) {
        return (None, Touched::ANYTHING);
    }
    let mut numbers = by_file.get(path).cloned().unwrap_or_default();
    for document in &documents.objects {
        numbers.extend(operations(document, objects));
    }
    (Some(numbers), touched)
}

/// Whether every document says once what it is, or is a list of operations.
fn all_named(documents: &Documents<'_>) -> bool {
    let named = |document: &Document<'_>| !document.key.kind.is_empty() || document.root.is_sequence();
    documents.unidentified.is_empty() && documents.objects.iter().all(named)
}

/// Adds the list of operations that a document is.
fn operations(document: &Document<'_>, objects: &mut Vec<Object>) -> Option<usize> {
    let operations = Operation::read_all(document)?;
    Some(add(objects, document, Content::Operations(operations)))
}

fn add(objects: &mut Vec<Object>, document: &Document<'_>, content: Content) -> usize {
    objects.push(Object {
        path: document.path.clone(),
        at: document.at(),
        line: document.line(),
        key: document.key.clone(),
        content,
    });
    objects.len() - 1
}

/// A patch in the kustomization itself.
fn within(opened: &Opened<'_>, kustomization: &Kustomization, patch: &Patch, objects: &mut Vec<Object>) -> Found {
    let at = At {
        document: kustomization.document,
        prefix: kustomization.prefix.clone(),
        outer: None,
    };
    let found = opened.look(&kustomization.path, &at, |document| match &patch.content {
        PatchContent::Count(pointer) => {
            let replicas = true;
            let touched = Touched {
                replicas,
                ..Touched::default()
            };
            let count = Content::Count(pointer.clone());
            (Some(vec![add(objects, document, count)]), touched)
        }
        PatchContent::Text(pointer) => {
            let text = document.root.nearest(pointer).node;
            let touched = Touched::of(text.text().unwrap_or(text.source()));
            match document.within(pointer, |documents| of_documents(&documents, objects)) {
                Ok(Some(numbers)) => (Some(numbers), touched),
                Ok(None) => (None, Touched::ANYTHING),
                Err(_) => (None, touched),
            }
        }
        PatchContent::File(_) | PatchContent::Opaque(_) | PatchContent::Fields(_) => (None, Touched::ANYTHING),
    });
    found.unwrap_or((None, Touched::ANYTHING))
}

/// The documents of a text; nothing if one of them says twice what it is.
fn of_documents(documents: &Documents<'_>, objects: &mut Vec<Object>) -> Option<Vec<usize>> {
    if !all_named(documents) {
        return None;
    }
    let mut numbers = Vec::new();
    for document in &documents.objects {
        numbers.extend(operations(document, objects));
        if let Some(mut said) = said(document) {
            // Whoever binds the entries of a cluster names those that can't be read.
            if document.key.kind != "Cluster" {
                said.unbound.clear();
            }
            numbers.push(add(objects, document, Content::Says(Box::new(said))));
        }
    }
    Some(numbers)
}

/// Whether a strategic merge is for an object that has had these names. With a target, the names in the patch itself mean nothing.
pub(super) fn merges(
    patch: &ObjectKey,
    targeted: bool,
    identity: &Identity,
    names: &[SmolStr],
    object: &ObjectKey,
) -> bool {
    let ObjectKey {
        group,
        kind,
        namespace,
        name,
    } = patch;
    let here = namespace.is_empty() || *namespace == object.namespace || Some(namespace) == identity.namespace.as_ref();
    *group == identity.group && *kind == identity.kind && (targeted || here && names.contains(name))
}
