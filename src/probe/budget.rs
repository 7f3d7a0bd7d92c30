//! The lock-out budget: how often a key may be sent to a host before it stops, as a pure state machine over
//! [`BudgetRecord`].
//!
//! After two rejections of the same key, or five of any keys within ten minutes, by the same host and port,
//! sending stops for 15 minutes. When a pause's time has passed, exactly one try is made; rejected, it
//! doubles the pause, up to 24 hours. An accepted key is free again; otherwise only [`resume`] lifts a
//! pause. An attempt counts from the moment that it is booked, since the program may be killed before it
//! hears the answer: attempts under way take their place in the budget ([`Decision::Busy`]), and one that
//! was never settled is a rejection, of the moment when it is given up. So is one that was sent and never answered
//! ([`AttemptEnd::Unheard`]): a host that answers late, or not at all, may have counted it. Both only of keys that
//! were never accepted there ([`mark_proven`], and whoever settles): neither a host that hangs now and then nor a program
//! that is ended while it asks shall cost a watcher its key. Of a key that was, five such attempts are let through
//! within ten minutes. A refusal that a cache had kept pauses nothing either, and is no free one; no more is any other
//! answer out of one to a key that is not proven: see `kept`.
//!
//! No function reads a clock. A clock that was set back makes no pause longer than its own length, and none shorter.

mod kept;
mod quiet;

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::domain::budget::{AttemptEnd, BookedAttempt, LiftedPause, Pause, Stop, StoppedBy};
use crate::domain::verdict::whole_seconds;
use crate::domain::{BudgetRecord, KeyFingerprint};

pub use quiet::{quiet, quiet_until};

/// Rejections of one key before it is paused.
pub const PER_KEY: usize = 2;
/// How often within [`WINDOW`] nobody waits for the answer to a key that was accepted there: who ends each probe before
/// it is answered would never hear that it is refused by now.
pub const UNHEARD_PER_KEY: usize = PER_HOST;
/// Rejections of any keys within [`WINDOW`] before all are paused.
pub const PER_HOST: usize = 5;
/// Requests with one key that a bisect may make.
pub const PER_BISECT: usize = 4;
/// How long rejections of any keys count together.
pub const WINDOW: Duration = Duration::from_secs(10 * 60);
/// The first pause; each rejected try doubles it.
pub const FIRST_PAUSE: Duration = Duration::from_secs(15 * 60);
/// The longest pause.
pub const LONGEST_PAUSE: Duration = Duration::from_secs(24 * 60 * 60);
/// An attempt that was not settled for this long never will be: its program was killed.
pub const ABANDONED_AFTER: Duration = Duration::from_secs(2 * 60);
/// Most attempts of each end, and most paused keys, that are kept; the oldest go first.
const MOST_KEPT: usize = 256;

/// Whether a key may be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// The attempt of this number is booked: write the record to disk, then send.
    Granted(u64),
    /// Not now.
    Paused(Stop),
    /// Not while other attempts are under way, whose rejection would use up the budget. Ask again once one
    /// was settled, at `until` at the latest.
    Busy {
        /// The oldest of them counts as rejected from then on.
        until: Timestamp,
    },
}

/// Asks for leave to send `key`, and books the attempt where it is given.
pub fn book(record: &mut BudgetRecord, key: &KeyFingerprint, now: Timestamp) -> Decision {
    tidy(record, now);
    if let Some(stop) = stopped(record, key, now) {
        return Decision::Paused(stop);
    }
    let trial = is_half_open(record, key);
    let under_way = |own: bool| -> usize {
        record
            .attempts
            .iter()
            .filter(|attempt| attempt.end == AttemptEnd::Pending)
            .filter(|attempt| !own || attempt.key == *key)
            .count()
    };
    let full = if record.all_paused.is_some() {
        under_way(false) > 0
    } else if record.paused.contains_key(key) || kept::is_used_up(record, key) {
        under_way(true) > 0 || counted(record, now) >= PER_HOST
    } else {
        let suspected = rejections(record, key) + kept::count(record, key);
        suspected + under_way(true) >= PER_KEY || counted(record, now) >= PER_HOST
    };
    if full {
        return busy(record, now);
    }
    Decision::Granted(push(record, key, now, trial))
}

/// The same for a bisect, which a person asked for and which has `made` so many attempts by now. Up to four,
/// whatever they find; the pauses that they bring about hold afterwards.
pub fn book_bisect(
    record: &mut BudgetRecord,
    key: &KeyFingerprint,
    made: usize,
    now: Timestamp,
) -> Decision {
    tidy(record, now);
    if made == 0 {
        if let Some(stop) = stopped(record, key, now) {
            return Decision::Paused(stop);
        }
        if counted(record, now) >= PER_HOST || is_half_open(record, key) {
            return book(record, key, now);
        }
        return Decision::Granted(push(record, key, now, false));
    }
    if let Some(stop) = stopped_for_all(record, now) {
        return Decision::Paused(stop);
    }
    if made >= PER_BISECT {
        let until = pause_key(record, key, now);
        return Decision::Paused(key_stop(until));
    }
    if counted(record, now) >= PER_HOST {
        return busy(record, now);
    }
    Decision::Granted(push(record, key, now, false))
}

/// Of the attempt `number`: this host took its key before. Should it never be settled, it is no rejection.
pub fn mark_proven(record: &mut BudgetRecord, number: u64) {
    let attempt = record
        .attempts
        .iter_mut()
        .find(|attempt| attempt.number == number);
    if let Some(attempt) = attempt {
        attempt.proven = true;
    }
}

/// Ends a bisect: the key is paused if one of its attempts since `first` stands as rejected. An acceptance takes
/// away those before it, and is the last request of a bisect.
pub fn end_bisect(record: &mut BudgetRecord, key: &KeyFingerprint, first: u64, now: Timestamp) {
    let rejected = record.attempts.iter().any(|attempt| {
        attempt.key == *key && attempt.number >= first && attempt.end == AttemptEnd::Rejected
    });
    if rejected {
        pause_key(record, key, now);
    }
}

/// Writes down how the attempt `number` ended. An attempt that is not known (any more), or whose end was
/// written down before, changes nothing; only an acceptance is never too late.
pub fn settle(record: &mut BudgetRecord, number: u64, end: AttemptEnd, now: Timestamp) {
    let Some(position) = record
        .attempts
        .iter()
        .position(|attempt| attempt.number == number)
    else {
        return;
    };
    let attempt = &record.attempts[position];
    let pending = attempt.end == AttemptEnd::Pending;
    let suspect = attempt.trial || !attempt.proven;
    match end {
        AttemptEnd::Accepted => accept(record, position),
        AttemptEnd::Cached if pending && suspect => kept::settle(record, position, now),
        AttemptEnd::Inconclusive | AttemptEnd::Cached if pending => {
            record.attempts.remove(position);
        }
        AttemptEnd::Unheard if pending && record.attempts[position].proven => {
            record.attempts[position].end = AttemptEnd::Unheard;
        }
        AttemptEnd::Kept if pending => kept::settle(record, position, now),
        AttemptEnd::Rejected | AttemptEnd::Unheard if pending => reject(record, position, now),
        AttemptEnd::Pending
        | AttemptEnd::Inconclusive
        | AttemptEnd::Rejected
        | AttemptEnd::Kept
        | AttemptEnd::Cached
        | AttemptEnd::Unheard => {}
    }
}

/// `R`: lifts the pause of `key`, and that of all keys. Says which, where there was one. What the host itself
/// asked for ([`quiet()`]) stays.
pub fn resume(
    record: &mut BudgetRecord,
    key: &KeyFingerprint,
    now: Timestamp,
) -> Option<LiftedPause> {
    tidy(record, now);
    let of_all = record.all_paused.take().is_some() | kept::of_host(record, now).is_some();
    let of_key = record.paused.remove(key).is_some()
        || unheard_until(record, key, now).is_some()
        || kept::of_key(record, key, now).is_some();
    record
        .attempts
        .retain(|attempt| attempt.end == AttemptEnd::Pending || !(of_all || attempt.key == *key));
    if of_all {
        Some(LiftedPause::OfAllKeys)
    } else {
        of_key.then_some(LiftedPause::OfKey)
    }
}

/// Whether `key` is paused at `now`, and until when. Books nothing.
pub fn paused(record: &BudgetRecord, key: &KeyFingerprint, now: Timestamp) -> Option<Stop> {
    let mut record = record.clone();
    tidy(&mut record, now);
    stopped(&record, key, now)
}

/// How many refusals of `key` there may be at `now` before it is paused; 0 where it is. Books nothing.
pub fn refusals_left(record: &BudgetRecord, key: &KeyFingerprint, now: Timestamp) -> usize {
    let mut record = record.clone();
    tidy(&mut record, now);
    if stopped(&record, key, now).is_some() {
        return 0;
    }
    let of_key = PER_KEY.saturating_sub(rejections(&record, key));
    of_key.min(PER_HOST.saturating_sub(counted(&record, now)))
}

/// How long the pause after `doublings` rejected tries is.
fn length(doublings: u32) -> Duration {
    2_u32
        .checked_pow(doublings)
        .and_then(|factor| FIRST_PAUSE.checked_mul(factor))
        .map_or(LONGEST_PAUSE, |length| length.min(LONGEST_PAUSE))
}

fn after(now: Timestamp, duration: Duration) -> Timestamp {
    SignedDuration::try_from(duration)
        .ok()
        .and_then(|duration| now.checked_add(duration).ok())
        .unwrap_or(Timestamp::MAX)
}

/// Rejections of `key` since it was accepted or resumed.
fn rejections(record: &BudgetRecord, key: &KeyFingerprint) -> usize {
    record
        .attempts
        .iter()
        .filter(|attempt| attempt.key == *key && attempt.end == AttemptEnd::Rejected)
        .count()
}

/// What counts against the host: rejections within the window, and all that is under way.
fn counted(record: &BudgetRecord, now: Timestamp) -> usize {
    let counts = |attempt: &&BookedAttempt| match attempt.end {
        AttemptEnd::Pending => true,
        AttemptEnd::Unheard => false,
        AttemptEnd::Kept => kept::counts(attempt, now),
        AttemptEnd::Rejected
        | AttemptEnd::Accepted
        | AttemptEnd::Inconclusive
        | AttemptEnd::Cached => is_recent(attempt, now),
    };
    record.attempts.iter().filter(counts).count()
}

/// Until when `key`, which was accepted there before, is not sent because nobody waited for the last answers to it.
fn unheard_until(record: &BudgetRecord, key: &KeyFingerprint, now: Timestamp) -> Option<Timestamp> {
    let attempts = record.attempts.iter();
    let unheard = attempts
        .filter(|attempt| attempt.key == *key && attempt.end == AttemptEnd::Unheard)
        .filter(|attempt| is_recent(attempt, now));
    let mut times: Vec<Timestamp> = unheard.map(|attempt| attempt.at).collect();
    times.sort_unstable();
    // When the last but so many have moved out of the window.
    let first = times.len().checked_sub(UNHEARD_PER_KEY)?;
    times.get(first).map(|at| after(*at, WINDOW))
}

fn is_recent(attempt: &BookedAttempt, now: Timestamp) -> bool {
    after(attempt.at, WINDOW) > now
}

fn stopped(record: &BudgetRecord, key: &KeyFingerprint, now: Timestamp) -> Option<Stop> {
    let of_key = record
        .paused
        .get(key)
        .filter(|pause| pause.until > now)
        .map(|pause| key_stop(pause.until));
    let unheard = unheard_until(record, key, now).map(|until| Stop {
        until,
        why: format!(
            "nobody waited for the last {UNHEARD_PER_KEY} answers to this key, so it is not known whether they were \
             refusals: it is not sent until {}, or until you resume it",
            whole_seconds(until)
        ),
        by: StoppedBy::Budget,
    });
    stopped_for_all(record, now)
        .into_iter()
        .chain(of_key)
        .chain(unheard)
        .chain(kept::of_key(record, key, now))
        .max_by_key(|stop| stop.until)
        .map(|stop| kept::blamed(record, key, stop))
}

fn stopped_for_all(record: &BudgetRecord, now: Timestamp) -> Option<Stop> {
    let by_host = record
        .retry_after
        .filter(|until| *until > now)
        .map(|until| Stop {
            until,
            why: "the host asked for quiet".to_owned(),
            by: StoppedBy::Host,
        });
    let by_us = record
        .all_paused
        .filter(|pause| pause.until > now)
        .map(|pause| Stop {
            until: pause.until,
            why: "this host refused keys five times within ten minutes: none is sent until then, or until you \
                  resume it"
                .to_owned(),
            by: StoppedBy::Budget,
        });
    by_host
        .into_iter()
        .chain(by_us)
        .chain(kept::of_host(record, now))
        .max_by_key(|stop| stop.until)
}

fn key_stop(until: Timestamp) -> Stop {
    Stop {
        until,
        why: format!(
            "this host refused the key twice (an answer that never came counts): it is not sent until {}, or until \
             you resume it",
            whole_seconds(until)
        ),
        by: StoppedBy::Refusals,
    }
}

/// Whether a pause concerns the key whose time has passed: one try, then.
fn is_half_open(record: &BudgetRecord, key: &KeyFingerprint) -> bool {
    record.all_paused.is_some() || record.paused.contains_key(key)
}

fn busy(record: &BudgetRecord, now: Timestamp) -> Decision {
    let oldest = record
        .attempts
        .iter()
        .filter(|attempt| attempt.end == AttemptEnd::Pending)
        .map(|attempt| attempt.at)
        .min();
    let until = match oldest {
        Some(at) => after(at, ABANDONED_AFTER),
        // No attempt is under way: the window has to move on.
        None => record
            .attempts
            .iter()
            .filter(|attempt| is_recent(attempt, now))
            .map(|attempt| after(attempt.at, WINDOW))
            .min()
            .unwrap_or(now),
    };
    Decision::Busy { until }
}

fn push(record: &mut BudgetRecord, key: &KeyFingerprint, now: Timestamp, trial: bool) -> u64 {
    let number = record.next_number;
    record.next_number = number.saturating_add(1);
    record.attempts.push(BookedAttempt {
        number,
        key: key.clone(),
        at: now,
        end: AttemptEnd::Pending,
        trial,
        proven: false,
    });
    number
}

fn accept(record: &mut BudgetRecord, position: usize) {
    let attempt = record.attempts.remove(position);
    if attempt.trial {
        record.all_paused = None;
    }
    record.paused.remove(&attempt.key);
    record
        .attempts
        .retain(|other| other.end == AttemptEnd::Pending || other.key != attempt.key);
}

fn reject(record: &mut BudgetRecord, position: usize, now: Timestamp) {
    let attempt = &mut record.attempts[position];
    attempt.end = AttemptEnd::Rejected;
    let (key, trial) = (attempt.key.clone(), attempt.trial);
    if trial {
        for pause in record
            .all_paused
            .iter_mut()
            .chain(record.paused.get_mut(&key))
        {
            pause.doublings = pause.doublings.saturating_add(1);
            pause.until = pause.until.max(after(now, length(pause.doublings)));
        }
    }
    if rejections(record, &key) >= PER_KEY {
        pause_key(record, &key, now);
    }
    let recent = record
        .attempts
        .iter()
        .filter(|attempt| attempt.end == AttemptEnd::Rejected && is_recent(attempt, now))
        .count();
    if recent >= PER_HOST && record.all_paused.is_none() {
        record.all_paused = Some(first_pause(now));
    }
}

/// Pauses `key` if it is not paused already, and anew where the time of its pause has passed; the time of its next try.
pub fn pause_key(record: &mut BudgetRecord, key: &KeyFingerprint, now: Timestamp) -> Timestamp {
    let kept = record.paused.entry(key.clone());
    let pause = kept.or_insert_with(|| first_pause(now));
    if pause.until <= now {
        pause.until = after(now, length(pause.doublings));
    }
    pause.until
}

fn first_pause(now: Timestamp) -> Pause {
    Pause {
        until: after(now, FIRST_PAUSE),
        doublings: 0,
    }
}

/// Brings the record up to `now`: after a clock that was set back, nothing lies further ahead than it could;
/// abandoned attempts are rejections of the moment when they are given up, whoever looks and when; what can't matter
/// any more goes.
fn tidy(record: &mut BudgetRecord, now: Timestamp) {
    for attempt in &mut record.attempts {
        attempt.at = attempt.at.min(now);
    }
    for pause in record
        .all_paused
        .iter_mut()
        .chain(record.paused.values_mut())
    {
        pause.until = pause.until.min(after(now, length(pause.doublings)));
    }
    quiet::tidy(record, now);
    while let Some(position) = record.attempts.iter().position(|attempt| {
        attempt.end == AttemptEnd::Pending && after(attempt.at, ABANDONED_AFTER) <= now
    }) {
        let attempt = &record.attempts[position];
        let given_up = after(attempt.at, ABANDONED_AFTER);
        if attempt.proven {
            record.attempts[position].end = AttemptEnd::Unheard;
        } else {
            reject(record, position, given_up);
        }
    }
    forget(record, now);
}

/// Bounds the record.
fn forget(record: &mut BudgetRecord, now: Timestamp) {
    let BudgetRecord {
        attempts, paused, ..
    } = record;
    while paused.len() > MOST_KEPT {
        let earliest = paused.iter().min_by_key(|(_, pause)| pause.until);
        let Some(key) = earliest.map(|(key, _)| key.clone()) else {
            break;
        };
        paused.remove(&key);
        attempts.retain(|attempt| attempt.key != key);
    }
    attempts.retain(|attempt| {
        attempt.end == AttemptEnd::Pending
            || is_recent(attempt, now)
            || kept::stays(attempt, paused.contains_key(&attempt.key), now)
    });
    kept::bound(attempts, MOST_KEPT);
}

#[cfg(test)]
mod tests;
