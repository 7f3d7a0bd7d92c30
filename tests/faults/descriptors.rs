//! Too few file descriptors, and thousands of doors that are shut.

use std::fs;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::{User, assert_no_panic};

/// How long a working program never takes.
const LIMIT: Duration = Duration::from_secs(120);

fn verdicts(text: &str) -> Vec<Value> {
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[test]
fn thousands_of_refusals_are_told_one_by_one() {
    let user = User::new();
    let targets: String = (0..4_000)
        .map(|at| format!("http://127.0.0.{}:9/{at}\n", 2 + at % 250))
        .collect();
    fs::write(user.path().join("targets"), targets).unwrap();
    let began = Instant::now();
    let done = user.run(&[
        "probe",
        "--targets",
        "targets",
        "--concurrency",
        "1024",
        "--format",
        "ndjson",
    ]);
    assert!(began.elapsed() < LIMIT);
    assert_no_panic(&done);
    assert_eq!(done.code, 2, "{}", done.err);
    let verdicts = verdicts(&done.out);
    assert_eq!(verdicts.len(), 4_000);
    for verdict in &verdicts {
        assert_eq!(verdict["reason"], "refused", "{verdict:#}");
    }
}

/// 64 descriptors and a thousand at once: those that find none are told what to do about it, none is called
/// down for it, and most are judged.
#[test]
fn with_64_descriptors_probing_goes_on() {
    let user = User::new();
    let targets: String = (0..500)
        .map(|at| format!("{}/{at}\n", user.stand.url))
        .collect();
    fs::write(user.path().join("targets"), targets).unwrap();
    for concurrency in [16, 1_024] {
        let began = Instant::now();
        let done = user.shell(&format!(
            "ulimit -n 64; timeout -s KILL 120 \"$0\" probe --targets targets --concurrency {concurrency} --format ndjson"
        ));
        assert!(began.elapsed() < LIMIT, "it hangs");
        assert_no_panic(&done);
        let verdicts = verdicts(&done.out);
        assert_eq!(verdicts.len(), 500, "{}", done.err);
        let local = verdicts.iter().filter(|one| one["reason"] == "local-error");
        for verdict in local.clone() {
            let told = format!("{} {}", verdict["cause"], verdict["remedy"]);
            assert!(told.contains("ulimit -n"), "{told}");
            assert_eq!(verdict["state"], "unknown");
        }
        let judged = verdicts.iter().filter(|one| one["status"] != 0).count();
        assert_eq!(judged + local.count(), 500, "nothing else: {}", done.out);
        assert!(judged >= 16, "{judged}");
        if concurrency == 16 {
            assert_eq!(judged, 500, "16 at once need no more than 64: {}", done.err);
        }
    }
}

#[test]
fn saved_connections_are_probed_with_64_descriptors() {
    let user = User::new();
    let done = user.shell("ulimit -n 64; timeout -s KILL 60 \"$0\" probe shop --format json");
    assert_eq!(
        (done.code, &done.json()["reason"]),
        (0, &"connected".into()),
        "{done:?}"
    );
}

/// So few that nothing works any more: a sentence and exit code 3, never a panic and never a hang.
#[test]
fn with_hardly_any_descriptor_it_says_so() {
    let user = User::new();
    for limit in [3, 4, 5, 6, 8, 10, 12, 14, 16, 20, 24] {
        for command in [
            "connection list",
            "probe shop --format json",
            "doctor",
            "history",
        ] {
            let done = user.shell(&format!(
                "ulimit -n {limit}; exec timeout -s KILL 60 \"$0\" {command}"
            ));
            // Below this even the shell's own program can't be loaded.
            if done.code == 127 || done.err.contains("error while loading") {
                continue;
            }
            assert!([0, 3].contains(&done.code), "{limit} {command}: {done:?}");
            assert_no_panic(&done);
        }
    }
}
