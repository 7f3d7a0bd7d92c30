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
mod naming;
pub mod notes;
mod place;

#[cfg(test)]
mod tests;

pub use naming::TakenNames;

use crate::domain::text::inert;
use crate::domain::{Connection, Secret, SecretRef};
use crate::service::shell;
use naming::{name_of, tell_apart};

/// Connections that one file may bring.
pub const LIMIT: usize = 10_000;

/// What a text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// One or several curl commands, perhaps with `NAME=value` lines between them.
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
    /// The JSON is broken, or another program's; where.
    #[error(
        "it is not the JSON of an accounts file: line {0}. What can be imported: curl commands, NAME=value lines, \
         ~/.ccli/config.json, [[connection]] tables, or a bundle of this program"
    )]
    Json(usize),
    /// Tables, and none of them a connection.
    #[error(
        "it is TOML without [[connection]] tables; `switchboard service check FILE` looks at a file that describes a \
         service"
    )]
    Tables,
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

    /// Takes a value for the key; a variable becomes a reference. The first counts: a second one may be another
    /// host's, and is said.
    fn set_key(&mut self, value: CandidateValue) {
        match value {
            value if self.has_key() => {
                if !self.holds(&value) {
                    self.note("a second key was left out: a connection has one");
                }
            }
            CandidateValue::Known(secret) if secret.is_empty() => {}
            // A mark of the shell's words: only a part of it is the variable.
            CandidateValue::Known(secret) if !may_be_kept(&secret) => {
                self.note(left_out("key", &secret));
            }
            CandidateValue::Known(secret) => {
                let may_name = |c| matches!(c, '$' | '{' | '}') || is_of_name(c);
                if secret.starts_with("$") && secret.all(may_name) {
                    self.note("the key is a $ and a name, taken as it stands: a variable is set by connection edit --key-ref env:NAME");
                }
                self.key = Some(secret);
            }
            CandidateValue::Variable(name) => self.connection.key = self.variable("key", &name),
        }
    }

    fn has_key(&self) -> bool {
        self.key.is_some() || self.connection.key.is_some()
    }

    /// Whether its key is `value`, or `value` is none.
    fn holds(&self, value: &CandidateValue) -> bool {
        match value {
            CandidateValue::Known(secret) => secret.is_empty() || self.key.as_ref() == Some(secret),
            CandidateValue::Variable(name) => {
                matches!(&self.connection.key, Some(SecretRef::Env(known)) if known == name)
            }
        }
    }

    /// Takes a user name and its key, both or none: a key under another's name opens nothing, and counts against it.
    fn set_pair(&mut self, username: String, key: Option<CandidateValue>) {
        let is_known = self.has_key() || !self.connection.username.is_empty();
        let is_same = self.connection.username == username;
        match key {
            Some(key) if !self.has_key() && (is_same || self.connection.username.is_empty()) => {
                self.connection.username = username;
                self.set_key(key);
            }
            Some(key) if is_same && self.holds(&key) => {}
            Some(_) => self.note("a second user name and key were left out: a connection has one"),
            None if !is_known => self.connection.username = username,
            None if is_same => {}
            None => self.note("a second user name was left out: a connection has one"),
        }
    }

    fn set_token(&mut self, value: CandidateValue) {
        match value {
            CandidateValue::Known(secret) if secret.is_empty() => {}
            CandidateValue::Known(secret) if !may_be_kept(&secret) => {
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

/// Whether a value begins as what a shell would run a program for.
fn is_printed(starts_with: impl Fn(&str) -> bool) -> bool {
    starts_with("`") || starts_with("$(")
}

fn may_be_kept(value: &Secret) -> bool {
    !value.is_too_long()
        && value.all(|c| !c.is_control())
        && !is_printed(|start| value.starts_with(start))
}

/// Why a value is none that can be kept.
fn left_out(what: &str, value: &Secret) -> String {
    if is_printed(|start| value.starts_with(start)) {
        return format!("the {what} was left out: {}", shell::Broken::Substitution);
    }
    let has = |test: fn(char) -> bool| !value.all(|c| !test(c));
    let why = if value.is_too_long() {
        "it is longer than 64 KiB, which no key is"
    } else if has(|c| matches!(c, shell::OPEN | shell::CLOSE)) {
        "a variable is only a part of it"
    } else if has(|c| matches!(c, '\n' | '\r' | '\t')) {
        "it has several lines, or a tab"
    } else {
        "it holds a control character"
    };
    format!("the {what} was left out: {why}")
}

/// A secret as a text gives it.
#[derive(Clone, Debug, PartialEq, Eq)]
enum CandidateValue {
    /// The value itself.
    Known(Secret),
    /// The name of an environment variable that holds it.
    Variable(String),
}

/// Whether the name of a variable may have `c`.
const fn is_of_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
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
    if let Ok(table) = text.parse::<toml::Table>() {
        let of_definitions = ["connection", "settings", "version"];
        let is_text = |value: &toml::Value| !value.is_table() && !value.is_array();
        // A file of quoted NAME="value" lines is TOML too.
        if of_definitions.iter().any(|key| table.contains_key(*key)) {
            return Ok(Form::Definitions);
        }
        if !table.values().all(is_text) {
            return Err(Unreadable::Tables);
        }
    }
    let lines = || text.lines().map(str::trim);
    if lines().any(is_of_definitions) {
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

/// Whether a line is the head of a table as definitions have them, perhaps one with a bracket too few.
fn is_of_definitions(line: &str) -> bool {
    let line = line.split('#').next().unwrap_or_default();
    let bare: String = line.chars().filter(|c| !c.is_whitespace()).collect();
    let heads = [
        "[[connection]]",
        "[[connection]",
        "[connection]",
        "[settings]",
    ];
    heads.contains(&bare.as_str())
}

/// Says it where `text` held what nobody sees: it was left out of every word, a key's too.
fn note_unseen(text: &str, candidates: &mut [Candidate]) {
    let is_unseen = |c: char| c.is_control() && !matches!(c, '\n' | '\r' | '\t');
    let Some(line) = text.lines().position(|line| line.contains(is_unseen)) else {
        return;
    };
    for candidate in candidates.iter_mut().filter(|one| one.has_key()) {
        candidate.note(format!(
            "the file has control characters, first in line {}, which were left out: look whether its key is whole",
            line + 1
        ));
    }
}
