//! The last look at a text that leaves for other people: whether a secret is in it.
//!
//! Known secrets are looked for as they are and as they travel (Basic, percent-encoded); beside them, whatever
//! has the shape of a credential.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use crate::domain::{Secret, shape};

/// Bytes that a secret must have to be looked for: a shorter one is in many words by chance.
const SHORTEST: usize = 6;

/// The first line of `text`, from 1, that holds one of `secrets` or something of a credential's shape.
pub fn line_with_secret(text: &str, username: &str, secrets: &[Secret]) -> Option<usize> {
    let mut forms = Vec::new();
    for secret in secrets {
        let value = secret.expose().trim();
        if value.len() < SHORTEST {
            continue;
        }
        let pair = Secret::new(format!("{username}:{value}"));
        forms.push(Secret::new(value));
        forms.push(Secret::new(STANDARD.encode(pair.expose())));
        forms.push(Secret::new(
            utf8_percent_encode(value, NON_ALPHANUMERIC).to_string(),
        ));
    }
    // A secret that was broken over lines is one all the same.
    let joined: String = text.split_whitespace().collect();
    let broken = forms.iter().any(|form| joined.contains(form.expose()));
    let found = text
        .lines()
        .position(|line| forms.iter().any(|form| line.contains(form.expose())) || has_shape(line));
    match (found, broken) {
        (Some(line), _) => Some(line + 1),
        (None, true) => Some(1),
        (None, false) => None,
    }
}

/// Whether `line` holds something that only credentials look like.
fn has_shape(line: &str) -> bool {
    let after = |scheme: &str| {
        line.match_indices(scheme)
            .filter_map(|(at, _)| line.get(at + scheme.len()..))
            .map(str::trim_start)
            .collect::<Vec<_>>()
    };
    let long = |rest: &str, length: usize| run(rest) >= length;
    let is_pair = |rest: &str| shape::token_pair(rest).is_some_and(|(_, key)| long(key, 8));
    after(shape::TOKEN_SCHEME).into_iter().any(is_pair)
        || after("Bearer ").into_iter().any(|rest| long(rest, 16))
        || after("Basic ").into_iter().any(|rest| {
            let word = rest.get(..run(rest)).unwrap_or_default();
            word.len() >= 8 && STANDARD.decode(word).is_ok_and(|text| text.contains(&b':'))
        })
        || after("://").into_iter().any(|rest| {
            let authority = rest.split(['/', '?', '#', ' ', '\'', '"']).next();
            authority
                .and_then(|authority| authority.rsplit_once('@'))
                .is_some_and(|(pair, _)| pair.contains(':') && !pair.contains('•'))
        })
}

/// Bytes of the characters that keys are made of, from the beginning.
fn run(text: &str) -> usize {
    let end = text.find(|c: char| !(c.is_ascii_alphanumeric() || "-._~+/=".contains(c)));
    end.unwrap_or(text.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Option<usize> {
        line_with_secret(text, "shop", &[Secret::new("geh/eim+1")])
    }

    #[test]
    fn a_known_secret_is_found_in_every_form() {
        assert_eq!(found("all\nis well"), None);
        assert_eq!(found("a\nb geh/eim+1 c"), Some(2));
        assert_eq!(found("k=geh%2Feim%2B1"), Some(1));
        let pair = STANDARD.encode("shop:geh/eim+1");
        assert_eq!(found(&format!("x {pair}")), Some(1));
        assert_eq!(found("geh/\n   eim+1"), Some(1), "wrapped");
    }

    #[test]
    fn shapes_of_credentials_are_found_whoever_they_belong_to() {
        for text in [
            "Authorization: ApiKey SU-1-2-3:abcdef0123",
            "Authorization: Bearer abcdefghijklmnop",
            "Authorization: Basic dXNlcjpwYXNz",
            "at https://user:pass@host/x",
        ] {
            assert_eq!(line_with_secret(text, "", &[]), Some(1), "{text}");
        }
        for text in [
            "WWW-Authenticate: Basic realm=\"API\"",
            "WWW-Authenticate: Bearer realm=api",
            "printf 'header = \"Authorization: ApiKey SU-1-2-3:%s\"' \"$SWITCHBOARD_KEY\"",
            "https://host/a@b:c",
            "2026-11-25T10:00:00Z [::1]:443",
        ] {
            assert_eq!(line_with_secret(text, "", &[]), None, "{text}");
        }
    }
}
