//! Ladders over real sockets: what is sent, what is booked, and what it ends in.

use std::collections::HashMap;

use futures_util::FutureExt;

use super::*;
use crate::domain::budget::StoppedBy;
use crate::domain::proxy::ProxyUrl;
use crate::domain::{
    BudgetRecord, Cause, CheckId, KeyFingerprint, Reason, Secret, ServiceId, State,
};
use crate::probe::budget::{self, Decision};
use crate::probe::profile::{ClientIdentity, ProxyChoice};
use crate::probe::stub::{Act, Authority, Stub, Versions};
use crate::service::{Catalog, SecretState, Trigger};

/// The budget's rules over memory, and a diary of what was asked of them.
#[derive(Default)]
struct MemoryGate {
    records: Mutex<HashMap<HostPort, BudgetRecord>>,
    diary: Mutex<Vec<String>>,
    unbooked: bool,
    /// How many turns of the runtime it takes until an end is written down, and how long that took in all.
    settling: Mutex<(usize, Duration)>,
}

impl MemoryGate {
    fn note(&self, line: String) {
        self.diary.lock().unwrap().push(line);
    }

    fn diary(&self) -> Vec<String> {
        self.diary.lock().unwrap().clone()
    }
}

impl Gate for MemoryGate {
    async fn book(
        &self,
        host: &HostPort,
        (username, key): (&str, &Secret),
        _proven: bool,
    ) -> Permit {
        if self.unbooked {
            return Permit::Unbooked(Cause::new("the disk is full"));
        }
        let fingerprint = KeyFingerprint(format!("{username} {}", key.length()));
        let mut records = self.records.lock().unwrap();
        let record = records.entry(host.clone()).or_default();
        match budget::book(record, &fingerprint, Timestamp::now()) {
            Decision::Granted(number) => {
                self.note(format!("book {number}"));
                Permit::Granted(Ticket {
                    host: host.clone(),
                    number,
                })
            }
            Decision::Paused(stop) => Permit::Paused {
                until: Some(stop.until),
                why: stop.why,
                by: stop.by,
            },
            Decision::Busy { until } => Permit::Paused {
                until: Some(until),
                why: "busy".to_owned(),
                by: StoppedBy::Budget,
            },
        }
    }

    async fn settle(&self, ticket: Ticket, end: AttemptEnd) {
        self.note(format!("settle {} {end:?}", ticket.number));
        let begun = Instant::now();
        let turns = self.settling.lock().unwrap().0;
        for _ in 0..turns {
            tokio::task::yield_now().await;
        }
        self.settling.lock().unwrap().1 += begun.elapsed();
        let mut records = self.records.lock().unwrap();
        let record = records.entry(ticket.host).or_default();
        budget::settle(record, ticket.number, end, Timestamp::now());
    }

    async fn quiet(&self, host: &HostPort, until: Timestamp) {
        let seconds = until.duration_since(Timestamp::now()).as_secs();
        self.note(format!("quiet {seconds}"));
        let mut records = self.records.lock().unwrap();
        let record = records.entry(host.clone()).or_default();
        budget::quiet(record, until, Timestamp::now());
    }
}

fn reply(status: &str, headers: &str, body: &str) -> Act {
    let length = body.len();
    Act::Answer(
        format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\n{headers}\r\n{body}")
            .into_bytes(),
    )
}

fn http() -> Service {
    Catalog::embedded().get(&ServiceId::http()).unwrap().clone()
}

fn with_key(stub: &Stub) -> Subject {
    let mut subject = without_key(stub);
    subject.username = "shop".to_owned();
    subject.key = SecretState::Present(Secret::new("hunter2"));
    subject
}

fn without_key(stub: &Stub) -> Subject {
    Subject::new(ServiceId::http(), &format!("http://{}/x", stub.address))
}

async fn climb(prober: &Prober, subject: Subject, gate: &MemoryGate) -> LadderOutcome {
    let profile = Profile::default();
    prober
        .run(&http(), subject, &profile, gate, &mut |_| {})
        .await
}

#[tokio::test]
async fn a_probe_without_a_key_books_nothing() {
    let stub = Stub::plain(reply("200 OK", "", "{}")).await;
    let gate = MemoryGate::default();
    let mut told = 0;
    let climb = Prober::default()
        .run(
            &http(),
            without_key(&stub),
            &Profile::default(),
            &gate,
            &mut |_| told += 1,
        )
        .await;
    assert_eq!(climb.verdict.reason, Reason::Connected, "{climb:?}");
    assert_eq!(climb.verdict.status, 200);
    assert!(gate.diary().is_empty() && told == 2);
    assert_eq!(stub.connections(), 1);
}

#[tokio::test]
async fn a_key_is_booked_before_it_is_sent_and_settled_after() {
    let stub = Stub::plain(reply("200 OK", "", "{}")).await;
    let gate = MemoryGate::default();
    let found = climb(&Prober::default(), with_key(&stub), &gate).await;
    assert_eq!(found.verdict.reason, Reason::Connected, "{found:?}");
    assert!(found.accepted.is_some() && found.last_good.is_some());
    assert_eq!(gate.diary(), ["book 0", "settle 0 Accepted"]);
    assert!(stub.heads()[0].contains("authorization: Basic"));
}

#[tokio::test]
async fn after_two_rejections_the_key_stays_here() {
    let stub = Stub::plain(reply("401 Unauthorized", "", "{}")).await;
    let gate = MemoryGate::default();
    let prober = Prober::default();
    for _ in 0..4 {
        let found = climb(&prober, with_key(&stub), &gate).await;
        assert_ne!(found.verdict.reason, Reason::Connected);
    }
    let paused = climb(&prober, with_key(&stub), &gate).await.verdict;
    assert_eq!(paused.reason, Reason::AuthPaused, "{paused:?}");
    assert!(paused.retry_at.is_some());
    let carried = stub
        .heads()
        .iter()
        .filter(|head| head.contains("authorization") || head.contains("x-api-key"))
        .count();
    assert_eq!(carried, 2);
    let rejected = gate
        .diary()
        .iter()
        .filter(|line| line.ends_with("Rejected"))
        .count();
    assert_eq!(rejected, 2, "{:?}", gate.diary());
}

#[tokio::test]
async fn an_attempt_that_was_not_answered_may_have_been_refused() {
    let stub = Stub::plain(Act::Reset).await;
    let gate = MemoryGate::default();
    let found = climb(&Prober::default(), with_key(&stub), &gate).await;
    assert_eq!(found.verdict.reason, Reason::Reset, "{found:?}");
    assert_eq!(gate.diary(), ["book 0", "settle 0 Unheard"]);
}

#[tokio::test]
async fn a_cancelled_run_leaves_its_attempt_pending() {
    let stub = Stub::plain(Act::Wait).await;
    let gate = MemoryGate::default();
    let prober = Prober::default();
    tokio::select! {
        found = climb(&prober, with_key(&stub), &gate) => panic!("{found:?}"),
        () = stub.head_came() => {}
    }
    stub.closed_by_client().await;
    assert_eq!(gate.diary(), ["book 0"]);
    let records = gate.records.lock().unwrap();
    let ends: Vec<AttemptEnd> = records
        .values()
        .flat_map(|record| record.attempts.iter().map(|attempt| attempt.end))
        .collect();
    assert_eq!(ends, [AttemptEnd::Pending]);
}

#[tokio::test]
async fn what_can_t_be_booked_is_not_sent() {
    let stub = Stub::plain(reply("200 OK", "", "{}")).await;
    let gate = MemoryGate {
        unbooked: true,
        ..MemoryGate::default()
    };
    let found = climb(&Prober::default(), with_key(&stub), &gate).await;
    assert_eq!(found.verdict.reason, Reason::SecretUnavailable, "{found:?}");
    assert!(
        !stub
            .heads()
            .iter()
            .any(|head| head.contains("authorization"))
    );
}

#[tokio::test]
async fn a_host_that_asks_for_quiet_gets_it() {
    let stub = Stub::plain(reply("429 Slow down", "Retry-After: 100\r\n", "")).await;
    let gate = MemoryGate::default();
    let prober = Prober::default();
    let found = climb(&prober, with_key(&stub), &gate).await;
    assert_eq!(found.verdict.reason, Reason::RateLimited, "{found:?}");
    let quiet = gate
        .diary()
        .into_iter()
        .find(|line| line.starts_with("quiet"));
    assert!(
        ["quiet 100", "quiet 99", "quiet 98"].contains(&quiet.unwrap().as_str()),
        "{:?}",
        gate.diary()
    );
    let connections = stub.connections();
    let again = climb(&prober, with_key(&stub), &gate).await;
    assert_eq!(again.verdict.reason, Reason::AuthPaused, "{again:?}");
    let carried = stub
        .heads()
        .iter()
        .skip(connections)
        .filter(|head| head.contains("authorization"))
        .count();
    assert_eq!(carried, 0);
}

#[tokio::test]
async fn the_whole_run_ends_by_its_time() {
    let stub = Stub::plain(Act::Wait).await;
    let profile = Profile {
        timeout: Duration::from_secs(2),
        ..Profile::default()
    };
    let gate = MemoryGate::default();
    let found = Prober::default()
        .run(&http(), without_key(&stub), &profile, &gate, &mut |_| {})
        .await;
    assert_eq!(found.verdict.reason, Reason::ResponseTimeout, "{found:?}");
}

/// Its silence would count against the key, whoever was too slow.
#[tokio::test]
async fn a_key_whose_answer_would_come_too_late_is_neither_booked_nor_sent() {
    let (minute, hour) = (Duration::from_secs(60), Duration::from_secs(3_600));
    let profile = Profile::default();
    for (took, has_key, is_sent) in [
        (None, true, true),
        (Some(Duration::ZERO), true, true),
        (Some(hour), true, false),
        (Some(hour), false, true),
    ] {
        let stub = Stub::plain(reply("200 OK", "", "{}")).await;
        let (prober, gate) = (Prober::default(), MemoryGate::default());
        let mut context = RunContext {
            profile: &profile,
            transport: prober.transport(&profile),
            deadline: Instant::now() + minute,
            took,
            gate: &gate,
        };
        let subject = if has_key {
            with_key(&stub)
        } else {
            without_key(&stub)
        };
        let begun = Ladder::begin(&http(), subject, Timestamp::now());
        let (mut ladder, Step::Ask(ask)) = begun else {
            panic!("{begun:?}");
        };
        assert_eq!(ask.carries_key(), has_key);
        let step = prober.step(&mut ladder, *ask, &mut context).await;
        let sent = (!gate.diary().is_empty(), stub.connections() == 1);
        let expected = (is_sent && has_key, is_sent);
        assert_eq!(sent, expected, "{took:?}: {step:?}");
        assert_eq!(
            context.took == Some(hour),
            !is_sent,
            "the last answer tells"
        );
    }
}

/// Else a slow disk would use up the time of the requests that follow.
#[tokio::test]
async fn what_is_written_down_of_an_attempt_spends_none_of_the_time() {
    let stub = Stub::plain(reply("200 OK", "", "{}")).await;
    let gate = MemoryGate {
        settling: Mutex::new((10_000, Duration::ZERO)),
        ..MemoryGate::default()
    };
    let (prober, profile) = (Prober::default(), Profile::default());
    let deadline = Instant::now() + Duration::from_secs(60);
    let mut context = RunContext {
        profile: &profile,
        transport: prober.transport(&profile),
        deadline,
        took: None,
        gate: &gate,
    };
    let begun = Ladder::begin(&http(), with_key(&stub), Timestamp::now());
    let (mut ladder, Step::Ask(ask)) = begun else {
        panic!("{begun:?}");
    };
    prober.step(&mut ladder, *ask, &mut context).await;
    let took = gate.settling.lock().unwrap().1;
    assert!(took > Duration::ZERO);
    assert!(context.deadline >= deadline + took, "{took:?}");
}

#[tokio::test]
async fn whom_nobody_has_asked_is_not_silent() {
    let stub = Stub::plain(Act::Wait).await;
    let profile = Profile {
        timeout: Duration::ZERO,
        ..Profile::default()
    };
    let gate = MemoryGate::default();
    let found = Prober::default()
        .run(&http(), without_key(&stub), &profile, &gate, &mut |_| {})
        .await;
    assert_eq!(found.verdict.reason, Reason::LocalError, "{found:?}");
    let connect = found.verdict.checks.get(CheckId::Connect);
    assert_eq!(connect.state, State::Unknown, "{found:?}");
    assert_eq!(stub.connections(), 0);
}

#[tokio::test]
async fn a_name_that_waits_for_its_look_up_spends_no_time_and_no_attempt() {
    let stub = Stub::plain(reply("200 OK", "", "{}")).await;
    let (prober, gate) = (Prober::default(), MemoryGate::default());
    let taken: Vec<_> = (0..64)
        .map(|_| prober.shared.resolver.place().now_or_never().flatten())
        .collect();
    assert!(taken.iter().all(Option::is_some));
    let mut subject = with_key(&stub);
    subject.url = format!("http://localhost:{}/x", stub.address.port());
    subject.trigger = Trigger::Scheduled;
    let mut run = std::pin::pin!(climb(&prober, subject, &gate));
    tokio::time::pause();
    assert!(futures_util::poll!(&mut run).is_pending());
    let hour = Duration::from_secs(3_600);
    tokio::time::advance(hour).await;
    assert!(futures_util::poll!(&mut run).is_pending());
    assert!(gate.diary().is_empty() && stub.connections() == 0);
    tokio::time::resume();
    drop(taken);
    let verdict = run.await.verdict;
    assert_eq!(verdict.reason, Reason::Connected, "{verdict:?}");
    assert!(verdict.phases.dns.unwrap() < hour && verdict.phases.total.unwrap() < hour);
    assert_eq!(gate.diary(), ["book 0", "settle 0 Accepted"]);
}

#[tokio::test]
async fn whom_a_person_waits_for_stands_in_no_row_behind_the_watch() {
    let stub = Stub::plain(reply("200 OK", "", "{}")).await;
    let (prober, gate) = (Prober::default(), MemoryGate::default());
    let taken: Vec<_> = (0..64)
        .map(|_| prober.shared.resolver.place().now_or_never().flatten())
        .collect();
    assert!(taken.iter().all(Option::is_some));
    let mut asked = without_key(&stub);
    asked.url = format!("http://localhost:{}/x", stub.address.port());
    let mut scheduled = asked.clone();
    scheduled.trigger = Trigger::Scheduled;
    // So many as hold every turn at the host, and wait for a look-up.
    let runs = (0..5).map(|_| climb(&prober, scheduled.clone(), &gate));
    let mut runs = std::pin::pin!(futures_util::future::join_all(runs));
    assert!(futures_util::poll!(&mut runs).is_pending());
    let asked = climb(&prober, asked, &gate);
    let asked = tokio::time::timeout(Duration::from_secs(60), asked).await;
    assert_eq!(asked.unwrap().verdict.reason, Reason::Connected);
    assert_eq!(stub.connections(), 1);
    assert!(futures_util::poll!(&mut runs).is_pending());
}

#[tokio::test]
async fn no_more_than_four_requests_are_in_flight_to_a_host() {
    let stub = Stub::plain(Act::Wait).await;
    let gate = Arc::new(MemoryGate::default());
    let prober = Arc::new(Prober::default());
    let mut runs = tokio::task::JoinSet::new();
    for _ in 0..12 {
        let (prober, gate) = (Arc::clone(&prober), Arc::clone(&gate));
        // Reaches this machine, and is none of its own addresses.
        let url = format!("http://0.0.0.0:{}/", stub.address.port());
        let subject = Subject::new(ServiceId::http(), &url);
        runs.spawn(async move { climb(&prober, subject, &gate).await });
    }
    while stub.heads().len() < 4 {
        stub.head_came().await;
    }
    for _ in 0..200 {
        tokio::task::yield_now().await;
    }
    assert_eq!(stub.connections(), 4);
    runs.abort_all();
}

/// A server that wants everything over HTTP/1.1 and answers `status` there, and who is asked with a key.
async fn wanting_http1(authority: &Authority, status: &str) -> (Stub, Subject) {
    let wants_http1 = vec![0, 0, 4, 3, 0, 0, 0, 0, 1, 0, 0, 0, 13];
    let answer = format!("HTTP/1.1 {status}\r\nContent-Length: 2\r\n\r\n{{}}");
    let act = Act::Http2Or(wants_http1, answer.into_bytes());
    let mut config = authority.server(&["127.0.0.1"], |_| {});
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let stub = Stub::tls(config, act).await;
    let mut subject = with_key(&stub);
    subject.url = format!("https://{}/x", stub.address);
    (stub, subject)
}

/// Else the key could go again with no time left to be answered, and the silence would count as a refusal.
#[tokio::test]
async fn between_two_sendings_what_is_written_down_spends_none_of_the_time_either() {
    let authority = Authority::new();
    let profile = Profile {
        extra_roots: vec![authority.pem()],
        ..Profile::default()
    };
    let (stub, subject) = wanting_http1(&authority, "200 OK").await;
    let gate = MemoryGate {
        settling: Mutex::new((10_000, Duration::ZERO)),
        ..MemoryGate::default()
    };
    let prober = Prober::default();
    let deadline = Instant::now() + Duration::from_secs(60);
    let mut context = RunContext {
        profile: &profile,
        transport: prober.transport(&profile),
        deadline,
        took: None,
        gate: &gate,
    };
    let begun = Ladder::begin(&http(), subject, Timestamp::now());
    let (mut ladder, Step::Ask(ask)) = begun else {
        panic!("{begun:?}");
    };
    prober.step(&mut ladder, *ask, &mut context).await;
    assert_eq!(stub.heads().len(), 2);
    let took = gate.settling.lock().unwrap().1;
    assert!(context.deadline >= deadline + took, "{took:?}");
}

#[tokio::test]
async fn a_key_that_is_wanted_over_http_1_1_is_booked_each_time_it_is_sent() {
    let authority = Authority::new();
    let profile = Profile {
        extra_roots: vec![authority.pem()],
        ..Profile::default()
    };
    for (status, reason, diary) in [
        (
            "401 Unauthorized",
            Reason::CredentialsRejected,
            ["book 0", "settle 0 Unheard", "book 1", "settle 1 Rejected"],
        ),
        (
            "200 OK",
            Reason::Connected,
            ["book 0", "settle 0 Unheard", "book 1", "settle 1 Accepted"],
        ),
    ] {
        let (stub, subject) = wanting_http1(&authority, status).await;
        let gate = MemoryGate::default();
        let prober = Prober::default();
        let found = prober
            .run(&http(), subject.clone(), &profile, &gate, &mut |_| {})
            .await;
        assert_eq!(found.verdict.reason, reason, "{found:?}");
        assert_eq!(gate.diary(), diary);
        assert_eq!(stub.heads().len(), 2);
        let again = prober
            .run(&http(), subject, &profile, &gate, &mut |_| {})
            .await;
        // Two refusals pause it; one that was taken goes once, over HTTP/1.1.
        let (then, sent) = match reason {
            Reason::Connected => (Reason::Connected, 3),
            _ => (Reason::AuthPaused, 2),
        };
        assert_eq!(again.verdict.reason, then, "{again:?}");
        assert_eq!(stub.heads().len(), sent);
    }
}

#[tokio::test]
async fn profiles_that_differ_in_time_alone_share_a_client() {
    let prober = Prober::default();
    let mut profile = Profile::default();
    assert!(prober.transport(&profile).is_ok());
    profile.timeout = Duration::from_secs(1);
    assert!(prober.transport(&profile).is_ok());
    assert_eq!(prober.transports.lock().unwrap().len(), 1);
    profile.user_agent = "other".to_owned();
    assert!(prober.transport(&profile).is_ok());
    assert_eq!(prober.transports.lock().unwrap().len(), 2);
}

/// Whatever another connection to the same host goes by.
#[tokio::test]
async fn each_goes_by_its_own_proxy_and_its_own_authorities() {
    let (prober, gate) = (Prober::default(), MemoryGate::default());
    let asked = async |url: &str, profile: &Profile| {
        let subject = Subject::new(ServiceId::http(), url);
        let (service, mut told) = (http(), |_: &Checks| {});
        let run = prober.run(&service, subject, profile, &gate, &mut told);
        run.await.verdict.reason
    };
    let here = Stub::plain(reply("200 OK", "", "{}")).await;
    let proxy = Stub::plain(reply("200 OK", "", "{}")).await;
    let url = format!("http://{}/", here.address);
    let straight = Profile::default();
    let by_proxy = Profile {
        proxy: ProxyChoice::Url(ProxyUrl::new(format!("http://{}", proxy.address))),
        ..Profile::default()
    };
    for (profile, came) in [
        (&straight, (1, 0)),
        (&by_proxy, (1, 1)),
        (&straight, (2, 1)),
    ] {
        assert_eq!(asked(&url, profile).await, Reason::Connected);
        assert_eq!((here.connections(), proxy.connections()), came);
    }

    let (own, other) = (Authority::new(), Authority::named("Another authority"));
    let server = own.server(&["localhost"], |_| {});
    let secured = Stub::tls(server, reply("200 OK", "", "{}")).await;
    let url = format!("https://localhost:{}/", secured.address.port());
    let trusting = |authority: &Authority| Profile {
        extra_roots: vec![authority.pem()],
        ..Profile::default()
    };
    for (authority, reason) in [
        (&own, Reason::Connected),
        (&other, Reason::TlsUnknownIssuer),
        (&own, Reason::Connected),
    ] {
        assert_eq!(asked(&url, &trusting(authority)).await, reason);
    }
}

#[tokio::test]
async fn what_is_forgotten_leaves_no_connection_open_that_has_carried_a_key() {
    let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}".to_vec();
    let stub = Stub::plain(Act::AnswerAndWait(answer)).await;
    let (prober, gate) = (Prober::default(), MemoryGate::default());
    let found = climb(&prober, with_key(&stub), &gate).await;
    assert_eq!(found.verdict.reason, Reason::Connected, "{found:?}");
    prober.forget();
    stub.closed_by_client().await;
    assert_eq!(prober.transports.lock().unwrap().len(), 0);
}

#[tokio::test]
async fn a_file_that_can_t_be_used_is_this_machine_s_error() {
    let stub = Stub::plain(reply("200 OK", "", "{}")).await;
    let profile = Profile {
        extra_roots: vec![b"nothing".to_vec()],
        ..Profile::default()
    };
    let gate = MemoryGate::default();
    let found = Prober::default()
        .run(&http(), without_key(&stub), &profile, &gate, &mut |_| {})
        .await;
    assert_eq!(found.verdict.reason, Reason::LocalError, "{found:?}");
    assert_eq!(stub.connections(), 0);
}

#[test]
fn hosts_that_nobody_asks_are_forgotten() {
    let mut hosts = Hosts::default();
    let host = |port| HostPort {
        host: "a".to_owned(),
        port,
    };
    let held = hosts.places(&host(1), 4);
    for port in 2..5_000 {
        hosts.places(&host(port), 4);
    }
    assert!(hosts.places.len() <= 512);
    assert!(Arc::ptr_eq(&held, &hosts.places(&host(1), 4)));
}

const VERSIONS: Versions = &[&rustls::version::TLS13];

#[tokio::test]
async fn who_a_client_is_is_told_to_its_own_host_alone() {
    let authority = Authority::new();
    let config = || authority.server_for_known_clients(VERSIONS);
    let other = Stub::tls(config(), reply("200 OK", "", "{}")).await;
    // The same machine under another name.
    let there = format!("https://localhost:{}/", other.address.port());
    let redirect = reply("302 Found", &format!("Location: {there}\r\n"), "");
    let own = Stub::tls(config(), redirect).await;
    let (certificate, key) = authority.client();
    let profile = Profile {
        extra_roots: vec![authority.pem()],
        identity: Some(ClientIdentity {
            certificate,
            key: Secret::new(key),
        }),
        ..Profile::default()
    };
    let url = format!("https://{}/", own.address);
    let gate = MemoryGate::default();
    let found = Prober::default()
        .run(
            &http(),
            Subject::new(ServiceId::http(), &url),
            &profile,
            &gate,
            &mut |_| {},
        )
        .await;
    assert_eq!(found.verdict.redirects, [there], "{found:?}");
    assert_eq!(own.heads().len(), 1, "it knows its client");
    assert_eq!(other.connections(), 1, "{found:?}");
    assert_eq!(other.heads().len(), 0, "no stranger does");
}
