//! What a person over a slow line feels, as figures beside their goals: `cargo bench --bench terminal`.
//!
//! The release binary and two floors run in terminals of their own, by turns, on this machine: a bare ratatui and
//! crossterm program, and the same with an HTTP client built before its first frame. Both are this bench, started
//! again (`floor`). Times are goals as ratios to the floor of the same run and are only told; what does not depend
//! on the machine (bytes, wake-ups, size, memory, processor time a key) fails the run where it misses its goal.
//! An argument chooses rows by a part of their name; `--binary PATH` measures another build. Run it on a quiet
//! machine.
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
#[path = "terminal/measures.rs"]
mod measures;
#[path = "terminal/session.rs"]
mod session;
#[path = "terminal/tokens.rs"]
mod tokens;

use std::process::ExitCode;

use measures::Figures;

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let first = arguments.next().unwrap_or_default();
    if let Some(kind) = first.strip_prefix("--floor=") {
        floor::run(kind);
        return ExitCode::SUCCESS;
    }
    let mut chosen = String::new();
    let mut rest = Some(first).into_iter().chain(arguments);
    while let Some(word) = rest.next() {
        match word.as_str() {
            // Another build than the one of this run's profile.
            "--binary" => drop(rest.next()),
            // cargo adds `--bench`.
            word if word.starts_with("--") => {}
            _ => chosen = word,
        }
    }
    let rows = Figures::taken().rows();
    println!("| # | what | figure | floor | ratio | goal | |");
    println!("|---|---|---|---|---|---|---|");
    let mut missed = 0;
    for row in rows.iter().filter(|row| row.what.contains(&chosen)) {
        println!("{row}");
        missed += u32::from(row.gates && !row.holds());
    }
    println!("\n40 starts and 200 keys each, medians unless said otherwise; 120x40; times in ms.");
    if missed > 0 {
        println!("{missed} of the figures that gate missed their goals");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}
