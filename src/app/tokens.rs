//! The tokens behind a Connect connection, as the screen knows them: a window into the account's list, and the
//! sheets that lie over the panes (details, wizard, questions, renewals, expiries).
//!
//! No secret is held here but the only copy of one that could not be kept: rows come without theirs, and reveal and copy
//! fetch anew.

pub mod account;
pub mod exchange;
mod failure;
pub mod hints;
pub mod sheet;
pub mod wizard;

use jiff::Timestamp;

pub use account::{AccountList, TokenRow};
pub use exchange::{
    ChangeAnswer, TokensAnswer, TokensChange, TokensEffect, TokensMessage, TokensQuery,
    TokensRenewal,
};
pub use failure::{Trouble, TroubleKind};
pub use sheet::TokenSheet;

use super::model::Model;
use crate::domain::{Name, ServiceId};

/// Characters at most of what is typed for the end of a token.
pub const EXPIRY_LIMIT: usize = 40;

/// All that the screen knows of remote tokens.
#[derive(Debug, Default)]
pub struct TokensPane {
    /// The list of one account, once it was asked for.
    pub list: Option<AccountList>,
    /// What lies over the panes; the last one is on top and has the keys.
    pub sheets: Vec<TokenSheet>,
    /// What lay over the panes when the war-room began, and comes back with its end.
    pub aside: Vec<TokenSheet>,
    /// Changes that were sent and not answered yet.
    pub pending: Vec<Pending>,
    /// The number of a token that is read again after a change.
    pub reading_again: Option<u64>,
    /// The number of the last request. An answer to an older one is dropped.
    pub generation: u64,
}

/// A change that was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pending {
    /// Its number.
    pub generation: u64,
    /// Through which connection.
    pub name: Name,
    /// Which token.
    pub id: String,
    /// Its label.
    pub label: String,
    /// What was asked for.
    pub switch: exchange::Switch,
}

/// Something that is asked of a service.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Fetch<T> {
    /// Nobody has asked.
    #[default]
    Not,
    /// Asked for; its number.
    Loading(u64),
    /// Here.
    Here(T),
    /// It did not come.
    Failed(Trouble),
}

impl<T> Fetch<T> {
    /// What came.
    pub fn here(&self) -> Option<&T> {
        match self {
            Self::Here(it) => Some(it),
            Self::Not | Self::Loading(_) | Self::Failed(_) => None,
        }
    }

    /// Why it did not come.
    pub fn trouble(&self) -> Option<&Trouble> {
        match self {
            Self::Failed(trouble) => Some(trouble),
            Self::Not | Self::Loading(_) | Self::Here(_) => None,
        }
    }

    /// Whether it is to be asked for: never asked, or it did not come.
    pub fn is_wanting(&self) -> bool {
        matches!(self, Self::Not | Self::Failed(_))
    }

    /// Whether it is on its way.
    pub fn is_loading(&self) -> bool {
        matches!(self, Self::Loading(_))
    }

    /// Takes in the answer to the request `generation`; whether it was still waited for.
    pub fn take(&mut self, generation: u64, answer: Result<T, Trouble>) -> bool {
        let wanted = matches!(self, Self::Loading(waiting) if *waiting == generation);
        if wanted {
            *self = match answer {
                Ok(it) => Self::Here(it),
                Err(trouble) => Self::Failed(trouble),
            };
        }
        wanted
    }
}

impl TokensPane {
    /// The sheet that has the keys.
    pub fn sheet(&self) -> Option<&TokenSheet> {
        self.sheets.last()
    }

    /// Every sheet, those put aside too: what they wait for comes wherever they lie.
    pub(super) fn all_sheets(&mut self) -> impl Iterator<Item = &mut TokenSheet> {
        self.sheets.iter_mut().chain(&mut self.aside)
    }

    /// Whether the next letter types rather than acts: a filter, or a line of a sheet.
    pub fn takes_text(&self) -> bool {
        match self.sheets.last() {
            Some(sheet) => sheet.takes_text(),
            None => self.list.as_ref().is_some_and(|list| list.filtering),
        }
    }

    /// Whether leaving would lose something that was typed.
    pub fn holds_unsaved(&self) -> bool {
        let mut sheets = self.sheets.iter().chain(&self.aside);
        sheets.any(TokenSheet::holds_unsaved)
    }

    /// Whether something at a service is under way that must not be left half-way.
    pub fn is_under_way(&self) -> bool {
        let mut sheets = self.sheets.iter().chain(&self.aside);
        sheets.any(TokenSheet::is_under_way)
    }

    /// Whether a secret of a token is held here and nowhere else.
    pub fn holds_only_secret(&self) -> bool {
        let mut sheets = self.sheets.iter().chain(&self.aside);
        sheets.any(TokenSheet::holds_only_secret)
    }

    /// A number for a new request.
    pub fn next_generation(&mut self) -> u64 {
        self.generation += 1;
        self.generation
    }

    /// When something is due here: a filter asked for.
    pub fn next_wake(&self) -> Option<Timestamp> {
        self.list.as_ref().and_then(|list| list.filter_due)
    }

    /// The same time, to be moved where the clock was set back.
    pub(super) fn deadline(&mut self) -> Option<&mut Timestamp> {
        self.list.as_mut().and_then(|list| list.filter_due.as_mut())
    }

    /// Whether something moves that is shown.
    pub fn animating(&self) -> bool {
        self.list
            .as_ref()
            .is_some_and(|list| list.loading.is_some())
            || self.sheets.last().is_some_and(TokenSheet::is_waiting)
    }
}

impl Model {
    /// The account's list of the selected connection, where it was asked for.
    pub fn account_list(&self) -> Option<&AccountList> {
        let name = &self.selected_entry()?.connection.name;
        let list = self.tokens.list.as_ref()?;
        (list.name == *name && self.has_account()).then_some(list)
    }

    /// Whether the selected connection has an account with tokens behind it.
    pub fn has_account(&self) -> bool {
        self.visible_form().is_none()
            && self.selected_entry().is_some_and(|entry| {
                entry.connection.service == ServiceId::connect() && entry.connection.key.is_some()
            })
    }

    /// The row of the account's list that the tokens pane has selected.
    pub fn selected_token(&self) -> Option<(u64, Option<&TokenRow>)> {
        let list = self.account_list()?;
        let further = self.marked_token_row()?.checked_sub(self.held_rows())?;
        let at = u64::try_from(further).ok()?;
        (at < list.length()).then(|| (at, list.row(at)))
    }

    /// The row of the tokens pane that keys mean: none where what was selected is gone or out of sight, and another one
    /// has come into its place.
    pub fn marked_token_row(&self) -> Option<usize> {
        let further = self.token_row.checked_sub(self.held_rows());
        let at = further.and_then(|further| u64::try_from(further).ok());
        let is_another = self.account_list().zip(at).is_some_and(|(list, at)| {
            let row = list.row(at);
            row.is_some_and(|row| !list.may_be_meant(row))
        });
        (!self.token_lost && !is_another).then_some(self.token_row)
    }

    /// Handles of the selected connection that are held here: the first rows of the tokens pane.
    pub(super) fn held_handles(&self) -> Vec<super::handles::HandleRow> {
        self.selected_entry()
            .map_or_else(Vec::new, |entry| super::handles::rows(&entry.connection))
    }

    /// How many these are.
    pub fn held_rows(&self) -> usize {
        self.held_handles().len()
    }

    /// Rows of the tokens pane: the handles held here, then the account's list, or one row that offers to load
    /// it.
    pub fn token_rows(&self) -> usize {
        if self.selected_entry().is_none() {
            return 0;
        }
        let further = match self.account_list() {
            Some(list) => usize::try_from(list.length()).unwrap_or(usize::MAX),
            None => usize::from(self.has_account()),
        };
        self.held_rows().saturating_add(further)
    }

    /// A token's label as it is shown: a pseudonym in the war-room.
    pub fn shown_label(&self, label: &str) -> String {
        if self.war_room {
            self.disguise.token(label)
        } else {
            label.to_owned()
        }
    }

    /// A sentence that may be about anything (a notice, a service's own words) as it is shown.
    pub fn shown_sentence(&self, sentence: &str) -> String {
        if self.war_room {
            self.disguise.sentence(sentence)
        } else {
            sentence.to_owned()
        }
    }
}
