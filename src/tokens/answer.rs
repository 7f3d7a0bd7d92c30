//! What the service answered, from its bytes: the one reading of answers, which needs no network.
//!
//! Nothing here panics and nothing active is let through, whatever the bytes are; the fuzz target `answers`
//! holds this.

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::echo::mask_answer;
use super::lenient::Lenient;
use super::token::{RawExtension, RawModule, RawPermission, RawToken};
use super::usage::{RawDays, RawSummary};
use crate::domain::Secret;
use crate::domain::error::JsonProblem;
use crate::domain::token::{Day, Extension, Module, Permission, Summary, Token};

/// An answer, in which secrets are masked where none belongs.
#[derive(Clone, Debug)]
pub struct Answer(Value);

impl Answer {
    /// Takes in `body`. `own` is the secret of the key in use. Fails where the body is not JSON.
    pub fn parse(body: &[u8], own: &Secret) -> Result<Self, JsonProblem> {
        let mut value = serde_json::from_slice(body)?;
        mask_answer(&mut value, own);
        Ok(Self(value))
    }

    fn read<T: DeserializeOwned>(self) -> Result<T, JsonProblem> {
        Ok(serde_json::from_value(self.0)?)
    }

    /// An array, and nothing else: an object where a list belongs is another service.
    fn rows<Raw, Row>(self) -> Result<Vec<Row>, JsonProblem>
    where
        Raw: DeserializeOwned + Default,
        Row: From<Raw>,
    {
        let rows: Vec<Lenient<Raw>> = self.read()?;
        Ok(rows
            .into_iter()
            .map(|Lenient(row)| Row::from(row))
            .collect())
    }

    /// A list of tokens.
    pub fn tokens(self) -> Result<Vec<Token>, JsonProblem> {
        self.rows::<RawToken, _>()
    }

    /// One token.
    pub fn token(self) -> Result<Token, JsonProblem> {
        self.read::<RawToken>().map(Token::from)
    }

    /// A list of modules.
    pub fn modules(self) -> Result<Vec<Module>, JsonProblem> {
        self.rows::<RawModule, _>()
    }

    /// A list of extensions.
    pub fn extensions(self) -> Result<Vec<Extension>, JsonProblem> {
        self.rows::<RawExtension, _>()
    }

    /// The modules that a token is let into.
    pub fn permissions(self) -> Result<Vec<Permission>, JsonProblem> {
        self.rows::<RawPermission, _>()
    }

    /// Usage by status code.
    pub fn summary(self) -> Result<Summary, JsonProblem> {
        let Lenient(raw) = self.read::<Lenient<RawSummary>>()?;
        Ok(raw.into())
    }

    /// Usage by day, the oldest day first.
    pub fn days(self) -> Result<Vec<Day>, JsonProblem> {
        self.read::<RawDays>().map(Vec::from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_read_row_by_row_and_an_object_is_none() {
        let own = Secret::new("own-secret");
        let read = |body: &str| Answer::parse(body.as_bytes(), &own);
        let list = r#"[{"id":"SU-1","name":"was own-secret"},null]"#;
        let tokens = read(list).and_then(Answer::tokens).unwrap();
        assert_eq!(tokens.len(), 2);
        assert_eq!(tokens[0].name.as_deref(), Some("was ••••"));
        let modules = read(r#"[{"id":"MD-0001"}]"#).and_then(Answer::modules);
        assert_eq!(modules.unwrap().len(), 1);
        for (body, why) in [
            (r#"{"id":"SU-1"}"#, "it has another form"),
            ("[{", "it ends too early, at byte 2 of line 1"),
            ("<html>", "it is not JSON, at byte 1 of line 1"),
        ] {
            let refused = read(body).and_then(Answer::tokens).unwrap_err();
            assert_eq!(refused.to_string(), why, "{body}");
        }
    }
}
