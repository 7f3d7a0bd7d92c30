//! An entry of a password manager, a mail, a table or another program's file: URL, user name and key, each told by its
//! label, its shape or its place. What is not clear is not taken: a key would stand in the open.

use serde_json::Value;

use super::super::super::catalog::Service;
use super::super::super::hints::secret_fits;
use super::labels::{CellKind, kind_of, label_of_line};
use super::lines::{self, left_out};
use super::{Cleaned, clean_text, clean_whole, divided};
use crate::domain::{Endpoint, Secret, UrlProblem};

/// What a paste says that is more than the URL's, or the user name's, own text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    /// Where it goes.
    pub url: Option<String>,
    /// What it carries, and what was done.
    pub credentials: Option<Cleaned<Secret>>,
    /// Whether it is a curl command, or another program's like it.
    pub is_curl: bool,
    /// What was done with it, a sentence each.
    pub notes: Vec<String>,
}

/// A paste into the key's field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyPaste {
    /// A key, or a pair.
    Secret(Cleaned<Secret>),
    /// More than that.
    Entry(Command),
    /// Several values, and it is not clear which is what.
    Unclear,
}

/// One value of a paste.
struct Cell {
    kind: Option<CellKind>,
    value: Secret,
}

/// What another program's own form holds.
enum Structured {
    Cells(Vec<Cell>),
    /// Several values, and it is not clear which is what.
    Unclear,
}

/// Whether a paste is more than one line or cell.
pub fn is_divided(pasted: &str) -> bool {
    pasted.trim().contains(['\n', '\r', '\t'])
}

/// Whether a paste is more than a value as it stands: several of them, or one behind its label.
pub fn is_entry(service: &Service, pasted: &str) -> bool {
    is_divided(pasted) || is_structured(pasted) || label_of_line(service, pasted).is_some()
}

/// Whether it is one line, and holds a key of the service, or several values, in a form that is none of a field's.
pub fn hides_key(service: &Service, pasted: &str) -> bool {
    let is_word = |word: &str| {
        let digits = service.key().hex;
        digits == Some(word.len()) && word.bytes().all(|byte| byte.is_ascii_hexdigit())
    };
    if Endpoint::parse(pasted.trim()).is_ok() {
        return false;
    }
    let mut words = pasted.split(|c: char| !c.is_ascii_alphanumeric());
    let is_alone = !pasted.trim().contains([' ', '"', '\'', ',', ';', '{', '=']);
    is_structured(pasted) || !is_alone && words.any(is_word)
}

/// Reads a paste into the key's field.
pub fn read_key(service: &Service, pasted: &Secret) -> KeyPaste {
    let text = pasted.expose();
    if let Some(found) = lines::read(service, text) {
        return KeyPaste::Secret(found);
    }
    let whole = divided(service, pasted);
    if !is_entry(service, text) {
        return KeyPaste::Secret(whole);
    }
    match entry(service, text) {
        Some(Command {
            url: None,
            credentials: Some(cleaned),
            notes,
            ..
        }) if cleaned.username.is_none() => KeyPaste::Secret(Cleaned {
            notes: [notes, cleaned.notes].concat(),
            ..cleaned
        }),
        Some(command) => KeyPaste::Entry(command),
        // One key that a narrow terminal has broken over lines.
        None if is_broken_key(service, &whole) && !text.trim().contains([' ', '\t', ':', '"']) => {
            KeyPaste::Secret(whole)
        }
        None => KeyPaste::Unclear,
    }
}

fn is_broken_key(service: &Service, whole: &Cleaned<Secret>) -> bool {
    whole.username.is_none() && secret_fits(service.key(), &whole.value)
}

/// Reads a paste of URL, user name and key on lines, in cells or under names of their own, or of a key alone: no part
/// of it may stand where it can be read, or be looked up as a host. Nothing where it is one text that is no key, or
/// where it is not clear what is what.
pub fn entry(service: &Service, pasted: &str) -> Option<Command> {
    let text = pasted.trim();
    let cells = match structured(service, text) {
        Some(Structured::Cells(cells)) => cells,
        Some(Structured::Unclear) => return None,
        None => cells_of_lines(service, text),
    };
    match cells.as_slice() {
        [Cell { kind: None, value }] => Some(Command {
            url: None,
            credentials: Some(key_alone(service, value)?),
            is_curl: false,
            notes: Vec::new(),
        }),
        [_] if !is_entry(service, text) => None,
        _ => {
            let mut entry = PastedEntry {
                alone: cells.len() == 1,
                ..PastedEntry::default()
            };
            for cell in cells {
                entry.take(service, cell)?;
            }
            entry.finished(service)
        }
    }
}

fn cells_of_lines(service: &Service, text: &str) -> Vec<Cell> {
    let lines = text.split(['\n', '\r', '\t']).map(str::trim);
    let lines: Vec<&str> = lines.filter(|line| !line.is_empty()).collect();
    let name = |line: &str| kind_of(service, line.trim_end_matches(':'));
    // One alone may be somebody's name.
    let names = lines.iter().filter(|line| name(line).is_some()).count();
    let mut cells = Vec::new();
    let mut lines = lines.into_iter().peekable();
    while let Some(line) = lines.next() {
        let below = lines.next_if(|next| names > 1 && name(line).is_some() && name(next).is_none());
        let (kind, value) = match (below, label_of_line(service, line)) {
            (Some(value), _) => (name(line), value.to_owned()),
            (None, Some((kind, value))) => (Some(kind), value),
            // A label in another language.
            (None, None) => match line.split_once(": ") {
                Some((label, value)) if !label.contains(['"', '/']) => (None, value.to_owned()),
                _ => (None, line.to_owned()),
            },
        };
        cells.push(Cell {
            kind,
            value: Secret::new(clean_text(&value).value),
        });
    }
    cells
}

/// Whether it is JSON, or a row of a table with commas.
fn is_structured(text: &str) -> bool {
    let text = text.trim();
    let is_row = text.contains("\",\"") || text.contains("://") && comma_cells(text).len() > 2;
    let is_json = text.starts_with(['{', '[']) && text.ends_with(['}', ']']);
    is_json && text.contains('"') || is_row && Endpoint::parse(text).is_err()
}

/// The cells of JSON, or of a table with its head and one row.
fn structured(service: &Service, text: &str) -> Option<Structured> {
    if let Ok(json @ (Value::Object(_) | Value::Array(_))) = serde_json::from_str(text) {
        let mut cells = Vec::new();
        cells_of_json(service, "", &json, &mut cells);
        return Some(Structured::Cells(cells));
    }
    let mut lines = text.lines().filter(|line| !line.trim().is_empty());
    let heads = comma_cells(lines.next()?);
    let kinds: Vec<_> = heads.iter().map(|head| kind_of(service, head)).collect();
    if heads.len() < 3 || kinds.iter().flatten().count() < 3 {
        return is_structured(text).then_some(Structured::Unclear);
    }
    let (row, more) = (lines.next()?, lines.next());
    let row = comma_cells(row).into_iter().map(Secret::new);
    let cells = kinds
        .into_iter()
        .zip(row)
        .filter(|(_, value)| !value.is_empty());
    let cells = cells.map(|(kind, value)| Cell {
        kind: kind.or(Some(CellKind::Other)),
        value,
    });
    Some(match more {
        None => Structured::Cells(cells.collect()),
        Some(_) => Structured::Unclear,
    })
}

fn cells_of_json(service: &Service, name: &str, json: &Value, cells: &mut Vec<Cell>) {
    match json {
        Value::String(text) if !text.is_empty() => cells.push(Cell {
            kind: kind_of(service, name).or(Some(CellKind::Other)),
            value: Secret::new(clean_text(text).value),
        }),
        Value::Array(all) => all
            .iter()
            .for_each(|one| cells_of_json(service, name, one, cells)),
        Value::Object(all) => {
            all.iter()
                .for_each(|(name, one)| cells_of_json(service, name, one, cells));
        }
        Value::String(_) | Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// A line divided at its commas, those in quotes aside.
fn comma_cells(line: &str) -> Vec<String> {
    let mut cells = vec![String::new()];
    let mut quoted = false;
    for c in line.trim().chars() {
        match c {
            '"' => quoted = !quoted,
            ',' if !quoted => cells.push(String::new()),
            c => cells.last_mut().into_iter().for_each(|cell| cell.push(c)),
        }
    }
    cells
}

/// An entry, as far as it was read.
#[derive(Default)]
struct PastedEntry {
    url: Option<String>,
    username: Option<String>,
    key: Option<Secret>,
    token: Option<Secret>,
    /// What nothing tells of.
    rest: Vec<Secret>,
    /// How many were told before the URL was.
    before_url: usize,
    left_out: usize,
    /// There is one value.
    alone: bool,
}

impl PastedEntry {
    /// Takes one in; nothing where another stands in its place.
    fn take(&mut self, service: &Service, cell: Cell) -> Option<()> {
        let Cell { kind, value } = cell;
        let text = || clean_text(value.expose()).value;
        match kind {
            Some(CellKind::Url) => set(&mut self.url, text())?,
            Some(CellKind::Username) => set(&mut self.username, text())?,
            Some(CellKind::Key) => self.take_key(divided(service, &value))?,
            Some(CellKind::Token) => set(&mut self.token, clean_whole(&value).value)?,
            Some(CellKind::Other) => self.left_out += 1,
            None if is_url(value.expose()) => {
                if self.url.is_none() {
                    self.before_url = self.rest.len();
                }
                set(&mut self.url, text())?;
            }
            None => match key_alone(service, &value) {
                Some(key) if self.key.is_none() => self.take_key(key)?,
                _ => self.rest.push(value),
            },
        }
        Some(())
    }

    fn take_key(&mut self, key: Cleaned<Secret>) -> Option<()> {
        if let Some(username) = key.username {
            set(&mut self.username, username)?;
        }
        set(&mut self.key, key.value)
    }

    /// What the unlabelled values are follows from what is missing, in the order in which it is always given. What may
    /// be a key goes where it is not shown.
    fn finished(mut self, service: &Service) -> Option<Command> {
        match (&self.key, self.token.take()) {
            (None, token) => self.key = token,
            (Some(_), token) => self.left_out += usize::from(token.is_some()),
        }
        let told = self.url.is_some() || self.username.is_some() || self.key.is_some();
        let count = self.rest.len();
        let mut rest = std::mem::take(&mut self.rest).into_iter();
        let missing = (
            self.url.is_none(),
            self.username.is_none(),
            self.key.is_none(),
        );
        let mut open = || rest.next().map(|cell| clean_text(cell.expose()).value);
        match (missing, count) {
            (_, 0) => {}
            ((true, true, false), 2) => {
                self.url = open();
                self.username = open();
            }
            // Where the URL does not stand first, nor does what belongs to it.
            ((false, true, true), 2) if self.before_url == 0 => {
                self.username = open();
                self.key = rest.next().map(|cell| clean_whole(&cell).value);
            }
            ((_, true, false), 1) => self.username = open(),
            ((_, _, true), 1) => {
                let cell = rest.next()?;
                let has_shape = service.key().hex.is_some();
                if self.username.is_none() && has_shape && !secret_fits(service.key(), &cell) {
                    self.username = Some(clean_text(cell.expose()).value);
                } else {
                    self.key = Some(clean_whole(&cell).value);
                }
            }
            // A title, or more than belongs here, beside what was told apart.
            _ if told && !missing.1 && !missing.2 => self.left_out += count,
            _ => return None,
        }
        let is_odd =
            |text: &Option<String>| text.as_deref().is_some_and(|text| hides_key(service, text));
        if is_odd(&self.username) || is_odd(&self.url) || !told {
            return None;
        }
        let said = if self.alone {
            "the label before it was taken off"
        } else {
            "the lines were divided into their fields"
        };
        let notes = std::iter::once(said.to_owned()).chain(left_out(self.left_out));
        let credentials = (self.username.is_some() || self.key.is_some()).then(|| Cleaned {
            value: self.key.unwrap_or_else(|| Secret::new("")),
            username: self.username,
            notes: Vec::new(),
        });
        Some(Command {
            url: self.url,
            credentials,
            is_curl: false,
            notes: notes.collect(),
        })
    }
}

/// Puts a value where none stands; the same once more is no other.
fn set<T: PartialEq>(place: &mut Option<T>, value: T) -> Option<()> {
    if let Some(there) = place {
        return (*there == value).then_some(());
    }
    *place = Some(value);
    Some(())
}

fn is_url(text: &str) -> bool {
    let scheme = text.split_once("://").map(|(scheme, _)| scheme);
    scheme.is_some_and(|scheme| scheme.chars().all(|c| c.is_ascii_alphabetic()))
        && !text.contains([' ', '"', ','])
}

/// A key, or a pair, that stands alone; nothing where it may be something else.
fn key_alone(service: &Service, cell: &Secret) -> Option<Cleaned<Secret>> {
    let cleaned = divided(service, cell);
    let has_shape = service.key().hex.is_some() && secret_fits(service.key(), &cleaned.value);
    let text = cell.expose().trim();
    let is_handle = text.starts_with("ApiKey ") || (text.starts_with("SU-") && text.contains(':'));
    let is_random = matches!(Endpoint::parse(text), Err(UrlProblem::Key));
    if !has_shape && !is_handle && !is_random {
        return None;
    }
    let mut notes = vec!["the key went to its field".to_owned()];
    notes.extend(cleaned.notes);
    Some(Cleaned { notes, ..cleaned })
}
