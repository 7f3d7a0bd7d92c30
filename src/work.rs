//! The use cases, written once for every root: the screen, the commands, the exporter.
//!
//! A [`Core`] is where all of them start. It is cheap to clone; its clones share configuration, state, secrets,
//! prober and clipboard. [`Core::open`] reads nothing; each part is opened at its first use.
//!
//! | family | begins at | what it promises |
//! |---|---|---|
//! | probing | [`Core::probe_saved`], [`Core::probe_unsaved`], [`targets`], [`watch`] | always a verdict: a failure of ours is `local-error`; each attempt with a key is booked before it is sent |
//! | keeping | [`Core::save`], [`Core::rename`], [`Core::remove`], [`transfer`] | secret first, then configuration, then orphans: what fails half-way leaves no connection without its secret |
//! | secrets | [`Core::handle`], [`Core::unlock`], [`moving`], [`sharing`] | a value is read where it is used, once, and for the origin that it was entered for |
//! | tokens | [`Core::account`](tokens) | a renewal keeps a journal, and goes on after whatever ended it |
//! | clipboard | [`Core::copy`] | says which route took the text, and takes it back |
//! | looking back | [`history`], [`ticket`], [`examine`] | no secret in any of it |
//!
//! A save that needs an answer first says so as an error: [`WorkError::StoreNeeded`], [`WorkError::PassphraseNeeded`],
//! [`WorkError::NameTaken`]; whoever asked answers and saves again.
//!
//! Blocking work of `store` runs in blocking tasks; every task is owned by the stream or the call that started it,
//! and ends with it.

mod bookings;
mod climb;
pub mod cms;
pub mod copying;
pub mod core;
pub mod curl;
pub mod damping;
pub mod edit;
pub mod error;
pub mod examine;
pub mod files_now;
mod gate;
pub mod handles;
pub mod history;
mod history_writer;
mod jitter;
mod job;
mod lazy_state;
mod lines;
mod local;
pub mod moving;
pub mod offline;
mod planning;
mod preparations;
pub mod probing;
mod profile;
mod recognising;
mod record;
pub mod saving;
pub mod second;
mod secret_cache;
pub mod secrets;
pub mod services;
pub mod shared_token;
pub mod sharing;
pub mod targets;
mod task_thread;
pub mod ticket;
pub mod tokens;
pub mod transfer;
pub mod watch;

pub use self::core::{Core, CoreOptions, Rehearsed, Session};
pub use crate::domain::history::History;
pub use damping::{Change, Damping};
pub use edit::{ConnectionEdit, Edit, Saved, StoredSecrets, Unsaved};
pub use error::WorkError;
pub use examine::{Examination, Finding};
pub use files_now::FilesNow;
pub use probing::{Progress, silent};
pub use record::announcement;
pub use targets::{TargetSettings, Targets, listed};
pub use task_thread::TaskThread;
pub use watch::{Watch, WatchEvent, WatchSettings};

#[cfg(test)]
mod tests;
