//! A terminal that takes nothing any more, as over a line that stalls: a signal ends the program all the same.
#![expect(
    clippy::panic,
    clippy::unwrap_used,
    reason = "what is missing shall fail the test"
)]

use std::fs::OpenOptions;
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::sync::mpsc::channel;
use std::time::Duration;

use portable_pty::{CommandBuilder, PtySize, native_pty_system};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, Signal, kill_process};

/// Far beyond what a working program needs, on a busy machine too.
const LIMIT: Duration = Duration::from_secs(60);
/// `O_NOCTTY | O_NONBLOCK` of Linux.
const ASIDE: i32 = 0o400 | 0o4000;

#[test]
fn a_signal_ends_the_screen_on_a_terminal_that_takes_nothing() {
    let home = tempfile::tempdir().unwrap();
    let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_switchboard"));
    command.env_clear();
    command.env("HOME", home.path());
    command.env("TERM", "xterm-256color");
    let pair = native_pty_system().openpty(PtySize::default()).unwrap();
    let mut child = pair.slave.spawn_command(command).unwrap();
    let mut shown = pair.master.try_clone_reader().unwrap();
    let mut seen = String::new();
    while !seen.contains("Connections") {
        let mut bytes = [0; 4096];
        let length = shown.read(&mut bytes).unwrap();
        seen.push_str(&String::from_utf8_lossy(&bytes[..length]));
    }
    fill(&pair.master.tty_name().unwrap());
    let id = Pid::from_raw(i32::try_from(child.process_id().unwrap()).unwrap()).unwrap();
    kill_process(id, Signal::TERM).unwrap();
    let (ended, heard) = channel();
    let mut killer = child.clone_killer();
    std::thread::spawn(move || ended.send(child.wait().unwrap().exit_code()));
    let code = heard.recv_timeout(LIMIT);
    if code.is_err() {
        let _ = killer.kill();
    }
    assert_eq!(code, Ok(143));
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
