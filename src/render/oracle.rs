//! The proof of an edit: a second parser reads the old and the new text and must find exactly the planned difference.
//!
//! The first parser says where a value is; if it is wrong, or if a new line reads differently than it looks, only a parser that shares no
//! code history with it can tell. It looks up each edited value by itself, writes down the events that the new text must have, and compares
//! them one by one. Only the content of events counts here, as this parser counts characters where the spans count bytes.

use saphyr_parser::{Event, Parser, ScalarStyle};

use crate::model::{Edit, Scalar};
use crate::yaml::{self, Kind, Node, Stream};

use super::document::{Place, Planned, PlannedText};
use super::splice::Splice;
use super::text;

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

/// An event that the new text must have.
#[derive(Debug, Clone)]
enum Expected<'a> {
    /// The same as in the old text.
    Same(&'a Event<'a>),
    /// The old scalar with another text.
    Changed { old: &'a Event<'a>, text: String },
    /// A new scalar: an integer written plainly, or a text that is a string to every reader.
    New { text: String, integer: bool },
}

/// Proves that a new text is the old one with the planned edits and nothing else.
///
/// A text that a scalar holds is proven by itself, and in the file the scalar must hold it as it was proven.
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
    let old = events(before, "old")?;
    let new = events(after, "new")?;
    let mut expected: Vec<Expected<'_>> = old.iter().map(Expected::Same).collect();
    for text in texts {
        prove(&text.before, &text.after, &text.planned, &[])?;
        let index = find(&old, text.at).filter(|index| is_scalar(&old[*index], &text.before));
        let index = index.ok_or_else(|| not_found(text.at))?;
        expected[index] = Expected::Changed {
            old: &old[index],
            text: text.after.clone(),
        };
    }
    // From the back, so that indices into the old events stay valid; insertions at one place in the order of the edits.
    let mut changes: Vec<(usize, usize, &Planned<'_>)> = Vec::new();
    for (order, planned) in planned.iter().enumerate() {
        changes.push((place(&old, planned)?, order, planned));
    }
    changes.sort_by_key(|(index, order, _)| std::cmp::Reverse((*index, *order)));
    for (index, _, planned) in changes {
        match planned.edit {
            Edit::Replace { to, .. } => {
                expected[index] = Expected::Changed {
                    old: &old[index],
                    text: to.to_string(),
                };
            }
            Edit::InsertKey { key, value, .. } => {
                let key = Scalar::Text(key.clone());
                expected.splice(index..index, [Expected::new(&key), Expected::new(value)]);
            }
            Edit::AppendItem { value, .. } => expected.insert(index, Expected::new(value)),
            Edit::Move { .. } => {}
        }
    }
    let same = |(expected, event): (&Expected<'_>, &Event<'_>)| expected.allows(event);
    let agreeing = expected.iter().zip(&new).take_while(|pair| same(*pair)).count();
    if agreeing != expected.len() || agreeing != new.len() {
        return Err(Unproven::Differs { event: agreeing });
    }
    let stream = Stream::parse(after).map_err(Unproven::Broken)?;
    planned.iter().try_for_each(|planned| read_back(&stream, planned))
}

impl Expected<'_> {
    fn new(value: &Scalar) -> Self {
        Self::New {
            text: value.to_string(),
            integer: value.integer().is_some(),
        }
    }

    fn allows(&self, event: &Event<'_>) -> bool {
        match self {
            Self::Same(old) => *old == event,
            Self::Changed { old, text } => match (old, event) {
                (Event::Scalar(_, style, anchor, tag), Event::Scalar(new, new_style, new_anchor, new_tag)) => {
                    (style, anchor, tag, text.as_str()) == (new_style, new_anchor, new_tag, new)
                }
                _ => false,
            },
            Self::New { text, integer } => match event {
                Event::Scalar(new, style, 0, None) => {
                    let plain = *style == ScalarStyle::Plain;
                    let typed = if *integer {
                        plain && text::is_integer(new)
                    } else {
                        !plain || text::is_string(new)
                    };
                    typed && new == text
                }
                _ => false,
            },
        }
    }
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

fn events<'a>(text: &'a str, which: &'static str) -> Result<Vec<Event<'a>>, Unproven> {
    let mut events = Vec::with_capacity(text.len() / 16 + 16);
    for event in Parser::new_from_str(text) {
        let (event, _) = event.map_err(|error| Unproven::Unreadable {
            which,
            message: error.to_string().chars().take(200).collect(),
        })?;
        events.push(event);
    }
    Ok(events)
}

fn is_scalar(event: &Event<'_>, wanted: &str) -> bool {
    matches!(event, Event::Scalar(text, ..) if *text == wanted)
}

fn not_found(at: Place<'_>) -> Unproven {
    Unproven::NotFound {
        document: at.document,
        pointer: at.pointer.to_string(),
    }
}

/// The event that an edit replaces or that it stands before, found by this parser alone.
fn place(events: &[Event<'_>], planned: &Planned<'_>) -> Result<usize, Unproven> {
    let index = match (planned.edit, find(events, planned.at)) {
        (Edit::Move { .. }, _) => return Ok(0),
        (Edit::Replace { from, .. }, Some(node)) => {
            Some(node).filter(|node| is_scalar(&events[*node], &from.to_string()))
        }
        (Edit::InsertKey { .. }, Some(mapping)) if matches!(events[mapping], Event::MappingStart(..)) => {
            (0..planned.position * 2).try_fold(mapping + 1, |node, _| skip(events, node))
        }
        (Edit::AppendItem { .. }, Some(list)) if matches!(events[list], Event::SequenceStart(..)) => {
            skip(events, list).map(|after| after - 1)
        }
        _ => None,
    };
    index.ok_or_else(|| not_found(planned.at))
}

fn find(events: &[Event<'_>], at: Place<'_>) -> Option<usize> {
    let starts = events
        .iter()
        .enumerate()
        .filter(|(_, event)| matches!(event, Event::DocumentStart(_)));
    let mut node = starts.map(|(index, _)| index + 1).nth(at.document)?;
    for token in at.pointer.tokens() {
        let token = token.decoded();
        node = match events.get(node)? {
            Event::MappingStart(..) => {
                let mut key = node + 1;
                while !matches!(events.get(key)?, Event::Scalar(text, ..) if *text == token) {
                    key = skip(events, skip(events, key)?)?;
                }
                skip(events, key)?
            }
            Event::SequenceStart(..) => {
                let index: usize = token.parse().ok()?;
                (0..index).try_fold(node + 1, |item, _| skip(events, item))?
            }
            _ => return None,
        };
    }
    Some(node)
}

/// The index after the node that starts at an index; nothing at the end of a collection.
fn skip(events: &[Event<'_>], start: usize) -> Option<usize> {
    let mut depth = 0_usize;
    for (index, event) in events.iter().enumerate().skip(start) {
        match event {
            Event::MappingStart(..) | Event::SequenceStart(..) => depth += 1,
            Event::MappingEnd | Event::SequenceEnd => depth = depth.checked_sub(1)?,
            Event::Scalar(..) | Event::Alias(_) => {}
            _ => return None,
        }
        if depth == 0 {
            return Some(index + 1);
        }
    }
    None
}

/// Checks that the first parser reads the planned value in the new text, too.
fn read_back(stream: &Stream<'_>, planned: &Planned<'_>) -> Result<(), Unproven> {
    let Planned { edit, at, .. } = planned;
    let value = match edit {
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
        Edit::Replace { .. } | Edit::Move { .. } => says(found.node),
    });
    if holds {
        return Ok(());
    }
    Err(Unproven::OtherValue {
        pointer: at.pointer.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Location, ObjectKey};
    use crate::render::splice::apply;

    const BEFORE: &str = "a: 3 # c\nb: &x [u, 'v']\nc: *x\n---\na: 3\nl:\n- k: 3\n";

    fn location(document: usize, pointer: &str) -> Location {
        let [group, kind, namespace, name] = [const { String::new() }; 4];
        Location {
            path: "f.yaml".parse().unwrap(),
            document,
            object: ObjectKey {
                group,
                kind,
                namespace,
                name,
            },
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
            Edit::Move { .. } => panic!("a move has no place"),
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
