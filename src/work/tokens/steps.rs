//! The single steps of a renewal: who holds the old secret, places for the new one, switching, proving.

use super::super::desk::Desk;
use super::super::draft::{Draft, Edit, Passphrase, Slot, Unsaved};
use super::super::error::WorkError;
use super::super::probing::silent;
use super::super::secrets::origin_of;
use super::account::Account;
use super::problem::TokenError;
use super::renewal::Renewal;
use crate::domain::{
    CheckId, Connection, Name, Reason, Secret, SecretRef, ServiceId, State as Lamp, Verdict,
};
use crate::service::Manner;
use crate::store::files::Lock;
use crate::store::state::{Holding, RenewalStage};
use crate::store::vault::VaultState;
use crate::store::{Slot as Place, State, StateProblem, StoreKind};

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

/// What `verdict` says about the secret that it was made with.
pub(super) fn accepted(verdict: &Verdict) -> Proof {
    if verdict.checks.get(CheckId::Credentials).state == Lamp::Ok {
        return Proof::Accepted;
    }
    match verdict.reason {
        Reason::CredentialsRejected => Proof::Rejected,
        _ => Proof::Unclear,
    }
}

impl Desk {
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
            let taken = taken.map_err(|problem| WorkError::failed("renewing a token", &problem))?;
            Ok(taken.map(Some))
        });
        taken.await?.ok_or(TokenError::Busy)
    }

    /// Reads or writes the journal.
    pub(super) async fn journal<R: Send + 'static>(
        &self,
        work: impl FnOnce(&State) -> Result<R, StateProblem> + Send + 'static,
    ) -> Result<R, TokenError> {
        let done = self.blocking(move |inner| {
            work(&*inner.state()?)
                .map_err(|problem| WorkError::failed("keeping the journal of renewals", &problem))
        });
        Ok(done.await?)
    }
}

impl Account {
    /// Every connection that holds `old` under this id, by digest; and those whose secret can't be read.
    pub(super) async fn holdings(
        &self,
        id: &str,
        old: Option<&Secret>,
    ) -> Result<(Vec<Holding>, Vec<(Name, String)>), TokenError> {
        let (mut holdings, mut unread) = (Vec::new(), Vec::new());
        let wanted = self.digest(id, old).await?;
        for other in self.desk.connections().await? {
            let username = other.username.trim();
            // Without a username the key may be a pasted pair.
            let same_id = username.is_empty() || username.eq_ignore_ascii_case(id);
            let Some(reference) = other.key.clone().filter(|_| same_id && is_connect(&other))
            else {
                continue;
            };
            match self.desk.secret(&other, Slot::Key).await {
                Ok(secret) => {
                    let (its_id, secret) = self.desk.pair_of(&other, &secret).await?;
                    let digest = self.digest(id, Some(&secret)).await?;
                    if wanted.is_some() && digest == wanted && its_id.eq_ignore_ascii_case(id) {
                        holdings.push(Holding {
                            connection: other.name.to_string(),
                            old: reference.to_string(),
                            new: None,
                        });
                    }
                }
                Err(problem @ WorkError::PassphraseNeeded(_)) => return Err(problem.into()),
                Err(_) if username.is_empty() => {}
                Err(problem) => unread.push((other.name, problem.to_string())),
            }
        }
        Ok((holdings, unread))
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

fn is_connect(connection: &Connection) -> bool {
    connection.service == ServiceId::connect()
}

impl Renewal<'_> {
    fn desk(&self) -> &Desk {
        &self.account.desk
    }

    /// Refuses before anything is asked of the service where the new secret would have no place.
    pub(super) async fn places_can_be_written(&self) -> Result<(), TokenError> {
        for connection in self.holders().await? {
            let kind = self.kind_for(&connection).await?;
            let vault = self.desk().vault_state();
            if kind == StoreKind::Vault && vault != VaultState::Unlocked {
                let needed = match vault {
                    VaultState::Absent => Passphrase::Create,
                    VaultState::Locked | VaultState::Unlocked => Passphrase::Open,
                };
                return Err(WorkError::PassphraseNeeded(needed).into());
            }
        }
        Ok(())
    }

    /// Gives every holder a place for the new secret, and writes them down. Holders of one origin that
    /// shared a place share the new one.
    pub(super) async fn choose_places(&mut self) -> Result<(), TokenError> {
        let connections = self.desk().connections().await?;
        let holders = self.holders().await?;
        let mut chosen: Vec<(String, Option<String>, SecretRef)> = Vec::new();
        for connection in &holders {
            let origin = origin_of(&connection.url).map(|origin| origin.to_string());
            let old = connection.key.as_ref().map(ToString::to_string);
            let old = old.unwrap_or_default();
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
        self.write_down().await
    }

    async fn new_place(
        &self,
        connection: &Connection,
        connections: &[Connection],
        taken: Vec<SecretRef>,
    ) -> Result<SecretRef, TokenError> {
        let kind = self.kind_for(connection).await?;
        let secrets = self.desk().secrets().await?;
        let place = Place::key(&connection.name);
        // Places that were just chosen are as good as used.
        let mut used = connections.to_vec();
        used.extend(taken.into_iter().map(|reference| Connection {
            key: Some(reference),
            ..connection.clone()
        }));
        let found = self
            .desk()
            .blocking(move |_| Ok(secrets.new_reference(kind, &place, &used)));
        let found = found.await?;
        found.ok_or_else(|| {
            let name = &connection.name;
            TokenError::SecretUnavailable(format!(
                "the new secret of {name} can't be kept where the old one is: choose vault or keyring by \
                 `switchboard secret set`"
            ))
        })
    }

    async fn kind_for(&self, connection: &Connection) -> Result<StoreKind, TokenError> {
        let configuration = self.desk().configuration().await?;
        let kept = connection.key.as_ref().map(StoreKind::of);
        if let Some(kind) = kept.filter(|kind| kind.is_written_here()) {
            return Ok(kind);
        }
        let draft = Draft {
            key: Edit::Set(Secret::new("")),
            ..Draft::new(connection.clone())
        };
        let kind = self.desk().kind(&draft, Some(connection), &configuration);
        Ok(kind.await?)
    }

    fn set_place(&mut self, connection: &Connection, reference: &SecretRef) {
        let name = connection.name.as_str();
        for held in &mut self.record.holdings {
            if held.connection == name {
                held.new = Some(reference.to_string());
            }
        }
    }

    /// The connections that hold the old secret, as they stand now; those that are gone are left out.
    async fn holders(&self) -> Result<Vec<Connection>, TokenError> {
        let mut connections = self.desk().connections().await?;
        connections.retain(|connection| self.holding(connection).is_some());
        Ok(connections)
    }

    fn holding(&self, connection: &Connection) -> Option<&Holding> {
        let name = connection.name.as_str();
        self.record
            .holdings
            .iter()
            .find(|held| held.connection == name)
    }

    /// Old and new place of a holder, as far as they are chosen.
    fn places(&self, connection: &Connection) -> Option<(SecretRef, SecretRef)> {
        let held = self.holding(connection)?;
        Some((held.old.parse().ok()?, held.new.as_ref()?.parse().ok()?))
    }

    /// Puts the new secret in its places, beside the old one. What is kept for this session has one place
    /// alone, and follows when the connections are switched.
    pub(super) async fn put(&mut self, new: &Secret) -> Result<(), TokenError> {
        for connection in self.holders().await? {
            match self.places(&connection) {
                Some((_, reference)) if reference != SecretRef::Ask => {
                    self.put_at(&connection, &reference, new).await?;
                }
                _ => {}
            }
        }
        Ok(())
    }

    async fn put_at(
        &self,
        connection: &Connection,
        reference: &SecretRef,
        secret: &Secret,
    ) -> Result<(), TokenError> {
        let origin = origin_of(&connection.url);
        let secrets = self.desk().secrets().await?;
        let place = Place::key(&connection.name);
        let secret = as_kept(connection, &self.record.token, secret);
        let put = secrets.put(reference, &place, &secret, origin.as_ref());
        put.await
            .map_err(|problem| self.desk().0.refused(&problem).into())
    }

    /// The new secret, where an earlier run has put it into one of its places.
    pub(super) async fn kept_already(&self) -> Option<Secret> {
        let secrets = self.desk().secrets().await.ok()?;
        for connection in self.holders().await.ok()? {
            let Some((_, reference)) = self.places(&connection) else {
                continue;
            };
            let place = Place::key(&connection.name);
            let Ok(secret) = secrets.resolve(&reference, &place).await else {
                continue;
            };
            let (_, secret) = self.desk().pair_of(&connection, &secret).await.ok()?;
            let digest = self.account.digest(&self.record.token, Some(&secret)).await;
            if digest.ok().flatten() != self.record.old {
                return Some(secret);
            }
        }
        None
    }

    /// The old secret, where it is still in one of its places.
    pub(super) async fn old_at_hand(&self) -> Option<Secret> {
        let secrets = self.desk().secrets().await.ok()?;
        for connection in self.holders().await.ok()? {
            let reference = self.holding(&connection)?.old.parse().ok()?;
            let place = Place::key(&connection.name);
            let Ok(secret) = secrets.resolve(&reference, &place).await else {
                continue;
            };
            let (_, secret) = self.desk().pair_of(&connection, &secret).await.ok()?;
            let digest = self.account.digest(&self.record.token, Some(&secret)).await;
            if digest.ok().flatten() == self.record.old {
                return Some(secret);
            }
        }
        None
    }

    /// One edit of the configuration, in which every holder that still names the old place gets the new one.
    pub(super) async fn switch(&mut self, new: &Secret) -> Result<(), TokenError> {
        self.refer(|(old, new)| (old, new)).await?;
        for connection in self.holders().await? {
            if connection.key == Some(SecretRef::Ask) {
                self.put_at(&connection, &SecretRef::Ask, new).await?;
            }
        }
        self.desk().0.kept.forget();
        self.record.stage = RenewalStage::Switched;
        self.write_down().await
    }

    /// The same the other way round; the new secret is taken out.
    pub(super) async fn switch_back(&mut self) -> Result<(), TokenError> {
        self.refer(|(old, new)| (new, old)).await?;
        if let Some(old) = self.old.clone() {
            for connection in self.holders().await? {
                if connection.key == Some(SecretRef::Ask) {
                    self.put_at(&connection, &SecretRef::Ask, &old).await?;
                }
            }
        }
        self.take_new_out().await;
        Ok(())
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
                changes.push((connection.name, from, to));
            }
        }
        let edited = self.desk().edit(move |document| {
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
    pub(super) async fn probe_pair(&self, new: &Secret) -> Verdict {
        let holders = self.holders().await.unwrap_or_default();
        let asked_by = &self.account.connection;
        let mut connection = holders.into_iter().next().unwrap_or_else(|| Connection {
            username: self.record.token.clone(),
            ..asked_by.clone()
        });
        connection.username.clone_from(&self.record.token);
        connection.key = None;
        connection.token = None;
        let unsaved = Unsaved {
            key: Some(new.clone()),
            manner: Manner::Asked,
            ..Unsaved::new(connection)
        };
        Box::pin(self.desk().probe_unsaved(unsaved, &silent)).await
    }

    /// Probes every holder as it is saved; the pair alone where nobody holds it.
    pub(super) async fn probe_holders(&self, new: Option<&Secret>) -> Vec<Verdict> {
        let holders = self.holders().await.unwrap_or_default();
        let mut verdicts = Vec::new();
        for connection in &holders {
            let probed = self
                .desk()
                .probe_connection(connection, Manner::Asked, &silent);
            verdicts.push(Box::pin(probed).await);
        }
        if let (true, Some(new)) = (holders.is_empty(), new) {
            verdicts.push(self.probe_pair(new).await);
        }
        verdicts
    }

    /// Takes the old secret out of places that no connection refers to. Gives those where that failed.
    pub(super) async fn take_old_out(&self) -> Vec<SecretRef> {
        self.take_out(|(old, new)| (old != new).then_some(old))
            .await
    }

    /// Takes the new secret out again.
    pub(super) async fn take_new_out(&self) {
        let left = self
            .take_out(|(old, new)| (old != new).then_some(new))
            .await;
        if !left.is_empty() {
            tracing::warn!(
                count = left.len(),
                "values that nobody refers to were left behind"
            );
        }
    }

    async fn take_out(
        &self,
        which: fn((SecretRef, SecretRef)) -> Option<SecretRef>,
    ) -> Vec<SecretRef> {
        let mut gone: Vec<(SecretRef, Place)> = Vec::new();
        for connection in self.holders().await.unwrap_or_default() {
            let Some(reference) = self.places(&connection).and_then(which) else {
                continue;
            };
            let is_ours = StoreKind::of(&reference).is_written_here();
            if is_ours && !gone.iter().any(|(other, _)| *other == reference) {
                gone.push((reference, Place::key(&connection.name)));
            }
        }
        self.desk().take_out(gone).await
    }

    /// Writes down how far this got.
    async fn write_down(&self) -> Result<(), TokenError> {
        let record = self.record.clone();
        self.desk()
            .journal(move |state| state.put_renewal(&record))
            .await
    }

    /// Nothing is left to be done.
    pub(super) async fn end(&self) -> Result<(), TokenError> {
        let (origin, token) = (self.record.origin.clone(), self.record.token.clone());
        self.desk()
            .journal(move |state| state.end_renewal(&origin, &token))
            .await
    }
}
