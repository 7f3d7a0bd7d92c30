//! The journal of renewals: what was asked of a service about a token, and how far that got.
//!
//! A row is on disk before the service is asked, and goes when nothing is left to be done. It holds digests
//! and references, never a secret.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};
use serde::{Deserialize, Serialize};

use super::problem::WithPath;
use super::{StateDb, StateProblem};
use crate::domain::token::RenewalAction;
use crate::domain::{KeyFingerprint, Name, SecretRef};

/// How far it got.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RenewalStage {
    /// The service is being asked; whether it heard is not known.
    Asked,
    /// It answered, and the new secret is being put where the holdings say.
    Keeping,
    /// The configuration names the new secret.
    Switched,
}

/// A connection that holds the old secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holding {
    /// The connection's name.
    pub connection: String,
    /// Where the old secret is.
    #[serde(with = "written")]
    pub old: SecretRef,
    /// Digest of the secret that it holds: a token may have two. Unknown in records of earlier versions.
    #[serde(default)]
    pub was: Option<KeyFingerprint>,
    /// Where the new one goes; nothing until that is chosen.
    #[serde(default, with = "written::where_chosen")]
    pub new: Option<SecretRef>,
}

/// References as the configuration has them: the words of a program one by one, so that none is lost.
mod written {
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use crate::domain::SecretRef;

    #[derive(Serialize, Deserialize)]
    #[serde(untagged)]
    enum JournalForm {
        Text(String),
        Words(Vec<String>),
    }

    impl JournalForm {
        fn of(reference: &SecretRef) -> Self {
            match reference {
                SecretRef::Cmd(words) => {
                    let kind = std::iter::once("cmd".to_owned());
                    Self::Words(kind.chain(words.iter().cloned()).collect())
                }
                SecretRef::Keyring(_)
                | SecretRef::Vault(_)
                | SecretRef::Env(_)
                | SecretRef::File(_)
                | SecretRef::Ask => Self::Text(reference.to_string()),
            }
        }

        fn read<E: Error>(self) -> Result<SecretRef, E> {
            match self {
                Self::Text(text) => text.parse().map_err(E::custom),
                Self::Words(words) => match words.split_first() {
                    Some((kind, words)) if kind == "cmd" => Ok(SecretRef::Cmd(words.to_vec())),
                    _ => Err(E::custom("not a reference")),
                },
            }
        }
    }

    pub(super) fn serialize<S: Serializer>(
        reference: &SecretRef,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        JournalForm::of(reference).serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<SecretRef, D::Error> {
        JournalForm::deserialize(deserializer)?.read()
    }

    pub(super) mod where_chosen {
        use super::{Deserialize, Deserializer, JournalForm, SecretRef, Serialize, Serializer};

        #[expect(clippy::ref_option, reason = "what serde hands over")]
        pub(in super::super) fn serialize<S: Serializer>(
            reference: &Option<SecretRef>,
            serializer: S,
        ) -> Result<S::Ok, S::Error> {
            reference
                .as_ref()
                .map(JournalForm::of)
                .serialize(serializer)
        }

        pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(
            deserializer: D,
        ) -> Result<Option<SecretRef>, D::Error> {
            let written = Option::<JournalForm>::deserialize(deserializer)?;
            written.map(JournalForm::read).transpose()
        }
    }
}

/// One renewal under way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RenewalRecord {
    /// Origin of the service.
    pub origin: String,
    /// The token's id.
    pub token: String,
    /// The connection that asked.
    pub connection: String,
    /// What was asked for.
    pub action: RenewalAction,
    /// When.
    pub began: Timestamp,
    /// The end that was asked for.
    pub expires: Option<String>,
    /// Digest of the secret before.
    pub old: Option<KeyFingerprint>,
    /// Digest of a renewed secret that was there already.
    pub earlier: Option<KeyFingerprint>,
    /// Who holds the old secret.
    pub holdings: Vec<Holding>,
    /// How far it got.
    pub stage: RenewalStage,
    /// Where the token's first secret is kept meanwhile, as the renewed one may be dead with the answer.
    #[serde(default, with = "written::where_chosen")]
    pub first: Option<SecretRef>,
    /// Digest of the key in use, once the service has refused it.
    #[serde(default)]
    pub refused: Option<KeyFingerprint>,
}

impl StateDb {
    /// Writes down that a renewal begins, and is on disk before it returns. Where one of the same token is
    /// under way already, nothing is written, and that one is given.
    pub fn begin_renewal(
        &self,
        record: &RenewalRecord,
    ) -> Result<Option<RenewalRecord>, StateProblem> {
        self.write(|transaction| {
            let found = self.renewal_in(transaction, &record.origin, &record.token)?;
            if found.is_none() {
                self.put_renewal_in(transaction, record)?;
                // Whoever begins another one knows how the last one ended, or does not ask.
                self.forget_ended_aside_in(transaction, &record.origin, &record.token)?;
            }
            Ok(found)
        })
    }

    /// Writes down how far a renewal got.
    pub fn put_renewal(&self, record: &RenewalRecord) -> Result<(), StateProblem> {
        self.write(|transaction| self.put_renewal_in(transaction, record))
    }

    /// Forgets a renewal that has ended.
    pub fn end_renewal(&self, origin: &str, token: &str) -> Result<(), StateProblem> {
        self.write(|transaction| {
            transaction
                .execute(
                    "DELETE FROM renewal WHERE origin = ?1 AND token = ?2",
                    params![origin, token],
                )
                .with_path(&self.path)?;
            Ok(())
        })
    }

    /// The renewal of a token that is under way, if any.
    pub fn renewal(
        &self,
        origin: &str,
        token: &str,
    ) -> Result<Option<RenewalRecord>, StateProblem> {
        self.read(|database| self.renewal_in(database, origin, token))
    }

    /// Every renewal under way.
    pub fn renewals(&self) -> Result<Vec<RenewalRecord>, StateProblem> {
        self.read(|database| self.renewals_in(database))
    }

    fn renewals_in(&self, database: &Connection) -> Result<Vec<RenewalRecord>, StateProblem> {
        let mut select = database
            .prepare("SELECT record FROM renewal ORDER BY origin, token")
            .with_path(&self.path)?;
        let rows = select
            .query_map([], |row| row.get(0))
            .with_path(&self.path)?;
        let texts: Vec<String> = rows
            .collect::<rusqlite::Result<_>>()
            .with_path(&self.path)?;
        let parse =
            |text: &String| serde_json::from_str(text).map_err(|problem| self.unreadable(&problem));
        texts.iter().map(parse).collect()
    }

    /// Moves renewals under way from the connection `from` to its new name: they are gone on with by name.
    pub(super) fn rename_in_renewals(
        &self,
        database: &Connection,
        from: &Name,
        to: &Name,
    ) -> Result<(), StateProblem> {
        for mut record in self.renewals_in(database)? {
            let before = record.clone();
            let holders = record.holdings.iter_mut().map(|held| &mut held.connection);
            for name in holders.chain([&mut record.connection]) {
                if name == from.as_str() {
                    to.as_str().clone_into(name);
                }
            }
            if record != before {
                self.put_renewal_in(database, &record)?;
            }
        }
        Ok(())
    }

    fn put_renewal_in(
        &self,
        database: &Connection,
        record: &RenewalRecord,
    ) -> Result<(), StateProblem> {
        let json = serde_json::to_string(record).map_err(|problem| self.unreadable(&problem))?;
        database
            .execute(
                "INSERT INTO renewal (origin, token, record) VALUES (?1, ?2, ?3)
                 ON CONFLICT (origin, token) DO UPDATE SET record = excluded.record",
                params![record.origin, record.token, json],
            )
            .with_path(&self.path)?;
        Ok(())
    }

    fn renewal_in(
        &self,
        database: &Connection,
        origin: &str,
        token: &str,
    ) -> Result<Option<RenewalRecord>, StateProblem> {
        let json: Option<String> = database
            .query_row(
                "SELECT record FROM renewal WHERE origin = ?1 AND token = ?2",
                params![origin, token],
                |row| row.get(0),
            )
            .optional()
            .with_path(&self.path)?;
        json.map(|json| serde_json::from_str(&json).map_err(|problem| self.unreadable(&problem)))
            .transpose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(holdings: Vec<Holding>) -> RenewalRecord {
        RenewalRecord {
            origin: "https://a.example".into(),
            token: "SU-1".into(),
            connection: "market".into(),
            action: RenewalAction::Renew,
            began: Timestamp::UNIX_EPOCH,
            expires: None,
            old: Some(KeyFingerprint("ab".into())),
            earlier: None,
            holdings,
            stage: RenewalStage::Asked,
            first: None,
            refused: None,
        }
    }

    fn held(connection: &str, old: SecretRef) -> Holding {
        Holding {
            connection: connection.into(),
            old,
            was: None,
            new: Some(SecretRef::Vault("market/key-2".into())),
        }
    }

    #[test]
    fn the_words_of_a_program_are_kept_one_by_one() {
        let state = StateDb::in_memory().unwrap();
        let words = ["sh", "-c", "cat /p"].map(str::to_owned).to_vec();
        let record = record(vec![held("market", SecretRef::Cmd(words))]);
        state.put_renewal(&record).unwrap();
        assert_eq!(state.renewals().unwrap(), [record]);
    }

    #[test]
    fn what_an_earlier_version_wrote_is_read() {
        let earlier = r#"{"connection":"market","old":"vault:market/key","new":null}"#;
        let read: Holding = serde_json::from_str(earlier).unwrap();
        assert_eq!(read.old, SecretRef::Vault("market/key".into()));
        assert_eq!((read.was, read.new), (None, None));
    }

    #[test]
    fn a_renewal_follows_a_connection_to_its_new_name() {
        let state = StateDb::in_memory().unwrap();
        let holdings = ["market", "copy"].map(|name| held(name, SecretRef::Ask));
        state.put_renewal(&record(holdings.to_vec())).unwrap();
        let [from, to] = ["market", "shop"].map(|name| Name::parse(name).unwrap());
        state.rename_connection(&from, &to).unwrap();
        let renamed = state.renewals().unwrap().remove(0);
        assert_eq!(renamed.connection, "shop");
        let holders = renamed.holdings.iter();
        let holders: Vec<_> = holders.map(|held| held.connection.as_str()).collect();
        assert_eq!(holders, ["shop", "copy"]);
    }

    #[test]
    fn a_token_is_renewed_once_at_a_time() {
        let state = StateDb::in_memory().unwrap();
        let mut record = record(Vec::new());
        assert_eq!(state.begin_renewal(&record).unwrap(), None);
        record.stage = RenewalStage::Keeping;
        let first = state.begin_renewal(&record).unwrap().unwrap();
        assert_eq!(first.stage, RenewalStage::Asked, "the first one stands");
        let kept = state.renewals().unwrap();
        assert_eq!(kept[0].stage, RenewalStage::Asked, "in the journal too");
        state.put_renewal(&record).unwrap();
        assert_eq!(state.renewals().unwrap(), [record.clone()]);
        state.end_renewal(&record.origin, "SU-2").unwrap();
        assert!(state.renewal(&record.origin, "SU-1").unwrap().is_some());
        state.end_renewal(&record.origin, "SU-1").unwrap();
        assert_eq!(state.renewals().unwrap(), []);
    }
}
