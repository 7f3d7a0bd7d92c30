//! The signals that end a command. One that was ignored when the program began (`nohup`, a script's background job)
//! stays ignored: whoever started it meant that.

use std::future::pending;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::signal::unix::{Signal, SignalKind, signal};

use super::fault::Fault;
use crate::store::files;
use crate::work::Core;

/// SIGHUP, as a bit.
pub const HANGUP: u64 = 1;
/// Every signal, as bits.
pub const ALL: u64 = u64::MAX;

/// Whether a signal came that ends the command.
static CAME: AtomicBool = AtomicBool::new(false);
/// Whether the command itself listens by now.
static ITS_OWN: AtomicBool = AtomicBool::new(false);

/// The signals that are listened to, each with its number.
#[derive(Debug)]
pub struct Signals([Option<(Signal, u8)>; 4]);

impl Signals {
    /// Takes them from the system, within a runtime. SIGHUP, SIGINT, SIGQUIT and SIGTERM end nothing by themselves any
    /// more. Those of `left` that were ignored stay so.
    pub fn listen(left: u64) -> Result<Self, Fault> {
        let ignored = files::ignored_signals() & left;
        let on = |number: u8| {
            if ignored & (1 << (number - 1)) != 0 {
                return Ok(None);
            }
            let listened = signal(SignalKind::from_raw(number.into()));
            let listened = listened.map(|signal| Some((signal, number)));
            listened.map_err(|error| Fault::step("listening to signals", error))
        };
        Ok(Self([on(1)?, on(2)?, on(3)?, on(15)?]))
    }

    /// The number of the next one.
    pub async fn next(&mut self) -> u8 {
        let [hangup, interrupt, quit, terminate] = &mut self.0;
        tokio::select! {
            number = came(hangup) => number,
            number = came(interrupt) => number,
            number = came(quit) => number,
            number = came(terminate) => number,
        }
    }
}

async fn came(signal: &mut Option<(Signal, u8)>) -> u8 {
    if let Some((signal, number)) = signal
        && signal.recv().await.is_some()
    {
        return *number;
    }
    pending().await
}

/// From here on the command has something to do itself when a signal comes.
pub fn are_its_own() {
    ITS_OWN.store(true, Ordering::SeqCst);
}

/// Whether [`end`] ends the program, whatever its command has come to meanwhile.
pub fn have_come() -> bool {
    CAME.load(Ordering::SeqCst)
}

/// Ends the program as the signal would have, whatever it does meanwhile, once the attempts of `core` are settled:
/// nobody shall lose a key by Ctrl-C. Another signal ends it at once. (A shell's loop ends only where a command was
/// ended by the signal itself.)
pub async fn end(mut signals: Signals, core: Core) {
    let number = loop {
        let number = signals.next().await;
        if !ITS_OWN.load(Ordering::SeqCst) {
            break number;
        }
    };
    CAME.store(true, Ordering::SeqCst);
    tokio::select! {
        () = core.end_attempts() => {}
        _ = signals.next() => {}
    }
    // All of these have a default that ends.
    let _ = signal_hook::low_level::emulate_default_handler(number.into());
}
