//! Tells whether a branch is still ours, and if not, what a person did to it.
//!
//! Invariant: "ours" is proven, everything else is foreign. A human's commit on top, an amend, a rebase, a merge of the base into the
//! branch, a history that can't be read: each of them makes a branch that nobody here touches again. Renovate, the nearest relative, looks at
//! one e-mail address and carries on when the look-up fails; both have cost people their work.

use std::fmt;

use git2::Oid;

use crate::model::ObjectId;

use super::error::GitError;
use super::identity::Identity;
use super::store::{Store, object_id, oid};
use super::trailers::{TrailerError, Trailers};

/// What a branch of ours has become.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BranchState {
    /// The base contains its head: nothing on it can be lost.
    Merged {
        /// What its head says about itself, if that is a commit of ours as we made it.
        ours: Option<Trailers>,
    },
    /// It is exactly one commit of ours on the base.
    Ours(OurCommit),
    /// It is anything else.
    Foreign {
        /// What gave it away.
        why: Foreign,
    },
}

/// A commit of ours that nobody has touched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OurCommit {
    /// The commit.
    pub commit: ObjectId,
    /// What it says about itself; checked against the commit.
    pub trailers: Trailers,
    /// Whether merging it into the base's head would conflict. Only then does a moved base justify a push.
    pub conflicts_with_base: bool,
}

/// Why a branch is not ours. The texts in it come from the repository and are untrusted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Foreign {
    /// A commit on it is by somebody else.
    WrittenBy {
        /// Author or committer.
        role: &'static str,
        /// The name as it stands in the commit.
        name: String,
        /// The commit.
        commit: ObjectId,
    },
    /// It has more commits than the one that we make, or ours has not exactly one parent.
    Commits {
        /// How many there are beyond the base; counted to 100.
        count: usize,
        /// How many parents the first of them has.
        parents: usize,
    },
    /// The message is not one of ours.
    Trailers(TrailerError),
    /// The commit is not the one that its trailers speak of.
    Contradiction {
        /// The trailer.
        trailer: &'static str,
        /// What it says.
        says: String,
        /// What the commit has.
        has: String,
    },
    /// It could not be read. Nobody touches what nobody could look at.
    Unreadable {
        /// What failed.
        why: String,
    },
}

/// How many commits of a branch are looked at; beyond that it is foreign anyway.
const MOST_COMMITS: usize = 100;

impl fmt::Display for Foreign {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::WrittenBy { role, name, commit } => {
                write!(f, "commit {} on it has the {role} {name}", commit.short())
            }
            Self::Commits { count, parents } if *count == 1 => write!(f, "its commit has {parents} parents"),
            Self::Commits { count, parents: _ } => write!(f, "it has {count} commits"),
            Self::Trailers(error) => error.fmt(f),
            Self::Contradiction { trailer, says, has } => {
                write!(f, "its trailer {trailer} says {says}, but the commit has {has}")
            }
            Self::Unreadable { why } => write!(f, "it can't be read: {why}"),
        }
    }
}

impl Store {
    /// Looks at a branch whose head is `head`, against the head of the base branch.
    ///
    /// Both commits must be in this store. Whatever can't be read counts as foreign.
    ///
    /// A cache of a server has no history, so there a branch is merged only if it stands where the base does (the forge knows of other
    /// merges), and ours if its head is a commit of ours on the base that its trailers name. That base was the head of the base branch when
    /// the commit was made; nobody could have put a commit between them without making ours anew, under another name.
    pub fn inspect(&self, head: &ObjectId, base: &ObjectId, agent: &Identity) -> BranchState {
        self.look(head, base, agent)
            .unwrap_or_else(|error| BranchState::Foreign {
                why: Foreign::Unreadable { why: error.in_words() },
            })
    }

    fn look(&self, head: &ObjectId, base: &ObjectId, agent: &Identity) -> Result<BranchState, GitError> {
        let (head_id, base_id) = (oid(head)?, oid(base)?);
        let beyond = if self.is_ours() {
            Vec::from_iter((head != base).then_some(head_id))
        } else {
            self.beyond(head_id, base_id)?
        };
        let commit = self.commit_object(head)?;
        if beyond.is_empty() {
            let ours = self.trailers_of(&commit, agent)?.ok();
            return Ok(BranchState::Merged { ours });
        }
        if let Some(why) = self.stranger(&beyond, agent)? {
            return Ok(BranchState::Foreign { why });
        }
        let parents = parents_of(&commit)?.len();
        if beyond.len() != 1 || parents != 1 {
            let count = beyond.len();
            let why = Foreign::Commits { count, parents };
            return Ok(BranchState::Foreign { why });
        }
        Ok(match self.trailers_of(&commit, agent)? {
            Ok(trailers) => BranchState::Ours(OurCommit {
                commit: head.clone(),
                conflicts_with_base: self.conflicts(head_id, base_id, oid(&trailers.base)?)?,
                trailers,
            }),
            Err(why) => BranchState::Foreign { why },
        })
    }

    /// The trailers of a commit that is ours by author, committer, parent, tree and time; or what speaks against it.
    fn trailers_of(&self, commit: &git2::Commit<'_>, agent: &Identity) -> Result<Result<Trailers, Foreign>, GitError> {
        if let Some(why) = self.stranger(&[commit.id()], agent)? {
            return Ok(Err(why));
        }
        let parents = parents_of(commit)?;
        let [parent] = parents[..] else {
            let (count, parents) = (1, parents.len());
            return Ok(Err(Foreign::Commits { count, parents }));
        };
        // A message that is not UTF-8 is none of ours.
        let trailers = match commit.message().map(Trailers::parse) {
            Ok(Ok(trailers)) => trailers,
            Ok(Err(error)) => return Ok(Err(Foreign::Trailers(error))),
            Err(_) => return Ok(Err(Foreign::Trailers(TrailerError::Absent))),
        };
        Ok(match contradiction(commit, parent, &trailers) {
            Some(why) => Err(why),
            None => Ok(trailers),
        })
    }

    /// The commits of the branch that the base does not contain, newest first.
    ///
    /// With exactly one of them, its parent is reachable from the base; that is what makes one commit a commit on the base.
    fn beyond(&self, head: Oid, base: Oid) -> Result<Vec<Oid>, GitError> {
        let doing = || GitError::doing(format!("walking from {head} to {base}"));
        let mut walk = self.repo().revwalk().map_err(doing())?;
        walk.push(head).map_err(doing())?;
        walk.hide(base).map_err(doing())?;
        walk.take(MOST_COMMITS).collect::<Result<_, _>>().map_err(doing())
    }

    /// The first author or committer who is not the agent.
    fn stranger(&self, commits: &[Oid], agent: &Identity) -> Result<Option<Foreign>, GitError> {
        for id in commits {
            let commit = self.commit_object(&object_id(*id))?;
            for (role, signature) in [("author", commit.author()), ("committer", commit.committer())] {
                if !agent.is_of(&signature) {
                    return Ok(Some(Foreign::WrittenBy {
                        role,
                        name: String::from_utf8_lossy(signature.name_bytes()).into_owned(),
                        commit: object_id(*id),
                    }));
                }
            }
        }
        Ok(None)
    }

    /// Merges in memory. What the commit was made on is the ancestor: it is the only parent, and the base contains it.
    fn conflicts(&self, head: Oid, base: Oid, parent: Oid) -> Result<bool, GitError> {
        if base == parent {
            return Ok(false);
        }
        let tree = |commit: Oid| {
            self.commit_object(&object_id(commit))?
                .tree()
                .map_err(GitError::doing(format!("reading the files of {commit}")))
        };
        let (ancestor, ours, theirs) = (tree(parent)?, tree(base)?, tree(head)?);
        let merged = self.repo().merge_trees(&ancestor, &ours, &theirs, None);
        merged
            .map(|index| index.has_conflicts())
            .map_err(GitError::doing(format!(
                "merging {head} into {base} to see whether it conflicts"
            )))
    }
}

/// The parents that stand in the commit itself. libgit2 says that the last commit of a shallow history has none.
fn parents_of(commit: &git2::Commit<'_>) -> Result<Vec<Oid>, GitError> {
    commit
        .raw_header_bytes()
        .split(|byte| *byte == b'\n')
        .filter_map(|line| line.strip_prefix(b"parent "))
        .map(|id| Oid::from_str(&String::from_utf8_lossy(id)))
        .collect::<Result<_, _>>()
        .map_err(GitError::doing(format!(
            "reading the parents of commit {}",
            commit.id()
        )))
}

fn contradiction(commit: &git2::Commit<'_>, parent: Oid, trailers: &Trailers) -> Option<Foreign> {
    let Trailers {
        scope: _,
        plan: _,
        base,
        tree,
        observed_at,
    } = trailers;
    let seconds = |time: git2::Time| format!("{} UTC{:+}", time.seconds(), time.offset_minutes());
    let observed = format!("{} UTC+0", observed_at.as_second());
    [
        ("Fleetscale-Base", base.to_string(), parent.to_string()),
        ("Fleetscale-Tree", tree.to_string(), commit.tree_id().to_string()),
        (
            "Fleetscale-Observed-At",
            observed.clone(),
            seconds(commit.author().when()),
        ),
        ("Fleetscale-Observed-At", observed, seconds(commit.committer().when())),
    ]
    .into_iter()
    .find(|(_, says, has)| says != has)
    .map(|(trailer, says, has)| Foreign::Contradiction { trailer, says, has })
}

#[cfg(test)]
mod tests;
