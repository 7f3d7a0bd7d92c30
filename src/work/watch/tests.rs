//! The schedule under paused time, over probes that are made up.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use super::*;
use crate::domain::{Reason, ServiceId, State};
use crate::work::local::local_error;

fn connection(name: &str, url: &str) -> Connection {
    Connection::new(Name::parse(name).unwrap(), ServiceId::http(), url)
}

fn verdict(connection: &Connection, reason: Reason) -> Verdict {
    let Connection {
        name, service, url, ..
    } = connection;
    let mut verdict = local_error(Some(name), service, url, "");
    verdict.reason = reason;
    verdict
}

/// A probe that takes `takes` and finds what `found` says, counting how many run at once.
#[derive(Default)]
struct Rig {
    running: Mutex<(usize, usize)>,
}

impl Rig {
    fn probe(
        self: &Arc<Self>,
        takes: Duration,
        found: impl Fn(&Name) -> Reason + Send + Sync + 'static,
    ) -> Probe {
        let rig = Arc::clone(self);
        let found = Arc::new(found);
        Arc::new(move |connection: Arc<Connection>| {
            let (rig, found) = (Arc::clone(&rig), Arc::clone(&found));
            Box::pin(async move {
                {
                    let mut running = rig.running.lock().unwrap();
                    running.0 += 1;
                    running.1 = running.1.max(running.0);
                }
                tokio::time::sleep(takes).await;
                rig.running.lock().unwrap().0 -= 1;
                verdict(&connection, found(&connection.name))
            })
        })
    }

    fn most(&self) -> usize {
        self.running.lock().unwrap().1
    }
}

async fn events_within(watch: &mut Watch, time: Duration) -> Vec<WatchEvent> {
    let end = Instant::now() + time;
    let mut events = Vec::new();
    while let Ok(event) = tokio::time::timeout_at(end, watch.next()).await {
        events.push(event);
    }
    events
}

fn starts(events: &[WatchEvent]) -> usize {
    events
        .iter()
        .filter(|event| matches!(event, WatchEvent::Started(_)))
        .count()
}

#[tokio::test(start_paused = true)]
async fn every_connection_comes_at_its_interval() {
    let rig = Arc::new(Rig::default());
    let mut often = connection("often", "https://a.example");
    often.interval_s = Some(10);
    let seldom = connection("seldom", "https://b.example");
    let probe = rig.probe(Duration::from_millis(5), |_| Reason::Connected);
    let mut watch = Watch::new(probe, vec![often, seldom], WatchSettings::default());
    let events = events_within(&mut watch, Duration::from_secs(300)).await;
    let of = |name: &str| {
        let name = Name::parse(name).unwrap();
        events
            .iter()
            .filter(|event| **event == WatchEvent::Started(name.clone()))
            .count()
    };
    assert!((27..=34).contains(&of("often")), "{}", of("often"));
    assert!((4..=6).contains(&of("seldom")), "{}", of("seldom"));
}

#[tokio::test(start_paused = true)]
async fn five_thousand_are_all_probed_within_one_interval_and_bounded() {
    let rig = Arc::new(Rig::default());
    let connections = (0..5_000)
        .map(|n| connection(&format!("c{n}"), &format!("https://h{n}.example")))
        .collect();
    let probe = rig.probe(Duration::from_millis(300), |_| Reason::Connected);
    let mut watch = Watch::new(probe, connections, WatchSettings::default());
    let events = events_within(&mut watch, Duration::from_secs(63)).await;
    let names: HashSet<_> = events
        .iter()
        .filter_map(|event| match event {
            WatchEvent::Finished { verdict, .. } => verdict.connection.clone(),
            _ => None,
        })
        .collect();
    assert_eq!(names.len(), 5_000);
    assert!(rig.most() <= 64, "{}", rig.most());
}

#[tokio::test(start_paused = true)]
async fn one_host_never_gets_more_than_its_share() {
    let rig = Arc::new(Rig::default());
    let connections = (0..40)
        .map(|n| connection(&format!("c{n}"), "https://same.example"))
        .collect();
    let probe = rig.probe(Duration::from_secs(1), |_| Reason::Connected);
    let mut watch = Watch::new(probe, connections, WatchSettings::default());
    let events = events_within(&mut watch, Duration::from_secs(30)).await;
    assert_eq!(rig.most(), 4);
    assert!(starts(&events) >= 40, "{}", starts(&events));
}

#[tokio::test(start_paused = true)]
async fn a_slow_host_gathers_no_probes() {
    let rig = Arc::new(Rig::default());
    let mut slow = connection("slow", "https://slow.example");
    slow.interval_s = Some(1);
    let probe = rig.probe(Duration::from_secs(30), |_| Reason::ResponseTimeout);
    let mut watch = Watch::new(probe, vec![slow], WatchSettings::default());
    let events = events_within(&mut watch, Duration::from_secs(100)).await;
    assert_eq!(rig.most(), 1);
    assert!(starts(&events) <= 4);
}

#[tokio::test(start_paused = true)]
async fn paused_starts_nothing_and_goes_on_afterwards() {
    let rig = Arc::new(Rig::default());
    let probe = rig.probe(Duration::from_millis(5), |_| Reason::Connected);
    let connections = vec![connection("a", "https://a.example")];
    let mut watch = Watch::new(probe, connections, WatchSettings::default());
    watch.set_paused(true);
    assert!(
        events_within(&mut watch, Duration::from_secs(600))
            .await
            .is_empty()
    );
    watch.set_paused(false);
    let events = events_within(&mut watch, Duration::from_secs(31)).await;
    assert_eq!(starts(&events), 1);
}

#[tokio::test(start_paused = true)]
async fn down_is_announced_after_two_failures() {
    let rig = Arc::new(Rig::default());
    let probe = rig.probe(Duration::from_millis(5), |_| Reason::Refused);
    let connections = vec![connection("a", "https://a.example")];
    let mut watch = Watch::new(probe, connections, WatchSettings::default());
    let events = events_within(&mut watch, Duration::from_secs(150)).await;
    let changes: Vec<_> = events
        .iter()
        .filter_map(|event| match event {
            WatchEvent::Finished { change, .. } => Some(change.map(|change| change.to)),
            _ => None,
        })
        .collect();
    assert_eq!(changes.first(), Some(&None));
    assert_eq!(changes.get(1), Some(&Some(State::Down)));
}

/// How often a watch at one second asks within ten minutes, where each answer has this status and names a time
/// an hour from now.
async fn asked_within_ten_minutes(status: u16, reason: Reason) -> usize {
    let until = Timestamp::now() + jiff::SignedDuration::from_hours(1);
    let probe: Probe = Arc::new(move |connection: Arc<Connection>| {
        Box::pin(async move {
            let mut verdict = verdict(&connection, reason);
            (verdict.status, verdict.retry_at) = (status, Some(until));
            verdict
        })
    });
    let mut one = connection("a", "https://a.example");
    one.interval_s = Some(1);
    let mut watch = Watch::new(probe, vec![one], WatchSettings::default());
    starts(&events_within(&mut watch, Duration::from_secs(600)).await)
}

#[tokio::test(start_paused = true)]
async fn a_host_that_asked_for_quiet_is_left_alone_and_a_paused_key_is_watched_on() {
    for (status, reason) in [(429, Reason::RateLimited), (503, Reason::Maintenance)] {
        assert_eq!(
            asked_within_ten_minutes(status, reason).await,
            1,
            "{status}"
        );
    }
    let paused = asked_within_ten_minutes(0, Reason::AuthPaused).await;
    assert!(
        paused > 500,
        "{paused}: the way there is watched all the same"
    );
}

#[tokio::test(start_paused = true)]
async fn a_failure_that_may_not_be_confirmed_is_announced_by_itself() {
    let announced = async |quiet_s: i64, seconds: u64| {
        let until = Timestamp::now() + jiff::SignedDuration::from_secs(quiet_s);
        let probe: Probe = Arc::new(move |connection: Arc<Connection>| {
            Box::pin(async move {
                let mut verdict = verdict(&connection, Reason::Maintenance);
                (verdict.status, verdict.retry_at) = (503, Some(until));
                verdict
            })
        });
        let mut one = connection("a", "https://a.example");
        one.interval_s = Some(10);
        let mut watch = Watch::new(probe, vec![one], WatchSettings::default());
        changes(&events_within(&mut watch, Duration::from_secs(seconds)).await)
    };
    assert_eq!(announced(3_600, 20).await, [State::Down]);
    assert_eq!(announced(5, 5).await, [], "the next probe will tell");
}

#[tokio::test(start_paused = true)]
async fn what_was_announced_before_a_pause_is_known_after_it() {
    let works = Arc::new(AtomicBool::new(false));
    let (probed, rig) = (Arc::clone(&works), Arc::new(Rig::default()));
    let probe = rig.probe(Duration::from_millis(5), move |_| {
        if probed.load(Ordering::SeqCst) {
            Reason::Connected
        } else {
            Reason::Refused
        }
    });
    let of = |paused| {
        vec![Connection {
            paused,
            ..connection("a", "https://a.example")
        }]
    };
    let mut watch = Watch::new(probe, of(false), WatchSettings::default());
    let events = events_within(&mut watch, Duration::from_secs(150)).await;
    assert_eq!(changes(&events), [State::Down]);
    watch.replace(of(true));
    works.store(true, Ordering::SeqCst);
    watch.replace(of(false));
    let events = events_within(&mut watch, Duration::from_secs(150)).await;
    let end = Change {
        from: Some(State::Down),
        to: State::Ok,
    };
    let told = |event: &WatchEvent| matches!(event, WatchEvent::Finished { change, .. } if *change == Some(end));
    assert!(
        events.iter().any(told),
        "whoever was told is told of the end"
    );
}

#[tokio::test(start_paused = true)]
async fn an_offline_machine_is_said_once_and_paints_nothing_red() {
    let rig = Arc::new(Rig::default());
    let connections = ["a", "b", "c", "d"]
        .map(|name| connection(name, &format!("https://{name}.example")))
        .to_vec();
    let probe = rig.probe(Duration::from_millis(5), |_| Reason::DnsFailed);
    let mut watch = Watch::new(probe, connections, WatchSettings::default());
    let events = events_within(&mut watch, Duration::from_secs(300)).await;
    let said = events
        .iter()
        .filter(|event| matches!(event, WatchEvent::Offline(_)))
        .count();
    assert_eq!(said, 1);
    assert!(!events.iter().any(|event| matches!(
        event,
        WatchEvent::Finished {
            change: Some(Change {
                to: State::Down,
                ..
            }),
            ..
        }
    )));
}

/// The lamps that the probes of each connection lit, one after another, and what was announced of it.
fn lamps_and_changes(events: &[WatchEvent], name: &str) -> (Vec<State>, Vec<State>) {
    let (mut lamps, mut announced) = (Vec::new(), Vec::new());
    for event in events {
        if let WatchEvent::Finished {
            verdict, change, ..
        } = event
            && verdict.connection.as_ref().map(Name::as_str) == Some(name)
        {
            lamps.push(verdict.state());
            announced.extend(change.map(|change| change.to));
        }
    }
    (lamps, announced)
}

/// An outage as a router that is gone makes it: the kernel says that there is no way only after a while, and to those
/// that are still waiting then; who gives up earlier sees a timeout.
#[tokio::test(start_paused = true)]
async fn a_timeout_while_this_machine_is_offline_is_no_news_of_its_host() {
    let began = Instant::now();
    let second = move || began.elapsed().as_secs();
    let probe: Probe = Arc::new(move |connection: Arc<Connection>| {
        Box::pin(async move {
            let is_early = connection.name.as_str().starts_with("early");
            let is_own = connection.name.as_str() == "own";
            let reason = match second() {
                _ if is_own => Reason::Refused,
                30..90 if is_early || second() < 41 => Reason::ConnectTimeout,
                30..90 => Reason::Unreachable,
                _ => Reason::Connected,
            };
            let takes = [3, 2_000][usize::from(reason == Reason::ConnectTimeout)];
            tokio::time::sleep(Duration::from_millis(takes)).await;
            verdict(&connection, reason)
        })
    });
    let six_of = |kind: &'static str| (0..6).map(move |n| format!("{kind}{n}"));
    let names: Vec<_> = six_of("early").chain(six_of("patient")).collect();
    let mut connections: Vec<_> = names
        .iter()
        .map(|name| connection(name, &format!("https://{name}.example")))
        .collect();
    connections.push(connection("own", "http://127.0.0.1"));
    for one in &mut connections {
        one.interval_s = Some(5);
    }
    let mut watch = Watch::new(probe, connections, WatchSettings::default());
    let events = events_within(&mut watch, Duration::from_secs(150)).await;
    let said = events.iter().filter_map(|event| match event {
        WatchEvent::Offline(offline) => Some(*offline),
        _ => None,
    });
    assert_eq!(said.collect::<Vec<_>>(), [true, false]);
    for name in &names {
        let (lamps, announced) = lamps_and_changes(&events, name);
        assert_eq!(announced, [State::Ok], "{name}");
        // Red for a moment, as the lamp shows the last probe; then as of a machine that is offline.
        let of = |state| lamps.iter().filter(|lamp| **lamp == state).count();
        assert!(
            of(State::Down) <= 3 && of(State::Unknown) >= 6,
            "{name}: {lamps:?}"
        );
    }
    assert_eq!(lamps_and_changes(&events, "own").1, [State::Down]);
}

#[tokio::test(start_paused = true)]
async fn a_host_that_is_gone_while_others_answer_is_announced_by_its_second_failure() {
    let probe = Arc::new(Rig::default()).probe(Duration::from_millis(5), |name| {
        if name.as_str().starts_with("gone") {
            Reason::ConnectTimeout
        } else {
            Reason::Connected
        }
    });
    let names = ["gone1", "gone2", "a", "b", "c"];
    let connections = names.map(|name| Connection {
        interval_s: Some(5),
        ..connection(name, &format!("https://{name}.example"))
    });
    let mut watch = Watch::new(probe, connections.to_vec(), WatchSettings::default());
    let events = events_within(&mut watch, Duration::from_secs(13)).await;
    for name in ["gone1", "gone2"] {
        let (lamps, announced) = lamps_and_changes(&events, name);
        assert!((2..=3).contains(&lamps.len()), "{lamps:?}");
        assert_eq!(announced, [State::Down], "{name}");
    }
}

/// They may all be behind one router that is down, while this machine is well.
#[tokio::test(start_paused = true)]
async fn hosts_that_all_time_out_are_announced_after_a_moment() {
    let probe = Arc::new(Rig::default()).probe(Duration::from_secs(2), |_| Reason::ConnectTimeout);
    let names = ["a", "b", "c", "d"];
    let connections = names.map(|name| Connection {
        interval_s: Some(5),
        ..connection(name, &format!("https://{name}.example"))
    });
    let mut watch = Watch::new(probe, connections.to_vec(), WatchSettings::default());
    let events = events_within(&mut watch, Duration::from_secs(12)).await;
    assert_eq!(changes(&events), []);
    let events = events_within(&mut watch, Duration::from_secs(18)).await;
    assert_eq!(changes(&events), [State::Down; 4]);
}

/// A name of the hosts file that leads here answers whatever the network does.
#[tokio::test(start_paused = true)]
async fn this_machine_under_another_name_does_not_show_that_the_network_works() {
    let probe: Probe = Arc::new(|connection: Arc<Connection>| {
        Box::pin(async move {
            let is_own = connection.name == Name::parse("own").unwrap();
            let reason = [Reason::DnsFailed, Reason::Connected][usize::from(is_own)];
            let mut verdict = verdict(&connection, reason);
            verdict.addresses = is_own
                .then_some(crate::domain::Address {
                    address: ([127, 0, 0, 1], 443).into(),
                    state: State::Ok,
                    ms: None,
                })
                .into_iter()
                .collect();
            verdict
        })
    });
    let connections = ["a", "b", "c", "own"]
        .map(|name| connection(name, &format!("https://{name}.example")))
        .to_vec();
    let mut watch = Watch::new(probe, connections, WatchSettings::default());
    let events = events_within(&mut watch, Duration::from_secs(300)).await;
    let said = events.iter().filter_map(|event| match event {
        WatchEvent::Offline(offline) => Some(*offline),
        _ => None,
    });
    assert_eq!(said.collect::<Vec<_>>(), [true]);
}

#[tokio::test(start_paused = true)]
async fn many_connections_to_a_few_hosts_are_a_few_hosts() {
    let rig = Arc::new(Rig::default());
    let connections = (0..100).map(|n| {
        let url = format!("https://{}.example/{n}", n % 5);
        connection(&format!("c{n}"), &url)
    });
    let probe = rig.probe(Duration::from_millis(5), |_| Reason::DnsFailed);
    let mut watch = Watch::new(
        probe,
        connections.collect::<Vec<_>>(),
        WatchSettings::default(),
    );
    let events = events_within(&mut watch, Duration::from_secs(120)).await;
    let is_offline = |event: &WatchEvent| matches!(event, WatchEvent::Offline(true));
    assert!(events.iter().any(is_offline));
    assert_eq!(changes(&events), []);
}

#[tokio::test(start_paused = true)]
async fn another_interval_of_the_settings_is_obeyed_while_it_runs() {
    let rig = Arc::new(Rig::default());
    let probe = rig.probe(Duration::from_millis(5), |_| Reason::Connected);
    let mut own = connection("own", "https://own.example");
    own.interval_s = Some(600);
    let all = vec![connection("a", "https://a.example"), own];
    let mut watch = Watch::new(probe, all, WatchSettings::default());
    events_within(&mut watch, Duration::from_secs(5)).await;
    let often = Settings {
        interval_s: 10,
        ..Settings::default()
    };
    watch.obey(&often);
    let events = events_within(&mut watch, Duration::from_secs(100)).await;
    assert!((9..=13).contains(&starts(&events)), "{}", starts(&events));
    watch.obey(&often);
    let events = events_within(&mut watch, Duration::from_secs(5)).await;
    assert!(starts(&events) <= 1, "the same settings start nothing anew");
}

#[tokio::test(start_paused = true)]
async fn what_is_removed_is_ended_and_what_is_changed_comes_soon() {
    let rig = Arc::new(Rig::default());
    let probe = rig.probe(Duration::from_secs(20), |_| Reason::Connected);
    let connections = vec![connection("gone", "https://a.example")];
    let mut watch = Watch::new(probe, connections, WatchSettings::default());
    assert_eq!(
        starts(&events_within(&mut watch, Duration::from_secs(1)).await),
        1
    );
    watch.replace(vec![connection("new", "https://b.example")]);
    let events = events_within(&mut watch, Duration::from_secs(30)).await;
    let finished: Vec<_> = events
        .iter()
        .filter_map(|event| match event {
            WatchEvent::Finished { verdict, .. } => verdict.connection.clone(),
            _ => None,
        })
        .collect();
    assert_eq!(finished, [Name::parse("new").unwrap()]);
}

/// The key goes along with a probe: a note is no reason for one more.
#[tokio::test(start_paused = true)]
async fn a_note_is_no_reason_to_ask_again_and_another_url_is() {
    let rig = Arc::new(Rig::default());
    let probe = rig.probe(Duration::from_millis(5), |_| Reason::Connected);
    let mut shop = connection("shop", "https://a.example");
    let mut watch = Watch::new(probe, vec![shop.clone()], WatchSettings::default());
    events_within(&mut watch, Duration::from_secs(1)).await;
    shop.note = "moved in May".to_owned();
    watch.replace(vec![shop.clone()]);
    let events = events_within(&mut watch, Duration::from_secs(5)).await;
    assert_eq!(starts(&events), 0);
    shop.url = "https://b.example".to_owned();
    watch.replace(vec![shop]);
    let events = events_within(&mut watch, Duration::from_secs(5)).await;
    assert_eq!(starts(&events), 1);
}

fn changes(events: &[WatchEvent]) -> Vec<State> {
    let change = |event: &WatchEvent| match event {
        WatchEvent::Finished { change, .. } => change.map(|change| change.to),
        _ => None,
    };
    events.iter().filter_map(change).collect()
}

#[tokio::test(start_paused = true)]
async fn within_maintenance_nothing_is_announced_and_what_lasts_is_afterwards() {
    for of_all in [false, true] {
        let rig = Arc::new(Rig::default());
        let probe = rig.probe(Duration::from_millis(5), |_| Reason::Refused);
        let always: Window = "daily 00:00-24:00".parse().unwrap();
        let mut planned = connection("a", "https://a.example");
        let mut settings = WatchSettings::default();
        if of_all {
            settings.maintenance = vec![always];
        } else {
            planned.maintenance = vec![always];
        }
        let mut watch = Watch::new(probe, vec![planned], settings);
        let events = events_within(&mut watch, Duration::from_secs(600)).await;
        assert!(starts(&events) >= 9, "probes go on");
        assert_eq!(changes(&events), []);
        watch.obey(&Settings::default());
        watch.replace(vec![connection("a", "https://a.example")]);
        let events = events_within(&mut watch, Duration::from_secs(200)).await;
        assert_eq!(changes(&events), [State::Down]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_paused_connection_is_left_out_until_it_is_not() {
    let rig = Arc::new(Rig::default());
    let probe = rig.probe(Duration::from_millis(5), |_| Reason::Connected);
    let of = |paused| {
        let paused = Connection {
            paused,
            ..connection("a", "https://a.example")
        };
        vec![paused, connection("b", "https://b.example")]
    };
    let mut watch = Watch::new(probe, of(true), WatchSettings::default());
    let started = |events: &[WatchEvent], name: &str| {
        let name = Name::parse(name).unwrap();
        events.contains(&WatchEvent::Started(name))
    };
    let events = events_within(&mut watch, Duration::from_secs(300)).await;
    assert!(!started(&events, "a") && started(&events, "b"));
    watch.replace(of(false));
    let events = events_within(&mut watch, Duration::from_secs(90)).await;
    assert!(started(&events, "a"));
    watch.replace(of(true));
    let events = events_within(&mut watch, Duration::from_secs(300)).await;
    assert!(!started(&events, "a") && started(&events, "b"));
}

#[tokio::test(start_paused = true)]
async fn eight_hours_of_sleep_pile_nothing_up() {
    let rig = Arc::new(Rig::default());
    let connections = (0..1_000)
        .map(|n| connection(&format!("c{n}"), &format!("https://h{n}.example")))
        .collect();
    let probe = rig.probe(Duration::from_millis(5), |_| Reason::Connected);
    let mut watch = Watch::new(probe, connections, WatchSettings::default());
    events_within(&mut watch, Duration::from_secs(70)).await;
    // Nobody pulls the watch, as where the machine sleeps or the program is stopped.
    tokio::time::advance(Duration::from_secs(8 * 3_600)).await;
    for second in 0..32 {
        let events = events_within(&mut watch, Duration::from_secs(1)).await;
        // Those that were not a whole interval late may come at once.
        assert!(starts(&events) <= 200, "{second}: {}", starts(&events));
    }
}

/// A locked vault is no news of the services whose keys are in it; what is not at hand once it is open is.
#[tokio::test(start_paused = true)]
async fn a_lock_is_not_announced() {
    let locked = Arc::new(AtomicBool::new(true));
    let reason = Arc::new(Mutex::new(Reason::SecretUnavailable));
    let found = {
        let reason = Arc::clone(&reason);
        move |_: &Name| *reason.lock().unwrap()
    };
    let probe = Arc::new(Rig::default()).probe(Duration::from_millis(5), found);
    let is_locked = {
        let locked = Arc::clone(&locked);
        Arc::new(move |_| -> BoxFuture<'static, bool> {
            Box::pin(std::future::ready(locked.load(Ordering::SeqCst)))
        })
    };
    let one = connection("one", "https://a.example");
    let mut watch =
        Watch::new(probe, vec![one.clone()], WatchSettings::default()).silent_while(is_locked);
    watch.entries.get_mut(&one.name).unwrap().damping = Damping::resumed(State::Ok);
    let mut announced = async |next: Reason, open: bool| {
        *reason.lock().unwrap() = next;
        locked.store(!open, Ordering::SeqCst);
        watch.hasten(&one.name);
        loop {
            if let WatchEvent::Finished { change, .. } = watch.next().await {
                return change.map(|change| change.to);
            }
        }
    };
    assert_eq!(announced(Reason::SecretUnavailable, false).await, None);
    assert_eq!(announced(Reason::Connected, true).await, None, "as before");
    assert_eq!(
        announced(Reason::SecretUnavailable, true).await,
        Some(State::Unknown)
    );
    assert_eq!(
        announced(Reason::Refused, false).await,
        None,
        "the first failure"
    );
    assert_eq!(announced(Reason::Refused, false).await, Some(State::Down));
}

/// Whether the vault is locked may not be known for long, as on a share that hangs: nobody else waits for that.
#[tokio::test(start_paused = true)]
async fn a_lock_that_cannot_be_looked_at_holds_up_no_other_probe() {
    let found = |name: &Name| match name.as_str() {
        "kept" => Reason::SecretUnavailable,
        _ => Reason::Connected,
    };
    let probe = Arc::new(Rig::default()).probe(Duration::from_millis(5), found);
    let connections =
        ["kept", "free"].map(|name| connection(name, &format!("https://{name}.example")));
    let mut watch = Watch::new(probe, connections.to_vec(), WatchSettings::default())
        .silent_while(Arc::new(|_| Box::pin(std::future::pending())));
    let events = events_within(&mut watch, Duration::from_secs(300)).await;
    let ended = |name: &str| {
        let is_of = |event: &&WatchEvent| match event {
            WatchEvent::Finished { verdict, .. } => verdict
                .connection
                .as_ref()
                .is_some_and(|it| it.as_str() == name),
            _ => false,
        };
        events.iter().filter(is_of).count()
    };
    assert!(ended("free") >= 4, "{}", ended("free"));
    assert_eq!(ended("kept"), 0);
}
