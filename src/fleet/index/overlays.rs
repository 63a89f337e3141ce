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
    /// The overlay that makes an object of a document which several share, or why there is none.
    ///
    /// It is the one that makes the object another than those of the others, or one that uses it, if a patch by kind and name changes this
    /// object alone there. It is used once, and a kustomization of a folder.
    pub(in crate::fleet) fn overlay_of(&self, document: usize, identity: &Identity) -> Result<Overlay, String> {
        let share = Share::Object(Rc::new(identity.clone()));
        let first = self.shares[document].overlay(&share);
        let (Some(first), Some([instance])) = (first, self.instances.get(identity).map(Vec::as_slice)) else {
            return Err("the object comes to be in several ways".to_owned());
        };
        let Object { path: file, key, .. } = &self.objects[instance.object];
        let mut ways = self.graph.contexts_of_file(file).into_iter().filter(|context| {
            let name = || Steps::of(&self.graph, &context.chain).name([&key.group, &key.kind, &key.name]);
            context.namespace_of(key) == identity.namespace
                && name() == identity.name
                && self.territories.of_use(&self.graph, file, context).as_ref() == Some(&identity.management_cluster)
        });
        let (Some(way), None) = (ways.next(), ways.next()) else {
            return Err(
                "several kustomizations make the object, and it is not certain which of them counts".to_owned(),
            );
        };
        let path_of = |number: &usize| &self.graph.kustomizations[*number].path;
        let outwards = way.chain.iter().skip_while(|number| path_of(number) != first);
        let mut why = format!("{first} does not lead to the object");
        for number in outwards {
            match self.obstacle(*number, instance.object) {
                None => {
                    return Ok(Overlay {
                        path: path_of(number).clone(),
                        object: ObjectKey {
                            namespace: SmolStr::default(),
                            ..key.clone()
                        },
                    });
                }
                Some(obstacle) => why = format!("{} {obstacle}", path_of(number)),
            }
        }
        Err(why)
    }

    /// Why a patch by kind and name in a kustomization would not change one object alone.
    fn obstacle(&self, kustomization: usize, manifest: usize) -> Option<String> {
        let Object { path: file, key, .. } = &self.objects[manifest];
        if self.graph.kustomizations[kustomization].role != Role::Folder {
            return Some("is no kustomization of a folder, to which a patch could be added".to_owned());
        }
        if self.graph.contexts(kustomization).len() != 1 {
            return Some("is used more than once itself".to_owned());
        }
        if self.ways_through(kustomization, file).len() != 1 {
            return Some("makes several objects of it".to_owned());
        }
        let same_name = self.by_name().get(&key.name).into_iter().flatten();
        let mut others = same_name.filter(|other| **other != manifest);
        let is_reached = |other: &&usize| {
            let Object { path, key: other, .. } = &self.objects[**other];
            (&other.group, &other.kind) == (&key.group, &key.kind) && !self.ways_through(kustomization, path).is_empty()
        };
        let other = others.find(is_reached)?;
        Some(format!(
            "has another object of this kind and name ({}), which a patch would change, too",
            self.place_of(*other)
        ))
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
