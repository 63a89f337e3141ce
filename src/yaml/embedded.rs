//! A scalar that holds YAML itself: its text, and where each byte of that text stands in the file.
//!
//! Values of an Argo CD `Application`, patches inside a kustomization and files inside a `ConfigMap` are texts within a text. A change in
//! the inner text is a change of a few bytes of the outer one, found through the pieces that both have in common. What has no such piece
//! (an escape, an indentation) is never edited.

use std::ops::Range;

use super::node::{Kind, Node};
use super::parse::ParseError;
use super::position::Lines;
use super::stream::{ScalarStyle, Stream};

/// The text that a scalar holds.
#[derive(Debug)]
pub struct Embedded<'s> {
    text: &'s str,
    lines: Lines,
    pieces: Vec<Piece>,
    writing: Writing,
}

/// A run of bytes that inner and outer text have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Piece {
    inner: usize,
    outer: usize,
    length: usize,
}

/// How new inner text becomes outer text.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Writing {
    /// In a literal block: a line break gets the block's own, and its indentation.
    Lines(String),
    /// In one line, in this style.
    OneLine(ScalarStyle),
}

/// Why a scalar's text can't be edited as a text of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotEmbedded {
    /// It is no scalar.
    #[error("it is no text")]
    NoScalar,
    /// It is a folded block (`>`), whose line breaks are not those of the text.
    #[error("it is a folded block (`>`), whose lines are not those of the text")]
    Folded,
    /// It is quoted or plain and runs over several lines.
    #[error("it runs over several lines without being a literal block (`|`)")]
    SeveralLines,
    /// Its escapes or its indentation are of a kind that is not taken apart here.
    #[error("its escapes or its indentation can't be taken apart")]
    Unusual,
}

impl<'s> Embedded<'s> {
    /// Takes a scalar's text apart.
    pub fn of(node: Node<'s>) -> Result<Self, NotEmbedded> {
        let Kind::Scalar { text, style } = node.kind() else {
            return Err(NotEmbedded::NoScalar);
        };
        let span = node.span();
        let outer = node.stream().text();
        let line = node.position().line;
        let (pieces, writing, lines) = match style {
            ScalarStyle::Folded => return Err(NotEmbedded::Folded),
            ScalarStyle::Literal => {
                let block = Block::of(outer, span.start, text)?;
                let first = node.stream().position(block.start).line;
                (block.pieces, Writing::Lines(block.line_break), Lines::From(first))
            }
            _ if outer[span.clone()].contains(['\n', '\r']) => return Err(NotEmbedded::SeveralLines),
            ScalarStyle::Plain => {
                let piece = Piece {
                    inner: 0,
                    outer: span.start,
                    length: span.len(),
                };
                (vec![piece], Writing::OneLine(style), Lines::All(line))
            }
            ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted => {
                let inside = span.start + 1..span.end - 1;
                let pieces = unescape(outer, inside, style).ok_or(NotEmbedded::Unusual)?;
                (pieces, Writing::OneLine(style), Lines::All(line))
            }
        };
        let embedded = Self {
            text,
            lines,
            pieces,
            writing,
        };
        if embedded.agrees(outer) {
            Ok(embedded)
        } else {
            Err(NotEmbedded::Unusual)
        }
    }

    /// The inner text.
    pub fn text(&self) -> &'s str {
        self.text
    }

    /// Parses the inner text. Its positions are those of the file; its byte offsets are those of the inner text.
    pub fn parse(&self) -> Result<Stream<'s>, ParseError> {
        Stream::parse_lines(self.text, self.lines)
    }

    /// The bytes of the outer text that are these of the inner one; nothing for bytes that are not one to one there.
    ///
    /// An empty range at the end of a line stands there and not at the start of the next one.
    pub fn outer(&self, inner: &Range<usize>) -> Option<Range<usize>> {
        let piece = self
            .pieces
            .iter()
            .find(|piece| piece.inner <= inner.start && inner.end <= piece.inner + piece.length)?;
        let start = piece.outer + (inner.start - piece.inner);
        Some(start..start + inner.len())
    }

    /// The outer text that new inner text becomes; nothing if it can't be written in the scalar's style.
    pub fn encode(&self, text: &str) -> Option<String> {
        match &self.writing {
            Writing::Lines(line_break) => (!text.contains('\r')).then(|| text.replace('\n', line_break)),
            Writing::OneLine(ScalarStyle::SingleQuoted) => {
                (!text.contains(['\n', '\r'])).then(|| text.replace('\'', "''"))
            }
            Writing::OneLine(ScalarStyle::DoubleQuoted) => (!text.contains('\r')).then(|| {
                let text = text.replace('\\', "\\\\").replace('"', "\\\"");
                text.replace('\n', "\\n")
            }),
            Writing::OneLine(_) => {
                let harmless = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_' | b'/');
                text.bytes().all(harmless).then(|| text.to_owned())
            }
        }
    }

    /// Whether each piece says the same in both texts.
    fn agrees(&self, outer: &str) -> bool {
        self.pieces.iter().all(|piece| {
            let inner = self.text.get(piece.inner..piece.inner + piece.length);
            inner.is_some() && inner == outer.get(piece.outer..piece.outer + piece.length)
        })
    }
}

/// A literal block's lines.
struct Block {
    /// Where its first line begins, indentation included.
    start: usize,
    pieces: Vec<Piece>,
    /// Its line break and the indentation of the next line.
    line_break: String,
}

impl Block {
    /// Lays the lines of a decoded text beside those of the block. `inside` is any byte of the block's first lines.
    fn of(outer: &str, inside: usize, text: &str) -> Result<Self, NotEmbedded> {
        let line_start = |at: usize| memchr::memrchr(b'\n', &outer.as_bytes()[..at]).map_or(0, |newline| newline + 1);
        let mut start = line_start(inside);
        // Blank lines between the header and the first line with text are lines of the block.
        while start > 0 {
            let before = line_start(start - 1);
            if !outer[before..start].trim_matches([' ', '\n', '\r']).is_empty() {
                break;
            }
            start = before;
        }
        let mut pieces = Vec::new();
        let mut indent = None;
        let mut line_break = None;
        let mut rest = &outer[start..];
        let mut inner_at = 0;
        for inner in text.split_inclusive('\n') {
            let length = rest.find('\n').map_or(rest.len(), |newline| newline + 1);
            let line = &rest[..length];
            let content = line.trim_end_matches('\n');
            let (content, ending) = match content.strip_suffix('\r') {
                Some(content) if content.len() + 2 == line.len() => (content, "\r\n"),
                _ => (content, "\n"),
            };
            let inner_content = inner.trim_end_matches('\n');
            if !inner_content.is_empty() {
                let own = content.strip_suffix(inner_content).ok_or(NotEmbedded::Unusual)?;
                if !own.bytes().all(|byte| byte == b' ') || *indent.get_or_insert(own.len()) != own.len() {
                    return Err(NotEmbedded::Unusual);
                }
                pieces.push(Piece {
                    inner: inner_at,
                    outer: outer.len() - rest.len() + own.len(),
                    length: inner_content.len(),
                });
            } else if !content.trim_matches(' ').is_empty() {
                return Err(NotEmbedded::Unusual);
            }
            if length > content.len() && *line_break.get_or_insert(ending) != ending {
                return Err(NotEmbedded::Unusual);
            }
            inner_at += inner.len();
            rest = &rest[length..];
        }
        let indent = " ".repeat(indent.ok_or(NotEmbedded::Unusual)?);
        // A single line at the end of the file has no break of its own: that of the header counts.
        let before = &outer[..start];
        let line_break = line_break.unwrap_or(if before.ends_with("\r\n") { "\r\n" } else { "\n" });
        Ok(Self {
            start,
            pieces,
            line_break: format!("{line_break}{indent}"),
        })
    }
}

/// The runs between the escapes of a quoted text; nothing if it has an escape other than those of JSON.
fn unescape(outer: &str, inside: Range<usize>, style: ScalarStyle) -> Option<Vec<Piece>> {
    let source = &outer[inside.clone()];
    let mut pieces = Vec::new();
    let (mut inner, mut at) = (0, 0);
    let escape = if style == ScalarStyle::SingleQuoted { '\'' } else { '\\' };
    while at < source.len() {
        let length = source[at..].find(escape).unwrap_or(source.len() - at);
        if length > 0 {
            pieces.push(Piece {
                inner,
                outer: inside.start + at,
                length,
            });
        }
        (inner, at) = (inner + length, at + length);
        if at < source.len() {
            let (decoded, taken) = match (style, source[at + 1..].chars().next()?) {
                (ScalarStyle::SingleQuoted, _) => (1, 2),
                (_, 'n' | 't' | 'r' | '"' | '\\' | '/') => (1, 2),
                (_, 'u') => {
                    let code = u32::from_str_radix(source.get(at + 2..at + 6)?, 16).ok()?;
                    (char::from_u32(code)?.len_utf8(), 6)
                }
                _ => return None,
            };
            (inner, at) = (inner + decoded, at + taken);
        }
    }
    Some(pieces)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What becomes of a file if the first `old` in the text at the key `a` gives way to `new`.
    fn edited(file: &str, old: &str, new: &str) -> Option<String> {
        let stream = Stream::parse(file).unwrap();
        let root = stream.documents().remove(0).root;
        let node = root.get("a").unwrap().unwrap();
        let embedded = Embedded::of(node).ok()?;
        let start = embedded.text().find(old).unwrap();
        let range = embedded.outer(&(start..start + old.len()))?;
        let mut file = file.to_owned();
        file.replace_range(range, &embedded.encode(new)?);
        Some(file)
    }

    fn why_not(file: &str) -> NotEmbedded {
        let stream = Stream::parse(file).unwrap();
        let root = stream.documents().remove(0).root;
        Embedded::of(root.get("a").unwrap().unwrap()).unwrap_err()
    }

    #[test]
    fn a_value_in_a_block_is_the_same_bytes_of_the_file() {
        for (file, old, new, want) in [
            ("a: |\n  b: 3\n  c: 4\n", "3", "15", "a: |\n  b: 15\n  c: 4\n"),
            (
                "a: |-\n    b:\n      c: 3 # x\n",
                "3",
                "7",
                "a: |-\n    b:\n      c: 7 # x\n",
            ),
            ("a: |+\n  b: 3\n\n\nz: 1\n", "3", "7", "a: |+\n  b: 7\n\n\nz: 1\n"),
            (
                "a: | # note\n\n\n  b: 3\n\n  c: 1",
                "3",
                "7",
                "a: | # note\n\n\n  b: 7\n\n  c: 1",
            ),
            ("a: |2\n    b: 3\n", "3", "7", "a: |2\n    b: 7\n"),
            ("a: |\r\n  b: 3\r\n  c: 4\r\n", "3", "7", "a: |\r\n  b: 7\r\n  c: 4\r\n"),
            ("a: |\n b: 3", "3", "7", "a: |\n b: 7"),
        ] {
            assert_eq!(edited(file, old, new).as_deref(), Some(want), "{file:?}");
        }
    }

    #[test]
    fn a_new_line_gets_the_indentation_of_the_block() {
        assert_eq!(
            edited("a: |-\n  - x\nb: 1\n", "x", "x\n- y").as_deref(),
            Some("a: |-\n  - x\n  - y\nb: 1\n")
        );
        assert_eq!(
            edited("a: |\r\n    - x\r\n", "x", "x\n- y").as_deref(),
            Some("a: |\r\n    - x\r\n    - y\r\n")
        );
        assert_eq!(
            edited("a: |-\n  - x", "x", "x\n- y").as_deref(),
            Some("a: |-\n  - x\n  - y")
        );
    }

    #[test]
    fn a_value_in_quotes_is_found_beside_escapes() {
        for (file, want) in [
            (r#"a: "b: {c: 3}""#, r#"a: "b: {c: 7}""#),
            (r#"a: "b:\n  x: \"q\"\n  c: 3\n""#, r#"a: "b:\n  x: \"q\"\n  c: 7\n""#),
            (r#"{"a": "\u00e9: 1\nc: 3\n"}"#, r#"{"a": "\u00e9: 1\nc: 7\n"}"#),
            (
                "a: '- {op: replace, path: ''/x'', value: 3}'",
                "a: '- {op: replace, path: ''/x'', value: 7}'",
            ),
            ("a: c3", "a: c7"),
        ] {
            assert_eq!(edited(file, "3", "7").as_deref(), Some(want), "{file}");
        }
        assert_eq!(
            edited(r#"a: "- x""#, "x", "x\n- \"y\"").as_deref(),
            Some(r#"a: "- x\n- \"y\"""#)
        );
        assert_eq!(edited("a: '- x'", "x", "x\n- y"), None);
        assert_eq!(edited("a: x", "x", "x y"), None);
    }

    #[test]
    fn what_is_not_one_to_one_is_not_edited() {
        // The escape itself, and a line break with its indentation.
        assert_eq!(edited(r#"a: "b\nc""#, "\n", "x"), None);
        assert_eq!(edited("a: |\n  b\n  c\n", "b\nc", "x"), None);
        assert_eq!(edited("a: 'b''c'", "'", "x"), None);
    }

    #[test]
    fn a_text_that_can_not_be_taken_apart_is_refused() {
        assert_eq!(why_not("a: >\n  b: 3\n"), NotEmbedded::Folded);
        assert_eq!(why_not("a: \"b:\n  3\"\n"), NotEmbedded::SeveralLines);
        assert_eq!(why_not("a: b\n  c\n"), NotEmbedded::SeveralLines);
        assert_eq!(why_not("a: {b: 1}\n"), NotEmbedded::NoScalar);
        assert_eq!(why_not(r#"a: "\x41""#), NotEmbedded::Unusual);
        assert_eq!(why_not("a: |\n\n"), NotEmbedded::Unusual);
    }

    #[test]
    fn positions_are_those_of_the_file() {
        let line = |file: &str| {
            let stream = Stream::parse(file).unwrap();
            let root = stream.documents().remove(0).root;
            let embedded = Embedded::of(root.get("a").unwrap().unwrap()).unwrap();
            let inner = embedded.parse().unwrap();
            let root = inner.documents().remove(0).root;
            root.get("c").unwrap().unwrap().position().line
        };
        assert_eq!(line("# x\na: |\n  b: 1\n  c: 3\n"), 4);
        assert_eq!(line("a: |\n\n  b: 1\n\n  c: 3\n"), 5);
        assert_eq!(line("x: 1\na: \"b: 1\\nc: 3\\n\"\n"), 2);
        let stream = Stream::parse("# x\na: |\n  b: 1\n  c: [3\n").unwrap();
        let root = stream.documents().remove(0).root;
        let embedded = Embedded::of(root.get("a").unwrap().unwrap()).unwrap();
        assert_eq!(embedded.parse().unwrap_err().position.line, 4);
    }
}
