//! Why a value can't be changed where it is written. One variant is one reason, and each has one sentence.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::ids::RepoPath;
use super::owner::Owner;
use super::place::Place;

/// The reasons not to touch a file, a document or a scalar.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", rename_all_fields = "camelCase", tag = "why")]
pub enum Refusal {
    /// The file is a symbolic link.
    Symlink,
    /// The path is a submodule.
    Submodule,
    /// The file is larger than 1 MiB.
    TooLarge {
        /// Its size.
        bytes: u64,
    },
    /// The file is not UTF-8, or holds a NUL.
    NotText,
    /// The file is a Git LFS pointer.
    LfsPointer,
    /// The file is encrypted with SOPS: an edit would break its checksum.
    Sops,
    /// The file is a template (`{{`): what it declares is known only after rendering.
    Template,
    /// The value is a variable (`${name}`) that something else substitutes.
    Variable {
        /// The text of the value.
        text: String,
    },
    /// A comment at the top says that the file is generated.
    Generated,
    /// The file is not valid YAML.
    NotYaml {
        /// The parser's words.
        message: String,
    },
    /// The file asks more of a reader than it may: too deep, too many aliases or nodes.
    TooComplex {
        /// Which bound it crosses.
        message: String,
    },
    /// A key on the path stands there twice.
    DuplicateKey {
        /// The key.
        key: String,
    },
    /// The path goes through an alias (`*name`).
    Alias,
    /// The value or a parent is an anchor (`&name`) that an alias uses elsewhere.
    SharedAnchor,
    /// The value or a parent has a tag (`!name`).
    Tag,
    /// The key may come from a merge key (`<<`).
    MergeKey,
    /// The key is not there, and absence means something: another owner, or the default 1.
    Absent {
        /// Where it was looked for.
        pointer: String,
    },
    /// What lies on the path is not what it should be.
    WrongShape {
        /// What was found.
        message: String,
    },
    /// The old value is not a plain decimal integer.
    NotAnInteger {
        /// Its text.
        text: String,
    },
    /// More than one place declares it.
    Ambiguous {
        /// The places, as `path:line`.
        places: Vec<String>,
    },
    /// A base that several overlays share declares it: a change here would change them all.
    SharedBase {
        /// Who uses it.
        used_by: Vec<RepoPath>,
        /// Where a patch would change it for the one overlay that is meant, if that is certain.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        patch: Option<Box<Place>>,
        /// Why none is offered, where somebody could do something about it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        no_patch: Option<String>,
    },
    /// Somebody else owns the value: what Git says is overwritten, or fought over.
    Owned {
        /// Who, in a word.
        owner: Owner,
        /// Who, and where that is written: `HorizontalPodAutoscaler kamaji-system/kamaji (eu-1/hpa.yaml:1)`. Hostile until escaped.
        by: String,
    },
    /// Whoever applies the value does not do so for now, so that a change has no effect.
    Suspended {
        /// What is suspended, and where that is written. Hostile until escaped.
        message: String,
    },
    /// The policy's `writeTo` names a file that is not there.
    NoSuchFile,
    /// The policy's `writeTo` names an object that is not in the file.
    NoSuchObject {
        /// The object.
        object: String,
    },
    /// It lies outside the paths of every management cluster, so that nobody knows whose it is.
    Outside {
        /// What makes something of it there, if that is not its own file: `apps/eu-9/kustomization.yaml`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<String>,
    },
    /// Its name is none that Kubernetes would take.
    BadName {
        /// What is wrong.
        message: String,
    },
    /// The destination exists already.
    Exists {
        /// The path.
        path: RepoPath,
    },
}

impl Refusal {
    /// Somebody else owns it, by what `by` says and where that is written.
    pub fn owned(owner: Owner, by: String) -> Self {
        Self::Owned { owner, by }
    }

    /// The word that names the reason in JSON, metrics and tests.
    pub fn id(&self) -> &'static str {
        match self {
            Self::Symlink => "symlink",
            Self::Submodule => "submodule",
            Self::TooLarge { .. } => "too-large",
            Self::NotText => "not-text",
            Self::LfsPointer => "lfs-pointer",
            Self::Sops => "sops",
            Self::Template => "template",
            Self::Variable { .. } => "variable",
            Self::Generated => "generated",
            Self::NotYaml { .. } => "not-yaml",
            Self::TooComplex { .. } => "too-complex",
            Self::DuplicateKey { .. } => "duplicate-key",
            Self::Alias => "alias",
            Self::SharedAnchor => "shared-anchor",
            Self::Tag => "tag",
            Self::MergeKey => "merge-key",
            Self::Absent { .. } => "absent",
            Self::WrongShape { .. } => "wrong-shape",
            Self::NotAnInteger { .. } => "not-an-integer",
            Self::Ambiguous { .. } => "ambiguous",
            Self::SharedBase { .. } => "shared-base",
            Self::Owned { .. } => "owned",
            Self::Suspended { .. } => "suspended",
            Self::NoSuchFile => "no-such-file",
            Self::NoSuchObject { .. } => "no-such-object",
            Self::Outside { .. } => "outside",
            Self::BadName { .. } => "bad-name",
            Self::Exists { .. } => "exists",
        }
    }
}

impl Refusal {
    /// Takes back that a patch in an overlay would help.
    pub fn withdraw_patch(&mut self) {
        if let Self::SharedBase { patch, .. } = self {
            *patch = None;
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Symlink => f.write_str("the file is a symbolic link"),
            Self::Submodule => f.write_str("the path is a submodule"),
            Self::TooLarge { bytes } => write!(f, "the file is larger than 1 MiB ({bytes} bytes)"),
            Self::NotText => f.write_str("the file is not UTF-8 text"),
            Self::LfsPointer => f.write_str("the file is a Git LFS pointer"),
            Self::Sops => f.write_str("the file is encrypted with SOPS; an edit would break its checksum"),
            Self::Template => {
                f.write_str("the file is a template (`{{`); what it declares is known only after rendering")
            }
            Self::Variable { text } => write!(f, "the value `{text}` is a variable that something else substitutes"),
            Self::Generated => f.write_str("a comment at the top of the file says that it is generated"),
            Self::NotYaml { message } => write!(f, "the file is not valid YAML: {message}"),
            Self::TooComplex { message } => write!(f, "the file is too complex to edit safely: {message}"),
            Self::DuplicateKey { key } => write!(f, "the key `{key}` stands there twice"),
            Self::Alias => f.write_str("the path goes through an alias"),
            Self::SharedAnchor => f.write_str("the value is an anchor that an alias uses elsewhere"),
            Self::Tag => f.write_str("the value or a parent of it has a tag"),
            Self::MergeKey => f.write_str("the key may come from a merge key (`<<`)"),
            Self::Absent { pointer } => write!(
                f,
                "{pointer} is absent, and to add it would take the value from whoever owns it"
            ),
            Self::WrongShape { message } | Self::Suspended { message } => f.write_str(message),
            Self::NotAnInteger { text } => write!(f, "the old value `{text}` is not a plain decimal integer"),
            Self::Ambiguous { places } => write!(f, "more than one place declares it: {}", places.join(", ")),
            Self::SharedBase {
                used_by,
                patch: _,
                no_patch,
            } => {
                let users: Vec<&str> = used_by.iter().map(RepoPath::as_str).collect();
                let users = users.join(", ");
                write!(f, "it is declared in a base that several overlays share: {users}")?;
                match no_patch {
                    Some(why) => write!(f, "; no patch of one overlay can be offered: {why}"),
                    None => Ok(()),
                }
            }
            Self::Owned { owner: _, by } => write!(f, "the value has another owner: {by}"),
            Self::NoSuchFile => f.write_str("the file that the policy's writeTo names does not exist"),
            Self::NoSuchObject { object } => write!(f, "the file does not contain {object}"),
            Self::Outside { by: None } => f.write_str("it lies outside the paths of every management cluster"),
            Self::Outside { by: Some(by) } => {
                write!(
                    f,
                    "{by} makes something of it outside the paths of every management cluster"
                )
            }
            Self::BadName { message } => f.write_str(message),
            Self::Exists { path } => write!(f, "{path} exists already"),
        }
    }
}
