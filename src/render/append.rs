//! One new item joins the end of a list, in the list's own style.

use crate::model::Scalar;
use crate::yaml::{Kind, Node, ScalarStyle};

use super::layout;
use super::problem::Problem;
use super::splice::Splice;
use super::text;

/// Appends an item below the last one, or before the closing bracket.
///
/// `name` is the list's own key, whose quotes an empty list takes over. A comment below the last item stays below the new one. A list whose
/// layout leaves any doubt is refused.
pub(super) fn append_item(list: Node<'_>, name: Option<Node<'_>>, value: &Scalar) -> Result<Splice, Problem> {
    let Kind::Sequence { flow } = list.kind() else {
        return Err(Problem::wrong_kind("list", list));
    };
    let text = list.stream().text();
    if !layout::has_plain_line_breaks(text) {
        return Err(Problem::Layout("a carriage return that ends no line"));
    }
    let items: Vec<Node<'_>> = list.items().collect();
    if let Some(text) = items
        .iter()
        .find_map(|item| item.text().filter(|text| *text == value.to_string()))
    {
        return Err(Problem::ItemExists { text: text.to_owned() });
    }
    let last = items.last().copied();
    let quotes = match last.or(name).map(Node::kind) {
        Some(Kind::Scalar { style, .. }) => style,
        _ => ScalarStyle::Plain,
    };
    let body = text::spell_new(value, quotes, flow)?;
    if flow {
        let (at, inserted) = layout::flow_insertion(text, list, last.map(|item| (item, item)), &body)?;
        return Ok(Splice::insertion(at, inserted));
    }
    // An empty list is `[]`: one in block style has an item.
    let Some(last) = last.filter(|item| layout::has_certain_end(*item)) else {
        return Err(Problem::Layout("the last item ends with a block scalar"));
    };
    let Some((column, dash)) = items.iter().rev().find_map(|item| dash_of(text, *item)) else {
        return Err(Problem::Layout("no item of the list stands beside its dash"));
    };
    let at = layout::line_end(text, last.span().end);
    let line_break = layout::line_break(text, at);
    let indent = " ".repeat(column);
    Ok(Splice::insertion(at, format!("{line_break}{indent}{dash}{body}")))
}

/// The column of an item's dash, and the dash with the blanks after it, if the item begins on the dash's line.
pub(super) fn dash_of<'t>(text: &'t str, item: Node<'_>) -> Option<(usize, &'t str)> {
    // An item that is a list itself begins with its own dash, on the same line.
    let mut inner_dashes = 0;
    let mut node = item;
    loop {
        let adorned = node.has_anchor() || node.has_tag();
        let first = match node.kind() {
            _ if adorned => return None,
            Kind::Sequence { flow: false } => {
                inner_dashes += 1;
                node.items().next()
            }
            Kind::Mapping { flow: false } => node.entries().next().map(|entry| entry.key),
            _ => None,
        };
        match first {
            Some(first) => node = first,
            None => break,
        }
    }
    let before = layout::before_on_line(text, node.span().start);
    if !layout::is_indentation(before) || before.is_empty() {
        return None;
    }
    let dashes: Vec<usize> = before.match_indices('-').map(|(at, _)| at).collect();
    let own = dashes.len().checked_sub(inner_dashes + 1)?;
    let end = dashes.get(own + 1).copied().unwrap_or(before.len());
    Some((dashes[own], &before[dashes[own]..end]))
}
