//! What whoever started us left behind: open descriptors, ignored signals.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Read};
use std::path::Path;

use nix::fcntl::{FcntlArg, FdFlag, fcntl};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use rustix::process::{PidfdFlags, PidfdGetfdFlags, getpid, pidfd_getfd, pidfd_open};

/// The numbers of all descriptors that are open; nothing where the system does not tell.
pub fn open_descriptors() -> Option<BTreeSet<u32>> {
    let open = fs::read_dir("/dev/fd").ok()?;
    let number = |entry: fs::DirEntry| entry.file_name().to_str()?.parse().ok();
    let mut open: BTreeSet<u32> = open.flatten().filter_map(number).collect();
    // The folder stood among them while it was read, and is closed by now.
    open.retain(|number| fs::symlink_metadata(format!("/dev/fd/{number}")).is_ok());
    Some(open)
}

/// Keeps these descriptors from every program that is started from now on: one of them may hold a passphrase or a key,
/// which a program of a `cmd:` reference or `ssh` could read again. Standard input, output and error are left out: each
/// start of a program says of its own what those are.
pub fn keep_from_children(descriptors: &BTreeSet<u32>) {
    let handed_over = descriptors.iter().filter(|number| **number > 2);
    for number in handed_over.filter_map(|number| i32::try_from(*number).ok()) {
        // One that is closed by now is inherited by nobody.
        let _ = fcntl(number, FcntlArg::F_SETFD(FdFlag::FD_CLOEXEC));
    }
}

/// The signals that this process ignores, the lowest bit SIGHUP's; none where the system does not tell.
pub fn ignored_signals() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    ignored
        .and_then(|bits| u64::from_str_radix(bits.trim(), 16).ok())
        .unwrap_or_default()
}

/// What was handed to us open. Opened anew, a socket can't be, nor a file that only root may open, and a file would
/// begin at its beginning; that is left for a kernel, or a container, that does not hand descriptors on.
pub(super) fn inherited(descriptor: u32, path: &Path) -> io::Result<BlockingReader> {
    let own = i32::try_from(descriptor).map_err(io::Error::other)?;
    let process = pidfd_open(getpid(), PidfdFlags::empty());
    match process.and_then(|process| pidfd_getfd(process, own, PidfdGetfdFlags::empty())) {
        Ok(open) => Ok(BlockingReader(File::from(open))),
        Err(Errno::BADF) => Err(Errno::BADF.into()),
        Err(_) => File::open(path).map(BlockingReader),
    }
}

/// Waits for its writer, although whoever handed it over does not.
pub(super) struct BlockingReader(File);

impl Read for BlockingReader {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.0.read(into) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    match poll(&mut [PollFd::new(&self.0, PollFlags::IN)], None) {
                        Ok(_) | Err(Errno::INTR) => {}
                        Err(error) => return Err(error.into()),
                    }
                }
                read => return read,
            }
        }
    }
}
