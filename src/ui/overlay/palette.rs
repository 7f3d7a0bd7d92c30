//! Every action by its name.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::text::{Line, Span};
use tui_input::Input;

use super::super::text::{inset, pad, put, put_both, row};
use super::super::view::View;
use super::super::{input as line_input, list};
use super::open_box;
use crate::app::hints;

/// Cells of the names.
const NAME: usize = 18;

pub(super) fn draw(
    view: &View<'_>,
    (input, selected): (&Input, usize),
    body: Rect,
    buf: &mut Buffer,
) -> Option<Position> {
    let theme = view.theme;
    let rows = hints::palette(view.model, input.value());
    // The box keeps its height while the rows grow fewer, so that nothing jumps as one types.
    let height = usize::from(body.height.saturating_sub(4)).min(18);
    let wide = usize::from(body.width.saturating_sub(4)).min(84);
    let inside = open_box(view, body, (wide, height), "Command", buf);
    let typed = row(inside, 0);
    put(buf, typed, Line::from(Span::styled(":", theme.key)));
    let cursor = line_input::draw(input, inset(typed, 2, 0), theme.input, buf);
    let body = Rect {
        y: inside.y.saturating_add(2),
        height: inside.height.saturating_sub(2),
        ..inside
    };
    if rows.is_empty() {
        let nothing = Span::styled("no action is called so", theme.faint);
        put(buf, inset(row(body, 0), 2, 0), Line::from(nothing));
        return cursor;
    }
    let selected = selected.min(rows.len() - 1);
    let offset = list::window(0, Some(selected), rows.len(), usize::from(body.height));
    for (at, (key, action)) in rows
        .iter()
        .enumerate()
        .skip(offset)
        .take(usize::from(body.height))
    {
        let marker = if at == selected { "▸ " } else { "  " };
        let left = vec![
            Span::styled(marker, theme.marker),
            Span::styled(pad(action.name, NAME), theme.text),
            Span::styled(action.help, theme.faint),
        ];
        let right = Line::from(Span::styled(key.clone(), theme.key));
        put_both(buf, row(body, at - offset), Line::from(left), right);
    }
    cursor
}
