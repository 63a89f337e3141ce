//! What comes of a document: nearly always one object, so that what is kept for it is as small as that.

use std::rc::Rc;

use crate::model::RepoPath;

use super::Identity;

/// One of the things that come of a document.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Share {
    /// An object of a management cluster.
    Object(Rc<Identity>),
    /// Outside of all management clusters, or under another name, by the kustomizations that lead there.
    Outside(Box<[usize]>),
    /// An unknown number of objects, by an applier of which there is doubt.
    Doubtful(usize),
}

/// All that comes of a document, each with the overlay that makes it so.
#[derive(Debug, Clone, Default)]
pub(super) struct Shares(Vec<(Share, Option<RepoPath>)>);

impl Shares {
    /// Adds a share. One that is there already gets another overlay.
    pub(super) fn insert(&mut self, share: Share, overlay: Option<RepoPath>) {
        match self.place_of(&share) {
            Ok(known) => self.0[known].1 = overlay,
            Err(place) => {
                // A push would make room for four.
                if self.0.is_empty() {
                    self.0.reserve_exact(1);
                }
                self.0.insert(place, (share, overlay));
            }
        }
    }

    /// The overlay of a share.
    pub(super) fn overlay(&self, share: &Share) -> Option<&RepoPath> {
        let known = self.place_of(share).ok()?;
        self.0[known].1.as_ref()
    }

    /// In an order that the documents of a repository do not change.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&Share, Option<&RepoPath>)> {
        self.0.iter().map(|(share, overlay)| (share, overlay.as_ref()))
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    fn place_of(&self, share: &Share) -> Result<usize, usize> {
        self.0.binary_search_by(|(known, _)| known.cmp(share))
    }
}
