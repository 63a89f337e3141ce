//! Builds one commit on a base commit, in memory, and proves that it changes what was planned and nothing else.

mod look_up;
mod proof;

use std::collections::{BTreeMap, BTreeSet};

use git2::build::TreeUpdateBuilder;
use git2::{FileMode as RawMode, Oid, Tree};
use jiff::Timestamp;

use crate::model::{Digest, ObjectId, RepoPath};

use super::error::GitError;
use super::identity::Identity;
use super::store::{Store, object_id};
use super::trailers::Trailers;

use look_up::LookUp;

/// What happens to one path.
///
/// A file can't be removed except by moving it, and a move can't land on a file: both by construction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileChange {
    /// The file is there and gets these bytes; it keeps its mode.
    Replace(Vec<u8>),
    /// Nothing is there, and a plain file with these bytes is made.
    Create(Vec<u8>),
    /// Nothing is there; the file at `from` moves here, keeps its mode and gets these bytes.
    Move {
        /// Where the file was.
        from: RepoPath,
        /// Its new bytes.
        bytes: Vec<u8>,
    },
}

/// A commit to be built. Everything that goes into its id is here, so equal drafts give equal ids.
#[derive(Debug, Clone)]
pub struct Draft<'a> {
    /// The only parent.
    pub base: &'a ObjectId,
    /// What changes, by the path that is there afterwards.
    pub changes: &'a BTreeMap<RepoPath, FileChange>,
    /// Subject and body without the trailers, which are added.
    pub message: &'a str,
    /// The scope, for its trailer.
    pub scope: &'a str,
    /// The digest of the proposal's edits, for its trailer.
    pub plan: &'a Digest,
    /// When the facts were captured; author and committer time, cut to the second.
    pub observed_at: Timestamp,
    /// Author and committer.
    pub author: &'a Identity,
}

/// A commit that was built.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drafted {
    /// The commit.
    pub commit: ObjectId,
    /// Its tree.
    pub tree: ObjectId,
}

/// Why a draft can't become a commit.
#[derive(Debug, thiserror::Error)]
pub enum DraftError {
    /// There is nothing to commit.
    #[error("drafting a commit on {base}: no file changes")]
    Empty {
        /// The base.
        base: ObjectId,
    },
    /// The path to be replaced or moved away is not in the base.
    #[error("changing {path}: the base has no such file")]
    Missing {
        /// The path.
        path: RepoPath,
    },
    /// The path to be made is in the base.
    #[error("creating {path}: the base has it already")]
    Exists {
        /// The path.
        path: RepoPath,
    },
    /// The path is there but is no plain file.
    #[error("changing {path}: it is a {found}, not a plain file")]
    NotAFile {
        /// The path.
        path: RepoPath,
        /// What it is.
        found: &'static str,
    },
    /// A part of the path is there but is no folder: a file, a symbolic link or a submodule.
    #[error("changing {path}: {part} is a {found}, not a folder")]
    NotAFolder {
        /// The path.
        path: RepoPath,
        /// The part of it.
        part: String,
        /// What it is.
        found: &'static str,
    },
    /// Two changes want the same path, or one lies inside the other.
    #[error("changing {path}: {other} is planned too, and they exclude each other")]
    Collides {
        /// The path.
        path: RepoPath,
        /// The other change's path.
        other: RepoPath,
    },
    /// A planned replacement is equal to what is there.
    #[error("changing {path}: the new bytes are the old ones")]
    NothingChanges {
        /// The path.
        path: RepoPath,
    },
    /// The message can't carry our trailers.
    #[error("drafting a commit on {base}: its message is empty or has a control character")]
    Message {
        /// The base.
        base: ObjectId,
    },
    /// The finished tree differs from the base in other paths than the planned ones. A bug, caught before it leaves the process.
    #[error("proving the commit on {base}: it changes {found:?} where {planned:?} was planned")]
    Unplanned {
        /// The base.
        base: ObjectId,
        /// What was planned.
        planned: BTreeSet<String>,
        /// What the trees say.
        found: BTreeSet<String>,
    },
    /// Git refused.
    #[error(transparent)]
    Git(#[from] GitError),
}

impl Store {
    /// Builds the commit of a draft. Nothing is written to a disk and no branch moves.
    pub fn commit(&self, draft: &Draft<'_>) -> Result<Drafted, DraftError> {
        let Draft {
            base,
            changes,
            message,
            scope,
            plan,
            observed_at,
            author,
        } = draft;
        let when = whole_second(*observed_at);
        let text = message.trim_end();
        if text.is_empty() || text.chars().any(|c| c.is_control() && c != '\n') {
            return Err(DraftError::Message { base: (*base).clone() });
        }
        let parent = self.commit_object(base)?;
        let doing = || GitError::doing(format!("building a commit on {base}"));
        let base_tree = parent.tree().map_err(doing())?;

        let planned = self.planned(base, &base_tree, changes)?;
        let mut update = TreeUpdateBuilder::new();
        for step in &planned {
            match &step.after {
                Some((mode, id)) => update.upsert(step.path.as_str(), *id, *mode),
                None => update.remove(step.path.as_str()),
            };
        }
        let tree_id = update.create_updated(self.repo(), &base_tree).map_err(doing())?;
        let tree = self.folder(tree_id)?;
        self.prove(base, &base_tree, &tree, &planned)?;

        let trailers = Trailers {
            scope: (*scope).to_owned(),
            plan: (*plan).clone(),
            base: (*base).clone(),
            tree: object_id(tree_id),
            observed_at: when,
        };
        let message = format!("{text}\n\n{trailers}");
        if Trailers::parse(&message).as_ref() != Ok(&trailers) {
            return Err(DraftError::Message { base: (*base).clone() });
        }
        let signature = author.at(when).map_err(doing())?;
        let commit = self
            .repo()
            .commit(None, &signature, &signature, &message, &tree, &[&parent])
            .map_err(doing())?;
        Ok(Drafted {
            commit: object_id(commit),
            tree: trailers.tree,
        })
    }

    /// Checks every change against the base and turns it into steps, one per path before or after.
    fn planned(
        &self,
        base: &ObjectId,
        base_tree: &Tree<'_>,
        changes: &BTreeMap<RepoPath, FileChange>,
    ) -> Result<Vec<Step>, DraftError> {
        let mut steps = Vec::new();
        let mut look_up = LookUp::new(self, base_tree)?;
        for (path, change) in changes {
            let there = look_up.file(path)?;
            match change {
                FileChange::Replace(bytes) => {
                    let (mode, old) = there.ok_or_else(|| DraftError::Missing { path: path.clone() })?;
                    let new = self.write_blob(path, bytes)?;
                    if new == old {
                        return Err(DraftError::NothingChanges { path: path.clone() });
                    }
                    steps.push(Step::new(path, Some((mode, new))));
                }
                FileChange::Create(bytes) => {
                    if there.is_some() {
                        return Err(DraftError::Exists { path: path.clone() });
                    }
                    let new = self.write_blob(path, bytes)?;
                    steps.push(Step::new(path, Some((RawMode::Blob, new))));
                }
                FileChange::Move { from, bytes } => {
                    if there.is_some() {
                        return Err(DraftError::Exists { path: path.clone() });
                    }
                    let (mode, _) = look_up
                        .file(from)?
                        .ok_or_else(|| DraftError::Missing { path: from.clone() })?;
                    let new = self.write_blob(path, bytes)?;
                    steps.push(Step::new(path, Some((mode, new))));
                    steps.push(Step::new(from, None));
                }
            }
        }
        steps.sort_by(|one, other| one.path.cmp(&other.path));
        if steps.is_empty() {
            return Err(DraftError::Empty { base: base.clone() });
        }
        let paths: BTreeMap<&RepoPath, ()> = steps.iter().map(|step| (&step.path, ())).collect();
        for pair in steps.windows(2) {
            if let [one, other] = pair
                && one.path == other.path
            {
                let (path, other) = (one.path.clone(), other.path.clone());
                return Err(DraftError::Collides { path, other });
            }
        }
        for step in &steps {
            let mut folder = step.path.parent();
            while let Some(above) = folder {
                if paths.contains_key(&above) {
                    let (path, other) = (step.path.clone(), above);
                    return Err(DraftError::Collides { path, other });
                }
                folder = above.parent();
            }
        }
        Ok(steps)
    }

    fn write_blob(&self, path: &RepoPath, bytes: &[u8]) -> Result<Oid, GitError> {
        self.repo()
            .blob(bytes)
            .map_err(GitError::doing(format!("keeping the new bytes of {path}")))
    }
}

/// What the tree has at a path afterwards.
struct Step {
    path: RepoPath,
    after: Option<(RawMode, Oid)>,
}

impl Step {
    fn new(path: &RepoPath, after: Option<(RawMode, Oid)>) -> Self {
        let path = path.clone();
        Self { path, after }
    }
}

/// Git keeps whole seconds; the trailer has to say the same.
fn whole_second(when: Timestamp) -> Timestamp {
    Timestamp::from_second(when.as_second()).unwrap_or(when)
}

#[cfg(test)]
mod tests;
