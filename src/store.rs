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
