//! From the text of the file to settings and connections, with the place of whatever does not fit.

use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;

use serde::{Deserialize, Deserializer};
use toml::{Spanned, Value};

use super::fields::{FieldProblem, Fields, Table, WrittenValue, words};
use super::{Configuration, VERSION, settings};
use crate::domain::connection::SecretRefProblem;
use crate::domain::text::inert;
use crate::domain::{AddressFamily, AuthStyle, Connection, Name, SecretRef, ServiceId};

/// Why a text is not a configuration.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Unread {
    /// Nothing but blanks: a program was killed while it wrote, or somebody emptied it.
    Empty,
    /// Written by a newer program.
    Newer(i64),
    /// Something does not fit.
    FieldProblem(FieldProblem),
}

impl From<FieldProblem> for Unread {
    fn from(problem: FieldProblem) -> Self {
        Self::FieldProblem(problem)
    }
}

/// Reads `text` whole.
pub(super) fn parse(text: &str) -> Result<Configuration, Unread> {
    match toml::from_str::<WrittenValue>(text) {
        Ok(written) => judge(written),
        Err(error) => Err(unread(text, &error)),
    }
}

/// What confy's error means, without the line that it would show.
pub(super) fn unread(text: &str, error: &toml::de::Error) -> Unread {
    if text.trim_start_matches('\u{feff}').trim().is_empty() {
        return Unread::Empty;
    }
    // A newer file may have another shape altogether: its version is worth a sentence of its own.
    if let Ok(table) = text.parse::<toml::Table>()
        && let Some(version) = table.get("version").and_then(Value::as_integer)
        && version > VERSION
    {
        return Unread::Newer(version);
    }
    let at = error.span().map_or(0, |span| span.start);
    // One bracket less than a list of tables has.
    let line = text.get(at..).and_then(|rest| rest.lines().next());
    if line.is_some_and(|line| line.replace(' ', "").starts_with("[connection]")) {
        let what = "there can be several: write [[connection]], in two brackets".to_owned();
        return Unread::FieldProblem(FieldProblem { at, what });
    }
    Unread::FieldProblem(FieldProblem {
        at,
        what: without_value(error.message()),
    })
}

/// serde quotes the value that it did not expect: only what it expected is kept. The parser's own messages
/// hold no content.
fn without_value(message: &str) -> String {
    if message == "missing field `version`" {
        return "missing field `version`: write version = 1 in the first line".to_owned();
    }
    let message = match message.rsplit_once(", expected ") {
        Some((found, expected)) if found.starts_with("invalid ") && found.contains([':', '`']) => {
            format!("another kind of value than expected here: {expected}")
        }
        _ if message.starts_with("invalid type") => {
            "another kind of value than expected here".to_owned()
        }
        _ => message.to_owned(),
    };
    inert(&message, 200)
}

/// One connection of the file, by itself.
#[derive(Debug)]
pub(super) struct ConnectionEntry {
    /// Where its name stands.
    name_at: usize,
    read: Result<Arc<Connection>, FieldProblem>,
    unknown: Vec<(usize, String)>,
}

impl ConnectionEntry {
    /// The same by where its part stands in the file.
    pub(super) fn moved(mut self, by: usize) -> Self {
        self.name_at += by;
        self.unknown.iter_mut().for_each(|(at, _)| *at += by);
        self
    }
}

impl<'de> Deserialize<'de> for ConnectionEntry {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let table = Spanned::<Table>::deserialize(deserializer)?;
        let fields = Fields {
            table: table.get_ref(),
            at: table.span().start,
        };
        let name = fields.value("name");
        Ok(Self {
            name_at: name.map_or(fields.at, |(_, span)| span.start),
            read: connection(fields).map(Arc::new),
            unknown: fields.unknown(KNOWN),
        })
    }
}

/// A configuration as it is put together, one connection after the other.
pub(super) struct ConfigurationBuilder {
    configuration: Configuration,
    seen: HashSet<Name>,
    /// Of thousands, most have the service of another one: its name is kept once.
    services: HashSet<ServiceId>,
}

impl ConfigurationBuilder {
    /// Checks everything but the connections, of which there will be about so many.
    pub(super) fn begin(
        version: &Spanned<Value>,
        settings: &Table,
        connections: usize,
    ) -> Result<Self, Unread> {
        match version.get_ref().as_integer() {
            Some(VERSION) => {}
            Some(newer) if newer > VERSION => return Err(Unread::Newer(newer)),
            _ => {
                return Err(
                    FieldProblem::new(&version.span(), format!("`version` is {VERSION}")).into(),
                );
            }
        }
        let unknown = Fields {
            table: settings,
            at: 0,
        }
        .unknown(settings::KNOWN);
        Ok(Self {
            configuration: Configuration {
                settings: settings::read(settings)?,
                connections: Vec::with_capacity(connections),
                unknown,
            },
            seen: HashSet::with_capacity(connections),
            services: HashSet::new(),
        })
    }

    /// Takes in the next one.
    pub(super) fn take(&mut self, entry: ConnectionEntry) -> Result<(), Unread> {
        let mut connection = entry.read?;
        if let Some(known) = self.services.get(&connection.service) {
            if let Some(connection) = Arc::get_mut(&mut connection) {
                connection.service = known.clone();
            }
        } else {
            self.services.insert(connection.service.clone());
        }
        if !self.seen.insert(connection.name.clone()) {
            let name = connection.name.as_str();
            return Err(Unread::FieldProblem(FieldProblem {
                at: entry.name_at,
                what: format!("there are two connections named {name:?}"),
            }));
        }
        self.configuration.unknown.extend(entry.unknown);
        self.configuration.connections.push(connection);
        Ok(())
    }

    pub(super) fn end(self) -> Configuration {
        self.configuration
    }
}

/// Checks every field.
pub(super) fn judge(written: WrittenValue) -> Result<Configuration, Unread> {
    let WrittenValue {
        version,
        settings,
        connection,
        unknown,
    } = written;
    let mut gathered = ConfigurationBuilder::begin(&version, &settings, connection.len())?;
    gathered.configuration.unknown.extend(unknown);
    for entry in connection {
        gathered.take(entry)?;
    }
    Ok(gathered.end())
}

pub(super) const KNOWN: &[&str] = &[
    "name",
    "service",
    "url",
    "username",
    "key",
    "token",
    "added",
    "tags",
    "cms",
    "cms_url",
    "company",
    "auth",
    "family",
    "interval_s",
    "timeout_s",
    "proxy",
    "ca_file",
    "client_cert",
    "client_key",
    "allow_http",
    "read_only",
    "note",
    "paused",
    "maintenance",
];

fn connection(fields: Fields<'_>) -> Result<Connection, FieldProblem> {
    let owned = |key| Ok(fields.text(key)?.map(str::to_owned));
    let path = |key| Ok(fields.text(key)?.map(|text| Path::new(text).into()));
    Ok(Connection {
        name: name(fields)?,
        service: service(fields)?,
        url: fields
            .text("url")?
            .ok_or_else(|| fields.wrong("url", "a connection needs a `url`"))?
            .to_owned(),
        username: owned("username")?.unwrap_or_default(),
        key: reference(fields, "key")?,
        token: reference(fields, "token")?,
        added: added(fields)?,
        tags: tags(fields)?,
        cms: owned("cms")?,
        cms_url: owned("cms_url")?,
        company: owned("company")?,
        auth: fields
            .choice(
                "auth",
                &AuthStyle::ALL
                    .iter()
                    .map(|a| (a.word(), *a))
                    .collect::<Vec<_>>(),
            )?
            .unwrap_or_default(),
        family: fields
            .choice(
                "family",
                &AddressFamily::ALL
                    .iter()
                    .map(|f| (f.word(), *f))
                    .collect::<Vec<_>>(),
            )?
            .unwrap_or_default(),
        interval_s: fields.number("interval_s", Connection::INTERVAL_S)?,
        timeout_s: fields.number("timeout_s", Connection::TIMEOUT_S)?,
        proxy: owned("proxy")?,
        ca_file: path("ca_file")?,
        client_cert: path("client_cert")?,
        client_key: path("client_key")?,
        allow_http: fields.flag("allow_http")?.unwrap_or_default(),
        read_only: fields.flag("read_only")?.unwrap_or_default(),
        note: fields.lines("note")?.unwrap_or_default().to_owned(),
        paused: fields.flag("paused")?.unwrap_or_default(),
        maintenance: fields.windows()?,
    })
}

fn name(fields: Fields<'_>) -> Result<Name, FieldProblem> {
    let text = fields.text("name")?.unwrap_or_default();
    Name::parse(text).map_err(|problem| fields.wrong("name", problem.to_string()))
}

fn service(fields: Fields<'_>) -> Result<ServiceId, FieldProblem> {
    match fields.text("service")? {
        None => Err(fields.wrong(
            "service",
            "a connection needs a `service`: blesta, connect, http or your own",
        )),
        Some("") => Err(fields.wrong("service", "`service` is empty")),
        Some(id) => Ok(ServiceId::new(id)),
    }
}

fn tags(fields: Fields<'_>) -> Result<Vec<String>, FieldProblem> {
    let tags = fields.words("tags")?.unwrap_or_default();
    if tags
        .iter()
        .any(|tag| tag.is_empty() || inert(tag, 64) != *tag)
    {
        return Err(fields.wrong("tags", "a tag is 1 to 64 visible characters"));
    }
    Ok(tags)
}

fn reference(fields: Fields<'_>, key: &str) -> Result<Option<SecretRef>, FieldProblem> {
    let Some((value, span)) = fields.value(key) else {
        return Ok(None);
    };
    parse_reference(value)
        .map(Some)
        .map_err(|problem| FieldProblem::new(&span, format!("`{key}` is {problem}")))
}

/// Why a value is no reference.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum ReferenceProblem {
    /// A text that is none.
    #[error(transparent)]
    Text(#[from] SecretRefProblem),
    /// A list of other words than a command's.
    #[error("not a reference: the first word of a list is \"cmd:PROGRAM\"")]
    NoCommand,
    /// Neither text nor list.
    #[error("not a reference: use a text such as \"vault:NAME\"")]
    Kind,
}

/// A text, or for arguments with blanks in them a list whose first word starts with `cmd:`.
pub(super) fn parse_reference(value: &Value) -> Result<SecretRef, ReferenceProblem> {
    if let Some(text) = value.as_str() {
        return Ok(text.parse::<SecretRef>()?);
    }
    let list = words(value).unwrap_or_default();
    match list.split_first() {
        Some((first, arguments)) => {
            let program = first
                .strip_prefix("cmd:")
                .filter(|program| !program.is_empty());
            let program = program.ok_or(ReferenceProblem::NoCommand)?;
            Ok(SecretRef::Cmd(
                std::iter::once(program)
                    .chain(arguments.iter().map(String::as_str))
                    .map(str::to_owned)
                    .collect(),
            ))
        }
        None => Err(ReferenceProblem::Kind),
    }
}

fn added(fields: Fields<'_>) -> Result<Vec<(String, SecretRef)>, FieldProblem> {
    const SHAPE: &str =
        "`added` is a table of labels, each with a reference: { \"deploy bot\" = \"vault:NAME\" }";
    let Some((value, span)) = fields.value("added") else {
        return Ok(Vec::new());
    };
    let table = value
        .as_table()
        .ok_or_else(|| FieldProblem::new(&span, SHAPE))?;
    table
        .iter()
        .map(|(label, value)| {
            if label.is_empty() || inert(label, 64) != *label {
                return Err(FieldProblem::new(
                    &span,
                    "a label in `added` is 1 to 64 visible characters",
                ));
            }
            let reference = parse_reference(value).map_err(|problem| {
                FieldProblem::new(&span, format!("a value in `added` is {problem}"))
            })?;
            Ok((label.clone(), reference))
        })
        .collect()
}

/// Line and column, from 1, of the byte at `offset`; the column counts characters.
pub(super) fn place(text: &str, offset: usize) -> (usize, usize) {
    let mut offset = offset.min(text.len());
    while !text.is_char_boundary(offset) {
        offset -= 1;
    }
    let before = text.get(..offset).unwrap_or_default();
    let line = before.matches('\n').count() + 1;
    let column = before
        .rsplit('\n')
        .next()
        .unwrap_or_default()
        .chars()
        .count()
        + 1;
    (line, column)
}
