//! What somebody agrees to by `--send-key-to`: that a stored key is for another origin than the one it was entered for.

use super::super::context::Context;
use super::super::fault::Fault;
use crate::domain::text::inert;
use crate::domain::{Cause, Connection, Origin, SecretRef};

/// Whether the person said that the stored secrets are for the URL as it is now: by its origin.
pub(super) fn given(connection: &Connection, to: Option<&str>) -> Result<bool, Fault> {
    let Some(to) = to else { return Ok(false) };
    match (Origin::parse(&connection.url), Origin::parse(to)) {
        (Some(here), Some(there)) if here == there => Ok(true),
        (here, _) => {
            let url = here.map_or_else(
                || "no URL that can be asked".to_owned(),
                |here| here.to_string(),
            );
            Err(Fault::usage(format!(
                "the key would go to {url}, not to {}",
                inert(to, 200)
            ))
            .hint(format!("if that is meant: --send-key-to {url}")))
        }
    }
}

/// Refuses where an agreement could not be written beside the key: nobody would send it.
pub(super) async fn is_written(context: &Context, connection: &Connection) -> Result<(), Fault> {
    let beside = matches!(
        connection.key,
        Some(SecretRef::Vault(_) | SecretRef::Keyring(_))
    );
    let origin = Origin::parse(&connection.url);
    if !beside || origin.is_none() {
        return Ok(());
    }
    let loaded = context.core.load_secrets(&connection.name).await?;
    if loaded.key_origin == origin {
        return Ok(());
    }
    let why = loaded.key.err();
    Err(Fault::step(
        "the connection is saved, and what was agreed for its key could not be written",
        why.unwrap_or_else(|| Cause::new("its store did not take it")),
    ))
}
