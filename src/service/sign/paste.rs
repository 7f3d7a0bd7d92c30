//! Pastes as people make them: with blanks and quotes around, a header's name before, whole header lines, a
//! curl command, two cells of a table. What is cleaned is said; what is not understood is said too.

use anstream::adapter::strip_str;
use base64::Engine;
use base64::alphabet::{STANDARD, URL_SAFE};
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use super::super::catalog::Service;
use super::super::catalog::format::Need;
use super::super::shape::{are_swapped, is_key, is_reference};
use crate::domain::Secret;
use crate::domain::shape::TOKEN_SCHEME;

mod entry;
mod labels;
mod lines;

pub use entry::{Command, KeyPaste, entry, hides_key, is_divided, is_entry, read_key};
pub use lines::command;
pub(in crate::service) use lines::{is_of_cmd, of_cmd};

/// A paste, cleaned. Nothing is changed silently: `notes` says what was done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cleaned<T> {
    /// What belongs into the field.
    pub value: T,
    /// What belongs into the username's field, where a pair was pasted.
    pub username: Option<String>,
    /// What was cleaned or is odd, a sentence each.
    pub notes: Vec<String>,
}

/// Words before a value that are not part of it.
const PREFIXES: [&str; 4] = ["Authorization:", TOKEN_SCHEME, "Bearer ", "Basic "];

/// Quotes that stand around a value: what opens, what closes.
const QUOTES: [(char, char); 10] = [
    ('<', '>'),
    ('"', '"'),
    ('\'', '\''),
    ('`', '`'),
    ('\u{201c}', '\u{201d}'),
    ('\u{201e}', '\u{201c}'),
    ('\u{201e}', '\u{201d}'),
    ('\u{2018}', '\u{2019}'),
    ('\u{201a}', '\u{2018}'),
    ('\u{ab}', '\u{bb}'),
];

/// Cleans a paste into the key's field: what [`clean_whole`] takes off, header lines and curl commands down to
/// what they carry, and a `user:key` pair where the service takes both.
pub fn clean_secret(service: &Service, pasted: &Secret) -> Cleaned<Secret> {
    match lines::read(service, pasted.expose()) {
        Some(found) => found,
        None => divided(service, pasted),
    }
}

/// The value of one line, divided where it is a pair.
fn divided(service: &Service, pasted: &Secret) -> Cleaned<Secret> {
    let Cleaned {
        value, mut notes, ..
    } = clean_whole(pasted);
    let basic = notes.iter().any(|note| note.contains("Basic"));
    let pair = match decoded(&value).filter(|_| basic) {
        Some(pair) => Some(pair),
        None if basic => {
            notes.push("what follows \"Basic\" is no encoded pair: left as it is".to_owned());
            None
        }
        None => Some(value.clone()).filter(|value| {
            // A key of the service behind it tells of a user who is called like a kind of reference.
            let tells = |(_, key): (_, Secret)| is_key(service, &key.trimmed());
            takes_both(service)
                && (!is_reference(value) || value.split_once(':').is_some_and(tells))
        }),
    };
    let pair = pair
        .and_then(|whole| whole.split_once(':'))
        .filter(|(username, key)| is_pair(username.expose(), key.expose()));
    let Some((username, key)) = pair else {
        return Cleaned {
            value,
            username: None,
            notes,
        };
    };
    notes.push("the pair was split into user name and key".to_owned());
    let (username, key) = (username.trimmed(), key.trimmed());
    let (username, key) = if are_swapped(service, &username, &key) {
        // The key would stand in the open.
        notes.push("user name and key look swapped, and were put right".to_owned());
        (key, username)
    } else {
        (username, key)
    };
    Cleaned {
        value: key,
        username: Some(username.expose().to_owned()),
        notes,
    }
}

/// Whether the halves of what a colon divides may be a user name and a key: a URL's are not, nor are a label and what
/// stands behind it.
fn is_pair(username: &str, key: &str) -> bool {
    let is_name = !username.trim().contains([' ', '"', '\'', '{', '=']);
    let is_key = !key.is_empty() && !key.starts_with([' ', '/']);
    !username.is_empty() && is_name && is_key
}

/// Cleans a paste without splitting a pair, as for a token: blanks and quotes around it, terminal colours,
/// line ends, control and invisible characters anywhere, and `Authorization:`, `ApiKey `, `Bearer ` and `Basic ` before it.
pub fn clean_whole(pasted: &Secret) -> Cleaned<Secret> {
    let Cleaned {
        mut value,
        mut notes,
        ..
    } = clean_line(pasted);
    for prefix in PREFIXES {
        if let Some(rest) = without_prefix(&value, prefix) {
            value = rest;
            notes.push(format!("\"{}\" before it was taken off", prefix.trim_end()));
        }
    }
    Cleaned {
        value,
        username: None,
        notes,
    }
}

/// Cleans a paste of a secret that may be anything: what stands before it may be a part of it.
pub fn clean_line(pasted: &Secret) -> Cleaned<Secret> {
    let (text, notes) = cleaned(pasted.expose());
    Cleaned {
        value: Secret::new(text),
        username: None,
        notes,
    }
}

/// Cleans a paste into the URL's or the username's field: blanks and quotes around it, line ends, control and
/// invisible characters.
pub fn clean_text(pasted: &str) -> Cleaned<String> {
    let (value, notes) = cleaned(pasted);
    Cleaned {
        value,
        username: None,
        notes,
    }
}

/// The text without what nobody sees or means, and one sentence that says what that was.
fn cleaned(pasted: &str) -> (String, Vec<String>) {
    let mut off: Vec<&str> = Vec::new();
    let mut inside = String::with_capacity(pasted.len());
    // What a coloured terminal, or a log of one, has given: without its escape the rest of a colour is plain text.
    let coloured = pasted.contains('\u{1b}');
    if coloured {
        note(&mut off, "terminal colours");
    }
    let bare = coloured.then(|| strip_str(pasted));
    let plain = bare.is_none().then_some(pasted);
    for c in bare.into_iter().flatten().chain(plain).flat_map(str::chars) {
        match c {
            '\n' | '\r' | '\u{85}' | '\u{2028}' | '\u{2029}' => note(&mut off, "line ends"),
            c if c.is_control() || is_invisible(c) => note(&mut off, "invisible characters"),
            // A space that was made so that no line breaks at it: an ordinary one was meant.
            '\u{a0}' | '\u{202f}' | '\u{2007}' => {
                note(&mut off, "no-break spaces");
                inside.push(' ');
            }
            c => inside.push(c),
        }
    }
    let mut text = inside.trim();
    if text.len() != inside.len() {
        note(&mut off, "blanks");
    }
    // A list's comma stands behind them.
    while let Some(within) = unquoted(text).or_else(|| unquoted(text.strip_suffix(',')?)) {
        note(&mut off, "quotes");
        text = within;
    }
    let text = text.to_owned();
    wipe(inside);
    let notes = match off.split_last() {
        None => Vec::new(),
        Some((one, [])) => vec![format!("{one} were taken off")],
        Some((last, others)) => vec![format!("{} and {last} were taken off", others.join(", "))],
    };
    (text, notes)
}

fn note<'a>(off: &mut Vec<&'a str>, what: &'a str) {
    if !off.contains(&what) {
        off.push(what);
    }
}

/// Characters of no width that come along from web pages and word processors.
fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{ad}'
            | '\u{34f}'
            | '\u{61c}'
            | '\u{180e}'
            | '\u{200b}'..='\u{200f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{2069}'
            | '\u{feff}'
            | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e007f}'
    )
}

/// What stands between a pair of quotes around `text`.
fn unquoted(text: &str) -> Option<&str> {
    let within = QUOTES.iter().find_map(|(open, close)| {
        let within = text.strip_prefix(*open)?.strip_suffix(*close)?;
        // A quote in the middle: these two are not a pair.
        (!within.contains([*open, *close])).then_some(within)
    })?;
    Some(within.trim()).filter(|within| !within.is_empty())
}

/// Hands a text to something that wipes it.
fn wipe(text: String) {
    drop(Secret::new(text));
}

fn without_prefix(value: &Secret, prefix: &str) -> Option<Secret> {
    let (head, rest) = value.expose().split_at_checked(prefix.len())?;
    head.eq_ignore_ascii_case(prefix)
        .then(|| Secret::new(rest.trim()))
}

/// `user:key` of a Basic header's value.
fn decoded(value: &Secret) -> Option<Secret> {
    let lenient = GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true);
    let bytes = [STANDARD, URL_SAFE].iter().find_map(|alphabet| {
        GeneralPurpose::new(alphabet, lenient)
            .decode(value.expose())
            .ok()
    })?;
    String::from_utf8(bytes)
        .ok()
        .filter(|text| text.contains(':') && !text.chars().any(char::is_control))
        .map(Secret::new)
}

fn takes_both(service: &Service) -> bool {
    service.username().need == Need::Required
}
