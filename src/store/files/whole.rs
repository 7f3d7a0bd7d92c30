//! Writing a file whole: a reader sees the old text or the new one, never a part, whenever we are killed.

use std::ffi::OsStr;
use std::fs::{self, File, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt, fchown};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use super::owner::leave_to_owner;
use super::{FileProblem, TEXT_LIMIT};

/// Links in a row before we call it a loop, as the kernel does.
const LINKS: usize = 40;

/// Replaces the file at `path` with `bytes`, mode 0600, or leaves it as it was: a temporary file beside it,
/// fsync, rename, fsync of the folder. A symbolic link stays one; its target is replaced. What is no regular file
/// is refused, and what is larger than [`TEXT_LIMIT`].
pub fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), FileProblem> {
    stage(path, bytes)?.commit()
}

/// Writes a file that everybody may read, as far as the user's umask lets them, whole or not at all, and makes the
/// folders above it.
pub fn write_public(path: &Path, bytes: &[u8]) -> Result<(), FileProblem> {
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder).map_err(|source| FileProblem::Write {
        path: path.to_owned(),
        source,
    })?;
    stage_as(path, bytes, 0o666)?.commit()
}

/// A text on disk beside the file whose place it is to take. Dropped, it is gone, and the file is as it was.
#[derive(Debug)]
pub struct Staged {
    temporary: NamedTempFile,
    target: PathBuf,
    path: PathBuf,
}

/// The first half of [`write_whole`], all that needs room on the disk.
pub fn stage(path: &Path, bytes: &[u8]) -> Result<Staged, FileProblem> {
    stage_as(path, bytes, 0o600)
}

/// The same with another mode, of which the user's umask takes its part.
pub(super) fn stage_as(path: &Path, bytes: &[u8], mode: u32) -> Result<Staged, FileProblem> {
    if bytes.len() as u64 > TEXT_LIMIT {
        return Err(FileProblem::Overgrown {
            path: path.to_owned(),
            limit: TEXT_LIMIT,
        });
    }
    // In place of a device or a pipe a file would stand, for everybody who uses it.
    if fs::metadata(path).is_ok_and(|found| !found.is_file()) {
        return Err(FileProblem::NotAFile {
            path: path.to_owned(),
        });
    }
    let target = followed(path);
    let temporary = written_beside(&target, bytes, mode).map_err(|source| FileProblem::Write {
        path: path.to_owned(),
        source,
    })?;
    Ok(Staged {
        temporary,
        target,
        path: path.to_owned(),
    })
}

impl Staged {
    /// The second half: takes the file's place.
    pub fn commit(self) -> Result<(), FileProblem> {
        let Self {
            temporary,
            target,
            path,
        } = self;
        let placed = temporary.persist(&target);
        placed.map_err(|error| FileProblem::Write {
            path,
            source: error.error,
        })?;
        // The new text stands; some file systems can't sync a folder, which is no reason to say that it does not.
        let folder = parts(&target).and_then(|(folder, _)| File::open(folder));
        let _ = folder.and_then(|folder| folder.sync_all());
        Ok(())
    }
}

/// Writes `bytes` into the device or the pipe at `path`, as into `/dev/stdout`; a file is written whole.
pub fn write_out(path: &Path, bytes: &[u8]) -> Result<(), FileProblem> {
    if !fs::metadata(path).is_ok_and(|found| !found.is_file() && !found.is_dir()) {
        return write_whole(path, bytes);
    }
    let opened = File::options().write(true).open(path);
    opened
        .and_then(|mut into| into.write_all(bytes))
        .map_err(|source| FileProblem::Write {
            path: path.to_owned(),
            source,
        })
}

fn written_beside(target: &Path, bytes: &[u8], mode: u32) -> io::Result<NamedTempFile> {
    let (folder, name) = parts(target)?;
    let mut temporary = tempfile::Builder::new()
        .prefix(&prefix(name))
        .suffix(SUFFIX)
        .permissions(Permissions::from_mode(mode))
        .tempfile_in(folder)?;
    temporary.write_all(bytes)?;
    match fs::metadata(target) {
        // Root who saves for a user must not take the file away from them. Where we may not, it is ours.
        Ok(old) => {
            let _ = fchown(temporary.as_file(), Some(old.uid()), Some(old.gid()));
        }
        Err(_) => leave_to_owner(temporary.as_file(), target),
    }
    temporary.as_file().sync_all()?;
    Ok(temporary)
}

/// Takes away what a killed [`write_whole`] to `path` left. Only under the lock of that file, so that no
/// other program is in the middle of one.
pub fn sweep(path: &Path) -> usize {
    let target = followed(path);
    let Ok((folder, name)) = parts(&target) else {
        return 0;
    };
    let prefix = prefix(name);
    let Ok(entries) = fs::read_dir(folder) else {
        return 0;
    };
    entries
        .flatten()
        .filter(|entry| {
            let name = entry.file_name();
            let name = name.to_string_lossy();
            name.starts_with(&prefix) && name.ends_with(SUFFIX)
        })
        .filter(|entry| fs::remove_file(entry.path()).is_ok())
        .count()
}

/// Fails where [`write_whole`] of so many bytes to `path` would: they are written beside it, and taken away again.
pub fn try_to_write(path: &Path, size: usize) -> Result<(), FileProblem> {
    stage(path, &vec![0; size]).map(drop)
}

const SUFFIX: &str = ".tmp";

fn prefix(name: &OsStr) -> String {
    format!(".{}.", name.to_string_lossy())
}

/// Folder and name of what `target` names.
pub(super) fn parts(target: &Path) -> io::Result<(&Path, &OsStr)> {
    let name = target
        .file_name()
        .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "it has no file name"))?;
    let folder = target
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    Ok((folder, name))
}

/// Where `path` leads: itself, or the end of its symbolic links, which need not exist.
pub fn followed(path: &Path) -> PathBuf {
    let mut path = path.to_owned();
    for _ in 0..LINKS {
        let Ok(next) = fs::read_link(&path) else {
            return path;
        };
        path = match path.parent() {
            Some(folder) => folder.join(next),
            None => next,
        };
    }
    path
}

/// Whether `path` lies in `folder` itself, or would.
pub fn lies_in(path: &Path, folder: &Path) -> bool {
    let path = followed(&absolute(path));
    path.parent()
        .is_some_and(|parent| is_same_file(parent, folder))
}

fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

/// Whether both names are those of one file, or would be.
pub fn is_same_file(one: &Path, other: &Path) -> bool {
    let [one, other] = [one, other].map(|path| followed(&absolute(path)));
    match (fs::metadata(&one), fs::metadata(&other)) {
        (Ok(a), Ok(b)) => (a.dev(), a.ino()) == (b.dev(), b.ino()),
        _ => one == other,
    }
}
