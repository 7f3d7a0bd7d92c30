//! Service files: whatever stands in one, it is read or refused with a place, and a service that was read
//! can be asked and judged.

#![no_main]

use jiff::Timestamp;
use libfuzzer_sys::fuzz_target;
use switchboard::domain::text::inert;
use switchboard::domain::{
    Failure, Outcome, Phases, Reason, Reply, Response, Secret, ServiceId, Verdict,
};
use switchboard::service::{
    Catalog, Ladder, RungAnswer, SecretState, Service, Step, Subject, hints,
};

/// Long enough for any ladder.
const RUNGS: usize = 16;

fuzz_target!(|text: &str| {
    let files = [("services/own.toml".to_owned(), text.to_owned())];
    match Catalog::with(files) {
        Err(problem) => {
            let words = problem.to_string();
            assert_eq!(inert(&words, 2_000), words);
            // What is missing at the end is missed behind the last line.
            assert!(problem.line <= text.split('\n').count(), "{problem:?}");
        }
        Ok(catalog) => {
            let embedded = ["blesta", "connect", "http"].map(ServiceId::new);
            for service in catalog.services() {
                if !embedded.contains(service.id()) {
                    used(&catalog, service);
                }
            }
        }
    }
});

fn used(catalog: &Catalog, service: &Service) {
    for reason in Reason::ALL {
        catalog.entry(*reason, Some(service.id()));
    }
    service.token_places();
    let key = Secret::new("SU-1:0123456789abcdef0123456789abcdef");
    hints::clean_secret(service, &key);
    hints::odd_shape(service, "SU-1", &key);
    hints::url_hint(service, "https://billing.example.com/admin/api?x=y#z");
    for (status, body) in [
        (
            200,
            r#"{"response":[{"id":1,"name":"Shop"}],"status":"ok"}"#,
        ),
        (401, r#"{"message":"denied","response":null}"#),
        (302, ""),
        (404, "<html><title>Not found</title>"),
    ] {
        let verdict = climb(service, &key, status, body);
        assert!(serde_json::to_string(&verdict).is_ok());
    }
}

/// Every request gets the same answer.
fn climb(service: &Service, key: &Secret, status: u16, body: &str) -> Verdict {
    let mut subject = Subject::new(service.id().clone(), "https://billing.example.com/shop");
    subject.username = "SU-1".to_owned();
    subject.key = SecretState::Present(key.clone());
    subject.token = SecretState::Present(key.clone());
    subject.cms = Some("joomla".to_owned());
    subject.cms_url = Some("https://cms.example.com".to_owned());
    let now = Timestamp::UNIX_EPOCH;
    let (mut ladder, mut step) = Ladder::begin(service, subject, now);
    for _ in 0..RUNGS {
        match step {
            Step::Conclude(verdict) => return *verdict,
            Step::Ask(ask) => {
                assert!(
                    !ask.carries_key() || ask.request.url.host_str() == Some("billing.example.com")
                );
                step = ladder.answer(RungAnswer::Reply(Box::new(reply(now, status, body))));
            }
        }
    }
    panic!("a ladder without an end");
}

fn reply(at: Timestamp, status: u16, body: &str) -> Reply {
    let outcome = match status {
        0 => Outcome::Failed(Failure::Refused),
        _ => Outcome::Answered(Response {
            status,
            headers: vec![
                ("location".to_owned(), "/admin/login".to_owned()),
                ("server".to_owned(), "nginx".to_owned()),
            ],
            body: body.as_bytes().to_vec(),
        }),
    };
    Reply {
        at,
        phases: Phases::default(),
        addresses: Vec::new(),
        tls: None,
        proxy: None,
        sent: true,
        repeated: None,
        wants_http1: false,
        outcome,
    }
}
