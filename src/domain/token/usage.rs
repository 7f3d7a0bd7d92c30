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
        let counts = self.codes.iter().map(|(_, count)| *count);
        counts.fold(0, u64::saturating_add)
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
        let counts = self.summary.codes.iter().map(|counted| counted.total);
        counts.fold(0, u64::saturating_add)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_beyond_all_bounds_are_as_many_as_there_are() {
        let day = Day {
            date: Date::constant(2026, 11, 1),
            codes: vec![(200, u64::MAX), (401, 9)],
        };
        assert_eq!(day.total(), u64::MAX);
        let counted = |code| Counted {
            code,
            total: u64::MAX,
            since_last_reset: None,
        };
        let summary = Summary {
            codes: vec![counted(200), counted(401)],
            since: None,
        };
        let days = vec![day];
        assert_eq!(Usage { summary, days }.total(), u64::MAX);
    }
}
