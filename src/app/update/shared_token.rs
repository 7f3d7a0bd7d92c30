//! The shared token: one key shows where it is entered, makes one, copies it, and has both ends compared.

use crossterm::event::KeyCode;

use super::{Effects, Model};
use crate::app::draft::FieldId;
use crate::app::effect::{Effect, SharedTokenEffect};
use crate::app::keymap::{Action, KeyPress};
use crate::app::model::{Form, OpenForm, Overlay, ProbeState};
use crate::app::shared_token::{Check, SharedTokenSheet};
use crate::domain::text::inert;
use crate::domain::{
    Cause, CheckId, Connection, CopyForm, HandleSlot, Name, Secret, State, Verdict, error_chain,
};
use crate::service::Trigger;
use crate::service::catalog::format::Need;
use crate::service::verify;

impl Model {
    /// `V`: the shared token of the connection that is meant.
    pub(super) fn open_shared_token(&mut self) {
        if self.war_room {
            return self.complain("the war-room shows no token");
        }
        let name = match self.meant_connection().cloned() {
            Ok(name) => name,
            Err(sentence) => return self.complain(sentence),
        };
        let Some(entry) = self.entries.get(&name) else {
            return;
        };
        let connection = &entry.connection;
        let Some(places) = self.places_of(connection) else {
            let service = connection.service.to_string();
            return self.complain(format!("{service} knows no shared token"));
        };
        let sheet = SharedTokenSheet {
            is_set: connection.token.is_some(),
            name,
            places,
            check: Check::NotMade,
            scroll: 0,
        };
        self.open_overlay(Overlay::SharedToken(sheet));
    }

    /// Where the token of `connection` is entered; nothing where its service has none.
    fn places_of(&self, connection: &Connection) -> Option<Vec<String>> {
        let service = self.catalog.get(&connection.service)?;
        if service.text().fields.token.need == Need::Unused {
            return None;
        }
        let mut places = service.token_places();
        let chosen = connection.cms.as_deref();
        let cms = self
            .catalog
            .cms()
            .iter()
            .find(|cms| Some(&*cms.id) == chosen);
        if let (Some(cms), Some(last)) =
            (cms.filter(|cms| !cms.steps.is_empty()), places.last_mut())
        {
            *last = format!("{}: {}", cms.title, cms.steps.join(" > "));
        }
        Some(places)
    }

    pub(super) fn shared_token_key(&mut self, press: KeyPress, out: &mut Effects) {
        let Some(Overlay::SharedToken(sheet)) = &self.overlay else {
            return;
        };
        let (name, is_set) = (sheet.name.clone(), sheet.is_set);
        let is_under_way = matches!(sheet.check, Check::UnderWay);
        match press.code {
            KeyCode::Char('g' | 'y') | KeyCode::Enter if self.token_is_typed(&name) => {
                self.complain("the token in the form is not saved: that goes before");
            }
            KeyCode::Char('g') => {
                self.overlay = None;
                self.open_form(OpenForm::Edit(name.clone()), out);
                let form = self.visible_form();
                if form.is_some_and(|form| form.editing.as_ref() == Some(&name)) {
                    out.push(Effect::SharedToken(SharedTokenEffect::Make(name)));
                }
            }
            KeyCode::Char('y') if is_set => {
                self.copy_handle(name, HandleSlot::Token, CopyForm::Handle, out);
            }
            KeyCode::Enter if !is_under_way => {
                if let Some(Overlay::SharedToken(sheet)) = &mut self.overlay {
                    sheet.check = Check::UnderWay;
                }
                out.push(Effect::SharedToken(SharedTokenEffect::Check(name)));
            }
            KeyCode::Esc | KeyCode::Char('q' | 'V') => self.overlay = None,
            _ => self.scroll_overlay(press),
        }
    }

    /// A new token stands in its field: nothing is changed at either end until it is saved and entered there.
    pub(super) fn shared_token_made(
        &mut self,
        name: &Name,
        made: Result<Secret, Cause>,
        out: &mut Effects,
    ) {
        let token = match made {
            Ok(token) => token,
            Err(why) => return self.complain(error_chain(&why)),
        };
        let meant =
            |form: &&mut Form| !form.parked && !form.saving && form.editing.as_ref() == Some(name);
        // Somebody who has gone on to another form, or locked, gets none.
        let is_locked = self.lock.is_locked();
        let Some(form) = self.form.as_mut().filter(meant).filter(|_| !is_locked) else {
            return;
        };
        form.go_to(FieldId::Token);
        if let Some(field) = form.secret_mut(FieldId::Token) {
            field.replace_by_made(token);
        }
        self.edited(FieldId::Token, out);
        let save = self.keymap.field_key(Action::Save).unwrap_or_default();
        let sheet = self.keymap.list_key(Action::SharedToken);
        let sheet = sheet.unwrap_or_else(|| ":shared-token".to_owned());
        self.say(format!(
            "a new token stands in the field: {save} keeps it, then {sheet} says where it is entered"
        ));
    }

    /// Whether the form of this connection holds another token than its store.
    fn token_is_typed(&self, name: &Name) -> bool {
        let form = self.form.as_ref();
        let form = form.filter(|form| form.editing.as_ref() == Some(name));
        let field = form.and_then(|form| form.secret(FieldId::Token));
        field.is_some_and(|field| field.touched)
    }

    /// The signed call has ended. Where the last probe found otherwise, another one follows, so that the fields and the
    /// list say the same: as one at its interval, which sends the key once.
    pub(super) fn shared_token_checked(
        &mut self,
        name: &Name,
        verdict: &Verdict,
        out: &mut Effects,
    ) {
        let token = |verdict: &Verdict| verdict.checks.get(CheckId::Token).state;
        let is_news = self.entries.get(name).is_some_and(|entry| {
            let before = entry.verdict.as_deref().map(token);
            entry.probe == ProbeState::Idle
                && token(verdict) != State::Unknown
                && before != Some(token(verdict))
        });
        if is_news {
            self.probe_saved(name, Trigger::Scheduled, out);
        }
        let Some(Overlay::SharedToken(sheet)) = &mut self.overlay else {
            return;
        };
        if sheet.name == *name {
            let advice = verdict.remedy.steps.first();
            // What was asked for stands first.
            sheet.scroll = 0;
            sheet.check = Check::Made {
                rows: Box::new(verify::rows(verdict, sheet.is_set)),
                advice: advice.map_or_else(String::new, |step| inert(step, 300)),
            };
        }
    }
}
