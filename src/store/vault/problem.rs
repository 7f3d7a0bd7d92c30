//! Why the vault was not opened or changed.

use std::path::PathBuf;

use super::files::FileProblem;
use crate::domain::Cause;
use crate::domain::error::JsonProblem;
use crate::store::files::shown;

/// What is wrong with an encrypted file, with nothing of what it holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Damage {
    /// Some other file.
    #[error("it is no file of age")]
    NotAge,
    /// What stands before the encrypted part.
    #[error("its head was changed")]
    Head,
    /// The encrypted part.
    #[error("it was cut or changed")]
    Body,
    /// Inside stands no text.
    #[error("what it holds is no text")]
    NotText,
    /// Inside stands no age identity.
    #[error("it holds no identity")]
    NoIdentity,
    /// Inside stands JSON that another program wrote.
    #[error("it is another program's")]
    Foreign,
    /// Inside stands no JSON, or another one.
    #[error("what it holds: {0}")]
    Json(#[from] JsonProblem),
}

impl Damage {
    /// The same of the file at a path.
    pub(super) fn of_file(self) -> impl Fn(PathBuf) -> VaultProblem {
        move |path| VaultProblem::Damaged { path, damage: self }
    }
}

impl From<serde_json::Error> for Damage {
    fn from(error: serde_json::Error) -> Self {
        Self::Json(error.into())
    }
}

impl From<age::DecryptError> for Damage {
    fn from(error: age::DecryptError) -> Self {
        use age::DecryptError as E;
        match error {
            E::UnknownFormat => Self::NotAge,
            E::InvalidHeader | E::InvalidMac => Self::Head,
            _ => Self::Body,
        }
    }
}

/// Why the vault was not opened or changed. Its files are as they were.
#[derive(Debug, thiserror::Error)]
pub enum VaultProblem {
    /// There is none here.
    #[error(
        "there is no vault here: {} is missing; where there was one, put its folder back",
        shown(path)
    )]
    Absent {
        /// `identity.age`.
        path: PathBuf,
    },
    /// There is a vault, and nothing that opens it.
    #[error(
        "{} is here, and {}, which opens it, is not: put its copy back; or, in a team, have your own added \
         (`switchboard secret recipient own` makes it)",
        shown(vault),
        shown(identity)
    )]
    WithoutIdentity {
        /// `vault.age`.
        vault: PathBuf,
        /// `identity.age`.
        identity: PathBuf,
    },
    /// It is used, and its file is not there.
    #[error(
        "{} is not there: put it back (is its disk mounted?); where it is lost for good, move {} away too and enter \
         the secrets again",
        shown(path),
        shown(identity)
    )]
    Away {
        /// `vault.age`, or where its link leads.
        path: PathBuf,
        /// `identity.age`.
        identity: PathBuf,
    },
    /// There is one here.
    #[error("there is a vault here already: {} is never overwritten", shown(path))]
    Exists {
        /// `identity.age`.
        path: PathBuf,
    },
    /// The passphrase is needed first.
    #[error("the vault is locked: give its passphrase")]
    Locked,
    /// Another passphrase.
    #[error("that is not the vault's passphrase")]
    WrongPassphrase,
    /// Nothing typed.
    #[error("a vault needs a passphrase that is not empty")]
    EmptyPassphrase,
    /// Not an age file, cut, or changed.
    #[error(
        "{} is damaged ({damage}) and is left as it is: take back a copy of it",
        shown(path)
    )]
    Damaged {
        /// Which of the two.
        path: PathBuf,
        /// What is wrong with it.
        damage: Damage,
    },
    /// Over the limit: another program wrote it, or an older one.
    #[error(
        "{} is larger than {limit} bytes, more than is read here, and is left as it is: take back a copy of it; \
         `age -d -i identity.age vault.age` in its folder shows what it holds",
        shown(path)
    )]
    Overfull {
        /// `vault.age`.
        path: PathBuf,
        /// The limit, bytes.
        limit: u64,
    },
    /// Written by a newer program.
    #[error(
        "{} has version {found}, which this program can't read: update switchboard",
        shown(path)
    )]
    Newer {
        /// `vault.age`.
        path: PathBuf,
        /// Its version.
        found: u32,
    },
    /// Opening it would take more memory than is reasonable.
    #[error(
        "{} asks for more work than is reasonable, which an attacker may want: it is not opened",
        shown(path)
    )]
    Excessive {
        /// `identity.age`.
        path: PathBuf,
    },
    /// A team's vault that does not know us.
    #[error(
        "{} is not encrypted to your identity: ask somebody who can open it to add {recipient}",
        shown(path)
    )]
    NotForUs {
        /// `vault.age`.
        path: PathBuf,
        /// What they must add.
        recipient: String,
    },
    /// Not `age1…`, or not in the list.
    #[error("that is not a recipient of this vault: one looks like age1…")]
    NotARecipient,
    /// It would lock its owner out.
    #[error("your own recipient stays: without it you could not open the vault")]
    OwnRecipient,
    /// No such entry.
    #[error("there is no entry {0:?} in the vault")]
    NoEntry(String),
    /// Encrypting failed.
    #[error("{} could not be encrypted; it is as it was", shown(path))]
    Unsealed {
        /// Which of the two.
        path: PathBuf,
        /// Why.
        source: Cause,
    },
    /// The files themselves.
    #[error(transparent)]
    File(#[from] FileProblem),
}

impl VaultProblem {
    /// What is wrong with the file of `vault.age`.
    pub(super) fn of_vault(problem: FileProblem) -> Self {
        match problem {
            FileProblem::TooLarge { path, limit } => Self::Overfull { path, limit },
            other => Self::File(other),
        }
    }
}
