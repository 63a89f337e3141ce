//! All edits of one file: each finds its document and value, becomes a splice, and is proven with the others.

use json_patch::jsonptr::{Pointer, index::Index};

use crate::fleet;
use crate::model::{Edit, Embedded, Location, NewPatch, ObjectKey};
use crate::yaml::{
    self, DuplicateKey, Embedded as EmbeddedText, Found, Kind, Node, Obstacle, ObstacleKind, ParseError, Stream,
};

use super::append::append_item;
use super::append_patch::append_patches;
use super::insert::{Inserted, insert_key};
use super::layout;
use super::oracle;
use super::problem::{Problem, Refused};
use super::replace::replace;
use super::splice::{self, Splice};

/// An edit with the splice that makes it in one text.
#[derive(Debug)]
pub(super) struct Planned<'e> {
    pub(super) edit: &'e Edit,
    /// Other new patches that join the same list.
    pub(super) more: Vec<&'e Edit>,
    /// Where in this text: for a text within the file that is another place than in the file.
    pub(super) at: Place<'e>,
    pub(super) splice: Splice,
    /// For a new key: where it stands among the entries, counted from 0.
    pub(super) position: usize,
}

/// A node of a document of one text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place<'e> {
    pub(super) document: usize,
    pub(super) pointer: &'e Pointer,
}

/// All edits of a text that a scalar of the file holds.
#[derive(Debug)]
pub(super) struct PlannedText<'e> {
    /// The scalar.
    pub(super) at: Place<'e>,
    /// Its text.
    pub(super) before: String,
    /// What becomes of its text.
    pub(super) after: String,
    /// The edits, in its text.
    pub(super) planned: Vec<Planned<'e>>,
    /// The splices that make them in the file.
    pub(super) splices: Vec<Splice>,
}

/// Applies edits to the bytes of their file.
pub(super) fn edit_file(before: &[u8], edits: &[&Edit]) -> Result<Vec<u8>, Refused> {
    let text = std::str::from_utf8(before).map_err(|_| whole(Problem::NotText))?;
    if layout::has_strange_line_breaks(text) {
        return Err(whole(Problem::StrangeLineBreaks));
    }
    if yaml::ambiguous(text).is_some() {
        return Err(whole(Problem::Ambiguous));
    }
    let stream = Stream::parse(text).map_err(unparsed)?;
    let (embedded, direct): (Vec<&Edit>, Vec<&Edit>) = edits.iter().partition(|edit| embedded(edit).is_some());
    let planned = plan_all(&stream, &direct)?;
    let texts = plan_texts(&stream, &embedded)?;
    let splices: Vec<&Splice> = planned
        .iter()
        .map(|planned| &planned.splice)
        .chain(texts.iter().flat_map(|text| &text.splices))
        .collect();
    let after = splice::apply(text, &splices).ok_or_else(|| whole(Problem::Conflict))?;
    oracle::prove(text, &after, &planned, &texts).map_err(|unproven| whole(unproven.into()))?;
    Ok(after.into_bytes())
}

fn whole(problem: Problem) -> Refused {
    Refused { line: 0, problem }
}

fn unparsed(error: ParseError) -> Refused {
    Refused {
        line: error.position.line,
        problem: Problem::NotYaml(error),
    }
}

fn embedded(edit: &Edit) -> Option<&Embedded> {
    edit.location()?.embedded.as_deref()
}

/// Plans the edits of one text, in the order in which their splices apply.
fn plan_all<'e>(stream: &Stream<'_>, edits: &[&'e Edit]) -> Result<Vec<Planned<'e>>, Refused> {
    if edits
        .iter()
        .enumerate()
        .any(|(index, edit)| edits[..index].iter().any(|other| same_place(edit, other)))
    {
        return Err(whole(Problem::Conflict));
    }
    let (patches, others): (Vec<&Edit>, Vec<&Edit>) =
        edits.iter().partition(|edit| matches!(edit, Edit::AppendPatch { .. }));
    let mut planned: Vec<Planned<'_>> = others.iter().map(|edit| plan(stream, edit)).collect::<Result<_, _>>()?;
    planned.extend(plan_patches(stream, &patches)?);
    separate(&mut planned);
    // Where a list and the mapping that it ends grow at one byte, the list comes first.
    planned.sort_by_key(|planned| std::cmp::Reverse(planned.at.pointer.count()));
    Ok(planned)
}

/// Plans the edits of the texts that scalars hold, each text by itself.
fn plan_texts<'e>(stream: &Stream<'_>, edits: &[&'e Edit]) -> Result<Vec<PlannedText<'e>>, Refused> {
    let mut texts: Vec<(&'e Location, Vec<&'e Edit>)> = Vec::new();
    for edit in edits {
        let Some(at) = edit.location() else { continue };
        let same = |other: &&Location| (other.document, &other.pointer) == (at.document, &at.pointer);
        match texts.iter_mut().find(|(other, _)| same(other)) {
            Some((_, edits)) => edits.push(edit),
            None => texts.push((at, vec![edit])),
        }
    }
    texts
        .into_iter()
        .map(|(at, edits)| plan_text(stream, at, &edits))
        .collect()
}

fn plan_text<'e>(stream: &Stream<'_>, at: &'e Location, edits: &[&'e Edit]) -> Result<PlannedText<'e>, Refused> {
    let scalar = find(root_of(stream, at.document, &at.object, &at.pointer)?, &at.pointer)?.node;
    let refuse = |problem| Refused {
        line: scalar.position().line,
        problem,
    };
    let text = EmbeddedText::of(scalar).map_err(|error| refuse(Problem::NotEmbedded(error)))?;
    if layout::has_strange_line_breaks(text.text()) {
        return Err(refuse(Problem::StrangeLineBreaks));
    }
    if yaml::ambiguous(text.text()).is_some() {
        return Err(refuse(Problem::Ambiguous));
    }
    let inner = text.parse().map_err(unparsed)?;
    let planned = plan_all(&inner, edits)?;
    let splices: Vec<&Splice> = planned.iter().map(|planned| &planned.splice).collect();
    let after = splice::apply(text.text(), &splices).ok_or_else(|| refuse(Problem::Conflict))?;
    let outer = |splice: &&Splice| {
        // The quotes of a text within quotes are escapes out there: only what differs is looked for.
        let splice = splice.least(text.text());
        let text_of = text.encode(&splice.text);
        let range = text.outer(&splice.range);
        range.zip(text_of).map(|(range, text)| Splice { range, text })
    };
    let outer: Option<Vec<Splice>> = splices.iter().map(outer).collect();
    let unwritable = || {
        let text = planned.first().map(|planned| planned.splice.text.clone());
        refuse(Problem::Unwritable {
            text: text.unwrap_or_default(),
        })
    };
    Ok(PlannedText {
        at: Place {
            document: at.document,
            pointer: &at.pointer,
        },
        before: text.text().to_owned(),
        after,
        splices: outer.ok_or_else(unwritable)?,
        planned,
    })
}

/// Several items that join one empty `[]` meet at one byte, and none of them brings a comma.
fn separate(planned: &mut [Planned<'_>]) {
    for later in 1..planned.len() {
        let (before, rest) = planned.split_at_mut(later);
        let Planned { edit, at, splice, .. } = &mut rest[0];
        if !matches!(edit, Edit::AppendItem { .. }) {
            continue;
        }
        let joins = |other: &Planned<'_>| matches!(other.edit, Edit::AppendItem { .. }) && other.at == *at;
        let alone = !splice.text.starts_with([',', '\n', '\r']);
        if alone && before.iter().any(joins) {
            splice.text = format!(", {}", splice.text.trim_start());
        }
    }
}

/// Whether two edits write one value.
fn same_place(one: &Edit, other: &Edit) -> bool {
    match (one, other) {
        (Edit::Replace { at: a, .. }, Edit::Replace { at: b, .. }) => a.address() == b.address(),
        (Edit::InsertKey { at: a, key: k, .. }, Edit::InsertKey { at: b, key: l, .. }) => {
            (a.address(), k) == (b.address(), l)
        }
        (Edit::AppendPatch { at: a, patch: p }, Edit::AppendPatch { at: b, patch: q }) => {
            (a.address(), &p.object, &p.field) == (b.address(), &q.object, &q.field)
        }
        _ => false,
    }
}

/// Plans the new patches of a kustomization, all at once: they stand at one place.
fn plan_patches<'e>(stream: &Stream<'_>, edits: &[&'e Edit]) -> Result<Option<Planned<'e>>, Refused> {
    let patches = edits.iter().filter_map(|edit| match edit {
        Edit::AppendPatch { at, patch } => Some((*edit, at, patch)),
        _ => None,
    });
    let patches: Vec<(&Edit, &Location, &NewPatch)> = patches.collect();
    let Some((_, at, _)) = patches.first() else {
        return Ok(None);
    };
    if patches.iter().any(|(_, other, _)| other != at) || !at.pointer.is_root() {
        return Err(whole(Problem::Conflict));
    }
    let root = root_of(stream, at.document, &at.object, &at.pointer)?;
    let document = at.document;
    let patches: Vec<(&Edit, &NewPatch)> = patches.iter().map(|(edit, _, patch)| (*edit, *patch)).collect();
    let refuse = |problem| Refused {
        line: root.position().line,
        problem,
    };
    append_patches(document, root, &patches).map(Some).map_err(refuse)
}

fn plan<'e>(stream: &Stream<'_>, edit: &'e Edit) -> Result<Planned<'e>, Refused> {
    let Some(location) = edit.location() else {
        return Err(whole(Problem::Conflict));
    };
    let Location {
        document,
        object,
        pointer,
        embedded,
        path: _,
    } = location;
    let (document, object, pointer) = match embedded.as_deref() {
        None => (*document, object, pointer),
        Some(Embedded {
            document,
            object,
            pointer,
        }) => (*document, object, pointer),
    };
    let root = root_of(stream, document, object, pointer)?;
    let Found { node, key, parent } = find(root, pointer)?;
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
        Edit::AppendPatch { .. } | Edit::Move { .. } => Err(Problem::Conflict),
    };
    let (splice, position) = result.map_err(|problem| Refused {
        line: node.position().line,
        problem,
    })?;
    Ok(Planned {
        edit,
        more: Vec::new(),
        at: Place { document, pointer },
        splice,
        position,
    })
}

fn find<'s>(root: Node<'s>, pointer: &Pointer) -> Result<Found<'s>, Refused> {
    root.lookup(pointer).map_err(|obstacle| Refused {
        line: obstacle.position.line,
        problem: Problem::Obstacle(Box::new(obstacle)),
    })
}

/// The root of the document that an edit names, if that document is what the edit says.
fn root_of<'s>(
    stream: &'s Stream<'s>,
    document: usize,
    object: &ObjectKey,
    pointer: &Pointer,
) -> Result<Node<'s>, Refused> {
    let documents = stream.documents();
    let Some(document) = documents.get(document) else {
        let documents = documents.len();
        return Err(whole(Problem::NoSuchDocument { document, documents }));
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
    if found == *object {
        return Ok(root);
    }
    // An object in a `kind: List` is known by its own name.
    if let Some(item) = list_item(root, &found, pointer)
        && identity(item).map_err(refuse)? == *object
    {
        return Ok(root);
    }
    Err(refuse(Problem::OtherObject {
        expected: Box::new(object.clone()),
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
