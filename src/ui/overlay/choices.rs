//! Choices from a few rows: where secrets are kept, and in which form something is copied.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::super::text::{clean, width, wrap};
use super::super::view::View;
use super::{dialog_width, lines, open_box, put_lines};
use crate::app::handles::CopySubject;
use crate::app::message::StoreOffer;
use crate::domain::CopyForm;

/// What is no choice here: where somebody else keeps them.
const ELSEWHERE: &str = "Kept already in a variable, a file or a program's store? Then, once it is saved: switchboard connection edit NAME --key-ref env:VARIABLE, file:PATH or cmd:PROGRAM";

pub(super) fn draw_stores(
    view: &View<'_>,
    offers: &[StoreOffer],
    selected: usize,
    body: Rect,
    buf: &mut Buffer,
) {
    let theme = view.theme;
    let width = dialog_width(body);
    let text = "Where are the secrets to be kept? The configuration holds only a reference.";
    let mut all = lines(text, width, theme.text);
    all.push(Line::default());
    let (mut seen_from, mut seen_until) = (0, 0);
    for (at, offer) in offers.iter().enumerate() {
        let style = if offer.unavailable.is_some() {
            theme.faint
        } else {
            theme.text
        };
        if at == selected {
            seen_from = all.len();
        }
        let room = width.saturating_sub(MARKER);
        let mut head = marker(at == selected);
        for part in wrap(&clean(&offer.label), room) {
            all.push(Line::from(vec![
                Span::styled(std::mem::replace(&mut head, marker(false)), theme.marker),
                Span::styled(part, style),
            ]));
        }
        let reference = format!("  {}", clean(&offer.reference.to_string()));
        let reference = Span::styled(reference, theme.faint);
        match all.last_mut() {
            Some(line) if line.width() + reference.width() <= width => line.push_span(reference),
            _ => all.push(Line::from(vec![Span::raw(marker(false)), reference])),
        }
        if let Some(why) = &offer.unavailable {
            for line in wrap(&clean(why), width.saturating_sub(4)) {
                all.push(Line::from(Span::styled(format!("    {line}"), theme.faint)));
            }
        }
        if at == selected {
            seen_until = all.len();
        }
    }
    all.push(Line::default());
    all.extend(lines(ELSEWHERE, width, theme.faint));
    let inside = open_box(view, body, (width, all.len()), "Keep secrets", buf);
    // Where the box is too low for everything, what is selected stays in sight.
    let above = seen_until.saturating_sub(usize::from(inside.height));
    let above = above.min(seen_from);
    put_lines(buf, inside, all.split_off(above.min(all.len())));
}

pub(super) fn draw_copy_as(
    view: &View<'_>,
    (selected, of): (usize, &CopySubject),
    body: Rect,
    buf: &mut Buffer,
) {
    let theme = view.theme;
    let entry = view.model.entries.get(&of.name);
    let is_keyless = entry.is_some_and(|entry| entry.connection.key.is_none());
    let mut title = format!("Copy as · {}", view.name(&of.name));
    if !of.label.is_empty() {
        title = format!("{title} · {}", clean(&view.model.shown_label(&of.label)));
    }
    let lines: Vec<Line<'static>> = of
        .choices()
        .iter()
        .enumerate()
        .map(|(at, choice)| {
            let (word, about) = words(*choice, is_keyless);
            Line::from(vec![
                Span::styled(marker(at == selected), theme.marker),
                Span::styled(format!("{word:<10}"), theme.text),
                Span::styled(about, theme.faint),
            ])
        })
        .collect();
    let widest = lines.iter().map(Line::width).max().unwrap_or(0);
    let widest = widest.max(width(&title) + 2).min(dialog_width(body));
    let inside = open_box(view, body, (widest, lines.len()), &title, buf);
    put_lines(buf, inside, lines);
}

/// Columns of the marker before a row.
const MARKER: usize = 2;

const fn marker(selected: bool) -> &'static str {
    if selected { "▸ " } else { "  " }
}

/// What a row says: where no key is held, the curl command sends none.
const fn words(choice: CopyForm, is_keyless: bool) -> (&'static str, &'static str) {
    match choice {
        CopyForm::Handle => ("handle", "as it is pasted elsewhere"),
        CopyForm::Header => ("header", "whole header lines"),
        CopyForm::Curl if is_keyless => ("curl", "sends no key"),
        CopyForm::Curl => ("curl", "reads $SWITCHBOARD_KEY"),
        CopyForm::Username => ("username", "no secret"),
        CopyForm::Url => ("URL", "no secret"),
    }
}
