//! The state that all programs share, opened once: at the first call that succeeds.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use tokio::sync::MutexGuard;

use super::error::WorkError;
use crate::store::{StateDb, StateProblem};

/// The state, or where it will be. A call that fails is none: the next one tries again.
#[derive(Default)]
pub(super) struct LazyState {
    /// Nothing where everything is in memory.
    folder: Option<PathBuf>,
    state: OnceLock<Arc<StateDb>>,
    /// Held by the one that opens it.
    opening: Mutex<()>,
    /// Had by the task that lets it be opened.
    turn: tokio::sync::Mutex<()>,
}

impl LazyState {
    /// The state in `folder`, which is not looked at yet.
    pub(super) fn at(folder: PathBuf) -> Self {
        Self {
            folder: Some(folder),
            ..Self::default()
        }
    }

    /// The state; opened where it is not open yet. Blocks. Where its file was moved away meanwhile it is not opened
    /// anew: the new file's journal would be read into the old one, once that is back.
    pub(super) fn get(&self) -> Result<Arc<StateDb>, WorkError> {
        let failed = |error: StateProblem| WorkError::failed("opening the state", error);
        let in_place = |state: Arc<StateDb>| match state.refuse_away() {
            Ok(()) => Ok(state),
            Err(away) => Err(failed(away)),
        };
        if let Some(state) = self.so_far() {
            return in_place(state);
        }
        let _opening = self.opening.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(state) = self.so_far() {
            return in_place(state);
        }
        let state = match &self.folder {
            Some(folder) => StateDb::open(folder),
            None => StateDb::in_memory(),
        };
        let state = state.map_err(failed)?;
        Ok(Arc::clone(self.state.get_or_init(|| Arc::new(state))))
    }

    /// The turn of a task that is about to need it, while it is not open: one lets it be opened, and the others wait here,
    /// not each in a thread of its own. Nothing where it is open.
    pub(super) async fn turn(&self) -> Option<MutexGuard<'_, ()>> {
        if self.so_far().is_some() {
            return None;
        }
        let turn = self.turn.lock().await;
        self.so_far().is_none().then_some(turn)
    }

    /// The state, or what can be read of it where it can't be opened to be written. Blocks. Nothing that is found by
    /// it may decide whether a key is sent.
    pub(super) fn to_read(&self) -> Result<Arc<StateDb>, WorkError> {
        self.get().or_else(|why| {
            // One that is open was moved away since.
            let folder = self.folder.as_ref().filter(|_| self.so_far().is_none());
            let read = folder.and_then(|folder| StateDb::open_to_read(folder));
            read.map(Arc::new).ok_or(why)
        })
    }

    /// The state, where a call has opened it. Never waits.
    pub(super) fn so_far(&self) -> Option<Arc<StateDb>> {
        self.state.get().map(Arc::clone)
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    use super::*;

    #[test]
    fn one_task_opens_it_and_the_others_wait_for_that() {
        let state = LazyState::default();
        let mut context = Context::from_waker(Waker::noop());
        let (mut first, mut second) = (pin!(state.turn()), pin!(state.turn()));
        let Poll::Ready(Some(turn)) = first.as_mut().poll(&mut context) else {
            panic!("nobody had it");
        };
        assert!(second.as_mut().poll(&mut context).is_pending());
        assert!(state.get().is_ok());
        assert!(second.as_mut().poll(&mut context).is_pending());
        drop(turn);
        let Poll::Ready(None) = second.as_mut().poll(&mut context) else {
            panic!("it is open");
        };
        let Poll::Ready(None) = pin!(state.turn()).poll(&mut context) else {
            panic!("it is open");
        };
    }

    #[test]
    fn where_it_did_not_open_the_next_task_has_its_turn() {
        let state = LazyState::default();
        let mut context = Context::from_waker(Waker::noop());
        let (mut first, mut second) = (pin!(state.turn()), pin!(state.turn()));
        let turn = first.as_mut().poll(&mut context);
        assert!(second.as_mut().poll(&mut context).is_pending());
        drop(turn);
        let Poll::Ready(Some(_)) = second.as_mut().poll(&mut context) else {
            panic!("nobody has opened it");
        };
    }
}
