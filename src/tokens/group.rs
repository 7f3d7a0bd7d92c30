//! Groups of tokens by risk: what ends soon, never, opens all, is off, or is not used.

use jiff::{SignedDuration, Timestamp, tz::TimeZone};

use super::rql::{Rql, Term};
use super::token::{ALL_MODULES, Expiry, Status, Token};
use super::usage::Usage;
use crate::domain::verdict::whole_seconds;

/// Days before its end from which a token counts as expiring.
pub const SOON_DAYS: i64 = 30;
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
            Self::AllModules => token.permissions.iter().any(|permission| {
                [&permission.module, &permission.id].contains(&&Some(ALL_MODULES.to_owned()))
            }),
            Self::Disabled => token.status == Status::Inactive,
            Self::Idle => {
                let in_force = matches!(token.status, Status::Active | Status::Expiring);
                in_force && usage.is_some_and(|usage| is_idle(token, usage, now))
            }
        }
    }

    /// The same as a filter on the server; nothing for what the server does not know.
    pub fn filter(self, now: Timestamp) -> Option<Rql> {
        let text = |text: &str| Term::from(text);
        match self {
            Self::Expiring => Some(within_days(SOON_DAYS, now)),
            Self::NeverExpires => Some(Rql::And(vec![
                Rql::Eq("expiration_date", Term::Null),
                Rql::Ne("status", text("deleted")),
            ])),
            Self::AllModules => Some(Rql::And(vec![
                Rql::Eq("permissions.id", text(ALL_MODULES)),
                Rql::Ne("status", text("deleted")),
            ])),
            Self::Disabled => Some(Rql::Eq("status", text("inactive"))),
            Self::Idle => None,
        }
    }
}

/// The filter for living tokens that end between `now` and `days` later.
pub fn within_days(days: i64, now: Timestamp) -> Rql {
    let until = later(now, days);
    Rql::And(vec![
        Rql::Ge("expiration_date", Term::Text(whole_seconds(now))),
        Rql::Le("expiration_date", Term::Text(whole_seconds(until))),
        Rql::Ne("status", Term::from("deleted")),
    ])
}

/// Whether `expiry` is at most `days` after `now`, and not before it.
pub fn ends_within(expiry: &Expiry, days: i64, now: Timestamp) -> bool {
    expiry
        .at()
        .is_some_and(|at| at >= now && at <= later(now, days))
}

fn later(now: Timestamp, days: i64) -> Timestamp {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tokens::token::RawToken;
    use crate::tokens::usage::Day;

    fn token(json: &str) -> Token {
        serde_json::from_str::<RawToken>(json).unwrap().into()
    }

    fn now() -> Timestamp {
        "2026-11-23T10:00:00Z".parse().unwrap()
    }

    #[test]
    fn each_token_is_in_its_groups() {
        let used = Usage {
            days: vec![Day {
                date: jiff::civil::date(2026, 11, 1),
                codes: vec![(200, 1)],
            }],
            ..Usage::default()
        };
        let unused = Usage::default();
        for (json, usage, groups) in [
            (r#"{"status":"active"}"#, Some(&used), vec![]),
            (r#"{"status":"active"}"#, Some(&unused), vec![Group::Idle]),
            (r#"{"status":"active"}"#, None, vec![]),
            (
                r#"{"status":"active","events":{"created":{"at":"2026-11-20"}}}"#,
                Some(&unused),
                vec![],
            ),
            (
                r#"{"status":"inactive","expiration_date":null}"#,
                Some(&unused),
                vec![Group::NeverExpires, Group::Disabled],
            ),
            (
                r#"{"status":"active","expiration_date":"2026-12-23T10:00:00Z"}"#,
                None,
                vec![Group::Expiring],
            ),
            (
                r#"{"status":"active","expiration_date":"2026-12-23T10:00:01Z"}"#,
                None,
                vec![],
            ),
            (r#"{"expiration_date":"2026-11-22"}"#, None, vec![]),
            (r#"{"status":"expiring"}"#, None, vec![Group::Expiring]),
            (
                r#"{"permissions":[{"object":{"id":"MD-0000"}}]}"#,
                None,
                vec![Group::AllModules],
            ),
            (
                r#"{"status":"deleted","expiration_date":null,"permissions":[{"id":"MD-0000"}]}"#,
                Some(&unused),
                vec![],
            ),
        ] {
            let token = token(json);
            let found: Vec<_> = Group::ALL
                .into_iter()
                .filter(|group| group.holds(&token, usage, now()))
                .collect();
            assert_eq!(found, groups, "{json}");
        }
    }

    #[test]
    fn groups_are_filtered_on_the_server_where_it_can() {
        assert_eq!(
            Group::Expiring.filter(now()).unwrap().text(),
            "and(ge(expiration_date,2026-11-23T10:00:00Z),le(expiration_date,2026-12-23T10:00:00Z),\
             ne(status,deleted))"
        );
        assert_eq!(
            Group::AllModules.filter(now()).unwrap().text(),
            "and(eq(permissions.id,MD-0000),ne(status,deleted))"
        );
        assert_eq!(Group::Idle.filter(now()), None);
    }
}
