//! The only spawner of the screen: every effect is a task with an owner, and its answer comes back as a message.
//!
//! A newer task for the same key replaces the older one. Which answer counts is decided by its generation in
//! the model; ending the older task only saves work, and closes its connection.

mod handles;
mod reading;
mod tokens;
mod watching;

use std::collections::HashMap;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use tokio::runtime::Handle;
use tokio::sync::mpsc::UnboundedSender;
use tokio::task::AbortHandle;
use tokio::time::Instant;

use super::event_loop::Inbound;
use super::translate;
use crate::app::effect::{Target, Unlock};
use crate::app::{Draft, Effect, Message};
use crate::clipboard::{Certainty, Cleared, Life, Placed, TerminalBytes};
use crate::domain::stack::Wiping;
use crate::domain::verdict::whole_seconds;
use crate::domain::{Checks, Name};
use crate::service::Trigger;
use crate::store::StoreKind;
use crate::work::ticket::Freshness;
use crate::work::{Core, Saved, WorkError};
use reading::ReadingTasks;

/// What a task is for: at most one of each runs.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Key {
    Configuration,
    Probe(Target),
    Watch,
    Secrets,
    Save,
    Remove,
    AddToken,
    RemoveToken,
    SharedToken,
    Unlock,
    Lock,
    Reveal,
    Clipboard,
    Clearing,
    Resume,
    Set,
    Tokens(tokens::Task),
    Watching(watching::WatchTask),
}

/// Ends its task when it is dropped.
struct Owned(AbortHandle);

impl Drop for Owned {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// How long the end of the program waits for the clipboard to be cleared.
const LAST_CLEARING: Duration = Duration::from_millis(500);

/// Runs effects.
pub struct Effects {
    core: Core,
    runtime: Handle,
    queue: Queue,
    tasks: HashMap<Key, Owned>,
    /// When the secret that was copied last is to be cleared.
    clears_at: Arc<Mutex<Option<Instant>>>,
    banner: Vec<String>,
    accounts: tokens::Accounts,
    /// Tells the watch that the configuration has changed.
    replan: Option<UnboundedSender<()>>,
}

/// The way back to the loop.
#[derive(Clone)]
pub struct Queue(pub UnboundedSender<Inbound>);

impl Queue {
    /// A message for the model.
    pub fn tell(&self, message: Message) {
        // Where the loop has ended, nobody is left to be told.
        let _ = self.0.send(Inbound::Message(Box::new(message)));
    }

    /// What a copy or a clearing gave: bytes for the terminal, where that is the way.
    fn write(&self, bytes: Option<TerminalBytes>) {
        if let Some(bytes) = bytes {
            let _ = self.0.send(Inbound::Write(bytes));
        }
    }
}

impl Effects {
    /// Nothing runs yet. `banner` goes to the response pane while nothing was probed.
    pub fn new(core: Core, runtime: Handle, queue: Queue, banner: Vec<String>) -> Self {
        Self {
            core,
            runtime,
            queue,
            tasks: HashMap::new(),
            clears_at: Arc::default(),
            banner,
            accounts: tokens::Accounts::default(),
            replan: None,
        }
    }

    fn own(&mut self, key: Key, task: impl Future<Output = ()> + Send + 'static) {
        let task = match key {
            // What is watched wipes where it has a key in hand; the rest of it is about thousands that need not.
            Key::Watch | Key::Configuration => self.runtime.spawn(task),
            _ => self.runtime.spawn(Wiping::new(task)),
        };
        self.tasks.insert(key, Owned(task.abort_handle()));
    }

    /// Runs a task that ends in one message.
    fn answer(&mut self, key: Key, task: impl Future<Output = Message> + Send + 'static) {
        let queue = self.queue.clone();
        self.own(key, async move { queue.tell(task.await) });
    }

    /// Starts what `effect` asks for. Effects of the loop itself are not for here, and do nothing.
    pub fn start(&mut self, effect: Effect) {
        let core = self.core.clone();
        match effect {
            Effect::LoadConfiguration => self.load(),
            Effect::Probe {
                target,
                generation,
                trigger,
                draft,
                origin_confirmed,
            } => {
                self.probe(
                    target,
                    generation,
                    trigger,
                    draft.map(|d| (d, origin_confirmed)),
                );
            }
            Effect::CancelProbe(target) => {
                self.tasks.remove(&Key::Probe(target));
            }
            Effect::LoadSecrets(name) => {
                self.answer(Key::Secrets, async move { load_secrets(core, name).await });
            }
            Effect::Save {
                draft,
                replaces,
                store,
            } => self.answer(Key::Save, async move {
                let saved = core.save(translate::draft(*draft, replaces, store)).await;
                save(saved)
            }),
            Effect::Remove(name) => self.answer(Key::Remove, async move {
                match core.remove(&name).await {
                    Ok(left) => Message::Removed(name, left.len()),
                    Err(error) => Message::RemoveFailed(error.to_string()),
                }
            }),
            Effect::Unlock { kind, passphrase } => self.answer(Key::Unlock, async move {
                let opened = match kind {
                    Unlock::Open => core.unlock(passphrase).await,
                    Unlock::Create => core.create_vault(passphrase).await,
                };
                opened.map_or_else(
                    |e| Message::UnlockFailed(e.to_string()),
                    |()| Message::Unlocked,
                )
            }),
            Effect::AddToken {
                name,
                label,
                value,
                store,
            } => self.answer(Key::AddToken, async move {
                let store = store.as_ref().map(StoreKind::of);
                let saved = core.add_handle(&name, &label, value, store).await;
                added(saved)
            }),
            other => self.start_small(other),
        }
    }

    fn start_small(&mut self, effect: Effect) {
        let core = self.core.clone();
        match effect {
            Effect::Watch(on) => self.watch(on),
            Effect::Watching(effect) => self.watching(effect),
            Effect::Lock => self.lock(),
            Effect::Tokens(effect) => self.tokens(effect),
            Effect::Reveal(name, slot) => self.answer(Key::Reveal, async move {
                match core.handle(&name, translate::slot(slot)).await {
                    Err(WorkError::PassphraseNeeded(what)) => {
                        Message::PassphraseNeeded(translate::passphrase(what))
                    }
                    other => {
                        let result = other.map_err(|error| error.to_string());
                        Message::Revealed { name, slot, result }
                    }
                }
            }),
            Effect::Copy { name, slot, form } => self.copy(async move {
                let (slot, form) = (translate::slot(slot), translate::copy_form(form));
                core.copy(&name, slot, form, Life::Program).await
            }),
            Effect::CopyText(text) => {
                self.copy(async move { core.copy_text(&text, Life::Outlive).await });
            }
            Effect::CopyTicket { name, verdict } => self.copy(async move {
                let reader = translate::reader(verdict.remedy.who);
                let text = core
                    .ticket(&name, &verdict, (reader, Freshness::Last))
                    .await?;
                core.copy_text(&text, Life::Outlive).await
            }),
            Effect::ClearClipboard => self.clear_clipboard(),
            Effect::Resume(name) => self.answer(Key::Resume, async move {
                match core.resume(&name).await {
                    Ok(Some(_)) => Message::Resumed(name),
                    Ok(None) => Message::Noticed(not_paused(core.quiet_until(&name).await)),
                    Err(error) => Message::Noticed(error.to_string()),
                }
            }),
            Effect::ResumeDraft(draft) => self.answer(Key::Resume, async move {
                match resume(&core, *draft).await {
                    Ok(true) => Message::DraftResumed,
                    Ok(false) => Message::Noticed(NOT_PAUSED.to_owned()),
                    Err(error) => Message::Noticed(error.to_string()),
                }
            }),
            Effect::Set(key, value) => self.answer(Key::Set, async move {
                match core.set(&key, &value).await {
                    Ok(()) => Message::Noticed(format!("{key} is {value} from now on")),
                    Err(error) => Message::Noticed(error.to_string()),
                }
            }),
            other => self.start_handles(other),
        }
    }

    fn load(&mut self) {
        let (core, queue, banner) = (self.core.clone(), self.queue.clone(), self.banner.clone());
        self.own(Key::Configuration, async move {
            // Taken before it is read: a change in between is told.
            let mut changes = core.changes();
            let mut call = core.lock_call().await;
            let mut read = ReadingTasks::begin(&core, banner, &queue).await;
            core.sweep().await;
            loop {
                read.until_due(changes.next()).await;
                // One that can't be looked at (the folder's permission is gone) is no call.
                if let Some(last) = core.lock_call().await
                    && call.replace(last).is_some_and(|before| before != last)
                {
                    queue.tell(Message::LockRequested);
                }
                read.again_where_due(&core, &queue).await;
            }
        });
    }

    fn probe(
        &mut self,
        target: Target,
        generation: u64,
        trigger: Trigger,
        draft: Option<(Box<Draft>, bool)>,
    ) {
        let (core, queue, key) = (
            self.core.clone(),
            self.queue.clone(),
            Key::Probe(target.clone()),
        );
        self.own(key, async move {
            let (told, whose) = (queue.clone(), target.clone());
            let progress = move |checks: &Checks| {
                let (target, checks) = (whose.clone(), checks.clone());
                told.tell(Message::ProbeProgressed {
                    target,
                    generation,
                    checks,
                });
            };
            let verdict = match (&target, draft) {
                (Target::Saved(name), None) => core.probe_saved(name, trigger, &progress).await,
                (_, Some((draft, confirmed))) => {
                    let editing = draft.opened.as_ref().map(|opened| opened.name.clone());
                    let unsaved = translate::unsaved(*draft, editing, trigger, confirmed);
                    core.probe_unsaved(unsaved, &progress).await
                }
                (Target::Draft, None) => return,
            };
            let verdict = Box::new(verdict);
            queue.tell(Message::ProbeFinished {
                target,
                generation,
                verdict,
            });
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
            queue.tell(if core.has_vault() {
                Message::Locked
            } else {
                Message::Forgot
            });
        });
    }

    /// Copies, and owns the clearing when its time has come: the screen may be blocked by then. A copy that
    /// fails leaves the one before it where it is, and its time too.
    fn copy(&mut self, copy: impl Future<Output = Result<Placed, WorkError>> + Send + 'static) {
        self.copy_where_ready(async move { copy.await.map(Some) });
    }

    /// The same for a copy that may turn out to be none, of which nothing is to be said.
    fn copy_where_ready(
        &mut self,
        copy: impl Future<Output = Result<Option<Placed>, WorkError>> + Send + 'static,
    ) {
        let (core, queue) = (self.core.clone(), self.queue.clone());
        let clears_at = Arc::clone(&self.clears_at);
        self.own(Key::Clipboard, async move {
            match copy.await {
                Ok(None) => {}
                Ok(Some(mut placed)) => {
                    queue.write(placed.terminal_bytes.take());
                    queue.tell(Message::Copied(translate::copied(&placed)));
                    if placed.certainty != Certainty::Shown {
                        let time = placed.clear_after.map(|after| Instant::now() + after);
                        *clears_at.lock().unwrap_or_else(PoisonError::into_inner) = time;
                    }
                }
                Err(WorkError::PassphraseNeeded(what)) => {
                    queue.tell(Message::PassphraseNeeded(translate::passphrase(what)));
                }
                Err(error) => queue.tell(Message::Noticed(error.to_string())),
            }
            let time = *clears_at.lock().unwrap_or_else(PoisonError::into_inner);
            let Some(time) = time else { return };
            tokio::select! {
                () = tokio::time::sleep_until(time) => {}
                () = core.clipboard_replaced() => {}
            }
            *clears_at.lock().unwrap_or_else(PoisonError::into_inner) = None;
            clear(&core, &queue).await;
        });
    }

    fn clear_clipboard(&mut self) {
        let (core, queue) = (self.core.clone(), self.queue.clone());
        // Beside the copy that is under way or waits for its time: ending that half-way could lose what it
        // must still write.
        self.own(Key::Clearing, async move { clear(&core, &queue).await });
    }

    /// Ends every task, and clears the clipboard where it is still ours. Gives the bytes for the terminal.
    pub async fn end(&mut self) -> Option<Cleared> {
        self.tasks.clear();
        tokio::time::timeout(LAST_CLEARING, self.core.clear_clipboard())
            .await
            .ok()
            .flatten()
    }
}

async fn clear(core: &Core, queue: &Queue) {
    if let Some(cleared) = core.clear_clipboard().await {
        queue.write(cleared.terminal_bytes);
        if !cleared.words.is_empty() {
            queue.tell(Message::ClipboardCleared(cleared.words));
        }
    }
}

async fn load_secrets(core: Core, name: Name) -> Message {
    match core.load_secrets(&name).await {
        Ok(loaded) => Message::SecretsLoaded {
            name,
            key: loaded.key,
            key_origin: loaded.key_origin,
            token: loaded.token,
        },
        Err(WorkError::PassphraseNeeded(what)) => {
            Message::PassphraseNeeded(translate::passphrase(what))
        }
        Err(error) => {
            let why = error.to_string();
            Message::SecretsLoaded {
                name,
                key: Err(why.clone()),
                key_origin: None,
                token: Err(why),
            }
        }
    }
}

fn save(saved: Result<Saved, WorkError>) -> Message {
    match saved {
        Ok(saved) => Message::Saved(Box::new(saved.connection), saved.left_behind.len()),
        Err(error) => refused(error, Message::SaveFailed),
    }
}

fn added(added: Result<Saved, WorkError>) -> Message {
    match added {
        Ok(saved) => Message::TokenAdded(Box::new(saved.connection)),
        Err(error) => refused(error, Message::TokenAddFailed),
    }
}

/// What is needed first, or the sentence that says why not.
fn refused(error: WorkError, failed: fn(String) -> Message) -> Message {
    match error {
        WorkError::StoreNeeded(offers) => Message::StoreNeeded(translate::offers(offers)),
        WorkError::PassphraseNeeded(what) => Message::PassphraseNeeded(translate::passphrase(what)),
        error => failed(error.to_string()),
    }
}

/// What `R` says where there is nothing to lift.
const NOT_PAUSED: &str = "the key was not paused";

/// The same, where the host itself may have asked for quiet.
fn not_paused(quiet: Option<Timestamp>) -> String {
    quiet.map_or_else(
        || NOT_PAUSED.to_owned(),
        |until| format!("the host asked for quiet until {}", whole_seconds(until)),
    )
}

async fn resume(core: &Core, draft: Draft) -> Result<bool, WorkError> {
    match draft.key {
        Some(key) => Ok(core.resume_key(&draft.connection, key).await?.is_some()),
        None => Ok(false),
    }
}
