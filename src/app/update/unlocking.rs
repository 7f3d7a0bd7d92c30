//! The vault is needed, was opened, or was not: what waited for it goes on.

use super::{Effects, Model};
use crate::app::effect::Effect;
use crate::app::handles::RevealedHandle;
use crate::app::model::{ListedConnection, Lock, Overlay, PassphraseDialog, PendingUnlock};
use crate::app::notice::About;
use crate::app::secret_field::SecretField;
use crate::app::watching::WatchingEffect;
use crate::domain::{PassphrasePurpose, SecretRef};

impl Model {
    /// The vault is needed. Nobody who is typing something else is interrupted.
    pub(super) fn passphrase_needed(&mut self, kind: PassphrasePurpose) {
        self.set_dialog_aside();
        if kind == PassphrasePurpose::Open && !self.lock.is_locked() {
            self.found_locked();
        }
        let asked_for = self.waiting.is_some()
            || self.adding.is_some()
            || self.form.as_ref().is_some_and(|form| form.saving);
        let busy_elsewhere = self.overlay.is_some() || self.list.filtering || self.is_editing();
        if !asked_for && busy_elsewhere {
            return self.complain_about(About::Lock, "the vault is locked: L unlocks it");
        }
        self.open_passphrase(kind);
    }

    pub(super) fn open_passphrase(&mut self, kind: PassphrasePurpose) {
        self.open_overlay(Overlay::Passphrase(PassphraseDialog {
            kind,
            first: SecretField::default(),
            second: SecretField::default(),
            on_second: false,
            problem: None,
            busy: false,
        }));
    }

    /// The vault is open: what waited for it goes on.
    pub(super) fn unlocked(&mut self, out: &mut Effects) {
        self.begin_what_waited(out);
        self.lock = Lock::Open;
        self.last_input = self.now;
        self.unsay(About::Lock);
        self.date_handles(out);
        self.probe_what_waited(out);
        if matches!(self.overlay, Some(Overlay::Passphrase(_))) {
            self.overlay = None;
        }
        let saving = self.form.as_ref().is_some_and(|form| form.saving);
        let waiting = self.waiting.take();
        if saving {
            self.save_now(out);
        } else if self.adding.as_ref().is_some_and(|dialog| dialog.busy) {
            self.add_token_now(out);
        } else {
            match waiting {
                Some(PendingUnlock::Reveal(name, RevealedHandle::Held(slot))) => {
                    self.reveal_handle(name, slot, out);
                }
                Some(PendingUnlock::Copy(name, slot, form)) => {
                    self.copy_handle(name, slot, form, out);
                }
                Some(PendingUnlock::Tokens(effect)) => self.tokens_go_on(*effect, out),
                Some(PendingUnlock::SheetSecret(action)) => self.renewal_act(action, out),
                Some(
                    PendingUnlock::LoadSecrets(_)
                    | PendingUnlock::Reveal(_, RevealedHandle::Token(_)),
                )
                | None => self.load_form_secrets(out),
            }
        }
    }

    /// Probes that went without credentials while the vault was locked are made again, not at their next time.
    fn probe_what_waited(&self, out: &mut Effects) {
        let waited = |entry: &ListedConnection| {
            entry.verdict.is_some() && matches!(entry.connection.key, Some(SecretRef::Vault(_)))
        };
        if self.watching && self.entries.values().any(waited) {
            out.push(Effect::Watching(WatchingEffect::Switch(true)));
        }
    }

    /// The passphrase that came with the start opens the vault before anything is probed: without its keys every
    /// connection would be told as changed, and once more a moment later.
    pub(super) fn begin_what_waited(&mut self, out: &mut Effects) {
        if std::mem::take(&mut self.opens_first) && self.begun && self.watching {
            out.push(Effect::Watching(WatchingEffect::Switch(true)));
        }
    }

    pub(super) fn unlock_failed(&mut self, why: &str, out: &mut Effects) {
        self.begin_what_waited(out);
        match &mut self.overlay {
            Some(Overlay::Passphrase(dialog)) => {
                dialog.busy = false;
                dialog.on_second = false;
                dialog.first = SecretField::default();
                dialog.second = SecretField::default();
                dialog.problem = Some(crate::domain::text::inert(why, 300));
            }
            _ => self.complain(why.to_owned()),
        }
    }
}
