//! `plan`: decide and plan, from files alone if they are given. Nothing is written but `--out`.

use std::path::PathBuf;

use super::args::{Format, InputArgs};
use super::compute::{Computed, compute};
use super::inputs::Inputs;
use super::observing;
use super::publishing;
use super::saved;
use super::terminal::Terminal;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    inputs: InputArgs,
    /// How to print it.
    #[arg(short, long, value_enum, default_value = "text")]
    output: Format,
    /// Save the plan as JSON, for `show`, `diff` and `publish`.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Exit with 0 for an empty plan, 1 for an error and 2 for changes, as terraform does.
    #[arg(long)]
    detailed_exitcode: bool,
}

pub(super) fn run(args: Args, terminal: &Terminal) -> super::Outcome {
    let detailed = args.detailed_exitcode;
    plan(args, terminal).or_else(|failure| {
        if !detailed {
            return Err(failure);
        }
        terminal.talk(&format!("{failure}\n"));
        Ok(1)
    })
}

fn plan(args: Args, terminal: &Terminal) -> super::Outcome {
    let Args {
        inputs: input_args,
        output,
        out,
        detailed_exitcode,
    } = args;
    let inputs = Inputs::read(&input_args, terminal)?;
    let ledger = publishing::ledger_of_files(&inputs, &input_args)?;
    let snapshot = observing::snapshot(&inputs, ledger, terminal)?;
    let Computed { plan, .. } = compute(&inputs, snapshot, input_args.select.as_ref())?;
    if let Some(path) = out {
        saved::write(&path, &saved::json(&plan)?)?;
    }
    terminal.data(&saved::print(&plan, output)?);
    if output == Format::Text {
        terminal.talk(&super::run::unbound(&inputs.declared));
    }
    Ok(if detailed_exitcode && !plan.proposals.is_empty() {
        2
    } else {
        0
    })
}
