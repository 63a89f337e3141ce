//! Brings a server's branches into this program's own store, without their history.
//!
//! Of the base branch one commit is fetched; of a branch of ours that commit and its parents, which is what it takes to see whether it is
//! ours and whether it conflicts. A fleet's repository has years of history that nobody here reads.
//!
//! Invariants: after a fetch the store's references are exactly the base and our branches as the server had them. A reference is written
//! last, after the pack and the list of shallow commits, so what it names is here with all its files; a commit that is here without one may
//! be a killed fetch's.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use git2::{AutotagOption, ErrorClass, ErrorCode, FetchOptions, ObjectType, Oid, RemoteRedirect};

use crate::model::{BranchName, ObjectId};

use super::cache;
use super::error::GitError;
use super::remote::Remote;
use super::server::RemoteServer;
use super::store::{Store, object_id, oid};
use super::transport::Operation;

/// The base and our branches, and where they stand.
pub type Heads = BTreeMap<BranchName, ObjectId>;

/// How many commits of the base are fetched, counted from its head.
const BASE_DEPTH: i32 = 1;

/// The same for our branches: the head and what it was made on.
const OUR_DEPTH: i32 = 2;

impl Store {
    /// Opens the store of a remote and fetches. A cache that turns out to be broken is made anew and filled once more.
    pub fn fetched(remote: &Remote, cache: &Path, base: &BranchName, prefix: &str) -> Result<(Self, Heads), GitError> {
        let store = Self::of(remote, cache)?;
        match store.fetch(remote, base, prefix) {
            Ok(heads) => Ok((store, heads)),
            Err(error) if matches!(remote, Remote::Server(_)) && cache::is_spoiled(cache) => {
                tracing::warn!(cause = error.in_words(), "the cache is made anew");
                drop(store);
                let store = Self::of(remote, cache)?;
                let heads = store.fetch(remote, base, prefix)?;
                Ok((store, heads))
            }
            Err(error) => Err(error),
        }
    }

    /// Fetches the head of the base branch and every branch under `prefix`, forgets those that are gone, and says where they all stand.
    ///
    /// A repository on this disk needs no fetch: open it as the store. For a server the store's own references are overwritten, so it must
    /// be one that this program made. If that turns out to be broken, it is marked to be made anew.
    pub fn fetch(&self, remote: &Remote, base: &BranchName, prefix: &str) -> Result<Heads, GitError> {
        let concerns = |name: &BranchName| name == base || name.as_str().starts_with(prefix);
        let server = match remote {
            Remote::Server(server) => server,
            Remote::Path(_) => {
                let mut heads = self.ls(remote, "")?;
                heads.retain(|name, _| concerns(name));
                return Ok(heads);
            }
        };
        self.require_ours("fetching into it")?;
        let operation = Operation::on(server);
        let _turn = cache::take_turn(self.path(), operation.deadline())?;
        let fetched = self.bring(&operation, server, base, concerns);
        fetched.inspect_err(|error| {
            if is_broken(error) {
                cache::spoil(self.path());
            }
        })
    }

    fn bring(
        &self,
        operation: &Operation<'_>,
        server: &RemoteServer,
        base: &BranchName,
        concerns: impl Fn(&BranchName) -> bool,
    ) -> Result<Heads, GitError> {
        let mut there = self.ls_server(operation, server)?;
        there.retain(|name, _| concerns(name));
        let here = self.forget_others(&there)?;
        let (base_branch, ours): (Vec<_>, Vec<_>) = there
            .iter()
            .filter(|(name, head)| here.get(*name) != Some(*head))
            .map(|(name, _)| name)
            .partition(|name| *name == base);
        self.receive(operation, server, &base_branch, BASE_DEPTH)?;
        self.receive(operation, server, &ours, OUR_DEPTH)?;
        let heads = self.heads()?;
        self.check_objects(&heads, base)?;
        Ok(heads)
    }

    /// Removes all references that are not in `there`, so that no stale one is in the way, and returns the rest.
    fn forget_others(&self, there: &Heads) -> Result<Heads, GitError> {
        let doing = || GitError::doing(format!("forgetting branches of {}", self.path().display()));
        let mut here = Heads::new();
        let references = self.repo().references().map_err(doing())?;
        let references: Vec<_> = references.collect::<Result<_, _>>().map_err(doing())?;
        for mut reference in references {
            let name = reference.name().ok().and_then(|name| name.strip_prefix("refs/heads/"));
            let branch: Option<BranchName> = name.and_then(|name| name.parse().ok());
            match (branch, reference.target()) {
                (Some(branch), Some(target)) if there.contains_key(&branch) => {
                    here.insert(branch, object_id(target));
                }
                _ => reference.delete().map_err(doing())?,
            }
        }
        Ok(here)
    }

    /// Fetches these branches and this many commits of each.
    fn receive(
        &self,
        operation: &Operation<'_>,
        server: &RemoteServer,
        branches: &[&BranchName],
        depth: i32,
    ) -> Result<(), GitError> {
        let [first, ..] = branches else {
            return Ok(());
        };
        let mut options = FetchOptions::new();
        options
            .depth(depth)
            .follow_redirects(RemoteRedirect::None)
            .download_tags(AutotagOption::None)
            .update_fetchhead(false);
        let refspecs: Vec<String> = branches
            .iter()
            .map(|name| format!("+refs/heads/{name}:refs/heads/{name}"))
            .collect();
        let doing = match branches.len() {
            1 => format!("fetching {first} from {server}"),
            more => format!("fetching {first} and {} more from {server}", more - 1),
        };
        let mut remote = self.anonymous(server)?;
        operation.run(doing, || remote.fetch(&refspecs, Some(&mut options), Some("fetch")))
    }

    /// What the store's references say.
    fn heads(&self) -> Result<Heads, GitError> {
        self.ls(&Remote::Path(self.path().to_owned()), "")
    }

    /// Sees whether the objects that the references promise are here: all of the base, and of the others what [`Store::inspect`] reads.
    ///
    /// Their contents are not read; whoever reads them notices.
    fn check_objects(&self, heads: &Heads, base: &BranchName) -> Result<(), GitError> {
        let odb = self
            .repo()
            .odb()
            .map_err(GitError::doing(format!("opening {}", self.path().display())))?;
        let need = |id: Oid| {
            if odb.exists(id) {
                return Ok(());
            }
            let (path, id) = (self.path().to_owned(), object_id(id));
            Err(GitError::Incomplete { path, id })
        };
        for (name, head) in heads {
            need(oid(head)?)?;
            let commit = self.commit_object(head)?;
            need(commit.tree_id())?;
            if name == base {
                self.walk(commit.tree_id(), &need)?;
                continue;
            }
            for parent in commit.parent_ids() {
                need(parent)?;
                need(self.commit_object(&object_id(parent))?.tree_id())?;
            }
        }
        Ok(())
    }

    /// Looks for all files and folders under a folder, each once however often it is used.
    fn walk(&self, root: Oid, need: &impl Fn(Oid) -> Result<(), GitError>) -> Result<(), GitError> {
        let (mut seen, mut open) = (BTreeSet::from([root]), vec![root]);
        while let Some(folder) = open.pop() {
            for entry in &self.folder(folder)? {
                match entry.kind() {
                    Some(ObjectType::Tree) if seen.insert(entry.id()) => open.push(entry.id()),
                    Some(ObjectType::Blob) => need(entry.id())?,
                    // A submodule's commit lives in another repository.
                    _ => {}
                }
            }
        }
        Ok(())
    }
}

/// Whether an error speaks of the store itself rather than of the server or of us.
fn is_broken(error: &GitError) -> bool {
    match error {
        GitError::Incomplete { .. } => true,
        GitError::Git { doing: _, source } => {
            let elsewhere = [
                ErrorClass::Net,
                ErrorClass::Http,
                ErrorClass::Ssl,
                ErrorClass::Callback,
                ErrorClass::NoMemory,
            ];
            source.code() != ErrorCode::Locked && !elsewhere.contains(&source.class())
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests;
