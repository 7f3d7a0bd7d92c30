//! A verdict in blackbox exporter's words, so that its dashboards and alerts fit, with the reason beside it.
//!
//! Names and meaning as in blackbox exporter 0.23 (`prober/http.go`). What was not found out is left out;
//! its phases alone are 0 then, as they are there. `switchboard_failure_info` is always there: its labels
//! are the closed vocabulary of reasons.

use std::time::Duration;

use super::exposition::{Exposition, Kind};
use crate::domain::{Phases, State, TlsFacts, Verdict};

/// The metrics of one probe that took `took` in all.
/// `planned`: within a maintenance window.
pub(super) fn metrics(verdict: &Verdict, took: Duration, planned: bool) -> String {
    let mut text = Exposition::default();
    let success = f64::from(u8::from(verdict.reason.works()));
    text.gauge(
        "probe_success",
        "Displays whether or not the probe was a success",
        success,
    );
    text.gauge(
        "probe_duration_seconds",
        "Returns how long the probe took to complete in seconds",
        took.as_secs_f64(),
    );
    failure(&mut text, verdict);
    text.gauge(
        "switchboard_maintenance",
        "1 within a maintenance window of the connection: a failure is planned",
        f64::from(u8::from(planned)),
    );
    phases(&mut text, &verdict.phases);
    text.gauge(
        "probe_http_status_code",
        "Response HTTP status code",
        f64::from(verdict.status),
    );
    text.gauge(
        "probe_http_redirects",
        "The number of redirects",
        count(verdict.redirects.len()),
    );
    address(&mut text, verdict);
    let over_tls = verdict.tls.is_some();
    text.gauge(
        "probe_http_ssl",
        "Indicates if SSL was used for the final redirect",
        f64::from(u8::from(over_tls)),
    );
    if let Some(facts) = &verdict.tls {
        tls(&mut text, facts);
    }
    if let Some(at) = verdict.retry_at {
        text.gauge(
            "switchboard_retry_at_timestamp_seconds",
            "When the key, or a request at all, is sent again",
            seconds(at),
        );
    }
    text.into_text()
}

fn failure(text: &mut Exposition, verdict: &Verdict) {
    text.family(
        "switchboard_failure_info",
        "Why the probe ended as it did, who answered, and the state that this means",
        Kind::Gauge,
    );
    let labels = [
        ("reason", verdict.reason.id()),
        ("answered_by", verdict.answered_by.id()),
        ("state", verdict.state().id()),
    ];
    text.sample("switchboard_failure_info", &labels, 1.0);
    text.family(
        "switchboard_state",
        "The state of the connection: one of them is 1",
        Kind::Gauge,
    );
    for state in State::ALL {
        let is = f64::from(u8::from(state == verdict.state()));
        text.sample("switchboard_state", &[("state", state.id())], is);
    }
}

fn phases(text: &mut Exposition, phases: &Phases) {
    let seconds = |phase: Option<Duration>| phase.unwrap_or_default().as_secs_f64();
    text.gauge(
        "probe_dns_lookup_time_seconds",
        "Returns the time taken for probe dns lookup in seconds",
        seconds(phases.dns),
    );
    let name = "probe_http_duration_seconds";
    text.family(
        name,
        "Duration of http request by phase, summed over all redirects",
        Kind::Gauge,
    );
    for (phase, time) in [
        ("resolve", phases.dns),
        ("connect", phases.connect),
        ("tls", phases.tls),
        ("processing", phases.wait),
        ("transfer", phases.body),
    ] {
        text.sample(name, &[("phase", phase)], seconds(time));
    }
}

fn address(text: &mut Exposition, verdict: &Verdict) {
    let used = verdict
        .addresses
        .iter()
        .find(|address| address.state == State::Ok);
    if let Some(used) = used {
        let protocol = if used.address.is_ipv4() { 4.0 } else { 6.0 };
        text.gauge(
            "probe_ip_protocol",
            "Specifies whether probe ip protocol is IP4 or IP6",
            protocol,
        );
    }
}

fn tls(text: &mut Exposition, facts: &TlsFacts) {
    let earliest = facts.chain.iter().map(|one| one.not_after).min();
    if let Some(earliest) = earliest {
        text.gauge(
            "probe_ssl_earliest_cert_expiry",
            "Returns last SSL chain expiry in unixtime",
            seconds(earliest),
        );
    }
    if let Some(leaf) = facts.chain.first() {
        let name = "probe_ssl_last_chain_info";
        text.family(
            name,
            "Contains SSL leaf certificate information",
            Kind::Gauge,
        );
        let names = leaf.names.join(",");
        let labels = [
            ("fingerprint_sha256", leaf.fingerprint.as_str()),
            ("issuer", leaf.issuer.as_str()),
            ("subject", leaf.subject.as_str()),
            ("subjectalternative", names.as_str()),
        ];
        text.sample(name, &labels, 1.0);
    }
    if let Some(version) = &facts.version {
        let name = "probe_tls_version_info";
        text.family(
            name,
            "Returns the TLS version used or NaN when unknown",
            Kind::Gauge,
        );
        let version = version.replace("TLSv", "TLS ");
        text.sample(name, &[("version", &version)], 1.0);
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "seconds since 1970 are exact in a float for ever"
)]
fn seconds(at: jiff::Timestamp) -> f64 {
    at.as_second() as f64
}

fn count(number: usize) -> f64 {
    f64::from(u32::try_from(number).unwrap_or(u32::MAX))
}
