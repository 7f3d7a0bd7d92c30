//! `doctor`: everything that speaks against how secrets and files lie on this machine.
//!
//! Nothing is changed. What can't be looked at, such as the age of values in a locked vault, is said and is
//! no finding.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use jiff::{SignedDuration, Timestamp};

use super::core::{Core, Inner};
use super::error::WorkError;
use super::moving::LocatedSecret;
use super::secrets::references;
use crate::domain::endpoint::redacted;
use crate::domain::text::shell_word;
use crate::domain::token::Unfinished;
use crate::domain::verdict::whole_seconds;
use crate::domain::{Connection, Endpoint, Secret, SecretRef};
use crate::store::examination::OwnFolders;
use crate::store::vault::VaultState;
use crate::store::{Configuration, StateDb, StoreKind, error_chain, files};

/// Older values should have been changed where they are issued.
const YEAR: SignedDuration = SignedDuration::from_hours(365 * 24);

/// Something to mend.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
pub struct Finding {
    /// What it is about: `files`, `histories`, `configuration`, `state`, `vault`, `system`, or a secret's reference.
    pub about: String,
    /// What is wrong, and what to do; one sentence, inert.
    pub text: String,
}

/// What `doctor` found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Examination {
    /// To mend.
    pub findings: Vec<Finding>,
    /// What was not looked at, and why.
    pub notes: Vec<String>,
}

impl Examination {
    /// One more thing to mend, unless something was found about the same already: what has one cause shows in
    /// many places.
    pub fn find_unless_known(&mut self, about: &str, text: impl Into<String>) {
        if !self.findings.iter().any(|known| known.about == about) {
            self.find(about, text);
        }
    }

    /// One more thing to mend.
    pub fn find(&mut self, about: impl Into<String>, text: impl Into<String>) {
        self.findings.push(Finding {
            about: about.into(),
            text: text.into(),
        });
    }
}

impl Core {
    /// Looks at files, folders, configuration, state and secrets. Values that are at hand are read to look
    /// for them in plain text; no program is run and no keyring asked for that.
    pub async fn examine(&self) -> Examination {
        let mut examination = Examination::default();
        let kept = match self.secret_locations().await {
            Ok(kept) => kept,
            Err(problem) => {
                examination.find("configuration", problem.to_string());
                Vec::new()
            }
        };
        judge_secrets(&kept, Timestamp::now(), &mut examination);
        let (unfinished, journal) = match self.unfinished_renewals().await {
            Ok(unfinished) => (unfinished, None),
            Err(problem) => (Vec::new(), Some(problem)),
        };
        for renewal in unfinished {
            let Unfinished {
                id,
                connection,
                since,
                ..
            } = renewal;
            examination.find(
                format!("connection {connection}"),
                format!(
                    "a new secret of {id} was asked for at {} and has not come to its end: `switchboard probe {}` \
                     goes on with it, and says how it stands",
                    whole_seconds(since),
                    shell_word(connection.as_str())
                ),
            );
        }
        let values = self.values_at_hand(&kept).await;
        let looked = self.blocking(move |inner| {
            let mut looked = examination;
            inner.examine_files(&values, &mut looked);
            if let Some(problem) = journal {
                looked.find_unless_known("state", problem.to_string());
            }
            inner.examine_configuration(&mut looked);
            inner.examine_vault(&kept, &mut looked);
            Ok(looked)
        });
        looked.await.unwrap_or_else(|problem: WorkError| {
            let mut failed = Examination::default();
            failed.find("system", problem.to_string());
            failed
        })
    }

    /// The values that cost nothing to read: from variables, files and an open vault.
    async fn values_at_hand(&self, kept: &[LocatedSecret]) -> Vec<Secret> {
        let Ok(secrets) = self.secrets().await else {
            return Vec::new();
        };
        let mut values = Vec::new();
        for LocatedSecret {
            place, reference, ..
        } in kept
        {
            let cheap = match StoreKind::of(reference) {
                StoreKind::Vault | StoreKind::Env | StoreKind::File => true,
                StoreKind::Keyring | StoreKind::Cmd | StoreKind::Ask => false,
            };
            if cheap && let Ok(value) = secrets.resolve(reference, place).await {
                values.push(value);
            }
        }
        values
    }
}

/// Findings about each place, once however many connections refer to it, and about old values.
fn judge_secrets(kept: &[LocatedSecret], now: Timestamp, examination: &mut Examination) {
    let mut places: BTreeMap<String, &LocatedSecret> = BTreeMap::new();
    for one in kept {
        places.entry(one.reference.to_string()).or_insert(one);
    }
    for (reference, LocatedSecret { location, .. }) in places {
        let about = crate::domain::text::inert(&reference, 120);
        for finding in &location.findings {
            examination.find(&about, finding);
        }
        let age = location.changed.map(|since| now.duration_since(since));
        if let Some(age) = age.filter(|age| *age > YEAR) {
            let days = age.as_hours() / 24;
            examination.find(
                &about,
                format!("it is {days} days old: renew it where it is issued"),
            );
        }
    }
}

impl Inner {
    fn examine_files(&self, values: &[Secret], examination: &mut Examination) {
        let Some(folders) = &self.folders else { return };
        let all: [&Path; 3] = [folders.config(), &folders.data, &folders.state];
        let belongings = OwnFolders::below(&all);
        let texts = belongings.plain_texts(values);
        for finding in belongings.modes().into_iter().chain(texts.findings) {
            examination.find("files", finding);
        }
        examination.notes.extend(texts.unread);
        if let Some(home) = &self.environment.home {
            let texts = OwnFolders::histories(home).known_texts(values);
            for finding in texts.findings {
                examination.find("histories", finding);
            }
            examination.notes.extend(texts.unread);
        }
        if !folders.state.join(crate::store::state::FILE).exists() {
            if let Some(finding) = files::unwritable(&folders.state) {
                let words = "no key can be sent while attempts can't be written down";
                examination.find("state", format!("{finding}: {words}"));
            }
            return;
        }
        let whole = StateDb::open(&folders.state).and_then(|state| state.verify());
        if let Err(problem) = whole {
            examination.find("state", error_chain(&problem));
        }
    }

    fn examine_configuration(&self, examination: &mut Examination) {
        match self.store.unknown_keys() {
            Ok(unknown) => unknown.into_iter().for_each(|unknown| {
                examination.find(
                    "configuration",
                    format!("{unknown}: nobody reads it, is it a typing error?"),
                );
            }),
            Err(problem) => examination.find_unless_known("configuration", error_chain(&problem)),
        }
        match self.services_left_out() {
            Ok(left_out) => left_out
                .into_iter()
                .for_each(|why| examination.find("configuration", why)),
            Err(problem) => examination.find("configuration", problem.to_string()),
        }
        let configuration = self.configuration();
        let connections = configuration
            .as_ref()
            .map_or(&[][..], |configuration| &configuration.connections);
        for connection in connections
            .iter()
            .filter(|connection| sends_open(connection))
        {
            let name = &connection.name;
            examination.find(
                "configuration",
                format!("{name} sends its key over plain http: use https"),
            );
        }
        let keys: BTreeSet<PathBuf> = connections.iter().filter_map(|it| client_key(it)).collect();
        for finding in OwnFolders::of(keys).open_to_all() {
            examination.find("files", finding);
        }
        for connection in connections.iter().filter(|it| names_user(it)) {
            let name = &connection.name;
            examination.find(
                "configuration",
                format!("{name} has a user name or password in a URL: move them into its fields"),
            );
        }
    }

    fn examine_vault(&self, kept: &[LocatedSecret], examination: &mut Examination) {
        let in_vault = kept
            .iter()
            .filter(|one| StoreKind::of(&one.reference) == StoreKind::Vault)
            .count();
        for problem in self.vault.damaged() {
            examination.find("vault", problem.to_string());
        }
        match self.vault.state() {
            VaultState::Absent => {}
            VaultState::WithoutIdentity => {
                examination.find("vault", self.vault.without_identity().to_string());
            }
            VaultState::Locked => examination.notes.push(format!(
                "the vault is locked: the age of what is in it ({in_vault} in use) was not looked at, nor whether it stands in a file"
            )),
            VaultState::Unlocked => {
                if let Ok(configuration) = self.configuration() {
                    self.examine_entries(&configuration, examination);
                }
            }
        }
    }

    /// Entries that no connection uses. In a team's vault they may be somebody else's.
    fn examine_entries(&self, configuration: &Configuration, examination: &mut Examination) {
        if self.vault.recipients().is_ok_and(|all| all.len() > 1) {
            return;
        }
        let used: Vec<SecretRef> = configuration
            .connections
            .iter()
            .flat_map(|one| references(one))
            .map(|(reference, _)| reference)
            .collect();
        let names = self.vault.names().unwrap_or_else(|problem| {
            examination.find_unless_known("vault", error_chain(&problem));
            Vec::new()
        });
        for name in names {
            let reference = SecretRef::Vault(name);
            if !used.contains(&reference) {
                let about = crate::domain::text::inert(&reference.to_string(), 120);
                examination.find(about, "no connection uses it: revoke it where it is issued");
            }
        }
    }
}

/// Whether somebody wrote a user name or a password into one of its URLs by hand.
fn names_user(connection: &Connection) -> bool {
    let urls = [Some(&connection.url), connection.cms_url.as_ref()];
    urls.into_iter().flatten().any(|url| redacted(url) != *url)
}

/// The file with the key of its client certificate. (One file may hold both.)
fn client_key(connection: &Connection) -> Option<PathBuf> {
    let file = connection
        .client_key
        .as_ref()
        .or(connection.client_cert.as_ref());
    file.map(|path| path.to_path_buf())
}

/// Whether its key crosses a network in the open.
fn sends_open(connection: &Connection) -> bool {
    let endpoint = Endpoint::parse(&connection.url);
    connection.allow_http
        && connection.key.is_some()
        && endpoint.is_ok_and(|endpoint| endpoint.is_plain() && !endpoint.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Name;
    use crate::store::SecretPlace;
    use crate::store::secrets::SecretLocation;

    fn kept(days: i64, now: Timestamp) -> LocatedSecret {
        let name = Name::parse("shop").unwrap();
        let changed = now
            .checked_sub(SignedDuration::from_hours(24 * days))
            .unwrap();
        LocatedSecret {
            place: SecretPlace::key(&name),
            reference: SecretRef::Vault("shop/key".into()),
            location: SecretLocation {
                kind: StoreKind::Vault,
                path: None,
                mode: None,
                git: None,
                changed: Some(changed),
                users: vec![name],
                findings: vec!["a finding".into()],
            },
        }
    }

    #[test]
    fn a_password_in_a_url_is_found() {
        let connection = |url: &str, cms_url: Option<&str>| Connection {
            cms_url: cms_url.map(str::to_owned),
            ..Connection::new(
                Name::parse("shop").unwrap(),
                crate::domain::ServiceId::blesta(),
                url,
            )
        };
        let good = "https://billing.example.com/a@b";
        assert!(!names_user(&connection(good, Some(good))));
        let bad = "https://shop:hunter2@billing.example.com";
        assert!(names_user(&connection(bad, None)));
        assert!(names_user(&connection(good, Some(bad))));
    }

    #[test]
    fn each_place_is_judged_once_and_old_values_are_named() {
        let now = "2026-11-23T10:00:00Z".parse().unwrap();
        for (days, expected) in [
            (365, vec!["a finding"]),
            (
                366,
                vec![
                    "a finding",
                    "it is 366 days old: renew it where it is issued",
                ],
            ),
        ] {
            let mut examination = Examination::default();
            judge_secrets(&[kept(days, now), kept(days, now)], now, &mut examination);
            let texts: Vec<_> = examination
                .findings
                .iter()
                .map(|f| f.text.as_str())
                .collect();
            assert_eq!(texts, expected);
        }
    }
}
