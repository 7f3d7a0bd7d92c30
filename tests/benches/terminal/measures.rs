//! What is measured, and what it is compared with.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tempfile::TempDir;

use crate::home::{connections, home};
use crate::session::{Pressed, QUESTIONS, QUIET, Session, milliseconds};
use crate::table::{Row, half, part};

const STARTS: usize = 40;
const KEYS: usize = 500;
const REST: Duration = Duration::from_secs(30);
/// A line as of old, in bytes a second.
const SLOW: u64 = 2_400;
/// To the terminal and back, where it is far away.
const TRIP: Duration = Duration::from_millis(150);
/// The resident memory of slumber 5.4, a peer that was measured once, in KiB.
const SLUMBER_MEMORY: f64 = 16.7e6 / 1_024.0;
/// The stripped size of slumber 5.4, the largest of the peers that were measured once, in bytes.
const SLUMBER: f64 = 25.7e6;

/// A home with so many connections to a port that refuses them.
fn stored(total: usize) -> TempDir {
    let urls = (0..total).map(|number| {
        let (high, low) = (number / 250, 1 + number % 250);
        format!("http://127.1.{high}.{low}:9/health")
    });
    home(&connections("", 0, urls))
}

/// How long it takes to be there, and to be gone.
#[derive(Default)]
struct Starts {
    paint: Vec<f64>,
    ready: Vec<f64>,
    exit: Vec<f64>,
}

/// What keys cost.
#[derive(Default)]
pub struct Keys {
    /// Until the last byte of each, in milliseconds.
    pub last_ms: Vec<f64>,
    bytes: Vec<f64>,
    pieces: usize,
    /// Processor time of one, the mean, in milliseconds.
    pub cpu_ms: f64,
}

impl Keys {
    fn add(&mut self, pressed: Pressed) {
        self.last_ms.extend(pressed.last_ms);
        self.bytes.push(pressed.bytes as f64);
        self.pieces = self.pieces.max(pressed.pieces);
    }
}

/// All that was measured.
pub struct Figures {
    app: Starts,
    many: Starts,
    floor: Starts,
    afar: Vec<f64>,
    moves: Keys,
    floor_moves: Keys,
    letters: Keys,
    largest: f64,
    held_ms: f64,
    slow_ms: f64,
    idle: (f64, f64, f64),
    threads: f64,
    memory: (f64, f64),
    many_memory: f64,
    size: f64,
    questions: f64,
    late_bytes: f64,
}

/// What is measured: the program, and this bench, which is the floors too.
///
/// Both are copies written just now. A file that has lain about for hours is in the kernel's memory in other pieces
/// than one that was just written, and that alone makes the end of a program that maps it a tenth of a millisecond dearer.
pub struct Programs {
    pub program: PathBuf,
    pub floor: PathBuf,
}

impl Programs {
    /// Copies of `program` and of this bench, in `folder`.
    pub fn copied(program: &Path, folder: &Path) -> Self {
        let copy = |from: &Path, name: &str| {
            let to = folder.join(name);
            fs::copy(from, &to).unwrap();
            to
        };
        Self {
            program: copy(program, "switchboard"),
            floor: copy(&std::env::current_exe().unwrap(), "floor"),
        }
    }
}

impl Figures {
    /// Measures everything: about five minutes.
    pub fn taken(programs: &Programs) -> Self {
        let (few, many) = (stored(20), stored(10_000));
        let mut figures = Self {
            app: Starts::default(),
            many: Starts::default(),
            floor: Starts::default(),
            afar: Vec::new(),
            moves: Keys::default(),
            floor_moves: Keys::default(),
            letters: Keys::default(),
            largest: 0.0,
            held_ms: 0.0,
            slow_ms: 0.0,
            idle: (0.0, 0.0, 0.0),
            threads: 0.0,
            memory: (0.0, 0.0),
            many_memory: 0.0,
            size: fs::metadata(&programs.program).unwrap().len() as f64,
            questions: 0.0,
            late_bytes: 0.0,
        };
        for _ in 0..STARTS {
            let mut afar = Session::start_afar(&programs.program, &[], few.path());
            figures.afar.push(afar.ready_afar("conn-00000", TRIP));
            figures.questions = figures.questions.max(afar.questions() as f64);
            afar.quit();
            start(
                &mut figures.app,
                &programs.program,
                &[],
                (few.path(), "conn-00000"),
            );
            start(
                &mut figures.many,
                &programs.program,
                &[],
                (many.path(), "conn-00000"),
            );
            start(
                &mut figures.floor,
                &programs.floor,
                &["--floor=bare"],
                (few.path(), "ready"),
            );
        }
        figures.keys(programs, few.path());
        figures.rest(programs, few.path());
        figures.many_memory = at_rest(&programs.program, many.path());
        figures
    }

    fn keys(&mut self, programs: &Programs, home: &Path) {
        let mut app = Session::start(&programs.program, &[], home);
        app.ready("conn-00000");
        // Each was probed once, so that rows are alike.
        app.settle(Duration::from_secs(3));
        // Nothing is probed while keys are counted; what the footer says about it goes by itself.
        app.press("p");
        app.rest(Duration::from_secs(10));
        let mut floor = Session::start(&programs.floor, &["--floor=bare"], home);
        floor.ready("ready");
        for at in 0..KEYS {
            let key = if at / 15 % 2 == 0 { "j" } else { "k" };
            press(&mut app, key, &mut self.moves);
            press(&mut floor, key, &mut self.floor_moves);
        }
        self.held_ms = app.hold("j", 30, QUIET);
        app.slow_down(SLOW);
        self.slow_ms = app.hold("k", 30, Duration::from_secs(1));
        app.slow_down(0);
        // Help and zoom are pages: a whole screen of something else.
        for key in [
            ":", "\x1b", "s", "s", "s", "s", "/", "9", "\x1b", "n", "\x1b",
        ] {
            let pressed = app.press(key);
            self.largest = self.largest.max(pressed.bytes as f64);
        }
        // Answers to questions of whoever was here before.
        for (_, answer) in QUESTIONS {
            let caused = app.press(std::str::from_utf8(answer).unwrap());
            self.late_bytes += caused.bytes as f64;
        }
        app.press("n");
        for key in "https://a.example/".chars() {
            press(&mut app, &key.to_string(), &mut self.letters);
        }
    }

    fn rest(&mut self, programs: &Programs, home: &Path) {
        let mut app = Session::start(&programs.program, &[], home);
        app.ready("conn-00000");
        app.press("p");
        // What the footer says about it goes by itself.
        app.rest(Duration::from_secs(10));
        let mut floor = Session::start(&programs.floor, &["--floor=net"], home);
        floor.ready("ready");
        floor.settle(QUIET);
        self.memory = (app.memory_kib() as f64, floor.memory_kib() as f64);
        self.threads = app.threads() as f64;
        let (before, pieces) = (app.used(), app.output.len());
        app.rest(REST);
        let after = app.used();
        let bytes: usize = app.output[pieces..]
            .iter()
            .map(|(_, bytes)| bytes.len())
            .sum();
        self.idle = (
            bytes as f64,
            (after.wakes - before.wakes) as f64,
            (after.cpu_ms - before.cpu_ms) * 60.0 / REST.as_secs_f64(),
        );
    }

    /// The table.
    pub fn rows(&self) -> Vec<Row> {
        let mut rows = self.times();
        rows.extend(self.gates());
        rows
    }

    /// What depends on the machine: told, as ratios.
    fn times(&self) -> Vec<Row> {
        let (app, many, floor) = (&self.app, &self.many, &self.floor);
        let (keys, bare) = (&self.moves, &self.floor_moves);
        let late = |keys: &Keys| part(&keys.last_ms, 0.99);
        let pieces = keys.pieces as f64;
        let behind = half(&self.afar) - half(&app.ready);
        let most = milliseconds(TRIP) / 10.0;
        vec![
            Row::times(
                "1a",
                "first paint",
                half(&app.paint),
                half(&floor.paint),
                1.5,
            ),
            Row::times(
                "1b",
                "first paint of 10,000, to 20",
                half(&many.paint),
                half(&app.paint),
                1.5,
            ),
            Row::most("1c", "shown later, 150 ms afar, ms", behind, most),
            Row::times("", "list shown", half(&app.ready), half(&floor.ready), 3.0),
            Row::times(
                "2a",
                "key to last byte",
                half(&keys.last_ms),
                half(&bare.last_ms),
                1.5,
            ),
            Row::times("2a", "key to last byte, p99", late(keys), late(bare), 1.5),
            Row::most("2c", "held key, ms behind", self.held_ms, 16.0),
            Row::most(
                "",
                "held key over 2,400 bytes/s, ms behind",
                self.slow_ms,
                1_500.0,
            ),
            Row::most("3c", "writes a list move, at most", pieces, 1.0),
            Row::times("9", "exit", half(&app.exit), half(&floor.exit), 1.5),
        ]
    }

    /// What does not: a miss fails the run.
    fn gates(&self) -> Vec<Row> {
        let (keys, bare) = (&self.moves, &self.floor_moves);
        let (bytes, wakes, cpu) = self.idle;
        let (memory, floor) = self.memory;
        let letters = half(&self.letters.bytes);
        let rows = [
            Row::most(
                "1c",
                "questions to the terminal, a start",
                self.questions,
                1.0,
            ),
            Row::most("1c", "bytes that late answers cause", self.late_bytes, 0.0),
            Row::times("2b", "processor time a key", keys.cpu_ms, bare.cpu_ms, 1.5),
            Row::most("3a", "bytes a list move", half(&keys.bytes), 80.0),
            Row::most(
                "3a",
                "bytes a list move, p99",
                part(&keys.bytes, 0.99),
                260.0,
            ),
            Row::most("3b", "bytes a typed letter", letters, 20.0),
            Row::most("3c", "bytes of the largest key", self.largest, 1_200.0),
            Row::most("3d", "bytes at rest, 30 s", bytes, 0.0),
            Row::most("3d", "wake-ups at rest, 30 s", wakes, 0.0),
            Row::most("3d", "processor time at rest, ms a minute", cpu, 1.0),
            Row::most("", "threads", self.threads, 8.0),
            Row::times(
                "5a",
                "memory, KiB, to the floor with a client",
                memory,
                floor,
                1.6,
            ),
            Row::times(
                "5a",
                "memory, KiB, to slumber's",
                memory,
                SLUMBER_MEMORY,
                0.5,
            ),
            Row::most(
                "5b",
                "memory a connection at rest, KiB",
                (self.many_memory - memory) / 9_980.0,
                1.0,
            ),
            Row::times(
                "7",
                "stripped size, bytes, to slumber's",
                self.size,
                SLUMBER,
                0.5,
            ),
        ];
        rows.map(Row::gate).into()
    }
}

/// The memory of a program that has done nothing yet but show its list, in KiB.
fn at_rest(program: &Path, home: &Path) -> f64 {
    let mut app = Session::start(program, &[], home);
    app.ready("conn-00000");
    app.press("p");
    app.rest(Duration::from_secs(10));
    app.memory_kib() as f64
}

fn start(into: &mut Starts, program: &Path, arguments: &[&str], (home, ready): (&Path, &str)) {
    let mut session = Session::start(program, arguments, home);
    into.ready.push(session.ready(ready));
    into.paint.push(session.first_paint());
    into.exit.push(session.quit());
}

/// Presses a key, and adds what it caused.
pub fn press(session: &mut Session, key: &str, into: &mut Keys) {
    let before = session.used().cpu_ms;
    let pressed = session.press(key);
    let used = session.used().cpu_ms - before;
    into.cpu_ms += (used - into.cpu_ms) / (into.bytes.len() + 1) as f64;
    into.add(pressed);
}
