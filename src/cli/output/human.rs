//! A verdict for people: who answered, why, and what to do about it.

use std::fmt::Write;

use jiff::Timestamp;

use crate::domain::reply::milliseconds;
use crate::domain::text::{harmless, shell_word};
use crate::domain::{CheckId, Conclusion, SecondOpinion, State, Verdict, Who};

/// Whether colours are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Colours {
    /// Glyph, word and colour.
    On,
    /// Glyph and word.
    Off,
}

/// `verdict` as lines, the last one with its end.
pub fn verdict(verdict: &Verdict, colours: Colours) -> String {
    let mut text = String::new();
    // Writing to a String does not fail.
    let _ = write_verdict(&mut text, verdict);
    // The lamp alone may say something to the terminal.
    lamp(verdict.state(), colours) + &harmless(&text)
}

fn write_verdict(text: &mut String, verdict: &Verdict) -> std::fmt::Result {
    let name = verdict
        .connection
        .as_ref()
        .map_or(verdict.url.as_str(), |name| name.as_str());
    let state = verdict.state();
    match name {
        "" => writeln!(text, ": {}", verdict.title)?,
        name => writeln!(text, " {name}: {}", verdict.title)?,
    }
    writeln!(text, "  {}", facts(verdict))?;
    if verdict.connection.is_some() {
        writeln!(text, "  {}", verdict.url)?;
    }
    writeln!(text, "  {}", ladder(verdict))?;
    if let Some(phases) = phases(verdict) {
        writeln!(text, "  {phases}")?;
    }
    // First: what differs from the last good run is most often the cause.
    for line in &verdict.changed_since_last_good {
        writeln!(text, "  changed since it last worked: {line}")?;
    }
    // Of what is up it says nothing new, unless there is something to be done about it.
    let is_news = state != State::Ok || !verdict.remedy.steps.is_empty();
    if !verdict.cause.is_empty() && is_news {
        writeln!(text, "\n  {}", verdict.cause)?;
    }
    for line in &verdict.evidence {
        writeln!(text, "  - {line}")?;
    }
    if let Some(until) = verdict.retry_at {
        let lifted = match &verdict.connection {
            Some(name) if verdict.can_be_resumed() => format!(
                "; `R` on the screen or `switchboard connection resume {}` lifts the pause",
                shell_word(name.as_str())
            ),
            Some(_) | None => String::new(),
        };
        writeln!(text, "  next try: {}{lifted}", when(until, verdict.at))?;
    }
    remedy(text, verdict)
}

/// Two verdicts beside each other, then what they say together.
pub fn side_by_side(here: &Verdict, opinion: &SecondOpinion, colours: Colours) -> String {
    let there = &opinion.verdict;
    let host = opinion.host.as_str();
    let time = |verdict: &Verdict| {
        let total = verdict.phases.total;
        total.map_or_else(
            || "–".to_owned(),
            |total| format!("{} ms", milliseconds(total)),
        )
    };
    let furthest = |verdict: &Verdict| {
        let ran = verdict
            .checks
            .iter()
            .filter(|check| check.state == State::Ok);
        ran.last().map_or("–", |check| check.id.word()).to_owned()
    };
    let plain = |verdict: &Verdict| lamp(verdict.state(), Colours::Off);
    let rows = [
        ("", "from here".to_owned(), format!("from {host}")),
        ("verdict", plain(here), plain(there)),
        (
            "reason",
            here.reason.id().to_owned(),
            there.reason.id().to_owned(),
        ),
        ("status", here.status.to_string(), there.status.to_string()),
        (
            "answered by",
            here.answered_by.id().to_owned(),
            there.answered_by.id().to_owned(),
        ),
        ("came as far as", furthest(here), furthest(there)),
        ("time", time(here), time(there)),
    ];
    let width = rows.iter().map(|(_, here, _)| here.chars().count()).max();
    let width = width.unwrap_or(0) + 3;
    let mut text = String::new();
    for (word, here, there) in rows {
        // Writing to a String does not fail.
        let _ = writeln!(text, "  {word:15} {here:width$}{there}");
    }
    let sentence = opinion.conclusion.sentence(&opinion.host);
    let strong = match colours {
        Colours::On => format!("\x1b[1m{sentence}\x1b[0m"),
        Colours::Off => sentence,
    };
    let _ = writeln!(text, "\n  {strong}");
    if opinion.conclusion == Conclusion::NotAsked {
        for line in std::iter::once(&there.cause).chain(&there.evidence) {
            let _ = writeln!(text, "  - {}", harmless(line));
        }
    }
    text
}

fn remedy(text: &mut String, verdict: &Verdict) -> std::fmt::Result {
    let remedy = &verdict.remedy;
    if !remedy.steps.is_empty() {
        writeln!(text, "\n  What to do ({}):", who(remedy.who))?;
        for (number, step) in remedy.steps.iter().enumerate() {
            writeln!(text, "  {}. {step}", number + 1)?;
        }
    }
    if let Some(snippet) = &remedy.snippet {
        writeln!(text)?;
        for line in snippet.lines() {
            writeln!(text, "      {line}")?;
        }
    }
    if let Some(url) = &remedy.url {
        writeln!(text, "  corrected URL: {url}")?;
    }
    if let Some(doc) = &remedy.doc {
        writeln!(text, "  more: {doc}")?;
    }
    Ok(())
}

/// Glyph and word, coloured where wished.
pub fn lamp(state: State, colours: Colours) -> String {
    let plain = format!("{} {}", state.glyph(), state.word());
    match colours {
        Colours::Off => plain,
        Colours::On => format!("\x1b[{}m{plain}\x1b[0m", colour(state)),
    }
}

const fn colour(state: State) -> u8 {
    match state {
        State::Ok => 32,
        State::Warn => 33,
        State::Down => 31,
        State::Unknown => 90,
    }
}

/// Who must act, for people.
pub const fn who(who: Who) -> &'static str {
    match who {
        Who::You => "you",
        Who::Host => "whoever runs the host",
        Who::Vendor => "the maker of the service",
    }
}

fn facts(verdict: &Verdict) -> String {
    let mut facts = vec![
        verdict.reason.id().to_owned(),
        format!("status {}", verdict.status),
    ];
    if let Some(total) = verdict.phases.total {
        facts.push(format!("{} ms", milliseconds(total)));
    }
    facts.push(format!("answered by {}", verdict.answered_by.id()));
    if let Some(version) = &verdict.service_version {
        facts.push(format!("{} {version}", verdict.service));
    }
    if let Some(identity) = verdict
        .identity
        .as_ref()
        .and_then(|identity| identity.name.as_ref())
    {
        facts.push(identity.clone());
    }
    if let Some(days) = verdict.certificate_days_left() {
        facts.push(match days {
            ..-2 => format!("certificate ended {} days ago", -days - 1),
            -2 => "certificate ended yesterday".to_owned(),
            -1 => "certificate ended today".to_owned(),
            0 => "certificate ends today".to_owned(),
            1 => "certificate ends tomorrow".to_owned(),
            _ => format!("certificate ends in {days} days"),
        });
    }
    facts.join(" · ")
}

fn ladder(verdict: &Verdict) -> String {
    let rung = |id: CheckId| {
        let mark = match verdict.checks.get(id).state {
            State::Ok => '✓',
            State::Warn => '!',
            State::Down => '✗',
            State::Unknown => '·',
        };
        format!("{mark} {}", id.word())
    };
    CheckId::ALL.map(rung).join(" ")
}

fn phases(verdict: &Verdict) -> Option<String> {
    let parts = verdict.phases.parts();
    let known = parts
        .iter()
        .filter_map(|(word, time)| Some((word, (*time)?)));
    let words: Vec<_> = known
        .map(|(word, time)| format!("{word} {} ms", milliseconds(time)))
        .collect();
    (!words.is_empty()).then(|| words.join(", "))
}

/// A time, with how far off it is: in seconds below two minutes.
fn when(until: Timestamp, now: Timestamp) -> String {
    let seconds = until.duration_since(now).as_secs().max(0);
    let left = match seconds {
        ..120 => format!("{seconds} s"),
        _ => format!("{} min", (seconds + 59) / 60),
    };
    let until = crate::domain::verdict::whole_seconds(until);
    format!("{until} (in {left})")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_near_is_told_in_seconds() {
        let now: Timestamp = "2026-11-23T10:00:00Z".parse().unwrap();
        for (until, told) in [
            ("2026-11-23T09:59:00Z", "2026-11-23T09:59:00Z (in 0 s)"),
            ("2026-11-23T10:00:20Z", "2026-11-23T10:00:20Z (in 20 s)"),
            ("2026-11-23T10:01:59Z", "2026-11-23T10:01:59Z (in 119 s)"),
            ("2026-11-23T10:02:00Z", "2026-11-23T10:02:00Z (in 2 min)"),
            ("2026-11-23T10:14:01Z", "2026-11-23T10:14:01Z (in 15 min)"),
        ] {
            assert_eq!(when(until.parse().unwrap(), now), told);
        }
    }
}
