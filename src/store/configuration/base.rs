//! From where relative paths in the file are: beside it, and `~/…` in the home.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::Configuration;

/// The folder of the file, and the user's home. Nothing of a configuration in memory, which has only whole paths.
#[derive(Clone, Debug, Default)]
pub(super) struct Base {
    pub(super) folder: Option<PathBuf>,
    pub(super) home: Option<PathBuf>,
}

impl Base {
    pub(super) fn of(path: &Path, home: Option<PathBuf>) -> Self {
        let whole = std::path::absolute(path).ok();
        Self {
            folder: whole.and_then(|path| Some(path.parent()?.to_owned())),
            home,
        }
    }

    /// `configuration` with whole paths.
    pub(super) fn whole(&self, mut configuration: Configuration) -> Configuration {
        if let Some(folder) = &self.folder {
            for connection in &mut configuration.connections {
                Arc::make_mut(connection).make_paths_whole(folder, self.home.as_deref());
            }
        }
        configuration
    }
}
