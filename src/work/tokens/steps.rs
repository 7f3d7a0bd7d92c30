//! The single steps of a renewal: places for the new secret, switching, proving.

use super::super::core::Core;
use super::super::edit::Unsaved;
use super::super::error::WorkError;
use super::super::probing::silent;
use super::problem::TokenError;
use super::renewal::Renewal;
use crate::domain::{
    Cause, CheckId, Connection, Origin, Reason, Secret, SecretRef, State, Verdict,
};
use crate::service::Trigger;
use crate::store::files::Lock;
use crate::store::state::RenewalStage;
use crate::store::vault::VaultState;
use crate::store::{SecretPlace, StateDb, StateProblem, StoreKind};
use std::sync::Arc;

/// What a probe says about a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Proof {
    /// It was accepted.
    Accepted,
    /// It was refused.
    Rejected,
    /// Nothing: no answer, or the key was not sent.
    Unclear,
}

/// What `verdict` says about the secret that it was made with. Of a token that is about to end the service
/// says so after it has accepted the secret: that is a warning beside the proof.
pub(super) fn accepted(verdict: &Verdict) -> Proof {
    let credentials = verdict.checks.get(CheckId::Credentials).state;
    match (credentials, verdict.reason) {
        (State::Ok, _)
        | (
            State::Warn,
            Reason::KeyInUseInactive
            | Reason::WrongCompany
            | Reason::IdentityChanged
            | Reason::ConnectedNoisy
            | Reason::TlsExpiring,
        ) => Proof::Accepted,
        (_, Reason::CredentialsRejected) => Proof::Rejected,
        _ => Proof::Unclear,
    }
}

impl Core {
    /// Leave to renew: one at a time among all programs, so that nobody goes on with what another one is
    /// still doing. Ends with the value, or with the process, however that ends.
    pub(super) async fn sole_renewal(&self) -> Result<Option<Lock>, TokenError> {
        let taken = self.blocking(|inner| {
            let Some(folders) = &inner.folders else {
                return Ok(Some(None));
            };
            // Opening the state makes its folder.
            inner.state()?;
            let taken = Lock::try_take(&folders.state.join(".renewal.lock"));
            let taken = taken.map_err(|problem| WorkError::failed("renewing a token", problem))?;
            Ok(taken.map(Some))
        });
        taken.await?.ok_or(TokenError::Busy)
    }

    /// Reads or writes the journal.
    pub(super) async fn journal<R: Send + 'static>(
        &self,
        work: impl FnOnce(&StateDb) -> Result<R, StateProblem> + Send + 'static,
    ) -> Result<R, TokenError> {
        let _turn = self.0.state.turn().await;
        let done = self.blocking_bare(move |inner| {
            work(&*inner.state()?)
                .map_err(|problem| WorkError::failed("keeping the journal of renewals", problem))
        });
        Ok(done.await?)
    }
}

/// A secret as the connection keeps it: as a pair where it has no username beside it.
fn as_kept(connection: &Connection, id: &str, secret: &Secret) -> Secret {
    if !connection.username.trim().is_empty() {
        return secret.clone();
    }
    let mut pair = Secret::new(format!("{id}:"));
    pair.insert_all(usize::MAX, secret);
    pair
}

impl Renewal<'_> {
    pub(super) fn core(&self) -> &Core {
        &self.account.core
    }

    /// Refuses before anything is asked of the service where the new secret would have no place, or the
    /// connections could not be switched to it: what can't be written is found out by writing.
    pub(super) async fn places_can_be_written(&self) -> Result<(), TokenError> {
        let in_vault = self.goes_into_vault().await?;
        if in_vault {
            self.vault_is_open().await?;
        }
        if self.holders().await?.is_empty() {
            return Ok(());
        }
        let tried = self.core().blocking(move |inner| {
            let failed = |why: Cause| {
                WorkError::failed(
                    "nothing was asked of the service, as the new secret could not be kept",
                    why,
                )
            };
            let written = inner.store.try_to_write();
            written.map_err(|problem| failed(Cause::new(problem)))?;
            if in_vault {
                let written = inner.vault.try_to_write();
                written.map_err(|problem| failed(Cause::new(problem)))?;
            }
            Ok(())
        });
        Ok(tried.await?)
    }

    /// Whether the new secret of any holder has its place in the vault.
    pub(super) async fn goes_into_vault(&self) -> Result<bool, TokenError> {
        let mut in_vault = false;
        for connection in self.holders().await? {
            in_vault |= self.kind_for(&connection).await? == StoreKind::Vault;
        }
        Ok(in_vault)
    }

    /// Refuses where the vault is not open: what is in it would look as if it were not there.
    pub(super) async fn vault_is_open(&self) -> Result<(), TokenError> {
        let looked = self.core().blocking(|inner| match inner.vault.state() {
            VaultState::Unlocked => Ok(()),
            VaultState::Absent | VaultState::Locked | VaultState::WithoutIdentity => {
                Err(inner.passphrase_needed())
            }
        });
        Ok(looked.await?)
    }

    /// Gives every holder a place for the new secret. Holders of one origin that shared a place share the new
    /// one.
    pub(super) async fn choose_places(&mut self) -> Result<(), TokenError> {
        let connections = self.core().connections().await?;
        let holders = self.holders().await?;
        let mut chosen: Vec<(Option<SecretRef>, Option<String>, SecretRef)> = Vec::new();
        for connection in &holders {
            let origin = Origin::parse(&connection.url).map(|origin| origin.to_string());
            let old = connection.key.clone();
            let shared = chosen
                .iter()
                .find(|(of, at, _)| *of == old && *at == origin);
            let reference = if let Some((_, _, reference)) = shared {
                reference.clone()
            } else {
                let taken = chosen.iter().map(|(_, _, reference)| reference.clone());
                self.new_place(connection, &connections, taken.collect())
                    .await?
            };
            self.set_place(connection, &reference);
            chosen.push((old, origin, reference));
        }
        self.record.stage = RenewalStage::Keeping;
        Ok(())
    }

    pub(super) async fn new_place(
        &self,
        connection: &Connection,
        connections: &[Arc<Connection>],
        taken: Vec<SecretRef>,
    ) -> Result<SecretRef, TokenError> {
        let kind = self.kind_for(connection).await?;
        let secrets = self.core().secrets().await?;
        let place = SecretPlace::key(&connection.name);
        // Places that were just chosen are as good as used.
        let mut used = connections.to_vec();
        used.extend(taken.into_iter().map(|reference| {
            Arc::new(Connection {
                key: Some(reference),
                ..connection.clone()
            })
        }));
        let found = secrets.new_reference(kind, &place, &used).await;
        found.ok_or_else(|| {
            let name = &connection.name;
            TokenError::SecretUnavailable(format!(
                "the new secret of {name} can't be kept where the old one is: choose vault or keyring by \
                 `switchboard secret set`"
            ))
        })
    }

    async fn kind_for(&self, connection: &Connection) -> Result<StoreKind, TokenError> {
        let configuration = self.core().configuration().await?;
        let kept = connection.key.as_ref().map(StoreKind::of);
        if let Some(kind) = kept.filter(|kind| kind.is_written_here()) {
            return Ok(kind);
        }
        let kind = self
            .core()
            .store_for(None, Some(connection), &configuration);
        Ok(kind.await?)
    }

    fn set_place(&mut self, connection: &Connection, reference: &SecretRef) {
        let name = connection.name.as_str();
        for held in &mut self.record.holdings {
            if held.connection == name {
                held.new = Some(reference.clone());
            }
        }
    }

    /// Puts the new secret in its places, beside the old one. What is kept for this session has one place
    /// alone, and follows when the connections are switched. One place that fails does not keep it from the others.
    pub(super) async fn put(&mut self, new: &Secret) -> Result<(), TokenError> {
        let mut failed = None;
        for connection in self.holders().await? {
            let place = self.places(&connection).map(|(_, new)| new);
            let Some(reference) = place.filter(|place| *place != SecretRef::Ask) else {
                continue;
            };
            match self.put_at(&connection, &reference, new).await {
                Ok(()) if self.kept.contains(&reference) => {}
                Ok(()) => self.kept.push(reference),
                Err(problem) => failed = failed.or(Some(problem)),
            }
        }
        failed.map_or(Ok(()), Err)
    }

    pub(super) async fn put_at(
        &self,
        connection: &Connection,
        reference: &SecretRef,
        secret: &Secret,
    ) -> Result<(), TokenError> {
        let origin = Origin::parse(&connection.url);
        let secrets = self.core().secrets().await?;
        let place = SecretPlace::key(&connection.name);
        let secret = as_kept(connection, &self.record.token, secret);
        let put = secrets.put(reference, &place, &secret, origin.as_ref());
        match put.await {
            Ok(()) => Ok(()),
            Err(problem) => Err(self.core().refused(problem).await.into()),
        }
    }

    /// One edit of the configuration, in which every holder that still names the old place gets the new one.
    pub(super) async fn switch(&mut self, new: &Secret) -> Result<(), TokenError> {
        self.refer(|(old, new)| (old, new)).await?;
        self.let_go().await?;
        for connection in self.holders().await? {
            if connection.key == Some(SecretRef::Ask) {
                self.put_at(&connection, &SecretRef::Ask, new).await?;
            }
        }
        self.core().0.kept.forget();
        self.record.stage = RenewalStage::Switched;
        self.write_down().await
    }

    /// The same the other way round; the new secret is taken out.
    pub(super) async fn switch_back(&mut self) -> Result<(), TokenError> {
        self.refer(|(old, new)| (new, old)).await?;
        for connection in self.holders().await? {
            let mut held = self.held.iter();
            let held = held.find(|held| held.connection == connection.name);
            if let (Some(held), Some(SecretRef::Ask)) = (held, &connection.key) {
                self.put_at(&connection, &SecretRef::Ask, &held.secret)
                    .await?;
            }
        }
        self.take_new_out().await
    }

    async fn refer(
        &self,
        turned: fn((SecretRef, SecretRef)) -> (SecretRef, SecretRef),
    ) -> Result<(), TokenError> {
        let mut changes = Vec::new();
        for connection in self.holders().await? {
            if let Some((from, to)) = self.places(&connection).map(turned)
                && from != to
            {
                changes.push((connection.name.clone(), from, to));
            }
        }
        if changes.is_empty() {
            return Ok(());
        }
        let edited = self.core().edit(move |document| {
            for (name, from, to) in changes {
                let current = document.connection(&name)?;
                // Somebody has entered another key meanwhile: that one stays.
                if current.key == Some(from) {
                    let after = Connection {
                        key: Some(to),
                        ..current.clone()
                    };
                    document.merge(&current, &after)?;
                }
            }
            Ok(())
        });
        Ok(edited.await?)
    }

    /// Probes with the pair of the token and `new`, without saving anything.
    pub(super) async fn probe_pair(&self, new: &Secret) -> Result<Verdict, TokenError> {
        let holders = self.holders().await?;
        let asked_by = &self.account.connection;
        let holder = holders.into_iter().next().map(Arc::unwrap_or_clone);
        let mut connection = holder.unwrap_or_else(|| asked_by.clone());
        connection.username.clone_from(&self.record.token);
        connection.key = None;
        connection.token = None;
        let unsaved = Unsaved {
            key: Some(new.clone()),
            trigger: Trigger::Asked,
            ..Unsaved::new(connection)
        };
        Ok(Box::pin(self.core().probe_unsaved(unsaved, &silent)).await)
    }

    /// Probes every holder as it is saved; the pair alone where nobody holds it. Fails where the holders can't
    /// be read, since nothing would be proven by probing none of them.
    pub(super) async fn probe_holders(
        &self,
        new: Option<&Secret>,
    ) -> Result<Vec<Verdict>, TokenError> {
        let holders = self.holders().await?;
        let mut verdicts = Vec::new();
        for connection in &holders {
            let probed = self
                .core()
                .probe_connection(connection, Trigger::Asked, &silent);
            verdicts.push(Box::pin(probed).await);
        }
        if let (true, Some(new)) = (holders.is_empty(), new) {
            verdicts.push(self.probe_pair(new).await?);
        }
        Ok(verdicts)
    }

    /// Takes the old secret out of places that no connection refers to. Gives those where that failed.
    pub(super) async fn take_old_out(&self) -> Result<Vec<SecretRef>, TokenError> {
        self.take_out(|(old, new)| (old != new).then_some(old))
            .await
    }

    /// Takes the new secret out again.
    pub(super) async fn take_new_out(&self) -> Result<(), TokenError> {
        let left = self
            .take_out(|(old, new)| (old != new).then_some(new))
            .await?;
        if !left.is_empty() {
            tracing::warn!(
                count = left.len(),
                "values that nobody refers to were left behind"
            );
        }
        Ok(())
    }

    async fn take_out(
        &self,
        which: fn((SecretRef, SecretRef)) -> Option<SecretRef>,
    ) -> Result<Vec<SecretRef>, TokenError> {
        let mut gone: Vec<(SecretRef, SecretPlace)> = Vec::new();
        for connection in self.holders().await? {
            let Some(reference) = self.places(&connection).and_then(which) else {
                continue;
            };
            let is_ours = StoreKind::of(&reference).is_written_here();
            if is_ours && !gone.iter().any(|(other, _)| *other == reference) {
                gone.push((reference, SecretPlace::key(&connection.name)));
            }
        }
        Ok(self.core().take_out(gone).await)
    }

    /// Writes down how far this got.
    pub(super) async fn write_down(&self) -> Result<(), TokenError> {
        let record = self.record.clone();
        self.core()
            .journal(move |state| state.put_renewal(&record))
            .await
    }
}
