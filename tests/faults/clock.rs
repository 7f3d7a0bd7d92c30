//! Clocks that jump: by a network's time, by somebody's hand, over a sleeping laptop.

use std::process::Command;

use jiff::{SignedDuration, Timestamp};
use switchboard::app::message::{ClipboardMessage, Copied, Loaded};
use switchboard::app::{Message, Model};
use switchboard::domain::budget::AttemptEnd;
use switchboard::domain::{
    BudgetRecord, Connection, Handle, HandleSlot, KeyFingerprint, Name, Secret, SecretRef,
    ServiceId,
};
use switchboard::probe::budget::{self, Decision, FIRST_PAUSE, LONGEST_PAUSE};

use crate::support::commands::{BINARY, finish};
use crate::{User, is_here};

fn start() -> Timestamp {
    Timestamp::from_second(1_800_000_000).unwrap()
}

fn hours(hours: i64) -> SignedDuration {
    SignedDuration::from_hours(hours)
}

fn key() -> KeyFingerprint {
    KeyFingerprint("a".to_owned())
}

/// A record with a key that was rejected twice at `at`.
fn paused(at: Timestamp) -> BudgetRecord {
    let mut record = BudgetRecord::default();
    for _ in 0..2 {
        let Decision::Granted(number) = budget::book(&mut record, &key(), at) else {
            panic!("the first two are granted");
        };
        budget::settle(&mut record, number, AttemptEnd::Rejected, at);
    }
    record
}

#[test]
fn a_pause_is_neither_longer_nor_gone_after_the_clock_was_set_back() {
    for back in [0, 1, 24, 24 * 365 * 50] {
        let record = paused(start());
        let now = start() - hours(back);
        let stop = budget::paused(&record, &key(), now).expect("still paused");
        let left = stop.until.duration_since(now);
        let longest = SignedDuration::try_from(FIRST_PAUSE).unwrap();
        assert!(
            left > SignedDuration::ZERO && left <= longest,
            "{back} h: {left}"
        );
    }
}

#[test]
fn after_a_leap_forward_one_try_is_made_and_doubles_the_pause() {
    let mut record = paused(start());
    let later = start() + hours(24 * 365);
    assert!(budget::paused(&record, &key(), later).is_none());
    let Decision::Granted(number) = budget::book(&mut record, &key(), later) else {
        panic!("one try");
    };
    budget::settle(&mut record, number, AttemptEnd::Rejected, later);
    let stop = budget::paused(&record, &key(), later).expect("paused anew");
    let left = stop.until.duration_since(later);
    assert_eq!(left, SignedDuration::try_from(FIRST_PAUSE * 2).unwrap());
    // And back where it came from: no longer than the longest.
    let stop = budget::paused(&record, &key(), start()).expect("still paused");
    let left = stop.until.duration_since(start());
    assert!(
        left <= SignedDuration::try_from(LONGEST_PAUSE).unwrap(),
        "{left}"
    );
}

/// A clock that runs back and forth never lets a key be sent more often than a steady one would.
#[test]
fn a_clock_that_wanders_gives_no_key_away() {
    let mut record = BudgetRecord::default();
    let mut sent = 0;
    for round in 0..200_i64 {
        let now = start() + SignedDuration::from_secs((round * 7_919) % 600 - 300);
        if let Decision::Granted(number) = budget::book(&mut record, &key(), now) {
            sent += 1;
            budget::settle(&mut record, number, AttemptEnd::Rejected, now);
        }
    }
    assert_eq!(sent, 2, "within ten minutes of any order");
}

fn model() -> Model {
    let mut model = Model::new((100, 30), start());
    let name = Name::parse("shop").unwrap();
    let mut connection = Connection::new(name, ServiceId::blesta(), "https://a.example");
    connection.key = Some(SecretRef::Ask);
    let loaded = Loaded {
        connections: vec![connection.into()],
        clipboard_clear_s: 20,
        lock_after_min: 15,
        ..Loaded::default()
    };
    model.update(start(), Message::ConfigurationLoaded(Box::new(loaded)));
    model
}

fn revealed(model: &mut Model, now: Timestamp) {
    let key = crossterm::event::KeyEvent::from(crossterm::event::KeyCode::Char('v'));
    model.update(now, Message::Key(key));
    let name = Name::parse("shop").unwrap();
    let result = Ok(Handle::plain(Secret::new("shown")));
    let slot = HandleSlot::Key;
    model.update(now, Message::Revealed { name, slot, result });
    assert!(model.revealed.is_some());
}

/// Wakes the model as often as it asks within `time`.
fn pass(model: &mut Model, from: Timestamp, time: SignedDuration) -> Timestamp {
    let end = from + time;
    let mut now = from;
    while let Some(wake) = model.next_wake().filter(|wake| *wake <= end) {
        now = now.max(wake);
        model.update(now, Message::Woke);
    }
    end
}

#[test]
fn a_shown_handle_is_hidden_in_time_though_the_clock_was_set_back() {
    for back in [1, 3_600, 86_400 * 400] {
        let mut model = model();
        revealed(&mut model, start());
        let set_back = start() - SignedDuration::from_secs(back);
        model.update(set_back, Message::Woke);
        pass(&mut model, set_back, SignedDuration::from_secs(11));
        assert!(
            model.revealed.is_none(),
            "still in the open after {back} s back"
        );
    }
}

#[test]
fn a_leap_forward_hides_clears_and_locks_at_once() {
    let mut model = model();
    revealed(&mut model, start());
    let copied = Copied {
        words: "→ your terminal".to_owned(),
        placed: true,
        clears_in_s: Some(20),
    };
    model.update(
        start(),
        Message::Clipboard(ClipboardMessage::Copied(copied)),
    );
    let effects = model.update(start() + hours(5), Message::Woke);
    assert!(model.revealed.is_none());
    assert!(model.copied.is_none());
    let told = format!("{effects:?}");
    assert!(
        told.contains("Clipboard(Clear)") && told.contains("Vault(Lock)"),
        "{told}"
    );
}

#[test]
fn the_lock_comes_in_time_though_the_clock_was_set_back() {
    let mut model = model();
    let set_back = start() - hours(3);
    model.update(set_back, Message::Woke);
    let mut effects = Vec::new();
    let end = set_back + SignedDuration::from_mins(16);
    let mut now = set_back;
    while let Some(wake) = model.next_wake().filter(|wake| *wake <= end) {
        now = now.max(wake);
        effects.extend(model.update(now, Message::Woke));
    }
    assert!(format!("{effects:?}").contains("Lock"), "{effects:?}");
}

#[test]
fn the_countdown_of_a_copy_ends_though_the_clock_was_set_back() {
    let mut model = model();
    let copied = Copied {
        words: "→ your terminal".to_owned(),
        placed: true,
        clears_in_s: Some(20),
    };
    model.update(
        start(),
        Message::Clipboard(ClipboardMessage::Copied(copied)),
    );
    let set_back = start() - hours(3);
    model.update(set_back, Message::Woke);
    let shown = model
        .copied
        .as_ref()
        .and_then(|copied| copied.clears_at)
        .unwrap();
    let left = shown.duration_since(set_back);
    assert!(left <= SignedDuration::from_secs(20), "{left}");
}

/// The real binary at another time: 1970, before the certificates and its own files were made, and 2099.
#[test]
fn in_another_century_the_commands_work() {
    if !is_here("/usr/bin/faketime") {
        return;
    }
    let user = User::new();
    assert_eq!(user.run(&["probe", "shop"]).code, 0);
    for at in [
        "1971-01-01 00:00:00",
        "2037-01-01 00:00:00",
        "2099-01-01 00:00:00",
    ] {
        for arguments in [
            &["probe", "shop"][..],
            &["history", "--rows", "runs"],
            &["doctor"],
            &["secret", "where"],
        ] {
            let mut command = Command::new("/usr/bin/faketime");
            command.args(["-f", at, BINARY]).args(arguments);
            let variables = [("SHOP_KEY", user.blesta.key.as_str())];
            let done = finish(command, user.path(), &variables, "");
            assert_eq!(done.code, 0, "{at} {arguments:?}: {done:?}");
        }
    }
}
