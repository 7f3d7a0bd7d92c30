//! Names for what comes in: visible ones, each given out once.

use std::collections::{HashMap, HashSet};
use std::hash::RandomState;

use super::Candidate;
use crate::domain::text::inert;
use crate::domain::{Connection, Name, Secret};

/// Names that are given out, and how far the numbers behind each have come: ten thousand of one name take ten
/// thousand steps, not fifty million.
#[derive(Debug, Default)]
pub struct TakenNames {
    taken: HashSet<Name>,
    numbers: HashMap<Name, u16>,
}

impl TakenNames {
    /// Whether somebody has it.
    pub fn contains(&self, name: &Name) -> bool {
        self.taken.contains(name)
    }

    /// It is somebody's from now on.
    pub fn insert(&mut self, name: Name) {
        self.taken.insert(name);
    }

    /// `wished`, or with the first number behind it that nobody has.
    pub fn free(&mut self, wished: &Name) -> Name {
        if !self.contains(wished) {
            return wished.clone();
        }
        let number = self.numbers.entry(wished.clone()).or_insert(2);
        while let Some(name) = wished.numbered(*number) {
            if !self.taken.contains(&name) {
                return name;
            }
            let Some(next) = number.checked_add(1) else {
                break;
            };
            *number = next;
        }
        Name::unnamed()
    }
}

/// A name that can be one: visible characters, at most 64, no dash in front; `fallback` where nothing is left.
pub(super) fn name_of(text: &str, fallback: &str) -> Name {
    let clean: String = inert(text, 64).chars().take(60).collect();
    let clean = clean.trim_start_matches('-').trim();
    Name::parse(clean)
        .or_else(|_| Name::parse(fallback))
        .unwrap_or_else(|_| Name::unnamed())
}

/// What two that may be the same have in common: they are called alike, and one pair signs in at one URL.
fn place(candidate: &Candidate, state: &RandomState) -> (Name, String, String, Option<u64>) {
    let Connection {
        name,
        url,
        username,
        ..
    } = &candidate.connection;
    let key = candidate.key.as_ref().map(|key| key.group(state));
    (name.clone(), url.clone(), username.clone(), key)
}

/// Makes one of those that differ in nothing that a connection has: several calls of one service are one connection.
/// Then tells names of one file apart: the second `shop` is `shop-2`.
pub(super) fn tell_apart(candidates: Vec<Candidate>) -> Vec<Candidate> {
    let mut told: Vec<Candidate> = Vec::with_capacity(candidates.len());
    let mut places: HashMap<_, Vec<usize>> = HashMap::new();
    let state = RandomState::new();
    let mut taken = TakenNames::default();
    for mut candidate in candidates {
        let beside = places.entry(place(&candidate, &state)).or_default();
        let mut earlier = beside.iter().copied();
        let twin = earlier.find(|at| told.get(*at).is_some_and(|one| one.is_twin(&candidate)));
        if let Some(twin) = twin.and_then(|at| told.get_mut(at)) {
            twin.note("the file has it several times: it comes in once");
            for note in candidate.notes {
                twin.note(note);
            }
            continue;
        }
        beside.push(told.len());
        let wished = candidate.connection.name.clone();
        let free = taken.free(&wished);
        if free != wished {
            candidate.note(format!(
                "the file has two called {wished}: this one is {free}"
            ));
            candidate.connection.name = free.clone();
        }
        taken.insert(free);
        told.push(candidate);
    }
    told
}

impl Candidate {
    /// Whether `other` is the same in all but its name and what is said of it.
    fn is_twin(&self, other: &Self) -> bool {
        let same_values = |one: &Option<Secret>, other: &Option<Secret>| one == other;
        let renamed = Connection {
            name: self.connection.name.clone(),
            ..other.connection.clone()
        };
        self.connection == renamed
            && same_values(&self.key, &other.key)
            && same_values(&self.token, &other.token)
    }
}
