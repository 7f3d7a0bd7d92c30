//! Times in an answer: when to ask again, and how far its clock is from ours.

use std::time::Duration;

use jiff::fmt::rfc2822::DateTimeParser;
use jiff::{SignedDuration, Timestamp};

use crate::domain::{Outcome, Reply, Response};

/// A `Retry-After` beyond this is cut: nobody waits longer on a server's word.
const LONGEST: SignedDuration = SignedDuration::from_hours(24);
/// Where a 429 names no time.
const UNNAMED: SignedDuration = SignedDuration::from_secs(60);
/// From here on two clocks differ: the shared token's own limit.
const SKEW: SignedDuration = SignedDuration::from_secs(45);

/// When a reply allows the next try; see [`quiet_until`].
pub(in crate::service) fn retry_at(reply: &Reply) -> Option<Timestamp> {
    let response = response(reply)?;
    quiet_until(
        response.status,
        |name| response.header(name),
        ended_at(reply),
    )
}

/// Until when an answer of this `status` that ended at `from` asks for quiet: the `Retry-After` (seconds or an
/// HTTP date) of a 429 or a 5xx, a day at the most, and a minute where a 429 names no time that is to come.
pub fn quiet_until<'a>(
    status: u16,
    header: impl Fn(&str) -> Option<&'a str>,
    from: Timestamp,
) -> Option<Timestamp> {
    let wait = match status {
        429 | 500..=599 => header("retry-after").and_then(|value| wait(value, &header, from)),
        _ => None,
    };
    let wait = wait.or((status == 429).then_some(UNNAMED))?;
    from.saturating_add(wait.min(LONGEST)).ok()
}

/// How long a `Retry-After` asks to wait. A date counts from the answer's own (RFC 9110, 10.2.3), as the server's clock
/// need not be this machine's; one that an answer out of a cache carries is `Age` older.
fn wait<'a>(
    value: &str,
    header: &impl Fn(&str) -> Option<&'a str>,
    from: Timestamp,
) -> Option<SignedDuration> {
    let value = value.trim();
    if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
        let seconds = value.parse::<i64>().unwrap_or(i64::MAX);
        return Some(SignedDuration::from_secs(seconds));
    }
    let age = header("age").and_then(|age| age.trim().parse::<u32>().ok());
    let age = SignedDuration::from_secs(age.unwrap_or(0).into());
    let there = header("date").and_then(date);
    let there = there.map_or(Some(from), |there| there.saturating_add(age).ok());
    let wait = date(value)?.duration_since(there?);
    wait.is_positive().then_some(wait)
}

fn date(value: &str) -> Option<Timestamp> {
    DateTimeParser::new().parse_timestamp(value.trim()).ok()
}

/// How far the server's clock is ahead of ours (negative: behind), where that is more than 45 s. A cached
/// answer (`Age`) says nothing about it.
pub(in crate::service) fn skew(reply: &Reply) -> Option<SignedDuration> {
    let response = response(reply)?;
    if response.header("age").is_some() {
        return None;
    }
    let skew = date(response.header("date")?)?.duration_since(ended_at(reply));
    (skew.abs() > SKEW).then_some(skew)
}

/// One line about clocks that differ.
pub(in crate::service) fn skew_line(skew: SignedDuration) -> String {
    let seconds = skew.abs().as_secs();
    let amount = match seconds {
        0..120 => format!("{seconds} s"),
        120..7200 => format!("{} min", seconds / 60),
        7200..172_800 => format!("{} h", seconds / 3600),
        _ => format!("{} days", seconds / 86_400),
    };
    let side = if skew.is_negative() {
        "behind"
    } else {
        "ahead of"
    };
    format!("the server's clock is {amount} {side} this machine's")
}

/// When a reply ended: its start and the time it took, as near as that is known.
pub(in crate::service) fn ended_at(reply: &Reply) -> Timestamp {
    let took = reply.phases.total.unwrap_or(Duration::ZERO);
    SignedDuration::try_from(took)
        .ok()
        .and_then(|took| reply.at.saturating_add(took).ok())
        .unwrap_or(reply.at)
}

/// The response of a reply, whole or cut.
pub(in crate::service) fn response(reply: &Reply) -> Option<&Response> {
    match &reply.outcome {
        Outcome::Answered(response) | Outcome::Cut(response, _) => Some(response),
        Outcome::Reached | Outcome::Failed(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Phases;

    fn reply(status: u16, headers: &[(&str, &str)]) -> Reply {
        Reply {
            at: "2026-11-23T10:00:00Z".parse().unwrap(),
            phases: Phases::default(),
            addresses: Vec::new(),
            tls: None,
            proxy: None,
            sent: true,
            wants_http1: false,
            repeated: None,
            outcome: Outcome::Answered(Response {
                status,
                headers: headers
                    .iter()
                    .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                    .collect(),
                body: Vec::new(),
            }),
        }
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        for (status, value, expected) in [
            (429, "30", Some("2026-11-23T10:00:30Z")),
            (
                429,
                "Mon, 23 Nov 2026 10:05:00 GMT",
                Some("2026-11-23T10:05:00Z"),
            ),
            (
                429,
                "Mon, 23 Nov 2020 10:05:00 GMT",
                Some("2026-11-23T10:01:00Z"),
            ),
            (429, "0", Some("2026-11-23T10:00:00Z")),
            (503, "Mon, 23 Nov 2020 10:05:00 GMT", None),
            (429, "99999999999999999999999", Some("2026-11-24T10:00:00Z")),
            (429, "soon", Some("2026-11-23T10:01:00Z")),
            (503, "120", Some("2026-11-23T10:02:00Z")),
            (503, "soon", None),
            (200, "120", None),
        ] {
            let at = retry_at(&reply(status, &[("retry-after", value)]));
            assert_eq!(at, expected.map(|e| e.parse().unwrap()), "{status} {value}");
        }
    }

    #[test]
    fn a_date_to_retry_at_counts_from_the_answers_own() {
        let behind = ("date", "Mon, 23 Nov 2026 00:00:00 GMT");
        let ahead = ("date", "Tue, 24 Nov 2026 04:00:00 GMT");
        for (status, retry, further, expected) in [
            (
                429,
                "Mon, 23 Nov 2026 00:10:00 GMT",
                &[behind][..],
                "2026-11-23T10:10:00Z",
            ),
            (
                429,
                "Tue, 24 Nov 2026 04:01:00 GMT",
                &[ahead],
                "2026-11-23T10:01:00Z",
            ),
            (
                503,
                "Tue, 24 Nov 2026 04:05:00 GMT",
                &[ahead],
                "2026-11-23T10:05:00Z",
            ),
            // Two of its ten minutes have passed in a cache.
            (
                429,
                "Mon, 23 Nov 2026 00:10:00 GMT",
                &[behind, ("age", "120")],
                "2026-11-23T10:08:00Z",
            ),
            (
                429,
                "Sun, 22 Nov 2026 23:00:00 GMT",
                &[behind],
                "2026-11-23T10:01:00Z",
            ),
            (
                429,
                "Mon, 23 Nov 2026 10:05:00 GMT",
                &[("date", "today")],
                "2026-11-23T10:05:00Z",
            ),
        ] {
            let mut headers = vec![("retry-after", retry)];
            headers.extend(further);
            let at = retry_at(&reply(status, &headers));
            assert_eq!(at, Some(expected.parse().unwrap()), "{headers:?}");
        }
    }

    #[test]
    fn clocks_are_compared() {
        let skew = |headers: &[(&str, &str)]| skew(&reply(200, headers)).map(skew_line);
        assert_eq!(skew(&[("date", "Mon, 23 Nov 2026 10:00:40 GMT")]), None);
        assert_eq!(
            skew(&[("date", "Mon, 23 Nov 2026 10:05:00 GMT")]).unwrap(),
            "the server's clock is 5 min ahead of this machine's"
        );
        assert_eq!(
            skew(&[("date", "Mon, 23 Nov 2026 09:58:59 GMT")]).unwrap(),
            "the server's clock is 61 s behind this machine's"
        );
        assert_eq!(
            skew(&[("date", "Mon, 23 Nov 2026 09:00:00 GMT"), ("age", "1")]),
            None
        );
        assert_eq!(skew(&[("date", "yesterday")]), None);
    }
}
