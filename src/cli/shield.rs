//! What the system is asked for before anything else: that secrets in memory stay there (no core dumps, no
//! tracing by others), enough file descriptors, and a clock that can be read.

use std::collections::BTreeSet;
use std::sync::{Arc, OnceLock};

use rustix::process::{
    DumpableBehavior, Resource, Rlimit, Signal, dumpable_behavior, getrlimit,
    set_dumpable_behavior, setrlimit,
};

use crate::store::files;

/// Why nothing can be done on this machine as it stands.
#[derive(Debug, thiserror::Error)]
pub enum MachineProblem {
    /// Not even the runtime would start.
    #[error(
        "only {now} file descriptors are allowed here, and at least {NEEDED} are needed: `ulimit -n 256` raises the limit"
    )]
    Descriptors {
        /// How many are allowed.
        now: u64,
    },
    /// The time lies beyond all calendars: nothing could be dated.
    #[error("this machine's clock shows no time that can be written: set it, then try again ({0})")]
    Clock(#[source] jiff::Error),
}

/// Switches core dumps off and makes `/proc/PID/mem` and `environ` unreadable for other processes of the same
/// user. Where the system does not allow it the program works all the same: `doctor` tells.
pub fn raise() {
    let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
    let _ = setrlimit(
        Resource::Core,
        Rlimit {
            current: Some(0),
            maximum: Some(0),
        },
    );
    outlive_size_limit();
}

/// A write over the limit of file sizes (`ulimit -f`) fails as any other, and is told: its signal would end the program
/// in the middle of the screen. It is listened to and not ignored, so that programs started from here have it as it was.
fn outlive_size_limit() {
    let number = Signal::XFSZ.as_raw();
    if files::ignored_signals() & (1 << (number - 1)) == 0 {
        let _ = signal_hook::flag::register(number, Arc::default());
    }
}

/// As many file descriptors as are asked for: a connection each, for thousands of them.
const WANTED: u64 = 65_536;
/// The screen has 28 open before it asks or reads anything.
const NEEDED: u64 = 40;

/// What was open when the program began, where the system tells: what is opened later is the program's own.
static HANDED_OVER: OnceLock<BTreeSet<u32>> = OnceLock::new();

/// Notes which descriptors were handed over, and hands none of them on. To be called before anything is opened or
/// started.
pub fn note_descriptors() {
    if let Some(open) = files::open_descriptors() {
        files::keep_from_children(&open);
        let _ = HANDED_OVER.set(open);
    }
}

/// Whether this descriptor is none that was handed over.
pub fn is_own(descriptor: u32) -> bool {
    let handed_over = HANDED_OVER.get();
    handed_over.is_some_and(|known| !known.contains(&descriptor))
}

/// Raises the limit of file descriptors as far as this user may, for many connections at once. Says what is
/// missing where there are too few for anything.
pub fn descriptors() -> Result<(), MachineProblem> {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let allowed = maximum.map_or(WANTED, |maximum| maximum.min(WANTED));
    let now = if current.is_some_and(|current| current < allowed) {
        let raised = Rlimit {
            current: Some(allowed),
            maximum,
        };
        let _ = setrlimit(Resource::Nofile, raised);
        getrlimit(Resource::Nofile).current
    } else {
        current
    };
    match now {
        Some(now) if now < NEEDED => Err(MachineProblem::Descriptors { now }),
        Some(_) | None => Ok(()),
    }
}

/// How many file descriptors are allowed; nothing where that is not limited.
pub fn descriptor_limit() -> Option<u64> {
    getrlimit(Resource::Nofile).current
}

/// Says what to do where this machine's clock shows a time beyond all calendars: nothing could be dated.
pub fn clock() -> Result<(), MachineProblem> {
    jiff::Timestamp::try_from(std::time::SystemTime::now())
        .map(drop)
        .map_err(MachineProblem::Clock)
}

/// What [`raise`] could not switch off, a sentence each.
pub fn gaps() -> Vec<&'static str> {
    let mut gaps = Vec::new();
    if dumpable_behavior() != Ok(DumpableBehavior::NotDumpable) {
        gaps.push("other programs of this user can read this program's memory: this system lets nobody switch that off");
    }
    if getrlimit(Resource::Core).current != Some(0) {
        gaps.push("a crash can write secrets into a core dump: run `ulimit -c 0` before starting");
    }
    gaps
}
