//! Results of watching: the last day of every connection, and since when it is as it is.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Transaction, params};

use super::problem::Told;
use super::{State, StateProblem};
use crate::domain::{Name, Reason, State as Lamp};

/// Results older than this are let go, milliseconds: availability is told over 24 hours.
const KEPT_MS: i64 = 25 * 60 * 60 * 1000;

/// One result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RunRecord {
    /// When the probe ended; kept to the millisecond.
    pub at: Timestamp,
    /// Why it ended as it did; the state is the reason's.
    pub reason: Reason,
    /// Microseconds that it took, where it was timed.
    pub us: Option<u32>,
}

/// How a connection stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// The lamp.
    pub state: Lamp,
    /// The reason of the last result.
    pub reason: Reason,
    /// When the lamp took this state.
    pub since: Timestamp,
}

impl State {
    /// Adds results of many connections in one step, so that thousands of them cost one write to disk.
    pub fn add_results<'a>(
        &self,
        results: impl IntoIterator<Item = (&'a Name, RunRecord)>,
    ) -> Result<(), StateProblem> {
        self.write(|transaction| {
            for (name, run) in results {
                self.add_result_in(transaction, name, run)?;
            }
            Ok(())
        })
    }

    fn add_result_in(
        &self,
        transaction: &Transaction<'_>,
        name: &Name,
        run: RunRecord,
    ) -> Result<(), StateProblem> {
        let at = run.at.as_millisecond();
        let (state, reason) = (run.reason.state().id(), run.reason.id());
        let id: i64 = transaction
            .prepare_cached(
                "INSERT INTO watched (name, state, reason, since) VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT (name) DO UPDATE SET
                     since = CASE WHEN state = excluded.state THEN since ELSE excluded.since END,
                     state = excluded.state, reason = excluded.reason
                 RETURNING id",
            )
            .told(&self.path)?
            .query_row(params![name.as_str(), state, reason, at], |row| row.get(0))
            .told(&self.path)?;
        transaction
            .prepare_cached("INSERT OR REPLACE INTO result (watched, at, state, reason, us) VALUES (?1, ?2, ?3, ?4, ?5)")
            .told(&self.path)?
            .execute(params![id, at, state, reason, run.us])
            .told(&self.path)?;
        transaction
            .prepare_cached("DELETE FROM result WHERE watched = ?1 AND at < ?2")
            .told(&self.path)?
            .execute(params![id, at.saturating_sub(KEPT_MS)])
            .told(&self.path)?;
        Ok(())
    }

    /// The results of `name` since a time, oldest first. Reasons of a newer program are left out.
    pub fn results(&self, name: &Name, since: Timestamp) -> Result<Vec<RunRecord>, StateProblem> {
        self.read(|database| {
            let mut select = database
                .prepare_cached(
                    "SELECT result.at, result.reason, result.us FROM result JOIN watched ON id = watched
                     WHERE name = ?1 AND at >= ?2 ORDER BY at",
                )
                .told(&self.path)?;
            let rows = select
                .query_map(params![name.as_str(), since.as_millisecond()], |row| {
                    Ok((
                        row.get::<_, i64>(0)?,
                        row.get::<_, String>(1)?,
                        row.get::<_, Option<u32>>(2)?,
                    ))
                })
                .told(&self.path)?;
            let rows: Vec<_> = rows.collect::<rusqlite::Result<_>>().told(&self.path)?;
            Ok(rows
                .into_iter()
                .filter_map(|(at, reason, us)| {
                    let at = Timestamp::from_millisecond(at).ok()?;
                    Some(RunRecord {
                        at,
                        reason: reason.parse().ok()?,
                        us,
                    })
                })
                .collect())
        })
    }

    /// How `name` stood after its last result.
    pub fn standing(&self, name: &Name) -> Result<Option<Standing>, StateProblem> {
        self.read(|database: &Connection| {
            let row: Option<(String, i64)> = database
                .query_row(
                    "SELECT reason, since FROM watched WHERE name = ?1",
                    params![name.as_str()],
                    |row| Ok((row.get(0)?, row.get(1)?)),
                )
                .optional()
                .told(&self.path)?;
            Ok(row.and_then(|(reason, since)| {
                let reason: Reason = reason.parse().ok()?;
                let since = Timestamp::from_millisecond(since).ok()?;
                Some(Standing {
                    state: reason.state(),
                    reason,
                    since,
                })
            }))
        })
    }
}
