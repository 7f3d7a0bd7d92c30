//! A unix socket for this user alone.

use std::io;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;

use super::FileProblem;

/// Listens at `path`, mode 0600 from the first moment. What a killed program left there is replaced; a
/// socket that answers, or anything else, is not.
pub fn bind_private_socket(path: &Path) -> Result<UnixListener, FileProblem> {
    let write = |source| FileProblem::Write {
        path: path.to_owned(),
        source,
    };
    match std::fs::symlink_metadata(path) {
        Ok(found) if !std::os::unix::fs::FileTypeExt::is_socket(&found.file_type()) => {
            return Err(write(io::ErrorKind::AlreadyExists.into()));
        }
        Ok(_) if UnixStream::connect(path).is_ok() => {
            return Err(write(io::ErrorKind::AddrInUse.into()));
        }
        Ok(_) | Err(_) => {}
    }
    // Under another name nobody knows it yet; the rename takes the place of what was left.
    let mut beside = path.as_os_str().to_owned();
    beside.push(format!(".{}", std::process::id()));
    let beside = Path::new(&beside);
    let listener = UnixListener::bind(beside).map_err(write)?;
    let private = std::fs::set_permissions(beside, std::fs::Permissions::from_mode(0o600))
        .and_then(|()| std::fs::rename(beside, path));
    if let Err(source) = private {
        let _ = std::fs::remove_file(beside);
        return Err(write(source));
    }
    Ok(listener)
}
