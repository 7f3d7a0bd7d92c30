//! Every row of Blesta's table, with a recorded reply.

use super::harness::*;
use crate::domain::{AnsweredBy, CheckId, Reason, Reply, State, Who};

const NGINX_403: &str = "<html>\r\n<head><title>403 Forbidden</title></head>\r\n<body>\r\n<center><h1>403 Forbidden</h1></center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>";
const APACHE_403: &str = "<!DOCTYPE HTML PUBLIC \"-//IETF//DTD HTML 2.0//EN\">\n<html><head>\n<title>403 Forbidden</title>\n</head><body>\n<h1>Forbidden</h1>\n<p>You don't have permission to access this resource.</p>\n</body></html>";
const PLAIN_403: &str = "<html><head><title>Forbidden</title></head><body>No.</body></html>";
const APACHE_404: &str = "<!DOCTYPE HTML PUBLIC \"-//IETF//DTD HTML 2.0//EN\">\n<html><head>\n<title>404 Not Found</title>\n</head><body>\n<h1>Not Found</h1>\n<p>The requested URL was not found on this server.</p>\n<hr>\n<address>Apache/2.4.57 (Debian) Server at billing.example.com Port 443</address>\n</body></html>";
const NGINX_502: &str = "<html><head><title>502 Bad Gateway</title></head><body><center><h1>502 Bad Gateway</h1></center><hr><center>nginx/1.22.1</center></body></html>";

fn message(text: &str) -> String {
    format!(r#"{{"message":"{text}","errors":{{}},"response":null}}"#)
}

/// The URL alone, and one answer.
fn url_alone(url: &str, reply: Reply) -> Run {
    climb(blesta(url), vec![reply])
}

/// The authenticated call alone, and one answer.
fn key_alone(reply: Reply) -> Run {
    let mut subject = shop();
    subject.past.service_seen = true;
    subject.trigger = crate::service::Trigger::Scheduled;
    subject.past.accepted = Some(crate::service::Accepted {
        by_headers: false,
        through_index: false,
        own_token: None,
    });
    subject.auth = crate::domain::AuthStyle::Basic;
    climb(subject, vec![reply])
}

#[test]
fn one_answer_gives_one_reason_whichever_call_it_ends() {
    use AnsweredBy::{Cdn, Service, Unknown, Waf, WebServer};
    use Reason::*;
    let exception = message("An unexpected error occured.").replace(
        "\"response\":null",
        "\"response\":\"Failed to retrieve the default value\"",
    );
    let rows: Vec<(&str, Reply, Reason, AnsweredBy)> = vec![
        (
            "2",
            html(200, &[], "<!doctype html><title>My shop</title>"),
            NotTheService,
            WebServer,
        ),
        (
            "2 nginx",
            html(
                200,
                &[("Server", "nginx")],
                "<!DOCTYPE html><title>Welcome to nginx!</title>",
            ),
            NotTheService,
            WebServer,
        ),
        ("5", answer(200, &[], ""), EmptyReply, Unknown),
        ("5 blanks", answer(200, &[], " \r\n"), EmptyReply, Unknown),
        ("5 no content", answer(204, &[], ""), EmptyReply, Unknown),
        (
            "7",
            html(
                401,
                &[("WWW-Authenticate", "Basic realm=\"staging\"")],
                "<html><title>401</title>",
            ),
            ServerPassword,
            WebServer,
        ),
        (
            "9 nginx",
            html(403, &[("Server", "nginx")], NGINX_403),
            ServerRule,
            WebServer,
        ),
        (
            "9 apache",
            html(403, &[], APACHE_403),
            ServerRule,
            WebServer,
        ),
        (
            "9 unnamed",
            html(403, &[], PLAIN_403),
            ServerRule,
            WebServer,
        ),
        ("9 empty", answer(403, &[], ""), ServerRule, Unknown),
        (
            "10",
            html(
                403,
                &[("Server", "cloudflare"), ("CF-Mitigated", "challenge")],
                "<title>Just a moment...</title>",
            ),
            ChallengePage,
            Cdn,
        ),
        (
            "10 any status",
            html(
                200,
                &[("cf-mitigated", "challenge")],
                "<title>Just a moment...</title>",
            ),
            ChallengePage,
            Cdn,
        ),
        (
            "11",
            html(
                403,
                &[("Server", "cloudflare"), ("CF-RAY", "8a-FRA")],
                "<title>Access denied</title>",
            ),
            CdnBlock,
            Cdn,
        ),
        (
            "11 page",
            html(403, &[], "<title>Attention Required! | Cloudflare</title>"),
            CdnBlock,
            Cdn,
        ),
        (
            "12",
            html(
                403,
                &[("Server", "Sucuri/Cloudproxy")],
                "<title>Sucuri WebSite Firewall - Access Denied</title>",
            ),
            WafBlock,
            Waf,
        ),
        (
            "12 imunify",
            html(
                403,
                &[],
                "<html>Access denied by Imunify360 bot-protection.</html>",
            ),
            WafBlock,
            Waf,
        ),
        (
            "12 bitninja",
            html(
                403,
                &[("Server", "nginx")],
                "<html><title>x</title>BitNinja blocked you</html>",
            ),
            WafBlock,
            Waf,
        ),
        (
            "13",
            html(406, &[], "<html><h1>Not Acceptable</h1></html>"),
            NotAcceptable,
            WebServer,
        ),
        (
            "13 named",
            html(
                406,
                &[],
                "<html><h1>Not Acceptable!</h1>This error was generated by Mod_Security.</html>",
            ),
            WafBlock,
            Waf,
        ),
        (
            "14",
            html(
                200,
                &[],
                "<html><title>Security check</title><div class=\"g-recaptcha\"></div></html>",
            ),
            ChallengePage,
            WebServer,
        ),
        (
            "14 short",
            html(
                202,
                &[],
                "<html><head><title>Robot?</title></head><body>Please solve the captcha.</body></html>",
            ),
            ChallengePage,
            WebServer,
        ),
        (
            "16",
            json(404, &message("The requested resource does not exist.")),
            ApiPathWrong,
            Service,
        ),
        ("27", json(500, &exception), ServiceException, Service),
        (
            "28",
            html(
                500,
                &[("Server", "Apache")],
                "<html><h1>Internal Server Error</h1></html>",
            ),
            ServerError,
            WebServer,
        ),
        ("28 blank", answer(500, &[], ""), ServerError, Unknown),
        (
            "29",
            json(
                503,
                &message("The requested resource is currently unavailable due to maintenance."),
            ),
            Maintenance,
            Service,
        ),
        (
            "30",
            html(502, &[("Server", "nginx")], NGINX_502),
            GatewayDown,
            WebServer,
        ),
        (
            "30 503",
            html(503, &[], "<html><title>503</title></html>"),
            GatewayDown,
            WebServer,
        ),
        ("30 504", answer(504, &[], ""), GatewayDown, Unknown),
        (
            "30 522",
            html(
                522,
                &[("Server", "cloudflare")],
                "<title>522: Connection timed out</title>",
            ),
            GatewayDown,
            Cdn,
        ),
        (
            "30 526",
            answer(526, &[("Server", "cloudflare")], ""),
            GatewayDown,
            Cdn,
        ),
        (
            "31",
            html(429, &[("Retry-After", "120")], "<title>429</title>"),
            RateLimited,
            WebServer,
        ),
        (
            "40",
            json(200, r#"{"status":"ok"}"#),
            NotTheService,
            Unknown,
        ),
        ("40 array", json(200, "[1,2]"), NotTheService, Unknown),
        (
            "40 null",
            json(200, r#"{"response":null}"#),
            NotTheService,
            Service,
        ),
        (
            "40 other kind",
            json(200, r#"{"response":"hello"}"#),
            NotTheService,
            Service,
        ),
        (
            "teapot",
            html(418, &[], "<html>tea</html>"),
            UnexpectedStatus,
            WebServer,
        ),
        (
            "not modified",
            answer(304, &[], ""),
            UnexpectedStatus,
            Unknown,
        ),
        (
            "own 400",
            json(
                400,
                &message("The request cannot be fulfilled due to bad syntax."),
            ),
            UnexpectedStatus,
            Service,
        ),
        (
            "own 403",
            json(403, &message("The requested resource is not accessible.")),
            UnexpectedStatus,
            Service,
        ),
        (
            "tls port",
            html(
                400,
                &[],
                "<title>400 The plain HTTP request was sent to HTTPS port</title>",
            ),
            HttpOnTlsPort,
            WebServer,
        ),
        (
            "other 401",
            json(401, r#"{"error":"unauthorized"}"#),
            UnexpectedStatus,
            Unknown,
        ),
    ];
    for (row, reply, reason, by) in rows {
        for run in [
            url_alone("https://billing.example.com", reply.clone()),
            key_alone(reply.clone()),
        ] {
            assert_eq!(run.reason(), reason, "row {row}: {:#?}", run.verdict);
            assert_eq!(
                run.verdict.answered_by, by,
                "row {row}: {:#?}",
                run.verdict.evidence
            );
            assert_ne!(run.verdict.state(), State::Ok, "row {row}");
            assert!(!run.verdict.remedy.steps.is_empty(), "row {row}");
            assert!(
                !run.verdict.cause.contains('{'),
                "row {row}: {}",
                run.verdict.cause
            );
        }
    }
}

#[test]
fn server_and_letter_case_do_not_change_the_reason() {
    for server in [
        None,
        Some("nginx"),
        Some("Apache"),
        Some("Blesta"),
        Some("lighttpd/1.4"),
    ] {
        let headers: Vec<(&str, &str)> = server.iter().map(|value| ("SERVER", *value)).collect();
        for (status, body, reason) in [
            (403, PLAIN_403, Reason::ServerRule),
            (403, NGINX_403, Reason::ServerRule),
            (401, DENIED, Reason::ServiceFound),
            (200, "<html><title>x</title>", Reason::NotTheService),
            (500, "<html>x</html>", Reason::ServerError),
            (502, NGINX_502, Reason::GatewayDown),
        ] {
            let run = url_alone("https://billing.example.com", html(status, &headers, body));
            assert_eq!(run.reason(), reason, "{server:?} {status}");
        }
    }
    let lying = html(403, &[("server", "cloudflare")], APACHE_403);
    assert_eq!(
        url_alone("https://billing.example.com", lying).reason(),
        Reason::ServerRule
    );
}

#[test]
fn the_url_alone_finds_the_service() {
    let run = url_alone("https://billing.example.com", json(401, DENIED));
    assert_eq!(run.asked, ["GET /api/companies/getAll.json bare"]);
    assert_eq!(
        (run.reason(), run.verdict.status),
        (Reason::ServiceFound, 401)
    );
    assert_eq!(run.verdict.state(), State::Unknown);
    assert_eq!(run.verdict.answered_by, AnsweredBy::Service);
    assert!(run.ladder.service_seen());
    let state = |id| run.verdict.checks.get(id).state;
    assert_eq!(state(CheckId::Service), State::Ok);
    assert_eq!(state(CheckId::Credentials), State::Unknown);
    assert_eq!(run.verdict.checks.get(CheckId::Credentials).detail, None);
}

#[test]
fn a_pair_is_accepted() {
    let mut run = climb(
        shop(),
        vec![
            json(401, DENIED),
            json(200, COMPANIES),
            json(200, r#"{"response":"5.13.7"}"#),
        ],
    );
    assert_eq!(
        run.asked,
        [
            "GET /api/companies/getAll.json bare",
            "GET /api/companies/getAll.json Basic shop-api",
            "GET /api/settings/getVersion.json Basic shop-api",
        ]
    );
    assert_eq!((run.reason(), run.verdict.status), (Reason::Connected, 200));
    assert_eq!(run.verdict.title, "Successfully Connected");
    assert_eq!(run.verdict.service_version.as_deref(), Some("5.13.7"));
    let identity = run.verdict.identity.as_ref().unwrap();
    assert_eq!(identity.id.as_deref(), Some("1"));
    assert_eq!(identity.name.as_deref(), Some("Shop Ltd"));
    let ids = [
        CheckId::Url,
        CheckId::Http,
        CheckId::Service,
        CheckId::Credentials,
        CheckId::Identity,
    ];
    for id in ids {
        assert_eq!(run.verdict.checks.get(id).state, State::Ok, "{id:?}");
    }
    assert_eq!(run.verdict.checks.get(CheckId::Token).state, State::Unknown);
    assert!(run.ladder.take_last_good().is_some());
}

#[test]
fn no_company_is_no_mistake() {
    let unset = r#"{"message":null,"errors":null,"response":[]}"#;
    for body in [r#"{"response":[]}"#, r#"{"response":false}"#, unset] {
        let run = key_alone(json(200, body));
        assert_eq!(
            (run.reason(), &run.verdict.identity),
            (Reason::Connected, &None),
            "{body}"
        );
    }
}

#[test]
fn an_unknown_message_is_no_success() {
    let body = r#"{"message":"Something new.","errors":{},"response":[]}"#;
    let run = key_alone(json(200, body));
    assert_eq!(run.reason(), Reason::UnexpectedStatus);
    assert!(
        run.verdict.cause.contains("Something new"),
        "{}",
        run.verdict.cause
    );
    for (status, reason) in [
        (401, Reason::CredentialsRejected),
        (404, Reason::ApiPathWrong),
        (415, Reason::UrlHasApi),
        (500, Reason::ServiceException),
        (503, Reason::Maintenance),
    ] {
        assert_eq!(key_alone(json(status, body)).reason(), reason, "{status}");
    }
}

#[test]
fn noise_before_the_json_is_said_and_the_json_is_judged() {
    let warning =
        "<br />\n<b>Deprecated</b>:  strlen() in <b>/srv/a.php</b> on line <b>3</b><br />\n";
    for (noise, line) in [
        (warning, "PHP messages"),
        ("\u{feff}", "BOM"),
        ("\n\n", "blanks"),
    ] {
        let run = key_alone(html(200, &[], &format!("{noise}{COMPANIES}")));
        assert_eq!(run.reason(), Reason::ConnectedNoisy, "{noise}");
        assert_eq!(run.verdict.remedy.who, Who::Host);
        assert!(run.says(line), "{:?}", run.verdict.evidence);
        // Its lamp is the URL's.
        let service = run.verdict.checks.get(CheckId::Service);
        assert_eq!(service.state, State::Warn);
        // The status may be lost: the message counts.
        let run = key_alone(html(200, &[], &format!("{noise}{DENIED}")));
        assert_eq!(run.reason(), Reason::CredentialsRejected, "{noise}");
        let run = url_alone(
            "https://billing.example.com",
            html(200, &[], &format!("{noise}{DENIED}")),
        );
        assert_eq!(run.reason(), Reason::ServiceFound, "{noise}");
    }
}

#[test]
fn the_title_of_a_page_that_is_not_blesta_is_shown() {
    let run = url_alone(
        "https://billing.example.com",
        html(
            200,
            &[],
            "<html><head><TITLE>Parked at \u{1b}[31mHosting</TITLE></head></html>",
        ),
    );
    assert_eq!(run.verdict.title, "Not a Blesta");
    assert!(
        run.verdict.cause.contains("\"Parked at [31mHosting\""),
        "{}",
        run.verdict.cause
    );
    assert!(run.says("page title: Parked at"));
}

#[test]
fn numbers_stand_in_the_titles() {
    for (reply, title) in [
        (html(507, &[], "<html>x"), "507 Server error"),
        (html(504, &[], "<html>x"), "504 Gateway: too slow behind it"),
        (html(418, &[], "<html>x"), "418 Unexpected"),
    ] {
        assert_eq!(
            url_alone("https://billing.example.com", reply)
                .verdict
                .title,
            title
        );
    }
}

#[test]
fn what_does_not_belong_in_the_url_is_taken_out() {
    let format = message("The format requested is not supported by the server.");
    for (url, reply, reason, fix) in [
        (
            "https://billing.example.com/blesta/api",
            json(415, &format),
            Reason::UrlHasApi,
            "https://billing.example.com/blesta",
        ),
        (
            "https://billing.example.com/index.php/api/",
            json(415, &format),
            Reason::UrlHasApi,
            "https://billing.example.com",
        ),
    ] {
        let run = url_alone(url, reply);
        assert_eq!(run.reason(), reason, "{url}");
        assert_eq!(run.verdict.remedy.url.as_deref(), Some(fix), "{url}");
    }
    for (url, location, fix) in [
        (
            "https://billing.example.com/admin",
            "/admin/login",
            "https://billing.example.com",
        ),
        (
            "https://billing.example.com/b/client/",
            "/b/client/login/",
            "https://billing.example.com/b",
        ),
        // The folder's name can be changed by the owner.
        (
            "https://billing.example.com/b/backoffice",
            "/b/backoffice/login",
            "https://billing.example.com/b",
        ),
    ] {
        let there = if url.ends_with("backoffice") {
            json(401, DENIED)
        } else {
            html(200, &[], "<html><title>Log In</title>")
        };
        let moved = html(302, &[("Location", location)], "");
        let run = climb(blesta(url), vec![moved, there]);
        assert_eq!(run.reason(), Reason::UrlHasAdmin, "{url}");
        assert_eq!(run.verdict.status, 302);
        assert_eq!(run.verdict.remedy.url.as_deref(), Some(fix), "{url}");
    }
    let form = html(200, &[], "<html><form><input type=\"password\"></form>");
    let run = url_alone("https://billing.example.com/admin", form.clone());
    assert_eq!(run.reason(), Reason::UrlHasAdmin);
    assert_eq!(
        url_alone("https://billing.example.com", form).reason(),
        Reason::NotTheService
    );
}

#[test]
fn rewriting_that_is_off_is_found_by_itself() {
    let run = climb(
        shop(),
        vec![
            html(404, &[], APACHE_404),
            json(401, DENIED),
            json(200, COMPANIES),
            json(200, r#"{"response":"5.13.7"}"#),
        ],
    );
    assert_eq!(
        run.asked,
        [
            "GET /api/companies/getAll.json bare",
            "GET /index.php/api/companies/getAll.json bare",
            "GET /index.php/api/companies/getAll.json Basic shop-api",
            "GET /index.php/api/settings/getVersion.json Basic shop-api",
        ]
    );
    assert_eq!(
        (run.reason(), run.verdict.state()),
        (Reason::RewriteOff, State::Ok)
    );
    assert!(run.ladder.accepted().unwrap().through_index);

    let run = climb(
        blesta("https://billing.example.com"),
        vec![html(404, &[], APACHE_404), json(401, DENIED)],
    );
    assert_eq!(run.reason(), Reason::ServiceFound);

    let run = climb(
        blesta("https://billing.example.com/shop"),
        vec![html(404, &[], APACHE_404), html(404, &[], APACHE_404)],
    );
    assert_eq!((run.reason(), run.verdict.status), (Reason::NotFound, 404));
    assert_eq!(
        run.verdict.remedy.url.as_deref(),
        Some("https://billing.example.com")
    );
}

#[test]
fn redirects_are_classified_and_their_target_is_asked_once_bare() {
    let run = |url: &str, location: &str, there: Reply| {
        climb(
            with_pair(blesta(url), "shop-api", KEY),
            vec![html(301, &[("Location", location)], ""), there],
        )
    };
    let mut plain = blesta("http://billing.example.com");
    plain.allow_http = true;
    let https = climb(
        with_pair(plain, "shop-api", KEY),
        vec![
            html(
                301,
                &[(
                    "Location",
                    "https://billing.example.com/api/companies/getAll.json",
                )],
                "",
            ),
            json(401, DENIED),
        ],
    );
    assert_eq!(https.reason(), Reason::RedirectHttps);
    assert_eq!(
        https.asked,
        [
            "GET http://billing.example.com/api/companies/getAll.json bare",
            "GET /api/companies/getAll.json bare"
        ]
    );
    assert_eq!(
        https.verdict.remedy.url.as_deref(),
        Some("https://billing.example.com")
    );
    assert!(https.says("Blesta answers at the target"));

    let host = run(
        "https://billing.example.com",
        "https://www.example.com/b/api/companies/getAll.json",
        json(401, DENIED),
    );
    assert_eq!(
        (host.reason(), host.verdict.status),
        (Reason::RedirectHost, 301)
    );
    assert_eq!(
        host.verdict.remedy.url.as_deref(),
        Some("https://www.example.com/b")
    );
    assert_eq!(
        host.asked[1],
        "GET https://www.example.com/b/api/companies/getAll.json bare"
    );
    assert_eq!(
        host.verdict.redirects,
        ["https://www.example.com/b/api/companies/getAll.json"]
    );

    let path = run(
        "https://billing.example.com",
        "/de/",
        html(200, &[], "<html><title>Hallo</title>"),
    );
    assert_eq!(path.reason(), Reason::RedirectPath);
    assert_eq!(path.verdict.remedy.url, None);
    assert!(
        path.says("the target, asked without credentials: 200"),
        "{:?}",
        path.verdict.evidence
    );

    let there_and_back = run(
        "https://billing.example.com",
        "/x",
        html(302, &[("Location", "/api/companies/getAll.json")], ""),
    );
    assert_eq!(there_and_back.reason(), Reason::RedirectLoop);
    let own = climb(
        blesta("https://billing.example.com"),
        vec![html(302, &[("Location", "/api/companies/getAll.json")], "")],
    );
    assert_eq!(own.reason(), Reason::RedirectLoop);
}

#[test]
fn a_redirect_of_the_authenticated_call_is_never_followed_with_the_key() {
    let mut subject = shop();
    subject.past.service_seen = true;
    let run = climb(
        subject,
        vec![
            html(
                302,
                &[("Location", "https://evil.example/api/companies/getAll.json")],
                "",
            ),
            json(401, DENIED),
        ],
    );
    assert_eq!(
        run.asked,
        [
            "GET /api/companies/getAll.json Basic shop-api",
            "GET https://evil.example/api/companies/getAll.json bare"
        ]
    );
    assert_eq!(run.reason(), Reason::RedirectHost);
}

#[test]
fn the_company_is_chosen_by_the_url() {
    let two = r#"{"response":[
        {"id":1,"name":"Other","hostname":"other.example.com"},
        {"id":2,"name":"Shop","hostname":"BILLING.example.com"}]}"#;
    let run = key_alone(json(200, two));
    assert_eq!(run.reason(), Reason::Connected);
    assert_eq!(run.verdict.identity.unwrap().id.as_deref(), Some("2"));

    let other = r#"{"response":[{"id":1,"name":"Other","hostname":"other.example.com"}]}"#;
    let run = key_alone(json(200, other));
    assert_eq!(
        (run.reason(), run.verdict.state()),
        (Reason::WrongCompany, State::Warn)
    );
    assert!(
        run.verdict.cause.contains("other.example.com"),
        "{}",
        run.verdict.cause
    );

    for none in [
        r#"{"response":[{"id":1,"name":"Shop"}]}"#,
        r#"{"response":[{"id":1,"name":"Shop","hostname":""}]}"#,
        r#"{"response":[{"id":1,"name":"Shop","hostname":null}]}"#,
    ] {
        assert_eq!(
            key_alone(json(200, none)).reason(),
            Reason::Connected,
            "{none}"
        );
    }
}

#[test]
fn a_remedy_names_the_connection_and_the_company() {
    let wrong = |id: &str| {
        let other = format!(
            r#"{{"response":[{{"id":"{id}","name":"Other","hostname":"other.example.com"}}]}}"#
        );
        let mut subject = shop();
        subject.connection = Some(crate::domain::Name::parse("it's").unwrap());
        subject.past.service_seen = true;
        subject.trigger = crate::service::Trigger::Scheduled;
        climb(subject, vec![json(200, &other)]).verdict
    };
    let steps = wrong("7").remedy.steps.join("\n");
    let command = r"switchboard connection edit 'it'\''s' --company 7";
    assert!(steps.contains(command), "{steps}");
    let steps = wrong("$(id)").remedy.steps.join("\n");
    assert!(steps.contains("--company '$(id)'"), "{steps}");
}

#[test]
fn the_company_may_be_named() {
    let two = r#"{"response":[{"id":1,"name":"Shop","hostname":"a.example"},{"id":2,"name":"Shop EU","hostname":"b.example"}]}"#;
    for (company, reason, id) in [
        ("2", Reason::Connected, "2"),
        ("shop eu", Reason::Connected, "2"),
        ("3", Reason::WrongCompany, "1"),
    ] {
        let mut subject = shop();
        subject.past.service_seen = true;
        subject.trigger = crate::service::Trigger::Scheduled;
        subject.company = Some(company.to_owned());
        let run = climb(subject, vec![json(200, two)]);
        assert_eq!(run.reason(), reason, "{company}");
        if reason == Reason::WrongCompany {
            let told = "Shop (1), Shop EU (2), and not to 3, which this connection is set to.";
            assert!(run.verdict.cause.ends_with(told), "{}", run.verdict.cause);
            let steps = run.verdict.remedy.steps.join("\n");
            assert!(!steps.contains("host name"), "{steps}");
        }
        assert_eq!(
            run.verdict.identity.unwrap().id.as_deref(),
            Some(id),
            "{company}"
        );
    }
}

#[test]
fn another_identity_than_the_pinned_one_is_said() {
    let mut subject = shop();
    subject.past.service_seen = true;
    subject.trigger = crate::service::Trigger::Scheduled;
    subject.past.identity = Some(crate::domain::Identity {
        id: Some("7".to_owned()),
        name: Some("Old Ltd".to_owned()),
        host: None,
    });
    let run = climb(subject.clone(), vec![json(200, COMPANIES)]);
    assert_eq!(run.reason(), Reason::IdentityChanged);
    assert!(
        run.verdict.cause.contains("Old Ltd"),
        "{}",
        run.verdict.cause
    );
    // Not of what a cache gives out, which may be another key's.
    subject.company = Some("9".to_owned());
    let run = climb(subject, vec![answer(200, &[("Age", "5")], COMPANIES)]);
    assert_eq!(run.verdict.title, "Connected, out of a cache");
    let check = run.verdict.checks.get(CheckId::Identity);
    assert_eq!(check.state, State::Unknown, "{check:?}");
}

#[test]
fn an_exception_is_quoted() {
    let body = r#"{"message":"An unexpected error occured.","errors":{},"response":"Failed to retrieve the default value"}"#;
    let run = key_alone(json(500, body));
    assert!(
        run.verdict
            .cause
            .contains("Failed to retrieve the default value")
    );
    let translated = r#"{"message":"The authorization details given appear to be invalid.","errors":{"user":{"bad":"Ungültig"}},"response":null}"#;
    assert_eq!(
        key_alone(json(401, translated)).reason(),
        Reason::CredentialsRejected
    );
}
