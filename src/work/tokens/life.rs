//! Making, changing, switching and deleting tokens: what takes several calls says what exists when one fails.

use jiff::{SignedDuration, Timestamp};

use super::account::Account;
use super::problem::TokenError;
use crate::domain::token::{Difference, Guard, Status};
use crate::tokens::{NewToken, Rql, Token, TokenEdit, TokenProblem, TokenQuery, Unreadable};

/// How old a token may be that was just made; clocks differ.
const FRESH: SignedDuration = SignedDuration::from_mins(5);

/// A token that exists now.
#[derive(Debug)]
pub struct Created {
    /// Its id: what is said of it, and what further modules are granted to.
    pub id: String,
    /// As the service gave it.
    pub token: Token,
    /// The modules that it was let into.
    pub granted: Vec<String>,
    /// Those that it was to be let into and is not: try again with [`Account::grant_all`], or delete it.
    pub missing: Vec<String>,
    /// Why they are missing.
    pub problem: Option<TokenError>,
}

/// What was changed about a token.
#[derive(Debug, Default)]
pub struct Edited {
    /// Name, external id or description were changed.
    pub fields: bool,
    /// Modules granted.
    pub granted: Vec<String>,
    /// Modules revoked.
    pub revoked: Vec<String>,
    /// What is still to be done.
    pub left: Difference,
    /// Why.
    pub problem: Option<TokenError>,
}

impl Account {
    /// Makes a token and lets it into `modules`. An answer without an id is as good as a lost one: the token
    /// is looked up, as nothing can be granted to it nor said of it before. An error means that no token is
    /// known to have been made; where only the modules failed, the token is given with what is missing.
    pub async fn create(&self, new: &NewToken, modules: &[String]) -> Result<Created, TokenError> {
        self.may_change()?;
        let wished = new.clone();
        let made = self.ask(|client| async move { client.create(&wished).await });
        let (id, token) = match made.await.and_then(with_id) {
            Err(TokenError::Api(problem)) if problem.may_have_happened() => {
                let found = self.made_all_the_same(new, problem).await;
                self.told_apart(&new.name, found.and_then(with_id))?
            }
            made => made?,
        };
        let mut created = Created {
            granted: Vec::new(),
            missing: modules.to_vec(),
            problem: None,
            id,
            token,
        };
        self.grant_into(
            &created.id,
            &mut created.granted,
            &mut created.missing,
            &mut created.problem,
        )
        .await;
        Ok(created)
    }

    /// Goes on with granting what is missing of a token that exists.
    pub async fn grant_all(&self, id: &str, modules: &[String]) -> Result<Edited, TokenError> {
        self.may_change()?;
        let mut edited = Edited::default();
        let mut missing = modules.to_vec();
        self.grant_into(id, &mut edited.granted, &mut missing, &mut edited.problem)
            .await;
        edited.left.grant = missing;
        Ok(edited)
    }

    /// Changes the fields, then the modules by `difference`: grants first, so that nobody is locked out on
    /// the way. Stops at the first problem, and says what is left. Nothing is changed where modules would be taken
    /// from a token that connections run on, unless the guard was lifted.
    pub async fn edit(
        &self,
        id: &str,
        edit: &TokenEdit,
        difference: Difference,
        guard: Guard,
    ) -> Result<Edited, TokenError> {
        self.may_change()?;
        if !difference.revoke.is_empty() {
            self.guard(id, "taking modules from", guard).await?;
        }
        let mut edited = Edited {
            left: difference,
            ..Edited::default()
        };
        if !edit.is_empty() {
            self.update(id, edit).await?;
            edited.fields = true;
        }
        let mut missing = std::mem::take(&mut edited.left.grant);
        self.grant_into(id, &mut edited.granted, &mut missing, &mut edited.problem)
            .await;
        edited.left.grant = missing;
        while edited.problem.is_none() && !edited.left.revoke.is_empty() {
            let module = edited.left.revoke.remove(0);
            match self.revoke(id, &module).await {
                Ok(()) => edited.revoked.push(module),
                Err(problem) => {
                    edited.left.revoke.insert(0, module);
                    edited.problem = Some(problem);
                }
            }
        }
        Ok(edited)
    }

    /// Switches a token on.
    pub async fn enable(&self, id: &str) -> Result<Token, TokenError> {
        self.may_change()?;
        let of = id.to_owned();
        let done = self.ask(|client| async move { client.activate(&of).await });
        let is_on = |status: &Status| {
            matches!(
                status,
                Status::Active | Status::Expiring | Status::Revitalised
            )
        };
        self.or_seen(id, done.await, self.stands(id, is_on)).await
    }

    /// Switches a token off.
    pub async fn disable(&self, id: &str, guard: Guard) -> Result<Token, TokenError> {
        self.guard(id, "disabling", guard).await?;
        let of = id.to_owned();
        let done = self.ask(|client| async move { client.deactivate(&of).await });
        let is_off = |status: &Status| *status == Status::Inactive;
        self.or_seen(id, done.await, self.stands(id, is_off)).await
    }

    /// Deletes a token, for good.
    pub async fn delete(&self, id: &str, guard: Guard) -> Result<(), TokenError> {
        self.guard(id, "deleting", guard).await?;
        let of = id.to_owned();
        let done = self.ask(|client| async move { client.delete(&of).await });
        self.or_seen(id, done.await, self.is_gone(id)).await
    }

    async fn update(&self, id: &str, edit: &TokenEdit) -> Result<Token, TokenError> {
        let (of, wished) = (id.to_owned(), edit.clone());
        let done = self.ask(|client| async move { client.update(&of, &wished).await });
        let seen = async { self.seen(id).await.filter(|token| is_edited(token, edit)) };
        self.or_seen(id, done.await, seen).await
    }

    async fn grant(&self, id: &str, module: &str) -> Result<(), TokenError> {
        let (of, into) = (id.to_owned(), module.to_owned());
        let done = self.ask(|client| async move { client.grant(&of, &into).await });
        let is_let_in = self.lets(id, module, true);
        self.or_seen(id, done.await, is_let_in).await
    }

    async fn revoke(&self, id: &str, module: &str) -> Result<(), TokenError> {
        let (of, into) = (id.to_owned(), module.to_owned());
        let done = self.ask(|client| async move { client.revoke(&of, &into).await });
        let is_kept_out = self.lets(id, module, false);
        self.or_seen(id, done.await, is_kept_out).await
    }

    /// What came of a change of the token `id`: where its answer was lost, what `seen` gives, if it shows that it was
    /// done. Where it shows none, the change may still be on its way.
    async fn or_seen<T>(
        &self,
        id: &str,
        done: Result<T, TokenError>,
        seen: impl Future<Output = Option<T>>,
    ) -> Result<T, TokenError> {
        let is_lost = matches!(&done, Err(TokenError::Api(problem)) if problem.may_have_happened());
        if is_lost && let Some(shown) = seen.await {
            return Ok(shown);
        }
        self.told_apart(id, done)
    }

    /// The token as the service itself shows it now; nothing where it does not, or a cache had kept the answer.
    async fn seen(&self, id: &str) -> Option<Token> {
        let of = id.to_owned();
        let shown = self.ask(|client| async move { client.token_shown(&of).await });
        let (token, is_cached) = shown.await.ok()?;
        (!is_cached).then_some(token)
    }

    /// The token, if it stands so now. A key that was just switched off can't look any more, and would be refused for
    /// trying.
    async fn stands(&self, id: &str, so: impl Fn(&Status) -> bool) -> Option<Token> {
        if id.eq_ignore_ascii_case(self.own_id()) {
            return None;
        }
        self.seen(id).await.filter(|token| so(&token.status))
    }

    /// Something, if the token is deleted: some services go on showing it, as deleted.
    async fn is_gone(&self, id: &str) -> Option<()> {
        if id.eq_ignore_ascii_case(self.own_id()) {
            return None;
        }
        let of = id.to_owned();
        let shown = self.ask(|client| async move { client.token_shown(&of).await });
        let is_gone = match shown.await {
            Ok((token, is_cached)) => token.status == Status::Deleted && !is_cached,
            Err(TokenError::Api(TokenProblem::Refused(refusal))) => {
                refusal.status == 404 && refusal.by_service && !refusal.from_cache
            }
            Err(_) => false,
        };
        is_gone.then_some(())
    }

    /// Something, if the token is let into `module` now, or, for `false`, if it is not.
    async fn lets(&self, id: &str, module: &str, into: bool) -> Option<()> {
        let of = id.to_owned();
        let shown = self.ask(|client| async move { client.permissions_shown(&of).await });
        let (held, is_cached) = shown.await.ok()?;
        let is_let_in = held
            .iter()
            .any(|held| held.module.as_deref() == Some(module));
        (is_let_in == into && !is_cached).then_some(())
    }

    /// A change whose answer was lost is not one that was refused.
    fn told_apart<T>(&self, which: &str, done: Result<T, TokenError>) -> Result<T, TokenError> {
        match done {
            Err(TokenError::Api(problem)) if problem.may_have_happened() => {
                Err(TokenError::Uncertain {
                    name: self.name().clone(),
                    which: which.to_owned(),
                    problem,
                })
            }
            done => done,
        }
    }

    async fn grant_into(
        &self,
        id: &str,
        granted: &mut Vec<String>,
        missing: &mut Vec<String>,
        problem: &mut Option<TokenError>,
    ) {
        while let Some(module) = missing.first().cloned() {
            match self.grant(id, &module).await {
                Ok(()) => {
                    granted.push(module);
                    missing.remove(0);
                }
                Err(refused) => {
                    *problem = Some(refused);
                    return;
                }
            }
        }
    }

    /// The answer to a creation was lost: names are unique, so the list tells.
    async fn made_all_the_same(
        &self,
        new: &NewToken,
        problem: TokenProblem,
    ) -> Result<Token, TokenError> {
        let query = TokenQuery {
            filter: Some(Rql::And(vec![
                Rql::Eq("name", new.name.as_str().into()),
                Rql::Ne("status", "deleted".into()),
            ])),
            limit: 2,
            ..TokenQuery::default()
        };
        // Why it can't be looked up is of no use to whoever must know that there may be one.
        let Ok(page) = self.tokens(&query).await else {
            return Err(problem.into());
        };
        let mut named = page.rows.into_iter().filter(|token| is_made_of(token, new));
        match (named.next(), named.next()) {
            (Some(token), None) => Ok(token),
            _ => Err(problem.into()),
        }
    }
}

/// A token that was just made, with its id.
fn with_id(token: Token) -> Result<(String, Token), TokenError> {
    match token.id.clone() {
        Some(id) => Ok((id, token)),
        None => Err(TokenError::Api(TokenProblem::Unreadable {
            doing: "making the token".to_owned(),
            why: Unreadable::Contradicts("it does not say which token was made".to_owned()),
        })),
    }
}

/// Whether `token` stands as `edit` would have it.
fn is_edited(token: &Token, edit: &TokenEdit) -> bool {
    let fields = [
        (&token.name, &edit.name),
        (&token.external_id, &edit.external_id),
        (&token.description, &edit.description),
    ];
    fields.iter().all(|(shown, wished)| {
        let wished = wished.as_deref();
        wished.is_none_or(|wished| shown.as_deref().unwrap_or_default() == wished)
    })
}

/// Whether `token` can only be what was just made of `new`: another one of that name must not be let into
/// anything.
fn is_made_of(token: &Token, new: &NewToken) -> bool {
    let fresh = Timestamp::now()
        .checked_sub(FRESH)
        .unwrap_or(Timestamp::MIN);
    let created = token.created.as_ref().and_then(|created| created.at);
    token.name.as_deref() == Some(new.name.as_str())
        && token.extension.id.as_deref() == Some(new.extension.as_str())
        && token.description.as_deref().unwrap_or_default()
            == new.description.as_deref().unwrap_or_default()
        && token.permissions().is_empty()
        && created.is_some_and(|created| created >= fresh)
}
