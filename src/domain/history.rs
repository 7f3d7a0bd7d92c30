//! What watching found, by time: results, standings, changes, and what is counted from them. Pure; where it is
//! kept is `store`'s affair, where it is shown the screen's.

use std::time::Duration;

use jiff::Timestamp;

use super::reason::{Reason, State};

/// The last results that are shown one by one.
pub const STRIP: usize = 60;

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
    /// Whether it fell into a maintenance window: availability leaves it out.
    pub planned: bool,
}

/// How a connection stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// The lamp.
    pub state: State,
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

/// The past of a connection, whichever programs probed it: what a row of the watch table shows.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct History {
    /// How it stands and since when; nothing before its first result.
    pub standing: Option<Standing>,
    /// Over the last 24 hours, of the probes that found that it works.
    pub latency: Option<Latency>,
    /// Over the last hour, 24 hours and 30 days.
    pub availability: Availability,
    /// The last [`STRIP`] results, oldest first.
    pub strip: Vec<RunRecord>,
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

/// Which share of the probes found that the connection works, 0 to 1. Probes that asked nothing (`unknown`), and
/// those within a maintenance window, do not count; where no other was, there is no share.
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
    /// Within a maintenance window, however they ended; in none of the other counts.
    pub planned: u32,
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

    /// Its length in milliseconds.
    pub const fn milliseconds(self) -> i64 {
        self.seconds() * 1_000
    }
}

impl Count {
    /// Takes in one result.
    pub fn add(&mut self, run: &RunRecord) {
        if run.planned {
            self.planned += 1;
            return;
        }
        let reason = run.reason;
        self.works += u32::from(reason.works());
        *match reason.state() {
            State::Ok => &mut self.ok,
            State::Warn => &mut self.warn,
            State::Down => &mut self.down,
            State::Unknown => &mut self.unknown,
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
        self.planned += other.planned;
    }
}

impl Latency {
    /// Of those that found that the connection works, by the nearest rank: how long a failure takes is
    /// another question.
    pub fn of(runs: &[RunRecord]) -> Option<Self> {
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
