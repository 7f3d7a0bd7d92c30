//! `switchboard schema`: JSON Schemas of the files that people write, for editors and for checks in git.

use super::arguments::SchemaOf;
use super::fault::Fault;
use super::{output, texts};

/// Writes one.
pub fn run(which: SchemaOf) -> Result<u8, Fault> {
    output::data(texts::text(match which {
        // Of `switchboard.toml`, and of the definitions that `connection apply` takes.
        SchemaOf::Config => "schema/config.json",
        // Of `services/*.toml`.
        SchemaOf::Service => "schema/service.json",
    }))?;
    Ok(0)
}
