//! Where commits are pushed to: a bare repository on this disk, or a server.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use git2::Direction;

use crate::model::{BranchName, ObjectId};

use super::error::GitError;
use super::settings;
use super::store::{Store, object_id};

/// A repository that branches are read from and pushed to.
///
/// Invariant: whatever libgit2 would open through its own local transport is a [`Remote::Path`]. That transport overwrites a branch
/// without looking at it, so it is never used for a push.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Remote {
    /// A folder. libgit2 runs no hooks of such a repository, so its `pre-receive` and `update` are not asked.
    Path(PathBuf),
    /// A server that speaks Git's smart HTTP protocol; the address carries no user name and no password.
    Url(String),
}

/// An address that can't be pushed to.
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
}

impl Remote {
    /// Reads an address as people write it: a path, `file://` and a path, or an HTTP URL.
    pub fn parse(address: &str) -> Result<Self, RemoteError> {
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
                Ok(Self::Url(address.to_owned()))
            }
            _ => Err(unsupported()),
        }
    }
}

impl fmt::Display for Remote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Path(path) => write!(f, "{}", path.display()),
            Self::Url(url) => f.write_str(url),
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
            Remote::Url(url) => self.ls_url(url)?,
        };
        branches.retain(|name, _| name.as_str().starts_with(prefix));
        Ok(branches)
    }

    /// The commit that a remote's branch stands at, over a fresh connection.
    pub(super) fn ls_one(&self, remote: &Remote, branch: &BranchName) -> Result<Option<ObjectId>, GitError> {
        Ok(self.ls(remote, branch.as_str())?.remove(branch))
    }

    fn ls_url(&self, url: &str) -> Result<BTreeMap<BranchName, ObjectId>, GitError> {
        let doing = || GitError::doing(format!("listing the branches of {url}"));
        let mut remote = self.anonymous(url)?;
        let connection = remote.connect_auth(Direction::Fetch, None, None).map_err(doing())?;
        let heads = connection.list().map_err(doing())?;
        let heads = heads.iter().map(|head| (head.name().to_owned(), head.oid()));
        Ok(branches(heads))
    }

    /// A remote of this address and no other.
    ///
    /// The store must be ours: its configuration forbids redirects. The configuration of a repository may also rewrite addresses
    /// (`insteadOf`), which is found out by reading the address back.
    pub(super) fn anonymous(&self, url: &str) -> Result<git2::Remote<'_>, GitError> {
        self.require_ours("connecting to a server from it")?;
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

    #[test]
    fn an_address_is_a_path_or_http() {
        let path = |text: &str| Ok(Remote::Path(PathBuf::from(text)));
        assert_eq!(Remote::parse("/srv/fleet.git"), path("/srv/fleet.git"));
        assert_eq!(Remote::parse("./a:b"), path("./a:b"));
        assert_eq!(Remote::parse("file:///srv/fleet.git"), path("/srv/fleet.git"));
        assert_eq!(Remote::parse("FILE:///srv/fleet.git"), path("/srv/fleet.git"));
        let url = "https://git.example.com/fleet.git";
        assert_eq!(Remote::parse(url), Ok(Remote::Url(url.to_owned())));
        for secret in ["https://me:token@git.example.com/x", "http://token@git.example.com"] {
            let error = Remote::parse(secret).unwrap_err();
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
            assert!(
                matches!(Remote::parse(bad), Err(RemoteError::Unsupported { .. })),
                "{bad}"
            );
        }
    }
}
