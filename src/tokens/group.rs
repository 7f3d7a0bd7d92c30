//! Groups of tokens as filters on the server.

use jiff::Timestamp;

use super::rql::{Rql, Term};
use crate::domain::token::{ALL_MODULES, Group, SOON_DAYS, later};
use crate::domain::verdict::whole_seconds;

impl Group {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::token::{Day, Token, Usage};
    use crate::tokens::token::RawToken;

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
