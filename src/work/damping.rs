//! Damping: `down` is announced after two failures in a row, everything else at once. Pure. Where the second could only
//! come late, for the host asked not to be asked again before, one is enough.
//!
//! The lamp itself shows the last probe at once; damping decides only what is announced: an event, a bell,
//! a command.

use crate::domain::{Reason, State};

/// Failures in a row before `down` is announced.
pub const FAILURES_BEFORE_DOWN: u8 = 2;

/// What was heard of one connection, as far as announcements go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Damping {
    announced: Option<State>,
    failures: u8,
    /// Why it stands as it does, as far as that was told, and what the last probe found instead.
    reason: Option<Reason>,
    other: Option<Reason>,
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
            reason: None,
            other: None,
        }
    }

    /// The state as announced last.
    pub const fn announced(&self) -> Option<State> {
        self.announced
    }

    /// The same of a probe that can't be repeated at its interval.
    pub fn hear_alone(&mut self, state: State) -> Option<Change> {
        self.failures = self.failures.max(FAILURES_BEFORE_DOWN - 1);
        self.hear(state)
    }

    /// The same of a failure that may be this machine's own: it counts, and is not announced yet.
    pub fn hear_doubtful(&mut self, state: State) {
        match state {
            State::Down => self.failures = self.failures.saturating_add(1),
            State::Ok | State::Warn | State::Unknown => self.interrupt(),
        }
    }

    /// A probe said nothing of the host: what failed before it is no row with what fails after it.
    pub const fn interrupt(&mut self) {
        self.failures = 0;
        self.other = None;
    }

    /// Takes in why a probe ended as it did, beside its state, of which `is_announced` was a change. Says whether a
    /// connection that needs a hand now needs another one: the same other reason twice in a row, so that a host that
    /// fails now in this way, now in that, is told of once.
    pub fn hear_reason(&mut self, reason: Reason, is_announced: bool) -> bool {
        let before = self.reason.replace(reason);
        let Some(before) = before.filter(|_| !is_announced) else {
            self.other = None;
            return false;
        };
        let is_bad = matches!(reason.state(), State::Down | State::Warn);
        if !is_bad || before == reason || before.state() != reason.state() {
            self.other = None;
            return false;
        }
        if self.other == Some(reason) {
            self.other = None;
            return true;
        }
        (self.reason, self.other) = (Some(before), Some(reason));
        false
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
    fn where_no_second_may_be_asked_for_one_failure_is_enough() {
        let mut damping = Damping::resumed(Up);
        let down = Change {
            from: Some(Up),
            to: Down,
        };
        assert_eq!(damping.hear_alone(Up), None);
        assert_eq!(damping.hear_alone(Down), Some(down));
        assert_eq!(damping.hear(Down), None);
    }

    #[test]
    fn a_failure_in_doubt_counts_and_is_announced_by_the_next_that_is_not() {
        let mut damping = Damping::resumed(Up);
        damping.hear_doubtful(Down);
        damping.hear_doubtful(Down);
        damping.hear_doubtful(Down);
        assert_eq!(damping.announced(), Some(Up));
        assert_eq!(damping.hear(Down).map(|change| change.to), Some(Down));
    }

    #[test]
    fn what_says_nothing_of_the_host_breaks_the_row_and_is_no_news() {
        let mut damping = Damping::resumed(Up);
        assert_eq!(damping.hear(Down), None);
        damping.interrupt();
        assert_eq!(damping.hear(Down), None);
        assert_eq!(damping.hear(Up), None, "it was up all the time");
    }

    #[test]
    fn another_reason_within_a_state_is_news_once_it_was_found_twice_in_a_row() {
        use Reason::{Connected, Refused, ResponseTimeout as Slow, TlsExpired};
        let told = |heard: &[(Reason, bool)]| {
            let mut damping = Damping::default();
            let heard = heard.iter().enumerate();
            let told = heard.filter(|(_, (reason, told))| damping.hear_reason(*reason, *told));
            told.map(|(at, _)| at).collect::<Vec<_>>()
        };
        let down = (Refused, true);
        assert_eq!(
            told(&[
                down,
                (TlsExpired, false),
                (TlsExpired, false),
                (TlsExpired, false)
            ]),
            [2]
        );
        let flapping = [down, (Slow, false), (Refused, false), (Slow, false)];
        assert_eq!(told(&flapping), [0; 0]);
        assert_eq!(told(&[down, (Slow, false), (Slow, true)]), [0; 0]);
        let passing = [(Connected, false), (Refused, false), (Connected, false)];
        assert_eq!(told(&passing), [0; 0]);
    }

    #[test]
    fn anything_between_two_failures_breaks_the_row() {
        assert_eq!(announcements(&[Up, Down, Warn, Down]), [Up, Warn]);
        assert_eq!(announcements(&[Up, Down, Unknown, Down]), [Up, Unknown]);
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
