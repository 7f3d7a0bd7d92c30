//! Why the state was not read or written.

use std::path::{Path, PathBuf};

use rusqlite::ErrorCode;

use super::{FileProblem, PATIENCE};
use crate::store::files::shown;

/// Why the state was not read or written. Where it matters for the lock-out budget, the key is not sent.
#[derive(Debug, thiserror::Error)]
pub enum StateProblem {
    /// The file is not a database, or its pages contradict each other.
    #[error(
        "{0} is damaged; it is left as it is, and no key is sent without it: take back a copy, or move it away to start anew",
        shown(path)
    )]
    Damaged {
        /// The database.
        path: PathBuf,
    },
    /// Written by a newer program.
    #[error(
        "{} has version {found}, this program reads {known}: update switchboard",
        shown(path)
    )]
    Newer {
        /// The database.
        path: PathBuf,
        /// Its version.
        found: i64,
        /// Ours.
        known: i64,
    },
    /// Another program holds it.
    #[error(
        "another program has held {} for {} seconds: end or resume it, then try again",
        shown(path),
        PATIENCE.as_secs()
    )]
    Busy {
        /// The database.
        path: PathBuf,
    },
    /// Anything else: no permission, a full disk.
    #[error("{} can't be used", shown(path))]
    Database {
        /// The database.
        path: PathBuf,
        /// SQLite's words.
        source: rusqlite::Error,
    },
    /// The file or its folder.
    #[error(transparent)]
    File(#[from] FileProblem),
}

/// Gives SQLite's answers the name of the file and a class.
pub(in crate::store) trait Told<T> {
    fn told(self, path: &Path) -> Result<T, StateProblem>;
}

impl<T> Told<T> for rusqlite::Result<T> {
    fn told(self, path: &Path) -> Result<T, StateProblem> {
        self.map_err(|source| {
            let path = path.to_owned();
            match source.sqlite_error_code() {
                Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => {
                    StateProblem::Damaged { path }
                }
                Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
                    StateProblem::Busy { path }
                }
                _ => StateProblem::Database { path, source },
            }
        })
    }
}
