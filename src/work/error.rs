//! What can go wrong in a use case, in words for people; probes never fail, they end in a verdict.

use crate::domain::{Cause, HandleSlot, Name, PassphrasePurpose, ServiceId};
use crate::store::secrets::Offer;

/// Why a use case was not done. Nothing was changed where nothing else is said.
#[derive(Debug, thiserror::Error)]
pub enum WorkError {
    /// No connection has this name.
    #[error("there is no connection named {0}")]
    NoSuchConnection(Name),
    /// Nothing describes this service.
    #[error("no service is called {id}: {}", match left_out.as_slice() {
        [] => "`switchboard service list` names those that are known".to_owned(),
        files => format!("does a file that was left out describe it? {}", files.join("; ")),
    })]
    NoSuchService {
        /// What was asked for.
        id: ServiceId,
        /// Why files of the user were left out, a sentence each.
        left_out: Vec<String>,
    },
    /// Another connection has it.
    #[error("there is already a connection named {0}")]
    NameTaken(Name),
    /// Saving needs a place for secrets, and none was chosen yet.
    #[error("choose where secrets are kept")]
    StoreNeeded(Vec<Offer>),
    /// The vault is locked, or there is none yet.
    #[error("{}", match .0 {
        PassphrasePurpose::Create => "the vault needs a passphrase: there is none yet",
        PassphrasePurpose::Open => "the vault is locked",
    })]
    PassphraseNeeded(PassphrasePurpose),
    /// The passphrase is not the vault's.
    #[error("the passphrase is not the right one")]
    WrongPassphrase,
    /// The connection has no such secret.
    #[error("{0} has no {1}")]
    NoSuchHandle(Name, HandleSlot),
    /// A secret is not at hand, and what to do about that.
    #[error(transparent)]
    SecretUnavailable(Cause),
    /// A file, a store or the state refused, or the program itself did.
    #[error("{doing}")]
    Failed {
        /// What was being done to what.
        doing: String,
        /// Why that came to nothing, with the causes below it.
        source: Cause,
    },
}

impl WorkError {
    /// A step that failed: by a lower room's error, or for a reason of ours in one sentence.
    pub(crate) fn failed(
        doing: impl Into<String>,
        why: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        Self::Failed {
            doing: doing.into(),
            source: Cause::new(why),
        }
    }

    /// A secret that is not at hand: by a store's error, or for a reason of ours in one sentence.
    pub(super) fn unavailable(why: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::SecretUnavailable(Cause::new(why))
    }
}
