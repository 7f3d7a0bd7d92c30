//! The ways out of an empty screen that lead back, and tickets.

use super::scene::{Scene, shops};
use crate::app::Message;
use crate::app::effect::{ClipboardEffect, Effect, ScreenEnd, TerminalEffect};
use crate::app::message::Loaded;
use crate::domain::Reason;

#[test]
fn one_key_leads_to_the_first_connection_the_demo_or_an_import() {
    let mut scene = Scene::with(shops(&[]));
    scene.keys("D");
    assert_eq!(
        scene.effects(),
        [Effect::Terminal(TerminalEffect::End(ScreenEnd::Demo))]
    );
    scene.keys("I");
    assert_eq!(
        scene.effects(),
        [Effect::Terminal(TerminalEffect::End(ScreenEnd::Import))]
    );
    scene.keys("n");
    assert!(scene.model.form.is_some());
    let hints = crate::app::hints::footer(&Scene::with(shops(&[])).model);
    let keys: Vec<_> = hints.iter().map(|(key, _)| key.as_str()).collect();
    assert_eq!(keys, ["n", "D", "I", ":", "?", "q"]);
}

#[test]
fn the_demo_is_there_where_the_configuration_can_not_be_read() {
    let mut scene = Scene::starting();
    scene.send(Message::ConfigurationFailed("line 3".to_owned()));
    scene.keys("I");
    assert_eq!(scene.effects(), [], "nothing is imported into it");
    scene.keys("D");
    assert_eq!(
        scene.effects(),
        [Effect::Terminal(TerminalEffect::End(ScreenEnd::Demo))]
    );
}

#[test]
fn a_draft_is_not_lost_on_the_way_and_the_demo_does_not_nest() {
    let mut scene = Scene::with(shops(&["a"]));
    scene.keys("e").types("x").keys("esc D");
    assert!(scene.notice().contains("draft"), "{}", scene.notice());
    assert!(
        !scene
            .effects()
            .contains(&Effect::Terminal(TerminalEffect::End(ScreenEnd::Demo)))
    );
    let mut watched = Scene::with(shops(&["a"]));
    watched.keys("W D I");
    assert_eq!(
        watched.effects(),
        [],
        "what comes back would show the names"
    );
    assert!(
        watched.notice().contains("war-room"),
        "{}",
        watched.notice()
    );
    let mut demo = Scene::starting();
    demo.send(Message::ConfigurationLoaded(Box::new(Loaded {
        banner: vec!["a rehearsal".to_owned()],
        ..Loaded::default()
    })));
    demo.effects();
    demo.keys("D I");
    assert_eq!(demo.effects(), []);
}

#[test]
fn what_is_typed_back_is_no_draft() {
    let mut scene = Scene::with(shops(&["a"]));
    scene.keys("e");
    scene.model.form.as_mut().unwrap().cursor = 0;
    scene.types("x");
    assert!(scene.form().dirty);
    scene.keys("backspace");
    assert!(!scene.form().dirty, "it reads as it was saved");
    scene.keys("esc q");
    assert!(
        scene
            .effects()
            .contains(&Effect::Terminal(TerminalEffect::End(ScreenEnd::Quit))),
        "nobody is asked"
    );
}

#[test]
fn a_ticket_is_copied_of_the_verdict_that_is_shown() {
    let mut scene = Scene::with(shops(&["a"]));
    scene.keys("S");
    assert!(scene.notice().contains("no verdict"), "{}", scene.notice());
    scene.watched("a", Reason::CredentialsRejected).keys("S");
    let effects = scene.effects();
    assert!(
        effects.iter().any(
            |effect| matches!(effect, Effect::Clipboard(ClipboardEffect::CopyTicket { name, .. }) if name.as_str() == "a")
        ),
        "{effects:?}"
    );
    scene.keys("e").types("1").keys("esc S");
    assert!(
        scene.notice().contains("the form is open"),
        "{}",
        scene.notice()
    );
    scene.keys("W S");
    assert!(!scene.effects().iter().any(|effect| matches!(
        effect,
        Effect::Clipboard(ClipboardEffect::CopyTicket { .. })
    )));
}

#[test]
fn with_less_motion_nothing_ticks_and_countdowns_go_in_fives() {
    let mut scene = Scene::with(shops(&["a"]));
    scene.keys("r");
    assert!(scene.model.animating());
    scene.model.reduce_motion = true;
    assert!(!scene.model.animating());
    assert_eq!(scene.model.countdown_step(), 5);
}
