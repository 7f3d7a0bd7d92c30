//! What stands beside and below the fields of a form: lamps with their words, what a field takes, what to do.

use switchboard::app::model::{Form, Pane};
use switchboard::app::{FieldId, Model};
use switchboard::domain::{CheckId, Checks, State, Verdict};

use super::sample::{connection, empty, entry, model, name, select, stripped};
use super::text;

fn with(shown: &mut Model, url: &str, verdict: Verdict) {
    let held = entry(connection("shop", url), Some(verdict));
    shown.entries.insert(name("shop"), Box::new(held));
    select(shown, "shop");
}

fn not_http() -> Verdict {
    let mut checks = Checks::default();
    checks.set(CheckId::Url, State::Ok, "https://a.example", None);
    checks.set(CheckId::Http, State::Down, "no HTTP reply", None);
    Verdict {
        title: "0 Received: a proxy failed".to_owned(),
        checks,
        ..stripped()
    }
}

#[test]
fn the_words_of_a_lamp_take_the_room_that_the_values_leave() {
    let mut shown = model(80, 24);
    shown.focus = Pane::Form;
    with(&mut shown, "https://a.example", not_http());
    let drawn = text(&shown);
    let url = drawn.lines().find(|line| line.contains("URL")).unwrap();
    assert!(
        url.contains("https://a.example") && url.contains("0 Received: a proxy failed"),
        "{url}"
    );
    let lamps = |drawn: &str| -> Vec<usize> {
        let rows = ["URL ", "Username", "Key "].map(|label| {
            let row = drawn.lines().find(|line| line.contains(label)).unwrap();
            let lamp = row.chars().rev().position(|c| "✖●○▲".contains(c));
            row.chars().count() - lamp.unwrap()
        });
        rows.into()
    };
    let columns = lamps(&drawn);
    assert!(
        columns.iter().all(|at| *at == columns[0]),
        "{columns:?}\n{drawn}"
    );
    // A value that needs the room goes before the words.
    let long = "https://billing.long-name.example.com/blesta";
    with(&mut shown, long, not_http());
    let drawn = text(&shown);
    let url = drawn.lines().find(|line| line.contains("URL")).unwrap();
    assert!(!url.contains("a proxy failed"), "{url}");
}

#[test]
fn steps_name_the_fields_of_the_form_and_not_the_flags_of_commands() {
    let mut shown = model(120, 50);
    let mut verdict = stripped();
    verdict.remedy.steps = [
        "Add its file (--ca-file).",
        "Add both (--client-cert, --client-key) here.",
        "Wait longer (--timeout 60s): then see.",
        "Another flag (--odd) stays.",
    ]
    .map(str::to_owned)
    .into();
    with(&mut shown, "https://a.example", verdict);
    let drawn = text(&shown);
    for said in [
        "Add its file (Ctrl-O: CA file).",
        "Add both (Ctrl-O: Cert, Cert key) here.",
        "Wait longer (Ctrl-O: Timeout 60s): then see.",
        "Another flag (--odd) stays.",
    ] {
        assert!(drawn.contains(said), "{said}\n{drawn}");
    }
}

#[test]
fn steps_name_the_keys_that_do_it_where_the_cursor_is() {
    let drawn = |focus: Pane| {
        let mut shown = model(120, 50);
        let mut verdict = stripped();
        verdict.remedy.steps = [
            "If it is meant: r on the screen probes.",
            "L on the screen asks for it.",
            "Give it time, or on the screen look at it.",
        ]
        .map(str::to_owned)
        .into();
        let mut form = Form::of(&connection("shop", "https://a.example"));
        form.verdict = Some(Box::new(verdict.clone()));
        with(&mut shown, "https://a.example", verdict);
        shown.form = (focus == Pane::Form).then_some(form);
        shown.focus = focus;
        text(&shown)
    };
    for (focus, keys) in [(Pane::List, ["r", "L"]), (Pane::Form, ["Alt-r", "Alt-L"])] {
        let drawn = drawn(focus);
        let [probe, lock] = keys;
        for said in [
            format!("If it is meant: {probe} here probes."),
            format!("{lock} here asks for it."),
            "Give it time, or on the screen look at it.".to_owned(),
        ] {
            assert!(drawn.contains(&said), "{said}\n{drawn}");
        }
    }
}

#[test]
fn a_field_says_what_it_takes() {
    let mut edited = empty(100, 30);
    edited.focus = Pane::Form;
    edited.form = Some(Form::empty());
    let mut at = |id: FieldId| {
        let form = edited.form.as_mut().unwrap();
        form.further = true;
        form.cursor = id as usize;
        text(&edited)
    };
    assert!(at(FieldId::Auth).contains("Space takes the next of auto, basic, headers"));
    let services = at(FieldId::Service);
    assert!(services.contains("blesta, connect, http"), "{services}");
    assert!(at(FieldId::Cms).contains("Space takes the next of none, "));
    assert!(at(FieldId::Interval).contains("seconds between two probes"));
}
