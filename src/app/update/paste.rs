//! Pastes: cleaned visibly, said in the footer, and taken back by Ctrl-Z.

use tui_input::{Input, InputRequest};

use super::{Effects, Model};
use crate::app::clean;
use crate::app::draft::FieldId;
use crate::app::form::TEXT_LIMIT;
use crate::app::form::live::ProbedPart;
use crate::app::keymap::Action;
use crate::app::model::{FieldText, Form, Overlay, Undo};
use crate::app::notice::About;
use crate::app::secret_field;
use crate::domain::{Origin, Secret, shape};
use crate::service::hints::{self, Command, KeyPaste};

/// A paste over so many bytes is none that was meant: the wrong thing was in the clipboard.
const LONGEST: usize = 64 * 1024;
pub(super) const TOO_LONG: &str =
    "the paste is longer than anything that belongs here: nothing of it was taken";

const UNCLEAR: &str =
    "several lines or values, and it is not clear which is what: paste each into its field";

impl Model {
    /// A paste into an open line.
    pub(super) fn paste_text(&mut self, pasted: &str, out: &mut Effects) {
        self.last_input = self.now;
        if pasted.len() > LONGEST {
            return self.complain(TOO_LONG);
        }
        if self.takes_secret() {
            return self.paste_secret(Secret::new(pasted), out);
        }
        if self.overlay.is_none() && self.tokens_paste(pasted) {
            return;
        }
        let cleaned = hints::clean_text(pasted);
        if let Some(input) = self.open_line() {
            insert(input, &cleaned.value);
            self.say_cleaned(&cleaned.notes);
            if self.list.filtering {
                self.refilter();
            }
        } else if self.overlay.is_none() && self.is_editing() {
            self.paste_in_field(pasted, out);
        } else if self.overlay.is_none() {
            let key = self.keymap.list_key(Action::New).unwrap_or_default();
            self.say(format!(
                "a paste belongs in a field: {key} opens an empty form"
            ));
        }
    }

    /// Nothing is changed silently.
    pub(super) fn say_cleaned(&mut self, notes: &[String]) {
        if !notes.is_empty() {
            self.say(notes.join("; "));
        }
    }

    /// A paste into a secret field.
    pub(super) fn paste_secret(&mut self, pasted: Secret, out: &mut Effects) {
        self.last_input = self.now;
        if pasted.length() > LONGEST {
            return self.complain(TOO_LONG);
        }
        if self.paste_in_dialog(&pasted) || self.overlay.is_some() || !self.is_editing() {
            return;
        }
        let Some(form) = self.form.as_mut().filter(|form| !form.saving) else {
            return;
        };
        let id = form.focused();
        if !id.is_secret() {
            // The cursor has moved on since the loop asked: a secret is not put where it can be read.
            return self.complain("the paste was dropped: the cursor had left the secret field");
        }
        let cleaned = if id == FieldId::Key {
            match clean::read_key(&self.catalog, &form.service(), &pasted) {
                KeyPaste::Secret(cleaned) => cleaned,
                KeyPaste::Entry(command) => return self.paste_command(id, command, out),
                KeyPaste::Unclear => return self.complain(UNCLEAR),
            }
        } else {
            hints::clean_whole(&pasted)
        };
        let changed = cleaned.username.is_some() || !cleaned.notes.is_empty();
        let kept = form.secret(id).filter(|_| !changed);
        let before = kept.map_or(0, |field| field.value.length());
        if before + cleaned.value.length() > secret_field::LIMIT {
            return self.complain(TOO_LONG);
        }
        let mut undo = Undo::of_secret(form, id, &pasted);
        if let Some(username) = &cleaned.username {
            undo.remember(form, &[FieldId::Username]);
            form.set_text(FieldId::Username, username);
        }
        let was_empty = form.secret_is_empty(id);
        if let Some(field) = form.secret_mut(id) {
            if changed {
                field.replace(cleaned.value);
            } else {
                field.insert(&cleaned.value);
            }
        }
        form.key_changed(id, was_empty || changed);
        self.pasted(undo, cleaned.notes, out);
    }

    fn paste_in_field(&mut self, pasted: &str, out: &mut Effects) {
        let Some(form) = self.form.as_mut().filter(|form| !form.saving) else {
            return;
        };
        let id = form.focused();
        if matches!(id, FieldId::Url | FieldId::Username) {
            let service = form.service();
            let command = clean::command(&self.catalog, &service, pasted);
            let is_curl = command.as_ref().is_some_and(|command| command.is_curl);
            let is_pair = id == FieldId::Username && pasted.contains(':') && !is_curl;
            if is_pair && !clean::is_entry(&self.catalog, &service, pasted) {
                return self.paste_pair(pasted, out);
            }
            if let Some(command) = command {
                return self.paste_command(id, command, out);
            }
            if clean::hides_key(&self.catalog, &service, pasted) {
                // Glued together, a key among them would stand in the open, and be looked up as a host.
                return self.complain(UNCLEAR);
            }
        }
        let cleaned = hints::clean_text(pasted);
        if id.takes_only_choices() {
            return self.paste_choice(id, &cleaned.value, out);
        }
        let mut notes = cleaned.notes;
        let mut undo = Undo::of_text(form, id, pasted);
        let before = form.field(id).text.clone();
        if let FieldText::Plain(input) = &mut form.field_mut(id).text
            && !insert(input, &cleaned.value)
        {
            notes.push(format!("what is over {TEXT_LIMIT} characters was left out"));
        }
        if id == FieldId::Url {
            undo.remember(form, &[FieldId::Username, FieldId::Key]);
            if self.settle_url(out) {
                // Once more in the URL they would be moved again as soon as typing rests.
                undo.raw = before;
                undo.whole = true;
                notes.push("username and password moved from the URL to their fields".to_owned());
            }
        }
        self.pasted(undo, notes, out);
    }

    /// A word into a field that takes only some.
    fn paste_choice(&mut self, id: FieldId, pasted: &str, out: &mut Effects) {
        let choices = self.choices();
        let is_meant = |word: &&String| word.eq_ignore_ascii_case(pasted);
        let (Some(word), Some(form)) = (choices.iter().find(is_meant), &mut self.form) else {
            return self.refuse_word(id, &choices);
        };
        form.set_text(id, word);
        self.edited(id, out);
    }

    /// A curl command from a manual, or an entry of a password manager, into the field `id`: each part goes where it
    /// belongs.
    fn paste_command(&mut self, id: FieldId, command: Command, out: &mut Effects) {
        let Some(form) = &mut self.form else { return };
        // Not as it came: it may hold a key.
        let mut undo = Undo::with(form, id, form.field(id).text.clone());
        undo.whole = true;
        undo.remember(form, &[FieldId::Url, FieldId::Username, FieldId::Key]);
        let mut notes = command.notes;
        // The key of a command is for the place that it asks; the path there is none that was typed here.
        let is_there = |url: &String| {
            let there = Origin::parse(url).filter(|_| id != FieldId::Url);
            there.is_some() && there == form.origin()
        };
        let is_bare = command.url.is_none() && command.credentials.is_none();
        let url = command.url.filter(|url| !is_there(url));
        if url.is_some() {
            form.test_again(ProbedPart::Place, self.now, out);
        }
        match (url, command.is_curl) {
            (Some(url), is_curl) => {
                form.set_text(FieldId::Url, &url);
                if is_curl {
                    notes.push("the URL was taken out of the curl command".to_owned());
                }
            }
            (None, true) if is_bare => {
                notes.push("a curl command without a URL: nothing stays of it here".to_owned());
            }
            (None, _) => {}
        }
        if let Some(credentials) = command.credentials {
            if let Some(username) = &credentials.username {
                form.set_text(FieldId::Username, username);
            }
            if !credentials.value.is_empty() {
                form.put_secret(FieldId::Key, credentials.value);
            }
            notes.extend(credentials.notes);
        }
        if self.settle_url(out) {
            notes.push("username and password moved from the URL to their fields".to_owned());
        }
        self.pasted(undo, notes, out);
    }

    /// A whole pair (`user:key`, `ApiKey SU-…:…`) into the username's field: it is divided.
    fn paste_pair(&mut self, pasted: &str, out: &mut Effects) {
        let Some(form) = &mut self.form else { return };
        let id = FieldId::Username;
        let secret = Secret::new(pasted);
        let mut undo = Undo::of_text(form, id, pasted);
        undo.remember(form, &[FieldId::Key]);
        let cleaned = clean::clean_key(&self.catalog, &form.service(), &secret);
        let notes = if let Some(username) = cleaned.username {
            form.set_text(id, &username);
            form.put_secret(FieldId::Key, cleaned.value);
            cleaned.notes
        } else {
            let cleaned = hints::clean_text(pasted);
            if let FieldText::Plain(input) = &mut form.field_mut(id).text {
                insert(input, &cleaned.value);
            }
            cleaned.notes
        };
        self.pasted(undo, notes, out);
    }

    /// The cursor leaves the user name: a whole pair that was typed there is divided, where no key stands in its way.
    pub(super) fn leave_username(&mut self, out: &mut Effects) {
        let id = FieldId::Username;
        let Some(form) = self.form.as_mut().filter(|form| !form.saving) else {
            return;
        };
        let typed = form.text(id);
        let may_move = form.secret_is_empty(FieldId::Key) && shape::username_holds_secret(typed);
        let cleaned = may_move
            .then(|| clean::clean_key(&self.catalog, &form.service(), &Secret::new(typed)))
            .filter(|cleaned| cleaned.username.is_some());
        let Some(cleaned) = cleaned else {
            return self.point_out_shape();
        };
        form.set_text(id, cleaned.username.as_deref().unwrap_or_default());
        form.put_secret(FieldId::Key, cleaned.value);
        self.edited(id, out);
        self.say(cleaned.notes.join("; "));
    }

    /// What every paste into the form ends with: it counts as typed, and what was cleaned is said.
    fn pasted(&mut self, undo: Undo, mut notes: Vec<String>, out: &mut Effects) {
        let service = self.form.as_ref().map(Form::service);
        if let Some(form) = &mut self.form {
            form.live.half_typed = None;
        }
        self.edited(undo.field, out);
        self.follow_url(out);
        let turned = self.form.as_ref().map(Form::service);
        if let Some(turned) = turned.filter(|_| !notes.is_empty())
            && service.as_ref() != Some(&turned)
        {
            notes.push(format!("the service is {turned}"));
        }
        if notes.is_empty() {
            return self.point_out_shape();
        }
        if let Some(form) = &mut self.form {
            form.undo = Some(undo);
        }
        let key = self.keymap.field_key(Action::Undo);
        let back = key.map(|key| format!("; {key} takes it back"));
        let said = format!("{}{}", notes.join("; "), back.unwrap_or_default());
        self.say_about(About::Undo, said);
    }

    /// Says what is odd about the pair: a warning, never a refusal.
    pub(super) fn point_out_shape(&mut self) {
        let Some(form) = &self.form else { return };
        let Some(key) = form.secret(FieldId::Key).filter(|field| field.touched) else {
            return;
        };
        if key.value.is_empty() {
            return;
        }
        let username = form.text(FieldId::Username).trim();
        if let Some(odd) = clean::odd_shape(&self.catalog, &form.service(), username, &key.value) {
            self.say(odd);
        }
    }

    /// Ctrl-Z: the paste as it came.
    pub(super) fn undo_paste(&mut self, out: &mut Effects) {
        let now = self.now;
        let Some(form) = self.form.as_mut().filter(|form| !form.saving) else {
            return;
        };
        let Some(undo) = form.undo.take() else {
            return self.complain("there is no cleaned paste to take back");
        };
        form.key_origin = undo.key_origin;
        form.key_answer = None;
        for (id, text) in undo.others {
            // A probe of what was pasted there must not speak about what stood there before.
            form.test_again(id.part(), now, out);
            form.field_mut(id).text = text;
        }
        form.field_mut(undo.field).text = undo.raw;
        // It is there to be worked on.
        form.begin_typing(undo.field);
        self.edited(undo.field, out);
        // The service and the name have followed what was pasted.
        self.follow_url(out);
        self.say(if undo.whole {
            "the paste is taken back"
        } else {
            "the paste is back as it came"
        });
    }

    /// The open line of an overlay or the filter that has the cursor.
    fn open_line(&mut self) -> Option<&mut Input> {
        match &mut self.overlay {
            Some(Overlay::Palette { input, row }) => {
                *row = 0;
                Some(input)
            }
            Some(Overlay::AddToken(dialog)) if !dialog.on_value && !dialog.busy => {
                Some(&mut dialog.label)
            }
            Some(Overlay::Watching(overlay)) => overlay.line(),
            Some(
                Overlay::AddToken(_)
                | Overlay::Passphrase(_)
                | Overlay::Help { .. }
                | Overlay::Confirm(_)
                | Overlay::ChooseStore { .. }
                | Overlay::CopyAs { .. }
                | Overlay::SharedToken(_),
            ) => None,
            None => self.list.filtering.then_some(&mut self.list.filter),
        }
    }
}

impl Undo {
    /// What Ctrl-Z brings back after `pasted` was cleaned into the field `id`.
    fn of_secret(form: &Form, id: FieldId, pasted: &Secret) -> Self {
        let mut raw = form.field(id).text.clone();
        if let FieldText::Secret(field) = &mut raw {
            field.insert(&pasted.without_controls());
        }
        Self::with(form, id, raw)
    }

    /// The same for an open field.
    fn of_text(form: &Form, id: FieldId, pasted: &str) -> Self {
        let mut raw = form.field(id).text.clone();
        if let FieldText::Plain(input) = &mut raw {
            insert(input, pasted);
        }
        Self::with(form, id, raw)
    }

    fn with(form: &Form, field: FieldId, raw: FieldText) -> Self {
        let begun = field == FieldId::Key && form.secret_is_empty(field);
        Self {
            field,
            raw,
            others: Vec::new(),
            key_origin: if begun {
                form.origin()
            } else {
                form.key_origin.clone()
            },
            whole: false,
        }
    }

    fn remember(&mut self, form: &Form, ids: &[FieldId]) {
        for id in ids {
            self.others.push((*id, form.field(*id).text.clone()));
        }
    }
}

/// Puts `text` in at the cursor as far as there is room; whether there was.
fn insert(input: &mut Input, text: &str) -> bool {
    let room = TEXT_LIMIT.saturating_sub(input.value().chars().count());
    let mut letters = text.chars().filter(|c| !c.is_control());
    for c in letters.by_ref().take(room) {
        input.handle(InputRequest::InsertChar(c));
    }
    letters.next().is_none()
}
