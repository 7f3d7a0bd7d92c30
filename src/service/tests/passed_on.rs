//! What stands before the service, and answers in its place: gateways, limits, networks, other services.

use super::harness::*;
use crate::domain::{AnsweredBy, CheckId, Failure, Outcome, Reason, Reply, ServiceId, State};
use crate::service::{RungAnswer, Subject};
use std::time::Duration;

const CLOUDFLARE: [(&str, &str); 2] = [("Server", "cloudflare"), ("CF-RAY", "8a-FRA")];

fn page(status: u16, headers: &[(&str, &str)], title: &str, body: &str) -> Reply {
    let page = format!("<html><head><title>{title}</title></head><body>{body}</body></html>");
    html(status, headers, &page)
}

fn connect() -> Subject {
    with_pair(
        Subject::new(
            ServiceId::connect(),
            "https://connect.example.com/public/v1",
        ),
        "SU-160-984-311",
        "0123456789abcdef",
    )
}

#[test]
fn whoever_answers_in_the_services_place_is_told_from_it() {
    let passed_on = [CLOUDFLARE[0], CLOUDFLARE[1], ("CF-Cache-Status", "DYNAMIC")];
    let nginx =
        "<center><h1>503 Service Temporarily Unavailable</h1></center><hr><center>nginx</center>";
    for (reply, reason, title) in [
        (
            page(
                503,
                &[("Server", "nginx")],
                "503 Service Temporarily Unavailable",
                nginx,
            ),
            Reason::GatewayDown,
            "503 by the web server itself",
        ),
        (
            page(
                403,
                &CLOUDFLARE,
                "Direct IP access not allowed | Cloudflare",
                "error code: 1003",
            ),
            Reason::CdnBlock,
            "403 The URL names an address",
        ),
        (
            page(
                403,
                &CLOUDFLARE,
                "DNS points to prohibited IP | Cloudflare",
                "error code: 1000",
            ),
            Reason::CdnBlock,
            "403 Cloudflare does not know the host",
        ),
        (
            page(
                403,
                &CLOUDFLARE,
                "Access denied | Cloudflare",
                "error code: 1020",
            ),
            Reason::CdnBlock,
            "403 Restricted by the CDN",
        ),
        (
            answer(403, &passed_on, "Forbidden"),
            Reason::ServerRule,
            "403 Restricted behind the CDN",
        ),
        (
            json(
                403,
                r#"{"result":"error","message":"Invalid IP 192.0.2.1"}"#,
            ),
            Reason::UnexpectedStatus,
            "403 Denied by another API",
        ),
        (
            html(401, &[("WWW-Authenticate", "Negotiate")], "<html></html>"),
            Reason::ServerPassword,
            "401 A Windows login is wanted",
        ),
        (
            answer(
                401,
                &[("WWW-Authenticate", "Bearer realm=\"x\"")],
                r#"{"error":"invalid_token"}"#,
            ),
            Reason::UnexpectedStatus,
            "401 Denied by another API",
        ),
        (
            page(
                508,
                &[("Server", "LiteSpeed")],
                "508 Resource Limit Is Reached",
                "",
            ),
            Reason::ServerError,
            "508 The hosting account's limit",
        ),
        (
            page(
                500,
                &[],
                "Error",
                "Error establishing a database connection",
            ),
            Reason::ServerError,
            "500 No database",
        ),
        (
            answer(404, &[], "default backend - 404"),
            Reason::NotFound,
            "404 No site under this name",
        ),
        (
            html(302, &[("Location", "/cgi-sys/suspendedpage.cgi")], ""),
            Reason::NotTheService,
            "Not a Blesta: account suspended",
        ),
        (
            page(403, &[("Server", "Zscaler/6.2")], "Blocked", "by Zscaler"),
            Reason::ProxyFailed,
            "403 Blocked by this network's filter",
        ),
        (
            answer(
                401,
                &[("Connect-Version", "30.1")],
                r#"{"error_code":"AUTH_001","errors":[]}"#,
            ),
            Reason::NotTheService,
            "Not a Blesta: CloudBlue Connect",
        ),
        (
            page(
                200,
                &[],
                "",
                "var a=toNumbers(\"\");slowAES.decrypt(c,2,a,b)",
            ),
            Reason::ChallengePage,
            "Challenge page",
        ),
    ] {
        let run = climb(blesta("https://billing.example.com"), vec![reply]);
        let told = (run.reason(), run.verdict.title.as_str());
        assert_eq!(told, (reason, title), "{:#?}", run.verdict);
        assert!(!run.verdict.remedy.steps.is_empty(), "{title}");
        assert!(!run.verdict.cause.contains('{'), "{}", run.verdict.cause);
    }
}

#[test]
fn pages_of_an_empty_server_are_no_answer_of_any_api() {
    for (reply, title) in [
        (
            page(200, &[], "Welcome to nginx!", ""),
            "Not the API: a default page",
        ),
        (
            page(200, &[], "", "<b>Fatal error</b>: Uncaught x"),
            "PHP stopped with an error",
        ),
        (
            page(200, &[], "Down for maintenance", ""),
            "Not the API: a notice",
        ),
    ] {
        let http = Subject::new(ServiceId::http(), "https://api.example.com/health");
        let run = climb(with_pair(http, "", "0123456789"), vec![reply]);
        let told = (run.reason(), run.verdict.title.as_str());
        assert_eq!(told, (Reason::NotTheService, title));
        assert_eq!(run.verdict.state(), State::Warn);
    }
}

#[test]
fn what_a_refusal_says_for_itself_is_told() {
    let said = "Your IP address is not allowed by the account settings.";
    let refusal = format!(r#"{{"error_code":"ACL_001","errors":["{said}"]}}"#);
    let version = [
        ("Connect-Version", "30.1"),
        ("Content-Type", "application/json"),
    ];
    let found = answer(
        401,
        &version,
        r#"{"error_code":"AUTH_001","errors":["no"]}"#,
    );
    let run = climb(connect(), vec![found, answer(403, &version, &refusal)]);
    assert_eq!(run.reason(), Reason::PermissionMissing);
    assert!(
        run.verdict
            .cause
            .contains("not allowed by the account settings")
    );
    assert!(run.says(said), "{:?}", run.verdict.evidence);
    assert!(!run.says("without the key,"), "the service itself refuses");

    let http = Subject::new(ServiceId::http(), "https://api.example.com/health");
    let run = climb(
        http,
        vec![json(503, r#"{"message":"no peer in the ring"}"#)],
    );
    let told = (run.reason(), run.verdict.title.as_str());
    assert_eq!(told, (Reason::Maintenance, "503 in the API's own words"));
    assert!(
        run.verdict.cause.ends_with("no peer in the ring."),
        "{}",
        run.verdict.cause
    );
}

#[test]
fn a_connect_url_without_its_path_is_mended() {
    let root = Subject {
        url: "https://connect.example.com".to_owned(),
        ..connect()
    };
    let version = [
        ("Connect-Version", "30.1"),
        ("Content-Type", "application/json"),
    ];
    let nothing = || {
        answer(
            404,
            &version,
            r#"{"error_code":"NFND_000","errors":["no"]}"#,
        )
    };
    let run = climb(root, vec![nothing(), nothing()]);
    assert_eq!(run.reason(), Reason::ApiPathWrong);
    let mended = run.verdict.remedy.url.as_deref();
    assert_eq!(mended, Some("https://connect.example.com/public/v1"));
}

#[test]
fn a_refusal_of_the_key_alone_is_no_matter_of_the_address() {
    let denied = || json(401, DENIED);
    let rule = page(
        403,
        &[("Server", "nginx")],
        "403 Forbidden",
        "<center>nginx</center>",
    );
    let run = climb(shop(), vec![denied(), rule]);
    let told = (run.reason(), run.verdict.title.as_str());
    assert_eq!(told, (Reason::ServerRule, "403 Refused for its key"));
    assert!(run.says("asked without the key, Blesta itself answered"));
    // Then a rule that nobody has seen looking at the key.
    let rule = page(
        403,
        &[("Server", "nginx")],
        "403 Forbidden",
        "<center>nginx</center>",
    );
    let run = climb(shop(), vec![rule]);
    assert_eq!(run.verdict.title, "403 Restricted by the web server");
}

#[test]
fn whoever_blocks_the_key_alone_is_named_as_for_any_call() {
    let denied = || json(401, DENIED);
    let by_cdn = html(403, &CLOUDFLARE, "<html>");
    let run = climb(shop(), vec![denied(), by_cdn]);
    assert_eq!(run.reason(), Reason::CdnBlock);
    assert!(
        run.verdict.cause.contains("Cloudflare"),
        "{}",
        run.verdict.cause
    );
    assert!(run.says("asked without the key, Blesta itself answered"));
    let sucuri = [("Server", "Sucuri/Cloudproxy"), ("X-Sucuri-ID", "11")];
    let run = climb(shop(), vec![denied(), html(403, &sucuri, "<html>")]);
    assert_eq!(run.reason(), Reason::WafBlock, "{:?}", run.verdict);
}

#[test]
fn no_http_for_the_key_is_not_said_of_the_port() {
    let odd = failed(Failure::NotHttp);
    let run = climb(shop(), vec![json(401, DENIED), odd]);
    assert_eq!(run.reason(), Reason::NotHttp);
    let steps = run.verdict.remedy.steps.join(" ");
    assert!(!steps.contains("Check the port"), "{steps}");
    assert!(run.verdict.cause.contains("a moment before"));
}

#[test]
fn a_second_style_that_was_not_heard_proves_nothing() {
    let denied = || json(401, DENIED);
    let block = page(403, &[("Server", "nginx")], "Blocked", "");
    let run = climb(shop(), vec![denied(), denied(), block]);
    assert_eq!(run.reason(), Reason::CredentialsRejected);
    let cause = &run.verdict.cause;
    assert!(
        cause.contains("did not get to say") && cause.contains("403"),
        "{cause}"
    );
}

#[test]
fn without_time_for_an_answer_the_key_is_not_sent() {
    let found = RungAnswer::Reply(Box::new(json(401, DENIED)));
    let late = RungAnswer::Late {
        took: Duration::from_secs(6),
        left: Duration::from_secs(4),
    };
    let run = climb_over(shop(), vec![found, late]);
    let told = (run.reason(), run.verdict.title.as_str());
    assert_eq!(
        told,
        (Reason::ServiceFound, "Service found, too slow for the key")
    );
    assert!(
        run.attempts.is_empty(),
        "nothing that could count against it"
    );
    assert!(run.verdict.cause.contains("6.0 s"), "{}", run.verdict.cause);
    // A first rejection may be of the style alone, which only the second request would tell.
    let denied = || RungAnswer::Reply(Box::new(json(401, DENIED)));
    let late = RungAnswer::Late {
        took: Duration::from_secs(4),
        left: Duration::from_secs(1),
    };
    let run = climb_over(shop(), vec![denied(), denied(), late]);
    assert_eq!(run.reason(), Reason::CredentialsRejected);
    assert!(
        run.verdict.cause.contains("did not get to say"),
        "{}",
        run.verdict.cause
    );
}

#[test]
fn blanks_around_the_user_name_are_not_sent() {
    for typed in ["shop-api ", " shop-api", "shop\u{200b}-api"] {
        let subject = with_pair(blesta("https://billing.example.com"), typed, KEY);
        let run = climb(
            subject,
            vec![
                json(401, DENIED),
                json(200, COMPANIES),
                json(200, r#"{"response":"5.13.7"}"#),
            ],
        );
        assert_eq!(
            run.asked[1], "GET /api/companies/getAll.json Basic shop-api",
            "{typed:?}"
        );
        assert!(
            run.says("around the user name"),
            "{:?}",
            run.verdict.evidence
        );
    }
}

#[test]
fn json_that_is_whole_is_an_answer_though_the_connection_was_cut() {
    let cut = |headers: &[(&str, &str)]| {
        let mut reply = answer(401, headers, DENIED);
        let Outcome::Answered(response) = reply.outcome else {
            unreachable!()
        };
        reply.outcome = Outcome::Cut(response, crate::domain::Failure::ClosedEarly);
        reply
    };
    let run = climb(blesta("https://billing.example.com"), vec![cut(&[])]);
    assert_eq!(run.reason(), Reason::ServiceFound);
    let run = climb(
        blesta("https://billing.example.com"),
        vec![cut(&[("Content-Length", "999")])],
    );
    assert_eq!(run.reason(), Reason::ReplyCut);
}

#[test]
fn a_proxy_of_ours_may_have_answered_a_plain_request_itself() {
    let mut reply = page(403, &[], "Blocked by ProxyCorp", "");
    reply.proxy = Some("http://proxy.example:3128".to_owned());
    let mut subject = blesta("http://billing.example.com");
    subject.allow_http = true;
    let run = climb(subject, vec![reply.clone()]);
    assert!(
        run.says("which may have answered in the host's place"),
        "{:?}",
        run.verdict.evidence
    );
    // Within a tunnel nobody but the host does.
    let run = climb(blesta("https://billing.example.com"), vec![reply]);
    assert!(!run.says("in the host's place"));
}

#[test]
fn secrets_in_a_urls_query_are_not_shown() {
    let http = Subject::new(
        ServiceId::http(),
        "https://api.example.com/x?api_key=hunter2&a=1",
    );
    let run = climb(http, vec![json(200, "{}")]);
    assert_eq!(
        run.verdict.url,
        "https://api.example.com/x?api_key=••••&a=1"
    );
}

#[test]
fn advice_is_for_the_server_that_answered() {
    let own = "<hr><center>nginx/1.26</center>";
    for (status, server, body, snippet) in [
        (401, "nginx/1.26", own, Some("auth_basic $staging;")),
        (401, "Apache/2.4", "", Some("RequireAny")),
        (403, "nginx/1.26", own, Some("allow 203.0.113.7;")),
        (403, "Microsoft-IIS/10.0", "", None),
        (403, "Apache/2.4", "", Some("Require ip")),
        (
            403,
            "",
            "Request forbidden by administrative rules.",
            Some("!{ src 203.0.113.7 }"),
        ),
        // nginx in front of an Apache that wrote the page.
        (
            403,
            "nginx/1.26",
            "<address>Apache/2.4</address>",
            Some("Require ip"),
        ),
    ] {
        let asks = ("WWW-Authenticate", "Basic realm=\"staging\"");
        let mut headers = vec![("Server", server)];
        headers.extend((status == 401).then_some(asks));
        let run = climb(
            blesta("https://billing.example.com"),
            vec![page(status, &headers, "No", body)],
        );
        let pasted = run.verdict.remedy.snippet.as_deref();
        match snippet {
            Some(part) => assert!(
                pasted.is_some_and(|text| text.contains(part)),
                "{server}: {pasted:?}"
            ),
            None => assert_eq!(pasted, None, "{server}"),
        }
    }
}

/// Apache compares the path as it is decoded, the others as it was sent.
#[test]
fn a_snippet_has_the_path_as_its_server_compares_it() {
    let own = "<hr><center>nginx/1.26</center>";
    let asks = ("WWW-Authenticate", "Basic realm=\"staging\"");
    for (server, body, part) in [
        (
            "nginx/1.26",
            own,
            r#""~^/my%20\(it\x27s\)/%C3%BC%22%5Cb%FF\./(index"#,
        ),
        (
            "Apache/2.4",
            "",
            r#"Request_URI "^/my \(it's\)/ü\x22\x5cb\xff\./(index"#,
        ),
    ] {
        let subject = blesta("https://billing.example.com/my%20(it's)/%C3%BC%22%5Cb%FF./");
        let run = climb(
            subject,
            vec![page(401, &[("Server", server), asks], "No", body)],
        );
        let pasted = run.verdict.remedy.snippet.unwrap();
        assert!(pasted.contains(part), "{pasted}");
    }
}

#[test]
fn a_swapped_pair_of_connect_is_pointed_out() {
    let subject = with_pair(connect(), "goodsecret12345", "SU-160-984-311");
    let version = [
        ("Connect-Version", "30.1"),
        ("Content-Type", "application/json"),
    ];
    let denied = || {
        answer(
            401,
            &version,
            r#"{"error_code":"AUTH_001","errors":["no"]}"#,
        )
    };
    let run = climb(subject, vec![denied(), denied()]);
    assert!(run.says("look swapped"), "{:?}", run.verdict.evidence);
}

#[test]
fn nobody_is_sent_where_a_redirect_was_seen_to_fail() {
    let moved = || {
        let there = "https://billing.example.com/de/api/companies/getAll.json";
        html(302, &[("Location", there)], "")
    };
    let at_home = || blesta("https://billing.example.com");
    let run = climb(
        at_home(),
        vec![moved(), page(404, &[], "Nicht gefunden", "")],
    );
    assert_eq!(run.reason(), Reason::RedirectPath);
    assert_eq!(
        run.verdict.remedy.url, None,
        "{:?}",
        run.verdict.remedy.steps
    );
    let run = climb(at_home(), vec![moved(), json(401, DENIED)]);
    let there = run.verdict.remedy.url.as_deref();
    assert_eq!(there, Some("https://billing.example.com/de"));
}

#[test]
fn connect_is_not_told_to_be_another_service_than_itself() {
    let version = [
        ("Connect-Version", "30.1"),
        ("Content-Type", "application/json"),
    ];
    for status in [400, 402, 405, 422, 502] {
        let found = answer(
            401,
            &version,
            r#"{"error_code":"AUTH_001","errors":["no"]}"#,
        );
        let odd = answer(status, &version, r#"{"error_code":"X_1","errors":["odd"]}"#);
        let run = climb(connect(), vec![found, odd]);
        assert_ne!(run.reason(), Reason::NotTheService, "{status}");
        assert!(run.says("it says: odd"), "{:?}", run.verdict.evidence);
    }
}

/// The pages of `HAProxy` 2.6 as it sends them.
#[test]
fn what_haproxy_says_itself_is_no_web_servers() {
    let own = |status: u16, title: &str, words: &str| {
        let page = format!("<html><body><h1>{status} {title}</h1>\n{words}\n</body></html>\n");
        let headers = [
            ("Cache-Control", "no-cache"),
            ("WWW-Authenticate", "Basic realm=\"Stage\""),
        ];
        html(
            status,
            if status == 401 {
                &headers
            } else {
                &headers[..1]
            },
            &page,
        )
    };
    for (reply, reason, title) in [
        (
            own(
                500,
                "Internal Server Error",
                "An internal server error occurred.",
            ),
            Reason::ServerError,
            "500 by HAProxy itself",
        ),
        (
            own(
                401,
                "Unauthorized",
                "You need a valid user and password to access this content.",
            ),
            Reason::ServerPassword,
            "401 Denied by HAProxy",
        ),
        (
            own(
                502,
                "Bad Gateway",
                "The server returned an invalid or incomplete response.",
            ),
            Reason::GatewayDown,
            "502 Gateway: broken off behind it",
        ),
        (
            own(
                429,
                "Too Many Requests",
                "You have sent too many requests in a given amount of time.",
            ),
            Reason::RateLimited,
            "429 Slow down",
        ),
    ] {
        let run = climb(blesta("https://billing.example.com"), vec![reply]);
        let told = (run.reason(), run.verdict.title.as_str());
        assert_eq!(told, (reason, title));
        assert_eq!(run.verdict.answered_by, AnsweredBy::Proxy, "{title}");
    }
}

#[test]
fn what_a_proxy_of_ours_says_itself_is_not_the_hosts() {
    for (status, header, title) in [
        (
            403,
            ("Server", "tinyproxy/1.11.1"),
            "403 The proxy does not allow it",
        ),
        (
            500,
            ("Server", "tinyproxy/1.11.1"),
            "500 The proxy reached nobody",
        ),
        (
            502,
            ("Server", "mitmproxy 9.0.1"),
            "502 The proxy reached nobody",
        ),
        (
            503,
            ("X-Squid-Error", "ERR_CONNECT_FAIL 111"),
            "503 The proxy reached nobody",
        ),
        (
            503,
            ("X-Squid-Error", "ERR_SHUTTING_DOWN 0"),
            "503 The proxy failed",
        ),
        (
            500,
            ("X-Squid-Error", "ERR_ICAP_FAILURE 104"),
            "500 The proxy failed",
        ),
    ] {
        let reply = |proxy: Option<&str>| Reply {
            proxy: proxy.map(str::to_owned),
            ..page(status, &[header], "Error", "")
        };
        let plain = || blesta("http://billing.example.com");
        let run = climb(plain(), vec![reply(Some("http://proxy.example:3128"))]);
        let told = (run.reason(), run.verdict.title.as_str());
        assert_eq!(told, (Reason::ProxyFailed, title), "{header:?}");
        assert_eq!(run.verdict.answered_by, AnsweredBy::Proxy, "{header:?}");
        // Where none is in use, it stands before the host.
        let run = climb(plain(), vec![reply(None)]);
        assert_ne!(run.reason(), Reason::ProxyFailed, "{header:?}");
    }
}

/// By `src/http.cc`, `src/clients/Client.cc` and `src/security/PeerConnector.cc` of Squid.
#[test]
fn a_host_that_fails_once_squid_has_reached_it_is_not_called_out_of_reach() {
    let (cut, broken) = (
        "502 Broken off behind the proxy",
        "502 Gateway: broken off behind it",
    );
    for (status, said, ours, hosts) in [
        (502, "ERR_ZERO_SIZE_OBJECT 0", cut, broken),
        (502, "ERR_READ_ERROR 104", cut, broken),
        (502, "ERR_WRITE_ERROR 32", cut, broken),
        (502, "ERR_INVALID_RESP 0", cut, broken),
        (502, "ERR_TOO_BIG 0", cut, broken),
        (
            504,
            "ERR_READ_TIMEOUT 0",
            "504 No answer behind the proxy in time",
            "504 Gateway: too slow behind it",
        ),
        (
            503,
            "ERR_SECURE_CONNECT_FAIL 71",
            "503 No TLS behind the proxy",
            "503 Gateway: certificate behind it",
        ),
    ] {
        for (proxy, title) in [(Some("http://proxy.example:3128"), ours), (None, hosts)] {
            let reply = Reply {
                proxy: proxy.map(str::to_owned),
                ..page(status, &[("X-Squid-Error", said)], "ERROR", "")
            };
            let run = climb(blesta("http://billing.example.com"), vec![reply]);
            let told = (run.reason(), run.verdict.title.as_str());
            assert_eq!(told, (Reason::GatewayDown, title), "{said} {proxy:?}");
            assert_eq!(run.verdict.answered_by, AnsweredBy::Proxy, "{said}");
            let names_proxy = run
                .verdict
                .cause
                .contains("http://proxy.example:3128 reached");
            assert_eq!(names_proxy, proxy.is_some(), "{}", run.verdict.cause);
        }
    }
}

#[test]
fn an_answer_that_says_what_it_is_is_told_so() {
    for (status, reason, title) in [
        (204, Reason::EmptyReply, "204 Empty by intention"),
        (
            407,
            Reason::UnexpectedStatus,
            "407 A proxy on the way wants a login",
        ),
        (
            408,
            Reason::UnexpectedStatus,
            "408 The request came too late",
        ),
    ] {
        let run = climb(
            blesta("https://billing.example.com"),
            vec![answer(status, &[], "")],
        );
        assert_eq!((run.reason(), run.verdict.title.as_str()), (reason, title));
    }
    let caddy = answer(200, &[("Server", "Caddy")], "");
    let run = climb(blesta("https://billing.example.com"), vec![caddy]);
    assert_eq!(run.verdict.title, "Empty reply by Caddy");
}

/// Pages of Apache 2.4, which is asked for a client certificate or for what runs behind it.
#[test]
fn what_apache_says_of_certificates_and_of_what_is_behind_it_is_read() {
    let late = "<p>You don't have permission to access this resource.\
                Reason: Cannot perform Post-Handshake Authentication.<br /></p>";
    let broken = "<p>The proxy server received an invalid response from an upstream server.<br />\
                  Reason: <strong>Error reading from remote server</strong></p>";
    for (status, title, body, reason, told) in [
        (
            403,
            "403 Forbidden",
            late,
            Reason::TlsClientCertificate,
            "403: a client certificate is wanted for this path",
        ),
        (
            502,
            "502 Proxy Error",
            broken,
            Reason::GatewayDown,
            "502 Gateway: broken off behind it",
        ),
    ] {
        let reply = page(status, &[("Server", "Apache/2.4.71 (Debian)")], title, body);
        let run = climb(blesta("https://billing.example.com"), vec![reply]);
        assert_eq!((run.reason(), run.verdict.title.as_str()), (reason, told));
        let tls = run.verdict.checks.get(CheckId::Tls);
        let expected = (reason == Reason::TlsClientCertificate).then_some(State::Down);
        assert_eq!(tls.state, expected.unwrap_or(State::Ok), "{reason:?}");
    }
}
