//! Where a value is written, and how.

use json_patch::jsonptr::PointerBuf;
use serde::{Deserialize, Serialize};

use super::edit::{Edit, Embedded, Location, address};
use super::ids::{ObjectKey, RepoPath};
use super::new_patch::SharedField;
use super::scalar::Scalar;

/// One place in the repository at the base commit.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Place {
    /// The file.
    pub path: RepoPath,
    /// Which document of the file's stream, counted from 0.
    pub document: usize,
    /// What that document says it is.
    pub object: ObjectKey,
    /// The value within the document (RFC 6901). For [`Form::Appended`] it is the list, for [`Form::Inserted`] the mapping, for
    /// [`Form::Patched`] the kustomization.
    pub pointer: PointerBuf,
    /// Where in the text at that pointer, if a scalar there holds YAML itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub embedded: Option<Box<Embedded>>,
    /// The line, counted from 1.
    pub line: usize,
    /// How the value is written there.
    pub form: Form,
}

/// How a value is written at its place.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase", tag = "is")]
pub enum Form {
    /// The scalar is the value: `replicas: 3`.
    Scalar,
    /// The scalar is a prefix and the value: `--kube-api-qps=20`.
    Prefixed {
        /// What stands before the value: `--kube-api-qps=`.
        prefix: String,
    },
    /// The value is not there yet; it becomes a new item, prefix and value, at the end of the list.
    Appended {
        /// What stands before the value: `--kube-api-qps=`.
        prefix: String,
    },
    /// The value is not there yet; it becomes the text of a new key of the mapping.
    Inserted {
        /// The key: `--kube-api-qps`.
        key: String,
    },
    /// The value stands in a base that others use, too; the new one becomes a patch of the kustomization that the pointer leads to.
    Patched(Box<SharedField>),
}

impl Form {
    /// Whether the value is not there yet: what it is now is said elsewhere or nowhere.
    pub fn is_new(&self) -> bool {
        matches!(self, Self::Appended { .. } | Self::Inserted { .. } | Self::Patched(_))
    }
}

impl Place {
    /// The edit that changes the value here; a value that is not there yet has no old one.
    pub fn edit(&self, from: &Scalar, to: &Scalar) -> Edit {
        let Self {
            path,
            document,
            object,
            pointer,
            embedded,
            line: _,
            form,
        } = self;
        let at = Location {
            path: path.clone(),
            document: *document,
            object: object.clone(),
            pointer: pointer.clone(),
            embedded: embedded.clone(),
        };
        let with = |prefix: &str, value: &Scalar| Scalar::Text(format!("{prefix}{value}"));
        match form {
            Form::Scalar => Edit::Replace {
                at,
                from: from.clone(),
                to: to.clone(),
            },
            Form::Prefixed { prefix } => Edit::Replace {
                at,
                from: with(prefix, from),
                to: with(prefix, to),
            },
            Form::Appended { prefix } => Edit::AppendItem {
                at,
                value: with(prefix, to),
            },
            Form::Inserted { key } => Edit::InsertKey {
                at,
                key: key.clone(),
                value: with("", to),
            },
            Form::Patched(shared) => Edit::AppendPatch {
                at,
                patch: shared.patch(to),
            },
        }
    }

    /// The key in the values of a Helm chart that this is, if it is one: in a release, in a ConfigMap that one refers to, or in a plain file.
    pub fn chart_key(&self) -> Option<String> {
        let Self {
            path,
            object,
            pointer,
            embedded,
            ..
        } = self;
        let first = pointer.tokens().next()?.decoded().into_owned();
        match (object.kind.as_str(), embedded) {
            ("", None) => {
                // A list of operations, and a kustomization without a kind, hold no values.
                let operations = first.parse::<usize>().is_ok();
                let kustomization = path.file_name().to_lowercase().starts_with("kustomization");
                (!operations && !kustomization).then(|| pointer.to_string())
            }
            ("HelmRelease" | "Application" | "ApplicationSet" | "ConfigMap", Some(inner)) => {
                Some(inner.pointer.to_string())
            }
            ("HelmRelease" | "Application" | "ApplicationSet" | "ConfigMap", None) => Some(pointer.to_string()),
            _ => None,
        }
    }

    /// What tells it from every other place: the same for two targets with one value.
    pub fn address(&self) -> String {
        address(&self.path, self.document, &self.pointer, self.embedded.as_deref())
    }
}
