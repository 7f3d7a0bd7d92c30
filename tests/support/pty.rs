//! The real binary in a terminal of its own: type, look, wait for what must appear.
//!
//! Nothing sleeps: every wait ends when the terminal shows what is waited for, or fails after a limit that a
//! working program never reaches.

use std::io::{Read, Write};
use std::num::NonZeroU16;
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use portable_pty::{Child, CommandBuilder, ExitStatus, MasterPty, PtySize, native_pty_system};

/// Far beyond what a working program needs, on a busy machine too.
const LIMIT: Duration = Duration::from_secs(60);

/// OSC 52 copies: base64, in the order they came.
#[derive(Default)]
pub struct Copies(pub Vec<String>);

impl vt100::Callbacks for Copies {
    fn copy_to_clipboard(&mut self, _: &mut vt100::Screen, _: &[u8], base64: &[u8]) {
        self.0.push(String::from_utf8_lossy(base64).into_owned());
    }
}

/// What came out of the program so far.
struct Shown {
    parser: vt100::Parser<Copies>,
    raw: Vec<u8>,
    ended: bool,
}

/// A program in a terminal.
pub struct Terminal {
    master: Option<Box<dyn MasterPty + Send>>,
    keys: Option<Box<dyn Write + Send>>,
    child: Box<dyn Child + Send + Sync>,
    shown: Arc<(Mutex<Shown>, Condvar)>,
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
        let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_switchboard"));
        command.args(arguments);
        command.env_clear();
        command.env("HOME", self.path());
        command.env("PATH", "/usr/bin:/bin");
        command.env("TERM", "xterm-256color");
        command.env("LANG", "C.UTF-8");
        command.cwd(self.path());
        command
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
        let child = pair.slave.spawn_command(command).unwrap();
        drop(pair.slave);
        let size = |n| NonZeroU16::new(n).unwrap();
        let parser =
            vt100::Parser::new_with_callbacks(size(rows), size(columns), 0, Copies::default());
        let shown = Shown {
            parser,
            raw: Vec::new(),
            ended: false,
        };
        let shown = Arc::new((Mutex::new(shown), Condvar::new()));
        let mut output = pair.master.try_clone_reader().unwrap();
        let into = Arc::clone(&shown);
        std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(length @ 1..) = output.read(&mut bytes) {
                let mut shown = into.0.lock().unwrap();
                shown.parser.process(&bytes[..length]);
                shown.raw.extend_from_slice(&bytes[..length]);
                into.1.notify_all();
            }
            into.0.lock().unwrap().ended = true;
            into.1.notify_all();
        });
        let keys = pair.master.take_writer().unwrap();
        Self {
            master: Some(pair.master),
            keys: Some(keys),
            child,
            shown,
        }
    }

    /// Types `keys`.
    pub fn type_keys(&mut self, keys: &str) {
        let writer = self.keys.as_mut().unwrap();
        writer.write_all(keys.as_bytes()).unwrap();
        writer.flush().unwrap();
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

    /// Waits until a copy arrived by OSC 52 that is not empty; its base64.
    pub fn wait_for_copy(&self) -> String {
        let filled = |shown: &Shown| {
            shown
                .parser
                .callbacks()
                .0
                .iter()
                .any(|copy| !copy.is_empty())
        };
        let shown = self.wait("a copy", filled);
        shown
            .parser
            .callbacks()
            .0
            .iter()
            .rfind(|copy| !copy.is_empty())
            .unwrap()
            .clone()
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
        self.master.as_ref().unwrap().resize(size).unwrap();
        let size = |n| NonZeroU16::new(n).unwrap();
        self.shown
            .0
            .lock()
            .unwrap()
            .parser
            .screen_mut()
            .set_size(size(rows), size(columns));
    }

    /// The program's process number.
    pub fn process(&self) -> u32 {
        self.child.process_id().unwrap()
    }

    /// The terminal goes away.
    pub fn hang_up(&mut self) {
        self.keys = None;
        self.master = None;
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

    /// Asserts that the terminal is as it was before the program started.
    pub fn assert_restored(&self) {
        let shown = self.shown.0.lock().unwrap();
        let screen = shown.parser.screen();
        assert!(
            !screen.alternate_screen(),
            "the alternate screen is still on"
        );
        assert!(!screen.hide_cursor(), "the cursor is still hidden");
        assert!(!screen.bracketed_paste(), "bracketed paste is still on");
        assert_eq!(screen.mouse_protocol_mode(), vt100::MouseProtocolMode::None);
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
    }
}
