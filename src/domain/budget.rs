//! What is remembered of attempts to authenticate, by host and port: the lock-out budget's memory.
//!
//! The rules over it are a pure state machine in `probe`; `store` keeps it on disk across programs and
//! restarts; `work` brings the two together.

use std::collections::BTreeMap;
use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use url::{Host, Url};

/// The host and port that count together: what a host bans an address by.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct HostPort {
    /// As [`HostPort::of`] writes it.
    pub host: String,
    /// Always explicit.
    pub port: u16,
}

impl HostPort {
    /// Those of `url`, written in one way for all spellings of one host: without the dot that may end a
    /// name, and an IPv4 address as such where it stands inside of an IPv6 one. Each spelling would have
    /// a budget of its own otherwise.
    pub fn of(url: &Url) -> Self {
        let host = match url.host() {
            Some(Host::Domain(name)) => name.trim_end_matches('.').to_owned(),
            Some(Host::Ipv6(address)) => match address.to_ipv4_mapped() {
                Some(address) => address.to_string(),
                None => format!("[{address}]"),
            },
            Some(Host::Ipv4(_)) | None => url.host_str().unwrap_or_default().to_owned(),
        };
        Self {
            host,
            port: url.port_or_known_default().unwrap_or_default(),
        }
    }
}

impl fmt::Display for HostPort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

/// A keyed digest of username and key: tells keys apart without holding one. Hex.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct KeyFingerprint(pub String);

/// What a person lifted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LiftedPause {
    /// The pause of one key.
    OfKey,
    /// That of all keys at its host: others are sent again as well.
    OfAllKeys,
}

/// How one booked attempt ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AttemptEnd {
    /// Booked, nothing heard yet. Counts as rejected: we may have been killed before the answer came. (Not for ever
    /// of a key that is [`BookedAttempt::proven`].)
    Pending,
    /// The service or its web server refused the key.
    Rejected,
    /// The key was taken.
    Accepted,
    /// No answer about the key: the connection failed, or something else answered.
    Inconclusive,
    /// The key was sent, and no answer was heard: it may have been a refusal, which the host counts. So it
    /// counts here too, for a key that was never accepted there; of one that was, a few are let through.
    Unheard,
    /// A refusal that a cache had kept from an earlier call: it says nothing of the key, and whether the host was asked
    /// behind it is not known. Such attempts are spaced; they pause no key.
    Kept,
    /// Another answer that a cache had kept. It is as one that is [`AttemptEnd::Kept`] for a key that was never accepted
    /// there, and as the one try after a pause; of any other it is inconclusive. Never written down.
    Cached,
}

/// One request that carried a key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BookedAttempt {
    /// Which of the record's attempts it is; grows by one.
    pub number: u64,
    /// Whose key.
    pub key: KeyFingerprint,
    /// When it was booked.
    pub at: Timestamp,
    /// How it ended.
    pub end: AttemptEnd,
    /// Booked as the one try after a pause: rejected, it doubles the pause.
    #[serde(default)]
    pub trial: bool,
    /// The host has taken this key before: that no answer is heard is no sign of a refusal.
    #[serde(default)]
    pub proven: bool,
}

/// Sending is stopped until a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pause {
    /// The time of the next try.
    pub until: Timestamp,
    /// How often it was prolonged: 15 minutes doubled this many times, 24 hours at the most.
    pub doublings: u32,
}

/// Why a key is not sent now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stop {
    /// The time of the next try.
    pub until: Timestamp,
    /// One plain sentence.
    pub why: String,
    /// Whose doing it is.
    pub by: StoppedBy,
}

/// Whose doing a stop is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoppedBy {
    /// Ours: so many keys, or answers, as the budget allows were refused or not heard.
    Budget,
    /// Ours as well, and the host refused this very key since it took it last, if it ever did.
    Refusals,
    /// Ours, as a cache gave out refusals that it had kept.
    Cache,
    /// The host asked for quiet: there is no pause that a person could lift.
    Host,
}

/// Everything remembered of one host and port.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BudgetRecord {
    /// Recent attempts, oldest first.
    pub attempts: Vec<BookedAttempt>,
    /// Keys that are not sent now.
    pub paused: BTreeMap<KeyFingerprint, Pause>,
    /// No key at all is sent now: five rejections of any keys within ten minutes.
    pub all_paused: Option<Pause>,
    /// No key is sent before this time: 429, or 5xx with `Retry-After`. What goes without a key is held back
    /// by whoever repeats it: the watch.
    pub retry_after: Option<Timestamp>,
    /// When the host asked for that, by this machine's clock.
    #[serde(default)]
    pub retry_asked: Option<Timestamp>,
    /// The number of the next attempt.
    pub next_number: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_spellings_of_a_host_count_together() {
        let of = |url: &str| HostPort::of(&Url::parse(url).unwrap()).to_string();
        for (url, expected) in [
            ("https://E.com/a", "e.com:443"),
            ("https://e.com.:443/b", "e.com:443"),
            ("http://e.com:443", "e.com:443"),
            ("http://127.1", "127.0.0.1:80"),
            ("http://[::ffff:127.0.0.1]/", "127.0.0.1:80"),
            ("http://[::0:1]:8/", "[::1]:8"),
        ] {
            assert_eq!(of(url), expected, "{url}");
        }
    }
}
