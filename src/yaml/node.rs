//! One value of a document, and the values in it.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;

use super::position::Position;
use super::stream::{Event, ScalarStyle, Shape, Stream, wide};

/// A value in a parsed text: a scalar, a mapping, a sequence, or an alias that stands for one.
///
/// It is a handle of two words, made to be copied. Nothing follows an alias on the way down: whoever meets one decides.
#[derive(Clone, Copy)]
pub struct Node<'s> {
    stream: &'s Stream<'s>,
    index: usize,
}

/// What a value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind<'s> {
    /// Text, after escapes and folding.
    Scalar {
        /// The text; empty for a value that is not there (`key:`).
        text: &'s str,
        /// How it is written.
        style: ScalarStyle,
    },
    /// Keys and values.
    Mapping {
        /// Whether it is written `{...}`.
        flow: bool,
    },
    /// Items.
    Sequence {
        /// Whether it is written `[...]`.
        flow: bool,
    },
    /// `*name`.
    Alias,
}

/// One key of a mapping with its value.
#[derive(Debug, Clone, Copy)]
pub struct Entry<'s> {
    /// The key.
    pub key: Node<'s>,
    /// The value.
    pub value: Node<'s>,
}

/// A key that stands twice in one mapping. Readers disagree about which one counts, so none of them is taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{second}: the key {key:?} stands in this mapping already, on line {}", .first.line)]
pub struct DuplicateKey {
    /// The key.
    pub key: String,
    /// Where it stands first.
    pub first: Position,
    /// Where it stands again.
    pub second: Position,
}

impl<'s> Node<'s> {
    pub(super) fn new(stream: &'s Stream<'s>, index: usize) -> Self {
        Self { stream, index }
    }

    fn event(self) -> &'s Event<'s> {
        &self.stream.events[self.index]
    }

    /// What the value is.
    pub fn kind(self) -> Kind<'s> {
        let event = self.event();
        match event.shape {
            Shape::Scalar(style) => Kind::Scalar {
                text: &event.text,
                style,
            },
            Shape::Mapping { flow } => Kind::Mapping { flow },
            Shape::Sequence { flow } => Kind::Sequence { flow },
            Shape::Alias => Kind::Alias,
            Shape::Document { .. } | Shape::DocumentEnd { .. } | Shape::End { .. } => {
                unreachable!("a node is made of an event that starts one")
            }
        }
    }

    /// The text of a scalar, whatever its style; nothing for a null and for all that is no scalar.
    pub fn text(self) -> Option<&'s str> {
        match self.kind() {
            Kind::Scalar { text, .. } if !self.is_null() => Some(text),
            _ => None,
        }
    }

    /// Whether it is a null as YAML's core schema writes it: nothing, `~` or `null`, without quotes and tag.
    pub fn is_null(self) -> bool {
        let Kind::Scalar { text, style } = self.kind() else {
            return false;
        };
        style == ScalarStyle::Plain && !self.has_tag() && matches!(text, "" | "~" | "null" | "Null" | "NULL")
    }

    /// Whether it is a mapping.
    pub fn is_mapping(self) -> bool {
        matches!(self.kind(), Kind::Mapping { .. })
    }

    /// Whether it is a sequence.
    pub fn is_sequence(self) -> bool {
        matches!(self.kind(), Kind::Sequence { .. })
    }

    /// Whether a tag (`!!str`, `!Sub`) is written on it.
    pub fn has_tag(self) -> bool {
        self.event().tagged
    }

    /// Whether an anchor (`&name`) is written on it.
    pub fn has_anchor(self) -> bool {
        self.event().shape != Shape::Alias && self.event().anchor != 0
    }

    /// Whether an alias stands for it somewhere else, so that a change here is a change there.
    pub fn is_shared(self) -> bool {
        self.has_anchor() && self.stream.anchors[wide(self.event().anchor)].used
    }

    /// Its bytes in the text.
    ///
    /// A quoted scalar's include the quotes. A value that is not written has none, and stands right after the colon or dash that it belongs
    /// to (and the blank after a dash). A block scalar's begin at its first character below the header and run over the blank lines that end
    /// it. A block collection's run from its first key or first item's content, without the dash, to the end of its last value. Anchor and
    /// tag are outside.
    pub fn span(self) -> Range<usize> {
        let event = self.event();
        if event.shape.is_flow() || !(self.is_mapping() || self.is_sequence()) {
            let last = &self.stream.events[wide(event.next) - 1];
            return wide(event.start)..wide(last.end);
        }
        // The parser puts the ends of a block collection where other tokens begin, so what is in it is asked.
        let inside = &self.stream.events[self.index + 1..wide(event.next)];
        let first = inside.iter().find(|event| event.is_written()).unwrap_or(event);
        let last = inside.iter().rfind(|event| event.is_written()).unwrap_or(event);
        wide(first.start)..wide(last.end).max(wide(first.start))
    }

    /// The bytes that [`Node::span`] names.
    pub fn source(self) -> &'s str {
        &self.stream.text[self.span()]
    }

    /// Where it begins.
    pub fn position(self) -> Position {
        self.stream.position(self.span().start)
    }

    /// The stream that it is part of.
    pub fn stream(self) -> &'s Stream<'s> {
        self.stream
    }

    /// The entries of a mapping in their order; none for anything else.
    pub fn entries(self) -> impl Iterator<Item = Entry<'s>> {
        let inside = self.is_mapping().then_some(self.index + 1);
        std::iter::successors(inside.and_then(|first| self.entry_at(first)), move |entry| {
            self.entry_at(wide(entry.value.event().next))
        })
    }

    /// The items of a sequence in their order; none for anything else.
    pub fn items(self) -> impl Iterator<Item = Node<'s>> {
        let inside = self.is_sequence().then_some(self.index + 1);
        std::iter::successors(inside.and_then(|first| self.node_at(first)), move |item| {
            self.node_at(wide(item.event().next))
        })
    }

    fn node_at(self, index: usize) -> Option<Node<'s>> {
        let event = self.stream.events.get(index)?;
        (!matches!(event.shape, Shape::End { .. })).then_some(Node { index, ..self })
    }

    fn entry_at(self, index: usize) -> Option<Entry<'s>> {
        let key = self.node_at(index)?;
        let value = self.node_at(wide(key.event().next))?;
        Some(Entry { key, value })
    }

    /// The entry of a mapping that has this key, written by itself; nothing if there is none or if this is no mapping.
    ///
    /// A key that a merge (`<<`) brings is not found. Whether one that is written wins over it differs between readers: look-ups ask.
    pub fn entry(self, key: &str) -> Result<Option<Entry<'s>>, DuplicateKey> {
        let mut found: Option<Entry<'s>> = None;
        for entry in self.entries().filter(|entry| entry.key_text() == Some(key)) {
            match found {
                None => found = Some(entry),
                Some(first) => return Err(DuplicateKey::of(key, first, entry)),
            }
        }
        Ok(found)
    }

    /// The value of a mapping's key: [`Node::entry`] without the key.
    pub fn get(self, key: &str) -> Result<Option<Node<'s>>, DuplicateKey> {
        Ok(self.entry(key)?.map(|entry| entry.value))
    }

    /// Whether a mapping has a merge key (`<<`), so that a key that is not written may be there all the same.
    pub fn has_merge_key(self) -> bool {
        self.entries().any(|entry| entry.key_text() == Some("<<"))
    }

    /// The keys that stand twice in a mapping of this value or of what is in it, in the order of the text; no more than the first hundred.
    pub fn duplicate_keys(self) -> Vec<DuplicateKey> {
        let mut duplicates = Vec::new();
        for index in self.index..wide(self.event().next) {
            let mut seen: BTreeMap<&str, Entry<'s>> = BTreeMap::new();
            for entry in self.node_at(index).into_iter().flat_map(Self::entries) {
                let Some(key) = entry.key_text() else { continue };
                match seen.get(key) {
                    Some(first) => duplicates.push((key, *first, entry)),
                    None => drop(seen.insert(key, entry)),
                }
            }
        }
        duplicates.sort_by_key(|(_, _, second)| second.key.index);
        let first = duplicates.into_iter().take(100);
        first
            .map(|(key, first, second)| DuplicateKey::of(key, first, second))
            .collect()
    }
}

impl<'s> Entry<'s> {
    /// The key as text, through an alias if it is one; nothing for a null or a collection.
    ///
    /// This is the one place that follows an alias: two keys are the same whichever way they are written.
    pub fn key_text(self) -> Option<&'s str> {
        let event = self.key.event();
        if event.shape != Shape::Alias {
            return self.key.text();
        }
        let anchor = self.key.stream.anchors.get(wide(event.anchor))?;
        self.key.node_at(wide(anchor.event))?.text()
    }
}

impl DuplicateKey {
    fn of(key: &str, first: Entry<'_>, second: Entry<'_>) -> Self {
        Self {
            key: key.to_owned(),
            first: first.key.position(),
            second: second.key.position(),
        }
    }
}

impl fmt::Debug for Node<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Node({:?} at {})", self.kind(), self.position())
    }
}

/// Two handles are equal if they are the same value of the same stream.
impl PartialEq for Node<'_> {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(
            std::ptr::from_ref(self.stream).cast::<u8>(),
            std::ptr::from_ref(other.stream).cast(),
        ) && self.index == other.index
    }
}
