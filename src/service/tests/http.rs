//! Any HTTP API.

use super::harness::*;
use crate::domain::budget::{AttemptEnd, Stop, StoppedBy};
use crate::domain::{AuthStyle, CheckId, Reason, ServiceId, State};
use crate::service::{Catalog, Ladder, RungAnswer, Subject, Trigger};

fn http(url: &str) -> Subject {
    Subject::new(ServiceId::http(), url)
}

#[test]
fn without_credentials_the_expected_answer_is_connected() {
    for reply in [
        json(200, "{}"),
        answer(204, &[], ""),
        html(200, &[], "<html><title>Hello</title>"),
        answer(200, &[], "pong"),
    ] {
        let run = climb(http("https://e.com/health?deep=1#x"), vec![reply]);
        assert_eq!(run.asked, ["GET https://e.com/health?deep=1 bare"]);
        assert_eq!(
            (run.reason(), run.verdict.state()),
            (Reason::Connected, State::Ok)
        );
        assert_eq!(run.verdict.checks.get(CheckId::Service).state, State::Ok);
        assert_eq!(
            run.verdict.checks.get(CheckId::Credentials).state,
            State::Unknown
        );
    }
}

#[test]
fn a_403_of_whoever_it_may_be_is_no_proof_of_the_key() {
    for reply in [json(403, "{}"), answer(403, &[], "")] {
        let subject = with_pair(http("https://e.com"), "shop", "0123456789abcdef");
        let run = climb(subject, vec![reply]);
        assert_eq!(run.reason(), Reason::PermissionMissing);
        assert_eq!(run.attempts, [AttemptEnd::Inconclusive]);
        assert!(
            run.verdict.cause.contains("does not know the key"),
            "{}",
            run.verdict.cause
        );
    }
}

#[test]
fn a_403_without_a_key_is_not_laid_to_one() {
    for reply in [json(403, "{}"), answer(403, &[], "")] {
        let run = climb(http("https://e.com"), vec![reply]);
        assert_eq!(run.reason(), Reason::PermissionMissing);
        let cause = &run.verdict.cause;
        assert!(cause.contains("went without a key"), "{cause}");
    }
}

#[test]
fn every_status_has_its_reason() {
    for (reply, reason) in [
        (json(401, "{}"), Reason::CredentialsRejected),
        (
            html(401, &[("WWW-Authenticate", "Basic")], "<html>"),
            Reason::CredentialsRejected,
        ),
        (json(403, "{}"), Reason::PermissionMissing),
        (html(403, &[], "<html>"), Reason::ServerRule),
        (json(404, "{}"), Reason::ApiPathWrong),
        (html(404, &[], "<html>"), Reason::NotFound),
        (answer(405, &[], ""), Reason::UnexpectedStatus),
        (answer(429, &[], ""), Reason::RateLimited),
        (json(500, "{}"), Reason::ServiceException),
        (html(500, &[], "<html>"), Reason::ServerError),
        (json(503, "{}"), Reason::Maintenance),
        (html(503, &[], "<html>"), Reason::GatewayDown),
        (html(511, &[], "<html>"), Reason::ServerError),
        (
            html(200, &[("cf-mitigated", "challenge")], "<html>"),
            Reason::ChallengePage,
        ),
    ] {
        let run = climb(http("https://e.com"), vec![reply]);
        assert_eq!(run.reason(), reason, "{:#?}", run.verdict);
    }
    let run = climb(http("https://e.com"), vec![json(401, "{}")]);
    assert_eq!(run.verdict.title, "401 Denied: asks for credentials");
}

#[test]
fn a_page_is_no_proof_that_anybody_looked_at_the_key() {
    let keyed = || with_pair(http("https://e.com"), "shop", "0123456789abcdef");
    let page = html(200, &[], "<html><title>Welcome to our WiFi</title>");
    let run = climb(keyed(), vec![page]);
    assert_eq!(run.reason(), Reason::Connected);
    let cause = run.verdict.cause;
    assert!(cause.contains("Welcome to our WiFi"), "{cause}");
    assert!(!cause.contains("took the credentials"), "{cause}");
    assert_eq!(run.attempts, [AttemptEnd::Inconclusive]);
    assert_eq!(
        run.verdict.checks.get(CheckId::Credentials).state,
        State::Unknown
    );
    let run = climb(keyed(), vec![json(200, "{}")]);
    assert!(run.verdict.cause.contains("took the credentials"));
    // Nor beside a certificate that ends.
    let page = html(200, &[], "<html><title>Welcome to our WiFi</title>");
    let leaf = certificate("CN=e.com", "CN=Public CA", 2);
    let ending = with_chain(page, vec![leaf]);
    let bare = climb(http("https://e.com"), vec![ending.clone()]);
    assert!(!bare.verdict.cause.contains("the key"), "none was sent");
    let ending = climb(keyed(), vec![ending]);
    assert_eq!(ending.reason(), Reason::TlsExpiring);
    assert!(ending.verdict.title.contains("ends in 2 days"));
    let cause = &ending.verdict.cause;
    assert!(cause.contains("does not show whether"), "{cause}");
    assert!(cause.contains("Welcome to our WiFi"), "{cause}");
}

#[test]
fn json_that_breaks_off_is_no_other_product() {
    for (body, cut) in [
        (r#"{"response":[{"id":1,"na"#, true),
        ("\u{feff}[", true),
        (r#"{"response":[]}"#, false),
        ("{not json at all}", false),
    ] {
        for subject in [http("https://e.com"), blesta("https://e.com")] {
            let run = climb(subject, vec![json(200, body)]);
            assert_eq!(run.reason() == Reason::ReplyCut, cut, "{body}");
        }
        let text = answer(200, &[("Content-Type", "text/plain")], body);
        let run = climb(http("https://e.com"), vec![text]);
        assert_eq!(run.reason(), Reason::Connected, "{body}");
    }
}

#[test]
fn a_401_is_told_in_its_own_words() {
    let expired = "Bearer error=\"invalid_token\", error_description=\"The token expired\"";
    for (challenge, fits) in [
        (expired, true),
        ("Basic realm=\"api\"", true),
        ("Digest realm=\"api\", nonce=\"x\"", false),
        ("Negotiate", false),
        ("NTLM", false),
    ] {
        let keyed = with_pair(http("https://e.com"), "", "0123456789abcdef");
        let reply = html(401, &[("WWW-Authenticate", challenge)], "<html>");
        let run = climb(keyed, vec![reply]);
        assert_eq!(run.reason(), Reason::CredentialsRejected);
        assert!(
            run.verdict
                .evidence
                .iter()
                .any(|line| line.contains(challenge)),
            "{:?}",
            run.verdict.evidence
        );
        let foreign = run.verdict.cause.contains("does not know");
        assert_eq!(foreign, !fits, "{challenge}: {}", run.verdict.cause);
    }
}

#[test]
fn credentials_go_with_the_first_request_and_once() {
    for (username, auth, how) in [
        ("me", AuthStyle::Auto, "Basic me"),
        ("", AuthStyle::Auto, "Authorization"),
        ("", AuthStyle::Headers, "X-Api-Key"),
        ("me", AuthStyle::Headers, "X-Api-Key"),
        ("", AuthStyle::Basic, "Basic "),
    ] {
        let mut subject = with_pair(http("https://e.com/v1"), username, "s3cret");
        subject.auth = auth;
        let asked = format!("GET https://e.com/v1 {how}");
        let run = climb(subject.clone(), vec![json(200, "{}")]);
        assert_eq!(
            (run.asked, run.verdict.reason),
            (vec![asked.clone()], Reason::Connected)
        );
        let run = climb(subject, vec![json(401, "{}")]);
        assert_eq!(
            (run.asked, run.verdict.reason),
            (vec![asked], Reason::CredentialsRejected)
        );
    }
}

#[test]
fn a_key_that_is_missing_or_held_back() {
    let mut named = http("https://e.com");
    named.username = "me".to_owned();
    assert_eq!(
        climb(named, vec![json(401, "{}")]).reason(),
        Reason::KeyMissing
    );
    let mut editing = with_pair(http("https://e.com"), "", "s3cret");
    editing.trigger = Trigger::UrlTyping;
    let run = climb(editing, vec![json(401, "{}")]);
    assert_eq!(
        (run.reason(), run.attempts.len()),
        (Reason::ServiceFound, 0)
    );
}

#[test]
fn a_service_of_the_users_own_is_judged_by_its_file() {
    let text = r#"
[service]
id = "mine"
title = "Mine"
[service.fields]
key = { need = "required" }
[service.auth]
first = "headers"
headers = [{ name = "X-Token", value = "t={key}" }]
[service.requests]
bare = "/health"
bare_is_rejected = false
authenticated = "/me"
[service.identity]
list = "/account"
id = "/id"
name = "/name"
[service.version]
path = "/version"
pointer = "/v"
[[rule]]
reason = "service-found"
when = { rung = "service", status = [200], json = [{ at = "/ok", equals = true }] }
[[rule]]
reason = "connected"
when = { rung = "credentials", status = [200], json = [{ at = "/account/id", exists = true }] }
[[rule]]
reason = "maintenance"
when = { status = [418] }
[reason.maintenance]
cause = "Mine is being mended."
who = "you"
"#;
    let catalog = Catalog::with([("mine.toml".to_owned(), text.to_owned())]).unwrap();
    let id = ServiceId::new("mine");
    let service = catalog.get(&id).unwrap();
    let climb = |replies: Vec<crate::domain::Reply>| {
        let subject = with_pair(Subject::new(id.clone(), "https://e.com"), "", "k");
        let answers = replies
            .into_iter()
            .map(|reply| RungAnswer::Reply(Box::new(reply)));
        drive(Ladder::begin(service, subject, now()), answers.collect())
    };
    let run = climb(vec![
        json(200, r#"{"ok":true}"#),
        json(200, r#"{"account":{"id":5,"name":"Me"}}"#),
        json(200, r#"{"v":"1.2"}"#),
    ]);
    assert_eq!(
        run.asked,
        [
            "GET https://e.com/health bare",
            "GET https://e.com/me X-Token",
            "GET https://e.com/version X-Token",
        ]
    );
    assert_eq!(run.reason(), Reason::Connected);
    assert_eq!(
        run.verdict.identity.as_ref().unwrap().id.as_deref(),
        Some("5")
    );
    assert_eq!(run.verdict.service_version.as_deref(), Some("1.2"));
    // A 200 that is not what its file expects is no success, and 401 needs no rule of its own.
    assert_eq!(climb(vec![json(200, "{}")]).reason(), Reason::NotTheService);
    assert_eq!(
        climb(vec![json(200, r#"{"ok":true}"#), json(401, "{}")]).reason(),
        Reason::CredentialsRejected
    );
    let run = climb(vec![answer(418, &[], "")]);
    assert_eq!(
        (run.reason(), run.verdict.cause.as_str()),
        (Reason::Maintenance, "Mine is being mended.")
    );
}

/// Not even what it answers without a key.
#[test]
fn a_host_that_asked_for_quiet_is_asked_for_no_page() {
    let text = r#"
[service]
id = "mine"
title = "Mine"
[service.fields]
key = { need = "required" }
[service.auth]
first = "bearer"
[service.requests]
bare = "/health"
bare_is_rejected = false
authenticated = "/me"
[[rule]]
reason = "service-found"
when = { rung = "service", status = [200] }
"#;
    let catalog = Catalog::with([("mine.toml".to_owned(), text.to_owned())]).unwrap();
    let id = ServiceId::new("mine");
    for (by, how) in [(StoppedBy::Host, "reach"), (StoppedBy::Budget, "bare")] {
        let mut subject = with_pair(Subject::new(id.clone(), "https://e.com"), "", "k");
        subject.trigger = Trigger::Scheduled;
        subject.past.paused = Some(Stop {
            until: "2026-11-23T10:15:00Z".parse().unwrap(),
            why: "why".to_owned(),
            by,
        });
        let reply = if by == StoppedBy::Host {
            reached()
        } else {
            json(200, "{}")
        };
        let answers = vec![RungAnswer::Reply(Box::new(reply))];
        let begun = Ladder::begin(catalog.get(&id).unwrap(), subject, now());
        let run = drive(begun, answers);
        assert_eq!(run.asked, [format!("GET https://e.com/health {how}")]);
        assert_eq!(run.reason(), Reason::AuthPaused);
    }
}

#[test]
fn what_is_said_of_a_service_of_the_user_s_own_is_what_its_file_names() {
    let text = r#"
[service]
id = "mine"
title = "Mine"
[service.fields]
username = { need = "required" }
key = { need = "required" }
[service.auth]
first = "basic"
[service.requests]
bare = "/v1/health"
authenticated = "/v1/me"
fallback = "/run.php"
[service.own_token]
path = "/v1/tokens/{username}"
status = "/status"
inactive = ["Ending"]
[[rule]]
reason = "service-found"
when = { rung = "service", status = [200], json = [{ at = "/ok" }] }
"#;
    let catalog = Catalog::with([("mine.toml".to_owned(), text.to_owned())]).unwrap();
    let id = ServiceId::new("mine");
    let climb = |replies: Vec<crate::domain::Reply>| {
        let subject = with_pair(Subject::new(id.clone(), "https://e.com"), "u", "k");
        let answers = replies.into_iter();
        let answers = answers.map(|reply| RungAnswer::Reply(Box::new(reply)));
        let begun = Ladder::begin(catalog.get(&id).unwrap(), subject, now());
        drive(begun, answers.collect())
    };
    let absent = || html(404, &[], "<html></html>");
    let run = climb(vec![
        absent(),
        json(200, r#"{"ok":true}"#),
        json(200, "{}"),
        json(200, r#"{"status":"ENDING"}"#),
    ]);
    assert_eq!(run.reason(), Reason::KeyInUseInactive);
    assert!(run.says("404 at /v1, and as itself at /run.php/v1"));
    assert!(run.says("reached only through /run.php"));
    assert!(climb(vec![absent(), absent()]).says("/run.php was tried too"));
    let busy = climb(vec![absent(), html(503, &[], "<html></html>")]);
    assert!(busy.says("/v1 has no page (404); this is the answer of /run.php/v1"));
    let works = climb(vec![
        absent(),
        json(200, r#"{"ok":true}"#),
        json(200, "{}"),
        json(200, r#"{"status":"Active"}"#),
    ]);
    assert_eq!(works.reason(), Reason::RewriteOff);
    let cause = &works.verdict.cause;
    assert!(cause.ends_with("asked through /run.php."), "{cause}");
    let entry = catalog.entry(Reason::RewriteOff, Some(&id));
    let causes = entry.cases.iter().map(|case| &case.cause);
    for cause in causes.chain([&entry.cause]) {
        assert!(!cause.contains("/api"), "{entry:?}");
        assert!(cause.contains("asked through /run.php."), "{entry:?}");
    }
    let entry = catalog.entry(Reason::ServerPassword, Some(&id));
    let snippets: Vec<_> = entry
        .cases
        .iter()
        .filter_map(|case| case.snippet.as_deref())
        .collect();
    assert!(
        snippets.contains(&"!{ path_reg '^/PATH(/|$)' }"),
        "{entry:?}"
    );
    assert!(
        !snippets.iter().any(|snippet| snippet.contains("/api/")),
        "{entry:?}"
    );
}
