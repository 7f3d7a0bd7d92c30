//! Probes: started, cancelled, followed, and what their answers change.

use super::editing::DEBOUNCE;
use super::{Effects, Model, after};
use crate::app::draft::{Draft, FieldId};
use crate::app::effect::{Effect, ProbeEffect, Target};
use crate::app::form::live::{ProbedPart, TestWorth};
use crate::app::keymap::Action;
use crate::app::list::SortKey;
use crate::app::model::{Form, ListedConnection, Pane, ProbeState, Question, SaveWait};
use crate::app::secret_field::KeyAnswer;
use crate::domain::history::STRIP;
use crate::domain::{Checks, Name, Origin, Reason, Verdict};
use crate::service::Trigger;

impl Model {
    /// Nothing was typed for 400 ms.
    pub(super) fn typing_rested(&mut self, out: &mut Effects) {
        let overlaid = self.overlay.is_some();
        let now = self.now;
        let Some(form) = &mut self.form else { return };
        if overlaid {
            // Whatever lies over the form may change what is tested: the test waits for it.
            form.due = Some(after(now, DEBOUNCE));
            return;
        }
        let trigger = self.draft_trigger();
        self.settle_url(out);
        let Some(form) = &mut self.form else { return };
        match form.worth_of_test(&self.catalog, trigger) {
            TestWorth::Now => self.probe_draft(trigger, out),
            TestWorth::Later => form.due = Some(after(now, DEBOUNCE)),
            TestWorth::Nothing => form.due = None,
        }
    }

    /// How far a test of the form may go by itself, as it stands and is being typed.
    pub(super) fn draft_trigger(&self) -> Trigger {
        let in_url = |form: &Form| form.focused() == FieldId::Url && form.url_edited;
        if self.is_editing() && self.form.as_ref().is_some_and(in_url) {
            Trigger::UrlTyping
        } else if self.withheld() == Some(FieldId::Key) {
            Trigger::HalfTyped
        } else {
            Trigger::Typing
        }
    }

    /// The secret of the form that waits until the cursor leaves the field.
    pub fn withheld(&self) -> Option<FieldId> {
        let form = self.form.as_ref().filter(|_| self.is_editing())?;
        form.withheld(&self.catalog)
    }

    /// Whether a key that waits is tested once the cursor leaves its field: where the place has refused a call without
    /// one, on the person's wish alone.
    pub fn leaving_tests_key(&self) -> bool {
        self.form.as_ref().is_some_and(|form| {
            form.worth_of_test(&self.catalog, Trigger::Typing) != TestWorth::Nothing
        })
    }

    /// Whether a whole key is tested on the person's wish alone, as the place has refused a call without one.
    pub fn key_waits_for_accept(&self) -> bool {
        self.form.as_ref().is_some_and(|form| {
            form.probe == ProbeState::Idle
                && form.live.ran_bare
                && form.live.bare_refusal.is_some()
                && form.is_set(FieldId::Key)
                && form.is_set(FieldId::Username)
                && !form.key_waits_for_wish(&self.catalog)
                && !self.leaving_tests_key()
        })
    }

    /// `r`: on the person's wish.
    pub(super) fn probe_now(&mut self, out: &mut Effects) {
        if self.means_draft() {
            if let Some(form) = &mut self.form {
                form.url_edited = false;
                form.live.half_typed = None;
                // Whoever asks by name is asked again about a key that was held back.
                form.key_answer.take_if(|answer| !answer.allows);
            }
            self.settle_url(out);
            self.probe_draft(Trigger::Asked, out);
        } else if let Some(name) = self.list.selected.clone() {
            self.probe_saved(&name, Trigger::Asked, out);
        } else {
            self.complain("no connection is selected");
        }
    }

    /// Whether probes and their like mean what stands in the form.
    pub(super) fn means_draft(&self) -> bool {
        self.focus != Pane::List && self.visible_form().is_some()
    }

    pub(super) fn probe_saved(&mut self, name: &Name, trigger: Trigger, out: &mut Effects) {
        let generation = self.generation + 1;
        let Some(probe) = self.entries.probe(name) else {
            return;
        };
        self.generation = generation;
        *probe = ProbeState::Running {
            generation,
            checks: Box::default(),
        };
        out.push(Effect::Probe(ProbeEffect::Start {
            target: Target::Saved(name.clone()),
            generation,
            trigger,
            draft: None,
            origin_confirmed: false,
        }));
    }

    /// Probes what stands in the form. A key that was entered for another origin is asked about first, and
    /// left out where the answer was no.
    pub(super) fn probe_draft(&mut self, trigger: Trigger, out: &mut Effects) {
        let generation = self.generation + 1;
        let typing = trigger == Trigger::Typing;
        let withholds_token = typing && self.withheld() == Some(FieldId::Token);
        let Some(form) = &mut self.form else { return };
        form.due = None;
        if form.url_text().is_empty() {
            form.refresh_lamps();
            return;
        }
        if !trigger.withholds_secrets() {
            if form.must_ask_for_key() {
                let place = form.new_place();
                form.key_question = Some(trigger);
                return self.ask(Question::SendKeyTo(place));
            }
            form.bind_key();
        }
        let draft = form.draft_to_probe(trigger, withholds_token);
        if !trigger.withholds_secrets() && !withholds_token {
            form.live.half_typed = None;
        }
        form.live.changed_meanwhile = if withholds_token {
            ProbedPart::Token
        } else {
            ProbedPart::Nothing
        };
        form.live.ran_bare = draft.key_held_back
            || !form.is_set(FieldId::Key)
            || typing && form.key_waits_for_wish(&self.catalog);
        let origin_confirmed = !trigger.withholds_secrets() && form.key_is_agreed();
        form.probe = ProbeState::Running {
            generation,
            checks: Box::default(),
        };
        form.refresh_lamps();
        self.generation = generation;
        out.push(Effect::Probe(ProbeEffect::Start {
            target: Target::Draft,
            generation,
            trigger,
            draft: Some(Box::new(draft)),
            origin_confirmed,
        }));
    }

    /// The answer to "send the key to this host?".
    pub(super) fn key_answered(&mut self, allows: bool, out: &mut Effects) {
        let Some(form) = &mut self.form else { return };
        form.key_answer = form.origin().map(|origin| KeyAnswer { origin, allows });
        form.dirty |= form.key_goes_elsewhere();
        let save_waits = form
            .save_waits
            .take_if(|wait| *wait == SaveWait::KeyAnswer)
            .is_some();
        if let Some(trigger) = form.key_question.take() {
            self.probe_draft(trigger, out);
        }
        if save_waits && allows {
            let save = self.keymap.field_key(Action::Save).unwrap_or_default();
            self.say(format!(
                "not saved yet: it is tested there now; {save} saves it"
            ));
        } else if save_waits {
            self.complain_unsaved();
        }
    }

    pub(super) fn ask_bisect(&mut self) {
        if self.means_draft() {
            self.ask(Question::BisectDraft);
        } else if let Some(name) = self.list.selected.clone() {
            self.ask(Question::Bisect(name));
        } else {
            self.complain("no connection is selected");
        }
    }

    pub(super) fn resume(&mut self, out: &mut Effects) {
        if self.means_draft() {
            if let Some(form) = &self.form {
                out.push(Effect::Probe(ProbeEffect::ResumeDraft(Box::new(
                    form.draft_to_probe(Trigger::Asked, false),
                ))));
            }
        } else if let Some(name) = self.list.selected.clone() {
            out.push(Effect::Probe(ProbeEffect::Resume(name)));
        } else {
            self.complain("no connection is selected");
        }
    }

    pub(super) fn resumed(&mut self, name: &Name, out: &mut Effects) {
        self.say(format!(
            "{}: the key's pause is lifted",
            self.shown_name(name)
        ));
        self.probe_saved(name, Trigger::Asked, out);
        let url = self
            .entries
            .get(name)
            .map(|entry| entry.connection.url.clone());
        self.probe_paused_at(&url.unwrap_or_default(), out);
    }

    pub(super) fn draft_resumed(&mut self, out: &mut Effects) {
        self.say("the key's pause is lifted");
        self.probe_draft(Trigger::Asked, out);
        let url = self.form.as_ref().map(|form| form.url_text().to_owned());
        self.probe_paused_at(&url.unwrap_or_default(), out);
    }

    /// The pause of all keys at a host is lifted with that of one: those that it has stopped say so no longer.
    fn probe_paused_at(&mut self, url: &str, out: &mut Effects) {
        let Some(origin) = Origin::parse(url) else {
            return;
        };
        let paused = self.entries.values().filter(|entry| {
            let verdict = entry.verdict.as_ref();
            verdict.is_some_and(|verdict| verdict.reason == Reason::AuthPaused)
                && entry.probe == ProbeState::Idle
                && !entry.connection.paused
                && Origin::parse(&entry.connection.url).as_ref() == Some(&origin)
        });
        let names: Vec<_> = paused.map(|entry| entry.connection.name.clone()).collect();
        for name in names {
            self.probe_saved(&name, Trigger::Scheduled, out);
        }
    }

    pub(super) fn probe_progressed(
        &mut self,
        target: &Target,
        generation: u64,
        checks: Box<Checks>,
    ) {
        let Some(probe) = self.probe_of(target) else {
            return;
        };
        if probe.is_generation(generation) {
            *probe = ProbeState::Running { generation, checks };
            self.refresh_form_lamps();
        }
    }

    pub(super) fn probe_finished(&mut self, target: &Target, generation: u64, verdict: Verdict) {
        let Some(probe) = self.probe_of(target) else {
            return;
        };
        if !probe.is_generation(generation) {
            return;
        }
        *probe = ProbeState::Idle;
        match target {
            Target::Saved(name) => self.take_verdict(name, verdict),
            Target::Draft => self.take_draft_verdict(verdict),
        }
    }

    fn probe_of(&mut self, target: &Target) -> Option<&mut ProbeState> {
        match target {
            Target::Saved(name) => self.entries.probe(name),
            Target::Draft => Some(&mut self.form.as_mut()?.probe),
        }
    }

    fn refresh_form_lamps(&mut self) {
        if let Some(form) = &mut self.form {
            form.refresh_lamps();
        }
    }

    fn take_draft_verdict(&mut self, verdict: Verdict) {
        self.disguise.learn_verdict(&verdict);
        if let Some(form) = &mut self.form {
            form.take_verdict(verdict);
            self.response_scroll = 0;
        }
    }

    pub(super) fn watch_started(&mut self, name: &Name) {
        if let Some(probe) = self.entries.probe(name)
            && *probe == ProbeState::Idle
        {
            *probe = ProbeState::Watched;
        }
    }

    /// The watcher ends with its probes: nothing will be heard of those that run.
    pub(super) fn forget_watched_probes(&mut self) {
        for probe in self.entries.probes() {
            if *probe == ProbeState::Watched {
                *probe = ProbeState::Idle;
            }
        }
    }

    pub(super) fn watched(&mut self, verdict: Verdict) {
        let Some(name) = verdict.connection.clone() else {
            return;
        };
        if let Some(probe) = self.entries.probe(&name)
            && *probe == ProbeState::Watched
        {
            *probe = ProbeState::Idle;
        }
        self.take_verdict(&name, verdict);
    }

    /// Writes down what a probe of a saved connection found, and moves its row.
    pub(super) fn take_verdict(&mut self, name: &Name, verdict: Verdict) {
        self.disguise.learn_verdict(&verdict);
        let order = self.list.order;
        let before = self.entries.change(name, |entry| {
            let before = (SortKey::of(entry, order), entry.state());
            entry.take(verdict);
            before
        });
        let Some((before, state)) = before else {
            return;
        };
        self.replace_row(name, &before);
        self.board_heard(name, state);
    }
}

impl ProbeState {
    fn is_generation(&self, wanted: u64) -> bool {
        matches!(self, Self::Running { generation, .. } if *generation == wanted)
    }
}

impl ListedConnection {
    /// The lamp shows the last probe at once; `since` moves only with the state.
    fn take(&mut self, verdict: Verdict) {
        let before = self.verdict.as_ref().map(|verdict| verdict.state());
        let before = before.or(self.stood);
        if self.since.is_none() || before != Some(verdict.state()) {
            self.since = Some(verdict.at);
        }
        if self.strip.len() >= STRIP {
            self.strip.remove(0);
        }
        self.strip.push(verdict.state());
        self.verdict = Some(Box::new(verdict));
    }
}

impl Form {
    /// A key that was typed before there was a URL is meant for the first one that it is tested at.
    fn bind_key(&mut self) {
        if self.is_set(FieldId::Key) && self.key_origin.is_none() {
            self.key_origin = self.origin();
        }
    }

    /// What the question names: the new host, or the whole origin where only scheme or port are new.
    fn new_place(&self) -> String {
        let before = self.key_origin.as_ref().map(|origin| &origin.host);
        match self.origin() {
            Some(here) if Some(&here.host) == before => here.to_string(),
            here => here.map(|origin| origin.host).unwrap_or_default(),
        }
    }

    /// Whether the person agreed to send the key to the URL's origin.
    fn key_is_agreed(&self) -> bool {
        let here = self.origin();
        self.key_answer
            .as_ref()
            .is_some_and(|answer| answer.allows && Some(&answer.origin) == here.as_ref())
    }

    /// Whether the person agreed to send the key to another origin than it was entered for: kept by saving alone.
    pub(in crate::app) fn key_goes_elsewhere(&self) -> bool {
        self.key_is_agreed() && self.key_origin != self.origin()
    }

    /// What is handed to a probe: without the key where it may not be sent.
    fn draft_to_probe(&self, trigger: Trigger, withholds_token: bool) -> Draft {
        let (mut draft, _) = self.draft();
        let here = self.origin();
        let elsewhere = here.is_some() && draft.key_origin != here;
        let of_its_own = draft.connection.key.is_some() && draft.copies.is_none();
        let stored = of_its_own && !draft.key_changed;
        let typing = trigger.withholds_secrets();
        draft.key_held_back = draft.key.is_some() && (typing || elsewhere) || stored && typing;
        if typing {
            draft.key = None;
            draft.token = None;
        } else if elsewhere {
            draft.key = None;
        }
        if withholds_token {
            // As if it had been taken out: the stored one is not checked in its place.
            draft.token = None;
            draft.token_changed = true;
        }
        draft
    }
}
