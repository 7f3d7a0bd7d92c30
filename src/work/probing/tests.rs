//! Probes against a server on loopback that answers as Blesta does.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use futures_util::FutureExt;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio::task::JoinSet;

use super::*;
use crate::domain::budget::AttemptEnd;
use crate::domain::{AuthStyle, HostPort, State};
use crate::probe::{Gate, Permit};
use crate::store::StoreKind;
use crate::work::gate::LockoutGate;
use crate::work::recognising::{self, Turn};
use crate::work::tests::{Home, name, passphrase, shop, with_key};
use crate::work::{ConnectionEdit, Edit};

const KEY: &str = "0123456789abcdef0123456789abcdef";
const OTHER: &str = "ffffffffffffffffffffffffffffffff";
/// Far beyond what anything here takes.
const NEVER: Duration = Duration::from_secs(60);

/// Takes the pair `shop-api` and [`KEY`], in either style, and refuses every other request as Blesta does.
struct Blesta {
    url: String,
    heads: Arc<Mutex<Vec<String>>>,
    /// While it is held, a request with a key is answered only after a notice.
    held: Option<Arc<Notify>>,
    _tasks: JoinSet<()>,
}

impl Blesta {
    async fn start() -> Self {
        Self::start_with(None, answer).await
    }

    async fn start_with(held: Option<Arc<Notify>>, answer: fn(&str) -> String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let heads = Arc::new(Mutex::new(Vec::new()));
        let mut tasks = JoinSet::new();
        let (log, gate) = (Arc::clone(&heads), held.clone());
        tasks.spawn(async move {
            let mut open = JoinSet::new();
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                let (log, gate) = (Arc::clone(&log), gate.clone());
                open.spawn(async move {
                    let mut bytes = Vec::new();
                    while !bytes.ends_with(b"\r\n\r\n") {
                        let Ok(byte) = stream.read_u8().await else {
                            return;
                        };
                        bytes.push(byte);
                    }
                    let request = String::from_utf8(bytes).unwrap();
                    let answer = answer(&request);
                    let keyed = is_keyed(&request);
                    log.lock().unwrap().push(request);
                    if let (true, Some(gate)) = (keyed, gate) {
                        gate.notified().await;
                    }
                    let _ = stream.write_all(answer.as_bytes()).await;
                });
            }
        });
        Self {
            url,
            heads,
            held,
            _tasks: tasks,
        }
    }

    fn keyed(&self) -> usize {
        self.heads
            .lock()
            .unwrap()
            .iter()
            .filter(|head| is_keyed(head))
            .count()
    }

    fn bare(&self) -> usize {
        let all = self.heads.lock().unwrap().len();
        all - self.keyed()
    }

    async fn until_keyed(&self, count: usize) {
        let begun = std::time::Instant::now();
        while self.keyed() < count {
            assert!(begun.elapsed() < NEVER, "the key is not sent");
            tokio::task::yield_now().await;
        }
    }
}

fn is_keyed(head: &str) -> bool {
    let head = head.to_ascii_lowercase();
    head.contains("\r\nauthorization:") || head.contains("\r\nblesta-api-key:")
}

fn answer(head: &str) -> String {
    // base64 of shop-api:KEY
    let basic = "c2hvcC1hcGk6MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";
    let (status, body) = if head.contains(basic) || head.contains(KEY) {
        let body = r#"{"response":[{"id":"1","name":"Shop Ltd","hostname":"127.0.0.1"}]}"#;
        ("200 OK", body)
    } else {
        let body = r#"{"message":"The authorization details given appear to be invalid.","response":null}"#;
        ("401 Unauthorized", body)
    };
    format!(
        "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    )
}

/// Answers as Blesta did before 5.11, which knows no headers of its own.
fn old_answer(head: &str) -> String {
    if head.to_ascii_lowercase().contains("\r\nblesta-api-key:") {
        answer("")
    } else {
        answer(head)
    }
}

/// Answers as a cache does that has kept a refusal, whoever asks.
fn kept_answer(_: &str) -> String {
    answer("").replacen("\r\n", "\r\nage: 30\r\n", 1)
}

async fn saved(core: &Core, url: &str, key: &str) {
    let draft = ConnectionEdit {
        key: Edit::Set(Secret::new(key)),
        store: Some(StoreKind::Ask),
        ..ConnectionEdit::new(shop(url))
    };
    core.save(draft).await.unwrap();
}

async fn probe(core: &Core, trigger: Trigger) -> Verdict {
    core.probe_saved(&name("shop"), trigger, &silent).await
}

#[tokio::test]
async fn after_an_accepted_pair_the_authenticated_call_goes_alone() {
    let (home, blesta) = (Home::new(), Blesta::start().await);
    let core = home.core();
    saved(&core, &blesta.url, KEY).await;
    let told = AtomicUsize::new(0);
    let count = |_: &Checks| {
        told.fetch_add(1, Ordering::SeqCst);
    };
    let verdict = core
        .probe_saved(&name("shop"), Trigger::Asked, &count)
        .await;
    assert_eq!(verdict.reason, Reason::Connected, "{verdict:#?}");
    assert_eq!(verdict.connection, Some(name("shop")));
    assert!(
        told.load(Ordering::SeqCst) > 0,
        "rungs are told as they end"
    );
    let bare = blesta.bare();
    for _ in 0..3 {
        assert_eq!(probe(&core, Trigger::Scheduled).await.state(), State::Ok);
    }
    assert_eq!(blesta.bare(), bare, "the bare call is a 401 by its nature");
    assert!(core.0.in_flight.is_empty(), "else its end waits for them");
    assert!(blesta.keyed() >= 4);
}

#[tokio::test]
async fn all_programs_share_one_budget_and_a_person_lifts_its_pause() {
    let (home, blesta) = (Home::new(), Blesta::start().await);
    let core = home.core_with(&[("KEY", OTHER)]);
    let mut connection = shop(&blesta.url);
    connection.key = Some("env:KEY".parse().unwrap());
    core.save(ConnectionEdit::new(connection)).await.unwrap();
    let verdict = probe(&core, Trigger::Asked).await;
    assert_eq!(verdict.reason, Reason::CredentialsRejected, "{verdict:#?}");
    assert_eq!(blesta.keyed(), 2, "the other style is the second and last");
    // Whoever reads of the refusal reads what it led to.
    assert!(verdict.retry_at.is_some(), "{verdict:#?}");
    assert!(verdict.can_be_resumed());
    let told = verdict
        .evidence
        .iter()
        .filter(|line| line.contains("refused the key twice"));
    assert_eq!(told.count(), 1, "{verdict:#?}");

    let other = home.core_with(&[("KEY", OTHER)]);
    for trigger in [Trigger::Scheduled, Trigger::Asked] {
        let verdict = probe(&other, trigger).await;
        assert_eq!(verdict.reason, Reason::AuthPaused, "{verdict:#?}");
        assert!(verdict.retry_at.is_some());
    }
    assert_eq!(blesta.keyed(), 2, "nothing is sent while paused");

    assert!(other.resume(&name("shop")).await.unwrap().is_some());
    assert!(other.resume(&name("shop")).await.unwrap().is_none());
    let verdict = probe(&core, Trigger::Asked).await;
    assert_eq!(verdict.reason, Reason::CredentialsRejected, "{verdict:#?}");
}

#[tokio::test]
async fn a_refusal_out_of_a_cache_is_told_and_spaced_and_pauses_nothing() {
    let (home, blesta) = (Home::new(), Blesta::start_with(None, kept_answer).await);
    let core = home.core();
    saved(&core, &blesta.url, KEY).await;
    let told = async |trigger| {
        let verdict = probe(&core, trigger).await;
        assert_eq!(verdict.can_be_resumed(), verdict.retry_at.is_some());
        (verdict.title.clone(), verdict.retry_at.is_some())
    };
    let cached = "401 Out of a cache".to_owned();
    assert_eq!(told(Trigger::Asked).await, (cached.clone(), false));
    // Whoever reads of it reads when the next one is sent.
    assert_eq!(told(Trigger::Asked).await, (cached.clone(), true));
    assert_eq!(blesta.keyed(), 2);
    let held = ("Key not sent: a cache answers".to_owned(), true);
    for trigger in [Trigger::Scheduled, Trigger::Asked] {
        assert_eq!(told(trigger).await, held);
    }
    assert_eq!(blesta.keyed(), 2, "it may have been asked behind the cache");
    let lifted = core.resume(&name("shop")).await.unwrap();
    assert_eq!(lifted, Some(LiftedPause::OfKey));
    assert_eq!(told(Trigger::Asked).await.0, cached);
}

#[tokio::test]
async fn the_first_refusal_says_what_the_next_one_does() {
    let (home, blesta) = (Home::new(), Blesta::start().await);
    let core = home.core_with(&[("KEY", OTHER)]);
    let mut connection = shop(&blesta.url);
    connection.key = Some("env:KEY".parse().unwrap());
    connection.auth = AuthStyle::Basic;
    core.save(ConnectionEdit::new(connection)).await.unwrap();
    let warns = |verdict: &Verdict| {
        let mut lines = verdict.evidence.iter();
        lines.any(|line| {
            line.starts_with("after one more refusal this key is not sent for 15 minutes")
        })
    };
    let first = probe(&core, Trigger::Asked).await;
    assert_eq!(first.reason, Reason::CredentialsRejected, "{first:#?}");
    assert!(warns(&first) && first.retry_at.is_none(), "{first:#?}");
    let second = probe(&core, Trigger::Asked).await;
    assert_eq!(second.reason, Reason::CredentialsRejected, "{second:#?}");
    assert!(!warns(&second) && second.retry_at.is_some(), "{second:#?}");
    assert_eq!(blesta.keyed(), 2);
}

/// Answers whoever brings a key as a firewall does.
fn blocking_answer(head: &str) -> String {
    if !is_keyed(head) {
        return answer(head);
    }
    "HTTP/1.1 403 Forbidden\r\ncontent-length: 6\r\nconnection: close\r\n\r\n<html>".to_owned()
}

#[tokio::test]
async fn a_bisect_that_gets_no_answer_of_the_service_pauses_the_key() {
    let (home, blesta) = (Home::new(), Blesta::start_with(None, blocking_answer).await);
    let core = home.core();
    saved(&core, &blesta.url, KEY).await;
    let verdict = probe(&core, Trigger::Bisect).await;
    assert_eq!(verdict.reason, Reason::ServerRule, "{verdict:#?}");
    let sent = blesta.keyed();
    assert!(sent > 0);
    for trigger in [Trigger::Bisect, Trigger::Asked] {
        let verdict = probe(&core, trigger).await;
        assert_eq!(verdict.reason, Reason::AuthPaused, "{verdict:#?}");
    }
    assert_eq!(blesta.keyed(), sent);
}

/// Takes the first key that comes, and fails from then on.
fn failing_answer(head: &str) -> String {
    static HAS_TAKEN: std::sync::atomic::AtomicBool = std::sync::atomic::AtomicBool::new(false);
    if !is_keyed(head) || !HAS_TAKEN.swap(true, std::sync::atomic::Ordering::SeqCst) {
        return answer(head);
    }
    "HTTP/1.1 500 Oops\r\ncontent-length: 6\r\nconnection: close\r\n\r\n<html>".to_owned()
}

#[tokio::test]
async fn a_bisect_during_an_outage_does_not_pause_a_key_that_was_taken_before() {
    let (home, blesta) = (Home::new(), Blesta::start_with(None, failing_answer).await);
    let core = home.core();
    saved(&core, &blesta.url, KEY).await;
    let verdict = probe(&core, Trigger::Asked).await;
    assert_eq!(verdict.reason, Reason::Connected, "{verdict:#?}");
    let sent = blesta.keyed();
    let verdict = probe(&core, Trigger::Bisect).await;
    assert_eq!(verdict.status, 500, "{verdict:#?}");
    assert!(blesta.keyed() > sent);
    let host = host_of(&blesta.url).unwrap();
    let record = core.0.state().unwrap().budget(&host).unwrap();
    assert_eq!(record.paused.len(), 0);
}

#[tokio::test]
async fn a_bisect_of_a_good_key_pauses_nothing_where_one_style_is_unknown() {
    let (home, blesta) = (Home::new(), Blesta::start_with(None, old_answer).await);
    let core = home.core();
    saved(&core, &blesta.url, KEY).await;
    for _ in 0..2 {
        let verdict = probe(&core, Trigger::Bisect).await;
        assert_eq!(verdict.reason, Reason::Connected, "{verdict:#?}");
    }
    assert_eq!(blesta.keyed(), 4, "both styles were asked, twice");
    let verdict = probe(&core, Trigger::Asked).await;
    assert_eq!(verdict.reason, Reason::Connected, "{verdict:#?}");
    let record = core
        .0
        .state()
        .unwrap()
        .budget(&host_of(&blesta.url).unwrap());
    assert_eq!(record.unwrap().paused.len(), 0);
}

#[tokio::test(start_paused = true)]
async fn an_attempt_that_was_never_settled_counts() {
    let home = Home::new();
    let core = home.core();
    let host = HostPort {
        host: "billing.example.com".into(),
        port: 443,
    };
    for _ in 0..2 {
        // Dropped between booking and settling, as by a kill.
        let gate = LockoutGate::new(Arc::clone(&core.0), false);
        let permit = gate
            .book(&host, ("shop-api", &Secret::new(KEY)), false)
            .await;
        assert!(matches!(permit, Permit::Granted(_)), "{permit:?}");
    }
    let other = home.core();
    let gate = LockoutGate::new(Arc::clone(&other.0), false);
    let permit = gate
        .book(&host, ("shop-api", &Secret::new(KEY)), false)
        .await;
    assert!(matches!(permit, Permit::Paused { .. }), "{permit:?}");
    let attempts = other.0.state().unwrap().budget(&host).unwrap().attempts;
    assert_eq!(attempts.len(), 2);
    assert!(
        attempts
            .iter()
            .all(|attempt| attempt.end == AttemptEnd::Pending)
    );
}

#[tokio::test(start_paused = true)]
async fn whoever_went_while_others_were_under_way_sends_no_key() {
    let home = Home::new();
    let core = home.core();
    let host = HostPort {
        host: "billing.example.com".into(),
        port: 443,
    };
    let key = Secret::new(KEY);
    let gate = || LockoutGate::new(Arc::clone(&core.0), false);
    let first = gate();
    let Permit::Granted(ticket) = first.book(&host, ("shop-api", &key), false).await else {
        panic!("the budget is new")
    };
    let _second = gate().book(&host, ("shop-api", &key), false).await;
    let third = gate();
    let waiting = third.caller().waits();
    let mut booking = std::pin::pin!(third.book(&host, ("shop-api", &key), false));
    let soon = tokio::time::timeout(Duration::from_secs(1), &mut booking).await;
    assert!(soon.is_err(), "two are under way: {soon:?}");
    drop(waiting);
    first.settle(ticket, AttemptEnd::Accepted).await;
    let later = tokio::time::timeout(Duration::from_secs(60), &mut booking).await;
    assert!(later.is_err(), "nobody waits for it: {later:?}");
    assert!(!*third.under_way().borrow());
    let attempts = core.0.state().unwrap().budget(&host).unwrap().attempts;
    let pending = attempts.iter().filter(|one| one.end == AttemptEnd::Pending);
    assert_eq!(pending.count(), 1, "{attempts:?}");
}

/// A batch on one host takes longer than anybody waits for a single answer, and nobody in it is told that others are in
/// the way.
#[tokio::test(start_paused = true)]
async fn whoever_stands_behind_others_waits_as_long_as_those_end() {
    let home = Home::new();
    let core = home.core();
    let host = HostPort {
        host: "127.0.0.1".into(),
        port: 443,
    };
    let key = Secret::new(KEY);
    let sent = std::sync::Mutex::new(Vec::new());
    let attempt = async |number: usize| {
        let gate = LockoutGate::new(Arc::clone(&core.0), false);
        let permit = gate.book(&host, ("shop-api", &key), false).await;
        let Permit::Granted(ticket) = permit else {
            panic!("{number}: {permit:?}");
        };
        sent.lock().unwrap().push(number);
        tokio::time::sleep(Duration::from_secs(5)).await;
        gate.settle(ticket, AttemptEnd::Accepted).await;
    };
    let begun = tokio::time::Instant::now();
    futures_util::future::join_all((0..12).map(attempt)).await;
    assert!(begun.elapsed() >= Duration::from_secs(30), "two at a time");
    assert!(
        sent.into_inner().unwrap().is_sorted(),
        "one behind the other"
    );
    let attempts = core.0.state().unwrap().budget(&host).unwrap().attempts;
    assert_eq!(attempts, []);
}

/// Where none of those under way ends, all who wait hear so at the same time, and not one after the other.
#[tokio::test(start_paused = true)]
async fn where_no_attempt_ends_nobody_waits_for_long() {
    let home = Home::new();
    let core = home.core();
    let host = HostPort {
        host: "127.0.0.1".into(),
        port: 443,
    };
    let key = Secret::new(KEY);
    let attempt = async |_: usize| {
        let gate = LockoutGate::new(Arc::clone(&core.0), false);
        gate.book(&host, ("shop-api", &key), false).await
    };
    let begun = tokio::time::Instant::now();
    let permits = futures_util::future::join_all((0..8).map(attempt)).await;
    let sent = permits.iter().filter(|it| matches!(it, Permit::Granted(_)));
    assert_eq!(sent.count(), 2, "{permits:?}");
    let told = |it: &&Permit| matches!(it, Permit::Paused { why, .. } if why.contains("under way"));
    assert_eq!(permits.iter().filter(told).count(), 6, "{permits:?}");
    let waited = begun.elapsed();
    assert!(
        waited >= Duration::from_secs(7) && waited < Duration::from_secs(8),
        "{waited:?}"
    );
}

/// No key is sent for a caller that has gone, nor once the program ends; and what follows an answer is not asked.
#[tokio::test(start_paused = true)]
async fn nothing_is_booked_for_whoever_has_gone_or_once_the_program_ends() {
    let home = Home::new();
    let core = home.core();
    let host = HostPort {
        host: "billing.example.com".into(),
        port: 443,
    };
    let key = Secret::new(KEY);
    let gate = || LockoutGate::new(Arc::clone(&core.0), false);
    let attempts = || core.0.state().unwrap().budget(&host).unwrap().attempts;
    let soon = Duration::from_secs(60);

    let gone = gate();
    drop(gone.caller().waits());
    let booking = gone.book(&host, ("shop-api", &key), false);
    assert!(tokio::time::timeout(soon, booking).await.is_err());
    assert_eq!(attempts(), []);

    let going = gate();
    let waiting = going.caller().waits();
    let Permit::Granted(ticket) = going.book(&host, ("shop-api", &key), false).await else {
        panic!("the budget is new")
    };
    drop(waiting);
    let settling = going.settle(ticket, AttemptEnd::Accepted);
    assert!(tokio::time::timeout(soon, settling).await.is_err());
    assert_eq!(attempts(), [], "settled all the same");
    assert!(!*going.under_way().borrow());

    core.end_attempts().await;
    let late = gate();
    let booking = late.book(&host, ("shop-api", &key), false);
    assert!(tokio::time::timeout(soon, booking).await.is_err());
    assert_eq!(attempts(), []);
}

/// Takes the key, and gives another company than the one at this host.
fn elsewhere_answer(head: &str) -> String {
    answer(head).replacen("127.0.0.1", "192.0.2.1", 1)
}

#[tokio::test]
async fn a_bisect_of_an_accepted_key_pauses_nothing_though_something_else_is_amiss() {
    let (home, blesta) = (
        Home::new(),
        Blesta::start_with(None, elsewhere_answer).await,
    );
    let core = home.core();
    saved(&core, &blesta.url, KEY).await;
    for _ in 0..2 {
        let verdict = probe(&core, Trigger::Bisect).await;
        assert_eq!(verdict.reason, Reason::WrongCompany, "{verdict:#?}");
    }
    let host = host_of(&blesta.url).unwrap();
    let record = core.0.state().unwrap().budget(&host).unwrap();
    assert_eq!(record.paused.len(), 0);
}

#[tokio::test]
async fn a_pause_is_lifted_from_a_key_that_is_kept_as_a_pair() {
    let (home, blesta) = (Home::new(), Blesta::start().await);
    let core = home.core();
    let draft = ConnectionEdit {
        key: Edit::Set(Secret::new("shop-api:ffffffffffffffffffffffffffffffff")),
        store: Some(StoreKind::Ask),
        ..ConnectionEdit::new(Connection {
            username: String::new(),
            ..shop(&blesta.url)
        })
    };
    core.save(draft).await.unwrap();
    let mut verdict = probe(&core, Trigger::Asked).await;
    for _ in 0..2 {
        verdict = probe(&core, Trigger::Asked).await;
    }
    assert_eq!(verdict.reason, Reason::AuthPaused, "{verdict:#?}");
    let (refused, shop) = (blesta.keyed(), name("shop"));
    assert!(core.resume(&shop).await.unwrap().is_some(), "it was paused");
    assert!(core.resume(&shop).await.unwrap().is_none(), "it was once");
    let verdict = probe(&core, Trigger::Asked).await;
    assert_eq!(verdict.reason, Reason::CredentialsRejected, "{verdict:#?}");
    assert!(blesta.keyed() > refused);
}

/// Takes the key for everything but the version.
fn answer_without_version(head: &str) -> String {
    if head.contains("getVersion") {
        answer("")
    } else {
        answer(head)
    }
}

#[tokio::test]
async fn a_refusal_of_the_version_is_none_of_the_key() {
    let (home, blesta) = (
        Home::new(),
        Blesta::start_with(None, answer_without_version).await,
    );
    let core = home.core();
    saved(&core, &blesta.url, KEY).await;
    for _ in 0..3 {
        let verdict = probe(&core, Trigger::Asked).await;
        assert_eq!(verdict.reason, Reason::Connected, "{verdict:#?}");
    }
    assert_eq!(blesta.keyed(), 6, "each asked for the version, too");
    let host = host_of(&blesta.url).unwrap();
    let record = core.0.state().unwrap().budget(&host).unwrap();
    let refused = |end| end == AttemptEnd::Rejected;
    assert!(
        !record.attempts.iter().any(|one| refused(one.end)),
        "{record:?}"
    );
}

#[tokio::test]
async fn what_cannot_be_booked_is_not_sent() {
    let (home, blesta) = (Home::new(), Blesta::start().await);
    let core = home.core();
    saved(&core, &blesta.url, KEY).await;
    let state = core.folders().unwrap().state.clone();
    drop(core);
    // A file where the folder should be: no state can be opened.
    std::fs::remove_dir_all(&state).unwrap();
    std::fs::write(&state, "").unwrap();
    let core = home.core();
    let unsaved = Unsaved {
        key: Some(Secret::new(KEY)),
        ..Unsaved::new(shop(&blesta.url))
    };
    let verdict = core.probe_unsaved(unsaved, &silent).await;
    assert_eq!(blesta.keyed(), 0, "{verdict:#?}");
    assert_ne!(verdict.state(), State::Ok);
}

/// Hosts ban whoever asks for a 401 again and again, and nothing can be known of earlier ones.
#[tokio::test]
async fn without_a_state_a_key_at_hand_stays_and_nothing_is_asked_in_its_place() {
    let (home, blesta) = (Home::new(), Blesta::start().await);
    let core = home.core();
    saved(&core, &blesta.url, KEY).await;
    let state = core.folders().unwrap().state.join("history.sqlite");
    for beside in ["sqlite-wal", "sqlite-shm"] {
        let _ = std::fs::remove_file(state.with_extension(beside));
    }
    std::fs::write(&state, "no database".repeat(200)).unwrap();
    let core = Core::open_in(home.options(&[]), core.session());
    let of_form = |trigger| Unsaved {
        key: Some(Secret::new(KEY)),
        trigger,
        ..Unsaved::new(shop(&blesta.url))
    };
    for trigger in [Trigger::Scheduled, Trigger::Asked, Trigger::Scheduled] {
        let verdict = probe(&core, trigger).await;
        assert_eq!(verdict.reason, Reason::SecretUnavailable, "{verdict:#?}");
        assert!(verdict.cause.contains("is damaged"), "{}", verdict.cause);
        assert_eq!(verdict.title, "Key not sent: no history");
    }
    for trigger in [Trigger::Typing, Trigger::Asked, Trigger::Bisect] {
        let verdict = core.probe_unsaved(of_form(trigger), &silent).await;
        assert_eq!(verdict.reason, Reason::SecretUnavailable, "{verdict:#?}");
    }
    assert_eq!((blesta.bare(), blesta.keyed()), (0, 0));
    // While the URL is typed it is asked once for the session, as ever.
    for _ in 0..2 {
        let verdict = core
            .probe_unsaved(of_form(Trigger::UrlTyping), &silent)
            .await;
        assert_ne!(verdict.reason, Reason::SecretUnavailable);
    }
    let asked = blesta.bare();
    let bare = Unsaved {
        trigger: Trigger::Typing,
        ..Unsaved::new(shop(&blesta.url))
    };
    core.probe_unsaved(bare, &silent).await;
    assert_eq!(blesta.bare(), asked, "it is remembered without a state too");
}

#[tokio::test]
async fn a_key_that_is_held_back_is_not_said_to_be_missing() {
    let (home, blesta) = (Home::new(), Blesta::start().await);
    let core = home.core();
    for (trigger, key_held_back, reason) in [
        (Trigger::UrlTyping, true, Reason::ServiceFound),
        (Trigger::UrlTyping, false, Reason::KeyMissing),
        (Trigger::HalfTyped, true, Reason::ServiceFound),
        (Trigger::HalfTyped, false, Reason::KeyMissing),
        (Trigger::Typing, true, Reason::SecretUnavailable),
    ] {
        let unsaved = Unsaved {
            trigger,
            key_held_back,
            ..Unsaved::new(shop(&blesta.url))
        };
        let verdict = core.probe_unsaved(unsaved, &silent).await;
        assert_eq!(verdict.reason, reason, "{trigger:?}: {verdict:#?}");
    }
    assert_eq!(blesta.keyed(), 0);
}

#[tokio::test]
async fn a_cancelled_probe_is_waited_for_while_its_key_is_under_way() {
    let hold = Arc::new(Notify::new());
    let (home, blesta) = (Home::new(), Blesta::start_with(Some(hold), answer).await);
    let core = home.core();
    saved(&core, &blesta.url, KEY).await;
    {
        let name = name("shop");
        let probe = core.probe_saved(&name, Trigger::Asked, &silent);
        tokio::select! {
            biased;
            verdict = probe => panic!("{verdict:#?}"),
            () = blesta.until_keyed(1) => {}
        }
    }
    let host = host_of(&blesta.url).unwrap();
    let pending = || {
        core.0
            .state()
            .unwrap()
            .budget(&host)
            .unwrap()
            .attempts
            .len()
    };
    assert_eq!(pending(), 1);
    let settled = core.0.settled.notified();
    blesta.held.as_ref().unwrap().notify_one();
    settled.await;
    assert_eq!(pending(), 0, "accepted, and settled though nobody waited");
    assert_eq!(blesta.keyed(), 1, "nothing further is sent");
}

#[tokio::test]
async fn whoever_quits_loses_no_key_that_was_taken_before() {
    let hold = Arc::new(Notify::new());
    let (home, blesta) = (
        Home::new(),
        Blesta::start_with(Some(Arc::clone(&hold)), answer).await,
    );
    let host = host_of(&blesta.url).unwrap();
    let core = home.core();
    let interrupted = async |asked: usize| {
        {
            let name = name("shop");
            let probe = core.probe_saved(&name, Trigger::Asked, &silent);
            tokio::select! {
                biased;
                verdict = probe => panic!("{verdict:#?}"),
                () = blesta.until_keyed(asked) => {}
            }
        }
        core.settle_attempts(Duration::ZERO).await;
        let attempts = core.0.state().unwrap().budget(&host).unwrap().attempts;
        attempts.iter().map(|one| one.end).collect::<Vec<_>>()
    };
    // The host answers all that is asked, and what was left open before.
    let heard = async || {
        let answering = async {
            loop {
                hold.notify_waiters();
                tokio::task::yield_now().await;
            }
        };
        tokio::select! {
            verdict = probe(&core, Trigger::Asked) => verdict,
            () = answering => unreachable!("it never ends"),
        }
    };
    saved(&core, &blesta.url, KEY).await;
    // One that was never taken there may have been refused: that counts.
    assert_eq!(interrupted(1).await, [AttemptEnd::Rejected]);
    let verdict = heard().await;
    assert_eq!(verdict.reason, Reason::Connected, "{verdict:#?}");
    let before = blesta.keyed();
    for number in 1..=3 {
        let left = interrupted(before + number).await;
        assert_eq!(left, vec![AttemptEnd::Unheard; number], "no refusal");
    }
    let verdict = heard().await;
    assert_eq!(verdict.reason, Reason::Connected, "{verdict:#?}");
}

#[tokio::test]
async fn an_answer_that_comes_while_the_program_ends_is_heard() {
    let hold = Arc::new(Notify::new());
    let (home, blesta) = (
        Home::new(),
        Blesta::start_with(Some(Arc::clone(&hold)), answer).await,
    );
    let core = home.core();
    saved(&core, &blesta.url, KEY).await;
    {
        let name = name("shop");
        let probe = core.probe_saved(&name, Trigger::Asked, &silent);
        tokio::select! {
            biased;
            verdict = probe => panic!("{verdict:#?}"),
            () = blesta.until_keyed(1) => {}
        }
    }
    hold.notify_one();
    core.settle_attempts(Duration::from_secs(60)).await;
    assert!(core.0.in_flight.is_empty());
    let host = host_of(&blesta.url).unwrap();
    let record = core.0.state().unwrap().budget(&host).unwrap();
    assert_eq!(record.attempts, [], "the key was taken");
}

#[tokio::test]
async fn a_key_is_not_sent_to_another_origin() {
    let home = Home::new();
    let (ours, theirs) = (Blesta::start().await, Blesta::start().await);
    let core = home.core();
    saved(&core, &ours.url, KEY).await;
    let mut moved = ConnectionEdit::new(core.connection(&name("shop")).await.unwrap());
    moved.connection.url.clone_from(&theirs.url);
    moved.replaces = Some(name("shop"));
    core.save(moved.clone()).await.unwrap();
    for trigger in [Trigger::Asked, Trigger::Scheduled, Trigger::Bisect] {
        let verdict = probe(&core, trigger).await;
        assert_eq!(verdict.reason, Reason::SecretUnavailable, "{verdict:#?}");
    }
    let mut unsaved = Unsaved::new(moved.connection.clone());
    unsaved.editing = Some(name("shop"));
    let verdict = core.probe_unsaved(unsaved.clone(), &silent).await;
    assert_eq!(verdict.reason, Reason::SecretUnavailable, "{verdict:#?}");
    assert_eq!(theirs.keyed(), 0);
    unsaved.origin_confirmed = true;
    let verdict = core.probe_unsaved(unsaved, &silent).await;
    assert_eq!(verdict.reason, Reason::Connected, "{verdict:#?}");
    moved.origin_confirmed = true;
    core.save(moved).await.unwrap();
    assert_eq!(probe(&core, Trigger::Asked).await.reason, Reason::Connected);
}

fn unsaved(url: &str) -> Unsaved {
    Unsaved {
        key: Some(Secret::new(KEY)),
        ..Unsaved::new(shop(url))
    }
}

#[tokio::test]
async fn a_url_is_asked_without_the_key_once_for_all_programs() {
    let (home, blesta) = (Home::new(), Blesta::start().await);
    for _ in 0..3 {
        // Each with nothing but the state, as a command from cron.
        let core = home.core();
        let verdict = core.probe_unsaved(unsaved(&blesta.url), &silent).await;
        assert_eq!(verdict.reason, Reason::Connected, "{verdict:#?}");
    }
    assert_eq!(blesta.bare(), 1);
    let core = home.core();
    saved(&core, &blesta.url, KEY).await;
    let verdict = probe(&core, Trigger::Asked).await;
    assert_eq!(verdict.reason, Reason::Connected, "{verdict:#?}");
    assert_eq!(blesta.bare(), 1, "nor for a connection to it");
    let other = format!("{}/billing", blesta.url);
    core.probe_unsaved(unsaved(&other), &silent).await;
    assert_eq!(blesta.bare(), 2, "another URL is asked");
}

#[tokio::test]
async fn of_several_that_come_to_a_new_url_at_once_one_asks() {
    let (home, blesta) = (Home::new(), Blesta::start().await);
    let core = home.core();
    let probes = (0..10).map(|_| core.probe_unsaved(unsaved(&blesta.url), &silent));
    for verdict in futures_util::future::join_all(probes).await {
        assert_eq!(verdict.reason, Reason::Connected, "{verdict:#?}");
    }
    assert_eq!(blesta.bare(), 1);
}

/// A page of another program, whatever is asked.
fn foreign_answer(_: &str) -> String {
    "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 19\r\nconnection: close\r\n\r\n<title>Wiki</title>".to_owned()
}

#[tokio::test]
async fn where_the_service_is_not_no_key_is_sent_and_nobody_waits_for_ever() {
    let (home, other) = (Home::new(), Blesta::start_with(None, foreign_answer).await);
    let core = home.core();
    let probes = (0..10).map(|_| core.probe_unsaved(unsaved(&other.url), &silent));
    for verdict in futures_util::future::join_all(probes).await {
        assert_eq!(verdict.reason, Reason::NotTheService, "{verdict:#?}");
    }
    assert_eq!(other.keyed(), 0);
}

/// Blesta to the first three that have asked, and another program from then on.
fn replaced_answer(asked: &AtomicUsize, head: &str) -> String {
    if asked.fetch_add(1, Ordering::SeqCst) < 3 {
        answer(head)
    } else {
        foreign_answer(head)
    }
}

/// What answers where the service moves away behind its first whole probe.
fn moved_answer(head: &str) -> String {
    static ASKED: AtomicUsize = AtomicUsize::new(0);
    replaced_answer(&ASKED, head)
}

#[tokio::test]
async fn another_program_at_a_known_url_is_told_and_asked_anew_the_next_time() {
    let (home, place) = (Home::new(), Blesta::start_with(None, moved_answer).await);
    let mut seen = Vec::new();
    for _ in 0..3 {
        let core = home.core();
        let verdict = core.probe_unsaved(unsaved(&place.url), &silent).await;
        seen.push((verdict.reason, place.bare(), place.keyed()));
    }
    // Known by then, it gets the key; not known any more, it is asked without.
    let gone = Reason::NotTheService;
    assert_eq!(
        seen,
        [(Reason::Connected, 1, 2), (gone, 1, 3), (gone, 2, 3)]
    );
}

/// Blesta behind a web server that does not rewrite: there through `/index.php` alone.
fn index_answer(head: &str) -> String {
    if head.starts_with("GET /index.php/") {
        answer(head)
    } else {
        "HTTP/1.1 404 Not Found\r\ncontent-type: text/html\r\ncontent-length: 22\r\nconnection: close\r\n\r\n<title>404 Not Found</".to_owned()
    }
}

#[tokio::test]
async fn no_key_goes_where_the_service_was_found_through_its_index_alone() {
    let (home, blesta) = (Home::new(), Blesta::start_with(None, index_answer).await);
    let core = home.core();
    let probes = (0..5).map(|_| core.probe_unsaved(unsaved(&blesta.url), &silent));
    for verdict in futures_util::future::join_all(probes).await {
        assert_eq!(verdict.reason, Reason::RewriteOff, "{verdict:#?}");
    }
    let verdict = home
        .core()
        .probe_unsaved(unsaved(&blesta.url), &silent)
        .await;
    assert_eq!(verdict.reason, Reason::RewriteOff, "{verdict:#?}");
    let heads = blesta.heads.lock().unwrap();
    let astray = heads
        .iter()
        .filter(|head| is_keyed(head) && !head.starts_with("GET /index.php/"));
    assert_eq!(astray.count(), 0, "{heads:#?}");
}

/// Blesta until a connection's probe with the key is over, and another program from then on.
fn left_answer(head: &str) -> String {
    static ASKED: AtomicUsize = AtomicUsize::new(0);
    replaced_answer(&ASKED, head)
}

#[tokio::test]
async fn what_a_known_connection_finds_gone_is_forgotten_for_all() {
    let (home, place) = (Home::new(), Blesta::start_with(None, left_answer).await);
    let core = home.core();
    saved(&core, &place.url, KEY).await;
    let first = probe(&core, Trigger::Asked).await.reason;
    assert_eq!((first, place.keyed()), (Reason::Connected, 2));
    let gone = probe(&core, Trigger::Asked).await.reason;
    assert_eq!((gone, place.keyed()), (Reason::NotTheService, 3));
    let other = core.probe_unsaved(unsaved(&place.url), &silent).await;
    assert_eq!((other.reason, place.keyed()), (gone, 3));
}

#[tokio::test(start_paused = true)]
async fn nobody_waits_longer_than_half_its_own_time() {
    let home = Home::new();
    let inner = &home.core().0;
    let place = inner
        .state()
        .unwrap()
        .place(&["blesta", "https://a.example/"]);
    let time = Duration::from_secs(4);
    let Turn::First(_first) = recognising::turn(inner, &place, time).await else {
        panic!("nobody was there");
    };
    let begun = tokio::time::Instant::now();
    let turn = recognising::turn(inner, &place, time).await;
    assert!(matches!(turn, Turn::Each));
    assert_eq!(begun.elapsed().as_secs(), 2);
}

#[tokio::test]
async fn one_that_is_left_half_way_leaves_the_question_to_the_next() {
    let home = Home::new();
    let inner = &home.core().0;
    let place = inner
        .state()
        .unwrap()
        .place(&["blesta", "https://a.example/"]);
    let Turn::First(first) = recognising::turn(inner, &place, NEVER).await else {
        panic!("nobody was there");
    };
    let mut next = std::pin::pin!(recognising::turn(inner, &place, NEVER));
    assert!((&mut next).now_or_never().is_none());
    drop(first);
    let Turn::First(first) = next.await else {
        panic!("nobody asks now");
    };
    let mut next = std::pin::pin!(recognising::turn(inner, &place, NEVER));
    assert!((&mut next).now_or_never().is_none());
    first.has_asked(false);
    assert!(matches!(next.await, Turn::Each));
}

#[tokio::test]
async fn typing_asks_the_bare_question_once_for_a_url() {
    let (home, blesta) = (Home::new(), Blesta::start().await);
    let core = home.core();
    let mut unsaved = Unsaved::new(shop(&blesta.url));
    unsaved.trigger = Trigger::UrlTyping;
    unsaved.key = Some(Secret::new(KEY));
    let verdict = core.probe_unsaved(unsaved.clone(), &silent).await;
    assert_eq!((blesta.bare(), blesta.keyed()), (1, 0), "{verdict:#?}");
    unsaved.trigger = Trigger::Typing;
    let verdict = core.probe_unsaved(unsaved, &silent).await;
    assert_eq!(verdict.reason, Reason::Connected, "{verdict:#?}");
    assert_eq!(verdict.connection, None);
    assert_eq!(blesta.bare(), 1);
    saved(&core, &blesta.url, KEY).await;
    let verdict = probe(&core, Trigger::Scheduled).await;
    assert_eq!(verdict.reason, Reason::Connected, "{verdict:#?}");
    assert_eq!(blesta.bare(), 1, "nor after it was saved");
}

#[tokio::test]
async fn mistakes_of_this_machine_are_verdicts() {
    let home = Home::new();
    let core = home.core();
    let mut connection = shop("http://127.0.0.1:9");
    connection.ca_file = Some(std::path::Path::new("/no/such/file.pem").into());
    let verdict = core
        .probe_unsaved(Unsaved::new(connection.clone()), &silent)
        .await;
    assert_eq!(verdict.reason, Reason::LocalError);
    assert!(
        verdict.cause.contains("/no/such/file.pem"),
        "{}",
        verdict.cause
    );
    connection.ca_file = None;
    connection.service = ServiceId::new("nonesuch");
    let verdict = core.probe_unsaved(Unsaved::new(connection), &silent).await;
    assert!(verdict.cause.contains("nonesuch"), "{}", verdict.cause);
    let verdict = probe(&core, Trigger::Asked).await;
    assert_eq!(verdict.connection, Some(name("shop")));
    assert_eq!(verdict.reason, Reason::LocalError);
}

fn gathered(verdict: Box<Verdict>, bundle: &mut Vec<Verdict>) {
    bundle.push(*verdict);
}

#[tokio::test]
async fn a_list_of_targets_has_the_time_of_the_settings() {
    let home = Home::new();
    let core = home.core();
    core.set("timeout_s", "1").await.unwrap();
    // It takes connections, and nobody answers.
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", silent.local_addr().unwrap());
    let mut targets = core.probe_targets(vec![url], TargetSettings::default(), gathered);
    let verdict = targets.next().await.unwrap().remove(0);
    assert_eq!(verdict.reason, Reason::ResponseTimeout, "{verdict:#?}");
    // Without the setting it would have had all of this: no machine is so slow that one second takes as long.
    let without = Duration::from_secs(crate::store::Settings::default().timeout_s.into());
    let total = verdict.phases.total.unwrap();
    assert!(total < without, "{total:?}");
}

#[tokio::test]
async fn a_list_of_targets_gives_one_verdict_each() {
    let (home, blesta) = (Home::new(), Blesta::start().await);
    let core = home.core();
    let mut urls: Vec<_> = (0..30).map(|n| format!("{}/{n}", blesta.url)).collect();
    urls.push("no url".to_owned());
    let mut targets = core.probe_targets(urls, TargetSettings::default(), gathered);
    let mut verdicts = Vec::new();
    while let Some(bundle) = targets.next().await {
        verdicts.extend(bundle);
    }
    let invalid = |verdict: &&Verdict| verdict.reason == Reason::UrlInvalid;
    assert_eq!(verdicts.iter().filter(invalid).count(), 1);
    assert_eq!(
        verdicts
            .iter()
            .filter(|verdict| verdict.status == 401)
            .count(),
        30
    );
}

#[test]
fn no_target_is_begun_before_what_all_need_is_there() {
    // While its only thread is taken, nothing can be read.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .max_blocking_threads(1)
        .build()
        .unwrap();
    runtime.block_on(async {
        let home = Home::new();
        let core = home.core();
        let (go_on, held) = std::sync::mpsc::channel::<()>();
        let taken = tokio::task::spawn_blocking(move || held.recv());
        let urls = (0..100).map(|_| "https://".to_owned()).collect();
        let settings = TargetSettings {
            // Of so many none is probed on a thread of its own.
            concurrency: 15,
            ..TargetSettings::default()
        };
        let mut targets = core.probe_targets(urls, settings, gathered);
        let before = Arc::strong_count(&core.0);
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
        // Each probe holds a core of its own.
        let begun = Arc::strong_count(&core.0) - before;
        assert!(begun < 3, "{begun}");
        go_on.send(()).unwrap();
        let mut verdicts = Vec::new();
        while let Some(bundle) = targets.next().await {
            verdicts.extend(bundle);
        }
        assert_eq!(verdicts.len(), 100);
        assert!(verdicts.iter().all(|one| one.reason == Reason::UrlInvalid));
        taken.await.unwrap().unwrap();
        // None of these wanted them.
        let read = core.0.prober.read_authorities();
        assert!(read.now_or_never().is_some(), "they were not read before");
    });
}

#[test]
fn authorities_are_read_for_a_list_that_wants_some() {
    for (url, wants) in [
        ("https://a.example", true),
        ("HTTPS://a.example", true),
        ("a.example", true),
        ("a.example:8443/?back=http://b.example", true),
        ("http://a.example", false),
        ("HTTP://a.example/?next=https://b.example", false),
    ] {
        assert_eq!(is_https(url), wants, "{url}");
    }
}

#[tokio::test]
async fn a_watch_probes_what_is_saved() {
    let (home, blesta) = (Home::new(), Blesta::start().await);
    let core = home.core();
    saved(&core, &blesta.url, KEY).await;
    let mut watch = core.watch(None, WatchSettings::default()).await.unwrap();
    assert_eq!(
        watch.next().await,
        crate::work::WatchEvent::Started(name("shop"))
    );
    let crate::work::WatchEvent::Finished {
        verdict, change, ..
    } = watch.next().await
    else {
        panic!("a probe that was started ends");
    };
    assert_eq!(verdict.reason, Reason::Connected);
    assert_eq!(change.map(|change| change.to), Some(State::Ok));
}

#[tokio::test]
async fn results_and_what_was_announced_outlive_the_program() {
    let (home, blesta) = (Home::new(), Blesta::start().await);
    let watched = |core: Core| async move {
        let mut watch = core.watch(None, WatchSettings::default()).await.unwrap();
        loop {
            if let crate::work::WatchEvent::Finished { change, .. } = watch.next().await {
                return change;
            }
        }
    };
    let core = home.core_with(&[("KEY", KEY)]);
    let mut connection = shop(&blesta.url);
    connection.key = Some("env:KEY".parse().unwrap());
    core.save(ConnectionEdit::new(connection)).await.unwrap();
    assert!(watched(core.clone()).await.is_some());
    let begun = std::time::Instant::now();
    while core.history(&name("shop")).await.unwrap().strip.is_empty() {
        assert!(begun.elapsed() < NEVER, "nothing is written");
        tokio::task::yield_now().await;
    }
    let history = core.history(&name("shop")).await.unwrap();
    assert_eq!(history.strip[0].reason, Reason::Connected);
    assert_eq!(history.availability.month, Some(1.0));
    assert!(history.latency.is_some());
    let next = home.core_with(&[("KEY", KEY)]);
    assert_eq!(watched(next).await, None, "it was up before");
}

/// What is announced once is not announced by the next watch; what nobody announced is, whoever has seen it.
#[tokio::test]
async fn an_outage_is_announced_once_over_restarts_and_probes_by_hand() {
    let home = Home::new();
    let gone = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", gone.local_addr().unwrap());
    drop(gone);
    let twice = |core: Core| async move {
        let mut watch = core.watch(None, WatchSettings::default()).await.unwrap();
        let mut changes = Vec::new();
        while changes.len() < 2 {
            if let crate::work::WatchEvent::Finished {
                change, verdict, ..
            } = watch.next().await
            {
                assert_eq!(verdict.reason, Reason::Refused);
                changes.push(change.map(|change| change.to));
                watch.hasten(&name("shop"));
            }
        }
        changes
    };
    let mut connection = shop(&url);
    connection.service = ServiceId::http();
    let core = home.core();
    core.save(ConnectionEdit::new(connection)).await.unwrap();
    for _ in 0..2 {
        core.probe_saved(&name("shop"), Trigger::Asked, &silent)
            .await;
    }
    core.settle_history().await;
    assert_eq!(twice(core.clone()).await, [None, Some(State::Down)]);
    let announced = || {
        core.0
            .state()
            .unwrap()
            .past(&name("shop"), &url)
            .unwrap()
            .announced
    };
    while announced() != Some(State::Down) {
        tokio::task::yield_now().await;
    }
    assert_eq!(
        twice(core.clone()).await,
        [None, None],
        "paused and gone on with"
    );
    assert_eq!(twice(home.core()).await, [None, None], "and started anew");
}

#[tokio::test]
async fn a_change_runs_the_users_command_with_the_verdict() {
    let home = Home::new();
    let core = home.core();
    let seen = core.folders().unwrap().state.with_file_name("seen.json");
    let command = format!("cat > {0}.part && mv {0}.part {0}", seen.display());
    let words = ["sh", "-c", command.as_str()].map(str::to_owned).to_vec();
    let set = core.edit(move |document| {
        document.set_setting(
            "on_change",
            crate::store::configuration::SettingValue::Words(words),
        )
    });
    set.await.unwrap();
    let blesta = Blesta::start().await;
    saved(&core, &blesta.url, OTHER).await;
    let mut watch = core.watch(None, WatchSettings::default()).await.unwrap();
    while !seen.exists() {
        tokio::select! {
            _ = watch.next() => {}
            () = tokio::task::yield_now() => {}
        }
    }
    let verdict: serde_json::Value =
        serde_json::from_slice(&std::fs::read(&seen).unwrap()).unwrap();
    assert_eq!(verdict["reason"], "credentials-rejected");
    assert_eq!(verdict["connection"], "shop");
    assert!(!verdict.to_string().contains(OTHER));
}

#[tokio::test]
async fn of_two_watches_one_calls_the_users_command() {
    let home = Home::new();
    let (one, other) = (home.core(), home.core());
    let calls = one.folders().unwrap().state.with_file_name("calls");
    let command = format!("echo called >> {}", calls.display());
    let words = ["sh", "-c", command.as_str()].map(str::to_owned).to_vec();
    let set = one.edit(move |document| {
        document.set_setting(
            "on_change",
            crate::store::configuration::SettingValue::Words(words),
        )
    });
    set.await.unwrap();
    let gone = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", gone.local_addr().unwrap());
    drop(gone);
    let connection = Connection::new(name("shop"), ServiceId::http(), &url);
    one.save(ConnectionEdit::new(connection)).await.unwrap();
    let mut watches = Vec::new();
    for core in [&one, &other] {
        watches.push(core.watch(None, WatchSettings::default()).await.unwrap());
    }
    for (core, watch) in [&one, &other].into_iter().zip(&mut watches) {
        loop {
            if let crate::work::WatchEvent::Finished { change, .. } = watch.next().await {
                if change.is_some() {
                    break;
                }
                watch.hasten(&name("shop"));
            }
        }
        core.settle_history().await;
        core.settle_announcements().await;
    }
    let calls = std::fs::read_to_string(&calls).unwrap();
    assert_eq!(calls.lines().count(), 1, "{calls}");
}

/// Another copy, with the vault open, writes into the same history.
#[tokio::test]
async fn what_a_lock_hides_is_not_kept() {
    let home = Home::new();
    let core = home.core();
    let blesta = Blesta::start().await;
    let saved = name("shop");
    core.create_vault(passphrase()).await.unwrap();
    core.save(with_key(shop(&blesta.url), KEY)).await.unwrap();
    core.lock().await;
    let verdict = core.probe_saved(&saved, Trigger::Asked, &silent).await;
    assert_eq!(verdict.reason, Reason::SecretUnavailable);
    let mut watch = core.watch(None, WatchSettings::default()).await.unwrap();
    let watched = loop {
        if let crate::work::WatchEvent::Finished { verdict, .. } = watch.next().await {
            break verdict.reason;
        }
    };
    assert_eq!(watched, Reason::SecretUnavailable);
    let kept = async || {
        assert!(core.settle_history().await);
        let runs = core.results(&saved, Timestamp::UNIX_EPOCH).await.unwrap();
        runs.iter().map(|run| run.reason).collect::<Vec<_>>()
    };
    assert_eq!(kept().await, []);
    core.unlock(passphrase()).await.unwrap();
    core.probe_saved(&saved, Trigger::Asked, &silent).await;
    assert_eq!(kept().await, [Reason::Connected]);
}

/// What a program or a file holds is locked away with the vault.
#[tokio::test]
async fn a_lock_keeps_what_others_hold_too() {
    let (home, blesta) = (Home::new(), Blesta::start().await);
    let core = home.core_with(&[("KEY", KEY)]);
    core.create_vault(passphrase()).await.unwrap();
    let mut connection = shop(&blesta.url);
    connection.key = Some("env:KEY".parse().unwrap());
    core.save(ConnectionEdit::new(connection.clone()))
        .await
        .unwrap();
    assert_eq!(probe(&core, Trigger::Asked).await.reason, Reason::Connected);
    assert!(!core.locks_away(&connection).await);
    let before = (blesta.keyed(), blesta.bare());
    core.lock().await;
    for trigger in [Trigger::Scheduled, Trigger::Asked, Trigger::Bisect] {
        let verdict = probe(&core, trigger).await;
        assert_eq!(verdict.reason, Reason::SecretUnavailable, "{verdict:#?}");
    }
    assert_eq!((blesta.keyed(), blesta.bare()), before);
    let shown = core.handle(&name("shop"), &HandleSlot::Key).await;
    assert!(
        matches!(shown, Err(WorkError::PassphraseNeeded(_))),
        "{shown:?}"
    );
    assert!(core.locks_away(&connection).await);
    core.unlock(passphrase()).await.unwrap();
    assert_eq!(probe(&core, Trigger::Asked).await.reason, Reason::Connected);
}

#[test]
fn a_lock_counts_from_the_moment_that_it_is_asked_for() {
    // While its only thread is taken, nothing is written or forgotten.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .max_blocking_threads(1)
        .build()
        .unwrap();
    runtime.block_on(async {
        let home = Home::new();
        let core = home.core();
        let (go_on, held) = std::sync::mpsc::channel::<()>();
        let taken = tokio::task::spawn_blocking(move || held.recv());
        let mut locking = std::pin::pin!(core.lock());
        assert!((&mut locking).now_or_never().is_none());
        assert!(core.0.vault.is_shut());
        go_on.send(()).unwrap();
        locking.await;
        taken.await.unwrap().unwrap();
    });
}

/// A connection whose key is what `cat` prints of a file of its own.
async fn by_program(core: &Core, url: &str) -> std::path::PathBuf {
    let file = core.folders().unwrap().state.with_file_name("value");
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    let mut connection = shop(url);
    let program = format!("cmd:/bin/cat {}", file.display());
    connection.key = Some(program.parse().unwrap());
    core.save(ConnectionEdit::new(connection)).await.unwrap();
    file
}

#[tokio::test]
async fn what_a_program_printed_is_kept_for_the_watch_until_it_is_refused_or_locked() {
    let (home, blesta) = (Home::new(), Blesta::start().await);
    let core = home.core();
    let file = by_program(&core, &blesta.url).await;
    let probed = async |value: &str, trigger| {
        std::fs::write(&file, value).unwrap();
        probe(&core, trigger).await.reason
    };
    let refused = Reason::CredentialsRejected;
    assert_eq!(probed(OTHER, Trigger::Scheduled).await, refused);
    let taken = Reason::Connected;
    assert_eq!(probed(KEY, Trigger::Scheduled).await, taken, "fetched anew");
    assert_eq!(probed(OTHER, Trigger::Scheduled).await, taken, "as it was");
    // Whoever asks wants to know of the one that is there now.
    assert_eq!(probed(OTHER, Trigger::Asked).await, Reason::AuthPaused);
    assert_eq!(probed(OTHER, Trigger::Scheduled).await, taken, "as it was");
    core.lock().await;
    assert_eq!(probed(OTHER, Trigger::Scheduled).await, Reason::AuthPaused);
}

#[tokio::test]
async fn while_the_url_is_typed_no_program_is_run_for_a_key() {
    let (home, blesta) = (Home::new(), Blesta::start().await);
    let core = home.core();
    let mark = core.folders().unwrap().state.with_file_name("ran");
    let mut connection = shop(&blesta.url);
    connection.key = Some(
        format!("cmd:/usr/bin/touch {}", mark.display())
            .parse()
            .unwrap(),
    );
    core.save(ConnectionEdit::new(connection.clone()))
        .await
        .unwrap();
    for trigger in [Trigger::UrlTyping, Trigger::HalfTyped, Trigger::Asked] {
        let unsaved = Unsaved {
            editing: Some(name("shop")),
            trigger,
            ..Unsaved::new(connection.clone())
        };
        core.probe_unsaved(unsaved, &silent).await;
        assert_eq!(mark.exists(), trigger == Trigger::Asked, "{trigger:?}");
    }
}

/// An hour of watching: the schedule under paused time, each probe on `real`, whose clock is the world's.
fn watched_for_an_hour(
    real: &tokio::runtime::Runtime,
    core: &Core,
    connection: Connection,
) -> Vec<Verdict> {
    let (core, on) = (core.clone(), real.handle().clone());
    let probe = move |connection: Arc<Connection>| -> BoxFuture<'static, Verdict> {
        let (core, on) = (core.clone(), on.clone());
        Box::pin(async move {
            // Paused time does not run on while a blocking task does.
            let probed = tokio::task::spawn_blocking(move || {
                on.block_on(core.probe_unrecorded(&connection, Trigger::Scheduled, &silent))
            });
            probed.await.unwrap()
        })
    };
    let paused = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build()
        .unwrap();
    paused.block_on(async {
        let mut watch = Watch::new(Arc::new(probe), vec![connection], WatchSettings::default());
        let end = tokio::time::Instant::now() + Duration::from_secs(60 * 60);
        let mut verdicts = Vec::new();
        while let Ok(event) = tokio::time::timeout_at(end, watch.next()).await {
            if let crate::work::WatchEvent::Finished { verdict, .. } = event {
                verdicts.push(*verdict);
            }
        }
        verdicts
    })
}

#[test]
fn an_hour_of_watching_with_a_good_key_causes_no_rejection_after_the_first() {
    let real = tokio::runtime::Runtime::new().unwrap();
    let home = Home::new();
    let core = home.core();
    let (blesta, connection) = real.block_on(async {
        let blesta = Blesta::start().await;
        saved(&core, &blesta.url, KEY).await;
        (blesta, core.connection(&name("shop")).await.unwrap())
    });
    let verdicts = watched_for_an_hour(&real, &core, connection);
    assert!((50..=75).contains(&verdicts.len()), "{}", verdicts.len());
    assert!(
        verdicts
            .iter()
            .all(|verdict| verdict.reason == Reason::Connected)
    );
    assert!(blesta.bare() <= 1, "{} calls without a key", blesta.bare());
    assert_eq!(blesta.keyed(), verdicts.len(), "one request each");
}

#[test]
fn an_hour_of_watching_before_a_cache_sends_the_key_twice() {
    let real = tokio::runtime::Runtime::new().unwrap();
    let home = Home::new();
    let core = home.core();
    let (blesta, connection) = real.block_on(async {
        let blesta = Blesta::start_with(None, kept_answer).await;
        saved(&core, &blesta.url, KEY).await;
        (blesta, core.connection(&name("shop")).await.unwrap())
    });
    let verdicts = watched_for_an_hour(&real, &core, connection);
    assert!((50..=75).contains(&verdicts.len()), "{}", verdicts.len());
    // The world's clock stands still meanwhile.
    assert_eq!(blesta.keyed(), 2);
    let last = verdicts.last().unwrap();
    assert_eq!(last.title, "Key not sent: a cache answers");
}

#[test]
fn an_hour_of_watching_with_a_paused_key_asks_nothing() {
    let real = tokio::runtime::Runtime::new().unwrap();
    let home = Home::new();
    let core = home.core();
    let (blesta, connection) = real.block_on(async {
        let blesta = Blesta::start().await;
        saved(&core, &blesta.url, OTHER).await;
        let connection = core.connection(&name("shop")).await.unwrap();
        while probe(&core, Trigger::Asked).await.reason != Reason::AuthPaused {}
        (blesta, connection)
    });
    let before = (blesta.keyed(), blesta.bare());
    let verdicts = watched_for_an_hour(&real, &core, connection);
    assert!((50..=75).contains(&verdicts.len()), "{}", verdicts.len());
    assert!(
        verdicts
            .iter()
            .all(|verdict| verdict.reason == Reason::AuthPaused)
    );
    assert_eq!(
        (blesta.keyed(), blesta.bare()),
        before,
        "each would have been a 401"
    );
}
