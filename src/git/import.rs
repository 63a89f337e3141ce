//! Turns a folder on disk into a bare repository with one commit: how the quickstart gets its remote.
//!
//! Invariant: the same folder, identity and time give the same commit id on every machine. Bytes are stored as they are (no line-ending
//! conversion, no filter, no ignore file); of the permissions only the executable bit is kept; links stay links.

use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use git2::{Oid, Repository};
use jiff::Timestamp;

use crate::model::ObjectId;

use super::error::GitError;
use super::identity::Identity;
use super::settings;
use super::store::{Store, init_bare, object_id};

/// Why a folder can't become a repository.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// A file or folder that a repository can't or must not hold.
    #[error("importing {}: {why}", path.display())]
    Refused {
        /// The file or folder.
        path: PathBuf,
        /// The rule that it breaks.
        why: &'static str,
    },
    /// The place for the new repository is taken by something else.
    #[error("importing into {}: something is there that can't be used as a repository with a branch main", path.display())]
    Taken {
        /// The place.
        path: PathBuf,
        /// What opening it as a repository said.
        #[source]
        source: GitError,
    },
    /// The file system refused.
    #[error("{doing} {}", path.display())]
    Io {
        /// What was being done: `reading`.
        doing: &'static str,
        /// To what.
        path: PathBuf,
        /// The system's answer.
        #[source]
        source: io::Error,
    },
    /// Git refused.
    #[error(transparent)]
    Git(#[from] GitError),
}

/// Makes `into` a bare repository whose branch main has one commit with the files of `from`, and returns that commit.
///
/// A repository that is there already and has a branch main is left as it is, and its main is returned. The new one is built beside `into`
/// and renamed, so an import that is killed leaves no half repository under the name.
pub fn import(from: &Path, into: &Path, author: &Identity, when: Timestamp) -> Result<ObjectId, ImportError> {
    settings::isolate()?;
    if occupied(into) {
        return present(into);
    }
    let mut name = into.file_name().unwrap_or_default().to_owned();
    name.push(format!(".importing-{}", std::process::id()));
    let building = into.with_file_name(name);
    if building.exists() {
        fs::remove_dir_all(&building).map_err(io_error("removing the left-over", &building))?;
    }
    let commit = build(from, &building, author, when).inspect_err(|_| {
        // Best effort: the error that is being returned says more than one about cleaning up.
        let _ = fs::remove_dir_all(&building);
    })?;
    settle(&building, into, commit)
}

/// Gives the new repository its name, or takes the one that another process was faster to put there.
fn settle(building: &Path, into: &Path, commit: ObjectId) -> Result<ObjectId, ImportError> {
    let Err(error) = fs::rename(building, into) else {
        return Ok(commit);
    };
    // Best effort, as above.
    let _ = fs::remove_dir_all(building);
    if occupied(into) {
        return present(into);
    }
    Err(io_error("naming", into)(error))
}

fn occupied(into: &Path) -> bool {
    into.is_file() || fs::read_dir(into).is_ok_and(|mut entries| entries.next().is_some())
}

/// The branch main of a repository that is there already.
fn present(into: &Path) -> Result<ObjectId, ImportError> {
    let main = Store::open(into).and_then(|store| store.resolve("main"));
    main.map_err(|source| ImportError::Taken {
        path: into.to_owned(),
        source,
    })
}

fn build(from: &Path, into: &Path, author: &Identity, when: Timestamp) -> Result<ObjectId, ImportError> {
    let doing = || GitError::doing(format!("importing {} into {}", from.display(), into.display()));
    let repo = init_bare(into).map_err(doing())?;
    let odb = repo.odb().map_err(doing())?;
    odb.add_new_mempack_backend(1_000).map_err(doing())?;

    let tree = match folder(&repo, from)? {
        Some(tree) => tree,
        None => repo
            .treebuilder(None)
            .and_then(|empty| empty.write())
            .map_err(doing())?,
    };
    let commit = write_commit(&repo, tree, author, when).map_err(doing())?;

    // One pack instead of as many loose files as there are objects, and before the branch that needs it.
    let packs = into.join("objects/pack");
    let mut pack = repo.packbuilder().map_err(doing())?;
    pack.insert_commit(commit).map_err(doing())?;
    pack.write(&packs, 0o444).map_err(doing())?;
    repo.reference("refs/heads/main", commit, false, "import")
        .map_err(doing())?;
    Ok(object_id(commit))
}

fn write_commit(repo: &Repository, tree: Oid, author: &Identity, when: Timestamp) -> Result<Oid, git2::Error> {
    let signature = author.at(when)?;
    let tree = repo.find_tree(tree)?;
    repo.commit(None, &signature, &signature, "Import the fleet\n", &tree, &[])
}

/// Writes a folder's tree; nothing if it has no file, since Git does not know empty folders.
fn folder(repo: &Repository, path: &Path) -> Result<Option<Oid>, ImportError> {
    let doing = || GitError::doing(format!("importing {}", path.display()));
    let mut builder = repo.treebuilder(None).map_err(doing())?;
    let entries = fs::read_dir(path).map_err(io_error("listing", path))?;
    for entry in entries {
        let entry = entry.map_err(io_error("listing", path))?;
        let name = entry.file_name();
        let child = entry.path();
        let Some(name) = name.to_str() else {
            return refused(&child, "its name is not UTF-8");
        };
        if name.parse::<crate::model::RepoPath>().is_err() {
            return refused(&child, "a fleet repository can't hold a file or folder of this name");
        }
        let kind = entry.file_type().map_err(io_error("reading", &child))?;
        let (id, mode) = if kind.is_symlink() {
            let target = fs::read_link(&child).map_err(io_error("reading", &child))?;
            (repo.blob(target.as_os_str().as_bytes()).map_err(doing())?, 0o120_000)
        } else if kind.is_dir() {
            match folder(repo, &child)? {
                Some(tree) => (tree, 0o040_000),
                None => continue,
            }
        } else if kind.is_file() {
            let bytes = fs::read(&child).map_err(io_error("reading", &child))?;
            let metadata = entry.metadata().map_err(io_error("reading", &child))?;
            let executable = metadata.permissions().mode() & 0o100 != 0;
            let mode = if executable { 0o100_755 } else { 0o100_644 };
            (repo.blob(&bytes).map_err(doing())?, mode)
        } else {
            return refused(&child, "it is neither a file nor a folder nor a link");
        };
        builder.insert(name, id, mode).map_err(doing())?;
    }
    if builder.is_empty() {
        return Ok(None);
    }
    Ok(Some(builder.write().map_err(doing())?))
}

fn refused<T>(path: &Path, why: &'static str) -> Result<T, ImportError> {
    let path = path.to_owned();
    Err(ImportError::Refused { path, why })
}

fn io_error(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> ImportError {
    let path = path.to_owned();
    move |source| ImportError::Io { doing, path, source }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::git::testing::{agent, git_in, noon};

    fn example(folder: &Path) {
        fs::create_dir_all(folder.join("a/b")).unwrap();
        fs::create_dir_all(folder.join("empty/inside")).unwrap();
        fs::write(folder.join("a/b/crlf.yaml"), "x: 1\r\n").unwrap();
        fs::write(folder.join(".gitattributes"), "* text eol=lf\n").unwrap();
        fs::write(folder.join(".gitignore"), "*\n").unwrap();
        fs::write(folder.join("run.sh"), "#!/bin/sh\n").unwrap();
        fs::set_permissions(folder.join("run.sh"), fs::Permissions::from_mode(0o755)).unwrap();
        std::os::unix::fs::symlink("/etc/passwd", folder.join("link")).unwrap();
    }

    #[test]
    fn an_import_keeps_bytes_modes_and_links_and_is_the_same_each_time() {
        let folder = tempfile::tempdir().unwrap();
        let from = folder.path().join("from");
        example(&from);
        let one = import(&from, &folder.path().join("one.git"), &agent(), noon()).unwrap();
        let two = import(&from, &folder.path().join("deep/er/two.git"), &agent(), noon());
        assert!(matches!(two, Ok(id) if id == one));

        let repo = folder.path().join("one.git");
        let listed = git_in(&repo, &["ls-tree", "-r", "main", "--format=%(objectmode) %(path)"]);
        assert_eq!(
            listed,
            "100644 .gitattributes\n100644 .gitignore\n100644 a/b/crlf.yaml\n120000 link\n100755 run.sh"
        );
        assert_eq!(git_in(&repo, &["cat-file", "blob", "main:link"]), "/etc/passwd");
        assert_eq!(git_in(&repo, &["cat-file", "-s", "main:a/b/crlf.yaml"]), "6");
        git_in(&repo, &["fsck", "--strict"]);
        let leftovers = fs::read_dir(folder.path()).unwrap().count();
        assert_eq!(leftovers, 3);
    }

    #[test]
    fn a_repository_with_history_is_left_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let (from, into) = (folder.path().join("from"), folder.path().join("into.git"));
        example(&from);
        let first = import(&from, &into, &agent(), noon()).unwrap();
        fs::write(from.join("new.yaml"), "x: 2\n").unwrap();
        assert_eq!(import(&from, &into, &agent(), noon()).unwrap(), first);
    }

    #[test]
    fn two_imports_at_once_make_one_repository() {
        let folder = tempfile::tempdir().unwrap();
        let (from, into) = (folder.path().join("from"), folder.path().join("into.git"));
        example(&from);
        // What the slower one finds when it has built its own: the name is taken.
        let building = folder.path().join(format!("into.git.importing-{}", std::process::id()));
        let built = build(&from, &building, &agent(), noon()).unwrap();
        assert_eq!(import(&from, &into, &agent(), noon()).unwrap(), built);
        build(&from, &building, &agent(), noon()).unwrap();
        assert_eq!(settle(&building, &into, built.clone()).unwrap(), built);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
    }

    #[test]
    fn what_a_repository_must_not_hold_is_refused_and_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let (from, into) = (folder.path().join("from"), folder.path().join("into.git"));
        fs::create_dir_all(from.join("sub/.GIT")).unwrap();
        let refused = import(&from, &into, &agent(), noon());
        assert!(matches!(refused, Err(ImportError::Refused { path, .. }) if path.ends_with(".GIT")));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);

        fs::create_dir_all(&into).unwrap();
        fs::write(into.join("mine"), "keep me").unwrap();
        let taken = import(&from, &into, &agent(), noon());
        assert!(matches!(taken, Err(ImportError::Taken { .. })));
    }
}
