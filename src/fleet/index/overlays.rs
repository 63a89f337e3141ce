//! The overlay that makes one object of what others share, if a patch in it changes that object and no other.

use std::collections::BTreeMap;
use std::rc::Rc;

use smol_str::SmolStr;

use crate::fleet::kustomize::Role;
use crate::fleet::resolve::Context;
use crate::fleet::steps::Steps;
use crate::model::{ObjectKey, RepoPath};

use super::shares::Share;
use super::{Identity, Index, Object};

/// A kustomization in which a patch is for one object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::fleet) struct Overlay {
    /// The kustomization.
    pub(in crate::fleet) path: RepoPath,
    /// The object, by the name in its manifest and without a namespace.
    pub(in crate::fleet) object: ObjectKey,
}

impl Index<'_> {
    /// The overlay that makes an object of a document which several share.
    ///
    /// Nothing if it is used more than once itself, if it is no kustomization of a folder, or if it has another object that a patch by the
    /// same kind and name would change, too.
    pub(in crate::fleet) fn overlay_of(&self, document: usize, identity: &Identity) -> Option<Overlay> {
        let share = Share::Object(Rc::new(identity.clone()));
        let path = self.shares[document].overlay(&share)?;
        let number = self.graph.number_of(path)?;
        let is_folder = self.graph.kustomizations[number].role == Role::Folder;
        let [instance] = self.instances.get(identity)?.as_slice() else {
            return None;
        };
        if !is_folder || self.graph.contexts(number).len() != 1 {
            return None;
        }
        let Object { path: file, key, .. } = &self.objects[instance.object];
        let mut ways = self.ways_through(number, file).into_iter();
        let (Some(way), None) = (ways.next(), ways.next()) else {
            return None;
        };
        // The name by which kustomize finds it must be the one in the manifest, and lead to this object.
        if Steps::of(&self.graph, &way.chain).name([&key.group, &key.kind, &key.name]) != identity.name {
            return None;
        }
        let same_name = self.by_name().get(&key.name).into_iter().flatten();
        let mut others = same_name.filter(|other| **other != instance.object);
        let is_reached = |other: &usize| {
            let Object { path, key: other, .. } = &self.objects[*other];
            (&other.group, &other.kind) == (&key.group, &key.kind) && !self.ways_through(number, path).is_empty()
        };
        if others.any(is_reached) {
            return None;
        }
        let object = ObjectKey {
            namespace: SmolStr::default(),
            ..key.clone()
        };
        let path = path.clone();
        Some(Overlay { path, object })
    }

    /// The ways in which a file is used that lead through a kustomization.
    fn ways_through(&self, kustomization: usize, file: &RepoPath) -> Vec<Rc<Context>> {
        let contexts = self.graph.contexts_of_file(file).into_iter();
        contexts
            .filter(|context| context.chain.contains(&kustomization))
            .collect()
    }

    fn by_name(&self) -> &BTreeMap<SmolStr, Vec<usize>> {
        self.by_name.get_or_init(|| {
            let mut by_name: BTreeMap<SmolStr, Vec<usize>> = BTreeMap::new();
            for (number, object) in self.objects.iter().enumerate() {
                if object.said().is_some() {
                    by_name.entry(object.key.name.clone()).or_default().push(number);
                }
            }
            by_name
        })
    }
}
