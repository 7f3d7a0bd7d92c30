//! Thousands of targets probed at once, as figures beside their goals: `cargo bench --bench throughput`.
//!
//! `switchboard probe --targets` and bare loops ask the same targets on loopback, by turns, on this machine: a loop
//! over sockets, one over reqwest, one over tokio-rustls, each this bench, started again; `curl --parallel` and
//! prometheus-blackbox-exporter as well, where they are installed. The targets are a further process. Times are
//! goals as ratios to a peer of the same run and are only told; what does not depend on the machine (that each
//! target was asked once, that what is found is what the bare loop finds) fails the run where it misses.
//! An argument chooses rows by a part of their number; `--binary PATH` measures another build than the release, `--count N` asks
//! other than 10,000 targets, `--times N` asks other than five times. Run it on a quiet machine: about six minutes.
#![expect(
    unreachable_pub,
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a bench: what is missing ends it, and its table is what it is for"
)]

#[path = "throughput/blackbox.rs"]
mod blackbox;
#[path = "throughput/contest.rs"]
mod contest;
#[path = "throughput/peers.rs"]
mod peers;
#[path = "program.rs"]
mod program;
#[path = "throughput/runs.rs"]
mod runs;
#[path = "throughput/sockets.rs"]
mod sockets;
#[path = "table.rs"]
mod table;
#[path = "targets.rs"]
mod targets;

use std::process::ExitCode;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use contest::{Contest, Series, Setting};
use runs::Asker;
use table::Row;

const SOCKETS: Asker = Asker::Loop("sockets");
const REQWEST: Asker = Asker::Loop("reqwest");
const RUSTLS: Asker = Asker::Loop("rustls");

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let first = arguments.first().map_or("", String::as_str);
    if first == "--targets" {
        targets::run(arguments.get(1).map(String::as_str));
        return ExitCode::SUCCESS;
    }
    if let Some(kind) = first.strip_prefix("--peer=") {
        peers::run(kind, &arguments[1..]);
        return ExitCode::SUCCESS;
    }
    // A thousand sockets and more, here and in all that is started from here.
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: maximum,
        maximum,
    };
    setrlimit(Resource::Nofile, raised).unwrap();

    let rows = chosen(&arguments);
    let missed = table::printed(&rows, "peer");
    println!("\nMedians of the runs, by turns; times in ms, and only told.");
    if missed > 0 {
        println!("{missed} of the figures that gate missed their goals");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

/// The rows that the arguments ask for.
fn chosen(arguments: &[String]) -> Vec<Row> {
    let (mut word, mut count, mut times) = (String::new(), 10_000, 5);
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        let mut number = || rest.next().and_then(|number| number.parse().ok()).unwrap();
        match argument.as_str() {
            "--count" => count = number(),
            "--times" => times = number(),
            "--binary" => drop(rest.next()),
            // cargo adds `--bench`.
            flag if flag.starts_with("--") => {}
            _ => word.clone_from(argument),
        }
    }
    let setting = |number, scheme, path, at_once| Setting {
        number,
        scheme,
        path,
        count,
        at_once,
        times,
    };
    let is_chosen = |numbers: &[&str]| numbers.iter().any(|number| number.contains(&word));
    let mut rows = Vec::new();
    for at_once in [256, 1_024] {
        if is_chosen(&["6a", "6c"]) {
            rows.extend(flat(setting("6a", "http", "flat", at_once)));
        }
        if is_chosen(&["6b"]) {
            rows.extend(mixed(setting("6b", "http", "mixed", at_once)));
        }
    }
    if is_chosen(&["6d"]) {
        let count = count.min(targets::SECURE);
        rows.extend(secure(Setting {
            count,
            ..setting("6d", "https", "flat", 256)
        }));
    }
    rows.retain(|row| row.number.contains(&word));
    rows.sort_by_key(|row| row.number);
    rows
}

/// All answer at once: what is measured is the program.
fn flat(setting: Setting) -> Vec<Row> {
    let askers = [
        SOCKETS,
        REQWEST,
        Asker::Curl,
        Asker::Blackbox,
        Asker::Program,
    ];
    let contest = Contest::held(setting, &askers);
    let told = [
        contest.beside(REQWEST, "ms, to the reqwest loop", Series::wall, 1.25),
        contest.beside(REQWEST, "processor ms, to the same", Series::cpu, 1.3),
        contest.beside(Asker::Curl, "ms, to curl --parallel", Series::wall, 0.35),
        contest.beside(Asker::Blackbox, "ms, to blackbox", Series::wall, 0.25),
        Some(contest.first("6c", 50.0)),
    ];
    let mut rows: Vec<_> = told.into_iter().flatten().collect();
    rows.extend(contest.work(SOCKETS));
    rows
}

/// 5 to 200 ms, 4 % refuse, 4 % are broken, 1 % never answer, 1 % reset: what is measured is how well it waits.
fn mixed(setting: Setting) -> Vec<Row> {
    // What the client that is mandated takes itself is seen beside them.
    let contest = Contest::held(setting, &[SOCKETS, REQWEST, Asker::Program]);
    let beside = |peer, what| {
        contest.beside(
            peer,
            &format!("mixed, ms, to the {what}"),
            Series::wall,
            1.02,
        )
    };
    let told = [
        beside(SOCKETS, "loop over sockets"),
        beside(REQWEST, "reqwest loop"),
    ];
    let told = told.into_iter().flatten();
    told.chain(contest.work(SOCKETS)).collect()
}

/// Whole handshakes on both sides, for a resumed one shows no certificate.
fn secure(setting: Setting) -> Vec<Row> {
    // What the client that is mandated adds to the bare handshakes is seen beside them.
    let contest = Contest::held(setting, &[RUSTLS, REQWEST, Asker::Program]);
    let told = [
        contest.beside(REQWEST, "TLS, ms, to the reqwest loop", Series::wall, 1.2),
        contest.beside(
            RUSTLS,
            "TLS, ms, to the tokio-rustls loop",
            Series::wall,
            1.2,
        ),
        contest.beside(RUSTLS, "TLS, processor ms, to the same", Series::cpu, 1.3),
    ];
    let told = told.into_iter().flatten();
    told.chain(contest.work(RUSTLS)).collect()
}
