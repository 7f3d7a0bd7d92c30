//! Whether a file is still as it was, at one look.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// Tells one state of the file from another, cheaply. Equal stamps: nothing has changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stamp {
    /// Modification time in seconds and nanoseconds, bytes, inode; nothing where there is no file.
    file: Option<(i64, i64, u64, u64)>,
    /// Mode, owner and group of the file and of its folder: what others can write is refused.
    access: Option<[(u32, u32, u32); 2]>,
    /// Edits, where the configuration is in memory.
    edits: u64,
}

impl Stamp {
    /// The stamp of the file at `path`.
    pub(in crate::store) fn of(path: &Path) -> Self {
        let Ok(file) = fs::metadata(path) else {
            return Self::default();
        };
        let access = |of: &fs::Metadata| (of.mode(), of.uid(), of.gid());
        let folder = path.parent().and_then(|folder| fs::metadata(folder).ok());
        Self {
            file: Some((file.mtime(), file.mtime_nsec(), file.len(), file.ino())),
            access: folder.map(|folder| [access(&file), access(&folder)]),
            edits: 0,
        }
    }
    /// The stamp of a configuration in memory after so many edits.
    pub(super) fn in_memory(edits: u64) -> Self {
        Self {
            edits,
            ..Self::default()
        }
    }
}
