//! The account behind one connection: its client, behind the lock-out budget like every other use of a key.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::oneshot;

use super::super::climb::abandoned;
use super::super::core::{Core, Inner};
use super::super::error::WorkError;
use super::super::gate::{self, LockoutGate};
use super::super::profile;
use super::super::secrets::Trust;
use super::problem::TokenError;
use crate::domain::budget::{AttemptEnd, Stop};
use crate::domain::token::Guard;
use crate::domain::{Connection, Endpoint, HandleSlot, HostPort, Name, Origin, Secret, ServiceId};
use crate::probe::{Gate, Permit, Ticket};
use crate::service::{Hindrance, Ladder, SecretState, Subject};
use crate::tokens::{
    Extension, Module, Page, Permission, Route, Token, TokenClient, TokenProblem, TokenQuery, Usage,
};

/// The API's own lists are slower than a probe: no request has less time than this.
const LEAST_TIME: Duration = Duration::from_secs(30);

/// The account behind a connection. Clones share connections and what is known of the key.
#[derive(Clone)]
pub struct Account {
    pub(super) core: Core,
    pub(super) connection: Connection,
    pub(super) origin: Origin,
    pub(super) client: TokenClient,
    pub(super) key: Secret,
    host: HostPort,
    /// The key was accepted by this service in this session: no more attempts are booked.
    accepted: Arc<AtomicBool>,
    /// An earlier probe found the key accepted there: silence is not held against it.
    proven: bool,
}

/// A token as the service shows it, in two calls where one does not tell all.
#[derive(Debug)]
pub struct WholeToken {
    /// Without its modules, where they could not be read.
    pub token: Token,
    /// Why its modules could not be read, where that is so.
    pub unread: Option<TokenError>,
}

impl Core {
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
        let base = Endpoint::parse(&connection.url)?;
        // For the passphrase's sake: below, a locked vault is only a sentence.
        self.secret(&connection, &HandleSlot::Key).await?;
        let origin = base.origin();
        let held = self.held(&connection, &HandleSlot::Key, Some(&origin), Trust::Saved);
        let key = match held.await {
            SecretState::Present(key) => key,
            SecretState::Absent => return Err(TokenError::KeyMissing(name.clone())),
            SecretState::Unavailable(Hindrance { why, .. }) | SecretState::Unrecordable(why) => {
                return Err(TokenError::SecretUnavailable(why));
            }
        };
        self.account_with(connection, base, key).await
    }

    /// Id and secret as a probe would send them: a pasted pair is split.
    pub(in crate::work) async fn pair_of(
        &self,
        connection: &Connection,
        key: &Secret,
    ) -> Result<(String, Secret), WorkError> {
        let service = self.service_of(connection).await?;
        let mut subject = Subject::new(connection.service.clone(), &connection.url);
        subject.username.clone_from(&connection.username);
        subject.key = SecretState::Present(key.clone());
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
        let host = HostPort::of(base.url());
        let made = self.blocking(move |inner| {
            let route = route(&for_way, inner)?;
            let proven = is_proven(&for_way, (&id, &secret), inner);
            Ok((TokenClient::new(&base, &id, &secret, &route), proven))
        });
        let (client, proven) = made.await?;
        Ok(Account {
            core: self.clone(),
            client: client?,
            host,
            origin,
            connection,
            key,
            accepted: Arc::default(),
            proven,
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
        let query = query.clone();
        self.ask(|client| async move { client.tokens(&query).await })
            .await
    }

    /// One token.
    pub async fn token(&self, id: &str) -> Result<Token, TokenError> {
        let id = id.to_owned();
        self.ask(|client| async move { client.token(&id).await })
            .await
    }

    /// One token with its modules: they are asked for where the service does not tell them along with it.
    pub async fn whole_token(&self, id: &str) -> Result<WholeToken, TokenError> {
        let mut whole = WholeToken {
            token: self.token(id).await?,
            unread: None,
        };
        if whole.token.permissions.is_none() {
            match self.permissions(id).await {
                Ok(permissions) => whole.token.permissions = Some(permissions),
                Err(problem) => whole.unread = Some(problem),
            }
        }
        Ok(whole)
    }

    /// The modules that a token is let into.
    pub async fn permissions(&self, id: &str) -> Result<Vec<Permission>, TokenError> {
        let id = id.to_owned();
        self.ask(|client| async move { client.permissions(&id).await })
            .await
    }

    /// How often a token was used.
    pub async fn usage(&self, id: &str) -> Result<Usage, TokenError> {
        let id = id.to_owned();
        self.ask(|client| async move { client.usage(&id).await })
            .await
    }

    /// The modules of the account.
    pub async fn modules(&self) -> Result<Vec<Module>, TokenError> {
        self.ask(|client| async move { client.modules().await })
            .await
    }

    /// What a token can be made for.
    pub async fn extensions(&self) -> Result<Vec<Extension>, TokenError> {
        self.ask(|client| async move { client.extensions().await })
            .await
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

    /// The same account, asked with another secret of the key in use.
    pub(super) async fn with_key(&self, key: Secret) -> Result<Self, TokenError> {
        let connection = Connection {
            username: self.own_id().to_owned(),
            ..self.connection.clone()
        };
        let base = Endpoint::parse(&connection.url)?;
        self.core.account_with(connection, base, key).await
    }

    /// Refuses where the connection is read-only.
    pub(super) fn may_change(&self) -> Result<(), TokenError> {
        if self.connection.read_only {
            return Err(TokenError::ReadOnly(self.connection.name.clone()));
        }
        Ok(())
    }

    /// Refuses `doing` for a token that connections run on, or may run on, unless the guard was lifted, or just
    /// these were agreed to.
    pub async fn guard(
        &self,
        id: &str,
        doing: &'static str,
        guard: Guard,
    ) -> Result<(), TokenError> {
        self.may_change()?;
        if guard == Guard::Lifted {
            return Ok(());
        }
        let users = self.running_on(id).await?;
        let is_agreed =
            |name: &Name| matches!(&guard, Guard::Agreed(agreed) if agreed.contains(name));
        if users.running.iter().chain(&users.unread).all(is_agreed) {
            return Ok(());
        }
        Err(TokenError::KeyInUse {
            id: id.to_owned(),
            doing,
            names: users.running,
            unread: users.unread,
        })
    }

    /// Sends what `request` sends, as far as the lock-out budget lets the key go. Until it was accepted once,
    /// each attempt is booked before; a refusal is booked always.
    pub(super) async fn ask<T, F>(
        &self,
        request: impl FnOnce(TokenClient) -> F,
    ) -> Result<T, TokenError>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, TokenProblem>> + Send + 'static,
    {
        if !self.accepted.load(Ordering::Acquire) {
            let client = if self.proven {
                self.client.afresh()
            } else {
                self.client.once()
            };
            return self.ask_apart(client.clone(), request(client)).await;
        }
        if let Some(Stop { until, why, .. }) = self.stopped().await? {
            let until = Some(until);
            return Err(TokenError::Paused { until, why });
        }
        let gate = LockoutGate::new(Arc::clone(&self.core.0), false);
        let client = self.client.afresh();
        let answer = request(client.clone()).await;
        let end = self.heard(&answer, &client);
        self.quiet(&gate, client.quiet_until()).await;
        if matches!(end, AttemptEnd::Rejected | AttemptEnd::Kept)
            && let Ok(ticket) = self.book(&gate).await
        {
            gate.settle(ticket, end).await;
        }
        Ok(answer?)
    }

    /// Why the key is not sent now, though it was accepted: others, or other programs, may have had the host stop all
    /// keys, or were asked for quiet.
    async fn stopped(&self) -> Result<Option<Stop>, WorkError> {
        let (host, id, key) = (
            self.host.clone(),
            self.client.id().to_owned(),
            self.key.clone(),
        );
        self.core
            .blocking(move |inner| {
                let state = inner.state()?;
                let pair = state.fingerprint(&id, &key);
                Ok(gate::paused(&state, &host, &pair))
            })
            .await
    }

    /// The same with a key that was not accepted yet. It is heard out where nobody waits for it any more, as
    /// a probe is: it has reached the host, which counts it, and it would be open whether it was refused.
    async fn ask_apart<T: Send + 'static>(
        &self,
        client: TokenClient,
        request: impl Future<Output = Result<T, TokenProblem>> + Send + 'static,
    ) -> Result<T, TokenError> {
        let gate = LockoutGate::new(Arc::clone(&self.core.0), false);
        let (mut answer, answered) = oneshot::channel();
        let _waiting = gate.caller().waits();
        let account = self.clone();
        self.core.0.detached.spawn(async move {
            let under_way = gate.under_way();
            let heard = tokio::select! {
                biased;
                heard = account.ask_booked(&gate, &client, request) => Some(heard),
                () = abandoned(&mut answer, under_way) => None,
            };
            if let Some(heard) = heard {
                let _ = answer.send(heard);
            }
        });
        answered.await.unwrap_or_else(|_| {
            Err(TokenError::Work(WorkError::failed(
                "asking the service",
                "the program is shutting down",
            )))
        })
    }

    async fn ask_booked<T>(
        &self,
        gate: &LockoutGate,
        client: &TokenClient,
        request: impl Future<Output = Result<T, TokenProblem>>,
    ) -> Result<T, TokenError> {
        let ticket = self.book(gate).await?;
        let answer = request.await;
        let end = self.heard(&answer, client);
        self.quiet(gate, client.quiet_until()).await;
        gate.settle(ticket, end).await;
        Ok(answer?)
    }

    /// Takes down what an answer says of the key: one that a cache had kept is no proof of it.
    fn heard<T>(&self, answer: &Result<T, TokenProblem>, client: &TokenClient) -> AttemptEnd {
        let known = self.accepted.load(Ordering::Acquire);
        let end = match end_of(answer, known || self.proven) {
            AttemptEnd::Accepted | AttemptEnd::Cached if !client.was_taken() => AttemptEnd::Cached,
            AttemptEnd::Cached => AttemptEnd::Accepted,
            end => end,
        };
        self.accepted.store(
            end == AttemptEnd::Accepted
                || (known && !matches!(end, AttemptEnd::Rejected | AttemptEnd::Kept)),
            Ordering::Release,
        );
        end
    }

    async fn quiet(&self, gate: &LockoutGate, until: Option<Timestamp>) {
        if let Some(until) = until {
            gate.quiet(&self.host, until).await;
        }
    }

    async fn book(&self, gate: &LockoutGate) -> Result<Ticket, TokenError> {
        let known = self.proven || self.accepted.load(Ordering::Acquire);
        let pair = (self.client.id(), &self.key);
        match gate.book(&self.host, pair, known).await {
            Permit::Granted(ticket) => Ok(ticket),
            Permit::Paused { until, why, .. } => Err(TokenError::Paused { until, why }),
            Permit::Unbooked(why) => Err(TokenError::Unbooked(why)),
        }
    }
}

/// What an answer says about the key. Silence counts against one that was never accepted there: it may have
/// been a refusal.
fn end_of<T>(answer: &Result<T, TokenProblem>, proven: bool) -> AttemptEnd {
    match answer {
        Ok(_) => AttemptEnd::Accepted,
        Err(TokenProblem::Refused(refusal)) => match refusal.status {
            401 if refusal.from_cache => AttemptEnd::Kept,
            401 => AttemptEnd::Rejected,
            _ if refusal.from_cache => AttemptEnd::Cached,
            _ if refusal.shows_the_key() => AttemptEnd::Accepted,
            _ => AttemptEnd::Inconclusive,
        },
        Err(TokenProblem::Unanswered {
            sent: true,
            heard: false,
            ..
        }) if !proven => AttemptEnd::Unheard,
        Err(
            TokenProblem::PlainHttp { .. }
            | TokenProblem::Local(_)
            | TokenProblem::Unanswered { .. }
            | TokenProblem::Throttled { .. }
            | TokenProblem::Unreadable { .. }
            | TokenProblem::TooLarge { .. },
        ) => AttemptEnd::Inconclusive,
    }
}

/// Whether a probe of the connection found this pair accepted. Blocks.
fn is_proven(connection: &Connection, (id, key): (&str, &Secret), inner: &Inner) -> bool {
    let Ok(state) = inner.state() else {
        return false;
    };
    let pair = state.fingerprint(id, key);
    let past = state.past(&connection.name, &connection.url);
    past.is_ok_and(|past| past.for_pair(Some(&pair)).accepted.is_some())
}

/// How requests of a connection travel. Blocks on its files.
fn route(connection: &Connection, inner: &Inner) -> Result<Route, WorkError> {
    let timeout_s = match connection.timeout_s {
        Some(timeout) => timeout,
        None => inner.last_configuration()?.settings.timeout_s,
    };
    let timeout = Duration::from_secs(timeout_s.into());
    let profile = profile::read(connection, timeout, &inner.environment)?;
    let (proxy, by_proxy) = match Endpoint::parse(&connection.url) {
        Ok(endpoint) => {
            let proxy = profile.proxy_for(endpoint.url());
            let proxy = proxy.map_err(|why| WorkError::failed("choosing the proxy", why))?;
            (proxy, profile.leaves_by_proxy(endpoint.url()))
        }
        // Whoever asks for the account has said what is wrong with it.
        Err(_) => (None, false),
    };
    Ok(Route {
        proxy,
        by_proxy,
        timeout: profile.timeout.max(LEAST_TIME),
        extra_roots: profile.extra_roots,
        identity: profile
            .identity
            .map(|identity| (identity.certificate, identity.key)),
        family: profile.family,
        user_agent: profile.user_agent,
        allow_http: connection.allow_http,
        ..Route::default()
    })
}
