//! The configuration: whatever a file says, it is read or refused in words that may be shown; what was read
//! is written so that it reads the same, and every edit is kept whole or not made at all.
//!
//! An input is the file's text, then, behind a line of `%%`, one edit a line: `add NAME URL`,
//! `rename NAME NAME`, `remove NAME`, `note NAME TEXT`, `set KEY VALUE`, `keys ACTION KEY…`.

#![no_main]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use switchboard::domain::{Connection, Name, ServiceId};
use switchboard::store::configuration::{Document, EditProblem, SettingValue};
use switchboard::store::{Configuration, ConfigurationProblem, Store, transfer};
use tempfile::TempDir;

/// `tests/fuzz/run` takes it away: it lies in the run's own TMPDIR.
static FOLDER: LazyLock<TempDir> = LazyLock::new(|| TempDir::new().expect("a folder"));

fuzz_target!(|input: &str| {
    let (text, edits) = input.split_once("\n%%\n").unwrap_or((input, ""));
    let read = transfer::import(Path::new("other.toml"), text, true);
    let read = match read {
        Ok(import) => import.configuration,
        Err(problem) => return refused(&problem),
    };
    in_memory(&read, edits);
    in_a_file(text, &read, edits);
});

fn refused(problem: &ConfigurationProblem) {
    let words = problem.to_string();
    assert!(!words.chars().any(char::is_control), "{words:?}");
}

/// What was read is written anew, and edited.
fn in_memory(read: &Configuration, edits: &str) {
    let connections: Vec<_> = read.connections.iter().map(|one| (**one).clone()).collect();
    let Ok(store) = Store::in_memory(&connections) else {
        return;
    };
    let written = store.load().expect("what was written can be read");
    assert_eq!(written.connections, read.connections);
    edits.lines().for_each(|line| edited(&store, line));
}

/// The text itself is edited.
fn in_a_file(text: &str, read: &Configuration, edits: &str) {
    let path = FOLDER.path().join("switchboard.toml");
    fs::write(&path, text).expect("a file");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("its mode");
    let store = Store::at(&path);
    match store.load() {
        Ok(loaded) => assert_eq!(loaded.connections, read.connections),
        Err(problem) => panic!("read as a text, not as a file: {problem}"),
    }
    store.unknown_keys().expect("a readable file");
    for line in edits.lines().take(4) {
        edited(&store, line);
    }
}

fn edited(store: &Store, line: &str) {
    let before = store.load().expect("a readable configuration");
    let result = store.edit(|document| change(document, line));
    let after = store.load().expect("an edit leaves what can be read");
    match result {
        Ok(Some(connection)) => assert!(
            after.connections.iter().any(|one| **one == connection),
            "{line:?} is lost: {connection:?} {after:?}"
        ),
        Ok(None) => {}
        Err(problem) => {
            refused(&problem);
            assert_eq!(before, after, "{line:?}");
        }
    }
}

/// Makes the edit of `line`; the connection comes back that must stand in the file now.
fn change(document: &mut Document, line: &str) -> Result<Option<Connection>, EditProblem> {
    let mut words = line.splitn(3, ' ');
    let mut word = || words.next().unwrap_or_default();
    let (verb, first, second) = (word(), word(), word());
    let name = |text: &str| Name::parse(text).map_err(|_| EditProblem::Refused("name".to_owned()));
    match verb {
        "add" => {
            let connection = Connection::new(name(first)?, ServiceId::http(), second);
            document.add(&connection)?;
            Ok(Some(connection))
        }
        "note" => {
            let before = document.connection(&name(first)?)?;
            let after = Connection {
                note: second.to_owned(),
                ..before.clone()
            };
            document.merge(&before, &after)?;
            Ok(Some(after))
        }
        "rename" => {
            document.rename(&name(first)?, &name(second)?)?;
            document.connection(&name(second)?).map(Some)
        }
        "remove" => document.remove(&name(first)?).map(|()| None),
        _ => document.set_setting(first, setting(second)).map(|()| None),
    }
}

fn setting(text: &str) -> SettingValue {
    match text {
        "" => SettingValue::Default,
        "true" | "false" => SettingValue::Flag(text == "true"),
        _ => match text.parse() {
            Ok(number) => SettingValue::Number(number),
            Err(_) => SettingValue::Text(text.to_owned()),
        },
    }
}
