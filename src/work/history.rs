//! What the results of watching say: latency, availability, the strip of the last states, since when.

use jiff::{SignedDuration, Timestamp};

use super::desk::Desk;
use super::error::WorkError;
use crate::domain::{Name, State};
use crate::store::state::{RunRecord, Standing};

/// How far back is looked.
const SPAN: SignedDuration = SignedDuration::from_hours(24);
/// States in the strip, at most.
const STRIP: usize = 60;

/// The last 24 hours of a watched connection.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct History {
    /// How it stands, and since when.
    pub standing: Option<Standing>,
    /// The last states, oldest first, at most 60.
    pub strip: Vec<State>,
    /// Of the probes that ended in ok; absent where none did.
    pub latency: Option<Latency>,
    /// Share of the probes that ended in ok, from 0 to 1; those that say nothing of the service (offline,
    /// paused, not asked) are left out. Absent where none is left.
    pub availability: Option<f64>,
}

/// How long probes took, microseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Latency {
    /// The last one.
    pub last_us: u32,
    /// Half of them took no longer.
    pub p50_us: u32,
    /// 95 of 100 took no longer.
    pub p95_us: u32,
}

impl History {
    /// What `runs` (oldest first) say.
    pub fn of(standing: Option<Standing>, runs: &[RunRecord]) -> Self {
        let state = |run: &RunRecord| run.reason.state();
        let ok = |run: &&RunRecord| state(run) == State::Ok;
        let told = runs
            .iter()
            .filter(|run| state(run) != State::Unknown)
            .count();
        let good = runs.iter().filter(ok).count();
        let newest = runs.len().saturating_sub(STRIP);
        Self {
            standing,
            strip: runs.iter().skip(newest).map(state).collect(),
            latency: Latency::of(runs.iter().filter(ok).filter_map(|run| run.us).collect()),
            availability: share(good, told),
        }
    }
}

impl Latency {
    fn of(mut taken: Vec<u32>) -> Option<Self> {
        let last_us = *taken.last()?;
        taken.sort_unstable();
        let rank = |percent: usize| {
            let place = (taken.len() * percent).div_ceil(100).saturating_sub(1);
            taken.get(place).copied()
        };
        Some(Self {
            last_us,
            p50_us: rank(50)?,
            p95_us: rank(95)?,
        })
    }
}

fn share(part: usize, whole: usize) -> Option<f64> {
    let part = u32::try_from(part).ok()?;
    let whole = u32::try_from(whole).ok().filter(|whole| *whole > 0)?;
    Some(f64::from(part) / f64::from(whole))
}

impl Desk {
    /// The last 24 hours of a connection, whichever programs watched it.
    pub async fn history(&self, name: &Name) -> Result<History, WorkError> {
        let name = name.clone();
        self.blocking(move |inner| {
            let state = inner.state()?;
            let since = Timestamp::now().checked_sub(SPAN).unwrap_or(Timestamp::MIN);
            let failed = |problem| WorkError::failed("reading the history", &problem);
            let runs = state.results(&name, since).map_err(failed)?;
            let standing = state.standing(&name).map_err(failed)?;
            Ok(History::of(standing, &runs))
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Reason;

    fn run(reason: Reason, us: u32) -> RunRecord {
        RunRecord {
            at: Timestamp::UNIX_EPOCH,
            reason,
            us: Some(us),
        }
    }

    #[test]
    fn latency_and_availability_are_told_of_what_was_answered() {
        let mut runs: Vec<_> = (1..=20).map(|n| run(Reason::Connected, n * 1000)).collect();
        runs.push(run(Reason::Refused, 7));
        runs.push(run(Reason::CredentialsRejected, 7));
        runs.push(run(Reason::Offline, 7));
        runs.push(run(Reason::AuthPaused, 7));
        let history = History::of(None, &runs);
        let latency = history.latency.unwrap();
        assert_eq!(
            (latency.last_us, latency.p50_us, latency.p95_us),
            (20_000, 10_000, 19_000)
        );
        let availability = history.availability.unwrap();
        assert!((availability - 20.0 / 22.0).abs() < 1e-9, "{availability}");
        assert_eq!(history.strip.len(), 24);
        assert_eq!(history.strip.last(), Some(&State::Unknown));
    }

    #[test]
    fn the_strip_keeps_the_newest_and_nothing_is_made_up() {
        let mut runs = vec![run(Reason::Refused, 1); 60];
        runs.push(run(Reason::Connected, 1));
        let history = History::of(None, &runs);
        assert_eq!(
            (history.strip.len(), history.strip.last()),
            (60, Some(&State::Ok))
        );
        assert_eq!(History::of(None, &[]), History::default());
    }
}
