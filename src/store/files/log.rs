//! The file that the log goes to.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

use rustix::fs::OFlags;
use rustix::process::geteuid;

use super::{FileProblem, at_once, followed, make_private_file, make_private_folder};

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
    opened_or_made(path).map_err(|source| {
        let path = path.to_owned();
        match source.kind() {
            io::ErrorKind::NotFound if path.is_symlink() => FileProblem::Dangling {
                target: followed(&path),
                path,
            },
            _ => FileProblem::Write { path, source },
        }
    })
}

/// What is there, or a new file. A link makes none: with a user's home, root would make one wherever the user likes.
fn opened_or_made(path: &Path) -> io::Result<File> {
    let open = || {
        let mut options = OpenOptions::new();
        // A pipe that nobody reads is told, and one whose reader sleeps loses lines: neither holds us up.
        let flags = at_once() | no_link_of_others(path);
        options.append(true).custom_flags(flags).open(path)
    };
    match open() {
        Err(absent) if absent.kind() == io::ErrorKind::NotFound => match make_private_file(path) {
            Err(other) if other.kind() != io::ErrorKind::AlreadyExists => Err(other),
            // Or another program was quicker.
            Ok(_) | Err(_) => open(),
        },
        opened => opened,
    }
}

/// How a path is opened that may be a link: those of others than us and root, as `/dev/stderr` is one, are not
/// followed.
fn no_link_of_others(path: &Path) -> i32 {
    let trusted = [0, geteuid().as_raw()];
    let is_trusted =
        |met: fs::Metadata| met.file_type().is_symlink() && trusted.contains(&met.uid());
    if fs::symlink_metadata(path).is_ok_and(is_trusted) {
        return 0;
    }
    i32::try_from(OFlags::NOFOLLOW.bits()).unwrap_or_default()
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

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{lchown, symlink};

    use super::*;

    #[test]
    fn a_link_is_followed_to_what_is_there_and_makes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let [link, end] = ["log", "elsewhere"].map(|name| folder.path().join(name));
        symlink(&end, &link).unwrap();
        let refused = open_log(&link).unwrap_err();
        assert!(
            matches!(&refused, FileProblem::Dangling { target, .. } if *target == end),
            "{refused:?}"
        );
        assert!(!end.exists());
        fs::write(&end, "").unwrap();
        assert!(open_log(&link).is_ok());
        if geteuid().is_root() {
            lchown(&link, Some(65534), None).unwrap();
            let refused = open_log(&link).unwrap_err();
            assert!(matches!(refused, FileProblem::Write { .. }), "{refused:?}");
        }
    }
}
