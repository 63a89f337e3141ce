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
use crate::fleet::index::Index;
use crate::fleet::kustomize::{self, PatchContent};
use crate::fleet::layers::Read;
use crate::fleet::operation::{Operation, Verb};
use crate::fleet::owners;
use crate::fleet::patch_target::{Fits, PatchTarget};
use crate::fleet::shapes::Reading;
use crate::fleet::shared::refuse_shared;
use crate::fleet::touched::Touched;
use crate::model::Refusal;
use crate::yaml::Node;

use super::ask::{Asker, finish};
use super::effective::Effective;
use super::{Release, Spot};

/// A patch of a post-renderer.
#[derive(Debug, Clone)]
pub(super) struct Patch {
    /// The document that it stands in.
    spot: Spot,
    /// The way to its text; nothing for a patch that is not taken apart.
    text: Option<PointerBuf>,
    /// Its line.
    line: usize,
    /// What it is for.
    target: Option<PatchTarget>,
    /// What it may set, as far as its words tell.
    touched: Touched,
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
        let (text, touched) = match patch.content {
            PatchContent::Opaque(touched) => (None, touched),
            PatchContent::File(_) | PatchContent::Count(_) => (None, Touched::ANYTHING),
            PatchContent::Text(pointer) => {
                let tokens = pointer.tokens().skip(below.len());
                let within = PointerBuf::from_tokens(tokens);
                let text = kustomization.nearest(&within).node;
                // What a kustomization of a folder overwrites may not be what is patched here.
                let text_of = (list.uncertain.is_none() && !patch.late).then_some(pointer);
                (text_of, Touched::of(text.text().unwrap_or(text.source())))
            }
        };
        Patch {
            spot: list.spot.clone(),
            text,
            line: patch.line,
            target: patch.target,
            touched,
        }
    };
    let patches = kustomize::patches(kustomization, &below).into_iter();
    patches.map(patch).collect()
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
                let Patch { spot, line, .. } = patch;
                let mut reading = reading?;
                let message = format!(
                    "a patch of a post-renderer at {}:{line} may set the value, too: {why}",
                    spot.path
                );
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
            text,
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
        let Some(text) = text else {
            return Effect::Uncertain("it is not taken apart".to_owned());
        };
        let looked = self.index.opened.look(&spot.path, &spot.at, |document| {
            document.within(text, |documents| {
                of_documents(&documents, target.as_ref(), rendered, names)
            })
        });
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
