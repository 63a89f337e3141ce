//! Where something is in an object after everything that is merged over it, whatever it is.

use json_patch::jsonptr::PointerBuf;

use crate::fleet::document::Document;
use crate::fleet::field::Field;
use crate::fleet::find::find;
use crate::fleet::index::{Index, Instance};
use crate::fleet::layers;
use crate::fleet::shapes::Reading;
use crate::model::{Form, Refusal, Scalar, Site};
use crate::yaml::Node;

use super::Spot;

/// A place that was found.
pub(super) struct Effective {
    /// The document.
    pub(super) spot: Spot,
    /// The way to it from the document's object.
    pub(super) below: Vec<String>,
    /// Its line.
    pub(super) line: usize,
    /// Why it is not certain that this is what counts.
    pub(super) uncertain: Option<Refusal>,
}

/// Finds what keys lead to; nothing if it is not there.
pub(super) fn at(index: &Index<'_>, instance: &Instance, keys: &[&str]) -> Option<Effective> {
    let (number, reading) = layers::value(index, instance, &Field::keys(keys), position)?;
    let Some(Scalar::Text(pointer)) = &reading.value else {
        return None;
    };
    let pointer = PointerBuf::parse(pointer.as_str()).ok()?;
    let object = &index.objects[number];
    let (line, uncertain) = match reading.site {
        Site::Writable(place) => (place.line, None),
        Site::Refused { line, refusal, .. } => (line, Some(refusal)),
    };
    Some(Effective {
        spot: Spot {
            path: object.path.clone(),
            at: object.at.clone(),
            object: Some(number),
        },
        below: pointer.tokens().map(|token| token.decoded().into_owned()).collect(),
        line,
        uncertain,
    })
}

/// The text that keys lead to.
pub(super) fn text(index: &Index<'_>, instance: &Instance, keys: &[&str]) -> Option<String> {
    let found = at(index, instance, keys)?;
    found.look(index, |node| node.text().map(str::to_owned)).flatten()
}

impl Effective {
    /// Looks at it.
    pub(super) fn look<T>(&self, index: &Index<'_>, look: impl FnOnce(Node<'_>) -> T) -> Option<T> {
        let below: Vec<&str> = self.below.iter().map(String::as_str).collect();
        let Spot { path, at, .. } = &self.spot;
        let found = index
            .opened
            .look(path, at, |document| find(document.root, &below).map(look));
        found.flatten()
    }
}

/// Reads where something is: the value is the way to it.
fn position(document: &Document<'_>, below: &[&str]) -> Reading {
    let pointer = PointerBuf::from_tokens(below.iter().copied());
    let value = Some(Scalar::Text(pointer.to_string()));
    match document.root.lookup(&pointer) {
        Ok(found) => {
            let line = found.node.position().line;
            Reading::at(document, value, document.pointer(below), line, Form::Scalar)
        }
        Err(obstacle) => {
            let refused = crate::fleet::document::refused(obstacle);
            match refused.refusal {
                Refusal::Absent { .. } => Reading::unwritten(document, refused),
                _ => Reading::refused(document, value, refused),
            }
        }
    }
}
