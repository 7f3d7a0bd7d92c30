//! A call to lock: `lock-called` in the state folder, which every running screen looks at.
//!
//! The file holds nothing. Its stamp tells one call from the next; who starts later has nothing to forget.

use std::path::Path;

use super::configuration::Stamp;
use super::files::{self, FileProblem};

const NAME: &str = "lock-called";

/// Calls every running copy that uses the state in `folder` to lock. Blocks.
pub fn call(folder: &Path) -> Result<(), FileProblem> {
    files::make_private_folder(folder)?;
    files::write_whole(&folder.join(NAME), b"")
}

/// The stamp of the last call; another one means that somebody has called since. One look at the file; nothing
/// where it can't be looked at, which is no call.
pub fn last(folder: &Path) -> Option<Stamp> {
    let path = folder.join(NAME);
    path.try_exists().ok().map(|_| Stamp::of(&path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_call_is_told_from_the_one_before() {
        let folder = tempfile::tempdir().unwrap();
        let never = last(folder.path());
        call(folder.path()).unwrap();
        let once = last(folder.path());
        call(folder.path()).unwrap();
        assert!(never != once && once != last(folder.path()));
    }

    /// Nobody called: the folder can't be looked into.
    #[test]
    fn what_cannot_be_looked_at_is_no_call() {
        let folder = tempfile::tempdir().unwrap();
        assert!(last(folder.path()).is_some(), "never called is known");
        let around = folder.path().join("loop");
        std::os::unix::fs::symlink(&around, &around).unwrap();
        assert_eq!(last(&around), None);
    }
}
