//! Questions to the history. Each sees what was committed when it began, and waits for no writer.

use std::collections::HashMap;
use std::time::Duration;

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::{Bucket, Count, Event, Latency, RunRecord, Span, Standing};
use crate::domain::{Name, Reason};
use crate::store::state::{StateDb, StateProblem, WithPath};

/// Single results of one connection in a time, sorted in or not. ?1 its number, ?2 from, ?3 before.
pub(super) const RUNS: &str = "
    SELECT run.at AS at, reason.reason, run.status, run.us, run.planned FROM (
        SELECT at, reason, status, us, planned FROM sample WHERE watched = ?1 AND at >= ?2 AND at < ?3
        UNION ALL
        SELECT at, reason, status, us, planned FROM fresh WHERE watched = ?1 AND at >= ?2 AND at < ?3
    ) AS run JOIN reason ON reason.id = run.reason";

/// Changes until ?3. One that was written while the clock stood ahead lies behind what is known to stand since then,
/// and may contradict it: it would be told as an outage that lasts.
pub(super) const EVENTS: &str = "
    change JOIN reason AS event ON event.id = change.reason
    JOIN watched ON watched.id = change.watched JOIN reason AS last ON last.reason = watched.reason
    WHERE change.at <= ?3 AND (change.at <= watched.since OR event.state = last.state)";

impl StateDb {
    /// The single results of `name` since a time, oldest first. Reasons of a newer program are left out.
    pub fn results(&self, name: &Name, since: Timestamp) -> Result<Vec<RunRecord>, StateProblem> {
        self.of(name, |database, id| {
            runs(database, id, since.as_millisecond(), i64::MAX)
        })
        .map(Option::unwrap_or_default)
    }

    /// How `name` stood after its last result.
    pub fn standing(&self, name: &Name) -> Result<Option<Standing>, StateProblem> {
        self.look(|database| {
            let row = database
                .query_row(
                    "SELECT reason, since FROM watched WHERE name = ?1",
                    params![name.as_str()],
                    |row| standing(row, 0),
                )
                .optional()
                .with_path(self.path())?;
            Ok(row.flatten())
        })
    }

    /// How every connection stood after its last result.
    pub fn standings(&self) -> Result<HashMap<Name, Standing>, StateProblem> {
        self.look(|database| {
            let all = || -> rusqlite::Result<HashMap<Name, Standing>> {
                let mut select = database.prepare("SELECT name, reason, since FROM watched")?;
                let mut rows = select.query([])?;
                let mut all = HashMap::new();
                while let Some(row) = rows.next()? {
                    let name = Name::parse(&row.get::<_, String>(0)?);
                    if let (Ok(name), Some(standing)) = (name, standing(row, 1)?) {
                        all.insert(name, standing);
                    }
                }
                Ok(all)
            };
            all().with_path(self.path())
        })
    }

    /// How long the probes of `name` that found that it works took since a time, as far as single results
    /// are kept.
    pub fn latency(&self, name: &Name, since: Timestamp) -> Result<Option<Latency>, StateProblem> {
        let runs = self.results(name, since)?;
        Ok(Latency::of(&runs))
    }

    /// The changes of `name` since a time, oldest first; the last one still lasts. What lies ahead, as after a clock
    /// that was set back, is none yet, nor once its time has come.
    pub fn events(&self, name: &Name, since: Timestamp) -> Result<Vec<Event>, StateProblem> {
        self.of(name, |database, id| {
            let mut select = database.prepare_cached(&format!(
                "SELECT at, reason, status, next - at FROM
                    (SELECT change.at, event.reason, status, LEAD(change.at) OVER (ORDER BY change.at) AS next
                     FROM {EVENTS} AND watched.id = ?1)
                 WHERE next IS NULL OR next > ?2 ORDER BY at"
            ))?;
            let now = Timestamp::now().as_millisecond();
            let rows = select.query_map(params![id, since.as_millisecond(), now], event)?;
            rows.filter_map(Result::transpose).collect()
        })
        .map(Option::unwrap_or_default)
    }

    /// The buckets of `name` since a time, oldest first. The time that is not over yet is in
    /// [`StateDb::results`] alone.
    pub fn buckets(
        &self,
        name: &Name,
        span: Span,
        since: Timestamp,
    ) -> Result<Vec<Bucket>, StateProblem> {
        self.of(name, |database, id| {
            let mut select = database.prepare_cached(
                "SELECT at, works, ok, warn, down, unknown, planned, us_p50, us_p95, us_max FROM bucket
                 WHERE watched = ?1 AND span = ?2 AND at >= ?3 ORDER BY at",
            )?;
            let rows =
                select.query_map(params![id, span.seconds(), since.as_millisecond()], bucket)?;
            rows.filter_map(Result::transpose).collect()
        })
        .map(Option::unwrap_or_default)
    }

    /// Asks about one connection, where there is anything of it.
    fn of<R>(
        &self,
        name: &Name,
        ask: impl FnOnce(&Connection, i64) -> rusqlite::Result<R>,
    ) -> Result<Option<R>, StateProblem> {
        self.look(|database| {
            let id: Option<i64> = database
                .query_row(
                    "SELECT id FROM watched WHERE name = ?1",
                    params![name.as_str()],
                    |row| row.get(0),
                )
                .optional()
                .with_path(self.path())?;
            id.map(|id| ask(database, id))
                .transpose()
                .with_path(self.path())
        })
    }
}

/// The single results of a connection in `from..before`, oldest first.
pub(super) fn runs(
    database: &Connection,
    id: i64,
    from: i64,
    before: i64,
) -> rusqlite::Result<Vec<RunRecord>> {
    let sql = format!("{RUNS} ORDER BY run.at");
    let mut select = database.prepare_cached(&sql)?;
    let rows = select.query_map(params![id, from, before], run)?;
    rows.filter_map(Result::transpose).collect()
}

/// Since when rows of this span are complete; 0 is single results.
pub(super) fn kept_since(database: &Connection, span: i64) -> rusqlite::Result<i64> {
    let since = database
        .prepare_cached("SELECT since FROM kept WHERE span = ?1")?
        .query_row(params![span], |row| row.get(0))
        .optional()?;
    Ok(since.unwrap_or(i64::MIN))
}

pub(super) fn counted(row: &Row<'_>, first: usize) -> rusqlite::Result<Count> {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "numbers of probes; a float's cast stops at the type's ends"
    )]
    let number = |column: usize| row.get::<_, f64>(first + column).map(|n| n as u32);
    Ok(Count {
        works: number(0)?,
        ok: number(1)?,
        warn: number(2)?,
        down: number(3)?,
        unknown: number(4)?,
        planned: number(5)?,
    })
}

pub(super) fn run(row: &Row<'_>) -> rusqlite::Result<Option<RunRecord>> {
    let (Some(at), Some(reason)) = (time(row, 0)?, reason(row, 1)?) else {
        return Ok(None);
    };
    Ok(Some(RunRecord {
        at,
        reason,
        status: row.get(2)?,
        us: row.get(3)?,
        planned: row.get(4)?,
    }))
}

fn event(row: &Row<'_>) -> rusqlite::Result<Option<Event>> {
    let (Some(at), Some(reason)) = (time(row, 0)?, reason(row, 1)?) else {
        return Ok(None);
    };
    let lasted: Option<i64> = row.get(3)?;
    Ok(Some(Event {
        at,
        reason,
        status: row.get(2)?,
        lasted: lasted.map(|ms| Duration::from_millis(ms.unsigned_abs())),
    }))
}

fn bucket(row: &Row<'_>) -> rusqlite::Result<Option<Bucket>> {
    let us = |column| -> rusqlite::Result<Option<Duration>> {
        let us: Option<u32> = row.get(column)?;
        Ok(us.map(|us| Duration::from_micros(us.into())))
    };
    let latency = match (us(7)?, us(8)?, us(9)?) {
        (Some(p50), Some(p95), Some(max)) => Some(Latency { p50, p95, max }),
        _ => None,
    };
    let count = counted(row, 1)?;
    Ok(time(row, 0)?.map(|at| Bucket { at, count, latency }))
}

pub(super) fn standing(row: &Row<'_>, first: usize) -> rusqlite::Result<Option<Standing>> {
    let (Some(reason), Some(since)) = (reason(row, first)?, time(row, first + 1)?) else {
        return Ok(None);
    };
    Ok(Some(Standing {
        state: reason.state(),
        reason,
        since,
    }))
}

fn time(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<Timestamp>> {
    Ok(Timestamp::from_millisecond(row.get(column)?).ok())
}

/// The reason; nothing where a newer program wrote one that is not known here.
fn reason(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<Reason>> {
    Ok(row.get::<_, String>(column)?.parse().ok())
}
