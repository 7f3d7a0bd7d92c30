//! The watch table in place of the panes, the detail of one connection, and what lies over the screen of both.
//!
//! ```text
//! ┌ Connections ─────────────────────────────────────────────────────────── 2,000 ┐
//! │   NAME              STATUS    NOW    P50    P95   24 H LAST      SINCE REASON  │  table, columns
//! │ ✖ down    legacy       0        –      –      –   12 % ████▁▁▁▁     4m refused │
//! │▸● up      shop       200     42ms   40ms   88ms  100 % ▁▁▁▁▁▁▁▁     3d connected│
//! ├ Events ────────────────────────────────────────────────────────────────────────┤
//! │ 10:04  ✖ legacy is down, was up · 0 Received: refused                           │  events
//! └────────────────────────────────────────────────────────────────────────────────┘
//! ```

mod columns;
mod detail;
mod dialogs;
mod events;
mod plot;
mod table;

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::border;
use super::layout::Panes;
use super::text::{cells, inset, row};
use super::theme::Theme;
use super::view::View;
use crate::app::Model;
use crate::app::watching::{Board, BoardView};
use crate::domain::State;

pub(super) use dialogs::draw as draw_overlay;

/// Draws what stands in place of the panes. Returns where the cursor stands in it.
pub(super) fn draw(view: &View<'_>, panes: &Panes, buf: &mut Buffer) -> Option<Position> {
    let body = panes.body;
    border::outline(buf, body, view.theme.border);
    buf.set_style(row(body, 0), view.theme.border_focus);
    match &view.model.board.view {
        BoardView::Closed => None,
        BoardView::Detail(name) => {
            detail::draw(view, name, body, buf);
            None
        }
        BoardView::Table => {
            let (rows, below) = split(view.model, body);
            table::draw(view, rows, buf);
            if let Some(below) = below {
                border::divider(buf, Rect { height: 1, ..below }, view.theme.border);
                events::draw_below(view, below, buf);
            }
            let count = super::list::count(view);
            super::list::draw_title(view, (row(body, 0), panes), count, buf)
        }
    }
}

/// The inside of the table, and where events stand below it: their heading with it, over the whole width.
fn split(model: &Model, body: Rect) -> (Rect, Option<Rect>) {
    let events = Board::event_rows(model.size.1);
    let inside = Rect {
        y: body.y + 1,
        height: body.height.saturating_sub(2),
        ..inset(body, 1, 1)
    };
    if events == 0 || inside.height < events + 3 {
        return (inside, None);
    }
    let table = Rect {
        height: inside.height - events - 1,
        ..inside
    };
    let below = Rect {
        y: table.bottom(),
        height: events + 1,
        ..body
    };
    (table, Some(below))
}

/// Which row of the table is drawn at this row of the terminal, the first one shown being 0.
pub(super) fn row_at(model: &Model, panes: &Panes, column: u16, at: u16) -> Option<u16> {
    if model.board.view != BoardView::Table {
        return None;
    }
    let (table, _) = split(model, panes.body);
    let rows = table::rows(table);
    rows.contains(Position::new(column, at))
        .then(|| at - rows.y)
}

/// One result in a strip or below a plot: told apart by its height too.
const fn mark(state: State) -> &'static str {
    match state {
        State::Ok => "▁",
        State::Warn => "▄",
        State::Down => "█",
        State::Unknown => "·",
    }
}

/// The last results that have room, the newest at the right.
fn strip(theme: &Theme, states: &[State], width: usize) -> Vec<Span<'static>> {
    let skipped = states.len().saturating_sub(width);
    let shown = states.get(skipped..).unwrap_or_default();
    let mut spans = vec![Span::raw(" ".repeat(width - shown.len()))];
    for same in shown.chunk_by(|one, other| one == other) {
        if let Some(state) = same.first() {
            spans.push(Span::styled(
                mark(*state).repeat(same.len()),
                theme.lamp(*state),
            ));
        }
    }
    spans
}

/// A share as people read it: never 100 % where anything failed.
fn percent(share: Option<f64>) -> String {
    match share {
        None => "–".to_owned(),
        Some(share) if share >= 1.0 => "100%".to_owned(),
        Some(share) => {
            let parts = (share * 1_000.0).floor() / 10.0;
            format!("{parts:.1}%")
        }
    }
}

/// A time that a probe took.
fn milliseconds(time: Option<std::time::Duration>) -> String {
    match time {
        None => "–".to_owned(),
        Some(time) if time.as_millis() == 0 => "<1ms".to_owned(),
        Some(time) if time.as_secs() >= 10 => format!("{}s", time.as_secs()),
        Some(time) => format!("{}ms", time.as_millis()),
    }
}

fn styled(text: impl Into<String>, style: Style) -> Line<'static> {
    Line::from(Span::styled(text.into(), style))
}

/// A count of rows as the screen counts them.
fn rows_of(count: usize) -> u16 {
    cells(count)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_never_rounded_up() {
        for (share, text) in [
            (None, "–"),
            (Some(1.0), "100%"),
            (Some(0.999_99), "99.9%"),
            (Some(0.5), "50.0%"),
            (Some(0.0), "0.0%"),
        ] {
            assert_eq!(percent(share), text);
        }
    }

    #[test]
    fn a_strip_shows_the_newest_results_at_its_right() {
        let theme = Theme::default();
        let text = |states: &[State], width| Line::from(strip(&theme, states, width)).to_string();
        let states = [State::Down, State::Ok, State::Warn, State::Unknown];
        assert_eq!(text(&states, 6), "  █▁▄·");
        assert_eq!(text(&states, 2), "▄·");
        assert_eq!(text(&[], 2), "  ");
    }
}
