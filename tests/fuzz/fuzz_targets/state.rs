//! The state that all programs share: whatever stands in `history.sqlite`, it is read or refused in words that
//! may be shown, a refused one is left there, and no record makes the lock-out forget itself or panic.
//!
//! The first byte says what the rest is: `r` for records as JSON, divided by lines of `%%` (budget, past,
//! renewal), else changes of a good file: two bytes of place, one byte of value each.

#![no_main]

use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use jiff::{SignedDuration, Timestamp};
use libfuzzer_sys::fuzz_target;
use rusqlite::params;
use switchboard::domain::budget::AttemptEnd;
use switchboard::domain::text::inert;
use switchboard::domain::{BudgetRecord, HostPort, KeyFingerprint, Name, Secret};
use switchboard::probe::budget::{self, Decision};
use switchboard::store::{StateDb, StateProblem};
use tempfile::TempDir;

/// `tests/fuzz/run` takes it away: it lies in the run's own TMPDIR.
static FOLDER: LazyLock<TempDir> = LazyLock::new(|| TempDir::new().expect("a folder"));
/// A file with a little of everything.
static GOOD: LazyLock<Vec<u8>> = LazyLock::new(good);

fuzz_target!(|input: &[u8]| {
    let Some((kind, rest)) = input.split_first() else {
        return;
    };
    match kind {
        b'r' => records(&String::from_utf8_lossy(rest)),
        _ => file(rest),
    }
});

fn now() -> Timestamp {
    Timestamp::from_second(1_795_428_000).expect("in 2026")
}

fn host() -> HostPort {
    HostPort {
        host: "billing.example.com".to_owned(),
        port: 443,
    }
}

fn good() -> Vec<u8> {
    let folder = TempDir::new().expect("a folder");
    let state = StateDb::open(folder.path()).expect("a new one");
    let key = state.fingerprint("api", &Secret::new("key"));
    state
        .update_budget(&host(), |record| {
            budget::book(record, &key, now());
        })
        .expect("it is open");
    drop(state);
    fs::read(folder.path().join("history.sqlite")).expect("it was closed")
}

/// A fresh folder with `bytes` as its database.
fn put(bytes: &[u8]) -> &'static Path {
    let folder = FOLDER.path();
    for entry in fs::read_dir(folder).expect("a folder").flatten() {
        let _ = fs::remove_file(entry.path());
    }
    fs::write(folder.join("history.sqlite"), bytes).expect("a file");
    folder
}

fn file(changes: &[u8]) {
    let mut bytes = GOOD.clone();
    for change in changes.chunks_exact(3) {
        let place = usize::from(u16::from_be_bytes([change[0], change[1]]));
        let place = place % bytes.len();
        bytes[place] = change[2];
    }
    let folder = put(&bytes);
    match StateDb::open(folder) {
        Ok(state) => used(&state),
        Err(problem) => refused(&problem),
    }
    let left = fs::read(folder.join("history.sqlite")).expect("it is never thrown away");
    assert!(!left.is_empty(), "it is never emptied");
}

fn records(text: &str) {
    let folder = put(&GOOD);
    let database = rusqlite::Connection::open(folder.join("history.sqlite")).expect("a good file");
    let mut parts = text.split("\n%%\n");
    let mut next = || parts.next().unwrap_or_default();
    let here = host();
    database
        .execute("UPDATE budget SET record = ?1", params![next()])
        .expect("a good file");
    let place = params!["shop", "https://billing.example.com", next()];
    database
        .execute(
            "INSERT INTO past (connection, url, record) VALUES (?1, ?2, ?3)",
            place,
        )
        .expect("a good file");
    let place = params!["https://a.example", "SU-1", next()];
    database
        .execute(
            "INSERT INTO renewal (origin, token, record) VALUES (?1, ?2, ?3)",
            place,
        )
        .expect("a good file");
    drop(database);
    let state = StateDb::open(folder).expect("the records are read later");
    if let Ok(record) = state.budget(&here) {
        ruled(record, &state);
    }
    used(&state);
}

/// The rules of the lock-out over any record: they end, and what they say is in time's bounds.
fn ruled(mut record: BudgetRecord, state: &StateDb) {
    let key = state.fingerprint("api", &Secret::new("key"));
    // "ab" stands for the key: its real digest differs from run to run.
    for attempt in &mut record.attempts {
        if attempt.key.0 == "ab" {
            attempt.key = key.clone();
        }
    }
    if let Some(pause) = record.paused.remove(&KeyFingerprint("ab".to_owned())) {
        record.paused.insert(key.clone(), pause);
    }
    for at in [now(), Timestamp::UNIX_EPOCH, Timestamp::MAX, Timestamp::MIN] {
        let mut record = record.clone();
        let paused = budget::paused(&record, &key, at);
        match budget::book(&mut record, &key, at) {
            Decision::Granted(number) => {
                assert!(paused.is_none(), "{paused:?} and granted");
                budget::settle(&mut record, number, AttemptEnd::Rejected, at);
            }
            Decision::Paused(stop) => assert_eq!(inert(&stop.why, 400), stop.why),
            Decision::Busy { .. } => {}
        }
        budget::quiet(&mut record, at, now());
        budget::resume(&mut record, &key, now());
        let later = at
            .saturating_add(SignedDuration::from_hours(25))
            .expect("hours");
        budget::paused(&record, &key, later);
    }
}

fn used(state: &StateDb) {
    let name = Name::parse("shop").expect("a name");
    let answers = [
        state.budget(&host()).map(drop),
        state.past(&name, "https://billing.example.com").map(drop),
        state.renewals().map(drop),
        state.standings().map(drop),
        state.pasts(&[name.clone()], now()).map(drop),
        state.events(&name, Timestamp::UNIX_EPOCH).map(drop),
        state.verify(),
        state.thin(now()),
        state.update_budget(&host(), |_| ()),
    ];
    for problem in answers.into_iter().filter_map(Result::err) {
        refused(&problem);
    }
}

fn refused(problem: &StateProblem) {
    let words = switchboard::domain::error_chain(problem);
    assert_eq!(inert(&words, 2_000), words);
}
