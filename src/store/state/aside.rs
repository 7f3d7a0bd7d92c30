//! Renewals that something else has ended than the command that began them, such as a probe: that command was told to
//! be given again, and is told so then. Once, and within a day: after that it means another renewal.

use jiff::{SignedDuration, Timestamp};
use rusqlite::{Connection, OptionalExtension, params};

use super::problem::WithPath;
use super::{StateDb, StateProblem};
use crate::domain::token::RenewalAction;

/// How long whoever was told to give a command again has for it.
const TOLD_WITHIN: SignedDuration = SignedDuration::from_hours(24);

impl StateDb {
    /// Writes down that a renewal was ended at `at`, by something else than what began it. On disk when it returns.
    pub fn note_ended_aside(
        &self,
        (origin, token): (&str, &str),
        action: RenewalAction,
        at: Timestamp,
    ) -> Result<(), StateProblem> {
        self.write(|transaction| {
            let over = at - TOLD_WITHIN;
            transaction
                .execute("DELETE FROM renewed_aside WHERE at < ?1", params![over.as_millisecond()])
                .with_path(&self.path)?;
            transaction
                .execute(
                    "INSERT INTO renewed_aside (origin, token, action, at) VALUES (?1, ?2, ?3, ?4)
                     ON CONFLICT (origin, token) DO UPDATE SET action = excluded.action, at = excluded.at",
                    params![origin, token, written(action), at.as_millisecond()],
                )
                .with_path(&self.path)?;
            Ok(())
        })
    }

    /// When such an `action` was ended within the day before `now`, and nobody was told.
    pub fn ended_aside(
        &self,
        (origin, token): (&str, &str),
        action: RenewalAction,
        now: Timestamp,
    ) -> Result<Option<Timestamp>, StateProblem> {
        let at: Option<i64> = self.read(|database| {
            database
                .query_row(
                    "SELECT at FROM renewed_aside WHERE origin = ?1 AND token = ?2 AND action = ?3",
                    params![origin, token, written(action)],
                    |row| row.get(0),
                )
                .optional()
                .with_path(&self.path)
        })?;
        let at = at.and_then(|at| Timestamp::from_millisecond(at).ok());
        Ok(at.filter(|at| now.duration_since(*at).abs() < TOLD_WITHIN))
    }

    /// Somebody was told.
    pub fn forget_ended_aside(&self, origin: &str, token: &str) -> Result<(), StateProblem> {
        self.write(|transaction| self.forget_ended_aside_in(transaction, origin, token))
    }

    pub(super) fn forget_ended_aside_in(
        &self,
        database: &Connection,
        origin: &str,
        token: &str,
    ) -> Result<(), StateProblem> {
        database
            .execute(
                "DELETE FROM renewed_aside WHERE origin = ?1 AND token = ?2",
                params![origin, token],
            )
            .with_path(&self.path)?;
        Ok(())
    }
}

fn written(action: RenewalAction) -> &'static str {
    match action {
        RenewalAction::Renew => "renew",
        RenewalAction::Rotate => "rotate",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: (&str, &str) = ("https://a.example", "SU-1");

    fn at(hours: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + SignedDuration::from_hours(1_000 + hours)
    }

    #[test]
    fn it_is_told_for_a_day_and_of_what_was_asked_for() {
        let state = StateDb::in_memory().unwrap();
        let told = |action, hours| state.ended_aside(TOKEN, action, at(hours)).unwrap();
        assert_eq!(told(RenewalAction::Renew, 0), None);
        state
            .note_ended_aside(TOKEN, RenewalAction::Renew, at(0))
            .unwrap();
        assert_eq!(told(RenewalAction::Renew, 23), Some(at(0)));
        assert_eq!(told(RenewalAction::Rotate, 23), None);
        assert_eq!(told(RenewalAction::Renew, 24), None);
        let other = state.ended_aside((TOKEN.0, "SU-2"), RenewalAction::Renew, at(1));
        assert_eq!(other.unwrap(), None);
        state.forget_ended_aside(TOKEN.0, TOKEN.1).unwrap();
        assert_eq!(told(RenewalAction::Renew, 1), None);
    }

    #[test]
    fn what_is_over_is_swept() {
        let state = StateDb::in_memory().unwrap();
        let note = |token, hours| {
            let token = (TOKEN.0, token);
            let noted = state.note_ended_aside(token, RenewalAction::Renew, at(hours));
            noted.unwrap();
        };
        note("SU-1", 0);
        note("SU-2", 2);
        note("SU-3", 25);
        let count = |database: &Connection| {
            let asked = "SELECT COUNT(*) FROM renewed_aside";
            database
                .query_row(asked, [], |row| row.get(0))
                .with_path(&state.path)
        };
        let left: i64 = state.read(count).unwrap();
        assert_eq!(left, 2);
    }
}
