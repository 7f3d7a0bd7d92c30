//! Everything that the model can ask of the world, on one page. Imperatives.

use super::draft::Draft;
use super::tokens::TokensEffect;
use super::watching::WatchingEffect;
use crate::domain::{CopyForm, HandleSlot, Name, PassphrasePurpose, Secret, SecretRef, Verdict};
use crate::service::Trigger;

/// Whose probe.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Target {
    /// A saved connection.
    Saved(Name),
    /// What stands in the form.
    Draft,
}

/// How the screen ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScreenEnd {
    /// Its person leaves it.
    Quit,
    /// A signal ends it, or its terminal went away, which is as SIGHUP. The exit code: 128 + the signal's number.
    Signal(u8),
    /// Something in it has panicked.
    Panicked,
    /// For the demo: whoever opened the screen runs it, and opens the screen again.
    Demo,
    /// The same for an import, which asks on the bare terminal.
    Import,
}

impl ScreenEnd {
    /// The exit code of a program that ends with its screen; after a panic the one that the standard library gives.
    pub const fn exit_code(self) -> u8 {
        match self {
            Self::Quit | Self::Demo | Self::Import => 0,
            Self::Signal(code) => code,
            Self::Panicked => 101,
        }
    }
}

/// What of a token is copied. There is no curl command: the service is asked by connections, and not by the
/// tokens of their accounts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenCopy {
    /// The handle as it is pasted elsewhere.
    Handle,
    /// The whole header line.
    Header,
    /// Its id.
    Username,
    /// The URL of the connection that shows it.
    Url,
}

impl TokenCopy {
    /// The same among all that is copied; nothing where tokens have no such form.
    pub const fn of(form: CopyForm) -> Option<Self> {
        match form {
            CopyForm::Handle => Some(Self::Handle),
            CopyForm::Header => Some(Self::Header),
            CopyForm::Username => Some(Self::Username),
            CopyForm::Url => Some(Self::Url),
            CopyForm::Curl => None,
        }
    }
}

/// Something to be done outside. The answer comes back as a message.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Read the configuration, and follow its changes.
    LoadConfiguration,
    /// Read the configuration at once, which could not be read, and tell what came of it.
    RereadConfiguration,
    /// Write a setting.
    Set {
        /// Its key in the configuration.
        key: String,
        /// Its value there, as TOML writes it.
        value: String,
    },
    /// Something about probes that were asked for here.
    Probe(ProbeEffect),
    /// Something about what is saved of connections.
    Store(StoreEffect),
    /// Something about the lock.
    Vault(VaultEffect),
    /// Something about the token that a connection shares with its CMS.
    SharedToken(SharedTokenEffect),
    /// Fetch a handle to show.
    Reveal(Name, HandleSlot),
    /// Something about the clipboard.
    Clipboard(ClipboardEffect),
    /// Something about tokens at a service.
    Tokens(TokensEffect),
    /// Something about watching.
    Watching(WatchingEffect),
    /// Something about the terminal, or the loop itself: done at once, by the loop.
    Terminal(TerminalEffect),
}

/// What is asked about probes.
#[derive(Clone, Debug, PartialEq)]
pub enum ProbeEffect {
    /// Probe. A newer probe of the same target replaces the older one.
    Start {
        /// Whose.
        target: Target,
        /// Comes back with the answers.
        generation: u64,
        /// How far to go.
        trigger: Trigger,
        /// The form's content where the target is the draft.
        draft: Option<Box<Draft>>,
        /// The person agreed to send the stored key to the draft's origin.
        origin_confirmed: bool,
    },
    /// End the probe of this target, if one runs: the connection is closed.
    Cancel(Target),
    /// Lift the pause of a connection's key.
    Resume(Name),
    /// Lift the pause of the key in the form.
    ResumeDraft(Box<Draft>),
}

/// What is asked about saved connections and their secrets.
#[derive(Clone, Debug, PartialEq)]
pub enum StoreEffect {
    /// Get the secrets of a connection for its form.
    LoadSecrets(Name),
    /// Find out since when the values behind these are what they are.
    DateHandles(Vec<SecretRef>),
    /// Save the form's content.
    Save {
        /// What to save.
        draft: Box<Draft>,
        /// The saved connection that it replaces (its name may have changed).
        replaces: Option<Name>,
        /// Where new secrets go, once chosen.
        store: Option<SecretRef>,
    },
    /// Remove a connection and its secrets.
    Remove(Name),
    /// Keep a further handle for a connection.
    AddToken {
        /// Whose.
        name: Name,
        /// What it is called.
        label: String,
        /// The handle.
        value: Secret,
        /// Where it goes, once chosen.
        store: Option<SecretRef>,
    },
    /// Remove a further token of a connection.
    RemoveToken {
        /// Whose.
        name: Name,
        /// What it is called.
        label: String,
    },
}

/// What is asked about the lock.
#[derive(Clone, Debug, PartialEq)]
pub enum VaultEffect {
    /// Open or create the vault.
    Unlock {
        /// Which of the two.
        kind: PassphrasePurpose,
        /// Wiped after use.
        passphrase: Secret,
    },
    /// Forget keys and values, clear the clipboard.
    Lock,
}

/// What is asked about the token that a connection shares with its CMS.
#[derive(Clone, Debug, PartialEq)]
pub enum SharedTokenEffect {
    /// Make one for the form of this connection.
    Make(Name),
    /// Ask the CMS by a signed call whether it has the connection's.
    Check(Name),
}

/// What is asked of the clipboard.
#[derive(Clone, Debug, PartialEq)]
pub enum ClipboardEffect {
    /// Copy a handle that is held here.
    CopyHandle {
        /// Whose.
        name: Name,
        /// Which handle.
        slot: HandleSlot,
        /// In which form.
        form: CopyForm,
    },
    /// Copy a text that is not secret: a snippet, a corrected URL.
    CopyText(String),
    /// Copy the ticket on this verdict of a saved connection, worded for whoever must act. No secret.
    CopyTicket {
        /// Whose.
        name: Name,
        /// As the screen shows it.
        verdict: Box<Verdict>,
    },
    /// Clear the clipboard now, if it is still ours.
    Clear,
    /// The same, and nothing of a copy that is under way arrives there any more.
    TakeBack,
}

/// What is asked of the terminal and of the loop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TerminalEffect {
    /// Ring its bell.
    Bell,
    /// Raise its notification: an inert text of names and words.
    Notify(String),
    /// Switch mouse reports on or off.
    Mouse(bool),
    /// Suspend the program (Ctrl-Z outside fields).
    Suspend,
    /// Draw every cell anew.
    Redraw,
    /// Leave the loop.
    End(ScreenEnd),
}
