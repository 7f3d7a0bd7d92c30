//! Reading what is no regular file: pipes (`--ca-file <(…)`), terminals, devices.
//!
//! A named pipe that nobody writes to would be waited for without an end: its writer has 10 seconds to come. Once
//! there is one, it may take its time, as it may ask somebody for a passphrase.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use zeroize::Zeroizing;

/// How long a named pipe may have no writer.
const PATIENCE: Duration = Duration::from_secs(10);

/// Everything that `file`, opened at `path` without blocking, gives, at most `limit` bytes.
pub(super) fn read_to_end(file: &File, path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    // What a shell makes for `<(…)` has no name, and had its writer from the start.
    let named = fs::canonicalize(path).is_ok();
    read_within(file, limit, named.then_some(PATIENCE))
}

/// The same; `patience` is how long a writer may take to come, none where there was one from the start.
fn read_within(mut file: &File, limit: u64, patience: Option<Duration>) -> io::Result<Vec<u8>> {
    let (mut bytes, mut chunk) = (Vec::new(), Zeroizing::new([0_u8; 4096]));
    let until = patience.map(|patience| Instant::now() + patience);
    let mut came = patience.is_none();
    while (bytes.len() as u64) < limit {
        match file.read(&mut chunk[..]) {
            Ok(0) if bytes.is_empty() && !came => {
                if until.is_none_or(|until| Instant::now() >= until) {
                    return Err(io::Error::other("nobody writes to this pipe"));
                }
                // Something to read, or the end of a writer that wrote nothing: the next look tells. A writer
                // that has only come yet does not end this: then the next look finds nothing, but no end.
                came = wait_until(file, until)?;
            }
            Ok(0) => break,
            Ok(count) => bytes.extend_from_slice(chunk.get(..count).unwrap_or_default()),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                wait_until(file, None)?;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    bytes.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    Ok(bytes)
}

/// Waits until there is something to read, or an end after a writer was there; whether there is, in time.
fn wait_until(file: &File, until: Option<Instant>) -> io::Result<bool> {
    loop {
        let left = until.map(|until| until.saturating_duration_since(Instant::now()));
        let left = left.map(Timespec::try_from).transpose();
        let left = left.map_err(io::Error::other)?;
        match poll(&mut [PollFd::new(file, PollFlags::IN)], left.as_ref()) {
            Err(rustix::io::Errno::INTR) => {}
            ready => return Ok(ready? > 0),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs::OpenOptions;
    use std::io::Write;
    use std::os::unix::fs::OpenOptionsExt;

    use rustix::fs::{CWD, FileType, Mode, OFlags, mknodat};

    use super::*;

    fn pipe(folder: &Path) -> (File, std::path::PathBuf) {
        let path = folder.join("pipe");
        mknodat(CWD, &path, FileType::Fifo, Mode::from_raw_mode(0o600), 0).unwrap();
        let at_once = i32::try_from(OFlags::NONBLOCK.bits()).unwrap();
        let mut options = OpenOptions::new();
        let reader = options.read(true).custom_flags(at_once).open(&path);
        (reader.unwrap(), path)
    }

    #[test]
    fn a_pipe_without_a_writer_is_given_up() {
        let folder = tempfile::tempdir().unwrap();
        let (reader, _) = pipe(folder.path());
        let read = read_within(&reader, 10, Some(Duration::from_millis(20)));
        assert!(read.unwrap_err().to_string().contains("nobody writes"));
    }

    #[test]
    fn a_writer_that_comes_late_is_read_to_its_end() {
        let folder = tempfile::tempdir().unwrap();
        let (reader, path) = pipe(folder.path());
        let writer = std::thread::spawn(move || {
            let mut writer = OpenOptions::new().write(true).open(path).unwrap();
            writer.write_all(b"one").unwrap();
            writer.write_all(&vec![b'x'; 100_000]).unwrap();
        });
        let read = read_to_end(&reader, &folder.path().join("pipe"), 1 << 20).unwrap();
        assert_eq!((read.len(), &read[..4]), (100_003, &b"onex"[..]));
        writer.join().unwrap();
    }

    #[test]
    fn what_has_no_end_is_read_to_the_limit() {
        let zero = File::open("/dev/zero").unwrap();
        let read = read_to_end(&zero, Path::new("/dev/zero"), 5_000).unwrap();
        assert_eq!(read, [0; 5_000]);
    }
}
