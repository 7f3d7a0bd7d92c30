//! The judge: whatever a server sends, nothing panics, nothing active is shown, no key leaves its origin,
//! and only the service's own reply is a success.
//!
//! An input is text that people can write, too: a line with service (`b`, `c`, `h`), trigger (`0` to `4`) and
//! a character of switches, then replies divided by lines of `%%`. A reply is a line with the status (`200`),
//! a failure (`!3`), both (`200!3`: cut) or `=` (reached); then headers, an empty line, the body.

#![no_main]

use std::sync::LazyLock;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use libfuzzer_sys::fuzz_target;
use serde_json::Value;
use switchboard::domain::text::inert;
use switchboard::domain::{
    Certificate, Failure, Outcome, Phases, ProxyFailure, Reply, Response, Secret, ServiceId, State,
    TlsFacts, TlsFailure, Verdict,
};
use switchboard::service::{
    Accepted, Ask, Authorization, Catalog, Ladder, RungAnswer, SecretState, Step, Subject, Trigger,
};

static CATALOG: LazyLock<Catalog> = LazyLock::new(Catalog::embedded);
const KEY: &str = "0123456789abcdef0123456789abcdef";
const TOKEN: &str = "shared-token-shared-token";
const HOST: &str = "billing.example.com";
/// Longer than any ladder.
const RUNGS: usize = 16;

fuzz_target!(|input: &[u8]| {
    let (first, rest) = split(input, b"\n");
    let case = Case::read(first);
    let mut replies = Pieces(Some(rest)).map(reply);
    let (mut ladder, mut step) = Ladder::begin(case.service(), case.subject(), now());
    let mut heard = Vec::new();
    let mut sent = false;
    for _ in 0..RUNGS {
        match step {
            Step::Conclude(verdict) => {
                check(&case, &heard, &case.secrets(sent), &verdict);
                // An answer that nobody waits for any more.
                let late = replies.next().unwrap_or_else(nobody);
                assert!(matches!(
                    ladder.answer(RungAnswer::Reply(Box::new(late))),
                    Step::Conclude(_)
                ));
                return;
            }
            Step::Ask(ask) => {
                sent |= ask.carries_key();
                case.check(&ask, &case.secrets(sent));
                let reply = replies.next().unwrap_or_else(nobody);
                if let Outcome::Answered(response) = &reply.outcome {
                    heard.push(response.clone());
                }
                step = ladder.answer(RungAnswer::Reply(Box::new(reply)));
            }
        }
    }
    panic!("a ladder without an end");
});

/// Who asks what.
struct Case {
    service: &'static str,
    trigger: Trigger,
    switches: u8,
}

impl Case {
    fn read(line: &[u8]) -> Self {
        let at = |place: usize| line.get(place).copied().unwrap_or_default();
        let triggers = [
            Trigger::UrlTyping,
            Trigger::HalfTyped,
            Trigger::Typing,
            Trigger::Asked,
            Trigger::Scheduled,
            Trigger::Bisect,
        ];
        Self {
            service: match at(0) {
                b'c' => "connect",
                b'h' => "http",
                _ => "blesta",
            },
            trigger: triggers[usize::from(at(1)) % triggers.len()],
            switches: at(2),
        }
    }

    fn switch(&self, bit: u8) -> bool {
        self.switches & (1 << bit) != 0
    }

    fn service(&self) -> &'static switchboard::service::Service {
        CATALOG
            .get(&ServiceId::new(self.service))
            .expect("an embedded service")
    }

    /// Plain http without leave: no key may be sent.
    fn forbidden(&self) -> bool {
        self.switch(3) && !self.switch(4)
    }

    fn subject(&self) -> Subject {
        let scheme = if self.switch(3) { "http" } else { "https" };
        let url = format!("{scheme}://{HOST}/shop");
        let mut subject = Subject::new(ServiceId::new(self.service), &url);
        subject.username = match self.service {
            "connect" => "SU-160-984-311".to_owned(),
            _ => "shop-api".to_owned(),
        };
        if !self.switch(5) {
            subject.key = SecretState::Present(Secret::new(KEY));
        }
        if self.switch(2) {
            subject.token = SecretState::Present(Secret::new(TOKEN));
            subject.cms = Some("joomla".to_owned());
            subject.cms_url = Some("https://cms.example.com".to_owned());
        }
        subject.trigger = self.trigger;
        subject.allow_http = self.switch(4);
        subject.past.service_seen = self.switch(0);
        if self.switch(1) {
            subject.past.accepted = Some(Accepted {
                by_headers: self.service == "connect",
                through_index: false,
                own_token: None,
            });
        }
        subject
    }

    /// What must not come back out: the key once it was sent, and the token where one is held. What was
    /// neither, a server can't repeat.
    fn secrets(&self, sent: bool) -> Vec<&'static str> {
        let key = sent.then_some(KEY);
        key.into_iter()
            .chain(self.switch(2).then_some(TOKEN))
            .collect()
    }

    fn check(&self, ask: &Ask, secrets: &[&str]) {
        if ask.carries_key() {
            assert_eq!(ask.request.url.host_str(), Some(HOST));
            assert!(!self.trigger.withholds_secrets());
            assert!(!self.forbidden(), "{ask:?}");
            assert_ne!(ask.request.authorization, Authorization::None);
        }
        for secret in secrets {
            assert!(!format!("{ask:?}").contains(secret), "a secret in the open");
        }
    }
}

fn check(case: &Case, heard: &[Response], secrets: &[&str], verdict: &Verdict) {
    if verdict.state() == State::Ok {
        assert!(
            heard.iter().any(|response| is_own(case.service, response)),
            "{:?} of {heard:?}",
            verdict.reason
        );
    }
    assert!(
        case.trigger != Trigger::Bisect || heard.len() <= 4,
        "{heard:?}"
    );
    let json = serde_json::to_value(verdict).expect("a verdict is JSON");
    all_inert(&json, "");
    let json = json.to_string();
    for secret in secrets {
        assert!(!json.contains(secret), "a secret in {json}");
    }
}

/// The judge's rule of a success, written once more.
fn is_own(service: &str, response: &Response) -> bool {
    let success = (200..300).contains(&response.status);
    match service {
        "blesta" => {
            success
                && values(response, '{')
                    .any(|value| value.get("response").is_some_and(|v| !v.is_null()))
        }
        "connect" => {
            success
                && values(response, '[')
                    .chain(values(response, '{'))
                    .next()
                    .is_some()
        }
        _ => success,
    }
}

/// The JSON values in the body that begin with `open`, unless a page goes before.
fn values(response: &Response, open: char) -> impl Iterator<Item = Value> {
    let text = String::from_utf8_lossy(&response.body).into_owned();
    let places: Vec<usize> = text.match_indices(open).map(|(place, _)| place).collect();
    places.into_iter().filter_map(move |place| {
        let before = text[..place].to_lowercase();
        if before.contains("<html") || before.contains("<!doctype") {
            return None;
        }
        let mut values = serde_json::Deserializer::from_str(&text[place..]).into_iter::<Value>();
        values.next()?.ok()
    })
}

/// Every text but the snippet, which has lines, is one that a terminal takes for text.
fn all_inert(value: &Value, key: &str) {
    match value {
        Value::String(text) if key == "snippet" => {
            assert!(
                !text.chars().any(|c| c.is_control() && c != '\n'),
                "{text:?}"
            );
        }
        Value::String(text) => assert_eq!(&inert(text, 8_192), text, "{key}"),
        Value::Array(values) => values.iter().for_each(|value| all_inert(value, key)),
        Value::Object(values) => values.iter().for_each(|(key, value)| all_inert(value, key)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn now() -> Timestamp {
    Timestamp::from_second(1_795_428_000).expect("in 2026")
}

/// Pieces divided by lines of `%%`.
struct Pieces<'a>(Option<&'a [u8]>);

impl<'a> Iterator for Pieces<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let rest = self.0.take()?;
        let divider = b"\n%%\n";
        let (piece, rest) = split(rest, divider);
        self.0 = (!rest.is_empty()).then_some(rest);
        Some(piece)
    }
}

/// What stands before and behind the first `divider`.
fn split<'a>(bytes: &'a [u8], divider: &[u8]) -> (&'a [u8], &'a [u8]) {
    match bytes
        .windows(divider.len())
        .position(|part| part == divider)
    {
        Some(at) => (&bytes[..at], &bytes[at + divider.len()..]),
        None => (bytes, &[]),
    }
}

fn nobody() -> Reply {
    wrapped(Outcome::Failed(Failure::ClosedEarly))
}

fn reply(piece: &[u8]) -> Reply {
    let (head, body) = split(piece, b"\n\n");
    let head = String::from_utf8_lossy(head);
    let mut lines = head.lines();
    let first = lines.next().unwrap_or_default();
    if first == "=" {
        return wrapped(Outcome::Reached);
    }
    let headers = lines.filter_map(|line| line.split_once(':'));
    let (status, failed) = first
        .split_once('!')
        .map_or((first, None), |(status, failed)| {
            (status, Some(failure(failed)))
        });
    let response = Response {
        status: status.parse().unwrap_or(200),
        headers: headers
            .map(|(name, value)| (name.to_lowercase(), value.trim().to_owned()))
            .collect(),
        body: body.to_vec(),
    };
    wrapped(match failed {
        Some(failure) if status.is_empty() => Outcome::Failed(failure),
        Some(failure) => Outcome::Cut(response, failure),
        None => Outcome::Answered(response),
    })
}

fn failure(number: &str) -> Failure {
    let (number, words) = number.split_once(' ').unwrap_or((number, ""));
    // The transport never leaves the sentence empty.
    let sentence = Some(inert(words, 200)).filter(|words| !words.is_empty());
    let sentence = sentence.unwrap_or_else(|| "no sockets".to_owned());
    let failures = [
        Failure::DnsNotFound,
        Failure::DnsFailed,
        Failure::Refused,
        Failure::ConnectTimeout,
        Failure::Unreachable,
        Failure::Reset,
        Failure::ClosedEarly,
        Failure::ResponseTimeout,
        Failure::NotHttp,
        Failure::HeadTooLarge,
        Failure::BodyTooLarge,
        Failure::BadCoding,
        Failure::Proxy(match words {
            "password" => ProxyFailure::Password,
            "refused" => ProxyFailure::PasswordRefused,
            "unheard" => ProxyFailure::Unheard("it was not heard"),
            "rule" => ProxyFailure::Refused(403),
            _ => ProxyFailure::Denied,
        }),
        Failure::Local(sentence.clone()),
        Failure::Tls(TlsFailure::Expired),
        Failure::Tls(TlsFailure::NotYetValid),
        Failure::Tls(TlsFailure::WrongName),
        Failure::Tls(TlsFailure::UnknownIssuer),
        Failure::Tls(TlsFailure::Protocol),
        Failure::Tls(TlsFailure::ClientCertificate),
        Failure::Tls(TlsFailure::NotTls),
        Failure::Tls(TlsFailure::Timeout),
        Failure::Tls(TlsFailure::Other(sentence.clone())),
        Failure::HostUnreachable,
        Failure::Http2 {
            said: sentence,
            processed: words.len() % 2 == 0,
        },
        Failure::Tls(TlsFailure::Authority),
        Failure::Tls(TlsFailure::Refused),
        Failure::Tls(TlsFailure::ClientCertificateRefused),
    ];
    let at = number.parse::<usize>().unwrap_or_default() % failures.len();
    failures[at].clone()
}

fn wrapped(outcome: Outcome) -> Reply {
    let hours = |hours: i64| now() + SignedDuration::from_hours(hours);
    let leaf = Certificate {
        subject: format!("CN={HOST}"),
        issuer: "CN=Public CA".to_owned(),
        names: vec![HOST.to_owned()],
        not_before: hours(-2_400),
        not_after: hours(2_400),
        fingerprint: "ab".repeat(32),
    };
    Reply {
        at: now(),
        phases: Phases {
            total: Some(Duration::from_millis(42)),
            ..Phases::default()
        },
        addresses: Vec::new(),
        tls: Some(TlsFacts {
            version: Some("TLSv1.3".to_owned()),
            chain: vec![leaf],
            verified: !matches!(outcome, Outcome::Failed(_)),
        }),
        proxy: None,
        sent: true,
        repeated: None,
        wants_http1: false,
        outcome,
    }
}
