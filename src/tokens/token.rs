//! Tokens as the service writes them: read tolerantly, every field optional, every text made inert.

use serde::Deserialize;

use super::lenient::{Lenient, LenientCount, LenientSecret, LenientText, Rows};
use crate::domain::text::inert;
use crate::domain::token::{Expiry, Extension, Module, Moment, Permission, Person, Status, Token};

/// Longest text that is kept of a field, in characters.
const LONGEST: usize = 400;

impl<'de> Deserialize<'de> for Expiry {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let word = LenientText::deserialize(deserializer)?;
        Ok(word
            .0
            .map_or(Self::Never, |text| Self::At(Moment::read(&text))))
    }
}

/// The object as it came.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct RawToken {
    id: LenientText,
    name: LenientText,
    description: LenientText,
    external_id: LenientText,
    owner: Lenient<RawPerson>,
    status: LenientText,
    extension: Lenient<RawExtension>,
    handle: LenientSecret,
    token: LenientSecret,
    permissions: Rows<RawPermission>,
    expiration_date: Expiry,
    renewed_expiration_date: Expiry,
    renewed_token: LenientSecret,
    events: Lenient<RawEvents>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct RawPerson {
    id: LenientText,
    name: LenientText,
    email: LenientText,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct RawExtension {
    id: LenientText,
    name: LenientText,
    status: LenientText,
    constraints: Lenient<RawConstraints>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct RawConstraints {
    account: Lenient<RawAccountConstraints>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct RawAccountConstraints {
    tokens: LenientCount,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct RawPermission {
    id: LenientText,
    object: Lenient<RawModule>,
    events: Lenient<RawEvents>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct RawModule {
    id: LenientText,
    name: LenientText,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct RawEvents {
    created: Lenient<RawEvent>,
    updated: Lenient<RawEvent>,
    granted: Lenient<RawEvent>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct RawEvent {
    at: LenientText,
    by: Lenient<RawPerson>,
}

fn line(word: LenientText) -> Option<String> {
    word.0
        .map(|text| inert(&text, LONGEST))
        .filter(|text| !text.is_empty())
}

fn moment(event: &RawEvent) -> Option<Moment> {
    event.at.0.as_deref().map(Moment::read)
}

impl From<RawPerson> for Person {
    fn from(raw: RawPerson) -> Self {
        Self {
            id: line(raw.id),
            name: line(raw.name),
            email: line(raw.email),
        }
    }
}

impl From<RawExtension> for Extension {
    fn from(raw: RawExtension) -> Self {
        Self {
            id: line(raw.id),
            name: line(raw.name),
            status: line(raw.status),
            quota: raw.constraints.0.account.0.tokens.0,
        }
    }
}

impl From<RawModule> for Module {
    fn from(raw: RawModule) -> Self {
        Self {
            id: line(raw.id),
            name: line(raw.name),
        }
    }
}

impl From<RawPermission> for Permission {
    fn from(raw: RawPermission) -> Self {
        let is_module = |id: &String| id.starts_with("MD-");
        let (id, object) = (line(raw.id), line(raw.object.0.id));
        let module = object
            .clone()
            .filter(is_module)
            .or_else(|| id.clone().filter(is_module))
            .or(object);
        Self {
            id: id.filter(|id| Some(id) != module.as_ref()),
            module,
            name: line(raw.object.0.name),
            granted: moment(&raw.events.0.granted.0),
        }
    }
}

impl From<RawToken> for Token {
    fn from(raw: RawToken) -> Self {
        let RawEvents {
            created, updated, ..
        } = raw.events.0;
        Self {
            id: line(raw.id),
            name: line(raw.name),
            description: line(raw.description),
            external_id: line(raw.external_id),
            owner: raw.owner.0.into(),
            status: raw
                .status
                .0
                .map_or(Status::Missing, |word| Status::from_word(&word)),
            extension: raw.extension.0.into(),
            handle: raw.handle.0,
            secret: raw.token.0,
            created: moment(&created.0),
            created_by: created.0.by.0.into(),
            updated: moment(&updated.0),
            updated_by: updated.0.by.0.into(),
            permissions: raw
                .permissions
                .0
                .map(|rows| rows.into_iter().map(Permission::from).collect()),
            expires: raw.expiration_date,
            renewed_expires: raw.renewed_expiration_date,
            renewed_secret: raw.renewed_token.0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(json: &str) -> Token {
        serde_json::from_str::<RawToken>(json).unwrap().into()
    }

    #[test]
    fn a_token_without_anything_is_a_token() {
        let empty = token("{}");
        assert_eq!(
            (empty.status, empty.expires),
            (Status::Missing, Expiry::Unknown)
        );
        assert_eq!(token(r#"{"expiration_date":null}"#).expires, Expiry::Never);
    }

    #[test]
    fn its_json_has_the_product_s_fields_and_no_secret() {
        let token = token(
            r#"{"id":"SU-1","name":"a","status":"dormant","token":"s3cret","renewed_token":"n3w",
                "handle":"0paque","extension":{"id":"EXT-000","name":"Custom"},
                "expiration_date":"2027-01-01T02:00:00+02:00","events":{"created":{"at":"2026-03-02",
                "by":{"id":"UR-1","name":"Ann"}},"renewed":{}},
                "permissions":[{"id":"MD-0001"},{"id":"x","object":{"id":"MD-0002"}}]}"#,
        );
        let json = serde_json::to_string(&token).unwrap();
        assert_eq!(
            json,
            concat!(
                r#"{"id":"SU-1","name":"a","status":"dormant","extension":"EXT-000","#,
                r#""expires":"2027-01-01T00:00:00Z","renewed_expires":null,"#,
                r#""created":"2026-03-02T00:00:00Z","#,
                r#""created_by":"Ann","permissions":["MD-0001","MD-0002"]}"#
            )
        );
        let debug = format!("{token:?}");
        for secret in ["s3cret", "n3w", "0paque"] {
            assert!(!debug.contains(secret));
        }
        let handle = token.full_handle().unwrap();
        assert_eq!(handle.secret().expose(), "ApiKey SU-1:n3w");
    }

    #[test]
    fn foreign_text_is_inert() {
        let evil = token(r#"{"name":"a\u001b[31mb","status":"\u001b[2Jodd"}"#);
        assert_eq!(evil.name.as_deref(), Some("a[31mb"));
        assert_eq!(evil.status.word(), Some("[2Jodd"));
    }
}
