//! One probe of one connection: what is gathered before the ladder is climbed, and what is remembered of it.

use std::time::Duration;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::{SignedDuration, Timestamp};

use super::cms::is_file;
use super::core::Inner;
use super::error::WorkError;
use super::gate;
use super::local::local_error;
use super::{profile, second};
use crate::domain::verdict::whole_seconds;
use crate::domain::{
    AddressFamily, Connection, Endpoint, HostPort, KeyFingerprint, Name, Reason, Secret, ServiceId,
    SshHost, Verdict, error_chain,
};
use crate::probe::Profile;
use crate::service::{Accepted, Ladder, LastGood, Past, SecretState, Service, Subject, Trigger};
use crate::store::files::PrivateFolder;
use crate::store::state::{PastRecord, PlaceFingerprint, SeenCertificate};
use crate::store::{StateDb, StateProblem};

/// Unsaved URLs that are remembered within one session.
const MOST_RECENT: usize = 256;

/// What is to be probed, with its secrets.
pub(super) struct ProbeJob {
    pub(super) connection: Connection,
    pub(super) known: RememberedAs,
    pub(super) key: SecretState,
    pub(super) token: SecretState,
    pub(super) trigger: Trigger,
    /// Whether only the shared token is checked.
    pub(super) token_only: bool,
    /// For the whole probe; the connection's own, else that of the settings, where absent.
    pub(super) timeout: Option<Duration>,
    /// From which other machine, if any.
    pub(super) via: Option<SshHost>,
}

/// Under which name earlier probes are remembered.
pub(super) enum RememberedAs {
    /// The connection's own.
    Saved,
    /// That of the saved connection which is being edited.
    Edited(Name),
    /// None.
    Nothing,
}

/// Everything that the climb needs.
pub(super) struct Prepared {
    pub(super) service: Service,
    pub(super) subject: Subject,
    pub(super) profile: Arc<Profile>,
    /// Whether only the shared token is checked (`token verify`).
    pub(super) token_only: bool,
    /// Where the sockets of the way through another machine are; goes with the climb.
    pub(super) folder: Option<PrivateFolder>,
    /// What was remembered of a saved connection before the climb.
    pub(super) known: Option<Box<Remembered>>,
    /// Where nobody has recognised the service yet, and it is asked for ahead of a key.
    pub(super) unrecognised: Option<PlaceFingerprint>,
}

/// What was remembered of a saved connection, and whose key is at hand now.
#[derive(Clone, Debug, Default)]
pub(super) struct Remembered {
    record: PastRecord,
    pair: Option<KeyFingerprint>,
}

/// What a climb found out, beside its verdict.
#[derive(Debug, Default)]
pub(super) struct ProbeFindings {
    /// Username and key as they were sent: a pasted pair is split.
    pub(super) pair: Option<(String, Secret)>,
    pub(super) service_seen: bool,
    /// Whether it answered through its fallback alone, `/index.php`.
    pub(super) through_index: bool,
    pub(super) accepted: Option<Accepted>,
    pub(super) last_good: Option<LastGood>,
}

impl ProbeFindings {
    /// Whether the service is at the very URL, without its fallback.
    pub(super) fn is_there(&self) -> bool {
        self.service_seen && !self.through_index
    }

    /// Whether something else answers at the URL by now.
    fn is_gone(&self, verdict: &Verdict) -> bool {
        let is_gone = matches!(verdict.reason, Reason::NotTheService | Reason::NotFound);
        is_gone && !self.service_seen
    }

    /// Whether a run found nothing that is not in `known` already: most runs of a watch.
    pub(super) fn is_known(&self, known: Option<&Remembered>, verdict: &Verdict) -> bool {
        !self.is_gone(verdict)
            && known.is_some_and(|Remembered { record, pair }| {
                let mut learnt = record.clone();
                learn(&mut learnt, pair.clone(), verdict, self);
                pair.is_some() == self.pair.is_some() && learnt == *record
            })
    }
}

impl ProbeJob {
    /// The verdict where this machine could not even begin.
    pub(super) fn broken(&self, why: &str) -> Verdict {
        let Connection { service, url, .. } = &self.connection;
        local_error(self.name(), service, url, why)
    }

    /// The name of the saved connection, where it is one.
    fn name(&self) -> Option<&Name> {
        match self.known {
            RememberedAs::Saved => Some(&self.connection.name),
            RememberedAs::Edited(_) | RememberedAs::Nothing => None,
        }
    }

    /// A name that has no address of the one family that was asked for may well have others.
    pub(super) fn add_family(&self, verdict: &mut Verdict) {
        let family = self.connection.family;
        if verdict.reason == Reason::DnsNotFound && family != AddressFamily::Any {
            let line = format!("only {} addresses were looked for", family.word());
            verdict.evidence.push(line);
        }
    }

    /// Whether its preparation reads files of the user's, which may lie anywhere.
    pub(super) fn reads_files(&self) -> bool {
        let Connection {
            ca_file,
            client_cert,
            client_key,
            cms,
            ..
        } = &self.connection;
        let files = [ca_file, client_cert, client_key];
        self.via.is_some()
            || files.iter().any(|file| file.is_some())
            || cms.as_deref().is_some_and(is_file)
    }

    /// Reads files and memory. Blocks.
    pub(super) fn prepare(&self, inner: &Inner) -> Result<Prepared, WorkError> {
        let connection = &self.connection;
        let (catalog, cms) = match inner.with_cms(connection.cms.as_deref()) {
            Ok(found) => found,
            Err(problem) if self.token_only => return Err(problem),
            // The rest of the connection is probed all the same; the check of the token says that it can't be.
            Err(_) => (inner.catalog()?, connection.cms.clone()),
        };
        let service = inner.service(&catalog, &connection.service)?;
        let seconds = |timeout: u32| Duration::from_secs(timeout.into());
        let timeout = match self.timeout.or(connection.timeout_s.map(seconds)) {
            Some(timeout) => timeout,
            None => seconds(inner.last_configuration()?.settings.timeout_s),
        };
        let mut profile = profile::read(connection, timeout, &inner.environment)?;
        let folder = match &self.via {
            Some(host) => Some(second::go_through(inner, host, &mut profile)?),
            None => None,
        };
        let endpoint = Endpoint::parse(&connection.url);
        let mut subject = Subject {
            connection: self.name().cloned(),
            service: connection.service.clone(),
            url: connection.url.clone(),
            username: connection.username.clone(),
            key: self.key.clone(),
            token: self.token.clone(),
            cms,
            cms_url: connection.cms_url.clone(),
            company: connection.company.clone(),
            auth: connection.auth,
            // That machine would see the key.
            allow_http: connection.allow_http && self.via.is_none(),
            by_proxy: endpoint.is_ok_and(|endpoint| profile.leaves_by_proxy(endpoint.url())),
            trigger: self.trigger,
            past: Past::default(),
        };
        let known = self.look_back(inner, &service, &mut subject);
        let unrecognised = self.unrecognised(inner, &service, &mut subject);
        if self.via.is_some() || self.token_only {
            // Other addresses and another way are no change; nor is another machine, such as the CMS's.
            subject.past.last_good = None;
        }
        Ok(Prepared {
            service,
            subject,
            profile: Arc::new(profile),
            token_only: self.token_only,
            folder,
            known,
            unrecognised,
        })
    }

    /// The place that is to be asked ahead of the key. Where any probe of this installation has recognised the service
    /// there before, none, and `subject` says so: the answer to the key shows what is there now.
    fn unrecognised(
        &self,
        inner: &Inner,
        service: &Service,
        subject: &mut Subject,
    ) -> Option<PlaceFingerprint> {
        let is_open = matches!(subject.key, SecretState::Present(_))
            && !subject.past.service_seen
            && subject.past.accepted.is_none();
        if !is_open {
            return None;
        }
        let state = inner.state().ok()?;
        let place = self.place(&state)?;
        let (ladder, _) = Ladder::begin(service, subject.clone(), Timestamp::now());
        if !service.bare_is_rejected() || !ladder.asks_ahead_of_key() {
            return None;
        }
        subject.past.service_seen = state.is_recognised(&place).unwrap_or(false);
        (!subject.past.service_seen).then_some(place)
    }

    /// What decides which program answers: service and URL, and the way there. Nothing where another machine asks, or
    /// where the URL is none.
    fn place(&self, state: &StateDb) -> Option<PlaceFingerprint> {
        if self.via.is_some() || self.token_only {
            return None;
        }
        let Connection {
            service,
            url,
            proxy,
            family,
            ..
        } = &self.connection;
        let endpoint = Endpoint::parse(url).ok()?;
        let proxy = proxy.as_deref().unwrap_or_default();
        let parts = [
            service.as_str(),
            endpoint.url().as_str(),
            proxy,
            family.word(),
        ];
        Some(state.place(&parts))
    }

    /// Writes down, for all probes, that the service was recognised at its place, or that something else is there.
    fn remember_place(
        &self,
        state: &StateDb,
        verdict: &Verdict,
        found: &ProbeFindings,
    ) -> Result<(), StateProblem> {
        let Some(place) = self.place(state).filter(|_| found.pair.is_some()) else {
            return Ok(());
        };
        let is_left = found.is_gone(verdict) || found.through_index;
        if found.is_there() && !state.is_recognised(&place)? {
            state.set_recognised(&place, Timestamp::now())?;
        } else if is_left && state.is_recognised(&place)? {
            state.forget_recognised(&place)?;
        }
        Ok(())
    }

    /// Puts into `subject` what earlier probes found out, and gives the record of a saved connection. Without a state
    /// no attempt can be written down, so the key stays here from the start: asked again at each interval, the bare
    /// question would look like an attack.
    fn look_back(
        &self,
        inner: &Inner,
        service: &Service,
        subject: &mut Subject,
    ) -> Option<Box<Remembered>> {
        let state = match inner.state() {
            Ok(state) => Some(state),
            Err(problem) => {
                if matches!(subject.key, SecretState::Present(_)) {
                    subject.key = SecretState::Unrecordable(error_chain(&problem));
                }
                None
            }
        };
        // The ladder splits a pasted pair; a run that is begun and left tells how it would be sent.
        let pair = match (&state, &subject.key) {
            (Some(state), SecretState::Present(_)) => {
                let (ladder, _) = Ladder::begin(service, subject.clone(), Timestamp::now());
                ladder
                    .pair()
                    .map(|(username, key)| state.fingerprint(username, key))
            }
            _ => None,
        };
        let url = &self.connection.url;
        let stored = |name: &Name| {
            let record = state.as_ref().and_then(|state| state.past(name, url).ok());
            record.unwrap_or_default()
        };
        let record = match &self.known {
            RememberedAs::Saved => stored(&self.connection.name),
            RememberedAs::Edited(name) => {
                let recent = inner.recent.get(&self.connection);
                joined(recent, stored(name), pair.as_ref())
            }
            RememberedAs::Nothing => {
                let recent = inner.recent.get(&self.connection);
                joined(recent, PastRecord::default(), pair.as_ref())
            }
        };
        subject.past = record.for_pair(pair.as_ref());
        if let (Some(host), Some(pair), Some(state)) = (host_of(url), &pair, &state) {
            subject.past.paused = gate::paused(state, &host, pair);
        }
        let saved = matches!(self.known, RememberedAs::Saved) && state.is_some();
        saved.then(|| Box::new(Remembered { record, pair }))
    }

    /// Writes down what the probe found out. Blocks.
    pub(super) fn remember(
        &self,
        inner: &Inner,
        verdict: &Verdict,
        found: &ProbeFindings,
    ) -> Result<(), WorkError> {
        let state = inner.state();
        let pair = found.pair.as_ref().zip(state.as_ref().ok());
        let pair = pair.map(|((username, key), state)| state.fingerprint(username, key));
        let of_place = match &state {
            Ok(state) => self.remember_place(state, verdict, found),
            Err(_) => Ok(()),
        };
        if let Err(problem) = of_place {
            tracing::warn!(problem = %error_chain(&problem), "it is not remembered that the service is there");
        }
        match &self.known {
            RememberedAs::Saved => {
                let state = state?;
                let Connection { name, url, .. } = &self.connection;
                state
                    .update_past(name, url, |record| learn(record, pair, verdict, found))
                    .map_err(|problem| WorkError::failed("remembering the probe", problem))
            }
            RememberedAs::Edited(_) | RememberedAs::Nothing => {
                let mut record = inner.recent.get(&self.connection);
                if found.accepted.is_some() {
                    // What is seen now is what saving agrees to.
                    record.identity = None;
                }
                learn(&mut record, pair, verdict, found);
                inner.recent.put(&self.connection, record);
                Ok(())
            }
        }
    }
}

/// Takes into `record` what one probe found out.
fn learn(
    record: &mut PastRecord,
    pair: Option<KeyFingerprint>,
    verdict: &Verdict,
    found: &ProbeFindings,
) {
    record.service_seen |= found.service_seen;
    match (found.accepted.clone(), pair) {
        (Some(how), Some(pair)) => {
            record.accepted = Some((pair, how));
            if record.identity.is_none() {
                record.identity.clone_from(&verdict.identity);
            }
        }
        (None, pair) if verdict.reason == Reason::CredentialsRejected => {
            // How it was accepted before is no guide any more.
            record
                .accepted
                .take_if(|(accepted, _)| Some(&*accepted) == pair.as_ref());
        }
        _ => {}
    }
    let tls = verdict.tls.as_ref();
    if let Some(leaf) = tls.and_then(|facts| facts.chain.first()) {
        record.certificate = Some(SeenCertificate {
            subject: leaf.subject.clone(),
            issuer: leaf.issuer.clone(),
            fingerprint: leaf.fingerprint.clone(),
            ends: whole_seconds(leaf.not_after),
        });
    }
    if let Some(good) = &found.last_good
        && record
            .last_good
            .as_ref()
            .is_none_or(|old| is_worth_writing(old, good))
    {
        record.last_good = Some(good.clone());
    }
}

/// Whether a good run says more than the last one that was written down: each write waits for the disk, and
/// most good runs differ in nothing but their time.
fn is_worth_writing(old: &LastGood, new: &LastGood) -> bool {
    let at_once = LastGood {
        at: new.at.clone(),
        ..old.clone()
    };
    let time = |run: &LastGood| run.at.parse::<Timestamp>().ok();
    let later = time(old)
        .zip(time(new))
        .is_none_or(|(old, new)| new.duration_since(old) >= SignedDuration::from_mins(10));
    at_once != *new || later
}

/// What this session's probes of unsaved URLs found out, so that typing does not repeat the bare call, which
/// a host may count as an attempt.
#[derive(Default)]
pub(super) struct Recent(Mutex<VecDeque<((ServiceId, String), PastRecord)>>);

impl Recent {
    /// What is known of the connection's URL.
    pub(super) fn get(&self, connection: &Connection) -> PastRecord {
        let records = self.records();
        let known = records.iter().find(|(of, _)| *of == key(connection));
        known.map(|(_, record)| record.clone()).unwrap_or_default()
    }

    pub(super) fn put(&self, connection: &Connection, record: PastRecord) {
        let (key, mut records) = (key(connection), self.records());
        records.retain(|(of, _)| *of != key);
        // The oldest goes alone: of a host that is forgotten the bare question is asked once more, which it may
        // count as an attempt.
        if records.len() >= MOST_RECENT {
            records.pop_front();
        }
        records.push_back((key, record));
    }

    fn records(&self) -> MutexGuard<'_, VecDeque<((ServiceId, String), PastRecord)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a form's probes found out is known of the connection that it was saved as: the next one need not ask
/// the bare question again.
pub(super) fn carry_over(recent: PastRecord, saved: &mut PastRecord) {
    saved.service_seen |= recent.service_seen;
    if recent.accepted.is_some() {
        saved.accepted = recent.accepted;
        // The person has seen whose account it is, and that it was another before, and saved all the same.
        saved.identity = recent.identity.or(saved.identity.take());
    }
    saved.last_good = recent.last_good.or(saved.last_good.take());
    saved.certificate = recent.certificate.or(saved.certificate.take());
}

fn key(connection: &Connection) -> (ServiceId, String) {
    (connection.service.clone(), connection.url.clone())
}

/// Joins what the session knows of a URL with what the state knows.
fn joined(recent: PastRecord, stored: PastRecord, pair: Option<&KeyFingerprint>) -> PastRecord {
    // Another pair may well belong to another account: only the stored one is held to it.
    let held_to = is_of_pair(&stored, pair);
    PastRecord {
        service_seen: recent.service_seen || stored.service_seen,
        identity: stored.identity.filter(|_| held_to),
        accepted: if is_of_pair(&recent, pair) {
            recent.accepted
        } else {
            stored.accepted
        },
        last_good: recent.last_good.or(stored.last_good),
        certificate: recent.certificate.or(stored.certificate),
        announced: stored.announced,
        called: stored.called,
    }
}

/// Whether it is this pair that was accepted last.
fn is_of_pair(record: &PastRecord, pair: Option<&KeyFingerprint>) -> bool {
    let accepted = record.accepted.as_ref();
    accepted.is_some_and(|(accepted, _)| Some(accepted) == pair)
}

/// The host and port that a URL's attempts are counted by.
pub(super) fn host_of(url: &str) -> Option<HostPort> {
    let endpoint = Endpoint::parse(url).ok()?;
    Some(HostPort::of(endpoint.url()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_many_urls_the_oldest_alone_is_forgotten() {
        let recent = Recent::default();
        let at = |number: usize| {
            let name = crate::domain::Name::parse("a").unwrap();
            Connection::new(name, ServiceId::blesta(), &format!("https://{number}"))
        };
        let seen = PastRecord {
            service_seen: true,
            ..PastRecord::default()
        };
        for number in 0..=MOST_RECENT {
            recent.put(&at(number), seen.clone());
            recent.put(&at(1), seen.clone());
        }
        assert!(!recent.get(&at(0)).service_seen);
        assert!(recent.get(&at(1)).service_seen);
        assert!(recent.get(&at(2)).service_seen);
        assert_eq!(recent.records().len(), MOST_RECENT);
    }
    use crate::domain::Identity;

    fn account(name: &str) -> Identity {
        Identity {
            id: None,
            name: Some(name.to_owned()),
            host: None,
        }
    }

    #[test]
    fn saving_agrees_to_the_account_that_was_seen() {
        let seen = |accepted: bool| PastRecord {
            accepted: accepted.then(|| (KeyFingerprint("k".to_owned()), Accepted::default())),
            identity: Some(account("new")),
            ..PastRecord::default()
        };
        let saved = || PastRecord {
            identity: Some(account("old")),
            ..PastRecord::default()
        };
        for (accepted, expected) in [(true, "new"), (false, "old")] {
            let mut kept = saved();
            carry_over(seen(accepted), &mut kept);
            assert_eq!(kept.identity, Some(account(expected)));
        }
    }

    fn pair(name: &str) -> KeyFingerprint {
        KeyFingerprint(name.to_owned())
    }

    fn accepted(name: &str) -> PastRecord {
        PastRecord {
            accepted: Some((pair(name), Accepted::default())),
            identity: Some(account("first")),
            ..PastRecord::default()
        }
    }

    #[test]
    fn a_refusal_takes_away_the_acceptance_of_its_own_pair_alone() {
        let mut refused = local_error(None, &ServiceId::http(), "", "");
        refused.reason = Reason::CredentialsRejected;
        for (refused_key, stays) in [("k", false), ("another", true)] {
            let mut record = accepted("k");
            let found = ProbeFindings::default();
            learn(&mut record, Some(pair(refused_key)), &refused, &found);
            assert_eq!(record.accepted.is_some(), stays, "{refused_key}");
        }
    }

    #[test]
    fn an_account_is_pinned_once_until_somebody_agrees_to_another() {
        let mut other = local_error(None, &ServiceId::http(), "", "");
        other.identity = Some(account("second"));
        let found = ProbeFindings {
            accepted: Some(Accepted::default()),
            ..ProbeFindings::default()
        };
        let mut record = accepted("k");
        learn(&mut record, Some(pair("k")), &other, &found);
        assert_eq!(record.identity, Some(account("first")));
        // In the form, another pair may well belong to another account.
        let held_to = |pair: Option<KeyFingerprint>| {
            joined(PastRecord::default(), accepted("k"), pair.as_ref()).identity
        };
        assert_eq!(held_to(Some(pair("k"))), Some(account("first")));
        assert_eq!(held_to(Some(pair("another"))), None);
        assert_eq!(held_to(None), None);
    }

    #[test]
    fn only_a_run_that_found_nothing_new_is_known() {
        let verdict = local_error(None, &ServiceId::http(), "", "");
        let good = |at: &str| LastGood {
            at: at.to_owned(),
            ..LastGood::default()
        };
        let mut known = Remembered {
            record: PastRecord {
                service_seen: true,
                last_good: Some(good("2026-11-26T04:00:00Z")),
                ..PastRecord::default()
            },
            pair: None,
        };
        let found = |at: &str| ProbeFindings {
            last_good: Some(good(at)),
            ..ProbeFindings::default()
        };
        let is_known =
            |known: &Remembered, found: &ProbeFindings| found.is_known(Some(known), &verdict);
        assert!(is_known(&known, &found("2026-11-26T04:09:59Z")));
        let later = found("2026-11-26T04:10:00Z");
        assert!(!is_known(&known, &later), "a sign of life");

        let how = Accepted::default();
        let mut keyed = found("2026-11-26T04:01:00Z");
        keyed.pair = Some(("shop".to_owned(), Secret::new("k")));
        keyed.accepted = Some(how.clone());
        assert!(!is_known(&known, &keyed), "whose key it was is looked up");
        let pair = || KeyFingerprint("k".to_owned());
        known.pair = Some(pair());
        assert!(!is_known(&known, &keyed), "it was never accepted before");
        known.record.accepted = Some((pair(), how));
        assert!(is_known(&known, &keyed));
        known.pair = Some(KeyFingerprint("another".to_owned()));
        assert!(!is_known(&known, &keyed));

        let seen = ProbeFindings {
            service_seen: true,
            ..ProbeFindings::default()
        };
        assert!(!is_known(&Remembered::default(), &seen));
        assert!(!seen.is_known(None, &verdict), "it was never written down");
    }
}
