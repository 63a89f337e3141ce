//! Moves a branch of a repository on this disk.
//!
//! libgit2's local transport overwrites the branch whatever it stands at, so it is not used. The objects go in first, then the branch is
//! locked with the lock file that git itself uses, compared and moved under that lock. No hook of the repository runs.

use std::path::Path;
use std::{fs, io};

use git2::{ErrorCode, ObjectType, Odb, OdbLookupFlags, Oid, Repository};

use crate::model::{BranchName, ObjectId};

use super::error::GitError;
use super::push::PushOutcome;
use super::settings::PACKING_THREADS;
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

/// From how many objects on a pack is written instead of a file for each: where `git receive-pack` draws the line, too
/// (`receive.unpackLimit`). Ten thousand new files cost seconds, and every later reader of the repository pays for them.
const MANY: usize = 100;

/// Copies what the repository lacks of a commit. Being killed on the way leaves nothing that points at a missing object: single files come
/// contents first and the commit last, and a pack is there as a whole or not at all.
fn deliver(store: &Store, to: &Repository, commit: Oid) -> Result<(), git2::Error> {
    let there = to.odb()?;
    if there.exists(commit) {
        return Ok(());
    }
    let object = store.repo().find_commit(commit)?;
    if let Some(parent) = object.parent_ids().find(|parent| !there.exists(*parent)) {
        return Err(git2::Error::from_str(&format!("its parent {parent} is not there")));
    }
    let mut lacking = Vec::new();
    lacking_of_tree(store, &there, object.tree_id(), "", &mut lacking)?;
    let name = String::new();
    lacking.push(Lacking { id: commit, name });
    if lacking.len() < MANY {
        let from = store.repo().odb()?;
        return lacking
            .iter()
            .try_for_each(|Lacking { id, .. }| copy(&from, &there, *id));
    }
    let mut pack = store.repo().packbuilder()?;
    pack.set_threads(PACKING_THREADS);
    // What git orders a pack by: the commit, the folders, the files.
    for Lacking { id, name } in lacking.iter().rev() {
        pack.insert_object(*id, Some(name))?;
    }
    pack.write(&to.path().join("objects/pack"), 0o444)
}

/// An object that a repository lacks, with the name that it has in its folder: files of one name are packed side by side.
struct Lacking {
    id: Oid,
    name: String,
}

/// Lists what a repository lacks of a tree, each content before the folder that names it.
fn lacking_of_tree(
    store: &Store,
    there: &Odb<'_>,
    tree: Oid,
    name: &str,
    lacking: &mut Vec<Lacking>,
) -> Result<(), git2::Error> {
    // The repository was opened a moment ago. To miss what somebody has packed since then costs a copy more.
    let lacks = |id| !there.exists_ext(id, OdbLookupFlags::NO_REFRESH);
    if !lacks(tree) {
        return Ok(());
    }
    for entry in &store.repo().find_tree(tree)? {
        let name = String::from_utf8_lossy(entry.name_bytes());
        match entry.kind() {
            Some(ObjectType::Tree) => lacking_of_tree(store, there, entry.id(), &name, lacking)?,
            Some(ObjectType::Blob) if lacks(entry.id()) => lacking.push(Lacking {
                id: entry.id(),
                name: name.into_owned(),
            }),
            // A submodule's commit lives in another repository.
            _ => {}
        }
    }
    let name = name.to_owned();
    lacking.push(Lacking { id: tree, name });
    Ok(())
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
