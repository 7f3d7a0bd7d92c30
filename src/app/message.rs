//! Everything that can happen to the model, on one page. Past tense, or `…Requested`.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use crossterm::event::{KeyEvent, MouseEvent};
use jiff::Timestamp;

use super::effect::{ScreenEnd, Target};
use super::model::Pane;
use super::tokens::TokensMessage;
use super::watching::{WatchingMessage, WatchingSettings};
use crate::domain::{
    Cause, Checks, Connection, Handle, HandleSlot, Name, Origin, PassphrasePurpose, Secret,
    SecretRef, Verdict,
};
use crate::service::Catalog;

/// Something happened. The time it happened at is handed to `update` beside it.
#[derive(Debug, Clone, PartialEq)]
pub enum Message {
    /// A key outside secret fields.
    Key(KeyEvent),
    /// A key or paste for a secret field; masked in Debug, compared in constant time.
    SecretInput(SecretInput),
    /// Pasted outside secret fields; raw, as it came.
    Pasted(String),
    /// Only while the mouse is on, with the pane under it. Used for the wheel; clicks come as [`Message::Clicked`].
    Mouse(MouseEvent, Option<Pane>),
    /// A click into a pane, so many rows below its first one: the loop asks the screen where that is.
    Clicked(Pane, u16),
    /// The terminal has this many columns and rows now.
    Resized(u16, u16),
    /// The line that what scrolls can begin with at most: the help where it is open, else the response pane. Only the
    /// screen knows, which wraps the lines; the loop asks it before every key.
    Measured(u16),
    /// The time that `Model::next_wake` asked for has come.
    Woke,

    /// The configuration was read (at start, or because another copy of the program changed it).
    ConfigurationLoaded(Box<Loaded>),
    /// It could not be read; one sentence with file and line. Nothing was changed.
    ConfigurationFailed(String),

    /// Something about probes.
    Probe(ProbeMessage),
    /// Something about what is saved of connections.
    Store(StoreMessage),
    /// Something about the lock.
    Vault(VaultMessage),
    /// Something about the token that a connection shares with its CMS.
    SharedToken(SharedTokenMessage),
    /// A handle to show for ten seconds.
    Revealed {
        /// Whose.
        name: Name,
        /// Which of its handles.
        slot: HandleSlot,
        /// The handle, or why not.
        result: Result<Handle, Cause>,
    },
    /// Something about the clipboard.
    Clipboard(ClipboardMessage),
    /// Something about tokens at a service.
    Tokens(TokensMessage),
    /// Something about watching.
    Watching(WatchingMessage),
    /// Something to say in the footer.
    Noticed(String),
    /// The end is asked for from outside: by a signal, or because the terminal went away.
    EndRequested(ScreenEnd),
    /// A stop is asked for from outside, by its signal.
    StopRequested,
}

/// What came of probes.
#[derive(Debug, Clone, PartialEq)]
pub enum ProbeMessage {
    /// A rung of a running probe ended.
    Progressed {
        /// Whose probe.
        target: Target,
        /// As in the effect that started it: an older one is dropped.
        generation: u64,
        /// All rungs so far.
        checks: Box<Checks>,
    },
    /// A probe ended.
    Finished {
        /// Whose probe.
        target: Target,
        /// As in the effect that started it: an older one is dropped.
        generation: u64,
        /// What it found.
        verdict: Box<Verdict>,
    },
    /// The watcher began a scheduled probe.
    WatchStarted(Name),
    /// The watcher's probe ended.
    Watched(Box<Verdict>),
    /// A key's pause was lifted.
    Resumed(Name),
    /// The pause of the form's key was lifted.
    DraftResumed,
}

/// What came of reading and writing what is saved.
#[derive(Debug, Clone, PartialEq)]
pub enum StoreMessage {
    /// The stored secrets of the connection being edited are at hand, or why not.
    SecretsLoaded {
        /// Whose.
        name: Name,
        /// Its key.
        key: Result<Option<Secret>, Cause>,
        /// The origin that is kept beside the key; `None` where none is kept.
        key_origin: Option<Origin>,
        /// Its token.
        token: Result<Option<Secret>, Cause>,
    },
    /// Since when the values behind these are what they are; of others that is not known.
    HandlesDated(HashMap<SecretRef, Timestamp>),
    /// The draft was saved under this name; so many older values could not be taken out of their stores.
    Saved(Box<Connection>, usize),
    /// It was not; one sentence. The draft is kept.
    SaveFailed(String),
    /// Saving needs a place for secrets: what this machine offers.
    StoreNeeded(Vec<StoreOffer>),
    /// A connection was removed; so many of its values are left in a store that could not be opened.
    Removed(Name, usize),
    /// A connection or a token of it was not; one sentence.
    RemoveFailed(String),
    /// A further handle was stored: the connection as it is now.
    TokenAdded(Box<Connection>),
    /// It was not; one sentence.
    TokenAddFailed(String),
    /// A further token was removed.
    TokenRemoved {
        /// The connection without it.
        connection: Box<Connection>,
        /// What it was called.
        label: String,
        /// Whether its value is still in its place, which could not be opened.
        left_behind: bool,
    },
}

/// What became of the lock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum VaultMessage {
    /// The vault is locked, or there is none yet.
    PassphraseNeeded(PassphrasePurpose),
    /// The passphrase was right; what waited for it goes on.
    Unlocked,
    /// It was not, or the vault is damaged; one sentence.
    UnlockFailed(String),
    /// Keys and values are gone from memory.
    Locked,
    /// The same where there is no vault that a passphrase could open again.
    Forgot,
    /// Another program of this user asks to lock: `secret lock`.
    LockRequested,
}

/// What came of the token that a connection shares with its CMS.
#[derive(Debug, Clone, PartialEq)]
pub enum SharedTokenMessage {
    /// A new one for this connection, or why there is none.
    Made(Name, Result<Secret, Cause>),
    /// That of this connection was checked.
    Checked(Name, Box<Verdict>),
}

/// What became of the clipboard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClipboardMessage {
    /// Something was copied, or not: the footer's words, and when it will be cleared.
    Copied(Copied),
    /// The terminal says that it takes a clipboard: `more` is known of what was sent there, where the footer has
    /// said `less`.
    Announced {
        /// How the footer's words began.
        less: &'static str,
        /// How they begin now.
        more: &'static str,
    },
    /// It was cleared, or found to hold another's text; the footer's words.
    Cleared(String),
}

/// What the configuration holds.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Loaded {
    /// All connections, in the order of the file.
    pub connections: Vec<Arc<Connection>>,
    /// Sentences to show: unknown keys, odd modes.
    pub warnings: Vec<String>,
    /// Seconds until the clipboard is cleared; 0 never.
    pub clipboard_clear_s: u32,
    /// Idle minutes until secrets are locked; 0 never.
    pub lock_after_min: u32,
    /// Nothing moves that need not.
    pub reduce_motion: bool,
    /// Keys remapped by the user: action name → key text.
    pub keys: Vec<(String, String)>,
    /// The order of the list by name, if set.
    pub order: Option<String>,
    /// The services, with those that the user describes; those of the program where absent.
    pub catalog: Option<Catalog>,
    /// What the settings say of watching.
    pub watching: WatchingSettings,
    /// Text for the Response pane at first (the demo's credentials to try).
    pub banner: Vec<String>,
    /// Whether there is a store that a passphrase opens, and it is locked.
    pub locked: bool,
}

/// A place where secrets can be kept, and whether it works on this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreOffer {
    /// What a new reference of it looks like, as `vault:NAME/key`.
    pub reference: SecretRef,
    /// Shown to the user.
    pub label: String,
    /// Why it does not work here, if so.
    pub unavailable: Option<String>,
}

/// What came of a copy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Copied {
    /// Where it went and how sure that is: "→ your terminal (OSC 52)".
    pub words: String,
    /// Whether anything was copied at all.
    pub placed: bool,
    /// Seconds until it is cleared; `None` never.
    pub clears_in_s: Option<u32>,
}

/// Input for a secret field.
#[derive(Clone)]
pub enum SecretInput {
    /// One key.
    Key(KeyEvent),
    /// A paste.
    Paste(Secret),
}

impl fmt::Debug for SecretInput {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretInput(•)")
    }
}

impl PartialEq for SecretInput {
    fn eq(&self, other: &Self) -> bool {
        let text = |input: &Self| match input {
            Self::Key(key) => (Secret::new(format!("{key:?}")), true),
            Self::Paste(secret) => (secret.clone(), false),
        };
        text(self) == text(other)
    }
}
