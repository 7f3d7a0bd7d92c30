//! The line to the terminal: written to without ever waiting for it.
//!
//! A terminal that takes nothing (a dead SSH session, a stopped reader) would hold a write for as long as it
//! pleases, and with it the lock after idle time, the clearing of the clipboard, every timer. So the terminal is
//! opened a second time for writing without blocking: the open file is ours alone, and the shell's stays as it
//! is. What the terminal does not take now waits here, in its order, and the loop sends it when it can.

use std::io::{self, ErrorKind};
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd};
use std::sync::{Mutex, MutexGuard, PoisonError, TryLockError};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use rustix::termios::{QueueSelector, tcflush};
use tokio::net::unix::pipe;
use zeroize::Zeroizing;

/// The line to the terminal.
pub struct Wire {
    terminal: OwnedFd,
    waiting: Mutex<Unsent>,
}

/// What was not taken yet. It may hold what a frame shows: wiped when it has gone.
#[derive(Default)]
struct Unsent {
    bytes: Zeroizing<Vec<u8>>,
    /// How many of them the terminal has.
    sent: usize,
    /// Whether it would take no more.
    stalled: bool,
}

impl Wire {
    /// Opens stdout's terminal for writing without blocking.
    pub fn open() -> io::Result<Self> {
        let terminal = reopened(rustix::stdio::stdout(), OFlags::WRONLY)?;
        Ok(Self::over(terminal))
    }

    /// A line over an open file that does not block.
    fn over(terminal: OwnedFd) -> Self {
        Self {
            terminal,
            waiting: Mutex::default(),
        }
    }

    /// Puts bytes behind those that wait.
    pub fn push(&self, bytes: &[u8]) {
        self.waiting().bytes.extend_from_slice(bytes);
    }

    /// Whether the terminal did not take all that was sent.
    pub fn is_stalled(&self) -> bool {
        self.waiting().stalled
    }

    /// Sends what the terminal takes now; whether that was all. An error means that the terminal is gone.
    pub fn send(&self) -> io::Result<bool> {
        self.waiting().send(|bytes| self.write(bytes))
    }

    /// Sends what waits, as soon as the terminal takes it. Never ends where the terminal keeps up.
    pub async fn sent(&self) -> io::Result<()> {
        if !self.is_stalled() {
            return std::future::pending().await;
        }
        // Told of only while something waits: a terminal that keeps up would wake us at each frame it has read.
        let again = rustix::io::fcntl_dupfd_cloexec(&self.terminal, 3)?;
        let terminal = pipe::Sender::from_owned_fd_unchecked(again)?;
        loop {
            terminal.writable().await?;
            if self.waiting().send(|bytes| terminal.try_write(bytes))? {
                return Ok(());
            }
        }
    }

    /// Sends what waits, and waits for the terminal, but no longer than `limit`. For the end: from any thread,
    /// from the panic hook too, which may have come while the line was in use.
    pub fn send_within(&self, last: &[u8], limit: Duration) -> io::Result<bool> {
        let until = Instant::now() + limit;
        let Some(mut waiting) = self.waiting_until(until) else {
            return Ok(false);
        };
        waiting.bytes.extend_from_slice(last);
        while !waiting.send(|bytes| self.write(bytes))? {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(false);
            }
            let left = Timespec::try_from(left).map_err(io::Error::other)?;
            let mut watched = [PollFd::new(&self.terminal, PollFlags::OUT)];
            match poll(&mut watched, Some(&left)) {
                Ok(_) | Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(true)
    }

    /// Drops what waits, here and on the way to the terminal, and sends `bytes` alone, where it takes them within `limit`.
    /// From any thread; where the line is in use for so long, nothing is sent.
    pub fn send_alone(&self, bytes: &[u8], limit: Duration) -> io::Result<bool> {
        let until = Instant::now() + limit;
        let Some(mut waiting) = self.waiting_until(until) else {
            return Ok(false);
        };
        *waiting = Unsent::default();
        // (A pipe, as in a test, has nothing to be dropped.)
        let _ = tcflush(&self.terminal, QueueSelector::OFlush);
        let limit = Timespec::try_from(limit).map_err(io::Error::other)?;
        let mut watched = [PollFd::new(&self.terminal, PollFlags::OUT)];
        // A line that could not be opened once more would hold the call.
        if poll(&mut watched, Some(&limit))? == 0 {
            return Ok(false);
        }
        waiting.bytes.extend_from_slice(bytes);
        waiting.send(|bytes| self.write(bytes))
    }

    fn write(&self, bytes: &[u8]) -> io::Result<usize> {
        Ok(rustix::io::write(&self.terminal, bytes)?)
    }

    fn waiting_until(&self, until: Instant) -> Option<MutexGuard<'_, Unsent>> {
        loop {
            match self.waiting.try_lock() {
                Ok(waiting) => return Some(waiting),
                Err(TryLockError::Poisoned(waiting)) => return Some(waiting.into_inner()),
                Err(TryLockError::WouldBlock) if Instant::now() < until => std::thread::yield_now(),
                Err(TryLockError::WouldBlock) => return None,
            }
        }
    }

    fn waiting(&self) -> MutexGuard<'_, Unsent> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Unsent {
    fn send(&mut self, mut write: impl FnMut(&[u8]) -> io::Result<usize>) -> io::Result<bool> {
        while let Some(left @ [_, ..]) = self.bytes.get(self.sent..) {
            match write(left) {
                Ok(count) => self.sent += count,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    self.stalled = true;
                    return Ok(false);
                }
                Err(error) => return Err(error),
            }
        }
        // A frame is small; what a flood needed is given back.
        *self = Self::default();
        Ok(true)
    }
}

/// `terminal`, opened once more, without blocking: by what the process has open, which needs the right to open it (`su`
/// does not give it); else as the controlling terminal, where it is that. Where neither goes, the same open file: there
/// alone a call can block.
pub fn reopened(terminal: BorrowedFd<'_>, access: OFlags) -> io::Result<OwnedFd> {
    let flags = access | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let open = |path: &str| rustix::fs::open(path, flags, Mode::empty());
    let controlling = rustix::termios::tcgetsid(terminal).is_ok();
    let opened = open(&format!("/proc/self/fd/{}", terminal.as_raw_fd())).or_else(|error| {
        if controlling {
            open("/dev/tty")
        } else {
            Err(error)
        }
    });
    match opened {
        Ok(terminal) => Ok(terminal),
        Err(_) => Ok(rustix::io::fcntl_dupfd_cloexec(terminal, 3)?),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    fn pipe() -> (io::PipeReader, Wire) {
        let (reader, writer) = io::pipe().unwrap();
        rustix::io::ioctl_fionbio(&writer, true).unwrap();
        (reader, Wire::over(writer.into()))
    }

    /// More than a pipe holds.
    const FLOOD: usize = 1 << 20;

    #[test]
    fn what_is_not_taken_waits_in_its_order() {
        let (mut reader, wire) = pipe();
        wire.push(&vec![b'a'; FLOOD]);
        assert!(!wire.send().unwrap() && wire.is_stalled(), "nobody reads");
        wire.push(b"last");
        let reading = std::thread::spawn(move || {
            let mut bytes = Vec::new();
            reader.read_to_end(&mut bytes).unwrap();
            bytes
        });
        assert!(wire.send_within(b"!", Duration::from_secs(60)).unwrap());
        assert!(wire.waiting().bytes.is_empty() && !wire.is_stalled());
        drop(wire);
        let read = reading.join().unwrap();
        assert_eq!(read.len(), FLOOD + 5);
        assert!(read.ends_with(b"alast!"));
    }

    #[test]
    fn the_end_does_not_wait_for_ever() {
        let (_reader, wire) = pipe();
        wire.push(&vec![b'a'; FLOOD]);
        let limit = Duration::from_millis(20);
        assert!(!wire.send_within(b"", limit).unwrap());
        let _held = wire.waiting();
        assert!(
            !wire.send_within(b"", limit).unwrap(),
            "somebody else has it"
        );
    }

    #[tokio::test]
    async fn it_is_sent_when_the_reader_comes() {
        let (mut reader, wire) = pipe();
        wire.push(&vec![b'a'; FLOOD]);
        assert!(!wire.send().unwrap());
        let reading = std::thread::spawn(move || {
            let mut bytes = vec![0; FLOOD];
            reader.read_exact(&mut bytes).unwrap();
            reader
        });
        wire.sent().await.unwrap();
        assert!(wire.waiting().bytes.is_empty());
        let reader = reading.join().unwrap();
        drop(reader);
        wire.push(b"x");
        assert!(wire.send().is_err(), "the terminal is gone");
    }
}
