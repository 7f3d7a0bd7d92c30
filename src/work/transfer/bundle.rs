//! Bundles: connections with their secrets, encrypted, from one machine to another.

use std::path::{Path, PathBuf};

use super::{Incoming, Item, definitions};
use crate::domain::{Connection, HandleSlot, Secret, SecretRef, error_chain};
use crate::store::vault::VaultState;
use crate::store::vault::bundle::{self, Bundle, BundledSecret, SealTo};
use crate::store::{StateDb, Vault, files, transfer};
use crate::work::core::{Core, Inner};
use crate::work::error::WorkError;
use crate::work::secrets::reference;

/// What opens a bundle.
#[derive(Clone, Debug, Default)]
pub enum BundleKey {
    /// The vault's identity.
    #[default]
    Vault,
    /// A passphrase of its own.
    Passphrase(Secret),
    /// An identity in a file, as `age-keygen` writes it.
    Identity(PathBuf),
}

/// A sealed bundle, and what is not in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bundled {
    /// The age file.
    pub sealed: Vec<u8>,
    /// How many values are in it.
    pub secrets: usize,
    /// Values that stayed here and why, a sentence each.
    pub left_out: Vec<String>,
}

impl Core {
    /// Seals the connections with every value that can be had. A locked vault asks for its passphrase first.
    pub async fn export_bundle(
        &self,
        chosen: &[Connection],
        to: SealTo,
    ) -> Result<Bundled, WorkError> {
        let mut bundle = Bundle::default();
        let mut left_out = Vec::new();
        let mut bare = Vec::with_capacity(chosen.len());
        for connection in chosen {
            let mut stripped = connection.clone();
            for (slot, part) in slots(connection) {
                match self.value_for(connection, &slot).await? {
                    BundleEntry::Value(value) => {
                        without(&mut stripped, &part);
                        bundle.secrets.push(BundledSecret {
                            connection: connection.name.to_string(),
                            part,
                            value,
                        });
                    }
                    BundleEntry::Reference => {}
                    BundleEntry::Not(why) => {
                        without(&mut stripped, &part);
                        left_out.push(format!("{} of {}: {why}", part, connection.name));
                    }
                }
            }
            bare.push(stripped);
        }
        bundle.definitions =
            transfer::export(&bare).map_err(|problem| WorkError::failed("exporting", problem))?;
        let secrets = bundle.secrets.len();
        let sealed = self
            .blocking(move |_| {
                let sealed = bundle::seal_bundle(&bundle, &to);
                sealed.map_err(|problem| WorkError::failed("exporting", problem))
            })
            .await?;
        Ok(Bundled {
            sealed,
            secrets,
            left_out,
        })
    }

    async fn value_for(
        &self,
        connection: &Connection,
        slot: &HandleSlot,
    ) -> Result<BundleEntry, WorkError> {
        let Some((kept, _)) = reference(connection, slot) else {
            return Ok(BundleEntry::Reference);
        };
        match kept {
            // These mean the same on another machine, or are meant to differ there; what is asked for once a session is
            // to be kept nowhere.
            SecretRef::Env(_) | SecretRef::File(_) | SecretRef::Cmd(_) | SecretRef::Ask => {
                Ok(BundleEntry::Reference)
            }
            SecretRef::Vault(_) | SecretRef::Keyring(_) => {
                match self.secret(connection, slot).await {
                    Ok(value) => Ok(BundleEntry::Value(value)),
                    Err(problem @ WorkError::PassphraseNeeded(_)) => Err(problem),
                    Err(problem) => Ok(BundleEntry::Not(error_chain(&problem))),
                }
            }
        }
    }

    /// Writes a bundle, or definitions, whole: a new file of mode 0600, or in place of the old one. A device or a pipe
    /// is written into. Files that switchboard itself lives from are not.
    pub async fn write_export(&self, path: PathBuf, bytes: Vec<u8>) -> Result<(), WorkError> {
        self.blocking(move |inner| {
            if inner.is_own_file(&path) {
                let doing = "exporting".to_owned();
                let why = format!(
                    "{} is switchboard's own: choose another file",
                    files::shown(&path)
                );
                return Err(WorkError::failed(doing, why));
            }
            files::write_out(&path, &bytes)
                .map_err(|problem| WorkError::failed("exporting", problem))
        })
        .await
    }

    /// The recipient that others make a bundle for; the vault must be open.
    pub async fn recipient(&self) -> Result<String, WorkError> {
        self.blocking(|inner| match inner.vault.state() {
            VaultState::Absent | VaultState::Locked | VaultState::WithoutIdentity => {
                Err(inner.passphrase_needed())
            }
            VaultState::Unlocked => inner
                .vault
                .recipient()
                .map_err(|problem| WorkError::failed("reading the vault", problem)),
        })
        .await
    }

    /// The vault must be open: where it must be opened first, the caller is asked to. Where there is none, no bundle
    /// is for it, and none is made for one.
    async fn identity_for_bundle(&self) -> Result<(), WorkError> {
        let is_absent = self.blocking(|inner| Ok(inner.vault.state() == VaultState::Absent));
        if is_absent.await? {
            return Err(WorkError::failed(
                "opening the bundle",
                "it is made for somebody's identity, and there is none here yet: \
                 `switchboard secret recipient own` makes one, for which you can be sent a bundle; \
                 --identity FILE opens it with one of age",
            ));
        }
        self.recipient().await.map(drop)
    }

    pub(super) async fn read_bundle(
        &self,
        path: &Path,
        sealed: &[u8],
        opener: &BundleKey,
    ) -> Result<Incoming, WorkError> {
        let under_passphrase = bundle::is_under_passphrase(sealed);
        if matches!(opener, BundleKey::Vault) && !under_passphrase {
            self.identity_for_bundle().await?;
        }
        let (bytes, opener) = (sealed.to_vec(), opener.clone());
        let reading = self.blocking(move |inner| {
            let read = match &opener {
                BundleKey::Vault if under_passphrase => {
                    Err(bundle::BundleProblem::PassphraseNeeded)
                }
                BundleKey::Vault => inner.vault.open_bundle(&bytes),
                BundleKey::Passphrase(passphrase) => bundle::open_bundle(&bytes, passphrase),
                BundleKey::Identity(path) => Vault::open_bundle_by(path, &bytes),
            };
            read.map_err(|problem| WorkError::failed("opening the bundle", problem))
        });
        let bundle = reading.await?;
        let mut incoming = definitions(path, &bundle.definitions)?;
        for secret in bundle.secrets {
            let owner = incoming
                .items
                .iter_mut()
                .find(|item| item.connection.name.as_str() == secret.connection);
            let placed = owner.is_some_and(|item| place(item, &secret.part, secret.value));
            if !placed {
                incoming
                    .left_out
                    .push("a value was left out: the bundle names no place for it".to_owned());
            }
        }
        Ok(incoming)
    }
}

impl Inner {
    /// Whether it is, or would be, what switchboard lives from. A lock that was replaced would be two locks, and
    /// whatever is written over what stands beside the database ends it.
    fn is_own_file(&self, path: &Path) -> bool {
        let state = self.folders.as_ref().map(|folders| &*folders.state);
        let vault = &self.vault;
        let mut own = vec![vault.path(), vault.identity_path(), vault.lock_path()];
        own.extend(state.into_iter().flat_map(StateDb::files));
        self.store.owns(path) || own.iter().any(|own| files::is_same_file(path, own))
    }
}

enum BundleEntry {
    Value(Secret),
    Reference,
    Not(String),
}

fn slots(connection: &Connection) -> Vec<(HandleSlot, String)> {
    let mut slots = vec![
        (HandleSlot::Key, "key".to_owned()),
        (HandleSlot::Token, "token".to_owned()),
    ];
    let added = connection.added.iter();
    slots.extend(added.map(|(label, _)| {
        let slot = HandleSlot::Added(label.clone());
        (slot, format!("added/{label}"))
    }));
    slots
}

/// Takes the reference out whose value travels, or can't.
fn without(connection: &mut Connection, part: &str) {
    match part.strip_prefix("added/") {
        Some(label) => connection.added.retain(|(other, _)| other != label),
        None if part == "key" => connection.key = None,
        None => connection.token = None,
    }
}

fn place(item: &mut Item, part: &str, value: Secret) -> bool {
    match (part, part.strip_prefix("added/")) {
        ("key", _) => item.key = Some(value),
        ("token", _) => item.token = Some(value),
        (_, Some(label)) => item.added.push((label.to_owned(), value)),
        _ => return false,
    }
    true
}
