//! What is asked of the token API, and what came of it.

use super::account::{LastUse, TokenRow};
use super::failure::Trouble;
use super::sheet::Ending;
use crate::app::effect::TokenCopy;
use crate::domain::token::{
    Difference, Extension, Guard, Listing, Module, NewToken, RenewalAction, RenewalStep, Renewed,
    TokenEdit, Unfinished, Usage,
};
use crate::domain::{Handle, Name, PassphrasePurpose};

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
    /// Read something of an account: a newer question of its kind replaces the older one.
    Query {
        /// Through which connection.
        name: Name,
        /// Comes back with the answer.
        generation: u64,
        /// What.
        query: TokensQuery,
    },
    /// Change a token: sent once, and never ended half-way.
    Change {
        /// Through which connection.
        name: Name,
        /// Comes back with the answer.
        generation: u64,
        /// What.
        change: TokensChange,
    },
    /// Give a token another secret, which is kept here in place of the old one.
    Renewal {
        /// Comes back with the answers.
        generation: u64,
        /// A new one, or one that was begun.
        renewal: TokensRenewal,
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
    /// Look for renewals that were begun and have not ended.
    FindUnfinished,
    /// When certificates end, as earlier probes found: nobody is asked.
    FindCertificates,
    /// Settings of connections have changed: their keys are fetched anew.
    DropKeys,
    /// Nobody waits for what is being read any more; the keys in hand are dropped.
    Forget,
}

/// What is read of an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TokensQuery {
    /// One page of its list.
    Page {
        /// Which rows.
        listing: Listing,
        /// Rows before the page.
        offset: u64,
    },
    /// When a token was used last.
    LastUse {
        /// Which token.
        id: String,
    },
    /// One token, with its modules.
    Token {
        /// Which token.
        id: String,
    },
    /// How a token was used.
    Usage {
        /// Which token.
        id: String,
    },
    /// What a token can be made for, with the quota left.
    Extensions,
    /// The modules of the account.
    Modules,
    /// What ends next: one page.
    Endings,
}

/// What is changed at a service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TokensChange {
    /// Make a token and let it into modules.
    Create {
        /// What it is made of.
        new: NewToken,
        /// Granted afterwards.
        modules: Vec<String>,
    },
    /// Go on with granting.
    Grant {
        /// Which token.
        id: String,
        /// What is missing.
        modules: Vec<String>,
    },
    /// Change fields and modules.
    Edit {
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
    Switch {
        /// Which token.
        id: String,
        /// Which of the three.
        switch: Switch,
        /// Lifted once the person was warned that connections run on it.
        guard: Guard,
    },
}

/// A token gets another secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TokensRenewal {
    /// Renew or rotate.
    Start {
        /// Through which connection.
        name: Name,
        /// Which token.
        id: String,
        /// Which of the two.
        how: RenewalAction,
        /// When the new secret ends; never where absent.
        expires: Option<String>,
        /// Lifted once the person was warned that connections run on it.
        guard: Guard,
    },
    /// Go on with one that was begun and has not ended.
    Resume(Unfinished),
}

/// What came of it.
#[derive(Debug, Clone, PartialEq)]
pub enum TokensMessage {
    /// What was read of an account.
    Answered {
        /// Of which request.
        generation: u64,
        /// What came.
        answer: TokensAnswer,
    },
    /// A change was made, or not.
    ChangeAnswered {
        /// Of which request.
        generation: u64,
        /// What came of it.
        answer: ChangeAnswer,
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
        result: Result<Box<Renewed>, Trouble>,
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
    /// Renewals that were begun and have not ended, or why that can't be told.
    UnfinishedFound(Result<Vec<Unfinished>, Trouble>),
    /// When certificates of connections end, as earlier probes found; or why that can't be read.
    CertificatesFound(Result<Vec<Ending>, Trouble>),
    /// The vault must be opened first; what was asked for comes back.
    PassphraseNeeded(PassphrasePurpose, Box<TokensEffect>),
}

/// What was read of an account, each as in the [`TokensQuery`] of its name, or why it did not come.
#[derive(Debug, Clone, PartialEq)]
pub enum TokensAnswer {
    /// A page of the list.
    Page {
        /// Rows before the page.
        offset: u64,
        /// The page.
        page: Result<RowPage, Trouble>,
    },
    /// When a token was used last.
    LastUse(Result<LastUse, Trouble>),
    /// A token.
    Token(Result<Box<TokenRow>, Trouble>),
    /// A token's use.
    Usage(Result<Usage, Trouble>),
    /// Extensions, each with the tokens that it may still have, where that is known.
    Extensions(Result<Vec<Offered>, Trouble>),
    /// The modules.
    Modules(Result<Vec<Module>, Trouble>),
    /// What ends of one account.
    Endings {
        /// Through which connection.
        name: Name,
        /// The tokens that end, what ends next first.
        rows: Result<Vec<TokenRow>, Trouble>,
    },
}

/// What came of a change, or why it was not made.
#[derive(Debug, Clone, PartialEq)]
pub enum ChangeAnswer {
    /// A token was made: what exists now.
    Created(Result<Box<Made>, Trouble>),
    /// A token was changed, or let into further modules: what was done.
    Edited(Result<Box<Changed>, Trouble>),
    /// A token was enabled, disabled or deleted: as it is now, where the service shows it.
    Switched(Result<Option<Box<TokenRow>>, Trouble>),
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
