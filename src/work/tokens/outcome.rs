//! What is told of a renewal while it runs, and of one that has not ended.

use crate::domain::Name;
use crate::domain::token::{RenewalStep, Unfinished};
use crate::store::state::RenewalRecord;

/// Told of every step.
pub type RenewalProgress<'a> = &'a (dyn Fn(RenewalStep) + Send + Sync);

/// Listens to nothing: for callers that wait for the end alone.
pub fn unheard(_: RenewalStep) {}

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
