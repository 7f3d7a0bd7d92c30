//! Everything of this room that reads a secret: signature, handle, headers, cleaned pastes.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac};
use sha2::Sha256;

use crate::domain::{Handle, Secret};

use super::catalog::Service;
use super::catalog::format::Scheme;
use super::step::Authorization;

mod echo;
mod paste;
pub mod scan;

pub use echo::mask_secret;
pub(super) use echo::{MASK, is_in, mask_verdict, masked};
pub use paste::{
    Cleaned, Command, KeyPaste, clean_line, clean_secret, clean_text, clean_whole, command, entry,
    hides_key, is_divided, is_entry, read_key,
};
pub(super) use paste::{is_of_cmd, of_cmd};

/// The signature of `text` under the shared token: base64(HMAC-SHA256). The signature is no secret.
pub fn signature(token: &Secret, text: &str) -> String {
    STANDARD.encode(hmac(token.expose().as_bytes(), text.as_bytes()))
}

fn hmac(key: &[u8], text: &[u8]) -> Vec<u8> {
    // HMAC takes keys of any length: this can't fail.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else {
        return Vec::new();
    };
    mac.update(text);
    mac.finalize().into_bytes().to_vec()
}

/// What the owner pastes elsewhere, without a line end: the service's handle template, filled in.
pub fn handle(service: &Service, username: &str, key: &Secret) -> Handle {
    Handle::plain(fill(&service.text().handle, username, key))
}

/// Fills `{username}` and `{key}`; a brace in a value is never read as a placeholder.
fn fill(template: &str, username: &str, key: &Secret) -> Secret {
    let mut filled = String::with_capacity(template.len() + username.len() + key.expose().len());
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        filled.push_str(before);
        let (name, tail) = after.split_once('}').unwrap_or((after, ""));
        match name {
            "username" => filled.push_str(username),
            "key" => filled.push_str(key.expose()),
            _ => {}
        }
        rest = tail;
    }
    filled.push_str(rest);
    Secret::new(filled)
}

/// The credentials of one request; nothing where the scheme can't carry them: Basic with a colon in the
/// username, or `headers` of a service that has none.
pub fn authorization(
    service: &Service,
    scheme: Scheme,
    username: &str,
    key: &Secret,
) -> Option<Authorization> {
    match scheme {
        Scheme::Basic if username.contains(':') => None,
        Scheme::Basic => Some(Authorization::Basic {
            username: username.to_owned(),
            key: key.clone(),
        }),
        Scheme::Bearer | Scheme::Headers => {
            headers(service, scheme, username, key).map(Authorization::Headers)
        }
    }
}

fn headers(
    service: &Service,
    scheme: Scheme,
    username: &str,
    key: &Secret,
) -> Option<Vec<(String, Secret)>> {
    let whole = |name: &str, template: &str| (name.to_owned(), fill(template, username, key));
    let headers = match scheme {
        Scheme::Basic => {
            let pair = Secret::new(format!("{username}:{}", key.expose()));
            let value = format!("Basic {}", STANDARD.encode(pair.expose()));
            vec![("Authorization".to_owned(), Secret::new(value))]
        }
        Scheme::Bearer => vec![whole("Authorization", "Bearer {key}")],
        Scheme::Headers => service
            .text()
            .auth
            .as_ref()?
            .headers
            .iter()
            .map(|header| whole(&header.name, &header.value))
            .collect(),
    };
    (!headers.is_empty()).then_some(headers)
}

/// Whole header lines, such as `Authorization: ApiKey SU-…:…`, without a line end after the last.
pub fn header_lines(
    service: &Service,
    scheme: Scheme,
    username: &str,
    key: &Secret,
) -> Option<Secret> {
    let lines: Vec<String> = headers(service, scheme, username, key)?
        .iter()
        .map(|(name, value)| format!("{name}: {}", value.expose()))
        .collect();
    Some(Secret::new(lines.join("\n")))
}

#[cfg(test)]
mod tests;
