//! The fields of a connection as TOML values: the other half of `read`.

use std::path::Path;

use toml_edit::{Array, InlineTable, Value};

use super::document::EditProblem;
use crate::domain::endpoint::URL_LIMIT;
use crate::domain::{
    AddressFamily, AuthStyle, Connection, Endpoint, SecretRef, UrlProblem, Window,
};

pub(super) fn list(words: &[String]) -> Array {
    words.iter().map(String::as_str).collect()
}

pub(super) type Field = (&'static str, Option<Value>);

/// Every field of `connection` in the file's order; nothing where it is the default.
pub(super) fn written(connection: &Connection) -> Result<Vec<Field>, EditProblem> {
    let mut fields = who_and_what(connection)?;
    fields.extend(how(connection)?);
    Ok(fields)
}

fn who_and_what(connection: &Connection) -> Result<Vec<Field>, EditProblem> {
    let secret = |field, place: &Option<SecretRef>| {
        place
            .as_ref()
            .map(|place| reference(field, place))
            .transpose()
    };
    Ok(vec![
        ("name", Some(connection.name.as_str().into())),
        ("service", Some(connection.service.as_str().into())),
        ("url", Some(connection.url.as_str().into())),
        ("username", text(Some(&connection.username))),
        ("key", secret("key", &connection.key)?),
        ("token", secret("token", &connection.token)?),
        ("added", added(&connection.added)?),
        (
            "tags",
            (!connection.tags.is_empty()).then(|| Value::Array(list(&connection.tags))),
        ),
        ("cms", text(connection.cms.as_ref())),
        ("cms_url", text(connection.cms_url.as_ref())),
        ("company", text(connection.company.as_ref())),
    ])
}

fn how(connection: &Connection) -> Result<Vec<Field>, EditProblem> {
    let auth = connection.auth;
    let family = connection.family;
    Ok(vec![
        (
            "auth",
            (auth != AuthStyle::Auto).then(|| auth.word().into()),
        ),
        (
            "family",
            (family != AddressFamily::Any).then(|| family.word().into()),
        ),
        ("interval_s", number(connection.interval_s)),
        ("timeout_s", number(connection.timeout_s)),
        ("proxy", text(connection.proxy.as_ref())),
        ("ca_file", path("ca_file", connection.ca_file.as_deref())?),
        (
            "client_cert",
            path("client_cert", connection.client_cert.as_deref())?,
        ),
        (
            "client_key",
            path("client_key", connection.client_key.as_deref())?,
        ),
        ("allow_http", connection.allow_http.then(|| true.into())),
        ("read_only", connection.read_only.then(|| true.into())),
        ("note", text(Some(&connection.note))),
        ("paused", connection.paused.then(|| true.into())),
        ("maintenance", windows(&connection.maintenance)),
    ])
}

fn windows(windows: &[Window]) -> Option<Value> {
    let words: Vec<_> = windows.iter().map(Window::to_string).collect();
    (!words.is_empty()).then(|| Value::Array(list(&words)))
}

fn text(text: Option<&String>) -> Option<Value> {
    text.filter(|text| !text.is_empty()).map(Value::from)
}

fn number(number: Option<u32>) -> Option<Value> {
    number.map(|number| i64::from(number).into())
}

/// Refuses what no edit brings into the file: user names and passwords in URLs, and what is longer than a field of the
/// form takes. What stood there before may stay: taking it out by another edit must be possible.
pub fn refuse_fields(new: &Connection, old: Option<&Connection>) -> Result<(), EditProblem> {
    refuse_user_info(new, old)?;
    refuse_long(new, old)
}

pub(super) fn refuse_user_info(
    new: &Connection,
    old: Option<&Connection>,
) -> Result<(), EditProblem> {
    if changed_urls(new, old).any(|url| holds_user_info(&url)) {
        return Err(EditProblem::SecretInUrl(new.name.clone()));
    }
    Ok(())
}

pub(super) fn refuse_long(new: &Connection, old: Option<&Connection>) -> Result<(), EditProblem> {
    let is_long = |text: &str| text.chars().count() > URL_LIMIT;
    if changed_urls(new, old).any(|url| is_long(&url)) {
        return Err(EditProblem::LongUrl(new.name.clone()));
    }
    let stood = old.map(texts).unwrap_or_default();
    let mut fields = texts(new).into_iter().zip(stood);
    match fields.find(|((_, new), (_, old))| new != old && is_long(new)) {
        Some(((what, _), _)) => Err(EditProblem::LongText(new.name.clone(), what)),
        None => Ok(()),
    }
}

fn texts(one: &Connection) -> [(&'static str, &str); 3] {
    [
        ("user name", &one.username),
        ("note", &one.note),
        ("company", one.company.as_deref().unwrap_or_default()),
    ]
}

fn changed_urls(new: &Connection, old: Option<&Connection>) -> impl Iterator<Item = String> {
    let urls = |connection: &Connection| {
        let url = Some(connection.url.clone());
        [url, connection.cms_url.clone(), connection.proxy.clone()]
    };
    let old = old.map(urls).unwrap_or_default();
    let changed = urls(new).into_iter().zip(old);
    changed
        .filter(|(new, old)| new != old)
        .filter_map(|(new, _)| new)
}

/// Whether a user name or password stands in `url`, of whatever scheme.
pub fn holds_user_info(url: &str) -> bool {
    // socks5:// is no endpoint, yet may hold user info all the same.
    let as_http = url
        .split_once("://")
        .map_or(url.to_owned(), |(_, rest)| format!("http://{rest}"));
    matches!(Endpoint::parse(&as_http), Err(UrlProblem::UserInfo { .. }))
}

fn path(field: &'static str, path: Option<&Path>) -> Result<Option<Value>, EditProblem> {
    let Some(path) = path else {
        return Ok(None);
    };
    path.to_str()
        .map(|path| Some(path.into()))
        .ok_or(EditProblem::NotText(field))
}

fn added(added: &[(String, SecretRef)]) -> Result<Option<Value>, EditProblem> {
    if added.is_empty() {
        return Ok(None);
    }
    let mut table = InlineTable::new();
    for (label, place) in added {
        table.insert(label, reference("added", place)?);
    }
    Ok(Some(Value::InlineTable(table)))
}

/// As `read::parse_reference` reads it: a list where a blank stands inside an argument.
fn reference(field: &'static str, reference: &SecretRef) -> Result<Value, EditProblem> {
    match reference {
        SecretRef::Cmd(words)
            if words
                .iter()
                .any(|word| word.is_empty() || word.contains(char::is_whitespace)) =>
        {
            let mut list: Array = Array::new();
            for (position, word) in words.iter().enumerate() {
                list.push(if position == 0 {
                    format!("cmd:{word}")
                } else {
                    word.clone()
                });
            }
            Ok(Value::Array(list))
        }
        SecretRef::File(path) if path.to_str().is_none() => Err(EditProblem::NotText(field)),
        SecretRef::Keyring(_)
        | SecretRef::Vault(_)
        | SecretRef::Env(_)
        | SecretRef::File(_)
        | SecretRef::Cmd(_)
        | SecretRef::Ask => Ok(reference.to_string().into()),
    }
}
