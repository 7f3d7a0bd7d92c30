//! The history as a table for other programs: CSV, JSON or a JSON object a line.

use std::io::{self, Write};

use jiff::Timestamp;
use rusqlite::params;
use rusqlite::types::ValueRef;
use serde_json::{Map, Value};

use super::read::EVENTS;
use crate::domain::Name;
use crate::store::state::{StateDb, StateProblem, WithPath};

/// Which rows are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExportTable {
    /// Single results, as far as they are kept.
    Runs,
    /// Changes and how long they lasted.
    Events,
    /// Buckets of 5 minutes and of an hour.
    Summaries,
}

/// How rows are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExportFormat {
    /// RFC 4180 with a line of names, lines ended by CR LF.
    Csv,
    /// One array.
    Json,
    /// One object a line.
    Ndjson,
}

impl ExportTable {
    /// The names of the columns, in order.
    pub const fn columns(self) -> &'static [&'static str] {
        match self {
            Self::Runs => &[
                "connection",
                "at",
                "state",
                "reason",
                "status",
                "ms",
                "planned",
            ],
            Self::Events => &["connection", "at", "state", "reason", "status", "lasted_s"],
            Self::Summaries => &[
                "connection",
                "at",
                "span_s",
                "works",
                "ok",
                "warn",
                "down",
                "unknown",
                "planned",
                "p50_ms",
                "p95_ms",
                "max_ms",
            ],
        }
    }

    /// Its rows since ?1, of the connection ?2 or of all, until ?3.
    fn select(self) -> String {
        let view = match self {
            Self::Runs => "run",
            Self::Summaries => "summary",
            // As people read them in the view `event`, which takes what lies ahead for the end of what was before.
            Self::Events => {
                return format!(
                    "SELECT name, strftime('%Y-%m-%dT%H:%M:%fZ', change.at / 1000.0, 'unixepoch'), event.state,
                        event.reason, status,
                        (LEAD(change.at) OVER (PARTITION BY watched.id ORDER BY change.at) - change.at) / 1000.0
                     FROM {EVENTS} AND change.at >= ?1 AND (?2 IS NULL OR name = ?2) ORDER BY name, change.at"
                );
            }
        };
        format!(
            "SELECT {} FROM {view} WHERE at_ms >= ?1 AND (?2 IS NULL OR connection = ?2) AND at_ms <= ?3
             ORDER BY connection, at_ms",
            self.columns().join(", ")
        )
    }

    /// Until when rows are told, ms: a single result is told with its time whatever that is, a change as what lasts.
    fn until(self) -> i64 {
        match self {
            Self::Events => Timestamp::now().as_millisecond(),
            Self::Runs | Self::Summaries => i64::MAX,
        }
    }
}

impl StateDb {
    /// Writes the rows of `name`, or of all connections, since a time, by connection and time. `Ok(Err(_))`
    /// is the writer's own failure.
    pub fn export(
        &self,
        name: Option<&Name>,
        since: Timestamp,
        (table, format): (ExportTable, ExportFormat),
        out: &mut dyn Write,
    ) -> Result<io::Result<()>, StateProblem> {
        let (columns, sql) = (table.columns(), table.select());
        self.look(|database| {
            let mut select = database.prepare(&sql).with_path(self.path())?;
            let mut rows = select
                .query(params![
                    since.as_millisecond(),
                    name.map(Name::as_str),
                    table.until()
                ])
                .with_path(self.path())?;
            let mut sheet = ExportSheet {
                out,
                format,
                columns,
                begun: false,
            };
            if let Err(failed) = sheet.begin() {
                return Ok(Err(failed));
            }
            while let Some(row) = rows.next().with_path(self.path())? {
                let values = (0..columns.len()).map(|column| row.get_ref(column).map(value));
                let values: Vec<_> = values
                    .collect::<rusqlite::Result<_>>()
                    .with_path(self.path())?;
                if let Err(failed) = sheet.row(values) {
                    return Ok(Err(failed));
                }
            }
            Ok(sheet.end())
        })
    }
}

fn value(cell: ValueRef<'_>) -> Value {
    match cell {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(number) => number.into(),
        ValueRef::Real(number) => number.into(),
        ValueRef::Text(text) | ValueRef::Blob(text) => String::from_utf8_lossy(text).into(),
    }
}

struct ExportSheet<'a> {
    out: &'a mut dyn Write,
    format: ExportFormat,
    columns: &'static [&'static str],
    /// Whether a row was written.
    begun: bool,
}

impl ExportSheet<'_> {
    fn begin(&mut self) -> io::Result<()> {
        match self.format {
            ExportFormat::Csv => write!(self.out, "{}\r\n", self.columns.join(",")),
            ExportFormat::Json => self.out.write_all(b"["),
            ExportFormat::Ndjson => Ok(()),
        }
    }

    fn row(&mut self, values: Vec<Value>) -> io::Result<()> {
        let first = !std::mem::replace(&mut self.begun, true);
        match self.format {
            ExportFormat::Csv => {
                let cells: Vec<_> = values.iter().map(cell).collect();
                write!(self.out, "{}\r\n", cells.join(","))
            }
            ExportFormat::Json => {
                self.out.write_all(if first { b"\n  " } else { b",\n  " })?;
                self.object(values)
            }
            ExportFormat::Ndjson => {
                self.object(values)?;
                self.out.write_all(b"\n")
            }
        }
    }

    fn object(&mut self, values: Vec<Value>) -> io::Result<()> {
        let names = self.columns.iter().map(|name| (*name).to_owned());
        let object: Map<String, Value> = names.zip(values).collect();
        serde_json::to_writer(&mut *self.out, &object).map_err(io::Error::from)
    }

    fn end(&mut self) -> io::Result<()> {
        if self.format == ExportFormat::Json {
            self.out.write_all(b"\n]\n")?;
        }
        self.out.flush()
    }
}

/// A cell of CSV: quoted where it must be; nothing where there is no value.
fn cell(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) if text.contains([',', '"', '\r', '\n']) => {
            format!("\"{}\"", text.replace('"', "\"\""))
        }
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
