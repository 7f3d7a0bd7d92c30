//! Errors about tokens in the words of the screen.

use crate::app::tokens::{TokensEffect, TokensMessage, Trouble, TroubleKind};
use crate::domain::Reason;
use crate::domain::text::inert;
use crate::domain::token::handle_of;
use crate::domain::verdict::whole_seconds;
use crate::tokens::TokenProblem;
use crate::work::tokens::TokenError;

/// The answer that says why not; `None` for what is asked without an answer.
pub(super) fn failed(effect: &TokensEffect, trouble: Trouble) -> Option<TokensMessage> {
    Some(match effect.clone() {
        TokensEffect::Load {
            generation, offset, ..
        } => TokensMessage::Loaded {
            generation,
            offset,
            page: Err(trouble),
        },
        TokensEffect::LookUp { generation, .. } => TokensMessage::LookedUp {
            generation,
            last_used: Err(trouble),
        },
        TokensEffect::Read { generation, .. } => TokensMessage::Read {
            generation,
            row: Err(trouble),
        },
        TokensEffect::ReadUsage { generation, .. } => TokensMessage::UsageRead {
            generation,
            usage: Err(trouble),
        },
        TokensEffect::ReadExtensions { generation, .. } => TokensMessage::ExtensionsRead {
            generation,
            extensions: Err(trouble),
        },
        TokensEffect::ReadModules { generation, .. } => TokensMessage::ModulesRead {
            generation,
            modules: Err(trouble),
        },
        TokensEffect::Reveal { name, id } | TokensEffect::Copy { name, id, .. } => {
            let result = Err(trouble);
            TokensMessage::Revealed { name, id, result }
        }
        TokensEffect::Create { generation, .. } | TokensEffect::Grant { generation, .. } => {
            let made = Err(trouble);
            TokensMessage::Created { generation, made }
        }
        TokensEffect::Edit { generation, .. } => TokensMessage::Edited {
            generation,
            edited: Err(trouble),
        },
        TokensEffect::Change { generation, .. } => TokensMessage::Switched {
            generation,
            row: Err(trouble),
        },
        TokensEffect::Renew { generation, .. } | TokensEffect::GoOn { generation, .. } => {
            let result = Err(trouble);
            TokensMessage::Renewed { generation, result }
        }
        TokensEffect::FindEndings { name, generation } => TokensMessage::EndingsFound {
            generation,
            name,
            rows: Err(trouble),
        },
        TokensEffect::FindUnfinished => TokensMessage::UnfinishedFound(Err(trouble)),
        TokensEffect::FindCertificates => TokensMessage::CertificatesFound(Err(trouble)),
        TokensEffect::CopyHeld(_) | TokensEffect::DropKeys | TokensEffect::Forget => return None,
    })
}

/// The words of an error, and what can be done about it.
pub(super) fn trouble(error: TokenError) -> Trouble {
    let text = inert(&said(&error), 400);
    let kind = match error {
        TokenError::Api(TokenProblem::Refused(refusal)) => match refusal.status {
            401 if refusal.reason == Reason::CredentialsRejected => TroubleKind::Rejected,
            403 => TroubleKind::Forbidden(refusal.module.to_owned()),
            404 => TroubleKind::Missing,
            500.. => TroubleKind::Failed,
            _ => TroubleKind::Other,
        },
        TokenError::Api(TokenProblem::Throttled { until, .. }) => TroubleKind::Quiet(until),
        TokenError::Api(TokenProblem::Unanswered { .. }) => TroubleKind::Unanswered,
        TokenError::Api(TokenProblem::Unreadable { .. } | TokenProblem::TooLarge { .. }) => {
            TroubleKind::Unreadable
        }
        TokenError::Paused { until, .. } => TroubleKind::Paused(until),
        TokenError::KeyInUse { names, unread, .. } => {
            TroubleKind::InUse(names.into_iter().chain(unread).collect())
        }
        TokenError::NotKept { id, secret, .. } => TroubleKind::OnlySecret(handle_of(&id, &secret)),
        TokenError::Undecided { .. } | TokenError::Unproven { .. } | TokenError::Lost { .. } => {
            TroubleKind::Unfinished
        }
        _ => TroubleKind::Other,
    };
    Trouble { text, kind }
}

/// A command says to run it again: on the screen a key does that, and the sheet names it.
fn said(error: &TokenError) -> String {
    match error {
        TokenError::Unproven { id, verdict } => format!(
            "the new secret of {id} is kept, and could not be proven now ({})",
            verdict.title
        ),
        TokenError::Undecided { id, since, why } => format!(
            "it is undecided whether {id} was renewed (asked at {}): {why}. The old secret is still stored; it \
             is not asked for again until that is known",
            whole_seconds(*since)
        ),
        other => crate::store::error_chain(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::Timestamp;

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
            assert_eq!(failed(&effect, trouble.clone()), Some(expected));
        }
    }

    #[test]
    fn the_screen_runs_no_command() {
        let trouble = trouble(TokenError::Undecided {
            id: "SU-1".to_owned(),
            since: Timestamp::UNIX_EPOCH,
            why: "no answer".to_owned(),
        });
        assert_eq!(trouble.kind, TroubleKind::Unfinished);
        assert!(
            trouble.text.contains("SU-1 was renewed"),
            "{}",
            trouble.text
        );
        assert!(!trouble.text.contains("command"), "{}", trouble.text);
    }
}
