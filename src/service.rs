//! What is known of a service, pure: what to ask on each rung, and what an answer means.
//!
//! [`Ladder`] decides the next [`Step`] from the answers so far and never waits; `probe` asks and never
//! judges. Rules come from `assets/services/*.toml`, embedded; users add their own files.

pub mod catalog;
pub mod hints;
pub mod import;
mod judge;
pub mod ladder;
mod shape;
mod shell;
pub mod sign;
pub mod step;
pub mod subject;
pub mod verify;

pub use catalog::{Catalog, ReasonEntry, Service, ServiceFileProblem};
pub use judge::{from_cache, last_good, quiet_until, reason_of};
pub use ladder::Ladder;
pub use sign::mask_secret;
pub use step::{Ask, Authorization, Request, RungAnswer, Step, StopAfter};
pub use subject::{
    Accepted, HinderedBy, Hindrance, LastGood, OwnTokenSeen, Past, SecretState, Subject, Trigger,
};

#[cfg(test)]
mod tests;
