//! `switchboard history`: what earlier probes found, for other programs.

use std::io::BufWriter;

use jiff::{SignedDuration, Timestamp};

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
            let name = Name::parse(text).map_err(|problem| Fault::usage(problem.to_string()))?;
            Some(context.desk.connection(&name).await?.name)
        }
        None => None,
    };
    let since = Timestamp::now()
        .checked_sub(age(&arguments.since)?)
        .unwrap_or(Timestamp::MIN);
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
        .desk
        .export_history(name, since, (table, format), out);
    written.await?.map_err(output::OutputProblem)?;
    Ok(0)
}

/// How far back: a time such as `24h`, or days, which other times have no need of.
fn age(text: &str) -> Result<SignedDuration, Fault> {
    let days = text
        .strip_suffix('d')
        .and_then(|days| days.parse::<u32>().ok());
    match days {
        Some(days) => Ok(SignedDuration::from_hours(i64::from(days) * 24)),
        None => Ok(SignedDuration::try_from(probe::duration(text)?).unwrap_or(SignedDuration::MAX)),
    }
}
