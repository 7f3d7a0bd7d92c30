//! The state that all programs share, opened at the first call that succeeds, and again where its file was moved.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use super::error::WorkError;
use crate::store::StateDb;

/// The state, or where it will be. A call that fails is none: the next one tries again.
#[derive(Default)]
pub(super) struct LazyState {
    /// Nothing where everything is in memory.
    folder: Option<PathBuf>,
    state: RwLock<Option<Arc<StateDb>>>,
    /// Held by the one that opens it.
    opening: Mutex<()>,
}

impl LazyState {
    /// The state in `folder`, which is not looked at yet.
    pub(super) fn at(folder: PathBuf) -> Self {
        Self {
            folder: Some(folder),
            ..Self::default()
        }
    }

    /// The state; opened where it is not open yet. Blocks.
    pub(super) fn get(&self) -> Result<Arc<StateDb>, WorkError> {
        let in_place = || self.so_far().filter(|state| !state.is_away());
        if let Some(state) = in_place() {
            return Ok(state);
        }
        let _opening = self.opening.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(state) = in_place() {
            return Ok(state);
        }
        let state = match &self.folder {
            Some(folder) => StateDb::open(folder),
            None => StateDb::in_memory(),
        };
        let state = state.map_err(|error| WorkError::failed("opening the state", &error))?;
        let state = Arc::new(state);
        let mut known = self.state.write().unwrap_or_else(PoisonError::into_inner);
        *known = Some(Arc::clone(&state));
        Ok(state)
    }

    /// The state, where a call has opened it. Never waits.
    pub(super) fn so_far(&self) -> Option<Arc<StateDb>> {
        self.state
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}
