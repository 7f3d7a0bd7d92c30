//! What is known of all connections, and how they stand together.

use std::collections::{HashMap, HashSet};
use std::ops::Index;

use jiff::Timestamp;

use super::model::{ListedConnection, ProbeState};
use crate::domain::window::{Window, maintained_until};
use crate::domain::{Name, State};

/// What is known of every connection.
///
/// How many stand how is counted as they change, not when it is drawn: at each key all of them would be looked up in
/// memory that thousands of probes have written to.
#[derive(Debug, Default)]
pub struct Entries {
    /// Boxed, as the table has half as many places again as it holds.
    by_name: HashMap<Name, Box<ListedConnection>>,
    tally: StateCounts,
}

/// How many stand how, whatever the time is.
#[derive(Debug, Default)]
struct StateCounts {
    /// How many of those that are watched are in a state.
    watched: [usize; State::ALL.len()],
    /// Left out of watching.
    paused: usize,
    /// Those that are watched and have a maintenance of their own.
    maintained: HashSet<Name>,
}

/// What of an entry is counted.
#[derive(Clone, Copy, PartialEq, Eq)]
enum CountedState {
    Paused,
    Watched { state: State, maintained: bool },
}

/// How the connections stand. A failure that is planned is no alarm, and how a paused one stood is no longer known:
/// both are counted apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    states: [usize; State::ALL.len()],
    /// Not up, and meant not to be.
    pub planned: usize,
    /// Left out of watching.
    pub paused: usize,
}

impl Counts {
    /// How many are in `state`, neither planned nor paused.
    pub const fn of(&self, state: State) -> usize {
        self.states[place(state)]
    }
}

impl Entries {
    /// Room for so many.
    pub fn with_capacity(count: usize) -> Self {
        Self {
            by_name: HashMap::with_capacity(count),
            ..Self::default()
        }
    }

    /// Puts one in the place of what bore its name.
    pub fn insert(&mut self, name: Name, entry: Box<ListedConnection>) {
        self.remove(&name);
        self.tally.count(&name, CountedState::of(&entry));
        self.by_name.insert(name, entry);
    }

    /// Takes one out.
    pub fn remove(&mut self, name: &Name) -> Option<Box<ListedConnection>> {
        let entry = self.by_name.remove(name)?;
        self.tally.discount(name, CountedState::of(&entry));
        Some(entry)
    }

    /// Changes one, where it is there, and gives what `change` gives.
    pub fn change<T>(
        &mut self,
        name: &Name,
        change: impl FnOnce(&mut ListedConnection) -> T,
    ) -> Option<T> {
        let entry = self.by_name.get_mut(name)?;
        let before = CountedState::of(entry);
        let given = change(entry);
        let after = CountedState::of(entry);
        if before != after {
            self.tally.discount(name, before);
            self.tally.count(name, after);
        }
        Some(given)
    }

    /// What is known of one.
    pub fn get(&self, name: &Name) -> Option<&ListedConnection> {
        self.by_name.get(name).map(|entry| &**entry)
    }

    /// What the probe of one is doing.
    pub fn probe(&mut self, name: &Name) -> Option<&mut ProbeState> {
        Some(&mut self.by_name.get_mut(name)?.probe)
    }

    /// What the probes of all are doing.
    pub fn probes(&mut self) -> impl Iterator<Item = &mut ProbeState> {
        self.by_name.values_mut().map(|entry| &mut entry.probe)
    }

    /// All of them, in no order.
    pub fn values(&self) -> impl Iterator<Item = &ListedConnection> {
        self.by_name.values().map(|entry| &**entry)
    }

    /// All names, in no order.
    pub fn names(&self) -> impl Iterator<Item = &Name> {
        self.by_name.keys()
    }

    /// Whether there is one of this name.
    pub fn contains(&self, name: &Name) -> bool {
        self.by_name.contains_key(name)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.by_name.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.by_name.is_empty()
    }

    /// How they stand at `now`, while `everywhere` is the maintenance of all of them.
    pub fn counts(&self, everywhere: &[Window], now: Timestamp) -> Counts {
        let mut counts = Counts {
            states: self.tally.watched,
            planned: 0,
            paused: self.tally.paused,
        };
        let mut plan = |state: State, count: usize| {
            if state != State::Ok {
                counts.states[place(state)] -= count;
                counts.planned += count;
            }
        };
        if maintained_until(everywhere, now).is_some() {
            for state in State::ALL {
                plan(state, self.tally.watched[place(state)]);
            }
            return counts;
        }
        let maintained = self.tally.maintained.iter();
        for entry in maintained.filter_map(|name| self.get(name)) {
            if maintained_until(&entry.connection.maintenance, now).is_some() {
                plan(entry.state(), 1);
            }
        }
        counts
    }
}

impl StateCounts {
    fn count(&mut self, name: &Name, standing: CountedState) {
        match standing {
            CountedState::Paused => self.paused += 1,
            CountedState::Watched { state, maintained } => {
                self.watched[place(state)] += 1;
                if maintained {
                    self.maintained.insert(name.clone());
                }
            }
        }
    }

    fn discount(&mut self, name: &Name, standing: CountedState) {
        match standing {
            CountedState::Paused => self.paused -= 1,
            CountedState::Watched { state, maintained } => {
                self.watched[place(state)] -= 1;
                if maintained {
                    self.maintained.remove(name);
                }
            }
        }
    }
}

impl CountedState {
    fn of(entry: &ListedConnection) -> Self {
        if entry.connection.paused {
            return Self::Paused;
        }
        Self::Watched {
            state: entry.state(),
            maintained: !entry.connection.maintenance.is_empty(),
        }
    }
}

impl Index<&Name> for Entries {
    type Output = ListedConnection;

    fn index(&self, name: &Name) -> &ListedConnection {
        &self.by_name[name]
    }
}

/// The place of a state's count.
const fn place(state: State) -> usize {
    match state {
        State::Down => 0,
        State::Warn => 1,
        State::Unknown => 2,
        State::Ok => 3,
    }
}
