//! Encrypting and decrypting, with age's errors told apart.

use std::io::{Read, Write};
use std::path::Path;

use age::secrecy::{ExposeSecret, SecretString};
use age::x25519::{Identity, Recipient};
use age::{DecryptError, Decryptor, Encryptor, scrypt};
use zeroize::Zeroizing;

use super::VaultProblem;
use super::contents::{Contents, VERSION};
use super::problem::Damage;
use crate::domain::error::JsonProblem;
use crate::domain::{Cause, Secret};

/// No identity that asks for more is opened: 2^20 is 1 GiB and several seconds.
pub(super) const WORK_FACTOR_LIMIT: u8 = 20;

/// The recipient that `text` is.
pub(super) fn recipient(text: &str) -> Option<Recipient> {
    text.trim().parse().ok()
}

/// The identity as an age key file, under a passphrase.
pub(super) fn seal_identity(
    identity: &Identity,
    passphrase: &Secret,
    work_factor: u8,
) -> Result<Vec<u8>, Cause> {
    let key = identity.to_string();
    let text = Zeroizing::new(format!(
        "# switchboard\n# public key: {}\n{}\n",
        identity.to_public(),
        key.expose_secret()
    ));
    let mut recipient = scrypt::Recipient::new(SecretString::from(passphrase.expose().to_owned()));
    recipient.set_work_factor(work_factor);
    encrypt(text.as_bytes(), &[&recipient])
}

/// Reads what [`seal_identity`] made, or `age -p`.
pub(super) fn open_identity(
    sealed: &[u8],
    passphrase: &Secret,
    path: &Path,
) -> Result<Identity, VaultProblem> {
    let damaged = |damage: Damage| VaultProblem::Damaged {
        path: path.to_owned(),
        damage,
    };
    let mut opener = scrypt::Identity::new(SecretString::from(passphrase.expose().to_owned()));
    opener.set_max_work_factor(WORK_FACTOR_LIMIT);
    let text = decrypt(sealed, &opener).map_err(|error| match error {
        DecryptError::DecryptionFailed | DecryptError::KeyDecryptionFailed => {
            VaultProblem::WrongPassphrase
        }
        DecryptError::ExcessiveWork { .. } => VaultProblem::Excessive {
            path: path.to_owned(),
        },
        other => damaged(other.into()),
    })?;
    let text = std::str::from_utf8(&text).map_err(|_no_text| damaged(Damage::NotText))?;
    let key = text
        .lines()
        .find(|line| !line.is_empty() && !line.starts_with('#'));
    key.and_then(|key| key.trim().parse().ok())
        .ok_or_else(|| damaged(Damage::NoIdentity))
}

/// The contents, encrypted to their recipients.
pub(super) fn seal(contents: &Contents) -> Result<Vec<u8>, Cause> {
    // Reserved once: a text that grows leaves copies of itself behind in memory that nobody wipes.
    let size = contents
        .entries
        .iter()
        .map(|(name, entry)| 256 + 6 * (name.len() + entry.value.expose().len()));
    let mut text = Zeroizing::new(Vec::with_capacity(
        size.sum::<usize>() + 256 * (1 + contents.recipients.len()),
    ));
    serde_json::to_writer(&mut *text, contents)
        .map_err(|error| Cause::new(JsonProblem::from(error)))?;
    let recipients: Vec<Recipient> = contents
        .recipients
        .keys()
        .map(|key| recipient(key).ok_or_else(|| Cause::new(VaultProblem::NotARecipient)))
        .collect::<Result<_, _>>()?;
    let recipients: Vec<&dyn age::Recipient> =
        recipients.iter().map(|recipient| recipient as _).collect();
    encrypt(&text, &recipients)
}

/// What every version of the contents has.
#[derive(serde::Deserialize)]
struct Version {
    version: u32,
}

/// Reads what [`seal`] made.
pub(super) fn open(
    sealed: &[u8],
    identity: &Identity,
    path: &Path,
) -> Result<Contents, VaultProblem> {
    let damaged = |damage: Damage| VaultProblem::Damaged {
        path: path.to_owned(),
        damage,
    };
    let text = decrypt(sealed, identity).map_err(|error| match error {
        DecryptError::NoMatchingKeys => VaultProblem::NotForUs {
            path: path.to_owned(),
            recipient: identity.to_public().to_string(),
        },
        other => damaged(other.into()),
    })?;
    let version: Version = serde_json::from_slice(&text).map_err(|error| damaged(error.into()))?;
    if version.version > VERSION {
        return Err(VaultProblem::Newer {
            path: path.to_owned(),
            found: version.version,
        });
    }
    serde_json::from_slice(&text).map_err(|error| damaged(error.into()))
}

pub(super) fn encrypt(text: &[u8], recipients: &[&dyn age::Recipient]) -> Result<Vec<u8>, Cause> {
    let encryptor = Encryptor::with_recipients(recipients.iter().copied()).map_err(Cause::new)?;
    let mut sealed = Vec::with_capacity(text.len() + 1024);
    let mut writer = encryptor.wrap_output(&mut sealed).map_err(Cause::new)?;
    writer.write_all(text).map_err(Cause::new)?;
    writer.finish().map_err(Cause::new)?;
    Ok(sealed)
}

pub(super) fn decrypt(
    sealed: &[u8],
    identity: &dyn age::Identity,
) -> Result<Zeroizing<Vec<u8>>, DecryptError> {
    let decryptor = Decryptor::new_buffered(sealed)?;
    let mut reader = decryptor.decrypt(std::iter::once(identity))?;
    let mut text = Zeroizing::new(Vec::with_capacity(sealed.len()));
    reader.read_to_end(&mut text)?;
    Ok(text)
}
