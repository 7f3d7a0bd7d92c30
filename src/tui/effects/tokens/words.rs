//! Errors about tokens in the words of the screen.

use crate::app::tokens::{Trouble, TroubleKind};
use crate::domain::Reason;
use crate::domain::text::inert;
use crate::domain::token::handle_of;
use crate::tokens::TokenProblem;
use crate::work::tokens::{TokenError, undecided, unused};

/// The words of an error, and what can be done about it.
pub(super) fn trouble(error: TokenError) -> Trouble {
    let text = inert(&said(&error), 400);
    let kind = match error {
        TokenError::EarlierEnded { problem, .. } => trouble(*problem).kind,
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
        TokenError::Undecided { .. }
        | TokenError::Unproven { .. }
        | TokenError::Unused { .. }
        | TokenError::Lost { .. } => TroubleKind::Unfinished,
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
        TokenError::Undecided {
            id,
            action,
            since,
            why,
        } => undecided(id, *action, *since, why),
        TokenError::Unused { id, places, why } => unused(id, places, why),
        TokenError::EarlierEnded { problem, .. } => format!("{error}: {}", said(problem)),
        other => crate::domain::error_chain(other),
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
