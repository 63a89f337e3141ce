//! Where a value in block style ends, as far as lines are added below it.

use super::node::{Kind, Node};
use super::stream::ScalarStyle;

/// The last value in a value: what its bytes end with.
fn last_leaf(node: Node<'_>) -> Node<'_> {
    let last = match node.kind() {
        Kind::Mapping { flow: false } => node.entries().last().map(|entry| entry.value),
        Kind::Sequence { flow: false } => node.items().last(),
        _ => None,
    };
    last.map_or(node, last_leaf)
}

/// Whether a value ends where its bytes say. A block scalar does not: its end depends on the lines that follow.
pub fn has_certain_end(node: Node<'_>) -> bool {
    let block = [ScalarStyle::Literal, ScalarStyle::Folded];
    !matches!(last_leaf(node).kind(), Kind::Scalar { style, .. } if block.contains(&style))
}

/// The end of the line below which new ones may stand, before its line break; nothing for a block scalar whose text would change with them.
pub fn end_of_lines(value: Node<'_>) -> Option<usize> {
    let text = value.stream().text();
    let end = value.span().end;
    if has_certain_end(value) {
        return Some(line_end(text, end));
    }
    // The lines of a block scalar end with the last one that is not empty, unless the scalar keeps the empty ones.
    let start = last_leaf(value).span().start;
    let above = text[..start].trim_end().lines().last().unwrap_or_default();
    let above = above.split_once(" #").map_or(above, |(above, _)| above);
    let header = &above[above.rfind(['|', '>']).unwrap_or(above.len())..];
    let at = line_end(text, text[..end].trim_end().len());
    let keeps = header.contains('+');
    let unterminated = text[at..].is_empty() && !header.contains('-');
    (!keeps && !unterminated).then_some(at)
}

fn line_end(text: &str, at: usize) -> usize {
    let rest = &text[at..];
    let line = rest.find('\n').map_or(rest, |newline| &rest[..newline]);
    at + line.strip_suffix('\r').unwrap_or(line).len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::yaml::Stream;

    #[test]
    fn a_block_scalar_ends_with_its_lines_or_not_at_all() {
        for (text, below) in [
            ("a: 1 # one\nb: 2\n", Some("b: 2")),
            ("a:\n- b: |-\n    x\n\n# end\n", Some("    x")),
            ("a: |\n  x\n\n", Some("  x")),
            ("a: |+\n  x\n\n", None),
            ("a: |2+ # all\n  x\n", None),
            ("a: |\n  x", None),
            ("a: |-\n  x", Some("  x")),
            ("a: {b: 1}\n", Some("a: {b: 1}")),
        ] {
            let stream = Stream::parse(text).unwrap();
            let root = stream.documents().remove(0).root;
            let value = root.entries().last().unwrap().value;
            let line = end_of_lines(value).map(|end| text[..end].lines().last().unwrap_or_default());
            assert_eq!(line, below, "{text:?}");
        }
    }
}
