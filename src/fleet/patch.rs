//! What a patch file of a kustomization is for, and what it may change.

use crate::model::{ObjectKey, RepoPath};

use super::document::{Documents, Manifest};
use super::index::Identity;
use super::kustomize::{PatchTarget, Touched};
use super::screen::is_manifest_name;
use super::tree::FleetTree;

/// Whether a strategic merge is for an object. With a target, the names in the patch itself mean nothing.
pub(super) fn merges(patch: &ObjectKey, targeted: bool, identity: &Identity, object: &ObjectKey) -> bool {
    let ObjectKey {
        group,
        kind,
        namespace,
        name,
    } = patch;
    let here = namespace.is_empty() || *namespace == object.namespace || Some(namespace) == identity.namespace.as_ref();
    *group == identity.group && *kind == identity.kind && (targeted || here && *name == identity.name)
}

/// What a patch file of RFC 6902 operations may change; nothing for a file of strategic merges.
///
/// A file that was left out, can't be read or does not say what it is for may change anything.
///
/// A strategic merge whose target says more than a plain kind and name counts as operations: what it is for is only known to kustomize.
pub(super) fn operations(tree: &FleetTree, path: &RepoPath, target: Option<&PatchTarget>) -> Option<Touched> {
    let Ok(manifest) = Manifest::open(tree, path) else {
        return Some(Touched::ANYTHING);
    };
    let stream = manifest.stream();
    let is_list = stream.documents().iter().any(|document| document.root.is_sequence());
    let uncertain = target.is_some_and(|target| target.uncertain);
    if is_list || uncertain {
        return Some(Touched::of(stream.text()));
    }
    let Documents { objects, unidentified } = manifest.documents();
    let unnamed = !unidentified.is_empty() || objects.iter().any(|object| object.key.kind.is_empty());
    let unread = !is_manifest_name(path.file_name()) || stream.text().contains("$patch");
    (unnamed || unread).then_some(Touched::ANYTHING)
}
