//! What has become of a renewal whose answer was lost: the service is asked what it shows now.
//!
//! A connection that runs on a renewed secret, and renews once more, may have lost its key with the answer: the first
//! secret of the token goes on to its own end, and is kept beside the journal until the outcome is known, to look with.

use jiff::{SignedDuration, Timestamp};

use super::account::Account;
use super::problem::TokenError;
use super::renewal::Renewal;
use crate::domain::token::RenewalAction;
use crate::domain::{Name, Reason, Secret, SecretRef, error_chain};
use crate::store::SecretPlace;
use crate::tokens::{Token, TokenProblem};

/// A request that was not answered may still arrive for so long.
const ON_THE_WAY: SignedDuration = SignedDuration::from_mins(2);

/// A token as the service shows it, and whether a cache had kept that.
type Shown = (Token, bool);

impl Renewal<'_> {
    /// The new secret, as the service shows it now. `lost` says how the answer was lost just now; without it
    /// the renewal was begun by a program that is gone.
    pub(super) async fn looked_up(&mut self, lost: Option<String>) -> Result<Secret, TokenError> {
        let (token, from_cache) = match self.shown_by_the_service().await? {
            Ok(shown) => shown,
            Err(problem) => {
                let why = error_chain(&problem);
                return Err(self.undecided(why.trim_end_matches('.').to_owned()));
            }
        };
        if let Some(new) = self.new_in(&token).await? {
            self.shown = token;
            return Ok(new);
        }
        let shows_secrets = token.secret.is_some() || token.renewed_secret.is_some();
        let long_ago = Timestamp::now().duration_since(self.record.began) > ON_THE_WAY;
        if shows_secrets && long_ago && lost.is_none() && !from_cache {
            self.end().await?;
            return Err(TokenError::NeverHappened {
                id: self.record.token.clone(),
                action: self.record.action,
                since: self.record.began,
            });
        }
        let shows_none = || {
            let who = if from_cache { "a cache" } else { "the service" };
            format!("{who} shows no new secret yet")
        };
        Err(self.undecided(lost.unwrap_or_else(shows_none)))
    }

    /// The token as the service shows it to the key in use, or to the first secret where that key is refused; fails
    /// with what is true where no secret that is kept here is accepted any more.
    async fn shown_by_the_service(&mut self) -> Result<Result<Shown, TokenError>, TokenError> {
        let shown = self.shown_to(self.account).await;
        let Err(problem) = &shown else {
            return Ok(shown);
        };
        if !self.has_lost_its_key(problem).await? {
            return Ok(shown);
        }
        let shown = match self.account_of_the_first().await {
            Some(account) => self.shown_to(&account).await,
            None => return Err(self.lost()),
        };
        match shown {
            Err(problem) if is_refusal(&problem) => Err(self.lost()),
            Err(TokenError::Paused { .. }) => Err(self.lost()),
            shown => Ok(shown),
        }
    }

    async fn shown_to(&self, account: &Account) -> Result<Shown, TokenError> {
        let id = self.record.token.clone();
        let asked = account.ask(|client| async move { client.token_shown(&id).await });
        asked.await
    }

    /// Whether the key in use is one of this token's, and is refused by now: nothing can be looked up with it. That is
    /// written down, as a key that is paused for its refusals is not sent again, and goes on being refused. (A pause
    /// alone shows nothing: the host may have asked for it, or other keys have brought it about.)
    async fn has_lost_its_key(&mut self, problem: &TokenError) -> Result<bool, TokenError> {
        if !self.is_about_its_own_key() {
            return Ok(false);
        }
        let id = &self.record.token;
        let own = self.account.digest(id, Some(&self.account.key)).await?;
        let was_refused = self.record.refused.is_some() && self.record.refused == own;
        if matches!(problem, TokenError::Paused { .. }) {
            return Ok(was_refused);
        }
        let is_refused = is_refusal(problem);
        if is_refused && !was_refused {
            self.record.refused = own;
            self.write_down().await?;
        }
        Ok(is_refused)
    }

    /// Whether it asks with a secret of the token that is renewed.
    fn is_about_its_own_key(&self) -> bool {
        (self.record.token).eq_ignore_ascii_case(self.account.own_id())
    }

    fn undecided(&self, why: String) -> TokenError {
        TokenError::Undecided {
            id: self.record.token.clone(),
            action: self.record.action,
            since: self.record.began,
            leaves_the_old: self.leaves_the_old(),
            why,
        }
    }

    fn lost(&self) -> TokenError {
        let holders = self.record.holdings.iter();
        let mut names: Vec<_> = holders
            .filter_map(|held| Name::parse(&held.connection).ok())
            .collect();
        if names.is_empty() {
            names.push(self.account.name().clone());
        }
        TokenError::Lost {
            id: self.record.token.clone(),
            action: self.record.action,
            since: self.record.began,
            names,
        }
    }

    /// The secret in `token` that was not there before.
    pub(super) async fn new_in(&self, token: &Token) -> Result<Option<Secret>, TokenError> {
        for secret in [&token.renewed_secret, &token.secret].into_iter().flatten() {
            let digest = self
                .account
                .digest(&self.record.token, Some(secret))
                .await?;
            if digest != self.record.old && digest != self.record.earlier {
                return Ok(Some(secret.clone()));
            }
        }
        Ok(None)
    }

    /// Chooses a place for the token's first secret, where the key in use is the renewed one that may be dead with the
    /// answer.
    pub(super) async fn choose_place_of_the_first(&mut self) -> Result<(), TokenError> {
        let is_at_stake = self.record.action == RenewalAction::Renew
            && self.is_about_its_own_key()
            && !self.leaves_the_old();
        let mut first = self.shown.secret.iter();
        if !is_at_stake || first.all(|first| *first == self.account.key) {
            return Ok(());
        }
        let connections = self.core().connections().await?;
        let place = self.new_place(&self.account.connection, &connections, Vec::new());
        let place = place.await?;
        self.record.first = Some(place).filter(|place| *place != SecretRef::Ask);
        Ok(())
    }

    /// Puts the first secret into its place. Where that fails nothing is asked of the service.
    pub(super) async fn keep_the_first(&self) -> Result<(), TokenError> {
        let (Some(place), Some(first)) = (&self.record.first, &self.shown.secret) else {
            return Ok(());
        };
        let put = self.put_at(&self.account.connection, place, first).await;
        if put.is_err() {
            self.end().await?;
        }
        put
    }

    /// The account, asked with the first secret.
    async fn account_of_the_first(&self) -> Option<Account> {
        let place = self.record.first.as_ref()?;
        let (first, _) = self.at(&self.account.connection, place).await?;
        self.account.with_key(first).await.ok()
    }

    /// Nothing is left to be done.
    pub(super) async fn end(&self) -> Result<(), TokenError> {
        let (origin, token) = (self.record.origin.clone(), self.record.token.clone());
        self.core()
            .journal(move |state| state.end_renewal(&origin, &token))
            .await?;
        if let Some(first) = self.record.first.clone() {
            let place = SecretPlace::key(self.account.name());
            self.core().take_out(vec![(first, place)]).await;
        }
        Ok(())
    }
}

/// Whether the service itself refused the key just now.
fn is_refusal(problem: &TokenError) -> bool {
    match problem {
        TokenError::Api(TokenProblem::Refused(refusal)) => {
            refusal.reason == Reason::CredentialsRejected && !refusal.from_cache
        }
        _ => false,
    }
}
