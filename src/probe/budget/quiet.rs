//! The quiet that a host itself asks for: 429, `Retry-After`.

use jiff::{SignedDuration, Timestamp};

use super::{LONGEST_PAUSE, after};
use crate::domain::BudgetRecord;

/// The host asked for quiet until `until` (429, `Retry-After`); never longer than a day.
pub fn quiet(record: &mut BudgetRecord, until: Timestamp, now: Timestamp) {
    let until = until.min(after(now, LONGEST_PAUSE));
    if until > now {
        tidy(record, now);
        record.retry_after = Some(record.retry_after.map_or(until, |before| before.max(until)));
        record.retry_asked = Some(now);
    }
}

/// Until when the host itself asked for quiet, where it did.
pub fn quiet_until(record: &BudgetRecord, now: Timestamp) -> Option<Timestamp> {
    let mut record = record.clone();
    super::tidy(&mut record, now);
    record.retry_after
}

/// Brings it up to `now`: a clock that was set back makes it no longer than it was asked for.
pub(super) fn tidy(record: &mut BudgetRecord, now: Timestamp) {
    let behind = record
        .retry_asked
        .map_or(SignedDuration::ZERO, |asked| asked.duration_since(now))
        .max(SignedDuration::ZERO);
    record.retry_after = record
        .retry_after
        .and_then(|until| until.checked_sub(behind).ok())
        .map(|until| until.min(after(now, LONGEST_PAUSE)))
        .filter(|until| *until > now);
    record.retry_asked = record.retry_asked.map(|asked| asked.min(now));
}
