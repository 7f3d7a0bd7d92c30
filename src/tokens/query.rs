//! What is asked of a list.

use jiff::Timestamp;

use super::rql::{Rql, encoded};
use crate::domain::token::{Direction, Group, IDLE_DAYS, Listing, Order, PAGE, later};
use crate::domain::verdict::whole_seconds;

/// One page of a list: what it shall hold, in which order, from where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenQuery {
    /// Which rows; all where absent.
    pub filter: Option<Rql>,
    /// In which order, the first first.
    pub order: Vec<(Order, Direction)>,
    /// Rows before this page.
    pub offset: u64,
    /// Most rows of this page; the service may cut it. 0 gives the count alone.
    pub limit: u64,
}

impl Default for TokenQuery {
    /// The first hundred of all.
    fn default() -> Self {
        Self {
            filter: None,
            order: Vec::new(),
            offset: 0,
            limit: PAGE,
        }
    }
}

impl TokenQuery {
    /// The first page of what `listing` shows at `now`.
    pub fn of(listing: &Listing, now: Timestamp) -> Self {
        let mut parts = vec![Rql::Ne("status", "deleted".into())];
        match listing.group {
            None => {}
            // What was not made yet a month ago, or is off, can't be idle.
            Some(Group::Idle) => {
                let first = whole_seconds(later(now, -IDLE_DAYS));
                parts.push(Rql::In("status", vec!["active".into(), "expiring".into()]));
                parts.push(Rql::Le("events.created.at", first.as_str().into()));
            }
            Some(group) => parts.extend(group.filter(now)),
        }
        parts.extend(listing.filter.split_whitespace().map(word));
        Self {
            filter: Some(Rql::And(parts)),
            order: vec![(listing.order, listing.order.direction())],
            ..Self::default()
        }
    }

    /// The same, from a further row on.
    #[must_use]
    pub fn from_row(self, offset: u64) -> Self {
        Self { offset, ..self }
    }

    /// The whole query, percent-encoded.
    pub fn encoded(&self) -> String {
        let mut parts = Vec::new();
        if let Some(filter) = &self.filter {
            parts.push(filter.encoded());
        }
        if !self.order.is_empty() {
            // Of rows that are alike in it each page could have another order, and leave some out: ids differ.
            let by_id = (Order::Id, Direction::Ascending);
            let is_by_id = self.order.iter().any(|(order, _)| *order == Order::Id);
            let fields: Vec<_> = self
                .order
                .iter()
                .chain((!is_by_id).then_some(&by_id))
                .map(|(order, direction)| match direction {
                    Direction::Ascending => order.field().to_owned(),
                    Direction::Descending => format!("-{}", order.field()),
                })
                .collect();
            parts.push(encoded(&format!("ordering({})", fields.join(","))));
        }
        parts.push(format!("limit={}", self.limit));
        if self.offset > 0 {
            parts.push(format!("offset={}", self.offset));
        }
        parts.retain(|part| !part.is_empty());
        parts.join("&")
    }
}

/// One word of a filter.
fn word(word: &str) -> Rql {
    let contains = |field, text: &str| Rql::Contains(field, text.to_owned());
    match word.split_once(':').filter(|(_, text)| !text.is_empty()) {
        // What is inactive is the last that is meant by it.
        Some(("status", text)) if "active".starts_with(&text.to_lowercase()) => Rql::And(vec![
            contains("status", text),
            Rql::Ne("status", "inactive".into()),
        ]),
        Some(("status", text)) => contains("status", text),
        Some(("extension" | "ext", text)) => Rql::Or(vec![
            contains("extension.id", text),
            contains("extension.name", text),
        ]),
        Some(("by", text)) => Rql::Or(vec![
            contains("events.created.by.id", text),
            contains("events.created.by.name", text),
        ]),
        Some(("module", text)) => Rql::Eq("permissions.id", text.into()),
        _ => Rql::Or(
            [
                "name",
                "id",
                "external_id",
                "extension.name",
                "events.created.by.name",
            ]
            .map(|field| contains(field, word))
            .into(),
        ),
    }
}

/// The total of `items 0-99/1024`.
pub fn total_of(content_range: &str) -> Option<u64> {
    content_range.rsplit_once('/')?.1.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::token::Page;

    #[test]
    fn queries_are_encoded_whole() {
        assert_eq!(TokenQuery::default().encoded(), "limit=100");
        assert_eq!(
            TokenQuery::of(&Listing::default(), Timestamp::UNIX_EPOCH)
                .from_row(200)
                .encoded(),
            "ne(status,deleted)&ordering(-events.created.at,id)&limit=100&offset=200"
        );
        let count = TokenQuery {
            filter: Some(Rql::And(Vec::new())),
            limit: 0,
            ..TokenQuery::default()
        };
        assert_eq!(count.encoded(), "limit=0");
        let by_id = TokenQuery {
            order: vec![(Order::Id, Direction::Descending)],
            ..TokenQuery::default()
        };
        assert_eq!(by_id.encoded(), "ordering(-id)&limit=100");
    }

    #[test]
    fn a_listing_is_filtered_and_ordered_by_the_service() {
        let now = "2026-11-23T10:00:00Z".parse().unwrap();
        let asked = |group, filter: &str| {
            let listing = Listing {
                group,
                order: Order::Expires,
                filter: filter.to_owned(),
            };
            TokenQuery::of(&listing, now).filter.unwrap().text()
        };
        assert_eq!(asked(None, ""), "ne(status,deleted)");
        assert_eq!(
            asked(Some(Group::Idle), ""),
            "and(ne(status,deleted),in(status,(active,expiring)),\
             le(events.created.at,2026-10-24T10:00:00Z))"
        );
        assert_eq!(
            asked(None, "status:Act"),
            "and(ne(status,deleted),and(ilike(status,*Act*),ne(status,inactive)))"
        );
        assert_eq!(
            asked(Some(Group::Disabled), "status:inact module:MD-0001"),
            "and(ne(status,deleted),eq(status,inactive),ilike(status,*inact*),\
             eq(permissions.id,MD-0001))"
        );
        assert_eq!(
            asked(None, "a)b"),
            "and(ne(status,deleted),or(ilike(name,\"*a)b*\"),ilike(id,\"*a)b*\"),\
             ilike(external_id,\"*a)b*\"),ilike(extension.name,\"*a)b*\"),\
             ilike(events.created.by.name,\"*a)b*\")))"
        );
    }

    #[test]
    fn paging_goes_by_what_came_back() {
        let page = |rows: usize, offset, total| Page {
            rows: vec![(); rows],
            offset,
            total,
        };
        for (page, next) in [
            (page(50, 0, Some(120)), Some(50)),
            (page(20, 100, Some(120)), None),
            (page(0, 100, Some(120)), None),
            (page(50, 0, None), Some(50)),
            (page(0, 0, None), None),
        ] {
            assert_eq!(page.next_offset(), next);
        }
        assert_eq!(total_of("items 0-99/1024"), Some(1024));
        assert_eq!(total_of("items 0-0/0"), Some(0));
        assert_eq!(total_of("items 0-0/*"), None);
    }
}
