//! The command line: one thin file per verb, and the only place that reads the clock, the environment and the terminal.
//!
//! Data goes to stdout, talk to stderr. A verb gathers its inputs, calls the pure rooms and prints what they say; no verb decides anything.

mod args;
mod check;
mod clock;
mod completion;
mod compute;
mod diff;
mod explain;
mod guessed;
mod hosting;
mod init;
mod inputs;
mod observe;
mod observing;
mod plan;
mod publish;
mod publishing;
mod repository;
mod run;
mod saved;
mod scan;
mod schema;
mod select;
mod servers;
mod shards;
mod show;
mod terminal;
mod validate;
mod version;
mod waiting;
mod workspace;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::error::Failure;
use crate::telemetry::{self, LogFormat};

use args::{Color, GlobalArgs};
use terminal::Terminal;

/// An autoscaler for Kubernetes fleets that never touches a cluster: it opens pull requests.
#[derive(Debug, Parser)]
#[command(name = "fleetscale", version, max_term_width = 110, propagate_version = true)]
struct Cli {
    #[command(flatten)]
    global: GlobalArgs,
    #[command(subcommand)]
    verb: Verb,
}

/// The verbs. A new one is one file and one line here and below.
#[derive(Debug, Subcommand)]
enum Verb {
    /// Observe, decide, plan and publish: what the CronJob calls.
    Run(run::Args),
    /// Ask the clusters and Prometheus, and write what they said as a snapshot.
    Observe(observe::Args),
    /// Decide and plan, and print the plan; nothing is written.
    Plan(plan::Args),
    /// Print a saved plan.
    Show(show::Args),
    /// Print what a plan would change in the fleet repository, as a unified diff.
    Diff(diff::Args),
    /// Say why a target is or isn't changed, and on which measurements that stands.
    Explain(explain::Args),
    /// Publish a saved plan, unless its base has moved.
    Publish(publish::Args),
    /// Ask every server, the repository and the forge whether a run would find all that it needs; nothing is written.
    Check(check::Args),
    /// Write a starter fleet file and policies from what lies in a repository, for review.
    Init(init::Args),
    /// List every number of a repository: where it is written, whose it is, and whether it can be changed there.
    Scan(scan::Args),
    /// Check the fleet file and the policies.
    Validate(validate::Args),
    /// Show where clusters live, how much room there is, and which shard is full or blind.
    Shards(shards::Args),
    /// Print the JSON Schema of a kind.
    Schema(schema::Args),
    /// Print a shell's completion script.
    Completion(completion::Args),
    /// Print the version.
    Version(version::Args),
}

/// What a verb ends with, if it doesn't fail: the exit code.
type Outcome = Result<u8, Failure>;

/// Runs the command line and returns its exit code.
pub fn main(words: impl IntoIterator<Item = OsString>) -> ExitCode {
    let words: Vec<OsString> = words.into_iter().collect();
    // An error of `diff` must not look like a difference, and one of all others neither like a partial run nor like a change.
    let trouble = if words.iter().any(|word| word == "diff") {
        diff::TROUBLE
    } else {
        1
    };
    let cli = match Cli::try_parse_from(words) {
        Ok(cli) => cli,
        Err(error) => {
            // clap prints help to stdout and mistakes to stderr, and knows which is which.
            let asked_for = !error.use_stderr();
            return if error.print().is_ok() && asked_for {
                ExitCode::SUCCESS
            } else {
                ExitCode::from(trouble)
            };
        }
    };
    let Cli { global, verb } = cli;
    let terminal = Terminal::new(global.color.unwrap_or(Color::Auto));
    let format = global.log_format.map_or(LogFormat::Text, args::LogFormatArg::format);
    telemetry::install(format, &clock::log_filter(), terminal.colour_on_stderr());
    let outcome = match verb {
        Verb::Run(args) => run::run(args, &terminal),
        Verb::Observe(args) => observe::run(args, &terminal),
        Verb::Plan(args) => plan::run(args, &terminal),
        Verb::Show(args) => show::run(args, &terminal),
        Verb::Diff(args) => diff::run(args, &terminal),
        Verb::Explain(args) => explain::run(args, &terminal),
        Verb::Publish(args) => publish::run(args, &terminal),
        Verb::Check(args) => check::run(args, &terminal),
        Verb::Init(args) => init::run(args, &terminal),
        Verb::Scan(args) => scan::run(args, &terminal),
        Verb::Validate(args) => validate::run(args, &terminal),
        Verb::Shards(args) => shards::run(args, &terminal),
        Verb::Schema(args) => schema::run(args, &terminal),
        Verb::Completion(args) => completion::run(args, &terminal),
        Verb::Version(args) => version::run(args, &terminal),
    };
    match outcome {
        Ok(_) if terminal.lost_data() => ExitCode::from(trouble),
        Ok(code) => ExitCode::from(code),
        Err(failure) => {
            terminal.talk(&format!("{failure}\n"));
            ExitCode::from(failure.kind.exit_code())
        }
    }
}
