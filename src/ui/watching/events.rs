//! Events: the newest below the table, all of them over the screen.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::super::border;
use super::super::overlay::open_box;
use super::super::text::{clean, inset, put, row};
use super::super::view::View;
use super::styled;
use crate::app::watching::BoardEvent;
use crate::app::watching::events::EventKind;

/// Draws the newest events, the newest first, with their heading.
pub(super) fn draw_below(view: &View<'_>, area: Rect, buf: &mut Buffer) {
    let heading = Line::from(Span::styled("Events · UTC", view.theme.title));
    let count = styled(view.model.board.events.len().to_string(), view.theme.faint);
    border::titles(buf, row(area, 0), heading, count);
    let inside = Rect {
        y: area.y + 1,
        height: area.height.saturating_sub(1),
        ..inset(area, 2, 1)
    };
    draw_newest(view, 0, inside, buf);
}

fn draw_newest(view: &View<'_>, skipped: usize, area: Rect, buf: &mut Buffer) {
    let events = &view.model.board.events;
    if events.is_empty() {
        let quiet = "nothing was announced since the start";
        return put(buf, row(area, 0), styled(quiet, view.theme.faint));
    }
    let newest = events.iter().rev().skip(skipped);
    for (at, event) in newest.take(usize::from(area.height)).enumerate() {
        put(buf, row(area, at), line(view, event, area.width < NARROW));
    }
}

/// Draws all events over `body`.
pub(super) fn draw_all(view: &View<'_>, scroll: usize, body: Rect, buf: &mut Buffer) {
    let events = &view.model.board.events;
    let room = usize::from(body.height.saturating_sub(2));
    let width = usize::from(body.width.saturating_sub(4)).min(110);
    let inside = open_box(
        view,
        body,
        (width, events.len().clamp(1, room)),
        "Events · UTC",
        buf,
    );
    let last = events.len().saturating_sub(usize::from(inside.height));
    draw_newest(view, scroll.min(last), inside, buf);
}

/// Cells below which an event says when, what and why in as few as it can: the reason is what it is looked at for.
const NARROW: u16 = 56;

fn line(view: &View<'_>, event: &BoardEvent, is_narrow: bool) -> Line<'static> {
    let theme = view.theme;
    let form = if is_narrow {
        "%H:%M "
    } else {
        "%m-%d %H:%M:%S "
    };
    let at = event.at.strftime(form).to_string();
    let mut spans = vec![Span::styled(at, theme.faint)];
    match &event.what {
        EventKind::Change {
            name,
            from,
            to,
            reason,
            title,
        } => {
            let lamp = if is_narrow {
                format!("{} ", to.glyph())
            } else {
                format!("{} {:8}", to.glyph(), to.word())
            };
            spans.push(Span::styled(lamp, theme.lamp(*to)));
            spans.push(Span::styled(view.name(name), theme.text));
            let was = from.filter(|_| !is_narrow);
            let was = was.map_or_else(String::new, |from| format!(", was {}", from.word()));
            // As in the table: only the war-room would tell more by the service's own words.
            let title = if view.model.war_room {
                reason.title().to_owned()
            } else {
                clean(title)
            };
            let why = format!("{was} · {title}");
            spans.push(Span::styled(why, theme.faint));
        }
        EventKind::Offline => spans.push(Span::styled("this machine is offline", theme.warn)),
        EventKind::Online => spans.push(Span::styled("this machine is online again", theme.text)),
    }
    Line::from(spans)
}
