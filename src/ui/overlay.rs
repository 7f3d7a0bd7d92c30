//! What lies over the panes: help, palette, questions, dialogs, and a handle too long for its row.

mod choices;
pub(super) mod dialogs;
mod help;
mod palette;
mod question;
mod shared_token;

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::reveal::OpenHandle;
use super::text::{blank, cells, divide, inset, put, row, width};
use super::view::View;
use super::{border, tokens};
use crate::app::model::Overlay;

/// Draws what lies over `body`. Returns where the cursor stands in it; none if there is no overlay.
pub(super) fn draw(
    view: &View<'_>,
    body: Rect,
    tokens_pane: Option<Rect>,
    buf: &mut Buffer,
) -> Option<Position> {
    let Some(overlay) = &view.model.overlay else {
        if let Some((title, open)) = tokens::too_long(view, tokens_pane) {
            draw_handle(view, body, &title, open, buf);
        }
        return None;
    };
    match overlay {
        Overlay::Help { scroll } => help::draw(view, *scroll, body, buf),
        Overlay::Palette { input, row } => return palette::draw(view, (input, *row), body, buf),
        Overlay::Confirm(question) => question::draw(view, question, body, buf),
        Overlay::ChooseStore { offers, row } => choices::draw_stores(view, offers, *row, body, buf),
        Overlay::CopyAs { row, of } => choices::draw_copy_as(view, (*row, of), body, buf),
        Overlay::Passphrase(dialog) => return dialogs::draw_passphrase(view, dialog, body, buf),
        Overlay::AddToken(dialog) => return dialogs::draw_add_token(view, dialog, body, buf),
        Overlay::SharedToken(sheet) => shared_token::draw(view, sheet, body, buf),
        Overlay::Watching(overlay) => {
            return super::watching::draw_overlay(view, overlay, body, buf);
        }
    }
    None
}

/// The line that it can begin with at most, where it scrolls.
pub(super) fn last_line(view: &View<'_>, overlay: &Overlay, body: Rect) -> Option<usize> {
    match overlay {
        Overlay::Help { .. } => Some(help::last_line(view, body)),
        Overlay::SharedToken(sheet) => Some(shared_token::last_line(view, sheet, body)),
        Overlay::Palette { .. }
        | Overlay::Confirm(_)
        | Overlay::ChooseStore { .. }
        | Overlay::CopyAs { .. }
        | Overlay::Passphrase(_)
        | Overlay::AddToken(_)
        | Overlay::Watching(_) => None,
    }
}

/// Draws an empty box in the middle of `body` and returns its inside, a blank at either side left free.
pub(in crate::ui) fn open_box(
    view: &View<'_>,
    body: Rect,
    size: (usize, usize),
    title: &str,
    buf: &mut Buffer,
) -> Rect {
    let width = cells(size.0 + 4).min(body.width);
    let height = cells(size.1 + 2).min(body.height);
    let area = Rect {
        x: body.x + (body.width - width) / 2,
        y: body.y + (body.height - height) / 2,
        width,
        height,
    };
    blank(buf, area, view.theme.screen);
    border::outline(buf, area, view.theme.border_focus);
    let title = Line::from(Span::styled(title.to_owned(), view.theme.title_focus));
    border::titles(buf, row(area, 0), title, Line::default());
    Rect {
        y: area.y + 1.min(height),
        height: height.saturating_sub(2),
        ..inset(area, 2, 2)
    }
}

/// Says in a box's lower border how many lines are hidden above and below.
pub(in crate::ui) fn more(view: &View<'_>, inside: Rect, hidden: (usize, usize), buf: &mut Buffer) {
    let mut more = super::hidden(hidden, view.theme.faint);
    if more.width() > 0 {
        more.spans.insert(0, Span::raw(" "));
        more.push_span(" ");
        let line = Rect {
            y: inside.bottom(),
            height: 1,
            ..inside
        };
        let line = line.intersection(buf.area);
        super::text::put_both(buf, line, Line::default(), more);
    }
}

/// The width of a dialog's text.
fn dialog_width(body: Rect) -> usize {
    usize::from(body.width.saturating_sub(4)).min(48)
}

/// One wrapped text of a dialog.
pub(super) fn lines(text: &str, width: usize, style: Style) -> Vec<Line<'static>> {
    let lines = super::text::wrap(text, width);
    lines
        .into_iter()
        .map(|line| Line::from(Span::styled(line, style)))
        .collect()
}

/// Draws lines one below the other.
pub(in crate::ui) fn put_lines(buf: &mut Buffer, inside: Rect, lines: Vec<Line<'static>>) {
    for (at, line) in lines
        .into_iter()
        .enumerate()
        .take(usize::from(inside.height))
    {
        put(buf, row(inside, at), line);
    }
}

/// A handle in the open, whole: divided where the line ends, with nothing put in between.
fn draw_handle(view: &View<'_>, body: Rect, title: &str, open: OpenHandle, buf: &mut Buffer) {
    let room = usize::from(body.width.saturating_sub(4)).min(100);
    let mut pieces = Vec::new();
    let rest = divide(&open.text, room.max(1), &mut pieces);
    pieces.push(rest);
    let hidden = format!("hidden in {:>2} s", open.seconds);
    let widest = pieces.iter().map(|piece| width(piece)).max().unwrap_or(0);
    let wide = widest.max(width(title) + 2).max(width(&hidden)).min(room);
    let inside = open_box(view, body, (wide, pieces.len() + 2), title, buf);
    let mut lines: Vec<Line<'static>> = pieces
        .into_iter()
        .map(|piece| Line::from(Span::styled(piece, view.theme.revealed)))
        .collect();
    lines.push(Line::default());
    lines.push(Line::from(Span::styled(hidden, view.theme.faint)));
    put_lines(buf, inside, lines);
}
