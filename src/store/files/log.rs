//! The file that the log goes to.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use super::{FileProblem, at_once, make_private_file, make_private_folder};

/// So many bytes are looked at: a log whose beginning was cut off is one.
const BEGIN: u64 = 16 * 1024;

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
    // Where it can't be made, opening it says why.
    let _ = make_private_file(path);
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

/// Whether there is a file without a line that begins as those of a log do, with a time, among the first.
fn holds_no_log(path: &Path) -> bool {
    let is_filled = fs::metadata(path).is_ok_and(|met| met.is_file() && met.len() > 0);
    if !is_filled {
        return false;
    }
    let mut begin = Vec::new();
    let read = File::open(path).and_then(|file| file.take(BEGIN).read_to_end(&mut begin));
    let is_timed = |line: &[u8]| matches!(line, [y, e, a, r, b'-', ..] if [y, e, a, r].iter().all(|digit| digit.is_ascii_digit()));
    // What can't be read by us is told where it is written to.
    read.is_ok() && !begin.split(|byte| *byte == b'\n').any(is_timed)
}
