//! The first row: the program, how many connections are in which state, and what is unusual now.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::text::{inset, put, put_both};
use super::view::View;
use crate::app::model::{LoadState, Lock};
use crate::domain::State;

/// Up first, as they are read aloud.
const ORDER: [State; 4] = [State::Ok, State::Warn, State::Down, State::Unknown];

/// What is unusual now, in words and in one word, the gravest first.
fn unusual(view: &View<'_>) -> impl Iterator<Item = (&'static str, &'static str, Style)> {
    let (model, theme) = (view.model, view.theme);
    let all = [
        (
            model.war_room,
            ("war-room: names are pseudonyms", "war-room", theme.warn),
        ),
        (
            matches!(model.loaded, LoadState::Failed(_)),
            ("configuration not read", "config not read", theme.down),
        ),
        (model.lock.is_locked(), ("locked", "locked", theme.warn)),
        (
            model.lock == Lock::NeverOpened,
            ("vault locked", "vault locked", theme.faint),
        ),
        (
            model.board.offline,
            ("this machine is offline", "offline", theme.warn),
        ),
        (!model.watching, ("watching paused", "paused", theme.faint)),
    ];
    all.into_iter()
        .filter_map(|(is_so, words)| is_so.then_some(words))
}

/// The gravest of what is unusual, for the title of a pane where there is no room for the row.
pub(super) fn gravest(view: &View<'_>) -> Option<Span<'static>> {
    let (_, word, style) = unusual(view).next()?;
    Some(Span::styled(word, style))
}

/// How much the row says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum TitleDetail {
    /// All of it.
    Ample,
    /// One word for what is unusual.
    Little,
    /// That without the brand: what is unusual matters more than whose program it is.
    Less,
    /// That, and counts without their words.
    Least,
}

/// Draws the row.
pub(super) fn draw(view: &View<'_>, area: Rect, buf: &mut Buffer) {
    let line = inset(area, 1, 1);
    let least = if area.width < 60 {
        TitleDetail::Least
    } else {
        TitleDetail::Ample
    };
    for room in [
        TitleDetail::Ample,
        TitleDetail::Little,
        TitleDetail::Less,
        TitleDetail::Least,
    ] {
        let (left, right) = (said(view, room), counts(view, room));
        let fits = left.width() + 1 + right.width() <= usize::from(line.width);
        if room >= least && fits {
            return put_both(buf, line, left, right);
        }
    }
    // Whose program it is can be seen: how many are left out of watching can't.
    let mut all = Line::default();
    if unusual(view).next().is_some() {
        all = said(view, TitleDetail::Least);
        all.push_span(" ");
    }
    all.extend(counts(view, TitleDetail::Least));
    put(buf, line, all);
}

/// The program, and what is unusual now.
fn said(view: &View<'_>, room: TitleDetail) -> Line<'static> {
    let mut left = vec![Span::styled("switchboard", view.theme.brand)];
    for (words, word, style) in unusual(view) {
        left.push(Span::raw("   "));
        let shown = if room > TitleDetail::Ample {
            word
        } else {
            words
        };
        left.push(Span::styled(shown, style));
    }
    if room >= TitleDetail::Less && left.len() > 1 {
        left.drain(..2);
    }
    Line::from(left)
}

/// `● 5 up   ▲ 2 check   ✖ 1 down`; without the words where they have no room.
fn counts(view: &View<'_>, room: TitleDetail) -> Line<'static> {
    let model = view.model;
    let counts = model
        .entries
        .counts(&model.board.settings.maintenance, model.now);
    let lamp = |state: State| {
        let count = counts.of(state);
        let style = if count > 0 {
            view.theme.lamp(state)
        } else {
            view.theme.faint
        };
        (state.glyph(), count, state.word(), style)
    };
    let apart = [
        ('◇', counts.planned, "planned", view.theme.probing),
        ('‖', counts.paused, "paused", view.theme.unknown),
    ];
    let apart = apart.into_iter().filter(|(_, count, ..)| *count > 0);
    let mut spans = Vec::new();
    for (glyph, count, word, style) in ORDER.into_iter().map(lamp).chain(apart) {
        if !spans.is_empty() {
            spans.push(Span::raw(if room == TitleDetail::Least {
                " "
            } else {
                "   "
            }));
        }
        let word = if room == TitleDetail::Least { "" } else { word };
        let text = format!("{glyph} {count} {word}");
        spans.push(Span::styled(text.trim_end().to_owned(), style));
    }
    Line::from(spans)
}
