//! `switchboard secret where`: where each secret is kept, and how well.

use serde::Serialize;

use super::arguments::{Format, SecretCommand};
use super::context::Context;
use super::fault::Fault;
use super::output;
use crate::domain::{Connection, SecretRef};

/// One secret's place.
#[derive(Serialize)]
struct Place {
    connection: String,
    which: String,
    reference: String,
    shared_by: usize,
}

/// Runs the command.
pub async fn run(context: &Context, command: SecretCommand) -> Result<u8, Fault> {
    match command {
        SecretCommand::Where { format } => places(context, format).await,
    }
}

async fn places(context: &Context, format: Format) -> Result<u8, Fault> {
    let connections = context.desk.connections().await?;
    let all: Vec<(&Connection, String, &SecretRef)> =
        connections.iter().flat_map(references).collect();
    let shared =
        |reference: &SecretRef| all.iter().filter(|(.., other)| *other == reference).count();
    let places: Vec<Place> = all
        .iter()
        .map(|(connection, which, reference)| Place {
            connection: connection.name.to_string(),
            which: which.clone(),
            reference: reference.to_string(),
            shared_by: shared(reference),
        })
        .collect();
    match format {
        Format::Json => output::json(&places)?,
        Format::Ndjson => places.iter().try_for_each(output::ndjson)?,
        Format::Human | Format::Nagios => {
            for Place {
                connection,
                which,
                reference,
                shared_by,
            } in &places
            {
                let sharing = if *shared_by > 1 {
                    format!("  shared by {shared_by}")
                } else {
                    String::new()
                };
                output::data(&format!(
                    "{connection:20} {which:10} {reference}{sharing}\n"
                ))?;
            }
        }
    }
    Ok(0)
}

fn references(connection: &Connection) -> Vec<(&Connection, String, &SecretRef)> {
    let pair = [("key", &connection.key), ("token", &connection.token)];
    let pair = pair
        .into_iter()
        .filter_map(|(which, reference)| Some((which.to_owned(), reference.as_ref()?)));
    let added = connection
        .added
        .iter()
        .map(|(label, reference)| (label.clone(), reference));
    pair.chain(added)
        .map(|(which, reference)| (connection, which, reference))
        .collect()
}
