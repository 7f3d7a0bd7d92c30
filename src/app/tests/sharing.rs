//! The shared token, and further ones that go again.

use super::scene::{Scene, named, shop, shops, verdict};
use crate::app::effect::{
    ClipboardEffect, Effect, ProbeEffect, SharedTokenEffect, StoreEffect, Target,
};
use crate::app::message::{ProbeMessage, SharedTokenMessage, StoreMessage};
use crate::app::model::{Overlay, Pane, Question};
use crate::app::shared_token::{Check, SharedTokenSheet};
use crate::app::{FieldId, Message};
use crate::domain::{
    CheckId, Connection, CopyForm, Handle, HandleSlot, Reason, Secret, SecretRef, ServiceId, State,
};
use crate::service::Trigger;

fn sheet(scene: &Scene) -> &SharedTokenSheet {
    match &scene.model.overlay {
        Some(Overlay::SharedToken(sheet)) => sheet,
        other => panic!("no sheet: {other:?}"),
    }
}

fn with_token() -> Scene {
    let mut shop = shop("a");
    shop.token = Some(SecretRef::Vault("a/token".to_owned()));
    shop.cms = Some("joomla".to_owned());
    Scene::with(vec![shop])
}

#[test]
fn a_shared_token_is_made_into_its_field_and_kept_only_when_it_is_saved() {
    let mut scene = Scene::with(shops(&["a"]));
    scene.keys("V");
    assert!(!sheet(&scene).is_set);
    let places = &sheet(&scene).places;
    assert!(
        places[0].starts_with("Blesta: ") && places[0].ends_with("Login Token"),
        "{places:?}"
    );
    assert_eq!(places.len(), 2);
    scene.keys("y");
    assert_eq!(scene.effects(), [], "there is none to copy");
    scene.keys("g");
    let asked = scene.effects();
    assert!(
        asked.contains(&Effect::SharedToken(SharedTokenEffect::Make(named("a")))),
        "{asked:?}"
    );
    let made = |of: &str| {
        Message::SharedToken(SharedTokenMessage::Made(named(of), Ok(Secret::new("made"))))
    };
    scene.send(made("b"));
    assert!(!scene.form().dirty, "it is another one's");
    scene.send(made("a"));
    let field = scene.form().secret(FieldId::Token).unwrap();
    assert_eq!(field.value, Secret::new("made"));
    assert!(scene.form().dirty && scene.model.focus == Pane::Form);
    // The keys that its sheet has named go into no secret that nobody sees.
    for key in ["y", "v", "backspace", "delete"] {
        scene.keys(key);
        let field = scene.form().secret(FieldId::Token).unwrap();
        assert_eq!(field.value, Secret::new("made"), "{key}");
        assert!(scene.notice().contains("Ctrl-U"), "{}", scene.notice());
    }
    // What the store holds comes later, and does not take its place.
    scene.send(Message::Store(StoreMessage::SecretsLoaded {
        name: named("a"),
        key: Ok(None),
        key_origin: None,
        token: Ok(Some(Secret::new("old"))),
    }));
    let field = scene.form().secret(FieldId::Token).unwrap();
    assert_eq!(field.value, Secret::new("made"));
    scene.keys("alt-V y enter");
    assert!(scene.notice().contains("not saved"), "{}", scene.notice());
    scene.keys("esc").effects();
    scene.keys("ctrl-s y");
    let saved = scene.effects().into_iter().find_map(|effect| match effect {
        Effect::Store(StoreEffect::Save { draft, .. }) => Some(draft),
        _ => None,
    });
    assert_eq!(saved.unwrap().token, Some(Secret::new("made")));
}

#[test]
fn both_ends_are_compared_and_the_rows_are_shown() {
    let mut scene = with_token();
    scene.keys("V y");
    let copy = Effect::Clipboard(ClipboardEffect::CopyHandle {
        name: named("a"),
        slot: HandleSlot::Token,
        form: CopyForm::Handle,
    });
    assert_eq!(scene.effects(), [copy]);
    scene.keys("enter enter");
    assert_eq!(
        scene.effects(),
        [Effect::SharedToken(SharedTokenEffect::Check(named("a")))],
        "once"
    );
    let mut matches = verdict(Reason::Connected);
    matches
        .checks
        .set(CheckId::Token, State::Ok, "the same", None);
    scene.send(Message::SharedToken(SharedTokenMessage::Checked(
        named("b"),
        Box::new(matches.clone()),
    )));
    assert!(
        matches!(sheet(&scene).check, Check::UnderWay),
        "of another one"
    );
    scene.send(Message::SharedToken(SharedTokenMessage::Checked(
        named("a"),
        Box::new(matches),
    )));
    let Check::Made { rows, .. } = &sheet(&scene).check else {
        panic!("{:?}", sheet(&scene).check);
    };
    assert!(rows.iter().all(|row| row.state == State::Ok), "{rows:?}");
    scene.keys("esc");
    assert!(scene.model.overlay.is_none());
}

/// The fields and the list say what was just learnt: by a probe, which sends the key once.
#[test]
fn a_check_that_found_otherwise_than_the_last_probe_is_followed_by_one() {
    let found = |state| {
        let mut verdict = verdict(Reason::Connected);
        verdict.checks.set(CheckId::Token, state, "", None);
        Box::new(verdict)
    };
    let is_probed = |scene: &mut Scene| {
        let effects = scene.effects();
        let started = effects.iter().filter(|effect| {
            matches!(
                effect,
                Effect::Probe(ProbeEffect::Start {
                    target: Target::Saved(name),
                    trigger: Trigger::Scheduled,
                    ..
                }) if *name == named("a")
            )
        });
        started.count() == 1
    };
    for (before, after, follows) in [
        (State::Warn, State::Ok, true),
        (State::Ok, State::Warn, true),
        (State::Ok, State::Ok, false),
        // The CMS did not answer: nothing was learnt of the token.
        (State::Warn, State::Unknown, false),
    ] {
        let mut scene = with_token();
        let mut last = found(before);
        last.connection = Some(named("a"));
        scene.send(Message::Probe(ProbeMessage::Watched(last)));
        scene.keys("V enter");
        let check = SharedTokenMessage::Checked(named("a"), found(after));
        scene.send(Message::SharedToken(check.clone()));
        assert_eq!(is_probed(&mut scene), follows, "{before:?} {after:?}");
        // One that runs already will tell.
        scene.send(Message::SharedToken(check));
        assert!(!is_probed(&mut scene));
    }
}

#[test]
fn who_has_no_shared_token_is_told_so() {
    let http = Connection::new(named("a"), ServiceId::http(), "https://a.example");
    let mut scene = Scene::with(vec![http]);
    scene.keys("V");
    assert!(
        scene.notice().contains("no shared token"),
        "{}",
        scene.notice()
    );
    let mut scene = with_token();
    scene.keys("W V");
    assert!(scene.model.overlay.is_none());
    let mut scene = with_token();
    scene.keys("n alt-V");
    assert_eq!(scene.notice(), "save the connection first");
}

#[test]
fn a_draft_of_another_connection_is_not_lost_for_a_token() {
    let mut scene = Scene::with(shops(&["a", "b"]));
    scene.keys("e").types("x").keys("esc j V g");
    assert_eq!(scene.question(), Some(&Question::LoseDraft));
    let asked = scene.effects();
    let made = Effect::SharedToken(SharedTokenEffect::Make(named("b")));
    assert!(!asked.contains(&made), "{asked:?}");
}

#[test]
fn on_a_row_of_tokens_d_means_that_token() {
    let mut shop = shop("a");
    shop.added = vec![("bot".to_owned(), SecretRef::Vault("a/added/bot".to_owned()))];
    let mut scene = Scene::with(vec![shop.clone()]);
    scene.model.focus = Pane::Tokens;
    scene.keys("d");
    assert!(scene.model.overlay.is_none(), "never the whole connection");
    assert!(
        scene.notice().contains("runs on this one"),
        "{}",
        scene.notice()
    );
    scene.keys("j d");
    let question = Question::RemoveToken {
        name: named("a"),
        label: "bot".to_owned(),
    };
    assert_eq!(scene.question(), Some(&question));
    scene.keys("y");
    let remove = Effect::Store(StoreEffect::RemoveToken {
        name: named("a"),
        label: "bot".to_owned(),
    });
    assert!(scene.effects().contains(&remove));
    shop.added.clear();
    scene.send(Message::Revealed {
        name: named("a"),
        slot: HandleSlot::Added("bot".to_owned()),
        result: Ok(Handle::plain(Secret::new("in the open"))),
    });
    let removed = |left_behind| {
        Message::Store(StoreMessage::TokenRemoved {
            connection: Box::new(shop.clone()),
            label: "bot".to_owned(),
            left_behind,
        })
    };
    scene.send(removed(false));
    assert_eq!(scene.notice(), "bot of a is removed");
    assert!(scene.model.revealed.is_none(), "no row has it any more");
    scene.send(removed(true));
    assert!(
        scene.notice().contains("locked vault"),
        "{}",
        scene.notice()
    );
    assert_eq!(scene.model.token_row, 0);
    assert!(scene.model.entries[&named("a")].connection.added.is_empty());
}
