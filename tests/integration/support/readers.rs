//! What other readers have of a text, and every place in it.

use fleetscale::model::Scalar;
use fleetscale::yaml::{Node, Stream};
use json_patch::jsonptr::{Pointer, PointerBuf};
use serde::Deserialize as _;
use serde_yaml::Value;

/// All values that an edit could name, with their document and pointer.
pub(crate) fn places<'s>(stream: &'s Stream<'s>) -> Vec<(usize, PointerBuf, Node<'s>)> {
    fn visit<'s>(document: usize, pointer: &PointerBuf, node: Node<'s>, into: &mut Vec<(usize, PointerBuf, Node<'s>)>) {
        into.push((document, pointer.clone(), node));
        for entry in node.entries() {
            if let Some(key) = entry.key_text() {
                visit(document, &pointer.with_trailing_token(key), entry.value, into);
            }
        }
        for (index, item) in node.items().enumerate() {
            visit(document, &pointer.with_trailing_token(index), item, into);
        }
    }
    let mut into = Vec::new();
    for (index, document) in stream.documents().into_iter().enumerate() {
        visit(index, &PointerBuf::root(), document.root, &mut into);
    }
    into
}

/// Whether a text is an integer to every reader.
pub(crate) fn is_integer(text: &str) -> bool {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits && text.len() < 10 && (text == "0" || !text.starts_with('0'))
}

/// The documents as a third reader has them: libyaml, as Kubernetes' own tools do; nothing for what it refuses.
pub(crate) fn third_reading(text: &str) -> Option<Vec<Value>> {
    let documents = serde_yaml::Deserializer::from_str(text);
    documents.map(|document| Value::deserialize(document).ok()).collect()
}

/// The place of a value in what the third reader has.
pub(crate) fn find<'v>(documents: &'v mut [Value], document: usize, pointer: &Pointer) -> Option<&'v mut Value> {
    let mut value = documents.get_mut(document)?;
    for token in pointer.tokens() {
        let token = token.decoded();
        value = match value {
            Value::Mapping(mapping) => {
                let named = |key: &Value| match key {
                    Value::String(text) => *text == token,
                    other => serde_yaml::to_string(other).is_ok_and(|text| text.trim_end() == token),
                };
                mapping.iter_mut().find(|(key, _)| named(key))?.1
            }
            Value::Sequence(items) => items.get_mut(token.parse::<usize>().ok()?)?,
            _ => return None,
        };
    }
    Some(value)
}

/// A scalar as the third reader has it.
pub(crate) fn value_of(scalar: &Scalar) -> Value {
    match scalar {
        Scalar::Integer(number) => Value::from(*number),
        Scalar::Decimal(number) => Value::from(f64::from(*number)),
        Scalar::Text(text) => Value::from(text.as_str()),
    }
}
