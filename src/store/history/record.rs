//! Writing results down, many in one step.

use rusqlite::{OptionalExtension, Transaction, params};

use super::RunRecord;
use crate::domain::Name;
use crate::store::state::{StateDb, StateProblem, WithPath};

impl StateDb {
    /// Adds results of many connections in one step, so that thousands of them cost one write to disk. All
    /// of them are there afterwards, also for a program that is killed, or none.
    pub fn record<'a>(
        &self,
        runs: impl IntoIterator<Item = (&'a Name, RunRecord)>,
    ) -> Result<(), StateProblem> {
        self.write(|transaction| {
            for (name, run) in runs {
                add(transaction, name, run).with_path(self.path())?;
            }
            Ok(())
        })
    }
}

fn add(transaction: &Transaction<'_>, name: &Name, run: RunRecord) -> rusqlite::Result<()> {
    let at = run.at.as_millisecond();
    let (id, changed) = stand(transaction, name, run)?;
    transaction
        .prepare_cached(
            "INSERT INTO fresh (watched, at, reason, status, us, planned)
             SELECT ?1, ?2, id, ?4, ?5, ?6 FROM reason WHERE reason = ?3",
        )?
        .execute(params![
            id,
            at,
            run.reason.id(),
            run.status,
            run.us,
            run.planned
        ])?;
    if changed {
        transaction
            .prepare_cached(
                "INSERT OR REPLACE INTO change (watched, at, reason, status)
                 SELECT ?1, ?2, id, ?4 FROM reason WHERE reason = ?3",
            )?
            .execute(params![id, at, run.reason.id(), run.status])?;
    }
    Ok(())
}

/// Takes in how `name` stands now. Gives its number, and whether that is another reason than before; where
/// it is not, nothing is written.
fn stand(
    transaction: &Transaction<'_>,
    name: &Name,
    run: RunRecord,
) -> rusqlite::Result<(i64, bool)> {
    let (state, reason) = (run.reason.state().id(), run.reason.id());
    let known: Option<(i64, String)> = transaction
        .prepare_cached("SELECT id, reason FROM watched WHERE name = ?1")?
        .query_row(params![name.as_str()], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    if let Some((id, known)) = &known
        && known == reason
    {
        return Ok((*id, false));
    }
    if let Some((id, _)) = known
        && is_overtaken(transaction, id, run)?
    {
        return Ok((id, false));
    }
    let id = transaction
        .prepare_cached(
            "INSERT INTO watched (name, state, reason, since) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (name) DO UPDATE SET
                 since = CASE WHEN state = excluded.state THEN since ELSE excluded.since END,
                 state = excluded.state, reason = excluded.reason
             RETURNING id",
        )?
        .query_row(
            params![name.as_str(), state, reason, run.at.as_millisecond()],
            |row| row.get(0),
        )?;
    Ok((id, true))
}

/// How late a result may come, ms: programs gather theirs for a second, and wait for each other. A later one is there
/// because a clock was set back, and says how it stands.
pub(in crate::store) const LATE_MS: i64 = 60_000;

/// Whether another program has written a newer change already, which says how it stands.
fn is_overtaken(transaction: &Transaction<'_>, id: i64, run: RunRecord) -> rusqlite::Result<bool> {
    let at = run.at.as_millisecond();
    transaction
        .prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM change WHERE watched = ?1 AND at > ?2 AND at <= ?3)",
        )?
        .query_row(params![id, at, at.saturating_add(LATE_MS)], |row| {
            row.get(0)
        })
}
