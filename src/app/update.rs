//! `update`: what every message does to the model, and what it asks of the world.
//!
//! This file hands each message to its area; the areas are the files beside it.

mod clock;
mod configuration;
mod dialogs;
mod editing;
mod escape;
mod forms;
mod handles;
mod headers;
mod leaving;
mod mouse;
mod navigation;
mod overlays;
mod paste;
mod place;
mod probes;
mod saving;
mod shared_token;
mod tokens;
mod unlocking;

use std::borrow::Cow;

use crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use jiff::{SignedDuration, Timestamp};
use tui_input::InputRequest;

use super::effect::{ClipboardEffect, Effect, ScreenEnd, TerminalEffect};
use super::keymap::{Action, KeyPress};
use super::message::{
    ClipboardMessage, Message, ProbeMessage, SecretInput, SharedTokenMessage, StoreMessage,
    VaultMessage,
};
use super::model::{Model, Overlay, Pane, PendingUnlock, Question};
use super::notice::{About, Notice};
use crate::domain::text::inert;
use handles::FORGOTTEN;

/// Effects on their way out.
type Effects = Vec<Effect>;

/// How long a sentence stays in the footer.
const NOTICE: SignedDuration = SignedDuration::from_secs(8);

impl Model {
    /// What is asked of the world at start.
    pub fn start(&self) -> Vec<Effect> {
        vec![Effect::LoadConfiguration]
    }

    /// Takes in that `message` happened at `now`; what is to be done outside comes back.
    pub fn update(&mut self, now: Timestamp, message: Message) -> Vec<Effect> {
        self.tell_time(now);
        let place = self.key_place();
        let was_away = self.has_lost_while_away();
        let mut out = Effects::new();
        match message {
            Message::Key(key) | Message::SecretInput(SecretInput::Key(key)) => {
                self.key(key, &mut out);
            }
            Message::SecretInput(SecretInput::Paste(secret)) => self.paste_secret(secret, &mut out),
            Message::Pasted(text) => self.paste_text(&text, &mut out),
            Message::Mouse(event, pane) => self.mouse_event(event, pane),
            Message::Clicked(pane, row) => self.clicked(pane, row, &mut out),
            Message::Resized(columns, rows) => {
                self.size = (columns, rows);
                self.show_selection();
            }
            Message::Measured(last) => self.measured(last),
            Message::Woke => self.elapse(&mut out),
            Message::ConfigurationLoaded(loaded) => self.configuration_loaded(*loaded, &mut out),
            Message::ConfigurationFailed(why) => self.configuration_failed(&why, &mut out),
            Message::Probe(message) => self.probe_answered(message, &mut out),
            Message::Store(message) => self.store_answered(message, &mut out),
            Message::Vault(message) => self.vault_answered(message, &mut out),
            Message::SharedToken(message) => self.shared_token_answered(message, &mut out),
            Message::Revealed { name, slot, result } => self.revealed(name, slot, result),
            Message::Clipboard(message) => self.clipboard_answered(message, &mut out),
            Message::Tokens(message) => self.tokens_answered(message, &mut out),
            Message::Watching(message) => self.watching_answered(message, &mut out),
            Message::Noticed(text) => self.noticed(&text),
            Message::EndRequested(end) => self.end(end, &mut out),
            Message::StopRequested => self.suspend(&mut out),
        }
        self.tokens_settle(&mut out);
        self.copy_as_settle();
        self.tend_board(&mut out);
        self.make_room_for_keys(place);
        if was_away && self.last_input == now && self.lock.is_locked() {
            // What was said at the time was said to nobody.
            self.say_about(About::Lock, FORGOTTEN);
        }
        out
    }

    fn probe_answered(&mut self, message: ProbeMessage, out: &mut Effects) {
        match message {
            ProbeMessage::Progressed {
                target,
                generation,
                checks,
            } => self.probe_progressed(&target, generation, checks),
            ProbeMessage::Finished {
                target,
                generation,
                verdict,
            } => self.probe_finished(&target, generation, *verdict),
            ProbeMessage::WatchStarted(name) => self.watch_started(&name),
            ProbeMessage::Watched(verdict) => self.watched(*verdict),
            ProbeMessage::Resumed(name) => self.resumed(&name, out),
            ProbeMessage::DraftResumed => self.draft_resumed(out),
        }
    }

    fn store_answered(&mut self, message: StoreMessage, out: &mut Effects) {
        match message {
            StoreMessage::SecretsLoaded {
                name,
                key,
                key_origin,
                token,
            } => self.secrets_loaded(&name, (key, key_origin), token, out),
            StoreMessage::HandlesDated(dates) => self.dates = dates,
            StoreMessage::Saved(connection, left) => self.saved(*connection, left, out),
            StoreMessage::SaveFailed(why) => self.save_failed(&why),
            StoreMessage::StoreNeeded(offers) => self.store_needed(offers),
            StoreMessage::Removed(name, left) => self.removed(&name, left, out),
            StoreMessage::RemoveFailed(why) => {
                self.removing = None;
                self.complain(format!("not removed: {why}"));
            }
            StoreMessage::TokenAdded(connection) => self.token_added(*connection, out),
            StoreMessage::TokenAddFailed(why) => self.token_add_failed(&why),
            StoreMessage::TokenRemoved {
                connection,
                label,
                left_behind,
            } => self.token_removed(*connection, &label, left_behind),
        }
    }

    fn vault_answered(&mut self, message: VaultMessage, out: &mut Effects) {
        match message {
            VaultMessage::PassphraseNeeded(kind) => self.passphrase_needed(kind),
            VaultMessage::Unlocked => self.unlocked(out),
            VaultMessage::UnlockFailed(why) => self.unlock_failed(&why, out),
            VaultMessage::Locked => self.found_locked(),
            VaultMessage::Forgot => self.forgot(),
            VaultMessage::LockRequested => self.lock_now(out),
        }
    }

    fn shared_token_answered(&mut self, message: SharedTokenMessage, out: &mut Effects) {
        match message {
            SharedTokenMessage::Made(name, made) => self.shared_token_made(&name, made, out),
            SharedTokenMessage::Checked(name, verdict) => {
                self.shared_token_checked(&name, &verdict, out);
            }
        }
    }

    fn clipboard_answered(&mut self, message: ClipboardMessage, out: &mut Effects) {
        match message {
            ClipboardMessage::Copied(copied) => self.copied(copied, out),
            ClipboardMessage::Announced { less, more } => self.clipboard_announced(less, more),
            ClipboardMessage::Cleared(words) => self.clipboard_cleared(&words),
        }
    }

    fn key(&mut self, key: KeyEvent, out: &mut Effects) {
        if key.kind == KeyEventKind::Release {
            return;
        }
        self.last_input = self.now;
        let press = KeyPress::of(key);
        let interrupt = KeyPress {
            code: KeyCode::Char('c'),
            modifiers: KeyModifiers::CONTROL,
        };
        if self.repeats_answer(press) {
            return;
        }
        if press == interrupt && self.keymap.in_lists(press) == Some(Action::Quit) {
            self.act(Action::Quit, out);
        } else if !press.types() && self.keymap.in_lists(press) == Some(Action::Redraw) {
            // Whatever takes the keys: nothing that is shown is another by that.
            self.act(Action::Redraw, out);
        } else if let Some(meant) = self.with_alt(press) {
            self.key_with_alt(meant, out);
        } else if self.suspends(press) {
            self.suspend(out);
        } else if self.locks_over_what_is_open(press) {
            self.lock_over_what_is_open(out);
        } else if self.overlay.is_some() {
            self.overlay_key(press, out);
        } else if self.tokens_key(press, out) {
        } else if self.list.filtering {
            self.filter_key(press, out);
        } else if self.is_editing() {
            self.field_key(press, out);
        } else if let Some(action) = self.keymap.in_lists(press) {
            self.act(action, out);
        }
    }

    /// Does what a key or a row of the palette means.
    pub(super) fn act(&mut self, action: Action, out: &mut Effects) {
        use Action::{
            Accept, Back, Down, Events, Expiries, FieldDown, FieldUp, Filter, First, Fold, Further,
            GroupByTag, Help, Last, Leave, LoadTokens, Maintenance, NewToken, NextField, NextPane,
            Open, PageDown, PageUp, Palette, PauseConnection, PreviousField, PreviousPane,
            RenewToken, ResponseDown, ResponseUp, RotateToken, SecondOpinion, SwitchToken,
            TokenGroup, Undo, Up, WatchTable, Zoom,
        };
        if self.means_none(action) {
            return self.complain_about(About::Selection, self.nothing_selected());
        }
        if self.tokens_act(action, out) {
            return;
        }
        if action.needs_panes() {
            self.close_board();
        }
        match action {
            Action::New
            | Action::Edit
            | Action::Clone
            | Action::UseUrl
            | Action::UseHeaders
            | Action::DiscardDraft => self.form_action(action, out),
            Action::Save => self.save(out),
            Action::Delete => self.ask_remove(),
            Action::Probe => self.probe_now(out),
            Action::Bisect => self.ask_bisect(),
            Action::Resume => self.resume(out),
            Action::Pause => self.pause(out),
            Action::Reveal => self.reveal(out),
            Action::Copy | Action::CopyAs | Action::CopySnippet | Action::ClearClipboard => {
                self.copy_action(action, out);
            }
            Action::AddToken => self.open_add_token(),
            Action::SharedToken => self.open_shared_token(),
            Action::Ticket => self.copy_ticket(out),
            Action::Demo | Action::Import => self.leave_for(action, out),
            Action::Lock => self.lock_or_unlock(out),
            Action::Quit => self.quit(out),
            Action::Suspend => self.suspend(out),
            Action::Redraw => out.push(Effect::Terminal(TerminalEffect::Redraw)),
            Action::Mouse => self.switch_mouse(out),
            Action::Order if self.board.is_open() => self.next_table_order(out),
            Action::Order => self.next_order(out),
            Action::WarRoom => self.switch_war_room(out),
            WatchTable | GroupByTag | Fold | Events | PauseConnection | Maintenance
            | SecondOpinion => self.watching_action(action, out),
            Up | Down | PageUp | PageDown | First | Last | NextPane | PreviousPane | Open
            | Back | Zoom | Filter | Palette | Help | Further => self.navigate(action, out),
            // Those of tokens were taken above, those of fields are taken where something is typed.
            LoadTokens | NewToken | SwitchToken | RenewToken | RotateToken | TokenGroup
            | Expiries | NextField | PreviousField | FieldUp | FieldDown | Accept | Leave
            | Undo | ResponseUp | ResponseDown => {}
        }
    }

    /// Whether `action` is about one connection, and a heading is marked, or what was selected has left by itself.
    fn means_none(&self, action: Action) -> bool {
        action.is_of_one()
            && self.visible_form().is_none()
            && self.tokens.sheets.is_empty()
            && (self.list.lost.is_some() || !self.means_row())
    }

    /// Everything that was due by now.
    fn elapse(&mut self, out: &mut Effects) {
        let now = self.now;
        let over = |until: Timestamp| until <= now;
        self.revealed.take_if(|revealed| over(revealed.until));
        if self
            .notice
            .as_ref()
            .is_some_and(|notice| over(notice.until))
        {
            self.notice = None;
        }
        let clears_at = self.copied.as_ref().and_then(|copied| copied.clears_at);
        if clears_at.is_some_and(over) {
            self.copied = None;
            out.push(Effect::Clipboard(ClipboardEffect::Clear));
        }
        if let Some(form) = &mut self.form
            && form.shown.is_some_and(|shown| over(shown.until))
        {
            form.shown = None;
        }
        if self
            .form
            .as_ref()
            .is_some_and(|form| form.due.is_some_and(over))
        {
            self.typing_rested(out);
        }
        self.tokens_elapse();
        self.notify_where_due(out);
        if self.idle_lock_at().is_some_and(over) {
            self.lock_now(out);
        }
    }

    fn quit(&mut self, out: &mut Effects) {
        match self.overlay.take() {
            Some(Overlay::AddToken(dialog)) => self.adding = Some(dialog),
            Some(Overlay::Passphrase(_) | Overlay::ChooseStore { .. }) => self.dialog_cancelled(),
            None
            | Some(
                Overlay::Help { .. }
                | Overlay::Palette { .. }
                | Overlay::Confirm(_)
                | Overlay::CopyAs { .. }
                | Overlay::SharedToken(_)
                | Overlay::Watching(_),
            ) => {}
        }
        if self.tokens.is_under_way() {
            self.ask(Question::QuitUnderWay);
        } else if self.holds_unsaved() {
            self.ask(Question::QuitUnsaved);
        } else {
            self.end(ScreenEnd::Quit, out);
        }
    }

    fn end(&mut self, end: ScreenEnd, out: &mut Effects) {
        self.hide_secrets();
        if self
            .copied
            .take()
            .is_some_and(|copied| copied.clears_at.is_some())
        {
            out.push(Effect::Clipboard(ClipboardEffect::Clear));
        }
        out.push(Effect::Terminal(TerminalEffect::End(end)));
    }

    /// Whether leaving would lose something that was typed.
    fn holds_unsaved(&self) -> bool {
        self.unsaved().is_some()
    }

    /// What is lost with the screen, one sentence without anything that was typed; nothing where that is nothing. For
    /// an end at which nobody can be asked.
    pub fn unsaved(&self) -> Option<&'static str> {
        match self.form.as_ref().filter(|form| form.dirty) {
            Some(form) if form.editing.is_some() => {
                Some("what was changed of a connection was not saved, and is lost")
            }
            Some(_) => Some("a new connection was not saved, and is lost"),
            None if self.holds_typed_token() => {
                Some("a token that was typed was not kept, and is lost")
            }
            None if self.tokens.holds_unsaved() => {
                Some("what was entered for a token was not sent, or is kept nowhere, and is lost")
            }
            None => None,
        }
    }

    /// Whether a further token was typed that is kept nowhere yet.
    fn holds_typed_token(&self) -> bool {
        let token = self.adding.as_ref().or(match &self.overlay {
            Some(Overlay::AddToken(dialog)) => Some(dialog),
            _ => None,
        });
        token.is_some_and(|dialog| !dialog.value.value.is_empty())
    }

    /// Something to say; also how a copy says that it failed.
    fn noticed(&mut self, text: &str) {
        self.waiting
            .take_if(|waiting| matches!(waiting, PendingUnlock::Copy(..)));
        self.say(text);
    }

    /// Says `text` at the right of the footer for a while.
    pub(super) fn say(&mut self, text: impl AsRef<str>) {
        self.say_about(About::Past, text);
    }

    /// The same, drawn as an error.
    pub(in crate::app) fn complain(&mut self, text: impl Into<Cow<'static, str>>) {
        self.complain_about(About::Past, text);
    }

    /// Says what is so only until `about` changes.
    pub(super) fn say_about(&mut self, about: About, text: impl AsRef<str>) {
        self.notify(inert(text.as_ref(), 300).into(), false, about);
    }

    /// The same, drawn as an error.
    pub(super) fn complain_about(&mut self, about: About, text: impl Into<Cow<'static, str>>) {
        let text = match text.into() {
            Cow::Borrowed(own) => Cow::Borrowed(own),
            Cow::Owned(text) => inert(&text, 300).into(),
        };
        self.notify(text, true, about);
    }

    /// What was said about this is no longer so.
    pub(super) fn unsay(&mut self, about: About) {
        self.notice.take_if(|notice| notice.about == about);
    }

    fn notify(&mut self, text: Cow<'static, str>, error: bool, about: About) {
        let about = match about {
            About::Past if self.now == self.last_input => About::Place,
            about => about,
        };
        self.notice = Some(Notice {
            text,
            error,
            about,
            until: after(self.now, NOTICE),
        });
    }

    /// Whether a field of the form has the keys.
    pub(super) fn is_editing(&self) -> bool {
        self.focus == Pane::Form && self.visible_form().is_some()
    }
}

/// `span` after `time`; the end of time where there is none.
fn after(time: Timestamp, span: SignedDuration) -> Timestamp {
    time.checked_add(span).unwrap_or(Timestamp::MAX)
}

/// What `press` asks of an input line; nothing where it is no editing key.
pub(super) fn editing_request(press: KeyPress) -> Option<InputRequest> {
    let control = press.modifiers == KeyModifiers::CONTROL;
    let plain = press.modifiers.is_empty();
    // AltGr comes as Control with Alt.
    let third_level = press.modifiers == (KeyModifiers::CONTROL | KeyModifiers::ALT);
    Some(match press.code {
        KeyCode::Char(c) if (plain || third_level) && !c.is_control() => {
            InputRequest::InsertChar(c)
        }
        KeyCode::Char('h') if control => InputRequest::DeletePrevChar,
        KeyCode::Char('a') if control => InputRequest::GoToStart,
        KeyCode::Char('e') if control => InputRequest::GoToEnd,
        KeyCode::Char('b') if control => InputRequest::GoToPrevChar,
        KeyCode::Char('f') if control => InputRequest::GoToNextChar,
        KeyCode::Char('u') if control => InputRequest::DeleteLine,
        KeyCode::Char('w') if control => InputRequest::DeletePrevWord,
        KeyCode::Char('k') if control => InputRequest::DeleteTillEnd,
        KeyCode::Char('y') if control => InputRequest::Yank,
        KeyCode::Backspace if plain => InputRequest::DeletePrevChar,
        KeyCode::Delete if plain => InputRequest::DeleteNextChar,
        KeyCode::Left if plain => InputRequest::GoToPrevChar,
        KeyCode::Right if plain => InputRequest::GoToNextChar,
        KeyCode::Left if control => InputRequest::GoToPrevWord,
        KeyCode::Right if control => InputRequest::GoToNextWord,
        KeyCode::Home if plain => InputRequest::GoToStart,
        KeyCode::End if plain => InputRequest::GoToEnd,
        _ => return None,
    })
}
