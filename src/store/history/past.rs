//! The pasts of many connections in one question: what the rows of a table show.
//!
//! Results that are not sorted in yet have no index, as that would cost a page for each connection and write:
//! they are read once for all, not once for each.

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};

use super::read::{counted, kept_since, run, standing};
use super::{Availability, Count, History, Latency, RunRecord, Span};
use crate::domain::Name;
use crate::domain::history::STRIP;
use crate::store::state::{StateDb, StateProblem, WithPath};

const HOUR_MS: i64 = 3_600_000;
const DAY_MS: i64 = 24 * HOUR_MS;
const MONTH_MS: i64 = 30 * DAY_MS;

impl StateDb {
    /// The pasts of these connections, in their order; an empty one where nothing is known.
    pub fn pasts(
        &self,
        names: &[Name],
        now: Timestamp,
    ) -> Result<Vec<(Name, History)>, StateProblem> {
        self.look(|database| pasts(database, names, now.as_millisecond()).with_path(self.path()))
    }

    /// Which share of its probes each connection answered within 24 hours: of the hours that are over, and of
    /// the results since. Connections without any are left out.
    pub fn day_shares(&self, now: Timestamp) -> Result<HashMap<Name, f64>, StateProblem> {
        let since = now.as_millisecond() - DAY_MS;
        self.look(|database| day_shares(database, since).with_path(self.path()))
    }
}

fn pasts(
    database: &Connection,
    names: &[Name],
    now: i64,
) -> rusqlite::Result<Vec<(Name, History)>> {
    let mut known = HashMap::new();
    for name in names {
        let row = database
            .prepare_cached("SELECT id, reason, since FROM watched WHERE name = ?1")?
            .query_row(params![name.as_str()], |row| {
                Ok((row.get::<_, i64>(0)?, standing(row, 1)?))
            })
            .optional()?;
        if let Some(row) = row {
            known.insert(name, row);
        }
    }
    let ids: HashSet<i64> = known.values().map(|(id, _)| *id).collect();
    let mut fresh = fresh(database, &ids, now - MONTH_MS)?;
    let mut pasts = Vec::with_capacity(names.len());
    for name in names {
        let past = match known.get(name) {
            Some((id, standing)) => History {
                standing: *standing,
                ..past(database, *id, now, fresh.remove(id).unwrap_or_default())?
            },
            None => History::default(),
        };
        pasts.push((name.clone(), past));
    }
    Ok(pasts)
}

/// What is not sorted in yet of the connections with these `ids`, oldest first.
fn fresh(
    database: &Connection,
    ids: &HashSet<i64>,
    since: i64,
) -> rusqlite::Result<HashMap<i64, Vec<RunRecord>>> {
    let mut select = database.prepare_cached(
        "SELECT at, reason.reason, status, us, planned, watched FROM fresh
         JOIN reason ON reason.id = fresh.reason
         WHERE at >= ?1",
    )?;
    let mut rows = select.query([since])?;
    let mut all: HashMap<i64, Vec<RunRecord>> = HashMap::new();
    while let Some(row) = rows.next()? {
        let id = row.get(5)?;
        // All of them are read: they stand in the order of nothing.
        if ids.contains(&id)
            && let Some(run) = run(row)?
        {
            all.entry(id).or_default().push(run);
        }
    }
    for runs in all.values_mut() {
        runs.sort_by_key(|run| run.at);
    }
    Ok(all)
}

fn past(
    database: &Connection,
    id: i64,
    now: i64,
    fresh: Vec<RunRecord>,
) -> rusqlite::Result<History> {
    let day = now - DAY_MS;
    let mut runs = sorted_in(database, id, day)?;
    let old = fresh
        .iter()
        .take_while(|run| run.at.as_millisecond() < day)
        .count();
    let mut month = older(database, id, now - MONTH_MS, day)?;
    for run in fresh.iter().take(old) {
        month.add(run);
    }
    runs.extend(fresh.into_iter().skip(old));
    let (mut hour, mut whole) = (Count::default(), Count::default());
    for run in &runs {
        whole.add(run);
        if run.at.as_millisecond() >= now - HOUR_MS {
            hour.add(run);
        }
    }
    month += whole;
    let strip = if runs.len() >= STRIP {
        runs.iter().skip(runs.len() - STRIP).copied().collect()
    } else {
        last(database, id, runs.last().copied())?
    };
    Ok(History {
        standing: None,
        latency: Latency::of(&runs),
        availability: Availability {
            hour: hour.share(),
            day: whole.share(),
            month: month.share(),
        },
        strip,
    })
}

fn sorted_in(database: &Connection, id: i64, since: i64) -> rusqlite::Result<Vec<RunRecord>> {
    let mut select = database.prepare_cached(
        "SELECT at, reason.reason, status, us, planned FROM sample JOIN reason ON reason.id = sample.reason
         WHERE watched = ?1 AND at >= ?2 ORDER BY at",
    )?;
    let rows = select.query_map(params![id, since], run)?;
    rows.filter_map(Result::transpose).collect()
}

/// Counts the results sorted in from a time to a time: the single ones where they are kept, else the finest
/// buckets.
fn older(database: &Connection, id: i64, since: i64, before: i64) -> rusqlite::Result<Count> {
    let single = kept_since(database, 0)?.max(since);
    let minutes = kept_since(database, Span::Minutes.seconds())?.min(single);
    let mut count = database
        .prepare_cached(
            "SELECT TOTAL(works AND NOT planned), TOTAL(state = 'ok' AND NOT planned),
                    TOTAL(state = 'warn' AND NOT planned), TOTAL(state = 'down' AND NOT planned),
                    TOTAL(state = 'unknown' AND NOT planned), TOTAL(planned)
             FROM sample JOIN reason ON reason.id = sample.reason
             WHERE watched = ?1 AND at >= ?2 AND at < ?3",
        )?
        .query_row(params![id, single, before], |row| counted(row, 0))?;
    for (span, from, before) in [
        (Span::Minutes, since.max(minutes), single),
        (Span::Hour, since, minutes),
    ] {
        count += summed(database, (id, span), from, before)?.0;
    }
    Ok(count)
}

/// The sum of the buckets from a time to a time, and when the last of them began.
fn summed(
    database: &Connection,
    (id, span): (i64, Span),
    from: i64,
    before: i64,
) -> rusqlite::Result<(Count, Option<i64>)> {
    database
        .prepare_cached(
            "SELECT TOTAL(works), TOTAL(ok), TOTAL(warn), TOTAL(down), TOTAL(unknown), TOTAL(planned), MAX(at)
             FROM bucket WHERE watched = ?1 AND span = ?2 AND at >= ?3 AND at < ?4",
        )?
        .query_row(params![id, span.seconds(), from, before], |row| {
            Ok((counted(row, 0)?, row.get(6)?))
        })
}

/// The last results, however old they are, of a connection that was rarely probed of late.
fn last(
    database: &Connection,
    id: i64,
    newest: Option<RunRecord>,
) -> rusqlite::Result<Vec<RunRecord>> {
    if newest.is_none() {
        return Ok(Vec::new());
    }
    let sql = format!("{} ORDER BY run.at DESC LIMIT ?4", super::read::RUNS);
    let mut select = database.prepare_cached(&sql)?;
    let most = i64::try_from(STRIP).unwrap_or(i64::MAX);
    let rows = select.query_map(params![id, i64::MIN, i64::MAX, most], run)?;
    let mut runs: Vec<_> = rows
        .filter_map(Result::transpose)
        .collect::<Result<_, _>>()?;
    runs.reverse();
    Ok(runs)
}

fn day_shares(database: &Connection, since: i64) -> rusqlite::Result<HashMap<Name, f64>> {
    let mut fresh: HashMap<i64, Count> = HashMap::new();
    let mut select = database.prepare_cached(
        "SELECT at, reason.reason, status, us, planned, watched FROM fresh
         JOIN reason ON reason.id = fresh.reason WHERE at >= ?1",
    )?;
    let mut rows = select.query(params![since])?;
    while let Some(row) = rows.next()? {
        if let Some(run) = run(row)? {
            fresh.entry(row.get(5)?).or_default().add(&run);
        }
    }
    let mut select = database.prepare_cached("SELECT id, name FROM watched")?;
    let mut rows = select.query([])?;
    let mut all = HashMap::new();
    while let Some(row) = rows.next()? {
        let id = row.get(0)?;
        let (mut count, last) = summed(database, (id, Span::Hour), since, i64::MAX)?;
        let from = last.map_or(since, |last| last + Span::Hour.milliseconds());
        for run in sorted_in(database, id, from)? {
            count.add(&run);
        }
        if let Some(fresh) = fresh.get(&id) {
            count += *fresh;
        }
        let name = Name::parse(&row.get::<_, String>(1)?);
        if let (Ok(name), Some(share)) = (name, count.share()) {
            all.insert(name, share);
        }
    }
    Ok(all)
}
