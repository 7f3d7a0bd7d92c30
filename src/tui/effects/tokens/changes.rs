//! What changes tokens: sent once, and never ended half-way by what comes after.

use super::super::Queue;
use super::Accounts;
use super::words::trouble;
use crate::app::Message;
use crate::app::tokens::exchange::{Changed, Made, RenewedTo, Switch};
use crate::app::tokens::{TokenRow, TokensEffect, TokensMessage};
use crate::domain::token::{RenewalAction, RenewalStep};
use crate::work::Core;
use crate::work::tokens::{Account, Edited, Renewed, TokenError};

pub(super) async fn change(
    core: &Core,
    accounts: &Accounts,
    effect: &TokensEffect,
    queue: &Queue,
) -> Result<TokensMessage, TokenError> {
    Ok(match effect.clone() {
        TokensEffect::Create {
            name,
            generation,
            new,
            modules,
        } => {
            let account = accounts.of(core, &name).await?;
            let created = account.create(&new, &modules).await?;
            // The answer to a creation knows nothing of the modules.
            let shown = if created.granted.is_empty() {
                None
            } else {
                account.whole_token(&created.id).await.ok()
            };
            let made = Made {
                row: TokenRow::of(shown.unwrap_or(created.token)),
                missing: created.missing,
                trouble: created.problem.map(trouble),
            };
            TokensMessage::Created {
                generation,
                made: Ok(Box::new(made)),
            }
        }
        TokensEffect::Grant {
            name,
            generation,
            id,
            modules,
        } => {
            let account = accounts.of(core, &name).await?;
            let edited = account.grant_all(&id, &modules).await?;
            let changed = changed(&account, &id, edited).await;
            TokensMessage::Edited {
                generation,
                edited: Ok(Box::new(changed)),
            }
        }
        other => edit_or_switch(core, accounts, &other, queue).await?,
    })
}

async fn edit_or_switch(
    core: &Core,
    accounts: &Accounts,
    effect: &TokensEffect,
    queue: &Queue,
) -> Result<TokensMessage, TokenError> {
    Ok(match effect.clone() {
        TokensEffect::Edit {
            name,
            generation,
            id,
            edit,
            difference,
            guard,
        } => {
            let account = accounts.of(core, &name).await?;
            let edited = account.edit(&id, &edit, difference, guard).await?;
            let changed = changed(&account, &id, edited).await;
            TokensMessage::Edited {
                generation,
                edited: Ok(Box::new(changed)),
            }
        }
        TokensEffect::Change {
            name,
            generation,
            id,
            switch,
            guard,
        } => {
            let account = accounts.of(core, &name).await?;
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
            TokensMessage::Switched {
                generation,
                row: Ok(row.map(|token| Box::new(TokenRow::of(token)))),
            }
        }
        other => renew(core, accounts, &other, queue).await?,
    })
}

/// What was changed. The token can't be looked at where the service is quiet, which takes nothing of it back.
async fn changed(account: &Account, id: &str, edited: Edited) -> Changed {
    Changed {
        row: account.whole_token(id).await.ok().map(TokenRow::of),
        left: edited.left,
        trouble: edited.problem.map(trouble),
    }
}

async fn renew(
    core: &Core,
    accounts: &Accounts,
    effect: &TokensEffect,
    queue: &Queue,
) -> Result<TokensMessage, TokenError> {
    let told = queue.clone();
    let steps = move |generation| {
        move |step: RenewalStep| {
            let message = TokensMessage::StepReached { generation, step };
            told.tell(Message::Tokens(message));
        }
    };
    Ok(match effect.clone() {
        TokensEffect::Renew {
            name,
            generation,
            id,
            how,
            expires,
            guard,
        } => {
            let account = accounts.of(core, &name).await?;
            let (steps, expires) = (steps(generation), expires.as_deref());
            let renewed = match how {
                RenewalAction::Rotate => {
                    Box::pin(account.rotate(&id, expires, guard, &steps)).await
                }
                RenewalAction::Renew => Box::pin(account.renew(&id, expires, guard, &steps)).await,
            };
            // The key in hand may be the old one.
            accounts.forget();
            let result = Ok(Box::new(renewed_to(renewed?)));
            TokensMessage::Renewed { generation, result }
        }
        TokensEffect::GoOn {
            generation,
            unfinished,
        } => {
            let steps = steps(generation);
            let renewed = Box::pin(core.resume_renewal(&unfinished, &steps)).await;
            accounts.forget();
            let result = Ok(Box::new(renewed_to(renewed?)));
            TokensMessage::Renewed { generation, result }
        }
        // Answered before, or asked without an answer: named, so that a new one is not taken for them.
        TokensEffect::Load { .. }
        | TokensEffect::LookUp { .. }
        | TokensEffect::Read { .. }
        | TokensEffect::ReadUsage { .. }
        | TokensEffect::ReadExtensions { .. }
        | TokensEffect::ReadModules { .. }
        | TokensEffect::Reveal { .. }
        | TokensEffect::Copy { .. }
        | TokensEffect::CopyHeld(_)
        | TokensEffect::Create { .. }
        | TokensEffect::Grant { .. }
        | TokensEffect::Edit { .. }
        | TokensEffect::Change { .. }
        | TokensEffect::FindUnfinished
        | TokensEffect::FindEndings { .. }
        | TokensEffect::FindCertificates
        | TokensEffect::DropKeys
        | TokensEffect::Forget => TokensMessage::UnfinishedFound(Ok(Vec::new())),
    })
}

fn renewed_to(renewed: Renewed) -> RenewedTo {
    RenewedTo {
        id: renewed.id,
        action: renewed.action,
        earlier: renewed.earlier,
        updated: renewed.updated,
        unread: renewed.unread,
        expires: renewed.expires,
        old_until: renewed.old_until,
        left_behind: renewed
            .left_behind
            .iter()
            .map(ToString::to_string)
            .collect(),
    }
}
