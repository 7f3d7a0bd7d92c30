//! What is asked of a list, and the page that came back.

use super::rql::{Rql, encoded};

/// Rows that are asked for at once.
pub const PAGE: u64 = 100;

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

/// One page of a list: what it shall hold, in which order, from where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenQuery {
    /// Which rows; all where absent.
    pub filter: Option<Rql>,
    /// In which order, the first first; true is descending.
    pub order: Vec<(Order, bool)>,
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
    /// The tokens that are not deleted, newest first: what the list shows by itself.
    pub fn living() -> Self {
        Self {
            filter: Some(Rql::Ne("status", "deleted".into())),
            order: vec![(Order::Created, true)],
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
            let fields: Vec<_> = self
                .order
                .iter()
                .map(|(order, descending)| {
                    format!("{}{}", if *descending { "-" } else { "" }, order.field())
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

/// The total of `items 0-99/1024`.
pub(super) fn total_of(content_range: &str) -> Option<u64> {
    content_range.rsplit_once('/')?.1.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries_are_encoded_whole() {
        assert_eq!(TokenQuery::default().encoded(), "limit=100");
        assert_eq!(
            TokenQuery::living().from_row(200).encoded(),
            "ne(status,deleted)&ordering(-events.created.at)&limit=100&offset=200"
        );
        let count = TokenQuery {
            filter: Some(Rql::And(Vec::new())),
            limit: 0,
            ..TokenQuery::default()
        };
        assert_eq!(count.encoded(), "limit=0");
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
