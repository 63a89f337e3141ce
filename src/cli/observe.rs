//! `observe`: asks the clusters and Prometheus, and writes what they said as a snapshot. Whoever has the file can replay the decision.

use std::path::PathBuf;

use super::args::InputArgs;
use super::inputs::Inputs;
use super::observing;
use super::publishing;
use super::saved;
use super::terminal::Terminal;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    inputs: InputArgs,
    /// Write the snapshot to this file, instead of stdout.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// How to write it.
    #[arg(short, long, value_enum, default_value = "yaml")]
    output: Written,
}

/// The forms of a snapshot; both read back as the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Written {
    /// For programs.
    Json,
    /// For programs and people.
    Yaml,
}

pub(super) fn run(args: Args, terminal: &Terminal) -> super::Outcome {
    let Args {
        inputs: input_args,
        out,
        output,
    } = args;
    let inputs = Inputs::read(&input_args, terminal)?;
    let ledger = publishing::ledger_to_answer(&inputs, &input_args)?;
    let snapshot = observing::snapshot(&inputs, ledger, terminal)?;
    let text = match output {
        Written::Json => saved::json(&snapshot)?,
        Written::Yaml => saved::yaml(&snapshot)?,
    };
    match out {
        Some(path) => saved::write(&path, &text)?,
        None => terminal.data(&text),
    }
    terminal.talk(&observing::not_seen(&snapshot));
    Ok(observing::exit_code(&snapshot))
}
