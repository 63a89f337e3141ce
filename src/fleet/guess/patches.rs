//! The patches of kustomizations: they are no manifests, and all that a repository says of what lies in another one.

use std::collections::{BTreeMap, BTreeSet};

use json_patch::jsonptr::PointerBuf;

use crate::fleet::document::Manifest;
use crate::fleet::kustomize::{self, PatchContent};
use crate::fleet::resolve::Graph;
use crate::fleet::tree::FleetTree;
use crate::model::RepoPath;

use super::seen::Seen;

/// Kustomizations are their numbers in a [`Graph`].
#[derive(Debug, Default)]
pub(super) struct Patches {
    /// By file: the kustomizations of which it is a patch.
    files: BTreeMap<RepoPath, BTreeSet<usize>>,
    /// The patches that stand in kustomizations, each with its place there.
    texts: Vec<(usize, PointerBuf)>,
}

impl Patches {
    /// Lists them.
    pub(super) fn of(graph: &Graph) -> Self {
        let mut patches = Self::default();
        for (number, kustomization) in graph.kustomizations.iter().enumerate() {
            for patch in &kustomization.patches {
                match &patch.content {
                    PatchContent::File(text) => {
                        if let Some(path) = kustomize::relative(&kustomization.path, text) {
                            patches.files.entry(path).or_default().insert(number);
                        }
                    }
                    PatchContent::Text(pointer) => patches.texts.push((number, pointer.clone())),
                    PatchContent::Count(_) | PatchContent::Opaque(_) | PatchContent::Fields(_) => {}
                }
            }
        }
        patches
    }

    /// The kustomizations of which a file is a patch; nothing if it is none.
    pub(super) fn users_of(&self, file: &RepoPath) -> Option<&BTreeSet<usize>> {
        self.files.get(file)
    }

    /// What is in the patches that stand in kustomizations, each with its kustomization.
    pub(super) fn in_texts(&self, tree: &FleetTree, graph: &Graph) -> Vec<(usize, RepoPath, Seen)> {
        let mut found = Vec::new();
        for (number, pointer) in &self.texts {
            let path = &graph.kustomizations[*number].path;
            let Ok(manifest) = Manifest::open(tree, path) else {
                continue;
            };
            let mut seen = Seen::default();
            for document in manifest.documents().objects {
                // A text that can't be read says nothing.
                let _ = document.within(pointer, |documents| {
                    for document in &documents.objects {
                        seen.look(document, graph, &[]);
                    }
                });
            }
            found.push((*number, path.clone(), seen));
        }
        found
    }
}
