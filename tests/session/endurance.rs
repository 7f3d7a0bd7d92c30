//! A day at the screen, compressed by a paused clock: fifty connections that flap, keys now and then, copies,
//! handles shown, locks. Nothing grows, and everything that was to end has ended.

use jiff::Timestamp;
use switchboard::app::effect::ScreenEnd;
use switchboard::app::message::ProbeMessage;
use switchboard::domain::{
    AnsweredBy, CheckId, Checks, Name, Phases, Reason, Remedy, ServiceId, Verdict, Who,
};

use std::time::Duration;

use switchboard::app::Message;
use switchboard::config::{Environment, Folders};
use switchboard::domain::Secret;
use switchboard::sim::Blesta;
use switchboard::tui::event_loop::Inbound;
use switchboard::work::{Core, CoreOptions};
use tokio::time::Instant;

use super::{Person, lasting, rehearsed};

const CONNECTIONS: usize = 50;
const MINUTES: usize = 24 * 60;

fn verdict(at: usize, minute: usize) -> Verdict {
    let reasons = [
        Reason::Connected,
        Reason::Refused,
        Reason::CredentialsRejected,
        Reason::ResponseTimeout,
    ];
    let reason = reasons[(at + minute) % reasons.len()];
    let mut checks = Checks::default();
    for id in CheckId::ALL {
        checks.set(id, reason.state(), "told", Some(1.0));
    }
    Verdict {
        connection: Some(named(at)),
        service: ServiceId::blesta(),
        url: format!("https://h{at}.example.com"),
        reason,
        status: 200,
        title: reason.title().to_owned(),
        cause: String::new(),
        answered_by: AnsweredBy::Service,
        evidence: vec![format!("minute {minute}")],
        remedy: Remedy {
            who: Who::You,
            steps: vec!["Wait.".to_owned()],
            snippet: None,
            url: None,
            doc: None,
        },
        checks,
        addresses: Vec::new(),
        phases: Phases::default(),
        tls: None,
        identity: None,
        service_version: None,
        redirects: Vec::new(),
        retry_at: None,
        changed_since_last_good: vec![format!("certificate {minute}")],
        at: Timestamp::from_second(1_800_000_000).unwrap(),
    }
}

fn named(at: usize) -> Name {
    Name::parse(&format!("c{at:02}")).unwrap()
}

fn tell(person: &Person, message: Message) {
    person
        .queue
        .send(Inbound::Message(Box::new(message)))
        .unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_day_at_the_screen_leaves_nothing_behind() {
    let blesta = Blesta::new("shop-api", "0123456789abcdef0123456789abcdef", "127.0.0.1");
    // URLs that can't be asked: the day's verdicts come from here.
    let connections = (0..CONNECTIONS)
        .map(|at| rehearsed(named(at).as_str(), "ftp://nowhere", &blesta))
        .collect();
    let over_ssh = Environment::of([("SSH_CONNECTION", "a 1 b 22"), ("TERM", "xterm")]);
    let core = Core::rehearsal(over_ssh, connections)
        .await
        .unwrap()
        .with_terminal(switchboard::clipboard::Terminal::Silent);
    let runtime = tokio::runtime::Handle::current();
    let began = Instant::now();
    let mut tasks = [0; 2];
    let (ended, model) = lasting(core, async |person: &mut Person| {
        person.sees("c00").await;
        // What the program itself would find out all day long is not wanted.
        person.press("p");
        for minute in 0..MINUTES {
            for at in 0..CONNECTIONS {
                tell(
                    person,
                    Message::Probe(ProbeMessage::WatchStarted(named(at))),
                );
                tell(
                    person,
                    Message::Probe(ProbeMessage::Watched(Box::new(verdict(at, minute)))),
                );
            }
            if minute % 60 == 7 {
                // Somebody looks, shows and copies; then nobody is there for long, and it locks.
                person.press("esc v y j s");
            }
            tokio::time::sleep(Duration::from_secs(60)).await;
            let half = usize::from(minute >= MINUTES / 2);
            if minute % 60 > 30 {
                tasks[half] = tasks[half].max(runtime.metrics().num_alive_tasks());
                assert!(
                    !person.screen().contains(&blesta.key),
                    "minute {minute}: a handle stays in the open"
                );
                assert!(
                    !person.screen().contains("clears in"),
                    "minute {minute}: a countdown that never ends"
                );
            }
        }
    })
    .await;
    assert_eq!(ended.unwrap(), ScreenEnd::Quit);
    assert!(began.elapsed() >= Duration::from_secs(24 * 60 * 60));
    assert!(tasks[1] <= tasks[0] + 1, "tasks grow: {tasks:?}");
    assert_eq!(model.entries.len(), CONNECTIONS);
    assert!(model.entries.values().all(|entry| entry.strip.len() <= 60));
    assert!(model.revealed.is_none() && model.copied.is_none() && model.overlay.is_none());
    assert!(model.warnings.len() <= 1 && model.list.visible.len() == CONNECTIONS);
}

const PASSPHRASE: &str = "correct horse";

/// The title bar says whether it is locked.
fn is_locked(screen: &str) -> bool {
    let title = screen.lines().next().unwrap_or_default();
    title.contains("locked")
}

async fn unlock(person: &mut Person) {
    if !is_locked(&person.screen()) {
        person.press("L");
        person.sees_that("the lock", is_locked).await;
    }
    person.press("L");
    person.sees("Passphrase").await;
    person.types(PASSPHRASE);
    person.press("enter");
    let open = |screen: &str| !is_locked(screen) && !screen.contains("Passphrase");
    person.sees_that("the open vault", open).await;
}

/// A day of locks over a vault: by idle time, never a minute too early, and by calls of another program, at once.
/// Each is over when the next one comes.
#[tokio::test(start_paused = true)]
async fn a_day_of_locks_is_in_time_and_leaves_nothing_behind() {
    let home = tempfile::tempdir().unwrap();
    let folders = Folders {
        configuration: home.path().join("config/switchboard.toml"),
        data: home.path().join("data"),
        state: home.path().join("state"),
    };
    let open = || {
        Core::open(CoreOptions {
            environment: Environment::of([]),
            folders: folders.clone(),
        })
    };
    let (core, other) = (open(), open());
    core.create_vault(Secret::new(PASSPHRASE)).await.unwrap();
    let runtime = tokio::runtime::Handle::current();
    let mut tasks = Vec::new();
    let (ended, model) = lasting(core, async |person: &mut Person| {
        person.sees("none yet").await;
        for round in 0..8 {
            let began = Instant::now();
            unlock(person).await;
            tokio::time::sleep(Duration::from_secs(14 * 60 + 30)).await;
            assert!(!is_locked(&person.screen()), "round {round}: too early");
            if round % 2 == 0 {
                tokio::time::sleep(Duration::from_secs(60)).await;
            } else {
                other.call_to_lock().await.unwrap();
                tokio::time::sleep(Duration::from_secs(5)).await;
            }
            assert!(is_locked(&person.screen()), "round {round}: not locked");
            let rest = Duration::from_secs(3 * 60 * 60).saturating_sub(began.elapsed());
            tokio::time::sleep(rest).await;
            assert!(is_locked(&person.screen()), "round {round}: open again");
            tasks.push(runtime.metrics().num_alive_tasks());
        }
    })
    .await;
    assert_eq!(ended.unwrap(), ScreenEnd::Quit);
    let (first, rest) = tasks.split_first().unwrap();
    assert!(rest.iter().all(|count| count <= first), "{tasks:?}");
    assert!(model.lock.is_locked() && model.overlay.is_none() && model.revealed.is_none());
}
