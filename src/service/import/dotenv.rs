//! `.env` files: names are guessed by their ends (`…_URL`, `…_USER`, `…_KEY`, `…_TOKEN`), those with one
//! beginning belong together.

use std::collections::BTreeMap;

use super::place::{Place, host, place, value};
use super::{Candidate, CandidateValue, Reading, Unreadable, name_of, tell_apart};
use crate::domain::text::inert;
use crate::domain::{Connection, Endpoint, ServiceId};
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
    ("API_TOKEN", Role::Key),
    ("ACCESS_TOKEN", Role::Key),
    ("API_SECRET", Role::Key),
    ("API_KEY", Role::Key),
    ("APIKEY", Role::Key),
    ("PASSWORD", Role::Key),
    ("SECRET", Role::Key),
    ("TOKEN", Role::Key),
    ("KEY", Role::Key),
];

/// The values of one beginning.
#[derive(Default)]
struct VariableGroup {
    values: BTreeMap<Role, Variable>,
}

struct Variable {
    name: String,
    value: String,
}

/// Name and value of a line, as they stand; `export` in front is allowed.
pub(super) fn pair(line: &str) -> Option<(&str, &str)> {
    let line = line.trim();
    let line = line.strip_prefix("export ").unwrap_or(line).trim_start();
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
    let (_, role) = role(name)?;
    let value = unquoted(written);
    let is_known = !value.is_empty() && !value.contains(shell::OPEN);
    is_known.then_some((role, value))
}

/// Every connection that the names in `text` make.
pub fn read(catalog: &Catalog, text: &str) -> Result<Reading, Unreadable> {
    let mut groups: BTreeMap<String, VariableGroup> = BTreeMap::new();
    let mut reading = Reading::default();
    let mut foreign = Vec::new();
    for line in text.lines() {
        let Some((name, written)) = pair(line) else {
            continue;
        };
        match role(name) {
            Some((beginning, role)) => {
                let entry = Variable {
                    name: inert(name, 60),
                    value: unquoted(written),
                };
                groups
                    .entry(beginning)
                    .or_default()
                    .values
                    .insert(role, entry);
            }
            None => foreign.push(inert(name, 60)),
        }
    }
    if groups.len() > super::LIMIT {
        return Err(Unreadable::Many);
    }
    for (beginning, group) in groups {
        match candidate(catalog, &beginning, group) {
            Ok(candidate) => reading.candidates.push(candidate),
            Err(why) => reading.left_out.push(why),
        }
    }
    if !foreign.is_empty() {
        let shown = foreign
            .iter()
            .take(8)
            .cloned()
            .collect::<Vec<_>>()
            .join(", ");
        let more = match foreign.len().saturating_sub(8) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        let why = "no URL, user or key by their names";
        reading.left_out.push(format!("{shown}{more}: {why}"));
    }
    tell_apart(&mut reading.candidates);
    Ok(reading)
}

/// The beginning of a name without its known end, and what the end means.
fn role(name: &str) -> Option<(String, Role)> {
    let upper = name.to_ascii_uppercase().replace('.', "_");
    let fits = |end: &str| {
        upper == end
            || upper
                .strip_suffix(end)
                .is_some_and(|start| start.ends_with('_'))
    };
    let (end, role) = ENDS
        .iter()
        .filter(|(end, _)| fits(end))
        .max_by_key(|(end, _)| end.len())?;
    let start = upper.strip_suffix(end).unwrap_or_default();
    let start = start.trim_end_matches('_');
    let start = start.strip_suffix("_API").unwrap_or(start);
    Some((start.to_owned(), *role))
}

/// The value of a line: quotes off, a variable marked, a comment behind an unquoted value off.
fn unquoted(written: &str) -> String {
    let written = written.trim();
    if !written.starts_with(['"', '\'']) {
        let end = written.find(" #").unwrap_or(written.len());
        let plain = written.get(..end).unwrap_or_default().trim_end();
        if !plain.starts_with('$') {
            return plain.chars().filter(|c| !c.is_control()).collect();
        }
    }
    let mut commands = shell::commands(written);
    match commands.first_mut() {
        Some(Ok(words)) if !words.is_empty() => words.swap_remove(0),
        _ => String::new(),
    }
}

fn candidate(
    catalog: &Catalog,
    beginning: &str,
    mut group: VariableGroup,
) -> Result<Candidate, String> {
    let mut taken: Vec<String> = group
        .values
        .values()
        .map(|entry| entry.name.clone())
        .collect();
    taken.sort();
    let taken = taken.join(", ");
    let Some(url) = group.values.remove(&Role::Url) else {
        return Err(format!("{taken}: there is no URL beside it"));
    };
    let lower = beginning.to_ascii_lowercase();
    let known = ["blesta", "connect"]
        .into_iter()
        .find(|id| lower.contains(id))
        .map(ServiceId::new);
    let Place {
        service,
        url,
        pair,
        notes,
    } = place(catalog, &url.value, known).map_err(|why| format!("{taken}: {why}"))?;
    let name = lower.replace('_', "-");
    let name = if name.is_empty() { host(&url) } else { name };
    let mut candidate = Candidate::new(Connection::new(name_of(&name, "imported"), service, &url));
    candidate.note(format!("made of {taken}"));
    for note in &notes {
        candidate.note(note);
    }
    if let Some((username, key)) = pair {
        candidate.connection.username = username;
        super::header::set(&mut candidate, key);
    }
    if let Some(entry) = group.values.remove(&Role::Username) {
        candidate.connection.username = super::header::plain(&mut candidate, &entry.value);
    }
    if let Some(entry) = group.values.remove(&Role::Key) {
        whole_key(&mut candidate, &entry.value);
    }
    if let Some(entry) = group.values.remove(&Role::Token) {
        candidate.set_token(value(&entry.value));
    }
    if let Some(entry) = group.values.remove(&Role::CmsUrl) {
        match Endpoint::parse(&entry.value) {
            Ok(_) => candidate.connection.cms_url = Some(entry.value),
            Err(_) => candidate.note(format!(
                "{} was left out: it is no URL, or a variable",
                entry.name
            )),
        }
    }
    Ok(candidate)
}

/// A key as it stands, `ApiKey SU-…:…` divided.
fn whole_key(candidate: &mut Candidate, text: &str) {
    let bare = text.strip_prefix("ApiKey ").unwrap_or(text);
    match (bare.starts_with("SU-"), bare.split_once(':')) {
        (true, Some((user, key))) => {
            user.clone_into(&mut candidate.connection.username);
            candidate.connection.service = ServiceId::connect();
            candidate.set_key(CandidateValue::Known(crate::domain::Secret::new(key)));
        }
        _ => candidate.set_key(value(text)),
    }
}
