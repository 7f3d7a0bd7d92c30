//! Every row of the diagnosis, over real servers: Apache with php-cgi, nginx, openssl, the kernel.
//!
//! The rig's log shows what our probe really sent.
#![expect(
    clippy::unwrap_used,
    clippy::too_many_lines,
    reason = "what is missing shall fail the test, and a table is as long as it is"
)]

#[path = "diagnosis/flags.rs"]
mod flags;
mod support;

use std::collections::BTreeSet;

use serde_json::Value;
use support::commands::{Done, probe};
use support::rig::{Apache, Certificates, KEY, Nginx, Server, USER, available, free_port, lifted};

/// One exchange and what it must come to.
struct Case {
    service: &'static str,
    url: String,
    pair: Option<(&'static str, &'static str)>,
    more: Vec<String>,
    reason: &'static str,
    state: &'static str,
    status: u16,
    answered_by: &'static str,
}

fn case(
    url: String,
    reason: &'static str,
    state: &'static str,
    status: u16,
    answered_by: &'static str,
) -> Case {
    Case {
        service: "blesta",
        url,
        pair: Some((USER, KEY)),
        more: Vec::new(),
        reason,
        state,
        status,
        answered_by,
    }
}

impl Case {
    fn pair(mut self, pair: Option<(&'static str, &'static str)>) -> Self {
        self.pair = pair;
        self
    }

    fn more(mut self, more: &[&str]) -> Self {
        self.more = more.iter().map(|&word| word.to_owned()).collect();
        self
    }

    fn check(&self) -> Done {
        let home = tempfile::tempdir().unwrap();
        let more: Vec<&str> = self.more.iter().map(String::as_str).collect();
        let done = probe(home.path(), self.service, &self.url, self.pair, &more);
        let verdict = done.json();
        let got = (
            verdict["reason"].as_str().unwrap(),
            verdict["state"].as_str().unwrap(),
            verdict["status"].as_u64().unwrap(),
            verdict["answered_by"].as_str().unwrap(),
        );
        let expected = (
            self.reason,
            self.state,
            u64::from(self.status),
            self.answered_by,
        );
        assert_eq!(
            got, expected,
            "{}: {} {:?}",
            self.url, verdict["cause"], verdict["evidence"]
        );
        let code = match self.state {
            "ok" => 0,
            "warn" => 1,
            "down" => 2,
            _ => 3,
        };
        assert_eq!(done.code, code, "{}", self.url);
        if self.state != "ok" {
            assert!(
                !verdict["remedy"]["steps"].as_array().unwrap().is_empty(),
                "no remedy: {verdict:#}"
            );
            assert!(!verdict["cause"].as_str().unwrap().is_empty());
        }
        assert!(
            !done.out.contains(KEY) && !done.err.contains(KEY),
            "the key was shown"
        );
        done
    }
}

fn check_all(cases: &[Case]) -> BTreeSet<&'static str> {
    for case in cases {
        case.check();
    }
    cases.iter().map(|case| case.reason).collect()
}

#[test]
fn apache_with_php_cgi() {
    if !available() {
        return;
    }
    let elsewhere =
        Nginx::start_on_free_port("server { listen 127.0.0.1:{port}; root {folder}/absent; }");
    let apache = Apache::start(elsewhere.port);
    let at = |name: &str| apache.url(name);
    let wrong = Some((USER, "ffffffffffffffffffffffffffffffff"));
    let cases = [
        case(at("plain"), "connected", "ok", 200, "service"),
        case(at("deep/er/billing"), "connected", "ok", 200, "service"),
        case(at("plain"), "service-found", "unknown", 401, "service").pair(None),
        case(at("plain"), "credentials-rejected", "warn", 401, "service").pair(wrong),
        case(
            at("stripped"),
            "authorization-stripped",
            "warn",
            401,
            "service",
        ),
        case(
            at("old-stripped"),
            "credentials-rejected",
            "warn",
            401,
            "service",
        ),
        case(at("flat"), "rewrite-off", "ok", 200, "service").more(&["--auth", "headers"]),
        case(at("noisy"), "connected-noisy", "warn", 200, "service"),
        case(at("bom"), "connected-noisy", "warn", 200, "service"),
        case(at("empty"), "empty-reply", "down", 200, "web-server"),
        case(at("maintained"), "maintenance", "down", 503, "service"),
        case(at("broken"), "service-exception", "down", 500, "service"),
        case(at("denied"), "server-rule", "warn", 403, "web-server"),
        case(at("locked"), "server-password", "warn", 401, "web-server"),
        case(at("unlocked"), "connected", "ok", 200, "service"),
        case(at("with%20no%20lock"), "connected", "ok", 200, "service"),
        case(at("misspelt"), "server-error", "down", 500, "web-server"),
        case(at("plain/api"), "url-has-api", "warn", 415, "service"),
        case(
            at("office/admin"),
            "url-has-admin",
            "warn",
            302,
            "web-server",
        ),
        case(at("upstairs"), "redirect-https", "warn", 301, "web-server"),
        case(at("away"), "redirect-host", "warn", 301, "web-server"),
        case(at("moved"), "redirect-path", "warn", 302, "web-server"),
        case(at("circle"), "redirect-loop", "warn", 302, "web-server"),
        case(at("nothing/here"), "not-found", "warn", 404, "web-server"),
    ];
    check_all(&cases);
    let is_locked = |name: &str| {
        case(at(name), "server-password", "warn", 401, "web-server")
            .check()
            .json()
    };
    assert_eq!(is_locked("locked")["remedy"]["snippet"], lifted("/locked"));
    let snippet = &is_locked("with%20a%20lock")["remedy"]["snippet"];
    assert_eq!(*snippet, lifted("/with a lock"));
    // What it lifts is the API, and no path that has its name somewhere within.
    is_locked("unlocked/other.php");
    assert!(
        !elsewhere.log().contains("Basic "),
        "a redirect carried the key:\n{}",
        elsewhere.log()
    );
    assert!(
        !elsewhere.log().contains(KEY),
        "a redirect carried the key:\n{}",
        elsewhere.log()
    );
}

#[test]
fn the_stripping_server_gets_the_cure_and_headers_work() {
    if !available() {
        return;
    }
    let apache = Apache::start(free_port());
    let verdict = case(
        apache.url("stripped"),
        "authorization-stripped",
        "warn",
        401,
        "service",
    )
    .check()
    .json();
    let snippet = verdict["remedy"]["snippet"].as_str().unwrap();
    assert!(
        snippet.contains("E=HTTP_AUTHORIZATION:%{HTTP:Authorization}"),
        "{snippet}"
    );
    case(apache.url("stripped"), "connected", "ok", 200, "service")
        .more(&["--auth", "headers"])
        .check();
    let log = apache.log();
    let carried = |line: &&str| {
        line.contains("getAll") && (line.contains("basic=Basic") || line.contains(KEY))
    };
    assert_eq!(
        log.lines().filter(carried).count(),
        3,
        "two for the first probe, one for the second:\n{log}"
    );
}

#[test]
fn nginx_and_what_stands_behind_it() {
    if !available() {
        return;
    }
    let nobody = free_port();
    let server = |body: &str| {
        Nginx::start_on_free_port(&format!("server {{ listen 127.0.0.1:{{port}}; {body} }}"))
    };
    let page = "<html><head><title>Our shop</title></head><body>Welcome to our shop</body></html>";
    let denied = server("location / { deny all; }");
    let absent = server("root {folder}/absent;");
    let behind = server(&format!(
        "location / {{ proxy_pass http://127.0.0.1:{nobody}; }}"
    ));
    let front = server(&format!("location / {{ return 200 '{page}'; }}"));
    let silent = server("location / { return 444; }");
    let picky = server("location / { return 406; }");
    let teapot = server("location / { return 418; }");
    let broken = server("location / { return 500; }");
    let challenge = server(
        "location / { add_header cf-mitigated challenge always; add_header cf-ray 8a always; return 403 'Just a moment...'; }",
    );
    let at = |nginx: &Nginx| nginx.url();
    check_all(&[
        case(at(&denied), "server-rule", "warn", 403, "web-server"),
        case(at(&absent), "not-found", "warn", 404, "web-server"),
        case(at(&behind), "gateway-down", "down", 502, "web-server"),
        case(at(&front), "not-the-service", "warn", 200, "web-server"),
        case(at(&silent), "closed-early", "down", 0, "nobody"),
        case(at(&picky), "not-acceptable", "warn", 406, "web-server"),
        case(at(&teapot), "unexpected-status", "warn", 418, "web-server"),
        case(at(&broken), "server-error", "down", 500, "web-server"),
        case(at(&challenge), "challenge-page", "warn", 403, "cdn"),
    ]);
    let limited =
        server("location / { limit_req zone=strict; limit_req_status 429; return 200 'x'; }");
    let _first = probe(
        tempfile::tempdir().unwrap().path(),
        "http",
        &limited.url(),
        None,
        &[],
    );
    for nginx in [&denied, &absent, &behind, &front, &challenge] {
        assert!(
            !nginx.log().contains("Basic "),
            "a key went to what is not the service:\n{}",
            nginx.log()
        );
    }
}

#[test]
fn certificates_of_every_kind() {
    if !available() {
        return;
    }
    let made = Certificates::new();
    let here = "IP:127.0.0.1";
    let authority = made.authority().to_str().unwrap().to_owned();
    let trusting = ["--ca-file", authority.as_str()];
    let long = ("20200101000000Z", "20450101000000Z");
    let serve = |(certificate, key): (std::path::PathBuf, std::path::PathBuf)| {
        Nginx::start_on_free_port(&format!(
            "server {{ listen 127.0.0.1:{{port}} ssl; ssl_certificate {}; ssl_certificate_key {}; location / {{ return 200 '{{}}'; }} }}",
            certificate.display(),
            key.display()
        ))
    };
    let good = serve(made.leaf("good", here, long.0, long.1));
    let expired = serve(made.leaf("expired", here, "20200101000000Z", "20210101000000Z"));
    let future = serve(made.leaf("future", here, "20440101000000Z", "20450101000000Z"));
    let other = serve(made.leaf("other", "DNS:other.example.com", long.0, long.1));
    let alone = serve(made.self_signed("lone", here));
    let https = |nginx: &Nginx| nginx.url().replace("http:", "https:");
    let plain = |nginx: &Nginx| case(https(nginx), "connected", "ok", 200, "service");
    let as_http = |mut case: Case, reason, state, status, by| {
        case.service = "http";
        case.pair = None;
        Case {
            reason,
            state,
            status,
            answered_by: by,
            ..case
        }
    };
    let (client, client_key) = made.leaf("client", "DNS:client.example", long.0, long.1);
    let of_client = [
        "--ca-file",
        authority.as_str(),
        "--client-cert",
        client.to_str().unwrap(),
        "--client-key",
        client_key.to_str().unwrap(),
    ];
    let asking = Server::tls(
        &made.leaf("asking", here, long.0, long.1),
        &[
            "-Verify",
            "1",
            "-CAfile",
            &authority,
            "-verify_return_error",
            "-www",
        ],
    );
    let mute = Server::tls(&made.leaf("mute", here, long.0, long.1), &["-Verify", "1"]);
    let old = Server::tls(
        &made.leaf("old", here, long.0, long.1),
        &["-tls1_1", "-cipher", "DEFAULT@SECLEVEL=0"],
    );
    check_all(&[
        as_http(
            plain(&good).more(&trusting),
            "connected",
            "ok",
            200,
            "service",
        ),
        as_http(plain(&good), "tls-unknown-issuer", "down", 0, "nobody"),
        as_http(
            plain(&expired).more(&trusting),
            "tls-expired",
            "down",
            0,
            "nobody",
        ),
        as_http(
            plain(&future).more(&trusting),
            "tls-not-yet-valid",
            "down",
            0,
            "nobody",
        ),
        as_http(
            plain(&other).more(&trusting),
            "tls-wrong-name",
            "down",
            0,
            "nobody",
        ),
        as_http(plain(&alone), "tls-unknown-issuer", "down", 0, "nobody"),
        as_http(
            case(good.url(), "", "", 0, ""),
            "http-on-tls-port",
            "warn",
            400,
            "web-server",
        ),
        as_http(
            case(mute.url(), "", "", 0, "").more(&trusting),
            "tls-client-certificate",
            "down",
            0,
            "nobody",
        ),
        as_http(
            case(asking.url(), "", "", 0, "").more(&of_client),
            "connected",
            "ok",
            200,
            "service",
        ),
        as_http(
            case(asking.url(), "", "", 0, "").more(&trusting),
            "tls-client-certificate",
            "down",
            0,
            "nobody",
        ),
        as_http(
            case(old.url(), "", "", 0, "").more(&trusting),
            "tls-protocol",
            "down",
            0,
            "nobody",
        ),
    ]);
}

#[test]
fn the_kernel_answers_for_nobody() {
    let refused = free_port();
    case(
        format!("http://127.0.0.1:{refused}"),
        "refused",
        "down",
        0,
        "nobody",
    )
    .check();
    // A name that the libc itself knows not to be one: no name server is asked.
    case(
        "http://-no-such-name.invalid".to_owned(),
        "dns-not-found",
        "down",
        0,
        "nobody",
    )
    .check();
}

#[test]
fn a_verdict_has_all_that_scripts_rely_on() {
    let done = case(
        format!("http://127.0.0.1:{}", free_port()),
        "refused",
        "down",
        0,
        "nobody",
    )
    .check();
    let verdict: Value = done.json();
    let expected: BTreeSet<&str> = [
        "schema_version",
        "connection",
        "service",
        "url",
        "state",
        "reason",
        "status",
        "title",
        "cause",
        "answered_by",
        "evidence",
        "remedy",
        "checks",
        "addresses",
        "phases_ms",
        "tls",
        "identity",
        "service_version",
        "redirects",
        "retry_at",
        "changed_since_last_good",
        "at",
    ]
    .into();
    let object = verdict.as_object().unwrap();
    assert_eq!(
        object.keys().map(String::as_str).collect::<BTreeSet<_>>(),
        expected
    );
    let checks: Vec<_> = verdict["checks"]
        .as_array()
        .unwrap()
        .iter()
        .map(|check| check["id"].as_str().unwrap())
        .collect();
    assert_eq!(
        checks,
        [
            "url",
            "dns",
            "connect",
            "tls",
            "http",
            "service",
            "credentials",
            "identity",
            "token"
        ]
    );
}
