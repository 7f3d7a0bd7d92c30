//! What a screen shows of files, read in one piece: as pieces of blocking work of their own they would wake a thread
//! each time, and as often as not begin one more.

use std::sync::Arc;

use super::core::{Core, Inner};
use super::error::WorkError;
use super::services::LoadedServices;
use crate::store::vault::VaultState;
use crate::store::{Configuration, Stamp};

/// The files as they are now.
#[derive(Debug)]
pub struct FilesNow {
    /// Another one whenever somebody calls to lock; nothing where that can't be known now.
    pub lock_call: Option<Stamp>,
    /// Another one whenever the configuration changes; of before it was read: a change in between is seen the next
    /// time.
    pub stamp: Stamp,
    /// The configuration and the services, or why they can't be read.
    pub read: Result<(Arc<Configuration>, LoadedServices), WorkError>,
    /// Whether a vault is there that is not open.
    pub is_vault_locked: bool,
}

impl Core {
    /// Reads the files, and hands them to `take`.
    ///
    /// # Errors
    /// There is no thread for it.
    pub async fn files_now<R: Send + 'static>(
        &self,
        take: impl FnOnce(FilesNow) -> R + Send + 'static,
    ) -> Result<R, WorkError> {
        self.blocking_bare(|inner| Ok(take(inner.files_now())))
            .await
    }

    /// The same for the first time: what a killed program left beside the files is taken away behind it.
    ///
    /// # Errors
    /// There is no thread for it.
    pub async fn files_first<R: Send + 'static>(
        &self,
        take: impl FnOnce(FilesNow) -> R + Send + 'static,
    ) -> Result<R, WorkError> {
        // What is told leads to those who need the state: they wait for this thread, and take it over.
        let _turn = self.0.state.turn().await;
        self.blocking_bare(|inner| {
            let taken = take(inner.files_now());
            inner.sweep();
            Ok(taken)
        })
        .await
    }
}

impl Inner {
    fn files_now(&self) -> FilesNow {
        let lock_call = self.lock_call();
        let stamp = self.store.stamp();
        let read = self
            .configuration()
            .and_then(|configuration| Ok((configuration, self.services_known()?)));
        FilesNow {
            lock_call,
            stamp,
            read,
            is_vault_locked: self.vault.state() == VaultState::Locked,
        }
    }
}
