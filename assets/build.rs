//! What is done before the program is built.

#![expect(
    clippy::disallowed_methods,
    reason = "cargo tells a build script everything by the environment"
)]

mod compact;
#[path = "linking/order.rs"]
mod order;
mod texts;

use std::process::ExitCode;

fn main() -> ExitCode {
    order::arrange();
    match compact::write().and_then(|()| texts::write()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            println!("cargo::error={problem}");
            ExitCode::FAILURE
        }
    }
}
