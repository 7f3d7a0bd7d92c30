//! `switchboard history`: what earlier probes found, for other programs.

use std::io::BufWriter;

use jiff::Timestamp;

use super::arguments::{HistoryArguments, HistoryFormat, HistoryRows};
use super::context::Context;
use super::fault::Fault;
use super::{output, probe};
use crate::domain::Name;
use crate::store::history::{ExportFormat, ExportTable};

/// Writes the history of one connection, or of all.
pub async fn run(context: &Context, arguments: HistoryArguments) -> Result<u8, Fault> {
    let name = match &arguments.name {
        Some(text) => {
            let name = Name::parse(text).map_err(Fault::of)?;
            Some(context.core.connection(&name).await?.name)
        }
        None => None,
    };
    let back = probe::duration(&arguments.since)?;
    let since = Timestamp::now().checked_sub(back).unwrap_or(Timestamp::MIN);
    let table = match arguments.rows {
        HistoryRows::Runs => ExportTable::Runs,
        HistoryRows::Events => ExportTable::Events,
        HistoryRows::Summaries => ExportTable::Summaries,
    };
    let format = match arguments.format {
        HistoryFormat::Csv => ExportFormat::Csv,
        HistoryFormat::Json => ExportFormat::Json,
        HistoryFormat::Ndjson => ExportFormat::Ndjson,
    };
    let out = BufWriter::new(output::Out);
    let written = context
        .core
        .export_history(name, since, (table, format), out);
    written.await?.map_err(output::OutputProblem)?;
    Ok(0)
}
