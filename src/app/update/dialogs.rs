//! Dialogs with lines to type in: a passphrase, a further token.

use crossterm::event::{KeyCode, KeyModifiers};
use std::sync::Arc;
use tui_input::Input;

use super::{Effects, Model, editing_request};
use crate::app::effect::{Effect, StoreEffect, VaultEffect};
use crate::app::handles::{HandleRow, RevealedHandle};
use crate::app::keymap::KeyPress;
use crate::app::model::{AddTokenDialog, ListedConnection, Overlay, PassphraseDialog, Question};
use crate::app::secret_field;
use crate::app::secret_field::SecretField;
use crate::domain::{Connection, HandleSlot, PassphrasePurpose, Secret};
use crate::service::hints;

/// Characters of a label at most.
const LABEL: usize = 64;

impl Model {
    pub(super) fn passphrase_key(&mut self, press: KeyPress, out: &mut Effects) {
        if press.code == KeyCode::Esc {
            return self.dialog_cancelled();
        }
        let Some(Overlay::Passphrase(dialog)) = &mut self.overlay else {
            return;
        };
        if dialog.busy {
            return;
        }
        let twice = dialog.kind == PassphrasePurpose::Create;
        match press.code {
            KeyCode::Enter if twice && !dialog.on_second => dialog.on_second = true,
            KeyCode::Enter => out.extend(dialog.submit()),
            KeyCode::Tab | KeyCode::Up | KeyCode::Down if twice => {
                dialog.on_second = !dialog.on_second;
            }
            _ => dialog.type_key(press),
        }
    }

    /// `a`: a further handle for the selected connection.
    pub(super) fn open_add_token(&mut self) {
        if let Some(sentence) = self.refuses_changes() {
            return self.complain(sentence);
        }
        if self.war_room {
            return self.complain("the war-room opens no form");
        }
        let name = match self.meant_connection().cloned() {
            Ok(name) => name,
            Err(sentence) => return self.complain(sentence),
        };
        self.open_overlay(Overlay::AddToken(AddTokenDialog {
            name,
            label: Input::default(),
            value: SecretField::default(),
            on_value: false,
            problem: None,
            busy: false,
            store: None,
        }));
    }

    pub(super) fn add_token_key(&mut self, press: KeyPress, out: &mut Effects) {
        let save = KeyPress {
            code: KeyCode::Char('s'),
            modifiers: KeyModifiers::CONTROL,
        };
        if press.code == KeyCode::Esc {
            return self.leave_add_token();
        }
        let Some(Overlay::AddToken(dialog)) = &mut self.overlay else {
            return;
        };
        if dialog.busy {
            return;
        }
        match press.code {
            KeyCode::Enter if !dialog.on_value => dialog.on_value = true,
            KeyCode::Enter => self.submit_add_token(out),
            KeyCode::Tab | KeyCode::Up | KeyCode::Down => dialog.on_value = !dialog.on_value,
            _ if press == save => self.submit_add_token(out),
            _ => dialog.type_key(press),
        }
    }

    /// Esc: asks where a token was typed and not sent off.
    fn leave_add_token(&mut self) {
        match self.overlay.take() {
            Some(Overlay::AddToken(dialog)) if !dialog.busy && !dialog.value.value.is_empty() => {
                self.adding = Some(dialog);
                self.ask(Question::LoseToken);
            }
            _ => {}
        }
    }

    fn submit_add_token(&mut self, out: &mut Effects) {
        let Some(Overlay::AddToken(dialog)) = &self.overlay else {
            return;
        };
        let label = dialog.label.value().trim().to_owned();
        let known = self.entries.get(&dialog.name).is_some_and(|entry| {
            let mut added = entry.connection.added.iter();
            added.any(|(other, _)| *other == label)
        });
        let problem = if label.is_empty() {
            Some("a token needs a label")
        } else if known {
            Some("there is a token with this label already")
        } else if dialog.value.value.is_empty() {
            Some("enter the token")
        } else {
            None
        };
        if let Some(Overlay::AddToken(dialog)) = &mut self.overlay {
            dialog.problem = problem.map(str::to_owned);
            dialog.busy = problem.is_none();
        }
        if problem.is_none() {
            self.set_dialog_aside();
            self.add_token_now(out);
        }
    }

    /// Makes room for what the dialog may need (a place, a passphrase).
    pub(super) fn set_dialog_aside(&mut self) {
        if matches!(&self.overlay, Some(Overlay::AddToken(dialog)) if dialog.busy)
            && let Some(Overlay::AddToken(dialog)) = self.overlay.take()
        {
            self.adding = Some(dialog);
        }
    }

    /// Stores the token; the dialog stays on the screen until the answer comes.
    pub(super) fn add_token_now(&mut self, out: &mut Effects) {
        let Some(mut dialog) = self.adding.take() else {
            return;
        };
        dialog.busy = true;
        out.push(Effect::Store(StoreEffect::AddToken {
            name: dialog.name.clone(),
            label: dialog.label.value().trim().to_owned(),
            value: dialog.value.value.clone(),
            store: dialog.store.clone(),
        }));
        self.open_overlay(Overlay::AddToken(dialog));
    }

    pub(super) fn token_added(&mut self, connection: Connection, out: &mut Effects) {
        if matches!(self.overlay, Some(Overlay::AddToken(_))) {
            self.overlay = None;
        }
        self.adding = None;
        self.token_written(connection);
        self.date_handles(out);
        self.say("the token is stored");
    }

    /// The connection has other further tokens from now on; a form that is open keeps what was typed.
    pub(super) fn token_written(&mut self, connection: Connection) {
        if let Some(form) = &mut self.form
            && form.editing.as_ref() == Some(&connection.name)
            && let Some(original) = &mut form.original
        {
            original.connection.added.clone_from(&connection.added);
        }
        let name = connection.name.clone();
        let before = self.held_handles();
        let written = |entry: &mut ListedConnection| entry.connection = Arc::new(connection);
        if self.entries.change(&name, written).is_some() {
            self.handles_changed(&before);
            self.relist();
        }
    }

    /// The selected connection held the handles `before`: the row that is selected stays selected, wherever it stands
    /// now. Where it is gone, none is.
    pub(super) fn handles_changed(&mut self, before: &[HandleRow]) {
        let now = self.held_handles();
        let place = |slot: &HandleSlot| now.iter().position(|row| row.slot == *slot);
        let at = before.get(self.token_row).map(|was| place(&was.slot));
        let below = self.token_row.checked_sub(before.len());
        self.token_row = match (at, below) {
            (Some(Some(at)), _) => at,
            // The account's tokens stand below: the one that is selected has moved with them.
            (_, Some(further)) if self.has_account() => now.len() + further,
            _ => {
                self.token_lost |= !before.is_empty();
                self.token_row.min(now.len())
            }
        };
        let is_gone = |which: &RevealedHandle| match which {
            RevealedHandle::Held(slot) => place(slot).is_none(),
            RevealedHandle::Token(_) => false,
        };
        self.revealed.take_if(|open| is_gone(&open.which));
    }

    pub(super) fn token_add_failed(&mut self, why: &str) {
        let why = crate::domain::text::inert(why, 300);
        match &mut self.overlay {
            Some(Overlay::AddToken(dialog)) => {
                dialog.busy = false;
                dialog.problem = Some(why);
            }
            _ => self.complain(format!("the token is not stored: {why}")),
        }
    }

    /// A paste into whatever line of a dialog has the cursor; whether there was one.
    pub(super) fn paste_in_dialog(&mut self, pasted: &Secret) -> bool {
        let field = match &mut self.overlay {
            Some(Overlay::Passphrase(dialog)) if !dialog.busy => dialog.line(),
            Some(Overlay::AddToken(dialog)) if dialog.on_value && !dialog.busy => &mut dialog.value,
            None
            | Some(
                Overlay::Passphrase(_)
                | Overlay::AddToken(_)
                | Overlay::Help { .. }
                | Overlay::Palette { .. }
                | Overlay::Confirm(_)
                | Overlay::ChooseStore { .. }
                | Overlay::CopyAs { .. }
                | Overlay::SharedToken(_)
                | Overlay::Watching(_),
            ) => return false,
        };
        let cleaned = hints::clean_line(pasted);
        if field.value.length() + cleaned.value.length() > secret_field::LIMIT {
            self.complain(super::paste::TOO_LONG);
        } else {
            field.insert(&cleaned.value);
            self.say_cleaned(&cleaned.notes);
        }
        true
    }
}

impl PassphraseDialog {
    fn line(&mut self) -> &mut SecretField {
        if self.on_second {
            &mut self.second
        } else {
            &mut self.first
        }
    }

    fn type_key(&mut self, press: KeyPress) {
        if let Some(request) = editing_request(press) {
            self.line().handle(request);
            self.problem = None;
        }
    }

    /// Hands the passphrase over, once it is there and typed alike twice.
    fn submit(&mut self) -> Option<Effect> {
        let twice = self.kind == PassphrasePurpose::Create;
        let problem = if self.first.value.is_empty() {
            Some("enter a passphrase")
        } else if twice && self.first.value != self.second.value {
            Some("the two are not the same")
        } else {
            None
        };
        if let Some(problem) = problem {
            self.problem = Some(problem.to_owned());
            // Which of the two was mistyped nobody can see.
            self.first.clear();
            self.second.clear();
            self.on_second = false;
            return None;
        }
        self.busy = true;
        let passphrase = std::mem::take(&mut self.first).value;
        self.second = SecretField::default();
        Some(Effect::Vault(VaultEffect::Unlock {
            kind: self.kind,
            passphrase,
        }))
    }
}

impl AddTokenDialog {
    fn type_key(&mut self, press: KeyPress) {
        let Some(request) = editing_request(press) else {
            return;
        };
        self.problem = None;
        if self.on_value {
            self.value.handle(request);
            return;
        }
        let full = self.label.value().chars().count() >= LABEL;
        if !(full && matches!(request, tui_input::InputRequest::InsertChar(_))) {
            self.label.handle(request);
        }
    }
}
