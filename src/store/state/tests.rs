//! The budget is one for all programs and outlives them; a damaged database is never destroyed.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;
use std::thread;

use jiff::Timestamp;

use super::*;
use crate::domain::budget::{AttemptEnd, BookedAttempt};
use crate::domain::{Identity, Reason};
use crate::service::LastGood;
use crate::service::subject::Accepted;
use crate::store::RunRecord;

fn host() -> HostPort {
    HostPort {
        host: "billing.example.com".into(),
        port: 443,
    }
}

fn name(text: &str) -> Name {
    Name::parse(text).unwrap()
}

fn time(second: i64) -> Timestamp {
    Timestamp::from_second(1_790_000_000 + second).unwrap()
}

fn book(state: &StateDb) -> u64 {
    state
        .update_budget(&host(), |record| {
            let number = record.next_number;
            record.next_number += 1;
            let key = KeyFingerprint("k".into());
            record.attempts.push(BookedAttempt {
                number,
                key,
                at: time(0),
                trial: false,
                proven: false,
                end: AttemptEnd::Pending,
            });
            number
        })
        .unwrap()
}

#[test]
fn what_can_only_be_read_is_read_and_nothing_is_made_beside_it() {
    let folder = tempfile::Builder::new()
        .prefix("a%41 #?")
        .tempdir()
        .unwrap();
    let folder = folder.path();
    assert!(StateDb::open_to_read(folder).is_none());
    let shop = name("shop");
    let found = |status| RunRecord {
        at: time(i64::from(status)),
        reason: Reason::Connected,
        status,
        us: None,
        planned: false,
    };
    let state = StateDb::open(folder).unwrap();
    state.record([(&shop, found(200))]).unwrap();
    let seen = |state: &StateDb| state.results(&shop, time(0)).unwrap().len();
    // Another program writes meanwhile.
    assert_eq!(StateDb::open_to_read(folder).as_ref().map(seen), Some(1));
    state.record([(&shop, found(204))]).unwrap();
    assert_eq!(StateDb::open_to_read(folder).as_ref().map(seen), Some(2));
    drop(state);
    let lying = || {
        let files = fs::read_dir(folder).unwrap();
        let mut names: Vec<_> = files.map(|file| file.unwrap().file_name()).collect();
        names.sort();
        names
    };
    // Its log is empty at first: what it writes then is seen by whoever has begun to read before.
    let state = StateDb::open(folder).unwrap();
    let other = Connection::open(folder.join(FILE)).unwrap();
    other
        .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
        .unwrap();
    let log = fs::metadata(folder.join(format!("{FILE}-wal"))).unwrap();
    assert_eq!(log.len(), 0);
    let reader = StateDb::open_to_read(folder).unwrap();
    assert_eq!(seen(&reader), 2);
    state.record([(&shop, found(208))]).unwrap();
    assert_eq!(seen(&reader), 3);
    drop((reader, other, state));
    let before = lying();
    let state = StateDb::open_to_read(folder).unwrap();
    assert_eq!(seen(&state), 3);
    assert!(state.record([(&shop, found(206))]).is_err());
    assert!(state.update_budget(&host(), |_| ()).is_err());
    assert_eq!(lying(), before);
    drop(state);
    // A full disk: an empty log was made, and what lies beside it takes nothing.
    let path = folder.join(FILE);
    let beside = |end| folder.join(format!("{FILE}{end}"));
    rustix::fs::mkfifoat(rustix::fs::CWD, beside("-shm"), rustix::fs::Mode::RWXU).unwrap();
    assert!(StateDb::open(folder).is_err());
    fs::write(beside("-wal"), "").unwrap();
    assert_eq!(StateDb::open_to_read(folder).as_ref().map(seen), Some(3));
    fs::remove_file(beside("-shm")).unwrap();
    let older = Connection::open(&path).unwrap();
    older.pragma_update(None, "user_version", 3).unwrap();
    drop(older);
    assert!(StateDb::open_to_read(folder).is_none());
}

#[test]
fn of_several_programs_one_calls_of_a_change() {
    use crate::domain::State::{Down, Ok as Up};
    let (state, shop) = (StateDb::in_memory().unwrap(), name("shop"));
    let found = |second, reason| {
        let run = RunRecord {
            at: time(second),
            reason,
            status: 0,
            us: None,
            planned: false,
        };
        state.record([(&shop, run)]).unwrap();
    };
    let is_first = |second, to, calls| {
        let news = (to, time(second));
        state.announce(&shop, "http://a", news, calls).unwrap()
    };
    assert!(is_first(-200, Down, true));
    assert!(
        !is_first(-199, Down, true) && !is_first(-201, Down, true),
        "no result of it is written yet"
    );
    assert!(is_first(-130, Down, true), "nor ever was");
    found(10, Reason::Refused);
    found(20, Reason::Refused);
    assert!(is_first(20, Down, false), "it has no command");
    assert!(is_first(25, Down, true));
    assert!(!is_first(30, Down, true));
    assert!(is_first(40, Up, true) && !is_first(41, Up, true));
    // What the other found is written sooner.
    found(41, Reason::Connected);
    assert!(!is_first(42, Up, true));
    // Whoever had no command then has not called of what was between.
    found(150, Reason::Refused);
    found(160, Reason::Connected);
    assert!(is_first(160, Up, true));
    let past = state.past(&shop, "http://a").unwrap();
    assert_eq!(past.announced, Some(Up));
}

#[test]
fn a_change_that_was_called_of_before_another_url_is_called_of_again() {
    use crate::domain::State::{Down, Ok as Up};
    let (state, shop) = (StateDb::in_memory().unwrap(), name("shop"));
    let is_first = |second, url, to| {
        state
            .announce(&shop, url, (to, time(second)), true)
            .unwrap()
    };
    let run = RunRecord {
        at: time(10),
        reason: Reason::Refused,
        status: 0,
        us: None,
        planned: false,
    };
    state.record([(&shop, run)]).unwrap();
    assert!(is_first(20, "http://a", Down));
    assert!(is_first(40, "http://b", Up));
    assert!(is_first(60, "http://a", Down) && !is_first(61, "http://a", Down));
}

/// It says to which hosts secrets may go.
/// What is booked there no other program would see.
#[test]
fn a_database_that_was_moved_away_takes_no_booking() {
    let folder = tempfile::tempdir().unwrap();
    let state = StateDb::open(folder.path()).unwrap();
    book(&state);
    let path = folder.path().join("history.sqlite");
    fs::rename(&path, folder.path().join("moved")).unwrap();
    let booked = || state.update_budget(&host(), |_| ());
    assert!(matches!(booked(), Err(StateProblem::Away { .. })));
    fs::write(&path, "").unwrap();
    assert!(
        matches!(booked(), Err(StateProblem::Away { .. })),
        "another"
    );
    fs::rename(folder.path().join("moved"), &path).unwrap();
    booked().unwrap();
}

#[test]
fn a_key_is_told_apart_by_whose_it_is_and_by_the_installation() {
    let [one, other] = [(), ()].map(|()| StateDb::in_memory().unwrap());
    let key = Secret::new("k");
    assert_eq!(one.fingerprint("a", &key), one.fingerprint("a", &key));
    assert_ne!(one.fingerprint("a", &key), one.fingerprint("b", &key));
    assert_ne!(one.fingerprint("a", &key), other.fingerprint("a", &key));
    // Where one ends and the other begins.
    let (short, long) = (Secret::new("c"), Secret::new("bc"));
    assert_ne!(one.fingerprint("ab", &short), one.fingerprint("a", &long));
}

#[test]
fn a_state_that_others_can_write_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    drop(StateDb::open(folder.path()).unwrap());
    let path = folder.path().join("history.sqlite");
    let open_to_the_group = |path: &std::path::Path, mode: u32| {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
        StateDb::open(folder.path()).map(drop)
    };
    for (path, open, private) in [
        (path.as_path(), 0o660, 0o600),
        (folder.path(), 0o770, 0o700),
    ] {
        let refused = open_to_the_group(path, open).unwrap_err().to_string();
        assert!(refused.contains("chmod"), "{refused}");
        open_to_the_group(path, private).unwrap();
    }
}

#[test]
fn a_booked_attempt_outlives_the_program() {
    let folder = tempfile::tempdir().unwrap();
    let state = StateDb::open(folder.path()).unwrap();
    assert_eq!((book(&state), book(&state)), (0, 1));
    drop(state);
    let state = StateDb::open(folder.path()).unwrap();
    let record = state.budget(&host()).unwrap();
    assert_eq!(record.attempts.len(), 2);
    assert_eq!(record.attempts[1].end, AttemptEnd::Pending);
    let other = HostPort {
        port: 8443,
        ..host()
    };
    assert_eq!(state.budget(&other).unwrap(), BudgetRecord::default());
}

#[test]
fn attempts_booked_at_once_are_all_counted() {
    let folder = tempfile::tempdir().unwrap();
    thread::scope(|scope| {
        for _ in 0..4 {
            // Each its own State, as each program has: they meet in the file alone.
            scope.spawn(|| {
                let state = StateDb::open(folder.path()).unwrap();
                for _ in 0..10 {
                    book(&state);
                }
            });
        }
    });
    let record = StateDb::open(folder.path())
        .unwrap()
        .budget(&host())
        .unwrap();
    let numbers: Vec<u64> = record
        .attempts
        .iter()
        .map(|attempt| attempt.number)
        .collect();
    assert_eq!(numbers, (0..40).collect::<Vec<u64>>());
}

/// Not a test of its own: the program that [`a_killed_program_has_booked_what_it_said`] starts and kills.
#[test]
#[ignore = "run by another test"]
fn books_until_it_is_killed() {
    let folder = fs::read_link("/proc/self/cwd").unwrap();
    let state = StateDb::open(&folder.join("state")).unwrap();
    loop {
        let number = book(&state);
        fs::write(folder.join("said"), number.to_string()).unwrap();
    }
}

#[test]
fn a_killed_program_has_booked_what_it_said() {
    let folder = tempfile::tempdir().unwrap();
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args([
            "--ignored",
            "--exact",
            "store::state::tests::books_until_it_is_killed",
        ])
        .current_dir(folder.path())
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let said = || {
        fs::read_to_string(folder.path().join("said"))
            .ok()?
            .parse::<u64>()
            .ok()
    };
    while said().is_none_or(|number| number < 20) {
        assert!(child.try_wait().unwrap().is_none(), "it ended by itself");
        thread::yield_now();
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let said = said().unwrap_or(20);
    let record = StateDb::open(&folder.path().join("state"))
        .unwrap()
        .budget(&host())
        .unwrap();
    assert!(
        record.next_number > said,
        "{} booked, {said} said",
        record.next_number
    );
    StateDb::open(&folder.path().join("state"))
        .unwrap()
        .verify()
        .unwrap();
}

#[test]
fn a_change_that_panics_changes_nothing() {
    let state = StateDb::in_memory().unwrap();
    book(&state);
    let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        state.update_budget(&host(), |record| {
            record.attempts.clear();
            panic!("half done");
        })
    }));
    assert!(panicked.is_err());
    assert_eq!(state.budget(&host()).unwrap().attempts.len(), 1);
}

#[test]
fn fingerprints_tell_pairs_apart_and_belong_to_the_installation() {
    let folder = tempfile::tempdir().unwrap();
    let state = StateDb::open(folder.path()).unwrap();
    let print = state.fingerprint("user", &Secret::new("hunter2"));
    assert_eq!(print.0.len(), 64);
    assert_ne!(print, state.fingerprint("userh", &Secret::new("unter2")));
    assert_ne!(print, state.fingerprint("user", &Secret::new("hunter3")));
    drop(state);
    let state = StateDb::open(folder.path()).unwrap();
    assert_eq!(
        print,
        state.fingerprint("user", &Secret::new("hunter2")),
        "the key is kept"
    );
    let other = StateDb::in_memory().unwrap();
    assert_ne!(
        print,
        other.fingerprint("user", &Secret::new("hunter2")),
        "each installation has its own"
    );
}

#[test]
fn the_past_belongs_to_a_connection_its_url_and_its_pair() {
    let state = StateDb::in_memory().unwrap();
    let (shop, url) = (name("shop"), "https://a.example");
    let pair = KeyFingerprint("p".into());
    let how = Accepted {
        by_headers: true,
        through_index: false,
        own_token: None,
    };
    let identity = Identity {
        id: Some("1".into()),
        name: Some("Shop".into()),
        host: None,
    };
    let good = LastGood {
        at: "2026-11-23T10:00:00Z".into(),
        server: Some("nginx".into()),
        ..LastGood::default()
    };
    state
        .update_past(&shop, url, |past| {
            past.service_seen = true;
            past.accepted = Some((pair.clone(), how.clone()));
            past.identity = Some(identity.clone());
            past.last_good = Some(good.clone());
        })
        .unwrap();
    let past = state.past(&shop, url).unwrap();
    assert_eq!(past.for_pair(Some(&pair)).accepted, Some(how));
    assert_eq!(
        past.for_pair(Some(&KeyFingerprint("q".into()))).accepted,
        None
    );
    assert_eq!(past.for_pair(None).last_good, Some(good));
    assert!(past.for_pair(None).service_seen);
    assert_eq!(
        state.past(&shop, "https://b.example").unwrap(),
        PastRecord::default()
    );
}

#[test]
fn an_origin_belongs_to_a_reference_at_its_place() {
    let state = StateDb::in_memory().unwrap();
    let slot = SecretPlace::key(&name("shop"));
    let reference: SecretRef = "env:KEY".parse().unwrap();
    let origin = Origin::parse("https://a.example:8443").unwrap();
    assert_eq!(state.origin_of(&reference, &slot).unwrap(), None);
    state.set_origin(&reference, &slot, &origin).unwrap();
    assert_eq!(state.origin_of(&reference, &slot).unwrap(), Some(origin));
    assert_eq!(
        state
            .origin_of(&reference, &SecretPlace::key(&name("evil")))
            .unwrap(),
        None
    );
    assert_eq!(
        state
            .origin_of(&"env:OTHER".parse().unwrap(), &slot)
            .unwrap(),
        None
    );
    state.remove_origin(&slot).unwrap();
    assert_eq!(state.origin_of(&reference, &slot).unwrap(), None);
}

fn run(second: i64) -> RunRecord {
    RunRecord {
        planned: false,
        at: time(second),
        reason: Reason::Connected,
        status: 200,
        us: None,
    }
}

#[test]
fn renaming_moves_and_removing_forgets_everything_but_the_budget() {
    let state = StateDb::in_memory().unwrap();
    let (old, new) = (name("old"), name("new"));
    let reference: SecretRef = "env:KEY".parse().unwrap();
    let origin = Origin::parse("https://a.example").unwrap();
    let fill = |name: &Name, second| {
        state
            .set_origin(&reference, &SecretPlace::key(name), &origin)
            .unwrap();
        state
            .update_past(name, "u", |past| past.service_seen = true)
            .unwrap();
        state.record([(name, run(second))]).unwrap();
    };
    let found = |name: &Name| {
        (
            state
                .origin_of(&reference, &SecretPlace::key(name))
                .unwrap()
                .is_some(),
            state.past(name, "u").unwrap().service_seen,
            state.results(name, time(0)).unwrap().len(),
        )
    };
    book(&state);
    fill(&old, 1);
    fill(&new, 2);
    state.rename_connection(&old, &new).unwrap();
    assert_eq!(
        (found(&old), found(&new)),
        ((false, false, 0), (true, true, 1))
    );
    assert_eq!(
        state.results(&new, time(0)).unwrap()[0].at,
        time(1),
        "what was left under the name is gone"
    );
    state.rename_connection(&new, &new).unwrap();
    assert_eq!(found(&new), (true, true, 1));
    state.remove_connection(&new).unwrap();
    assert_eq!(found(&new), (false, false, 0));
    assert_eq!(state.budget(&host()).unwrap().attempts.len(), 1);
}

#[test]
fn a_damaged_database_is_named_and_left_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("history.sqlite");
    fs::write(
        &path,
        "this is no database, though it is long enough to have a header".repeat(40),
    )
    .unwrap();
    let before = fs::read(&path).unwrap();
    let problem = StateDb::open(folder.path()).unwrap_err();
    assert!(
        matches!(problem, StateProblem::Damaged { .. }),
        "{problem:?}"
    );
    assert!(
        problem.to_string().contains("history.sqlite")
            && problem.to_string().contains("no key is sent")
    );
    assert_eq!(fs::read(&path).unwrap(), before);
}

#[test]
fn a_record_that_can_not_be_read_is_damage_and_stays() {
    let state = StateDb::in_memory().unwrap();
    book(&state);
    state
        .database
        .lock()
        .unwrap()
        .execute("UPDATE budget SET record = '{'", [])
        .unwrap();
    assert!(matches!(
        state.budget(&host()),
        Err(StateProblem::Damaged { .. })
    ));
    assert!(matches!(
        state.update_budget(&host(), |_| ()),
        Err(StateProblem::Damaged { .. })
    ));
    let other = HostPort {
        port: 8443,
        ..host()
    };
    let change = |record: &mut BudgetRecord| record.next_number += 1;
    let both = state
        .update_budgets([(&host(), change), (&other, change)])
        .unwrap();
    assert!(matches!(both[..], [Err(_), Ok(())]), "{both:?}");
    assert_eq!(state.budget(&other).unwrap().next_number, 1);
    let kept: String = state
        .database
        .lock()
        .unwrap()
        .query_row("SELECT record FROM budget WHERE port = 443", [], |row| {
            row.get(0)
        })
        .unwrap();
    assert_eq!(kept, "{");
}

#[test]
fn a_newer_database_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let state = StateDb::open(folder.path()).unwrap();
    state
        .database
        .lock()
        .unwrap()
        .pragma_update(None, "user_version", 99)
        .unwrap();
    drop(state);
    assert!(matches!(
        StateDb::open(folder.path()),
        Err(StateProblem::Newer { found: 99, .. })
    ));
}

#[test]
fn no_code_is_loaded_and_nothing_is_built_in_that_nobody_uses() {
    let folder = tempfile::tempdir().unwrap();
    let state = StateDb::open(folder.path()).unwrap();
    let database = state.database.lock().unwrap();
    let mut told = database.prepare("PRAGMA compile_options").unwrap();
    let options: Vec<String> = told
        .query_map([], |row| row.get(0))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    let has = |option: &str| options.iter().any(|told| told == option);
    // What .cargo/config.toml asks for.
    assert!(has("OMIT_LOAD_EXTENSION"), "{options:?}");
    assert!(!has("ENABLE_FTS5") && !has("ENABLE_RTREE"), "{options:?}");
}

#[test]
fn every_commit_is_synced_and_files_are_private() {
    let folder = tempfile::tempdir().unwrap();
    let state = StateDb::open(&folder.path().join("state")).unwrap();
    book(&state);
    let pragma = |name: &str| -> String {
        let database = state.database.lock().unwrap();
        database
            .query_row(&format!("PRAGMA {name}"), [], |row| {
                row.get::<_, String>(0)
                    .or_else(|_| row.get::<_, i64>(0).map(|number| number.to_string()))
            })
            .unwrap()
    };
    assert_eq!(
        (pragma("journal_mode"), pragma("synchronous")),
        ("wal".into(), "2".into())
    );
    for entry in fs::read_dir(folder.path().join("state")).unwrap() {
        let entry = entry.unwrap();
        assert_eq!(
            entry.metadata().unwrap().permissions().mode() & 0o777,
            0o600,
            "{:?}",
            entry.path()
        );
    }
    assert_eq!(files::mode(&folder.path().join("state")).unwrap(), 0o700);
}

#[test]
fn memory_writes_no_file() {
    let state = StateDb::in_memory().unwrap();
    book(&state);
    assert_eq!(state.budget(&host()).unwrap().attempts.len(), 1);
    state.verify().unwrap();
}

/// A program may be killed while it makes the first one; later, nobody but a broken disk leaves an empty file.
#[test]
fn an_empty_database_is_a_new_one_only_where_none_was_made() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("history.sqlite");
    files::write_whole(&path, b"").unwrap();
    drop(StateDb::open(folder.path()).unwrap());
    assert!(fs::metadata(&path).unwrap().len() > 0);
    files::write_whole(&path, b"").unwrap();
    let damaged = StateDb::open(folder.path()).unwrap_err();
    assert!(matches!(damaged, StateProblem::Damaged { .. }), "{damaged}");
    fs::remove_file(&path).unwrap();
    assert!(
        StateDb::open(folder.path()).is_ok(),
        "moved away, as it is told"
    );
}
