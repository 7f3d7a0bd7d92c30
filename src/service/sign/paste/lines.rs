//! More than one value: header lines, a curl command, two cells of a table.

use super::super::super::catalog::Service;
use super::super::super::shape::{is_key, keys_are_of_one_length};
use super::super::super::shell;
use super::entry::{Command, is_random};
use super::{Cleaned, clean_text, divided, takes_both};
use crate::domain::Secret;
use zeroize::Zeroizing;

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
        notes.extend(left_out(self.left_out));
        Some(Cleaned {
            value: self.key?,
            username: self.username,
            notes,
        })
    }
}

/// What is said of lines that were not understood.
pub(super) fn left_out(count: usize) -> Option<String> {
    match count {
        0 => None,
        1 => Some("one other line was left out".to_owned()),
        many => Some(format!("{many} other lines were left out")),
    }
}

/// What the service's own header `name` is made of; `Authorization` is everybody's.
pub(super) fn own_header<'a>(service: &'a Service, name: &str) -> Option<&'a str> {
    let mut headers = service.text().auth.iter().flat_map(|auth| &auth.headers);
    let header = headers.find(|header| header.name.eq_ignore_ascii_case(name))?;
    (!name.eq_ignore_ascii_case("Authorization")).then_some(header.value.as_str())
}

/// Whether it is one word, as user names are.
pub(super) fn is_name(text: &str) -> bool {
    !text.trim().contains([' ', '/', '=', '"'])
}

/// A user name and a key in two cells of a table, or on two lines.
fn cells(service: &Service, pasted: &str) -> Option<Cleaned<Secret>> {
    if !takes_both(service) || !keys_are_of_one_length(service) {
        return None;
    }
    let cells = pasted
        .split(['\n', '\t'])
        .map(|cell| Secret::new(clean_text(cell).value));
    let cells: Vec<Secret> = cells.filter(|cell| !cell.is_empty()).collect();
    let [username, key] = <[Secret; 2]>::try_from(cells).ok()?;
    let is_name = is_name(username.expose()) && !is_random(username.expose());
    if !is_key(service, &key) || is_key(service, &username) || !is_name {
        return None;
    }
    Some(Cleaned {
        value: key,
        username: Some(username.expose().to_owned()),
        notes: vec!["two cells were split into user name and key".to_owned()],
    })
}

/// Reads a whole curl command, as manuals print them, or what a browser copies for PowerShell; nothing where it is none.
pub fn command(service: &Service, pasted: &str) -> Option<Command> {
    let words = curl_words(pasted).or_else(|| powershell_words(pasted))?;
    let url = words.iter().map(Secret::expose).find(|word| {
        let word = word.to_ascii_lowercase();
        word.starts_with("https://") || word.starts_with("http://")
    });
    Some(Command {
        url: url.map(str::to_owned),
        credentials: credentials(service, &words),
        is_curl: true,
        notes: Vec::new(),
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
        } else if let Some((name, value)) = word.split_once('=') {
            // A header of PowerShell's.
            let header = Secret::new(format!("{}:{}", name.expose(), value.expose()));
            reading.read_header(service, header.expose());
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
    let goes_on = rest.starts_with([' ', '\t', '\\']);
    goes_on.then(|| {
        if is_of_cmd(text) {
            words(&of_cmd(text))
        } else {
            words(text)
        }
    })
}

/// Whether it is written for the shell of Windows, which escapes by `^`: a word begins so, or a line ends so. Elsewhere
/// it may be the end of a password.
pub(in crate::service) fn is_of_cmd(text: &str) -> bool {
    [" ^\"", " ^\r", " ^\n"]
        .iter()
        .any(|sign| text.contains(sign))
}

/// The text without the escapes of Windows' shell, for which `^` between plain quotes is a letter.
pub(in crate::service) fn of_cmd(text: &str) -> Zeroizing<String> {
    let mut plain = Zeroizing::new(String::with_capacity(text.len()));
    let mut quoted = false;
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '^' if !quoted => match letters.next() {
                // The command goes on below.
                Some('\r' | '\n') | None => {
                    letters.next_if_eq(&'\n');
                    plain.push(' ');
                }
                Some(escaped) => plain.push(escaped),
            },
            '"' => {
                quoted = !quoted;
                plain.push(letter);
            }
            letter => plain.push(letter),
        }
    }
    plain
}

/// The words of a request as browsers copy it for PowerShell, where a backtick ends a line that goes on.
fn powershell_words(pasted: &str) -> Option<Vec<Secret>> {
    let is_one = ["Invoke-WebRequest", "Invoke-RestMethod"]
        .iter()
        .any(|name| pasted.contains(name));
    is_one.then(|| {
        // All headers may stand on one line.
        let mut apart = Secret::new(pasted);
        for (joined, divided) in [("@{", "@{ "), ("\"}", "\" }"), ("\";", "\" ")] {
            apart = Secret::new(apart.expose().replace(joined, divided));
        }
        let mut words = words(apart.expose());
        // Its options are none of curl's, in whatever letters: `-uri` is no user.
        words.retain(|word| !word.starts_with("-"));
        words
    })
}

fn words(text: &str) -> Vec<Secret> {
    shell::words(text).into_iter().map(Secret::new).collect()
}
