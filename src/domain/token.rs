//! A token as the service describes it, with every field optional, and its secret sealed.
//!
//! Every text in these types was made inert when it was read; the secret was not, and never prints.

mod change;
mod listing;
mod usage;

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use serde::ser::SerializeStruct;
use serde::{Serialize, Serializer};

pub use change::{
    DESCRIPTION_LIMIT, Difference, ExpiryProblem, Guard, LABEL_LIMIT, NewToken, NotUpdated,
    RenewalAction, RenewalStep, Renewed, TokenEdit, USUAL_END, Unfinished, difference,
    parse_expiry,
};
pub use listing::{
    Direction, Group, IDLE_DAYS, Listing, Order, PAGE, Page, SOON_DAYS, ends_within, later,
};
pub use usage::{Counted, Day, Summary, Usage};

use super::shape::TOKEN_SCHEME;
use super::text::inert;
use super::verdict::whole_seconds;
use super::{Handle, Secret};

/// The id of the module that means all of them.
pub const ALL_MODULES: &str = "MD-0000";

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
/// `id name status extension expires renewed_expires created created_by permissions`.
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
    /// The modules that it is let into; nothing where the service did not say.
    pub permissions: Option<Vec<Permission>>,
    /// When the secret ends.
    pub expires: Expiry,
    /// When the renewed secret ends.
    pub renewed_expires: Expiry,
    /// The renewed secret, valid beside the first one until that one's own end.
    pub renewed_secret: Option<Secret>,
}

impl Token {
    /// The modules that it is let into, as far as they are known.
    pub fn permissions(&self) -> &[Permission] {
        self.permissions.as_deref().unwrap_or_default()
    }

    /// The modules' ids, as far as they are known.
    pub fn modules(&self) -> Vec<&str> {
        self.permissions()
            .iter()
            .filter_map(|permission| permission.module.as_deref())
            .collect()
    }

    /// Whether it has a renewed secret already: a further renewal puts another one in the place of that one.
    pub fn is_renewed(&self) -> bool {
        self.renewed_secret.is_some() || matches!(self.renewed_expires, Expiry::At(_))
    }

    /// When the last of its secrets ends.
    pub fn ends(&self) -> &Expiry {
        let (first, renewed) = (&self.expires, &self.renewed_expires);
        match (first, renewed) {
            (Expiry::At(_), Expiry::Never) if self.renewed_secret.is_some() => renewed,
            (Expiry::At(first), Expiry::At(later)) if later.at > first.at => renewed,
            _ => first,
        }
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
    let mut whole = Secret::new(format!("{TOKEN_SCHEME}{id}:"));
    whole.insert_all(usize::MAX, secret);
    Handle::plain(whole)
}

/// The header line that carries a handle: `Authorization: ApiKey {id}:{secret}`.
pub fn header_of(handle: &Handle) -> Secret {
    let mut line = Secret::new("Authorization: ");
    line.insert_all(usize::MAX, handle.secret());
    line
}

impl Serialize for Token {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_struct("Token", 9)?;
        object.serialize_field("id", &self.id)?;
        object.serialize_field("name", &self.name)?;
        object.serialize_field("status", &self.status.word())?;
        let extension = self.extension.id.as_ref().or(self.extension.name.as_ref());
        object.serialize_field("extension", &extension)?;
        object.serialize_field("expires", &self.expires.shown())?;
        object.serialize_field("renewed_expires", &self.renewed_expires.shown())?;
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

impl Default for Token {
    /// A token of which nothing is known.
    fn default() -> Self {
        Self {
            id: None,
            name: None,
            description: None,
            external_id: None,
            owner: Person::default(),
            status: Status::Missing,
            extension: Extension::default(),
            handle: None,
            secret: None,
            created: None,
            created_by: Person::default(),
            updated: None,
            updated_by: Person::default(),
            permissions: None,
            expires: Expiry::Unknown,
            renewed_expires: Expiry::Unknown,
            renewed_secret: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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

    #[test]
    fn a_header_line_is_the_handle_behind_its_name() {
        let line = header_of(&handle_of("SU-1", &Secret::new("s3cret")));
        assert_eq!(line, Secret::new("Authorization: ApiKey SU-1:s3cret"));
    }
}
