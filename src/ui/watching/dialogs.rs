//! What lies over the screen about watching.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::text::Line;

use super::super::overlay::dialogs::{Dialog, DialogField, draw as draw_dialog};
use super::super::overlay::{lines, open_box, put_lines};
use super::super::text::{clean, pad};
use super::super::view::View;
use super::{events, milliseconds, styled};
use crate::app::watching::dialogs::{Dialog as Typed, WatchingOverlay};
use crate::domain::{SecondOpinion, State, Verdict};

/// Rows below which the maintenance dialog has no room for all its words.
const LOW: u16 = 16;
/// Cells below which it takes so many rows.
const NARROW: u16 = 60;

/// Draws it over `body`. Returns where the cursor stands in it.
pub(in crate::ui) fn draw(
    view: &View<'_>,
    overlay: &WatchingOverlay,
    body: Rect,
    buf: &mut Buffer,
) -> Option<Position> {
    match overlay {
        WatchingOverlay::Events { scroll } => {
            events::draw_all(view, *scroll, body, buf);
            None
        }
        WatchingOverlay::Second(opinion) => {
            draw_second(view, opinion, body, buf);
            None
        }
        WatchingOverlay::Maintenance(typed) => {
            let of = match typed.others.as_deref() {
                None | Some([]) => view.name(&typed.name),
                Some(others) => format!("{} connections", others.len() + 1),
            };
            let title = format!("Maintenance of {of}");
            let whole = "Within these times nothing is announced, and availability leaves the probes out. UTC: \
                        2h from now on, 2026-12-01T02:00Z/2026-12-01T04:00Z, sun 02:00-04:00, daily \
                        03:00-03:30; several divided by semicolons, none ends it.";
            // Where the words would begin in the middle of a sentence, the forms alone are told.
            let is_small = body.height < LOW && body.width < NARROW;
            let text = match (&typed.others, is_small) {
                (None, true) => "2h; a/b in UTC; sun 02:00-04:00; daily 03:00-03:30; none ends it.",
                (None, false) => whole,
                (Some(_), true) => {
                    "Further ones: 2h; a/b in UTC; sun 02:00-04:00; daily 03:00-03:30; none ends all."
                }
                (Some(_), false) => {
                    "Within these times nothing is announced, and availability leaves the probes out. \
                     They come beside those that are set; none ends all. UTC: 2h from now on, \
                     2026-12-01T02:00Z/2026-12-01T04:00Z, sun 02:00-04:00, daily 03:00-03:30; several divided by \
                     semicolons."
                }
            };
            one_line(view, (title, text, "Times", None), typed, body, buf)
        }
        WatchingOverlay::AskFrom(typed) => {
            let title = format!("Ask for {} from", view.name(&typed.name));
            let text = "The probe's connection is carried by ssh through that machine. Nothing is installed there; \
                        TLS stays end to end, and over plain http no key goes.";
            let busy = "asking from here, then from there …";
            one_line(view, (title, text, "Machine", Some(busy)), typed, body, buf)
        }
    }
}

fn one_line(
    view: &View<'_>,
    (title, text, label, busy): (String, &'static str, &'static str, Option<&'static str>),
    typed: &Typed,
    body: Rect,
    buf: &mut Buffer,
) -> Option<Position> {
    let field = DialogField {
        label,
        input: &typed.input,
        focused: true,
    };
    let dialog = Dialog {
        title,
        text,
        fields: vec![field],
        problem: typed.problem.as_deref(),
        busy: busy.filter(|_| typed.busy),
    };
    draw_dialog(view, &dialog, body, buf)
}

fn draw_second(view: &View<'_>, opinion: &SecondOpinion, body: Rect, buf: &mut Buffer) {
    let there = &opinion.verdict;
    let name = there.connection.as_ref();
    let here = name
        .and_then(|name| view.model.entries.get(name))
        .and_then(|entry| entry.verdict.as_deref());
    let width = usize::from(body.width.saturating_sub(6)).min(76);
    let host = clean(opinion.host.as_str());
    let mut all = vec![styled(
        format!("{}{}{host}", pad("", 13), pad("from here", 26)),
        view.theme.faint,
    )];
    for (word, of) in ROWS {
        let cell = |verdict: Option<&Verdict>| clean(&verdict.map_or_else(|| "–".to_owned(), of));
        let text = format!(
            "{}{}{}",
            pad(word, 13),
            pad(&cell(here), 26),
            cell(Some(there))
        );
        all.push(styled(text, view.theme.text));
    }
    all.push(Line::default());
    let sentence = clean(&opinion.conclusion.sentence(&opinion.host));
    all.extend(lines(&sentence, width, view.theme.strong));
    if there.state() == State::Unknown {
        all.extend(lines(&view.cause(there), width, view.theme.text));
        for line in view.evidence(there) {
            all.extend(lines(&line, width, view.theme.faint));
        }
    }
    let title = name.map_or_else(String::new, |name| view.name(name));
    let inside = open_box(view, body, (width, all.len()), &title, buf);
    put_lines(buf, inside, all);
}

/// What is put side by side.
type Of = fn(&Verdict) -> String;
const ROWS: [(&str, Of); 5] = [
    ("verdict", |verdict| {
        format!("{} {}", verdict.state().glyph(), verdict.state().word())
    }),
    ("reason", |verdict| verdict.reason.id().to_owned()),
    ("status", |verdict| verdict.status.to_string()),
    ("answered by", |verdict| verdict.answered_by.id().to_owned()),
    ("time", |verdict| milliseconds(verdict.phases.total)),
];
