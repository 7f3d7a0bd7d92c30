//! `token verify`: the signed check of a shared token, alone, with the four rows of an API Check.

use jiff::Timestamp;

use url::Url;

use crate::domain::{CheckId, Connection, Endpoint, Reason, State, Verdict};

use super::catalog::Service;
use super::catalog::format::VerifyText;
use super::ladder::{self, Ladder};
use super::step::Step;
use super::subject::Subject;

/// One of the four rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifyStep {
    /// `API URL`, `URL Found`, `Token Set`, `Token Valid`.
    pub label: &'static str,
    /// Its lamp.
    pub state: State,
    /// One inert line; empty where it was not reached.
    pub detail: String,
}

/// How a line of evidence begins that is about the CMS rather than the service.
pub const OF_CMS: &str = "the CMS";

/// What the signed check asks of the CMS, without time and signature: for people who look for themselves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CmsQuestion {
    /// The CMS, without a query.
    pub cms: Endpoint,
    /// The page of it that is asked, without the query.
    pub page: Url,
    /// The call, as it stands in a query.
    pub call: String,
    /// The names of parameters and header.
    pub names: VerifyText,
}

impl CmsQuestion {
    /// That of `connection`; nothing where its CMS has no URL or no published check.
    pub fn of(service: &Service, connection: &Connection) -> Option<Self> {
        ladder::question(service, connection)
    }
}

/// Whether a verdict of `reason` rests on what a CMS did with the signed check, not on the service's answer.
pub const fn is_about_cms(reason: Reason) -> bool {
    matches!(
        reason,
        Reason::TokenMismatch
            | Reason::TokenHeaderStripped
            | Reason::TokenClock
            | Reason::TokenEndpointAbsent
    )
}

/// Starts a run of the token rung alone, over the subject's token, CMS and CMS URL; drive it as any
/// [`Ladder`]. It never sends a key.
pub fn begin(service: &Service, subject: Subject, now: Timestamp) -> (Box<Ladder>, Step) {
    Ladder::begin_token(service, subject, now)
}

/// The four rows of a verdict that came of [`begin`], and of what it does not tell where the CMS can't be reached:
/// whether there is a token.
pub fn rows(verdict: &Verdict, token_is_set: bool) -> [VerifyStep; 4] {
    let row = |label, state, detail: &str| VerifyStep {
        label,
        state,
        detail: detail.to_owned(),
    };
    let no_url = verdict.checks.get(CheckId::Url).state != State::Ok;
    let url = if no_url {
        row("API URL", State::Unknown, &verdict.cause)
    } else {
        row("API URL", State::Ok, &verdict.url)
    };
    let reach = [CheckId::Dns, CheckId::Connect, CheckId::Tls, CheckId::Http]
        .map(|id| verdict.checks.get(id).state);
    let worst = State::worst(reach.into_iter().filter(|state| *state != State::Unknown));
    let found = if no_url
        || verdict.checks.get(CheckId::Connect).state == State::Unknown && worst == State::Ok
    {
        row("URL Found", State::Unknown, "")
    } else if worst == State::Down {
        row("URL Found", State::Down, &verdict.title)
    } else {
        row("URL Found", State::Ok, "")
    };
    let set = if !token_is_set {
        row("Token Set", State::Unknown, "no token is kept here")
    } else if verdict.reason == Reason::SecretUnavailable {
        row("Token Set", State::Unknown, &verdict.cause)
    } else {
        row("Token Set", State::Ok, "")
    };
    let token = verdict.checks.get(CheckId::Token);
    let unverifiable = verdict.reason == Reason::TokenUnverifiable && !no_url;
    let detail = match token.detail.as_deref() {
        None if unverifiable => verdict.cause.as_str(),
        detail => detail.unwrap_or_default(),
    };
    let valid = row("Token Valid", token.state, detail);
    [url, found, set, valid]
}
