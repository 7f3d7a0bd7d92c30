//! The request as the client takes it, its secrets marked so that the client never shows them.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use reqwest::header::{ACCEPT, AUTHORIZATION, CACHE_CONTROL, HeaderMap, HeaderName, HeaderValue};
use zeroize::Zeroizing;

use crate::domain::text::inert;
use crate::domain::{Failure, Secret};
use crate::service::{Authorization, Request};

/// What every request accepts, unless it says otherwise.
const ACCEPTED: HeaderValue = HeaderValue::from_static("application/json, */*;q=0.1");

/// What is kept anywhere says nothing of now, and of a key nothing at all.
const UNCACHED: HeaderValue = HeaderValue::from_static("no-cache");

/// The request as reqwest takes it. A header that can't be sent is named; its value is not.
pub(super) fn build(request: &Request) -> Result<reqwest::Request, Failure> {
    let method = reqwest::Method::from_bytes(request.method.as_bytes())
        .map_err(|_says_no_more| Failure::Local("the request's method can't be sent".to_owned()))?;
    let mut headers = HeaderMap::with_capacity(request.headers.len() + 4);
    headers.insert(ACCEPT, ACCEPTED);
    headers.insert(CACHE_CONTROL, UNCACHED);
    for (name, value) in &request.headers {
        let name = header_name(name)?;
        let value = HeaderValue::from_str(value).map_err(|_says_no_more| unsendable(&name))?;
        headers.insert(name, value);
    }
    match &request.authorization {
        Authorization::None => {}
        Authorization::Basic { username, key } => {
            let value = basic(username, key)?;
            headers.insert(AUTHORIZATION, value);
        }
        Authorization::Headers(pairs) => {
            for (name, secret) in pairs {
                let name = header_name(name)?;
                let value = sensitive(secret.expose()).ok_or_else(|| unsendable(&name))?;
                headers.insert(name, value);
            }
        }
    }
    let mut built = reqwest::Request::new(method, request.url.clone());
    *built.headers_mut() = headers;
    Ok(built)
}

fn basic(username: &str, key: &Secret) -> Result<HeaderValue, Failure> {
    if username.contains(':') {
        return Err(Failure::Local(
            "a username with a colon can't be sent by the Basic scheme".to_owned(),
        ));
    }
    let pair = Zeroizing::new(format!("{username}:{}", key.expose()));
    let mut value = Zeroizing::new("Basic ".to_owned());
    STANDARD.encode_string(pair.as_bytes(), &mut value);
    sensitive(&value).ok_or_else(|| unsendable(&AUTHORIZATION))
}

/// A value that the client never shows in its own debug output.
fn sensitive(text: &str) -> Option<HeaderValue> {
    let mut value = HeaderValue::from_bytes(text.as_bytes()).ok()?;
    value.set_sensitive(true);
    Some(value)
}

fn header_name(name: &str) -> Result<HeaderName, Failure> {
    HeaderName::from_bytes(name.as_bytes()).map_err(|_says_no_more| {
        let name = inert(name, 60);
        Failure::Local(format!("“{name}” is no header name"))
    })
}

fn unsendable(name: &HeaderName) -> Failure {
    Failure::Local(format!(
        "the value for the header {name} holds a character that no header can carry, such as a line end"
    ))
}
