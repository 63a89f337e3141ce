//! What our commits say about themselves, in Git's trailer form; pure.
//!
//! Invariant: a message carries our trailers only if its last paragraph is exactly these five lines in this order. Lines that look like
//! them in another paragraph are text, and an extra line in the last paragraph (a sign-off, a second scope) means that somebody else wrote
//! it.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;

use crate::model::{Digest, ObjectId};

/// The five trailers of our commits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trailers {
    /// The scope in its text form. One line of printable characters; what it means is the reader's business.
    pub scope: String,
    /// The digest of the proposal's edits.
    pub plan: Digest,
    /// The base commit: the commit's only parent.
    pub base: ObjectId,
    /// The commit's tree. An amend that keeps the message but not the content no longer matches it.
    pub tree: ObjectId,
    /// When the facts behind the commit were captured, to the second; also the commit's author and committer time.
    pub observed_at: Timestamp,
}

/// Why a message does not carry our trailers.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TrailerError {
    /// The last paragraph is something else.
    #[error("the last paragraph of its message is not ours")]
    Absent,
    /// A trailer's value is not what it has to be.
    #[error("its trailer {key} is {found:?}")]
    Invalid {
        /// The trailer's key.
        key: &'static str,
        /// Its value, shortened.
        found: String,
    },
}

const KEYS: [&str; 5] = [
    "Fleetscale-Scope",
    "Fleetscale-Plan",
    "Fleetscale-Base",
    "Fleetscale-Tree",
    "Fleetscale-Observed-At",
];

impl Trailers {
    /// Reads the trailers of a commit message.
    pub fn parse(message: &str) -> Result<Self, TrailerError> {
        let text = message.strip_suffix('\n').ok_or(TrailerError::Absent)?;
        let (_, last) = text.rsplit_once("\n\n").ok_or(TrailerError::Absent)?;
        let lines: Vec<&str> = last.split('\n').collect();
        let [scope, plan, base, tree, observed_at] = lines.as_slice() else {
            return Err(TrailerError::Absent);
        };
        let [scope_key, plan_key, base_key, tree_key, observed_at_key] = KEYS;
        let scope = value(scope, scope_key)?;
        if scope.is_empty() || scope.chars().any(char::is_control) {
            return Err(invalid(scope_key, scope));
        }
        Ok(Self {
            scope: scope.to_owned(),
            plan: parsed(plan, plan_key)?,
            base: parsed(base, base_key)?,
            tree: parsed(tree, tree_key)?,
            observed_at: parsed(observed_at, observed_at_key)?,
        })
    }
}

fn value<'a>(line: &'a str, key: &'static str) -> Result<&'a str, TrailerError> {
    line.strip_prefix(key)
        .and_then(|rest| rest.strip_prefix(": "))
        .ok_or(TrailerError::Absent)
}

fn parsed<T: FromStr>(line: &str, key: &'static str) -> Result<T, TrailerError> {
    let text = value(line, key)?;
    text.parse().map_err(|_| invalid(key, text))
}

fn invalid(key: &'static str, found: &str) -> TrailerError {
    TrailerError::Invalid {
        key,
        found: found.chars().take(80).collect(),
    }
}

/// The last paragraph of a message, without the blank line before it, each line ended.
impl fmt::Display for Trailers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            scope,
            plan,
            base,
            tree,
            observed_at,
        } = self;
        let values: [&dyn fmt::Display; 5] = [scope, plan, base, tree, observed_at];
        KEYS.iter()
            .zip(values)
            .try_for_each(|(key, value)| writeln!(f, "{key}: {value}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example() -> Trailers {
        Trailers {
            scope: "eu-1/blue/up".to_owned(),
            plan: Digest::of_bytes(b"plan"),
            base: "1".repeat(40).parse().unwrap(),
            tree: "2".repeat(40).parse().unwrap(),
            observed_at: "2026-03-01T12:00:00Z".parse().unwrap(),
        }
    }

    #[test]
    fn trailers_read_back_as_they_were_written() {
        assert_eq!(
            Trailers::parse(&format!("subject\n\nbody\n\n{}", example())),
            Ok(example())
        );
    }

    #[test]
    fn trailers_elsewhere_than_in_the_last_paragraph_are_text() {
        let ours = example();
        for message in [
            String::new(),
            "subject\n".to_owned(),
            ours.to_string(),
            format!("subject\n\n{ours}\nReviewed and changed by hand\n"),
            format!("subject\n\n{ours}Signed-off-by: A Human <a@example.com>\n"),
            format!("subject\n\nSigned-off-by: A Human <a@example.com>\n{ours}"),
            format!("subject\n\n{ours}\n"),
            format!("subject\n\n{}", ours.to_string().trim_end()),
        ] {
            assert_eq!(Trailers::parse(&message), Err(TrailerError::Absent), "{message:?}");
        }
    }

    #[test]
    fn the_last_paragraph_wins_over_a_forged_one_before_it() {
        let forged = Trailers {
            scope: "eu-1/green/down".to_owned(),
            ..example()
        };
        let message = format!("subject\n\n{forged}\n{}", example());
        assert_eq!(Trailers::parse(&message), Ok(example()));
    }

    #[test]
    fn a_damaged_value_is_named() {
        let message = format!("subject\n\n{}", example()).replace("2026-03-01", "yesterday ");
        let key = "Fleetscale-Observed-At";
        let found = "yesterday T12:00:00Z".to_owned();
        assert_eq!(Trailers::parse(&message), Err(TrailerError::Invalid { key, found }));
        let windows = format!("subject\n\n{}", example().to_string().replace('\n', "\r\n"));
        assert!(matches!(Trailers::parse(&windows), Err(TrailerError::Invalid { .. })));
    }
}
