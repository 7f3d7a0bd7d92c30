//! The account's list below the handles held here: a window of rows, whatever the account holds.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::super::reveal::{self, OpenHandle};
use super::super::text::{
    cells, clean, cut, first_that_fits, inset, pad, put, put_both, row, width, wrap_line,
};
use super::super::view::View;
use super::super::{input, list};
use super::NOT_KNOWN;
use super::columns::{Column, Columns};
use crate::app::Action;
use crate::app::handles::{self, HandleRow};
use crate::app::model::{ListedConnection, Pane};
use crate::app::tokens::{AccountList, TokenRow, hints};
use crate::domain::HandleSlot;
use crate::domain::token::{Expiry, Group, Moment, Person, Status, ends_within};

/// What stands for a handle: its width says nothing.
const MASKED: &str = "••••";

/// Draws the pane of a connection with an account. Returns where the filter's cursor is.
pub(super) fn draw(
    view: &View<'_>,
    entry: &ListedConnection,
    area: Rect,
    buf: &mut Buffer,
) -> Option<Position> {
    let theme = view.theme;
    let account = view.model.account_list();
    let idle = account.is_some_and(|account| account.listing.group == Some(Group::Idle));
    let columns = Columns::of(area.width.saturating_sub(1), idle);
    let cursor = draw_head(view, account, &columns, inset(row(area, 0), 1, 0), buf);
    let mut body = Rect {
        y: area.y.saturating_add(1),
        height: area.height.saturating_sub(1),
        ..area
    };
    if let Some(trouble) = account.and_then(|account| trouble(view, account)) {
        body.height -= draw_trouble(trouble, inset(body, 1, 1), buf);
    }
    let held = handles::rows(&entry.connection);
    let height = usize::from(body.height);
    let rows = view.model.token_rows();
    let selected = view.model.token_row.min(rows.saturating_sub(1));
    let top = account.map_or(0, |account| account.top);
    let offset = list::window(top, Some(selected), rows, height);
    let marks = view.focused(Pane::Tokens) && view.model.marked_token_row().is_some();
    for at in offset..rows.min(offset + height) {
        let line = row(body, at - offset);
        if at == selected && marks {
            put(buf, line, Line::from(Span::styled("▸", theme.marker)));
        }
        let content = match (held.get(at), account) {
            (Some(handle), _) => held_line(view, entry, handle, &columns),
            (None, None) => offer(view, usize::from(line.width.saturating_sub(1))),
            (None, Some(account)) => {
                let place = u64::try_from(at - held.len()).unwrap_or(u64::MAX);
                match account.row(place) {
                    Some(token) => token_line(view, account, token, &columns),
                    None => Line::from(Span::styled("…", theme.faint)),
                }
            }
        };
        put(buf, inset(line, 1, 0), content);
    }
    if let Some(words) = account.and_then(|account| emptiness(view, account)) {
        let line = row(body, rows.saturating_sub(offset));
        put(
            buf,
            inset(line, 1, 0),
            Line::from(Span::styled(words, theme.faint)),
        );
    }
    cursor
}

/// The names of the columns, or the filter while it is typed.
fn draw_head(
    view: &View<'_>,
    account: Option<&AccountList>,
    columns: &Columns,
    head: Rect,
    buf: &mut Buffer,
) -> Option<Position> {
    let theme = view.theme;
    if let Some(account) = account.filter(|account| account.filtering) {
        put(buf, head, Line::from(Span::styled("/", theme.key)));
        return input::draw(&account.filter, inset(head, 1, 0), theme.input, buf);
    }
    let label = Span::styled("LABEL", theme.faint);
    let heads = columns.line(label, |column| (column.head().to_owned(), theme.faint));
    put(buf, head, heads);
    None
}

/// What loads the list, and what that costs.
fn offer(view: &View<'_>, room: usize) -> Line<'static> {
    let theme = view.theme;
    // Enter does it too, but on this row alone.
    let key = super::super::key(view, Action::LoadTokens);
    let key = key.unwrap_or_else(|| "Enter".to_owned());
    let words = [
        " loads the account's tokens: one request a page",
        " loads the tokens: one request a page",
        " loads the tokens",
    ];
    let words = first_that_fits(words, room.saturating_sub(width(&key)));
    Line::from(vec![
        Span::styled(key, theme.key),
        Span::styled(words, theme.faint),
    ])
}

/// Why there is no row.
fn emptiness(view: &View<'_>, account: &AccountList) -> Option<String> {
    if account.length() > 0 || account.trouble.is_some() {
        return None;
    }
    Some(if !account.loaded {
        "loading …".to_owned()
    } else if !account.listing.filter.is_empty() {
        let key = super::super::key(view, Action::Back).unwrap_or_default();
        format!("the filter matches none: {key} clears it")
    } else if let Some(group) = account.listing.group {
        format!("no token in the group “{}”", group.word())
    } else {
        "the account has no tokens".to_owned()
    })
}

/// Draws why a page did not come and what helps into the last rows of `body`: into half of them, where it is long, with
/// what helps in any case. Returns how many it takes.
fn draw_trouble(
    (mut why, helps): (Line<'static>, Line<'static>),
    body: Rect,
    buf: &mut Buffer,
) -> u16 {
    let room = usize::from(body.width);
    why.extend(helps.spans.clone());
    let mut lines = wrap_line(why, room);
    let most = usize::from(body.height / 2).max(1);
    let rest = lines.split_off(most.min(lines.len()));
    // The last row goes on, so that it is seen to be cut.
    if let (Some(last), Some(next)) = (lines.last_mut(), rest.into_iter().next()) {
        last.push_span(" ");
        last.extend(next.spans);
    }
    let rows = lines.len().min(usize::from(body.height));
    let first = usize::from(body.height) - rows;
    for (at, line) in lines.into_iter().enumerate() {
        let row = row(body, first + at);
        if line.width() > room {
            put_both(buf, row, line, helps.clone());
        } else {
            put(buf, row, line);
        }
    }
    cells(rows)
}

/// Why a page did not come, and what helps.
fn trouble(view: &View<'_>, account: &AccountList) -> Option<(Line<'static>, Line<'static>)> {
    let trouble = account.trouble.as_ref()?;
    let theme = view.theme;
    let words = match trouble.kind {
        crate::app::tokens::TroubleKind::Other => view.failure(&trouble.text),
        ref kind => kind.headline(),
    };
    let why = Line::from(Span::styled(clean(&words), theme.error));
    let helps = super::super::key(view, Action::LoadTokens).map(|key| {
        Line::from(vec![
            Span::styled(" · ", theme.faint),
            Span::styled(key, theme.key),
            Span::styled(" tries again", theme.faint),
        ])
    });
    Some((why, helps.unwrap_or_default()))
}

fn held_line(
    view: &View<'_>,
    entry: &ListedConnection,
    handle: &HandleRow,
    columns: &Columns,
) -> Line<'static> {
    let theme = view.theme;
    let label = view.handle(handle);
    let open = reveal::handle(view.model, &entry.connection.name, &handle.slot);
    if let Some(open) = open.filter(|open| fits(open, columns)) {
        return opened(view, &label, open, columns);
    }
    let (status, style) = super::status(view, entry, &handle.slot);
    let username = view.user(entry.connection.username.trim());
    columns.line(Span::styled(label, theme.strong), |column| match column {
        Column::Id if handle.slot == HandleSlot::Key => (username.clone(), theme.text),
        Column::Extension => (handle.kind.to_owned(), theme.text),
        Column::Status => (status.to_owned(), style),
        Column::Handle => (MASKED.to_owned(), theme.text),
        Column::Description => (view.reference(&handle.reference), theme.faint),
        Column::Created => (super::made(view, handle), theme.faint),
        Column::Id
        | Column::By
        | Column::Expires
        | Column::Used
        | Column::External
        | Column::Modules => (NOT_KNOWN.to_owned(), theme.faint),
    })
}

fn token_line(
    view: &View<'_>,
    account: &AccountList,
    token: &TokenRow,
    columns: &Columns,
) -> Line<'static> {
    let theme = view.theme;
    let label = clean(&view.model.shown_label(token.label()));
    let id = token.id().unwrap_or_default();
    let open = reveal::token(view.model, &account.name, id);
    if let Some(open) = open.filter(|open| fits(open, columns)) {
        return opened(view, &label, open, columns);
    }
    columns.line(Span::styled(label, theme.text), |column| {
        cell(view, account, token, column)
    })
}

fn cell(view: &View<'_>, account: &AccountList, row: &TokenRow, column: Column) -> (String, Style) {
    let (theme, token) = (view.theme, &row.token);
    // A text that is ready for a cell.
    let known = |text: Option<String>| match text.filter(|text| !text.is_empty()) {
        Some(text) => (text, theme.text),
        None => (NOT_KNOWN.to_owned(), theme.faint),
    };
    match column {
        Column::Id => known(token.id.as_deref().map(|id| view.id(id))),
        Column::Extension => {
            let name = token.extension.name.as_deref();
            known(name.or(token.extension.id.as_deref()).map(clean))
        }
        Column::Created => known(token.created.as_ref().map(|made| clean(&day(made)))),
        // With mail it would be cut: the details have it.
        Column::By => {
            let by = &token.created_by;
            let name = by.name.as_deref().or(by.id.as_deref());
            known(name.map(|name| view.user(name)))
        }
        Column::Expires => expires(view, row),
        Column::Used => {
            let idle = is_idle(view, row);
            let words = hints::last_use(row.last_used, idle);
            (words, if idle { theme.warn } else { theme.text })
        }
        Column::Status => {
            let style = match &token.status {
                Status::Active | Status::Revitalised => theme.ok,
                Status::Expiring | Status::Pending => theme.warn,
                Status::Expired => theme.down,
                Status::Inactive | Status::Deleted | Status::Missing => theme.faint,
                Status::Other(_) => theme.unknown,
            };
            (clean(&hints::status(row, &account.own_id)), style)
        }
        Column::Handle if row.has_handle => (MASKED.to_owned(), theme.text),
        Column::Handle => (NOT_KNOWN.to_owned(), theme.faint),
        Column::External => known(token.external_id.as_deref().map(|text| view.id(text))),
        Column::Modules => {
            if token.permissions.is_none() {
                return known(None);
            }
            let modules = token.modules();
            let all = modules.contains(&crate::domain::token::ALL_MODULES);
            let words = if all {
                "all".to_owned()
            } else {
                modules.len().to_string()
            };
            (words, if all { theme.warn } else { theme.text })
        }
        Column::Description => known(
            token
                .description
                .as_deref()
                .map(|text| clean(&view.model.shown_label(text))),
        ),
    }
}

/// When a token ends, in the colour of how soon that is.
pub(super) fn expires(view: &View<'_>, row: &TokenRow) -> (String, Style) {
    let theme = view.theme;
    match &row.ends {
        Expiry::Unknown => (NOT_KNOWN.to_owned(), theme.faint),
        Expiry::Never => ("never".to_owned(), theme.warn),
        Expiry::At(moment) => {
            let over = moment.at.is_some_and(|at| at <= view.model.now);
            let soon = ends_within(&row.ends, crate::domain::token::SOON_DAYS, view.model.now);
            let style = match (over, soon) {
                (true, _) => theme.down,
                (_, true) => theme.warn,
                _ => theme.text,
            };
            (day(moment), style)
        }
    }
}

fn is_idle(view: &View<'_>, row: &TokenRow) -> bool {
    use crate::app::tokens::account::LastUse;
    match row.last_used {
        LastUse::Never => true,
        LastUse::On(date) => {
            let first =
                crate::domain::token::later(view.model.now, -crate::domain::token::IDLE_DAYS);
            date < jiff::tz::TimeZone::UTC.to_datetime(first).date()
        }
        LastUse::Unasked | LastUse::NotTold => false,
    }
}

fn opened(view: &View<'_>, label: &str, open: OpenHandle, columns: &Columns) -> Line<'static> {
    let theme = view.theme;
    Line::from(vec![
        Span::styled(
            pad(&cut(label, columns.label.saturating_sub(2)), columns.label),
            theme.text,
        ),
        Span::styled(open.text, theme.revealed),
        Span::styled(format!("  {:>2} s", open.seconds), theme.faint),
    ])
}

fn fits(open: &OpenHandle, columns: &Columns) -> bool {
    width(&open.text) + 6 <= columns.behind()
}

/// Whether the row of the token in the open can show it whole.
pub(super) fn shows(open: &OpenHandle, area: Rect) -> bool {
    fits(open, &Columns::of(area.width.saturating_sub(1), false))
}

/// A day.
pub(super) fn day(moment: &Moment) -> String {
    moment.shown().chars().take(10).collect()
}

/// A person, by name, with mail where that is given.
pub(super) fn person(view: &View<'_>, person: &Person) -> Option<String> {
    let name = person.name.as_deref().or(person.id.as_deref())?;
    let name = view.user(name);
    Some(match person.email.as_deref() {
        Some(mail) if !view.model.war_room && !name.contains(mail) => {
            format!("{name} <{}>", clean(mail))
        }
        _ => name,
    })
}

/// What stands at the right of the pane's title, in so many cells: the order goes first, then what is asked for, then
/// the group. Without the filter nobody knew why rows are missing.
pub(super) fn summary(view: &View<'_>, account: &AccountList, room: usize) -> String {
    let listing = &account.listing;
    let more = if account.more { "+" } else { "" };
    let noun = if account.length() == 1 {
        "token"
    } else {
        "tokens"
    };
    // Each with how soon it goes, 0 never.
    let unknown = !account.loaded && account.trouble.is_some();
    let mut parts = vec![if unknown {
        (0, "not loaded".to_owned())
    } else {
        (0, format!("{}{more} {noun}", grouped(account.length())))
    }];
    if account.loading.is_some() {
        parts.push((2, "loading".to_owned()));
    }
    if account.looking_up.is_some() {
        parts.push((2, "asking for use".to_owned()));
    }
    parts.extend(listing.group.map(|group| match group {
        // The service knows nothing of use: what is idle shows in its row.
        Group::Idle => (1, "could be idle".to_owned()),
        group => (1, group.word().to_owned()),
    }));
    if !listing.filter.is_empty() && !view.model.war_room {
        parts.push((0, format!("/{}", clean(&listing.filter))));
    }
    parts.push((3, listing.order.words().to_owned()));
    for soon in [3, 2, 1] {
        let cells: usize = parts.iter().map(|(_, part)| width(part) + 3).sum();
        if cells > room + 3 {
            parts.retain(|(goes, _)| *goes != soon);
        }
    }
    let parts: Vec<String> = parts.into_iter().map(|(_, part)| part).collect();
    cut(&parts.join(" · "), room)
}

/// `25,000`.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn great_numbers_are_grouped() {
        assert_eq!(grouped(0), "0");
        assert_eq!(grouped(999), "999");
        assert_eq!(grouped(25_000), "25,000");
        assert_eq!(grouped(1_234_567), "1,234,567");
    }
}
