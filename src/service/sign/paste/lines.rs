//! More than one value: header lines, a curl command, two cells of a table.

use super::super::super::catalog::Service;
use super::super::super::hints::secret_fits;
use super::super::super::shell;
use super::{Cleaned, clean_text, clean_whole, divided, takes_both};
use crate::domain::{Endpoint, Secret, UrlProblem};

/// What was read so far.
#[derive(Default)]
struct PasteReading {
    username: Option<String>,
    key: Option<Secret>,
    notes: Vec<String>,
    /// Lines that were not understood.
    left_out: usize,
    /// A header of the service's own was among them.
    own_header: bool,
}

/// Reads a paste that is more than one value; nothing where it is just one.
pub(super) fn read(service: &Service, pasted: &str) -> Option<Cleaned<Secret>> {
    if let Some(words) = curl_words(pasted) {
        return Some(credentials(service, &words).unwrap_or_else(|| Cleaned {
            value: Secret::new(clean_text(pasted).value),
            username: None,
            notes: vec!["a curl command without a key: paste the key alone".to_owned()],
        }));
    }
    let lines: Vec<&str> = pasted
        .lines()
        .filter(|line| !line.trim().is_empty())
        .collect();
    let mut reading = PasteReading::default();
    for line in &lines {
        reading.read_header(service, line);
    }
    // One `Authorization:` alone needs no help from here.
    if reading.own_header || (lines.len() > 1 && reading.key.is_some()) {
        let said = "the values were taken out of the header lines";
        return reading.finished(said);
    }
    cells(service, pasted)
}

impl PasteReading {
    fn read_header(&mut self, service: &Service, line: &str) {
        let Some((name, value)) = line.split_once(':') else {
            self.left_out += 1;
            return;
        };
        let name = clean_text(name.trim_start_matches(['"', '\''])).value;
        let value = value.trim_end().trim_end_matches(['"', '\'']);
        match own_header(service, &name) {
            Some("{username}") => {
                self.username = Some(clean_text(value).value);
                self.own_header = true;
            }
            Some(_) => {
                self.take(divided(service, &Secret::new(value)));
                self.own_header = true;
            }
            None if name.eq_ignore_ascii_case("Authorization") => {
                self.take(divided(service, &Secret::new(value)));
            }
            None => self.left_out += 1,
        }
    }

    fn take(&mut self, found: Cleaned<Secret>) {
        self.key = Some(found.value).filter(|value| !value.is_empty());
        self.username = found.username.or(self.username.take());
        self.notes.extend(found.notes);
    }

    /// The result, with what was done first.
    fn finished(self, said: &str) -> Option<Cleaned<Secret>> {
        let mut notes = vec![said.to_owned()];
        notes.extend(self.notes);
        match self.left_out {
            0 => {}
            1 => notes.push("one other line was left out".to_owned()),
            many => notes.push(format!("{many} other lines were left out")),
        }
        Some(Cleaned {
            value: self.key?,
            username: self.username,
            notes,
        })
    }
}

/// What the service's own header `name` is made of; `Authorization` is everybody's.
fn own_header<'a>(service: &'a Service, name: &str) -> Option<&'a str> {
    let mut headers = service.text().auth.iter().flat_map(|auth| &auth.headers);
    let header = headers.find(|header| header.name.eq_ignore_ascii_case(name))?;
    (!name.eq_ignore_ascii_case("Authorization")).then_some(header.value.as_str())
}

/// A user name and a key in two cells of a table, or on two lines.
fn cells(service: &Service, pasted: &str) -> Option<Cleaned<Secret>> {
    if !takes_both(service) || service.key().hex.is_none() {
        return None;
    }
    let cells = pasted
        .split(['\n', '\t'])
        .map(|cell| Secret::new(clean_text(cell).value));
    let cells: Vec<Secret> = cells.filter(|cell| !cell.is_empty()).collect();
    let [username, key] = <[Secret; 2]>::try_from(cells).ok()?;
    if !secret_fits(service.key(), &key) || secret_fits(service.key(), &username) {
        return None;
    }
    Some(Cleaned {
        value: key,
        username: Some(username.expose().to_owned()),
        notes: vec!["two cells were split into user name and key".to_owned()],
    })
}

/// What a paste says that is more than the URL's, or the user name's, own text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    /// Where it goes.
    pub url: Option<String>,
    /// What it carries, and what was done.
    pub credentials: Option<Cleaned<Secret>>,
    /// Whether it is a curl command.
    pub is_curl: bool,
}

/// What a cell of an entry is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum CellKind {
    Url,
    Username,
    Key,
}

/// Words that stand before a value where an entry of a password manager, or a mail, was copied.
const LABELS: [(&str, CellKind); 16] = [
    ("url", CellKind::Url),
    ("api url", CellKind::Url),
    ("endpoint", CellKind::Url),
    ("host", CellKind::Url),
    ("website", CellKind::Url),
    ("user", CellKind::Username),
    ("username", CellKind::Username),
    ("user name", CellKind::Username),
    ("api user", CellKind::Username),
    ("login", CellKind::Username),
    ("key", CellKind::Key),
    ("api key", CellKind::Key),
    ("secret", CellKind::Key),
    ("token", CellKind::Key),
    ("password", CellKind::Key),
    ("pass", CellKind::Key),
];

/// Whether a paste is more than one line or cell.
pub fn is_divided(pasted: &str) -> bool {
    pasted.trim().contains(['\n', '\r', '\t'])
}

/// Reads a paste of URL, user name and key on lines or in cells of their own, or of a key alone: no part of it may
/// stand where it can be read, or be looked up as a host. Nothing where it is one text that is no key, or where it is
/// not clear what is what.
pub fn entry(service: &Service, pasted: &str) -> Option<Command> {
    let cells = pasted.split(['\n', '\r', '\t']).map(str::trim);
    let cells: Vec<Secret> = cells
        .filter(|cell| !cell.is_empty())
        .map(Secret::new)
        .collect();
    if let [cell] = cells.as_slice() {
        return Some(Command {
            url: None,
            credentials: Some(key_alone(service, cell)?),
            is_curl: false,
        });
    }
    let mut entry = PastedEntry::default();
    for cell in &cells {
        entry.take(service, cell);
    }
    entry.finished(service)
}

/// An entry, as far as it was read.
#[derive(Default)]
struct PastedEntry {
    url: Option<String>,
    username: Option<String>,
    key: Option<Secret>,
    /// What nothing tells of.
    rest: Vec<Secret>,
}

impl PastedEntry {
    fn take(&mut self, service: &Service, cell: &Secret) {
        let labelled = cell.expose().split_once(':').and_then(|(label, value)| {
            let label = label.trim().to_ascii_lowercase();
            let known = LABELS.iter().find(|(known, _)| *known == label);
            known.map(|(_, part)| (*part, Secret::new(value.trim())))
        });
        let is_url = |cell: &Secret| cell.expose().contains("://");
        match labelled {
            Some((CellKind::Url, value)) => self.url = Some(clean_text(value.expose()).value),
            Some((CellKind::Username, value)) => {
                self.username = Some(clean_text(value.expose()).value);
            }
            Some((CellKind::Key, value)) => self.take_key(divided(service, &value)),
            None if is_url(cell) && self.url.is_none() => {
                self.url = Some(clean_text(cell.expose()).value);
            }
            None => match key_alone(service, cell) {
                Some(key) if self.key.is_none() => self.take_key(key),
                _ => self.rest.push(cell.clone()),
            },
        }
    }

    fn take_key(&mut self, key: Cleaned<Secret>) {
        self.key = Some(key.value);
        self.username = key.username.or(self.username.take());
    }

    /// What the unlabelled cells are follows from what is missing, in the order in which it is always given. What may
    /// be a key goes where it is not shown.
    fn finished(mut self, service: &Service) -> Option<Command> {
        let told = self.url.is_some() || self.username.is_some() || self.key.is_some();
        let mut rest = std::mem::take(&mut self.rest).into_iter();
        let missing = (
            self.url.is_none(),
            self.username.is_none(),
            self.key.is_none(),
        );
        match (missing, rest.len()) {
            (_, 0) => {}
            ((true, true, _), 2) if self.key.is_some() => {
                self.url = rest.next().map(|cell| clean_text(cell.expose()).value);
                self.username = rest.next().map(|cell| clean_text(cell.expose()).value);
            }
            ((false, true, true), 2) => {
                self.username = rest.next().map(|cell| clean_text(cell.expose()).value);
                self.key = rest.next().map(|cell| clean_whole(&cell).value);
            }
            ((_, true, false), 1) => {
                self.username = rest.next().map(|cell| clean_text(cell.expose()).value);
            }
            ((_, _, true), 1) => {
                let cell = rest.next()?;
                let is_name = self.username.is_none()
                    && service.key().hex.is_some()
                    && !secret_fits(service.key(), &cell);
                if is_name {
                    self.username = Some(clean_text(cell.expose()).value);
                } else {
                    self.key = Some(clean_whole(&cell).value);
                }
            }
            // A title, or more than belongs here, beside what was told apart.
            _ if told => {}
            _ => return None,
        }
        let credentials = (self.username.is_some() || self.key.is_some()).then(|| Cleaned {
            value: self.key.unwrap_or_else(|| Secret::new("")),
            username: self.username,
            notes: vec!["the lines were divided into their fields".to_owned()],
        });
        Some(Command {
            url: self.url,
            credentials,
            is_curl: false,
        })
    }
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

/// Reads a whole curl command, as manuals print them; nothing where it is none.
pub fn command(service: &Service, pasted: &str) -> Option<Command> {
    let words = curl_words(pasted)?;
    let url = words.iter().map(Secret::expose).find(|word| {
        let word = word.to_ascii_lowercase();
        word.starts_with("https://") || word.starts_with("http://")
    });
    Some(Command {
        url: url.map(str::to_owned),
        credentials: credentials(service, &words),
        is_curl: true,
    })
}

/// What a curl command carries: `-u`, or a header.
fn credentials(service: &Service, words: &[Secret]) -> Option<Cleaned<Secret>> {
    let mut reading = PasteReading::default();
    let mut words = words.iter().skip(1);
    while let Some(word) = words.next() {
        let mut value_of = |option: &str| {
            let rest = word.expose().strip_prefix(option)?;
            let rest = rest.strip_prefix('=').unwrap_or(rest);
            if rest.is_empty() {
                words.next().cloned()
            } else {
                Some(Secret::new(rest))
            }
        };
        if let Some(header) = value_of("--header").or_else(|| value_of("-H")) {
            reading.read_header(service, header.expose());
        } else if let Some(user) = value_of("--user").or_else(|| value_of("-u")) {
            reading.take(of_user(&user));
        } else if let Some(token) = value_of("--oauth2-bearer") {
            reading.take(divided(service, &token));
        }
    }
    // A word of the command is no line of the paste.
    reading.left_out = 0;
    reading.finished("the key was taken out of the curl command")
}

/// `user:key` of `-u`.
fn of_user(pair: &Secret) -> Cleaned<Secret> {
    let (username, value) = match pair.split_once(':') {
        Some((username, key)) => (Some(username.expose().to_owned()), key),
        None => (Some(pair.expose().to_owned()), Secret::new("")),
    };
    Cleaned {
        value,
        username,
        notes: Vec::new(),
    }
}

/// The words of a curl command as a shell reads them; nothing where it is no such command. What a shell would
/// fill in (`$KEY`) stays as it is written.
fn curl_words(pasted: &str) -> Option<Vec<Secret>> {
    let text = pasted.trim_start();
    let text = text.strip_prefix("$ ").unwrap_or(text);
    let rest = text.strip_prefix("curl")?;
    rest.starts_with([' ', '\t', '\\']).then(|| {
        let words = shell::words(text);
        words.into_iter().map(Secret::new).collect()
    })
}
