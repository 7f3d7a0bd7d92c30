//! Secrets as the use cases need them: shown and copied, loaded into a form, sent by a probe.
//!
//! A secret is sent to the origin that it was entered for, and to no other. Where no origin was ever
//! written down (a reference that somebody wrote into the configuration by hand), the first probe of the
//! saved connection writes it down: that file belongs to its owner alone, or it is not read.

use std::sync::Arc;

use super::core::{Core, Inner};
use super::edit::StoredSecrets;
use super::error::WorkError;
use super::secret_cache::SecretCache;
use crate::domain::{
    Cause, Connection, Handle, HandleSlot, Name, Origin, PassphrasePurpose, Secret, SecretRef,
    error_chain,
};
use crate::service::{HinderedBy, Hindrance, SecretState, sign};
use crate::store::secrets::{Offer, SecretProblem, StateLookUp, Variables};
use crate::store::vault::VaultState;
use crate::store::{SecretPlace, Secrets, StoreKind, VaultProblem};

impl Core {
    /// The secrets of a connection, for its form. Asks for the passphrase where one of them is in a locked
    /// vault; other reasons why one is not at hand stand in its place.
    pub async fn load_secrets(&self, name: &Name) -> Result<StoredSecrets, WorkError> {
        let connection = self.connection(name).await?;
        let key = self.value(&connection, &HandleSlot::Key).await;
        let token = self.value(&connection, &HandleSlot::Token).await;
        let shown = |value: Result<Option<Secret>, WorkError>| match value {
            Err(problem @ WorkError::PassphraseNeeded(_)) => Err(problem),
            Err(problem) => Ok(Err(Cause::new(problem))),
            Ok(value) => Ok(Ok(value)),
        };
        Ok(StoredSecrets {
            key: shown(key)?,
            key_origin: self.key_origin(&connection).await,
            token: shown(token)?,
        })
    }

    /// The origin that the connection's key was entered for, where that was written down.
    async fn key_origin(&self, connection: &Connection) -> Option<Origin> {
        let (reference, place) = reference(connection, &HandleSlot::Key)?;
        let secrets = self.secrets().await.ok()?;
        secrets.origin_of(reference, &place).await.ok().flatten()
    }

    /// A handle, to reveal or copy: for Connect `ApiKey {id}:{secret}`, else the secret, as a probe would send it:
    /// what was kept as a whole header line or as a pair is the handle of what is in it.
    pub async fn handle(&self, name: &Name, slot: &HandleSlot) -> Result<Handle, WorkError> {
        let connection = self.connection(name).await?;
        let secret = self.secret(&connection, slot).await?;
        match slot {
            HandleSlot::Key => {
                let service = self.service_of(&connection).await?;
                let (username, key) = self.pair_of(&connection, &secret).await?;
                Ok(sign::handle(&service, &username, &key))
            }
            HandleSlot::Token | HandleSlot::Added(_) => Ok(Handle::plain(secret)),
        }
    }

    /// The value of a secret that must be there.
    pub(super) async fn secret(
        &self,
        connection: &Connection,
        slot: &HandleSlot,
    ) -> Result<Secret, WorkError> {
        let absent = || WorkError::NoSuchHandle(connection.name.clone(), slot.clone());
        self.value(connection, slot).await?.ok_or_else(absent)
    }

    /// The value of a secret, where the connection has one there.
    async fn value(
        &self,
        connection: &Connection,
        slot: &HandleSlot,
    ) -> Result<Option<Secret>, WorkError> {
        let Some((reference, place)) = reference(connection, slot) else {
            return Ok(None);
        };
        if self.is_shut().await {
            return Err(WorkError::PassphraseNeeded(PassphrasePurpose::Open));
        }
        let secrets = self.secrets().await?;
        match secrets.resolve(reference, &place).await {
            Ok(value) => Ok(Some(value)),
            Err(problem) => Err(self.unread(problem).await),
        }
    }

    /// A problem with a secret as an error of a use case. Beside the runtime: whether a passphrase helps is seen in the
    /// vault's folder, which may be on a share that hangs.
    pub(super) async fn refused(&self, problem: SecretProblem) -> WorkError {
        let told = self.blocking(move |inner| Ok(inner.refused(problem)));
        told.await.unwrap_or_else(|failed| failed)
    }

    /// The same of something that is read.
    pub(super) async fn unread(&self, problem: SecretProblem) -> WorkError {
        let told = self.blocking(move |inner| Ok(inner.unread(problem)));
        told.await.unwrap_or_else(|failed| failed)
    }

    /// Opens the vault. Takes about a second.
    pub async fn unlock(&self, passphrase: Secret) -> Result<(), WorkError> {
        self.blocking(move |inner| {
            inner
                .vault
                .unlock(&passphrase)
                .map_err(|problem| match problem {
                    VaultProblem::WrongPassphrase => WorkError::WrongPassphrase,
                    VaultProblem::Absent { .. } => inner.passphrase_needed(),
                    other => WorkError::failed("opening the vault", other),
                })
        })
        .await
    }

    /// Makes the vault under a new passphrase, and leaves it open. Takes about a second.
    pub async fn create_vault(&self, passphrase: Secret) -> Result<(), WorkError> {
        self.blocking(move |inner| {
            let doing = "making the vault";
            let failed = |problem: VaultProblem| WorkError::failed(doing, problem);
            if inner.vault.state() == VaultState::WithoutIdentity {
                return Err(inner.passphrase_needed());
            }
            match inner.vault.create(&passphrase) {
                // Another program was quicker: the vault is there, and opens if the passphrase is the same.
                Ok(_) | Err(VaultProblem::Exists { .. }) => {}
                Err(problem) => return Err(failed(problem)),
            }
            // A team's vault that came meanwhile knows this new identity only once somebody adds it.
            if inner.vault.state() == VaultState::Unlocked {
                return Ok(());
            }
            inner
                .vault
                .unlock(&passphrase)
                .map_err(|problem| match problem {
                    VaultProblem::WrongPassphrase => WorkError::WrongPassphrase,
                    other => failed(other),
                })
        })
        .await
    }

    /// Forgets all keys and values in memory, and the connections that carried them; until the vault is
    /// open again, probes go without credentials. The clipboard is the caller's to clear:
    /// [`Core::clear_clipboard`] gives bytes for the terminal.
    pub async fn lock(&self) {
        self.0.vault.begin_lock();
        // A change of the vault that is being written is waited for beside the runtime.
        let locked = self.blocking(|inner| {
            inner.secrets().lock();
            inner.kept.forget();
            inner.prober.forget();
            Ok(())
        });
        if let Err(problem) = locked.await {
            tracing::error!(problem = %error_chain(&problem), "not everything is locked");
        }
    }

    /// Whether a person, or idle time, has locked, and a passphrase opens it again: nothing is fetched for probes
    /// until then.
    async fn is_shut(&self) -> bool {
        self.0.vault.is_shut() && self.is_vault_locked().await
    }

    /// Whether a vault is there and locked.
    pub fn is_locked(&self) -> bool {
        self.0.vault.state() == VaultState::Locked
    }

    /// The same for whoever runs beside probes and timers: the vault's folder may be on a share that hangs.
    pub async fn is_vault_locked(&self) -> bool {
        let state = self.blocking(|inner| Ok(inner.vault.state()));
        state.await.is_ok_and(|state| state == VaultState::Locked)
    }

    /// Whether a lock keeps the secrets of `connection` from its probes: that of a person or of idle time all of them,
    /// a vault that was not opened its own.
    pub(super) async fn locks_away(&self, connection: &Connection) -> bool {
        let in_vault =
            |reference: &Option<SecretRef>| matches!(reference, Some(SecretRef::Vault(_)));
        let held = in_vault(&connection.key) || in_vault(&connection.token);
        (held || self.0.vault.is_shut()) && self.is_vault_locked().await
    }

    /// Whether a vault is there, open or not.
    pub async fn has_vault(&self) -> bool {
        let state = self.blocking(|inner| Ok(inner.vault.state()));
        state.await.is_ok_and(|state| state != VaultState::Absent)
    }

    /// The places for a new secret, with whether each works on this machine.
    pub async fn offers(&self) -> Result<Vec<Offer>, WorkError> {
        let mut offers = self.secrets().await?.offers().await;
        if self.folders().is_none() {
            offers.retain(|offer| offer.kind == StoreKind::Ask);
        }
        Ok(offers)
    }

    /// Keeps a secret that is asked for once a session, for the connection's URL as it stands.
    pub async fn enter(
        &self,
        name: &Name,
        slot: &HandleSlot,
        value: Secret,
    ) -> Result<(), WorkError> {
        let connection = self.connection(name).await?;
        let Some((SecretRef::Ask, place)) = reference(&connection, slot) else {
            return Err(WorkError::NoSuchHandle(name.clone(), slot.clone()));
        };
        let origin = Origin::parse(&connection.url);
        let secrets = self.secrets().await?;
        let put = secrets
            .put(&SecretRef::Ask, &place, &value, origin.as_ref())
            .await;
        match put {
            Ok(()) => Ok(()),
            Err(problem) => Err(self.refused(problem).await),
        }
    }

    /// The resolver of references; made at the first call.
    pub(super) async fn secrets(&self) -> Result<Secrets, WorkError> {
        if let Some(secrets) = self.0.secrets.get() {
            return Ok(secrets.clone());
        }
        self.blocking(|inner| Ok(inner.secrets().clone())).await
    }

    /// A stored secret as a probe of `origin` sees it. `trust` says what no origin, or another one, means.
    pub(super) async fn held(
        &self,
        connection: &Connection,
        slot: &HandleSlot,
        origin: Option<&Origin>,
        trust: Trust,
    ) -> SecretState {
        let Some((reference, place)) = reference(connection, slot) else {
            return SecretState::Absent;
        };
        if self.is_shut().await {
            return hindered(HinderedBy::Lock, "secrets are locked: L unlocks them");
        }
        let Some(origin) = origin else {
            return hindered(
                HinderedBy::Other,
                "there is no URL yet that it could be sent to",
            );
        };
        let secrets = match self.secrets().await {
            Ok(secrets) => secrets,
            Err(problem) => return hindered(HinderedBy::Other, error_chain(&problem)),
        };
        let keeps = trust == Trust::Watched && SecretCache::is_for(reference);
        if keeps && let Some(value) = self.0.kept.get(&place, reference, origin) {
            return SecretState::Present(value);
        }
        match allowed(&secrets, reference, &place, origin, trust).await {
            Ok(SecretState::Present(value)) => {
                if keeps {
                    self.0.kept.put(&place, reference, origin, &value);
                }
                SecretState::Present(value)
            }
            Ok(held) => held,
            Err(problem) => self.unfetched(reference, problem).await,
        }
    }

    /// What a probe sees of a secret that was not fetched.
    async fn unfetched(&self, reference: &SecretRef, problem: SecretProblem) -> SecretState {
        if let SecretProblem::State(_) | SecretProblem::NoState(_) = problem {
            return SecretState::Unrecordable(error_chain(&problem));
        }
        let by = hindrance(reference, &problem);
        match self.unread(problem).await {
            WorkError::PassphraseNeeded(PassphrasePurpose::Open) => {
                hindered(HinderedBy::Lock, self.how_to_unlock())
            }
            other => hindered(by, error_chain(&other)),
        }
    }

    fn how_to_unlock(&self) -> &'static str {
        if self.0.ends_at_once.get().is_some() {
            "the vault is locked: --passphrase-file FILE or --passphrase-fd N opens it"
        } else {
            "the vault is locked: L unlocks it"
        }
    }
}

/// What a probe may conclude about a secret whose origin is another one, or was never written down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Trust {
    /// A saved connection: a missing origin is written down, another one is refused.
    Saved,
    /// The same, at its interval: values that are slow to fetch may be a few minutes old.
    Watched,
    /// Something unsaved: a missing or other origin is refused.
    Unsaved,
    /// A person has agreed to send it there.
    Confirmed,
}

fn hindered(by: HinderedBy, why: impl Into<String>) -> SecretState {
    SecretState::Unavailable(Hindrance::new(by, why))
}

/// What keeps the secret behind `reference` away: its place, unless the problem is another one's.
const fn hindrance(reference: &SecretRef, problem: &SecretProblem) -> HinderedBy {
    match problem {
        SecretProblem::State(_) | SecretProblem::NoState(_) | SecretProblem::Ended(_) => {
            HinderedBy::Other
        }
        SecretProblem::Vault(_)
        | SecretProblem::NoEntry(_)
        | SecretProblem::Unset(_)
        | SecretProblem::EmptyVariable(_)
        | SecretProblem::File(_)
        | SecretProblem::FileSilent(_)
        | SecretProblem::Controls(_)
        | SecretProblem::TooLong(_)
        | SecretProblem::Command { .. }
        | SecretProblem::NotEntered
        | SecretProblem::Keyring(_)
        | SecretProblem::NotWritten(_) => match StoreKind::of(reference) {
            StoreKind::Vault => HinderedBy::Vault,
            StoreKind::Keyring => HinderedBy::Keyring,
            StoreKind::Env => HinderedBy::Variable,
            StoreKind::File => HinderedBy::File,
            StoreKind::Cmd => HinderedBy::Program,
            StoreKind::Ask => HinderedBy::Session,
        },
    }
}

async fn allowed(
    secrets: &Secrets,
    reference: &SecretRef,
    place: &SecretPlace,
    origin: &Origin,
    trust: Trust,
) -> Result<SecretState, SecretProblem> {
    let (known, value) = match StoreKind::of(reference) {
        // Value and origin stand side by side there.
        StoreKind::Vault | StoreKind::Ask | StoreKind::Keyring => {
            let found = secrets.fetch(reference, place).await?;
            (found.origin, Some(found.value))
        }
        // No program is run, and no file read, for a value that may not be sent.
        StoreKind::Env | StoreKind::File | StoreKind::Cmd => {
            (secrets.origin_of(reference, place).await?, None)
        }
    };
    match (known, trust) {
        (Some(known), _) if known == *origin => {}
        (_, Trust::Confirmed) => {}
        (None, Trust::Saved | Trust::Watched) => {
            secrets.set_origin(reference, place, origin).await?;
        }
        (None, Trust::Unsaved) => {
            let why = format!(
                "it is not known which host it was entered for: save the connection, or agree to send it to {origin}"
            );
            return Ok(hindered(HinderedBy::Form, why));
        }
        (Some(known), Trust::Saved | Trust::Watched | Trust::Unsaved) => {
            let by = match trust {
                Trust::Unsaved => HinderedBy::Form,
                Trust::Saved | Trust::Watched | Trust::Confirmed => HinderedBy::Origin,
            };
            let why =
                format!("it was entered for {known}, and is not sent to {origin} unless you agree");
            return Ok(hindered(by, why));
        }
    }
    Ok(SecretState::Present(match value {
        Some(value) => value,
        None => secrets.resolve(reference, place).await?,
    }))
}

impl Inner {
    /// The resolver of references; made at the first call.
    pub(super) fn secrets(&self) -> &Secrets {
        self.secrets.get_or_init(|| {
            let look_up = self.environment.look_up();
            let children = self.children.clone();
            let variables: Variables = Arc::new(move |program| children.variables(program));
            let state = Arc::clone(&self.state);
            // Without a state the vault still works; what needs the state says so, and looks for it again.
            let state: StateLookUp = Arc::new(move || state.get().map_err(Cause::new));
            Secrets::new(self.vault.clone(), look_up, variables, state)
                .with_entered(self.entered.clone())
        })
    }

    /// What the vault needs before anything can be read from it or written. Blocks.
    pub(super) fn passphrase_needed(&self) -> WorkError {
        match self.vault.state() {
            VaultState::Absent => WorkError::PassphraseNeeded(PassphrasePurpose::Create),
            VaultState::Locked | VaultState::Unlocked => {
                WorkError::PassphraseNeeded(PassphrasePurpose::Open)
            }
            VaultState::WithoutIdentity => WorkError::unavailable(self.vault.without_identity()),
        }
    }

    /// A problem with a secret as an error of a use case. Blocks.
    pub(super) fn refused(&self, problem: SecretProblem) -> WorkError {
        match problem {
            SecretProblem::Vault(VaultProblem::Locked | VaultProblem::Absent { .. }) => {
                self.passphrase_needed()
            }
            other => WorkError::unavailable(other),
        }
    }

    /// The same of something that is read: where there is no vault, a new one brings nothing back. Blocks.
    pub(super) fn unread(&self, problem: SecretProblem) -> WorkError {
        match self.refused(problem) {
            WorkError::PassphraseNeeded(PassphrasePurpose::Create) => {
                WorkError::unavailable(self.vault.absent())
            }
            other => other,
        }
    }
}

/// The reference of a slot, and the place that it stands at.
pub(super) fn reference<'a>(
    connection: &'a Connection,
    slot: &HandleSlot,
) -> Option<(&'a SecretRef, SecretPlace)> {
    let name = &connection.name;
    match slot {
        HandleSlot::Key => Some((connection.key.as_ref()?, SecretPlace::key(name))),
        HandleSlot::Token => Some((connection.token.as_ref()?, SecretPlace::token(name))),
        HandleSlot::Added(label) => {
            let mut added = connection.added.iter();
            let (_, reference) = added.find(|(known, _)| known == label)?;
            Some((reference, SecretPlace::added(name, label)))
        }
    }
}

/// Every reference of a connection with its place.
pub(super) fn references(connection: &Connection) -> Vec<(SecretRef, SecretPlace)> {
    [HandleSlot::Key, HandleSlot::Token]
        .into_iter()
        .chain(HandleSlot::of_added(connection))
        .filter_map(|slot| reference(connection, &slot))
        .map(|(reference, place)| (reference.clone(), place))
        .collect()
}
