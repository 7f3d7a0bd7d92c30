//! The first row: the program, how many connections are in which state, and what is unusual now.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::text::{inset, put_both};
use super::view::View;
use crate::domain::State;

/// Up first, as they are read aloud.
const ORDER: [State; 4] = [State::Ok, State::Warn, State::Down, State::Unknown];

/// Draws the row.
pub(super) fn draw(view: &View<'_>, area: Rect, buf: &mut Buffer) {
    let mut left = vec![Span::styled("switchboard", view.theme.brand)];
    for (unusual, words, style) in [
        (
            view.model.war_room,
            "war-room: names are pseudonyms",
            view.theme.warn,
        ),
        (view.model.locked, "locked", view.theme.warn),
        (!view.model.watching, "watching paused", view.theme.faint),
        (
            view.model.board.offline,
            "this machine is offline",
            view.theme.warn,
        ),
    ] {
        if unusual {
            left.push(Span::raw("   "));
            left.push(Span::styled(words, style));
        }
    }
    put_both(
        buf,
        inset(area, 1, 1),
        Line::from(left),
        counts(view, area.width),
    );
}

/// `● 5 up   ▲ 2 check   ✖ 1 down`; without the words where they have no room.
fn counts(view: &View<'_>, width: u16) -> Line<'static> {
    let entries = &view.model.entries;
    let mut seen = [0_usize; ORDER.len()];
    for entry in entries.values() {
        let state = entry.state();
        for (count, one) in seen.iter_mut().zip(ORDER) {
            *count += usize::from(one == state);
        }
    }
    let mut spans = Vec::new();
    for (state, count) in ORDER.into_iter().zip(seen) {
        let style = if count > 0 {
            view.theme.lamp(state)
        } else {
            view.theme.faint
        };
        if !spans.is_empty() {
            spans.push(Span::raw(if width < 60 { " " } else { "   " }));
        }
        let word = if width < 60 { "" } else { state.word() };
        let text = format!("{} {count} {word}", state.glyph());
        spans.push(Span::styled(text.trim_end().to_owned(), style));
    }
    Line::from(spans)
}
