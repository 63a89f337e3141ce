//! The way from a commit to its proven edits, as `plan` goes it, with the time of each stage.

use std::borrow::Cow;
use std::collections::BTreeMap;

use fleetscale::decide::decide;
use fleetscale::fleet::{self, FleetTree, LARGEST_FILE, Lent, Mode, Screen, TreeEntry};
use fleetscale::git::{FileMode, Store, TreeListing};
use fleetscale::model::{Base, BranchName, Edit, ObjectId, Plan, Snapshot};
use fleetscale::plan::{self, plan};
use fleetscale::policy::{FleetFile, PolicySet};
use fleetscale::render::{Rendered, render};

use crate::{Stage, stage};

/// What a line starts from.
#[derive(Clone, Copy)]
pub(crate) struct Inputs<'a> {
    pub(crate) store: &'a Store,
    pub(crate) commit: &'a ObjectId,
    pub(crate) fleet: &'a FleetFile,
    pub(crate) policies: &'a PolicySet,
    pub(crate) snapshot: &'a Snapshot,
}

/// What comes of it.
pub(crate) struct Planned {
    pub(crate) plan: Plan,
    pub(crate) rendered: BTreeMap<BranchName, Rendered>,
}

/// Everything that `plan` does between its inputs and its output.
pub(crate) fn run(inputs: Inputs<'_>, stages: &mut Vec<Stage>) -> Planned {
    let Inputs {
        store,
        commit,
        fleet,
        policies,
        snapshot,
    } = inputs;
    let listing = stage("list", stages, || store.tree(commit).unwrap());
    let tree = stage("read", stages, || read(store, listing, &fleet::screen(fleet, policies)));
    let declared = stage("bind", stages, || fleet::bind(fleet, policies, &tree));
    let now = snapshot.captured_at;
    let decisions = stage("decide", stages, || decide(fleet, policies, snapshot, &declared, now));
    let base = Base {
        branch: fleet.branch.clone(),
        commit: commit.clone(),
    };
    let plan = stage("plan", stages, || {
        let inputs = plan::Inputs {
            base,
            snapshot: snapshot.digest(),
            policies: policies.digest.clone(),
        };
        plan(decisions, &declared, &snapshot.ledger, fleet, policies, inputs, now)
    });
    let rendered = stage("render", stages, || {
        let rendered = plan.proposals.iter().map(|proposal| {
            let edits: Vec<Edit> = proposal.edits().cloned().collect();
            let rendered = render(|path| tree.file(path).ok().map(Cow::Borrowed), &edits);
            (proposal.branch.clone(), rendered.unwrap())
        });
        rendered.collect()
    });
    Planned { plan, rendered }
}

/// Reads the files that pass a screen.
pub(crate) fn read(store: &Store, listing: TreeListing, screen: &Screen) -> FleetTree {
    let entries = listing.entries.into_iter().map(|entry| {
        let mode = match entry.mode {
            FileMode::File => Mode::File,
            FileMode::Executable => Mode::Executable,
            FileMode::Symlink => Mode::Symlink,
            FileMode::Submodule => Mode::Submodule,
        };
        TreeEntry {
            path: entry.path,
            mode,
            id: entry.id,
        }
    });
    let most = usize::try_from(LARGEST_FILE).unwrap();
    FleetTree::read(listing.commit, entries, screen, |id, lend| {
        store.with_blob(id, most, lend).map(|()| Lent::Whole)
    })
    .unwrap()
}

/// The floor: every blob, in the order of the tree. Returns how many bytes they have.
pub(crate) fn read_blobs(store: &Store, commit: &ObjectId) -> usize {
    let listing = store.tree(commit).unwrap();
    let most = usize::try_from(LARGEST_FILE).unwrap();
    let sizes = listing
        .entries
        .iter()
        .map(|entry| store.with_blob(entry.id, most, <[u8]>::len).unwrap());
    sizes.sum()
}
