//! How a renewal or a rotation begins. What an earlier run has begun of the same token is ended first, and told as
//! what it is: a rotation that was asked for is never taken for done because a renewal was. So is what something else has
//! ended since (`aside`).

use jiff::Timestamp;

use super::account::Account;
use super::holders::Holders;
use super::outcome::RenewalProgress;
use super::problem::TokenError;
use super::renewal::Renewal;
use crate::domain::token::{Guard, RenewalAction, RenewalStep, Renewed, Status};
use crate::store::state::{RenewalRecord, RenewalStage};
use crate::tokens::Token;

/// What is asked for.
struct Wanted<'a> {
    id: &'a str,
    /// When the new secret ends; never where absent.
    expires: Option<&'a str>,
    action: RenewalAction,
    guard: Guard,
}

impl Account {
    /// Gives the token a second secret that ends at `expires` (never where absent), proves it, and has every
    /// connection use it. Where that would replace the secret of an earlier renewal, `guard` must be lifted.
    pub async fn renew(
        &self,
        id: &str,
        expires: Option<&str>,
        guard: Guard,
        progress: RenewalProgress<'_>,
    ) -> Result<Renewed, TokenError> {
        self.may_change()?;
        let wanted = Wanted {
            id,
            expires,
            action: RenewalAction::Renew,
            guard,
        };
        self.finish_and_begin(wanted, progress).await
    }

    /// Gives the token another secret at once; the old one is dead. The new one is kept before anything else.
    pub async fn rotate(
        &self,
        id: &str,
        expires: Option<&str>,
        guard: Guard,
        progress: RenewalProgress<'_>,
    ) -> Result<Renewed, TokenError> {
        self.guard(id, "rotating", guard.clone()).await?;
        let wanted = Wanted {
            id,
            expires,
            action: RenewalAction::Rotate,
            guard,
        };
        self.finish_and_begin(wanted, progress).await
    }

    /// Goes on with what is under way. Where that is not what is wanted, that is begun afterwards.
    async fn finish_and_begin(
        &self,
        wanted: Wanted<'_>,
        progress: RenewalProgress<'_>,
    ) -> Result<Renewed, TokenError> {
        let _sole = self.core.sole_renewal().await?;
        let Some(record) = self.under_way(wanted.id).await? else {
            return match self.ended_aside(wanted.id, wanted.action).await? {
                Some(renewed) => Ok(renewed),
                None => self.begin(wanted, progress).await,
            };
        };
        let earlier = record.action;
        let ended = self.resume(record, progress).await;
        if earlier == wanted.action {
            return ended;
        }
        let happened = match ended {
            Ok(_) => true,
            Err(TokenError::NeverHappened { .. }) => false,
            Err(problem) => return Err(problem),
        };
        let id = wanted.id;
        let begun = async {
            // The key in hand may be the one that was just replaced.
            let account = self.core.account(self.name()).await?;
            account.begin(wanted, progress).await
        };
        match begun.await {
            Ok(renewed) => Ok(Renewed {
                earlier: happened.then_some(earlier),
                ..renewed
            }),
            Err(problem) if happened => Err(TokenError::EarlierEnded {
                id: id.to_owned(),
                action: earlier,
                problem: Box::new(problem),
            }),
            Err(problem) => Err(problem),
        }
    }

    async fn begin(
        &self,
        wanted: Wanted<'_>,
        progress: RenewalProgress<'_>,
    ) -> Result<Renewed, TokenError> {
        let token = self.token(wanted.id).await?;
        refuse_not_in_force(&token, wanted.id)?;
        self.refuse_renewed(&token, &wanted).await?;
        let mut renewal = self.renewal_of(token, &wanted, progress).await?;
        renewal.places_can_be_written().await?;
        renewal.choose_place_of_the_first().await?;
        let journaled = renewal.record.clone();
        let found = self
            .core
            .journal(move |state| state.begin_renewal(&journaled));
        if let Some(other) = found.await? {
            return self.resume(other, progress).await;
        }
        renewal.keep_the_first().await?;
        progress(RenewalStep::WrittenDown);
        let new = renewal.asked().await?;
        progress(RenewalStep::Answered);
        renewal.keep(new).await
    }

    /// Refuses where a new secret would take the place of one that is in use, as nobody expects of a renewal.
    async fn refuse_renewed(&self, token: &Token, wanted: &Wanted<'_>) -> Result<(), TokenError> {
        let is_asked = wanted.action == RenewalAction::Rotate || wanted.guard != Guard::On;
        if !token.is_renewed() || is_asked {
            return Ok(());
        }
        let id = wanted.id.to_owned();
        let names = match &token.renewed_secret {
            Some(renewed) => {
                let found = self.holdings(&id, std::slice::from_ref(renewed)).await?;
                let held = found.held.into_iter();
                held.map(|held| held.connection).collect()
            }
            // Then it is not known which of the two it is.
            None => self.running_on(&id).await?.running,
        };
        Err(TokenError::RenewedAlready { id, names })
    }

    /// The renewal of `token` before anything was done: who holds its secrets, and what they are.
    async fn renewal_of<'a>(
        &'a self,
        token: Token,
        wanted: &Wanted<'_>,
        progress: RenewalProgress<'a>,
    ) -> Result<Renewal<'a>, TokenError> {
        let id = wanted.id;
        let is_own = id.eq_ignore_ascii_case(self.own_id());
        let own = is_own.then(|| self.key.clone());
        // A token may have two secrets, and the key in use be a third one where it shows none of them.
        let live = [&token.secret, &token.renewed_secret, &own];
        let live: Vec<_> = live.into_iter().flatten().cloned().collect();
        let Holders {
            holdings,
            held,
            unread,
        } = self.holdings(id, &live).await?;
        if is_own && !held.iter().any(|held| held.connection == *self.name()) {
            return Err(TokenError::Unheld {
                id: id.to_owned(),
                name: self.name().clone(),
            });
        }
        let old = token.secret.clone().or(own);
        let record = RenewalRecord {
            origin: self.origin.to_string(),
            token: id.to_owned(),
            connection: self.name().to_string(),
            action: wanted.action,
            began: Timestamp::now(),
            expires: wanted.expires.map(str::to_owned),
            old: self.digest(id, old.as_ref()).await?,
            earlier: self.digest(id, token.renewed_secret.as_ref()).await?,
            holdings,
            stage: RenewalStage::Asked,
            first: None,
            refused: None,
        };
        Ok(Renewal {
            account: self,
            record,
            held,
            unread,
            kept: Vec::new(),
            resumed: false,
            replaces: wanted.action == RenewalAction::Rotate || token.is_renewed(),
            shown: token,
            progress,
        })
    }
}

/// Refuses where a new secret could not be proven.
fn refuse_not_in_force(token: &Token, id: &str) -> Result<(), TokenError> {
    let status = match token.status {
        Status::Inactive => "disabled",
        Status::Pending => "pending",
        // Of these the service itself says what it thinks of a new secret.
        Status::Active
        | Status::Expiring
        | Status::Expired
        | Status::Revitalised
        | Status::Deleted
        | Status::Other(_)
        | Status::Missing => return Ok(()),
    };
    Err(TokenError::NotInForce {
        id: id.to_owned(),
        status,
    })
}
