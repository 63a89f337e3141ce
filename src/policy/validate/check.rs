//! Collects the problems of one document, and knows where its fields are.

use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;

use json_patch::jsonptr::{Pointer, PointerBuf};

use super::Positions;
use crate::policy::FleetFile;
use crate::policy::problem::{Problem, Severity};
use crate::yaml::{Node, Position};

/// One document under examination.
pub(super) struct Check<'s> {
    file: String,
    root: Node<'s>,
    /// The fleet that the names in policies must belong to, if it is known.
    fleet: Option<&'s FleetFile>,
    problems: Vec<Problem>,
    /// What was cut out by an earlier gate: it is there, but not to be read, and its default must not stand in for it.
    broken: BTreeSet<String>,
    /// What is reported in the end for places without another problem.
    later: Vec<(String, String, String)>,
}

impl<'s> Check<'s> {
    pub(super) fn new(file: &str, root: Node<'s>, fleet: Option<&'s FleetFile>) -> Self {
        Self {
            file: file.to_owned(),
            root,
            fleet,
            problems: Vec::new(),
            broken: BTreeSet::new(),
            later: Vec::new(),
        }
    }

    pub(super) fn root(&self) -> Node<'s> {
        self.root
    }

    pub(super) fn file(&self) -> &str {
        &self.file
    }

    pub(super) fn fleet(&self) -> Option<&'s FleetFile> {
        self.fleet
    }

    pub(super) fn has_error(&self) -> bool {
        self.problems.iter().any(Problem::is_error)
    }

    pub(super) fn into_problems(mut self) -> Vec<Problem> {
        for (at, message, hint) in std::mem::take(&mut self.later) {
            if !self.has_problem(&at) {
                self.error(&at, message, hint);
            }
        }
        self.problems
    }

    /// Reports a problem in the end, unless something else is found at the same place.
    pub(super) fn later(&mut self, at: &str, message: String, hint: String) {
        self.later.push((at.to_owned(), message, hint));
    }

    /// The value at a place, if it is there.
    pub(super) fn node(&self, at: &str) -> Option<Node<'s>> {
        let pointer = Pointer::parse(at).ok()?;
        let mut node = self.root;
        for token in pointer.tokens() {
            let token = token.decoded();
            node = match node.is_mapping() {
                true => node.get(&token).ok()??,
                false => node.items().nth(token.parse().ok()?)?,
            };
        }
        Some(node)
    }

    /// The position of a value, or of the nearest thing that is there.
    pub(super) fn position(&self, at: &str) -> Position {
        Pointer::parse(at).map_or(self.root.position(), |pointer| {
            self.root.nearest(pointer).node.position()
        })
    }

    /// The position of a key, or of the nearest thing that is there.
    pub(super) fn key_position(&self, at: &str) -> Position {
        let Ok(pointer) = Pointer::parse(at) else {
            return self.root.position();
        };
        let found = self.root.nearest(pointer);
        found.key.unwrap_or(found.node).position()
    }

    pub(super) fn error(&mut self, at: &str, message: impl Into<String>, hint: impl Into<String>) {
        let position = self.position(at);
        self.push(position, at, Severity::Error, message.into(), hint.into());
    }

    pub(super) fn error_at_key(&mut self, at: &str, message: impl Into<String>, hint: impl Into<String>) {
        let position = self.key_position(at);
        self.push(position, at, Severity::Error, message.into(), hint.into());
    }

    pub(super) fn error_at_position(
        &mut self,
        position: Position,
        at: &str,
        message: impl Into<String>,
        hint: impl Into<String>,
    ) {
        self.push(position, at, Severity::Error, message.into(), hint.into());
    }

    pub(super) fn warning(&mut self, at: &str, message: impl Into<String>, hint: impl Into<String>) {
        let position = self.key_position(at);
        self.push(position, at, Severity::Warning, message.into(), hint.into());
    }

    fn push(&mut self, position: Position, at: &str, severity: Severity, message: String, hint: String) {
        let Position { line, column } = position;
        let problem = Problem {
            file: self.file.clone(),
            line,
            column,
            field: field(at),
            severity,
            message,
            hint,
        };
        if !self.problems.contains(&problem) {
            self.problems.push(problem);
        }
    }

    /// Remembers that a value was cut out.
    pub(super) fn mark_broken(&mut self, at: &str) {
        self.broken.insert(at.to_owned());
    }

    /// Whether a value, or something that it is in, was cut out.
    pub(super) fn is_broken(&self, at: &str) -> bool {
        let mut at = at;
        loop {
            if self.broken.contains(at) {
                return true;
            }
            match at.rsplit_once('/') {
                Some((above, _)) => at = above,
                None => return false,
            }
        }
    }

    /// Whether something in a value was cut out.
    pub(super) fn is_broken_below(&self, at: &str) -> bool {
        let inside = format!("{at}/");
        self.broken
            .range(inside.clone()..)
            .next()
            .is_some_and(|broken| broken.starts_with(&inside))
    }

    /// Whether a problem was reported for a value.
    fn has_problem(&self, at: &str) -> bool {
        let field = field(at);
        self.problems.iter().any(|problem| problem.field == field)
    }

    /// A value that may be absent: its default if it is, nothing if it was cut out.
    pub(super) fn or<T>(&self, at: &str, value: Option<T>, default: T) -> Option<T> {
        match value {
            Some(value) => Some(value),
            None if self.is_broken(at) => None,
            None => Some(default),
        }
    }

    /// A text that must make a value; nothing if it doesn't or isn't there (which the structure's check has reported).
    pub(super) fn required<T: FromStr<Err: std::fmt::Display>>(
        &mut self,
        at: &str,
        text: Option<&impl AsRef<str>>,
    ) -> Option<T> {
        self.parse(at, text?.as_ref())
    }

    /// A text that must make a value if it is there.
    ///
    /// The outer nothing means that it is wrong; the inner one that it is absent.
    #[expect(clippy::option_option, reason = "wrong and absent lead to different ends")]
    pub(super) fn optional<T: FromStr<Err: std::fmt::Display>>(
        &mut self,
        at: &str,
        text: Option<&impl AsRef<str>>,
    ) -> Option<Option<T>> {
        match text {
            Some(text) => self.parse(at, text.as_ref()).map(Some),
            None if self.is_broken(at) => None,
            None => Some(None),
        }
    }

    /// A text that must make a value if it is there, and has a default if it isn't.
    pub(super) fn defaulted<T: FromStr<Err: std::fmt::Display>>(
        &mut self,
        at: &str,
        text: Option<&impl AsRef<str>>,
        default: T,
    ) -> Option<T> {
        self.optional(at, text).map(|value| value.unwrap_or(default))
    }

    pub(super) fn parse<T: FromStr<Err: std::fmt::Display>>(&mut self, at: &str, text: &str) -> Option<T> {
        self.accept(at, text.parse())
    }

    /// The value, or its error as a problem.
    pub(super) fn accept<T, E: std::fmt::Display>(&mut self, at: &str, result: Result<T, E>) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            Err(error) => {
                self.error(at, error.to_string(), "");
                None
            }
        }
    }

    /// The positions of all keys and items, for problems that only show later.
    pub(super) fn positions(&self) -> Positions {
        let mut places = BTreeMap::new();
        collect(self.root, String::new(), &mut places);
        Positions {
            file: self.file.clone(),
            places,
        }
    }
}

fn collect(node: Node<'_>, at: String, places: &mut BTreeMap<String, Position>) {
    for entry in node.entries() {
        if let Some(key) = entry.key_text() {
            collect(entry.value, join(&at, key), places);
        }
    }
    for (index, item) in node.items().enumerate() {
        collect(item, format!("{at}/{index}"), places);
    }
    places.insert(at, node.position());
}

/// A pointer to something below another.
pub(super) fn join(at: &str, key: &str) -> String {
    let mut pointer = PointerBuf::parse(at).unwrap_or_default();
    pointer.push_back(key);
    pointer.to_string()
}

/// A pointer as people write fields: `spec.shards[0].name`.
pub(super) fn field(at: &str) -> String {
    let mut field = String::new();
    let Ok(pointer) = Pointer::parse(at) else {
        return at.to_owned();
    };
    for token in pointer.tokens() {
        let token = token.decoded();
        if !token.is_empty() && token.bytes().all(|b| b.is_ascii_digit()) {
            field.push_str(&format!("[{token}]"));
        } else {
            if !field.is_empty() {
                field.push('.');
            }
            field.push_str(&token);
        }
    }
    field
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pointer_reads_as_a_field() {
        assert_eq!(field(""), "");
        assert_eq!(field("/spec/shards/0/name"), "spec.shards[0].name");
        assert_eq!(field("/metadata/annotations/a~1b"), "metadata.annotations.a/b");
        assert_eq!(join("/metadata/annotations", "a/b"), "/metadata/annotations/a~1b");
    }
}
