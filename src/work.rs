//! The use cases, written once for every root: the screen, the commands, the exporter.
//!
//! A [`Desk`] is where all of them start. It is cheap to clone; its clones share configuration, state,
//! secrets, prober and clipboard.
//!
//! ```text
//! Desk::open(Opening { environment, folders })   fast: reads nothing, no vault, no keyring, no network
//! Desk::open_in(opening, session) session()      what an earlier desk had unlocked stays so
//! Desk::rehearsal(environment, entries).await    all in memory, for `demo`
//!     .with_terminal(Terminal)                   what is known of stdout's terminal, for the clipboard
//!
//! configuration() settings() stamp()             re-read only where the file has changed
//! connections() connection(&name)
//! catalog() services() read_services(how)        what users describe wrongly is left out, and told
//! store() environment() folders()                what lies below, for settings, import, doctor
//!
//! save(Draft) -> Saved                           secret first, then configuration, then orphans;
//!     WorkError::StoreNeeded(offers), PassphraseNeeded(Create|Open), NameTaken, …
//! remove(&name) rename(&a, &b) duplicate(&a, &b)
//! load_secrets(&name) -> Loaded                  for the form: value, none, or a sentence each
//! handle(&name, slot) -> Handle                  to reveal
//! enter(&name, slot, secret)                     for `ask` references, this session
//! whereabouts() set_secret(&name, slot, secret, store) move_secret(&name, slot, store) examine()
//! read_import(path, bytes, reader) -> Incoming; import_one(item, store) import_programs(…)   overwrite nothing
//! plan_apply(path, text, …) -> Plan; apply(plan)      definitions kept in git
//! export_definitions(…) export_bundle(…) write_export(…) recipient()
//! call_to_lock() lock_call() sweep()              `secret lock` reaches running screens; leftovers go
//! recipients() add_recipient(key, label) remove_recipient(key) own_recipient(pass) change_passphrase(pass)
//! unlock(pass) create_vault(pass) lock() is_locked() vault_state() offers()
//!
//! probe_saved(&name, manner, &progress)          always a Verdict: a failure of ours is `local-error`
//! probe_connection(&connection, manner, &progress)
//! probe_unsaved(Unsaved, &progress)              a draft, or what arguments say
//! verify_saved(&name, &progress) verify_unsaved(connection, token, &progress)      `token verify`
//! second_opinion(&name, &host, &verdict, &progress)   the same from another machine; …_unsaved likewise
//! probe_targets(urls, TargetSettings, tell) -> Targets<T>   next().await: Option<T>, as they finish; some().await
//! end_attempts()                                 the end: no further key, and none is lost that is under way
//! set_paused(&name, paused) set_maintenance(&name, windows)     left out of watching; may fail as planned
//! watch(Option<&[Name]>, WatchSettings) -> Watch     next().await: WatchEvent; set_paused, hasten, replace
//! history(&name) -> History                     strip, latency, availability, since when; standings() for all
//! ticket(&name, &verdict, (reader, freshness))    for host, vendor, me; a scan proves that no secret is in it
//! events results buckets(&name, …) export_history settle_history                   what was, by time
//! resume(&name)                                  lifts the pause of a key
//!
//! copy(&name, slot, form, life) -> Placed        its terminal_bytes are the caller's to write
//! copy_text(text, life) copy_secret(&secret, life)
//! clear_clipboard() -> Option<Cleared>           likewise; the caller keeps the time
//! ```
//!
//! Blocking work of `store` runs in blocking tasks; every task is owned by the stream or the call that
//! started it, and ends with it.

mod bookings;
mod chance;
mod climb;
pub mod cms;
pub mod copying;
pub mod curl;
pub mod damping;
pub mod desk;
pub mod draft;
mod errand;
pub mod error;
pub mod examine;
mod gate;
pub mod handles;
pub mod history;
mod kept;
mod ledger;
mod local;
pub mod moving;
pub mod offline;
mod opened;
mod planning;
mod preparations;
pub mod probing;
mod profile;
mod record;
pub mod saving;
pub mod second;
pub mod secrets;
pub mod services;
pub mod shared_token;
pub mod sharing;
pub mod targets;
pub mod ticket;
pub mod tokens;
pub mod transfer;
pub mod watch;

pub use crate::domain::history::History;
pub use damping::{Change, Damping};
pub use desk::{Desk, Opening, Rehearsed, Session};
pub use draft::{CopyForm, Draft, Edit, Loaded, Passphrase, Saved, Slot, Unsaved};
pub use error::WorkError;
pub use examine::{Examination, Finding};
pub use probing::{Progress, silent};
pub use targets::{TargetSettings, Targets, listed};
pub use watch::{Watch, WatchEvent, WatchSettings};

#[cfg(test)]
mod tests;
