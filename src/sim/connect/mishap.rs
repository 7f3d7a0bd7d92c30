//! What may go wrong with single requests of this API: planned by tests, and by people who rehearse.

use super::super::behaviour::Fault;
use super::super::http::{Answer, Request, decoded};
use super::{BASE, error};

/// What goes wrong with one request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mishap {
    /// Nothing is done, and this is answered.
    Instead(Answer),
    /// Nothing is done, and no answer comes.
    Before(Fault),
    /// All is done, and the answer is lost on the way.
    After(Fault),
}

impl Mishap {
    /// 429; seconds to wait where given.
    pub fn throttled(retry_after_s: Option<u32>) -> Self {
        let answer = error(429, "THROTTLED", "Request was throttled.");
        Self::Instead(match retry_after_s {
            Some(seconds) => answer.with("Retry-After", &seconds.to_string()),
            None => answer,
        })
    }

    /// 500 in plain text, as it comes where the application itself has failed.
    pub fn failed() -> Self {
        Self::Instead(Answer::new(500, "text/plain", "Internal Server Error"))
    }
}

/// Mishaps that are still to come, each for the first request that it fits.
#[derive(Debug, Default)]
pub(super) struct MishapPlan(Vec<(String, Mishap)>);

impl MishapPlan {
    /// `at` is a method and the beginning of a path behind the base, such as `POST /auth/tokens/SU-1/renew`;
    /// empty fits every request.
    pub(super) fn add(&mut self, at: &str, mishap: Mishap) {
        self.0.push((at.to_owned(), mishap));
    }

    /// Takes the first mishap that fits `request` out of the plan.
    pub(super) fn next(&mut self, request: &Request) -> Option<Mishap> {
        let path = decoded(&request.path);
        let path = path.strip_prefix(BASE).unwrap_or(&path);
        let asked = format!("{} {path}", request.method);
        let position = self.0.iter().position(|(at, _)| asked.starts_with(at))?;
        Some(self.0.remove(position).1)
    }
}
