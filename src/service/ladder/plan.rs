//! What may be sent: decided once, before the first request.

use jiff::Timestamp;

use crate::domain::budget::{Stop, StoppedBy};
use crate::domain::{Endpoint, Reason, Secret};

use super::super::catalog::Service;
use super::super::catalog::format::Need;
use super::super::hints;
use super::super::subject::{Hindrance, SecretState, Subject, Trigger};

/// Username and key as they are sent.
#[derive(Clone, Debug)]
pub(super) struct Pair {
    pub(super) username: String,
    pub(super) key: Secret,
}

/// What may be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum KeyPlan {
    /// There is no pair to send; the reason, where one half of it is missing.
    Bare(Option<Reason>),
    /// There is a key, and it stays here.
    Hold(KeyHold),
    /// The pair is sent, once the service was recognised.
    Send,
}

/// Why a key stays here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum KeyHold {
    /// The URL is being edited, or the pair is typed letter by letter.
    Editing,
    /// It is not at hand.
    Unavailable(Hindrance),
    /// No attempt can be written down; why, in one sentence.
    Unrecordable(String),
    /// Plain http to a host that is neither loopback nor allowed.
    Plain,
    /// Its shape is none that the service issues; which, in words.
    Shape(String),
    /// The lock-out budget's pause, or the quiet that the host asked for.
    Paused {
        until: Option<Timestamp>,
        by: StoppedBy,
    },
}

/// The plan, the pair, and what was cleaned on the way, a sentence each.
pub(super) struct Planned {
    pub(super) plan: KeyPlan,
    pub(super) pair: Option<Pair>,
    pub(super) notes: Vec<String>,
}

impl Planned {
    fn without_pair(plan: KeyPlan) -> Self {
        Self {
            plan,
            pair: None,
            notes: Vec::new(),
        }
    }
}

/// Decides what may be sent to `endpoint`.
pub(super) fn plan(
    service: &Service,
    subject: &Subject,
    endpoint: &Endpoint,
    now: Timestamp,
) -> Planned {
    if service.text().auth.is_none() || service.key().need == Need::Unused {
        return Planned::without_pair(KeyPlan::Bare(None));
    }
    let key = match &subject.key {
        SecretState::Present(key) if !key.is_empty() => key,
        SecretState::Unavailable(by) if !subject.trigger.withholds_secrets() => {
            return Planned::without_pair(KeyPlan::Hold(KeyHold::Unavailable(by.clone())));
        }
        SecretState::Unrecordable(why) if !subject.trigger.withholds_secrets() => {
            return Planned::without_pair(KeyPlan::Hold(KeyHold::Unrecordable(why.clone())));
        }
        SecretState::Unavailable(_) | SecretState::Unrecordable(_) => {
            return Planned::without_pair(KeyPlan::Hold(KeyHold::Editing));
        }
        SecretState::Present(_) | SecretState::Absent => {
            let named = !subject.username.is_empty() && service.username().need != Need::Unused;
            return Planned::without_pair(KeyPlan::Bare(named.then_some(Reason::KeyMissing)));
        }
    };
    let (username, cleaned) = hints::as_sent(service, &subject.username, key);
    if username.is_empty() && service.username().need == Need::Required {
        return Planned::without_pair(KeyPlan::Bare(Some(Reason::UsernameMissing)));
    }
    let pair = Pair {
        username,
        key: cleaned.value,
    };
    let mut notes = cleaned.notes;
    let plan = sending(service, subject, endpoint, &pair, now);
    if plan == KeyPlan::Send
        && let Some(odd) = hints::odd_shape(service, &pair.username, &pair.key)
    {
        notes.push(odd);
    }
    if let (KeyPlan::Hold(KeyHold::Paused { .. }), Some(stop)) = (&plan, stopped(subject, now)) {
        notes.push(stop.why.clone());
    }
    Planned {
        plan,
        pair: Some(pair),
        notes,
    }
}

/// What stops the key, as far as was known before the run.
fn stopped(subject: &Subject, now: Timestamp) -> Option<&Stop> {
    let stop = subject.past.paused.as_ref();
    stop.filter(|stop| stop.until > now)
}

fn sending(
    service: &Service,
    subject: &Subject,
    endpoint: &Endpoint,
    pair: &Pair,
    now: Timestamp,
) -> KeyPlan {
    if subject.trigger.withholds_secrets() {
        return KeyPlan::Hold(KeyHold::Editing);
    }
    let stays_here = endpoint.is_loopback() && !subject.by_proxy;
    if endpoint.is_plain() && !stays_here && !subject.allow_http {
        return KeyPlan::Hold(KeyHold::Plain);
    }
    if let Some(stop) = stopped(subject, now) {
        return KeyPlan::Hold(KeyHold::Paused {
            until: Some(stop.until),
            by: stop.by,
        });
    }
    let by_wish = match subject.trigger {
        Trigger::Asked | Trigger::Bisect => true,
        Trigger::Scheduled => subject.past.accepted.is_some(),
        Trigger::Typing | Trigger::UrlTyping | Trigger::HalfTyped => false,
    };
    match hints::odd_shape(service, &pair.username, &pair.key) {
        Some(odd) if !by_wish => KeyPlan::Hold(KeyHold::Shape(odd)),
        _ => KeyPlan::Send,
    }
}
