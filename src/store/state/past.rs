//! What earlier probes of a connection found out at one URL.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Transaction, params};
use serde::{Deserialize, Serialize};

use super::problem::WithPath;
use super::{StateDb, StateProblem};
use crate::domain::{Identity, KeyFingerprint, Name, State};
use crate::service::subject::Accepted;
use crate::service::{LastGood, Past};
use crate::store::history::LATE_MS;

/// What earlier probes of a connection found out at one URL; another URL starts anew.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PastRecord {
    /// The service was recognised there.
    pub service_seen: bool,
    /// The pair that was accepted last, and how.
    pub accepted: Option<(KeyFingerprint, Accepted)>,
    /// Pinned at the first success.
    pub identity: Option<Identity>,
    /// The last good run.
    pub last_good: Option<LastGood>,
    /// The server's certificate as it was seen last, in a good run or not.
    pub certificate: Option<SeenCertificate>,
    /// What a watch announced last; nothing where that it is up was never news.
    pub announced: Option<State>,
    /// Of what the user's command was called last, and when that was found.
    pub called: Option<(State, Timestamp)>,
}

/// The certificate of a server, the leaf alone. Every text is inert.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SeenCertificate {
    /// Subject, as `CN=…`.
    pub subject: String,
    /// Issuer, likewise.
    pub issuer: String,
    /// SHA-256 over the DER form, hex.
    pub fingerprint: String,
    /// Its last moment, RFC 3339 UTC.
    pub ends: String,
}

impl PastRecord {
    /// What a ladder that runs with `pair` may know of it. When the key is paused is the budget's to say.
    pub fn for_pair(&self, pair: Option<&KeyFingerprint>) -> Past {
        let accepted = self
            .accepted
            .as_ref()
            .filter(|(accepted, _)| Some(accepted) == pair);
        Past {
            service_seen: self.service_seen,
            accepted: accepted.map(|(_, how)| how.clone()),
            identity: self.identity.clone(),
            last_good: self.last_good.clone(),
            paused: None,
        }
    }
}

impl StateDb {
    /// What is remembered of the connection `name` at `url`.
    pub fn past(&self, name: &Name, url: &str) -> Result<PastRecord, StateProblem> {
        self.read(|database| self.past_in(database, name, url))
    }

    /// Changes what is remembered of the connection `name` at `url` in one step.
    pub fn update_past<R>(
        &self,
        name: &Name,
        url: &str,
        change: impl FnOnce(&mut PastRecord) -> R,
    ) -> Result<R, StateProblem> {
        self.write(|transaction| self.update_past_in(transaction, (name, url), change))
    }

    /// Writes down that a watch announces the connection `name` to be so, as was found then. Says, of a watch that
    /// `calls` the user's command of it, whether it is the first to do so: no other has of this state, or it stood
    /// otherwise a minute later: results come late.
    pub fn announce(
        &self,
        name: &Name,
        url: &str,
        (state, at): (State, Timestamp),
        calls: bool,
    ) -> Result<bool, StateProblem> {
        self.write(|transaction| {
            let since: Option<i64> = transaction
                .prepare_cached("SELECT since FROM watched WHERE name = ?1")
                .and_then(|mut asked| asked.query_row(params![name.as_str()], |row| row.get(0)))
                .optional()
                .with_path(&self.path)?;
            let is_first = self.update_past_in(transaction, (name, url), |past| {
                past.announced = Some(state);
                let is_called = past.called.is_some_and(|(of, when)| {
                    let until = when.as_millisecond().saturating_add(LATE_MS);
                    // The first result of all is written a moment after it was announced.
                    let since = since.unwrap_or_else(|| at.as_millisecond());
                    of == state && until >= since
                });
                if calls && !is_called {
                    past.called = Some((state, at));
                }
                !is_called
            })?;
            if calls && is_first {
                // What was called of another URL before is not the last word any more.
                let others: Vec<String> = transaction
                    .prepare_cached("SELECT url FROM past WHERE connection = ?1 AND url <> ?2")
                    .and_then(|mut asked| {
                        let urls =
                            asked.query_map(params![name.as_str(), url], |row| row.get(0))?;
                        urls.collect()
                    })
                    .with_path(&self.path)?;
                for other in &others {
                    self.update_past_in(transaction, (name, other), |past| past.called = None)?;
                }
            }
            Ok(is_first)
        })
    }

    fn update_past_in<R>(
        &self,
        transaction: &Transaction<'_>,
        (name, url): (&Name, &str),
        change: impl FnOnce(&mut PastRecord) -> R,
    ) -> Result<R, StateProblem> {
        let old = self.past_in(transaction, name, url)?;
        let mut record = old.clone();
        let result = change(&mut record);
        if record != old {
            let json =
                serde_json::to_string(&record).map_err(|problem| self.unreadable(&problem))?;
            transaction
                .prepare_cached(
                    "INSERT INTO past (connection, url, record) VALUES (?1, ?2, ?3)
                     ON CONFLICT (connection, url) DO UPDATE SET record = excluded.record",
                )
                .and_then(|mut put| put.execute(params![name.as_str(), url, json]))
                .with_path(&self.path)?;
        }
        Ok(result)
    }

    fn past_in(
        &self,
        database: &Connection,
        name: &Name,
        url: &str,
    ) -> Result<PastRecord, StateProblem> {
        let json: Option<String> = database
            .prepare_cached("SELECT record FROM past WHERE connection = ?1 AND url = ?2")
            .and_then(|mut asked| asked.query_row(params![name.as_str(), url], |row| row.get(0)))
            .optional()
            .with_path(&self.path)?;
        let Some(json) = json else {
            return Ok(PastRecord::default());
        };
        serde_json::from_str(&json).map_err(|problem| self.unreadable(&problem))
    }
}
