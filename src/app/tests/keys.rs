//! The table of keys, and what is made of it.

use std::collections::HashSet;

use super::scene::{Scene, named, shops};
use crate::app::effect::{StoreEffect, TerminalEffect, VaultEffect};
use crate::app::keymap::action::TABLE;
use crate::app::keymap::{Action, HelpGroup, KeyPress, Keymap};
use crate::app::message::StoreMessage;
use crate::app::model::{Overlay, Question};
use crate::app::{Effect, FieldId, Message, hints};

#[test]
fn the_table_is_in_the_order_of_its_actions_and_names_are_unique() {
    let mut names = HashSet::new();
    for row in TABLE {
        assert_eq!(row.action.row().name, row.name);
        assert_eq!(Action::from_name(row.name), Some(row.action));
        assert!(names.insert(row.name), "{}", row.name);
    }
}

fn removes(scene: &mut Scene) -> bool {
    let effects = scene.effects();
    let mut effects = effects.iter();
    effects.any(|effect| matches!(effect, Effect::Store(StoreEffect::Remove(_))))
}

#[test]
fn a_text_that_comes_as_keys_says_yes_to_nothing() {
    for text in ["dy", "dyn.example.net", "old-proxy.example.net"] {
        let mut scene = Scene::with(shops(&["a"]));
        scene.types(text);
        assert!(!removes(&mut scene), "{text} in one packet");
        let mut scene = Scene::with(shops(&["a"]));
        scene.keys_in_a_row(text);
        assert!(!removes(&mut scene), "{text} in a packet each");
    }
    let bisects = |scene: &mut Scene| {
        let effects = scene.effects();
        let mut effects = effects.iter();
        effects.any(|effect| matches!(effect, Effect::Probe(_)))
    };
    let mut scene = Scene::with(shops(&["a"]));
    scene.keys_in_a_row("body");
    assert!(!bisects(&mut scene));
    scene.keys("n b y");
    assert!(bisects(&mut scene), "the question of b was asked");
    // Letters behind letters are none either, however long the question stands there.
    let mut scene = Scene::with(shops(&["a"]));
    scene.keys("d - p r o x y");
    assert!(!removes(&mut scene));
    scene.wait(199);
    scene.keys("y");
    assert!(scene.notice().contains("too soon"), "{}", scene.notice());
    scene.wait(200);
    scene.keys("y");
    assert!(removes(&mut scene), "it is an answer");
}

#[test]
fn an_answer_that_bounces_or_is_held_means_nothing_on_the_next_row() {
    for (asked, answer) in [("d", "y"), ("b", "y"), ("d", "n")] {
        let mut scene = Scene::with(shops(&["a", "b"]));
        scene.keys(asked).wait(300);
        scene.keys(answer).effects();
        if (asked, answer) == ("d", "y") {
            scene.send(Message::Store(StoreMessage::Removed(named("a"), 0)));
            scene.effects();
        }
        let selected = scene.selected().to_owned();
        // It bounces, rests as long as a held key does at first, and comes again and again.
        for pause in [20, 660, 30, 30, 30, 999] {
            scene.wait(pause);
            scene.types(answer);
            let told = (asked, answer, pause);
            assert_eq!(scene.effects(), [], "{told:?}");
            assert!(scene.model.form.is_none(), "{told:?}");
            assert_eq!(scene.selected(), selected);
        }
        // Another key, or a rest, and it is one of its own again.
        scene.wait(1_000);
        scene.types(answer);
        let acted = !scene.effects().is_empty() || scene.model.form.is_some();
        assert!(acted, "{asked} {answer}");
    }
    let mut scene = Scene::with(shops(&["a", "b"]));
    scene.keys("d").wait(300);
    scene.keys("n").types("jy");
    let copies = |effect: &Effect| matches!(effect, Effect::Clipboard(_));
    assert!(scene.effects().iter().any(copies), "it is another key");
}

#[test]
fn a_question_takes_its_answer_once_it_can_have_been_read() {
    let mut scene = Scene::with(shops(&["a"]));
    scene.keys_in_a_row("dy");
    assert!(scene.notice().contains("too soon"), "{}", scene.notice());
    scene.wait(200);
    scene.keys("y");
    assert!(removes(&mut scene));
    // On a terminal that takes nothing it was never seen.
    let mut scene = Scene::with(shops(&["a"]));
    scene.types("dy").wait(200);
    scene.types("y");
    assert!(!removes(&mut scene));
    let mut scene = Scene::with(shops(&["a"]));
    scene.types("dn");
    assert!(scene.model.overlay.is_none(), "no is never too soon");
}

#[test]
fn a_text_that_comes_as_keys_loses_no_draft() {
    let mut scene = Scene::empty();
    scene.keys("n").types("https://a.example").keys("esc");
    scene.types("quay");
    let quits = |effect: &Effect| matches!(effect, Effect::Terminal(TerminalEffect::End(_)));
    assert!(!scene.effects().iter().any(quits));
}

#[test]
fn the_help_of_one_connection_over_time_names_what_works_there() {
    let mut scene = Scene::with(shops(&["a"]));
    scene.keys("w enter");
    let help = hints::help(&scene.model);
    let named = |action: Action| help.iter().filter(|row| row.1 == action.row().help).count();
    for action in [
        Action::Delete,
        Action::Reveal,
        Action::Copy,
        Action::Bisect,
        Action::Resume,
        Action::SharedToken,
        Action::Ticket,
        Action::PauseConnection,
        Action::Probe,
    ] {
        assert_eq!(named(action), 1, "{action:?}");
    }
    assert_eq!(named(Action::Order), 0, "s is the span here");
    assert_eq!(named(Action::Save), 0);
}

#[test]
fn the_defaults_do_not_collide_and_can_all_be_read() {
    assert_eq!(Keymap::remapped(&[]).1, Vec::<String>::new());
    for key in TABLE.iter().flat_map(|row| row.keys) {
        assert!(KeyPress::parse(key).is_some(), "{key}");
    }
}

#[test]
fn every_action_of_the_contract_has_its_key() {
    let map = Keymap::default();
    for (key, action) in [
        ("n", Action::New),
        ("e", Action::Edit),
        ("c", Action::Clone),
        ("d", Action::Delete),
        ("r", Action::Probe),
        ("b", Action::Bisect),
        ("R", Action::Resume),
        ("v", Action::Reveal),
        ("y", Action::Copy),
        ("Y", Action::CopyAs),
        ("a", Action::AddToken),
        ("m", Action::CopySnippet),
        ("u", Action::UseUrl),
        ("h", Action::UseHeaders),
        ("z", Action::Zoom),
        ("s", Action::Order),
        ("/", Action::Filter),
        ("p", Action::Pause),
        ("L", Action::Lock),
        ("W", Action::WarRoom),
        (":", Action::Palette),
        ("?", Action::Help),
        ("q", Action::Quit),
    ] {
        let key = KeyPress::parse(key).unwrap();
        assert_eq!(map.in_lists(key), Some(action));
        assert_eq!(map.in_fields(key), None, "letters type in a field");
        assert_eq!(map.in_fields(key.for_field()), Some(action));
    }
}

fn remap(pairs: &[(&str, &str)]) -> (Keymap, Vec<String>) {
    let pairs: Vec<_> = pairs
        .iter()
        .map(|(name, key)| ((*name).to_owned(), (*key).to_owned()))
        .collect();
    Keymap::remapped(&pairs)
}

#[test]
fn a_remapped_action_has_its_new_keys_only() {
    let (map, warnings) = remap(&[("probe", "f5 i")]);
    assert_eq!(warnings, Vec::<String>::new());
    let key = |text| map.in_lists(KeyPress::parse(text).unwrap());
    assert_eq!(
        (key("f5"), key("i"), key("r")),
        (Some(Action::Probe), Some(Action::Probe), None)
    );
    assert_eq!(map.list_key(Action::Probe).unwrap(), "F5");
    assert_eq!(map.field_key(Action::Quit).unwrap(), "Alt-q");
    let (map, _) = remap(&[("probe", "f5"), ("probe", "x")]);
    let key = |text| map.in_lists(KeyPress::parse(text).unwrap());
    assert_eq!(
        (key("f5"), key("x")),
        (Some(Action::Probe), Some(Action::Probe)),
        "in two pairs"
    );
    let (map, _) = remap(&[("probe", "e"), ("edit", "r")]);
    let key = |text| map.in_lists(KeyPress::parse(text).unwrap());
    assert_eq!(
        (key("e"), key("r")),
        (Some(Action::Probe), Some(Action::Edit)),
        "swapped"
    );
    let (map, _) = remap(&[("delete", "")]);
    assert_eq!(map.list_key(Action::Delete), None, "taken away");
}

#[test]
fn conflicts_and_mistakes_are_said() {
    for (pairs, told) in [
        (vec![("fly", "f")], "no action is called \"fly\""),
        (vec![("probe", "hyper-q")], "\"hyper-q\" is no key"),
        (
            vec![("probe", "e")],
            "e is probe already, so it is not edit",
        ),
        (
            vec![("probe", "x"), ("edit", "x")],
            "x is probe already, so it is not edit",
        ),
        (vec![("leave", "x")], "x types in a text field"),
        (vec![("save", "tab")], "Tab is save already"),
    ] {
        let (_, warnings) = remap(&pairs);
        assert!(
            warnings.join("\n").contains(told),
            "{pairs:?}: {warnings:?}"
        );
    }
}

#[test]
fn the_footer_shows_alt_in_a_text_field() {
    let mut scene = Scene::with(shops(&["a"]));
    let has = |scene: &Scene, key: &str, hint: &str| {
        hints::footer(&scene.model)
            .iter()
            .any(|(shown, words)| shown == key && *words == hint)
    };
    assert!(has(&scene, "r", "probe") && has(&scene, "n", "new"));
    scene.keys("e");
    assert!(has(&scene, "Alt-r", "probe") && has(&scene, "Ctrl-S", "save"));
    assert!(!has(&scene, "r", "probe"));
    scene.keys("up up").types("/admin");
    assert!(
        has(&scene, "Alt-u", "use URL"),
        "a corrected URL is at hand"
    );
}

#[test]
fn a_letter_right_behind_escape_is_no_other_key() {
    // Both come in one packet, which a terminal's reader takes for the letter with Alt.
    let mut scene = Scene::with(shops(&["a", "b"]));
    scene.keys("? alt-n");
    assert!(scene.model.overlay.is_none());
    assert!(scene.model.visible_form().is_some(), "the form is open");
    let typed = scene.text(FieldId::Url).to_owned();
    scene.keys("alt-n");
    assert_eq!(
        scene.text(FieldId::Url),
        typed,
        "and there it is another key"
    );
    scene.keys("esc alt-j");
    assert_eq!(scene.selected(), "b");
}

#[test]
fn the_screen_is_drawn_anew_whatever_takes_the_keys() {
    let mut scene = Scene::with(shops(&["a"]));
    for opened in ["", "?", "esc :", "esc a", "esc esc n", "esc /"] {
        scene.keys(opened);
        scene.effects();
        scene.keys("ctrl-l");
        assert_eq!(
            scene.effects(),
            [Effect::Terminal(TerminalEffect::Redraw)],
            "after {opened:?}"
        );
    }
    assert!(scene.model.list.filtering, "nothing else is done by it");
}

#[test]
fn the_table_for_people_has_a_row_for_every_action_but_moving() {
    let table = hints::markdown(&Keymap::default());
    let moving = TABLE
        .iter()
        .filter(|row| row.group == HelpGroup::Move)
        .count();
    assert_eq!(table.lines().count(), TABLE.len() - moving + 2);
    for row in [
        "| `r` | `Alt-r` | Probe now |",
        "| `Ctrl-S` | `Ctrl-S` | Save what stands in the form |",
        "| `:mouse` |  | Switch the mouse on or off |",
        "|  | `Ctrl-Z` | Undo the cleaning of the last paste |",
    ] {
        assert!(table.contains(row), "{table}");
    }
}

#[test]
fn the_help_is_of_the_pane_and_the_palette_of_everything() {
    let mut scene = Scene::with(shops(&["a"]));
    let names = |rows: Vec<(String, &'static crate::app::keymap::HelpRow)>| -> Vec<&str> {
        rows.into_iter().map(|(_, row)| row.name).collect()
    };
    let helps = |scene: &Scene, action: Action| {
        let mut rows = hints::help(&scene.model).into_iter();
        rows.any(|(_, help, _)| help == action.row().help)
    };
    assert!(helps(&scene, Action::Order) && helps(&scene, Action::Quit));
    assert!(!helps(&scene, Action::NextField));
    scene.keys("e");
    assert!(helps(&scene, Action::NextField) && !helps(&scene, Action::Order));
    scene.keys("esc w enter");
    assert!(helps(&scene, Action::Probe) && !helps(&scene, Action::Order));
    assert!(helps(&scene, Action::New) && !helps(&scene, Action::Save));
    scene.keys("esc w");
    let palette = names(hints::palette(&scene.model, ""));
    for row in TABLE {
        let listed = palette.contains(&row.name);
        let moves = row.group == crate::app::keymap::HelpGroup::Move;
        assert_eq!(listed, !moves && row.name != "undo", "{}", row.name);
    }
    assert_eq!(names(hints::palette(&scene.model, "warr"))[0], "war-room");
}

#[test]
fn overlays_move_by_remapped_keys() {
    let mut scene = Scene::with(shops(&["a"]));
    let remaps = [("down".to_owned(), "ctrl-n".to_owned())];
    scene.model.keymap = Keymap::remapped(&remaps).0;
    scene.keys("Y ctrl-n");
    let row = |scene: &Scene| match &scene.model.overlay {
        Some(Overlay::CopyAs { row, .. }) => Some(*row),
        _ => None,
    };
    assert_eq!(row(&scene), Some(1));
    scene.keys("esc ? ctrl-n");
    assert!(matches!(
        scene.model.overlay,
        Some(Overlay::Help { scroll: 1 })
    ));
    scene.keys("G g");
    assert!(matches!(
        scene.model.overlay,
        Some(Overlay::Help { scroll: 0 })
    ));
    scene.keys("esc");
    assert!(scene.model.overlay.is_none());
}

#[test]
fn where_letters_type_the_footer_names_the_keys_in_force() {
    let mut scene = Scene::with(shops(&["a"]));
    let remaps = [("leave", "ctrl-g"), ("accept", "f2"), ("back", "backspace")];
    let remaps = remaps.map(|(name, keys)| (name.to_owned(), keys.to_owned()));
    scene.model.keymap = Keymap::remapped(&remaps).0;
    scene.keys("/");
    let shown = hints::footer(&scene.model);
    assert_eq!(
        shown[..2],
        [("F2".to_owned(), "keep"), ("Ctrl-G".to_owned(), "clear")]
    );
    scene.keys("f2 E");
    let shown = hints::footer(&scene.model);
    assert_eq!(shown[0], ("Enter".to_owned(), "open"));
    assert!(
        shown.contains(&("Backspace".to_owned(), "back")),
        "{shown:?}"
    );
}

#[test]
fn the_palette_names_the_keys_of_where_it_was_opened() {
    let mut scene = Scene::with(shops(&["a"]));
    let key = |scene: &Scene| hints::palette(&scene.model, "reveal")[0].0.clone();
    assert_eq!(key(&scene), "v");
    scene.keys("n alt-:");
    assert_eq!(key(&scene), "Alt-v");
}

#[test]
fn where_no_question_is_to_be_seen_none_is_answered_with_yes() {
    let mut scene = Scene::with(shops(&["a"]));
    scene.keys("d").send(Message::Resized(19, 5)).keys("y y");
    scene.send(Message::Resized(20, 4)).keys("y y");
    assert_eq!(scene.effects(), []);
    scene.send(Message::Resized(20, 5)).keys("y");
    let remove = Effect::Store(StoreEffect::Remove(named("a")));
    assert_eq!(scene.effects(), [remove]);
}

#[test]
fn what_was_said_in_another_place_makes_room_for_the_keys_of_this_one() {
    for goes_on in ["e", "tab", "w", "E", "?"] {
        let mut scene = Scene::with(shops(&["a"]));
        scene.wait(1);
        scene.keys("l");
        assert!(!scene.notice().is_empty(), "what a key could not do");
        scene.wait(1);
        scene.keys(goes_on);
        assert_eq!(scene.notice(), "", "{goes_on}");
    }
    for goes_on in ["e", "tab", "w", "E"] {
        // What nobody waited for has to be read first.
        let told = || {
            let mut scene = Scene::with(shops(&["a"]));
            scene.wait(1);
            scene.send(Message::Noticed("news".to_owned()));
            scene
        };
        let mut scene = told();
        scene.wait(1_500);
        scene.keys(goes_on);
        assert_eq!(scene.notice(), "news", "{goes_on}: nobody has read it yet");
        scene.wait(2_000);
        assert_eq!(scene.notice(), "", "{goes_on}: it has been read");
        let mut scene = told();
        scene.wait(2_500);
        scene.keys(goes_on);
        assert_eq!(scene.notice(), "", "{goes_on}");
    }
}

#[test]
fn what_a_key_says_as_it_leads_elsewhere_is_said_there() {
    let mut scene = Scene::with(shops(&["a"]));
    scene.keys(":").wait(1);
    scene.types("rotate").keys("enter");
    let said = scene.notice().to_owned();
    assert!(!said.is_empty());
    scene.wait(1);
    scene.keys("e");
    assert_eq!(scene.notice(), "", "not {said} over the keys of the form");
}

#[test]
fn an_answer_keeps_nobody_from_typing_and_no_key_is_lost_without_a_word() {
    // Back in a field, or in a new one: letters type there.
    let mut scene = Scene::with(shops(&["a", "b"]));
    scene.keys("n").types("shop").keys("alt-n").wait(300);
    assert!(matches!(scene.model.overlay, Some(Overlay::Confirm(_))));
    scene.keys("y").wait(300);
    scene.types("yes.example");
    assert_eq!(scene.text(FieldId::Url), "yes.example");
    // One that bounces types nothing.
    let mut scene = Scene::with(shops(&["a", "b"]));
    scene.keys("n").types("shop").keys("alt-n").wait(300);
    scene.keys("y").wait(20);
    scene.types("y");
    assert_eq!(scene.text(FieldId::Url), "");
    assert!(scene.notice().contains("too soon"), "{}", scene.notice());
    // A capital is another key.
    let mut scene = Scene::with(shops(&["a", "b"]));
    scene.keys("d").wait(300);
    scene.types("n").wait(20);
    scene.types("Y");
    assert!(matches!(scene.model.overlay, Some(Overlay::CopyAs { .. })));
    // In a list it means nothing, and that is said.
    let mut scene = Scene::with(shops(&["a", "b"]));
    scene.keys("d").wait(300);
    scene.types("n").wait(300);
    scene.types("n");
    assert!(scene.model.form.is_none());
    assert!(scene.notice().contains("too soon"), "{}", scene.notice());
}

#[test]
fn the_next_question_hears_whoever_presses_again_and_never_a_held_key() {
    let asked_again = || {
        let mut scene = Scene::with(shops(&["a", "b"]));
        scene.keys("d");
        scene.model.drawn(scene.now);
        scene.wait(300);
        scene.types("y");
        scene.effects();
        scene.model.ask(Question::Remove(named("b")));
        scene.model.drawn(scene.now);
        scene.wait(1);
        scene
    };
    let mut scene = asked_again();
    for _ in 0..3 {
        scene.wait(400);
        scene.types("y");
    }
    assert_eq!(
        scene.effects(),
        [Effect::Store(StoreEffect::Remove(named("b")))],
        "heard a second after the first answer"
    );
    let mut scene = asked_again();
    scene.wait(500);
    for _ in 0..100 {
        scene.types("y").wait(33);
    }
    assert_eq!(scene.effects(), []);
}

/// A letter may have been typed for a field; whoever wants to lock is not held up by a question.
#[test]
fn what_was_not_seen_yet_is_locked_over_all_the_same() {
    let mut scene = Scene::with(shops(&["a"]));
    scene
        .model
        .ask(Question::SendKeyTo("b.example.com".to_owned()));
    scene.types("L");
    assert_eq!(scene.effects(), []);
    scene.keys("alt-L");
    assert!(scene.effects().contains(&Effect::Vault(VaultEffect::Lock)));
    assert!(scene.model.overlay.is_none());
}

/// Over a slow line a question is on its way for seconds: a yes that was pressed for something else is none.
#[test]
fn a_question_is_answered_by_nobody_who_has_not_seen_it() {
    for question in [
        Question::SendKeyTo("b.example.com".to_owned()),
        Question::Remove(named("a")),
    ] {
        let mut scene = Scene::with(shops(&["a"]));
        scene.keys("j");
        assert_eq!(scene.model.unseen(), None);
        scene.model.ask(question.clone());
        let first = scene.model.unseen();
        assert!(first.is_some());
        scene.wait(9_000);
        scene.types("y");
        assert!(scene.model.overlay.is_some(), "{question:?}");
        assert!(scene.notice().contains("too soon"), "{}", scene.notice());
        // What was said is drawn, and its sight is waited for: the answer to the first may have been lost.
        let second = scene.model.unseen();
        assert!(second.is_some() && second != first);
        scene.model.drawn(scene.now);
        assert_eq!(scene.model.unseen(), None);
        scene.wait(1_100);
        scene.types("y");
        assert!(scene.model.overlay.is_none(), "{question:?}");
    }
}
