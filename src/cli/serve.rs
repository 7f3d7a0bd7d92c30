//! `switchboard serve`: the exporter, until SIGTERM.

use std::sync::Arc;

use super::context::Context;
use super::fault::Fault;
use super::output;
use crate::serve::{self, Ended, Exporter, Listen, ListenProblem};

/// Runs the exporter; where it listens is said on stderr.
pub async fn run(context: &Context, listen: &str) -> Result<u8, Fault> {
    let listen: Listen = listen.parse().map_err(refused)?;
    let connections = context.core.connections().await?;
    let names: Vec<_> = connections.iter().map(|one| one.name.clone()).collect();
    context.have_keys_of(&names).await?;
    let exporter = Exporter::open(context.core.clone()).await?;
    let bound = listen.bind().await.map_err(refused)?;
    let count = names.len();
    output::say(&format!(
        "switchboard: serving {count} connections on {bound}"
    ));
    context.say_where_nothing_is_remembered().await;
    let tell = |sentence: &str| output::say(&format!("switchboard: {sentence}"));
    let ended = serve::run(Arc::new(exporter), bound, &tell).await;
    match ended.map_err(|error| Fault::usage(format!("serving: {error}")))? {
        Ended::Terminated => Ok(0),
        Ended::Interrupted => Ok(130),
    }
}

fn refused(problem: ListenProblem) -> Fault {
    Fault::input(&problem)
}
