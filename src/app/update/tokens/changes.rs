//! What changes tokens: enabled, disabled, deleted. What can't be undone has the label typed.

use tui_input::Input;

use super::super::{Effects, Model};
use crate::app::effect::Effect;
use crate::app::keymap::Action;
use crate::app::tokens::exchange::{Switch, TokenOperation};
use crate::app::tokens::sheet::Confirm;
use crate::app::tokens::{
    Fetch, Pending, TokenRow, TokenSheet, TokensChange, TokensEffect, Trouble, TroubleKind,
};
use crate::domain::token::{Guard, RenewalAction, Status};
use crate::domain::{Name, ServiceId};
use crate::service::Trigger;

impl Model {
    /// `e`, `d`, enable or disable, renew, rotate: on the selected row, or on the token of the details.
    pub(super) fn change_token(&mut self, action: Action, out: &mut Effects) {
        let target = self.target_token().or_else(|| self.made_token());
        let Some((name, row)) = target else {
            return self.complain("select a token of the account first");
        };
        let doing = match action {
            Action::Edit => TokenOperation::Edit,
            Action::Delete => TokenOperation::Delete,
            Action::RenewToken => TokenOperation::Renew,
            Action::RotateToken => TokenOperation::Rotate,
            Action::SwitchToken if is_on(&row) => TokenOperation::Disable,
            Action::SwitchToken => TokenOperation::Enable,
            // Nothing else changes a token.
            _ => return,
        };
        if let Some(sentence) = self.refuses_token_change(&name, doing) {
            return self.complain(sentence);
        }
        let Some(id) = row.token.id.clone() else {
            return self.complain("the service gave no id for this token");
        };
        self.hide_token();
        match doing {
            TokenOperation::Edit => self.open_edit(name, row, out),
            TokenOperation::Enable => self.enable(name, id, row.label().to_owned(), out),
            TokenOperation::Renew => self.open_renewal(name, id, &row, RenewalAction::Renew),
            TokenOperation::Rotate => self.open_renewal(name, id, &row, RenewalAction::Rotate),
            TokenOperation::Disable | TokenOperation::Delete | TokenOperation::Create => {
                self.open_confirm(name, id, row.label().to_owned(), doing);
            }
        }
    }

    /// Why `doing` is not done at all; nothing where it may be tried.
    pub(super) fn refuses_token_change(
        &self,
        name: &Name,
        doing: TokenOperation,
    ) -> Option<String> {
        if self.war_room {
            return Some("nothing is changed in the war-room".to_owned());
        }
        let entry = self.entries.get(name)?;
        if entry.connection.read_only {
            return Some(format!(
                "{} is read-only: nothing at its service is changed",
                self.shown_name(name)
            ));
        }
        let list = self.tokens.list.as_ref().filter(|list| list.name == *name);
        list?
            .closed
            .iter()
            .find_map(|(closed, why)| (*closed == doing).then(|| why.clone()))
    }

    fn enable(&mut self, name: Name, id: String, label: String, out: &mut Effects) {
        let change = Pending {
            generation: 0,
            name,
            id,
            label,
            switch: Switch::Enable,
        };
        self.send_change(change, Guard::On, out);
    }

    /// Sends `change` under a number of its own, which is given back.
    fn send_change(&mut self, change: Pending, guard: Guard, out: &mut Effects) -> u64 {
        let generation = self.tokens.next_generation();
        out.push(Effect::Tokens(TokensEffect::Change {
            name: change.name.clone(),
            generation,
            change: TokensChange::Switch {
                id: change.id.clone(),
                switch: change.switch,
                guard,
            },
        }));
        self.tokens.pending.push(Pending {
            generation,
            ..change
        });
        generation
    }

    /// The connections that run on the token `id` of the account behind `name`, as far as their settings tell: by
    /// whatever host they reach the service. Of a pasted pair the guard finds out once the change is sent, and then
    /// has its name typed too.
    pub(super) fn runs_on(&self, name: &Name, id: &str) -> Vec<Name> {
        let own = self
            .tokens
            .list
            .as_ref()
            .is_some_and(|list| list.name == *name && list.own_id.eq_ignore_ascii_case(id));
        let mut names: Vec<_> = self
            .entries
            .values()
            .map(|entry| &entry.connection)
            .filter(|other| other.service == ServiceId::connect())
            .filter(|other| other.runs_on(id) == Some(true) || (own && other.name == *name))
            .map(|other| other.name.clone())
            .collect();
        names.sort();
        names
    }

    pub(super) fn open_confirm(
        &mut self,
        name: Name,
        id: String,
        label: String,
        doing: TokenOperation,
    ) {
        let confirm = self.confirm(name, id, label, doing);
        self.tokens
            .sheets
            .push(TokenSheet::Confirm(Box::new(confirm)));
    }

    /// The question, with the connections that are known to run on the token.
    pub(super) fn confirm(
        &self,
        name: Name,
        id: String,
        label: String,
        doing: TokenOperation,
    ) -> Confirm {
        Confirm {
            in_use: self.runs_on(&name, &id),
            name,
            id,
            label,
            doing,
            typed: Input::default(),
            typed_name: Input::default(),
            on_name: false,
            problem: None,
            sent: None,
        }
    }

    /// Enter in the question: sent, if all that was asked for is typed.
    pub(super) fn confirm_typed(&mut self, out: &mut Effects) {
        let Some(TokenSheet::Confirm(confirm)) = self.tokens.sheets.last_mut() else {
            return;
        };
        if confirm.sent.is_some() {
            return;
        }
        if confirm.typed.value().trim() != confirm.label.trim() {
            confirm.on_name = false;
            confirm.problem = Some("that is not its label".to_owned());
            return;
        }
        let typed = confirm.typed_name.value().trim();
        let named = confirm.in_use.iter().any(|name| name.as_str() == typed);
        if !confirm.in_use.is_empty() && !named {
            confirm.problem = (confirm.on_name || !typed.is_empty())
                .then(|| "that is none of the connections that run on it".to_owned());
            confirm.on_name = true;
            return;
        }
        confirm.problem = None;
        // Agreed to is what was shown: others who run on it are named first.
        let guard = Guard::Agreed(confirm.in_use.clone());
        let switch = match confirm.doing {
            TokenOperation::Enable => Switch::Enable,
            TokenOperation::Disable => Switch::Disable,
            TokenOperation::Delete => Switch::Delete,
            TokenOperation::Rotate | TokenOperation::Renew => {
                self.close_sheet();
                return self.run_renewal(guard, out);
            }
            TokenOperation::Edit => {
                self.close_sheet();
                return self.wizard_agreed(guard, out);
            }
            // It cuts nobody off: it has no question.
            TokenOperation::Create => return,
        };
        let change = Pending {
            generation: 0,
            name: confirm.name.clone(),
            id: confirm.id.clone(),
            label: confirm.label.clone(),
            switch,
        };
        let generation = self.send_change(change, guard, out);
        if let Some(TokenSheet::Confirm(confirm)) = self.tokens.sheets.last_mut() {
            confirm.sent = Some(generation);
        }
    }

    /// A token was enabled, disabled or deleted, or not.
    pub(super) fn token_switched(
        &mut self,
        generation: u64,
        row: Result<Option<Box<TokenRow>>, Trouble>,
        out: &mut Effects,
    ) {
        let mut pending = self.tokens.pending.iter();
        let Some(at) = pending.position(|pending| pending.generation == generation) else {
            return;
        };
        let pending = self.tokens.pending.remove(at);
        match row {
            Ok(row) => self.switched_well(&pending, row.map(|row| *row), out),
            Err(trouble) => self.switch_failed(&pending, trouble, out),
        }
    }

    fn switched_well(&mut self, pending: &Pending, row: Option<TokenRow>, out: &mut Effects) {
        let stays = |sheet: &TokenSheet| match sheet {
            TokenSheet::Confirm(confirm) => confirm.sent != Some(pending.generation),
            TokenSheet::Details(details) => {
                pending.switch != Switch::Delete || details.row.id() != Some(pending.id.as_str())
            }
            TokenSheet::Wizard(wizard) => {
                // What the wizard has made was taken away again.
                pending.switch != Switch::Delete || wizard.made_id() != Some(pending.id.as_str())
            }
            TokenSheet::Renewal(_) | TokenSheet::Unfinished(_) | TokenSheet::ExpiryHorizon(_) => {
                true
            }
        };
        self.tokens.sheets.retain(stays);
        self.tokens.aside.retain(stays);
        let label = self.shown_label(&pending.label);
        self.say(format!("{label} is {}", pending.switch.doing().done()));
        // Their next answer is another one now.
        for name in self.runs_on(&pending.name, &pending.id) {
            self.probe_saved(&name, Trigger::Asked, out);
        }
        if pending.switch == Switch::Delete {
            self.reload_tokens(&pending.name);
            // What was asked for here: the next row takes its place.
            if let Some(list) = &mut self.tokens.list {
                list.wanted.retain(|id| *id != pending.id);
            }
            return;
        }
        if let Some(row) = row.or_else(|| self.switched_row(pending)) {
            let was_read = self.outdate_reads(&pending.name, &pending.id);
            self.token_is(&pending.name, &row);
            if was_read {
                self.read_again(&pending.name, &pending.id, out);
            }
        }
    }

    /// The row after a change that nothing could be looked at with: a key that was switched off opens nothing.
    fn switched_row(&self, pending: &Pending) -> Option<TokenRow> {
        let list = self.tokens.list.as_ref();
        let list = list.filter(|list| list.name == pending.name)?;
        let mut row = list.find(&pending.id)?.clone();
        row.token.status = match pending.switch {
            Switch::Enable => Status::Active,
            Switch::Disable => Status::Inactive,
            Switch::Delete => Status::Deleted,
        };
        Some(row)
    }

    /// What was asked for before a change may come after it, and tell of the time before: it is dropped. Whether
    /// the token itself was being read.
    fn outdate_reads(&mut self, name: &Name, id: &str) -> bool {
        if let Some(list) = self.tokens.list.as_mut().filter(|list| list.name == *name) {
            list.loading = None;
        }
        let mut was_read = false;
        for sheet in self.tokens.all_sheets() {
            if let TokenSheet::Details(details) = sheet
                && details.name == *name
                && details.row.id() == Some(id)
                && details.reading.is_loading()
            {
                details.reading = Fetch::Not;
                was_read = true;
            }
        }
        was_read
    }

    /// The token is as `row` says, wherever it is shown.
    pub(super) fn token_is(&mut self, name: &Name, row: &TokenRow) {
        if self.war_room {
            self.disguise.learn_token(&row.token);
        }
        for sheet in self.tokens.all_sheets() {
            match sheet {
                TokenSheet::Details(details)
                    if details.name == *name && details.row.id() == row.id() =>
                {
                    details.row = row.clone();
                }
                TokenSheet::Wizard(wizard) if wizard.name == *name => wizard.is_about(row),
                TokenSheet::Details(_)
                | TokenSheet::Wizard(_)
                | TokenSheet::Confirm(_)
                | TokenSheet::Renewal(_)
                | TokenSheet::Unfinished(_)
                | TokenSheet::ExpiryHorizon(_) => {}
            }
        }
        self.token_changed(name, row);
    }

    fn switch_failed(&mut self, pending: &Pending, trouble: Trouble, out: &mut Effects) {
        let doing = pending.switch.doing();
        self.close_action(&pending.name, doing, &trouble);
        if trouble.kind == TroubleKind::Uncertain {
            // What is shown may be of before: the service tells.
            self.reload_tokens(&pending.name);
            self.read_again(&pending.name, &pending.id, out);
        }
        let waiting = self.tokens.all_sheets().find_map(|sheet| match sheet {
            TokenSheet::Confirm(confirm) if confirm.sent == Some(pending.generation) => {
                Some(confirm)
            }
            _ => None,
        });
        match waiting {
            Some(confirm) => {
                confirm.sent = None;
                if let TroubleKind::InUse(names) = trouble.kind {
                    confirm.in_use = names;
                    confirm.typed_name = Input::default();
                    confirm.on_name = true;
                }
                confirm.problem = Some(trouble.text);
            }
            None if trouble.kind == TroubleKind::Uncertain => self.complain(trouble.text),
            None => self.complain(format!("not {}: {}", doing.done(), trouble.text)),
        }
    }

    /// The key may not do this: it is not tried again until the list is loaded anew.
    pub(super) fn close_action(&mut self, name: &Name, doing: TokenOperation, trouble: &Trouble) {
        if !matches!(trouble.kind, TroubleKind::Forbidden(_)) {
            return;
        }
        if let Some(list) = self.tokens.list.as_mut().filter(|list| list.name == *name) {
            list.closed.push((doing, trouble.text.clone()));
        }
    }
}

/// Whether what is switched next is off.
fn is_on(row: &TokenRow) -> bool {
    match row.token.status {
        Status::Active | Status::Expiring | Status::Revitalised => true,
        Status::Pending
        | Status::Inactive
        | Status::Deleted
        | Status::Expired
        | Status::Other(_)
        | Status::Missing => false,
    }
}
