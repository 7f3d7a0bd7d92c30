//! An entry of a password manager, a mail, a table or another program's file: URL, user name and key, each told by its
//! label, its shape or its place. What is not clear is not taken: a key would stand in the open.

use serde_json::Value;

use super::super::super::catalog::Service;
use super::super::super::shape::{
    holds_key, is_key, is_key_word, is_no_key, keys_are_of_one_length,
};
use super::labels::{CellKind, kind_of, label_of_line};
use super::lines::{self, left_out};
use super::{Cleaned, clean_text, clean_whole, divided, takes_both};
use crate::domain::{Endpoint, Secret, UrlProblem, shape};

/// Letters of a line that a terminal has filled, at least.
const FULL_LINE: usize = 20;

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
    let is_place = match Endpoint::parse(pasted.trim()) {
        Ok(_) => true,
        // Its pair is moved to the fields.
        Err(UrlProblem::UserInfo { rest, .. }) => {
            !pasted.trim().contains(char::is_whitespace) && Endpoint::parse(&rest).is_ok()
        }
        Err(_) => false,
    };
    if is_place {
        return false;
    }
    let mut words = pasted.split(|c: char| !c.is_ascii_alphanumeric());
    let is_alone = !pasted.trim().contains([' ', '"', '\'', ',', ';', '{', '=']);
    is_structured(pasted) || !is_alone && words.any(|word| is_key_word(service, word))
}

/// Reads a paste into the key's field.
pub fn read_key(service: &Service, pasted: &Secret) -> KeyPaste {
    let text = pasted.expose();
    if let Some(command) = lines::command(service, text).filter(|command| command.url.is_some()) {
        return KeyPaste::Entry(command);
    }
    if let Some(found) = lines::read(service, text) {
        return KeyPaste::Secret(found);
    }
    let whole = divided(service, pasted);
    if !is_entry(service, text) || is_broken_key(service, text, &whole) {
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
        None => KeyPaste::Unclear,
    }
}

/// Whether it is one key that a narrow terminal has broken over lines: its shape tells, or, where no user name needs
/// to go with it, the lines do.
fn is_broken_key(service: &Service, text: &str, whole: &Cleaned<Secret>) -> bool {
    let lines = text.trim().split(['\n', '\r']).map(str::trim);
    let lines: Vec<&str> = lines.filter(|line| !line.is_empty()).collect();
    let is_part = |line: &str| {
        let is_word = !line.trim().contains([' ', '\t', ':', '"', ',']);
        is_word && kind_of(service, line).is_none() && label_of_line(service, line).is_none()
    };
    (keys_are_of_one_length(service) || !takes_both(service) && is_broken_evenly(&lines))
        && is_divided(text)
        && service.key().fits(&whole.value)
        && lines.into_iter().all(is_part)
}

/// Whether the lines are as a terminal breaks one word: all full but the last. A name, a host or a mail address above a
/// password may be long too, but is not written like a generated key.
fn is_broken_evenly(lines: &[&str]) -> bool {
    let Some((last, [first, others @ ..])) = lines.split_last() else {
        return false;
    };
    let is_generated = shape::is_mixed(first) || shape::is_hex(first, first.len());
    first.len() >= FULL_LINE
        && is_generated
        && others.iter().all(|line| line.len() == first.len())
        && last.len() <= first.len()
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
    /// What looks generated, and has no shape that tells what it is for: the key, where there is no other.
    random: Option<Cleaned<Secret>>,
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
                // A shared token or a password beside the key would stand in the open, or be sent as the key.
                Some(key) if !is_issued(service, &value, &key.value) => {
                    set(&mut self.random, key)?;
                }
                Some(key) => self.take_key(key)?,
                // It may be the second half of that, or the secret to an id that looks like one.
                None if self.random.is_some() => return None,
                None => self.rest.push(value),
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
    fn place_rest(&mut self, service: &Service, told: bool) -> Option<()> {
        let open = |cell: &Secret| clean_text(cell.expose()).value;
        let missing = (
            self.url.is_none(),
            self.username.is_none(),
            self.key.is_none(),
        );
        let rest = std::mem::take(&mut self.rest);
        match (missing, rest.as_slice()) {
            (_, []) => {}
            // Any other two words may be a title and a note, which would be looked up, and be the user.
            ((true, true, false), [url, username])
                if is_host(url.expose()) && lines::is_name(username.expose()) =>
            {
                self.url = Some(open(url));
                self.username = Some(open(username));
            }
            // Where the URL does not stand first, nor does what belongs to it.
            ((false, true, true), [first, second]) if self.before_url == 0 => {
                let (username, key) = told_apart(service, first, second)?;
                self.username = Some(open(username));
                self.key = Some(clean_whole(key).value);
            }
            ((_, true, false), [username]) => self.username = Some(open(username)),
            ((_, _, true), [cell]) => {
                if self.username.is_none() && is_no_key(service, cell) {
                    self.username = Some(open(cell));
                } else {
                    self.key = Some(clean_whole(cell).value);
                }
            }
            // A title, or more than belongs here, beside what was told apart.
            _ if told && !missing.1 && !missing.2 => self.left_out += rest.len(),
            _ => return None,
        }
        Some(())
    }

    /// The command; nothing where it is not clear what is what.
    fn finished(mut self, service: &Service) -> Option<Command> {
        match (&self.key, self.token.take()) {
            (None, token) => self.key = token,
            (Some(_), token) => self.left_out += usize::from(token.is_some()),
        }
        if let Some(random) = self.random.take() {
            self.take_key(random)?;
        }
        let told = self.url.is_some() || self.username.is_some() || self.key.is_some();
        self.place_rest(service, told)?;
        let is_odd =
            |text: &Option<String>| text.as_deref().is_some_and(|text| hides_key(service, text));
        let username = self.username.as_deref();
        let is_key = username.is_some_and(|username| holds_key(service, username));
        if is_key || is_odd(&self.username) || is_odd(&self.url) || !told {
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

/// Which of two values below a URL is the user name, and which the key: the one that begins as user names do there,
/// else the first. Nothing where that is not clear.
fn told_apart<'a>(
    service: &Service,
    first: &'a Secret,
    second: &'a Secret,
) -> Option<(&'a Secret, &'a Secret)> {
    let begins = service.username().starts.as_deref();
    // The URL may be the first that is heard of Connect.
    let is_name = |cell: &Secret| cell.starts_with(begins.unwrap_or(shape::TOKEN_ID_START));
    match (is_name(first), is_name(second)) {
        (true, false) => Some((first, second)),
        (false, true) => Some((second, first)),
        (false, false) if begins.is_none() => Some((first, second)),
        _ => None,
    }
}

/// Whether it is a host's name that may be asked, and not just a word.
fn is_host(text: &str) -> bool {
    let endpoint = Endpoint::parse(text);
    endpoint.is_ok_and(|endpoint| endpoint.host().contains('.') || endpoint.is_loopback())
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
    if !is_issued(service, cell, &cleaned.value) && !is_random(cell.expose()) {
        return None;
    }
    let mut notes = vec!["the key went to its field".to_owned()];
    notes.extend(cleaned.notes);
    Some(Cleaned { notes, ..cleaned })
}

/// Whether its shape tells that it is a key, or a pair.
fn is_issued(service: &Service, cell: &Secret, key: &Secret) -> bool {
    let text = cell.expose().trim();
    is_key(service, key)
        || text.starts_with(shape::TOKEN_SCHEME)
        || shape::token_pair(text).is_some()
}

/// Whether it looks generated: a key, a token or a password, and nothing that may stand in the open.
pub(super) fn is_random(text: &str) -> bool {
    matches!(Endpoint::parse(text.trim()), Err(UrlProblem::Key))
}
