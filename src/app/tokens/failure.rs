//! What was asked for and did not come: the answer that says so.

use super::{TokensEffect, TokensMessage, Trouble};

impl TokensEffect {
    /// The answer that says why not; `None` for what is asked without an answer.
    pub fn failed(self, trouble: Trouble) -> Option<TokensMessage> {
        Some(match self {
            Self::Load {
                generation, offset, ..
            } => TokensMessage::Loaded {
                generation,
                offset,
                page: Err(trouble),
            },
            Self::LookUp { generation, .. } => TokensMessage::LookedUp {
                generation,
                last_used: Err(trouble),
            },
            Self::Read { generation, .. } => TokensMessage::Read {
                generation,
                row: Err(trouble),
            },
            Self::ReadUsage { generation, .. } => TokensMessage::UsageRead {
                generation,
                usage: Err(trouble),
            },
            Self::ReadExtensions { generation, .. } => TokensMessage::ExtensionsRead {
                generation,
                extensions: Err(trouble),
            },
            Self::ReadModules { generation, .. } => TokensMessage::ModulesRead {
                generation,
                modules: Err(trouble),
            },
            Self::Reveal { name, id } | Self::Copy { name, id, .. } => {
                let result = Err(trouble);
                TokensMessage::Revealed { name, id, result }
            }
            Self::Create { generation, .. } => {
                let made = Err(trouble);
                TokensMessage::Created { generation, made }
            }
            Self::Edit { generation, .. } | Self::Grant { generation, .. } => {
                let edited = Err(trouble);
                TokensMessage::Edited { generation, edited }
            }
            Self::Change { generation, .. } => TokensMessage::Switched {
                generation,
                row: Err(trouble),
            },
            Self::Renew { generation, .. } | Self::GoOn { generation, .. } => {
                let result = Err(trouble);
                TokensMessage::Renewed { generation, result }
            }
            Self::FindEndings { name, generation } => TokensMessage::EndingsFound {
                generation,
                name,
                rows: Err(trouble),
            },
            Self::FindUnfinished => TokensMessage::UnfinishedFound(Err(trouble)),
            Self::FindCertificates => TokensMessage::CertificatesFound(Err(trouble)),
            Self::CopyHeld(_) | Self::DropKeys | Self::Forget => return None,
        })
    }

    /// Whether it changes something at the service.
    pub const fn is_change(&self) -> bool {
        matches!(
            self,
            Self::Create { .. }
                | Self::Grant { .. }
                | Self::Edit { .. }
                | Self::Change { .. }
                | Self::Renew { .. }
                | Self::GoOn { .. }
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::tokens::TroubleKind;

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
