//! What a server repeats of the secrets: taken out of its answer before anybody reads it.
//!
//! It is found however it is written there: as it was sent, in the other case, percent-encoded, escaped for JSON.
//!
//! An error page that prints the request's headers, or a redirect that carries the key along, must not put
//! the key into evidence, output, history or log.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use url::Url;

use crate::domain::{Outcome, Reply, Secret, Verdict};

/// What stands in its place.
pub(in crate::service) const MASK: &str = "••••";

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
        let secret = secret.expose().as_bytes();
        for (_, value) in &mut response.headers {
            mask(value, secret);
        }
        if let Some(body) = without(&response.body, secret) {
            response.body = body;
        }
    }
    reply
}

/// Whether one of the secrets stands in `url`, or the mask of one: then it is not asked, as the key would go
/// along in the open.
pub(in crate::service) fn is_in(
    url: &Url,
    pair: Option<(&str, &Secret)>,
    token: Option<&Secret>,
) -> bool {
    let text = url.as_str();
    let secrets = worn(pair, token);
    let repeats = |secret: &Secret| place(text.as_bytes(), secret.expose().as_bytes()).is_some();
    place(text.as_bytes(), MASK.as_bytes()).is_some() || secrets.iter().any(repeats)
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
    if secrets.is_empty() {
        return;
    }
    let mask = |text: &mut String| {
        for secret in &secrets {
            mask(text, secret.expose().as_bytes());
            mask_cut(text, secret.expose());
        }
        // A masked target was made a URL meanwhile, which encodes the mask.
        mask(text, MASK.as_bytes());
    };
    [&mut verdict.title, &mut verdict.cause]
        .into_iter()
        .chain(&mut verdict.evidence)
        .chain(&mut verdict.remedy.steps)
        .chain(&mut verdict.remedy.snippet)
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
    // No URL to go on with.
    verdict.remedy.url.take_if(|url| url.contains(MASK));
}

/// Masks `secret` wherever `text` repeats it; one that is too short is in many words by chance.
pub fn mask_secret(text: &mut String, secret: &Secret) {
    let secret = secret.expose().trim().as_bytes();
    if secret.len() >= SHORTEST {
        mask(text, secret);
    }
}

/// Masks every `secret` in `text`.
fn mask(text: &mut String, secret: &[u8]) {
    if let Some(masked) = without(text.as_bytes(), secret) {
        *text = String::from_utf8_lossy(&masked).into_owned();
    }
}

/// Masks the beginning of `secret` where a text was cut within it.
fn mask_cut(text: &mut String, secret: &str) {
    for cut in text
        .match_indices('…')
        .map(|(at, _)| at)
        .collect::<Vec<_>>()
    {
        let begun = |length: &usize| {
            let before = text.get(..cut).unwrap_or_default();
            secret
                .get(..*length)
                .is_some_and(|part| before.ends_with(part))
        };
        if let Some(length) = (SHORTEST..secret.len()).rev().find(begun) {
            text.replace_range(cut - length..cut, MASK);
            return mask_cut(text, secret);
        }
    }
}

/// `body` with every `secret` in it masked; nothing where there is none.
fn without(body: &[u8], secret: &[u8]) -> Option<Vec<u8>> {
    let mut rest = body;
    let mut masked = Vec::new();
    while let Some((at, length)) = place(rest, secret) {
        let (before, found) = rest.split_at(at);
        masked.extend_from_slice(before);
        masked.extend_from_slice(MASK.as_bytes());
        rest = found.get(length..).unwrap_or_default();
    }
    (rest.len() < body.len()).then(|| {
        masked.extend_from_slice(rest);
        masked
    })
}

/// Where `secret` begins in `bytes` and how many it takes there: only where its first byte may stand is the
/// rest compared, so that a mebibyte is quick.
fn place(bytes: &[u8], secret: &[u8]) -> Option<(usize, usize)> {
    let first = secret.first()?;
    let mut from = 0;
    loop {
        let tail = bytes.get(from..)?;
        let may_begin =
            |byte: &u8| byte.eq_ignore_ascii_case(first) || matches!(byte, b'%' | b'\\');
        let at = from + tail.iter().position(may_begin)?;
        if let Some(length) = length(bytes.get(at..)?, secret) {
            return Some((at, length));
        }
        from = at + 1;
    }
}

/// How many bytes `secret` takes at the beginning of `bytes`, each of its own written as it is, percent-encoded
/// or escaped for JSON; nothing where it does not stand there.
fn length(bytes: &[u8], secret: &[u8]) -> Option<usize> {
    if bytes.starts_with(secret) {
        return Some(secret.len());
    }
    secret.iter().try_fold(0, |at, byte| {
        let taken = match bytes.get(at..)? {
            [b'%', digits @ ..] if is_hex(digits, 2, *byte) => 3,
            [b'\\', b'u', digits @ ..] if is_hex(digits, 4, *byte) => 6,
            [b'\\', next, ..] if next.eq_ignore_ascii_case(byte) => 2,
            [next, ..] if next.eq_ignore_ascii_case(byte) => 1,
            _ => return None,
        };
        Some(at + taken)
    })
}

/// Whether `bytes` begin with `byte` in so many hexadecimal digits.
fn is_hex(bytes: &[u8], count: usize, byte: u8) -> bool {
    let digits = bytes
        .get(..count)
        .and_then(|digits| str::from_utf8(digits).ok());
    digits.is_some_and(|digits| u32::from_str_radix(digits, 16) == Ok(u32::from(byte)))
}
