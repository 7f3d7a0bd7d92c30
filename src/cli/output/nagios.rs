//! A verdict for Nagios and its kin: one line, then performance figures.

use crate::domain::reply::milliseconds;
use crate::domain::verdict::whole_seconds;
use crate::domain::{Reason, State, Verdict};

/// `SWITCHBOARD OK - shop: Successfully Connected | total=42ms`
pub fn line(verdict: &Verdict) -> String {
    line_with(verdict, "")
}

/// What is said where the command itself failed: who runs a plugin reads its stdout alone.
pub fn failed(why: &str) -> String {
    format!("SWITCHBOARD UNKNOWN - {}\n", why.replace('|', "/"))
}

/// The same with `more` behind the reason.
pub fn line_with(verdict: &Verdict, more: &str) -> String {
    format!(
        "SWITCHBOARD {} - {}{}\n",
        word(verdict.state()),
        said(verdict, more),
        figures(verdict)
    )
}

/// The verdicts of several: what a plugin says first is how they stand together, and names those that are not up; then
/// a line each, what fails first; the figures, each with the name of its connection, stand behind the first line.
///
/// ```text
/// SWITCHBOARD CRITICAL - 1 down, 2 up: mail (refused) | 'shop total'=42ms
/// CRITICAL - mail: Connection Refused (refused)
/// OK - shop: Successfully Connected (connected)
/// ```
pub fn several(verdicts: &[Verdict]) -> String {
    let plain = verdicts.iter().map(|verdict| (verdict, String::new()));
    several_with(&plain.collect::<Vec<_>>())
}

/// The same, each with more behind its reason.
pub fn several_with(said_of: &[(&Verdict, String)]) -> String {
    if let [(verdict, more)] = said_of {
        return line_with(verdict, more);
    }
    let verdicts: Vec<&Verdict> = said_of.iter().map(|(verdict, _)| *verdict).collect();
    let figures: Vec<String> = verdicts.iter().flat_map(|one| named_figures(one)).collect();
    let figures = if figures.is_empty() {
        String::new()
    } else {
        format!(" | {}", figures.join(" "))
    };
    let of = |state: State| said_of.iter().filter(move |(one, _)| one.state() == state);
    let lines = ORDER.into_iter().flat_map(of).map(|(verdict, more)| {
        let word = word(verdict.state());
        format!("{word} - {}\n", said(verdict, more))
    });
    format!(
        "SWITCHBOARD {} - {}{figures}\n{}",
        word(State::worst(verdicts.iter().map(|one| one.state()))),
        together(&verdicts),
        lines.collect::<String>()
    )
}

/// What fails comes first: of a long output some readers keep the beginning alone.
const ORDER: [State; 4] = [State::Down, State::Warn, State::Unknown, State::Ok];

/// So many of those that are not up are named in the first line: a notification is short.
const NAMED: usize = 5;

fn together(verdicts: &[&Verdict]) -> String {
    let of = |state: State| verdicts.iter().filter(move |one| one.state() == state);
    let counts = ORDER.into_iter().filter_map(|state| {
        let count = of(state).count();
        (count > 0).then(|| format!("{count} {}", state.word()))
    });
    let counts: Vec<String> = counts.collect();
    let failed = ORDER.into_iter().filter(|state| *state != State::Ok);
    let failed: Vec<String> = failed
        .flat_map(of)
        .map(|one| format!("{} ({})", name(one), one.reason).replace('|', "/"))
        .collect();
    let more = match failed.len().saturating_sub(NAMED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let named: Vec<String> = failed.into_iter().take(NAMED).collect();
    let colon = if named.is_empty() { "" } else { ": " };
    format!("{}{colon}{}{more}", counts.join(", "), named.join(", "))
}

/// Total and certificate of one among several; a label with blanks stands in quotes, and holds no `=`.
fn named_figures(verdict: &Verdict) -> Vec<String> {
    let name = name(verdict).replace('\'', "''").replace(['=', '|'], "_");
    let total = verdict
        .phases
        .total
        .map(|total| ("total", format!("{}ms", milliseconds(total))));
    let days = verdict.certificate_days_left();
    let days = days.map(|days| ("certificate_days", days.to_string()));
    let label = |(what, value): (&str, String)| format!("'{name} {what}'={value}");
    total.into_iter().chain(days).map(label).collect()
}

fn name(verdict: &Verdict) -> &str {
    verdict
        .connection
        .as_ref()
        .map_or(verdict.url.as_str(), |name| name.as_str())
}

/// What is said of one, with `more` behind the reason. (A bar would begin the figures.)
fn said(verdict: &Verdict, more: &str) -> String {
    let gap = if more.is_empty() { "" } else { "; " };
    let name = name(verdict);
    let until = verdict
        .retry_at
        .map_or(String::new(), |at| format!(" until {}", whole_seconds(at)));
    let (title, reason) = (&verdict.title, verdict.reason);
    let cause = match reason {
        // Their titles don't tell one from the other.
        Reason::LocalError | Reason::SecretUnavailable => format!(": {}", verdict.cause),
        _ => String::new(),
    };
    let text = format!("{name}: {title} ({reason}{until}{gap}{more}){cause}");
    text.replace('|', "/").replace(['\n', '\r'], " ")
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::domain::{AnsweredBy, Checks, Name, Phases, Reason, Remedy, ServiceId, Who};

    fn of(name: &str, reason: Reason) -> Verdict {
        Verdict {
            connection: Some(Name::parse(name).unwrap()),
            service: ServiceId::http(),
            url: "https://a.example".to_owned(),
            reason,
            status: 0,
            title: reason.title().to_owned(),
            cause: String::new(),
            answered_by: AnsweredBy::Nobody,
            evidence: Vec::new(),
            remedy: Remedy {
                who: Who::You,
                steps: Vec::new(),
                snippet: None,
                url: None,
                doc: None,
            },
            checks: Checks::default(),
            addresses: Vec::new(),
            phases: Phases {
                total: Some(Duration::from_millis(42)),
                ..Phases::default()
            },
            tls: None,
            identity: None,
            service_version: None,
            redirects: Vec::new(),
            retry_at: None,
            changed_since_last_good: Vec::new(),
            at: jiff::Timestamp::UNIX_EPOCH,
        }
    }

    #[test]
    fn the_first_line_of_several_is_of_the_worst_and_holds_all_figures() {
        let verdicts = [of("shop", Reason::Connected), of("it's", Reason::Refused)];
        let text = several(&verdicts);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(
            lines[0],
            "SWITCHBOARD CRITICAL - 1 down, 1 up: it's (refused) | 'shop total'=42ms 'it''s total'=42ms"
        );
        assert!(lines[1].starts_with("CRITICAL - it's: "), "{text}");
        assert!(lines[2].starts_with("OK - shop: "), "{text}");
        assert_eq!(text.matches('|').count(), 1, "{text}");
        assert_eq!(lines.len(), 3);
    }

    #[test]
    fn what_this_machine_failed_of_is_told() {
        let mut verdict = of("shop", Reason::LocalError);
        verdict.cause = "line 3 |\nis none".to_owned();
        let text = line(&verdict);
        assert!(
            text.contains("(local-error): line 3 / is none | "),
            "{text}"
        );
        assert_eq!(text.lines().count(), 1, "{text}");
    }

    #[test]
    fn a_notification_names_a_few() {
        let verdicts: Vec<_> = (0..8)
            .map(|n| of(&format!("n{n}"), Reason::Refused))
            .collect();
        let text = several(&verdicts);
        assert!(text.contains("8 down: n0 (refused), "), "{text}");
        assert!(text.contains("n4 (refused) and 3 more |"), "{text}");
        assert_eq!(several(&verdicts[..1]), line(&verdicts[0]));
    }
}
