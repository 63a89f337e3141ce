//! A workspace with its policies read and the repository bound to them: everything that the pure rooms need.

use std::fs;
use std::path::Path;

use crate::error::{ErrorKind, Failure};
use crate::fleet::{self, FleetTree, LARGEST_FILE, Lent, Mode, Screen, TreeEntry};
use crate::git::{FileMode, GitError, Store, TreeListing};
use crate::model::Declared;
use crate::policy::{FleetFile, PolicySet, Problem};

use super::args::InputArgs;
use super::terminal::Terminal;
use super::workspace::{Workspace, problems_failure, read};

/// Everything that is known before anything is decided.
pub(super) struct Inputs {
    pub(super) workspace: Workspace,
    pub(super) policies: PolicySet,
    pub(super) tree: FleetTree,
    pub(super) declared: Declared,
}

impl Inputs {
    /// Reads policies and repository at the base commit.
    pub(super) fn read(args: &InputArgs, terminal: &Terminal) -> Result<Self, Failure> {
        let workspace = Workspace::open(args, terminal)?;
        let Workspace { fleet, store, base, .. } = &workspace;
        let listing = store
            .tree(&base.commit)
            .map_err(|error| Failure::new(ErrorKind::Publish, &error))?;
        let files = match &args.policies {
            Some(folder) => files_on_disk(folder)?,
            None => files_at_base(fleet, store, &listing)?,
        };
        let policies = load_policies(Some(fleet), &files, terminal)?;
        let tree = read_tree(store, listing, &fleet::screen(fleet, &policies))?;
        check_requests(fleet, &policies, &tree)?;
        let declared = fleet::bind(fleet, &policies, &tree);
        Ok(Self {
            workspace,
            policies,
            tree,
            declared,
        })
    }
}

/// The policies, or everything that is wrong with them; their warnings are said.
pub(super) fn load_policies(
    fleet: Option<&FleetFile>,
    files: &[(String, Vec<u8>)],
    terminal: &Terminal,
) -> Result<PolicySet, Failure> {
    let policies = read_policies(fleet, files)?;
    policies
        .warnings
        .iter()
        .for_each(|warning| terminal.talk(&format!("{warning}\n")));
    Ok(policies)
}

/// The same, with nothing said.
pub(super) fn read_policies(fleet: Option<&FleetFile>, files: &[(String, Vec<u8>)]) -> Result<PolicySet, Failure> {
    let files = files.iter().map(|(path, bytes)| (path.as_str(), bytes.as_slice()));
    PolicySet::load(files, fleet).map_err(|problems| problems_failure("the policies", &problems))
}

/// The manifests of a folder on disk, by name.
pub(super) fn files_on_disk(folder: &Path) -> Result<Vec<(String, Vec<u8>)>, Failure> {
    let failed = |error: std::io::Error| {
        Failure::plain(
            ErrorKind::Input,
            format!("reading the folder {}: {error}", folder.display()),
        )
    };
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.is_file() && is_manifest(&path.to_string_lossy()) {
            paths.push(path);
        }
    }
    paths.sort();
    paths
        .into_iter()
        .map(|path| Ok((path.display().to_string(), read(&path)?)))
        .collect()
}

/// The manifests of the policies' folder at the base commit.
pub(super) fn files_at_base(
    fleet: &FleetFile,
    store: &Store,
    listing: &TreeListing,
) -> Result<Vec<(String, Vec<u8>)>, Failure> {
    let here = listing.entries.iter().filter(|entry| {
        entry.path.is_under(&fleet.policies)
            && matches!(entry.mode, FileMode::File | FileMode::Executable)
            && is_manifest(entry.path.as_str())
    });
    let files: Vec<(String, Vec<u8>)> = here
        .map(|entry| {
            let bytes = store.with_blob(entry.id, largest(), <[u8]>::to_vec);
            let bytes = bytes.map_err(|error| Failure::new(ErrorKind::Policy, &error))?;
            Ok((entry.path.to_string(), bytes))
        })
        .collect::<Result<_, Failure>>()?;
    if files.is_empty() {
        return Err(Failure::plain(
            ErrorKind::Policy,
            format!(
                "there are no policies in {} of the fleet repository at {}",
                fleet.policies,
                listing.commit.short()
            ),
        )
        .with_hint(
            "the folder is spec.policies.path of the fleet file; to try policies from disk, use --policies DIR",
        ));
    }
    Ok(files)
}

pub(super) fn is_manifest(name: &str) -> bool {
    name.ends_with(".yaml") || name.ends_with(".yml")
}

/// The largest file that is read, in bytes.
pub(super) fn largest() -> usize {
    usize::try_from(LARGEST_FILE).unwrap_or(usize::MAX)
}

/// Reads the commit in one pass, keeping only what passes the screen.
pub(super) fn read_tree(store: &Store, listing: TreeListing, screen: &Screen) -> Result<FleetTree, Failure> {
    let TreeListing {
        commit,
        tree: _,
        entries,
        unusable,
    } = listing;
    for entry in &unusable {
        tracing::warn!(path = entry.path, why = entry.why, "left out of the fleet's tree");
    }
    let entries = entries.into_iter().map(|entry| TreeEntry {
        path: entry.path,
        mode: mode(entry.mode),
        id: entry.id,
    });
    let tree = FleetTree::read(commit, entries, screen, |id, lend| {
        match store.with_blob(id, largest(), lend) {
            Ok(()) => Ok(Lent::Whole),
            Err(GitError::TooLarge { size, .. }) => Ok(Lent::TooLarge {
                bytes: u64::try_from(size).unwrap_or(u64::MAX),
            }),
            Err(error) => Err(error),
        }
    });
    let tree = tree.map_err(|error| Failure::new(ErrorKind::Publish, &error))?;
    Ok(tree.known_as(&store.remotes()))
}

fn mode(mode: FileMode) -> Mode {
    match mode {
        FileMode::File => Mode::File,
        FileMode::Executable => Mode::Executable,
        FileMode::Symlink => Mode::Symlink,
        FileMode::Submodule => Mode::Submodule,
    }
}

/// A requests folder that is applied would create a cluster before it has its place.
pub(super) fn check_requests(fleet: &FleetFile, policies: &PolicySet, tree: &FleetTree) -> Result<(), Failure> {
    if policies.sharding.is_empty() {
        return Ok(());
    }
    let applied = fleet::applied_paths(fleet, tree);
    let problems: Vec<Problem> = policies
        .sharding
        .iter()
        .flat_map(|policy| {
            policy.outside_applied_paths(applied.iter().map(|(path, who)| (path.as_ref(), who.as_str())))
        })
        .collect();
    if problems.is_empty() {
        Ok(())
    } else {
        Err(problems_failure("the policies", &problems))
    }
}
