//! `.env` files: names are guessed by their ends (`…_URL`, `…_USER`, `…_KEY`, `…_TOKEN`), those with one
//! beginning belong together.

use std::collections::BTreeMap;
use std::iter::Peekable;

use super::place::{Place, PlaceProblem, host, place, value};
use super::{Candidate, CandidateValue, Reading, Unreadable, name_of, note_unseen, tell_apart};
use crate::domain::error::whole_chain;
use crate::domain::text::inert;
use crate::domain::{Connection, Endpoint, Secret, SecretRef, ServiceId, shape};
use crate::service::shell::Broken;
use crate::service::{Catalog, shell};

/// What a variable is, by the end of its name; the longest that fits counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::service) enum Role {
    Url,
    Username,
    Key,
    Token,
    CmsUrl,
}

/// Of two of one beginning and role, the end that stands first here counts: it says more.
const ENDS: &[(&str, Role)] = &[
    ("CMS_URL", Role::CmsUrl),
    ("SITE_URL", Role::CmsUrl),
    ("API_BASE_URL", Role::Url),
    ("API_URL", Role::Url),
    ("API_ENDPOINT", Role::Url),
    ("BASE_URL", Role::Url),
    ("ENDPOINT", Role::Url),
    ("URL", Role::Url),
    ("URI", Role::Url),
    ("API_USERNAME", Role::Username),
    ("API_USER", Role::Username),
    ("USERNAME", Role::Username),
    ("USER", Role::Username),
    ("LOGIN", Role::Username),
    ("LOGIN_TOKEN", Role::Token),
    ("SHARED_TOKEN", Role::Token),
    ("API_KEY", Role::Key),
    ("APIKEY", Role::Key),
    ("API_TOKEN", Role::Key),
    ("API_SECRET", Role::Key),
    ("ACCESS_TOKEN", Role::Key),
    ("KEY", Role::Key),
    ("TOKEN", Role::Key),
    ("SECRET", Role::Key),
    ("PASSWORD", Role::Key),
    ("PASS", Role::Key),
];

/// The values of one beginning.
#[derive(Default)]
struct VariableGroup {
    values: BTreeMap<Role, Variable>,
    /// Of what is left out, a sentence each.
    left_out: Vec<String>,
}

struct Variable {
    name: String,
    value: String,
    /// The place of its end among [`ENDS`].
    rank: usize,
}

impl VariableGroup {
    /// Whether there are an `API_USER` and an `API_KEY` of 32 hexadecimal digits, both words of Blesta's own. Its first
    /// call carries no key; that of any other API would, and to the front page.
    fn is_as_blesta_has_it(&self) -> bool {
        let named = |role: Role, end: &str| {
            let one = self.values.get(&role)?;
            one.name
                .to_ascii_uppercase()
                .replace('.', "_")
                .ends_with(end)
                .then_some(one)
        };
        named(Role::Username, "API_USER").is_some()
            && named(Role::Key, "API_KEY")
                .is_some_and(|key| shape::is_hex(key.value.trim(), shape::BLESTA_KEY_DIGITS))
    }

    /// Takes a variable, unless another one says more surely what it is for: then that one is named.
    fn insert(&mut self, role: Role, new: Variable) {
        let Some(old) = self.values.remove(&role) else {
            self.values.insert(role, new);
            return;
        };
        // Of one name the last counts, as for a shell.
        let (kept, left) = if new.rank <= old.rank {
            (new, old)
        } else {
            (old, new)
        };
        if kept.name == left.name && kept.value != left.value {
            let name = &kept.name;
            self.left_out
                .push(format!("{name} stands several times: the last one counts"));
        } else if kept.name != left.name {
            let what = role.what();
            let (kept, left) = (&kept.name, &left.name);
            self.left_out.push(format!(
                "{left} was left out: {kept} is the {what} that was taken"
            ));
        }
        self.values.insert(role, kept);
    }
}

impl Role {
    const fn what(self) -> &'static str {
        match self {
            Self::Url => "URL",
            Self::Username => "user name",
            Self::Key => "key",
            Self::Token => "shared token",
            Self::CmsUrl => "CMS URL",
        }
    }
}

/// Name and value of a line, as they stand; `export` in front is allowed.
pub(super) fn pair(line: &str) -> Option<(&str, &str)> {
    let line = line.trim();
    let other_shells = ["export ", "set ", "$env:"];
    let assigned = other_shells
        .iter()
        .find_map(|start| line.strip_prefix(start));
    let line = assigned.unwrap_or(line).trim_start();
    let (name, value) = line.split_once('=')?;
    let name = name.trim_end();
    let first = name.chars().next()?;
    let fits = (first.is_ascii_alphabetic() || first == '_')
        && name
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '.');
    fits.then_some((name, value))
}

/// What the variable of a line is for, by the end of its name, and its value; nothing where that is another variable's.
pub(in crate::service) fn assigned(line: &str) -> Option<(Role, String)> {
    let (name, written) = pair(line)?;
    let (_, role, _) = role(name)?;
    let value = unquoted(written).ok()?;
    let is_known = !value.is_empty() && !value.contains(shell::OPEN);
    is_known.then_some((role, value))
}

/// Every connection that the names in `text` make.
pub fn read(catalog: &Catalog, text: &str) -> Result<Reading, Unreadable> {
    let mut file = EnvFile::default();
    let mut lines = text.lines().zip(1_usize..).peekable();
    while let Some((line, number)) = lines.next() {
        let line = line.trim_start_matches('\u{feff}').trim();
        match pair(line) {
            Some((name, written)) => {
                let is_whole = file.take(name, written);
                // What a quote holds open is the value, not a line of its own: nothing of it is to be shown.
                let close = written.trim_start().chars().next();
                if let (false, Some(close @ ('"' | '\''))) = (is_whole, close) {
                    let last = held_open(&mut lines, close).unwrap_or(number);
                    file.left_out.push(format!(
                        "lines {number} to {last} were left out: a quote is not closed on its line"
                    ));
                }
            }
            None if line.is_empty() || line.starts_with('#') => {}
            None => file.odd.push(number.to_string()),
        }
    }
    let mut reading = file.finished(catalog)?;
    note_unseen(text, &mut reading.candidates);
    reading.candidates = tell_apart(reading.candidates);
    Ok(reading)
}

/// Skips what a quote holds open, to the line that closes it, or before a variable that means something here: a slip in
/// one line does not take it along. The number of the last line that was skipped.
fn held_open<'a>(
    lines: &mut Peekable<impl Iterator<Item = (&'a str, usize)>>,
    close: char,
) -> Option<usize> {
    let is_held = |line: &str| pair(line).is_none_or(|(name, _)| role(name).is_none());
    let mut last = None;
    while let Some((line, number)) = lines.next_if(|(line, _)| is_held(line)) {
        last = Some(number);
        if line.contains(close) {
            break;
        }
    }
    last
}

/// A file as it is read.
#[derive(Default)]
struct EnvFile {
    groups: BTreeMap<String, VariableGroup>,
    /// Names that say nothing here.
    foreign: Vec<String>,
    /// The numbers of lines that assign nothing.
    odd: Vec<String>,
    left_out: Vec<String>,
}

impl EnvFile {
    /// Takes one line; whether its value ends on it.
    fn take(&mut self, name: &str, written: &str) -> bool {
        let value = unquoted(written);
        let is_whole = value != Err(Broken::Quote);
        let Some((beginning, role, rank)) = role(name) else {
            // What looks like a key is a piece of a value, and no name.
            if SecretRef::variable(name).is_ok() {
                self.foreign.push(inert(name, 60));
            }
            return is_whole;
        };
        let name = inert(name, 60);
        let value = match value {
            // Nothing is lost.
            Ok(value) if value.is_empty() => return is_whole,
            Ok(value) => value,
            Err(broken) => {
                self.left_out.push(format!("{name} was left out: {broken}"));
                return is_whole;
            }
        };
        let group = self.groups.entry(beginning).or_default();
        group.insert(role, Variable { name, value, rank });
        is_whole
    }

    fn finished(self, catalog: &Catalog) -> Result<Reading, Unreadable> {
        if self.groups.len() > super::LIMIT {
            return Err(Unreadable::Many);
        }
        let mut reading = Reading {
            left_out: self.left_out,
            ..Reading::default()
        };
        for (beginning, mut group) in self.groups {
            reading.left_out.append(&mut group.left_out);
            match candidate(catalog, &beginning, group) {
                Ok(candidate) => reading.candidates.push(candidate),
                Err(problem) => reading.left_out.push(whole_chain(&problem)),
            }
        }
        if let Some(names) = some(&self.foreign) {
            let why = "no URL, user or key by their names";
            reading.left_out.push(format!("{names}: {why}"));
        }
        if let Some(numbers) = some(&self.odd) {
            let why = "what stands there is no NAME=value";
            let lines = if self.odd.len() == 1 { "line" } else { "lines" };
            reading.left_out.push(format!("{lines} {numbers}: {why}"));
        }
        Ok(reading)
    }
}

/// The first of `words`, and how many more there are.
fn some(words: &[String]) -> Option<String> {
    let shown = words.get(..words.len().min(8))?.join(", ");
    match words.len() {
        0 => None,
        1..=8 => Some(shown),
        all => Some(format!("{shown} and {} more", all - 8)),
    }
}

/// The beginning of a name without its known end, what the end means, and its place among [`ENDS`].
fn role(name: &str) -> Option<(String, Role, usize)> {
    let upper = name.to_ascii_uppercase().replace('.', "_");
    let fits = |end: &str| {
        upper == end
            || upper
                .strip_suffix(end)
                .is_some_and(|start| start.ends_with('_'))
    };
    let (rank, (end, role)) = ENDS
        .iter()
        .enumerate()
        .filter(|(_, (end, _))| fits(end))
        .max_by_key(|(_, (end, _))| end.len())?;
    let start = upper.strip_suffix(end).unwrap_or_default();
    let start = start.trim_end_matches('_');
    let start = start.strip_suffix("_API").unwrap_or(start);
    Some((start.to_owned(), *role, rank))
}

/// The value of a line: quotes off, a variable marked, a comment behind an unquoted value off.
fn unquoted(written: &str) -> Result<String, Broken> {
    let written = written.trim();
    if !written.starts_with(['"', '\'']) {
        let end = written.find(" #").unwrap_or(written.len());
        let plain = written.get(..end).unwrap_or_default().trim_end();
        if !plain.starts_with('$') {
            return Ok(plain.chars().filter(|c| !c.is_control()).collect());
        }
    }
    match shell::commands(written).into_iter().next() {
        Some(words) => Ok(words?.into_iter().next().unwrap_or_default()),
        None => Ok(String::new()),
    }
}

/// Why variables that belong together are no connection. `named` are their names.
#[derive(Debug, thiserror::Error)]
enum GroupProblem {
    /// Nothing to ask.
    #[error("{named}: there is no URL beside it")]
    NoUrl { named: String },
    /// A URL that can't be asked.
    #[error("{named}")]
    Place { named: String, source: PlaceProblem },
}

fn candidate(
    catalog: &Catalog,
    beginning: &str,
    mut group: VariableGroup,
) -> Result<Candidate, GroupProblem> {
    let mut named: Vec<&str> = group.values.values().map(|one| one.name.as_str()).collect();
    named.sort_unstable();
    let named = named.join(", ");
    let Some(url) = group.values.remove(&Role::Url) else {
        return Err(GroupProblem::NoUrl { named });
    };
    let lower = beginning.to_ascii_lowercase();
    let known = ["blesta", "connect"]
        .into_iter()
        .find(|id| lower.contains(id))
        .map(ServiceId::new);
    let place_name = url.name;
    let read = place(catalog, &url.value, known);
    let mut read = read.map_err(|source| GroupProblem::Place { named, source })?;
    if read.service == ServiceId::http()
        && group.is_as_blesta_has_it()
        && let Ok(blesta) = place(catalog, &url.value, Some(ServiceId::blesta()))
    {
        read = blesta;
        read.notes.push(
            "taken for Blesta, as user and key are as it has them: --service http of connection edit where it is another API"
                .to_owned(),
        );
    }
    let Place {
        service,
        url,
        pair,
        notes,
    } = read;
    let name = lower.replace('_', "-");
    let name = if name.is_empty() { host(&url) } else { name };
    let mut candidate = Candidate::new(Connection::new(name_of(&name, "imported"), service, &url));
    let mut made_of = vec![place_name];
    for role in [Role::Key, Role::Username, Role::Token, Role::CmsUrl] {
        if let Some(entry) = group.values.remove(&role)
            && take(&mut candidate, role, &entry)
        {
            made_of.push(entry.name);
        }
    }
    if let Some((username, key)) = pair {
        candidate.set_pair(username, key);
    }
    for note in &notes {
        candidate.note(note);
    }
    made_of.sort();
    candidate
        .notes
        .insert(0, format!("made of {}", made_of.join(", ")));
    Ok(candidate)
}

/// Takes one variable in; whether anything came of it.
fn take(candidate: &mut Candidate, role: Role, entry: &Variable) -> bool {
    let text = entry.value.as_str();
    match role {
        Role::Key => {
            whole_key(candidate, text);
            candidate.has_key()
        }
        Role::Username => {
            let user = super::header::plain(candidate, text);
            if candidate.connection.username.is_empty() {
                candidate.connection.username.clone_from(&user);
            } else {
                candidate.set_pair(user.clone(), None);
            }
            !user.is_empty() && candidate.connection.username == user
        }
        Role::Token => {
            candidate.set_token(value(text));
            candidate.token.is_some() || candidate.connection.token.is_some()
        }
        Role::Url => false,
        Role::CmsUrl => {
            let is_one = Endpoint::parse(text).is_ok();
            if is_one {
                candidate.connection.cms_url = Some(text.to_owned());
            } else {
                let name = &entry.name;
                candidate.note(format!("{name} was left out: it is no URL, or a variable"));
            }
            is_one
        }
    }
}

/// A key as it stands, `ApiKey SU-…:…` divided.
fn whole_key(candidate: &mut Candidate, text: &str) {
    let bare = text.strip_prefix(shape::TOKEN_SCHEME).unwrap_or(text);
    match shape::token_pair(bare) {
        Some((user, key)) => {
            candidate.connection.service = ServiceId::connect();
            let key = CandidateValue::Known(Secret::new(key));
            candidate.set_pair(inert(user, 128), Some(key));
        }
        None => candidate.set_key(value(text)),
    }
}
