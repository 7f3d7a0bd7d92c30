//! Machines where something is missing that every machine has: `/proc`, a home, a name for the user, a shell's
//! environment, the system's certificates.

use std::fs;
use std::process::Command;

use crate::support::commands::{BINARY, finish, switchboard};
use crate::support::pty::{Home, Terminal};
use crate::support::skip;
use crate::{User, assert_no_panic, assert_told, mounts_permitted};

#[test]
fn without_proc_everything_works() {
    if !mounts_permitted() {
        return;
    }
    let user = User::new();
    let without = "mount -t tmpfs tmpfs /proc && ls /proc && ";
    for (command, code) in [
        ("probe shop", 0),
        ("connection list", 0),
        ("connection edit shop --note x", 0),
        ("secret where", 0),
        ("doctor", 0),
        ("history --rows runs", 0),
        ("secret lock", 0),
        ("token copy shop", 3),
    ] {
        let done = user.aside(&format!("{without} \"$0\" {command}"));
        assert_eq!(done.code, code, "{command}: {done:?}");
        assert_no_panic(&done);
    }
    let key = format!(
        "{without} echo 0123 | \"$0\" probe --url http://127.0.0.1:9 --username a --key-fd 0"
    );
    let done = user.aside(&key);
    assert_no_panic(&done);
}

#[test]
fn without_proc_the_screen_works() {
    if !mounts_permitted() {
        return;
    }
    let home = Home::new();
    let command =
        home.shell("exec unshare -m sh -c 'mount -t tmpfs tmpfs /proc; exec \"$0\" demo' \"$0\"");
    let mut terminal = Terminal::start(command, 100, 30);
    terminal.wait_for("branch");
    terminal.type_keys("y");
    terminal.type_keys("q");
    assert_eq!(terminal.ended().exit_code(), 0);
    terminal.last_screen();
    terminal.assert_restored();
}

/// A user without a home, and one without a name: a sentence that says what to give instead.
#[test]
fn without_a_home_it_says_what_to_give() {
    let folder = tempfile::tempdir().unwrap();
    std::os::unix::fs::chown(folder.path(), Some(54_321), Some(54_321)).unwrap_or_default();
    let program = folder.path().join("program");
    fs::copy(BINARY, &program).unwrap();
    let nobody = |lines: &str| {
        let mut command = Command::new("/usr/bin/setpriv");
        command.args(["--reuid=54321", "--regid=54321", "--clear-groups"]);
        command.args(["env", "-i", "PATH=/usr/bin:/bin", "/bin/bash", "-c", lines]);
        command.arg(&program);
        finish(command, folder.path(), &[], "")
    };
    if nobody("true").code != 0 {
        skip("another user needs root (`setpriv`)");
        return;
    }
    for command in [
        "connection list",
        "probe shop",
        "doctor",
        "secret where",
        "history",
    ] {
        let done = nobody(&format!("exec \"$0\" {command}"));
        assert_told(&done, &["HOME"]);
        assert!(
            done.err.contains("--config-dir") || done.err.contains("hint:"),
            "{done:?}"
        );
    }
    let given = "--config-dir $PWD/c --state-dir $PWD/s";
    let done = nobody(&format!("exec \"$0\" {given} connection list"));
    assert_eq!(done.code, 0, "{done:?}");
    let done = nobody(&format!(
        "exec \"$0\" {given} probe --url http://127.0.0.1:9"
    ));
    assert_eq!(done.code, 2, "{done:?}");
}

#[test]
fn an_environment_of_nonsense_hurts_nobody() {
    let user = User::new();
    let odd = [
        ("XDG_CONFIG_HOME", "relative/folder"),
        ("XDG_STATE_HOME", ""),
        ("TERM", "\u{1b}[31m"),
        ("COLORFGBG", ";;;;"),
        ("LANG", "xx_YY.NOPE"),
        ("TZ", "../../etc/passwd"),
        ("http_proxy", "not a url \u{1b}]0;x\u{7}"),
        ("SSH_CONNECTION", "\u{9b}31m"),
        ("TMUX", ",,,"),
        ("SSL_CERT_FILE", "/nowhere"),
        ("SWITCHBOARD_PASSPHRASE_FILE", "/nowhere"),
    ];
    for (name, value) in odd {
        for command in [
            &["connection", "list"][..],
            &["probe", "shop", "--format", "json"],
            &["doctor"],
            &["explain", "offline"],
        ] {
            let variables = [("SHOP_KEY", user.blesta.key.as_str()), (name, value)];
            let done = switchboard(user.path(), command, &variables, "");
            assert_no_panic(&done);
            let told = format!("{}{}", done.out, done.err);
            assert!(
                !told.contains('\u{1b}') && !told.contains('\u{9b}'),
                "{name}: {told:?}"
            );
            assert!(done.code <= 3, "{name} {command:?}: {done:?}");
        }
    }
}

/// Names in the environment that are not UTF-8.
#[test]
fn bytes_that_are_no_text_are_told_or_left_alone() {
    let user = User::new();
    for lines in [
        "export ODD=$'\\377\\376'; \"$0\" probe --url http://127.0.0.1:9 --service blesta --username a --key-env ODD",
        "XDG_CONFIG_HOME=$'/tmp/\\377' \"$0\" connection list",
        "\"$0\" --config-dir $'/nowhere/\\377\\033[31m' connection list",
        "\"$0\" connection show $'\\377'",
        "\"$0\" probe --targets $'/nowhere/\\377'",
    ] {
        let done = user.shell(lines);
        assert_no_panic(&done);
        assert!(!done.err.contains('\u{1b}'), "{lines}: {done:?}");
        assert!(done.code <= 3, "{lines}: {done:?}");
    }
}
