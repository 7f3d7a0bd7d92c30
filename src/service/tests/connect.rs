//! `CloudBlue` Connect.

use jiff::SignedDuration;

use super::harness::*;
use crate::domain::budget::AttemptEnd;
use crate::domain::{
    AnsweredBy, CheckId, Outcome, Reason, Remedy, Reply, Secret, ServiceId, State,
};
use crate::service::{
    Accepted, HinderedBy, Hindrance, OwnTokenSeen, SecretState, Subject, Trigger,
};

const URL: &str = "https://api.connect.cloudblue.com/public/v1/";
const SECRET: &str = "f45bee7e79b10ff6eff67902ccb4f3d46724ceb8";
const ACCOUNTS: &str = r#"[{"id":"VA-000-000","name":"Vendor account 00","type":"vendor"}]"#;
const UNAUTHORIZED: &str = r#"{"error_code":"AUTH_001","errors":["API request is unauthorized."]}"#;

fn connect() -> Subject {
    with_pair(
        Subject::new(ServiceId::connect(), URL),
        "SU-160-984-311",
        SECRET,
    )
}

fn own(status: u16, body: &str) -> Reply {
    answer(status, &[("Connect-Version", "24.0.1118-ge613fc5")], body)
}

fn scheduled() -> Subject {
    let mut subject = connect();
    subject.trigger = Trigger::Scheduled;
    subject.past.service_seen = true;
    subject
}

#[test]
fn the_url_alone_shows_the_version() {
    for status in [200, 401, 403] {
        let run = climb(
            Subject::new(ServiceId::connect(), URL),
            vec![own(status, "{}")],
        );
        assert_eq!(
            run.asked,
            ["GET https://api.connect.cloudblue.com/public/v1 bare"]
        );
        assert_eq!(run.reason(), Reason::ServiceFound, "{status}");
    }
}

#[test]
fn a_404_of_connects_own_does_not_show_where_its_api_is() {
    let base = "GET https://api.connect.cloudblue.com/public/v1 bare";
    let call = "GET https://api.connect.cloudblue.com/public/v1/accounts?limit=1 bare";
    let alone = || Subject::new(ServiceId::connect(), URL);
    // Its base need not have a page of its own.
    for status in [401, 403] {
        let run = climb(alone(), vec![own(404, "{}"), own(status, UNAUTHORIZED)]);
        assert_eq!(run.asked, [base, call]);
        assert_eq!(
            (run.reason(), run.verdict.status),
            (Reason::ServiceFound, status)
        );
        assert!(run.ladder.service_seen());
    }
    let found = vec![
        own(404, "{}"),
        own(401, UNAUTHORIZED),
        own(200, ACCOUNTS),
        own(200, "{}"),
    ];
    assert_eq!(climb(connect(), found).reason(), Reason::Connected);
    // Nor is what answers to every path an API at this one: no key is sent there.
    for subject in [alone(), connect()] {
        let run = climb(subject, vec![own(404, "{}"), own(404, "{}")]);
        assert_eq!(run.asked, [base, call]);
        assert_eq!(run.reason(), Reason::ApiPathWrong);
        assert!(!run.ladder.service_seen());
    }
    let run = climb(alone(), vec![own(404, "{}"), html(502, &[], "<html>")]);
    assert_eq!(run.reason(), Reason::GatewayDown);
}

#[test]
fn a_url_that_ends_before_or_behind_the_api_is_put_right() {
    let host = "https://api.connect.cloudblue.com";
    for (path, fix) in [
        ("", Some("/public/v1")),
        ("/public", Some("/public/v1")),
        ("/public/v1/accounts", Some("/public/v1")),
        (
            "/proxy/public/v1/auth/tokens?limit=1",
            Some("/proxy/public/v1"),
        ),
        ("/public/v1", None),
        ("/public/v2", None),
    ] {
        let subject = Subject::new(ServiceId::connect(), &format!("{host}{path}"));
        let run = climb(subject, vec![own(404, "{}"), own(404, "{}")]);
        assert_eq!(run.reason(), Reason::ApiPathWrong, "{path}");
        let fix = fix.map(|fix| format!("{host}{fix}"));
        assert_eq!(run.verdict.remedy.url, fix, "{path}");
    }
}

#[test]
fn a_portal_of_one_s_own_has_the_api_beside_it() {
    let api = "CloudBlue's own portal has its API at another host";
    for (url, fix) in [
        (
            "http://127.0.0.1:8080",
            Some("http://127.0.0.1:8080/public/v1"),
        ),
        (
            "https://connect.example.com/",
            Some("https://connect.example.com/public/v1"),
        ),
        ("https://connect.example.com/public/v1", None),
        ("https://connect.example.com/app", None),
        ("https://connect.cloudblue.com", None),
        ("https://provider.connect.cloudblue.com", None),
        (
            "https://myconnect.cloudblue.com",
            Some("https://myconnect.cloudblue.com/public/v1"),
        ),
    ] {
        let subject = Subject::new(ServiceId::connect(), url);
        let run = climb(subject, vec![html(200, &[], "<html><title>Portal</title>")]);
        assert_eq!(run.reason(), Reason::NotTheService, "{url}");
        let Remedy {
            steps,
            url: offered,
            ..
        } = &run.verdict.remedy;
        assert_eq!(offered.as_deref(), fix, "{url}");
        let first = match fix {
            Some(fix) => format!("not of the portal: {fix}."),
            None => api.to_owned(),
        };
        assert!(steps[0].contains(&first), "{url}: {steps:?}");
        assert!(steps.iter().any(|step| step.starts_with(api)), "{steps:?}");
    }
}

#[test]
fn the_call_behind_a_base_without_a_page_is_one_of_a_bisect_s_four() {
    let base = "GET https://api.connect.cloudblue.com/public/v1 bare";
    let call = "GET https://api.connect.cloudblue.com/public/v1/accounts?limit=1 bare";
    let keyed = call.replace("bare", "Authorization");
    let mut subject = connect();
    subject.trigger = Trigger::Bisect;
    for (answer, reason) in [
        (own(200, ACCOUNTS), Reason::Connected),
        (own(401, UNAUTHORIZED), Reason::CredentialsRejected),
    ] {
        let replies = vec![own(404, "{}"), own(401, UNAUTHORIZED), answer];
        let run = climb(subject.clone(), replies);
        assert_eq!(run.asked, [base, call, &keyed]);
        assert_eq!(run.reason(), reason);
        assert!(run.says("requests sent: 3; with the key: 1"));
    }
    let run = climb(subject, vec![own(404, "{}"), own(404, "{}")]);
    assert_eq!((run.asked.len(), run.reason()), (2, Reason::ApiPathWrong));
}

#[test]
fn the_call_behind_a_base_without_a_page_may_be_redirected() {
    let elsewhere = "https://other.example/public/v1/accounts";
    let moved = || answer(301, &[("Location", elsewhere)], "");
    for subject in [Subject::new(ServiceId::connect(), URL), connect()] {
        let run = climb(
            subject,
            vec![own(404, "{}"), moved(), own(401, UNAUTHORIZED)],
        );
        assert_eq!(run.asked.len(), 3, "{:?}", run.asked);
        assert_eq!(run.asked[2], format!("GET {elsewhere} bare"));
        assert_eq!(run.reason(), Reason::RedirectHost, "{:#?}", run.verdict);
        assert_eq!(run.attempts, [], "no key follows");
        let mended = run.verdict.remedy.url.as_deref();
        assert_eq!(mended, Some("https://other.example/public/v1"));
    }
}

#[test]
fn a_key_is_accepted() {
    let token = r#"{"id":"SU-160-984-311","status":"active","expiration_date":"2027-01-01"}"#;
    let run = climb(
        connect(),
        vec![own(401, UNAUTHORIZED), own(200, ACCOUNTS), own(200, token)],
    );
    assert_eq!(
        run.asked,
        [
            "GET https://api.connect.cloudblue.com/public/v1 bare",
            "GET https://api.connect.cloudblue.com/public/v1/accounts?limit=1 Authorization",
            "GET https://api.connect.cloudblue.com/public/v1/auth/tokens/SU-160-984-311 Authorization",
        ]
    );
    assert_eq!((run.reason(), run.verdict.status), (Reason::Connected, 200));
    assert_eq!(
        run.verdict.service_version.as_deref(),
        Some("24.0.1118-ge613fc5")
    );
    assert_eq!(
        run.verdict.identity.as_ref().unwrap().id.as_deref(),
        Some("VA-000-000")
    );
    assert!(run.says("the key's own token is active"));
}

#[test]
fn a_token_that_ends_is_said() {
    for (status, reason) in [
        ("expiring", Reason::KeyInUseInactive),
        ("expired", Reason::KeyInUseInactive),
        ("inactive", Reason::KeyInUseInactive),
        ("revitalised", Reason::Connected),
        ("something new", Reason::Connected),
    ] {
        let token = format!(r#"{{"status":"{status}","token":"never shown"}}"#);
        let mut subject = connect();
        subject.past.service_seen = true;
        let run = climb(subject, vec![own(200, ACCOUNTS), own(200, &token)]);
        assert_eq!(run.reason(), reason, "{status}");
        let cause = &run.verdict.cause;
        assert!(
            reason == Reason::Connected || cause.contains(status),
            "{cause}"
        );
        assert!(!format!("{:?}", run.verdict).contains("never shown"));
    }
}

#[test]
fn whoever_has_the_new_secret_of_a_renewed_token_is_not_told_to_renew_it() {
    let other = "ffffffffffffffffffffffffffffffff";
    let asked = |old: &str, new: &str, status: &str| {
        let token = format!(
            r#"{{"status":"{status}","token":"{old}","expiration_date":"2026-12-02T00:00:00Z",
                "renewed_token":"{new}","renewed_expiration_date":"2027-11-27T00:00:00+00:00"}}"#
        );
        climb(
            connect(),
            vec![own(401, UNAUTHORIZED), own(200, ACCOUNTS), own(200, &token)],
        )
    };
    let renewed = asked(other, SECRET, "expiring");
    assert_eq!(renewed.reason(), Reason::Connected);
    let evidence = renewed.verdict.evidence.join("\n");
    assert!(
        evidence.contains("the key's own token is renewed"),
        "{evidence}"
    );
    assert!(
        evidence.contains("it expires 2027-11-27T00:00:00Z"),
        "{evidence}"
    );
    assert!(
        !evidence.contains(other) && !evidence.contains(SECRET),
        "{evidence}"
    );
    // The old secret ends, and what is disabled is so with either.
    for (old, new, status) in [(SECRET, other, "expiring"), (other, SECRET, "inactive")] {
        let run = asked(old, new, status);
        assert_eq!(run.reason(), Reason::KeyInUseInactive, "{status}");
    }
}

#[test]
fn a_watch_says_what_a_person_is_told_of_the_token_and_asks_once_a_day() {
    let scheduled = |asked_ago: Option<SignedDuration>| {
        let mut subject = connect();
        subject.trigger = Trigger::Scheduled;
        subject.past.service_seen = true;
        subject.past.accepted = Some(Accepted {
            own_token: asked_ago.map(|ago| OwnTokenSeen {
                at: now().checked_sub(ago).unwrap(),
                status: Some("expiring".to_owned()),
                expires: None,
            }),
            ..Accepted::default()
        });
        subject
    };
    let day = SignedDuration::from_hours(24);
    let second = SignedDuration::from_secs(1);
    let active = || own(200, r#"{"status":"active"}"#);
    for (asked_ago, asks) in [
        (None, true),
        (Some(second), false),
        (Some(day - second), false),
        (Some(day), true),
        (Some(-second), true),
    ] {
        let mut replies = vec![own(200, ACCOUNTS)];
        replies.extend(asks.then(active));
        let run = climb(scheduled(asked_ago), replies);
        let (reason, status) = if asks {
            (Reason::Connected, "active")
        } else {
            (Reason::KeyInUseInactive, "expiring")
        };
        assert_eq!(run.reason(), reason, "{asked_ago:?}");
        let seen = run.ladder.accepted().unwrap().own_token.unwrap();
        assert_eq!(seen.status.as_deref(), Some(status));
        assert_eq!(seen.at == now(), asks, "when it was asked is remembered");
    }
    // What was known holds where it can't be asked for today, and is not asked for at every interval.
    for further in [
        own(403, "{}"),
        own(401, UNAUTHORIZED),
        html(502, &[], "<html>"),
    ] {
        let run = climb(scheduled(Some(day)), vec![own(200, ACCOUNTS), further]);
        assert_eq!(run.reason(), Reason::KeyInUseInactive);
        let seen = run.ladder.accepted().unwrap().own_token.unwrap();
        assert_eq!((seen.at, seen.status.as_deref()), (now(), Some("expiring")));
        assert!(!run.attempts.contains(&AttemptEnd::Rejected));
    }
    let run = climb(scheduled(None), vec![own(200, ACCOUNTS), own(403, "{}")]);
    let seen = run.ladder.accepted().unwrap().own_token.unwrap();
    assert_eq!((seen.at, seen.status), (now(), None));
}

#[test]
fn a_token_that_may_not_look_at_itself_falls_back() {
    for further in [
        own(403, "{}"),
        own(404, "{}"),
        html(502, &[], "<html>"),
        own(200, "[]"),
    ] {
        let mut subject = connect();
        subject.past.service_seen = true;
        assert_eq!(
            climb(subject, vec![own(200, ACCOUNTS), further]).reason(),
            Reason::Connected
        );
    }
}

#[test]
fn only_connects_own_403_proves_the_key() {
    let foreign = r#"{"message":"Forbidden"}"#;
    for (reply, end) in [
        (
            json(403, r#"{"error_code":"AUTH_003","errors":[]}"#),
            AttemptEnd::Accepted,
        ),
        (own(403, "{}"), AttemptEnd::Accepted),
        (json(403, foreign), AttemptEnd::Inconclusive),
    ] {
        let run = climb(scheduled(), vec![reply]);
        assert_eq!(run.attempts, [end], "{:#?}", run.verdict);
    }
    let run = climb(scheduled(), vec![json(403, foreign)]);
    assert_ne!(run.reason(), Reason::PermissionMissing);
    assert!(!run.verdict.cause.contains("knows the key"));
}

#[test]
fn refusals_have_their_reasons() {
    for (reply, reason, by) in [
        (
            own(401, UNAUTHORIZED),
            Reason::CredentialsRejected,
            AnsweredBy::Service,
        ),
        (
            json(401, UNAUTHORIZED),
            Reason::CredentialsRejected,
            AnsweredBy::Service,
        ),
        (
            own(403, "{}"),
            Reason::PermissionMissing,
            AnsweredBy::Service,
        ),
        (
            json(403, r#"{"error_code":"AUTH_003","errors":[]}"#),
            Reason::PermissionMissing,
            AnsweredBy::Service,
        ),
        (
            html(403, &[("Server", "cloudflare"), ("cf-ray", "1")], "<html>"),
            Reason::CdnBlock,
            AnsweredBy::Cdn,
        ),
        (own(404, "{}"), Reason::ApiPathWrong, AnsweredBy::Service),
        (
            html(404, &[], "<html>"),
            Reason::NotFound,
            AnsweredBy::WebServer,
        ),
        (
            own(500, "oops"),
            Reason::ServiceException,
            AnsweredBy::Service,
        ),
        (
            html(502, &[], "<html>"),
            Reason::GatewayDown,
            AnsweredBy::WebServer,
        ),
        (
            html(200, &[], "<html><title>Portal</title>"),
            Reason::NotTheService,
            AnsweredBy::WebServer,
        ),
        (
            json(200, r#"{"a":1}"#),
            Reason::NotTheService,
            AnsweredBy::Unknown,
        ),
        (
            own(200, r#"{"a":1}"#),
            Reason::NotTheService,
            AnsweredBy::Service,
        ),
    ] {
        let run = climb(scheduled(), vec![reply]);
        assert_eq!(run.asked.len(), 1);
        assert_eq!(
            (run.reason(), run.verdict.answered_by),
            (reason, by),
            "{:#?}",
            run.verdict
        );
    }
    assert_eq!(
        climb(scheduled(), vec![own(200, "[]"), own(403, "{}")]).reason(),
        Reason::Connected
    );
}

#[test]
fn the_handle_is_accepted_as_it_is_pasted() {
    for pasted in [
        format!("ApiKey SU-160-984-311:{SECRET}"),
        format!("SU-160-984-311:{SECRET}"),
        format!("Authorization: ApiKey SU-160-984-311:{SECRET}\n"),
    ] {
        let mut subject = scheduled();
        subject.username = String::new();
        subject.key = SecretState::Present(Secret::new(pasted));
        let run = climb(subject, vec![own(200, ACCOUNTS), own(403, "{}")]);
        assert_eq!(run.reason(), Reason::Connected);
        let (username, key) = run.ladder.pair().unwrap();
        assert_eq!((username, key.expose()), ("SU-160-984-311", SECRET));
    }
}

/// Its answer would be a 401 at every interval: a watcher must not look like an attacker.
#[test]
fn without_its_key_connect_is_asked_nothing() {
    let mut subject = scheduled();
    subject.key = SecretState::Unavailable(Hindrance::new(HinderedBy::Lock, "locked"));
    let reached = Reply {
        outcome: Outcome::Reached,
        ..own(401, UNAUTHORIZED)
    };
    let run = climb(subject, vec![reached]);
    assert_eq!(
        run.asked,
        ["GET https://api.connect.cloudblue.com/public/v1 reach"]
    );
    assert_eq!(run.reason(), Reason::SecretUnavailable);
}

#[test]
fn what_a_cache_hands_out_says_nothing_of_the_key() {
    let kept = |status, body| answer(status, &[("Age", "5")], body);
    let run = climb(scheduled(), vec![kept(403, UNAUTHORIZED)]);
    let told = (run.reason(), run.verdict.title.as_str());
    assert_eq!(told, (Reason::UnexpectedStatus, "403 Out of a cache"));
    assert_eq!(run.attempts, [AttemptEnd::Cached]);
    // What was known of the key's own token holds, and is not asked for.
    let mut known = scheduled();
    known.trigger = Trigger::Asked;
    known.past.accepted = Some(Accepted {
        own_token: Some(OwnTokenSeen {
            at: now(),
            status: Some("expiring".to_owned()),
            expires: None,
        }),
        ..Accepted::default()
    });
    let run = climb(known, vec![kept(200, ACCOUNTS)]);
    assert_eq!(run.reason(), Reason::KeyInUseInactive);
    let check = run.verdict.checks.get(CheckId::Credentials);
    assert_eq!(check.state, State::Unknown, "{check:?}");
    let cause = &run.verdict.cause;
    assert!(cause.contains("does not show whether"), "{cause}");
    assert_eq!(run.attempts, [AttemptEnd::Cached]);
    assert!(run.ladder.accepted().is_none() && run.says("from a cache"));
}
