//! Files of older programs are read and kept; those of newer ones are refused, and not touched.

use std::fs;
use std::path::PathBuf;

use rusqlite::Connection;

use crate::support::pty::{Home, Terminal};
use crate::{User, assert_told, set_mode};

/// The first version of the state, with a little of everything in it.
const FIRST: &str = "
    CREATE TABLE installation (key BLOB NOT NULL);
    CREATE TABLE budget (
        host TEXT NOT NULL, port INTEGER NOT NULL, record TEXT NOT NULL, PRIMARY KEY (host, port)
    ) WITHOUT ROWID;
    CREATE TABLE origin (
        connection TEXT NOT NULL, part TEXT NOT NULL, reference TEXT NOT NULL, origin TEXT NOT NULL,
        PRIMARY KEY (connection, part)
    ) WITHOUT ROWID;
    CREATE TABLE past (
        connection TEXT NOT NULL, url TEXT NOT NULL, record TEXT NOT NULL, PRIMARY KEY (connection, url)
    ) WITHOUT ROWID;
    CREATE TABLE watched (
        id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, state TEXT NOT NULL, reason TEXT NOT NULL,
        since INTEGER NOT NULL
    );
    CREATE TABLE result (
        watched INTEGER NOT NULL, at INTEGER NOT NULL, state TEXT NOT NULL, reason TEXT NOT NULL, us INTEGER,
        PRIMARY KEY (watched, at)
    ) WITHOUT ROWID;
    INSERT INTO installation VALUES (zeroblob(32));
    INSERT INTO watched VALUES (1, 'shop', 'down', 'refused', 1700000000000);
    PRAGMA user_version = 1;
";

fn state(user: &User) -> PathBuf {
    user.path().join(".local/state/switchboard/history.sqlite")
}

fn count(user: &User, table: &str) -> i64 {
    let database = Connection::open(state(user)).unwrap();
    let sql = format!("SELECT count(*) FROM {table}");
    database.query_row(&sql, [], |row| row.get(0)).unwrap()
}

fn version(user: &User) -> i64 {
    let database = Connection::open(state(user)).unwrap();
    database
        .query_row("PRAGMA user_version", [], |row| row.get(0))
        .unwrap()
}

/// Every file of the state, but for what only readers leave beside it.
fn bytes(user: &User) -> Vec<u8> {
    fs::read(state(user)).unwrap()
}

fn replace_state(user: &User, sql: &str) {
    let folder = state(user).parent().unwrap().to_owned();
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    set_mode(&folder, 0o700);
    Connection::open(state(user))
        .unwrap()
        .execute_batch(sql)
        .unwrap();
    set_mode(&state(user), 0o600);
}

#[test]
fn the_first_state_is_brought_up_with_what_it_held() {
    let user = User::new();
    replace_state(&user, FIRST);
    let database = Connection::open(state(&user)).unwrap();
    let now = jiff::Timestamp::now().as_millisecond();
    for at in 0..50 {
        let row = rusqlite::params![now - 60_000 * at];
        let sql = "INSERT INTO result VALUES (1, ?1, 'down', 'refused', 1500)";
        database.execute(sql, row).unwrap();
    }
    let host = user.stand.url.trim_start_matches("http://").to_owned();
    let (host, port) = host.split_once(':').unwrap();
    let port = port.trim_end_matches('/');
    let until = jiff::Timestamp::now() + jiff::SignedDuration::from_mins(14);
    let record = format!(
        r#"{{"attempts":[],"paused":{{}},"all_paused":{{"until":"{until}","doublings":0}},"retry_after":null,"next_number":7}}"#
    );
    let sql = "INSERT INTO budget VALUES (?1, ?2, ?3)";
    database
        .execute(sql, rusqlite::params![host, port, record])
        .unwrap();
    drop(database);

    let runs = user.run(&["history", "shop", "--rows", "runs", "--format", "json"]);
    assert_eq!(runs.json().as_array().unwrap().len(), 50, "{runs:?}");
    // A pause that an older program wrote down still holds.
    let done = user.run(&["probe", "shop", "--format", "json"]);
    assert_eq!(done.json()["reason"], "auth-paused", "{done:?}");
    assert_eq!(user.keys_sent(), 0);
    assert!(version(&user) >= 3);
    assert_eq!(count(&user, "renewal"), 0);
}

#[test]
fn doctor_finds_a_journal_that_can_t_be_read() {
    let user = User::new();
    assert_eq!(user.run(&["probe", "shop"]).code, 0);
    let sql = "INSERT INTO renewal (origin, token, record) VALUES ('https://a', 'SU-1', '{')";
    let database = Connection::open(state(&user)).unwrap();
    database.execute(sql, []).unwrap();
    drop(database);
    let done = user.run(&["doctor", "--strict"]);
    assert_eq!(done.code, 1, "{done:?}");
    assert!(done.out.contains("state: "), "{done:?}");
}

#[test]
fn the_second_state_is_brought_up() {
    let user = User::new();
    assert_eq!(user.run(&["probe", "shop"]).code, 0);
    let database = Connection::open(state(&user)).unwrap();
    let back = "DROP VIEW run; DROP VIEW summary; CREATE VIEW run AS SELECT 1; CREATE VIEW summary AS SELECT 1;
        ALTER TABLE sample DROP COLUMN planned; ALTER TABLE fresh DROP COLUMN planned;
        ALTER TABLE bucket DROP COLUMN planned; DROP TABLE renewal; DROP TABLE recognised; DROP TABLE renewed_aside; PRAGMA user_version = 2;";
    database.execute_batch(back).unwrap();
    drop(database);
    let accepted = count(&user, "past");
    assert_eq!(user.run(&["probe", "shop"]).code, 0);
    assert!(version(&user) >= 3);
    assert_eq!(count(&user, "past"), accepted);
}

#[test]
fn a_newer_state_is_refused_and_left_as_it_is() {
    let user = User::new();
    replace_state(
        &user,
        "CREATE TABLE tomorrow (a); PRAGMA user_version = 99;",
    );
    let before = bytes(&user);
    assert_told(
        &user.run(&["history"]),
        &["history.sqlite", "version 99", "update switchboard"],
    );
    // Watching needs no past; but it says what it does without.
    let watched = user.run(&["watch", "--plain", "--for", "1s"]);
    assert!(watched.err.contains("update switchboard"), "{watched:?}");
    let verdict = user.run(&["probe", "shop", "--format", "json"]);
    assert_eq!(verdict.code, 3, "{verdict:?}");
    assert!(verdict.out.contains("update switchboard"), "{verdict:?}");
    assert_eq!(user.keys_sent(), 0, "no key without a budget");
    let found = user.run(&["doctor", "--strict"]);
    assert_eq!(found.code, 1, "{found:?}");
    assert!(found.out.contains("update switchboard"), "{found:?}");
    assert_eq!(bytes(&user), before);
}

#[test]
fn a_state_that_is_no_database_is_refused_and_left_as_it_is() {
    let user = User::new();
    replace_state(&user, FIRST);
    for text in [
        &b"not a database at all, but long enough to be looked at as one"[..],
        &[0; 4096],
    ] {
        fs::write(state(&user), text).unwrap();
        let verdict = user.run(&["probe", "shop", "--format", "json"]);
        assert_eq!(verdict.code, 3, "{verdict:?}");
        assert!(verdict.out.contains("is damaged"), "{verdict:?}");
        assert_told(&user.run(&["history"]), &["history.sqlite", "damaged"]);
        assert_eq!(bytes(&user), text);
    }
    assert_eq!(user.keys_sent(), 0);
}

#[test]
fn a_newer_configuration_is_refused_by_every_command_and_left_as_it_is() {
    let user = User::new();
    let newer = "version = 2\n\n[[link]]\nid = \"shop\"\n";
    for (text, word) in [
        (newer, "update switchboard"),
        ("version = 0\n", "version"),
        ("", "empty"),
        ("[[connection]]\nname = \"a\"\n", "version"),
        ("version = 1\nversion = 1\n", "line 2"),
        ("version = 1\n\u{0}", "line 2"),
    ] {
        fs::write(user.configuration(), text).unwrap();
        for command in [
            &["connection", "list"][..],
            &[
                "connection",
                "add",
                "b",
                "--service",
                "http",
                "--url",
                "http://a.example",
            ],
            &["connection", "edit", "shop", "--note", "x"],
            &["connection", "remove", "shop", "--yes"],
            &["probe", "shop"],
            &["probe", "--all"],
            &["watch", "--for", "1s"],
            &["secret", "where"],
            &["token", "reveal", "shop"],
        ] {
            let done = user.run(command);
            assert_told(&done, &["switchboard.toml"]);
            assert!(done.err.contains(word), "{text:?} {command:?}: {done:?}");
            assert_eq!(fs::read_to_string(user.configuration()).unwrap(), text);
        }
    }
}

#[test]
fn the_screen_over_a_newer_configuration_says_so_and_changes_nothing() {
    let home = Home::new();
    let folder = home.path().join(".config/switchboard");
    fs::create_dir_all(&folder).unwrap();
    set_mode(&folder, 0o700);
    let file = folder.join("switchboard.toml");
    fs::write(&file, "version = 2\n").unwrap();
    set_mode(&file, 0o600);
    let mut terminal = Terminal::start(home.command(&[]), 100, 30);
    terminal.wait_for("update switchboard");
    terminal.type_keys("n\x13q");
    assert_eq!(terminal.ended().exit_code(), 0);
    terminal.last_screen();
    terminal.assert_restored();
    assert_eq!(fs::read_to_string(&file).unwrap(), "version = 2\n");
}

/// A vault whose inside is of a newer version, and one that is no vault.
#[test]
fn a_vault_that_cannot_be_read_is_left_as_it_is() {
    let user = User::new();
    fs::write(user.path().join("pass"), "correct horse\n").unwrap();
    set_mode(&user.path().join("pass"), 0o600);
    let set = "echo 00000000000000000000000000000001 | \"$0\" --passphrase-file pass secret set shop --store vault --key-stdin";
    assert_eq!(user.shell(set).code, 0);
    let folder = user.path().join(".local/share/switchboard");
    for name in ["vault.age", "identity.age"] {
        let path = folder.join(name);
        let good = fs::read(&path).unwrap();
        let half = good[..good.len() / 2].to_vec();
        for bad in [Vec::new(), b"age-encryption.org/v2\n".to_vec(), half] {
            fs::write(&path, &bad).unwrap();
            assert_told(&user.shell(set), &[name]);
            assert_told(
                &user.shell("\"$0\" --passphrase-file pass token reveal shop"),
                &[name],
            );
            assert_eq!(fs::read(&path).unwrap(), bad, "{name}");
        }
        fs::write(&path, &good).unwrap();
    }
    let shown = user.shell("\"$0\" --passphrase-file pass token reveal shop");
    assert_eq!(shown.out, "00000000000000000000000000000001", "{shown:?}");
}
