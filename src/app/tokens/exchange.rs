//! What is asked of the token API, and what came of it.

use jiff::Timestamp;

use super::account::{LastUse, TokenRow};
use crate::app::effect::{TokenCopy, Unlock};
use crate::domain::token::{
    Difference, Expiry, Extension, Guard, Listing, Module, NewToken, RenewalAction, RenewalStep,
    TokenEdit, Unfinished, Usage,
};
use crate::domain::{Handle, Name};

/// What is done to a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenOperation {
    /// Made.
    Create,
    /// Its fields and modules are changed.
    Edit,
    /// Switched on.
    Enable,
    /// Switched off.
    Disable,
    /// For good.
    Delete,
    /// A second secret, proven.
    Renew,
    /// Another secret at once.
    Rotate,
}

impl TokenOperation {
    /// The verb.
    pub const fn verb(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Edit => "edit",
            Self::Enable => "enable",
            Self::Disable => "disable",
            Self::Delete => "delete",
            Self::Renew => "renew",
            Self::Rotate => "rotate",
        }
    }

    /// The verb once it is done.
    pub const fn done(self) -> &'static str {
        match self {
            Self::Create => "created",
            Self::Edit => "changed",
            Self::Enable => "enabled",
            Self::Disable => "disabled",
            Self::Delete => "deleted",
            Self::Renew => "renewed",
            Self::Rotate => "rotated",
        }
    }
}

/// A token is switched, or taken away: one call each, and nothing to be kept here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Switch {
    /// On.
    Enable,
    /// Off.
    Disable,
    /// For good.
    Delete,
}

impl Switch {
    /// The same among all that is done to a token.
    pub const fn doing(self) -> TokenOperation {
        match self {
            Self::Enable => TokenOperation::Enable,
            Self::Disable => TokenOperation::Disable,
            Self::Delete => TokenOperation::Delete,
        }
    }
}

impl From<RenewalAction> for TokenOperation {
    fn from(action: RenewalAction) -> Self {
        match action {
            RenewalAction::Renew => Self::Renew,
            RenewalAction::Rotate => Self::Rotate,
        }
    }
}

/// Something to be asked. Answers carry the number that was given here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TokensEffect {
    /// One page of an account's list.
    Load {
        /// Through which connection.
        name: Name,
        /// Comes back with the answer.
        generation: u64,
        /// Which rows.
        listing: Listing,
        /// Rows before the page.
        offset: u64,
    },
    /// When a token was used last.
    LookUp {
        /// Through which connection.
        name: Name,
        /// Comes back with the answer.
        generation: u64,
        /// Which token.
        id: String,
    },
    /// One token.
    Read {
        /// Through which connection.
        name: Name,
        /// Comes back with the answer.
        generation: u64,
        /// Which token.
        id: String,
    },
    /// How a token was used.
    ReadUsage {
        /// Through which connection.
        name: Name,
        /// Comes back with the answer.
        generation: u64,
        /// Which token.
        id: String,
    },
    /// What a token can be made for, with the quota left.
    ReadExtensions {
        /// Through which connection.
        name: Name,
        /// Comes back with the answer.
        generation: u64,
    },
    /// The modules of the account.
    ReadModules {
        /// Through which connection.
        name: Name,
        /// Comes back with the answer.
        generation: u64,
    },
    /// Fetch a token's handle to show.
    Reveal {
        /// Through which connection.
        name: Name,
        /// Which token.
        id: String,
    },
    /// Fetch it and copy it.
    Copy {
        /// Through which connection.
        name: Name,
        /// Which token.
        id: String,
        /// As what: the handle, the header line with it, its id, the URL.
        form: TokenCopy,
    },
    /// Copy a handle that is held here alone.
    CopyHeld(Handle),
    /// Make a token and let it into modules.
    Create {
        /// Through which connection.
        name: Name,
        /// Comes back with the answer.
        generation: u64,
        /// What it is made of.
        new: NewToken,
        /// Granted afterwards.
        modules: Vec<String>,
    },
    /// Go on with granting.
    Grant {
        /// Through which connection.
        name: Name,
        /// Comes back with the answer.
        generation: u64,
        /// Which token.
        id: String,
        /// What is missing.
        modules: Vec<String>,
    },
    /// Change fields and modules.
    Edit {
        /// Through which connection.
        name: Name,
        /// Comes back with the answer.
        generation: u64,
        /// Which token.
        id: String,
        /// What changes of the fields.
        edit: TokenEdit,
        /// What changes of the modules.
        difference: Difference,
        /// Whether modules are taken from a token that connections run on.
        guard: Guard,
    },
    /// Enable, disable or delete.
    Change {
        /// Through which connection.
        name: Name,
        /// Comes back with the answer.
        generation: u64,
        /// Which token.
        id: String,
        /// Which of the three.
        switch: Switch,
        /// Lifted once the person was warned that connections run on it.
        guard: Guard,
    },
    /// Renew or rotate.
    Renew {
        /// Through which connection.
        name: Name,
        /// Comes back with the answer.
        generation: u64,
        /// Which token.
        id: String,
        /// Which of the two.
        how: RenewalAction,
        /// When the new secret ends; never where absent.
        expires: Option<String>,
        /// As above.
        guard: Guard,
    },
    /// Look for renewals that were begun and have not ended.
    FindUnfinished,
    /// Go on with one.
    GoOn {
        /// Comes back with the answer.
        generation: u64,
        /// Which.
        unfinished: Unfinished,
    },
    /// What ends next of an account: one page.
    FindEndings {
        /// Through which connection.
        name: Name,
        /// Comes back with the answer.
        generation: u64,
    },
    /// When certificates end, as earlier probes found: nobody is asked.
    FindCertificates,
    /// Settings of connections have changed: their keys are fetched anew.
    DropKeys,
    /// Nobody waits for what is being read any more; the keys in hand are dropped.
    Forget,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq)]
pub enum TokensMessage {
    /// A page came, or not.
    Loaded {
        /// Of which request.
        generation: u64,
        /// Rows before the page.
        offset: u64,
        /// The page.
        page: Result<RowPage, Trouble>,
    },
    /// A token's last use is known, or not.
    LookedUp {
        /// Of which request.
        generation: u64,
        /// When.
        last_used: Result<LastUse, Trouble>,
    },
    /// A token came.
    Read {
        /// Of which request.
        generation: u64,
        /// The token.
        row: Result<Box<TokenRow>, Trouble>,
    },
    /// Its use came.
    UsageRead {
        /// Of which request.
        generation: u64,
        /// Its use.
        usage: Result<Usage, Trouble>,
    },
    /// Extensions came.
    ExtensionsRead {
        /// Of which request.
        generation: u64,
        /// Each with the tokens that it may still have, where that is known.
        extensions: Result<Vec<Offered>, Trouble>,
    },
    /// Modules came.
    ModulesRead {
        /// Of which request.
        generation: u64,
        /// The modules.
        modules: Result<Vec<Module>, Trouble>,
    },
    /// A handle to show for some seconds.
    Revealed {
        /// Through which connection.
        name: Name,
        /// Which token.
        id: String,
        /// The handle.
        result: Result<Handle, Trouble>,
    },
    /// A token was made, or not.
    Created {
        /// Of which request.
        generation: u64,
        /// What exists now.
        made: Result<Box<Made>, Trouble>,
    },
    /// A token was changed, or not.
    Edited {
        /// Of which request.
        generation: u64,
        /// What was done.
        edited: Result<Box<Changed>, Trouble>,
    },
    /// A token was enabled, disabled or deleted, or not.
    Switched {
        /// Of which request.
        generation: u64,
        /// The token as it is now, where the service shows it.
        row: Result<Option<Box<TokenRow>>, Trouble>,
    },
    /// A renewal has come further.
    StepReached {
        /// Of which request.
        generation: u64,
        /// This was done.
        step: RenewalStep,
    },
    /// A renewal or rotation has ended.
    Renewed {
        /// Of which request.
        generation: u64,
        /// How.
        result: Result<Box<RenewedTo>, Trouble>,
    },
    /// Renewals that were begun and have not ended, or why that can't be told.
    UnfinishedFound(Result<Vec<Unfinished>, Trouble>),
    /// What ends of one account.
    EndingsFound {
        /// Of which request.
        generation: u64,
        /// Through which connection.
        name: Name,
        /// The tokens that end, what ends next first.
        rows: Result<Vec<TokenRow>, Trouble>,
    },
    /// Certificates of connections, with subject and end, as earlier probes found; or why they can't be read.
    CertificatesFound(Result<Vec<(Name, String, Timestamp)>, Trouble>),
    /// The vault must be opened first; what was asked for comes back.
    PassphraseNeeded(Unlock, Box<TokensEffect>),
}

/// One page of rows.
#[derive(Debug, Clone, PartialEq)]
pub struct RowPage {
    /// As they came.
    pub rows: Vec<TokenRow>,
    /// Rows of the whole list, where the service said it.
    pub total: Option<u64>,
    /// The id of the key in use.
    pub own_id: String,
}

/// An extension with its quota.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offered {
    /// The extension.
    pub extension: Extension,
    /// Tokens that it may still have, where that is known.
    pub left: Option<u64>,
}

/// A token that exists now.
#[derive(Debug, Clone, PartialEq)]
pub struct Made {
    /// As it is.
    pub row: TokenRow,
    /// Modules that it should have been let into and was not.
    pub missing: Vec<String>,
    /// Why.
    pub trouble: Option<Trouble>,
}

/// What was changed.
#[derive(Debug, Clone, PartialEq)]
pub struct Changed {
    /// As it is now, where the service shows it.
    pub row: Option<TokenRow>,
    /// What is still to be done.
    pub left: Difference,
    /// Why.
    pub trouble: Option<Trouble>,
}

/// A renewal that ended well.
#[derive(Debug, Clone, PartialEq)]
pub struct RenewedTo {
    /// Which token.
    pub id: String,
    /// Whether it was renewed or rotated.
    pub action: RenewalAction,
    /// What an earlier run had begun, and was ended first.
    pub earlier: Option<RenewalAction>,
    /// Connections that use the new secret now.
    pub updated: Vec<Name>,
    /// Connections that could not be looked into, each with a sentence.
    pub unread: Vec<(Name, String)>,
    /// When the new secret ends.
    pub expires: Expiry,
    /// Until when the old one is valid.
    pub old_until: Expiry,
    /// Places of the old secret that could not be emptied.
    pub left_behind: Vec<String>,
}

/// Why something did not come, or was not done.
#[derive(Debug, Clone, PartialEq)]
pub struct Trouble {
    /// One or two sentences, inert.
    pub text: String,
    /// What can be done about it.
    pub kind: TroubleKind,
}

/// Kinds of trouble.
#[derive(Debug, Clone, PartialEq)]
pub enum TroubleKind {
    /// 401.
    Rejected,
    /// 403: the module that the key lacks.
    Forbidden(String),
    /// 404.
    Missing,
    /// 429: nothing is sent before.
    Quiet(Timestamp),
    /// The key is paused by the lock-out budget.
    Paused(Option<Timestamp>),
    /// 5xx.
    Failed,
    /// No answer.
    Unanswered,
    /// Not what the API sends.
    Unreadable,
    /// The token is a key that these connections run on.
    InUse(Vec<Name>),
    /// It was begun, and the same asked for again goes on with it.
    Unfinished,
    /// It replaces the secret of an earlier renewal, which nobody has agreed to.
    RenewedAlready,
    /// A change whose answer was lost: whether it was done is not known.
    Uncertain,
    /// A new secret that could not be kept.
    OnlySecret {
        /// With it.
        handle: Handle,
        /// The secret that was in use is dead: this is the only one that works.
        replaces: bool,
    },
    /// Anything else.
    Other,
}

impl TroubleKind {
    /// A few words that say what it is.
    pub fn headline(&self) -> String {
        match self {
            Self::Rejected => "the key was refused (401)".to_owned(),
            Self::Forbidden(module) => format!("this key lacks the module {module} (403)"),
            Self::Missing => "not found (404)".to_owned(),
            Self::Quiet(until) => format!("the service asks to wait until {} (429)", clock(*until)),
            Self::Paused(Some(until)) => format!("the key is paused until {}", clock(*until)),
            Self::Paused(None) => "the key is paused".to_owned(),
            Self::Failed => "the service failed".to_owned(),
            Self::Unanswered => "no answer".to_owned(),
            Self::Unreadable => "the answer is not what this API sends".to_owned(),
            Self::InUse(_) => "connections run on it".to_owned(),
            Self::Unfinished => "it has not ended yet".to_owned(),
            Self::RenewedAlready => "it was renewed already".to_owned(),
            Self::Uncertain => "whether it was done is not known".to_owned(),
            Self::OnlySecret { .. } => "the new secret could not be kept".to_owned(),
            Self::Other => "it was not done".to_owned(),
        }
    }
}

fn clock(at: Timestamp) -> String {
    at.strftime("%H:%M:%S UTC").to_string()
}
