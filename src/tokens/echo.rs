//! What an answer repeats of secrets where none belongs: masked before anybody reads it.
//!
//! A service, or what stands in front of it, that prints a request's headers into its errors, or a secret that
//! somebody wrote into a description, must not come to the screen or into a list.

use serde_json::Value;

use crate::domain::Secret;
use crate::service::mask_secret;

/// Where a token's row holds its own secrets.
const FIELDS: [&str; 3] = ["handle", "token", "renewed_token"];

/// Masks `own`, the secret of the key in use, in every text of `answer` but those fields, and in each row the secrets
/// that it hands out itself.
pub(super) fn mask_answer(answer: &mut Value, own: &Secret) {
    mask(answer, &mut vec![own.clone()]);
}

/// `secrets` are the key's own and those of the rows around `value`.
fn mask(value: &mut Value, secrets: &mut Vec<Secret>) {
    match value {
        Value::String(text) => secrets.iter().for_each(|secret| mask_secret(text, secret)),
        Value::Array(items) => items.iter_mut().for_each(|item| mask(item, secrets)),
        Value::Object(fields) => {
            let around = secrets.len();
            for (name, value) in &*fields {
                if let (true, Value::String(text)) = (is_secret(name), value) {
                    secrets.push(Secret::new(text.clone()));
                }
            }
            for (name, value) in fields {
                match value {
                    Value::String(_) if is_secret(name) => {}
                    // What a service calls a secret may be an id: that is what a row is known by.
                    Value::String(text) if name == "id" => {
                        secrets
                            .iter()
                            .take(1)
                            .for_each(|own| mask_secret(text, own));
                    }
                    other => mask(other, secrets),
                }
            }
            secrets.truncate(around);
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
            { "id": "SU-2", "renewed_token": "fedcba9876543210", "description": "fedcba9876543210, own-secret",
              "token": null, "handle": { "of": "own-secret" } },
            { "id": "SU-160-984-311", "handle": "SU-160-984-311" },
        ]);
        mask_answer(&mut answer, &Secret::new("own-secret"));
        let expected = json!([
            { "id": "SU-1", "token": "0123456789abcdef", "name": "was ••••", "owner": { "email": "••••" } },
            { "id": "SU-2", "renewed_token": "fedcba9876543210", "description": "••••, ••••",
              "token": null, "handle": { "of": "••••" } },
            { "id": "SU-160-984-311", "handle": "SU-160-984-311" },
        ]);
        assert_eq!(answer, expected);
    }
}
