//! Draws the model. The view is a function of the model and the theme: nothing here is changed, and no clock
//! is read.
//!
//! ```text
//!  switchboard                                              ● 5 up   ▲ 2 check   ✖ 1 down     title_bar
//! ┌ Connections ──────── 8 ┐┌ shop · Blesta ───────────────────────────────────────────────┐
//! │ ✖ down    legacy    0  ││ URL       https://billing.example.com          ● service found │ form
//! │ ▲ check   staging  401 ││ …                                                              │
//! │▸● up      shop    42ms │├ Response ─────────────────────────────────────────────────────┤
//! │ ● up      eu      88ms ││ ● Successfully Connected       200 · 42 ms · Blesta 5.13.7     │ response
//! │   list                 │├ Tokens ─────────────────────────────────────────────────── 3 ┤
//! │                        ││ API key               basic   2026-03-02        in use  ••••  │ tokens
//! └────────────────────────┘└───────────────────────────────────────────────────────────────┘
//!  n new  e edit  r probe  v reveal  y copy  / find  : command  ? help           copied → …     footer
//! ```
//!
//! `layout` decides where each pane stands, `overlay` draws what lies over them. `reveal` is the one file that
//! reads secrets; every other text from outside passes `text::clean` on its way into a cell.

mod border;
mod colour;
mod footer;
mod form;
mod input;
mod layout;
mod list;
mod overlay;
mod response;
mod reveal;
mod text;
mod theme;
mod title_bar;
mod tokens;
mod view;
mod watching;
mod welcome;

use ratatui::Frame;
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::style::Style;
use ratatui::text::{Line, Span};

pub use colour::ColourDepth;
pub use theme::{Theme, ThemeError, ThemeName};

use crate::app::model::Pane;
use crate::app::{Action, Model};
use layout::{PaneBox, PanePlan, Panes};
use view::View;

/// Draws the whole screen, and sets the terminal's cursor where something is typed.
pub fn draw(model: &Model, theme: &Theme, frame: &mut Frame<'_>) {
    let view = View { model, theme };
    let area = frame.area();
    let buf = frame.buffer_mut();
    if theme.screen != Style::new() {
        buf.set_style(area, theme.screen);
    }
    let cursor = match layout::plan(area, model.focus, model.zoomed, view.form_size()) {
        PanePlan::Tiny(area) => {
            draw_tiny(&view, area, buf);
            None
        }
        PanePlan::Panes(panes) => draw_panes(&view, &panes, buf),
    };
    if let Some(position) = cursor {
        frame.set_cursor_position(position);
    }
}

/// Which pane is drawn at this cell of the terminal, and which of its rows: the first row shown of list and
/// response is 0, of the form the URL, of the tokens the first handle. What a click means.
pub fn pane_at(model: &Model, column: u16, row: u16) -> Option<(Pane, u16)> {
    let theme = Theme::default();
    let view = View {
        model,
        theme: &theme,
    };
    let (width, height) = model.size;
    let plan = layout::plan(
        Rect::new(0, 0, width, height),
        model.focus,
        model.zoomed,
        view.form_size(),
    );
    let PanePlan::Panes(panes) = plan else {
        return None;
    };
    if model.board.is_open() {
        let at = watching::row_at(model, &panes, column, row)?;
        return Some((Pane::List, at));
    }
    let all = panes.boxes.iter().flat_map(|one| &one.panes);
    let (pane, inside) = all
        .copied()
        .find(|(_, inside)| inside.contains(Position::new(column, row)))?;
    let at = row - inside.y;
    let at = match pane {
        Pane::List | Pane::Response => Some(at),
        Pane::Form => form::field_at(&view, inside, at),
        Pane::Tokens => at.checked_sub(1),
    };
    Some((pane, at?))
}

/// The line that what scrolls can begin with at most: what lies over the panes, else the response pane where that is
/// seen; nothing where neither scrolls.
pub fn last_line(model: &Model) -> Option<u16> {
    let theme = Theme::default();
    let view = View {
        model,
        theme: &theme,
    };
    let (width, height) = model.size;
    let area = Rect::new(0, 0, width, height);
    let PanePlan::Panes(panes) = layout::plan(area, model.focus, model.zoomed, view.form_size())
    else {
        return None;
    };
    let last = match &model.overlay {
        Some(overlay) => overlay::last_line(&view, overlay, panes.body)?,
        None if model.tokens.sheets.is_empty() && !model.board.is_open() => {
            let all = panes.boxes.iter().flat_map(|one| &one.panes);
            let (_, inside) = all.copied().find(|(pane, _)| *pane == Pane::Response)?;
            response::last_line(&view, inside)
        }
        None => return None,
    };
    Some(u16::try_from(last).unwrap_or(u16::MAX))
}

fn draw_panes(view: &View<'_>, panes: &Panes, buf: &mut Buffer) -> Option<Position> {
    if let Some(title) = panes.title {
        title_bar::draw(view, title, buf);
    }
    let is_table = view.model.board.is_open();
    let cursor = if is_table {
        watching::draw(view, panes, buf)
    } else {
        draw_boxes(view, panes, buf)
    };
    footer::draw(view, panes.footer, buf);
    let tokens = panes
        .boxes
        .iter()
        .flat_map(|one| &one.panes)
        .find(|(pane, _)| *pane == Pane::Tokens);
    let seen = tokens.filter(|_| !is_table).map(|(_, inside)| *inside);
    let sheet = tokens::draw_sheet(view, panes.body, buf);
    let over = overlay::draw(view, panes.body, seen, buf);
    if view.model.overlay.is_some() || !view.model.tokens.sheets.is_empty() {
        return over.or(sheet.filter(|_| view.model.overlay.is_none()));
    }
    over.or(cursor)
}

/// Cells of the upper line that show where the keys go: a title, and a little of the line behind it.
const LEAD: u16 = 18;

fn draw_boxes(view: &View<'_>, panes: &Panes, buf: &mut Buffer) -> Option<Position> {
    let mut cursor = None;
    for one in &panes.boxes {
        border::outline(buf, one.area, view.theme.border);
        for (_, inside) in one.panes.iter().skip(1) {
            border::divider(buf, above(one, *inside), view.theme.border);
        }
        for (pane, inside) in &one.panes {
            if view.focused(*pane) {
                // The beginning of its upper line: the whole ring would be a kilobyte whenever the keys go elsewhere,
                // and of a wide pane the line alone a quarter of one.
                let line = above(one, *inside);
                let width = line.width.min(LEAD);
                buf.set_style(Rect { width, ..line }, view.theme.border_focus);
            }
            let position = draw_pane(view, panes, one, (*pane, *inside), buf);
            cursor = cursor.or(position);
        }
    }
    cursor
}

fn draw_pane(
    view: &View<'_>,
    panes: &Panes,
    one: &PaneBox,
    (pane, inside): (Pane, Rect),
    buf: &mut Buffer,
) -> Option<Position> {
    let faint = view.theme.faint;
    let line = above(one, inside);
    let (cursor, title, right) = match pane {
        Pane::List => {
            list::draw(view, (panes.list, panes.single), inside, buf);
            let right = place(view, panes, pane, list::count(view));
            let rows = &view.model.list;
            let filtered = rows.filtering || !rows.filter.value().is_empty();
            let right = if filtered {
                marked(view, panes, right)
            } else {
                right
            };
            return list::draw_title(view, (line, panes), right, buf);
        }
        Pane::Form => {
            let cursor = form::draw(view, inside, buf);
            let right = hidden((0, form::hidden(view, inside)), faint);
            let room = title_room(view, panes, line, right.width());
            (cursor, form::title(view, panes.single, room), right)
        }
        Pane::Response => {
            let (above, below) = response::draw(view, inside, buf);
            // What is still to come matters more where only one has room.
            let above = if inside.width < 45 && below > 0 {
                0
            } else {
                above
            };
            let mut right = hidden((above, below), faint);
            let typing = view.model.visible_form().is_some() && view.focused(Pane::Form);
            let key = view.model.keymap.field_key(Action::ResponseDown);
            if let Some(key) = key.filter(|_| typing && inside.width >= 45 && above + below > 0) {
                right
                    .spans
                    .insert(0, Span::styled(format!("{key} "), view.theme.key));
            }
            (None, lower_title(view, panes, pane), right)
        }
        Pane::Tokens => {
            let cursor = tokens::draw(view, inside, buf);
            let title = lower_title(view, panes, pane);
            // The pane's name and its position are never what is cut.
            let room = title_room(view, panes, line, title.width());
            let count = tokens::summary(view, room);
            (cursor, title, Line::from(Span::styled(count, faint)))
        }
    };
    let title = marked(view, panes, title);
    border::titles(buf, line, title, place(view, panes, pane, right));
    cursor
}

/// Cells that a title has beside `taken` at the other end of its line.
fn title_room(view: &View<'_>, panes: &Panes, line: Rect, taken: usize) -> usize {
    let mark = marked(view, panes, Line::default()).width();
    // Borders, a blank at either side of both, one between them; and the position.
    let further = if panes.single { 13 } else { 7 };
    usize::from(line.width).saturating_sub(taken + mark + further)
}

/// `title` behind what is unusual, where there is no row above that says it.
fn marked(view: &View<'_>, panes: &Panes, title: Line<'static>) -> Line<'static> {
    let mark = title_bar::gravest(view).filter(|_| panes.title.is_none());
    match mark {
        None => title,
        Some(mark) => {
            let mut spans = vec![mark, Span::raw(" ")];
            spans.extend(title.spans);
            Line::from(spans)
        }
    }
}

/// The title of Response or Tokens; where both share one place, the other's name stands beside.
fn lower_title(view: &View<'_>, panes: &Panes, pane: Pane) -> Line<'static> {
    let own = Span::styled(name(pane), title_style(view, pane));
    if !panes.shared {
        return Line::from(own);
    }
    let divide = Span::styled(" │ ", view.theme.border);
    let other = |pane| Span::styled(name(pane), view.theme.faint);
    Line::from(match pane {
        Pane::Tokens => vec![other(Pane::Response), divide, own],
        Pane::List | Pane::Form | Pane::Response => vec![own, divide, other(Pane::Tokens)],
    })
}

/// Where one pane fills the screen, its title says which of how many it is.
fn place(view: &View<'_>, panes: &Panes, pane: Pane, mut right: Line<'static>) -> Line<'static> {
    if panes.single {
        let place = Pane::ALL.iter().position(|one| *one == pane).unwrap_or(0) + 1;
        let gap = if right.width() > 0 { " · " } else { "" };
        let position = format!("{gap}{place}/{}", Pane::ALL.len());
        right.push_span(Span::styled(position, view.theme.faint));
    }
    right
}

const fn name(pane: Pane) -> &'static str {
    match pane {
        Pane::List => "Connections",
        Pane::Form => "Form",
        Pane::Response => "Response",
        Pane::Tokens => "Tokens",
    }
}

fn title_style(view: &View<'_>, pane: Pane) -> Style {
    if view.focused(pane) {
        view.theme.title_focus
    } else {
        view.theme.title
    }
}

/// The key of `action` as it is where the keys go now.
fn key(view: &View<'_>, action: Action) -> Option<String> {
    let typing = view.model.visible_form().is_some() && view.model.focus == Pane::Form;
    if typing {
        view.model.keymap.field_key(action)
    } else {
        view.model.keymap.list_key(action)
    }
}

/// How many lines of a pane are hidden above and below, for the right of its title.
fn hidden((above, below): (usize, usize), style: Style) -> Line<'static> {
    let text = match (above, below) {
        (0, 0) => return Line::default(),
        (0, below) => format!("↓ {below} more"),
        (above, 0) => format!("↑ {above} more"),
        (above, below) => format!("↑ {above} ↓ {below} more"),
    };
    Line::from(Span::styled(text, style))
}

/// The border row above a pane.
fn above(one: &PaneBox, inside: Rect) -> Rect {
    Rect {
        y: inside.y.saturating_sub(1),
        height: 1,
        ..one.area
    }
}

fn draw_tiny(view: &View<'_>, area: Rect, buf: &mut Buffer) {
    let (columns, rows) = crate::app::screen::LEAST;
    let words = [
        format!("switchboard needs {columns}×{rows}"),
        format!("needs {columns}×{rows}"),
        format!("{columns}×{rows}"),
    ];
    let fitting = words
        .iter()
        .find(|words| text::width(words) <= usize::from(area.width));
    let line = fitting.cloned().unwrap_or_else(|| "…".to_owned());
    text::put(
        buf,
        text::row(area, 0),
        Line::from(Span::styled(line, view.theme.text)),
    );
}
