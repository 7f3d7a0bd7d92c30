//! Reading files that others name, and the checks that a file must pass before it is believed.
//!
//! Everything here blocks. Paths in messages are inert; contents never stand in one.

mod descriptor;
mod lock;
mod log;
mod owner;
mod pipe;
mod private;
mod socket;
mod trust;
mod whole;

use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;
use zeroize::Zeroizing;

pub use descriptor::{ignored_signals, keep_from_children, open_descriptors};
pub use lock::Lock;
pub use log::open_log;
pub(in crate::store) use owner::make_private_file;
pub use owner::{is_read_only, make_private_folder, unwritable, unwritable_folder};
pub use private::PrivateFolder;
pub use socket::{SocketName, bind_private_socket};
pub use trust::{refuse_writable_by_others, trust_caller};
pub use whole::{
    Staged, followed, is_same_file, lies_in, stage, sweep, try_to_write, write_out, write_public,
    write_whole,
};

use crate::domain::Secret;
use crate::domain::text::inert;

/// A log that is open, to write at its end.
pub type LogFile = std::fs::File;

/// No file that a person writes is larger, bytes, and none that is written whole here: it would never be read again.
pub const TEXT_LIMIT: u64 = 16 * 1024 * 1024;
/// No secret is larger, bytes.
pub const SECRET_LIMIT: u64 = Secret::LIMIT;

const GROUP_OR_OTHERS_ANY: u32 = 0o077;

/// Why a file was not read or written. Says which file; the cause, where there is one, is its source.
#[derive(Debug, thiserror::Error)]
pub enum FileProblem {
    /// The system refused.
    #[error("{} can't be read", shown(path))]
    Read {
        /// Which file.
        path: PathBuf,
        /// The system's words.
        source: io::Error,
    },
    /// The system refused, or the disk is full. What stood there before still does.
    #[error(
        "{} can't be written; what stood there is unchanged{}",
        shown(path),
        owner::whose_where_denied(path, source)
    )]
    Write {
        /// Which file.
        path: PathBuf,
        /// The system's words.
        source: io::Error,
    },
    /// The system refused, or the disk is full.
    #[error(
        "{} can't be locked, so nothing is changed{}",
        shown(path),
        owner::whose_where_denied(path, source)
    )]
    Lock {
        /// The lock file.
        path: PathBuf,
        /// The system's words.
        source: io::Error,
    },
    /// A link whose end is away: its disk is not mounted, or a checkout is gone.
    #[error(
        "{} leads to {}, which is not there: put that back, or remove the link to start anew",
        shown(path),
        shown(target)
    )]
    Dangling {
        /// The link.
        path: PathBuf,
        /// Where it leads.
        target: PathBuf,
    },
    /// A folder, a socket, a pipe.
    #[error("{} is not a file", shown(path))]
    NotAFile {
        /// Which path.
        path: PathBuf,
    },
    /// Over the limit.
    #[error("{} is larger than {limit} bytes", shown(path))]
    TooLarge {
        /// Which file.
        path: PathBuf,
        /// The limit, bytes.
        limit: u64,
    },
    /// It would be over the limit of whoever reads it.
    #[error(
        "{} would be larger than {limit} bytes, and could not be read again: leave something out, or take out what is \
         no longer needed; what stood there is unchanged",
        shown(path)
    )]
    Overgrown {
        /// Which file.
        path: PathBuf,
        /// The limit, bytes.
        limit: u64,
    },
    /// Not UTF-8.
    #[error("{} is not UTF-8 text: line {line}", shown(path))]
    NotText {
        /// Which file.
        path: PathBuf,
        /// The first line that is not, from 1.
        line: usize,
    },
    /// Nothing on the first line.
    #[error("the first line of {} is empty", shown(path))]
    Empty {
        /// Which file.
        path: PathBuf,
    },
    /// Group or others may change it, so it is not believed.
    #[error(
        "others can change {0}, so it is not used: run `chmod go-w {1}`",
        shown(path),
        quoted(path)
    )]
    WritableByOthers {
        /// The file or folder that the chmod mends.
        path: PathBuf,
    },
    /// Somebody else owns it, and can change it whatever its mode is.
    #[error(
        "{0} belongs to another user (uid {1}), who can change it, so it is not used: {2}",
        shown(path),
        owner,
        trust::cure(path, *owner)
    )]
    AnothersFile {
        /// The file or folder.
        path: PathBuf,
        /// Whose it is.
        owner: u32,
    },
    /// Group or others may read what must be private.
    #[error(
        "others can read {0}, so it is not used: run `chmod 600 {1}`",
        shown(path),
        quoted(path)
    )]
    ReadableByOthers {
        /// The file that the chmod mends.
        path: PathBuf,
    },
    /// Another program did not let go of the lock in time.
    #[error(
        "another program has held {} locked for {} seconds: end or resume it, then try again",
        shown(path),
        lock::PATIENCE.as_secs()
    )]
    Busy {
        /// The lock file.
        path: PathBuf,
    },
}

/// A path as it stands in messages: inert, on one line.
pub fn shown(path: &Path) -> String {
    inert(&path.display().to_string(), 300)
}

/// The same as a word of a command that is shown to be copied; a general word where the text would name another path.
pub fn quoted(path: &Path) -> String {
    owner::whole_word(path).unwrap_or_else(|| "PATH".to_owned())
}

/// The bytes of the file at `path`, at most `limit` of them. Pipes are read too: `--ca-file <(…)`.
pub fn read_bytes(path: &Path, limit: u64) -> Result<Vec<u8>, FileProblem> {
    let read = |source| FileProblem::Read {
        path: path.to_owned(),
        source,
    };
    let file = open_at_once(path).map_err(read)?;
    let metadata = file.metadata().map_err(read)?;
    if metadata.is_dir() {
        return Err(FileProblem::NotAFile {
            path: path.to_owned(),
        });
    }
    if metadata.is_file() {
        return bytes_of(file, path, limit);
    }
    let bytes = pipe::read_to_end(&file, path, limit + 1).map_err(read)?;
    within(limit, path, bytes)
}

fn bytes_of(file: File, path: &Path, limit: u64) -> Result<Vec<u8>, FileProblem> {
    // Room for all of it: a buffer that grows is copied, and wiped where it was, again and again.
    let length = file.metadata().map_or(0, |file| file.len()).min(limit);
    let mut bytes = Vec::with_capacity(usize::try_from(length + 1).unwrap_or_default());
    let read = file.take(limit + 1).read_to_end(&mut bytes);
    read.map_err(|source| FileProblem::Read {
        path: path.to_owned(),
        source,
    })?;
    within(limit, path, bytes)
}

fn within(limit: u64, path: &Path, bytes: Vec<u8>) -> Result<Vec<u8>, FileProblem> {
    if bytes.len() as u64 > limit {
        return Err(FileProblem::TooLarge {
            path: path.to_owned(),
            limit,
        });
    }
    Ok(bytes)
}

/// The text of the file at `path`: a list of targets, a service file, an import. A byte order mark is left out.
pub fn read_text(path: &Path) -> Result<String, FileProblem> {
    text_in(read_bytes(path, TEXT_LIMIT)?, path)
}

/// The same of what must be a regular file: the configuration, and what lies beside it.
pub fn read_regular_text(path: &Path) -> Result<String, FileProblem> {
    text_in(read_regular(path, TEXT_LIMIT)?, path)
}

fn text_in(bytes: Vec<u8>, path: &Path) -> Result<String, FileProblem> {
    let text = String::from_utf8(bytes).map_err(|error| FileProblem::NotText {
        path: path.to_owned(),
        line: line_of(error.as_bytes(), error.utf8_error().valid_up_to()),
    })?;
    Ok(text
        .strip_prefix('\u{feff}')
        .map(str::to_owned)
        .unwrap_or(text))
}

/// The PEM file at `path` as it is; whoever parses it says what is wrong inside.
pub fn read_pem(path: &Path) -> Result<Vec<u8>, FileProblem> {
    read_bytes(path, 1024 * 1024)
}

/// The first line of a file that only its owner may read: `--passphrase-file`. A credential of systemd belongs to
/// root, nobody may write to it, and it is opened to its unit by an access list, whose mask stands where the
/// group's bits do: that one mode of root's own files is let in too.
pub fn read_passphrase(path: &Path) -> Result<Secret, FileProblem> {
    let (file, metadata) = open_regular(path)?;
    let mode = metadata.permissions().mode() & 0o777;
    let is_credential = (metadata.uid(), metadata.gid(), mode) == (0, 0, 0o440);
    if mode & GROUP_OR_OTHERS_ANY != 0 && !is_credential {
        return Err(FileProblem::ReadableByOthers {
            path: path.to_owned(),
        });
    }
    secret_of(file, path)
}

/// The whole text of a small file that holds a secret, such as an identity of age; wiped after use.
pub fn read_secret_file(path: &Path) -> Result<Zeroizing<String>, FileProblem> {
    let bytes = Zeroizing::new(read_bytes(path, SECRET_LIMIT)?);
    let text = std::str::from_utf8(&bytes).map_err(|error| FileProblem::NotText {
        path: path.to_owned(),
        line: line_of(&bytes, error.valid_up_to()),
    })?;
    Ok(Zeroizing::new(text.to_owned()))
}

/// Everything that `source` gives, at most [`TEXT_LIMIT`] bytes: an import on standard input. `path` stands in
/// messages.
pub fn read_all(source: impl Read, path: &Path) -> Result<Zeroizing<Vec<u8>>, FileProblem> {
    let mut bytes = Zeroizing::new(Vec::new());
    let read = source.take(TEXT_LIMIT + 1).read_to_end(&mut bytes);
    read.map_err(|source| FileProblem::Read {
        path: path.to_owned(),
        source,
    })?;
    if bytes.len() as u64 > TEXT_LIMIT {
        return Err(FileProblem::TooLarge {
            path: path.to_owned(),
            limit: TEXT_LIMIT,
        });
    }
    Ok(bytes)
}

/// `bytes` as text; the problem names the line of `path` that is none.
pub fn text_of<'a>(bytes: &'a [u8], path: &Path) -> Result<&'a str, FileProblem> {
    let text = std::str::from_utf8(bytes).map_err(|error| FileProblem::NotText {
        path: path.to_owned(),
        line: line_of(bytes, error.valid_up_to()),
    })?;
    Ok(text.strip_prefix('\u{feff}').unwrap_or(text))
}

/// The bytes of the regular file at `path`, at most `limit` of them.
pub fn read_regular(path: &Path, limit: u64) -> Result<Vec<u8>, FileProblem> {
    let (file, _) = open_regular(path)?;
    bytes_of(file, path, limit)
}

/// Opens the regular file at `path`. A pipe would make us wait for its writer, for ever; what was opened is
/// what is looked at, so that nobody can put another thing there in between.
pub(super) fn open_regular(path: &Path) -> Result<(File, Metadata), FileProblem> {
    let read = |source| FileProblem::Read {
        path: path.to_owned(),
        source,
    };
    let file = open_at_once(path).map_err(read)?;
    let metadata = file.metadata().map_err(read)?;
    if metadata.is_file() {
        Ok((file, metadata))
    } else {
        Err(FileProblem::NotAFile {
            path: path.to_owned(),
        })
    }
}

/// Opens without waiting for the writer of a pipe.
fn open_at_once(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .read(true)
        .custom_flags(at_once())
        .open(path)
}

fn at_once() -> i32 {
    i32::try_from(OFlags::NONBLOCK.bits()).unwrap_or_default()
}

/// Refuses what is no regular file, and one over `limit` bytes, for whoever reads it by other means.
pub fn refuse_odd(path: &Path, limit: u64) -> Result<(), FileProblem> {
    let (_, metadata) = open_regular(path)?;
    if metadata.len() > limit {
        return Err(FileProblem::TooLarge {
            path: path.to_owned(),
            limit,
        });
    }
    Ok(())
}

/// The first line of the regular file at `path`, without its end: `file:` references.
pub fn read_secret(path: &Path) -> Result<Secret, FileProblem> {
    let (file, _) = open_regular(path)?;
    secret_of(file, path)
}

/// The first line that an open file descriptor still holds: `--key-fd N`, `--passphrase-fd N`. Waits for its writer.
/// What stands behind the line may be read with it, and is gone: a descriptor is good for one secret.
pub fn read_secret_from(descriptor: u32) -> Result<Secret, FileProblem> {
    let path = PathBuf::from(format!("/dev/fd/{descriptor}"));
    let file = descriptor::inherited(descriptor, &path).map_err(|source| FileProblem::Read {
        path: path.clone(),
        source,
    })?;
    secret_of(file, &path)
}

fn secret_of(source: impl Read, path: &Path) -> Result<Secret, FileProblem> {
    let line = first_line(source).map_err(|source| FileProblem::Read {
        path: path.to_owned(),
        source,
    })?;
    match line {
        Some(secret) if !secret.is_empty() => Ok(secret),
        Some(_) => Err(FileProblem::Empty {
            path: path.to_owned(),
        }),
        None => Err(FileProblem::TooLarge {
            path: path.to_owned(),
            limit: SECRET_LIMIT,
        }),
    }
}

/// The first line of `source` without its end; `None` where it is longer than [`SECRET_LIMIT`]. For standard
/// input and file descriptors too. What was read is wiped; what is not UTF-8 is an error of kind `InvalidData`.
pub fn first_line(source: impl Read) -> io::Result<Option<Secret>> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(4096));
    let mut source = source.take(SECRET_LIMIT + 1);
    let mut chunk = Zeroizing::new([0_u8; 1024]);
    loop {
        let count = source.read(&mut chunk[..])?;
        let read = chunk.get(..count).unwrap_or_default();
        bytes.extend_from_slice(read);
        if count == 0 || read.contains(&b'\n') {
            break;
        }
    }
    line_in(&bytes)
}

/// The first line in `bytes`; `None` where it is longer than [`SECRET_LIMIT`].
pub(super) fn line_in(bytes: &[u8]) -> io::Result<Option<Secret>> {
    let line = bytes
        .split(|byte| *byte == b'\n')
        .next()
        .unwrap_or_default();
    if line.len() as u64 > SECRET_LIMIT {
        return Ok(None);
    }
    let text = std::str::from_utf8(line)
        .map_err(|problem| io::Error::new(io::ErrorKind::InvalidData, problem))?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    Ok(Some(Secret::new(text.strip_suffix('\r').unwrap_or(text))))
}

/// The permission bits of what is at `path`.
pub fn mode(path: &Path) -> Result<u32, FileProblem> {
    fs::metadata(path)
        .map(|metadata| metadata.permissions().mode() & 0o7777)
        .map_err(|source| FileProblem::Read {
            path: path.to_owned(),
            source,
        })
}

/// The folder of the git work tree that `path` lies in.
pub fn git_work_tree(path: &Path) -> Option<PathBuf> {
    let path = std::path::absolute(followed(path)).ok()?;
    path.ancestors()
        .skip(1)
        .find(|folder| folder.join(".git").exists())
        .map(Path::to_owned)
}

/// The line, from 1, that holds the byte at `offset`.
pub(super) fn line_of(bytes: &[u8], offset: usize) -> usize {
    let before = bytes.get(..offset).unwrap_or(bytes);
    before.split(|byte| *byte == b'\n').count()
}

#[cfg(test)]
mod tests;
