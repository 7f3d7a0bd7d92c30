//! The gate before every request that carries a key: the lock-out budget as the ladder's runner sees it.
//!
//! `work` implements it over the state that all programs share; tests implement it in memory.

use std::future::Future;

use jiff::Timestamp;

use crate::domain::budget::{AttemptEnd, StoppedBy};
use crate::domain::{Cause, HostPort, Secret};

/// A booked attempt: on disk, and counted as rejected until it is settled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ticket {
    /// Where.
    pub host: HostPort,
    /// Its number in the host's record.
    pub number: u64,
}

/// Whether a key may be sent now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Permit {
    /// Booked: send, then settle.
    Granted(Ticket),
    /// Not now.
    Paused {
        /// The time of the next try.
        until: Option<Timestamp>,
        /// One plain sentence.
        why: String,
        /// Whose doing it is.
        by: StoppedBy,
    },
    /// The attempt could not be written down, so it must not be made, and why.
    Unbooked(Cause),
}

/// Books attempts before they are sent, and writes down how they ended.
pub trait Gate: Send + Sync {
    /// Asks for leave to send the pair's key to `host`, and books the attempt (fsynced) where it is given.
    /// `proven`: the host has taken it before.
    fn book(
        &self,
        host: &HostPort,
        pair: (&str, &Secret),
        proven: bool,
    ) -> impl Future<Output = Permit> + Send;

    /// Writes down how a booked attempt ended.
    fn settle(&self, ticket: Ticket, end: AttemptEnd) -> impl Future<Output = ()> + Send;

    /// The host asked for quiet until `until` (429, `Retry-After`).
    fn quiet(&self, host: &HostPort, until: Timestamp) -> impl Future<Output = ()> + Send;
}
