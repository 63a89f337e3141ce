//! `scan`: every number of a repository, where it is written, whose it is, and whether it can be changed there.

mod found;
mod owner;
#[cfg(test)]
mod tests;
mod text;

use std::path::PathBuf;

use clap::ValueEnum;

use crate::error::{ErrorKind, Failure};
use crate::fleet;
use crate::net::Deadline;
use crate::policy::{FleetFile, PolicySet, Repository};

use super::args::InputArgs;
use super::inputs::{files_on_disk, load_policies};
use super::repository::Source;
use super::select::Selection;
use super::terminal::Terminal;
use super::workspace::{default_work_dir, folder_of, load_fleet, load_snapshot, open_repository};
use super::{clock, guessed, saved};

use found::Scan;

/// What the words of two columns mean, for `--help`.
const WORDS: &str = "\
SHAPE, how a number is written:
  machine-deployment, machine-pool, control-plane, deployment
                     the replicas of such an object
  topology           the replicas of an entry or of the control plane in a Cluster's topology
  topology-variable  the value of a variable of that topology
  annotation         a bound of a cluster autoscaler
  arguments          a flag in a container's args or command
  resources          a container's requests or limits
  provider           anything in an object of the Cluster API Operator
  values-file        a file of a chart's values
  helm-release       values in a HelmRelease
  application, application-set
                     values, parameters or elements in an object of Argo CD
  argocd-source      parameters in a .argocd-source.yaml
  config-map         the data of a ConfigMap, or of what generates one
  kustomize-patch    a strategic merge, in a file or in a kustomization
  json-patch         a list of RFC 6902 operations, in a file or in a kustomization
  replicas-count     an entry of a kustomization's list of replicas
  substitution       a variable in a Flux Kustomization's postBuild.substitute
  manifest           a field of another object
  unknown            its file can't be read, or there is none

OWNER, who decides on it:
  git                        what is written is what counts
  horizontal-pod-autoscaler, keda
                             a scaler that aims at the object
  cluster-autoscaler         by its annotations on the object, the topology's entry or its class
  topology                   the topology of the Cluster writes the object
  control-plane              the control plane above the object writes it
  operator                   the Cluster API Operator makes the object
  owner-reference            the controller that the object's ownerReferences name
  external                   a scaler that cluster.x-k8s.io/replicas-managed-by speaks of
  ignore-differences         Argo CD leaves the field to somebody else
  flux-ignore                Flux leaves the field to somebody else
  renderer                   whatever fills in the template or the variable
  generator                  whoever generates the file
  unknown                    Git does not write it and does not say";

#[derive(Debug, clap::Args)]
#[command(after_long_help = WORDS)]
pub(super) struct Args {
    /// The repository: a checkout or a bare repository, read at its HEAD, or a plain folder. Default: the fleet file's, at its branch.
    #[arg(long, value_name = "PATH", required_unless_present = "fleet")]
    repo: Option<PathBuf>,
    /// The fleet file. Without it the management clusters are guessed, as `init` does.
    #[arg(long, value_name = "FILE")]
    fleet: Option<PathBuf>,
    /// The branch, tag or commit to read.
    #[arg(long = "ref", value_name = "NAME")]
    reference: Option<String>,
    /// Read the policies from this folder on disk, instead of the repository.
    #[arg(long, value_name = "DIR")]
    policies: Option<PathBuf>,
    /// Only these targets: `region=`, `cluster=`, `group=`, `kind=`, separated by commas; `*` matches any text.
    #[arg(long, value_name = "KEY=VALUE,...")]
    select: Option<Selection>,
    /// Say of each number what it is, why it can or can't be changed, and what a person can do about that.
    #[arg(long, conflicts_with = "output")]
    explain: bool,
    /// How to print it.
    #[arg(short, long, value_enum, default_value = "table")]
    output: Format,
    /// Where a server's repository is kept. Default: a folder of the user's cache.
    #[arg(long, value_name = "DIR")]
    work_dir: Option<PathBuf>,
}

/// How a scan is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// One line per number.
    Table,
    /// The same with document and pointer.
    Wide,
    /// For programs.
    Json,
    /// For programs and people.
    Yaml,
}

pub(super) fn run(args: Args, terminal: &Terminal) -> super::Outcome {
    let (source, fleet) = open(&args, terminal)?;
    let Args {
        repo,
        fleet: _,
        reference: _,
        policies,
        select,
        explain,
        output,
        work_dir: _,
    } = args;
    let is_guess = fleet.is_none();
    let fleet = match (fleet, &repo) {
        (Some(fleet), _) => fleet,
        (None, Some(path)) => match guessed::of(&source, path)? {
            Some(guessed) => guessed.fleet,
            None => return Err(guessed::nothing_found(path)),
        },
        (None, None) => return Err(Failure::plain(ErrorKind::Usage, "there is nothing to scan")),
    };
    let is_found = is_guess && policies.is_none();
    let policies = match policies_of(&source, &fleet, policies, terminal) {
        Err(failure) if is_found => {
            // That these are the policies is a guess, too.
            let first = failure.message.lines().next().unwrap_or_default();
            terminal.talk(&format!(
                "note: {first}; scanned without those in {} (`fleetscale validate` tells what is wrong)\n",
                fleet.policies
            ));
            load_policies(Some(&fleet), &[], terminal)?
        }
        read => read?,
    };
    let tree = source.tree(&fleet::screen_everything(&fleet, &policies))?;
    let (numbers, declared) = fleet::scan(&fleet, &policies, &tree);
    if is_guess {
        terminal.talk(&guessed::note(&guessed::left_over(&declared.unbound)));
    }
    let all = numbers.len();
    let scan = Scan::of(&source, numbers, declared.unbound, &fleet, select.as_ref());
    if scan.numbers.is_empty() && all > 0 {
        tracing::warn!("--select matches no target");
    }
    terminal.data(&match output {
        _ if explain => text::explained(&scan),
        Format::Table => text::table(&scan, false),
        Format::Wide => text::table(&scan, true),
        Format::Json => saved::json(&scan)?,
        Format::Yaml => saved::yaml(&scan)?,
    });
    terminal.talk(&format!("{}\n", text::summary(&scan)));
    Ok(0)
}

/// The repository that is meant, and the fleet file if one is named.
fn open(args: &Args, terminal: &Terminal) -> Result<(Source, Option<FleetFile>), Failure> {
    let Args {
        repo,
        fleet,
        reference,
        work_dir,
        ..
    } = args;
    let reference = reference.as_deref();
    let fleet = match fleet {
        None => None,
        Some(path) => Some((load_fleet(path, terminal)?, folder_of(path), path)),
    };
    let source = match (repo, &fleet) {
        (Some(path), _) => Source::at(path, reference)?,
        (None, Some(((fleet, bytes), folder, path))) => match &fleet.repository {
            // What would be imported is read where it lies.
            Repository::Import(import) => match reference {
                None => Source::of_folder(&folder.join(import))?,
                Some(_) => Source::at(&folder.join(import), reference)?,
            },
            Repository::Path(path) => {
                let branch = reference.or(Some(fleet.branch.as_str()));
                Source::at(&folder.join(path), branch)?
            }
            Repository::Server(_) => {
                let deadline = Deadline::after(fleet.deadlines.run.standard());
                let arguments = InputArgs::of_fleet((*path).clone());
                let work = match work_dir {
                    Some(work) => work.clone(),
                    None => default_work_dir(fleet, bytes, folder, load_snapshot(None, fleet, folder)?.as_ref())?,
                };
                let when = (clock::now(), deadline);
                let (store, _) = open_repository(&arguments, fleet, folder, &work, when, terminal)?;
                Source::of_store(store, reference.or(Some(fleet.branch.as_str())))?
            }
        },
        (None, None) => return Err(Failure::plain(ErrorKind::Usage, "name --repo PATH or --fleet FILE")),
    };
    Ok((source, fleet.map(|((fleet, _), _, _)| fleet)))
}

/// The policies, whose `writeTo` names places; a repository without any is scanned all the same.
fn policies_of(
    source: &Source,
    fleet: &FleetFile,
    folder: Option<PathBuf>,
    terminal: &Terminal,
) -> Result<PolicySet, Failure> {
    let files = match folder {
        Some(folder) => files_on_disk(&folder)?,
        None => source.policies(fleet)?,
    };
    if files.is_empty() {
        terminal.talk(&format!(
            "note: there are no policies in {}; places that only a policy's writeTo can name are not listed\n",
            fleet.policies
        ));
    }
    load_policies(Some(fleet), &files, terminal)
}
