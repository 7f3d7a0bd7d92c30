//! What the rehearsal services saw: every request, in order, and never the value of a credential.

use std::collections::BTreeMap;

/// So many requests are remembered; the demonstration may run for days.
const LIMIT: usize = 50_000;
/// So many of the oldest are forgotten at once.
const FORGET: usize = 10_000;

/// How a request presented credentials. `matched`: they were the right ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presented {
    /// Not at all.
    Nothing,
    /// `Authorization: Basic`.
    Basic {
        /// Whether they were the right ones.
        matched: bool,
    },
    /// Blesta's own headers, beside which Basic is ignored.
    Headers {
        /// Whether they were the right ones.
        matched: bool,
    },
    /// `Authorization: ApiKey`.
    ApiKey {
        /// Whether it was the right one.
        matched: bool,
    },
    /// `Authorization: Bearer`.
    Bearer {
        /// Whether it was the right one.
        matched: bool,
    },
    /// A signature made with a shared token.
    Signature {
        /// Whether it was made with the right one.
        matched: bool,
    },
    /// Something in `Authorization` that this service does not know.
    Other,
}

impl Presented {
    /// Whether a key travelled: everything but nothing and a signature.
    pub fn carried_key(self) -> bool {
        !matches!(self, Self::Nothing | Self::Signature { .. })
    }
}

/// One request as a service saw it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeenRequest {
    /// Counts every request of this run, from 0: which came first.
    pub order: u64,
    /// The port that was asked.
    pub port: u16,
    /// The verb.
    pub method: String,
    /// The path, still percent-encoded.
    pub path: String,
    /// The query, still percent-encoded.
    pub query: Option<String>,
    /// Header names as they were spelled, in order.
    pub headers: Vec<String>,
    /// How credentials were presented.
    pub presented: Presented,
    /// The status answered; absent until then, and where no status was sent at all.
    pub answered: Option<u16>,
    /// Whether the client hung up before the answer had been sent.
    pub closed_by_client: bool,
}

/// What was seen: the last 50,000 requests at most.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Log {
    next: u64,
    seen: Vec<SeenRequest>,
    connections: BTreeMap<u16, usize>,
}

impl Log {
    /// Every request, in order.
    pub fn all(&self) -> &[SeenRequest] {
        &self.seen
    }

    /// The requests that reached `port`, in order.
    pub fn at(&self, port: u16) -> Vec<&SeenRequest> {
        self.seen.iter().filter(|seen| seen.port == port).collect()
    }

    /// How many connections `port` has taken, whether or not a request came over them.
    pub fn connections(&self, port: u16) -> usize {
        self.connections.get(&port).copied().unwrap_or(0)
    }

    /// How many requests to `port` carried a key.
    pub fn keys_sent(&self, port: u16) -> usize {
        self.at(port)
            .iter()
            .filter(|seen| seen.presented.carried_key())
            .count()
    }

    pub(super) fn connected(&mut self, port: u16) {
        *self.connections.entry(port).or_default() += 1;
    }

    /// Writes a request down; the number it got.
    pub(super) fn record(&mut self, mut seen: SeenRequest) -> u64 {
        if self.seen.len() >= LIMIT {
            self.seen.drain(..FORGET);
        }
        seen.order = self.next;
        self.next += 1;
        self.seen.push(seen);
        self.next - 1
    }

    pub(super) fn amend(&mut self, order: u64, change: impl FnOnce(&mut SeenRequest)) {
        if let Some(seen) = self.seen.iter_mut().rev().find(|seen| seen.order == order) {
            change(seen);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_requests_are_forgotten() {
        let mut log = Log::default();
        let seen = SeenRequest {
            order: 0,
            port: 1,
            method: "GET".into(),
            path: "/".into(),
            query: None,
            headers: Vec::new(),
            presented: Presented::Nothing,
            answered: None,
            closed_by_client: false,
        };
        for _ in 0..=LIMIT {
            log.record(seen.clone());
        }
        assert_eq!(log.all().len(), LIMIT - FORGET + 1);
        let last = LIMIT as u64;
        assert_eq!(log.all().last().unwrap().order, last);
        log.amend(last, |seen| seen.answered = Some(200));
        assert_eq!(log.at(1).last().unwrap().answered, Some(200));
    }
}
