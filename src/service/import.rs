//! What other programs' files say about connections: curl commands, `.env` files, the accounts of Connect's
//! own command line. Pure: a text comes in, connections and what was not taken come out.
//!
//! A text from elsewhere is hostile until shown otherwise: every word of a message is inert, no value of a
//! secret stands in one, and what would run a program or read this machine's environment is a reference,
//! which the caller screens like any other.

pub mod accounts;
pub mod curl;
pub mod dotenv;
mod header;
mod place;

#[cfg(test)]
mod tests;

use crate::domain::text::inert;
use crate::domain::{Connection, Name, Secret, SecretRef};

/// Connections that one file may bring.
pub const LIMIT: usize = 10_000;

/// What a text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// One or several curl commands.
    Curl,
    /// `NAME=value` lines.
    Dotenv,
    /// `~/.ccli/config.json`.
    Accounts,
    /// `[[connection]]` tables, as in the configuration.
    Definitions,
    /// An encrypted bundle of this program.
    Bundle,
}

/// What a person may call each form.
pub const FORMS: [(&str, Form); 5] = [
    ("curl", Form::Curl),
    ("env", Form::Dotenv),
    ("accounts", Form::Accounts),
    ("toml", Form::Definitions),
    ("bundle", Form::Bundle),
];

/// A connection that was found, with the values of its secrets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// Without references to stores; with `env:` where the text named a variable.
    pub connection: Connection,
    /// The key of its pair.
    pub key: Option<Secret>,
    /// Its shared token.
    pub token: Option<Secret>,
    /// What of it was not taken and why, a sentence each.
    pub notes: Vec<String>,
}

/// What a text holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reading {
    /// In the text's order; their names differ.
    pub candidates: Vec<Candidate>,
    /// What no connection came of, a sentence each.
    pub left_out: Vec<String>,
}

/// Why nothing can be read from a text at all.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// Blanks, or nothing.
    #[error("there is nothing in it")]
    Empty,
    /// None of the forms.
    #[error(
        "it is none of what can be imported: curl commands, NAME=value lines, ~/.ccli/config.json, \
         [[connection]] tables, or a bundle of this program"
    )]
    Unknown,
    /// The JSON is broken; where.
    #[error("it is not the JSON of an accounts file: line {0}")]
    Json(usize),
    /// Over [`LIMIT`].
    #[error("it holds over {LIMIT} connections")]
    Many,
}

impl Candidate {
    fn new(connection: Connection) -> Self {
        Self {
            connection,
            key: None,
            token: None,
            notes: Vec::new(),
        }
    }

    fn note(&mut self, text: impl AsRef<str>) {
        let text = inert(text.as_ref(), 240);
        if !self.notes.contains(&text) {
            self.notes.push(text);
        }
    }

    /// Takes a value for the key; a variable becomes a reference.
    fn set_key(&mut self, value: CandidateValue) {
        match value {
            CandidateValue::Known(secret) if secret.is_empty() => {}
            // A mark of the shell's words: only a part of it is the variable.
            CandidateValue::Known(secret) if !secret.all(|c| !c.is_control()) => {
                self.note(left_out("key", &secret));
            }
            CandidateValue::Known(secret) => self.key = Some(secret),
            CandidateValue::Variable(name) => self.connection.key = self.variable("key", &name),
        }
    }

    fn set_token(&mut self, value: CandidateValue) {
        match value {
            CandidateValue::Known(secret) if secret.is_empty() => {}
            CandidateValue::Known(secret) if !secret.all(|c| !c.is_control()) => {
                self.note(left_out("token", &secret));
            }
            CandidateValue::Known(secret) => self.token = Some(secret),
            CandidateValue::Variable(name) => {
                self.connection.token = self.variable("token", &name);
            }
        }
    }

    /// A reference to the variable called `name`; nothing where none can be called so, which is said.
    fn variable(&mut self, what: &str, name: &str) -> Option<SecretRef> {
        let reference = SecretRef::variable(name).ok();
        if reference.is_none() {
            self.note(format!(
                "the {what} was left out: its variable has no name that can be one"
            ));
        }
        reference
    }
}

/// Why a value is none that can be kept.
fn left_out(what: &str, value: &Secret) -> String {
    let is_white = |c: char| matches!(c, '\n' | '\r' | '\t');
    if value.all(|c| is_white(c) || !c.is_control()) {
        format!("the {what} was left out: it has several lines, or a tab")
    } else {
        format!("the {what} was left out: a variable is only a part of it")
    }
}

/// A secret as a text gives it.
#[derive(Clone, Debug, PartialEq, Eq)]
enum CandidateValue {
    /// The value itself.
    Known(Secret),
    /// The name of an environment variable that holds it.
    Variable(String),
}

/// What `text` is, by its beginning.
pub fn form_of(text: &str) -> Result<Form, Unreadable> {
    let start = text.trim_start_matches(['\u{feff}', ' ', '\t', '\r', '\n']);
    if start.is_empty() {
        return Err(Unreadable::Empty);
    }
    if start.starts_with("age-encryption.org/") || start.starts_with("-----BEGIN AGE ENCRYPTED") {
        return Ok(Form::Bundle);
    }
    if start.starts_with('{') {
        return Ok(Form::Accounts);
    }
    let lines = || text.lines().map(str::trim);
    let tables = ["[[connection", "[connection", "[settings]"];
    if lines().any(|line| tables.iter().any(|table| line.starts_with(table))) {
        return Ok(Form::Definitions);
    }
    if lines().any(curl::begins_with_curl) {
        return Ok(Form::Curl);
    }
    if lines().any(|line| dotenv::pair(line).is_some()) {
        return Ok(Form::Dotenv);
    }
    Err(Unreadable::Unknown)
}

/// A name that can be one: visible characters, at most 64, no dash in front; `fallback` where nothing is left.
fn name_of(text: &str, fallback: &str) -> Name {
    let clean: String = inert(text, 64).chars().take(60).collect();
    let clean = clean.trim_start_matches('-').trim();
    Name::parse(clean)
        .or_else(|_| Name::parse(fallback))
        .unwrap_or_else(|_| Name::unnamed())
}

/// Tells names of one file apart: the second `shop` is `shop-2`.
fn tell_apart(candidates: &mut [Candidate]) {
    let mut taken = std::collections::HashSet::new();
    for candidate in candidates {
        let wished = candidate.connection.name.clone();
        let free = wished.free(|name| taken.contains(name));
        if free != wished {
            candidate.note(format!(
                "the file has two called {wished}: this one is {free}"
            ));
            candidate.connection.name = free.clone();
        }
        taken.insert(free);
    }
}
