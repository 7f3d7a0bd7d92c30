//! The sheet of the shared token: whether there is one, where it is entered, whether both ends have the same.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::super::text::{clean, wrap};
use super::super::view::View;
use super::{lines, more, open_box, put_lines};
use crate::app::shared_token::{Check, SharedTokenSheet};
use crate::service::verify::VerifyStep;

/// Cells of its text at most.
const WIDEST: u16 = 76;

pub(super) fn draw(view: &View<'_>, sheet: &SharedTokenSheet, body: Rect, buf: &mut Buffer) {
    let width = room(body);
    let mut all = text(view, sheet, width);
    let title = format!("Shared token of {}", view.name(&sheet.name));
    let inside = open_box(view, body, (width, all.len()), &title, buf);
    let last = all.len().saturating_sub(usize::from(inside.height));
    let first = usize::from(sheet.scroll).min(last);
    put_lines(buf, inside, all.split_off(first));
    more(view, inside, (first, last - first), buf);
}

/// The line that it can begin with at most.
pub(super) fn last_line(view: &View<'_>, sheet: &SharedTokenSheet, body: Rect) -> usize {
    let lines = text(view, sheet, room(body)).len();
    lines.saturating_sub(usize::from(body.height.saturating_sub(2)))
}

/// Columns of its text.
fn room(body: Rect) -> usize {
    usize::from(body.width.saturating_sub(4).min(WIDEST))
}

fn text(view: &View<'_>, sheet: &SharedTokenSheet, width: usize) -> Vec<Line<'static>> {
    let theme = view.theme;
    let text = if sheet.is_set {
        "One secret for both sides; it is kept here, and never sent."
    } else {
        "One secret for both sides. None is kept here yet: g makes one."
    };
    let mut all = lines(text, width, theme.text);
    // It is here that it is pasted: which clipboard has it, and how sure that is.
    if let Some(copied) = &view.model.copied {
        let words = clean(&view.model.shown_sentence(&copied.words));
        all.extend(lines(&words, width, theme.notice));
    }
    all.push(Line::default());
    // Where the sheet is too low for all of it, what was asked for is in sight.
    if let Check::Made { rows, advice } = &sheet.check {
        all.extend(rows.iter().flat_map(|row| checked(view, row, width)));
        if !advice.is_empty() {
            all.extend(lines(&clean(advice), width, theme.text));
        }
        all.push(Line::default());
    }
    for (at, place) in sheet.places.iter().enumerate() {
        let number = format!("{}. ", at + 1);
        let room = width.saturating_sub(number.len());
        for (row, part) in wrap(&clean(place), room).into_iter().enumerate() {
            let head = if row == 0 {
                number.clone()
            } else {
                " ".repeat(number.len())
            };
            all.push(Line::from(vec![
                Span::styled(head, theme.faint),
                Span::styled(part, theme.text),
            ]));
        }
    }
    let (text, style) = match &sheet.check {
        Check::NotMade => (
            "Enter asks the CMS by a signed call whether it has the same.",
            theme.faint,
        ),
        Check::UnderWay => ("asking the CMS …", theme.probing),
        Check::Made { .. } => ("", theme.text),
    };
    if !text.is_empty() {
        all.push(Line::default());
        all.extend(lines(text, width, style));
    }
    all
}

/// One row of the check: glyph, word and colour, as every lamp.
fn checked(view: &View<'_>, row: &VerifyStep, width: usize) -> Vec<Line<'static>> {
    let style = view.theme.lamp(row.state);
    let lamp = format!("{} {:<8} ", row.state.glyph(), row.state.word());
    let label = format!("{:<12} ", row.label);
    let indent = lamp.chars().count() + label.len();
    let mut parts = wrap(&clean(&row.detail), width.saturating_sub(indent)).into_iter();
    let first = Line::from(vec![
        Span::styled(lamp, style),
        Span::styled(label, view.theme.text),
        Span::styled(parts.next().unwrap_or_default(), view.theme.faint),
    ]);
    let rest = parts.map(|part| {
        let part = format!("{:indent$}{part}", "");
        Line::from(Span::styled(part, view.theme.faint))
    });
    std::iter::once(first).chain(rest).collect()
}
