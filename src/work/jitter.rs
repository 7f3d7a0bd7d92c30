//! Jitter for schedules: not for secrets.

/// Spreads what would otherwise come at one moment.
#[derive(Debug)]
pub(super) struct Jitter(fastrand::Rng);

impl Jitter {
    /// Seeded by the operating system.
    pub(super) fn seeded() -> Self {
        Self(fastrand::Rng::new())
    }

    /// A number from 0 (included) to 1 (excluded).
    pub(super) fn fraction(&mut self) -> f64 {
        self.0.f64()
    }
}
