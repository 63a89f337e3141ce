//! The proof of an edit: a second parser reads the old and the new text and must find exactly the planned difference.
//!
//! The first parser says where a value is; if it is wrong, or if a new line reads differently than it looks, only a parser that shares no
//! code history with it can tell. It looks up each edited value by itself, writes down the events that the new text must have, and compares
//! them one by one. Only the content of events counts here, as this parser counts characters where the spans count bytes.

mod finder;

use std::borrow::Cow;

use saphyr_parser::{Event, Parser, ScalarStyle, ScanError, StrInput};

use crate::model::{Decimal, Edit, NewPatch, Scalar};
use crate::yaml::{self, Kind, Node, Stream};

use super::append_patch::{self, Part, is_patch};
use super::document::{Place, Planned, PlannedText};
use super::splice::Splice;
use super::text;
use finder::{Finder, Wanted};

/// What the proof of an edit found instead.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unproven {
    /// The second parser can't read one of the texts.
    #[error("the second parser refuses the {which} text: {message}")]
    Unreadable {
        /// `old` or `new`.
        which: &'static str,
        /// Its words.
        message: String,
    },
    /// The first parser can't read the new text.
    #[error("the new text can't be read")]
    Broken(#[source] yaml::ParseError),
    /// The second parser does not find the value of an edit.
    #[error("the second parser finds no {pointer} in document {document}")]
    NotFound {
        /// The document, counted from 0.
        document: usize,
        /// The pointer.
        pointer: String,
    },
    /// The new text says something else than planned.
    #[error("the new text differs from the plan at event {event}")]
    Differs {
        /// The first event that differs, counted from 0.
        event: usize,
    },
    /// The texts differ outside of what was to be replaced or inserted.
    #[error("bytes outside of the edited values differ")]
    OtherBytes,
    /// The first parser reads another value in the new text than planned.
    #[error("the new text does not hold the planned value at {pointer}")]
    OtherValue {
        /// The pointer.
        pointer: String,
    },
}

/// A change of the events, and where.
struct Change<'e> {
    at: Place<'e>,
    finder: Finder,
    kind: ChangeKind<'e>,
}

enum ChangeKind<'e> {
    /// The scalar with the first text has the second one, and says a value of this type; nothing for a text that holds YAML.
    Replaced {
        from: Cow<'e, str>,
        to: Cow<'e, str>,
        value: Option<&'e Scalar>,
    },
    /// New values come before what is there.
    Inserted(Vec<Part>),
}

/// Proves that a new text is the old one with the planned edits and nothing else.
///
/// A text that a scalar holds is proven by itself, and in the file the scalar must hold it as it was proven. Both texts are read side by
/// side, so that the proof of a dense file costs no more memory than the file.
pub(super) fn prove(
    before: &str,
    after: &str,
    planned: &[Planned<'_>],
    texts: &[PlannedText<'_>],
) -> Result<(), Unproven> {
    let splices = planned.iter().map(|planned| &planned.splice);
    let inner_splices = texts.iter().flat_map(|text| &text.splices);
    if !keeps_other_bytes(before, after, splices.chain(inner_splices).collect()) {
        return Err(Unproven::OtherBytes);
    }
    for text in texts {
        prove(&text.before, &text.after, &text.planned, &[])?;
    }
    let in_texts = texts.iter().map(Change::of_text);
    let mut changes: Vec<Change<'_>> = planned.iter().filter_map(Change::of_edit).chain(in_texts).collect();
    compare(before, after, &mut changes)?;
    let stream = Stream::parse(after).map_err(Unproven::Broken)?;
    planned.iter().try_for_each(|planned| read_back(&stream, planned))
}

impl<'e> Change<'e> {
    fn of_edit(planned: &Planned<'e>) -> Option<Self> {
        let Planned {
            edit,
            more,
            at,
            position,
            ..
        } = planned;
        let (wanted, kind) = match edit {
            Edit::Replace { from, to, .. } => {
                let value = Some(to);
                let (from, to) = (from.to_string().into(), to.to_string().into());
                (Wanted::Value, ChangeKind::Replaced { from, to, value })
            }
            Edit::InsertKey { key, value, .. } => {
                let entry = [Scalar::Text(key.clone()), value.clone()];
                let entry = entry.map(Part::Scalar).into();
                (Wanted::InMapping(position * 2), ChangeKind::Inserted(entry))
            }
            Edit::AppendItem { value, .. } => {
                let item = vec![Part::Scalar(value.clone())];
                (Wanted::EndOfList, ChangeKind::Inserted(item))
            }
            Edit::AppendPatch { .. } => {
                let begins = at.pointer.is_root();
                let wanted = if begins {
                    Wanted::InMapping(position * 2)
                } else {
                    Wanted::EndOfList
                };
                (
                    wanted,
                    ChangeKind::Inserted(append_patch::parts(patches(edit, more), begins)),
                )
            }
            Edit::Move { .. } => return None,
        };
        let finder = Finder::new(*at, wanted);
        Some(Self { at: *at, finder, kind })
    }

    fn of_text(text: &'e PlannedText<'_>) -> Self {
        let (from, to) = (text.before.as_str().into(), text.after.as_str().into());
        Self {
            at: text.at,
            finder: Finder::new(text.at, Wanted::Value),
            kind: ChangeKind::Replaced { from, to, value: None },
        }
    }
}

/// Compares the events of two texts: the new ones must be the old ones with the changes.
fn compare(before: &str, after: &str, changes: &mut [Change<'_>]) -> Result<(), Unproven> {
    let mut new = NewEvents {
        parser: Parser::new_from_str(after),
        agreeing: 0,
        differs: None,
    };
    for event in Parser::new_from_str(before) {
        let (event, _) = event.map_err(|error| unreadable("old", &error))?;
        let mut replaced = None;
        for Change { finder, kind, .. } in changes.iter_mut() {
            match kind {
                _ if !finder.is_it(&event) => {}
                ChangeKind::Replaced { from, to, value } if is_scalar(&event, from) => replaced = Some((&*to, *value)),
                ChangeKind::Replaced { .. } => finder.reject(),
                ChangeKind::Inserted(parts) => parts.iter().for_each(|part| new.next_is(|event| is_part(event, part))),
            }
        }
        match replaced {
            None => new.next_is(|other| *other == event),
            Some((text, value)) => new.next_is(|other| is_changed(&event, other, text, value)),
        }
    }
    let differs = new.finish()?;
    match changes.iter().find(|change| !change.finder.has_found()) {
        Some(Change { at, .. }) => Err(Unproven::NotFound {
            document: at.document,
            pointer: at.pointer.to_string(),
        }),
        None => differs.map_or(Ok(()), |event| Err(Unproven::Differs { event })),
    }
}

/// The events of the new text, as far as they have been compared.
struct NewEvents<'a> {
    parser: Parser<'a, StrInput<'a>>,
    agreeing: usize,
    differs: Option<Result<usize, Unproven>>,
}

impl NewEvents<'_> {
    /// Compares the next event, unless an earlier one differs.
    fn next_is(&mut self, is: impl FnOnce(&Event<'_>) -> bool) {
        if self.differs.is_some() {
            return;
        }
        match self.parser.next() {
            Some(Ok((event, _))) if is(&event) => self.agreeing += 1,
            Some(Err(error)) => self.differs = Some(Err(unreadable("new", &error))),
            Some(Ok(_)) | None => self.differs = Some(Ok(self.agreeing)),
        }
    }

    /// The first event that differs. A text that can't be read to its end says nothing.
    fn finish(mut self) -> Result<Option<usize>, Unproven> {
        if self.differs.is_none()
            && let Some(more) = self.parser.next()
        {
            self.differs = Some(more.map(|_| self.agreeing).map_err(|error| unreadable("new", &error)));
        }
        for rest in self.parser {
            rest.map_err(|error| unreadable("new", &error))?;
        }
        self.differs.transpose()
    }
}

fn unreadable(which: &'static str, error: &ScanError) -> Unproven {
    Unproven::Unreadable {
        which,
        message: error.to_string().chars().take(200).collect(),
    }
}

/// Whether an event is the old scalar with another text, which is of the value's type.
fn is_changed(old: &Event<'_>, new: &Event<'_>, text: &str, value: Option<&Scalar>) -> bool {
    match (old, new) {
        (Event::Scalar(_, style, anchor, tag), Event::Scalar(new, new_style, new_anchor, new_tag)) => {
            let plain = *style == ScalarStyle::Plain;
            let typed = value.is_none_or(|value| match value {
                // A number in quotes stays there.
                Scalar::Integer(_) => !plain || text::is_integer(text),
                Scalar::Decimal(_) | Scalar::Text(_) => has_type(text, plain, value),
            });
            typed && (style, anchor, tag, text) == (new_style, new_anchor, new_tag, new)
        }
        _ => false,
    }
}

/// Whether a text of this style has the type of a value to every reader.
fn has_type(text: &str, plain: bool, value: &Scalar) -> bool {
    match value {
        Scalar::Integer(_) => plain && text::is_integer(text),
        Scalar::Decimal(_) => plain && Decimal::parse(text).is_some(),
        Scalar::Text(_) => !plain || text::is_string(text),
    }
}

/// Whether an event is a part of new YAML.
fn is_part(event: &Event<'_>, part: &Part) -> bool {
    match (event, part) {
        (event, Part::Scalar(scalar)) => is_new(event, scalar),
        (Event::MappingStart(0, None), Part::Mapping)
        | (Event::SequenceStart(0, None), Part::List)
        | (Event::MappingEnd, Part::EndOfMapping)
        | (Event::SequenceEnd, Part::EndOfList) => true,
        _ => false,
    }
}

/// Whether an event is a new scalar: a number written plainly, or a text that is a string to every reader.
fn is_new(event: &Event<'_>, scalar: &Scalar) -> bool {
    let Event::Scalar(text, style, 0, None) = event else {
        return false;
    };
    has_type(text, *style == ScalarStyle::Plain, scalar) && *text == scalar.to_string()
}

/// Whether a new text is made of the planned texts and, between them, of every byte that stands outside of the planned ranges.
fn keeps_other_bytes(before: &str, after: &str, mut splices: Vec<&Splice>) -> bool {
    splices.sort_by_key(|splice| (splice.range.start, splice.range.end));
    let (mut kept, mut rest) = (0, after);
    for Splice { range, text } in splices {
        let same = before.get(kept..range.start).and_then(|same| rest.strip_prefix(same));
        match same.and_then(|rest| rest.strip_prefix(text.as_str())) {
            Some(after) => (kept, rest) = (range.end, after),
            None => return false,
        }
    }
    before.get(kept..) == Some(rest)
}

fn is_scalar(event: &Event<'_>, wanted: &str) -> bool {
    matches!(event, Event::Scalar(text, ..) if *text == wanted)
}

/// Checks that the first parser reads the planned value in the new text, too.
fn read_back(stream: &Stream<'_>, planned: &Planned<'_>) -> Result<(), Unproven> {
    let Planned { edit, more, at, .. } = planned;
    let value = match edit {
        Edit::AppendPatch { .. } => return read_back_patches(stream, *at, patches(edit, more)),
        Edit::Replace { to: value, .. } | Edit::InsertKey { value, .. } | Edit::AppendItem { value, .. } => value,
        Edit::Move { .. } => return Ok(()),
    };
    let value = value.to_string();
    let documents = stream.documents();
    let node = documents
        .get(at.document)
        .and_then(|document| document.root.lookup(at.pointer).ok());
    let says = |node: Node<'_>| matches!(node.kind(), Kind::Scalar { text, .. } if text == value);
    let holds = node.is_some_and(|found| match edit {
        Edit::InsertKey { key, .. } => found.node.get(key).ok().flatten().is_some_and(says),
        Edit::AppendItem { .. } => found.node.items().any(says),
        Edit::Replace { .. } | Edit::AppendPatch { .. } | Edit::Move { .. } => says(found.node),
    });
    if holds {
        return Ok(());
    }
    Err(Unproven::OtherValue {
        pointer: at.pointer.to_string(),
    })
}

/// The patches of edits that append them.
fn patches<'e>(edit: &'e Edit, more: &[&'e Edit]) -> impl Iterator<Item = &'e NewPatch> {
    std::iter::once(edit)
        .chain(more.iter().copied())
        .filter_map(|edit| match edit {
            Edit::AppendPatch { patch, .. } => Some(patch),
            _ => None,
        })
}

/// Checks that the first parser reads the new patches as the last ones, too.
fn read_back_patches<'e>(
    stream: &Stream<'_>,
    at: Place<'_>,
    patches: impl Iterator<Item = &'e NewPatch>,
) -> Result<(), Unproven> {
    let patches: Vec<&NewPatch> = patches.collect();
    let documents = stream.documents();
    let root = documents.get(at.document).map(|document| document.root);
    let list = root.and_then(|root| root.get("patches").ok().flatten());
    let items: Vec<Node<'_>> = list.into_iter().flat_map(Node::items).collect();
    let last = items
        .get(items.len().saturating_sub(patches.len())..)
        .unwrap_or_default();
    let same = last.len() == patches.len() && last.iter().zip(patches).all(|(item, patch)| is_patch(*item, patch));
    if same {
        return Ok(());
    }
    Err(Unproven::OtherValue {
        pointer: "/patches".to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Location, ObjectKey};
    use crate::render::splice::apply;

    const BEFORE: &str = "a: 3 # c\nb: &x [u, 'v']\nc: *x\n---\na: 3\nl:\n- k: 3\n";

    fn location(document: usize, pointer: &str) -> Location {
        Location {
            path: "f.yaml".parse().unwrap(),
            document,
            object: ObjectKey::default(),
            pointer: pointer.parse().unwrap(),
            embedded: None,
        }
    }

    fn at(edit: &Edit) -> Place<'_> {
        match edit {
            Edit::Replace { at, .. } | Edit::InsertKey { at, .. } | Edit::AppendItem { at, .. } => Place {
                document: at.document,
                pointer: &at.pointer,
            },
            Edit::AppendPatch { .. } | Edit::Move { .. } => panic!("no such edit is tried here"),
        }
    }

    fn set(document: usize, pointer: &str) -> Edit {
        Edit::Replace {
            at: location(document, pointer),
            from: Scalar::Integer(3),
            to: Scalar::Integer(5),
        }
    }

    /// The verdict on a change of the bytes after `marker` (`old` to `new`) that claims to be an edit.
    fn verdict(edit: &Edit, position: usize, marker: &str, old: &str, new: &str) -> Result<(), Unproven> {
        let start = BEFORE.find(marker).unwrap() + marker.len();
        let splice = Splice {
            range: start..start + BEFORE[start..].strip_prefix(old).map(|_| old.len()).unwrap(),
            text: new.to_owned(),
        };
        let after = apply(BEFORE, &[&splice]).unwrap();
        let at = at(edit);
        let planned = Planned {
            edit,
            more: Vec::new(),
            at,
            splice,
            position,
        };
        prove(BEFORE, &after, &[planned], &[])
    }

    #[test]
    fn the_planned_difference_is_proven() {
        verdict(&set(0, "/a"), 0, "a: ", "3", "5").unwrap();
        verdict(&set(1, "/l/0/k"), 0, "k: ", "3", "5").unwrap();
        let insert = Edit::InsertKey {
            at: location(1, "/l/0"),
            key: "m".to_owned(),
            value: Scalar::Text("x".to_owned()),
        };
        verdict(&insert, 1, "k: 3", "", "\n  m: x").unwrap();
        verdict(&insert, 0, "- ", "", "m: x\n  ").unwrap();
    }

    #[test]
    fn every_other_difference_is_refused() {
        let differs =
            |verdict: Result<(), Unproven>| assert!(matches!(verdict, Err(Unproven::Differs { .. })), "{verdict:?}");
        // Another value, another document, another style, more than the value, a tag, an anchor.
        differs(verdict(&set(0, "/a"), 0, "a: ", "3", "6"));
        differs(verdict(&set(1, "/a"), 0, "a: ", "3", "5"));
        differs(verdict(&set(0, "/a"), 0, "a: ", "3", "\"5\""));
        differs(verdict(&set(0, "/a"), 0, "a: ", "3", "5\nd: 1"));
        differs(verdict(&set(0, "/a"), 0, "a: ", "3", "!!str 5"));
        differs(verdict(&set(0, "/a"), 0, "a: ", "3", "&y 5"));
        differs(verdict(
            &set(0, "/a"),
            0,
            "a: ",
            "3 # c\nb: &x [u, 'v']",
            "5\nb: &x [u, v]",
        ));
        let insert = |value| Edit::InsertKey {
            at: location(1, "/l/0"),
            key: "m".to_owned(),
            value,
        };
        let text = |text: &str| insert(Scalar::Text(text.to_owned()));
        // At the wrong level, at another position, of another type, twice.
        differs(verdict(&text("x"), 1, "k: 3", "", "\nm: x"));
        differs(verdict(&text("x"), 0, "k: 3", "", "\n  m: x"));
        differs(verdict(&text("5"), 1, "k: 3", "", "\n  m: 5"));
        differs(verdict(&text("true"), 1, "k: 3", "", "\n  m: true"));
        differs(verdict(&insert(Scalar::Integer(5)), 1, "k: 3", "", "\n  m: \"5\""));
        differs(verdict(&text("x"), 1, "k: 3", "", "\n  m: x\n  m: x"));
    }

    #[test]
    fn a_text_that_can_not_be_read_proves_nothing() {
        let unreadable = verdict(&set(0, "/a"), 0, "a: ", "3", "[5");
        assert!(
            matches!(unreadable, Err(Unproven::Unreadable { which: "new", .. })),
            "{unreadable:?}"
        );
        for pointer in ["/z", "/a/b", "/c/0", "/b/7", "/b/u", ""] {
            let missing = verdict(&set(0, pointer), 0, "a: ", "3", "5");
            assert!(
                matches!(missing, Err(Unproven::NotFound { .. })),
                "{pointer}: {missing:?}"
            );
        }
        assert!(matches!(
            verdict(&set(7, "/a"), 0, "a: ", "3", "5"),
            Err(Unproven::NotFound { .. })
        ));
    }

    #[test]
    fn a_byte_outside_of_the_plan_is_noticed() {
        let edit = set(0, "/a");
        let splice = Splice {
            range: 3..4,
            text: "5".to_owned(),
        };
        let planned = [Planned {
            edit: &edit,
            more: Vec::new(),
            at: at(&edit),
            splice,
            position: 0,
        }];
        let after = BEFORE.replacen("3 # c", "5 # d", 1);
        assert_eq!(prove(BEFORE, &after, &planned, &[]), Err(Unproven::OtherBytes));
        let after = BEFORE.replacen("3 # c", "5 # c", 1);
        assert_eq!(prove(BEFORE, &after, &planned, &[]), Ok(()));
    }
}
