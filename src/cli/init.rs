//! `init`: a starter fleet file and policies from what lies in a repository, for review.
//!
//! It writes new files beside each other on this disk and nothing else: no file is ever overwritten, nothing is committed, and the repository
//! that was looked at is only read. What it writes is checked as `validate` would before the first byte is written.

pub(super) mod fleet_file;
mod policies;

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use crate::error::{ErrorKind, Failure};
use crate::fleet;
use crate::model::{Declared, RepoPath, Unbound};
use crate::policy::PolicySet;

use super::guessed::{self, Guessed};
use super::inputs::{check_requests, read_policies};
use super::repository::Source;
use super::terminal::Terminal;

use policies::Material;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The fleet repository: a checkout or a bare repository, read at its HEAD, or a plain folder. It is only read.
    #[arg(long, value_name = "PATH")]
    repo: PathBuf,
    /// The branch, tag or commit to read.
    #[arg(long = "ref", value_name = "NAME")]
    reference: Option<String>,
    /// Where to write the fleet file and the policies. Nothing that is there is overwritten.
    #[arg(long, value_name = "DIR", default_value = ".")]
    to: PathBuf,
}

pub(super) fn run(Args { repo, reference, to }: Args, terminal: &Terminal) -> super::Outcome {
    let source = Source::at(&repo, reference.as_deref())?;
    let Some(guessed) = guessed::of(&source, &repo)? else {
        return Err(guessed::nothing_found(&repo));
    };
    let mut files: BTreeMap<PathBuf, String> = BTreeMap::new();
    let folder = fleet_file::policies_folder(&guessed.guess);
    let everything = Everything::of(&source, &guessed)?;
    if guessed.guess.policies.is_none() {
        for (name, text) in starter(&everything.numbers, &guessed, terminal)? {
            files.insert(to.join(&folder).join(name), text);
        }
    }
    let has_policies = !files.is_empty();
    // What waits for a place is named by the policy that will give it one, if there is any.
    let sharding = to.join(&folder).join(policies::SHARDING);
    let is_named = guessed.guess.policies.is_some() || files.contains_key(&sharding);
    let requests = &guessed.guess.requests;
    let waits = |path: &RepoPath| is_named && requests.iter().any(|folder| path.is_under(folder));
    let mut left = guessed::left_over(&everything.unbound);
    left.retain(|unbound| !waits(&unbound.path));
    let text = format!("{}{}", guessed.text, fleet_file::left_over(&left));
    files.insert(to.join("fleet.yaml"), text);
    write(&files)?;
    for path in files.keys() {
        terminal.data(&format!("{}\n", path.display()));
    }
    terminal.talk(&guessed::note(&left));
    terminal.talk(&next(&guessed, &to, &folder, has_policies));
    Ok(0)
}

/// What is in the management clusters that were guessed, and what is not.
struct Everything {
    numbers: Vec<fleet::Number>,
    unbound: Vec<Unbound>,
}

impl Everything {
    fn of(source: &Source, Guessed { fleet, .. }: &Guessed) -> Result<Self, Failure> {
        let probe = policies::for_every_flag();
        let probe = read_policies(Some(fleet), &[("every flag".to_owned(), probe.into_bytes())])?;
        let tree = source.tree(&fleet::screen_everything(fleet, &probe))?;
        let (numbers, Declared { unbound, .. }) = fleet::scan(fleet, &probe, &tree);
        Ok(Self { numbers, unbound })
    }
}

/// The policies, checked against the fleet file.
fn starter(
    numbers: &[fleet::Number],
    guessed: &Guessed,
    terminal: &Terminal,
) -> Result<BTreeMap<&'static str, String>, Failure> {
    let Guessed { guess, fleet, tree, .. } = guessed;
    let mut texts = policies::texts(&Material {
        fleet,
        guess,
        numbers,
        kamaji: &fleet::kamaji_values(tree),
        tree,
    });
    let read = |texts: &BTreeMap<&'static str, String>| {
        let files = texts
            .iter()
            .map(|(name, text)| ((*name).to_owned(), text.clone().into_bytes()));
        read_policies(Some(fleet), &files.collect::<Vec<_>>())
    };
    let mut policies: PolicySet = read(&texts)?;
    if let Err(failure) = check_requests(fleet, &policies, tree) {
        // Only a person can say where new clusters should wait instead.
        terminal.talk(&format!("note: no sharding policy was written: {}\n", failure.message));
        texts.remove(policies::SHARDING);
        policies = read(&texts)?;
    }
    for warning in &policies.warnings {
        terminal.talk(&format!("{warning}\n"));
    }
    Ok(texts)
}

/// Writes new files, or none if one of them is there already.
fn write(files: &BTreeMap<PathBuf, String>) -> Result<(), Failure> {
    for path in files.keys() {
        if fs::symlink_metadata(path).is_ok() {
            return Err(there(path));
        }
    }
    for (path, text) in files {
        let failed = |error: std::io::Error| match error.kind() {
            std::io::ErrorKind::AlreadyExists => there(path),
            _ => Failure::plain(ErrorKind::Input, format!("writing {}: {error}", path.display())),
        };
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(failed)?;
        }
        // Whatever appeared there in the meantime stays as it is.
        let file = fs::OpenOptions::new().write(true).create_new(true).open(path);
        file.and_then(|mut file| file.write_all(text.as_bytes()))
            .map_err(failed)?;
    }
    Ok(())
}

fn there(path: &Path) -> Failure {
    Failure::plain(
        ErrorKind::Input,
        format!(
            "writing {}: it is there already, and nothing is overwritten",
            path.display()
        ),
    )
    .with_hint("name another folder with --to DIR, or move the file away")
}

/// What a person does next.
fn next(guessed: &Guessed, to: &Path, folder: &str, has_policies: bool) -> String {
    let Guessed { guess, fleet, .. } = guessed;
    let (regions, clusters) = (fleet.regions.len(), fleet.management_clusters().count());
    let count = |count: usize, what: &str| format!("{count} {what}{}", if count == 1 { "" } else { "s" });
    let mut out = format!(
        "\nfound {} in {}\n",
        count(clusters, "management cluster"),
        count(regions, "region")
    );
    let file = to.join("fleet.yaml").display().to_string();
    let policies = to.join(folder).display().to_string();
    if guess.policies.is_some() {
        out.push_str(&format!(
            "no policies were written: {folder} of the repository holds some\n"
        ));
    }
    out.push_str("\nnext:\n  review every line with `guess` in it; nothing else was made up\n");
    if has_policies {
        out.push_str(&format!(
            "  fleetscale validate {policies} --fleet {file}\n  put {policies} into the repository as {folder} and commit it; nothing was written there\n"
        ));
    } else if guess.policies.is_none() {
        out.push_str("  write policies: there were no numbers to make any from\n");
    }
    out.push_str(&format!(
        "  fleetscale scan --fleet {file}      # every number, and which can't be changed\n  fleetscale validate --fleet {file}\n"
    ));
    out
}
