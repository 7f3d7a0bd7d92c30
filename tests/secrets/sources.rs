//! Where a secret comes from: one source gives one, and a question gives the terminal back.

use super::{KEY, Owner, PASSPHRASE};
use crate::support::pty::Terminal;

const ADD: [&str; 9] = [
    "connection",
    "add",
    "second",
    "--service",
    "blesta",
    "--url",
    "http://127.0.0.1:9",
    "--username",
    "rig",
];

#[test]
fn a_passphrase_never_becomes_a_key() {
    let owner = Owner::with_shop("http://127.0.0.1:9");
    let lines = format!("{PASSPHRASE}\n{KEY}\n");
    for sources in [
        &["--key-stdin", "--store", "vault", "--passphrase-fd", "0"][..],
        &["--key-fd", "0", "--store", "vault", "--passphrase-fd", "0"],
        &["--key-fd", "0", "--token-fd", "0", "--store", "vault"],
    ] {
        let refused = owner.run(&[&ADD[..], sources].concat(), &lines);
        assert_eq!(refused.code, 3, "{refused:?}");
        assert!(refused.err.contains("named for two things"), "{refused:?}");
        assert!(!refused.err.contains(PASSPHRASE), "{refused:?}");
    }
    let listed = owner.done(&["connection", "list"], "");
    assert!(!listed.out.contains("second"), "{listed:?}");
}

#[test]
fn ctrl_c_at_a_question_cancels_and_gives_the_terminal_back() {
    let owner = Owner::with_shop("http://127.0.0.1:9");
    for key in ["\x03", "\x1c"] {
        let mut terminal =
            Terminal::start(owner.home.command(&["token", "reveal", "shop"]), 80, 24);
        terminal.wait_for("vault passphrase: ");
        terminal.type_keys("abc");
        terminal.type_keys(key);
        assert_eq!(terminal.ended().exit_code(), 3);
        terminal.wait_until_ended();
        let screen = terminal.screen();
        assert!(screen.contains("cancelled"), "{screen}");
        assert!(!screen.contains("abc"), "{screen}");
        terminal.assert_restored();
    }
    let mut terminal = Terminal::start(owner.home.command(&["token", "reveal", "shop"]), 80, 24);
    terminal.wait_for("vault passphrase: ");
    terminal.type_keys(&format!("x\x7f{PASSPHRASE}\r"));
    terminal.wait_for(KEY);
    assert_eq!(terminal.ended().exit_code(), 0);
    terminal.assert_restored();
}
