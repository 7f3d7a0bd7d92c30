//! How much time a probe gets of the time that Prometheus waits. Pure.

use std::time::Duration;

/// Of the time that Prometheus waits, this much is left for the answer's way back.
const MARGIN: Duration = Duration::from_millis(500);

/// So much later than it is due an answer may come that ends by itself: one that does not waits for others.
const LATE: Duration = Duration::from_millis(400);

/// The time that one probe may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TimeLimit {
    /// Where it begins at once.
    pub(super) whole: Duration,
    /// Until the answer is due, from when it was asked for; nothing where whoever asks has no such time.
    due: Option<Duration>,
}

impl TimeLimit {
    /// For a connection of this timeout, asked for by somebody who waits for `waits`.
    pub(super) fn new(timeout: Duration, waits: Option<Duration>) -> Self {
        let due = waits.map(|waits| waits.saturating_sub(MARGIN.min(waits / 2)));
        Self {
            whole: due.map_or(timeout, |due| due.min(timeout)),
            due,
        }
    }

    /// For how long it may wait for room. One that would have less than half of its time is not begun: an answer that
    /// does not come in time may cost the key a pause.
    pub(super) fn patience(self) -> Option<Duration> {
        self.due.map(|due| due.saturating_sub(self.whole / 2))
    }

    /// What is left to a probe that has waited for so long.
    pub(super) fn left(self, waited: Duration) -> Duration {
        self.due
            .map_or(self.whole, |due| due.saturating_sub(waited).min(self.whole))
    }

    /// For how long an answer is waited for after that, whatever the probe itself waits for: its turn at the host, or a
    /// look-up.
    pub(super) fn ends(self, waited: Duration) -> Option<Duration> {
        self.due.map(|due| due.saturating_sub(waited) + LATE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    #[test]
    fn it_ends_before_prometheus_gives_up_whatever_it_waits_for() {
        for (timeout, waits, whole) in [
            (10_000, 15_000, 10_000),
            (10_000, 10_000, 9_500),
            (10_000, 1_500, 1_000),
            (10_000, 1_000, 500),
            (10_000, 500, 250),
        ] {
            let limit = TimeLimit::new(ms(timeout), Some(ms(waits)));
            assert_eq!(limit.whole, ms(whole), "{timeout} {waits}");
        }
        let alone = TimeLimit::new(ms(10_000), None);
        assert_eq!((alone.whole, alone.patience()), (ms(10_000), None));
        assert_eq!(alone.ends(ms(0)), None);
        assert_eq!(alone.left(ms(60_000)), ms(10_000));
    }

    #[test]
    fn waiting_takes_of_what_is_left_over_first_and_never_more_than_half() {
        let limit = TimeLimit::new(ms(10_000), Some(ms(15_000)));
        assert_eq!(limit.left(ms(4_500)), ms(10_000));
        assert_eq!(limit.left(ms(5_500)), ms(9_000));
        assert_eq!(limit.patience(), Some(ms(9_500)));
        assert_eq!(limit.left(ms(9_500)), ms(5_000));
        // What is left over is for turns within the probe, too.
        assert_eq!(limit.ends(ms(500)), Some(ms(14_400)));
        assert_eq!(limit.ends(ms(9_500)), Some(ms(5_400)));
    }
}
