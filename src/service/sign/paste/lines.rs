//! More than one value: header lines, a curl command, two cells of a table.

use super::super::super::catalog::Service;
use super::super::super::hints::secret_fits;
use super::{Cleaned, clean_text, clean_whole, divided, takes_both};
use crate::domain::{Endpoint, Secret};

/// What was read so far.
#[derive(Default)]
struct Reading {
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
    let mut reading = Reading::default();
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

impl Reading {
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

/// Words that stand before a value where an entry of a password manager, or a mail, was copied.
const LABELS: [&str; 12] = [
    "url",
    "api url",
    "endpoint",
    "host",
    "website",
    "user",
    "username",
    "user name",
    "login",
    "key",
    "api key",
    "password",
];

/// Reads a paste of URL, user name and key on lines or in cells of their own, or of a key alone: no part of it may
/// stand where it can be read, or be looked up as a host. Nothing where it is one text that is no key.
pub fn entry(service: &Service, pasted: &str) -> Option<Command> {
    let cells = pasted.split(['\n', '\t']).map(|cell| {
        let cell = cell.trim();
        let labelled = cell.split_once(':').filter(|(label, _)| {
            let label = label.trim().to_ascii_lowercase();
            LABELS.contains(&label.as_str())
        });
        Secret::new(labelled.map_or(cell, |(_, value)| value.trim()))
    });
    let cells: Vec<Secret> = cells.filter(|cell| !cell.is_empty()).collect();
    if let [cell] = cells.as_slice() {
        return Some(Command {
            url: None,
            credentials: Some(key_alone(service, cell)?),
            is_curl: false,
        });
    }
    if cells.len() > 3 {
        return None;
    }
    let (urls, rest): (Vec<_>, Vec<_>) = cells.into_iter().partition(is_url);
    let is_key = |cell: &Secret| secret_fits(service.key(), &clean_whole(cell).value);
    if urls.is_empty() && !rest.last().is_some_and(is_key) {
        return None;
    }
    let credentials = match rest.as_slice() {
        [] => None,
        [one] => Some(key_alone(service, one).unwrap_or_else(|| Cleaned {
            value: Secret::new(""),
            username: Some(clean_text(one.expose()).value),
            notes: Vec::new(),
        })),
        [.., username, key] => Some(Cleaned {
            value: clean_whole(key).value,
            username: Some(clean_text(username.expose()).value),
            notes: vec!["the lines were divided into their fields".to_owned()],
        }),
    };
    let url = urls.first().map(|url| clean_text(url.expose()).value);
    Some(Command {
        url,
        credentials,
        is_curl: false,
    })
}

fn is_url(cell: &Secret) -> bool {
    let cell = cell.expose();
    cell.contains("://")
        || (cell.contains('.') && !cell.contains('@') && Endpoint::parse(cell).is_ok())
}

/// A key, or a pair, that stands alone; nothing where it may be something else.
fn key_alone(service: &Service, cell: &Secret) -> Option<Cleaned<Secret>> {
    let cleaned = divided(service, cell);
    let said = !cleaned.notes.is_empty() && !is_url(cell);
    let has_shape = service.key().hex.is_some() && secret_fits(service.key(), &cleaned.value);
    let is_handle = cell.expose().trim().starts_with("ApiKey ");
    if !has_shape && !(is_handle && said) {
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
    let mut reading = Reading::default();
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
    rest.starts_with([' ', '\t', '\\']).then(|| words(text))
}

fn words(text: &str) -> Vec<Secret> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote: Option<char> = None;
    let mut characters = text.chars().peekable();
    while let Some(c) = characters.next() {
        let mut put = |c: char| word.get_or_insert_default().push(c);
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (Some('"') | None, '\\') => match characters.next() {
                // A line that goes on.
                Some('\n') | None => {}
                Some('\r') if characters.next_if_eq(&'\n').is_some() => {}
                Some(escaped) => put(escaped),
            },
            (None, '\'' | '"') => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (None, c) if c.is_whitespace() => words.extend(word.take().map(Secret::new)),
            (_, c) => put(c),
        }
    }
    words.extend(word.map(Secret::new));
    words
}
