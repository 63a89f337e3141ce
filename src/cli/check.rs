//! `check`: asks everything that a run depends on whether it would do its part, before a run needs it.
//!
//! One line per dependency, and one that fails stops none of the others. Nothing is written: the repository is fetched into a scratch folder
//! that is gone afterwards, and of the forge it is only asked what may be done there.

mod clusters;
mod report;

use std::fs;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use crate::error::{ErrorKind, Failure};
use crate::forge::{Forge as _, ForgeAccess};
use crate::git::Store;
use crate::model::Base;
use crate::net::{Deadline, Server};
use crate::observe::{self, ClockReading};
use crate::policy::{CredentialsRef, FleetFile, Forge, PolicySet, Repository, ServerRef};

use super::args::InputArgs;
use super::terminal::Terminal;
use super::waiting::wait;
use super::{clock, hosting, inputs, observing, saved, validate, workspace};

use report::{Kind, Line};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The fleet file.
    #[arg(long, value_name = "FILE")]
    fleet: PathBuf,
    /// The time of the questions to Prometheus (RFC 3339), instead of the present.
    #[arg(long, value_name = "TIME")]
    now: Option<Timestamp>,
    /// Where there is room for a copy of the repository while this runs. Default: the system's folder for such things.
    #[arg(long, value_name = "DIR")]
    work_dir: Option<PathBuf>,
    /// How to print it.
    #[arg(short, long, value_enum, default_value = "text")]
    output: Format,
}

/// How the report is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// For people.
    Text,
    /// For programs.
    Json,
}

/// A folder that is gone at the end.
struct Scratch(PathBuf);

impl Drop for Scratch {
    fn drop(&mut self) {
        // What could not be removed is in a folder for such things.
        let _ = fs::remove_dir_all(&self.0);
    }
}

pub(super) fn run(args: Args, terminal: &Terminal) -> super::Outcome {
    let Args {
        fleet: path,
        now,
        work_dir,
        output,
    } = args;
    let name = path.display().to_string();
    let lines = match workspace::read_fleet(&path) {
        Err(why) => vec![Line::failed(Kind::FleetFile, &name, &why)],
        Ok((fleet, _)) => {
            let room = work_dir.as_deref().filter(|folder| folder.is_dir());
            let scratch = clock::scratch_folder(room).map_err(|error| {
                Failure::plain(ErrorKind::Input, format!("making a scratch folder: {error}"))
                    .with_hint("name a folder that exists with --work-dir DIR")
            })?;
            let scratch = Scratch(scratch);
            let mut lines = vec![fleet_file(&name, &fleet)];
            let now = now.unwrap_or_else(clock::now);
            lines.extend(dependencies(&fleet, &path, &scratch.0, now, terminal)?);
            lines
        }
    };
    match output {
        Format::Text => terminal.data(&report::text(&lines)),
        Format::Json => terminal.data(&saved::json(&report::of_programs(&lines))?),
    }
    Ok(report::exit_code(&lines))
}

/// Everything that the fleet file names.
fn dependencies(
    fleet: &FleetFile,
    path: &Path,
    scratch: &Path,
    now: Timestamp,
    terminal: &Terminal,
) -> Result<Vec<Line>, Failure> {
    let folder = workspace::folder_of(path);
    let deadline = Deadline::after(fleet.deadlines.run.standard());
    let arguments = InputArgs::of_fleet(path.to_owned());
    let opened = workspace::open_repository(&arguments, fleet, folder, scratch, (now, deadline), terminal)
        .and_then(|(store, _)| Ok((workspace::base(&arguments, fleet, &store)?, store)));
    let mut lines = git(fleet, folder, &opened);
    terminal.progress("asking the forge");
    lines.push(forge(fleet, folder, scratch, now, deadline)?);
    if let Some(snapshot) = &fleet.snapshot {
        lines.push(recorded(fleet, folder, snapshot));
    }
    terminal.progress("asking the clusters");
    let regions = observing::with_access_of(fleet, folder, |access| {
        wait(observe::check(fleet, access, clock::now, now))
    })?;
    lines.extend(clusters::lines(fleet, &regions));
    Ok(lines)
}

fn fleet_file(name: &str, fleet: &FleetFile) -> Line {
    let (regions, clusters) = (fleet.regions.len(), fleet.management_clusters().count());
    let says = format!(
        "{} in {}",
        report::counted(clusters, "management cluster"),
        report::counted(regions, "region")
    );
    let warnings = fleet.warnings.iter().map(ToString::to_string);
    Line::ok(Kind::FleetFile, name, says).with_warnings(warnings)
}

type Opened = Result<(Base, Store), Failure>;

/// The repository, and the policies in it.
fn git(fleet: &FleetFile, folder: &Path, opened: &Opened) -> Vec<Line> {
    let place = match &fleet.repository {
        Repository::Import(path) | Repository::Path(path) => folder.join(path).display().to_string(),
        Repository::Server(reference) => reference.url.clone(),
    };
    let policies = fleet.policies.to_string();
    match opened {
        Err(failure) => vec![
            Line::failed(Kind::Git, &place, failure),
            Line::unknown(Kind::Policies, &policies, "not read: the repository can't be"),
        ],
        Ok((base, store)) => {
            let says = format!("{} is at {}", base.branch, base.commit.short());
            vec![
                Line::ok(Kind::Git, &place, says).with_warnings(readable_git(fleet)),
                match read_policies(fleet, store, base) {
                    Ok(found) => Line::ok(
                        Kind::Policies,
                        &policies,
                        format!("{} at {}", validate::valid(&found), base.commit.short()),
                    )
                    .with_warnings(found.warnings.iter().map(ToString::to_string)),
                    Err(failure) => Line::failed(Kind::Policies, &policies, &failure),
                },
            ]
        }
    }
}

fn read_policies(fleet: &FleetFile, store: &Store, base: &Base) -> Result<PolicySet, Failure> {
    let listing = store
        .tree(&base.commit)
        .map_err(|error| Failure::new(ErrorKind::Publish, &error))?;
    let files = inputs::files_at_base(fleet, store, &listing)?;
    inputs::read_policies(Some(fleet), &files)
}

const READABLE: &str = "credentials go there in plain HTTP: whoever is on the way reads them; use https://";

fn readable_git(fleet: &FleetFile) -> Option<String> {
    let Repository::Server(reference) = &fleet.repository else {
        return None;
    };
    let reference = hosting::with_the_forges_credentials(reference, &fleet.forge);
    readable(&reference)
}

/// The warning, if credentials for a server can be read on the way.
fn readable(reference: &ServerRef) -> Option<String> {
    let leaks = reference.credentials != CredentialsRef::None
        && Server::new(&reference.url).is_ok_and(|server| server.is_readable_on_the_way());
    leaks.then(|| READABLE.to_owned())
}

fn recorded(fleet: &FleetFile, folder: &Path, name: &str) -> Line {
    let place = folder.join(name);
    let read = workspace::load_snapshot(None, fleet, folder);
    let says = |at: Timestamp| format!("recorded at {at}; the clusters are not asked");
    match read {
        Ok(Some(snapshot)) => Line::ok(Kind::Snapshot, &place.display().to_string(), says(snapshot.captured_at)),
        Ok(None) => Line::ok(Kind::Snapshot, name, "none".to_owned()),
        Err(failure) => Line::failed(Kind::Snapshot, name, &failure),
    }
}

fn forge(
    fleet: &FleetFile,
    folder: &Path,
    scratch: &Path,
    now: Timestamp,
    deadline: Deadline,
) -> Result<Line, Failure> {
    let (name, reference) = match &fleet.forge {
        Forge::Local { path } => {
            let place = path.as_ref().map_or_else(
                || "the work folder".to_owned(),
                |path| folder.join(path).display().to_string(),
            );
            (place, None)
        }
        Forge::Gitea { server, repository } | Forge::GitHub { server, repository } => {
            let name = format!("{}/{}/{}", server.url, repository.owner, repository.name);
            (name, Some(server))
        }
    };
    let opened = hosting::forge(fleet, folder, scratch, now, deadline);
    let forge = match opened {
        Ok((forge, _)) => forge,
        Err(failure) => return Ok(Line::failed(Kind::Forge, &name, &failure)),
    };
    let asked = clock::now();
    let answer = wait(forge.access())?;
    let answered = clock::now();
    Ok(match answer {
        Err(error) => Line::failed(Kind::Forge, &name, &Failure::new(ErrorKind::Publish, &error)),
        Ok(access) => {
            let reading = ClockReading {
                server: access.clock,
                asked,
                answered,
            };
            let (says, lacks) = may(&fleet.forge, &access);
            let line = if lacks {
                Line::broken(Kind::Forge, &name, says)
            } else {
                Line::ok(Kind::Forge, &name, says)
            };
            let leak = reference.and_then(readable);
            line.with_warnings(report::clock_differs(reading).into_iter().chain(leak))
        }
    })
}

/// What may be done at a forge, in words, and whether something lacks.
fn may(forge: &Forge, access: &ForgeAccess) -> (String, bool) {
    let ForgeAccess {
        login,
        may_read,
        may_push,
        may_open,
        clock: _,
        version,
    } = access;
    let kind = match forge {
        Forge::Local { .. } => "a folder",
        Forge::Gitea { .. } => "Gitea",
        Forge::GitHub { .. } => "GitHub",
    };
    let server = match version {
        Some(version) => format!("{kind} {version}"),
        None => kind.to_owned(),
    };
    let rights = [
        ("read pull requests", Some(*may_read)),
        ("push branches", *may_push),
        ("open pull requests", *may_open),
    ];
    let those = |wanted: Option<bool>| {
        let these = rights.iter().filter(|(_, has)| *has == wanted);
        these.map(|(what, _)| *what).collect::<Vec<_>>().join(", ")
    };
    let who = login.as_deref().unwrap_or("we");
    let (yes, no, unknown) = (those(Some(true)), those(Some(false)), those(None));
    let mut says = vec![server];
    for (what, words) in [(&no, "may not"), (&yes, "may"), (&unknown, "maybe may")] {
        if !what.is_empty() {
            says.push(format!("{who} {words} {what}"));
        }
    }
    (says.join("; "), !no.is_empty())
}

#[cfg(test)]
mod tests;
