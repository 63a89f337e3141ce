//! Proves that a finished tree differs from its base in the planned paths, with the planned contents and the old modes, and in nothing else.
//!
//! The proof shares no code with the builder: it compares the two trees entry by entry and does not ask how they came about.

use std::collections::BTreeSet;

use git2::{Oid, Tree};

use crate::git::error::GitError;
use crate::git::store::Store;
use crate::model::ObjectId;

use super::look_up::FOLDER;
use super::{DraftError, Step};

impl Store {
    /// Compares the finished tree with the base, entry by entry, and demands exactly the planned steps.
    pub(super) fn prove(
        &self,
        base: &ObjectId,
        before: &Tree<'_>,
        after: &Tree<'_>,
        planned: &[Step],
    ) -> Result<(), DraftError> {
        let planned: BTreeSet<String> = planned.iter().map(Step::in_words).collect();
        let mut found = BTreeSet::new();
        self.differences(Some(before.id()), Some(after.id()), "", &mut found)?;
        // A moved file keeps its mode because the step was made from the old entry; a replaced one must not even change its kind.
        let kept = found.iter().all(|difference| !difference.mode_changed);
        let found: BTreeSet<String> = found.into_iter().map(|difference| difference.words).collect();
        if kept && found == planned {
            return Ok(());
        }
        let base = base.clone();
        Err(DraftError::Unplanned { base, planned, found })
    }

    /// Collects what differs between two folders. Equal subtrees are not opened.
    fn differences(
        &self,
        before: Option<Oid>,
        after: Option<Oid>,
        prefix: &str,
        found: &mut BTreeSet<Difference>,
    ) -> Result<(), GitError> {
        let before = before.map(|id| self.folder(id)).transpose()?;
        let after = after.map(|id| self.folder(id)).transpose()?;
        let names: BTreeSet<Vec<u8>> = [&before, &after]
            .into_iter()
            .flatten()
            .flat_map(|tree| tree.iter().map(|entry| entry.name_bytes().to_vec()).collect::<Vec<_>>())
            .collect();
        for name in names {
            let side = |tree: &Option<Tree<'_>>| {
                let tree = tree.as_ref()?;
                let entry = tree.get_name_bytes(&name)?;
                Some((entry.filemode_raw(), entry.id()))
            };
            let (old, new) = (side(&before), side(&after));
            if old == new {
                continue;
            }
            let path = format!("{prefix}{}", String::from_utf8_lossy(&name));
            let subtree = |side: Option<(i32, Oid)>| side.filter(|(mode, _)| *mode == FOLDER);
            let file = |side: Option<(i32, Oid)>| side.filter(|(mode, _)| *mode != FOLDER);
            if subtree(old).is_some() || subtree(new).is_some() {
                let (old, new) = (subtree(old).map(|(_, id)| id), subtree(new).map(|(_, id)| id));
                self.differences(old, new, &format!("{path}/"), found)?;
            }
            let (old, new) = (file(old), file(new));
            if old != new {
                found.insert(Difference {
                    words: in_words(&path, new),
                    mode_changed: old.zip(new).is_some_and(|((old, _), (new, _))| old != new),
                });
            }
        }
        Ok(())
    }
}

impl Step {
    fn in_words(&self) -> String {
        let after = self.after.map(|(mode, id)| (i32::from(mode), id));
        in_words(self.path.as_str(), after)
    }
}

#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Difference {
    words: String,
    mode_changed: bool,
}

fn in_words(path: &str, after: Option<(i32, Oid)>) -> String {
    match after {
        Some((mode, id)) => format!("{path} = {mode:o} {id}"),
        None => format!("{path} removed"),
    }
}
