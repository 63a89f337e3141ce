//! Reads plainly written YAML quickly, and nothing else.
//!
//! Most manifests of a fleet consist of block mappings and sequences, short keys, scalars and flow collections of one line, and comments.
//! For those the events follow from the lines and their indentation, some fifteen times faster than a parser finds them. Whatever is not
//! certainly one of these (a tab, a letter beyond ASCII, an anchor, a tag, an alias, a block scalar, a scalar of several lines, an escape,
//! anything that is wrong) ends the attempt, and the parser reads the text.
//!
//! Invariant: what this reader returns is what [`Stream::parse`] returns, event for event and byte for byte; the tests compare them. Whoever
//! edits asks the parser all the same: this reader finds, it proves nothing.

use std::borrow::Cow;

use super::parse::{MAX_BYTES, ParseError};
use super::position::Lines;
use super::stream::{Event, ScalarStyle, Shape, Stream, narrow};

/// Deeper texts are left to the parser, which has the limit.
const DEEPEST: usize = 32;

/// Longer keys are left to the parser: YAML has a limit of 1,024 characters.
const LONGEST_KEY: usize = 200;

impl<'a> Stream<'a> {
    /// Reads a text as [`Stream::parse`] does, faster if it is plainly written. For reading; an edit is planned and proven on what the
    /// parser returns.
    pub fn read(text: &'a str) -> Result<Self, ParseError> {
        match quick(text) {
            Some(stream) => Ok(stream),
            None => Self::parse(text),
        }
    }
}

/// The stream of a plainly written text; nothing for every other one.
pub(super) fn quick(text: &str) -> Option<Stream<'_>> {
    // Without a way out in the middle the compiler takes many bytes at once.
    let plain = text
        .bytes()
        .fold(true, |plain, byte| plain & matches!(byte, b' '..=b'~' | b'\n'));
    if text.len() > MAX_BYTES || !plain {
        return None;
    }
    let mut reader = Reader {
        text,
        bytes: text.as_bytes(),
        events: Vec::with_capacity(text.len() / 16 + 16),
        open: Vec::with_capacity(16),
        document: None,
        root_next: false,
    };
    let mut at = 0;
    while at < text.len() {
        let end = memchr::memchr(b'\n', &reader.bytes[at..]).map_or(text.len(), |length| at + length);
        reader.line(at, end)?;
        at = end + 1;
    }
    reader.end_document(text.len())?;
    let Reader { events, .. } = reader;
    let anchors = Vec::new();
    (!events.is_empty()).then_some(Stream {
        text,
        lines: Lines::Own,
        line_starts: Default::default(),
        events,
        anchors,
    })
}

/// A block collection that is open.
struct Block {
    /// The event that starts it.
    start: usize,
    /// The column of its keys or dashes.
    column: usize,
    sequence: bool,
    /// Where the value of the last key is to be, if it has none yet: after its colon.
    value_next: Option<usize>,
}

struct Reader<'a> {
    text: &'a str,
    bytes: &'a [u8],
    events: Vec<Event<'a>>,
    /// The block collections that are open, outermost first.
    open: Vec<Block>,
    /// The event that starts the open document.
    document: Option<usize>,
    /// Whether the open document has nothing in it yet.
    root_next: bool,
}

impl<'a> Reader<'a> {
    fn line(&mut self, from: usize, end: usize) -> Option<()> {
        let bytes = self.bytes;
        let blanks = bytes[from..end].iter().take_while(|byte| **byte == b' ').count();
        let at = from + blanks;
        if at == end || bytes[at] == b'#' {
            return Some(());
        }
        if blanks == 0 {
            let line = &bytes[from..end];
            if line.starts_with(b"---") {
                self.only_comment(from + 3, end)?;
                self.end_document(from)?;
                self.begin_document(from, from + 3, true);
                return Some(());
            }
            if line.starts_with(b"...") || line[0] == b'%' {
                return None;
            }
        }
        if self.document.is_none() {
            self.begin_document(at, at, false);
        }
        self.block(at, end, blanks)
    }

    /// Takes in what begins a line, or follows a dash.
    fn block(&mut self, at: usize, end: usize, column: usize) -> Option<()> {
        let bytes = self.bytes;
        if bytes[at] == b'-' && (at + 1 == end || bytes[at + 1] == b' ') {
            return self.item(at, end, column);
        }
        let (key_end, style) = self.key(at, end)?;
        self.close_deeper(at, column, false)?;
        let opens = match self.open.last() {
            Some(top) if top.column == column => false,
            Some(top) if top.column < column => true,
            None => true,
            Some(_) => return None,
        };
        if opens {
            self.begin_collection(at, column, false)?;
        } else {
            self.settle_value()?;
        }
        self.scalar(at, key_end, style);
        let after = self.skip_blanks(key_end + 1, end);
        let top = self.open.last_mut()?;
        if after == end || bytes[after] == b'#' {
            top.value_next = Some(key_end + 1);
            return Some(());
        }
        let after = self.value(after, end)?;
        self.only_comment(after, end)
    }

    /// Takes in a dash and what stands behind it.
    fn item(&mut self, at: usize, end: usize, column: usize) -> Option<()> {
        let inner = self.skip_blanks(at + 1, end);
        // A dash alone is left to the parser, as is a dash behind a dash.
        if inner == end || matches!(self.bytes[inner], b'#' | b'-') && !self.is_plain_start(inner, end) {
            return None;
        }
        self.close_deeper(at, column, true)?;
        match self.open.last() {
            Some(top) if top.sequence && top.column == column => {}
            // The parser says that a sequence begins with its dash, or with what follows it if it is not indented.
            Some(top) if top.column == column => self.begin_collection(inner, column, true)?,
            _ => self.begin_collection(at, column, true)?,
        }
        if self.key(inner, end).is_some() {
            self.open.last_mut()?.value_next = Some(inner);
            return self.block(inner, end, column + (inner - at));
        }
        let after = self.value(inner, end)?;
        self.only_comment(after, end)
    }

    /// Begins a collection as the value that is missing.
    fn begin_collection(&mut self, at: usize, column: usize, sequence: bool) -> Option<()> {
        match self.open.last_mut() {
            None if self.root_next => self.root_next = false,
            None => return None,
            Some(top) => {
                // A sequence may stand at the column of the key that it is the value of.
                let deeper = top.column < column || sequence && !top.sequence && top.column == column;
                if !deeper {
                    return None;
                }
                top.value_next.take()?;
            }
        }
        if self.open.len() >= DEEPEST {
            return None;
        }
        self.open.push(Block {
            start: self.events.len(),
            column,
            sequence,
            value_next: None,
        });
        let shape = if sequence {
            Shape::Sequence { flow: false }
        } else {
            Shape::Mapping { flow: false }
        };
        self.push(shape, at, at, "");
        Some(())
    }

    /// Closes the collections that can't go on at a column.
    fn close_deeper(&mut self, at: usize, column: usize, dash: bool) -> Option<()> {
        while let Some(top) = self.open.last() {
            let ends = top.column > column || top.column == column && top.sequence && !dash;
            if !ends {
                break;
            }
            self.close(at)?;
        }
        Some(())
    }

    fn close(&mut self, at: usize) -> Option<()> {
        self.settle_value()?;
        let Block { start, .. } = self.open.pop()?;
        self.push(Shape::End { flow: false }, at, at, "");
        self.events[start].next = narrow(self.events.len());
        Some(())
    }

    /// Writes down that the last key has no value, if it has none.
    fn settle_value(&mut self) -> Option<()> {
        if let Some(place) = self.open.last_mut()?.value_next.take() {
            self.push(Shape::Scalar(ScalarStyle::Plain), place, place, "");
        }
        Some(())
    }

    fn begin_document(&mut self, start: usize, end: usize, explicit: bool) {
        self.document = Some(self.events.len());
        self.root_next = true;
        self.push(Shape::Document { explicit }, start, end, "");
    }

    /// Ends the open document, if there is one. One with nothing in it is left to the parser.
    fn end_document(&mut self, at: usize) -> Option<()> {
        let Some(start) = self.document.take() else {
            return Some(());
        };
        while !self.open.is_empty() {
            self.close(at)?;
        }
        if self.root_next {
            return None;
        }
        self.push(Shape::DocumentEnd { explicit: false }, at, at, "");
        self.events[start].next = narrow(self.events.len());
        Some(())
    }

    /// The end and style of a key that begins here, if it is one: a colon and a blank or the line's end must follow.
    fn key(&self, at: usize, end: usize) -> Option<(usize, ScalarStyle)> {
        let bytes = self.bytes;
        let (key_end, style) = match bytes[at] {
            b'"' | b'\'' => self.quoted(at, end)?,
            first => {
                let in_key = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b'/');
                if first == b'-' || !in_key(first) {
                    return None;
                }
                let length = bytes[at..end].iter().take_while(|byte| in_key(**byte)).count();
                (at + length, ScalarStyle::Plain)
            }
        };
        let ends = bytes.get(key_end) == Some(&b':') && (key_end + 1 >= end || bytes[key_end + 1] == b' ');
        (key_end < end && ends && key_end - at <= LONGEST_KEY).then_some((key_end, style))
    }

    /// The end and style of a quoted scalar without escapes.
    fn quoted(&self, at: usize, end: usize) -> Option<(usize, ScalarStyle)> {
        let quote = self.bytes[at];
        let inside = &self.bytes[at + 1..end];
        let length = memchr::memchr2(quote, b'\\', inside)?;
        let close = at + 1 + length;
        if self.bytes[close] != quote {
            return None;
        }
        let style = if quote == b'"' {
            return Some((close + 1, ScalarStyle::DoubleQuoted));
        } else {
            ScalarStyle::SingleQuoted
        };
        // Two single quotes are one.
        (self.bytes.get(close + 1) != Some(&b'\'')).then_some((close + 1, style))
    }

    /// Takes in a value of one line and says where it ends.
    fn value(&mut self, at: usize, end: usize) -> Option<usize> {
        match self.bytes[at] {
            b'{' | b'[' => self.flow(at, end, 0),
            b'"' | b'\'' => {
                let (after, style) = self.quoted(at, end)?;
                self.scalar(at, after, style);
                Some(after)
            }
            _ if self.is_plain_start(at, end) => {
                let after = self.plain_end(at, end)?;
                self.scalar(at, after, ScalarStyle::Plain);
                Some(after)
            }
            _ => None,
        }
    }

    /// Whether a plain scalar may begin here, outside of flow collections.
    fn is_plain_start(&self, at: usize, end: usize) -> bool {
        match self.bytes[at] {
            b'-' => at + 1 < end && self.bytes[at + 1] != b' ',
            byte => {
                byte.is_ascii_alphanumeric()
                    || matches!(
                        byte,
                        b'_' | b'.' | b'/' | b'$' | b'(' | b'+' | b'~' | b'=' | b'<' | b'^'
                    )
            }
        }
    }

    /// The end of a plain scalar outside of flow collections; nothing if a colon makes it a key.
    fn plain_end(&self, at: usize, end: usize) -> Option<usize> {
        let bytes = &self.bytes[..end];
        let mut last = at;
        let mut index = at;
        while index < end {
            match bytes[index] {
                b' ' => {
                    index += 1;
                    continue;
                }
                b'#' if bytes[index - 1] == b' ' => break,
                b':' if index + 1 == end || bytes[index + 1] == b' ' => return None,
                _ => {}
            }
            index += 1;
            last = index;
        }
        Some(last)
    }

    /// Takes in a flow collection of one line and says where it ends.
    fn flow(&mut self, at: usize, end: usize, depth: usize) -> Option<usize> {
        let mapping = self.bytes[at] == b'{';
        let (close, shape) = if mapping {
            (b'}', Shape::Mapping { flow: true })
        } else {
            (b']', Shape::Sequence { flow: true })
        };
        if self.open.len() + depth >= DEEPEST {
            return None;
        }
        let start = self.events.len();
        self.push(shape, at, at + 1, "");
        let mut at = self.skip_blanks(at + 1, end);
        let mut first = true;
        while self.bytes[..end].get(at)? != &close {
            if !first {
                if self.bytes[at] != b',' {
                    return None;
                }
                at = self.skip_blanks(at + 1, end);
            }
            first = false;
            if mapping {
                at = self.flow_scalar(at, end)?;
                let is_key = self.bytes[..end].get(at) == Some(&b':') && self.bytes[..end].get(at + 1) == Some(&b' ');
                if !is_key {
                    return None;
                }
                at = self.skip_blanks(at + 1, end);
            }
            at = match self.bytes[..end].get(at)? {
                b'{' | b'[' => self.flow(at, end, depth + 1)?,
                _ => self.flow_scalar(at, end)?,
            };
            at = self.skip_blanks(at, end);
        }
        self.push(Shape::End { flow: true }, at, at + 1, "");
        self.events[start].next = narrow(self.events.len());
        Some(at + 1)
    }

    /// Takes in a scalar of a flow collection and says where it ends.
    fn flow_scalar(&mut self, at: usize, end: usize) -> Option<usize> {
        let (after, style) = match self.bytes[..end].get(at)? {
            b'"' | b'\'' => self.quoted(at, end)?,
            first if first.is_ascii_alphanumeric() || matches!(first, b'_' | b'.' | b'/') => {
                let inside =
                    |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'/' | b'-' | b'=' | b'+');
                let length = self.bytes[at..end].iter().take_while(|byte| inside(**byte)).count();
                (at + length, ScalarStyle::Plain)
            }
            _ => return None,
        };
        if after - at > LONGEST_KEY {
            return None;
        }
        self.scalar(at, after, style);
        Some(after)
    }

    fn skip_blanks(&self, at: usize, end: usize) -> usize {
        at + self.bytes[at.min(end)..end]
            .iter()
            .take_while(|byte| **byte == b' ')
            .count()
    }

    /// Demands that nothing stands between here and the line's end but a comment with a blank before it.
    fn only_comment(&self, at: usize, end: usize) -> Option<()> {
        let next = self.skip_blanks(at, end);
        (next == end || self.bytes[next] == b'#' && next > at).then_some(())
    }

    fn scalar(&mut self, start: usize, end: usize, style: ScalarStyle) {
        let text = match style {
            ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted => &self.text[start + 1..end - 1],
            ScalarStyle::Plain | ScalarStyle::Literal | ScalarStyle::Folded => &self.text[start..end],
        };
        self.push(Shape::Scalar(style), start, end, text);
    }

    fn push(&mut self, shape: Shape, start: usize, end: usize, text: &'a str) {
        self.events.push(Event {
            shape,
            tagged: false,
            anchor: 0,
            start: narrow(start),
            end: narrow(end),
            next: narrow(self.events.len() + 1),
            text: Cow::Borrowed(text),
        });
    }
}

#[cfg(test)]
mod tests;
