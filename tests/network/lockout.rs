//! Nobody is locked out: Apache's own log never shows more requests with a key than the budget allows, however
//! the programs are started, side by side, killed, or left waiting.

use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::support::commands::{BINARY, Done, begin, switchboard};
use crate::support::rig::{Apache, KEY, USER, available, free_port};

/// Keys of the right shape that open nothing.
const WRONG: &str = "ffffffffffffffffffffffffffffffff";

fn arguments<'a>(url: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    let mut arguments = vec![
        "probe",
        "--service",
        "blesta",
        "--format",
        "json",
        "--url",
        url,
    ];
    arguments.extend(["--username", USER, "--key-env", "RIG_KEY"]);
    arguments.extend(more);
    arguments
}

fn probe(home: &Path, url: &str, key: &str, more: &[&str]) -> Done {
    switchboard(home, &arguments(url, more), &[("RIG_KEY", key)], "")
}

fn started(home: &Path, url: &str, key: &str) -> Child {
    let mut command = Command::new(BINARY);
    command.args(arguments(url, &[]));
    begin(&mut command, home, &[("RIG_KEY", key)])
}

fn reason(done: &Done) -> String {
    done.json()["reason"].as_str().unwrap().to_owned()
}

/// What a wrong key is told, by whoever sent it and by whoever did not: nothing else kept it back.
fn assert_denied(reason: &str) {
    let denied = ["credentials-rejected", "auth-paused"].contains(&reason);
    assert!(denied, "{reason}");
}

/// Waits for programs that were started with wrong keys.
fn reasons_of(children: Vec<Child>) -> Vec<String> {
    let ended = children.into_iter().map(|child| {
        let output = child.wait_with_output().unwrap();
        let verdict: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        let reason = verdict["reason"].as_str().unwrap().to_owned();
        assert_denied(&reason);
        reason
    });
    ended.collect()
}

#[test]
fn ten_probes_in_a_row_with_a_wrong_key_send_it_twice() {
    if !available() {
        return;
    }
    let apache = Apache::start(free_port());
    let home = tempfile::tempdir().unwrap();
    let reasons: Vec<_> = (0..10)
        .map(|_| reason(&probe(home.path(), &apache.url("plain"), WRONG, &[])))
        .collect();
    assert_eq!(reasons[0], "credentials-rejected");
    assert!(
        reasons[1..].iter().all(|it| it == "auth-paused"),
        "{reasons:?}"
    );
    let keyed = apache.keyed(2);
    assert_eq!(keyed.len(), 2, "{keyed:#?}");
}

#[test]
fn ten_programs_at_once_with_a_wrong_key_send_it_twice() {
    if !available() {
        return;
    }
    let apache = Apache::start(free_port());
    let home = tempfile::tempdir().unwrap();
    let url = apache.url("plain");
    let children: Vec<_> = (0..10).map(|_| started(home.path(), &url, WRONG)).collect();
    let reasons = reasons_of(children);
    let keyed = apache.keyed(2);
    assert_eq!(keyed.len(), 2, "{reasons:?} {keyed:#?}");
}

#[test]
fn ten_programs_at_once_with_wrong_keys_of_their_own_send_five() {
    if !available() {
        return;
    }
    let apache = Apache::start(free_port());
    let home = tempfile::tempdir().unwrap();
    let url = apache.url("plain");
    let children: Vec<_> = (0..10)
        .map(|number| started(home.path(), &url, &format!("{number:032x}")))
        .collect();
    let reasons = reasons_of(children);
    let keyed = apache.keyed(5);
    assert_eq!(keyed.len(), 5, "{reasons:?} {keyed:#?}");
    // And the right one is held back with them, until somebody resumes it.
    assert_eq!(reason(&probe(home.path(), &url, KEY, &[])), "auth-paused");
}

#[test]
fn ten_saved_connections_with_one_wrong_key_send_it_twice() {
    if !available() {
        return;
    }
    let apache = Apache::start(free_port());
    let home = tempfile::tempdir().unwrap();
    let url = apache.url("plain");
    let run = |arguments: &[&str]| switchboard(home.path(), arguments, &[("RIG_KEY", WRONG)], "");
    for number in 0..10 {
        let name = format!("shop-{number}");
        let add = [
            "connection",
            "add",
            &name,
            "--service",
            "blesta",
            "--url",
            &url,
        ];
        let pair = ["--username", USER, "--key-ref", "env:RIG_KEY"];
        assert_eq!(run(&[&add[..], &pair].concat()).code, 0);
    }
    for _ in 0..2 {
        let done = run(&["probe", "--all", "--format", "json"]);
        for one in done.json().as_array().unwrap() {
            assert_denied(one["reason"].as_str().unwrap());
        }
    }
    let keyed = apache.keyed(2);
    assert_eq!(keyed.len(), 2, "{keyed:#?}");
    // Lifted by command, for one more try each.
    let resumed = run(&["connection", "resume", "shop-0"]);
    assert!(resumed.err.contains("lifted"), "{resumed:?}");
    let again = run(&["connection", "resume", "shop-1"]);
    assert!(
        again.err.contains("was not paused"),
        "one pause for all of them: {again:?}"
    );
}

#[test]
fn killed_between_sending_and_answer_the_key_counts_all_the_same() {
    if !available() {
        return;
    }
    let apache = Apache::start(free_port());
    let home = tempfile::tempdir().unwrap();
    let url = apache.url("slow");
    for number in 1..=2 {
        let mut child = started(home.path(), &url, WRONG);
        let until = Instant::now() + Duration::from_secs(60);
        while apache.slow_ones() < number {
            assert!(Instant::now() < until, "the key never came");
            std::thread::yield_now();
        }
        child.kill().unwrap();
        child.wait().unwrap();
    }
    let reasons: Vec<_> = (0..5)
        .map(|_| reason(&probe(home.path(), &url, WRONG, &[])))
        .collect();
    let keyed = apache.keyed(2);
    assert_eq!(keyed.len(), 2, "{reasons:?} {keyed:#?}");
    assert!(reasons.iter().all(|it| it == "auth-paused"), "{reasons:?}");
}

#[test]
fn a_good_key_is_not_lost_to_a_probe_that_is_ended() {
    if !available() {
        return;
    }
    let apache = Apache::start(free_port());
    let home = tempfile::tempdir().unwrap();
    let url = apache.url("slow");
    let variables = [("RIG_KEY", KEY)];
    let run = |arguments: &[&str]| switchboard(home.path(), arguments, &variables, "");
    let add = ["connection", "add", "shop", "--service", "blesta"];
    let rest = [
        "--url",
        &url,
        "--username",
        USER,
        "--key-ref",
        "env:RIG_KEY",
    ];
    assert_eq!(run(&[&add[..], &rest].concat()).code, 0);
    let ask = ["probe", "shop", "--format", "json"];
    assert_eq!(reason(&run(&ask)), "connected");
    // (The others may be ignored here, as by nohup; then they stay so.)
    for signal in [Signal::TERM; 3] {
        let before = apache.slow_ones();
        let mut command = Command::new(BINARY);
        command.args(ask);
        let mut child = begin(&mut command, home.path(), &variables);
        let until = Instant::now() + Duration::from_secs(60);
        while apache.slow_ones() == before {
            assert!(Instant::now() < until, "the key never came");
            std::thread::yield_now();
        }
        kill_process(Pid::from_child(&child), signal).unwrap();
        let ended = child.wait().unwrap();
        // On a busy machine the answer may have come first.
        let answered = ended.code() == Some(0);
        assert!(
            answered || ended.signal() == Some(signal.as_raw()),
            "{ended:?}"
        );
    }
    let after = run(&ask);
    assert_eq!(reason(&after), "connected", "{after:?}");
}

#[test]
fn a_host_that_answers_later_than_is_waited_for_sees_the_key_twice() {
    if !available() {
        return;
    }
    let apache = Apache::start(free_port());
    let home = tempfile::tempdir().unwrap();
    let url = apache.url("slow");
    let reasons: Vec<_> = (0..10)
        .map(|_| reason(&probe(home.path(), &url, WRONG, &["--timeout", "1s"])))
        .collect();
    assert_eq!(reasons[0], "response-timeout", "{reasons:?}");
    assert_eq!(reasons[9], "auth-paused", "{reasons:?}");
    let keyed = apache.keyed(2);
    assert_eq!(apache.slow_ones(), 2, "{reasons:?} {keyed:#?}");
}

#[test]
fn a_good_key_is_not_lost_to_a_host_that_hangs_now_and_then() {
    if !available() {
        return;
    }
    let apache = Apache::start(free_port());
    let home = tempfile::tempdir().unwrap();
    let url = apache.url("slow");
    let run = |arguments: &[&str]| switchboard(home.path(), arguments, &[("RIG_KEY", KEY)], "");
    let add = [
        "connection",
        "add",
        "shop",
        "--service",
        "blesta",
        "--url",
        &url,
    ];
    let pair = ["--username", USER, "--key-ref", "env:RIG_KEY"];
    assert_eq!(run(&[&add[..], &pair].concat()).code, 0);
    let ask = ["probe", "shop", "--format", "json"];
    assert_eq!(reason(&run(&ask)), "connected");
    assert_eq!(
        run(&["connection", "edit", "shop", "--timeout", "1s"]).code,
        0
    );
    for _ in 0..4 {
        assert_eq!(reason(&run(&ask)), "response-timeout");
    }
    assert_eq!(
        run(&["connection", "edit", "shop", "--timeout", "10s"]).code,
        0
    );
    assert_eq!(reason(&run(&ask)), "connected", "it was never paused");
}
