//! What changes tokens: sent once, and never ended half-way by what comes after.

use super::super::Queue;
use super::Accounts;
use super::words::{row, trouble};
use crate::app::Message;
use crate::app::tokens::exchange::{Changed, Made, Switch};
use crate::app::tokens::{ChangeAnswer, TokenRow, TokensChange, TokensMessage, TokensRenewal};
use crate::domain::token::{NewToken, RenewalAction, RenewalStep, Renewed};
use crate::work::Core;
use crate::work::tokens::{Account, Edited, TokenError};

/// Changes a token of `account`, or makes one.
pub(super) async fn change(
    account: &Account,
    change: TokensChange,
) -> Result<ChangeAnswer, TokenError> {
    Ok(match change {
        TokensChange::Create { new, modules } => {
            let made = create(account, &new, &modules).await?;
            ChangeAnswer::Created(Ok(Box::new(made)))
        }
        TokensChange::Grant { id, modules } => {
            let edited = account.grant_all(&id, &modules).await?;
            ChangeAnswer::Edited(Ok(Box::new(changed(account, &id, edited).await)))
        }
        TokensChange::Edit {
            id,
            edit,
            difference,
            guard,
        } => {
            let edited = account.edit(&id, &edit, difference, guard).await?;
            ChangeAnswer::Edited(Ok(Box::new(changed(account, &id, edited).await)))
        }
        TokensChange::Switch { id, switch, guard } => {
            match switch {
                Switch::Enable => drop(account.enable(&id).await?),
                Switch::Disable => drop(account.disable(&id, guard).await?),
                Switch::Delete => account.delete(&id, guard).await?,
            }
            // A key that was just switched off can't look any more; what was asked for is done.
            let row = match switch {
                Switch::Delete => None,
                Switch::Enable | Switch::Disable => account.token(&id).await.ok(),
            };
            ChangeAnswer::Switched(Ok(row.map(|token| Box::new(TokenRow::of(token)))))
        }
    })
}

async fn create(account: &Account, new: &NewToken, modules: &[String]) -> Result<Made, TokenError> {
    let created = account.create(new, modules).await?;
    // The answer to a creation knows nothing of the modules.
    let shown = if created.granted.is_empty() {
        None
    } else {
        account.whole_token(&created.id).await.ok().map(row)
    };
    Ok(Made {
        row: shown.unwrap_or_else(|| TokenRow::of(created.token)),
        missing: created.missing,
        trouble: created.problem.map(trouble),
    })
}

/// What was changed. The token can't be looked at where the service is quiet, which takes nothing of it back.
async fn changed(account: &Account, id: &str, edited: Edited) -> Changed {
    Changed {
        row: account.whole_token(id).await.ok().map(row),
        left: edited.left,
        trouble: edited.problem.map(trouble),
    }
}

/// Tells `queue` each step of the renewal `generation`.
pub(super) fn steps(generation: u64, queue: Queue) -> impl Fn(RenewalStep) + Send + Sync {
    move |step| {
        queue.tell(Message::Tokens(TokensMessage::StepReached {
            generation,
            step,
        }));
    }
}

/// Gives a token another secret. The key in hand may be the old one, and is dropped.
pub(super) async fn renew(
    core: &Core,
    accounts: &Accounts,
    renewal: TokensRenewal,
    steps: &(impl Fn(RenewalStep) + Send + Sync),
) -> Result<Renewed, TokenError> {
    let renewed = match renewal {
        TokensRenewal::Start {
            name,
            id,
            how,
            expires,
            guard,
        } => {
            let account = accounts.of(core, &name).await?;
            let expires = expires.as_deref();
            match how {
                RenewalAction::Rotate => Box::pin(account.rotate(&id, expires, guard, steps)).await,
                RenewalAction::Renew => Box::pin(account.renew(&id, expires, guard, steps)).await,
            }
        }
        TokensRenewal::Resume(unfinished) => {
            Box::pin(core.resume_renewal(&unfinished, steps)).await
        }
    };
    accounts.forget();
    renewed
}
