//! From a reference to its value: vault, keyring, environment, file, program, or asked for this session.
//!
//! Values are fetched when they are needed and not kept here, but those that were asked for. Problems are
//! sentences that say what to do; none holds a value.

mod command;
mod keyring;
mod kind;
mod location;
mod problem;
mod slot;

use std::collections::HashMap;
use std::fmt;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use jiff::Timestamp;

pub use command::{AFTER_ITS_END, ProcessGroup, Variables};
use keyring::Keyring;
pub use keyring::KeyringProblem;
pub use kind::{Offer, StoreKind};
pub use location::SecretLocation;
pub use problem::SecretProblem;
pub use slot::{Part, SecretPlace};

use super::files;
use super::state::{StateDb, StateProblem};
use super::vault::{Vault, VaultEntry, VaultProblem, VaultState};
use crate::domain::text::inert;
use crate::domain::{Cause, Connection, Name, Origin, Secret, SecretRef};
use crate::store::stack::wiping;

/// How long a file may take: a dead network share never answers.
const FILE_TIME_LIMIT: Duration = Duration::from_secs(10);

/// Finds the value of an environment variable: `config` alone reads the environment.
pub type LookUp = Arc<dyn Fn(&str) -> Option<Secret> + Send + Sync>;

/// Opens the state where it is not open yet; a sentence says why it can't be now. Blocks.
pub type StateLookUp = Arc<dyn Fn() -> Result<Arc<StateDb>, Cause> + Send + Sync>;

/// A value, and the origin that it was entered for, where one was written down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundSecret {
    /// The value.
    pub value: Secret,
    /// Scheme, host and port that it may be sent to.
    pub origin: Option<Origin>,
}

/// What was entered for this session, by the place it was entered at. Clones share it.
#[derive(Clone, Default)]
pub struct Entered {
    values: Arc<Mutex<HashMap<SecretPlace, FoundSecret>>>,
    lasting: Arc<OnceLock<Vec<Secret>>>,
}

/// Resolves references. Cheap to clone; all clones share what was entered for the session.
#[derive(Clone)]
pub struct Secrets {
    vault: Arc<Vault>,
    look_up: LookUp,
    variables: Variables,
    state: StateLookUp,
    keyring: Arc<Keyring>,
    session: Entered,
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Secrets")
            .field("vault", &self.vault)
            .finish_non_exhaustive()
    }
}

impl Secrets {
    /// Resolves with this vault, this look-up for `env:`, this environment for the programs of `cmd:`, and
    /// this state for the origins of places that can't hold one themselves; while there is no state, those
    /// have none and nothing of them is sent.
    pub fn new(
        vault: Arc<Vault>,
        look_up: LookUp,
        variables: Variables,
        state: StateLookUp,
    ) -> Self {
        Self {
            vault,
            look_up,
            variables,
            state,
            keyring: Arc::default(),
            session: Entered::default(),
        }
    }

    /// The same with what was entered before.
    #[must_use]
    pub fn with_entered(self, session: Entered) -> Self {
        Self { session, ..self }
    }

    /// The vault behind `vault:`.
    pub fn vault(&self) -> &Arc<Vault> {
        &self.vault
    }

    /// The value behind `reference`, which stands at `slot`, with the origin that it was entered for: both of
    /// one moment. Takes 10 seconds at most; a keyring that asks its owner for a password, 30.
    pub async fn fetch(
        &self,
        reference: &SecretRef,
        slot: &SecretPlace,
    ) -> Result<FoundSecret, SecretProblem> {
        if let Some(found) = self.own(reference, slot).await? {
            return Ok(found);
        }
        let origin = self.remembered_origin(reference, slot).await?;
        Ok(FoundSecret {
            value: self.of_others(reference).await?,
            origin,
        })
    }

    /// The value behind `reference` for its owner's eye or clipboard, where no origin matters.
    pub async fn resolve(
        &self,
        reference: &SecretRef,
        slot: &SecretPlace,
    ) -> Result<Secret, SecretProblem> {
        match self.own(reference, slot).await? {
            Some(found) => Ok(found.value),
            None => self.of_others(reference).await,
        }
    }

    /// The origin that the value was entered for: kept beside the value, or in the state for places that
    /// can't hold it. Nothing where none was ever written down.
    pub async fn origin_of(
        &self,
        reference: &SecretRef,
        slot: &SecretPlace,
    ) -> Result<Option<Origin>, SecretProblem> {
        match self.own(reference, slot).await? {
            Some(found) => Ok(found.origin),
            None => self.remembered_origin(reference, slot).await,
        }
    }

    /// Writes down that the value is for `origin` from now on: somebody has entered it for that, or agreed.
    pub async fn set_origin(
        &self,
        reference: &SecretRef,
        slot: &SecretPlace,
        origin: &Origin,
    ) -> Result<(), SecretProblem> {
        let origin = origin.clone();
        match reference {
            SecretRef::Vault(name) => {
                let name = name.clone();
                self.with_vault(move |vault| vault.set_origin(&name, &origin))
                    .await
            }
            SecretRef::Keyring(name) => Ok(self.keyring.set_origin(name, &origin).await?),
            SecretRef::Ask => {
                if let Some(entered) = self.entered().get_mut(slot) {
                    entered.origin = Some(origin);
                }
                Ok(())
            }
            SecretRef::Env(_) | SecretRef::File(_) | SecretRef::Cmd(_) => {
                let (reference, slot) = (reference.clone(), slot.clone());
                self.with_state(move |state| state.set_origin(&reference, &slot, &origin))
                    .await
            }
        }
    }

    /// Keeps `value` where `reference` says, with the origin that it was entered for.
    pub async fn put(
        &self,
        reference: &SecretRef,
        slot: &SecretPlace,
        value: &Secret,
        origin: Option<&Origin>,
    ) -> Result<(), SecretProblem> {
        if value.is_too_long() {
            return Err(SecretProblem::TooLong(inert(&reference.to_string(), 80)));
        }
        let origin = origin.cloned();
        match reference {
            SecretRef::Vault(name) => {
                let (name, value) = (name.clone(), value.clone());
                self.with_vault(move |vault| vault.put(&name, &value, origin.as_ref()))
                    .await
            }
            SecretRef::Keyring(name) => Ok(self.keyring.put(name, value, origin.as_ref()).await?),
            SecretRef::Ask => {
                self.entered().insert(
                    slot.clone(),
                    FoundSecret {
                        value: value.clone(),
                        origin,
                    },
                );
                Ok(())
            }
            SecretRef::Env(_) | SecretRef::File(_) | SecretRef::Cmd(_) => {
                Err(SecretProblem::NotWritten(inert(&reference.to_string(), 80)))
            }
        }
    }

    /// Takes the value out of its place, where that is ours; what stands in places of others stays there.
    /// Whether other connections share it is asked before ([`Secrets::location`]).
    pub async fn remove(
        &self,
        reference: &SecretRef,
        slot: &SecretPlace,
    ) -> Result<(), SecretProblem> {
        match reference {
            SecretRef::Vault(name) => {
                let name = name.clone();
                self.with_vault(move |vault| vault.remove(&name).map(drop))
                    .await
            }
            SecretRef::Keyring(name) => Ok(self.keyring.remove(name).await?),
            SecretRef::Ask => {
                self.entered().remove(slot);
                Ok(())
            }
            SecretRef::Env(_) | SecretRef::File(_) | SecretRef::Cmd(_) => {
                let slot = slot.clone();
                self.with_state(move |state| state.remove_origin(&slot))
                    .await
            }
        }
    }

    /// Moves what was entered for this session to the connection's new name. What the state holds moves by
    /// [`StateDb::rename_connection`]; entries of vault and keyring keep their names.
    pub fn rename_connection(&self, from: &Name, to: &Name) {
        let mut session = self.entered();
        let moved: Vec<SecretPlace> = session
            .keys()
            .filter(|slot| slot.connection == *from)
            .cloned()
            .collect();
        for slot in moved {
            if let Some(entered) = session.remove(&slot) {
                session.insert(
                    SecretPlace {
                        connection: to.clone(),
                        ..slot
                    },
                    entered,
                );
            }
        }
    }

    /// A reference for a new value of `kind`: named after its place, and not yet used by another one, nor by
    /// something that no connection here refers to. `None` for kinds that are not written here.
    pub async fn new_reference(
        &self,
        kind: StoreKind,
        slot: &SecretPlace,
        connections: &[Arc<Connection>],
    ) -> Option<SecretRef> {
        let make: fn(String) -> SecretRef = match kind {
            StoreKind::Keyring => SecretRef::Keyring,
            StoreKind::Vault => SecretRef::Vault,
            StoreKind::Ask => return Some(SecretRef::Ask),
            StoreKind::Env | StoreKind::File | StoreKind::Cmd => return None,
        };
        let kept = match kind {
            StoreKind::Vault => self.with_vault(Vault::names).await.unwrap_or_default(),
            StoreKind::Keyring
            | StoreKind::Env
            | StoreKind::File
            | StoreKind::Cmd
            | StoreKind::Ask => Vec::new(),
        };
        let first = slot.to_string();
        let mut numbers = 2_u32..;
        let mut name = first.clone();
        loop {
            let reference = make(name.clone());
            let is_free = !kept.contains(&name)
                && location::users(&reference, connections).is_empty()
                // One keyring serves every folder of connections on this desktop.
                && !(kind == StoreKind::Keyring && self.keyring.holds(&name).await);
            if is_free {
                return Some(reference);
            }
            name = format!("{first}-{}", numbers.next()?);
        }
    }

    /// Forgets everything: locks the vault, and what was entered for this session must be entered again, but for what
    /// lasts.
    pub fn lock(&self) {
        self.vault.lock();
        self.session.forget();
    }

    /// The places for a new secret, with whether each works on this machine.
    pub async fn offers(&self) -> Vec<Offer> {
        let keyring = self.keyring.works().await.map_err(Cause::new);
        let vault = match self.vault.state() {
            VaultState::Unlocked | VaultState::Locked => Ok(()),
            VaultState::WithoutIdentity => Err(Cause::new(self.vault.without_identity())),
            VaultState::Absent => {
                let folder = self.vault.folder().to_owned();
                let made =
                    tokio::task::spawn_blocking(move || files::make_private_folder(&folder)).await;
                match made {
                    Ok(made) => made.map_err(Cause::new),
                    Err(ended) => Err(Cause::new(SecretProblem::Ended(ended))),
                }
            }
        };
        StoreKind::ALL
            .into_iter()
            .map(|kind| {
                let works = match kind {
                    StoreKind::Keyring => keyring.clone(),
                    StoreKind::Vault => vault.clone(),
                    StoreKind::Env | StoreKind::File | StoreKind::Cmd | StoreKind::Ask => Ok(()),
                };
                Offer {
                    kind,
                    works,
                    about: kind::about(kind),
                }
            })
            .collect()
    }

    /// Why the program of a reference can't be run, where that is so. It is not run.
    pub fn missing_program(&self, words: &[String]) -> Option<SecretProblem> {
        command::missing(words, &self.variables)
    }

    /// Whether a keyring answers; it may still be locked.
    pub async fn keyring_works(&self) -> Result<(), KeyringProblem> {
        self.keyring.works().await
    }

    /// Where the value lives: for `secret where` and `doctor`. Reads no value.
    pub fn location(
        &self,
        reference: &SecretRef,
        connections: &[Arc<Connection>],
    ) -> SecretLocation {
        location::find(&self.vault, reference, connections)
    }

    /// Since when the values behind `references` are what they are, for those of which that is known. Reads no value.
    pub fn dates(&self, references: &[SecretRef]) -> HashMap<SecretRef, Timestamp> {
        location::dates(&self.vault, references)
    }

    /// What a place of ours holds; nothing for places that others look after.
    async fn own(
        &self,
        reference: &SecretRef,
        slot: &SecretPlace,
    ) -> Result<Option<FoundSecret>, SecretProblem> {
        match reference {
            SecretRef::Vault(name) => {
                let entry = self.entry(name).await?;
                Ok(Some(FoundSecret {
                    value: entry.value().clone(),
                    origin: entry.origin(),
                }))
            }
            SecretRef::Keyring(name) => Ok(Some(self.keyring.get(name).await?)),
            SecretRef::Ask => {
                let entered = self.entered().get(slot).cloned();
                entered.map(Some).ok_or(SecretProblem::NotEntered)
            }
            SecretRef::Env(_) | SecretRef::File(_) | SecretRef::Cmd(_) => Ok(None),
        }
    }

    /// The value of a place that others look after: one line of text, or it is not used.
    async fn of_others(&self, reference: &SecretRef) -> Result<Secret, SecretProblem> {
        let (value, place) = match reference {
            SecretRef::Env(name) => (self.variable(name)?, inert(&reference.to_string(), 80)),
            SecretRef::File(path) => (file(path).await?, files::shown(path)),
            SecretRef::Cmd(words) => {
                let program = words.first().map_or("", String::as_str);
                let value = command::run(words, &self.variables).await?;
                (value, format!("the command {}", inert(program, 80)))
            }
            SecretRef::Vault(_) | SecretRef::Keyring(_) | SecretRef::Ask => {
                return Err(SecretProblem::NotEntered);
            }
        };
        if value.is_too_long() {
            Err(SecretProblem::TooLong(place))
        } else if value.all(|c| !c.is_control() || c == '\t') {
            Ok(value)
        } else {
            Err(SecretProblem::Controls(place))
        }
    }

    /// The value of a variable, without the line end that whoever set it has left there.
    fn variable(&self, name: &str) -> Result<Secret, SecretProblem> {
        let inert = || inert(name, 80);
        let value = (self.look_up)(name).ok_or_else(|| SecretProblem::Unset(inert()))?;
        let value = Secret::new(value.expose().trim_end_matches(['\r', '\n']));
        if value.is_empty() {
            return Err(SecretProblem::EmptyVariable(inert()));
        }
        Ok(value)
    }

    async fn remembered_origin(
        &self,
        reference: &SecretRef,
        slot: &SecretPlace,
    ) -> Result<Option<Origin>, SecretProblem> {
        let (reference, slot) = (reference.clone(), slot.clone());
        self.with_state(move |state| state.origin_of(&reference, &slot))
            .await
    }

    async fn entry(&self, name: &str) -> Result<VaultEntry, SecretProblem> {
        let wanted = name.to_owned();
        let entry = self.with_vault(move |vault| vault.get(&wanted)).await?;
        entry.ok_or_else(|| SecretProblem::NoEntry(inert(name, 80)))
    }

    async fn with_vault<R: Send + 'static>(
        &self,
        call: impl FnOnce(&Vault) -> Result<R, VaultProblem> + Send + 'static,
    ) -> Result<R, SecretProblem> {
        let vault = Arc::clone(&self.vault);
        let done = tokio::task::spawn_blocking(move || wiping(|| call(&vault))).await;
        Ok(done.map_err(SecretProblem::from)??)
    }

    async fn with_state<R: Send + 'static>(
        &self,
        call: impl FnOnce(&StateDb) -> Result<R, StateProblem> + Send + 'static,
    ) -> Result<R, SecretProblem> {
        let state = Arc::clone(&self.state);
        let done = tokio::task::spawn_blocking(move || {
            let state = state().map_err(SecretProblem::NoState)?;
            Ok(call(&state)?)
        });
        done.await?
    }

    fn entered(&self) -> MutexGuard<'_, HashMap<SecretPlace, FoundSecret>> {
        self.session.values()
    }
}

impl Entered {
    /// Forgets all of it but what lasts; the memory is wiped.
    pub fn forget(&self) {
        let lasting = self.lasting.get().map_or(&[][..], Vec::as_slice);
        self.values()
            .retain(|_, entered| lasting.contains(&entered.value));
    }

    /// The values that are entered by now last: nobody is there who could enter them again.
    pub fn keep(&self) {
        let entered = self.values();
        let lasting = entered.values().map(|entered| entered.value.clone());
        let _ = self.lasting.set(lasting.collect());
    }

    fn values(&self) -> MutexGuard<'_, HashMap<SecretPlace, FoundSecret>> {
        self.values.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn file(path: &Path) -> Result<Secret, SecretProblem> {
    let wanted = path.to_owned();
    let read = tokio::task::spawn_blocking(move || wiping(|| files::read_secret(&wanted)));
    match tokio::time::timeout(FILE_TIME_LIMIT, read).await {
        Ok(Ok(secret)) => Ok(secret?),
        Ok(Err(ended)) => Err(ended.into()),
        Err(_) => Err(SecretProblem::FileSilent(files::shown(path))),
    }
}

#[cfg(test)]
mod tests;
