//! The account's list: a window of rows around what is looked at, whatever the account holds.
//!
//! Rows are kept by their place. A page is asked for when a row in sight (or soon in sight) is missing, one at a
//! time, and rows far away are dropped: memory and the time of a frame do not grow with the total.

use std::collections::BTreeMap;
use std::ops::Range;

use jiff::Timestamp;
use jiff::civil::Date;
use tui_input::Input;

use super::exchange::RowPage;
use super::failure::Trouble;
use crate::domain::Name;
use crate::domain::token::{Expiry, Listing, PAGE, Token};

/// Rows that are kept at most.
pub const KEPT: usize = 1_000;
/// Rows below what is in sight that are fetched before they are.
const AHEAD: u64 = 20;

/// One token without its secrets.
#[derive(Debug, Clone, PartialEq)]
pub struct TokenRow {
    /// All that is no secret.
    pub token: Token,
    /// Whether the service shows its secret.
    pub has_handle: bool,
    /// Whether it was renewed: a further renewal puts another secret in the place of the renewed one.
    pub is_renewed: bool,
    /// When the last of its secrets ends.
    pub ends: Expiry,
    /// What is known of its use; asked for in the group of idle ones alone.
    pub last_used: LastUse,
    /// Why its modules could not be read, where that is so; one sentence.
    pub modules_unread: Option<String>,
}

/// When a token was used last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LastUse {
    /// Nobody has asked.
    #[default]
    Unasked,
    /// Not in the days that the service knows of.
    Never,
    /// Then.
    On(Date),
    /// The service did not say.
    NotTold,
}

impl TokenRow {
    /// The row of `token`, its secrets wiped.
    pub fn of(token: Token) -> Self {
        Self {
            has_handle: token.secret.is_some()
                || token.renewed_secret.is_some()
                || token.handle.is_some(),
            is_renewed: token.is_renewed(),
            ends: token.ends().clone(),
            token: Token {
                secret: None,
                renewed_secret: None,
                handle: None,
                ..token
            },
            last_used: LastUse::Unasked,
            modules_unread: None,
        }
    }

    /// Its id, where the service gave one.
    pub fn id(&self) -> Option<&str> {
        self.token.id.as_deref()
    }

    /// What is typed to confirm: its label, else its id.
    pub fn label(&self) -> &str {
        let name = self.token.name.as_deref();
        name.filter(|name| !name.trim().is_empty())
            .or(self.id())
            .unwrap_or("–")
    }
}

/// A page that was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AskedPage {
    /// The number of the request.
    pub generation: u64,
    /// Rows before the page.
    pub offset: u64,
}

/// A token's last use that was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LookUp {
    /// The number of the request.
    pub generation: u64,
    /// Which token.
    pub id: String,
}

/// The list of one account.
#[derive(Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a fact of its own; no two of them make a state together"
)]
pub struct AccountList {
    /// The connection that it is listed through.
    pub name: Name,
    /// What is shown.
    pub listing: Listing,
    /// The id of the key in use, once an answer came.
    pub own_id: String,
    /// Rows in all; a lower bound where the service does not say.
    total: u64,
    /// The total is only what was seen so far.
    pub more: bool,
    rows: BTreeMap<u64, TokenRow>,
    /// Ids of tokens whose places may have changed: the first of them that comes is selected again.
    pub wanted: Vec<String>,
    /// Whether the selected token may no longer belong into the group or the filter: it stays until another row is
    /// chosen, so that the next key means what is seen.
    pub behind: bool,
    /// The page that is on its way.
    pub loading: Option<AskedPage>,
    /// The look-up of a token's use that is on its way.
    pub looking_up: Option<LookUp>,
    /// Why the last page did not come.
    pub trouble: Option<Trouble>,
    /// Whether any page has come.
    pub loaded: bool,
    /// The filter as it is typed.
    pub filter: Input,
    /// Whether the filter has the keys.
    pub filtering: bool,
    /// When the typed filter is asked for.
    pub filter_due: Option<Timestamp>,
    /// First row of the pane (handles included) that is shown.
    pub top: usize,
    /// Actions that the key may not do, with the sentence that said so.
    pub closed: Vec<(super::exchange::TokenOperation, String)>,
}

impl AccountList {
    /// An empty list that nothing was asked for yet.
    pub fn new(name: Name) -> Self {
        Self {
            name,
            listing: Listing::default(),
            own_id: String::new(),
            total: 0,
            more: false,
            rows: BTreeMap::new(),
            wanted: Vec::new(),
            behind: false,
            loading: None,
            looking_up: None,
            trouble: None,
            loaded: false,
            filter: Input::default(),
            filtering: false,
            filter_due: None,
            top: 0,
            closed: Vec::new(),
        }
    }

    /// Rows in all, as far as is known.
    pub fn length(&self) -> u64 {
        self.total
    }

    /// The row at `at`, where it is here.
    pub fn row(&self, at: u64) -> Option<&TokenRow> {
        self.rows.get(&at)
    }

    /// Rows that are held.
    pub fn held(&self) -> usize {
        self.rows.len()
    }

    /// The row of the token `id`.
    pub fn find(&self, id: &str) -> Option<&TokenRow> {
        self.rows.values().find(|row| row.id() == Some(id))
    }

    /// Whether a key may mean `row` where the selection stands: no other token is to be selected again.
    pub(super) fn may_be_meant(&self, row: &TokenRow) -> bool {
        self.wanted.is_empty() || self.wanted.iter().any(|id| row.id() == Some(id))
    }

    /// Where the token stands that is to be selected again, once its row has come.
    pub fn take_wanted(&mut self) -> Option<u64> {
        let mut wanted = self.wanted.iter();
        let at = wanted.find_map(|id| {
            let mut rows = self.rows.iter();
            rows.find_map(|(at, row)| (row.id() == Some(id)).then_some(*at))
        })?;
        self.wanted.clear();
        Some(at)
    }

    /// All rows that are held.
    pub fn rows(&self) -> impl Iterator<Item = &TokenRow> {
        self.rows.values()
    }

    /// Puts `row` in the place of the one with its id.
    pub fn replace(&mut self, row: &TokenRow) {
        let known = self.rows.values_mut().find(|known| known.id() == row.id());
        if let Some(known) = known.filter(|_| row.id().is_some()) {
            let last_used = known.last_used;
            *known = row.clone();
            known.last_used = last_used;
        }
    }

    /// Notes when the token `id` was used last.
    pub fn note_use(&mut self, id: &str, last_used: LastUse) {
        if let Some(row) = self.rows.values_mut().find(|row| row.id() == Some(id)) {
            row.last_used = last_used;
        }
    }

    /// Forgets all rows; the total stays, so that nothing jumps, until an answer says another.
    pub fn forget(&mut self) {
        self.rows.clear();
        self.behind = false;
        self.loading = None;
        self.looking_up = None;
        self.trouble = None;
    }

    /// Another list from here on: nothing of the old one counts.
    pub fn start_anew(&mut self) {
        self.forget();
        self.wanted.clear();
        self.total = 0;
        self.more = false;
        self.loaded = false;
        self.top = 0;
    }

    /// Where the next page begins that `seen` needs; nothing where all is here, or something is on its way.
    pub fn missing(&self, seen: Range<u64>) -> Option<u64> {
        if self.loading.is_some() || self.trouble.is_some() || self.filter_due.is_some() {
            return None;
        }
        if !self.loaded {
            return Some(0);
        }
        let end = seen.end.saturating_add(AHEAD);
        let end = if self.more { end } else { end.min(self.total) };
        let first = (seen.start..end).find(|at| !self.rows.contains_key(at))?;
        // From the page's beginning on, so that scrolling up does not fetch row by row.
        let begin = first / PAGE * PAGE;
        (begin..=first).find(|at| !self.rows.contains_key(at))
    }

    /// Takes in a page. Where the account has changed meanwhile, rows of before no longer stand where they
    /// stood.
    pub fn take(&mut self, offset: u64, page: RowPage, seen: Range<u64>) {
        let came = u64::try_from(page.rows.len()).unwrap_or(u64::MAX);
        let end = offset.saturating_add(came);
        // A total that is less than what came is none.
        let told = page.total.filter(|total| match came {
            0 => !self.more,
            _ => *total >= end,
        });
        let (total, more) = match told {
            Some(total) => (total, false),
            None => (end.max(self.total), came > 0),
        };
        let moved = self.loaded && told.is_some() && total != self.total;
        if moved {
            self.rows.clear();
        }
        self.loaded = true;
        self.loading = None;
        self.trouble = None;
        self.own_id = page.own_id;
        self.more = more;
        // A page that is empty where rows should be: whatever was said, the list ends before it. Otherwise it
        // would be asked for again and again.
        self.total = if came == 0 { total.min(offset) } else { total };
        for (at, row) in (offset..).zip(page.rows) {
            self.rows.insert(at, row);
        }
        self.rows.retain(|at, _| *at < self.total);
        self.drop_far(seen);
    }

    /// The first row in sight whose use was never asked for.
    pub fn unknown_use(&self, seen: Range<u64>) -> Option<&str> {
        if self.looking_up.is_some() {
            return None;
        }
        let mut rows = self.rows.range(seen).map(|(_, row)| row);
        rows.find_map(|row| row.id().filter(|_| row.last_used == LastUse::Unasked))
    }

    fn drop_far(&mut self, seen: Range<u64>) {
        if self.rows.len() <= KEPT {
            return;
        }
        let half = u64::try_from(KEPT / 2).unwrap_or(PAGE);
        let middle = seen.start.midpoint(seen.end.max(seen.start));
        let near = middle.saturating_sub(half)..middle.saturating_add(half);
        self.rows.retain(|at, _| near.contains(at));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list() -> AccountList {
        AccountList::new(Name::parse("market").unwrap())
    }

    fn page(offset: u64, rows: u64, total: Option<u64>) -> RowPage {
        let row = |at| {
            TokenRow::of(Token {
                id: Some(format!("SU-{at}")),
                ..Token::default()
            })
        };
        RowPage {
            rows: (offset..offset + rows).map(row).collect(),
            total,
            own_id: String::new(),
        }
    }

    #[test]
    fn the_first_page_is_one_request_and_the_rest_comes_while_scrolling() {
        let mut list = list();
        assert_eq!(list.missing(0..30), Some(0));
        list.loading = Some(AskedPage {
            generation: 1,
            offset: 0,
        });
        assert_eq!(list.missing(0..30), None, "one at a time");
        list.take(0, page(0, 100, Some(25_000)), 0..30);
        assert_eq!((list.length(), list.missing(0..30)), (25_000, None));
        assert_eq!(list.missing(60..90), Some(100));
        assert_eq!(list.missing(24_970..25_000), Some(24_900));
        list.take(24_900, page(24_900, 100, Some(25_000)), 24_970..25_000);
        // Upwards, the page begins at its beginning, so that it holds more than the row above.
        assert_eq!(list.missing(24_890..24_920), Some(24_800));
    }

    #[test]
    fn a_page_that_the_service_has_cut_is_gone_on_with() {
        let mut list = list();
        list.take(0, page(0, 50, Some(120)), 0..30);
        assert_eq!(list.missing(20..60), Some(50));
        list.take(50, page(50, 50, Some(120)), 20..60);
        assert_eq!(list.missing(20..60), None);
    }

    #[test]
    fn what_is_held_does_not_grow_with_the_total() {
        let mut list = list();
        for number in 0..100 {
            let offset = number * 1_000;
            list.take(
                offset,
                page(offset, 100, Some(100_000)),
                offset..offset + 40,
            );
            assert!(list.held() <= KEPT + 100);
            assert!(list.row(offset).is_some(), "what is in sight stays");
        }
    }

    #[test]
    fn another_total_means_that_rows_have_moved() {
        let mut list = list();
        list.take(0, page(0, 100, Some(200)), 0..30);
        list.take(100, page(100, 100, Some(201)), 90..120);
        assert!(list.row(50).is_none() && list.row(150).is_some());
    }

    #[test]
    fn without_a_total_the_list_ends_where_nothing_comes() {
        let mut list = list();
        list.take(0, page(0, 100, None), 0..30);
        assert!(list.more && list.length() == 100);
        assert_eq!(list.missing(90..100), Some(100));
        list.take(100, page(100, 0, None), 90..100);
        assert_eq!(
            (list.more, list.length(), list.missing(90..100)),
            (false, 100, None)
        );
        let mut empty = super::tests::list();
        empty.take(0, page(0, 0, Some(0)), 0..30);
        assert_eq!((empty.length(), empty.missing(0..30)), (0, None));
    }

    #[test]
    fn a_shrunken_list_does_not_ask_for_ever() {
        let mut list = list();
        list.take(0, page(0, 100, Some(300)), 0..30);
        list.take(200, page(200, 0, Some(300)), 210..240);
        assert_eq!(list.missing(190..200), Some(100));
        assert_eq!(list.length(), 200);
    }

    #[test]
    fn a_total_that_is_too_small_hides_no_row() {
        let mut list = list();
        list.take(0, page(0, 100, Some(10)), 0..30);
        list.take(100, page(100, 20, Some(10)), 90..120);
        assert!(list.row(0).is_some() && list.row(119).is_some());
        list.take(120, page(120, 0, Some(10)), 90..120);
        assert_eq!((list.length(), list.more), (120, false));
        assert!(list.row(119).is_some());
    }

    #[test]
    fn a_row_tells_when_the_last_of_its_secrets_ends() {
        use crate::domain::token::Moment;
        let at = |text| Expiry::At(Moment::read(text));
        for (first, renewed, secret, ends) in [
            (at("2026-12-01"), at("2027-02-25"), true, at("2027-02-25")),
            (at("2026-12-01"), Expiry::Never, true, Expiry::Never),
            (at("2026-12-01"), Expiry::Never, false, at("2026-12-01")),
            (Expiry::Never, at("2027-02-25"), true, Expiry::Never),
            (at("2027-03-01"), at("2027-02-25"), true, at("2027-03-01")),
        ] {
            let row = TokenRow::of(Token {
                expires: first,
                renewed_expires: renewed,
                renewed_secret: secret.then(|| crate::domain::Secret::new("s3cret")),
                ..Token::default()
            });
            assert_eq!((row.ends, row.is_renewed), (ends, secret));
        }
    }

    #[test]
    fn rows_hold_no_secret() {
        let secret = || Some(crate::domain::Secret::new("s3cret"));
        let row = TokenRow::of(Token {
            secret: secret(),
            renewed_secret: secret(),
            handle: secret(),
            ..Token::default()
        });
        let held = [row.token.secret, row.token.renewed_secret, row.token.handle];
        assert!(row.has_handle && held.iter().all(Option::is_none));
    }
}
