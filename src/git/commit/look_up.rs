//! Finds the plain files of a tree, one path after the other.

use git2::{FileMode as RawMode, ObjectType, Oid, Tree};

use crate::git::store::Store;
use crate::model::RepoPath;

use super::DraftError;

pub(super) const FOLDER: i32 = 0o040_000;

/// A tree in which paths are looked up.
///
/// The folders on the way to the last path stay open: paths come in their order, and a folder of hundreds of entries costs more to open
/// than all that is looked up in it.
pub(super) struct LookUp<'s> {
    store: &'s Store,
    root: Tree<'s>,
    /// The folders below the root, outermost first.
    open: Vec<(String, Tree<'s>)>,
}

impl<'s> LookUp<'s> {
    /// Begins at the root of a tree.
    pub(super) fn new(store: &'s Store, tree: &Tree<'_>) -> Result<Self, DraftError> {
        let root = store.folder(tree.id())?;
        let open = Vec::new();
        Ok(Self { store, root, open })
    }

    /// The plain file at a path; nothing if there is nothing.
    pub(super) fn file(&mut self, path: &RepoPath) -> Result<Option<(RawMode, Oid)>, DraftError> {
        let (folders, name) = path.as_str().rsplit_once('/').unwrap_or(("", path.as_str()));
        let parts: Vec<&str> = folders.split('/').filter(|part| !part.is_empty()).collect();
        let known = self
            .open
            .iter()
            .zip(&parts)
            .take_while(|((open, _), part)| open == *part);
        self.open.truncate(known.count());
        for (depth, part) in parts.iter().enumerate().skip(self.open.len()) {
            let Some((kind, mode, id)) = entry_of(self.innermost(), part) else {
                return Ok(None);
            };
            if kind != Some(ObjectType::Tree) {
                let (path, part, found) = (path.clone(), parts[..=depth].join("/"), words(mode));
                return Err(DraftError::NotAFolder { path, part, found });
            }
            self.open.push(((*part).to_owned(), self.store.folder(id)?));
        }
        let Some((_, mode, id)) = entry_of(self.innermost(), name) else {
            return Ok(None);
        };
        match mode {
            0o100_644 => Ok(Some((RawMode::Blob, id))),
            0o100_664 => Ok(Some((RawMode::BlobGroupWritable, id))),
            0o100_755 => Ok(Some((RawMode::BlobExecutable, id))),
            other => {
                let (path, found) = (path.clone(), words(other));
                Err(DraftError::NotAFile { path, found })
            }
        }
    }

    fn innermost(&self) -> &Tree<'s> {
        self.open.last().map_or(&self.root, |(_, folder)| folder)
    }
}

fn entry_of(folder: &Tree<'_>, name: &str) -> Option<(Option<ObjectType>, i32, Oid)> {
    let entry = folder.get_name(name)?;
    Some((entry.kind(), entry.filemode_raw(), entry.id()))
}

fn words(mode: i32) -> &'static str {
    match mode {
        FOLDER => "folder",
        0o120_000 => "symbolic link",
        0o160_000 => "submodule",
        0o100_644 | 0o100_664 | 0o100_755 => "file",
        _ => "entry of unknown kind",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::git::testing::World;

    #[test]
    fn the_order_of_the_paths_changes_no_answer() {
        let world = World::new();
        let files = ["a", "b/a", "b/b/a", "b/b/b/a", "b/c/a", "c/b/a", "d/a"].map(|path| (path, path));
        let head = world.human("files", &files);
        let store = Store::open(world.remote_path()).unwrap();
        let tree = store.commit_object(&head).unwrap().tree().unwrap();
        let absent = ["b/a/none", "b/b/none", "b/none/a", "none", "none/a/a"];
        let paths: Vec<&str> = files.iter().map(|(path, _)| *path).chain(absent).collect();
        let alone = |path: &str| LookUp::new(&store, &tree).unwrap().file(&path.parse().unwrap()).ok();
        assert_eq!(paths.iter().filter(|path| alone(path).flatten().is_some()).count(), 7);
        // Every path after every other one.
        let mut look_up = LookUp::new(&store, &tree).unwrap();
        for first in &paths {
            for second in &paths {
                for path in [first, second] {
                    assert_eq!(look_up.file(&path.parse().unwrap()).ok(), alone(path), "{path}");
                }
            }
        }
    }
}
