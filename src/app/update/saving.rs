//! Saving and removing, with what stands in between: a verdict that is not ok, a place for secrets, a vault.

use super::editing::DEBOUNCE;
use super::{Effects, Model, after};
use crate::app::draft::{Draft, FieldId};
use crate::app::effect::{Effect, ProbeEffect, StoreEffect, Target};
use crate::app::form::live::ProbedPart;
use crate::app::form::problem::FieldProblem;
use crate::app::handles::HandleRow;
use crate::app::keymap::Action;
use crate::app::message::StoreOffer;
use crate::app::model::{
    Form, ListedConnection, LoadState, Overlay, Pane, PendingUnlock, ProbeState, Question, SaveWait,
};
use crate::app::notice::About;
use crate::app::watching::WatchingEffect;
use crate::domain::endpoint::secret_parameter;
use crate::domain::{
    Connection, Endpoint, HandleSlot, Misfit, Name, SecretRef, ServiceId, State, is_cms_file,
};
use crate::service::hints;
use jiff::Timestamp;
use std::sync::Arc;

impl Model {
    /// Ctrl-S.
    pub(super) fn save(&mut self, out: &mut Effects) {
        let Some(form) = self.form.as_mut().filter(|form| !form.parked) else {
            return self.complain("there is nothing to save");
        };
        if form.saving {
            return;
        }
        if let LoadState::Failed(_) = self.loaded {
            // Whoever has mended it need not wait until it is looked at by itself.
            form.save_waits = Some(SaveWait::Reading);
            self.say("the configuration is read once more, as it could not be before");
            return out.push(Effect::RereadConfiguration);
        }
        if let Some(sentence) = self.refuses_changes() {
            return self.complain(format!("not saved: {sentence}"));
        }
        self.check_draft_against_configuration(out);
        self.finish_typing();
        self.settle_url(out);
        if let Some((field, _)) = self.unsavable() {
            self.cursor_to(field, out);
            self.focus = Pane::Form;
            let is_asked = matches!(self.overlay, Some(Overlay::Confirm(Question::SendKeyTo(_))));
            if let Some(form) = self.form.as_mut().filter(|_| is_asked) {
                form.save_waits = Some(SaveWait::KeyAnswer);
                return;
            }
            return self.complain_unsaved();
        }
        if self.disputes() {
        } else if self.form.as_ref().is_some_and(Form::is_proven) {
            self.save_now(out);
        } else {
            self.ask(Question::SaveAllTheSame);
        }
    }

    /// The configuration was read again, or could not be: a save that waited for that goes on, or is told of it.
    pub(super) fn save_what_waited(&mut self, out: &mut Effects) {
        let form = self.form.as_mut();
        let Some(form) = form.filter(|form| form.save_waits == Some(SaveWait::Reading)) else {
            return;
        };
        form.save_waits = None;
        if form.parked || self.overlay.is_some() {
            // Its questions would come over what was opened meanwhile.
            return self.complain("not saved yet: the configuration was read late, save again");
        }
        match self.refuses_changes() {
            None => self.save(out),
            Some(sentence) => self.complain(format!("not saved: {sentence}")),
        }
    }

    /// Asks whether what another copy of the program has written is to be replaced, where there is such.
    fn disputes(&mut self) -> bool {
        let Some(form) = &mut self.form else {
            return false;
        };
        form.settle_disputes();
        let disputed = form.disputed.clone();
        let some = !disputed.is_empty();
        if some {
            self.ask(Question::SaveOver(disputed));
        }
        some
    }

    /// What another copy of the program has written into these is to be replaced.
    pub(super) fn save_over(&mut self, fields: &[FieldId], out: &mut Effects) {
        if let Some(form) = &mut self.form {
            form.disputed.retain(|id| !fields.contains(id));
        }
        self.save(out);
    }

    /// Saves, whatever the verdict; what was changed elsewhere while that was asked is asked about first.
    pub(super) fn save_all_the_same(&mut self, out: &mut Effects) {
        if !self.disputes() {
            self.save_now(out);
        }
    }

    /// Says why the form can't be saved as it is, where that is so.
    pub(super) fn complain_unsaved(&mut self) {
        if let Some((field, problem)) = self.unsavable() {
            self.complain_about(About::Field(field), format!("not saved: {problem}"));
        }
    }

    /// The first field that can't be saved as it is, and why.
    fn unsavable(&self) -> Option<(FieldId, FieldProblem)> {
        let form = self.form.as_ref()?;
        if let Err(problem) = Endpoint::parse(form.url_text()) {
            return Some((FieldId::Url, problem.into()));
        }
        let (draft, problem) = form.draft();
        let url = &draft.connection.url;
        let before = draft.opened.as_ref().map(|opened| &opened.url);
        if let Some(name) = secret_parameter(url).filter(|_| before != Some(url)) {
            return Some((FieldId::Url, FieldProblem::SecretInUrl(name)));
        }
        if draft.key_changed && draft.key_origin != form.origin() {
            let entered_for = draft.key_origin;
            return Some((FieldId::Key, FieldProblem::KeyOfAnotherHost { entered_for }));
        }
        let Some(service) = self.catalog.get(&draft.connection.service) else {
            let known = self.catalog.ids().map(ServiceId::to_string).collect();
            return Some((FieldId::Service, FieldProblem::UnknownService { known }));
        };
        if hints::holds_key(service, &draft.connection.username) {
            return Some((FieldId::Username, FieldProblem::KeyAsUsername));
        }
        let name = &draft.connection.name;
        let taken = self.entries.contains(name) && form.editing.as_ref() != Some(name);
        let taken = taken.then(|| (FieldId::Name, FieldProblem::NameTaken(name.clone())));
        let all = [problem, taken, self.unknown_cms(&draft), unasked(&draft)];
        all.into_iter().flatten().min_by_key(|(field, _)| *field)
    }

    /// A CMS that was entered here, and that nothing describes: a token would be checked nowhere.
    fn unknown_cms(&self, draft: &Draft) -> Option<(FieldId, FieldProblem)> {
        let before = draft.opened.as_ref().map(|opened| &opened.cms);
        let cms = draft
            .connection
            .cms
            .as_ref()
            .filter(|cms| !is_cms_file(cms))?;
        let known: Vec<_> = self
            .catalog
            .cms()
            .iter()
            .map(|cms| cms.id.clone())
            .collect();
        let is_odd = before != Some(&draft.connection.cms) && !known.contains(cms);
        is_odd.then_some((FieldId::Cms, FieldProblem::UnknownCms { known }))
    }

    /// Saves, whatever the verdict.
    pub(super) fn save_now(&mut self, out: &mut Effects) {
        let Some(form) = &mut self.form else { return };
        form.saving = true;
        form.due = None;
        let (draft, _) = form.draft();
        out.push(Effect::Store(StoreEffect::Save {
            draft: Box::new(draft),
            replaces: form.editing.clone(),
            store: form.store.clone(),
        }));
    }

    /// It is saved; `left` older values could not be taken out of their stores.
    pub(super) fn saved(&mut self, connection: Connection, left: usize, out: &mut Effects) {
        let name = connection.name.clone();
        self.disguise.learn_connection(&connection);
        let form = self.form.take_if(|form| form.saving);
        let replaced = form.as_ref().and_then(|form| form.editing.clone());
        let keyed = form.as_ref().is_some_and(|form| form.draft().0.key_changed);
        let lasts = !(keyed && connection.key == Some(SecretRef::Ask));
        let (selected, handles) = (self.list.selected.clone(), self.held_handles());
        let was_selected =
            selected.is_some() && (selected.as_ref() == Some(&name) || selected == replaced);
        // Another row was chosen while it was saved: the next key means that one.
        let goes_on = form.as_ref().is_some_and(|form| form.parked)
            && !was_selected
            && selected.is_some_and(|name| self.entries.contains(&name));
        let old = replaced.and_then(|name| self.entries.remove(&name));
        let parted = old
            .as_ref()
            .is_some_and(|old| self.is_parted(&old.connection, &connection));
        let connection = Arc::new(connection);
        let unprobed = || Box::new(ListedConnection::unprobed(Arc::clone(&connection)));
        let mut entry = old.unwrap_or_else(unprobed);
        entry.connection = Arc::clone(&connection);
        if let Some(form) = form {
            entry.probe = ProbeState::Idle;
            entry.verdict = form
                .verdict
                .filter(|_| form.live.changed == ProbedPart::Nothing)
                .map(|mut verdict| {
                    verdict.connection = Some(name.clone());
                    verdict
                });
        }
        self.entries.insert(name.clone(), entry);
        self.date_handles(out);
        if goes_on {
            self.relist();
        } else {
            self.select_saved(&name, was_selected.then_some(handles));
        }
        // The watch goes by what is saved; nobody else tells it, as nothing is news here any more.
        out.push(Effect::Watching(WatchingEffect::Replan));
        let shown = self.shown_name(&name);
        match left {
            0 if parted => self.say(format!(
                "{shown} is saved, with a key of its own: others keep the one they shared"
            )),
            0 if !lasts => self.say(format!("{shown} is saved, its key until this program ends")),
            0 => self.say(format!("{shown} is saved")),
            left => self.complain(format!("{shown} is saved; {}", left_in_store("old", left))),
        }
    }

    /// Whether others still refer to the key that the connection had, and it has another now.
    fn is_parted(&self, before: &Connection, after: &Connection) -> bool {
        let (Some(SecretRef::Vault(_) | SecretRef::Keyring(_)), Some(_)) =
            (&before.key, &after.key)
        else {
            return false;
        };
        let mut others = self.entries.values();
        before.key != after.key && others.any(|other| other.connection.key == before.key)
    }

    /// What was just saved is to be seen. The `handles` are those that it had, where it was selected before.
    fn select_saved(&mut self, name: &Name, handles: Option<Vec<HandleRow>>) {
        self.list.selected = Some(name.clone());
        if let Some(handles) = handles {
            self.handles_changed(&handles);
        } else {
            (self.token_row, self.token_lost) = (0, false);
        }
        if self.focus == Pane::Form {
            self.focus = Pane::List;
        }
        self.refilter();
        if self.list.selected.as_ref() != Some(name) {
            // The filter hides it.
            self.list.filter.reset();
            self.list.selected = Some(name.clone());
            self.relist();
        }
    }

    pub(super) fn save_failed(&mut self, why: &str) {
        let now = self.now;
        if let Some(form) = &mut self.form {
            form.goes_on_unsaved(now);
        }
        self.complain(format!("not saved: {why}"));
    }

    fn save_cancelled(&mut self) {
        let now = self.now;
        if let Some(form) = self.form.as_mut().filter(|form| form.saving) {
            form.goes_on_unsaved(now);
            // Where secrets go is asked anew: nothing is there yet.
            form.store = None;
            self.complain("not saved; the draft is kept");
        }
        if let Some(mut dialog) = self.adding.take() {
            dialog.busy = false;
            self.overlay = Some(Overlay::AddToken(dialog));
        }
    }

    /// Where are new secrets to be kept?
    pub(super) fn store_needed(&mut self, offers: Vec<StoreOffer>) {
        self.set_dialog_aside();
        let saving = self.form.as_ref().is_some_and(|form| form.saving);
        if !saving && self.adding.is_none() {
            return;
        }
        let works = |offer: &StoreOffer| offer.unavailable.is_none();
        let row = offers.iter().position(works).unwrap_or(0);
        self.open_overlay(Overlay::ChooseStore { offers, row });
    }

    /// The place was chosen: what waited for it goes on.
    pub(super) fn store_chosen(&mut self, offer: &StoreOffer, out: &mut Effects) {
        if let Some(why) = &offer.unavailable {
            return self.complain(format!("{} does not work here: {why}", offer.label));
        }
        self.overlay = None;
        if let Some(dialog) = &mut self.adding {
            dialog.store = Some(offer.reference.clone());
            self.add_token_now(out);
        } else if let Some(form) = &mut self.form {
            form.store = Some(offer.reference.clone());
            self.save_now(out);
        }
    }

    /// Esc in a dialog that something waited for.
    pub(super) fn dialog_cancelled(&mut self) {
        self.overlay = None;
        if let Some(PendingUnlock::Tokens(effect)) = self.waiting.take() {
            self.tokens_not_sent(*effect);
        }
        if let Some(form) = &mut self.form {
            form.loading_secrets = false;
        }
        self.save_cancelled();
    }

    pub(super) fn ask_remove(&mut self) {
        if let Some(sentence) = self.refuses_changes() {
            return self.complain(sentence);
        }
        if self.focus == Pane::Tokens
            && let Some((name, slot)) = self.selected_handle()
        {
            return self.ask_remove_handle(name, slot);
        }
        match self.meant_connection().cloned() {
            Ok(name) => self.ask(Question::Remove(name)),
            Err(sentence) => self.complain(sentence),
        }
    }

    /// On a row of the tokens pane it is the handle that is meant, never the whole connection.
    fn ask_remove_handle(&mut self, name: Name, slot: HandleSlot) {
        let edit = self.keymap.list_key(Action::Edit).unwrap_or_default();
        match slot {
            HandleSlot::Added(label) => self.ask(Question::RemoveToken { name, label }),
            HandleSlot::Key | HandleSlot::Token => self.complain(format!(
                "the connection runs on this one: {edit} empties its field; in the list the whole connection is removed"
            )),
        }
    }

    /// A further token is gone.
    pub(super) fn token_removed(&mut self, connection: Connection, label: &str, left: bool) {
        let name = connection.name.clone();
        self.token_written(connection);
        // What was asked for here: the next row takes its place.
        self.token_lost = false;
        self.token_row = self.token_row.min(self.token_rows().saturating_sub(1));
        self.waiting = None;
        let label = crate::domain::text::inert(label, 60);
        let shown = self.shown_name(&name);
        if left {
            self.complain(format!(
                "{label} of {shown} is removed, and its value is still in the locked vault: doctor names it once that is open"
            ));
        } else {
            self.say(format!("{label} of {shown} is removed"));
        }
    }

    /// What was typed of a connection goes with it, as the question said.
    pub(super) fn close_form_of_removed(&mut self, name: &Name, out: &mut Effects) {
        let form = self.form.as_ref();
        if form.is_some_and(|form| form.editing.as_ref() == Some(name)) {
            self.close_form(out);
            self.focus = Pane::List;
        }
    }

    pub(super) fn removed(&mut self, name: &Name, left: usize, out: &mut Effects) {
        // The configuration without it may have come before.
        let asked = self.removing.as_ref() == Some(name);
        let was_here = self.entries.remove(name).is_some();
        if !was_here && !asked {
            return;
        }
        self.close_form_of_removed(name, out);
        out.push(Effect::Probe(ProbeEffect::Cancel(Target::Saved(
            name.clone(),
        ))));
        out.push(Effect::Watching(WatchingEffect::Replan));
        self.relist();
        self.removing.take_if(|removing| removing == name);
        let shown = self.shown_name(name);
        match left {
            0 => self.say(format!("{shown} is removed")),
            left => self.complain(format!(
                "{shown} is removed; {}",
                left_in_store("its", left)
            )),
        }
    }
}

/// The first further field that was changed here and can't be what is meant.
fn unasked(draft: &Draft) -> Option<(FieldId, FieldProblem)> {
    let misfit = draft.connection.misfit(draft.opened.as_deref())?;
    let field = match misfit {
        Misfit::CmsUrl(_) | Misfit::SecretInCmsUrl(_) => FieldId::CmsUrl,
        Misfit::Tag => FieldId::Tags,
        Misfit::KeyWithoutCertificate => FieldId::ClientCert,
        Misfit::Proxy(_) | Misfit::ProxyUserInfo => FieldId::Proxy,
    };
    Some((field, misfit.into()))
}

/// What is said of values that could not be taken out of their stores.
fn left_in_store(whose: &str, count: usize) -> String {
    let values = if count == 1 {
        "value is still"
    } else {
        "values are still"
    };
    format!("{whose} {values} in the store: doctor names what is left once that is open")
}

impl Form {
    /// It was to be saved, and is not: the test that the save took the place of comes after all.
    fn goes_on_unsaved(&mut self, now: Timestamp) {
        self.saving = false;
        if self.dirty && !self.is_tested() {
            self.due = Some(after(now, DEBOUNCE));
        }
    }

    /// Whether the last test was of exactly this content, and went well.
    fn is_proven(&self) -> bool {
        let verdict = self.verdict.as_ref();
        self.is_tested() && verdict.is_some_and(|verdict| verdict.state() == State::Ok)
    }
}
