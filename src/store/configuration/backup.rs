//! The last ten versions of the configuration, in `backup/` beside it: `switchboard.toml.1` is the newest.

use std::fs;
use std::path::{Path, PathBuf};

use crate::store::files::{self, FileProblem};

/// The folder of earlier versions, beside the configuration.
pub const BACKUP: &str = "backup";
/// How many versions are kept.
const KEPT: u32 = 10;

/// Fails where [`keep`] of so many bytes would.
pub(super) fn try_to_keep(path: &Path, size: usize) -> Result<(), FileProblem> {
    let newest = version(path, 1);
    if let Some(folder) = newest.parent() {
        files::make_private_folder(folder)?;
    }
    files::try_to_write(&newest, size)
}

/// Puts `old`, the text that is about to be replaced, aside. Called under the lock of `path`. Where it can't be
/// written, every version stays where it is.
pub(super) fn keep(path: &Path, old: &[u8]) -> Result<(), FileProblem> {
    let newest = version(path, 1);
    if let Some(folder) = newest.parent() {
        files::make_private_folder(folder)?;
    }
    // A save that failed after this has kept it already, and must not push an older one out.
    if fs::read(&newest).is_ok_and(|kept| kept == old) {
        return Ok(());
    }
    files::sweep(&newest);
    let staged = files::stage(&newest, old)?;
    // Up to the first gap in the row. From the oldest on: whenever this is cut short, no version has been
    // overwritten by a newer one but the eleventh.
    let free = (1..KEPT).find(|number| !version(path, *number).exists());
    for number in (1..free.unwrap_or(KEPT)).rev() {
        let older = version(path, number + 1);
        // What can't make way would be overwritten by the next one.
        fs::rename(version(path, number), &older).map_err(|source| FileProblem::Write {
            path: older,
            source,
        })?;
    }
    staged.commit()
}

/// The newest version that was kept, where there is one.
pub(super) fn newest(path: &Path) -> Option<PathBuf> {
    let all = (1..=KEPT).map(|number| version(path, number));
    all.into_iter().find(|version| version.is_file())
}

/// Whether a file of this name in the folder of earlier versions is one of them.
pub(super) fn is_version(path: &Path, of: &Path) -> bool {
    let [whole, of] = [path, of].map(|path| path.file_name().unwrap_or_default().to_string_lossy());
    of.strip_prefix(&*whole)
        .is_some_and(|end| end.starts_with('.'))
}

fn version(path: &Path, number: u32) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(BACKUP).join(format!("{name}.{number}"))
}
