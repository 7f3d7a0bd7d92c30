//! What a header of another program's request means for a connection.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use zeroize::Zeroizing;

use super::place::{pair, value};
use super::{Candidate, CandidateValue, is_printed};
use crate::domain::text::inert;
use crate::domain::{AuthStyle, ServiceId};
use crate::service::shell::{Broken, OPEN};

/// Headers that a probe sends by itself, or that change nothing for it.
const OF_NO_WEIGHT: [&str; 16] = [
    "accept",
    "accept-encoding",
    "accept-language",
    "cache-control",
    "connection",
    "content-length",
    "content-type",
    "dnt",
    "host",
    "origin",
    "pragma",
    "priority",
    "referer",
    "te",
    "user-agent",
    "upgrade-insecure-requests",
];

/// Takes in one header line; gives the service that it shows, if it shows one.
pub(super) fn take(candidate: &mut Candidate, line: &str) -> Option<ServiceId> {
    let Some((name, content)) = line.split_once(':') else {
        // `-H 'X-Empty;'` or `-H @file`: nothing for a connection.
        candidate.note("a header without a value was left out");
        return None;
    };
    let lower = name.trim().to_ascii_lowercase();
    let content = content.trim();
    match lower.as_str() {
        "authorization" => return authorization(candidate, content),
        "blesta-api-user" => {
            let user = plain(candidate, content);
            if candidate.connection.username.is_empty() {
                candidate.connection.username = user;
            } else {
                candidate.set_pair(user, None);
            }
            candidate.connection.auth = AuthStyle::Headers;
            return Some(ServiceId::blesta());
        }
        "blesta-api-key" => {
            candidate.set_key(value(content));
            candidate.connection.auth = AuthStyle::Headers;
            return Some(ServiceId::blesta());
        }
        "x-api-key" => {
            candidate.set_key(value(content));
            candidate.connection.auth = AuthStyle::Headers;
        }
        "cookie" => candidate.note("cookies were left out: a connection has a key, not a session"),
        _ if lower.starts_with("sec-") || OF_NO_WEIGHT.contains(&lower.as_str()) => {}
        _ => candidate.note(format!(
            "the header {} was left out: describe the service in a file of its own to send it",
            inert(name.trim(), 40)
        )),
    }
    None
}

fn authorization(candidate: &mut Candidate, content: &str) -> Option<ServiceId> {
    let (scheme, rest) = content
        .split_once(char::is_whitespace)
        .unwrap_or((content, ""));
    let rest = rest.trim();
    match scheme.to_ascii_lowercase().as_str() {
        "bearer" => {
            candidate.set_key(value(rest));
            None
        }
        "basic" => {
            match decoded(rest) {
                Some(text) => {
                    let (user, key) = pair(&text);
                    candidate.set_pair(inert(&user, 128), key);
                }
                None => candidate.note("the Basic header was left out: it holds no user:key pair"),
            }
            None
        }
        "apikey" => {
            let (user, key) = pair(rest);
            let user = plain(candidate, &user);
            candidate.set_pair(user, key);
            Some(ServiceId::connect())
        }
        _ => {
            candidate.note(format!(
                "the Authorization header was left out: the scheme {} is not known here",
                if rest.is_empty() {
                    "it has none, which".to_owned()
                } else {
                    inert(scheme, 20)
                }
            ));
            None
        }
    }
}

/// A username; where it is a variable, it is left open and said.
pub(super) fn plain(candidate: &mut Candidate, text: &str) -> String {
    match value(text) {
        CandidateValue::Variable(name) => {
            candidate.note(format!(
                "the username is the variable {}: give it by connection edit --username",
                inert(&name, 40)
            ));
            String::new()
        }
        CandidateValue::Known(_) if text.contains(OPEN) => {
            candidate.note("the username was left out: a variable is only a part of it");
            String::new()
        }
        CandidateValue::Known(_) if is_printed(|start| text.starts_with(start)) => {
            let why = Broken::Substitution;
            candidate.note(format!("the username was left out: {why}"));
            String::new()
        }
        CandidateValue::Known(_) => inert(text, 128),
    }
}

fn decoded(text: &str) -> Option<Zeroizing<String>> {
    let bytes = STANDARD
        .decode(text)
        .or_else(|_| STANDARD_NO_PAD.decode(text))
        .ok()?;
    let text = String::from_utf8(bytes).ok()?;
    text.contains(':').then(|| Zeroizing::new(text))
}
