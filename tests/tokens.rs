//! The client of Connect's token API: every request as the API's description has it, every answer in words.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::string_slice,
    clippy::too_many_lines,
    clippy::explicit_counter_loop,
    reason = "a test: whatever is missing shall fail it"
)]

mod support;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::Timestamp;
use percent_encoding::percent_decode_str;
use portable_pty::CommandBuilder;
use serde_json::{Value, json};
use support::commands::{Done, switchboard};
use support::is_here;
use support::pty::Terminal;
use switchboard::domain::token::{Direction, Listing};
use switchboard::domain::{Endpoint, Reason, Secret};
use switchboard::sim::{Behaviour, Blesta, Certificate, Connect, Fault, Mishap, Sim, SimSettings};
use switchboard::tokens::{
    Expiry, Group, NewToken, Order, Route, Rql, Status, TokenClient, TokenEdit, TokenProblem,
    TokenQuery,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

const KEY: &str = "f45bee7e79b10ff6eff67902ccb4f3d46724ceb8";
const OWN: &str = "SU-160-984-311";
const ID: &str = "SU-500-000-001";
/// An active token of the rehearsal.
const ID_0: &str = "SU-500-000-000";

/// One request as it came over the wire.
#[derive(Clone, Debug)]
struct Seen {
    method: String,
    path: String,
    query: Option<String>,
    headers: Vec<(String, String)>,
    body: String,
}

impl Seen {
    fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        headers
            .find(|(header, _)| header == name)
            .map(|(_, value)| value.as_str())
    }
}

type Script = Arc<dyn Fn(usize, &Seen) -> Vec<u8> + Send + Sync>;

/// A server that answers as a script says, and remembers what it was asked.
struct Server {
    base: Endpoint,
    seen: Arc<Mutex<Vec<Seen>>>,
    _tasks: JoinSet<()>,
}

impl Server {
    async fn start(script: impl Fn(usize, &Seen) -> Vec<u8> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let seen = Arc::<Mutex<Vec<Seen>>>::default();
        let mut tasks = JoinSet::new();
        let (log, script): (_, Script) = (Arc::clone(&seen), Arc::new(script));
        tasks.spawn(async move {
            let mut conversations = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                conversations.spawn(converse(stream, Arc::clone(&log), Arc::clone(&script)));
            }
        });
        Self {
            base: Endpoint::parse(&format!("http://{address}/public/v1/")).unwrap(),
            seen,
            _tasks: tasks,
        }
    }

    fn client(&self) -> TokenClient {
        let route = Route {
            pause: Duration::ZERO,
            ..Route::default()
        };
        TokenClient::new(&self.base, OWN, &Secret::new(KEY), &route).unwrap()
    }

    fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }
}

async fn converse(mut stream: TcpStream, log: Arc<Mutex<Vec<Seen>>>, script: Script) {
    let mut read = Vec::new();
    loop {
        let head_end = loop {
            if let Some(at) = read.windows(4).position(|four| four == b"\r\n\r\n") {
                break at;
            }
            let mut bytes = [0; 4096];
            match stream.read(&mut bytes).await {
                Ok(0) | Err(_) => return,
                Ok(count) => read.extend_from_slice(&bytes[..count]),
            }
        };
        let head = String::from_utf8(read.drain(..head_end + 4).collect()).unwrap();
        let mut lines = head.split("\r\n").filter(|line| !line.is_empty());
        let mut first = lines.next().unwrap().split(' ');
        let (method, target) = (first.next().unwrap(), first.next().unwrap());
        let headers: Vec<_> = lines
            .map(|line| line.split_once(':').unwrap())
            .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
            .collect();
        let (path, query) = match target.split_once('?') {
            Some((path, query)) => (path, Some(query.to_owned())),
            None => (target, None),
        };
        let mut seen = Seen {
            method: method.to_owned(),
            path: path.to_owned(),
            query,
            headers,
            body: String::new(),
        };
        let length = seen
            .header("content-length")
            .map_or(0, |text| text.parse().unwrap());
        while read.len() < length {
            let mut bytes = [0; 4096];
            match stream.read(&mut bytes).await {
                Ok(0) | Err(_) => return,
                Ok(count) => read.extend_from_slice(&bytes[..count]),
            }
        }
        seen.body = String::from_utf8(read.drain(..length).collect()).unwrap();
        let number = {
            let mut log = log.lock().unwrap();
            log.push(seen.clone());
            log.len()
        };
        let answer = script(number, &seen);
        // An empty script hangs up without an answer.
        if answer.is_empty() || stream.write_all(&answer).await.is_err() {
            return;
        }
    }
}

fn answer(status: u16, headers: &[(&str, &str)], body: &str) -> Vec<u8> {
    let mut text = format!("HTTP/1.1 {status} X\r\nContent-Length: {}\r\n", body.len());
    for (name, value) in headers {
        text.extend([name, ": ", value, "\r\n"]);
    }
    text.push_str("\r\n");
    text.push_str(body);
    text.into_bytes()
}

fn ok(body: &Value) -> Vec<u8> {
    answer(200, &[], &body.to_string())
}

// ---------------------------------------------------------------------------------------------------------
// The API's operations, as its document describes them.

/// What a request may carry behind its path.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Query {
    None,
    /// RQL over these fields, ordering over those, `limit` and `offset`.
    List(&'static [&'static str], &'static [&'static str]),
}

struct Operation {
    method: &'static str,
    path: &'static str,
    query: Query,
    required: &'static [&'static str],
    optional: &'static [&'static str],
}

const TOKEN_FIELDS: &[&str] = &[
    "id",
    "name",
    "status",
    "extension.id",
    "extension.name",
    "external_id",
    "events.created.at",
    "events.created.by.id",
    "events.created.by.name",
    "expiration_date",
    "permissions.id",
];
const TOKEN_ORDER: &[&str] = &[
    "id",
    "name",
    "status",
    "extension.id",
    "events.created.at",
    "expiration_date",
];

const fn operation(method: &'static str, path: &'static str) -> Operation {
    Operation {
        method,
        path,
        query: Query::None,
        required: &[],
        optional: &[],
    }
}

fn operations() -> Vec<Operation> {
    let list = |path, fields, order| Operation {
        query: Query::List(fields, order),
        ..operation("GET", path)
    };
    let with = |method, path, required, optional| Operation {
        required,
        optional,
        ..operation(method, path)
    };
    vec![
        list("/auth/tokens", TOKEN_FIELDS, TOKEN_ORDER),
        with(
            "POST",
            "/auth/tokens",
            &["name", "extension"],
            &["external_id", "description", "owner", "expiration_date"],
        ),
        operation("GET", "/auth/tokens/{id}"),
        with(
            "PUT",
            "/auth/tokens/{id}",
            &[],
            &["name", "external_id", "description"],
        ),
        operation("DELETE", "/auth/tokens/{id}"),
        operation("POST", "/auth/tokens/{id}/activate"),
        operation("POST", "/auth/tokens/{id}/deactivate"),
        with("POST", "/auth/tokens/{id}/renew", &["expiration_date"], &[]),
        with(
            "POST",
            "/auth/tokens/{id}/rotate",
            &["expiration_date"],
            &[],
        ),
        operation("GET", "/auth/tokens/{id}/permissions"),
        with("POST", "/auth/tokens/{id}/permissions", &["id"], &[]),
        with("DELETE", "/auth/tokens/{id}/permissions", &["id"], &[]),
        operation("GET", "/statistics/tokens/{id}/summary"),
        operation("GET", "/statistics/tokens/{id}/aggregates"),
        list("/modules", &[], &[]),
        list("/extensions", &[], &[]),
    ]
}

fn fits(path: &str, template: &str) -> bool {
    let (mut parts, mut wanted) = (path.split('/'), template.split('/'));
    loop {
        match (parts.next(), wanted.next()) {
            (None, None) => return true,
            (Some(part), Some("{id}")) if part.starts_with("SU-") => {}
            (Some(part), Some(wanted)) if part == wanted => {}
            _ => return false,
        }
    }
}

/// The operation that `seen` is; panics where it is none of them, or is not as described.
fn conforming(seen: &Seen) -> &'static str {
    let path = seen
        .path
        .strip_prefix("/public/v1")
        .unwrap_or_else(|| panic!("outside of the base URL: {seen:?}"));
    let operations = operations();
    let operation = operations
        .iter()
        .find(|operation| operation.method == seen.method && fits(path, operation.path))
        .unwrap_or_else(|| panic!("no such operation: {} {path}", seen.method));
    assert_eq!(
        seen.header("authorization"),
        Some(format!("ApiKey {OWN}:{KEY}").as_str())
    );
    assert_eq!(seen.header("accept"), Some("application/json"));
    for unwanted in ["referer", "cookie", "expect"] {
        assert_eq!(seen.header(unwanted), None, "{seen:?}");
    }
    check_query(operation, seen.query.as_deref());
    check_body(operation, seen);
    // Method and path together are the operation's name.
    Box::leak(format!("{} {}", operation.method, operation.path).into_boxed_str())
}

fn check_query(operation: &Operation, query: Option<&str>) {
    let (fields, order) = match (operation.query, query) {
        (Query::None, query) => {
            assert_eq!(query, None, "{} takes no query", operation.path);
            return;
        }
        (Query::List(..), None) => return,
        (Query::List(fields, order), Some(_)) => (fields, order),
    };
    for part in query.unwrap().split('&') {
        let raw = part.replace("%2C", ",");
        assert!(
            raw.is_ascii() && !raw.contains([' ', '"', '<', '>', '#']),
            "not encoded: {part}"
        );
        let part = percent_decode_str(part).decode_utf8().unwrap();
        if let Some((name @ ("limit" | "offset"), count)) = part.split_once('=') {
            assert!(count.parse::<u64>().is_ok(), "{name}={count}");
        } else if let Some(inside) = part.strip_prefix("ordering(") {
            for field in inside.strip_suffix(')').unwrap().split(',') {
                let field = field.trim_start_matches('-');
                assert!(order.contains(&field), "not ordered by {field}");
            }
        } else {
            check_rql(&part, fields);
        }
    }
}

/// Reads one call with its parentheses; every comparison must be of a known field.
fn check_rql(text: &str, fields: &[&str]) {
    let (name, inside) = text
        .split_once('(')
        .unwrap_or_else(|| panic!("no call: {text}"));
    let inside = inside
        .strip_suffix(')')
        .unwrap_or_else(|| panic!("not closed: {text}"));
    match name {
        "and" | "or" | "not" => {
            for part in divided(inside) {
                check_rql(part, fields);
            }
        }
        "eq" | "ne" | "gt" | "ge" | "lt" | "le" | "in" | "out" | "like" | "ilike" => {
            let parts = divided(inside);
            assert_eq!(parts.len(), 2, "{text}");
            assert!(fields.contains(&parts[0]), "not filtered by {}", parts[0]);
        }
        other => panic!("no such operator: {other}"),
    }
}

/// The arguments of a call: divided by commas outside of quotes and parentheses.
fn divided(text: &str) -> Vec<&str> {
    let (mut parts, mut depth, mut quote, mut begin) = (Vec::new(), 0, None, 0);
    for (at, c) in text.char_indices() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (None, '"' | '\'') => quote = Some(c),
            (None, '(') => depth += 1,
            (None, ')') => depth -= 1,
            (None, ',') if depth == 0 => {
                parts.push(&text[begin..at]);
                begin = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&text[begin..]);
    parts
}

fn check_body(operation: &Operation, seen: &Seen) {
    if operation.required.is_empty() && operation.optional.is_empty() {
        assert_eq!(seen.body, "", "{} takes no body", operation.path);
        return;
    }
    assert_eq!(seen.header("content-type"), Some("application/json"));
    let body: Value = serde_json::from_str(&seen.body).unwrap();
    let body = body.as_object().unwrap();
    for field in operation.required {
        assert!(body.contains_key(*field), "{field} is missing in {body:?}");
    }
    for (field, value) in body {
        let known = operation.required.contains(&field.as_str())
            || operation.optional.contains(&field.as_str());
        assert!(known, "{field} is not taken by {}", operation.path);
        match field.as_str() {
            "extension" | "owner" => {
                assert_eq!(
                    value.as_object().unwrap().keys().collect::<Vec<_>>(),
                    ["id"]
                );
            }
            "expiration_date" => assert!(value.is_null() || value.is_string()),
            _ => assert!(value.is_string(), "{field}: {value}"),
        }
    }
}

// ---------------------------------------------------------------------------------------------------------

/// Answers in the form that each operation has.
fn sound(_: usize, seen: &Seen) -> Vec<u8> {
    let path = seen.path.as_str();
    if seen.method == "DELETE" {
        return answer(204, &[], "");
    }
    if seen.method == "GET" && path.ends_with("/auth/tokens")
        || path.ends_with("/permissions")
        || path.ends_with("/modules")
        || path.ends_with("/extensions")
        || path.ends_with("/aggregates")
    {
        return answer(200, &[("Content-Range", "items 0-0/0")], "[]");
    }
    ok(&json!({ "id": ID }))
}

#[tokio::test]
async fn every_request_is_one_of_the_api_s_operations() {
    let server = Server::start(sound).await;
    let client = server.client();
    let expires = Some("2027-01-01T00:00:00+00:00");
    for query in queries() {
        client.tokens(&query).await.unwrap();
    }
    client.token(ID).await.unwrap();
    for new in [bare_token(), whole_token()] {
        client.create(&new).await.unwrap();
    }
    let edit = TokenEdit {
        name: Some("new & \"improved\"".into()),
        external_id: Some(String::new()),
        description: Some("Käse".into()),
    };
    client.update(ID, &edit).await.unwrap();
    client.update(ID, &TokenEdit::default()).await.unwrap();
    client.activate(ID).await.unwrap();
    client.deactivate(ID).await.unwrap();
    client.renew(ID, expires).await.unwrap();
    client.renew(ID, None).await.unwrap();
    client.rotate(ID, expires).await.unwrap();
    client.permissions(ID).await.unwrap();
    client.grant(ID, "MD-0001").await.unwrap();
    client.revoke(ID, "MD-0001").await.unwrap();
    client.usage(ID).await.unwrap();
    client.modules().await.unwrap();
    client.extensions().await.unwrap();
    client.delete(ID).await.unwrap();

    let seen = server.seen();
    let mut used: Vec<_> = seen.iter().map(conforming).collect();
    used.sort_unstable();
    used.dedup();
    assert_eq!(
        used.len(),
        operations().len(),
        "not all were tried: {used:?}"
    );
    let put = seen.iter().find(|seen| seen.method == "PUT").unwrap();
    let body: Value = serde_json::from_str(&put.body).unwrap();
    assert_eq!(
        body,
        json!({ "name": "new & \"improved\"", "external_id": "", "description": "Käse" })
    );
}

fn bare_token() -> NewToken {
    NewToken {
        name: "for reports".into(),
        extension: "EXT-002".into(),
        ..NewToken::default()
    }
}

fn whole_token() -> NewToken {
    NewToken {
        external_id: Some("crm-1".into()),
        description: Some("for people".into()),
        owner: Some("UR-1".into()),
        expires: Some("2027-01-01".into()),
        ..bare_token()
    }
}

/// Every kind of query that the product makes.
fn queries() -> Vec<TokenQuery> {
    let now = Timestamp::UNIX_EPOCH;
    let with = |filter| TokenQuery {
        filter,
        ..TokenQuery::default()
    };
    let mut queries = vec![
        TokenQuery::default(),
        TokenQuery::of(&Listing::default(), now).from_row(300),
        with(Some(Rql::Contains("name", "a, (b) & c=d".into()))),
        with(Some(Rql::In(
            "status",
            vec!["active".into(), "odd one".into()],
        ))),
        with(Some(Rql::Or(vec![
            Rql::Ge("events.created.at", "2026".into()),
            Rql::Le("external_id", "x".into()),
        ]))),
    ];
    queries.extend(Group::ALL.map(|group| with(group.filter(now))));
    // What the screen lists: every group, every order, whatever is typed.
    let typed = [
        "",
        "a b",
        "status:active extension:EXT-002 by:Ann module:MD-0001",
        "x)&eq(id,y \"q\"",
    ];
    for (number, order) in Order::ALL.into_iter().enumerate() {
        let groups = std::iter::once(None).chain(Group::ALL.map(Some));
        queries.extend(groups.map(|group| {
            let filter = typed[number % typed.len()].to_owned();
            let listing = Listing {
                group,
                order,
                filter,
            };
            TokenQuery::of(&listing, now).from_row(100)
        }));
    }
    queries.extend(Order::ALL.map(|order| TokenQuery {
        order: vec![
            (order, Direction::Descending),
            (Order::Id, Direction::Ascending),
        ],
        ..TokenQuery::default()
    }));
    queries
}

#[tokio::test]
async fn ids_that_are_none_never_reach_the_network() {
    let server = Server::start(sound).await;
    let client = server.client();
    for id in ["", "..", "SU-1/renew", "SU 1", "SU-1?x", "Ä"] {
        let problem = client.delete(id).await.unwrap_err();
        assert_eq!(problem.reason(), Reason::LocalError, "{id}");
    }
    assert!(server.seen().is_empty());
}

#[tokio::test]
async fn every_answer_has_its_words() {
    const ERROR: &str = r#"{"error_code":"X_001","errors":["first: \u001b[31mone","two"]}"#;
    for (status, body, reason, words, requests) in [
        (
            400,
            ERROR,
            Reason::UnexpectedStatus,
            "first: [31mone; two",
            1,
        ),
        (401, ERROR, Reason::CredentialsRejected, "X_001", 1),
        (401, "<html>", Reason::UnexpectedStatus, "knows no keys", 1),
        (403, ERROR, Reason::PermissionMissing, "Integrations", 1),
        (
            403,
            "<html>no</html>",
            Reason::ServerRule,
            "before the service (403",
            1,
        ),
        (404, ERROR, Reason::NotFound, "404", 1),
        (302, "", Reason::UnexpectedStatus, "redirects", 1),
        (500, "it broke", Reason::ServerError, "500", 3),
        (502, "", Reason::GatewayDown, "502", 3),
        (503, ERROR, Reason::Maintenance, "503", 3),
        (503, "", Reason::GatewayDown, "503", 3),
        (200, "[{\"id\":", Reason::NotTheService, "ends too early", 1),
        (200, "<html>", Reason::NotTheService, "not JSON", 1),
        (200, "{}", Reason::NotTheService, "another form", 1),
        (200, "", Reason::NotTheService, "ends too early", 1),
    ] {
        let server =
            Server::start(move |_, _| answer(status, &[("Location", "http://127.0.0.1:1/")], body))
                .await;
        let listed = server.client().tokens(&TokenQuery::default()).await;
        let problem = listed.unwrap_err();
        assert_eq!(problem.reason(), reason, "{status} {body}");
        let text = problem.to_string();
        assert!(
            text.starts_with("listing the tokens: ") && text.contains(words),
            "{text}"
        );
        assert!(!text.contains(KEY) && !text.contains('\u{1b}'), "{text}");
        assert_eq!(
            server.seen().len(),
            requests,
            "{status}: tried again only where that is safe"
        );
    }
}

#[tokio::test]
async fn the_password_of_a_web_server_is_not_the_key() {
    let asks = [("WWW-Authenticate", "Basic realm=\"staging\"")];
    let server = Server::start(move |_, _| answer(401, &asks, "<html>")).await;
    let listed = server.client().tokens(&TokenQuery::default()).await;
    assert_eq!(listed.unwrap_err().reason(), Reason::ServerPassword);
}

#[tokio::test]
async fn what_changes_something_is_sent_once() {
    for script in [
        |_: usize, _: &Seen| answer(500, &[], "no"),
        |_: usize, _: &Seen| Vec::new(),
    ] {
        let server = Server::start(script).await;
        let client = server.client();
        let problem = client.renew(ID, None).await.unwrap_err();
        assert!(problem.may_have_happened(), "{problem:?}");
        assert_eq!(server.seen().len(), 1);
    }
    let refused = Server::start(|_, _| answer(400, &[], "{}")).await;
    let problem = refused.client().renew(ID, None).await.unwrap_err();
    assert!(!problem.may_have_happened());
}

#[tokio::test]
async fn nobody_there_means_not_sent() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let route = Route {
        pause: Duration::ZERO,
        ..Route::default()
    };
    let base = Endpoint::parse(&base).unwrap();
    let client = TokenClient::new(&base, OWN, &Secret::new(KEY), &route).unwrap();
    let problem = client.renew(ID, None).await.unwrap_err();
    assert_eq!(problem.reason(), Reason::Refused);
    assert!(!problem.may_have_happened());
}

#[tokio::test]
async fn a_read_that_fails_once_is_tried_again() {
    let server = Server::start(|number, _| match number {
        1 => Vec::new(),
        2 => answer(503, &[], ""),
        _ => ok(&json!({ "id": ID, "status": "active" })),
    })
    .await;
    let token = server.client().token(ID).await.unwrap();
    assert_eq!(token.status, Status::Active);
    assert_eq!(server.seen().len(), 3);
}

#[tokio::test]
async fn quiet_is_kept_by_all_copies_of_a_client() {
    let server = Server::start(|_, _| answer(429, &[("Retry-After", "120")], "{}")).await;
    let client = server.client();
    let before = Timestamp::now();
    let problem = client.token(ID).await.unwrap_err();
    let TokenProblem::Throttled { until, .. } = problem else {
        panic!("{problem:?}");
    };
    let wait = until.duration_since(before).as_secs();
    assert!((119..=125).contains(&wait), "{wait}");
    let copy = client.clone();
    let problem = copy.tokens(&TokenQuery::default()).await.unwrap_err();
    assert_eq!(problem.reason(), Reason::RateLimited);
    assert_eq!(server.seen().len(), 1, "nothing is sent meanwhile");
}

#[tokio::test]
async fn a_failing_service_that_names_a_time_is_left_alone_until_then() {
    let server = Server::start(|_, _| answer(503, &[("Retry-After", "120")], "")).await;
    let client = server.client();
    let problem = client.token(ID).await.unwrap_err();
    assert_eq!(problem.status(), Some(503));
    let held_back = client.token(ID).await.unwrap_err();
    assert!(matches!(held_back, TokenProblem::Throttled { .. }));
    assert_eq!(held_back.reason(), problem.reason(), "one outage, one word");
    assert_eq!(held_back.status(), Some(503));
    assert_eq!(server.seen().len(), 1);
}

#[tokio::test]
async fn lists_may_hold_anything() {
    let body = r#"[null, 7, {}, {"id":"SU-1","status":"hibernating","permissions":null,
        "events":{"created":"yesterday"},"extension":[],"token":17,"expiration_date":null},
        {"id":5,"name":{"a":1},"owner":"me"}]"#;
    let server =
        Server::start(move |_, _| answer(200, &[("Content-Range", "items 0-4/900")], body)).await;
    let page = server
        .client()
        .tokens(&TokenQuery::default())
        .await
        .unwrap();
    assert_eq!((page.rows.len(), page.total), (5, Some(900)));
    assert_eq!(
        page.next_offset(),
        Some(5),
        "by what came back, not by what was asked"
    );
    let odd = &page.rows[3];
    assert_eq!(odd.status, Status::Other("hibernating".into()));
    assert_eq!((&odd.expires, odd.secret.is_none()), (&Expiry::Never, true));
    assert_eq!(page.rows[4].id.as_deref(), Some("5"));

    let empty = Server::start(|_, _| answer(200, &[("Content-Range", "items 0-0/0")], "[]")).await;
    let page = empty.client().tokens(&TokenQuery::default()).await.unwrap();
    assert_eq!(
        (page.rows.len(), page.total, page.next_offset()),
        (0, Some(0), None)
    );
}

#[tokio::test]
async fn an_answer_over_four_mebibytes_is_refused() {
    let server =
        Server::start(|_, _| answer(200, &[], &format!("[\"{}\"]", "x".repeat(4 * 1024 * 1024))))
            .await;
    let problem = server
        .client()
        .tokens(&TokenQuery::default())
        .await
        .unwrap_err();
    assert_eq!(problem.reason(), Reason::BodyTooLarge);
}

#[tokio::test]
async fn a_key_does_not_travel_in_the_open() {
    let remote = Endpoint::parse("http://connect.example.com/public/v1").unwrap();
    let refused = TokenClient::new(&remote, OWN, &Secret::new(KEY), &Route::default()).unwrap_err();
    assert_eq!(refused.reason(), Reason::KeyWithheld);
    let here = Endpoint::parse("http://127.0.0.1:9/public/v1").unwrap();
    let by_proxy = Route {
        by_proxy: true,
        ..Route::default()
    };
    let refused = TokenClient::new(&here, OWN, &Secret::new(KEY), &by_proxy).unwrap_err();
    assert_eq!(refused.reason(), Reason::KeyWithheld);
    let allowed = Route {
        allow_http: true,
        ..Route::default()
    };
    let client = TokenClient::new(&remote, OWN, &Secret::new(KEY), &allowed).unwrap();
    assert!(!format!("{client:?}").contains(KEY));
    let broken = TokenClient::new(&remote, OWN, &Secret::new("a\nb"), &allowed).unwrap_err();
    assert_eq!(broken.reason(), Reason::LocalError);
}

// ---------------------------------------------------------------------------------------------------------
// The commands, black-box, over the rehearsal service.

/// A home with one connection, `market`, and the service behind it.
struct Stage {
    home: tempfile::TempDir,
    sim: Sim,
    connect: Connect,
    url: String,
}

impl Stage {
    fn new() -> Self {
        let mut sim = Sim::bare(SimSettings::default()).unwrap();
        let (id, secret) = sim.connect_pair();
        let connect = Connect::new(&id, &secret, 12);
        let stand = sim.serve(Behaviour::Connect(connect.clone())).unwrap();
        let home = tempfile::tempdir().unwrap();
        let passphrase = home.path().join("passphrase");
        std::fs::write(&passphrase, "correct horse\n").unwrap();
        let private = std::os::unix::fs::PermissionsExt::from_mode(0o600);
        std::fs::set_permissions(&passphrase, private).unwrap();
        let stage = Self {
            home,
            sim,
            connect,
            url: stand.url,
        };
        let url = format!("{}/public/v1", stage.url);
        let add = [
            "connection",
            "add",
            "market",
            "--service",
            "connect",
            "--url",
            &url,
            "--username",
            &id,
            "--store",
            "vault",
            "--key-stdin",
        ];
        let added = stage.run_with(&add, &secret);
        assert_eq!(added.code, 0, "{added:?}");
        stage
    }

    fn run(&self, line: &str) -> Done {
        self.run_with(&line.split_whitespace().collect::<Vec<_>>(), "")
    }

    fn run_with(&self, arguments: &[&str], input: &str) -> Done {
        let passphrase = self.home.path().join("passphrase");
        let variables = [("SWITCHBOARD_PASSPHRASE_FILE", passphrase.to_str().unwrap())];
        // The rehearsal answers on this runtime's threads meanwhile.
        tokio::task::block_in_place(|| switchboard(self.home.path(), arguments, &variables, input))
    }

    /// The command must do; its stdout as JSON.
    fn json(&self, line: &str) -> Value {
        let done = self.run(&format!("{line} --format json"));
        assert_eq!(done.code, 0, "{line}: {done:?}");
        done.json()
    }

    fn asked(&self, method: &str, end: &str) -> usize {
        let log = self.sim.log();
        let seen = log.all().iter();
        seen.filter(|seen| seen.method == method && seen.path.ends_with(end))
            .count()
    }
}

/// The product's fields of a token, in order.
const FIELDS: [&str; 9] = [
    "id",
    "name",
    "status",
    "extension",
    "expires",
    "renewed_expires",
    "created",
    "created_by",
    "permissions",
];

#[tokio::test(flavor = "multi_thread")]
async fn a_token_s_whole_life_by_command() {
    let stage = Stage::new();
    let listed = stage.json("token list market");
    let first = listed.as_array().unwrap().len();
    assert!(first > 5 && !listed.to_string().contains("deleted"));

    let made = stage.json(
        "token create market --name for-reports --extension EXT-002 --module MD-0003 \
         --module MD-0001 --expires 2030-01-31",
    );
    let id = made["id"].as_str().unwrap();
    assert_eq!(made["permissions"], json!(["MD-0003", "MD-0001"]));
    assert_eq!(made["expires"], "2030-01-31T00:00:00Z");
    let mut fields: Vec<_> = made
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    let mut wanted = FIELDS.to_vec();
    fields.sort_unstable();
    wanted.sort_unstable();
    assert_eq!(fields, wanted);

    let status = |line: &str| stage.json(&format!("token {line}"))["status"].clone();
    assert_eq!(status(&format!("enable market {id}")), "active");
    assert_eq!(status(&format!("disable market {id} --yes")), "inactive");
    let edited = stage.json(&format!(
        "token edit market {id} --name reports --module MD-0002"
    ));
    assert_eq!(edited["name"], "reports");
    for nameless in [
        "edit market ID --name=",
        "create market --name= --extension EXT-002",
    ] {
        let posts = stage.asked("POST", "/tokens") + stage.asked("PUT", id);
        let refused = stage.run(&format!("token {}", nameless.replace("ID", id)));
        assert_eq!(refused.code, 3, "{}", refused.err);
        assert!(
            refused.err.contains("a token needs a name"),
            "{}",
            refused.err
        );
        assert_eq!(
            stage.asked("POST", "/tokens") + stage.asked("PUT", id),
            posts
        );
    }
    assert_eq!(edited["permissions"], json!(["MD-0002"]));
    let granted = stage.json(&format!("token permissions market {id} --grant MD-0004"));
    assert_eq!(granted.as_array().unwrap().len(), 2);
    assert!(stage.json(&format!("token usage market {id}"))["last_used"].is_string());
    let shown = stage.run(&format!("token show market {id}")).out;
    assert!(
        shown.contains("reports") && shown.contains("2030-01-31"),
        "{shown:?}"
    );

    let own = stage.run(&format!("token show market {OWN}")).out;
    assert!(own.contains(", in use"), "as the list has it: {own}");

    let unasked = stage.run(&format!("token delete market {id}"));
    assert_eq!(unasked.code, 3, "nobody can be asked");
    assert_eq!(status(&format!("delete market {id} --yes")), "deleted");
    let left = stage.json("token list market");
    assert_eq!(left.as_array().unwrap().len(), first);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_was_made_is_told_also_where_its_modules_failed() {
    let stage = Stage::new();
    let made = stage.run("token create market --name half --module MD-9 --format json");
    assert_eq!(made.code, 1, "{made:?}");
    let id = made.json()["id"].clone();
    assert!(stage.connect.token_row(id.as_str().unwrap()).is_some());

    let known = stage.run("token list market --status disabled --format json");
    assert!(!known.json().as_array().unwrap().is_empty(), "{known:?}");
    assert_eq!(stage.run("token list market --status gone").code, 3);

    let twice = format!("token permissions market {ID_0} --grant MD-0002 --grant MD-0002");
    let granted = stage.run(&twice);
    assert_eq!(granted.code, 0, "once is enough: {granted:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_renewed_beyond_is_no_alarm() {
    /// A token that ends in some days.
    const ENDING: &str = "SU-500-000-001";
    let stage = Stage::new();
    let ending = |stage: &Stage| {
        let done = stage.run("token list market --expiring 30d --format json");
        done.json().to_string().contains(ENDING)
    };
    assert!(ending(&stage));
    stage.json(&format!("token renew market {ENDING} --expires 90d"));
    assert!(!ending(&stage));

    // Another renewal would kill the secret that is in use now.
    let again = format!("token renew market {ENDING} --expires 90d --format json");
    let unasked = stage.run(&again);
    assert_eq!(unasked.code, 3, "nobody can be asked: {unasked:?}");
    assert!(unasked.err.contains("renewed already"), "{unasked:?}");
    assert_eq!(stage.asked("POST", "/renew"), 1);
    let agreed = stage.run(&format!("{again} --yes"));
    assert_eq!(agreed.code, 0, "{agreed:?}");
    assert_eq!(agreed.json()["done"], "renewed");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_s_secrets_by_command() {
    let stage = Stage::new();
    let secret = |field: &str| {
        let row = stage.connect.token_row(ID_0).unwrap();
        row[field].as_str().unwrap().to_owned()
    };
    let first = secret("token");
    let revealed = || stage.run(&format!("token reveal market {ID_0}")).out;
    assert_eq!(revealed(), format!("ApiKey {ID_0}:{first}"));
    let renewed = stage.json(&format!("token renew market {ID_0} --expires 90d --yes"));
    assert_eq!(
        (&renewed["id"], &renewed["updated"]),
        (&json!(ID_0), &json!([]))
    );
    assert_eq!(
        secret("token"),
        first,
        "the first is valid until its own end"
    );
    assert_eq!(
        revealed(),
        format!("ApiKey {ID_0}:{}", secret("renewed_token"))
    );
    stage.json(&format!("token rotate market {ID_0} --yes"));
    assert_ne!(secret("token"), first);
    let own = stage.json(&format!("token rotate market {OWN} --yes"));
    assert_eq!(own["updated"], json!(["market"]));
    assert_eq!(stage.run("probe market").code, 0, "the new key was saved");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_from_a_variable_is_renewed_into_a_vault_that_is_made_or_opened_for_it() {
    let stage = Stage::new();
    let home = tempfile::tempdir().unwrap();
    let passphrase = stage.home.path().join("passphrase");
    let (_, secret) = stage.sim.connect_pair();
    let variables = [("KEY", secret.as_str())];
    let run = |words: &[&str]| {
        tokio::task::block_in_place(|| switchboard(home.path(), words, &variables, ""))
    };
    let url = format!("{}/public/v1", stage.url);
    let add = [
        "connection",
        "add",
        "market",
        "--service",
        "connect",
        "--url",
        &url,
    ];
    let pair = ["--username", OWN, "--key-ref", "env:KEY"];
    assert_eq!(run(&[&add[..], &pair[..]].concat()).code, 0);
    let configuration = home.path().join(".config/switchboard/switchboard.toml");
    let text = std::fs::read_to_string(&configuration).unwrap();
    let text = if text.contains("[settings]") {
        text.replacen("[settings]", "[settings]\nstore = \"vault\"", 1)
    } else {
        text.replacen(
            "version = 1",
            "version = 1\n\n[settings]\nstore = \"vault\"",
            1,
        )
    };
    std::fs::write(&configuration, text).unwrap();
    let rotate = [
        "token", "rotate", "market", OWN, "--yes", "--format", "json",
    ];
    let locked = run(&rotate);
    assert_eq!(locked.code, 3, "{locked:?}");
    assert_eq!(
        stage.asked("POST", "/rotate") + stage.asked("POST", "/regenerate"),
        0
    );
    let given = ["--passphrase-file", passphrase.to_str().unwrap()];
    let rotated = run(&[&rotate[..], &given[..]].concat());
    assert_eq!(rotated.code, 0, "{rotated:?}");
    assert_eq!(rotated.json()["updated"], json!(["market"]));
    // The vault is there by now; the key of another connection goes into it.
    let row = stage.connect.token_row(OWN).unwrap();
    let second = row["token"].as_str().unwrap();
    let probed = run(&[&["probe", "market"], &given[..]].concat());
    assert_eq!(probed.code, 0, "the new key was saved: {probed:?}");
    let back = ["connection", "edit", "market", "--key-ref", "env:KEY2"];
    assert_eq!(run(&[&back[..], &given[..]].concat()).code, 0);
    let renew = ["token", "renew", "market", OWN, "--yes", "--format", "json"];
    let variables = [("KEY2", second)];
    let run = |words: &[&str]| {
        let words = [words, &given[..]].concat();
        tokio::task::block_in_place(|| switchboard(home.path(), &words, &variables, ""))
    };
    // Its proof fails, so that the connection still names the variable, and no probe needs the vault for that.
    stage
        .connect
        .plan("GET /accounts", Mishap::Before(Fault::Reset));
    let left = run(&renew);
    assert_eq!(left.code, 2, "{left:?}");
    // Another one, of which nothing is known and which needs no vault.
    stage.connect.plan(
        &format!("POST /auth/tokens/{ID_0}/renew"),
        Mishap::Before(Fault::Close),
    );
    let renew = ["token", "renew", "market", ID_0, "--yes"];
    assert_eq!(run(&renew).code, 2);
    let told = tokio::task::block_in_place(|| {
        switchboard(home.path(), &["probe", "market"], &variables, "")
    });
    let what_works = "the vault is locked (nobody can be asked here: give --passphrase-fd";
    assert!(told.err.contains(what_works), "{told:?}");
    let probe = |given: &[&str]| {
        let mut probe = CommandBuilder::new(env!("CARGO_BIN_EXE_switchboard"));
        probe.args([&["probe", "market"], given].concat());
        probe.env_clear();
        for (name, value) in [("HOME", home.path().to_str().unwrap()), ("KEY2", second)] {
            probe.env(name, value);
        }
        Terminal::start(probe, 100, 24)
    };
    let asked = tokio::task::block_in_place(|| {
        let mut terminal = probe(&[]);
        let asked = terminal.wait_for("vault passphrase:");
        terminal.type_keys("another\r");
        terminal.wait_until_ended();
        asked
    });
    let what_for = format!("{OWN}, begun earlier: its new secret needs the vault");
    assert!(asked.contains(&what_for), "{asked}");
    let wrong = home.path().join("wrong");
    std::fs::write(&wrong, "another").unwrap();
    let private = std::os::unix::fs::PermissionsExt::from_mode(0o600);
    std::fs::set_permissions(&wrong, private).unwrap();
    let file = ["--passphrase-file", wrong.to_str().unwrap()];
    let why = format!("{OWN}, begun earlier: the passphrase is not the right one");
    // Nobody is asked, so nobody is told what for.
    let told = tokio::task::block_in_place(|| {
        let terminal = probe(&file);
        let told = terminal.wait_for(&why);
        terminal.wait_until_ended();
        told
    });
    assert!(!told.contains("needs the vault"), "{told}");
    let folder = home.path().join(".local/share/switchboard");
    let away = home.path().join("away");
    std::fs::rename(&folder, &away).unwrap();
    let told = run(&["probe", "market"]);
    assert!(
        told.err.contains("the vault that it belongs in is missing"),
        "{told:?}"
    );
    let told = run(&["token", "renew", "market", OWN, "--yes"]);
    assert_eq!(told.code, 3, "{told:?}");
    assert!(
        told.err.contains("is missing: put its folder back"),
        "{told:?}"
    );
    assert!(
        !folder.join("identity.age").exists(),
        "no other one is made"
    );
    // One of the same id elsewhere was not begun.
    let other = Stage::new();
    let (_, elsewhere) = other.sim.connect_pair();
    let url = format!("{}/public/v1", other.url);
    let variables = [("KEY2", second), ("KEY3", elsewhere.as_str())];
    let run_there = |words: &[&str]| {
        let words = [words, &given[..]].concat();
        tokio::task::block_in_place(|| switchboard(home.path(), &words, &variables, ""))
    };
    let add = ["connection", "add", "other", "--service", "connect"];
    let pair = ["--url", &url, "--username", OWN, "--key-ref", "env:KEY3"];
    let added = run_there(&[&add[..], &pair].concat());
    assert_eq!(added.code, 0, "{added:?}");
    let renewed = run_there(&["token", "renew", "other", OWN, "--yes"]);
    assert_eq!(renewed.code, 0, "{renewed:?}");
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::rename(&away, &folder).unwrap();
    let probed = run(&["probe", "market"]);
    assert!(probed.err.contains("is in use"), "{probed:?}");
    let once = probed
        .err
        .matches(&format!("{ID_0}, begun earlier"))
        .count();
    assert_eq!(once, 1, "{probed:?}");
    assert_eq!(probed.code, 0, "{probed:?}");
    stage.connect.let_expire(OWN);
    assert_eq!(run(&["probe", "market"]).code, 0, "with the new one");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_token_ends_unless_something_else_is_said() {
    let stage = Stage::new();
    let made = stage.run("token create market --name one --format json");
    assert_eq!(made.code, 0, "{made:?}");
    assert!(made.json()["expires"].is_string(), "{made:?}");
    assert!(
        made.err.contains("365d") && made.err.contains("--expires"),
        "{made:?}"
    );
    let id = made.json()["id"].as_str().unwrap().to_owned();
    assert!(
        made.err.contains(&format!("token enable market {id}")),
        "{made:?}"
    );
    let never = stage.run("token create market --name two --expires never --format json");
    assert!(never.json()["expires"].is_null(), "{never:?}");
    assert!(!never.err.contains("365d"), "{never:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_id_is_the_service_s_in_either_case_and_a_label_is_ours() {
    let stage = Stage::new();
    let shown = stage.run(&format!("token reveal market {ID_0}"));
    let small = stage.run(&format!("token reveal market {}", ID_0.to_lowercase()));
    assert_eq!((small.code, &small.out), (0, &shown.out), "{small:?}");
    let add = ["secret", "add", "market", ID_0, "--token-stdin"];
    let added = stage.run_with(&add, "kept-here");
    assert_eq!(added.code, 0, "{added:?}");
    let kept = stage.run(&format!("token reveal market {ID_0}"));
    assert_eq!(kept.out, "kept-here", "{kept:?}");
    let none = stage.run("token list market --filter no-such-label");
    assert_eq!((none.out.as_str(), none.err.as_str()), ("", "no tokens\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_failure_has_its_exit_code() {
    let stage = Stage::new();
    let instead = |status, body: &str| {
        Mishap::Instead(switchboard::sim::Answer::new(status, "text/plain", body))
    };
    for (mishap, words) in [
        (instead(403, "no"), "by a server before the service (403)"),
        (instead(404, "no"), "404"),
        (instead(200, "{"), "not what this API sends"),
    ] {
        stage.connect.plan("GET /auth/tokens", mishap);
        let done = stage.run("token list market");
        assert_eq!(done.code, 1, "{done:?}");
        assert!(done.err.contains(words) && done.out.is_empty(), "{done:?}");
    }
    // Once a probe found the key accepted, a read that fails is tried again: twice.
    assert_eq!(stage.run("probe market").code, 0);
    for _ in 0..3 {
        stage.connect.plan("GET /auth/tokens", Mishap::failed());
    }
    for (line, code) in [
        ("token list market", 2),
        ("token delete market SU-160-984-311 --yes", 3),
        ("token show market SU-1", 1),
        ("token show market none/at/all", 3),
        ("token list nobody", 3),
        ("token list market --expiring 1d", 0),
    ] {
        let done = stage.run(line);
        assert_eq!(done.code, code, "{line}: {done:?}");
    }
    let expiring = stage.run("token list --all --expiring 30d --format json");
    assert_eq!(expiring.code, 1);
    assert_eq!(expiring.json()[0]["connection"], "market");
    // Last, since the quiet that the service asked for is kept by every program.
    stage
        .connect
        .plan("GET /auth/tokens", Mishap::throttled(Some(60)));
    let done = stage.run("token list market");
    assert!(
        done.code == 1 && done.err.contains("wait until"),
        "{done:?}"
    );
    let before = stage.sim.log().all().len();
    assert_ne!(stage.run("token list market").code, 0);
    assert_eq!(
        stage.sim.log().all().len(),
        before,
        "nothing is sent meanwhile"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_ends_next_is_one_list_of_tokens_and_certificates() {
    let mut stage = Stage::new();
    let shop = Blesta::new("api", "0123456789abcdef0123456789abcdef", "127.0.0.1");
    let ends = stage
        .sim
        .serve_tls(Behaviour::Blesta(shop.clone()), Certificate::Expiring)
        .unwrap();
    let ca = stage.sim.ca_file();
    let (url, ca) = (ends.url, ca.to_str().unwrap().to_owned());
    let add = [
        "connection",
        "add",
        "shop",
        "--service",
        "blesta",
        "--url",
        &url,
        "--username",
        "api",
        "--ca-file",
        &ca,
        "--store",
        "vault",
        "--key-stdin",
    ];
    assert_eq!(stage.run_with(&add, &shop.key).code, 0);
    let listed = |within: &str| {
        stage.run(&format!(
            "token list --all --expiring {within} --format json"
        ))
    };
    let kinds = |done: &Done| -> Vec<String> {
        let rows = done.json();
        let rows = rows.as_array().unwrap().iter();
        rows.map(|row| row["kind"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(
        kinds(&listed("30d")),
        ["token", "token", "token"],
        "nobody has probed it"
    );
    stage.run("probe shop");
    let before = stage.sim.log().at(ends.port).len();
    let month = listed("30d");
    assert_eq!(month.code, 1);
    assert_eq!(
        kinds(&month),
        ["token", "certificate", "token", "token"],
        "{month:?}"
    );
    let row = &month.json()[1];
    assert_eq!(
        (&row["connection"], &row["status"]),
        (&json!("shop"), &Value::Null)
    );
    assert!(row["expires"].is_string() && row["name"].as_str().unwrap().starts_with("CN="));
    assert_eq!(listed("1d").code, 0);
    let shown = stage.run("token list --all --expiring 30d");
    assert!(shown.out.contains("certificate"), "{shown:?}");
    assert_eq!(
        stage.sim.log().at(ends.port).len(),
        before,
        "it was not asked for this"
    );
}

/// The real binary, killed by the kernel as it is about to put something on the disk: at its first such call, at
/// its second, and so on, until a run has none left.
#[tokio::test(flavor = "multi_thread")]
async fn killed_at_any_write_of_a_renewal_the_connection_works_afterwards() {
    if !is_here("/usr/bin/strace") {
        return;
    }
    let mut kills = 0;
    for number in 1..60 {
        let stage = Stage::new();
        let inject = format!("inject={WRITES}:signal=KILL:when={number}");
        let mut command = std::process::Command::new("strace");
        command.args(["-f", "-qq", "-o", "/dev/null", "-e", &inject]);
        command.args([
            env!("CARGO_BIN_EXE_switchboard"),
            "token",
            "renew",
            "market",
        ]);
        command.args([OWN, "--expires", "2030-01-01", "--yes"]);
        let passphrase = stage.home.path().join("passphrase");
        command
            .env_clear()
            .env("HOME", stage.home.path())
            .env("SWITCHBOARD_PASSPHRASE_FILE", &passphrase)
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null());
        let status = tokio::task::block_in_place(|| command.status().unwrap());
        let probed = stage.run("probe market --format json");
        assert_eq!(probed.code, 0, "write {number}: {probed:?}");
        let renewed = stage.asked("POST", "/renew");
        assert!(renewed <= 1, "write {number}: renewed {renewed} times");
        if renewed == 1 {
            stage.connect.let_expire(OWN);
            let probed = stage.run("probe market");
            assert_eq!(
                probed.code, 0,
                "write {number}, the old one dead: {probed:?}"
            );
        }
        if status.success() {
            assert_eq!(renewed, 1, "the last run was let through");
            assert!(kills > 5, "only {kills} runs were killed");
            return;
        }
        kills += 1;
    }
    panic!("no run got through");
}

/// The calls by which something comes to be on the disk.
const WRITES: &str = "fsync,fdatasync,rename,renameat,renameat2,unlink,unlinkat";

#[tokio::test(flavor = "multi_thread")]
async fn killed_at_any_request_of_a_renewal_the_connection_works_afterwards() {
    for (number, at) in [(1, "GET"), (2, "POST"), (3, "proof"), (4, "second proof")] {
        let stage = Stage::new();
        let control = stage.sim.control(&stage.url).unwrap().clone();
        let passphrase = stage.home.path().join("passphrase");
        let before = stage.sim.log().all().len();
        control.hold();
        let mut child = std::process::Command::new(env!("CARGO_BIN_EXE_switchboard"))
            .args([
                "token",
                "renew",
                "market",
                OWN,
                "--expires",
                "2030-01-01",
                "--yes",
            ])
            .env_clear()
            .env("HOME", stage.home.path())
            .env("SWITCHBOARD_PASSPHRASE_FILE", &passphrase)
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null())
            .spawn()
            .unwrap();
        // Every answer is let go, but for the one at which it is killed.
        for request in 1..=number {
            let comes = stage
                .sim
                .wait_for(|log| log.all().len() >= before + request);
            let limit = std::time::Duration::from_secs(60);
            assert!(tokio::time::timeout(limit, comes).await.is_ok(), "{at}");
            if request < number {
                control.release_one();
            }
        }
        child.kill().unwrap();
        child.wait().unwrap();
        control.release();

        let probed = stage.run("probe market --format json");
        assert_eq!(probed.code, 0, "{at}: {probed:?}");
        let renewed = stage.asked("POST", "/renew");
        assert_eq!(renewed, usize::from(number > 1), "{at}: {}", probed.err);
        stage.connect.let_expire(OWN);
        let probed = stage.run("probe market");
        let lives_on = number > 1;
        assert_eq!(probed.code == 0, lives_on, "{at}: {probed:?}");
    }
}

async fn listed(script: impl Fn(usize, &Seen) -> Vec<u8> + Send + Sync + 'static) -> (Done, usize) {
    let (done, seen) = scripted(script, "token list market --format json").await;
    (done, seen.len())
}

/// A saved connection to a scripted service, asked by the real binary.
async fn scripted(
    script: impl Fn(usize, &Seen) -> Vec<u8> + Send + Sync + 'static,
    line: &str,
) -> (Done, Vec<Seen>) {
    let home = tempfile::tempdir().unwrap();
    let server = Server::start(script).await;
    let run = |line: &str| {
        let arguments: Vec<_> = line.split(' ').collect();
        tokio::task::block_in_place(|| {
            switchboard(home.path(), &arguments, &[("MARKET_KEY", KEY)], "")
        })
    };
    let url = server.base.url();
    let added = run(&format!(
        "connection add market --service connect --url {url} --username {OWN} --key-ref env:MARKET_KEY"
    ));
    assert_eq!(added.code, 0, "{added:?}");
    let done = run(line);
    (done, server.seen())
}

/// A service may leave the modules out of the token's own answer: they are asked for, and not taken for none.
#[tokio::test(flavor = "multi_thread")]
async fn modules_that_a_token_does_not_tell_are_revoked_all_the_same() {
    let script = |_: usize, seen: &Seen| match (seen.method.as_str(), seen.path.as_str()) {
        ("GET", path) if path.ends_with("/permissions") => {
            let held = ["MD-0001", "MD-0002"].map(|id| json!({ "id": id }));
            answer(200, &[], &json!(held).to_string())
        }
        ("DELETE", _) => answer(204, &[], ""),
        ("POST", _) => answer(201, &[], "{}"),
        _ => answer(200, &[], &row("SU-1").to_string()),
    };
    let edit = "token edit market SU-1 --module MD-0002 --format json";
    let (done, seen) = scripted(script, edit).await;
    assert_eq!(done.code, 0, "{done:?}");
    let revoked = seen.iter().filter(|seen| seen.method == "DELETE").count();
    assert_eq!(revoked, 1, "{seen:?}");
    let granted = seen.iter().any(|seen| seen.method == "POST");
    assert!(!granted, "{seen:?}");
    let shown = &done.json()["permissions"];
    assert_eq!(shown, &json!(["MD-0001", "MD-0002"]), "as the service says");
}

fn row(id: &str) -> Value {
    json!({ "id": id, "status": "active" })
}

#[tokio::test(flavor = "multi_thread")]
async fn an_id_is_asked_for_as_the_service_writes_it() {
    let (done, seen) = scripted(
        |_, _| answer(200, &[], &row("SU-1").to_string()),
        "token show market su-1",
    )
    .await;
    assert_eq!(done.code, 0, "{done:?}");
    assert!(seen[0].path.ends_with("/auth/tokens/SU-1"), "{seen:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_that_never_ends_is_not_asked_for_ever() {
    let once = || answer(200, &[], &json!([row("SU-1"), row("SU-2")]).to_string());
    let (done, asked) = listed(move |_, _| once()).await;
    assert_eq!((done.code, asked), (0, 2), "not paged: {done:?}");
    assert_eq!(
        done.json().as_array().unwrap().len(),
        2,
        "each of them once"
    );

    let (done, asked) = listed(|_, _| answer(200, &[], "[{},{}]")).await;
    assert_eq!((done.code, asked), (0, 1), "no ids: {done:?}");

    let total = [("Content-Range", "items 0-1/900")];
    let again = move |_: usize, _: &Seen| answer(200, &total, &json!([row("SU-1")]).to_string());
    let (done, asked) = listed(again).await;
    assert_eq!((done.code, asked), (1, 2), "{done:?}");
    assert!(
        done.err.contains("its pages repeat, 1 of 900 tokens came"),
        "{done:?}"
    );

    // A row that was made meanwhile moves the others on by one.
    let (done, asked) = listed(|number, _| match number {
        1 => answer(
            200,
            &[("Content-Range", "items 0-1/3")],
            &json!([row("SU-3"), row("SU-2")]).to_string(),
        ),
        _ => answer(
            200,
            &[("Content-Range", "items 2-3/4")],
            &json!([row("SU-2"), row("SU-1")]).to_string(),
        ),
    })
    .await;
    assert_eq!((done.code, asked), (0, 2), "{done:?}");
    let ids: Vec<_> = done
        .json()
        .as_array()
        .unwrap()
        .iter()
        .map(|token| token["id"].clone())
        .collect();
    assert_eq!(ids, ["SU-3", "SU-2", "SU-1"]);
    assert!(done.err.contains("tokens may be missing"), "{done:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_with_tokens_missing_is_not_taken_for_whole() {
    let page = |range: &str, ids: &[&str]| {
        let rows: Vec<_> = ids.iter().map(|id| row(id)).collect();
        answer(200, &[("Content-Range", range)], &json!(rows).to_string())
    };
    let (done, _) = listed(move |number, _| match number {
        1 => page("items 0-1/9", &["SU-1", "SU-2"]),
        _ => page("items 2-9/9", &[]),
    })
    .await;
    assert_eq!(done.code, 1, "{done:?}");
    let ended = "its pages end, 2 of 9 tokens came";
    assert!(done.err.contains(ended), "{done:?}");

    // One of the first was deleted meanwhile: the third stands where the second page ends.
    let (done, _) = listed(move |number, _| match number {
        1 => page("items 0-1/4", &["SU-1", "SU-2"]),
        _ => page("items 2-2/3", &["SU-4"]),
    })
    .await;
    assert_eq!(done.code, 0, "{done:?}");
    assert!(done.err.contains("tokens may be missing"), "{done:?}");

    let (done, _) = listed(move |number, _| match number {
        1 => page("items 0-1/3", &["SU-1", "SU-2"]),
        _ => page("items 2-2/3", &["SU-3"]),
    })
    .await;
    assert_eq!((done.code, done.err.as_str()), (0, ""), "{done:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_service_repeats_of_the_key_is_shown_nowhere() {
    let echoing = |_: usize, seen: &Seen| {
        let header = seen.header("authorization").unwrap();
        let body = json!([{ "id": "SU-1", "name": header, "description": KEY.to_uppercase(), "owner": { "name": header } }]);
        answer(200, &[], &body.to_string())
    };
    let (done, _) = listed(echoing).await;
    assert_eq!(done.code, 0, "{done:?}");
    assert!(done.out.contains("ApiKey SU-160-984-311:••••"), "{done:?}");
    let (refused, _) = listed(|_, seen| {
        let header = seen.header("authorization").unwrap();
        answer(
            400,
            &[],
            &json!({ "error_code": header, "errors": [header] }).to_string(),
        )
    })
    .await;
    assert!(
        refused.err.contains("ApiKey SU-160-984-311:••••"),
        "{refused:?}"
    );
    for text in [done.out, done.err, refused.out, refused.err] {
        assert!(!text.to_lowercase().contains(KEY), "{text}");
    }
}

#[tokio::test]
async fn an_odd_header_is_passed_over_and_what_is_not_http_is_said() {
    let odd = Server::start(|_, _| {
        answer(
            200,
            &[("X-A", "\u{1b}[2J"), ("Odd Name ", "1")],
            &row(ID).to_string(),
        )
    })
    .await;
    assert_eq!(
        odd.client().token(ID).await.unwrap().id.as_deref(),
        Some(ID)
    );
    let other = Server::start(|_, _| b"SSH-2.0-OpenSSH_9.2\r\n".to_vec()).await;
    let problem = other.client().token(ID).await.unwrap_err();
    assert_eq!(problem.reason(), Reason::NotHttp, "{problem}");
}
