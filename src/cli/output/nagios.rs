//! A verdict for Nagios and its kin: one line, then performance figures.

use crate::domain::reply::milliseconds;
use crate::domain::{State, Verdict};

/// `SWITCHBOARD OK - shop: Successfully Connected | total=42ms`
pub fn line(verdict: &Verdict) -> String {
    line_with(verdict, "")
}

/// The same with `more` behind the reason.
pub fn line_with(verdict: &Verdict, more: &str) -> String {
    let name = verdict
        .connection
        .as_ref()
        .map_or(verdict.url.as_str(), |name| name.as_str());
    // A bar would begin the figures.
    let gap = if more.is_empty() { "" } else { "; " };
    let title = format!("{name}: {} ({}{gap}{more})", verdict.title, verdict.reason);
    let title = title.replace('|', "/");
    format!(
        "SWITCHBOARD {} - {title}{}\n",
        word(verdict.state()),
        figures(verdict)
    )
}

const fn word(state: State) -> &'static str {
    match state {
        State::Ok => "OK",
        State::Warn => "WARNING",
        State::Down => "CRITICAL",
        State::Unknown => "UNKNOWN",
    }
}

fn figures(verdict: &Verdict) -> String {
    let parts = verdict.phases.parts();
    let total = [("total", verdict.phases.total)];
    let times = total.iter().chain(&parts).filter_map(|(phase, time)| {
        Some(format!(
            "{}={}ms",
            phase.to_lowercase(),
            milliseconds((*time)?)
        ))
    });
    let days = verdict
        .certificate_days_left()
        .map(|days| format!("certificate_days={days}"));
    let figures: Vec<String> = times.chain(days).collect();
    if figures.is_empty() {
        String::new()
    } else {
        format!(" | {}", figures.join(" "))
    }
}
