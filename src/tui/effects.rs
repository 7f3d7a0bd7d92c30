//! The only spawner of the screen: every effect is a task with an owner, and its answer comes back as a message.
//!
//! A newer task for the same key replaces the older one. Which answer counts is decided by its generation in
//! the model; ending the older task only saves work, and closes its connection.

mod clipboard;
mod reading;
mod stored;
mod tokens;
mod watching;

use std::collections::HashMap;
use std::future::Future;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::future::BoxFuture;
use jiff::Timestamp;
use tokio::runtime::Handle;
use tokio::sync::Notify;
use tokio::sync::mpsc::UnboundedSender;
use tokio::task::AbortHandle;
use tokio::time::Instant;

use super::event_loop::Inbound;
use super::translate;
use crate::app::effect::{ProbeEffect, Target, TerminalEffect};
use crate::app::message::{ProbeMessage, VaultMessage};
use crate::app::tokens::TokensEffect;
use crate::app::{Draft, Effect, Message};
use crate::clipboard::{Cleared, TerminalBytes};
use crate::domain::verdict::whole_seconds;
use crate::domain::{Checks, error_chain};
use crate::service::Trigger;
use crate::store::stack::Wiping;
use crate::work::{Core, WorkError};
use reading::ReadingTasks;
use watching::WatchTask;

/// What a task is for: at most one of each runs.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Key {
    Configuration,
    Probe(Target),
    Watch,
    Secrets,
    Dates,
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
    Watching(WatchTask),
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
    /// Whether the terminal was asked whether it takes a clipboard.
    asked: bool,
    banner: Vec<String>,
    accounts: tokens::Accounts,
    /// The configuration is to be read though nothing tells that it has changed.
    again: Arc<Notify>,
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
            asked: false,
            banner,
            accounts: tokens::Accounts::default(),
            again: Arc::default(),
            replan: None,
        }
    }

    fn own(&mut self, key: Key, task: impl Future<Output = ()> + Send + 'static) {
        self.own_boxed(key, Box::pin(task));
    }

    /// The same by its address: all that a runtime has around a task would be there once for each of them.
    fn own_boxed(&mut self, key: Key, task: BoxFuture<'static, ()>) {
        let task = match key {
            // What is watched wipes where it has a key in hand; the rest of it is about thousands that need not.
            Key::Watch
            | Key::Configuration
            | Key::Dates
            | Key::Tokens(tokens::Task::Journal)
            | Key::Watching(
                WatchTask::Pasts | WatchTask::Standings | WatchTask::Shares | WatchTask::Plot,
            ) => self.runtime.spawn(task),
            Key::Probe(_)
            | Key::Secrets
            | Key::Save
            | Key::Remove
            | Key::AddToken
            | Key::RemoveToken
            | Key::SharedToken
            | Key::Unlock
            | Key::Lock
            | Key::Reveal
            | Key::Clipboard
            | Key::Clearing
            | Key::Resume
            | Key::Set
            | Key::Tokens(_)
            | Key::Watching(WatchTask::Setting | WatchTask::SecondOpinion) => {
                self.runtime.spawn(Wiping::from(task))
            }
        };
        self.tasks.insert(key, Owned(task.abort_handle()));
    }

    /// Runs a task that ends in one message.
    fn answer(&mut self, key: Key, task: impl Future<Output = Message> + Send + 'static) {
        self.answer_boxed(key, Box::pin(task));
    }

    fn answer_boxed(&mut self, key: Key, task: BoxFuture<'static, Message>) {
        let queue = self.queue.clone();
        self.own(key, async move { queue.tell(task.await) });
    }

    /// Starts what `effect` asks for. What is asked of the terminal is given back: the loop has it. (The tasks stand on
    /// the stack while they are made. Were this one function with all that it calls, each call would touch the room
    /// of every task, 92 KiB, the first one of a start, too.)
    pub fn start(&mut self, effect: Effect) -> Option<TerminalEffect> {
        match effect {
            Effect::LoadConfiguration => self.load(),
            Effect::RereadConfiguration => self.again.notify_one(),
            Effect::Set { key, value } => self.set_word(key, value),
            Effect::Probe(effect) => self.probe(effect),
            Effect::Store(effect) => self.store(effect),
            Effect::Vault(effect) => self.vault(effect),
            Effect::SharedToken(effect) => self.shared_token(effect),
            Effect::Reveal(name, slot) => self.reveal(name, slot),
            Effect::Clipboard(effect) => self.clipboard(effect),
            Effect::Tokens(TokensEffect::FindUnfinished) => self.find_unfinished(),
            Effect::Tokens(effect) => self.tokens(effect),
            Effect::Watching(effect) => self.watching(effect),
            Effect::Terminal(effect) => return Some(effect),
        }
        None
    }

    #[inline(never)]
    fn load(&mut self) {
        let (core, queue, banner) = (self.core.clone(), self.queue.clone(), self.banner.clone());
        let again = Arc::clone(&self.again);
        self.own(Key::Configuration, async move {
            // Taken before it is read: a change in between is told.
            let mut changes = core.changes();
            let (mut read, mut call) = ReadingTasks::begin(&core, banner, &queue).await;
            loop {
                let asked = tokio::select! {
                    () = read.until_due(changes.next()) => false,
                    () = again.notified() => true,
                };
                // One that can't be looked at (the folder's permission is gone) is no call.
                if let Some(last) = core.lock_call().await
                    && call.replace(last).is_some_and(|before| before != last)
                {
                    queue.tell(Message::Vault(VaultMessage::LockRequested));
                }
                if asked {
                    read.again(&core, &queue).await;
                } else {
                    read.again_where_due(&core, &queue).await;
                }
            }
        });
    }

    #[inline(never)]
    fn set_word(&mut self, key: String, value: String) {
        let core = self.core.clone();
        self.answer(Key::Set, async move {
            match core.set(&key, &value).await {
                Ok(()) => Message::Noticed(format!("{key} is {value} from now on")),
                Err(error) => Message::Noticed(error_chain(&error)),
            }
        });
    }

    #[inline(never)]
    fn probe(&mut self, effect: ProbeEffect) {
        let core = self.core.clone();
        match effect {
            ProbeEffect::Start {
                target,
                generation,
                trigger,
                draft,
                origin_confirmed,
            } => {
                let draft = draft.map(|draft| (draft, origin_confirmed));
                self.start_probe(target, generation, trigger, draft);
            }
            ProbeEffect::Cancel(target) => {
                self.tasks.remove(&Key::Probe(target));
            }
            ProbeEffect::Resume(name) => self.answer(Key::Resume, async move {
                match core.resume(&name).await {
                    Ok(Some(_)) => Message::Probe(ProbeMessage::Resumed(name)),
                    Ok(None) => Message::Noticed(not_paused(core.quiet_until(&name).await)),
                    Err(error) => Message::Noticed(error_chain(&error)),
                }
            }),
            ProbeEffect::ResumeDraft(draft) => self.answer(Key::Resume, async move {
                match resume(&core, *draft).await {
                    Ok(true) => Message::Probe(ProbeMessage::DraftResumed),
                    Ok(false) => Message::Noticed(NOT_PAUSED.to_owned()),
                    Err(error) => Message::Noticed(error_chain(&error)),
                }
            }),
        }
    }

    fn start_probe(
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
                let (target, checks) = (whose.clone(), Box::new(checks.clone()));
                told.tell(Message::Probe(ProbeMessage::Progressed {
                    target,
                    generation,
                    checks,
                }));
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
            queue.tell(Message::Probe(ProbeMessage::Finished {
                target,
                generation,
                verdict,
            }));
        });
    }

    /// Ends the tasks, and clears the clipboard where it is still ours. Gives the bytes for the terminal. Whoever looks
    /// at the files of the configuration begins nothing, and ends with the runtime: the prompt need not wait for it.
    pub async fn end(&mut self) -> Option<Cleared> {
        self.tasks.retain(|key, _| *key == Key::Configuration);
        tokio::time::timeout(LAST_CLEARING, self.core.clear_clipboard())
            .await
            .ok()
            .flatten()
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
