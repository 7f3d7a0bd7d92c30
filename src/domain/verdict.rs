//! The verdict: reason, state, evidence and remedy. Its JSON is a contract (`schema_version` 1).

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize, Serializer};

use super::check::Checks;
use super::connection::{Name, ServiceId};
use super::reason::{AnsweredBy, Reason, State, Who};
use super::reply::{Address, Phases, TlsFacts};

/// What a probe found. Every text in it is inert; no secret is ever in it.
#[derive(Clone, Debug, PartialEq)]
pub struct Verdict {
    /// The saved connection, where it was one.
    pub connection: Option<Name>,
    /// The service that was meant.
    pub service: ServiceId,
    /// The URL as it was probed.
    pub url: String,
    /// Why it ended as it did.
    pub reason: Reason,
    /// HTTP status; 0 where no HTTP response was received.
    pub status: u16,
    /// The reason's title, or a closer one.
    pub title: String,
    /// One plain sentence.
    pub cause: String,
    /// Who sent the answer.
    pub answered_by: AnsweredBy,
    /// What says so, a line each.
    pub evidence: Vec<String>,
    /// What to do about it.
    pub remedy: Remedy,
    /// All nine rungs.
    pub checks: Checks,
    /// Every address of the name.
    pub addresses: Vec<Address>,
    /// Of the request that the verdict rests on.
    pub phases: Phases,
    /// What TLS showed.
    pub tls: Option<TlsFacts>,
    /// Company or account.
    pub identity: Option<Identity>,
    /// Where the service says it.
    pub service_version: Option<String>,
    /// Redirect targets, none of them followed with credentials.
    pub redirects: Vec<String>,
    /// When sending may go on.
    pub retry_at: Option<Timestamp>,
    /// What differs from the last good run, a line each.
    pub changed_since_last_good: Vec<String>,
    /// When the probe ended, UTC.
    pub at: Timestamp,
}

impl Verdict {
    /// The reason's state.
    pub fn state(&self) -> State {
        self.reason.state()
    }

    /// For how long the host itself asked not to be asked (429, `Retry-After`). The time of a paused key's next
    /// try is none of the host's: until then the way there is watched as ever.
    pub fn quiet_for(&self, now: Timestamp) -> Option<Duration> {
        let by_host = self.status == 429 || (500..600).contains(&self.status);
        let until = self.retry_at.filter(|_| by_host)?;
        let left = Duration::try_from(until.duration_since(now)).ok()?;
        (!left.is_zero()).then_some(left)
    }

    /// Whether the key is paused, and a person may lift that. (The quiet that a host asked for is its own:
    /// there the remedy is not theirs.)
    pub fn can_be_resumed(&self) -> bool {
        match self.reason {
            Reason::AuthPaused => self.remedy.who == Who::You,
            Reason::CredentialsRejected => self.retry_at.is_some(),
            // A refusal that a cache had kept, and the stop that followed.
            Reason::UnexpectedStatus => self.status == 401 && self.retry_at.is_some(),
            _ => false,
        }
    }

    /// What stands in the list beside the name, in at most five characters: latency where it is up, else the status.
    pub fn short_status(&self) -> String {
        match (self.state(), self.phases.total) {
            (State::Ok, Some(total)) => match total.as_millis() {
                0 => "<1ms".to_owned(),
                ms @ 1..1_000 => format!("{ms}ms"),
                ms @ 1_000..10_000 => format!("{}.{}s", ms / 1_000, ms % 1_000 / 100),
                ms => format!("{}s", ms / 1_000),
            },
            _ if self.status == 0 && self.state() == State::Unknown => "–".to_owned(),
            _ => self.status.to_string(),
        }
    }

    /// Whole days from the probe to the end of the leaf certificate; negative once it has ended.
    pub fn certificate_days_left(&self) -> Option<i64> {
        let leaf = self.tls.as_ref()?.chain.first()?;
        Some(
            leaf.not_after
                .duration_since(self.at)
                .as_secs()
                .div_euclid(86_400),
        )
    }
}

/// What to do about it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Remedy {
    /// Who must act.
    pub who: Who,
    /// Numbered on the screen; may be empty where all is well.
    pub steps: Vec<String>,
    /// Something to paste into a file of the host.
    pub snippet: Option<String>,
    /// The corrected URL, where there is one.
    pub url: Option<String>,
    /// Where more is written.
    pub doc: Option<String>,
}

/// Company (Blesta) or account (Connect).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// The service's id of it.
    pub id: Option<String>,
    /// Its name.
    pub name: Option<String>,
    /// Its host name, where it has one.
    pub host: Option<String>,
}

/// `tls` of the JSON object: the leaf certificate, flat.
#[derive(Serialize)]
struct TlsObject<'a> {
    version: Option<&'a str>,
    subject: Option<&'a str>,
    issuer: Option<&'a str>,
    names: Option<&'a [String]>,
    not_after: Option<String>,
    days_left: Option<i64>,
}

impl Serialize for Verdict {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Object<'a> {
            schema_version: u8,
            connection: Option<&'a str>,
            service: &'a str,
            url: &'a str,
            state: State,
            reason: Reason,
            status: u16,
            title: &'a str,
            cause: &'a str,
            answered_by: AnsweredBy,
            evidence: &'a [String],
            remedy: &'a Remedy,
            checks: &'a Checks,
            addresses: &'a [Address],
            phases_ms: Phases,
            tls: Option<TlsObject<'a>>,
            identity: Option<&'a Identity>,
            service_version: Option<&'a str>,
            redirects: &'a [String],
            retry_at: Option<String>,
            changed_since_last_good: &'a [String],
            at: String,
        }
        Object {
            schema_version: 1,
            connection: self.connection.as_ref().map(Name::as_str),
            service: self.service.as_str(),
            url: &self.url,
            state: self.state(),
            reason: self.reason,
            status: self.status,
            title: &self.title,
            cause: &self.cause,
            answered_by: self.answered_by,
            evidence: &self.evidence,
            remedy: &self.remedy,
            checks: &self.checks,
            addresses: &self.addresses,
            phases_ms: self.phases,
            tls: self.tls_object(),
            identity: self.identity.as_ref(),
            service_version: self.service_version.as_deref(),
            redirects: &self.redirects,
            retry_at: self.retry_at.map(whole_seconds),
            changed_since_last_good: &self.changed_since_last_good,
            at: whole_seconds(self.at),
        }
        .serialize(serializer)
    }
}

impl Verdict {
    fn tls_object(&self) -> Option<TlsObject<'_>> {
        let facts = self.tls.as_ref()?;
        let leaf = facts.chain.first();
        Some(TlsObject {
            version: facts.version.as_deref(),
            subject: leaf.map(|leaf| leaf.subject.as_str()),
            issuer: leaf.map(|leaf| leaf.issuer.as_str()),
            names: leaf.map(|leaf| leaf.names.as_slice()),
            not_after: leaf.map(|leaf| whole_seconds(leaf.not_after)),
            days_left: self.certificate_days_left(),
        })
    }
}

/// RFC 3339 in UTC, to the second: `2026-11-23T10:00:00Z`.
pub fn whole_seconds(time: Timestamp) -> String {
    Timestamp::from_second(time.as_second())
        .map_or_else(|_| time.to_string(), |time| time.to_string())
}
