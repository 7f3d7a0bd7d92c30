//! When which connection is probed next: pure, jittered, never piling up.
//!
//! Time is any monotonic reading, as the distance from a start of the caller's choice; random numbers are
//! handed in.

use std::collections::{BTreeSet, HashMap};
use std::hash::Hash;
use std::time::Duration;

/// Each interval is drawn from this share less to this share more.
const JITTER: f64 = 0.1;

/// What fell due during a sleep of the machine is spread over at most this long.
const CATCH_UP: Duration = Duration::from_secs(30);

/// Shortest interval.
pub const SHORTEST: Duration = Duration::from_secs(1);

/// Random numbers from 0 (included) to 1 (excluded).
pub type Random<'a> = &'a mut dyn FnMut() -> f64;

/// The next due time of each key. A key that is being probed is not due again before it was
/// [`finished`](Schedule::finished).
#[derive(Clone, Debug)]
pub struct Schedule<K> {
    entries: HashMap<K, Scheduled>,
    /// Waiting keys by due time; the number keeps equal times apart, in the order of insertion.
    queue: BTreeSet<(Duration, u64)>,
    keys: HashMap<u64, K>,
    next_number: u64,
}

#[derive(Clone, Copy, Debug)]
struct Scheduled {
    number: u64,
    interval: Duration,
    /// Nothing while it is being probed.
    due: Option<Duration>,
}

impl<K> Default for Schedule<K> {
    fn default() -> Self {
        Self {
            entries: HashMap::new(),
            queue: BTreeSet::new(),
            keys: HashMap::new(),
            next_number: 0,
        }
    }
}

impl<K: Clone + Eq + Hash> Schedule<K> {
    /// Adds `key`, or gives it another interval. A new one is first due at a random moment within its
    /// interval, so that a thousand do not start as one.
    pub fn insert(&mut self, key: K, interval: Duration, now: Duration, random: Random<'_>) {
        let interval = interval.max(SHORTEST);
        if let Some(entry) = self.entries.get_mut(&key) {
            let changed = entry.interval != interval;
            entry.interval = interval;
            if !changed || entry.due.is_none() {
                return;
            }
        } else {
            let number = self.next_number;
            self.next_number += 1;
            self.keys.insert(number, key.clone());
            let entry = Scheduled {
                number,
                interval,
                due: None,
            };
            self.entries.insert(key.clone(), entry);
        }
        self.set_due(&key, Some(now + interval.mul_f64(random())));
    }

    /// Takes `key` out.
    pub fn remove(&mut self, key: &K) {
        self.set_due(key, None);
        if let Some(entry) = self.entries.remove(key) {
            self.keys.remove(&entry.number);
        }
    }

    /// Somebody asked: `key` is due now. One that is being probed stays as it is.
    pub fn hasten(&mut self, key: &K, now: Duration) {
        if self
            .entries
            .get(key)
            .is_some_and(|entry| entry.due.is_some())
        {
            self.set_due(key, Some(now));
        }
    }

    /// How many keys there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// When the next key falls due.
    pub fn next_due(&self) -> Option<Duration> {
        self.queue.first().map(|(due, _)| *due)
    }

    /// At most `room` keys that are due, the longest due first; they count as being probed from now on. Keys
    /// that are late by a whole interval (the machine slept) are not started as one, but spread anew.
    pub fn take_due(&mut self, now: Duration, room: usize, random: Random<'_>) -> Vec<K> {
        let mut taken = Vec::new();
        while taken.len() < room {
            let Some((due, number)) = self.queue.first().copied().filter(|(due, _)| *due <= now)
            else {
                break;
            };
            let Some(key) = self.keys.get(&number).cloned() else {
                self.queue.remove(&(due, number));
                continue;
            };
            let interval = self
                .entries
                .get(&key)
                .map_or(SHORTEST, |entry| entry.interval);
            if now.saturating_sub(due) > interval {
                let spread = interval.min(CATCH_UP).mul_f64(random());
                // Later than now, or this loop would meet it again.
                self.set_due(&key, Some(now + spread.max(Duration::from_millis(1))));
                continue;
            }
            self.set_due(&key, None);
            taken.push(key);
        }
        taken
    }

    /// The probe of `key` has ended: the next is due an interval from now, a little more or less, and not
    /// before `not_before` (a pause, a `Retry-After`).
    pub fn finished(
        &mut self,
        key: &K,
        now: Duration,
        not_before: Option<Duration>,
        random: Random<'_>,
    ) {
        let Some(entry) = self.entries.get(key) else {
            return;
        };
        let factor = 1.0 - JITTER + 2.0 * JITTER * random();
        let due = now + entry.interval.mul_f64(factor);
        let due = not_before.map_or(due, |earliest| due.max(earliest));
        self.set_due(key, Some(due));
    }

    fn set_due(&mut self, key: &K, due: Option<Duration>) {
        let Some(entry) = self.entries.get_mut(key) else {
            return;
        };
        if let Some(before) = entry.due.take() {
            self.queue.remove(&(before, entry.number));
        }
        entry.due = due;
        if let Some(due) = due {
            self.queue.insert((due, entry.number));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    /// Evenly spread numbers, the same in every run.
    fn even() -> impl FnMut() -> f64 {
        let mut state = 0.0_f64;
        move || {
            state = (state + 0.618_033_988_75).fract();
            state
        }
    }

    fn filled(count: u32, random: Random<'_>) -> Schedule<u32> {
        let mut schedule = Schedule::default();
        for key in 0..count {
            schedule.insert(key, MINUTE, Duration::ZERO, random);
        }
        schedule
    }

    #[test]
    fn starts_are_spread_over_the_interval() {
        let mut random = even();
        let mut schedule = filled(600, &mut random);
        for second in 1..=60 {
            let due = schedule.take_due(seconds(second), usize::MAX, &mut random);
            assert!((5..=15).contains(&due.len()), "{second}: {}", due.len());
        }
        assert_eq!(schedule.next_due(), None, "all are being probed");
    }

    #[test]
    fn a_key_is_not_due_while_it_is_probed() {
        let mut schedule = Schedule::default();
        schedule.insert("a", MINUTE, Duration::ZERO, &mut || 0.0);
        assert_eq!(schedule.take_due(seconds(0), 9, &mut || 0.0), ["a"]);
        schedule.hasten(&"a", seconds(1));
        assert!(schedule.take_due(seconds(600), 9, &mut || 0.0).is_empty());
        schedule.finished(&"a", seconds(600), None, &mut || 0.5);
        assert_eq!(schedule.next_due(), Some(seconds(660)));
        schedule.hasten(&"a", seconds(601));
        assert_eq!(schedule.take_due(seconds(601), 9, &mut || 0.0), ["a"]);
        schedule.finished(&"a", seconds(602), Some(seconds(900)), &mut || 0.5);
        assert_eq!(schedule.next_due(), Some(seconds(900)));
        schedule.remove(&"a");
        assert!(schedule.is_empty() && schedule.next_due().is_none());
    }

    #[test]
    fn intervals_are_jittered_by_a_tenth() {
        for (random, expected) in [(0.0, 54_000), (0.5, 60_000), (0.999_999, 65_999)] {
            let mut schedule = Schedule::default();
            schedule.insert("a", MINUTE, Duration::ZERO, &mut || 0.0);
            schedule.take_due(Duration::ZERO, 1, &mut || 0.0);
            schedule.finished(&"a", Duration::ZERO, None, &mut || random);
            assert_eq!(schedule.next_due().unwrap().as_millis(), expected);
        }
    }

    #[test]
    fn a_sleep_of_the_machine_piles_nothing_up() {
        let mut random = even();
        let mut schedule = filled(600, &mut random);
        let woken = seconds(8 * 3600);
        assert!(schedule.take_due(woken, usize::MAX, &mut random).is_empty());
        let mut probed = 0;
        for second in 1..=31 {
            let due = schedule.take_due(woken + seconds(second), usize::MAX, &mut random);
            assert!(due.len() <= 40, "{second}: {}", due.len());
            probed += due.len();
        }
        assert_eq!(probed, 600, "each once");
    }

    #[test]
    fn no_more_are_taken_than_there_is_room_for() {
        let mut random = even();
        let mut schedule = filled(100, &mut random);
        assert_eq!(schedule.take_due(MINUTE, 7, &mut random).len(), 7);
        assert_eq!(schedule.take_due(MINUTE, 0, &mut random).len(), 0);
        assert_eq!(schedule.take_due(MINUTE, 500, &mut random).len(), 93);
    }

    #[test]
    fn another_interval_holds_from_now_on() {
        let mut schedule = Schedule::default();
        schedule.insert("a", MINUTE, Duration::ZERO, &mut || 0.9);
        schedule.insert("a", MINUTE, seconds(1), &mut || 0.0);
        assert_eq!(schedule.next_due(), Some(seconds(54)), "nothing changed");
        schedule.insert("a", seconds(10), seconds(1), &mut || 0.5);
        assert_eq!(schedule.next_due(), Some(seconds(6)));
        assert_eq!(schedule.len(), 1);
    }
}
