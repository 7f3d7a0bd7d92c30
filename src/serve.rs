//! The exporter: Prometheus asks, switchboard probes and answers in blackbox exporter's words, with the reason.
//!
//! ```text
//! GET  /probe?target=NAME   one probe of a saved connection; names that are not known are not asked
//! GET  /sd                  names and tags of all connections, for HTTP service discovery
//! GET  /metrics             of this process
//! GET  /-/healthy           that it runs
//! POST /-/reload            reads configuration and service files, as SIGHUP does; what is broken stays as it was
//! ```
//!
//! A changed configuration is followed by itself, before the next probe. Secrets are resolved here and go to their
//! own origin, never into an answer. It listens on loopback or a unix socket only, and answers only to loopback
//! names (`Host`), so that no web page can ask it by a name of its own that leads here. What is beyond this machine
//! comes through a reverse proxy that asks who it is.

mod caller;
mod discovery;
mod exposition;
mod guard;
mod known;
mod listen;
mod own;
mod quiet;
mod routes;
mod time_limit;
mod verdict;

use std::future::Future;
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{Semaphore, SemaphorePermit, oneshot};
use tokio::time::timeout;

pub use listen::{BoundListener, Listen, ListenProblem};

use crate::domain::{Connection, State, Verdict, error_chain};
use crate::work::{Core, WorkError};
use known::{FollowedConnections, KnownConnections};
use own::Own;
use quiet::QuietHosts;
use time_limit::TimeLimit;

/// How long answers that are under way may take once the end was asked for.
const DRAIN: Duration = Duration::from_secs(3);

/// Gets sentences for whoever started the exporter.
pub type Tell = Box<dyn Fn(&str) + Send + Sync>;

/// Answers for the connections that are saved.
pub struct Exporter {
    core: Core,
    followed: FollowedConnections,
    /// For probes at once; further ones wait, as long as who asks for them does.
    room: Semaphore,
    /// That may be connected at once: those who wait for probes, and as many who wait for room or ask something else.
    callers: usize,
    own: Own,
    quiet: QuietHosts,
    tell: Tell,
}

/// What became of one probe.
#[derive(Clone, Debug)]
struct Probed {
    verdict: Verdict,
    /// Without the time that it waited for room.
    took: Duration,
    /// Whether a failure was planned at that time.
    planned: bool,
}

/// How [`run`] ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// By SIGTERM.
    Terminated,
    /// By SIGINT.
    Interrupted,
}

/// Serves until SIGTERM or SIGINT, and reads the configuration again at SIGHUP; where that fails it is told, as whoever
/// sent the signal has no other answer.
pub async fn run(exporter: Arc<Exporter>, bound: BoundListener) -> io::Result<Ended> {
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
                    exporter.unread(&problem);
                }
            }
        }
    };
    let _ = stop.send(());
    // Whoever still waits for a probe then is not worth waiting for.
    let _ = tokio::time::timeout(DRAIN, serving).await;
    if !exporter.core.settle_history().await {
        (exporter.tell)("results of this run are not in the history: they could not be written");
    }
    Ok(ended)
}

impl Exporter {
    /// Reads the configuration. Secrets are read when they are needed: open the vault before. `at_once` probes run
    /// side by side; `tell` gets a sentence where something fails that no answer tells of.
    pub async fn open(core: Core, at_once: usize, tell: Tell) -> Result<Self, WorkError> {
        let followed = FollowedConnections::read(core.clone()).await?;
        let own = Own::begun(followed.known().connections.len());
        Ok(Self {
            core,
            followed,
            room: Semaphore::new(at_once.max(1)),
            callers: at_once.max(1) * 2,
            own,
            quiet: QuietHosts::default(),
            tell,
        })
    }

    /// Reads the configuration and the service files again. What is broken stays as it was.
    pub async fn reload(&self) -> Result<usize, WorkError> {
        let read = self.followed.reload().await;
        self.reloaded(read.is_ok());
        read
    }

    /// Serves until `stop` is ready, then ends what is under way.
    pub async fn serve(
        self: Arc<Self>,
        bound: BoundListener,
        stop: impl Future<Output = ()> + Send + 'static,
    ) -> io::Result<()> {
        let router = routes::router(Arc::clone(&self), bound.is_tcp());
        axum::serve(bound.limited(self.callers), router)
            .with_graceful_shutdown(stop)
            .await
    }

    /// The connections as the configuration has them by now, or had them while it could be read.
    async fn known(&self) -> Arc<KnownConnections> {
        match self.followed.follow().await {
            Some(Ok(_)) => self.reloaded(true),
            Some(Err(problem)) => {
                self.reloaded(false);
                self.unread(&problem);
            }
            None => {}
        }
        self.followed.known()
    }

    /// Where a service file alone can't be read, the connections are the new ones all the same.
    fn reloaded(&self, all: bool) {
        self.own
            .reloaded(self.followed.known().connections.len(), all);
    }

    fn unread(&self, problem: &WorkError) {
        tracing::warn!(problem = %error_chain(problem), "the configuration, or a service file, is not read; the old one stands");
        (self.tell)(&format!(
            "the configuration, or a service file, can't be read, and the old one stands: {}",
            error_chain(problem)
        ));
    }

    /// Probes `connection` for somebody who waits for so long. Nothing where there was no room for it, here or among
    /// the look-ups and at the host: one that was given less than its time has not failed.
    /// A host that asked for quiet is not asked: then it is what was found last.
    async fn probe(&self, connection: &Connection, waits: Option<Duration>) -> Option<Probed> {
        let now = Timestamp::now();
        if let Some(last) = self.quiet.last(connection, now) {
            let planned = self.core.is_planned(connection, now).await;
            return Some(Probed { planned, ..last });
        }
        let own = connection.timeout_s.map(|s| Duration::from_secs(s.into()));
        let timeout = own.unwrap_or_else(|| self.followed.known().timeout);
        let limit = TimeLimit::new(timeout, waits);
        let Some((_room, waited)) = self.room(limit.patience()).await else {
            self.own.left_out();
            return None;
        };
        let _running = self.own.running();
        let (begun, left) = (Instant::now(), limit.left(waited));
        let probe = self.core.probe_within(connection, left);
        let verdict = match limit.ends(waited) {
            Some(end) => tokio::time::timeout(end, probe).await.ok(),
            None => Some(probe.await),
        };
        let Some(verdict) = verdict else {
            self.own.left_out();
            return None;
        };
        let took = begun.elapsed();
        if left < limit.whole && took >= left && verdict.state() == State::Down {
            self.own.left_out();
            return None;
        }
        let planned = self.core.keep_result(connection, &verdict).await;
        if let Some(news) = self.core.history_news() {
            (self.tell)(&news);
        }
        self.own.probed(verdict.state(), took);
        let probed = Probed {
            verdict,
            took,
            planned,
        };
        self.quiet.note(connection, &probed, Timestamp::now());
        Some(probed)
    }

    /// Room for a probe, and how long it took to get it; nothing where that would be longer than `patience`.
    async fn room(&self, patience: Option<Duration>) -> Option<(SemaphorePermit<'_>, Duration)> {
        if let Ok(room) = self.room.try_acquire() {
            return Some((room, Duration::ZERO));
        }
        let _waiting = self.own.waiting();
        let begun = Instant::now();
        let room = match patience {
            Some(patience) => timeout(patience, self.room.acquire()).await.ok()?,
            None => self.room.acquire().await,
        };
        Some((room.ok()?, begun.elapsed()))
    }
}

#[cfg(test)]
mod tests;
