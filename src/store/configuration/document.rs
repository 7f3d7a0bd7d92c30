//! The file as it is edited: comments, order and unknown keys stay, only what changes is touched.

use std::collections::HashSet;
use std::sync::Arc;

use toml_edit::{ArrayOfTables, DocumentMut, Item, RawString, Table, TableLike, Value};

use super::base::Base;
use super::write::{list, refuse_fields, refuse_long, refuse_user_info, written};
use super::{inline, lines, read};
use crate::domain::endpoint::URL_LIMIT;
use crate::domain::{Connection, Name};

/// What a new file starts with.
pub(super) const TEMPLATE: &str = "\
# switchboard: settings and connections. No secret stands here, only where each one is kept.
# Edit it by hand or by `switchboard connection`: comments and unknown keys stay.
version = 1

[settings]
";

/// Why a change was not made. The file is as it was.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EditProblem {
    /// The name is not there, or no longer.
    #[error("there is no connection named {0:?}")]
    Absent(Name),
    /// The name is taken.
    #[error("there is a connection named {0:?} already")]
    Taken(Name),
    /// A username or password stands in a URL.
    #[error(
        "a URL of {0:?} (its own, the CMS's or the proxy's) holds a user name or password, which don't belong in the \
         configuration"
    )]
    SecretInUrl(Name),
    /// A URL that no server would take.
    #[error(
        "a URL of {0:?} is longer than {URL_LIMIT} characters: leave out what is behind its path"
    )]
    LongUrl(Name),
    /// A text for people, or a user name, that no field of the form would take.
    #[error("the {1} of {0:?} is longer than {URL_LIMIT} characters: shorten it")]
    LongText(Name, &'static str),
    /// A path that TOML can't hold.
    #[error("the path in `{0}` is not UTF-8 text, which the configuration can't hold")]
    NotText(&'static str),
    /// The file has another shape than it can be edited in.
    #[error("`{0}` is written in a way that can't be edited from here: write it as a [{0}] table")]
    Shape(&'static str),
    /// A field is another by now than whoever changes it has seen.
    #[error(
        "`{1}` of {0:?} was changed meanwhile, by another copy of the program or by hand: look at it as it is now, and save again"
    )]
    Changed(Name, &'static str),
    /// The caller's own reason.
    #[error("{0}")]
    Refused(String),
}

/// A value of a setting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SettingValue {
    /// Back to the default: the line is taken out.
    Default,
    /// A text.
    Text(String),
    /// A number.
    Number(u32),
    /// True or false.
    Flag(bool),
    /// A list of texts: a program and its arguments, keys.
    Words(Vec<String>),
}

/// The configuration while [`super::Store::edit`] holds the lock: fresh from the file.
#[derive(Debug)]
pub struct Document {
    pub(super) toml: DocumentMut,
    /// The names, so that adding thousands does not look through thousands each time.
    taken: HashSet<String>,
    /// From where its relative paths are.
    base: Base,
}

impl Document {
    /// Makes `toml` ready to be edited.
    pub(super) fn new(mut toml: DocumentMut, base: Base) -> Self {
        inline::become_tables(&mut toml);
        let mut document = Self {
            toml,
            taken: HashSet::new(),
            base,
        };
        document.taken = document.names().into_iter().collect();
        document
    }

    /// The names in the file, in its order.
    pub fn names(&self) -> Vec<String> {
        self.all().filter_map(named).map(str::to_owned).collect()
    }

    /// The connection named `name` as the file has it now.
    pub fn connection(&self, name: &Name) -> Result<Connection, EditProblem> {
        let absent = || EditProblem::Absent(name.clone());
        let table = self.all().find(|table| named(table) == Some(name.as_str()));
        // Read as a file of its own: the whole one may hold thousands.
        let mut alone = DocumentMut::new();
        alone.insert("version", toml_edit::value(super::VERSION));
        let table: ArrayOfTables = std::iter::once(table.ok_or_else(absent)?.clone()).collect();
        alone.insert("connection", Item::ArrayOfTables(table));
        let found = read::parse(&alone.to_string()).ok();
        found
            .and_then(|found| self.base.whole(found).connections.into_iter().next())
            .map(Arc::unwrap_or_clone)
            .ok_or_else(absent)
    }

    /// Adds a connection at the end.
    pub fn add(&mut self, connection: &Connection) -> Result<(), EditProblem> {
        refuse_long(connection, None)?;
        self.add_as_it_is(connection)
    }

    /// The same of one that is somewhere already, however long it is.
    pub(super) fn add_as_it_is(&mut self, connection: &Connection) -> Result<(), EditProblem> {
        if self.taken.contains(connection.name.as_str()) {
            return Err(EditProblem::Taken(connection.name.clone()));
        }
        refuse_user_info(connection, None)?;
        let mut table = Table::new();
        for (key, value) in written(connection)? {
            if let Some(value) = value {
                table.insert(key, Item::Value(value));
            }
        }
        self.tables()?.push(table);
        self.taken.insert(connection.name.as_str().to_owned());
        Ok(())
    }

    /// Makes the connection named `name` into `connection`, whatever it was. What does not differ is left
    /// as it stands.
    pub fn replace(&mut self, name: &Name, connection: &Connection) -> Result<(), EditProblem> {
        let current = self.connection(name)?;
        self.merge(&current, connection)
    }

    /// Writes the fields in which `after` differs from `before`, and no others: two people who edit
    /// different fields of one connection both keep their changes. So do two who add or take away tags. Where the file
    /// has another value than both by now, nothing is written: neither would know of the other's.
    pub fn merge(&mut self, before: &Connection, after: &Connection) -> Result<(), EditProblem> {
        let at = self
            .position(&before.name)
            .ok_or_else(|| EditProblem::Absent(before.name.clone()))?;
        if before.name != after.name && self.taken.contains(after.name.as_str()) {
            return Err(EditProblem::Taken(after.name.clone()));
        }
        let current = self.connection(&before.name)?;
        let after = &Connection {
            tags: tags_of_both(before, &current, after),
            ..after.clone()
        };
        refuse_fields(after, Some(before))?;
        let current = written(&current)?;
        let text = |value: &Option<Value>| value.as_ref().map(Value::to_string);
        let mut changes = Vec::new();
        let fields = written(before)?.into_iter().zip(written(after)?);
        for (((key, old), (_, new)), (_, now)) in fields.zip(current) {
            let [was, is, shall] = [&old, &now, &new].map(text);
            if was == shall {
                continue;
            }
            if is != was && is != shall && key != "tags" {
                return Err(EditProblem::Changed(before.name.clone(), key));
            }
            changes.push((key, new));
        }
        let table = self
            .tables()?
            .get_mut(at)
            .ok_or_else(|| EditProblem::Absent(before.name.clone()))?;
        for (key, new) in changes {
            put(table, key, new);
        }
        self.taken.remove(before.name.as_str());
        self.taken.insert(after.name.as_str().to_owned());
        Ok(())
    }

    /// Gives a connection another name.
    pub fn rename(&mut self, from: &Name, to: &Name) -> Result<(), EditProblem> {
        let before = self.connection(from)?;
        let after = Connection {
            name: to.clone(),
            ..before.clone()
        };
        self.merge(&before, &after)
    }

    /// Takes a connection out, with the comment right above it.
    pub fn remove(&mut self, name: &Name) -> Result<(), EditProblem> {
        let at = self
            .position(name)
            .ok_or_else(|| EditProblem::Absent(name.clone()))?;
        self.taken.remove(name.as_str());
        let tables = self.tables()?;
        let removed = tables.remove(at);
        let prefix = removed
            .decor()
            .prefix()
            .and_then(RawString::as_str)
            .unwrap_or_default();
        let kept = above_last_blank_line(prefix).to_owned();
        if kept.trim().is_empty() {
            return Ok(());
        }
        if let Some(next) = tables.get_mut(at) {
            let own = next
                .decor()
                .prefix()
                .and_then(RawString::as_str)
                .unwrap_or("\n")
                .to_owned();
            next.decor_mut().set_prefix(format!("{kept}{own}"));
        } else {
            let trailing = self.toml.trailing().as_str().unwrap_or_default().to_owned();
            self.toml.set_trailing(format!("{kept}{trailing}"));
        }
        Ok(())
    }

    /// A setting that is a list of texts, as it stands; empty where it is not set.
    pub fn words(&self, key: &str) -> Vec<String> {
        let settings = self.toml.get("settings").and_then(Item::as_table_like);
        let found = settings.and_then(|settings| settings.get(key));
        let words = found.and_then(Item::as_array).into_iter().flatten();
        words
            .filter_map(|word| word.as_str().map(str::to_owned))
            .collect()
    }

    /// Sets a setting. Whether the value fits is judged when the document is saved.
    pub fn set_setting(&mut self, key: &str, value: SettingValue) -> Result<(), EditProblem> {
        let settings = self
            .toml
            .entry("settings")
            .or_insert_with(|| Item::Table(Table::new()));
        let settings = settings
            .as_table_like_mut()
            .ok_or(EditProblem::Shape("settings"))?;
        put(settings, key, plain(value));
        Ok(())
    }

    fn position(&self, name: &Name) -> Option<usize> {
        self.all()
            .position(|table| named(table) == Some(name.as_str()))
    }

    fn all(&self) -> impl Iterator<Item = &Table> {
        let tables = self
            .toml
            .get("connection")
            .and_then(Item::as_array_of_tables);
        tables.into_iter().flatten()
    }

    fn tables(&mut self) -> Result<&mut ArrayOfTables, EditProblem> {
        let item = self
            .toml
            .entry("connection")
            .or_insert_with(|| Item::ArrayOfTables(ArrayOfTables::new()));
        item.as_array_of_tables_mut()
            .ok_or(EditProblem::Shape("connection"))
    }
}

fn named(table: &Table) -> Option<&str> {
    table.get("name").and_then(Item::as_str)
}

/// Sets or takes out `key`, and keeps the comment at the end of its line.
fn put(table: &mut dyn TableLike, key: &str, value: Option<Value>) {
    let Some(mut value) = value else {
        table.remove(key);
        return;
    };
    match (table.get_mut(key), &value) {
        (Some(Item::Value(Value::Array(old))), Value::Array(new)) => lines::become_list(old, new),
        (Some(Item::Value(old)), _) => {
            *value.decor_mut() = old.decor().clone();
            *old = value;
        }
        _ => {
            table.insert(key, Item::Value(value));
        }
    }
}

/// The part of a prefix that stands apart from the header: up to its last blank line.
fn above_last_blank_line(prefix: &str) -> &str {
    let mut end = 0;
    let mut start = 0;
    for line in prefix.split_inclusive('\n') {
        start += line.len();
        if line.trim().is_empty() {
            end = start;
        }
    }
    prefix.get(..end).unwrap_or_default()
}

fn plain(value: SettingValue) -> Option<Value> {
    match value {
        SettingValue::Default => None,
        SettingValue::Text(text) => Some(text.into()),
        SettingValue::Number(number) => Some(i64::from(number).into()),
        SettingValue::Flag(flag) => Some(flag.into()),
        SettingValue::Words(words) => Some(Value::Array(list(&words))),
    }
}

/// Each tag stands for itself: what `after` added to those of `before`, or took from them, is done to those of `current`.
fn tags_of_both(before: &Connection, current: &Connection, after: &Connection) -> Vec<String> {
    let [before, current, after] = [before, current, after].map(|one| &one.tags);
    if before == after || before == current {
        return after.clone();
    }
    let is_taken_away = |tag: &&String| before.contains(tag) && !after.contains(tag);
    let is_new = |tag: &&String| !before.contains(tag) && !current.contains(tag);
    let kept = current.iter().filter(|tag| !is_taken_away(tag));
    kept.chain(after.iter().filter(is_new)).cloned().collect()
}
