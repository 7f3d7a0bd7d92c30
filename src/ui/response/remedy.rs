//! What to do about it: numbered steps, who must act, something to paste, the corrected URL.

use ratatui::style::Style;
use ratatui::text::Span;

use super::super::text::{divide, pad, width};
use super::super::view::View;
use super::ResponseLines;
use crate::app::{Action, FieldId};
use crate::domain::text::inert;
use crate::domain::{Reason, Verdict, Who};

/// Lines of a snippet that are drawn; `m` copies it whole.
const SNIPPET_LINES: usize = 40;

pub(super) fn draw(view: &View<'_>, verdict: &Verdict, sheet: &mut ResponseLines) {
    let theme = view.theme;
    let remedy = &verdict.remedy;
    if !remedy.steps.is_empty() {
        sheet.gap();
        let heading = match remedy.who {
            Who::You => "What to do",
            Who::Host => "What to do, by whoever runs the host",
            Who::Vendor => "What to do, by the vendor",
        };
        sheet.push(Span::styled(heading, theme.strong));
    }
    for (at, step) in remedy.steps.iter().enumerate() {
        let number = format!("{:>2}. ", at + 1);
        sheet.hang(
            Span::styled(number, theme.marker),
            &view.line(&by_keys(view, in_fields(view, step))),
            theme.text,
        );
    }
    // It holds the path of the URL, which may say whose it is.
    if let Some(text) = remedy.snippet.as_ref().filter(|_| !view.model.war_room) {
        snippet(view, text, sheet);
    }
    if let Some(url) = &remedy.url {
        let mut pieces = vec![vec![
            Span::styled("corrected URL ", theme.faint),
            Span::styled(view.url(url), theme.strong),
        ]];
        if let Some(key) = super::super::key(view, Action::UseUrl) {
            let key = Span::styled(key, theme.key);
            pieces.push(vec![key, Span::styled(" uses it", theme.faint)]);
        }
        sheet.flow(0, "  ", pieces);
    }
    if verdict.reason == Reason::AuthorizationStripped
        && let Some(key) = super::super::key(view, Action::UseHeaders)
    {
        let key = Span::styled(key, theme.key);
        let words = Span::styled(" sends the key by headers from now on", theme.faint);
        sheet.flow(0, "  ", vec![vec![key, words]]);
    }
    if let Some(doc) = &remedy.doc {
        sheet.hang(
            Span::styled("more: ", theme.faint),
            &view.line(doc),
            theme.faint,
        );
    }
}

/// What steps say of keys, as they are where letters act and nothing was remapped.
const KEYS: [(&str, Action); 5] = [
    ("L on the screen", Action::Lock),
    ("r on the screen", Action::Probe),
    ("R on the screen", Action::Resume),
    ("h on the screen", Action::UseHeaders),
    ("V on the screen", Action::SharedToken),
];

/// `step` with the keys that do it where the cursor is.
fn by_keys(view: &View<'_>, step: String) -> String {
    KEYS.into_iter().fold(step, |step, (said, action)| {
        let replaced = || {
            let (before, after) = step.split_once(said)?;
            // The end of a word is no key.
            let key = super::super::key(view, action)
                .filter(|_| !before.ends_with(char::is_alphanumeric))?;
            Some(format!("{before}{key} here{after}"))
        };
        replaced().unwrap_or(step)
    })
}

/// The fields of the form that are what flags are to the commands.
const FIELDS: [(&str, FieldId); 8] = [
    ("--allow-http", FieldId::AllowHttp),
    ("--ca-file", FieldId::CaFile),
    ("--client-cert", FieldId::ClientCert),
    ("--client-key", FieldId::ClientKey),
    ("--timeout", FieldId::Timeout),
    ("--cms-url", FieldId::CmsUrl),
    ("-4", FieldId::Family),
    ("-6", FieldId::Family),
];

/// `step` with the fields of the form in the place of the flags that it names in brackets, and the key that shows
/// them.
fn in_fields(view: &View<'_>, step: &str) -> String {
    let replaced = || {
        let (before, rest) = step.split_once("(-")?;
        let (flags, after) = rest.split_once(')')?;
        let mut fields = format!("-{flags}")
            .split(", ")
            .map(|flag| {
                let (flag, value) = flag.split_once(' ').unwrap_or((flag, ""));
                let (_, field) = FIELDS.iter().find(|(name, _)| *name == flag)?;
                Some(format!("{} {value}", field.label()).trim_end().to_owned())
            })
            .collect::<Option<Vec<_>>>()?;
        fields.dedup();
        let key = view.model.keymap.field_key(Action::Further)?;
        Some(format!("{before}({key}: {}){after}", fields.join(", ")))
    };
    replaced().unwrap_or_else(|| step.to_owned())
}

/// The snippet in a box: as it stands in a file, lines and their indent kept.
fn snippet(view: &View<'_>, text: &str, sheet: &mut ResponseLines) {
    let theme = view.theme;
    let room = sheet.width.saturating_sub(6);
    if room < 8 {
        return;
    }
    let mut lines = Vec::new();
    for line in text.lines().take(SNIPPET_LINES) {
        let indent = line.chars().take_while(|c| *c == ' ' || *c == '\t').count();
        let line = format!("{}{}", " ".repeat(indent), view.line(&inert(line, 400)));
        let rest = divide(&line, room, &mut lines);
        lines.push(rest);
    }
    let hint = super::super::key(view, Action::CopySnippet)
        .map_or_else(String::new, |key| format!(" {key} copies it "));
    let widest = lines.iter().map(|line| width(line)).max().unwrap_or(0);
    let inside = widest.max(width(&hint) + 2).min(room);
    let rule = "─".repeat((inside + 2).saturating_sub(width(&hint) + 1));
    sheet.push(vec![
        Span::styled("  ┌─", theme.border),
        Span::styled(hint, theme.faint),
        Span::styled(format!("{rule}┐"), theme.border),
    ]);
    for line in lines {
        sheet.push(boxed(&line, inside, theme.border, theme.snippet));
    }
    let rule = "─".repeat(inside + 2);
    sheet.push(Span::styled(format!("  └{rule}┘"), theme.border));
}

fn boxed(line: &str, inside: usize, border: Style, style: Style) -> Vec<Span<'static>> {
    vec![
        Span::styled("  │ ", border),
        Span::styled(pad(line, inside), style),
        Span::styled(" │", border),
    ]
}
