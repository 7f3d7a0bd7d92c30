//! Damping: `down` is announced after two failures in a row, everything else at once. Pure.
//!
//! The lamp itself shows the last probe at once; damping decides only what is announced: an event, a bell,
//! a command.

use crate::domain::State;

/// Failures in a row before `down` is announced.
pub const FAILURES_BEFORE_DOWN: u8 = 2;

/// What was heard of one connection, as far as announcements go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Damping {
    announced: Option<State>,
    failures: u8,
}

/// A change of state that is to be announced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Change {
    /// What was announced before; nothing for the first announcement.
    pub from: Option<State>,
    /// What it is now.
    pub to: State,
}

impl Damping {
    /// Goes on from what an earlier run announced, so that a restart announces nothing anew.
    pub const fn resumed(announced: State) -> Self {
        Self {
            announced: Some(announced),
            failures: 0,
        }
    }

    /// Goes on from what earlier runs heard, oldest first: a first failure that no second one has followed yet is
    /// not announced, and counts.
    pub fn replayed(heard: impl IntoIterator<Item = State>) -> Self {
        let mut damping = Self::default();
        for state in heard {
            damping.hear(state);
        }
        damping
    }

    /// The state as announced last.
    pub const fn announced(&self) -> Option<State> {
        self.announced
    }

    /// Takes in the state of one finished probe, and says what is to be announced because of it.
    pub fn hear(&mut self, state: State) -> Option<Change> {
        self.failures = match state {
            State::Down => self.failures.saturating_add(1),
            State::Ok | State::Warn | State::Unknown => 0,
        };
        let waits = state == State::Down && self.failures < FAILURES_BEFORE_DOWN;
        if waits || self.announced == Some(state) {
            return None;
        }
        let from = self.announced.replace(state);
        Some(Change { from, to: state })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use State::{Down, Ok as Up, Unknown, Warn};

    fn announcements(heard: &[State]) -> Vec<State> {
        let mut damping = Damping::default();
        heard
            .iter()
            .filter_map(|state| damping.hear(*state))
            .map(|change| change.to)
            .collect()
    }

    #[test]
    fn down_needs_two_failures_in_a_row_and_up_one_success() {
        assert_eq!(announcements(&[Up, Down]), [Up]);
        assert_eq!(announcements(&[Up, Down, Down]), [Up, Down]);
        assert_eq!(announcements(&[Up, Down, Up, Down]), [Up]);
        assert_eq!(announcements(&[Down, Down, Down, Up]), [Down, Up]);
    }

    #[test]
    fn anything_between_two_failures_breaks_the_row() {
        assert_eq!(announcements(&[Up, Down, Warn, Down]), [Up, Warn]);
        assert_eq!(announcements(&[Up, Down, Unknown, Down]), [Up, Unknown]);
    }

    #[test]
    fn a_failure_before_a_restart_counts_and_was_not_announced() {
        let mut damping = Damping::replayed([Up, Down]);
        assert_eq!(damping.announced(), Some(Up));
        let change = damping.hear(Down).unwrap();
        assert_eq!((change.from, change.to), (Some(Up), Down));
        assert_eq!(Damping::replayed([Down]).hear(Up).unwrap().from, None);
        assert_eq!(Damping::replayed([Up, Down, Down]).hear(Down), None);
    }

    #[test]
    fn a_state_is_announced_once_and_says_where_it_came_from() {
        let mut damping = Damping::resumed(Up);
        assert_eq!(damping.hear(Up), None);
        assert_eq!(
            damping.hear(Warn),
            Some(Change {
                from: Some(Up),
                to: Warn
            })
        );
        assert_eq!(damping.hear(Warn), None);
        assert_eq!(damping.announced(), Some(Warn));
    }
}
