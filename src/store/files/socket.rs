//! A unix socket for this user alone.

use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};

use super::FileProblem;
use super::whole::parts;

/// The name of a socket in the file system. It goes with its owner, unless something else stands there by then.
#[derive(Debug)]
pub struct SocketName {
    path: PathBuf,
    /// Device and inode.
    of: (u64, u64),
}

impl SocketName {
    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for SocketName {
    fn drop(&mut self) {
        if fs::symlink_metadata(&self.path).is_ok_and(|found| identity(&found) == self.of) {
            let _ = fs::remove_file(&self.path);
        }
    }
}

fn identity(found: &Metadata) -> (u64, u64) {
    (found.dev(), found.ino())
}

/// Listens at `path`, mode 0600 from the first moment that anybody else can reach it. What a killed program left
/// there is replaced; a socket that answers, or anything else, is not.
pub fn bind_private_socket(path: &Path) -> Result<(UnixListener, SocketName), FileProblem> {
    let write = |source| FileProblem::Write {
        path: path.to_owned(),
        source,
    };
    match fs::symlink_metadata(path) {
        Ok(found) if !found.file_type().is_socket() => {
            return Err(write(io::ErrorKind::AlreadyExists.into()));
        }
        Ok(_) if UnixStream::connect(path).is_ok() => {
            return Err(write(io::ErrorKind::AddrInUse.into()));
        }
        Ok(_) | Err(_) => {}
    }
    bind(path).map_err(write)
}

/// It is made in a folder of ours, where neither the umask nor what another program left matters, and takes the
/// place of what stood at `path` when it is ready.
fn bind(path: &Path) -> io::Result<(UnixListener, SocketName)> {
    let (folder, _) = parts(path)?;
    let aside = tempfile::Builder::new()
        .permissions(fs::Permissions::from_mode(0o700))
        .tempdir_in(folder)?;
    let made = aside.path().join("s");
    let listener = UnixListener::bind(&made)?;
    fs::set_permissions(&made, fs::Permissions::from_mode(0o600))?;
    let of = identity(&fs::symlink_metadata(&made)?);
    fs::rename(&made, path)?;
    let path = path.to_owned();
    Ok((listener, SocketName { path, of }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_program_of_this_number_left_is_in_nobodys_way() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.sock");
        let left = format!("{}.{}", path.display(), std::process::id());
        drop(UnixListener::bind(left).unwrap());
        drop(UnixListener::bind(&path).unwrap());
        let (_listener, name) = bind_private_socket(&path).unwrap();
        assert_eq!(super::super::mode(&path).unwrap(), 0o600);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
        drop(name);
        assert!(!path.exists());
    }

    #[test]
    fn what_took_its_place_stays_when_it_goes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.sock");
        let (listener, name) = bind_private_socket(&path).unwrap();
        drop(listener);
        let (_listener, _name) = bind_private_socket(&path).unwrap();
        drop(name);
        assert!(UnixStream::connect(&path).is_ok());
    }
}
