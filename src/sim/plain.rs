//! Any HTTP API behind a bearer key: `/status` answers, everything else is not there.

use serde_json::json;

use super::http::{Answer, Request};
use super::log::Presented;

/// A small API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plain {
    /// The key that is right; without one everybody is let in.
    pub key: Option<String>,
}

impl Plain {
    /// What it answers, and how credentials were presented.
    pub(super) fn answer(&self, request: &Request) -> (Answer, Presented) {
        let presented = self.presented(request);
        let let_in = self.key.is_none() || presented == Presented::Bearer { matched: true };
        let answer = match (request.path.as_str(), let_in) {
            ("/" | "/status", true) => Answer::json(200, &json!({ "status": "ok" })),
            ("/" | "/status", false) => Answer::json(401, &json!({ "error": "unauthorized" }))
                .with("WWW-Authenticate", "Bearer realm=\"api\""),
            _ => Answer::json(404, &json!({ "error": "not found" })),
        };
        (answer, presented)
    }

    fn presented(&self, request: &Request) -> Presented {
        match request.header("authorization") {
            None => Presented::Nothing,
            Some(value) => match value.strip_prefix("Bearer ") {
                Some(key) => Presented::Bearer {
                    matched: self.key.as_deref() == Some(key),
                },
                None => Presented::Other,
            },
        }
    }
}
