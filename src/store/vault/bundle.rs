//! Bundles: connections with the values of their secrets, encrypted by age, from one machine to another.
//!
//! A bundle is opened by a passphrase, or by the identity of the vault of whoever it was made for. The `age`
//! command opens it too; what is inside is JSON.

use std::path::Path;

use age::secrecy::SecretString;
use age::x25519::Identity;
use age::{DecryptError, scrypt};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::contents::sealed;
use super::problem::Damage;
use super::{Vault, VaultProblem, WORK_FACTOR, seal};
use crate::domain::error::JsonProblem;
use crate::domain::{Cause, Secret};

/// The version of the JSON inside.
const VERSION: u32 = 1;
/// Tells it from everything else that age may hold.
const FORMAT: &str = "switchboard-bundle";

/// What a bundle holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bundle {
    /// `[[connection]]` tables as in the configuration, without the references whose values follow.
    pub definitions: String,
    /// The values.
    pub secrets: Vec<BundledSecret>,
}

/// One value in a bundle.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BundledSecret {
    /// Whose.
    pub connection: String,
    /// `key`, `token`, or `added/LABEL`.
    pub part: String,
    /// The value.
    #[serde(with = "sealed")]
    pub value: Secret,
}

/// For whom a bundle is made.
#[derive(Clone, Debug)]
pub enum SealTo {
    /// `age1…`, one or several.
    Recipients(Vec<String>),
    /// Whoever knows this.
    Passphrase(Secret),
}

/// Why a bundle was not made or opened. None of them holds a value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BundleProblem {
    /// Not `age1…`.
    #[error("{0} is not a recipient: one looks like age1…")]
    NotARecipient(String),
    /// Nobody.
    #[error("a bundle is encrypted: name a recipient, or give a passphrase")]
    Nobody,
    /// A passphrase opens it.
    #[error(
        "the bundle is under a passphrase: give it by --bundle-passphrase-fd or --bundle-passphrase-file"
    )]
    PassphraseNeeded,
    /// Another one.
    #[error("that is not the bundle's passphrase")]
    WrongPassphrase,
    /// The vault's identity opens it.
    #[error("the bundle is for an identity: unlock the vault that it was made for")]
    IdentityNeeded,
    /// The file that was named can't be read.
    #[error("reading the identity")]
    IdentityFile(#[source] Cause),
    /// Somebody else's.
    #[error("the bundle is not encrypted to your identity: ask for one that is made for {0}")]
    NotForUs(String),
    /// Opening it would take more memory than is reasonable.
    #[error(
        "the bundle asks for more work than is reasonable, which an attacker may want: it is not opened"
    )]
    Excessive,
    /// Cut, changed, or no bundle.
    #[error("the bundle is damaged, or is none of this program: {0}")]
    Damaged(Damage),
    /// Written by a newer program.
    #[error("the bundle has version {0}, which this program can't read: update switchboard")]
    Newer(u32),
    /// Encrypting failed.
    #[error("the bundle could not be encrypted")]
    Unsealed(#[source] Cause),
}

#[derive(Serialize, Deserialize)]
struct BundleFile {
    format: String,
    version: u32,
    definitions: String,
    secrets: Vec<BundledSecret>,
}

/// What every version has.
#[derive(Deserialize)]
struct Head {
    format: String,
    version: u32,
}

/// Encrypts `bundle`.
pub fn seal_bundle(bundle: &Bundle, to: &SealTo) -> Result<Vec<u8>, BundleProblem> {
    // Reserved once: a text that grows leaves copies of itself behind in memory that nobody wipes.
    let values = bundle.secrets.iter();
    let size: usize = values.map(|one| 256 + 6 * one.value.expose().len()).sum();
    let mut text = Zeroizing::new(Vec::with_capacity(
        2 * bundle.definitions.len() + size + 256,
    ));
    let written = BundleFile {
        format: FORMAT.to_owned(),
        version: VERSION,
        definitions: bundle.definitions.clone(),
        secrets: bundle.secrets.clone(),
    };
    serde_json::to_writer(&mut *text, &written)
        .map_err(|error| BundleProblem::Unsealed(Cause::new(JsonProblem::from(error))))?;
    let sealed = match to {
        SealTo::Recipients(keys) if keys.is_empty() => return Err(BundleProblem::Nobody),
        SealTo::Passphrase(passphrase) if passphrase.is_empty() => {
            return Err(BundleProblem::Nobody);
        }
        SealTo::Recipients(keys) => {
            let recipients = keys
                .iter()
                .map(|key| seal::recipient(key).ok_or_else(|| not_one(key)))
                .collect::<Result<Vec<_>, _>>()?;
            let recipients: Vec<&dyn age::Recipient> =
                recipients.iter().map(|recipient| recipient as _).collect();
            seal::encrypt(&text, &recipients)
        }
        SealTo::Passphrase(passphrase) => {
            let mut recipient =
                scrypt::Recipient::new(SecretString::from(passphrase.expose().to_owned()));
            recipient.set_work_factor(WORK_FACTOR);
            seal::encrypt(&text, &[&recipient])
        }
    };
    sealed.map_err(BundleProblem::Unsealed)
}

fn not_one(key: &str) -> BundleProblem {
    BundleProblem::NotARecipient(crate::domain::text::inert(key, 80))
}

/// Opens a bundle that is under a passphrase.
pub fn open_bundle(sealed: &[u8], passphrase: &Secret) -> Result<Bundle, BundleProblem> {
    let mut opener = scrypt::Identity::new(SecretString::from(passphrase.expose().to_owned()));
    opener.set_max_work_factor(seal::WORK_FACTOR_LIMIT);
    let text = seal::decrypt(sealed, &opener).map_err(|error| match error {
        DecryptError::DecryptionFailed | DecryptError::KeyDecryptionFailed => {
            BundleProblem::WrongPassphrase
        }
        DecryptError::ExcessiveWork { .. } => BundleProblem::Excessive,
        DecryptError::NoMatchingKeys => BundleProblem::IdentityNeeded,
        other => BundleProblem::Damaged(other.into()),
    })?;
    read(&text)
}

/// Whether a passphrase opens it, as its head says.
pub fn is_under_passphrase(sealed: &[u8]) -> bool {
    let head = sealed.get(..sealed.len().min(200)).unwrap_or_default();
    String::from_utf8_lossy(head).contains("-> scrypt ")
}

impl Vault {
    /// Opens a bundle that was made for the identity of this vault, which must be unlocked.
    pub fn open_bundle(&self, sealed: &[u8]) -> Result<Bundle, BundleProblem> {
        let guard = self.opened();
        let open = guard.as_ref().ok_or(BundleProblem::IdentityNeeded)?;
        decrypted(sealed, &open.identity)
    }

    /// The recipient that somebody else makes a bundle for, or adds to a team's vault; the vault must be unlocked.
    pub fn recipient(&self) -> Result<String, VaultProblem> {
        self.own_recipient()
    }

    /// Opens a bundle by an identity in a file of its own, as `age-keygen` writes it.
    pub fn open_bundle_by(path: &Path, sealed: &[u8]) -> Result<Bundle, BundleProblem> {
        let text = super::files::read_secret_file(path)
            .map_err(|problem| BundleProblem::IdentityFile(Cause::new(problem)))?;
        let key = text
            .lines()
            .map(str::trim)
            .find(|line| !line.is_empty() && !line.starts_with('#'));
        let identity: Identity = key
            .and_then(|key| key.parse().ok())
            .ok_or(BundleProblem::IdentityNeeded)?;
        decrypted(sealed, &identity)
    }
}

fn decrypted(sealed: &[u8], identity: &Identity) -> Result<Bundle, BundleProblem> {
    let text = seal::decrypt(sealed, identity).map_err(|error| match error {
        DecryptError::NoMatchingKeys => BundleProblem::NotForUs(identity.to_public().to_string()),
        other => BundleProblem::Damaged(other.into()),
    })?;
    read(&text)
}

fn read(text: &[u8]) -> Result<Bundle, BundleProblem> {
    let damaged = |error: serde_json::Error| BundleProblem::Damaged(error.into());
    let head: Head = serde_json::from_slice(text).map_err(damaged)?;
    if head.format != FORMAT {
        return Err(BundleProblem::Damaged(Damage::Foreign));
    }
    if head.version > VERSION {
        return Err(BundleProblem::Newer(head.version));
    }
    let written: BundleFile = serde_json::from_slice(text).map_err(damaged)?;
    Ok(Bundle {
        definitions: written.definitions,
        secrets: written.secrets,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Bundle {
        Bundle {
            definitions: "version = 1\n".to_owned(),
            secrets: vec![BundledSecret {
                connection: "shop".to_owned(),
                part: "key".to_owned(),
                value: Secret::new("geheim-geheim"),
            }],
        }
    }

    #[test]
    fn a_bundle_for_recipients_is_opened_by_their_identity_alone() {
        let (mine, other) = (Identity::generate(), Identity::generate());
        let to = SealTo::Recipients(vec![mine.to_public().to_string()]);
        let sealed = seal_bundle(&sample(), &to).unwrap();
        assert!(!sealed.windows(6).any(|part| part == b"geheim"));
        assert!(!is_under_passphrase(&sealed));
        assert_eq!(decrypted(&sealed, &mine).unwrap(), sample());
        assert_eq!(
            decrypted(&sealed, &other),
            Err(BundleProblem::NotForUs(other.to_public().to_string()))
        );
        let cut = sealed.get(..sealed.len() - 3).unwrap();
        assert_eq!(
            decrypted(cut, &mine),
            Err(BundleProblem::Damaged(Damage::Body))
        );
        assert_eq!(
            open_bundle(&sealed, &Secret::new("x")),
            Err(BundleProblem::IdentityNeeded)
        );
    }

    #[test]
    fn a_bundle_under_a_passphrase_is_opened_by_it_alone() {
        let sealed = seal_bundle(&sample(), &SealTo::Passphrase(Secret::new("right"))).unwrap();
        assert!(is_under_passphrase(&sealed));
        assert_eq!(
            open_bundle(&sealed, &Secret::new("right")).unwrap(),
            sample()
        );
        assert_eq!(
            open_bundle(&sealed, &Secret::new("wrong")),
            Err(BundleProblem::WrongPassphrase)
        );
    }

    #[test]
    fn nobody_is_no_recipient_and_others_are_told() {
        for to in [
            SealTo::Recipients(vec![]),
            SealTo::Passphrase(Secret::new("")),
        ] {
            assert_eq!(seal_bundle(&sample(), &to), Err(BundleProblem::Nobody));
        }
        let to = SealTo::Recipients(vec!["ssh-ed25519 x".to_owned()]);
        assert!(matches!(
            seal_bundle(&sample(), &to),
            Err(BundleProblem::NotARecipient(_))
        ));
    }

    #[test]
    fn what_is_inside_is_read_with_suspicion() {
        let other_form = |line, byte| {
            BundleProblem::Damaged(Damage::Json(JsonProblem::OtherForm { line, byte }))
        };
        for (text, problem) in [
            (
                r#"{"format":"switchboard-bundle","version":2}"#,
                BundleProblem::Newer(2),
            ),
            (
                r#"{"format":"other","version":1}"#,
                BundleProblem::Damaged(Damage::Foreign),
            ),
            (
                "{\"format\":\"switchboard-bundle\",\"version\":1,\n\"secrets\":[\"geheim\"]}",
                other_form(2, 19),
            ),
            (
                "\u{0}",
                BundleProblem::Damaged(Damage::Json(JsonProblem::NotJson { line: 1, byte: 1 })),
            ),
        ] {
            let read = read(text.as_bytes()).unwrap_err();
            assert_eq!(read, problem, "{text}");
            assert!(!format!("{read} {read:?}").contains("geheim"), "{read:?}");
        }
    }
}
