//! Why the state was not read or written.

use std::path::{Path, PathBuf};

use rusqlite::ErrorCode;

use super::{FileProblem, PATIENCE, StateDb};
use crate::store::files::{shown, unwritable};

/// Why the state was not read or written. Where it matters for the lock-out budget, the key is not sent.
#[derive(Debug, thiserror::Error)]
pub enum StateProblem {
    /// The file is not a database, or its pages contradict each other.
    #[error(
        "{0} is damaged; it is left as it is, and no key is sent without it: take back a copy; or, to start \
         anew, end every switchboard, then move it and what begins with its name away",
        shown(path)
    )]
    Damaged {
        /// The database.
        path: PathBuf,
    },
    /// Somebody moved it while it was in use.
    #[error(
        "{} was moved away while it was in use, and no key is sent without it: put it back, or end every switchboard \
         to start anew",
        shown(path)
    )]
    Away {
        /// Where it was.
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
    /// The disk took no more.
    #[error(
        "there is no room left for {}: make room on its disk, then try again",
        shown(path)
    )]
    Full {
        /// The database.
        path: PathBuf,
    },
    /// This user may not write it, or its folder: a sentence with the path, and the cure where it is known.
    #[error("{0}")]
    Shut(String),
    /// Anything else.
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
pub(in crate::store) trait WithPath<T> {
    fn with_path(self, path: &Path) -> Result<T, StateProblem>;
}

impl<T> WithPath<T> for rusqlite::Result<T> {
    fn with_path(self, path: &Path) -> Result<T, StateProblem> {
        self.map_err(|source| {
            if let Some(why) = shut(path, &source) {
                return StateProblem::Shut(why);
            }
            let path = path.to_owned();
            match source.sqlite_error_code() {
                Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => {
                    StateProblem::Damaged { path }
                }
                Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
                    StateProblem::Busy { path }
                }
                Some(ErrorCode::DiskFull) => StateProblem::Full { path },
                _ if is_out_of_room(&source) => StateProblem::Full { path },
                _ => StateProblem::Database { path, source },
            }
        })
    }
}

/// Why the file at `path`, or its folder, can't be written, where it is that: SQLite's words name neither owner nor cure.
fn shut(path: &Path, source: &rusqlite::Error) -> Option<String> {
    let code = source.sqlite_error_code()?;
    if !matches!(code, ErrorCode::CannotOpen | ErrorCode::ReadOnly) {
        return None;
    }
    // What SQLite puts beside it has its mode, and keeps that when the database is given back.
    let files = StateDb::files(path.parent()?);
    files.iter().find_map(|file| unwritable(file))
}

/// The file that programs share beside the database could not grow: SQLite has no plainer word for it.
fn is_out_of_room(source: &rusqlite::Error) -> bool {
    let error = source.sqlite_error();
    error.is_some_and(|error| error.extended_code == rusqlite::ffi::SQLITE_IOERR_SHMSIZE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_told_as_one() {
        let told = |code| {
            let error = rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(code), None);
            Err::<(), _>(error)
                .with_path(Path::new("/data/state.db"))
                .unwrap_err()
        };
        for code in [
            rusqlite::ffi::SQLITE_FULL,
            rusqlite::ffi::SQLITE_IOERR_SHMSIZE,
        ] {
            let problem = told(code);
            assert!(matches!(problem, StateProblem::Full { .. }), "{problem}");
            assert!(
                problem.to_string().contains("/data/state.db: make room"),
                "{problem}"
            );
        }
        let other = told(rusqlite::ffi::SQLITE_IOERR_READ);
        assert!(matches!(other, StateProblem::Database { .. }), "{other}");
    }

    #[test]
    fn what_this_user_may_not_write_is_told_as_that() {
        let code = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_CANTOPEN);
        let error = rusqlite::Error::SqliteFailure(code, None);
        let told = Err::<(), _>(error).with_path(Path::new("/dev/null/state.db"));
        let told = told.unwrap_err().to_string();
        assert_eq!(told, "/dev/null is not a folder");
    }
}
