//! The form: opened, filled, left, copied, dropped.

use super::scene::{KEY, Scene, named, shop, shops, verdict};
use crate::app::effect::{Effect, ProbeEffect, StoreEffect};
use crate::app::message::{ProbeMessage, StoreMessage};
use crate::app::model::{Pane, Question};
use crate::app::{FieldId, Message};
use crate::domain::{Cause, Reason, Secret, ServiceId, State};
use crate::service::Trigger;

fn secrets(scene: &mut Scene, name: &str, key: &str) {
    scene.send(Message::Store(StoreMessage::SecretsLoaded {
        name: named(name),
        key: Ok(Some(Secret::new(key))),
        key_origin: None,
        token: Ok(None),
    }));
}

#[test]
fn a_new_form_is_empty_with_the_cursor_in_the_url() {
    let mut scene = Scene::empty();
    scene.keys("n");
    assert_eq!(scene.form().focused(), FieldId::Url);
    assert_eq!(scene.text(FieldId::Url), "");
    assert_eq!(scene.text(FieldId::Service), "blesta");
    assert_eq!(scene.model.focus, Pane::Form);
}

#[test]
fn enter_in_an_empty_list_begins_a_connection() {
    let mut scene = Scene::empty();
    scene.keys("enter");
    assert_eq!(scene.form().editing, None);
    let mut scene = Scene::with(shops(&["a"]));
    scene.keys("enter");
    assert_eq!(scene.form().editing, Some(named("a")));
}

#[test]
fn keys_go_from_field_to_field() {
    let mut scene = Scene::empty();
    scene.keys("n");
    for (keys, field) in [
        ("tab", FieldId::Username),
        ("down", FieldId::Key),
        ("enter", FieldId::Token),
        ("down", FieldId::Token),
        ("enter", FieldId::Token),
        ("tab", FieldId::Url),
        ("up", FieldId::Url),
        ("shift-tab", FieldId::Token),
        ("up", FieldId::Key),
    ] {
        assert_eq!(scene.keys(keys).form().focused(), field, "{keys}");
    }
}

/// Typed letter by letter it is not cleaned as a paste is, until the cursor leaves.
#[test]
fn a_pair_typed_as_the_user_name_is_divided_when_the_cursor_leaves() {
    let digits = "f45bee7e79b10ff6eff67902ccb4f3d46724ceb8";
    let pair = format!("SU-160-984-311:{digits}");
    let url = "https://api.example.com/public/v1";
    for (typed, name) in [
        (pair.clone(), "SU-160-984-311"),
        (format!("ApiKey {pair}"), "SU-160-984-311"),
        ("shop-api:x".to_owned(), "shop-api:x"),
    ] {
        let mut scene = Scene::empty();
        scene.keys("n").types(url).keys("tab").types(&typed);
        scene.keys("tab");
        assert_eq!(scene.text(FieldId::Username), name);
        assert_eq!(scene.key_is(digits), name != typed);
        let is_said = scene.notice().contains("was split into user name and key");
        assert_eq!(is_said, name != typed, "{}", scene.notice());
        assert_eq!(scene.form().focused(), FieldId::Key);
    }
    // A key that stands there already is not overwritten, and a save from within the field waits for no Tab.
    for keys in ["tab", "up"] {
        let mut scene = Scene::empty();
        scene.keys("n").types(url).keys("tab tab").types(KEY);
        scene.keys("up").types(&pair).keys(keys).keys("ctrl-s");
        assert!(
            scene.notice().contains("put that into the key's field"),
            "{}",
            scene.notice()
        );
        assert!(scene.key_is(KEY));
        let saves = |effect: &Effect| matches!(effect, Effect::Store(StoreEffect::Save { .. }));
        assert!(!scene.effects().iter().any(saves));
    }
}

#[test]
fn a_form_that_is_empty_again_is_no_draft() {
    let typed_and_erased = |scene: &mut Scene| {
        scene.keys("n").types("xx").wait(400);
        let mut odd = verdict(Reason::DnsNotFound);
        odd.url = "xx".to_owned();
        scene.draft_is(odd);
        scene.keys("backspace backspace");
    };
    let pasted_and_taken_back = |scene: &mut Scene| {
        scene.keys("n");
        scene.pastes("curl -u me:hunter2 https://api.example.com/x");
        assert!(scene.form().dirty);
        scene.keys("ctrl-z ctrl-u");
    };
    let typed_secrets = |scene: &mut Scene| {
        scene.keys("n tab tab").types("k").keys("backspace");
    };
    let ways: [&dyn Fn(&mut Scene); 3] =
        [&typed_and_erased, &pasted_and_taken_back, &typed_secrets];
    for way in ways {
        let mut scene = Scene::empty();
        way(&mut scene);
        assert!(!scene.form().dirty && scene.form().verdict.is_none());
        scene.keys("esc");
        assert!(scene.model.form.is_none(), "closed as an untouched one");
        scene.keys("q");
        assert_eq!(scene.question(), None);
        let ends = |effect: &Effect| matches!(effect, Effect::Terminal(_));
        assert!(scene.effects().iter().any(ends));
    }
    // A choice of the person's stays one.
    let mut scene = Scene::empty();
    scene.keys("n ctrl-o").types("x").keys("esc");
    assert!(scene.model.form.is_some());
}

#[test]
fn letters_type_and_actions_are_at_alt() {
    let mut scene = Scene::empty();
    scene.keys("n").types("rqyv:?/");
    assert_eq!(scene.text(FieldId::Url), "rqyv:?/");
    assert_eq!(scene.effects(), []);
    scene.keys("alt-z");
    assert!(scene.model.zoomed);
    assert_eq!(scene.text(FieldId::Url), "rqyv:?/");
}

#[test]
fn the_name_is_the_host_and_a_number_where_that_is_taken() {
    let mut scene = Scene::with(vec![shop("a")]);
    scene.keys("n").types("https://b.example.com/blesta");
    assert_eq!(scene.text(FieldId::Name), "b.example.com");
    let mut taken = shop("a");
    taken.name = named("b.example.com");
    let mut scene = Scene::with(vec![taken]);
    scene.keys("n").types("https://b.example.com");
    assert_eq!(scene.text(FieldId::Name), "b.example.com-2");
    scene.keys("ctrl-o ctrl-u").types("mine");
    scene.keys("up up up up").types("/x");
    assert_eq!(scene.text(FieldId::Name), "mine", "a typed name stays");
}

#[test]
fn a_host_that_is_no_name_gives_none() {
    let mut scene = Scene::empty();
    scene.keys("n").types("https://-a.example");
    assert_eq!(scene.text(FieldId::Name), "new");
}

#[test]
fn the_service_turns_to_connect_and_the_footer_says_so() {
    let mut scene = Scene::empty();
    scene.keys("n").types("https://api.example.com/public/v1");
    assert_eq!(scene.text(FieldId::Service), "connect");
    assert!(scene.notice().contains("connect"), "{}", scene.notice());
    let mut scene = Scene::empty();
    scene
        .keys("n")
        .types("api.example.com")
        .keys("tab")
        .types("SU-1");
    assert_eq!(scene.form().service(), ServiceId::connect());
    scene.keys("ctrl-u").types("joe");
    assert_eq!(
        scene.form().service(),
        ServiceId::blesta(),
        "nothing shows it any more"
    );
    let mut scene = Scene::with(shops(&["a"]));
    scene.keys("e up up").types("/public/v1");
    assert_eq!(
        scene.text(FieldId::Service),
        "blesta",
        "a saved service stays"
    );
}

#[test]
fn editing_begins_at_the_first_field_that_is_not_ok() {
    for (reason, field) in [
        (Reason::DnsNotFound, FieldId::Url),
        (Reason::CredentialsRejected, FieldId::Key),
        (Reason::Connected, FieldId::Key),
    ] {
        let mut scene = Scene::with(shops(&["a"]));
        scene.watched("a", reason).keys("e");
        assert_eq!(scene.form().focused(), field, "{reason}");
    }
    let mut nobody = shop("a");
    nobody.username.clear();
    let mut scene = Scene::with(vec![nobody]);
    scene.keys("e");
    assert_eq!(scene.form().focused(), FieldId::Username);
    let mut scene = Scene::with(shops(&["a"]));
    scene
        .watched("a", Reason::DnsNotFound)
        .keys("e")
        .types("/x");
    assert_eq!(
        scene.text(FieldId::Url),
        "https://a.example.com/x",
        "at its end"
    );
}

#[test]
fn one_letter_of_a_stored_key_can_be_changed() {
    let mut scene = Scene::with(shops(&["a"]));
    scene.keys("e");
    assert_eq!(
        scene.effects(),
        [Effect::Store(StoreEffect::LoadSecrets(named("a")))]
    );
    secrets(&mut scene, "a", "secret");
    assert!(!scene.form().dirty);
    scene.keys("home delete").types("S");
    assert!(scene.key_is("Secret"));
    assert!(scene.form().dirty);
    let (draft, problem) = scene.form().draft();
    assert!(draft.key_changed && !draft.token_changed && problem.is_none());
}

#[test]
fn what_was_typed_before_the_stored_key_came_stays() {
    let mut scene = Scene::with(shops(&["a"]));
    scene.keys("e").types("n").send(Message::Woke);
    secrets(&mut scene, "a", "old");
    assert!(scene.key_is("n"));
    let mut scene = Scene::with(shops(&["a", "b"]));
    scene.keys("e");
    secrets(&mut scene, "b", "of another");
    assert!(scene.key_is(""));
}

#[test]
fn a_key_that_was_locked_away_is_tested_once_it_is_there() {
    for (reason, probes) in [(Reason::SecretUnavailable, 1), (Reason::Connected, 0)] {
        let mut scene = Scene::with(shops(&["a"]));
        scene.watched("a", reason).keys("e");
        scene.effects();
        secrets(&mut scene, "a", KEY);
        let begun = scene.probes();
        assert_eq!(begun.len(), probes, "{reason:?}: {begun:?}");
        assert!(begun.iter().all(|probe| probe.trigger == Trigger::Typing));
    }
}

#[test]
fn a_key_that_is_not_at_hand_is_said_and_left_alone() {
    let mut scene = Scene::with(shops(&["a"]));
    scene
        .keys("e")
        .send(Message::Store(StoreMessage::SecretsLoaded {
            name: named("a"),
            key: Err(Cause::new("the variable KEY is not set")),
            key_origin: None,
            token: Ok(None),
        }));
    assert!(scene.notice().contains("KEY"), "{}", scene.notice());
    let (draft, _) = scene.form().draft();
    assert_eq!((draft.key, draft.key_changed), (None, false));
}

#[test]
fn a_clone_is_new_and_brings_its_secrets() {
    let mut scene = Scene::with(shops(&["a"]));
    scene.keys("c");
    assert_eq!(
        scene.effects(),
        [Effect::Store(StoreEffect::LoadSecrets(named("a")))]
    );
    secrets(&mut scene, "a", KEY);
    assert_eq!(scene.text(FieldId::Name), "a-2");
    let (draft, _) = scene.form().draft();
    assert!(draft.key_changed, "it is tested with the value");
    let original = &scene.model.entries[&named("a")].connection;
    assert_eq!(
        draft.connection.key, original.key,
        "and saved with the reference, as by the command"
    );
    assert!(draft.copies.is_some_and(|copy| copy.keeps_key));
    assert_eq!(scene.form().editing, None);
}

#[test]
fn a_cloned_draft_opens_again_by_what_is_said_and_by_what_made_it() {
    let mut scene = Scene::with(shops(&["a", "b"]));
    scene.keys("c").types("/x").keys("esc");
    assert_eq!(scene.notice(), "the draft is kept: n opens it again");
    let cloned = scene
        .model
        .form
        .as_ref()
        .unwrap()
        .text(FieldId::Url)
        .to_owned();
    scene.keys("down");
    for key in ["n", "up c"] {
        scene.keys(key);
        assert_eq!(scene.question(), None, "{key}");
        assert_eq!(
            (scene.model.focus, scene.text(FieldId::Url)),
            (Pane::Form, cloned.as_str())
        );
        scene.keys("esc");
    }
    scene.keys("down c");
    assert_eq!(
        scene.question(),
        Some(&Question::LoseDraft),
        "another one's"
    );
}

#[test]
fn whoever_leaves_the_response_finds_its_verdict_again() {
    let mut scene = Scene::with(shops(&["a"]));
    scene
        .watched("a", Reason::CredentialsRejected)
        .keys("tab tab");
    assert_eq!(scene.model.focus, Pane::Response);
    scene.model.last_line = Some(9);
    scene.keys("j j");
    assert_eq!(scene.model.response_scroll, 2);
    scene.keys("esc");
    assert_eq!(scene.model.response_scroll, 0);
}

#[test]
fn the_response_can_be_read_to_its_end_from_a_field() {
    let mut scene = Scene::with(shops(&["a"]));
    scene.watched("a", Reason::CredentialsRejected).keys("e");
    scene.model.last_line = Some(9);
    scene.keys("pgdn");
    assert_eq!(scene.model.response_scroll, 5);
    scene.keys("pgdn");
    assert_eq!(scene.model.response_scroll, 9);
    scene.keys("pgup");
    assert_eq!(scene.model.response_scroll, 4);
    assert_eq!(scene.form().focused(), FieldId::Key);
}

#[test]
fn escape_keeps_a_draft_and_closes_an_untouched_form() {
    let mut scene = Scene::with(shops(&["a", "b"]));
    scene.keys("e esc");
    assert!(scene.model.form.is_none());
    scene.keys("e").types("x").keys("esc");
    assert_eq!(scene.model.focus, Pane::List);
    assert!(scene.model.visible_form().is_some());
    scene.keys("down");
    assert!(scene.model.visible_form().is_none(), "another is looked at");
    assert!(scene.model.form.is_some());
    scene.keys("up");
    assert!(scene.model.visible_form().is_some());
    scene.effects();
    scene.keys("e");
    assert!(scene.key_is("x"), "the draft is back");
    assert_eq!(scene.effects(), []);
}

#[test]
fn a_draft_is_not_lost_without_a_question() {
    let mut scene = Scene::with(shops(&["a", "b"]));
    scene.keys("e").types("x").keys("esc down e");
    assert_eq!(scene.question(), Some(&Question::LoseDraft));
    scene.keys("n");
    assert!(scene.key_is("x"));
    scene.keys("e y");
    assert_eq!(scene.form().editing, Some(named("b")));
    assert!(!scene.form().dirty);
}

#[test]
fn a_new_draft_is_found_again() {
    let mut scene = Scene::with(shops(&["a", "b"]));
    scene.keys("n").types("x.example").keys("esc down n");
    assert_eq!(scene.text(FieldId::Url), "x.example");
    scene.keys("alt-n");
    assert_eq!(scene.question(), Some(&Question::LoseDraft));
    scene.keys("y");
    assert_eq!(scene.text(FieldId::Url), "");
}

#[test]
fn a_draft_can_be_thrown_away() {
    let mut scene = Scene::empty();
    scene.keys("n").types("x.example").wait(400);
    scene.effects();
    scene.keys("alt-:").types("discard").keys("enter y");
    assert!(scene.model.form.is_none());
    assert_eq!(scene.model.focus, Pane::List);
    assert_eq!(
        scene.effects(),
        [Effect::Probe(ProbeEffect::Cancel(
            crate::app::effect::Target::Draft
        ))]
    );
}

#[test]
fn the_corrected_url_is_one_key_away() {
    let mut found = verdict(Reason::RedirectHttps);
    found.connection = Some(named("a"));
    found.remedy.url = Some("https://a.example.com/blesta".to_owned());
    let mut scene = Scene::with(shops(&["a"]));
    scene
        .send(Message::Probe(ProbeMessage::Watched(Box::new(found))))
        .keys("u");
    assert_eq!(scene.text(FieldId::Url), "https://a.example.com/blesta");
    assert!(scene.form().dirty);
    let probe = scene.probe();
    assert_eq!(probe.trigger, Trigger::Asked);
    assert_eq!(probe.draft().connection.url, "https://a.example.com/blesta");
    let mut scene = Scene::empty();
    scene.keys("n").types("https://a.example.com/admin");
    assert!(scene.form().hint.is_some());
    scene.keys("alt-u");
    assert_eq!(scene.text(FieldId::Url), "https://a.example.com");
    assert_eq!(scene.form().hint, None);
    scene.keys("alt-u");
    assert!(scene.notice().contains("no corrected URL"));
}

#[test]
fn further_fields_come_and_go() {
    let mut scene = Scene::empty();
    scene.keys("n ctrl-o");
    assert!(scene.form().further);
    assert_eq!(scene.form().focused(), FieldId::Name);
    scene.keys("ctrl-o");
    assert!(!scene.form().further);
    assert!(scene.form().cursor < 4);
}

#[test]
fn services_and_cms_come_from_the_catalog() {
    let mut scene = Scene::empty();
    scene.keys("n ctrl-o down ctrl-u").types(" ");
    let first = scene.text(FieldId::Service).to_owned();
    scene.types(" ");
    assert_ne!(scene.text(FieldId::Service), first);
    scene.types("c");
    assert_eq!(scene.text(FieldId::Service), "connect");
    scene.types("q");
    assert_eq!(scene.text(FieldId::Service), "connect");
    assert!(scene.notice().contains("blesta"), "{}", scene.notice());
}

#[test]
fn choices_are_turned_with_the_space_bar() {
    let mut scene = Scene::empty();
    scene.keys("n ctrl-o down down down down down down");
    assert_eq!(scene.form().focused(), FieldId::Auth);
    scene.types("  ");
    assert_eq!(scene.text(FieldId::Auth), "headers");
    scene.types(" ");
    assert_eq!(scene.text(FieldId::Auth), "auto");
}

#[test]
fn a_letter_chooses_what_begins_with_it_and_nothing_else_stands_there() {
    let mut scene = Scene::empty();
    scene.keys("n ctrl-o down down down down down down");
    for (typed, expected) in [
        ("b", "basic"),
        ("H", "headers"),
        ("h", "headers"),
        ("q", "headers"),
        ("a", "auto"),
    ] {
        scene.types(typed);
        assert_eq!(scene.text(FieldId::Auth), expected, "{typed}");
        let is_refused = scene.notice().starts_with("Auth takes one of auto, basic");
        assert_eq!(is_refused, typed == "q", "{}", scene.notice());
    }
    for keys in ["backspace", "ctrl-u", "ctrl-w"] {
        scene.keys(keys);
        assert_eq!(scene.text(FieldId::Auth), "auto", "{keys}");
    }
    scene.pastes(" Basic\n");
    assert_eq!(scene.text(FieldId::Auth), "basic");
    scene.pastes("digest");
    assert_eq!(scene.text(FieldId::Auth), "basic");
    while scene.form().focused() != FieldId::Family {
        scene.keys("down");
    }
    for expected in ["ipv4", "ipv6", "ipv4"] {
        scene.types("i");
        assert_eq!(scene.text(FieldId::Family), expected);
    }
    scene.keys("down").types("y");
    assert_eq!(scene.text(FieldId::AllowHttp), "yes");
}

#[test]
fn a_wrong_time_shows_at_its_field_until_it_is_mended() {
    let mut scene = Scene::empty();
    scene.keys("n").types("x.example").keys("ctrl-o");
    while scene.form().focused() != FieldId::Interval {
        scene.keys("down");
    }
    scene.types("abc");
    let lamp = |scene: &Scene| {
        let (state, word) = scene.lamp(FieldId::Interval);
        (state, word.to_owned())
    };
    let (state, word) = lamp(&scene);
    assert_eq!((state, &*word), (State::Warn, "1 to 604800 s"));
    scene.keys("ctrl-s");
    let told = "not saved: Interval is 1 to 604800 seconds";
    assert!(scene.notice().starts_with(told), "{}", scene.notice());
    scene.keys("ctrl-u").types("5m");
    assert_eq!(lamp(&scene).1, "");
    assert_eq!(scene.notice(), "");
}

#[test]
fn a_secret_field_is_shown_for_ten_seconds_or_until_asked_again() {
    let mut scene = Scene::empty();
    scene.keys("n tab tab alt-v");
    assert_eq!(scene.form().shown, None, "there is nothing in it");
    scene.types("geheim").keys("alt-v");
    let shown = scene.form().shown.map(|shown| shown.id);
    assert_eq!(shown, Some(FieldId::Key));
    scene.keys("alt-v");
    assert_eq!(scene.form().shown, None);
    scene.keys("alt-v");
    scene.wait(10_000);
    assert_eq!(scene.form().shown, None);
}

#[test]
fn user_info_in_the_url_is_moved_and_said() {
    let mut scene = Scene::empty();
    scene
        .keys("n")
        .types("https://joe:pw@a.example.com/b")
        .keys("tab");
    assert_eq!(scene.text(FieldId::Url), "https://a.example.com/b");
    assert_eq!(scene.text(FieldId::Username), "joe");
    assert!(scene.key_is("pw"));
    assert!(scene.notice().contains("moved"), "{}", scene.notice());
}
