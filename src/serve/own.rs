//! What the exporter tells of itself.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use jiff::Timestamp;

use super::exposition::{Exposition, Kind};
use crate::domain::State;

/// Counters of this process.
#[derive(Debug)]
pub(super) struct Own {
    begun: Timestamp,
    /// In the order of [`State::ALL`].
    probes: [AtomicU64; 4],
    micros: AtomicU64,
    running: AtomicU64,
    waiting: AtomicU64,
    left_out: AtomicU64,
    refused: AtomicU64,
    connections: AtomicU64,
    reloaded_at: AtomicU64,
    reload_failed: AtomicU64,
}

/// Counts a probe as running, or waiting, as long as it lives.
pub(super) struct Running<'a>(&'a AtomicU64);

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Own {
    /// Begins with so many connections, read just now.
    pub(super) fn begun(connections: usize) -> Self {
        let own = Self {
            begun: Timestamp::now(),
            probes: Default::default(),
            micros: AtomicU64::default(),
            running: AtomicU64::default(),
            waiting: AtomicU64::default(),
            left_out: AtomicU64::default(),
            refused: AtomicU64::default(),
            connections: AtomicU64::default(),
            reloaded_at: AtomicU64::default(),
            reload_failed: AtomicU64::default(),
        };
        own.reloaded(connections, true);
        own
    }

    /// The configuration and the service files were read, or not `all` of them could be; there are so many connections.
    pub(super) fn reloaded(&self, connections: usize, all: bool) {
        let count = u64::try_from(connections).unwrap_or(u64::MAX);
        self.connections.store(count, Ordering::Relaxed);
        self.reload_failed.store(u64::from(!all), Ordering::Relaxed);
        if all {
            let now = Timestamp::now().as_second().unsigned_abs();
            self.reloaded_at.store(now, Ordering::Relaxed);
        }
    }

    /// A probe runs as long as the answer lives.
    pub(super) fn running(&self) -> Running<'_> {
        self.running.fetch_add(1, Ordering::Relaxed);
        Running(&self.running)
    }

    /// A probe waits for room as long as the answer lives.
    pub(super) fn waiting(&self) -> Running<'_> {
        self.waiting.fetch_add(1, Ordering::Relaxed);
        Running(&self.waiting)
    }

    /// A probe had no room for long enough.
    pub(super) fn left_out(&self) {
        self.left_out.fetch_add(1, Ordering::Relaxed);
    }

    /// A probe ended in this state after so long.
    pub(super) fn probed(&self, state: State, took: Duration) {
        for (known, counter) in State::ALL.iter().zip(&self.probes) {
            if *known == state {
                counter.fetch_add(1, Ordering::Relaxed);
            }
        }
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        self.micros.fetch_add(micros, Ordering::Relaxed);
    }

    /// A request came under a foreign name, or from a web page.
    pub(super) fn refused(&self) {
        self.refused.fetch_add(1, Ordering::Relaxed);
    }

    /// All of it as text, with whether the vault is locked, and whether the history can't be written.
    pub(super) fn metrics(&self, locked: bool, history_fails: bool) -> String {
        let mut text = Exposition::default();
        text.family(
            "switchboard_build_info",
            "The version of switchboard",
            Kind::Gauge,
        );
        let version = [("version", env!("CARGO_PKG_VERSION"))];
        text.sample("switchboard_build_info", &version, 1.0);
        text.gauge(
            "switchboard_connections",
            "Connections that may be asked for",
            number(&self.connections),
        );
        text.gauge(
            "switchboard_vault_locked",
            "Whether the vault is locked: keys in it are not at hand",
            f64::from(u8::from(locked)),
        );
        text.gauge(
            "switchboard_history_writable",
            "Whether the last results could be written to the history; others wait",
            f64::from(u8::from(!history_fails)),
        );
        self.probing(&mut text);
        self.reloading(&mut text);
        let name = "switchboard_http_requests_refused_total";
        text.family(
            name,
            "Requests under a foreign Host, or from a web page",
            Kind::Counter,
        );
        text.sample(name, &[], number(&self.refused));
        #[expect(clippy::cast_precision_loss, reason = "seconds since 1970")]
        text.gauge(
            "process_start_time_seconds",
            "Start time of the process since unix epoch in seconds",
            self.begun.as_second() as f64,
        );
        text.into_text()
    }

    fn probing(&self, text: &mut Exposition) {
        let name = "switchboard_probes_total";
        text.family(name, "Probes by the state they ended in", Kind::Counter);
        let mut all = 0.0;
        for (state, counter) in State::ALL.iter().zip(&self.probes) {
            text.sample(name, &[("state", state.id())], number(counter));
            all += number(counter);
        }
        text.family(
            "switchboard_probe_duration_seconds",
            "How long probes took",
            Kind::Summary,
        );
        let seconds = number(&self.micros) / 1e6;
        text.sample("switchboard_probe_duration_seconds_sum", &[], seconds);
        text.sample("switchboard_probe_duration_seconds_count", &[], all);
        text.gauge(
            "switchboard_probes_in_flight",
            "Probes that run now",
            number(&self.running),
        );
        text.gauge(
            "switchboard_probes_waiting",
            "Probes that wait for room",
            number(&self.waiting),
        );
        let name = "switchboard_probes_left_out_total";
        text.family(
            name,
            "Probes that had no room in time, so that nothing is told of them",
            Kind::Counter,
        );
        text.sample(name, &[], number(&self.left_out));
    }

    fn reloading(&self, text: &mut Exposition) {
        text.gauge(
            "switchboard_config_last_reload_successful",
            "Whether the configuration could be read the last time",
            1.0 - number(&self.reload_failed),
        );
        text.gauge(
            "switchboard_config_last_reload_success_timestamp_seconds",
            "When the configuration was read the last time",
            number(&self.reloaded_at),
        );
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "metrics are floats, by their format"
)]
fn number(counter: &AtomicU64) -> f64 {
    counter.load(Ordering::Relaxed) as f64
}
