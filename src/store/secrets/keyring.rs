//! `keyring:` references: the desktop's Secret Service.

use crate::domain::{Origin, Secret};

/// Why the keyring did not answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyringProblem {
    /// There is none to talk to.
    #[error("no Secret Service answers on this machine: choose vault, or another place")]
    Absent,
}

/// What the keyring holds under one name.
pub(super) struct Kept {
    pub(super) value: Secret,
    pub(super) origin: Option<Origin>,
}

pub(super) async fn get(_name: &str) -> Result<Kept, KeyringProblem> {
    Err(KeyringProblem::Absent)
}

pub(super) async fn put(
    _name: &str,
    _value: &Secret,
    _origin: Option<&Origin>,
) -> Result<(), KeyringProblem> {
    Err(KeyringProblem::Absent)
}

pub(super) async fn remove(_name: &str) -> Result<(), KeyringProblem> {
    Err(KeyringProblem::Absent)
}

pub(super) async fn works() -> Result<(), KeyringProblem> {
    Err(KeyringProblem::Absent)
}
