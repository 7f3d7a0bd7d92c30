//! Errors about tokens in the words of the screen.

use crate::app::tokens::{TokenRow, Trouble, TroubleKind};
use crate::domain::text::inert;
use crate::domain::token::handle_of;
use crate::domain::{Reason, error_chain};
use crate::tokens::TokenProblem;
use crate::work::tokens::{TokenError, WholeToken, undecided, unused};

/// The words of an error, and what can be done about it.
pub(super) fn trouble(error: TokenError) -> Trouble {
    let text = inert(&said(&error), 400);
    let kind = match error {
        TokenError::EarlierEnded { problem, .. } => trouble(*problem).kind,
        TokenError::Api(TokenProblem::Refused(refusal)) => match refusal.status {
            401 if refusal.reason == Reason::CredentialsRejected => TroubleKind::Rejected,
            403 if refusal.reason == Reason::PermissionMissing => {
                TroubleKind::Forbidden(refusal.module.to_owned())
            }
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
        TokenError::NotKept {
            id,
            secret,
            replaces,
            ..
        } => TroubleKind::OnlySecret {
            handle: handle_of(&id, &secret),
            replaces,
        },
        TokenError::RenewedAlready { .. } => TroubleKind::RenewedAlready,
        TokenError::Uncertain { .. } => TroubleKind::Uncertain,
        TokenError::Undecided { .. } | TokenError::Unproven { .. } | TokenError::Unused { .. } => {
            TroubleKind::Unfinished
        }
        TokenError::Lost { .. } => TroubleKind::SecretLost,
        TokenError::Work(_)
        | TokenError::Api(TokenProblem::PlainHttp { .. } | TokenProblem::Local(_))
        | TokenError::NotConnect(..)
        | TokenError::ReadOnly(_)
        | TokenError::KeyMissing(_)
        | TokenError::Url(_)
        | TokenError::SecretUnavailable(_)
        | TokenError::Unbooked(_)
        | TokenError::Unheld { .. }
        | TokenError::NotInForce { .. }
        | TokenError::Busy
        | TokenError::NeverHappened { .. }
        | TokenError::SteppedBack { .. } => TroubleKind::Other,
    };
    Trouble { text, kind }
}

/// A token with its modules, or with why they could not be read.
pub(super) fn row(whole: WholeToken) -> TokenRow {
    TokenRow {
        modules_unread: whole.unread.map(|problem| trouble(problem).text),
        ..TokenRow::of(whole.token)
    }
}

/// A command says to run it again: on the screen a key does that, and the sheet names it.
fn said(error: &TokenError) -> String {
    match error {
        TokenError::Unproven { id, verdict } => format!(
            "the new secret of {id} is kept, and could not be proven now ({})",
            verdict.title
        ),
        TokenError::Undecided {
            id,
            action,
            since,
            leaves_the_old,
            why,
        } => undecided(id, (*action, *leaves_the_old), *since, why),
        TokenError::Unused { id, places, why } => unused(id, places, why),
        TokenError::EarlierEnded { problem, .. } => format!("{error}: {}", said(problem)),
        TokenError::Work(_)
        | TokenError::Api(_)
        | TokenError::Uncertain { .. }
        | TokenError::NotConnect(..)
        | TokenError::ReadOnly(_)
        | TokenError::KeyMissing(_)
        | TokenError::Url(_)
        | TokenError::SecretUnavailable(_)
        | TokenError::Paused { .. }
        | TokenError::Unbooked(_)
        | TokenError::RenewedAlready { .. }
        | TokenError::KeyInUse { .. }
        | TokenError::Unheld { .. }
        | TokenError::NotInForce { .. }
        | TokenError::Lost { .. }
        | TokenError::Busy
        | TokenError::NeverHappened { .. }
        | TokenError::SteppedBack { .. }
        | TokenError::NotKept { .. } => error_chain(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::token::RenewalAction;
    use jiff::Timestamp;

    #[test]
    fn the_screen_runs_no_command() {
        let trouble = trouble(TokenError::Undecided {
            id: "SU-1".to_owned(),
            action: RenewalAction::Renew,
            since: Timestamp::UNIX_EPOCH,
            leaves_the_old: true,
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
