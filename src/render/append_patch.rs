//! New patches join the `patches` of a kustomization, or begin them.

use json_patch::jsonptr::Pointer;

use crate::model::{Edit, NewPatch, Scalar};
use crate::yaml::{self, Entry, Kind, Node, ScalarStyle};

use super::append::dash_of;
use super::document::{Place, Planned};
use super::layout;
use super::problem::Problem;
use super::splice::Splice;
use super::text;

/// The list that patches join.
const LIST: &str = "patches";

/// One part of new YAML, as its readers see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Part {
    Mapping,
    EndOfMapping,
    List,
    EndOfList,
    Scalar(Scalar),
}

/// Appends patches below the last one, or below the last key of a kustomization that has none, all in block style.
///
/// `edits` is not empty, and all are for the document with this root. A kustomization whose layout leaves any doubt is refused.
pub(super) fn append_patches<'e>(
    document: usize,
    root: Node<'_>,
    edits: &[(&'e Edit, &NewPatch)],
) -> Result<Planned<'e>, Problem> {
    let text = root.stream().text();
    let Kind::Mapping { flow: false } = root.kind() else {
        return Err(Problem::Layout("a kustomization that is no mapping of lines"));
    };
    if !layout::has_plain_line_breaks(text) {
        return Err(Problem::Layout("a carriage return that ends no line"));
    }
    if root.has_merge_key() {
        return Err(Problem::Layout("the key may come from a merge key (`<<`)"));
    }
    let entries: Vec<Entry<'_>> = root.entries().collect();
    let present = entries.iter().find(|entry| entry.key_text() == Some(LIST));
    let (at, style, pointer) = match present {
        Some(list) => {
            let style = Style::of(text, list.value).ok_or(Problem::Layout("`patches` is no list of lines"))?;
            (end_of(list.value)?, style, Pointer::from_static("/patches"))
        }
        None => {
            let last = entries.last().ok_or(Problem::Layout("the kustomization is empty"))?;
            let mut styles = entries.iter().filter_map(|entry| Style::of(text, entry.value));
            let style = styles.next_back().unwrap_or_default();
            (
                end_of(last.value)?.max(layout::line_end(text, last.key.span().end)),
                style,
                Pointer::root(),
            )
        }
    };
    let line_break = layout::line_break(text, at);
    let mut lines = Vec::new();
    if present.is_none() {
        let column = layout::before_on_line(text, entries[0].key.span().start);
        if !column.is_empty() {
            return Err(Problem::Layout(
                "a kustomization that does not begin at its lines' first column",
            ));
        }
        lines.push(format!("{LIST}:"));
    }
    for (_, patch) in edits {
        lines.extend(style.item(patch)?);
    }
    let inserted: String = lines.iter().map(|line| format!("{line_break}{line}")).collect();
    Ok(Planned {
        edit: edits[0].0,
        more: edits[1..].iter().map(|(edit, _)| *edit).collect(),
        at: Place { document, pointer },
        splice: Splice::insertion(at, inserted),
        position: entries.len(),
    })
}

/// Where the dashes of a list stand, and what stands between them and their items.
#[derive(Debug, Clone, Default)]
struct Style<'t> {
    column: usize,
    dash: Option<&'t str>,
}

impl<'t> Style<'t> {
    /// That of a list in block style.
    fn of(text: &'t str, list: Node<'_>) -> Option<Self> {
        let Kind::Sequence { flow: false } = list.kind() else {
            return None;
        };
        let items: Vec<Node<'_>> = list.items().collect();
        let (column, dash) = items.iter().rev().find_map(|item| dash_of(text, *item))?;
        let dash = Some(dash);
        Some(Self { column, dash })
    }

    /// The lines of a new item.
    fn item(&self, patch: &NewPatch) -> Result<Vec<String>, Problem> {
        // The names of objects and fields are nearly always plain; a pointer with anything else is no field of an object that is patched.
        if !text::is_plain_string(patch.field.as_str(), false) {
            let text = patch.field.to_string();
            return Err(Problem::Unwritable { text });
        }
        if let Scalar::Text(value) = &patch.value {
            text::spell_like(value, ScalarStyle::DoubleQuoted, false)?;
        }
        let dash = self.dash.unwrap_or("- ");
        let before = format!("{}{dash}", " ".repeat(self.column));
        let indent = " ".repeat(before.len());
        let mut lines = vec![format!("{before}target:")];
        for (key, value) in patch.target() {
            let value = text::spell_like(&value, ScalarStyle::Plain, false)?;
            lines.push(format!("{indent}  {key}: {value}"));
        }
        lines.push(format!("{indent}patch: |-"));
        lines.extend(patch.text().lines().map(|line| format!("{indent}  {line}")));
        Ok(lines)
    }
}

/// Where a line may be inserted below a value.
fn end_of(value: Node<'_>) -> Result<usize, Problem> {
    yaml::end_of_lines(value).ok_or(Problem::Layout("the last value is a block scalar whose end counts"))
}

/// What the new patches are to a reader, with the key in front of them where they begin the list.
pub(super) fn parts<'a>(patches: impl Iterator<Item = &'a NewPatch>, begins: bool) -> Vec<Part> {
    let text = |text: &str| Part::Scalar(Scalar::Text(text.to_owned()));
    let mut parts = Vec::new();
    if begins {
        parts.extend([text(LIST), Part::List]);
    }
    for patch in patches {
        parts.extend([Part::Mapping, text("target"), Part::Mapping]);
        parts.extend(
            patch
                .target()
                .into_iter()
                .flat_map(|(key, value)| [text(key), text(&value)]),
        );
        parts.extend([
            Part::EndOfMapping,
            text("patch"),
            text(&patch.text()),
            Part::EndOfMapping,
        ]);
    }
    if begins {
        parts.push(Part::EndOfList);
    }
    parts
}

/// Whether an item of a list is this patch.
pub(super) fn is_patch(item: Node<'_>, patch: &NewPatch) -> bool {
    let get = |node: Node<'_>, key: &str, wanted: &str| matches!(node.get(key), Ok(Some(node)) if node.text() == Some(wanted));
    let target = item.get("target").ok().flatten();
    target.is_some_and(|target| patch.target().iter().all(|(key, value)| get(target, key, value)))
        && get(item, "patch", &patch.text())
}
