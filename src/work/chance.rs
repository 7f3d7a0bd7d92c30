//! Chance for schedules: not for secrets.

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

    /// A number from 0 (included) to 1 (excluded).
    pub(super) fn share(&mut self) -> f64 {
        // 32 bits are exact in a float, and more than a schedule needs.
        let bits = u32::try_from(self.next() >> 32).unwrap_or_default();
        f64::from(bits) / (f64::from(u32::MAX) + 1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_fill_the_range_and_never_leave_it() {
        let mut chance = Chance::seeded();
        let drawn: Vec<_> = (0..500).map(|_| chance.share()).collect();
        assert!(drawn.iter().all(|share| (0.0..1.0).contains(share)));
        assert!(drawn.iter().any(|share| *share < 0.1) && drawn.iter().any(|share| *share > 0.9));
    }
}
