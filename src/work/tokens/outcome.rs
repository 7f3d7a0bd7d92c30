//! What is told of a renewal: while it runs, and when it has ended.

use crate::domain::token::{NotUpdated, RenewalAction, RenewalStep, Unfinished};
use crate::domain::{Name, SecretRef, Verdict};
use crate::store::state::RenewalRecord;
use crate::tokens::Expiry;

/// Told of every step.
pub type RenewalProgress<'a> = &'a (dyn Fn(RenewalStep) + Send + Sync);

/// Listens to nothing: for callers that wait for the end alone.
pub fn unheard(_: RenewalStep) {}

/// A renewal or rotation that has ended well.
#[derive(Clone, Debug)]
pub struct Renewed {
    /// The token's id.
    pub id: String,
    /// Which of the two it was, whatever was asked for when it was gone on with.
    pub action: RenewalAction,
    /// What an earlier run had begun, and was ended first.
    pub earlier: Option<RenewalAction>,
    /// Connections that use the new secret now.
    pub updated: Vec<Name>,
    /// Connections under the same id that do not use the new secret.
    pub unread: Vec<NotUpdated>,
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

/// The renewal that `record` tells of. Nothing where the names are no names any more.
pub(super) fn unfinished(record: &RenewalRecord) -> Option<Unfinished> {
    let holders = record.holdings.iter();
    Some(Unfinished {
        id: record.token.clone(),
        connection: Name::parse(&record.connection).ok()?,
        action: record.action,
        since: record.began,
        holders: holders
            .filter_map(|holding| Name::parse(&holding.connection).ok())
            .collect(),
    })
}
