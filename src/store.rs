//! Files and secrets: the only room that reads and writes files, and the only one that seals secrets.
//!
//! [`Store`] keeps settings and connections (found by confy, edited so that comments survive), [`Secrets`]
//! answers a reference with its value, [`Vault`] is `vault.age`, [`StateDb`] is `history.sqlite` with the
//! lock-out budget and, in [`history`], the results of watching. Everything but [`Secrets`] blocks: call it
//! through `spawn_blocking` where a runtime waits.

pub mod changes;
pub mod configuration;
pub mod examination;
pub mod files;
pub mod history;
pub mod lock_call;
pub mod secrets;
pub mod stack;
pub mod state;
pub mod transfer;
pub mod vault;

pub use changes::Changes;
pub use configuration::{Configuration, ConfigurationProblem, Settings, Stamp, Store};
pub use files::FileProblem;
pub use history::{RunRecord, Standing};
pub use secrets::{SecretPlace, Secrets, StoreKind};
pub use state::{StateDb, StateProblem};
pub use vault::{Vault, VaultProblem};

/// `error` and its causes as one sentence, for places that hold a text instead of an error.
pub fn error_chain(error: &dyn std::error::Error) -> String {
    let mut sentence = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        sentence.push_str(": ");
        sentence.push_str(&error.to_string());
        sentence.push_str(cure(error));
        cause = error.source();
    }
    crate::domain::text::inert(&sentence, 400)
}

/// What to do about an answer of the system, where that is always the same.
fn cure(cause: &(dyn std::error::Error + 'static)) -> &'static str {
    use std::io::ErrorKind as E;
    match cause
        .downcast_ref::<std::io::Error>()
        .map(std::io::Error::kind)
    {
        Some(E::PermissionDenied) => "; give this user the permission back, then try again",
        Some(E::StorageFull | E::QuotaExceeded) => "; make room on its disk, then try again",
        _ => "",
    }
}
