//! The pure parts by themselves: `cargo bench --bench pure`. What a key costs between the terminal and the
//! terminal, what a verdict costs, and what they cost over a list of 100,000. An argument chooses by name.
//!
//! The harness is the few lines of `timed`: those of the registry bring a command line with them that would switch
//! further features of ours on in every test build.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a bench: whatever is missing ends it"
)]

#[path = "../support/sample.rs"]
#[expect(dead_code, reason = "the bench takes what it needs")]
mod sample;

use std::hint::black_box;
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use crossterm::event::{KeyCode, KeyEvent};
use ratatui::Terminal;
use ratatui::layout::Size;
use sample::{connection, empty, entry, form, good, name, now, select};
use switchboard::app::message::ProbeMessage;
use switchboard::app::model::Pane;
use switchboard::app::{Message, Model};
use switchboard::domain::{Outcome, Phases, Reply, Response, Secret, ServiceId};
use switchboard::service::{Catalog, Ladder, RungAnswer, SecretState, Step, Subject, Trigger};
use switchboard::tui::cells::Cells;
use switchboard::ui::{self, ColourDepth, Theme, ThemeName};

const LISTS: [usize; 3] = [20, 10_000, 100_000];

fn listed(rows: usize) -> Model {
    let mut model = empty(120, 40);
    for number in 0..rows {
        let text = format!("conn-{number:06}");
        let held = connection(&text, &format!("https://host-{number}.example.com/api"));
        model.list.visible.push(name(&text));
        model
            .entries
            .insert(name(&text), Box::new(entry(held, Some(good(&text, 42)))));
    }
    select(&mut model, "conn-000010");
    model
}

fn key(c: char) -> Message {
    Message::Key(KeyEvent::from(KeyCode::Char(c)))
}

fn main() {
    for rows in LISTS {
        update_a_move(rows);
        update_a_verdict(rows);
        update_a_filter(rows);
        draw_a_move(rows);
    }
    draw_a_form();
    judge_an_accepted_key();
    judge_a_page_of_somebody_else();
}

/// How long one thing is measured.
const TIME: Duration = Duration::from_secs(1);
/// Runs taken together, so that the clock costs little.
const TOGETHER: u32 = 16;

/// Runs `work` for a second, and tells the median and the least time of one run.
fn timed(name: &str, mut work: impl FnMut()) {
    let chosen = std::env::args().skip(1).find(|one| !one.starts_with("--"));
    if chosen.is_some_and(|part| !name.contains(&part)) {
        return;
    }
    let (began, mut times) = (Instant::now(), Vec::new());
    while began.elapsed() < TIME {
        let start = Instant::now();
        for _ in 0..TOGETHER {
            work();
        }
        times.push(start.elapsed() / TOGETHER);
    }
    times.sort_unstable();
    let (median, least) = (times[times.len() / 2], times[0]);
    println!("{name:<40} median {median:>12.1?}   least {least:>12.1?}");
}

fn update_a_move(rows: usize) {
    let mut model = listed(rows);
    timed(&format!("update: move down and up, {rows} rows"), || {
        black_box(model.update(now(), key('j')));
        black_box(model.update(now(), key('k')));
    });
}

fn update_a_verdict(rows: usize) {
    let mut model = listed(rows);
    timed(&format!("update: a verdict, {rows} rows"), || {
        let verdict = Box::new(good("conn-000015", 43));
        black_box(model.update(now(), Message::Probe(ProbeMessage::Watched(verdict))));
    });
}

/// A letter typed and taken away again: two keys that look at every row.
fn update_a_filter(rows: usize) {
    let mut model = listed(rows);
    model.update(now(), key('/'));
    timed(&format!("update: filter and back, {rows} rows"), || {
        black_box(model.update(now(), key('9')));
        let back = KeyEvent::from(KeyCode::Backspace);
        black_box(model.update(now(), Message::Key(back)));
    });
}

fn drawn(name: &str, mut model: Model, change: impl Fn(&mut Model, u32)) {
    let (width, height) = model.size;
    let theme = Theme::shipped(ThemeName::Dark, ColourDepth::True);
    let mut terminal = Terminal::new(Cells::new(Size { width, height })).unwrap();
    let mut turn = 0;
    timed(name, || {
        turn += 1;
        change(&mut model, turn);
        terminal
            .draw(|frame| ui::draw(&model, &theme, frame))
            .unwrap();
        black_box(terminal.backend_mut().take());
    });
}

fn draw_a_move(rows: usize) {
    let name = format!("draw: a move, {rows} rows");
    drawn(&name, listed(rows), |model, turn| {
        select(model, ["conn-000010", "conn-000011"][turn as usize % 2]);
    });
}

fn draw_a_form() {
    let mut model = listed(20);
    model.focus = Pane::Form;
    model.form = Some(form());
    drawn(
        "update and draw: a letter in the form",
        model,
        |model, turn| {
            model.update(now(), key(if turn % 2 == 0 { 'a' } else { 'b' }));
        },
    );
}

fn judge_an_accepted_key() {
    let body = r#"{"response":[{"id":1,"name":"Shop Ltd"}]}"#;
    judged("judge: an accepted key", 200, body);
}

fn judge_a_page_of_somebody_else() {
    let page = format!(
        "<html><title>Access denied</title>{}</html>",
        "<p>x</p>".repeat(2_000)
    );
    judged("judge: 16 kB of somebody else's page", 403, &page);
}

fn judged(name: &str, status: u16, body: &str) {
    static CATALOG: LazyLock<Catalog> = LazyLock::new(Catalog::embedded);
    let service = CATALOG.get(&ServiceId::blesta()).unwrap();
    let reply = Reply {
        at: now(),
        phases: Phases::default(),
        addresses: Vec::new(),
        tls: None,
        proxy: None,
        sent: true,
        wants_http1: false,
        repeated: None,
        outcome: Outcome::Answered(Response {
            status,
            headers: vec![("content-type".into(), "application/json".into())],
            body: body.into(),
        }),
    };
    timed(name, || {
        let mut subject = Subject::new(ServiceId::blesta(), "https://billing.example.com");
        subject.username = "shop-api".into();
        subject.key = SecretState::Present(Secret::new("0123456789abcdef0123456789abcdef"));
        subject.trigger = Trigger::Scheduled;
        let (mut ladder, mut step) = Ladder::begin(service, subject, now());
        loop {
            match step {
                Step::Conclude(verdict) => {
                    black_box(verdict);
                    break;
                }
                Step::Ask(_) => {
                    step = ladder.answer(RungAnswer::Reply(Box::new(reply.clone())));
                }
            }
        }
    });
}
