//! What a person decides about the watching of one connection: paused, or when it may fail as planned.

use super::core::Core;
use super::error::WorkError;
use crate::domain::{Connection, Name, Window};

impl Core {
    /// Leaves the connection out of scheduled probing, or takes it in again; gives it as it is now.
    pub async fn set_paused(&self, name: &Name, paused: bool) -> Result<Connection, WorkError> {
        self.change(name, move |connection| connection.paused = paused)
            .await
    }

    /// Writes the connection's maintenance windows; gives it as it is now.
    pub async fn set_maintenance(
        &self,
        name: &Name,
        windows: Vec<Window>,
    ) -> Result<Connection, WorkError> {
        self.change(name, move |connection| connection.maintenance = windows)
            .await
    }

    /// Writes what `change` changes and nothing else: what others changed meanwhile stays.
    async fn change(
        &self,
        name: &Name,
        change: impl FnOnce(&mut Connection) + Send + 'static,
    ) -> Result<Connection, WorkError> {
        let name = name.clone();
        self.blocking(move |inner| {
            let written = inner.store.edit(|document| {
                let before = document.connection(&name)?;
                let mut after = before.clone();
                change(&mut after);
                document.merge(&before, &after)?;
                Ok(after)
            });
            written.map_err(|problem| WorkError::failed("writing the connection", problem))
        })
        .await
    }
}
