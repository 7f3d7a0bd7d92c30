//! The shared token: alone (`token verify`), and as the last rung of a probe.

use super::harness::*;
use crate::domain::{CheckId, Failure, Reason, Reply, Secret, ServiceId, State, Who};
use crate::service::{HinderedBy, Hindrance, RungAnswer, SecretState, Subject, Trigger, verify};

const PONG: &str = r#"{"result":"success","data":"pong"}"#;

fn error(text: &str) -> Reply {
    json(200, &format!(r#"{{"result":"error","error":"{text}"}}"#))
}

fn subject() -> Subject {
    let mut subject = shop();
    subject.token = SecretState::Present(Secret::new("shared"));
    subject.cms_url = Some("https://cms.example".to_owned());
    subject
}

fn alone(subject: Subject, replies: Vec<Reply>) -> Run {
    let service = CATALOG.get(&ServiceId::blesta()).unwrap();
    let answers = replies
        .into_iter()
        .map(|reply| RungAnswer::Reply(Box::new(reply)));
    drive(verify::begin(service, subject, now()), answers.collect())
}

fn in_a_probe(reply: Reply) -> Run {
    let mut subject = subject();
    subject.trigger = Trigger::Scheduled;
    subject.past.service_seen = true;
    climb(subject, vec![json(200, COMPANIES), reply])
}

#[test]
fn a_password_in_a_url_is_in_no_verdict() {
    for (url, corrected) in [
        (
            "https://shop:hunter2@cms.example/",
            Some("https://cms.example/"),
        ),
        ("ftp://shop:hunter2@cms.example/", None),
        ("https://shop:hunter2@cms.example:99999/", None),
        ("//shop:hunter2@cms.example", None),
    ] {
        let mut cms = subject();
        cms.cms_url = Some(url.to_owned());
        let own = Subject::new(ServiceId::blesta(), url);
        for run in [alone(cms, Vec::new()), climb(own, Vec::new())] {
            assert_eq!(run.reason(), Reason::UrlInvalid);
            let json = serde_json::to_string(&run.verdict).unwrap();
            assert!(!json.contains("hunter2"), "{json}");
            assert!(run.verdict.url.contains("cms.example"), "{json}");
            assert_eq!(run.verdict.remedy.url.as_deref(), corrected);
        }
    }
}

#[test]
fn a_blank_around_the_token_is_named() {
    let mut blank = subject();
    blank.token = SecretState::Present(Secret::new("shared "));
    let mismatch = || error("Built signature does not match");
    let run = alone(blank, vec![mismatch()]);
    assert_eq!(run.reason(), Reason::TokenMismatch);
    assert!(run.says("a blank stands before or behind the token"));
    assert!(!alone(subject(), vec![mismatch()]).says("a blank stands"));
}

/// The call is signed: whoever holds the URL may repeat it.
#[test]
fn the_signature_of_a_call_is_masked_where_the_cms_redirects_it() {
    let there = "https://elsewhere.example/?jblesta=Verify&apitimestamp=1&apisignature=EEwtT0k%3D";
    let run = alone(subject(), vec![answer(301, &[("Location", there)], "")]);
    let json = serde_json::to_string(&run.verdict).unwrap();
    assert!(
        json.contains("elsewhere.example") && !json.contains("EEwtT0k"),
        "{json}"
    );
}

#[test]
fn the_url_of_the_service_is_not_taken_for_the_cms() {
    let denied = || json(401, DENIED);
    let run = alone(subject(), vec![denied()]);
    let in_probe = in_a_probe(denied());
    for run in [run, in_probe] {
        assert_eq!(run.reason(), Reason::TokenEndpointAbsent);
        let cause = &run.verdict.cause;
        assert!(
            cause.starts_with("Blesta itself answers at https://cms.example"),
            "{cause}"
        );
        assert!(run.verdict.remedy.steps[0].contains("CMS URL"));
    }
    let connect = r#"{"error_code":"AUTH_001","errors":["API request is unauthorized."]}"#;
    let version = [("Connect-Version", "24.0.1118-ge613fc5")];
    let run = alone(subject(), vec![answer(401, &version, connect)]);
    assert_eq!(
        run.reason(),
        Reason::TokenEndpointAbsent,
        "{:#?}",
        run.verdict
    );
}

#[test]
fn a_refusal_in_another_language_is_shown_and_not_explained_away() {
    let run = alone(subject(), vec![error("Die Signatur ist abgelaufen")]);
    assert_eq!(run.reason(), Reason::TokenMismatch);
    assert!(
        run.verdict.cause.contains("words that are not known"),
        "{}",
        run.verdict.cause
    );
    assert!(run.says("the bridge says: Die Signatur ist abgelaufen"));
}

#[test]
fn a_dead_server_is_not_called_a_cms_that_was_switched_off() {
    for (status, words) in [(502, "Gateway"), (503, "The CMS is offline")] {
        let run = alone(subject(), vec![html(status, &[], "<html>")]);
        assert_eq!(run.reason(), Reason::GatewayDown);
        assert!(run.verdict.title.contains(words), "{}", run.verdict.title);
    }
}

#[test]
fn every_answer_of_the_bridge_has_its_reason() {
    for (reply, alone_reason, probe_reason) in [
        (json(200, PONG), Reason::TokenValid, Reason::Connected),
        (
            error("Signatures do not match: a, b"),
            Reason::TokenHeaderStripped,
            Reason::TokenHeaderStripped,
        ),
        (
            error("Built signature does not match x"),
            Reason::TokenMismatch,
            Reason::TokenMismatch,
        ),
        (
            error("The request is old by 60 s"),
            Reason::TokenClock,
            Reason::TokenClock,
        ),
        (
            error("API Method /x is unknown"),
            Reason::TokenEndpointAbsent,
            Reason::TokenEndpointAbsent,
        ),
        (
            error("Signatur falsch"),
            Reason::TokenMismatch,
            Reason::TokenMismatch,
        ),
        (
            html(200, &[], "<html><title>Home</title>"),
            Reason::TokenEndpointAbsent,
            Reason::TokenEndpointAbsent,
        ),
        (
            html(404, &[], "<html>"),
            Reason::TokenEndpointAbsent,
            Reason::TokenEndpointAbsent,
        ),
        (
            json(200, r#"{"result":"success","data":"x"}"#),
            Reason::TokenEndpointAbsent,
            Reason::TokenEndpointAbsent,
        ),
        (
            html(503, &[], "<html>"),
            Reason::GatewayDown,
            Reason::TokenEndpointAbsent,
        ),
        (
            html(403, &[("cf-mitigated", "challenge")], "<html>"),
            Reason::ChallengePage,
            Reason::TokenEndpointAbsent,
        ),
        (
            failed(Failure::Refused),
            Reason::Refused,
            Reason::TokenEndpointAbsent,
        ),
    ] {
        let run = alone(subject(), vec![reply.clone()]);
        assert_eq!(run.reason(), alone_reason, "{:#?}", run.verdict);
        assert!(run.asked[0].starts_with("GET https://cms.example/index.php?jblesta=%2Fe4c2"));
        assert_eq!(run.attempts, []);
        let run = in_a_probe(reply);
        assert_eq!(run.reason(), probe_reason, "{:#?}", run.verdict);
        let url = "https://billing.example.com";
        assert!(!run.verdict.cause.contains(url), "{}", run.verdict.cause);
        assert_eq!(
            run.verdict.identity.as_ref().unwrap().name.as_deref(),
            Some("Shop Ltd")
        );
        let token = run.verdict.checks.get(CheckId::Token).state;
        let expected = if probe_reason == Reason::Connected {
            State::Ok
        } else {
            State::Warn
        };
        assert_eq!(token, expected);
        // The plugin is installed, enabled and updated by whoever connects the two.
        if probe_reason == Reason::TokenEndpointAbsent {
            assert_eq!(run.verdict.remedy.who, Who::You, "{:?}", run.verdict.cause);
        }
    }
    let php = "<b>Notice</b>: x in /a.php on line <b>3</b><br />";
    let run = alone(subject(), vec![html(200, &[], &format!("{php}{PONG}"))]);
    assert_eq!(run.reason(), Reason::TokenValid);
}

#[test]
fn the_token_is_never_sent() {
    let run = alone(subject(), vec![json(200, PONG)]);
    assert!(!run.asked.iter().any(|line| line.contains("shared")));
}

#[test]
fn what_can_not_be_checked_is_said() {
    let mut no_url = subject();
    no_url.cms_url = None;
    assert_eq!(
        alone(no_url.clone(), vec![]).reason(),
        Reason::TokenUnverifiable
    );
    no_url.trigger = Trigger::Scheduled;
    no_url.past.service_seen = true;
    let run = climb(no_url, vec![json(200, COMPANIES)]);
    assert_eq!(run.reason(), Reason::Connected);
    let token = run.verdict.checks.get(CheckId::Token);
    assert_eq!((token.state, &token.detail), (State::Unknown, &None));
    assert!(run.says("no CMS URL"));
    for cms in ["modx", "concrete5", "unheard-of"] {
        let mut other = subject();
        other.cms = Some(cms.to_owned());
        assert_eq!(
            alone(other, vec![]).reason(),
            Reason::TokenUnverifiable,
            "{cms}"
        );
    }
    let mut locked = subject();
    locked.token = SecretState::Unavailable(Hindrance::new(HinderedBy::Lock, "locked"));
    assert_eq!(
        alone(locked, vec![reached()]).reason(),
        Reason::SecretUnavailable
    );
    let mut absent = subject();
    absent.token = SecretState::Absent;
    let run = alone(absent, vec![reached()]);
    assert_eq!(
        (run.reason(), run.verdict.title.as_str()),
        (Reason::KeyMissing, "Enter the token")
    );
    let mut bad = subject();
    bad.cms_url = Some("ftp://cms".to_owned());
    assert_eq!(alone(bad, vec![]).reason(), Reason::UrlInvalid);
}

#[test]
fn four_rows_as_in_an_api_check() {
    use State::{Down, Ok, Unknown, Warn};
    let mut absent = subject();
    absent.token = SecretState::Absent;
    let mut no_url = subject();
    no_url.cms_url = None;
    for (subject, replies, expected) in [
        (subject(), vec![json(200, PONG)], [Ok, Ok, Ok, Ok]),
        (
            subject(),
            vec![error("Built signature does not match")],
            [Ok, Ok, Ok, Warn],
        ),
        (
            subject(),
            vec![html(404, &[], "<html>")],
            [Ok, Ok, Ok, Warn],
        ),
        (
            subject(),
            vec![failed(Failure::DnsNotFound)],
            [Ok, Down, Ok, Unknown],
        ),
        (
            subject(),
            vec![failed(Failure::Refused)],
            [Ok, Down, Ok, Unknown],
        ),
        (absent, vec![reached()], [Ok, Ok, Unknown, Unknown]),
        (no_url, vec![], [Unknown, Unknown, Ok, Unknown]),
    ] {
        let is_set = matches!(subject.token, SecretState::Present(_));
        let run = alone(subject, replies);
        let rows = verify::rows(&run.verdict, is_set);
        assert_eq!(
            rows.each_ref().map(|row| row.label),
            ["API URL", "URL Found", "Token Set", "Token Valid"]
        );
        assert_eq!(rows.each_ref().map(|row| row.state), expected, "{rows:#?}");
    }
}

#[test]
fn a_cms_that_moved_is_named() {
    let run = alone(
        subject(),
        vec![html(
            301,
            &[("Location", "https://www.cms.example/index.php?jblesta=x")],
            "",
        )],
    );
    assert_eq!(run.reason(), Reason::RedirectHost);
    assert_eq!(
        run.verdict.remedy.url.as_deref(),
        Some("https://www.cms.example")
    );
}

#[test]
fn what_the_cms_answers_is_told_of_the_cms() {
    let asks = [("WWW-Authenticate", "Basic realm=x"), ("Server", "nginx")];
    let challenge = "<html><head><title>Just a moment...</title></head></html>";
    for (reply, reason, part) in [
        (
            html(401, &asks, "no"),
            Reason::ServerPassword,
            "in front of the CMS",
        ),
        (html(500, &[], "no"), Reason::ServerError, "running the CMS"),
        (
            html(503, &[], "offline"),
            Reason::GatewayDown,
            "in the place of the CMS",
        ),
        (
            html(200, &[], challenge),
            Reason::ChallengePage,
            "challenge",
        ),
    ] {
        let run = alone(subject(), vec![reply]);
        assert_eq!(run.reason(), reason);
        let cause = &run.verdict.cause;
        assert!(cause.contains(part) && !cause.contains("Blesta"), "{cause}");
        assert_eq!(run.verdict.remedy.snippet, None);
    }
}
