//! What stands where the service should: pages of every kind, odd codings, answers with something around them.

use super::harness::*;
use crate::domain::budget::AttemptEnd;
use crate::domain::{
    AnsweredBy, Failure, Outcome, Reason, Reply, Response, Secret, ServiceId, State, TlsFailure,
    Verdict,
};
use crate::service::{Accepted, SecretState, Subject, Trigger};

fn page(title: &str, body: &str) -> Reply {
    html(
        200,
        &[],
        &format!(
            "<!doctype html><html><head><title>{title}</title></head><body>{body}</body></html>"
        ),
    )
}

fn raw(status: u16, headers: &[(&str, &str)], body: Vec<u8>) -> Reply {
    let mut reply = answer(status, headers, "");
    if let Outcome::Answered(response) = &mut reply.outcome {
        response.body = body;
    }
    reply
}

#[test]
fn the_reason_says_which_page_stands_there() {
    let form = "<form><input type=\"password\" name=pw></form>";
    for (reply, title) in [
        (page("My shop", "hello"), "Not a Blesta"),
        (
            page("example.com is for sale", "buy"),
            "Not a Blesta: a parked domain",
        ),
        (
            page("", "This domain is parked by its registrar"),
            "Not a Blesta: a parked domain",
        ),
        (
            page("Account Suspended", "This account has been suspended."),
            "Not a Blesta: account suspended",
        ),
        (page("Log In", form), "Not a Blesta: a login form"),
        (
            page("Index of /blesta", "<h1>Index of /blesta</h1>"),
            "Not a Blesta: a list of files",
        ),
        (page("Under construction", "soon"), "Not a Blesta: a notice"),
        (
            page("", "<b>Fatal error</b>:  Uncaught Error in /srv/x.php:3"),
            "PHP stopped with an error",
        ),
        (
            answer(
                200,
                &[],
                "Site error: the ionCube PHP Loader needs to be installed.",
            ),
            "The ionCube loader is missing",
        ),
    ] {
        for subject in [blesta("https://billing.example.com"), shop()] {
            let run = climb(subject, vec![reply.clone()]);
            assert_eq!(
                (run.reason(), run.verdict.title.as_str()),
                (Reason::NotTheService, title)
            );
            assert_eq!(run.asked.len(), 1, "no key is sent: {:?}", run.asked);
            assert!(!run.verdict.remedy.steps.is_empty());
        }
    }
}

#[test]
fn pages_that_no_api_sends_are_no_success_of_any_http_api() {
    let http = || Subject::new(ServiceId::http(), "https://billing.example.com");
    let form = page("Log In", "<input type=password>");
    let keyed = || with_pair(http(), "", "0123456789abcdef");
    for (subject, reply, title) in [
        (
            http(),
            page("shop.example is for sale", ""),
            "a parked domain",
        ),
        (http(), page("", "suspendedpage.cgi"), "account suspended"),
        (keyed(), form.clone(), "a login form"),
    ] {
        let run = climb(subject, vec![reply]);
        assert_eq!(
            (run.reason(), run.verdict.state()),
            (Reason::NotTheService, State::Warn)
        );
        assert!(run.verdict.title.ends_with(title), "{}", run.verdict.title);
    }
    // Without a key a page with a form is the site itself.
    let run = climb(http(), vec![form]);
    assert_eq!(run.reason(), Reason::Connected);
    assert!(
        run.verdict.cause.contains("no credentials were sent"),
        "{}",
        run.verdict.cause
    );
}

#[test]
fn a_503_page_of_maintenance_is_told_from_a_dead_gateway() {
    for (title, expected) in [
        ("Maintenance", "503 A maintenance page"),
        (
            "503 Service Unavailable",
            "503 Gateway: no answer behind it",
        ),
    ] {
        let body = format!("<html><title>{title}</title>Briefly unavailable.</html>");
        let run = climb(
            blesta("https://billing.example.com"),
            vec![html(503, &[], &body)],
        );
        assert_eq!(
            (run.reason(), run.verdict.title.as_str()),
            (Reason::GatewayDown, expected)
        );
    }
}

#[test]
fn what_answers_without_asking_for_a_key_gets_none() {
    for body in [COMPANIES, r#"{"response":[]}"#, r#"{"response":false}"#] {
        let run = climb(shop(), vec![json(200, body)]);
        assert_eq!(run.reason(), Reason::NotTheService);
        assert_eq!(run.asked, ["GET /api/companies/getAll.json bare"]);
        assert!(
            run.verdict.title.contains("no key"),
            "{}",
            run.verdict.title
        );
    }
}

#[test]
fn the_form_without_the_content_is_no_success() {
    for (body, reason) in [
        (r#"{"response":null}"#, Reason::NotTheService),
        (r#"{"response":{"id":1}}"#, Reason::NotTheService),
        (r#"{"response":"hello"}"#, Reason::NotTheService),
        (
            r#"{"response":null,"errors":{"a":{"b":"c"}}}"#,
            Reason::UnexpectedStatus,
        ),
    ] {
        let run = climb(shop(), vec![json(401, DENIED), json(200, body)]);
        assert_eq!(
            (run.reason(), run.verdict.state()),
            (reason, State::Warn),
            "{body}"
        );
        assert!(
            !run.verdict.cause.contains("another product"),
            "{}",
            run.verdict.cause
        );
    }
}

#[test]
fn a_redirect_to_nowhere_and_the_401_of_another_api_say_so() {
    for location in [
        None,
        Some("http://["),
        Some("javascript:alert(1)"),
        Some("mailto:a@b.c"),
    ] {
        let headers: Vec<_> = location.map(|to| ("Location", to)).into_iter().collect();
        let run = climb(
            blesta("https://billing.example.com"),
            vec![answer(302, &headers, "")],
        );
        assert_eq!(run.reason(), Reason::UnexpectedStatus);
        assert_eq!(
            run.verdict.title, "302 Redirected to nowhere",
            "{location:?}"
        );
    }
    let run = climb(
        blesta("https://billing.example.com"),
        vec![json(401, r#"{"error":"no token"}"#)],
    );
    assert_eq!(
        (run.reason(), run.verdict.status),
        (Reason::UnexpectedStatus, 401)
    );
    assert!(
        run.verdict.cause.contains("no token"),
        "{}",
        run.verdict.cause
    );
}

#[test]
fn other_codings_are_read_as_they_were_meant() {
    let wide = |text: &str| {
        text.encode_utf16()
            .flat_map(u16::to_le_bytes)
            .collect::<Vec<u8>>()
    };
    let named = COMPANIES.replace("Shop", "Bücher");
    let latin = named
        .chars()
        .map(|c| u8::try_from(u32::from(c)).unwrap())
        .collect::<Vec<u8>>();
    let kind = [("Content-Type", "text/html; charset=iso-8859-1")];
    for (denied, companies) in [
        (wide(DENIED), wide(&named)),
        ([&[0xff, 0xfe], &wide(DENIED)[..]].concat(), wide(&named)),
        (DENIED.as_bytes().to_vec(), latin),
    ] {
        let mut subject = shop();
        subject.trigger = Trigger::Scheduled;
        let run = climb(
            subject,
            vec![raw(401, &kind, denied), raw(200, &kind, companies)],
        );
        assert_eq!(run.reason(), Reason::Connected, "{:#?}", run.verdict);
        assert_eq!(
            run.verdict.identity.unwrap().name.as_deref(),
            Some("Bücher Ltd")
        );
    }
}

#[test]
fn a_coding_that_was_not_asked_for_is_told() {
    let deflated = vec![
        0x78, 0x9c, 0xab, 0x56, 0x2a, 0x4a, 0x2d, 0x2e, 0xc8, 0xcf, 0x2b, 0x4e,
    ];
    let run = climb(
        blesta("https://billing.example.com"),
        vec![raw(401, &[("Content-Encoding", "deflate")], deflated)],
    );
    assert_eq!((run.reason(), run.verdict.status), (Reason::ReplyCut, 401));
    assert!(
        run.verdict.title.contains("coding"),
        "{}",
        run.verdict.title
    );
    // A coding that is announced and not there does no harm.
    let run = climb(
        blesta("https://billing.example.com"),
        vec![answer(401, &[("Content-Encoding", "br")], DENIED)],
    );
    assert_eq!(run.reason(), Reason::ServiceFound);
}

#[test]
fn what_stands_behind_the_answer_is_noise() {
    for tail in [
        "\n<!-- 0.2 s -->",
        "</body></html>",
        "<script src=//ads></script>",
    ] {
        let denied = html(200, &[], &format!("{DENIED}{tail}"));
        let companies = html(200, &[], &format!("{COMPANIES}{tail}"));
        let mut subject = shop();
        subject.trigger = Trigger::Scheduled;
        let run = climb(subject, vec![denied, companies]);
        assert_eq!(
            run.reason(),
            Reason::ConnectedNoisy,
            "{tail}: {:#?}",
            run.verdict
        );
    }
}

#[test]
fn an_answer_inside_a_page_is_the_services_and_no_success() {
    let php = "<br />\n<b>Warning</b>:  foo() in <b>/srv/x.php</b> on line <b>3</b><br />\n";
    let page = |before: &str, json: &str| {
        format!(
            "<!doctype html><html><head><title>Shop</title></head><body>{before}{json}<p>bye</body></html>"
        )
    };
    let told = |body: &str, status| {
        let run = climb(
            blesta("https://billing.example.com"),
            vec![html(status, &[], body)],
        );
        let Verdict {
            reason,
            title,
            answered_by,
            ..
        } = &run.verdict;
        assert_eq!(
            (*reason, *answered_by),
            (Reason::NotTheService, AnsweredBy::Service),
            "{body}"
        );
        assert_eq!(title, "Blesta's answer inside a page", "{body}");
        run
    };
    for status in [200, 401] {
        assert!(told(&page("", DENIED), status).says("Blesta: its own JSON, inside a page"));
    }
    // What is down by its status stays so.
    for status in [500, 503] {
        let body = page("", DENIED);
        let run = climb(
            blesta("https://billing.example.com"),
            vec![html(status, &[], &body)],
        );
        assert_eq!(run.verdict.state(), State::Down, "{:#?}", run.verdict);
    }
    assert!(
        told(&page(php, DENIED), 200).says("PHP messages stand before it: Shop Warning: foo()")
    );
    told(
        &format!("<div id=banner>Sale!</div>{DENIED}<div>bye</div>"),
        200,
    );
    told(&format!("{DENIED}<!doctype html><title>Shop</title>"), 200);
    // What is only shown in a page, and what the service never says so, is none of its own.
    let quoted = [
        format!("<html><title>API manual</title><pre>{DENIED}</pre>"),
        format!("<html><title>Shop</title><script>var last = {DENIED};</script>"),
        page("", "{\"response\":[]}"),
        page("", "{\"message\":\"no\"}"),
    ];
    for body in quoted {
        let run = climb(
            blesta("https://billing.example.com"),
            vec![html(200, &[], &body)],
        );
        assert_eq!(run.reason(), Reason::NotTheService, "{body}");
        assert_ne!(run.verdict.answered_by, AnsweredBy::Service, "{body}");
    }
    // Nor is a list of other JSON a page.
    let run = climb(
        blesta("https://billing.example.com"),
        vec![json(200, &format!("[{DENIED}]"))],
    );
    assert_eq!(run.reason(), Reason::NotTheService);
    assert_ne!(run.verdict.answered_by, AnsweredBy::Service);
    // A key is sent to no page; where it was, before it became one, a refusal inside of it counts.
    let run = climb(shop(), vec![html(200, &[], &page("", DENIED))]);
    assert_eq!(run.asked.len(), 1);
    let mut known = shop();
    known.trigger = Trigger::Scheduled;
    known.past.service_seen = true;
    for (json, end) in [
        (DENIED, AttemptEnd::Rejected),
        (COMPANIES, AttemptEnd::Inconclusive),
    ] {
        let run = climb(known.clone(), vec![html(200, &[], &page("", json))]);
        assert_eq!(run.attempts, [end], "{json}");
        assert_eq!(run.verdict.title, "Blesta's answer inside a page");
        assert!(run.ladder.accepted().is_none());
    }
}

#[test]
fn an_answer_from_a_cache_is_said() {
    for header in [
        ("Age", "30"),
        ("X-Cache", "HIT from edge"),
        ("CF-Cache-Status", "HIT"),
    ] {
        let mut subject = shop();
        subject.trigger = Trigger::Scheduled;
        let run = climb(
            subject,
            vec![json(401, DENIED), answer(200, &[header], COMPANIES)],
        );
        assert!(
            run.says("from a cache"),
            "{header:?}: {:?}",
            run.verdict.evidence
        );
    }
}

#[test]
fn however_a_server_writes_a_secret_it_is_masked() {
    let slashed = "abc/def+ghi/0123456789";
    let escaped = slashed.replace('/', "\\/");
    let spelled = slashed.chars().fold(String::new(), |text, c| {
        text + &format!("\\u{:04x}", u32::from(c))
    });
    let hidden = slashed.replace("def", "d\u{200b}ef");
    let wide: Vec<u8> = format!("{{\"message\":\"no {slashed}\"}}")
        .encode_utf16()
        .flat_map(u16::to_be_bytes)
        .collect();
    let body = |text: &str| format!("{{\"message\":\"no {text}\"}}").into_bytes();
    for body in [
        body(&escaped),
        body(&spelled),
        body(&hidden),
        body(slashed),
        wide,
    ] {
        let mut subject = Subject::new(ServiceId::http(), "https://billing.example.com");
        subject.key = SecretState::Present(Secret::new(slashed));
        let run = climb(
            subject,
            vec![raw(500, &[("Content-Type", "application/json")], body)],
        );
        let json = serde_json::to_string(&run.verdict).unwrap();
        assert!(!json.contains(slashed), "{json}");
        assert!(json.contains("••••"), "{json}");
    }
}

#[test]
fn a_redirect_that_repeats_the_key_is_masked_and_not_asked() {
    let key = "abc/def+ghi=0123456789";
    for written in [
        key.to_owned(),
        "abc%2Fdef%2Bghi%3D0123456789".to_owned(),
        "abc%2fdef%2bghi%3d0123456789".to_owned(),
        "abc/def%2Bghi=0123456789".to_owned(),
    ] {
        let target = format!("https://other.example/login?key={written}");
        let mut subject = Subject::new(ServiceId::http(), "https://billing.example.com/login");
        subject.key = SecretState::Present(Secret::new(key));
        // One answer alone: asking the target would fail the test.
        let run = climb(subject, vec![answer(302, &[("Location", &target)], "")]);
        let json = serde_json::to_string(&run.verdict).unwrap();
        assert!(!json.contains(&written), "{json}");
        assert!(!json.contains("0123456789"), "{json}");
        assert!(json.contains("••••"), "{json}");
        assert!(run.says("repeats the key"), "{json}");
        assert_eq!(run.verdict.remedy.url, None, "{json}");
    }
}

#[test]
fn a_parameter_of_the_servers_own_is_not_called_the_key() {
    let target = "https://sso.example/login?secret=1";
    let url = "https://billing.example.com/login";
    let mut with_key = Subject::new(ServiceId::http(), url);
    with_key.key = SecretState::Present(Secret::new("abc/def+ghi=0123456789"));
    for subject in [Subject::new(ServiceId::http(), url), with_key] {
        // One answer alone: asking the target would fail the test.
        let run = climb(subject, vec![answer(302, &[("Location", target)], "")]);
        assert!(run.says("the target's parameter secret may hold a secret"));
        assert!(!run.says("repeats the key"), "{:?}", run.verdict.evidence);
    }
}

#[test]
fn a_secret_is_masked_where_a_text_is_cut_within_it() {
    let key = "abcdefgh/ijklmnop+qrstuvw";
    let spelled = |c: char| match c {
        '/' => "\\/".to_owned(),
        c => format!("{c}\\u200b"),
    };
    for written in [key.replace('/', "\\/"), key.chars().map(spelled).collect()] {
        for filling in 170..200 {
            let text = format!("{}{written}", "x".repeat(filling));
            let body = format!("{{\"message\":\"{text}\"}}");
            let mut subject = Subject::new(ServiceId::http(), "https://billing.example.com");
            subject.key = SecretState::Present(Secret::new(key));
            let run = climb(subject, vec![json(500, &body)]);
            let told = serde_json::to_string(&run.verdict).unwrap();
            assert!(!told.contains("abcdefgh"), "{filling}: {told}");
        }
    }
}

/// A request that went out, and silence.
fn silence(failure: Failure) -> Reply {
    let mut reply = failed(failure);
    reply.sent = true;
    reply
}

/// A connection that stood, and was reset while TLS was agreed on.
fn reset_in_handshake() -> Reply {
    let mut reply = failed(Failure::Reset);
    reply.phases.connect = Some(std::time::Duration::from_millis(1));
    reply
}

#[test]
fn silence_counts_against_a_key_that_was_never_taken() {
    let known = || {
        let mut subject = shop();
        subject.past.service_seen = true;
        subject
    };
    for failure in [
        Failure::ResponseTimeout,
        Failure::Reset,
        Failure::ClosedEarly,
        Failure::HeadTooLarge,
        Failure::BadLength,
        Failure::Tls(TlsFailure::ClientCertificateUnsaid),
    ] {
        let run = climb(known(), vec![silence(failure.clone())]);
        assert_eq!(run.attempts, [AttemptEnd::Unheard], "{failure:?}");
        let mut taken = known();
        taken.past.accepted = Some(Accepted {
            by_headers: false,
            through_index: false,
            own_token: None,
        });
        let run = climb(taken, vec![silence(failure)]);
        assert_eq!(
            run.attempts,
            [AttemptEnd::Inconclusive],
            "a host that hangs now and then"
        );
    }
    // Nothing was sent where no connection stood or TLS was not agreed on, and what answered at all was heard.
    for reply in [
        failed(Failure::Refused),
        failed(Failure::ResponseTimeout),
        reset_in_handshake(),
        silence(Failure::Tls(TlsFailure::ClientCertificate)),
        json(500, "{}"),
    ] {
        let run = climb(known(), vec![reply]);
        assert_eq!(run.attempts, [AttemptEnd::Inconclusive]);
    }
}

#[test]
fn a_head_that_is_too_large_is_http_all_the_same() {
    let run = climb(
        blesta("https://billing.example.com"),
        vec![failed(Failure::HeadTooLarge)],
    );
    assert_eq!(run.reason(), Reason::NotHttp);
    assert!(
        run.verdict.title.contains("headers"),
        "{}",
        run.verdict.title
    );
    let run = climb(
        blesta("https://billing.example.com"),
        vec![failed(Failure::BadLength)],
    );
    let told = (run.reason(), run.verdict.title.as_str());
    let title = "0 Received: broken Content-Length";
    assert_eq!(told, (Reason::NotHttp, title));
}

#[test]
fn a_response_without_a_body_of_its_own_is_not_touched() {
    let response = Response {
        status: 200,
        headers: Vec::new(),
        body: Vec::new(),
    };
    let run = climb(
        blesta("https://billing.example.com"),
        vec![bare(Outcome::Answered(response))],
    );
    assert_eq!(run.reason(), Reason::EmptyReply);
}
