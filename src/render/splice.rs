//! The one way in which a text changes: named bytes give way to others.

use std::ops::Range;

/// Bytes of a text and what takes their place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Splice {
    /// The bytes that go; empty for an insertion.
    pub(super) range: Range<usize>,
    /// The text that comes.
    pub(super) text: String,
}

impl Splice {
    pub(super) fn insertion(at: usize, text: String) -> Self {
        Self { range: at..at, text }
    }

    /// The same change of a text without the bytes at both ends that stay.
    pub(super) fn least(&self, text: &str) -> Self {
        let Self { range, text: new } = self;
        let old = text.get(range.clone()).unwrap_or_default();
        let same = |pairs: &mut dyn Iterator<Item = (char, char)>| -> usize {
            pairs.take_while(|(a, b)| a == b).map(|(a, _)| a.len_utf8()).sum()
        };
        let before = same(&mut old.chars().zip(new.chars()));
        let (old, new) = (&old[before..], &new[before..]);
        let after = same(&mut old.chars().rev().zip(new.chars().rev()));
        Self {
            range: range.start + before..range.end - after,
            text: new[..new.len() - after].to_owned(),
        }
    }
}

/// Applies splices together; nothing if two of them want the same bytes.
///
/// Insertions at one place come in the order given.
pub(super) fn apply(text: &str, splices: &[&Splice]) -> Option<String> {
    let mut ordered = splices.to_vec();
    ordered.sort_by_key(|splice| (splice.range.start, splice.range.end));
    let growth: usize = ordered.iter().map(|splice| splice.text.len()).sum();
    let mut out = String::with_capacity(text.len() + growth);
    let mut copied = 0;
    for splice in ordered {
        // A range that begins before the end of the one before it has no bytes left to copy.
        out.push_str(text.get(copied..splice.range.start)?);
        out.push_str(&splice.text);
        copied = splice.range.end;
    }
    out.push_str(text.get(copied..)?);
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn splice(range: Range<usize>, text: &str) -> Splice {
        Splice {
            range,
            text: text.to_owned(),
        }
    }

    #[test]
    fn splices_are_applied_by_place_and_ties_by_order() {
        let (a, b, c) = (splice(4..5, "XY"), splice(0..1, ""), splice(5..5, "!"));
        assert_eq!(apply("abcdefg", &[&a, &b, &c]).unwrap(), "bcdXY!fg");
        let (d, e) = (splice(7..7, "1"), splice(7..7, "2"));
        assert_eq!(apply("abcdefg", &[&d, &e]).unwrap(), "abcdefg12");
        assert_eq!(apply("abcdefg", &[&e, &d]).unwrap(), "abcdefg21");
    }

    #[test]
    fn the_least_change_leaves_both_ends() {
        for (range, new, want) in [
            (2..8, "\"a=15\"", splice(5..7, "15")),
            (2..8, "\"a=20\"", splice(7..7, "")),
            (0..0, "xy", splice(0..0, "xy")),
        ] {
            let whole = "- \"a=20\"";
            let least = splice(range, new).least(whole);
            if new.contains("20") {
                assert_eq!(apply(whole, &[&least]).unwrap(), whole);
            } else {
                assert_eq!(least, want);
            }
        }
    }

    #[test]
    fn splices_that_overlap_are_not_applied() {
        let (a, b, c) = (splice(1..4, "x"), splice(3..5, "y"), splice(2..2, "z"));
        assert_eq!(apply("abcdefg", &[&a, &b]), None);
        assert_eq!(apply("abcdefg", &[&a, &c]), None);
        assert_eq!(apply("abcdefg", &[&a, &a]), None);
        assert_eq!(apply("abc", &[&splice(2..9, "x")]), None);
    }
}
