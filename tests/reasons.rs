//! Every reason over real sockets: each entry of the rehearsal is probed and must end in its reason, with
//! its status, however the servers dress their answers.
#![expect(
    clippy::unwrap_used,
    reason = "a test that can't go on ends, and says where"
)]

use std::time::Duration;

use jiff::Timestamp;
use switchboard::domain::budget::AttemptEnd;
use switchboard::domain::{HostPort, Reason, Secret, ServiceId, Verdict};
use switchboard::probe::{Gate, Permit, Prober, Profile, ProxyChoice, ProxyUrl, Ticket};
use switchboard::service::{Catalog, Held, Subject, verify};
use switchboard::sim::{Entry, HeaderCase, ServerHeader, Sim, SimSettings, Style};

/// Lets every key through: the lock-out has tests of its own.
struct Open;

impl Gate for Open {
    async fn book(&self, host: &HostPort, _username: &str, _key: &Secret) -> Permit {
        Permit::Granted(Ticket {
            host: host.clone(),
            number: 1,
        })
    }

    async fn settle(&self, _ticket: Ticket, _end: AttemptEnd) {}

    async fn quiet(&self, _host: &HostPort, _until: Timestamp) {}
}

fn subject(entry: &Entry, url: &str) -> Subject {
    let held = |value: &Option<String>| {
        value.as_ref().map_or(Held::Absent, |value| {
            Held::Present(Secret::new(value.as_str()))
        })
    };
    let mut subject = Subject::new(ServiceId::new(entry.service), url);
    subject.username = entry.username.clone().unwrap_or_default();
    subject.key = held(&entry.key);
    subject.token = held(&entry.token);
    subject.cms_url.clone_from(&entry.cms_url);
    if entry.args.iter().any(|flag| flag == "--key-env") {
        subject.key = Held::Unavailable("the variable is not set".to_owned());
    }
    subject
}

/// The flags of an entry, as far as they are the transport's.
fn profile(entry: &Entry) -> Profile {
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

async fn probe(prober: &Prober, catalog: &Catalog, entry: &Entry, url: &str) -> Verdict {
    let subject = subject(entry, url);
    let service = catalog.get(&subject.service).unwrap();
    prober
        .run(service, subject, &profile(entry), &Open, &mut |_| {})
        .await
        .verdict
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
        if (verdict.reason, verdict.status) != (entry.reason, entry.status) {
            mistaken.push(format!(
                "{} {}: {} {} {:?}",
                entry.reason, entry.status, verdict.reason, verdict.status, verdict.evidence
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
