//! Thinning: old results become buckets, old buckets go, and the whole stays within a size.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Transaction, params};

use super::read::{kept_since, runs};
use super::{Count, Latency, RunRecord, Span};
use crate::store::state::{StateDb, StateProblem, WithPath};

const HOUR_MS: i64 = 3_600_000;
/// Single results.
const SINGLE_MS: i64 = 48 * HOUR_MS;
/// Buckets of 5 minutes.
const MINUTES_MS: i64 = 30 * 24 * HOUR_MS;
/// Buckets of an hour, and changes.
const YEAR_MS: i64 = 365 * 24 * HOUR_MS;
/// How much of the database's file may be in use, bytes.
const MOST_BYTES: i64 = 512 * 1024 * 1024;
/// Where it is more, all ages are cut to these parts of themselves, one after the other.
const TIGHTER: [i64; 5] = [1, 2, 4, 8, 16];
/// How long results wait to be sorted in.
const WAITS_MS: u64 = 5 * 60 * 1000;
/// How far the thinning's own clock goes at once: one that was set wrong for a while (a time server's fault, a
/// machine that woke in another year) must not cost a year of history. Behind a program that was not used for
/// long it comes after, day by day.
const AT_MOST_MS: i64 = 24 * HOUR_MS;
/// 2026-01-01: no result is older, whatever its time says.
const FIRST_RELEASE_MS: i64 = 1_767_225_600_000;
/// Where in `kept` the thinning's own clock stands.
const CLOCK: i64 = -1;
/// Connections that are thinned in one step, so that others who write need not wait long.
const AT_ONCE: usize = 100;

impl StateDb {
    /// [`StateDb::thin`] where there are results that wait for it since 5 minutes. Else one look at one row.
    pub fn thin_where_due(&self, now: Timestamp) -> Result<(), StateProblem> {
        let oldest: Option<i64> = self.look(|database| {
            let oldest = database
                .prepare_cached("SELECT at FROM fresh ORDER BY rowid LIMIT 1")
                .and_then(|mut select| select.query_row([], |row| row.get(0)).optional());
            oldest.with_path(self.path())
        })?;
        // Either way round: the clock may have been set.
        match oldest {
            Some(at) if now.as_millisecond().abs_diff(at) >= WAITS_MS => {
                let slowly = self.write(|transaction| {
                    advance(transaction, now.as_millisecond()).with_path(self.path())
                })?;
                self.thin(Timestamp::from_millisecond(slowly).unwrap_or(now))
            }
            _ => Ok(()),
        }
    }

    /// Sorts in what has come, makes buckets of what is over, and lets go what is too old, or too much: the
    /// used part of the file is kept below 512 MiB by keeping everything for a shorter time. To be called
    /// every few minutes; costs little where little has come.
    pub fn thin(&self, now: Timestamp) -> Result<(), StateProblem> {
        self.thin_within(now, MOST_BYTES)
    }

    pub(super) fn thin_within(&self, now: Timestamp, bytes: i64) -> Result<(), StateProblem> {
        let now = now.as_millisecond();
        self.write(|transaction| sort_in(transaction).with_path(self.path()))?;
        let watched = self.look(|database| all(database).with_path(self.path()))?;
        for some in watched.chunks(AT_ONCE) {
            self.write(|transaction| {
                some.iter()
                    .try_for_each(|id| gather(transaction, *id, now))
                    .with_path(self.path())
            })?;
        }
        for part in TIGHTER {
            let horizon = Retention::at(now, part);
            for some in watched.chunks(AT_ONCE) {
                self.write(|transaction| {
                    some.iter()
                        .try_for_each(|id| horizon.cut(transaction, *id))
                        .with_path(self.path())
                })?;
            }
            self.write(|transaction| horizon.keep(transaction).with_path(self.path()))?;
            if self.look(|database| used(database).with_path(self.path()))? <= bytes {
                break;
            }
        }
        Ok(())
    }
}

/// Since when rows are kept, milliseconds; all at full hours, so that no bucket is cut in two.
#[derive(Clone, Copy, Debug)]
struct Retention {
    single: i64,
    minutes: i64,
    hours: i64,
}

impl Retention {
    fn at(now: i64, part: i64) -> Self {
        let before = |age: i64| floor(now.saturating_sub(age / part), Span::Hour);
        Self {
            single: before(SINGLE_MS),
            minutes: before(MINUTES_MS),
            hours: before(YEAR_MS),
        }
    }

    fn cut(self, transaction: &Transaction<'_>, id: i64) -> rusqlite::Result<()> {
        for (sql, before) in [
            (
                "DELETE FROM sample WHERE watched = ?1 AND at < ?2",
                self.single,
            ),
            (
                "DELETE FROM bucket WHERE watched = ?1 AND span = 300 AND at < ?2",
                self.minutes,
            ),
            (
                "DELETE FROM bucket WHERE watched = ?1 AND span = 3600 AND at < ?2",
                self.hours,
            ),
            // The last change still lasts, however old it is.
            (
                "DELETE FROM change WHERE watched = ?1 AND at < ?2
                 AND at < (SELECT MAX(at) FROM change WHERE watched = ?1)",
                self.hours,
            ),
        ] {
            transaction
                .prepare_cached(sql)?
                .execute(params![id, before])?;
        }
        Ok(())
    }

    /// Writes down since when rows are complete: never earlier than before, as what is gone stays gone.
    fn keep(self, transaction: &Transaction<'_>) -> rusqlite::Result<()> {
        for (span, since) in [(0, self.single), (Span::Minutes.seconds(), self.minutes)] {
            let since = since.max(kept_since(transaction, span)?);
            transaction
                .prepare_cached("INSERT OR REPLACE INTO kept (span, since) VALUES (?1, ?2)")?
                .execute(params![span, since])?;
        }
        Ok(())
    }
}

/// What the thinning takes for now, milliseconds: `now`, or as far towards it as its own clock may go at once.
fn advance(transaction: &Transaction<'_>, now: i64) -> rusqlite::Result<i64> {
    let before = transaction
        .prepare_cached("SELECT since FROM kept WHERE span = ?1")?
        .query_row([CLOCK], |row| row.get::<_, i64>(0))
        .optional()?;
    let begun = match before {
        Some(before) => before,
        None => without_a_leap(transaction, now)?,
    };
    let clock = now.min(begun.saturating_add(AT_MOST_MS));
    // Never back: a clock that was behind for a while would be caught up with day by day.
    let furthest = before.map_or(clock, |before| before.max(clock));
    transaction
        .prepare_cached("INSERT OR REPLACE INTO kept (span, since) VALUES (?1, ?2)")?
        .execute(params![CLOCK, furthest])?;
    Ok(clock)
}

/// Where the thinning's clock begins: how far the results that wait go before there is a leap among their times.
/// Those from before the first release are of a machine that did not know the time yet.
fn without_a_leap(transaction: &Transaction<'_>, now: i64) -> rusqlite::Result<i64> {
    let mut select =
        transaction.prepare_cached("SELECT at FROM fresh WHERE at >= ?1 ORDER BY at")?;
    let mut rows = select.query([FIRST_RELEASE_MS])?;
    let mut reached = None;
    while let Some(row) = rows.next()? {
        let at: i64 = row.get(0)?;
        match reached {
            Some(reached) if at.saturating_sub(reached) > AT_MOST_MS => break,
            _ => reached = Some(at),
        }
    }
    Ok(reached.unwrap_or(now))
}

fn floor(at: i64, span: Span) -> i64 {
    at - at.rem_euclid(span.milliseconds())
}

fn sort_in(transaction: &Transaction<'_>) -> rusqlite::Result<()> {
    transaction.execute_batch(
        "INSERT OR REPLACE INTO sample (watched, at, reason, status, us, planned)
             SELECT watched, at, reason, status, us, planned FROM fresh ORDER BY watched, at;
         DELETE FROM fresh;",
    )
}

fn all(database: &Connection) -> rusqlite::Result<Vec<i64>> {
    let mut select = database.prepare_cached("SELECT id FROM watched ORDER BY id")?;
    let rows = select.query_map([], |row| row.get(0))?;
    rows.collect()
}

fn used(database: &Connection) -> rusqlite::Result<i64> {
    let number = |sql| database.query_row(sql, [], |row| row.get::<_, i64>(0));
    let pages = number("PRAGMA page_count")? - number("PRAGMA freelist_count")?;
    Ok(pages * number("PRAGMA page_size")?)
}

/// Makes the buckets of one connection whose time is over and that are not there yet.
fn gather(transaction: &Transaction<'_>, id: i64, now: i64) -> rusqlite::Result<()> {
    for span in Span::ALL {
        let last: Option<i64> = transaction
            .prepare_cached("SELECT MAX(at) FROM bucket WHERE watched = ?1 AND span = ?2")?
            .query_row(params![id, span.seconds()], |row| row.get(0))
            .optional()?
            .flatten();
        let from = last.map_or(i64::MIN, |last| last + span.milliseconds());
        let runs = runs(transaction, id, from, floor(now, span))?;
        let begin = |run: &RunRecord| floor(run.at.as_millisecond(), span);
        for some in runs.chunk_by(|one, other| begin(one) == begin(other)) {
            if let Some(first) = some.first() {
                insert(transaction, (id, span, begin(first)), some)?;
            }
        }
    }
    Ok(())
}

fn insert(
    transaction: &Transaction<'_>,
    (id, span, at): (i64, Span, i64),
    runs: &[RunRecord],
) -> rusqlite::Result<()> {
    let mut count = Count::default();
    for run in runs {
        count.add(run);
    }
    let latency = Latency::of(runs);
    let us = |of: fn(Latency) -> std::time::Duration| {
        latency.map(|latency| i64::try_from(of(latency).as_micros()).unwrap_or(i64::MAX))
    };
    transaction
        .prepare_cached(
            "INSERT OR REPLACE INTO bucket
             (watched, span, at, works, ok, warn, down, unknown, us_p50, us_p95, us_max, planned)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
        )?
        .execute(params![
            id,
            span.seconds(),
            at,
            count.works,
            count.ok,
            count.warn,
            count.down,
            count.unknown,
            us(|latency| latency.p50),
            us(|latency| latency.p95),
            us(|latency| latency.max),
            count.planned,
        ])?;
    Ok(())
}
