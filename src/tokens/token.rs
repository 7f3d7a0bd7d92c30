//! A token as the service describes it, with every field optional, and its secret sealed.
//!
//! Every text in these types was made inert when it was read; the secret was not, and never prints.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use serde::ser::SerializeStruct;
use serde::{Deserialize, Serialize, Serializer};

use super::lenient::{Count, Hidden, Loose, Rows, Word};
use crate::domain::text::inert;
use crate::domain::verdict::whole_seconds;
use crate::domain::{Handle, Secret};

/// The id of the module that means all of them.
pub const ALL_MODULES: &str = "MD-0000";
/// Longest text that is kept of a field, in characters.
const LONGEST: usize = 400;

/// Where a token stands in its life. Words that are not known are kept as they came.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Status {
    /// Made, and not yet in force.
    Pending,
    /// In force.
    Active,
    /// Switched off; may be switched on again.
    Inactive,
    /// For good. Stays listable.
    Deleted,
    /// In force, and about to expire.
    Expiring,
    /// Past its date.
    Expired,
    /// Back in force after it had expired.
    Revitalised,
    /// Any other word.
    Other(String),
    /// The field was missing or null.
    Missing,
}

impl Status {
    /// The status that `word` names.
    pub fn from_word(word: &str) -> Self {
        match word {
            "pending" => Self::Pending,
            "active" => Self::Active,
            "inactive" => Self::Inactive,
            "deleted" => Self::Deleted,
            "expiring" => Self::Expiring,
            "expired" => Self::Expired,
            "revitalised" => Self::Revitalised,
            other => Self::Other(inert(other, 40)),
        }
    }

    /// The word as the service writes it; nothing where there was none.
    pub fn word(&self) -> Option<&str> {
        match self {
            Self::Pending => Some("pending"),
            Self::Active => Some("active"),
            Self::Inactive => Some("inactive"),
            Self::Deleted => Some("deleted"),
            Self::Expiring => Some("expiring"),
            Self::Expired => Some("expired"),
            Self::Revitalised => Some("revitalised"),
            Self::Other(word) => Some(word),
            Self::Missing => None,
        }
    }
}

/// A time as it was written, and as it is meant where that can be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moment {
    /// As it was written, inert.
    pub text: String,
    /// UTC; without an offset UTC is taken, without a time the day's beginning.
    pub at: Option<Timestamp>,
}

impl Moment {
    /// Reads `2026-11-23T10:00:00+00:00`, the same without an offset, or a date alone.
    pub fn read(text: &str) -> Self {
        let text = inert(text, 40);
        let utc = |date: DateTime| TimeZone::UTC.to_timestamp(date).ok();
        let at = text
            .parse::<Timestamp>()
            .ok()
            .or_else(|| text.parse::<DateTime>().ok().and_then(utc))
            .or_else(|| text.parse::<Date>().ok().and_then(|date| utc(date.into())));
        Self { text, at }
    }

    /// RFC 3339 in UTC to the second, or the text where it could not be read.
    pub fn shown(&self) -> String {
        self.at.map_or_else(|| self.text.clone(), whole_seconds)
    }
}

/// When something ends.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Expiry {
    /// The field was missing.
    #[default]
    Unknown,
    /// The field was null: never.
    Never,
    /// Then.
    At(Moment),
}

impl Expiry {
    /// The time, where there is one that can be read.
    pub fn at(&self) -> Option<Timestamp> {
        match self {
            Self::At(moment) => moment.at,
            Self::Unknown | Self::Never => None,
        }
    }

    /// The time as text; nothing where it never ends, or nothing is known.
    pub fn shown(&self) -> Option<String> {
        match self {
            Self::At(moment) => Some(moment.shown()),
            Self::Unknown | Self::Never => None,
        }
    }
}

impl<'de> Deserialize<'de> for Expiry {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let word = Word::deserialize(deserializer)?;
        Ok(word
            .0
            .map_or(Self::Never, |text| Self::At(Moment::read(&text))))
    }
}

/// Who did something.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Person {
    /// `UR-…`.
    pub id: Option<String>,
    /// Their name, with the mail address where the service gives one.
    pub name: Option<String>,
    /// Their mail address.
    pub email: Option<String>,
}

/// What a token was made for; `EXT-000` is a custom one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Extension {
    /// `EXT-…`.
    pub id: Option<String>,
    /// Its name.
    pub name: Option<String>,
    /// Whether it can be chosen now.
    pub status: Option<String>,
    /// How many tokens an account may have for it.
    pub quota: Option<u64>,
}

/// A module of the account, which a token may be let into.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Module {
    /// `MD-…`; [`ALL_MODULES`] means all of them.
    pub id: Option<String>,
    /// Its name.
    pub name: Option<String>,
}

/// A module that a token is let into.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Permission {
    /// The module's `MD-…`, from wherever it stood.
    pub module: Option<String>,
    /// The permission's own id, where that is another one.
    pub id: Option<String>,
    /// The module's name.
    pub name: Option<String>,
    /// Since when.
    pub granted: Option<Moment>,
}

/// One token. Serializes to the product's object, which never holds the secret:
/// `id name status extension expires created created_by permissions`.
#[derive(Clone, Debug, PartialEq)]
pub struct Token {
    /// `SU-…`.
    pub id: Option<String>,
    /// Its label.
    pub name: Option<String>,
    /// For people.
    pub description: Option<String>,
    /// The account's own id of it.
    pub external_id: Option<String>,
    /// Whose it is.
    pub owner: Person,
    /// Where it stands in its life.
    pub status: Status,
    /// What it was made for.
    pub extension: Extension,
    /// An opaque value of partner extensions such as Zapier: as good as a secret.
    pub handle: Option<Secret>,
    /// The bare secret.
    pub secret: Option<Secret>,
    /// When it was made.
    pub created: Option<Moment>,
    /// By whom.
    pub created_by: Person,
    /// When it was changed last.
    pub updated: Option<Moment>,
    /// By whom.
    pub updated_by: Person,
    /// The modules that it is let into.
    pub permissions: Vec<Permission>,
    /// When the secret ends.
    pub expires: Expiry,
    /// When the renewed secret ends.
    pub renewed_expires: Expiry,
    /// The renewed secret, valid beside the first one until that one's own end.
    pub renewed_secret: Option<Secret>,
}

impl Token {
    /// The modules' ids, as far as they are known.
    pub fn modules(&self) -> Vec<&str> {
        self.permissions
            .iter()
            .filter_map(|permission| permission.module.as_deref())
            .collect()
    }

    /// What its owner pastes elsewhere: `ApiKey {id}:{secret}`, with the renewed secret where there is one;
    /// for partner extensions their own opaque handle where no secret came along.
    pub fn full_handle(&self) -> Option<Handle> {
        let secret = self.renewed_secret.as_ref().or(self.secret.as_ref());
        match (self.id.as_deref(), secret) {
            (Some(id), Some(secret)) => Some(handle_of(id, secret)),
            _ => self.handle.clone().map(Handle::plain),
        }
    }
}

/// `ApiKey {id}:{secret}`.
pub fn handle_of(id: &str, secret: &Secret) -> Handle {
    let mut whole = Secret::new(format!("ApiKey {id}:"));
    whole.insert_all(usize::MAX, secret);
    Handle::plain(whole)
}

impl Serialize for Token {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_struct("Token", 8)?;
        object.serialize_field("id", &self.id)?;
        object.serialize_field("name", &self.name)?;
        object.serialize_field("status", &self.status.word())?;
        let extension = self.extension.id.as_ref().or(self.extension.name.as_ref());
        object.serialize_field("extension", &extension)?;
        object.serialize_field("expires", &self.expires.shown())?;
        object.serialize_field("created", &self.created.as_ref().map(Moment::shown))?;
        let by = self
            .created_by
            .name
            .as_ref()
            .or(self.created_by.id.as_ref());
        object.serialize_field("created_by", &by)?;
        object.serialize_field("permissions", &self.modules())?;
        object.end()
    }
}

/// The object as it came.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct RawToken {
    id: Word,
    name: Word,
    description: Word,
    external_id: Word,
    owner: Loose<RawPerson>,
    status: Word,
    extension: Loose<RawExtension>,
    handle: Hidden,
    token: Hidden,
    permissions: Rows<RawPermission>,
    expiration_date: Expiry,
    renewed_expiration_date: Expiry,
    renewed_token: Hidden,
    events: Loose<RawEvents>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct RawPerson {
    id: Word,
    name: Word,
    email: Word,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct RawExtension {
    id: Word,
    name: Word,
    status: Word,
    constraints: Loose<RawConstraints>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct RawConstraints {
    account: Loose<RawAccountConstraints>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct RawAccountConstraints {
    tokens: Count,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct RawPermission {
    id: Word,
    object: Loose<RawModule>,
    events: Loose<RawEvents>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct RawModule {
    id: Word,
    name: Word,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct RawEvents {
    created: Loose<RawEvent>,
    updated: Loose<RawEvent>,
    granted: Loose<RawEvent>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct RawEvent {
    at: Word,
    by: Loose<RawPerson>,
}

fn line(word: Word) -> Option<String> {
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

impl Default for Token {
    /// A token of which nothing is known.
    fn default() -> Self {
        RawToken::default().into()
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
                .into_iter()
                .map(Permission::from)
                .collect(),
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
                r#""expires":"2027-01-01T00:00:00Z","created":"2026-03-02T00:00:00Z","#,
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

    #[test]
    fn times_are_read_in_every_form_or_kept_as_text() {
        for (text, shown) in [
            ("2026-11-23T10:00:00+00:00", "2026-11-23T10:00:00Z"),
            ("2026-11-23T10:00:00.123456+02:00", "2026-11-23T08:00:00Z"),
            ("2026-11-23T10:00:00", "2026-11-23T10:00:00Z"),
            ("2026-11-23", "2026-11-23T00:00:00Z"),
            ("soon", "soon"),
        ] {
            assert_eq!(Moment::read(text).shown(), shown);
        }
    }
}
