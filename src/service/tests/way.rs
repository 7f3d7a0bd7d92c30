//! The way there: failures, TLS, clocks, address families, and what has changed.

use super::harness::*;
use crate::domain::{
    Address, AnsweredBy, CheckId, Failure, Outcome, ProxyFailure, Reason, Repeated, Reply,
    Response, SocksRefusal, State, TlsFailure, Verdict,
};
use crate::service::{LastGood, Trigger};

#[test]
fn every_failure_has_its_reason_and_rung() {
    let other = || "bad signature".to_owned();
    for (failure, reason, rung) in [
        (Failure::DnsNotFound, Reason::DnsNotFound, CheckId::Dns),
        (Failure::DnsFailed, Reason::DnsFailed, CheckId::Dns),
        (Failure::Refused, Reason::Refused, CheckId::Connect),
        (
            Failure::ConnectTimeout,
            Reason::ConnectTimeout,
            CheckId::Connect,
        ),
        (Failure::Unreachable, Reason::Unreachable, CheckId::Connect),
        (
            Failure::HostUnreachable,
            Reason::Unreachable,
            CheckId::Connect,
        ),
        (
            Failure::Http2 {
                said: "ENHANCE_YOUR_CALM".to_owned(),
                processed: true,
            },
            Reason::ClosedEarly,
            CheckId::Http,
        ),
        (
            Failure::Tls(TlsFailure::Refused),
            Reason::TlsProtocol,
            CheckId::Tls,
        ),
        (
            Failure::Tls(TlsFailure::Renegotiation),
            Reason::TlsClientCertificate,
            CheckId::Tls,
        ),
        (
            Failure::Tls(TlsFailure::NotForHttp),
            Reason::TlsProtocol,
            CheckId::Tls,
        ),
        (
            Failure::Tls(TlsFailure::ClientCertificateRefused),
            Reason::TlsClientCertificate,
            CheckId::Tls,
        ),
        (
            Failure::Proxy(ProxyFailure::Unheard("nothing listens there")),
            Reason::ProxyFailed,
            CheckId::Connect,
        ),
        (Failure::Reset, Reason::Reset, CheckId::Http),
        (Failure::ClosedEarly, Reason::ClosedEarly, CheckId::Http),
        (
            Failure::ResponseTimeout,
            Reason::ResponseTimeout,
            CheckId::Http,
        ),
        (Failure::NotHttp, Reason::NotHttp, CheckId::Http),
        (
            Failure::Tls(TlsFailure::Expired),
            Reason::TlsExpired,
            CheckId::Tls,
        ),
        (
            Failure::Tls(TlsFailure::NotYetValid),
            Reason::TlsNotYetValid,
            CheckId::Tls,
        ),
        (
            Failure::Tls(TlsFailure::WrongName),
            Reason::TlsWrongName,
            CheckId::Tls,
        ),
        (
            Failure::Tls(TlsFailure::UnknownIssuer),
            Reason::TlsUnknownIssuer,
            CheckId::Tls,
        ),
        (
            Failure::Tls(TlsFailure::Protocol),
            Reason::TlsProtocol,
            CheckId::Tls,
        ),
        (
            Failure::Tls(TlsFailure::ClientCertificate),
            Reason::TlsClientCertificate,
            CheckId::Tls,
        ),
        (
            Failure::Tls(TlsFailure::ClientCertificateUnsaid),
            Reason::TlsClientCertificate,
            CheckId::Tls,
        ),
        (
            Failure::Tls(TlsFailure::NotTls),
            Reason::TlsNotTls,
            CheckId::Tls,
        ),
        (
            Failure::Tls(TlsFailure::Timeout),
            Reason::TlsFailed,
            CheckId::Tls,
        ),
        (
            Failure::Tls(TlsFailure::Other(other())),
            Reason::TlsFailed,
            CheckId::Tls,
        ),
    ] {
        let mut reply = failed(failure.clone());
        reply.sent = rung == CheckId::Http;
        let run = climb(shop(), vec![reply]);
        assert_eq!(
            (run.reason(), run.verdict.status),
            (reason, 0),
            "{failure:?}"
        );
        assert_eq!(run.verdict.state(), State::Down);
        assert_eq!(run.verdict.answered_by, AnsweredBy::Nobody);
        assert!(
            run.verdict.title.starts_with("0 Received"),
            "{}",
            run.verdict.title
        );
        assert_eq!(
            run.verdict.checks.get(rung).state,
            State::Down,
            "{failure:?}"
        );
        for check in run.verdict.checks.iter() {
            assert!(
                check.id <= rung || check.state == State::Unknown,
                "{failure:?} {check:?}"
            );
            assert!(
                check.id > rung
                    || check.detail.is_some()
                    || check.id == CheckId::Dns
                    || check.id == CheckId::Tls,
                "{failure:?} {check:?}"
            );
        }
        assert_eq!(run.asked.len(), 1);
    }
    let run = climb(
        shop(),
        vec![failed(Failure::Local("no CA bundle was found.".to_owned()))],
    );
    assert_eq!(
        (run.reason(), run.verdict.state()),
        (Reason::LocalError, State::Unknown)
    );
    assert_eq!(run.verdict.title, "This machine: no CA bundle was found");
}

#[test]
fn a_status_that_came_is_kept() {
    let cut = |failure| {
        bare(Outcome::Cut(
            Response {
                status: 200,
                ..Response::default()
            },
            failure,
        ))
    };
    for (failure, reason, state) in [
        (
            Failure::ResponseTimeout,
            Reason::ResponseTimeout,
            State::Down,
        ),
        (Failure::BodyTooLarge, Reason::BodyTooLarge, State::Warn),
        (Failure::Reset, Reason::ReplyCut, State::Down),
        (Failure::ClosedEarly, Reason::ReplyCut, State::Down),
        (Failure::BadCoding, Reason::ReplyCut, State::Down),
        (
            Failure::Http2 {
                said: "INTERNAL_ERROR, an error of its own".to_owned(),
                processed: true,
            },
            Reason::ReplyCut,
            State::Down,
        ),
    ] {
        let run = climb(shop(), vec![cut(failure)]);
        assert_eq!((run.reason(), run.verdict.status), (reason, 200));
        assert_eq!(run.verdict.checks.get(CheckId::Http).state, state);
        assert!(
            !run.verdict.title.contains("0 Received"),
            "{}",
            run.verdict.title
        );
    }
    let half = Response {
        status: 200,
        headers: Vec::new(),
        body: COMPANIES.as_bytes()[..COMPANIES.len() - 2].to_vec(),
    };
    let run = climb(shop(), vec![bare(Outcome::Cut(half, Failure::ClosedEarly))]);
    assert_eq!(
        run.reason(),
        Reason::ReplyCut,
        "a cut answer proves nothing"
    );
}

#[test]
fn a_proxy_that_refuses_keeps_its_status() {
    let mut refused = failed(Failure::Proxy(ProxyFailure::Password));
    refused.proxy = Some("http://proxy.example:3128".to_owned());
    let mut answered = html(407, &[], "<html>");
    answered.proxy = Some("http://proxy.example:3128".to_owned());
    let mut plain = shop();
    plain.url = "http://billing.example.com/blesta".to_owned();
    for (subject, reply) in [(shop(), refused), (plain, answered.clone())] {
        let run = climb(subject, vec![reply]);
        assert_eq!(
            (run.reason(), run.verdict.status),
            (Reason::ProxyFailed, 407)
        );
        assert_eq!(run.verdict.answered_by, AnsweredBy::Proxy);
        assert!(run.verdict.cause.contains("proxy.example"));
    }
    // Within a tunnel it is the target that speaks.
    for reply in [answered, html(407, &[], "<html>")] {
        let run = climb(shop(), vec![reply]);
        assert_eq!(run.reason(), Reason::UnexpectedStatus);
    }
}

#[test]
fn a_server_that_refuses_an_address_may_want_a_name() {
    let mut subject = shop();
    subject.url = "https://192.0.2.7/".to_owned();
    let unknown = TlsFailure::Other("the server serves no such name over TLS".to_owned());
    for (failure, reason) in [
        (TlsFailure::Refused, Reason::TlsProtocol),
        (unknown, Reason::TlsFailed),
    ] {
        let run = climb(subject.clone(), vec![failed(Failure::Tls(failure))]);
        assert_eq!(run.reason(), reason);
        let steps = run.verdict.remedy.steps.join(" ");
        assert!(steps.contains("it is told no name"), "{steps}");
    }
}

#[test]
fn silence_through_a_proxy_may_be_the_hosts() {
    let mut plain = shop();
    plain.url = "http://billing.example.com/blesta".to_owned();
    for (failure, words) in [
        (
            ProxyFailure::Silent,
            "or it waits for billing.example.com itself",
        ),
        (
            ProxyFailure::Unheard("nothing listens there"),
            "could not be used: nothing listens there",
        ),
    ] {
        for subject in [shop(), plain.clone()] {
            let mut reply = failed(Failure::Proxy(failure));
            reply.proxy = Some("http://proxy.example:3128".to_owned());
            let run = climb(subject, vec![reply]);
            let told = (run.reason(), run.verdict.status);
            assert_eq!(told, (Reason::ProxyFailed, 0));
            let cause = &run.verdict.cause;
            assert!(cause.contains(words), "{cause}");
            assert!(!run.says("in the host's place"), "nobody answered");
        }
    }
}

#[test]
fn a_proxy_that_gives_no_tunnel_is_told_by_its_status() {
    for (status, title, words) in [
        (403, "403 The proxy does not allow it", "a rule of its own"),
        (
            503,
            "503 The proxy reached nobody",
            "a firewall behind the proxy",
        ),
        (405, "405 No proxy for https", "a web server and no proxy"),
        (418, "418 The proxy failed", "answered 418 itself"),
    ] {
        let mut refused = failed(Failure::Proxy(ProxyFailure::Refused(status)));
        refused.proxy = Some("http://proxy.example:3128".to_owned());
        refused.repeated = Some(Repeated::Tunnel);
        let run = climb(shop(), vec![refused]);
        let Verdict {
            reason,
            title: told,
            cause,
            answered_by,
            ..
        } = &run.verdict;
        assert_eq!((*reason, run.verdict.status), (Reason::ProxyFailed, status));
        assert_eq!((told.as_str(), *answered_by), (title, AnsweredBy::Proxy));
        assert!(
            cause.contains(words) && cause.contains("proxy.example"),
            "{cause}"
        );
        assert!(run.says("asked once more for the same connection"));
        assert!(run.attempts.is_empty(), "no key went out");
    }
}

#[test]
fn what_a_socks_proxy_answered_is_told_without_words_of_http() {
    let by = |failure| {
        let mut refused = failed(Failure::Proxy(failure));
        refused.proxy = Some("socks5h://proxy.example:1080".to_owned());
        climb(shop(), vec![refused]).verdict
    };
    for (refusal, words, step) in [
        (
            SocksRefusal::Login,
            "without a login: most often it asks for a user name",
            "all_proxy",
        ),
        (SocksRefusal::LoginRefused, "does not take", "%40"),
        (SocksRefusal::Rule, "a rule of its own", "NO_PROXY"),
        (
            SocksRefusal::Behind("nothing listens there (reply 5)"),
            "to billing.example.com: nothing listens there (reply 5).",
            "port 443",
        ),
        (
            SocksRefusal::Unsupported("it takes no such address (reply 8)"),
            "no such address",
            "socks5h://",
        ),
    ] {
        let verdict = by(ProxyFailure::Socks(refusal));
        assert_eq!((verdict.reason, verdict.status), (Reason::ProxyFailed, 0));
        assert_eq!(verdict.answered_by, AnsweredBy::Proxy);
        assert!(verdict.title.starts_with("0 Received: "), "{verdict:?}");
        assert!(verdict.cause.contains(words), "{}", verdict.cause);
        let steps = verdict.remedy.steps.join(" ");
        assert!(steps.contains(step), "{steps}");
        assert!(!steps.contains("403") && !steps.contains("407"), "{steps}");
    }
    // What is not known is asked of the right URL.
    let mut plain = shop();
    plain.url = "http://billing.example.com/blesta".to_owned();
    let run = climb(plain, vec![failed(Failure::Proxy(ProxyFailure::Denied))]);
    let steps = run.verdict.remedy.steps.join(" ");
    assert!(steps.contains(" http://billing.example.com "), "{steps}");
}

#[test]
fn every_variable_that_may_name_the_proxy_is_told() {
    for failure in [
        ProxyFailure::Unheard("refused"),
        ProxyFailure::Silent,
        ProxyFailure::Refused(404),
    ] {
        let run = climb(shop(), vec![failed(Failure::Proxy(failure))]);
        let steps = run.verdict.remedy.steps.join(" ");
        for variable in [" https_proxy (", "(http_proxy ", " all_proxy;"] {
            assert!(steps.contains(variable), "{steps}");
        }
    }
}

#[test]
fn a_proxys_password_is_asked_for_where_it_is_taken() {
    for failure in [
        ProxyFailure::Password,
        ProxyFailure::Socks(SocksRefusal::Login),
    ] {
        let run = climb(shop(), vec![failed(Failure::Proxy(failure))]);
        let steps = run.verdict.remedy.steps.join(" ");
        assert!(steps.contains("_proxy of this session"), "{steps}");
        assert!(steps.contains("https_proxy"), "{steps}");
        assert!(steps.contains("(switchboard connection edit "), "{steps}");
    }
}

#[test]
fn a_certificate_that_cannot_be_used_is_told_with_its_own_remedy() {
    let cannot = TlsFailure::Unusable("it is not of version 3".to_owned());
    for (failure, words, step) in [
        (cannot, "can't be used: it is not of version 3.", "SHA-256"),
        (
            TlsFailure::Signature,
            "two authorities with one name",
            "--ca-file",
        ),
        (TlsFailure::Authority, "CA:true", "--ca-file"),
        (TlsFailure::ForeignKey, "another key than", "-pubkey"),
    ] {
        let chain = vec![certificate("CN=billing.example.com", "CN=R3", 61)];
        let run = climb(
            shop(),
            vec![with_chain(failed(Failure::Tls(failure)), chain)],
        );
        assert_eq!(run.reason(), Reason::TlsFailed);
        let (cause, steps) = (&run.verdict.cause, run.verdict.remedy.steps.join(" "));
        assert!(
            cause.contains(words) && !cause.contains("signed by itself"),
            "{cause}"
        );
        assert!(steps.contains(step), "{steps}");
        assert!(!steps.contains("the name leads"), "{steps}");
    }
}

#[test]
fn that_a_server_wants_http_1_1_is_said() {
    let mut denied = json(401, DENIED);
    denied.repeated = Some(Repeated::OverHttp1);
    let alone = blesta("https://billing.example.com");
    let run = climb(alone, vec![denied]);
    assert_eq!(run.reason(), Reason::ServiceFound);
    assert!(run.says("HTTP_1_1_REQUIRED"));
}

#[test]
fn the_chain_tells_why_an_issuer_is_unknown() {
    let leaf = |issuer: &str| certificate("CN=billing.example.com", issuer, 61);
    let unknown = || failed(Failure::Tls(TlsFailure::UnknownIssuer));
    for (chain, words) in [
        (vec![leaf("CN=billing.example.com")], "signed by itself"),
        (vec![leaf("CN=R3")], "intermediate of CN=R3 is missing"),
        (
            vec![
                leaf("CN=Corp CA 1"),
                certificate("CN=Corp CA 1", "CN=Corp Root", 999),
            ],
            "a private authority",
        ),
    ] {
        let run = climb(shop(), vec![with_chain(unknown(), chain)]);
        assert_eq!(run.reason(), Reason::TlsUnknownIssuer);
        assert!(run.verdict.cause.contains(words), "{}", run.verdict.cause);
        assert!(run.says("certificate 0: CN=billing.example.com"));
    }
}

#[test]
fn dates_and_names_of_a_certificate_are_said() {
    let expired = with_chain(
        failed(Failure::Tls(TlsFailure::Expired)),
        vec![certificate("CN=billing.example.com", "CN=R3", -12)],
    );
    let run = climb(shop(), vec![expired]);
    assert!(
        run.verdict.cause.contains("11 days ago"),
        "{}",
        run.verdict.cause
    );
    let intermediate = with_chain(
        failed(Failure::Tls(TlsFailure::Expired)),
        vec![
            certificate("CN=a", "CN=R3", 60),
            certificate("CN=R3", "CN=Root", -2),
        ],
    );
    let run = climb(shop(), vec![intermediate]);
    assert!(
        run.says("CN=R3 ended 2026-11-21T11:00:00Z, 1 day ago"),
        "{:?}",
        run.verdict.evidence
    );
    let cause = run.verdict.cause;
    assert!(cause.contains("one that it sends along"), "{cause}");
    assert!(run.verdict.remedy.steps[0].contains("fullchain.pem"));
    let other = with_chain(
        failed(Failure::Tls(TlsFailure::WrongName)),
        vec![certificate("CN=billing.example.com", "CN=R3", 60)],
    );
    let mut subject = shop();
    subject.url = "https://shop.example.com".to_owned();
    let run = climb(subject, vec![other]);
    assert!(
        run.verdict
            .cause
            .contains("is for billing.example.com, not for shop.example.com")
    );
}

#[test]
fn a_certificate_that_ends_soon_is_said() {
    for (days, reason, title) in [
        (31, Reason::Connected, "Successfully Connected"),
        (30, Reason::Connected, "Successfully Connected"),
        (
            14,
            Reason::TlsExpiring,
            "Connected, certificate ends in 14 days",
        ),
        (
            3,
            Reason::TlsExpiring,
            "Connected, certificate ends in 3 days",
        ),
        (
            1,
            Reason::TlsExpiring,
            "Connected, certificate ends in 1 day",
        ),
        (
            0,
            Reason::TlsExpiring,
            "Connected, certificate ends in 0 days",
        ),
    ] {
        let run = scheduled(with_chain(
            json(200, COMPANIES),
            vec![certificate("CN=billing.example.com", "CN=R3", days)],
        ));
        assert_eq!((run.reason(), run.verdict.title.as_str()), (reason, title));
        assert_eq!(run.says("the certificate ends in"), days <= 30, "{days}");
        let tls = run.verdict.checks.get(CheckId::Tls).state;
        assert_eq!(tls, if days <= 14 { State::Warn } else { State::Ok });
    }
    // Another warning of the table comes first; from three days on, its title says both.
    let noisy = format!("\n{COMPANIES}");
    let run = scheduled(with_chain(
        json(200, &noisy),
        vec![certificate("CN=billing.example.com", "CN=R3", 2)],
    ));
    assert_eq!(run.reason(), Reason::ConnectedNoisy);
    assert_eq!(
        run.verdict.title,
        "Connected, with noise, certificate ends in 2 days"
    );
}

fn scheduled(reply: Reply) -> Run {
    let mut subject = shop();
    subject.trigger = Trigger::Scheduled;
    subject.past.service_seen = true;
    climb(subject, vec![reply])
}

#[test]
fn of_several_warnings_the_first_of_the_table_wins() {
    let other = r#"{"response":[{"id":1,"name":"Other","hostname":"other.example.com"}]}"#;
    let run = scheduled(with_chain(
        json(200, other),
        vec![certificate("CN=billing.example.com", "CN=R3", 10)],
    ));
    assert_eq!(run.reason(), Reason::WrongCompany);
    assert!(run.says("also: Connected, certificate ends soon"));
    let run = scheduled(json(200, &format!("\n{other}")));
    assert_eq!(run.reason(), Reason::ConnectedNoisy);
    assert!(run.says("also: Connected, other company"));
}

#[test]
fn one_address_family_that_fails_is_a_warning_of_the_check() {
    let address = |text: &str, state| Address {
        address: text.parse().unwrap(),
        state,
        ms: Some(0.4),
    };
    let mut reply = json(200, COMPANIES);
    reply.addresses = vec![
        address("[2001:db8::1]:443", State::Down),
        address("192.0.2.1:443", State::Ok),
    ];
    let run = scheduled(reply.clone());
    assert_eq!(run.reason(), Reason::Connected);
    assert_eq!(run.verdict.checks.get(CheckId::Connect).state, State::Warn);
    assert!(run.says("IPv6 does not answer"));
    assert_eq!(run.verdict.addresses.len(), 2);
    // One that is silent when the other one answers is told, and no fault of the connection; one not tried is neither.
    for (ms, told) in [(Some(251.4), true), (None, false)] {
        reply.addresses[0].state = State::Unknown;
        reply.addresses[0].ms = ms;
        let run = scheduled(reply.clone());
        assert_eq!(run.verdict.checks.get(CheckId::Connect).state, State::Ok);
        assert_eq!(run.says("2001:db8::1 said nothing for 251 ms"), told);
    }
}

#[test]
fn a_clock_that_differs_is_a_warning_of_the_check() {
    let run = scheduled(answer(
        200,
        &[("Date", "Mon, 23 Nov 2026 10:10:00 GMT")],
        COMPANIES,
    ));
    assert_eq!(run.reason(), Reason::Connected);
    assert_eq!(run.verdict.checks.get(CheckId::Http).state, State::Warn);
    assert!(
        run.says("the server's clock is 9 min ahead"),
        "{:?}",
        run.verdict.evidence
    );
}

#[test]
fn a_failure_shows_what_changed_since_the_last_good_run() {
    let mut good = scheduled(answer(200, &[("Server", "nginx")], COMPANIES));
    let last: LastGood = good.ladder.take_last_good().unwrap();
    assert_eq!(last.server.as_deref(), Some("nginx"));
    assert_eq!(last.identity.as_deref(), Some("Shop Ltd (1)"));
    let mut subject = shop();
    subject.trigger = Trigger::Scheduled;
    subject.past.service_seen = true;
    subject.past.last_good = Some(last);
    let refused = html(403, &[("Server", "cloudflare")], "<html>");
    let run = climb(subject.clone(), vec![refused]);
    assert_eq!(
        run.verdict.changed_since_last_good,
        ["server: nginx, now cloudflare"]
    );
    let run = climb(
        subject,
        vec![answer(200, &[("Server", "cloudflare")], COMPANIES)],
    );
    assert_eq!(run.verdict.changed_since_last_good, Vec::<String>::new());
    assert!(
        scheduled(html(403, &[], "<html>"))
            .ladder
            .take_last_good()
            .is_none()
    );
}
