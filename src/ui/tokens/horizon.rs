//! What ends next: tokens and certificates of all connections in one list.

use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::super::text::{clean, cut, pad, width};
use super::super::view::View;
use super::sheet::{Scroll, SheetPage, words};
use crate::app::Action;
use crate::app::tokens::Fetch;
use crate::app::tokens::sheet::{Ending, Ends, ExpiryHorizon};

pub(super) fn page(view: &View<'_>, horizon: &ExpiryHorizon, room: usize) -> SheetPage {
    let theme = view.theme;
    let columns = Columns::of(view, horizon, room);
    let head = format!(
        "  {}{}{}WHAT",
        pad("ENDS", 13),
        pad("IN", columns.left),
        columns.named("CONNECTION"),
    );
    let mut page = SheetPage {
        title: "What ends next".to_owned(),
        above: vec![Line::from(Span::styled(head, theme.faint))],
        scroll: Scroll::Around(horizon.row),
        tall: true,
        ..SheetPage::default()
    };
    for (at, ending) in horizon.endings.iter().enumerate() {
        let selected = at == horizon.row;
        page.body.push(line(view, ending, selected, &columns));
    }
    if horizon.endings.is_empty() {
        page.body = words(
            "Nothing is known that ends: certificates are known after a probe.",
            theme.faint,
            room,
        );
    }
    page.below.push(Line::default());
    page.below.extend(accounts(view, horizon, room));
    page
}

/// Cells of the columns behind the date. What ends is what is asked for: where there is little room, the days left go
/// before it, which the date tells too, and a name has what it needs.
struct Columns {
    left: usize,
    name: usize,
    what: usize,
}

impl Columns {
    fn of(view: &View<'_>, horizon: &ExpiryHorizon, room: usize) -> Self {
        let names = horizon.endings.iter();
        let names = names.map(|ending| width(&view.name(&ending.connection)) + 2);
        let (left, name) = if room < 70 {
            (0, names.max().unwrap_or(0).max(12).min(room / 4))
        } else {
            (11, 20)
        };
        let what = room.saturating_sub(15 + left + name);
        Self { left, name, what }
    }

    fn named(&self, name: &str) -> String {
        pad(&cut(name, self.name.saturating_sub(2)), self.name)
    }
}

fn line(view: &View<'_>, ending: &Ending, selected: bool, columns: &Columns) -> Line<'static> {
    let theme = view.theme;
    let left = ending.at.duration_since(view.model.now);
    let days = left.as_secs().div_euclid(86_400);
    let (words, style): (String, Style) = if left.is_negative() {
        ("over".to_owned(), theme.down)
    } else if days < 30 {
        (format!("{days} days"), theme.warn)
    } else {
        (format!("{days} days"), theme.text)
    };
    let marker = if selected { "▸ " } else { "  " };
    let what = match &ending.what {
        Ends::Token { id, label, in_use } => {
            let label = clean(&view.model.shown_label(label));
            let used = if *in_use { " (in use)" } else { "" };
            format!("token {label} · {}{used}", view.id(id))
        }
        Ends::Certificate { subject } => {
            let kind = if columns.left == 0 {
                "cert"
            } else {
                "certificate"
            };
            format!("{kind} {}", clean(&view.model.shown_sentence(subject)))
        }
    };
    Line::from(vec![
        Span::styled(marker, theme.marker),
        Span::styled(
            pad(&ending.at.strftime("%Y-%m-%d").to_string(), 13),
            if columns.left == 0 { style } else { theme.text },
        ),
        Span::styled(pad(&words, columns.left), style),
        Span::styled(columns.named(&view.name(&ending.connection)), theme.text),
        Span::styled(cut(&what, columns.what), theme.text),
    ])
}

/// Which accounts were asked, and what that would cost.
fn accounts(view: &View<'_>, horizon: &ExpiryHorizon, room: usize) -> Vec<Line<'static>> {
    let theme = view.theme;
    let count = |test: fn(&Fetch<()>) -> bool| {
        horizon
            .asked
            .iter()
            .filter(|(_, fetch)| test(fetch))
            .count()
    };
    let unasked = count(|fetch| *fetch == Fetch::Not);
    let loading = count(Fetch::is_loading);
    let mut lines = Vec::new();
    if loading > 0 {
        lines.extend(words(
            &format!("asking {loading} accounts …"),
            theme.probing,
            room,
        ));
    }
    if unasked > 0
        && let Some(key) = view.model.keymap.list_key(Action::LoadTokens)
    {
        let accounts = match unasked {
            1 => "one account: one request".to_owned(),
            _ => format!("{unasked} accounts: one request each"),
        };
        lines.push(Line::from(vec![
            Span::styled(key, theme.key),
            Span::styled(format!(" adds the tokens of {accounts}"), theme.faint),
        ]));
    }
    for (name, fetch) in &horizon.asked {
        if let Some(trouble) = fetch.trouble() {
            let said = format!("{}: {}", view.name(name), trouble.kind.headline());
            lines.extend(words(&clean(&said), theme.error, room));
        }
    }
    lines
}
