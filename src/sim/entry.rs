//! What `sim` prints: one line for each reason, with everything that a probe needs to end in it.

use serde::Serialize;
use url::Url;

use crate::domain::{Reason, State};

/// How to get one reason. Keys and tokens in it open nothing but the rehearsal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CatalogEntry {
    /// The reason that a probe of it ends in.
    pub reason: Reason,
    /// That reason's state.
    pub state: State,
    /// The status that goes with it: 0 where no HTTP response is received.
    pub status: u16,
    /// What is at the other end.
    pub service: &'static str,
    /// What to probe; absent where no single probe ends in this reason.
    pub url: Option<String>,
    /// The username to give.
    pub username: Option<String>,
    /// The key to give.
    pub key: Option<String>,
    /// The shared token to give.
    pub token: Option<String>,
    /// Where the CMS of that token is.
    pub cms_url: Option<String>,
    /// Further flags of `probe`.
    pub args: Vec<String>,
    /// Why there is no URL, and how to get the reason all the same.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

impl CatalogEntry {
    /// An entry for Blesta with nothing to probe yet.
    pub(super) fn new(reason: Reason, status: u16) -> Self {
        Self {
            reason,
            state: reason.state(),
            status,
            service: "blesta",
            url: None,
            username: None,
            key: None,
            token: None,
            cms_url: None,
            args: Vec::new(),
            why: None,
        }
    }

    /// An entry that no single probe ends in.
    pub(super) fn explained(reason: Reason, why: &str) -> Self {
        Self {
            why: Some(why.to_owned()),
            ..Self::new(reason, 0)
        }
    }

    pub(super) fn at(mut self, url: impl Into<String>) -> Self {
        self.url = Some(url.into());
        self
    }

    pub(super) fn with_pair(mut self, username: &str, key: &str) -> Self {
        self.username = Some(username.to_owned());
        self.key = Some(key.to_owned());
        self
    }

    pub(super) fn with_args<const N: usize>(mut self, args: [&str; N]) -> Self {
        self.args = args.map(str::to_owned).to_vec();
        self
    }

    /// The port that it leads to, where one of the rehearsal's does.
    pub fn port(&self) -> Option<u16> {
        Url::parse(self.url.as_deref()?).ok()?.port()
    }

    /// The entry as one line of JSON, without its line end.
    pub fn to_json(&self) -> String {
        // Strings, numbers and lists always serialize.
        serde_json::to_string(self).unwrap_or_default()
    }
}
