//! Saving: secrets first, then the configuration, then what nobody refers to any more.
//!
//! A new value gets a place of its own beside the old one. Until the configuration names it the old
//! connection works as before; where a step fails, the new value is taken out again, and nothing was lost.

mod beforehand;
mod copies;

use super::core::{Core, found};
use super::edit::{ConnectionEdit, Edit, Saved};
use super::error::WorkError;
use super::handles::not_written;
use super::job::carry_over;
use super::secrets::{reference, references};
use crate::domain::endpoint::secret_parameter;
use crate::domain::{Connection, HandleSlot, Name, Origin, Secret, SecretRef, error_chain, shape};
use crate::service::hints;
use crate::store::configuration::SettingValue;
use crate::store::secrets::Part;
use crate::store::{Configuration, SecretPlace, Secrets, StoreKind};
use std::sync::Arc;

impl Core {
    /// Saves `edit`. Whatever fails, the old connection and its secrets work as before.
    pub async fn save(&self, mut edit: ConnectionEdit) -> Result<Saved, WorkError> {
        self.0.make_paths_whole(&mut edit.connection);
        let configuration = self.configuration().await?;
        let before = match &edit.replaces {
            Some(name) => Some(found(&configuration, name)?.clone()),
            None => None,
        };
        refuse_taken(&configuration, before.as_ref(), &edit.connection.name)?;
        self.refuse_open_secrets(&edit.connection, before.as_ref())
            .await?;
        let edits = [&edit.key, &edit.token];
        let kind = if edits.iter().any(|edit| matches!(edit, Edit::Set(_))) {
            self.store_for(edit.store, before.as_ref(), &configuration)
                .await?
        } else {
            // Nothing is put anywhere.
            StoreKind::Ask
        };
        let secrets = self.secrets().await?;
        let mut saving = Saving {
            core: self,
            secrets,
            after: edit.connection.clone(),
            before,
            put: Vec::new(),
        };
        match saving.keep_and_write(&edit, kind, &configuration).await {
            Ok(()) => Ok(saving.tidy().await),
            Err(problem) => {
                saving.undo().await;
                Err(problem)
            }
        }
    }

    /// Refuses what would stand in the configuration in the open, unless it stands there already.
    pub(super) async fn refuse_open_secrets(
        &self,
        connection: &Connection,
        before: Option<&Connection>,
    ) -> Result<(), WorkError> {
        let urls = [Some(connection.url.as_str()), connection.cms_url.as_deref()];
        let is_kept = |url: &&str| {
            before.is_some_and(|one| one.url == *url || one.cms_url.as_deref() == Some(url))
        };
        let mut entered = urls.into_iter().flatten().filter(|url| !is_kept(url));
        if let Some(name) = entered.find_map(secret_parameter) {
            return Err(WorkError::failed(
                "saving the URL",
                format!(
                    "its parameter {name} holds a secret, and would stand in the configuration in the open: \
                     leave it out, and give the secret as the key"
                ),
            ));
        }
        if before.is_some_and(|one| one.username == connection.username) {
            return Ok(());
        }
        let username = &connection.username;
        let is_secret = match self.service_of(connection).await {
            Ok(service) => hints::holds_key(&service, username),
            Err(_) => shape::username_holds_secret(username),
        };
        if is_secret {
            return Err(WorkError::failed(
                "saving the user name",
                "it holds what looks like a key, and would stand in the configuration in the open: \
                 put that into the key's field (a command takes it by --key-stdin), and the name alone here",
            ));
        }
        Ok(())
    }

    /// What is done with `key` where it is sent, one sentence: it is kept as it came.
    pub async fn sent_otherwise(&self, connection: &Connection, key: &Secret) -> Option<String> {
        let service = self.service_of(connection).await.ok()?;
        let (_, sent) = hints::as_sent(&service, &connection.username, key);
        let done = sent.notes.join("; ");
        (!done.is_empty())
            .then(|| format!("the key is kept as it came, and sent otherwise: {done}"))
    }

    /// Removes the connection and those of its secrets that no other one refers to. Gives the places of
    /// values that could not be taken out: locked, or away.
    pub async fn remove(&self, name: &Name) -> Result<Vec<SecretRef>, WorkError> {
        let connection = self.connection(name).await?;
        let gone = name.clone();
        self.edit(move |document| document.remove(&gone)).await?;
        let left = self.take_out(references(&connection)).await;
        let gone = name.clone();
        self.remember(move |state| state.remove_connection(&gone))
            .await;
        Ok(left)
    }

    /// Gives the connection another name; its secrets stay where they are.
    pub async fn rename(&self, from: &Name, to: &Name) -> Result<Connection, WorkError> {
        let (old, new) = (from.clone(), to.clone());
        self.edit(move |document| document.rename(&old, &new))
            .await?;
        self.renamed(from, to).await;
        self.connection(to).await
    }

    /// Where a new value goes: as was said, as the connection's other values are kept, or as set. Asks where nothing
    /// says so, and where a command would have to keep it for a session.
    pub(super) async fn store_for(
        &self,
        said: Option<StoreKind>,
        before: Option<&Connection>,
        configuration: &Configuration,
    ) -> Result<StoreKind, WorkError> {
        // Everything is in memory: nothing else can hold a value.
        if self.folders().is_none() {
            return Ok(StoreKind::Ask);
        }
        let kept = before
            .and_then(|before| before.key.as_ref().or(before.token.as_ref()))
            .map(StoreKind::of)
            .filter(|kind| kind.is_written_here());
        match said.or(kept).or(configuration.settings.store) {
            Some(kind) if !self.would_lose(kind) => Ok(kind),
            _ => Err(WorkError::StoreNeeded(self.offers().await?)),
        }
    }

    /// Whether a value kept there is gone once this program has done what it was asked for.
    fn would_lose(&self, kind: StoreKind) -> bool {
        kind == StoreKind::Ask && self.0.ends_at_once.get().is_some()
    }

    /// Takes values out of their places, but for those that a connection still refers to. Gives those that
    /// could not be.
    pub(super) async fn take_out(&self, gone: Vec<(SecretRef, SecretPlace)>) -> Vec<SecretRef> {
        self.0.kept.forget();
        let (Ok(secrets), Ok(configuration)) = (self.secrets().await, self.configuration().await)
        else {
            return gone.into_iter().map(|(reference, _)| reference).collect();
        };
        let used: Vec<_> = configuration
            .connections
            .iter()
            .flat_map(|one| references(one))
            .collect();
        let mut left = Vec::new();
        for (reference, place) in gone {
            let shared = match StoreKind::of(&reference) {
                StoreKind::Vault | StoreKind::Keyring => {
                    used.iter().any(|(other, _)| *other == reference)
                }
                // These belong to the place itself.
                StoreKind::Env | StoreKind::File | StoreKind::Cmd | StoreKind::Ask => used
                    .iter()
                    .any(|(other, at)| (other, at) == (&reference, &place)),
            };
            if !shared && secrets.remove(&reference, &place).await.is_err() {
                left.push(reference);
            }
        }
        left
    }

    /// Moves what is remembered under a name. What fails here is only memory: the connection works.
    async fn renamed(&self, from: &Name, to: &Name) {
        self.0.kept.forget();
        if let Ok(secrets) = self.secrets().await {
            secrets.rename_connection(from, to);
        }
        let (from, to) = (from.clone(), to.clone());
        self.remember(move |state| state.rename_connection(&from, &to))
            .await;
    }

    /// Writes something into the state that a use case does not depend on; a failure is only logged.
    pub(super) async fn remember(
        &self,
        change: impl FnOnce(&crate::store::StateDb) -> Result<(), crate::store::StateProblem>
        + Send
        + 'static,
    ) {
        let done = self.blocking(move |inner| {
            change(&*inner.state()?)
                .map_err(|problem| WorkError::failed("writing the state", problem))
        });
        if let Err(problem) = done.await {
            tracing::warn!(problem = %error_chain(&problem), "not remembered");
        }
    }
}

/// One save under way: what was put where, to be taken back if a later step fails.
struct Saving<'a> {
    core: &'a Core,
    secrets: Secrets,
    before: Option<Connection>,
    after: Connection,
    /// New values with the session's value that stood at their place before, if any.
    put: Vec<(SecretRef, SecretPlace, Option<Secret>)>,
}

impl Saving<'_> {
    async fn keep_and_write(
        &mut self,
        edit: &ConnectionEdit,
        kind: StoreKind,
        configuration: &Configuration,
    ) -> Result<(), WorkError> {
        let name = &self.after.name;
        let is_here = configuration.connections.iter().any(|c| c.name == *name);
        if self.before.is_none() && !is_here {
            // What a connection of this name that is gone has left behind is not this one's.
            let name = self.after.name.clone();
            self.core
                .remember(move |state| state.remove_connection(&name))
                .await;
        }
        if let Some(original) = edit.copies.as_ref() {
            self.share_with(original, configuration).await;
        }
        for (slot, secret) in [
            (HandleSlot::Key, &edit.key),
            (HandleSlot::Token, &edit.token),
        ] {
            match secret {
                Edit::Set(value) => {
                    self.put(&slot, value, kind, &configuration.connections)
                        .await?;
                }
                Edit::Keep => self.keep(&slot, edit, &configuration.connections).await?,
                Edit::Clear => self.refer(&slot, None),
            }
        }
        let opened = edit.opened.as_deref().filter(|opened| {
            self.before
                .as_ref()
                .is_some_and(|before| before.name == opened.name)
        });
        let base = opened.or(self.before.as_ref()).cloned();
        let after = self.after.clone();
        let chosen = edit
            .store
            .filter(|kind| kind.is_written_here() && configuration.settings.store.is_none());
        let edited = self.core.edit(move |document| {
            match &base {
                Some(base) => document.merge(base, &after)?,
                None => document.add(&after)?,
            }
            match chosen {
                Some(kind) => document.set_setting("store", SettingValue::Text(kind.word().into())),
                None => Ok(()),
            }
        });
        edited.await
    }

    /// The place of a slot under the name that the state and the session know it by until the end.
    fn place(&self, slot: &HandleSlot) -> SecretPlace {
        let name = self
            .before
            .as_ref()
            .map_or(&self.after.name, |before| &before.name);
        match slot {
            HandleSlot::Token => SecretPlace::token(name),
            HandleSlot::Key | HandleSlot::Added(_) => SecretPlace::key(name),
        }
    }

    fn refer(&mut self, slot: &HandleSlot, reference: Option<SecretRef>) {
        match slot {
            HandleSlot::Key => self.after.key = reference,
            HandleSlot::Token => self.after.token = reference,
            HandleSlot::Added(_) => {}
        }
    }

    /// Keeps a new value in a new place.
    async fn put(
        &mut self,
        slot: &HandleSlot,
        value: &Secret,
        kind: StoreKind,
        connections: &[Arc<Connection>],
    ) -> Result<(), WorkError> {
        let place = self.place(slot);
        let named = SecretPlace {
            connection: self.after.name.clone(),
            part: place.part.clone(),
        };
        let new = self.secrets.new_reference(kind, &named, connections);
        let reference = new.await.ok_or_else(|| not_written(kind))?;
        let earlier = match &reference {
            SecretRef::Ask => self.secrets.resolve(&reference, &place).await.ok(),
            // Under a name of its own, where nothing stood.
            SecretRef::Keyring(_)
            | SecretRef::Vault(_)
            | SecretRef::Env(_)
            | SecretRef::File(_)
            | SecretRef::Cmd(_) => None,
        };
        let origin = Origin::parse(&self.after.url);
        let put = self
            .secrets
            .put(&reference, &place, value, origin.as_ref())
            .await;
        if let Err(problem) = put {
            return Err(self.core.refused(problem).await);
        }
        self.put.push((reference.clone(), place, earlier));
        self.refer(slot, Some(reference));
        Ok(())
    }

    /// A reference that stays or was given: where it is new here, or the person agreed, its value is for
    /// this URL's origin. Where that can't be written down now, the first probe will ask or do it. A value that others
    /// share stays theirs, for the origin that it was entered for: it is kept once more, for this one.
    async fn keep(
        &mut self,
        slot: &HandleSlot,
        edit: &ConnectionEdit,
        connections: &[Arc<Connection>],
    ) -> Result<(), WorkError> {
        let Some((after, _)) = reference(&self.after, slot) else {
            return Ok(());
        };
        let unchanged = self
            .before
            .as_ref()
            .and_then(|before| reference(before, slot))
            .is_some_and(|(before, _)| before == after);
        let (place, Some(origin)) = (self.place(slot), Origin::parse(&self.after.url)) else {
            return Ok(());
        };
        let confirmed = edit.origin_confirmed;
        let is_new_here = if edit.copies.is_some() {
            // The original's origin came along, and stays beside what both refer to.
            is_foreign(after) && confirmed
        } else {
            (is_foreign(after) && !unchanged) || confirmed
        };
        if is_new_here && copies::is_shared(after, (&place, &origin), connections) {
            let after = after.clone();
            return self.part(slot, &after, &origin, connections).await;
        }
        if is_new_here {
            let _ = self.secrets.set_origin(after, &place, &origin).await;
        }
        Ok(())
    }

    /// Takes back what was put.
    async fn undo(self) {
        for (reference, place, earlier) in self.put {
            let undone = match earlier {
                Some(value) => {
                    let origin = self
                        .before
                        .as_ref()
                        .and_then(|before| Origin::parse(&before.url));
                    self.secrets
                        .put(&reference, &place, &value, origin.as_ref())
                        .await
                }
                None => self.secrets.remove(&reference, &place).await,
            };
            if let Err(problem) = undone {
                let problem = error_chain(&problem);
                tracing::warn!(%reference, %problem, "a value that nobody refers to was left behind");
            }
        }
    }

    /// After the configuration was written: what nobody refers to any more goes, and memory follows.
    async fn tidy(self) -> Saved {
        let mut left_behind = Vec::new();
        if let Some(before) = &self.before {
            let changed = [HandleSlot::Key, HandleSlot::Token]
                .into_iter()
                .filter_map(|slot| {
                    let (old, place) = reference(before, &slot)?;
                    let new = reference(&self.after, &slot).map(|(new, _)| new);
                    // The origin that the state holds for this slot is the new reference's by now.
                    let is_foreign = |reference| !StoreKind::of(reference).is_written_here();
                    let taken_over = is_foreign(old) && new.is_some_and(is_foreign);
                    (new != Some(old) && !taken_over).then(|| (old.clone(), place))
                });
            left_behind = self.core.take_out(changed.collect()).await;
            if before.name != self.after.name {
                self.core.renamed(&before.name, &self.after.name).await;
            }
            let another_pair = before.username != self.after.username
                || self.put.iter().any(|(_, place, _)| place.part == Part::Key);
            if another_pair {
                let (name, url) = (self.after.name.clone(), self.after.url.clone());
                // The person has entered another pair: the account that it belongs to is pinned anew.
                let forget = move |state: &crate::store::StateDb| {
                    state.update_past(&name, &url, |past| past.identity = None)
                };
                self.core.remember(forget).await;
            }
        }
        let recent = self.core.0.recent.get(&self.after);
        let (name, url) = (self.after.name.clone(), self.after.url.clone());
        let carried = move |state: &crate::store::StateDb| {
            state.update_past(&name, &url, |past| carry_over(recent, past))
        };
        self.core.remember(carried).await;
        self.core.0.kept.forget();
        Saved {
            connection: self.after,
            left_behind,
        }
    }
}

/// Whether the value is kept by somebody else. The origin of one that is kept here stands beside it, and counts for
/// all who refer to it.
fn is_foreign(reference: &SecretRef) -> bool {
    match StoreKind::of(reference) {
        StoreKind::Env | StoreKind::File | StoreKind::Cmd => true,
        StoreKind::Vault | StoreKind::Keyring | StoreKind::Ask => false,
    }
}

impl Core {
    /// Writes down that the values that others keep for connections are for their URLs' origins: of new ones
    /// whatever is known of that, of others where nothing is. Where that can't be, the first probe will ask or do it.
    pub(super) async fn bind_references(
        &self,
        connections: impl IntoIterator<Item = &Connection>,
        are_new: bool,
    ) {
        let Ok(secrets) = self.secrets().await else {
            return;
        };
        for connection in connections {
            let Some(origin) = Origin::parse(&connection.url) else {
                continue;
            };
            for slot in [HandleSlot::Key, HandleSlot::Token] {
                if let Some((held, place)) = reference(connection, &slot)
                    && is_foreign(held)
                    && (are_new || matches!(secrets.origin_of(held, &place).await, Ok(None)))
                {
                    let _ = secrets.set_origin(held, &place, &origin).await;
                }
            }
        }
    }
}

fn refuse_taken(
    configuration: &Configuration,
    before: Option<&Connection>,
    name: &Name,
) -> Result<(), WorkError> {
    let own = before.is_some_and(|before| before.name == *name);
    if !own && found(configuration, name).is_ok() {
        return Err(WorkError::NameTaken(name.clone()));
    }
    Ok(())
}
