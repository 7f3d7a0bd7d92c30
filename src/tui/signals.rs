//! Signals, and a terminal that went away.

use std::io;
use std::thread;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::terminal;

/// How long the screen has to end by itself after a signal, or once its terminal is gone.
const GRACE: Duration = Duration::from_secs(2);

/// What the system told us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told {
    /// End, with this exit code: 128 + the signal's number.
    End(u8),
    /// We were stopped and go on: the terminal must be taken over again.
    Continued,
}

/// The signals that the screen listens to.
pub struct Signals {
    terminate: Signal,
    hangup: Signal,
    interrupt: Signal,
    quit: Signal,
    resume: Signal,
}

impl Signals {
    /// Starts listening; needs a running runtime.
    pub fn listen() -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            hangup: signal(SignalKind::hangup())?,
            interrupt: signal(SignalKind::interrupt())?,
            quit: signal(SignalKind::quit())?,
            resume: signal(SignalKind::from_raw(rustix::process::Signal::CONT.as_raw()))?,
        })
    }

    /// The next signal. Dropping the future loses none.
    pub async fn next(&mut self) -> Told {
        tokio::select! {
            _ = self.terminate.recv() => Told::End(143),
            _ = self.hangup.recv() => Told::End(129),
            _ = self.interrupt.recv() => Told::End(130),
            _ = self.quit.recv() => Told::End(131),
            _ = self.resume.recv() => Told::Continued,
        }
    }
}

/// Ends the program where a signal asked for it and the screen could not: a terminal that takes nothing any
/// more (a stalled line) holds it in a write, and no signal interrupts that.
pub async fn insist() {
    let Ok(mut signals) = Signals::listen() else {
        return;
    };
    let code = loop {
        if let Told::End(code) = signals.next().await {
            break code;
        }
    };
    tokio::time::sleep(GRACE).await;
    terminal::abandon();
    end(code);
}

#[expect(
    clippy::exit,
    reason = "the main thread is held in a call on its terminal: nobody else can end the program"
)]
fn end(code: u8) {
    std::process::exit(i32::from(code));
}

/// Watches the terminal from a thread of its own, and calls `gone` once when it hangs up. With SIGHUP ignored
/// (`nohup`) nothing else would tell: reads and writes fail for ever, and the event thread of crossterm spins
/// (its issue 793).
pub fn watch_terminal(gone: impl FnOnce() + Send + 'static) -> io::Result<()> {
    let terminal = std::io::stdin();
    thread::Builder::new()
        .name("terminal-watch".into())
        .spawn(move || {
            loop {
                let mut watched = [PollFd::new(&terminal, PollFlags::empty())];
                match poll(&mut watched, None) {
                    Ok(_) => {
                        let hung_up = PollFlags::HUP | PollFlags::ERR | PollFlags::NVAL;
                        if watched[0].revents().intersects(hung_up) {
                            gone();
                            return end_by_force();
                        }
                    }
                    Err(rustix::io::Errno::INTR) => {}
                    Err(_) => return,
                }
            }
        })?;
    Ok(())
}

/// Ends the program where it has not ended by itself: a read of crossterm from a dead terminal never returns,
/// and the loop may be the one that called it. There is no terminal to be given back.
fn end_by_force() {
    if let Ok(grace) = Timespec::try_from(GRACE) {
        let _ = poll(&mut [], Some(&grace));
    }
    end(super::HUNG_UP);
}
