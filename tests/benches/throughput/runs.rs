//! One run of a process over a list of targets, and what it cost.

use std::fs;
use std::io::{Read, Seek};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, WaitId, WaitIdOptions, waitid};
use serde_json::Value;

use crate::peers::{LIMIT, Tally};
use crate::program::program;
use crate::targets::Targets;

/// Between two looks for the first line.
const LOOK: Duration = Duration::from_millis(1);

/// When nothing came for so long, nothing comes.
const REST: Duration = Duration::from_millis(200);

/// Who asks the targets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asker {
    /// `switchboard probe`.
    Program,
    /// A bare loop of this bench.
    Loop(&'static str),
    /// `curl --parallel`, where it is installed. It asks 300 at once at most.
    Curl,
    /// prometheus-blackbox-exporter, where it is installed, asked by the loop over sockets.
    Blackbox,
}

/// The list of targets in the forms that the askers read, and what they need beside it.
pub struct Lists {
    /// One URL a line.
    pub urls: PathBuf,
    /// For curl.
    pub curl: PathBuf,
    /// For whoever asks the exporter.
    pub blackbox: PathBuf,
    /// The certificate of the targets' authority.
    pub authority: PathBuf,
    /// A home with nothing in it.
    pub home: PathBuf,
}

/// What one run cost, and what it found.
pub struct Run {
    /// From the start to the end, in milliseconds.
    pub wall_ms: f64,
    /// User and system time, in milliseconds; the kernel counts in hundredths of a second.
    pub cpu_ms: f64,
    /// From the start to the first line of output, in milliseconds.
    pub first_ms: f64,
    /// What was found.
    pub tally: Tally,
    /// Requests that the targets had of it.
    pub served: usize,
}

impl Asker {
    /// Whether it is installed.
    pub fn is_here(self) -> bool {
        match self {
            Self::Program | Self::Loop(_) => true,
            Self::Curl => Path::new("/usr/bin/curl").exists(),
            Self::Blackbox => Path::new(crate::blackbox::PROGRAM).exists(),
        }
    }

    fn command(self, lists: &Lists, at_once: usize) -> Command {
        let this = || Command::new(std::env::current_exe().unwrap());
        let limit = LIMIT.as_secs().to_string();
        let mut command;
        match self {
            Self::Program => {
                command = Command::new(program());
                command.arg("probe").arg("--targets").arg(&lists.urls);
                command.args(["--concurrency", &at_once.to_string()]);
                command.args(["--timeout", &format!("{limit}s"), "--format", "ndjson"]);
            }
            Self::Loop(kind) => {
                command = this();
                command.arg(format!("--peer={kind}")).arg(&lists.urls);
                command.arg(at_once.to_string()).arg(&lists.authority);
            }
            Self::Curl => {
                command = Command::new("/usr/bin/curl");
                command.args(["-s", "--parallel", "--parallel-immediate"]);
                command.args(["--parallel-max", &at_once.min(300).to_string()]);
                command.args(["--max-time", &limit, "-w", "%{http_code}\\n", "-K"]);
                command.arg(&lists.curl);
            }
            Self::Blackbox => {
                command = this();
                command.arg("--peer=exporter").arg(&lists.blackbox);
                command.arg(at_once.to_string());
            }
        }
        command
            .env_clear()
            .env("HOME", &lists.home)
            .env("PATH", "/usr/bin:/bin")
            .env("SSL_CERT_FILE", &lists.authority)
            .stdin(Stdio::null())
            .stderr(Stdio::null());
        command
    }

    /// Lets it ask them all once.
    pub fn run(self, lists: &Lists, at_once: usize, targets: &mut Targets) -> Run {
        let before = at_rest(targets);
        let began = Instant::now();
        // A file takes what comes; whoever reads a pipe keeps a core from those who are measured.
        let mut out = tempfile::tempfile().unwrap();
        let mut command = self.command(lists, at_once);
        let mut child = command.stdout(out.try_clone().unwrap()).spawn().unwrap();
        while out.metadata().unwrap().len() == 0 && !ended(&child, WaitIdOptions::NOHANG) {
            std::thread::park_timeout(LOOK);
        }
        let first = began.elapsed();
        ended(&child, WaitIdOptions::empty());
        let wall = began.elapsed();
        let cpu_ms = used(&child);
        let mut text = String::new();
        out.rewind().unwrap();
        out.read_to_string(&mut text).unwrap();
        let status = child.wait().unwrap();
        // The program's and curl's tell what they found.
        let is_loop = matches!(self, Self::Loop(_) | Self::Blackbox);
        assert!(!is_loop || status.success(), "{self:?}: {status}");
        Run {
            wall_ms: wall.as_secs_f64() * 1e3,
            cpu_ms,
            first_ms: first.as_secs_f64() * 1e3,
            tally: self.tally(&text),
            served: targets.counted().served - before,
        }
    }

    fn tally(self, text: &str) -> Tally {
        let mut tally = Tally::new();
        for line in text.lines() {
            let (outcome, count) = match self {
                Self::Program => (outcome(&serde_json::from_str(line).unwrap()), 1),
                Self::Curl => (line.to_owned(), 1),
                Self::Loop(_) | Self::Blackbox => {
                    let (outcome, count) = line.split_once(' ').unwrap();
                    (outcome.to_owned(), count.parse().unwrap())
                }
            };
            *tally.entry(outcome).or_default() += count;
        }
        tally
    }
}

/// A verdict as the loops tell it.
fn outcome(verdict: &Value) -> String {
    match verdict["status"].as_u64() {
        Some(status @ 1..) => status.to_string(),
        _ if verdict["reason"] == "response-timeout" => "late".to_owned(),
        _ => "failed".to_owned(),
    }
}

/// What was served once nothing comes any more: what somebody gave up may still be on its way.
fn at_rest(targets: &mut Targets) -> usize {
    loop {
        let before = targets.counted().served;
        std::thread::park_timeout(REST);
        if targets.counted().served == before {
            return before;
        }
    }
}

/// Waits for its end, or says whether it has come. What it used can still be asked then.
fn ended(child: &Child, how: WaitIdOptions) -> bool {
    let process = WaitId::Pid(Pid::from_child(child));
    let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT | how;
    waitid(process, options).unwrap().is_some()
}

/// The processor time of a process that has ended.
fn used(child: &Child) -> f64 {
    let stat = fs::read_to_string(format!("/proc/{}/stat", child.id())).unwrap();
    let fields: Vec<_> = stat
        .rsplit_once(')')
        .unwrap()
        .1
        .split_whitespace()
        .collect();
    // User and system time; the name, which may hold blanks, and the number are gone.
    let ticks = [fields[11], fields[12]].map(|field| field.parse::<f64>().unwrap());
    (ticks[0] + ticks[1]) * 10.0
}
