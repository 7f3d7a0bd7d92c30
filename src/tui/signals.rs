//! Signals, and the end of a program whose terminal went away.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use rustix::event::{Timespec, poll};
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::terminal::TerminalGuard;

/// How long the screen has to end by itself after a signal, or once its terminal is gone.
const GRACE: Duration = Duration::from_secs(2);

/// What the system told us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SystemSignal {
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
    pub async fn next(&mut self) -> SystemSignal {
        tokio::select! {
            _ = self.terminate.recv() => SystemSignal::End(143),
            _ = self.hangup.recv() => SystemSignal::End(129),
            _ = self.interrupt.recv() => SystemSignal::End(130),
            _ = self.quit.recv() => SystemSignal::End(131),
            _ = self.resume.recv() => SystemSignal::Continued,
        }
    }
}

/// Ends the program where a signal asked for it and the screen could not.
pub async fn insist(mut signals: Signals, terminal: Arc<TerminalGuard>) {
    let code = loop {
        if let SystemSignal::End(code) = signals.next().await {
            break code;
        }
    };
    tokio::time::sleep(GRACE).await;
    terminal.abandon();
    end(code);
}

#[expect(
    clippy::exit,
    reason = "the main thread is held in a call on its terminal: nobody else can end the program"
)]
fn end(code: u8) {
    std::process::exit(i32::from(code));
}

/// Ends the program where it has not ended by itself, once its terminal is gone. There is none to be given back.
pub fn end_by_force() {
    if let Ok(grace) = Timespec::try_from(GRACE) {
        let _ = poll(&mut [], Some(&grace));
    }
    end(super::HUNG_UP);
}
