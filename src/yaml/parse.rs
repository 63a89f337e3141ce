//! From text to events, within limits.

use std::borrow::Cow;
use std::ops::Range;

use granit_parser::{ErrorKind, Event as Raw, Parser, ScanError, StructureStyle};

use super::position::{LineStarts, Lines, Position};
use super::stream::{Anchor, Event, ScalarStyle, Shape, Stream, narrow, wide};

/// The longest text that is parsed, in bytes.
///
/// Git forges show no diff above 1 MiB and etcd stores no object above 1.5 MiB, so a longer file is no manifest that a person reviews.
pub const MAX_BYTES: usize = 1 << 20;

/// The deepest nesting of mappings and sequences.
///
/// The deepest manifests in use, schemas inside CustomResourceDefinitions, stay below 40. The bound keeps every walk over a document short
/// of stack, whoever writes it.
pub const MAX_DEPTH: usize = 64;

/// The most aliases in one text.
///
/// None is expanded here, but other readers of the same file expand them all: a file that needs more is one that they refuse or choke on.
pub const MAX_ALIASES: usize = 100;

/// The most events in one text.
///
/// Dense text (`{a,a,a`) makes one event of each byte, written manifests one of about twelve. The bound keeps the worst file of
/// [`MAX_BYTES`] below 16 MiB of events while a written one never meets it.
pub const MAX_EVENTS: usize = 250_000;

/// Why a text can't be read as YAML, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{position}: {kind}")]
pub struct ParseError {
    /// Where reading stopped.
    pub position: Position,
    /// What was wrong there.
    pub kind: ParseErrorKind,
}

/// What is wrong with a text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParseErrorKind {
    /// It is not YAML 1.2.
    #[error("not valid YAML: {0}")]
    Syntax(String),
    /// It is longer than [`MAX_BYTES`].
    #[error("the text has {bytes} bytes, more than the limit of {MAX_BYTES}")]
    TooLong {
        /// Its length in bytes.
        bytes: usize,
    },
    /// It nests deeper than [`MAX_DEPTH`].
    #[error("nested deeper than the limit of {MAX_DEPTH} levels")]
    TooDeep,
    /// It has more than [`MAX_ALIASES`] aliases.
    #[error("more aliases than the limit of {MAX_ALIASES}")]
    TooManyAliases,
    /// It has more than [`MAX_EVENTS`] events.
    #[error("more keys, values and items than the limit of {MAX_EVENTS}")]
    TooManyEvents,
}

/// The most characters of the parser's own message that are kept: it may quote the text, which may be hostile.
const LONGEST_MESSAGE: usize = 200;

impl<'a> Stream<'a> {
    /// Parses a text of any number of documents.
    ///
    /// A byte order mark at the start is allowed and in no span. Every error is final: nothing is returned of a text that is wrong further
    /// down, because an edit proven on one half of a file says nothing about the file.
    pub fn parse(text: &'a str) -> Result<Self, ParseError> {
        Self::parse_lines(text, Lines::Own)
    }

    /// Parses a text whose lines are counted in a file that holds it.
    pub(super) fn parse_lines(text: &'a str, lines: Lines) -> Result<Self, ParseError> {
        let mut builder = Builder::new(text, lines);
        if text.len() > MAX_BYTES {
            return Err(builder.fail(0, ParseErrorKind::TooLong { bytes: text.len() }));
        }
        let options = granit_parser::options! {
            emit_comments: false,
            flow_nesting_limit: MAX_DEPTH,
            block_nesting_limit: MAX_DEPTH,
        };
        for raw in Parser::new_from_str_with_options(text, options) {
            let (raw, span) = raw.map_err(|error| builder.refused_by_parser(&error))?;
            let range = span.byte_range().filter(|range| text.get(range.clone()).is_some());
            let range = range.ok_or_else(|| builder.syntax(0, "a node without a place in the text"))?;
            builder.push(raw, range)?;
        }
        builder.finish()
    }
}

/// The events so far and what is still open.
struct Builder<'a> {
    stream: Stream<'a>,
    /// What is open, outermost (the document) first.
    open: Vec<Open>,
    aliases: usize,
}

/// A document or collection whose end has not come yet.
struct Open {
    /// The event that starts it.
    start: usize,
    /// Whether it is a mapping whose last key still lacks its value.
    value_next: bool,
}

impl<'a> Builder<'a> {
    fn new(text: &'a str, lines: Lines) -> Self {
        // Written manifests have an event in twelve to sixteen bytes; dense ones make the array grow.
        let events = (text.len() / 16 + 16).min(MAX_EVENTS);
        Self {
            stream: Stream {
                text,
                lines,
                line_starts: LineStarts::default(),
                events: Vec::with_capacity(events),
                anchors: Vec::new(),
            },
            open: Vec::new(),
            aliases: 0,
        }
    }

    fn fail(&self, offset: usize, kind: ParseErrorKind) -> ParseError {
        ParseError {
            position: self.stream.position(offset),
            kind,
        }
    }

    fn syntax(&self, offset: usize, message: &str) -> ParseError {
        let message = message.chars().take(LONGEST_MESSAGE).collect();
        self.fail(offset, ParseErrorKind::Syntax(message))
    }

    fn refused_by_parser(&self, error: &ScanError) -> ParseError {
        let offset = error.marker().byte_offset().unwrap_or(0);
        match error.kind() {
            ErrorKind::RecursionLimitExceeded => self.fail(offset, ParseErrorKind::TooDeep),
            _ => self.syntax(offset, &error.info()),
        }
    }

    fn push(&mut self, raw: Raw<'a>, mut range: Range<usize>) -> Result<(), ParseError> {
        let mut event = match translate(raw) {
            Translated::Event(event) => event,
            Translated::Skip => return Ok(()),
            Translated::Unknown => return Err(self.syntax(range.start, "a construct that is not known here")),
        };
        let index = self.stream.events.len();
        if index >= MAX_EVENTS {
            return Err(self.fail(range.start, ParseErrorKind::TooManyEvents));
        }
        match &mut event.shape {
            Shape::End { flow } => *flow = self.close(&range)?.is_flow(),
            Shape::DocumentEnd { explicit } => {
                self.close(&range)?;
                *explicit = !range.is_empty();
            }
            _ => self.begin(&mut event, &mut range)?,
        }
        event.start = narrow(range.start);
        event.end = narrow(range.end);
        event.next = narrow(index + 1);
        self.stream.events.push(event);
        Ok(())
    }

    /// Takes in a node, or the start of a document.
    fn begin(&mut self, event: &mut Event<'a>, range: &mut Range<usize>) -> Result<(), ParseError> {
        let index = self.stream.events.len();
        let is_value = self.open.last().is_some_and(|parent| parent.value_next);
        if let Some(parent) = self.open.last_mut() {
            parent.value_next = !is_value && matches!(self.stream.events[parent.start].shape, Shape::Mapping { .. });
        }
        match event.shape {
            Shape::Document { .. } | Shape::Mapping { .. } | Shape::Sequence { .. } => {
                self.open.push(Open {
                    start: index,
                    value_next: false,
                });
                if self.open.len() > MAX_DEPTH + 1 {
                    return Err(self.fail(range.start, ParseErrorKind::TooDeep));
                }
            }
            Shape::Alias => {
                self.aliases += 1;
                if self.aliases > MAX_ALIASES {
                    return Err(self.fail(range.start, ParseErrorKind::TooManyAliases));
                }
                self.anchor(event.anchor).used = true;
                return Ok(());
            }
            Shape::Scalar(ScalarStyle::Plain) if range.start == range.end => {
                // The parser spells a value that is not there `~`; here it is as long as its span.
                event.text = Cow::Borrowed("");
                let unadorned = event.anchor == 0 && !event.tagged;
                if is_value && unadorned {
                    *range = self.place_of_absent_value(range.start);
                }
            }
            _ => {}
        }
        if event.anchor != 0 {
            self.anchor(event.anchor).event = narrow(index);
        }
        Ok(())
    }

    /// Where a value would be written that is not: the parser places it before the colon or, without one, before the next token.
    fn place_of_absent_value(&self, at: usize) -> Range<usize> {
        let place = match (self.stream.text.as_bytes().get(at), self.stream.events.last()) {
            (Some(b':'), _) => at + 1,
            (_, Some(key)) if key.end > key.start => wide(key.end),
            _ => at,
        };
        place..place
    }

    /// Closes what was opened last, by an end that is about to be pushed.
    fn close(&mut self, range: &Range<usize>) -> Result<Shape, ParseError> {
        let Some(Open { start, .. }) = self.open.pop() else {
            return Err(self.syntax(range.start, "an end without a start"));
        };
        let next = narrow(self.stream.events.len() + 1);
        let start = &mut self.stream.events[start];
        start.next = next;
        Ok(start.shape)
    }

    fn anchor(&mut self, number: u32) -> &mut Anchor {
        let anchors = &mut self.stream.anchors;
        let index = wide(number);
        if anchors.len() <= index {
            anchors.resize(index + 1, Anchor::default());
        }
        &mut anchors[index]
    }

    fn finish(self) -> Result<Stream<'a>, ParseError> {
        if !self.open.is_empty() {
            return Err(self.syntax(self.stream.text.len(), "the text ends inside a document"));
        }
        Ok(self.stream)
    }
}

enum Translated<'a> {
    Event(Event<'a>),
    Skip,
    Unknown,
}

/// Takes over what the parser says, all but the places.
fn translate(raw: Raw<'_>) -> Translated<'_> {
    use granit_parser::ScalarStyle as Style;
    let flow = |style| style == StructureStyle::Flow;
    let (shape, anchor, tagged, text) = match raw {
        Raw::StreamStart | Raw::StreamEnd => return Translated::Skip,
        Raw::DocumentStart(explicit, _) => (Shape::Document { explicit }, 0, false, Cow::Borrowed("")),
        Raw::DocumentEnd => (Shape::DocumentEnd { explicit: false }, 0, false, Cow::Borrowed("")),
        Raw::Alias(anchor) => (Shape::Alias, anchor, false, Cow::Borrowed("")),
        Raw::Scalar(text, style, anchor, tag) => {
            let style = match style {
                Style::Plain => ScalarStyle::Plain,
                Style::SingleQuoted => ScalarStyle::SingleQuoted,
                Style::DoubleQuoted => ScalarStyle::DoubleQuoted,
                Style::Literal => ScalarStyle::Literal,
                Style::Folded => ScalarStyle::Folded,
            };
            (Shape::Scalar(style), anchor, tag.is_some(), text)
        }
        Raw::MappingStart(style, anchor, tag) => (
            Shape::Mapping { flow: flow(style) },
            anchor,
            tag.is_some(),
            Cow::Borrowed(""),
        ),
        Raw::SequenceStart(style, anchor, tag) => (
            Shape::Sequence { flow: flow(style) },
            anchor,
            tag.is_some(),
            Cow::Borrowed(""),
        ),
        Raw::MappingEnd | Raw::SequenceEnd => (Shape::End { flow: false }, 0, false, Cow::Borrowed("")),
        // The enum is open. A construct that is not understood must not be edited around.
        _ => return Translated::Unknown,
    };
    Translated::Event(Event {
        shape,
        tagged,
        anchor: narrow(anchor),
        start: 0,
        end: 0,
        next: 0,
        text,
    })
}
