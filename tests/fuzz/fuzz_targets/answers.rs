//! Answers of the token API: whatever bytes come, every reading of them ends, shows nothing active and keeps
//! what is secret to itself; and no text becomes syntax of a filter.
//!
//! An input is a line with the status, a line with the `Content-Range`, then the body.

#![no_main]

use jiff::Timestamp;
use libfuzzer_sys::fuzz_target;
use serde_json::Value;
use switchboard::domain::Secret;
use switchboard::domain::error::JsonProblem;
use switchboard::domain::text::inert;
use switchboard::tokens::{Answer, Group, Page, Refusal, Rql, Token, TokenQuery, Usage, total_of};

/// What stands in the seeds where a service would send a secret.
const SECRET: &str = "hidden-secret-hidden-secret";

fuzz_target!(|input: &[u8]| {
    let mut parts = input.splitn(3, |byte| *byte == b'\n');
    let mut next = || parts.next().unwrap_or_default();
    let status = String::from_utf8_lossy(next()).parse().unwrap_or(200);
    let range = String::from_utf8_lossy(next()).into_owned();
    let body = next();
    let own = Secret::new("own-secret-own-secret");
    let tokens = read(body, &own, Answer::tokens);
    if let Ok(Value::Array(rows)) = serde_json::from_slice(body) {
        assert_eq!(
            tokens.as_ref().map(Vec::len),
            Some(rows.len()),
            "every row is read"
        );
    }
    let token = read(body, &own, Answer::token);
    for token in tokens.iter().flatten().chain(&token) {
        looked_at(token);
    }
    read(body, &own, Answer::modules);
    read(body, &own, Answer::extensions);
    read(body, &own, Answer::permissions);
    let usage = Usage {
        summary: read(body, &own, Answer::summary).unwrap_or_default(),
        days: read(body, &own, Answer::days).unwrap_or_default(),
    };
    usage.last_used();
    usage.total();
    let refusal = Refusal::read("reading".to_owned(), status, "Integrations", body, &own);
    let refusal = refusal.to_string();
    assert_eq!(inert(&refusal, 8_192), refusal);
    let page = Page {
        rows: tokens.unwrap_or_default(),
        offset: u64::from(status),
        total: total_of(&range),
    };
    if let Some(next) = page.next_offset() {
        assert!(next > page.offset, "a page that comes back for ever");
        TokenQuery::default().from_row(next).encoded();
    }
    filtered(&String::from_utf8_lossy(body));
});

fn read<T>(
    body: &[u8],
    own: &Secret,
    how: impl FnOnce(Answer) -> Result<T, JsonProblem>,
) -> Option<T> {
    Answer::parse(body, own).and_then(how).ok()
}

fn looked_at(token: &Token) {
    let now = Timestamp::UNIX_EPOCH;
    token.modules();
    token.full_handle();
    for group in Group::ALL {
        group.holds(token, None, now);
    }
    all_inert(&serde_json::to_value(token).expect("a token is JSON"));
    // A label may be called like the secret; where nothing else is, the secret must have been hidden.
    let is_label = [
        &token.name,
        &token.id,
        &token.description,
        &token.external_id,
    ]
    .into_iter()
    .flatten()
    .any(|text| text.contains(SECRET));
    if !is_label {
        let hidden = [&token.secret, &token.handle, &token.renewed_secret];
        for secret in hidden.into_iter().flatten() {
            assert!(!format!("{secret:?}").contains(SECRET));
        }
    }
}

fn all_inert(value: &Value) {
    match value {
        Value::String(text) => assert_eq!(&inert(text, 8_192), text),
        Value::Array(values) => values.iter().for_each(all_inert),
        Value::Object(values) => values.values().for_each(all_inert),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// A text that somebody filters by stays one value.
fn filtered(text: &str) {
    for filter in [
        Rql::Eq("name", text.into()),
        Rql::Contains("name", text.to_owned()),
        Rql::In("name", vec![text.to_owned(), "b".to_owned()]),
    ] {
        let encoded = filter.encoded();
        assert!(
            encoded.is_ascii() && !encoded.contains(['&', '#', ' ', '?', '/', '\\']),
            "{encoded}"
        );
        assert!(outside_of_quotes(&filter.text()), "{}", filter.text());
    }
}

/// Outside of quotes stand only the brackets and commas that the filter itself has.
fn outside_of_quotes(text: &str) -> bool {
    let (mut quote, mut depth, mut commas) = (None, 0_i32, 0);
    for c in text.chars() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') => quote = Some(c),
            (None, '(') => depth += 1,
            (None, ')') => depth -= 1,
            (None, ',') => commas += 1,
            (None, _) => {}
        }
        if depth < 0 {
            return false;
        }
    }
    quote.is_none() && depth == 0 && commas <= 2
}
