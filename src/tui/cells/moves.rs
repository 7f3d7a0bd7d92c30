//! The ways of the cursor, each in as few bytes as it takes.

use ratatui::layout::Position;

/// So many single steps are as short as a counted move.
pub(super) const STEPS: u16 = 3;

/// A number in digits. The machinery of `format!` would be a good part of what a page costs.
pub(super) fn number(number: u16, out: &mut String) {
    out.push_str(itoa::Buffer::new().format(number));
}

/// A sequence of one number.
pub(super) fn counted(count: u16, letter: char, out: &mut String) {
    out.push_str("\x1b[");
    number(count, out);
    out.push(letter);
}

/// The move to a place from anywhere.
pub(super) fn straight(to: Position, out: &mut String) {
    out.push_str("\x1b[");
    if to.y > 0 {
        number(to.y + 1, out);
    }
    if to.x > 0 {
        out.push(';');
        number(to.x + 1, out);
    }
    out.push('H');
}

/// The move from row to row. A line feed keeps the column in raw mode, and never scrolls: the row is there.
pub(super) fn down(from: u16, to: u16, out: &mut String) {
    let rows = from.abs_diff(to);
    match (to > from, rows) {
        (_, 0) => {}
        (true, 1..=STEPS) => out.extend(std::iter::repeat_n('\n', usize::from(rows))),
        (true, _) => counted(rows, 'B', out),
        (false, 1) => out.push_str("\x1bM"),
        (false, _) => counted(rows, 'A', out),
    }
}

/// The move from column to column.
pub(super) fn along(from: u16, to: u16, out: &mut String) {
    let columns = from.abs_diff(to);
    match (to > from, columns) {
        (_, 0) => {}
        (true, 1) => out.push_str("\x1b[C"),
        (true, _) => counted(columns, 'C', out),
        (false, 1..=STEPS) => out.extend(std::iter::repeat_n('\x08', usize::from(columns))),
        (false, _) if to == 0 => out.push('\r'),
        (false, _) => counted(columns, 'D', out),
    }
}
