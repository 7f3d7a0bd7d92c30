//! The real binary in a terminal of its own: type, look, wait for what must appear.
//!
//! Nothing sleeps: every wait ends when the terminal shows what is waited for, or fails after a limit that a
//! working program never reaches. Only who answers a question reads it first.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::{Read, Write};
use std::num::NonZeroU16;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use portable_pty::{Child, CommandBuilder, ExitStatus, MasterPty, PtySize, native_pty_system};
use rustix::process::{Pid, Signal};

/// Far beyond what a working program needs, on a busy machine too.
const LIMIT: Duration = Duration::from_secs(60);

/// As long as somebody reads a question at least.
const READING: Duration = Duration::from_millis(250);

/// What came beside the screen.
#[derive(Default)]
pub struct Aside {
    /// OSC 52 copies: base64, in the order they came.
    copies: Vec<String>,
    /// Questions for the terminal's status that were not answered yet.
    asked: usize,
}

impl vt100::Callbacks for Aside {
    fn copy_to_clipboard(&mut self, _: &mut vt100::Screen, _: &[u8], base64: &[u8]) {
        self.copies
            .push(String::from_utf8_lossy(base64).into_owned());
    }

    fn unhandled_csi(
        &mut self,
        _: &mut vt100::Screen,
        first: Option<u8>,
        _: Option<u8>,
        parameters: &[&[u16]],
        last: char,
    ) {
        if first.is_none() && parameters == [[5]] && last == 'n' {
            self.asked += 1;
        }
    }
}

/// What came out of the program so far.
struct Shown {
    parser: vt100::Parser<Aside>,
    raw: Vec<u8>,
    ended: bool,
}

/// Where keys and answers go in; nothing once the terminal has gone.
type Keys = Arc<Mutex<Option<Box<dyn Write + Send>>>>;

/// A program in a terminal, which answers when it is asked for its status, as all do.
pub struct Terminal {
    master: Option<Box<dyn MasterPty + Send>>,
    keys: Keys,
    child: Box<dyn Child + Send + Sync>,
    shown: Arc<(Mutex<Shown>, Condvar)>,
    /// The line settings before the program came.
    settings: String,
    deaf: Arc<AtomicBool>,
    reader: Option<JoinHandle<()>>,
}

/// Folders of one test's user, removed at its end.
pub struct Home(pub tempfile::TempDir);

impl Home {
    /// A user who never started the program.
    pub fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    /// The user's folder.
    pub fn path(&self) -> &Path {
        self.0.path()
    }

    /// The program with `arguments`, in this home, with nothing else in its environment.
    pub fn command(&self, arguments: &[&str]) -> CommandBuilder {
        self.program(env!("CARGO_BIN_EXE_switchboard"), arguments)
    }

    /// Some lines of shell, with the program's path as `$0`.
    pub fn shell(&self, lines: &str) -> CommandBuilder {
        let arguments = ["-c", lines, env!("CARGO_BIN_EXE_switchboard")];
        self.program("/bin/bash", &arguments)
    }

    /// Any program with `arguments`, in this home, with nothing else in its environment.
    pub fn program(&self, program: &str, arguments: &[&str]) -> CommandBuilder {
        let mut command = CommandBuilder::new(program);
        command.args(arguments);
        command.env_clear();
        command.env("HOME", self.path());
        command.env("PATH", "/usr/bin:/bin");
        command.env("TERM", "xterm-256color");
        command.env("LANG", "C.UTF-8");
        command.cwd(self.path());
        command
    }

    /// Every file below this home with its content, in the order of the paths.
    pub fn files(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let (mut folders, mut files) = (vec![self.path().to_owned()], Vec::new());
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else if path.is_file() {
                    let content = std::fs::read(&path).unwrap();
                    files.push((path, content));
                }
            }
        }
        files.sort();
        files
    }

    /// Asserts that none of `secrets` stands in a file of this home, of which there are some.
    pub fn assert_nowhere(&self, secrets: &[impl AsRef<str>]) {
        let files = self.files();
        assert!(!files.is_empty(), "there is nothing to look at");
        for (path, content) in files {
            for secret in secrets.iter().map(|secret| secret.as_ref().as_bytes()) {
                let found = content.windows(secret.len()).any(|window| window == secret);
                assert!(!found, "a secret stands in {}", path.display());
            }
        }
    }
}

impl Terminal {
    /// Starts `command` in a terminal of `columns` by `rows`.
    pub fn start(command: CommandBuilder, columns: u16, rows: u16) -> Self {
        let size = PtySize {
            rows,
            cols: columns,
            pixel_width: 0,
            pixel_height: 0,
        };
        let pair = native_pty_system().openpty(size).unwrap();
        let settings = format!("{:?}", pair.master.get_termios());
        let child = pair.slave.spawn_command(command).unwrap();
        drop(pair.slave);
        let size = |n| NonZeroU16::new(n).unwrap();
        let parser =
            vt100::Parser::new_with_callbacks(size(rows), size(columns), 0, Aside::default());
        let shown = Shown {
            parser,
            raw: Vec::new(),
            ended: false,
        };
        let shown = Arc::new((Mutex::new(shown), Condvar::new()));
        let mut output = pair.master.try_clone_reader().unwrap();
        let into = Arc::clone(&shown);
        let deaf = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&deaf);
        let keys: Keys = Arc::new(Mutex::new(Some(pair.master.take_writer().unwrap())));
        let answers = Arc::clone(&keys);
        let reader = std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(length @ 1..) = output.read(&mut bytes) {
                if told.load(Ordering::SeqCst) {
                    return;
                }
                let mut shown = into.0.lock().unwrap();
                shown.parser.process(&bytes[..length]);
                shown.raw.extend_from_slice(&bytes[..length]);
                let asked = std::mem::take(&mut shown.parser.callbacks_mut().asked);
                drop(shown);
                into.1.notify_all();
                if let Some(writer) = answers.lock().unwrap().as_mut() {
                    // Whoever has ended meanwhile hears nothing.
                    let _ = writer.write_all("\x1b[0n".repeat(asked).as_bytes());
                }
            }
            into.0.lock().unwrap().ended = true;
            into.1.notify_all();
        });
        Self {
            master: Some(pair.master),
            keys,
            child,
            shown,
            settings,
            deaf,
            reader: Some(reader),
        }
    }

    /// Types `keys`.
    pub fn type_keys(&mut self, keys: &str) {
        let mut writer = self.keys.lock().unwrap();
        let writer = writer.as_mut().unwrap();
        writer.write_all(keys.as_bytes()).unwrap();
        writer.flush().unwrap();
    }

    /// Says yes to `question`, which is on the screen, as late as somebody who reads it: sooner it is no answer.
    pub fn says_yes_to(&mut self, question: &str) {
        let asked = |screen: &str| screen.contains(question);
        while asked(&self.screen()) {
            self.type_keys("y");
            let screen = self.wait_until("an answer", |screen| {
                !asked(screen) || screen.contains("that came too soon")
            });
            if asked(&screen) {
                self.let_pass(READING);
            }
        }
    }

    /// Types `keys` as a bracketed paste.
    pub fn paste(&mut self, text: &str) {
        self.type_keys(&format!("\x1b[200~{text}\x1b[201~"));
    }

    fn wait(&self, what: &str, test: impl Fn(&Shown) -> bool) -> MutexGuard<'_, Shown> {
        let until = Instant::now() + LIMIT;
        let mut shown = self.shown.0.lock().unwrap();
        while !test(&shown) {
            let left = until.saturating_duration_since(Instant::now());
            assert!(
                !left.is_zero() && !shown.ended,
                "{what} did not come; the screen is:\n{}",
                shown.parser.screen().contents()
            );
            shown = self.shown.1.wait_timeout(shown, left).unwrap().0;
        }
        shown
    }

    /// Waits until `text` stands on the screen.
    pub fn wait_for(&self, text: &str) -> String {
        let shown = self.wait(&format!("{text:?}"), |shown| {
            shown.parser.screen().contents().contains(text)
        });
        shown.parser.screen().contents()
    }

    /// Waits until `test` holds for the screen's text.
    pub fn wait_until(&self, what: &str, test: impl Fn(&str) -> bool) -> String {
        let shown = self.wait(what, |shown| test(&shown.parser.screen().contents()));
        shown.parser.screen().contents()
    }

    /// Waits until `test` holds for all that the program ever wrote.
    pub fn wait_for_bytes(&self, what: &str, test: impl Fn(&[u8]) -> bool) {
        drop(self.wait(what, |shown| test(&shown.raw)));
    }

    /// Waits until a copy arrived by OSC 52 that is not empty; its base64.
    pub fn wait_for_copy(&self) -> String {
        let filled = |shown: &Shown| {
            shown
                .parser
                .callbacks()
                .copies
                .iter()
                .any(|copy| !copy.is_empty())
        };
        let shown = self.wait("a copy", filled);
        shown
            .parser
            .callbacks()
            .copies
            .iter()
            .rfind(|copy| !copy.is_empty())
            .unwrap()
            .clone()
    }

    /// All copies that arrived by OSC 52, as base64; an empty one clears.
    pub fn copies(&self) -> Vec<String> {
        self.shown
            .0
            .lock()
            .unwrap()
            .parser
            .callbacks()
            .copies
            .clone()
    }

    /// Waits until everything that the program wrote has arrived; to be called after its end.
    pub fn wait_until_ended(&self) {
        self.last_screen();
    }

    /// Everything that the program ever wrote.
    pub fn raw(&self) -> Vec<u8> {
        self.shown.0.lock().unwrap().raw.clone()
    }

    /// The screen now.
    pub fn screen(&self) -> String {
        self.shown.0.lock().unwrap().parser.screen().contents()
    }

    /// The terminal has another size from now on.
    pub fn resize(&self, columns: u16, rows: u16) {
        let size = PtySize {
            rows,
            cols: columns,
            pixel_width: 0,
            pixel_height: 0,
        };
        let cells = |n| NonZeroU16::new(n).unwrap();
        // As a terminal does: what is drawn for the new size finds it.
        let mut shown = self.shown.0.lock().unwrap();
        let screen = shown.parser.screen_mut();
        screen.set_size(cells(rows), cells(columns));
        self.master.as_ref().unwrap().resize(size).unwrap();
    }

    /// The program's process number.
    pub fn process(&self) -> u32 {
        self.child.process_id().unwrap()
    }

    /// Sends the program a signal.
    pub fn signal(&self, signal: Signal) {
        let process = Pid::from_raw(self.process().try_into().unwrap()).unwrap();
        rustix::process::kill_process(process, signal).unwrap();
    }

    /// The terminal goes away, with all that holds it: a new size makes the program draw, and the reader of
    /// that leaves.
    pub fn hang_up(&mut self) {
        self.deaf.store(true, Ordering::SeqCst);
        self.resize(61, 17);
        self.reader.take().unwrap().join().unwrap();
        *self.keys.lock().unwrap() = None;
        self.master = None;
    }

    /// Waits until the program has written all that it will, and gives the screen.
    pub fn last_screen(&self) -> String {
        let mut shown = self.shown.0.lock().unwrap();
        let until = Instant::now() + LIMIT;
        while !shown.ended {
            let left = until.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "somebody still holds the terminal");
            shown = self.shown.1.wait_timeout(shown, left).unwrap().0;
        }
        shown.parser.screen().contents()
    }

    /// The processes of the program's session, but for the program: what it left behind, once it has ended.
    pub fn left_behind(session: u32) -> Vec<String> {
        let mut left = Vec::new();
        for entry in std::fs::read_dir("/proc").unwrap().flatten() {
            let Ok(line) = std::fs::read_to_string(entry.path().join("stat")) else {
                continue;
            };
            // pid (name) state parent group session …; the name may hold anything.
            let Some((before, after)) = line.rsplit_once(')') else {
                continue;
            };
            if after.split_whitespace().nth(3) == Some(&session.to_string()) {
                left.push(before.to_owned());
            }
        }
        left
    }

    /// Asserts that a program's session is empty. A child that is ending anyway is waited for.
    pub fn assert_nothing_left(session: u32) {
        let until = Instant::now() + LIMIT;
        loop {
            let left = Self::left_behind(session);
            if left.is_empty() {
                return;
            }
            assert!(Instant::now() < until, "{left:?} are left behind");
            std::thread::yield_now();
        }
    }

    /// Lets time pass, as long as the program runs.
    pub fn let_pass(&self, time: Duration) {
        let until = Instant::now() + time;
        let mut shown = self.shown.0.lock().unwrap();
        loop {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() || shown.ended {
                return;
            }
            shown = self.shown.1.wait_timeout(shown, left).unwrap().0;
        }
    }

    /// The ticks of processor time that the program has used.
    pub fn ticks(&self) -> u64 {
        let line = std::fs::read_to_string(format!("/proc/{}/stat", self.process())).unwrap();
        let (_, after) = line.rsplit_once(')').unwrap();
        let fields: Vec<_> = after.split_whitespace().collect();
        fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap()
    }

    /// How often each of the program's threads was woken, until now.
    pub fn wakes(&self) -> BTreeMap<OsString, u64> {
        let threads = std::fs::read_dir(format!("/proc/{}/task", self.process())).unwrap();
        let wakes = threads.flatten().map(|thread| {
            let status = std::fs::read_to_string(thread.path().join("status")).unwrap_or_default();
            let counted = status
                .lines()
                .find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"));
            let count = counted.map_or(0, |count| count.trim().parse().unwrap());
            (thread.file_name(), count)
        });
        wakes.collect()
    }

    /// Waits until the program is stopped.
    pub fn wait_until_stopped(&self) {
        let until = Instant::now() + LIMIT;
        loop {
            let line = std::fs::read_to_string(format!("/proc/{}/stat", self.process())).unwrap();
            let (_, after) = line.rsplit_once(')').unwrap();
            if after.trim_start().starts_with('T') {
                return;
            }
            assert!(Instant::now() < until, "it is not stopped: {line}");
            std::thread::yield_now();
        }
    }

    /// The memory of its own that the program holds, bytes.
    pub fn memory(&self) -> u64 {
        let path = format!("/proc/{}/status", self.process());
        let status = std::fs::read_to_string(path).unwrap();
        let line = status.lines().find(|line| line.starts_with("RssAnon:"));
        let kilobytes = line.unwrap().split_whitespace().nth(1).unwrap();
        kilobytes.parse::<u64>().unwrap() * 1024
    }

    /// Waits for the program's end.
    pub fn ended(&mut self) -> ExitStatus {
        let until = Instant::now() + LIMIT;
        let mut killer = self.child.clone_killer();
        let (send, done) = std::sync::mpsc::channel::<()>();
        let watch = std::thread::spawn(move || {
            let left = until.saturating_duration_since(Instant::now());
            if done.recv_timeout(left) == Err(std::sync::mpsc::RecvTimeoutError::Timeout) {
                let _ = killer.kill();
            }
        });
        let status = self.child.wait().unwrap();
        drop(send);
        watch.join().unwrap();
        status
    }

    /// Asserts that the terminal is as it was before the program started, once all that it wrote was read.
    pub fn assert_restored(&self) {
        self.last_screen();
        self.assert_given_back();
    }

    /// The same while somebody else goes on in the terminal.
    pub fn assert_given_back(&self) {
        let shown = self.shown.0.lock().unwrap();
        let screen = shown.parser.screen();
        assert!(
            !screen.alternate_screen(),
            "the alternate screen is still on"
        );
        assert!(!screen.hide_cursor(), "the cursor is still hidden");
        assert!(!screen.bracketed_paste(), "bracketed paste is still on");
        assert_eq!(screen.mouse_protocol_mode(), vt100::MouseProtocolMode::None);
        let settings = self.master.as_ref().unwrap().get_termios();
        assert_eq!(format!("{settings:?}"), self.settings, "line settings");
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
    }
}
