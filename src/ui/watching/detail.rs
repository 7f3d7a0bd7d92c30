//! The detail of one connection: how it is, its latencies and states over time, what changed.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::super::border;
use super::super::text::{first_that_fits, inset, put, row, wrap_line};
use super::super::view::{View, lamp};
use super::{milliseconds, percent, plot, rows_of, styled, table};
use crate::app::model::ListedConnection;
use crate::domain::Name;
use crate::domain::history::Event;
use crate::domain::plot::{Plot, PlotSpan, brief};

/// Draws it into the frame `body`.
pub(super) fn draw(view: &View<'_>, name: &Name, body: Rect, buf: &mut Buffer) {
    let model = view.model;
    let Some(entry) = model.entries.get(name) else {
        return;
    };
    let service = view.service(&entry.connection.service);
    let title = Line::from(vec![
        Span::styled(view.name(name), view.theme.title_focus),
        Span::styled(format!(" · {service}"), view.theme.faint),
    ]);
    border::titles(buf, row(body, 0), title, spans_of(view, model.board.span));
    let inside = Rect {
        y: body.y + 1,
        height: body.height.saturating_sub(2),
        ..inset(body, 2, 2)
    };
    let plot = model.board.plot.as_ref().filter(|(of, _)| of == name);
    let plot = plot.map(|(_, plot)| plot);
    let room = usize::from(inside.width);
    let head = head(view, name, entry, (plot, room));
    let height = rows_of(head.len()).min(inside.height);
    for (at, line) in head.into_iter().enumerate() {
        put(buf, row(inside, at), line);
    }
    let rest = below(inside, height);
    let drawn = (rest.height / 2).clamp(0, 16);
    let drawn = if rest.height < 8 { rest.height } else { drawn };
    if let Some(plot) = plot {
        plot::draw(
            view,
            plot,
            Rect {
                height: drawn,
                ..rest
            },
            buf,
        );
    } else {
        put(buf, row(rest, 0), styled("reading …", view.theme.faint));
    }
    draw_changes(view, (entry, plot), below(rest, drawn + 1), body, buf);
}

/// Draws what changed, as far as there is room; how much is hidden stands in the frame.
fn draw_changes(
    view: &View<'_>,
    (entry, plot): (&ListedConnection, Option<&Plot>),
    room: Rect,
    body: Rect,
    buf: &mut Buffer,
) {
    let lines = changes(view, entry, plot).into_iter();
    let lines: Vec<_> = lines
        .flat_map(|line| wrap_line(line, room.width.into()))
        .collect();
    let skipped = usize::from(view.model.board.scroll).min(lines.len().saturating_sub(1));
    let hidden = lines
        .len()
        .saturating_sub(skipped + usize::from(room.height));
    for (at, line) in lines
        .into_iter()
        .skip(skipped)
        .take(room.height.into())
        .enumerate()
    {
        put(buf, row(room, at), line);
    }
    if hidden > 0 {
        let bottom = Rect {
            y: body.bottom().saturating_sub(1),
            height: 1,
            ..body
        };
        let more = styled(format!("↓ {hidden} more"), view.theme.faint);
        border::titles(buf, bottom, Line::default(), more);
    }
}

fn below(area: Rect, rows: u16) -> Rect {
    let rows = rows.min(area.height);
    Rect {
        y: area.y + rows,
        height: area.height - rows,
        ..area
    }
}

/// The spans, the one that is drawn told apart without colours too.
fn spans_of(view: &View<'_>, drawn: PlotSpan) -> Line<'static> {
    let words = PlotSpan::ALL.map(|span| {
        if span == drawn {
            Span::styled(format!("[{}]", span.word()), view.theme.strong)
        } else {
            Span::styled(format!(" {} ", span.word()), view.theme.faint)
        }
    });
    Line::from(words.to_vec())
}

fn head(
    view: &View<'_>,
    name: &Name,
    entry: &ListedConnection,
    (plot, room): (Option<&Plot>, usize),
) -> Vec<Line<'static>> {
    let theme = view.theme;
    let (glyph, word) = lamp(theme, entry);
    let style = glyph.style;
    let mut first = vec![glyph, Span::styled(format!(" {word}"), style)];
    let mut facts = String::new();
    if let Some(verdict) = &entry.verdict {
        let title = if view.model.war_room {
            verdict.reason.title().to_owned()
        } else {
            view.line(&verdict.title)
        };
        first.push(Span::styled(format!("  {title}"), theme.strong));
        let total = milliseconds(verdict.phases.total);
        facts = format!("  {} · {total}", verdict.status);
    }
    let since = format!(" · since {}", table::since(view, entry));
    let used: usize = first.iter().map(Span::width).sum();
    let whole = format!("{facts}{since}");
    let shown = first_that_fits([&whole, &since], room.saturating_sub(used));
    first.push(Span::styled(shown.to_owned(), theme.faint));
    let mut lines = vec![Line::from(first)];
    if let Some(until) = view.model.board.maintained_until(entry, view.model.now) {
        let until = until.strftime("%b %d %H:%M UTC");
        let short = format!("◇ maintenance until {until}: nothing announced");
        let long = format!(
            "◇ maintenance until {until}: nothing is announced, and availability leaves it out"
        );
        let text = first_that_fits([&long, &short], room);
        lines.push(styled(text.to_owned(), theme.probing));
    }
    if entry.connection.paused {
        lines.push(styled("‖ left out of watching", theme.unknown));
    }
    let history = view.model.board.pasts.get(name).map(|past| &past.history);
    let availability = history
        .map(|history| history.availability)
        .unwrap_or_default();
    let counted = format!(
        "available  1 h {}   24 h {}   30 d {}",
        percent(availability.hour),
        percent(availability.day),
        percent(availability.month)
    );
    let latency = plot.and_then(|plot| plot.latency.map(|latency| (plot.span, latency)));
    if let Some((span, latency)) = latency {
        let [p50, p95, max] =
            [latency.p50, latency.p95, latency.max].map(|time| milliseconds(Some(time)));
        let span = span.word();
        let long = format!("{counted}     {span}: p50 {p50}  p95 {p95}  max {max}");
        let short = format!("{counted}   p50 {p50}  p95 {p95}");
        let text = first_that_fits([&long, &short, &counted], room);
        lines.push(styled(text.to_owned(), theme.text));
    } else {
        lines.push(styled(counted, theme.text));
    }
    lines
}

/// What changed since it last worked, then the events, the newest first.
fn changes(view: &View<'_>, entry: &ListedConnection, plot: Option<&Plot>) -> Vec<Line<'static>> {
    let theme = view.theme;
    let mut lines = Vec::new();
    let changed = entry
        .verdict
        .iter()
        .flat_map(|verdict| &verdict.changed_since_last_good);
    let changed: Vec<_> = changed.collect();
    if !changed.is_empty() {
        lines.push(styled("Changed since it last worked", theme.title));
        for line in changed {
            lines.push(styled(format!("  {}", view.line(line)), theme.text));
        }
        lines.push(Line::default());
    }
    let Some(plot) = plot else {
        return lines;
    };
    let heading = format!("Events in {}", plot.span.word());
    lines.push(styled(heading, theme.title));
    if plot.events.is_empty() {
        lines.push(styled("  none", theme.faint));
    }
    lines.extend(
        plot.events
            .iter()
            .rev()
            .map(|event| event_line(view, event)),
    );
    lines
}

fn event_line(view: &View<'_>, event: &Event) -> Line<'static> {
    let theme = view.theme;
    let state = event.reason.state();
    let at = event.at.strftime("  %Y-%m-%d %H:%M:%S  ").to_string();
    let lasted = match event.lasted {
        Some(lasted) => format!("for {:>4}  ", brief(lasted)),
        None => "until now ".to_owned(),
    };
    // As the table has it: "500 Server error".
    let title = event.reason.title();
    let (title, status) = match event.status {
        0 => (title.to_owned(), String::new()),
        status if title.contains("5xx") => {
            (title.replace("5xx", &status.to_string()), String::new())
        }
        status => (title.to_owned(), format!("  {status}")),
    };
    Line::from(vec![
        Span::styled(at, theme.faint),
        Span::styled(
            format!("{} {:8}", state.glyph(), state.word()),
            theme.lamp(state),
        ),
        Span::styled(lasted, theme.text),
        Span::styled(title, theme.text),
        Span::styled(status, theme.faint),
    ])
}
