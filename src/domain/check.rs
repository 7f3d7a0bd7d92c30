//! The nine rungs of the ladder, and what each found.

use serde::{Serialize, Serializer};

use super::reason::State;

/// One rung of the ladder. The order is the ladder's and that of JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum CheckId {
    /// The URL's form.
    Url,
    /// The name's addresses.
    Dns,
    /// A TCP connection to one of them.
    Connect,
    /// TLS: version, chain, names, dates.
    Tls,
    /// An HTTP response.
    Http,
    /// Is it the service.
    Service,
    /// Are username and key accepted.
    Credentials,
    /// Which company or account.
    Identity,
    /// Is the shared token the same on both sides.
    Token,
}

impl CheckId {
    /// All nine, in order.
    pub const ALL: [Self; 9] = [
        Self::Url,
        Self::Dns,
        Self::Connect,
        Self::Tls,
        Self::Http,
        Self::Service,
        Self::Credentials,
        Self::Identity,
        Self::Token,
    ];

    /// The id in JSON.
    pub const fn id(self) -> &'static str {
        match self {
            Self::Url => "url",
            Self::Dns => "dns",
            Self::Connect => "connect",
            Self::Tls => "tls",
            Self::Http => "http",
            Self::Service => "service",
            Self::Credentials => "credentials",
            Self::Identity => "identity",
            Self::Token => "token",
        }
    }

    /// The word on the screen's ladder.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Url => "URL",
            Self::Dns => "name",
            Self::Connect => "connect",
            Self::Tls => "TLS",
            Self::Http => "reply",
            Self::Service => "service",
            Self::Credentials => "key",
            Self::Identity => "identity",
            Self::Token => "token",
        }
    }

    const fn index(self) -> usize {
        self as usize
    }
}

/// What one rung found.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Check {
    /// Which rung.
    pub id: CheckId,
    /// `unknown` where it was not reached or not asked.
    pub state: State,
    /// One inert line, or nothing where it was not reached or not asked.
    pub detail: Option<String>,
    /// Milliseconds, where the rung took time of its own.
    pub ms: Option<f64>,
}

/// All nine rungs, always, in order.
#[derive(Clone, Debug, PartialEq)]
pub struct Checks([Check; 9]);

impl Default for Checks {
    fn default() -> Self {
        Self(CheckId::ALL.map(|id| Check {
            id,
            state: State::Unknown,
            detail: None,
            ms: None,
        }))
    }
}

impl Checks {
    /// The check `id`.
    pub fn get(&self, id: CheckId) -> &Check {
        &self.0[id.index()]
    }

    /// Writes down what the rung `id` found.
    pub fn set(&mut self, id: CheckId, state: State, detail: impl Into<String>, ms: Option<f64>) {
        self.0[id.index()] = Check {
            id,
            state,
            detail: Some(detail.into()),
            ms,
        };
    }

    /// The lines of what was found, to be changed in place.
    pub fn details_mut(&mut self) -> impl Iterator<Item = &mut String> {
        self.0.iter_mut().filter_map(|check| check.detail.as_mut())
    }

    /// In ladder order.
    pub fn iter(&self) -> impl Iterator<Item = &Check> {
        self.0.iter()
    }
}

impl Serialize for Checks {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}
