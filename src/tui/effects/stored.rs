//! What is saved of connections, and what locks it.

use super::{Effects, Key};
use crate::app::Message;
use crate::app::effect::{SharedTokenEffect, StoreEffect, VaultEffect};
use crate::app::message::{SharedTokenMessage, StoreMessage, VaultMessage};
use crate::domain::{Cause, HandleSlot, Name, PassphrasePurpose, error_chain};
use crate::store::StoreKind;
use crate::tui::translate;
use crate::work::{Core, Saved, WorkError, shared_token, silent};

impl Effects {
    /// Starts what `effect` asks for.
    #[inline(never)]
    pub(super) fn store(&mut self, effect: StoreEffect) {
        let core = self.core.clone();
        match effect {
            StoreEffect::LoadSecrets(name) => {
                self.answer(Key::Secrets, async move { load_secrets(core, name).await });
            }
            StoreEffect::DateHandles(references) => {
                let queue = self.queue.clone();
                self.own(Key::Dates, async move {
                    // Where it can't be found out, nobody is kept from anything.
                    if let Ok(dates) = core.secret_dates(references).await {
                        queue.tell(Message::Store(StoreMessage::HandlesDated(dates)));
                    }
                });
            }
            StoreEffect::Save {
                draft,
                replaces,
                store,
            } => self.answer(Key::Save, async move {
                let saved = core.save(translate::draft(*draft, replaces, store)).await;
                save(saved)
            }),
            StoreEffect::Remove(name) => self.answer(Key::Remove, async move {
                Message::Store(match core.remove(&name).await {
                    Ok(left) => StoreMessage::Removed(name, left.len()),
                    Err(error) => StoreMessage::RemoveFailed(error_chain(&error)),
                })
            }),
            StoreEffect::AddToken {
                name,
                label,
                value,
                store,
            } => self.answer(Key::AddToken, async move {
                let store = store.as_ref().map(StoreKind::of);
                let saved = core.add_handle(&name, &label, value, store).await;
                added(saved)
            }),
            StoreEffect::RemoveToken { name, label } => self.answer(Key::RemoveToken, async move {
                Message::Store(match core.remove_handle(&name, &label).await {
                    Ok(saved) => StoreMessage::TokenRemoved {
                        connection: Box::new(saved.connection),
                        label,
                        left_behind: !saved.left_behind.is_empty(),
                    },
                    Err(error) => StoreMessage::RemoveFailed(error_chain(&error)),
                })
            }),
        }
    }

    /// Starts what `effect` asks for.
    #[inline(never)]
    pub(super) fn vault(&mut self, effect: VaultEffect) {
        let core = self.core.clone();
        match effect {
            VaultEffect::Unlock { kind, passphrase } => self.answer(Key::Unlock, async move {
                let opened = match kind {
                    PassphrasePurpose::Open => core.unlock(passphrase).await,
                    PassphrasePurpose::Create => core.create_vault(passphrase).await,
                };
                Message::Vault(opened.map_or_else(
                    |error| VaultMessage::UnlockFailed(error_chain(&error)),
                    |()| VaultMessage::Unlocked,
                ))
            }),
            VaultEffect::Lock => self.lock(),
        }
    }

    /// Starts what `effect` asks for.
    #[inline(never)]
    pub(super) fn shared_token(&mut self, effect: SharedTokenEffect) {
        let core = self.core.clone();
        self.answer(Key::SharedToken, async move {
            Message::SharedToken(match effect {
                SharedTokenEffect::Make(name) => {
                    let made = shared_token::generate();
                    SharedTokenMessage::Made(name, made.map_err(Cause::new))
                }
                SharedTokenEffect::Check(name) => {
                    let verdict = core.verify_saved(&name, &silent).await;
                    SharedTokenMessage::Checked(name, Box::new(verdict))
                }
            })
        });
    }

    #[inline(never)]
    pub(super) fn reveal(&mut self, name: Name, slot: HandleSlot) {
        let core = self.core.clone();
        self.answer(Key::Reveal, async move {
            match core.handle(&name, &slot).await {
                Err(WorkError::PassphraseNeeded(what)) => passphrase_needed(what),
                other => {
                    let result = other.map_err(Cause::new);
                    Message::Revealed { name, slot, result }
                }
            }
        });
    }

    /// What is on its way with a secret in hand ends first: it would bring it back after the lock.
    fn lock(&mut self) {
        let carries = |key: &Key| match key {
            Key::Secrets | Key::Reveal | Key::Clipboard | Key::Unlock => true,
            Key::Tokens(task) => task.reads(),
            // A probe ends by itself, and its answer holds no secret; what is being written is written.
            Key::Probe(_)
            | Key::Watch
            | Key::Configuration
            | Key::Dates
            | Key::Lock
            | Key::Clearing
            | Key::Save
            | Key::Remove
            | Key::AddToken
            | Key::RemoveToken
            | Key::SharedToken
            | Key::Resume
            | Key::Set
            | Key::Watching(_) => false,
        };
        self.tasks.retain(|key, _| !carries(key));
        self.accounts.forget();
        let (core, queue) = (self.core.clone(), self.queue.clone());
        self.own(Key::Lock, async move {
            if let Some(cleared) = core.clear_clipboard().await {
                queue.write(cleared.terminal_bytes);
            }
            core.lock().await;
            queue.tell(Message::Vault(if core.has_vault().await {
                VaultMessage::Locked
            } else {
                VaultMessage::Forgot
            }));
        });
    }
}

async fn load_secrets(core: Core, name: Name) -> Message {
    match core.load_secrets(&name).await {
        Ok(loaded) => Message::Store(StoreMessage::SecretsLoaded {
            name,
            key: loaded.key,
            key_origin: loaded.key_origin,
            token: loaded.token,
        }),
        Err(WorkError::PassphraseNeeded(what)) => passphrase_needed(what),
        Err(error) => {
            let why = Cause::new(error);
            Message::Store(StoreMessage::SecretsLoaded {
                name,
                key: Err(why.clone()),
                key_origin: None,
                token: Err(why),
            })
        }
    }
}

fn save(saved: Result<Saved, WorkError>) -> Message {
    match saved {
        Ok(saved) => {
            let left = saved.left_behind.len();
            Message::Store(StoreMessage::Saved(Box::new(saved.connection), left))
        }
        Err(error) => refused(error, StoreMessage::SaveFailed),
    }
}

fn added(added: Result<Saved, WorkError>) -> Message {
    match added {
        Ok(saved) => Message::Store(StoreMessage::TokenAdded(Box::new(saved.connection))),
        Err(error) => refused(error, StoreMessage::TokenAddFailed),
    }
}

/// What is needed first, or the sentence that says why not.
fn refused(error: WorkError, failed: fn(String) -> StoreMessage) -> Message {
    match error {
        WorkError::StoreNeeded(offers) => {
            Message::Store(StoreMessage::StoreNeeded(translate::offers(offers)))
        }
        WorkError::PassphraseNeeded(what) => passphrase_needed(what),
        error => Message::Store(failed(error_chain(&error))),
    }
}

fn passphrase_needed(what: PassphrasePurpose) -> Message {
    Message::Vault(VaultMessage::PassphraseNeeded(what))
}
