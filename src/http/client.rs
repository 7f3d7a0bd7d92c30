//! What all clients have in common.

use rustls::ClientConfig;

/// A client that follows nothing, repeats nothing, and reads what old servers send as browsers read it. Its way to the
/// server, and its times, are its user's to add.
pub fn builder(user_agent: &str, tls: ClientConfig) -> reqwest::ClientBuilder {
    reqwest::Client::builder()
        .user_agent(user_agent)
        .redirect(reqwest::redirect::Policy::none())
        .referer(false)
        .retry(reqwest::retry::never())
        // One odd header is no reason to have no answer.
        .http1_allow_obsolete_multiline_headers_in_responses(true)
        .http1_allow_spaces_after_header_name_in_responses(true)
        .http1_ignore_invalid_headers_in_responses(true)
        .tls_backend_preconfigured(tls)
}

/// A client could not be built with what it was given.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the client could not be built")]
pub struct ClientProblem(#[source] crate::domain::Cause);

impl From<reqwest::Error> for ClientProblem {
    /// Without the URL, which may hold a password.
    fn from(error: reqwest::Error) -> Self {
        Self(crate::domain::Cause::new(error.without_url()))
    }
}

impl From<rustls::Error> for ClientProblem {
    fn from(error: rustls::Error) -> Self {
        Self(crate::domain::Cause::new(error))
    }
}
