//! The account's list in the tokens pane: loaded on demand, filtered and ordered by the service.

use jiff::SignedDuration;
use std::ops::Range;
use tui_input::InputRequest;

use super::super::{Effects, Model, after};
use crate::app::effect::Effect;
use crate::app::model::Pane;
use crate::app::notice::About;
use crate::app::tokens::account::{AskedPage, LookUp};
use crate::app::tokens::{AccountList, TokenRow, TokensEffect, TokensQuery};
use crate::domain::Name;
use crate::domain::token::{Group, Order};

/// How long typing rests before the service is asked.
const REST: SignedDuration = SignedDuration::from_millis(400);

impl Model {
    /// Loads the account's list, or loads it again.
    pub(super) fn load_tokens(&mut self) {
        if !self.has_account() {
            return self.complain(NO_ACCOUNT);
        }
        let Some(name) = self.list.selected.clone() else {
            return;
        };
        self.want_token();
        self.close_board();
        self.focus = Pane::Tokens;
        self.list.filtering = false;
        match &mut self.tokens.list {
            Some(list) if list.name == name => {
                list.forget();
                list.loaded = false;
                list.closed.clear();
            }
            other => *other = Some(AccountList::new(name)),
        }
    }

    /// Asks for what is in sight and not here.
    pub(super) fn fill_tokens(&mut self, out: &mut Effects) {
        let seen = self.seen_tokens();
        let generation = self.tokens.generation + 1;
        let Some(list) = &mut self.tokens.list else {
            return;
        };
        if let Some(offset) = list.missing(seen.clone()) {
            self.tokens.generation = generation;
            list.loading = Some(AskedPage { generation, offset });
            out.push(Effect::Tokens(TokensEffect::Query {
                name: list.name.clone(),
                generation,
                query: TokensQuery::Page {
                    listing: list.listing.clone(),
                    offset,
                },
            }));
        } else if list.listing.group == Some(Group::Idle)
            && list.trouble.is_none()
            && list.loading.is_none()
            && let Some(id) = list.unknown_use(seen).map(str::to_owned)
        {
            self.tokens.generation = generation;
            list.looking_up = Some(LookUp {
                generation,
                id: id.clone(),
            });
            out.push(Effect::Tokens(TokensEffect::Query {
                name: list.name.clone(),
                generation,
                query: TokensQuery::LastUse { id },
            }));
        }
    }

    /// The rows of the account's list that are in sight.
    pub(super) fn seen_tokens(&self) -> Range<u64> {
        let Some(list) = self.account_list() else {
            return 0..0;
        };
        let held = self.held_rows();
        let row = |at: usize| u64::try_from(at.saturating_sub(held)).unwrap_or(u64::MAX);
        row(list.top)..row(list.top.saturating_add(self.token_height()))
    }

    /// Rows of the tokens pane that fit below its line of titles. A test holds it to the screen's layout; with the
    /// further fields of a form open they are a few too many, which only loads more.
    pub fn token_height(&self) -> usize {
        let (columns, rows) = self.size;
        let body = usize::from(rows.saturating_sub(2));
        let alone = columns < 60 || rows < 16 || self.zoomed;
        let taken = match (alone, columns < 100 || body < 20) {
            // The frame, and the line of titles.
            (true, _) => 3,
            (false, true) => 9,
            (false, false) => 15,
        };
        body.saturating_sub(taken).max(1)
    }

    /// Scrolls so that the selected row of the tokens pane is in sight.
    pub(in crate::app::update) fn show_token_row(&mut self) {
        let (row, height, rows) = (self.token_row, self.token_height(), self.token_rows());
        if let Some(list) = &mut self.tokens.list {
            let least = (row + 1).saturating_sub(height);
            let most = rows.saturating_sub(height);
            list.top = list.top.clamp(least, row.max(least)).min(most);
        }
    }

    /// The next group, round and round.
    pub(super) fn next_token_group(&mut self) {
        let Some(list) = self.own_list() else {
            return self.complain("load the tokens of an account first");
        };
        let at = list
            .listing
            .group
            .and_then(|group| Group::ALL.iter().position(|other| *other == group));
        list.listing.group = match at {
            None => Some(Group::ALL[0]),
            Some(at) => Group::ALL.get(at + 1).copied(),
        };
        let group = list.listing.group;
        // What ends next is what one looks for among those that end.
        list.listing.order = if group == Some(Group::Expiring) {
            Order::Expires
        } else {
            Order::Created
        };
        list.start_anew();
        self.select_first_token();
        self.say(match group {
            None => "all tokens".to_owned(),
            Some(Group::Idle) => {
                "idle: the use of each row in sight is asked for, one by one".to_owned()
            }
            Some(group) => format!("group: {}", group.word()),
        });
    }

    /// The next order, round and round.
    pub(super) fn next_token_order(&mut self) {
        if let Some(list) = self.own_list() {
            let order = list.listing.order.next();
            list.listing.order = order;
            list.start_anew();
            self.select_first_token();
            self.say(order.words());
        }
    }

    pub(super) fn open_token_filter(&mut self) {
        if let Some(list) = self.own_list() {
            list.filtering = true;
            list.filter.handle(InputRequest::GoToEnd);
        }
    }

    /// Esc with a filter in force takes it away; whether there was one.
    pub(super) fn clears_token_filter(&mut self) -> bool {
        let Some(list) = self.own_list() else {
            return false;
        };
        if list.filter.value().is_empty() && list.listing.filter.is_empty() {
            return false;
        }
        list.filter.reset();
        self.apply_token_filter();
        true
    }

    /// The filter was typed on: the service is asked once typing rests.
    pub(super) fn token_filter_typed(&mut self) {
        let due = after(self.now, REST);
        if let Some(list) = self.own_list() {
            list.filter_due = Some(due);
        }
        self.unsay(About::Filter);
    }

    /// What was typed is asked for, where that is another filter than the one in force.
    pub(super) fn apply_token_filter(&mut self) {
        let Some(list) = self.own_list() else {
            return;
        };
        list.filter_due = None;
        let wanted = list.filter.value().trim().to_owned();
        if list.listing.filter != wanted {
            list.listing.filter = wanted;
            list.start_anew();
            self.select_first_token();
            self.unsay(About::Filter);
        }
    }

    /// The rows of the account have changed: what is in sight is asked for again.
    pub(in crate::app::update) fn reload_tokens(&mut self, name: &Name) {
        self.want_token();
        if let Some(list) = self.tokens.list.as_mut().filter(|list| list.name == *name) {
            list.forget();
            list.loaded = false;
        }
    }

    /// Whatever comes before it in the list from now on: the selected token stays selected.
    pub(super) fn want_token(&mut self) {
        let selected = self.selected_token().and_then(|(_, row)| row?.id());
        let selected = selected.map(str::to_owned);
        if let Some(list) = &mut self.tokens.list {
            list.wanted.extend(selected);
        }
    }

    /// Rows have come: the selection is on the wanted one at `place`, else where it was. Where the account has none any
    /// more, what is held here is not meant in their place.
    pub(super) fn token_is_at(&mut self, place: Option<u64>) {
        if let Some(place) = place.and_then(|place| usize::try_from(place).ok()) {
            self.token_row = self.held_rows().saturating_add(place);
            self.token_lost = false;
        }
        let (held, last) = (self.held_rows(), self.token_rows().saturating_sub(1));
        let account = self.tokens.list.as_ref();
        let is_sought = account.is_some_and(|account| !account.wanted.is_empty());
        self.token_lost |= is_sought && self.token_row >= held && last < held;
        self.token_row = self.token_row.min(last);
        self.show_token_row();
    }

    /// `row` is as it is now: its place in the list stays, where the list shows all, or where it is the selected one.
    pub(super) fn token_changed(&mut self, name: &Name, row: &TokenRow) {
        let selected = self.selected_token().and_then(|(_, row)| row?.id());
        let is_selected = selected.is_some() && selected == row.id();
        self.want_token();
        if let Some(list) = self.tokens.list.as_mut().filter(|list| list.name == *name) {
            list.replace(row);
            if list.listing.group.is_some() || !list.listing.filter.is_empty() {
                list.behind |= is_selected;
                if !list.behind {
                    list.forget();
                    list.loaded = false;
                }
            }
        }
    }

    fn own_list(&mut self) -> Option<&mut AccountList> {
        let name = self.account_list()?.name.clone();
        self.tokens.list.as_mut().filter(|list| list.name == name)
    }

    /// To the first row of the account's list.
    fn select_first_token(&mut self) {
        let held = self.held_rows();
        if self.token_row > held {
            self.token_row = held;
        }
        self.hide_token();
        self.show_token_row();
    }
}

/// What is said where an action needs an account.
pub(super) const NO_ACCOUNT: &str =
    "only a saved connection to CloudBlue Connect with a key has tokens to list";
