//! Values that take a program or a bus to fetch, kept for a few minutes, so that a watch does not call
//! `pass` eighty times a second. For scheduled probes alone; forgotten on lock, and where one was refused.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::domain::{Name, Origin, Secret, SecretRef};
use crate::store::{SecretPlace, StoreKind};

/// How long a value is taken for the one that its place still holds.
const KEPT_FOR: Duration = Duration::from_secs(300);

#[derive(Default)]
pub(super) struct SecretCache(Mutex<HashMap<SecretPlace, CachedSecret>>);

struct CachedSecret {
    reference: SecretRef,
    origin: Origin,
    secret: Secret,
    until: Instant,
}

impl SecretCache {
    /// Whether values of such a place are worth keeping.
    pub(super) const fn is_for(reference: &SecretRef) -> bool {
        match StoreKind::of(reference) {
            StoreKind::Cmd | StoreKind::Keyring => true,
            StoreKind::Vault | StoreKind::Env | StoreKind::File | StoreKind::Ask => false,
        }
    }

    /// The value that was fetched for just this a short while ago.
    pub(super) fn get(
        &self,
        slot: &SecretPlace,
        reference: &SecretRef,
        origin: &Origin,
    ) -> Option<Secret> {
        let values = self.values();
        let value = values.get(slot)?;
        let same = value.reference == *reference && value.origin == *origin;
        (same && value.until > Instant::now()).then(|| value.secret.clone())
    }

    /// Keeps a value that was fetched just now.
    pub(super) fn put(
        &self,
        slot: &SecretPlace,
        reference: &SecretRef,
        origin: &Origin,
        secret: &Secret,
    ) {
        let value = CachedSecret {
            reference: reference.clone(),
            origin: origin.clone(),
            secret: secret.clone(),
            until: Instant::now() + KEPT_FOR,
        };
        self.values().insert(slot.clone(), value);
    }

    /// Forgets the values of one connection: its key was refused, and may have been changed.
    pub(super) fn forget_of(&self, name: &Name) {
        self.values().retain(|slot, _| slot.connection != *name);
    }

    /// Forgets all of them.
    pub(super) fn forget(&self) {
        self.values().clear();
    }

    fn values(&self) -> MutexGuard<'_, HashMap<SecretPlace, CachedSecret>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_value_is_kept_for_its_place_its_origin_and_a_while() {
        let kept = SecretCache::default();
        let slot = SecretPlace::key(&Name::parse("shop").unwrap());
        let reference: SecretRef = "cmd:pass shop".parse().unwrap();
        let origin = Origin::parse("https://a.example").unwrap();
        let other = Origin::parse("https://b.example").unwrap();
        kept.put(&slot, &reference, &origin, &Secret::new("k"));
        assert_eq!(kept.get(&slot, &reference, &origin), Some(Secret::new("k")));
        assert_eq!(kept.get(&slot, &reference, &other), None);
        assert_eq!(kept.get(&slot, &"cmd:op".parse().unwrap(), &origin), None);
        tokio::time::advance(KEPT_FOR).await;
        assert_eq!(kept.get(&slot, &reference, &origin), None);
    }
}
