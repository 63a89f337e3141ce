//! From edits to the new bytes of the files that they name, each proven.
//!
//! A file changes by splices alone: what is not part of an edited scalar or an inserted key or item is copied byte for byte, so comments,
//! blank lines, quotes and line endings stay. Every new text is proven before it leaves the room: a second parser reads old and
//! new and must find exactly the planned difference. All edits of a file are applied together, all or none, and none is ever re-marshalled:
//! what can't be edited so is refused with the reason.
//!
//! Absent on purpose: whether an edit is wanted, whether the value may be changed there at all (both are settled before), and writing.

mod append;
mod append_patch;
mod diff;
mod document;
mod insert;
mod layout;
mod oracle;
mod problem;
mod replace;
mod splice;
mod text;

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::model::{Edit, RepoPath};
use crate::threads::in_halves;

pub use diff::unified_diff;
pub use oracle::Unproven;
pub use problem::{Problem, RenderError};

/// New bytes for every file that a set of edits touches.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Rendered {
    /// The files by their new path.
    pub files: BTreeMap<RepoPath, RenderedFile>,
}

/// One file before and after.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RenderedFile {
    /// The path that it was read from: another one than its new path if it moves. Its mode in Git stays.
    pub from: RepoPath,
    /// Its bytes as they were read.
    pub before: Vec<u8>,
    /// Its bytes as they shall be.
    pub after: Vec<u8>,
}

impl Rendered {
    /// The paths that are no more, because their files move.
    pub fn removed(&self) -> impl Iterator<Item = &RepoPath> {
        self.files
            .iter()
            .filter(|(path, file)| file.from != **path)
            .map(|(_, file)| &file.from)
    }
}

/// All that shall happen to one file.
#[derive(Debug, Default)]
struct Work<'e> {
    edits: Vec<&'e Edit>,
    to: Option<&'e RepoPath>,
}

/// From how many files on a second thread takes half of them. Below, a thread costs more than it saves: an edit takes a tenth of a
/// millisecond.
const MANY_FILES: usize = 64;

/// Renders edits, all or none.
///
/// `read` gives the bytes of a regular file of the base commit, and nothing for a path that holds none. Edits of one file may come in any
/// order; each is looked up in the file as it was read, so none sees another. The result does not depend on the order of files.
pub fn render<'b>(
    read: impl Fn(&RepoPath) -> Option<Cow<'b, [u8]>> + Sync,
    edits: &[Edit],
) -> Result<Rendered, RenderError> {
    let mut works: BTreeMap<&RepoPath, Work<'_>> = BTreeMap::new();
    for edit in edits {
        let work = works.entry(edit.path()).or_default();
        let Edit::Move { from, to, edits } = edit else {
            work.edits.push(edit);
            continue;
        };
        let strange = edits
            .iter()
            .any(|inner| inner.path() != from || matches!(inner, Edit::Move { .. }));
        if strange || work.to.replace(to).is_some() {
            return Err(RenderError::of_file(from, Problem::Conflict));
        }
        work.edits.extend(edits);
    }
    let works: Vec<(&RepoPath, Work<'_>)> = works.into_iter().collect();
    let mut rendered = Rendered::default();
    for ((path, work), file) in works.iter().zip(files(&read, &works)) {
        let to = work.to.unwrap_or(path);
        if rendered.files.contains_key(to) {
            return Err(RenderError::of_file(path, Problem::Exists { path: to.clone() }));
        }
        rendered.files.insert(to.clone(), file?);
    }
    Ok(rendered)
}

/// What becomes of each file, in their order.
fn files<'b>(
    read: &(impl Fn(&RepoPath) -> Option<Cow<'b, [u8]>> + Sync),
    works: &[(&RepoPath, Work<'_>)],
) -> Vec<Result<RenderedFile, RenderError>> {
    let some = |works: &[(&RepoPath, Work<'_>)]| works.iter().map(|(path, work)| file(read, path, work)).collect();
    let halves: Vec<Vec<_>> = in_halves(works, MANY_FILES, some);
    halves.into_iter().flatten().collect()
}

/// What becomes of one file.
fn file<'b>(
    read: impl Fn(&RepoPath) -> Option<Cow<'b, [u8]>>,
    path: &RepoPath,
    work: &Work<'_>,
) -> Result<RenderedFile, RenderError> {
    let to = work.to.unwrap_or(path);
    if to != path && read(to).is_some() {
        return Err(RenderError::of_file(path, Problem::Exists { path: to.clone() }));
    }
    let before = read(path).ok_or_else(|| RenderError::of_file(path, Problem::NoSuchFile))?;
    let after = match work.edits.as_slice() {
        [] => before.to_vec(),
        edits => document::edit_file(&before, edits).map_err(|refused| refused.at(path))?,
    };
    Ok(RenderedFile {
        from: path.clone(),
        before: before.into_owned(),
        after,
    })
}
