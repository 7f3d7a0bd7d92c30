//! The history of saved connections: written by every probe of them, read by table, plot and export.

use std::collections::HashMap;
use std::io::{self, Write};

use jiff::{SignedDuration, Timestamp};

use super::desk::{Desk, Inner};
use super::error::WorkError;
use super::probing::Progress;
use crate::domain::{Connection, Name, Verdict};
use crate::service::Manner;
use crate::store::history::{
    Availability, Bucket, Event, ExportFormat, ExportTable, Latency, Span,
};
use crate::store::{RunRecord, Standing, State, StateProblem};

/// Results that a strip shows.
const STRIP: u32 = 60;

/// The past of a connection, whichever programs probed it: what a row of the watch table shows.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct History {
    /// How it stands and since when; nothing before its first result.
    pub standing: Option<Standing>,
    /// Over the last 24 hours, of the probes that found that it works.
    pub latency: Option<Latency>,
    /// Over the last hour, 24 hours and 30 days.
    pub availability: Availability,
    /// The last 60 results, oldest first.
    pub strip: Vec<RunRecord>,
}

impl Desk {
    /// Probes a saved connection that the caller has read already, and keeps the result in the history.
    pub async fn probe_connection(
        &self,
        connection: &Connection,
        manner: Manner,
        progress: Progress<'_>,
    ) -> Verdict {
        let verdict = self.probe_unrecorded(connection, manner, progress).await;
        match manner {
            Manner::Asked | Manner::Full | Manner::Scheduled => self.0.note(&verdict),
            // A draft is no state of the connection.
            Manner::UrlTyping | Manner::Typing => {}
        }
        verdict
    }

    /// How every connection stood after its last result, also in an earlier run.
    pub async fn standings(&self) -> Result<HashMap<Name, Standing>, WorkError> {
        self.asked(State::standings).await
    }

    /// The past of `name`, whichever programs probed it.
    pub async fn history(&self, name: &Name) -> Result<History, WorkError> {
        let name = name.clone();
        let now = Timestamp::now();
        let day = before(now, SignedDuration::from_hours(24));
        self.asked(move |state| {
            Ok(History {
                standing: state.standing(&name)?,
                latency: state.latency(&name, day)?,
                availability: state.availability(&name, now)?,
                strip: state.last_results(&name, STRIP)?,
            })
        })
        .await
    }

    /// The single results of `name` since a time, oldest first; kept for 48 hours.
    pub async fn results(
        &self,
        name: &Name,
        since: Timestamp,
    ) -> Result<Vec<RunRecord>, WorkError> {
        let name = name.clone();
        self.asked(move |state| state.results(&name, since)).await
    }

    /// The results of `name` since a time in spans, oldest first, without the span that is not over yet.
    pub async fn buckets(
        &self,
        name: &Name,
        span: Span,
        since: Timestamp,
    ) -> Result<Vec<Bucket>, WorkError> {
        let name = name.clone();
        self.asked(move |state| state.buckets(&name, span, since))
            .await
    }

    /// What changed at `name` since a time, and how long it lasted, oldest first.
    pub async fn events(&self, name: &Name, since: Timestamp) -> Result<Vec<Event>, WorkError> {
        let name = name.clone();
        self.asked(move |state| state.events(&name, since)).await
    }

    /// Writes the history of `name`, or of all connections, since a time. `Ok(Err(_))`: `out` failed.
    pub async fn export_history(
        &self,
        name: Option<Name>,
        since: Timestamp,
        what: (ExportTable, ExportFormat),
        mut out: impl Write + Send + 'static,
    ) -> Result<io::Result<()>, WorkError> {
        self.settle_history().await;
        self.asked(move |state| state.export(name.as_ref(), since, what, &mut out))
            .await
    }

    /// Waits until every result so far is on disk.
    pub async fn settle_history(&self) {
        self.0.ledger.settle().await;
    }

    async fn asked<R: Send + 'static>(
        &self,
        ask: impl FnOnce(&State) -> Result<R, StateProblem> + Send + 'static,
    ) -> Result<R, WorkError> {
        self.blocking(move |inner| {
            let state = inner.state()?;
            ask(&state).map_err(|problem| WorkError::failed("reading the history", &problem))
        })
        .await
    }
}

impl Inner {
    /// Hands the verdict to the history. Never waits; nothing is kept where the state can't be opened, which
    /// the probe has tried.
    pub(super) fn note(&self, verdict: &Verdict) {
        if let Some(state) = self.opened_state() {
            self.ledger.put(&state, verdict);
        }
    }
}

fn before(now: Timestamp, age: SignedDuration) -> Timestamp {
    now.saturating_sub(age).unwrap_or(Timestamp::MIN)
}
