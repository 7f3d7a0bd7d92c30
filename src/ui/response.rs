//! The Response pane: the verdict with its ladder and phases, why, and what to do about it.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

mod ladder;
mod remedy;
mod timing;

use super::text::{inset, put, row, width, wrap, wrap_line};
use super::view::{View, glyph, lamp_style};
use super::welcome;
use crate::app::Action;
use crate::app::model::{Form, ListedConnection, LoadState};
use crate::domain::{AnsweredBy, State, Verdict};

/// The pane's lines, and the width that they are wrapped to.
struct ResponseLines {
    lines: Vec<Line<'static>>,
    width: usize,
}

impl ResponseLines {
    /// A line, in as many as it takes.
    fn push(&mut self, line: impl Into<Line<'static>>) {
        self.lines.extend(wrap_line(line.into(), self.width));
    }

    /// One empty line, unless the last one is empty already.
    fn gap(&mut self) {
        if self.lines.last().is_some_and(|line| line.width() > 0) {
            self.push("");
        }
    }

    /// `text` wrapped by words behind `head`, the further lines indented to the same column.
    fn hang(&mut self, head: Span<'static>, text: &str, style: ratatui::style::Style) {
        let indent = head.width();
        let mut head = Some(head);
        for line in wrap(text, self.width.saturating_sub(indent)) {
            let first = head.take().unwrap_or_else(|| Span::raw(" ".repeat(indent)));
            self.push(vec![first, Span::styled(line, style)]);
        }
    }

    /// `piece` behind the last line where it fits, else in a line of its own.
    fn append(&mut self, between: &'static str, piece: Span<'static>) {
        let needed = width(between) + piece.width();
        match self.lines.last_mut() {
            Some(line) if line.width() + needed <= self.width => {
                line.push_span(Span::raw(between));
                line.push_span(piece);
            }
            Some(_) | None => self.push(piece),
        }
    }

    /// Whole pieces side by side, `between` them, in as many lines as they take; all but the first line are
    /// indented.
    fn flow(&mut self, indent: usize, between: &'static str, pieces: Vec<Vec<Span<'static>>>) {
        let mut line: Vec<Span<'static>> = Vec::new();
        let mut used = 0;
        for piece in pieces {
            let needed: usize = piece.iter().map(Span::width).sum();
            if used > 0 && used + width(between) + needed > self.width {
                self.push(std::mem::take(&mut line));
                line.push(Span::raw(" ".repeat(indent)));
                used = indent;
            } else if used > 0 {
                line.push(Span::raw(between));
                used += width(between);
            }
            line.extend(piece);
            used += needed;
        }
        if !line.is_empty() {
            self.push(line);
        }
    }
}

/// Draws the pane and returns how many lines are hidden above and below.
pub(super) fn draw(view: &View<'_>, area: Rect, buf: &mut Buffer) -> (usize, usize) {
    let inside = inset(area, 1, 1);
    let lines = lines(view, usize::from(inside.width));
    let height = usize::from(inside.height);
    let last = lines.len().saturating_sub(height);
    let scroll = usize::from(view.model.response_scroll).min(last);
    for (at, line) in lines.into_iter().skip(scroll).take(height).enumerate() {
        put(buf, row(inside, at), line);
    }
    (scroll, last - scroll)
}

/// The line that the pane can begin with at most.
pub(super) fn last_line(view: &View<'_>, area: Rect) -> usize {
    let inside = inset(area, 1, 1);
    let lines = lines(view, usize::from(inside.width)).len();
    lines.saturating_sub(usize::from(inside.height))
}

fn lines(view: &View<'_>, width: usize) -> Vec<Line<'static>> {
    let mut sheet = ResponseLines {
        lines: Vec::new(),
        width,
    };
    let (running, verdict) = (view.running(), view.model.shown_verdict());
    if running.is_some() || verdict.is_some() {
        unreadable(view, &mut sheet);
    }
    match (running, verdict) {
        (Some(checks), verdict) => {
            probing(view, verdict, &mut sheet);
            ladder::live(view, checks, verdict.is_none(), &mut sheet);
            if let Some(verdict) = verdict {
                facts(view, verdict, &mut sheet);
                because(view, verdict, &mut sheet);
            }
        }
        (None, Some(verdict)) => {
            head(view, verdict, &mut sheet);
            ladder::ended(view, verdict, &mut sheet);
            facts(view, verdict, &mut sheet);
            because(view, verdict, &mut sheet);
        }
        (None, None) => nothing_yet(view, &mut sheet),
    }
    sheet.lines
}

/// Lamp and title; at the right status, time and service.
fn head(view: &View<'_>, verdict: &Verdict, sheet: &mut ResponseLines) {
    let theme = view.theme;
    let state = verdict.state();
    let mut left = vec![
        glyph(theme, state, false),
        Span::raw(" "),
        Span::styled(
            view.line(&verdict.title),
            theme.lamp(state).patch(theme.strong),
        ),
    ];
    if view.model.visible_form().is_some_and(Form::is_stale) {
        left.push(Span::styled("  before the last change", theme.faint));
    }
    let right = Span::styled(answer(view, verdict), theme.faint);
    let used: usize = left.iter().map(Span::width).sum();
    let gap = sheet.width.saturating_sub(used + right.width());
    if gap >= 2 {
        left.push(Span::raw(" ".repeat(gap)));
        left.push(right);
        sheet.push(left);
    } else {
        sheet.push(left);
        sheet.push(vec![Span::raw("  "), right]);
    }
}

/// `200 · 42 ms · Blesta 5.13.7`.
fn answer(view: &View<'_>, verdict: &Verdict) -> String {
    let mut parts = Vec::new();
    if verdict.state() != State::Unknown || verdict.status != 0 {
        parts.push(verdict.status.to_string());
    }
    if let Some(total) = verdict.phases.total {
        let total = timing::whole(total.as_secs_f64() * 1_000.0);
        parts.push(format!("{total} ms"));
    }
    let service = view.service(&verdict.service);
    parts.push(match &verdict.service_version {
        Some(version) => format!("{service} {}", super::text::clean(version)),
        None => service,
    });
    parts.join(" · ")
}

/// The first line while a probe runs: the last title is kept in sight.
fn probing(view: &View<'_>, verdict: Option<&Verdict>, sheet: &mut ResponseLines) {
    let theme = view.theme;
    let state = verdict.map_or(State::Unknown, Verdict::state);
    let mut line = vec![
        glyph(theme, state, true),
        Span::raw(" "),
        Span::styled(
            "probing",
            lamp_style(theme, state, true).patch(theme.strong),
        ),
    ];
    if let Some(verdict) = verdict {
        line.push(Span::styled(
            format!("  last: {}", view.line(&verdict.title)),
            theme.faint,
        ));
    }
    // In one line: what stands below is not moved for the time of a probe.
    sheet.lines.push(line.into());
}

/// What was measured and found: phases, certificate, identity.
fn facts(view: &View<'_>, verdict: &Verdict, sheet: &mut ResponseLines) {
    timing::phases(view, verdict, sheet);
    // A draft has none, whatever it was made of.
    let is_draft = view.model.visible_form().is_some_and(|form| form.dirty);
    if let Some(entry) = view.entry().filter(|_| !is_draft) {
        timing::history(view, entry, sheet);
        left_out(view, entry, sheet);
    }
    let Some(identity) = &verdict.identity else {
        return;
    };
    let label = match verdict.service.as_str() {
        "blesta" => "company ",
        "connect" => "account ",
        _ => "identity ",
    };
    let name = identity
        .name
        .as_deref()
        .or(identity.id.as_deref())
        .map(|text| view.id(text));
    let host = identity
        .host
        .as_deref()
        .map(|host| format!("({})", view.host(host)));
    let words: Vec<String> = name.into_iter().chain(host).collect();
    if !words.is_empty() {
        sheet.hang(
            Span::styled(label, view.theme.faint),
            &words.join(" "),
            view.theme.text,
        );
    }
}

/// Why the verdict gets no newer.
fn left_out(view: &View<'_>, entry: &ListedConnection, sheet: &mut ResponseLines) {
    if !entry.connection.paused {
        return;
    }
    let mut line = vec![Span::styled("‖ left out of watching", view.theme.unknown)];
    if let Some(key) = super::key(view, Action::PauseConnection) {
        line.push(Span::styled(", ", view.theme.faint));
        line.push(Span::styled(key, view.theme.key));
        line.push(Span::styled(" takes it in again", view.theme.faint));
    }
    sheet.push(line);
}

/// Why, and what to do about it.
fn because(view: &View<'_>, verdict: &Verdict, sheet: &mut ResponseLines) {
    let theme = view.theme;
    if let Some(until) = verdict.retry_at {
        retry(view, (until, verdict.can_be_resumed()), sheet);
    }
    if !verdict.cause.is_empty() {
        sheet.gap();
        sheet.hang(Span::raw(""), &view.cause(verdict), theme.text);
    }
    if !verdict.changed_since_last_good.is_empty() {
        sheet.gap();
        sheet.push(Span::styled(
            "Changed since the last good run",
            theme.strong,
        ));
        for line in &verdict.changed_since_last_good {
            sheet.hang(
                Span::styled("  ≠ ", theme.warn),
                &view.line(line),
                theme.text,
            );
        }
    }
    evidence(view, verdict, sheet);
    remedy::draw(view, verdict, sheet);
    timing::addresses(view, verdict, sheet);
    for (at, target) in verdict.redirects.iter().enumerate() {
        let label = if at == 0 {
            "redirects → "
        } else {
            "          → "
        };
        sheet.hang(
            Span::styled(label, theme.faint),
            &view.url(target),
            theme.text,
        );
    }
}

fn evidence(view: &View<'_>, verdict: &Verdict, sheet: &mut ResponseLines) {
    let theme = view.theme;
    let by = match verdict.answered_by {
        AnsweredBy::Service | AnsweredBy::Nobody | AnsweredBy::Unknown => None,
        AnsweredBy::WebServer => Some("the web server"),
        AnsweredBy::Cdn => Some("a content delivery network"),
        AnsweredBy::Waf => Some("a firewall application"),
        AnsweredBy::Proxy => Some("a proxy on the way"),
    };
    let told = by.is_some() || !verdict.evidence.is_empty();
    if told && !verdict.changed_since_last_good.is_empty() {
        sheet.gap();
    }
    if let Some(by) = by {
        sheet.push(vec![
            Span::styled("answered by ", theme.faint),
            Span::styled(by, theme.text),
        ]);
    }
    for line in view.evidence(verdict) {
        sheet.hang(Span::styled("  · ", theme.faint), &line, theme.faint);
    }
}

/// When sending goes on: counted down, so that nobody tries to hasten it.
fn retry(
    view: &View<'_>,
    (until, can_be_resumed): (jiff::Timestamp, bool),
    sheet: &mut ResponseLines,
) {
    let theme = view.theme;
    let seconds = super::reveal::seconds_to(view.model, until);
    let mut line = if seconds > 0 {
        vec![
            Span::styled("next try in ", theme.faint),
            Span::styled(timing::clock(seconds), theme.strong),
        ]
    } else {
        vec![Span::styled("the next try is due", theme.faint)]
    };
    if let Some(key) = super::key(view, Action::Resume).filter(|_| can_be_resumed && seconds > 0) {
        line.push(Span::styled(", ", theme.faint));
        line.push(Span::styled(key, theme.key));
        line.push(Span::styled(" resumes", theme.faint));
    }
    sheet.push(line);
}

/// The ways on from nothing, a line each.
fn ways(view: &View<'_>, sheet: &mut ResponseLines) {
    for (key, words) in welcome::ways(view) {
        let key = Span::styled(format!("{key:>2}  "), view.theme.key);
        sheet.hang(key, words, view.theme.text);
    }
}

/// Why the configuration can't be read; whether it is so. The footer says it for some seconds alone.
fn unreadable(view: &View<'_>, sheet: &mut ResponseLines) -> bool {
    let theme = view.theme;
    let LoadState::Failed(sentence) = &view.model.loaded else {
        return false;
    };
    let sentence = view.failure(sentence);
    sheet.hang(Span::styled("✖ ", theme.down), &sentence, theme.text);
    sheet.gap();
    true
}

/// Before the first verdict: the banner, what the configuration had to say, or one line.
fn nothing_yet(view: &View<'_>, sheet: &mut ResponseLines) {
    let theme = view.theme;
    if unreadable(view, sheet) {
        let kept = "Nothing was changed, and nothing is saved until it can be read. It is read again by \
                    itself once it is mended; earlier versions lie beside it.";
        sheet.hang(Span::raw("  "), kept, theme.faint);
        if welcome::is_due(view) {
            sheet.gap();
            ways(view, sheet);
        }
        return;
    }
    // What can be tried is told by name, host and user.
    let banner = view.model.banner.iter();
    for line in banner.filter(|_| !view.model.war_room) {
        let columns = super::text::clean_columns(line);
        if width(&columns) <= sheet.width {
            sheet.push(Span::styled(columns, theme.text));
        } else {
            sheet.hang(Span::raw(""), &columns, theme.text);
        }
    }
    for warning in &view.model.warnings {
        sheet.hang(
            Span::styled("! ", theme.warn),
            &view.failure(warning),
            theme.text,
        );
    }
    if welcome::is_due(view) {
        sheet.gap();
        sheet.push(Span::styled(
            "Welcome. Nothing is set up yet.",
            theme.strong,
        ));
        ways(view, sheet);
        sheet.gap();
        let next = "Every field is tested while you type, and the answer says who gave it, why, and what to \
                    do. No key is sent before its host was recognised.";
        sheet.hang(Span::raw(""), next, theme.faint);
        return;
    }
    if sheet.lines.is_empty() {
        let words = match (view.model.visible_form(), view.entry()) {
            (Some(form), _) if form.url_text().is_empty() => {
                "The ladder runs as soon as there is a URL."
            }
            (Some(_), _) => "Not tested yet.",
            (None, Some(_)) => "Not probed yet.",
            (None, None) => "",
        };
        sheet.push(Span::styled(words, theme.faint));
        if let (None, Some(entry)) = (view.model.visible_form(), view.entry()) {
            left_out(view, entry, sheet);
        }
    }
}
