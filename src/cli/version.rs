//! `version`.

use super::terminal::Terminal;

#[derive(Debug, clap::Args)]
pub(super) struct Args {}

pub(super) fn run(Args {}: Args, terminal: &Terminal) -> super::Outcome {
    terminal.data(concat!("fleetscale ", env!("CARGO_PKG_VERSION"), "\n"));
    Ok(0)
}
