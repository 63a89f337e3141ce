//! How a value is spelled so that every reader takes it for what it is.
//!
//! YAML's readers disagree about plain text: `on` is a boolean to some, `1_000` a number, `12:30` a count of seconds. What is written here
//! without quotes is text or an integer to all of them; everything else gets quotes or is refused.

use crate::model::Scalar;
use crate::yaml::ScalarStyle;

use super::problem::Problem;

/// The most digits of an integer that is read or written: nine fit 32 bits, which is what Kubernetes counts with.
const MOST_DIGITS: usize = 9;

/// Words that some reader takes for a boolean, a null or a number, in lower case (YAML 1.1's core types and YAML 1.2's core schema).
const WORDS: [&str; 12] = [
    "", "y", "yes", "n", "no", "on", "off", "true", "false", "null", "nan", "inf",
];

/// Whether a text is an integer to every reader: decimal, no sign, no leading zero.
pub(super) fn is_integer(text: &str) -> bool {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    digits && (1..=MOST_DIGITS).contains(&text.len()) && (text == "0" || !text.starts_with('0'))
}

/// Whether a text, written plainly, is a string to every reader.
///
/// Numbers in all their spellings and dates consist of the characters named below, so one character more makes a string of a text that
/// begins with a digit, a sign or a dot.
pub(super) fn is_string(text: &str) -> bool {
    const NUMERIC: &str = "0123456789abcdefxot_.:+- ";
    let lower = text.to_ascii_lowercase();
    let numeric_start = text.starts_with(|c: char| c.is_ascii_digit() || "+-.".contains(c));
    let word_start = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/' || c == '_');
    if numeric_start {
        // `--x` is no number, `.inf` and `.nan` are.
        let special = matches!(lower.trim_start_matches(['+', '-']), ".inf" | ".nan");
        return !special && (text.starts_with("--") || lower.chars().any(|c| !NUMERIC.contains(c) && c != 'z'));
    }
    word_start && !WORDS.contains(&lower.as_str())
}

/// Whether a text can stand without quotes and is then a string to every reader.
pub(super) fn is_plain_string(text: &str, in_flow: bool) -> bool {
    let bytes = text.as_bytes();
    let fine = |(index, byte): (usize, &u8)| match byte {
        b'.' | b'_' | b'/' | b'=' | b'-' | b'+' => true,
        b'%' | b'@' => index > 0,
        // A colon ends a key unless something follows it; a flow collection is stricter still.
        b':' => !in_flow && index > 0 && bytes.get(index + 1).is_some_and(u8::is_ascii_alphanumeric),
        b',' => !in_flow && index > 0,
        other => other.is_ascii_alphanumeric(),
    };
    is_string(text) && bytes.iter().enumerate().all(fine) && !text.starts_with("---")
}

/// Whether a text may be written at all: no line breaks, nothing invisible, and nothing that Helm or Flux would fill in.
fn is_writable(text: &str) -> bool {
    let visible = |c: char| {
        !c.is_control()
            && !matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    text.chars().all(visible) && !is_template(text)
}

/// Whether something else fills the text in before Kubernetes sees it.
pub(super) fn is_template(text: &str) -> bool {
    text.contains("{{") || text.contains("${")
}

/// Spells a text in a style; nothing if it would not be that text, or not a string, in that style.
pub(super) fn spell(text: &str, style: ScalarStyle, in_flow: bool) -> Option<String> {
    if !is_writable(text) {
        return None;
    }
    match style {
        ScalarStyle::Plain => is_plain_string(text, in_flow).then(|| text.to_owned()),
        ScalarStyle::SingleQuoted => Some(format!("'{}'", text.replace('\'', "''"))),
        ScalarStyle::DoubleQuoted => Some(format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))),
        ScalarStyle::Literal | ScalarStyle::Folded => None,
    }
}

/// Spells a text like the ones beside it, or in double quotes where it can't be plain.
pub(super) fn spell_like(text: &str, neighbour: ScalarStyle, in_flow: bool) -> Result<String, Problem> {
    let styles = match neighbour {
        ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted => [neighbour, ScalarStyle::DoubleQuoted],
        ScalarStyle::Plain | ScalarStyle::Literal | ScalarStyle::Folded => {
            [ScalarStyle::Plain, ScalarStyle::DoubleQuoted]
        }
    };
    let spelled = styles.iter().find_map(|style| spell(text, *style, in_flow));
    spelled.ok_or_else(|| Problem::Unwritable { text: text.to_owned() })
}

/// Spells an integer, which has one spelling.
pub(super) fn spell_integer(number: i64) -> Result<String, Problem> {
    let text = number.to_string();
    if is_integer(&text) {
        return Ok(text);
    }
    Err(Problem::Unwritable { text })
}

/// Spells a new value beside others.
pub(super) fn spell_new(value: &Scalar, neighbour: ScalarStyle, in_flow: bool) -> Result<String, Problem> {
    match value {
        Scalar::Integer(number) => spell_integer(*number),
        Scalar::Decimal(number) => Ok(number.to_string()),
        Scalar::Text(text) => spell_like(text, neighbour, in_flow),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_integer_has_one_spelling() {
        for good in ["0", "1", "10", "999999999"] {
            assert!(is_integer(good), "{good}");
        }
        for bad in [
            "",
            "00",
            "01",
            "-1",
            "+1",
            "1.0",
            "1e3",
            "0x1",
            "1_0",
            "1000000000",
            "three",
            " 1",
            "１",
        ] {
            assert!(!is_integer(bad), "{bad}");
        }
    }

    #[test]
    fn plain_text_is_a_string_to_every_reader_or_gets_quotes() {
        for good in [
            "shard-a",
            "--kube-api-qps=20",
            "--feature-gates=A=true,B=false",
            "a.yaml",
            "../base",
            "./a",
            "20m",
            "512Mi",
            "1.5Gi",
            "registry.local:5000/x",
            "e3",
            "/etc/x",
            "_x",
            "--v=2",
            "a:b",
        ] {
            assert_eq!(spell_like(good, ScalarStyle::Plain, false).unwrap(), good);
        }
        for odd in [
            "",
            "~",
            "null",
            "Null",
            "true",
            "YES",
            "no",
            "On",
            "y",
            "N",
            "0",
            "12",
            "1_000",
            "0x1F",
            "0o17",
            "0b1",
            "1e3",
            "1.5",
            ".5",
            "-1",
            "+1",
            "12:30:45",
            "2024-01-01",
            "2024-01-01T00:00:00Z",
            ".inf",
            "-.inf",
            ".NaN",
            "NaN",
            "<<",
            "=",
            "-",
            "---",
            "--- a",
            "- a",
            "a: b",
            "a:",
            "a #b",
            " a",
            "a ",
            "é",
            "*a",
            "&a",
            "!a",
            "%a",
            "@a",
            "`a",
            "|",
            ">",
            "?",
            "{a",
            "[a",
            "a b",
            "a\\b",
            "'a'",
            "\"a\"",
            "#a",
            ",a",
        ] {
            let spelled = spell_like(odd, ScalarStyle::Plain, false).unwrap();
            assert!(spelled.starts_with('"'), "{odd:?} became {spelled}");
        }
        assert_eq!(spell_like("a,b", ScalarStyle::Plain, true).unwrap(), "\"a,b\"");
        assert_eq!(spell_like("a:b", ScalarStyle::Plain, true).unwrap(), "\"a:b\"");
    }

    #[test]
    fn quotes_follow_the_neighbour() {
        assert_eq!(spell_like("it's", ScalarStyle::SingleQuoted, false).unwrap(), "'it''s'");
        assert_eq!(
            spell_like("a\"\\", ScalarStyle::DoubleQuoted, true).unwrap(),
            "\"a\\\"\\\\\""
        );
        assert_eq!(
            spell_new(&Scalar::Integer(5), ScalarStyle::DoubleQuoted, true).unwrap(),
            "5"
        );
    }

    #[test]
    fn what_would_not_be_read_as_written_is_refused() {
        for bad in [
            "a\nb",
            "a\tb",
            "\u{7f}",
            "{{ .x }}",
            "${x}",
            "\u{85}",
            "\u{2028}",
            "\u{feff}a",
            "\u{202e}a",
        ] {
            assert!(spell_like(bad, ScalarStyle::DoubleQuoted, false).is_err(), "{bad:?}");
        }
        assert!(spell_integer(-1).is_err());
        assert!(spell_integer(1_000_000_000).is_err());
    }
}
