//! A fleet repository where it lies: one commit of it, or a plain folder as it stands.
//!
//! It is read only, and nothing is fetched, imported or cached. A checkout is read at its commit, so what is not committed does not count; a
//! folder that is no repository is read as it stands. Links are never followed, and a repository within the folder is a submodule.

use std::fs;
use std::path::{Path, PathBuf};

use crate::error::{ErrorKind, Failure};
use crate::fleet::{FleetTree, LARGEST_FILE, Lent, Mode, Screen, TreeEntry};
use crate::git::{Store, TreeListing};
use crate::model::{BranchName, ObjectId, RepoPath};
use crate::policy::FleetFile;

use super::inputs::{files_at_base, is_manifest, largest, read_tree};

/// The most files of a folder; as many as the object database lists.
const MOST_FILES: usize = 500_000;

/// The files of a repository.
pub(super) enum Source {
    /// A commit.
    Commit {
        store: Store,
        listing: TreeListing,
        branch: Option<BranchName>,
    },
    /// A folder that is no repository.
    Folder {
        path: PathBuf,
        entries: Vec<TreeEntry<usize>>,
    },
}

impl Source {
    /// Opens what lies at a path: a checkout or bare repository at `reference` or else at its HEAD, or a plain folder.
    pub(super) fn at(path: &Path, reference: Option<&str>) -> Result<Self, Failure> {
        if is_repository(path) {
            let store = Store::open(path).map_err(|error| {
                Failure::new(ErrorKind::Publish, &error)
                    .with_hint("--repo takes the folder that holds .git, a bare repository, or a plain folder")
            })?;
            return Self::of_store(store, reference);
        }
        if let Some(name) = reference {
            return Err(Failure::plain(
                ErrorKind::Usage,
                format!("{} is a plain folder and has no {name}", path.display()),
            )
            .with_hint("leave --ref out, or name the folder that holds .git"));
        }
        Self::of_folder(path)
    }

    /// A commit of an open repository: `reference`, or its HEAD.
    pub(super) fn of_store(store: Store, reference: Option<&str>) -> Result<Self, Failure> {
        let failed = |error| Failure::new(ErrorKind::Publish, &error);
        let (commit, branch) = match reference {
            Some(name) => (store.resolve(name).map_err(failed)?, name.parse().ok()),
            None => store.head().map_err(|error| {
                failed(error)
                    .with_hint("a repository without a commit has nothing to read; name another commit with --ref")
            })?,
        };
        let listing = store.tree(&commit).map_err(failed)?;
        Ok(Self::Commit { store, listing, branch })
    }

    /// A folder as it stands.
    pub(super) fn of_folder(path: &Path) -> Result<Self, Failure> {
        let mut files = Vec::new();
        list(path, None, &mut files)?;
        files.sort_by(|(a, _), (b, _)| a.cmp(b));
        let entries = files
            .into_iter()
            .enumerate()
            .map(|(id, (path, mode))| TreeEntry { path, mode, id });
        Ok(Self::Folder {
            path: path.to_owned(),
            entries: entries.collect(),
        })
    }

    /// The commit; a plain folder has none.
    pub(super) fn commit(&self) -> Option<&ObjectId> {
        match self {
            Self::Commit { listing, .. } => Some(&listing.commit),
            Self::Folder { .. } => None,
        }
    }

    /// The branch that the commit was named by.
    pub(super) fn branch(&self) -> Option<&BranchName> {
        match self {
            Self::Commit { branch, .. } => branch.as_ref(),
            Self::Folder { .. } => None,
        }
    }

    /// Reads every file that passes the screen, in one pass.
    pub(super) fn tree(&self, screen: &Screen) -> Result<FleetTree, Failure> {
        match self {
            Self::Commit { store, listing, .. } => read_tree(store, listing.clone(), screen),
            Self::Folder { path, entries } => {
                FleetTree::read(no_commit(), entries.iter().cloned(), screen, |number, lend| {
                    lend_file(&path.join(entries[number].path.as_str()), lend)
                })
            }
        }
    }

    /// The manifests of the folder of the policies; none if there are none.
    pub(super) fn policies(&self, fleet: &FleetFile) -> Result<Vec<(String, Vec<u8>)>, Failure> {
        let wanted = |path: &RepoPath| path.is_under(&fleet.policies) && is_manifest(path.as_str());
        match self {
            Self::Commit { store, listing, .. } => {
                if listing.entries.iter().any(|entry| wanted(&entry.path)) {
                    files_at_base(fleet, store, listing)
                } else {
                    Ok(Vec::new())
                }
            }
            Self::Folder { path, entries } => {
                let files = entries
                    .iter()
                    .filter(|entry| entry.mode != Mode::Symlink && wanted(&entry.path));
                let read = files.map(|entry| {
                    let mut bytes = Vec::new();
                    lend_file(&path.join(entry.path.as_str()), &mut |lent| bytes = lent.to_vec())?;
                    Ok((entry.path.to_string(), bytes))
                });
                read.collect()
            }
        }
    }
}

/// Whether Git lives here. Folders above are not looked at: a folder within a checkout is a plain one.
fn is_repository(path: &Path) -> bool {
    path.join(".git").exists() || path.join("HEAD").is_file() && path.join("objects").is_dir()
}

/// What stands for the commit of a plain folder, as Git writes it where there is none.
fn no_commit() -> ObjectId {
    "0".repeat(40).parse().expect("40 hexadecimal digits")
}

fn failed(path: &Path, error: &std::io::Error) -> Failure {
    Failure::plain(ErrorKind::Input, format!("reading {}: {error}", path.display()))
}

/// The files of a folder with their kinds. What Git could not hold either (a device, a name that is no text) is left out, and said.
fn list(folder: &Path, prefix: Option<&RepoPath>, files: &mut Vec<(RepoPath, Mode)>) -> Result<(), Failure> {
    let entries = fs::read_dir(folder).map_err(|error| failed(folder, &error))?;
    for entry in entries {
        let entry = entry.map_err(|error| failed(folder, &error))?;
        let (name, path) = (entry.file_name(), entry.path());
        let below = match (name.to_str(), prefix) {
            (Some(name), None) => name.parse().ok(),
            (Some(name), Some(prefix)) => prefix.join(name).ok(),
            (None, _) => None,
        };
        let Some(below) = below else {
            tracing::warn!(path = %path.display(), "left out: no repository can hold a file of this name");
            continue;
        };
        let kind = entry.file_type().map_err(|error| failed(&path, &error))?;
        let mode = if kind.is_symlink() {
            Mode::Symlink
        } else if kind.is_file() {
            Mode::File
        } else if kind.is_dir() && path.join(".git").exists() {
            Mode::Submodule
        } else if kind.is_dir() {
            list(&path, Some(&below), files)?;
            continue;
        } else {
            tracing::warn!(path = %path.display(), "left out: it is neither a file nor a folder nor a link");
            continue;
        };
        if files.len() >= MOST_FILES {
            let message = format!("reading {}: it has more than {MOST_FILES} files", folder.display());
            return Err(Failure::plain(ErrorKind::Input, message));
        }
        files.push((below, mode));
    }
    Ok(())
}

/// Lends the bytes of a file on disk. Its size is looked up first, and what grows while it is read is cut off and refused.
fn lend_file(path: &Path, lend: &mut dyn FnMut(&[u8])) -> Result<Lent, Failure> {
    use std::io::Read as _;
    let file = fs::File::open(path).map_err(|error| failed(path, &error))?;
    let size = file.metadata().map_err(|error| failed(path, &error))?.len();
    if size > LARGEST_FILE {
        return Ok(Lent::TooLarge { bytes: size });
    }
    let mut bytes = Vec::new();
    file.take(LARGEST_FILE + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| failed(path, &error))?;
    if bytes.len() > largest() {
        return Ok(Lent::TooLarge {
            bytes: LARGEST_FILE + 1,
        });
    }
    lend(&bytes);
    Ok(Lent::Whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(source: &Source) -> Vec<String> {
        let tree = source.tree(&Screen::new().words(["x"])).unwrap();
        let kept: Vec<&RepoPath> = tree.kept().map(|(path, _)| path).collect();
        tree.paths()
            .map(|path| format!("{path} {:?} {}", tree.mode(path).unwrap(), kept.contains(&path)))
            .collect()
    }

    #[test]
    fn a_folder_is_read_as_it_stands_and_links_are_not_followed() {
        let folder = tempfile::TempDir::new().unwrap();
        let write = |name: &str, text: &[u8]| {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        write("a/b.yaml", b"x: 1\n");
        write("a/c.yaml", b"y: 1\n");
        write("other/.git", b"gitdir: /nowhere\n");
        write("other/d.yaml", b"x: 1\n");
        write("large.yaml", &vec![b'x'; largest() + 1]);
        std::os::unix::fs::symlink("/etc", folder.path().join("etc")).unwrap();
        let source = Source::at(folder.path(), None).unwrap();
        assert_eq!(
            listed(&source),
            [
                "a/b.yaml File true",
                "a/c.yaml File false",
                "etc Symlink false",
                "large.yaml File false",
                "other Submodule false"
            ]
        );
        assert_eq!(source.commit(), None);
        let refused = Source::at(folder.path(), Some("main")).map(|_| ()).unwrap_err();
        assert!(refused.message.contains("plain folder"), "{refused}");
        let nowhere = Source::at(&folder.path().join("nowhere"), None)
            .map(|_| ())
            .unwrap_err();
        assert!(nowhere.message.contains("nowhere"), "{nowhere}");
    }
}
