//! Standard streams that are closed, full, or whose reader went away.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Stdio};

use crate::support::commands::{BINARY, Done, begin, begin_into};
use crate::{User, assert_no_panic, assert_told};

/// Every command whose output is longer than nothing.
const TELLING: &[&str] = &[
    "connection list",
    "connection list --format json",
    "connection show shop",
    "probe shop",
    "probe shop --format json",
    "probe shop shop --format ndjson",
    "probe shop --format nagios",
    "history --rows runs",
    "explain",
    "explain credentials-rejected",
    "service list",
    "service show blesta",
    "secret where",
    "doctor --format json",
    "token generate",
    "token reveal shop",
    "completions bash",
    "man",
    "--help",
    "--version",
    "sim",
    "watch --plain --interval 1s --for 5s",
];

/// The reader is gone before the first byte: silence, and the code that a pipe's writer is ended with.
#[test]
fn a_reader_that_went_away_is_no_error_to_shout_about() {
    let user = User::new();
    assert_eq!(user.run(&["probe", "shop"]).code, 0);
    let key = [("SHOP_KEY", user.blesta.key.as_str())];
    for command in TELLING {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let mut program = Command::new(BINARY);
        program.args(command.split(' '));
        let mut child = begin_into(&mut program, user.path(), &key, writer.into());
        drop((program, child.stdin.take()));
        let mut err = String::new();
        let mut talk = child.stderr.take().unwrap();
        talk.read_to_string(&mut err).unwrap();
        let status = child.wait().unwrap();
        let code = status
            .signal()
            .map_or(status.code(), |signal| Some(128 + signal));
        let out = String::new();
        let done = Done {
            code: code.unwrap(),
            out,
            err,
        };
        let data_alone = done.err.lines().all(|line| !line.contains("roken pipe"));
        assert!(data_alone, "{command}: {done:?}");
        assert_eq!(done.code, 141, "{command}: {done:?}");
        assert_no_panic(&done);
    }
}

/// `head -1` of something long.
#[test]
fn a_reader_that_leaves_midway_ends_it() {
    let user = User::new();
    let targets = "http://127.0.0.1:9\n".repeat(5_000);
    fs::write(user.path().join("targets"), targets).unwrap();
    let mut command = Command::new(BINARY);
    command.args(["probe", "--targets", "targets", "--format", "ndjson"]);
    let mut child = begin(&mut command, user.path(), &[]);
    let mut lines = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    lines.read_line(&mut line).unwrap();
    assert!(line.contains("\"refused\""), "{line}");
    drop(lines);
    let mut said = String::new();
    child
        .stderr
        .take()
        .unwrap()
        .read_to_string(&mut said)
        .unwrap();
    let status = child.wait().unwrap();
    assert_eq!((status.code(), said.as_str()), (Some(141), ""));
}

/// A full disk behind stdout is told: a script must not take half an answer for one.
#[test]
fn a_full_stdout_is_told() {
    let user = User::new();
    for command in TELLING {
        let done = user.shell(&format!("\"$0\" {command} >/dev/full"));
        assert_eq!(done.code, 3, "{command}: {done:?}");
        assert!(done.err.contains("No space left"), "{command}: {done:?}");
        assert_no_panic(&done);
    }
}

/// By the time a descriptor is read, the program has opened a dozen of its own: a forgotten `4<FILE` waits for none of
/// them, and takes nothing in them for a key.
#[test]
fn a_descriptor_that_nobody_handed_over_is_told() {
    let user = User::new();
    for number in 3..16 {
        for command in [
            format!(
                "probe --url http://127.0.0.1:9 --service blesta --username a --key-fd {number}"
            ),
            format!("secret recipient own --passphrase-fd {number}"),
            format!("secret set shop --key-fd {number}"),
        ] {
            let done = user.shell(&format!("timeout -s KILL 60 \"$0\" {command} {number}<&-"));
            assert_told(
                &done,
                &["nothing was handed over as descriptor", &number.to_string()],
            );
        }
        let key = &user.blesta.key;
        let url = &user.stand.url;
        let sent = format!(
            "\"$0\" probe --url {url} --service blesta --username shop-api --key-fd {number} --format json {number}<<<{key}"
        );
        let done = user.shell(&sent);
        assert_eq!(done.json()["reason"], "connected", "{done:?}");
    }
}

/// What was handed over as a descriptor is for this program alone: a program of a `cmd:` reference could read the
/// passphrase or the key in it again.
#[test]
fn no_program_inherits_a_descriptor_that_was_handed_over() {
    let user = User::new();
    let inherited = user.path().join("inherited");
    let program = user.path().join("program");
    let key = &user.blesta.key;
    fs::write(
        &program,
        format!(
            "#!/bin/sh\ncat /proc/self/fd/7 >'{}' 2>/dev/null\necho {key}\n",
            inherited.display()
        ),
    )
    .unwrap();
    let edited = user.run(&[
        "connection",
        "add",
        "by-program",
        "--service",
        "blesta",
        "--url",
        &user.stand.url,
        "--username",
        "shop-api",
        "--key-ref",
        &format!("cmd:/bin/sh {}", program.display()),
    ]);
    assert_eq!(edited.code, 0, "{edited:?}");
    fs::write(user.path().join("passphrase"), "correct horse\n").unwrap();
    let passphrase = user.path().join("passphrase");
    let probed = user.shell(&format!(
        "\"$0\" probe by-program --format json --passphrase-fd 7 7<'{}'",
        passphrase.display()
    ));
    assert_eq!(probed.json()["reason"], "connected", "{probed:?}");
    assert_eq!(
        fs::read_to_string(&inherited).unwrap(),
        "",
        "it was inherited"
    );
}

/// Closed from the start, each of them and all together: no panic, no hang, nothing written into a file that
/// took the descriptor's number.
#[test]
fn closed_streams_hurt_nobody() {
    let user = User::new();
    let configuration = fs::read(user.configuration()).unwrap();
    for closed in ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"] {
        for command in TELLING {
            if command.starts_with("sim") && closed.contains(">&-") {
                continue; // It runs until a signal, as nobody can leave.
            }
            let by = if command.starts_with("sim") {
                "timeout -s TERM 1 "
            } else {
                "timeout -s KILL 60 "
            };
            let done = user.shell(&format!("{by}\"$0\" {command} {closed}"));
            assert!(
                !done.err.contains("panicked"),
                "{command} {closed}: {done:?}"
            );
            // 124: `timeout` has ended what runs until a signal.
            assert!(
                [0, 3, 124].contains(&done.code),
                "{command} {closed}: {done:?}"
            );
        }
    }
    for command in [
        "secret set shop --store vault --key-stdin",
        "token verify --cms-url http://127.0.0.1:9 --token-stdin",
        "probe --url http://127.0.0.1:9 --service blesta --username a --key-stdin",
        "probe --url http://127.0.0.1:9 --service blesta --username a --key-fd 0",
        "connection remove shop",
        "",
        "demo",
    ] {
        for closed in ["<&-", "</dev/null", "<&- >&- 2>&-"] {
            let done = user.shell(&format!("timeout -s KILL 60 \"$0\" {command} {closed}"));
            assert_eq!(done.code, 3, "{command} {closed}: {done:?}");
            assert_no_panic(&done);
        }
    }
    assert_eq!(fs::read(user.configuration()).unwrap(), configuration);
}

/// A folder as stdin, a socket that is at its end, bytes that are no text: each is told.
#[test]
fn odd_inputs_are_told() {
    let user = User::new();
    let key = "probe --url http://127.0.0.1:9 --service blesta --username a --key-stdin";
    for (lines, word) in [
        (format!("\"$0\" {key} </tmp"), "standard input"),
        (format!("printf '\\377\\376' | \"$0\" {key}"), "utf-8"),
        (
            format!("head -c 100000 /dev/zero | tr '\\0' a | \"$0\" {key}"),
            "too long",
        ),
        (
            format!("\"$0\" {key} --token-stdin </dev/null"),
            "named for two",
        ),
        (
            "\"$0\" probe --url http://127.0.0.1:9 --username a --key-fd 77".to_owned(),
            "descriptor 77",
        ),
        ("\"$0\" probe --targets - </tmp".to_owned(), "directory"),
        (
            "printf '\\377' | \"$0\" probe --targets -".to_owned(),
            "utf-8",
        ),
        ("\"$0\" probe --targets /tmp".to_owned(), "not a file"),
        (
            "\"$0\" probe --targets /nowhere/list".to_owned(),
            "/nowhere/list",
        ),
    ] {
        let done = user.shell(&format!(
            "timeout -s KILL 60 bash -c '{}' \"$0\"",
            lines.replace('\'', "'\\''")
        ));
        assert_eq!(done.code, 3, "{lines}: {done:?}");
        assert!(done.err.to_lowercase().contains(word), "{lines}: {done:?}");
        assert_no_panic(&done);
    }
}

/// A clipboard holder or a `cmd:` child never keeps the caller's pipe open.
#[test]
fn nothing_that_was_started_keeps_the_pipe_open() {
    let user = User::new();
    let mut command = Command::new(BINARY);
    command.args(["token", "copy", "shop"]).stdin(Stdio::null());
    let variables = [("SHOP_KEY", user.blesta.key.as_str()), ("DISPLAY", ":9")];
    let mut child = begin(&mut command, user.path(), &variables);
    let mut out = String::new();
    child
        .stdout
        .take()
        .unwrap()
        .read_to_string(&mut out)
        .unwrap();
    child
        .stderr
        .take()
        .unwrap()
        .read_to_string(&mut out)
        .unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(3), "{out}");
    assert!(!out.contains(&user.blesta.key));
}
