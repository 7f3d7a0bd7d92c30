//! The tables, by version, and the key that belongs to this installation.

use std::path::Path;

use rusqlite::{Connection, Transaction, TransactionBehavior, params};
use zeroize::Zeroizing;

use super::problem::{StateProblem, Told};

/// What each version adds; the database's `user_version` says how many of them it has.
const VERSIONS: &[&str] = &["
    CREATE TABLE installation (key BLOB NOT NULL);
    CREATE TABLE budget (
        host TEXT NOT NULL, port INTEGER NOT NULL, record TEXT NOT NULL,
        PRIMARY KEY (host, port)
    ) WITHOUT ROWID;
    CREATE TABLE origin (
        connection TEXT NOT NULL, part TEXT NOT NULL, reference TEXT NOT NULL, origin TEXT NOT NULL,
        PRIMARY KEY (connection, part)
    ) WITHOUT ROWID;
    CREATE TABLE past (
        connection TEXT NOT NULL, url TEXT NOT NULL, record TEXT NOT NULL,
        PRIMARY KEY (connection, url)
    ) WITHOUT ROWID;
    CREATE TABLE watched (
        id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE,
        state TEXT NOT NULL, reason TEXT NOT NULL, since INTEGER NOT NULL
    );
    CREATE TABLE result (
        watched INTEGER NOT NULL, at INTEGER NOT NULL, state TEXT NOT NULL, reason TEXT NOT NULL, us INTEGER,
        PRIMARY KEY (watched, at)
    ) WITHOUT ROWID;
"];

/// Brings the database up to this program's version and gives the installation's key, made once.
pub(super) fn prepare(
    database: &mut Connection,
    path: &Path,
) -> Result<Zeroizing<[u8; 32]>, StateProblem> {
    // The answer is the mode that was reached; in memory that is another one, which is as good.
    database
        .query_row("PRAGMA journal_mode = WAL", [], |_| Ok(()))
        .told(path)?;
    database
        .execute_batch("PRAGMA synchronous = FULL; PRAGMA secure_delete = ON;")
        .told(path)?;
    let transaction = database
        .transaction_with_behavior(TransactionBehavior::Immediate)
        .told(path)?;
    let found: i64 = transaction
        .query_row("PRAGMA user_version", [], |row| row.get(0))
        .told(path)?;
    let known = i64::try_from(VERSIONS.len()).unwrap_or(i64::MAX);
    if found > known {
        return Err(StateProblem::Newer {
            path: path.to_owned(),
            found,
            known,
        });
    }
    for version in VERSIONS
        .iter()
        .skip(usize::try_from(found).unwrap_or_default())
    {
        transaction.execute_batch(version).told(path)?;
    }
    if found < known {
        transaction
            .pragma_update(None, "user_version", known)
            .told(path)?;
    }
    let key = installation_key(&transaction, path)?;
    transaction.commit().told(path)?;
    Ok(key)
}

fn installation_key(
    transaction: &Transaction<'_>,
    path: &Path,
) -> Result<Zeroizing<[u8; 32]>, StateProblem> {
    let damaged = || StateProblem::Damaged {
        path: path.to_owned(),
    };
    let keys: Vec<Vec<u8>> = {
        let mut select = transaction
            .prepare("SELECT key FROM installation")
            .told(path)?;
        let rows = select.query_map([], |row| row.get(0)).told(path)?;
        rows.collect::<rusqlite::Result<_>>().told(path)?
    };
    match keys.as_slice() {
        [key] => Ok(Zeroizing::new(
            key.as_slice().try_into().ok().ok_or_else(damaged)?,
        )),
        [] => {
            let mut key = Zeroizing::new([0; 32]);
            getrandom::fill(&mut key[..]).map_err(|error| {
                StateProblem::File(super::FileProblem::Write {
                    path: path.to_owned(),
                    source: std::io::Error::other(error.to_string()),
                })
            })?;
            transaction
                .execute(
                    "INSERT INTO installation (key) VALUES (?1)",
                    params![&key[..]],
                )
                .told(path)?;
            Ok(key)
        }
        _ => Err(damaged()),
    }
}
