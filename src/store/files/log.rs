//! The file that the log goes to.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use super::{FileProblem, at_once, make_private_folder};

/// The log file at `path`, to write at its end: made with mode 0600 where it does not exist. One that holds
/// something else, a configuration say, is left as it is.
pub fn open_log(path: &Path) -> Result<File, FileProblem> {
    if let Some(folder) = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
    {
        make_private_folder(folder)?;
    }
    if holds_no_log(path) {
        return Err(FileProblem::Write {
            path: path.to_owned(),
            source: io::Error::other("it holds something else than a log"),
        });
    }
    OpenOptions::new()
        .append(true)
        .create(true)
        .mode(0o600)
        // A pipe that nobody reads is told, and one whose reader sleeps loses lines: neither holds us up.
        .custom_flags(at_once())
        .open(path)
        .map_err(|source| FileProblem::Write {
            path: path.to_owned(),
            source,
        })
}

/// Whether there is a file that does not begin as a log does: with a time.
fn holds_no_log(path: &Path) -> bool {
    let mut begin = [0; 5];
    let is_filled = fs::metadata(path).is_ok_and(|met| met.is_file() && met.len() > 0);
    let read = is_filled.then(|| File::open(path).and_then(|mut file| file.read_exact(&mut begin)));
    match read {
        None => false,
        Some(Ok(())) => !matches!(begin, [year @ .., b'-'] if year.iter().all(u8::is_ascii_digit)),
        // Shorter than a time; or not to be read by us, and then the writing is told.
        Some(Err(problem)) => problem.kind() == io::ErrorKind::UnexpectedEof,
    }
}
