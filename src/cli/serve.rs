//! `switchboard serve`: the exporter, until SIGTERM.

use std::convert::Infallible;
use std::sync::Arc;

use tokio::signal::unix::{Signal, SignalKind, signal};

use super::context::Context;
use super::fault::Fault;
use super::{output, probe, shield, sources};
use crate::domain::text::counted;
use crate::serve::{self, Ended, Exporter, Listen, ListenProblem};

/// Probes at once, at the most.
const MOST_AT_ONCE: u64 = 512;
/// Descriptors that a probe takes: of whoever asks, of one more who waits to, of two addresses that are tried side by
/// side, and one to spare for files.
const DESCRIPTORS_EACH: u64 = 5;

/// Runs the exporter; where it listens is said on stderr.
pub async fn run(context: &Context, listen: &str) -> Result<u8, Fault> {
    let listen: Listen = listen.parse().map_err(refused)?;
    let connections = context.core.connections().await?;
    let names: Vec<_> = connections.iter().map(|one| one.name.clone()).collect();
    context.have_keys_of(&names).await?;
    if connections.iter().any(|one| probe::needs_vault(one)) {
        say_where_vault_is_shut(context).await;
    }
    let tell = Box::new(|sentence: &str| output::say(&format!("switchboard: {sentence}")));
    let exporter = Exporter::open(context.core.clone(), at_once(), tell).await?;
    let bound = listen.bind().await.map_err(refused)?;
    let failed = |error| Fault::step("serving", error);
    // Whoever reads that it serves may send one at once, which would end it otherwise.
    let hangup = signal(SignalKind::hangup()).map_err(failed)?;
    let count = counted(names.len(), "connection");
    output::say(&format!("switchboard: serving {count} on {bound}"));
    context.say_where_nothing_is_remembered().await;
    let ended = tokio::select! {
        ended = serve::run(Arc::new(exporter), bound) => ended.map_err(failed)?,
        never = follow_log(hangup) => match never {},
    };
    match ended {
        Ended::Terminated => Ok(0),
        Ended::Interrupted => Ok(130),
    }
}

/// Says why what is in the vault will not be at hand: nobody reads verdicts here.
async fn say_where_vault_is_shut(context: &Context) {
    let why = if !context.core.has_vault().await {
        "missing, and no key in it is sent: put its folder back".to_owned()
    } else if context.core.is_vault_locked().await {
        format!("locked, and no key in it is sent: {}", sources::NOBODY)
    } else {
        return;
    };
    output::say(&format!("switchboard: the vault is {why}"));
}

/// At SIGHUP the log goes to the file that is at its path by then.
async fn follow_log(mut hangup: Signal) -> Infallible {
    loop {
        if hangup.recv().await.is_none() {
            std::future::pending::<()>().await;
        }
        if let Err(problem) = output::reopen_log() {
            output::error(&problem, None);
        }
    }
}

/// Probes at once. Thousands of connections, a tenth of them hanging until their timeout, take no room from others.
fn at_once() -> usize {
    let limit = shield::descriptor_limit();
    let allowed = limit.map_or(MOST_AT_ONCE, |limit| limit / DESCRIPTORS_EACH);
    usize::try_from(allowed.clamp(1, MOST_AT_ONCE)).unwrap_or(1)
}

fn refused(problem: ListenProblem) -> Fault {
    Fault::of(problem)
}
