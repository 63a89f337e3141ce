//! Lines and columns of a text, as far as an insertion has to imitate them.

use crate::yaml::Node;
pub(super) use crate::yaml::has_certain_end;

use super::problem::Problem;

/// Where the line of a byte begins; a byte order mark is in front of the first one.
pub(super) fn line_start(text: &str, at: usize) -> usize {
    match memchr::memrchr(b'\n', &text.as_bytes()[..at]) {
        Some(newline) => newline + 1,
        None => "\u{feff}".len() * usize::from(text.starts_with('\u{feff}')),
    }
}

/// Where the line of a byte ends, before its line break.
pub(super) fn line_end(text: &str, at: usize) -> usize {
    let rest = &text[at..];
    let line = rest.find('\n').map_or(rest, |newline| &rest[..newline]);
    at + line.strip_suffix('\r').unwrap_or(line).len()
}

/// The line break that a new line next to the line of a byte gets: that line's own, or that of the line before it if it is the last and
/// has none.
pub(super) fn line_break(text: &str, at: usize) -> &'static str {
    let end = line_end(text, at);
    let own = &text[end..];
    let before = &text[..line_start(text, at)];
    if own.starts_with("\r\n") || own.is_empty() && before.ends_with("\r\n") {
        "\r\n"
    } else {
        "\n"
    }
}

/// Whether each carriage return belongs to a line break; one that stands alone breaks a line for YAML and for nobody else.
pub(super) fn has_plain_line_breaks(text: &str) -> bool {
    memchr::memchr_iter(b'\r', text.as_bytes()).all(|at| text.as_bytes().get(at + 1) == Some(&b'\n'))
}

/// Whether a text holds characters that YAML 1.1 takes for line breaks and YAML 1.2 does not.
pub(super) fn has_strange_line_breaks(text: &str) -> bool {
    let finds = |character: &str| memchr::memmem::find(text.as_bytes(), character.as_bytes()).is_some();
    ["\u{85}", "\u{2028}", "\u{2029}"].into_iter().any(finds)
}

/// What stands on its line before a byte.
pub(super) fn before_on_line(text: &str, at: usize) -> &str {
    &text[line_start(text, at)..at]
}

/// Whether a text is blanks and dashes that begin list items (`  - - `), so that what follows it may be a key at that column.
pub(super) fn is_indentation(text: &str) -> bool {
    let mut rest = text.trim_start_matches(' ');
    while let Some(after) = rest.strip_prefix("- ") {
        rest = after.trim_start_matches(' ');
    }
    rest.is_empty()
}

/// What is inserted into `{...}` or `[...]` so that `body` becomes its last part, and where.
///
/// `last` is the present last part (a pair's key first), if there is one. A part that has a line of its own gets a sibling below it; one
/// that shares its line gets one beside it.
pub(super) fn flow_insertion(
    text: &str,
    collection: Node<'_>,
    last: Option<(Node<'_>, Node<'_>)>,
    body: &str,
) -> Result<(usize, String), Problem> {
    let span = collection.span();
    let opens_with_bracket = text[span.clone()].starts_with(['{', '[']);
    if !opens_with_bracket {
        return Err(Problem::Layout("a pair without braces in a list"));
    }
    let open = span.start + 1;
    let Some((first, end)) = last else {
        let inside = &text[open..span.end - 1];
        if !inside.chars().all(|c| c == ' ') {
            return Err(Problem::Layout(
                "an empty collection with a line break or comment in it",
            ));
        }
        // `{}` becomes `{k: v}`, and `{ }` becomes `{ k: v }`.
        let spaced = if inside.is_empty() { "" } else { " " };
        return Ok((open, format!("{spaced}{body}")));
    };
    let (start, end) = (first.span(), end.span());
    if end.is_empty() || start.is_empty() {
        return Err(Problem::Layout("the last part of the collection has no value"));
    }
    let end = end.end;
    let line = line_start(text, start.start);
    let indent = &text[line..start.start];
    let alone_before = line > open && indent.chars().all(|c| c == ' ');
    let alone_after = matches!(text[end..line_end(text, end)].trim_end_matches(' '), "" | ",");
    if alone_before && alone_after {
        let line_break = line_break(text, end);
        return Ok((end, format!(",{line_break}{indent}{body}")));
    }
    Ok((end, format!(", {body}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_found_with_every_line_break() {
        let text = "\u{feff}ab\r\ncd\nef";
        assert_eq!(line_start(text, 4), 3);
        assert_eq!(line_end(text, 4), 5);
        assert_eq!(line_start(text, 8), 7);
        assert_eq!((line_end(text, 8), line_end(text, 11)), (9, 12));
        assert_eq!([4, 8, 11].map(|at| line_break(text, at)), ["\r\n", "\n", "\n"]);
        assert_eq!(line_break("a\r\nb", 3), "\r\n");
        assert_eq!(line_break("", 0), "\n");
        assert!(has_plain_line_breaks("a\r\nb\n"));
        assert!(!has_plain_line_breaks("a\rb\r\n"));
    }

    #[test]
    fn indentation_is_blanks_and_dashes_of_items() {
        for good in ["", "  ", "- ", "  -   - "] {
            assert!(is_indentation(good), "{good:?}");
        }
        for bad in ["--- ", "-", "- -", "a", "\t", "? ", "-\t", "- &a "] {
            assert!(!is_indentation(bad), "{bad:?}");
        }
    }
}
