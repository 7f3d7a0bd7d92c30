//! Esc and another key in one read, which a terminal sends as that key with Alt.

use super::scene::{Scene, shops};
use crate::app::effect::{Effect, TerminalEffect};
use crate::app::keymap::Keymap;
use crate::app::message::VaultMessage;
use crate::app::model::{Overlay, Pane, Question};
use crate::app::{FieldId, Message};
use crate::domain::{Name, PassphrasePurpose};

fn asking(question: Question) -> Scene {
    let mut scene = Scene::with(shops(&["a", "b"]));
    scene.model.ask(question);
    scene
}

fn name() -> Name {
    super::scene::named("a")
}

#[test]
fn no_question_takes_a_letter_behind_escape_for_yes() {
    let questions = [
        Question::Remove(name()),
        Question::RemoveToken {
            name: name(),
            label: "spare".into(),
        },
        Question::SaveAllTheSame,
        Question::SaveOver(vec![FieldId::Url]),
        Question::LoseDraft,
        Question::QuitUnsaved,
        Question::QuitUnderWay,
        Question::LoseToken,
        Question::SendKeyTo("new.example.com".into()),
        Question::Bisect(name()),
        Question::BisectDraft,
        Question::LockLosesSecrets,
        Question::PauseAll(None, vec![name()], true),
        Question::LeaveSheet,
    ];
    for question in questions {
        for key in ["alt-y", "alt-Y", "alt-enter", "alt-n", "alt-tab", "alt-d"] {
            let mut scene = asking(question.clone());
            scene.wait(2_000);
            scene.keys(key);
            assert_eq!(scene.effects(), [], "{question:?} {key}");
            assert!(scene.question().is_none(), "no to {question:?} by {key}");
        }
        let mut scene = asking(question.clone());
        scene.wait(2_000);
        scene.keys("ctrl-y");
        assert!(scene.question().is_some(), "{question:?}");
    }
}

#[test]
fn a_question_locks_by_alt_all_the_same() {
    let mut scene = asking(Question::Remove(name()));
    scene.keys("alt-L");
    assert!(scene.question().is_none());
    assert!(!scene.effects().is_empty());
}

#[test]
fn escape_is_not_lost_in_front_of_another_key() {
    // What opens it, and whether Esc has closed it.
    type Closed = fn(&Scene) -> bool;
    let no_overlay: Closed = |scene| scene.model.overlay.is_none();
    let table: &[(&str, Closed)] = &[
        (":", no_overlay),
        ("Y", no_overlay),
        ("a", no_overlay),
        ("?", no_overlay),
        ("H", no_overlay),
        ("M", no_overlay),
        ("n", |scene| scene.model.focus == Pane::List),
        ("/ b", |scene| !scene.model.list.filtering),
    ];
    for (opens, is_closed) in table {
        for key in ["alt-enter", "alt-tab", "alt-j", "alt-ctrl-s"] {
            let mut scene = Scene::with(shops(&["a", "b"]));
            scene.keys(opens);
            assert!(!is_closed(&scene), "{opens}");
            let types = scene.model.letters_type();
            if key == "alt-j" && types {
                continue;
            }
            scene.keys(key);
            assert!(is_closed(&scene), "{opens} {key}");
            let effects = scene.effects();
            let is_list = *opens == "?";
            assert!(is_list || effects.is_empty(), "{opens} {key}: {effects:?}");
        }
    }
    let mut scene = Scene::with(shops(&["a", "b"]));
    scene.keys(": alt-enter");
    assert_eq!(scene.selected(), "a");
    assert!(scene.model.form.is_none(), "the first row was not run");
    // In a list both are done.
    scene.keys("alt-enter");
    assert!(scene.model.visible_form().is_some());
    let mut scene = Scene::with(shops(&["a", "b"]));
    scene.keys("alt-tab");
    assert_ne!(scene.model.focus, Pane::List);
}

/// A keyboard whose accents are at Alt sends such for what is typed: nothing of that is lost.
#[test]
fn where_letters_type_a_letter_with_alt_that_is_bound_to_nothing_does_nothing() {
    let mut open = super::tokens::typing_places();
    let shops = || Scene::with(shops(&["a", "b"]));
    for opens in [":", "a", "a enter", "M", "/ b", "n", "n enter enter"] {
        let mut scene = shops();
        scene.keys(opens);
        open.push((opens.to_owned(), scene));
    }
    let mut scene = shops();
    scene.send(Message::Vault(VaultMessage::PassphraseNeeded(
        PassphrasePurpose::Create,
    )));
    open.push(("a passphrase".to_owned(), scene));
    for (opens, mut scene) in open {
        assert!(scene.model.letters_type(), "{opens}");
        scene.types("typed");
        scene.effects();
        scene.model.notice = None;
        let place = |scene: &Scene| {
            let model = &scene.model;
            let typed = model.form.as_ref().map(|form| form.text(FieldId::Url));
            let typed = typed.map(str::to_owned);
            let focus = (model.focus, model.list.filtering);
            (
                format!("{:?}{:?}", model.overlay, model.tokens),
                typed,
                focus,
            )
        };
        let before = place(&scene);
        for key in ["alt-i", "alt-j", "alt-D", "alt-5", "alt-space", "alt-,"] {
            scene.keys(key);
            assert_eq!(place(&scene), before, "{opens} {key}");
            assert_eq!(scene.effects(), [], "{opens} {key}");
            let said = scene.notice();
            assert!(said.contains("nothing here"), "{opens} {key}: {said:?}");
        }
    }
}

#[test]
fn where_letters_type_alt_is_what_it_was() {
    let mut scene = Scene::with(shops(&["a", "b"]));
    scene.keys("n").types("x").keys("alt-[ alt-backspace");
    assert_eq!(scene.text(FieldId::Url), "x");
    assert_eq!(scene.model.focus, Pane::Form, "they close nothing");
    scene.keys("alt-:");
    assert!(matches!(scene.model.overlay, Some(Overlay::Palette { .. })));
    scene.keys("alt-L");
    assert!(scene.model.overlay.is_none());
    let mut scene = Scene::with(shops(&["a", "b"]));
    let remaps = [("down".to_owned(), "alt-n".to_owned())];
    scene.model.keymap = Keymap::remapped(&remaps).0;
    scene.keys("Y alt-n");
    assert!(matches!(
        scene.model.overlay,
        Some(Overlay::CopyAs { row: 1, .. })
    ));
}

#[test]
fn the_program_is_stopped_over_what_is_open_where_nothing_is_typed() {
    let stop = Effect::Terminal(TerminalEffect::Suspend);
    for opens in ["d", "?", "Y", "H"] {
        let mut scene = Scene::with(shops(&["a"]));
        scene.keys(opens);
        let is_open = |scene: &Scene| scene.model.overlay.is_some();
        assert!(is_open(&scene));
        scene.effects();
        scene.keys("ctrl-z");
        assert_eq!(scene.effects(), std::slice::from_ref(&stop), "{opens}");
        assert!(is_open(&scene), "{opens} is there when it goes on");
    }
    let mut scene = Scene::with(shops(&["a"]));
    scene.keys("n ctrl-z");
    assert_eq!(scene.effects(), [], "in a field it undoes");
}
