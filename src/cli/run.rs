//! `run`: the whole job, from the inputs to the pull requests. `--dry-run` stops before the first write.

use std::path::PathBuf;

use serde::Serialize;

use crate::error::{ErrorKind, Failure};
use crate::model::{BRANCH_PREFIX, Declared, Plan};
use crate::plan;

use super::args::{Format, InputArgs};
use super::compute::{Computed, compute};
use super::inputs::Inputs;
use super::observing;
use super::publishing::{self, ScopeReport, carry_out};
use super::saved;
use super::terminal::Terminal;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    inputs: InputArgs,
    /// Say what would be done, and write nothing.
    #[arg(long)]
    dry_run: bool,
    /// Record what this run stood on: with `--snapshot FILE`, it replays to the same plan.
    #[arg(long, value_name = "FILE")]
    snapshot_out: Option<PathBuf>,
    /// How to print it.
    #[arg(short, long, value_enum, default_value = "text")]
    output: Format,
}

/// A run for programs.
#[derive(Serialize)]
struct Report<'a> {
    plan: &'a Plan,
    scopes: &'a [ScopeReport],
}

pub(super) fn run(args: Args, terminal: &Terminal) -> super::Outcome {
    let Args {
        inputs: input_args,
        dry_run,
        snapshot_out,
        output,
    } = args;
    if !dry_run {
        publishable(&input_args)?;
    }
    let inputs = Inputs::read(&input_args, terminal)?;
    let ledger = publishing::ledger(&inputs)?;
    let snapshot = observing::snapshot(&inputs, ledger, terminal)?;
    let Computed {
        snapshot,
        plan,
        rendered,
    } = compute(&inputs, snapshot, input_args.select.as_ref())?;
    if let Some(path) = snapshot_out {
        saved::write(&path, &saved::json(&snapshot)?)?;
    }
    let scopes = carry_out(&inputs.workspace, &plan, &snapshot.ledger, &rendered, dry_run, terminal)?;
    let report = Report {
        plan: &plan,
        scopes: &scopes,
    };
    match output {
        Format::Text => {
            terminal.data(&plan::changes_table(&plan));
            terminal.data(&plan::holds(&plan));
            terminal.data(&publishing::text(&scopes));
            terminal.talk(&observing::not_seen(&snapshot));
            terminal.talk(&unbound(&inputs.declared));
            terminal.data(&where_it_is(&inputs));
            terminal.data(&format!("{}\n", plan.summary()));
        }
        Format::Json => terminal.data(&saved::json(&report)?),
        Format::Yaml => terminal.data(&saved::yaml(&report)?),
    }
    Ok(publishing::exit_code(&scopes).max(observing::exit_code(&snapshot)))
}

/// Policies from a folder on disk were reviewed by nobody, and a base that is no branch can't be merged into.
pub(super) fn publishable(args: &InputArgs) -> Result<(), Failure> {
    if args
        .reference
        .as_deref()
        .is_some_and(|name| name.starts_with(BRANCH_PREFIX))
    {
        return Err(Failure::plain(
            ErrorKind::Usage,
            "a pull request's own branch is no base to propose into",
        )
        .with_hint("policies are read from the base branch alone; to look at that branch, add --dry-run or use plan"));
    }
    if args.policies.is_some() {
        return Err(
            Failure::plain(ErrorKind::Usage, "a local policy folder never publishes")
                .with_hint("merge the policies into the fleet repository, or add --dry-run"),
        );
    }
    Ok(())
}

/// Where to look: the two paths that the README's commands need.
fn where_it_is(inputs: &Inputs) -> String {
    let workspace = &inputs.workspace;
    format!(
        "remote:        {}\npull requests: {}\n",
        workspace.remote, workspace.forge_place
    )
}

/// What looked as if it declared something but can't be bound: at most some lines of it, and how many more there are.
pub(super) fn unbound(declared: &Declared) -> String {
    const MOST: usize = 50;
    let found = &declared.unbound;
    if found.is_empty() {
        return String::new();
    }
    let mut text = format!("not bound ({}):\n", found.len());
    for line in plan::unbound(found.get(..MOST).unwrap_or(found)).lines() {
        text.push_str(&format!("  {line}\n"));
    }
    if found.len() > MOST {
        text.push_str(&format!("  and {} more\n", found.len() - MOST));
    }
    text
}
