//! `~/.ccli/config.json`: the accounts of `CloudBlue` Connect's own command line, in plain text there.

use serde::Deserialize;

use super::place::without_secrets;
use super::{Candidate, CandidateValue, Reading, Unreadable, name_of, tell_apart};
use crate::domain::error::whole_chain;
use crate::domain::shape::TOKEN_SCHEME;
use crate::domain::text::inert;
use crate::domain::{Connection, Endpoint, Secret, ServiceId, UrlProblem};

/// Where the API is when an account names no endpoint.
const USUAL: &str = "https://api.connect.cloudblue.com/public/v1";

#[derive(Deserialize)]
struct File {
    accounts: Vec<serde_json::Value>,
    #[serde(default)]
    active: Option<String>,
}

#[derive(Deserialize)]
struct Account {
    api_key: Option<String>,
    endpoint: Option<String>,
    id: Option<String>,
    name: Option<String>,
}

/// Every account in `text`.
pub fn read(text: &str) -> Result<Reading, Unreadable> {
    // serde's message may quote a value: only the line is told.
    let file: File = serde_json::from_str(text).map_err(|error| Unreadable::Json(error.line()))?;
    if file.accounts.len() > super::LIMIT {
        return Err(Unreadable::Many);
    }
    let mut reading = Reading::default();
    for (at, account) in file.accounts.into_iter().enumerate() {
        match candidate(account, file.active.as_deref()) {
            Ok(candidate) => reading.candidates.push(candidate),
            Err(problem) => reading.left_out.push(format!(
                "account {} was left out: {}",
                at + 1,
                whole_chain(&problem)
            )),
        }
    }
    reading.candidates = tell_apart(reading.candidates);
    Ok(reading)
}

/// Why an account is no connection.
#[derive(Debug, thiserror::Error)]
enum AccountProblem {
    /// serde's message may quote a value: it is not kept.
    #[error("its fields are of other kinds than the program writes")]
    OtherKinds,
    /// No pair.
    #[error("its api_key is not ApiKey SU-…:…")]
    NoPair,
    /// An endpoint that can't be asked.
    #[error(transparent)]
    Url(#[from] UrlProblem),
}

fn candidate(
    account: serde_json::Value,
    active: Option<&str>,
) -> Result<Candidate, AccountProblem> {
    let Ok(account) = serde_json::from_value::<Account>(account) else {
        return Err(AccountProblem::OtherKinds);
    };
    let key = account.api_key.unwrap_or_default();
    let key = key.trim();
    let bare = key.strip_prefix(TOKEN_SCHEME).unwrap_or(key).trim();
    let (username, secret) = bare.split_once(':').ok_or(AccountProblem::NoPair)?;
    let endpoint = account.endpoint.filter(|text| !text.trim().is_empty());
    let endpoint = endpoint.as_deref().unwrap_or(USUAL).trim_end_matches('/');
    let parsed = Endpoint::parse(endpoint)?;
    let mut notes = Vec::new();
    let stripped = without_secrets(parsed, &mut notes).shown();
    // As it is written, but where something had to go.
    let endpoint = if notes.is_empty() {
        endpoint
    } else {
        stripped.as_str()
    };
    let id = account.id.unwrap_or_default();
    let wished = account.name.filter(|name| !name.trim().is_empty());
    let name = name_of(wished.as_deref().unwrap_or(&id), "connect");
    let mut candidate = Candidate::new(Connection::new(name, ServiceId::connect(), endpoint));
    candidate.connection.username = inert(username, 128);
    // What is no value, or none that can be kept, is said there.
    candidate.set_key(CandidateValue::Known(Secret::new(secret.trim())));
    if !candidate.has_key() && candidate.notes.is_empty() {
        candidate.note("its api_key has nothing behind the colon");
    }
    for note in notes {
        candidate.note(note);
    }
    if !id.is_empty() {
        candidate.connection.company = Some(inert(&id, 64));
        if active == Some(id.as_str()) {
            candidate.note("the account that was active there");
        }
    }
    Ok(candidate)
}
