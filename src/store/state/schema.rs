//! The tables, by version, and the key that belongs to this installation.

use std::path::Path;

use rusqlite::{Connection, Transaction, TransactionBehavior, params};
use zeroize::Zeroizing;

use super::problem::{StateProblem, WithPath};
use crate::domain::Reason;

/// What each version adds; the database's `user_version` says how many of them it has.
const VERSIONS: &[&str] = &[
    "
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
",
    HISTORY,
    RENEWALS,
    MAINTENANCE,
    RECOGNISED,
    RENEWED_ASIDE,
];

/// The tables of the history. Their comments stand in the database too: `sqlite3 history.sqlite .schema`.
const HISTORY: &str = "
    CREATE TABLE reason (        -- every way in which a probe can end
        id INTEGER PRIMARY KEY,
        reason TEXT NOT NULL UNIQUE,
        state TEXT NOT NULL,     -- ok, warn, down, unknown
        works INTEGER NOT NULL   -- 1 where the connection does what it is for
    );
    CREATE TABLE sample (        -- results of single probes, the last 48 hours
        watched INTEGER NOT NULL, -- watched.id
        at INTEGER NOT NULL,     -- when the probe ended: milliseconds since 1970, UTC
        reason INTEGER NOT NULL, -- reason.id
        status INTEGER NOT NULL, -- HTTP status, 0 without a response
        us INTEGER,              -- microseconds that it took
        PRIMARY KEY (watched, at)
    ) WITHOUT ROWID;
    CREATE TABLE fresh (         -- the same, not yet sorted into sample
        watched INTEGER NOT NULL, at INTEGER NOT NULL, reason INTEGER NOT NULL,
        status INTEGER NOT NULL, us INTEGER
    );
    CREATE TABLE bucket (        -- many results as one row
        watched INTEGER NOT NULL,
        span INTEGER NOT NULL,   -- seconds: 300 (kept for 30 days) or 3600 (for a year)
        at INTEGER NOT NULL,     -- its beginning: milliseconds since 1970, UTC
        works INTEGER NOT NULL,  -- how many probes found that it works
        ok INTEGER NOT NULL, warn INTEGER NOT NULL, down INTEGER NOT NULL, unknown INTEGER NOT NULL,
        us_p50 INTEGER, us_p95 INTEGER, us_max INTEGER, -- of those that found that it works
        PRIMARY KEY (watched, span, at)
    ) WITHOUT ROWID;
    CREATE TABLE change (        -- every change of reason, for a year
        watched INTEGER NOT NULL, at INTEGER NOT NULL, reason INTEGER NOT NULL, status INTEGER NOT NULL,
        PRIMARY KEY (watched, at)
    ) WITHOUT ROWID;
    CREATE TABLE kept (          -- since when rows of a span (0: sample) are complete; -1: how far the thinning is
        span INTEGER PRIMARY KEY, since INTEGER NOT NULL
    );
    INSERT INTO reason (reason, state, works)
        SELECT DISTINCT reason, state, state = 'ok' FROM result;
    INSERT INTO sample (watched, at, reason, status, us)
        SELECT watched, at, reason.id, 0, us FROM result JOIN reason USING (reason);
    DROP TABLE result;
    CREATE VIEW run AS           -- results as people read them
        SELECT name AS connection, strftime('%Y-%m-%dT%H:%M:%fZ', r.at / 1000.0, 'unixepoch') AS at,
               reason.state, reason.reason, r.status, r.us / 1000.0 AS ms, r.at AS at_ms
        FROM (SELECT * FROM sample UNION ALL SELECT * FROM fresh) AS r
        JOIN watched ON watched.id = r.watched JOIN reason ON reason.id = r.reason;
    CREATE VIEW event AS         -- changes as people read them; the last one still lasts
        SELECT name AS connection, strftime('%Y-%m-%dT%H:%M:%fZ', c.at / 1000.0, 'unixepoch') AS at,
               reason.state, reason.reason, c.status,
               (LEAD(c.at) OVER (PARTITION BY c.watched ORDER BY c.at) - c.at) / 1000.0 AS lasted_s,
               c.at AS at_ms
        FROM change AS c
        JOIN watched ON watched.id = c.watched JOIN reason ON reason.id = c.reason;
    CREATE VIEW summary AS       -- buckets as people read them
        SELECT name AS connection, strftime('%Y-%m-%dT%H:%M:%SZ', b.at / 1000, 'unixepoch') AS at,
               b.span AS span_s, b.works, b.ok, b.warn, b.down, b.unknown,
               b.us_p50 / 1000.0 AS p50_ms, b.us_p95 / 1000.0 AS p95_ms, b.us_max / 1000.0 AS max_ms,
               b.at AS at_ms
        FROM bucket AS b JOIN watched ON watched.id = b.watched;
";

/// The journal of renewals: what was begun and not ended yet.
const RENEWALS: &str = "
    CREATE TABLE renewal (
        origin TEXT NOT NULL, token TEXT NOT NULL, record TEXT NOT NULL,
        PRIMARY KEY (origin, token)
    ) WITHOUT ROWID;
";

/// What fell into a maintenance window.
const MAINTENANCE: &str = "
    -- 1 within a maintenance window: availability leaves it out
    ALTER TABLE sample ADD COLUMN planned INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE fresh ADD COLUMN planned INTEGER NOT NULL DEFAULT 0;
    -- how many probes fell into maintenance windows; they are in none of the other counts
    ALTER TABLE bucket ADD COLUMN planned INTEGER NOT NULL DEFAULT 0;
    DROP VIEW run;
    CREATE VIEW run AS           -- results as people read them; planned: within a maintenance window
        SELECT name AS connection, strftime('%Y-%m-%dT%H:%M:%fZ', r.at / 1000.0, 'unixepoch') AS at,
               reason.state, reason.reason, r.status, r.us / 1000.0 AS ms, r.at AS at_ms, r.planned
        FROM (SELECT watched, at, reason, status, us, planned FROM sample
              UNION ALL SELECT watched, at, reason, status, us, planned FROM fresh) AS r
        JOIN watched ON watched.id = r.watched JOIN reason ON reason.id = r.reason;
    DROP VIEW summary;
    CREATE VIEW summary AS       -- buckets as people read them
        SELECT name AS connection, strftime('%Y-%m-%dT%H:%M:%SZ', b.at / 1000, 'unixepoch') AS at,
               b.span AS span_s, b.works, b.ok, b.warn, b.down, b.unknown, b.planned,
               b.us_p50 / 1000.0 AS p50_ms, b.us_p95 / 1000.0 AS p95_ms, b.us_max / 1000.0 AS max_ms,
               b.at AS at_ms
        FROM bucket AS b JOIN watched ON watched.id = b.watched;
";

/// Where services were recognised, by whichever connection.
const RECOGNISED: &str = "
    CREATE TABLE recognised (
        -- a keyed digest of the service, the URL and the way there
        place TEXT PRIMARY KEY,
        at INTEGER NOT NULL      -- when that was seen first: milliseconds since 1970, UTC
    ) WITHOUT ROWID;
";

/// Renewals that something else has ended than what began them, of which that is not told yet.
const RENEWED_ASIDE: &str = "
    CREATE TABLE renewed_aside (
        origin TEXT NOT NULL, token TEXT NOT NULL,
        action TEXT NOT NULL,    -- renew or rotate
        at INTEGER NOT NULL,     -- when it ended: milliseconds since 1970, UTC
        PRIMARY KEY (origin, token)
    ) WITHOUT ROWID;
";

/// Brings the database up to this program's version and gives the installation's key, made once.
pub(super) fn prepare(
    database: &mut Connection,
    path: &Path,
) -> Result<Zeroizing<[u8; 32]>, StateProblem> {
    // Before anything is set: even the mode of its journal would change a newer program's file.
    refuse_newer(database, path)?;
    // The answer is the mode that was reached; in memory that is another one, which is as good.
    database
        .query_row("PRAGMA journal_mode = WAL", [], |_| Ok(()))
        .with_path(path)?;
    database
        .execute_batch("PRAGMA synchronous = FULL; PRAGMA secure_delete = ON;")
        .with_path(path)?;
    let transaction = database
        .transaction_with_behavior(TransactionBehavior::Immediate)
        .with_path(path)?;
    let (found, known) = refuse_newer(&transaction, path)?;
    for version in VERSIONS
        .iter()
        .skip(usize::try_from(found).unwrap_or_default())
    {
        transaction.execute_batch(version).with_path(path)?;
    }
    if found < known {
        transaction
            .pragma_update(None, "user_version", known)
            .with_path(path)?;
    }
    name_reasons(&transaction).with_path(path)?;
    let key = installation_key(&transaction, path)?;
    transaction.commit().with_path(path)?;
    Ok(key)
}

/// The installation's key out of a database that is only read; nothing where that is of an older version.
pub(super) fn read(
    database: &mut Connection,
    path: &Path,
) -> Result<Option<Zeroizing<[u8; 32]>>, StateProblem> {
    let transaction = database.transaction().with_path(path)?;
    let (found, known) = refuse_newer(&transaction, path)?;
    let is_ours = found == known;
    is_ours
        .then(|| installation_key(&transaction, path))
        .transpose()
}

/// The database's version and this program's, which is not older.
fn refuse_newer(database: &Connection, path: &Path) -> Result<(i64, i64), StateProblem> {
    let found: i64 = database
        .query_row("PRAGMA user_version", [], |row| row.get(0))
        .with_path(path)?;
    let known = i64::try_from(VERSIONS.len()).unwrap_or(i64::MAX);
    if found > known {
        return Err(StateProblem::Newer {
            path: path.to_owned(),
            found,
            known,
        });
    }
    Ok((found, known))
}

/// Gives every reason of this program its number; those of other versions keep theirs.
fn name_reasons(transaction: &Transaction<'_>) -> rusqlite::Result<()> {
    let mut insert = transaction.prepare(
        "INSERT INTO reason (reason, state, works) VALUES (?1, ?2, ?3)
         ON CONFLICT (reason) DO UPDATE SET state = excluded.state, works = excluded.works
         WHERE state <> excluded.state OR works <> excluded.works",
    )?;
    for reason in Reason::ALL {
        insert.execute(params![reason.id(), reason.state().id(), reason.works()])?;
    }
    Ok(())
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
            .with_path(path)?;
        let rows = select.query_map([], |row| row.get(0)).with_path(path)?;
        rows.collect::<rusqlite::Result<_>>().with_path(path)?
    };
    match keys.as_slice() {
        [key] => Ok(Zeroizing::new(
            key.as_slice().try_into().map_err(|_length| damaged())?,
        )),
        [] => {
            let mut key = Zeroizing::new([0; 32]);
            getrandom::fill(&mut key[..]).map_err(|error| {
                StateProblem::File(super::FileProblem::Write {
                    path: path.to_owned(),
                    source: error.into(),
                })
            })?;
            transaction
                .execute(
                    "INSERT INTO installation (key) VALUES (?1)",
                    params![&key[..]],
                )
                .with_path(path)?;
            Ok(key)
        }
        _ => Err(damaged()),
    }
}
