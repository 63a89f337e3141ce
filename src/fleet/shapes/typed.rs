//! Values with a unit, and texts that hold a number: what a provider's arguments and a container's resources are.

use json_patch::jsonptr::PointerBuf;

use crate::fleet::document::{self, Document};
use crate::fleet::gate::Refused;
use crate::model::{Decimal, Form, GoDuration, Quantity, Refusal, Scalar};
use crate::yaml::{Kind, ScalarStyle};

use super::reading::{Reading, decimal_text, expanded_elsewhere};

/// A scalar of one line, or why it is none.
fn scalar(document: &Document<'_>, below: &[&str], judge: impl FnOnce(&str, bool) -> Judged) -> Reading {
    let pointer = PointerBuf::from_tokens(below.iter().copied());
    let found = match document.root.lookup(&pointer) {
        Ok(found) => found,
        Err(obstacle) => {
            let refused = document::refused(obstacle);
            return match refused.refusal {
                Refusal::Absent { .. } => Reading::unwritten(document, refused),
                _ => Reading::refused(document, None, refused),
            };
        }
    };
    let line = found.node.position().line;
    let shape = |message: &str| Refusal::WrongShape {
        message: message.to_owned(),
    };
    let judged = match found.node.kind() {
        Kind::Scalar {
            style: ScalarStyle::Literal | ScalarStyle::Folded,
            ..
        } => Err(shape("the value runs over several lines")),
        Kind::Scalar { .. } if found.node.is_null() => Err(shape("null stands where a value is expected")),
        Kind::Scalar { text, style } => match expanded_elsewhere(text) {
            Some(refusal) => Err(refusal),
            None => judge(text, style == ScalarStyle::Plain),
        },
        _ => Err(shape("a mapping or list stands where a value is expected")),
    };
    match judged {
        Ok((value, form)) => Reading::at(document, Some(value), document.pointer(below), line, form),
        Err(refusal) => {
            let refused = document.standing.clone().unwrap_or(Refused::at(line, refusal));
            Reading::refused(document, None, refused)
        }
    }
}

/// The value and how it is written, or why it can't be changed.
type Judged = Result<(Scalar, Form), Refusal>;

/// Reads the value of a flag where the operator wants a text: a number in quotes, or a duration, which keeps its author's spelling.
pub(in crate::fleet) fn flag_value(document: &Document<'_>, below: &[&str]) -> Reading {
    scalar(document, below, |text, plain| match decimal_text(text) {
        Some(_) if plain => Err(Refusal::WrongShape {
            message: "the value stands without quotes where the operator wants a text".to_owned(),
        }),
        Some(number) => {
            let prefix = String::new();
            Ok((Scalar::Integer(number), Form::Prefixed { prefix }))
        }
        None if GoDuration::parse(text).is_some() => Ok((Scalar::Text(text.to_owned()), Form::Scalar)),
        None => Err(not_a_number(text)),
    })
}

/// Reads a quantity, which keeps its author's spelling: `512Mi`, `"0.5"`. What is a number to YAML is one: `2`, `0.5`.
pub(in crate::fleet) fn quantity(document: &Document<'_>, below: &[&str]) -> Reading {
    scalar(document, below, |text, plain| match Quantity::parse(text) {
        // A plain `1e3` or `.5` is a number as well, and has another spelling after an edit.
        Ok(_) if plain && text.parse::<f64>().is_ok() => {
            let whole = decimal_text(text).map(Scalar::Integer);
            let number = whole.or_else(|| Decimal::parse(text).map(Scalar::Decimal));
            let refusal = || Refusal::WrongShape {
                message: format!("the number {text} has several spellings: write it like `0.5` or `500m`"),
            };
            Ok((number.ok_or_else(refusal)?, Form::Scalar))
        }
        Ok(_) => Ok((Scalar::Text(text.to_owned()), Form::Scalar)),
        Err(_) => Err(not_a_number(text)),
    })
}

fn not_a_number(text: &str) -> Refusal {
    Refusal::NotAnInteger {
        text: text.chars().take(80).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fleet::shapes::testing::{shown, with_objects};

    fn read(value: &str, read: fn(&Document<'_>, &[&str]) -> Reading) -> String {
        with_objects(&format!("a: {value}\n"), |objects| shown(&read(&objects[0], &["a"])))
    }

    #[test]
    fn a_flag_is_a_number_in_quotes_or_a_duration() {
        for (value, want) in [
            ("\"20\"", "Integer(20) a.yaml#0/a:1 Prefixed { prefix: \"\" }"),
            ("20m", "Text(\"20m\") a.yaml#0/a:1 Scalar"),
            ("'1h30m'", "Text(\"1h30m\") a.yaml#0/a:1 Scalar"),
            (
                "20",
                "- line 1: the value stands without quotes where the operator wants a text",
            ),
            ("\"true\"", "- line 1: not-an-integer"),
            ("${x}", "- line 1: variable"),
            ("", "- line 1: null stands where a value is expected"),
            ("|-\n  20m", "- line 2: the value runs over several lines"),
            ("{b: 1}", "- line 1: a mapping or list stands where a value is expected"),
        ] {
            assert_eq!(read(value, flag_value), want, "{value}");
        }
    }

    #[test]
    fn a_quantity_keeps_its_spelling() {
        for (value, want) in [
            ("512Mi", "Text(\"512Mi\") a.yaml#0/a:1 Scalar"),
            ("0.5", "Decimal(Decimal(Finite(0.5))) a.yaml#0/a:1 Scalar"),
            ("1.0", "Decimal(Decimal(Finite(1.0))) a.yaml#0/a:1 Scalar"),
            (
                "0.50",
                "- line 1: the number 0.50 has several spellings: write it like `0.5` or `500m`",
            ),
            (
                ".5",
                "- line 1: the number .5 has several spellings: write it like `0.5` or `500m`",
            ),
            (
                "1e3",
                "- line 1: the number 1e3 has several spellings: write it like `0.5` or `500m`",
            ),
            ("'0.50'", "Text(\"0.50\") a.yaml#0/a:1 Scalar"),
            ("'0.5'", "Text(\"0.5\") a.yaml#0/a:1 Scalar"),
            ("2", "Integer(2) a.yaml#0/a:1 Scalar"),
            ("\"2\" # two", "Text(\"2\") a.yaml#0/a:1 Scalar"),
            ("512mb", "- line 1: not-an-integer"),
            ("-1", "- line 1: not-an-integer"),
            ("'{{ .memory }}'", "- line 1: template"),
        ] {
            assert_eq!(read(value, quantity), want, "{value}");
        }
    }
}
