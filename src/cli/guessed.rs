//! A repository without a fleet file, taken for the fleet that it looks like.

use std::path::{Path, PathBuf};

use crate::error::{ErrorKind, Failure};
use crate::fleet::{self, FleetTree, Guess};
use crate::model::{Refusal, Unbound};
use crate::policy::FleetFile;

use super::init::fleet_file::{self, About, Kind, left_words};
use super::repository::Source;
use super::workspace::problems_failure;

/// The most things left over that a note names.
const MOST_TOLD: usize = 10;

/// A fleet file that nobody has written yet.
pub(super) struct Guessed {
    pub(super) guess: Guess,
    /// The text that it is read from.
    pub(super) text: String,
    pub(super) fleet: FleetFile,
    /// What was looked at.
    pub(super) tree: FleetTree,
}

/// Guesses the fleet of a repository; nothing if nothing in it looks like one.
pub(super) fn of(source: &Source, path: &Path) -> Result<Option<Guessed>, Failure> {
    let tree = source.tree(&fleet::screen_to_guess())?;
    let guess = fleet::guess(&tree);
    if guess.management_clusters.is_empty() {
        return Ok(None);
    }
    let path = absolute(path);
    let kind = match source {
        Source::Commit { .. } => Kind::Repository,
        Source::Folder { .. } => Kind::Folder,
    };
    let branch = source.branch();
    let about = About {
        path: &path,
        kind,
        branch,
    };
    let text = fleet_file::text(about, &guess);
    // What is written must be what can be read: a repository whose folders make no fleet file is told so here.
    let fleet = FleetFile::load("the guessed fleet file", text.as_bytes())
        .map_err(|problems| problems_failure("the guessed fleet file", &problems))?;
    Ok(Some(Guessed {
        guess,
        text,
        fleet,
        tree,
    }))
}

/// What no management cluster of a guess holds.
pub(super) fn left_over(unbound: &[Unbound]) -> Vec<&Unbound> {
    let left = unbound.iter();
    left.filter(|unbound| matches!(unbound.refusal, Refusal::Outside { .. }))
        .collect()
}

/// The same as a note; nothing if there is nothing left over.
pub(super) fn note(left: &[&Unbound]) -> String {
    let mut out = String::new();
    if left.is_empty() {
        return out;
    }
    let count = match left.len() {
        1 => "1 thing lies".to_owned(),
        many => format!("{many} things lie"),
    };
    out.push_str(&format!(
        "note: {count} in no management cluster that was guessed; mend `paths` in the fleet file that `fleetscale init` writes:\n"
    ));
    for unbound in left.iter().take(MOST_TOLD) {
        out.push_str(&format!("  {}\n", left_words(unbound)));
    }
    if left.len() > MOST_TOLD {
        out.push_str(&format!("  and {} more\n", left.len() - MOST_TOLD));
    }
    out
}

/// The failure of a repository that looks like no fleet.
pub(super) fn nothing_found(path: &Path) -> Failure {
    Failure::plain(
        ErrorKind::Input,
        format!(
            "{}: nothing declares a workload cluster (Cluster, MachineDeployment, MachinePool, TenantControlPlane) or applies a \
             management cluster's components",
            path.display()
        ),
    )
    .with_hint("name the fleet's repository, and with --ref the commit that is deployed; or write a fleet file by hand (`fleetscale schema fleet`)")
}

/// A path that means the same from every folder.
fn absolute(path: &Path) -> PathBuf {
    std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned())
}
