//! The last row: what the keys do here at the left, what happened at the right. A sentence says at its end why and
//! what to do: where it is longer than the row, it takes rows above it too.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::reveal::seconds_to;
use super::text::{blank, cells, clean, cut, inset, put, put_both, row, wrap};
use super::view::View;
use crate::app::hints;

/// Cells between two hints.
const GAP: usize = 2;
/// Rows that a sentence may take.
const MOST: u16 = 4;

/// Draws the row.
pub(super) fn draw(view: &View<'_>, area: Rect, buf: &mut Buffer) {
    let inside = inset(area, 1, 1);
    let right = happened(view, usize::from(inside.width));
    if view.model.notice.is_some() && right.width() > usize::from(inside.width) {
        draw_whole(view, &right, area, buf);
        return;
    }
    let taken = cells(right.width());
    let room = inside
        .width
        .saturating_sub(taken + if taken > 0 { 3 } else { 0 });
    let left = keys(view, usize::from(room));
    if left.width() == 0 {
        put(buf, inside, right);
    } else {
        put_both(buf, inside, left, right);
    }
}

/// Draws a sentence that is longer than the row, over as much as a third of the screen.
fn draw_whole(view: &View<'_>, sentence: &Line<'_>, area: Rect, buf: &mut Buffer) {
    let room = usize::from(inset(area, 1, 1).width);
    let style = sentence
        .spans
        .first()
        .map_or(view.theme.notice, |span| span.style);
    let lines = wrap(&sentence.to_string(), room);
    let rows = cells(lines.len()).min(MOST).min(area.bottom() / 3).max(1);
    let over = Rect {
        y: area.bottom().saturating_sub(rows),
        height: rows,
        ..area
    };
    blank(buf, over, view.theme.screen);
    let (shown, rest) = lines.split_at(usize::from(rows).min(lines.len()));
    for (at, line) in shown.iter().enumerate() {
        let is_cut = at + 1 == shown.len() && !rest.is_empty();
        let line = if is_cut {
            cut(&format!("{line} {}", rest.join(" ")), room)
        } else {
            line.clone()
        };
        let line = Span::styled(line, style);
        put(buf, row(inset(over, 1, 1), at), Line::from(line));
    }
}

/// As many hints as there is room for, none of them cut. The help, which names all others, is the last to go.
fn keys(view: &View<'_>, room: usize) -> Line<'static> {
    let theme = view.theme;
    let width =
        |(key, hint): &(String, &str)| super::text::width(key) + 1 + super::text::width(hint);
    let mut all = hints::footer(view.model);
    let whole: usize = all.iter().map(|hint| width(hint) + GAP).sum();
    let help = all.iter().position(|(_, word)| *word == "help");
    let help = help
        .filter(|at| whole > room + GAP && all.get(*at).is_some_and(|help| width(help) <= room))
        .map(|at| all.remove(at));
    let mut used = help.as_ref().map_or(0, |help| width(help) + GAP);
    let mut fitting = Vec::new();
    for hint in all {
        if used + width(&hint) > room {
            break;
        }
        used += width(&hint) + GAP;
        fitting.push(hint);
    }
    fitting.extend(help);
    let mut spans = Vec::new();
    for (key, hint) in fitting {
        let hint = format!(" {hint}");
        spans.push(Span::raw(if spans.is_empty() { "" } else { "  " }));
        spans.push(Span::styled(key, theme.key));
        spans.push(Span::styled(hint, theme.hint));
    }
    Line::from(spans)
}

/// A notice first, then what is in the clipboard: where it is to be cut, not its countdown. A dialog needs its keys, and
/// leaves room for the countdown alone.
fn happened(view: &View<'_>, room: usize) -> Line<'static> {
    let (model, theme) = (view.model, view.theme);
    if let Some(notice) = &model.notice {
        let style = if notice.error {
            theme.error
        } else {
            theme.notice
        };
        return Line::from(Span::styled(clean(&model.shown_notice(notice)), style));
    }
    let Some(copied) = &model.copied else {
        return Line::default();
    };
    let clears = copied
        .clears_at
        .map(|at| format!("clears in {:>2} s", seconds_to(model, at)));
    let words = clean(&model.shown_sentence(&copied.words));
    // The clipboard's own words: they say "copied" only where that is known.
    let text = match clears {
        None => words,
        Some(clears) if model.overlay.is_some() => format!("the copy {clears}"),
        Some(clears) => {
            let room = room.saturating_sub(clears.len() + 2);
            format!("{}, {clears}", cut(&words, room))
        }
    };
    Line::from(Span::styled(text, theme.notice))
}
