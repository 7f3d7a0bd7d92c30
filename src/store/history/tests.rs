//! What is kept for how long, what is answered from it, and that killing loses nothing committed.

use std::fs;
use std::process::{Command, Stdio};
use std::thread;

use jiff::{SignedDuration, Timestamp};

use serde_json::Value;

use super::*;
use crate::domain::history::STRIP;
use crate::domain::{Name, Reason, State};
use crate::store::state::StateDb;

/// A full hour.
const START: i64 = 1_790_000_000 - 1_790_000_000 % 3_600;
const MINUTE: i64 = 60;
const HOUR: i64 = 3_600;
const DAY: i64 = 24 * HOUR;

fn name(text: &str) -> Name {
    Name::parse(text).unwrap()
}

fn time(second: i64) -> Timestamp {
    Timestamp::from_second(START + second).unwrap()
}

fn run(second: i64, reason: Reason) -> RunRecord {
    RunRecord {
        at: time(second),
        reason,
        status: 200,
        us: Some(1_500),
        planned: false,
    }
}

fn filled(runs: &[RunRecord]) -> (StateDb, Name) {
    let state = StateDb::in_memory().unwrap();
    let shop = name("shop");
    state.record(runs.iter().map(|run| (&shop, *run))).unwrap();
    (state, shop)
}

fn past(state: &StateDb, name: &Name, now: Timestamp) -> History {
    let names = std::slice::from_ref(name);
    state.pasts(names, now).unwrap().remove(0).1
}

#[test]
fn results_are_answered_before_and_after_they_are_sorted_in() {
    let runs = [
        run(0, Reason::Connected),
        run(60, Reason::TlsFailed),
        run(120, Reason::ReplyCut),
    ];
    let (state, shop) = filled(&runs);
    for sorted_in in [false, true] {
        if sorted_in {
            state.thin(time(130)).unwrap();
        }
        assert_eq!(state.results(&shop, time(0)).unwrap(), runs);
        assert_eq!(state.results(&shop, time(60)).unwrap(), runs[1..]);
        assert_eq!(past(&state, &shop, time(130)).strip, runs);
    }
    assert_eq!(state.results(&name("other"), time(0)).unwrap(), []);
}

#[test]
fn a_result_that_comes_late_from_another_program_is_no_change() {
    let (state, shop) = filled(&[
        run(0, Reason::Connected),
        run(61, Reason::AuthPaused),
        run(60, Reason::CredentialsRejected),
        run(62, Reason::AuthPaused),
    ]);
    let standing = state.standing(&shop).unwrap().unwrap();
    assert_eq!(
        (standing.reason, standing.since),
        (Reason::AuthPaused, time(61))
    );
    let events = state.events(&shop, time(0)).unwrap();
    let reasons: Vec<_> = events.iter().map(|event| event.reason).collect();
    assert_eq!(reasons, [Reason::Connected, Reason::AuthPaused]);
    assert_eq!(
        state.results(&shop, time(0)).unwrap().len(),
        4,
        "it is kept"
    );
    // A clock that was set back is another matter.
    state
        .record([(&shop, run(-HOUR, Reason::Refused))])
        .unwrap();
    let standing = state.standing(&shop).unwrap().unwrap();
    assert_eq!(standing.reason, Reason::Refused);
}

#[test]
fn since_when_is_the_state_s_and_events_are_the_reasons() {
    let (state, shop) = filled(&[
        run(0, Reason::Connected),
        run(60, Reason::TlsFailed),
        run(120, Reason::TlsFailed),
        run(180, Reason::ReplyCut),
    ]);
    let standing = state.standing(&shop).unwrap().unwrap();
    assert_eq!(
        (standing.state, standing.reason, standing.since),
        (State::Down, Reason::ReplyCut, time(60))
    );
    assert_eq!(
        state.standings().unwrap(),
        [(shop.clone(), standing)].into()
    );
    let events = state.events(&shop, time(0)).unwrap();
    let told: Vec<_> = events
        .iter()
        .map(|event| (event.reason, event.lasted.map(|lasted| lasted.as_secs())))
        .collect();
    assert_eq!(
        told,
        [
            (Reason::Connected, Some(60)),
            (Reason::TlsFailed, Some(120)),
            (Reason::ReplyCut, None)
        ]
    );
    let later: Vec<_> = state.events(&shop, time(100)).unwrap();
    assert_eq!(later, events[1..], "what still lasted then is told");
    // The clock stood ahead, and was set back.
    let ahead = Timestamp::now() + SignedDuration::from_hours(2);
    let ahead = RunRecord {
        at: ahead,
        ..run(0, Reason::Connected)
    };
    state.record([(&shop, ahead)]).unwrap();
    assert_eq!(state.events(&shop, time(0)).unwrap(), events);
}

/// Nobody takes what was written while the clock stood ahead for an outage: not before its time, and not after it.
#[test]
fn what_was_found_while_the_clock_stood_ahead_is_no_event() {
    for ahead in [SignedDuration::from_hours(2), SignedDuration::from_secs(-1)] {
        let at = Timestamp::now() + ahead;
        let back = |seconds| RunRecord {
            at: at - SignedDuration::from_secs(seconds),
            ..run(0, Reason::Connected)
        };
        let failed = RunRecord {
            at,
            ..run(0, Reason::Refused)
        };
        let shop = name("shop");
        let state = StateDb::in_memory().unwrap();
        let runs = [back(4 * HOUR), failed, back(3 * HOUR)];
        state.record(runs.map(|run| (&shop, run))).unwrap();
        let events = state.events(&shop, Timestamp::UNIX_EPOCH).unwrap();
        let told: Vec<_> = events.iter().map(|event| event.reason).collect();
        assert_eq!(told, [Reason::Connected; 2], "{ahead}");
        assert_eq!(events[1].lasted, None, "{ahead}");
        let mut out = Vec::new();
        let what = (ExportTable::Events, ExportFormat::Csv);
        let written = state.export(None, Timestamp::UNIX_EPOCH, what, &mut out);
        written.unwrap().unwrap();
        let csv = String::from_utf8(out).unwrap();
        let ends: Vec<_> = csv
            .lines()
            .skip(1)
            .map(|line| line.rsplit(',').next())
            .collect();
        assert_eq!(ends, [Some("3600.0"), Some("")], "{ahead}: {csv}");
    }
}

#[test]
fn latency_is_told_by_rank() {
    let runs: Vec<_> = (1..=100)
        .map(|n| RunRecord {
            us: Some(u32::try_from(n).unwrap() * 1_000),
            ..run(n, Reason::Connected)
        })
        .collect();
    let (state, shop) = filled(&runs);
    let failed = RunRecord {
        us: Some(9_000_000),
        ..run(101, Reason::ResponseTimeout)
    };
    state.record([(&shop, failed)]).unwrap();
    let latency = state.latency(&shop, time(0)).unwrap().unwrap();
    let ms = [latency.p50, latency.p95, latency.max].map(|time| time.as_millis());
    assert_eq!(ms, [50, 95, 100]);
    assert_eq!(state.latency(&shop, time(200)).unwrap(), None);
}

#[test]
fn availability_counts_what_was_asked() {
    let (state, shop) = filled(&[
        run(-2 * DAY + MINUTE, Reason::Refused),
        run(-2 * HOUR, Reason::Refused),
        run(-50 * MINUTE, Reason::ConnectedNoisy),
        run(-40 * MINUTE, Reason::Connected),
        run(-30 * MINUTE, Reason::AuthPaused),
        run(-20 * MINUTE, Reason::CredentialsRejected),
        run(-10 * MINUTE, Reason::Connected),
    ]);
    let availability = past(&state, &shop, time(0)).availability;
    let close = |share: Option<f64>, expected: f64| (share.unwrap() - expected).abs() < 1e-9;
    assert!(close(availability.hour, 3.0 / 4.0), "{availability:?}");
    assert!(close(availability.day, 3.0 / 5.0), "{availability:?}");
    assert!(close(availability.month, 3.0 / 6.0), "{availability:?}");
    let nothing = past(&state, &name("other"), time(0)).availability;
    assert_eq!(nothing, Availability::default());
}

/// Many at once find what one after the other is found.
#[test]
fn the_pasts_of_many_are_those_of_each() {
    let (state, shop) = filled(&steady(-40 * DAY, 0, 2 * MINUTE));
    let other = name("other");
    for thinned in [false, true] {
        if thinned {
            state.thin(time(0)).unwrap();
            state.record([(&shop, run(-1, Reason::Refused))]).unwrap();
            state
                .record([(&other, run(-1, Reason::Connected))])
                .unwrap();
        }
        let names = [other.clone(), name("nobody"), shop.clone()];
        let pasts = state.pasts(&names, time(0)).unwrap();
        for (name, past) in &pasts {
            let day = time(-DAY);
            assert_eq!(past.standing, state.standing(name).unwrap(), "{name}");
            assert_eq!(past.latency, state.latency(name, day).unwrap(), "{name}");
            assert_eq!(*past, self::past(&state, name, time(0)), "{name}");
            let results = state.results(name, day).unwrap();
            let strip = results.len().saturating_sub(STRIP);
            assert_eq!(past.strip, results[strip..], "{name}");
        }
        let order: Vec<_> = pasts.iter().map(|(name, _)| name.clone()).collect();
        assert_eq!(order, names);
        let shares = state.day_shares(time(0)).unwrap();
        let Availability { day, month, .. } = pasts[2].1.availability;
        let day = day.unwrap();
        assert!((month.unwrap() - 0.9).abs() < 0.01, "{month:?}");
        assert!((shares[&shop] - day).abs() < 0.01, "{shares:?} {day}");
        assert_eq!(shares.contains_key(&other), thinned);
    }
}

#[test]
fn what_fails_as_planned_is_left_out_of_availability() {
    let planned = RunRecord {
        planned: true,
        ..run(-30 * MINUTE, Reason::Refused)
    };
    let (state, shop) = filled(&[run(-40 * MINUTE, Reason::Connected), planned]);
    for _ in ["as it comes", "as a bucket"] {
        let availability = past(&state, &shop, time(0)).availability;
        assert_eq!(
            (availability.hour, availability.month),
            (Some(1.0), Some(1.0))
        );
        let runs = state.results(&shop, time(-HOUR)).unwrap();
        assert_eq!(runs.last().map(|run| run.planned), Some(true));
        state.thin(time(0)).unwrap();
    }
    let buckets = state.buckets(&shop, Span::Hour, time(-HOUR)).unwrap();
    let count = buckets[0].count;
    assert_eq!((count.works, count.down, count.planned), (1, 0, 1));
    state.thin(time(3 * DAY)).unwrap();
    let availability = past(&state, &shop, time(3 * DAY)).availability;
    assert_eq!(availability.month, Some(1.0), "from buckets alone");
}

/// One result every `every` seconds; every tenth is down.
fn steady(from: i64, to: i64, every: i64) -> Vec<RunRecord> {
    (0..(to - from) / every)
        .map(|n| {
            let reason = if n % 10 == 0 {
                Reason::Refused
            } else {
                Reason::Connected
            };
            run(from + n * every, reason)
        })
        .collect()
}

fn rows(state: &StateDb, sql: &str) -> i64 {
    state
        .read(|database| Ok(database.query_row(sql, [], |row| row.get(0)).unwrap()))
        .unwrap()
}

#[test]
fn samples_are_thinned_by_age_and_availability_stays_the_same() {
    let (state, shop) = filled(&steady(-40 * DAY, 0, 2 * MINUTE));
    let before = past(&state, &shop, time(0)).availability;
    state.thin(time(0)).unwrap();
    assert_eq!(rows(&state, "SELECT COUNT(*) FROM fresh"), 0);
    assert_eq!(
        rows(&state, "SELECT COUNT(*) FROM sample"),
        2 * DAY / (2 * MINUTE)
    );
    assert_eq!(
        rows(&state, "SELECT COUNT(*) FROM bucket WHERE span = 300"),
        30 * DAY / 300
    );
    assert_eq!(
        rows(&state, "SELECT COUNT(*) FROM bucket WHERE span = 3600"),
        40 * 24
    );
    assert_eq!(past(&state, &shop, time(0)).availability, before);
    let buckets = state.buckets(&shop, Span::Hour, time(-HOUR)).unwrap();
    let count = buckets[0].count;
    assert_eq!(
        (buckets.len(), count.ok, count.down, count.works),
        (1, 27, 3, 27)
    );

    state.thin(time(400 * DAY)).unwrap();
    assert_eq!(
        rows(&state, "SELECT COUNT(*) FROM sample") + rows(&state, "SELECT COUNT(*) FROM bucket"),
        0
    );
    assert_eq!(
        rows(&state, "SELECT COUNT(*) FROM change"),
        1,
        "what still lasts is kept"
    );
}

#[test]
fn thinning_again_and_again_is_the_same_as_once() {
    let runs = steady(-3 * DAY, 0, 5 * MINUTE);
    let (once, shop) = filled(&runs);
    let (often, _) = filled(&[]);
    for some in runs.chunks(7) {
        often.record(some.iter().map(|run| (&shop, *run))).unwrap();
        often.thin(some.last().unwrap().at).unwrap();
    }
    for state in [&once, &often] {
        state.thin(time(0)).unwrap();
    }
    for span in Span::ALL {
        let since = time(-4 * DAY);
        let buckets = |state: &StateDb| state.buckets(&shop, span, since).unwrap();
        assert!(buckets(&once).len() >= 72);
        assert_eq!(buckets(&once), buckets(&often));
    }
}

/// The same before anything was ever thinned: what is younger than five minutes is the whole history.
#[test]
fn a_clock_that_is_wrong_at_the_first_thinning_costs_no_history() {
    let (state, shop) = filled(&steady(0, 4 * MINUTE, MINUTE));
    let before = rows(&state, "SELECT COUNT(*) FROM fresh");
    let ahead = 73 * 365 * DAY;
    state
        .record([(&shop, run(ahead, Reason::Connected))])
        .unwrap();
    state.thin_where_due(time(ahead)).unwrap();
    assert_eq!(rows(&state, "SELECT COUNT(*) FROM sample"), before + 1);
    let kept = i64::try_from(state.results(&shop, time(0)).unwrap().len());
    assert_eq!(kept, Ok(before + 1));
}

/// A machine without a clock of its own begins in 1970, until a time server has told it.
#[test]
fn a_clock_that_was_behind_at_first_is_caught_up_with_at_once() {
    let begun = -50 * 365 * DAY;
    let (state, shop) = filled(&steady(begun, begun + 3 * MINUTE, MINUTE));
    for minute in 0..20 {
        let right = run(minute * MINUTE, Reason::Connected);
        state.record([(&shop, right)]).unwrap();
        state.thin_where_due(time(minute * MINUTE)).unwrap();
    }
    let clock = rows(&state, "SELECT since FROM kept WHERE span = -1");
    assert!(clock >= time(10 * MINUTE).as_millisecond(), "{clock}");
}

/// A clock that was set three centuries ahead for an hour, and back.
#[test]
fn a_clock_that_was_wrong_for_a_while_costs_no_history() {
    let (state, shop) = filled(&steady(-40 * DAY, 0, 10 * MINUTE));
    state.thin_where_due(time(10 * MINUTE)).unwrap();
    let buckets = "SELECT COUNT(*) FROM bucket WHERE span = 3600";
    let before = rows(&state, buckets);
    assert!(before > 39 * 24, "{before}");
    let ahead = 300 * 365 * DAY;
    for minute in (0..60).step_by(6) {
        let wrong = run(ahead + minute * MINUTE, Reason::Connected);
        state.record([(&shop, wrong)]).unwrap();
        state
            .thin_where_due(time(ahead + (minute + 6) * MINUTE))
            .unwrap();
    }
    let right = run(2 * HOUR, Reason::Connected);
    state.record([(&shop, right)]).unwrap();
    state.thin_where_due(time(2 * HOUR + 10 * MINUTE)).unwrap();
    assert!(rows(&state, buckets) >= before, "a year of hours is kept");
    // And a long pause is caught up with.
    for day in 1..=400 {
        let after = run(400 * DAY + day, Reason::Connected);
        state.record([(&shop, after)]).unwrap();
        state.thin_where_due(time(400 * DAY + HOUR)).unwrap();
    }
    let oldest = rows(&state, "SELECT MIN(at) FROM bucket WHERE span = 3600");
    assert!(oldest >= time(34 * DAY).as_millisecond(), "{oldest}");
}

#[test]
fn the_size_is_bounded_by_keeping_everything_for_less_time() {
    let (state, shop) = filled(&steady(-5 * DAY, 0, 10));
    state.thin(time(0)).unwrap();
    let singles = rows(&state, "SELECT COUNT(*) FROM sample");
    state.thin_within(time(0), 450_000).unwrap();
    let left = rows(&state, "SELECT COUNT(*) FROM sample");
    assert!(left > 0 && left <= singles / 2, "{left} of {singles}");
    let used = rows(
        &state,
        "SELECT (page_count - freelist_count) * page_size
         FROM pragma_page_count, pragma_freelist_count, pragma_page_size",
    );
    assert!(used <= 450_000, "{used}");
    let availability = past(&state, &shop, time(0)).availability;
    assert!((availability.day.unwrap() - 0.9).abs() < 1e-3);
}

#[test]
fn a_renamed_connection_keeps_its_history_and_a_removed_one_has_none() {
    let (state, shop) = filled(&[run(0, Reason::Connected)]);
    state.thin(time(2 * HOUR)).unwrap();
    state
        .record([(&shop, run(3 * HOUR, Reason::Connected))])
        .unwrap();
    let store = name("store");
    state.rename_connection(&shop, &store).unwrap();
    assert_eq!(state.results(&store, time(0)).unwrap().len(), 2);
    assert_eq!(state.results(&shop, time(0)).unwrap().len(), 0);
    state.remove_connection(&store).unwrap();
    for table in ["sample", "fresh", "bucket", "change", "watched"] {
        let sql = format!("SELECT COUNT(*) FROM {table}");
        assert_eq!(rows(&state, &sql), 0, "{table}");
    }
}

fn exported(state: &StateDb, what: (ExportTable, ExportFormat)) -> String {
    let mut out = Vec::new();
    state
        .export(None, time(0), what, &mut out)
        .unwrap()
        .unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn the_history_is_exported_as_csv_json_and_lines() {
    let state = StateDb::in_memory().unwrap();
    let odd = name("a, \"b\"");
    let runs = [
        run(0, Reason::Connected),
        RunRecord {
            us: None,
            status: 0,
            ..run(60, Reason::Refused)
        },
    ];
    state.record(runs.iter().map(|run| (&odd, *run))).unwrap();
    let at = time(0).to_string().replace('Z', ".000Z");
    let csv = exported(&state, (ExportTable::Runs, ExportFormat::Csv));
    let lines: Vec<_> = csv.split("\r\n").collect();
    assert_eq!(lines[0], "connection,at,state,reason,status,ms,planned");
    assert_eq!(
        lines[1],
        format!("\"a, \"\"b\"\"\",{at},ok,connected,200,1.5,0")
    );
    assert!(lines[2].ends_with(",down,refused,0,,0"), "{}", lines[2]);
    let json = exported(&state, (ExportTable::Events, ExportFormat::Json));
    let json: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json[0]["lasted_s"], 60.0);
    assert_eq!(json[1]["lasted_s"], Value::Null);
    state.thin(time(HOUR)).unwrap();
    let lines = exported(&state, (ExportTable::Summaries, ExportFormat::Ndjson));
    let lines: Vec<Value> = lines
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(
        (lines.len(), &lines[0]["works"], &lines[0]["p95_ms"]),
        (2, &Value::from(1), &Value::from(1.5))
    );
    state.remove_connection(&odd).unwrap();
    let empty = exported(&state, (ExportTable::Runs, ExportFormat::Json));
    assert_eq!(
        serde_json::from_str::<Value>(&empty).unwrap(),
        Value::Array(vec![])
    );
}

#[test]
fn a_database_of_the_first_version_keeps_its_results() {
    let folder = tempfile::tempdir().unwrap();
    drop(StateDb::open(folder.path()).unwrap());
    let path = folder.path().join("history.sqlite");
    let old = rusqlite::Connection::open(&path).unwrap();
    old.execute_batch(
        "DROP VIEW run; DROP VIEW event; DROP VIEW summary;
         DROP TABLE reason; DROP TABLE sample; DROP TABLE fresh; DROP TABLE bucket; DROP TABLE change;
         DROP TABLE kept; DROP TABLE renewal; DROP TABLE recognised; DROP TABLE renewed_aside;
         PRAGMA user_version = 1;
         CREATE TABLE result (watched INTEGER NOT NULL, at INTEGER NOT NULL, state TEXT NOT NULL,
             reason TEXT NOT NULL, us INTEGER, PRIMARY KEY (watched, at)) WITHOUT ROWID;
         INSERT INTO watched (id, name, state, reason, since) VALUES (7, 'shop', 'warn', 'tls-expiring', 5);
         INSERT INTO result VALUES (7, 5, 'warn', 'tls-expiring', 9);",
    )
    .unwrap();
    drop(old);
    let state = StateDb::open(folder.path()).unwrap();
    let runs = state.results(&name("shop"), Timestamp::UNIX_EPOCH).unwrap();
    assert_eq!(
        (runs.len(), runs[0].reason, runs[0].us),
        (1, Reason::TlsExpiring, Some(9))
    );
    let works = rows(
        &state,
        "SELECT works FROM reason WHERE reason = 'tls-expiring'",
    );
    assert_eq!(works, 1);
}

/// The documented way in, by the command that people have.
#[test]
fn the_sqlite3_command_reads_the_history() {
    let folder = tempfile::tempdir().unwrap();
    let state = StateDb::open(folder.path()).unwrap();
    let shop = name("shop");
    let runs = [run(0, Reason::Connected), run(60, Reason::Refused)];
    state.record(runs.iter().map(|run| (&shop, *run))).unwrap();
    let output = Command::new("sqlite3")
        .arg(folder.path().join("history.sqlite"))
        .arg("SELECT connection, state, reason, status, ms FROM run; SELECT reason, lasted_s FROM event;")
        .arg(".schema bucket")
        .output();
    let Ok(output) = output else {
        assert!(option_env!("CI").is_none(), "sqlite3 is not installed");
        return;
    };
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(
        text.starts_with(
            "shop|ok|connected|200|1.5\nshop|down|refused|200|1.5\nconnected|60.0\nrefused|\n"
        ),
        "{text} {:?}",
        output.stderr
    );
    assert!(text.contains("kept for 30 days"), "{text}");
}

#[test]
fn readers_do_not_wait_for_the_writer() {
    let folder = tempfile::tempdir().unwrap();
    let state = StateDb::open(folder.path()).unwrap();
    let shop = name("shop");
    state.record([(&shop, run(0, Reason::Connected))]).unwrap();
    state
        .write(|transaction| {
            transaction.execute("DELETE FROM fresh", []).unwrap();
            // In the middle of a change, in the same thread: waiting would never end.
            assert_eq!(state.results(&shop, time(0)).unwrap().len(), 1);
            Ok(())
        })
        .unwrap();
    assert_eq!(state.results(&shop, time(0)).unwrap().len(), 0);
}

/// Not a test of its own: the program that [`killing_a_hundred_times_loses_nothing_committed`] kills.
#[test]
#[ignore = "run by another test"]
fn records_until_it_is_killed() {
    let folder = fs::read_link("/proc/self/cwd").unwrap();
    let state = StateDb::open(&folder.join("state")).unwrap();
    let (shop, other) = (name("shop"), name("other"));
    for second in state.results(&shop, time(0)).unwrap().len().. {
        let second = i64::try_from(second).unwrap();
        let (one, two) = (run(second, Reason::Connected), run(second, Reason::Refused));
        state.record([(&shop, one), (&other, two)]).unwrap();
        fs::write(folder.join("said"), (second + 1).to_string()).unwrap();
        if second % 5 == 0 {
            state.thin(time(second)).unwrap();
        }
    }
}

#[test]
fn killing_a_hundred_times_loses_nothing_committed() {
    let folder = tempfile::tempdir().unwrap();
    let said = || {
        let text = fs::read_to_string(folder.path().join("said"));
        text.ok().and_then(|text| text.parse::<usize>().ok())
    };
    for round in 0..100 {
        let before = said().unwrap_or(0);
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args([
                "--ignored",
                "--exact",
                "store::history::tests::records_until_it_is_killed",
            ])
            .current_dir(folder.path())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        while said().is_none_or(|said| said < before + 1 + round % 4) {
            assert!(child.try_wait().unwrap().is_none(), "it ended by itself");
            thread::yield_now();
        }
        child.kill().unwrap();
        child.wait().unwrap();
        let state = StateDb::open(&folder.path().join("state")).unwrap();
        let said = said().unwrap_or(before);
        for name in [name("shop"), name("other")] {
            let found = state.results(&name, time(0)).unwrap().len();
            assert!(found >= said, "{found} of {said} in round {round}");
        }
        state.verify().unwrap();
    }
}
