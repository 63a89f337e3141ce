//! A repository as a source of commits and files, and a place for new ones.

use std::path::{Path, PathBuf};

use git2::{Oid, Repository, RepositoryInitOptions};

use crate::model::{BranchName, ObjectId};

use super::cache::{self, Hold};
use super::error::GitError;
use super::remote::Remote;
use super::settings;

/// A Git repository that is read and never altered: what is written through it stays in memory.
///
/// New objects go to an in-memory object database that lies over the one on disk and live as long as this value, so a dry run, a run that
/// is killed and a run whose push is refused leave nothing behind. Only a push, an import or a fetch writes to a disk.
pub struct Store {
    repo: Repository,
    path: PathBuf,
    /// For our own store: it stays where it is as long as this value lives.
    _hold: Option<Hold>,
}

/// The object that holds a file's bytes. It is as the object database has it: a fleet has too many files to spell out the id of each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BlobId(pub(super) Oid);

/// The object database with the highest priority takes the writes; libgit2's own two have 1 and 2.
const ABOVE_ALL: i32 = 1_000;

impl Store {
    /// Opens the repository at exactly this path, bare or with a work tree. Folders above it are not searched.
    pub fn open(path: &Path) -> Result<Self, GitError> {
        settings::isolate()?;
        let doing = || GitError::doing(format!("opening the repository {}", path.display()));
        let repo = Repository::open(path).map_err(doing())?;
        repo.odb()
            .and_then(|odb| odb.add_new_mempack_backend(ABOVE_ALL).map(|_| ()))
            .map_err(doing())?;
        Ok(Self {
            repo,
            path: path.to_owned(),
            _hold: None,
        })
    }

    /// Opens this program's own store, creating it if nothing is there yet, and anew if it is broken or has grown too large.
    pub fn open_or_create(path: &Path) -> Result<Self, GitError> {
        settings::isolate()?;
        let hold = cache::enter(path)?;
        let store = Self::open(path)?;
        store.require_ours("using it as a cache")?;
        Ok(Self {
            _hold: Some(hold),
            ..store
        })
    }

    /// Opens the store that belongs to a remote: the repository itself where it lies on this disk, our own one in `cache` for a server.
    pub fn of(remote: &Remote, cache: &Path) -> Result<Self, GitError> {
        match remote {
            Remote::Path(path) => Self::open(path),
            Remote::Server(_) => Self::open_or_create(cache),
        }
    }

    /// The commit that a branch, a tag or a full commit id names; branches come first.
    pub fn resolve(&self, name: &str) -> Result<ObjectId, GitError> {
        let not_found = || GitError::NotFound {
            name: name.to_owned(),
            place: self.path.display().to_string(),
        };
        if let Ok(branch) = name.parse::<BranchName>() {
            for full in [format!("refs/heads/{branch}"), format!("refs/tags/{branch}")] {
                if let Ok(reference) = self.repo.find_reference(&full) {
                    let commit = reference
                        .peel_to_commit()
                        .map_err(GitError::doing(format!("reading {full} of {}", self.path.display())))?;
                    return Ok(object_id(commit.id()));
                }
            }
        }
        let id: ObjectId = name.parse().map_err(|_| not_found())?;
        match self.repo.find_commit(oid(&id)?) {
            Ok(_) => Ok(id),
            Err(error) if error.code() == git2::ErrorCode::NotFound => Err(not_found()),
            Err(error) => Err(GitError::doing(format!("reading commit {id}"))(error)),
        }
    }

    /// The commit that `HEAD` stands at, and the branch that it names; a detached one names none.
    pub fn head(&self) -> Result<(ObjectId, Option<BranchName>), GitError> {
        let doing = || GitError::doing(format!("reading HEAD of {}", self.path.display()));
        let head = self.repo.head().map_err(doing())?;
        let commit = head.peel_to_commit().map_err(doing())?;
        let branch = head.is_branch().then(|| head.shorthand().ok()?.parse().ok()).flatten();
        Ok((object_id(commit.id()), branch))
    }

    /// The tree of a commit.
    pub fn tree_of(&self, commit: &ObjectId) -> Result<ObjectId, GitError> {
        Ok(object_id(self.commit_object(commit)?.tree_id()))
    }

    /// Lends the bytes of a file to `read`.
    ///
    /// The size is looked up first, so that a file above `most` bytes costs nothing but the error: a few kilobytes of pack can unfold to
    /// gigabytes. For files of a kilobyte the look-up costs about as much as the reading.
    pub fn with_blob<T>(&self, id: BlobId, most: usize, read: impl FnOnce(&[u8]) -> T) -> Result<T, GitError> {
        let BlobId(oid) = id;
        let doing = || GitError::doing(format!("reading file {oid} of {}", self.path.display()));
        let odb = self.repo.odb().map_err(doing())?;
        let (size, kind) = odb.read_header(oid).map_err(doing())?;
        if kind != git2::ObjectType::Blob {
            let error = git2::Error::from_str("the object is not a file");
            return Err(doing()(error));
        }
        if size > most {
            let id = object_id(oid);
            return Err(GitError::TooLarge { id, size, most });
        }
        let object = odb.read(oid).map_err(doing())?;
        Ok(read(object.data()))
    }

    /// The addresses of its remotes as its own configuration has them, in the order of their names. One may hold a secret.
    pub fn remotes(&self) -> Vec<String> {
        let Ok(names) = self.repo.remotes() else {
            return Vec::new();
        };
        let mut names: Vec<&str> = names.iter().flatten().flatten().collect();
        names.sort_unstable();
        let remotes = names.into_iter().filter_map(|name| self.repo.find_remote(name).ok());
        remotes
            .filter_map(|remote| remote.url().map(str::to_owned).ok())
            .collect()
    }

    /// Where the repository lies.
    pub fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn repo(&self) -> &Repository {
        &self.repo
    }

    pub(super) fn commit_object(&self, id: &ObjectId) -> Result<git2::Commit<'_>, GitError> {
        self.repo.find_commit(oid(id)?).map_err(GitError::doing(format!(
            "reading commit {id} of {}",
            self.path.display()
        )))
    }

    /// Whether this program made it for itself, as a cache of a server.
    pub(super) fn is_ours(&self) -> bool {
        cache::is_ours(self.repo.path())
    }

    /// Refuses a repository that this program did not make for itself.
    pub(super) fn require_ours(&self, doing: &'static str) -> Result<(), GitError> {
        if self.is_ours() {
            return Ok(());
        }
        let path = self.path.clone();
        Err(GitError::NotOurStore { doing, path })
    }
}

/// Creates an empty bare repository on branch main, without templates: a template folder is where hooks would come from.
pub(super) fn init_bare(path: &Path) -> Result<Repository, git2::Error> {
    let mut options = RepositoryInitOptions::new();
    options
        .bare(true)
        .no_reinit(true)
        .mkpath(true)
        .external_template(false)
        .initial_head("main");
    Repository::init_opts(path, &options)
}

/// libgit2's form of an id.
pub(super) fn oid(id: &ObjectId) -> Result<Oid, GitError> {
    Oid::from_str(id.as_str()).map_err(GitError::doing(format!("using object id {id}")))
}

/// Our form of an id.
pub(super) fn object_id(oid: Oid) -> ObjectId {
    ObjectId::try_from(oid.to_string()).expect("libgit2 prints 40 lower-case hexadecimal digits")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::git::testing::World;

    #[test]
    fn a_name_is_a_branch_then_a_tag_then_a_commit() {
        let world = World::new();
        let main = world.head("main");
        world.human("work", &[("x", "1")]);
        world.git(&["push", "-q", "origin", "HEAD:refs/tags/v1"]);
        let store = Store::open(world.remote_path()).unwrap();
        assert_eq!(store.resolve("main").unwrap(), main);
        assert_eq!(store.resolve("v1").unwrap(), world.head("work"));
        assert_eq!(store.resolve(main.as_str()).unwrap(), main);
        for absent in ["", "HEAD~1", ":/x", "nothing", &"0".repeat(40)] {
            assert!(
                matches!(store.resolve(absent), Err(GitError::NotFound { .. })),
                "{absent}"
            );
        }
    }

    #[test]
    fn the_head_is_a_branch_or_a_commit_alone() {
        let world = World::new();
        world.human("work", &[("x", "1")]);
        let store = Store::open(world.remote_path()).unwrap();
        assert_eq!(
            store.head().unwrap(),
            (world.head("main"), Some("main".parse().unwrap()))
        );
        let work = world.head("work");
        std::fs::write(world.remote_path().join("HEAD"), format!("{work}\n")).unwrap();
        assert_eq!(store.head().unwrap(), (work, None));
        std::fs::write(world.remote_path().join("HEAD"), "ref: refs/heads/nowhere\n").unwrap();
        assert!(store.head().is_err());
    }

    #[test]
    fn a_file_above_the_limit_is_not_read() {
        let world = World::new();
        let store = Store::open(world.remote_path()).unwrap();
        let listing = store.tree(&world.head("main")).unwrap();
        let entry = &listing.entries[0];
        assert_eq!(store.with_blob(entry.id, 1_000, <[u8]>::len).unwrap(), 5);
        let refused = store.with_blob(entry.id, 4, |_| ());
        assert!(matches!(refused, Err(GitError::TooLarge { size: 5, most: 4, .. })));
        assert!(
            store
                .with_blob(BlobId(oid(&listing.tree).unwrap()), 1_000, |_| ())
                .is_err()
        );
    }

    #[test]
    fn a_cache_is_made_once_and_a_strangers_repository_is_not_one() {
        let world = World::new();
        let path = world.folder().join("cache/store.git");
        Store::open_or_create(&path).unwrap();
        Store::open_or_create(&path).unwrap();
        let refused = Store::open_or_create(world.remote_path());
        assert!(matches!(refused, Err(GitError::NotOurStore { .. })));
        let hooks = std::fs::read_dir(path.join("hooks")).unwrap();
        assert!(
            hooks
                .flatten()
                .all(|hook| hook.path().extension().is_some_and(|end| end == "sample"))
        );
    }
}
