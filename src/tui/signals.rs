//! Signals, and the end of a program whose terminal went away.

use std::future::poll_fn;
use std::io;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use rustix::event::{Timespec, poll};
use rustix::process::Signal as SignalNumber;
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::terminal::TerminalGuard;
use crate::jobs::StopRequests;
use crate::store::files;

/// How long the screen has to end by itself after a signal, or once its terminal is gone.
const GRACE: Duration = Duration::from_secs(2);

/// What the system told us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SystemSignal {
    /// End, with this exit code: 128 + the signal's number.
    End(u8),
    /// We were stopped and go on: the terminal must be taken over again.
    Continued,
    /// Stop, once the terminal has been given back.
    Stop,
}

/// The signals that the screen listens to.
pub struct Signals {
    /// Those that end it, each with its exit code.
    ends: Vec<(Signal, u8)>,
    resume: Signal,
}

/// The signals by which a program is told to end.
const TOLD: [SignalNumber; 4] = [
    SignalNumber::TERM,
    SignalNumber::HUP,
    SignalNumber::INT,
    SignalNumber::QUIT,
];
/// Others that end a program which does not listen to them: the terminal would be left as it is.
const OTHERS: [SignalNumber; 9] = [
    SignalNumber::USR1,
    SignalNumber::USR2,
    SignalNumber::ALARM,
    SignalNumber::VTALARM,
    SignalNumber::PROF,
    SignalNumber::IO,
    SignalNumber::POWER,
    SignalNumber::XCPU,
    SignalNumber::XFSZ,
];

impl Signals {
    /// Starts listening; needs a running runtime. What was ignored when the program began and is no word to end, stays
    /// so.
    pub fn listen() -> io::Result<Self> {
        let ignored = files::ignored_signals();
        let counts = |number: &SignalNumber| ignored & (1 << (number.as_raw() - 1)) == 0;
        let others = OTHERS.into_iter().filter(counts);
        let ends = TOLD.into_iter().chain(others).map(|number| {
            let code = u8::try_from(128 + number.as_raw()).map_err(io::Error::other)?;
            Ok((listened(number)?, code))
        });
        Ok(Self {
            ends: ends.collect::<io::Result<_>>()?,
            resume: listened(SignalNumber::CONT)?,
        })
    }

    /// The next signal, an end before all others. Dropping the future loses none.
    pub async fn next(&mut self) -> SystemSignal {
        poll_fn(|context| {
            for (signal, code) in &mut self.ends {
                if signal.poll_recv(context).is_ready() {
                    return Poll::Ready(SystemSignal::End(*code));
                }
            }
            let resumed = self.resume.poll_recv(context);
            resumed.map(|_| SystemSignal::Continued)
        })
        .await
    }

    /// The next signal, a stop behind all others.
    pub async fn next_or_stop(&mut self, stops: &mut StopRequests) -> SystemSignal {
        tokio::select! {
            biased;
            signal = self.next() => signal,
            () = stops.next() => SystemSignal::Stop,
        }
    }
}

fn listened(number: SignalNumber) -> io::Result<Signal> {
    signal(SignalKind::from_raw(number.as_raw()))
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
