//! What fills the placeholders of the tables' texts.

use jiff::Timestamp;
use percent_encoding::percent_decode_str;
use serde_json::Value;
use url::Host;

use crate::domain::text::{inert, screened, shell_word};
use crate::domain::verdict::whole_seconds;
use crate::domain::{Endpoint, Name, Reply};

use super::{Judged, failure, redirect, tls};
use crate::service::catalog::Service;
use crate::service::catalog::condition::BodyKind;

/// What was found out on the way, by placeholder. Every value is made inert as it goes in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::service) struct Facts(Vec<(&'static str, String)>);

const LIMIT: usize = 200;

/// What stands for the words of an answer that has none.
const WORDLESS: &str = "it does not say why";

/// As a text takes it: inert, and without the full stop, as sentences end in the tables' own.
fn shown(value: &str) -> String {
    inert(value.trim_end().trim_end_matches('.'), LIMIT)
}

/// As a command takes it that is copied: one word of a shell.
fn as_word(value: &str) -> String {
    shell_word(&inert(value, LIMIT))
}

impl Facts {
    /// Fills `name`, which is one of [`crate::service::catalog::words::PLACEHOLDERS`].
    pub(in crate::service) fn set(&mut self, name: &'static str, value: impl AsRef<str>) {
        self.put(name, shown(value.as_ref()));
    }

    /// Fills `name`, which stands in commands to be copied, with `value` as one word of a shell.
    pub(in crate::service) fn set_word(&mut self, name: &'static str, value: &str) {
        self.put(name, as_word(value));
    }

    fn put(&mut self, name: &'static str, value: String) {
        self.0.retain(|(known, _)| *known != name);
        self.0.push((name, value));
    }

    fn get(&self, name: &str) -> Option<String> {
        let found = self.0.iter().find(|(known, _)| *known == name);
        found.map(|(_, value)| value.clone())
    }
}

/// All that can fill a placeholder. A value is made when a text asks for it: most texts ask for one or two.
#[derive(Clone, Copy, Debug)]
pub(in crate::service) struct FactSources<'a> {
    pub(in crate::service) service: &'a Service,
    pub(in crate::service) endpoint: Option<&'a Endpoint>,
    pub(in crate::service) judged: Option<&'a Judged>,
    pub(in crate::service) reply: Option<&'a Reply>,
    pub(in crate::service) noted: &'a Facts,
    pub(in crate::service) connection: Option<&'a Name>,
    /// The URL that is offered instead.
    pub(in crate::service) fix: Option<&'a str>,
    pub(in crate::service) retry_at: Option<Timestamp>,
}

impl FactSources<'_> {
    /// What fills `name`, inert: what the answer says before what was noted on the way, and that before the URL.
    pub(in crate::service) fn get(&self, name: &str) -> Option<String> {
        self.of_verdict(name)
            .or_else(|| self.of_reply(name))
            .or_else(|| self.of_judged(name))
            .or_else(|| self.noted.get(name))
            .or_else(|| self.of_url(name))
    }

    fn of_verdict(&self, name: &str) -> Option<String> {
        match name {
            "fix" => self.fix.map(shown),
            "when" => self.retry_at.map(whole_seconds),
            "name" => self.connection.map(|name| as_word(name.as_str())),
            "origin" => self
                .endpoint
                .map(|endpoint| as_word(&endpoint.origin().to_string())),
            _ => None,
        }
    }

    /// What the way there says.
    fn of_reply(&self, name: &str) -> Option<String> {
        let reply = self.reply?;
        match name {
            "proxy" => return reply.proxy.as_deref().map(shown),
            "why" => return failure::of(reply).and_then(failure::why).map(shown),
            "address" => {
                let one = reply.addresses.first()?;
                return Some(one.address.ip().to_string());
            }
            _ => {}
        }
        let facts = reply.tls.as_ref()?;
        match name {
            "days" => {
                let one = tls::culprit(facts, reply.at)?;
                let days = if one.not_after < reply.at {
                    tls::days(one.not_after, reply.at)
                } else {
                    tls::days_left(reply.tls.as_ref(), reply.at).unwrap_or(0)
                };
                Some(shown(&tls::in_days(days)))
            }
            "date" => {
                let one = tls::culprit(facts, reply.at)?;
                let date = if one.not_before > reply.at {
                    one.not_before
                } else {
                    one.not_after
                };
                Some(shown(&whole_seconds(date)))
            }
            "names" => facts.chain.first().map(|leaf| shown(&tls::names(leaf))),
            "issuer" => {
                let is_private = tls::issuer_variant(Some(facts)) == Some("private");
                let last = tls::last_issuer(facts).filter(|_| is_private);
                let leaf = facts.chain.first()?;
                Some(shown(last.unwrap_or(&leaf.issuer)))
            }
            _ => None,
        }
    }

    /// What the answer says.
    fn of_judged(&self, name: &str) -> Option<String> {
        let judged = self.judged?;
        match name {
            "status" => Some(judged.status.to_string()),
            "who" => Some(shown(&judged.answerer.shown())),
            "page" => {
                let page = judged.page.as_ref()?;
                Some(match (&page.title, page.kind) {
                    (Some(title), _) => shown(&format!("\"{title}\"")),
                    (None, BodyKind::Html) => "a page without a title".to_owned(),
                    (None, BodyKind::Json) => "JSON of another product".to_owned(),
                    (None, BodyKind::Text) => "plain text".to_owned(),
                    (None, BodyKind::Empty) => "nothing".to_owned(),
                })
            }
            "message" => {
                let page = judged.page.as_ref()?;
                let said = page.json.as_ref().and_then(message);
                // What was found out otherwise stays.
                let said = said.map(|said| shown(&said)).or(self.noted.get(name));
                Some(said.unwrap_or_else(|| WORDLESS.to_owned()))
            }
            "target" => {
                let redirect = judged.redirect.as_ref()?;
                Some(shown(&redirect::shown(&redirect.target)))
            }
            _ => None,
        }
    }

    /// What service and URL say.
    fn of_url(&self, name: &str) -> Option<String> {
        match name {
            "service" => return Some(shown(self.service.title())),
            "fallback" => return self.service.text().requests.fallback.as_deref().map(shown),
            _ => {}
        }
        let endpoint = self.endpoint?;
        let path = || endpoint.url().path().trim_end_matches('/');
        match name {
            "host" => Some(shown(&endpoint.host())),
            "port" => Some(endpoint.port().to_string()),
            "url" => Some(shown(&endpoint.redacted())),
            "path" => Some(shown(path())),
            // HAProxy's stands in single quotes.
            "pattern" => Some(inert(&escaped(path()).replace('\'', "\\x27"), LIMIT)),
            "decoded" => Some(inert(&decoded(path()), LIMIT)),
            "san" => {
                let kind = match endpoint.url().host() {
                    Some(Host::Domain(_)) | None => "DNS",
                    Some(Host::Ipv4(_) | Host::Ipv6(_)) => "IP",
                };
                let bare = endpoint.host();
                Some(shown(&format!("{kind}:{}", bare.trim_matches(['[', ']']))))
            }
            _ => None,
        }
    }
}

/// `text` as a regular expression that means just it.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        if ".+*?()[]{}|^$\\".contains(c) {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    escaped
}

/// `path` without its escapes, as a regular expression between double quotes of Apache's. What would end there, or is
/// no text that can be shown, stands as the numbers of its bytes.
fn decoded(path: &str) -> String {
    use std::fmt::Write as _;
    let bytes: Vec<u8> = percent_decode_str(path).collect();
    let mut pattern = String::with_capacity(bytes.len());
    let by_number = |pattern: &mut String, bytes: &[u8]| {
        for byte in bytes {
            let _ = write!(pattern, "\\x{byte:02x}");
        }
    };
    for chunk in bytes.utf8_chunks() {
        for (c, is_plain) in screened(chunk.valid()) {
            if is_plain && !matches!(c, '"' | '\\') {
                pattern.push_str(&escaped(c.encode_utf8(&mut [0; 4])));
            } else {
                by_number(&mut pattern, c.encode_utf8(&mut [0; 4]).as_bytes());
            }
        }
        by_number(&mut pattern, chunk.invalid());
    }
    pattern
}

/// What a JSON answer says to people: the text of an exception, else its message.
pub(in crate::service) fn message(json: &Value) -> Option<String> {
    let (errors, error) = (json.get("errors"), json.get("error"));
    let places = [
        json.get("response"),
        errors.and_then(|errors| errors.get(0)),
        json.get("message"),
        error.and_then(|error| error.get("message")),
        error,
        json.get("detail"),
        json.get("title"),
        json.get("error_code"),
    ];
    let mut texts = places.into_iter().filter_map(|place| place?.as_str());
    texts
        .find(|text| !text.trim().is_empty())
        .map(|text| inert(text, LIMIT))
}
