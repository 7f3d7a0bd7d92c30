//! The vault's two files: whatever stands in them, they are opened or refused in words that may be shown, and
//! what could not be read is left as it is.
//!
//! The first byte says what the rest is: `i` for `identity.age`, `v` for `vault.age`, `c` for what is inside
//! it, encrypted to the identity of the seed.

#![no_main]

use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::sync::LazyLock;

use libfuzzer_sys::{Corpus, fuzz_target};
use switchboard::domain::Secret;
use switchboard::domain::text::inert;
use switchboard::store::{Vault, VaultProblem};
use tempfile::TempDir;

/// Opens nothing but the seeds.
const PASSPHRASE: &str = "correct horse";
/// Under that passphrase, at the lowest cost.
const IDENTITY: &[u8] = include_bytes!("../seed/identity.age");
const RECIPIENT: &str = include_str!("../seed/recipient");

/// `tests/fuzz/run` takes it away: it lies in the run's own TMPDIR.
static FOLDER: LazyLock<TempDir> = LazyLock::new(|| TempDir::new().expect("a folder"));

fuzz_target!(|input: &[u8]| -> Corpus {
    let Some((kind, rest)) = input.split_first() else {
        return Corpus::Reject;
    };
    let (identity, vault) = match kind {
        b'i' if is_costly(rest) => return Corpus::Reject,
        b'i' => (rest.to_vec(), None),
        b'v' => (IDENTITY.to_vec(), Some(rest.to_vec())),
        _ => (IDENTITY.to_vec(), Some(sealed(rest))),
    };
    let identity_path = put("identity.age", Some(&identity)).expect("it was given");
    let vault_path = put("vault.age", vault.as_deref());
    let vault_now = Vault::at(FOLDER.path());
    match vault_now.unlock(&Secret::new(PASSPHRASE)) {
        Ok(()) => opened(&vault_now),
        Err(problem) => refused(&problem),
    }
    assert_eq!(fs::read(identity_path).expect("still there"), identity);
    if let (Some(path), Some(vault)) = (vault_path, vault)
        && *kind == b'v'
        && vault_now.names().is_err()
    {
        assert_eq!(fs::read(path).expect("still there"), vault);
    }
    Corpus::Keep
});

/// What was opened takes one more entry, and loses none.
fn opened(vault: &Vault) {
    let before = vault.names().expect("it is open");
    for name in &before {
        let entry = vault.get(name).expect("it is open").expect("it is named");
        entry.origin();
    }
    match vault.put("one more", &Secret::new("value"), None) {
        Ok(()) => {
            let after = vault.names().expect("it is open");
            assert!(before.iter().all(|name| after.contains(name)));
            assert!(after.iter().any(|name| name == "one more"));
        }
        Err(problem) => refused(&problem),
    }
}

fn refused(problem: &VaultProblem) {
    let words = problem.to_string();
    assert_eq!(inert(&words, 2_000), words);
}

fn put(name: &str, bytes: Option<&[u8]>) -> Option<PathBuf> {
    let path = FOLDER.path().join(name);
    let Some(bytes) = bytes else {
        let _ = fs::remove_file(path);
        return None;
    };
    fs::write(&path, bytes).expect("a file");
    Some(path)
}

/// scrypt's cost is refused over 2^20; up to there it is what it costs, which is too much here.
fn is_costly(identity: &[u8]) -> bool {
    let text = String::from_utf8_lossy(identity);
    let lines = text.lines().filter(|line| line.contains("scrypt"));
    let mut costs = lines.filter_map(|line| line.split_whitespace().last()?.parse::<u32>().ok());
    costs.any(|cost| (8..=20).contains(&cost))
}

fn sealed(contents: &[u8]) -> Vec<u8> {
    let recipient: age::x25519::Recipient = RECIPIENT.trim().parse().expect("a recipient");
    let recipients: [&dyn age::Recipient; 1] = [&recipient];
    let encryptor = age::Encryptor::with_recipients(recipients.into_iter()).expect("one");
    let mut sealed = Vec::new();
    let mut writer = encryptor.wrap_output(&mut sealed).expect("memory");
    writer.write_all(contents).expect("memory");
    writer.finish().expect("memory");
    sealed
}
