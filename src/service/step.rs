//! The words between the ladder, which decides, and the transport, which asks.

use std::time::Duration;

use jiff::Timestamp;
use url::Url;

use crate::domain::budget::StoppedBy;
use crate::domain::{CheckId, Reply, Secret, Verdict};

/// What the ladder wants next.
#[derive(Debug)]
pub enum Step {
    /// Send this request and come back with the answer.
    Ask(Box<Ask>),
    /// The ladder has ended.
    Conclude(Box<Verdict>),
}

/// One request of one rung.
#[derive(Debug)]
pub struct Ask {
    /// The rung that this request is for: [`CheckId::Service`], `Credentials`, `Identity` or `Token`.
    pub rung: CheckId,
    /// What to send.
    pub request: Request,
}

impl Ask {
    /// Whether an attempt must be booked before this is sent: it carries the key of the pair. (A signed
    /// `Verify` carries none: the token itself is never sent.)
    pub fn carries_key(&self) -> bool {
        !matches!(self.request.authorization, Authorization::None)
    }
}

/// An HTTP request. `User-Agent`, `Accept` and `Cache-Control` are the transport's: it always sends all three.
#[derive(Debug)]
pub struct Request {
    /// Always GET today.
    pub method: &'static str,
    /// Where to.
    pub url: Url,
    /// Further headers, none of them secret (a signature is not a secret).
    pub headers: Vec<(String, String)>,
    /// The credentials, apart from the rest: the transport sends them only where TLS was verified, or where
    /// the ladder allowed plain http by building the request at all.
    pub authorization: Authorization,
    /// How far to go.
    pub stop_after: StopAfter,
}

/// Credentials of one request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Authorization {
    /// None.
    None,
    /// `Authorization: Basic base64(username:key)`.
    Basic {
        /// May not hold a colon.
        username: String,
        /// The key of the pair.
        key: Secret,
    },
    /// Whole header values, such as `Authorization: ApiKey SU-…:…` or `BLESTA-API-KEY: …`, in order.
    Headers(Vec<(String, Secret)>),
}

/// How far a request goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StopAfter {
    /// Name, TCP and (for https) TLS; then the connection is closed without an HTTP request.
    Reach,
    /// The whole response.
    Body,
}

/// What came of an [`Ask`].
#[derive(Debug)]
pub enum RungAnswer {
    /// It was sent (or failed on the way).
    Reply(Box<Reply>),
    /// The lock-out budget did not let it be sent. `why` is one plain sentence.
    Paused {
        /// The time of the next try, where there is one.
        until: Option<Timestamp>,
        /// Whose pause: this key's, every key's at this host, or the host's own `Retry-After`.
        why: String,
        /// The same, to be told apart.
        by: StoppedBy,
    },
    /// The answer before took longer than what is left of the time: the key would go out, and nobody would wait for
    /// what becomes of it.
    Late {
        /// How long the answer before took.
        took: Duration,
        /// What is left.
        left: Duration,
    },
    /// The attempt could not be booked on disk, so it was not sent. One plain sentence.
    Unbooked(String),
}
