//! A parsed text: one flat array of events with skip links, and the documents in it.

use std::borrow::Cow;
use std::ops::Range;

use super::node::Node;
use super::position::{LineStarts, Lines, Position};

/// How a scalar is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScalarStyle {
    /// Without quotes.
    Plain,
    /// `'in single quotes'`.
    SingleQuoted,
    /// `"in double quotes"`.
    DoubleQuoted,
    /// A block after `|`.
    Literal,
    /// A block after `>`.
    Folded,
}

/// What an event says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    Document { explicit: bool },
    DocumentEnd { explicit: bool },
    Scalar(ScalarStyle),
    Alias,
    Mapping { flow: bool },
    Sequence { flow: bool },
    End { flow: bool },
}

impl Shape {
    pub(super) fn is_flow(self) -> bool {
        matches!(
            self,
            Self::Mapping { flow: true } | Self::Sequence { flow: true } | Self::End { flow: true }
        )
    }
}

/// One event: a scalar, an alias, or the start or end of a document or collection.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Event<'a> {
    pub(super) shape: Shape,
    pub(super) tagged: bool,
    /// The anchor that stands on a node, or that an alias names; 0 is none.
    pub(super) anchor: u32,
    /// Bytes of the text. A quoted scalar's include its quotes; a block scalar's begin at its first character below the header and run
    /// over its trailing blank lines; those of a block collection's start and end are empty.
    pub(super) start: u32,
    pub(super) end: u32,
    /// The index after the last event of the node that starts here.
    pub(super) next: u32,
    pub(super) text: Cow<'a, str>,
}

impl Event<'_> {
    /// Whether its place is that of characters of its own; a block collection is made of nothing but what is in it.
    pub(super) fn is_written(&self) -> bool {
        match self.shape {
            Shape::Scalar(_) | Shape::Alias => true,
            Shape::Mapping { flow } | Shape::Sequence { flow } | Shape::End { flow } => flow,
            Shape::Document { .. } | Shape::DocumentEnd { .. } => false,
        }
    }
}

#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Anchor {
    /// The event that carries it.
    pub(super) event: u32,
    /// Whether an alias names it.
    pub(super) used: bool,
}

/// A parsed text.
///
/// It borrows the text and holds one array for all its events: making one costs a handful of allocations whatever the text nests.
#[derive(Debug)]
pub struct Stream<'a> {
    pub(super) text: &'a str,
    pub(super) lines: Lines,
    pub(super) line_starts: LineStarts,
    pub(super) events: Vec<Event<'a>>,
    /// By anchor number; the parser counts from 1.
    pub(super) anchors: Vec<Anchor>,
}

/// One document of a stream.
#[derive(Debug, Clone)]
pub struct Document<'s> {
    /// Its root. An empty document (`---` and nothing) has a null scalar.
    pub root: Node<'s>,
    /// Its bytes, from its own `---` line (if it has one) to that of the next document. The ranges of a stream follow each other without a
    /// gap; what stands before the first `---` belongs to the first document, what stands after a `...` line to the next one.
    pub range: Range<usize>,
}

impl<'a> Stream<'a> {
    /// The text that was parsed.
    pub fn text(&self) -> &'a str {
        self.text
    }

    /// The position of a byte of the text, in the file that holds it.
    pub fn position(&self, offset: usize) -> Position {
        self.lines.place(self.line_starts.position(self.text, offset))
    }

    /// The documents in their order; none for a text of blanks and comments.
    pub fn documents(&self) -> Vec<Document<'_>> {
        let mut documents: Vec<Document<'_>> = Vec::new();
        let mut index = 0;
        // The bytes from here on have no document yet: at the start, and after a `...` line.
        let mut unclaimed = Some(0);
        while let Some(start) = self.events.get(index) {
            let from = unclaimed.take().unwrap_or(wide(start.start));
            if let Some(previous) = documents.last_mut() {
                previous.range.end = from;
            }
            documents.push(Document {
                root: Node::new(self, index + 1),
                range: from..self.text.len(),
            });
            index = wide(start.next);
            let end = &self.events[index - 1];
            if end.shape == (Shape::DocumentEnd { explicit: true }) {
                unclaimed = Some(line_after(self.text, wide(end.end)));
            }
        }
        documents
    }
}

/// The start of the line after the one that `offset` is in.
fn line_after(text: &str, offset: usize) -> usize {
    memchr::memchr(b'\n', &text.as_bytes()[offset..]).map_or(text.len(), |newline| offset + newline + 1)
}

/// Stores an offset or index: all of them are at most the length of the longest text.
pub(super) fn narrow(value: usize) -> u32 {
    u32::try_from(value).expect("a text of at most 1 MiB has no larger offset")
}

/// Reads an offset or index back.
pub(super) fn wide(value: u32) -> usize {
    usize::try_from(value).expect("every supported machine has at least 32 bits")
}
