//! Fields of a TOML table, read with what is expected of each. A message never holds a value: somebody may
//! have pasted a key there.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::{Range, RangeInclusive};

use serde::de::{Error, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use toml::{Spanned, Value};

use super::read::ConnectionEntry;
use crate::domain::Window;
use crate::domain::text::inert;

/// The whole file as confy loads it: where every field stands, nothing judged yet but the connections, each by
/// itself. Of those there may be very many: the table of each is gone before the next one is read.
#[derive(Debug, Serialize)]
pub(super) struct WrittenValue {
    /// Has no default: an empty file is damage, not a new user.
    pub(super) version: Spanned<Value>,
    pub(super) settings: Table,
    #[serde(skip)]
    pub(super) connection: Vec<ConnectionEntry>,
    /// Keys and tables beside these, with where each stands.
    #[serde(skip)]
    pub(super) unknown: Vec<(usize, String)>,
}

impl Default for WrittenValue {
    fn default() -> Self {
        Self {
            version: Spanned::new(0..0, Value::Integer(super::VERSION)),
            settings: Table::new(),
            connection: Vec::new(),
            unknown: Vec::new(),
        }
    }
}

impl<'de> Deserialize<'de> for WrittenValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(TopLevel)
    }
}

/// Reads what stands above all tables, and the tables.
struct TopLevel;

impl<'de> Visitor<'de> for TopLevel {
    type Value = WrittenValue;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the tables of a configuration")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<WrittenValue, A::Error> {
        let mut written = WrittenValue::default();
        let mut version = None;
        while let Some(key) = map.next_key::<Spanned<String>>()? {
            match key.get_ref().as_str() {
                "version" => version = Some(map.next_value()?),
                "settings" => written.settings = map.next_value()?,
                "connection" => written.connection = map.next_value()?,
                other => {
                    let what = format!(
                        "`{}` is not known here: there are `version`, [settings] and [[connection]]",
                        inert(other, 40)
                    );
                    written.unknown.push((key.span().start, what));
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        written.version = version.ok_or_else(|| A::Error::missing_field("version"))?;
        Ok(written)
    }
}

pub(super) type Table = BTreeMap<Spanned<String>, Spanned<Value>>;

/// What is wrong at a byte of the file.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct FieldProblem {
    pub(super) at: usize,
    pub(super) what: String,
}

impl FieldProblem {
    pub(super) fn new(span: &Range<usize>, what: impl Into<String>) -> Self {
        Self {
            at: span.start,
            what: what.into(),
        }
    }
}

/// One table, and where it starts.
#[derive(Clone, Copy)]
pub(super) struct Fields<'a> {
    pub(super) table: &'a Table,
    pub(super) at: usize,
}

impl<'a> Fields<'a> {
    pub(super) fn value(&self, key: &str) -> Option<(&'a Value, Range<usize>)> {
        let value = self.table.get(key)?;
        Some((value.get_ref(), value.span()))
    }

    pub(super) fn wrong(&self, key: &str, what: impl Into<String>) -> FieldProblem {
        let at = self.value(key).map_or(self.at, |(_, span)| span.start);
        FieldProblem {
            at,
            what: what.into(),
        }
    }

    /// A text without control characters.
    pub(super) fn text(&self, key: &str) -> Result<Option<&'a str>, FieldProblem> {
        let Some((value, span)) = self.value(key) else {
            return Ok(None);
        };
        let text = value
            .as_str()
            .ok_or_else(|| FieldProblem::new(&span, format!("`{key}` is a text in quotes")))?;
        if text.chars().any(char::is_control) {
            return Err(FieldProblem::new(
                &span,
                format!("`{key}` is one line, without control characters"),
            ));
        }
        Ok(Some(text))
    }

    /// A text of several lines: a note.
    pub(super) fn lines(&self, key: &str) -> Result<Option<&'a str>, FieldProblem> {
        let Some((value, span)) = self.value(key) else {
            return Ok(None);
        };
        value
            .as_str()
            .map(Some)
            .ok_or_else(|| FieldProblem::new(&span, format!("`{key}` is a text in quotes")))
    }

    pub(super) fn flag(&self, key: &str) -> Result<Option<bool>, FieldProblem> {
        let Some((value, span)) = self.value(key) else {
            return Ok(None);
        };
        value.as_bool().map(Some).ok_or_else(|| {
            FieldProblem::new(&span, format!("`{key}` is true or false, without quotes"))
        })
    }

    pub(super) fn number(
        &self,
        key: &str,
        range: RangeInclusive<u32>,
    ) -> Result<Option<u32>, FieldProblem> {
        let Some((value, span)) = self.value(key) else {
            return Ok(None);
        };
        value
            .as_integer()
            .and_then(|number| u32::try_from(number).ok())
            .filter(|number| range.contains(number))
            .map(Some)
            .ok_or_else(|| {
                let unit = if key.ends_with("_s") {
                    " of seconds"
                } else {
                    ""
                };
                let (from, to) = (range.start(), range.end());
                let what = format!("`{key}` is a whole number{unit} from {from} to {to}");
                FieldProblem::new(&span, what)
            })
    }

    /// A list of texts.
    pub(super) fn words(&self, key: &str) -> Result<Option<Vec<String>>, FieldProblem> {
        let Some((value, span)) = self.value(key) else {
            return Ok(None);
        };
        words(value).map(Some).ok_or_else(|| {
            FieldProblem::new(&span, format!("`{key}` is a list of texts: [\"…\", \"…\"]"))
        })
    }

    /// The maintenance windows.
    pub(super) fn windows(&self) -> Result<Vec<Window>, FieldProblem> {
        const SHAPE: &str = "`maintenance` is a list of times in UTC: \"2026-12-01T02:00Z/2026-12-01T04:00Z\", \
                             \"sun 02:00-04:00\", \"daily 03:00-03:30\"";
        let words = self.words("maintenance")?.unwrap_or_default();
        let windows: Option<Vec<Window>> = words.iter().map(|word| word.parse().ok()).collect();
        windows.ok_or_else(|| self.wrong("maintenance", SHAPE))
    }

    /// One of `words`.
    pub(super) fn choice<T: Copy>(
        &self,
        key: &str,
        words: &[(&str, T)],
    ) -> Result<Option<T>, FieldProblem> {
        let Some(text) = self.text(key)? else {
            return Ok(None);
        };
        let found = words.iter().find(|(word, _)| *word == text);
        found.map(|(_, choice)| Some(*choice)).ok_or_else(|| {
            let words: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
            self.wrong(key, format!("`{key}` is one of {}", words.join(", ")))
        })
    }

    /// Keys that are not in `known`, with where they stand.
    pub(super) fn unknown(&self, known: &[&str]) -> Vec<(usize, String)> {
        self.table
            .keys()
            .filter(|key| !known.contains(&key.get_ref().as_str()))
            .map(|key| {
                (
                    key.span().start,
                    format!("`{}` is not known here", inert(key.get_ref(), 40)),
                )
            })
            .collect()
    }
}

pub(super) fn words(value: &Value) -> Option<Vec<String>> {
    value
        .as_array()?
        .iter()
        .map(|word| {
            word.as_str()
                .filter(|word| !word.contains('\0'))
                .map(str::to_owned)
        })
        .collect()
}
