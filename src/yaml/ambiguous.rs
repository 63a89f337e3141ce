//! Characters that mean one thing to YAML 1.2 and another to libyaml, which Kubernetes' tools follow.

/// Where something stands that the two read differently; nothing where there is none. Anything that looks so counts, in a text or comment,
/// too.
pub fn ambiguous(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    anchor(bytes).or_else(|| question(bytes))
}

/// An anchor or alias whose name runs into `:`, `?`, `%`, `@` or a backtick.
///
/// To YAML 1.2 these are parts of the name. libyaml takes letters, digits, `-` and `_` for it and goes on from there, so that `&a: b` is an
/// anchor to one and an anchored key to the other.
fn anchor(bytes: &[u8]) -> Option<usize> {
    let begins = |at: usize| {
        let before = at.checked_sub(1).map(|before| bytes[before]);
        before.is_none_or(|before| b" \t\r\n,[{".contains(&before))
    };
    memchr::memchr2_iter(b'&', b'*', bytes)
        .filter(|at| begins(*at))
        .find(|at| {
            let name = &bytes[at + 1..];
            let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_".contains(byte);
            let length = name.iter().take_while(|byte| is_name(byte)).count();
            length > 0 && name.get(length).is_some_and(|next| b":?%@`".contains(next))
        })
}

/// A question mark that begins an entry of a flow collection and a word at once.
///
/// To YAML 1.2 `{?a: 1}` has the key `?a`. libyaml takes the mark for that of a key which follows, and `a: 1` for that key.
fn question(bytes: &[u8]) -> Option<usize> {
    let is_blank = |byte: &u8| byte.is_ascii_whitespace();
    memchr::memchr_iter(b'?', bytes).find(|at| {
        let before = bytes[..*at].trim_ascii_end();
        let begins_entry = match before.split_last() {
            Some((b',', _)) => true,
            // A bracket behind a letter is a part of a word: a JMESPath.
            Some((b'[' | b'{', outer)) => outer.last().is_none_or(|last| is_blank(last) || b",[{:".contains(last)),
            _ => false,
        };
        begins_entry && bytes.get(at + 1).is_some_and(|next| !is_blank(next))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_some_read_differently_is_found() {
        for (text, found) in [
            ("a: &b c\n", None),
            ("a: *b\n", None),
            ("*b : c\n", None),
            ("- &a-1_b x\n", None),
            ("a: x&b: c\n", None),
            ("a: \"*.b:443\"\n", None),
            ("listen *:80;\n", None),
            ("&a: b\n", Some(0)),
            ("a:\n  &b: c\n", Some(5)),
            ("{*a: b}\n", Some(1)),
            ("[&a?b]\n", Some(1)),
            ("{?a: b}\n", Some(1)),
            ("a: {b: c, ?d: e}\n", Some(10)),
            ("a: [\n  ?b]\n", Some(7)),
            ("{? a : b}\n", None),
            ("? a\n: b\n", None),
            ("?a: b\n", None),
            ("a: items[?x]\n", None),
            ("a: why?\n", None),
        ] {
            assert_eq!(ambiguous(text), found, "{text:?}");
        }
    }
}
