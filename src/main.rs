//! The command line: see the crate for everything else.

use std::process::ExitCode;

fn main() -> ExitCode {
    switchboard::cli::run()
}
