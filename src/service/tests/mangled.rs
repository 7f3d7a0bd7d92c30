//! Whatever comes from a server: nothing panics, nothing active is shown, and only the service's own
//! reply is a success.

use proptest::prelude::*;

use super::harness::*;
use crate::domain::text::inert;
use crate::domain::{Outcome, Reply, Response, Secret, ServiceId, State};
use crate::service::{Ladder, RungAnswer, SecretState, Step, Subject, Trigger};

const PIECES: &[&str] = &[
    COMPANIES,
    DENIED,
    r#"{"response":false}"#,
    r#"{"response":null}"#,
    r#"{"message":"#,
    "<html><title>\u{1b}]0;x\u{7}Shop\u{202e}</title>",
    "<b>Warning</b>: x in /a.php on line <b>3</b>",
    "\u{feff}",
    "\n ",
    "{",
    "}",
    "[",
    "]",
    "\"",
    "captcha",
    "mod_security",
    "<center>nginx</center>",
    r#"[{"id":"VA-1"}]"#,
    r#"{"error_code":"AUTH_001"}"#,
];

fn body() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        proptest::collection::vec(any::<u8>(), 0..200),
        proptest::collection::vec(proptest::sample::select(PIECES), 0..5)
            .prop_map(|pieces| pieces.concat().into_bytes()),
    ]
}

fn header() -> impl Strategy<Value = (String, String)> {
    let name = proptest::sample::select(vec![
        "server",
        "location",
        "retry-after",
        "date",
        "cf-ray",
        "cf-mitigated",
        "via",
        "www-authenticate",
        "connect-version",
        "content-type",
        "age",
    ]);
    let value = prop_oneof![
        any::<String>(),
        Just("cloudflare".to_owned()),
        Just("challenge".to_owned()),
        Just("/admin/login".to_owned()),
        Just("https://evil.example/x".to_owned()),
        Just("99999999999999".to_owned()),
        Just("Mon, 23 Nov 9999 10:10:00 GMT".to_owned()),
    ];
    (name.prop_map(str::to_owned), value)
}

fn reply() -> impl Strategy<Value = Reply> {
    let status = prop_oneof![
        proptest::sample::select(vec![
            200_u16, 204, 301, 302, 401, 403, 404, 406, 415, 429, 500, 503, 520
        ]),
        any::<u16>(),
    ];
    (status, proptest::collection::vec(header(), 0..4), body()).prop_map(
        |(status, headers, body)| {
            bare(Outcome::Answered(Response {
                status,
                headers,
                body,
            }))
        },
    )
}

/// Whether a body ends in the service's own success: the judge's rule, written once more and plainly.
fn is_own_success(service: &str, response: &Response) -> bool {
    let text = String::from_utf8_lossy(&response.body);
    let has = |part: &str| text.contains(part);
    match service {
        "blesta" => {
            (200..300).contains(&response.status)
                && has("\"response\":")
                && (has("\"response\":[") || has("\"response\":false"))
        }
        "connect" => response.status == 200 && has("["),
        _ => (200..300).contains(&response.status),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_panics_and_nothing_foreign_is_taken_for_the_service(
        service in proptest::sample::select(vec!["blesta", "connect", "http"]),
        trigger in proptest::sample::select(vec![
            Trigger::UrlTyping, Trigger::HalfTyped, Trigger::Typing, Trigger::Asked, Trigger::Scheduled, Trigger::Bisect,
        ]),
        seen in any::<bool>(),
        replies in proptest::collection::vec(reply(), 8),
    ) {
        let id = ServiceId::new(service);
        let mut subject = Subject::new(id.clone(), "https://billing.example.com/shop");
        let (username, key) = match service {
            "connect" => ("SU-1", "0123456789"),
            _ => ("shop-api", KEY),
        };
        subject = with_pair(subject, username, key);
        subject.trigger = trigger;
        subject.past.service_seen = seen;
        let (mut ladder, mut step) = Ladder::begin(CATALOG.get(&id).unwrap(), subject, now());
        let mut replies = replies.into_iter();
        let mut heard: Vec<Response> = Vec::new();
        let mut carried = 0;
        let verdict = loop {
            match step {
                Step::Conclude(verdict) => break verdict,
                Step::Ask(ask) => {
                    if ask.carries_key() {
                        carried += 1;
                        prop_assert_eq!(ask.request.url.host_str(), Some("billing.example.com"));
                    }
                    let reply = replies.next().expect("a ladder of more than eight rungs");
                    if let Outcome::Answered(response) = &reply.outcome {
                        heard.push(response.clone());
                    }
                    step = ladder.answer(RungAnswer::Reply(Box::new(reply)));
                }
            }
        };
        prop_assert!(!trigger.withholds_secrets() || carried == 0);
        prop_assert!(trigger != Trigger::Bisect || heard.len() <= 4);
        if verdict.state() == State::Ok {
            prop_assert!(heard.iter().any(|response| is_own_success(service, response)), "{:?}", heard);
        }
        let texts = [&verdict.title, &verdict.cause];
        let lines = texts.into_iter().chain(&verdict.evidence).chain(&verdict.redirects).chain(&verdict.remedy.steps);
        for line in lines {
            prop_assert_eq!(&inert(line, 4096), line);
        }
        serde_json::to_string(&*verdict).unwrap();
    }

    #[test]
    fn answers_after_the_end_do_no_harm(reply in reply()) {
        let subject = Subject::new(ServiceId::blesta(), "");
        let (mut ladder, _) = Ladder::begin(CATALOG.get(&ServiceId::blesta()).unwrap(), subject, now());
        let concluded = matches!(ladder.answer(RungAnswer::Reply(Box::new(reply))), Step::Conclude(_));
        prop_assert!(concluded);
    }
}

/// Base64 of `shop-api:` and the key.
const BASIC: &str = "c2hvcC1hcGk6MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";

#[test]
fn what_a_server_repeats_of_the_secrets_is_masked() {
    let page = format!("<html><title>{KEY} {KEY}, Basic {BASIC}</title>{KEY}");
    let named = COMPANIES.replace("Shop Ltd", &format!("Shop of {KEY}"));
    let location = format!("https://billing.example.com/login?key={KEY}&token=shared-token");
    let noisy = format!("{KEY} {COMPANIES}");
    let mut masked = false;
    for reply in [
        html(500, &[("Server", KEY), ("Via", BASIC)], &page),
        html(401, &[("WWW-Authenticate", &format!("X {KEY}"))], &page),
        answer(302, &[("Location", &location)], ""),
        json(200, &named),
        json(200, &noisy),
    ] {
        let mut subject = shop();
        subject.past.service_seen = true;
        subject.token = SecretState::Present(Secret::new("shared-token"));
        let (mut ladder, mut step) =
            Ladder::begin(CATALOG.get(&ServiceId::blesta()).unwrap(), subject, now());
        let verdict = loop {
            match step {
                Step::Conclude(verdict) => break verdict,
                Step::Ask(_) => step = ladder.answer(RungAnswer::Reply(Box::new(reply.clone()))),
            }
        };
        let json = serde_json::to_string(&*verdict).unwrap();
        for secret in [KEY, BASIC, "shared-token"] {
            assert!(!json.contains(secret), "{json}");
        }
        masked |= json.contains("••••");
    }
    assert!(masked, "nothing was repeated: these replies prove nothing");
}

#[test]
fn a_secret_that_is_a_common_word_masks_nothing() {
    let subject = with_pair(blesta("https://billing.example.com"), "shop-api", "Shop");
    let run = climb(
        Subject {
            trigger: Trigger::Asked,
            ..subject
        },
        vec![
            json(401, DENIED),
            json(200, COMPANIES),
            json(200, COMPANIES),
        ],
    );
    let identity = run.verdict.identity.unwrap();
    assert_eq!(identity.name.as_deref(), Some("Shop Ltd"));
}
