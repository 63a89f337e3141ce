//! The files of one commit, from the object database.

use git2::{ObjectType, Oid, Tree};

use crate::model::{ObjectId, RepoPath};

use super::error::GitError;
use super::store::{BlobId, Store, object_id};

/// The most files that a listing holds. The largest public GitOps repositories have some hundred thousand; half a million takes about
/// 130 MB of memory, and what is larger by far is no repository but an attack.
const MOST_FILES: usize = 500_000;

/// The longest path that is followed, in bytes; also bounds how deep folders nest.
const LONGEST_PATH: usize = 4_096;

/// All files of one commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TreeListing {
    /// The commit.
    pub commit: ObjectId,
    /// Its tree.
    pub tree: ObjectId,
    /// The files in the order of their paths, bytewise. Reading blobs in this order is what packs are laid out for.
    pub entries: Vec<TreeEntry>,
    /// What is there but can't be named or used, in the same order.
    pub unusable: Vec<UnusableEntry>,
}

/// One file. Its size is not here: looking it up costs as much as half of reading it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TreeEntry {
    /// The path from the root.
    pub path: RepoPath,
    /// What kind of file it is.
    pub mode: FileMode,
    /// The object with its bytes; for a submodule, a commit of another repository.
    pub id: BlobId,
}

/// The kinds of file that Git knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileMode {
    /// A plain file.
    File,
    /// A plain file that may be executed.
    Executable,
    /// A symbolic link; its bytes are the target. It is never followed.
    Symlink,
    /// A commit of another repository.
    Submodule,
}

/// An entry whose path is not a [`RepoPath`] or whose mode Git does not define.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnusableEntry {
    /// The path with what is not UTF-8 replaced; untrusted text.
    pub path: String,
    /// Why it can't be used.
    pub why: String,
}

impl FileMode {
    /// The kind that a raw mode stands for; folders and unknown modes have none.
    pub(super) fn from_raw(mode: i32) -> Option<Self> {
        match mode {
            // 100664 was written by Git before 2005 and is still accepted.
            0o100_644 | 0o100_664 => Some(Self::File),
            0o100_755 => Some(Self::Executable),
            0o120_000 => Some(Self::Symlink),
            0o160_000 => Some(Self::Submodule),
            _ => None,
        }
    }
}

impl Store {
    /// Lists the files of a commit.
    pub fn tree(&self, commit: &ObjectId) -> Result<TreeListing, GitError> {
        let tree = self.commit_object(commit)?.tree_id();
        let mut listing = TreeListing {
            commit: commit.clone(),
            tree: object_id(tree),
            entries: Vec::new(),
            unusable: Vec::new(),
        };
        self.list_folder(tree, &mut Vec::new(), &mut listing)?;
        Ok(listing)
    }

    fn list_folder(&self, tree: Oid, prefix: &mut Vec<u8>, listing: &mut TreeListing) -> Result<(), GitError> {
        let tree = self.folder(tree)?;
        for entry in &tree {
            if listing.entries.len() + listing.unusable.len() >= MOST_FILES {
                let commit = listing.commit.clone();
                let most = MOST_FILES;
                return Err(GitError::TooManyFiles { commit, most });
            }
            let length = prefix.len();
            prefix.extend_from_slice(entry.name_bytes());
            if entry.kind() == Some(ObjectType::Tree) && prefix.len() < LONGEST_PATH {
                prefix.push(b'/');
                self.list_folder(entry.id(), prefix, listing)?;
            } else {
                match usable(prefix, &entry) {
                    Ok(entry) => listing.entries.push(entry),
                    Err(why) => {
                        let path = String::from_utf8_lossy(prefix).into_owned();
                        listing.unusable.push(UnusableEntry { path, why });
                    }
                }
            }
            prefix.truncate(length);
        }
        Ok(())
    }

    pub(super) fn folder(&self, tree: Oid) -> Result<Tree<'_>, GitError> {
        self.repo().find_tree(tree).map_err(GitError::doing(format!(
            "reading folder {tree} of {}",
            self.path().display()
        )))
    }
}

fn usable(path: &[u8], entry: &git2::TreeEntry<'_>) -> Result<TreeEntry, String> {
    let text = std::str::from_utf8(path).map_err(|_| "its name is not UTF-8".to_owned())?;
    let path: RepoPath = text
        .parse()
        .map_err(|error: crate::model::InvalidName| error.why.to_owned())?;
    let mode = FileMode::from_raw(entry.filemode_raw())
        .ok_or_else(|| format!("its mode {:o} is not one of a file", entry.filemode_raw()))?;
    let id = BlobId(entry.id());
    Ok(TreeEntry { path, mode, id })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::git::testing::World;

    #[test]
    fn a_listing_is_what_git_lists() {
        let world = World::new();
        world.human(
            "kinds",
            &[("b.yaml", "1"), ("b/a.yaml", "2"), ("b-c", "3"), ("run.sh", "4")],
        );
        world.git(&["update-index", "--chmod=+x", "run.sh"]);
        world.git(&[
            "update-index",
            "--add",
            "--cacheinfo",
            &format!("160000,{},sub", "1".repeat(40)),
        ]);
        std::os::unix::fs::symlink("b.yaml", world.clone_path().join("link")).unwrap();
        world.git(&["add", "link"]);
        world.git(&["commit", "-qm", "kinds"]);
        world.git(&["push", "-q", "origin", "HEAD:kinds"]);
        let expected = world.git(&["-c", "core.quotePath=false", "ls-tree", "-r", "HEAD"]);

        let listing = Store::open(world.remote_path())
            .unwrap()
            .tree(&world.head("kinds"))
            .unwrap();
        let lines: Vec<String> = listing
            .entries
            .iter()
            .map(
                |TreeEntry {
                     path,
                     mode,
                     id: BlobId(id),
                 }| {
                    let mode = match mode {
                        FileMode::File => "100644 blob",
                        FileMode::Executable => "100755 blob",
                        FileMode::Symlink => "120000 blob",
                        FileMode::Submodule => "160000 commit",
                    };
                    format!("{mode} {id}\t{path}")
                },
            )
            .collect();
        assert_eq!(lines.join("\n"), expected);
        assert_eq!(listing.unusable, []);
    }

    #[test]
    fn a_name_that_is_no_path_is_listed_apart() {
        let world = World::new();
        world.human("odd", &[("a\\b", "1"), ("c\td", "2"), ("fine", "3")]);
        let listing = Store::open(world.remote_path())
            .unwrap()
            .tree(&world.head("odd"))
            .unwrap();
        let odd: Vec<&str> = listing.unusable.iter().map(|entry| entry.path.as_str()).collect();
        assert_eq!(odd, ["a\\b", "c\td"]);
        assert!(listing.entries.iter().any(|entry| entry.path.as_str() == "fine"));
    }

    #[test]
    fn a_tree_that_unfolds_without_end_is_refused() {
        let world = World::new();
        let store = Store::open(world.remote_path()).unwrap();
        let repo = store.repo();
        let mut id = repo.blob(b"x").unwrap();
        for level in 0..8 {
            let mut folder = repo.treebuilder(None).unwrap();
            let mode = if level == 0 { 0o100_644 } else { 0o040_000 };
            for name in 0..10 {
                folder.insert(name.to_string(), id, mode).unwrap();
            }
            id = folder.write().unwrap();
        }
        let author = crate::git::testing::agent().at(crate::git::testing::noon()).unwrap();
        let tree = repo.find_tree(id).unwrap();
        let commit = repo.commit(None, &author, &author, "bomb", &tree, &[]).unwrap();
        assert!(matches!(
            store.tree(&object_id(commit)),
            Err(GitError::TooManyFiles { .. })
        ));
    }
}
