//! Sheets over the panes: a box with fixed lines above and below, and lines between them that scroll.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use tui_input::Input;

use super::super::overlay::{more, open_box, put_lines};
use super::super::reveal::OpenHandle;
use super::super::text::{clean, divide, inset, pad, row, wrap};
use super::super::view::View;
use super::super::{input, text};
use super::{details, horizon, renewal, wizard};
use crate::app::tokens::{TokenSheet, Trouble, TroubleKind};

/// Cells of a name before its value.
pub(super) const NAMES: usize = 14;
/// Cells behind a handle in the open that its seconds take.
const SECONDS: usize = 6;
/// Cells of a sheet's text at most.
const WIDEST: usize = 92;

/// A sheet as it is drawn.
#[derive(Default)]
pub(super) struct SheetPage {
    pub title: String,
    /// Always shown.
    pub above: Vec<Line<'static>>,
    /// Scrolls.
    pub body: Vec<Line<'static>>,
    /// First line of the body that is shown, or the one that must be in sight.
    pub scroll: Scroll,
    /// Always shown.
    pub below: Vec<Line<'static>>,
    /// The line of the body with a cursor.
    pub typed: Option<TypedLine>,
    /// The line above the body with one.
    pub typed_above: Option<TypedLine>,
    /// The body takes all the height there is: so that nothing jumps while it changes.
    pub tall: bool,
}

/// A line that is typed in.
pub(super) struct TypedLine {
    /// Its index among the lines where it stands.
    pub at: usize,
    /// What was typed.
    pub input: Input,
    /// Cells before that.
    pub indent: usize,
}

impl TypedLine {
    /// One that [`line_to_type`] has drawn.
    pub(super) fn named(at: usize, input: &Input) -> Self {
        Self {
            at,
            input: input.clone(),
            indent: NAMES + 2,
        }
    }

    fn draw(&self, area: Rect, style: Style, buf: &mut Buffer) -> Option<Position> {
        input::draw(
            &self.input,
            inset(area, text::cells(self.indent), 0),
            style,
            buf,
        )
    }
}

/// How a body is scrolled.
#[derive(Clone, Copy)]
pub(super) enum Scroll {
    /// This line is first.
    From(usize),
    /// This line is in sight.
    Around(usize),
}

impl Default for Scroll {
    fn default() -> Self {
        Self::From(0)
    }
}

/// Draws the sheet on top, if there is one; returns its cursor.
pub(in crate::ui) fn draw(view: &View<'_>, body: Rect, buf: &mut Buffer) -> Option<Position> {
    let sheet = view.model.tokens.sheet()?;
    let room = usize::from(body.width.saturating_sub(4)).min(WIDEST);
    let page = match sheet {
        TokenSheet::Details(sheet) => details::page(view, sheet, room),
        TokenSheet::Wizard(sheet) => wizard::page(view, sheet, room),
        TokenSheet::Confirm(sheet) => renewal::confirm(view, sheet, room),
        TokenSheet::Renewal(sheet) => renewal::page(view, sheet, room),
        TokenSheet::Unfinished(sheet) => renewal::unfinished(view, sheet, room),
        TokenSheet::ExpiryHorizon(sheet) => horizon::page(view, sheet, room),
    };
    show(view, page, (body, room), buf)
}

fn show(
    view: &View<'_>,
    mut page: SheetPage,
    (body, room): (Rect, usize),
    buf: &mut Buffer,
) -> Option<Position> {
    let wanted = page.above.len() + page.body.len() + page.below.len();
    let height = if page.tall {
        usize::from(body.height.saturating_sub(2)).min(wanted.max(20))
    } else {
        wanted
    };
    let inside = open_box(view, body, (room, height), &page.title, buf);
    let all = usize::from(inside.height);
    // Where the box is too low for all, half of it is the body's, which holds what is chosen and typed; then what
    // stands above it goes before what stands below.
    let kept = page.body.len().min(all.div_ceil(2));
    let typed_above = page.typed_above.as_ref().map_or(0, |line| line.at + 1);
    let above = page.above.len().min((all - kept).max(typed_above));
    let below = page.below.len().min(all.saturating_sub(above + kept));
    let between = all.saturating_sub(above + below);
    let last = page.body.len().saturating_sub(between);
    let mut first = match page.scroll {
        Scroll::From(line) => line.min(last),
        Scroll::Around(line) => (line + 1).saturating_sub(between).min(last),
    };
    if let Some(line) = &page.typed {
        first = first.clamp((line.at + 1).saturating_sub(between.max(1)), line.at);
    }
    let middle = Rect {
        y: inside.y + text::cells(above),
        height: text::cells(between),
        ..inside
    };
    page.above.truncate(above);
    put_lines(buf, inside, page.above);
    let hidden = page.body.len().saturating_sub(first + between);
    let body_lines: Vec<_> = page.body.into_iter().skip(first).take(between).collect();
    put_lines(buf, middle, body_lines);
    let mut foot = page.below;
    foot.truncate(below);
    put_lines(
        buf,
        Rect {
            y: middle.bottom(),
            height: text::cells(below),
            ..inside
        },
        foot,
    );
    more(view, inside, (first, hidden), buf);
    let style = view.theme.input;
    if let Some(line) = page.typed_above {
        return line.draw(row(inside, line.at), style, buf);
    }
    let line = page.typed?;
    let at = line.at.checked_sub(first).filter(|at| *at < between)?;
    line.draw(row(middle, at), style, buf)
}

/// A name with its value, the value on as many lines as it needs.
pub(super) fn named(
    view: &View<'_>,
    name: &str,
    value: &str,
    style: Style,
    room: usize,
) -> Vec<Line<'static>> {
    let mut name = name;
    wrap(value, room.saturating_sub(NAMES).max(1))
        .into_iter()
        .map(|part| {
            Line::from(vec![
                Span::styled(pad(std::mem::take(&mut name), NAMES), view.theme.faint),
                Span::styled(part, style),
            ])
        })
        .collect()
}

/// A handle in the open, whole: divided where the line ends, with nothing put in between; behind it the seconds
/// until it is hidden.
pub(super) fn opened(
    view: &View<'_>,
    name: &str,
    open: &OpenHandle,
    room: usize,
) -> Vec<Line<'static>> {
    let theme = view.theme;
    let mut pieces = Vec::new();
    let cells = room.saturating_sub(NAMES + SECONDS).max(1);
    let rest = divide(&open.text, cells, &mut pieces);
    pieces.push(rest);
    let mut name = name;
    let mut lines: Vec<Line<'static>> = pieces
        .into_iter()
        .map(|piece| {
            Line::from(vec![
                Span::styled(pad(std::mem::take(&mut name), NAMES), theme.faint),
                Span::styled(piece, theme.revealed),
            ])
        })
        .collect();
    if let Some(last) = lines.last_mut() {
        let seconds = format!("  {:>2} s", open.seconds);
        last.push_span(Span::styled(seconds, theme.faint));
    }
    lines
}

/// A line to type in, its marker and its name; the text itself is drawn by [`show`] where the cursor is in it.
pub(super) fn line_to_type(
    view: &View<'_>,
    name: &str,
    input: &Input,
    focused: bool,
) -> Line<'static> {
    let theme = view.theme;
    let marker = if focused { "▸ " } else { "  " };
    Line::from(vec![
        Span::styled(marker, theme.marker),
        Span::styled(pad(name, NAMES), theme.faint),
        Span::styled(
            if focused {
                String::new()
            } else {
                clean(input.value())
            },
            theme.text,
        ),
    ])
}

/// Words on as many lines as they need.
pub(super) fn words(text: &str, style: Style, room: usize) -> Vec<Line<'static>> {
    wrap(text, room.max(1))
        .into_iter()
        .map(|line| Line::from(Span::styled(line, style)))
        .collect()
}

/// Why something did not come: what it is, the service's own words, and the key that tries again.
pub(super) fn trouble(view: &View<'_>, trouble: &Trouble, room: usize) -> Vec<Line<'static>> {
    let theme = view.theme;
    let mut lines = Vec::new();
    let headline = trouble.kind.headline();
    // One sentence need not be said twice.
    if trouble.kind != TroubleKind::Other && !trouble.text.contains(&headline) {
        lines.extend(words(&headline, theme.error, room));
    }
    let sentence = view.failure(&trouble.text);
    let style = if lines.is_empty() {
        theme.error
    } else {
        theme.faint
    };
    lines.extend(words(&sentence, style, room));
    lines
}
