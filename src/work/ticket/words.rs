//! The words of a ticket: a function of the case and its reader.

use std::fmt::Write;

use super::asked::asked_of;
use super::{Audience, Case, Freshness, cms};
use crate::domain::reply::milliseconds;
use crate::domain::text::inert;
use crate::domain::verdict::whole_seconds;
use crate::domain::{AnsweredBy, CheckId, Endpoint, HandleSlot, State, Verdict, Who, shape};
use crate::service::import::curl::KEY_VARIABLE;

/// The ticket as plain text, the last line with its end.
pub(super) fn ticket(case: &Case<'_>, reader: Audience) -> String {
    let mut text = String::new();
    // Writing to a String does not fail.
    let _ = write(&mut text, case, reader);
    let mut text = without_values(&text);
    // The command shall do as it says: what is no business of its reader was left out before.
    let _ = reproduce(&mut text, case).and_then(|()| end(&mut text, case));
    text
}

/// `text` with `…` for each value of a URL's query: some services take a key there.
pub(super) fn without_values(text: &str) -> String {
    let mut parts = text.split('?');
    let mut shown = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let ends = |c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '<' | '>');
        let (query, rest) = part.split_at(part.find(ends).unwrap_or(part.len()));
        let pairs: Vec<_> = query.split('&').map(without_value).collect();
        shown.push('?');
        shown.push_str(&pairs.join("&"));
        shown.push_str(rest);
    }
    shown
}

fn without_value(pair: &str) -> String {
    match pair.split_once('=') {
        Some((name, _)) => format!("{name}=…"),
        None => pair.to_owned(),
    }
}

fn write(text: &mut String, case: &Case<'_>, reader: Audience) -> std::fmt::Result {
    head(text, case, reader)?;
    happened(text, case)?;
    match reader {
        Audience::Host => asked_of_host(text, case)?,
        Audience::Vendor => asked_of_vendor(text, case)?,
        Audience::Me => next_steps(text, case)?,
    }
    if let (Some(_), Audience::Host | Audience::Vendor) = (&case.cms, reader) {
        // How the service was reached and what it knows of the account is no business of the CMS's.
        return cms::evidence(text, case);
    }
    evidence(text, case)?;
    way(text, case)?;
    certificates(text, case)?;
    tried(text, case)?;
    if reader == Audience::Me {
        history(text, case)?;
    }
    Ok(())
}

/// Whether a request went out. Nobody is told of an answer that was not given to what was not asked.
pub(super) fn was_asked(verdict: &Verdict) -> bool {
    let waited = verdict.phases.wait.is_some();
    verdict.status > 0 || waited || verdict.checks.get(CheckId::Http).state != State::Unknown
}

fn host(case: &Case<'_>) -> String {
    if let Some(asked) = &case.cms {
        return asked.cms.host();
    }
    Endpoint::parse(&case.verdict.url).map_or_else(|_| "the host".to_owned(), |url| url.host())
}

fn head(text: &mut String, case: &Case<'_>, reader: Audience) -> std::fmt::Result {
    let verdict = case.verdict;
    let status = match verdict.status {
        _ if case.cms.is_some() => "the shared token".to_owned(),
        _ if !was_asked(verdict) => "no HTTP request".to_owned(),
        0 => "no HTTP answer".to_owned(),
        status => format!("HTTP status {status}"),
    };
    let host = host(case);
    writeln!(text, "{host}: {} ({status})", verdict.title)?;
    let to = match reader {
        Audience::Host => format!("To: {}", who(Who::Host, case)),
        Audience::Vendor => format!("To: {}", who(Who::Vendor, case)),
        Audience::Me => format!("Connection: {}", case.connection.name),
    };
    writeln!(text, "{to}\n")
}

fn happened(text: &mut String, case: &Case<'_>) -> std::fmt::Result {
    let verdict = case.verdict;
    writeln!(text, "What happened")?;
    let by = match verdict.answered_by {
        AnsweredBy::Service => format!("answered by {}", case.service),
        AnsweredBy::WebServer => "answered by the web server, before the service saw it".to_owned(),
        AnsweredBy::Cdn => "answered by a content delivery network in front of the host".to_owned(),
        AnsweredBy::Waf => "answered by a firewall application in front of the service".to_owned(),
        AnsweredBy::Proxy => "answered by a proxy on the way".to_owned(),
        AnsweredBy::Nobody => "not answered".to_owned(),
        AnsweredBy::Unknown => "answered, and it is not known by whom".to_owned(),
    };
    let at = whole_seconds(verdict.at);
    let how = match case.freshness {
        Freshness::Fresh => "a probe made for this report",
        Freshness::Last => "the last probe before this report",
    };
    writeln!(text, "  {at} (UTC), {how}")?;
    match &case.cms {
        Some(asked) => writeln!(text, "  GET {} {}.", asked.page, cms::ended(verdict.reason))?,
        None if !was_asked(verdict) => writeln!(
            text,
            "  The call of the API at {} was not sent.",
            verdict.url
        )?,
        // The call itself stands in the command below.
        None => writeln!(text, "  A call of the API at {} was {by}.", verdict.url)?,
    }
    if !verdict.cause.is_empty() {
        writeln!(text, "  {}", verdict.cause)?;
    }
    writeln!(
        text,
        "  Reason in switchboard's words: {}\n",
        verdict.reason.id()
    )
}

fn asked_of_host(text: &mut String, case: &Case<'_>) -> std::fmt::Result {
    let verdict = case.verdict;
    writeln!(text, "What we ask you for")?;
    if verdict.remedy.who == Who::Host {
        let host = host(case);
        let asked = asked_of(&verdict.remedy.steps, &host);
        if asked.is_empty() {
            writeln!(text, "  Please see what your logs say of the time above.")?;
        }
        steps(text, case, &asked)?;
    } else if verdict.state() == State::Ok {
        writeln!(text, "  Nothing: it works from here.\n")?;
    } else if !was_asked(verdict) {
        let who = who(verdict.remedy.who, case);
        writeln!(text, "  Nothing yet: {who} must act.\n")?;
    } else {
        writeln!(
            text,
            "  From here it looks as if {} must act. Please check whether your logs say otherwise\n  \
             for the time above.\n",
            who(verdict.remedy.who, case)
        )?;
    }
    refused(text, case)
}

/// The addresses of the host that took no connection.
fn refused(text: &mut String, case: &Case<'_>) -> std::fmt::Result {
    // Where this side must act, its addresses are no business of the host's; those of the service, not of a CMS's.
    if case.verdict.remedy.who == Who::You || case.cms.is_some() {
        return Ok(());
    }
    let down: Vec<String> = case
        .verdict
        .addresses
        .iter()
        .filter(|address| address.state == State::Down)
        .map(|address| address.address.to_string())
        .collect();
    if down.is_empty() {
        return Ok(());
    }
    writeln!(
        text,
        "  No connection was made to {}: please see that it is open for us.\n",
        down.join(", ")
    )
}

fn asked_of_vendor(text: &mut String, case: &Case<'_>) -> std::fmt::Result {
    let verdict = case.verdict;
    writeln!(text, "What your service is and says")?;
    if let Some(asked) = &case.cms {
        return cms::asked_of_vendor(text, case, asked);
    }
    let version = verdict.service_version.as_deref().unwrap_or("not told");
    writeln!(text, "  {}, version {version}", case.service)?;
    if let Some(identity) = &verdict.identity {
        let parts = [&identity.id, &identity.name, &identity.host];
        let parts: Vec<&str> = parts.into_iter().flatten().map(String::as_str).collect();
        writeln!(text, "  account: {}", parts.join(" · "))?;
    }
    if !case.connection.username.is_empty() {
        let username = shape::shown_username(&case.connection.username);
        writeln!(text, "  as: {}", inert(&username, 128))?;
    }
    writeln!(text)?;
    if verdict.remedy.who == Who::Vendor {
        writeln!(text, "What we ask you for")?;
        steps(text, case, &verdict.remedy.steps)?;
    }
    Ok(())
}

fn next_steps(text: &mut String, case: &Case<'_>) -> std::fmt::Result {
    let verdict = case.verdict;
    writeln!(text, "What to do next")?;
    if verdict.remedy.steps.is_empty() {
        writeln!(text, "  Nothing.\n")?;
    } else {
        writeln!(text, "  For {}:", who(verdict.remedy.who, case))?;
        steps(text, case, &verdict.remedy.steps)?;
    }
    if let Some(url) = &verdict.remedy.url {
        writeln!(text, "  Corrected URL: {url}\n")?;
    }
    if let Some(until) = verdict.retry_at {
        writeln!(
            text,
            "  No key is sent before {} (UTC), so that nobody is locked out.\n",
            whole_seconds(until)
        )?;
    }
    Ok(())
}

fn who(who: Who, case: &Case<'_>) -> String {
    match who {
        Who::You => "whoever keeps the connection".to_owned(),
        Who::Host if case.cms.is_some() => format!("whoever runs the CMS at {}", host(case)),
        Who::Vendor if case.cms.is_some() => "the makers of the bridge in the CMS".to_owned(),
        Who::Host => format!("whoever runs {}", host(case)),
        Who::Vendor => format!("the makers of {}", case.service),
    }
}

pub(super) fn steps(text: &mut String, case: &Case<'_>, steps: &[String]) -> std::fmt::Result {
    let remedy = &case.verdict.remedy;
    for (number, step) in steps.iter().enumerate() {
        writeln!(text, "  {}. {step}", number + 1)?;
    }
    for line in remedy.snippet.iter().flat_map(|snippet| snippet.lines()) {
        writeln!(text, "       {line}")?;
    }
    if let Some(doc) = &remedy.doc {
        writeln!(text, "  More: {doc}")?;
    }
    writeln!(text)
}

fn evidence(text: &mut String, case: &Case<'_>) -> std::fmt::Result {
    let verdict = case.verdict;
    if verdict.evidence.is_empty() && verdict.changed_since_last_good.is_empty() {
        return Ok(());
    }
    writeln!(text, "What says so")?;
    for line in &verdict.evidence {
        writeln!(text, "  - {line}")?;
    }
    for line in &verdict.changed_since_last_good {
        writeln!(text, "  - changed since it last worked: {line}")?;
    }
    writeln!(text)
}

fn way(text: &mut String, case: &Case<'_>) -> std::fmt::Result {
    let verdict = case.verdict;
    writeln!(text, "The way there")?;
    for address in &verdict.addresses {
        let word = match address.state {
            State::Ok => "connected",
            State::Down => "no connection",
            State::Warn | State::Unknown => "not tried",
        };
        let time = address
            .ms
            .map_or_else(String::new, |ms| format!(", {ms:.1} ms"));
        writeln!(text, "  {}  {word}{time}", address.address)?;
    }
    if verdict.addresses.is_empty() {
        let is_asked = verdict.checks.get(CheckId::Dns).state != State::Unknown;
        let word = if is_asked { "no address" } else { "not tried" };
        writeln!(text, "  {word}")?;
    }
    let parts = verdict.phases.parts();
    let times: Vec<String> = parts
        .iter()
        .filter_map(|(word, time)| Some(format!("{word} {} ms", milliseconds((*time)?))))
        .collect();
    if !times.is_empty() {
        writeln!(text, "  {}", times.join(", "))?;
    }
    for target in &verdict.redirects {
        writeln!(text, "  redirected to {target} (not followed with the key)")?;
    }
    writeln!(text)
}

fn certificates(text: &mut String, case: &Case<'_>) -> std::fmt::Result {
    let Some(tls) = &case.verdict.tls else {
        return Ok(());
    };
    let version = tls.version.as_deref().unwrap_or("TLS, not agreed");
    let verified = if tls.verified {
        "verified"
    } else {
        "not verified"
    };
    writeln!(text, "Certificates ({version}, {verified})")?;
    for (number, one) in tls.chain.iter().enumerate() {
        writeln!(text, "  {number}: {}", one.subject)?;
        writeln!(text, "     issued by {}", one.issuer)?;
        writeln!(
            text,
            "     valid {} to {}",
            whole_seconds(one.not_before),
            whole_seconds(one.not_after)
        )?;
        if !one.names.is_empty() {
            let names = inert(&one.names.join(", "), 400);
            writeln!(text, "     for {names}")?;
        }
        writeln!(text, "     SHA-256 {}", one.fingerprint)?;
    }
    writeln!(text)
}

fn tried(text: &mut String, case: &Case<'_>) -> std::fmt::Result {
    writeln!(text, "What was tried")?;
    for check in case.verdict.checks.iter() {
        let Some(detail) = &check.detail else {
            continue;
        };
        let word = match check.state {
            State::Ok => "ok",
            State::Warn => "check",
            State::Down => "failed",
            State::Unknown => "not asked",
        };
        writeln!(text, "  {:9} {word:9} {detail}", check.id.word())?;
    }
    writeln!(text)
}

fn history(text: &mut String, case: &Case<'_>) -> std::fmt::Result {
    let Some(history) = &case.history else {
        return Ok(());
    };
    let Some(standing) = history.standing else {
        return Ok(());
    };
    writeln!(text, "Before")?;
    writeln!(
        text,
        "  {} since {} (UTC)",
        standing.state.word(),
        whole_seconds(standing.since)
    )?;
    let good = history.strip.iter().rev();
    let mut good = good.filter(|run| run.reason.state() == State::Ok);
    if let Some(run) = good.next() {
        writeln!(text, "  last good result {} (UTC)", whole_seconds(run.at))?;
    }
    let failed = history.strip.iter();
    let failed = failed.filter(|run| run.reason.state() != State::Ok).count();
    writeln!(
        text,
        "  of the last {} results {failed} were not good",
        history.strip.len()
    )?;
    if let Some(day) = history.availability.day {
        writeln!(text, "  available over 24 hours: {:.2} %", day * 100.0)?;
    }
    writeln!(text)
}

fn reproduce(text: &mut String, case: &Case<'_>) -> std::fmt::Result {
    if let Some(asked) = &case.cms {
        return cms::reproduce(text, case, asked);
    }
    let Some(curl) = &case.curl else {
        return Ok(());
    };
    let keyed = if !curl.contains(KEY_VARIABLE) {
        " (no key is sent)".to_owned()
    } else if case.verdict.status == 401 {
        format!(" (the key is read from ${KEY_VARIABLE}; each run is one more refusal of it there)")
    } else {
        format!(" (the key is read from ${KEY_VARIABLE})")
    };
    writeln!(text, "To see the same{keyed}")?;
    writeln!(text, "  {curl}\n")
}

fn end(text: &mut String, case: &Case<'_>) -> std::fmt::Result {
    let note = match case.freshness {
        Freshness::Fresh => "from a fresh probe",
        Freshness::Last => "from the last probe",
    };
    writeln!(
        text,
        "Written by switchboard {} {note}. All times are UTC. {}",
        env!("CARGO_PKG_VERSION"),
        compared(&case.uncompared)
    )
}

/// What the scan has shown, and no more than that.
fn compared(unread: &[HandleSlot]) -> String {
    if unread.is_empty() {
        return "No key, token or password is in it.".to_owned();
    }
    let unread: Vec<_> = unread.iter().map(|slot| format!("its {slot}")).collect();
    let unread = unread.join(", ");
    format!(
        "Nothing in it has the shape of a key, token or password; not read, so not compared: {unread}."
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_values_of_a_query_stay_here() {
        for (text, expected) in [
            (
                "GET https://e.com/v1?api_key=supersecret&page=2 was answered.",
                "GET https://e.com/v1?api_key=…&page=… was answered.",
            ),
            (
                "  curl -sS -i 'https://e.com/?k=supersecret'",
                "  curl -sS -i 'https://e.com/?k=…'",
            ),
            ("a typing error? x=1", "a typing error? x=1"),
            ("/index.php?$args;", "/index.php?$args;"),
            ("nothing", "nothing"),
        ] {
            assert_eq!(without_values(text), expected);
        }
    }
}
