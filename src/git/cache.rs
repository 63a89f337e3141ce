//! The store that this program keeps between runs: a cache, which may be lost at any time.
//!
//! Invariants: nothing is deleted that does not carry our mark; a store appears under its name whole; whoever has one open can rely on its
//! files, because it is mended, thrown away or made anew only by a process that has it for itself. The locks are the system's and end with
//! their process.
//!
//! A fetch that is killed leaves half a pack and lock files of libgit2; a power cut or a cleaner of old files leaves a store that lacks
//! objects; thousands of fetches leave thousands of packs. Each of them ends here.

use std::ffi::OsStr;
use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use git2::Repository;

use crate::net::Deadline;

use super::error::GitError;
use super::store::init_bare;

/// The mark of a store that this program made for itself, and whose branches a fetch may therefore overwrite. It is a file and no setting,
/// because a power cut may empty the configuration.
const MARK: &str = "fleetscale-store";

/// What the mark says to people.
const MARK_TEXT: &str = "A cache of fleetscale. It may be deleted while no run is at work.\n";

/// Beside the mark if the store has to be made anew.
const SPOILED: &str = "fleetscale-spoiled";

/// Locked by the process that fetches.
const TURN: &str = "fleetscale-fetch";

/// The most packs of a store; each fetch that finds something brings one.
///
/// A fetch sends the list of shallow commits, one for each pack, and every look-up asks all packs. Measured on 75,000 files, each fetch of a
/// changed base leaves 24 kB and takes 0.1 s with 12 packs and 0.2 s with 55, while filling a new store takes 0.9 s: every sixtieth time.
const MOST_PACKS: usize = 60;

/// How long to wait before a lock is tried again.
const PAUSE: Duration = Duration::from_millis(20);

/// How often at most, for a store that is of no use until somebody has it alone.
const PATIENCE: usize = 100;

/// Keeps other processes from mending or removing the store.
pub(super) struct Hold(#[expect(dead_code, reason = "its lock ends when it is dropped")] File);

/// Keeps other processes from fetching into the store.
pub(super) struct Turn(#[expect(dead_code, reason = "its lock ends when it is dropped")] File);

/// Makes sure that there is a store, mended if nobody else uses it.
pub(super) fn enter(path: &Path) -> Result<Hold, GitError> {
    require_free(path)?;
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(io_error("creating", folder))?;
    }
    let lock = beside(path, "lock");
    let file = open(&lock)?;
    match lock_alone(&file, path) {
        Ok(()) => {
            mend(path)?;
            // Another process may mend it once more before the next lock, which changes nothing: the store is opened afterwards.
            file.unlock().map_err(io_error("unlocking", &lock))?;
        }
        Err(TryLockError::WouldBlock) => {}
        Err(TryLockError::Error(error)) => return Err(io_error("locking", &lock)(error)),
    }
    file.lock_shared().map_err(io_error("locking", &lock))?;
    Ok(Hold(file))
}

/// Locks a store that nobody else uses. For a broken one it tries for a while: a process that is being started has copies of its parent's
/// files, and their locks, until its program runs.
fn lock_alone(file: &File, path: &Path) -> Result<(), TryLockError> {
    for _ in 0..PATIENCE {
        match file.try_lock() {
            Err(TryLockError::WouldBlock) if is_spoiled(path) => std::thread::sleep(PAUSE),
            result => return result,
        }
    }
    file.try_lock()
}

/// Waits until no other process fetches into the store.
pub(super) fn take_turn(path: &Path, deadline: Deadline) -> Result<Turn, GitError> {
    let lock = path.join(TURN);
    let file = open(&lock)?;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(Turn(file)),
            Err(TryLockError::WouldBlock) if deadline.is_over() => {
                let path = path.to_owned();
                return Err(GitError::Busy { path });
            }
            Err(TryLockError::WouldBlock) => std::thread::sleep(PAUSE),
            Err(TryLockError::Error(error)) => return Err(io_error("locking", &lock)(error)),
        }
    }
}

/// Whether a repository is a store of ours.
pub(super) fn is_ours(path: &Path) -> bool {
    path.join(MARK).is_file()
}

/// Has a store made anew the next time that it is opened.
pub(super) fn spoil(path: &Path) {
    // Best effort: the error that led here is the one to be told.
    let _ = fs::write(path.join(SPOILED), "");
}

/// Whether a store is to be made anew.
pub(super) fn is_spoiled(path: &Path) -> bool {
    path.join(SPOILED).exists()
}

fn require_free(path: &Path) -> Result<(), GitError> {
    let taken = path.is_file() || fs::read_dir(path).is_ok_and(|mut entries| entries.next().is_some());
    if !taken || is_ours(path) {
        return Ok(());
    }
    let (doing, path) = ("using it as a cache", path.to_owned());
    Err(GitError::NotOurStore { doing, path })
}

fn mend(path: &Path) -> Result<(), GitError> {
    for left in [beside(path, "making"), beside(path, "discarded")] {
        remove_folder(&left)?;
    }
    if !is_ours(path) {
        return make(path);
    }
    if is_spoiled(path) || packs(path) > MOST_PACKS || !opens(path) {
        let discarded = beside(path, "discarded");
        fs::rename(path, &discarded).map_err(io_error("discarding", path))?;
        remove_folder(&discarded)?;
        return make(path);
    }
    tidy(path).map_err(io_error("tidying up", path))
}

/// Whether libgit2 takes it for a repository. A power cut leaves files that are there and empty.
fn opens(path: &Path) -> bool {
    let head = Repository::open(path).and_then(|repo| repo.find_reference("HEAD").map(|_| ()));
    head.is_ok()
}

/// Builds an empty store under another name and renames it.
fn make(path: &Path) -> Result<(), GitError> {
    let making = beside(path, "making");
    init_bare(&making).map_err(GitError::doing(format!("creating the repository {}", path.display())))?;
    fs::write(making.join(MARK), MARK_TEXT).map_err(io_error("marking", &making))?;
    fs::rename(&making, path).map_err(io_error("creating", path))
}

/// Removes what a killed process left. Nobody else is at work, so every lock is a dead one's.
fn tidy(path: &Path) -> io::Result<()> {
    for entry in fs::read_dir(path)? {
        remove_if_lock(&entry?.path())?;
    }
    remove_locks(&path.join("refs"))?;
    let packs = path.join("objects/pack");
    for entry in fs::read_dir(&packs)? {
        let file = entry?.path();
        let whole = ["pack", "idx"].iter().all(|end| file.with_extension(end).is_file());
        if !whole {
            fs::remove_file(&file)?;
        }
    }
    Ok(())
}

fn remove_locks(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            remove_locks(&entry.path())?;
        } else {
            remove_if_lock(&entry.path())?;
        }
    }
    Ok(())
}

fn remove_if_lock(file: &Path) -> io::Result<()> {
    if file.extension() == Some(OsStr::new("lock")) && file.is_file() {
        fs::remove_file(file)?;
    }
    Ok(())
}

fn packs(path: &Path) -> usize {
    let entries = fs::read_dir(path.join("objects/pack")).into_iter().flatten().flatten();
    entries
        .filter(|entry| entry.path().extension() == Some(OsStr::new("pack")))
        .count()
}

fn remove_folder(path: &Path) -> Result<(), GitError> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(io_error("removing", path)(error)),
        _ => Ok(()),
    }
}

/// `store.git` and `lock` give `store.git.lock` in the same folder.
fn beside(path: &Path, end: &str) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".");
    name.push(end);
    path.with_file_name(name)
}

fn open(path: &Path) -> Result<File, GitError> {
    let file = File::options().create(true).truncate(false).write(true).open(path);
    file.map_err(io_error("opening", path))
}

fn io_error(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> GitError {
    let path = path.to_owned();
    move |source| GitError::Io { doing, path, source }
}

#[cfg(test)]
mod tests;
