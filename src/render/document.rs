//! All edits of one file: each finds its document and value, becomes a splice, and is proven with the others.

use json_patch::jsonptr::{Pointer, index::Index};

use crate::fleet;
use crate::model::{Edit, Location, ObjectKey};
use crate::yaml::{DuplicateKey, Found, Kind, Node, Obstacle, ObstacleKind, Stream};

use super::append::append_item;
use super::insert::{Inserted, insert_key};
use super::layout;
use super::oracle;
use super::problem::{Problem, Refused};
use super::replace::replace;
use super::splice::{self, Splice};

/// An edit with the splice that makes it.
#[derive(Debug)]
pub(super) struct Planned<'e> {
    pub(super) edit: &'e Edit,
    pub(super) splice: Splice,
    /// For a new key: where it stands among the entries, counted from 0.
    pub(super) position: usize,
}

/// Applies edits to the bytes of their file.
pub(super) fn edit_file(before: &[u8], edits: &[&Edit]) -> Result<Vec<u8>, Refused> {
    let whole = |problem| Refused { line: 0, problem };
    let text = std::str::from_utf8(before).map_err(|_| whole(Problem::NotText))?;
    if layout::has_strange_line_breaks(text) {
        return Err(whole(Problem::StrangeLineBreaks));
    }
    let stream = Stream::parse(text).map_err(|error| Refused {
        line: error.position.line,
        problem: Problem::NotYaml(error),
    })?;
    if edits
        .iter()
        .enumerate()
        .any(|(index, edit)| edits[..index].iter().any(|other| same_place(edit, other)))
    {
        return Err(whole(Problem::Conflict));
    }
    let mut planned: Vec<Planned<'_>> = edits.iter().map(|edit| plan(&stream, edit)).collect::<Result<_, _>>()?;
    separate(&mut planned);
    // Where a list and the mapping that it ends grow at one byte, the list comes first.
    planned.sort_by_key(|planned| std::cmp::Reverse(depth(planned.edit)));
    let splices: Vec<&Splice> = planned.iter().map(|planned| &planned.splice).collect();
    let after = splice::apply(text, &splices).ok_or_else(|| whole(Problem::Conflict))?;
    oracle::prove(text, &after, &planned).map_err(|unproven| whole(unproven.into()))?;
    Ok(after.into_bytes())
}

/// Several items that join one empty `[]` meet at one byte, and none of them brings a comma.
fn separate(planned: &mut [Planned<'_>]) {
    for later in 1..planned.len() {
        let (before, rest) = planned.split_at_mut(later);
        let Planned { edit, splice, .. } = &mut rest[0];
        let Edit::AppendItem { at, .. } = edit else { continue };
        let joins = |other: &Edit| matches!(other, Edit::AppendItem { at: a, .. } if (a.document, &a.pointer) == (at.document, &at.pointer));
        let alone = !splice.text.starts_with([',', '\n', '\r']);
        if alone && before.iter().any(|other| joins(other.edit)) {
            splice.text = format!(", {}", splice.text.trim_start());
        }
    }
}

fn depth(edit: &Edit) -> usize {
    match edit {
        Edit::Replace { at, .. } | Edit::InsertKey { at, .. } | Edit::AppendItem { at, .. } => at.pointer.count(),
        Edit::Move { .. } => 0,
    }
}

/// Whether two edits write one value.
fn same_place(one: &Edit, other: &Edit) -> bool {
    match (one, other) {
        (Edit::Replace { at: a, .. }, Edit::Replace { at: b, .. }) => {
            (a.document, &a.pointer) == (b.document, &b.pointer)
        }
        (Edit::InsertKey { at: a, key: k, .. }, Edit::InsertKey { at: b, key: l, .. }) => {
            (a.document, &a.pointer, k) == (b.document, &b.pointer, l)
        }
        _ => false,
    }
}

fn plan<'e>(stream: &Stream<'_>, edit: &'e Edit) -> Result<Planned<'e>, Refused> {
    let at = match edit {
        Edit::Replace { at, .. } | Edit::InsertKey { at, .. } | Edit::AppendItem { at, .. } => at,
        Edit::Move { .. } => {
            return Err(Refused {
                line: 0,
                problem: Problem::Conflict,
            });
        }
    };
    let root = root_of(stream, at)?;
    let found = root.lookup(&at.pointer).map_err(|obstacle| Refused {
        line: obstacle.position.line,
        problem: Problem::Obstacle(Box::new(obstacle)),
    })?;
    let Found { node, key, parent } = found;
    let in_flow = parent.is_some_and(|parent| {
        matches!(
            parent.kind(),
            Kind::Mapping { flow: true } | Kind::Sequence { flow: true }
        )
    });
    let result = match edit {
        Edit::Replace { from, to, .. } => replace(node, in_flow, from, to).map(|splice| (splice, 0)),
        Edit::InsertKey { key: new, value, .. } => {
            insert_key(node, key, new, value).map(|Inserted { splice, position }| (splice, position))
        }
        Edit::AppendItem { value, .. } => append_item(node, key, value).map(|splice| (splice, 0)),
        Edit::Move { .. } => Err(Problem::Conflict),
    };
    let (splice, position) = result.map_err(|problem| Refused {
        line: node.position().line,
        problem,
    })?;
    Ok(Planned { edit, splice, position })
}

/// The root of the document that an edit names, if that document is what the edit says.
fn root_of<'s>(stream: &'s Stream<'s>, at: &Location) -> Result<Node<'s>, Refused> {
    let documents = stream.documents();
    let Some(document) = documents.get(at.document) else {
        let (document, documents) = (at.document, documents.len());
        return Err(Refused {
            line: 0,
            problem: Problem::NoSuchDocument { document, documents },
        });
    };
    let root = document.root;
    let refuse = |problem| Refused {
        line: root.position().line,
        problem,
    };
    if is_encrypted(root).map_err(refuse)? {
        return Err(refuse(Problem::Encrypted));
    }
    let found = identity(root).map_err(refuse)?;
    if found == at.object {
        return Ok(root);
    }
    // An object in a `kind: List` is known by its own name.
    if let Some(item) = list_item(root, &found, &at.pointer)
        && identity(item).map_err(refuse)? == at.object
    {
        return Ok(root);
    }
    Err(refuse(Problem::OtherObject {
        expected: Box::new(at.object.clone()),
        found: Box::new(found),
    }))
}

/// What a document or item says it is, in the words in which the places were found.
fn identity(root: Node<'_>) -> Result<ObjectKey, Problem> {
    fleet::identify(root).map_err(duplicate)
}

fn get<'s>(node: Node<'s>, key: &str) -> Result<Option<Node<'s>>, Problem> {
    node.get(key).map_err(duplicate)
}

fn duplicate(duplicate: DuplicateKey) -> Problem {
    Problem::Obstacle(Box::new(Obstacle {
        at: Pointer::root().with_trailing_token(&duplicate.key),
        position: duplicate.second,
        kind: ObstacleKind::DuplicateKey(duplicate),
    }))
}

fn list_item<'s>(root: Node<'s>, found: &ObjectKey, pointer: &Pointer) -> Option<Node<'s>> {
    let mut tokens = pointer.tokens().map(|token| token.decoded().into_owned());
    let (items, index) = (tokens.next()?, tokens.next()?);
    let Ok(Index::Num(index)) = index.parse::<Index>() else {
        return None;
    };
    let is_list = found.kind.ends_with("List") && items == "items";
    root.get("items").ok().flatten().filter(|_| is_list)?.items().nth(index)
}

fn is_encrypted(root: Node<'_>) -> Result<bool, Problem> {
    Ok(match get(root, "sops")? {
        Some(sops) => get(sops, "mac")?.is_some(),
        None => false,
    })
}
