//! The lamp and word of each field, worked out from what the rungs found.

use super::draft::FieldId;
use super::form::live::ProbedPart;
use super::model::{FieldLamp, Form, ListedConnection, ProbeState};
use crate::domain::{CheckId, Checks, Connection, Reason, State, Verdict};

/// What the lamps are worked out from.
#[expect(
    clippy::struct_excessive_bools,
    reason = "facts that the lamps are worked out from, each by itself"
)]
struct LampFacts<'a> {
    set: [bool; 4],
    cms_url: bool,
    verdict: Option<&'a Verdict>,
    running: Option<&'a Checks>,
    probing: bool,
    url_known: bool,
    key_known: bool,
    token_known: bool,
}

/// The rungs that speak about the URL.
const URL_RUNGS: [CheckId; 6] = [
    CheckId::Url,
    CheckId::Dns,
    CheckId::Connect,
    CheckId::Tls,
    CheckId::Http,
    CheckId::Service,
];

/// The lamps of URL, username, key and token of a saved connection.
pub fn of_entry(entry: &ListedConnection) -> [FieldLamp; 4] {
    let connection = &entry.connection;
    lamps(&LampFacts {
        set: set(connection),
        cms_url: connection.cms_url.is_some(),
        verdict: entry.verdict.as_deref(),
        running: running(&entry.probe),
        probing: entry.probe != ProbeState::Idle,
        url_known: true,
        key_known: true,
        token_known: true,
    })
}

/// The lamps of the form's first page.
pub(super) fn of_form(form: &Form) -> [FieldLamp; 4] {
    let same_url = |verdict: &Verdict| {
        verdict.url.trim() == form.url_text() && verdict.service == form.service()
    };
    lamps(&LampFacts {
        set: FieldId::FIRST.map(|id| form.is_set(id)),
        cms_url: form.is_set(FieldId::CmsUrl),
        verdict: form.verdict.as_deref(),
        running: running(&form.probe),
        probing: form.probe != ProbeState::Idle,
        url_known: form.live.changed < ProbedPart::Place
            || form.verdict.as_deref().is_some_and(same_url),
        key_known: form.live.changed < ProbedPart::Pair,
        token_known: form.live.changed < ProbedPart::Token,
    })
}

/// The lamp of a further field: dark, unless what stands there can't be what is meant.
pub(super) fn of_further(wrong: Option<String>) -> FieldLamp {
    let state = match wrong {
        Some(_) => State::Warn,
        None => State::Unknown,
    };
    plain(state, &wrong.unwrap_or_default())
}

/// The first of the four fields that needs a hand, else the key: where `e` puts the cursor.
pub(super) fn first_not_ok(entry: &ListedConnection) -> FieldId {
    let set = set(&entry.connection);
    let lamps = of_entry(entry);
    FieldId::FIRST
        .into_iter()
        .enumerate()
        .find(|(place, id)| {
            let missing = !set[*place] && *id != FieldId::Token;
            missing || matches!(lamps[*place].state, State::Warn | State::Down)
        })
        .map_or(FieldId::Key, |(_, id)| id)
}

fn set(connection: &Connection) -> [bool; 4] {
    [
        !connection.url.is_empty(),
        !connection.username.is_empty(),
        connection.key.is_some(),
        connection.token.is_some(),
    ]
}

fn running(probe: &ProbeState) -> Option<&Checks> {
    match probe {
        ProbeState::Running { checks, .. } => Some(checks),
        ProbeState::Idle | ProbeState::Watched => None,
    }
}

fn lamps(seen: &LampFacts<'_>) -> [FieldLamp; 4] {
    let [url, username, key, token] = seen.set;
    [
        if url {
            seen.lamp(&URL_RUNGS, seen.url_known, found, "not tested")
        } else {
            plain(State::Unknown, "enter a URL")
        },
        if username {
            plain(State::Ok, "set")
        } else {
            plain(State::Unknown, "not set")
        },
        if key && let Some(word) = seen.not_at_hand() {
            plain(State::Unknown, word)
        } else if key {
            let rungs = [CheckId::Credentials];
            seen.lamp(&rungs, seen.key_known, |_| "accepted", "set")
        } else {
            plain(State::Unknown, "not set")
        },
        match (token, seen.cms_url) {
            (false, _) => plain(State::Unknown, "not set"),
            (true, false) => plain(State::Unknown, "no CMS URL"),
            (true, true) => seen.lamp(
                &[CheckId::Token],
                seen.token_known,
                |_| "matches",
                "not tested",
            ),
        },
    ]
}

fn plain(state: State, word: &str) -> FieldLamp {
    FieldLamp {
        state,
        word: word.to_owned(),
        probing: false,
    }
}

/// How far the URL's rungs came, where all that ran are in order.
fn found(checks: &Checks) -> &'static str {
    let ok = |id| checks.get(id).state == State::Ok;
    if ok(CheckId::Service) {
        "service found"
    } else if ok(CheckId::Http) {
        "answers"
    } else if ok(CheckId::Connect) {
        "reachable"
    } else {
        "a URL"
    }
}

impl LampFacts<'_> {
    /// The verdict's words, where the key is kept in a place that did not give it.
    fn not_at_hand(&self) -> Option<&str> {
        let verdict = self.verdict.filter(|_| self.key_known && !self.probing)?;
        let is_so = verdict.reason == Reason::SecretUnavailable
            && !did_run(&verdict.checks, CheckId::Credentials);
        is_so.then_some(verdict.title.as_str())
    }

    /// The lamp over `rungs`: of the running probe where it came to them, else of the last verdict.
    fn lamp(
        &self,
        rungs: &[CheckId],
        known: bool,
        fine: impl Fn(&Checks) -> &'static str,
        idle: &str,
    ) -> FieldLamp {
        let ran = |checks: &Checks| rungs.iter().any(|id| did_run(checks, *id));
        if let Some(checks) = self.running.filter(|checks| ran(checks)) {
            let state = worst(rungs, checks);
            let ended = rungs.last().is_some_and(|id| did_run(checks, *id)) || state != State::Ok;
            let word = if state == State::Ok {
                fine(checks).to_owned()
            } else {
                detail(rungs, checks)
            };
            return FieldLamp {
                state,
                word,
                probing: !ended,
            };
        }
        let verdict = self.verdict.filter(|verdict| known && ran(&verdict.checks));
        let mut lamp = match verdict {
            None => plain(State::Unknown, idle),
            Some(verdict) => judged(rungs, verdict, fine),
        };
        lamp.probing = self.probing;
        lamp
    }
}

fn judged(
    rungs: &[CheckId],
    verdict: &Verdict,
    fine: impl Fn(&Checks) -> &'static str,
) -> FieldLamp {
    let state = worst(rungs, &verdict.checks);
    if state == State::Ok {
        return plain(state, fine(&verdict.checks));
    }
    if state == State::Unknown && verdict.state() == State::Ok {
        // All went well, and this was not shown: the verdict's title is no reason for that.
        return plain(state, "not proven");
    }
    let culprit = verdict
        .checks
        .iter()
        .find(|check| did_run(&verdict.checks, check.id) && check.state != State::Ok);
    if culprit.is_some_and(|check| rungs.contains(&check.id)) {
        plain(state, &verdict.title)
    } else {
        plain(state, &detail(rungs, &verdict.checks))
    }
}

fn did_run(checks: &Checks, id: CheckId) -> bool {
    let check = checks.get(id);
    check.detail.is_some() || check.state != State::Unknown
}

fn worst(rungs: &[CheckId], checks: &Checks) -> State {
    State::worst(
        rungs
            .iter()
            .filter(|id| did_run(checks, **id))
            .map(|id| checks.get(*id).state),
    )
}

/// What the worst rung says.
fn detail(rungs: &[CheckId], checks: &Checks) -> String {
    let worst = worst(rungs, checks);
    rungs
        .iter()
        .map(|id| checks.get(*id))
        .find(|check| check.state == worst && check.detail.is_some())
        .and_then(|check| check.detail.clone())
        .unwrap_or_else(|| worst.word().to_owned())
}
