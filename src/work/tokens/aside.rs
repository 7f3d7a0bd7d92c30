//! Renewals that something else ends than the command that began them: a probe goes on with whatever it finds of its
//! connections. Whoever began it was told to give the same command again; then it is told how it ended. Renewed once
//! more the token would lose the secret that has just been handed out.

use jiff::Timestamp;

use super::super::core::Core;
use super::account::Account;
use super::outcome::unheard;
use super::problem::TokenError;
use super::renewal::ends_of;
use crate::domain::error_chain;
use crate::domain::token::{RenewalAction, Renewed, Unfinished};

impl Core {
    /// Goes on with a renewal that was begun earlier, where whoever began it is not there: that one is told once the
    /// same is asked for again.
    pub async fn resume_renewal_aside(
        &self,
        unfinished: &Unfinished,
    ) -> Result<Renewed, TokenError> {
        let _sole = self.sole_renewal().await?;
        let (account, renewed) = self.go_on_with(unfinished, &unheard).await?;
        if let Err(problem) = account.note_aside(&renewed).await {
            tracing::warn!(problem = %error_chain(&problem), "who began a renewal will not be told how it ended");
        }
        Ok(renewed)
    }
}

impl Account {
    async fn note_aside(&self, renewed: &Renewed) -> Result<(), TokenError> {
        let (origin, id) = (self.origin.to_string(), renewed.id.clone());
        let action = renewed.action;
        let noted = self
            .core
            .journal(move |state| state.note_ended_aside((&origin, &id), action, Timestamp::now()));
        noted.await
    }

    /// How such a renewal of the token `id` ended, where nobody was told; from now on somebody was.
    pub(super) async fn ended_aside(
        &self,
        id: &str,
        action: RenewalAction,
    ) -> Result<Option<Renewed>, TokenError> {
        let (origin, token) = (self.origin.to_string(), id.to_owned());
        let found = self
            .core
            .journal(move |state| state.ended_aside((&origin, &token), action, Timestamp::now()));
        let Some(at) = found.await? else {
            return Ok(None);
        };
        let token = self.token(id).await?;
        let running = self.running_on(id).await?.running;
        let (origin, forgotten) = (self.origin.to_string(), id.to_owned());
        self.core
            .journal(move |state| state.forget_ended_aside(&origin, &forgotten))
            .await?;
        // Somebody has taken it back meanwhile.
        if action == RenewalAction::Renew && !token.is_renewed() {
            return Ok(None);
        }
        let (expires, old_until) = ends_of(&token, false);
        Ok(Some(Renewed {
            id: id.to_owned(),
            action,
            earlier: None,
            updated: running,
            unread: Vec::new(),
            verdicts: Vec::new(),
            expires,
            old_until,
            left_behind: Vec::new(),
            resumed: true,
            aside: Some(at),
        }))
    }
}
