//! The last row: what the keys do here at the left, what happened at the right.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::reveal::seconds_to;
use super::text::{cells, clean, inset, put, put_both};
use super::view::View;
use crate::app::hints;

/// Draws the row.
pub(super) fn draw(view: &View<'_>, area: Rect, buf: &mut Buffer) {
    let inside = inset(area, 1, 1);
    let right = happened(view);
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

/// As many hints as there is room for, none of them cut.
fn keys(view: &View<'_>, room: usize) -> Line<'static> {
    let theme = view.theme;
    let mut spans = Vec::new();
    let mut used = 0;
    for (key, hint) in hints::footer(view.model) {
        let hint = format!(" {hint}");
        let gap = if spans.is_empty() { 0 } else { 2 };
        let needed = gap + super::text::width(&key) + super::text::width(&hint);
        if used + needed > room {
            break;
        }
        spans.push(Span::raw(if gap > 0 { "  " } else { "" }));
        spans.push(Span::styled(key, theme.key));
        spans.push(Span::styled(hint, theme.hint));
        used += needed;
    }
    Line::from(spans)
}

/// A notice first, then what is in the clipboard.
fn happened(view: &View<'_>) -> Line<'static> {
    let (model, theme) = (view.model, view.theme);
    if let Some(notice) = &model.notice {
        let style = if notice.error {
            theme.error
        } else {
            theme.notice
        };
        return Line::from(Span::styled(
            clean(&model.shown_sentence(&notice.text)),
            style,
        ));
    }
    let Some(copied) = &model.copied else {
        return Line::default();
    };
    let clears = copied.clears_at.map_or_else(String::new, |at| {
        format!(", clears in {:>2} s", seconds_to(model, at))
    });
    let words = clean(&model.shown_sentence(&copied.words));
    // The clipboard's own words: they say "copied" only where that is known.
    Line::from(Span::styled(format!("{words}{clears}"), theme.notice))
}
