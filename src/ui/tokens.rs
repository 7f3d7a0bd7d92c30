//! The Tokens pane: the handles of the connection, masked, or one of them in the open for some seconds; below
//! them the tokens of the account behind it, and over the panes the sheets about one of those.

mod account;
mod columns;
mod details;
mod horizon;
mod renewal;
mod sheet;
mod wizard;

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::reveal::{self, OpenHandle};
use super::text::{cut, inset, pad, put, row, width};
use super::view::View;
use crate::app::Action;
use crate::app::handles::{self, HandleRow, RevealedHandle};
use crate::app::model::{ListedConnection, Pane};
use crate::domain::secret::MASK;
use crate::domain::{CheckId, HandleSlot, State};

pub(super) use sheet::draw as draw_sheet;

/// What nobody told us.
const NOT_KNOWN: &str = "–";

/// Cells of each column; 0 where there is no room for it.
struct Columns {
    label: usize,
    kind: usize,
    created: usize,
    status: usize,
    handle: usize,
    kept: usize,
}

impl Columns {
    /// The last to go is the handle, before it the status, the type, the date, the place.
    fn of(cells: u16) -> Self {
        let at = |least: u16, wide: usize| if cells >= least { wide } else { 0 };
        let mut columns = Self {
            label: 0,
            kind: at(46, 11),
            created: at(58, 12),
            status: at(34, 13),
            handle: at(16, 14),
            kept: at(92, 24),
        };
        let taken = columns.kind + columns.created + columns.status + columns.handle + columns.kept;
        columns.label = usize::from(cells).saturating_sub(taken);
        columns
    }

    /// Cells behind the label: where a revealed handle has its place.
    fn behind(&self) -> usize {
        self.kind + self.created + self.status + self.handle + self.kept
    }

    fn line(&self, cells: [Span<'static>; 6]) -> Line<'static> {
        let widths = [
            self.label,
            self.kind,
            self.created,
            self.status,
            self.handle,
            self.kept,
        ];
        let columns = cells
            .into_iter()
            .zip(widths)
            .filter(|(_, width)| *width > 0);
        // The last two cells of each column stay blank: they divide it from the next.
        let spans = columns.map(|(cell, width)| {
            let text = pad(&cut(&cell.content, width.saturating_sub(2)), width);
            Span::styled(text, cell.style)
        });
        Line::from(spans.collect::<Vec<_>>())
    }
}

/// Draws the pane.
pub(super) fn draw(view: &View<'_>, area: Rect, buf: &mut Buffer) -> Option<Position> {
    if view.model.has_account()
        && let Some(entry) = view.entry()
    {
        return account::draw(view, entry, area, buf);
    }
    draw_held(view, area, buf);
    None
}

fn draw_held(view: &View<'_>, area: Rect, buf: &mut Buffer) {
    let theme = view.theme;
    let columns = Columns::of(area.width.saturating_sub(1));
    let heads = [
        "LABEL · ID",
        "TYPE",
        "CREATED",
        "STATUS",
        "HANDLE",
        "KEPT IN",
    ];
    let heads = heads.map(|head| Span::styled(head, theme.faint));
    put(buf, inset(row(area, 0), 1, 0), columns.line(heads));
    let Some(entry) = view.entry() else { return };
    let rows = handles::rows(&entry.connection);
    let body = Rect {
        y: area.y.saturating_add(1),
        height: area.height.saturating_sub(1),
        ..area
    };
    if rows.is_empty() {
        draw_empty(view, body, buf);
    }
    let height = usize::from(body.height);
    let selected = view.model.token_row.min(rows.len().saturating_sub(1));
    let offset = super::list::window(0, Some(selected), rows.len(), height);
    let marks = view.focused(Pane::Tokens) && view.model.marked_token_row().is_some();
    for (at, handle) in rows.iter().enumerate().skip(offset).take(height) {
        let line = row(body, at - offset);
        if at == selected && marks {
            put(buf, line, Line::from(Span::styled("▸", theme.marker)));
        }
        put(
            buf,
            inset(line, 1, 0),
            handle_line(view, entry, handle, &columns),
        );
    }
}

fn handle_line(
    view: &View<'_>,
    entry: &ListedConnection,
    handle: &HandleRow,
    columns: &Columns,
) -> Line<'static> {
    let theme = view.theme;
    let label = view.handle(handle);
    let open = reveal::handle(view.model, &entry.connection.name, &handle.slot);
    if let Some(open) = open.filter(|open| fits(open, columns)) {
        return Line::from(vec![
            Span::styled(
                pad(&cut(&label, columns.label.saturating_sub(2)), columns.label),
                theme.text,
            ),
            Span::styled(open.text, theme.revealed),
            Span::styled(format!("  {:>2} s", open.seconds), theme.faint),
        ]);
    }
    let (status, style) = status(view, entry, &handle.slot);
    columns.line([
        Span::styled(label, theme.text),
        Span::styled(handle.kind, theme.text),
        Span::styled(made(view, handle), theme.faint),
        Span::styled(status, style),
        Span::styled(MASK, theme.text),
        Span::styled(view.reference(&handle.reference), theme.faint),
    ])
}

/// The day since which its value is what it is.
fn made(view: &View<'_>, handle: &HandleRow) -> String {
    let at = view.model.dates.get(&handle.reference);
    at.map_or_else(|| NOT_KNOWN.to_owned(), |at| at.strftime("%F").to_string())
}

fn fits(open: &OpenHandle, columns: &Columns) -> bool {
    width(&open.text) + 6 <= columns.behind()
}

/// What the last probe says of a handle.
fn status(view: &View<'_>, entry: &ListedConnection, slot: &HandleSlot) -> (&'static str, Style) {
    let theme = view.theme;
    let (check, good) = match slot {
        HandleSlot::Key => (CheckId::Credentials, "in use"),
        HandleSlot::Token => (CheckId::Token, "matches"),
        HandleSlot::Added(_) => return ("kept", theme.faint),
    };
    let state = entry
        .verdict
        .as_ref()
        .map(|verdict| verdict.checks.get(check).state);
    match state.unwrap_or(State::Unknown) {
        State::Ok => (good, theme.ok),
        State::Warn => ("check", theme.warn),
        State::Down => ("down", theme.down),
        State::Unknown => ("unchecked", theme.faint),
    }
}

fn draw_empty(view: &View<'_>, body: Rect, buf: &mut Buffer) {
    let theme = view.theme;
    let mut words = vec![Span::styled("no key, no token", theme.faint)];
    if let Some(key) = super::key(view, Action::AddToken) {
        words.push(Span::styled(" · ", theme.faint));
        words.push(Span::styled(key, theme.key));
        words.push(Span::styled(" adds one", theme.faint));
    }
    put(buf, inset(row(body, 0), 1, 1), Line::from(words));
}

/// What stands at the right of the title.
pub(super) fn summary(view: &View<'_>, room: usize) -> String {
    match view.model.account_list() {
        Some(list) => account::summary(view, list, room),
        None => count(view).to_string(),
    }
}

/// How many handles there are.
fn count(view: &View<'_>) -> usize {
    view.entry()
        .map_or(0, |entry| handles::rows(&entry.connection).len())
}

/// The handle in the open, where the pane's row (`area`, if the pane is to be seen) can't show it whole.
pub(super) fn too_long(view: &View<'_>, area: Option<Rect>) -> Option<(String, OpenHandle)> {
    if !view.model.tokens.sheets.is_empty() {
        return None;
    }
    let revealed = view.model.open_handle()?;
    let open = reveal::opened(view.model, revealed)?;
    let slot = match &revealed.which {
        RevealedHandle::Token(id) => {
            let seen = area.is_some_and(|area| account::shows(&open, area));
            let title = format!("{} · {}", view.name(&revealed.name), view.id(id));
            return (!seen).then_some((title, open));
        }
        RevealedHandle::Held(slot) => slot,
    };
    let entry = view.model.entries.get(&revealed.name);
    let rows = entry
        .map(|entry| handles::rows(&entry.connection))
        .unwrap_or_default();
    let here = view
        .entry()
        .is_some_and(|entry| entry.connection.name == revealed.name);
    let at = rows.iter().position(|row| row.slot == *slot);
    let seen = area.is_some_and(|area| {
        let height = usize::from(area.height.saturating_sub(1));
        let selected = view.model.token_row.min(rows.len().saturating_sub(1));
        let offset = super::list::window(0, Some(selected), rows.len(), height);
        let row = at.is_some_and(|at| (offset..offset + height).contains(&at));
        row && fits(&open, &Columns::of(area.width.saturating_sub(1)))
    });
    if here && seen {
        return None;
    }
    let label = at
        .and_then(|at| rows.get(at))
        .map_or_else(String::new, |row| view.handle(row));
    Some((format!("{} · {label}", view.name(&revealed.name)), open))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_take_no_more_than_there_is() {
        for cells in 0..200 {
            let columns = Columns::of(cells);
            assert_eq!(
                columns.label + columns.behind(),
                usize::from(cells),
                "{cells}"
            );
            let least = if cells < 16 { 0 } else { 2 };
            assert!(columns.label >= least.min(usize::from(cells)), "{cells}");
        }
    }
}
