//! The exporter: Prometheus asks, switchboard probes and answers in blackbox exporter's words, with the reason.
//!
//! ```text
//! GET  /probe?target=NAME   one probe of a saved connection; names that are not known are not asked
//! GET  /sd                  names and tags of all connections, for HTTP service discovery
//! GET  /metrics             of this process
//! GET  /-/healthy           that it runs
//! POST /-/reload            reads the configuration again, as SIGHUP does; a broken one changes nothing
//! ```
//!
//! Secrets are resolved here and go to their own origin, never into an answer. It listens on loopback or a
//! unix socket only, and answers only to loopback names (`Host`), so that no web page can ask it by a name of
//! its own that leads here. What is beyond this machine comes through a reverse proxy that asks who it is.

mod discovery;
mod exposition;
mod guard;
mod listen;
mod own;
mod routes;
mod verdict;

use std::collections::HashMap;
use std::future::Future;
use std::io;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{Semaphore, oneshot};

pub use listen::{BoundListener, Listen, ListenProblem};

use crate::domain::window::maintained_until;
use crate::domain::{Connection, Name, Verdict, Window};
use crate::service::Trigger;
use crate::store::files;
use crate::work::services::Reread;
use crate::work::{Core, WorkError, silent};
use own::Own;

/// Probes at once; further ones wait, as long as who asks for them does.
const AT_ONCE: usize = 64;
/// Of the time that Prometheus waits, this much is left for the answer's way back.
const MARGIN: Duration = Duration::from_millis(500);
/// How long answers that are under way may take once the end was asked for.
const DRAIN: Duration = Duration::from_secs(3);

/// Answers for the connections as they stood at the last reload.
pub struct Exporter {
    core: Core,
    known: RwLock<Arc<KnownConnections>>,
    room: Semaphore,
    own: Own,
}

/// The connections that may be asked for.
#[derive(Debug)]
struct KnownConnections {
    connections: HashMap<Name, Arc<Connection>>,
    /// For connections that name none, seconds.
    timeout_s: u32,
    /// When all connections may fail as planned.
    maintenance: Vec<Window>,
}

/// How [`run`] ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// By SIGTERM.
    Terminated,
    /// By SIGINT.
    Interrupted,
}

/// Serves until SIGTERM or SIGINT, and reads the configuration again at SIGHUP. `tell` gets a sentence where that
/// fails: whoever sent the signal has no other answer.
pub async fn run(
    exporter: Arc<Exporter>,
    bound: BoundListener,
    tell: &(dyn Fn(&str) + Sync),
) -> io::Result<Ended> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut hangup = signal(SignalKind::hangup())?;
    let (stop, stopped) = oneshot::channel();
    let serving = Arc::clone(&exporter).serve(bound, async {
        let _ = stopped.await;
    });
    tokio::pin!(serving);
    let ended = loop {
        tokio::select! {
            served = &mut serving => return served.map(|()| Ended::Terminated),
            _ = terminate.recv() => break Ended::Terminated,
            _ = interrupt.recv() => break Ended::Interrupted,
            _ = hangup.recv() => {
                if let Err(problem) = exporter.reload().await {
                    tracing::warn!(%problem, "the configuration is not read; the old one stands");
                    tell(&format!("the configuration is not read, and the old one stands: {problem}"));
                }
            }
        }
    };
    let _ = stop.send(());
    // Whoever still waits for a probe then is not worth waiting for.
    let _ = tokio::time::timeout(DRAIN, serving).await;
    exporter.core.settle_history().await;
    Ok(ended)
}

impl Exporter {
    /// Reads the configuration. Secrets are read when they are needed: open the vault before.
    pub async fn open(core: Core) -> Result<Self, WorkError> {
        let known = KnownConnections::read(&core).await?;
        let own = Own::begun(known.connections.len());
        Ok(Self {
            core,
            known: RwLock::new(Arc::new(known)),
            room: Semaphore::new(AT_ONCE),
            own,
        })
    }

    /// Reads the configuration and the service files again. Where one is broken, nothing changes.
    pub async fn reload(&self) -> Result<usize, WorkError> {
        let read = async {
            self.refuse_gone()?;
            let known = KnownConnections::read(&self.core).await?;
            self.core.read_services(Reread::WholeOrNot).await?;
            Ok(known)
        };
        match read.await {
            Ok(known) => {
                let count = known.connections.len();
                *self.known.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(known);
                self.own.reloaded(Some(count));
                Ok(count)
            }
            Err(problem) => {
                self.own.reloaded(None);
                Err(problem)
            }
        }
    }

    /// Whoever has connections means them: a file that is away now, on a disk that is not mounted, says nothing.
    fn refuse_gone(&self) -> Result<(), WorkError> {
        match self.core.store().path() {
            Some(path)
                if !self.known().connections.is_empty()
                    && path.try_exists().is_ok_and(|is| !is) =>
            {
                Err(WorkError::Failed {
                    doing: "reading the configuration".to_owned(),
                    why: format!("{} is gone", files::shown(path)),
                })
            }
            _ => Ok(()),
        }
    }

    /// Serves until `stop` is ready, then ends what is under way.
    pub async fn serve(
        self: Arc<Self>,
        bound: BoundListener,
        stop: impl Future<Output = ()> + Send + 'static,
    ) -> io::Result<()> {
        let router = routes::router(Arc::clone(&self), bound.is_tcp());
        axum::serve(bound, router)
            .with_graceful_shutdown(stop)
            .await
    }

    fn known(&self) -> Arc<KnownConnections> {
        Arc::clone(&self.known.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Probes `connection` within `limit`, which is how long who asks will wait. Gives the time it took.
    async fn probe(&self, connection: &Connection, limit: Option<Duration>) -> (Verdict, Duration) {
        let begun = Instant::now();
        // Never closed.
        let _room = self.room.acquire().await;
        let _running = self.own.running();
        let left = limit.map(|limit| limit.saturating_sub(MARGIN + begun.elapsed()));
        let own_s = connection.timeout_s.unwrap_or(self.known().timeout_s);
        let timeout_s = left.map_or(own_s, |left| {
            let whole = u32::try_from(left.as_secs()).unwrap_or(u32::MAX);
            own_s.min(whole.max(1))
        });
        let bounded = Connection {
            timeout_s: Some(timeout_s),
            ..connection.clone()
        };
        let verdict = self
            .core
            .probe_connection(&bounded, Trigger::Scheduled, &silent)
            .await;
        let took = begun.elapsed();
        self.own.probed(verdict.state(), took);
        (verdict, took)
    }
}

impl KnownConnections {
    async fn read(core: &Core) -> Result<Self, WorkError> {
        let configuration = core.configuration().await?;
        let connections = configuration.connections.iter();
        Ok(Self {
            connections: connections
                .map(|connection| (connection.name.clone(), Arc::clone(connection)))
                .collect(),
            timeout_s: configuration.settings.timeout_s,
            maintenance: configuration.settings.maintenance.clone(),
        })
    }

    /// Whether a failure of the connection at this time is planned.
    fn is_maintained(&self, connection: &Connection, at: Timestamp) -> bool {
        let windows = connection.maintenance.iter();
        maintained_until(windows.chain(&self.maintenance), at).is_some()
    }
}

#[cfg(test)]
mod tests;
