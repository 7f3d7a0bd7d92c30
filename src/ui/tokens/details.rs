//! One token: General, Permissions, Usage.

use ratatui::text::{Line, Span};

use super::super::reveal;
use super::super::text::{clean, cut, pad};
use super::super::view::View;
use super::account::{day, expires, person};
use super::sheet::{NAMES, Scroll, SheetPage, TypedLine, named, opened, trouble, words};
use crate::app::Action;
use crate::app::tokens::hints;
use crate::app::tokens::sheet::{Details, Tab};
use crate::domain::secret::MASK;
use crate::domain::token::{ALL_MODULES, Expiry, Moment, Usage};

/// Cells of `granted 2026-03-02`.
const GRANTED: usize = 18;

pub(super) fn page(view: &View<'_>, sheet: &Details, room: usize) -> SheetPage {
    let (mut body, below) = match sheet.tab {
        Tab::General => (general(view, sheet, room), Vec::new()),
        Tab::Permissions => (permissions(view, sheet, room), Vec::new()),
        Tab::Usage => (usage(view, sheet, room), Vec::new()),
    };
    if let Some(why) = sheet.reading.trouble() {
        let mut lines = trouble(view, why, room);
        lines.push(Line::default());
        lines.append(&mut body);
        body = lines;
    }
    let typed_above = sheet.filtering.then(|| TypedLine {
        at: 2,
        input: sheet.filter.clone(),
        indent: 1,
    });
    SheetPage {
        title: format!(
            "{} · {}",
            view.name(&sheet.name),
            clean(&view.model.shown_label(sheet.row.label()))
        ),
        above: head(view, sheet),
        body,
        scroll: Scroll::From(sheet.scroll),
        below,
        typed: None,
        typed_above,
        tall: true,
    }
}

/// The parts, the one that is shown marked by more than colour; below them the filter of the permissions.
fn head(view: &View<'_>, sheet: &Details) -> Vec<Line<'static>> {
    let theme = view.theme;
    let mut spans = Vec::new();
    for tab in Tab::ALL {
        let style = if tab == sheet.tab {
            theme.title_focus
        } else {
            theme.faint
        };
        let marked = if tab == sheet.tab { "▸" } else { " " };
        spans.push(Span::styled(marked, theme.marker));
        spans.push(Span::styled(format!("{}  ", tab.title()), style));
    }
    if sheet.reading.is_loading() {
        spans.push(Span::styled("reading …", theme.probing));
    }
    let mut lines = vec![Line::from(spans), Line::default()];
    if sheet.tab == Tab::Permissions && (sheet.filtering || !sheet.filter.value().is_empty()) {
        let text = if sheet.filtering {
            String::new()
        } else {
            clean(sheet.filter.value())
        };
        lines.push(Line::from(vec![
            Span::styled("/", theme.key),
            Span::styled(text, theme.text),
        ]));
    }
    lines
}

fn general(view: &View<'_>, sheet: &Details, room: usize) -> Vec<Line<'static>> {
    let (theme, row) = (view.theme, &sheet.row);
    let token = &row.token;
    let own_id = view
        .model
        .tokens
        .list
        .as_ref()
        .filter(|list| list.name == sheet.name)
        .map_or("", |list| list.own_id.as_str());
    let text = |value: Option<String>| value.unwrap_or_else(|| "–".to_owned());
    let extension = [token.extension.id.clone(), token.extension.name.clone()];
    let extension: Vec<_> = extension.into_iter().flatten().collect();
    let mut lines = Vec::new();
    let mut add = |name: &str, value: String, style| {
        lines.extend(named(view, name, &clean(&value), style, room));
    };
    add("Status", hints::status(row, own_id), theme.strong);
    add(
        "Id",
        text(token.id.as_deref().map(|id| view.id(id))),
        theme.text,
    );
    add(
        "Extension",
        if extension.is_empty() {
            "–".to_owned()
        } else {
            extension.join(" ")
        },
        theme.text,
    );
    add(
        "External id",
        text(token.external_id.as_deref().map(|id| view.id(id))),
        theme.text,
    );
    let described = token.description.as_deref();
    add(
        "Description",
        text(described.map(|text| view.model.shown_label(text))),
        theme.text,
    );
    lines.extend(handle(view, sheet, room));
    lines.extend(dates(view, sheet, room));
    lines
}

/// When and by whom.
fn dates(view: &View<'_>, sheet: &Details, room: usize) -> Vec<Line<'static>> {
    let (theme, row) = (view.theme, &sheet.row);
    let token = &row.token;
    let by = |moment: Option<&Moment>, who| {
        let at = moment.map_or_else(|| "–".to_owned(), Moment::shown);
        match person(view, who) {
            Some(who) => format!("{at} by {who}"),
            None => at,
        }
    };
    let mut lines = Vec::new();
    let mut add = |name: &str, value: String, style| {
        lines.extend(named(view, name, &clean(&value), style, room));
    };
    add(
        "Created",
        by(token.created.as_ref(), &token.created_by),
        theme.text,
    );
    add(
        "Updated",
        by(token.updated.as_ref(), &token.updated_by),
        theme.text,
    );
    let (ends, style) = expires(view, row);
    let left = row.ends.at().map(|at| {
        let days = at
            .duration_since(view.model.now)
            .as_secs()
            .div_euclid(86_400);
        if days < 0 {
            ", it is over".to_owned()
        } else {
            format!(", in {days} days")
        }
    });
    add("Expires", ends + &left.unwrap_or_default(), style);
    // Of a renewed token the first secret ends before.
    if let Expiry::At(moment) = &token.expires
        && row.ends != token.expires
    {
        add("Old until", day(moment), theme.text);
    }
    let owner = person(view, &token.owner).unwrap_or_else(|| "–".to_owned());
    add("Owner", owner, theme.text);
    lines
}

/// The handle: masked, or in the open on as many lines as it needs.
fn handle(view: &View<'_>, sheet: &Details, room: usize) -> Vec<Line<'static>> {
    let theme = view.theme;
    let id = sheet.row.id().unwrap_or_default();
    if let Some(open) = reveal::token(view.model, &sheet.name, id) {
        return opened(view, "Handle", &open, room);
    }
    if !sheet.row.has_handle {
        return named(
            view,
            "Handle",
            "the service does not show it",
            theme.faint,
            room,
        );
    }
    let mut spans = vec![
        Span::styled(pad("Handle", NAMES), theme.faint),
        Span::styled(MASK, theme.text),
    ];
    if !view.model.war_room {
        for (action, word) in [(Action::Reveal, "shows"), (Action::Copy, "copies")] {
            if let Some(key) = view.model.keymap.list_key(action) {
                spans.push(Span::styled(format!("  {key}"), theme.key));
                spans.push(Span::styled(format!(" {word}"), theme.faint));
            }
        }
    }
    vec![Line::from(spans)]
}

fn permissions(view: &View<'_>, sheet: &Details, room: usize) -> Vec<Line<'static>> {
    let theme = view.theme;
    let modules = sheet.modules();
    if modules.is_empty() {
        let said = match (&sheet.row.token.permissions, &sheet.row.modules_unread) {
            (None, Some(why)) => {
                let said = format!("Its modules could not be read: {}", view.failure(why));
                return words(&said, theme.error, room);
            }
            (None, None) => "The service does not say which modules it is let into.",
            (Some(none), _) if none.is_empty() => "It is let into no module: it opens nothing.",
            (Some(_), _) => "No module matches the filter.",
        };
        return words(said, theme.faint, room);
    }
    // Whether it is granted is what is asked: the other columns leave it its room.
    let id_cells = if room < 60 { 9 } else { 12 };
    let name_cells = room.saturating_sub(id_cells + GRANTED).min(30);
    let cell = |text: &str, cells: usize| pad(&cut(text, cells.saturating_sub(2)), cells);
    let head = [
        cell("MODULE", id_cells),
        cell("NAME", name_cells),
        "STATE".to_owned(),
    ];
    let mut lines = vec![Line::from(Span::styled(head.concat(), theme.faint))];
    for (id, name, granted) in modules {
        let since: String = granted.chars().take(10).collect();
        let state = if since.is_empty() {
            "granted".to_owned()
        } else {
            format!("granted {since}")
        };
        let all = id == ALL_MODULES;
        lines.push(Line::from(vec![
            Span::styled(cell(&clean(id), id_cells), theme.text),
            Span::styled(
                cell(&clean(name), name_cells),
                if all { theme.warn } else { theme.text },
            ),
            Span::styled(state, theme.ok),
        ]));
        if all {
            lines.extend(words(super::wizard::ALL_MEANS, theme.warn, room));
        }
    }
    lines
}

fn usage(view: &View<'_>, sheet: &Details, room: usize) -> Vec<Line<'static>> {
    let theme = view.theme;
    if let Some(why) = sheet.usage.trouble() {
        return trouble(view, why, room);
    }
    let Some(usage) = sheet.usage.here() else {
        return words("asking …", theme.probing, room);
    };
    let last = usage
        .last_used()
        .map_or_else(|| "no use is known".to_owned(), |date| date.to_string());
    let mut lines = named(view, "Last used", &last, theme.strong, room);
    let since = usage.summary.since.as_ref().map(|since| {
        let since = day(since);
        format!(" since {since}")
    });
    let total = format!("{}{}", usage.total(), since.unwrap_or_default());
    lines.extend(named(view, "Requests", &total, theme.text, room));
    for counted in &usage.summary.codes {
        let style = match counted.code {
            0..400 => theme.ok,
            400..500 => theme.warn,
            _ => theme.down,
        };
        lines.push(Line::from(vec![
            Span::styled(pad("", NAMES), theme.faint),
            Span::styled(format!("{:<5}", counted.code), style),
            Span::styled(format!("{:>10}", counted.total), theme.text),
        ]));
    }
    lines.push(Line::default());
    lines.extend(days(view, usage, room));
    lines
}

/// One bar a day, the newest first.
fn days(view: &View<'_>, usage: &Usage, room: usize) -> Vec<Line<'static>> {
    let theme = view.theme;
    if usage.days.is_empty() {
        return words("The service tells of no single days.", theme.faint, room);
    }
    let most = usage
        .days
        .iter()
        .map(crate::domain::token::Day::total)
        .max();
    let most = most.unwrap_or(0).max(1);
    let cells = room.saturating_sub(NAMES + 11).max(1);
    let mut lines = Vec::new();
    for day in usage.days.iter().rev().take(35) {
        let total = day.total();
        let wide = u64::try_from(cells).unwrap_or(1);
        let length = total.saturating_mul(wide).div_ceil(most);
        let bar = "█".repeat(usize::try_from(length).unwrap_or(cells).min(cells));
        let failed: u64 = day
            .codes
            .iter()
            .filter(|(code, _)| *code >= 400)
            .map(|(_, count)| count)
            .sum();
        let style = if failed > 0 { theme.warn } else { theme.bar };
        lines.push(Line::from(vec![
            Span::styled(pad(&day.date.to_string(), NAMES), theme.faint),
            Span::styled(format!("{total:>9}  "), theme.text),
            Span::styled(bar, style),
        ]));
    }
    lines
}
