//! What lies over the panes for tokens: details, questions that have the label typed, renewals, expiries.

use jiff::Timestamp;
use tui_input::Input;

use super::Fetch;
use super::account::TokenRow;
use super::exchange::TokenOperation;
use super::failure::{Trouble, TroubleKind};
use super::wizard::Wizard;
use crate::domain::token::{RenewalAction, RenewalStep, Renewed, Unfinished, Usage};
use crate::domain::{Handle, Name};

/// One sheet.
#[derive(Debug)]
pub enum TokenSheet {
    /// One token.
    Details(Box<Details>),
    /// A token being made or changed.
    Wizard(Box<Wizard>),
    /// Something that can't be undone: the label is typed.
    Confirm(Box<Confirm>),
    /// A renewal or rotation: when the new secret ends, its steps, and how it ended.
    Renewal(Box<Renewal>),
    /// Renewals that an earlier run has begun and not ended.
    Unfinished(UnfinishedSheet),
    /// What ends next.
    ExpiryHorizon(ExpiryHorizon),
}

impl TokenSheet {
    /// What its help is called.
    pub const fn title(&self) -> &'static str {
        match self {
            Self::Details(_) => "Token",
            Self::Wizard(_) => "Wizard",
            Self::Confirm(_) => "Confirm",
            Self::Renewal(_) => "Renewal",
            Self::Unfinished(_) => "Renewals that have not ended",
            Self::ExpiryHorizon(_) => "What ends next",
        }
    }

    /// Whether letters type.
    pub fn takes_text(&self) -> bool {
        match self {
            Self::Details(details) => details.filtering,
            Self::Wizard(wizard) => wizard.takes_text(),
            Self::Confirm(_) => true,
            Self::Renewal(renewal) => renewal.stage == RenewalStage::Asking,
            Self::Unfinished(_) | Self::ExpiryHorizon(_) => false,
        }
    }

    /// Whether an answer is on its way that something on the sheet waits for.
    pub fn is_waiting(&self) -> bool {
        match self {
            Self::Details(details) => details.reading.is_loading() || details.usage.is_loading(),
            Self::Wizard(wizard) => wizard.is_waiting(),
            Self::Confirm(confirm) => confirm.sent.is_some(),
            Self::Renewal(renewal) => matches!(renewal.stage, RenewalStage::Running { .. }),
            Self::Unfinished(_) => false,
            Self::ExpiryHorizon(horizon) => {
                horizon.asked.iter().any(|(_, fetch)| fetch.is_loading())
            }
        }
    }

    /// Whether a change that can't be left half-way is on its way.
    pub fn is_under_way(&self) -> bool {
        matches!(self, Self::Renewal(_) | Self::Confirm(_)) && self.is_waiting()
    }

    /// Whether leaving would lose something that was typed.
    pub fn holds_unsaved(&self) -> bool {
        match self {
            Self::Wizard(wizard) => wizard.would_lose(),
            Self::Renewal(_) => self.holds_only_secret(),
            Self::Details(_) | Self::Confirm(_) | Self::Unfinished(_) | Self::ExpiryHorizon(_) => {
                false
            }
        }
    }

    /// Whether a secret of a token is here and nowhere else.
    pub fn holds_only_secret(&self) -> bool {
        matches!(self, Self::Renewal(renewal) if renewal.only_secret().is_some())
    }
}

/// Parts of the details.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tab {
    /// Status, ids, handle, dates, people.
    General,
    /// Modules.
    Permissions,
    /// Requests by status code and day.
    Usage,
}

impl Tab {
    /// In the order of Tab.
    pub const ALL: [Self; 3] = [Self::General, Self::Permissions, Self::Usage];

    /// Its title.
    pub const fn title(self) -> &'static str {
        match self {
            Self::General => "General",
            Self::Permissions => "Permissions",
            Self::Usage => "Usage",
        }
    }
}

/// One token.
#[derive(Debug)]
pub struct Details {
    /// Through which connection.
    pub name: Name,
    /// As it was shown last.
    pub row: TokenRow,
    /// Whether it is being read anew.
    pub reading: Fetch<()>,
    /// Which part is shown.
    pub tab: Tab,
    /// First line shown.
    pub scroll: usize,
    /// The filter of the permissions.
    pub filter: Input,
    /// Whether it has the keys.
    pub filtering: bool,
    /// How it was used; asked for when its part is first shown.
    pub usage: Fetch<Usage>,
}

impl Details {
    /// The details of `row`.
    pub fn of(name: Name, row: TokenRow) -> Self {
        Self {
            name,
            row,
            reading: Fetch::Not,
            tab: Tab::General,
            scroll: 0,
            filter: Input::default(),
            filtering: false,
            usage: Fetch::Not,
        }
    }

    /// The modules that pass the filter: id, name, since when.
    pub fn modules(&self) -> Vec<(&str, &str, String)> {
        let wanted = self.filter.value().trim().to_lowercase();
        let passes = |text: &str| text.to_lowercase().contains(&wanted);
        self.row
            .token
            .permissions()
            .iter()
            .map(|permission| {
                let granted = permission.granted.as_ref();
                (
                    permission.module.as_deref().unwrap_or("–"),
                    permission.name.as_deref().unwrap_or_default(),
                    granted
                        .map(crate::domain::token::Moment::shown)
                        .unwrap_or_default(),
                )
            })
            .filter(|(id, name, _)| passes(id) || passes(name))
            .collect()
    }
}

/// Something that can't be undone, or cuts somebody off.
#[derive(Debug)]
pub struct Confirm {
    /// Through which connection.
    pub name: Name,
    /// Which token.
    pub id: String,
    /// What must be typed.
    pub label: String,
    /// What will be done.
    pub doing: TokenOperation,
    /// The connections that run on it: then the name of one must be typed too.
    pub in_use: Vec<Name>,
    /// The label as typed.
    pub typed: Input,
    /// The connection as typed.
    pub typed_name: Input,
    /// Whether the second line has the cursor.
    pub on_name: bool,
    /// What was wrong.
    pub problem: Option<String>,
    /// The number of the request, once it was sent.
    pub sent: Option<u64>,
}

/// A renewal or rotation.
#[derive(Debug)]
pub struct Renewal {
    /// Through which connection.
    pub name: Name,
    /// Which token.
    pub id: String,
    /// Its label.
    pub label: String,
    /// Which of the two.
    pub how: RenewalAction,
    /// When the new secret ends, as typed.
    pub expires: Input,
    /// What was wrong with that.
    pub problem: Option<String>,
    /// The connections that run on it.
    pub in_use: Vec<Name>,
    /// The token was renewed already: another renewal replaces the renewed secret.
    pub is_renewed: bool,
    /// How far it is.
    pub stage: RenewalStage,
    /// Whether a probe was told of that came before any connection got the new secret: a rotation has none.
    pub proven: bool,
}

/// How far a renewal is.
#[derive(Debug, Clone, PartialEq)]
pub enum RenewalStage {
    /// The end of the new secret is typed.
    Asking,
    /// It runs.
    Running {
        /// The number of the request.
        generation: u64,
        /// The last step that is done.
        reached: Option<RenewalStep>,
    },
    /// It ended well.
    Done(Renewed),
    /// It did not.
    Failed {
        /// Why.
        trouble: Trouble,
        /// The last step that was done.
        reached: Option<RenewalStep>,
    },
}

impl Renewal {
    /// The new secret, where it could not be kept, and whether it has replaced the one that was in use.
    pub fn only_secret(&self) -> Option<(&Handle, bool)> {
        match &self.stage {
            RenewalStage::Failed { trouble, .. } => match &trouble.kind {
                TroubleKind::OnlySecret { handle, replaces } => Some((handle, *replaces)),
                TroubleKind::Rejected
                | TroubleKind::Forbidden(_)
                | TroubleKind::Missing
                | TroubleKind::Quiet(_)
                | TroubleKind::Paused(_)
                | TroubleKind::Failed
                | TroubleKind::Unanswered
                | TroubleKind::Unreadable
                | TroubleKind::InUse(_)
                | TroubleKind::Unfinished
                | TroubleKind::SecretLost
                | TroubleKind::RenewedAlready
                | TroubleKind::Uncertain
                | TroubleKind::Other => None,
            },
            RenewalStage::Asking | RenewalStage::Running { .. } | RenewalStage::Done(_) => None,
        }
    }

    /// Whether the secret that is in use is dead with it, as nobody expects of a renewal: the label is typed first.
    pub fn replaces(&self) -> bool {
        self.how == RenewalAction::Rotate || self.is_renewed
    }
}

/// Renewals that an earlier run has begun and not ended.
#[derive(Debug)]
pub struct UnfinishedSheet {
    /// All of them.
    pub list: Vec<Unfinished>,
    /// Selected row.
    pub row: usize,
}

/// What ends next, of all connections.
#[derive(Debug, Default)]
pub struct ExpiryHorizon {
    /// What ends next is first.
    pub endings: Vec<Ending>,
    /// Selected row.
    pub row: usize,
    /// The accounts, and whether their tokens were asked for.
    pub asked: Vec<(Name, Fetch<()>)>,
}

/// Something that ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ending {
    /// Whose.
    pub connection: Name,
    /// What.
    pub what: Ends,
    /// When.
    pub at: Timestamp,
}

/// What ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ends {
    /// A token of its account.
    Token {
        /// Its id.
        id: String,
        /// Its label.
        label: String,
        /// The connection runs on it.
        in_use: bool,
    },
    /// The certificate of its server.
    Certificate {
        /// Its subject.
        subject: String,
    },
}
