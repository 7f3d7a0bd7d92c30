//! What fills the placeholders of the tables' texts.

use std::collections::BTreeMap;

use serde_json::Value;
use url::Host;

use crate::domain::text::{inert, shell_word};
use crate::domain::verdict::whole_seconds;
use crate::domain::{Endpoint, Reply};

use super::{Judged, failure, redirect, tls};
use crate::service::catalog::Service;
use crate::service::catalog::condition::BodyKind;

/// Values by placeholder. Every one is made inert as it goes in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::service) struct Facts(BTreeMap<&'static str, String>);

const LIMIT: usize = 200;

/// What stands for the words of an answer that has none.
const WORDLESS: &str = "it does not say why";

impl Facts {
    /// Fills `name` (sentences end in the tables' own full stop), which is one of [`crate::service::catalog::words::PLACEHOLDERS`].
    pub(in crate::service) fn set(&mut self, name: &'static str, value: impl AsRef<str>) {
        let value = value.as_ref().trim_end().trim_end_matches('.');
        self.0.insert(name, inert(value, LIMIT));
    }

    /// Fills `name`, which stands in commands to be copied, with `value` as one word of a shell.
    pub(in crate::service) fn set_word(&mut self, name: &'static str, value: &str) {
        self.0.insert(name, shell_word(&inert(value, LIMIT)));
    }

    /// What fills `name`.
    pub(in crate::service) fn get(&self, name: &str) -> Option<String> {
        self.0.get(name).cloned()
    }

    /// What service and URL say.
    pub(in crate::service) fn of(service: &Service, endpoint: Option<&Endpoint>) -> Self {
        let mut facts = Self::default();
        facts.set("service", service.title());
        if let Some(endpoint) = endpoint {
            facts.set("host", endpoint.host());
            facts.set("port", endpoint.port().to_string());
            facts.set("url", endpoint.redacted());
            let path = endpoint.url().path().trim_end_matches('/');
            facts.set("pattern", escaped(path));
            let kind = match endpoint.url().host() {
                Some(Host::Domain(_)) | None => "DNS",
                Some(Host::Ipv4(_) | Host::Ipv6(_)) => "IP",
            };
            let bare = endpoint.host();
            facts.set("san", format!("{kind}:{}", bare.trim_matches(['[', ']'])));
            facts.set("path", path);
        }
        facts
    }

    /// What an answer says.
    pub(in crate::service) fn add_judged(&mut self, judged: &Judged) {
        self.set("status", judged.status.to_string());
        self.set("who", judged.answerer.shown());
        if let Some(page) = &judged.page {
            let shown = match (&page.title, page.kind) {
                (Some(title), _) => format!("\"{title}\""),
                (None, BodyKind::Html) => "a page without a title".to_owned(),
                (None, BodyKind::Json) => "JSON of another product".to_owned(),
                (None, BodyKind::Text) => "plain text".to_owned(),
                (None, BodyKind::Empty) => "nothing".to_owned(),
            };
            self.set("page", shown);
            match page.json.as_ref().and_then(message) {
                Some(message) => self.set("message", message),
                // What was found out otherwise stays.
                None if self.get("message").is_none() => self.set("message", WORDLESS),
                None => {}
            }
        }
        if let Some(redirect) = &judged.redirect {
            self.set("target", redirect::shown(&redirect.target));
        }
    }

    /// What the way there says.
    pub(in crate::service) fn add_reply(&mut self, reply: &Reply) {
        if let Some(proxy) = &reply.proxy {
            self.set("proxy", proxy);
        }
        if let Some(why) = failure::of(reply).and_then(failure::why) {
            self.set("why", why);
        }
        let Some(facts) = &reply.tls else { return };
        if let Some(one) = tls::culprit(facts, reply.at) {
            let days = if one.not_after < reply.at {
                tls::days(one.not_after, reply.at)
            } else {
                tls::days_left(reply.tls.as_ref(), reply.at).unwrap_or(0)
            };
            self.set("days", tls::in_days(days));
            let date = if one.not_before > reply.at {
                one.not_before
            } else {
                one.not_after
            };
            self.set("date", whole_seconds(date));
        }
        if let Some(leaf) = facts.chain.first() {
            self.set("names", tls::names(leaf));
            self.set("issuer", &leaf.issuer);
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
