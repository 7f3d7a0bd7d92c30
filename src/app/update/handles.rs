//! Handles: shown for ten seconds, copied, locked away.

use jiff::SignedDuration;

use super::{Effects, Model, after};
use crate::app::draft::FieldId;
use crate::app::effect::{ClipboardEffect, Effect, TokenCopy, VaultEffect};
use crate::app::form::live::ProbedPart;
use crate::app::handles::{Revealed, RevealedHandle, rows};
use crate::app::keymap::Action;
use crate::app::message::Copied;
use crate::app::model::{Form, Lock, Overlay, PendingUnlock, Question};
use crate::app::notice::{About, CopiedNotice};
use crate::app::secret_field::{SecretField, ShownField};
use crate::app::tokens::TokensEffect;
use crate::domain::{Cause, CopyForm, Handle, HandleSlot, Name, PassphrasePurpose, error_chain};

/// How long a handle is in the open.
const REVEAL: SignedDuration = SignedDuration::from_secs(10);

impl Model {
    /// `v`: in a secret field what stands there, else the selected handle; again to hide.
    pub(super) fn reveal(&mut self, out: &mut Effects) {
        if self.war_room {
            return self.complain("the war-room shows no handle");
        }
        if self.is_editing() {
            return self.reveal_field(out);
        }
        let Some((name, slot)) = self.selected_handle() else {
            return self.complain("there is no handle to show");
        };
        let open = self.revealed.take();
        let held = RevealedHandle::Held(slot.clone());
        if open.is_some_and(|open| open.name == name && open.which == held) {
            return;
        }
        self.reveal_handle(name, slot, out);
    }

    /// What is stored and not here yet, as after a lock, is fetched for it.
    fn reveal_field(&mut self, out: &mut Effects) {
        let until = after(self.now, REVEAL);
        let Some(form) = &mut self.form else { return };
        let id = if form.focused().is_secret() {
            form.focused()
        } else {
            FieldId::Key
        };
        let field = form.secret(id);
        let here = field.is_some_and(|field| !field.value.is_empty());
        let kept = field.is_some_and(SecretField::is_set);
        if form.shown.take().is_some_and(|shown| shown.id == id) {
            return;
        }
        if !kept {
            return self.complain("there is nothing to show in this field");
        }
        form.shown = Some(ShownField { id, until });
        if !here && !form.loading_secrets {
            self.load_form_secrets(out);
        }
    }

    pub(super) fn reveal_handle(&mut self, name: Name, slot: HandleSlot, out: &mut Effects) {
        let held = RevealedHandle::Held(slot.clone());
        self.waiting = Some(PendingUnlock::Reveal(name.clone(), held));
        out.push(Effect::Reveal(name, slot));
    }

    /// Whether this handle was waited for, to be shown; it is no more.
    pub(super) fn was_waited_for(&mut self, name: &Name, handle: &RevealedHandle) -> bool {
        let wanted = PendingUnlock::Reveal(name.clone(), handle.clone());
        self.waiting.take_if(|waiting| *waiting == wanted).is_some()
    }

    /// Shows a handle for ten seconds, in place of the one that is in the open.
    pub(super) fn show_handle(&mut self, name: Name, which: RevealedHandle, handle: Handle) {
        self.revealed = Some(Revealed {
            name,
            which,
            handle,
            until: after(self.now, REVEAL),
        });
    }

    /// Hides the handle of a token; whether one was in the open.
    pub(super) fn hide_token(&mut self) -> bool {
        self.revealed.take_if(|open| !open.is_held()).is_some()
    }

    /// A handle came: it is shown only where it is still wanted.
    pub(super) fn revealed(&mut self, name: Name, slot: HandleSlot, result: Result<Handle, Cause>) {
        let held = RevealedHandle::Held(slot);
        if !self.was_waited_for(&name, &held) {
            return;
        }
        match result {
            Err(why) => self.complain(format!("not shown: {}", error_chain(&why))),
            Ok(handle) if self.list.selected.as_ref() == Some(&name) && !self.war_room => {
                self.show_handle(name, held, handle);
            }
            Ok(_) => {}
        }
    }

    pub(super) fn copy_action(&mut self, action: Action, out: &mut Effects) {
        if action == Action::ClearClipboard {
            return self.clear_clipboard(out);
        }
        if self.war_room {
            return self.complain("nothing is copied in the war-room");
        }
        if action == Action::CopySnippet {
            return self.copy_snippet(out);
        }
        if action == Action::CopyAs
            && let Some(of) = self.copy_subject()
        {
            self.open_overlay(Overlay::CopyAs { row: 0, of });
        } else if let Some((name, slot)) = self.selected_handle() {
            self.copy_handle(name, slot, CopyForm::Handle, out);
        } else {
            self.complain("there is no handle to copy");
        }
    }

    fn clear_clipboard(&mut self, out: &mut Effects) {
        self.copied = None;
        out.push(Effect::Clipboard(ClipboardEffect::Clear));
    }

    /// A row of "copy as…" was chosen.
    pub(super) fn copy_chosen(&mut self, row: usize, out: &mut Effects) {
        let Some(Overlay::CopyAs { of, .. }) = self.overlay.take() else {
            return;
        };
        let Some(form) = of.choices().get(row).copied() else {
            return;
        };
        let name = of.name;
        match of.which {
            Some(RevealedHandle::Token(id)) => {
                if let Some(form) = TokenCopy::of(form) {
                    out.push(Effect::Tokens(TokensEffect::Copy { name, id, form }));
                }
            }
            Some(RevealedHandle::Held(slot)) => self.copy_handle(name, slot, form, out),
            // What is in the open asks for no handle.
            None => self.copy_handle(name, HandleSlot::Key, form, out),
        }
    }

    /// The row that "copy as…" was opened on may have gone by itself: it is closed, and no other one's secret is copied.
    pub(super) fn copy_as_settle(&mut self) {
        let Some(Overlay::CopyAs { of, .. }) = &self.overlay else {
            return;
        };
        let entry = self.entries.get(&of.name);
        let (is_here, what) = match &of.which {
            Some(RevealedHandle::Token(_)) => return,
            Some(RevealedHandle::Held(slot)) => {
                let rows = entry.map(|entry| rows(&entry.connection));
                let mut rows = rows.into_iter().flatten();
                let is_here = rows.any(|row| row.slot == *slot && row.label == of.label);
                let (label, name) = (self.shown_label(&of.label), self.shown_name(&of.name));
                (is_here, format!("{label} of {name}"))
            }
            None => (entry.is_some(), self.shown_name(&of.name)),
        };
        if !is_here {
            self.overlay = None;
            self.complain(format!("{what} is gone: nothing is copied of it"));
        }
    }

    pub(super) fn copy_handle(
        &mut self,
        name: Name,
        slot: HandleSlot,
        form: CopyForm,
        out: &mut Effects,
    ) {
        self.waiting = Some(PendingUnlock::Copy(name.clone(), slot.clone(), form));
        out.push(Effect::Clipboard(ClipboardEffect::CopyHandle {
            name,
            slot,
            form,
        }));
    }

    fn copy_snippet(&mut self, out: &mut Effects) {
        let snippet = self
            .shown_verdict()
            .and_then(|verdict| verdict.remedy.snippet.clone());
        match snippet {
            Some(snippet) => out.push(Effect::Clipboard(ClipboardEffect::CopyText(snippet))),
            None => self.complain("the remedy has no snippet"),
        }
    }

    /// What came of a copy. A countdown is shown where it will be cleared; a handle that no clipboard took is
    /// shown, to be selected by hand.
    pub(super) fn copied(&mut self, copied: Copied, out: &mut Effects) {
        let wanted = self
            .waiting
            .take_if(|waiting| matches!(waiting, PendingUnlock::Copy(..)));
        let words = crate::domain::text::inert(&copied.words, 120);
        if !copied.placed {
            if let Some(PendingUnlock::Copy(name, slot, CopyForm::Handle)) = wanted
                && !self.war_room
                && !self.lock.is_locked()
            {
                self.reveal_handle(name, slot, out);
            }
            return self.complain(words);
        }
        match copied.clears_in_s.filter(|seconds| *seconds > 0) {
            None => {
                self.copied = None;
                self.say(words);
            }
            Some(seconds) => {
                self.notice = None;
                let span = SignedDuration::from_secs(i64::from(seconds));
                self.copied = Some(CopiedNotice {
                    words,
                    clears_at: Some(after(self.now, span)),
                });
            }
        }
    }

    /// The copy that is spoken of is as sure as `more` says. Its time goes on.
    pub(super) fn clipboard_announced(&mut self, less: &str, more: &str) {
        let surer = |words: &str| Some(format!("{more}{}", words.strip_prefix(less)?));
        if let Some(copied) = &mut self.copied
            && let Some(words) = surer(&copied.words)
        {
            copied.words = words;
        }
        if let Some(notice) = &mut self.notice
            && let Some(words) = surer(&notice.text)
        {
            notice.text = words.into();
        }
    }

    pub(super) fn clipboard_cleared(&mut self, words: &str) {
        self.copied = None;
        self.say(words);
    }

    /// `L`: locks, or asks for the passphrase where locked; both where the vault was never opened.
    pub(super) fn lock_or_unlock(&mut self, out: &mut Effects) {
        if self.lock.is_locked() {
            self.hide_secrets();
            self.waiting = None;
            // Where it was only found locked, what was copied before may still stand there, or be on its way.
            self.copied = None;
            out.push(Effect::Clipboard(ClipboardEffect::TakeBack));
            self.open_passphrase(PassphrasePurpose::Open);
        } else {
            // Nobody has opened it yet: that is what the key is for, too.
            let asks = self.lock == Lock::NeverOpened;
            if self.lock_by_hand(out) && asks {
                self.open_passphrase(PassphrasePurpose::Open);
            }
        }
    }

    /// Locks on somebody's wish, and says whether it did: where that loses what was typed it asks first.
    pub(super) fn lock_by_hand(&mut self, out: &mut Effects) -> bool {
        let asks = self.holds_typed_secret();
        if asks {
            self.hide_secrets();
            if let Some(Overlay::AddToken(dialog)) = self.overlay.take() {
                self.adding = Some(dialog);
            }
            self.ask(Question::LockLosesSecrets);
        } else {
            self.lock_now(out);
        }
        !asks
    }

    /// Whether a secret was typed that is kept nowhere yet.
    pub(in crate::app) fn holds_typed_secret(&self) -> bool {
        self.form.as_ref().is_some_and(Form::holds_typed_secret) || self.holds_typed_token()
    }

    /// Forgets every secret that is held here.
    pub(super) fn lock_now(&mut self, out: &mut Effects) {
        // Whatever opened the vault at the start is ended with it.
        self.begin_what_waited(out);
        let lost = self.holds_typed_secret();
        self.revealed = None;
        self.copied = None;
        self.put_question_away(out);
        if matches!(
            self.overlay,
            Some(Overlay::Passphrase(_) | Overlay::ChooseStore { .. })
        ) {
            self.dialog_cancelled();
        }
        self.waiting = None;
        self.adding = None;
        // Nothing that was asked for is waited for any more.
        self.tokens_give_up("locked");
        if matches!(self.overlay, Some(Overlay::AddToken(_))) {
            self.overlay = None;
        }
        if let Some(form) = &mut self.form {
            form.saving = false;
            if form.holds_typed_secret() {
                form.live.was_changed(ProbedPart::Pair);
            }
            form.forget_secrets();
        }
        self.lock = Lock::Shut {
            typed_was_lost: lost,
        };
        out.push(Effect::Vault(VaultEffect::Lock));
        let said = if lost {
            FORGOTTEN
        } else if self.tokens.holds_only_secret() {
            "locked; the secret on the sheet stays there, behind the passphrase"
        } else {
            "locked"
        };
        self.say_about(About::Lock, said);
    }

    /// There is no vault to unlock: what the stores hold can be fetched again.
    pub(super) fn forgot(&mut self) {
        let before = std::mem::take(&mut self.lock);
        self.last_input = self.now;
        self.say(
            if before
                == (Lock::Shut {
                    typed_was_lost: true,
                })
            {
                "secrets forgotten, those typed and not saved too; there is no vault to lock"
            } else {
                "secrets forgotten; there is no vault to lock"
            },
        );
    }
}

/// What a lock took with it.
pub(super) const FORGOTTEN: &str = "locked; the secrets typed and not saved are forgotten";

impl Form {
    /// The fields as they were before their secrets came.
    fn forget_secrets(&mut self) {
        self.shown = None;
        self.undo = None;
        self.loading_secrets = false;
        self.due = None;
        // What comes back from the store is whole.
        self.live.half_typed = None;
        let original = self.original.as_ref().map(|original| &original.connection);
        let cloned = self.clone_of.is_some();
        let stored = [
            (FieldId::Key, original.is_some_and(|c| c.key.is_some())),
            (FieldId::Token, original.is_some_and(|c| c.token.is_some())),
        ];
        for (id, stored) in stored {
            if let Some(field) = self.secret_mut(id) {
                *field = SecretField {
                    // A copy's field knows from its original.
                    stored: stored || (cloned && field.stored),
                    ..SecretField::default()
                };
            }
        }
        self.refresh_lamps();
    }
}
