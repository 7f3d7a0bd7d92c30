//! Two programs at once: neither loses what the other wrote.

use std::process::Command;

use crate::support::commands::{BINARY, begin, switchboard};
use crate::support::pty::{Home, Terminal};
use crate::{SOON, User};

#[test]
fn twenty_programs_add_and_every_connection_is_there() {
    let home = tempfile::tempdir().unwrap();
    let children: Vec<_> = (0..20)
        .map(|at| {
            let mut command = Command::new(BINARY);
            let name = format!("c{at}");
            command.args(["connection", "add", &name, "--service", "http"]);
            command.args(["--url", "http://127.0.0.1:9"]);
            begin(&mut command, home.path(), &[])
        })
        .collect();
    for child in children {
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{output:?}");
    }
    let listed = switchboard(home.path(), &["connection", "list"], &[], "");
    assert_eq!(listed.out.lines().count(), 20, "{listed:?}");
}

#[test]
fn different_fields_of_one_connection_are_both_kept() {
    let home = tempfile::tempdir().unwrap();
    let add = [
        "connection",
        "add",
        "shop",
        "--service",
        "http",
        "--url",
        "http://127.0.0.1:9",
    ];
    assert_eq!(switchboard(home.path(), &add, &[], "").code, 0);
    for round in 0..10 {
        let text = format!("n{round}");
        let edits = [
            ["--note", &text],
            ["--username", &text],
            ["--tag", &text],
            ["--cms-url", "http://127.0.0.1:8"],
        ];
        let children = edits.map(|edit| {
            let mut command = Command::new(BINARY);
            command.args(["connection", "edit", "shop"]).args(edit);
            begin(&mut command, home.path(), &[])
        });
        for child in children {
            let output = child.wait_with_output().unwrap();
            assert!(output.status.success(), "{output:?}");
        }
        let show = ["connection", "show", "shop", "--format", "json"];
        let shown = switchboard(home.path(), &show, &[], "").json();
        assert_eq!(shown["note"], text.as_str(), "{shown:#}");
        assert_eq!(shown["username"], text.as_str(), "{shown:#}");
        assert_eq!(shown["tags"][0], text.as_str(), "{shown:#}");
    }
}

/// The form is open while another program changes another field of the same connection: both are kept.
#[test]
fn a_form_saves_what_was_changed_in_it_and_keeps_what_was_changed_meanwhile() {
    let home = Home::new();
    let add = [
        "connection",
        "add",
        "shop",
        "--service",
        "http",
        "--url",
        "http://127.0.0.1:9",
    ];
    assert_eq!(switchboard(home.path(), &add, &[], "").code, 0);
    let mut terminal = Terminal::start(home.command(&[]), 100, 30);
    terminal.wait_for("shop");
    terminal.type_keys("e");
    terminal.wait_for("▸");
    terminal.type_keys("\x1b[A\x1b[A\x1b[A\x1b[A/path");
    terminal.wait_for("127.0.0.1:9/path");
    let edit = ["connection", "edit", "shop", "--note", "by the other"];
    assert_eq!(switchboard(home.path(), &edit, &[], "").code, 0);
    save(&mut terminal);
    terminal.type_keys("q");
    assert_eq!(terminal.ended().exit_code(), 0);
    let show = ["connection", "show", "shop", "--format", "json"];
    let shown = switchboard(home.path(), &show, &[], "").json();
    assert_eq!(shown["note"], "by the other", "{shown:#}");
    assert_eq!(shown["url"], "http://127.0.0.1:9/path", "{shown:#}");
}

/// The same field, the connection itself, its name: whoever types is told before they save, nothing typed is lost,
/// and nothing of the other's is written over unseen.
#[test]
fn a_draft_is_told_what_another_program_did_to_its_connection() {
    let home = Home::new();
    let done = |arguments: &[&str]| {
        let done = switchboard(home.path(), arguments, &[], "");
        assert_eq!(done.code, 0, "{done:?}");
        done
    };
    let url = ["--service", "http", "--url", "http://127.0.0.1:9"];
    done(&[&["connection", "add", "shop"], &url[..]].concat());
    let mut terminal = Terminal::start(home.command(&[]), 100, 30);
    terminal.wait_for("shop");
    let mut typed = "http://127.0.0.1:9".to_owned();
    let theirs = [
        "connection",
        "edit",
        "shop",
        "--url",
        "http://127.0.0.1:9/b",
    ];
    let removed = ["connection", "remove", "shop", "--yes"];
    let renamed = ["connection", "rename", "shop", "other"];
    for (part, theirs, told) in [
        (
            "/one",
            &theirs[..],
            "another copy of the program has changed URL of shop, too: yours stands here, saving asks",
        ),
        (
            "/two",
            &removed,
            "shop was removed or renamed; saving the draft makes it anew",
        ),
        (
            "/three",
            &renamed,
            "shop was removed or renamed; saving the draft makes it anew",
        ),
    ] {
        terminal.type_keys("e");
        terminal.wait_for("editing");
        terminal.type_keys("\x1b[A\x1b[A\x1b[A\x1b[A");
        terminal.type_keys(part);
        typed.push_str(part);
        terminal.wait_for(&format!("▸URL       {typed} "));
        done(theirs);
        terminal.wait_for(told);
        terminal.wait_for(&typed);
        save(&mut terminal);
        let show = ["connection", "show", "shop", "--format", "json"];
        assert_eq!(done(&show).json()["url"], typed.as_str());
    }
    let show = ["connection", "show", "other", "--format", "json"];
    let other = done(&show).json();
    assert_eq!(other["url"], "http://127.0.0.1:9/one/two", "{other:#}");
    terminal.type_keys("q");
    assert_eq!(terminal.ended().exit_code(), 0);
}

/// Saves what stands in the form, though its test did not end well.
fn save(terminal: &mut Terminal) {
    terminal.type_keys("\x13");
    let questions = [
        "Another copy of the",
        "It was not tested",
        "did not end well",
    ];
    let mut answered = Vec::new();
    loop {
        let asked = |screen: &str| {
            let mut open = questions.iter().filter(|asked| screen.contains(**asked));
            open.find(|asked| !answered.contains(*asked)).copied()
        };
        let screen = terminal.wait_until("an answer", |screen| {
            screen.contains("is saved") || asked(screen).is_some()
        });
        let Some(question) = asked(&screen) else {
            return;
        };
        answered.push(question);
        terminal.says_yes_to(question);
    }
}

/// One is killed while it holds the lock: the next one goes on.
#[test]
fn a_killed_program_leaves_no_lock_behind() {
    let home = tempfile::tempdir().unwrap();
    for round in 0..20 {
        let mut command = Command::new(BINARY);
        let name = format!("c{round}");
        command.args(["connection", "add", &name, "--service", "http"]);
        command.args(["--url", "http://127.0.0.1:9"]);
        let mut child = begin(&mut command, home.path(), &[]);
        if round % 2 == 0 {
            child.kill().unwrap();
        }
        let status = child.wait().unwrap();
        assert!(round % 2 == 0 || status.success(), "{status:?}");
    }
    let listed = switchboard(home.path(), &["connection", "list"], &[], "");
    assert!(listed.out.lines().count() >= 10, "{listed:?}");
}

/// The program that made the file of the state shares it like any other: one that comes and goes takes nothing of
/// it away.
#[test]
fn what_the_first_program_writes_is_seen_by_all_that_come_later() {
    let user = User::new();
    user.add_open();
    let done = user.shell(&format!(
        "{SOON}
rm -rf .local/state/switchboard
count() {{ \"$0\" history open --rows runs --format ndjson | wc -l; }}
more() {{ [ $(count) -gt $seen ]; }}
\"$0\" watch open --plain --interval 1s >told & watch=$!
trap 'kill -9 $watch 2>/dev/null' EXIT
soon grep -q open told
for seen in 0 1 2; do soon more; done
seen=$(count); kill -9 $watch; wait $watch
[ $(count) -ge $seen ] && echo all there"
    ));
    assert_eq!((done.code, done.out.trim()), (0, "all there"), "{done:?}");
}
