//! The tokens of an account, and what may become of them.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::super::keys::hex;

/// Characters of a Connect secret.
const SECRET: usize = 40;

/// What a request changes about a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Change {
    /// Name, external id, description.
    Edit,
    /// For good; the row stays.
    Delete,
    /// Pending or inactive to active.
    Activate,
    /// To inactive.
    Deactivate,
    /// A second secret beside the first.
    Renew,
    /// A new secret instead of the old.
    Rotate,
    /// One more module.
    Grant,
    /// One module less.
    Revoke,
}

/// Why a change is not made, in Connect's words: the field, and a sentence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Refusal {
    /// No label, or a long one.
    #[error("name: This field is required, with at most 128 characters.")]
    Name,
    /// Another living token is called so.
    #[error("name: A token with this name exists.")]
    Taken,
    /// None of [`extensions`].
    #[error("extension: Unknown extension.")]
    Extension,
    /// As many living tokens as the extension may have.
    #[error("extension: The limit of {0} tokens is reached.")]
    Quota(usize),
    /// No such token.
    #[error("id: Object not found.")]
    Absent,
    /// A row of the past.
    #[error("status: The token is deleted.")]
    Deleted,
    /// None of [`modules`].
    #[error("id: Unknown module.")]
    Module,
    /// Nothing would change.
    #[error("id: The module is granted already.")]
    Granted,
}

/// The tokens of an account. The first is the key that it was made with.
#[derive(Debug)]
pub(super) struct Ledger {
    tokens: Vec<Value>,
    made: u32,
    /// Living tokens allowed for each extension.
    quota: usize,
    /// A token that is deleted once so many requests have come.
    revoked: Option<(String, usize)>,
}

impl Ledger {
    /// A ledger with the token `id` and `others` more, of every kind.
    pub(super) fn new(id: &str, secret: &str, others: usize) -> Self {
        let mut own = row(id, "Switchboard", secret, "active");
        own["permissions"] = json!([permission("MD-0000")]);
        let mut ledger = Self {
            tokens: vec![own],
            made: 0,
            // A large account has a large one.
            quota: others.max(32),
            revoked: None,
        };
        for number in 0..others {
            ledger.tokens.push(other(number));
        }
        ledger
    }

    pub(super) fn tokens(&self) -> &[Value] {
        &self.tokens
    }

    pub(super) fn find(&self, id: &str) -> Option<&Value> {
        self.tokens.iter().find(|token| token["id"] == id)
    }

    /// How many living tokens each extension may have.
    pub(super) fn set_quota(&mut self, tokens: usize) {
        self.quota = tokens;
    }

    /// Deletes the token `id` once `requests` more have been answered.
    pub(super) fn revoke_after(&mut self, id: &str, requests: usize) {
        self.revoked = Some((id.to_owned(), requests));
    }

    /// A request has come.
    pub(super) fn count_a_request(&mut self) {
        let Some((id, left)) = self.revoked.take() else {
            return;
        };
        match left.checked_sub(1) {
            Some(left) => self.revoked = Some((id, left)),
            None => {
                if let Some(token) = self.tokens.iter_mut().find(|token| token["id"] == id) {
                    token["status"] = json!("deleted");
                }
            }
        }
    }

    /// The date of the token `id` has come: a renewed secret takes the place of the first, else it is
    /// expired (inferred).
    pub(super) fn let_expire(&mut self, id: &str) {
        if let Some(token) = self.tokens.iter_mut().find(|token| token["id"] == id) {
            expire(token);
        }
    }

    /// What a token can be made for, with how many may be.
    pub(super) fn extensions(&self) -> Vec<Value> {
        let mut known = extensions();
        for extension in &mut known {
            extension["constraints"]["account"]["tokens"] = json!(self.quota);
        }
        known
    }

    /// Whether `secret` of the token `id` opens anything: an expiring token does, a pending one does not.
    pub(super) fn accepts(&self, id: &str, secret: &str) -> bool {
        self.find(id).is_some_and(|token| {
            let alive = matches!(token["status"].as_str(), Some("active" | "expiring"));
            alive && (token["token"] == secret || token["renewed_token"] == secret)
        })
    }

    /// The first token expires in five days.
    pub(super) fn expire_soon(&mut self) {
        if let Some(own) = self.tokens.first_mut() {
            own["status"] = json!("expiring");
            own["expiration_date"] = json!(in_days(5));
        }
    }

    /// A new token, pending, without modules: they are granted afterwards.
    pub(super) fn create(&mut self, body: &Value) -> Result<Value, Refusal> {
        let name = body["name"].as_str().unwrap_or_default();
        if name.is_empty() || name.chars().count() > 128 {
            return Err(Refusal::Name);
        }
        let extension = body["extension"]["id"].as_str().unwrap_or_default();
        let Some(extension) = extensions()
            .into_iter()
            .find(|known| known["id"] == extension)
        else {
            return Err(Refusal::Extension);
        };
        let living = || {
            let tokens = self.tokens.iter();
            tokens.filter(|token| token["status"] != "deleted")
        };
        if living().any(|token| token["name"] == name) {
            return Err(Refusal::Taken);
        }
        let is_of = |token: &&Value| token["extension"]["id"] == extension["id"];
        let used = living().filter(is_of).count();
        if used >= self.quota {
            return Err(Refusal::Quota(self.quota));
        }
        let secret = self.fresh("secret");
        let id = format!("SU-900-{:03}-{:03}", self.made / 1_000, self.made % 1_000);
        let mut token = row(&id, name, &secret, "pending");
        token["extension"] = json!({ "id": extension["id"], "name": extension["name"] });
        for field in ["external_id", "description", "expiration_date"] {
            token[field] = body[field].clone();
        }
        let now = event(Timestamp::now());
        token["events"] = json!({ "created": now, "updated": now });
        self.tokens.push(token.clone());
        Ok(token)
    }

    /// Makes `change` to the token `id`, which is there. Gives the token, or the permission granted.
    pub(super) fn change(
        &mut self,
        id: &str,
        change: Change,
        body: &Value,
    ) -> Result<Value, Refusal> {
        let secret = self.fresh(id);
        let Some(token) = self.tokens.iter_mut().find(|token| token["id"] == id) else {
            return Err(Refusal::Absent);
        };
        if token["status"] == "deleted" {
            return Err(Refusal::Deleted);
        }
        match change {
            Change::Edit => edit(token, body),
            Change::Delete => token["status"] = json!("deleted"),
            Change::Activate => token["status"] = json!("active"),
            Change::Deactivate => token["status"] = json!("inactive"),
            Change::Renew => renew(token, body, secret),
            Change::Rotate => rotate(token, body, secret),
            Change::Grant => return grant(token, body),
            Change::Revoke => revoke(token, body),
        }
        token["events"]["updated"] = event(Timestamp::now());
        Ok(token.clone())
    }

    /// 40 hex characters that were not given out before.
    fn fresh(&mut self, of: &str) -> String {
        self.made += 1;
        hex(&format!("{of}/{}", self.made), SECRET)
    }
}

/// Every kind in turn: never expiring, expiring, disabled, deleted, expired.
fn other(number: usize) -> Value {
    const KINDS: [(&str, &str, Option<i64>); 5] = [
        ("Reports export", "active", None),
        ("Zapier", "expiring", Some(6)),
        ("Old integration", "inactive", None),
        ("Retired", "deleted", None),
        ("Trial", "expired", Some(-3)),
    ];
    let (name, status, days) = KINDS[number % KINDS.len()];
    let name = match number / KINDS.len() {
        0 => name.to_owned(),
        round => format!("{name} {round}"),
    };
    let id = format!("SU-500-{:03}-{:03}", number / 1_000, number % 1_000);
    let mut token = row(&id, &name, &hex(&id, SECRET), status);
    let round = i64::try_from(number / KINDS.len()).unwrap_or(0);
    // What ends is spread over the next months, and what was made over the last two years.
    token["expiration_date"] = days
        .map(|days| {
            in_days(if days > 0 {
                days + round * 4
            } else {
                days - round
            })
        })
        .into();
    let age = 90 + round * 5 + i64::try_from(number % KINDS.len()).unwrap_or(0);
    let created = Timestamp::now() - SignedDuration::from_hours(24 * (age % 700));
    let by = PEOPLE[number % PEOPLE.len()];
    token["events"]["created"] = event_by(created, by);
    token["events"]["updated"] = event_by(created, by);
    if number % 3 == 1 {
        token["description"] = json!(format!("{name}, for the nightly run"));
        token["external_id"] = json!(format!("ext-{number}"));
    }
    let extensions = extensions();
    let extension = &extensions[number % extensions.len()];
    token["extension"] = json!({ "id": extension["id"], "name": extension["name"] });
    let modules: &[&str] = match number % 7 {
        3 => &["MD-0000"],
        5 => &["MD-0002", "MD-0003", "MD-0005"],
        _ => &["MD-0001"],
    };
    token["permissions"] = modules.iter().map(|module| permission(module)).collect();
    token
}

/// Who makes tokens.
const PEOPLE: [(&str, &str, &str); 3] = [
    ("UR-630-250-903", "Rehearsal Admin", "admin@example.com"),
    ("UR-630-250-904", "Ann Example", "ann@example.com"),
    ("UR-630-250-905", "Bo Example", "bo@example.com"),
];

fn row(id: &str, name: &str, secret: &str, status: &str) -> Value {
    let created = event(Timestamp::now() - SignedDuration::from_hours(24 * 90));
    json!({
        "id": id, "name": name, "description": null, "external_id": null,
        "owner": { "id": "UR-630-250-903", "name": "Rehearsal Admin" },
        "status": status, "extension": { "id": "EXT-000", "name": "Custom" }, "handle": null,
        "token": secret, "permissions": [], "expiration_date": null,
        "renewed_expiration_date": null, "renewed_token": null,
        "events": { "created": created, "updated": created },
    })
}

fn edit(token: &mut Value, body: &Value) {
    for field in ["name", "external_id", "description"] {
        if let Some(value) = body.get(field) {
            token[field] = value.clone();
        }
    }
}

/// The old secret stays until its own expiry; the new one stands beside it (inferred from the field names).
fn renew(token: &mut Value, body: &Value, secret: String) {
    token["renewed_token"] = json!(secret);
    token["renewed_expiration_date"] = body["expiration_date"].clone();
}

/// The old secrets die at once (inferred).
fn rotate(token: &mut Value, body: &Value, secret: String) {
    token["token"] = json!(secret);
    token["expiration_date"] = body["expiration_date"].clone();
    token["renewed_token"] = Value::Null;
    token["renewed_expiration_date"] = Value::Null;
}

fn expire(token: &mut Value) {
    if token["renewed_token"].is_null() {
        token["status"] = json!("expired");
        token["expiration_date"] = json!(in_days(-1));
        return;
    }
    token["token"] = token["renewed_token"].take();
    token["expiration_date"] = token["renewed_expiration_date"].take();
    token["status"] = json!("active");
}

fn grant(token: &mut Value, body: &Value) -> Result<Value, Refusal> {
    let module = module_of(body);
    if !modules().iter().any(|known| known["id"] == module) {
        return Err(Refusal::Module);
    }
    let permission = permission(&module);
    if let Some(held) = token["permissions"].as_array_mut() {
        if held
            .iter()
            .any(|held| held["object"]["id"] == module.as_str())
        {
            return Err(Refusal::Granted);
        }
        held.push(permission.clone());
    }
    Ok(permission)
}

fn revoke(token: &mut Value, body: &Value) {
    let module = module_of(body);
    if let Some(held) = token["permissions"].as_array_mut() {
        held.retain(|held| held["object"]["id"] != module.as_str());
    }
}

/// The module that a body names, as `{id}` or `{object:{id}}`.
fn module_of(body: &Value) -> String {
    body["object"]["id"]
        .as_str()
        .or_else(|| body["id"].as_str())
        .unwrap_or_default()
        .to_owned()
}

fn permission(module: &str) -> Value {
    let name = modules()
        .into_iter()
        .find(|known| known["id"] == module)
        .map(|known| known["name"].clone());
    json!({
        "id": module, "object": { "id": module, "name": name },
        "events": { "granted": event(Timestamp::now()) },
    })
}

/// The modules of the account; `MD-0000` means all of them.
pub(super) fn modules() -> Vec<Value> {
    [
        ("MD-0000", "All"),
        ("MD-0001", "Products"),
        ("MD-0002", "Subscriptions"),
        ("MD-0003", "Reports"),
        ("MD-0004", "Integrations"),
        ("MD-0005", "Usage"),
    ]
    .map(|(id, name)| json!({ "id": id, "name": name }))
    .to_vec()
}

/// What a token can be made for; `EXT-000` is a custom one.
pub(super) fn extensions() -> Vec<Value> {
    [
        ("EXT-000", "Custom"),
        ("EXT-001", "Flowgear"),
        ("EXT-002", "Reports"),
        ("EXT-003", "Zapier"),
    ]
    .map(|(id, name)| {
        json!({
            "id": id, "name": name, "status": "active",
            "constraints": { "account": { "tokens": 32 } },
        })
    })
    .to_vec()
}

/// Whether nobody uses the token `id` any more: every third of those that the account began with.
fn is_unused(id: &str) -> bool {
    let number = id.strip_prefix("SU-500-").map(|rest| rest.replace('-', ""));
    number
        .and_then(|number| number.parse::<u32>().ok())
        .is_some_and(|number| number % 3 == 2)
}

/// How often the token `id` was used, by status code.
pub(super) fn summary(id: &str) -> Value {
    let (good, refused) = if is_unused(id) { (0, 0) } else { (4821, 7) };
    json!({
        "id": id,
        "statuses": [
            { "code": 200, "total": good, "since_last_reset": good / 43 },
            { "code": 403, "total": refused, "since_last_reset": 0 },
        ],
        "started_tracking_at": in_days(-90),
    })
}

/// The same by day, for the last five weeks: less at weekends, refused now and then.
pub(super) fn aggregates(id: &str) -> Value {
    (-35_i64..0)
        .map(|day| {
            let date: String = in_days(day).chars().take(10).collect();
            let good = match day.rem_euclid(7) {
                _ if is_unused(id) => 0,
                0 | 6 => 12,
                weekday => 120 + weekday * 9 + day,
            };
            let mut statuses = vec![json!({ "code": 200, "count": good })];
            if good > 0 && day % 11 == 0 {
                statuses.push(json!({ "code": 403, "count": 7 }));
            }
            json!({ "date": date, "statuses": statuses })
        })
        .collect()
}

fn event(at: Timestamp) -> Value {
    event_by(at, PEOPLE[0])
}

fn event_by(at: Timestamp, (id, name, email): (&str, &str, &str)) -> Value {
    json!({ "at": connect_time(at), "by": { "id": id, "name": name, "email": email } })
}

fn in_days(days: i64) -> String {
    connect_time(Timestamp::now() + SignedDuration::from_hours(24 * days))
}

/// As Connect writes it: `2026-11-23T10:00:00+00:00`.
fn connect_time(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S+00:00").to_string()
}
