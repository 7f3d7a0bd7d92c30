//! `switchboard.toml`: settings and connections, found and loaded by confy, edited with comments kept.
//!
//! A file that can't be read is never overwritten, an empty one is damage, one that others can change is
//! refused. [`Store::edit`] reads the fresh file under a lock, changes it, and writes it whole: two running
//! programs never lose each other's changes. Everything here blocks.

mod backup;
mod base;
mod changing;
mod document;
mod fields;
mod inline;
mod lines;
mod parts;
mod problem;
mod read;
mod settings;
mod stamp;
mod style;
mod write;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

pub use backup::BACKUP;
pub use document::{Document, EditProblem, SettingValue};
use memchr::memmem;
pub use problem::{ConfigurationProblem, refused_at};
pub use settings::Settings;
pub use stamp::Stamp;
use toml_edit::DocumentMut;
pub use write::{holds_user_info, refuse_fields};

use self::base::Base;
use self::changing::{Change, apart, changed};
use self::fields::WrittenValue;
use self::style::Style;
use super::files::{self, FileProblem, Lock};
use crate::domain::{Cause, Connection, SecretRef};

/// The version of the file's format that this program reads and writes.
const VERSION: i64 = 1;

/// What the file says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Configuration {
    /// The settings, defaults filled in.
    pub settings: Settings,
    /// The connections, in the file's order.
    pub connections: Vec<Arc<Connection>>,
    /// Keys that nobody reads here, with the byte where each stands: for `doctor`, which finds typing errors.
    unknown: Vec<(usize, String)>,
}

/// The folder of the user's service files, beside the configuration.
pub const SERVICES: &str = "services";

impl Configuration {
    /// Whether something in it stands in the vault.
    pub fn uses_vault(&self) -> bool {
        let mut references = self.connections.iter().flat_map(|it| it.references());
        references.any(|reference| matches!(reference, SecretRef::Vault(_)))
    }

    /// The variables that `env:` references name: each holds a secret.
    pub fn variables_with_secrets(&self) -> Vec<String> {
        self.connections
            .iter()
            .flat_map(|connection| connection.references())
            .filter_map(|reference| match reference {
                SecretRef::Env(name) => Some(name.clone()),
                SecretRef::Keyring(_)
                | SecretRef::Vault(_)
                | SecretRef::File(_)
                | SecretRef::Cmd(_)
                | SecretRef::Ask => None,
            })
            .collect()
    }
}

/// A service file of the user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceFile {
    /// Where it is.
    pub path: PathBuf,
    /// What it says, which the catalog judges; or why it can't be read.
    pub text: Result<String, Cause>,
}

/// The configuration at its place: a file, or this process's memory.
#[derive(Clone, Debug)]
pub struct Store {
    place: Place,
    home: Option<PathBuf>,
}

#[derive(Clone, Debug)]
enum Place {
    File(PathBuf),
    Memory(Arc<Mutex<(String, u64)>>),
}

impl Store {
    /// The configuration in the file at `path`, which need not exist. Nothing is read or written yet.
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self {
            place: Place::File(path.into()),
            home: None,
        }
    }

    /// The same, where `~/…` in it means this home.
    #[must_use]
    pub fn with_home(self, home: Option<PathBuf>) -> Self {
        Self { home, ..self }
    }

    /// A configuration that no file holds: the demonstration's. Starts with `connections` and the defaults.
    pub fn in_memory(connections: &[Connection]) -> Result<Self, ConfigurationProblem> {
        let memory = Arc::new(Mutex::new((compose(connections)?, 0)));
        Ok(Self {
            place: Place::Memory(memory),
            home: None,
        })
    }

    fn base(&self, path: &Path) -> Base {
        Base::of(path, self.home.clone())
    }

    /// The file, where there is one.
    pub fn path(&self) -> Option<&Path> {
        match &self.place {
            Place::File(path) => Some(path),
            Place::Memory(_) => None,
        }
    }

    /// Whether what is written to `path` would take the place of the file, its lock or an earlier version, or be read
    /// as a service file.
    pub fn owns(&self, path: &Path) -> bool {
        let Some(own) = self.path() else { return false };
        let target = files::followed(path);
        let is_service = || target.extension().is_some_and(|is| is == "toml");
        files::is_same_file(path, own)
            || files::is_same_file(path, &lock_path(own))
            || (files::lies_in(&target, &own.with_file_name(BACKUP))
                && backup::is_version(own, &target))
            || (files::lies_in(&target, &own.with_file_name(SERVICES)) && is_service())
    }

    /// Whether there is no file where one should be. One that can't be looked at may be there.
    pub fn is_gone(&self) -> bool {
        self.path()
            .is_some_and(|path| path.try_exists().is_ok_and(|is| !is))
    }

    /// Reads settings and connections. Where there is no file, everything has its default, and none is made.
    pub fn load(&self) -> Result<Configuration, ConfigurationProblem> {
        match &self.place {
            Place::File(path) => Ok(self.base(path).whole(load(path)?)),
            Place::Memory(memory) => {
                let held = memory.lock().unwrap_or_else(PoisonError::into_inner);
                read_text(Path::new(MEMORY), &held.0)
            }
        }
    }

    /// Refuses a file that others can change, as [`Store::load`] does: who may do so changes without the [`Stamp`].
    pub fn refuse_open_to_others(&self) -> Result<(), ConfigurationProblem> {
        match self.path() {
            Some(path) if is_there(path)? => Ok(files::refuse_writable_by_others(path)?),
            Some(_) | None => Ok(()),
        }
    }

    /// The settings without the connections, of which there may be very many: for what must be known before
    /// anything else is. The defaults where they can't be read: [`Store::load`] tells why.
    pub fn settings_alone(&self) -> Settings {
        let Place::File(path) = &self.place else {
            return Settings::default();
        };
        let text = files::read_regular_text(path).unwrap_or_default();
        let read = read::parse(&without_connections(&text));
        read.map(|read| read.settings).unwrap_or_default()
    }

    /// Changes the configuration: `change` gets the fresh file under the lock; what it leaves is checked,
    /// the old version is put aside, and the new one is written whole. Whatever fails, the file is as it was.
    pub fn edit<R: Send>(
        &self,
        change: impl FnOnce(&mut Document) -> Result<R, EditProblem> + Send,
    ) -> Result<R, ConfigurationProblem> {
        let (mut change, mut result) = (Some(change), None);
        self.edit_by(&mut |document| {
            result = change.take().map(|change| change(document)).transpose()?;
            Ok(())
        })?;
        result.ok_or_else(|| EditProblem::Refused("nothing was changed".to_owned()).into())
    }

    fn edit_by(&self, change: Change<'_>) -> Result<(), ConfigurationProblem> {
        match &self.place {
            Place::File(path) => apart(path, || edit_file(path, self.base(path), change)),
            Place::Memory(memory) => {
                let mut held = memory.lock().unwrap_or_else(PoisonError::into_inner);
                let text = changed(Path::new(MEMORY), &held.0, Base::default(), change)?;
                *held = (text, held.1 + 1);
                Ok(())
            }
        }
    }

    /// Fails where an edit could not be saved now, nor the old version be put aside; nothing is changed.
    pub fn try_to_write(&self) -> Result<(), ConfigurationProblem> {
        let Place::File(path) = &self.place else {
            return Ok(());
        };
        // The lock and the text are looked at as by any edit.
        edit_file(path, self.base(path), &mut |_| Ok(()))?;
        let size = fs::metadata(path).map_or(0, |found| found.len());
        let size = usize::try_from(size).unwrap_or(usize::MAX);
        files::try_to_write(path, size)?;
        Ok(backup::try_to_keep(path, size)?)
    }

    /// Tells whether somebody has changed the configuration since an earlier stamp.
    pub fn stamp(&self) -> Stamp {
        match &self.place {
            Place::File(path) => Stamp::of(path),
            Place::Memory(memory) => {
                let edits = memory.lock().unwrap_or_else(PoisonError::into_inner).1;
                Stamp::in_memory(edits)
            }
        }
    }

    /// The folders that must be writable for a save: the file's, where its link leads, the earlier versions'.
    pub fn folders(&self) -> Vec<PathBuf> {
        let path = self.path().into_iter();
        path.flat_map(|path| {
            let folder = |path: &Path| path.parent().map(Path::to_owned);
            let target = folder(&files::followed(path));
            [folder(path), target, Some(path.with_file_name(BACKUP))]
        })
        .flatten()
        .collect()
    }

    /// The file that a save locks, where it is there.
    pub fn lock_file(&self) -> Option<PathBuf> {
        let lock = lock_path(self.path()?);
        lock.exists().then_some(lock)
    }

    /// Where the file is gone, and earlier versions of it are not: the newest of them.
    pub fn lost(&self) -> Option<PathBuf> {
        let path = self
            .path()
            .filter(|path| matches!(is_there(path), Ok(false)))?;
        backup::newest(path)
    }

    /// Takes away what a killed program left beside the file. Called once at start; nothing that fails here
    /// matters.
    pub fn sweep(&self) {
        if let Place::File(path) = &self.place
            && path.exists()
            && let Ok(Some(_lock)) = Lock::try_take(&lock_path(path))
        {
            files::sweep(path);
        }
    }

    /// The user's service files, `services/*.toml` beside the configuration, by name. Where others can change
    /// one of them, or their folder, none is read.
    pub fn service_files(&self) -> Result<Vec<ServiceFile>, FileProblem> {
        let Some(folder) = self.path().and_then(Path::parent) else {
            return Ok(Vec::new());
        };
        let folder = folder.join(SERVICES);
        let entries = fs::read_dir(&folder).and_then(|entries| {
            let paths = entries.map(|entry| entry.map(|entry| entry.path()));
            paths.collect::<io::Result<Vec<PathBuf>>>()
        });
        let mut paths = match entries {
            Ok(paths) => paths,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(source) => {
                return Err(FileProblem::Read {
                    path: folder,
                    source,
                });
            }
        };
        paths.retain(|path| {
            path.extension()
                .is_some_and(|extension| extension == "toml")
        });
        paths.sort();
        paths
            .into_iter()
            .map(|path| {
                let text = match files::refuse_writable_by_others(&path) {
                    Err(
                        problem @ (FileProblem::WritableByOthers { .. }
                        | FileProblem::AnothersFile { .. }),
                    ) => return Err(problem),
                    Err(problem) => Err(problem),
                    Ok(()) => files::read_regular_text(&path),
                };
                let text = text.map_err(Cause::new);
                Ok(ServiceFile { path, text })
            })
            .collect()
    }

    /// Keys in the file that nobody reads, one line each with its place: `line 12: …`. For `doctor`.
    pub fn unknown_keys(&self) -> Result<Vec<String>, ConfigurationProblem> {
        let configuration = self.load()?;
        let text = match &self.place {
            Place::File(path) => files::read_regular_text(path).unwrap_or_default(),
            Place::Memory(memory) => memory
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .0
                .clone(),
        };
        let mut unknown = configuration.unknown;
        unknown.sort();
        let (mut line, mut from) = (1, 0);
        let told = unknown.into_iter().map(|(at, what)| {
            line += text.get(from..at).unwrap_or_default().matches('\n').count();
            from = at;
            format!("line {line}: {what}")
        });
        Ok(told.collect())
    }
}

/// What stands for the path in messages about a configuration in memory.
const MEMORY: &str = "the configuration in memory";

/// Reads `text` as a configuration; `path` stands in messages.
pub(super) fn read_text(path: &Path, text: &str) -> Result<Configuration, ConfigurationProblem> {
    read::parse(text).map_err(|unread| problem::problem(path, text, unread))
}

/// What stands in `text` above every table, and in the tables `[settings]` and below it. Nothing is looked at
/// line by line: between them may stand very many connections.
fn without_connections(text: &str) -> String {
    let end = |from: usize| {
        let rest = text.as_bytes().get(from..).unwrap_or_default();
        memmem::find(rest, b"\n[").map_or(text.len(), |at| from + at + 1)
    };
    let first = if text.starts_with('[') { 0 } else { end(0) };
    let mut kept = text.get(..first).unwrap_or_default().to_owned();
    let begun = text.starts_with("[settings").then_some(0);
    let later = memmem::find_iter(text.as_bytes(), "\n[settings").map(|at| at + 1);
    for at in begun.into_iter().chain(later) {
        kept.push_str(text.get(at..end(at)).unwrap_or_default());
        kept.push('\n');
    }
    kept
}

/// Every field of `connection` as the file has it; nothing where it is the default.
pub(super) fn written(
    connection: &Connection,
) -> Result<Vec<(&'static str, Option<String>)>, EditProblem> {
    let fields = write::written(connection)?.into_iter();
    Ok(fields
        .map(|(field, value)| (field, value.map(|value| value.to_string())))
        .collect())
}

/// The text of a new configuration that holds `connections`.
pub(super) fn compose(connections: &[Connection]) -> Result<String, EditProblem> {
    let toml = document::TEMPLATE.parse::<DocumentMut>();
    let toml = toml.map_err(|error| EditProblem::Refused(error.message().to_owned()))?;
    let mut document = Document::new(toml, Base::default());
    connections
        .iter()
        .try_for_each(|connection| document.add_as_it_is(connection))?;
    Ok(document.toml.to_string())
}

fn load(path: &Path) -> Result<Configuration, ConfigurationProblem> {
    // confy would write a default file where there is none; a reader has no business writing.
    if !is_there(path)? {
        return Ok(Configuration::default());
    }
    // confy would wait for the writer of a pipe, and read what has no end.
    files::refuse_odd(path, files::TEXT_LIMIT)?;
    files::refuse_writable_by_others(path)?;
    if let Ok(text) = files::read_regular_text(path)
        && let Some(configuration) = parts::read(&text, parts::PART)
    {
        return Ok(configuration);
    }
    let unread = match confy::load_path::<WrittenValue>(path) {
        Ok(written) => match read::judge(written) {
            Ok(configuration) => return Ok(configuration),
            Err(unread) => unread,
        },
        // Neither Display nor Debug of confy's error may be shown: they hold lines of the file.
        Err(confy::ConfyError::BadTomlData(error)) => {
            read::unread(&files::read_regular_text(path).unwrap_or_default(), &error)
        }
        Err(error) => return Err(problem::from_confy(path, error)),
    };
    let text = files::read_regular_text(path)?;
    Err(problem::problem(path, &text, unread))
}

fn edit_file(path: &Path, base: Base, change: Change<'_>) -> Result<(), ConfigurationProblem> {
    if let Some(folder) = path.parent() {
        files::make_private_folder(folder)?;
    }
    let lock = Lock::take(&lock_path(path))?;
    load(path)?;
    let old = if is_there(path)? {
        Some(files::read_regular(path, files::TEXT_LIMIT)?)
    } else {
        None
    };
    let (text, style) = match &old {
        Some(bytes) => style::taken_from(files::text_of(bytes, path)?, bytes),
        None => (document::TEMPLATE.into(), Style::default()),
    };
    let new = changed(path, &text, base, change)?;
    let new = style.given_to(new).into_bytes();
    if old.as_ref() != Some(&new) {
        files::sweep(path);
        // Whatever needs room comes first, so that a save that fails leaves everything where it is.
        let staged = files::stage(path, &new)?;
        if let Some(old) = &old {
            backup::keep(path, old)?;
        }
        staged.commit()?;
    }
    drop(lock);
    Ok(())
}

/// Whether there is a file at `path`. A link that leads nowhere is none that may be made anew.
fn is_there(path: &Path) -> Result<bool, FileProblem> {
    match fs::metadata(path) {
        Ok(_) => Ok(true),
        Err(source) if source.kind() != io::ErrorKind::NotFound => Err(FileProblem::Read {
            path: path.to_owned(),
            source,
        }),
        Err(_) if path.is_symlink() => Err(FileProblem::Dangling {
            path: path.to_owned(),
            target: files::followed(path),
        }),
        Err(_) => Ok(false),
    }
}

/// Beside the file itself, so that two names of one file share it.
fn lock_path(path: &Path) -> PathBuf {
    let target = files::followed(path);
    let name = target
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    target.with_file_name(format!(".{name}.lock"))
}

#[cfg(test)]
mod tests;
