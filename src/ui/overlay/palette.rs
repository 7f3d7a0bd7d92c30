//! Every action by its name, and what the selected one does.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::text::{Line, Span};
use tui_input::Input;

use super::super::text::{inset, put, put_both, row, wrap};
use super::super::view::View;
use super::super::{input as line_input, list};
use super::{lines, open_box};
use crate::app::hints;

/// Rows of actions shown at once, and cells of the box inside: few, for each one is written over a slow line.
const ROWS: usize = 9;
const WIDE: usize = 44;
/// Rows for what the selected one does.
const ABOUT: usize = 2;

pub(super) fn draw(
    view: &View<'_>,
    (input, selected): (&Input, usize),
    body: Rect,
    buf: &mut Buffer,
) -> Option<Position> {
    let theme = view.theme;
    let rows = hints::palette(view.model, input.value());
    let selected = selected.min(rows.len().saturating_sub(1));
    let wide = usize::from(body.width.saturating_sub(4)).min(WIDE);
    let about = rows
        .get(selected)
        .map_or("no action is called so", |(_, row)| row.help);
    let about = lines(brief(about, wide), wide, theme.faint);
    // The box keeps its height while the rows grow fewer, so that nothing jumps as one types.
    let inside = open_box(view, body, (wide, 1 + ROWS + ABOUT), "Command", buf);
    let typed = row(inside, 0);
    put(buf, typed, Line::from(Span::styled(":", theme.key)));
    let cursor = line_input::draw(input, inset(typed, 2, 0), theme.input, buf);
    // In a low window the names go before what the selected one does.
    let room = usize::from(inside.height).saturating_sub(1);
    let height = room.saturating_sub(ABOUT).max(room.min(2)).min(ROWS);
    let offset = list::window(0, Some(selected), rows.len(), height);
    for (at, (key, action)) in rows.iter().enumerate().skip(offset).take(height) {
        let marker = if at == selected { "▸ " } else { "  " };
        let left = vec![
            Span::styled(marker, theme.marker),
            Span::styled(action.name, theme.text),
        ];
        let right = Line::from(Span::styled(key.clone(), theme.key));
        put_both(buf, row(inside, 1 + at - offset), Line::from(left), right);
    }
    let below = room - height;
    for (at, line) in about.into_iter().take(below).enumerate() {
        put(buf, row(inside, 1 + height + at), line);
    }
    cursor
}

/// What an action does, in the rows there are for it: as much as ends where a part of the sentence does. The help has the
/// rest.
fn brief(help: &'static str, wide: usize) -> &'static str {
    let ends = ["; ", ": "]
        .into_iter()
        .flat_map(|end| help.rmatch_indices(end));
    let parts = ends.filter_map(|(end, _)| help.get(..end));
    let fitting = std::iter::once(help).chain(parts);
    let fitting = fitting.filter(|part| wrap(part, wide).len() <= ABOUT);
    fitting.max_by_key(|part| part.len()).unwrap_or(help)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::keymap::action::TABLE;

    #[test]
    fn what_an_action_does_ends_with_a_part_of_its_sentence() {
        for row in TABLE {
            let said = brief(row.help, WIDE);
            assert!(wrap(said, WIDE).len() <= ABOUT, "{said}");
            let rest = row.help.strip_prefix(said).unwrap();
            assert!(rest.is_empty() || rest.starts_with([';', ':']), "{said}");
        }
    }
}
