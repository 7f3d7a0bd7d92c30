//! What an answer repeats of secrets where none belongs: masked before anybody reads it.
//!
//! A service, or what stands in front of it, that prints a request's headers into its errors, or a secret that
//! somebody wrote into a description, must not come to the screen or into a list.

use serde_json::Value;

use crate::domain::Secret;
use crate::service::mask_secret;

/// Where a token's row holds its own secrets.
const FIELDS: [&str; 3] = ["handle", "token", "renewed_token"];

/// Masks `own`, the secret of the key in use, and the secrets that the answer itself hands out, in every other text
/// of `answer`.
pub(super) fn mask_answer(answer: &mut Value, own: &Secret) {
    let mut secrets = vec![own.clone()];
    gather(answer, &mut secrets);
    mask_texts(answer, &secrets);
}

fn gather(value: &Value, secrets: &mut Vec<Secret>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| gather(item, secrets)),
        Value::Object(fields) => {
            for (name, value) in fields {
                match value {
                    Value::String(text) if is_secret(name) => {
                        secrets.push(Secret::new(text.clone()))
                    }
                    other => gather(other, secrets),
                }
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn mask_texts(value: &mut Value, secrets: &[Secret]) {
    match value {
        Value::String(text) => secrets.iter().for_each(|secret| mask_secret(text, secret)),
        Value::Array(items) => items.iter_mut().for_each(|item| mask_texts(item, secrets)),
        Value::Object(fields) => {
            for (name, value) in fields {
                if !(is_secret(name) && value.is_string()) {
                    mask_texts(value, secrets);
                }
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn is_secret(field: &str) -> bool {
    FIELDS.contains(&field)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_secret_stands_in_its_own_field_alone() {
        let mut answer = json!([
            { "id": "SU-1", "token": "0123456789abcdef", "name": "was 0123456789ABCDEF", "owner": { "email": "own-secret" } },
            { "id": "SU-2", "renewed_token": "fedcba9876543210", "description": "0123456789abcdef, fedcba9876543210",
              "token": null, "handle": { "of": "own-secret" } },
        ]);
        mask_answer(&mut answer, &Secret::new("own-secret"));
        let expected = json!([
            { "id": "SU-1", "token": "0123456789abcdef", "name": "was ••••", "owner": { "email": "••••" } },
            { "id": "SU-2", "renewed_token": "fedcba9876543210", "description": "••••, ••••",
              "token": null, "handle": { "of": "••••" } },
        ]);
        assert_eq!(answer, expected);
    }
}
