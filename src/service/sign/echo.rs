//! What a server repeats of the secrets: taken out of its answer before anybody reads it.
//!
//! An error page that prints the request's headers, or a redirect that carries the key along, must not put
//! the key into evidence, output, history or log.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::domain::{Outcome, Reply, Secret};

/// What stands in its place.
const MASK: &str = "••••";

/// Bytes that a secret must have: a shorter one is in many words by chance.
const SHORTEST: usize = 8;

/// Masks the key, the pair as Basic sends it, and the token wherever they stand in `reply`.
pub(in crate::service) fn masked(
    mut reply: Reply,
    pair: Option<(&str, &Secret)>,
    token: Option<&Secret>,
) -> Reply {
    let (Outcome::Answered(response) | Outcome::Cut(response, _)) = &mut reply.outcome else {
        return reply;
    };
    let basic = pair.map(|(username, key)| {
        Secret::new(STANDARD.encode(format!("{username}:{}", key.expose())))
    });
    let key = pair.map(|(_, key)| key);
    for secret in [key, basic.as_ref(), token].into_iter().flatten() {
        let secret = secret.expose().trim();
        if secret.len() < SHORTEST {
            continue;
        }
        for (_, value) in &mut response.headers {
            if value.contains(secret) {
                *value = value.replace(secret, MASK);
            }
        }
        if let Some(body) = without(&response.body, secret.as_bytes()) {
            response.body = body;
        }
    }
    reply
}

/// `body` with every `secret` in it masked; nothing where there is none.
fn without(body: &[u8], secret: &[u8]) -> Option<Vec<u8>> {
    let mut rest = body;
    let mut masked = Vec::new();
    while let Some(at) = place(rest, secret) {
        let (before, found) = rest.split_at(at);
        masked.extend_from_slice(before);
        masked.extend_from_slice(MASK.as_bytes());
        rest = found.get(secret.len()..).unwrap_or_default();
    }
    (rest.len() < body.len()).then(|| {
        masked.extend_from_slice(rest);
        masked
    })
}

/// Where `part` begins in `bytes`: its first byte is looked for, then the rest, so that a mebibyte is quick.
fn place(bytes: &[u8], part: &[u8]) -> Option<usize> {
    let first = part.first()?;
    let mut from = 0;
    loop {
        let tail = bytes.get(from..)?;
        let at = from + tail.iter().position(|byte| byte == first)?;
        if bytes.get(at..)?.starts_with(part) {
            return Some(at);
        }
        from = at + 1;
    }
}
