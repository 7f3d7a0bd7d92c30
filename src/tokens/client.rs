//! The operations of the API, as one key at one base URL: each is one request, and says what it was doing.

mod build;
mod send;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use reqwest::Method;
use reqwest::header::HeaderValue;
use serde_json::{Map, Value, json};

use super::answer::Answer;
use super::problem::{SetupProblem, TokenProblem};
use super::query::{TokenQuery, total_of};
use super::route::Route;
use crate::domain::error::JsonProblem;
use crate::domain::token::{
    Day, Extension, Module, NewToken, Page, Permission, Summary, Token, TokenEdit, Usage,
};
use crate::domain::{Endpoint, Secret};
use crate::http::failure::Setting;
use send::{Call, Received};

/// The module that managing tokens belongs to (inferred: tokens stand under Integrations in the vendor's
/// own screens).
const INTEGRATIONS: &str = "Integrations";
/// The module that lists of modules and extensions belong to (inferred).
const ACCOUNT: &str = "Account";
/// Pages of a catalog that are read at most: 100 rows each.
const CATALOG_PAGES: u64 = 20;

/// A client of the token API. Copies share their connections, the quiet that the service asked for, and whether it
/// took the key.
#[derive(Clone)]
pub struct TokenClient(Arc<Inner>, Tries, Arc<AtomicBool>);

/// How often a GET is sent that was not answered, or by a 5xx.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Tries {
    Once,
    Several,
}

struct Inner {
    http: reqwest::Client,
    base: Endpoint,
    /// What decides what an error of the client means.
    setting: Setting,
    /// The id of the key in use.
    id: String,
    /// The secret of the key in use: it is masked where an answer repeats it.
    own: Secret,
    /// Sensitive: the client's own debug output does not show it.
    authorization: HeaderValue,
    pause: Duration,
    /// Nothing is sent before, and the status that asked for it: 429, `Retry-After`.
    quiet: Mutex<Option<(Timestamp, u16)>>,
}

impl std::fmt::Debug for TokenClient {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "TokenClient({} at {})", self.0.id, self.0.base.shown())
    }
}

impl TokenClient {
    /// A client for the API at `base` as `ApiKey {id}:{secret}`. Sends nothing. Fails where the key would
    /// travel in the open, and where this machine can't build the client.
    pub fn new(
        base: &Endpoint,
        id: &str,
        secret: &Secret,
        route: &Route,
    ) -> Result<Self, TokenProblem> {
        let stays_here = base.is_loopback() && !route.by_proxy;
        if base.is_plain() && !stays_here && !route.allow_http {
            return Err(TokenProblem::PlainHttp {
                host: base.origin().to_string(),
            });
        }
        let inner = Inner {
            http: build::client(base, route)?,
            base: base.clone(),
            setting: build::setting(base, route),
            id: id.to_owned(),
            own: secret.clone(),
            authorization: build::authorization(id, secret)?,
            pause: route.pause,
            quiet: Mutex::default(),
        };
        Ok(Self(Arc::new(inner), Tries::Several, Arc::default()))
    }

    /// The same client, which sends nothing twice: for a key that nobody has accepted yet, as whoever is
    /// silent may have counted it.
    #[must_use]
    pub fn once(&self) -> Self {
        Self(Arc::clone(&self.0), Tries::Once, Arc::default())
    }

    /// The same client for one question: [`TokenClient::was_taken`] tells of that one.
    #[must_use]
    pub fn afresh(&self) -> Self {
        Self(Arc::clone(&self.0), self.1, Arc::default())
    }

    /// Whether any answer that no cache had kept shows that the key is taken.
    pub fn was_taken(&self) -> bool {
        self.2.load(Ordering::Acquire)
    }

    /// The id of the key in use.
    pub fn id(&self) -> &str {
        &self.0.id
    }

    /// Until when the service wants quiet, where it said so and that is not over.
    pub fn quiet_until(&self) -> Option<Timestamp> {
        self.quiet().map(|(until, _)| until)
    }

    fn quiet(&self) -> Option<(Timestamp, u16)> {
        let quiet = self.0.quiet.lock();
        quiet
            .unwrap_or_else(PoisonError::into_inner)
            .filter(|(until, _)| *until > Timestamp::now())
    }

    /// One page of the account's tokens.
    pub async fn tokens(&self, query: &TokenQuery) -> Result<Page<Token>, TokenProblem> {
        let call = Call::get("listing the tokens", INTEGRATIONS, "/auth/tokens")
            .with_query(query.encoded());
        let received = self.send(&call).await?;
        Ok(Page {
            rows: self.read(&call, &received, Answer::tokens)?,
            offset: query.offset,
            total: received.range.as_deref().and_then(total_of),
        })
    }

    /// One token.
    pub async fn token(&self, id: &str) -> Result<Token, TokenProblem> {
        self.token_shown(id).await.map(|(token, _)| token)
    }

    /// The same, with whether a cache had kept it: it may be as the token was before a change.
    pub async fn token_shown(&self, id: &str) -> Result<(Token, bool), TokenProblem> {
        let call = Call::get(
            format!("reading {}", named(id)?),
            INTEGRATIONS,
            path(id, "")?,
        );
        let received = self.send(&call).await?;
        let token = self.read(&call, &received, Answer::token)?;
        Ok((token, received.from_cache))
    }

    /// Makes a token. It is let into no module yet.
    pub async fn create(&self, new: &NewToken) -> Result<Token, TokenProblem> {
        let mut body = json!({ "name": new.name, "extension": { "id": new.extension } });
        for (field, value) in [
            ("external_id", &new.external_id),
            ("description", &new.description),
            ("expiration_date", &new.expires),
        ] {
            if let Some(value) = value {
                body[field] = json!(value);
            }
        }
        if let Some(owner) = &new.owner {
            body["owner"] = json!({ "id": owner });
        }
        let call = Call::new(
            Method::POST,
            "making the token",
            INTEGRATIONS,
            "/auth/tokens",
        )
        .with_body(body);
        self.for_token(&call).await
    }

    /// Changes name, external id and description.
    pub async fn update(&self, id: &str, edit: &TokenEdit) -> Result<Token, TokenProblem> {
        let mut body = Map::new();
        for (field, value) in [
            ("name", &edit.name),
            ("external_id", &edit.external_id),
            ("description", &edit.description),
        ] {
            if let Some(value) = value {
                body.insert(field.to_owned(), json!(value));
            }
        }
        let call = change(Method::PUT, "changing", id, "")?.with_body(Value::Object(body));
        self.for_token(&call).await
    }

    /// Deletes a token, for good.
    pub async fn delete(&self, id: &str) -> Result<(), TokenProblem> {
        let call = change(Method::DELETE, "deleting", id, "")?;
        self.send(&call).await.map(drop)
    }

    /// Switches a token on.
    pub async fn activate(&self, id: &str) -> Result<Token, TokenProblem> {
        let call = change(Method::POST, "enabling", id, "/activate")?;
        self.for_token(&call).await
    }

    /// Switches a token off.
    pub async fn deactivate(&self, id: &str) -> Result<Token, TokenProblem> {
        let call = change(Method::POST, "disabling", id, "/deactivate")?;
        self.for_token(&call).await
    }

    /// Gives a token a second secret that ends at `expires` (never where absent). The first stays valid
    /// until its own end. Sent once: where the answer is lost, [`TokenProblem::may_have_happened`] says so.
    pub async fn renew(&self, id: &str, expires: Option<&str>) -> Result<Token, TokenProblem> {
        let call = change(Method::POST, "renewing", id, "/renew")?
            .with_body(json!({ "expiration_date": expires }));
        self.for_token(&call).await
    }

    /// Gives a token another secret in place of the first, which is dead from now on. Sent once.
    pub async fn rotate(&self, id: &str, expires: Option<&str>) -> Result<Token, TokenProblem> {
        let call = change(Method::POST, "rotating", id, "/rotate")?
            .with_body(json!({ "expiration_date": expires }));
        self.for_token(&call).await
    }

    /// The modules that a token is let into.
    pub async fn permissions(&self, id: &str) -> Result<Vec<Permission>, TokenProblem> {
        let shown = self.permissions_shown(id).await;
        shown.map(|(permissions, _)| permissions)
    }

    /// The same, with whether a cache had kept it: it may be as they were before a change.
    pub async fn permissions_shown(
        &self,
        id: &str,
    ) -> Result<(Vec<Permission>, bool), TokenProblem> {
        let doing = format!("reading the modules of {}", named(id)?);
        let call = Call::get(doing, INTEGRATIONS, path(id, "/permissions")?);
        let received = self.send(&call).await?;
        let permissions = self.read(&call, &received, Answer::permissions)?;
        Ok((permissions, received.from_cache))
    }

    /// Lets a token into a module.
    pub async fn grant(&self, id: &str, module: &str) -> Result<(), TokenProblem> {
        let doing = format!("granting {} to", crate::domain::text::inert(module, 40));
        let call =
            change(Method::POST, &doing, id, "/permissions")?.with_body(json!({ "id": module }));
        self.send(&call).await.map(drop)
    }

    /// Takes a module from a token.
    pub async fn revoke(&self, id: &str, module: &str) -> Result<(), TokenProblem> {
        let doing = format!("revoking {} from", crate::domain::text::inert(module, 40));
        let call =
            change(Method::DELETE, &doing, id, "/permissions")?.with_body(json!({ "id": module }));
        self.send(&call).await.map(drop)
    }

    /// How often a token was used, by status code.
    pub async fn summary(&self, id: &str) -> Result<Summary, TokenProblem> {
        self.statistics(id, "summary", Answer::summary).await
    }

    /// How often a token was used, by day, the oldest day first.
    pub async fn aggregates(&self, id: &str) -> Result<Vec<Day>, TokenProblem> {
        self.statistics(id, "aggregates", Answer::days).await
    }

    /// Both.
    pub async fn usage(&self, id: &str) -> Result<Usage, TokenProblem> {
        Ok(Usage {
            summary: self.summary(id).await?,
            days: self.aggregates(id).await?,
        })
    }

    /// All modules of the account.
    pub async fn modules(&self) -> Result<Vec<Module>, TokenProblem> {
        self.catalog("listing the modules", "/modules", Answer::modules)
            .await
    }

    /// Everything that a token can be made for.
    pub async fn extensions(&self) -> Result<Vec<Extension>, TokenProblem> {
        self.catalog("listing the extensions", "/extensions", Answer::extensions)
            .await
    }

    /// All rows of a short list, page by page.
    async fn catalog<Row>(
        &self,
        doing: &str,
        at: &str,
        read: fn(Answer) -> Result<Vec<Row>, JsonProblem>,
    ) -> Result<Vec<Row>, TokenProblem> {
        let (mut all, mut query) = (Vec::new(), TokenQuery::default());
        for _ in 0..CATALOG_PAGES {
            let call = Call::get(doing, ACCOUNT, at).with_query(query.encoded());
            let received = self.send(&call).await?;
            let page = Page {
                rows: self.read(&call, &received, read)?,
                offset: query.offset,
                total: received.range.as_deref().and_then(total_of),
            };
            // A catalog that is not paged comes whole, without a total.
            let next = page.total.and_then(|_| page.next_offset());
            all.extend(page.rows);
            match next {
                Some(offset) => query.offset = offset,
                None => break,
            }
        }
        Ok(all)
    }

    async fn statistics<T>(
        &self,
        id: &str,
        what: &str,
        read: fn(Answer) -> Result<T, JsonProblem>,
    ) -> Result<T, TokenProblem> {
        let name = named(id)?;
        let doing = format!("reading the usage of {name}");
        let at = format!("/statistics/tokens/{name}/{what}");
        let call = Call::get(doing, INTEGRATIONS, at);
        self.read(&call, &self.send(&call).await?, read)
    }

    async fn for_token(&self, call: &Call) -> Result<Token, TokenProblem> {
        let received = self.send(call).await?;
        if received.body.is_empty() && call.method != Method::GET {
            return Ok(Token::default());
        }
        self.read(call, &received, Answer::token)
    }

    /// The answer to `call`, as `read` has it.
    fn read<T>(
        &self,
        call: &Call,
        received: &Received,
        read: impl FnOnce(Answer) -> Result<T, JsonProblem>,
    ) -> Result<T, TokenProblem> {
        let answer = Answer::parse(&received.body, &self.0.own);
        answer
            .and_then(read)
            .map_err(|why| TokenProblem::Unreadable {
                doing: call.doing.clone(),
                why: why.into(),
            })
    }
}

fn change(method: Method, doing: &str, id: &str, what: &str) -> Result<Call, TokenProblem> {
    let doing = format!("{doing} {}", named(id)?);
    Ok(Call::new(method, doing, INTEGRATIONS, path(id, what)?))
}

/// A token's id as it may stand in a path. What is none never reaches the network.
fn named(id: &str) -> Result<&str, TokenProblem> {
    let is_id = !id.is_empty() && id.len() <= 64;
    if is_id && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') {
        return Ok(id);
    }
    let shown = crate::domain::text::inert(id, 40);
    Err(SetupProblem::NotAnId(shown).into())
}

fn path(id: &str, what: &str) -> Result<String, TokenProblem> {
    Ok(format!("/auth/tokens/{}{what}", named(id)?))
}
