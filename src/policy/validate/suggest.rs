//! "Did you mean": the nearest of the known words.

/// A hint for a word that is not among the known ones: the nearest, or all of them.
pub(super) fn among<'a>(word: &str, known: impl Iterator<Item = &'a str> + Clone) -> String {
    meant(word, known.clone()).unwrap_or_else(|| match known.clone().next() {
        Some(_) => format!("known are {}", list(known)),
        None => String::new(),
    })
}

/// A question for the words that may have been meant.
pub(crate) fn meant<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> Option<String> {
    let near = nearest(word, known);
    (!near.is_empty()).then(|| format!("did you mean {}?", list(near.into_iter()).replace(", ", " or ")))
}

/// The nearest words, if they are near enough to be meant; several if equally near.
fn nearest<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let lower = word.to_ascii_lowercase();
    let mut near: Vec<(usize, &str)> = known
        .map(|candidate| (distance(&lower, &candidate.to_ascii_lowercase()), candidate))
        .filter(|(distance, candidate)| *distance <= 1 + candidate.len().min(word.len()) / 4)
        .collect();
    near.sort_unstable();
    let least = near.first().map(|(least, _)| *least);
    near.into_iter()
        .take_while(|(distance, _)| Some(*distance) == least)
        .map(|(_, word)| word)
        .take(3)
        .collect()
}

/// Words for a sentence.
pub(super) fn list<'a>(words: impl Iterator<Item = &'a str>) -> String {
    let words: Vec<String> = words.map(|word| format!("`{word}`")).collect();
    words.join(", ")
}

/// How many letters have to be changed, added, dropped or swapped with their neighbour (optimal string alignment).
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().take(64).collect(), b.chars().take(64).collect());
    let mut rows = vec![vec![0; b.len() + 1]; a.len() + 1];
    for i in 0..=a.len() {
        for j in 0..=b.len() {
            rows[i][j] = match (i, j) {
                (0, _) => j,
                (_, 0) => i,
                _ => {
                    let change = rows[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
                    let mut least = change.min(rows[i - 1][j] + 1).min(rows[i][j - 1] + 1);
                    if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                        least = least.min(rows[i - 2][j - 2] + 1);
                    }
                    least
                }
            };
        }
    }
    rows[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_finds_the_word_that_was_meant() {
        let known = ["bounds", "scaleUp", "scaleDown", "selector", "maxAge", "mode"];
        for (word, meant) in [
            ("bound", vec!["bounds"]),
            ("scaledown", vec!["scaleDown"]),
            ("scaelUp", vec!["scaleUp"]),
            ("max_age", vec!["maxAge"]),
            ("modes", vec!["mode"]),
            ("replicas", vec![]),
            ("", vec![]),
        ] {
            assert_eq!(nearest(word, known.into_iter()), meant, "{word}");
        }
        assert_eq!(among("xyzzy", ["a", "b"].into_iter()), "known are `a`, `b`");
        assert_eq!(
            among("capn", ["capi", "capx", "bmo"].into_iter()),
            "did you mean `capi` or `capx`?"
        );
    }
}
