//! `completion SHELL`.

use clap::CommandFactory as _;

use super::terminal::Terminal;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The shell.
    #[arg(value_enum)]
    shell: clap_complete::Shell,
}

pub(super) fn run(Args { shell }: Args, terminal: &Terminal) -> super::Outcome {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut super::Cli::command(), "fleetscale", &mut script);
    terminal.data(&String::from_utf8_lossy(&script));
    Ok(0)
}
