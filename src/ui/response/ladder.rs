//! The ladder: one mark for each rung, live while a probe runs.

use ratatui::style::Style;
use ratatui::text::Span;

use super::super::view::View;
use super::ResponseLines;
use super::timing::whole;
use crate::domain::{Check, CheckId, Checks, State, Verdict};

/// The ladder of a probe that has ended.
pub(super) fn ended(view: &View<'_>, verdict: &Verdict, sheet: &mut ResponseLines) {
    let rungs = verdict.checks.iter().filter(|check| shown(check));
    let pieces = rungs.map(|check| rung(view, check, false)).collect();
    sheet.flow(0, " ", pieces);
}

/// The ladder of a probe that runs: the first rung without an answer is the one being asked. Where nothing
/// older is to be seen, each rung's findings stand below.
pub(super) fn live(view: &View<'_>, checks: &Checks, alone: bool, sheet: &mut ResponseLines) {
    let asked = checks
        .iter()
        .find(|check| check.detail.is_none())
        .map(|check| check.id);
    let rungs = checks.iter().filter(|check| shown(check));
    let pieces = rungs
        .map(|check| rung(view, check, asked == Some(check.id)))
        .collect();
    sheet.flow(0, " ", pieces);
    if !alone {
        return;
    }
    sheet.gap();
    for check in checks.iter() {
        if let Some(detail) = &check.detail {
            finding(view, check, detail, sheet);
        }
    }
}

/// Identity has a line of its own; on the ladder it stands only where something is wrong with it.
fn shown(check: &Check) -> bool {
    check.id != CheckId::Identity || matches!(check.state, State::Warn | State::Down)
}

fn rung(view: &View<'_>, check: &Check, asked: bool) -> Vec<Span<'static>> {
    let (mark, style) = if asked {
        ("◌", view.theme.probing)
    } else {
        mark(view, check)
    };
    let word = if check.state == State::Ok {
        view.theme.text
    } else {
        style
    };
    vec![
        Span::styled(mark, style),
        Span::raw(" "),
        Span::styled(check.id.word(), word),
    ]
}

fn mark(view: &View<'_>, check: &Check) -> (&'static str, Style) {
    let mark = match check.state {
        State::Ok => "✓",
        State::Warn => "▲",
        State::Down => "✗",
        State::Unknown => "·",
    };
    let style = match check.state {
        State::Unknown => view.theme.faint,
        state => view.theme.lamp(state),
    };
    (mark, style)
}

fn finding(view: &View<'_>, check: &Check, detail: &str, sheet: &mut ResponseLines) {
    let (mark, style) = mark(view, check);
    let head = format!("{mark} {:<9}", check.id.word());
    let time = check
        .ms
        .map_or_else(String::new, |ms| format!(" · {} ms", whole(ms)));
    let text = format!("{}{time}", view.line(detail));
    sheet.hang(Span::styled(head, style), &text, view.theme.text);
}
