//! Keys in the form: letters type, other keys go from field to field or do what they do outside at Alt.

use jiff::{SignedDuration, Timestamp};
use tui_input::InputRequest;

use super::{Effects, Model, after, editing_request};
use crate::app::clean;
use crate::app::draft::FieldId;
use crate::app::effect::{Effect, ProbeEffect, Target};
use crate::app::form::TEXT_LIMIT;
use crate::app::form::live::ProbedPart;
use crate::app::keymap::{Action, KeyPress};
use crate::app::model::{FieldText, Form, Pane, ProbeState};
use crate::app::notice::About;
use crate::domain::{Endpoint, ServiceId, UrlProblem};
use crate::service::catalog::format::Need;
use crate::service::{Trigger, hints};

/// From the last keystroke in a field to the test.
pub(super) const DEBOUNCE: SignedDuration = SignedDuration::from_millis(400);

/// Lines that the response moves by from a field: few enough that none is passed by in the smallest pane.
const RESPONSE_PAGE: isize = 5;

/// What the cursor does at the first and the last field.
#[derive(Clone, Copy, PartialEq, Eq)]
enum AtTheEnds {
    GoRound,
    Stop,
}

impl Model {
    pub(super) fn field_key(&mut self, press: KeyPress, out: &mut Effects) {
        match self.keymap.in_fields(press) {
            Some(action) => self.act_in_field(action, out),
            None => self.type_in_field(press, out),
        }
    }

    fn act_in_field(&mut self, action: Action, out: &mut Effects) {
        match action {
            Action::NextField => self.turn_field(1, AtTheEnds::GoRound, out),
            Action::PreviousField => self.turn_field(-1, AtTheEnds::GoRound, out),
            Action::FieldDown => self.turn_field(1, AtTheEnds::Stop, out),
            Action::FieldUp => self.turn_field(-1, AtTheEnds::Stop, out),
            Action::Accept => self.accept(out),
            Action::Leave => self.focus_on(Pane::List, out),
            Action::Undo => self.undo_paste(out),
            Action::ResponseUp => self.move_rows_of(Pane::Response, -RESPONSE_PAGE),
            Action::ResponseDown => self.move_rows_of(Pane::Response, RESPONSE_PAGE),
            other => self.act(other, out),
        }
    }

    /// Moves the cursor by `steps` fields.
    fn turn_field(&mut self, steps: isize, at_the_ends: AtTheEnds, out: &mut Effects) {
        let Some(form) = &self.form else { return };
        let count = form.shown_fields();
        let wanted = form.cursor.checked_add_signed(steps);
        let next = match wanted {
            Some(next) if next < count => next,
            _ if at_the_ends == AtTheEnds::Stop => return,
            Some(_) => 0,
            None => count - 1,
        };
        let id = form.fields[next].id;
        self.cursor_to(id, out);
    }

    /// Puts the cursor into the field `id`; the field that it leaves is settled.
    pub(super) fn cursor_to(&mut self, id: FieldId, out: &mut Effects) {
        let left = self.form.as_ref().map(Form::focused);
        if let Some(form) = &mut self.form {
            form.go_to(id);
        }
        match left {
            Some(left) if left == id => return,
            Some(FieldId::Url) => self.leave_url(out),
            Some(FieldId::Username) => self.leave_username(out),
            Some(FieldId::Key) => self.point_out_shape(),
            _ => {}
        }
        self.finish_typing();
    }

    /// What was typed letter by letter counts as whole now, and is tested with all that belongs to it.
    pub(super) fn finish_typing(&mut self) {
        let now = self.now;
        if let Some(form) = &mut self.form
            && form.live.half_typed.take().is_some()
        {
            form.due = Some(after(now, DEBOUNCE));
        }
    }

    /// Enter: test what is entered, on the person's wish, and go to the next field.
    fn accept(&mut self, out: &mut Effects) {
        if let Some(form) = &mut self.form {
            form.url_edited = false;
        }
        self.settle_url(out);
        self.turn_field(1, AtTheEnds::Stop, out);
        self.probe_draft(Trigger::Asked, out);
    }

    /// The cursor leaves the URL, or the whole form: from now on credentials may be tested there. Whether
    /// the key may go to a new origin is asked at once, on this very key, and not later while something
    /// else is being typed.
    pub(super) fn leave_url(&mut self, out: &mut Effects) {
        let Some(form) = self.form.as_mut().filter(|form| form.url_edited) else {
            return;
        };
        form.url_edited = false;
        self.settle_url(out);
        let now = self.now;
        let Some(form) = &mut self.form else { return };
        let service = self.catalog.get(&form.service());
        let goes_alone =
            service.is_some_and(|service| service.text().fields.username.need != Need::Required);
        let pair = form.is_set(FieldId::Key) && (goes_alone || form.is_set(FieldId::Username));
        if !(pair || form.is_set(FieldId::Token)) {
            return;
        }
        if form.must_ask_for_key() {
            self.probe_draft(Trigger::Typing, out);
        } else if form.due.is_none() {
            form.due = Some(after(now, DEBOUNCE));
        }
    }

    fn type_in_field(&mut self, press: KeyPress, out: &mut Effects) {
        let choices = self.choices();
        let Some(form) = self.form.as_mut().filter(|form| !form.saving) else {
            return;
        };
        let id = form.focused();
        let Some(request) = editing_request(press) else {
            return;
        };
        if form.secret(id).is_some_and(|field| field.refuses(request)) {
            let save = self.keymap.field_key(Action::Save).unwrap_or_default();
            return self.say(format!(
                "a new token stands here whole: {save} keeps it, Ctrl-U empties the field first"
            ));
        }
        let was_empty = form.secret_is_empty(id);
        let turned = form.turn_choice(id, request, &choices);
        if id.takes_only_choices() && !turned && changes_text(request) {
            return self.refuse_word(id, &choices);
        }
        if turned || form.type_request(id, request) {
            if turned {
                form.live.half_typed = None;
            } else {
                form.begin_typing(id);
            }
            form.key_changed(id, was_empty);
            self.edited(id, out);
        }
    }

    /// What was typed or pasted is none of the words that the field takes.
    pub(super) fn refuse_word(&mut self, id: FieldId, choices: &[String]) {
        let (label, words) = (id.label(), choices.join(", "));
        self.complain_about(
            About::Field(id),
            format!("{label} takes one of {words}: Space takes the next, a letter the one that begins with it"),
        );
    }

    /// The words that the field with the cursor takes, where it takes only some.
    pub fn choices(&self) -> Vec<String> {
        let owned = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
        match self.form.as_ref().map(Form::focused) {
            Some(FieldId::Service) => self.catalog.ids().map(ToString::to_string).collect(),
            Some(FieldId::Cms) => std::iter::once(String::new())
                .chain(self.catalog.cms().iter().map(|cms| cms.id.clone()))
                .collect(),
            Some(id) => owned(id.choices()),
            None => Vec::new(),
        }
    }

    /// The person changed the field `id`.
    pub(super) fn edited(&mut self, id: FieldId, out: &mut Effects) {
        let now = self.now;
        let Some(form) = &mut self.form else { return };
        form.shown = None;
        form.undo = None;
        self.unsay(About::Undo);
        self.unsay(About::Field(id));
        let Some(form) = &mut self.form else { return };
        match id {
            FieldId::Url => form.url_edited = true,
            FieldId::Service => form.service_chosen = true,
            FieldId::Name => form.name_chosen = !form.text(FieldId::Name).is_empty(),
            _ => {}
        }
        form.test_again(form.part_of(id), now, out);
        if matches!(id, FieldId::Url | FieldId::Username | FieldId::Service) {
            self.follow_url(out);
        }
        if let Some(form) = &mut self.form {
            form.dirty = !form.is_as_opened();
            if form.url_text().is_empty() {
                // What was found is of no place that stands here.
                form.verdict = None;
            }
            form.refresh_lamps();
        }
    }

    /// The service, the name and the hint follow URL and username, as long as nobody chose them.
    pub(super) fn follow_url(&mut self, out: &mut Effects) {
        let Some(form) = &self.form else { return };
        if !form.service_chosen {
            let usual = ServiceId::blesta();
            let username = form.text(FieldId::Username);
            let shown = hints::detect(&self.catalog, &usual, form.url_text(), username);
            let service = shown.unwrap_or(usual);
            if service != form.service() {
                self.turn_service(service.as_str(), out);
            }
        }
        self.follow_host();
        if let Some(form) = &mut self.form {
            form.hint = clean::url_hint(&self.catalog, &form.service(), form.url_text());
        }
    }

    fn turn_service(&mut self, service: &str, out: &mut Effects) {
        if let Some(form) = &mut self.form {
            form.set_text(FieldId::Service, service);
            // What was found out by the calls of the other service says nothing of this one.
            form.test_again(ProbedPart::Place, self.now, out);
        }
        let further = self.keymap.field_key(Action::Further).unwrap_or_default();
        self.say(format!(
            "the service is {service} now, going by URL and username; {further} has the field"
        ));
    }

    fn follow_host(&mut self) {
        let Some(form) = self.form.as_ref().filter(|form| !form.name_chosen) else {
            return;
        };
        let host = Endpoint::parse(form.url_text()).map(|endpoint| endpoint.host());
        let name = host.map_or_else(|_| String::new(), |host| self.free_name(&host).to_string());
        if let Some(form) = &mut self.form {
            form.set_text(FieldId::Name, &name);
        }
    }

    /// A username or password in the URL is moved to its field, and said.
    pub(super) fn settle_url(&mut self, out: &mut Effects) -> bool {
        let Some(form) = &mut self.form else {
            return false;
        };
        let Err(UrlProblem::UserInfo {
            username,
            password,
            rest,
        }) = Endpoint::parse(form.url_text())
        else {
            return false;
        };
        let shown = Endpoint::parse(&rest).map_or(rest, |endpoint| endpoint.shown());
        form.set_text(FieldId::Url, &shown);
        form.dirty = true;
        if !username.is_empty() {
            form.set_text(FieldId::Username, &username);
        }
        let words = match password {
            Some(password) => {
                form.put_secret(FieldId::Key, password);
                if username.is_empty() {
                    "the password"
                } else {
                    "username and password"
                }
            }
            None => "the username",
        };
        self.follow_url(out);
        if let Some(form) = &mut self.form {
            form.refresh_lamps();
        }
        self.say(format!("{words} moved from the URL to the fields for them"));
        true
    }

    /// Puts a corrected URL into the form, to be tested on the person's wish.
    pub(super) fn put_url(&mut self, url: &str, out: &mut Effects) {
        if let Some(form) = &mut self.form {
            form.set_text(FieldId::Url, url);
            form.go_to(FieldId::Url);
        }
        self.edited(FieldId::Url, out);
        if let Some(form) = &mut self.form {
            form.url_edited = false;
        }
        self.probe_draft(Trigger::Asked, out);
    }
}

/// Whether a field's text would be another after it.
const fn changes_text(request: InputRequest) -> bool {
    match request {
        InputRequest::SetCursor(_)
        | InputRequest::GoToPrevChar
        | InputRequest::GoToNextChar
        | InputRequest::GoToPrevWord
        | InputRequest::GoToNextWord
        | InputRequest::GoToStart
        | InputRequest::GoToEnd => false,
        InputRequest::InsertChar(_)
        | InputRequest::DeletePrevChar
        | InputRequest::DeleteNextChar
        | InputRequest::DeletePrevWord
        | InputRequest::DeleteNextWord
        | InputRequest::DeleteLine
        | InputRequest::DeleteTillEnd
        | InputRequest::DeleteFromStart
        | InputRequest::Yank => true,
    }
}

impl Form {
    /// A part of what is probed was changed: it is tested once typing rests, and a probe that is spoiled by it ends.
    pub(super) fn test_again(&mut self, part: ProbedPart, now: Timestamp, out: &mut Effects) {
        if part == ProbedPart::Nothing {
            return;
        }
        self.due = Some(after(now, DEBOUNCE));
        if self.live.was_changed(part) && std::mem::take(&mut self.probe) != ProbeState::Idle {
            out.push(Effect::Probe(ProbeEffect::Cancel(Target::Draft)));
        }
    }

    /// Puts the next of `choices` into the field `id`, where there are any: by the space bar, or where it takes nothing
    /// else, by the letter that one begins with.
    fn turn_choice(&mut self, id: FieldId, request: InputRequest, choices: &[String]) -> bool {
        let InputRequest::InsertChar(letter) = request else {
            return false;
        };
        let begins = |word: &&String| word.chars().next() == letter.to_lowercase().next();
        let meant = |word: &&String| letter == ' ' || id.takes_only_choices() && begins(word);
        let now = choices.iter().position(|word| word == self.text(id));
        let (before, after) = choices.split_at(now.map_or(0, |at| at + 1));
        let Some(word) = after.iter().chain(before).find(meant) else {
            return false;
        };
        self.set_text(id, word);
        true
    }

    /// Carries out `request` in the field `id`; whether its text was changed.
    fn type_request(&mut self, id: FieldId, request: InputRequest) -> bool {
        match &mut self.field_mut(id).text {
            FieldText::Secret(field) => field.handle(request),
            FieldText::Plain(input) => {
                let full = input.value().chars().count() >= TEXT_LIMIT;
                if full && matches!(request, InputRequest::InsertChar(_)) {
                    return false;
                }
                input.handle(request).is_some_and(|changed| changed.value)
            }
        }
    }

    /// Replaces a secret field's content as if it had been typed.
    pub(super) fn put_secret(&mut self, id: FieldId, secret: crate::domain::Secret) {
        if let Some(field) = self.secret_mut(id) {
            field.replace(secret);
        }
        if id == FieldId::Key {
            self.key_entered();
        }
    }

    /// The field `id` was changed by typing or by a paste at the cursor. A key that was begun anew is meant
    /// for the URL as it stands; one of which a part was changed belongs where it did.
    pub(super) fn key_changed(&mut self, id: FieldId, was_empty: bool) {
        if id == FieldId::Key && (was_empty || self.secret_is_empty(id)) {
            self.key_entered();
        }
    }

    /// Whether nothing stands in the secret field `id`.
    pub(super) fn secret_is_empty(&self, id: FieldId) -> bool {
        self.secret(id).is_some_and(|field| field.value.is_empty())
    }

    /// The key was entered whole: it is meant for the URL as it stands.
    pub(super) fn key_entered(&mut self) {
        self.key_origin = self.origin();
        self.key_answer = None;
    }

    /// Whether the key was entered for another origin than the URL's, and nobody said yet whether it may go
    /// to this one.
    pub(super) fn must_ask_for_key(&self) -> bool {
        let (Some(here), Some(entered)) = (self.origin(), &self.key_origin) else {
            return false;
        };
        let answered = self
            .key_answer
            .as_ref()
            .is_some_and(|answer| answer.origin == here);
        self.is_set(FieldId::Key) && here != *entered && !answered
    }
}
