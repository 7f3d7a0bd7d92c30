//! The advisory lock that makes read, change, write one step among all programs.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use rustix::fs::{FlockOperation, OFlags, flock};
use rustix::io::Errno;

use super::{FileProblem, make_private_file};

/// How long another program may hold a lock before we give up.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);

/// How soon a lock that somebody holds is asked for again.
const AGAIN: Duration = Duration::from_millis(5);

/// A held lock; it ends with this value, or with the process, however that ends. The lock file stays: taking
/// it away would let two programs lock two different files of the same name.
#[derive(Debug)]
pub struct Lock {
    file: File,
}

impl Lock {
    /// Takes the lock at `path`, waiting up to 10 seconds for another holder, in this process or another.
    /// Blocks.
    pub fn take(path: &Path) -> Result<Self, FileProblem> {
        Self::take_within(path, PATIENCE)
    }

    /// The system's wait for a lock has no time limit: a thread that waits in it would stay behind with its
    /// descriptor for as long as the other program holds the lock. So it is asked again and again.
    #[expect(
        clippy::disallowed_methods,
        reason = "nobody tells when another program lets go of a lock"
    )]
    pub(super) fn take_within(path: &Path, patience: Duration) -> Result<Self, FileProblem> {
        let until = Instant::now() + patience;
        let mut taken = Self::attempt(path)?;
        loop {
            let file = match taken {
                Ok(lock) => return Ok(lock),
                Err(busy) => busy,
            };
            if Instant::now() >= until {
                return Err(FileProblem::Busy {
                    path: path.to_owned(),
                });
            }
            thread::sleep(AGAIN);
            taken = Self::locked(path, file)?;
        }
    }

    /// Takes the lock at `path` if nobody holds it.
    pub fn try_take(path: &Path) -> Result<Option<Self>, FileProblem> {
        Ok(Self::attempt(path)?.ok())
    }

    /// Whether its file was marked, by whoever held it once.
    pub fn is_marked(&self) -> bool {
        self.file.metadata().is_ok_and(|file| file.len() > 0)
    }

    /// Marks its file, for all who take the lock later. Where that fails, they are as wise as before.
    pub fn mark(&self) {
        if !self.is_marked() {
            let _ = (&self.file).write_all(b"made\n");
        }
    }

    fn attempt(path: &Path) -> Result<Result<Self, File>, FileProblem> {
        // A link that others put there would make us a file wherever it leads.
        let no_link = i32::try_from(OFlags::NOFOLLOW.bits()).unwrap_or_default();
        let open = || {
            let mut options = OpenOptions::new();
            let options = options.read(true).write(true).custom_flags(no_link);
            options.open(path)
        };
        let absent = |error: &io::Error| error.kind() == io::ErrorKind::NotFound;
        let file = match open() {
            Err(error) if absent(&error) => match make_private_file(path) {
                // Another program was quicker.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => open(),
                made => made,
            },
            opened => opened,
        };
        let file = file.map_err(|source| FileProblem::Lock {
            path: path.to_owned(),
            source,
        })?;
        Self::locked(path, file)
    }

    /// Locks `file`, or gives it back where somebody else holds the lock.
    fn locked(path: &Path, file: File) -> Result<Result<Self, File>, FileProblem> {
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(Ok(Self { file })),
            Err(Errno::WOULDBLOCK | Errno::INTR) => Ok(Err(file)),
            Err(errno) => Err(FileProblem::Lock {
                path: path.to_owned(),
                source: errno.into(),
            }),
        }
    }
}
