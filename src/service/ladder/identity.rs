//! After the key was taken: which company or account, which version, and the key's own token.

use jiff::SignedDuration;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

use crate::domain::budget::AttemptEnd;
use crate::domain::text::inert;
use crate::domain::token::Moment;
use crate::domain::{CheckId, Endpoint, Identity, Outcome, Reason, Reply, State};

use super::super::catalog::format::{IdentityText, OwnToken, Scheme};
use super::super::judge::changes::shown;
use super::super::judge::{Finding, clock, recognise, tls};
use super::super::sign::MASK;
use super::super::step::Step;
use super::super::subject::{OwnTokenSeen, Trigger};
use super::key::from_cache;
use super::{Ladder, Main, Stage};

/// How long a scheduled probe takes what was said of the key's own token for what holds.
const OWN_TOKEN_HOLDS: SignedDuration = SignedDuration::from_hours(24);
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.');

impl Ladder {
    /// Reads company or account from the accepted answer, and compares it with what is meant. That of an answer out of a
    /// cache may be another key's: it is shown alone.
    pub(super) fn read_identity(&mut self, main: &Main) {
        let Some(rules) = self.service.text().identity.clone() else {
            return;
        };
        let json = main
            .judged
            .page
            .as_ref()
            .and_then(|page| page.json.as_ref());
        let all = json.map(|json| read(json, &rules)).unwrap_or_default();
        let Some(first) = all.first().cloned() else {
            return;
        };
        let chosen = self.chosen(&all);
        let identity = chosen.clone().unwrap_or(first);
        let line = shown(&identity);
        let is_kept = from_cache(&main.reply).is_some();
        let mut state = State::Ok;
        if is_kept {
            state = State::Unknown;
        } else if chosen.is_none() {
            state = State::Warn;
            let meant = self.subject.company.clone();
            let host = self.endpoint.as_ref().map(Endpoint::host);
            // As what they are compared with.
            let found = if meant.is_some() {
                let named: Vec<String> = all.iter().take(4).map(shown).collect();
                named.join(", ")
            } else {
                hosts(&all)
            };
            self.facts.set("company", found);
            if let ([_], Some(id)) = (all.as_slice(), &identity.id) {
                self.facts.set_word("id", id);
            }
            self.warnings.push(if meant.is_some() {
                Finding::variant(Reason::WrongCompany, "pinned")
            } else {
                Reason::WrongCompany.into()
            });
            self.facts
                .set("expected", meant.or(host).unwrap_or_default());
        }
        if let Some(pinned) = &self.subject.past.identity
            && !is_kept
            && !same(pinned, &identity)
        {
            state = State::Warn;
            self.facts.set("company", &line);
            self.facts.set("expected", shown(pinned));
            self.warnings.push(Reason::IdentityChanged.into());
        }
        self.checks.set(CheckId::Identity, state, line, None);
        self.identity = Some(identity);
    }

    /// The company that is meant: the one named, else the one whose host name is the URL's; where none has
    /// a host name there is nothing to compare.
    fn chosen(&self, all: &[Identity]) -> Option<Identity> {
        if let Some(meant) = &self.subject.company {
            let fits = |text: &Option<String>| {
                text.as_ref()
                    .is_some_and(|text| text.eq_ignore_ascii_case(meant))
            };
            return all
                .iter()
                .find(|one| fits(&one.id) || fits(&one.name) || fits(&one.host))
                .cloned();
        }
        let with_host: Vec<&Identity> = all.iter().filter(|one| one.host.is_some()).collect();
        if with_host.is_empty() {
            return all.first().cloned();
        }
        let endpoint = self.endpoint.as_ref()?;
        with_host
            .into_iter()
            .find(|one| {
                one.host
                    .as_ref()
                    .is_some_and(|host| fits_host(host, endpoint))
            })
            .cloned()
    }

    /// The next call after acceptance: the version, where it has a call of its own and a person looks on.
    pub(super) fn ask_version(&mut self, scheme: Scheme) -> Step {
        let version = self.service.text().version.clone();
        let header = version
            .as_ref()
            .and_then(|version| version.header.clone())
            .and_then(|name| self.header(&name));
        if let Some(value) = header {
            self.version = Some(value);
        }
        let path = version.and_then(|version| version.path);
        // Nothing shows that the key is accepted: it goes along no further.
        if self.is_kept() {
            return self.own_token_unasked();
        }
        match path {
            Some(path) if self.looks_on() => {
                self.ask_further(Stage::Version(scheme), &path, scheme)
            }
            _ => self.after_calls(scheme),
        }
    }

    /// Whether a cache gave the answer that the verdict rests on.
    fn is_kept(&self) -> bool {
        let main = self.main.as_ref();
        main.is_some_and(|main| from_cache(&main.reply).is_some())
    }

    /// Whether a cache answered the key: whatever else is to be said, that it is taken was not seen.
    pub(super) fn is_unproven(&self) -> bool {
        self.pair.is_some() && self.is_kept()
    }

    fn header(&self, name: &str) -> Option<String> {
        let response = clock::response(&self.main.as_ref()?.reply)?;
        response.header(name).map(|value| inert(value, 60))
    }

    /// Whether a person waits for this run: then it may ask more than the least.
    fn looks_on(&self) -> bool {
        matches!(self.subject.trigger, Trigger::Asked | Trigger::Typing)
    }

    fn ask_further(&mut self, stage: Stage, path: &str, scheme: Scheme) -> Step {
        match (self.url(Some(path)), self.authorization(scheme)) {
            (Some(url), Some(with)) => self.ask(stage, CheckId::Identity, url, with),
            _ => self.ask_shared(),
        }
    }

    pub(super) fn after_version(&mut self, reply: Reply, scheme: Scheme) -> Step {
        self.attempt = Some(further_end(&reply));
        let pointer = self
            .service
            .text()
            .version
            .as_ref()
            .map(|version| version.pointer.clone());
        if let (Some(json), Some(pointer)) = (accepted_json(&reply), pointer)
            && let Some(version) = json.pointer(&pointer).and_then(Value::as_str)
        {
            self.version = Some(inert(version, 60));
        }
        self.after_calls(scheme)
    }

    /// After the version: the key's own token, where the service tells about it.
    pub(super) fn after_calls(&mut self, scheme: Scheme) -> Step {
        let own = self.service.text().own_token.clone();
        let username = self.pair.as_ref().map(|pair| pair.username.clone());
        let (Some(own), Some(username)) = (own, username) else {
            return self.ask_shared();
        };
        if self.asks_own_token() {
            let username = utf8_percent_encode(&username, SEGMENT).to_string();
            let path = own.path.replace("{username}", &username);
            return self.ask_further(Stage::OwnToken, &path, scheme);
        }
        self.tell_own_token(&own);
        self.ask_shared()
    }

    /// Whether this run asks for the key's own token: each that a person waits for, and a scheduled one where what
    /// is known is a day old, so that a watch says what a person would be told.
    fn asks_own_token(&self) -> bool {
        let accepted = self.accepted.as_ref();
        let known = accepted.and_then(|accepted| accepted.own_token.as_ref());
        let at = self.main.as_ref().map(|main| main.reply.at);
        let holds = known.zip(at).is_some_and(|(known, at)| {
            let age = at.duration_since(known.at);
            // A clock that was set back makes it no younger.
            !age.is_negative() && age < OWN_TOKEN_HOLDS
        });
        self.looks_on() || (self.subject.trigger == Trigger::Scheduled && !holds)
    }

    /// What the service says of the key's own token; anything but a whole answer is passed over.
    pub(super) fn after_own_token(&mut self, reply: Reply) -> Step {
        self.attempt = Some(further_end(&reply));
        let Some(own) = self.service.text().own_token.clone() else {
            return self.ask_shared();
        };
        if let Some(accepted) = &mut self.accepted {
            let before = accepted.own_token.take();
            let (status, expires) = match accepted_json(&reply) {
                Some(json) => own_token_in(&json, &own),
                // What was known is not over because it could not be asked for today.
                None => before.map_or((None, None), |before| (before.status, before.expires)),
            };
            accepted.own_token = Some(OwnTokenSeen {
                at: reply.at,
                status,
                expires,
            });
        }
        self.tell_own_token(&own);
        self.ask_shared()
    }

    /// No further call is made: what was known of the key's own token holds.
    pub(super) fn own_token_unasked(&mut self) -> Step {
        if let Some(own) = self.service.text().own_token.clone() {
            self.tell_own_token(&own);
        }
        self.ask_shared()
    }

    /// Says what is known of the key's own token.
    fn tell_own_token(&mut self, own: &OwnToken) {
        let past = self.subject.past.accepted.as_ref();
        let accepted = self.accepted.as_ref().or(past);
        let Some(seen) = accepted.and_then(|accepted| accepted.own_token.clone()) else {
            return;
        };
        if let Some(status) = seen.status {
            self.notes.push(format!("the key's own token is {status}"));
            self.facts.set("message", &status);
            if own.inactive.contains(&status.to_lowercase()) {
                self.warnings.push(Reason::KeyInUseInactive.into());
                if !self.is_unproven() {
                    let detail = format!("token {status}");
                    self.checks
                        .set(CheckId::Credentials, State::Warn, detail, None);
                }
            }
        }
        if let Some(expires) = seen.expires {
            let expires = Moment::read(&expires).shown();
            self.notes.push(format!("it expires {expires}"));
        }
    }

    /// Days left, where the certificate's end is a warning.
    pub(super) fn expiring(&self) -> Option<i64> {
        let reply = &self.main.as_ref()?.reply;
        tls::days_left(reply.tls.as_ref(), reply.at).filter(|left| *left <= tls::EXPIRING)
    }
}

/// Status and last moment of the key's own token. Whoever asks with the new secret of a renewed one is not told to renew
/// it: what ends then is the old secret.
fn own_token_in(json: &Value, own: &OwnToken) -> (Option<String>, Option<String>) {
    let text = |pointer: &str| {
        let value = json.pointer(pointer)?.as_str()?;
        Some(inert(value, 60))
    };
    let (status, expires) = (text(&own.status), own.expires.as_deref().and_then(text));
    // The key in use is masked in every reply, by the time that it is read.
    let renewed = own.renewed.as_ref().filter(|renewed| {
        text(&renewed.secret).as_deref() == Some(MASK)
            && status
                .as_ref()
                .is_some_and(|status| status.eq_ignore_ascii_case(&renewed.status))
    });
    match renewed {
        Some(renewed) => (Some("renewed".to_owned()), text(&renewed.expires)),
        None => (status, expires),
    }
}

/// What a further authenticated call says of the key: at most that it is taken. It was, one request before, and a
/// refusal is of this one call.
fn further_end(reply: &Reply) -> AttemptEnd {
    match &reply.outcome {
        Outcome::Answered(response) if (200..300).contains(&response.status) => {
            AttemptEnd::Accepted
        }
        Outcome::Reached | Outcome::Answered(_) | Outcome::Cut(..) | Outcome::Failed(_) => {
            AttemptEnd::Inconclusive
        }
    }
}

fn accepted_json(reply: &Reply) -> Option<Value> {
    match &reply.outcome {
        Outcome::Answered(response) if response.status == 200 => recognise::page(response).json,
        Outcome::Reached | Outcome::Answered(_) | Outcome::Cut(..) | Outcome::Failed(_) => None,
    }
}

/// Every company or account of an answer.
fn read(json: &Value, rules: &IdentityText) -> Vec<Identity> {
    let one = |value: &Value| {
        let text = |pointer: &str| match value.pointer(pointer)? {
            Value::String(text) => Some(inert(text, 100)).filter(|text| !text.is_empty()),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        };
        let identity = Identity {
            id: text(&rules.id),
            name: text(&rules.name),
            host: rules.host.as_deref().and_then(text),
        };
        (identity.id.is_some() || identity.name.is_some()).then_some(identity)
    };
    match json.pointer(&rules.list) {
        Some(Value::Array(values)) => values.iter().take(500).filter_map(one).collect(),
        Some(value @ Value::Object(_)) => one(value).into_iter().collect(),
        _ => Vec::new(),
    }
}

/// Whether a company's host name is the URL's: without regard to case, port, `www.` and a dot at the end.
/// `localhost` and this machine's addresses are one.
fn fits_host(host: &str, endpoint: &Endpoint) -> bool {
    let host = host.trim();
    let host = host.split_once("://").map_or(host, |(_, rest)| rest);
    let host = host.split('/').next().unwrap_or(host);
    let Ok(named) = Endpoint::parse(&format!("https://{host}")) else {
        return false;
    };
    let plain = |endpoint: &Endpoint| {
        let host = endpoint.host();
        let host = host.trim_end_matches('.');
        host.strip_prefix("www.").unwrap_or(host).to_owned()
    };
    plain(&named) == plain(endpoint) || (named.is_loopback() && endpoint.is_loopback())
}

fn same(pinned: &Identity, now: &Identity) -> bool {
    match (&pinned.id, &now.id) {
        (Some(pinned), Some(now)) => pinned == now,
        _ => pinned.name == now.name,
    }
}

/// The host names of companies, a few of them.
fn hosts(all: &[Identity]) -> String {
    let hosts: Vec<&str> = all
        .iter()
        .take(4)
        .filter_map(|one| one.host.as_deref().or(one.name.as_deref()))
        .collect();
    hosts.join(", ")
}
