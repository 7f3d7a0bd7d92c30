//! The ladder: decides the next request from the answers so far, and ends in a verdict. It never waits.

use jiff::Timestamp;

use crate::domain::budget::AttemptEnd;
use crate::domain::{Checks, Secret};

use super::catalog::Service;
use super::step::{Answer, Step};
use super::subject::{Accepted, LastGood, Subject};

/// One run over one subject.
#[derive(Debug)]
pub struct Ladder {
    checks: Checks,
}

impl Ladder {
    /// Starts a run; `now` dates a verdict that needs no request.
    pub fn begin(service: &Service, subject: Subject, now: Timestamp) -> (Self, Step) {
        todo!()
    }

    /// Takes the answer to the last [`Step::Ask`].
    pub fn answer(&mut self, answer: Answer) -> Step {
        todo!()
    }

    /// What the rungs found so far, for live display.
    pub fn checks(&self) -> &Checks {
        &self.checks
    }

    /// Username and key as they are sent (a pasted pair is split): what the gate books an attempt under.
    /// Nothing where no key is at hand.
    pub fn pair(&self) -> Option<(&str, &Secret)> {
        None
    }

    /// How the last request that carried the key ended, once it was answered: what the gate settles with.
    pub fn attempt_end(&self) -> Option<AttemptEnd> {
        None
    }

    /// Until when the last answer's host asked for quiet (429, `Retry-After`).
    pub fn quiet_until(&self) -> Option<Timestamp> {
        None
    }

    /// How the pair was accepted, to be remembered for the next run.
    pub fn accepted(&self) -> Option<Accepted> {
        None
    }

    /// Whether the service was recognised at exactly this URL in this run.
    pub fn service_seen(&self) -> bool {
        false
    }

    /// The fingerprint of this run, where it ended in ok.
    pub fn last_good(&self) -> Option<LastGood> {
        None
    }
}
