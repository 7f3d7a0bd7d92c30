//! The wizard: from step to step, sent at the end, and finished where only half was done.

use super::super::{Effects, Model};
use crate::app::effect::Effect;
use crate::app::keymap::Action;
use crate::app::tokens::exchange::TokenOperation;
use crate::app::tokens::wizard::{Turn, Wizard, WizardOutcome, WizardStep};
use crate::app::tokens::{Fetch, TokenRow, TokenSheet, TokensChange, TokensEffect, TokensQuery};
use crate::domain::Name;
use crate::domain::token::{Guard, TokenEdit};

impl Model {
    /// A new token of the selected connection's account.
    pub(super) fn open_wizard(&mut self) {
        let Some(name) = self.list.selected.clone().filter(|_| self.has_account()) else {
            return self.complain(super::list::NO_ACCOUNT);
        };
        if let Some(sentence) = self.refuses_token_change(&name, TokenOperation::Create) {
            return self.complain(sentence);
        }
        self.list.filtering = false;
        self.tokens
            .sheets
            .push(TokenSheet::Wizard(Box::new(Wizard::new(name))));
    }

    pub(super) fn open_edit(&mut self, name: Name, row: TokenRow, out: &mut Effects) {
        let id = row.token.id.clone();
        let wizard = Wizard::editing(name.clone(), row);
        self.tokens
            .sheets
            .push(TokenSheet::Wizard(Box::new(wizard)));
        // A row of a list need not tell all; see [`Model::token_is`].
        if let Some(id) = id {
            let generation = self.tokens.next_generation();
            self.tokens.reading_again = Some(generation);
            out.push(Effect::Tokens(TokensEffect::Query {
                name,
                generation,
                query: TokensQuery::Token { id },
            }));
        }
    }

    /// To the step before or after, where nothing is wrong with this one.
    pub(super) fn turn_step(&mut self, turn: Turn, out: &mut Effects) {
        let now = self.now;
        let Some(TokenSheet::Wizard(wizard)) = self.tokens.sheets.last_mut() else {
            return;
        };
        if wizard.outcome.is_loading() {
            return;
        }
        if turn == Turn::Next
            && wizard.step == WizardStep::General
            && let Some((line, problem)) = wizard.wrong(now)
        {
            wizard.line = line;
            wizard.problem = Some(problem);
            return;
        }
        if turn == Turn::Next
            && wizard.step == WizardStep::Extension
            && wizard.chosen_extension().is_none()
        {
            wizard.problem = Some("choose what the token is for".to_owned());
            return;
        }
        if let Some(step) = wizard.beside(turn) {
            wizard.step = step;
            wizard.problem = None;
            self.overlay_since = now;
            self.is_to_be_seen();
            self.fetch_for_step(out);
        }
    }

    /// What the step shows is asked for when it is first seen, or did not come.
    pub(super) fn fetch_for_step(&mut self, out: &mut Effects) {
        let generation = self.tokens.next_generation();
        let Some(TokenSheet::Wizard(wizard)) = self.tokens.sheets.last_mut() else {
            return;
        };
        let name = wizard.name.clone();
        match wizard.step {
            WizardStep::Extension if wizard.extensions.is_wanting() => {
                wizard.extensions = Fetch::Loading(generation);
                out.push(Effect::Tokens(TokensEffect::Query {
                    name,
                    generation,
                    query: TokensQuery::Extensions,
                }));
            }
            WizardStep::Permissions if wizard.modules.is_wanting() => {
                wizard.modules = Fetch::Loading(generation);
                out.push(Effect::Tokens(TokensEffect::Query {
                    name,
                    generation,
                    query: TokensQuery::Modules,
                }));
            }
            _ => {}
        }
    }

    /// The summary: letters are actions.
    pub(super) fn wizard_act(&mut self, action: Action, out: &mut Effects) {
        let made = self.made_token().is_some();
        match action {
            Action::Open if made => self.go_to_details(out),
            // An Enter that is held down has gone through the steps: the summary is read before it is sent.
            Action::Open if self.comes_too_soon(true) => {}
            Action::Open => self.send_wizard(Guard::On, out),
            Action::Reveal if made => self.reveal_token(out),
            Action::Copy | Action::CopyAs if made => self.copy_token(action, out),
            Action::Delete if made => self.change_token(Action::Delete, out),
            Action::LoadTokens => self.finish_wizard(out),
            Action::PreviousPane | Action::PageUp if !made => self.turn_step(Turn::Previous, out),
            Action::Back => self.leave_sheet(),
            _ => {}
        }
    }

    /// The token that the wizard on top has made.
    pub(super) fn made_token(&self) -> Option<(Name, TokenRow)> {
        match self.tokens.sheets.last() {
            Some(TokenSheet::Wizard(wizard)) => match wizard.outcome.here() {
                Some(WizardOutcome::Made(made)) => Some((wizard.name.clone(), made.row.clone())),
                Some(WizardOutcome::Changed(_)) | None => None,
            },
            _ => None,
        }
    }

    fn go_to_details(&mut self, out: &mut Effects) {
        if let Some((name, row)) = self.made_token() {
            self.close_sheet();
            self.show_details(name, row, out);
        }
    }

    /// Sends what the summary shows. Where that takes modules from a token that connections run on, the names are
    /// typed first.
    pub(super) fn send_wizard(&mut self, guard: Guard, out: &mut Effects) {
        if guard == Guard::On && self.asks_before_modules_go() {
            return;
        }
        let (now, generation) = (self.now, self.tokens.next_generation());
        let agreed = guard.clone();
        let Some(TokenSheet::Wizard(wizard)) = self.tokens.sheets.last_mut() else {
            return;
        };
        if wizard.outcome.is_loading() || wizard.outcome.here().is_some() {
            return;
        }
        let name = wizard.name.clone();
        let change = if let Some(row) = &wizard.editing {
            let (edit, difference) = (wizard.edit(), wizard.difference());
            if edit.is_empty() && difference.is_empty() {
                wizard.problem = Some("nothing is to be changed".to_owned());
                return;
            }
            if let Some(said) = wizard.blind() {
                wizard.problem = Some(said);
                return;
            }
            let Some(id) = row.token.id.clone() else {
                return;
            };
            TokensChange::Edit {
                id,
                edit,
                difference,
                guard,
            }
        } else {
            let Some(new) = wizard.new_token(now) else {
                wizard.problem = Some("choose what the token is for".to_owned());
                return;
            };
            TokensChange::Create {
                new,
                modules: wizard.wanted(),
            }
        };
        wizard.problem = None;
        wizard.guard = agreed;
        wizard.outcome = Fetch::Loading(generation);
        out.push(Effect::Tokens(TokensEffect::Change {
            name,
            generation,
            change,
        }));
    }

    /// The names of those who run on the token were typed: it is sent, or what is left of it.
    pub(super) fn wizard_agreed(&mut self, guard: Guard, out: &mut Effects) {
        let begun = self
            .wizard()
            .filter(|wizard| wizard.outcome.here().is_some());
        let Some(wizard) = begun else {
            return self.send_wizard(guard, out);
        };
        wizard.guard = guard;
        self.finish_wizard(out);
    }

    fn asks_before_modules_go(&mut self) -> bool {
        let Some(TokenSheet::Wizard(wizard)) = self.tokens.sheets.last() else {
            return false;
        };
        let editing = wizard.editing.as_ref();
        let token = editing.and_then(|row| Some((row.token.id.clone()?, row.label().to_owned())));
        let Some((id, label)) = token.filter(|_| !wizard.difference().revoke.is_empty()) else {
            return false;
        };
        let (name, is_sent) = (wizard.name.clone(), wizard.outcome.is_loading());
        let is_in_use = !is_sent && !self.runs_on(&name, &id).is_empty();
        if is_in_use {
            self.open_confirm(name, id, label, TokenOperation::Edit);
        }
        is_in_use
    }

    /// Goes on with what was left undone: the modules that are missing.
    fn finish_wizard(&mut self, out: &mut Effects) {
        let generation = self.tokens.next_generation();
        let Some(TokenSheet::Wizard(wizard)) = self.tokens.sheets.last_mut() else {
            return;
        };
        let name = wizard.name.clone();
        let change = match wizard.outcome.here() {
            Some(WizardOutcome::Made(made)) if !made.missing.is_empty() => {
                let Some(id) = made.row.token.id.clone() else {
                    return;
                };
                TokensChange::Grant {
                    id,
                    modules: made.missing.clone(),
                }
            }
            Some(WizardOutcome::Changed(changed)) if !changed.left.is_empty() => {
                let id = wizard.editing.as_ref().and_then(|row| row.token.id.clone());
                let Some(id) = id else { return };
                TokensChange::Edit {
                    id,
                    edit: TokenEdit::default(),
                    difference: changed.left.clone(),
                    guard: wizard.guard.clone(),
                }
            }
            _ => return,
        };
        let before = std::mem::replace(&mut wizard.outcome, Fetch::Loading(generation));
        wizard.before = before.here().cloned();
        out.push(Effect::Tokens(TokensEffect::Change {
            name,
            generation,
            change,
        }));
    }
}

impl Wizard {
    /// The id of the token that it has made.
    pub fn made_id(&self) -> Option<&str> {
        match self.outcome.here() {
            Some(WizardOutcome::Made(made)) => made.row.id(),
            Some(WizardOutcome::Changed(_)) | None => None,
        }
    }
}
