//! Where a secret lives, and what speaks against that place: for `secret where` and `doctor`.

use std::collections::HashMap;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;

use super::{StoreKind, Vault, VaultEntry, VaultProblem};
use crate::domain::{Connection, Name, SecretRef, error_chain};
use crate::store::files::{self, FileProblem, quoted, shown};

/// Where a value lives. Holds no value, and none was read to find out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretLocation {
    /// The kind of place.
    pub kind: StoreKind,
    /// The file that holds it, where it is one.
    pub path: Option<PathBuf>,
    /// That file's permission bits.
    pub mode: Option<u32>,
    /// The git work tree that the file lies in.
    pub git: Option<PathBuf>,
    /// Since when the value is what it is: the vault's entry, or the file's last change.
    pub changed: Option<Timestamp>,
    /// Whether it is in a vault that is locked now: nothing more is known of it.
    pub is_locked: bool,
    /// The connections that use it.
    pub users: Vec<Name>,
    /// What speaks against it, a sentence each with what to do.
    pub findings: Vec<String>,
}

pub(super) fn find(
    vault: &Vault,
    reference: &SecretRef,
    connections: &[Arc<Connection>],
) -> SecretLocation {
    let users = users(reference, connections);
    let mut found = SecretLocation {
        kind: StoreKind::of(reference),
        path: None,
        mode: None,
        git: None,
        changed: None,
        is_locked: false,
        users,
        findings: Vec::new(),
    };
    match reference {
        SecretRef::Vault(name) => {
            found.look_at(&vault.path());
            found.look_at_entry(vault.get(name));
            found.look_at_identity(&vault.identity_path());
        }
        SecretRef::File(path) => {
            found.look_at(path);
            found.changed = modified(path);
            found.judge_plain_file(path);
        }
        SecretRef::Keyring(_) | SecretRef::Env(_) | SecretRef::Cmd(_) | SecretRef::Ask => {}
    }
    if found.users.len() > 1 && !matches!(reference, SecretRef::Ask) {
        let count = found.users.len();
        found.findings.push(format!(
            "{count} connections share it: whoever revokes it stops all of them"
        ));
    }
    found
}

/// The vault's entries while it is open, and the last changes of files; others keep no date.
pub(super) fn dates(vault: &Vault, references: &[SecretRef]) -> HashMap<SecretRef, Timestamp> {
    let entries = vault.dates().unwrap_or_default();
    let date = |reference: &SecretRef| match reference {
        SecretRef::Vault(name) => entries.get(name).copied(),
        SecretRef::File(path) => modified(path),
        SecretRef::Keyring(_) | SecretRef::Env(_) | SecretRef::Cmd(_) | SecretRef::Ask => None,
    };
    let dated = references.iter().map(|one| Some((one.clone(), date(one)?)));
    dated.flatten().collect()
}

impl SecretLocation {
    fn look_at(&mut self, path: &Path) {
        self.path = Some(path.to_owned());
        self.git = files::git_work_tree(path);
        match files::mode(path) {
            Ok(mode) => self.mode = Some(mode),
            Err(FileProblem::Read { source, .. }) if source.kind() == ErrorKind::NotFound => {
                self.findings.push(format!("{} is not there", shown(path)));
            }
            Err(problem) => self.findings.push(error_chain(&problem)),
        }
    }

    fn look_at_entry(&mut self, entry: Result<Option<VaultEntry>, VaultProblem>) {
        match entry {
            Ok(Some(entry)) => self.changed = Some(entry.changed()),
            Ok(None) => self.findings.push(
                "the vault has no such entry: enter the secret again, or correct the reference"
                    .to_owned(),
            ),
            // Where there is none, nothing is locked, and that it is not there is found already.
            Err(VaultProblem::Locked) => self.is_locked = self.mode.is_some(),
            // Damaged, or away: that is the vault's, and told once.
            Err(_) => {}
        }
    }

    /// A value in the open: nobody else may read it, and no repository may carry it away.
    fn judge_plain_file(&mut self, path: &Path) {
        if self.mode.is_some() && !path.is_file() {
            let sentence = "is not a file: no value can be kept there";
            self.findings.push(format!("{} {sentence}", shown(path)));
            return;
        }
        if self.mode.is_some_and(|mode| mode & 0o077 != 0) {
            self.findings.push(format!(
                "others can read it: run `chmod 600 {}`",
                quoted(path)
            ));
        }
        if let Some(git) = &self.git {
            let sentence = "it lies in the git work tree";
            self.findings.push(format!(
                "{sentence} {}: keep it outside, or out of every commit",
                shown(git)
            ));
        }
    }

    /// The vault may lie in git; the identity that opens it is one person's.
    fn look_at_identity(&mut self, path: &Path) {
        if path.is_file() && files::mode(path).is_ok_and(|mode| mode & 0o077 != 0) {
            self.findings.push(format!(
                "others can read your identity: run `chmod 600 {}`",
                quoted(path)
            ));
        }
        if path.exists()
            && let Some(git) = files::git_work_tree(path)
        {
            let tree = shown(&git);
            self.findings.push(format!(
                "{} lies in the git work tree {tree}: keep it outside",
                shown(path)
            ));
        }
    }
}

/// The connections that use `reference`, each once. What is asked for is never shared.
pub(super) fn users(reference: &SecretRef, connections: &[Arc<Connection>]) -> Vec<Name> {
    if matches!(reference, SecretRef::Ask) {
        return Vec::new();
    }
    connections
        .iter()
        .filter(|connection| connection.references().any(|other| other == reference))
        .map(|connection| connection.name.clone())
        .collect()
}

fn modified(path: &Path) -> Option<Timestamp> {
    Timestamp::try_from(fs::metadata(path).ok()?.modified().ok()?).ok()
}
