//! `validate`: the fleet file and the policies, every mistake in one go, each with its place and the way out.

use std::path::PathBuf;

use crate::error::{ErrorKind, Failure};
use crate::policy::PolicySet;

use super::args::InputArgs;
use super::inputs::{Inputs, files_on_disk, load_policies};
use super::terminal::Terminal;
use super::workspace::{load_fleet, read};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Policy files or folders of them. Without any, the policies of the fleet repository at its base commit are checked.
    paths: Vec<PathBuf>,
    /// The fleet file, which is checked too; regions and management clusters are checked against it.
    #[arg(long, value_name = "FILE")]
    fleet: Option<PathBuf>,
}

pub(super) fn run(args: Args, terminal: &Terminal) -> super::Outcome {
    let Args { paths, fleet } = args;
    let policies = match (&fleet, paths.is_empty()) {
        (None, true) => {
            return Err(Failure::plain(ErrorKind::Usage, "there is nothing to check")
                .with_hint("name policy files or folders, or the fleet file with --fleet FILE"));
        }
        (Some(file), true) => {
            // Reads the repository too, so that requests folders are held against what Flux and Argo CD apply.
            Inputs::read(&InputArgs::of_fleet(file.clone()), terminal)?.policies
        }
        (fleet, false) => {
            let fleet = fleet
                .as_ref()
                .map(|path| load_fleet(path, terminal))
                .transpose()?
                .map(|(fleet, _)| fleet);
            let mut files = Vec::new();
            for path in &paths {
                if path.is_dir() {
                    files.extend(files_on_disk(path)?);
                } else {
                    files.push((path.display().to_string(), read(path)?));
                }
            }
            load_policies(fleet.as_ref(), &files, terminal)?
        }
    };
    terminal.data(&format!("{}\n", valid(&policies)));
    Ok(0)
}

/// `3 policies are valid`.
pub(super) fn valid(policies: &PolicySet) -> String {
    let PolicySet {
        node_groups,
        platforms,
        controllers,
        sharding,
        ..
    } = policies;
    let count = node_groups.len() + platforms.len() + controllers.len() + sharding.len();
    let words = if count == 1 { "policy is" } else { "policies are" };
    format!("{count} {words} valid")
}
