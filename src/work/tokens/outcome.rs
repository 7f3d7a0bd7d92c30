//! What is told of a renewal: while it runs, and when it has ended.

use jiff::Timestamp;

use crate::domain::{Name, SecretRef, Verdict};
use crate::store::state::RenewalRecord;
use crate::tokens::Expiry;

/// The steps of a renewal, in order. Each is told when it is over and on disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum RenewalStep {
    /// The renewal is written down; the service is asked next.
    WrittenDown,
    /// The service gave a new secret.
    Answered,
    /// The places of the new secret are written down.
    Placed,
    /// The new secret is in its places, beside the old one.
    Kept,
    /// A probe with the new secret was accepted.
    Proven,
    /// The connections use the new secret.
    Switched,
    /// A probe of each of them was accepted.
    ProvenAgain,
    /// The old secret was taken out of its places.
    Tidied,
}

/// Told of every step.
pub type RenewalProgress<'a> = &'a (dyn Fn(RenewalStep) + Send + Sync);

/// Listens to nothing: for callers that wait for the end alone.
pub fn unheard(_: RenewalStep) {}

/// A renewal or rotation that has ended well.
#[derive(Clone, Debug)]
pub struct Renewed {
    /// The token's id.
    pub id: String,
    /// Connections that use the new secret now.
    pub updated: Vec<Name>,
    /// Connections under the same id whose secret could not be read, with one sentence each: they may hold
    /// the old one.
    pub unread: Vec<(Name, String)>,
    /// What probes with the new secret found: one for each connection, or one of the pair alone.
    pub verdicts: Vec<Verdict>,
    /// When the new secret ends.
    pub expires: Expiry,
    /// Until when the old one is valid; nothing is known after a rotation.
    pub old_until: Expiry,
    /// Places of the old secret that could not be emptied.
    pub left_behind: Vec<SecretRef>,
    /// It had been begun earlier.
    pub resumed: bool,
}

/// A renewal that was begun and has not ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unfinished {
    /// The token's id.
    pub id: String,
    /// The connection that asked.
    pub connection: Name,
    /// When.
    pub since: Timestamp,
    /// Every connection that holds the old secret.
    pub holders: Vec<Name>,
}

impl Unfinished {
    /// Nothing where the names are no names any more.
    pub(super) fn of(record: &RenewalRecord) -> Option<Self> {
        let holders = record.holdings.iter();
        Some(Self {
            id: record.token.clone(),
            connection: Name::parse(&record.connection).ok()?,
            since: record.began,
            holders: holders
                .filter_map(|holding| Name::parse(&holding.connection).ok())
                .collect(),
        })
    }
}
