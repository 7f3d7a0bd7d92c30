//! Why the configuration was not read or changed: where, and which line, without the line's values.

use std::io;
use std::path::{Path, PathBuf};

use super::document::EditProblem;
use super::fields::FieldProblem;
use super::read::{Unread, place};
use super::{BACKUP, FileProblem, VERSION};
use crate::store::files::shown;

/// Why the configuration was not read or changed. The file is as it was, whichever it is.
#[derive(Debug, thiserror::Error)]
pub enum ConfigurationProblem {
    /// Something in it does not fit.
    #[error("{}, line {line}, column {column}: {what}", shown(path))]
    FieldProblem {
        /// Which file.
        path: PathBuf,
        /// From 1.
        line: usize,
        /// From 1, in characters.
        column: usize,
        /// What was expected; never a value of the file.
        what: String,
    },
    /// Nothing in it.
    #[error(
        "{0} is empty, which switchboard never leaves: take back a version from {1}, where there is one, or delete the file (or a link that leads nowhere) to start anew",
        shown(path),
        shown(backup)
    )]
    Empty {
        /// Which file.
        path: PathBuf,
        /// Where the older versions are.
        backup: PathBuf,
    },
    /// Written by a newer program.
    #[error(
        "{} has version {found}, this program reads {VERSION}: update switchboard",
        shown(path)
    )]
    Newer {
        /// Which file.
        path: PathBuf,
        /// Its version.
        found: i64,
    },
    /// Over the limit: another program wrote it, or an older one.
    #[error(
        "{} is larger than {limit} bytes, more than is read, and is left as it is: take out by hand what is not needed \
         (a long note?), or take back a version from {}",
        shown(path),
        shown(backup)
    )]
    Overfull {
        /// Which file.
        path: PathBuf,
        /// The limit, bytes.
        limit: u64,
        /// Where the older versions are.
        backup: PathBuf,
    },
    /// The file itself: not readable, not writable, open to others, locked.
    #[error(transparent)]
    File(FileProblem),
    /// The change does not fit.
    #[error(transparent)]
    Edit(#[from] EditProblem),
}

impl From<FileProblem> for ConfigurationProblem {
    fn from(problem: FileProblem) -> Self {
        match problem {
            FileProblem::TooLarge { path, limit } => {
                let backup = path.with_file_name(BACKUP);
                Self::Overfull {
                    path,
                    limit,
                    backup,
                }
            }
            other => Self::File(other),
        }
    }
}

/// That `what` is refused of the connection at `at` among those of the file, with the line of its `field`, or its own
/// where that is not told or does not stand there.
pub fn refused_at(
    (path, text): (&Path, &str),
    at: usize,
    field: Option<&str>,
    what: String,
) -> ConfigurationProblem {
    let read = text.parse::<toml_edit::Document<String>>().ok();
    let span = read.and_then(|read| {
        let table = read.get("connection")?.get(at)?;
        let value = field.and_then(|field| table.get(field)?.span());
        value.or_else(|| table.span())
    });
    let problem = FieldProblem {
        at: span.map_or(0, |span| span.start),
        what,
    };
    self::problem(path, text, problem.into())
}

pub(super) fn problem(path: &Path, text: &str, unread: Unread) -> ConfigurationProblem {
    let path = path.to_owned();
    match unread {
        Unread::Empty => {
            let backup = path.with_file_name(BACKUP);
            ConfigurationProblem::Empty { path, backup }
        }
        Unread::Newer(found) => ConfigurationProblem::Newer { path, found },
        Unread::FieldProblem(problem) => {
            let (line, column) = place(text, problem.at);
            ConfigurationProblem::FieldProblem {
                path,
                line,
                column,
                what: problem.what,
            }
        }
    }
}

/// `toml_edit` could not read what confy could.
pub(super) fn uneditable(
    path: &Path,
    text: &str,
    error: &toml_edit::TomlError,
) -> ConfigurationProblem {
    let (line, column) = place(text, error.span().map_or(0, |span| span.start));
    let what = error.message().to_owned();
    ConfigurationProblem::FieldProblem {
        path: path.to_owned(),
        line,
        column,
        what,
    }
}

/// What confy met that is not about TOML.
pub(super) fn from_confy(path: &Path, error: confy::ConfyError) -> ConfigurationProblem {
    use confy::ConfyError as E;
    let path = path.to_owned();
    let source = match error {
        E::GeneralLoadError(source)
        | E::OpenConfigurationFileError(source)
        | E::ReadConfigurationFileError(source) => source,
        other => io::Error::other(other),
    };
    match source.kind() {
        io::ErrorKind::IsADirectory => FileProblem::NotAFile { path }.into(),
        // The file is there and was opened: only its text can be wrong.
        io::ErrorKind::InvalidData => match crate::store::files::read_text(&path) {
            Err(problem) => problem.into(),
            Ok(_) => FileProblem::Read { path, source }.into(),
        },
        _ => FileProblem::Read { path, source }.into(),
    }
}
