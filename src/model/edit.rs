//! Edits: the five ways in which a file may change, each as small as it can be.
//!
//! An edit names the document that it expects and the old value that it replaces, so that it can't be applied to anything else.

use json_patch::jsonptr::PointerBuf;
use json_patch::{AddOperation, PatchOperation, ReplaceOperation, TestOperation};
use serde::{Deserialize, Serialize};

use super::ids::{ObjectKey, RepoPath};
use super::new_patch::NewPatch;
use super::scalar::Scalar;

/// One change of one file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase", tag = "edit")]
pub enum Edit {
    /// Another value for one scalar that is there. Its type and its quotes stay.
    Replace {
        /// Where.
        at: Location,
        /// The old value.
        from: Scalar,
        /// The new value.
        to: Scalar,
    },
    /// One new key of a mapping, in the mapping's own style.
    InsertKey {
        /// Where: the mapping.
        at: Location,
        /// The key, which must not be there yet.
        key: String,
        /// Its value.
        value: Scalar,
    },
    /// One new item at the end of a list, in the list's own style.
    AppendItem {
        /// Where: the list.
        at: Location,
        /// The item.
        value: Scalar,
    },
    /// One new RFC 6902 patch at the end of a kustomization's `patches`, which begin with it if there are none.
    AppendPatch {
        /// Where: the kustomization.
        at: Location,
        /// The patch.
        patch: NewPatch,
    },
    /// The file moves, and its bytes change by the named edits only (whose paths are the old one).
    Move {
        /// The old path.
        from: RepoPath,
        /// The new path, which must not exist.
        to: RepoPath,
        /// What else changes in it.
        edits: Vec<Edit>,
    },
}

/// A node of a document of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Location {
    /// The file.
    pub path: RepoPath,
    /// Which document of its stream, counted from 0.
    pub document: usize,
    /// What that document must say it is.
    pub object: ObjectKey,
    /// The node (RFC 6901).
    pub pointer: PointerBuf,
    /// Where in the text of that node, if the node is a scalar that holds YAML itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub embedded: Option<Box<Embedded>>,
}

/// A node of a document of a text that a scalar holds: a patch in a kustomization, values in an Argo CD `Application`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Embedded {
    /// Which document of the text, counted from 0.
    pub document: usize,
    /// What that document must say it is.
    pub object: ObjectKey,
    /// The node (RFC 6901).
    pub pointer: PointerBuf,
}

impl Location {
    /// What tells it from every other location: the same for two edits of one value.
    pub fn address(&self) -> String {
        address(&self.path, self.document, &self.pointer, self.embedded.as_deref())
    }

    /// The node within the innermost text.
    fn inner_pointer(&self) -> &PointerBuf {
        self.embedded.as_ref().map_or(&self.pointer, |inner| &inner.pointer)
    }
}

/// A file, a document and a pointer, and those of the text within, as one line.
pub(super) fn address(path: &RepoPath, document: usize, pointer: &PointerBuf, embedded: Option<&Embedded>) -> String {
    match embedded {
        None => format!("{path} {document} {pointer}"),
        Some(inner) => format!("{path} {document} {pointer} | {} {}", inner.document, inner.pointer),
    }
}

impl Edit {
    /// The file that it reads.
    pub fn path(&self) -> &RepoPath {
        match self {
            Self::Replace { at, .. }
            | Self::InsertKey { at, .. }
            | Self::AppendItem { at, .. }
            | Self::AppendPatch { at, .. } => &at.path,
            Self::Move { from, .. } => from,
        }
    }

    /// The node that it changes; a move changes none.
    pub fn location(&self) -> Option<&Location> {
        match self {
            Self::Replace { at, .. }
            | Self::InsertKey { at, .. }
            | Self::AppendItem { at, .. }
            | Self::AppendPatch { at, .. } => Some(at),
            Self::Move { .. } => None,
        }
    }

    /// The same change in the words of RFC 6902, for the document that it names: `test` and `replace`, or `add`.
    ///
    /// For a text within the document they are for the document of that text. A move has none of its own: its inner edits do.
    pub fn operations(&self) -> Vec<PatchOperation> {
        let json = |scalar: &Scalar| match scalar {
            Scalar::Integer(number) => serde_json::Value::from(*number),
            Scalar::Decimal(number) => serde_json::Value::from(f64::from(*number)),
            Scalar::Text(text) => serde_json::Value::from(text.as_str()),
        };
        match self {
            Self::Replace { at, from, to } => vec![
                PatchOperation::Test(TestOperation {
                    path: at.inner_pointer().clone(),
                    value: json(from),
                }),
                PatchOperation::Replace(ReplaceOperation {
                    path: at.inner_pointer().clone(),
                    value: json(to),
                }),
            ],
            Self::InsertKey { at, key, value } => {
                let mut path = at.inner_pointer().clone();
                path.push_back(key.as_str());
                vec![PatchOperation::Add(AddOperation {
                    path,
                    value: json(value),
                })]
            }
            Self::AppendItem { at, value } => {
                let mut path = at.inner_pointer().clone();
                path.push_back("-");
                vec![PatchOperation::Add(AddOperation {
                    path,
                    value: json(value),
                })]
            }
            Self::AppendPatch { at, patch } => {
                let mut path = at.inner_pointer().clone();
                path.push_back("patches");
                path.push_back("-");
                let target = patch.target().into_iter();
                let target: serde_json::Map<_, _> = target.map(|(key, text)| (key.to_owned(), text.into())).collect();
                let value = serde_json::json!({"target": target, "patch": patch.text()});
                vec![PatchOperation::Add(AddOperation { path, value })]
            }
            Self::Move { .. } => Vec::new(),
        }
    }
}
