//! The kinds of places for a secret, and what is offered for a new one.

use crate::domain::{Cause, SecretRef};

/// The kinds of places that a value can be kept in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum StoreKind {
    /// The desktop's Secret Service.
    Keyring,
    /// `vault.age`.
    Vault,
    /// An environment variable.
    Env,
    /// A file's first line.
    File,
    /// A program's first line.
    Cmd,
    /// Asked for, this session only.
    Ask,
}

impl StoreKind {
    /// Every kind, in the order in which a first save offers them.
    pub const ALL: [Self; 6] = [
        Self::Keyring,
        Self::Vault,
        Self::Cmd,
        Self::Env,
        Self::File,
        Self::Ask,
    ];

    /// The word before the colon.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Keyring => "keyring",
            Self::Vault => "vault",
            Self::Env => "env",
            Self::File => "file",
            Self::Cmd => "cmd",
            Self::Ask => "ask",
        }
    }

    /// The kind that `word` names.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.word() == word)
    }

    /// The kind of place that `reference` names.
    pub const fn of(reference: &SecretRef) -> Self {
        match reference {
            SecretRef::Keyring(_) => Self::Keyring,
            SecretRef::Vault(_) => Self::Vault,
            SecretRef::Env(_) => Self::Env,
            SecretRef::File(_) => Self::File,
            SecretRef::Cmd(_) => Self::Cmd,
            SecretRef::Ask => Self::Ask,
        }
    }

    /// Whether this program keeps there what it is still to have when it is started again.
    pub const fn lasts(self) -> bool {
        matches!(self, Self::Keyring | Self::Vault)
    }

    /// Whether this program can write there: the others belong to whoever set them up.
    pub const fn is_written_here(self) -> bool {
        matches!(self, Self::Keyring | Self::Vault | Self::Ask)
    }
}

/// A place to keep a new secret, and whether it works on this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    /// Which.
    pub kind: StoreKind,
    /// Whether it works; otherwise why not.
    pub works: Result<(), Cause>,
    /// One line about it, for the choice.
    pub about: &'static str,
}

/// One line about it, for the choice at a first save.
pub(super) const fn about(kind: StoreKind) -> &'static str {
    match kind {
        StoreKind::Keyring => "the desktop's keyring, unlocked when you log in",
        StoreKind::Vault => {
            "an encrypted file under a passphrase, several people in git if you like"
        }
        StoreKind::Env => "an environment variable, set by whoever starts this program",
        StoreKind::File => "the first line of a file, such as a mounted secret",
        StoreKind::Cmd => "a program that prints it: pass, op, vault, bao, gopass",
        StoreKind::Ask => "nowhere: asked for once a session",
    }
}
