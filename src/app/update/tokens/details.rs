//! One token: its details, its handle shown and copied; and the sheets that are lists.

use jiff::Timestamp;

use super::super::{Effects, Model};
use crate::app::effect::{Effect, TokenCopy};
use crate::app::handles::{CopySubject, RevealedHandle};
use crate::app::keymap::Action;
use crate::app::model::{Overlay, Pane, PendingUnlock};
use crate::app::tokens::sheet::{Details, Ending, Ends, ExpiryHorizon, Tab, UnfinishedSheet};
use crate::app::tokens::{Fetch, TokenRow, TokenSheet, TokensEffect, TokensQuery, Trouble};
use crate::domain::token::{Status, Token, Unfinished};
use crate::domain::{Handle, Name, ServiceId};

/// Rows of the screen beside a sheet: title, footer, and its frame.
const BORDERS: usize = 4;
/// Lines of the details that stay where they are: the parts, a blank, the filter.
const HEAD: usize = 3;

impl Model {
    /// The token that an action is about: that of the sheet on top, else the selected row.
    pub(super) fn target_token(&self) -> Option<(Name, TokenRow)> {
        match self.tokens.sheets.last() {
            Some(TokenSheet::Details(details)) => Some((details.name.clone(), details.row.clone())),
            Some(_) => None,
            None => {
                // What is selected in a pane that does not have the keys is not meant.
                let list = self.account_list().filter(|_| self.focus == Pane::Tokens)?;
                let (_, row) = self.selected_token()?;
                Some((list.name.clone(), row?.clone()))
            }
        }
    }

    /// Enter on a row: the details, read anew.
    pub(super) fn open_details(&mut self, out: &mut Effects) {
        let Some((name, row)) = self.target_token() else {
            return self.complain("this row is still on its way");
        };
        self.show_details(name, row, out);
    }

    pub(super) fn show_details(&mut self, name: Name, row: TokenRow, out: &mut Effects) {
        self.hide_token();
        self.tokens
            .sheets
            .push(TokenSheet::Details(Box::new(Details::of(name, row))));
        self.read_details(out);
    }

    /// Reads the token of the details on top.
    pub(super) fn read_details(&mut self, out: &mut Effects) {
        let generation = self.tokens.next_generation();
        let Some(TokenSheet::Details(details)) = self.tokens.sheets.last_mut() else {
            return;
        };
        let Some(id) = details.row.token.id.clone() else {
            return;
        };
        details.reading = Fetch::Loading(generation);
        out.push(Effect::Tokens(TokensEffect::Query {
            name: details.name.clone(),
            generation,
            query: TokensQuery::Token { id },
        }));
    }

    fn read_usage(&mut self, out: &mut Effects) {
        let generation = self.tokens.next_generation();
        let Some(TokenSheet::Details(details)) = self.tokens.sheets.last_mut() else {
            return;
        };
        let Some(id) = details.row.token.id.clone() else {
            return;
        };
        details.usage = Fetch::Loading(generation);
        out.push(Effect::Tokens(TokensEffect::Query {
            name: details.name.clone(),
            generation,
            query: TokensQuery::Usage { id },
        }));
    }

    pub(super) fn details_act(&mut self, action: Action, out: &mut Effects) {
        let page = self.sheet_page(HEAD);
        match action {
            Action::NextPane | Action::Open => self.turn_tab(1, out),
            Action::PreviousPane => self.turn_tab(Tab::ALL.len() - 1, out),
            Action::Up => self.scroll_details(|at| at.saturating_sub(1)),
            Action::Down => self.scroll_details(|at| at + 1),
            Action::PageUp => self.scroll_details(|at| at.saturating_sub(page)),
            Action::PageDown => self.scroll_details(|at| at + page),
            Action::First => self.scroll_details(|_| 0),
            Action::Last => self.scroll_details(|_| usize::MAX),
            Action::LoadTokens => match self.tokens.sheets.last() {
                Some(TokenSheet::Details(details)) if details.tab == Tab::Usage => {
                    self.read_usage(out);
                }
                _ => self.read_details(out),
            },
            Action::Filter => self.filter_permissions(),
            Action::Reveal => self.reveal_token(out),
            Action::Copy | Action::CopyAs => self.copy_token(action, out),
            Action::Edit
            | Action::Delete
            | Action::SwitchToken
            | Action::RenewToken
            | Action::RotateToken => self.change_token(action, out),
            Action::Back => self.leave_sheet(),
            _ => {}
        }
    }

    fn turn_tab(&mut self, steps: usize, out: &mut Effects) {
        let Some(TokenSheet::Details(details)) = self.tokens.sheets.last_mut() else {
            return;
        };
        let at = Tab::ALL.iter().position(|tab| *tab == details.tab);
        details.tab = Tab::ALL[(at.unwrap_or(0) + steps) % Tab::ALL.len()];
        details.scroll = 0;
        if details.tab == Tab::Usage && details.usage == Fetch::Not {
            self.read_usage(out);
        }
    }

    fn scroll_details(&mut self, to: impl Fn(usize) -> usize) {
        if let Some(TokenSheet::Details(details)) = self.tokens.sheets.last_mut() {
            let lines = match details.tab {
                Tab::General => 20,
                Tab::Permissions => details.row.token.permissions().len(),
                Tab::Usage => details
                    .usage
                    .here()
                    .map_or(0, |usage| usage.days.len() + usage.summary.codes.len() + 6),
            };
            details.scroll = to(details.scroll).min(lines.saturating_sub(1));
        }
    }

    fn filter_permissions(&mut self) {
        if let Some(TokenSheet::Details(details)) = self.tokens.sheets.last_mut() {
            details.tab = Tab::Permissions;
            details.scroll = 0;
            details.filtering = true;
        }
    }

    /// `v`: fetches the handle and shows it for ten seconds; again to hide.
    pub(super) fn reveal_token(&mut self, out: &mut Effects) {
        if self.war_room {
            return self.complain("the war-room shows no handle");
        }
        let Some((name, id, _)) = self.handle_target() else {
            return;
        };
        let open = self.revealed.take();
        if open.is_some_and(|open| open.is_token(&name, &id)) {
            return;
        }
        let token = RevealedHandle::Token(id.clone());
        self.waiting = Some(PendingUnlock::Reveal(name.clone(), token));
        out.push(Effect::Tokens(TokensEffect::Reveal { name, id }));
    }

    /// `y`: fetches the handle and copies it. `Y`: asks in which form.
    pub(super) fn copy_token(&mut self, action: Action, out: &mut Effects) {
        if self.war_room {
            return self.complain("nothing is copied in the war-room");
        }
        let Some((name, id, label)) = self.handle_target() else {
            return;
        };
        if action == Action::CopyAs {
            let which = Some(RevealedHandle::Token(id));
            let of = CopySubject { name, which, label };
            return self.open_overlay(Overlay::CopyAs { row: 0, of });
        }
        let form = TokenCopy::Handle;
        out.push(Effect::Tokens(TokensEffect::Copy { name, id, form }));
    }

    /// The connection, the token's id, and its label.
    fn handle_target(&mut self) -> Option<(Name, String, String)> {
        let Some((name, row)) = self.target_token().or_else(|| self.made_token()) else {
            self.complain("this row is still on its way");
            return None;
        };
        let id = row.token.id.clone();
        if id.is_none() || !row.has_handle {
            self.complain("the service does not show the secret of this token");
            return None;
        }
        Some((name, id?, row.label().to_owned()))
    }

    /// A handle came: it is shown only where it is still wanted.
    pub(super) fn token_revealed(
        &mut self,
        name: Name,
        id: String,
        result: Result<Handle, Trouble>,
    ) {
        let token = RevealedHandle::Token(id.clone());
        if !self.was_waited_for(&name, &token) {
            return;
        }
        match result {
            Err(trouble) => self.complain(format!("not shown: {}", trouble.text)),
            Ok(_) if self.war_room || self.lock.is_locked() => {}
            Ok(handle) => {
                let target = self.target_token().or_else(|| self.made_token());
                let wanted = target.is_some_and(|(other, row)| {
                    other == name && row.token.id.as_deref() == Some(id.as_str())
                });
                if wanted {
                    self.show_handle(name, token, handle);
                }
            }
        }
    }

    /// Renewals that an earlier run has begun. Where that can't be told, one may stand half-way all the same.
    pub(super) fn unfinished_found(&mut self, found: Result<Vec<Unfinished>, Trouble>) {
        let list = match found {
            Ok(list) if list.is_empty() => return,
            Ok(list) => list,
            Err(trouble) => {
                let why = trouble.text;
                let text = format!("whether a renewal has not ended is not known: {why}");
                // At the start others speak too: of a state that can't be opened they say what matters more.
                self.complain(match &self.notice {
                    Some(notice) => format!("{}; {text}", notice.text),
                    None => text,
                });
                return;
            }
        };
        self.say("a renewal that was begun earlier has not ended");
        // Below whatever was opened meanwhile.
        self.tokens
            .sheets
            .insert(0, TokenSheet::Unfinished(UnfinishedSheet { list, row: 0 }));
    }

    /// What ends next, as far as it is known without asking anybody.
    pub(super) fn open_horizon(&mut self, out: &mut Effects) {
        let mut horizon = ExpiryHorizon::default();
        for entry in self.entries.values() {
            let connection = &entry.connection;
            let tls = entry.verdict.as_ref().and_then(|v| v.tls.as_ref());
            if let Some(leaf) = tls.and_then(|tls| tls.chain.first()) {
                horizon.note(Ending {
                    connection: connection.name.clone(),
                    what: Ends::Certificate {
                        subject: leaf.subject.clone(),
                    },
                    at: leaf.not_after,
                });
            }
            if connection.service == ServiceId::connect() && connection.key.is_some() {
                horizon.asked.push((connection.name.clone(), Fetch::Not));
            }
        }
        horizon.asked.sort_by(|a, b| a.0.cmp(&b.0));
        if let Some(list) = &self.tokens.list {
            horizon.note_tokens(&list.name, &list.own_id, list.rows(), self.now);
        }
        self.list.filtering = false;
        self.tokens.sheets.push(TokenSheet::ExpiryHorizon(horizon));
        out.push(Effect::Tokens(TokensEffect::FindCertificates));
    }

    pub(super) fn sheet_list_act(&mut self, action: Action, out: &mut Effects) {
        let page = self.sheet_page(usize::MAX);
        match (action, self.tokens.sheets.last()) {
            (Action::Up, _) => self.move_in_sheet(|at| at.saturating_sub(1)),
            (Action::Down, _) => self.move_in_sheet(|at| at + 1),
            (Action::PageUp, _) => self.move_in_sheet(|at| at.saturating_sub(page)),
            (Action::PageDown, _) => self.move_in_sheet(|at| at + page),
            (Action::First, _) => self.move_in_sheet(|_| 0),
            (Action::Last, _) => self.move_in_sheet(|_| usize::MAX),
            (Action::Open, Some(TokenSheet::Unfinished(_))) => self.go_on(out),
            (Action::Open, Some(TokenSheet::ExpiryHorizon(_))) => self.open_ending(out),
            (Action::LoadTokens, Some(TokenSheet::ExpiryHorizon(_))) => self.ask_for_endings(out),
            (Action::Back | Action::Expiries, _) => self.leave_sheet(),
            _ => {}
        }
    }

    /// Lines that a page of the sheet on top is moved by, with so many that stay where they are: as many as are seen,
    /// and half of the box at least, which is what scrolls however much else there is.
    fn sheet_page(&self, others: usize) -> usize {
        let rows = usize::from(self.size.1).saturating_sub(BORDERS);
        rows.saturating_sub(others).max(rows.div_ceil(2)).max(1)
    }

    pub(super) fn move_in_sheet(&mut self, to: impl Fn(usize) -> usize) {
        let (row, rows) = match self.tokens.sheets.last_mut() {
            Some(TokenSheet::Unfinished(sheet)) => (&mut sheet.row, sheet.list.len()),
            Some(TokenSheet::ExpiryHorizon(horizon)) => (&mut horizon.row, horizon.endings.len()),
            _ => return,
        };
        *row = to(*row).min(rows.saturating_sub(1));
    }

    fn ask_for_endings(&mut self, out: &mut Effects) {
        let mut generation = self.tokens.generation;
        if let Some(TokenSheet::ExpiryHorizon(horizon)) = self.tokens.sheets.last_mut() {
            for (name, fetch) in &mut horizon.asked {
                generation += 1;
                *fetch = Fetch::Loading(generation);
                out.push(Effect::Tokens(TokensEffect::Query {
                    name: name.clone(),
                    generation,
                    query: TokensQuery::Endings,
                }));
            }
        }
        self.tokens.generation = generation;
    }

    fn open_ending(&mut self, out: &mut Effects) {
        let Some(TokenSheet::ExpiryHorizon(horizon)) = self.tokens.sheets.last() else {
            return;
        };
        let Some(ending) = horizon.endings.get(horizon.row).cloned() else {
            return;
        };
        match ending.what {
            Ends::Token { id, label, .. } => {
                let row = TokenRow::of(Token {
                    id: Some(id),
                    name: Some(label),
                    status: Status::Missing,
                    ..Token::default()
                });
                self.show_details(ending.connection, row, out);
            }
            Ends::Certificate { .. } => {
                self.tokens.sheets.clear();
                self.close_board();
                self.focus = Pane::Response;
                self.set_selection(Some(ending.connection));
            }
        }
    }
}

impl ExpiryHorizon {
    /// Takes in something that ends, in its place; what was known of it before goes.
    pub fn note(&mut self, ending: Ending) {
        let same = |known: &Ending| {
            known.connection == ending.connection
                && match (&known.what, &ending.what) {
                    (Ends::Token { id, .. }, Ends::Token { id: other, .. }) => id == other,
                    (Ends::Certificate { .. }, Ends::Certificate { .. }) => true,
                    _ => false,
                }
        };
        let known = self.endings.iter().position(same);
        if let Some(known) = known {
            self.endings.remove(known);
        }
        let place = |e: &Ending| (e.at, e.connection.clone());
        let at = self
            .endings
            .partition_point(|known| place(known) <= place(&ending));
        self.endings.insert(at, ending);
        // Whoever has moved means the row that is marked, and not what comes into its place.
        self.row = match known {
            _ if self.row == 0 => 0,
            Some(known) if known == self.row => at,
            known => {
                let row = self.row - usize::from(known.is_some_and(|known| known < self.row));
                row + usize::from(at <= row)
            }
        };
    }

    /// The same for the tokens of an account that end after `now`.
    pub fn note_tokens<'a>(
        &mut self,
        name: &Name,
        own_id: &str,
        rows: impl IntoIterator<Item = &'a TokenRow>,
        now: Timestamp,
    ) {
        for row in rows {
            let (Some(id), Some(at)) = (row.id(), row.ends.at()) else {
                continue;
            };
            // What is over ends no more.
            if row.token.status == Status::Deleted || at < now {
                continue;
            }
            self.note(Ending {
                connection: name.clone(),
                what: Ends::Token {
                    id: id.to_owned(),
                    label: row.label().to_owned(),
                    in_use: id == own_id,
                },
                at,
            });
        }
    }
}
