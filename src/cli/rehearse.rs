//! `switchboard sim`: the rehearsal services, one URL per reason, until SIGTERM.

use std::net::SocketAddr;

use tokio::signal::unix::{SignalKind, signal};

use super::fault::Fault;
use super::output;
use crate::sim::{Sim, SimSettings};
use crate::work::TaskThread;

/// Runs the services; one JSON object a line tells what each is for.
pub fn run(listen: &str) -> Result<u8, Fault> {
    let Ok(address) = listen.parse::<SocketAddr>() else {
        return Err(Fault::usage(format!(
            "{} is no address: write 127.0.0.1:0",
            crate::domain::text::inert(listen, 60)
        )));
    };
    if address.port() != 0 {
        return Err(
            Fault::usage("every entry has a port of its own, so the port here is 0")
                .hint("--listen 127.0.0.1:0"),
        );
    }
    let tasks =
        TaskThread::start(None).map_err(|error| Fault::step("starting the rehearsal", error))?;
    tasks.block_on(async {
        let settings = SimSettings {
            listen: address.ip(),
            ..SimSettings::default()
        };
        let sim = Sim::start(settings)
            .map_err(|error| Fault::step("starting the rehearsal services", error))?;
        let failed = |error: std::io::Error| Fault::step("listening to signals", error);
        let mut terminate = signal(SignalKind::terminate()).map_err(failed)?;
        let mut interrupt = signal(SignalKind::interrupt()).map_err(failed)?;
        for entry in sim.entries() {
            output::data(&format!("{}\n", entry.to_json()))?;
        }
        output::data("{\"ready\":true}\n")?;
        tokio::select! {
            _ = terminate.recv() => Ok(0),
            _ = interrupt.recv() => Ok(130),
        }
    })
}
