//! The whole screen but for the terminal: fake keys in, a picture out, real services on loopback behind it.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::string_slice,
    reason = "what is missing shall fail the test"
)]

#[path = "session/endurance.rs"]
mod endurance;
#[path = "session/slow_line.rs"]
mod slow_line;

mod support;

use std::cell::Cell;
use std::io;
use std::sync::atomic::Ordering;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use support::person::{self, Person};
use switchboard::app::Model;
use switchboard::app::effect::ScreenEnd;
use switchboard::clipboard::Terminal;
use switchboard::config::Environment;
use switchboard::domain::{Connection, Name, Secret, ServiceId};
use switchboard::sim::{Behaviour, Blesta, Log, Presented, ServicePort, Sim, SimSettings};
use switchboard::tui::event_loop::Inbound;
use switchboard::tui::keyboard::decode::TerminalInput;
use switchboard::work::{Core, Rehearsed};
use tokio::time::Instant;

/// Far beyond what anything here takes.
const LIMIT: Duration = Duration::from_secs(60);

thread_local! {
    static BEGAN: Cell<Option<(Timestamp, Instant)>> = const { Cell::new(None) };
    static SKIPPED: Cell<SignedDuration> = const { Cell::new(SignedDuration::ZERO) };
}

/// Some time goes by at once.
fn skip(time: SignedDuration) {
    SKIPPED.set(SKIPPED.get() + time);
}

/// The time that goes by as the runtime's does, paused or not, and by leaps.
fn runtime_time() -> Timestamp {
    let (wall, began) = BEGAN.get().unwrap_or_else(|| {
        let now = (Timestamp::now(), Instant::now());
        BEGAN.set(Some(now));
        now
    });
    wall + SignedDuration::try_from(began.elapsed()).unwrap() + SKIPPED.get()
}

/// Runs the screen over `core` while `plot` is at the keys; the code that the screen ended with.
async fn session(core: Core, plot: impl AsyncFnOnce(&mut Person)) -> io::Result<ScreenEnd> {
    lasting(core, plot).await.0
}

/// The same, with the model as it was at the end.
async fn lasting(
    core: Core,
    plot: impl AsyncFnOnce(&mut Person),
) -> (io::Result<ScreenEnd>, Model) {
    person::lasting(core, (100, 30), runtime_time, plot).await
}

/// A core in memory with these connections.
async fn core(rehearsed: Vec<Rehearsed>) -> Core {
    Core::rehearsal(Environment::of([]), rehearsed)
        .await
        .unwrap()
}

fn rehearsed(name: &str, url: &str, blesta: &Blesta) -> Rehearsed {
    let mut connection = Connection::new(Name::parse(name).unwrap(), ServiceId::blesta(), url);
    connection.username.clone_from(&blesta.username);
    Rehearsed {
        connection,
        key: Some(Secret::new(blesta.key.as_str())),
        token: None,
    }
}

fn sim() -> Sim {
    Sim::bare(SimSettings::default()).unwrap()
}

/// The log, as soon as `test` holds for it.
async fn logged(sim: &Sim, what: &str, test: impl FnMut(&Log) -> bool) -> Log {
    let waited = tokio::time::timeout(LIMIT, sim.wait_for(test)).await;
    waited.unwrap_or_else(|_| panic!("{what} did not come: {:#?}", sim.log()))
}

fn raise(sim: &mut Sim, blesta: &Blesta) -> ServicePort {
    sim.serve(Behaviour::Blesta(blesta.clone())).unwrap()
}

fn field<'a>(screen: &'a str, name: &str) -> &'a str {
    let mut lines = screen.lines();
    let marked = format!("▸{name}");
    let plain = format!("│ {name}");
    lines
        .find(|line| line.contains(&marked) || line.contains(&plain))
        .unwrap_or("")
}

fn row<'a>(screen: &'a str, name: &str) -> &'a str {
    let named = |line: &&str| line.chars().take(30).collect::<String>().contains(name);
    screen.lines().find(named).unwrap_or("")
}

#[tokio::test]
async fn each_field_is_tested_as_it_is_typed_and_no_key_goes_early() {
    let mut sim = sim();
    let blesta = sim.blesta();
    let stand = raise(&mut sim, &blesta);
    let ended = session(core(Vec::new()).await, async |person: &mut Person| {
        person.sees("none yet").await;
        person.press("n");
        person.types(&stand.url);
        person.sees("● service found").await;
        let log = sim.log();
        assert_eq!(log.at(stand.port).len(), 1, "one run for all letters");
        assert_eq!(log.at(stand.port)[0].presented, Presented::Nothing);

        person.press("tab");
        person.types(&blesta.username);
        person.press("tab");
        person.types(&blesta.key[..31]);
        person.sees("not of Blesta's shape").await;
        assert_eq!(
            sim.log().keys_sent(stand.port),
            0,
            "not the key's shape yet"
        );

        person.types(&blesta.key[31..]);
        person.sees("● Successfully Connected").await;
        let log = sim.log();
        let keyed: Vec<_> = log
            .at(stand.port)
            .into_iter()
            .filter(|seen| seen.presented.carried_key())
            .collect();
        assert!(
            keyed.iter().all(|seen| matches!(
                seen.presented,
                Presented::Basic { matched: true } | Presented::Headers { matched: true }
            )),
            "only the whole key was ever sent: {keyed:#?}"
        );
        assert!(field(&person.screen(), "Key").contains("● accepted"));
    })
    .await;
    assert_eq!(ended.unwrap(), ScreenEnd::Quit);
}

#[tokio::test]
async fn typing_on_closes_the_old_connection_and_counts_the_new_one() {
    let mut sim = sim();
    let blesta = sim.blesta();
    let (slow, other) = (raise(&mut sim, &blesta), raise(&mut sim, &blesta));
    let front = switchboard::sim::StockPage::Front("Our Shop".into());
    sim.control(&other.url).unwrap().set(Behaviour::Page(front));
    let held = sim.control(&slow.url).unwrap().clone();
    held.hold();
    session(core(Vec::new()).await, async |person: &mut Person| {
        person.sees("none yet").await;
        person.press("n");
        person.types(&slow.url);
        logged(&sim, "the first run", |log| log.at(slow.port).len() == 1).await;
        person.press("ctrl-u");
        person.types(&other.url);
        logged(&sim, "our end of it", |log| {
            log.at(slow.port)[0].closed_by_client
        })
        .await;
        person
            .sees_that("the other's verdict", |screen| {
                field(screen, "URL").contains('▲')
            })
            .await;
        held.release();
        person.types("/");
        logged(&sim, "a further run", |log| log.at(other.port).len() >= 2).await;
        person
            .sees_that("the verdict still", |screen| {
                field(screen, "URL").contains('▲')
            })
            .await;
        assert_eq!(sim.log().at(slow.port).len(), 1);
    })
    .await
    .unwrap();
}

#[tokio::test]
async fn a_key_that_is_typed_over_is_heard_out_and_changes_nothing() {
    let mut sim = sim();
    let blesta = sim.blesta();
    let stand = raise(&mut sim, &blesta);
    let held = sim.control(&stand.url).unwrap().clone();
    session(core(Vec::new()).await, async |person: &mut Person| {
        person.sees("none yet").await;
        person.press("n");
        person.types(&stand.url);
        person.sees("● service found").await;
        person.press("tab");
        person.types(&blesta.username);
        held.hold();
        person.press("tab");
        person.types(&blesta.key);
        logged(&sim, "the key", |log| log.keys_sent(stand.port) == 1).await;
        person.press("backspace");
        held.release();
        person.sees("not of Blesta's shape").await;
        let screen = person.screen();
        assert!(!screen.contains("Successfully"), "{screen}");
        assert!(!field(&screen, "Key").contains("accepted"), "{screen}");
        assert_eq!(sim.log().keys_sent(stand.port), 1);
    })
    .await
    .unwrap();
}

/// Typing on over a slow host cuts off one probe after the other; each had sent the key. None of them is taken
/// for a refusal.
#[tokio::test]
async fn a_good_key_is_not_paused_by_typing_on_over_a_slow_host() {
    let mut sim = sim();
    let blesta = sim.blesta();
    let stand = raise(&mut sim, &blesta);
    let held = sim.control(&stand.url).unwrap().clone();
    session(core(Vec::new()).await, async |person: &mut Person| {
        person.sees("none yet").await;
        person.press("n");
        person.types(&stand.url);
        person.sees("● service found").await;
        person.press("tab");
        person.types(&blesta.username);
        held.hold();
        person.press("tab");
        person.types(&blesta.key);
        logged(&sim, "the key", |log| log.keys_sent(stand.port) == 1).await;
        person.press("backspace");
        person.types(&blesta.key[31..]);
        logged(&sim, "the key again", |log| log.keys_sent(stand.port) == 2).await;
        person.press("tab");
        person.types("some token");
        held.release();
        person.sees("Successfully Connected").await;
        assert!(!person.screen().contains("not sent"), "{}", person.screen());
    })
    .await
    .unwrap();
}

/// Five keys, whatever else is typed: then none is sent, and the screen says until when.
#[tokio::test]
async fn ten_different_wrong_keys_typed_in_the_form_are_stopped_at_five() {
    let mut sim = sim();
    let blesta = sim.blesta();
    let stand = raise(&mut sim, &blesta);
    session(core(Vec::new()).await, async |person: &mut Person| {
        person.sees("none yet").await;
        person.press("n");
        person.types(&stand.url);
        person.sees("● service found").await;
        person.press("tab");
        person.types(&blesta.username);
        person.press("tab");
        for number in 0..10 {
            let before = sim.log().connections(stand.port);
            person.press("ctrl-u");
            person.types(&format!("{number:032x}"));
            // With the key, or, once that is over, to see whether the host is within reach.
            logged(&sim, "a probe of the key", |log| {
                log.connections(stand.port) > before
            })
            .await;
        }
        person.sees("Key not sent").await;
        let sent = sim.log().keys_sent(stand.port);
        assert!((1..=5).contains(&sent), "{sent} keys were sent");
    })
    .await
    .unwrap();
}

/// Two connections, one with the right key and one with a wrong one, both held and let go one by one.
async fn in_flight_together(bad_first: bool) {
    let mut sim = sim();
    let blesta = sim.blesta();
    let (good, bad) = (raise(&mut sim, &blesta), raise(&mut sim, &blesta));
    let wrong = Blesta {
        key: "0".repeat(32),
        ..blesta.clone()
    };
    let of_good = sim.control(&good.url).unwrap().clone();
    let of_bad = sim.control(&bad.url).unwrap().clone();
    of_good.hold();
    of_bad.hold();
    let core = core(vec![
        rehearsed("good", &good.url, &blesta),
        rehearsed("bad", &bad.url, &wrong),
    ])
    .await;
    let is_up = |screen: &str| row(screen, "good").contains("● up");
    let is_refused = |screen: &str| row(screen, "bad").contains("▲ check");
    session(core, async |person: &mut Person| {
        logged(&sim, "both in flight", |log| {
            !log.at(good.port).is_empty() && !log.at(bad.port).is_empty()
        })
        .await;
        if bad_first {
            of_bad.release();
            let screen = person.sees_that("the refusal", is_refused).await;
            assert!(row(&screen, "good").contains("probing"), "{screen}");
            of_good.release();
        } else {
            of_good.release();
            let screen = person.sees_that("the acceptance", is_up).await;
            assert!(row(&screen, "bad").contains("probing"), "{screen}");
            of_bad.release();
        }
        person
            .sees_that("both verdicts", |screen| {
                is_up(screen) && is_refused(screen)
            })
            .await;
    })
    .await
    .unwrap();
}

#[tokio::test]
async fn opposite_answers_in_flight_never_swap() {
    in_flight_together(true).await;
    in_flight_together(false).await;
}

#[tokio::test]
async fn the_key_of_a_filled_connection_goes_nowhere_new_while_its_url_is_edited() {
    let mut sim = sim();
    let blesta = sim.blesta();
    let (home, foreign) = (raise(&mut sim, &blesta), raise(&mut sim, &blesta));
    let core = core(vec![rehearsed("shop", &home.url, &blesta)]).await;
    session(core, async |person: &mut Person| {
        person.sees("● Successfully Connected").await;
        person.press("e");
        person
            .sees_that("the loaded key", |screen| {
                field(screen, "Key").contains(&"•".repeat(32))
            })
            .await;
        person.press("up up ctrl-u");
        person.types(&foreign.url);
        logged(&sim, "a look at the new host", |log| {
            !log.at(foreign.port).is_empty()
        })
        .await;
        person.sees("● service found").await;
        person.press("tab");
        person.sees("send the stored key").await;
        assert_eq!(sim.log().keys_sent(foreign.port), 0);
        // What is typed ahead is no answer.
        skip(SignedDuration::from_secs(1));
        person.press("n");
        person
            .sees_that("the closed question", |screen| {
                !screen.contains("send the stored key")
            })
            .await;
        // Nor does the next look at that host bring it.
        let before = sim.log().at(foreign.port).len();
        person.press("up up");
        person.types("/");
        logged(&sim, "a further look at the new host", |log| {
            log.at(foreign.port).len() > before
        })
        .await;
        person.sees("● service found").await;
        assert_eq!(sim.log().keys_sent(foreign.port), 0, "the answer was no");
    })
    .await
    .unwrap();
}

/// Over a slow line the question is on its way for seconds: a yes that comes before the terminal has answered behind it
/// was pressed for something else.
#[tokio::test]
async fn a_key_is_sent_nowhere_for_a_yes_from_before_the_question_was_seen() {
    let mut sim = sim();
    let blesta = sim.blesta();
    let (home, foreign) = (raise(&mut sim, &blesta), raise(&mut sim, &blesta));
    let core = core(vec![rehearsed("shop", &home.url, &blesta)]).await;
    session(core, async |person: &mut Person| {
        person.sees("● Successfully Connected").await;
        person.press("e");
        person
            .sees_that("the loaded key", |screen| {
                field(screen, "Key").contains(&"•".repeat(32))
            })
            .await;
        person.is_far.store(true, Ordering::SeqCst);
        person.press("up up ctrl-u");
        person.types(&foreign.url);
        person.sees("● service found").await;
        person.press("tab");
        person.sees("send the stored key").await;
        skip(SignedDuration::from_secs(5));
        person.press("y");
        let screen = person.sees("too soon").await;
        assert!(screen.contains("send the stored key"), "{screen}");
        assert_eq!(sim.log().keys_sent(foreign.port), 0);
        // The answers to the two questions behind it.
        person.answers_in(Duration::ZERO);
        person.answers_in(Duration::ZERO);
        let seen = async {
            while person.flow.lock().unwrap().awaits_sight() {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(LIMIT, seen).await.unwrap();
        skip(SignedDuration::from_secs(2));
        person.press("y");
        logged(&sim, "the key at the new host", |log| {
            log.keys_sent(foreign.port) > 0
        })
        .await;
    })
    .await
    .unwrap();
}

/// The terminal's answer comes behind keys that were typed before: it tells of the question that was there, not of the
/// one that those keys have opened.
#[tokio::test]
async fn nothing_is_deleted_for_a_yes_to_a_question_that_was_not_seen() {
    let blesta = Blesta::new("shop-api", "0123456789abcdef0123456789abcdef", "127.0.0.1");
    let all = ["a", "b", "c"].map(|name| rehearsed(name, "ftp://nowhere", &blesta));
    session(core(all.into()).await, async |person: &mut Person| {
        person.sees("3 unknown").await;
        person.is_far.store(true, Ordering::SeqCst);
        person.press("d");
        person.sees("a: remove it").await;
        person.press("n j d");
        person.tells(TerminalInput::Status);
        person.sees("b: remove it").await;
        skip(SignedDuration::from_secs(5));
        person.press("y");
        let screen = person.sees("too soon").await;
        assert!(screen.contains("b: remove it"), "{screen}");
    })
    .await
    .unwrap();
}

#[tokio::test]
async fn keys_are_heard_when_nothing_else_wakes_the_loop() {
    session(core(Vec::new()).await, async |person: &mut Person| {
        person.sees("none yet").await;
        person.press("n");
        person.sees("new, not saved").await;
        for (at, letter) in "ftp://x".char_indices() {
            person.types(&letter.to_string());
            let typed = &"ftp://x"[..=at];
            person
                .sees_that(typed, |screen| field(screen, "URL").contains(typed))
                .await;
        }
    })
    .await
    .unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_shown_handle_hides_after_ten_seconds() {
    let blesta = Blesta::new("shop-api", "0123456789abcdef0123456789abcdef", "127.0.0.1");
    let core = core(vec![rehearsed("shop", "ftp://nowhere", &blesta)]).await;
    session(core, async |person: &mut Person| {
        person.sees("shop").await;
        assert!(!person.screen().contains(&blesta.key));
        person.press("v");
        person.sees(&blesta.key).await;
        let shown = Instant::now();
        person
            .sees_that("the hidden handle", |screen| !screen.contains(&blesta.key))
            .await;
        let time = shown.elapsed();
        assert!(
            time >= Duration::from_secs(9) && time <= Duration::from_secs(11),
            "{time:?}"
        );
    })
    .await
    .unwrap();
}

/// The copy of [`HANDLE`].
const COPY: &str = "\x1b]52;c;MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=\x1b\\";
const HANDLE: &str = "0123456789abcdef0123456789abcdef";

/// One connection over SSH, with these variables.
async fn over_ssh(variables: &[(&'static str, &'static str)]) -> Core {
    let blesta = Blesta::new("shop-api", HANDLE, "127.0.0.1");
    let variables = [&[("SSH_CONNECTION", "a 1 b 22")], variables].concat();
    let environment = Environment::of(variables);
    let connections = vec![rehearsed("shop", "ftp://nowhere", &blesta)];
    let core = Core::rehearsal(environment, connections).await.unwrap();
    core.with_terminal(Terminal::Silent)
}

#[tokio::test(start_paused = true)]
async fn a_copied_handle_is_written_once_and_cleared_after_its_time() {
    let core = over_ssh(&[("TERM", "xterm")]).await;
    session(core, async |person: &mut Person| {
        person.sees("shop").await;
        person.press("y");
        person.sees("does not confirm").await;
        let copied = format!("{COPY}\x1b[c");
        assert_eq!(person.written(), copied, "the terminal is asked behind it");
        let copied_at = Instant::now();
        person
            .sees_that("the cleared clipboard", |screen| {
                !screen.contains("clears in")
            })
            .await;
        assert!(copied_at.elapsed() >= Duration::from_secs(19));
        // The picture may come before the bytes, which a task of its own makes.
        for _ in 0..1_000 {
            if person.written() != copied {
                break;
            }
            tokio::task::yield_now().await;
        }
        let written = person.written();
        assert_eq!(
            written,
            format!("{copied}\x1b]52;c;IA==\x1b\\"),
            "one blank"
        );
    })
    .await
    .unwrap();
}

/// However late it says so; what is copied later is said to be there at once, and the terminal asked no more.
#[tokio::test(start_paused = true)]
async fn what_a_terminal_announces_is_said_of_the_running_copy_and_of_later_ones() {
    let core = over_ssh(&[("TERM", "xterm")]).await;
    session(core, async |person: &mut Person| {
        person.sees("shop").await;
        person.press("y");
        person.sees("sent; this terminal does not confirm").await;
        let late = Duration::from_secs(7);
        person.tells_in(late, TerminalInput::Attributes(Terminal::Announces));
        person
            .sees("copied → your terminal (OSC 52), clears in 1")
            .await;
        person.sees_no("clears in").await;
        person.press("y");
        let both = |screen: &str| screen.contains("clears in 20");
        let screen = person.sees_that("the second copy", both).await;
        assert!(screen.contains("copied → your terminal"), "{screen}");
        let blank = "\x1b]52;c;IA==\x1b\\";
        let written = format!("{COPY}\x1b[c{blank}{COPY}");
        // The picture may come before the bytes.
        for _ in 0..1_000 {
            if person.written() == written {
                break;
            }
            tokio::task::yield_now().await;
        }
        assert_eq!(person.written(), written);
    })
    .await
    .unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_terminal_that_announces_nothing_or_was_not_asked_is_said_to_confirm_nothing() {
    let silent = TerminalInput::Attributes(Terminal::Silent);
    let announces = TerminalInput::Attributes(Terminal::Announces);
    // It can't be called: the copy goes past it.
    let tmux = [("TMUX", "/nowhere,1,0"), ("PATH", "/nowhere")];
    let tmux = [&tmux[..], &[("TERM", "tmux-256color")]].concat();
    let screen = [("TERM", "screen"), ("STY", "1.pts-0")];
    let behind = [("TERM", "tmux-256color")];
    let xterm = [("TERM", "xterm")];
    for (variables, answer, asked) in [
        (&xterm[..], Some(&silent), true),
        (&xterm, None, true),
        (&tmux, Some(&announces), false),
        (&screen, Some(&announces), false),
        (&behind, Some(&announces), false),
    ] {
        session(over_ssh(variables).await, async |person: &mut Person| {
            person.sees("shop").await;
            for _ in 0..2 {
                person.press("y");
                let screen = person.sees("clears in 20").await;
                assert!(screen.contains("sent; th"), "{screen}");
                if let Some(answer) = answer {
                    person.tells_in(Duration::from_millis(500), answer.clone());
                }
                let screen = person.sees("clears in 18").await;
                assert!(screen.contains("sent; th"), "{screen}");
            }
            let written = person.written();
            assert_eq!(written.matches("]52;c;").count(), 2, "{variables:?}");
            let questions = written.matches("\x1b[c").count();
            assert_eq!(questions, usize::from(asked), "{variables:?}");
        })
        .await
        .unwrap();
    }
}

/// Whoever reads next would take it for keys.
#[tokio::test(start_paused = true)]
async fn the_end_waits_for_what_the_terminal_was_asked() {
    let core = over_ssh(&[("TERM", "xterm")]).await;
    let mut asked = Instant::now();
    session(core, async |person: &mut Person| {
        person.sees("shop").await;
        person.press("y");
        person.sees("clears in 20").await;
        // What the core does beside that takes its own time.
        asked = Instant::now();
        let time = Duration::from_millis(120);
        person.tells_in(time, TerminalInput::Attributes(Terminal::Silent));
        person.press("q");
    })
    .await
    .unwrap();
    let taken = asked.elapsed();
    assert!(
        taken >= Duration::from_millis(120) && taken < Duration::from_millis(150),
        "{taken:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn what_was_copied_is_taken_back_before_the_program_is_stopped() {
    let core = over_ssh(&[("TERM", "xterm")]).await;
    session(core, async |person: &mut Person| {
        person.sees("shop").await;
        person.press("y");
        person.sees("clears in").await;
        let copied = person.written();
        person.press("ctrl-z");
        person.sees_no("clears in").await;
        let words = "overwritten with a blank; this terminal does not confirm";
        assert_eq!(
            person.written(),
            format!("{copied}\x1b]52;c;IA==\x1b\\[stopped]switchboard: clipboard: {words}\n")
        );
        person.press("ctrl-z");
        person.press("?");
        person.sees("Help").await;
        assert!(
            person.written().ends_with("[stopped]"),
            "there is nothing more to be said"
        );
    })
    .await
    .unwrap();
}

#[tokio::test]
async fn a_panic_in_a_task_ends_the_loop() {
    let ended = session(core(Vec::new()).await, async |person: &mut Person| {
        person.sees("none yet").await;
        person.queue.send(Inbound::Panicked).unwrap();
    })
    .await;
    assert_eq!(ended.unwrap(), ScreenEnd::Panicked);
}

#[tokio::test]
async fn the_help_comes_to_its_end_and_back() {
    session(core(Vec::new()).await, async |person: &mut Person| {
        person.sees("none yet").await;
        person.press("?");
        person.sees(" more ").await;
        person.press("end");
        let above = |line: &str| line.contains(" more ") && !line.contains('↓');
        let ended = |shown: &str| shown.lines().any(above);
        person.sees_that("the end of the help", ended).await;
        person.press("up");
        person.sees("↓ 1 more").await;
    })
    .await
    .unwrap();
}
