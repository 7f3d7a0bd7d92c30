//! What the screen does by itself while connections are watched: keys in between, bytes a change, frames a second.

use std::path::Path;
use std::time::{Duration, Instant};

use crate::home::{connections, home};
use crate::session::Session;
use crate::table::{Row, half, part};
use crate::targets::Targets;

/// That many are watched where it shall be many.
const MANY: usize = 1_000;
/// That many stand on the screen.
const SEEN: usize = 30;
/// Before the first that is certainly off the screen.
const ABOVE: usize = 60;
const KEYS: usize = 200;
/// Between two probes of a connection, and from one change of a target to the next.
const INTERVAL: Duration = Duration::from_secs(10);
/// Columns of the list.
const LIST: u16 = 34;

/// What was measured.
pub struct Watched {
    /// Of keys while a thousand are probed: until the marker has moved, in milliseconds.
    keys_ms: Vec<f64>,
    /// Probes a second meanwhile.
    probes: f64,
    /// The same of the floor, until the last byte.
    floor_ms: Vec<f64>,
    /// Thirty that change on the screen.
    seen: Alone,
    /// Almost a thousand that change off the screen.
    unseen: Alone,
    /// A thousand that change here and there.
    all: Alone,
}

impl Watched {
    /// Measures all of it: about four minutes.
    pub fn taken(program: &Path, floor: &Path) -> Self {
        let mut targets = Targets::start(None);
        let floor_ms = bare_keys(floor);
        let (keys_ms, probes) = keys(program, &mut targets);
        let mut left = |which, path| left_alone(program, &mut targets, which, path);
        let seen = left((1, SEEN), "flapping");
        // Down all the time: what the title counts stays as it is.
        let unseen = left((ABOVE, MANY), "failing");
        let all = left((0, MANY), "flapping");
        Self {
            keys_ms,
            probes,
            floor_ms,
            seen,
            unseen,
            all,
        }
    }

    /// The table's part.
    pub fn rows(&self) -> Vec<Row> {
        let (keys, floor) = (&self.keys_ms, &self.floor_ms);
        let late = |times: &[f64]| part(times, 0.99);
        let probed = format!("key to its effect, {:.0} probes a second", self.probes);
        let Alone { bytes, changes, .. } = self.unseen;
        let unseen = format!("bytes of {changes} changes off the screen");
        let (row, state) = (
            self.seen.bytes / self.seen.rows,
            self.seen.bytes / self.seen.changes,
        );
        let frames = self.all.frames_a_second;
        vec![
            Row::times("2a", probed, half(keys), half(floor), 2.0),
            Row::times("2a", "the same, p99", late(keys), late(floor), 2.0),
            Row::most("3e", "bytes a row that changes", row, 60.0).gate(),
            Row::most("3e", "bytes a change of state, and its count", state, 60.0),
            Row::most("3e", unseen, bytes, 0.0).gate(),
            Row::most("3e", "frames a second, 1,000 change", frames, 10.0).gate(),
        ]
    }
}

/// A session over so many connections, of which the first few rest; all others were probed by now.
fn session(
    program: &Path,
    targets: &Targets,
    (resting, total): (usize, usize),
    path: &str,
) -> (Session, tempfile::TempDir) {
    let urls = (0..total).map(|number| targets.url("http", number, path));
    // By name: rows stay where they are, and those that rest stand first.
    let settings = format!("interval_s = {}\norder = \"name\"", INTERVAL.as_secs());
    let home = home(&connections(&settings, resting, urls));
    let mut app = Session::start(program, &[], home.path());
    app.ready("conn-00000");
    app.rest(INTERVAL * 2);
    (app, home)
}

/// Moves in the list while all are probed, and how many probes a second that were.
fn keys(program: &Path, targets: &mut Targets) -> (Vec<f64>, f64) {
    let (mut app, _home) = session(program, targets, (0, MANY), "flat");
    let (began, served) = (Instant::now(), targets.counted().served);
    let mut times = Vec::with_capacity(KEYS);
    for at in 0..KEYS {
        let before = marked(&app.screen());
        times.push(app.press_until(key(at), |screen| marked(screen) != before));
        app.rest(Duration::from_millis(50));
    }
    let probes = (targets.counted().served - served) as f64;
    (times, probes / began.elapsed().as_secs_f64())
}

/// Fifteen down, fifteen up.
fn key(at: usize) -> &'static str {
    if (at / 15).is_multiple_of(2) {
        "j"
    } else {
        "k"
    }
}

/// The same in the floor, which nothing else keeps busy.
fn bare_keys(floor: &Path) -> Vec<f64> {
    let home = home("version = 1\n");
    let mut floor = Session::start(floor, &["--floor=bare"], home.path());
    floor.ready("ready");
    (0..KEYS)
        .filter_map(|at| floor.press(key(at)).last_ms)
        .collect()
}

/// The row of the list that has the marker.
fn marked(screen: &str) -> Option<String> {
    screen
        .lines()
        .find(|line| line.contains('▸'))
        .and_then(|line| {
            line.split_whitespace()
                .find(|word| word.starts_with("conn-"))
        })
        .map(str::to_owned)
}

/// What three intervals without a key brought.
struct Alone {
    bytes: f64,
    /// How often a target went from one state to another.
    changes: f64,
    /// How often a row of the list became another.
    rows: f64,
    frames_a_second: f64,
}

fn left_alone(program: &Path, targets: &mut Targets, which: (usize, usize), path: &str) -> Alone {
    let (mut app, _home) = session(program, targets, which, path);
    let (from, before) = (app.output.len(), targets.counted().changed);
    app.rest(INTERVAL * 3);
    let changes = targets.counted().changed - before;
    assert!(changes > 0, "without a change nothing is shown");
    let output = &app.output[from..];
    let bytes: usize = output.iter().map(|(_, bytes)| bytes.len()).sum();
    let frames = app.frames(from).len().saturating_sub(1);
    let first_to_last = match output {
        [first, .., last] => (last.0 - first.0).as_secs_f64(),
        _ => INTERVAL.as_secs_f64(),
    };
    Alone {
        bytes: bytes as f64,
        changes: changes as f64,
        rows: app.rows_changed(from, LIST) as f64,
        // After the first one.
        frames_a_second: (frames as f64 / first_to_last * 10.0).round() / 10.0,
    }
}
