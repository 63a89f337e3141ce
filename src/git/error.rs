//! What can go wrong in this room, as values.

use std::path::PathBuf;

use crate::model::ObjectId;

use super::transport::ServerError;

/// A Git operation that failed: what it was doing to what, and why.
#[derive(Debug, thiserror::Error)]
pub enum GitError {
    /// libgit2 refused; its own words are the source.
    #[error("{doing}")]
    Git {
        /// What was being done to what: `reading commit 0123… of /srv/fleet.git`.
        doing: String,
        /// libgit2's answer.
        #[source]
        source: git2::Error,
    },
    /// The server gave no usable answer.
    #[error("{doing}")]
    Server {
        /// What was being done to what: `fetching main from https://…`.
        doing: String,
        /// What the server did.
        #[source]
        source: ServerError,
    },
    /// The cache lacks something that it had. It is made anew when it is opened next.
    #[error("reading the cache {}: {id} is not there any more", path.display())]
    Incomplete {
        /// The cache.
        path: PathBuf,
        /// The object.
        id: ObjectId,
    },
    /// Another process was fetching into the cache all the time.
    #[error("waiting for another process that fetches into {}: it did not end in time", path.display())]
    Busy {
        /// The cache.
        path: PathBuf,
    },
    /// libgit2 could not be cut off from the machine's configuration, so nothing may be done with it.
    #[error("isolating libgit2 from the machine's Git configuration: {why}")]
    Isolation {
        /// libgit2's answer.
        why: String,
    },
    /// The file system refused.
    #[error("{doing} {}", path.display())]
    Io {
        /// What was being done: `creating`.
        doing: &'static str,
        /// To what.
        path: PathBuf,
        /// The system's answer.
        #[source]
        source: std::io::Error,
    },
    /// A branch that has to exist does not.
    #[error("looking for {name} in {place}: there is no such branch, tag or commit")]
    NotFound {
        /// The name as asked for.
        name: String,
        /// The repository.
        place: String,
    },
    /// An object is larger than the reader is ready to hold.
    #[error("reading object {id}: {size} bytes, more than the {most} that are read")]
    TooLarge {
        /// The object.
        id: ObjectId,
        /// Its size in bytes.
        size: usize,
        /// The most that is read, in bytes.
        most: usize,
    },
    /// A tree with more entries than any repository has: trees that share subtrees can unfold to 10^10 paths in a few kilobytes.
    #[error("listing commit {commit}: more than {most} files")]
    TooManyFiles {
        /// The commit.
        commit: ObjectId,
        /// The most that is listed.
        most: usize,
    },
    /// The repository at hand was not made by us, and the operation would write to its branches or rely on its settings.
    #[error("{doing}: {} is not a store that this program made", path.display())]
    NotOurStore {
        /// What was to be done.
        doing: &'static str,
        /// The repository.
        path: PathBuf,
    },
    /// A repository's own configuration sends the address elsewhere.
    #[error("connecting to {wanted}: the repository's configuration rewrites the address")]
    Rewritten {
        /// The address as asked for.
        wanted: String,
    },
}

impl GitError {
    /// Wraps libgit2's answer with what was being done; for `map_err`.
    pub(super) fn doing(doing: impl Into<String>) -> impl FnOnce(git2::Error) -> Self {
        let doing = doing.into();
        move |source| Self::Git { doing, source }
    }

    /// The message and all its causes in one line, for a place that keeps text only.
    pub fn in_words(&self) -> String {
        let mut words = self.to_string();
        let mut cause = std::error::Error::source(self);
        while let Some(error) = cause {
            words.push_str(": ");
            words.push_str(&error.to_string());
            cause = error.source();
        }
        words
    }
}
