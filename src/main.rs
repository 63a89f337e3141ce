//! The `fleetscale` binary: the words of the command line in, an exit code out.

use std::process::ExitCode;

fn main() -> ExitCode {
    fleetscale::cli::main(std::env::args_os())
}
