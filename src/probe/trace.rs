//! What is written down while one connection is made: stamps, certificates, who won.
//!
//! reqwest's own hooks write here: the connector layer ([`super::layer`]), the resolver
//! ([`super::pinned`]) and the TLS callbacks ([`super::tls`]). They all run within the task that awaits
//! the request, because the client keeps no pool: so a task-local value finds the right trace.

use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::time::Instant;

use super::certificate;
use crate::http::failure::{Leaf, Progress, Stage};

tokio::task_local! {
    /// The attempt that the code below reqwest works for.
    pub(super) static ATTEMPT: Arc<Attempt>;
}

/// Writes into the attempt of this task, if there is one.
pub(super) fn note(write: impl FnOnce(&mut Marks)) {
    // Outside of an attempt (a client used by nothing but tests) there is nothing to write into.
    let _ = ATTEMPT.try_with(|attempt| write(&mut attempt.marks()));
}

/// One connection, to one address or through a proxy.
#[derive(Debug)]
pub(super) struct Attempt {
    /// Which of the race's attempts.
    pub(super) index: usize,
    /// The host of the URL and the address chosen for it; nothing through a proxy.
    pub(super) pinned: Option<(String, SocketAddr)>,
    /// What all attempts of one request share.
    pub(super) race: Arc<Race>,
    marks: Mutex<Marks>,
}

impl Attempt {
    pub(super) fn new(
        index: usize,
        pinned: Option<(String, SocketAddr)>,
        race: Arc<Race>,
    ) -> Arc<Self> {
        let to = pinned.as_ref().map(|(_, to)| to.ip());
        Arc::new(Self {
            index,
            pinned,
            race,
            marks: Mutex::new(Marks {
                to,
                ..Marks::default()
            }),
        })
    }

    /// What was written down so far. Never held across an await.
    pub(super) fn marks(&self) -> MutexGuard<'_, Marks> {
        self.marks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What was written down of one attempt.
#[derive(Debug, Default)]
pub(super) struct Marks {
    /// The address, where it is not the proxy's to choose.
    pub(super) to: Option<IpAddr>,
    /// The connector was called.
    pub(super) begun: Option<Instant>,
    /// The last TLS handshake began: TCP (and, through a proxy, the tunnel) stood then.
    pub(super) tls_begun: Option<Instant>,
    /// How many TLS handshakes began: two through a proxy that itself speaks TLS.
    pub(super) handshakes: u8,
    /// The connector was done: TCP and TLS stand.
    pub(super) joined: Option<Instant>,
    /// TCP failed at this moment.
    pub(super) failed: Option<Instant>,
    /// Another attempt was first; this one was stopped before it sent anything.
    pub(super) lost: bool,
    /// DER, the leaf first, as the server sent it.
    pub(super) chain: Vec<Vec<u8>>,
    /// The chain was verified for the target's name.
    pub(super) verified: bool,
    /// `TLSv1.3` or `TLSv1.2`.
    pub(super) version: Option<&'static str>,
    /// The server asked for a client certificate.
    pub(super) certificate_wanted: bool,
}

impl Marks {
    /// What of it shows why the connection came to nothing.
    pub(super) fn progress(&self) -> Progress {
        let leaf = if self.verified {
            Some(Leaf::Server)
        } else {
            certificate::leaf(&self.chain)
        };
        Progress {
            to: self.to,
            stage: match (self.joined, self.tls_begun) {
                (Some(_), _) => Stage::Joined,
                (None, Some(_)) => Stage::Handshake,
                (None, None) => Stage::Connecting,
            },
            handshakes: self.handshakes,
            leaf,
            certificate_wanted: self.certificate_wanted,
        }
    }

    /// When TCP stood.
    pub(super) fn stood(&self) -> Option<Instant> {
        self.tls_begun.or(self.joined)
    }
}

/// What the attempts of one request share.
#[derive(Debug)]
pub(super) struct Race {
    /// Stop each attempt once it has joined: reachability only.
    reach_only: bool,
    winner: AtomicUsize,
}

/// What an attempt may do once its connection stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TraceEvent {
    /// Send the request.
    First,
    /// Close: reachability was all that was asked for.
    ReachedOnly,
    /// Close: another attempt was first.
    Lost,
}

const NOBODY: usize = usize::MAX;

impl Race {
    pub(super) fn new(reach_only: bool) -> Arc<Self> {
        Arc::new(Self {
            reach_only,
            winner: AtomicUsize::new(NOBODY),
        })
    }

    /// Exactly one attempt of a race is ever told [`TraceEvent::First`] or [`TraceEvent::ReachedOnly`]: a request is
    /// sent once, however many connections were tried for it.
    pub(super) fn enter(&self, index: usize) -> TraceEvent {
        let first =
            self.winner
                .compare_exchange(NOBODY, index, Ordering::AcqRel, Ordering::Acquire);
        match (first, self.reach_only) {
            (Ok(_), false) => TraceEvent::First,
            (Ok(_), true) => TraceEvent::ReachedOnly,
            (Err(_), _) => TraceEvent::Lost,
        }
    }

    /// Whether connections are closed once they stand.
    pub(super) fn reach_only(&self) -> bool {
        self.reach_only
    }

    /// Which attempt has entered.
    pub(super) fn winner(&self) -> Option<usize> {
        Some(self.winner.load(Ordering::Acquire)).filter(|winner| *winner != NOBODY)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_one_attempt_enters() {
        let race = Race::new(false);
        assert_eq!(race.winner(), None);
        assert_eq!(race.enter(1), TraceEvent::First);
        assert_eq!(race.enter(0), TraceEvent::Lost);
        assert_eq!(race.winner(), Some(1));
        assert_eq!(Race::new(true).enter(0), TraceEvent::ReachedOnly);
    }
}
