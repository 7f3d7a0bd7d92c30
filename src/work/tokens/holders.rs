//! Who holds a secret of a token: before a renewal, while it is under way, and once it has switched.

use super::super::error::WorkError;
use super::account::Account;
use super::problem::TokenError;
use super::renewal::Renewal;
use crate::domain::token::NotUpdated;
use crate::domain::{
    Connection, HandleSlot, KeyFingerprint, Name, Origin, Secret, SecretRef, ServiceId, error_chain,
};
use crate::store::state::Holding;
use crate::store::{SecretPlace, StoreKind};
use std::sync::Arc;

/// The secret that a connection held before.
pub(super) struct HeldSecret {
    pub(super) connection: Name,
    pub(super) secret: Secret,
}

/// What was found about the connections under a token's id.
#[derive(Default)]
pub(super) struct Holders {
    /// Those that hold one of its secrets, for the journal.
    pub(super) holdings: Vec<Holding>,
    /// What they hold, in memory.
    pub(super) held: Vec<HeldSecret>,
    /// Those whose secret can't be read.
    pub(super) unread: Vec<NotUpdated>,
}

/// The connections that run on a token, or may.
#[derive(Default)]
pub(super) struct Users {
    /// They do.
    pub(super) running: Vec<Name>,
    /// Their key can't be read.
    pub(super) unread: Vec<Name>,
}

impl Account {
    /// Every connection that holds one of the secrets in `live` under this id, by digest.
    pub(super) async fn holdings(&self, id: &str, live: &[Secret]) -> Result<Holders, TokenError> {
        let mut found = Holders::default();
        let mut wanted = Vec::with_capacity(live.len());
        for secret in live {
            wanted.push(self.digest(id, Some(secret)).await?);
        }
        for other in self.core.connections().await? {
            let named = other.runs_on(id);
            let maybe = named != Some(false) && is_connect(&other);
            let Some(reference) = other.key.clone().filter(|_| maybe) else {
                continue;
            };
            match self.core.secret(&other, &HandleSlot::Key).await {
                Ok(secret) => {
                    let (its_id, secret) = self.core.pair_of(&other, &secret).await?;
                    let digest = self.digest(id, Some(&secret)).await?;
                    if wanted.contains(&digest) && its_id.eq_ignore_ascii_case(id) {
                        found.holdings.push(Holding {
                            connection: other.name.to_string(),
                            old: reference,
                            was: digest,
                            new: None,
                        });
                        found.held.push(HeldSecret {
                            connection: other.name.clone(),
                            secret,
                        });
                    }
                }
                Err(problem @ WorkError::PassphraseNeeded(_)) => return Err(problem.into()),
                // A key for another service that can't be read is taken for none of this token.
                Err(_) if named.is_none() && !self.is_beside(&other) => {}
                Err(problem) => found.unread.push(NotUpdated {
                    connection: other.name.clone(),
                    why: error_chain(&problem),
                }),
            }
        }
        Ok(found)
    }
}

impl Account {
    /// The connections that run on the token `id`, by whatever name they reach the service: an id is one of the
    /// service, which has several hosts. Beside them those at this one of which it is not known, as their key,
    /// which may be a pasted pair, can't be read.
    pub(super) async fn running_on(&self, id: &str) -> Result<Users, TokenError> {
        let mut users = Users::default();
        for other in self.core.connections().await? {
            if !is_connect(&other) {
                continue;
            }
            match self.runs_on(&other, id).await? {
                Some(true) => users.running.push(other.name.clone()),
                None if self.is_beside(&other) => users.unread.push(other.name.clone()),
                Some(false) | None => {}
            }
        }
        Ok(users)
    }

    async fn runs_on(&self, other: &Connection, id: &str) -> Result<Option<bool>, TokenError> {
        if other.name == *self.name() {
            return Ok(Some(id.eq_ignore_ascii_case(self.own_id())));
        }
        let named = other.runs_on(id);
        if named.is_some() {
            return Ok(named);
        }
        match self.core.secret(other, &HandleSlot::Key).await {
            Ok(key) => {
                let (its_id, _) = self.core.pair_of(other, &key).await?;
                Ok(Some(its_id.eq_ignore_ascii_case(id)))
            }
            Err(problem @ WorkError::PassphraseNeeded(_)) => Err(problem.into()),
            Err(_) => Ok(None),
        }
    }

    /// Whether it is a connection to the same service.
    fn is_beside(&self, other: &Connection) -> bool {
        other.service == self.connection.service
            && Origin::parse(&other.url).as_ref() == Some(&self.origin)
    }
}

fn is_connect(connection: &Connection) -> bool {
    connection.service == ServiceId::connect()
}

impl Renewal<'_> {
    /// The connections that hold the old secret, as they stand now; those that are gone are left out.
    pub(super) async fn holders(&self) -> Result<Vec<Arc<Connection>>, TokenError> {
        let mut connections = self.core().connections().await?;
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
    pub(super) fn places(&self, connection: &Connection) -> Option<(SecretRef, SecretRef)> {
        let held = self.holding(connection)?;
        Some((held.old.clone(), held.new.clone()?))
    }

    /// Whether a connection keeps `new`. Where the connections can't be read, the record of the renewal stays,
    /// and it goes on once they can.
    pub(super) async fn kept_here(&self, new: &Secret) -> Result<bool, TokenError> {
        match self.holders().await {
            Ok(holders) => Ok(!holders.is_empty()),
            Err(problem) => Err(self.not_kept(new.clone(), problem)),
        }
    }

    /// The new secret, where an earlier run has put it into one of its places. Refuses where one is in a vault that is
    /// not open: the connection itself may need none, as long as it names the old secret.
    pub(super) async fn kept_already(&self) -> Result<Option<Secret>, TokenError> {
        for connection in self.holders().await? {
            let Some((_, reference)) = self.places(&connection) else {
                continue;
            };
            if StoreKind::of(&reference) == StoreKind::Vault {
                self.vault_is_open().await?;
            }
            let Some((secret, digest)) = self.at(&connection, &reference).await else {
                continue;
            };
            let was = self.holding(&connection).and_then(|held| held.was.as_ref());
            let before = [was, self.record.old.as_ref(), self.record.earlier.as_ref()];
            if !before.contains(&Some(&digest)) {
                return Ok(Some(secret));
            }
        }
        Ok(None)
    }

    /// What the connections held before, where it is still in its place.
    pub(super) async fn held_still(&self) -> Result<Vec<HeldSecret>, TokenError> {
        let mut still = Vec::new();
        for connection in self.holders().await? {
            let Some(holding) = self.holding(&connection) else {
                continue;
            };
            let was = holding.was.as_ref().or(self.record.old.as_ref());
            if let Some((secret, digest)) = self.at(&connection, &holding.old).await
                && was == Some(&digest)
            {
                still.push(HeldSecret {
                    connection: connection.name.clone(),
                    secret,
                });
            }
        }
        Ok(still)
    }

    /// The secret behind `reference` as a probe would send it, with its digest.
    pub(super) async fn at(
        &self,
        connection: &Connection,
        reference: &SecretRef,
    ) -> Option<(Secret, KeyFingerprint)> {
        let secrets = self.core().secrets().await.ok()?;
        let place = SecretPlace::key(&connection.name);
        let secret = secrets.resolve(reference, &place).await.ok()?;
        let (_, secret) = self.core().pair_of(connection, &secret).await.ok()?;
        let digest = self.account.digest(&self.record.token, Some(&secret)).await;
        Some((secret, digest.ok().flatten()?))
    }

    /// Whoever does not name the new secret now is no holder any more: it is gone, or somebody has entered
    /// another key for it meanwhile, which stays. Its place for the new secret is emptied.
    pub(super) async fn let_go(&mut self) -> Result<(), TokenError> {
        let (mut names, mut gone) = (Vec::new(), Vec::new());
        for connection in self.holders().await? {
            let new = self.places(&connection).map(|(_, new)| new);
            if new.is_some() && connection.key == new {
                names.push(connection.name.to_string());
                continue;
            }
            let why = "another key was entered for it meanwhile, which stays".to_owned();
            let place = SecretPlace::key(&connection.name);
            gone.extend(
                new.filter(|new| *new != SecretRef::Ask)
                    .map(|new| (new, place)),
            );
            self.unread.push(NotUpdated {
                connection: connection.name.clone(),
                why,
            });
        }
        self.record
            .holdings
            .retain(|held| names.contains(&held.connection));
        self.core().take_out(gone).await;
        Ok(())
    }
}
