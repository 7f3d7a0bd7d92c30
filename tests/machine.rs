//! The screen against a simple model of it: whatever is typed, in whatever order answers come late, what is
//! saved is what was typed, no secret is on the screen that should not be, and no two probes count at once.
//!
//! How many cases are played is `SWITCHBOARD_MODEL_CASES`; the default takes some ten seconds.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::string_slice,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "what is missing shall fail the test, and the test asks how long it may run"
)]

#[path = "machine/noise.rs"]
mod noise;
#[path = "machine/person.rs"]
mod person;
#[path = "machine/world.rs"]
mod world;

use proptest::prelude::*;
use proptest::test_runner::Config;

use person::{Act, act};
use world::World;

fn cases(usual: u32) -> Config {
    let asked = std::env::var("SWITCHBOARD_MODEL_CASES");
    let cases = asked
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(usual);
    Config {
        cases,
        failure_persistence: None,
        max_shrink_iters: 2_000,
        ..Config::default()
    }
}

proptest! {
    #![proptest_config(cases(24))]

    /// A person who knows what they do: every save is what they typed.
    #[test]
    fn what_is_saved_is_what_was_typed(acts in prop::collection::vec(act(), 1..60)) {
        let mut world = World::new(3);
        let mut person = person::Person::default();
        for act in acts {
            person.does(&mut world, &act);
        }
        person.leaves(&mut world);
    }
}

proptest! {
    #![proptest_config(cases(32))]

    /// A cat on the keyboard, over a slow line: nothing leaks, nothing breaks, nothing counts twice.
    #[test]
    fn whatever_happens_no_secret_is_seen_and_nothing_counts_twice(acts in prop::collection::vec(noise::act(), 1..120)) {
        let mut world = World::new(4);
        for act in acts {
            noise::plays(&mut world, &act);
        }
    }
}

/// That the tests can fail: a frame with a secret in it is found.
#[test]
#[should_panic(expected = "is on the screen")]
fn a_secret_on_the_screen_is_found() {
    let mut world = World::new(1);
    world.keys("v");
    world.reveal_all();
    world.forget_that_it_is_shown();
    world.look();
}

/// A whole life by hand, so that the machinery of the model is known to be used.
#[test]
fn one_life_by_hand() {
    let mut world = World::new(2);
    let mut person = person::Person::default();
    for act in [
        Act::New,
        Act::Type(0, "https://h7.example.com".to_owned()),
        Act::Type(1, "user-x".to_owned()),
        Act::Type(2, "SECRETabcdef0123".to_owned()),
        Act::Erase(2, 3),
        Act::Save(person::Fate::Store),
        Act::Edit(1),
        Act::Loaded(true),
        Act::Type(1, "more".to_owned()),
        Act::Save(person::Fate::Well),
        Act::Remove(0),
    ] {
        person.does(&mut world, &act);
    }
    assert_eq!(person.saves, 2);
    person.leaves(&mut world);
    assert_eq!(world.disk.len(), 2);
}

#[test]
fn what_was_typed_and_taken_away_again_is_no_draft() {
    let mut world = World::new(3);
    let mut person = person::Person::default();
    for act in [
        Act::New,
        Act::Save(person::Fate::Well),
        Act::New,
        Act::Save(person::Fate::Store),
        Act::Edit(5),
        Act::Type(1, "a".to_owned()),
        Act::Clear(1),
    ] {
        person.does(&mut world, &act);
    }
    person.leaves(&mut world);
}
