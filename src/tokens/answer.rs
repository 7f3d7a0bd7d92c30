//! What the service answered, from its bytes: the reading that [`super::TokenClient`] does, without a network.
//!
//! Nothing here panics and nothing active is let through, whatever the bytes are; the fuzz target `answers`
//! holds this.

use super::lenient::{Loose, Rows};
use super::problem::Refusal;
use super::query::total_of;
use super::token::{RawExtension, RawModule, RawPermission, RawToken};
use super::usage::{RawDays, RawSummary};
use crate::domain::Secret;
use crate::domain::token::{Day, Extension, Module, Permission, Summary, Token};

/// Everything that one answer can be read as.
#[derive(Debug)]
pub struct Answer {
    /// As a list of tokens.
    pub tokens: Option<Vec<Token>>,
    /// As one token.
    pub token: Option<Token>,
    /// As a list of modules.
    pub modules: Option<Vec<Module>>,
    /// As a list of extensions.
    pub extensions: Option<Vec<Extension>>,
    /// As a list of permissions.
    pub permissions: Option<Vec<Permission>>,
    /// As usage by status code.
    pub summary: Option<Summary>,
    /// As usage by day.
    pub days: Option<Vec<Day>>,
    /// As a refusal.
    pub refusal: Refusal,
    /// The total in `Content-Range`.
    pub total: Option<u64>,
}

impl Answer {
    /// Reads `body`, which came with `status` and this `Content-Range`, in every way.
    pub fn read(status: u16, content_range: &str, body: &[u8]) -> Self {
        Self {
            tokens: rows::<RawToken, _>(body),
            token: serde_json::from_slice::<RawToken>(body)
                .ok()
                .map(Token::from),
            modules: rows::<RawModule, _>(body),
            extensions: rows::<RawExtension, _>(body),
            permissions: rows::<RawPermission, _>(body),
            summary: serde_json::from_slice::<RawSummary>(body)
                .ok()
                .map(Summary::from),
            days: serde_json::from_slice::<RawDays>(body).ok().map(Vec::from),
            refusal: Refusal::read(
                "reading".to_owned(),
                status,
                "Integrations",
                body,
                &Secret::new(""),
            ),
            total: total_of(content_range),
        }
    }
}

fn rows<Raw, Row>(body: &[u8]) -> Option<Vec<Row>>
where
    Raw: for<'de> serde::Deserialize<'de> + Default,
    Row: From<Raw>,
{
    let Loose(Rows(raw)) = serde_json::from_slice::<Loose<Rows<Raw>>>(body).ok()?;
    Some(raw.into_iter().map(Row::from).collect())
}
