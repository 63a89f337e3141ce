//! What must hold for any bytes: the fuzzers try it on what they make up, and a test on every fixture and on what has ever failed.
//!
//! Each function takes any bytes and panics if something is wrong. That much is refused is not wrong; the figures of the test say how much.

use std::borrow::Cow;

use fleetscale::fleet::identify;
use fleetscale::model::{Declared, Edit, Location, ObjectKey, Place, RepoPath, Scalar, Site, Target};
use fleetscale::render::{Problem, RenderError, Unproven, render};
use fleetscale::yaml::{Kind, Node, ScalarStyle, Stream};
use json_patch::jsonptr::Pointer;

use crate::support::readers::{find, is_integer, places, third_reading, value_of};
use crate::support::repository::{Fleet, Repository, edited};

/// How much of an input was worth something.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Count {
    /// Values that were found or edited.
    pub(crate) done: usize,
    /// Values that were refused.
    pub(crate) refused: usize,
}

impl Count {
    fn add(&mut self, done: bool) {
        match done {
            true => self.done += 1,
            false => self.refused += 1,
        }
    }
}

/// The most values of one text that are edited: a long list of numbers says no more than a short one.
const MOST_VALUES: usize = 24;

/// Every value that is found by a pointer stands where the pointer says, alone and within its document.
pub(crate) fn yaml_locate(bytes: &[u8]) -> Count {
    let mut count = Count::default();
    let Some((text, stream)) = parsed(bytes) else {
        return count;
    };
    let documents = stream.documents();
    let mut spans: Vec<(usize, usize)> = Vec::new();
    for (document, pointer, node) in places(&stream) {
        let document = &documents[document];
        let Ok(found) = document.root.lookup(&pointer) else {
            count.add(false);
            continue;
        };
        count.add(true);
        // Nothing else may be named so: a key that stands twice is refused.
        assert!(found.node == node, "{pointer} is another value: {text:?}");
        let span = found.node.span();
        assert!(text.get(span.clone()).is_some(), "{pointer} is no text: {text:?}");
        // Nothing of a file with a carriage return that ends no line is ever edited.
        let is_within = document.range.start <= span.start && span.end <= document.range.end;
        assert!(
            is_within || text.replace("\r\n", "\n").contains('\r'),
            "{pointer} is elsewhere: {text:?}"
        );
        let Kind::Scalar { text: value, style } = found.node.kind() else {
            continue;
        };
        let source = found.node.source();
        match style {
            ScalarStyle::Plain if !source.contains('\n') && !source.contains('\r') => {
                assert_eq!(source, value, "{pointer}: {text:?}")
            }
            ScalarStyle::SingleQuoted => {
                assert!(source.len() > 1 && source.starts_with('\'') && source.ends_with('\''))
            }
            ScalarStyle::DoubleQuoted => assert!(source.len() > 1 && source.starts_with('"') && source.ends_with('"')),
            _ => {}
        }
        if !span.is_empty() {
            spans.push((span.start, span.end));
        }
    }
    spans.sort_unstable();
    assert!(
        spans.windows(2).all(|pair| pair[0].1 <= pair[1].0),
        "two scalars share bytes: {text:?}"
    );
    count
}

/// Every scalar is refused, or edited so that no other byte changes, every reader sees the one change, and undoing it gives the file back.
pub(crate) fn yaml_edit(bytes: &[u8]) -> Count {
    let mut count = Count::default();
    let Some((text, stream)) = parsed(bytes) else {
        return count;
    };
    // The bytes choose the edits, so that a mutation of one may change the other.
    let draw = bytes.iter().fold(7_usize, |sum, byte| {
        sum.wrapping_mul(31).wrapping_add(usize::from(*byte))
    });
    let places = places(&stream);
    let step = places.len().div_ceil(MOST_VALUES).max(1);
    for (number, (document, pointer, node)) in places.iter().enumerate().skip(draw % step).step_by(step) {
        count.add(edit_value(text, *document, pointer, *node, draw.wrapping_add(number)));
    }
    count
}

fn parsed(bytes: &[u8]) -> Option<(&str, Stream<'_>)> {
    let text = std::str::from_utf8(bytes).ok()?;
    Some((text, Stream::parse(text).ok()?))
}

/// Edits one value of a text; tells whether it was not refused.
fn edit_value(before: &str, document: usize, pointer: &Pointer, node: Node<'_>, draw: usize) -> bool {
    let number = i64::try_from(draw % 100_000).unwrap_or(0);
    let new = match draw % 3 {
        0 => Scalar::Integer(number),
        1 => Scalar::Text(format!("--qps={number}")),
        _ => Scalar::Text("shard-b".to_owned()),
    };
    let Ok(object) = identify(node.stream().documents()[document].root) else {
        return false;
    };
    let at = location(document, object, pointer);
    let edit = match node.kind() {
        Kind::Scalar { text, style } => {
            let (from, to) = match text.parse() {
                Ok(old) if style == ScalarStyle::Plain && is_integer(text) => {
                    (Scalar::Integer(old), Scalar::Integer(number))
                }
                _ => (Scalar::Text(text.to_owned()), Scalar::Text(new.to_string())),
            };
            Edit::Replace { at, from, to }
        }
        Kind::Mapping { .. } => Edit::InsertKey {
            at,
            key: "replicas".to_owned(),
            value: new,
        },
        Kind::Sequence { .. } => Edit::AppendItem { at, value: new },
        Kind::Alias => Edit::Replace {
            at,
            from: Scalar::Integer(1),
            to: Scalar::Integer(2),
        },
    };
    let after = match rendered(before, &edit) {
        Ok(after) => after,
        Err(problem) => {
            assert!(is_honest(&problem), "{pointer}: {problem:?}: {before:?}");
            return false;
        }
    };
    match &edit {
        Edit::Replace { at, from, to } => {
            let (span, end) = (node.span(), after.len() + node.span().end - before.len());
            assert_eq!(
                after.get(..span.start),
                before.get(..span.start),
                "{pointer}: {before:?}"
            );
            assert_eq!(after.get(end..), before.get(span.end..), "{pointer}: {before:?}");
            // An edit of what the document says that it is: it is about another object then.
            let mut at = at.clone();
            let renamed = Stream::parse(&after).map(|stream| identify(stream.documents()[document].root));
            at.object = renamed.unwrap().unwrap();
            let undo = Edit::Replace {
                at,
                from: to.clone(),
                to: from.clone(),
            };
            // People may write plain texts that are never written here.
            match rendered(&after, &undo) {
                Ok(undone) => assert_eq!(undone, before, "{pointer}"),
                Err(problem) => assert!(
                    matches!(problem, Problem::Unwritable { .. }) && from.integer().is_none(),
                    "{pointer}: {problem:?}: {before:?}"
                ),
            }
        }
        _ => {
            let (old, new) = (before.as_bytes(), after.as_bytes());
            let same = old.iter().zip(new).take_while(|(old, new)| old == new).count();
            let kept = (0..=same).rev().any(|at| new.ends_with(&old[at..]));
            assert!(
                kept && new.len() > old.len(),
                "more than an insertion: {before:?} became {after:?}"
            );
        }
    }
    third_reader_agrees(before, &after, &edit);
    true
}

fn location(document: usize, object: ObjectKey, pointer: &Pointer) -> Location {
    Location {
        path: "f.yaml".parse().unwrap(),
        document,
        object,
        pointer: pointer.to_owned(),
        embedded: None,
    }
}

fn rendered(before: &str, edit: &Edit) -> Result<String, Problem> {
    let read = |_: &RepoPath| Some(Cow::Borrowed(before.as_bytes()));
    let rendered = render(read, std::slice::from_ref(edit)).map_err(|error| error.problem)?;
    Ok(String::from_utf8(rendered.files.into_values().next().unwrap().after).unwrap())
}

/// A refusal is one before anything was made. An edit that the proof had to stop is a fault that only luck caught, unless the second parser
/// can't read the text in the first place.
fn is_honest(problem: &Problem) -> bool {
    match problem {
        Problem::Unproven(Unproven::Unreadable { which: "old", .. }) => true,
        Problem::Unproven(_) | Problem::NotYaml(_) => false,
        _ => true,
    }
}

/// If libyaml has the old value where the edit is, it must have the new one there, and nothing else may differ.
fn third_reader_agrees(before: &str, after: &str, edit: &Edit) {
    let Some(mut documents) = third_reading(before) else {
        return;
    };
    let at = match edit {
        Edit::Replace { at, .. } | Edit::InsertKey { at, .. } | Edit::AppendItem { at, .. } => at,
        Edit::AppendPatch { .. } | Edit::Move { .. } => return,
    };
    let Some(value) = find(&mut documents, at.document, &at.pointer) else {
        return;
    };
    let mut elsewhere = false;
    match (edit, &mut *value) {
        (Edit::Replace { from, to, .. }, old) if *old == value_of(from) => *old = value_of(to),
        (Edit::InsertKey { key, value: new, .. }, serde_yaml::Value::Mapping(mapping)) => {
            elsewhere = mapping.insert(key.as_str().into(), value_of(new)).is_some();
        }
        (Edit::AppendItem { value: new, .. }, serde_yaml::Value::Sequence(items)) => items.push(value_of(new)),
        _ => return,
    }
    assert!(!elsewhere, "libyaml has the key already: {before:?}");
    assert_eq!(
        third_reading(after),
        Some(documents),
        "libyaml: {before:?} became {after:?}"
    );
}

/// A flag among a container's arguments is refused, or edited so that only its value changes.
pub(crate) fn args_edit(bytes: &[u8]) -> Count {
    repository(&Repository::of("management/args.yaml", bytes))
}

/// Any small repository is bound, and whatever is declared writable can be edited; the edit changes one binding and nothing else.
///
/// The bytes are files one after the other, each below a line `=== PATH`.
pub(crate) fn kustomization(bytes: &[u8]) -> Count {
    repository(&unpacked(bytes))
}

/// What begins a file in the input of [`kustomization`].
pub(crate) const FILE_MARK: &str = "=== ";

fn unpacked(bytes: &[u8]) -> Repository {
    let mut repository = Repository {
        files: Vec::new(),
        links: Vec::new(),
    };
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        let path = line
            .strip_prefix(FILE_MARK.as_bytes())
            .and_then(|path| std::str::from_utf8(path).ok());
        let path = path.map(str::trim_end).filter(|path| path.parse::<RepoPath>().is_ok());
        match (path, repository.files.last_mut()) {
            (Some(path), _) => {
                // A path is there once; the last file counts.
                repository.files.retain(|(other, _)| other != path);
                repository.files.push((path.to_owned(), Vec::new()));
            }
            (None, Some((_, file))) => file.extend(line),
            (None, None) => {}
        }
    }
    repository
}

fn repository(repository: &Repository) -> Count {
    let mut count = Count::default();
    let fleet = FLEET.get_or_init(Fleet::load);
    let tree = repository.tree();
    let declared = fleet.scanned(&tree);
    let mut reversed = repository.clone();
    reversed.files.reverse();
    assert_eq!(
        fleet.scanned(&reversed.tree()),
        declared,
        "the order of files matters: {repository:?}"
    );
    for (target, binding) in declared.bindings.iter().take(MOST_VALUES) {
        let Site::Writable(place) = &binding.site else {
            count.add(false);
            continue;
        };
        let from = binding.value.clone().unwrap_or(Scalar::Integer(1));
        let to = another(&from);
        let (path, after) = match edited(&tree, &declared, target, &from, &to) {
            Ok(edited) => edited,
            Err(error) => {
                assert!(
                    is_late(&error, place, &to),
                    "{target} is declared writable: {error:?}: {repository:?}"
                );
                count.add(false);
                continue;
            }
        };
        count.add(true);
        let new = repository.with(&path, &after);
        let new_tree = new.tree();
        let bound = fleet.scanned(&new_tree);
        assert_only((&declared, &bound), target, place, &to, repository);
        if binding.value.is_some() && from != to {
            let undone = edited(&new_tree, &bound, target, &to, &from);
            let undone = undone.unwrap_or_else(|error| panic!("{target}: undo: {error:?}: {repository:?}"));
            assert!(
                undone.1 == tree.file(&path).unwrap(),
                "{target}: undo does not restore {path}: {repository:?}"
            );
        }
    }
    count
}

static FLEET: std::sync::OnceLock<Fleet> = std::sync::OnceLock::new();

/// Another value of the same kind: a quantity keeps its author's unit.
fn another(value: &Scalar) -> Scalar {
    match value {
        Scalar::Integer(_) => Scalar::Integer(123),
        Scalar::Decimal(number) => Scalar::Text(format!("1{number}Mi")),
        Scalar::Text(text) => Scalar::Text(format!("1{text}")),
    }
}

/// Whether only the writer could know: whether there is room for something new, and whether the second parser reads the file. What is no
/// amount has no spelling, and nobody asks for it.
fn is_late(error: &RenderError, place: &Place, to: &Scalar) -> bool {
    match &error.problem {
        Problem::Unwritable { .. } => matches!(to, Scalar::Text(_)),
        Problem::Layout(_) => place.form.is_new(),
        Problem::Unproven(Unproven::Unreadable { which: "old", .. }) | Problem::Escapes { .. } => true,
        _ => false,
    }
}

/// One target has the new value at the old place, and the others are what they were.
fn assert_only(
    (before, after): (&Declared, &Declared),
    target: &Target,
    place: &Place,
    to: &Scalar,
    repository: &Repository,
) {
    // Digits behind what was no number may be one.
    let value = after.bindings.get(target).and_then(|binding| binding.value.clone());
    assert_eq!(
        value.as_ref().map(Scalar::to_string),
        Some(to.to_string()),
        "{target} does not have its new value: {repository:?}"
    );
    if place.form.is_new() {
        return;
    }
    let mut expected = before.clone();
    expected.base = after.base.clone();
    expected.bindings.get_mut(target).unwrap().value = value;
    // The number of nodes is told with its bounds.
    if let Target::NodeGroupBound { group, .. } = target {
        let group = Target::NodeGroup(group.clone());
        if let (Some(expected), Some(after)) = (expected.bindings.get_mut(&group), after.bindings.get(&group)) {
            expected.autoscaler = after.autoscaler;
        }
    }
    assert_eq!(
        *after, expected,
        "{target}: more than its value changed: {repository:?}"
    );
}
