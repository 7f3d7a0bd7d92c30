//! Renewal that is proven, and rotation: journaled before the service is asked, so that a program that was
//! killed goes on or steps back, and no working secret is ever lost.
//!
//! ```text
//! read the token ─▶ journal: Asked ─▶ POST renew ─▶ journal: Keeping ─▶ put beside the old secret
//!    ─▶ probe with the new one ─▶ configuration names it, journal: Switched ─▶ probe every connection
//!    ─▶ take the old one out ─▶ journal: gone
//! ```
//!
//! An answer that was lost is looked up by GET; nothing is ever renewed twice. A rejection of the new secret
//! steps back to the old one, which is valid until its own end. After a rotation, or where a connection held
//! a renewed secret that is renewed once more, there is no way back, so nothing comes before keeping the new
//! secret. One that no connection keeps is shown by the service, or else handed to whoever asked.

use super::super::core::Core;
use super::account::Account;
use super::holders::HeldSecret;
use super::outcome::{RenewalProgress, unfinished};
use super::problem::TokenError;
use super::steps::{Proof, accepted};
use crate::domain::token::{NotUpdated, RenewalAction, RenewalStep, Renewed, Unfinished};
use crate::domain::{KeyFingerprint, Name, Secret, SecretRef, Verdict, error_chain};
use crate::store::StateDb;
use crate::store::state::{Holding, RenewalRecord, RenewalStage};
use crate::tokens::{Expiry, Token};

/// A renewal under way.
pub(super) struct Renewal<'a> {
    pub(super) account: &'a Account,
    pub(super) record: RenewalRecord,
    /// What the connections held before, as far as it is at hand.
    pub(super) held: Vec<HeldSecret>,
    /// Connections that do not get the new secret.
    pub(super) unread: Vec<NotUpdated>,
    /// Where the new secret is kept by now.
    pub(super) kept: Vec<SecretRef>,
    pub(super) resumed: bool,
    /// Another secret is dead with the answer: that of before a rotation, or that of an earlier renewal.
    pub(super) replaces: bool,
    /// The token as the service showed it last.
    pub(super) shown: Token,
    pub(super) progress: RenewalProgress<'a>,
}

impl Core {
    /// Every renewal that was begun and has not ended. One look at the state; for roots to ask at their
    /// start, and before a connection that is named there is used.
    pub async fn unfinished_renewals(&self) -> Result<Vec<Unfinished>, TokenError> {
        let records = self.journal(StateDb::renewals).await?;
        Ok(records.iter().filter_map(unfinished).collect())
    }

    /// Goes on with a renewal that was begun earlier.
    pub async fn resume_renewal(
        &self,
        unfinished: &Unfinished,
        progress: RenewalProgress<'_>,
    ) -> Result<Renewed, TokenError> {
        let _sole = self.sole_renewal().await?;
        let (_, renewed) = self.go_on_with(unfinished, progress).await?;
        Ok(renewed)
    }

    /// The same, where nobody else renews. Gives the account beside what came of it.
    pub(super) async fn go_on_with(
        &self,
        unfinished: &Unfinished,
        progress: RenewalProgress<'_>,
    ) -> Result<(Account, Renewed), TokenError> {
        let account = self.account(&unfinished.connection).await?;
        match account.under_way(&unfinished.id).await? {
            Some(record) => {
                let renewed = account.resume(record, progress).await?;
                Ok((account, renewed))
            }
            None => Err(TokenError::NeverHappened {
                id: unfinished.id.clone(),
                action: unfinished.action,
                since: unfinished.since,
            }),
        }
    }

    /// Goes on with every renewal that was begun earlier and is about one of `names`; says of each how
    /// it ended, or why the journal can't be read. For roots that are about to use these connections. Whoever began
    /// them is told as well, once the same is asked for again.
    pub async fn resume_renewals_of(
        &self,
        names: &[Name],
    ) -> Result<Vec<(Unfinished, Result<Renewed, TokenError>)>, TokenError> {
        let mut ended = Vec::new();
        for unfinished in self.unfinished_renewals().await? {
            let is_named = |name| names.contains(name);
            if is_named(&unfinished.connection) || unfinished.holders.iter().any(is_named) {
                let resumed = Box::pin(self.resume_renewal_aside(&unfinished)).await;
                ended.push((unfinished, resumed));
            }
        }
        Ok(ended)
    }
}

impl Account {
    /// Whether a renewal of this token was begun, and has not ended.
    pub async fn has_begun(&self, id: &str) -> Result<bool, TokenError> {
        let origin = self.origin.to_string();
        let records = self.core.journal(StateDb::renewals).await?;
        let mut records = records.iter().filter(|record| record.origin == origin);
        Ok(records.any(|record| record.token.eq_ignore_ascii_case(id)))
    }

    /// The renewal of this token that is under way.
    pub(super) async fn under_way(&self, id: &str) -> Result<Option<RenewalRecord>, TokenError> {
        let (origin, id) = (self.origin.to_string(), id.to_owned());
        self.core
            .journal(move |state| state.renewal(&origin, &id))
            .await
    }

    pub(super) async fn resume(
        &self,
        record: RenewalRecord,
        progress: RenewalProgress<'_>,
    ) -> Result<Renewed, TokenError> {
        let mut renewal = Renewal {
            account: self,
            held: Vec::new(),
            unread: Vec::new(),
            kept: Vec::new(),
            resumed: true,
            replaces: record.action == RenewalAction::Rotate || record.earlier.is_some(),
            shown: Token::default(),
            progress,
            record,
        };
        renewal.held = renewal.held_still().await?;
        match renewal.record.stage {
            RenewalStage::Asked => {
                // Else it could not be kept, and of some there is no other.
                if renewal.goes_into_vault().await.unwrap_or(false) {
                    renewal.vault_is_open().await?;
                }
                let new = renewal.looked_up(None).await?;
                progress(RenewalStep::Answered);
                renewal.keep(new).await
            }
            RenewalStage::Keeping => {
                let new = match renewal.kept_already().await? {
                    Some(new) => new,
                    None => renewal.looked_up(None).await?,
                };
                renewal.put_and_go_on(new).await
            }
            RenewalStage::Switched => {
                let new = renewal.kept_already().await?;
                renewal.prove_again(new).await
            }
        }
    }

    /// The keyed digest of a secret of the token `id`.
    pub(super) async fn digest(
        &self,
        id: &str,
        secret: Option<&Secret>,
    ) -> Result<Option<KeyFingerprint>, TokenError> {
        let Some(secret) = secret.cloned() else {
            return Ok(None);
        };
        let id = id.to_owned();
        self.core
            .journal(move |state| Ok(Some(state.fingerprint(&id, &secret))))
            .await
    }
}

impl Renewal<'_> {
    /// Asks the service, once. An answer that was lost is looked up.
    pub(super) async fn asked(&mut self) -> Result<Secret, TokenError> {
        let (id, expires) = (self.record.token.clone(), self.record.expires.clone());
        let answer = match self.record.action {
            RenewalAction::Renew => {
                let asked = self
                    .account
                    .ask(|client| async move { client.renew(&id, expires.as_deref()).await });
                asked.await
            }
            RenewalAction::Rotate => {
                let asked = self
                    .account
                    .ask(|client| async move { client.rotate(&id, expires.as_deref()).await });
                asked.await
            }
        };
        match answer {
            Ok(token) => match self.new_in(&token).await? {
                Some(new) => {
                    self.shown = token;
                    Ok(new)
                }
                None => {
                    self.looked_up(Some("the answer holds no new secret".to_owned()))
                        .await
                }
            },
            Err(TokenError::Api(problem)) if problem.may_have_happened() => {
                self.looked_up(Some(error_chain(&problem))).await
            }
            Err(problem) => {
                self.end().await?;
                Err(problem)
            }
        }
    }

    /// Whether the secrets that connections hold are good afterwards too, so that there is a way back to
    /// them. A rotation leaves none, and a further renewal puts another one in the place of the renewed one.
    pub(super) fn leaves_the_old(&self) -> bool {
        let RenewalRecord {
            action,
            earlier,
            old,
            holdings,
            ..
        } = &self.record;
        let is_replaced =
            |held: &Holding| earlier.is_some() && held.was == *earlier && held.was != *old;
        *action == RenewalAction::Renew && !holdings.iter().any(is_replaced)
    }

    /// Chooses the places, writes them down, and goes on. Where there is no way back, a place that can't be
    /// written down keeps the secret all the same.
    pub(super) async fn keep(mut self, new: Secret) -> Result<Renewed, TokenError> {
        if let Err(problem) = self.choose_places().await {
            return Err(self.not_kept(new, problem));
        }
        match self.write_down().await {
            Ok(()) => (self.progress)(RenewalStep::Placed),
            Err(problem) if self.leaves_the_old() => return Err(problem),
            Err(problem) => {
                tracing::warn!(problem = %error_chain(&problem), "the places of a new secret are not in the journal");
            }
        }
        self.put_and_go_on(new).await
    }

    async fn put_and_go_on(mut self, new: Secret) -> Result<Renewed, TokenError> {
        if let Err(problem) = self.put(&new).await {
            return Err(self.not_kept(new, problem));
        }
        (self.progress)(RenewalStep::Kept);
        let kept_here = self.kept_here(&new).await?;
        if !kept_here {
            self.shown_again(&new).await?;
        }
        if self.leaves_the_old() {
            self.prove_or_step_back(&new).await?;
            (self.progress)(RenewalStep::Proven);
        }
        match self.switch(&new).await {
            Ok(()) => {}
            // The service shows it, as was just seen.
            Err(problem) if !kept_here => return Err(problem),
            Err(problem) => return Err(self.not_kept(new, problem)),
        }
        (self.progress)(RenewalStep::Switched);
        if kept_here && !self.kept_here(&new).await? {
            self.shown_again(&new).await?;
        }
        self.prove_again(Some(new)).await
    }

    /// A secret that no connection keeps must not be lost: where the service does not show it a second time,
    /// it is handed to the caller, and there is nothing to go on with.
    async fn shown_again(&self, new: &Secret) -> Result<(), TokenError> {
        let why = match self.account.token(&self.record.token).await {
            Ok(token) => {
                let mut shown = [&token.secret, &token.renewed_secret].into_iter().flatten();
                if shown.any(|secret| secret == new) {
                    return Ok(());
                }
                "no connection here holds it, and the service does not show it again".to_owned()
            }
            Err(problem) => format!(
                "no connection here holds it, and whether the service shows it again is not known: {}",
                error_chain(&problem)
            ),
        };
        if let Err(problem) = self.end().await {
            tracing::warn!(problem = %error_chain(&problem), "the journal still holds a renewal that has ended");
        }
        Err(TokenError::NotKept {
            id: self.record.token.clone(),
            secret: new.clone(),
            replaces: self.replaces,
            why,
        })
    }

    async fn prove_or_step_back(&mut self, new: &Secret) -> Result<(), TokenError> {
        let verdict = self.probe_pair(new).await?;
        let (id, verdict) = (self.record.token.clone(), Box::new(verdict));
        match accepted(&verdict) {
            Proof::Accepted => Ok(()),
            Proof::Rejected => {
                self.take_new_out().await?;
                self.end().await?;
                Err(TokenError::SteppedBack { id, verdict })
            }
            Proof::Unclear => Err(TokenError::Unproven { id, verdict }),
        }
    }

    /// Probes every connection as it is saved now, and takes the old secret out once all were accepted.
    async fn prove_again(mut self, new: Option<Secret>) -> Result<Renewed, TokenError> {
        let verdicts = self.probe_holders(new.as_ref()).await?;
        for verdict in &verdicts {
            let (id, verdict) = (self.record.token.clone(), Box::new(verdict.clone()));
            match accepted(&verdict) {
                Proof::Accepted => {}
                Proof::Rejected if self.leaves_the_old() => {
                    self.switch_back().await?;
                    self.end().await?;
                    return Err(TokenError::SteppedBack { id, verdict });
                }
                Proof::Rejected | Proof::Unclear => {
                    return Err(TokenError::Unproven { id, verdict });
                }
            }
        }
        (self.progress)(RenewalStep::ProvenAgain);
        let left_behind = self.take_old_out().await?;
        (self.progress)(RenewalStep::Tidied);
        self.end().await?;
        Ok(self.ended(verdicts, left_behind))
    }

    fn ended(self, verdicts: Vec<Verdict>, left_behind: Vec<SecretRef>) -> Renewed {
        let leaves_the_old = self.leaves_the_old();
        let updated = self.record.holdings.iter();
        let updated = updated.filter_map(|held| Name::parse(&held.connection).ok());
        let (expires, old_until) = ends_of(&self.shown, leaves_the_old);
        Renewed {
            id: self.record.token,
            action: self.record.action,
            earlier: None,
            updated: updated.collect(),
            unread: self.unread,
            verdicts,
            expires,
            old_until,
            left_behind,
            resumed: self.resumed,
            aside: None,
        }
    }

    /// Where the old secret is dead the new one is the only one that works: where nothing keeps it, it is handed
    /// to the caller.
    pub(super) fn not_kept(&self, secret: Secret, problem: TokenError) -> TokenError {
        if self.leaves_the_old() {
            return problem;
        }
        let (id, why) = (self.record.token.clone(), error_chain(&problem));
        if !self.kept.is_empty() {
            let places = self.kept.clone();
            return TokenError::Unused { id, places, why };
        }
        TokenError::NotKept {
            id,
            secret,
            replaces: self.replaces,
            why,
        }
    }
}

/// When the new secret of `token` ends, and the one of before, where that is good as long.
pub(super) fn ends_of(token: &Token, leaves_the_old: bool) -> (Expiry, Expiry) {
    match token.renewed_expires.clone() {
        Expiry::Unknown | Expiry::Never if token.renewed_secret.is_none() => {
            (token.expires.clone(), Expiry::Unknown)
        }
        renewed if leaves_the_old => (renewed, token.expires.clone()),
        renewed => (renewed, Expiry::Unknown),
    }
}
