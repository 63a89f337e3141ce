//! Anchors whose names end in one place for some readers and in another for others.

/// Where an anchor or alias stands whose name runs into `:`, `?`, `%`, `@` or a backtick; nothing where there is none.
///
/// To YAML 1.2 these are parts of the name. libyaml, which Kubernetes' tools follow, takes letters, digits, `-` and `_` for it and goes on from
/// there, so that `&a: b` is an anchor to one and an anchored key to the other. Anything that looks so counts, in a text or comment, too.
pub fn ambiguous_anchor(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_ends_elsewhere_for_some_is_found() {
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
        ] {
            assert_eq!(ambiguous_anchor(text), found, "{text:?}");
        }
    }
}
