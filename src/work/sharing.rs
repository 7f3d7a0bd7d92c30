//! Who can open the vault: a team's recipients, one's own key, the passphrase before it.

use super::core::Core;
use super::error::WorkError;
use crate::domain::Secret;
use crate::store::VaultProblem;
use crate::store::vault::Recipient;

impl Core {
    /// Those the vault is encrypted to. It must be open.
    pub async fn recipients(&self) -> Result<Vec<Recipient>, WorkError> {
        self.blocking(|inner| {
            inner
                .vault
                .recipients()
                .map_err(|it| vault_error(inner, it))
        })
        .await
    }

    /// Encrypts the vault to one more person from now on: their `age1…`, and whose it is.
    pub async fn add_recipient(&self, key: String, label: String) -> Result<(), WorkError> {
        self.blocking(move |inner| {
            let added = inner.vault.add_recipient(&key, &label);
            // A vault that is not there yet is made for it.
            added.map_err(|problem| inner.refused(problem.into()))
        })
        .await
    }

    /// Encrypts the vault to one person less from now on. What they have seen they keep.
    pub async fn remove_recipient(&self, key: String) -> Result<(), WorkError> {
        self.blocking(move |inner| {
            let removed = inner.vault.remove_recipient(&key);
            removed.map_err(|problem| vault_error(inner, problem))
        })
        .await
    }

    /// One's own recipient, for whoever shall add it: `passphrase` opens the identity, or is the one that a
    /// new identity gets where there is none. Takes about a second.
    pub async fn own_recipient(&self, passphrase: Secret) -> Result<String, WorkError> {
        self.blocking(move |inner| {
            let own = match inner.vault.public_key(&passphrase) {
                Err(VaultProblem::Absent { .. }) => inner.vault.create(&passphrase),
                other => other,
            };
            own.map_err(|problem| vault_error(inner, problem))
        })
        .await
    }

    /// Puts the identity under another passphrase. The vault must be open. Takes about a second.
    pub async fn change_passphrase(&self, passphrase: Secret) -> Result<(), WorkError> {
        self.blocking(move |inner| {
            let changed = inner.vault.change_passphrase(&passphrase);
            changed.map_err(|problem| vault_error(inner, problem))
        })
        .await
    }
}

fn vault_error(inner: &super::core::Inner, problem: VaultProblem) -> WorkError {
    match problem {
        VaultProblem::WrongPassphrase => WorkError::WrongPassphrase,
        other => inner.unread(other.into()),
    }
}
