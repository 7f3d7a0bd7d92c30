//! The state that all programs share, opened once: at the first call that succeeds.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use super::error::WorkError;
use crate::store::State;

/// The state, or where it will be. A call that fails is none: the next one tries again.
#[derive(Default)]
pub(super) struct Opened {
    /// Nothing where everything is in memory.
    folder: Option<PathBuf>,
    state: Mutex<Option<Arc<State>>>,
}

impl Opened {
    /// The state in `folder`, which is not looked at yet.
    pub(super) fn at(folder: PathBuf) -> Self {
        Self {
            folder: Some(folder),
            state: Mutex::default(),
        }
    }

    /// The state; opened where it is not open yet. Blocks.
    pub(super) fn get(&self) -> Result<Arc<State>, WorkError> {
        let mut opened = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(state) = opened.as_ref() {
            return Ok(Arc::clone(state));
        }
        let state = match &self.folder {
            Some(folder) => State::open(folder),
            None => State::in_memory(),
        };
        let state = state.map_err(|error| WorkError::failed("opening the state", &error))?;
        Ok(Arc::clone(opened.insert(Arc::new(state))))
    }

    /// The state, where a call has opened it.
    pub(super) fn so_far(&self) -> Option<Arc<State>> {
        let opened = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        opened.as_ref().map(Arc::clone)
    }
}
