//! What somebody sends to be taken in: curl commands, `.env` lines, accounts files, bundles, and what a CMS's
//! page of a shared token was copied from. Each is read or refused in words that may be shown; names differ, no
//! value stands anywhere but in its place, and what was read can be written to a configuration and read again.
//!
//! An input is such a text; behind a first byte `B` it is what is inside a bundle, encrypted to the identity of
//! the seed.

#![no_main]

use std::collections::HashSet;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use switchboard::domain::Secret;
use switchboard::domain::text::inert;
use switchboard::service::Catalog;
use switchboard::service::import::{Form, Reading, Unreadable, accounts, curl, dotenv, form_of};
use switchboard::store::vault::bundle::{Bundle, BundleProblem};
use switchboard::store::{Store, Vault, transfer};
use tempfile::TempDir;

/// A secret of fewer characters may stand in a name by chance.
const TELLING: usize = 12;

static CATALOG: LazyLock<Catalog> = LazyLock::new(Catalog::embedded);
/// `tests/fuzz/run` takes it away: it lies in the run's own TMPDIR.
static FOLDER: LazyLock<TempDir> = LazyLock::new(|| TempDir::new().expect("a folder"));
/// Who opens the bundles, as `age-keygen` would write it.
static IDENTITY: LazyLock<(age::x25519::Identity, PathBuf)> = LazyLock::new(|| {
    let identity = age::x25519::Identity::generate();
    let path = FOLDER.path().join("identity");
    let text = age::secrecy::ExposeSecret::expose_secret(&identity.to_string()).to_owned();
    std::fs::write(&path, text).expect("a file");
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o600);
    std::fs::set_permissions(&path, mode).expect("its mode");
    (identity, path)
});

fuzz_target!(|input: &[u8]| {
    if let Some(contents) = input.strip_prefix(b"B") {
        return in_a_bundle(contents);
    }
    let text = String::from_utf8_lossy(input);
    match form_of(&text) {
        Ok(Form::Curl | Form::Dotenv | Form::Accounts | Form::Definitions | Form::Bundle) => {}
        Err(problem) => refused(&problem.to_string()),
    }
    // Whoever imports may say what it is: each reader meets everything.
    read(curl::read(&CATALOG, &text), &text);
    read(dotenv::read(&CATALOG, &text), &text);
    read(accounts::read(&text), &text);
});

fn read(reading: Result<Reading, Unreadable>, text: &str) {
    // As the readers of shells do it.
    let text: String = text.chars().filter(|c| !c.is_control()).collect();
    let reading = match reading {
        Ok(reading) => reading,
        Err(problem) => return refused(&problem.to_string()),
    };
    let mut names = HashSet::new();
    let connections: Vec<_> = reading
        .candidates
        .iter()
        .map(|one| one.connection.clone())
        .collect();
    for candidate in &reading.candidates {
        assert!(
            names.insert(candidate.connection.name.clone()),
            "{:?}",
            candidate.connection.name
        );
        candidate.notes.iter().for_each(|note| refused(note));
        for secret in [&candidate.key, &candidate.token].into_iter().flatten() {
            // What stands twice in the text may be something else, too.
            let told = secret.length() >= TELLING
                && secret.all(|c| c.is_ascii_graphic())
                && text.matches(&*secret.expose()).count() == 1;
            assert!(
                !told || !candidate.notes.iter().any(|note| holds(note, secret)),
                "{:?}",
                candidate.notes
            );
            assert!(
                !told || !holds(&format!("{candidate:?}"), secret),
                "in Debug"
            );
        }
    }
    reading
        .left_out
        .iter()
        .for_each(|sentence| refused(sentence));
    let store = Store::in_memory(&connections).expect("what was read can be written");
    let read = store.load().expect("and read again").connections;
    assert!(read.iter().map(|one| &**one).eq(&connections));
}

/// Whether `secret` stands in `text`.
fn holds(text: &str, secret: &Secret) -> bool {
    text.contains(&*secret.expose())
}

fn refused(words: &str) {
    assert_eq!(inert(words, 10_000), words);
}

fn in_a_bundle(contents: &[u8]) {
    let (identity, path) = &*IDENTITY;
    let recipient = identity.to_public();
    let recipients: [&dyn age::Recipient; 1] = [&recipient];
    let encryptor = age::Encryptor::with_recipients(recipients.into_iter()).expect("one");
    let mut sealed = Vec::new();
    let mut writer = encryptor.wrap_output(&mut sealed).expect("memory");
    writer.write_all(contents).expect("memory");
    writer.finish().expect("memory");
    match Vault::open_bundle_by(path, &sealed) {
        Ok(bundle) => taken_in(&bundle),
        Err(problem) => refused(&problem.to_string()),
    }
    let somebody_else = Vault::at(Path::new("/nowhere")).open_bundle(&sealed);
    assert_eq!(somebody_else, Err(BundleProblem::IdentityNeeded));
}

/// Definitions of a bundle are somebody else's: without trust, nothing in them runs or reads here.
fn taken_in(bundle: &Bundle) {
    match transfer::import(Path::new("bundle"), &bundle.definitions, false) {
        Ok(import) => {
            let sensitive = import.configuration.connections.iter().filter(|one| {
                let references = one.key.iter().chain(&one.token);
                references
                    .chain(one.added.iter().map(|(_, one)| one))
                    .any(|one| {
                        let words = one.to_string();
                        ["cmd:", "file:", "env:"]
                            .iter()
                            .any(|kind| words.starts_with(kind))
                    })
            });
            assert_eq!(sensitive.count(), 0);
            import.sensitive.iter().for_each(|one| refused(&one.what));
        }
        Err(problem) => refused(&problem.to_string()),
    }
}
