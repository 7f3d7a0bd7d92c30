//! The rung of the credentials where the key stays here: the lock-out budget holds it back, it could not be booked, or
//! its answer would come too late.

use std::time::Duration;

use jiff::Timestamp;

use crate::domain::Reason;
use crate::domain::budget::StoppedBy;

use super::super::judge::Finding;
use super::super::step::Step;
use super::plan::{KeyHold, KeyPlan};
use super::{Ladder, Stage};

impl Ladder {
    /// The lock-out budget let nothing through.
    pub(super) fn paused(&mut self, until: Option<Timestamp>, why: &str, by: StoppedBy) -> Step {
        self.withdraw();
        self.notes.push(why.to_owned());
        self.facts.set("why", why);
        match std::mem::replace(&mut self.stage, Stage::Idle) {
            Stage::OtherStyle(_, _, rejected) => {
                self.retry_at = until;
                let finding = rejected.judged.finding.clone();
                self.main = Some(*rejected);
                self.finish(finding)
            }
            Stage::Compare(scheme) | Stage::Version(scheme) => match self.main.take() {
                Some(main) => {
                    self.main = Some(main);
                    self.after_calls(scheme)
                }
                None => self.over(),
            },
            Stage::OwnToken => self.own_token_unasked(),
            Stage::Idle
            | Stage::Reach
            | Stage::Bare
            | Stage::BareIndex(_)
            | Stage::BareCall(_)
            | Stage::Key(_)
            | Stage::Target(_)
            | Stage::Corrected(..)
            | Stage::Token => self.hold(KeyHold::Paused { until, by }),
        }
    }

    /// The attempt could not be booked: it was not sent. What is found without the key is found all the same, as where
    /// no history can be opened.
    pub(super) fn unbooked(&mut self, why: &str) -> Step {
        if self.is_further() {
            return self.paused(None, why, StoppedBy::Budget);
        }
        self.withdraw();
        self.stage = Stage::Idle;
        self.hold(KeyHold::Unrecordable(why.to_owned()))
    }

    /// The key stays here from now on: where nothing was asked yet, the way to the service is.
    fn hold(&mut self, hold: KeyHold) -> Step {
        self.plan = KeyPlan::Hold(hold);
        if self.main.is_some() || !self.asked.is_empty() {
            self.held()
        } else if self.service.bare_is_rejected() {
            self.ask_reach()
        } else {
            self.ask_bare(Stage::Bare)
        }
    }

    /// No time was left for an answer to the key: it was not sent.
    pub(super) fn late(&mut self, took: Duration, left: Duration) -> Step {
        let (took, left) = (took.as_secs_f64(), left.as_secs_f64());
        let why = format!("the answer before took {took:.1} s, and {left:.1} s were left");
        match std::mem::replace(&mut self.stage, Stage::Idle) {
            Stage::OtherStyle(_, _, rejected) => {
                self.withdraw();
                self.facts.set("why", why);
                self.main = Some(*rejected);
                self.finish(Finding::variant(Reason::CredentialsRejected, "unsure"))
            }
            other => {
                self.stage = other;
                self.unsent(&why, Finding::variant(Reason::ServiceFound, "slow"))
            }
        }
    }

    /// A request with the key that was not sent: what was found before stands, where there is that; else the run ends
    /// in `finding`.
    fn unsent(&mut self, why: &str, finding: Finding) -> Step {
        self.facts.set("why", why);
        if self.is_further() {
            return self.paused(None, why, StoppedBy::Budget);
        }
        self.withdraw();
        self.stage = Stage::Idle;
        self.finish(finding)
    }

    /// Whether what was asked last follows an answer to the key.
    const fn is_further(&self) -> bool {
        matches!(
            self.stage,
            Stage::Version(_) | Stage::OwnToken | Stage::Compare(_) | Stage::OtherStyle(..)
        )
    }

    /// A request that was not sent was not asked. Only those that carry the key are held back.
    fn withdraw(&mut self) {
        self.asked.pop();
        self.carried = self.carried.saturating_sub(1);
    }
}
