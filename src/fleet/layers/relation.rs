//! What an operation is about, seen from a field.

use crate::fleet::field::{self, Field, Step};
use crate::fleet::find::find;
use crate::fleet::operation::{Operation, Verb};
use crate::yaml::Node;

/// The names of the items of the list that a field is in, as far as they are known: operations count items.
#[derive(Default)]
pub(super) struct Names {
    pub(super) known: Option<Vec<Option<String>>>,
}

/// How what an operation names lies to a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Relation {
    /// It is something else.
    Apart,
    /// It is the field or something that the field is in, so many steps from the root.
    AtOrAbove(usize),
    /// It is in the field, at these tokens.
    Below(Vec<String>),
    /// It may be anything of that.
    Unknown,
}

impl Relation {
    pub(super) fn touches(&self) -> bool {
        matches!(self, Self::AtOrAbove(_) | Self::Unknown)
    }
}

/// Compares the path of an operation with a field, and keeps count of the items of the list on the way.
pub(super) fn relation(
    path: &[String],
    field: &Field<'_>,
    names: &mut Names,
    operation: &Operation,
    value: Option<Node<'_>>,
) -> Relation {
    for (depth, step) in field.steps.iter().enumerate() {
        let Some(token) = path.get(depth) else {
            // The list is replaced with what it is in.
            if field.list().is_some_and(|(list, _)| depth <= list) {
                names.known = replaced(field, depth, operation, value);
            }
            return Relation::AtOrAbove(depth);
        };
        match step {
            Step::Key(key) if token == key => {}
            Step::Key(_) => return Relation::Apart,
            // What names an item says which one it is.
            Step::Named(_) if operation.verb != Verb::Test && path.get(depth + 1).is_some_and(|key| key == "name") => {
                return Relation::Unknown;
            }
            Step::Named(name) => match item(token, path.len() == depth + 1, names, operation, value) {
                None => return Relation::Unknown,
                Some(found) if found.iter().any(|found| found.as_deref() == Some(name)) => {}
                Some(_) => return Relation::Apart,
            },
        }
    }
    match path.get(field.steps.len()..) {
        Some(below) if !below.is_empty() => Relation::Below(below.to_vec()),
        _ => Relation::AtOrAbove(field.steps.len()),
    }
}

/// The names in a list that an operation writes as a part of something larger.
fn replaced(
    field: &Field<'_>,
    depth: usize,
    operation: &Operation,
    value: Option<Node<'_>>,
) -> Option<Vec<Option<String>>> {
    let (list, _) = field.list()?;
    let keys = field.steps[depth..list].iter().map(|step| match step {
        Step::Key(key) | Step::Named(key) => *key,
    });
    let list = find(value?, &keys.collect::<Vec<_>>())?;
    let writes = matches!(operation.verb, Verb::Add | Verb::Replace);
    (writes && list.is_sequence()).then(|| list.items().map(field::name_of).collect())
}

/// The names of the items that an operation on one index of the list is about; nothing if that is not known. If it is about the item itself
/// the list changes, and both the old and the new item are meant.
fn item(
    token: &str,
    is_item: bool,
    names: &mut Names,
    operation: &Operation,
    value: Option<Node<'_>>,
) -> Option<Vec<Option<String>>> {
    let known = names.known.as_mut()?;
    let new = value.and_then(field::name_of);
    let index = match token {
        "-" => known.len(),
        token => token.parse::<usize>().ok()?,
    };
    match operation.verb {
        Verb::Add if is_item => {
            if index > known.len() {
                return None;
            }
            known.insert(index, new.clone());
            Some(vec![new])
        }
        Verb::Remove | Verb::Move if is_item => {
            if index >= known.len() {
                return None;
            }
            Some(vec![known.remove(index)])
        }
        Verb::Replace if is_item => {
            let old = std::mem::replace(known.get_mut(index)?, new.clone());
            Some(vec![old, new])
        }
        Verb::Copy | Verb::Unknown if is_item => None,
        _ => Some(vec![known.get(index)?.clone()]),
    }
}
