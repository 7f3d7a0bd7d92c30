//! The `switchboard` program.

use std::process::ExitCode;

fn main() -> ExitCode {
    if std::env::args().nth(1).as_deref() == Some(switchboard::clipboard::holder::SUBCOMMAND) {
        return switchboard::clipboard::holder::run();
    }
    ExitCode::SUCCESS
}
