//! Where a service was recognised by its answer to a call without a key, for all connections and for what is not saved:
//! that call is a refusal by its nature, which hosts count, and is made once for a new URL.

use hmac::{Hmac, Mac};
use jiff::Timestamp;
use rusqlite::{OptionalExtension, params};
use sha2::Sha256;

use super::problem::WithPath;
use super::{StateDb, StateProblem};

/// Most places that are kept.
const MOST_KEPT: i64 = 20_000;
/// How many of the oldest go once there are more.
const SWEPT: i64 = 1_000;

/// A place where a service may be: a digest that this installation alone can make, hex. It tells no URL.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PlaceFingerprint(String);

impl StateDb {
    /// The place of these parts: the service, the URL, and what else decides who answers there.
    pub fn place(&self, parts: &[&str]) -> PlaceFingerprint {
        let mut digest = self.digest();
        // No user name begins so: a place is never taken for a key.
        digest.update(b"\0place");
        for part in parts {
            digest.update(&[0]);
            digest.update(part.as_bytes());
        }
        let digest: Hmac<Sha256> = digest;
        let digest = digest.finalize().into_bytes();
        PlaceFingerprint(format!("{digest:x}"))
    }

    /// Whether a service was recognised there.
    pub fn is_recognised(&self, place: &PlaceFingerprint) -> Result<bool, StateProblem> {
        self.read(|database| {
            let found: Option<i64> = database
                .prepare_cached("SELECT 1 FROM recognised WHERE place = ?1")
                .and_then(|mut asked| asked.query_row(params![place.0], |row| row.get(0)))
                .optional()
                .with_path(&self.path)?;
            Ok(found.is_some())
        })
    }

    /// Writes down that it was. On disk when it returns.
    pub fn set_recognised(
        &self,
        place: &PlaceFingerprint,
        at: Timestamp,
    ) -> Result<(), StateProblem> {
        self.write(|transaction| {
            transaction
                .execute(
                    "INSERT INTO recognised (place, at) VALUES (?1, ?2) ON CONFLICT (place) DO NOTHING",
                    params![place.0, at.as_millisecond()],
                )
                .with_path(&self.path)?;
            let count: i64 = transaction
                .query_row("SELECT COUNT(*) FROM recognised", [], |row| row.get(0))
                .with_path(&self.path)?;
            if count > MOST_KEPT {
                transaction
                    .execute(
                        "DELETE FROM recognised WHERE place IN (SELECT place FROM recognised ORDER BY at LIMIT ?1)",
                        params![SWEPT],
                    )
                    .with_path(&self.path)?;
            }
            Ok(())
        })
    }

    /// Something else answers there by now.
    pub fn forget_recognised(&self, place: &PlaceFingerprint) -> Result<(), StateProblem> {
        self.write(|transaction| {
            transaction
                .execute("DELETE FROM recognised WHERE place = ?1", params![place.0])
                .with_path(&self.path)?;
            Ok(())
        })
    }
}
