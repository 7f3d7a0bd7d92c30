//! Every reason over real sockets: each entry of the rehearsal is probed and must end in its reason, with
//! its status, however the servers dress their answers.
#![expect(
    clippy::unwrap_used,
    reason = "a test that can't go on ends, and says where"
)]

use std::time::Duration;

use jiff::Timestamp;
use switchboard::domain::budget::AttemptEnd;
use switchboard::domain::proxy::ProxyUrl;
use switchboard::domain::{AnsweredBy, HostPort, Reason, Secret, ServiceId, State, Verdict};
use switchboard::probe::{Gate, Permit, Prober, Profile, ProxyChoice, Ticket};
use switchboard::service::{Catalog, HinderedBy, Hindrance, SecretState, Subject, verify};
use switchboard::sim::{CatalogEntry, HeaderCase, ServerHeader, Sim, SimSettings, Style};

/// Lets every key through: the lock-out has tests of its own.
struct Open;

impl Gate for Open {
    async fn book(&self, host: &HostPort, _pair: (&str, &Secret), _proven: bool) -> Permit {
        Permit::Granted(Ticket {
            host: host.clone(),
            number: 1,
        })
    }

    async fn settle(&self, _ticket: Ticket, _end: AttemptEnd) {}

    async fn quiet(&self, _host: &HostPort, _until: Timestamp) {}
}

fn subject(entry: &CatalogEntry, url: &str) -> Subject {
    let held = |value: &Option<String>| {
        value.as_ref().map_or(SecretState::Absent, |value| {
            SecretState::Present(Secret::new(value.as_str()))
        })
    };
    let mut subject = Subject::new(ServiceId::new(entry.service), url);
    subject.username = entry.username.clone().unwrap_or_default();
    subject.key = held(&entry.key);
    subject.token = held(&entry.token);
    subject.cms_url.clone_from(&entry.cms_url);
    if entry.args.iter().any(|flag| flag == "--key-env") {
        subject.key = SecretState::Unavailable(Hindrance::new(
            HinderedBy::Variable,
            "the variable is not set",
        ));
    }
    subject
}

/// The flags of an entry, as far as they are the transport's.
fn profile(entry: &CatalogEntry) -> Profile {
    let mut profile = Profile::default();
    for pair in entry.args.chunks(2) {
        let [flag, value] = pair else { continue };
        match flag.as_str() {
            // A file that is absent is this machine's mistake: so is one that holds no certificate.
            "--ca-file" => profile
                .extra_roots
                .push(std::fs::read(value).unwrap_or_else(|_| b"no PEM".to_vec())),
            "--timeout" => profile.timeout = Duration::from_secs(1),
            "--proxy" => profile.proxy = ProxyChoice::Url(ProxyUrl::new(value.as_str())),
            _ => {}
        }
    }
    profile
}

async fn probe(prober: &Prober, catalog: &Catalog, entry: &CatalogEntry, url: &str) -> Verdict {
    let subject = subject(entry, url);
    let service = catalog.get(&subject.service).unwrap();
    let profile = profile(entry);
    let ended = prober
        .run(service, subject, &profile, &Open, &mut |_| {})
        .await;
    *ended.verdict
}

/// Who may be told to have answered an entry, however the servers are dressed: where only a header says who it
/// was, and that is absent or lies, nobody can know.
fn answerers(entry: &CatalogEntry) -> &'static [AnsweredBy] {
    use AnsweredBy::{Cdn, Nobody, Service, Unknown, Waf, WebServer};
    match entry.reason {
        _ if entry.status == 0 => &[Nobody],
        Reason::CdnBlock | Reason::ChallengePage => &[Cdn],
        Reason::WafBlock => &[Waf],
        Reason::ServerPassword
        | Reason::ServerRule
        | Reason::NotAcceptable
        | Reason::NotFound
        | Reason::NotTheService
        | Reason::ServerError
        | Reason::GatewayDown
        | Reason::HttpOnTlsPort => &[WebServer],
        Reason::UrlHasAdmin
        | Reason::EmptyReply
        | Reason::RedirectHttps
        | Reason::RedirectHost
        | Reason::RedirectPath
        | Reason::RedirectLoop
        | Reason::RateLimited
        | Reason::UnexpectedStatus
        | Reason::BodyTooLarge
        | Reason::ResponseTimeout
        | Reason::ReplyCut => &[WebServer, Unknown],
        _ => &[Service],
    }
}

/// What each entry ended in, where that is not what it says.
async fn mistaken(style: Style) -> Vec<String> {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let settings = SimSettings {
        style,
        ..SimSettings::default()
    };
    let sim = Sim::start(settings).unwrap();
    let (prober, catalog) = (Prober::default(), Catalog::embedded());
    let mut mistaken = Vec::new();
    for entry in sim.entries() {
        let Some(url) = &entry.url else { continue };
        let verdict = probe(&prober, &catalog, entry, url).await;
        let told = verdict.state() == State::Ok || !verdict.remedy.steps.is_empty();
        let as_told = (verdict.reason, verdict.status) == (entry.reason, entry.status);
        if !as_told || !told || !answerers(entry).contains(&verdict.answered_by) {
            mistaken.push(format!(
                "{} {}: {} {} by {:?} {:?}",
                entry.reason,
                entry.status,
                verdict.reason,
                verdict.status,
                verdict.answered_by,
                verdict.evidence
            ));
        }
    }
    mistaken
}

#[tokio::test(flavor = "multi_thread")]
async fn every_entry_of_the_rehearsal_ends_in_its_reason() {
    assert_eq!(mistaken(Style::default()).await, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn neither_a_server_header_nor_spelling_changes_a_reason() {
    for (server, case) in [
        (ServerHeader::Absent, HeaderCase::Lower),
        (
            ServerHeader::Named("Microsoft-IIS/10.0".to_owned()),
            HeaderCase::Upper,
        ),
    ] {
        let style = Style {
            server,
            case,
            gzip: true,
            ..Style::default()
        };
        assert_eq!(mistaken(style).await, Vec::<String>::new());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_check_of_a_shared_token_alone_has_two_reasons_of_its_own() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let sim = Sim::start(SimSettings::default()).unwrap();
    let (prober, catalog) = (Prober::default(), Catalog::embedded());
    let service = catalog.get(&ServiceId::blesta()).unwrap();
    for reason in [
        Reason::TokenValid,
        Reason::TokenMismatch,
        Reason::TokenHeaderStripped,
        Reason::TokenClock,
        Reason::TokenEndpointAbsent,
        Reason::TokenUnverifiable,
    ] {
        let entry = sim.entry(reason).unwrap();
        let begun = verify::begin(service, subject(entry, ""), Timestamp::now());
        let climb = prober
            .run_begun(begun, &Profile::default(), &Open, &mut |_| {})
            .await;
        assert_eq!(climb.verdict.reason, reason, "{:#?}", climb.verdict);
    }
}

/// Who gave the answer that ended in a reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum By {
    Apache,
    Nginx,
    /// A certificate, or a server, of openssl.
    Openssl,
    /// The kernel, and the resolver above it.
    Kernel,
    /// A server of this project.
    Own,
}

const DIAGNOSIS: &str = "diagnosis.rs";
const NETWORK: &str = "network.rs";
const SEQUENCES: &str = "network/sequences.rs";
const SERVERS: &str = "network/servers.rs";
const HERE: &str = "reasons.rs";
/// The test that asks every entry of the rehearsal.
const REHEARSAL: &str = "every_entry_of_the_rehearsal_ends_in_its_reason";

/// Each reason, with a test that reaches it by a real exchange: who answered there, the file, the test. Where
/// several do, the one whose server is the least our own.
const REACHED: &[(Reason, By, &str, &str)] = &[
    (
        Reason::Connected,
        By::Nginx,
        DIAGNOSIS,
        "certificates_of_every_kind",
    ),
    (Reason::ConnectedNoisy, By::Own, HERE, REHEARSAL),
    (Reason::ServiceFound, By::Own, HERE, REHEARSAL),
    (Reason::UrlMissing, By::Own, HERE, REHEARSAL),
    (Reason::UrlInvalid, By::Own, HERE, REHEARSAL),
    (Reason::UsernameMissing, By::Own, HERE, REHEARSAL),
    (Reason::KeyMissing, By::Own, HERE, REHEARSAL),
    (Reason::CredentialsRejected, By::Own, HERE, REHEARSAL),
    (
        Reason::AuthorizationStripped,
        By::Apache,
        DIAGNOSIS,
        "apache_with_php_cgi",
    ),
    (
        Reason::ServerPassword,
        By::Apache,
        DIAGNOSIS,
        "apache_with_php_cgi",
    ),
    (Reason::PermissionMissing, By::Own, HERE, REHEARSAL),
    (
        Reason::ServerRule,
        By::Apache,
        DIAGNOSIS,
        "apache_with_php_cgi",
    ),
    (Reason::CdnBlock, By::Own, HERE, REHEARSAL),
    (
        Reason::ChallengePage,
        By::Nginx,
        DIAGNOSIS,
        "nginx_and_what_stands_behind_it",
    ),
    (Reason::WafBlock, By::Own, HERE, REHEARSAL),
    (
        Reason::NotAcceptable,
        By::Nginx,
        DIAGNOSIS,
        "nginx_and_what_stands_behind_it",
    ),
    (
        Reason::NotFound,
        By::Apache,
        DIAGNOSIS,
        "apache_with_php_cgi",
    ),
    (Reason::ApiPathWrong, By::Own, HERE, REHEARSAL),
    (
        Reason::RewriteOff,
        By::Apache,
        DIAGNOSIS,
        "apache_with_php_cgi",
    ),
    (Reason::UrlHasApi, By::Own, HERE, REHEARSAL),
    (
        Reason::UrlHasAdmin,
        By::Apache,
        DIAGNOSIS,
        "apache_with_php_cgi",
    ),
    (
        Reason::NotTheService,
        By::Nginx,
        DIAGNOSIS,
        "nginx_and_what_stands_behind_it",
    ),
    (Reason::EmptyReply, By::Own, HERE, REHEARSAL),
    (
        Reason::RedirectHttps,
        By::Apache,
        DIAGNOSIS,
        "apache_with_php_cgi",
    ),
    (
        Reason::RedirectHost,
        By::Apache,
        DIAGNOSIS,
        "apache_with_php_cgi",
    ),
    (
        Reason::RedirectPath,
        By::Apache,
        DIAGNOSIS,
        "apache_with_php_cgi",
    ),
    (
        Reason::RedirectLoop,
        By::Apache,
        DIAGNOSIS,
        "apache_with_php_cgi",
    ),
    (Reason::WrongCompany, By::Own, HERE, REHEARSAL),
    (
        Reason::IdentityChanged,
        By::Own,
        SEQUENCES,
        "another_company_behind_the_same_url_is_told",
    ),
    (Reason::KeyInUseInactive, By::Own, HERE, REHEARSAL),
    (
        Reason::RateLimited,
        By::Nginx,
        SERVERS,
        "nginx_at_its_limits",
    ),
    (Reason::Maintenance, By::Own, HERE, REHEARSAL),
    (Reason::ServiceException, By::Own, HERE, REHEARSAL),
    (
        Reason::ServerError,
        By::Apache,
        DIAGNOSIS,
        "apache_with_php_cgi",
    ),
    (
        Reason::GatewayDown,
        By::Nginx,
        DIAGNOSIS,
        "nginx_and_what_stands_behind_it",
    ),
    (
        Reason::UnexpectedStatus,
        By::Nginx,
        DIAGNOSIS,
        "nginx_and_what_stands_behind_it",
    ),
    (
        Reason::DnsNotFound,
        By::Kernel,
        NETWORK,
        "names_that_are_absent_and_name_servers_that_are_silent",
    ),
    (
        Reason::DnsFailed,
        By::Kernel,
        NETWORK,
        "names_that_are_absent_and_name_servers_that_are_silent",
    ),
    (
        Reason::Refused,
        By::Kernel,
        NETWORK,
        "across_a_wire_the_kernel_connects_refuses_and_finds_no_route",
    ),
    (
        Reason::ConnectTimeout,
        By::Kernel,
        NETWORK,
        "what_is_dropped_on_the_way_times_out",
    ),
    (
        Reason::Unreachable,
        By::Kernel,
        NETWORK,
        "across_a_wire_the_kernel_connects_refuses_and_finds_no_route",
    ),
    (Reason::Reset, By::Own, HERE, REHEARSAL),
    (
        Reason::ClosedEarly,
        By::Nginx,
        DIAGNOSIS,
        "nginx_and_what_stands_behind_it",
    ),
    (
        Reason::ResponseTimeout,
        By::Nginx,
        SERVERS,
        "nginx_at_its_limits",
    ),
    (Reason::NotHttp, By::Own, HERE, REHEARSAL),
    (
        Reason::TlsExpired,
        By::Openssl,
        DIAGNOSIS,
        "certificates_of_every_kind",
    ),
    (
        Reason::TlsNotYetValid,
        By::Openssl,
        DIAGNOSIS,
        "certificates_of_every_kind",
    ),
    (
        Reason::TlsWrongName,
        By::Openssl,
        DIAGNOSIS,
        "certificates_of_every_kind",
    ),
    (
        Reason::TlsUnknownIssuer,
        By::Openssl,
        DIAGNOSIS,
        "certificates_of_every_kind",
    ),
    (
        Reason::TlsProtocol,
        By::Openssl,
        DIAGNOSIS,
        "certificates_of_every_kind",
    ),
    (
        Reason::TlsClientCertificate,
        By::Openssl,
        DIAGNOSIS,
        "certificates_of_every_kind",
    ),
    (
        Reason::TlsNotTls,
        By::Nginx,
        SERVERS,
        "nginx_is_neither_tls_nor_a_proxy_where_it_was_not_told",
    ),
    (
        Reason::HttpOnTlsPort,
        By::Nginx,
        DIAGNOSIS,
        "certificates_of_every_kind",
    ),
    (
        Reason::BodyTooLarge,
        By::Nginx,
        SERVERS,
        "nginx_at_its_limits",
    ),
    (
        Reason::ProxyFailed,
        By::Nginx,
        SERVERS,
        "nginx_is_neither_tls_nor_a_proxy_where_it_was_not_told",
    ),
    (
        Reason::Offline,
        By::Kernel,
        NETWORK,
        "a_machine_without_any_route_is_offline_and_nothing_is_painted_red",
    ),
    (Reason::KeyWithheld, By::Own, HERE, REHEARSAL),
    (Reason::SecretUnavailable, By::Own, HERE, REHEARSAL),
    (Reason::ReplyCut, By::Own, HERE, REHEARSAL),
    (Reason::TlsFailed, By::Own, HERE, REHEARSAL),
    (
        Reason::TlsExpiring,
        By::Openssl,
        SERVERS,
        "a_certificate_near_its_end_is_told_while_it_works",
    ),
    (
        Reason::LocalError,
        By::Kernel,
        NETWORK,
        "across_a_wire_the_kernel_connects_refuses_and_finds_no_route",
    ),
    (
        Reason::AuthPaused,
        By::Own,
        SEQUENCES,
        "a_bisect_sends_the_key_four_times_at_most_and_pauses_it",
    ),
    (
        Reason::TokenValid,
        By::Own,
        HERE,
        "the_check_of_a_shared_token_alone_has_two_reasons_of_its_own",
    ),
    (Reason::TokenMismatch, By::Own, HERE, REHEARSAL),
    (Reason::TokenHeaderStripped, By::Own, HERE, REHEARSAL),
    (Reason::TokenClock, By::Own, HERE, REHEARSAL),
    (Reason::TokenEndpointAbsent, By::Own, HERE, REHEARSAL),
    (
        Reason::TokenUnverifiable,
        By::Own,
        HERE,
        "the_check_of_a_shared_token_alone_has_two_reasons_of_its_own",
    ),
];

#[tokio::test(flavor = "multi_thread")]
async fn no_reason_is_without_a_real_exchange() {
    let sim = Sim::start(SimSettings::default()).unwrap();
    let listed: Vec<_> = REACHED.iter().map(|(reason, ..)| *reason).collect();
    assert_eq!(
        listed,
        Reason::ALL,
        "each once, in the order of the vocabulary"
    );
    for &(reason, by, file, test) in REACHED {
        let path = format!("{}/tests/{file}", env!("CARGO_MANIFEST_DIR"));
        let text = std::fs::read_to_string(&path).unwrap();
        let begin = text.find(&format!("fn {test}(")).expect(test);
        let before = text.split_at(begin).0;
        let attributes = before.rsplit("\n\n").next().unwrap();
        assert!(
            attributes.contains("test") && !attributes.contains("#[ignore"),
            "{test} in {file} is not run: {attributes}"
        );
        let body = text.split_at(begin).1.split("\n}\n").next().unwrap();
        let reached = if test == REHEARSAL {
            by == By::Own && sim.entry(reason).unwrap().url.is_some()
        } else {
            body.contains(&format!("\"{}\"", reason.id()))
                || body.contains(&format!("Reason::{reason:?}"))
        };
        assert!(reached, "{test} in {file} does not reach {reason}");
    }
    let foreign = REACHED.iter().filter(|(_, by, ..)| *by != By::Own).count();
    assert!(
        foreign >= 25,
        "{foreign} reasons are reached by what is not our own"
    );
}
