//! One commit of the fleet repository: every path, and the bytes of those files that can matter.

use std::collections::BTreeMap;
use std::ops::Bound;

use crate::model::{InvalidName, ObjectId, Refusal, RepoPath};
use crate::yaml;

use super::address::Address;
use super::screen::{Screen, is_manifest_name};

/// The largest file that is read, in bytes: what the YAML reader takes.
pub const LARGEST_FILE: u64 = yaml::MAX_BYTES as u64;

/// What a path is in Git.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// A plain file.
    File,
    /// A plain file that may be executed.
    Executable,
    /// A symbolic link. It is never followed.
    Symlink,
    /// A commit of another repository.
    Submodule,
}

/// One path of a commit, as whoever holds the bytes lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TreeEntry<I> {
    /// The path.
    pub path: RepoPath,
    /// What it is.
    pub mode: Mode,
    /// Where its bytes are, in the reader's terms.
    pub id: I,
}

/// What a reader did with one object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lent {
    /// It lent all the bytes.
    Whole,
    /// It lent nothing, because the object is larger than [`LARGEST_FILE`].
    TooLarge {
        /// The object's size in bytes.
        bytes: u64,
    },
}

/// One commit of the fleet repository.
///
/// It knows every path with its mode, and holds one copy of the bytes of each file that passed the screen. It is a value: nothing in it
/// changes while policies are bound and edits are made from it. Absent on purpose: folders (Git has none of their own) and the bytes of
/// links and submodules, which nothing may follow.
#[derive(Debug, Clone)]
pub struct FleetTree {
    base: ObjectId,
    addresses: Vec<Address>,
    entries: BTreeMap<RepoPath, Entry>,
}

#[derive(Debug, Clone)]
struct Entry {
    mode: Mode,
    content: Content,
}

#[derive(Debug, Clone)]
enum Content {
    Kept(Box<[u8]>),
    LeftOut,
    TooLarge(u64),
}

impl FleetTree {
    /// Reads a commit in one pass.
    ///
    /// `read` is called for each plain file that the screen opens, in the order of `entries`, and lends the bytes to the function that it
    /// is given. They are copied only if the screen keeps the file, so at any time there is one copy of what is kept and one file on loan.
    pub fn read<I, E>(
        base: ObjectId,
        entries: impl IntoIterator<Item = TreeEntry<I>>,
        screen: &Screen,
        mut read: impl FnMut(I, &mut dyn FnMut(&[u8])) -> Result<Lent, E>,
    ) -> Result<Self, E> {
        let mut tree = Self {
            base,
            addresses: Vec::new(),
            entries: BTreeMap::new(),
        };
        for TreeEntry { path, mode, id } in entries {
            let mut content = Content::LeftOut;
            if matches!(mode, Mode::File | Mode::Executable) && screen.opens(&path) {
                let lent = read(id, &mut |bytes| content = take(screen, &path, bytes))?;
                if let Lent::TooLarge { bytes } = lent {
                    content = Content::TooLarge(bytes);
                }
            }
            tree.entries.insert(path, Entry { mode, content });
        }
        Ok(tree)
    }

    /// Makes a tree of files in memory, all of them kept.
    pub fn from_files<P: Into<String>, B: Into<Vec<u8>>>(
        base: ObjectId,
        files: impl IntoIterator<Item = (P, B)>,
    ) -> Result<Self, InvalidName> {
        let mut tree = Self {
            base,
            addresses: Vec::new(),
            entries: BTreeMap::new(),
        };
        for (path, bytes) in files {
            let bytes: Vec<u8> = bytes.into();
            let size = size_of_bytes(&bytes);
            let content = if size > LARGEST_FILE {
                Content::TooLarge(size)
            } else {
                Content::Kept(bytes.into_boxed_slice())
            };
            let mode = Mode::File;
            tree.entries
                .insert(RepoPath::try_from(path.into())?, Entry { mode, content });
        }
        Ok(tree)
    }

    /// Adds a link or submodule to a tree in memory.
    #[must_use]
    pub fn with_entry(mut self, path: RepoPath, mode: Mode) -> Self {
        let content = Content::LeftOut;
        self.entries.insert(path, Entry { mode, content });
        self
    }

    /// Says which addresses the repository is known by: those of the remotes of a clone. What is no address of a host is left out, and of
    /// the others only what tells a repository is kept.
    #[must_use]
    pub fn known_as<'a>(mut self, addresses: impl IntoIterator<Item = &'a String>) -> Self {
        self.addresses = addresses.into_iter().filter_map(|text| Address::parse(text)).collect();
        self
    }

    /// The addresses that the repository is known by.
    pub(super) fn addresses(&self) -> &[Address] {
        &self.addresses
    }

    /// The commit.
    pub fn base(&self) -> &ObjectId {
        &self.base
    }

    /// What a path is; nothing for a folder and for what does not exist.
    pub fn mode(&self, path: &RepoPath) -> Option<Mode> {
        self.entries.get(path).map(|entry| entry.mode)
    }

    /// Every path in bytewise order.
    pub fn paths(&self) -> impl Iterator<Item = &RepoPath> {
        self.entries.keys()
    }

    /// The paths in a folder, at any depth, in bytewise order.
    pub fn paths_under<'t>(&'t self, folder: &'t RepoPath) -> impl Iterator<Item = &'t RepoPath> {
        self.entries
            .range((Bound::Excluded(folder), Bound::Unbounded))
            .map(|(path, _)| path)
            // Between `a/b` and `a/b/c` may lie `a/b-c` and `a/b.d`, but `a/bc` is behind them all.
            .take_while(|path| {
                let rest = path.as_str().strip_prefix(folder.as_str());
                rest.is_some_and(|rest| rest.as_bytes().first() <= Some(&b'/'))
            })
            .filter(|path| path.is_under(folder))
    }

    /// Whether anything lies in a folder of this path.
    pub fn has_folder(&self, folder: &RepoPath) -> bool {
        self.paths_under(folder).next().is_some()
    }

    /// The files whose bytes are held, in bytewise order.
    pub fn kept(&self) -> impl Iterator<Item = (&RepoPath, &[u8])> {
        self.entries.iter().filter_map(|(path, entry)| match &entry.content {
            Content::Kept(bytes) => Some((path, &bytes[..])),
            Content::LeftOut | Content::TooLarge(_) => None,
        })
    }

    /// The manifests that are too large to be read, with their sizes in bytes.
    pub fn too_large(&self) -> impl Iterator<Item = (&RepoPath, u64)> {
        self.entries.iter().filter_map(|(path, entry)| match entry.content {
            Content::TooLarge(bytes) if is_manifest_name(path.file_name()) => Some((path, bytes)),
            _ => None,
        })
    }

    /// The bytes of a file, or why there are none that could be edited.
    ///
    /// A path below a link or submodule is refused as such: Git has nothing there, whatever a file system would show.
    pub fn file(&self, path: &RepoPath) -> Result<&[u8], Refusal> {
        let Some(entry) = self.entries.get(path) else {
            return Err(self.link_above(path).unwrap_or(Refusal::NoSuchFile));
        };
        match (&entry.content, entry.mode) {
            (Content::Kept(bytes), _) => Ok(bytes),
            (Content::TooLarge(bytes), _) => Err(Refusal::TooLarge { bytes: *bytes }),
            (Content::LeftOut, Mode::Symlink) => Err(Refusal::Symlink),
            (Content::LeftOut, Mode::Submodule) => Err(Refusal::Submodule),
            (Content::LeftOut, Mode::File | Mode::Executable) => Err(Refusal::WrongShape {
                message: "the file says nothing about the objects that the policies are about".to_owned(),
            }),
        }
    }

    /// The refusal that a link or submodule on the way to a path gives.
    fn link_above(&self, path: &RepoPath) -> Option<Refusal> {
        let mut above = path.parent();
        while let Some(folder) = above {
            match self.mode(&folder) {
                Some(Mode::Symlink) => return Some(Refusal::Symlink),
                Some(Mode::Submodule) => return Some(Refusal::Submodule),
                _ => above = folder.parent(),
            }
        }
        None
    }
}

fn take(screen: &Screen, path: &RepoPath, bytes: &[u8]) -> Content {
    let size = size_of_bytes(bytes);
    if size > LARGEST_FILE {
        Content::TooLarge(size)
    } else if screen.keeps(path, bytes) {
        Content::Kept(bytes.into())
    } else {
        Content::LeftOut
    }
}

fn size_of_bytes(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use super::*;

    fn path(text: &str) -> RepoPath {
        text.parse().unwrap()
    }

    fn id(digit: char) -> ObjectId {
        digit.to_string().repeat(40).parse().unwrap()
    }

    fn entry(text: &str, mode: Mode, id: u8) -> TreeEntry<u8> {
        let path = path(text);
        TreeEntry { path, mode, id }
    }

    #[test]
    fn one_pass_reads_only_what_can_matter_and_keeps_only_what_does() {
        let entries = [
            entry("a/md.yaml", Mode::File, 1),
            entry("a/notes.md", Mode::File, 2),
            entry("a/other.yaml", Mode::Executable, 3),
            entry("big.yaml", Mode::File, 4),
            entry("link.yaml", Mode::Symlink, 5),
            entry("module", Mode::Submodule, 6),
            entry("vast.json", Mode::File, 7),
        ];
        let mut asked = Vec::new();
        let screen = Screen::new().words(["MachineDeployment"]);
        let tree = FleetTree::read(id('0'), entries, &screen, |object, lend| {
            asked.push(object);
            match object {
                1 => lend(b"kind: MachineDeployment\n"),
                3 => lend(b"kind: ConfigMap\n"),
                4 => lend(&vec![b'#'; 1024 * 1024 + 1]),
                _ => return Ok(Lent::TooLarge { bytes: 1 << 40 }),
            }
            Ok::<_, Infallible>(Lent::Whole)
        })
        .unwrap();
        assert_eq!(asked, [1, 3, 4, 7]);
        assert_eq!(tree.paths().count(), 7);
        assert_eq!(
            tree.kept().map(|(path, _)| path.as_str()).collect::<Vec<_>>(),
            ["a/md.yaml"]
        );
        assert_eq!(tree.mode(&path("a/other.yaml")), Some(Mode::Executable));
        let large: Vec<(&str, u64)> = tree.too_large().map(|(path, bytes)| (path.as_str(), bytes)).collect();
        assert_eq!(large, [("big.yaml", 1024 * 1024 + 1), ("vast.json", 1 << 40)]);
        for (file, refusal) in [
            ("big.yaml", "too-large"),
            ("link.yaml", "symlink"),
            ("link.yaml/x.yaml", "symlink"),
            ("module", "submodule"),
            ("module/a/b.yaml", "submodule"),
            ("a", "no-such-file"),
            ("nowhere/a.yaml", "no-such-file"),
            ("a/other.yaml", "wrong-shape"),
        ] {
            assert_eq!(
                tree.file(&path(file)).map_err(|refusal| refusal.id()),
                Err(refusal),
                "{file}"
            );
        }
        assert_eq!(tree.file(&path("a/md.yaml")), Ok(&b"kind: MachineDeployment\n"[..]));
    }

    #[test]
    fn an_error_of_the_reader_ends_the_pass() {
        let entries = [entry("a.yaml", Mode::File, 1), entry("b.yaml", Mode::File, 2)];
        let read = FleetTree::read(id('0'), entries, &Screen::new(), |object, _| Err(object));
        assert_eq!(read.map(|_| ()), Err(1));
    }

    #[test]
    fn a_folder_holds_whole_path_parts() {
        let files = ["a/b-c/x", "a/b.yaml", "a/b/c/y", "a/b/z", "a/bc", "c"];
        let tree = FleetTree::from_files(id('0'), files.map(|name| (name, ""))).unwrap();
        let folder = path("a/b");
        let under: Vec<&str> = tree.paths_under(&folder).map(RepoPath::as_str).collect();
        assert_eq!(under, ["a/b/c/y", "a/b/z"]);
        assert!(tree.has_folder(&path("a")));
        assert!(!tree.has_folder(&path("c")));
        assert!(!tree.has_folder(&path("d")));
    }

    #[test]
    fn a_file_in_memory_is_held_to_the_same_size() {
        let tree = FleetTree::from_files(id('0'), [("a.yaml", vec![b'#'; 1024 * 1024 + 1])]).unwrap();
        assert_eq!(tree.file(&path("a.yaml")).unwrap_err().id(), "too-large");
        assert!(FleetTree::from_files(id('0'), [("../a", "")]).is_err());
    }
}
