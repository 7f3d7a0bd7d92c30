//! The one writer of the history: results are handed over without waiting, and written many at a time.
//!
//! Its thread starts with the first result and ends with the desk, after everything handed over is on disk.
//! Where the disk is slower than the probes for long, results are lost, never probes.

use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use tokio::sync::oneshot;

use crate::domain::{Name, Verdict};
use crate::store::{RunRecord, State};

/// Results that may wait for the disk.
const QUEUED: usize = 16_384;
/// How long the first result of a batch waits for others: one write to disk a second at the most.
const GATHERED_FOR: Duration = Duration::from_secs(1);
/// Results of one batch.
const AT_ONCE: usize = 2_000;

/// Takes results of probes.
#[derive(Default)]
pub(super) struct Ledger(Mutex<Option<Writer>>);

struct Writer {
    queue: SyncSender<Note>,
    thread: JoinHandle<()>,
}

enum Note {
    Run(Name, RunRecord),
    /// Everything before it is to be on disk; the answer says that it is.
    Settle(oneshot::Sender<()>),
}

impl Ledger {
    /// Hands over what a probe of a saved connection found. Never waits.
    /// `planned`: within a maintenance window.
    pub(super) fn put(&self, state: &Arc<State>, verdict: &Verdict, planned: bool) {
        let Some(name) = &verdict.connection else {
            return;
        };
        let us = verdict.phases.total.map(|total| total.as_micros());
        let run = RunRecord {
            at: verdict.at,
            reason: verdict.reason,
            status: verdict.status,
            us: us.map(|us| u32::try_from(us).unwrap_or(u32::MAX)),
            planned,
        };
        let mut writer = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if writer.is_none() {
            *writer = Writer::start(state);
        }
        let Some(writer) = writer.as_ref() else {
            return;
        };
        match writer.queue.try_send(Note::Run(name.clone(), run)) {
            Ok(()) => {}
            Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => {
                tracing::warn!(%name, "the disk is too slow: a result is not kept");
            }
        }
    }

    /// Waits until everything handed over so far is on disk.
    pub(super) async fn settle(&self) {
        let queue = {
            let writer = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            writer.as_ref().map(|writer| writer.queue.clone())
        };
        let Some(queue) = queue else {
            return;
        };
        let (sender, settled) = oneshot::channel();
        let sent = tokio::task::spawn_blocking(move || queue.send(Note::Settle(sender)));
        if let Ok(Ok(())) = sent.await {
            let _ = settled.await;
        }
    }
}

impl Drop for Ledger {
    fn drop(&mut self) {
        let writer = self.0.get_mut().unwrap_or_else(PoisonError::into_inner);
        if let Some(Writer { queue, thread }) = writer.take() {
            drop(queue);
            let _ = thread.join();
        }
    }
}

impl Writer {
    fn start(state: &Arc<State>) -> Option<Self> {
        let (queue, notes) = sync_channel(QUEUED);
        let state = Arc::clone(state);
        let thread = thread::Builder::new()
            .name("history".to_owned())
            .spawn(move || write(&state, &notes));
        match thread {
            Ok(thread) => Some(Self { queue, thread }),
            Err(error) => {
                tracing::warn!(%error, "no thread for the history: results are not kept");
                None
            }
        }
    }
}

/// Writes until nobody hands anything over any more.
fn write(state: &State, notes: &Receiver<Note>) {
    let mut waiting: Vec<(Name, RunRecord)> = Vec::new();
    while let Ok(first) = notes.recv() {
        let settled = gather(first, notes, &mut waiting);
        let batch = waiting.iter().map(|(name, run)| (name, *run));
        match state.record(batch) {
            Ok(()) => waiting.clear(),
            // Kept for the next try, within bounds.
            Err(error) => {
                tracing::warn!(error = %crate::store::told(&error), "results are not written yet");
                waiting.truncate(QUEUED);
            }
        }
        if let Err(error) = state.thin_where_due(Timestamp::now()) {
            tracing::warn!(error = %crate::store::told(&error), "the history is not thinned");
        }
        if let Some(settled) = settled {
            let _ = settled.send(());
        }
    }
}

/// Takes `first` and what follows it within a second. Ends at once where somebody waits for the disk.
fn gather(
    first: Note,
    notes: &Receiver<Note>,
    waiting: &mut Vec<(Name, RunRecord)>,
) -> Option<oneshot::Sender<()>> {
    let until = Instant::now() + GATHERED_FOR;
    let mut note = Ok(first);
    let most = waiting.len() + AT_ONCE;
    loop {
        match note {
            Ok(Note::Run(name, run)) => waiting.push((name, run)),
            Ok(Note::Settle(settled)) => return Some(settled),
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => return None,
        }
        if waiting.len() >= most {
            return None;
        }
        note = notes.recv_timeout(until.saturating_duration_since(Instant::now()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Reason, ServiceId};
    use crate::work::local::local_error;

    fn verdict(name: &Name, reason: Reason, n: i64) -> Verdict {
        let mut verdict = local_error(Some(name), &ServiceId::http(), "", "");
        verdict.reason = reason;
        verdict.status = 401;
        verdict.at = Timestamp::now()
            .saturating_add(jiff::SignedDuration::from_millis(n))
            .unwrap();
        verdict.phases.total = Some(Duration::from_micros(1_234));
        verdict
    }

    #[tokio::test]
    async fn what_was_handed_over_is_on_disk_once_it_is_settled() {
        let state = Arc::new(State::in_memory().unwrap());
        let ledger = Ledger::default();
        ledger.settle().await;
        let shop = Name::parse("shop").unwrap();
        for n in 0..3 {
            ledger.put(
                &state,
                &verdict(&shop, Reason::CredentialsRejected, n),
                false,
            );
        }
        ledger.settle().await;
        let runs = state.results(&shop, Timestamp::UNIX_EPOCH).unwrap();
        let found: Vec<_> = runs
            .iter()
            .map(|run| (run.reason, run.status, run.us))
            .collect();
        assert_eq!(found, [(Reason::CredentialsRejected, 401, Some(1_234)); 3]);
    }

    #[test]
    fn the_end_of_the_desk_loses_nothing() {
        let state = Arc::new(State::in_memory().unwrap());
        let ledger = Ledger::default();
        let shop = Name::parse("shop").unwrap();
        let count = 5_000;
        for n in 0..count {
            ledger.put(&state, &verdict(&shop, Reason::Connected, n), false);
        }
        drop(ledger);
        let runs = state.results(&shop, Timestamp::UNIX_EPOCH).unwrap();
        assert_eq!(runs.len(), usize::try_from(count).unwrap());
    }

    #[test]
    fn what_is_not_saved_is_not_kept() {
        let state = Arc::new(State::in_memory().unwrap());
        let ledger = Ledger::default();
        let shop = Name::parse("shop").unwrap();
        let mut unsaved = verdict(&shop, Reason::Connected, 0);
        unsaved.connection = None;
        ledger.put(&state, &unsaved, false);
        drop(ledger);
        assert!(state.standings().unwrap().is_empty());
    }
}
