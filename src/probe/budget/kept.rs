//! Refusals that came out of a cache, and for a key that is not proven any answer: they say nothing of the key.
//!
//! So they pause no key, and double no pause: the key may be as good as ever. One that answers the trial of a pause has
//! it begin anew, as long as it was: what real refusals brought about is not over by that. But they are no free ones. A
//! cache may ask the host behind its answer, with all that the request carried, to have a newer one for the next; and
//! what a header calls a hit need not be one. Then the host counts each of them. So they take the place of rejections in
//! the budget, and once a key's are used up it is sent once in a while only: after 15 minutes, then 30, then each hour.

use std::time::Duration;

use jiff::Timestamp;

use super::{
    FIRST_PAUSE, LONGEST_PAUSE, PER_HOST, PER_KEY, WINDOW, after, is_recent, length, rejections,
};
use crate::domain::budget::{AttemptEnd, BookedAttempt, Stop, StoppedBy};
use crate::domain::verdict::whole_seconds;
use crate::domain::{BudgetRecord, KeyFingerprint};

/// Once an hour it is tried whatever was heard: no key is lost for a day to a cache that was put right meanwhile.
const LONGEST_WAIT: Duration = FIRST_PAUSE.saturating_mul(4);

fn of<'a>(
    record: &'a BudgetRecord,
    key: &'a KeyFingerprint,
) -> impl Iterator<Item = &'a BookedAttempt> {
    let is_kept = |attempt: &&BookedAttempt| attempt.end == AttemptEnd::Kept;
    record
        .attempts
        .iter()
        .filter(is_kept)
        .filter(move |attempt| attempt.key == *key)
}

/// Writes down that a cache answered the attempt at `position`. The pauses whose trial it was begin anew.
pub(super) fn settle(record: &mut BudgetRecord, position: usize, now: Timestamp) {
    let attempt = &mut record.attempts[position];
    attempt.end = AttemptEnd::Kept;
    if !attempt.trial {
        return;
    }
    let of_key = record.paused.get_mut(&attempt.key);
    for pause in record.all_paused.iter_mut().chain(of_key) {
        pause.until = pause.until.max(after(now, length(pause.doublings)));
    }
}

/// Whether the host itself refused `key` since it was accepted or resumed, as far as is remembered.
fn is_refused(record: &BudgetRecord, key: &KeyFingerprint) -> bool {
    record.paused.contains_key(key) || rejections(record, key) > 0
}

/// The same stop: where the host refused `key` as well, it is for neither a cache nor others alone.
pub(super) fn blamed(record: &BudgetRecord, key: &KeyFingerprint, stop: Stop) -> Stop {
    let by = match stop.by {
        StoppedBy::Cache | StoppedBy::Budget if is_refused(record, key) => StoppedBy::Refusals,
        by => by,
    };
    Stop { by, ..stop }
}

/// How many answers to `key` were a cache's, since it was accepted or resumed.
pub(super) fn count(record: &BudgetRecord, key: &KeyFingerprint) -> usize {
    of(record, key).count()
}

/// Whether they, with its rejections, are as many as may be.
pub(super) fn is_used_up(record: &BudgetRecord, key: &KeyFingerprint) -> bool {
    count(record, key) > 0 && suspected(record, key) >= PER_KEY
}

/// With the rejections; those of a paused key are not all remembered, and the first answer to its one try counts.
fn suspected(record: &BudgetRecord, key: &KeyFingerprint) -> usize {
    let is_paused = record.paused.contains_key(key);
    let before = if is_paused { PER_KEY - 1 } else { 0 };
    count(record, key) + rejections(record, key).max(before)
}

/// Whether one counts against the host: not that of a key that the host took before.
pub(super) fn counts(attempt: &BookedAttempt, now: Timestamp) -> bool {
    !attempt.proven && is_recent(attempt, now)
}

/// Whether an attempt that is not recent is remembered: one of these for a day, a rejection until its key is paused.
pub(super) fn stays(attempt: &BookedAttempt, is_paused: bool, now: Timestamp) -> bool {
    match attempt.end {
        AttemptEnd::Kept => after(attempt.at, LONGEST_PAUSE) > now,
        _ => !is_paused,
    }
}

/// Keeps `most` of each kind of end: none can push out another, as a flood of cached answers would the first of two
/// rejections that pause a key.
pub(super) fn bound(attempts: &mut Vec<BookedAttempt>, most: usize) {
    let [mut rejections, mut kept, mut unheard] = [most; 3];
    let mut is_kept = |attempt: &BookedAttempt| {
        let left = match attempt.end {
            AttemptEnd::Pending => return true,
            AttemptEnd::Rejected => &mut rejections,
            AttemptEnd::Kept => &mut kept,
            // The last three are taken out as they end.
            AttemptEnd::Unheard
            | AttemptEnd::Accepted
            | AttemptEnd::Inconclusive
            | AttemptEnd::Cached => &mut unheard,
        };
        let has_room = *left > 0;
        *left = left.saturating_sub(1);
        has_room
    };
    // The newest first.
    attempts.reverse();
    attempts.retain(&mut is_kept);
    attempts.reverse();
}

/// Why `key` is not sent now, and until when.
pub(super) fn of_key(record: &BudgetRecord, key: &KeyFingerprint, now: Timestamp) -> Option<Stop> {
    of(record, key).next()?;
    let is_suspect = |attempt: &&BookedAttempt| {
        attempt.key == *key && matches!(attempt.end, AttemptEnd::Kept | AttemptEnd::Rejected)
    };
    let suspects = record.attempts.iter().filter(is_suspect);
    let last = suspects.map(|attempt| attempt.at).max()?;
    let further = suspected(record, key).checked_sub(PER_KEY)?;
    let doublings = u32::try_from(further).unwrap_or(u32::MAX);
    let until = after(last, length(doublings).min(LONGEST_WAIT));
    let answered = if is_refused(record, key) {
        "this host refused the key, and a cache answered for it too"
    } else {
        "a cache answered for the host, and may have asked it behind the answer"
    };
    (until > now).then(|| Stop {
        until,
        why: format!(
            "{answered}: the key is not sent until {}, or until you resume it",
            whole_seconds(until)
        ),
        by: StoppedBy::Cache,
    })
}

/// Why no key at all is sent to the host, and until when: with its rejections there are five within ten minutes.
pub(super) fn of_host(record: &BudgetRecord, now: Timestamp) -> Option<Stop> {
    let recent = record.attempts.iter().filter(|attempt| match attempt.end {
        AttemptEnd::Kept => counts(attempt, now),
        AttemptEnd::Rejected => is_recent(attempt, now),
        AttemptEnd::Pending
        | AttemptEnd::Accepted
        | AttemptEnd::Inconclusive
        | AttemptEnd::Cached
        | AttemptEnd::Unheard => false,
    });
    let recent: Vec<&BookedAttempt> = recent.collect();
    if recent.iter().all(|attempt| attempt.end != AttemptEnd::Kept) {
        return None;
    }
    let is_refusal = |attempt: &BookedAttempt| attempt.end == AttemptEnd::Rejected;
    let refused = record.all_paused.is_some() || recent.iter().copied().any(is_refusal);
    let mut times: Vec<Timestamp> = recent.iter().map(|attempt| attempt.at).collect();
    times.sort_unstable();
    // When the last but so many have moved out of the window.
    let until = after(*times.get(times.len().checked_sub(PER_HOST)?)?, WINDOW);
    Some(Stop {
        until,
        why: "a cache answered for this host, or it refused keys, five times within ten minutes: none is sent until \
              then, or until you resume it"
            .to_owned(),
        by: if refused {
            StoppedBy::Budget
        } else {
            StoppedBy::Cache
        },
    })
}
