//! Lists of tokens: their order, pages of them, and groups by risk (what ends soon, never, opens all, is off, or
//! is not used).

use jiff::{SignedDuration, Timestamp, tz::TimeZone};

use super::{ALL_MODULES, Expiry, Status, Token, Usage};

/// Days before its end from which a token counts as expiring.
pub const SOON_DAYS: i64 = 30;
/// Rows that are asked for at once.
pub const PAGE: u64 = 100;
/// Days without a request after which a token counts as idle.
pub const IDLE_DAYS: i64 = 30;

/// A group of tokens. A token may be in several.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Group {
    /// Ends within 30 days, or the service says that it is expiring.
    Expiring,
    /// Has no end.
    NeverExpires,
    /// Is let into every module, whatever comes later.
    AllModules,
    /// Switched off.
    Disabled,
    /// In force, and not used for 30 days.
    Idle,
}

impl Group {
    /// Every group.
    pub const ALL: [Self; 5] = [
        Self::Expiring,
        Self::NeverExpires,
        Self::AllModules,
        Self::Disabled,
        Self::Idle,
    ];

    /// The words on the screen.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Expiring => "expiring",
            Self::NeverExpires => "never expires",
            Self::AllModules => "all modules",
            Self::Disabled => "disabled",
            Self::Idle => "idle",
        }
    }

    /// Whether `token` is in the group at `now`. Without `usage` none is idle.
    pub fn holds(self, token: &Token, usage: Option<&Usage>, now: Timestamp) -> bool {
        if token.status == Status::Deleted {
            return false;
        }
        match self {
            Self::Expiring => {
                token.status == Status::Expiring || ends_within(&token.expires, SOON_DAYS, now)
            }
            Self::NeverExpires => token.expires == Expiry::Never,
            Self::AllModules => token.permissions().iter().any(|permission| {
                [&permission.module, &permission.id].contains(&&Some(ALL_MODULES.to_owned()))
            }),
            Self::Disabled => token.status == Status::Inactive,
            Self::Idle => {
                let in_force = matches!(token.status, Status::Active | Status::Expiring);
                in_force && usage.is_some_and(|usage| is_idle(token, usage, now))
            }
        }
    }
}

/// Whether `expiry` is at most `days` after `now`, and not before it.
pub fn ends_within(expiry: &Expiry, days: i64, now: Timestamp) -> bool {
    expiry
        .at()
        .is_some_and(|at| at >= now && at <= later(now, days))
}

/// So many days after `now`.
pub fn later(now: Timestamp, days: i64) -> Timestamp {
    now.checked_add(SignedDuration::from_hours(days.saturating_mul(24)))
        .unwrap_or(Timestamp::MAX)
}

/// A token that is younger than the window has not had the time to be idle.
fn is_idle(token: &Token, usage: &Usage, now: Timestamp) -> bool {
    let begin = later(now, -IDLE_DAYS);
    let is_young = token
        .created
        .as_ref()
        .and_then(|created| created.at)
        .is_some_and(|created| created > begin);
    let first_day = TimeZone::UTC.to_datetime(begin).date();
    !is_young && usage.last_used().is_none_or(|last| last < first_day)
}

/// The fields that the service orders tokens by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Order {
    /// `id`.
    Id,
    /// `name`.
    Name,
    /// `status`.
    Status,
    /// `extension.id`.
    Extension,
    /// `events.created.at`.
    Created,
    /// `expiration_date`.
    Expires,
}

/// Which end of an order is first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// The least.
    Ascending,
    /// The greatest.
    Descending,
}

impl Direction {
    /// The other one.
    #[must_use]
    pub const fn reversed(self) -> Self {
        match self {
            Self::Ascending => Self::Descending,
            Self::Descending => Self::Ascending,
        }
    }
}

impl Order {
    /// Every order.
    pub const ALL: [Self; 6] = [
        Self::Id,
        Self::Name,
        Self::Status,
        Self::Extension,
        Self::Created,
        Self::Expires,
    ];

    /// The field in the query.
    pub const fn field(self) -> &'static str {
        match self {
            Self::Id => "id",
            Self::Name => "name",
            Self::Status => "status",
            Self::Extension => "extension.id",
            Self::Created => "events.created.at",
            Self::Expires => "expiration_date",
        }
    }

    /// Which end is first by itself: of what was created the newest.
    pub const fn direction(self) -> Direction {
        match self {
            Self::Created => Direction::Descending,
            Self::Expires | Self::Name | Self::Status | Self::Extension | Self::Id => {
                Direction::Ascending
            }
        }
    }

    /// The next one, round and round.
    #[must_use]
    pub const fn next(self) -> Self {
        match self {
            Self::Created => Self::Expires,
            Self::Expires => Self::Name,
            Self::Name => Self::Status,
            Self::Status => Self::Extension,
            Self::Extension => Self::Id,
            Self::Id => Self::Created,
        }
    }

    /// What the footer says.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Id => "by id",
            Self::Name => "by label",
            Self::Status => "by status",
            Self::Extension => "by extension",
            Self::Created => "newest first",
            Self::Expires => "what ends next first",
        }
    }

    /// The word on the command line and on the screen.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Id => "id",
            Self::Name => "name",
            Self::Status => "status",
            Self::Extension => "extension",
            Self::Created => "created",
            Self::Expires => "expires",
        }
    }
}

/// One page of rows.
#[derive(Clone, Debug, PartialEq)]
pub struct Page<T> {
    /// What came back.
    pub rows: Vec<T>,
    /// Rows before them.
    pub offset: u64,
    /// Rows of the whole list, where the service said it.
    pub total: Option<u64>,
}

impl<T> Page<T> {
    /// Where the next page begins: behind what came back, whatever had been asked for. Nothing at the end.
    pub fn next_offset(&self) -> Option<u64> {
        let came = u64::try_from(self.rows.len()).unwrap_or(u64::MAX);
        let next = self.offset.saturating_add(came);
        let more = match self.total {
            Some(total) => next < total,
            // Without a total only an empty page is an end.
            None => true,
        };
        (came > 0 && more).then_some(next)
    }
}

/// Which tokens a list shows, and in which order. Deleted ones are never shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listing {
    /// Only this group; of [`Group::Idle`] those that could be in it, as the service knows nothing of use.
    pub group: Option<Group>,
    /// What is first, in the direction of [`Order::direction`].
    pub order: Order,
    /// As typed: words that label, ids, extension or creator contain, and `status:`, `extension:`, `by:`,
    /// `module:`.
    pub filter: String,
}

impl Default for Listing {
    /// All of them, the newest first.
    fn default() -> Self {
        Self {
            group: None,
            order: Order::Created,
            filter: String::new(),
        }
    }
}
