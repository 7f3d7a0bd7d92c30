//! The lines around panes, joined where one pane ends and the next begins, with the titles in them.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::text::{put, put_both, row};

/// Draws the outline of a box with a corner at each end.
pub(super) fn outline(buf: &mut Buffer, area: Rect, style: Style) {
    if area.width < 2 || area.height < 2 {
        return;
    }
    for y in area.top() + 1..area.bottom() - 1 {
        buf[(area.left(), y)].set_char('│').set_style(style);
        buf[(area.right() - 1, y)].set_char('│').set_style(style);
    }
    rule(buf, row(area, 0), ['┌', '┐'], style);
    rule(
        buf,
        row(area, usize::from(area.height) - 1),
        ['└', '┘'],
        style,
    );
}

/// Draws the line between two joined panes.
pub(super) fn divider(buf: &mut Buffer, line: Rect, style: Style) {
    rule(buf, line, ['├', '┤'], style);
}

fn rule(buf: &mut Buffer, line: Rect, ends: [char; 2], style: Style) {
    if line.width < 2 || line.is_empty() {
        return;
    }
    for x in line.left() + 1..line.right() - 1 {
        buf[(x, line.y)].set_char('─').set_style(style);
    }
    buf[(line.left(), line.y)]
        .set_char(ends[0])
        .set_style(style);
    buf[(line.right() - 1, line.y)]
        .set_char(ends[1])
        .set_style(style);
}

/// Cells of a title that are kept before what stands at the right end goes.
const LEAST_TITLE: usize = 10;

/// Writes a title into a border, and what belongs at its right end. Each gets a blank at either side.
pub(super) fn titles(buf: &mut Buffer, line: Rect, left: Line<'_>, right: Line<'_>) {
    let inside = super::text::inset(line, 1, 1);
    let (left, right) = (spaced(left), spaced(right));
    let room = usize::from(inside.width).saturating_sub(right.width() + 1);
    if right.width() > 0 && room >= left.width().min(LEAST_TITLE) {
        put_both(buf, inside, left, right);
    } else {
        put(buf, inside, left);
    }
}

fn spaced(mut line: Line<'_>) -> Line<'_> {
    if line.width() == 0 {
        return line;
    }
    line.spans.insert(0, Span::raw(" "));
    line.spans.push(Span::raw(" "));
    line
}
