//! Times: phases with their little bars, the certificate's end, addresses, clocks.

use std::time::Duration;

use ratatui::text::Span;

use super::super::view::View;
use super::ResponseLines;
use crate::app::model::ListedConnection;
use crate::domain::{State, Verdict};

/// From one eighth of a cell to a whole one.
const BARS: [&str; 8] = ["▏", "▎", "▍", "▌", "▋", "▊", "▉", "█"];

/// `name   1 ▏ connect   8 ▎ …` and when the certificate ends.
pub(super) fn phases(view: &View<'_>, verdict: &Verdict, sheet: &mut ResponseLines) {
    let theme = view.theme;
    let parts = verdict.phases.parts();
    let sum: Duration = parts.iter().filter_map(|(_, time)| *time).sum();
    let mut pieces = Vec::new();
    for (word, time) in parts {
        let Some(time) = time else { continue };
        // What is read in no time says nothing: most bodies arrive with their head.
        if word == "body" && time < Duration::from_millis(1) {
            continue;
        }
        let ms = whole(time.as_secs_f64() * 1_000.0);
        pieces.push(vec![
            Span::styled(format!("{word} "), theme.faint),
            Span::styled(format!("{ms:>3} "), theme.text),
            Span::styled(bar(time, sum), theme.bar),
        ]);
    }
    let measured = !pieces.is_empty();
    sheet.flow(0, " ", pieces);
    if let Some(certificate) = certificate(view, verdict) {
        if measured {
            sheet.append("  ", certificate);
        } else {
            sheet.push(certificate);
        }
    }
}

/// The eighths that `part` is of `sum`.
fn bar(part: Duration, sum: Duration) -> &'static str {
    let eighths = (part.as_micros() * 8)
        .checked_div(sum.as_micros())
        .unwrap_or(0);
    let index = usize::try_from(eighths).unwrap_or(0).min(BARS.len() - 1);
    BARS[index]
}

fn certificate(view: &View<'_>, verdict: &Verdict) -> Option<Span<'static>> {
    let (text, state) = ending(verdict.certificate_days_left()?);
    let style = match state {
        State::Ok => view.theme.faint,
        state => view.theme.lamp(state),
    };
    Some(Span::styled(text, style))
}

/// When the certificate ends, from its days left rounded down: -1 is anything within the first day after.
fn ending(days: i64) -> (String, State) {
    match days {
        ..-2 => (format!("cert ended {} days ago", -days - 1), State::Down),
        -2 => ("cert ended yesterday".to_owned(), State::Down),
        -1 => ("cert ended today".to_owned(), State::Down),
        0 => ("cert ends today".to_owned(), State::Warn),
        1 => ("cert ends tomorrow".to_owned(), State::Warn),
        2..=14 => (format!("cert ends in {days} days"), State::Warn),
        _ => (format!("cert ends in {days} days"), State::Ok),
    }
}

/// The last results, oldest first, and since when the state is what it is.
pub(super) fn history(view: &View<'_>, entry: &ListedConnection, sheet: &mut ResponseLines) {
    let theme = view.theme;
    let mut spans = Vec::new();
    if let Some(since) = entry.since {
        let seconds = view.model.now.duration_since(since).as_secs();
        spans.push(Span::styled(
            format!("unchanged for {}", span(seconds)),
            theme.faint,
        ));
    }
    let words: usize = spans.iter().map(Span::width).sum();
    let room = sheet.width.saturating_sub(words + 2);
    let hidden = entry.strip.len().saturating_sub(room);
    if entry.strip.len() > 1 {
        spans.push(Span::raw("  "));
        let shown = entry.strip.iter().skip(hidden);
        spans
            .extend(shown.map(|state| Span::styled(state.glyph().to_string(), theme.lamp(*state))));
    }
    if !spans.is_empty() {
        sheet.push(spans);
    }
}

/// A span of time as one says it: one unit, whole.
fn span(seconds: i64) -> String {
    let (count, unit) = match seconds {
        ..60 => return "less than a minute".to_owned(),
        60..3_600 => (seconds / 60, "minute"),
        3_600..172_800 => (seconds / 3_600, "hour"),
        _ => (seconds / 86_400, "day"),
    };
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {unit}{plural}")
}

/// Every address of the name, where there are several or one failed.
pub(super) fn addresses(view: &View<'_>, verdict: &Verdict, sheet: &mut ResponseLines) {
    let theme = view.theme;
    let failed = verdict
        .addresses
        .iter()
        .any(|address| address.state != State::Ok);
    if verdict.addresses.len() < 2 && !failed {
        return;
    }
    sheet.gap();
    let mut pieces = vec![vec![Span::styled("addresses", theme.faint)]];
    for address in &verdict.addresses {
        let (mark, style) = match address.state {
            State::Ok => ("✓", theme.ok),
            State::Warn | State::Down => ("✗", theme.down),
            State::Unknown => ("·", theme.faint),
        };
        let shown = if view.model.war_room {
            "•••".to_owned()
        } else {
            address.address.to_string()
        };
        let time = address
            .ms
            .map_or_else(String::new, |ms| format!(" {} ms", whole(ms)));
        pieces.push(vec![
            Span::styled(mark, style),
            Span::raw(" "),
            Span::styled(shown, theme.text),
            Span::styled(time, theme.faint),
        ]);
    }
    sheet.flow(11, "  ", pieces);
}

/// Milliseconds without decimals; what is less than one says so.
pub(super) fn whole(ms: f64) -> String {
    if ms < 0.5 {
        "<1".to_owned()
    } else {
        format!("{ms:.0}")
    }
}

/// `14:32`, or `2:14:32` from an hour on.
pub(super) fn clock(seconds: i64) -> String {
    let (hours, minutes, seconds) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    if hours > 0 {
        format!("{hours}:{minutes:02}:{seconds:02}")
    } else {
        format!("{minutes:02}:{seconds:02}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_grow_with_their_share() {
        let ms = Duration::from_millis;
        assert_eq!(bar(ms(0), ms(0)), "▏");
        assert_eq!(bar(ms(1), ms(100)), "▏");
        assert_eq!(bar(ms(50), ms(100)), "▋");
        assert_eq!(bar(ms(100), ms(100)), "█");
    }

    #[test]
    fn a_certificate_ends_on_the_day_it_says() {
        for (days, words, state) in [
            (-35, "cert ended 34 days ago", State::Down),
            (-1, "cert ended today", State::Down),
            (0, "cert ends today", State::Warn),
            (14, "cert ends in 14 days", State::Warn),
            (15, "cert ends in 15 days", State::Ok),
        ] {
            assert_eq!(ending(days), (words.to_owned(), state));
        }
    }

    #[test]
    fn spans_are_said_in_one_unit() {
        assert_eq!(span(-5), "less than a minute");
        assert_eq!(span(60), "1 minute");
        assert_eq!(span(7_300), "2 hours");
        assert_eq!(span(172_800), "2 days");
    }

    #[test]
    fn clocks_have_fixed_places() {
        assert_eq!(clock(9), "00:09");
        assert_eq!(clock(872), "14:32");
        assert_eq!(clock(8_072), "2:14:32");
        assert_eq!(
            (whole(0.2), whole(0.0), whole(41.6)),
            ("<1".into(), "<1".into(), "42".into())
        );
    }
}
