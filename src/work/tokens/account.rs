//! The account behind one connection: its client, behind the lock-out budget like every other use of a key.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use jiff::Timestamp;

use super::super::desk::{Desk, Inner};
use super::super::draft::Slot;
use super::super::errand::host_of;
use super::super::error::WorkError;
use super::super::gate::LockoutGate;
use super::super::profile;
use super::super::secrets::{Trust, origin_of};
use super::problem::TokenError;
use crate::config::Environment;
use crate::domain::budget::AttemptEnd;
use crate::domain::token::Guard;
use crate::domain::{Connection, Endpoint, HostPort, Name, Origin, Secret, ServiceId};
use crate::probe::{Gate, Permit, Ticket, budget};
use crate::service::{Held, Ladder, Subject};
use crate::tokens::{
    Extension, Module, Page, Permission, Proxies, Token, TokenClient, TokenProblem, TokenQuery,
    Usage, Way,
};

/// The API's own lists are slower than a probe: no request has less time than this.
const LEAST_TIME: Duration = Duration::from_secs(30);

/// The account behind a connection. Clones share connections and what is known of the key.
#[derive(Clone)]
pub struct Account {
    pub(super) desk: Desk,
    pub(super) connection: Connection,
    pub(super) origin: Origin,
    pub(super) client: TokenClient,
    pub(super) key: Secret,
    host: HostPort,
    /// The key was accepted by this service in this session: no more attempts are booked.
    accepted: Arc<AtomicBool>,
}

impl Desk {
    /// Opens the account behind `name`. Sends nothing. Asks for the passphrase where the key is in a locked
    /// vault.
    pub async fn account(&self, name: &Name) -> Result<Account, TokenError> {
        let connection = self.connection(name).await?;
        if connection.service != ServiceId::connect() {
            return Err(TokenError::NotConnect(name.clone(), connection.service));
        }
        if connection.key.is_none() {
            return Err(TokenError::KeyMissing(name.clone()));
        }
        let base = Endpoint::parse(&connection.url)
            .map_err(|problem| TokenError::Url(problem.to_string()))?;
        // For the passphrase's sake: below, a locked vault is only a sentence.
        self.secret(&connection, Slot::Key).await?;
        let origin = base.origin();
        let held = self.held(&connection, Slot::Key, Some(&origin), Trust::Saved);
        let key = match held.await {
            Held::Present(key) => key,
            Held::Absent => return Err(TokenError::KeyMissing(name.clone())),
            Held::Unavailable(why) => return Err(TokenError::SecretUnavailable(why)),
        };
        self.account_with(connection, base, key).await
    }

    /// Id and secret as a probe would send them: a pasted pair is split.
    pub(super) async fn pair_of(
        &self,
        connection: &Connection,
        key: &Secret,
    ) -> Result<(String, Secret), WorkError> {
        let service = self.service_of(connection).await?;
        let mut subject = Subject::new(connection.service.clone(), &connection.url);
        subject.username.clone_from(&connection.username);
        subject.key = Held::Present(key.clone());
        let (ladder, _) = Ladder::begin(&service, subject, Timestamp::now());
        Ok(match ladder.pair() {
            Some((id, secret)) => (id.to_owned(), secret.clone()),
            None => (connection.username.trim().to_owned(), key.clone()),
        })
    }

    async fn account_with(
        &self,
        connection: Connection,
        base: Endpoint,
        key: Secret,
    ) -> Result<Account, TokenError> {
        let (id, key) = self.pair_of(&connection, &key).await?;
        if id.is_empty() {
            return Err(TokenError::KeyMissing(connection.name));
        }
        let (for_way, secret) = (connection.clone(), key.clone());
        let origin = base.origin();
        let client = self.blocking(move |inner| {
            let way = way(&for_way, inner)?;
            Ok(TokenClient::new(&base, &id, &secret, &way))
        });
        Ok(Account {
            desk: self.clone(),
            client: client.await??,
            host: host_of(&connection.url).unwrap_or(HostPort {
                host: origin.host.clone(),
                port: origin.port,
            }),
            origin,
            connection,
            key,
            accepted: Arc::default(),
        })
    }
}

impl Account {
    /// The connection that this is the account of.
    pub fn name(&self) -> &Name {
        &self.connection.name
    }

    /// The id of the key in use: the row that is marked "in use".
    pub fn own_id(&self) -> &str {
        self.client.id()
    }

    /// One page of tokens.
    pub async fn tokens(&self, query: &TokenQuery) -> Result<Page<Token>, TokenError> {
        self.ask(self.client.tokens(query)).await
    }

    /// One token.
    pub async fn token(&self, id: &str) -> Result<Token, TokenError> {
        self.ask(self.client.token(id)).await
    }

    /// The modules that a token is let into.
    pub async fn permissions(&self, id: &str) -> Result<Vec<Permission>, TokenError> {
        self.ask(self.client.permissions(id)).await
    }

    /// How often a token was used.
    pub async fn usage(&self, id: &str) -> Result<Usage, TokenError> {
        self.ask(self.client.usage(id)).await
    }

    /// The modules of the account.
    pub async fn modules(&self) -> Result<Vec<Module>, TokenError> {
        self.ask(self.client.modules()).await
    }

    /// What a token can be made for.
    pub async fn extensions(&self) -> Result<Vec<Extension>, TokenError> {
        self.ask(self.client.extensions()).await
    }

    /// How many tokens an extension may still have, where its quota is known. One request, for a count.
    pub async fn quota_left(&self, extension: &Extension) -> Result<Option<u64>, TokenError> {
        let (Some(quota), Some(id)) = (extension.quota, &extension.id) else {
            return Ok(None);
        };
        let count = TokenQuery {
            filter: Some(crate::tokens::Rql::And(vec![
                crate::tokens::Rql::Eq("extension.id", id.as_str().into()),
                crate::tokens::Rql::Ne("status", "deleted".into()),
            ])),
            limit: 0,
            ..TokenQuery::default()
        };
        let page = self.tokens(&count).await?;
        Ok(page.total.map(|used| quota.saturating_sub(used)))
    }

    /// Refuses where the connection is read-only.
    pub(super) fn may_change(&self) -> Result<(), TokenError> {
        if self.connection.read_only {
            return Err(TokenError::ReadOnly(self.connection.name.clone()));
        }
        Ok(())
    }

    /// Refuses `doing` for a token that connections run on, unless the guard was lifted.
    pub(super) async fn guard(
        &self,
        id: &str,
        doing: &'static str,
        guard: Guard,
    ) -> Result<(), TokenError> {
        self.may_change()?;
        if guard == Guard::Lifted {
            return Ok(());
        }
        let names: Vec<_> = self
            .desk
            .connections()
            .await?
            .into_iter()
            .filter(|other| {
                let named = other.username.trim().eq_ignore_ascii_case(id);
                let is_own = other.name == *self.name() && id.eq_ignore_ascii_case(self.own_id());
                (named || is_own)
                    && other.service == self.connection.service
                    && origin_of(&other.url).as_ref() == Some(&self.origin)
            })
            .map(|other| other.name)
            .collect();
        if names.is_empty() {
            return Ok(());
        }
        let id = id.to_owned();
        Err(TokenError::KeyInUse { id, doing, names })
    }

    /// Sends what `request` sends, as far as the lock-out budget lets the key go. Until it was accepted once,
    /// each attempt is booked before; a rejection is booked always.
    pub(super) async fn ask<T>(
        &self,
        request: impl Future<Output = Result<T, TokenProblem>>,
    ) -> Result<T, TokenError> {
        let gate = LockoutGate::new(Arc::clone(&self.desk.0), false);
        let known = self.accepted.load(Ordering::Acquire);
        let booked = if known {
            None
        } else {
            Some(self.book(&gate).await?)
        };
        let answer = request.await;
        let end = end_of(&answer);
        if let Err(TokenProblem::Throttled { until, .. }) = &answer {
            gate.quiet(&self.host, *until).await;
        }
        self.accepted.store(
            end == AttemptEnd::Accepted || (known && end != AttemptEnd::Rejected),
            Ordering::Release,
        );
        match booked {
            Some(mut booked) => booked.settle(&gate, end).await,
            None if end == AttemptEnd::Rejected => {
                if let Ok(mut booked) = self.book(&gate).await {
                    booked.settle(&gate, end).await;
                }
            }
            None => {}
        }
        Ok(answer?)
    }

    async fn book(&self, gate: &LockoutGate) -> Result<Booked, TokenError> {
        match gate.book(&self.host, self.client.id(), &self.key).await {
            Permit::Granted(ticket) => Ok(Booked {
                inner: Arc::clone(&self.desk.0),
                ticket: Some(ticket),
            }),
            Permit::Paused { until, why, .. } => Err(TokenError::Paused { until, why }),
            Permit::Unbooked(why) => Err(TokenError::Unbooked(why)),
        }
    }
}

/// A booked attempt. Dropped before its answer came, because nobody waits for it any more, it says nothing
/// about the key.
struct Booked {
    inner: Arc<Inner>,
    ticket: Option<Ticket>,
}

impl Booked {
    async fn settle(&mut self, gate: &LockoutGate, end: AttemptEnd) {
        if let Some(ticket) = self.ticket.take() {
            gate.settle(ticket, end).await;
        }
    }
}

impl Drop for Booked {
    fn drop(&mut self) {
        let Some(Ticket { host, number }) = self.ticket.take() else {
            return;
        };
        if let Ok(state) = self.inner.state() {
            let now = Timestamp::now();
            let _ = state.update_budget(&host, |record| {
                budget::settle(record, number, AttemptEnd::Inconclusive, now);
            });
            self.inner.settled.notify_waiters();
        }
    }
}

/// What an answer says about the key.
fn end_of<T>(answer: &Result<T, TokenProblem>) -> AttemptEnd {
    match answer {
        Ok(_) => AttemptEnd::Accepted,
        Err(TokenProblem::Refused(refusal)) => match refusal.status {
            401 => AttemptEnd::Rejected,
            400..=499 if refusal.by_service => AttemptEnd::Accepted,
            _ => AttemptEnd::Inconclusive,
        },
        Err(_) => AttemptEnd::Inconclusive,
    }
}

/// How requests of a connection travel. Blocks on its files.
fn way(connection: &Connection, inner: &Inner) -> Result<Way, WorkError> {
    let timeout_s = match connection.timeout_s {
        Some(timeout) => timeout,
        None => inner.configuration()?.settings.timeout_s,
    };
    let timeout = Duration::from_secs(timeout_s.into());
    let profile = profile::read(connection, timeout, &inner.environment)?;
    let endpoint = Endpoint::parse(&connection.url);
    Ok(Way {
        by_proxy: endpoint.is_ok_and(|endpoint| profile.leaves_by_proxy(endpoint.url())),
        timeout: profile.timeout.max(LEAST_TIME),
        proxies: proxies(connection.proxy.as_deref(), &inner.environment),
        extra_roots: profile.extra_roots,
        identity: profile
            .identity
            .map(|identity| (identity.certificate, identity.key)),
        family: profile.family,
        user_agent: profile.user_agent,
        allow_http: connection.allow_http,
        ..Way::default()
    })
}

fn proxies(own: Option<&str>, environment: &Environment) -> Proxies {
    if let Some(own) = own {
        return Proxies::All(own.to_owned());
    }
    let variables = &environment.proxies;
    Proxies::Environment {
        http: variables.http.clone(),
        https: variables.https.clone(),
        all: variables.all.clone(),
        none: variables.no.clone().unwrap_or_default(),
    }
}
