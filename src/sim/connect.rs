//! `CloudBlue` Connect's API as its `OpenAPI` document describes it: accounts, tokens and their whole life.
//!
//! Keys are the ledger's own tokens: one that is renewed, rotated, disabled or deleted through this API
//! really stops or goes on working. What the document leaves open is inferred, and said so where it is.

mod ledger;
mod mishap;
mod rql;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::{Value, json};

pub use self::mishap::Mishap;

use self::ledger::{Change, Ledger};
use self::mishap::MishapPlan;
use self::rql::Listing;
use super::behaviour::Handling;
use super::http::{Answer, Request, decoded};
use super::log::Presented;
use super::pages;

/// Where the API begins.
pub(super) const BASE: &str = "/public/v1";
/// What every answer of the API carries.
const VERSION: &str = "24.0.1118-ge613fc5";

/// What the key in use may do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Access {
    /// Everything.
    #[default]
    Full,
    /// Everything but managing tokens.
    NoTokens,
    /// Nothing: 403 to every call.
    Nothing,
}

/// One vendor's account. Copies share its tokens.
#[derive(Clone, Debug)]
pub struct Connect {
    access: Access,
    /// Most rows that a list gives at once.
    page: usize,
    ledger: Arc<Mutex<Ledger>>,
    plan: Arc<Mutex<MishapPlan>>,
}

impl Connect {
    /// An account whose key is `ApiKey {id}:{secret}`, with `others` further tokens.
    pub fn new(id: &str, secret: &str, others: usize) -> Self {
        Self {
            access: Access::Full,
            page: rql::LIMIT,
            ledger: Arc::new(Mutex::new(Ledger::new(id, secret, others))),
            plan: Arc::default(),
        }
    }

    /// The same with a key that may do less or more. The tokens stay shared.
    #[must_use]
    pub fn with_access(self, access: Access) -> Self {
        Self { access, ..self }
    }

    /// The same with the key's own token about to expire: it still works, for five days.
    #[must_use]
    pub fn expiring(self) -> Self {
        self.ledger().expire_soon();
        self
    }

    /// The same with lists that give at most `rows` at once, whatever is asked for.
    #[must_use]
    pub fn with_pages_of(self, rows: usize) -> Self {
        Self { page: rows, ..self }
    }

    /// The same with so many living tokens allowed for each extension.
    #[must_use]
    pub fn with_quota(self, tokens: usize) -> Self {
        self.ledger().set_quota(tokens);
        self
    }

    /// Plans a mishap for the first request that fits: a method and the beginning of a path behind the base,
    /// such as `POST /auth/tokens`; empty fits every request.
    pub fn plan(&self, at: &str, mishap: Mishap) {
        let mut plan = self.plan.lock().unwrap_or_else(PoisonError::into_inner);
        plan.add(at, mishap);
    }

    /// The date of the token `id` has come: its secret is dead, and a renewed one takes its place.
    pub fn let_expire(&self, id: &str) {
        self.ledger().let_expire(id);
    }

    /// The token `id` is deleted once `requests` more have been answered.
    pub fn revoke_after(&self, id: &str, requests: usize) {
        self.ledger().revoke_after(id, requests);
    }

    /// The token `id` as a list would show it, with its secrets.
    pub fn token_row(&self, id: &str) -> Option<Value> {
        self.ledger().find(id).cloned()
    }

    fn ledger(&self) -> MutexGuard<'_, Ledger> {
        // A panic in another request leaves the rows readable.
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is done about `request`: answered, unless a mishap was planned for it.
    pub(super) fn conduct(&self, request: &Request) -> (Handling, Presented) {
        let mut plan = self.plan.lock().unwrap_or_else(PoisonError::into_inner);
        let mishap = plan.next(request);
        drop(plan);
        match mishap {
            None => {
                let (answer, presented) = self.answer(request);
                (Handling::Answer(answer), presented)
            }
            Some(Mishap::After(fault)) => (Handling::Fault(fault), self.answer(request).1),
            Some(Mishap::Before(fault)) => (Handling::Fault(fault), self.presented(request)),
            Some(Mishap::Instead(answer)) => (
                Handling::Answer(answer.with("Connect-Version", VERSION)),
                self.presented(request),
            ),
        }
    }

    fn presented(&self, request: &Request) -> Presented {
        match request.header("authorization") {
            None => Presented::Nothing,
            Some(value) if value.starts_with("ApiKey ") => Presented::ApiKey {
                matched: self.lets_in(request),
            },
            Some(_) => Presented::Other,
        }
    }

    /// What it answers, and how credentials were presented.
    pub(super) fn answer(&self, request: &Request) -> (Answer, Presented) {
        self.ledger().count_a_request();
        let let_in = self.lets_in(request);
        let presented = self.presented(request);
        let path = decoded(&request.path);
        let answer = match path.strip_prefix(BASE) {
            Some(rest) if rest.is_empty() || rest.starts_with('/') => self
                .call(request, rest, let_in)
                .with("Connect-Version", VERSION),
            _ => pages::nginx(404, "Not Found"),
        };
        (answer, presented)
    }

    fn lets_in(&self, request: &Request) -> bool {
        request
            .header("authorization")
            .and_then(|value| value.strip_prefix("ApiKey "))
            .and_then(|pair| pair.split_once(':'))
            .is_some_and(|(id, secret)| self.ledger().accepts(id, secret))
    }

    fn call(&self, request: &Request, path: &str, let_in: bool) -> Answer {
        if !let_in {
            return error(401, "AUTH_001", "API request is unauthorized.");
        }
        let segments: Vec<_> = path.split('/').skip(1).collect();
        let about_tokens = matches!(segments.as_slice(), ["auth" | "statistics", ..]);
        if self.access == Access::Nothing || (self.access == Access::NoTokens && about_tokens) {
            return error(
                403,
                "AUTH_002",
                "You do not have permission to perform this action.",
            );
        }
        match (request.method.as_str(), segments.as_slice()) {
            ("GET", []) => Answer::json(200, &json!({})),
            ("GET", ["accounts"]) => self.listed(request, &[account()]),
            ("GET", ["modules"]) => self.listed(request, &ledger::modules()),
            ("GET", ["extensions"]) => self.listed(request, &self.ledger().extensions()),
            ("GET", ["modules", "integrations", "settings"]) => {
                Answer::json(200, &json!({ "acl": { "ips": [] } }))
            }
            ("GET", ["statistics", "tokens", id, what]) => self.statistics(id, what),
            ("GET", ["auth", "tokens"]) => self.listed(request, self.ledger().tokens()),
            ("POST", ["auth", "tokens"]) => self.created(&request.json()),
            (method, ["auth", "tokens", id, rest @ ..]) => {
                self.token(method, id, rest, &request.json())
            }
            _ => not_found(),
        }
    }

    /// One page of `rows`: filtered, ordered and cut as the query asks.
    fn listed(&self, request: &Request, rows: &[Value]) -> Answer {
        match Listing::parse(request.query.as_deref().unwrap_or_default()) {
            Ok(listing) => {
                let (range, page) = listing.page(rows, self.page);
                Answer::json(200, &Value::Array(page)).with("Content-Range", &range)
            }
            Err(problem) => error(400, "VAL_001", &problem.to_string()),
        }
    }

    fn created(&self, body: &Value) -> Answer {
        match self.ledger().create(body) {
            Ok(token) => Answer::json(201, &token),
            Err(problem) => error(400, "VAL_001", &problem.to_string()),
        }
    }

    fn token(&self, method: &str, id: &str, rest: &[&str], body: &Value) -> Answer {
        let mut ledger = self.ledger();
        if ledger.find(id).is_none() {
            return not_found();
        }
        let change = match (method, rest) {
            ("GET", []) => return Answer::json(200, ledger.find(id).unwrap_or(&Value::Null)),
            ("GET", ["permissions"]) => {
                let token = ledger.find(id).unwrap_or(&Value::Null);
                return Answer::json(200, &token["permissions"]);
            }
            ("PUT", []) => Change::Edit,
            ("DELETE", []) => Change::Delete,
            ("POST", ["activate"]) => Change::Activate,
            ("POST", ["deactivate"]) => Change::Deactivate,
            ("POST", ["renew"]) => Change::Renew,
            ("POST", ["rotate"]) => Change::Rotate,
            ("POST", ["permissions"]) => Change::Grant,
            ("DELETE", ["permissions"]) => Change::Revoke,
            _ => return not_found(),
        };
        match ledger.change(id, change, body) {
            Ok(_) if matches!(change, Change::Delete | Change::Revoke) => Answer {
                status: 204,
                headers: Vec::new(),
                body: Vec::new(),
            },
            Ok(token) => Answer::json(if change == Change::Grant { 201 } else { 200 }, &token),
            Err(problem) => error(400, "VAL_001", &problem.to_string()),
        }
    }

    fn statistics(&self, id: &str, what: &str) -> Answer {
        match (self.ledger().find(id).is_some(), what) {
            (true, "summary") => Answer::json(200, &ledger::summary(id)),
            (true, "aggregates") => Answer::json(200, &ledger::aggregates(id)),
            _ => not_found(),
        }
    }
}

fn account() -> Value {
    json!({
        "id": "VA-160-984", "name": "Rehearsal Vendor", "type": "vendor", "role": "owner",
        "external_id": null, "brand": null,
    })
}

fn error(status: u16, code: &str, text: &str) -> Answer {
    Answer::json(status, &json!({ "error_code": code, "errors": [text] }))
}

fn not_found() -> Answer {
    error(404, "NOT_FOUND", "Object not found.")
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "ApiKey SU-100-200-300:s3cret";

    fn connect() -> Connect {
        Connect::new("SU-100-200-300", "s3cret", 4)
    }

    fn ask(connect: &Connect, line: &str, key: &str, body: &Value) -> (u16, Value, Answer) {
        let (method, target) = line.split_once(' ').unwrap();
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let request = Request {
            method: method.into(),
            path: format!("{BASE}{path}"),
            query: Some(query.into()),
            headers: vec![("Authorization".into(), key.into())],
            body: body.to_string().into_bytes(),
            ..Request::default()
        };
        let (answer, _) = connect.answer(&request);
        let json = serde_json::from_slice(&answer.body).unwrap_or(Value::Null);
        (answer.status, json, answer)
    }

    fn get(connect: &Connect, target: &str) -> (u16, Value) {
        let (status, json, _) = ask(connect, &format!("GET {target}"), KEY, &Value::Null);
        (status, json)
    }

    #[test]
    fn the_version_shows_before_any_key() {
        let (status, json, answer) = ask(&connect(), "GET ", "", &Value::Null);
        assert_eq!((status, &json["error_code"]), (401, &json!("AUTH_001")));
        let version = ("Connect-Version".to_owned(), VERSION.to_owned());
        assert!(answer.headers.contains(&version));
    }

    #[test]
    fn the_key_decides_who_is_let_in() {
        let connect = connect();
        assert_eq!(get(&connect, "/accounts?limit=1").1[0]["id"], "VA-160-984");
        for wrong in ["ApiKey SU-100-200-300:x", "ApiKey s3cret", "Bearer s3cret"] {
            let (status, ..) = ask(&connect, "GET /accounts", wrong, &Value::Null);
            assert_eq!(status, 401, "{wrong}");
        }
        let limited = connect.with_access(Access::NoTokens);
        assert_eq!(get(&limited, "/accounts").0, 200);
        assert_eq!(get(&limited, "/auth/tokens").0, 403);
    }

    #[test]
    fn lists_are_paged_and_filtered() {
        let (status, json, answer) = ask(
            &connect(),
            "GET /auth/tokens?eq(status,active)&ordering(-id)&limit=1",
            KEY,
            &Value::Null,
        );
        assert_eq!((status, json.as_array().unwrap().len()), (200, 1));
        let range = &answer
            .headers
            .iter()
            .find(|h| h.0 == "Content-Range")
            .unwrap()
            .1;
        assert!(range.starts_with("items 0-0/"), "{range}");
        assert_eq!(get(&connect(), "/auth/tokens?nonsense(a,b)").0, 400);
    }

    #[test]
    fn a_token_lives_from_creation_to_deletion() {
        let connect = connect();
        let new = json!({ "name": "for reports", "extension": { "id": "EXT-002" } });
        let (status, token, _) = ask(&connect, "POST /auth/tokens", KEY, &new);
        assert_eq!((status, &token["status"]), (201, &json!("pending")));
        let id = token["id"].as_str().unwrap();
        let key = format!("ApiKey {id}:{}", token["token"].as_str().unwrap());
        let works = || ask(&connect, "GET /accounts", &key, &Value::Null).0 == 200;
        let step = |line: &str| ask(&connect, &line.replace("{id}", id), KEY, &Value::Null).0;

        assert!(!works(), "pending");
        assert_eq!(step("POST /auth/tokens/{id}/activate"), 200);
        assert!(works());
        assert_eq!(step("POST /auth/tokens/{id}/deactivate"), 200);
        assert!(!works());
        assert_eq!(step("POST /auth/tokens/{id}/activate"), 200);
        assert_eq!(step("DELETE /auth/tokens/{id}"), 204);
        assert!(!works());
        let (_, listed) = get(&connect, &format!("/auth/tokens/{id}"));
        assert_eq!(listed["status"], "deleted", "it stays listable");
        assert_eq!(
            step("POST /auth/tokens/{id}/activate"),
            400,
            "deleted is final"
        );
        assert_eq!(step("GET /auth/tokens/SU-0"), 404);
    }

    #[test]
    fn renewing_overlaps_and_rotating_does_not() {
        let connect = connect();
        let own = "/auth/tokens/SU-100-200-300";
        let until = json!({ "expiration_date": "2027-01-01T00:00:00+00:00" });
        let works = |secret: &Value| {
            let key = format!("ApiKey SU-100-200-300:{}", secret.as_str().unwrap());
            ask(&connect, "GET /accounts", &key, &Value::Null).0 == 200
        };
        let (_, renewed, _) = ask(&connect, &format!("POST {own}/renew"), KEY, &until);
        let (old, new) = (&renewed["token"], &renewed["renewed_token"]);
        assert_eq!(old, "s3cret");
        assert!(works(old) && works(new));

        let (_, rotated, _) = ask(&connect, &format!("POST {own}/rotate"), KEY, &until);
        assert!(works(&rotated["token"]) && !works(old) && !works(new));
    }

    #[test]
    fn permissions_are_granted_and_revoked() {
        let connect = connect();
        let own = "/auth/tokens/SU-100-200-300/permissions";
        let count = || get(&connect, own).1.as_array().unwrap().len();
        let before = count();
        for body in [
            json!({ "id": "MD-0002" }),
            json!({ "object": { "id": "MD-0003" } }),
        ] {
            assert_eq!(ask(&connect, &format!("POST {own}"), KEY, &body).0, 201);
        }
        assert_eq!(count(), before + 2);
        let body = json!({ "id": "MD-0002" });
        assert_eq!(ask(&connect, &format!("DELETE {own}"), KEY, &body).0, 204);
        assert_eq!(count(), before + 1);
        let unknown = json!({ "id": "MD-9999" });
        assert_eq!(ask(&connect, &format!("POST {own}"), KEY, &unknown).0, 400);
    }

    #[test]
    fn what_is_missing_is_named() {
        let (status, json, _) = ask(&connect(), "POST /auth/tokens", KEY, &json!({}));
        assert_eq!(status, 400);
        assert!(json["errors"][0].as_str().unwrap().starts_with("name: "));
    }
}
