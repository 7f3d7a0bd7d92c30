//! The places of secrets over the real binary and the real programs behind them: a team's vault by commands,
//! a keyring, `pass`, and what an attacker puts in their way.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::support::commands::{BINARY, Done, begin, finish, switchboard};
use crate::support::pty::{Home, Terminal};
use crate::{KEY, Owner, PASSPHRASE, TOKEN, URL, holds, is_missing, private, set, write_private};

const SET_TOKEN: [&str; 7] = [
    "secret",
    "set",
    "shop",
    "token",
    "--store",
    "vault",
    "--key-stdin",
];

/// Gives `from`'s vault and configuration to `to`, as a pull of the team's repository does.
fn pull(from: &Owner, to: &Owner) {
    fs::create_dir_all(to.config()).unwrap();
    private(&to.config(), 0o700);
    for (there, here) in [
        (from.data().join("vault.age"), to.data().join("vault.age")),
        (from.configuration(), to.configuration()),
    ] {
        fs::copy(there, here).unwrap();
    }
}

#[test]
fn a_team_is_added_to_and_taken_from_by_commands() {
    let owner = Owner::with_shop(URL);
    let second = Owner::new();
    pull(&owner, &second);
    let refused = second.run(&["token", "reveal", "shop"], "");
    assert_eq!(refused.code, 3, "{refused:?}");
    let own = second.done(&["secret", "recipient", "own"], "").out;
    let own = own.trim_end();
    assert_eq!(own, second.identity.to_public().to_string());
    assert!(refused.err.contains(own), "{}", refused.err);

    let add = ["secret", "recipient", "add", own, "--label", "second"];
    owner.done(&add, "");
    let list = owner
        .done(&["secret", "recipient", "list", "--format", "json"], "")
        .json();
    let of = |label: &str| {
        let rows = list.as_array().unwrap();
        rows.iter().find(|row| row["label"] == label).unwrap()["own"].clone()
    };
    assert_eq!((of("second"), of("own")), (false.into(), true.into()));
    pull(&owner, &second);
    assert_eq!(second.done(&["token", "reveal", "shop"], "").out, KEY);
    second.done(&SET_TOKEN, TOKEN);
    pull(&second, &owner);
    let token = owner.done(&["token", "reveal", "shop", "token"], "");
    assert_eq!(token.out, TOKEN);

    let nonsense = owner.run(&["secret", "recipient", "add", "age1nonsense"], "");
    assert_eq!(nonsense.code, 3, "{nonsense:?}");
    let removed = owner.done(&["secret", "recipient", "remove", own], "");
    assert!(
        removed.err.contains("change the secrets inside"),
        "{removed:?}"
    );
    pull(&owner, &second);
    assert_eq!(second.run(&["token", "reveal", "shop"], "").code, 3);
    assert_eq!(owner.done(&["token", "reveal", "shop"], "").out, KEY);
}

#[test]
fn a_newcomer_without_an_identity_gets_one_and_the_old_passphrase_ends_with_the_new() {
    let owner = Owner::with_shop(URL);
    let home = Home::new();
    let newcomer = Owner {
        identity: age::x25519::Identity::generate(),
        home,
    };
    fs::create_dir_all(newcomer.data()).unwrap();
    private(&newcomer.data(), 0o700);
    pull(&owner, &newcomer);
    write_private(&newcomer.path().join("pass"), b"a newcomer's own");
    let blind = switchboard(newcomer.path(), &["secret", "recipient", "own"], &[], "");
    assert_eq!(blind.code, 3);
    assert!(blind.err.contains("--passphrase-file"), "{}", blind.err);
    let own = newcomer.done(&["secret", "recipient", "own"], "").out;
    assert!(own.starts_with("age1"), "{own}");
    let again = newcomer.done(&["secret", "recipient", "own"], "").out;
    assert_eq!(again, own, "it is made once");
    owner.done(&["secret", "recipient", "add", own.trim_end()], "");
    pull(&owner, &newcomer);
    assert_eq!(newcomer.done(&["token", "reveal", "shop"], "").out, KEY);

    let new = newcomer.path().join("new-pass");
    write_private(&new, b"another one");
    let change = [
        "secret",
        "passphrase",
        "--new-passphrase-file",
        new.to_str().unwrap(),
    ];
    let nowhere = newcomer.run(&["secret", "passphrase"], "");
    assert!(nowhere.code == 3 && nowhere.err.contains("--new-passphrase-fd"));
    newcomer.done(&change, "");
    let old = newcomer.run(&["token", "reveal", "shop"], "");
    assert_eq!(old.code, 3);
    assert!(old.err.contains("not the right one"), "{}", old.err);
    fs::rename(&new, newcomer.path().join("pass")).unwrap();
    assert_eq!(newcomer.done(&["token", "reveal", "shop"], "").out, KEY);
}

#[test]
fn the_passphrase_comes_by_descriptor_or_file_and_from_no_file_that_others_read() {
    let owner = Owner::with_shop(URL);
    let reveal = ["token", "reveal", "shop"];
    let nobody = switchboard(owner.path(), &reveal, &[], "");
    assert_eq!(nobody.code, 3);
    for way in [
        "--passphrase-fd N",
        "--passphrase-file",
        "SWITCHBOARD_PASSPHRASE_FILE",
    ] {
        assert!(nobody.err.contains(way), "{}", nobody.err);
    }
    let pass = owner.path().join("pass").display().to_string();
    let by_file = [&reveal[..], &["--passphrase-file", &pass]].concat();
    assert_eq!(switchboard(owner.path(), &by_file, &[], "").out, KEY);
    let mut shell = Command::new("/bin/sh");
    let line = format!("exec \"$0\" token reveal shop --passphrase-fd 7 7<'{pass}'");
    shell.args(["-c", &line, BINARY]);
    assert_eq!(finish(shell, owner.path(), &[], "").out, KEY);
    private(Path::new(&pass), 0o640);
    let open = switchboard(owner.path(), &by_file, &[], "");
    assert_eq!(open.code, 3);
    assert!(open.err.contains("chmod 600"), "{}", open.err);
    private(Path::new(&pass), 0o600);
    let wrong = owner.path().join("wrong").display().to_string();
    write_private(Path::new(&wrong), b"wrong");
    let by_wrong = [&reveal[..], &["--passphrase-file", &wrong]].concat();
    let refused = switchboard(owner.path(), &by_wrong, &[], "");
    assert!(refused.code == 3 && refused.err.contains("not the right one"));
    // What needs no passphrase is judged all the same: whoever watches by cron is told of it.
    let plain = [
        "connection",
        "add",
        "plain",
        "--service",
        "http",
        "--url",
        URL,
    ];
    owner.done(&plain, "");
    let all = [
        "probe",
        "--all",
        "--format",
        "nagios",
        "--passphrase-file",
        &wrong,
    ];
    let judged = switchboard(owner.path(), &all, &[], "");
    assert_eq!(judged.code, 2, "{judged:?}");
    assert!(judged.err.contains("not the right one"), "{judged:?}");
    let lines: Vec<&str> = judged.out.lines().collect();
    assert!(
        lines[0].starts_with("SWITCHBOARD CRITICAL - "),
        "{judged:?}"
    );
    assert!(
        lines[1].contains("shop") && lines[2].contains("plain"),
        "{judged:?}"
    );
    // A damaged one is told apart, and stays as it is.
    let vault = owner.data().join("vault.age");
    let whole = fs::read(&vault).unwrap();
    let damaged = &whole[..whole.len() - 5];
    write_private(&vault, damaged);
    for command in [&reveal[..], &SET_TOKEN] {
        let done = owner.run(command, TOKEN);
        assert_eq!(done.code, 3, "{done:?}");
        assert!(done.err.contains("damaged"), "{}", done.err);
        assert_eq!(fs::read(&vault).unwrap(), damaged);
    }
    let doctor = owner.run(&["doctor", "--strict"], "");
    assert_eq!(doctor.code, 1);
    assert!(doctor.out.contains("vault: "), "{}", doctor.out);
}

#[test]
fn the_screen_takes_a_passphrase_that_was_given_and_asks_after_a_lock() {
    let owner = Owner::with_shop(URL);
    let mut command = owner.home.command(&[]);
    command.env("SWITCHBOARD_PASSPHRASE_FILE", owner.path().join("pass"));
    let mut terminal = Terminal::start(command, 120, 36);
    terminal.wait_for("shop");
    terminal.type_keys("v");
    terminal.wait_until("the key, or a question", |text| {
        text.contains(KEY) || text.contains("Passphrase")
    });
    terminal.wait_for(KEY);
    let limits = fs::read_to_string(format!("/proc/{}/limits", terminal.process())).unwrap();
    let limit = limits
        .lines()
        .find_map(|line| line.strip_prefix("Max core file size"))
        .unwrap();
    let limit: Vec<_> = limit.split_whitespace().take(2).collect();
    assert_eq!(limit, ["0", "0"], "a crash would write the key to disk");
    terminal.type_keys("L");
    terminal.wait_for("locked");
    terminal.type_keys("v");
    let asked = terminal.wait_for("Passphrase");
    assert!(!asked.contains(KEY), "{asked}");
}

#[test]
fn what_others_could_have_put_there_is_not_opened() {
    let owner = Owner::with_shop(URL);
    let reveal = |owner: &Owner| owner.run(&["token", "reveal", "shop"], "");
    private(&owner.data(), 0o770);
    let refused = reveal(&owner);
    assert_eq!(refused.code, 3, "{refused:?}");
    assert!(refused.err.contains("chmod go-w"), "{}", refused.err);
    private(&owner.data(), 0o700);
    assert_eq!(reveal(&owner).out, KEY);
    // A pipe that nobody writes to would be waited for.
    let vault = owner.data().join("vault.age");
    fs::remove_file(&vault).unwrap();
    rustix::fs::mkfifoat(rustix::fs::CWD, &vault, rustix::fs::Mode::RWXU).unwrap();
    let refused = reveal(&owner);
    assert_eq!(refused.code, 3);
    assert!(refused.err.contains("is not a file"), "{}", refused.err);
}

#[test]
fn the_first_save_by_command_says_what_works_here_and_why_the_rest_does_not() {
    let home = Home::new();
    let add = [
        "connection",
        "add",
        "shop",
        "--service",
        "blesta",
        "--url",
        URL,
        "--key-stdin",
    ];
    let nowhere = [("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent/bus")];
    let done = switchboard(home.path(), &add, &nowhere, KEY);
    assert_eq!(done.code, 3, "{done:?}");
    for part in [
        "give --store vault: ",
        "not --store keyring: no Secret Service",
        "--key-ref env:NAME",
    ] {
        assert!(done.err.contains(part), "{part}: {}", done.err);
    }
    assert!(!done.err.contains(KEY) && !done.out.contains(KEY));
    assert!(home.files().is_empty(), "nothing is kept");
}

/// A connection whose key is what `reference` gives.
fn referring(home: &Home, name: &str, reference: &str) {
    let add = [
        "connection",
        "add",
        name,
        "--service",
        "http",
        "--url",
        URL,
        "--key-ref",
        reference,
    ];
    let added = switchboard(home.path(), &add, &[], "");
    assert_eq!(added.code, 0, "{added:?}");
}

#[test]
fn a_program_inherits_no_secret() {
    let home = Home::new();
    let script = home.path().join("tool");
    write_private(&script, b"#!/bin/sh\nenv | sort | tr '\\n' ' '\n");
    private(&script, 0o700);
    referring(&home, "printed", &format!("cmd:{}", script.display()));
    // Named like the program's own, but by a reference too.
    referring(&home, "other", "env:TOOL_SECRET");
    let pass = home.path().join("pass").display().to_string();
    write_private(Path::new(&pass), PASSPHRASE.as_bytes());
    let variables = [
        ("TOOL_SECRET", TOKEN),
        ("TOOL_PROFILE", "a"),
        ("AWS_SECRET_ACCESS_KEY", TOKEN),
        ("GNUPGHOME", "/gnupg"),
        ("SWITCHBOARD_PASSPHRASE_FILE", &pass),
    ];
    let done = switchboard(home.path(), &["token", "reveal", "printed"], &variables, "");
    assert_eq!(done.code, 0, "{done:?}");
    for part in ["GNUPGHOME=/gnupg", "TOOL_PROFILE=a", "HOME="] {
        assert!(done.out.contains(part), "{part}: {}", done.out);
    }
    for part in [TOKEN, "SWITCHBOARD_", "AWS_"] {
        assert!(!done.out.contains(part), "{part}: {}", done.out);
    }
    // What the user names in the settings is handed on.
    set(home.path(), "command_variables = [\"MY_REGION\"]");
    let region = [("MY_REGION", "eu"), ("MY_OTHER", "x")];
    let done = switchboard(home.path(), &["token", "reveal", "printed"], &region, "");
    assert!(
        done.out.contains("MY_REGION=eu") && !done.out.contains("MY_OTHER"),
        "{done:?}"
    );
}

#[test]
fn pass_gives_its_secret_by_a_reference() {
    if is_missing("/usr/bin/pass") || is_missing("/usr/bin/gpg") {
        return;
    }
    let home = Home::new();
    let gnupg = home.path().join(".gnupg");
    fs::create_dir(&gnupg).unwrap();
    private(&gnupg, 0o700);
    let script = "gpg --batch --quiet --pinentry-mode loopback --passphrase '' \
                  --quick-generate-key shop@example.com ed25519 cert never && \
                  gpg --batch --quiet --pinentry-mode loopback --passphrase '' --quick-add-key \
                  $(gpg --list-keys --with-colons | awk -F: '/^fpr/{print $10; exit}') cv25519 encr never && \
                  pass init shop@example.com >/dev/null && \
                  cat | pass insert --multiline shop/key >/dev/null";
    let mut shell = Command::new("/bin/sh");
    shell.args(["-c", script]);
    let made = finish(shell, home.path(), &[], &format!("{KEY}\nurl: https://a\n"));
    assert_eq!(made.code, 0, "{made:?}");
    referring(&home, "shop", "cmd:pass show shop/key");
    let shown = switchboard(home.path(), &["token", "reveal", "shop"], &[], "");
    assert_eq!((shown.code, shown.out.as_str()), (0, KEY), "{shown:?}");
    referring(&home, "none", "cmd:pass show not/there");
    let refused = switchboard(home.path(), &["token", "reveal", "none"], &[], "");
    assert_eq!(refused.code, 3);
    assert!(
        refused.err.contains("not in the password store"),
        "{}",
        refused.err
    );
    let mut stop = Command::new("/usr/bin/gpgconf");
    stop.args(["--kill", "all"]);
    let _ = begin(&mut stop, home.path(), &[]).wait();
}

/// Run inside a session bus of its own, with a keyring that is unlocked.
fn in_session(home: &Path, lines: &str, input: &str) -> Done {
    let script = format!(
        "printf x | gnome-keyring-daemon --unlock --components=secrets >/dev/null 2>&1 || true\n{lines}"
    );
    let mut session = Command::new("/usr/bin/dbus-run-session");
    session.args(["--", "sh", "-ec", &script, BINARY]);
    let runtime = home.display().to_string();
    finish(session, home, &[("XDG_RUNTIME_DIR", &runtime)], input)
}

#[test]
fn two_folders_of_connections_share_a_keyring_and_no_entry() {
    if is_missing("/usr/bin/dbus-run-session") || is_missing("/usr/bin/gnome-keyring-daemon") {
        return;
    }
    let owner = Owner::new();
    let add = format!(
        "connection add shop --service blesta --url {URL} --username rig --key-env KEY --store keyring"
    );
    let lines = format!(
        "KEY=the-first-key; export KEY\n\
         \"$0\" {add}\n\
         KEY=the-second-key\n\
         \"$0\" --config-dir \"$HOME/other\" {add}\n\
         \"$0\" token reveal shop; echo\n\
         \"$0\" --config-dir \"$HOME/other\" token reveal shop"
    );
    let done = in_session(owner.path(), &lines, "");
    assert_eq!(done.code, 0, "{done:?}");
    assert_eq!(done.out.trim(), "the-first-key\nthe-second-key", "{done:?}");
}

#[test]
fn a_real_keyring_keeps_a_key_and_it_moves_to_the_vault_and_back() {
    if is_missing("/usr/bin/dbus-run-session") || is_missing("/usr/bin/gnome-keyring-daemon") {
        return;
    }
    let owner = Owner::new();
    let lines = format!(
        "\"$0\" connection add shop --service blesta --url {URL} --username rig --key-stdin --store keyring\n\
         \"$0\" token reveal shop; echo\n\
         \"$0\" secret where\n\
         \"$0\" secret move shop --store vault --passphrase-file pass\n\
         \"$0\" token reveal shop --passphrase-file pass; echo\n\
         \"$0\" secret move shop --store keyring --passphrase-file pass\n\
         \"$0\" secret where\n\
         \"$0\" token reveal shop"
    );
    let done = in_session(owner.path(), &lines, KEY);
    assert_eq!(done.code, 0, "{done:?}");
    let revealed = done.out.matches(KEY).count();
    assert_eq!(revealed, 3, "{done:?}");
    assert!(done.out.contains("keyring:shop/key"), "{}", done.out);
    assert!(
        owner.vault().names().unwrap().is_empty(),
        "it was taken out of the vault"
    );
    let text = fs::read(owner.configuration()).unwrap();
    assert!(holds(&text, "keyring:shop/key"));
    assert!(!holds(&text, KEY));
}
