//! `switchboard schema`: JSON Schemas of the files that people write, for editors and for checks in git.

use super::arguments::SchemaOf;
use super::fault::Fault;
use super::output;

/// Of `switchboard.toml`, and of the definitions that `connection apply` takes.
pub const CONFIG: &str = include_str!("../../assets/schema/config.json");
/// Of `services/*.toml`.
pub const SERVICE: &str = include_str!("../../assets/schema/service.json");

/// Writes one.
pub fn run(which: SchemaOf) -> Result<u8, Fault> {
    output::data(match which {
        SchemaOf::Config => CONFIG,
        SchemaOf::Service => SERVICE,
    })?;
    Ok(0)
}
