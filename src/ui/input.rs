//! One line of typed text with its cursor always in sight.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use tui_input::Input;
use unicode_width::UnicodeWidthChar;

use super::text::{cells, prefix, put, width};
use crate::domain::text::dotted;

/// Draws `input` in the first row of `area` and returns where its cursor is.
pub(super) fn draw(input: &Input, area: Rect, style: Style, buf: &mut Buffer) -> Option<Position> {
    draw_text(input.value(), input.cursor(), area, style, buf)
}

/// The same for any text with a cursor before the character at `cursor`. What is typed may hold anything that
/// a keyboard or a paste can: a character that a terminal may act on takes one cell as `·`.
pub(super) fn draw_text(
    text: &str,
    cursor: usize,
    area: Rect,
    style: Style,
    buf: &mut Buffer,
) -> Option<Position> {
    if area.is_empty() {
        return None;
    }
    let shown = dotted(text);
    let room = usize::from(area.width);
    let before: String = shown.chars().take(cursor).collect();
    let (behind, whole) = (width(&before), width(&shown));
    // The cursor takes a cell of its own behind the text. What is edited in the middle is seen on both sides.
    let ahead = (whole - behind).clamp(1, (room / 3).max(1));
    let wanted = if whole < room {
        0
    } else {
        (behind + ahead).saturating_sub(room)
    };
    let (mut left, mut start) = (0, 0);
    for c in before.chars() {
        if left >= wanted {
            break;
        }
        left += c.width().unwrap_or(0);
        start += c.len_utf8();
    }
    let rest = shown.get(start..).unwrap_or_default();
    let line = Line::from(Span::styled(prefix(rest, room).to_owned(), style));
    put(buf, area, line);
    // That it goes on is said where there is room for it, beside the cursor.
    let x = area.x + cells(behind.saturating_sub(left)).min(area.width - 1);
    let ends = [(start > 0, area.x), (width(rest) > room, area.right() - 1)];
    for (is_cut, end) in ends {
        if is_cut && room > 8 && end != x && buf[(end, area.y)].symbol().is_ascii() {
            buf[(end, area.y)].set_symbol("…");
        }
    }
    Some(Position::new(x, area.y))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(text: &str, cursor: usize, width: u16) -> (String, u16) {
        let area = Rect::new(0, 0, width, 1);
        let mut buf = Buffer::empty(area);
        let position = draw_text(text, cursor, area, Style::new(), &mut buf).unwrap();
        let mut line = String::new();
        let mut x = 0;
        while x < width {
            let symbol = buf[(x, 0)].symbol();
            line.push_str(symbol);
            x += cells(super::width(symbol)).max(1);
        }
        (line, position.x)
    }

    #[test]
    fn the_cursor_stays_in_sight() {
        assert_eq!(drawn("abc", 3, 6), ("abc   ".into(), 3));
        assert_eq!(drawn("abcdef", 6, 6), ("bcdef ".into(), 5));
        assert_eq!(drawn("abcdefgh", 8, 4), ("fgh ".into(), 3));
        assert_eq!(drawn("abcdefgh", 2, 4), ("abcd".into(), 2));
    }

    #[test]
    fn what_is_edited_in_the_middle_is_seen_on_both_sides() {
        let text = "https://billing.example.com/a/long/path";
        assert_eq!(drawn(text, 20, 15), ("…ling.example.…".into(), 10));
        assert_eq!(drawn(text, 0, 15), ("https://billin…".into(), 0));
        assert_eq!(drawn(text, 39, 15), ("…m/a/long/path ".into(), 14));
    }

    #[test]
    fn wide_characters_move_it_by_two() {
        assert_eq!(drawn("株式会社", 4, 20).1, 8);
        assert_eq!(drawn("株式会社", 4, 6), ("会社  ".into(), 4));
        assert_eq!(drawn("株式会社", 1, 3), ("株 ".into(), 2));
    }

    #[test]
    fn nothing_active_is_drawn() {
        assert_eq!(drawn("a\u{1b}b\u{202e}", 4, 6).0, "a·b·  ");
    }
}
