//! One new key joins a mapping, in the mapping's own style.

use crate::model::Scalar;
use crate::yaml::{Entry, Kind, Node, ScalarStyle};

use super::layout;
use super::problem::Problem;
use super::splice::Splice;
use super::text;

/// Keys with the sibling that people write them after. A key without one comes last.
const CUSTOMARY_PLACES: [(&str, &str); 2] = [("namespace", "name"), ("replicas", "clusterName")];

/// An insertion and where it stands among the entries of its mapping, counted from 0.
#[derive(Debug)]
pub(super) struct Inserted {
    pub(super) splice: Splice,
    pub(super) position: usize,
}

/// Inserts a key that the mapping does not have, on a line of its own or between the braces.
///
/// `name` is the mapping's own key, whose quotes an empty mapping takes over. A comment below the entry before it stays below both. A
/// mapping whose layout leaves any doubt is refused.
pub(super) fn insert_key(
    mapping: Node<'_>,
    name: Option<Node<'_>>,
    key: &str,
    value: &Scalar,
) -> Result<Inserted, Problem> {
    let Kind::Mapping { flow } = mapping.kind() else {
        return Err(Problem::wrong_kind("mapping", mapping));
    };
    let entries: Vec<Entry<'_>> = mapping.entries().collect();
    if entries.iter().any(|entry| entry.key_text() == Some(key)) {
        return Err(Problem::KeyExists { key: key.to_owned() });
    }
    if mapping.has_merge_key() {
        return Err(Problem::Layout("the key may come from a merge key (`<<`)"));
    }
    if !layout::has_plain_line_breaks(mapping.stream().text()) {
        return Err(Problem::Layout("a carriage return that ends no line"));
    }
    if flow {
        in_flow(mapping, &entries, name, key, value)
    } else {
        in_block(mapping, &entries, key, value)
    }
}

fn style_of(node: Node<'_>) -> ScalarStyle {
    match node.kind() {
        Kind::Scalar { style, .. } => style,
        _ => ScalarStyle::Plain,
    }
}

fn in_block(mapping: Node<'_>, entries: &[Entry<'_>], key: &str, value: &Scalar) -> Result<Inserted, Problem> {
    let text = mapping.stream().text();
    let mut columns = Vec::new();
    for entry in entries {
        let before = layout::before_on_line(text, entry.key.span().start);
        if !layout::is_indentation(before) {
            return Err(Problem::Layout("a key that is not the first on its line"));
        }
        columns.push(before.len());
    }
    let column = columns.first().copied().unwrap_or(0);
    if columns.iter().any(|other| *other != column) {
        return Err(Problem::Layout("keys of one mapping at different columns"));
    }
    let certain = |entry: &Entry<'_>| layout::has_certain_end(entry.value);
    let customary = CUSTOMARY_PLACES
        .iter()
        .find(|(new, _)| *new == key)
        .and_then(|(_, sibling)| {
            let on_one_line = |entry: &Entry<'_>| !text[entry.key.span().start..entry.value.span().end].contains('\n');
            let is_sibling = |entry: &Entry<'_>| entry.key_text() == Some(sibling);
            entries
                .iter()
                .position(|entry| is_sibling(entry) && certain(entry) && on_one_line(entry))
        });
    let Some(before) = customary.or_else(|| entries.iter().rposition(certain)) else {
        return Err(Problem::Layout("every value of the mapping is a block scalar"));
    };
    let entry = &entries[before];
    let at = layout::line_end(text, entry.value.span().end);
    let key = text::spell_like(key, style_of(entry.key), false)?;
    let value = text::spell_new(value, style_of(entry.value), false)?;
    let line_break = layout::line_break(text, at);
    let indent = " ".repeat(column);
    Ok(Inserted {
        splice: Splice::insertion(at, format!("{line_break}{indent}{key}: {value}")),
        position: before + 1,
    })
}

fn in_flow(
    mapping: Node<'_>,
    entries: &[Entry<'_>],
    name: Option<Node<'_>>,
    key: &str,
    value: &Scalar,
) -> Result<Inserted, Problem> {
    let last = entries.last();
    let quotes = last
        .map(|entry| entry.key)
        .or(name)
        .map_or(ScalarStyle::Plain, style_of);
    let key = text::spell_like(key, quotes, true)?;
    let value = text::spell_new(value, quotes, true)?;
    let part = last.map(|entry| (entry.key, entry.value));
    let body = format!("{key}: {value}");
    let (at, inserted) = layout::flow_insertion(mapping.stream().text(), mapping, part, &body)?;
    Ok(Inserted {
        splice: Splice::insertion(at, inserted),
        position: entries.len(),
    })
}
