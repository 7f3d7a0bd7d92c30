//! Why a secret is not at hand.

use super::KeyringProblem;
use crate::domain::{Cause, Secret};
use crate::store::files::FileProblem;
use crate::store::state::StateProblem;
use crate::store::vault::VaultProblem;

/// Why a value is not at hand, and what to do about it.
#[derive(Debug, thiserror::Error)]
pub enum SecretProblem {
    /// The vault: locked, absent, damaged.
    #[error(transparent)]
    Vault(#[from] VaultProblem),
    /// The vault has no such entry.
    #[error("the vault has no entry {0:?}: enter the secret again, or correct the reference")]
    NoEntry(String),
    /// The variable is not set.
    #[error(
        "the environment variable {0} is not set, or not in UTF-8: set it before starting, or choose another place"
    )]
    Unset(String),
    /// It is, to nothing.
    #[error("the environment variable {0} is empty: set it to the secret before starting")]
    EmptyVariable(String),
    /// The file.
    #[error(transparent)]
    File(#[from] FileProblem),
    /// The file did not answer.
    #[error("{0} gave no answer within 10 seconds: is it on a network share that is away?")]
    FileSilent(String),
    /// More than a value stands there.
    #[error(
        "the value of {0} holds line ends or control characters: is it the right one? Nothing of it is used"
    )]
    Controls(String),
    /// More than any key or token.
    #[error("the value of {0} is longer than {limit} bytes: is it the right one? Nothing of it is used", limit = Secret::LIMIT)]
    TooLong(String),
    /// The program.
    #[error("the command {program} gave no secret: {why}")]
    Command {
        /// The program, without its arguments.
        program: String,
        /// What happened.
        why: String,
    },
    /// Not entered in this session.
    #[error(
        "this secret is asked for once a session, and was not entered in this one: on the screen e, its field and Ctrl-S enter it, and a command asks for it at a terminal; or choose a place that keeps it"
    )]
    NotEntered,
    /// The keyring.
    #[error(transparent)]
    Keyring(#[from] KeyringProblem),
    /// The place is not ours to write to.
    #[error(
        "switchboard does not write to {0}: change the secret where it is kept, or choose vault or keyring"
    )]
    NotWritten(String),
    /// The origin is kept in the state, which can't be used.
    #[error(transparent)]
    State(#[from] StateProblem),
    /// The origin is kept in the state, which could not be opened.
    #[error("it is not known which host this secret is for")]
    NoState(#[source] Cause),
    /// A thread ended early: the program is shutting down.
    #[error("the program is shutting down")]
    Ended(#[from] tokio::task::JoinError),
}
