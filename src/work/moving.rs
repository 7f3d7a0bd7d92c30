//! Secrets and their places: where each one is, and from one place to another.

use super::core::{Core, Inner, found};
use super::edit::{ConnectionEdit, Edit, Saved};
use super::error::WorkError;
use super::secrets::{reference, references};
use crate::domain::text::inert;
use crate::domain::{Cause, Connection, HandleSlot, Name, Secret, SecretRef};
use crate::store::secrets::{FoundSecret, SecretLocation};
use crate::store::vault::VaultState;
use crate::store::{SecretPlace, Secrets, StoreKind, VaultProblem};
use jiff::Timestamp;
use std::collections::HashMap;
use std::sync::Arc;

/// One secret of a connection, and where its value lives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LocatedSecret {
    /// The connection, and which of its secrets.
    pub place: SecretPlace,
    /// What stands in the configuration.
    pub reference: SecretRef,
    /// What is known of the value's place.
    pub location: SecretLocation,
}

impl Core {
    /// Every secret that a connection refers to, with the place of its value. Reads no value; how old those
    /// in the vault are is known only while it is open.
    pub async fn secret_locations(&self) -> Result<Vec<LocatedSecret>, WorkError> {
        let configuration = self.configuration().await?;
        let secrets = self.secrets().await?;
        self.blocking(move |_| {
            let connections = &configuration.connections;
            let all = connections.iter().flat_map(|one| references(one));
            Ok(all
                .map(|(reference, place)| LocatedSecret {
                    location: secrets.location(&reference, connections),
                    place,
                    reference,
                })
                .collect())
        })
        .await
    }

    /// Since when the values behind `references` are what they are; see [`Secrets::dates`].
    pub async fn secret_dates(
        &self,
        references: Vec<SecretRef>,
    ) -> Result<HashMap<SecretRef, Timestamp>, WorkError> {
        let secrets = self.secrets().await?;
        // Where another copy has changed the vault, it is decrypted for them.
        self.blocking(move |_| Ok(secrets.dates(&references))).await
    }

    /// Keeps a new value for the key or the token of a saved connection, for its URL as it stands.
    pub async fn set_secret(
        &self,
        name: &Name,
        slot: &HandleSlot,
        value: Secret,
        store: Option<StoreKind>,
    ) -> Result<Saved, WorkError> {
        let mut edit = ConnectionEdit {
            replaces: Some(name.clone()),
            store,
            ..ConnectionEdit::new(self.connection(name).await?)
        };
        match slot {
            HandleSlot::Key => edit.key = Edit::Set(value),
            HandleSlot::Token => edit.token = Edit::Set(value),
            HandleSlot::Added(_) => {
                return Err(WorkError::NoSuchHandle(name.clone(), slot.clone()));
            }
        }
        self.save(edit).await
    }

    /// Moves a secret's value to another store, with the origin that it was entered for: first the new place,
    /// then the configuration, then the old place, unless another connection refers to it. Whatever fails,
    /// the connection finds its secret. A copy that could not be taken out, or a file that holds it, is in
    /// [`Saved::left_behind`].
    pub async fn move_secret(
        &self,
        name: &Name,
        slot: &HandleSlot,
        kind: StoreKind,
    ) -> Result<Saved, WorkError> {
        let configuration = self.configuration().await?;
        let before = found(&configuration, name)?.clone();
        let absent = || WorkError::NoSuchHandle(name.clone(), slot.clone());
        let (old, place) = reference(&before, slot).ok_or_else(absent)?;
        let old = old.clone();
        if StoreKind::of(&old) == kind {
            return Ok(Saved {
                connection: before,
                left_behind: Vec::new(),
            });
        }
        let secrets = self.secrets().await?;
        let found = match secrets.fetch(&old, &place).await {
            Ok(found) => found,
            Err(problem) => return Err(self.unread(problem).await),
        };
        let new = self
            .place_anew(&secrets, (kind, &place), &found, &configuration.connections)
            .await?;
        let after = referring(&before, slot, &new);
        if let Err(problem) = self.write_changed(before, after.clone(), None).await {
            // The old place still holds it; where this fails, `doctor` finds an entry that nobody uses.
            let _ = secrets.remove(&new, &place).await;
            return Err(problem);
        }
        let mut left_behind = self.take_out(vec![(old.clone(), place)]).await;
        // A file is whose it was: nothing is deleted, and the value is in the open as before; where another connection
        // reads it, that is meant.
        let all = configuration.connections.iter();
        let readers = all.flat_map(|one| references(one));
        let is_shared = readers.filter(|(other, _)| *other == old).count() > 1;
        if StoreKind::of(&old) == StoreKind::File && !is_shared {
            left_behind.push(old);
        }
        Ok(Saved {
            connection: after,
            left_behind,
        })
    }

    async fn place_anew(
        &self,
        secrets: &Secrets,
        (kind, place): (StoreKind, &SecretPlace),
        found: &FoundSecret,
        connections: &[Arc<Connection>],
    ) -> Result<SecretRef, WorkError> {
        let new = secrets
            .new_reference(kind, place, connections)
            .await
            .ok_or_else(|| super::handles::not_written(kind))?;
        let origin = found.origin.as_ref();
        match secrets.put(&new, place, &found.value, origin).await {
            Ok(()) => Ok(new),
            Err(problem) => Err(self.refused(problem).await),
        }
    }

    /// Takes an entry out of the vault that nothing refers to.
    pub async fn remove_unused(&self, entry: String) -> Result<(), WorkError> {
        self.blocking(move |inner| {
            let failed = |why: Cause| WorkError::failed(format!("removing {}", inert(&SecretRef::Vault(entry.clone()).to_string(), 120)), why);
            if inner.vault.state() != VaultState::Unlocked {
                return Err(inner.unread(VaultProblem::Locked.into()));
            }
            inner.configuration()?;
            if inner.store.lost().is_some() {
                return Err(failed(Cause::new(
                    "the configuration is away, so nobody knows whether a connection uses it: put that back first",
                )));
            }
            if inner.unused(vec![entry.clone()]).is_empty() {
                return Err(failed(Cause::new(
                    "a connection uses it, or a renewal that is under way may use it: `switchboard secret where` and `switchboard doctor` tell which",
                )));
            }
            match inner.vault.remove(&entry) {
                Ok(true) => Ok(()),
                Ok(false) => Err(failed(Cause::new("the vault has no such entry"))),
                Err(problem) => Err(failed(Cause::new(problem))),
            }
        })
        .await
    }

    /// Calls every running copy of this user to lock: screens do at once.
    pub async fn call_to_lock(&self) -> Result<(), WorkError> {
        self.blocking(|inner| match &inner.folders {
            Some(folders) => crate::store::lock_call::call(&folders.state)
                .map_err(|problem| WorkError::failed("calling the running copies", problem)),
            None => Ok(()),
        })
        .await
    }

    /// Waits for changes of the configuration and for calls to lock, from now on.
    pub fn changes(&self) -> crate::store::Changes {
        match (self.0.store.path(), &self.0.folders) {
            (Some(path), Some(folders)) => crate::store::Changes::of(path, &folders.state),
            _ => crate::store::Changes::in_memory(),
        }
    }

    /// Changes whenever somebody calls to lock; nothing where that can't be known now.
    pub async fn lock_call(&self) -> Option<crate::store::Stamp> {
        let last = self.blocking_bare(|inner| Ok(inner.lock_call()));
        last.await.ok().flatten()
    }
}

impl Inner {
    pub(super) fn lock_call(&self) -> Option<crate::store::Stamp> {
        let folders = self.folders.as_ref();
        folders.and_then(|folders| crate::store::lock_call::last(&folders.state))
    }
}

fn referring(before: &Connection, slot: &HandleSlot, new: &SecretRef) -> Connection {
    let mut after = before.clone();
    match slot {
        HandleSlot::Key => after.key = Some(new.clone()),
        HandleSlot::Token => after.token = Some(new.clone()),
        HandleSlot::Added(label) => {
            let mut added = after.added.iter_mut();
            if let Some((_, reference)) = added.find(|(known, _)| known == label) {
                *reference = new.clone();
            }
        }
    }
    after
}
