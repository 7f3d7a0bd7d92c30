//! The last ten versions of the configuration, in `backup/` beside it: `switchboard.toml.1` is the newest.

use std::fs;
use std::path::Path;

use crate::store::files::{self, FileProblem};

/// The folder of earlier versions, beside the configuration.
pub const BACKUP: &str = "backup";
/// How many versions are kept.
const KEPT: u32 = 10;

/// Puts `old`, the text that is about to be replaced, aside. Called under the lock of `path`.
pub(super) fn keep(path: &Path, old: &str) -> Result<(), FileProblem> {
    let Some(folder) = path.parent() else {
        return Ok(());
    };
    let folder = folder.join(BACKUP);
    files::make_private_folder(&folder)?;
    let name = path
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    let version = |number: u32| folder.join(format!("{name}.{number}"));
    // From the oldest on: whenever this is cut short, no version has been overwritten by a newer one but the
    // eleventh. A gap in the row is closed by the next save.
    for number in (1..KEPT).rev() {
        let _ = fs::rename(version(number), version(number + 1));
    }
    files::sweep(&version(1));
    files::write_whole(&version(1), old.as_bytes())
}
