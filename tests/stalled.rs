//! A terminal that takes nothing any more, as over a line that stalls: a signal ends the program all the same.
#![expect(
    clippy::panic,
    clippy::unwrap_used,
    reason = "what is missing shall fail the test"
)]

use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, PipeReader, PipeWriter, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
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
    // Once the line goes on, the terminal finds the way back.
    screen.sees("\x1b[?2004l");
    screen.sees("\x1b[?25h\x1b[?1049l");
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

/// A home with a connection to each of `servers`: shop-0, shop-1 and so on.
fn home_with(servers: &[TcpListener]) -> TempDir {
    let home = tempfile::tempdir().unwrap();
    for (number, server) in servers.iter().enumerate() {
        let url = format!("http://{}/", server.local_addr().unwrap());
        let name = format!("shop-{number}");
        let added = command(&home)
            .args(["connection", "add", &name, "--service", "http"])
            .args(["--url", &url])
            .status();
        assert!(added.unwrap().success());
    }
    home
}

fn command(home: &TempDir) -> Command {
    let mut command = Command::new(BINARY);
    command.env_clear().env("HOME", home.path());
    command
}

/// A pipe that nobody reads, full: whoever writes waits.
fn full_pipe() -> (PipeReader, PipeWriter) {
    let (unread, mut full) = std::io::pipe().unwrap();
    fcntl_setfl(&full, OFlags::NONBLOCK).unwrap();
    while full.write(&[b'x'; 4096]).is_ok() {}
    fcntl_setfl(&full, OFlags::empty()).unwrap();
    (unread, full)
}

fn listener() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").unwrap()
}

/// Takes the next request.
fn asked(server: &TcpListener) -> TcpStream {
    let patience = Timespec {
        tv_sec: 60,
        tv_nsec: 0,
    };
    let mut watched = [PollFd::new(server, PollFlags::IN)];
    assert_eq!(poll(&mut watched, Some(&patience)), Ok(1), "nobody asks");
    let (mut asked, _) = server.accept().unwrap();
    asked.set_read_timeout(Some(LIMIT)).unwrap();
    assert!(asked.read(&mut [0; 4096]).unwrap() > 0);
    asked
}

/// Answers it with 500, and waits until that is taken.
fn answer(mut asked: TcpStream) {
    asked
        .write_all(b"HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n")
        .unwrap();
    is_left(asked);
}

/// Waits until whoever asked hangs up. Gives whether they do.
fn is_left(mut asked: TcpStream) -> bool {
    match asked.read(&mut [0; 4096]) {
        Ok(length) => length == 0,
        Err(error) => error.kind() == ErrorKind::ConnectionReset,
    }
}

/// Waits until it has ended by itself.
fn ended(mut child: std::process::Child) -> ExitStatus {
    let process = Pid::from_child(&child);
    let (ended, heard) = channel();
    std::thread::spawn(move || ended.send(child.wait().unwrap()));
    heard.recv_timeout(LIMIT).unwrap_or_else(|_| {
        kill_process(process, Signal::KILL).unwrap();
        panic!("its time is over, and it goes on");
    })
}

/// Sends SIGTERM until it has ended: one ends the watch, the next the wait for whoever reads.
fn ended_by_signals(mut child: std::process::Child) -> ExitStatus {
    let process = Pid::from_child(&child);
    let (ended, heard) = channel();
    std::thread::spawn(move || ended.send(child.wait().unwrap()));
    let began = Instant::now();
    loop {
        kill_process(process, Signal::TERM).unwrap();
        match heard.recv_timeout(Duration::from_millis(100)) {
            Err(RecvTimeoutError::Timeout) if began.elapsed() < LIMIT => {}
            Ok(status) => return status,
            Err(error) => {
                kill_process(process, Signal::KILL).unwrap();
                panic!("it heard nothing: {error}");
            }
        }
    }
}

#[test]
fn a_watch_hears_signals_while_nobody_reads_what_it_writes() {
    let servers = [listener()];
    let home = home_with(&servers);
    let (_unread, full) = full_pipe();
    let child = command(&home)
        .args(["watch", "--plain"])
        .stdout(full)
        .spawn()
        .unwrap();
    // The first probe has an answer, and hangs up: from here on there is a line to write.
    answer(asked(&servers[0]));
    assert_eq!(ended_by_signals(child).code(), Some(143));
}

#[test]
fn a_watch_hears_signals_while_nobody_reads_what_it_says() {
    let servers = [listener()];
    let home = home_with(&servers);
    let (_unread, full) = full_pipe();
    let child = command(&home)
        .args(["watch", "--plain"])
        .stdout(Stdio::null())
        .stderr(full)
        .spawn()
        .unwrap();
    let held = asked(&servers[0]);
    let removed = command(&home)
        .args(["connection", "remove", "shop-0", "--yes"])
        .status();
    assert!(removed.unwrap().success());
    // Its probe is ended: now the watch says that it is gone.
    let is_left = is_left(held);
    assert_eq!(ended_by_signals(child).code(), Some(143));
    assert!(is_left);
}

#[test]
fn a_signal_ends_what_fails_while_nobody_reads_why() {
    let servers = [listener(), listener()];
    let home = home_with(&servers);
    let (_unread, full) = full_pipe();
    let disk = OpenOptions::new().write(true).open("/dev/full").unwrap();
    let child = command(&home)
        .args(["watch", "--plain"])
        .stdout(disk)
        .stderr(full)
        .spawn()
        .unwrap();
    let [answered, held] = servers.each_ref().map(asked);
    answer(answered);
    // The other probe ends with the watch.
    assert!(is_left(held));
    let status = ended_by_signals(child);
    assert!(
        status.code() == Some(143) || status.signal() == Some(15),
        "{status}"
    );
}

/// Long enough that all is asked in time on a busy machine.
const TIME: &str = "6s";

#[test]
fn a_signal_after_the_time_is_no_success_while_nobody_reads() {
    let servers = [listener(), listener()];
    let home = home_with(&servers);
    let (_unread, full) = full_pipe();
    let child = command(&home)
        .args(["watch", "--plain", "--for", TIME])
        .stdout(full)
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let [answered, held] = servers.each_ref().map(asked);
    answer(answered);
    // The other probe ends with the time.
    assert!(is_left(held));
    let code = ended_by_signals(child).code();
    // On a busy machine it waits no longer when the signal comes.
    assert!(matches!(code, Some(143 | 3)), "{code:?}");
}

#[test]
fn what_ended_in_time_is_told_to_whoever_reads_again() {
    let servers = [(); 4].map(|()| listener());
    let home = home_with(&servers);
    let (unread, full) = full_pipe();
    let child = command(&home)
        .args(["watch", "--plain", "--for", TIME])
        .stdout(full)
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let [held, answered @ ..] = servers.each_ref().map(asked);
    answered.into_iter().for_each(answer);
    assert!(is_left(held));
    let read = std::thread::spawn(|| std::io::read_to_string(unread).unwrap());
    let code = ended(child).code();
    let told = read.join().unwrap();
    let told = told.matches(" down: ").count();
    // On a busy machine it waits no longer when the reader comes.
    assert!(
        code == Some(3) || (code, told) == (Some(0), 3),
        "{code:?}, {told} lines"
    );
}

#[test]
fn a_watch_ends_in_its_time_while_nobody_reads_and_says_that_a_line_is_missing() {
    let servers = [listener()];
    let home = home_with(&servers);
    std::thread::spawn(move || {
        for stream in servers[0].incoming() {
            let mut stream = stream.unwrap();
            assert!(stream.read(&mut [0; 4096]).unwrap() > 0);
            answer(stream);
        }
    });
    // Whether it talks to somebody else, or into the same pipe.
    for is_heard in [true, false] {
        // On a busy machine the time may be over before there is a line to write.
        let code = [1, 4, 16].into_iter().find_map(|seconds| {
            let (_unread, full) = full_pipe();
            let mut watch = command(&home);
            watch.args(["watch", "--plain", "--for", &format!("{seconds}s")]);
            if is_heard {
                watch.stderr(Stdio::piped());
            } else {
                watch.stderr(full.try_clone().unwrap());
            }
            let mut child = watch.stdout(full).spawn().unwrap();
            let said = child.stderr.take();
            let code = ended(child).code();
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
