//! The structure of a manifest against its kind's JSON Schema, in words for people.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use jsonschema::error::{TypeKind, ValidationErrorKind};
use jsonschema::{ValidationError, Validator};
use serde_json::Value;

use super::check::{Check, join};
use super::json::describe;
use super::suggest;
use crate::policy::schema::schema_value;
use crate::policy::v1alpha1::Kind;
use crate::policy::{InvalidPercent, Percent};

/// A kind's schema, ready to use.
struct Known {
    schema: Value,
    validator: Option<Validator>,
}

static SCHEMAS: LazyLock<BTreeMap<Kind, Known>> = LazyLock::new(|| {
    let known = |kind| {
        let schema = schema_value(kind);
        let validator = jsonschema::validator_for(&schema).ok();
        debug_assert!(validator.is_some(), "the schema of {kind} is one");
        (kind, Known { schema, validator })
    };
    Kind::ALL.into_iter().map(known).collect()
});

/// Reports what does not fit the schema, and cuts it out of the content.
///
/// What only breaks a pattern stays: reading the value says better what is wrong with it. The pattern is reported in the end if it didn't.
pub(super) fn check(check: &mut Check<'_>, kind: Kind, content: &mut Value) {
    let Some(Known {
        schema,
        validator: Some(validator),
    }) = SCHEMAS.get(&kind)
    else {
        check.error("", format!("there is no schema for {kind}"), "");
        return;
    };
    let mut cuts = Vec::new();
    for error in validator.iter_errors(content) {
        report(check, schema, &error, &mut cuts);
    }
    for cut in cuts {
        cut_out(check, content, &cut);
    }
}

fn report(check: &mut Check<'_>, schema: &Value, error: &ValidationError<'_>, cuts: &mut Vec<String>) {
    let at = error.instance_path().as_str().to_owned();
    // The schema of the value: what stands around the keyword that failed.
    let keyword = error.schema_path().as_str().to_owned();
    if check.is_broken(&at) {
        // An earlier gate has said what is wrong.
        cuts.push(at);
        return;
    }
    let around = keyword
        .rsplit_once('/')
        .and_then(|(above, _)| schema.pointer(above))
        .unwrap_or(&Value::Null);
    match error.kind() {
        ValidationErrorKind::AdditionalProperties { unexpected } => {
            let known = around.get("properties").and_then(Value::as_object);
            for key in unexpected {
                let at = join(&at, key);
                let hint = known.map_or_else(String::new, |known| {
                    suggest::among(key, known.keys().map(String::as_str))
                });
                check.error_at_key(&at, "unknown field", hint);
                cuts.push(at);
            }
        }
        ValidationErrorKind::Required { property } => {
            let name = property.as_str().unwrap_or_default();
            let words = around
                .pointer(&format!("/properties/{name}/description"))
                .and_then(Value::as_str)
                .unwrap_or_default();
            check.error_at_key(&join(&at, name), "is required", first_sentence(words));
        }
        ValidationErrorKind::Type { kind } => {
            let found = found(check, &at);
            if found == "nothing" {
                let optional = around.get("properties").is_some() && around.get("required").is_none();
                let hint = if optional {
                    "write `{}` for the defaults, or remove the key"
                } else {
                    "give it one, or remove the key"
                };
                check.error_at_key(&at, format!("has no value; expected {}", expected(kind)), hint);
            } else {
                let hint = hint_for_type(check, &at, kind, around);
                check.error(&at, format!("expected {}, found {found}", expected(kind)), hint);
            }
            cuts.push(at);
        }
        ValidationErrorKind::OneOfNotValid { .. }
        | ValidationErrorKind::Enum { .. }
        | ValidationErrorKind::Constant { .. } => {
            let options = options(around);
            let found = found(check, &at);
            let word = error.instance().as_str();
            let hint = word
                .and_then(|word| suggest::meant(word, options.iter().map(String::as_str)))
                .unwrap_or_default();
            let options = suggest::list(options.iter().map(String::as_str));
            check.error(&at, format!("expected one of {options}, found {found}"), hint);
            cuts.push(at);
        }
        ValidationErrorKind::Minimum { limit } | ValidationErrorKind::Maximum { limit } => {
            let found = found(check, &at);
            let bound = |key| around.get(key).and_then(Value::as_i64);
            let range = match (bound("minimum"), bound("maximum")) {
                (Some(least), Some(most)) => format!("from {least} to {most}"),
                (Some(least), None) => format!("at least {least}"),
                (None, Some(most)) => format!("at most {most}"),
                (None, None) => "within its range".to_owned(),
            };
            check.error(
                &at,
                format!("must be {range}, found {found}"),
                sentence_with(words_of(around), &limit.to_string()),
            );
            cuts.push(at);
        }
        ValidationErrorKind::MinItems { .. } => {
            check.error(&at, "must not be empty", first_sentence(words_of(around)));
            cuts.push(at);
        }
        ValidationErrorKind::Pattern { .. } => {
            let found = found(check, &at);
            check.later(
                &at,
                format!("{found} has another form than expected"),
                first_sentence(words_of(around)),
            );
        }
        _ => {
            check.error(&at, error.to_string(), "");
            cuts.push(at);
        }
    }
}

fn found(check: &Check<'_>, at: &str) -> String {
    check.node(at).map_or_else(|| "nothing".to_owned(), describe)
}

fn words_of(schema: &Value) -> &str {
    schema.get("description").and_then(Value::as_str).unwrap_or_default()
}

fn first_sentence(words: &str) -> String {
    let end = words
        .find(". ")
        .or_else(|| words.find("\n"))
        .map_or(words.len(), |at| at + 1);
    words[..end].trim_end().to_owned()
}

/// The sentence that gives the reason of a limit; nothing if the words don't mention the number.
fn sentence_with(words: &str, number: &str) -> String {
    let sentences = words.split_inclusive(". ");
    let mentions = |sentence: &&str| {
        sentence
            .split(|c: char| !c.is_ascii_digit())
            .any(|digits| digits == number)
    };
    sentences
        .filter(|sentence| !sentence.starts_with("Default"))
        .find(mentions)
        .unwrap_or_default()
        .trim()
        .to_owned()
}

fn expected(kind: &TypeKind) -> String {
    let word = |name: &str| match name {
        "string" => "text",
        "integer" => "a whole number",
        "number" => "a number",
        "boolean" => "true or false",
        "object" => "a mapping",
        "array" => "a list",
        _ => "something else",
    };
    match kind {
        TypeKind::Single(one) => word(&one.to_string()).to_owned(),
        TypeKind::Multiple(_) => "something else".to_owned(),
    }
}

/// The way out of the mistakes that everybody makes.
fn hint_for_type(check: &Check<'_>, at: &str, kind: &TypeKind, schema: &Value) -> String {
    let text = check
        .node(at)
        .and_then(|node| node.text())
        .unwrap_or_default()
        .to_owned();
    let plain = check
        .node(at)
        .is_some_and(|node| !node.is_mapping() && !node.is_sequence());
    match expected(kind).as_str() {
        "text" if plain => {
            let pattern = schema.get("pattern").and_then(Value::as_str).unwrap_or_default();
            match text.parse::<Percent>() {
                Err(InvalidPercent { why, .. }) if pattern.ends_with("%$") => why,
                _ if pattern.contains("[0-9]+d") => format!("a duration has a unit: `{text}m` or `{text}h`"),
                _ => format!("put it in quotes: `\"{text}\"`"),
            }
        }
        "a whole number" if plain => {
            let quoted = check
                .node(at)
                .is_some_and(|node| node.source().starts_with(['"', '\'']));
            let number = text.parse::<i64>().is_ok();
            if quoted && number {
                format!("remove the quotes: `{text}`")
            } else if number {
                format!("readers disagree about `{text}`: write it without leading zeros or signs")
            } else {
                String::new()
            }
        }
        "true or false" if matches!(text.as_str(), "yes" | "on" | "y" | "Yes" | "On") => "write `true`".to_owned(),
        "true or false" if matches!(text.as_str(), "no" | "off" | "n" | "No" | "Off") => "write `false`".to_owned(),
        "a list" if plain => format!("write a list, also for one: `[{text}]`"),
        _ => String::new(),
    }
}

/// The words that a `oneOf` of constants, an `enum` or a `const` allows.
fn options(schema: &Value) -> Vec<String> {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let list = |key| schema.get(key).and_then(Value::as_array).into_iter().flatten();
    let constants = list("oneOf").filter_map(|option| option.get("const").and_then(text));
    let listed = list("enum").filter_map(text);
    constants
        .chain(listed)
        .chain(schema.get("const").and_then(text))
        .collect()
}

/// Removes a value, or the list that it is an item of: the other items keep their places so.
fn cut_out(check: &mut Check<'_>, content: &mut Value, at: &str) {
    let mut at = at;
    while let Some((above, key)) = at.rsplit_once('/') {
        match content.pointer_mut(above) {
            Some(Value::Object(map)) => {
                map.remove(&key.replace("~1", "/").replace("~0", "~"));
                check.mark_broken(at);
                return;
            }
            _ => at = above,
        }
    }
    // The document itself is no mapping.
    *content = Value::Object(serde_json::Map::new());
    check.mark_broken("");
}
