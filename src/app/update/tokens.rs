//! Remote tokens: what keys do to the account's list and to the sheets over the panes.

mod answers;
mod changes;
mod details;
mod list;
mod renewals;
mod text;
mod wizard;

use super::{Effects, Model};
use crate::app::effect::Effect;
use crate::app::handles::RevealedHandle;
use crate::app::keymap::{Action, KeyPress};
use crate::app::model::{Pane, PendingUnlock, Question};
use crate::app::tokens::account::AccountList;
use crate::app::tokens::{TokenSheet, TokensEffect};

impl Model {
    /// A key, where a sheet lies over the panes or the tokens' filter is typed; whether it was taken.
    pub(super) fn tokens_key(&mut self, press: KeyPress, out: &mut Effects) -> bool {
        if self.tokens.takes_text() {
            self.tokens_text_key(press, out);
            return true;
        }
        if self.tokens.sheets.is_empty() {
            return false;
        }
        if let Some(action) = self.keymap.in_lists(press) {
            self.act(action, out);
        }
        true
    }

    /// Does what `action` means for tokens; whether it means anything here.
    pub(super) fn tokens_act(&mut self, action: Action, out: &mut Effects) -> bool {
        if action.is_of_the_screen() {
            return false;
        }
        match self.tokens.sheets.last() {
            None => self.tokens_pane_act(action, out),
            Some(TokenSheet::Details(_)) => {
                self.details_act(action, out);
                true
            }
            Some(TokenSheet::Wizard(_)) => {
                self.wizard_act(action, out);
                true
            }
            Some(TokenSheet::Renewal(_)) => {
                self.renewal_act(action, out);
                true
            }
            Some(TokenSheet::Unfinished(_) | TokenSheet::ExpiryHorizon(_)) => {
                self.sheet_list_act(action, out);
                true
            }
            // Letters type there.
            Some(TokenSheet::Confirm(_)) => true,
        }
    }

    fn tokens_pane_act(&mut self, action: Action, out: &mut Effects) -> bool {
        if self.focus == Pane::Tokens && action.is_of_row() && self.marked_token_row().is_none() {
            self.complain("what was selected is gone from its row: move to what you mean");
            return true;
        }
        match action {
            Action::Expiries => self.open_horizon(out),
            Action::LoadTokens => self.load_tokens(),
            Action::NewToken => self.open_wizard(),
            Action::TokenGroup => {
                self.close_board();
                self.next_token_group();
            }
            Action::SwitchToken | Action::RenewToken | Action::RotateToken
                if self.board.is_open() =>
            {
                self.bring_tokens_back(out);
            }
            Action::SwitchToken | Action::RenewToken | Action::RotateToken => {
                self.change_token(action, out);
            }
            _ if self.focus == Pane::Tokens && self.has_account() => {
                return self.account_act(action, out);
            }
            _ => return false,
        }
        true
    }

    /// A token is changed where its row is in sight: the panes come back, and it can be selected.
    fn bring_tokens_back(&mut self, out: &mut Effects) {
        if self.has_account() {
            self.close_board();
            self.focus_on(Pane::Tokens, out);
        }
        self.complain("select a token of the account first");
    }

    /// What actions of other panes mean on a row of the account's list.
    fn account_act(&mut self, action: Action, out: &mut Effects) -> bool {
        let listed = self.account_list().is_some();
        let on_account = self.token_row >= self.held_rows();
        match action {
            Action::Order if listed => self.next_token_order(),
            Action::Filter if listed => self.open_token_filter(),
            Action::Back if self.revealed.take().is_some() => {}
            Action::Back if self.clears_token_filter() => {}
            Action::Open if on_account && !listed => self.load_tokens(),
            Action::Open if on_account => self.open_details(out),
            Action::Edit | Action::Delete if on_account => self.change_token(action, out),
            Action::Reveal if on_account => self.reveal_token(out),
            Action::Copy | Action::CopyAs if on_account => self.copy_token(action, out),
            _ => return false,
        }
        true
    }

    /// What follows from any message: pages that are in sight now are asked for, and what belongs to another
    /// connection goes.
    pub(super) fn tokens_settle(&mut self, out: &mut Effects) {
        let Some(list) = &self.tokens.list else {
            return;
        };
        if self.list.selected.as_ref() != Some(&list.name) {
            self.tokens.list = None;
            if self.tokens.sheets.is_empty() {
                self.hide_token();
            }
            self.tokens_give_up("another connection is shown");
            return out.push(Effect::Tokens(TokensEffect::Forget));
        }
        self.fill_tokens(out);
    }

    /// Everything of tokens that was due by now.
    pub(super) fn tokens_elapse(&mut self) {
        let now = self.now;
        let list = self.tokens.list.as_mut();
        // Taken out in any case: what lies over the list holds the filter back, and nobody is woken for it again.
        if list.is_some_and(|list| list.filter_due.take_if(|due| *due <= now).is_some()) {
            self.apply_token_filter();
        }
    }

    /// Nobody opens the vault: what was asked for will not come.
    pub(super) fn tokens_give_up(&mut self, why: &str) {
        let trouble = crate::app::tokens::Trouble {
            text: why.to_owned(),
            kind: crate::app::tokens::TroubleKind::Other,
        };
        // Later answers are for nobody.
        self.tokens.generation += 1;
        if let Some(list) = &mut self.tokens.list
            && (list.loading.take().is_some() || list.loaded)
        {
            list.looking_up = None;
            list.trouble = Some(trouble.clone());
        }
        for sheet in self.tokens.all_sheets() {
            sheet.give_up(&trouble);
        }
    }

    /// The vault is open: what was asked for goes on.
    pub(super) fn tokens_go_on(&mut self, effect: TokensEffect, out: &mut Effects) {
        if let TokensEffect::Reveal { name, id } = &effect {
            let token = RevealedHandle::Token(id.clone());
            self.waiting = Some(PendingUnlock::Reveal(name.clone(), token));
        }
        out.push(Effect::Tokens(effect));
    }

    /// The wheel over a sheet; whether there is one.
    pub(super) fn wheel_in_sheet(&mut self, down: bool) -> bool {
        let sheet = !self.tokens.sheets.is_empty();
        if sheet && !self.tokens.takes_text() {
            let action = if down { Action::Down } else { Action::Up };
            for _ in 0..3 {
                self.tokens_act(action, &mut Vec::new());
            }
        }
        sheet
    }

    /// Sheets show what is to be hidden: they come back with the end of the war-room.
    pub(super) fn tokens_war_room(&mut self) {
        let tokens = &mut self.tokens;
        if self.war_room {
            tokens.aside.append(&mut tokens.sheets);
            let tokens = &self.tokens;
            for row in tokens.list.iter().flat_map(AccountList::rows) {
                self.disguise.learn_token(&row.token);
            }
        } else {
            // What was opened in the war-room stays on top.
            tokens.aside.append(&mut tokens.sheets);
            std::mem::swap(&mut tokens.aside, &mut tokens.sheets);
        }
    }

    /// Esc on a sheet: asks only where something would be lost.
    pub(super) fn leave_sheet(&mut self) {
        if self.hide_token() {
            return;
        }
        match self.tokens.sheets.last() {
            Some(sheet) if sheet.holds_unsaved() => self.ask(Question::LeaveSheet),
            Some(sheet) if sheet.is_under_way() => {
                self.say("it is under way: this can't be left half-way");
            }
            _ => self.close_sheet(),
        }
    }

    /// Closes the sheet on top, whatever it holds.
    pub(super) fn close_sheet(&mut self) {
        self.tokens.sheets.pop();
        self.hide_token();
    }
}
