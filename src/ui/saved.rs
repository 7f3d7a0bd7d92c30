//! What the form shows of a saved connection while nothing is edited: lamps from its last verdict.

use super::view::View;
use crate::app::FieldId;
use crate::app::model::{Entry, FieldLamp, ProbeState};
use crate::domain::{CheckId, Connection, State, Verdict};

/// Lamp and word of one of the first four fields.
pub(super) fn lamp(entry: &Entry, id: FieldId) -> FieldLamp {
    let connection = &entry.connection;
    let verdict = entry.verdict.as_ref();
    let (state, word) = match id {
        FieldId::Url => url(verdict),
        FieldId::Username => {
            let word = if connection.username.is_empty() {
                ""
            } else {
                "set"
            };
            (checked(verdict, CheckId::Credentials), word.to_owned())
        }
        FieldId::Key => key(connection, verdict),
        FieldId::Token => token(connection, verdict),
        _ => (State::Unknown, String::new()),
    };
    let probing = match entry.probe {
        ProbeState::Running { .. } => true,
        ProbeState::Idle | ProbeState::Watched => false,
    };
    FieldLamp {
        state,
        probing: probing && id == FieldId::Url,
        word,
    }
}

const ROAD: [CheckId; 6] = [
    CheckId::Url,
    CheckId::Dns,
    CheckId::Connect,
    CheckId::Tls,
    CheckId::Http,
    CheckId::Service,
];

fn url(verdict: Option<&Verdict>) -> (State, String) {
    let Some(verdict) = verdict else {
        return (State::Unknown, "not probed yet".to_owned());
    };
    let ran = ROAD.map(|id| verdict.checks.get(id));
    let ran = ran.into_iter().filter(|check| check.detail.is_some());
    let worst = State::worst(ran.map(|check| check.state));
    let word = match (worst, verdict.checks.get(CheckId::Service).state) {
        (State::Ok, State::Ok) => "service found".to_owned(),
        (State::Ok, _) => "reached".to_owned(),
        _ => verdict.title.clone(),
    };
    (worst, word)
}

fn key(connection: &Connection, verdict: Option<&Verdict>) -> (State, String) {
    if connection.key.is_none() {
        return (State::Unknown, String::new());
    }
    let state = checked(verdict, CheckId::Credentials);
    let word = match (state, verdict) {
        (State::Ok, _) => "accepted".to_owned(),
        (State::Warn | State::Down, Some(verdict)) => verdict.title.clone(),
        _ => "set".to_owned(),
    };
    (state, word)
}

fn token(connection: &Connection, verdict: Option<&Verdict>) -> (State, String) {
    if connection.token.is_none() {
        return (State::Unknown, String::new());
    }
    let state = checked(verdict, CheckId::Token);
    let word = match (state, verdict) {
        (State::Ok, _) => "matches".to_owned(),
        (State::Warn | State::Down, Some(verdict)) => verdict.title.clone(),
        _ if connection.cms_url.is_none() => "no CMS URL".to_owned(),
        _ => "set".to_owned(),
    };
    (state, word)
}

fn checked(verdict: Option<&Verdict>, id: CheckId) -> State {
    verdict.map_or(State::Unknown, |verdict| verdict.checks.get(id).state)
}

/// What else is to be known of a connection, in one line.
pub(super) fn about(view: &View<'_>, connection: &Connection) -> String {
    let mut parts = Vec::new();
    if !connection.tags.is_empty() {
        parts.push(
            connection
                .tags
                .iter()
                .map(|tag| format!("#{}", view.line(tag)))
                .collect::<Vec<_>>()
                .join(" "),
        );
    }
    if connection.read_only {
        parts.push("read-only".to_owned());
    }
    if connection.allow_http {
        parts.push("key allowed over http".to_owned());
    }
    if let Some(seconds) = connection.interval_s {
        parts.push(format!("every {seconds} s"));
    }
    if !connection.note.is_empty() {
        parts.push(view.line(&connection.note));
    }
    parts.join(" · ")
}
