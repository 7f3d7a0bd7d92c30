//! Opening, leaving and dropping the form.

use super::{Effects, Model};
use crate::app::draft::FieldId;
use crate::app::effect::{Effect, ProbeEffect, StoreEffect, Target};
use crate::app::keymap::Action;
use crate::app::lamps;
use crate::app::model::{Form, LoadState, OpenForm, Pane, PendingUnlock, ProbeState, Question};
use crate::app::notice::About;
use crate::domain::{Cause, Endpoint, Name, Origin, Reason, Secret, error_chain};

impl Model {
    pub(super) fn form_action(&mut self, action: Action, out: &mut Effects) {
        let selected = self.list.selected.clone();
        let wanted = match (action, selected) {
            (Action::New, _) => OpenForm::New,
            (Action::DiscardDraft, _) => OpenForm::Nothing,
            (Action::UseUrl, _) => return self.use_url(out),
            (Action::UseHeaders, _) => return self.use_headers(out),
            (Action::Clone, Some(name)) => OpenForm::Clone(name),
            (Action::Edit, Some(name)) => OpenForm::Edit(name),
            _ => return self.complain("no connection is selected"),
        };
        self.open_form(wanted, out);
    }

    /// Opens a form, unless that would lose a draft: then it asks first, or goes back to that very draft.
    pub(super) fn open_form(&mut self, wanted: OpenForm, out: &mut Effects) {
        if let Some(sentence) = self
            .refuses_changes()
            .filter(|_| wanted != OpenForm::Nothing)
        {
            return self.complain(sentence);
        }
        if self.war_room && wanted != OpenForm::Nothing {
            return self.complain("the war-room opens no form");
        }
        let Some(form) = self.form.as_ref().filter(|form| form.dirty) else {
            return self.open_now(wanted, out);
        };
        let same = match &wanted {
            OpenForm::New => form.editing.is_none() && !self.is_editing(),
            OpenForm::Edit(name) => form.editing.as_ref() == Some(name),
            OpenForm::Clone(name) => form.clone_of.as_ref() == Some(name) && !self.is_editing(),
            OpenForm::WithUrl { .. } | OpenForm::WithHeaders(_) | OpenForm::Nothing => false,
        };
        if same {
            self.return_to_form();
        } else {
            self.next_form = Some(wanted);
            self.ask(Question::LoseDraft);
        }
    }

    /// Why nothing can be changed, where the configuration is not at hand.
    pub(in crate::app) fn refuses_changes(&self) -> Option<String> {
        match &self.loaded {
            LoadState::Ready => None,
            LoadState::Loading => Some("the configuration is still being read".to_owned()),
            LoadState::Failed(why) => Some(format!(
                "nothing is changed while the configuration can't be read: {why}"
            )),
        }
    }

    pub(super) fn return_to_form(&mut self) {
        self.close_board();
        self.list.filtering = false;
        self.focus = Pane::Form;
        self.response_scroll = 0;
        self.forget_that_it_is_kept();
        if let Some(form) = &mut self.form {
            form.parked = false;
        }
    }

    /// Opens it, whatever stood in the form before.
    pub(super) fn open_now(&mut self, wanted: OpenForm, out: &mut Effects) {
        self.close_form(out);
        let opened = match &wanted {
            OpenForm::New => Some(Form::empty()),
            OpenForm::Nothing => None,
            OpenForm::Edit(name) | OpenForm::WithUrl { name, .. } | OpenForm::WithHeaders(name) => {
                self.edit_form(name)
            }
            OpenForm::Clone(name) => self.clone_form(name),
        };
        let Some(form) = opened else {
            self.focus = Pane::List;
            return;
        };
        self.form = Some(form);
        self.revealed = None;
        self.return_to_form();
        match wanted {
            OpenForm::WithUrl { url, .. } => self.put_url(&url, out),
            OpenForm::WithHeaders(_) => self.put_headers(out),
            OpenForm::New | OpenForm::Edit(_) | OpenForm::Clone(_) | OpenForm::Nothing => {}
        }
        self.load_form_secrets(out);
    }

    pub(super) fn edit_form(&self, name: &Name) -> Option<Form> {
        let entry = self.entries.get(name)?;
        let mut form = Form::of(&entry.connection);
        form.verdict.clone_from(&entry.verdict);
        form.refresh_lamps();
        form.go_to(lamps::first_not_ok(entry));
        Some(form)
    }

    fn clone_form(&self, name: &Name) -> Option<Form> {
        let entry = self.entries.get(name)?;
        let mut form = Form::copy_of(&entry.connection, self.free_name(name.as_str()));
        form.verdict.clone_from(&entry.verdict);
        form.refresh_lamps();
        form.go_to(FieldId::Url);
        Some(form)
    }

    /// Asks for the stored secrets of the form, so that one letter of a key can be changed.
    pub(super) fn load_form_secrets(&mut self, out: &mut Effects) {
        let Some(form) = &mut self.form else { return };
        let owner = form.editing.clone().or_else(|| form.clone_of.clone());
        let stored = [FieldId::Key, FieldId::Token]
            .into_iter()
            .filter_map(|id| form.secret(id))
            .any(|field| field.stored && !field.touched && field.value.is_empty());
        if let Some(name) = owner.filter(|_| stored) {
            form.loading_secrets = true;
            self.waiting = Some(PendingUnlock::LoadSecrets(name.clone()));
            out.push(Effect::Store(StoreEffect::LoadSecrets(name)));
        }
    }

    /// The stored secrets came. What was typed meanwhile stays.
    pub(super) fn secrets_loaded(
        &mut self,
        name: &Name,
        key: (Result<Option<Secret>, Cause>, Option<Origin>),
        token: Result<Option<Secret>, Cause>,
        out: &mut Effects,
    ) {
        if self.waiting == Some(PendingUnlock::LoadSecrets(name.clone())) {
            self.waiting = None;
        }
        let Some(form) = &mut self.form else { return };
        let owner = form.editing.as_ref().or(form.clone_of.as_ref());
        if owner != Some(name) || !form.loading_secrets {
            return;
        }
        form.loading_secrets = false;
        let (key, origin) = key;
        let untouched = form
            .secret(FieldId::Key)
            .is_some_and(|field| !field.touched);
        if let Some(origin) = origin.filter(|_| untouched) {
            form.key_origin = Some(origin);
        }
        let mut problems = Vec::new();
        for (id, secret) in [(FieldId::Key, key), (FieldId::Token, token)] {
            match secret {
                Ok(secret) => form.fill_secret(id, secret),
                Err(why) => problems.push(why),
            }
        }
        form.refresh_lamps();
        let was_missed = form.editing.is_some()
            && form
                .verdict
                .as_ref()
                .is_some_and(|verdict| verdict.reason == Reason::SecretUnavailable);
        match problems.into_iter().next() {
            Some(why) => self.complain(error_chain(&why)),
            // The form was opened with its key locked away: the lamps wait for it.
            None if was_missed => self.probe_draft(self.draft_trigger(), out),
            None => {}
        }
    }

    /// What happens when the keys go to another pane: a draft is kept, an untouched form is closed.
    pub(super) fn leave_form(&mut self, out: &mut Effects) {
        self.leave_url(out);
        self.finish_typing();
        let Some(form) = &mut self.form else { return };
        form.shown = None;
        if !form.dirty && !form.saving {
            self.close_form(out);
        } else if form.dirty && !form.parked {
            let key = if form.editing.is_some() {
                Action::Edit
            } else {
                Action::New
            };
            let key = self.keymap.list_key(key).unwrap_or_default();
            let said = format!("the draft is kept: {key} opens it again");
            self.say_about(About::Draft, said);
        }
    }

    /// Takes back what was said of a draft that is aside no more.
    pub(super) fn forget_that_it_is_kept(&mut self) {
        self.unsay(About::Draft);
    }

    /// Drops the form, and ends its probe.
    pub(super) fn close_form(&mut self, out: &mut Effects) {
        self.forget_that_it_is_kept();
        if let Some(form) = self.form.take()
            && form.probe != ProbeState::Idle
        {
            out.push(Effect::Probe(ProbeEffect::Cancel(Target::Draft)));
        }
    }

    /// Keeps a draft aside while the list shows another connection than the one it belongs to.
    pub(in crate::app) fn park_form(&mut self) {
        let selected = self.list.selected.as_ref();
        if self.focus == Pane::Form {
            return;
        }
        if let Some(form) = &mut self.form {
            let elsewhere = form.editing.is_none() || form.editing.as_ref() != selected;
            form.parked = elsewhere || self.war_room;
        }
    }

    /// A name that no other connection has: `wanted`, else `wanted-2` and so on.
    pub(super) fn free_name(&self, wanted: &str) -> Name {
        let wanted: String = wanted.chars().take(58).collect();
        Name::parse(wanted.trim_end())
            .unwrap_or_else(|_| Name::unnamed())
            .free(|name| self.entries.contains(name))
    }

    /// Uses the corrected URL: the hint's under the field, else the remedy's.
    fn use_url(&mut self, out: &mut Effects) {
        let hinted = self
            .visible_form()
            .and_then(|form| form.hint.as_ref()?.url.clone());
        let remedy = self
            .shown_verdict()
            .and_then(|verdict| verdict.remedy.url.clone());
        let Some(url) = hinted.or(remedy).filter(|url| Endpoint::parse(url).is_ok()) else {
            return self.complain("there is no corrected URL");
        };
        if self.visible_form().is_some() {
            self.return_to_form();
            self.put_url(&url, out);
        } else if let Some(name) = self.list.selected.clone() {
            self.open_form(OpenForm::WithUrl { name, url }, out);
        }
    }

    pub(super) fn switch_further(&mut self) {
        let Some(form) = self.form.as_mut().filter(|form| !form.parked) else {
            return self.complain("no form is open");
        };
        let left = form.focused();
        form.further = !form.further;
        if form.cursor >= form.shown_fields() {
            form.go_to(FieldId::Token);
        }
        if form.further {
            form.go_to(FieldId::Name);
        }
        if form.focused() != left {
            self.finish_typing();
        }
    }
}

impl Form {
    /// Puts a stored secret into its field, unless something was typed there meanwhile.
    fn fill_secret(&mut self, id: FieldId, secret: Option<Secret>) {
        let Some(field) = self.secret_mut(id).filter(|field| !field.touched) else {
            return;
        };
        let stored = field.stored && secret.is_some();
        if let Some(secret) = secret {
            field.replace(secret);
        }
        field.touched = false;
        field.stored = stored;
    }
}
