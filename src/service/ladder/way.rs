//! The lower rungs: what a reply says of name, connection, TLS and HTTP, whatever was asked.

use crate::domain::reply::milliseconds;
use crate::domain::text::inert;
use crate::domain::{Address, CheckId, Checks, Endpoint, Failure, Outcome, Reply, State, TlsFacts};

use super::super::judge::{clock, failure, tls};

/// Milliseconds that a whole request took.
pub(super) fn took(reply: &Reply) -> Option<f64> {
    reply.phases.total.map(milliseconds)
}

/// How far a reply came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum BrokenOff {
    Locally,
    Dns,
    Connect,
    Tls,
    Http,
    Nowhere,
}

/// Writes down what `reply` says of the rungs from `dns` to `http`. Lines for people come back.
pub(super) fn note(checks: &mut Checks, endpoint: &Endpoint, reply: &Reply) -> Vec<String> {
    let broke = broke(reply, endpoint);
    let mut lines = Vec::new();
    if broke == BrokenOff::Locally {
        return lines;
    }
    let ms = |duration: Option<std::time::Duration>| duration.map(milliseconds);
    let wrong = failure::of(reply).map(|failure| failure::words(failure, reply));
    let wrong = wrong.unwrap_or_default();
    if broke == BrokenOff::Dns {
        checks.set(CheckId::Dns, State::Down, wrong, ms(reply.phases.dns));
        return lines;
    }
    if reply.proxy.is_none() {
        checks.set(
            CheckId::Dns,
            State::Ok,
            names(reply, endpoint),
            ms(reply.phases.dns),
        );
    }
    if broke == BrokenOff::Connect {
        checks.set(
            CheckId::Connect,
            State::Down,
            wrong,
            ms(reply.phases.connect),
        );
        return lines;
    }
    lines.extend(connected(checks, reply));
    if !endpoint.is_plain() {
        if broke == BrokenOff::Tls {
            checks.set(CheckId::Tls, State::Down, wrong, ms(reply.phases.tls));
            return lines;
        }
        let agreed = reply
            .tls
            .as_ref()
            .is_some_and(|facts| facts.version.is_some());
        if agreed || broke == BrokenOff::Nowhere {
            let (state, detail) = secured(reply.tls.as_ref(), reply);
            checks.set(CheckId::Tls, state, detail, ms(reply.phases.tls));
        }
    }
    match &reply.outcome {
        Outcome::Reached => {}
        Outcome::Failed(_) => checks.set(CheckId::Http, State::Down, wrong, ms(reply.phases.wait)),
        Outcome::Cut(response, failure) => {
            let detail = format!("{}, then {wrong}", response.status);
            let state = failure::cut(failure).reason.state();
            checks.set(CheckId::Http, state, detail, ms(reply.phases.wait));
        }
        Outcome::Answered(response) => {
            let skew = clock::skew(reply).map(clock::skew_line);
            let state = skew.as_ref().map_or(State::Ok, |_| State::Warn);
            let detail = skew.unwrap_or_else(|| response.status.to_string());
            checks.set(CheckId::Http, state, detail, ms(reply.phases.wait));
        }
    }
    lines
}

fn broke(reply: &Reply, endpoint: &Endpoint) -> BrokenOff {
    let Outcome::Failed(failure) = &reply.outcome else {
        return BrokenOff::Nowhere;
    };
    match failure {
        Failure::Local(_) => BrokenOff::Locally,
        Failure::DnsNotFound | Failure::DnsFailed => BrokenOff::Dns,
        Failure::Refused
        | Failure::ConnectTimeout
        | Failure::Unreachable
        | Failure::HostUnreachable
        | Failure::Proxy(_) => BrokenOff::Connect,
        // With TLS 1.3 a refused client certificate comes after the handshake; it stays TLS's.
        Failure::Tls(_) => BrokenOff::Tls,
        Failure::Reset | Failure::ClosedEarly
            if !endpoint.is_plain() && is_within_handshake(reply) =>
        {
            BrokenOff::Tls
        }
        Failure::Reset
        | Failure::ClosedEarly
        | Failure::ResponseTimeout
        | Failure::Http2 { .. }
        | Failure::NotHttp
        | Failure::HeadTooLarge
        | Failure::BadLength
        | Failure::BodyTooLarge
        | Failure::BadCoding => BrokenOff::Http,
    }
}

/// Whether the connection ended before TLS was agreed: nothing of HTTP went out.
fn is_within_handshake(reply: &Reply) -> bool {
    let facts = reply.tls.as_ref();
    !reply.sent && facts.is_none_or(|facts| facts.version.is_none())
}

fn names(reply: &Reply, endpoint: &Endpoint) -> String {
    match reply.addresses.as_slice() {
        [] => inert(&endpoint.host(), 80),
        [one] => one.address.ip().to_string(),
        [one, more @ ..] => format!("{} and {} more", one.address.ip(), more.len()),
    }
}

/// The connection stands; where one address family failed, that is a warning.
fn connected(checks: &mut Checks, reply: &Reply) -> Option<String> {
    let ms = reply.phases.connect.map(milliseconds);
    if let Some(family) = failed_family(&reply.addresses) {
        let line = format!("{family} does not answer, the other address family does");
        checks.set(CheckId::Connect, State::Warn, line.clone(), ms);
        return Some(line);
    }
    let reached = reply
        .addresses
        .iter()
        .find(|address| address.state == State::Ok);
    let detail = reached.map_or_else(|| "connected".to_owned(), |one| one.address.to_string());
    checks.set(CheckId::Connect, State::Ok, detail, ms);
    reply.addresses.iter().find_map(still_silent)
}

/// An address that was tried first and said nothing until another one answered: every client waits for it so.
fn still_silent(one: &Address) -> Option<String> {
    let waited = one.ms.filter(|_| one.state == State::Unknown)?;
    let ip = one.address.ip();
    Some(format!(
        "{ip} said nothing for {waited:.0} ms, then another address answered: who asks it first waits for that"
    ))
}

/// The family whose every tried address failed while the other one answers.
fn failed_family(addresses: &[Address]) -> Option<&'static str> {
    let states = |v6: bool| {
        addresses
            .iter()
            .filter(move |one| one.address.is_ipv6() == v6)
            .map(|one| one.state)
    };
    let failed = |v6: bool| {
        states(v6).any(|state| state == State::Down) && !states(v6).any(|state| state == State::Ok)
    };
    let works = |v6: bool| states(v6).any(|state| state == State::Ok);
    if failed(true) && works(false) {
        Some("IPv6")
    } else if failed(false) && works(true) {
        Some("IPv4")
    } else {
        None
    }
}

fn secured(facts: Option<&TlsFacts>, reply: &Reply) -> (State, String) {
    let version = facts
        .and_then(|facts| facts.version.clone())
        .unwrap_or_else(|| "TLS".to_owned());
    match tls::days_left(facts, reply.at) {
        Some(left) if left <= tls::EXPIRING => (
            State::Warn,
            format!("{version}, certificate ends in {}", tls::in_days(left)),
        ),
        Some(left) => (State::Ok, format!("{version}, {} left", tls::in_days(left))),
        None => (State::Ok, version),
    }
}
