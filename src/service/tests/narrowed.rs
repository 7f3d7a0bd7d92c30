//! What a page merely mentions decides nothing: each rule with the page that it is for, and the one beside it.

use super::harness::*;
use crate::domain::budget::AttemptEnd;
use crate::domain::{
    Address, Certificate, CheckId, Failure, Outcome, Reason, Reply, ServiceId, State, TlsFailure,
    Who,
};
use crate::service::{Accepted, Subject, Trigger};

const APACHE: (&str, &str) = ("Server", "Apache");
const NGINX: (&str, &str) = ("Server", "nginx");
const RECAPTCHA: &str = "<script src=\"https://www.google.com/recaptcha/api.js?render=6Lc\"></script>\
                         <p>Oops! That page can&rsquo;t be found.</p>";

fn page(status: u16, headers: &[(&str, &str)], title: &str, body: &str) -> Reply {
    let page = format!("<html><head><title>{title}</title></head><body>{body}</body></html>");
    html(status, headers, &page)
}

fn http() -> Subject {
    Subject::new(ServiceId::http(), "https://billing.example.com")
}

/// The reason and title of each reply, asked of Blesta bare; a 404 is asked through `/index.php` too.
fn told(reply: &Reply) -> (Reason, String) {
    let Outcome::Answered(response) = &reply.outcome else {
        panic!("{reply:?}")
    };
    let times = if response.status == 404 { 2 } else { 1 };
    let subject = blesta("https://billing.example.com");
    let run = climb(subject, vec![reply.clone(); times]);
    (run.reason(), run.verdict.title)
}

fn expect(cases: Vec<(Reply, Reason, &str)>) {
    for (reply, reason, title) in cases {
        assert_eq!(told(&reply), (reason, title.to_owned()), "{reply:?}");
    }
}

#[test]
fn a_captcha_is_a_challenge_where_it_is_asked_for() {
    let staging = [APACHE, ("WWW-Authenticate", "Basic realm=\"Staging\"")];
    let asked = "<p>Please complete the captcha to go on.</p>";
    let widget = "<form><div class=\"h-captcha\" data-sitekey=x></div></form>";
    expect(vec![
        (
            page(404, &[APACHE], "Page not found", RECAPTCHA),
            Reason::NotFound,
            "404 Not Found",
        ),
        (
            page(401, &staging, "Restricted", RECAPTCHA),
            Reason::ServerPassword,
            "401 Denied by the web server",
        ),
        (
            page(403, &[APACHE], "403 Forbidden", RECAPTCHA),
            Reason::ServerRule,
            "403 Restricted by the web server",
        ),
        (
            page(500, &[APACHE], "Error", RECAPTCHA),
            Reason::ServerError,
            "500 Server error",
        ),
        (
            page(503, &[APACHE], "Down for maintenance", RECAPTCHA),
            Reason::GatewayDown,
            "503 A maintenance page",
        ),
        (
            page(200, &[], "Acme", RECAPTCHA),
            Reason::NotTheService,
            "Not a Blesta",
        ),
        (
            page(403, &[], "Acme", asked),
            Reason::ChallengePage,
            "Challenge page",
        ),
        (
            page(200, &[], "Acme", asked),
            Reason::ChallengePage,
            "Challenge page",
        ),
        (
            page(403, &[], "Acme", widget),
            Reason::ChallengePage,
            "Challenge page",
        ),
        (
            page(503, &[], "Just a moment...", widget),
            Reason::ChallengePage,
            "Challenge page",
        ),
    ]);
}

#[test]
fn rewriting_that_is_off_is_found_behind_a_page_with_a_captcha() {
    let missing = page(404, &[APACHE], "Page not found - Acme", RECAPTCHA);
    let run = climb(
        blesta("https://billing.example.com"),
        vec![missing, json(401, DENIED)],
    );
    assert_eq!(run.reason(), Reason::ServiceFound);
}

#[test]
fn a_web_hosts_own_front_page_is_neither_parked_nor_suspended() {
    let offers = "<ul><li>10 Parked Domains</li><li>Imunify360 security included</li></ul>";
    let expired = "<p>What happens when my domain has expired? Buy this domain today.</p>";
    let questions = "<p>Why was my account suspended? If your account has been suspended, pay.</p>";
    for body in [offers, expired, questions] {
        let front = page(200, &[NGINX], "Acme Hosting - from $2", body);
        let run = climb(http(), vec![front.clone()]);
        assert_eq!(run.reason(), Reason::Connected, "{body}");
        let run = climb(blesta("https://billing.example.com"), vec![front]);
        let told = (run.reason(), run.verdict.title.as_str());
        assert_eq!(told, (Reason::NotTheService, "Not a Blesta"), "{body}");
        assert!(
            run.verdict.remedy.steps[0].contains("folder"),
            "{:?}",
            run.verdict
        );
    }
    let parked = "<script src=//img.sedoparking.com/x.js></script>";
    let sold = "This domain may be for sale.";
    let stopped = "This account has been suspended.";
    expect(vec![
        (
            page(200, &[], "acme.test", parked),
            Reason::NotTheService,
            "Not a Blesta: a parked domain",
        ),
        (
            page(200, &[], "acme.test", sold),
            Reason::NotTheService,
            "Not a Blesta: a parked domain",
        ),
        (
            page(200, &[], "", stopped),
            Reason::NotTheService,
            "Not a Blesta: account suspended",
        ),
        (
            page(403, &[], "", "Account suspended, contact billing"),
            Reason::NotTheService,
            "Not a Blesta: account suspended",
        ),
    ]);
}

#[test]
fn a_firewall_that_a_page_names_has_not_answered() {
    let bootstrap = "<link href=https://stackpath.bootstrapcdn.com/bootstrap.css>";
    let plugin = "<link href=/wp-content/plugins/wordfence/css/x.css>";
    let rule = "403 Restricted by the web server";
    for (reply, reason, title) in [
        (
            page(403, &[APACHE], "403", bootstrap),
            Reason::ServerRule,
            rule,
        ),
        (
            page(503, &[APACHE], "Down for maintenance", bootstrap),
            Reason::GatewayDown,
            "503 A maintenance page",
        ),
        (
            page(200, &[NGINX], "Shop", bootstrap),
            Reason::NotTheService,
            "Not a Blesta",
        ),
        (
            page(503, &[APACHE], "Down for maintenance", plugin),
            Reason::GatewayDown,
            "503 A maintenance page",
        ),
        (
            page(404, &[NGINX], "404", "Protected by Imunify360"),
            Reason::NotFound,
            "404 Not Found",
        ),
        (
            page(500, &[APACHE], "Error", "Database failed. Error code: 1045"),
            Reason::ServerError,
            "500 Server error",
        ),
    ] {
        let times = if reason == Reason::NotFound { 2 } else { 1 };
        let run = climb(
            blesta("https://billing.example.com"),
            vec![reply.clone(); times],
        );
        let told = (run.reason(), run.verdict.title.as_str());
        assert_eq!(told, (reason, title), "{reply:?}");
        let by = run.verdict.answered_by.id();
        assert!(!["waf", "cdn"].contains(&by), "{by} {reply:?}");
    }
    let blocked = "Blocked by a firewall application";
    for body in [
        "Access denied by Imunify360 bot-protection.",
        "Generated by Wordfence at Mon",
        "Incapsula incident ID: 12-34",
        "SiteLock Incident ID: 5",
        "This error was generated by Mod_Security.",
    ] {
        let reply = page(403, &[APACHE], "No", body);
        assert_eq!(
            told(&reply),
            (Reason::WafBlock, blocked.to_owned()),
            "{body}"
        );
    }
    let own = answer(
        403,
        &[("Content-Type", "text/plain"), ("CF-RAY", "8a")],
        "error code: 1020",
    );
    assert_eq!(told(&own).0, Reason::CdnBlock);
}

#[test]
fn a_403_that_a_cdn_has_passed_on_is_told_from_its_own() {
    let front = [
        ("X-Amz-Cf-Id", "z"),
        ("X-Cache", "Error from cloudfront"),
        ("Via", "1.1 abc.cloudfront.net (CloudFront)"),
    ];
    let google = [("Via", "1.1 google")];
    let bunny = [("Server", "BunnyCDN-DE1-1080")];
    let azure = [("X-Azure-Ref", "20261123T")];
    let behind = "403 Restricted behind the CDN";
    let block = "403 Restricted by the CDN";
    let list = "Your IP is not on the list.";
    let cloud = "Generated by cloudfront (CloudFront)";
    let own = "<title>403</title>403 Forbidden";
    let passed_on = [("Server", "cloudflare"), ("CF-Cache-Status", "DYNAMIC")];
    let fonts = "<link href=\"https://fonts.bunny.net/css?family=inter\"><h1>No. The request is blocked.</h1>";
    expect(vec![
        (answer(403, &front, "Forbidden"), Reason::ServerRule, behind),
        (page(403, &front, "No", list), Reason::ServerRule, behind),
        (page(403, &google, "No", list), Reason::ServerRule, behind),
        (page(403, &bunny, "No", list), Reason::ServerRule, behind),
        (page(403, &azure, "No", list), Reason::ServerRule, behind),
        (html(403, &passed_on, fonts), Reason::ServerRule, behind),
        (html(403, &bunny, fonts), Reason::ServerRule, behind),
        (page(403, &bunny, "bunny.net", ""), Reason::CdnBlock, block),
        (page(403, &front, "No", cloud), Reason::CdnBlock, block),
        (html(403, &google, own), Reason::CdnBlock, block),
        (
            page(403, &azure, "", "<h2>The request is blocked.</h2>"),
            Reason::CdnBlock,
            block,
        ),
    ]);
}

fn keyed(reply: Reply) -> super::harness::Run {
    climb(shop(), vec![json(401, DENIED), reply])
}

#[test]
fn what_refuses_the_key_alone_is_not_told_as_a_wrong_path() {
    let login = "<form><input type=\"password\"></form>";
    for (reply, reason, title) in [
        (
            page(404, &[NGINX], "404 Not Found", "<center>nginx</center>"),
            Reason::ServerRule,
            "404 Refused for its key",
        ),
        (
            page(200, &[NGINX], "Welcome", "hello"),
            Reason::ServerRule,
            "200 Another page for the key",
        ),
        (
            page(200, &[NGINX], "Log in", login),
            Reason::ServerRule,
            "200 Another page for the key",
        ),
        (
            answer(200, &[APACHE], ""),
            Reason::EmptyReply,
            "Empty reply to the key",
        ),
        (
            page(500, &[APACHE], "Error", ""),
            Reason::ServerError,
            "500 Error in the call with the key",
        ),
    ] {
        let run = keyed(reply);
        let told = (run.reason(), run.verdict.title.as_str());
        assert_eq!(told, (reason, title));
        assert_eq!(run.asked.len(), 2, "{:?}", run.asked);
        assert_eq!(run.attempts, [AttemptEnd::Inconclusive]);
        assert!(
            run.says("itself answered a moment before"),
            "{:?}",
            run.verdict.evidence
        );
        let steps = run.verdict.remedy.steps.join(" ");
        assert!(
            !steps.contains("folder") && !steps.contains("ionCube"),
            "{steps}"
        );
        assert_eq!(run.verdict.remedy.who, Who::Host);
    }
    // Where nobody was asked before, the path may be what is wrong.
    let mut subject = shop();
    subject.trigger = Trigger::Scheduled;
    subject.past.service_seen = true;
    let missing = page(404, &[NGINX], "404 Not Found", "");
    let run = climb(subject, vec![missing.clone(), missing]);
    assert_eq!(run.reason(), Reason::NotFound);
}

#[test]
fn a_401_out_of_a_cache_is_no_refusal_of_the_key() {
    for header in [
        ("Age", "2"),
        ("X-Cache", "HIT"),
        ("X-Cache-Status", "HIT"),
        ("X-Proxy-Cache", "HIT"),
        ("Cache-Status", "nginx; hit"),
        ("CF-Cache-Status", "HIT"),
        ("X-LiteSpeed-Cache", "hit"),
        ("X-Cache-Status", "STALE"),
        ("CF-Cache-Status", "UPDATING"),
        ("X-Varnish", "32770 32768"),
    ] {
        let kept = || answer(401, &[header, ("Content-Type", "application/json")], DENIED);
        let run = keyed(kept());
        let told = (run.reason(), run.verdict.title.as_str());
        assert_eq!(told, (Reason::UnexpectedStatus, "401 Out of a cache"));
        assert_eq!(run.attempts, [AttemptEnd::Kept]);
        assert_eq!(run.asked.len(), 2, "it is sent no second time");
        assert!(
            run.verdict.cause.contains(&header.0.to_lowercase()),
            "{}",
            run.verdict.cause
        );
        // The first was looked at, the second was not: nothing is known of the second style.
        let run = climb(shop(), vec![json(401, DENIED), json(401, DENIED), kept()]);
        assert_eq!(run.reason(), Reason::CredentialsRejected);
        assert_eq!(run.attempts, [AttemptEnd::Rejected, AttemptEnd::Kept]);
        assert!(
            run.verdict.cause.contains("did not get to say"),
            "{}",
            run.verdict.cause
        );
    }
    for header in [
        ("Age", "0"),
        ("X-Cache", "MISS"),
        ("X-Cache", "RefreshHit from cloudfront"),
        ("CF-Cache-Status", "DYNAMIC"),
        ("X-Cache-Status", "REVALIDATED"),
        ("X-Varnish", "32770"),
    ] {
        let asked = || answer(401, &[header], DENIED);
        let run = climb(shop(), vec![asked(), asked(), asked()]);
        assert_eq!(run.reason(), Reason::CredentialsRejected, "{header:?}");
        assert_eq!(run.attempts, [AttemptEnd::Rejected; 2], "{header:?}");
    }
}

fn kept(status: u16, body: &str) -> Reply {
    let headers = [("Age", "30"), ("Content-Type", "application/json")];
    answer(status, &headers, body)
}

#[test]
fn an_answer_out_of_a_cache_is_no_proof_of_the_key() {
    let mut known = shop();
    known.past.service_seen = true;
    for trigger in [Trigger::Asked, Trigger::Scheduled, Trigger::Bisect] {
        known.trigger = trigger;
        // The key goes along no second time: a refusal would be one of a key that nobody has accepted.
        let run = climb(known.clone(), vec![kept(200, COMPANIES)]);
        let told = (run.verdict.state(), run.verdict.title.as_str());
        assert_eq!(told, (State::Ok, "Connected, out of a cache"));
        assert_eq!(run.attempts, [AttemptEnd::Cached]);
        assert!(run.ladder.accepted().is_none());
        let check = run.verdict.checks.get(CheckId::Credentials);
        assert_eq!(check.state, State::Unknown, "{check:?}");
        assert_eq!(
            run.verdict.identity.as_ref().unwrap().id.as_deref(),
            Some("1")
        );
        assert!(
            run.verdict.cause.contains("age: 30"),
            "{}",
            run.verdict.cause
        );
    }
}

/// What a schedule is told of the company out of a cache, over a certificate that ends in so many days.
fn told_by_cache(past: Accepted, days: i64, body: &str) -> Run {
    let mut subject = shop();
    subject.trigger = Trigger::Scheduled;
    subject.past.service_seen = true;
    subject.past.accepted = Some(past);
    let leaf = certificate("CN=billing.example.com", "CN=Public CA", days);
    climb(subject, vec![with_chain(kept(200, body), vec![leaf])])
}

#[test]
fn no_words_beside_an_answer_out_of_a_cache_claim_that_the_key_is_taken() {
    let through_index = Accepted {
        through_index: true,
        ..Accepted::default()
    };
    let by_headers = Accepted {
        by_headers: true,
        ..Accepted::default()
    };
    let noisy = format!("\u{feff}{COMPANIES}");
    for (past, days, body, title) in [
        (
            Accepted::default(),
            61,
            noisy.as_str(),
            "Connected with noise, out of a cache",
        ),
        (
            Accepted::default(),
            2,
            COMPANIES,
            "Connected out of a cache, certificate ends in 2 days",
        ),
        (through_index, 61, COMPANIES, "Connected, out of a cache"),
        (by_headers, 61, COMPANIES, "401 Denied: header stripped"),
    ] {
        let run = told_by_cache(past, days, body);
        assert_eq!(run.verdict.title, title);
        assert_eq!(run.attempts, [AttemptEnd::Cached]);
        let cause = &run.verdict.cause;
        let is_said = cause.contains("does not show whether") && cause.contains("age: 30");
        assert!(is_said, "{cause}");
        let check = run.verdict.checks.get(CheckId::Credentials);
        assert_eq!(check.state, State::Unknown, "{check:?}");
        assert!(run.ladder.accepted().is_none() && run.says("from a cache"));
    }
}

#[test]
fn a_hit_of_a_cache_takes_back_no_refusal_of_the_key() {
    let run = climb(
        shop(),
        vec![json(401, DENIED), json(401, DENIED), kept(200, COMPANIES)],
    );
    assert_eq!(run.reason(), Reason::CredentialsRejected);
    assert_eq!(run.attempts, [AttemptEnd::Rejected, AttemptEnd::Cached]);
    assert!(run.ladder.accepted().is_none() && run.says("200 out of a cache"));
    let cause = &run.verdict.cause;
    assert!(cause.contains("its 200 came out of a cache"), "{cause}");
    // Beside a style that was taken, a bisect learns nothing of the other.
    let mut bisect = shop();
    bisect.trigger = Trigger::Bisect;
    bisect.past.service_seen = true;
    let run = climb(bisect, vec![json(200, COMPANIES), kept(200, COMPANIES)]);
    assert_eq!(
        run.attempts,
        [AttemptEnd::Accepted, AttemptEnd::Inconclusive]
    );
    assert!(run.says("200 out of a cache") && !run.says("both accepted"));
}

#[test]
fn a_page_out_of_a_cache_is_not_told_as_a_rule_against_the_key() {
    let page = html(
        404,
        &[NGINX, ("X-Cache", "HIT")],
        "<title>404 Not Found</title>",
    );
    let run = keyed(page);
    assert_eq!(run.reason(), Reason::NotFound);
    assert_eq!(run.attempts, [AttemptEnd::Cached]);
    assert!(run.says("from a cache (x-cache: HIT)"), "{:?}", run.verdict);
}

fn at(mut reply: Reply, addresses: &[&str]) -> Reply {
    reply.addresses = addresses
        .iter()
        .map(|address| Address {
            address: address.parse().unwrap(),
            state: State::Down,
            ms: None,
        })
        .collect();
    reply
}

#[test]
fn a_name_that_leads_to_this_machine_is_no_fault_of_the_hosts() {
    for (url, failure, addresses, who) in [
        (
            "https://billing.example.com",
            Failure::Refused,
            &["0.0.0.0:443"][..],
            Who::You,
        ),
        (
            "https://billing.example.com",
            Failure::Refused,
            &["[::]:443", "127.0.0.1:443"],
            Who::You,
        ),
        (
            "https://billing.example.com",
            Failure::ConnectTimeout,
            &["127.0.0.1:443"],
            Who::You,
        ),
        (
            "https://billing.example.com",
            Failure::Tls(TlsFailure::WrongName),
            &["127.0.0.1:443"],
            Who::You,
        ),
        (
            "https://billing.example.com",
            Failure::Refused,
            &["0.0.0.0:443", "192.0.2.1:443"],
            Who::Host,
        ),
        (
            "https://localhost",
            Failure::Refused,
            &["127.0.0.1:443"],
            Who::Host,
        ),
        (
            "https://127.0.0.1",
            Failure::Refused,
            &["127.0.0.1:443"],
            Who::Host,
        ),
    ] {
        let run = climb(blesta(url), vec![at(failed(failure), addresses)]);
        assert_eq!(run.verdict.remedy.who, who, "{url} {addresses:?}");
        assert_eq!(run.verdict.state(), State::Down);
        let address: std::net::SocketAddr = addresses[0].parse().unwrap();
        let named = run.verdict.cause.contains(&address.ip().to_string());
        assert_eq!(named, who == Who::You, "{}", run.verdict.cause);
    }
    // A proxy that runs here is asked for every name.
    let mut by_proxy = at(failed(Failure::ConnectTimeout), &["127.0.0.1:3128"]);
    by_proxy.proxy = Some("http://127.0.0.1:3128".to_owned());
    let run = climb(blesta("https://billing.example.com"), vec![by_proxy]);
    assert!(
        !run.verdict.cause.contains("this machine itself"),
        "{}",
        run.verdict.cause
    );
}

#[test]
fn a_chain_that_is_another_certificates_is_the_hosts() {
    let unknown = || failed(Failure::Tls(TlsFailure::UnknownIssuer));
    let leaf = || certificate("CN=billing.example.com", "CN=R10", 61);
    let old = certificate("CN=R3", "CN=Root", 400);
    let root = certificate("CN=Root", "CN=Root", 4000);
    for chain in [
        vec![leaf(), old],
        vec![leaf(), leaf()],
        vec![leaf(), root.clone()],
    ] {
        let sent = chain[1].subject.clone();
        let run = climb(shop(), vec![with_chain(unknown(), chain)]);
        assert_eq!(run.verdict.remedy.who, Who::Host);
        assert!(
            run.verdict.cause.contains("that of CN=R10 is missing"),
            "{}",
            run.verdict.cause
        );
        assert!(run.says(&format!("did not sign it: {sent}")));
    }
    let own = vec![leaf(), root.clone(), certificate("CN=R10", "CN=Root", 400)];
    let run = climb(shop(), vec![with_chain(unknown(), own)]);
    assert!(
        run.verdict.cause.starts_with("The chain ends at CN=Root,"),
        "{}",
        run.verdict.cause
    );
    assert_eq!(run.verdict.remedy.who, Who::You);
}

#[test]
fn a_certificate_that_is_another_sites_too_is_said_to_be() {
    let mut other = certificate("CN=Plesk", "CN=Plesk", 61);
    other.names = vec!["plesk.example".to_owned()];
    let mut fitting = other.clone();
    fitting.names = vec!["*.example.com".to_owned()];
    // Of so many the host's may be one that was not kept.
    let mut shared = other.clone();
    let names = (0..Certificate::MOST_NAMES).map(|one| format!("{one}.plesk.example"));
    shared.names = names.collect();
    for (leaf, is_other) in [(other, true), (fitting, false), (shared, false)] {
        let reply = failed(Failure::Tls(TlsFailure::UnknownIssuer));
        let run = climb(shop(), vec![with_chain(reply, vec![leaf])]);
        let line = "it is for plesk.example, not for billing.example.com";
        assert_eq!(run.says(line), is_other, "{:?}", run.verdict.evidence);
        let first = &run.verdict.remedy.steps[0];
        assert_eq!(first.contains("other names besides"), is_other, "{first}");
    }
}

#[test]
fn a_connection_that_ends_within_the_handshake_is_the_rung_of_tls() {
    for failure in [Failure::Reset, Failure::ClosedEarly] {
        for (sent, rung) in [(false, CheckId::Tls), (true, CheckId::Http)] {
            let mut reply = failed(failure.clone());
            reply.sent = sent;
            let run = climb(shop(), vec![reply]);
            assert_eq!(run.verdict.checks.get(rung).state, State::Down);
        }
    }
    // TLS was agreed, and what ended the connection came behind it.
    let agreed = with_chain(failed(Failure::Reset), Vec::new());
    let run = climb(shop(), vec![agreed]);
    let http = run.verdict.checks.get(CheckId::Http);
    assert_eq!(http.state, State::Down);
    let plain = climb(
        blesta("http://127.0.0.1:8080"),
        vec![failed(Failure::Reset)],
    );
    let http = plain.verdict.checks.get(CheckId::Http);
    assert_eq!(http.state, State::Down);
}

#[test]
fn the_source_of_a_program_is_no_answer_of_anything() {
    let source = "<?php\n/** Portal */ define('X', 1); ?><title>Portal</title>";
    let title = "PHP is not run: its source is served";
    for kind in ["text/html", "application/octet-stream", "text/plain"] {
        let reply = answer(200, &[("Content-Type", kind)], source);
        for subject in [blesta("https://billing.example.com"), http()] {
            let run = climb(subject, vec![reply.clone()]);
            let told = (run.reason(), run.verdict.title.as_str());
            assert_eq!(told, (Reason::NotTheService, title), "{kind}");
        }
        let missing = page(404, &[NGINX], "404", "");
        let run = climb(blesta("https://billing.example.com"), vec![missing, reply]);
        assert_eq!(run.verdict.title, title);
    }
    let manual = page(200, &[], "Manual", "<code>&lt;?php <?php</code>");
    assert_eq!(told(&manual).1, "Not a Blesta");
}

#[test]
fn what_index_php_answered_is_not_denied() {
    let missing = || page(404, &[NGINX], "404", "<center>nginx</center>");
    let moved = html(302, &[("Location", "/index.php/login")], "");
    for (there, reason) in [
        (
            page(403, &[NGINX], "403", "<center>nginx</center>"),
            Reason::ServerRule,
        ),
        (answer(429, &[], ""), Reason::RateLimited),
        (moved, Reason::NotFound),
        (missing(), Reason::NotFound),
    ] {
        let run = climb(
            blesta("https://billing.example.com"),
            vec![missing(), there.clone()],
        );
        assert_eq!(run.reason(), reason);
        let denied = run.verdict.cause.contains("with or without /index.php");
        assert_eq!(denied, there == missing(), "{}", run.verdict.cause);
        let pasted = run
            .verdict
            .remedy
            .snippet
            .is_some_and(|text| text.contains("try_files"));
        assert_eq!(pasted, there == missing());
    }
    for body in ["File not found.\n", "No input file specified.\n"] {
        let reply = answer(404, &[("Content-Type", "text/html"), NGINX], body);
        assert_eq!(told(&reply).1, "404 PHP finds no file to run");
    }
    for (form, body) in [
        ("text/plain", "Profile not found."),
        ("text/plain", "The requested file not found."),
        ("application/json", r#"{"detail":"File not found."}"#),
    ] {
        let reply = answer(404, &[("Content-Type", form), NGINX], body);
        assert_ne!(told(&reply).1, "404 PHP finds no file to run", "{body}");
    }
}

#[test]
fn a_corrected_url_that_fails_is_not_offered() {
    let moved = || {
        let there = "https://billing.example.com:8080/api/companies/getAll.json";
        html(301, &[("Location", there)], "")
    };
    let plain = || blesta("http://billing.example.com:8080");
    let run = climb(
        plain(),
        vec![moved(), failed(Failure::Tls(TlsFailure::NotTls))],
    );
    assert_eq!(run.reason(), Reason::RedirectHttps);
    assert_eq!(run.verdict.remedy.url, None);
    assert_eq!(run.verdict.remedy.who, Who::Host);
    // Whatever https answers, it is what the URL needs: its path may be wrong as well, and what is to be trusted or shown
    // there is given here.
    for there in [
        failed(Failure::Tls(TlsFailure::UnknownIssuer)),
        failed(Failure::Tls(TlsFailure::ClientCertificate)),
        json(401, DENIED),
        page(404, &[NGINX], "404", "<center>nginx</center>"),
        page(503, &[NGINX], "Maintenance", ""),
    ] {
        let run = climb(plain(), vec![moved(), there.clone()]);
        assert_eq!(run.reason(), Reason::RedirectHttps);
        assert_eq!(
            run.verdict.remedy.url.as_deref(),
            Some("https://billing.example.com:8080"),
            "{there:?}"
        );
        assert_eq!(run.verdict.remedy.who, Who::You);
    }
}

#[test]
fn a_path_that_a_redirect_to_www_loses_is_kept() {
    for (there, fix) in [
        (
            "https://www.billing.example.com/",
            Some("https://www.billing.example.com/shop"),
        ),
        ("https://other.example.com/", None),
        ("https://www.billing.example.com/en", None),
        ("https://www.billing.example.com/?lang=en", None),
    ] {
        let moved = html(301, &[("Location", there)], "");
        let run = climb(
            blesta("https://billing.example.com/shop"),
            vec![moved, page(200, &[], "Front", "")],
        );
        assert_eq!(run.reason(), Reason::RedirectHost);
        assert_eq!(run.verdict.remedy.url.as_deref(), fix, "{there}");
    }
}

#[test]
fn the_folder_above_a_login_is_offered_once_the_service_was_seen_there() {
    let moved = || html(302, &[("Location", "/billing/login")], "");
    let url = || blesta("https://billing.example.com/billing");
    let other = page(404, &[NGINX], "404", "");
    for (above, fix) in [
        (other, None),
        (json(401, DENIED), Some("https://billing.example.com")),
    ] {
        let run = climb(url(), vec![moved(), above]);
        assert_eq!(run.reason(), Reason::UrlHasAdmin);
        assert_eq!(run.verdict.remedy.url.as_deref(), fix);
        assert_eq!(run.asked[1], "GET /api/companies/getAll.json bare");
        assert_eq!(run.verdict.redirects.len(), 1);
    }
}

#[test]
fn a_redirect_to_itself_for_a_cookie_is_no_fault_of_rules() {
    let location = ("Location", "/api/companies/getAll.json");
    for (headers, title) in [
        (
            vec![location, ("Set-Cookie", "test=1")],
            "Redirected to itself for a cookie",
        ),
        (vec![location], "Redirected in a loop"),
    ] {
        let run = climb(
            blesta("https://billing.example.com"),
            vec![html(302, &headers, "")],
        );
        assert_eq!(run.verdict.title, title);
        assert_eq!(run.reason(), Reason::RedirectLoop);
    }
}

#[test]
fn what_an_api_says_of_a_call_is_in_the_verdict() {
    let odd = r#"{"error_code":"VAL_001","errors":["limit: must be positive"]}"#;
    let connect = || {
        let url = "https://connect.example.com/public/v1";
        let subject = Subject::new(ServiceId::connect(), url);
        with_pair(subject, "SU-160-984-311", "0123456789abcdef")
    };
    let version = ("Connect-Version", "30.1");
    for status in [400, 409, 410, 422] {
        let found = answer(
            401,
            &[version],
            r#"{"error_code":"AUTH_001","errors":["no"]}"#,
        );
        let run = climb(connect(), vec![found, answer(status, &[version], odd)]);
        assert_eq!(run.reason(), Reason::UnexpectedStatus);
        assert!(
            run.verdict.cause.contains("limit: must be positive"),
            "{}",
            run.verdict.cause
        );
        let run = climb(
            http(),
            vec![json(status, r#"{"error":"API key not valid"}"#)],
        );
        assert!(
            run.verdict.cause.contains("API key not valid"),
            "{}",
            run.verdict.cause
        );
    }
    let found = answer(
        401,
        &[version],
        r#"{"error_code":"AUTH_001","errors":["no"]}"#,
    );
    let lost = r#"{"error_code":"NOT","errors":["Account not found."]}"#;
    let run = climb(connect(), vec![found, answer(404, &[version], lost)]);
    assert_eq!(run.reason(), Reason::ApiPathWrong);
    assert!(run.verdict.cause.contains("Account not found"));
}

#[test]
fn a_page_of_nginxs_own_keeps_apaches_words_to_itself() {
    let own = page(403, &[NGINX], "Access Denied", "blocked by fail2ban");
    let run = climb(blesta("https://billing.example.com"), vec![own]);
    assert_eq!(run.reason(), Reason::ServerRule);
    assert!(
        !run.verdict.cause.contains(".htaccess"),
        "{}",
        run.verdict.cause
    );
    assert_eq!(run.verdict.remedy.snippet, None);
    assert!(run.says("the page says: blocked by fail2ban"));
}

#[test]
fn what_php_says_with_a_500_is_read() {
    for (body, title) in [
        (
            "PHP Fatal error:  Uncaught Error: Class \"X\" not found in /a.php:3",
            "500 PHP stopped with an error",
        ),
        (
            "Site error: the <b>ionCube</b> PHP Loader needs to be installed.",
            "500 The ionCube loader is missing",
        ),
    ] {
        let reply = answer(500, &[APACHE], body);
        assert_eq!(told(&reply), (Reason::ServerError, title.to_owned()));
    }
}
