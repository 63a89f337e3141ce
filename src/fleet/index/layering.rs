//! What is merged over an object on its way through kustomizations.

use smol_str::SmolStr;

use crate::fleet::find::find;
use crate::fleet::gate::Refused;
use crate::fleet::kustomize::{COUNTED_KINDS, Kustomization};
use crate::fleet::operation::Operation;
use crate::fleet::patch_target::Fits;
use crate::fleet::replacement::Fields;
use crate::fleet::resolve::Context;
use crate::fleet::shapes::REPLICAS_MANAGED_BY;
use crate::fleet::steps::{Step, Steps};
use crate::fleet::touched::Touched;
use crate::model::{ObjectKey, Owner, Refusal};
use crate::policy::HOLD_ANNOTATION;

use super::build::{Builder, MOST_INSTANCES};
use super::patches::{Use, merges};
use super::{Content, Identity, Instance, Layer, Object};

/// What an object is called at a step of its way.
struct SoFar {
    /// Its names, the one in its manifest first.
    names: Vec<SmolStr>,
    /// The namespace in its manifest, and the one that it is in now; nothing where that is not known.
    namespaces: [Option<SmolStr>; 2],
}

impl SoFar {
    /// At the beginning. An object without a namespace is in `default`, to kustomize; of a patch for an object that is elsewhere it is not
    /// known (`EffectiveNamespace`).
    fn of(key: &ObjectKey, is_patch: bool) -> Self {
        let namespace = match key.namespace.as_str() {
            "" if is_patch => None,
            "" => Some("default".into()),
            written => Some(written.into()),
        };
        Self {
            names: vec![key.name.clone()],
            namespaces: [namespace.clone(), namespace],
        }
    }
}

impl Builder<'_> {
    /// Whether an object of the index is a patch, whose object is elsewhere.
    fn is_patch(&self, number: usize) -> bool {
        number >= self.patches.first || self.patches.files.contains(&self.index.objects[number].path)
    }

    /// The version in the manifest of an object; nothing where it is not known.
    fn version_of(&self, number: usize) -> Option<String> {
        let Object { path, at, .. } = &self.index.objects[number];
        let version = self.index.opened.look(path, at, |document| {
            let text = find(document.root, &["apiVersion"])?.text()?;
            Some(text.rsplit('/').next().unwrap_or(text).to_owned())
        });
        version.flatten().filter(|_| !self.is_patch(number))
    }

    /// An object with the patches that reach it; nothing if there are too many objects.
    pub(super) fn instance(
        &mut self,
        number: usize,
        identity: &Identity,
        context: &Context,
        steps: &Steps,
    ) -> Option<Instance> {
        self.instances += 1;
        if self.instances > MOST_INSTANCES {
            if self.instances == MOST_INSTANCES + 1 {
                let message = format!("the repository declares more than {MOST_INSTANCES} objects");
                let path = self.index.objects[number].path.clone();
                self.unbound(&path, "repository", Refused::at(0, Refusal::TooComplex { message }));
            }
            return None;
        }
        let mut instance = Instance {
            object: number,
            ..Instance::default()
        };
        let mut so_far = SoFar::of(&self.index.objects[number].key, self.is_patch(number));
        for step in &steps.steps {
            match step {
                Step::Early(user) => {
                    let Kustomization { annotations, path, .. } = &self.graph.kustomizations[*user];
                    instance.holds.extend(annotations.hold.clone());
                    if let Some((owner, name)) = annotations.owner {
                        let by = format!("{name} among the annotations that {path} gives to everything");
                        instance.owned = Some(Box::new(Refusal::owned(owner, by)));
                    }
                    let size = annotations.size.map(|line| Layer::Opaque {
                        path: path.clone(),
                        line,
                        touched: Touched {
                            annotations: true,
                            ..Touched::default()
                        },
                    });
                    self.add_all_layers((*user, false), identity, &so_far, &mut instance);
                    // kustomize adds them after its patches.
                    instance.layers.extend(size);
                }
                Step::Late(user) => self.add_all_layers((*user, true), identity, &so_far, &mut instance),
                Step::Namespace(namespace) => so_far.namespaces[1] = Some(namespace.clone()),
                Step::Rename(affixes) => {
                    let name = so_far.names.last().map_or("", SmolStr::as_str);
                    so_far.names.push(affixes.name([&identity.group, &identity.kind, name]));
                }
            }
        }
        let substituted = context.chain.iter().filter_map(|index| self.substituters.get(index));
        instance.variables.extend(substituted);
        let object = [identity.group.as_str(), &identity.kind, &identity.name];
        for index in &context.chain {
            if let (None, Some(message)) = (&instance.suspended, &self.graph.kustomizations[*index].suspended) {
                let message = message.clone();
                instance.suspended = Some(Box::new(Refusal::Suspended { message }));
            }
            let ignored = self.ignored.get(index).into_iter().flatten().copied();
            let means = |number: &usize| self.index.ignored[*number].means(object, identity.namespace.as_deref());
            instance.ignored.extend(ignored.filter(means));
        }
        if let Some((path, line)) = self.graph.unread_above(&self.index.objects[number].path) {
            instance.layers.push(Layer::Opaque {
                path: path.clone(),
                line: *line,
                touched: Touched::ANYTHING,
            });
        }
        Some(instance)
    }

    /// Adds what the patches of a kustomization put on an object: those that come early, or those that come late.
    fn add_all_layers(
        &mut self,
        (user, late): (usize, bool),
        identity: &Identity,
        so_far: &SoFar,
        instance: &mut Instance,
    ) {
        for number in 0..self.patches.uses[user].len() {
            if self.patches.uses[user][number].late == late {
                self.add_layers((user, number), identity, so_far, instance);
            }
        }
    }

    /// Adds what a patch puts on an object that is called this so far.
    fn add_layers(
        &mut self,
        (user, number): (usize, usize),
        identity: &Identity,
        so_far: &SoFar,
        instance: &mut Instance,
    ) {
        let Use {
            line,
            target,
            objects,
            touched,
            late: _,
            fields,
        } = &self.patches.uses[user][number];
        let path = &self.graph.kustomizations[user].path;
        let object = &self.index.objects[instance.object].key;
        let fits = target.as_ref().map_or(Fits::Yes, |target| {
            let kind = [identity.group.as_str(), &identity.kind];
            let version = || self.version_of(instance.object);
            let fits = target.fits_any(kind, &so_far.names, so_far.namespaces.each_ref().map(Option::as_deref));
            fits.min(target.fits_version(version))
        });
        if fits == Fits::No {
            return;
        }
        let opaque = |entries| Layer::Opaque {
            path: path.clone(),
            line: *line,
            touched: Touched { entries, ..*touched },
        };
        let mut reached = objects.is_none();
        for patch in objects.iter().flatten() {
            let Object { key, content, .. } = &self.index.objects[*patch];
            let (reaches, matters) = match content {
                Content::Says(_) => (merges(key, target.is_some(), identity, &so_far.names, object), true),
                Content::Operations(operations) => (true, operations.iter().any(Operation::matters)),
                Content::Count(_) => (COUNTED_KINDS.contains(&identity.kind.as_str()), true),
            };
            if !reaches {
                continue;
            }
            reached |= matches!(content, Content::Operations(_));
            if matches!(content, Content::Says(_)) {
                self.matched.insert((user, *patch));
            }
            if matters {
                let layer = if fits == Fits::Yes {
                    Layer::Object(*patch)
                } else {
                    opaque(brings_entries(content))
                };
                instance.layers.push(layer);
            }
        }
        if let Some(fields) = fields {
            instance.layers.push(Layer::Replacement {
                path: path.clone(),
                line: *line,
                fields: fields.clone(),
            });
        } else if objects.is_none() {
            instance.layers.push(opaque(touched.entries));
        }
        let operations = objects
            .iter()
            .flatten()
            .filter_map(|patch| match &self.index.objects[*patch].content {
                Content::Operations(operations) => Some(operations),
                Content::Says(_) | Content::Count(_) => None,
            });
        let renames = fields.as_ref().is_some_and(Fields::rename);
        if renames || operations.flatten().any(Operation::renames) {
            instance.renamed = Some(Box::new((path.clone(), *line)));
        }
        if reached && touched.managed {
            let by = format!("the patch at {path}:{line} speaks of {REPLICAS_MANAGED_BY}");
            instance.owned = Some(Box::new(Refusal::owned(Owner::External, by)));
        }
        if reached && touched.hold {
            let hold = format!("the patch at {path}:{line} speaks of {HOLD_ANNOTATION}");
            instance.holds.push(hold);
        }
    }
}

/// Whether a patch has whole entries of a topology in it.
fn brings_entries(content: &Content) -> bool {
    match content {
        Content::Says(said) => !said.groups.is_empty(),
        Content::Operations(operations) => operations
            .iter()
            .any(|operation| !operation.groups.is_empty() || !operation.unbound.is_empty()),
        Content::Count(_) => false,
    }
}
