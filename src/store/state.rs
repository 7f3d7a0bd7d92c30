//! `history.sqlite`: what outlives the process. The lock-out budget, what earlier probes found out, the
//! origins that secrets were entered for, and the results of watching.
//!
//! Every call blocks, on the disk and on other programs: call it through `spawn_blocking` where a runtime
//! waits. What a call has changed is on disk (fsynced) before it returns. A damaged database is never
//! thrown away: it holds the attempts that a host has counted, so its owner is told, and keys stay unsent.

mod aside;
mod past;
mod problem;
mod recognised;
mod renewal;
mod schema;

use std::fs::{self, File};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use hmac::{Hmac, Mac};
use rusqlite::{
    Connection, OpenFlags, OptionalExtension, Transaction, TransactionBehavior, params,
};
use sha2::Sha256;
use zeroize::Zeroizing;

pub use past::{PastRecord, SeenCertificate};
pub use problem::StateProblem;
pub use recognised::PlaceFingerprint;
pub use renewal::{Holding, RenewalRecord, RenewalStage};

pub(in crate::store) use self::problem::WithPath;
use super::files::{self, FileProblem, Lock};
use super::secrets::SecretPlace;
use crate::domain::{BudgetRecord, HostPort, KeyFingerprint, Name, Origin, Secret, SecretRef};

/// How long another program may hold the database before a call gives up.
const PATIENCE: Duration = Duration::from_secs(5);
/// The database in the folder of the state.
pub const FILE: &str = "history.sqlite";
/// The lock for whoever makes it.
const LOCK: &str = ".history.lock";
/// Connections to the database that are kept for the next reader.
const IDLE_READERS: usize = 4;

/// The state that all programs of one user share.
#[derive(Debug)]
pub struct StateDb {
    /// The one that writes.
    database: Mutex<Connection>,
    /// Further ones for the history's readers, who then wait for no writer; nothing in memory.
    readers: Option<Mutex<Vec<Connection>>>,
    /// Which file was opened; nothing in memory.
    opened: Option<(u64, u64)>,
    path: PathBuf,
    key: Zeroizing<[u8; 32]>,
}

impl StateDb {
    /// What lies in `folder` where it is in use: the database, what SQLite puts beside it, the lock.
    pub fn files(folder: &Path) -> Vec<PathBuf> {
        let beside =
            ["", "-wal", "-shm", "-journal"].map(|end| folder.join(format!("{FILE}{end}")));
        beside.into_iter().chain([folder.join(LOCK)]).collect()
    }

    /// Opens `history.sqlite` in `folder`; makes both where they do not exist.
    pub fn open(folder: &Path) -> Result<Self, StateProblem> {
        files::make_private_folder(folder)?;
        let path = folder.join(FILE);
        // Turning on the write-ahead log and making the tables is for one program at a time.
        let lock = Lock::take(&folder.join(LOCK))?;
        // Closed before SQLite opens it: its locks are the process's, and the kernel lets go of all of them as
        // soon as any descriptor of the file is closed. The next program would take itself for the only one.
        let made = files::make_private_file(&path).map(drop);
        if made.is_ok() {
            let _ = File::open(folder).and_then(|folder| folder.sync_all());
        } else if !path.exists() {
            let source = made
                .err()
                .unwrap_or_else(|| std::io::ErrorKind::Other.into());
            return Err(FileProblem::Write { path, source }.into());
        } else if lock.is_marked() && fs::metadata(&path).is_ok_and(|found| found.len() == 0) {
            // No program was killed while it made the first one: the attempts in it are lost.
            return Err(StateProblem::Damaged { path });
        }
        // It says to which host a secret may go, and how often a key was refused.
        files::refuse_writable_by_others(&path)?;
        let database = Connection::open(&path).with_path(&path)?;
        let opened = inode(&path);
        let state = Self::prepare(database, path);
        if state.is_ok() {
            lock.mark();
        }
        drop(lock);
        state.map(|state| Self {
            readers: Some(Mutex::default()),
            opened,
            ..state
        })
    }

    /// Opens what lies in `folder` to be read alone, where nothing can be written there: on a disk that is full or
    /// mounted so, in a folder of root's. Nothing is made, and whatever is to be written fails. Nothing where it can't
    /// be read, or is another version's.
    pub fn open_to_read(folder: &Path) -> Option<Self> {
        let path = folder.join(FILE);
        files::refuse_writable_by_others(&path).ok()?;
        let read = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let opened = |database: rusqlite::Result<Connection>| {
            let mut database = database.ok()?;
            database.busy_timeout(PATIENCE).ok()?;
            let key = schema::read(&mut database, &path).ok()??;
            Some(Self::alone(database, path.clone(), key))
        };
        let with_log = || opened(Connection::open_with_flags(&path, read));
        // No program has written, and none was killed. So nothing has to be made beside it to read it.
        let as_it_lies = || {
            let url = url::Url::from_file_path(std::path::absolute(&path).ok()?).ok()?;
            let read = read | OpenFlags::SQLITE_OPEN_URI;
            opened(Connection::open_with_flags(
                format!("{url}?immutable=1"),
                read,
            ))
        };
        let length = |end| {
            let found = fs::metadata(folder.join(format!("{FILE}{end}")));
            found.ok().map(|found| found.len())
        };
        match length("-wal").max(length("-journal")) {
            None => as_it_lies(),
            // A program is about to write to it; or it was left behind where what lies beside it found no room.
            Some(0) => with_log().or_else(as_it_lies),
            Some(_) => with_log(),
        }
    }

    /// State that ends with the process and writes no file: the demonstration's.
    pub fn in_memory() -> Result<Self, StateProblem> {
        let path = PathBuf::from("the state in memory");
        Self::prepare(Connection::open_in_memory().with_path(&path)?, path)
    }

    fn prepare(mut database: Connection, path: PathBuf) -> Result<Self, StateProblem> {
        database.busy_timeout(PATIENCE).with_path(&path)?;
        let key = schema::prepare(&mut database, &path)?;
        Ok(Self::alone(database, path, key))
    }

    fn alone(database: Connection, path: PathBuf, key: Zeroizing<[u8; 32]>) -> Self {
        Self {
            database: Mutex::new(database),
            readers: None,
            opened: None,
            path,
            key,
        }
    }

    /// Changes what is remembered of `host` in one step among all threads and programs, and is on disk
    /// before it returns. The caller books an attempt this way before it sends a key.
    pub fn update_budget<R>(
        &self,
        host: &HostPort,
        change: impl FnOnce(&mut BudgetRecord) -> R,
    ) -> Result<R, StateProblem> {
        let mut each = self.update_budgets([(host, change)])?;
        each.pop().unwrap_or_else(|| Err(self.damaged()))
    }

    /// The same for several hosts (or several times for one), with one wait for the disk. A record that can't be
    /// read spoils its own change alone; where the disk fails, none is made.
    pub fn update_budgets<'a, R, C: FnOnce(&mut BudgetRecord) -> R>(
        &self,
        changes: impl IntoIterator<Item = (&'a HostPort, C)>,
    ) -> Result<Vec<Result<R, StateProblem>>, StateProblem> {
        self.write(|transaction| {
            let made = changes.into_iter().map(|(host, change)| {
                let mut record = match self.budget_in(transaction, host) {
                    Err(unreadable @ StateProblem::Damaged { .. }) => return Ok(Err(unreadable)),
                    found => found?,
                };
                let result = change(&mut record);
                self.put_budget(transaction, host, &record)?;
                Ok(Ok(result))
            });
            made.collect()
        })
    }

    fn put_budget(
        &self,
        transaction: &Transaction<'_>,
        host: &HostPort,
        record: &BudgetRecord,
    ) -> Result<(), StateProblem> {
        let json = serde_json::to_string(record).map_err(|problem| self.unreadable(&problem))?;
        transaction
            .prepare_cached(
                "INSERT INTO budget (host, port, record) VALUES (?1, ?2, ?3)
                 ON CONFLICT (host, port) DO UPDATE SET record = excluded.record",
            )
            .and_then(|mut put| put.execute(params![host.host, host.port, json]))
            .with_path(&self.path)?;
        Ok(())
    }

    /// What is remembered of `host`.
    pub fn budget(&self, host: &HostPort) -> Result<BudgetRecord, StateProblem> {
        self.read(|database| self.budget_in(database, host))
    }

    fn budget_in(
        &self,
        database: &Connection,
        host: &HostPort,
    ) -> Result<BudgetRecord, StateProblem> {
        let json: Option<String> = database
            .prepare_cached("SELECT record FROM budget WHERE host = ?1 AND port = ?2")
            .and_then(|mut asked| asked.query_row(params![host.host, host.port], |row| row.get(0)))
            .optional()
            .with_path(&self.path)?;
        let Some(json) = json else {
            return Ok(BudgetRecord::default());
        };
        serde_json::from_str(&json).map_err(|problem| self.unreadable(&problem))
    }

    /// Tells pairs of username and key apart without holding one: a digest keyed by this installation.
    pub fn fingerprint(&self, username: &str, key: &Secret) -> KeyFingerprint {
        let mut digest = self.digest();
        digest.update(username.as_bytes());
        digest.update(&[0]);
        digest.update(key.expose().as_bytes());
        let digest = digest.finalize().into_bytes();
        KeyFingerprint(format!("{digest:x}"))
    }

    /// The begin of a digest that this installation alone can make.
    fn digest(&self) -> Hmac<Sha256> {
        // HMAC pads a short key with zeros to its block; doing it here leaves no length to be wrong.
        let mut block = Zeroizing::new([0; 64]);
        for (to, from) in block.iter_mut().zip(self.key.iter()) {
            *to = *from;
        }
        <Hmac<Sha256> as hmac::digest::KeyInit>::new((&*block).into())
    }

    /// The origin that the value behind `reference` was entered for, in this place of a connection.
    pub fn origin_of(
        &self,
        reference: &SecretRef,
        slot: &SecretPlace,
    ) -> Result<Option<Origin>, StateProblem> {
        self.read(|database| {
            let (part, reference) = (slot.part.to_string(), reference.to_string());
            let origin: Option<String> = database
                .prepare_cached(
                    "SELECT origin FROM origin WHERE connection = ?1 AND part = ?2 AND reference = ?3",
                )
                .and_then(|mut asked| {
                    let place = params![slot.connection.as_str(), part, reference];
                    asked.query_row(place, |row| row.get(0))
                })
                .optional()
                .with_path(&self.path)?;
            Ok(origin.and_then(|origin| Origin::parse(&origin)))
        })
    }

    /// Writes down the origin that the value behind `reference` is for from now on.
    pub fn set_origin(
        &self,
        reference: &SecretRef,
        slot: &SecretPlace,
        origin: &Origin,
    ) -> Result<(), StateProblem> {
        self.write(|transaction| {
            transaction
                .execute(
                    "INSERT INTO origin (connection, part, reference, origin) VALUES (?1, ?2, ?3, ?4)
                     ON CONFLICT (connection, part) DO UPDATE
                     SET reference = excluded.reference, origin = excluded.origin",
                    params![
                        slot.connection.as_str(),
                        slot.part.to_string(),
                        reference.to_string(),
                        origin.to_string()
                    ],
                )
                .with_path(&self.path)?;
            Ok(())
        })
    }

    /// Forgets the origin of a place.
    pub fn remove_origin(&self, slot: &SecretPlace) -> Result<(), StateProblem> {
        self.write(|transaction| {
            transaction
                .execute(
                    "DELETE FROM origin WHERE connection = ?1 AND part = ?2",
                    params![slot.connection.as_str(), slot.part.to_string()],
                )
                .with_path(&self.path)?;
            Ok(())
        })
    }

    /// Moves everything that is remembered of the connection `from` to its new name. What stood under that
    /// name belonged to a connection that is gone.
    pub fn rename_connection(&self, from: &Name, to: &Name) -> Result<(), StateProblem> {
        if from == to {
            return Ok(());
        }
        self.write(|transaction| {
            self.remove_in(transaction, to)?;
            for (table, column) in [
                ("origin", "connection"),
                ("past", "connection"),
                ("watched", "name"),
            ] {
                let sql = format!("UPDATE {table} SET {column} = ?2 WHERE {column} = ?1");
                transaction
                    .execute(&sql, params![from.as_str(), to.as_str()])
                    .with_path(&self.path)?;
            }
            self.rename_in_renewals(transaction, from, to)
        })
    }

    /// Forgets everything of a connection. The lock-out budget is the host's and stays.
    pub fn remove_connection(&self, name: &Name) -> Result<(), StateProblem> {
        self.write(|transaction| self.remove_in(transaction, name))
    }

    fn remove_in(&self, transaction: &Transaction<'_>, name: &Name) -> Result<(), StateProblem> {
        for table in ["sample", "fresh", "bucket", "change"] {
            let sql = format!(
                "DELETE FROM {table} WHERE watched IN (SELECT id FROM watched WHERE name = ?1)"
            );
            transaction
                .execute(&sql, params![name.as_str()])
                .with_path(&self.path)?;
        }
        for (table, column) in [
            ("origin", "connection"),
            ("past", "connection"),
            ("watched", "name"),
        ] {
            let sql = format!("DELETE FROM {table} WHERE {column} = ?1");
            transaction
                .execute(&sql, params![name.as_str()])
                .with_path(&self.path)?;
        }
        Ok(())
    }

    /// Whether the database is whole: reads every page. For `doctor`.
    pub fn verify(&self) -> Result<(), StateProblem> {
        self.read(|database| {
            let answer: String = database
                .query_row("PRAGMA quick_check(1)", [], |row| row.get(0))
                .with_path(&self.path)?;
            if answer == "ok" {
                Ok(())
            } else {
                Err(self.damaged())
            }
        })
    }

    /// A record that is not what it should be; the words of the parser would hold parts of it.
    fn unreadable(&self, _: &serde_json::Error) -> StateProblem {
        self.damaged()
    }

    fn damaged(&self) -> StateProblem {
        StateProblem::Damaged {
            path: self.path.clone(),
        }
    }

    /// Reads beside the writer: for the history, whose questions take longer than a budget may wait.
    pub(in crate::store) fn look<R>(
        &self,
        read: impl FnOnce(&Connection) -> Result<R, StateProblem>,
    ) -> Result<R, StateProblem> {
        let Some(readers) = &self.readers else {
            return self.read(read);
        };
        let idle = readers.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let database = match idle {
            Some(database) => database,
            None => self.reader()?,
        };
        let result = read(&database);
        let mut readers = readers.lock().unwrap_or_else(PoisonError::into_inner);
        if readers.len() < IDLE_READERS {
            readers.push(database);
        }
        result
    }

    fn reader(&self) -> Result<Connection, StateProblem> {
        // Never made here: where it was taken away, an empty one in its place would be the next program's.
        let there = OpenFlags::default().difference(OpenFlags::SQLITE_OPEN_CREATE);
        let database = Connection::open_with_flags(&self.path, there).with_path(&self.path)?;
        database.busy_timeout(PATIENCE).with_path(&self.path)?;
        database
            .execute_batch("PRAGMA query_only = ON")
            .with_path(&self.path)?;
        Ok(database)
    }

    /// Refuses a file that was moved away or taken out since it was opened: what is written now, no other program
    /// would see, least of all the attempts that a host counts. One that can't be looked at is where it was.
    pub fn refuse_away(&self) -> Result<(), StateProblem> {
        let is_away = self.opened.is_some()
            && match fs::metadata(&self.path) {
                Ok(found) => Some((found.dev(), found.ino())) != self.opened,
                Err(error) => error.kind() == std::io::ErrorKind::NotFound,
            };
        if is_away {
            let path = self.path.clone();
            return Err(StateProblem::Away { path });
        }
        Ok(())
    }

    /// The database, for sentences about it.
    pub(in crate::store) fn path(&self) -> &Path {
        &self.path
    }

    pub(in crate::store) fn read<R>(
        &self,
        read: impl FnOnce(&Connection) -> Result<R, StateProblem>,
    ) -> Result<R, StateProblem> {
        read(&self.database.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Runs `change` as one step: all of it is on disk afterwards, or nothing.
    pub(in crate::store) fn write<R>(
        &self,
        change: impl FnOnce(&Transaction<'_>) -> Result<R, StateProblem>,
    ) -> Result<R, StateProblem> {
        let mut database = self.database.lock().unwrap_or_else(PoisonError::into_inner);
        self.refuse_away()?;
        // Immediate: two programs that both read first would else both hold a read lock and both fail.
        let transaction = database
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .with_path(&self.path)?;
        let result = change(&transaction)?;
        transaction.commit().with_path(&self.path)?;
        Ok(result)
    }
}

/// What tells one file from another that has its name now.
fn inode(path: &Path) -> Option<(u64, u64)> {
    let found = fs::metadata(path).ok()?;
    Some((found.dev(), found.ino()))
}

#[cfg(test)]
mod tests;
