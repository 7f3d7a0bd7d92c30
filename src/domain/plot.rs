//! What is drawn of a connection over time: a line of latencies with the states below it, and what changed. Pure.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::history::{Bucket, Count, Event, Latency, RunRecord, Span};

/// How much time is drawn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PlotSpan {
    /// Each probe.
    Hour,
    /// In 5 minutes.
    #[default]
    Day,
    /// In hours.
    Month,
    /// In days.
    Year,
}

impl PlotSpan {
    /// Every span, the shortest first.
    pub const ALL: [Self; 4] = [Self::Hour, Self::Day, Self::Month, Self::Year];

    /// The word for people.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Hour => "1 h",
            Self::Day => "24 h",
            Self::Month => "30 d",
            Self::Year => "1 y",
        }
    }

    /// How long it is.
    pub const fn length(self) -> SignedDuration {
        SignedDuration::from_hours(match self {
            Self::Hour => 1,
            Self::Day => 24,
            Self::Month => 24 * 30,
            Self::Year => 24 * 365,
        })
    }

    /// The next one, round and round.
    #[must_use]
    pub const fn next(self) -> Self {
        match self {
            Self::Hour => Self::Day,
            Self::Day => Self::Month,
            Self::Month => Self::Year,
            Self::Year => Self::Hour,
        }
    }

    /// Which rows of the history it is made of; nothing for single results.
    pub const fn rows(self) -> Option<Span> {
        match self {
            Self::Hour | Self::Day => None,
            Self::Month | Self::Year => Some(Span::Hour),
        }
    }

    /// Seconds that one point covers.
    pub const fn step_s(self) -> i64 {
        match self {
            Self::Hour => 1,
            Self::Day => 300,
            Self::Month => 3_600,
            Self::Year => 86_400,
        }
    }
}

/// One point of a plot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PlotPoint {
    /// Its beginning.
    pub at: Timestamp,
    /// How many probes ended how.
    pub count: Count,
    /// Of those that found that it works; of many rows as one, the worst of each.
    pub latency: Option<Latency>,
}

/// What is drawn of one connection.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Plot {
    /// How much time.
    pub span: PlotSpan,
    /// Oldest first.
    pub points: Vec<PlotPoint>,
    /// What changed in that time, oldest first.
    pub events: Vec<Event>,
    /// How long probes took in that time, as far as single results are kept.
    pub latency: Option<Latency>,
}

impl Plot {
    /// Makes points of the span's rows, and of the single results that are in none of them yet.
    pub fn points(span: PlotSpan, buckets: &[Bucket], runs: &[RunRecord]) -> Vec<PlotPoint> {
        let step = span.step_s() * 1_000;
        let floor = |at: Timestamp| at.as_millisecond() - at.as_millisecond().rem_euclid(step);
        let mut points: Vec<PlotPoint> = Vec::new();
        for bucket in buckets {
            let Ok(at) = Timestamp::from_millisecond(floor(bucket.at)) else {
                continue;
            };
            match points.last_mut().filter(|last| last.at == at) {
                Some(last) => last.join(bucket.count, bucket.latency),
                None => points.push(PlotPoint {
                    at,
                    count: bucket.count,
                    latency: bucket.latency,
                }),
            }
        }
        for some in runs.chunk_by(|one, other| floor(one.at) == floor(other.at)) {
            let at = some
                .first()
                .map(|run| Timestamp::from_millisecond(floor(run.at)));
            let Some(Ok(at)) = at else {
                continue;
            };
            let mut count = Count::default();
            for run in some {
                count.add(run);
            }
            let latency = Latency::of(some);
            match points.last_mut().filter(|last| last.at == at) {
                Some(last) => last.join(count, latency),
                None => points.push(PlotPoint { at, count, latency }),
            }
        }
        points
    }
}

impl PlotPoint {
    fn join(&mut self, count: Count, latency: Option<Latency>) {
        self.count += count;
        let worse = |one: Latency, other: Latency| Latency {
            p50: one.p50.max(other.p50),
            p95: one.p95.max(other.p95),
            max: one.max.max(other.max),
        };
        self.latency = match (self.latency, latency) {
            (Some(one), Some(other)) => Some(worse(one, other)),
            (one, other) => one.or(other),
        };
    }
}

/// A time as people read it at a glance: `42s`, `7m`, `3h`, `12d`.
pub fn brief(time: Duration) -> String {
    let seconds = time.as_secs();
    match seconds {
        0..60 => format!("{seconds}s"),
        60..3_600 => format!("{}m", seconds / 60),
        3_600..172_800 => format!("{}h", seconds / 3_600),
        _ => format!("{}d", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Reason;

    fn time(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn run(second: i64, reason: Reason, ms: u32) -> RunRecord {
        RunRecord {
            at: time(second),
            reason,
            status: 200,
            us: Some(ms * 1_000),
            planned: false,
        }
    }

    #[test]
    fn results_join_the_rows_of_their_time() {
        let latency = |ms| Latency {
            p50: Duration::from_millis(ms),
            p95: Duration::from_millis(ms),
            max: Duration::from_millis(ms),
        };
        let bucket = |at: i64, ms| Bucket {
            at: time(at),
            count: Count {
                works: 1,
                ok: 1,
                ..Count::default()
            },
            latency: Some(latency(ms)),
        };
        let buckets = [bucket(0, 10), bucket(3_600, 30), bucket(86_400, 20)];
        let runs = [
            run(90_100, Reason::Connected, 50),
            run(90_160, Reason::Refused, 1),
        ];
        let days = Plot::points(PlotSpan::Year, &buckets, &runs);
        let found: Vec<_> = days
            .iter()
            .map(|day| {
                (
                    day.at.as_second(),
                    day.count.ok,
                    day.count.down,
                    day.latency,
                )
            })
            .collect();
        assert_eq!(
            found,
            [
                (0, 2, 0, Some(latency(30))),
                (86_400, 2, 1, Some(latency(50)))
            ]
        );
        let single = Plot::points(PlotSpan::Hour, &[], &runs);
        assert_eq!(single.len(), 2);
        assert_eq!(
            single[1].latency, None,
            "how long a failure takes is no latency"
        );
    }

    #[test]
    fn a_time_is_told_in_one_number() {
        for (seconds, text) in [
            (0, "0s"),
            (59, "59s"),
            (60, "1m"),
            (7_199, "1h"),
            (172_800, "2d"),
        ] {
            assert_eq!(brief(Duration::from_secs(seconds)), text);
        }
    }
}
