//! Job control: a stop that is held back until the terminal has been given back, and programs that are started as if
//! none was held.
//!
//! SIGTSTP from outside (`kill -TSTP`, a wrapper's `suspend`) would stop the screen where it stands. A handler for it
//! could not hand on what only the kernel does by default: the exit code that a shell sees, and no stop where nobody
//! could continue the program. So the signal is blocked and read from a descriptor instead, and let in by [`unheld`]
//! once the screen is ready for it.

use std::future::pending;
use std::io;
use std::marker::PhantomData;
use std::os::fd::AsFd;
use std::sync::atomic::{AtomicBool, Ordering};

use nix::sys::signal::{SigSet, SigmaskHow, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd, siginfo};
use tokio::io::AsyncReadExt;
use tokio::net::unix::pipe::Receiver;
use tokio::process::{Child, Command};

/// Whether [`hold_stops`] holds them, and not whoever started the program.
static HELD: AtomicBool = AtomicBool::new(false);

/// Holds stops back until it is dropped, in the thread that made it.
#[derive(Debug)]
#[must_use = "stops are held only while it lives"]
pub struct HeldStops {
    before: SigSet,
    of_one_thread: PhantomData<*const ()>,
}

/// Holds SIGTSTP back from this thread, and from those that are started from now on: to be called before others are
/// there, any of which would take it. `ignored` are the signals that this process ignores, the lowest bit SIGHUP's.
/// Nothing where the stop is ignored, blocked by whoever started the program, or held already.
pub fn hold_stops(ignored: u64) -> Option<HeldStops> {
    if ignored & (1 << (Signal::SIGTSTP as u32 - 1)) != 0 {
        return None;
    }
    let before = stop().thread_swap_mask(SigmaskHow::SIG_BLOCK).ok()?;
    if before.contains(Signal::SIGTSTP) {
        return None;
    }
    HELD.store(true, Ordering::SeqCst);
    Some(HeldStops {
        before,
        of_one_thread: PhantomData,
    })
}

impl Drop for HeldStops {
    fn drop(&mut self) {
        HELD.store(false, Ordering::SeqCst);
        // One that came too late for the screen stops the program here.
        let _ = self.before.thread_set_mask();
    }
}

/// Runs `act` in a thread that a stop may stop: one that is sent to this process, or was held back, takes effect in it.
/// Not for long, as it does so without a word to the screen.
pub fn unheld<T>(act: impl FnOnce() -> T) -> T {
    let _open = HELD.load(Ordering::SeqCst).then(OpenMask::here);
    act()
}

/// Starts `command`. Its mask of signals is that of the thread which starts it, and a program does not expect that stops
/// are blocked: Ctrl-Z would not reach it, nor a command that it runs in its turn.
///
/// # Errors
/// The program is not there, or may not be run.
#[expect(
    clippy::disallowed_methods,
    reason = "the one place that starts programs"
)]
pub fn start(command: &mut Command) -> io::Result<Child> {
    unheld(|| command.spawn())
}

/// The mask of a thread that lets stops in; put back as it was at its end.
struct OpenMask(Option<SigSet>);

impl OpenMask {
    fn here() -> Self {
        Self(stop().thread_swap_mask(SigmaskHow::SIG_UNBLOCK).ok())
    }
}

impl Drop for OpenMask {
    fn drop(&mut self) {
        if let Some(before) = &self.0 {
            let _ = before.thread_set_mask();
        }
    }
}

/// Tells when a stop has come that is held back. (The runtime watches its descriptor as it does a pipe.)
#[derive(Debug)]
pub struct StopRequests(Option<Receiver>);

impl StopRequests {
    /// Starts listening; needs a running runtime. Where no stops are held, none is ever told.
    ///
    /// # Errors
    /// The system gives no descriptor.
    pub fn listen() -> io::Result<Self> {
        if !HELD.load(Ordering::SeqCst) {
            return Ok(Self(None));
        }
        let flags = SfdFlags::SFD_NONBLOCK | SfdFlags::SFD_CLOEXEC;
        let told = SignalFd::with_flags(&stop(), flags)?;
        let told = told.as_fd().try_clone_to_owned()?;
        Receiver::from_owned_fd_unchecked(told).map(|told| Self(Some(told)))
    }

    /// The next one, which is no longer held back then: whoever hears of it stops the program. Dropping the future loses
    /// none.
    pub async fn next(&mut self) {
        let mut what = [0; size_of::<siginfo>()];
        if let Some(told) = &mut self.0
            && told.read(&mut what).await.is_ok()
        {
            return;
        }
        pending::<()>().await;
    }
}

fn stop() -> SigSet {
    SigSet::from(Signal::SIGTSTP)
}

#[cfg(test)]
mod tests {
    use std::process::Stdio;
    use std::time::Duration;

    use super::*;

    /// What the kernel says is blocked in a program that is started here.
    async fn blocked_in_a_child() -> u64 {
        let mut command = Command::new("grep");
        command
            .args(["SigBlk", "/proc/self/status"])
            .stdout(Stdio::piped());
        let mut child = start(&mut command).unwrap();
        let mut line = String::new();
        let said = child.stdout.as_mut().unwrap();
        said.read_to_string(&mut line).await.unwrap();
        child.wait().await.unwrap();
        let bits = line.trim().strip_prefix("SigBlk:").unwrap();
        u64::from_str_radix(bits.trim(), 16).unwrap()
    }

    /// (One test: what is held is so for the whole process, and its threads are those of all tests.)
    #[tokio::test]
    async fn a_program_that_is_started_has_no_stop_blocked_and_what_was_blocked_before_stays_so() {
        let bit = 1 << (Signal::SIGTSTP as u32 - 1);
        let is_blocked = || SigSet::thread_get_mask().unwrap().contains(Signal::SIGTSTP);
        assert!(hold_stops(bit).is_none(), "what is ignored is not held");
        assert!(!is_blocked());
        let mut unheard = StopRequests::listen().unwrap();
        let held = hold_stops(0).unwrap();
        assert!(is_blocked());
        assert!(hold_stops(0).is_none(), "once is enough");
        assert_eq!(blocked_in_a_child().await & bit, 0);
        assert!(is_blocked(), "it is held again behind that");
        assert!(!unheld(is_blocked));
        let told = std::thread::spawn(is_blocked).join().unwrap();
        assert!(told, "a thread has it from the one that started it");

        let mut requests = StopRequests::listen().unwrap();
        nix::sys::signal::raise(Signal::SIGTSTP).unwrap();
        requests.next().await;
        let further = tokio::time::timeout(Duration::ZERO, requests.next());
        assert!(further.await.is_err(), "it is told once");
        let unheard = tokio::time::timeout(Duration::ZERO, unheard.next());
        assert!(unheard.await.is_err());
        drop(held);
        assert!(!is_blocked());

        // Whoever started the program wants none, and that goes for what it starts.
        stop().thread_block().unwrap();
        assert!(hold_stops(0).is_none());
        assert_eq!(blocked_in_a_child().await & bit, bit);
        assert!(unheld(is_blocked));
    }
}
