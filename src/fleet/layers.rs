//! The value of a field after everything that is merged over its manifest: the last one that writes it is the place.
//!
//! Nothing is built. Layer by layer, in kustomize's order, it is asked where the field is written now. A layer whose effect on the field is
//! not certain refuses it, and says which one it is.

mod relation;
mod texts;

use json_patch::jsonptr::PointerBuf;

use crate::model::{Refusal, Site};
use crate::yaml::Node;

use super::document::Document;
use super::field::{self, Field, Located, locate};
use super::find::find;
use super::gate::Refused;
use super::index::{Content, Index, Instance, Layer, Object};
use super::kustomize::COUNTED_KINDS;
use super::operation::{Operation, Verb};
use super::shapes::Reading;
use super::substitute;
use relation::{Names, Relation, relation};

pub(super) use texts::{Text, texts};

/// How a value is read below an object's root.
pub(super) type Read = fn(&Document<'_>, &[&str]) -> Reading;

/// The place of a field, with the object that has it (a number of [`Index::objects`]).
pub(super) fn value(index: &Index<'_>, instance: &Instance, field: &Field<'_>, read: Read) -> Option<(usize, Reading)> {
    let opened = &index.opened;
    let mut at = None;
    let mut names = Names::default();
    let mut uncertain = None;
    for layer in instance.writers() {
        let number = match layer {
            Layer::Object(number) => number,
            Layer::Opaque { path, line, touched } => {
                if field.is_touched(touched) {
                    let message = format!("the patch at {path}:{line} may set the value, too");
                    uncertain = Some(Refusal::WrongShape { message });
                }
                continue;
            }
            Layer::Replacement { path, line, fields } => {
                if fields.reach(field) {
                    let message = fields.message(&format!("{path}:{line}"));
                    uncertain = Some(Refusal::WrongShape { message });
                }
                continue;
            }
        };
        let object = &index.objects[number];
        let is_manifest = number == instance.object;
        let effect = opened.look(&object.path, &object.at, |document| match &object.content {
            Content::Says(_) => of_document(document, field, read, is_manifest, &mut names),
            Content::Count(pointer) => of_count(document, pointer, field, &index.objects[instance.object], read),
            Content::Operations(operations) => of_operations(document, operations, field, read, &mut names),
        });
        match effect {
            None | Some(Effect::None) => {}
            Some(Effect::Written(reading)) => {
                uncertain = None;
                at = Some((number, *reading));
            }
            Some(Effect::Uncertain(refused)) => {
                let Refused { line, refusal } = refused;
                let message = format!("{}:{line}: {refusal}", object.path);
                uncertain = Some(Refusal::WrongShape { message });
            }
        }
    }
    let (number, mut reading) = at?;
    if let Some(refusal) = uncertain {
        // Something may write what nothing is seen to write.
        if let (false, Site::Refused { refusal: absent, .. }) = (reading.written, &mut reading.site) {
            *absent = refusal.clone();
        }
        reading.refuse_as(refusal);
    }
    let (number, mut reading) = substitute::follow(index, instance, number, reading);
    if let Some(suspended) = &instance.suspended {
        reading.refuse_as((**suspended).clone());
    }
    Some((number, reading))
}

/// What a layer does to a field.
enum Effect {
    /// Nothing.
    None,
    /// It writes it; or, for the manifest, it says where it would be.
    Written(Box<Reading>),
    /// Something that is not certain, or that an edit would break.
    Uncertain(Refused),
}

impl Effect {
    fn written(reading: Reading) -> Self {
        Self::Written(Box::new(reading))
    }
}

fn as_strs(tokens: &[String]) -> Vec<&str> {
    tokens.iter().map(String::as_str).collect()
}

fn of_document(document: &Document<'_>, field: &Field<'_>, read: Read, is_manifest: bool, names: &mut Names) -> Effect {
    let listed = field::names(document, field);
    if let Some(listed) = &listed {
        let adds = |known: &Vec<Option<String>>| listed.iter().any(|name| !known.contains(name));
        match &names.known {
            // Where kustomize puts a new item among the others is left open.
            Some(known) if field.merged && !is_manifest && adds(known) => names.known = None,
            Some(_) if field.merged && !is_manifest => {}
            _ => names.known = Some(listed.clone()),
        }
    }
    match locate(document.root, &field.steps, !is_manifest) {
        Err(refused) if is_manifest => Effect::written(Reading::refused(document, None, refused)),
        Err(refused) => Effect::Uncertain(refused),
        Ok(Located::At(tokens)) => {
            let reading = read(document, &as_strs(&tokens));
            // A list that replaces another one brings its own items: what they leave out is nowhere.
            let replaces = !field.merged && listed.is_some();
            if reading.written || is_manifest || replaces {
                Effect::written(reading)
            } else {
                Effect::None
            }
        }
        Ok(Located::NoItem | Located::Nowhere) if is_manifest => {
            Effect::written(Reading::unwritten(document, field::absent(document, field)))
        }
        Ok(Located::NoItem) if !field.merged => {
            let name = field.list().map_or("", |(_, name)| name);
            let message = format!("a patch replaces the list that {name} is in");
            Effect::Uncertain(Refused::shape(document.line(), message))
        }
        Ok(Located::NoItem | Located::Nowhere) => Effect::None,
    }
}

/// An item of `replicas:`, which sets `spec.replicas` of the kinds that it knows.
fn of_count(document: &Document<'_>, pointer: &PointerBuf, field: &Field<'_>, object: &Object, read: Read) -> Effect {
    let counted = COUNTED_KINDS.contains(&object.key.kind.as_str());
    if !counted || field.steps != Field::replicas().steps {
        return Effect::None;
    }
    let tokens: Vec<String> = pointer.tokens().map(|token| token.decoded().into_owned()).collect();
    Effect::written(read(document, &as_strs(&tokens)))
}

fn of_operations(
    document: &Document<'_>,
    operations: &[Operation],
    field: &Field<'_>,
    read: Read,
    names: &mut Names,
) -> Effect {
    let mut effect = Effect::None;
    for operation in operations {
        match of_operation(document, operation, field, read, names) {
            Effect::None => {}
            // What is uncertain stays so, unless the whole field is written anew.
            other => effect = other,
        }
    }
    effect
}

fn of_operation(
    document: &Document<'_>,
    operation: &Operation,
    field: &Field<'_>,
    read: Read,
    names: &mut Names,
) -> Effect {
    let Operation {
        index,
        line,
        verb,
        path,
        from,
        groups: _,
        unbound: _,
        pauses: _,
    } = operation;
    let uncertain = |message: &str| Effect::Uncertain(Refused::shape(*line, message));
    let value = value_of(document, *index);
    let at = relation(path, field, names, operation, value);
    let source = match verb {
        Verb::Move => relation(from, field, names, operation, None),
        _ => Relation::Apart,
    };
    if source.touches() {
        return uncertain("an operation moves it away");
    }
    match (verb, at) {
        (Verb::Unknown, _) => uncertain("an operation can't be read"),
        (_, Relation::Unknown) => uncertain("an operation counts items of a list whose order is not certain"),
        (_, Relation::Apart | Relation::Below(_)) => Effect::None,
        (Verb::Test, _) => uncertain("a test operation expects the value that is there now"),
        (Verb::Remove, _) => uncertain("an operation takes it away"),
        (Verb::Move | Verb::Copy, _) => uncertain("an operation copies another value to it"),
        (Verb::Add | Verb::Replace, Relation::AtOrAbove(depth)) => {
            let Some(value) = value else {
                return uncertain("an operation has no value");
            };
            if let Some(message) = doubt_of_item(field, depth, value, names) {
                return Effect::Uncertain(Refused::shape(*line, message));
            }
            match locate(value, &field.steps[depth..], false) {
                Err(refused) => Effect::Uncertain(refused),
                Ok(Located::NoItem | Located::Nowhere) => uncertain("an operation replaces what it is in"),
                Ok(Located::At(rest)) => {
                    let index = index.to_string();
                    let tokens = [index.as_str(), "value"]
                        .into_iter()
                        .chain(rest.iter().map(String::as_str));
                    Effect::written(read(document, &tokens.collect::<Vec<_>>()))
                }
            }
        }
    }
}

/// Why an operation on an item of a list, or on something in it, is not certain to be about the item of the field's name.
fn doubt_of_item(field: &Field<'_>, depth: usize, value: Node<'_>, names: &Names) -> Option<String> {
    let (list, name) = field.list()?;
    let known = names.known.iter().flatten();
    if known.filter(|known| known.as_deref() == Some(name)).count() > 1 {
        return Some(format!("{name} stands in the list more than once"));
    }
    let is_another = depth == list + 1 && field::name_of(value).as_deref() != Some(name);
    is_another.then(|| "an operation replaces what it is in".to_owned())
}

fn value_of<'s>(document: &Document<'s>, index: usize) -> Option<Node<'s>> {
    find(document.root, &[&index.to_string(), "value"])
}
