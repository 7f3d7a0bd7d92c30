//! What the screen asks of the token API: each answer comes back under the number of its question.
//!
//! The account of a connection stays open between questions, as it keeps its connections to the service; the
//! key in it is dropped with the lock, with another connection, and where the service refused it.

mod changes;
mod words;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;

use super::{Effects, Key};
use crate::app::Message;
use crate::app::effect::TokenCopy;
use crate::app::tokens::account::LastUse;
use crate::app::tokens::exchange::{Offered, RowPage};
use crate::app::tokens::sheet::{Ending, Ends};
use crate::app::tokens::{
    TokenRow, TokensAnswer, TokensEffect, TokensMessage, TokensQuery, TroubleKind,
};
use crate::clipboard::Life;
use crate::domain::text::inert;
use crate::domain::token::{Direction, Order, header_of};
use crate::domain::{Handle, Name, Secret};
use crate::tokens::{Rql, Term, TokenQuery};
use crate::work::tokens::{Account, KnownCertificate, TokenError};
use crate::work::{Core, WorkError};

fn ending_of(certificate: KnownCertificate) -> Ending {
    let KnownCertificate {
        connection,
        subject,
        ends,
        ..
    } = certificate;
    Ending {
        connection,
        what: Ends::Certificate { subject },
        at: ends,
    }
}

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
    fn of(query: &TokensQuery, name: &Name) -> Self {
        match query {
            TokensQuery::Page { .. } => Self::Page,
            TokensQuery::LastUse { .. } => Self::Use,
            TokensQuery::Token { .. } => Self::Read,
            TokensQuery::Usage { .. } => Self::Usage,
            TokensQuery::Extensions | TokensQuery::Modules => Self::Catalog,
            TokensQuery::Endings => Self::Endings(name.clone()),
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
    #[inline(never)]
    pub(super) fn tokens(&mut self, effect: TokensEffect) {
        let (core, accounts) = (self.core.clone(), self.accounts.clone());
        let asked = effect.clone();
        match effect {
            TokensEffect::Query {
                name,
                generation,
                query,
            } => self.ask(Task::of(&query, &name), asked, async move {
                let account = accounts.of(&core, &name).await?;
                let answer = self::query(&account, name, query).await?;
                Ok(TokensMessage::Answered { generation, answer })
            }),
            TokensEffect::Change {
                name,
                generation,
                change,
            } => self.ask(Task::Change(generation), asked, async move {
                let account = accounts.of(&core, &name).await?;
                let answer = changes::change(&account, change).await?;
                Ok(TokensMessage::ChangeAnswered { generation, answer })
            }),
            TokensEffect::Renewal {
                generation,
                renewal,
            } => {
                let queue = self.queue.clone();
                self.ask(Task::Change(generation), asked, async move {
                    let steps = changes::steps(generation, queue);
                    let renewed = changes::renew(&core, &accounts, renewal, &steps).await?;
                    let result = Ok(Box::new(renewed));
                    Ok(TokensMessage::Renewed { generation, result })
                });
            }
            TokensEffect::Reveal { name, id } => self.ask(Task::Reveal, asked, async move {
                let result = Ok(handle(&core, &accounts, &name, &id).await?);
                Ok(TokensMessage::Revealed { name, id, result })
            }),
            TokensEffect::Copy { name, id, form } => self.copy_token(name, id, form),
            TokensEffect::CopyHeld(handle) => {
                self.copy(async move { core.copy_secret(handle.secret(), Life::Program).await });
            }
            TokensEffect::FindUnfinished => self.find_unfinished(),
            TokensEffect::FindCertificates => self.ask(Task::Journal, asked, async move {
                let known = core.certificates().await?.into_iter();
                let endings = known.map(ending_of).collect();
                Ok(TokensMessage::CertificatesFound(Ok(endings)))
            }),
            TokensEffect::DropKeys => accounts.forget(),
            TokensEffect::Forget => {
                self.tasks
                    .retain(|key, _| !matches!(key, Key::Tokens(task) if task.reads()));
                accounts.forget();
            }
        }
    }

    /// Looks for renewals that were begun and not ended.
    #[inline(never)]
    pub(super) fn find_unfinished(&mut self) {
        let core = self.core.clone();
        self.ask(Task::Journal, TokensEffect::FindUnfinished, async move {
            let unfinished = core.unfinished_renewals().await?;
            Ok(TokensMessage::UnfinishedFound(Ok(unfinished)))
        });
    }

    /// Runs what comes of `effect`. Where it fails, the answer says why; where the vault must be opened first,
    /// `effect` comes back.
    fn ask(
        &mut self,
        task: Task,
        effect: TokensEffect,
        asked: impl Future<Output = Result<TokensMessage, TokenError>> + Send + 'static,
    ) {
        let (accounts, queue) = (self.accounts.clone(), self.queue.clone());
        self.own(Key::Tokens(task), async move {
            let answer = match asked.await {
                Ok(message) => Some(message),
                Err(TokenError::Work(WorkError::PassphraseNeeded(what))) => {
                    Some(TokensMessage::PassphraseNeeded(what, Box::new(effect)))
                }
                Err(error) => {
                    let trouble = words::trouble(error);
                    if trouble.kind == TroubleKind::Rejected {
                        accounts.forget();
                    }
                    effect.failed(trouble)
                }
            };
            if let Some(answer) = answer {
                queue.tell(Message::Tokens(answer));
            }
        });
    }

    /// The vault may be locked: then what was asked for comes back, and goes on once it is open.
    fn copy_token(&mut self, name: Name, id: String, form: TokenCopy) {
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
                    let effect = Box::new(TokensEffect::Copy { name, id, form });
                    let needed = TokensMessage::PassphraseNeeded(what, effect);
                    queue.tell(Message::Tokens(needed));
                    // An earlier copy is still cleared when its time has come.
                    Ok(None)
                }
                Err(error) => Err(WorkError::failed("not copied", error)),
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

/// Reads what was asked of the account behind the connection `name`.
async fn query(
    account: &Account,
    name: Name,
    query: TokensQuery,
) -> Result<TokensAnswer, TokenError> {
    let now = Timestamp::now();
    Ok(match query {
        TokensQuery::Page { listing, offset } => {
            let query = TokenQuery::of(&listing, now).from_row(offset);
            let page = Ok(page(account, &query).await?);
            TokensAnswer::Page { offset, page }
        }
        TokensQuery::LastUse { id } => {
            let used = account.usage(&id).await?.last_used();
            TokensAnswer::LastUse(Ok(used.map_or(LastUse::Never, LastUse::On)))
        }
        TokensQuery::Token { id } => {
            let row = words::row(account.whole_token(&id).await?);
            TokensAnswer::Token(Ok(Box::new(row)))
        }
        TokensQuery::Usage { id } => TokensAnswer::Usage(Ok(account.usage(&id).await?)),
        TokensQuery::Extensions => TokensAnswer::Extensions(Ok(offered(account).await?)),
        TokensQuery::Modules => TokensAnswer::Modules(Ok(account.modules().await?)),
        TokensQuery::Endings => {
            let rows = Ok(page(account, &endings(now)).await?.rows);
            TokensAnswer::Endings { name, rows }
        }
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
