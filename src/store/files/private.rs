//! A folder of this user alone that goes with its owner: for sockets.

use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use tempfile::TempDir;

use super::FileProblem;

/// Exists as long as it is held; mode 0700.
#[derive(Debug)]
pub struct PrivateFolder(TempDir);

impl PrivateFolder {
    /// Makes one in `place`, where the system keeps what is temporary.
    pub fn make(place: &Path) -> Result<Self, FileProblem> {
        let write = |source: io::Error| FileProblem::Write {
            path: place.to_owned(),
            source,
        };
        let private = std::fs::Permissions::from_mode(0o700);
        let folder = tempfile::Builder::new()
            .prefix("switchboard-")
            .permissions(private)
            .tempdir_in(place)
            .map_err(write)?;
        Ok(Self(folder))
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        self.0.path()
    }
}
