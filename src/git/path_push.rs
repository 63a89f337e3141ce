//! Moves a branch of a repository on this disk.
//!
//! libgit2's local transport overwrites the branch whatever it stands at, so it is not used. The objects go in first, then the branch is
//! locked with the lock file that git itself uses, compared and moved under that lock. No hook of the repository runs.

use std::path::Path;
use std::{fs, io};

use git2::{ErrorCode, ObjectType, Odb, Oid, Repository};

use crate::model::{BranchName, ObjectId};

use super::error::GitError;
use super::push::PushOutcome;
use super::store::{Store, object_id, oid};

/// Moves, creates or deletes a branch under its lock, if it stands at `expected`.
pub(super) fn move_branch(
    store: &Store,
    path: &Path,
    branch: &BranchName,
    to: Option<&ObjectId>,
    expected: Option<&ObjectId>,
) -> Result<PushOutcome, GitError> {
    let doing = || GitError::doing(format!("pushing {branch} to {}", path.display()));
    let repo = Repository::open(path).map_err(doing())?;
    if !repo.is_bare() {
        let words = "it has a work tree, which would fall behind its branch; push to a bare repository".to_owned();
        return Ok(PushOutcome::Rejected { words });
    }
    let target = to.map(oid).transpose()?;
    let name = format!("refs/heads/{branch}");
    let found = standing(&repo, &name).map_err(doing())?;
    if found != expected.map(oid).transpose()? {
        let found = found.map(object_id);
        return Ok(PushOutcome::LeaseLost { found });
    }
    if let Some(commit) = target {
        if let Some(other) = in_the_way(&repo, branch).map_err(doing())? {
            let words = format!("{other} is in the way: a branch can't be a folder of branches at the same time");
            return Ok(PushOutcome::Rejected { words });
        }
        deliver(store, &repo, commit).map_err(doing())?;
    }
    under_lock(&repo, &name, target, expected.map(oid).transpose()?).map_err(doing())
}

/// Compares and moves a branch while holding its lock.
fn under_lock(
    repo: &Repository,
    name: &str,
    to: Option<Oid>,
    expected: Option<Oid>,
) -> Result<PushOutcome, git2::Error> {
    let mut transaction = repo.transaction()?;
    if let Err(error) = transaction.lock_ref(name) {
        if error.code() != ErrorCode::Locked {
            return Err(error);
        }
        let lock = repo.path().join(format!("{name}.lock"));
        if !abandoned(repo, &lock).unwrap_or(false) {
            let words = format!(
                "the branch is locked by another process; if none is at work, one was killed: remove {}",
                lock.display()
            );
            return Ok(PushOutcome::Rejected { words });
        }
        // Whoever holds a lock for minutes is dead: a kill between locking and moving leaves the file behind for ever.
        fs::remove_file(&lock)
            .map_err(|error| git2::Error::from_str(&format!("removing {}: {error}", lock.display())))?;
        transaction = repo.transaction()?;
        transaction.lock_ref(name)?;
    }
    let found = standing(repo, name)?;
    if found != expected {
        let found = found.map(object_id);
        return Ok(PushOutcome::LeaseLost { found });
    }
    match to {
        // Bare repositories keep no reflog by default; where one is kept, its entry needs a name.
        Some(commit) => {
            let author = repo.find_commit(commit)?;
            transaction.set_target(name, commit, Some(&author.committer()), "fleetscale: push")?;
        }
        None => transaction.remove(name)?,
    }
    transaction.commit()?;
    Ok(PushOutcome::Pushed)
}

/// How long a lock may be held, in seconds. git and libgit2 hold one for milliseconds, and a hook under it for seconds.
const LONGEST_LOCK: u64 = 600;

/// Whether a lock file is older than any that is held. Its file system's own clock tells, by a file that is made now.
fn abandoned(repo: &Repository, lock: &Path) -> io::Result<bool> {
    let probe = repo.path().join(format!("fleetscale-now-{}", std::process::id()));
    fs::write(&probe, "")?;
    let now = fs::metadata(&probe).and_then(|probe| probe.modified());
    fs::remove_file(&probe)?;
    let age = now?.duration_since(fs::metadata(lock)?.modified()?);
    Ok(age.is_ok_and(|age| age.as_secs() > LONGEST_LOCK))
}

/// Where a branch stands; nothing if there is none.
fn standing(repo: &Repository, name: &str) -> Result<Option<Oid>, git2::Error> {
    match repo.find_reference(name) {
        Ok(reference) => match reference.target() {
            Some(target) => Ok(Some(target)),
            None => Err(git2::Error::from_str("the branch is a symbolic reference")),
        },
        Err(error) if error.code() == ErrorCode::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// A branch `a` or `a/b/c` that forbids a branch `a/b`: locking alone does not notice those that are packed.
fn in_the_way(repo: &Repository, branch: &BranchName) -> Result<Option<String>, git2::Error> {
    let wanted = format!("refs/heads/{branch}");
    let inside = |inner: &str, outer: &str| inner.strip_prefix(outer).is_some_and(|rest| rest.starts_with('/'));
    for name in repo.references()?.names() {
        let name = name?;
        if inside(name, &wanted) || inside(&wanted, name) {
            return Ok(Some(name.to_owned()));
        }
    }
    Ok(None)
}

/// Copies what the repository lacks of a commit: contents before the tree that names them, and the commit last, so that being killed on the
/// way leaves nothing that points at a missing object.
fn deliver(store: &Store, to: &Repository, commit: Oid) -> Result<(), git2::Error> {
    let from = store.repo().odb()?;
    let to = to.odb()?;
    if to.exists(commit) {
        return Ok(());
    }
    let object = store.repo().find_commit(commit)?;
    if let Some(parent) = object.parent_ids().find(|parent| !to.exists(*parent)) {
        return Err(git2::Error::from_str(&format!("its parent {parent} is not there")));
    }
    deliver_tree(store, &from, &to, object.tree_id())?;
    copy(&from, &to, commit)
}

fn deliver_tree(store: &Store, from: &Odb<'_>, to: &Odb<'_>, tree: Oid) -> Result<(), git2::Error> {
    if to.exists(tree) {
        return Ok(());
    }
    for entry in &store.repo().find_tree(tree)? {
        match entry.kind() {
            Some(ObjectType::Tree) => deliver_tree(store, from, to, entry.id())?,
            Some(ObjectType::Blob) if !to.exists(entry.id()) => copy(from, to, entry.id())?,
            // A submodule's commit lives in another repository.
            _ => {}
        }
    }
    copy(from, to, tree)
}

fn copy(from: &Odb<'_>, to: &Odb<'_>, id: Oid) -> Result<(), git2::Error> {
    let object = from.read(id)?;
    let written = to.write(object.kind(), object.data())?;
    if written == id {
        return Ok(());
    }
    Err(git2::Error::from_str(&format!("object {id} was stored as {written}")))
}

#[cfg(test)]
mod tests;
