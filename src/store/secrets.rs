//! From a reference to its value: vault, keyring, environment, file, program, or asked for this session.
//!
//! Values are fetched when they are needed and not kept here, but those that were asked for. Problems are
//! sentences that say what to do; none holds a value.

mod command;
mod keyring;
mod slot;
mod whereabouts;

use std::collections::HashMap;
use std::fmt;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use keyring::Keyring;
pub use keyring::KeyringProblem;
pub use slot::{Part, Slot};
pub use whereabouts::Whereabouts;

use super::files::{self, FileProblem};
use super::state::{State, StateProblem};
use super::vault::{Vault, VaultEntry, VaultProblem, VaultState};
use crate::domain::text::inert;
use crate::domain::{Connection, Name, Origin, Secret, SecretRef};

/// How long a file may take: a dead network share never answers.
const FILE_TIME_LIMIT: Duration = Duration::from_secs(10);

/// Finds the value of an environment variable: `config` alone reads the environment.
pub type LookUp = Arc<dyn Fn(&str) -> Option<Secret> + Send + Sync>;

/// The kinds of places that a value can be kept in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum StoreKind {
    /// The desktop's Secret Service.
    Keyring,
    /// `vault.age`.
    Vault,
    /// An environment variable.
    Env,
    /// A file's first line.
    File,
    /// A program's first line.
    Cmd,
    /// Asked for, this session only.
    Ask,
}

impl StoreKind {
    /// Every kind, in the order in which a first save offers them.
    pub const ALL: [Self; 6] = [
        Self::Keyring,
        Self::Vault,
        Self::Cmd,
        Self::Env,
        Self::File,
        Self::Ask,
    ];

    /// The word before the colon.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Keyring => "keyring",
            Self::Vault => "vault",
            Self::Env => "env",
            Self::File => "file",
            Self::Cmd => "cmd",
            Self::Ask => "ask",
        }
    }

    /// The kind that `word` names.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.word() == word)
    }

    /// The kind of place that `reference` names.
    pub const fn of(reference: &SecretRef) -> Self {
        match reference {
            SecretRef::Keyring(_) => Self::Keyring,
            SecretRef::Vault(_) => Self::Vault,
            SecretRef::Env(_) => Self::Env,
            SecretRef::File(_) => Self::File,
            SecretRef::Cmd(_) => Self::Cmd,
            SecretRef::Ask => Self::Ask,
        }
    }

    /// Whether this program can write there: the others belong to whoever set them up.
    pub const fn is_written_here(self) -> bool {
        matches!(self, Self::Keyring | Self::Vault | Self::Ask)
    }
}

/// Why a value is not at hand, and what to do about it.
#[derive(Debug, thiserror::Error)]
pub enum SecretProblem {
    /// The vault: locked, absent, damaged.
    #[error(transparent)]
    Vault(#[from] VaultProblem),
    /// The vault has no such entry.
    #[error("the vault has no entry {0:?}: enter the secret again, or correct the reference")]
    NoEntry(String),
    /// The variable is not set.
    #[error(
        "the environment variable {0} is not set: set it before starting, or choose another place"
    )]
    Unset(String),
    /// The file.
    #[error(transparent)]
    File(#[from] FileProblem),
    /// The file did not answer.
    #[error("{0} gave no answer within 10 seconds: is it on a network share that is away?")]
    FileSilent(String),
    /// The program.
    #[error("the command {program} gave no secret: {why}")]
    Command {
        /// The program, without its arguments.
        program: String,
        /// What happened.
        why: String,
    },
    /// Not entered in this session.
    #[error("this secret is asked for once a session: enter it, or choose a place that keeps it")]
    NotEntered,
    /// The keyring.
    #[error(transparent)]
    Keyring(#[from] KeyringProblem),
    /// The place is not ours to write to.
    #[error(
        "switchboard does not write to {0}: change the secret where it is kept, or choose vault or keyring"
    )]
    NotWritten(String),
    /// The origin is kept in the state, which can't be used.
    #[error(transparent)]
    State(#[from] StateProblem),
    /// The origin is kept in the state, which could not be opened.
    #[error("the state folder can't be used, so it is not known which host this secret is for")]
    NoState,
    /// A thread ended early: the program is shutting down.
    #[error("the program is shutting down")]
    Ended(#[from] tokio::task::JoinError),
}

/// A place to keep a new secret, and whether it works on this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    /// Which.
    pub kind: StoreKind,
    /// Whether it works; otherwise why not, in one sentence.
    pub works: Result<(), String>,
    /// One line about it, for the choice.
    pub about: &'static str,
}

/// Resolves references. Cheap to clone; all clones share what was entered for the session.
#[derive(Clone)]
pub struct Secrets {
    vault: Arc<Vault>,
    look_up: LookUp,
    state: Option<Arc<State>>,
    keyring: Arc<Keyring>,
    session: Arc<Mutex<HashMap<Slot, Entered>>>,
}

#[derive(Clone)]
struct Entered {
    value: Secret,
    origin: Option<Origin>,
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Secrets")
            .field("vault", &self.vault)
            .finish_non_exhaustive()
    }
}

impl Secrets {
    /// Resolves with this vault, this look-up for `env:`, and this state for the origins of places that
    /// can't hold one themselves; without a state, those have none and nothing of them is sent.
    pub fn new(vault: Arc<Vault>, look_up: LookUp, state: Option<Arc<State>>) -> Self {
        Self {
            vault,
            look_up,
            state,
            keyring: Arc::default(),
            session: Arc::default(),
        }
    }

    /// The vault behind `vault:`.
    pub fn vault(&self) -> &Arc<Vault> {
        &self.vault
    }

    /// The value behind `reference`, which stands at `slot`. At most 10 seconds.
    pub async fn resolve(
        &self,
        reference: &SecretRef,
        slot: &Slot,
    ) -> Result<Secret, SecretProblem> {
        match reference {
            SecretRef::Vault(name) => Ok(self.entry(name).await?.value().clone()),
            SecretRef::Keyring(name) => Ok(self.keyring.get(name).await?.value),
            SecretRef::Env(name) => {
                let value = (self.look_up)(name).filter(|value| !value.is_empty());
                value.ok_or_else(|| SecretProblem::Unset(inert(name, 80)))
            }
            SecretRef::File(path) => file(path).await,
            SecretRef::Cmd(words) => command::run(words).await,
            SecretRef::Ask => {
                let entered = self
                    .entered()
                    .get(slot)
                    .map(|entered| entered.value.clone());
                entered.ok_or(SecretProblem::NotEntered)
            }
        }
    }

    /// The origin that the value was entered for: kept beside the value, or in the state for places that
    /// can't hold it. Nothing where none was ever written down.
    pub async fn origin_of(
        &self,
        reference: &SecretRef,
        slot: &Slot,
    ) -> Result<Option<Origin>, SecretProblem> {
        match reference {
            SecretRef::Vault(name) => Ok(self.entry(name).await?.origin()),
            SecretRef::Keyring(name) => Ok(self.keyring.get(name).await?.origin),
            SecretRef::Ask => Ok(self
                .entered()
                .get(slot)
                .and_then(|entered| entered.origin.clone())),
            SecretRef::Env(_) | SecretRef::File(_) | SecretRef::Cmd(_) => {
                let (reference, slot) = (reference.clone(), slot.clone());
                self.with_state(move |state| state.origin_of(&reference, &slot))
                    .await
            }
        }
    }

    /// Writes down that the value is for `origin` from now on: somebody has entered it for that, or agreed.
    pub async fn set_origin(
        &self,
        reference: &SecretRef,
        slot: &Slot,
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
        slot: &Slot,
        value: &Secret,
        origin: Option<&Origin>,
    ) -> Result<(), SecretProblem> {
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
                    Entered {
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
    /// Whether other connections share it is asked before ([`Secrets::whereabouts`]).
    pub async fn remove(&self, reference: &SecretRef, slot: &Slot) -> Result<(), SecretProblem> {
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
    /// [`State::rename_connection`]; entries of vault and keyring keep their names.
    pub fn rename_connection(&self, from: &Name, to: &Name) {
        let mut session = self.entered();
        let moved: Vec<Slot> = session
            .keys()
            .filter(|slot| slot.connection == *from)
            .cloned()
            .collect();
        for slot in moved {
            if let Some(entered) = session.remove(&slot) {
                session.insert(
                    Slot {
                        connection: to.clone(),
                        ..slot
                    },
                    entered,
                );
            }
        }
    }

    /// A reference for a new value of `kind`: named after its place, and not yet used by another one. `None`
    /// for kinds that are not written here.
    pub fn new_reference(
        &self,
        kind: StoreKind,
        slot: &Slot,
        connections: &[Connection],
    ) -> Option<SecretRef> {
        let make: fn(String) -> SecretRef = match kind {
            StoreKind::Keyring => SecretRef::Keyring,
            StoreKind::Vault => SecretRef::Vault,
            StoreKind::Ask => return Some(SecretRef::Ask),
            StoreKind::Env | StoreKind::File | StoreKind::Cmd => return None,
        };
        let kept = match kind {
            StoreKind::Vault => self.vault.names().unwrap_or_default(),
            _ => Vec::new(),
        };
        let name = slot.to_string();
        let names =
            std::iter::once(name.clone()).chain((2..).map(|number| format!("{name}-{number}")));
        let mut free = names.filter(|name| {
            let reference = make(name.clone());
            !kept.contains(name) && whereabouts::users(&reference, connections).is_empty()
        });
        free.next().map(make)
    }

    /// Forgets everything: locks the vault, and what was entered for this session must be entered again.
    pub fn lock(&self) {
        self.vault.lock();
        self.entered().clear();
    }

    /// The places for a new secret, with whether each works on this machine.
    pub async fn offers(&self) -> Vec<Offer> {
        let keyring = self
            .keyring
            .works()
            .await
            .map_err(|problem| problem.to_string());
        let vault = match self.vault.state() {
            VaultState::Unlocked | VaultState::Locked => Ok(()),
            VaultState::Absent => {
                let folder = self.vault.folder().to_owned();
                let made =
                    tokio::task::spawn_blocking(move || files::make_private_folder(&folder)).await;
                match made {
                    Ok(made) => made.map_err(|problem| super::told(&problem)),
                    Err(ended) => Err(SecretProblem::Ended(ended).to_string()),
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
                    about: about(kind),
                }
            })
            .collect()
    }

    /// Where the value lives: for `secret where` and `doctor`. Reads no value.
    pub fn whereabouts(&self, reference: &SecretRef, connections: &[Connection]) -> Whereabouts {
        whereabouts::find(&self.vault, reference, connections)
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
        let done = tokio::task::spawn_blocking(move || call(&vault)).await;
        Ok(done.map_err(SecretProblem::from)??)
    }

    async fn with_state<R: Send + 'static>(
        &self,
        call: impl FnOnce(&State) -> Result<R, StateProblem> + Send + 'static,
    ) -> Result<R, SecretProblem> {
        let state = self.state.clone().ok_or(SecretProblem::NoState)?;
        let done = tokio::task::spawn_blocking(move || call(&state)).await;
        Ok(done.map_err(SecretProblem::from)??)
    }

    fn entered(&self) -> MutexGuard<'_, HashMap<Slot, Entered>> {
        self.session.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn file(path: &Path) -> Result<Secret, SecretProblem> {
    let wanted = path.to_owned();
    let read = tokio::task::spawn_blocking(move || files::read_secret(&wanted));
    match tokio::time::timeout(FILE_TIME_LIMIT, read).await {
        Ok(Ok(secret)) => Ok(secret?),
        Ok(Err(ended)) => Err(ended.into()),
        Err(_) => Err(SecretProblem::FileSilent(files::shown(path))),
    }
}

const fn about(kind: StoreKind) -> &'static str {
    match kind {
        StoreKind::Keyring => "the desktop's keyring, unlocked when you log in",
        StoreKind::Vault => {
            "an encrypted file under a passphrase, several people in git if you like"
        }
        StoreKind::Env => "an environment variable, set by whoever starts this program",
        StoreKind::File => "the first line of a file, such as a mounted secret",
        StoreKind::Cmd => "a program that prints it: pass, op, vault, bao, gopass",
        StoreKind::Ask => "nowhere: asked for once a session",
    }
}

#[cfg(test)]
mod tests;
