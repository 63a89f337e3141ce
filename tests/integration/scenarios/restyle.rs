//! Writes YAML anew in a style that chance chooses: indentation, comments, quotes, flow, order of keys, line breaks.
//!
//! Two texts whose values differ in nothing but a number or a word come out in one style for one seed, because no choice depends on a
//! value's letters. So the expected bytes of an edit are made without the editor.

use std::fmt::Write as _;

use proptest::prelude::Rng as _;
use proptest::test_runner::{RngAlgorithm, TestRng};
use serde::Deserialize as _;
use serde_yaml::Value;

use crate::scenario::{Files, Scenario};

/// The choices of one seed.
struct Dice(TestRng);

impl Dice {
    fn of(seed: u64, path: &str) -> Self {
        let mut bytes = [0_u8; 32];
        bytes[..8].copy_from_slice(&seed.to_le_bytes());
        for (index, byte) in path.bytes().enumerate() {
            bytes[8 + index % 24] = bytes[8 + index % 24].wrapping_mul(31).wrapping_add(byte);
        }
        Self(TestRng::from_seed(RngAlgorithm::ChaCha, &bytes))
    }

    fn below(&mut self, n: usize) -> usize {
        usize::try_from(self.0.next_u32()).unwrap() % n
    }

    /// Whether something happens that happens in so many of a hundred cases.
    fn percent(&mut self, n: usize) -> bool {
        self.below(100) < n
    }
}

/// The scenario with every file written anew.
pub(super) fn restyled(scenario: &Scenario, seed: u64) -> Scenario {
    let restyle = |files: &Files| {
        let each = |(path, bytes): (&String, &Option<Vec<u8>>)| {
            let bytes = bytes.as_ref().map(|bytes| file(path, bytes, seed));
            (path.clone(), bytes)
        };
        files.iter().map(each).collect()
    };
    Scenario {
        before: restyle(&scenario.before),
        expected: restyle(&scenario.expected),
        ..scenario.clone()
    }
}

/// A file in another style; one that is no YAML stays.
fn file(path: &str, bytes: &[u8], seed: u64) -> Vec<u8> {
    let text = String::from_utf8_lossy(bytes);
    let is_json = path.ends_with(".json");
    let is_yaml = is_json || path.ends_with(".yaml") || path.ends_with(".yml") || path.ends_with("Kustomization");
    let Some(documents) = is_yaml.then(|| documents(&text)).flatten() else {
        return bytes.to_vec();
    };
    let mut dice = Dice::of(seed, path);
    if is_json {
        let mut out = String::new();
        json(&documents[0], &mut dice, 0, &mut out);
        return out.into_bytes();
    }
    let mut out = String::new();
    let objects = documents
        .iter()
        .all(|document| document.get("kind").is_some_and(Value::is_string));
    let extra = objects && !path.to_lowercase().contains("kustomization") && dice.percent(30);
    if dice.percent(20) {
        out.push_str("# größe 🚀\n");
    }
    for (number, document) in documents.iter().enumerate() {
        if number > 0 || dice.percent(30) {
            out.push_str(["---\n", "--- # next\n", "---\n\n"][dice.below(3)]);
        }
        block(document, 0, &mut dice, &mut out);
        if number + 1 < documents.len() && dice.percent(10) {
            out.push_str("...\n");
        }
    }
    if extra {
        out.push_str(
            "---\napiVersion: v1\nkind: Secret\nmetadata: {name: extra, namespace: extra}\nx: &a\n  replicas: 3\n  y: [1, 2]\nz:\n  <<: *a\n  w: *a\n",
        );
    }
    if dice.percent(20) {
        out.push_str("\n# the end\n");
    }
    let mut out = match dice.below(5) {
        0 => out.replace('\n', "\r\n"),
        _ => out,
    };
    if dice.percent(20) {
        out = out.trim_end_matches(['\r', '\n']).to_owned();
    }
    if dice.percent(10) {
        out.insert(0, '\u{feff}');
    }
    out.into_bytes()
}

/// The documents of a text; nothing if it is no YAML that all readers take for the same.
fn documents(text: &str) -> Option<Vec<Value>> {
    // Anchors would be written out, and templates are no values.
    if text.contains(['&', '*', '!']) || text.contains("{{") || text.contains('\u{feff}') {
        return None;
    }
    let mut documents = Vec::new();
    for document in serde_yaml::Deserializer::from_str(text) {
        documents.push(Value::deserialize(document).ok()?);
    }
    let whole = documents
        .iter()
        .all(|document| document.is_mapping() || document.is_sequence());
    (whole && !documents.is_empty()).then_some(documents)
}

fn spaces(count: usize) -> String {
    " ".repeat(count)
}

fn comment_lines(column: usize, dice: &mut Dice, out: &mut String) {
    if dice.percent(8) {
        let _ = writeln!(out, "{}# replicas: 3", spaces(column));
    }
    if dice.percent(8) {
        out.push('\n');
    }
}

fn end_of_line(dice: &mut Dice, out: &mut String) {
    match dice.below(12) {
        0 => out.push_str(" # three: 3"),
        1 => out.push_str("   # x"),
        2 => out.push_str("  "),
        _ => {}
    }
    out.push('\n');
}

/// A value that begins on a line of its own at a column.
fn block(value: &Value, column: usize, dice: &mut Dice, out: &mut String) {
    match value {
        Value::Mapping(mapping) if !mapping.is_empty() => {
            for (index, (key, value)) in mapping.iter().enumerate() {
                if index > 0 || out.ends_with('\n') || out.is_empty() {
                    comment_lines(column, dice, out);
                    out.push_str(&spaces(column));
                }
                entry(key, value, column, dice, out);
            }
        }
        Value::Sequence(items) if !items.is_empty() => {
            for (index, item) in items.iter().enumerate() {
                if index > 0 || out.ends_with('\n') || out.is_empty() {
                    comment_lines(column, dice, out);
                    out.push_str(&spaces(column));
                }
                self::item(item, column, dice, out);
            }
        }
        value => {
            out.push_str(&flow(value, dice));
            end_of_line(dice, out);
        }
    }
}

fn entry(key: &Value, value: &Value, column: usize, dice: &mut Dice, out: &mut String) {
    let quotes = dice.below(12);
    out.push_str(&text(key.as_str().unwrap_or_default(), quotes, false));
    out.push(':');
    after_colon(value, column, dice, out);
}

fn after_colon(value: &Value, column: usize, dice: &mut Dice, out: &mut String) {
    let (gap, in_flow) = (dice.below(8), dice.percent(12));
    let step = [2, 2, 2, 4, 1, 3, 6][dice.below(7)];
    let unindented = dice.percent(50);
    let gap = spaces(if gap < 5 { 1 } else { gap - 3 });
    match value {
        Value::Mapping(mapping) if !(mapping.is_empty() || in_flow && fits_in_flow(value)) => {
            end_of_line(dice, out);
            block(value, column + step, dice, out);
        }
        Value::Sequence(items) if !(items.is_empty() || in_flow && fits_in_flow(value)) => {
            end_of_line(dice, out);
            let column = if unindented { column } else { column + step };
            block(value, column, dice, out);
        }
        Value::String(lines) if lines.contains('\n') => literal(lines, column + step, &gap, dice, out),
        value => {
            out.push_str(&gap);
            out.push_str(&flow(value, dice));
            end_of_line(dice, out);
        }
    }
}

fn item(value: &Value, column: usize, dice: &mut Dice, out: &mut String) {
    let (gap, in_flow, below) = (1 + dice.below(4) / 2, dice.percent(15), dice.percent(10));
    out.push('-');
    match value {
        Value::Mapping(mapping) if !(mapping.is_empty() || in_flow && fits_in_flow(value)) => {
            if below {
                out.push('\n');
                block(value, column + 1 + gap, dice, out);
            } else {
                out.push_str(&spaces(gap));
                block(value, column + 1 + gap, dice, out);
            }
        }
        Value::String(lines) if lines.contains('\n') => literal(lines, column + 2, &spaces(gap), dice, out),
        Value::Sequence(items) if !items.is_empty() && !fits_in_flow(value) => {
            out.push('\n');
            block(value, column + 1 + gap, dice, out);
        }
        value => {
            out.push_str(&spaces(gap));
            out.push_str(&flow(value, dice));
            end_of_line(dice, out);
        }
    }
}

/// A text of several lines as a literal block; one that is YAML itself is written anew, too.
fn literal(lines: &str, column: usize, gap: &str, dice: &mut Dice, out: &mut String) {
    let inner = match documents(lines) {
        Some(documents) if documents.len() == 1 => {
            let mut inner = String::new();
            block(&documents[0], 0, dice, &mut inner);
            inner
        }
        _ => lines.to_owned(),
    };
    let strips = dice.percent(50);
    // The text's first line must not begin with a blank, or the block would need an indentation indicator.
    let body = inner.trim_start_matches('\n').trim_end_matches('\n');
    let _ = write!(out, "{gap}{}", if strips { "|-" } else { "|" });
    end_of_line_after_header(dice, out);
    for line in body.split('\n') {
        if line.trim().is_empty() {
            out.push('\n');
        } else {
            let _ = writeln!(out, "{}{line}", spaces(column));
        }
    }
}

fn end_of_line_after_header(dice: &mut Dice, out: &mut String) {
    if dice.percent(10) {
        out.push_str(" # YAML");
    }
    out.push('\n');
}

/// Whether a value can stand in one line.
fn fits_in_flow(value: &Value) -> bool {
    match value {
        Value::String(text) => !text.contains('\n'),
        Value::Sequence(items) => items.len() < 12 && items.iter().all(fits_in_flow),
        Value::Mapping(mapping) => mapping.len() < 12 && mapping.values().all(fits_in_flow),
        _ => true,
    }
}

fn flow(value: &Value, dice: &mut Dice) -> String {
    let quotes = dice.below(12);
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(is) => is.to_string(),
        Value::Number(number) => number.to_string(),
        Value::String(lines) => text(lines, quotes, true),
        Value::Sequence(items) => {
            let items: Vec<String> = items.iter().map(|item| flow(item, dice)).collect();
            let (pad, comma) = (["", " "][dice.below(2)], [", ", ",  "][dice.below(2)]);
            if items.is_empty() {
                return "[]".to_owned();
            }
            format!("[{pad}{}{pad}]", items.join(comma))
        }
        Value::Mapping(mapping) => {
            let mut entries = Vec::new();
            for (key, value) in mapping {
                let quotes = dice.below(12);
                let key = text(key.as_str().unwrap_or_default(), quotes, true);
                entries.push(format!("{key}: {}", flow(value, dice)));
            }
            let (pad, comma) = (["", " "][dice.below(2)], [", ", ",  "][dice.below(2)]);
            if entries.is_empty() {
                return "{}".to_owned();
            }
            format!("{{{pad}{}{pad}}}", entries.join(comma))
        }
        Value::Tagged(_) => unreachable!("tags are left out"),
    }
}

/// A text of one line: plain where every reader takes it for a text, else in quotes.
fn text(text: &str, quotes: usize, in_flow: bool) -> String {
    let safe = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '/' | '=');
    let begins =
        text.starts_with("--") && text.len() > 2 || text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/');
    let words = ["true", "false", "null", "yes", "no", "on", "off", "y", "n"];
    let plain = begins && text.chars().all(safe) && !words.contains(&text.to_lowercase().as_str());
    let single = !text.contains('\'') || !text.contains(['"', '\\']);
    let _ = in_flow;
    match quotes {
        0 if single => format!("'{}'", text.replace('\'', "''")),
        2.. if plain => text.to_owned(),
        _ => format!(
            "\"{}\"",
            text.replace('\\', "\\\\")
                .replace('"', "\\\"")
                .replace('\n', "\\n")
                .replace('\t', "\\t")
        ),
    }
}

fn json(value: &Value, dice: &mut Dice, column: usize, out: &mut String) {
    let (lines, step) = (dice.percent(60), 1 + dice.below(4));
    let line = |column: usize| {
        if lines {
            format!("\n{}", spaces(column))
        } else {
            String::new()
        }
    };
    let colon = [":", ": ", " : "][dice.below(3)];
    match value {
        Value::Sequence(items) if !items.is_empty() => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                out.push_str(if index > 0 { "," } else { "" });
                out.push_str(&line(column + step));
                json(item, dice, column + step, out);
            }
            out.push_str(&line(column));
            out.push(']');
        }
        Value::Mapping(mapping) if !mapping.is_empty() => {
            out.push('{');
            for (index, (key, value)) in mapping.iter().enumerate() {
                out.push_str(if index > 0 { "," } else { "" });
                out.push_str(&line(column + step));
                let _ = write!(
                    out,
                    "{}{colon}",
                    serde_json::Value::from(key.as_str().unwrap_or_default())
                );
                json(value, dice, column + step, out);
            }
            out.push_str(&line(column));
            out.push('}');
        }
        value => {
            let value: serde_json::Value = serde_json::to_value(value).unwrap();
            let _ = write!(out, "{value}");
        }
    }
}
