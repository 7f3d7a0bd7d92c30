//! What the screen asks of the token API: each answer comes back under the number of its question.
//!
//! The account of a connection stays open between questions, as it keeps its connections to the service; the
//! key in it is dropped with the lock, with another connection, and where the service refused it.

mod changes;
mod words;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;

use super::super::translate;
use super::{Effects, Key, Queue};
use crate::app::Message;
use crate::app::effect::TokenCopy;
use crate::app::tokens::account::LastUse;
use crate::app::tokens::exchange::{Offered, RowPage};
use crate::app::tokens::{TokenRow, TokensEffect, TokensMessage, TroubleKind};
use crate::clipboard::Life;
use crate::domain::text::inert;
use crate::domain::token::{Direction, Order, header_of};
use crate::domain::{Handle, Name, Secret};
use crate::tokens::{Rql, Term, TokenQuery};
use crate::work::tokens::{Account, TokenError};
use crate::work::{Core, WorkError};

/// What a task about tokens is for: at most one of each runs.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Task {
    Page,
    Use,
    Read,
    Usage,
    Catalog,
    Reveal,
    Endings(Name),
    Journal,
    /// By its number: what changes something is never replaced by another.
    Change(u64),
}

impl Task {
    fn of(effect: &TokensEffect) -> Self {
        match effect {
            TokensEffect::Load { .. } => Self::Page,
            TokensEffect::LookUp { .. } => Self::Use,
            TokensEffect::Read { .. } => Self::Read,
            TokensEffect::ReadUsage { .. } => Self::Usage,
            TokensEffect::ReadExtensions { .. } | TokensEffect::ReadModules { .. } => Self::Catalog,
            TokensEffect::FindEndings { name, .. } => Self::Endings(name.clone()),
            TokensEffect::Create { generation, .. }
            | TokensEffect::Grant { generation, .. }
            | TokensEffect::Edit { generation, .. }
            | TokensEffect::Change { generation, .. }
            | TokensEffect::Renew { generation, .. }
            | TokensEffect::GoOn { generation, .. } => Self::Change(*generation),
            TokensEffect::FindUnfinished | TokensEffect::FindCertificates => Self::Journal,
            TokensEffect::Reveal { .. }
            | TokensEffect::Copy { .. }
            | TokensEffect::CopyHeld(_)
            | TokensEffect::DropKeys
            | TokensEffect::Forget => Self::Reveal,
        }
    }

    /// Whether it only reads: ended by the lock, and where nobody waits any more. What is being changed is
    /// changed.
    pub(super) const fn reads(&self) -> bool {
        !matches!(self, Self::Change(_))
    }
}

/// The open accounts.
#[derive(Clone, Default)]
pub(super) struct Accounts(Arc<Mutex<HashMap<Name, Account>>>);

impl Accounts {
    pub(super) fn forget(&self) {
        self.open().clear();
    }

    async fn of(&self, core: &Core, name: &Name) -> Result<Account, TokenError> {
        let known = self.open().get(name).cloned();
        if let Some(account) = known {
            return Ok(account);
        }
        let account = core.account(name).await?;
        self.open().insert(name.clone(), account.clone());
        Ok(account)
    }

    fn open(&self) -> std::sync::MutexGuard<'_, HashMap<Name, Account>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Effects {
    /// Starts what `effect` asks for.
    pub(super) fn tokens(&mut self, effect: TokensEffect) {
        let (core, accounts) = (self.core.clone(), self.accounts.clone());
        match effect {
            TokensEffect::Forget => {
                self.tasks
                    .retain(|key, _| !matches!(key, Key::Tokens(task) if task.reads()));
                accounts.forget();
            }
            TokensEffect::DropKeys => accounts.forget(),
            TokensEffect::CopyHeld(handle) => {
                self.copy(async move { core.copy_secret(handle.secret(), Life::Program).await });
            }
            TokensEffect::Copy { .. } => self.copy_token(effect),
            effect => {
                let queue = self.queue.clone();
                self.own(Key::Tokens(Task::of(&effect)), async move {
                    if let Some(answer) = answer(&core, &accounts, &effect, &queue).await {
                        queue.tell(Message::Tokens(answer));
                    }
                });
            }
        }
    }

    /// The vault may be locked: then what was asked for comes back, and goes on once it is open.
    fn copy_token(&mut self, effect: TokensEffect) {
        let TokensEffect::Copy { name, id, form } = effect.clone() else {
            return;
        };
        let (core, accounts, queue) =
            (self.core.clone(), self.accounts.clone(), self.queue.clone());
        self.copy_where_ready(async move {
            let secret: fn(&Handle) -> Secret = match form {
                TokenCopy::Username => {
                    return core.copy_text(&id, Life::Program).await.map(Some);
                }
                TokenCopy::Url => {
                    let url = core.connection(&name).await?.url;
                    return core.copy_text(&url, Life::Program).await.map(Some);
                }
                TokenCopy::Handle => |handle| handle.secret().clone(),
                TokenCopy::Header => header_of,
            };
            match handle(&core, &accounts, &name, &id).await {
                Ok(handle) => {
                    let copied = core.copy_secret(&secret(&handle), Life::Program).await;
                    copied.map(Some)
                }
                Err(TokenError::Work(WorkError::PassphraseNeeded(what))) => {
                    let kind = translate::passphrase(what);
                    let needed = TokensMessage::PassphraseNeeded(kind, Box::new(effect));
                    queue.tell(Message::Tokens(needed));
                    // An earlier copy is still cleared when its time has come.
                    Ok(None)
                }
                Err(error) => Err(WorkError::Failed {
                    doing: "not copied".to_owned(),
                    why: crate::store::error_chain(&error),
                }),
            }
        });
    }
}

async fn handle(
    core: &Core,
    accounts: &Accounts,
    name: &Name,
    id: &str,
) -> Result<Handle, TokenError> {
    let account = accounts.of(core, name).await?;
    let token = account.token(id).await?;
    token.full_handle().ok_or_else(|| {
        TokenError::SecretUnavailable(format!(
            "the service does not show the secret of {}",
            inert(id, 60)
        ))
    })
}

async fn answer(
    core: &Core,
    accounts: &Accounts,
    effect: &TokensEffect,
    queue: &Queue,
) -> Option<TokensMessage> {
    match try_answer(core, accounts, effect, queue).await {
        Ok(message) => Some(message),
        Err(TokenError::Work(WorkError::PassphraseNeeded(what))) => {
            let (kind, effect) = (translate::passphrase(what), Box::new(effect.clone()));
            Some(TokensMessage::PassphraseNeeded(kind, effect))
        }
        Err(error) => {
            let trouble = words::trouble(error);
            if trouble.kind == TroubleKind::Rejected {
                accounts.forget();
            }
            effect.clone().failed(trouble)
        }
    }
}

async fn try_answer(
    core: &Core,
    accounts: &Accounts,
    effect: &TokensEffect,
    queue: &Queue,
) -> Result<TokensMessage, TokenError> {
    Ok(match effect.clone() {
        TokensEffect::Load {
            name,
            generation,
            listing,
            offset,
        } => {
            let query = TokenQuery::of(&listing, Timestamp::now()).from_row(offset);
            let page = page(&accounts.of(core, &name).await?, &query).await?;
            TokensMessage::Loaded {
                generation,
                offset,
                page: Ok(page),
            }
        }
        TokensEffect::LookUp {
            name,
            generation,
            id,
        } => {
            let used = accounts
                .of(core, &name)
                .await?
                .usage(&id)
                .await?
                .last_used();
            TokensMessage::LookedUp {
                generation,
                last_used: Ok(used.map_or(LastUse::Never, LastUse::On)),
            }
        }
        TokensEffect::Read {
            name,
            generation,
            id,
        } => TokensMessage::Read {
            generation,
            row: Ok(Box::new(TokenRow::of(
                accounts.of(core, &name).await?.whole_token(&id).await?,
            ))),
        },
        TokensEffect::ReadUsage {
            name,
            generation,
            id,
        } => TokensMessage::UsageRead {
            generation,
            usage: Ok(accounts.of(core, &name).await?.usage(&id).await?),
        },
        other => answer_of_catalog(core, accounts, &other, queue).await?,
    })
}

/// What is asked of the account as a whole, and of this machine.
async fn answer_of_catalog(
    core: &Core,
    accounts: &Accounts,
    effect: &TokensEffect,
    queue: &Queue,
) -> Result<TokensMessage, TokenError> {
    Ok(match effect.clone() {
        TokensEffect::ReadExtensions { name, generation } => TokensMessage::ExtensionsRead {
            generation,
            extensions: Ok(offered(&accounts.of(core, &name).await?).await?),
        },
        TokensEffect::ReadModules { name, generation } => TokensMessage::ModulesRead {
            generation,
            modules: Ok(accounts.of(core, &name).await?.modules().await?),
        },
        TokensEffect::Reveal { name, id } => {
            let result = Ok(handle(core, accounts, &name, &id).await?);
            TokensMessage::Revealed { name, id, result }
        }
        TokensEffect::FindEndings { name, generation } => {
            let page = page(&accounts.of(core, &name).await?, &endings(Timestamp::now())).await?;
            TokensMessage::EndingsFound {
                generation,
                name,
                rows: Ok(page.rows),
            }
        }
        TokensEffect::FindUnfinished => {
            TokensMessage::UnfinishedFound(Ok(core.unfinished_renewals().await?))
        }
        TokensEffect::FindCertificates => {
            let known = core.certificates().await?.into_iter();
            let known = known.map(|known| (known.connection, known.subject, known.ends));
            TokensMessage::CertificatesFound(Ok(known.collect()))
        }
        other => changes::change(core, accounts, &other, queue).await?,
    })
}

async fn page(account: &Account, query: &TokenQuery) -> Result<RowPage, TokenError> {
    let page = account.tokens(query).await?;
    Ok(RowPage {
        rows: page.rows.into_iter().map(TokenRow::of).collect(),
        total: page.total,
        own_id: account.own_id().to_owned(),
    })
}

/// Each extension with what it may still have: a count for each whose quota is known.
async fn offered(account: &Account) -> Result<Vec<Offered>, TokenError> {
    let mut offered = Vec::new();
    for extension in account.extensions().await? {
        let left = account.quota_left(&extension).await?;
        offered.push(Offered { extension, left });
    }
    Ok(offered)
}

/// What ends next, the first page of it.
fn endings(now: Timestamp) -> TokenQuery {
    let from = crate::domain::verdict::whole_seconds(now);
    TokenQuery {
        filter: Some(Rql::And(vec![
            Rql::Ge("expiration_date", Term::Text(from)),
            Rql::Ne("status", Term::from("deleted")),
        ])),
        order: vec![(Order::Expires, Direction::Ascending)],
        ..TokenQuery::default()
    }
}
