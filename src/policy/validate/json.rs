//! A document's content as JSON, for the schema: plain values only.
//!
//! What a policy says must not depend on who reads it. Aliases, tags, merge keys and keys that stand twice are refused. A scalar without
//! quotes is a number only if every YAML reader agrees: `010` is eight for some, `1_000` a thousand, so they stay text and are refused where
//! a number is expected. The same goes for `yes` and `on`.

use serde_json::{Map, Number, Value};

use super::check::{Check, join};
use crate::yaml::{DuplicateKey, Kind, Node, ScalarStyle};

pub(super) fn of(check: &mut Check<'_>) -> Value {
    let root = check.root();
    for DuplicateKey { key, first, second } in root.duplicate_keys() {
        check.error_at_position(
            second,
            "",
            format!("the key {key:?} stands in this mapping already, on line {}", first.line),
            "keep one of the two: readers disagree about which one counts",
        );
    }
    value(check, root, "")
}

fn value(check: &mut Check<'_>, node: Node<'_>, at: &str) -> Value {
    if node.has_tag() {
        check.error(at, "a tag has no meaning in a policy", "remove it");
    }
    match node.kind() {
        Kind::Alias => {
            check.error(
                at,
                "an alias is not allowed in a policy",
                "write the value out: who reads a review should see it",
            );
            check.mark_broken(at);
            Value::Null
        }
        Kind::Sequence { .. } => node
            .items()
            .enumerate()
            .map(|(index, item)| value(check, item, &format!("{at}/{index}")))
            .collect(),
        Kind::Mapping { flow: true } if node.source().starts_with("{{") => {
            check.error(
                at,
                "is a template",
                "policies are plain YAML and not rendered: write the value",
            );
            check.mark_broken(at);
            Value::Null
        }
        Kind::Mapping { .. } => {
            let mut map = Map::new();
            let mut entries: Vec<_> = node
                .entries()
                .filter_map(|entry| Some((entry.key_text()?, entry)))
                .collect();
            if entries.len() < node.entries().count() {
                check.error(at, "a key is not text", "");
            }
            entries.sort_by_key(|(key, _)| *key);
            for (key, entry) in entries {
                let at = join(at, key);
                if key == "<<" {
                    check.error_at_key(&at, "a merge key is not allowed in a policy", "write the values out");
                    continue;
                }
                map.insert(key.to_owned(), value(check, entry.value, &at));
            }
            Value::Object(map)
        }
        Kind::Scalar { .. } if node.is_null() => Value::Null,
        Kind::Scalar {
            text,
            style: ScalarStyle::Plain,
        } => scalar(text),
        Kind::Scalar { text, .. } => Value::String(text.to_owned()),
    }
}

fn scalar(text: &str) -> Value {
    match text {
        "true" | "True" | "TRUE" => Value::Bool(true),
        "false" | "False" | "FALSE" => Value::Bool(false),
        _ => whole(text).map_or_else(|| Value::String(text.to_owned()), Value::Number),
    }
}

/// A whole number that every reader takes for the same.
fn whole(text: &str) -> Option<Number> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let plain =
        !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()) && (digits == "0" || !digits.starts_with('0'));
    plain.then(|| text.parse::<i64>().ok()).flatten().map(Number::from)
}

/// What a value is, for people.
pub(super) fn describe(node: Node<'_>) -> String {
    match node.kind() {
        Kind::Mapping { .. } => "a mapping".to_owned(),
        Kind::Sequence { .. } => "a list".to_owned(),
        Kind::Alias => "an alias".to_owned(),
        Kind::Scalar { .. } if node.is_null() => "nothing".to_owned(),
        Kind::Scalar { text, style } => {
            let shown: String = text.chars().take(40).collect();
            match (style, scalar(text)) {
                (ScalarStyle::Plain, Value::Number(_)) => format!("the number {shown}"),
                (ScalarStyle::Plain, Value::Bool(_)) => format!("the truth value {shown}"),
                _ => format!("the text {shown:?}"),
            }
        }
    }
}
