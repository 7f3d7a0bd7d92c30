//! Recorded replies, and a run of the ladder over them: no socket, no clock.

use std::sync::LazyLock;
use std::time::Duration;

use jiff::Timestamp;

use crate::domain::budget::AttemptEnd;
use crate::domain::{
    Certificate, Failure, Outcome, Phases, Reason, Reply, Response, Secret, ServiceId, TlsFacts,
    Verdict,
};
use crate::service::{
    Authorization, Catalog, Ladder, RungAnswer, SecretState, Step, StopAfter, Subject,
};

/// The embedded services, parsed once.
pub(super) static CATALOG: LazyLock<Catalog> = LazyLock::new(Catalog::embedded);

/// 32 hexadecimal digits: a key of Blesta's shape.
pub(super) const KEY: &str = "0123456789abcdef0123456789abcdef";
pub(super) const DENIED: &str = r#"{"message":"The authorization details given appear to be invalid.","errors":{},"response":null}"#;
pub(super) const COMPANIES: &str =
    r#"{"response":[{"id":1,"name":"Shop Ltd","hostname":"billing.example.com"}]}"#;

pub(super) fn now() -> Timestamp {
    "2026-11-23T10:00:00Z".parse().unwrap()
}

/// A response over verified TLS.
pub(super) fn answer(status: u16, headers: &[(&str, &str)], body: &str) -> Reply {
    let response = Response {
        status,
        headers: headers
            .iter()
            .map(|(name, value)| (name.to_lowercase(), (*value).to_owned()))
            .collect(),
        body: body.as_bytes().to_vec(),
    };
    Reply {
        tls: Some(TlsFacts {
            version: Some("TLSv1.3".to_owned()),
            chain: vec![certificate("CN=billing.example.com", "CN=Public CA", 61)],
            verified: true,
        }),
        ..bare(Outcome::Answered(response))
    }
}

pub(super) fn html(status: u16, headers: &[(&str, &str)], body: &str) -> Reply {
    let mut all = vec![("Content-Type", "text/html")];
    all.extend(headers);
    answer(status, &all, body)
}

pub(super) fn json(status: u16, body: &str) -> Reply {
    answer(status, &[("Content-Type", "application/json")], body)
}

pub(super) fn failed(failure: Failure) -> Reply {
    bare(Outcome::Failed(failure))
}

pub(super) fn reached() -> Reply {
    bare(Outcome::Reached)
}

pub(super) fn bare(outcome: Outcome) -> Reply {
    let phases = Phases {
        total: Some(Duration::from_millis(42)),
        ..Phases::default()
    };
    Reply {
        at: now(),
        phases,
        addresses: Vec::new(),
        tls: None,
        proxy: None,
        sent: false,
        wants_http1: false,
        repeated: None,
        outcome,
    }
}

/// A certificate that ends `days` (and an hour) from now.
pub(super) fn certificate(subject: &str, issuer: &str, days: i64) -> Certificate {
    let hours = |hours: i64| now() + jiff::SignedDuration::from_hours(hours);
    Certificate {
        subject: subject.to_owned(),
        issuer: issuer.to_owned(),
        names: vec!["billing.example.com".to_owned()],
        not_before: hours(-24 * 400),
        not_after: hours(days * 24 + 1),
        fingerprint: "ab".repeat(32),
    }
}

pub(super) fn with_chain(mut reply: Reply, chain: Vec<Certificate>) -> Reply {
    reply.tls = Some(TlsFacts {
        version: Some("TLSv1.3".to_owned()),
        chain,
        verified: !matches!(reply.outcome, Outcome::Failed(_)),
    });
    reply
}

pub(super) fn blesta(url: &str) -> Subject {
    Subject::new(ServiceId::blesta(), url)
}

/// The pair that the scripts use, at `https://billing.example.com`.
pub(super) fn shop() -> Subject {
    with_pair(blesta("https://billing.example.com"), "shop-api", KEY)
}

pub(super) fn with_pair(mut subject: Subject, username: &str, key: &str) -> Subject {
    subject.username = username.to_owned();
    subject.key = SecretState::Present(Secret::new(key));
    subject
}

/// A run that has ended.
#[derive(Debug)]
pub(super) struct Run {
    /// `GET URL [bare|Basic|NAMES of headers|reach]` of every request, in order.
    pub(super) asked: Vec<String>,
    pub(super) verdict: Verdict,
    pub(super) ladder: Ladder,
    /// How each request that carried the key ended.
    pub(super) attempts: Vec<AttemptEnd>,
}

impl Run {
    pub(super) fn reason(&self) -> Reason {
        self.verdict.reason
    }

    /// Whether a line of the evidence holds `part`.
    pub(super) fn says(&self, part: &str) -> bool {
        self.verdict.evidence.iter().any(|line| line.contains(part))
    }
}

/// Runs the ladder over `replies`; asking for more than there are fails the test.
pub(super) fn climb(subject: Subject, replies: Vec<Reply>) -> Run {
    let answers = replies
        .into_iter()
        .map(|reply| RungAnswer::Reply(Box::new(reply)))
        .collect();
    climb_over(subject, answers)
}

pub(super) fn climb_over(subject: Subject, answers: Vec<RungAnswer>) -> Run {
    let service = CATALOG.get(&subject.service).unwrap();
    let first = Ladder::begin(service, subject, now());
    drive(first, answers)
}

pub(super) fn drive((mut ladder, mut step): (Box<Ladder>, Step), answers: Vec<RungAnswer>) -> Run {
    let mut asked = Vec::new();
    let mut attempts = Vec::new();
    let mut answers = answers.into_iter();
    loop {
        match step {
            Step::Ask(ask) => {
                asked.push(line(&ask));
                let carried = ask.carries_key();
                let Some(answer) = answers.next() else {
                    panic!("asked more than was expected: {asked:#?}")
                };
                let heard = matches!(answer, RungAnswer::Reply(_));
                step = ladder.answer(answer);
                assert_eq!(
                    ladder.attempt_end().is_some(),
                    carried && heard,
                    "{asked:#?}"
                );
                attempts.extend(ladder.attempt_end());
            }
            Step::Conclude(verdict) => {
                assert_eq!(
                    answers.len(),
                    0,
                    "asked too little: {asked:#?} {verdict:#?}"
                );
                return Run {
                    asked,
                    verdict: *verdict,
                    ladder: *ladder,
                    attempts,
                };
            }
        }
    }
}

fn line(ask: &crate::service::Ask) -> String {
    let request = &ask.request;
    let how = match &request.authorization {
        Authorization::None if request.stop_after == StopAfter::Reach => "reach".to_owned(),
        Authorization::None => "bare".to_owned(),
        Authorization::Basic { username, .. } => format!("Basic {username}"),
        Authorization::Headers(headers) => headers
            .iter()
            .map(|(name, _)| name.as_str())
            .collect::<Vec<_>>()
            .join("+"),
    };
    let url = request
        .url
        .as_str()
        .replace("https://billing.example.com", "");
    format!("{} {url} {how}", request.method)
}
