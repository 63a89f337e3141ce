//! Where a byte is, in the words of an editor.

use std::fmt;
use std::sync::OnceLock;

/// A place in a text: line and column, both from 1.
///
/// A column is one Unicode scalar value, and a byte order mark takes none, which is how editors and compilers count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// The line, from 1. Lines end at `\n`.
    pub line: usize,
    /// The column, from 1.
    pub column: usize,
}

/// How the lines of a text are counted: a text may stand within a file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Lines {
    /// From its own first line.
    #[default]
    Own,
    /// Its first line is this one of the file, and the others follow.
    From(usize),
    /// All of it stands in this line of the file.
    All(usize),
}

impl Lines {
    /// The position in the file of one that is counted in the text.
    pub(super) fn place(self, position: Position) -> Position {
        let Position { line, column } = position;
        match self {
            Self::Own => position,
            Self::From(first) => Position {
                line: first + line - 1,
                column,
            },
            Self::All(line) => Position { line, column },
        }
    }
}

/// Where the lines of a text begin, found when first asked for.
///
/// A hostile file asks for thousands of positions; to count its lines from the top for each would take seconds.
#[derive(Debug, Default)]
pub(super) struct LineStarts(OnceLock<Vec<usize>>);

impl LineStarts {
    /// What [`Position::of`] says of an offset of the text, which is always the same text.
    pub(super) fn position(&self, text: &str, offset: usize) -> Position {
        let starts = self.0.get_or_init(|| {
            let ends = memchr::memchr_iter(b'\n', text.as_bytes());
            std::iter::once(0).chain(ends.map(|end| end + 1)).collect()
        });
        let offset = text.floor_char_boundary(offset);
        let line = starts.partition_point(|start| *start <= offset);
        Position::in_line(text, line, starts[line - 1], offset)
    }
}

impl Position {
    /// The position of a byte offset; an offset past the end, or inside a character, counts as the nearest earlier one.
    pub fn of(text: &str, offset: usize) -> Self {
        let before = &text[..text.floor_char_boundary(offset)];
        let line_start = memchr::memrchr(b'\n', before.as_bytes()).map_or(0, |newline| newline + 1);
        let line = 1 + memchr::memchr_iter(b'\n', &before.as_bytes()[..line_start]).count();
        Self::in_line(text, line, line_start, before.len())
    }

    fn in_line(text: &str, line: usize, start: usize, offset: usize) -> Self {
        let before = &text[start..offset];
        let before = match start {
            0 => before.trim_start_matches('\u{feff}'),
            _ => before,
        };
        Self {
            line,
            column: 1 + before.chars().count(),
        }
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { line, column } = self;
        write!(f, "line {line}, column {column}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_counts_lines_and_characters_from_one() {
        for (text, offset, line, column) in [
            ("", 0, 1, 1),
            ("ab", 1, 1, 2),
            ("ab", 99, 1, 3),
            ("a\nb", 2, 2, 1),
            ("a\r\nb", 3, 2, 1),
            ("a\n\n  b", 5, 3, 3),
            ("é: ü", 4, 1, 4),
            ("é", 1, 1, 1),
            ("\u{feff}a: 1", 3, 1, 1),
            ("\u{feff}a: 1", 6, 1, 4),
            ("\u{feff}a\n\u{feff}b", 8, 2, 2),
        ] {
            let position = Position { line, column };
            assert_eq!(Position::of(text, offset), position, "{text:?} at {offset}");
            let counted = LineStarts::default().position(text, offset);
            assert_eq!(counted, position, "{text:?} at {offset}");
        }
    }

    #[test]
    fn a_position_reads_like_a_compiler_message() {
        assert_eq!(Position { line: 3, column: 5 }.to_string(), "line 3, column 5");
    }
}
