//! A program in a terminal, and what it costs: bytes with their times, processor time, wake-ups, memory.

use std::collections::VecDeque;
use std::fs;
use std::io::{Read, Write};
use std::num::NonZeroU16;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};

/// Reads so close together are of one frame.
const ONE_FRAME: Duration = Duration::from_millis(20);

const COLUMNS: u16 = 120;
const ROWS: u16 = 40;
/// Far beyond what anything here takes.
const LIMIT: Duration = Duration::from_secs(30);
/// A key's output has ended when nothing came for so long.
pub const QUIET: Duration = Duration::from_millis(40);
/// So many cells with something in them are a first paint.
const PAINTED: usize = 10;

/// What asks for the terminal's status, and what it answers.
const STATUS: (&[u8], &[u8]) = (b"\x1b[5n", b"\x1b[0n");

/// What a slow line carries in one piece.
const ON_THE_LINE: usize = 48;

/// The sequences that ask a terminal something, and what xterm answers.
pub const QUESTIONS: [(&[u8], &[u8]); 6] = [
    (b"\x1b[c", b"\x1b[?64;1;2;6;9;15;16;17;18;21;22;28c"),
    (b"\x1b[6n", b"\x1b[1;1R"),
    STATUS,
    (b"\x1b[?u", b"\x1b[?0u"),
    (b"\x1b]11;?", b"\x1b]11;rgb:0000/0000/0000\x1b\\"),
    (b"\x1b[>q", b"\x1bP>|XTerm(370)\x1b\\"),
];

/// A piece of output, and when it was read.
type Piece = (Instant, Vec<u8>);

/// Where keys and answers go in.
type Keys = Arc<Mutex<Box<dyn Write + Send>>>;

/// A running program, in a terminal that answers at once when it is asked for its status, as all do.
pub struct Session {
    started: Instant,
    pieces: Receiver<Piece>,
    /// All output so far.
    pub output: Vec<Piece>,
    keys: Keys,
    /// Bytes that the line carries in a second; 0 for as many as come.
    rate: Arc<AtomicU64>,
    child: Box<dyn Child + Send + Sync>,
    _master: Box<dyn MasterPty + Send>,
}

/// What one key caused.
pub struct Pressed {
    /// Until its last byte, in milliseconds; nothing where there was none.
    pub last_ms: Option<f64>,
    /// Bytes.
    pub bytes: usize,
    /// Reads: one for one write, where the machine is quiet.
    pub pieces: usize,
}

/// What all threads of a program have used.
#[derive(Clone, Copy, Default)]
pub struct Used {
    /// Processor time in milliseconds.
    pub cpu_ms: f64,
    /// Times that a thread went to sleep by itself: each is a wake-up.
    pub wakes: u64,
}

impl Session {
    /// Starts `program` with `arguments` and this home, and nothing else.
    pub fn start(program: &Path, arguments: &[&str], home: &Path) -> Self {
        Self::answering(program, arguments, home, true)
    }

    /// The same in a terminal that is far away; see [`Self::ready_afar`].
    pub fn start_afar(program: &Path, arguments: &[&str], home: &Path) -> Self {
        Self::answering(program, arguments, home, false)
    }

    fn answering(program: &Path, arguments: &[&str], home: &Path, answers: bool) -> Self {
        let size = PtySize {
            rows: ROWS,
            cols: COLUMNS,
            pixel_width: 0,
            pixel_height: 0,
        };
        let pair = native_pty_system().openpty(size).unwrap();
        let mut command = CommandBuilder::new(program);
        command.args(arguments);
        command.env_clear();
        for (name, value) in [
            ("PATH", "/usr/bin:/bin"),
            ("TERM", "xterm-256color"),
            ("COLORTERM", "truecolor"),
            ("LANG", "C.UTF-8"),
        ] {
            command.env(name, value);
        }
        command.env("HOME", home);
        command.cwd(home);
        let mut reader = pair.master.try_clone_reader().unwrap();
        let (sender, pieces) = channel();
        let keys: Keys = Arc::new(Mutex::new(pair.master.take_writer().unwrap()));
        let rate = Arc::new(AtomicU64::new(0));
        let answering = answers.then(|| Arc::clone(&keys));
        let line = Arc::clone(&rate);
        std::thread::spawn(move || carry(&mut reader, &line, answering, &sender));
        let started = Instant::now();
        let child = pair.slave.spawn_command(command).unwrap();
        Self {
            started,
            pieces,
            output: Vec::new(),
            keys,
            rate,
            child,
            _master: pair.master,
        }
    }

    fn type_in(&self, bytes: &[u8]) {
        self.keys.lock().unwrap().write_all(bytes).unwrap();
    }

    /// From now on the line carries so many bytes a second.
    pub fn slow_down(&self, rate: u64) {
        self.rate.store(rate, Ordering::Relaxed);
    }

    /// Takes in output until nothing came for `quiet`.
    pub fn settle(&mut self, quiet: Duration) {
        let until = Instant::now() + LIMIT;
        while Instant::now() < until {
            match self.pieces.recv_timeout(quiet) {
                Ok(piece) => self.output.push(piece),
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    /// Lets time pass.
    pub fn rest(&mut self, time: Duration) {
        let until = Instant::now() + time;
        while let Some(left) = until.checked_duration_since(Instant::now()) {
            if let Ok(piece) = self.pieces.recv_timeout(left) {
                self.output.push(piece);
            }
        }
    }

    /// Waits until `text` stands on the screen; the milliseconds since the start.
    pub fn ready(&mut self, text: &str) -> f64 {
        let until = Instant::now() + LIMIT;
        loop {
            if let Some(at) = self.shown(|screen| screen.contains(text)) {
                return self.since_start(at);
            }
            assert!(
                Instant::now() < until,
                "{text} did not come: {}",
                self.screen()
            );
            self.settle(Duration::from_millis(20));
        }
    }

    /// The same in a terminal that answers what it is asked after `trip`, as one far away does.
    pub fn ready_afar(&mut self, text: &str, trip: Duration) -> f64 {
        let mut parser = blank();
        let mut answers: VecDeque<(Instant, &[u8])> = VecDeque::new();
        let until = Instant::now() + LIMIT;
        loop {
            assert!(Instant::now() < until, "{text} did not come");
            while let Some((due, answer)) = answers.front()
                && *due <= Instant::now()
            {
                self.type_in(answer);
                answers.pop_front();
            }
            let Ok((at, bytes)) = self.pieces.recv_timeout(Duration::from_millis(2)) else {
                continue;
            };
            for (question, answer) in QUESTIONS {
                let asked = times(&bytes, question);
                answers.extend(std::iter::repeat_n((at + trip, answer), asked));
            }
            parser.process(&bytes);
            self.output.push((at, bytes));
            let screen = parser.screen();
            if screen.alternate_screen() && screen.contents().contains(text) {
                return self.since_start(at);
            }
        }
    }

    /// How often the terminal was asked something.
    pub fn questions(&self) -> usize {
        let output: Vec<_> = self
            .output
            .iter()
            .flat_map(|(_, bytes)| bytes)
            .copied()
            .collect();
        let asked = QUESTIONS
            .iter()
            .map(|(question, _)| times(&output, question));
        asked.sum()
    }

    /// The milliseconds from the start to the first paint.
    pub fn first_paint(&self) -> f64 {
        let painted =
            |screen: &str| screen.chars().filter(|c| !c.is_whitespace()).count() >= PAINTED;
        self.since_start(self.shown(painted).unwrap())
    }

    fn since_start(&self, at: Instant) -> f64 {
        milliseconds(at - self.started)
    }

    /// When the screen first was as `test` wants it.
    fn shown(&self, test: impl Fn(&str) -> bool) -> Option<Instant> {
        let mut parser = blank();
        self.output.iter().find_map(|(at, bytes)| {
            parser.process(bytes);
            let screen = parser.screen();
            (screen.alternate_screen() && test(&screen.contents())).then_some(*at)
        })
    }

    /// What stands on the screen now.
    pub fn screen(&self) -> String {
        after(&self.output).screen().contents()
    }

    /// The output after `from`, what was read within [`ONE_FRAME`] of a first read together.
    pub fn frames(&self, from: usize) -> Vec<&[Piece]> {
        let output = &self.output[from..];
        let mut frames = Vec::new();
        let mut begin = 0;
        for at in 1..=output.len() {
            if at == output.len() || output[at].0 - output[begin].0 > ONE_FRAME {
                frames.push(&output[begin..at]);
                begin = at;
            }
        }
        frames
    }

    /// How often one of the rows below the title became another in its first `columns`, by the output after `from`.
    pub fn rows_changed(&self, from: usize, columns: u16) -> usize {
        let mut parser = after(&self.output[..from]);
        let rows = |parser: &vt100::Parser| -> Vec<_> {
            let rows = parser.screen().rows(0, columns).skip(1);
            rows.collect()
        };
        let mut changed = 0;
        let mut before = rows(&parser);
        for frame in self.frames(from) {
            for (_, bytes) in frame {
                parser.process(bytes);
            }
            let now = rows(&parser);
            let pairs = before.iter().zip(&now);
            changed += pairs.filter(|(before, now)| before != now).count();
            before = now;
        }
        changed
    }

    /// Presses a key, and takes in what it causes.
    pub fn press(&mut self, key: &str) -> Pressed {
        let before = self.output.len();
        let pressed = Instant::now();
        self.type_in(key.as_bytes());
        self.settle(QUIET);
        let caused = &self.output[before..];
        Pressed {
            last_ms: caused.last().map(|(at, _)| milliseconds(*at - pressed)),
            bytes: caused.iter().map(|(_, bytes)| bytes.len()).sum(),
            pieces: caused.len(),
        }
    }

    /// Presses a key; the milliseconds until the screen is as `test` wants it, whatever else comes meanwhile.
    pub fn press_until(&mut self, key: &str, test: impl Fn(&str) -> bool) -> f64 {
        let mut parser = after(&self.output);
        let pressed = Instant::now();
        self.type_in(key.as_bytes());
        loop {
            let (at, bytes) = self.pieces.recv_timeout(LIMIT).unwrap();
            parser.process(&bytes);
            self.output.push((at, bytes));
            if test(&parser.screen().contents()) {
                return milliseconds(at - pressed);
            }
        }
    }

    /// Holds a key at thirty a second; the milliseconds from the last one to the end of the output, behind which
    /// nothing came for `quiet`.
    pub fn hold(&mut self, key: &str, times: u32, quiet: Duration) -> f64 {
        let began = Instant::now();
        let mut last = began;
        for time in 1..=times {
            last = Instant::now();
            self.type_in(key.as_bytes());
            let next = began + Duration::from_secs(1) / 30 * time;
            self.rest(next.saturating_duration_since(Instant::now()));
        }
        self.settle(quiet);
        let end = self.output.last().map_or(last, |(at, _)| *at);
        milliseconds(end.saturating_duration_since(last))
    }

    /// Presses `q`; the milliseconds until the program has ended.
    pub fn quit(mut self) -> f64 {
        let pressed = Instant::now();
        self.type_in(b"q");
        let status = self.child.wait().unwrap();
        assert!(status.success(), "{status:?}");
        milliseconds(pressed.elapsed())
    }

    fn process(&self) -> u32 {
        self.child.process_id().unwrap()
    }

    /// What its threads have used until now.
    pub fn used(&self) -> Used {
        let mut used = Used::default();
        let tasks = fs::read_dir(format!("/proc/{}/task", self.process())).unwrap();
        for task in tasks.flatten() {
            let read = |name: &str| fs::read_to_string(task.path().join(name)).unwrap_or_default();
            let running = read("schedstat");
            let nanoseconds = running
                .split(' ')
                .next()
                .and_then(|first| first.parse::<f64>().ok());
            used.cpu_ms += nanoseconds.unwrap_or(0.0) / 1e6;
            used.wakes += field(&read("status"), "voluntary_ctxt_switches:");
        }
        used
    }

    /// Its threads.
    pub fn threads(&self) -> u64 {
        field(&self.status(), "Threads:")
    }

    /// Its resident memory in KiB.
    pub fn memory_kib(&self) -> u64 {
        field(&self.status(), "VmRSS:")
    }

    fn status(&self) -> String {
        fs::read_to_string(format!("/proc/{}/status", self.process())).unwrap()
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        let _ = self.child.kill();
    }
}

/// Hands output on as fast as the line is, and answers for the terminal.
fn carry(
    output: &mut impl Read,
    rate: &AtomicU64,
    answering: Option<Keys>,
    pieces: &Sender<Piece>,
) {
    let (question, answer) = STATUS;
    let mut bytes = vec![0; 1 << 16];
    // The end of what was read before: a question may come in two pieces.
    let mut tail = Vec::new();
    loop {
        let rate = rate.load(Ordering::Relaxed);
        let room = if rate == 0 { bytes.len() } else { ON_THE_LINE };
        let Ok(length @ 1..) = output.read(&mut bytes[..room]) else {
            return;
        };
        if rate > 0 {
            pass(Duration::from_secs_f64(length as f64 / rate as f64));
        }
        let piece = bytes[..length].to_vec();
        tail.extend_from_slice(&piece);
        if times(&tail, question) > 0 {
            tail.clear();
            if let Some(keys) = &answering {
                // Whoever has ended meanwhile hears nothing.
                let _ = keys.lock().unwrap().write_all(answer);
            }
        }
        tail.drain(..tail.len().saturating_sub(question.len() - 1));
        if pieces.send((Instant::now(), piece)).is_err() {
            return;
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "a line takes its time")]
fn pass(time: Duration) {
    std::thread::sleep(time);
}

/// How often `part` stands in `whole`.
fn times(whole: &[u8], part: &[u8]) -> usize {
    let windows = whole.windows(part.len());
    windows.filter(|window| *window == part).count()
}

/// A terminal that has taken this.
fn after(output: &[Piece]) -> vt100::Parser {
    let mut parser = blank();
    for (_, bytes) in output {
        parser.process(bytes);
    }
    parser
}

/// A terminal that shows nothing.
fn blank() -> vt100::Parser {
    let size = |n| NonZeroU16::new(n).unwrap();
    vt100::Parser::new(size(ROWS), size(COLUMNS), 0)
}

fn field(status: &str, name: &str) -> u64 {
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    let number = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
    number.unwrap_or(0)
}

/// A duration as a number.
pub fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}
