//! What post-renderers do to the objects that a chart makes (helm-controller, `spec.postRenderers[].kustomize.patches`): they come after all
//! values, so that a patch which sets a number is the place that takes effect.
//!
//! A chart is not rendered here, so only a patch that names one object is followed, to a field that it sets by itself or in a strategic merge.
//! Every other patch that may set a value refuses it, and is named. Absent on purpose: `images`, which holds no number.

use json_patch::jsonptr::PointerBuf;

use crate::fleet::document::{Document, Documents};
use crate::fleet::field::{Field, Located, Step, locate};
use crate::fleet::find::find;
use crate::fleet::gate::Refused;
use crate::fleet::index::{Index, Object};
use crate::fleet::kustomize::{self, Kustomization, PatchContent};
use crate::fleet::layers::Read;
use crate::fleet::operation::{Operation, Verb};
use crate::fleet::owners;
use crate::fleet::patch_target::{Fits, PatchTarget};
use crate::fleet::replacement::Fields;
use crate::fleet::shapes::Reading;
use crate::fleet::shared::refuse_shared;
use crate::fleet::touched::Touched;
use crate::model::{Refusal, RepoPath};
use crate::yaml::Node;

use super::ask::{Asker, finish};
use super::effective::Effective;
use super::{Release, Spot};

/// A patch of a post-renderer.
#[derive(Debug, Clone)]
pub(super) struct Patch {
    /// The document that it stands in.
    spot: Spot,
    /// Whose patch it is, for people.
    of: &'static str,
    /// Where it is written.
    content: Content,
    /// Its line.
    line: usize,
    /// What it is for.
    target: Option<PatchTarget>,
    /// What it may set, as far as its words tell.
    touched: Touched,
}

/// Where a patch is written.
#[derive(Debug, Clone)]
enum Content {
    /// In a text of its document, at this pointer.
    Text(PointerBuf),
    /// In a file of its own.
    File(RepoPath),
    /// In a replacement.
    Fields(Fields),
    /// In something that is not taken apart.
    Opaque,
}

/// A field of an object that a chart makes.
pub(in crate::fleet) struct Rendered<'a> {
    /// The group and the kind of the object.
    pub(in crate::fleet) object: [&'a str; 2],
    /// What it may be called, as charts name objects after their release; first what it is usually called.
    pub(in crate::fleet) names: &'a [&'a str],
    /// The field.
    pub(in crate::fleet) field: Field<'a>,
    /// How its value is read in a patch; nothing for what is no single value.
    pub(in crate::fleet) read: Option<Read>,
}

/// What a patch does to a field.
enum Effect {
    None,
    Written(Box<Reading>),
    Uncertain(String),
}

/// The patches of post-renderers, in the order in which they apply.
pub(super) fn patches(index: &Index<'_>, list: Option<Effective>) -> Vec<Patch> {
    let Some(list) = list else { return Vec::new() };
    let read = |node: Node<'_>| {
        let renderers = node.items().enumerate();
        let each = renderers.filter_map(|(number, item)| Some((number, find(item, &["kustomize"])?)));
        each.flat_map(|(number, kustomize)| of_kustomize(&list, number, kustomize))
            .collect()
    };
    list.look(index, read).unwrap_or_default()
}

fn of_kustomize(list: &Effective, number: usize, kustomization: Node<'_>) -> Vec<Patch> {
    let number = number.to_string();
    let own = [number.as_str(), "kustomize"];
    let below: Vec<&str> = list.below.iter().map(String::as_str).chain(own).collect();
    let patch = |patch: kustomize::Patch| {
        let (content, touched) = match patch.content {
            PatchContent::Opaque(touched) => (Content::Opaque, touched),
            PatchContent::File(_) | PatchContent::Count(_) | PatchContent::Fields(_) => {
                (Content::Opaque, Touched::ANYTHING)
            }
            PatchContent::Text(pointer) => {
                let tokens = pointer.tokens().skip(below.len());
                let within = PointerBuf::from_tokens(tokens);
                let text = kustomization.nearest(&within).node;
                // What a kustomization of a folder overwrites may not be what is patched here.
                let is_certain = list.uncertain.is_none() && !patch.late;
                let content = if is_certain {
                    Content::Text(pointer)
                } else {
                    Content::Opaque
                };
                (content, Touched::of(text.text().unwrap_or(text.source())))
            }
        };
        Patch {
            spot: list.spot.clone(),
            of: "a post-renderer",
            content,
            line: patch.line,
            target: patch.target,
            touched,
        }
    };
    let patches = kustomize::patches(kustomization, &below).into_iter();
    patches.map(patch).collect()
}

/// The patches of kustomizations, in the order in which they apply to what a chart makes that one of them inflates.
pub(super) fn of_kustomizations(index: &Index<'_>, patches: &[(&Kustomization, &kustomize::Patch)]) -> Vec<Patch> {
    let read = |(of, patch): &(&Kustomization, &kustomize::Patch)| {
        let (content, touched) = match &patch.content {
            PatchContent::Opaque(touched) => (Content::Opaque, *touched),
            PatchContent::Fields(fields) => (Content::Fields(fields.clone()), Touched::ANYTHING),
            PatchContent::Count(_) => {
                let replicas = true;
                let touched = Touched {
                    replicas,
                    ..Touched::default()
                };
                (Content::Opaque, touched)
            }
            PatchContent::File(text) => {
                let path = kustomize::relative(&of.path, text);
                (path.map_or(Content::Opaque, Content::File), Touched::ANYTHING)
            }
            PatchContent::Text(pointer) => {
                let looked = index.opened.look(&of.path, &of.at(), |document| {
                    let text = document.root.nearest(pointer).node;
                    Touched::of(text.text().unwrap_or(text.source()))
                });
                (Content::Text(pointer.clone()), looked.unwrap_or(Touched::ANYTHING))
            }
        };
        Patch {
            spot: Spot {
                path: of.path.clone(),
                at: of.at(),
                object: None,
            },
            of: "a kustomization",
            content,
            line: patch.line,
            target: patch.target.clone(),
            touched,
        }
    };
    patches.iter().map(read).collect()
}

impl Release {
    /// Whether an object of the index is a patch of what the chart makes.
    pub(in crate::fleet) fn is_patched_by(&self, object: &Object) -> bool {
        self.patches.iter().any(|patch| match &patch.content {
            Content::File(path) => *path == object.path,
            Content::Text(pointer) => {
                let outer = object.at.outer.as_ref();
                let is_there = outer.is_some_and(|outer| {
                    outer.index == patch.spot.at.document && outer.pointer == patch.spot.at.prefix.concat(pointer)
                });
                patch.spot.path == object.path && is_there
            }
            Content::Fields(_) | Content::Opaque => false,
        })
    }
}

impl Asker<'_, '_> {
    /// A value of a release where it takes effect: in the last patch of a post-renderer that sets it, else where values have it. A field that
    /// whoever applies the release leaves alone has another owner.
    pub(in crate::fleet) fn rendered(
        &self,
        release: &Release,
        rendered: &Rendered<'_>,
        reading: Option<Reading>,
    ) -> Option<Reading> {
        // Of a chart that nobody has looked at, whose values say nothing, the object is known by its usual name alone.
        let known = if reading.is_some() { rendered.names.len() } else { 1 };
        let names = &rendered.names[..known.min(rendered.names.len())];
        let mut last = Effect::None;
        let mut at = None;
        for patch in &release.patches {
            match self.effect(patch, rendered, names) {
                Effect::None => {}
                effect => (last, at) = (effect, Some(patch)),
            }
        }
        let mut reading = match (last, at) {
            (Effect::Written(mut written), Some(patch)) => {
                if let Some(object) = patch.spot.object {
                    refuse_shared(self.index, object, None, &mut written.site);
                }
                finish(release, *written)
            }
            (Effect::Uncertain(why), Some(patch)) => {
                let Patch { spot, of, line, .. } = patch;
                let mut reading = reading?;
                let message = format!("a patch of {of} at {}:{line} may set the value, too: {why}", spot.path);
                reading.refuse_as(Refusal::WrongShape { message });
                reading
            }
            _ => reading?,
        };
        let Rendered {
            object, names, field, ..
        } = rendered;
        let ignored = release.owner(*object, names, field);
        let scaled = || owners::scaler_of_any(self.index, &release.management_cluster, *object, names, field);
        if let Some(owned) = ignored.or_else(scaled) {
            reading.refuse_as(owned);
        }
        Some(reading)
    }

    fn effect(&self, patch: &Patch, rendered: &Rendered<'_>, names: &[&str]) -> Effect {
        let Patch {
            spot,
            of: _,
            content,
            line: _,
            target,
            touched,
        } = patch;
        let [group, kind] = rendered.object;
        let fits = target.as_ref().map(|target| {
            let each = names.iter().map(|name| target.fits([group, kind, name], None));
            each.max().unwrap_or(Fits::No)
        });
        if fits == Some(Fits::No) || !rendered.field.is_touched(*touched) {
            return Effect::None;
        }
        let look = |documents: Documents<'_>| of_documents(&documents, target.as_ref(), rendered, names);
        let looked = match content {
            Content::Fields(fields) if !fields.rename() && !fields.reach(&rendered.field) => return Effect::None,
            Content::Fields(_) => {
                return Effect::Uncertain("a replacement copies it, or sets it or its object's name".to_owned());
            }
            Content::Opaque => return Effect::Uncertain("it is not taken apart".to_owned()),
            Content::Text(text) => self
                .index
                .opened
                .look(&spot.path, &spot.at, |document| document.within(text, look)),
            Content::File(path) => Some(
                self.index
                    .opened
                    .manifest(path)
                    .map(|manifest| look(manifest.documents())),
            ),
        };
        match looked {
            Some(Ok(effect)) => effect,
            Some(Err(refused)) => Effect::Uncertain(refused.refusal.to_string()),
            None => Effect::Uncertain("it can't be read".to_owned()),
        }
    }
}

fn of_documents(
    documents: &Documents<'_>,
    target: Option<&PatchTarget>,
    rendered: &Rendered<'_>,
    names: &[&str],
) -> Effect {
    if let Some(Refused { refusal, .. }) = documents.unidentified.first() {
        return Effect::Uncertain(refusal.to_string());
    }
    let mut last = Effect::None;
    for document in &documents.objects {
        let effect = match Operation::read_all(document) {
            Some(operations) => of_operations(document, &operations, rendered),
            None if target.is_some() || is_for(document, rendered, names) => of_merge(document, rendered),
            None => Effect::None,
        };
        last = match effect {
            Effect::None => last,
            other => other,
        };
    }
    let one = |target: &PatchTarget| {
        let alone = target.name.text().is_some_and(|name| names.contains(&name.as_str()));
        let [group, kind] = rendered.object;
        let certain = |name: &&str| target.fits([group, kind, name], None) == Fits::Yes;
        alone && target.kind.text().is_some() && names.iter().any(certain)
    };
    match last {
        Effect::Written(_) if target.is_some_and(|target| !one(target)) => {
            Effect::Uncertain("its target may be more than one object".to_owned())
        }
        last => last,
    }
}

/// Whether a strategic merge without a target is for the object.
fn is_for(document: &Document<'_>, rendered: &Rendered<'_>, names: &[&str]) -> bool {
    let key = &document.key;
    [key.group.as_str(), key.kind.as_str()] == rendered.object && names.contains(&key.name.as_str())
}

fn of_merge(document: &Document<'_>, rendered: &Rendered<'_>) -> Effect {
    match locate(document.root, &rendered.field.steps, true) {
        Err(refused) => Effect::Uncertain(refused.refusal.to_string()),
        Ok(Located::NoItem | Located::Nowhere) => Effect::None,
        Ok(Located::At(tokens)) => {
            let tokens: Vec<&str> = tokens.iter().map(String::as_str).collect();
            if find(document.root, &tokens).is_none() {
                return Effect::None;
            }
            written(document, &tokens, rendered)
        }
    }
}

fn written(document: &Document<'_>, tokens: &[&str], rendered: &Rendered<'_>) -> Effect {
    match rendered.read {
        Some(read) => Effect::Written(Box::new(read(document, tokens))),
        None => Effect::Uncertain("it sets what more than one value is made of".to_owned()),
    }
}

fn of_operations(document: &Document<'_>, operations: &[Operation], rendered: &Rendered<'_>) -> Effect {
    let mut last = Effect::None;
    for operation in operations {
        let Operation {
            index,
            verb,
            path,
            from,
            ..
        } = operation;
        let uncertain = |why: &str| Effect::Uncertain(why.to_owned());
        let relation = relation(path, rendered);
        let moved = *verb == Verb::Move && self::relation(from, rendered) != Relation::Apart;
        last = match (verb, relation) {
            (Verb::Unknown, _) => uncertain("an operation can't be read"),
            _ if moved => uncertain("an operation moves it away"),
            (_, Relation::Apart) => continue,
            (_, Relation::Counted) => uncertain("an operation counts the items of a list of the chart"),
            (Verb::Add | Verb::Replace, Relation::Same) => {
                let index = index.to_string();
                written(document, &[&index, "value"], rendered)
            }
            _ => uncertain("an operation does more than set it"),
        };
    }
    last
}

/// How the path of an operation lies to a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Relation {
    /// It is something else.
    Apart,
    /// It is the field.
    Same,
    /// It is what the field is in, or a part of it.
    Overlapping,
    /// It may be any of these, as it counts items.
    Counted,
}

fn relation(path: &[String], rendered: &Rendered<'_>) -> Relation {
    let steps = &rendered.field.steps;
    let mut counted = false;
    for (token, step) in path.iter().zip(steps) {
        match step {
            Step::Key(key) if key != token => return Relation::Apart,
            Step::Key(_) => {}
            Step::Named(_) => counted = true,
        }
    }
    match path.len().cmp(&steps.len()) {
        _ if counted => Relation::Counted,
        std::cmp::Ordering::Equal => Relation::Same,
        _ => Relation::Overlapping,
    }
}
