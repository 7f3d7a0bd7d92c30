//! `switchboard secret recipient` and `secret passphrase`: who can open the vault, and with what.

use serde::Serialize;

use super::arguments::DataFormat;
use super::arguments::secret::{PassphraseArguments, RecipientCommand};
use super::context::Context;
use super::fault::Fault;
use super::{output, sources};
use crate::domain::PassphrasePurpose;

/// One who can open the vault.
#[derive(Serialize)]
struct RecipientRow {
    recipient: String,
    label: String,
    own: bool,
}

/// Runs the command.
pub async fn run(context: &Context, command: RecipientCommand) -> Result<u8, Fault> {
    let core = &context.core;
    match command {
        RecipientCommand::List { format } => list(context, format).await,
        RecipientCommand::Add { recipient, label } => {
            let add = async || core.add_recipient(recipient.clone(), label.clone()).await;
            context.with_vault(add).await?;
            output::say("the vault is encrypted to them too; hand them the file");
            Ok(0)
        }
        RecipientCommand::Remove { recipient } => {
            let remove = async || core.remove_recipient(recipient.clone()).await;
            context.with_vault(remove).await?;
            output::say(
                "from now on they can't open it. They keep what they have seen, and older copies: \
                 change the secrets inside where they are issued",
            );
            Ok(0)
        }
        RecipientCommand::Own => {
            let passphrase = context.passphrase_for(what_for(context))?;
            let own = core.own_recipient(passphrase).await?;
            output::text(&format!("{own}\n"))?;
            Ok(0)
        }
    }
}

fn what_for(context: &Context) -> PassphrasePurpose {
    if context.core.is_locked() {
        PassphrasePurpose::Open
    } else {
        PassphrasePurpose::Create
    }
}

async fn list(context: &Context, format: DataFormat) -> Result<u8, Fault> {
    let found = context
        .with_vault(async || context.core.recipients().await)
        .await?;
    let rows: Vec<RecipientRow> = found
        .into_iter()
        .map(|one| RecipientRow {
            recipient: one.key,
            label: one.label,
            own: one.own,
        })
        .collect();
    match format {
        DataFormat::Json => output::json(&rows)?,
        DataFormat::Ndjson => rows.iter().try_for_each(output::ndjson)?,
        DataFormat::Human => {
            for RecipientRow {
                recipient,
                label,
                own,
            } in &rows
            {
                let you = if *own { " (you)" } else { "" };
                output::text(&format!("{recipient}  {label}{you}\n"))?;
            }
        }
    }
    Ok(0)
}

/// Puts the identity under a new passphrase; the old one opens the vault first.
pub async fn passphrase(context: &Context, arguments: PassphraseArguments) -> Result<u8, Fault> {
    context
        .with_vault(async || context.core.recipients().await)
        .await?;
    let given = sources::new_passphrase(&arguments)?;
    let new = match given {
        Some(new) => new,
        None if sources::somebody_is_there() => super::context::chosen("vault")?,
        None => {
            return Err(Fault::usage("where does the new passphrase come from?")
                .hint("give --new-passphrase-fd N or --new-passphrase-file FILE"));
        }
    };
    context.core.change_passphrase(new).await?;
    output::say(
        "the old passphrase opens older copies of identity.age alone, in a backup or in git: with one of those, \
         this vault as well",
    );
    Ok(0)
}
