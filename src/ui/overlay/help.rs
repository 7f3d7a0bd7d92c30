//! The keys of the focused pane, from the one table.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::super::text::{pad, width, wrap};
use super::super::view::View;
use super::{more, open_box, put_lines};
use crate::app::hints;
use crate::app::keymap::HelpGroup;

/// What one looks for first comes first: everybody finds the arrow keys.
const ORDER: [HelpGroup; 6] = [
    HelpGroup::Edit,
    HelpGroup::Probe,
    HelpGroup::Handles,
    HelpGroup::Screen,
    HelpGroup::Watch,
    HelpGroup::Move,
];

pub(super) fn draw(view: &View<'_>, scroll: u16, body: Rect, buf: &mut Buffer) {
    let room = room(body);
    let mut lines = lines(view, room);
    let widest = lines.iter().map(Line::width).max().unwrap_or(0);
    let over = hints::over_the_panes(view.model);
    let pane = super::super::name(view.model.focus);
    let title = format!("Help: {}", over.map_or(pane, |(title, _)| title));
    let size = (widest.max(width(&title)), lines.len());
    let inside = open_box(view, body, size, &title, buf);
    let last = lines.len().saturating_sub(usize::from(inside.height));
    let scroll = usize::from(scroll).min(last);
    more(view, inside, (scroll, last - scroll), buf);
    put_lines(buf, inside, lines.split_off(scroll));
}

/// The line that it can begin with at most.
pub(super) fn last_line(view: &View<'_>, body: Rect) -> usize {
    let lines = lines(view, room(body)).len();
    lines.saturating_sub(usize::from(body.height.saturating_sub(2)))
}

/// Columns of its text.
fn room(body: Rect) -> usize {
    usize::from(body.width.saturating_sub(4)).min(86)
}

fn lines(view: &View<'_>, room: usize) -> Vec<Line<'static>> {
    let theme = view.theme;
    let rows = hints::help(view.model);
    let keys = rows.iter().map(|(keys, ..)| width(keys)).max().unwrap_or(0) + 2;
    let mut lines = Vec::new();
    for group in ORDER {
        if !lines.is_empty() && rows.iter().any(|(.., of)| *of == group) {
            lines.push(Line::default());
        }
        for (key, does, _) in rows.iter().filter(|(.., of)| *of == group) {
            let mut key = key.as_str();
            for part in wrap(does, room.saturating_sub(keys)) {
                lines.push(Line::from(vec![
                    Span::styled(pad(std::mem::take(&mut key), keys), theme.key),
                    Span::styled(part, theme.text),
                ]));
            }
        }
    }
    if hints::over_the_panes(view.model).is_some() {
        return lines;
    }
    lines.push(Line::default());
    let other = "The keys of the other panes work from here too, on what is selected there.";
    lines.extend(
        wrap(other, room)
            .into_iter()
            .map(|part| Line::styled(part, theme.faint)),
    );
    lines
}
