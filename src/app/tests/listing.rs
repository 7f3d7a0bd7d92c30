//! The list: order, filter, selection, panes.

use std::collections::HashSet;

use crossterm::event::MouseEventKind;

use super::scene::{Scene, named, shop, shops, verdict};
use crate::app::Message;
use crate::app::effect::{Effect, ScreenEnd, StoreEffect, TerminalEffect};
use crate::app::message::{Loaded, ProbeMessage, StoreMessage};
use crate::app::model::{ListedConnection, Overlay, Pane};
use crate::app::watching::BoardView;
use crate::domain::{Reason, ServiceId};

fn four() -> Scene {
    let mut scene = Scene::with(shops(&["alpha", "beta", "gamma", "delta"]));
    scene
        .watched("alpha", Reason::Connected)
        .watched("beta", Reason::CredentialsRejected)
        .watched("gamma", Reason::DnsNotFound);
    scene
}

#[test]
fn worst_first_then_name() {
    assert_eq!(four().visible(), ["gamma", "beta", "delta", "alpha"]);
}

#[test]
fn what_is_left_out_of_watching_comes_last_and_stands_in_no_state() {
    let mut scene = four();
    let mut paused = shop("gamma");
    paused.paused = true;
    let what = crate::app::watching::Planning::Paused;
    let set = crate::app::watching::WatchingMessage::ConnectionsSet(vec![paused], what);
    scene.send(Message::Watching(set));
    assert_eq!(scene.visible(), ["beta", "delta", "alpha", "gamma"]);
    scene.keys("/").types("state:down");
    assert_eq!(scene.visible(), [""; 0]);
    scene.keys("ctrl-u").types("state:paused");
    assert_eq!(scene.visible(), ["gamma"]);
}

#[test]
fn selection_stays_on_its_connection_when_the_order_changes() {
    let mut scene = four();
    scene.keys("home down");
    assert_eq!(scene.selected(), "beta");
    scene.keys("s");
    assert_eq!(scene.visible(), ["alpha", "beta", "delta", "gamma"]);
    assert_eq!(scene.selected(), "beta");
    scene.watched("beta", Reason::Connected).keys("s s s s s");
    assert_eq!(scene.visible(), ["gamma", "delta", "alpha", "beta"]);
    assert_eq!(scene.selected(), "beta");
}

#[test]
fn the_order_is_written_down() {
    let mut scene = four();
    scene.keys("s");
    let set = Effect::Set {
        key: "order".to_owned(),
        value: "name".to_owned(),
    };
    assert_eq!(scene.effects(), [set]);
}

#[test]
fn moving_stops_at_the_ends() {
    let mut scene = four();
    for (keys, selected) in [
        ("home", "gamma"),
        ("up k", "gamma"),
        ("j down", "delta"),
        ("G", "alpha"),
        ("down pgdn", "alpha"),
        ("g", "gamma"),
        ("pgdn", "alpha"),
        ("pgup", "gamma"),
    ] {
        assert_eq!(scene.keys(keys).selected(), selected, "{keys}");
    }
}

#[test]
fn the_filter_narrows_while_it_is_typed() {
    for (typed, visible) in [
        ("gm", vec!["gamma"]),
        ("alp", vec!["alpha"]),
        ("zzz", vec![]),
        ("state:down", vec!["gamma"]),
        ("state:up", vec!["alpha"]),
        ("state:unknown", vec!["delta"]),
        ("status:401", vec!["beta"]),
        ("status:4xx", vec!["beta"]),
        ("reason:dns", vec!["gamma"]),
        ("service:blesta a", vec!["gamma", "beta", "delta", "alpha"]),
        ("service:connect", vec![]),
        ("tag:eu", vec![]),
    ] {
        let mut scene = four();
        scene.keys("/").types(typed);
        assert_eq!(scene.visible(), visible, "{typed}");
        let selected = scene.model.list.selected.as_ref();
        assert_eq!(selected.is_some(), !visible.is_empty(), "{typed}");
    }
}

#[test]
fn a_tag_is_found_without_regard_to_case() {
    let mut tagged = shop("tagged");
    tagged.tags = vec!["EU".to_owned(), "live".to_owned()];
    let mut scene = Scene::with(vec![tagged, shop("plain")]);
    scene.keys("/").types("tag:eu");
    assert_eq!(scene.visible(), ["tagged"]);
}

#[test]
fn a_tag_with_a_blank_stands_in_quotes() {
    let mut tagged = shop("tagged");
    tagged.tags = vec!["ap south".to_owned()];
    let mut other = shop("other");
    other.tags = vec!["ap north".to_owned()];
    for typed in ["tag:\"ap south\"", "tag:\"ap s", "\"tag:ap south\""] {
        let mut scene = Scene::with(vec![tagged.clone(), other.clone()]);
        scene.keys("/").types(typed);
        assert_eq!(scene.visible(), ["tagged"], "{typed}");
    }
}

/// Digits in any order apart are in nearly every URL.
#[test]
fn in_a_url_the_words_are_looked_for_as_they_stand() {
    let of = |name: &str, url: &str| {
        let mut shop = shop(name);
        url.clone_into(&mut shop.url);
        shop
    };
    for (typed, visible) in [
        ("2182", vec!["corp-2182"]),
        ("crp00", vec!["corp-0077"]),
        ("20.78", vec!["corp-0077"]),
        ("127. 20.79 api", vec!["corp-2182"]),
        ("!20.79", vec!["corp-0077", "corp-2182"]),
        ("01/API$", vec!["corp-2182"]),
    ] {
        let mut scene = Scene::with(vec![
            of("corp-0077", "http://127.31.20.78:23182/API"),
            of("corp-2182", "http://127.31.20.79:23101/API"),
        ]);
        scene.keys("/").types(typed);
        assert_eq!(scene.visible(), visible, "{typed}");
    }
}

#[test]
fn enter_keeps_the_filter_and_escape_clears_it() {
    let mut scene = four();
    scene.keys("/").types("gam").keys("enter");
    assert!(!scene.model.list.filtering);
    assert_eq!(scene.visible(), ["gamma"]);
    scene.keys("esc");
    assert_eq!(scene.visible().len(), 4);
    scene.keys("/").types("gam").keys("esc");
    assert_eq!(scene.visible().len(), 4);
    assert!(!scene.model.list.filtering);
}

#[test]
fn a_filtered_row_comes_and_goes_with_its_state() {
    let mut scene = four();
    scene.keys("/").types("state:down").keys("enter");
    scene.watched("alpha", Reason::Refused);
    assert_eq!(scene.visible(), ["alpha", "gamma"]);
    scene.keys("down").watched("alpha", Reason::Connected);
    assert_eq!(scene.visible(), ["gamma"]);
}

#[test]
fn the_selected_row_leaves_the_filter_by_no_probe() {
    let mut scene = four();
    scene.keys("/").types("state:down").keys("enter");
    scene.watched("alpha", Reason::Refused).keys("end");
    assert_eq!(scene.selected(), "gamma");
    for reason in [Reason::Connected, Reason::CredentialsRejected] {
        scene.watched("gamma", reason);
        assert_eq!(scene.visible(), ["alpha", "gamma"]);
        assert_eq!(scene.selected(), "gamma");
    }
    // Nor by what else lists anew: another order, the configuration.
    let loaded = Message::ConfigurationLoaded(Box::new(Loaded {
        connections: shops(&["alpha", "gamma"])
            .into_iter()
            .map(Into::into)
            .collect(),
        ..Loaded::default()
    }));
    scene.keys("s").send(loaded);
    assert_eq!(scene.visible(), ["alpha", "gamma"]);
    assert_eq!(scene.model.list.held, HashSet::from([named("gamma")]));
    // Down again, it passes.
    scene.watched("gamma", Reason::Refused);
    assert!(scene.model.list.held.is_empty());
    scene.watched("gamma", Reason::Connected).keys("y");
    let copied = scene.effects();
    let is_its = |effect: &Effect| {
        matches!(effect, Effect::Clipboard(crate::app::effect::ClipboardEffect::CopyHandle { name, .. })
            if *name == named("gamma"))
    };
    assert!(copied.iter().any(is_its), "{copied:?}");
    // It goes with a key, with another filter, and with its connection.
    scene.keys("up");
    assert_eq!(
        (scene.visible(), scene.selected()),
        (vec!["alpha"], "alpha")
    );
    scene.watched("alpha", Reason::Connected).keys("/");
    assert_eq!(scene.visible(), ["alpha"]);
    scene.types("n").keys("backspace");
    assert_eq!(scene.visible(), [""; 0]);
    scene.watched("gamma", Reason::Refused).keys("enter down");
    scene.watched("gamma", Reason::Connected);
    assert_eq!(
        (scene.visible(), scene.selected()),
        (vec!["gamma"], "gamma")
    );
    let removed = StoreMessage::Removed(named("gamma"), 0);
    scene.keys("d y").send(Message::Store(removed));
    assert_eq!((scene.visible(), scene.selected()), (vec![], ""));
}

#[test]
fn letters_in_the_filter_type_and_actions_are_at_alt() {
    let mut scene = four();
    scene.keys("/").types("q");
    assert_eq!(scene.effects(), []);
    scene.keys("alt-q");
    assert_eq!(
        scene.effects(),
        [Effect::Terminal(TerminalEffect::End(ScreenEnd::Quit))]
    );
}

#[test]
fn services_and_slowest_are_orders_too() {
    let mut connect = shop("zeta");
    connect.service = ServiceId::connect();
    let mut scene = Scene::with(vec![connect, shop("alpha"), shop("beta")]);
    let mut slow = verdict(Reason::Connected);
    slow.connection = Some(named("beta"));
    slow.phases.total = Some(std::time::Duration::from_millis(900));
    scene.send(Message::Probe(ProbeMessage::Watched(Box::new(slow))));
    scene.keys("s s");
    assert_eq!(scene.visible(), ["alpha", "beta", "zeta"]);
    scene.keys("s");
    assert_eq!(scene.visible(), ["beta", "alpha", "zeta"]);
}

#[test]
fn the_selected_row_is_always_on_the_screen() {
    let names: Vec<String> = (0..200).map(|n| format!("c{n:03}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut scene = Scene::with(shops(&names));
    for keys in ["G", "home", "pgdn pgdn", "up up", "s", "end pgup"] {
        scene.keys(keys);
        assert_row_is_shown(&scene, keys);
    }
    scene.send(Message::Resized(40, 6)).keys("down");
    assert_row_is_shown(&scene, "small");
}

fn assert_row_is_shown(scene: &Scene, after: &str) {
    let list = &scene.model.list;
    let row = list.row().unwrap();
    let shown = list.offset..list.offset + scene.model.list_rows();
    assert!(shown.contains(&row), "{after}: {row} in {shown:?}");
}

#[test]
fn one_verdict_among_ten_thousand_moves_one_row() {
    let names: Vec<String> = (0..10_000).map(|n| format!("c{n:05}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut scene = Scene::with(shops(&names));
    for n in [17, 9_999, 0, 5_000] {
        for reason in [
            Reason::Refused,
            Reason::Connected,
            Reason::CredentialsRejected,
        ] {
            scene.watched(names[n], reason);
        }
    }
    assert_eq!(
        scene.visible()[..4],
        ["c00000", "c00017", "c05000", "c09999"]
    );
    let kept: Vec<_> = scene.model.list.visible.clone();
    scene.model.relist();
    assert_eq!(
        scene.model.list.visible, kept,
        "moved rows are where a sort puts them"
    );
}

#[test]
fn the_last_states_are_kept_and_since_when() {
    let mut scene = Scene::with(shops(&["a"]));
    let first = scene.now;
    for n in 0..70 {
        let mut verdict = verdict(if n < 65 {
            Reason::Connected
        } else {
            Reason::Refused
        });
        verdict.connection = Some(named("a"));
        verdict.at = first + jiff::SignedDuration::from_secs(n);
        scene.send(Message::Probe(ProbeMessage::Watched(Box::new(verdict))));
    }
    let entry: &ListedConnection = &scene.model.entries[&named("a")];
    assert_eq!(entry.strip.len(), 60);
    assert_eq!(
        entry.since,
        Some(first + jiff::SignedDuration::from_secs(65))
    );
}

#[test]
fn tab_goes_round_the_panes_and_escape_back_to_the_list() {
    let mut scene = four();
    let mut seen = HashSet::new();
    for _ in 0..4 {
        seen.insert(scene.model.focus);
        scene.keys("tab");
    }
    assert_eq!(seen.len(), 4);
    assert_eq!(scene.model.focus, Pane::List);
    scene.keys("shift-tab");
    assert_eq!(scene.model.focus, Pane::Tokens);
    scene.keys("z");
    assert!(scene.model.zoomed);
    scene.keys("esc");
    assert!(!scene.model.zoomed);
    scene.keys("esc");
    assert_eq!(scene.model.focus, Pane::List);
}

#[test]
fn a_removed_connection_leaves_the_list_after_a_question() {
    let mut scene = four();
    scene.keys("home d");
    assert_eq!(scene.effects(), []);
    scene.keys("n d y");
    assert_eq!(
        scene.effects(),
        [Effect::Store(StoreEffect::Remove(named("gamma")))]
    );
    scene.send(Message::Store(StoreMessage::Removed(named("gamma"), 0)));
    assert_eq!(scene.visible(), ["beta", "delta", "alpha"]);
    assert_eq!(scene.selected(), "beta", "the next row takes its place");
    scene
        .keys("d y")
        .send(Message::Store(StoreMessage::Removed(named("beta"), 2)));
    assert!(
        scene.notice().contains("doctor names"),
        "{}",
        scene.notice()
    );
}

/// The file is written before the values are taken out of their stores: it may be read again in between.
#[test]
fn a_removal_is_told_whole_though_the_configuration_comes_first() {
    let mut scene = four();
    scene.keys("home e");
    scene.model.form.as_mut().unwrap().dirty = true;
    scene.keys("esc d y");
    assert_eq!(scene.model.removing, Some(named("gamma")));
    let others = scene.model.entries.values();
    let others = others.map(|entry| entry.connection.clone());
    let connections = others.filter(|one| one.name != named("gamma")).collect();
    scene.send(Message::ConfigurationLoaded(Box::new(Loaded {
        connections,
        ..Loaded::default()
    })));
    assert!(scene.model.form.is_none(), "its draft goes with it");
    scene.send(Message::Store(StoreMessage::Removed(named("gamma"), 1)));
    assert!(
        scene.notice().contains("gamma is removed; its value"),
        "{}",
        scene.notice()
    );
}

#[test]
fn a_click_selects_and_the_wheel_scrolls() {
    let mut scene = four();
    scene.send(Message::Clicked(Pane::List, 2));
    assert_eq!(scene.selected(), "delta");
    scene.send(Message::Clicked(Pane::List, 99));
    assert_eq!(scene.selected(), "delta");
    let wheel = |kind, pane| {
        let event = crossterm::event::MouseEvent {
            kind,
            column: 0,
            row: 0,
            modifiers: crossterm::event::KeyModifiers::NONE,
        };
        Message::Mouse(event, pane)
    };
    let (up, down) = (MouseEventKind::ScrollUp, MouseEventKind::ScrollDown);
    scene.send(wheel(down, Some(Pane::Response)));
    assert_eq!(
        (scene.selected(), scene.model.response_scroll),
        ("delta", 3)
    );
    scene.send(wheel(up, Some(Pane::List)));
    assert_eq!(scene.selected(), "gamma");
    scene.keys("?").send(wheel(down, Some(Pane::List)));
    assert!(matches!(
        scene.model.overlay,
        Some(Overlay::Help { scroll: 3 })
    ));
    scene.keys("esc");
    scene.send(Message::Clicked(Pane::Tokens, 0));
    assert_eq!(scene.model.focus, Pane::Tokens);
}

#[test]
fn the_palette_finds_an_action_by_a_few_letters() {
    let mut scene = four();
    scene.keys(":").types("mous").keys("enter");
    assert_eq!(
        scene.effects(),
        [Effect::Terminal(TerminalEffect::Mouse(true))]
    );
    assert!(scene.model.overlay.is_none());
    scene.keys(":").types("zzz").keys("enter");
    assert!(matches!(scene.model.overlay, Some(Overlay::Palette { .. })));
    scene.keys("esc");
    assert!(scene.model.overlay.is_none());
}

#[test]
fn one_wrong_letter_in_the_filter_does_not_lose_the_place() {
    let mut scene = four();
    scene.keys("end /").types("zz");
    assert_eq!((scene.visible().len(), scene.selected()), (0, ""));
    scene.keys("backspace backspace");
    assert_eq!(scene.selected(), "alpha");
    scene.types("zz").keys("esc");
    assert_eq!(scene.selected(), "alpha");
    // A row that was chosen among those found is kept.
    scene.keys("/").types("delta").keys("up esc");
    assert_eq!(scene.selected(), "delta");
}

#[test]
fn a_filter_that_nobody_can_mean_says_what_is_known() {
    for (typed, said) in [
        ("foo:bar", "no field foo"),
        ("state:bogus", "state: is up"),
        ("status:abc", "status: is a number"),
        ("status:599", ""),
        ("zzz", ""),
    ] {
        let mut scene = four();
        scene.keys("/").types(typed);
        assert!(scene.visible().is_empty());
        let notice = scene.notice();
        assert!(
            notice.contains(said) && notice.is_empty() == said.is_empty(),
            "{typed}: {notice}"
        );
        scene.keys("ctrl-u").types("zzz");
        assert_eq!(scene.notice(), "", "{typed}: of another filter");
    }
}

#[test]
fn what_a_key_takes_out_of_the_filter_stays_to_be_taken_back() {
    use crate::app::watching::{Planning, WatchingEffect, WatchingMessage};
    let mut scene = four();
    scene.watched("alpha", Reason::Refused);
    scene.keys("/").types("state:down").keys("enter home P");
    let asked = |scene: &mut Scene| {
        let effects = scene.effects().into_iter();
        effects
            .filter_map(|effect| match effect {
                Effect::Watching(WatchingEffect::SetPaused(name, paused)) => Some((name, paused)),
                _ => None,
            })
            .next_back()
    };
    assert_eq!(asked(&mut scene), Some((named("alpha"), true)));
    let mut paused = shop("alpha");
    paused.paused = true;
    let set = WatchingMessage::ConnectionsSet(vec![paused], Planning::Paused);
    scene.send(Message::Watching(set));
    assert_eq!(scene.selected(), "alpha", "it is under the hand still");
    scene.keys("P");
    assert_eq!(asked(&mut scene), Some((named("alpha"), false)));
    // Another one is chosen: it goes.
    let before = scene.visible().len();
    scene.keys("down up");
    assert_eq!(scene.visible().len(), before - 1);
    assert!(!scene.visible().contains(&"alpha"));
}

fn loaded(names: &[&str]) -> Message {
    Message::ConfigurationLoaded(Box::new(Loaded {
        connections: shops(names).into_iter().map(Into::into).collect(),
        ..Loaded::default()
    }))
}

/// Another copy of the program removes the selected connection just when a key is pressed.
#[test]
fn a_key_meant_for_what_has_left_the_list_means_no_other_one() {
    let mut scene = Scene::with(shops(&["a", "b", "c", "d"]));
    scene.keys("down").send(loaded(&["a", "c", "d"])).effects();
    let said = "b was removed or renamed: no connection is selected";
    assert_eq!((scene.selected(), scene.notice()), ("", said));
    // Neither what is heard of others nor another reading selects one.
    scene.watched("a", Reason::Refused).keys("s");
    scene.send(loaded(&["a", "c", "d"])).effects();
    for key in "y Y v d e c r b R a S m u h V P M l t enter".split(' ') {
        scene.keys(key);
        assert_eq!(scene.effects(), [], "{key}");
        let is_open = scene.model.overlay.is_some() || scene.model.form.is_some();
        assert!(
            !is_open && scene.model.board.view == BoardView::Closed,
            "{key}"
        );
        let said = scene.notice();
        assert!(said.contains("no connection is selected"), "{key}: {said}");
    }
    // It comes back: an editor had written only half of it.
    scene.send(loaded(&["a", "b", "c", "d"]));
    assert_eq!((scene.selected(), scene.notice()), ("b", ""));
    scene.send(loaded(&["a", "c", "d"])).keys("down");
    assert_eq!(scene.selected(), "c", "the row in its place");
    scene.send(loaded(&["a", "d"])).keys("up");
    assert_eq!(scene.selected(), "a", "the row above it");
    scene.send(loaded(&["d"])).keys("/").types("d");
    assert_eq!(scene.selected(), "d", "who types chooses too");
}

#[test]
fn the_list_does_not_jump_where_the_selected_row_has_left() {
    let names: Vec<String> = (0..90).map(|n| format!("c{n:02}")).collect();
    let mut names: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut scene = Scene::with(shops(&names));
    scene.keys("end up up");
    let offset = scene.model.list.offset;
    names.remove(87);
    scene.send(loaded(&names));
    assert_eq!(
        (scene.selected(), scene.model.list.offset),
        ("", offset - 1)
    );
}
