//! The table's rows. Only those that are seen are built.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::super::list::{draw_empty, window};
use super::super::text::{clean, cut_name, pad, put, width};
use super::super::view::{View, sign};
use super::columns::{Column, Columns};
use super::{milliseconds, percent, row, strip, styled};
use crate::app::model::ListedConnection;
use crate::app::watching::TableRow;
use crate::app::watching::board::Past;
use crate::domain::plot::brief;
use crate::domain::{Name, State};

/// The rows without their head.
pub(super) fn rows(area: Rect) -> Rect {
    let head = 1.min(area.height);
    Rect {
        y: area.y + head,
        height: area.height - head,
        ..area
    }
}

/// Draws head and rows.
pub(super) fn draw(view: &View<'_>, area: Rect, buf: &mut Buffer) {
    let model = view.model;
    let columns = Columns::of(area.width);
    put(buf, row(area, 0), head(view, &columns));
    let rows = rows(area);
    if model.list.visible.is_empty() {
        return draw_empty(view, rows, buf);
    }
    let height = usize::from(rows.height);
    let cursor = model.table_cursor();
    let offset = window(model.table_offset(), cursor, model.table_len(), height);
    for at in 0..height {
        let chosen = Some(offset + at) == cursor;
        let line = match model.table_name(offset + at) {
            Some(name) => model
                .entries
                .get(name)
                .map(|entry| connection(view, &columns, (name, entry, chosen))),
            None => heading(view, offset + at, chosen),
        };
        if let Some(line) = line {
            put(buf, row(rows, at), line);
        }
    }
}

fn head(view: &View<'_>, columns: &Columns) -> Line<'static> {
    let mut text = "   ".to_owned();
    let word = columns
        .between
        .first()
        .filter(|(column, _)| *column == Column::Word);
    if let Some((_, width)) = word {
        text.push_str(&" ".repeat(usize::from(*width)));
    }
    text.push_str(&pad("NAME", columns.name.into()));
    for (column, width) in columns
        .between
        .iter()
        .filter(|(column, _)| *column != Column::Word)
    {
        text.push_str(&aligned(column.title(), *column, (*width).into()));
    }
    text.push_str("REASON");
    styled(text, view.theme.faint)
}

/// Numbers stand at the right of their column, a blank behind them.
fn aligned(text: &str, column: Column, cells: usize) -> String {
    match column {
        Column::Word | Column::Strip => pad(text, cells),
        _ => {
            let room = cells.saturating_sub(1);
            let blanks = room.saturating_sub(width(text));
            pad(&format!("{}{text}", " ".repeat(blanks)), cells)
        }
    }
}

fn connection(
    view: &View<'_>,
    columns: &Columns,
    (name, entry, chosen): (&Name, &ListedConnection, bool),
) -> Line<'static> {
    let theme = view.theme;
    let marker = if chosen { "▸" } else { " " };
    let (glyph, word) = sign(view, entry);
    let lamp_style = glyph.style;
    let mut spans = vec![Span::styled(marker, theme.marker), glyph, Span::raw(" ")];
    if let Some((Column::Word, width)) = columns.between.first() {
        spans.push(Span::styled(pad(word, (*width).into()), lamp_style));
    }
    // Two blanks at least before what follows.
    let room = usize::from(columns.name);
    let shown = pad(&cut_name(&view.name(name), room.saturating_sub(1)), room);
    spans.push(Span::styled(shown, theme.text));
    let past = view.model.board.pasts.get(name);
    for (column, width) in &columns.between {
        cell(view, (entry, past), (*column, (*width).into()), &mut spans);
    }
    spans.push(reason(view, entry));
    Line::from(spans)
}

fn cell(
    view: &View<'_>,
    (entry, past): (&ListedConnection, Option<&Past>),
    (column, cells): (Column, usize),
    spans: &mut Vec<Span<'static>>,
) {
    let theme = view.theme;
    let history = past.map(|past| &past.history);
    let latency = history.and_then(|history| history.latency);
    let share = |of: fn(&crate::domain::history::Availability) -> Option<f64>| {
        let share = history.and_then(|history| of(&history.availability));
        (percent(share), share_style(view, share))
    };
    let (text, style) = match column {
        Column::Word => return,
        Column::Strip => {
            spans.extend(strip(theme, &entry.strip, cells.saturating_sub(1)));
            spans.push(Span::raw(" "));
            return;
        }
        Column::Status => {
            let verdict = entry.verdict.as_ref();
            // Nobody was asked: there is no status, not even that nobody answered.
            let asked =
                verdict.filter(|verdict| verdict.status != 0 || verdict.state() != State::Unknown);
            let text = asked.map_or_else(|| "–".to_owned(), |asked| asked.status.to_string());
            (text, theme.faint)
        }
        Column::Now => {
            let took = entry
                .verdict
                .as_ref()
                .and_then(|verdict| verdict.phases.total);
            (milliseconds(took), theme.text)
        }
        Column::P50 => (milliseconds(latency.map(|l| l.p50)), theme.faint),
        Column::P95 => (milliseconds(latency.map(|l| l.p95)), theme.faint),
        Column::Hour => share(|availability| availability.hour),
        Column::Day => share(|availability| availability.day),
        Column::Month => share(|availability| availability.month),
        Column::Since => (since(view, entry), theme.faint),
    };
    spans.push(Span::styled(aligned(&text, column, cells), style));
}

/// What is below 99 % is worth a look.
fn share_style(view: &View<'_>, share: Option<f64>) -> Style {
    match share {
        Some(share) if share < 0.9 => view.theme.down,
        Some(share) if share < 0.99 => view.theme.warn,
        Some(_) => view.theme.text,
        None => view.theme.faint,
    }
}

/// How long it has been as it is.
pub(super) fn since(view: &View<'_>, entry: &ListedConnection) -> String {
    let Some(since) = entry.since else {
        return "–".to_owned();
    };
    let lasted = view.model.now.duration_since(since);
    let lasted = std::time::Duration::try_from(lasted).unwrap_or_default();
    if lasted.as_secs() < 60 {
        return "<1m".to_owned();
    }
    brief(lasted)
}

fn reason(view: &View<'_>, entry: &ListedConnection) -> Span<'static> {
    let Some(verdict) = &entry.verdict else {
        return Span::styled("not probed yet", view.theme.faint);
    };
    let style = match verdict.state() {
        State::Ok => view.theme.faint,
        State::Warn | State::Down | State::Unknown => view.theme.text,
    };
    // Titles are the closed vocabulary's or numbers; only the war-room would tell more by them.
    let title = if view.model.war_room {
        verdict.reason.title().to_owned()
    } else {
        clean(&verdict.title)
    };
    Span::styled(title, style)
}

fn heading(view: &View<'_>, at: usize, chosen: bool) -> Option<Line<'static>> {
    let Some(TableRow::Heading {
        group,
        counts,
        folded,
    }) = view.model.board.rows.get(at)
    else {
        return None;
    };
    let theme = view.theme;
    let marker = if chosen { "▸" } else { " " };
    let fold = if *folded { "+" } else { "−" };
    let name = match group {
        Some(tag) if view.model.war_room => view.id(tag),
        Some(tag) => clean(tag),
        None => "without a tag".to_owned(),
    };
    let all: usize = counts.iter().sum();
    let mut spans = vec![
        Span::styled(marker, theme.marker),
        Span::styled(fold, theme.key),
        Span::raw(" "),
        Span::styled(name, theme.strong),
        Span::styled(format!("  {all}"), theme.faint),
    ];
    for (state, count) in State::ALL.into_iter().zip(counts) {
        if *count > 0 {
            let text = format!("   {} {count} {}", state.glyph(), state.word());
            spans.push(Span::styled(text, theme.lamp(state)));
        }
    }
    Some(Line::from(spans))
}
