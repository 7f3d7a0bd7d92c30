//! The history of saved connections: written by every probe of them, read by table, plot and export.

use std::collections::HashMap;
use std::io::{self, Write};

use jiff::{SignedDuration, Timestamp};

use super::core::{Core, Inner};
use super::error::WorkError;
use super::probing::Progress;
use crate::domain::history::{Bucket, Event, History, RunRecord, Span, Standing};
use crate::domain::plot::{Plot, PlotSpan};
use crate::domain::window::planned_until;
use crate::domain::{Connection, Name, Reason, Verdict};
use crate::service::Trigger;
use crate::store::history::{ExportFormat, ExportTable};
use crate::store::{StateDb, StateProblem};

impl Core {
    /// Probes a saved connection that the caller has read already, and keeps the result in the history.
    pub async fn probe_connection(
        &self,
        connection: &Connection,
        trigger: Trigger,
        progress: Progress<'_>,
    ) -> Verdict {
        let verdict = self.probe_unrecorded(connection, trigger, progress).await;
        match trigger {
            Trigger::Asked | Trigger::Bisect | Trigger::Scheduled => {
                self.keep_result(connection, &verdict).await;
            }
            // A draft is no state of the connection.
            Trigger::UrlTyping | Trigger::HalfTyped | Trigger::Typing => {}
        }
        verdict
    }

    /// Keeps in the history what a probe of a saved connection found. Says whether a failure of it was planned at
    /// that time.
    pub async fn keep_result(&self, connection: &Connection, verdict: &Verdict) -> bool {
        let planned = self.is_planned(connection, verdict.at).await;
        if !self.hides(connection, verdict).await {
            self.0.note(verdict, planned);
        }
        planned
    }

    /// Whether a failure of this connection is planned `at` that time.
    pub async fn is_planned(&self, connection: &Connection, at: Timestamp) -> bool {
        let configuration = self.blocking(Inner::last_configuration).await.ok();
        let of_all = configuration
            .as_ref()
            .map_or(&[][..], |read| &read.settings.maintenance);
        planned_until(connection, of_all, at).is_some()
    }

    /// Whether it is the lock of this copy alone that kept the probe from finding anything: other copies share the
    /// history, and may well have the key.
    async fn hides(&self, connection: &Connection, verdict: &Verdict) -> bool {
        verdict.reason == Reason::SecretUnavailable && self.locks_away(connection).await
    }

    /// What has changed about the writing of the history, an inert sentence: that it fails, that it goes on. Once each.
    pub fn history_news(&self) -> Option<String> {
        self.0.history_writer.news()
    }

    /// Whether the last results could not be written to the history; they wait. Also while it is not open: the first
    /// probe opens it.
    pub fn history_fails(&self) -> bool {
        self.0.state.so_far().is_none() || self.0.history_writer.fails()
    }

    /// How every connection stood after its last result, also in an earlier run.
    pub async fn standings(&self) -> Result<HashMap<Name, Standing>, WorkError> {
        self.asked(StateDb::standings).await
    }

    /// The past of `name`, whichever programs probed it.
    pub async fn history(&self, name: &Name) -> Result<History, WorkError> {
        let name = name.clone();
        let now = Timestamp::now();
        let pasts = self.asked(move |state| state.pasts(&[name], now)).await?;
        Ok(pasts
            .into_iter()
            .next()
            .map(|(_, past)| past)
            .unwrap_or_default())
    }

    /// The pasts of several connections, once everything found so far is on disk or can't be written.
    pub async fn histories(&self, names: Vec<Name>) -> Result<Vec<(Name, History)>, WorkError> {
        self.settle_history().await;
        let now = Timestamp::now();
        self.asked(move |state| state.pasts(&names, now)).await
    }

    /// Which share of its probes each connection answered within 24 hours: of the hours that are over, and of
    /// the results since.
    pub async fn shares(&self) -> Result<HashMap<Name, f64>, WorkError> {
        let now = Timestamp::now();
        self.asked(move |state| state.day_shares(now)).await
    }

    /// What is drawn of a connection over a time.
    pub async fn plot(&self, name: &Name, span: PlotSpan) -> Result<Plot, WorkError> {
        self.settle_history().await;
        let name = name.clone();
        let now = Timestamp::now();
        let since = before(now, span.length());
        self.asked(move |state| {
            let buckets = match span.rows() {
                Some(rows) => state.buckets(&name, rows, since)?,
                None => Vec::new(),
            };
            // Buckets end with the last whole one: what is not in them yet is single still.
            let step = span.rows().map_or(0, Span::seconds);
            let gathered = buckets.last().and_then(|last| {
                let over = SignedDuration::from_secs(step);
                last.at.checked_add(over).ok()
            });
            let runs = state.results(&name, gathered.unwrap_or(since))?;
            Ok(Plot {
                span,
                points: Plot::points(span, &buckets, &runs),
                events: state.events(&name, since)?,
                latency: state.latency(&name, since)?,
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

    /// Writes the history of `name`, or of all connections, since a time. `Ok(Err(_))`: `out` failed. Nothing is
    /// written where results of this run are not in it.
    pub async fn export_history(
        &self,
        name: Option<Name>,
        since: Timestamp,
        what: (ExportTable, ExportFormat),
        mut out: impl Write + Send + 'static,
    ) -> Result<io::Result<()>, WorkError> {
        if !self.settle_history().await {
            return Err(WorkError::failed(
                "exporting the history",
                "results of this run could not be written to it: the log says why",
            ));
        }
        self.asked(move |state| state.export(name.as_ref(), since, what, &mut out))
            .await
    }

    /// Waits until every result so far is on disk; `false` where some could not be written, which the log says.
    pub async fn settle_history(&self) -> bool {
        self.0.history_writer.settle().await
    }

    async fn asked<R: Send + 'static>(
        &self,
        ask: impl FnOnce(&StateDb) -> Result<R, StateProblem> + Send + 'static,
    ) -> Result<R, WorkError> {
        self.blocking_bare(move |inner| {
            let state = inner.state.to_read()?;
            ask(&state).map_err(|problem| WorkError::failed("reading the history", problem))
        })
        .await
    }
}

impl Inner {
    /// Hands the verdict to the history. Never waits; nothing is kept where the state can't be opened, which
    /// the probe has tried.
    pub(super) fn note(&self, verdict: &Verdict, planned: bool) {
        if let Some(state) = self.state.so_far() {
            self.history_writer.put(&state, verdict, planned);
        }
    }
}

fn before(now: Timestamp, age: SignedDuration) -> Timestamp {
    now.saturating_sub(age).unwrap_or(Timestamp::MIN)
}
