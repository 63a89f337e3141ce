//! Why a file can't be edited as planned. One variant is one reason.

use crate::model::{ObjectKey, RepoPath};
use crate::yaml::{Node, NotEmbedded, Obstacle, ParseError};

use super::oracle::Unproven;

/// An edit that was refused, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("editing {path}, line {line}")]
pub struct RenderError {
    /// The file.
    pub path: RepoPath,
    /// The line, counted from 1; 0 where it is about the whole file.
    pub line: usize,
    /// The reason.
    #[source]
    pub problem: Problem,
}

/// The reasons to refuse an edit.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// There is no regular file at the path.
    #[error("the file does not exist")]
    NoSuchFile,
    /// The file is to move to a path that is taken.
    #[error("{path} exists already")]
    Exists {
        /// The path.
        path: RepoPath,
    },
    /// The file is not UTF-8.
    #[error("the file is not UTF-8 text")]
    NotText,
    /// The file can't be read as YAML.
    #[error("the file can't be read")]
    NotYaml(#[source] ParseError),
    /// The file holds U+0085, U+2028 or U+2029.
    ///
    /// They break lines in YAML 1.1, which the parsers of Kubernetes' tools follow, and are plain characters in YAML 1.2, so that a comment
    /// to one reader may be a second value to another.
    #[error("the file holds characters that end a line for some readers of YAML only")]
    StrangeLineBreaks,
    /// The file holds an anchor, an alias or a key with a character that YAML 1.2 takes for a part of it and libyaml does not.
    #[error("the file holds an anchor, an alias or a key that is another one to some readers of YAML")]
    Ambiguous,
    /// The stream has fewer documents than the edit expects.
    #[error("the file has {documents} documents, and number {document}, counted from 0, is to be edited")]
    NoSuchDocument {
        /// The one that was looked for.
        document: usize,
        /// How many there are.
        documents: usize,
    },
    /// The document is about another object than the edit expects.
    #[error("the document is {found}, and {expected} is to be edited")]
    OtherObject {
        /// What the edit is for.
        expected: Box<ObjectKey>,
        /// What stands there.
        found: Box<ObjectKey>,
    },
    /// The document is encrypted with SOPS, whose checksum an edit would break.
    #[error("the document is encrypted with SOPS; an edit would break its checksum")]
    Encrypted,
    /// Something on the path keeps the value from being edited in place.
    #[error("the value can't be edited in place")]
    Obstacle(#[source] Box<Obstacle>),
    /// The value is not the one that the edit was planned for.
    #[error("the value is {found:?} now, and the edit replaces {expected:?}")]
    Stale {
        /// What the edit was planned for.
        expected: String,
        /// What stands there.
        found: String,
    },
    /// What stands there is of another kind.
    #[error("a {wanted} is to be edited and a {found} stands there")]
    WrongKind {
        /// What the edit is for.
        wanted: &'static str,
        /// What stands there.
        found: &'static str,
    },
    /// The value is a block scalar or spans several lines.
    #[error("the value spans several lines")]
    SeveralLines,
    /// A number is to be replaced and the old value is not a plain decimal one.
    #[error("the old value {text:?} is not a plain decimal integer")]
    NotAnInteger {
        /// Its text.
        text: String,
    },
    /// The old value holds `{{` or `${`: something else fills it in.
    #[error("the old value {text:?} is a template")]
    Template {
        /// Its text.
        text: String,
    },
    /// The old value is written with escapes that it does not need.
    #[error("the old value {text:?} is written with escapes of its own")]
    Escapes {
        /// Its text.
        text: String,
    },
    /// The key that is to be inserted stands there already.
    #[error("the key {key:?} stands there already")]
    KeyExists {
        /// The key.
        key: String,
    },
    /// The item that is to be appended stands in the list already.
    #[error("{text:?} stands in the list already")]
    ItemExists {
        /// Its text.
        text: String,
    },
    /// The new value can't be written so that every reader takes it for what it is.
    #[error("{text:?} can't be written in the style of the value that it replaces or joins")]
    Unwritable {
        /// Its text.
        text: String,
    },
    /// There is no place for an insertion that is certain to be right.
    #[error("no safe place to insert: {0}")]
    Layout(&'static str),
    /// The scalar that holds the text which is to be edited is written in a way that is not taken apart.
    #[error("the text that holds the value can't be edited in place")]
    NotEmbedded(#[source] NotEmbedded),
    /// Two edits want the same place.
    #[error("two edits are in each other's way")]
    Conflict,
    /// The new text was made and does not say what was planned.
    #[error("the edit could not be proven")]
    Unproven(#[from] Unproven),
}

/// A problem and its line, before the path is known.
#[derive(Debug)]
pub(super) struct Refused {
    pub(super) line: usize,
    pub(super) problem: Problem,
}

impl Refused {
    pub(super) fn at(self, path: &RepoPath) -> RenderError {
        RenderError {
            path: path.clone(),
            line: self.line,
            problem: self.problem,
        }
    }
}

impl RenderError {
    pub(super) fn of_file(path: &RepoPath, problem: Problem) -> Self {
        Refused { line: 0, problem }.at(path)
    }
}

impl Problem {
    pub(super) fn wrong_kind(wanted: &'static str, found: Node<'_>) -> Self {
        Self::WrongKind {
            wanted,
            found: match found {
                _ if found.is_mapping() => "mapping",
                _ if found.is_sequence() => "list",
                _ if found.is_null() => "null",
                _ => "scalar",
            },
        }
    }
}
