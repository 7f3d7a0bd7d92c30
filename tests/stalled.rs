//! A terminal that takes nothing any more, as over a line that stalls: a signal ends the program all the same.
#![expect(
    clippy::panic,
    clippy::unwrap_used,
    reason = "what is missing shall fail the test"
)]

use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, PipeReader, PipeWriter, Read, Write};
use std::net::TcpListener;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use portable_pty::{Child, ChildKiller, CommandBuilder, MasterPty, PtySize, native_pty_system};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{OFlags, fcntl_setfl};
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

const BINARY: &str = env!("CARGO_BIN_EXE_switchboard");
/// Far beyond what a working program needs, on a busy machine too.
const LIMIT: Duration = Duration::from_secs(60);
/// `O_NOCTTY | O_NONBLOCK` of Linux.
const ASIDE: i32 = 0o400 | 0o4000;

/// The program in a terminal that nobody reads, but where a test waits for something.
struct Unread {
    master: Box<dyn MasterPty + Send>,
    shown: Box<dyn Read + Send>,
    seen: String,
    child: Option<Box<dyn Child + Send + Sync>>,
    killer: Box<dyn ChildKiller + Send + Sync>,
    process: Pid,
}

impl Unread {
    fn start(home: &Path, variables: &[(&str, &str)]) -> Self {
        let mut command = CommandBuilder::new(BINARY);
        command.env_clear();
        command.env("HOME", home);
        command.env("TERM", "xterm-256color");
        for (name, value) in variables {
            command.env(name, value);
        }
        command.cwd(home);
        let pair = native_pty_system().openpty(PtySize::default()).unwrap();
        let child = pair.slave.spawn_command(command).unwrap();
        let process = i32::try_from(child.process_id().unwrap()).unwrap();
        Self {
            shown: pair.master.try_clone_reader().unwrap(),
            master: pair.master,
            seen: String::new(),
            killer: child.clone_killer(),
            child: Some(child),
            process: Pid::from_raw(process).unwrap(),
        }
    }

    /// Reads until `text` has come.
    fn sees(&mut self, text: &str) {
        while !self.seen.contains(text) {
            let mut bytes = [0; 4096];
            let length = self.shown.read(&mut bytes).unwrap();
            assert!(length > 0, "it ended: {}", self.seen);
            self.seen
                .push_str(&String::from_utf8_lossy(&bytes[..length]));
        }
    }

    /// Ends with this code before long, although nobody reads.
    fn ends_with(&mut self, code: u32) {
        let mut child = self.child.take().unwrap();
        let (ended, heard) = channel();
        std::thread::spawn(move || ended.send(child.wait().unwrap().exit_code()));
        assert_eq!(heard.recv_timeout(LIMIT), Ok(code));
    }
}

impl Drop for Unread {
    fn drop(&mut self) {
        let _ = self.killer.kill();
    }
}

#[test]
fn a_signal_ends_the_screen_on_a_terminal_that_takes_nothing() {
    let home = tempfile::tempdir().unwrap();
    let mut screen = Unread::start(home.path(), &[]);
    screen.sees("Connections");
    fill(&screen.master.tty_name().unwrap());
    kill_process(screen.process, Signal::TERM).unwrap();
    screen.ends_with(143);
}

/// A key that is copied by a command into a file, and is not cleared by time.
const CONFIGURATION: &str = r#"version = 1

[settings]
clipboard_command = ["/bin/sh", "-c", "cat >copied.new; mv copied.new copied"]
clipboard_clear_s = 86400

[[connection]]
name = "shop"
service = "http"
url = "http://127.0.0.1:9"
key = "env:SHOP_KEY"
"#;

#[test]
fn what_must_happen_in_time_happens_on_a_terminal_that_takes_nothing() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join(".config/switchboard");
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(&folder)
        .unwrap();
    fs::write(folder.join("switchboard.toml"), CONFIGURATION).unwrap();
    let variables = [("SHOP_KEY", "a key of the shop"), ("PATH", "/usr/bin:/bin")];
    let mut screen = Unread::start(home.path(), &variables);
    let mut keys = screen.master.take_writer().unwrap();
    screen.sees("shop");
    keys.write_all(b"y").unwrap();
    screen.sees("handed to");
    let copied = home.path().join("copied");
    assert_eq!(fs::read_to_string(&copied).unwrap(), "a key of the shop");
    fill(&screen.master.tty_name().unwrap());
    // Frames, so many that a screen that waits for each would be held.
    keys.write_all("?j".repeat(50).as_bytes()).unwrap();
    let locked = Command::new(BINARY)
        .args(["secret", "lock"])
        .env_clear()
        .env("HOME", home.path())
        .status()
        .unwrap();
    assert!(locked.success());
    let until = Instant::now() + LIMIT;
    while fs::read_to_string(&copied).is_ok_and(|text| text != " ") {
        assert!(
            Instant::now() < until,
            "the lock did not clear the clipboard"
        );
        std::thread::yield_now();
    }
    // What it could not show comes when the terminal takes something again: the state of now, at once.
    screen.seen.clear();
    screen.sees("secrets forgotten");
    keys.write_all(b"q").unwrap();
    screen.sees("\x1b[?1049l");
    screen.ends_with(0);
}

/// Writes to the terminal, beside the program, until it takes nothing more.
fn fill(terminal: &std::path::Path) {
    let mut options = OpenOptions::new();
    let mut terminal = options
        .write(true)
        .custom_flags(ASIDE)
        .open(terminal)
        .unwrap();
    let patience = Timespec {
        tv_sec: 0,
        tv_nsec: 300_000_000,
    };
    loop {
        match terminal.write(&[b'x'; 4096]) {
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                let mut watched = [PollFd::new(&terminal, PollFlags::OUT)];
                if poll(&mut watched, Some(&patience)).unwrap() == 0 {
                    return;
                }
            }
            Err(error) => panic!("{error}"),
        }
    }
}

/// A home with a connection to `server`.
fn home_with(server: &TcpListener) -> TempDir {
    let home = tempfile::tempdir().unwrap();
    let url = format!("http://{}/", server.local_addr().unwrap());
    let added = Command::new(BINARY)
        .args(["connection", "add", "shop", "--service", "http"])
        .args(["--url", &url])
        .env_clear()
        .env("HOME", home.path())
        .status();
    assert!(added.unwrap().success());
    home
}

/// A pipe that nobody reads, full: whoever writes waits.
fn full_pipe() -> (PipeReader, PipeWriter) {
    let (unread, mut full) = std::io::pipe().unwrap();
    fcntl_setfl(&full, OFlags::NONBLOCK).unwrap();
    while full.write(&[b'x'; 4096]).is_ok() {}
    fcntl_setfl(&full, OFlags::empty()).unwrap();
    (unread, full)
}

/// Answers the next request with 500.
fn answer(server: &TcpListener) {
    let (mut asked, _) = server.accept().unwrap();
    let mut bytes = [0; 4096];
    assert!(asked.read(&mut bytes).unwrap() > 0);
    asked
        .write_all(b"HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n")
        .unwrap();
    let _ = asked.read(&mut bytes);
}

#[test]
fn a_watch_hears_signals_while_nobody_reads_what_it_writes() {
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let home = home_with(&server);
    let (_unread, full) = full_pipe();
    let mut child = Command::new(BINARY)
        .args(["watch", "--plain"])
        .env_clear()
        .env("HOME", home.path())
        .stdout(full)
        .spawn()
        .unwrap();
    let process = Pid::from_child(&child);
    // The first probe has an answer, and hangs up: from here on there is a line to write.
    answer(&server);
    let (ended, heard) = channel();
    std::thread::spawn(move || ended.send(child.wait().unwrap().code()));
    // The first ends the watch, the second the wait for whoever reads; which of them it was that came last is not said.
    let began = Instant::now();
    let code = loop {
        kill_process(process, Signal::TERM).unwrap();
        match heard.recv_timeout(Duration::from_millis(100)) {
            Err(RecvTimeoutError::Timeout) if began.elapsed() < LIMIT => {}
            Ok(code) => break code,
            Err(error) => {
                kill_process(process, Signal::KILL).unwrap();
                panic!("it heard nothing: {error}");
            }
        }
    };
    assert_eq!(code, Some(143));
}

#[test]
fn a_watch_ends_in_its_time_while_nobody_reads_and_says_that_a_line_is_missing() {
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let home = home_with(&server);
    std::thread::spawn(move || {
        loop {
            answer(&server);
        }
    });
    // Whether it talks to somebody else, or into the same pipe.
    for is_heard in [true, false] {
        // On a busy machine the time may be over before there is a line to write.
        let code = [1, 4, 16].into_iter().find_map(|seconds| {
            let (_unread, full) = full_pipe();
            let mut watch = Command::new(BINARY);
            watch
                .args(["watch", "--plain", "--for", &format!("{seconds}s")])
                .env_clear()
                .env("HOME", home.path());
            if is_heard {
                watch.stderr(Stdio::piped());
            } else {
                watch.stderr(full.try_clone().unwrap());
            }
            let mut child = watch.stdout(full).spawn().unwrap();
            let process = Pid::from_child(&child);
            let said = child.stderr.take();
            let (ended, heard) = channel();
            std::thread::spawn(move || ended.send(child.wait().unwrap().code()));
            let Ok(code) = heard.recv_timeout(LIMIT) else {
                kill_process(process, Signal::KILL).unwrap();
                panic!("its time is over, and it goes on");
            };
            let said = said.map(|said| std::io::read_to_string(said).unwrap());
            (code != Some(0)).then_some((code, said))
        });
        let Some((code, said)) = code else {
            panic!("a line was written that nobody has read");
        };
        assert_eq!(code, Some(3));
        assert!(said.is_none_or(|said| said.contains("what was found last is not written")));
    }
}
