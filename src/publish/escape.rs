//! Makes text from outside inert: in Markdown, in a title, in a commit message and in an HTML comment; pure.
//!
//! Invariant: whatever comes in, [`text`] renders as that text and nothing else. No link, image, mention, reference to an issue, HTML, table
//! cell or line comes out of it, and no character that reorders or hides what stands beside it. Forges look for mentions and references in
//! the *rendered* text, so escaping for Markdown is not enough: a zero-width space keeps `@` and `#` apart from what follows.
//!
//! Plain words come out as they went in, because the local forge's readers see the source.

/// The longest piece of outside text that is shown, in characters.
const LONGEST: usize = 300;

/// The longest value in a title or a commit message, in characters.
const LONGEST_WORD: usize = 40;

const ZERO_WIDTH_SPACE: char = '\u{200b}';

/// Outside text as running text in Markdown: within a paragraph, a list item or a table cell.
pub fn text(outside: &str) -> String {
    let line = one_line(outside);
    let digits = line.bytes().take_while(u8::is_ascii_digit).count();
    let mut out = String::with_capacity(line.len() + 16);
    let mut before = [' '; 3];
    let mut rest = line.chars().enumerate().peekable();
    while let Some((position, c)) = rest.next() {
        // What opens a list or a heading at the start of a line: `- `, `+ `, `=`, `1.`, `1)`.
        let opens_block = match position {
            0 => matches!(c, '-' | '+' | '='),
            _ => position == digits && matches!(c, '.' | ')'),
        };
        let special = matches!(
            c,
            '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '&' | '|' | '~' | '@' | '#' | '$' | '!'
        );
        // What becomes a link without any bracket: `https://`, `www.`, and GitHub's `GH-12`. A backslash would not help, since forges look
        // for the first two in the rendered text too.
        let is = |wanted: [char; 3]| before.iter().zip(wanted).all(|(b, w)| b.eq_ignore_ascii_case(&w));
        if c == '.' && is(['w', 'w', 'w']) {
            out.push(ZERO_WIDTH_SPACE);
        }
        if special || opens_block {
            out.push('\\');
        }
        out.push(c);
        let scheme = c == ':' && rest.peek().is_some_and(|(_, next)| *next == '/');
        let issue = c == '-'
            && before[1..]
                .iter()
                .zip(['g', 'h'])
                .all(|(b, w)| b.eq_ignore_ascii_case(&w));
        if matches!(c, '@' | '#' | '!') || scheme || issue {
            out.push(ZERO_WIDTH_SPACE);
        }
        before = [before[1], before[2], c];
    }
    out
}

/// Outside text as a code span in Markdown, within a paragraph, a list item or a table cell.
pub fn code(outside: &str) -> String {
    let line = one_line(outside);
    if line.is_empty() {
        return "(empty)".to_owned();
    }
    let longest_run = line.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest_run + 1);
    // A span that starts or ends with a backtick needs a space, which Markdown takes off again on both sides.
    let pad = if line.starts_with('`') || line.ends_with('`') {
        " "
    } else {
        ""
    };
    // Tables are cut into cells before code spans are looked for.
    let line = line.replace('|', "\\|");
    format!("{fence}{pad}{line}{pad}{fence}")
}

/// A value for a title or a commit message: what no name or number has becomes a question mark.
pub fn word(outside: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '/' | '+' | '-' | '=' | '%');
    let mut word: String = outside
        .chars()
        .take(LONGEST_WORD)
        .map(|c| if plain(c) { c } else { '?' })
        .collect();
    if outside.chars().nth(LONGEST_WORD).is_some() {
        word.push('~');
    }
    if word.is_empty() { "?".to_owned() } else { word }
}

/// JSON as the content of an HTML comment: without any character that could end the comment or be looked at by a forge.
pub fn json_in_comment(json: &str) -> String {
    json.replace('<', "\\u003c")
        .replace('>', "\\u003e")
        .replace('&', "\\u0026")
        .replace('@', "\\u0040")
        .replace('#', "\\u0023")
        .replace("--", "-\\u002d")
}

/// One line without control characters, characters that nobody sees, double spaces, or more than [`LONGEST`] characters.
fn one_line(outside: &str) -> String {
    let mut line = String::new();
    let mut length = 0;
    let mut gap = false;
    for c in outside.trim().chars() {
        if length >= LONGEST {
            line.push('…');
            break;
        }
        if c.is_whitespace() {
            gap = true;
            continue;
        }
        if gap {
            line.push(' ');
            length += 1;
            gap = false;
        }
        if c.is_control() || is_unseen(c) {
            line.push_str(&format!("(U+{:04X})", u32::from(c)));
        } else {
            line.push(c);
        }
        length += 1;
    }
    line
}

/// Characters that take no room or change the direction of what follows (Unicode's Default_Ignorable_Code_Point and Bidi_Control, without
/// the variation selectors that emoji use).
fn is_unseen(c: char) -> bool {
    matches!(
        c,
        '\u{ad}'
            | '\u{34f}'
            | '\u{61c}'
            | '\u{115f}'
            | '\u{1160}'
            | '\u{17b4}'
            | '\u{17b5}'
            | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{3164}'
            | '\u{feff}'
            | '\u{ffa0}'
            | '\u{fff0}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e0fff}'
    )
}

#[cfg(test)]
mod tests;
