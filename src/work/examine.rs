//! `doctor`: everything that speaks against how secrets and files lie on this machine.
//!
//! Nothing is changed. What can't be looked at, such as the age of values in a locked vault, is said and is
//! no finding.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::path::{Path, PathBuf};

use jiff::{SignedDuration, Timestamp};

use super::core::{Core, Inner};
use super::error::WorkError;
use super::moving::LocatedSecret;
use crate::domain::endpoint::{redacted, secret_parameter};
use crate::domain::text::{inert, shell_word};
use crate::domain::token::Unfinished;
use crate::domain::verdict::whole_seconds;
use crate::domain::{Connection, Endpoint, Secret, SecretRef, error_chain, shape};
use crate::store::configuration::holds_user_info;
use crate::store::examination::OwnFolders;
use crate::store::files::shown;
use crate::store::state::RenewalRecord;
use crate::store::vault::VaultState;
use crate::store::{StateDb, StoreKind, VaultProblem, files};

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

/// The secrets that connections use.
#[derive(Default)]
struct InUse {
    /// The values that cost nothing to read.
    values: Vec<Secret>,
    /// The places of the others: nobody can tell what lies there.
    unread: Vec<String>,
}

impl Core {
    /// Looks at files, folders, configuration, state and secrets. Values that are at hand are read to look
    /// for them in plain text; no program is run and no keyring asked for that.
    pub async fn examine(&self) -> Examination {
        let mut examination = Examination::default();
        let kept = match self.secret_locations().await {
            Ok(kept) => kept,
            Err(problem) => {
                examination.find("configuration", error_chain(&problem));
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
        let used = self.values_at_hand(&kept, &mut examination).await;
        let looked = self.blocking(move |inner| {
            let mut looked = examination;
            inner.examine_files(&used.values, &mut looked);
            inner.examine_places(&mut looked);
            if let Some(problem) = journal {
                looked.find_unless_known("state", error_chain(&problem));
            }
            inner.examine_configuration(&mut looked);
            inner.examine_vault(&kept, &used, &mut looked);
            Ok(looked)
        });
        looked.await.unwrap_or_else(|problem: WorkError| {
            let mut failed = Examination::default();
            failed.find("system", error_chain(&problem));
            failed
        })
    }

    /// Says so where the configuration is not there, and was once. One look at its folder.
    pub fn lost_configuration(&self) -> Option<String> {
        self.0.lost_configuration()
    }

    /// The values from variables, files and an open vault; what keeps the others from being read is found. No keyring
    /// is asked for one, which may ask its owner for a passphrase, and no program is run.
    async fn values_at_hand(&self, kept: &[LocatedSecret], examination: &mut Examination) -> InUse {
        let Ok(secrets) = self.secrets().await else {
            let unread = kept.iter().map(|one| one.place.to_string()).collect();
            return InUse {
                unread,
                ..InUse::default()
            };
        };
        let (mut used, mut seen, mut in_keyring) = (InUse::default(), HashSet::new(), 0_usize);
        for one in kept.iter().filter(|one| seen.insert(&one.reference)) {
            let about = inert(&one.reference.to_string(), 120);
            let before = used.values.len();
            let found = secrets.resolve(&one.reference, &one.place);
            match &one.reference {
                SecretRef::Ask => {}
                SecretRef::Keyring(_) => in_keyring += 1,
                SecretRef::Cmd(words) => {
                    if let Some(problem) = secrets.missing_program(words) {
                        examination.find(&about, error_chain(&problem));
                    }
                }
                // What is wrong there is found with its location.
                SecretRef::Vault(_) => used.values.extend(found.await.ok()),
                SecretRef::Env(_) => match found.await {
                    Ok(value) => used.values.push(value),
                    Err(problem) => examination.notes.push(error_chain(&problem)),
                },
                SecretRef::File(path) => match found.await {
                    Ok(value) => used.values.push(value),
                    Err(problem) if path.is_file() => {
                        examination.find(&about, error_chain(&problem));
                    }
                    // That it is none is found with its location.
                    Err(_) => {}
                },
            }
            if used.values.len() == before {
                used.unread.push(format!("{} ({about})", one.place));
            }
        }
        if in_keyring > 0
            && let Err(problem) = secrets.keyring_works().await
        {
            let text = format!("{problem} ({in_keyring} in use are kept there)");
            examination.find("keyring", text);
        }
        used
    }
}

impl InUse {
    /// A place that was not read, of the connection first that the entry `name` is named after.
    fn may_hold(&self, name: &str) -> Option<&String> {
        let own = name
            .rsplit_once('/')
            .map(|(connection, _)| format!("{connection}/"));
        let is_own = |place: &&String| own.as_ref().is_some_and(|own| place.starts_with(own));
        self.unread.iter().find(is_own).or(self.unread.first())
    }
}

/// Findings about each place, once however many connections refer to it, and about old values.
fn judge_secrets(kept: &[LocatedSecret], now: Timestamp, examination: &mut Examination) {
    let mut places: BTreeMap<String, &LocatedSecret> = BTreeMap::new();
    for one in kept {
        places.entry(one.reference.to_string()).or_insert(one);
    }
    for (reference, LocatedSecret { location, .. }) in places {
        let about = inert(&reference, 120);
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
            return;
        }
        let whole = StateDb::open(&folders.state).and_then(|state| state.verify());
        if let Err(problem) = whole {
            examination.find("state", error_chain(&problem));
        }
    }

    /// Whether what is there can be written, and what should be there is.
    fn examine_places(&self, examination: &mut Examination) {
        let Some(folders) = &self.folders else { return };
        if let Some(finding) = files::unwritable_folder(&folders.state) {
            let words = "no key can be sent while attempts can't be written down";
            examination.find("state", format!("{words}: {finding}"));
        }
        let mut needed = self.store.folders();
        needed.push(folders.data.clone());
        let lock = self.store.lock_file();
        // What is mounted to be read is meant so.
        let (meant, needed): (Vec<_>, Vec<_>) = needed
            .into_iter()
            .partition(|folder| files::is_read_only(folder));
        let meant: BTreeSet<_> = meant.iter().map(|folder| shown(folder)).collect();
        examination.notes.extend(meant.iter().map(|folder| {
            format!("whether {folder} can be written: it is mounted to be read only, and nothing is saved there")
        }));
        let lock = lock.filter(|lock| !files::is_read_only(lock));
        let unwritable = needed
            .iter()
            .filter_map(|folder| files::unwritable_folder(folder))
            .chain(lock.and_then(|lock| files::unwritable(&lock)));
        for finding in unwritable.collect::<BTreeSet<_>>() {
            examination.find("files", format!("nothing can be saved: {finding}"));
        }
        if let Some(lost) = self.lost_configuration() {
            examination.find("configuration", lost);
        }
    }

    fn lost_configuration(&self) -> Option<String> {
        let (path, newest) = (self.store.path()?, self.store.lost()?);
        let (path, newest) = (shown(path), shown(&newest));
        Some(format!(
            "{path} is not there, and its last version is {newest}: put one of them there"
        ))
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
            Err(problem) => examination.find("configuration", error_chain(&problem)),
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
        for connection in connections {
            if let Some(found) = misplaced(connection) {
                examination.find("configuration", format!("{} has {found}", connection.name));
            }
        }
    }

    fn examine_vault(&self, kept: &[LocatedSecret], used: &InUse, examination: &mut Examination) {
        let in_vault = kept
            .iter()
            .filter(|one| StoreKind::of(&one.reference) == StoreKind::Vault)
            .count();
        for problem in self.vault.damaged() {
            examination.find("vault", error_chain(&problem));
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
                if let Err(problem) = self.examine_entries(used, examination) {
                    examination.find_unless_known("vault", error_chain(&problem));
                }
            }
        }
    }

    /// Entries that no connection uses. In a team's vault they may be somebody else's; and without the configuration,
    /// or while a renewal is under way, nobody knows which are used.
    fn examine_entries(
        &self,
        used: &InUse,
        examination: &mut Examination,
    ) -> Result<(), VaultProblem> {
        let names = self.vault.names()?;
        if self.vault.recipients()?.len() > 1 {
            return Ok(());
        }
        for name in self.unused(names) {
            let reference = SecretRef::Vault(name.clone()).to_string();
            let quoted = shell_words::quote(&reference);
            let cure = format!("`switchboard secret remove {quoted}` takes it out");
            let is_used = self
                .vault
                .get(&name)?
                .is_some_and(|it| used.values.contains(it.value()));
            let text = if is_used {
                // What a save that was cut short has left: revoking it would lock its owner out.
                format!("no connection uses it, and its value is in use elsewhere too: {cure}")
            } else if let Some(unread) = used.may_hold(&name) {
                format!(
                    "no connection uses it, but its value may be the one of {unread}, which was not read: compare them, \
                     and revoke it where it is issued only if they differ; then {cure}"
                )
            } else {
                format!("no connection uses it: revoke it where it is issued, then {cure}")
            };
            examination.find(inert(&reference, 120), text);
        }
        Ok(())
    }

    /// Those of the vault's entries that nothing refers to, as far as that can be known now.
    pub(super) fn unused(&self, mut names: Vec<String>) -> Vec<String> {
        let (Ok(configuration), None) = (self.configuration(), self.store.lost()) else {
            return Vec::new();
        };
        let Ok(renewals) = self.renewals_under_way() else {
            return Vec::new();
        };
        for connection in &configuration.connections {
            for reference in connection.references() {
                names.retain(|name| !matches!(reference, SecretRef::Vault(used) if used == name));
            }
        }
        for renewal in &renewals {
            let is_first = |name: &String| matches!(&renewal.first, Some(SecretRef::Vault(first)) if first == name);
            names.retain(|name| !is_first(name));
        }
        // The new secret may be put before the journal says where: it is named after a connection that holds the old.
        for holding in renewals.iter().flat_map(|renewal| &renewal.holdings) {
            let place = format!("{}/", holding.connection);
            let is_new = |name: &String| {
                matches!(&holding.new, Some(SecretRef::Vault(new)) if new == name)
                    || name.starts_with(&place)
            };
            names.retain(|name| !is_new(name));
        }
        names
    }

    fn renewals_under_way(&self) -> Result<Vec<RenewalRecord>, WorkError> {
        let Some(folders) = &self.folders else {
            return Ok(Vec::new());
        };
        if !folders.state.join(crate::store::state::FILE).exists() {
            return Ok(Vec::new());
        }
        let renewals = self.state()?.renewals();
        renewals.map_err(|problem| WorkError::failed("reading the journal", problem))
    }
}

/// What somebody wrote into its user name or one of its URLs by hand that does not belong there, and where it does.
fn misplaced(connection: &Connection) -> Option<String> {
    if connection.proxy.as_deref().is_some_and(holds_user_info) {
        let variable = if connection.url.starts_with("http://") {
            "http_proxy"
        } else {
            "HTTPS_PROXY"
        };
        return Some(format!(
            "a user name or password in its proxy's URL: leave them out there, and give the whole URL in {variable}"
        ));
    }
    if shape::username_holds_secret(&connection.username) {
        return Some(
            "what looks like a key as its user name: put the name alone there, keep the key as the key, and change it \
             where it is issued"
                .to_owned(),
        );
    }
    let urls = [Some(&connection.url), connection.cms_url.as_ref()];
    urls.into_iter().flatten().find_map(|url| match secret_parameter(url) {
        Some(name) => Some(format!(
            "a secret in a URL, as its parameter {name}: leave it out, and keep the secret as the key"
        )),
        None => (redacted(url) != *url)
            .then(|| "a user name or password in a URL: move them into its fields".to_owned()),
    })
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
                is_locked: false,
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
        let found = |url: &str, cms_url| misplaced(&connection(url, cms_url)).unwrap_or_default();
        assert_eq!(found(good, Some(good)), "");
        let bad = "https://shop:hunter2@billing.example.com";
        assert!(found(bad, None).starts_with("a user name or password"));
        assert!(found(good, Some(bad)).starts_with("a user name or password"));
        for proxy in [
            "socks5://shop:hunter2@proxy.test:1080",
            "shop:hunter2@proxy.test",
        ] {
            let mut behind = connection(good, None);
            behind.proxy = Some(proxy.to_owned());
            let found = misplaced(&behind).unwrap_or_default();
            assert!(found.contains("proxy's URL"), "{proxy}: {found}");
        }
        let mut named = connection(good, None);
        for (username, expected) in [("SU-1-2:hunter2", true), ("SU-1-2", false)] {
            username.clone_into(&mut named.username);
            let found = misplaced(&named).unwrap_or_default();
            assert_eq!(found.contains("as its user name"), expected, "{found}");
        }
        let parameter = found("https://billing.example.com/?api_key=hunter2hunter2", None);
        assert!(
            parameter.starts_with("a secret in a URL, as its parameter api_key:"),
            "{parameter}"
        );
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
