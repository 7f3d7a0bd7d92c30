//! The watch table: what it shows, what it asks for, events, notices, maintenance.

use jiff::SignedDuration;

use super::scene::{Scene, named, shop, shops, verdict};
use crate::app::Message;
use crate::app::effect::{ClipboardEffect, Effect, Target, TerminalEffect};
use crate::app::message::Loaded;
use crate::app::model::{LoadState, Model, Overlay, Question};
use crate::app::watching::dialogs::WatchingOverlay;
use crate::app::watching::{
    Board, BoardEvent, BoardView, Planning, TableRow, WatchingEffect, WatchingMessage,
    WatchingSettings,
};
use crate::domain::history::{Availability, History, RunRecord, Standing};
use crate::domain::plot::{Plot, PlotSpan};
use crate::domain::{
    AnsweredBy, Conclusion, Connection, Name, Reason, SecondOpinion, State, Window,
};

fn watching(effects: Vec<Effect>) -> Vec<WatchingEffect> {
    effects
        .into_iter()
        .filter_map(|effect| match effect {
            Effect::Watching(effect) => Some(effect),
            _ => None,
        })
        .collect()
}

/// The names that pasts were asked for.
fn asked(scene: &mut Scene) -> Vec<Vec<Name>> {
    watching(scene.effects())
        .into_iter()
        .filter_map(|effect| match effect {
            WatchingEffect::ReadPasts(names) => Some(names),
            _ => None,
        })
        .collect()
}

fn answer(scene: &mut Scene, names: &[Name]) {
    let pasts = names.iter().map(|name| (name.clone(), History::default()));
    let pasts = WatchingMessage::PastsRead(pasts.collect());
    scene.send(Message::Watching(pasts));
}

fn fleet(count: usize) -> Scene {
    let names: Vec<String> = (0..count).map(|n| format!("c{n:04}")).collect();
    let connections = names.iter().map(|name| shop(name)).collect();
    let mut scene = Scene::with(connections);
    scene.keys("s");
    // The notice goes.
    scene.wait(10_000);
    scene.effects();
    scene
}

fn tagged(pairs: &[(&str, &[&str])]) -> Scene {
    let connections = pairs.iter().map(|(name, tags)| Connection {
        tags: tags.iter().map(|tag| (*tag).to_owned()).collect(),
        ..shop(name)
    });
    Scene::with(connections.collect())
}

fn rows(model: &Model) -> Vec<String> {
    let shown = |row: &TableRow| match row {
        TableRow::Heading {
            group,
            counts,
            folded,
        } => {
            let group = group.as_deref().unwrap_or("-");
            let fold = if *folded { "+" } else { "" };
            format!("{fold}{group} {counts:?}")
        }
        TableRow::Connection(name) => name.to_string(),
    };
    model.board.rows.iter().map(shown).collect()
}

#[test]
fn a_heading_counts_a_paused_connection_in_no_state() {
    let member = |name, paused| Connection {
        tags: vec!["eu".to_owned()],
        paused,
        ..shop(name)
    };
    let mut scene = Scene::with(vec![member("a", true), member("b", false)]);
    scene.watched("b", Reason::Connected).keys("w T");
    let unknown = State::ALL.iter().position(|it| *it == State::Unknown);
    let TableRow::Heading { counts, .. } = &scene.model.board.rows[0] else {
        panic!("{:?}", scene.model.board.rows);
    };
    assert_eq!(counts[unknown.unwrap()], 0);
    assert_eq!(counts.iter().sum::<usize>(), 1);
}

#[test]
fn the_table_opens_closes_and_keeps_the_selection() {
    let mut scene = Scene::with(shops(&["alpha", "beta"]));
    scene.keys("home down");
    let selected = scene.selected().to_owned();
    for back in ["w", "esc"] {
        scene.keys("w");
        assert_eq!(scene.model.board.view, BoardView::Table);
        assert_eq!(scene.selected(), selected);
        scene.keys(back);
        assert_eq!(scene.model.board.view, BoardView::Closed, "{back}");
    }
    // What needs the panes brings them back.
    scene.keys("w e");
    assert!(!scene.model.board.is_open());
    assert!(scene.model.form.is_some());
    scene.keys("esc").keys("w tab");
    assert!(!scene.model.board.is_open());
}

#[test]
fn only_rows_in_sight_are_asked_for_one_question_at_a_time() {
    let mut scene = fleet(5_000);
    scene.keys("w");
    let first = asked(&mut scene);
    let height = usize::from(Board::table_rows(scene.model.size.1));
    assert_eq!(first.len(), 1);
    assert_eq!(first[0].len(), height);
    assert_eq!(first[0][0], named("c0000"));

    // While the answer is on its way, scrolling asks nothing; then it asks for where it has come to.
    scene.keys("pgdn pgdn pgdn end");
    assert_eq!(asked(&mut scene), Vec::<Vec<Name>>::new());
    answer(&mut scene, &first[0]);
    let second = asked(&mut scene);
    assert_eq!(second.len(), 1);
    assert_eq!(second[0].last(), Some(&named("c4999")));
    answer(&mut scene, &second[0]);
    assert_eq!(asked(&mut scene), Vec::<Vec<Name>>::new(), "all is known");

    // Back at the top everything is known still.
    scene.keys("home");
    assert_eq!(asked(&mut scene), Vec::<Vec<Name>>::new());
}

#[test]
fn a_finished_probe_in_sight_is_asked_for_again_a_little_later_and_others_cost_nothing() {
    let mut scene = fleet(5_000);
    scene.keys("w");
    let first = asked(&mut scene).remove(0);
    answer(&mut scene, &first);
    scene.watched("c4000", Reason::Connected);
    assert_eq!(scene.model.next_wake(), None, "out of sight");
    scene
        .watched("c0001", Reason::Connected)
        .watched("c0003", Reason::Connected);
    assert_eq!(asked(&mut scene), Vec::<Vec<Name>>::new());
    scene.wait(2_500);
    assert_eq!(asked(&mut scene), [[named("c0001"), named("c0003")]]);
    // Closed, nothing is asked for.
    answer(&mut scene, &[named("c0001"), named("c0003")]);
    scene.keys("w").watched("c0001", Reason::Refused);
    scene.effects();
    scene.wait(60_000);
    assert_eq!(asked(&mut scene), Vec::<Vec<Name>>::new());
}

#[test]
fn the_past_fills_strip_and_since() {
    let mut scene = fleet(3);
    scene.watched("c0001", Reason::Refused).keys("w").effects();
    let at = scene.now - SignedDuration::from_hours(5);
    let run = RunRecord {
        at,
        reason: Reason::Refused,
        status: 0,
        us: None,
        planned: false,
    };
    let history = History {
        standing: Some(Standing {
            state: State::Down,
            reason: Reason::Refused,
            since: at,
        }),
        availability: Availability {
            day: Some(0.25),
            ..Availability::default()
        },
        strip: vec![run; 7],
        ..History::default()
    };
    let read = WatchingMessage::PastsRead(vec![(named("c0001"), history)]);
    scene.send(Message::Watching(read));
    let entry = &scene.model.entries[&named("c0001")];
    assert_eq!((entry.strip.len(), entry.since), (7, Some(at)));
}

#[test]
fn what_an_earlier_run_knew_is_not_forgotten_by_the_first_probe() {
    let mut scene = fleet(2);
    let since = scene.now - SignedDuration::from_hours(48);
    let standing = |state| Standing {
        state,
        reason: Reason::Connected,
        since,
    };
    let all = vec![
        (named("c0000"), standing(State::Ok)),
        (named("c0001"), standing(State::Down)),
    ];
    scene.send(Message::Watching(WatchingMessage::StandingsRead(all)));
    scene
        .watched("c0000", Reason::Connected)
        .watched("c0001", Reason::Connected);
    let since_of = |name: &str| scene.model.entries[&named(name)].since.unwrap();
    assert_eq!(since_of("c0000"), since);
    assert!(since_of("c0001") > since, "it has come up since");
}

#[test]
fn orders_go_round_and_shares_are_asked_for_when_they_count() {
    let mut scene = fleet(3);
    scene.keys("w s s");
    assert_eq!(scene.model.list.order.name(), "latency");
    scene.effects();
    scene.keys("s");
    assert!(watching(scene.effects()).contains(&WatchingEffect::ReadShares));
    let shares = vec![
        (named("c0000"), 1.0),
        (named("c0001"), 0.5),
        (named("c0002"), 0.99),
    ];
    scene.send(Message::Watching(WatchingMessage::SharesRead(shares)));
    assert_eq!(scene.visible(), ["c0001", "c0002", "c0000"]);
    scene.wait(61_000);
    assert!(watching(scene.effects()).contains(&WatchingEffect::ReadShares));
    scene.keys("s").watched("c0002", Reason::Connected);
    assert_eq!(scene.visible()[0], "c0002", "the latest change first");
    assert!(
        scene.wait(600_000) < 10,
        "nobody is woken for shares that do not count"
    );
}

#[test]
fn a_history_that_can_t_be_read_is_asked_for_again_after_a_while() {
    let mut scene = fleet(3);
    scene.keys("w");
    let first = asked(&mut scene).remove(0);
    let failed = || WatchingMessage::PastsFailed(first.clone(), "no history".to_owned());
    scene.send(Message::Watching(failed()));
    assert_eq!(scene.notice(), "no history");
    scene.watched("c0001", Reason::Connected);
    scene.wait(29_000);
    assert_eq!(asked(&mut scene), Vec::<Vec<Name>>::new());
    scene.wait(2_000);
    assert_eq!(asked(&mut scene), std::slice::from_ref(&first));
    // Another part of the history says nothing of what is on its way.
    let other = WatchingMessage::HistoryFailed("no shares".to_owned());
    scene.send(Message::Watching(other));
    assert_eq!(asked(&mut scene), Vec::<Vec<Name>>::new());
}

#[test]
fn a_probe_elsewhere_wakes_the_detail_once_and_is_drawn_in_the_table() {
    let mut scene = fleet(3);
    scene.keys("w home");
    let first = asked(&mut scene).remove(0);
    answer(&mut scene, &first);
    scene.keys("enter").watched("c0001", Reason::Connected);
    assert!(scene.wait(20_000) < 10);
    assert_eq!(asked(&mut scene), Vec::<Vec<Name>>::new());
    scene.keys("esc");
    assert_eq!(asked(&mut scene), [[named("c0001")]]);
}

#[test]
fn a_clock_that_was_set_back_delays_no_notification() {
    let mut scene = fleet(3);
    noisy(&mut scene, true, false);
    scene.send(change(&scene, "c0001", State::Down));
    scene.now -= SignedDuration::from_hours(1);
    scene.send(Message::Woke).wait(10_000);
    assert!(
        scene
            .effects()
            .contains(&Effect::Terminal(TerminalEffect::Bell))
    );
}

#[test]
fn groups_have_counts_and_fold() {
    let mut scene = tagged(&[
        ("a", &["eu", "prod"]),
        ("b", &["us"]),
        ("c", &["eu"]),
        ("d", &[]),
    ]);
    scene
        .watched("a", Reason::Connected)
        .watched("c", Reason::Refused);
    scene.keys("w T");
    // Down first within a group, as the list has it.
    assert_eq!(
        rows(&scene.model),
        [
            "eu [1, 0, 0, 1]",
            "c",
            "a",
            "us [0, 0, 1, 0]",
            "b",
            "- [0, 0, 1, 0]",
            "d"
        ]
    );
    scene.keys("home");
    assert!(scene.model.board.on_heading());
    scene.keys("enter");
    assert_eq!(
        rows(&scene.model)[..2],
        ["+eu [1, 0, 0, 1]", "us [0, 0, 1, 0]"]
    );
    // What most keys mean is a connection, never a heading.
    scene.keys(":").types("second-opinion").keys("enter");
    assert_eq!(scene.notice(), "no connection is selected");
    scene.keys("enter");
    assert_eq!(
        (scene.selected(), scene.model.board.on_heading()),
        ("a", false)
    );
    scene.keys("F");
    assert!(scene.model.board.on_heading());
    scene.keys("F up");
    assert_eq!(
        (scene.selected(), scene.model.board.on_heading()),
        ("c", false)
    );
    // A change of state is counted at once.
    scene.watched("c", Reason::Connected);
    assert_eq!(rows(&scene.model)[0], "eu [0, 0, 0, 2]");
    scene.keys("T");
    assert!(scene.model.board.rows.is_empty());
}

#[test]
fn on_a_heading_pause_and_maintenance_mean_all_of_its_group() {
    let mut scene = tagged(&[("a", &["eu"]), ("b", &["us"]), ("c", &["eu"])]);
    scene.keys("w T home enter P");
    let (eu, group) = (Some("eu".to_owned()), vec![named("a"), named("c")]);
    let asked = Question::PauseAll(eu.clone(), group.clone(), true);
    assert_eq!(scene.question(), Some(&asked), "also where it is folded");
    scene.effects();
    scene.keys("y");
    let pause = WatchingEffect::SetAllPaused(group.clone(), true);
    assert_eq!(watching(scene.effects()), [pause]);
    let paused = group.iter().map(|name| Connection {
        paused: true,
        tags: vec!["eu".to_owned()],
        ..shop(name.as_str())
    });
    let paused: Vec<_> = paused.chain([shop("gone")]).collect();
    let set = |scene: &mut Scene, connections: &[Connection], what| {
        let set = WatchingMessage::ConnectionsSet(connections.to_vec(), what);
        scene.send(Message::Watching(set));
        assert_eq!(watching(scene.effects()), [WatchingEffect::Replan]);
    };
    for time in ["first", "when the file was read before"] {
        set(&mut scene, &paused, Planning::Paused);
        let said = "2 connections are left out of watching";
        assert_eq!(scene.notice(), said, "{time}");
    }
    scene.keys("P");
    let asked = Question::PauseAll(eu.clone(), group.clone(), false);
    assert_eq!(scene.question(), Some(&asked));
    scene.keys("n");

    let window = Window::read("2h", scene.now).unwrap();
    for (typed, windows, beside) in [
        ("2h", vec![window.clone()], true),
        ("none", Vec::new(), false),
    ] {
        scene.keys("M").types(typed).keys("enter");
        let [WatchingEffect::SetAllMaintenance(names, set, by)] = &watching(scene.effects())[..]
        else {
            panic!("{typed}");
        };
        let mut names = names.clone();
        names.sort();
        assert_eq!((names, set, *by), (group.clone(), &windows, beside));
    }
    scene.keys("M enter");
    assert_eq!(watching(scene.effects()), [], "nothing was typed");
    // A heading of one means the same; its own row means what it has.
    let mut one = shop("b");
    one.tags = vec!["us".to_owned()];
    one.maintenance = vec!["sun 02:00-04:00".parse().unwrap()];
    let windows = one.maintenance.clone();
    set(&mut scene, &[one], Planning::Maintenance);
    scene.keys("end up M enter");
    assert_eq!(watching(scene.effects()), [], "nothing was typed");
    scene.keys("M").types("2h").keys("enter");
    let set = WatchingEffect::SetAllMaintenance(vec![named("b")], vec![window], true);
    assert_eq!(watching(scene.effects()), [set]);
    scene.keys("end M enter");
    let set = WatchingEffect::SetMaintenance(named("b"), windows);
    assert_eq!(watching(scene.effects()), [set]);
}

#[test]
fn nothing_is_planned_while_the_configuration_can_t_be_read() {
    let mut scene = tagged(&[("a", &["eu"])]);
    scene.model.loaded = LoadState::Failed("line 3".to_owned());
    // On a row, and on the heading over it.
    for place in ["end", "w T home"] {
        scene.keys(place).effects();
        for key in ["P", "M"] {
            scene.keys(key);
            let said = "nothing is changed while the configuration can't be read: line 3";
            assert_eq!(scene.notice(), said, "{key} at {place}");
            assert!(scene.model.overlay.is_none(), "{key} at {place}");
            assert_eq!(watching(scene.effects()), [], "{key} at {place}");
        }
    }
}

#[test]
fn the_windows_of_several_are_told_as_they_were_set() {
    let mut scene = Scene::with(shops(&["a", "c"]));
    let mut planned = shops(&["a", "c", "gone"]);
    for (windows, said) in [
        (
            "sun 02:00-04:00",
            "2 connections: maintenance windows are set",
        ),
        // Each may be in one until another time.
        (
            "daily 00:00-24:00",
            "2 connections: maintenance windows are set",
        ),
        ("", "2 connections have no maintenance windows"),
    ] {
        for one in &mut planned {
            one.maintenance = windows.parse().into_iter().collect();
        }
        let set = WatchingMessage::ConnectionsSet(planned.clone(), Planning::Maintenance);
        scene.send(Message::Watching(set));
        assert_eq!(scene.notice(), said);
    }
}

#[test]
fn a_group_that_a_key_takes_out_of_the_filter_stays_to_be_taken_back() {
    let mut scene = tagged(&[("a", &["eu"]), ("b", &["us"]), ("c", &["eu"])]);
    scene
        .keys("w T / ")
        .types("state:unknown")
        .keys("enter home P y");
    let group = vec![named("a"), named("c")];
    let paused = group.iter().map(|name| Connection {
        paused: true,
        tags: vec!["eu".to_owned()],
        ..shop(name.as_str())
    });
    let set = WatchingMessage::ConnectionsSet(paused.collect(), Planning::Paused);
    scene.send(Message::Watching(set)).keys("P");
    let asked = Question::PauseAll(Some("eu".to_owned()), group, false);
    assert_eq!(scene.question(), Some(&asked));
    // Another heading is marked: they go.
    scene.keys("n enter down");
    assert_eq!(scene.visible(), ["b"]);
    assert!(scene.model.board.on_heading());
    scene.keys("/").types("zzz").keys("enter P");
    assert_eq!(scene.notice(), "no connection is selected");
}

#[test]
fn the_detail_asks_for_its_span_and_follows_its_probes() {
    let mut scene = fleet(3);
    scene.keys("w home enter");
    let name = named("c0000");
    let plots = |effects: Vec<Effect>| -> Vec<PlotSpan> {
        let plots = watching(effects)
            .into_iter()
            .filter_map(|effect| match effect {
                WatchingEffect::ReadPlot(name, span) if name == named("c0000") => Some(span),
                _ => None,
            });
        plots.collect()
    };
    assert_eq!(plots(scene.effects()), [PlotSpan::Day]);
    scene.keys("s");
    assert_eq!(plots(scene.effects()), [PlotSpan::Month]);
    // An answer for a span that is not shown any more is dropped.
    let late = Plot {
        span: PlotSpan::Day,
        ..Plot::default()
    };
    let read = WatchingMessage::PlotRead(name.clone(), Box::new(late));
    scene.send(Message::Watching(read));
    assert_eq!(scene.model.board.plot, None);
    let right = Plot {
        span: PlotSpan::Month,
        ..Plot::default()
    };
    let read = WatchingMessage::PlotRead(name, Box::new(right));
    scene.send(Message::Watching(read));
    assert!(scene.model.board.plot.is_some());
    scene.watched("c0000", Reason::Refused);
    scene.wait(3_000);
    assert_eq!(plots(scene.effects()), [PlotSpan::Month]);
    scene.keys("esc");
    assert_eq!(scene.model.board.view, BoardView::Table);
    scene.keys("esc");
    assert_eq!(scene.model.board.view, BoardView::Closed);
}

fn change(scene: &Scene, name: &str, to: State) -> Message {
    let event = BoardEvent::change(
        named(name),
        Some(State::Ok),
        to,
        (scene.now, Reason::Refused),
        Reason::Refused.title(),
    );
    Message::Watching(WatchingMessage::Changed(event))
}

fn noisy(scene: &mut Scene, bell: bool, notify: bool) {
    scene.model.board.settings = WatchingSettings {
        bell,
        notify,
        ..WatchingSettings::default()
    };
}

#[test]
fn many_changes_at_once_ring_once_and_name_a_few() {
    let mut scene = fleet(6);
    noisy(&mut scene, true, true);
    for n in 0..5 {
        let change = change(&scene, &format!("c000{n}"), State::Down);
        scene.send(change);
    }
    assert_eq!(scene.effects(), [], "they are gathered for a moment");
    scene.wait(2_000);
    let text = "c0000 is down, c0001 is down, c0002 is down, and 2 more".to_owned();
    let notice = Effect::Terminal(TerminalEffect::Notify(text));
    assert_eq!(
        scene.effects(),
        [Effect::Terminal(TerminalEffect::Bell), notice]
    );
    assert_eq!(scene.model.board.events.len(), 5);
}

#[test]
fn nothing_rings_unless_asked_for_and_the_war_room_names_nobody() {
    let mut scene = fleet(2);
    let message = change(&scene, "c0000", State::Down);
    scene.send(message);
    scene.wait(5_000);
    assert_eq!(scene.effects(), []);
    noisy(&mut scene, false, true);
    scene.keys("W").effects();
    let message = change(&scene, "c0000", State::Down);
    scene.send(message);
    scene.wait(5_000);
    let [Effect::Terminal(TerminalEffect::Notify(text))] = &scene.effects()[..] else {
        panic!("one notice");
    };
    assert!(
        text.contains("is down") && !text.contains("c0000"),
        "{text}"
    );
}

#[test]
fn events_are_bounded_and_shown_over_everything() {
    let mut scene = fleet(2);
    for _ in 0..600 {
        let message = change(&scene, "c0000", State::Down);
        scene.send(message);
    }
    assert_eq!(scene.model.board.events.len(), 500);
    let scrolled = |scene: &Scene| match &scene.model.overlay {
        Some(Overlay::Watching(WatchingOverlay::Events { scroll })) => *scroll,
        other => panic!("{other:?}"),
    };
    // The newest stands first: further down are the older ones.
    scene.keys("H down down pgdn");
    assert!(scrolled(&scene) > 2);
    scene.keys("G");
    assert_eq!(scrolled(&scene), 499);
    scene.keys("up g");
    assert_eq!(scrolled(&scene), 0);
    let remapped = [("down".to_owned(), "x".to_owned())];
    scene.model.keymap = crate::app::keymap::Keymap::remapped(&remapped).0;
    scene.keys("x");
    assert_eq!(scrolled(&scene), 1);
    scene.keys("esc");
    assert!(scene.model.overlay.is_none());
    scene.send(Message::Watching(WatchingMessage::Offline(true)));
    assert!(scene.model.board.offline);
    assert_eq!(scene.notice(), "this machine seems to be offline");
}

#[test]
fn maintenance_is_typed_checked_and_shown() {
    let mut scene = fleet(1);
    scene.keys("M").types("soon").keys("enter");
    let overlay = &scene.model.overlay;
    let Some(Overlay::Watching(WatchingOverlay::Maintenance(dialog))) = overlay else {
        panic!("{overlay:?}");
    };
    assert!(dialog.problem.as_ref().unwrap().contains("sun 02:00-04:00"));
    scene
        .keys("ctrl-u")
        .types("2020-01-01T00:00Z/2020-01-02T00:00Z")
        .keys("enter");
    let overlay = &scene.model.overlay;
    let Some(Overlay::Watching(WatchingOverlay::Maintenance(dialog))) = overlay else {
        panic!("{overlay:?}");
    };
    assert!(dialog.problem.as_ref().unwrap().contains("is over"));
    scene
        .keys("ctrl-u")
        .types("2h; daily 03:00-03:30")
        .keys("enter");
    let [WatchingEffect::SetMaintenance(name, windows)] = &watching(scene.effects())[..] else {
        panic!("one change");
    };
    let until = scene.now + SignedDuration::from_hours(2);
    assert_eq!(windows[0].until(scene.now), Some(until));
    let mut connection = shop("c0000");
    assert_eq!(*name, connection.name);
    connection.maintenance.clone_from(windows);
    let set = WatchingMessage::ConnectionsSet(vec![connection], Planning::Maintenance);
    scene.send(Message::Watching(set));
    assert!(
        scene.notice().contains("maintenance until"),
        "{}",
        scene.notice()
    );
    assert_eq!(watching(scene.effects()), [WatchingEffect::Replan]);
    let entry = &scene.model.entries[&named("c0000")];
    assert_eq!(
        scene.model.board.maintained_until(entry, scene.now),
        Some(until)
    );
    // The settings' own windows hold for all.
    scene.model.board.settings.maintenance = vec!["daily 00:00-24:00".parse::<Window>().unwrap()];
    let later = until + SignedDuration::from_hours(10);
    let entry = &scene.model.entries[&named("c0000")];
    assert!(scene.model.board.maintained_until(entry, later).is_some());
}

#[test]
fn one_connection_is_paused_and_the_watch_is_told() {
    let mut scene = fleet(2);
    scene.keys("P");
    let pause = WatchingEffect::SetPaused(named("c0000"), true);
    assert_eq!(watching(scene.effects()), [pause]);
    let connection = Connection {
        paused: true,
        ..shop("c0000")
    };
    let set = WatchingMessage::ConnectionsSet(vec![connection], Planning::Paused);
    scene.send(Message::Watching(set));
    assert_eq!(scene.notice(), "c0000 is left out of watching");
    assert_eq!(watching(scene.effects()), [WatchingEffect::Replan]);
    scene.keys("P");
    let resume = WatchingEffect::SetPaused(named("c0000"), false);
    assert_eq!(watching(scene.effects()), [resume]);
}

#[test]
fn keys_in_the_table_mean_its_row_and_no_draft_that_nobody_sees() {
    for view in ["w", "w enter"] {
        let mut scene = fleet(2);
        scene.keys("n").types("https://a.example").keys("esc");
        scene.keys(view).effects();
        scene.keys("P");
        let pause = WatchingEffect::SetPaused(named("c0000"), true);
        assert!(watching(scene.effects()).contains(&pause), "{view}");
        scene.keys("r");
        let target = Target::Saved(named("c0000"));
        assert_eq!(scene.probe().target, target, "{view}");
        scene.watched("c0000", Reason::Connected).keys("S");
        let ticket = |effect: &Effect| {
            matches!(
                effect,
                Effect::Clipboard(ClipboardEffect::CopyTicket { .. })
            )
        };
        assert!(
            scene.effects().iter().any(ticket),
            "{view}: {}",
            scene.notice()
        );
        scene.keys("w");
        assert!(
            scene.model.visible_form().is_some(),
            "it comes back with the panes"
        );
    }
}

#[test]
fn another_machine_is_asked_and_a_late_answer_opens_nothing() {
    let mut scene = fleet(1);
    scene.keys(":").types("second").keys("enter");
    scene.types("-oProxyCommand=id").keys("enter");
    let overlay = &scene.model.overlay;
    let Some(Overlay::Watching(WatchingOverlay::AskFrom(dialog))) = overlay else {
        panic!("{overlay:?}");
    };
    assert!(dialog.problem.as_ref().unwrap().contains("dash"));
    scene.keys("ctrl-u").types("ssh:web1").keys("enter");
    let host = "ssh:web1".parse().unwrap();
    let ask = WatchingEffect::AskFrom(named("c0000"), host);
    assert_eq!(watching(scene.effects()), [ask]);
    let mut there = verdict(Reason::Connected);
    there.answered_by = AnsweredBy::Service;
    let opinion = SecondOpinion {
        host: "ssh:web1".parse().unwrap(),
        verdict: there,
        conclusion: Conclusion::AddressFiltered,
    };
    let given = WatchingMessage::SecondOpinionGiven(Box::new(opinion));
    let mut gone = fleet(1);
    gone.send(Message::Watching(given.clone()));
    assert!(gone.model.overlay.is_none());
    scene.send(Message::Watching(given));
    let overlay = &scene.model.overlay;
    assert!(matches!(
        overlay,
        Some(Overlay::Watching(WatchingOverlay::Second(_)))
    ));
}

#[test]
fn the_marked_group_leaves_the_filter_by_no_probe() {
    let mut scene = tagged(&[("a", &["eu"]), ("b", &["us"]), ("c", &["us"])]);
    scene.watched("a", Reason::Refused);
    scene.watched("b", Reason::Refused);
    scene.keys("/").types("state:down").keys("enter w T down");
    assert!(scene.model.board.on_heading());
    scene.watched("b", Reason::Connected);
    scene.watched("c", Reason::Connected);
    assert_eq!(scene.visible(), ["a", "b"], "nor does another one come");
    assert!(scene.model.board.on_heading());
    scene.keys("up");
    assert_eq!((scene.visible(), scene.selected()), (vec!["a"], "a"));
}

/// Another copy of the program takes the tag away that the marked group goes by.
#[test]
fn a_key_meant_for_a_group_that_has_left_means_no_connection() {
    let loaded = |tag: &str| {
        let mut connections = shops(&["a", "b", "c"]);
        connections[0].tags = vec![tag.to_owned()];
        connections[1].tags = vec!["us".to_owned()];
        Message::ConfigurationLoaded(Box::new(Loaded {
            connections: connections.into_iter().map(Into::into).collect(),
            ..Loaded::default()
        }))
    };
    let mut scene = Scene::empty();
    scene.send(loaded("eu")).keys("w T home");
    assert!(scene.model.board.on_heading());
    for key in "y v d e r".split(' ') {
        scene.effects();
        scene.keys(key);
        assert_eq!(scene.effects(), [], "{key} means no group");
        assert_eq!(scene.notice(), "no connection is selected", "{key}");
    }
    scene.send(loaded("us")).effects();
    assert_eq!(scene.model.table_cursor(), None);
    for key in "P M y d r".split(' ') {
        scene.keys(key);
        assert_eq!(scene.effects(), [], "{key}");
        assert!(scene.model.overlay.is_none(), "{key}");
        let said = scene.notice();
        assert!(said.contains("no connection is selected"), "{key}: {said}");
    }
    scene.keys("down");
    assert_eq!(scene.model.table_cursor(), Some(0));
    // Nor does a row that has left leave its key to the group of those without a tag.
    scene.keys("end");
    assert_eq!(scene.selected(), "c");
    scene.keys("up up").effects();
    assert_eq!(scene.selected(), "b");
    let mut left = shops(&["a", "c"]);
    left[0].tags = vec!["us".to_owned()];
    scene.send(Message::ConfigurationLoaded(Box::new(Loaded {
        connections: left.into_iter().map(Into::into).collect(),
        ..Loaded::default()
    })));
    assert_eq!(scene.model.table_cursor(), None);
    scene.keys("P");
    assert!(scene.model.overlay.is_none());
}

fn connections(of: &[(&str, &str)]) -> Message {
    let tagged = of.iter().map(|(name, tag)| {
        let mut connection = shop(name);
        connection.tags = vec![(*tag).to_owned()];
        connection.into()
    });
    Message::ConfigurationLoaded(Box::new(Loaded {
        connections: tagged.collect(),
        ..Loaded::default()
    }))
}

#[test]
fn from_where_a_row_has_left_its_group_the_next_key_goes_beside_it() {
    let all = [("a", "eu"), ("b", "us"), ("c", "us"), ("d", "us")];
    for (key, beside) in [("down", "d"), ("up", "b")] {
        let mut scene = Scene::empty();
        scene.send(connections(&all)).keys("w T end up");
        assert_eq!(scene.selected(), "c");
        scene.send(connections(&[all[0], all[1], all[3]]));
        scene.model.notice = None;
        scene.keys("enter");
        let said = "c was removed or renamed: no connection is selected";
        assert_eq!(scene.notice(), said, "what the key is for is gone");
        scene.keys(key);
        assert_eq!((scene.selected(), scene.notice()), (beside, ""), "{key}");
        assert!(!scene.model.board.on_heading(), "{key}");
    }
}

#[test]
fn a_marked_group_that_leaves_with_what_the_filter_left_in_it_selects_none() {
    let mut scene = Scene::empty();
    scene.send(connections(&[("a", "eu"), ("b", "us"), ("c", "us")]));
    scene.watched("a", Reason::Refused);
    scene.watched("b", Reason::Refused);
    scene.keys("/").types("state:down");
    scene.keys("enter home w T home");
    assert!(scene.model.board.on_heading());
    scene.watched("a", Reason::Connected);
    assert_eq!(scene.visible(), ["b", "a"], "it stays under the hand");
    scene.send(connections(&[("a", "us"), ("b", "us"), ("c", "us")]));
    assert_eq!((scene.selected(), scene.model.table_cursor()), ("", None));
    assert_eq!(
        scene.model.table_len(),
        2,
        "what did not pass the filter has gone"
    );
    scene.effects();
    scene.keys("P enter");
    assert_eq!(scene.effects(), []);
}

#[test]
fn a_table_without_rows_has_no_group_to_fold_or_to_lose() {
    let mut scene = Scene::with(shops(&["a", "b"]));
    scene.keys("w / z z z enter T F");
    assert_eq!(scene.notice(), "there is no row to fold");
    scene.keys("esc");
    assert_eq!(scene.selected(), "a");
}

#[test]
fn where_a_filter_is_put_away_something_is_selected_again() {
    let mut scene = Scene::with(shops(&["a", "b"]));
    scene.keys("/ b enter");
    scene.model.list.lost = Some((None, 0));
    scene.keys("esc");
    assert_eq!(scene.selected(), "b");
    assert!(scene.model.list.lost.is_none());
}
