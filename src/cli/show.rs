//! `show PLAN`: a saved plan as text, JSON or YAML.

use std::path::PathBuf;

use super::args::Format;
use super::saved;
use super::terminal::Terminal;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The plan, as `plan --out` wrote it.
    plan: PathBuf,
    /// How to print it.
    #[arg(short, long, value_enum, default_value = "text")]
    output: Format,
}

pub(super) fn run(Args { plan, output }: Args, terminal: &Terminal) -> super::Outcome {
    terminal.data(&saved::print(&saved::load(&plan)?, output)?);
    Ok(0)
}
