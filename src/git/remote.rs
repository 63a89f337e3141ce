//! Where commits are read from and pushed to: a bare repository on this disk, or a server.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use git2::Direction;

use crate::model::{BranchName, ObjectId};
use crate::net::{Deadline, InvalidAddress, Server};

use super::error::GitError;
use super::server::RemoteServer;
use super::settings;
use super::store::{Store, object_id};
use super::transport::Operation;

/// A repository that branches are read from and pushed to.
///
/// Invariant: whatever libgit2 would open through its own local transport is a [`Remote::Path`]. That transport overwrites a branch
/// without looking at it, so it is never used for a push.
#[derive(Debug, Clone)]
pub enum Remote {
    /// A folder. libgit2 runs no hooks of such a repository, so its `pre-receive` and `update` are not asked.
    Path(PathBuf),
    /// A server that speaks Git's smart HTTP protocol.
    Server(RemoteServer),
}

/// A remote that can't be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RemoteError {
    /// The address carries a user name or a password, which would end up in logs. The address itself is left out for the same reason.
    #[error("reading a repository's address: it carries a user name or password; give credentials separately")]
    Secret,
    /// The protocol is not built in.
    #[error("reading the repository's address {address:?}: only http://, https:// and paths are supported")]
    Unsupported {
        /// The address.
        address: String,
    },
    /// The address is HTTP and can't be used.
    #[error("reading a repository's address: {0}")]
    Address(#[from] InvalidAddress),
    /// The credentials have characters that HTTP can't carry. They are left out: they are what is wrong.
    #[error("preparing the connection to {server}: the credentials have characters that a header can't carry")]
    Credentials {
        /// The server's address.
        server: String,
    },
    /// The certificates that were configured can't be read.
    #[error("reading the certificates (caFile) for {server}: {why}")]
    Authorities {
        /// The server's address.
        server: String,
        /// Why.
        why: String,
    },
}

impl Remote {
    /// Reads an address as people write it: a path, `file://` and a path, or an HTTP URL of a server that needs no credentials and that the
    /// system's authorities vouch for. [`RemoteServer::new`] takes both.
    ///
    /// An operation over HTTP may take `operation`, and ends when `run` is over.
    pub fn parse(address: &str, operation: Duration, run: Deadline) -> Result<Self, RemoteError> {
        let unsupported = || RemoteError::Unsupported {
            address: address.to_owned(),
        };
        let Some((scheme, rest)) = address.split_once("://") else {
            // `git@host:fleet.git` is SSH to Git unless a slash comes before the colon.
            let before_colon = address.split_once(':').map(|(before, _)| before);
            if address.is_empty() || before_colon.is_some_and(|before| !before.contains('/')) {
                return Err(unsupported());
            }
            return Ok(Self::Path(PathBuf::from(address)));
        };
        let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
        if host.contains('@') {
            return Err(RemoteError::Secret);
        }
        match scheme.to_ascii_lowercase().as_str() {
            "file" if rest.starts_with('/') => Ok(Self::Path(PathBuf::from(rest))),
            "http" | "https" if !host.is_empty() && !address.chars().any(|c| c.is_control() || c == ' ') => {
                let server = Server::new(address)?;
                Ok(Self::Server(RemoteServer::new(server, operation, run)?))
            }
            _ => Err(unsupported()),
        }
    }
}

impl fmt::Display for Remote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Path(path) => write!(f, "{}", path.display()),
            Self::Server(server) => server.fmt(f),
        }
    }
}

impl Store {
    /// The branches of a remote whose names start with `prefix`, asked for over a fresh connection.
    ///
    /// Branches whose names we could not write are left out: none of them is ours.
    pub fn ls(&self, remote: &Remote, prefix: &str) -> Result<BTreeMap<BranchName, ObjectId>, GitError> {
        let mut branches = match remote {
            Remote::Path(path) => ls_path(path)?,
            Remote::Server(server) => self.ls_server(&Operation::on(server), server)?,
        };
        branches.retain(|name, _| name.as_str().starts_with(prefix));
        Ok(branches)
    }

    /// The commit that a remote's branch stands at, over a fresh connection.
    pub(super) fn ls_one(&self, remote: &Remote, branch: &BranchName) -> Result<Option<ObjectId>, GitError> {
        Ok(self.ls(remote, branch.as_str())?.remove(branch))
    }

    /// The same over a server's protocol, as a part of an operation.
    pub(super) fn ls_server(
        &self,
        operation: &Operation<'_>,
        server: &RemoteServer,
    ) -> Result<BTreeMap<BranchName, ObjectId>, GitError> {
        let mut remote = self.anonymous(server)?;
        operation.run(format!("listing the branches of {server}"), || {
            let connection = remote.connect_auth(Direction::Fetch, None, None)?;
            let heads = connection.list()?;
            Ok(branches(heads.iter().map(|head| (head.name().to_owned(), head.oid()))))
        })
    }

    /// A remote of this server and no other.
    ///
    /// The store must be ours. The configuration of a repository may rewrite addresses (`insteadOf`), which is found out by reading the
    /// address back; the transport would refuse another one too.
    pub(super) fn anonymous(&self, server: &RemoteServer) -> Result<git2::Remote<'_>, GitError> {
        self.require_ours("connecting to a server from it")?;
        let url = server.url();
        let remote = self
            .repo()
            .remote_anonymous(url)
            .map_err(GitError::doing(format!("connecting to {url}")))?;
        if remote.url_bytes() == url.as_bytes() && remote.pushurl_bytes().is_none() {
            return Ok(remote);
        }
        let wanted = url.to_owned();
        Err(GitError::Rewritten { wanted })
    }
}

fn ls_path(path: &Path) -> Result<BTreeMap<BranchName, ObjectId>, GitError> {
    settings::isolate()?;
    let doing = || GitError::doing(format!("listing the branches of {}", path.display()));
    let repo = git2::Repository::open(path).map_err(doing())?;
    let mut heads = Vec::new();
    for reference in repo.references_glob("refs/heads/*").map_err(doing())? {
        let reference = reference.map_err(doing())?;
        let (Ok(name), Some(target)) = (reference.name(), reference.target()) else {
            continue;
        };
        heads.push((name.to_owned(), target));
    }
    Ok(branches(heads.into_iter()))
}

fn branches(heads: impl Iterator<Item = (String, git2::Oid)>) -> BTreeMap<BranchName, ObjectId> {
    heads
        .filter_map(|(name, id)| {
            let branch: BranchName = name.strip_prefix("refs/heads/")?.parse().ok()?;
            Some((branch, object_id(id)))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(address: &str) -> Result<Remote, RemoteError> {
        let limit = Duration::from_secs(60);
        Remote::parse(address, limit, Deadline::after(limit))
    }

    #[test]
    fn an_address_is_a_path_or_http() {
        for (text, path) in [
            ("/srv/fleet.git", "/srv/fleet.git"),
            ("./a:b", "./a:b"),
            ("file:///srv/fleet.git", "/srv/fleet.git"),
            ("FILE:///srv/fleet.git", "/srv/fleet.git"),
        ] {
            assert!(matches!(parse(text), Ok(Remote::Path(found)) if found == Path::new(path)));
        }
        let server = parse("HTTPS://git.example.com/fleet.git/").unwrap();
        assert_eq!(server.to_string(), "https://git.example.com/fleet.git");
        for secret in ["https://me:token@git.example.com/x", "http://token@git.example.com"] {
            let error = parse(secret).unwrap_err();
            assert_eq!(error, RemoteError::Secret);
            assert!(!error.to_string().contains("token"));
        }
        for bad in [
            "",
            "git@example.com:x.git",
            "ssh://example.com/x",
            "file://host/x",
            "http://",
            "ext::sh -c x",
            "git://h/x",
        ] {
            assert!(matches!(parse(bad), Err(RemoteError::Unsupported { .. })), "{bad}");
        }
        assert!(matches!(parse("https://h/x?token=1"), Err(RemoteError::Address(_))));
    }
}
