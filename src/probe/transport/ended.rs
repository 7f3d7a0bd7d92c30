//! What came of a request without a response: of several addresses the failure that tells most.

use super::super::race::Ended;
use super::super::trace::Attempt;
use crate::domain::{Failure, Outcome};
use crate::http::failure::{self, Setting};

/// A race that ended without a response: reachability in order, or the failure that tells most.
pub(super) fn ended_without_head(
    ended: Ended,
    attempt: &Attempt,
    setting: Setting,
) -> Result<Outcome, Failure> {
    match ended {
        Ended::Deadline => Err(failure::out_of_time(&attempt.marks().progress(), setting)),
        Ended::Failed(failures) => failures
            .iter()
            .map(|(attempt, error)| {
                let marks = attempt.marks();
                if attempt.race.reach_only() && marks.joined.is_some() {
                    return Ok(Outcome::Reached);
                }
                Err(failure::before_head(error, &marks.progress(), setting))
            })
            .min_by_key(|result| result.as_ref().map_or_else(rank, |_| 0))
            .unwrap_or(Err(Failure::ClosedEarly)),
    }
}

/// Which of several addresses' failures is told: the one that shows most of the other side.
fn rank(failure: &Failure) -> u8 {
    match failure {
        Failure::Refused => 1,
        Failure::Reset => 2,
        Failure::ConnectTimeout => 3,
        Failure::DnsNotFound
        | Failure::DnsFailed
        | Failure::HostUnreachable
        | Failure::ClosedEarly
        | Failure::ResponseTimeout
        | Failure::Http2 { .. }
        | Failure::NotHttp
        | Failure::HeadTooLarge
        | Failure::BadLength
        | Failure::Tls(_)
        | Failure::BodyTooLarge
        | Failure::BadCoding
        | Failure::Proxy(_) => 4,
        Failure::Unreachable => 5,
        Failure::Local(_) => 6,
    }
}
