//! When the model wants to be woken: never while nothing moves.

use super::scene::{Scene, shops};
use crate::app::Message;
use crate::app::effect::Effect;
use crate::app::message::ProbeMessage;
use crate::app::watching::WatchingEffect;

#[test]
fn nothing_moves_and_nobody_is_woken() {
    let mut scene = Scene::with(shops(&["a", "b"]));
    assert_eq!(scene.model.next_wake(), None);
    assert!(!scene.model.animating());
    scene.keys("down ? esc n esc tab tab");
    assert_eq!(scene.model.next_wake(), None);
}

#[test]
fn a_notice_goes_after_a_while_and_wakes_once() {
    let mut scene = Scene::with(shops(&["a"]));
    scene.send(Message::Noticed("hello\u{1b}[31m".to_owned()));
    assert_eq!(scene.notice(), "hello[31m", "inert");
    assert_eq!(scene.wait(60_000), 1);
    assert_eq!(scene.notice(), "");
    assert_eq!(scene.model.next_wake(), None);
}

#[test]
fn a_test_that_waits_for_a_dialog_wakes_nobody() {
    let mut scene = Scene::with(shops(&["a"]));
    scene.keys("n").types("shop.example.com");
    scene.keys("alt-:");
    scene.effects();
    assert!(scene.wait(60_000) <= 1);
    assert!(scene.probes().is_empty());
    scene.keys("esc");
    scene.wait(400);
    assert_eq!(scene.probes().len(), 1);
}

#[test]
fn only_what_is_on_the_screen_keeps_it_moving() {
    let names: Vec<String> = (0..100).map(|n| format!("c{n:03}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut scene = Scene::with(shops(&names));
    scene.send(Message::Probe(ProbeMessage::WatchStarted(
        super::scene::named("c090"),
    )));
    assert!(!scene.model.animating(), "far below the last row");
    scene.send(Message::Probe(ProbeMessage::WatchStarted(
        super::scene::named("c003"),
    )));
    assert!(scene.model.animating());
    scene.watched("c003", crate::domain::Reason::Connected);
    assert!(!scene.model.animating());
}

#[test]
fn watching_is_paused_and_goes_on() {
    let mut scene = Scene::with(shops(&["a"]));
    scene.keys("p p");
    assert_eq!(
        scene.effects(),
        [
            Effect::Watching(WatchingEffect::Switch(false)),
            Effect::Watching(WatchingEffect::Switch(true))
        ]
    );
    scene.send(Message::Probe(ProbeMessage::WatchStarted(
        super::scene::named("a"),
    )));
    assert!(scene.model.animating());
    scene.keys("p");
    assert!(!scene.model.animating(), "its probes end with the watcher");
}

#[test]
fn a_released_key_is_no_key() {
    let mut scene = Scene::with(shops(&["a"]));
    let mut event = crossterm::event::KeyEvent::new(
        crossterm::event::KeyCode::Char('q'),
        crossterm::event::KeyModifiers::NONE,
    );
    event.kind = crossterm::event::KeyEventKind::Release;
    scene.send(Message::Key(event));
    assert_eq!(scene.effects(), []);
}
