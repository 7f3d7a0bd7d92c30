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

/// The stamp of the last call; another one means that somebody has called since. One look at the file.
pub fn last(folder: &Path) -> Stamp {
    Stamp::of(&folder.join(NAME))
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
}
