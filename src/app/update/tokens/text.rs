//! Keys and pastes where letters type: filters, the lines of the wizard, labels, dates.

use crossterm::event::KeyCode;
use tui_input::{Input, InputRequest};

use super::super::{Effects, Model, editing_request};
use crate::app::keymap::{Action, KeyPress};
use crate::app::tokens::sheet::RenewalStage;
use crate::app::tokens::wizard::{Turn, Wizard, WizardStep};
use crate::app::tokens::{EXPIRY_LIMIT, TokenSheet};
use crate::service::hints;

/// Characters of a filter or a confirmation at most.
const LIMIT: usize = 160;

impl Model {
    pub(super) fn tokens_text_key(&mut self, press: KeyPress, out: &mut Effects) {
        match self.tokens.sheets.last() {
            None => self.token_filter_key(press, out),
            Some(TokenSheet::Details(_)) => self.permission_filter_key(press, out),
            Some(TokenSheet::Wizard(wizard)) => match wizard.step {
                WizardStep::General => self.lines_key(press, out),
                WizardStep::Extension => self.extension_key(press, out),
                WizardStep::Permissions => self.modules_key(press, out),
                WizardStep::Summary => {}
            },
            Some(TokenSheet::Confirm(_)) => self.confirm_key_typed(press, out),
            Some(TokenSheet::Renewal(_)) => self.renewal_key(press, out),
            Some(TokenSheet::Unfinished(_) | TokenSheet::ExpiryHorizon(_)) => {}
        }
    }

    /// Actions that stay reachable while something is typed: those of the screen itself.
    fn act_while_typing(&mut self, action: Action, out: &mut Effects) {
        if action.is_of_the_screen() {
            self.act(action, out);
        }
    }

    fn token_filter_key(&mut self, press: KeyPress, out: &mut Effects) {
        let action = self.keymap.in_fields(press);
        let Some(list) = self.tokens.list.as_mut() else {
            return;
        };
        match action {
            Some(Action::Accept | Action::NextField | Action::PreviousField) => {
                list.filtering = false;
                self.apply_token_filter();
            }
            Some(Action::Leave) => {
                list.filtering = false;
                list.filter.reset();
                self.apply_token_filter();
            }
            Some(Action::FieldUp) => self.move_rows(-1),
            Some(Action::FieldDown) => self.move_rows(1),
            Some(Action::Undo | Action::ResponseUp | Action::ResponseDown) => {}
            Some(action) => {
                list.filtering = false;
                self.apply_token_filter();
                self.act(action, out);
            }
            None => {
                if typed(&mut list.filter, press, LIMIT) {
                    self.token_filter_typed();
                }
            }
        }
    }

    fn permission_filter_key(&mut self, press: KeyPress, out: &mut Effects) {
        let action = self.keymap.in_fields(press);
        let Some(TokenSheet::Details(details)) = self.tokens.sheets.last_mut() else {
            return;
        };
        match action {
            Some(Action::Accept | Action::NextField | Action::PreviousField) => {
                details.filtering = false;
            }
            Some(Action::Leave) => {
                details.filtering = false;
                details.filter.reset();
            }
            Some(action) => self.act_while_typing(action, out),
            None => {
                if typed(&mut details.filter, press, LIMIT) {
                    details.scroll = 0;
                }
            }
        }
    }

    fn lines_key(&mut self, press: KeyPress, out: &mut Effects) {
        let action = self.keymap.in_fields(press);
        let Some(TokenSheet::Wizard(wizard)) = self.tokens.sheets.last_mut() else {
            return;
        };
        let line = wizard.line;
        let next = wizard.lines.beside(line, Turn::Next);
        match (press.code, action) {
            (KeyCode::PageDown, _) | (_, Some(Action::Save)) => self.turn_step(Turn::Next, out),
            (_, Some(Action::Accept | Action::NextField)) if next.is_none() => {
                self.turn_step(Turn::Next, out);
            }
            (_, Some(Action::Accept | Action::NextField | Action::FieldDown)) => {
                wizard.line = next.unwrap_or(line);
            }
            (_, Some(Action::PreviousField | Action::FieldUp)) => {
                wizard.line = wizard.lines.beside(line, Turn::Previous).unwrap_or(line);
            }
            (_, Some(Action::Leave)) => self.leave_sheet(),
            (_, Some(action)) => self.act_while_typing(action, out),
            (_, None) => {
                if let Some(field) = wizard.lines.field_mut(line)
                    && typed(&mut field.input, press, line.limit())
                {
                    wizard.problem = None;
                }
            }
        }
    }

    fn extension_key(&mut self, press: KeyPress, out: &mut Effects) {
        let action = self.keymap.in_fields(press);
        let Some(TokenSheet::Wizard(wizard)) = self.tokens.sheets.last_mut() else {
            return;
        };
        let last = wizard.extensions.here().map_or(0, Vec::len);
        let failed = wizard.extensions.trouble().is_some();
        match (press.code, action) {
            (KeyCode::PageUp | KeyCode::Left, _) | (_, Some(Action::PreviousField)) => {
                self.turn_step(Turn::Previous, out);
            }
            (_, Some(Action::Accept)) if failed => self.fetch_for_step(out),
            (KeyCode::PageDown | KeyCode::Right, _)
            | (_, Some(Action::Accept | Action::NextField | Action::Save)) => {
                self.turn_step(Turn::Next, out);
            }
            (_, Some(Action::FieldUp)) => wizard.extension = wizard.extension.saturating_sub(1),
            (_, Some(Action::FieldDown)) => {
                wizard.extension = (wizard.extension + 1).min(last.saturating_sub(1));
            }
            (_, Some(Action::Leave)) => self.leave_sheet(),
            (_, Some(action)) => self.act_while_typing(action, out),
            (_, None) => {}
        }
    }

    fn modules_key(&mut self, press: KeyPress, out: &mut Effects) {
        let action = self.keymap.in_fields(press);
        let Some(TokenSheet::Wizard(wizard)) = self.tokens.sheets.last_mut() else {
            return;
        };
        let last = wizard.shown_modules().len();
        let failed = wizard.modules.trouble().is_some();
        match (press.code, action) {
            (KeyCode::PageUp, _) | (_, Some(Action::PreviousField)) => {
                self.turn_step(Turn::Previous, out);
            }
            (_, Some(Action::Accept)) if failed => self.fetch_for_step(out),
            (KeyCode::PageDown, _)
            | (_, Some(Action::Accept | Action::NextField | Action::Save)) => {
                self.turn_step(Turn::Next, out);
            }
            (_, Some(Action::FieldUp)) => wizard.module = wizard.module.saturating_sub(1),
            (_, Some(Action::FieldDown)) => {
                wizard.module = (wizard.module + 1).min(last.saturating_sub(1));
            }
            (_, Some(Action::Leave)) if !wizard.module_filter.value().is_empty() => {
                wizard.module_filter.reset();
                wizard.module = 0;
            }
            (_, Some(Action::Leave)) => self.leave_sheet(),
            (_, Some(action)) => self.act_while_typing(action, out),
            (KeyCode::Char(' '), None) => wizard.switch_module(),
            (_, None) => {
                if typed(&mut wizard.module_filter, press, LIMIT) {
                    wizard.module = 0;
                }
            }
        }
    }

    fn confirm_key_typed(&mut self, press: KeyPress, out: &mut Effects) {
        let action = self.keymap.in_fields(press);
        let Some(TokenSheet::Confirm(confirm)) = self.tokens.sheets.last_mut() else {
            return;
        };
        let both = !confirm.in_use.is_empty();
        match action {
            Some(Action::Accept) => self.confirm_typed(out),
            Some(
                Action::NextField | Action::PreviousField | Action::FieldUp | Action::FieldDown,
            ) => confirm.on_name = both && !confirm.on_name,
            Some(Action::Leave) => self.leave_sheet(),
            Some(action) => self.act_while_typing(action, out),
            None if confirm.sent.is_some() => {}
            None => {
                let line = if confirm.on_name {
                    &mut confirm.typed_name
                } else {
                    &mut confirm.typed
                };
                if typed(line, press, LIMIT) {
                    confirm.problem = None;
                }
            }
        }
    }

    fn renewal_key(&mut self, press: KeyPress, out: &mut Effects) {
        let action = self.keymap.in_fields(press);
        let Some(TokenSheet::Renewal(renewal)) = self.tokens.sheets.last_mut() else {
            return;
        };
        match action {
            Some(Action::Accept) => self.renewal_typed(out),
            Some(Action::Leave) => self.leave_sheet(),
            Some(action) => self.act_while_typing(action, out),
            None => {
                if typed(&mut renewal.expires, press, EXPIRY_LIMIT) {
                    renewal.problem = None;
                }
            }
        }
    }

    /// A paste into what is typed here; whether there was anything to paste into.
    pub(in crate::app::update) fn tokens_paste(&mut self, pasted: &str) -> bool {
        let sheet = self.tokens.sheets.last().is_some();
        let Some((line, limit)) = self.tokens_line() else {
            return sheet;
        };
        let cleaned = hints::clean_text(pasted);
        for c in cleaned.value.chars() {
            if line.value().chars().count() >= limit {
                break;
            }
            line.handle(InputRequest::InsertChar(c));
        }
        self.say_cleaned(&cleaned.notes);
        if !sheet {
            self.token_filter_typed();
        }
        true
    }

    fn tokens_line(&mut self) -> Option<(&mut Input, usize)> {
        match self.tokens.sheets.last_mut() {
            None => {
                let list = self.tokens.list.as_mut().filter(|list| list.filtering)?;
                Some((&mut list.filter, LIMIT))
            }
            Some(TokenSheet::Details(details)) if details.filtering => {
                Some((&mut details.filter, LIMIT))
            }
            Some(TokenSheet::Wizard(wizard)) => wizard_line(wizard),
            Some(TokenSheet::Confirm(confirm)) if confirm.sent.is_none() => {
                Some(if confirm.on_name {
                    (&mut confirm.typed_name, LIMIT)
                } else {
                    (&mut confirm.typed, LIMIT)
                })
            }
            Some(TokenSheet::Renewal(renewal)) if renewal.stage == RenewalStage::Asking => {
                Some((&mut renewal.expires, EXPIRY_LIMIT))
            }
            Some(
                TokenSheet::Details(_)
                | TokenSheet::Confirm(_)
                | TokenSheet::Renewal(_)
                | TokenSheet::Unfinished(_)
                | TokenSheet::ExpiryHorizon(_),
            ) => None,
        }
    }
}

fn wizard_line(wizard: &mut Wizard) -> Option<(&mut Input, usize)> {
    match wizard.step {
        WizardStep::General => {
            let field = wizard.lines.field_mut(wizard.line)?;
            Some((&mut field.input, wizard.line.limit()))
        }
        WizardStep::Permissions => Some((&mut wizard.module_filter, LIMIT)),
        WizardStep::Extension | WizardStep::Summary => None,
    }
}

/// Carries out an editing key; whether the text was changed.
fn typed(input: &mut Input, press: KeyPress, limit: usize) -> bool {
    let Some(request) = editing_request(press) else {
        return false;
    };
    let full = input.value().chars().count() >= limit;
    if full && matches!(request, InputRequest::InsertChar(_)) {
        return false;
    }
    input.handle(request).is_some_and(|changed| changed.value)
}
