//! Where there is little room: every row of the list has the same columns, every lamp has its word, and no sentence that
//! says what to do ends in its middle.

use switchboard::app::model::{FieldLamp, FieldText, Form, Pane};
use switchboard::app::{FieldId, Model};
use switchboard::domain::State;

use super::sample::{connection, empty, entry, form, good, model, name, select, stripped};
use super::text;

/// The rows of the list, as far as its pane goes.
fn rows_of_list(model: &Model) -> Vec<String> {
    let shown = text(model);
    let inside = |line: &str| line.split('│').nth(1).map(str::to_owned);
    let rows = shown.lines().filter_map(inside);
    rows.filter(|row| row.contains('●')).collect()
}

#[test]
fn every_row_of_the_list_has_its_number_where_one_has() {
    for (width, height) in [
        (200, 50),
        (140, 30),
        (100, 30),
        (99, 30),
        (80, 24),
        (60, 16),
    ] {
        let mut named = empty(width, height);
        for length in 1..=12 {
            let text = "n".repeat(length * 3);
            named.list.visible.push(name(&text));
            // The digits come and go.
            let total = [42, 61, 999, 4_200, 12_000][length % 5];
            let entry = entry(
                connection(&text, "https://a.example"),
                Some(good(&text, total)),
            );
            named.entries.insert(name(&text), Box::new(entry));
        }
        let rows = rows_of_list(&named);
        assert!(rows.len() >= 10, "{rows:#?}");
        for row in rows {
            let is_there = row.trim_end().ends_with('s');
            assert_eq!(is_there, width >= 100, "{width}: {row}");
            let name = row
                .split_whitespace()
                .find(|part| part.starts_with('n'))
                .unwrap();
            let cut = name.ends_with('…');
            let whole = row.chars().count() >= 18 + name.chars().count();
            assert!(cut || whole || width < 100, "{width}: {row}");
        }
    }
}

#[test]
fn a_title_is_cut_for_no_count() {
    for (width, height) in [(80, 24), (60, 16)] {
        let mut many = empty(width, height);
        for n in 0..5_000 {
            many.entries.insert(
                name(&format!("n{n}")),
                Box::new(entry(connection("n", "https://a.example"), None)),
            );
        }
        many.list.visible.push(name("n1"));
        let shown = text(&many);
        let title = shown.lines().nth(1).unwrap();
        let title = title.split('┐').next().unwrap();
        assert!(title.contains("┌ List "), "{title}");
        assert!(!title.contains('…'), "{title}");
    }
}

/// The words behind the values: what stands before a lamp at the end of its row.
fn words_of_lamps(shown: &str) -> Vec<String> {
    let labels = ["URL ", "Username ", "Key ", "Token "];
    let row = |label: &str| {
        let mut rows = shown.lines();
        let row = rows.find(|line| line.contains(label)).unwrap();
        let row = row.trim_end_matches(|c: char| !"●▲✖○◌".contains(c));
        let before = row.trim_end_matches(|c| "●▲✖○◌".contains(c));
        let word = before.strip_suffix(' ').unwrap();
        assert!(!word.ends_with(' '), "no word: {row}");
        let gap = word.trim_end_matches(|c: char| c.is_alphanumeric() || "…:".contains(c));
        word.strip_prefix(gap).unwrap().to_owned()
    };
    labels.map(row).into()
}

#[test]
fn every_lamp_has_its_word_however_long_the_value_is() {
    for (width, height) in [(60, 16), (44, 14), (40, 12)] {
        let mut shown = model(width, height);
        shown.focus = Pane::Form;
        for selected in ["shop", "staging", "legacy"] {
            select(&mut shown, selected);
            for word in words_of_lamps(&text(&shown)) {
                assert!(
                    word.chars().all(char::is_alphabetic) || word.ends_with('…'),
                    "{word}"
                );
            }
        }
        for cursor in 0..4 {
            let mut typed = form();
            typed.cursor = cursor;
            typed.fields[0].text = FieldText::Plain("https://billing.example.com/blesta".into());
            typed.fields[0].lamp = FieldLamp {
                state: State::Ok,
                word: "service found".to_owned(),
                probing: false,
            };
            shown.form = Some(typed);
            let words = words_of_lamps(&text(&shown));
            assert!(
                words.iter().all(|word| !word.is_empty()),
                "{cursor}: {words:?}"
            );
        }
        shown.form = Some(Form::empty());
        let words = words_of_lamps(&text(&shown));
        assert_eq!(words, ["URL", "set", "set", "set"], "enter a URL, not set");
    }
}

/// The lines in which a sentence ends in its middle.
fn cut_lines(shown: &str) -> Vec<&str> {
    shown.lines().filter(|line| line.contains('…')).collect()
}

#[test]
fn no_field_s_hint_is_cut() {
    for (width, height) in [(60, 16), (80, 24)] {
        let mut edited = empty(width, height);
        edited.focus = Pane::Form;
        edited.form = Some(Form::empty());
        for id in FieldId::FURTHER {
            let form = edited.form.as_mut().unwrap();
            form.further = true;
            form.cursor = id as usize;
            let shown = text(&edited);
            assert_eq!(cut_lines(&shown), [""; 0], "{id:?}\n{shown}");
        }
    }
}

#[test]
fn no_line_of_the_response_is_cut() {
    for (width, height) in [(60, 16), (80, 24)] {
        let mut shown = model(width, height);
        shown.focus = Pane::Response;
        shown.zoomed = false;
        shown.entries.change(&name("shop"), |entry| {
            let mut verdict = stripped();
            verdict.title =
                "401 Denied: the header with the key was stripped on its way".to_owned();
            verdict.service_version = Some("24.0.1-with-a-long-word-behind-it".to_owned());
            entry.verdict = Some(Box::new(verdict));
            let mut connection = (*entry.connection).clone();
            connection.paused = true;
            entry.connection = std::sync::Arc::new(connection);
        });
        let mut told = String::new();
        for line in 0..40 {
            shown.response_scroll = line;
            let drawn = text(&shown);
            let (_, below) = drawn.split_once("Response").unwrap();
            let inside = below
                .lines()
                .skip(1)
                .filter_map(|line| line.rsplit("││").next());
            for line in inside {
                assert!(!line.contains('…'), "{line}\n{drawn}");
                told.push_str(line.trim_matches(['"', '│', ' ']));
                told.push(' ');
            }
        }
        assert!(
            told.contains("takes it in again") || told.contains("takes it in"),
            "{told}"
        );
        assert!(told.contains("with-a-long-word-behind-it"), "{told}");
    }
}

#[test]
fn what_adds_a_connection_is_said_whole() {
    let drawn = text(&empty(60, 16));
    assert!(drawn.contains("begin with."), "{drawn}");
}

#[test]
fn nothing_of_one_connection_over_time_is_cut() {
    for (width, height) in [(60, 16), (80, 24), (100, 30)] {
        let mut shown = super::watching::plotted(width, height);
        shown.entries.change(&name("eu"), |entry| {
            let mut connection = (*entry.connection).clone();
            connection.paused = true;
            entry.connection = std::sync::Arc::new(connection);
        });
        let drawn = text(&shown);
        assert_eq!(cut_lines(&drawn), [""; 0], "{drawn}");
        let plot = shown.board.plot.as_mut().unwrap();
        for point in &mut plot.1.points {
            point.latency = None;
        }
        let drawn = text(&shown);
        assert_eq!(cut_lines(&drawn), [""; 0], "{drawn}");
        assert!(drawn.contains("nothing worked in this time"), "{drawn}");
    }
}
