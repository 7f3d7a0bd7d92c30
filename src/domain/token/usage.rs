//! How often a token was used: by status code, and by day.

use jiff::civil::Date;

use super::Moment;

/// Requests of one status code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counted {
    /// The HTTP status.
    pub code: u16,
    /// Requests, all in all.
    pub total: u64,
    /// Requests since the service last set its counter back; nothing where it does not say.
    pub since_last_reset: Option<u64>,
}

/// All requests by status code.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// By status code, the lowest first.
    pub codes: Vec<Counted>,
    /// Since when the service counts.
    pub since: Option<Moment>,
}

/// The requests of one day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Day {
    /// UTC.
    pub date: Date,
    /// Status code and count, the lowest code first.
    pub codes: Vec<(u16, u64)>,
}

impl Day {
    /// All requests of the day.
    pub fn total(&self) -> u64 {
        self.codes.iter().map(|(_, count)| count).sum()
    }
}

/// What is known of a token's use.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// By status code.
    pub summary: Summary,
    /// By day, the oldest first.
    pub days: Vec<Day>,
}

impl Usage {
    /// The last day with a request, where one is known.
    pub fn last_used(&self) -> Option<Date> {
        self.days
            .iter()
            .rev()
            .find(|day| day.total() > 0)
            .map(|day| day.date)
    }

    /// All requests that the service counted.
    pub fn total(&self) -> u64 {
        self.summary.codes.iter().map(|counted| counted.total).sum()
    }
}
