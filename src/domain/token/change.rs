//! What may be done to tokens: made, changed, renewed step by step.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Expiry, Moment};
use crate::domain::{Name, SecretRef, Verdict, span};

/// Characters of a label or an external id at most.
pub const LABEL_LIMIT: usize = 128;
/// Characters of a description at most.
pub const DESCRIPTION_LIMIT: usize = 255;

/// What a new token is made of. Modules are granted afterwards.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NewToken {
    /// At most 128 characters; must be unique.
    pub name: String,
    /// `EXT-…`.
    pub extension: String,
    /// At most 128 characters.
    pub external_id: Option<String>,
    /// At most 255 characters.
    pub description: Option<String>,
    /// `UR-…`; the key's own where absent.
    pub owner: Option<String>,
    /// As the service reads it; never where absent.
    pub expires: Option<String>,
}

/// What may be changed about a token. What is absent stays.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TokenEdit {
    /// At most 128 characters.
    pub name: Option<String>,
    /// At most 128 characters; empty takes it away.
    pub external_id: Option<String>,
    /// At most 255 characters; empty takes it away.
    pub description: Option<String>,
}

impl TokenEdit {
    /// Whether nothing is to be changed.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// What separates the modules of a token from those that are wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Difference {
    /// To be granted, in the order of their ids.
    pub grant: Vec<String>,
    /// To be revoked, likewise.
    pub revoke: Vec<String>,
}

impl Difference {
    /// Whether nothing is to be done.
    pub fn is_empty(&self) -> bool {
        self.grant.is_empty() && self.revoke.is_empty()
    }
}

/// What must be granted and revoked to get from `current` to `wanted`.
pub fn difference<'a>(
    current: impl IntoIterator<Item = &'a str>,
    wanted: impl IntoIterator<Item = &'a str>,
) -> Difference {
    let current: BTreeSet<_> = current.into_iter().collect();
    let wanted: BTreeSet<_> = wanted.into_iter().collect();
    let owned = |ids: Vec<&&str>| ids.into_iter().map(|id| (*id).to_owned()).collect();
    Difference {
        grant: owned(wanted.difference(&current).collect()),
        revoke: owned(current.difference(&wanted).collect()),
    }
}

/// Whether what would cut somebody off was meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Guard {
    /// Refuse it for a key in use.
    On,
    /// The person was warned that these connections run on it, and means it: any other is still named first.
    Agreed(Vec<Name>),
    /// The person means it, whoever runs on it.
    Lifted,
}

/// The steps of a renewal, in order. Each is told when it is over and on disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum RenewalStep {
    /// The renewal is written down; the service is asked next.
    WrittenDown,
    /// The service gave a new secret.
    Answered,
    /// The places of the new secret are written down.
    Placed,
    /// The new secret is in its places, beside the old one.
    Kept,
    /// A probe with the new secret was accepted.
    Proven,
    /// The connections use the new secret.
    Switched,
    /// A probe of each of them was accepted.
    ProvenAgain,
    /// The old secret was taken out of its places.
    Tidied,
}

impl RenewalAction {
    /// What was done, for people: `renewed`.
    pub const fn done(self) -> &'static str {
        match self {
            Self::Renew => "renewed",
            Self::Rotate => "rotated",
        }
    }

    /// What it is called: `renewal`.
    pub const fn noun(self) -> &'static str {
        match self {
            Self::Renew => "renewal",
            Self::Rotate => "rotation",
        }
    }
}

impl RenewalStep {
    /// Every step, in order.
    pub const ALL: [Self; 8] = [
        Self::WrittenDown,
        Self::Answered,
        Self::Placed,
        Self::Kept,
        Self::Proven,
        Self::Switched,
        Self::ProvenAgain,
        Self::Tidied,
    ];

    /// Whether it is done with connections that hold the secret, and with none otherwise.
    pub const fn is_about_holders(self) -> bool {
        match self {
            Self::Kept | Self::Switched | Self::ProvenAgain | Self::Placed | Self::Tidied => true,
            Self::WrittenDown | Self::Answered | Self::Proven => false,
        }
    }

    /// What was done, for people.
    pub const fn words(self) -> &'static str {
        match self {
            Self::WrittenDown => "written down here, so that it can go on after a crash",
            Self::Answered => "the service gave a new secret",
            Self::Placed => "its places are written down",
            Self::Kept => "it is kept beside the old one",
            Self::Proven => "a probe with it was accepted",
            Self::Switched => "the connections use it",
            Self::ProvenAgain => "a probe of each of them was accepted",
            Self::Tidied => "the old secret is out of its places",
        }
    }
}

/// A connection that does not use a new secret: its own could not be read and may be the old one, or was changed
/// meanwhile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotUpdated {
    /// Which.
    pub connection: Name,
    /// Why, one sentence.
    pub why: String,
}

/// A renewal or rotation that has ended well.
#[derive(Clone, Debug, PartialEq)]
pub struct Renewed {
    /// The token's id.
    pub id: String,
    /// Which of the two it was, whatever was asked for when it was gone on with.
    pub action: RenewalAction,
    /// What an earlier run had begun, and was ended first.
    pub earlier: Option<RenewalAction>,
    /// Connections that use the new secret now.
    pub updated: Vec<Name>,
    /// Connections under the same id that do not use the new secret.
    pub unread: Vec<NotUpdated>,
    /// What probes with the new secret found: one for each connection, or one of the pair alone.
    pub verdicts: Vec<Verdict>,
    /// When the new secret ends.
    pub expires: Expiry,
    /// Until when the old one is valid; nothing is known after a rotation.
    pub old_until: Expiry,
    /// Places of the old secret that could not be emptied.
    pub left_behind: Vec<SecretRef>,
    /// Something else had ended it by then, such as a probe; when. Nothing was asked of the service now.
    pub aside: Option<Timestamp>,
    /// It had been begun earlier.
    pub resumed: bool,
}

/// How a token gets a new secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RenewalAction {
    /// A second secret beside the first, proven before anything depends on it.
    Renew,
    /// Another secret in place of the first, which is dead at once.
    Rotate,
}

/// A renewal or rotation that was begun and has not ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unfinished {
    /// The token's id.
    pub id: String,
    /// The connection that asked.
    pub connection: Name,
    /// What it asked for.
    pub action: RenewalAction,
    /// When.
    pub since: Timestamp,
    /// Every connection that holds the old secret.
    pub holders: Vec<Name>,
}

/// Not a time at which something can end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ExpiryProblem {
    /// Nobody can read it.
    #[error("that is no date: write 2027-01-31, 90d or never")]
    NoDate,
    /// What ends then would be dead at once, and whatever runs on it cut off.
    #[error("that is not in the future: write a later date, 90d or never")]
    Past,
}

/// When a token ends of which nothing else is said: those that never end are the ones that leak.
pub const USUAL_END: &str = "365d";

/// When something new shall end, as people say it: a date, a time from `now` such as `90d`, or `never`. As the
/// service reads it; nothing for never.
pub fn parse_expiry(text: &str, now: Timestamp) -> Result<Option<String>, ExpiryProblem> {
    let text = text.trim();
    if text == "never" {
        return Ok(None);
    }
    let at = Moment::read(text)
        .at
        .or_else(|| now.checked_add(span::read(text)?).ok())
        .ok_or(ExpiryProblem::NoDate)?;
    if at <= now {
        return Err(ExpiryProblem::Past);
    }
    Ok(Some(at.strftime("%Y-%m-%dT%H:%M:%S+00:00").to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_said_in_three_ways() {
        let now = "2026-11-23T10:00:00Z".parse().unwrap();
        let end = |text| parse_expiry(text, now);
        assert_eq!(end("never"), Ok(None));
        for (text, read) in [
            ("2027-01-31", "2027-01-31T00:00:00+00:00"),
            (" 90d ", "2027-02-21T10:00:00+00:00"),
            ("2w", "2026-12-07T10:00:00+00:00"),
            ("12h", "2026-11-23T22:00:00+00:00"),
        ] {
            assert_eq!(end(text), Ok(Some(read.to_owned())), "{text}");
        }
        for text in ["soon", ""] {
            assert_eq!(end(text), Err(ExpiryProblem::NoDate), "{text}");
        }
        for text in [
            "2026-11-22",
            "2026-11-23",
            "2020-01-01T10:00:00Z",
            "0d",
            "-2h",
        ] {
            assert_eq!(end(text), Err(ExpiryProblem::Past), "{text}");
        }
    }
}
