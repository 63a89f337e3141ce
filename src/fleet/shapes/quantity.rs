//! A Kubernetes quantity in its author's unit: `512Mi`, `1.5`, `"2"`.

use json_patch::jsonptr::PointerBuf;

use crate::fleet::document::{self, Document};
use crate::fleet::gate::Refused;
use crate::model::{Bytes, Form, Refusal, Scalar};
use crate::yaml::{Kind, ScalarStyle};

use super::reading::{Reading, decimal_text, expanded_elsewhere};

/// Reads the quantity below an object's root. A whole number is an integer, whether it has quotes or not; anything else is its text.
pub(in crate::fleet) fn quantity(document: &Document<'_>, below: &[&str]) -> Reading {
    let pointer = PointerBuf::from_tokens(below.iter().copied());
    let found = match document.root.lookup(&pointer).map_err(document::refused) {
        Ok(found) => found,
        Err(refused) if matches!(refused.refusal, Refusal::Absent { .. }) => {
            return Reading::unwritten(document, refused);
        }
        Err(refused) => return Reading::refused(document, None, refused),
    };
    let line = found.node.position().line;
    let (text, style) = match found.node.kind() {
        Kind::Scalar { text, style } if !found.node.is_null() => (text, style),
        _ => {
            let message = "something else stands where a quantity is expected";
            return Reading::refused(document, None, Refused::shape(line, message));
        }
    };
    if let Some(refusal) = expanded_elsewhere(text) {
        return Reading::refused(document, None, Refused::at(line, refusal));
    }
    if matches!(style, ScalarStyle::Literal | ScalarStyle::Folded) {
        return Reading::refused(document, None, Refused::shape(line, "the quantity is a block of text"));
    }
    // Cores and bytes are spelled alike; of both only what is no amount at all is refused.
    let value = match (decimal_text(text), Bytes::try_from(text.to_owned())) {
        (Some(number), _) => Scalar::Integer(number),
        (None, Ok(_)) => Scalar::Text(text.to_owned()),
        (None, Err(error)) => {
            let message = error.to_string();
            return Reading::refused(document, None, Refused::shape(line, message));
        }
    };
    let form = match style {
        ScalarStyle::Plain => Form::Scalar,
        _ => Form::Prefixed { prefix: String::new() },
    };
    Reading::at(document, Some(value), document.pointer(below), line, form)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fleet::shapes::testing::{shown, with_objects};

    #[test]
    fn a_quantity_keeps_its_authors_unit() {
        let quoted = "Prefixed { prefix: \"\" }";
        let at = "a.yaml#0/limits/memory:2";
        let other = "line 2: something else stands where a quantity is expected";
        for (value, want) in [
            ("512Mi # MiB", format!("Text(\"512Mi\") {at} Scalar")),
            ("\"1.5Gi\"", format!("Text(\"1.5Gi\") {at} {quoted}")),
            ("200m", format!("Text(\"200m\") {at} Scalar")),
            ("2", format!("Integer(2) {at} Scalar")),
            ("'2'", format!("Integer(2) {at} {quoted}")),
            ("${memory}", "- line 2: variable".to_owned()),
            ("'{{ memory }}'", "- line 2: template".to_owned()),
            ("[1]", format!("- {other}")),
            ("", format!("- {other}")),
            ("|-\n    2", "- line 3: the quantity is a block of text".to_owned()),
        ] {
            let text = format!("limits:\n  memory: {value}\n");
            let reading = with_objects(&text, |objects| quantity(&objects[0], &["limits", "memory"]));
            assert_eq!(shown(&reading), want, "{value}");
        }
        let wrong = with_objects("limits: {memory: much}\n", |objects| {
            quantity(&objects[0], &["limits", "memory"])
        });
        assert_eq!(wrong.value, None);
        let absent = with_objects("limits: {}\n", |objects| quantity(&objects[0], &["limits", "memory"]));
        assert!(!absent.written);
    }
}
