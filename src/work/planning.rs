//! What a person decides about the watching of one connection: paused, or when it may fail as planned.

use jiff::Timestamp;

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
        self.change(name, move |connection| {
            connection.maintenance.clone_from(&windows);
        })
        .await
    }

    /// [`Self::set_paused`] for several in one change: of many, each alone would leave no older version of the file.
    pub async fn set_all_paused(
        &self,
        names: Vec<Name>,
        paused: bool,
    ) -> Result<Vec<Connection>, WorkError> {
        self.change_all(names, move |connection| connection.paused = paused)
            .await
    }

    /// Writes further maintenance windows of several, beside those that each has and that are not over at `now` or,
    /// unless `beside`, in their place.
    pub async fn set_all_maintenance(
        &self,
        names: Vec<Name>,
        windows: Vec<Window>,
        beside: bool,
        now: Timestamp,
    ) -> Result<Vec<Connection>, WorkError> {
        self.change_all(names, move |connection| {
            let kept =
                |window: &Window| beside && !window.is_over(now) && !windows.contains(window);
            connection.maintenance.retain(kept);
            connection.maintenance.extend_from_slice(&windows);
        })
        .await
    }

    /// Writes what `change` changes and nothing else: what others changed meanwhile stays.
    async fn change(
        &self,
        name: &Name,
        change: impl Fn(&mut Connection) + Send + 'static,
    ) -> Result<Connection, WorkError> {
        let changed = self.change_all(vec![name.clone()], change).await?;
        let absent = || WorkError::NoSuchConnection(name.clone());
        changed.into_iter().next().ok_or_else(absent)
    }

    async fn change_all(
        &self,
        names: Vec<Name>,
        change: impl Fn(&mut Connection) + Send + 'static,
    ) -> Result<Vec<Connection>, WorkError> {
        self.blocking(move |inner| {
            let written = inner.store.edit(move |document| {
                let one = |name| {
                    let before = document.connection(name)?;
                    let mut after = before.clone();
                    change(&mut after);
                    document.merge(&before, &after)?;
                    Ok(after)
                };
                names.iter().map(one).collect()
            });
            written.map_err(|problem| WorkError::failed("writing the connection", problem))
        })
        .await
    }
}
