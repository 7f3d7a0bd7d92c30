//! The history: results of watching in `history.sqlite`, thinned by age, for every reader of that file.
//!
//! | rows | kept | table |
//! |---|---|---|
//! | single results | 48 hours | `fresh` as they come, `sample` sorted by connection |
//! | 5 minutes as one | 30 days | `bucket`, span 300 |
//! | an hour as one | a year | `bucket`, span 3600 |
//! | changes of reason | a year | `change` |
//!
//! One writer, many readers: readers see what was committed when they began, and never wait for the writer
//! (SQLite's write-ahead log). The views `run`, `event` and `summary` are for people with `sqlite3`; the
//! tables carry their documentation in the schema. Only reasons, status codes and times are kept: nothing
//! that a server said, and no secret.
//!
//! New results go to the end of `fresh`, all connections together, so that a batch of them writes a page or
//! two; [`State::thin`] sorts them in every few minutes. Otherwise 5,000 connections would write a page each.

mod export;
mod read;
mod record;
mod thin;

use std::time::Duration;

use jiff::Timestamp;

use crate::domain::{Reason, State as Lamp};

pub use export::{ExportFormat, ExportTable};

#[cfg(doc)]
use super::State;

/// One result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RunRecord {
    /// When the probe ended; kept to the millisecond.
    pub at: Timestamp,
    /// Why it ended as it did; the state is the reason's.
    pub reason: Reason,
    /// HTTP status; 0 without a response.
    pub status: u16,
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

/// A change of reason, and how long it lasted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Event {
    /// When the first probe found it.
    pub at: Timestamp,
    /// What it found.
    pub reason: Reason,
    /// HTTP status; 0 without a response.
    pub status: u16,
    /// Until the next change; nothing for the one that still lasts.
    pub lasted: Option<Duration>,
}

/// How long probes took that found that the connection works.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Latency {
    /// Half of them took no longer.
    pub p50: Duration,
    /// 95 of 100 took no longer.
    pub p95: Duration,
    /// The longest.
    pub max: Duration,
}

/// Which share of the probes found that the connection works, 0 to 1. Probes that asked nothing (`unknown`)
/// do not count; where no other was, there is no share.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Availability {
    /// Over the last hour.
    pub hour: Option<f64>,
    /// Over the last 24 hours.
    pub day: Option<f64>,
    /// Over the last 30 days.
    pub month: Option<f64>,
}

/// Many results as one, for a plot over time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bucket {
    /// Its beginning.
    pub at: Timestamp,
    /// How many probes ended in each state.
    pub count: Count,
    /// Of the probes that found that it works.
    pub latency: Option<Latency>,
}

/// How many probes ended how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// Found that the connection works, whatever the state.
    pub works: u32,
    /// `ok`.
    pub ok: u32,
    /// `warn`.
    pub warn: u32,
    /// `down`.
    pub down: u32,
    /// `unknown`.
    pub unknown: u32,
}

/// How much time a [`Bucket`] covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Span {
    /// 5 minutes, kept for 30 days.
    Minutes,
    /// An hour, kept for a year.
    Hour,
}

impl Span {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Minutes, Self::Hour];

    /// Its length in seconds; the number in the table.
    pub const fn seconds(self) -> i64 {
        match self {
            Self::Minutes => 300,
            Self::Hour => 3_600,
        }
    }

    const fn milliseconds(self) -> i64 {
        self.seconds() * 1_000
    }
}

impl Count {
    /// Takes in one result.
    fn add(&mut self, reason: Reason) {
        self.works += u32::from(reason.works());
        *match reason.state() {
            Lamp::Ok => &mut self.ok,
            Lamp::Warn => &mut self.warn,
            Lamp::Down => &mut self.down,
            Lamp::Unknown => &mut self.unknown,
        } += 1;
    }

    /// The share that works of those that were asked.
    pub fn share(&self) -> Option<f64> {
        let asked = self.ok + self.warn + self.down;
        (asked > 0).then(|| f64::from(self.works) / f64::from(asked))
    }
}

impl std::ops::AddAssign for Count {
    fn add_assign(&mut self, other: Self) {
        self.works += other.works;
        self.ok += other.ok;
        self.warn += other.warn;
        self.down += other.down;
        self.unknown += other.unknown;
    }
}

impl Latency {
    /// Of those that found that the connection works, by the nearest rank: how long a failure takes is
    /// another question.
    fn of(runs: &[RunRecord]) -> Option<Self> {
        let works = runs.iter().filter(|run| run.reason.works());
        let mut us: Vec<u32> = works.filter_map(|run| run.us).collect();
        us.sort_unstable();
        let rank = |percent: usize| {
            let at = (us.len() * percent).div_ceil(100).saturating_sub(1);
            us.get(at).map(|us| Duration::from_micros((*us).into()))
        };
        Some(Self {
            p50: rank(50)?,
            p95: rank(95)?,
            max: rank(100)?,
        })
    }
}

#[cfg(test)]
mod tests;
