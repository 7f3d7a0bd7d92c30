//! Chance for schedules: not for secrets.

use std::time::Duration;

/// A small generator (xorshift), seeded by the operating system.
#[derive(Debug)]
pub(super) struct Chance(u64);

impl Chance {
    /// Seeded by the operating system, or by the clock where that fails: schedules need no more.
    pub(super) fn seeded() -> Self {
        let seed = getrandom::u64().unwrap_or_else(|_| {
            u64::from(jiff::Timestamp::now().subsec_nanosecond().unsigned_abs())
        });
        Self(seed | 1)
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// Anything from nothing to `longest`.
    pub(super) fn within(&mut self, longest: Duration) -> Duration {
        let millis = u64::try_from(longest.as_millis()).unwrap_or(u64::MAX);
        Duration::from_millis(self.next() % millis.saturating_add(1).max(1))
    }

    /// `middle`, `percent` of it more or less.
    pub(super) fn around(&mut self, middle: Duration, percent: u32) -> Duration {
        let swing = middle.saturating_mul(percent.min(100)) / 100;
        middle.saturating_sub(swing) + self.within(swing * 2)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interval_is_varied_both_ways_and_never_further() {
        let mut chance = Chance::seeded();
        let middle = Duration::from_secs(60);
        let drawn: Vec<_> = (0..500).map(|_| chance.around(middle, 10)).collect();
        assert!(drawn.iter().all(|d| (54..=66).contains(&d.as_secs())));
        assert!(drawn.iter().any(|d| *d < middle) && drawn.iter().any(|d| *d > middle));
        assert_eq!(chance.around(middle, 0), middle);
        assert_eq!(chance.within(Duration::ZERO), Duration::ZERO);
    }
}
