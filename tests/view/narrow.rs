//! Where there is little room: every row of the list has the same columns.

use switchboard::app::Model;

use super::sample::{connection, empty, entry, good, name};
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
