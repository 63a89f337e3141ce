//! One scalar gives way to another in its own quotes; the rest of its line stays.

use crate::model::Scalar;
use crate::yaml::{Kind, Node, ScalarStyle};

use super::problem::Problem;
use super::splice::Splice;
use super::text;

/// Replaces a scalar that says `from`.
///
/// A number must be written as one plain decimal integer, or as one in quotes, which stay. A text must be a string to every reader, before
/// and after.
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
    let expected = from.to_string();
    // A plain text that some reader takes for something else is not the string that was planned for.
    let other_type = style == ScalarStyle::Plain && from.integer().is_none() && !text::is_string(found);
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
    let (new, style_of_number) = match (from, to) {
        (Scalar::Integer(_), Scalar::Integer(number)) => (text::spell_integer(*number)?, true),
        (Scalar::Text(_), Scalar::Text(text)) => (text.clone(), false),
        _ => return Err(Problem::Unwritable { text: to.to_string() }),
    };
    let spelled = if style_of_number && style == ScalarStyle::Plain {
        Some(new.clone())
    } else {
        text::spell(&new, style, in_flow)
    };
    Ok(Splice {
        range: node.span(),
        text: spelled.ok_or(Problem::Unwritable { text: new })?,
    })
}
