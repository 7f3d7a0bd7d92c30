//! The keys of the focused pane, from the one table.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::super::text::{pad, width, wrap};
use super::super::view::View;
use super::{open_box, put_lines};
use crate::app::hints;

pub(super) fn draw(view: &View<'_>, scroll: u16, body: Rect, buf: &mut Buffer) {
    let theme = view.theme;
    let rows = hints::help(view.model);
    let keys = rows.iter().map(|(keys, _)| width(keys)).max().unwrap_or(0) + 2;
    let room = usize::from(body.width.saturating_sub(4)).min(86);
    let mut lines = Vec::new();
    let mut group = None;
    for (key, action) in rows {
        if group.is_some_and(|group| group != action.group) {
            lines.push(Line::default());
        }
        group = Some(action.group);
        let mut key = Some(key);
        for part in wrap(action.help, room.saturating_sub(keys)) {
            let head = pad(&key.take().unwrap_or_default(), keys);
            lines.push(Line::from(vec![
                Span::styled(head, theme.key),
                Span::styled(part, theme.text),
            ]));
        }
    }
    let widest = lines.iter().map(Line::width).max().unwrap_or(0);
    let title = format!("Help: {}", super::super::name(view.model.focus));
    let inside = open_box(
        view,
        body,
        (widest.max(width(&title)), lines.len()),
        &title,
        buf,
    );
    let last = lines.len().saturating_sub(usize::from(inside.height));
    let lines = lines.split_off(usize::from(scroll).min(last));
    put_lines(buf, inside, lines);
}
