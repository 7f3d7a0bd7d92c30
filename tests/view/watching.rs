//! The watch table, the detail and what lies over them.

use std::sync::Arc;
use std::time::Duration;

use switchboard::app::message::ProbeMessage;
use switchboard::app::model::ListedConnection;
use switchboard::app::watching::{BoardEvent, Planning, WatchingMessage};
use switchboard::app::{Message, Model};
use switchboard::domain::history::{Availability, Event, History, Latency, RunRecord, Standing};
use switchboard::domain::plot::{Plot, PlotPoint, PlotSpan};
use switchboard::domain::{Conclusion, Reason, SecondOpinion, State};

use super::*;
use crate::sample::now;

pub(super) fn press(model: &mut Model, keys: &str) {
    for c in keys.chars() {
        let code = match c {
            '\n' => KeyCode::Enter,
            c => KeyCode::Char(c),
        };
        let key = KeyEvent::new(code, KeyModifiers::NONE);
        model.update(now(), Message::Key(key));
    }
}

fn tell(model: &mut Model, message: WatchingMessage) {
    model.update(now(), Message::Watching(message));
}

fn run(minute: i64, reason: Reason, ms: u32) -> RunRecord {
    RunRecord {
        at: after(-60 * minute),
        reason,
        status: 200,
        us: Some(ms * 1_000),
        planned: false,
    }
}

fn latency(p50: u64, p95: u64) -> Latency {
    Latency {
        p50: Duration::from_millis(p50),
        p95: Duration::from_millis(p95),
        max: Duration::from_millis(p95 * 2),
    }
}

/// The sample with the pasts of a day, and events of the last hour.
fn watched(width: u16, height: u16) -> Model {
    let mut model = model(width, height);
    press(&mut model, "w");
    let past = |strip: Vec<RunRecord>, share: f64, since: i64, state| History {
        standing: Some(Standing {
            state,
            reason: Reason::Connected,
            since: after(since),
        }),
        latency: Some(latency(40, 88)),
        availability: Availability {
            hour: Some(1.0),
            day: Some(share),
            month: Some(0.9987),
        },
        strip,
    };
    let good: Vec<_> = (0..60)
        .map(|n| {
            let reason = match n {
                20..23 => Reason::Refused,
                23 => Reason::CredentialsRejected,
                _ => Reason::Connected,
            };
            run(60 - n, reason, 42)
        })
        .collect();
    let bad = vec![run(1, Reason::Refused, 1); 60];
    let pasts = vec![
        (name("shop"), past(good.clone(), 1.0, -259_200, State::Ok)),
        (name("eu"), past(good, 0.9962, -7_300, State::Ok)),
        (name("legacy"), past(bad, 0.02, -90_000, State::Down)),
    ];
    tell(&mut model, WatchingMessage::PastsRead(pasts));
    for (seconds, whose, from, to, reason) in [
        (-3_000, "eu", State::Ok, State::Down, Reason::ConnectTimeout),
        (-2_900, "eu", State::Down, State::Ok, Reason::Connected),
        (-600, "legacy", State::Ok, State::Down, Reason::Refused),
    ] {
        let why = (after(seconds), reason);
        let event = BoardEvent::change(name(whose), Some(from), to, why, reason.title());
        tell(&mut model, WatchingMessage::Changed(event));
    }
    model.notice = None;
    model
}

pub(super) fn plotted(width: u16, height: u16) -> Model {
    let mut model = watched(width, height);
    select(&mut model, "eu");
    press(&mut model, "\n");
    let points = (0..288_i64).map(|n| {
        let wave = u64::try_from(40 + (n % 48 - 24).abs() * 3).unwrap();
        let mut point = PlotPoint {
            at: after(-300 * (288 - n)),
            count: switchboard::domain::history::Count::default(),
            latency: Some(latency(wave, wave + 60)),
        };
        match n {
            100..110 => {
                point.count.down = 5;
                point.latency = None;
            }
            200..204 => point.count.planned = 5,
            _ => point.count.ok = 5,
        }
        point
    });
    let event = |seconds: i64, reason, lasted: Option<u64>| Event {
        at: after(seconds),
        reason,
        status: 0,
        lasted: lasted.map(Duration::from_secs),
    };
    let plot = Plot {
        span: PlotSpan::Day,
        points: points.collect(),
        events: vec![
            event(-56_000, Reason::ConnectTimeout, Some(3_000)),
            event(-53_000, Reason::Connected, None),
        ],
        latency: Some(latency(76, 136)),
    };
    tell(
        &mut model,
        WatchingMessage::PlotRead(name("eu"), Box::new(plot)),
    );
    model
}

#[test]
fn the_table_at_every_width() {
    for (width, height) in [(50, 16), (80, 24), (100, 30), (200, 50)] {
        let name = format!("table_{width}x{height}");
        assert_snapshot!(name, screen(&watched(width, height)));
    }
}

#[test]
fn no_size_breaks_the_table_or_the_detail() {
    for width in (1..60).chain([79, 99, 120, 250]) {
        for height in (1..20).chain([23, 60]) {
            let mut table = watched(width, height);
            screen(&table);
            press(&mut table, "TH");
            screen(&table);
            screen(&plotted(width, height));
        }
    }
}

#[test]
fn rows_stand_under_their_tags() {
    let mut grouped = watched(100, 30);
    for (whose, tags) in [("eu", vec!["asia".into()]), ("us", Vec::new())] {
        let tagged =
            |entry: &mut ListedConnection| Arc::make_mut(&mut entry.connection).tags = tags;
        grouped.entries.change(&name(whose), tagged).unwrap();
    }
    press(&mut grouped, "T");
    grouped.notice = None;
    assert_snapshot!("table_grouped", screen(&grouped));
}

#[test]
fn the_detail_is_a_plot_with_its_states() {
    assert_snapshot!("detail_100x30", screen(&plotted(100, 30)));
    assert_snapshot!("detail_80x24", screen(&plotted(80, 24)));
}

#[test]
fn without_colours_no_cell_of_the_plot_names_one() {
    let shown = screen(&plotted(100, 30));
    let coloured = shown
        .buffer()
        .content
        .iter()
        .filter(|cell| cell.fg != Color::Reset || cell.bg != Color::Reset);
    assert_eq!(coloured.count(), 0);
}

#[test]
fn planned_and_paused_are_no_alarm() {
    let mut shown = watched(100, 30);
    let down = |shown: &Model| {
        let text = text(shown);
        let title = text.lines().next().unwrap().to_owned();
        let count = title.split("✖ ").nth(1).unwrap();
        count.split(' ').next().unwrap().parse::<usize>().unwrap()
    };
    let down_before = down(&shown);
    let set = |model: &mut Model, whose: &str| {
        let entry = &model.entries[&name(whose)];
        (*entry.connection).clone()
    };
    let mut planned = set(&mut shown, "legacy");
    planned.maintenance = vec!["daily 00:00-24:00".parse().unwrap()];
    tell(
        &mut shown,
        WatchingMessage::ConnectionsSet(vec![planned], Planning::Maintenance),
    );
    let mut paused = set(&mut shown, "staging");
    paused.paused = true;
    // It is counted once, and not as planned.
    paused.maintenance = vec!["daily 00:00-24:00".parse().unwrap()];
    tell(
        &mut shown,
        WatchingMessage::ConnectionsSet(vec![paused], Planning::Paused),
    );
    let text = text(&shown);
    let line = |whose: &str| {
        text.lines()
            .find(|line| line.contains(whose))
            .unwrap()
            .to_owned()
    };
    assert!(line(" legacy ").contains("◇ planned"), "{text}");
    assert!(text.contains("‖ paused  staging"), "{text}");
    assert!(
        text.lines()
            .next()
            .unwrap()
            .contains("◇ 1 planned   ‖ 1 paused"),
        "{text}"
    );
    assert_eq!(down(&shown), down_before - 1);
    press(&mut shown, "w");
    let list = super::text(&shown);
    assert!(list.contains("‖ paused  staging"), "{list}");
    assert!(list.contains("◇ planned"), "{list}");
}

#[test]
fn the_panes_say_what_is_left_out_of_watching_and_how_it_comes_in_again() {
    let mut shown = model(100, 30);
    let selected = shown.list.selected.clone().unwrap();
    let mut connection = (*shown.entries[&selected].connection).clone();
    connection.paused = true;
    tell(
        &mut shown,
        WatchingMessage::ConnectionsSet(vec![connection], Planning::Paused),
    );
    assert!(
        text(&shown).contains("‖ left out of watching, P takes it in again"),
        "{}",
        text(&shown)
    );
}

/// What is only typed has no past: that of the connection it was made of is none of it.
#[test]
fn a_draft_has_no_history() {
    let mut shown = model(100, 40);
    let selected = shown.list.selected.clone().unwrap();
    let since = |entry: &mut ListedConnection| entry.since = Some(after(-7_200));
    shown.entries.change(&selected, since).unwrap();
    let verdict = shown.entries[&selected].verdict.clone();
    press(&mut shown, "e");
    let form = shown.form.as_mut().unwrap();
    form.verdict = verdict;
    assert!(
        text(&shown).contains("unchanged for 2 hours"),
        "{}",
        text(&shown)
    );
    shown.form.as_mut().unwrap().dirty = true;
    assert!(!text(&shown).contains("unchanged for"), "{}", text(&shown));
}

/// Also where there is no room for the title bar.
#[test]
fn what_is_unusual_is_said_in_every_size() {
    for (width, height) in [(100, 30), (80, 24), (59, 16), (40, 12), (24, 6), (20, 5)] {
        let mut shown = model(width, height);
        press(&mut shown, "p");
        shown.notice = None;
        let paused = text(&shown);
        assert!(paused.contains("paused"), "{width}x{height}\n{paused}");
        press(&mut shown, "W");
        shown.notice = None;
        let war = text(&shown);
        assert!(war.contains("war-room"), "{width}x{height}\n{war}");
        if width > 30 {
            press(&mut shown, "/");
            let open = text(&shown);
            assert!(open.contains("war-room"), "{width}x{height}\n{open}");
            press(&mut shown, "sh");
            let filtered = text(&shown);
            assert!(
                filtered.contains("war-room"),
                "{width}x{height}\n{filtered}"
            );
        }
    }
}

#[test]
fn in_the_war_room_the_table_names_nobody() {
    let mut shown = watched(200, 50);
    press(&mut shown, "W");
    let table = text(&shown);
    for secret in ["shop", "legacy", "staging", "東京"] {
        assert!(!table.contains(secret), "{secret}: {table}");
    }
    press(&mut shown, "H");
    assert!(!text(&shown).contains("legacy"));
    let mut plotted = plotted(100, 30);
    press(&mut plotted, "W");
    assert!(!text(&plotted).contains(" eu "));
}

#[test]
fn what_lies_over_the_table() {
    let mut events = watched(100, 30);
    press(&mut events, "H");
    assert_snapshot!("events", screen(&events));
    let mut maintenance = watched(100, 30);
    press(&mut maintenance, "Msoon\n");
    assert_snapshot!("maintenance", screen(&maintenance));
    let mut group = watched(100, 30);
    press(&mut group, "TgM");
    assert_snapshot!("maintenance_of_a_group", screen(&group));
    let mut group = watched(100, 30);
    press(&mut group, "TgP");
    let asked = screen(&group).to_string();
    assert!(asked.contains("connections of “eu” out of"), "{asked}");
    let mut small = watched(40, 12);
    press(&mut small, "TgP");
    assert_snapshot!("pausing_a_group_small", screen(&small));
    let mut second = watched(100, 30);
    select(&mut second, "legacy");
    press(&mut second, ":second\nweb1\n");
    let mut there = second.entries[&name("shop")].verdict.clone().unwrap();
    there.connection = Some(name("legacy"));
    let opinion = SecondOpinion {
        host: "ssh:web1".parse().unwrap(),
        verdict: *there,
        conclusion: Conclusion::AddressFiltered,
    };
    tell(
        &mut second,
        WatchingMessage::SecondOpinionGiven(Box::new(opinion)),
    );
    assert_snapshot!("second_opinion", screen(&second));
}

/// What one finished probe writes to the terminal: nothing for a row out of sight, a few bytes for one in it.
#[test]
fn only_what_is_seen_is_written() {
    let mut shown = watched(100, 30);
    let drawn_twice = |model: &mut Model, change: &dyn Fn(&mut Model)| {
        let (width, height) = model.size;
        let theme = Theme::shipped(ThemeName::Dark, ColourDepth::TwoFiftySix);
        let mut terminal = Terminal::new(Cells::new(Size { width, height })).unwrap();
        terminal
            .draw(|frame| ui::draw(model, &theme, frame))
            .unwrap();
        terminal.backend_mut().take();
        change(model);
        terminal
            .draw(|frame| ui::draw(model, &theme, frame))
            .unwrap();
        terminal.backend_mut().take().len()
    };
    let probed = |ms: u64| {
        move |model: &mut Model| {
            let mut verdict = good("shop", ms);
            verdict.at = now();
            model.update(
                now(),
                Message::Probe(ProbeMessage::Watched(Box::new(verdict))),
            );
        }
    };
    drawn_twice(&mut shown, &probed(42));
    let same = drawn_twice(&mut shown, &probed(42));
    let other = drawn_twice(&mut shown, &probed(43));
    assert_eq!(same, 0, "bytes for a result like the last one");
    assert!(
        (1..=60).contains(&other),
        "{other} bytes for another latency"
    );
}

#[test]
fn on_the_smallest_screen_the_reason_the_forms_and_the_counts_are_to_be_seen() {
    let mut small = watched(40, 12);
    press(&mut small, "H");
    let events = text(&small);
    assert!(events.contains("legacy · 0 Received: refused"), "{events}");

    let mut small = watched(40, 12);
    for (whose, paused) in [("legacy", false), ("staging", true)] {
        let mut connection = (*small.entries[&name(whose)].connection).clone();
        connection.paused = paused;
        connection.maintenance = vec!["daily 00:00-24:00".parse().unwrap()];
        tell(
            &mut small,
            WatchingMessage::ConnectionsSet(vec![connection], Planning::Paused),
        );
    }
    small.notice = None;
    let counted = text(&small);
    let title = counted.lines().next().unwrap();
    assert!(title.contains("◇ 1 ‖ 1"), "{counted}");

    press(&mut small, "M");
    let dialog = text(&small);
    assert!(dialog.contains("2h; a/b in UTC"), "{dialog}");
}
