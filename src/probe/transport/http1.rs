//! Servers that want HTTP/1.1 (`HTTP_1_1_REQUIRED`): asked so from then on, lest each probe send its key twice.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::time::Instant;
use url::{Origin, Url};

use super::super::race::RaceOutcome;
use crate::domain::{Repeated, Reply};
use crate::http::failure::WantsHttp1;
use crate::service::{Authorization, Request};

/// Most servers that are remembered; the oldest go first.
const MOST_KEPT: usize = 256;

/// Which servers want HTTP/1.1. Copies share what they know.
#[derive(Clone, Debug, Default)]
pub(super) struct OverHttp1(Arc<Mutex<VecDeque<Origin>>>);

/// The time of a request that may be repeated.
#[derive(Clone, Copy, Debug)]
pub(super) struct Repeat {
    /// When it began.
    pub(super) begun: Instant,
    /// When all must have ended.
    pub(super) deadline: Instant,
}

impl OverHttp1 {
    /// Whether the server of `url` wants it.
    pub(super) fn holds(&self, url: &Url) -> bool {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        !known.is_empty() && known.contains(&url.origin())
    }

    /// Takes in what came of `request`, and whether it is repeated over HTTP/1.1 at once. One with a key never is: where
    /// the server refused its very stream, and there is time enough for an answer that takes as long, `reply` says that
    /// it wants it so.
    pub(super) fn learn(
        &self,
        outcome: &RaceOutcome,
        request: &Request,
        time: Repeat,
        reply: &mut Reply,
    ) -> bool {
        let wants = outcome.wants_http1();
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // As a rule nobody wants it.
        if wants.is_none() && known.is_empty() {
            return false;
        }
        let origin = request.url.origin();
        let position = known.iter().position(|kept| *kept == origin);
        let Some(wants) = wants else {
            // It may not speak that any more.
            if let Some(position) = position.filter(|_| outcome.ended_in_tls()) {
                known.remove(position);
            }
            return false;
        };
        if position.is_none() {
            if known.len() >= MOST_KEPT {
                known.pop_front();
            }
            known.push_back(origin);
        }
        let now = Instant::now();
        let is_time = time.deadline.duration_since(now) > now.duration_since(time.begun);
        if request.authorization == Authorization::None {
            reply.repeated = Some(Repeated::OverHttp1);
            return true;
        }
        reply.wants_http1 = wants == WantsHttp1::ForStream && is_time;
        false
    }
}
