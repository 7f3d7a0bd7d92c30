//! What a server repeats of the secrets: taken out of its answer before anybody reads it.
//!
//! An error page that prints the request's headers, or a redirect that carries the key along, must not put
//! the key into evidence, output, history or log.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::domain::{Outcome, Reply, Secret, Verdict};

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
    for secret in worn(pair, token) {
        let secret = secret.expose();
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

/// The forms that the secrets were sent in, those too short left out.
fn worn(pair: Option<(&str, &Secret)>, token: Option<&Secret>) -> Vec<Secret> {
    let basic = pair.map(|(username, key)| STANDARD.encode(format!("{username}:{}", key.expose())));
    let plain = [pair.map(|(_, key)| key), token].into_iter().flatten();
    plain
        .map(|secret| Secret::new(secret.expose().trim()))
        .chain(basic.map(Secret::new))
        .filter(|secret| secret.expose().len() >= SHORTEST)
        .collect()
}

/// Masks them in what is said of the answers too: a server may have written them in another way (escaped
/// for JSON, as entities, with invisible characters between), which is undone where an answer is read.
pub(in crate::service) fn mask_verdict(
    verdict: &mut Verdict,
    pair: Option<(&str, &Secret)>,
    token: Option<&Secret>,
) {
    let secrets = worn(pair, token);
    let mask = |text: &mut String| {
        for secret in &secrets {
            if text.contains(secret.expose()) {
                *text = text.replace(secret.expose(), MASK);
            }
        }
    };
    [&mut verdict.title, &mut verdict.cause]
        .into_iter()
        .chain(&mut verdict.evidence)
        .chain(&mut verdict.remedy.steps)
        .chain(&mut verdict.remedy.url)
        .chain(&mut verdict.redirects)
        .chain(&mut verdict.service_version)
        .chain(&mut verdict.changed_since_last_good)
        .for_each(mask);
    if let Some(identity) = &mut verdict.identity {
        let parts = [&mut identity.id, &mut identity.name, &mut identity.host];
        parts.into_iter().flatten().for_each(mask);
    }
    verdict.checks.details_mut().for_each(mask);
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
