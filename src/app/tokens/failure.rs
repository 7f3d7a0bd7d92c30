//! What was asked for and did not come, or was not done: why, and the answer that says so.

use jiff::Timestamp;

use super::exchange::{
    ChangeAnswer, TokensAnswer, TokensChange, TokensEffect, TokensMessage, TokensQuery,
};
use crate::domain::{Handle, Name};

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
    /// 429, or `Retry-After`: nothing is sent before.
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
    /// It has not ended, and the secret in use is refused: a person has to enter the new one.
    SecretLost,
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
            Self::Quiet(until) => format!("the service asks to wait until {}", clock(*until)),
            Self::Paused(Some(until)) => format!("the key is paused until {}", clock(*until)),
            Self::Paused(None) => "the key is paused".to_owned(),
            Self::Failed => "the service failed".to_owned(),
            Self::Unanswered => "no answer".to_owned(),
            Self::Unreadable => "the answer is not what this API sends".to_owned(),
            Self::InUse(_) => "connections run on it".to_owned(),
            Self::Unfinished => "it has not ended yet".to_owned(),
            Self::SecretLost => "the secret in use is refused".to_owned(),
            Self::RenewedAlready => "it was renewed already".to_owned(),
            Self::Uncertain => "whether it was done is not known".to_owned(),
            Self::OnlySecret { .. } => "the new secret could not be kept".to_owned(),
            Self::Other => "it was not done".to_owned(),
        }
    }
}

impl TokensEffect {
    /// The answer that says why not; `None` for what is asked without an answer.
    pub fn failed(self, trouble: Trouble) -> Option<TokensMessage> {
        Some(match self {
            Self::Query {
                name,
                generation,
                query,
            } => TokensMessage::Answered {
                generation,
                answer: query.failed(name, trouble),
            },
            Self::Change {
                generation, change, ..
            } => TokensMessage::ChangeAnswered {
                generation,
                answer: change.failed(trouble),
            },
            Self::Renewal { generation, .. } => {
                let result = Err(trouble);
                TokensMessage::Renewed { generation, result }
            }
            Self::Reveal { name, id } | Self::Copy { name, id, .. } => {
                let result = Err(trouble);
                TokensMessage::Revealed { name, id, result }
            }
            Self::FindUnfinished => TokensMessage::UnfinishedFound(Err(trouble)),
            Self::FindCertificates => TokensMessage::CertificatesFound(Err(trouble)),
            Self::CopyHeld(_) | Self::DropKeys | Self::Forget => return None,
        })
    }

    /// Whether it changes something at the service.
    pub const fn is_change(&self) -> bool {
        matches!(self, Self::Change { .. } | Self::Renewal { .. })
    }
}

impl TokensQuery {
    /// The answer that says why nothing came of the account behind the connection `name`.
    fn failed(self, name: Name, trouble: Trouble) -> TokensAnswer {
        match self {
            Self::Page { offset, .. } => TokensAnswer::Page {
                offset,
                page: Err(trouble),
            },
            Self::LastUse { .. } => TokensAnswer::LastUse(Err(trouble)),
            Self::Token { .. } => TokensAnswer::Token(Err(trouble)),
            Self::Usage { .. } => TokensAnswer::Usage(Err(trouble)),
            Self::Extensions => TokensAnswer::Extensions(Err(trouble)),
            Self::Modules => TokensAnswer::Modules(Err(trouble)),
            Self::Endings => TokensAnswer::Endings {
                name,
                rows: Err(trouble),
            },
        }
    }
}

impl TokensChange {
    /// The answer that says why it was not made.
    fn failed(self, trouble: Trouble) -> ChangeAnswer {
        match self {
            Self::Create { .. } => ChangeAnswer::Created(Err(trouble)),
            Self::Grant { .. } | Self::Edit { .. } => ChangeAnswer::Edited(Err(trouble)),
            Self::Switch { .. } => ChangeAnswer::Switched(Err(trouble)),
        }
    }
}

fn clock(at: Timestamp) -> String {
    at.strftime("%H:%M:%S UTC").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_journal_that_cannot_be_read_is_not_an_empty_one() {
        let trouble = Trouble {
            text: "history.sqlite is damaged".to_owned(),
            kind: TroubleKind::Other,
        };
        for (effect, expected) in [
            (
                TokensEffect::FindUnfinished,
                TokensMessage::UnfinishedFound(Err(trouble.clone())),
            ),
            (
                TokensEffect::FindCertificates,
                TokensMessage::CertificatesFound(Err(trouble.clone())),
            ),
        ] {
            assert_eq!(effect.failed(trouble.clone()), Some(expected));
        }
    }
}
