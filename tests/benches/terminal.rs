//! What a person over a slow line feels, as figures beside their goals: `cargo bench --bench terminal`.
//!
//! The release binary and two floors run in terminals of their own, by turns, on this machine: a bare ratatui and
//! crossterm program, and the same with an HTTP client built before its first frame. Both are this bench, started
//! again (`floor`). Times are goals as ratios to the floor of the same run and are only told; what does not depend
//! on the machine (bytes, wake-ups, size, memory, processor time a key) fails the run where it misses its goal.
//! An argument chooses rows by a part of their name, `watching` what a screen does that probes a thousand, `tokens`
//! what the size of an account costs; `--binary PATH` measures another build than the release. Run it on a quiet
//! machine: about ten minutes.
#![expect(
    unreachable_pub,
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a bench: what is missing ends it, and its table is what it is for"
)]

#[path = "terminal/floor.rs"]
mod floor;
#[path = "terminal/home.rs"]
mod home;
#[path = "terminal/measures.rs"]
mod measures;
#[path = "program.rs"]
mod program;
#[path = "terminal/session.rs"]
mod session;
#[path = "table.rs"]
mod table;
#[path = "targets.rs"]
mod targets;
#[path = "terminal/tokens.rs"]
mod tokens;
#[path = "terminal/watching.rs"]
mod watching;

use std::process::ExitCode;

use measures::{Figures, Programs};
use program::program;
use tokens::Accounts;
use watching::Watched;

/// The word that chooses what the screen does by itself.
const WATCHING: &str = "watching";
/// The word that chooses what the size of an account costs.
const TOKENS: &str = "tokens";

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let first = arguments.next().unwrap_or_default();
    if let Some(kind) = first.strip_prefix("--floor=") {
        floor::run(kind);
        return ExitCode::SUCCESS;
    }
    if first == "--targets" {
        targets::run(None);
        return ExitCode::SUCCESS;
    }
    let mut chosen = String::new();
    let mut rest = Some(first).into_iter().chain(arguments);
    while let Some(word) = rest.next() {
        match word.as_str() {
            // Another build than the release.
            "--binary" => drop(rest.next()),
            // cargo adds `--bench`.
            word if word.starts_with("--") => {}
            _ => chosen = word,
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let programs = Programs::copied(&program(), folder.path());
    let mut rows = Vec::new();
    if chosen != WATCHING {
        if chosen != TOKENS {
            rows.extend(Figures::taken(&programs).rows());
        }
        rows.extend(Accounts::taken(&programs.program).rows());
        rows.retain(|row| row.what.contains(&chosen));
    }
    if chosen.is_empty() || chosen == WATCHING {
        rows.extend(Watched::taken(&programs.program, &programs.floor).rows());
    }
    rows.sort_by_key(|row| row.number);
    let missed = table::printed(&rows, "floor");
    println!("\n40 starts and 500 keys each, medians, processor times means; 120x40; times in ms.");
    if missed > 0 {
        println!("{missed} of the figures that gate missed their goals");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}
