//! One scalar gives way to another in its own quotes; the rest of its line stays.

use crate::model::{Quantity, Scalar};
use crate::yaml::{Kind, Node, ScalarStyle};

use super::problem::Problem;
use super::splice::Splice;
use super::text;

/// Replaces a scalar that says `from`.
///
/// A number must be written as one plain decimal integer, or as one in quotes, which stay. A text must be a string to every reader, before
/// and after. An amount may become one of another type where it stands without quotes: `0.5` and `2` are numbers to YAML, `750m` is a text,
/// and all three are quantities to Kubernetes.
pub(super) fn replace(node: Node<'_>, in_flow: bool, from: &Scalar, to: &Scalar) -> Result<Splice, Problem> {
    let Kind::Scalar { text: found, style } = node.kind() else {
        return Err(Problem::wrong_kind("scalar", node));
    };
    if matches!(style, ScalarStyle::Literal | ScalarStyle::Folded) || node.source().contains(['\n', '\r']) {
        return Err(Problem::SeveralLines);
    }
    let shown = || found.chars().take(200).collect::<String>();
    if text::is_template(found) {
        return Err(Problem::Template { text: shown() });
    }
    if from.integer().is_some() && !text::is_integer(found) {
        return Err(Problem::NotAnInteger { text: shown() });
    }
    let plain = style == ScalarStyle::Plain;
    let expected = from.to_string();
    // What some reader takes for something else is not the value that was planned for.
    let other_type = match from {
        Scalar::Integer(_) => false,
        Scalar::Decimal(_) => !plain,
        Scalar::Text(_) => plain && !text::is_string(found),
    };
    if found != expected || other_type {
        return Err(Problem::Stale {
            expected,
            found: shown(),
        });
    }
    // Escapes that are not needed would not come back: more bytes than the value's own would change.
    if style == ScalarStyle::DoubleQuoted && text::spell(found, style, in_flow).as_deref() != Some(node.source()) {
        return Err(Problem::Escapes { text: shown() });
    }
    let of_one_type = match (from, to) {
        (Scalar::Integer(_), Scalar::Integer(_)) | (Scalar::Text(_), Scalar::Text(_)) => true,
        _ => plain && is_amount(from) && is_amount(to),
    };
    let unwritable = || Problem::Unwritable { text: to.to_string() };
    if !of_one_type {
        return Err(unwritable());
    }
    let new = match to {
        Scalar::Integer(number) => text::spell_integer(*number)?,
        Scalar::Decimal(_) | Scalar::Text(_) => to.to_string(),
    };
    let spelled = match to {
        Scalar::Integer(_) | Scalar::Decimal(_) if plain => Some(new),
        _ => text::spell(&new, style, in_flow),
    };
    Ok(Splice {
        range: node.span(),
        text: spelled.ok_or_else(unwritable)?,
    })
}

/// Whether a value is a Kubernetes quantity.
fn is_amount(value: &Scalar) -> bool {
    match value {
        Scalar::Integer(_) | Scalar::Decimal(_) => true,
        Scalar::Text(text) => Quantity::parse(text).is_ok(),
    }
}
