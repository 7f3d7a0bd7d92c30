//! The list of connections. Only the rows that are seen are built: ten thousand cost as much as twenty.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::text::{Line, Span};
use tui_input::Input;

use super::layout::{ListColumns, Panes};
use super::text::{cells, cut_name, inset, put, put_both, row, width};
use super::view::{View, sign};
use super::{border, input, welcome};
use crate::app::model::{ListOrder, ListedConnection, LoadState, Pane};
use crate::domain::Name;

/// Marker, lamp, and the blank or the mark behind it.
const BEFORE: usize = 3;

/// Cells of the lamp's longest word, and the blank behind it.
const WORD: usize = 8;

/// Cells of a status: `212ms`. Always as many, or names would be cut now here and now there as digits come and go.
const STATUS: usize = 5;

/// Draws the rows.
pub(super) fn draw(
    view: &View<'_>,
    (columns, alone): (ListColumns, bool),
    area: Rect,
    buf: &mut Buffer,
) {
    let list = &view.model.list;
    if list.visible.is_empty() {
        // Where the list fills the screen, nothing else can say how to go on.
        if alone && welcome::is_due(view) {
            for (at, line) in welcome::lines(view, usize::from(area.width.saturating_sub(2)))
                .into_iter()
                .enumerate()
            {
                put(buf, inset(row(area, at), 1, 1).intersection(area), line);
            }
            return;
        }
        draw_empty(view, area, buf);
        return;
    }
    let height = usize::from(area.height);
    let selected = selected_row(view, height);
    let offset = window(list.offset, selected, list.visible.len(), height);
    let names = list.visible.iter().skip(offset).take(height);
    for (at, name) in names.enumerate() {
        if let Some(entry) = view.model.entries.get(name) {
            let chosen = list.selected.as_ref() == Some(name);
            draw_row(view, columns, (name, entry, chosen), row(area, at), buf);
        }
    }
}

/// The first row shown: `hint`, moved as little as it takes to show the selected row and to leave no row empty.
pub(super) fn window(hint: usize, selected: Option<usize>, length: usize, height: usize) -> usize {
    let last = length.saturating_sub(height);
    let Some(selected) = selected else {
        return hint.min(last);
    };
    let lowest = (selected + 1).saturating_sub(height);
    hint.max(lowest).min(selected).min(last)
}

/// Where the selected connection stands in the list; asked first where it was, so that a long list is searched
/// only after a jump.
fn selected_row(view: &View<'_>, height: usize) -> Option<usize> {
    let list = &view.model.list;
    let selected = list.selected.as_ref()?;
    let near = list.offset.saturating_sub(1);
    let found = |names: &[Name]| names.iter().position(|name| name == selected);
    let seen = list
        .visible
        .get(near..list.visible.len().min(near + height + 2));
    seen.and_then(found)
        .map(|at| near + at)
        .or_else(|| found(&list.visible))
}

fn draw_row(
    view: &View<'_>,
    columns: ListColumns,
    (name, entry, selected): (&Name, &ListedConnection, bool),
    row: Rect,
    buf: &mut Buffer,
) {
    let theme = view.theme;
    let marker = if selected { "▸" } else { " " };
    // What was typed of it and not saved may stand in a form that is not seen.
    let form = view.model.form.as_ref().filter(|form| form.dirty);
    let is_drafted = form.is_some_and(|form| form.editing.as_ref() == Some(name));
    let mark = if is_drafted {
        Span::styled("*", theme.warn)
    } else {
        Span::raw(" ")
    };
    let (glyph, word) = sign(view, entry);
    let style = glyph.style;
    let mut spans = vec![Span::styled(marker, theme.marker), glyph];
    match columns {
        ListColumns::Full => {
            let blanks = " ".repeat((WORD - 1).saturating_sub(width(word)));
            spans.extend([Span::raw(" "), Span::styled(word, style), Span::raw(blanks)]);
            spans.push(mark);
            // Each row has its status: a name is cut for it.
            let inside = inset(row, 0, 1);
            let room = usize::from(inside.width).saturating_sub(BEFORE + WORD + 1 + STATUS);
            let name = cut_name(&view.name(name), room);
            spans.push(Span::styled(name, theme.text));
            put_both(buf, inside, Line::from(spans), status(view, entry));
        }
        ListColumns::LampAndName => {
            spans.push(mark);
            let inside = inset(row, 0, 1);
            let room = usize::from(inside.width).saturating_sub(BEFORE);
            let name = cut_name(&view.name(name), room);
            spans.push(Span::styled(name, theme.text));
            put(buf, inside, Line::from(spans));
        }
    }
}

fn status(view: &View<'_>, entry: &ListedConnection) -> Line<'static> {
    let status = entry
        .verdict
        .as_ref()
        .map_or_else(|| "–".to_owned(), |verdict| verdict.short_status());
    Line::from(Span::styled(status, view.theme.faint))
}

/// Cells of the filter, its cursor among them, that are kept before the count goes.
const LEAST_FILTER: usize = 8;

/// Draws title and count into the border. The filter stands where the title does, so that no row moves when it
/// is typed. Returns where the cursor stands then.
pub(super) fn draw_title(
    view: &View<'_>,
    (line, panes): (Rect, &Panes),
    right: Line<'static>,
    buf: &mut Buffer,
) -> Option<Position> {
    let list = &view.model.list;
    let text = list.filter.value();
    if !list.filtering && text.is_empty() {
        let room = super::title_room(view, panes, line, right.width());
        // The count holds the position already.
        let room = room + if panes.single { 6 } else { 0 };
        let title = super::marked(view, panes, title(view, room));
        border::titles(buf, line, title, right);
        return None;
    }
    let wanted = width(text) + 1;
    let beside = usize::from(line.width).saturating_sub(right.width() + 7);
    // In a narrow list the count goes before a letter that was typed does.
    let (room, right) = if wanted > beside && beside < LEAST_FILTER {
        (usize::from(line.width).saturating_sub(5), Line::default())
    } else {
        (beside, right)
    };
    let wide = room.min(wanted);
    // A blank for each cell that the filter takes: the border is drawn around it.
    let place = Line::from(format!("/{}", " ".repeat(wide)));
    border::titles(buf, line, place, right);
    let head = inset(line, 2, 2);
    put(buf, head, Line::from(Span::styled("/", view.theme.key)));
    let style = if list.filtering {
        view.theme.input
    } else {
        view.theme.title
    };
    let inside = Rect {
        width: cells(wide),
        ..inset(head, 1, 0)
    };
    // What is looked for is a name: it is typed blindly.
    let dots = "•".repeat(text.chars().count());
    let dots = Input::new(dots).with_cursor(list.filter.cursor());
    let shown = if view.model.war_room {
        &dots
    } else {
        &list.filter
    };
    let cursor = input::draw(shown, inside.intersection(head), style, buf);
    cursor.filter(|_| list.filtering && view.model.overlay.is_none())
}

pub(super) fn draw_empty(view: &View<'_>, rows: Rect, buf: &mut Buffer) {
    let model = view.model;
    let text = match &model.loaded {
        LoadState::Loading => "reading …",
        LoadState::Failed(_) => "not readable",
        LoadState::Ready if model.entries.is_empty() => "none yet",
        LoadState::Ready => "no match",
    };
    let line = Line::from(Span::styled(text, view.theme.faint));
    put(buf, inset(row(rows, 0), 3, 1), line);
}

/// What stands at the left of the pane's title. In so many cells the order is told alone: that it is the list can be
/// seen, and not by what it is ordered. A word is never cut.
fn title(view: &View<'_>, room: usize) -> Line<'static> {
    let order = match view.model.list.order {
        ListOrder::WorstFirst => String::new(),
        other => format!(" {}", other.words()),
    };
    let style = super::title_style(view, Pane::List);
    if !order.is_empty() && width("Connections") + width(&order) > room {
        let alone = order.trim_start().trim_end_matches(" first").to_owned();
        return Line::from(Span::styled(alone, style));
    }
    if order.is_empty() && width("Connections") > room {
        return Line::from(Span::styled("List", style));
    }
    Line::from(vec![
        Span::styled("Connections", style),
        Span::styled(order, view.theme.faint),
    ])
}

/// What stands at the right: how many there are, and how many of them pass the filter.
pub(super) fn count(view: &View<'_>) -> Line<'static> {
    let (list, all) = (&view.model.list, view.model.entries.len());
    let shown = list.visible.len().saturating_sub(list.held.len());
    let text = if shown == all {
        all.to_string()
    } else {
        format!("{shown} of {all}")
    };
    Line::from(Span::styled(text, view.theme.faint))
}

#[cfg(test)]
mod tests {
    use super::window;

    #[test]
    fn the_window_moves_no_more_than_it_must() {
        for (hint, selected, length, height, offset) in [
            (0, Some(0), 10, 4, 0),
            (0, Some(3), 10, 4, 0),
            (0, Some(4), 10, 4, 1),
            (5, Some(4), 10, 4, 4),
            (9, Some(9), 10, 4, 6),
            (3, Some(4), 5, 10, 0),
            (7, None, 10, 4, 6),
            (0, None, 0, 4, 0),
            (0, Some(9), 10, 0, 9),
        ] {
            let got = window(hint, selected, length, height);
            assert_eq!(got, offset, "{hint} {selected:?} {length} {height}");
        }
    }
}
