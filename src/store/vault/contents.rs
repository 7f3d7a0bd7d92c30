//! What is inside the vault: JSON, so that `age -d` shows something that can be read.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::domain::{Origin, Secret};

/// The version of the JSON inside.
pub(super) const VERSION: u32 = 1;

#[derive(Serialize, Deserialize)]
pub(super) struct Contents {
    pub(super) version: u32,
    /// `age1…` → label.
    pub(super) recipients: BTreeMap<String, String>,
    pub(super) entries: BTreeMap<String, VaultEntry>,
}

impl Default for Contents {
    fn default() -> Self {
        Self {
            version: VERSION,
            recipients: BTreeMap::new(),
            entries: BTreeMap::new(),
        }
    }
}

/// A person's key in the vault's list of those it is encrypted to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recipient {
    /// `age1…`
    pub key: String,
    /// Whose.
    pub label: String,
    /// Whether it belongs to the identity that is unlocked here.
    pub own: bool,
}

/// One secret in the vault.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VaultEntry {
    /// The value.
    #[serde(with = "sealed")]
    pub(super) value: Secret,
    /// Scheme, host and port that it was entered for, as text.
    pub(super) origin: Option<String>,
    /// When the value was put in, UTC.
    pub(super) changed: Timestamp,
}

impl VaultEntry {
    /// The value.
    pub fn value(&self) -> &Secret {
        &self.value
    }

    /// The origin that it was entered for.
    pub fn origin(&self) -> Option<Origin> {
        Origin::parse(self.origin.as_deref()?)
    }

    /// When the value was put in, UTC.
    pub fn changed(&self) -> Timestamp {
        self.changed
    }
}

/// The one place where a secret is written out: into the text that is encrypted next.
pub(super) mod sealed {
    use serde::{Deserialize, Deserializer, Serializer};

    use crate::domain::Secret;

    pub(in crate::store::vault) fn serialize<S: Serializer>(
        secret: &Secret,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(secret.expose())
    }

    pub(in crate::store::vault) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Secret, D::Error> {
        String::deserialize(deserializer).map(Secret::new)
    }
}
