//! A key goes to the origin that it was entered for, and to no other without a yes.

use super::scene::{KEY, Scene, named, shops};
use crate::app::effect::{Effect, StoreEffect};
use crate::app::message::StoreMessage;
use crate::app::model::Question;
use crate::app::{FieldId, Message};
use crate::domain::{Origin, Secret};
use crate::service::Trigger;

/// The form of a saved connection with its key loaded, the cursor at the end of the URL.
fn editing() -> Scene {
    let mut scene = Scene::with(shops(&["a"]));
    scene
        .keys("e")
        .send(Message::Store(StoreMessage::SecretsLoaded {
            name: named("a"),
            key: Ok(Some(Secret::new(KEY))),
            key_origin: Origin::parse("https://a.example.com"),
            token: Ok(None),
        }));
    scene.keys("up up");
    scene.effects();
    scene
}

fn asked() -> Question {
    Question::SendKeyTo("a.example.com.evil".to_owned())
}

#[test]
fn a_new_origin_is_asked_about_when_the_cursor_leaves_the_url() {
    let mut scene = editing();
    scene.types(".evil").wait(5_000);
    for probe in scene.probes() {
        assert_eq!(
            (probe.trigger, &probe.draft().key),
            (Trigger::UrlTyping, &None)
        );
    }
    assert_eq!(scene.question(), None, "not while the URL is edited");
    scene.keys("tab");
    assert_eq!(scene.question(), Some(&asked()));
    assert_eq!(scene.probes(), []);
    scene.wait(1_000);
    scene.keys("y");
    let probe = scene.probe();
    assert!(probe.origin_confirmed && probe.carries(KEY));
    assert_eq!(
        probe.draft().key_origin,
        Origin::parse("https://a.example.com.evil")
    );
}

#[test]
fn an_agreement_is_not_saved_yet_and_the_draft_with_it_is_kept() {
    let mut scene = Scene::with(shops(&["a"]));
    scene
        .keys("e")
        .send(Message::Store(StoreMessage::SecretsLoaded {
            name: named("a"),
            key: Ok(Some(Secret::new(KEY))),
            key_origin: Origin::parse("https://before.example.com"),
            token: Ok(None),
        }));
    scene.keys("enter");
    let asked = Question::SendKeyTo("a.example.com".to_owned());
    assert_eq!(scene.question(), Some(&asked));
    scene.wait(1_000);
    scene.effects();
    scene.keys("y");
    assert!(scene.probe().carries(KEY));
    scene.keys("esc");
    assert!(
        scene.notice().contains("the draft is kept"),
        "{}",
        scene.notice()
    );
    scene.keys("e ctrl-s y");
    let saved = scene.effects().into_iter().find_map(|effect| match effect {
        Effect::Store(StoreEffect::Save { draft, .. }) => Some(draft),
        _ => None,
    });
    let origin = saved.and_then(|draft| draft.key_origin);
    assert_eq!(origin, Origin::parse("https://a.example.com"));
}

#[test]
fn what_is_typed_ahead_is_no_answer() {
    let mut scene = editing();
    scene.types(".evil").keys("tab");
    // A name of many letters, typed without looking up, among them both answers.
    for letter in "sally the henry".chars() {
        scene.wait(600);
        scene.types(&letter.to_string());
        assert_eq!(scene.question(), Some(&asked()), "{letter}");
        assert_eq!(scene.probes(), [], "{letter}");
    }
    assert!(scene.notice().contains("once more"), "{}", scene.notice());
    scene.wait(1_000);
    scene.keys("y");
    assert!(scene.probe().carries(KEY));
}

#[test]
fn a_save_that_a_question_stood_in_the_way_of_says_how_it_goes_on() {
    let typed = || {
        let mut scene = Scene::empty();
        scene
            .keys("n")
            .types("a.example")
            .keys("tab")
            .types("u")
            .keys("tab")
            .types(KEY);
        scene.wait(400);
        scene.keys("up up").types("x").keys("ctrl-s");
        assert_eq!(
            scene.question(),
            Some(&Question::SendKeyTo("a.examplex".to_owned()))
        );
        assert!(!scene.notice().contains("not saved"), "{}", scene.notice());
        scene.wait(1_000);
        scene.effects();
        scene
    };
    let mut scene = typed();
    scene.keys("y");
    assert!(
        scene.notice().contains("Ctrl-S saves it"),
        "{}",
        scene.notice()
    );
    assert_eq!(scene.question(), None);
    let saves = |scene: &mut Scene| {
        let effects = scene.effects();
        effects
            .iter()
            .any(|effect| matches!(effect, Effect::Store(StoreEffect::Save { .. })))
    };
    assert!(!saves(&mut scene));
    scene.keys("ctrl-s");
    assert_eq!(
        scene.question(),
        Some(&Question::SaveAllTheSame),
        "untested yet"
    );
    scene.keys("y");
    assert!(saves(&mut scene));
    let mut scene = typed();
    scene.keys("n");
    assert!(scene.notice().contains("not saved"), "{}", scene.notice());
    assert!(!saves(&mut scene));
}

#[test]
fn no_means_the_key_stays_here() {
    let mut scene = editing();
    scene.types(".evil").keys("tab");
    scene.wait(1_000);
    scene.keys("n");
    let probe = scene.probe();
    assert!(!probe.origin_confirmed);
    assert_eq!(probe.draft().key, None);
    assert_eq!(
        probe.draft().key_origin,
        Origin::parse("https://a.example.com")
    );
    scene.keys("enter");
    assert_eq!(scene.probe().draft().key, None, "and it is not asked again");
    scene.keys("alt-r");
    assert_eq!(
        scene.question(),
        Some(&asked()),
        "but who asks for a probe by name is"
    );
}

#[test]
fn where_only_the_port_is_new_the_question_names_it() {
    let mut scene = editing();
    scene.types(":8443").keys("tab");
    let asked = Question::SendKeyTo("https://a.example.com:8443".to_owned());
    assert_eq!(scene.question(), Some(&asked));
}

#[test]
fn enter_and_alt_r_in_the_url_ask_too() {
    for key in ["enter", "alt-r", "down", "esc"] {
        let mut scene = editing();
        scene.types(".evil").keys(key);
        assert_eq!(scene.question(), Some(&asked()), "{key}");
        assert_eq!(scene.probes(), [], "{key}");
    }
}

#[test]
fn a_key_typed_at_the_new_origin_was_entered_for_it() {
    let mut scene = editing();
    scene.types(".evil").keys("tab");
    scene.wait(1_000);
    let other = "fedcba9876543210fedcba9876543210";
    scene.keys("n tab ctrl-u").types(other).wait(400);
    let probe = scene.probes().pop().unwrap();
    assert!(probe.carries(other));
    assert_eq!(
        probe.draft().key_origin,
        Origin::parse("https://a.example.com.evil")
    );
    assert_eq!(scene.question(), None);
}

#[test]
fn a_letter_changed_in_a_stored_key_does_not_make_it_a_typed_one() {
    let mut scene = editing();
    scene.types(".evil").keys("tab");
    scene.wait(1_000);
    scene.keys("n tab").types("x").keys("backspace enter");
    assert!(
        scene
            .probes()
            .iter()
            .all(|probe| probe.draft().key.is_none())
    );
    assert_eq!(
        scene.form().key_origin,
        Origin::parse("https://a.example.com")
    );
}

#[test]
fn a_typed_key_is_bound_to_the_origin_it_was_typed_for() {
    let mut scene = Scene::empty();
    scene
        .keys("n")
        .types("a.example")
        .keys("tab")
        .types("u")
        .keys("tab")
        .types(KEY);
    scene.wait(400);
    assert!(scene.probe().carries(KEY));
    scene.keys("up up").types("x").keys("tab");
    assert_eq!(
        scene.question(),
        Some(&Question::SendKeyTo("a.examplex".to_owned()))
    );
}

#[test]
fn a_key_typed_before_there_was_a_url_goes_to_the_first_one() {
    let mut scene = Scene::empty();
    scene
        .keys("n tab")
        .types("u")
        .keys("tab")
        .types(KEY)
        .keys("up up");
    scene.types("a.example").keys("tab");
    scene.wait(400);
    assert_eq!(scene.question(), None);
    assert!(scene.probe().carries(KEY));
    scene.keys("up").types("x").keys("enter");
    assert!(scene.question().is_some());
}

#[test]
fn another_path_of_the_same_origin_is_not_asked_about() {
    let mut scene = editing();
    scene.types("/blesta").keys("enter");
    assert_eq!(scene.question(), None);
    assert!(scene.probe().carries(KEY));
}

#[test]
fn the_origin_beside_the_stored_key_counts_and_not_the_urls() {
    let mut scene = Scene::with(shops(&["a"]));
    scene
        .keys("e")
        .send(Message::Store(StoreMessage::SecretsLoaded {
            name: named("a"),
            key: Ok(Some(Secret::new(KEY))),
            key_origin: Origin::parse("https://before.example.com"),
            token: Ok(None),
        }));
    scene.keys("enter");
    assert_eq!(
        scene.question(),
        Some(&Question::SendKeyTo("a.example.com".to_owned()))
    );
}

#[test]
fn a_stored_key_that_is_not_here_is_asked_about_as_well() {
    let mut scene = Scene::with(shops(&["a"]));
    scene.keys("e up up").types(".evil").keys("enter");
    assert_eq!(scene.question(), Some(&asked()));
}

#[test]
fn saving_without_a_yes_keeps_the_keys_own_origin() {
    let mut scene = editing();
    scene.types(".evil").keys("tab");
    scene.wait(1_000);
    scene.keys("n ctrl-s y");
    let saved = scene.effects().into_iter().find_map(|effect| match effect {
        Effect::Store(StoreEffect::Save { draft, .. }) => Some(draft),
        _ => None,
    });
    assert_eq!(
        saved.unwrap().key_origin,
        Origin::parse("https://a.example.com")
    );
}

#[test]
fn a_typed_key_is_not_saved_for_a_host_that_was_refused() {
    let mut scene = Scene::empty();
    scene
        .keys("n")
        .types("a.example")
        .keys("tab")
        .types("u")
        .keys("tab")
        .types(KEY);
    scene.wait(400);
    scene.keys("up up").types("x").keys("tab");
    scene.wait(1_000);
    scene.keys("n");
    scene.effects();
    scene.keys("ctrl-s");
    assert!(
        scene.notice().contains("https://a.example"),
        "{}",
        scene.notice()
    );
    assert_eq!(scene.question(), None);
    assert_eq!(scene.form().focused(), FieldId::Key);
    scene.keys("ctrl-u").types(KEY).keys("ctrl-s y");
    assert!(
        scene
            .effects()
            .iter()
            .any(|effect| matches!(effect, Effect::Store(StoreEffect::Save { .. })))
    );
}

#[test]
fn undoing_a_paste_does_not_make_a_stored_key_a_typed_one() {
    let mut scene = editing();
    scene
        .keys("ctrl-u")
        .pastes("https://joe:pw@b.example.com\n")
        .keys("ctrl-z");
    assert!(scene.key_is(KEY));
    assert_eq!(
        scene.form().key_origin,
        Origin::parse("https://a.example.com")
    );
    assert_eq!(scene.text(FieldId::Username), "api");
}

#[test]
fn a_key_that_goes_without_a_username_is_asked_about_as_soon() {
    let mut connections = shops(&["a"]);
    connections[0].service = crate::domain::ServiceId::http();
    connections[0].username = String::new();
    let mut scene = Scene::with(connections);
    scene
        .keys("e")
        .send(Message::Store(StoreMessage::SecretsLoaded {
            name: named("a"),
            key: Ok(Some(Secret::new(KEY))),
            key_origin: Origin::parse("https://a.example.com"),
            token: Ok(None),
        }));
    scene.model.form.as_mut().unwrap().go_to(FieldId::Url);
    scene.types(".evil").keys("tab");
    assert_eq!(scene.question(), Some(&asked()));
}
