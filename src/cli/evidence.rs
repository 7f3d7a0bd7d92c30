//! `switchboard evidence`: a report for somebody who must act, from a fresh probe. No secret is in it.

use super::arguments::EvidenceArguments;
use super::connection::parsed;
use super::context::Context;
use super::fault::Fault;
use super::output;
use crate::service::Trigger;
use crate::work::silent;
use crate::work::ticket::{Audience, Freshness};

/// Runs the command.
pub async fn run(context: &Context, arguments: EvidenceArguments) -> Result<u8, Fault> {
    let name = parsed(&arguments.name)?;
    context.core.connection(&name).await?;
    context.have_keys_of(std::slice::from_ref(&name)).await?;
    let verdict = context
        .core
        .probe_saved(&name, Trigger::Asked, &silent)
        .await;
    let reader = Audience::from_word(&arguments.reader).unwrap_or(Audience::Me);
    let how = (reader, Freshness::Fresh);
    let text = context.core.ticket(&name, &verdict, how).await?;
    output::data(&text)?;
    Ok(0)
}
