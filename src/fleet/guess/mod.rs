//! What a repository looks like to somebody who has never seen it: which management clusters it declares, and which folders are whose.
//!
//! Everything here is a guess and comes with the reason for it, so that a person can judge it. Two things are believed: a management
//! cluster's folders bear its name, and whatever Flux or Argo CD applies from one cluster's own folder belongs to that cluster. A patch says
//! nothing of where it is at home, its kustomization does. A name that nothing speaks for is not made up: where nothing names any, all of
//! it belongs to one management cluster called `management`. What no management cluster gets is for a scan to name.

mod appliers;
mod names;
mod patches;
mod seen;
mod sightings;
mod territories;
mod values;

use crate::model::{ManagementClusterName, RegionName, RepoPath};

use super::screen::Screen;
use super::tree::FleetTree;
use sightings::Sightings;

pub use values::{ChartValues, kamaji_values};

/// What a repository looks like.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Guess {
    /// The management clusters in the order of their names; none if nothing looks like one.
    pub management_clusters: Vec<GuessedCluster>,
    /// The folder with the most policies of this program, if there are any.
    pub policies: Option<RepoPath>,
    /// The folders in which new clusters seem to wait: manifests without a namespace that nothing lists and nothing applies.
    pub requests: Vec<RepoPath>,
}

/// A management cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GuessedCluster {
    /// Its name.
    pub name: ManagementClusterName,
    /// Why it is called so.
    pub why: String,
    /// Its region and why; nothing where the repository names none.
    pub region: Option<(RegionName, String)>,
    /// Its folders, sorted, none within another of the same cluster, and why each is its own.
    pub paths: Vec<(RepoPath, String)>,
}

/// What a tree has to hold so that it can be guessed at.
pub fn screen_to_guess() -> Screen {
    Screen::new().words(sightings::WORDS)
}

/// Guesses.
///
/// The tree must have passed [`screen_to_guess`].
pub fn guess(tree: &FleetTree) -> Guess {
    let sightings = Sightings::of(tree);
    let mut guess = Guess {
        management_clusters: territories::of(tree, &sightings),
        policies: None,
        requests: sightings.requests.into_iter().collect(),
    };
    // Of folders with as many policies, the first.
    let mut most = 0;
    for (folder, count) in sightings.policies {
        if count > most {
            most = count;
            guess.policies = Some(folder);
        }
    }
    guess
}

#[cfg(test)]
mod tests;
