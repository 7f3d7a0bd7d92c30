//! What nginx and openssl say at their limits: too many requests, too large, too slow, the wrong protocol, a
//! certificate near its end.

use jiff::{SignedDuration, Timestamp};

use crate::support::commands::{Done, probe, switchboard};
use crate::support::rig::{Certificates, Nginx, available, make_readable, readable_folder};

/// Probes as any HTTP API, without a key.
fn ask(url: &str, more: &[&str]) -> Done {
    probe(tempfile::tempdir().unwrap().path(), "http", url, None, more)
}

fn expect(done: &Done, reason: &str, status: u16, code: i32) -> serde_json::Value {
    let verdict = done.json();
    let got = (verdict["reason"].as_str(), verdict["status"].as_u64());
    assert_eq!(got, (Some(reason), Some(u64::from(status))), "{verdict:#}");
    assert_eq!(done.code, code, "{verdict:#}");
    let steps = verdict["remedy"]["steps"].as_array().unwrap();
    assert!(!steps.is_empty(), "no remedy: {verdict:#}");
    verdict
}

fn nginx(location: &str) -> Nginx {
    Nginx::start_on_free_port(&format!(
        "server {{ listen 127.0.0.1:{{port}}; server_name rig; location / {{ {location} }} }}"
    ))
}

#[test]
fn nginx_at_its_limits() {
    if !available() {
        return;
    }
    let limited = nginx(
        "limit_req zone=strict; limit_req_status 429; add_header Retry-After 120 always; root {folder}/absent;",
    );
    expect(&ask(&limited.url(), &[]), "not-found", 404, 1);
    let verdict = expect(&ask(&limited.url(), &[]), "rate-limited", 429, 1);
    assert!(verdict["retry_at"].is_string(), "{verdict:#}");

    let folder = readable_folder();
    std::fs::write(folder.path().join("large.json"), vec![b' '; 4 << 20]).unwrap();
    make_readable(folder.path());
    let large = nginx(&format!("root {};", folder.path().display()));
    let url = format!("{}/large.json", large.url());
    expect(&ask(&url, &[]), "body-too-large", 200, 1);

    let slow = nginx(&format!(
        "limit_rate_after 300; limit_rate 1; return 200 '{}';",
        "x".repeat(2_000)
    ));
    let done = ask(&slow.url(), &["--timeout", "1s"]);
    let verdict = expect(&done, "response-timeout", 200, 2);
    let title = verdict["title"].as_str().unwrap();
    assert!(!title.contains("0 Received"), "a status came: {title}");
}

#[test]
fn nginx_is_neither_tls_nor_a_proxy_where_it_was_not_told() {
    if !available() {
        return;
    }
    let plain = nginx("return 200 '{}';");
    let https = plain.url().replace("http:", "https:");
    expect(&ask(&https, &[]), "tls-not-tls", 0, 2);
    let verdict = ask(&https, &["--proxy", &plain.url()]).json();
    assert_eq!(verdict["reason"], "proxy-failed", "{verdict:#}");
    assert_eq!(verdict["state"], "down");
}

#[test]
fn a_certificate_near_its_end_is_told_while_it_works() {
    if !available() {
        return;
    }
    let made = Certificates::new();
    let authority = made.authority().display().to_string();
    let end = |days: i64| {
        let end = Timestamp::now() + SignedDuration::from_hours(24 * days + 1);
        end.strftime("%Y%m%d%H%M%SZ").to_string()
    };
    for (days, reason, code) in [
        (2, "tls-expiring", 1),
        (10, "tls-expiring", 1),
        (25, "connected", 0),
    ] {
        let label = format!("ends{days}");
        let (certificate, key) = made.leaf(&label, "IP:127.0.0.1", "20200101000000Z", &end(days));
        let secure = Nginx::start_on_free_port(&format!(
            "server {{ listen 127.0.0.1:{{port}} ssl; ssl_certificate {}; ssl_certificate_key {};
             default_type application/json; location / {{ return 200 '{{}}'; }} }}",
            certificate.display(),
            key.display()
        ));
        let url = secure.url().replace("http:", "https:");
        let done = ask(&url, &["--ca-file", &authority]);
        let verdict = done.json();
        assert_eq!(
            (verdict["reason"].as_str(), done.code),
            (Some(reason), code),
            "{verdict:#}"
        );
        assert_eq!(verdict["tls"]["days_left"], days);
        let title = verdict["title"].as_str().unwrap();
        assert_eq!(
            title.contains("2 days"),
            days == 2,
            "three days or less stand in the title: {title}"
        );
        assert!(
            days == 2 || verdict["evidence"].to_string().contains("days"),
            "{verdict:#}"
        );
    }
}

#[test]
fn a_missing_intermediate_is_named_and_a_trusted_company_authority_is_trusted() {
    if !available() {
        return;
    }
    let made = Certificates::new();
    let authority = made.authority().display().to_string();
    let (certificate, key, intermediate) = made.beneath("company", "IP:127.0.0.1");
    let whole = made.folder.path().join("whole.pem");
    let read = |path| std::fs::read(path).unwrap();
    std::fs::write(&whole, [read(&certificate), read(&intermediate)].concat()).unwrap();
    let serve = |certificate: &std::path::Path| {
        Nginx::start_on_free_port(&format!(
            "server {{ listen 127.0.0.1:{{port}} ssl; ssl_certificate {}; ssl_certificate_key {};
             default_type application/json; location / {{ return 200 '{{}}'; }} }}",
            certificate.display(),
            key.display()
        ))
    };
    let (alone, full) = (serve(&certificate), serve(&whole));
    let url = |nginx: &Nginx| nginx.url().replace("http:", "https:");
    // The root is trusted, and what lies between is not sent.
    let done = ask(&url(&alone), &["--ca-file", &authority]);
    let verdict = expect(&done, "tls-unknown-issuer", 0, 2);
    let told = verdict.to_string();
    for part in ["company-between", "is missing", "fullchain.pem"] {
        assert!(told.contains(part), "{part}: {verdict:#}");
    }
    let done = ask(&url(&full), &["--ca-file", &authority]);
    assert_eq!(done.json()["reason"], "connected", "{done:?}");
    // Nobody trusts it here, until the machine does.
    let done = ask(&url(&full), &[]);
    let verdict = expect(&done, "tls-unknown-issuer", 0, 2);
    let cause = verdict["cause"].as_str().unwrap();
    assert!(cause.contains("CN=Rig Authority"), "{verdict:#}");
    let home = tempfile::tempdir().unwrap();
    let probe = ["probe", "--url", &url(&full), "--format", "json"];
    let trusted = [("SSL_CERT_FILE", authority.as_str())];
    let done = switchboard(home.path(), &probe, &trusted, "");
    assert_eq!(done.json()["reason"], "connected", "{done:?}");
}
