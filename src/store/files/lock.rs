//! The advisory lock that makes read, change, write one step among all programs.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use rustix::fs::{FlockOperation, OFlags, flock};
use rustix::io::Errno;

use super::FileProblem;

/// How long another program may hold a lock before we give up.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);

/// A held lock; it ends with this value, or with the process, however that ends. The lock file stays: taking
/// it away would let two programs lock two different files of the same name.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

impl Lock {
    /// Takes the lock at `path`, waiting up to 10 seconds for another holder, in this process or another.
    pub fn take(path: &Path) -> Result<Self, FileProblem> {
        let file = match Self::attempt(path)? {
            Ok(lock) => return Ok(lock),
            Err(busy) => busy,
        };
        // The system's wait has no time limit, so it happens aside. Where it ends too late, nobody receives
        // the file, and closing it gives the lock back.
        let (sender, receiver) = mpsc::channel();
        let waiting = thread::Builder::new()
            .name("lock".to_owned())
            .spawn(move || {
                let outcome = loop {
                    match flock(&file, FlockOperation::LockExclusive) {
                        Err(Errno::INTR) => {}
                        outcome => break outcome,
                    }
                };
                let _ = sender.send(outcome.map(|()| file));
            });
        waiting.map_err(|source| FileProblem::Write {
            path: path.to_owned(),
            source,
        })?;
        match receiver.recv_timeout(PATIENCE) {
            Ok(Ok(file)) => Ok(Self { _file: file }),
            Ok(Err(errno)) => Err(FileProblem::Write {
                path: path.to_owned(),
                source: errno.into(),
            }),
            Err(_) => Err(FileProblem::Busy {
                path: path.to_owned(),
            }),
        }
    }

    /// Takes the lock at `path` if nobody holds it.
    pub fn try_take(path: &Path) -> Result<Option<Self>, FileProblem> {
        Ok(Self::attempt(path)?.ok())
    }

    fn attempt(path: &Path) -> Result<Result<Self, File>, FileProblem> {
        let write = |source| FileProblem::Write {
            path: path.to_owned(),
            source,
        };
        // A link that others put there would make us a file wherever it leads.
        let no_link = i32::try_from(OFlags::NOFOLLOW.bits()).unwrap_or_default();
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .custom_flags(no_link)
            .open(path)
            .map_err(write)?;
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(Ok(Self { _file: file })),
            Err(Errno::WOULDBLOCK | Errno::INTR) => Ok(Err(file)),
            Err(errno) => Err(write(errno.into())),
        }
    }
}
