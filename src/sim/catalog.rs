//! One entry for each reason, in the order of the table.

mod answered;
mod network;
mod secure;
mod shared;

use std::io;

use super::Sim;
use super::entry::CatalogEntry;

/// Raises every entry's service.
pub(super) fn raise(sim: &mut Sim) -> io::Result<Vec<CatalogEntry>> {
    let mut entries = answered::raise(sim)?;
    entries.extend(network::raise(sim)?);
    entries.extend(secure::raise(sim)?);
    entries.extend(shared::raise(sim)?);
    entries.sort_by_key(|entry| entry.reason);
    Ok(entries)
}
