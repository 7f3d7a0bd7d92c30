//! Copies of a connection: they refer to what their original refers to, and no value is kept twice.

use super::super::core::{Core, found};
use super::super::error::WorkError;
use super::super::secrets::references;
use super::Saving;
use crate::domain::{Connection, HandleSlot, Name, Origin, SecretRef};
use crate::store::{Configuration, SecretPlace, Secrets, StoreKind};
use std::sync::Arc;

impl Core {
    /// Adds a copy of the connection `from` under the name `to`; both refer to the same secrets.
    pub async fn duplicate(&self, from: &Name, to: &Name) -> Result<Connection, WorkError> {
        let original = self.connection(from).await?;
        let copy = Connection {
            name: to.clone(),
            ..original.clone()
        };
        let added = copy.clone();
        self.edit(move |document| document.add(&added)).await?;
        // What a connection of this name that is gone has left behind is not the copy's. Forgotten only now,
        // as until the edit the name may be somebody's.
        let gone = to.clone();
        self.remember(move |state| state.remove_connection(&gone))
            .await;
        let secrets = self.secrets().await?;
        for ((reference, old), (_, new)) in references(&original).into_iter().zip(references(&copy))
        {
            share(&secrets, &reference, &old, &new).await;
        }
        Ok(copy)
    }
}

impl Saving<'_> {
    /// Gives a copy what is known of the places that it refers to together with its original.
    pub(super) async fn share_with(&self, original: &Name, configuration: &Configuration) {
        let Ok(original) = found(configuration, original) else {
            return;
        };
        let own = references(&self.after);
        for (reference, old) in references(original) {
            let shared = own
                .iter()
                .find(|(other, place)| (other, &place.part) == (&reference, &old.part));
            if let Some((_, new)) = shared {
                share(&self.secrets, &reference, &old, new).await;
            }
        }
    }

    /// Keeps the value of `held` a second time, for `origin`, unless it is for that already.
    pub(super) async fn part(
        &mut self,
        slot: &HandleSlot,
        held: &SecretRef,
        origin: &Origin,
        connections: &[Arc<Connection>],
    ) -> Result<(), WorkError> {
        let place = self.place(slot);
        let found = match self.secrets.fetch(held, &place).await {
            Ok(found) => found,
            Err(problem) => {
                return match self.core.unread(problem).await {
                    locked @ WorkError::PassphraseNeeded(_) => Err(locked),
                    // What can't be read goes nowhere: the first probe says why, or asks.
                    _ => Ok(()),
                };
            }
        };
        if found.origin.as_ref() == Some(origin) {
            return Ok(());
        }
        self.put(slot, &found.value, StoreKind::of(held), connections)
            .await
    }
}

/// Whether others than the connection of `place` refer to a value beside which its one origin stands, and would lose it
/// to `origin`: those whose URL is there as well need just that.
pub(super) fn is_shared(
    held: &SecretRef,
    (place, origin): (&SecretPlace, &Origin),
    connections: &[Arc<Connection>],
) -> bool {
    let beside = matches!(held, SecretRef::Vault(_) | SecretRef::Keyring(_));
    let mut others = connections
        .iter()
        .filter(|other| other.name != place.connection)
        .filter(|other| Origin::parse(&other.url).as_ref() != Some(origin));
    beside && others.any(|other| references(other).iter().any(|(of, _)| of == held))
}

/// Gives the place `new` what the place `old` knows of a shared reference: origin, and the session's value.
async fn share(secrets: &Secrets, reference: &SecretRef, old: &SecretPlace, new: &SecretPlace) {
    let origin = secrets.origin_of(reference, old).await.ok().flatten();
    match reference {
        SecretRef::Ask => {
            if let Ok(value) = secrets.resolve(reference, old).await {
                let _ = secrets.put(reference, new, &value, origin.as_ref()).await;
            }
        }
        SecretRef::Env(_) | SecretRef::File(_) | SecretRef::Cmd(_) => {
            if let Some(origin) = origin {
                let _ = secrets.set_origin(reference, new, &origin).await;
            }
        }
        SecretRef::Vault(_) | SecretRef::Keyring(_) => {}
    }
}
