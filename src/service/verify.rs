//! `token verify`: the signed check of a shared token, alone, with the four rows of an API Check.

use jiff::Timestamp;

use crate::domain::{State, Verdict};

use super::catalog::Service;
use super::ladder::Ladder;
use super::step::Step;
use super::subject::Subject;

/// One of the four rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// `API URL`, `URL Found`, `Token Set`, `Token Valid`.
    pub label: &'static str,
    /// Its lamp.
    pub state: State,
    /// One inert line.
    pub detail: String,
}

/// Starts a run of the token rung alone; drive it as any [`Ladder`].
pub fn begin(service: &Service, subject: Subject, now: Timestamp) -> (Ladder, Step) {
    Ladder::begin(service, subject, now)
}

/// The four rows of a verdict that came of [`begin`].
pub fn rows(verdict: &Verdict) -> [Row; 4] {
    ["API URL", "URL Found", "Token Set", "Token Valid"].map(|label| Row {
        label,
        state: verdict.state(),
        detail: verdict.title.clone(),
    })
}
